//! What an optimizer remembers, and what files call it.

use super::names::{AVERAGE, NOTE};
use super::optimizer_spec::OptimizerSpec;
use crate::kernel::optimizer;
use crate::net::LayerTensors;

/// What an optimizer remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct OptimizerState {
    /// Updates done.
    pub(super) updates: u64,
    /// The states of its rule, by name.
    pub(super) states: Vec<(&'static str, Vec<LayerTensors>)>,
}

impl OptimizerState {
    /// Whether `optimizer` can go on from it.
    pub(super) fn is_of(&self, optimizer: &OptimizerSpec) -> bool {
        self.states.iter().map(|(name, _)| name).eq(optimizer.state_names())
    }
}

/// What the names of a state's tensors end in.
pub(super) fn suffix(state: &str) -> String {
    format!(".{state}")
}

/// Whether a tensor is a state of an optimizer, an average, or a note, which a model file has not.
pub(super) fn is_state(name: &str) -> bool {
    let is_known = |last: &str| last == AVERAGE || optimizer::state_names().any(|state| state == last);
    name.starts_with(NOTE) || name.rsplit_once('.').is_some_and(|(_, last)| is_known(last))
}
