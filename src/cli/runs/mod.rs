//! `gannet runs`: the runs below a folder at a glance.

mod entry;
mod find;
mod read;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::SystemTime;

use indicatif::HumanDuration;

use super::args::{RunStatus, RunsArgs, SortBy};
use super::goal;
use super::nearest::suggestion;
use super::output;
use super::plot::thousands;
use super::system::System;
use crate::error::{Error, Result};
use entry::Entry;

/// Runs the command.
pub(crate) fn command(args: &RunsArgs) -> anyhow::Result<()> {
    for name in &args.preset {
        check_system(name)?;
    }
    let now = SystemTime::now();
    let found = find::runs(&args.folder, args.each)?;
    // The defaults of a system are asked for once, not once a run.
    let mut defaults = BTreeMap::new();
    let entries = found.iter().map(|found| Entry::read(found, &args.folder, now, &mut defaults));
    let mut entries: Vec<Entry> = entries.filter(|entry| is_wanted(entry, args)).collect();
    entries.sort_by(|a, b| compare(a, b, args.sort).then_with(|| a.name.cmp(&b.name)));
    if args.reverse {
        entries.reverse();
    }
    if args.json {
        return output::print_json(&entries);
    }
    if entries.is_empty() {
        output::note(&format!("no such runs in {}", args.folder.display()));
        return Ok(());
    }
    let left = [true, true, true, false, true, true, false, true];
    let header = ["run", "preset", "status", "steps", "measure", "verdict", "age", "settings that differ"];
    let rows = std::iter::once(header.map(str::to_string).to_vec()).chain(entries.iter().map(row));
    output::print_text(&output::table(&rows.collect::<Vec<_>>(), &left))
}

/// Refuses a system that there is none of.
fn check_system(name: &str) -> Result<()> {
    if System::names().any(|known| known == name) {
        return Ok(());
    }
    let names: Vec<&str> = System::names().collect();
    let hint = suggestion(name, names.iter().copied());
    Err(Error::setting("preset", format!("`{name}` is unknown{hint} (known: {})", names.join(", "))))
}

fn is_wanted(entry: &Entry, args: &RunsArgs) -> bool {
    let has_verdict =
        |text: &String| entry.verdict.as_ref().is_some_and(|found| found.to_lowercase().contains(&text.to_lowercase()));
    (args.preset.is_empty() || args.preset.contains(&entry.system))
        && (args.status.is_empty() || args.status.contains(&entry.status))
        && args.verdict.as_ref().is_none_or(has_verdict)
}

/// The order of two runs; those that lack what they are sorted by come last.
fn compare(a: &Entry, b: &Entry, by: SortBy) -> Ordering {
    let known = |a: bool, b: bool| b.cmp(&a);
    match by {
        SortBy::Name => Ordering::Equal,
        SortBy::Age => known(a.age_seconds.is_some(), b.age_seconds.is_some())
            .then(a.age_seconds.unwrap_or(0.0).total_cmp(&b.age_seconds.unwrap_or(0.0))),
        SortBy::Steps => b.steps.cmp(&a.steps),
        SortBy::Status => a.status.cmp(&b.status),
        SortBy::Measure => match (&a.measure, &b.measure) {
            (Some(one), Some(two)) => {
                let better = |x: f64, y: f64| goal::is_better(&one.name, x, y);
                let value = match (better(one.value, two.value), better(two.value, one.value)) {
                    (true, _) => Ordering::Less,
                    (_, true) => Ordering::Greater,
                    _ => known(!one.value.is_nan(), !two.value.is_nan()),
                };
                a.system.cmp(&b.system).then(one.name.cmp(&two.name)).then(value)
            }
            (one, two) => known(one.is_some(), two.is_some()),
        },
    }
}

/// The line of a run.
fn row(entry: &Entry) -> Vec<String> {
    let steps = match (entry.steps, entry.planned_steps) {
        (Some(done), Some(all)) if done != all => format!("{}/{}", thousands(done), thousands(all)),
        (Some(done), _) => thousands(done),
        (None, _) => String::new(),
    };
    let measure = entry.measure.as_ref().map(entry::Measured::text).unwrap_or_default();
    let age = entry.age_seconds.map(|seconds| {
        let age = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
        format!("{:#}", HumanDuration(age))
    });
    let mut last: Vec<String> = entry.replicas.map(|count| format!("{count} replicas")).into_iter().collect();
    last.extend(entry.settings.iter().map(|(name, value)| format!("{name}={value}")));
    last.extend(entry.problem.iter().map(|problem| format!("({problem})")));
    vec![
        entry.name.clone(),
        entry.system.clone(),
        status_name(entry.status).to_string(),
        steps,
        measure,
        entry.verdict.clone().unwrap_or_default(),
        age.unwrap_or_default(),
        last.join(" "),
    ]
}

fn status_name(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Running => "running",
        RunStatus::Finished => "finished",
        RunStatus::Stopped => "stopped",
        RunStatus::Failed => "failed",
        RunStatus::Interrupted => "interrupted",
        RunStatus::Broken => "broken",
    }
}
