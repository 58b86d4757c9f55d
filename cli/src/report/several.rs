//! The page that lays several runs side by side. Those that colors cannot tell apart are shown as a crowd, with its median.

use std::collections::BTreeMap;
use std::mem;

use gannet::gan::health::Verdict;
use gannet::internals::numbers::thousands;
use maud::{Markup, html};

use super::chart::{self, COLORS, Chart, Series};
use super::crowd;
use super::page::{self, section, spaced};
use super::record::{HEALTH, Known, Record, State};
use super::renewal::Renewal;
use super::settings::settings;
use super::shots::Shot;
use crate::history::changed_settings;
use crate::history::legs::Legs;
use crate::measures::measure;
use crate::measures::spread::{Found, Spread, succeeded};
use crate::numbers::number;
use crate::preset::goal::{self, best};
use crate::terminal::command_lines::quoted;

/// Runs up to which each chart tells all their values.
const MOST_IN_LEGEND: usize = COLORS;
/// Runs that colors and dashes tell apart.
const MOST_TOLD_APART: usize = 3 * COLORS;
/// Runs from which a median says something.
const LEAST_FOR_MEDIAN: usize = 3;
/// Characters of all pictures.
pub(super) const MOST_PICTURES: usize = 14 << 20;
/// Columns of a table that stand side by side in letters of the usual size.
const MOST_SPACIOUS: usize = 8;
/// Runs up to which all command lines that repeat them are in sight.
const MOST_COMMANDS: usize = 8;

/// The page, which has no room for the runs `left_out`. `links` leads from it to the page of each run, where there is one; `overview` is a
/// picture of the measures of all.
pub(super) fn render(
    title: &str,
    records: &[Record],
    left_out: usize,
    links: &[Option<String>],
    renewal: Option<&Renewal>,
    overview: Option<&Shot>,
) -> String {
    let body = html! {
        header {
            p.over { (page::over("gannet runs side by side", &preset(records), title)) }
            h1 { (title) }
            @if let Some(renewal) = renewal { (page::renewal(renewal, records)) }
            @if left_out > 0 {
                p.lead { "The page shows the first " (records.len()) " of " (thousands((records.len() + left_out) as u64)) " runs." }
            }
            @if records.len() <= MOST_TOLD_APART {
                p.lead { "Each run keeps its color throughout the page." }
            } @else {
                p.lead { (records.len()) " runs: charts show each as a thin line, and the median of all." }
            }
        }
        (section("runs", "Runs", &runs(records, links)))
        (section("differences", "Settings that differ", &differences(records)))
        (section("measures", "Measures", &measures(records)))
        @if let Some(overview) = overview {
            (section("overview", "All measures", &html! { .stage.whole { (page::image(overview, "The measures of all runs", false)) } }))
        }
        (section("pictures", "What the generators make", &pictures(records)))
        (section("curves", "Curves", &curves(records)))
        (section("repeat", "How to repeat these runs", &repeat(records)))
    };
    page::page(title, &body)
}

/// The preset, if all runs have the same.
fn preset(records: &[Record]) -> String {
    let mut presets: Vec<String> = records.iter().map(Record::preset).collect();
    presets.dedup();
    if let [preset] = presets.as_mut_slice() { mem::take(preset) } else { String::new() }
}

/// A run's name, with its color where that tells it from all others.
fn name(record: &Record, color: Option<usize>) -> Markup {
    match color {
        Some(index) => html! { span.run.(chart::color(index)) { i {} (record.name) } },
        None => html! { span.run { (record.name) } },
    }
}

/// The color of run `index` of `count`.
fn color(index: usize, count: usize) -> Option<usize> {
    (count <= MOST_TOLD_APART).then_some(index)
}

/// A column of a table, with a cell for each run.
type Column = (String, Vec<Markup>);

/// A row about all runs: its name, and its cell in the column of a name.
type Overall<'a> = (&'a str, &'a dyn Fn(&str) -> String);

