//! The frame of a page, and the parts that a page about one run and one about several share.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::record::{Record, State};
use super::shots::Shot;
use super::words::{counted, spaced, time};
use crate::cli::machine;
use crate::cli::plot::thousands;
use crate::gan::presets::Duration;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// A whole page. It loads nothing from anywhere, and its own script is the only one that may run.
pub(super) fn page(title: &str, body: &Markup) -> String {
    let hash = STANDARD.encode(Sha256::digest(SCRIPT));
    let policy = format!(
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    );
    let (day, clock) = machine::moment(std::time::SystemTime::now());
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
                footer { "Written by gannet " (env!("CARGO_PKG_VERSION")) " on " (day) " at " (clock) " UTC" }
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

/// How a run stands, as a pill.
pub(super) fn state(record: &Record) -> Markup {
    let (tone, text) = match record.state() {
        State::Finished => ("good", "finished".to_string()),
        State::Stopped => ("warn", "stopped".to_string()),
        State::Other(words) => ("bad", spaced(&words)),
        State::Open => ("unknown", "no end recorded".to_string()),
    };
    html! { span.pill.(tone) { i {} (text) } }
}

/// The last verdict, as a pill.
pub(super) fn verdict(record: &Record) -> Markup {
    html! {
        @if let Some(words) = record.verdict() { span.pill.(super::health::tone(words)) { i {} (words) } }
    }
}

/// What a run took: of steps, or `None` where it is not known.
pub(super) fn took(record: &Record) -> Option<String> {
    record.number("seconds").filter(|_| record.state() != State::Open).map(time)
}

/// A picture. `hidden` ones wait for the slider.
pub(super) fn picture(shot: &Shot, of: &str, hidden: bool) -> Markup {
    let Shot { step, width, height, uri } = shot;
    html! {
        img src=(uri) width=(width) height=(height) hidden[hidden] decoding="sync" data-step=[*step]
            alt={ "What the generator of " (of) " makes " (moment(*step)) };
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
