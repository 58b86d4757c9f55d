//! RMSprop: Tieleman and Hinton, lecture 6.5 of "Neural Networks for Machine Learning", 2012, in PyTorch's form without momentum and
//! centering.

use super::{Rule, Update, flush};
use crate::simd::Simd;

/// One RMSprop update: `v = alpha v + (1 - alpha) g^2`, `p = p - rate g / (sqrt(v) + epsilon)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsPropStep {
    /// Learning rate.
    pub learning_rate: f32,
    /// Decay of the mean of squared gradients.
    pub alpha: f32,
    /// Added to the root of that mean.
    pub epsilon: f32,
}

impl From<RmsPropStep> for Update {
    fn from(RmsPropStep { learning_rate, alpha, epsilon }: RmsPropStep) -> Self {
        RmsProp { learning_rate, alpha, rest: (1.0 - f64::from(alpha)) as f32, epsilon }.into()
    }
}

/// The scalars of a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct RmsProp {
    learning_rate: f32,
    alpha: f32,
    rest: f32,
    epsilon: f32,
}

impl Rule<1> for RmsProp {
    const STATES: [&'static str; 1] = ["square_avg"];

    #[inline(always)]
    fn update<S: Simd>(&self, simd: S, p: S::F32, g: S::F32, [v]: [S::F32; 1]) -> (S::F32, [S::F32; 1]) {
        let v = simd.mul_add(simd.mul(simd.splat(self.rest), g), g, simd.mul(simd.splat(self.alpha), v));
        let v = flush(simd, v);
        let quotient = simd.div(g, simd.add(simd.sqrt(v), simd.splat(self.epsilon)));
        (simd.neg_mul_add(simd.splat(self.learning_rate), quotient, p), [v])
    }
}
