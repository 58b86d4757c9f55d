//! The page about the trials of a sweep.

use maud::html;

use super::page::{self, section};
use super::shots;

/// What stands on the page.
pub(crate) struct Trials<'a> {
    pub(crate) title: &'a str,
    /// What was done, in a sentence.
    pub(crate) lead: &'a str,
    pub(crate) header: &'a [String],
    /// The cells of each trial, and the address of its own page.
    pub(crate) rows: &'a [(Vec<String>, Option<String>)],
    /// Pictures as PNG files: a heading, and the file.
    pub(crate) pictures: &'a [(&'a str, &'a [u8])],
    /// How to go on or to repeat it.
    pub(crate) command: (&'a str, &'a str),
}

/// The page.
pub(crate) fn page_about_trials(trials: &Trials<'_>) -> String {
    let table = html! {
        .scroll tabindex="0" role="group" aria-label="Trials" {
            table.wide.dense[trials.header.len() > 8] {
                thead { tr { @for name in trials.header { th scope="col" { (name) } } th scope="col" { "page" } } }
                tbody {
                    @for (cells, link) in trials.rows {
                        tr {
                            @for index in 0..trials.header.len() { td { (cells.get(index).map_or("", String::as_str)) } }
                            td { @if let Some(link) = link { a href=(link) { "report" } } }
                        }
                    }
                }
            }
        }
    };
    let pictures: Vec<_> =
        trials.pictures.iter().filter_map(|(title, png)| Some((title, shots::from_png(png, None)?))).collect();
    let body = html! {
        header {
            p.over { "gannet sweep" }
            h1 { (trials.title) }
            p.lead { (trials.lead) }
        }
        (section("trials", "Trials", &table))
        @for (index, (title, shot)) in pictures.iter().enumerate() {
            (section(&format!("picture-{index}"), title, &html! { .stage.whole { (page::image(shot, title, false)) } }))
        }
        (section("repeat", "How to go on", &page::command(trials.command.1, trials.command.0)))
    };
    page::undated(trials.title, &body)
}
