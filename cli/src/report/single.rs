//! The page about one run.

use std::slice;

use gannet::internals::{machine, numbers::thousands};
use gannet_tables::Form;
use maud::{Markup, html};

use super::chart::{Chart, Series};
use super::page::{self, section, spaced};
use super::record::{Best, Record, State};
use super::renewal::Renewal;
use super::settings::{network_row, settings};
use super::table::{Point, Table};
use super::{columns, health, legs, quality};
use crate::history::losses::{equilibrium, undecided};
use crate::measures::measure;
use crate::numbers::{counted, number, plural, short_figure, time};
use crate::terminal::command_lines::{quoted, sample_best};

/// The page.
pub(super) fn render(record: &Record, renewal: Option<&Renewal>) -> String {
    let body = html! {
        (head(record, renewal))
        (section("pictures", "What the generator makes", &pictures(record)))
        (section("measures", "What it has learned", &measured(record)))
        (section("table", "What the table is, and how good its rows are", &quality::markup(form(record), record.quality().as_ref())))
        (section("columns", "Columns", &columns::markup(&record.columns, &record.findings(), form(record))))
        (section("correlations", "How columns go together", &record.correlations.markup()))
        (section("best", "Its best model", &best(record)))
        (section("health", "Health", &verdicts(record)))
        (section("curves", "Curves", &curves(record)))
        (section("setup", "What was trained", &setup(record)))
        (section("legs", "How it came about", &legs::table(record)))
        (section("repeat", "How to repeat this run", &repeat(record)))
        (section("environment", "Environment", &environment(record)))
    };
    page::page(&record.name, &body)
}

fn head(record: &Record, renewal: Option<&Renewal>) -> Markup {
    let when = record.written.map(machine::moment);
    let took = page::took(record).map(|took| format!("{took} in steps"));
    html! {
        header {
            p.over { (page::over("gannet run", &record.preset(), &record.name)) }
            h1 { (record.name) }
            p.pills { (page::state(record)) (page::verdict(record)) }
            @if let Some(renewal) = renewal {
                (page::renewal(renewal, slice::from_ref(record)))
            } @else {
                p.lead {
                    (page::progress(record))
                    @if let Some(took) = &took { ", " (took) }
                    @if let Some((day, clock)) = &when { ". Last written on " (day) " at " (clock) " UTC" }
                    "."
                }
            }
            @if record.state() == State::Open {
                p.remark {
                    "No end of this run is recorded: it goes on, or it was killed. This page shows what there was so far."
                }
            }
            @if let Some(hint) = health::advice(record) { p.remark { b { (record.verdict().unwrap_or_default()) } ": " (hint) "." } }
            @if let Some(early) = record.early_stop() { p.remark { "The run " (early.to_string()) "." } }
            @if let Some(error) = record.told("error") { p.remark { (error) } }
            @for warning in record.warnings() { p.remark { "Warning about the data: " (warning) "." } }
            @if let Some(left_out) = record.left_out() { p.remark { (left_out) "." } }
            @if let Err(problem) = &record.config { p.remark { "The settings cannot be told: " (problem) "." } }
        }
        (page::facts(&facts(record)))
    }
}

/// The form of the table that the run was trained on.
fn form(record: &Record) -> Option<&Form> {
    record.config.as_ref().ok()?.own.as_ref()?.codec().map(|codec| codec.form())
}

/// The figures that matter most.
fn facts(record: &Record) -> Vec<(String, String, String)> {
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: String, note: String| facts.push((name.to_string(), value, note));
    for measure in record.measures().iter().take(2) {
        let figures = measure.reached.starts_with(|c: char| c.is_ascii_digit());
        let note = format!("{}{}", if figures { "reference: " } else { "" }, measure.reached);
        fact(&spaced(&measure.name), number(measure.value), note);
    }
    if let (Some(real), Some(fake)) = (record.last("real_probability"), record.last("fake_probability")) {
        fact(
            "D(x), D(G(z))",
            format!("{}, {}", short_figure(real), short_figure(fake)),
            "0.5 = D cannot tell them apart".to_string(),
        );
    }
    if let Some(steps) = record.steps() {
        let epochs = record
            .number("epochs")
            .map(|epochs| format!("{} {}", number(epochs), plural(if epochs == 1.0 { 1 } else { 2 }, "epoch")));
        fact("steps", thousands(steps), epochs.unwrap_or_default());
    }
    if let Some(rate) = record.number("samples_per_second") {
        let note = page::took(record).map(|took| format!("{took} in steps")).unwrap_or_default();
        fact("samples a second", number(rate.round()), note);
    }
    facts
}

