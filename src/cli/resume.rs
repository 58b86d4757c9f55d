//! `gannet train --resume`: goes on with a run, or with replicas, from the last checkpoint of each.

use std::path::Path;

use super::args::TrainArgs;
use super::checkpoints;
use super::config::RunConfig;
use super::output::note;
use super::plot::thousands;
use super::record::check_data;
use super::replicas;
use super::run_folder::{CONFIG, MODEL, RESULT, RunFolder, no_run, refused};
use super::stop::Stop;
use super::train::{Prepared, write_config};
use super::weights;
use crate::error::Error;
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
    let mut config = RunConfig::read_with(&first.join(CONFIG), args.data.as_deref().filter(|_| before.own.is_some()))?;
    config.override_by(args)?;
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
    if saved.iter().any(Option::is_none) {
        weights::begin_with(&prepared.config, &mut prepared.gans)?;
    }
    let done = saved.iter().flatten().map(Checkpoint::step).max().unwrap_or(0);
    if done > prepared.steps {
        let problem =
            format!("the run has done {done} steps already; ask for more than that, not for {}", prepared.steps);
        return Err(Error::setting("steps", problem).into());
    }
    if !replicated && done == prepared.steps && path.join(MODEL).is_file() && path.join(RESULT).is_file() {
        note(&format!("{} has all its {} steps; to go on, ask for more", path.display(), thousands(done)));
        return Ok(());
    }
    // All that can be refused has been: from here on the folder changes. What the run came to is told again when it ends.
    folder.remove(RESULT)?;
    for (index, config, ..) in prepared.each() {
        let own = if replicated { folder.existing_part(&replicas::folder(index))? } else { folder.clone() };
        own.remove(RESULT)?;
        write_config(&own, &config)?;
    }
    prepared.train(args, &folder, &saved, changes, stop)
}
