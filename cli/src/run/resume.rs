//! `gannet train --resume`: goes on with a run, or with replicas, from the last checkpoint of each.
//!
//! Nothing that exists gives way to something earlier: without a checkpoint there is nothing to go on from, even if the run could
//! be made again. Only `--override` leaves a course, and then nothing later than the checkpoint stays.

use std::path::{Path, PathBuf};

use gannet::Error;
use gannet::gan::{Changes, Checkpoint};
use gannet::internals::engine::{self, CHANGED_SETTINGS};
use gannet::internals::numbers::thousands;

use crate::folder::checkpoints;
use crate::folder::course;
use crate::folder::line_file;
use crate::folder::run_folder::{
    ANIMATION, CONFIG, EVALUATION, LEGS, LOSSES, METRICS, MODEL, REPORT, RESULT, RunFolder, SAMPLES, no_run, refused,
    replica, replicas,
};
use crate::history::end::{self, End, SavedModel};
use crate::history::legs::{self, Legs};
use crate::history::lost_replicas;
use crate::history::origin::Origin;
use crate::job::Job;
use crate::measures::best::EarlyStop;
use crate::numbers::{counted, counted_replicas};
use crate::report;
use crate::run::prepared::{Prepared, settings_text};
use crate::run::request::{Overrides, Request};
use crate::run::schedule::Schedule;
use crate::run::start::Start;
use crate::run::stop::Stop;
use crate::run::weights;
use crate::settings::config::RunConfig;
use crate::settings::config_source;
use crate::terminal::command_lines::quoted;
use crate::terminal::output::{alert, note, printable};

/// A run that is to go on: its folder, its last checkpoint, what it began with, its history so far, and the last step that it did.
struct Found {
    folder: PathBuf,
    checkpoint: Checkpoint,
    origin: Origin,
    /// Whether the parameters that it began with can still be had.
    begins_as_before: bool,
    legs: Legs,
    /// Whether its history was not in its folder.
    has_lost_history: bool,
    reached: u64,
    /// What its `run.json` tells, and the model in its folder.
    end: Option<End>,
    model: Option<SavedModel>,
}

/// Goes on with the run or the replicas in the folder `path`.
pub(crate) fn go_on(
    path: &Path,
    request: Request,
    overrides: &Overrides<'_>,
    stop: &Stop,
    job: Option<Job>,
) -> anyhow::Result<()> {
    if job.as_ref().is_some_and(|job| !job.leads()) {
        return prepare(path, overrides, stop, job)?.prepared.follow(stop);
    }
    match ready_in_job(path, request.changes, overrides, stop, job)? {
        Some(Ready { prepared, folder, starts }) => prepared.train(request, &folder, starts, stop),
        None => Ok(()),
    }
}

/// Runs that are ready to go on.
pub(crate) struct Ready {
    pub(crate) prepared: Prepared,
    pub(crate) folder: RunFolder,
    pub(crate) starts: Vec<Start>,
}

/// Makes the run or the replicas in the folder `path` ready to go on; `None` where they have ended, and nothing is missing.
///
/// # Errors
///
/// What cannot go on, with the reason; its folder is as it was.
pub(crate) fn ready(
    path: &Path,
    changes: Changes,
    overrides: &Overrides<'_>,
    stop: &Stop,
) -> anyhow::Result<Option<Ready>> {
    ready_in_job(path, changes, overrides, stop, None)
}

/// Settings, data and trainers of what is in the folder `path`.
struct Loaded {
    prepared: Prepared,
    /// The settings that the run, or its first replica, had before.
    before: RunConfig,
    replicated: bool,
    /// The folder, which the leader of a job has to itself.
    folder: Option<RunFolder>,
}

