//! `gannet sweep`: trains the trials of a file, or a part of them, and ranks them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gannet::gan::Changes;
use gannet::{Error, Result};
use serde::Serialize;

use crate::commands::args::SweepArgs;
use crate::numbers::{counted, rough_time};
use crate::run::request::Request;
use crate::run::stop::Stop;
use crate::sweep::file::Sweep;
use crate::sweep::folder::{State, SweepFolder};
use crate::sweep::run_all;
use crate::sweep::table::Table;
use crate::sweep::{page, trial};
use crate::terminal::command_lines::quoted;
use crate::terminal::output::{self, printable};

/// The folder of sweeps, if no other is named.
const SWEEPS: &str = "sweeps";
/// Trials that an error names.
const MOST_NAMED: usize = 4;

/// Runs the command.
pub(crate) fn command(args: &SweepArgs, stop: &Stop) -> anyhow::Result<()> {
    if args.quiet {
        output::be_quiet();
    }
    let sweep = Sweep::read(&args.file, args.threads)?;
    let folder = SweepFolder::open(&out(args)?, &sweep, args.part.map(|part| part.of))?;
    let own: Vec<usize> = match args.part {
        Some(part) => (0..sweep.trials.len()).skip(part.number - 1).step_by(part.of).collect(),
        None => (0..sweep.trials.len()).collect(),
    };
    if args.plan {
        return plan(args, &sweep, &folder, &own, stop);
    }
    if !args.merge {
        let pending = run_all::pending(&sweep, &own, &states(&sweep, &folder), false, stop)?;
        folder.begin(&sweep)?;
        let request = Request { changes: Changes::Refused, quiet: args.quiet, json: false, open: false, part: None };
        let go_on = format!("stopped; to go on: {}", again(args, true));
        run_all::train(&sweep, &folder, &pending, request, (stop, &go_on))?;
    }
    let states = states(&sweep, &folder);
    let table = Table::new(&sweep, &states, &own);
    if args.part.is_none() && folder.path().is_dir() {
        page::write(&folder, &sweep, &table, &again(args, false))?;
    }
    let missing: Vec<usize> = own.iter().copied().filter(|&index| !matches!(states[index], State::Done(_))).collect();
    tell(args, &sweep, &folder, &table, &own)?;
    if missing.is_empty() { Ok(()) } else { Err(missed(args, &sweep, &folder, &states, &missing)) }
}

/// The folder of the sweep.
fn out(args: &SweepArgs) -> Result<PathBuf> {
    let by_name = || {
        let stem = args.file.file_stem().ok_or_else(|| Error::setting("out", "is needed: the file has no name"))?;
        Ok(Path::new(SWEEPS).join(stem))
    };
    args.out.clone().map_or_else(by_name, Ok)
}

fn states(sweep: &Sweep, folder: &SweepFolder) -> Vec<State> {
    sweep.trials.iter().map(|trial| folder.state(&trial.name, sweep.seeds, &sweep.measure)).collect()
}

/// The command that does what is missing, with its part or without.
fn again(args: &SweepArgs, with_part: bool) -> String {
    let part = args.part.filter(|_| with_part).map(|part| format!(" --part {}/{}", part.number, part.of));
    format!("{}{}", base_command(args), part.unwrap_or_default())
}

fn base_command(args: &SweepArgs) -> String {
    let out = args.out.as_deref().map(|out| format!(" --out {}", quoted(out))).unwrap_or_default();
    format!("gannet sweep {}{out}", quoted(&args.file))
}

/// What a command prints as JSON.
#[derive(Serialize)]
struct Told<'a, T> {
    sweep: String,
    #[serde(flatten)]
    told: &'a T,
}

/// Prints the ranked trials: of a part those alone that it is of.
fn tell(args: &SweepArgs, sweep: &Sweep, folder: &SweepFolder, table: &Table<'_>, own: &[usize]) -> anyhow::Result<()> {
    let path = folder.path();
    if args.json {
        return output::print_json(&Told { sweep: path.display().to_string(), told: table });
    }
    if args.quiet {
        return Ok(());
    }
    let told = match args.part {
        Some(part) => format!(
            "part {}/{}: {} of {}; once all parts are done: {} --merge\n",
            part.number,
            part.of,
            own.len(),
            counted(sweep.trials.len() as u64, "trial"),
            base_command(args)
        ),
        None if path.is_dir() => {
            format!("table, pictures and page: {}\n", printable(&path.join(crate::folder::run_folder::REPORT)))
        }
        None => String::new(),
    };
    output::print_text(&format!("{}: {}\n\n{}\n{told}", printable(path), page::lead(sweep, table), table.text()))
}

