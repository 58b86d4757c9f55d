//! The frame of a page, and the parts that a page about one run and one about several share.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gannet::gan::presets::Duration;
use gannet::internals::machine;
use gannet::internals::numbers::thousands;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::record::{Record, State};
use super::renewal::Renewal;
use super::shots::Shot;
use crate::numbers::{counted, time};

const STYLE: &str = include_str!("report.css");
/// The second makes the page follow a run; it keeps what the first registers.
const SCRIPT: &str = concat!(include_str!("report.js"), include_str!("live.js"));

/// A whole page. It loads nothing from anywhere, and its own script is the only one that may run.
pub(super) fn page(title: &str, body: &Markup) -> String {
    let (day, clock) = machine::moment(SystemTime::now());
    framed(title, body, &format!(" on {day} at {clock} UTC"))
}

/// The same without the time: a page that is the same whenever it is made.
pub(super) fn undated(title: &str, body: &Markup) -> String {
    framed(title, body, "")
}

fn framed(title: &str, body: &Markup, when: &str) -> String {
    let hash = STANDARD.encode(Sha256::digest(SCRIPT));
    let policy = format!(
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "gannet " (env!("CARGO_PKG_VERSION")) };
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main { (body) }
                footer { "Written by gannet " (env!("CARGO_PKG_VERSION")) (when) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// A part of the page under a heading; nothing where it holds nothing.
pub(super) fn section(id: &str, title: &str, body: &Markup) -> Markup {
    html! {
        @if !body.0.is_empty() {
            section id=(id) aria-labelledby={ (id) "-title" } {
                h2 id={ (id) "-title" } { (title) }
                (body)
            }
        }
    }
}

/// A table, which scrolls where it is too wide. Of its headings those of numbers, which stand to the right, are marked.
pub(super) fn table(label: &str, headings: &[(&str, bool)], rows: &Markup) -> Markup {
    html! {
        .scroll tabindex="0" role="group" aria-label=(label) {
            table.measures {
                thead { tr { @for (heading, is_number) in headings { th.number[*is_number] scope="col" { (heading) } } } }
                tbody { (rows) }
            }
        }
    }
}

/// A name of a measure, or another that JSON has, in words.
pub(super) fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

/// How a run stands, as a pill.
pub(super) fn state(record: &Record) -> Markup {
    let (tone, text) = match record.state() {
        State::Finished => ("good", "finished".to_string()),
        State::Stopped => ("warn", "stopped".to_string()),
        State::Other(words) => ("bad", spaced(&words)),
        State::Running => ("running", "running".to_string()),
        State::Open => ("unknown", "no end recorded".to_string()),
    };
    html! { span.pill.(tone) { i {} (text) } }
}

/// How old a page is that is made again, which its script keeps true, and how far the runs are.
pub(super) fn renewal(renewal: &Renewal, records: &[Record]) -> Markup {
    let now = SystemTime::now();
    let written = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let (day, clock) = machine::moment(now);
    let all = renewal.planned.saturating_mul(records.len() as u64);
    let done = records.iter().filter_map(Record::steps).fold(0u64, u64::saturating_add);
    let percent = 100.0 * done as f64 / all.max(1) as f64;
    let here = done.saturating_sub(renewal.before);
    let left = renewal.elapsed.as_secs_f64() / here as f64 * all.saturating_sub(done) as f64;
    let rest = match () {
        () if renewal.is_ending => "; measuring what was learned".to_string(),
        () if here > 0 => format!("; about {} left", time(left.max(1.0))),
        () => String::new(),
    };
    html! {
        .live data-written=(written) data-next=(renewal.next.as_millis()) data-promise=(renewal.promise.as_millis()) {
            progress max="100" value={ (format!("{percent:.1}")) } aria-label="Steps done" {}
            p {
                (thousands(done)) " of " (counted(all, "step")) (rest) ". "
                span.age { "As of " (clock) " UTC on " (day) "." }
                noscript { " The page shows what comes later once it is loaded again." }
            }
        }
    }
}

/// The last verdict, as a pill.
pub(super) fn verdict(record: &Record) -> Markup {
    html! {
        @if let Some(words) = record.verdict() { span.pill.(super::health::tone(words)) { i {} (words) } }
    }
}

/// What a run took: of steps, or `None` where it is not known.
pub(super) fn took(record: &Record) -> Option<String> {
    record.number("seconds").filter(|_| record.has_ended()).map(time)
}

/// A picture of what the generator made. `hidden` ones wait for the slider.
pub(super) fn picture(shot: &Shot, of: &str, hidden: bool) -> Markup {
    image(shot, &format!("What the generator of {of} makes {}", moment(shot.step)), hidden)
}

/// A picture of what `told` says.
pub(super) fn image(shot: &Shot, told: &str, hidden: bool) -> Markup {
    let Shot { step, width, height, uri, .. } = shot;
    html! {
        img src=(uri) width=(width) height=(height) hidden[hidden] decoding="sync" data-step=[*step] alt=(told);
    }
}

/// When a picture was made.
pub(super) fn moment(step: Option<u64>) -> String {
    match step {
        None => "at the end".to_string(),
        Some(0) => "before training".to_string(),
        Some(step) => format!("after {}", counted(step, "step")),
    }
}

/// The slider of the pictures, for pages with JavaScript.
pub(super) fn slider() -> Markup {
    html! {
        .slider hidden {
            button type="button" aria-pressed="false" { "Play" }
            input type="range" min="0" step="1" aria-label="Picture over the steps";
            output {}
        }
    }
}

/// The end of the axis of steps that `records` share.
pub(super) fn until(records: &[Record]) -> f64 {
    records.iter().filter_map(Record::steps).max().unwrap_or(0) as f64
}

/// Figures under short headings.
pub(super) fn facts(facts: &[(String, String, String)]) -> Markup {
    html! {
        dl.facts {
            @for (name, value, note) in facts {
                div { dt { (name) } dd { (value) } @if !note.is_empty() { dd.note { (note) } } }
            }
        }
    }
}

/// What a page about one run, or several of one preset, is called: the folder's name says the preset by default.
pub(super) fn over(kind: &str, preset: &str, name: &str) -> String {
    if name.contains(preset) { kind.to_string() } else { format!("{kind}, {preset}") }
}

/// A command line with a button that copies it.
pub(super) fn command(line: &str, what: &str) -> Markup {
    html! { .command { p { (what) } pre tabindex="0" { code { (line) } } } }
}

/// The steps that are done, of how many.
pub(super) fn progress(record: &Record) -> String {
    let steps = record.steps().map_or_else(|| "no step".to_string(), |steps| counted(steps, "step"));
    let Ok(config) = &record.config else { return steps };
    if record.state() == State::Finished {
        return steps;
    }
    match config.duration {
        Duration::Steps(all) => {
            format!("{} of {}", thousands(record.steps().unwrap_or(0)), counted(all, "step"))
        }
        Duration::Epochs(all) => {
            let epoch = record.metrics.last("epoch").unwrap_or(0.0).max(0.0) as u64;
            format!("{steps}, in epoch {} of {}", thousands(epoch), thousands(all))
        }
    }
}
/// Measures in a page about one run, and charts of measures in one about several.
pub(super) const MOST_CHARTS: usize = 24;