fn pictures(record: &Record) -> Markup {
    let Some((last, before)) = record.shots.split_last() else { return Markup::default() };
    let (first, hidden) = match before.split_first() {
        Some((first, rest)) if record.real.is_none() => (Some(first), rest),
        _ => (None, before),
    };
    html! {
        .show {
            .stage.pair[record.shots.len() > 1 || record.real.is_some()] {
                // Beside the real images, or the first picture, which the slider's frames take from here.
                @if let Some(real) = &record.real {
                    figure.real { (page::image(real, "Real images that the run was trained on", false)) figcaption { "real images" } }
                } @else if let Some(first) = first {
                    figure.first { (page::picture(first, &record.name, false)) figcaption { (page::moment(first.step)) } }
                }
                figure.frames {
                    @for shot in hidden { (page::picture(shot, &record.name, true)) }
                    (page::picture(last, &record.name, false))
                    figcaption { (page::moment(last.step)) }
                }
            }
            @if record.shots.len() > 1 { (page::slider()) }
        }
    }
}

fn measured(record: &Record) -> Markup {
    let measures = record.measures();
    let remark = record.config.as_ref().ok().and_then(measure::remark);
    if measures.is_empty() {
        return Markup::default();
    }
    let headings = [("measure", false), ("value", true), (measure::REFERENCE, false)];
    let rows = html! {
        @for measure in &measures {
            tr {
                th scope="row" {
                    (spaced(&measure.name))
                    @let told = spaced(&measure.name);
                    @if ![told.as_str(), ""].contains(&measure.words) { small { (measure.words) } }
                }
                td.number { (number(measure.value)) }
                td.note { (measure.reached) }
            }
        }
    };
    html! {
        (page::table("Measures", &headings, &rows))
        @if let Some(remark) = remark { p.remark { (remark) } }
    }
}

/// Where the run was better than at its end.
fn best(record: &Record) -> Markup {
    let Some(Best { step, measure, value, last_value }) = record.best() else { return Markup::default() };
    html! {
        p {
            "The " (spaced(&measure)) " was best after " (counted(step, "step")) ": " b { (number(value)) } ", at the last evaluation "
            (number(last_value)) "."
        }
        (page::command(
            &sample_best(&record.folder),
            "Samples of the generator as it was then:",
        ))
    }
}

fn verdicts(record: &Record) -> Markup {
    let verdicts = record.evaluation.verdicts();
    if verdicts.is_empty() { Markup::default() } else { health::strip(verdicts) }
}

/// The curves of the losses, of D's answers, of the measures and of the health, as far as there are any.
fn curves(record: &Record) -> Markup {
    let until = page::until(std::slice::from_ref(record));
    let spec = record.config.as_ref().ok().map(|config| &config.spec);
    let pair = |table: &Table, names: [&str; 2], labels: [&'static str; 2]| {
        // D's and G's, or real and generated: the colors of the pictures.
        let curve = |index: usize| Series { label: labels[index], color: index, points: table.curve(names[index]) };
        vec![curve(0), curve(1)]
    };
    let networks = ["discriminator", "generator"];
    let kinds = ["real", "generated"];
    let (metrics, evaluation) = (&record.metrics, &record.evaluation);
    let base = || Chart { legend: true, ..Chart::default() };
    let large = [
        Chart {
            title: "Losses",
            series: pair(metrics, ["discriminator_loss", "generator_loss"], networks),
            level: spec.and_then(equilibrium),
            bands: true,
            large: true,
            ..base()
        },
        Chart {
            title: "What D takes for real",
            meaning: "mean of D(x) and D(G(z))",
            series: pair(metrics, ["real_probability", "fake_probability"], kinds),
            level: spec.and_then(undecided),
            holds: &[0.0, 1.0],
            bands: true,
            large: true,
            ..base()
        },
    ];
    let penalty = [Chart {
        title: "The penalty's share",
        meaning: "of what D minimizes: its loss, whatever its sign, and the penalty",
        series: vec![Series { label: "", color: 0, points: penalty_share(metrics) }],
        holds: &[0.0],
        ..Chart::default()
    }];
    let names: Vec<String> = record.running_measures().take(page::MOST_CHARTS).map(str::to_string).collect();
    let titles: Vec<String> = names.iter().map(|name| spaced(name)).collect();
    let measures = names.iter().zip(&titles).map(|(name, title)| Chart {
        title,
        series: vec![Series { label: "", color: 2, points: evaluation.curve(name) }],
        ..Chart::default()
    });
    let health = [
        Chart {
            title: "Gradient norms",
            series: pair(evaluation, ["discriminator_gradient_norm", "generator_gradient_norm"], networks),
            powers: true,
            ..base()
        },
        Chart {
            title: "D's accuracy",
            series: pair(evaluation, ["real_accuracy", "fake_accuracy"], kinds),
            level: Some((0.5, "guessing")),
            holds: &[0.0, 1.0],
            ..base()
        },
        Chart {
            title: "Spread and coverage",
            meaning: "of the samples over the data's; share of the data that is covered",
            series: pair(evaluation, ["spread", "coverage"], ["spread", "coverage"]),
            holds: &[0.0],
            ..base()
        },
        Chart {
            title: "Dead units",
            meaning: "share of the hidden ones",
            series: pair(evaluation, ["discriminator_dead_units", "generator_dead_units"], networks),
            holds: &[0.0],
            ..base()
        },
    ];
    let charts: Vec<Markup> = large
        .iter()
        .chain(&penalty)
        .chain(&measures.collect::<Vec<_>>())
        .chain(&health)
        .map(|chart| chart.markup(until))
        .filter(|chart| !chart.0.is_empty())
        .collect();
    html! {
        @if !charts.is_empty() {
            .charts { @for chart in charts { (chart) } }
            p.note { "Over the steps. Where a point of a curve is the mean of several values, a light area shows their range." }
        }
    }
}

