//! `gannet train`: one run, or several replicas of it side by side, from the beginning or from where they stopped.

use std::path::Path;

use gannet::Error;
use gannet::gan::Changes;

use super::args::TrainArgs;
use super::overrides::{from_args, override_by};
use crate::folder::contents::is_standard_input;
use crate::folder::run_folder;
use crate::job::Job;
use crate::run::begin;
use crate::run::prepared::Prepared;
use crate::run::request::{Overrides, Request};
use crate::run::resume;
use crate::run::stop::Stop;
use crate::run::weights;
use crate::terminal::output;

/// Runs the command.
pub(crate) fn command(args: &TrainArgs, stop: &Stop, job: Option<Job>) -> anyhow::Result<()> {
    if job.is_some() && args.replicas.is_some() {
        let problem = "replicas need nothing of each other: train each in a job of its own, or a sweep in parts";
        return Err(Error::setting("replicas", problem).into());
    }
    let is_piped = is_standard_input(Path::new(&args.what)) || args.data.as_deref().is_some_and(is_standard_input);
    if job.is_some() && is_piped {
        let problem = "each process of a job reads the data itself, and standard input reaches one of them at most; save it to a file, and give that";
        return Err(Error::setting("data", problem).into());
    }
    let leads = job.as_ref().is_none_or(Job::leads);
    if args.plan && !leads {
        return Ok(());
    }
    if args.quiet || !leads {
        output::be_quiet();
    }
    if args.changes_allowed && args.resume.is_none() {
        return Err(Error::setting("override", "is for a run that goes on; give --resume RUN too").into());
    }
    let request = Request {
        changes: if args.changes_allowed { Changes::Allowed } else { Changes::Refused },
        quiet: args.quiet,
        json: args.json,
        open: args.open,
        part: None,
    };
    match &args.resume {
        Some(run) => {
            let overrides = Overrides {
                data: args.data.as_deref(),
                memory_limit: args.settings.memory_limit(),
                has_threads: args.settings.get("threads").is_some(),
                apply: &|config| override_by(config, args),
            };
            resume::go_on(run, request, &overrides, stop, job)
        }
        None => new(args, request, stop, job),
    }
}

/// Begins new runs.
fn new(args: &TrainArgs, request: Request, stop: &Stop, job: Option<Job>) -> anyhow::Result<()> {
    let config = from_args(args)?;
    let leads = job.as_ref().is_none_or(Job::leads);
    if let Some(out) = args.out.as_ref().filter(|_| leads) {
        run_folder::check_free(out)?;
    }
    let fitted = config.fitted_discriminator();
    if let Some(fitted) = fitted.filter(|_| !args.plan) {
        output::note(&fitted);
    }
    if args.plan {
        let table = job.map(|job| job.table(&config)).transpose()?;
        let mut prepared = Prepared::new(config, args.replicas, true, stop, None)?;
        weights::begin_with(&prepared.config, &mut prepared.gans)?;
        let plan = prepared.plan();
        let of_one = "the plan above is that of a process that is alone; of these, each has its share of the work:";
        return output::print_text(&table.map_or(plan.clone(), |table| format!("{plan}\n{of_one}\n{table}\n")));
    }
    let mut prepared = Prepared::new(config, args.replicas, false, stop, job)?;
    if !leads {
        return prepared.follow(stop);
    }
    weights::begin_with(&prepared.config, &mut prepared.gans)?;
    stop.ask_first();
    let (folder, starts) = begin::begin(&prepared, args.out.as_deref())?;
    prepared.train(request, &folder, starts, stop)
}
