//! `gannet train --resume`: goes on with a run, or with replicas, from the last checkpoint of each.
//!
//! Nothing that exists gives way to something earlier: without a checkpoint there is nothing to go on from, even if the run could
//! be made again. Only `--override` leaves a course, and then nothing later than the checkpoint stays.

use std::path::{Path, PathBuf};

use super::args::TrainArgs;
use super::checkpoints;
use super::command_lines::quoted;
use super::config::RunConfig;
use super::course;
use super::end::{self, End, SavedModel};
use super::legs::{self, Legs};
use super::line_file;
use super::origin::Origin;
use super::output::note;
use super::plot::thousands;
use super::replicas;
use super::report;
use super::run_folder::{ANIMATION, CONFIG, LOSSES, METRICS, MODEL, RunFolder, SAMPLES, no_run, refused};
use super::schedule::Schedule;
use super::start::Start;
use super::stop::Stop;
use super::train::{Prepared, config_text};
use super::weights;
use crate::error::Error;
use crate::gan::{Changes, Checkpoint};

/// A run that is to go on: its folder, its last checkpoint, what it began with, its history so far, and the last step that it did.
struct Found {
    folder: PathBuf,
    checkpoint: Checkpoint,
    origin: Origin,
    /// Whether the parameters that it began with can still be had.
    begins_as_before: bool,
    legs: Legs,
    reached: u64,
    /// What its `run.json` tells, and the model in its folder.
    end: Option<End>,
    model: Option<SavedModel>,
}

/// Runs the command on the folder `path`.
pub(crate) fn command(args: &TrainArgs, path: &Path, stop: &Stop) -> anyhow::Result<()> {
    std::fs::metadata(path).map_err(refused("read", path))?;
    let replicated = path.join(replicas::folder(0)).is_dir();
    let first = if replicated { path.join(replicas::folder(0)) } else { path.to_path_buf() };
    if !first.join(CONFIG).is_file() {
        return Err(no_run(path).into());
    }
    let folder = RunFolder::open(path)?;
    let before = RunConfig::read(&first.join(CONFIG))?;
    let mut config = RunConfig::read_with(
        &first.join(CONFIG),
        args.data.as_deref().filter(|_| before.own.is_some()),
        args.memory_limit,
    )?;
    config.override_by(args)?;
    // A replica's own share of the threads is one.
    if replicated && args.threads.is_none() {
        config.threads = 0;
    }
    config.validate()?;
    let count = replicated.then(|| (0..).take_while(|&index| path.join(replicas::folder(index)).is_dir()).count());
    let mut prepared = Prepared::new(config, count, false, stop)?;
    let changes = if args.changes_allowed { Changes::Allowed } else { Changes::Refused };
    let found = find(&mut prepared, path, changes)?;
    let first = Schedule::new(
        &prepared.config,
        prepared.steps,
        prepared.data[0].source().len() as u64,
        Some(&found[0].checkpoint),
    );
    prepared.steps = first.steps;
    let done = found.iter().map(|run| run.checkpoint.step()).max().unwrap_or(0);
    let reached = found.iter().map(|run| run.reached).max().unwrap_or(0);
    let least = if changes == Changes::Allowed { done } else { done.max(reached) };
    if least > prepared.steps {
        let problem =
            format!("the run has done {least} steps already; ask for more than that, not for {}", prepared.steps);
        return Err(Error::setting("steps", problem).into());
    }
    let is_done = found.iter().all(|run| run.checkpoint.step() == prepared.steps);
    let has_result = !replicated || end::of_all(path, prepared.steps);
    if is_done && has_result && found.iter().all(Found::is_complete) {
        // A process that was killed at its very end leaves pages that still wait for it.
        let parts = found.iter().map(|run| run.folder.as_path());
        parts.chain(replicated.then_some(path)).try_for_each(report::write)?;
        note(&format!("{} has all its {} steps; to go on, ask for more", path.display(), thousands(done)));
        return Ok(());
    }
    stop.ask_first();
    let mut starts = Vec::new();
    for ((_, config, _, trainer), mut run) in prepared.each().zip(found) {
        let step = run.checkpoint.step();
        run.legs.go_on(step, trainer, legs::settings(trainer, run.origin.clone().into_values()));
        run.legs.set_reached(if changes == Changes::Allowed { step } else { run.reached });
        starts.push(Start {
            notes: run.origin.notes(config_text(&config, &run.legs)?),
            saved: Some(run.checkpoint),
            changes,
            legs: run.legs,
            begins_as_before: run.begins_as_before,
            keeps_best: before.best == config.best,
            reached: run.reached,
            ended: run.end.as_ref().and_then(End::steps),
            model: run.model,
        });
    }
    prepared.train(args, &folder, starts, stop)
}

