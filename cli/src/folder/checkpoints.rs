//! The checkpoints in the folder of a run: the last few, and the one of the best evaluation.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gannet::gan::{Checkpoint, GanSpec};
use gannet::{Error, Result};

use crate::folder::run_folder::{CHECKPOINTS, RunFolder, refused};
use crate::terminal::output::alert;

/// The checkpoint of the best evaluation.
const BEST: &str = "checkpoints/best.safetensors";
const PREFIX: &str = "step-";
const SUFFIX: &str = ".safetensors";

/// A state of a run that was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SavedState {
    /// That of the best evaluation.
    Best,
    /// The last one.
    Last,
    /// The one after this step.
    Step(u64),
}

/// The checkpoints in the run folder `run` with their steps, oldest first.
///
/// # Errors
///
/// [`Error::Io`] where the system refuses.
pub(crate) fn list(run: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let folder = run.join(CHECKPOINTS);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(refused("read", &folder))?,
    };
    let step_of = |path: &Path| path.file_name()?.to_str()?.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found: Vec<(u64, PathBuf)> = paths.filter_map(|path| Some((step_of(&path)?, path))).collect();
    found.sort();
    Ok(found)
}

/// The last whole checkpoint of the run; a damaged one is told of and passed over.
///
/// # Errors
///
/// What the newest says, where none is whole; [`Error::Io`] where the system refuses.
pub(crate) fn last(run: &Path, spec: &GanSpec) -> Result<Option<Checkpoint>> {
    last_whole(run, spec, |error| alert(&format!("warning: {error}; looking for the checkpoint before it")))
}

/// The same, where `pass_over` hears of the damaged ones.
///
/// # Errors
///
/// As [`last`].
pub(crate) fn last_whole(run: &Path, spec: &GanSpec, pass_over: impl Fn(&Error)) -> Result<Option<Checkpoint>> {
    let mut problem = None;
    for (step, path) in list(run)?.iter().rev() {
        let of_its_name = |checkpoint: Checkpoint| match checkpoint.step() {
            found if found == *step => Ok(checkpoint),
            found => {
                Err(Error::data(path.display().to_string(), format!("is of step {found}, whatever its name says")))
            }
        };
        match Checkpoint::load(spec, path).and_then(of_its_name) {
            Ok(checkpoint) => return Ok(Some(checkpoint)),
            Err(error) => {
                pass_over(&error);
                problem.get_or_insert(error);
            }
        }
    }
    problem.map_or(Ok(None), Err)
}

/// Writes a checkpoint, and removes those before the last `keep`.
///
/// # Errors
///
/// What writing reports; then all that were there still are.
pub(crate) fn save(folder: &RunFolder, checkpoint: &Checkpoint, spec: &GanSpec, keep: usize) -> Result<()> {
    checkpoint.save(spec, &folder.file(&name(checkpoint.step()))?)?;
    let mut all = list(folder.path())?;
    // Those of later steps are of the course that the run has left.
    all.retain(|&(step, _)| step <= checkpoint.step());
    all.truncate(all.len().saturating_sub(keep.max(1)));
    all.iter().try_for_each(|(_, path)| match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(refused("remove", path)(error)),
        _ => Ok(()),
    })
}

/// Removes the checkpoints of steps after `last`, the best one too: they are of a course that the run has left.
///
/// # Errors
///
/// [`Error::Io`] where the system refuses.
pub(crate) fn remove_later(folder: &RunFolder, spec: &GanSpec, last: u64) -> Result<()> {
    for (_, path) in list(folder.path())?.iter().filter(|&&(step, _)| step > last) {
        fs::remove_file(path).map_err(refused("remove", path))?;
    }
    let best = folder.path().join(BEST);
    let stays = !best.is_file() || Checkpoint::load(spec, &best).is_ok_and(|best| best.step() <= last);
    if stays { Ok(()) } else { remove_best(folder) }
}

/// Writes the checkpoint of a run before its first step, and reads it: a run whose checkpoints cannot be read does not begin.
///
/// # Errors
///
/// What writing reports; [`Error::InvalidSetting`] where the file cannot be read.
pub(crate) fn save_first(folder: &RunFolder, checkpoint: &Checkpoint, spec: &GanSpec) -> Result<()> {
    save(folder, checkpoint, spec, 1)?;
    let path = folder.path().join(name(checkpoint.step()));
    match Checkpoint::load(spec, &path) {
        Ok(read) if read == *checkpoint => Ok(()),
        Ok(_) => Err(Error::data(path.display().to_string(), "reads back otherwise than it was written")),
        Err(error) => {
            let problem = format!(
                "no checkpoint of this run could be read back: {error}; where names of columns are long, shorten them"
            );
            Err(Error::setting("config.toml", problem))
        }
    }
}

/// Where the checkpoint of a step lies.
fn name(step: u64) -> String {
    format!("{CHECKPOINTS}/{PREFIX}{step:09}{SUFFIX}")
}

/// The checkpoint of the best evaluation, if there is one.
///
/// # Errors
///
/// A file that cannot be read.
pub(crate) fn best(run: &Path, spec: &GanSpec) -> Result<Option<Checkpoint>> {
    if has_best(run) { Checkpoint::load(spec, &run.join(BEST)).map(Some) } else { Ok(None) }
}

/// Whether the run has a best checkpoint.
pub(crate) fn has_best(run: &Path) -> bool {
    run.join(BEST).is_file()
}

/// Removes the best checkpoint, which is the best of another course.
///
/// # Errors
///
/// [`Error::Io`] where the system refuses.
pub(crate) fn remove_best(folder: &RunFolder) -> Result<()> {
    folder.remove(BEST)
}

/// Writes the checkpoint of the best evaluation so far.
///
/// # Errors
///
/// What writing reports.
pub(crate) fn save_best(folder: &RunFolder, checkpoint: &Checkpoint, spec: &GanSpec) -> Result<()> {
    checkpoint.save(spec, &folder.file(BEST)?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gannet::data::synthetic;
    use gannet::gan::presets::Preset;
    use gannet::gan::{Trainer, TrainerOptions};

    use super::*;

    #[test]
    fn a_run_whose_checkpoints_cannot_be_read_does_not_begin() {
        let place = tempfile::tempdir().unwrap();
        let points = Arc::new(synthetic::circle(100, 1).unwrap());
        let trainer = Trainer::new(Preset::Circle.spec(), points, TrainerOptions::default()).unwrap();
        for (length, begins) in [(1 << 10, true), (65 << 20, false)] {
            let path = place.path().join(length.to_string());
            let mut checkpoint = trainer.checkpoint().unwrap();
            checkpoint.notes.insert("config.toml".to_string(), "\\".repeat(length));
            let made =
                RunFolder::create(Some(&path), "circle", |folder| save_first(folder, &checkpoint, trainer.spec()));
            assert_eq!((made.is_ok(), path.exists()), (begins, begins), "{length}");
        }
    }
}
