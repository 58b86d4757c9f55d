//! Losses of a panel of logits: value and gradient in one pass, stable at any logit.

use crate::simd::Isa;

/// One term of an objective: cross-entropy against one target, times a weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossTerm {
    /// The target: real (1) or fake (0).
    pub real: bool,
    /// Factor of the gradient of each sample: for a mean over a batch `1 / batch`, negative to maximise.
    pub weight: f32,
}

/// Sums over the valid samples of a range of lanes, without the term's weight.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LossSums {
    /// Sum of the cross-entropies.
    pub loss: f64,
    /// Sum of the probabilities that D gives to "real".
    pub probability: f64,
}

impl std::ops::AddAssign for LossSums {
    fn add_assign(&mut self, other: Self) {
        self.loss += other.loss;
        self.probability += other.probability;
    }
}

/// Replaces `logits` (samples side by side) by the gradient `term.weight * (sigmoid(logit) - target)`; lanes from `valid` on
/// become 0. With `report`, returns the sums over the first `valid` lanes, in an order fixed by `logits.len()`.
pub fn bce_with_logits(_isa: Isa, _term: LossTerm, _logits: &mut [f32], _valid: usize, _report: bool) -> LossSums {
    todo!()
}

/// The same for softmax cross-entropy over two classes, of which class 1 is "real": `fake_logits` and `real_logits` are the
/// rows of class 0 and 1.
pub fn softmax_cross_entropy(
    _isa: Isa,
    _term: LossTerm,
    _fake_logits: &mut [f32],
    _real_logits: &mut [f32],
    _valid: usize,
    _report: bool,
) -> LossSums {
    todo!()
}