/// The share of the penalties in what D minimizes, over the steps; empty for a run without.
fn penalty_share(metrics: &Table) -> Vec<Point> {
    let (losses, penalties) = (metrics.curve("discriminator_loss"), metrics.curve("penalty"));
    let share = |(loss, penalty): (&Point, &Point)| {
        let share = penalty.mean / (loss.mean.abs() + penalty.mean);
        Point { step: loss.step, mean: share, low: share, high: share }
    };
    losses.iter().zip(&penalties).map(share).collect()
}

fn setup(record: &Record) -> Markup {
    html! {
        @if let Ok(config) = &record.config {
            (network_row("Generator", "c1", &config.spec.generator))
            (network_row("Discriminator", "c0", &config.spec.discriminator))
            dl.settings {
                @for (name, value) in settings(config) {
                    @if !matches!(name, "preset" | "generator" | "discriminator") && value != "-" {
                        div { dt { (name) } dd { (value) } }
                    }
                }
            }
        }
        @if let Some(text) = &record.config_text {
            details { summary { "config.toml" } pre tabindex="0" { code { (text) } } }
        }
    }
}

fn repeat(record: &Record) -> Markup {
    let folder = quoted(&record.folder);
    let config = quoted(&record.folder.join(crate::folder::run_folder::CONFIG));
    html! {
        @if record.config.is_ok() {
            (page::command(&format!("gannet train {config}"), legs::claim(record)))
            @if record.has_checkpoint {
                (page::command(
                    &format!("gannet train --resume {folder}"),
                    "On from its last checkpoint, to the bits it would have had without a stop:",
                ))
            }
            @if record.has_model {
                (page::command(
                    &format!("gannet sample {folder} --count 1000 --out samples.npy"),
                    "Samples of its generator:",
                ))
                (page::command(&format!("gannet evaluate {folder}"), "What it has learned, measured again:"))
            }
        }
        @if let Some(hash) = record.told("model_sha256") {
            p.note {
                "SHA-256 of model.safetensors"
                @if let Some(step) = record.counted("model_step").filter(|step| Some(*step) != record.counted("steps")) {
                    ", of step " (thousands(step))
                } @else if record.repeats() {
                    ", which a repeated run gives again"
                }
                ": "
                code.hash { (hash) }
            }
        }
    }
}

/// Where and how fast it ran, as `run.json` tells it.
fn environment(record: &Record) -> Markup {
    let seconds = |name: &str| record.number(name).map(time);
    let rows = [
        ("gannet", record.told("version")),
        ("processor", record.told("processor")),
        ("instruction set", record.told("isa")),
        ("threads", record.counted("threads").map(thousands)),
        ("engine", record.told("engine")),
        ("samples a second", record.number("samples_per_second").map(|rate| number(rate.round()))),
        ("time in steps", seconds("seconds")),
        ("time with measuring and drawing", seconds("total_seconds")),
        ("this page was made on", Some(machine::processor())),
    ];
    html! {
        dl.settings {
            @for (name, value) in rows { @if let Some(value) = value { div { dt { (name) } dd { (value) } } } }
        }
    }
}
