//! The page that lays several runs side by side.

use maud::{Markup, html};

use super::chart::{COLORS, Chart, Series, color};
use super::goal::best;
use super::page::{self, section};
use super::record::{HEALTH, Record};
use super::settings::settings;
use super::words::{counted, number, quoted, spaced};
use crate::cli::plot::thousands;

/// Runs up to which each chart tells all their values.
const MOST_IN_LEGEND: usize = COLORS;

/// The page. `links` leads from it to the page of each run, where there is one.
pub(super) fn render(title: &str, records: &[Record], links: &[Option<String>]) -> String {
    let body = html! {
        header {
            p.over { "gannet runs side by side" }
            h1 { (title) }
            p.lead { (counted(records.len() as u64, "run")) ". Each keeps its color throughout the page." }
        }
        (section("runs", "Runs", &runs(records, links)))
        (section("differences", "Settings that differ", &differences(records)))
        (section("measures", "Measures", &measures(records)))
        (section("pictures", "What the generators make", &pictures(records)))
        (section("curves", "Curves", &curves(records)))
        (section("repeat", "How to repeat these runs", &repeat(records)))
    };
    page::page(title, &body)
}

/// The runs' names, each with its color.
fn name(record: &Record, index: usize) -> Markup {
    html! { span.run class=(color(index)) { i {} (record.name) } }
}

/// A table with a row for each run.
fn table(label: &str, columns: &[String], records: &[Record], cell: impl Fn(usize, usize) -> Markup) -> Markup {
    html! {
        .scroll tabindex="0" role="group" aria-label=(label) {
            table.wide {
                thead { tr { th scope="col" { "run" } @for column in columns { th scope="col" { (column) } } } }
                tbody {
                    @for (row, record) in records.iter().enumerate() {
                        tr { th scope="row" { (name(record, row)) } @for column in 0..columns.len() { td { (cell(row, column)) } } }
                    }
                }
            }
        }
    }
}

fn runs(records: &[Record], links: &[Option<String>]) -> Markup {
    let all = ["system", "state", "health", "steps", "time", "samples/s", "page"];
    // The last one only where there is a page to go to.
    let count = all.len() - usize::from(links.iter().all(Option::is_none));
    let columns: Vec<String> = all[..count].iter().map(ToString::to_string).collect();
    table("Runs", &columns, records, |row, column| {
        let record = &records[row];
        let link = links.get(row).and_then(Option::as_deref);
        match column {
            0 => html! { (record.system()) },
            1 => page::state(record),
            2 => page::verdict(record),
            3 => html! { (record.steps().map(thousands).unwrap_or_default()) },
            4 => html! { (page::took(record).unwrap_or_default()) },
            5 => html! { (record.number("samples_per_second").map(|rate| number(rate.round())).unwrap_or_default()) },
            _ => html! { @if let Some(link) = link { a href=(link) { "report" } } },
        }
    })
}

fn differences(records: &[Record]) -> Markup {
    let all: Vec<_> = records.iter().map(|record| record.config.as_ref().ok().map(settings)).collect();
    let known: Vec<_> = all.iter().flatten().collect();
    let Some(first) = known.first() else { return Markup::default() };
    let differ: Vec<usize> =
        (0..first.len()).filter(|&index| known.iter().any(|other| other[index].1 != first[index].1)).collect();
    if differ.is_empty() {
        return html! { p { "None: all that are known are the same." } };
    }
    let columns: Vec<String> = differ.iter().map(|&index| first[index].0.to_string()).collect();
    table("Settings that differ", &columns, records, |row, column| match &all[row] {
        Some(settings) => html! { (settings[differ[column]].1) },
        None => html! { "unknown" },
    })
}

