//! New runs: their folder, with all that a run has before its first step.

use std::path::Path;

use gannet::Result;
use gannet::gan::{Changes, Trainer};

use crate::data::codec_file;
use crate::data::own::OwnData;
use crate::data::samples::Samples;
use crate::folder::checkpoints;
use crate::folder::run_folder::{self, RunFolder};
use crate::history::legs::{self, Legs};
use crate::history::origin::Origin;
use crate::run::prepared::{Prepared, settings_text};
use crate::run::start::Start;
use crate::settings::config::RunConfig;

/// Makes the folder of the runs that are `prepared`: `out`, which must not exist, or without it the next free one of the preset.
///
/// # Errors
///
/// What [`RunFolder::create`] reports.
pub(crate) fn begin(prepared: &Prepared, out: Option<&Path>) -> Result<(RunFolder, Vec<Start>)> {
    let mut starts = Vec::new();
    let folder = RunFolder::create(out, prepared.config.preset.name(), |folder| {
        let replicas = prepared.replicated.then_some(prepared.data.len());
        prepared.each().try_for_each(|(index, config, real, trainer)| {
            let own = if prepared.replicated { folder.part(&run_folder::replica(index))? } else { folder.clone() };
            starts.push(first(&own, replicas, &config, real, trainer)?);
            Ok(())
        })
    })?;
    Ok((folder, starts))
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
    codec_file::write(folder, config.own.as_ref().and_then(OwnData::fitted).as_ref())?;
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
