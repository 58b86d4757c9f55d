//! AdamW: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, in PyTorch's form.

use super::adam::{Adam, AdamStep};
use super::{Rule, Update};
use crate::simd::Simd;

/// One AdamW update: `p = (1 - rate weight_decay) p`, then Adam's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamWStep {
    /// Adam's update.
    pub adam: AdamStep,
    /// Weight decay; 0 = Adam.
    pub weight_decay: f32,
}

impl From<AdamWStep> for Update {
    fn from(AdamWStep { adam, weight_decay }: AdamWStep) -> Self {
        let kept = (1.0 - f64::from(adam.learning_rate) * f64::from(weight_decay)) as f32;
        AdamW { adam: Adam::new(&adam), kept }.into()
    }
}

/// The scalars of a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct AdamW {
    adam: Adam,
    /// What the decay leaves of a parameter.
    kept: f32,
}

impl Rule<2> for AdamW {
    const STATES: [&'static str; 2] = Adam::STATES;

    #[inline(always)]
    fn update<S: Simd>(&self, simd: S, p: S::F32, g: S::F32, states: [S::F32; 2]) -> (S::F32, [S::F32; 2]) {
        self.adam.update(simd, simd.mul(simd.splat(self.kept), p), g, states)
    }
}
