//! `gannet runs`: the runs below a folder at a glance.

mod entry;
mod find;
mod read;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::SystemTime;

use entry::Entry;
use gannet::internals::numbers::thousands;
use gannet::{Error, Result};

use crate::commands::args::{RunStatus, RunsArgs, SortBy};
use crate::numbers::{counted_replicas, short_time};
use crate::preset::Preset;
use crate::preset::goal;
use crate::terminal::output;
use crate::terminal::screen;
use gannet_settings::nearest::suggestion;

/// Runs the command.
pub(crate) fn command(args: &RunsArgs) -> anyhow::Result<()> {
    for name in &args.preset {
        check_preset(name)?;
    }
    let now = SystemTime::now();
    let found = find::runs(&args.folder, args.each)?;
    // The defaults of a preset are asked for once, not once a run.
    let mut defaults = BTreeMap::new();
    let entries = found.iter().map(|found| Entry::read(found, &args.folder, now, &mut defaults));
    let mut entries: Vec<Entry> = entries.collect();
    let all = entries.len();
    entries.retain(|entry| is_wanted(entry, args));
    entries.sort_by(|a, b| compare(a, b, args.sort).then_with(|| a.name.cmp(&b.name)));
    if args.reverse {
        entries.reverse();
    }
    if args.json {
        return output::print_json(&entries);
    }
    if entries.is_empty() {
        let folder = output::printable(&args.folder);
        output::note(&match all {
            0 => format!("there are no runs in {folder} yet; gannet train PRESET makes one in runs"),
            1 => format!("the one run in {folder} is not such a one"),
            _ => format!("none of the {all} runs in {folder} is such a one"),
        });
        return Ok(());
    }
    output::print(&listing(&entries, screen::columns()))
}

/// The names of the columns, and which of them are flush left.
const HEADER: [&str; 8] = ["run", "preset", "status", "steps", "age", "measure", "verdict", "settings that differ"];
const LEFT: [bool; 8] = [true, true, true, false, false, true, true, true];
/// Columns that stand in the first line of a run where there is no room for all in one.
const SHORT: usize = 5;

/// All runs: a line each, or, where lines are at most `columns` characters and too short for that, a line with what is short and
/// the rest below it.
fn listing(entries: &[Entry], columns: Option<usize>) -> String {
    let header = HEADER.map(str::to_string).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(entries.iter().map(row)).collect();
    let fits = |text: &str| columns.is_none_or(|columns| text.lines().all(|line| line.chars().count() <= columns));
    let whole = output::table_within(&rows, &LEFT, None);
    if fits(&whole) {
        return whole;
    }
    let heads: Vec<Vec<String>> = rows.iter().map(|row| row[..SHORT].to_vec()).collect();
    let table = output::table_within(&heads, &LEFT, None);
    // Not even these: then the cells stand one after another.
    let joined = || heads[1..].iter().map(|cells| cells.join("  ")).collect::<Vec<_>>();
    let lines: Vec<String> = if fits(&table) {
        table.lines().map(str::to_string).collect()
    } else {
        std::iter::once(String::new()).chain(joined()).collect()
    };
    let mut text = String::new();
    for (index, (line, row)) in lines.iter().zip(&rows).enumerate() {
        let details: Vec<&str> = row[SHORT..].iter().map(String::as_str).filter(|cell| !cell.is_empty()).collect();
        let details = Some(format!("    {}", details.join("  "))).filter(|_| index > 0);
        for line in Some(line.clone()).filter(|line| !line.is_empty()).into_iter().chain(details) {
            text += &screen::wrap(&line, columns);
            text.push('\n');
        }
    }
    text
}

/// Refuses a preset that there is none of.
fn check_preset(name: &str) -> Result<()> {
    if Preset::names().any(|known| known == name) {
        return Ok(());
    }
    let names: Vec<&str> = Preset::names().collect();
    let hint = suggestion(name, names.iter().copied());
    Err(Error::setting("preset", format!("`{name}` is unknown{hint} (known: {})", names.join(", "))))
}

fn is_wanted(entry: &Entry, args: &RunsArgs) -> bool {
    let has_verdict =
        |text: &String| entry.verdict.as_ref().is_some_and(|found| found.to_lowercase().contains(&text.to_lowercase()));
    (args.preset.is_empty() || args.preset.contains(&entry.preset))
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
                a.preset.cmp(&b.preset).then(one.name.cmp(&two.name)).then(value)
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
    let age = entry
        .age_seconds
        .map(|seconds| short_time(std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default()));
    let replicas = entry.replicas.map(|count| match entry.lost_replicas.len() {
        0 => counted_replicas(count),
        lost => format!("{} of {}", count.saturating_sub(lost), counted_replicas(count)),
    });
    let mut last: Vec<String> = replicas.into_iter().collect();
    last.extend(entry.settings.iter().map(|(name, value)| format!("{name}={value}")));
    last.extend(entry.problem.iter().map(|problem| format!("({problem})")));
    vec![
        output::one_line(&entry.name).into_owned(),
        entry.preset.clone(),
        status_name(entry.status).to_string(),
        steps,
        age.unwrap_or_default(),
        measure,
        entry.verdict.clone().unwrap_or_default(),
        output::one_line(&last.join(" ")).into_owned(),
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