/// Loads what is in the folder `path`.
fn prepare(path: &Path, overrides: &Overrides<'_>, stop: &Stop, job: Option<Job>) -> anyhow::Result<Loaded> {
    std::fs::metadata(path).map_err(refused("read", path))?;
    let numbers = replicas(path);
    let lost = lost_replicas::names(path);
    let has_replicas = !numbers.is_empty() || !lost.is_empty();
    let replicated = numbers.first() == Some(&0) || (has_replicas && !path.join(CONFIG).is_file());
    if replicated {
        check_replicas(path, &numbers, &lost)?;
    }
    let first = if replicated { path.join(replica(0)) } else { path.to_path_buf() };
    if !first.join(CONFIG).is_file() {
        return Err(no_run(&first).into());
    }
    let leads = job.as_ref().is_none_or(Job::leads);
    let folder = leads.then(|| RunFolder::open(path)).transpose()?;
    let before = config_source::read(&first.join(CONFIG))?;
    let mut config = config_source::read_with(
        &first.join(CONFIG),
        overrides.data.filter(|_| before.own.is_some()),
        overrides.memory_limit,
    )?;
    (overrides.apply)(&mut config)?;
    config.derivation = Legs::derivation(Legs::read(&first)?.as_ref());
    // A replica's own share of the threads is one, and that of a process of a job depends on the others.
    if (replicated || job.is_some()) && !overrides.has_threads {
        config.threads = 0;
    }
    config.validate()?;
    if job.is_some() && replicated {
        let problem = "replicas need nothing of each other: go on with each in a job of its own";
        return Err(Error::setting("replicas", problem).into());
    }
    let prepared = Prepared::new(config, replicated.then_some(numbers.len()), false, stop, job)?;
    Ok(Loaded { prepared, folder, before, replicated })
}

/// [`ready`], with the other processes of a job, which follow.
fn ready_in_job(
    path: &Path,
    changes: Changes,
    overrides: &Overrides<'_>,
    stop: &Stop,
    job: Option<Job>,
) -> anyhow::Result<Option<Ready>> {
    let Loaded { mut prepared, before, replicated, folder } = prepare(path, overrides, stop, job)?;
    let folder = folder.map_or_else(|| RunFolder::open(path), Ok)?;
    let found = find(&mut prepared, path, changes)?;
    let first =
        Schedule::new(&prepared.config, prepared.steps, prepared.data[0].len() as u64, Some(&found[0].checkpoint));
    prepared.steps = first.steps;
    let done = found.iter().map(|run| run.checkpoint.step()).max().unwrap_or(0);
    let reached = found.iter().map(|run| run.reached).max().unwrap_or(0);
    let least = if changes == Changes::Allowed { done } else { done.max(reached) };
    if least > prepared.steps {
        let problem = if replicated {
            further(path, &found, least, prepared.steps)
        } else {
            let kept =
                if done < least { format!(" (its checkpoint is of step {})", thousands(done)) } else { String::new() };
            let done = counted(least, "step");
            format!("the run has done {done} already{kept}; ask for more than that, not for {}", prepared.steps)
        };
        return Err(Error::setting("steps", problem).into());
    }
    let is_done = found.iter().all(|run| run.checkpoint.step() == prepared.steps);
    let has_result = !replicated || end::is_of_all(path, found.len(), prepared.steps);
    for run in &found {
        run.tell_lost(run.checkpoint.step() == prepared.steps)?;
    }
    let missing: Vec<Vec<String>> = found.iter().map(Found::missing).collect::<Result<_, _>>()?;
    if is_done {
        let all = format!("{} has all its {}", printable(path), counted(done, "step"));
        if has_result && missing.iter().all(Vec::is_empty) {
            // A process that was killed at its very end leaves pages that still wait for it.
            let folders = || found.iter().map(|run| run.folder.as_path()).chain(replicated.then_some(path));
            let had_pages = folders().all(|folder| folder.join(REPORT).is_file());
            folders().try_for_each(report::write)?;
            let page = if had_pages { String::new() } else { format!("; {REPORT} was missing and is written again") };
            note(&format!("{all}{page}; to go on, ask for more"));
            prepared.dismiss();
            return Ok(None);
        }
        let mut names: Vec<&str> = missing.iter().flatten().map(String::as_str).collect();
        if !has_result {
            names.push(RESULT);
        }
        names.sort_unstable();
        names.dedup();
        note(&format!("{all}; writing what is missing: {}", names.join(", ")));
    }
    let patience = prepared.config.patience;
    let early: Vec<_> = found.iter().map(|run| run.stopped_early(patience)).collect();
    let ended = |(run, early): (&Found, &Option<EarlyStop>)| early.is_some() || run.checkpoint.step() == prepared.steps;
    if let Some(told) = early.iter().flatten().next()
        && found.iter().zip(&early).all(ended)
        && missing.iter().all(Vec::is_empty)
    {
        let ended = match found.as_slice() {
            [run] => format!("{told}; it stays at step {}", thousands(run.checkpoint.step())),
            _ => format!("has ended: {} of its replicas early", early.iter().flatten().count()),
        };
        note(&format!("{} {ended}; to go on, ask for --patience 0 or for more than {patience}", printable(path)));
        prepared.dismiss();
        return Ok(None);
    }
    stop.ask_first();
    let mut starts = Vec::new();
    for ((_, config, _, trainer), (mut run, missing)) in prepared.each().zip(found.into_iter().zip(missing)) {
        let step = run.checkpoint.step();
        let completes = changes == Changes::Refused && step == prepared.steps;
        if completes {
            run.legs.complete(step);
        } else {
            run.legs.go_on(step, trainer, legs::settings(trainer, run.origin.clone().into_values()));
        }
        run.legs.set_reached(if changes == Changes::Allowed { step } else { run.reached });
        starts.push(Start {
            notes: run.origin.notes(settings_text(&config, &run.legs)?),
            saved: Some(run.checkpoint),
            changes,
            legs: run.legs,
            begins_as_before: run.begins_as_before,
            keeps_best: before.best == config.best,
            reached: run.reached,
            completes: completes.then_some(missing),
            ended: run.end.as_ref().and_then(End::steps),
            model: run.model,
        });
    }
    Ok(Some(Ready { prepared, folder, starts }))
}

