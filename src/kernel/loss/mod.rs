//! Losses of a panel of logits: value and gradient in one pass.
//!
//! ```text
//! cross_entropy   one logit, or two classes
//! joint           the cross-entropies of both networks, of the same logits
//! score           losses of a score without a probability: least squares, hinge, Wasserstein
//! pairing         losses of a real sample's logit against a fake's
//! ```
//!
//! All of them treat their lanes alike: those without a sample get the gradient 0, and sums are taken in a fixed order.

mod cross_entropy;
mod joint;
mod lanes;
mod pairing;
mod score;

pub use cross_entropy::{bce_with_logits, softmax_cross_entropy};
pub use joint::{joint_bce_with_logits, take_scaled};
pub use pairing::{Side, pairing_loss};
pub use score::{ScoreLoss, score_loss};

/// One term of an objective: a loss against one target, times a weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossTerm {
    /// The target: real (1) or fake (0).
    pub real: bool,
    /// Factor of the gradient of each sample: for a mean over a batch `1 / batch`, negative to maximise.
    pub weight: f32,
    /// What the target of real samples is less than 1: one-sided label smoothing (Salimans et al. 2016, "Improved techniques for training
    /// GANs", section 3.4). Cross-entropies and least squares know it.
    pub smoothing: f32,
}

impl LossTerm {
    /// A term with the target 1 or 0.
    pub const fn new(real: bool, weight: f32) -> Self {
        Self { real, weight, smoothing: 0.0 }
    }

    /// The target.
    pub(crate) fn target(self) -> f32 {
        if self.real { 1.0 - self.smoothing } else { 0.0 }
    }
}

/// Sums over the valid samples of a range of lanes, without the term's weight.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LossSums {
    /// Sum of the losses.
    pub loss: f64,
    /// Sum of the probabilities that D gives to "real".
    pub probability: f64,
    /// Whether a logit (of two: their difference) is not finite. It is set whether sums are reported or not: the gradient of an
    /// infinite logit is finite, and so nothing behind it would show that the loss is not.
    pub not_finite: bool,
}

impl std::ops::AddAssign for LossSums {
    fn add_assign(&mut self, other: Self) {
        self.loss += other.loss;
        self.probability += other.probability;
        self.not_finite |= other.not_finite;
    }
}
