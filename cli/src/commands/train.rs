//! `gannet train`: one run, or several replicas of it side by side, from the beginning or from where they stopped.

use gannet::gan::{Changes, Trainer};
use gannet::{Error, Result};

use super::args::TrainArgs;
use super::overrides::{from_args, override_by};
use crate::data::samples::Samples;
use crate::folder::checkpoints;
use crate::folder::run_folder::{self, RunFolder};
use crate::history::legs::{self, Legs};
use crate::history::origin::Origin;
use crate::run::prepared::{Prepared, settings_text};
use crate::run::request::{Overrides, Request};
use crate::run::resume;
use crate::run::start::Start;
use crate::run::stop::Stop;
use crate::run::weights;
use crate::settings::config::RunConfig;
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
        None => begin(args, request, stop),
    }
}

/// Begins new runs.
fn begin(args: &TrainArgs, request: Request, stop: &Stop) -> anyhow::Result<()> {
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
    let mut starts = Vec::new();
    stop.ask_first();
    let folder = RunFolder::create(args.out.as_deref(), prepared.config.preset.name(), |folder| {
        let replicas = prepared.replicated.then_some(prepared.data.len());
        prepared.each().try_for_each(|(index, config, real, trainer)| {
            let own = if prepared.replicated { folder.part(&run_folder::replica(index))? } else { folder.clone() };
            starts.push(first(&own, replicas, &config, real, trainer)?);
            Ok(())
        })
    })?;
    prepared.train(request, &folder, starts, stop)
}

/// Writes what a run has before its first step: its settings, its history, and a checkpoint that tells what it began with. From
/// then on there is always something to go on from. It is a run alone, or one of so many `replicas`.
fn first(
    folder: &RunFolder,
    replicas: Option<usize>,
    config: &RunConfig,
    real: &Samples,
    trainer: &Trainer,
) -> Result<Start> {
    let origin = Origin::new(config, real, trainer)?;
    let legs = Legs::begin(trainer, legs::settings(trainer, origin.clone().into_values()), replicas);
    legs.write(folder)?;
    let text = settings_text(config, &legs)?;
    folder.write(run_folder::CONFIG, text.as_bytes())?;
    let notes = origin.notes(text);
    let mut checkpoint = trainer.checkpoint()?;
    checkpoint.notes.clone_from(&notes);
    checkpoints::save_first(folder, &checkpoint, &config.spec)?;
    Ok(Start {
        saved: None,
        changes: Changes::Refused,
        legs,
        notes,
        begins_as_before: true,
        keeps_best: true,
        reached: 0,
        completes: None,
        ended: None,
        model: None,
    })
}
