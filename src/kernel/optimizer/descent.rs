//! Gradient descent, plain and with momentum, in PyTorch's form.

use super::{Rule, Update, flush};
use crate::simd::Simd;

/// One step of gradient descent: `velocity = momentum * velocity + gradient`, and the first velocity is the gradient, which a
/// velocity of zero gives. Without momentum nothing is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdStep {
    /// Learning rate.
    pub learning_rate: f32,
    /// Momentum; 0 = plain descent.
    pub momentum: f32,
}

impl From<SgdStep> for Update {
    fn from(SgdStep { learning_rate, momentum }: SgdStep) -> Self {
        if momentum == 0.0 { Descent { learning_rate }.into() } else { Momentum { learning_rate, momentum }.into() }
    }
}

/// Plain descent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Descent {
    learning_rate: f32,
}

impl Rule<0> for Descent {
    const STATES: [&'static str; 0] = [];

    #[inline(always)]
    fn update<S: Simd>(&self, simd: S, p: S::F32, g: S::F32, []: [S::F32; 0]) -> (S::F32, [S::F32; 0]) {
        (simd.neg_mul_add(simd.splat(self.learning_rate), g, p), [])
    }
}

/// Descent with momentum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Momentum {
    learning_rate: f32,
    momentum: f32,
}

impl Rule<1> for Momentum {
    const STATES: [&'static str; 1] = ["momentum_buffer"];

    #[inline(always)]
    fn update<S: Simd>(&self, simd: S, p: S::F32, g: S::F32, [velocity]: [S::F32; 1]) -> (S::F32, [S::F32; 1]) {
        let velocity = flush(simd, simd.mul_add(simd.splat(self.momentum), velocity, g));
        (simd.neg_mul_add(simd.splat(self.learning_rate), velocity, p), [velocity])
    }
}