/// Refuses the replicas with these `numbers` in the folder `path` where one is lost: the others would go on without it, and their
/// common result would tell of them alone.
fn check_replicas(path: &Path, numbers: &[usize], lost: &[String]) -> Result<(), Error> {
    let Some(told) = lost_replicas::told(lost) else { return Ok(()) };
    let back = if lost.len() == 1 { "its folder" } else { "their folders" };
    let alone = |&number: &usize| {
        let command = quoted(&path.join(replica(number)));
        format!(", or go on with each that is there alone, for instance: gannet train --resume {command}")
    };
    let problem = format!("{told}; put {back} back{}", numbers.first().map(alone).unwrap_or_default());
    Err(Error::data(path.display().to_string(), problem))
}

/// Which replicas of the folder `path` are further than the `steps` that all are to do, and how all get as far: to the step `least`.
fn further(path: &Path, replicas: &[Found], least: u64, steps: u64) -> String {
    let done = |run: &Found| run.checkpoint.step().max(run.reached);
    let names: Vec<String> =
        (0..).zip(replicas).filter(|(_, run)| done(run) > steps).map(|(index, _)| replica(index)).collect();
    let have = match names.as_slice() {
        [one] => format!("{one} has"),
        [first, .., last] => format!("{} from {first} to {last} have", counted_replicas(names.len())),
        [] => "the replicas have".to_string(),
    };
    format!(
        "{have} done more than {} already; bring all replicas to the same step with: gannet train --resume {} --steps {least}",
        counted(steps, "step"),
        quoted(path)
    )
}

/// What there is to go on from: of each run the last checkpoint, which must be one of these settings and data, unless `changes`
/// are allowed. The trainers get the parameters that the runs began with.
fn find(prepared: &mut Prepared, path: &Path, changes: Changes) -> anyhow::Result<Vec<Found>> {
    let mut begun = Some(weights::begin_with(&prepared.config, &mut prepared.gans));
    let mut found = Vec::new();
    for (index, config, real, trainer) in prepared.each() {
        let folder = if prepared.replicated { path.join(replica(index)) } else { path.to_path_buf() };
        let named = |error: Error| if prepared.replicated { of_replica(&folder, index, error) } else { error };
        let legs = Legs::read(&folder)?;
        // First: no checkpoint of other networks can be read.
        legs.as_ref().map_or(Ok(()), |legs| engine::check_layers(trainer, &legs.last_settings())).map_err(named)?;
        let checkpoint = checkpoints::last(&folder, &config.spec)?.ok_or_else(|| nothing_saved(&folder))?;
        if Legs::derivation(legs.as_ref()) != config.derivation {
            return Err(named(other_derivation()).into());
        }
        trainer.check(&checkpoint, changes).map_err(with_option).map_err(named)?;
        let mut origin = Origin::new(&config, real, trainer)?;
        let has_weights = begun.as_ref().is_none_or(|begun| begun.is_ok());
        if changes == Changes::Refused {
            begun.take().unwrap_or(Ok(())).map_err(|error| missing_weights(&error))?;
            origin.check(&checkpoint.notes, &config).map_err(named)?;
        } else if !has_weights {
            origin = origin.with_parameters_of(&checkpoint.notes);
        }
        let begins_as_before = has_weights && origin.has_parameters_of(&checkpoint.notes);
        let has_lost_history = legs.is_none();
        let legs = legs.unwrap_or_else(|| Legs::unknown(checkpoint.step()));
        // A run that was killed has rows of steps after its last checkpoint.
        let end = End::read(&folder);
        let ended = end.as_ref().and_then(End::steps).unwrap_or(0);
        let reached = ended.max(legs.reached()).max(checkpoint.step());
        let reached = reached.max(line_file::last_step(&folder.join(METRICS))?);
        let model = SavedModel::read(&folder, &config.spec, end.as_ref(), Some(&checkpoint));
        found.push(Found { folder, checkpoint, origin, begins_as_before, legs, has_lost_history, reached, end, model });
    }
    Ok(found)
}

