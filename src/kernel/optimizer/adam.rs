//! Adam: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, in PyTorch's form.

use super::{Rule, Update, flush, power};
use crate::simd::Simd;

/// One Adam update. Epsilon is added after the bias-corrected root, as PyTorch does.
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

impl From<AdamStep> for Update {
    fn from(step: AdamStep) -> Self {
        Adam::new(&step).into()
    }
}

/// The scalars of a step, such that one root and one division remain for each parameter:
/// `rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) = scaled_rate m / (sqrt(v) + scaled_epsilon)`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Adam {
    beta1: f32,
    rest1: f32,
    beta2: f32,
    rest2: f32,
    scaled_rate: f32,
    scaled_epsilon: f32,
}

impl Adam {
    pub(super) fn new(step: &AdamStep) -> Self {
        let (beta1, beta2) = (f64::from(step.beta1), f64::from(step.beta2));
        let root = (1.0 - power(beta2, step.t)).sqrt();
        Self {
            beta1: step.beta1,
            rest1: (1.0 - beta1) as f32,
            beta2: step.beta2,
            rest2: (1.0 - beta2) as f32,
            scaled_rate: (f64::from(step.learning_rate) * root / (1.0 - power(beta1, step.t))) as f32,
            scaled_epsilon: (f64::from(step.epsilon) * root) as f32,
        }
    }
}

impl Rule<2> for Adam {
    const STATES: [&'static str; 2] = ["exp_avg", "exp_avg_sq"];

    #[inline(always)]
    fn update<S: Simd>(&self, simd: S, p: S::F32, g: S::F32, [m, v]: [S::F32; 2]) -> (S::F32, [S::F32; 2]) {
        let m = simd.mul_add(simd.splat(self.rest1), g, simd.mul(simd.splat(self.beta1), m));
        let m = flush(simd, m);
        let v = simd.mul_add(simd.mul(simd.splat(self.rest2), g), g, simd.mul(simd.splat(self.beta2), v));
        let v = flush(simd, v);
        let quotient = simd.div(m, simd.add(simd.sqrt(v), simd.splat(self.scaled_epsilon)));
        (simd.neg_mul_add(simd.splat(self.scaled_rate), quotient, p), [m, v])
    }
}
