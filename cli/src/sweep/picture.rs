//! The pictures of a sweep: a strip for each trial, the best first; and for each setting a strip for each of its values.

use gannet::Result;

use crate::measures::spread::quantile;
use crate::plot::{Heading, Strip, StripPanel, strips};
use crate::sweep::table::{Row, Table};
use crate::sweep::trial::{short_names, shortened};

/// Strips of a setting at most: more values are put together in so many groups of neighbors.
const MOST_GROUPS: usize = 12;
/// Trials of the picture at most.
const MOST_TRIALS: usize = 60;

/// A strip to be drawn.
struct Drawn {
    label: String,
    values: Vec<f64>,
    quartiles: [f64; 3],
    note: String,
}

impl Drawn {
    fn strip(&self) -> Strip<'_> {
        Strip { label: &self.label, values: &self.values, quartiles: self.quartiles, note: &self.note }
    }
}

/// The trials as a PNG file.
///
/// # Errors
///
/// What drawing reports.
pub(crate) fn trials(table: &Table<'_>, title: &str) -> Result<Vec<u8>> {
    let all = ended(table).count();
    let drawn: Vec<Drawn> = ended(table).take(MOST_TRIALS).map(trial).collect();
    let strips: Vec<Strip<'_>> = drawn.iter().map(Drawn::strip).collect();
    let subtitle = match all {
        all if all > MOST_TRIALS => format!("the best {MOST_TRIALS} of {all} trials, the best first"),
        _ => "the trials, the best first".to_string(),
    };
    draw(title, &subtitle, &[StripPanel { title: table.words(), strips: &strips }])
}

/// What each setting does, with all values of the others together, as a PNG file.
///
/// # Errors
///
/// What drawing reports.
pub(crate) fn settings(table: &Table<'_>, title: &str) -> Result<Vec<u8>> {
    let names: Vec<&str> =
        table.trials.first().map_or(Vec::new(), |row| row.trial.values.iter().map(|(name, _)| name.as_str()).collect());
    let drawn: Vec<Vec<Drawn>> = (0..names.len()).map(|axis| of_setting(table, axis)).collect();
    let rows: Vec<Vec<Strip<'_>>> = drawn.iter().map(|drawn| drawn.iter().map(Drawn::strip).collect()).collect();
    let titles: Vec<String> =
        short_names(names.iter().copied()).iter().map(|name| format!("{} by {name}", table.words())).collect();
    let panels: Vec<StripPanel<'_>> =
        titles.iter().zip(&rows).map(|(title, strips)| StripPanel { title, strips }).collect();
    draw(title, "all runs with a value of a setting together, whatever the others are", &panels)
}

fn draw(title: &str, subtitle: &str, panels: &[StripPanel<'_>]) -> Result<Vec<u8>> {
    strips(Heading { title, subtitle }, panels)?.to_png()
}

fn ended<'a>(table: &'a Table<'_>) -> impl Iterator<Item = &'a Row<'a>> {
    table.trials.iter().filter(|row| row.spread.is_some())
}

/// The strip of a trial that has ended.
fn trial(row: &Row<'_>) -> Drawn {
    let quartiles = row.spread.map(|spread| [spread.first_quartile, spread.median, spread.third_quartile]);
    Drawn {
        label: row.trial.label(),
        values: row.values.iter().copied().flatten().collect(),
        quartiles: quartiles.unwrap_or([f64::NAN; 3]),
        note: failed(&row.values),
    }
}

/// How many runs failed, if any did.
fn failed(values: &[Option<f64>]) -> String {
    match values.iter().filter(|value| value.is_none()).count() {
        0 => String::new(),
        count => format!("{count} failed"),
    }
}

/// A strip for each value of the setting at the place `axis`, or for neighbors together where there are many.
fn of_setting(table: &Table<'_>, axis: usize) -> Vec<Drawn> {
    let mut rows: Vec<(&str, &[Option<f64>])> =
        ended(table).filter_map(|row| Some((row.trial.values.get(axis)?.1.as_str(), row.values.as_slice()))).collect();
    let number = |text: &str| text.parse::<f64>().ok();
    rows.sort_by(|(one, _), (two, _)| match (number(one), number(two)) {
        (Some(one), Some(two)) => one.total_cmp(&two),
        _ => one.cmp(two),
    });
    let mut groups: Vec<(String, Vec<Option<f64>>)> = Vec::new();
    for (value, values) in rows {
        match groups.last_mut() {
            Some((last, all)) if last == value => all.extend(values),
            _ => groups.push((value.to_string(), values.to_vec())),
        }
    }
    let together = groups.len().div_ceil(MOST_GROUPS).max(1);
    let drawn = |group: &[(String, Vec<Option<f64>>)]| {
        let all: Vec<Option<f64>> = group.iter().flat_map(|(_, values)| values.iter().copied()).collect();
        let mut known: Vec<f64> = all.iter().copied().flatten().collect();
        known.sort_by(f64::total_cmp);
        let label = match group {
            [(first, _), .., (last, _)] => format!("{} to {}", shortened(first, 30), shortened(last, 30)),
            [(only, _)] => shortened(only, 60),
            [] => String::new(),
        };
        let quartiles = [0.25, 0.5, 0.75].map(|share| quantile(&known, share));
        Drawn { label, values: known, quartiles, note: failed(&all) }
    };
    groups.chunks(together).map(drawn).collect()
}
