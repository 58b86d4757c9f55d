//! From where a run starts: its beginning, or a checkpoint.

use std::collections::BTreeMap;

use super::legs::Legs;
use crate::gan::Checkpoint;

/// From where a run starts.
#[derive(Debug)]
pub(crate) struct Start {
    /// What it goes on from; `None` = it begins.
    pub(crate) saved: Option<Checkpoint>,
    /// Its history, with the leg that starts.
    pub(crate) legs: Legs,
    /// The notes of its checkpoints.
    pub(crate) notes: BTreeMap<String, String>,
    /// Whether the trainer has the parameters that the run began with.
    pub(crate) begins_as_before: bool,
    /// The step of a model in the folder that is later than the checkpoint. It stays until a later one takes its place.
    pub(crate) later_model: Option<u64>,
}

impl Start {
    /// The step that the run goes on from; `None` = it begins.
    pub(crate) fn resumed(&self) -> Option<u64> {
        self.saved.as_ref().map(Checkpoint::step)
    }
}
