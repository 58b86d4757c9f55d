//! From where a run starts: its beginning, or a checkpoint.

use std::collections::BTreeMap;
use std::path::Path;

use gannet::Result;
use gannet::gan::{Changes, Checkpoint, GanSpec};

use crate::data::codec_file;
use crate::data::own::OwnData;
use crate::folder::checkpoints;
use crate::folder::course::{self, LeftCourse};
use crate::folder::run_folder::{CONFIG, RunFolder};
use crate::history::end::SavedModel;
use crate::history::legs::Legs;
use crate::history::origin;
use crate::settings::config::RunConfig;

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
    /// What is missing in the folder of a run that has done all its steps and only completes it; `None` = it trains.
    pub(crate) completes: Option<Vec<String>>,
    /// The steps that its `run.json` tells of.
    pub(crate) ended: Option<u64>,
    /// The model in its folder. Like `run.json` it stays until a newer one takes its place, unless the run leaves its course.
    pub(crate) model: Option<SavedModel>,
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

    /// The model in the folder, if it stays.
    pub(crate) fn kept_model(&self) -> Option<&SavedModel> {
        self.model.as_ref().filter(|model| self.keeps(model.step))
    }

    /// Whether the run goes back to an earlier step and leaves its course.
    pub(crate) fn goes_back(&self) -> bool {
        self.changes == Changes::Allowed && self.resumed().is_some_and(|step| self.reached > step)
    }

    /// Whether what is of the step `of` is of the course that the run stays on; what is of an unknown one may not be.
    fn keeps(&self, of: Option<u64>) -> bool {
        !self.goes_back() || of.is_some() && of <= self.resumed()
    }

    /// Changes the `folder` of a run that goes on as `config` says, on `samples` samples: the history and the settings are the new ones,
    /// and what the run leaves goes. All that can be refused must have been.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](gannet::Error::Io) where the system refuses.
    pub(crate) fn enter(&self, folder: &RunFolder, config: &RunConfig, samples: u64) -> Result<()> {
        let Some(saved) = &self.saved else { return Ok(()) };
        // The history comes first: it is true even if the process dies before the rest is done.
        self.legs.write(folder)?;
        if self.changes == Changes::Allowed {
            let (keeps_result, keeps_model) = (self.keeps(self.ended), self.kept_model().is_some());
            course::leave(
                folder,
                saved,
                &config.spec,
                LeftCourse { reached: self.reached, keeps_result, keeps_model, samples },
            )?;
        }
        if !self.keeps_best {
            checkpoints::remove_best(folder)?;
        }
        // The settings of older versions had the scales of a table in themselves; those of today leave them to this file.
        codec_file::write(folder, config.own.as_ref().and_then(OwnData::fitted).as_ref())?;
        folder.write(CONFIG, origin::config(&self.notes).as_bytes())
    }
}