/// The `error` of the replica of this `index`, in `folder`: its settings are not those of the first one, which all go on with.
fn of_replica(folder: &Path, index: usize, error: Error) -> Error {
    match error {
        Error::InvalidSetting { name, problem } => {
            let command = quoted(folder);
            let alone = format!("this is {}, which can go on alone: gannet train --resume {command}", replica(index));
            Error::setting(name, format!("{problem}; {alone}"))
        }
        other => other,
    }
}

/// The `error` with the option that allows a change of settings.
fn with_option(error: Error) -> Error {
    match error {
        Error::InvalidSetting { name, problem } if name == CHANGED_SETTINGS => {
            Error::setting(name, format!("{problem} with --override"))
        }
        other => other,
    }
}

/// A replica measures by other seeds than the first one: their common figures would be of two kinds.
fn other_derivation() -> Error {
    let problem = format!(
        "in its {LEGS} is not that of {}, so that their measures cannot be compared; put the file back if it is missing",
        replica(0)
    );
    Error::setting("derivation", problem)
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
    /// What is missing of all that a run leaves that has ended, but its page, which is cheap to make again.
    ///
    /// # Errors
    ///
    /// A table that cannot be read.
    fn missing(&self) -> Result<Vec<String>, Error> {
        let has_rows = line_file::last_step(&self.folder.join(METRICS))? > 0;
        let mut names = vec![MODEL.to_string(), SAMPLES.to_string(), ANIMATION.to_string()];
        names.push(course::picture_name(self.checkpoint.step()));
        // The losses are drawn from their table.
        names.extend(has_rows.then(|| LOSSES.to_string()));
        names.retain(|name| !self.folder.join(name).is_file());
        let has_losses = |end: &End| ["discriminator_loss", "generator_loss"].iter().all(|name| end.has_number(name));
        let is_told = self.end.as_ref().is_some_and(|end| {
            end.is_finished() && end.steps() == Some(self.checkpoint.step()) && (has_losses(end) || !has_rows)
        });
        names.extend((!is_told).then(|| RESULT.to_string()));
        Ok(names)
    }

    /// Why the run stopped early where its checkpoint is, if so much `patience` still ends it there.
    fn stopped_early(&self, patience: u64) -> Option<EarlyStop> {
        let end = self.end.as_ref().filter(|end| end.steps() == Some(self.checkpoint.step()))?;
        end.early_stop().filter(|early| patience > 0 && early.evaluations >= patience)
    }

    /// Tells of a history that is gone, and of tables, of a run that `is_done` or goes on: their rows do not come back.
    ///
    /// # Errors
    ///
    /// A table that cannot be read.
    fn tell_lost(&self, is_done: bool) -> Result<(), Error> {
        let step = self.checkpoint.step();
        if self.has_lost_history {
            alert(&Legs::lost(&self.folder));
        }
        for name in [METRICS, EVALUATION] {
            let path = self.folder.join(name);
            // A run that has ended has a row of its last step.
            let is_lost = path.symlink_metadata().is_err() || is_done && line_file::last_step(&path)? == 0;
            if step > 0 && is_lost {
                alert(&format!(
                    "warning: the rows of {} up to step {} are gone and do not come back, as they are written while a run trains; \
                     put the file back, or make the run again with: gannet train {}",
                    printable(&path),
                    thousands(step),
                    quoted(&self.folder.join(CONFIG))
                ));
            }
        }
        Ok(())
    }
}
