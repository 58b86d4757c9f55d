//! The course of a run, as its folder shows it: pictures and models by step. A run that goes back to an earlier step with other
//! settings leaves its course: what was later than that step is of no run any more.

use std::fs;
use std::path::{Path, PathBuf};

use gannet::Result;
use gannet::gan::{Checkpoint, GanSpec};

use crate::folder::checkpoints;
use crate::folder::files::refused;
use crate::folder::run_folder::{
    ANIMATION, COLUMNS, LOSSES, MODEL, MODELS, PICTURES, REPORT, RESULT, RunFolder, SAMPLES,
};

/// What the names of pictures and models begin with.
const STEP: &str = "step-";
const EPOCH: &str = "epoch-";

/// Where the picture of an evaluation lies. At least six digits, so that names sort by step.
pub(crate) fn picture_name(step: u64) -> String {
    format!("{PICTURES}/{STEP}{step:06}.png")
}

/// Where the images of an evaluation lie, all in a row.
pub(crate) fn row_name(step: u64) -> String {
    format!("{PICTURES}/{STEP}{step:06}-row.png")
}

/// Where both networks lie as they were after `epoch` epochs.
pub(crate) fn model_name(epoch: u64) -> String {
    format!("{MODELS}/{EPOCH}{epoch:03}.safetensors")
}

/// The epoch after which a model in the folder of models was saved, by its name.
pub(crate) fn epoch_of(model: &Path) -> Option<u64> {
    model.file_name()?.to_str()?.strip_prefix(EPOCH)?.strip_suffix(".safetensors")?.parse().ok()
}

/// How far a course had come that a run leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeftCourse {
    /// Its last step.
    pub(crate) reached: u64,
    /// Whether `run.json` and `model.safetensors` are of no later step than the checkpoint.
    pub(crate) keeps_result: bool,
    pub(crate) keeps_model: bool,
    /// The samples of its data.
    pub(crate) samples: u64,
}

/// Removes what is later than `checkpoint`, from which the run goes on: it leaves the course that was as far as `left`. The tables are
/// cut by their record; event files say by themselves from where on they replace others.
///
/// # Errors
///
/// [`Error::Io`](gannet::Error::Io) where the system refuses.
pub(crate) fn leave(folder: &RunFolder, checkpoint: &Checkpoint, spec: &GanSpec, left: LeftCourse) -> Result<()> {
    let step = checkpoint.step();
    if left.reached > step {
        [COLUMNS, LOSSES, ANIMATION, REPORT].iter().try_for_each(|name| folder.remove(name))?;
        if !left.keeps_result {
            folder.remove(RESULT)?;
        }
        if !left.keeps_model {
            [MODEL, SAMPLES].iter().try_for_each(|name| folder.remove(name))?;
        }
    }
    checkpoints::remove_later(folder, spec, step)?;
    remove_later(folder, PICTURES, STEP, step)?;
    remove_later(folder, MODELS, EPOCH, checkpoint.samples_drawn() / left.samples.max(1))
}

/// Removes the files in the folder `name` whose name begins with `prefix` and a number above `last`.
fn remove_later(folder: &RunFolder, name: &str, prefix: &str, last: u64) -> Result<()> {
    let path = folder.path().join(name);
    let Ok(entries) = fs::read_dir(&path) else { return Ok(()) };
    let number = |path: &PathBuf| -> Option<u64> {
        let rest = path.file_name()?.to_str()?.strip_prefix(prefix)?;
        rest.split(['-', '.']).next()?.parse().ok()
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    for path in paths.filter(|path| number(path).is_some_and(|number| number > last)) {
        fs::remove_file(&path).map_err(refused("remove", &path))?;
    }
    Ok(())
}
