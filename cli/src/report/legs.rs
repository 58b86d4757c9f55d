//! The legs of a run that was stopped or changed on the way.

use gannet::internals::engine::setting_text;
use gannet::internals::numbers::thousands;
use maud::{Markup, html};
use serde_json::Value;

use super::page;
use super::record::Record;
use crate::history::legs::{Change, Leg};
use crate::numbers::time;

/// Legs and changes that are shown.
const MOST: usize = 50;

/// What training from `config.toml` gives.
pub(super) fn claim(record: &Record) -> &'static str {
    match &record.legs {
        Some(legs) if legs.repeats() && !legs.repeats_all() => {
            "The same training again, bit for bit, measured with other samples, in a new folder:"
        }
        Some(legs) if legs.repeats() => "The same run again, bit for bit, in a new folder:",
        Some(_) => "A new run with the last settings of this one, which began with others:",
        None => "A new run with these settings:",
    }
}

/// Each leg with what was changed before it; nothing where there is but one.
pub(super) fn table(record: &Record) -> Markup {
    let legs = record.legs.as_ref().map_or(&[][..], |legs| legs.legs());
    if legs.len() < 2 {
        return Markup::default();
    }
    let headings = [("steps", false), ("begun", false), ("time in steps", true), ("what was changed", false)];
    let rows = html! { @for leg in legs.iter().take(MOST) { (row(leg)) } };
    html! {
        (page::table("Legs", &headings, &rows))
        @if legs.len() > MOST { p.note { "Later legs stand in legs.json." } }
    }
}

/// The value of a setting, if there was one.
fn value(value: Option<&Value>) -> String {
    value.map_or_else(|| "none".to_string(), setting_text)
}

fn row(leg: &Leg) -> Markup {
    html! {
        tr {
            th scope="row" { (thousands(leg.from)) " to " (thousands(leg.to)) }
            td { (leg.begun) }
            td.number { (time(leg.spent.seconds)) }
            td.note {
                @if leg.changes.is_empty() { "nothing" }
                @for Change { setting, before, after } in leg.changes.iter().take(MOST) {
                    div { (setting) ": " (value(before.as_ref())) " → " (value(after.as_ref())) }
                }
            }
        }
    }
}
