//! `gannet train`: one run, or several replicas of it side by side, from the beginning or from where they stopped.

use gannet::gan::{Changes, Trainer};
use gannet::{Error, Result};

use super::args::TrainArgs;
use super::checkpoints;
use super::config::RunConfig;
use super::config_source;
use super::legs::{self, Legs};
use super::origin::Origin;
use super::output;
use super::prepared::{Prepared, settings_text};
use super::resume;
use super::run_folder::{self, RunFolder};
use super::samples::Samples;
use super::start::Start;
use super::stop::Stop;
use super::weights;

/// Runs the command.
pub(crate) fn command(args: &TrainArgs, stop: &Stop) -> anyhow::Result<()> {
    if args.quiet {
        output::be_quiet();
    }
    if args.changes_allowed && args.resume.is_none() {
        return Err(Error::setting("override", "is for a run that goes on; give --resume RUN too").into());
    }
    match &args.resume {
        Some(run) => resume::command(args, run, stop),
        None => begin(args, stop),
    }
}

/// Begins new runs.
fn begin(args: &TrainArgs, stop: &Stop) -> anyhow::Result<()> {
    let config = config_source::from_args(args)?;
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
    prepared.train(args, &folder, starts, stop)
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
