//! What an optimizer remembers, and what files call it.

use super::spec::OptimizerSpec;
use crate::net::LayerTensors;

/// Suffixes of the moments' tensors, as PyTorch's optimizers name them.
const ADAM: [&str; 2] = [".exp_avg", ".exp_avg_sq"];
const MOMENTUM: &str = ".momentum_buffer";

/// What an optimizer remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct OptimizerState {
    /// Updates done.
    pub(super) updates: u64,
    /// Adam's two moments, the velocity of gradient descent with momentum, or nothing.
    pub(super) moments: Vec<LayerTensors>,
}

/// Suffixes of the moments of an optimizer.
pub(super) fn moment_suffixes(optimizer: &OptimizerSpec) -> &'static [&'static str] {
    match *optimizer {
        OptimizerSpec::Adam { .. } => &ADAM,
        OptimizerSpec::Sgd { momentum: 0.0, .. } => &[],
        OptimizerSpec::Sgd { .. } => &[MOMENTUM],
    }
}

/// Suffixes of all moments that any optimizer has.
pub(super) fn all_moment_suffixes() -> impl Iterator<Item = &'static str> {
    ADAM.into_iter().chain([MOMENTUM])
}

/// Whether a tensor is a moment, which a model file has not.
pub(super) fn is_moment(name: &str) -> bool {
    all_moment_suffixes().any(|suffix| name.ends_with(suffix))
}
