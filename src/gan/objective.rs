//! Objectives: what D and G minimize, as terms of a cross-entropy.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::kernel::activation::Activation;
use crate::kernel::loss::{LossSums, LossTerm, bce_with_logits, softmax_cross_entropy};
use crate::net::NetworkSpec;
use crate::simd::Isa;

/// What D minimizes and what G minimizes. BCE is of `sigmoid(logit)`; every loss is a mean over the batch.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Objective {
    /// D: BCE(D(x), 1) + BCE(D(G(z)), 0). G maximizes BCE(D(G(z)), 0). (Goodfellow et al. 2014, equation 1.)
    Minimax,
    /// D as in minimax; G minimizes BCE(D(G(z)), 1). (Goodfellow et al. 2014, section 3.)
    NonSaturating,
    /// As non-saturating, but D's loss is half of the sum.
    NonSaturatingHalf,
    /// D has two logits, class 1 is real; D minimizes CE(D(x), 1) + CE(D(G(z)), 0), G minimizes CE(D(G(z)), 1).
    Softmax,
}

impl Objective {
    /// Its name, as files have it: `non_saturating`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minimax => "minimax",
            Self::NonSaturating => "non_saturating",
            Self::NonSaturatingHalf => "non_saturating_half",
            Self::Softmax => "softmax",
        }
    }

    /// Logits that D gives for a sample.
    pub fn logits(self) -> usize {
        if self == Self::Softmax { 2 } else { 1 }
    }

    /// Checks a discriminator's specification, and that its last layer gives the objective's logits.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`].
    pub(crate) fn validate_discriminator(self, spec: &NetworkSpec) -> Result<()> {
        spec.validate("discriminator")?;
        let last = spec.layers.len() - 1;
        let output = &spec.layers[last];
        let setting = |field: &str| format!("discriminator.layers[{last}].{field}");
        if output.outputs != self.logits() {
            let problem = format!(
                "{0} instead of the {1} that the objective needs; set it to {1}",
                output.outputs,
                self.logits()
            );
            return Err(Error::setting(setting("outputs"), problem));
        }
        if output.activation != Activation::Linear {
            let problem = "must be linear: the objective applies the sigmoid or softmax";
            return Err(Error::setting(setting("activation"), problem));
        }
        if output.dropout != 0.0 {
            return Err(Error::setting(setting("dropout"), "must be 0: dropping a logit has no meaning"));
        }
        Ok(())
    }

    /// D's terms for real samples and fakes.
    pub(crate) fn discriminator_terms(self, batch: usize) -> [LossTerm; 2] {
        let weight = self.discriminator_factor() / batch as f64;
        [true, false].map(|real| LossTerm { real, weight: weight as f32 })
    }

    /// G's term.
    pub(crate) fn generator_term(self, batch: usize) -> LossTerm {
        let (real, sign) = match self {
            Self::Minimax => (false, -1.0),
            _ => (true, 1.0),
        };
        LossTerm { real, weight: (sign / batch as f64) as f32 }
    }

    /// D's loss from the sums over a batch.
    pub(crate) fn discriminator_loss(self, real: LossSums, fake: LossSums, batch: usize) -> f64 {
        self.discriminator_factor() * (real.loss + fake.loss) / batch as f64
    }

    /// G's loss (the one that it minimizes) from the sum over a batch.
    pub(crate) fn generator_loss(self, sums: LossSums, batch: usize) -> f64 {
        let sign = if self == Self::Minimax { -1.0 } else { 1.0 };
        sign * sums.loss / batch as f64
    }

    fn discriminator_factor(self) -> f64 {
        if self == Self::NonSaturatingHalf { 0.5 } else { 1.0 }
    }

    /// Replaces the logits in the `lanes` of a panel by the gradient with respect to them.
    #[allow(clippy::too_many_arguments, reason = "what the loss is, and where its logits stand")]
    pub(crate) fn loss(
        self,
        isa: Isa,
        term: LossTerm,
        panel: &mut [f32],
        width: usize,
        lanes: Range<usize>,
        valid: usize,
        report: bool,
    ) -> LossSums {
        match self {
            Self::Softmax => {
                let (fake, real) = panel.split_at_mut(width);
                softmax_cross_entropy(isa, term, &mut fake[lanes.clone()], &mut real[lanes], valid, report)
            }
            _ => bce_with_logits(isa, term, &mut panel[lanes], valid, report),
        }
    }
}