/// A table with a row for each run, below rows of cells about all of them. Columns without anything in them are left out; without
/// columns it is not there.
fn table(label: &str, columns: &[Column], records: &[Record], all: &[Overall<'_>]) -> Markup {
    let columns: Vec<&Column> =
        columns.iter().filter(|(_, cells)| cells.iter().any(|cell| !cell.0.is_empty())).collect();
    if columns.is_empty() {
        return Markup::default();
    }
    html! {
        .scroll tabindex="0" role="group" aria-label=(label) {
            table.wide.dense[columns.len() > MOST_SPACIOUS] {
                thead { tr { th scope="col" { "run" } @for (name, _) in &columns { th scope="col" { (name) } } } }
                tbody {
                    @for (label, cell) in all {
                        tr.all { th scope="row" { (label) } @for (name, _) in &columns { td { (cell(name)) } } }
                    }
                    @for (row, record) in records.iter().enumerate() {
                        tr { th scope="row" { (name(record, color(row, records.len()))) } @for (_, cells) in &columns { td { (cells[row]) } } }
                    }
                }
            }
        }
    }
}

fn runs(records: &[Record], links: &[Option<String>]) -> Markup {
    let column = |name: &str, cell: &dyn Fn(&Record) -> Markup| (name.to_string(), records.iter().map(cell).collect());
    let text = |name: &str, cell: &dyn Fn(&Record) -> Option<String>| {
        column(name, &|record| html! { (cell(record).unwrap_or_default()) })
    };
    let link = |link: &Option<String>| html! { @if let Some(link) = link { a href=(link) { "report" } } };
    let columns = [
        text("preset", &|record| Some(record.preset())),
        column("state", &page::state),
        column("health", &page::verdict),
        text("steps", &|record| record.steps().map(thousands)),
        text("time", &page::took),
        text("samples/s", &|record| record.number("samples_per_second").map(|rate| number(rate.round()))),
        ("page".to_string(), links.iter().map(link).collect()),
    ];
    table("Runs", &columns, records, &[])
}

fn differences(records: &[Record]) -> Markup {
    let all: Vec<_> = records.iter().map(|record| record.config.as_ref().ok().map(settings)).collect();
    let Some(first) = all.iter().flatten().next() else { return Markup::default() };
    let cell = |settings: &Option<Vec<(&str, String)>>, index: usize| match settings {
        Some(settings) => settings[index].1.clone(),
        None => "unknown".to_string(),
    };
    let differ = (0..first.len()).filter(|&index| all.iter().flatten().any(|other| other[index].1 != first[index].1));
    let column = |index: usize| {
        (first[index].0.to_string(), all.iter().map(|settings| html! { (cell(settings, index)) }).collect())
    };
    let mut columns: Vec<Column> = differ.map(column).collect();
    let changed: Vec<_> =
        records.iter().map(|record| record.legs.as_ref().map(changed_settings::told).unwrap_or_default()).collect();
    if changed.iter().any(|changes| !changes.is_empty()) {
        let cell =
            |changes: &BTreeMap<String, String>| html! { @for (name, told) in changes { div { (name) ": " (told) } } };
        columns.push(("changed on the way".to_string(), changed.iter().map(cell).collect()));
    }
    html! {
        @if columns.is_empty() {
            p { "None: all that are known are the same." }
        } @else {
            (table("Settings that differ", &columns, records, &[]))
        }
    }
}

fn measures(records: &[Record]) -> Markup {
    let all: Vec<_> = records.iter().map(Record::measures).collect();
    let names = distinct(all.iter().flatten().map(|measure| measure.name.as_str()));
    let column = |name: &&str| {
        let found: Vec<_> = all.iter().map(|measures| measures.iter().find(|measure| measure.name == **name)).collect();
        let values: Vec<f64> = found.iter().map(|found| found.map_or(f64::NAN, |measure| measure.value)).collect();
        let winners = best(name, &values);
        let cell = |(row, found): (usize, &Option<&Known>)| {
            let won = winners.contains(&row);
            html! {
                @if let Some(measure) = found {
                    span.best[won] {
                        (number(measure.value))
                        @if won { span.mark title="the best of these runs" { " best" } }
                    }
                }
            }
        };
        (spaced(name), found.iter().enumerate().map(cell).collect())
    };
    let columns: Vec<Column> = names.iter().map(column).collect();
    let spreads: BTreeMap<String, Spread> =
        names.iter().map(|name| (spaced(name), spread(name, records, &all))).collect();
    let of = |name: &str, told: &dyn Fn(&Spread) -> String| spreads.get(name).map(told).unwrap_or_default();
    let value = |value: f64| if value.is_finite() { number(value) } else { "failed".to_string() };
    let median = |name: &str| of(name, &|spread| value(spread.median));
    let half = |name: &str| {
        of(name, &|spread| format!("{} to {}", value(spread.first_quartile), value(spread.third_quartile)))
    };
    let is_rated = |name: &str| names.iter().any(|known| spaced(known) == name && goal::is_rated(known));
    let worst = |name: &str| of(name, &|spread| if is_rated(name) { value(spread.worst) } else { String::new() });
    let share = |name: &str| of(name, &|spread| succeeded(spread.succeeded, records.len()));
    let rows: [Overall<'_>; 4] =
        [("median", &median), ("middle half", &half), ("worst", &worst), ("succeeded", &share)];
    // Runs that go on have neither succeeded nor not.
    let rows = match records.len() {
        ..LEAST_FOR_MEDIAN => &rows[..0],
        _ if records.iter().all(Record::has_ended) => &rows[..],
        _ => &rows[..2],
    };
    let reached = all.iter().flatten().filter(|measure| !measure.reached.is_empty() && names.contains(&&*measure.name));
    let reached = distinct(reached.map(|measure| (measure.name.as_str(), measure.reached)));
    html! {
        (table("Measures", &columns, records, rows))
        @if !reached.is_empty() {
            p.note { "Reference, median (5 to 95 %):" }
            dl.settings { @for (name, reached) in reached { div { dt { (spaced(name)) } dd { (reached) } } } }
        }
    }
}

/// The measure called `name` over all runs, whose measures are `all`.
fn spread(name: &str, records: &[Record], all: &[Vec<Known>]) -> Spread {
    let found = |(record, measures): (&Record, &Vec<Known>)| {
        let has_failed = matches!(record.state(), State::Other(_));
        let value = measures.iter().find(|measure| measure.name == name).map(|measure| measure.value);
        let verdict = record.verdict().and_then(Verdict::from_words);
        let is_sound = record.state() == State::Finished && verdict.is_none_or(|verdict| !verdict.is_bad());
        Found { value: value.filter(|_| !has_failed), is_sound }
    };
    let found: Vec<Found> = records.iter().zip(all).map(found).collect();
    // Runs of different settings have no bound in common.
    let mut bounds: Vec<Option<f64>> = records
        .iter()
        .map(|record| record.config.as_ref().ok().and_then(|config| measure::bound(config, name)))
        .collect();
    bounds.dedup();
    Spread::of(name, &found, if let [bound] = bounds[..] { bound } else { None })
}

/// What occurs in `all`, each once, in its order; no more than a page can hold.
fn distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for one in all {
        if !found.contains(&one) && found.len() < page::MOST_CHARTS {
            found.push(one);
        }
    }
    found
}

fn pictures(records: &[Record]) -> Markup {
    let shown: Vec<_> = records.iter().enumerate().filter(|(_, record)| !record.shots.is_empty()).collect();
    if shown.is_empty() {
        return Markup::default();
    }
    // Of so many runs that their pictures make a page too large, evenly chosen ones.
    let size: usize = shown.iter().flat_map(|(_, record)| &record.shots).map(|shot| shot.uri.len()).sum();
    let (all, every) = (shown.len(), size.div_ceil(MOST_PICTURES).max(1));
    let shown: Vec<_> = shown.into_iter().step_by(every).collect();
    html! {
        @if every > 1 { p.note { "Of " (shown.len()) " of the " (all) " runs, evenly chosen." } }
        .show {
            @if shown.iter().any(|(_, record)| record.shots.len() > 1) { (page::slider()) }
            .stage.many.crowd[records.len() > MOST_TOLD_APART] {
                @for (index, record) in &shown {
                    figure.frames {
                        @for (place, shot) in record.shots.iter().enumerate() {
                            (page::picture(shot, &record.name, place + 1 < record.shots.len()))
                        }
                        div.of {
                            (name(record, color(*index, records.len()))) " "
                            figcaption { (page::moment(record.shots.last().and_then(|shot| shot.step))) }
                        }
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
        let powers = column.ends_with("_norm");
        let base = Chart { title, meaning, powers, large, ..Chart::default() };
        if records.len() > MOST_TOLD_APART {
            let faint: Vec<_> = curves.into_iter().map(|(_, points)| points).collect();
            let median =
                Series { label: "median, and the middle half of the runs", color: 0, points: crowd::median(&faint) };
            return Chart { series: vec![median], faint, bands: true, legend: true, ..base }.markup(until);
        }
        let series =
            curves.into_iter().map(|(color, points)| Series { label: &records[color].name, color, points }).collect();
        Chart { series, legend, ..base }.markup(until)
    };
    let names = distinct(records.iter().flat_map(Record::running_measures));
    let mut charts = vec![
        chart("D's loss", "", true, "discriminator_loss", true),
        chart("G's loss", "", true, "generator_loss", true),
        chart("D(x)", "what D takes for real, of real samples", true, "real_probability", true),
        chart("D(G(z))", "the same, of generated ones", true, "fake_probability", true),
    ];
    charts.extend(names.iter().map(|name| chart(&spaced(name), "", false, name, false)));
    charts.extend(HEALTH.iter().map(|name| chart(&spaced(name), "", false, name, false)));
    charts.retain(|chart| !chart.0.is_empty());
    html! { @if !charts.is_empty() { .charts { @for chart in &charts { (chart) } } } }
}

fn repeat(records: &[Record]) -> Markup {
    let lines: Vec<String> = records
        .iter()
        .filter(|record| record.config.is_ok())
        .map(|record| format!("gannet train {}", quoted(&record.folder.join(crate::folder::run_folder::CONFIG))))
        .collect();
    let repeats_all = |record: &Record| record.legs.as_ref().is_some_and(Legs::repeats_all);
    let title = if records.iter().all(Record::repeats) && !records.iter().all(repeats_all) {
        "The training of each again, bit for bit, in a new folder:"
    } else if records.iter().all(Record::repeats) {
        "Each again, bit for bit, in a new folder:"
    } else {
        "A new run with the last settings of each:"
    };
    let command = page::command(&lines.join("\n"), title);
    html! {
        @match lines.len() {
            0 => {}
            1..=MOST_COMMANDS => (command),
            count => details { summary { (count) " command lines" } (command) },
        }
    }
}
