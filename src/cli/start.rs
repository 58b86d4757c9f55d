//! From where a run starts: its beginning, or a checkpoint.

use std::collections::BTreeMap;
use std::path::Path;

use super::checkpoints;
use super::course;
use super::legs::Legs;
use super::origin;
use super::run_folder::{CONFIG, MODEL, RESULT, RunFolder};
use crate::error::Result;
use crate::gan::{Changes, Checkpoint, GanSpec};

/// From where a run starts.
#[derive(Debug)]
pub(crate) struct Start {
    /// What it goes on from; `None` = it begins.
    pub(crate) saved: Option<Checkpoint>,
    /// Whether other settings are allowed: then it leaves its course.
    pub(crate) changes: Changes,
    /// Its history, with the leg that starts.
    pub(crate) legs: Legs,
    /// The notes of its checkpoints.
    pub(crate) notes: BTreeMap<String, String>,
    /// Whether the trainer has the parameters that the run began with.
    pub(crate) begins_as_before: bool,
    /// Whether its best state is still judged by the same measure.
    pub(crate) keeps_best: bool,
    /// The last step that it had reached.
    pub(crate) reached: u64,
    /// The step of a model in the folder that is later than the checkpoint. It stays until a later one takes its place.
    pub(crate) later_model: Option<u64>,
}

impl Start {
    /// The step that the run goes on from; `None` = it begins.
    pub(crate) fn resumed(&self) -> Option<u64> {
        self.saved.as_ref().map(Checkpoint::step)
    }

    /// The best state in the folder `run`, where it is whole and stays: a later one than the checkpoint, too, as long as the run
    /// does not leave its course.
    pub(crate) fn best(&self, run: &Path, spec: &GanSpec) -> Option<Checkpoint> {
        let best = checkpoints::best(run, spec).ok()??;
        let is_of_course = self.changes == Changes::Refused || Some(best.step()) <= self.resumed();
        (self.keeps_best && is_of_course).then_some(best)
    }

    /// Changes the `folder` of a run that goes on, for `steps` steps in all on `samples` samples: the history and the settings are the
    /// new ones, and what the run leaves goes. All that can be refused must have been.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io) where the system refuses.
    pub(crate) fn enter(&self, folder: &RunFolder, spec: &GanSpec, [steps, samples]: [u64; 2]) -> Result<()> {
        let Some(saved) = &self.saved else { return Ok(()) };
        // The history comes first: it is true even if the process dies before the rest is done.
        self.legs.write(folder)?;
        if self.changes == Changes::Allowed {
            course::leave(folder, saved, spec, [self.reached, samples])?;
        }
        if !self.keeps_best {
            checkpoints::remove_best(folder)?;
        }
        // What the run came to is told again when it ends.
        if saved.step() < steps && self.later_model.is_none() {
            [RESULT, MODEL].iter().try_for_each(|name| folder.remove(name))?;
        }
        folder.write(CONFIG, origin::config(&self.notes).as_bytes())
    }
}