fn measures(records: &[Record]) -> Markup {
    let all: Vec<_> = records.iter().map(Record::measures).collect();
    let mut names: Vec<&str> = Vec::new();
    for measure in all.iter().flatten() {
        if !names.contains(&measure.name.as_str()) && names.len() < super::MOST_CHARTS {
            names.push(&measure.name);
        }
    }
    if names.is_empty() {
        return Markup::default();
    }
    let find = |row: usize, column: usize| all[row].iter().find(|measure| measure.name == names[column]);
    let winners: Vec<Vec<usize>> = (0..names.len())
        .map(|column| {
            let values: Vec<f64> =
                (0..all.len()).map(|row| find(row, column).map_or(f64::NAN, |measure| measure.value)).collect();
            best(names[column], &values)
        })
        .collect();
    let columns: Vec<String> = names.iter().map(|name| spaced(name)).collect();
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for measure in all.iter().flatten().filter(|measure| !measure.reached.is_empty()) {
        let entry = (measure.name.as_str(), measure.reached);
        if names.contains(&entry.0) && !seen.contains(&entry) {
            seen.push(entry);
        }
    }
    html! {
        (table("Measures", &columns, records, |row, column| {
            let won = winners[column].contains(&row);
            html! {
                @if let Some(measure) = find(row, column) {
                    span.best[won] { (number(measure.value)) @if won { span.mark title="the best of these runs" { " best" } } }
                }
            }
        }))
        @if !seen.is_empty() {
            p.note { "What a right implementation reaches:" }
            dl.settings { @for (name, reached) in seen { div { dt { (spaced(name)) } dd { (reached) } } } }
        }
    }
}

fn pictures(records: &[Record]) -> Markup {
    let shown: Vec<_> = records.iter().enumerate().filter(|(_, record)| !record.shots.is_empty()).collect();
    html! {
        @if !shown.is_empty() {
            @if shown.iter().any(|(_, record)| record.shots.len() > 1) { (page::slider()) }
            .stage.many {
                @for (index, record) in &shown {
                    figure.frames {
                        @for (place, shot) in record.shots.iter().enumerate() {
                            (page::picture(shot, &record.name, place + 1 < record.shots.len()))
                        }
                        div.of { (name(record, *index)) " " figcaption { (page::moment(record.shots.last().and_then(|shot| shot.step))) } }
                    }
                }
            }
        }
    }
}

/// A chart for each column, with a curve for each run.
fn curves(records: &[Record]) -> Markup {
    let until = page::until(records);
    let legend = records.len() <= MOST_IN_LEGEND;
    let chart = |title: &str, meaning: &str, of_metrics: bool, column: &str, large: bool| {
        let curve = |(color, record): (usize, &'_ Record)| {
            let table = if of_metrics { &record.metrics } else { &record.evaluation };
            (color, table.curve(column))
        };
        let curves: Vec<_> = records.iter().enumerate().map(curve).collect();
        let series = curves
            .into_iter()
            .map(|(color, points)| Series { label: &records[color].name, color, points })
            .collect();
        let powers = column.ends_with("_norm");
        Chart { title, meaning, series, powers, large, legend, ..Chart::default() }.markup(until)
    };
    let mut names: Vec<&str> = Vec::new();
    for name in records.iter().flat_map(Record::running_measures) {
        if !names.contains(&name) && names.len() < super::MOST_CHARTS {
            names.push(name);
        }
    }
    let mut charts = vec![
        chart("D's loss", "", true, "discriminator_loss", true),
        chart("G's loss", "", true, "generator_loss", true),
        chart("D(x)", "what D takes for real, of real samples", true, "real_probability", true),
        chart("D(G(z))", "the same, of generated ones", true, "fake_probability", true),
    ];
    charts.extend(names.iter().map(|name| {
        let meaning = records.iter().map(|record| record.known(name, 0.0).words).find(|words| !words.is_empty());
        chart(&spaced(name), meaning.unwrap_or_default(), false, name, false)
    }));
    charts.extend(HEALTH.iter().map(|name| chart(&spaced(name), "", false, name, false)));
    charts.retain(|chart| !chart.0.is_empty());
    html! { @if !charts.is_empty() { .charts { @for chart in &charts { (chart) } } } }
}

fn repeat(records: &[Record]) -> Markup {
    let lines: Vec<String> = records
        .iter()
        .filter(|record| record.config.is_ok())
        .map(|record| format!("gannet train {}", quoted(&record.folder.join(crate::cli::run_folder::CONFIG))))
        .collect();
    html! { @if !lines.is_empty() { (page::command(&lines.join("\n"), "Each again, bit for bit, in a new folder:")) } }
}
