//! Optimizer updates over a range of a parameter arena.

use crate::simd::Isa;

/// One Adam update (Kingma and Ba, "Adam", 2015, in PyTorch's form: epsilon is added after the bias-corrected root).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Learning rate.
    pub learning_rate: f32,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// The update's number, from 1; sets the bias corrections `1 - beta^t`.
    pub t: u64,
}

/// Updates `parameters` and both moments from `gradients`. Denormal moments are flushed to zero.
///
/// Returns whether all gradients and all new parameters are finite.
pub fn adam(
    _isa: Isa,
    _step: &AdamStep,
    _parameters: &mut [f32],
    _gradients: &[f32],
    _first_moment: &mut [f32],
    _second_moment: &mut [f32],
) -> bool {
    todo!()
}

/// One step of gradient descent with momentum (PyTorch's form: `velocity = momentum * velocity + gradient`, and the first
/// velocity is the gradient, which a velocity of zero gives).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdStep {
    /// Learning rate.
    pub learning_rate: f32,
    /// Momentum; 0 = plain descent.
    pub momentum: f32,
}

/// Updates `parameters` (and `velocity`, which may be empty if the momentum is 0). Returns whether all is finite.
pub fn sgd(_isa: Isa, _step: &SgdStep, _parameters: &mut [f32], _gradients: &[f32], _velocity: &mut [f32]) -> bool {
    todo!()
}
