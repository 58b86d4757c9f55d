//! `gannet train --resume`: goes on with a run, or with replicas, from the last checkpoint of each.

use std::path::Path;

use serde_json::Value;

use super::args::TrainArgs;
use super::checkpoints;
use super::config::RunConfig;
use super::output::note;
use super::plot::thousands;
use super::record::check_data;
use super::replicas;
use super::run_folder::{CONFIG, MODEL, RESULT, RunFolder, no_run, refused};
use super::schedule::Schedule;
use super::stop::Stop;
use super::train::{Prepared, write_config};
use super::weights;
use crate::error::Error;
use crate::file;
use crate::gan::{Changes, Checkpoint, TrainerOptions};

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
    let mut prepared = Prepared::new(config, count, stop)?;
    let changes = if args.changes_allowed { Changes::Allowed } else { Changes::Refused };
    let mut saved = Vec::new();
    for (index, _, real, trainer) in prepared.each() {
        let own = if replicated { path.join(replicas::folder(index)) } else { path.to_path_buf() };
        let checkpoint = checkpoints::last(&own, &prepared.config.spec)?;
        match &checkpoint {
            Some(checkpoint) => {
                trainer.check(checkpoint, changes)?;
                if changes == Changes::Refused {
                    check_data(checkpoint, real)?;
                }
            }
            // A run that was killed before its first checkpoint begins anew, with the settings that it was begun with.
            None if changes == Changes::Refused => {
                let seed = before.seed.wrapping_add(index as u64);
                let options = TrainerOptions { seed, ..before.trainer_options() };
                trainer.check_settings(&before.spec, &options, before.points.unwrap_or(real.source().len()))?;
            }
            None => {}
        }
        saved.push(checkpoint);
    }
    let begun = weights::begin_with(&prepared.config, &mut prepared.gans);
    if saved.iter().any(Option::is_none) {
        begun?;
    }
    let first =
        Schedule::new(&prepared.config, prepared.steps, prepared.data[0].source().len() as u64, saved[0].as_ref());
    prepared.steps = first.steps;
    let done = saved.iter().flatten().map(Checkpoint::step).max().unwrap_or(0);
    if done > prepared.steps {
        let problem =
            format!("the run has done {done} steps already; ask for more than that, not for {}", prepared.steps);
        return Err(Error::setting("steps", problem).into());
    }
    if !replicated && done == prepared.steps && is_finished(path) {
        note(&format!("{} has all its {} steps; to go on, ask for more", path.display(), thousands(done)));
        return Ok(());
    }
    // All that can be refused has been: from here on the folder changes. What the run came to is told again when it ends.
    folder.remove(RESULT)?;
    let another_course = before.best != prepared.config.best || changes == Changes::Allowed;
    for (index, config, ..) in prepared.each() {
        let own = if replicated { folder.existing_part(&replicas::folder(index))? } else { folder.clone() };
        // The model of an end that is none any more is in a checkpoint.
        [RESULT, MODEL].iter().try_for_each(|name| own.remove(name))?;
        if another_course {
            checkpoints::remove_best(&own)?;
        }
        write_config(&own, &config)?;
    }
    prepared.train(args, &folder, &saved, changes, stop)
}

/// Whether the run in `folder` has come to the end that it was to come to.
fn is_finished(folder: &Path) -> bool {
    /// A thousand times what is written.
    const LARGEST: u64 = 1 << 20;
    let told = file::read(&folder.join(RESULT), LARGEST).ok().map(|bytes| serde_json::from_slice(&bytes));
    let told: Value = told.and_then(Result::ok).unwrap_or_default();
    told["status"] == "finished" && folder.join(MODEL).is_file()
}