/// The error that names what has not ended, by parts where there are some.
fn missed(args: &SweepArgs, sweep: &Sweep, folder: &SweepFolder, states: &[State], missing: &[usize]) -> anyhow::Error {
    let name = |&index: &usize| format!("{} ({})", sweep.trials[index].name, states[index].word());
    let names = |all: &[usize]| {
        let named: Vec<String> = all.iter().take(MOST_NAMED).map(name).collect();
        let more = all.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", named.join(", "))
    };
    let have = if missing.len() == 1 { "has" } else { "have" };
    let count = format!("{} of {} {have} not ended", missing.len(), counted(sweep.trials.len() as u64, "trial"));
    let Some(parts) = folder.parts().filter(|_| args.part.is_none()) else {
        return anyhow::anyhow!("{count}: {}; train them with: {}", names(missing), again(args, true));
    };
    let of_part =
        |number: usize| -> Vec<usize> { missing.iter().copied().filter(|index| index % parts + 1 == number).collect() };
    let lacking: Vec<(usize, Vec<usize>)> =
        (1..=parts).map(|number| (number, of_part(number))).filter(|(_, missing)| !missing.is_empty()).collect();
    let told = if lacking.len() > MOST_NAMED {
        // As job arrays take them: 2,5,7.
        let numbers: Vec<String> = lacking.iter().map(|(number, _)| number.to_string()).collect();
        format!("of the {parts} parts these lack some: {}", numbers.join(","))
    } else {
        let told: Vec<String> =
            lacking.iter().map(|(number, missing)| format!("part {number}/{parts} lacks {}", names(missing))).collect();
        told.join("; ")
    };
    let first = lacking.first().map_or(1, |(number, _)| *number);
    let command = base_command(args);
    anyhow::anyhow!(
        "{count}: {told}; train them with: {command} --part {first}/{parts}, or all of them with: {command}"
    )
}

/// What is to be done.
#[derive(Serialize)]
struct Plan<'a> {
    measure: &'a str,
    seeds: usize,
    trials: Vec<Planned<'a>>,
}

/// A trial of the plan.
#[derive(Serialize)]
struct Planned<'a> {
    trial: &'a str,
    settings: serde_json::Map<String, serde_json::Value>,
    state: &'static str,
}

/// Prints what is to be done, without doing it.
fn plan(args: &SweepArgs, sweep: &Sweep, folder: &SweepFolder, own: &[usize], stop: &Stop) -> anyhow::Result<()> {
    let states = states(sweep, folder);
    let pending = run_all::pending(sweep, own, &states, true, stop)?;
    if args.json {
        let planned = |&index: &usize| {
            let trial = &sweep.trials[index];
            let settings = trial.values.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
            Planned { trial: &trial.name, settings, state: states[index].word() }
        };
        let trials = own.iter().map(planned).collect();
        let plan = Plan { measure: &sweep.measure, seeds: sweep.seeds, trials };
        return output::print_json(&Told { sweep: folder.path().display().to_string(), told: &plan });
    }
    let mut header = vec!["trial".to_string()];
    header.extend(trial::short_names(sweep.varied.iter().map(String::as_str)));
    header.extend(["state", "folder"].map(str::to_string));
    let row = |&index: &usize| {
        let trial = &sweep.trials[index];
        let mut cells = vec![(index + 1).to_string()];
        cells.extend(trial.values.iter().map(|(_, value)| trial::shortened(value, 40)));
        cells.extend([states[index].word().to_string(), trial.name.clone()]);
        cells
    };
    let left: Vec<bool> = (0..header.len()).map(|column| column + 2 >= header.len()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(own.iter().map(row)).collect();
    let time = run_all::expected(sweep, &pending, stop)?
        .map(|time| {
            format!(
                "; about {}, an estimate from a few steps, without measuring and drawing",
                rough_time(time.max(Duration::from_secs(1)))
            )
        })
        .unwrap_or_default();
    let counts =
        [(own.len(), "trial"), (sweep.seeds, "seed"), (pending.len(), "trial"), (pending.len() * sweep.seeds, "run")];
    let [trials, seeds, pending, runs] = counts.map(|(count, name)| counted(count as u64, name));
    let repeated = match sweep.repeated {
        0 => String::new(),
        count => format!(" ({} had come before)", counted(count as u64, "draw")),
    };
    output::print_text(&format!(
        "{}: {trials} of {seeds}{repeated}, ranked by {}\n\n{}\nto train: {pending}, {runs}{time}\n",
        printable(folder.path()),
        sweep.measure,
        output::table(&rows, &left)
    ))
}