/// What there is to go on from: of each run the last checkpoint, which must be one of these settings and data, unless `changes`
/// are allowed. The trainers get the parameters that the runs began with.
fn find(prepared: &mut Prepared, path: &Path, changes: Changes) -> anyhow::Result<Vec<Found>> {
    let mut begun = Some(weights::begin_with(&prepared.config, &mut prepared.gans));
    let mut found = Vec::new();
    for (index, config, real, trainer) in prepared.each() {
        let folder = if prepared.replicated { path.join(replicas::folder(index)) } else { path.to_path_buf() };
        let checkpoint = checkpoints::last(&folder, &config.spec)?.ok_or_else(|| nothing_saved(&folder))?;
        trainer.check(&checkpoint, changes)?;
        let mut origin = Origin::new(&config, real, trainer)?;
        let has_weights = begun.as_ref().is_none_or(|begun| begun.is_ok());
        if changes == Changes::Refused {
            begun.take().unwrap_or(Ok(())).map_err(|error| missing_weights(&error))?;
            origin.check(&checkpoint.notes, &config)?;
        } else if !has_weights {
            origin = origin.with_parameters_of(&checkpoint.notes);
        }
        let begins_as_before = has_weights && origin.has_parameters_of(&checkpoint.notes);
        let legs = Legs::read(&folder)?.unwrap_or_else(|| Legs::unknown(checkpoint.step()));
        // A run that was killed has rows of steps after its last checkpoint.
        let end = End::read(&folder);
        let ended = end.as_ref().and_then(End::steps).unwrap_or(0);
        let reached = ended.max(legs.reached()).max(checkpoint.step());
        let reached = reached.max(line_file::last_step(&folder.join(METRICS))?);
        let model = SavedModel::read(&folder, &config.spec, end.as_ref(), Some(&checkpoint));
        found.push(Found { folder, checkpoint, origin, begins_as_before, legs, reached, end, model });
    }
    Ok(found)
}

/// There is no checkpoint in the run `folder`.
fn nothing_saved(folder: &Path) -> Error {
    let config = folder.join(CONFIG);
    let problem = format!(
        "has no checkpoint to go on from, and is left as it is; put its checkpoints back, or begin a new run with: gannet train {}",
        quoted(&config)
    );
    Error::data(folder.display().to_string(), problem)
}

/// The weights that the run began with cannot be had.
fn missing_weights(error: &Error) -> Error {
    let problem = format!(
        "the run began with weights that cannot be read ({error}); put them back, or go on without them with --override"
    );
    Error::setting("run.weights", problem)
}

impl Found {
    /// Whether the run has ended, and has all that it leaves but its page, which is cheap to make again.
    fn is_complete(&self) -> bool {
        let last = course::picture_name(self.checkpoint.step());
        self.end.as_ref().is_some_and(|end| {
            end.is_finished()
                && end.steps() == Some(self.checkpoint.step())
                && ["discriminator_loss", "generator_loss"].iter().all(|name| end.has_number(name))
        }) && [MODEL, SAMPLES, LOSSES, ANIMATION, &last].iter().all(|name| self.folder.join(name).is_file())
    }
}
