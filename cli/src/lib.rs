//! The command-line program: arguments, configuration files, progress, pictures and reports around the engine.
//!
//! Standard output carries results alone; progress and messages go to standard error. An error is one line that opens
//! with `error:`; the program ends with code 2 where arguments or settings are wrong, and with 1 for every other failure.
//!
//! The files stand in layers. Each folder uses only what stands below it, and only `commands` knows clap:
//!
//! ```text
//! commands                 train, sweep, sample, evaluate, config, export, bench, report, runs, info, shell: one file each
//! sweep                    many trials of settings, ranked
//! run                      training, recording, resuming; saved runs
//! report  events  animation
//! history  measures        what a run has done so far; what its generator has learned
//! job                      the other processes of a training, if there are some
//! settings                 what decides a run: configuration files, defaults, where samples come from
//! data                     samples in memory, own data
//! preset                   what is learned
//! folder                   the folder of a run and its files
//! plot  terminal
//! numbers                  numbers, counts, bytes and times as people read them
//! ```
#![forbid(unsafe_code)]

mod animation;
mod commands;
mod data;
pub mod events;
mod folder;
mod history;
pub mod hostile;
mod job;
mod measures;
mod numbers;
pub mod plot;
mod preset;
mod report;
mod run;
mod settings;
mod sweep;
mod terminal;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use commands::args::{Cli, Command};
use commands::{bench, evaluate, export, info, runs, sample, shell, template, train};
use data::address_space;
pub use job::Job;
use run::stop;
use terminal::{output, screen};

/// Exit code where all went well.
const SUCCESS: u8 = 0;
/// Exit code of wrong arguments or settings.
const USAGE: u8 = 2;
/// Exit code of every other failure.
const FAILURE: u8 = 1;

/// What a program came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code.
    pub code: u8,
    /// Whether it came to an end that the other processes of its job come to, too: it has done all that it was to do, or was stopped.
    pub together: bool,
}

/// Runs the program on the arguments of the process; returns its exit code.
pub fn main() -> ExitCode {
    ExitCode::from(run(std::env::args_os()))
}

/// Runs the program on `arguments`, of which the first is its name; returns its exit code. It listens to signals from then on, and a
/// signal may end the process.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    run_in(None, arguments).code
}

/// The same in one process of a `job`.
pub fn run_in(job: Option<Job>, arguments: impl IntoIterator<Item = OsString>) -> Ended {
    // One process tells what is not about training.
    let speaks = job.as_ref().is_none_or(Job::leads);
    let cli = match parse(arguments) {
        Ok(cli) => cli,
        Err(_) if !speaks => return DONE,
        Err(error) => return report_usage(&error),
    };
    if let Err(error) = address_space::check() {
        return finish(Err(error.into()));
    }
    let stop = match stop::Stop::listen() {
        Ok(stop) => stop,
        Err(error) => return finish(Err(error.into())),
    };
    if job.is_none() && matches!(cli.command, Command::Train(_)) {
        job::warn_of_others();
    }
    finish(match &cli.command {
        Command::Train(args) => train::command(args, &stop, job),
        _ if !speaks => Ok(()),
        Command::Sweep(args) => commands::sweep::command(args, &stop),
        Command::Sample(args) => sample::command(args),
        Command::Evaluate(args) => evaluate::command(args),
        Command::Config(args) => template::command(args),
        Command::Export(args) => export::command(args),
        Command::Bench(args) => bench::command(args),
        Command::Report(args) => commands::report::command(args),
        Command::Runs(args) => runs::command(args),
        Command::Info(args) => info::command(args),
        Command::Completions(args) => shell::completions(args),
        Command::Man(args) => shell::man(args),
    })
}

/// The command in `arguments`. On a narrow terminal what an option means stands below it.
fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    const NARROW: usize = 70;
    let is_narrow = screen::columns().is_some_and(|columns| columns < NARROW);
    let mut command = Cli::command().next_line_help(is_narrow);
    let mut matches = command.try_get_matches_from_mut(arguments.into_iter().collect::<Vec<_>>())?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// Nothing went wrong.
const DONE: Ended = Ended { code: SUCCESS, together: true };

/// Tells what went wrong, if anything did.
fn finish(outcome: anyhow::Result<()>) -> Ended {
    match outcome {
        Ok(()) => DONE,
        // The reader of our standard output (`head`, a pager) has seen enough: nothing went wrong.
        Err(error) if error.is::<output::Closed>() => DONE,
        Err(error) => {
            if let Some(stopped) = error.downcast_ref::<stop::Stopped>() {
                output::alert(&stopped.to_string());
                return Ended { code: stopped.code, together: true };
            }
            output::alert(&format!("error: {}", message(&error)));
            Ended { code: exit_code(&error), together: false }
        }
    }
}

/// What went wrong, in one line. The crate's own errors tell their causes themselves.
fn message(error: &anyhow::Error) -> String {
    let mut parts = Vec::new();
    for cause in error.chain() {
        parts.push(one_line(&cause.to_string()));
        if cause.is::<gannet::Error>() {
            break;
        }
    }
    parts.join(": ")
}

/// The exit code that an error calls for.
fn exit_code(error: &anyhow::Error) -> u8 {
    use gannet::Error::{InvalidSetting, IsaUnavailable};
    match error.downcast_ref::<gannet::Error>() {
        Some(InvalidSetting { .. } | IsaUnavailable { .. }) => USAGE,
        _ => FAILURE,
    }
}

/// Prints what `clap` has to say: help and version as they are, an error as one line.
fn report_usage(error: &clap::Error) -> Ended {
    if !error.use_stderr() {
        return finish(output::print(&error.render().to_string()));
    }
    let text = error.render().to_string();
    // `gannet` alone shows the whole help, as everybody expects of a program with commands.
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        output::alert(text.trim_end());
    } else {
        output::alert(&usage_line(&text));
    }
    Ended { code: USAGE, together: false }
}

/// One line of an error of `clap`: what is wrong, its tips, and where to read on.
fn usage_line(text: &str) -> String {
    let told: Vec<&str> =
        text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more")).collect();
    format!("{}; see --help", one_line(&told.join("\n")).replace(" tip: ", "; "))
}

/// `text` with its lines joined by single spaces.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_usage_errors_through_any_context() {
        let setting: anyhow::Error = gannet::Error::setting("batch", "0 is not positive").into();
        assert_eq!(exit_code(&setting.context("while training")), USAGE);
        assert_eq!(exit_code(&gannet::Error::data("file", "is empty").into()), FAILURE);
        assert_eq!(exit_code(&anyhow::anyhow!("anything")), FAILURE);
    }

    #[test]
    fn errors_take_one_line() {
        let text =
            "error: no '--bacth'\n\n  tip: it is '--batch'\n\nUsage: gannet\n\nFor more information, try '--help'.\n";
        assert_eq!(usage_line(text), "error: no '--bacth'; it is '--batch'; see --help");
        let source = std::io::Error::other("disk is full");
        let io = gannet::Error::Io { action: "write", path: "a.csv".into(), source };
        assert_eq!(message(&anyhow::Error::from(io).context("run")), "run: cannot write a.csv: disk is full");
    }
}
