//! `gannet train`: one run, or several replicas of it side by side, from the beginning or from where they stopped.

use gannet::Error;
use gannet::gan::Changes;

use super::args::TrainArgs;
use super::overrides::{from_args, override_by};
use crate::folder::run_folder;
use crate::run::begin;
use crate::run::prepared::Prepared;
use crate::run::request::{Overrides, Request};
use crate::run::resume;
use crate::run::stop::Stop;
use crate::run::weights;
use crate::terminal::output;

/// Runs the command.
pub(crate) fn command(args: &TrainArgs, stop: &Stop) -> anyhow::Result<()> {
    if args.quiet {
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
            resume::go_on(run, request, &overrides, stop)
        }
        None => new(args, request, stop),
    }
}

/// Begins new runs.
fn new(args: &TrainArgs, request: Request, stop: &Stop) -> anyhow::Result<()> {
    let config = from_args(args)?;
    if let Some(out) = &args.out {
        run_folder::check_free(out)?;
    }
    let fitted = config.fitted_discriminator();
    if let Some(fitted) = fitted.filter(|_| !args.plan) {
        output::note(&fitted);
    }
    let mut prepared = Prepared::new(config, args.replicas, args.plan, stop)?;
    weights::begin_with(&prepared.config, &mut prepared.gans)?;
    if args.plan {
        return output::print_text(&prepared.plan());
    }
    stop.ask_first();
    let (folder, starts) = begin::begin(&prepared, args.out.as_deref())?;
    prepared.train(request, &folder, starts, stop)
}
