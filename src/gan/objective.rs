//! Objectives: what D and G minimize, as terms of a loss of logits.

use std::ops::Range;

use super::penalties::Penalties;
use crate::error::{Error, Result};
use crate::kernel::activation::Activation;
use crate::kernel::loss::{
    LossSums, LossTerm, ScoreLoss, Side, bce_with_logits, pairing_loss, score_loss, softmax_cross_entropy,
};
use crate::net::{NetworkSpec, Normalization};
use crate::simd::Isa;

/// What D minimizes and what G minimizes, with x a real sample and y a fake. BCE is of `sigmoid(logit)`, D(x) is the logit; every loss is a
/// mean over the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Objective {
    /// D: BCE(D(x), 1) + BCE(D(y), 0). G maximizes BCE(D(y), 0). (Goodfellow et al. 2014, equation 1.)
    Minimax,
    /// D as in minimax; G minimizes BCE(D(y), 1). (Goodfellow et al. 2014, section 3.)
    NonSaturating,
    /// As non-saturating, but D's loss is half of the sum.
    NonSaturatingHalf,
    /// D has two logits, class 1 is real; D minimizes CE(D(x), 1) + CE(D(y), 0), G minimizes CE(D(y), 1).
    Softmax,
    /// D: (D(x) - 1)^2 / 2 + D(y)^2 / 2. G: (D(y) - 1)^2 / 2. (Mao et al. 2017, equation 9.)
    LeastSquares,
    /// D: max(0, 1 - D(x)) + max(0, 1 + D(y)). G: -D(y). (Lim and Ye 2017; Miyato et al. 2018.)
    Hinge,
    /// D: D(y) - D(x). G: -D(y). (Arjovsky, Chintala and Bottou 2017.) D needs a bound on its slope: a
    /// [gradient penalty](super::Penalties::gradient_penalty), or [clipped weights](super::GanSpec::weight_clip).
    Wasserstein,
    /// D: softplus(D(y) - D(x)), G: softplus(D(x) - D(y)), each real sample with the fake at its place in the batch.
    /// (Jolicoeur-Martineau 2019; Huang et al. 2024.)
    RelativisticPairing,
    /// D: softplus(m(y) - D(x)) + softplus(D(y) - m(x)), G: softplus(m(x) - D(y)) + softplus(D(x) - m(y)), with m(x) and m(y) the means of
    /// the logits of the batch's real samples and fakes. (Jolicoeur-Martineau 2019, RaSGAN.)
    RelativisticAverage,
}

/// What D's logits stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// The log-odds of "real".
    CrossEntropy,
    /// The logits of two classes.
    Classes,
    /// A score, with its loss for D and that for G.
    Score(ScoreLoss, ScoreLoss),
    /// Log-odds of the real sample against the fake are differences of it.
    Pairing,
    /// Log-odds against the other kind are its differences to the mean of that.
    Average,
}

impl Objective {
    /// Its name, as files have it: `non_saturating`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minimax => "minimax",
            Self::NonSaturating => "non_saturating",
            Self::NonSaturatingHalf => "non_saturating_half",
            Self::Softmax => "softmax",
            Self::LeastSquares => "least_squares",
            Self::Hinge => "hinge",
            Self::Wasserstein => "wasserstein",
            Self::RelativisticPairing => "relativistic_pairing",
            Self::RelativisticAverage => "relativistic_average",
        }
    }

    /// Logits that D gives for a sample.
    pub fn logits(self) -> usize {
        if self.family() == Family::Classes { 2 } else { 1 }
    }

    /// Whether a fake is judged beside a real sample, in G's step too.
    pub fn is_relativistic(self) -> bool {
        self.compares_pairs() || self.compares_with_means()
    }

    /// Whether that is the one at its place in the batch.
    pub(super) fn compares_pairs(self) -> bool {
        self.family() == Family::Pairing
    }

    /// Whether that is the mean of all real samples, and a real sample is compared with that of all fakes.
    pub(super) fn compares_with_means(self) -> bool {
        self.family() == Family::Average
    }

    /// The margin above which D takes a sample for real, with the labels of real samples smoothed by `smoothing`: that of the best D where
    /// both kinds are alike, which gives the probability `(1 - smoothing) / 2`. `None` where D compares samples and its logits have no
    /// zero.
    pub(super) fn border(self, smoothing: f32) -> Option<f32> {
        match self {
            Self::LeastSquares => Some(0.5 * (1.0 - smoothing)),
            Self::Wasserstein | Self::RelativisticPairing | Self::RelativisticAverage => None,
            _ if smoothing == 0.0 => Some(0.0),
            _ => Some(((1.0 - smoothing) / (1.0 + smoothing)).ln()),
        }
    }

    /// Whether D's loss has a target for each kind of samples, which may be smoothed.
    fn has_targets(self) -> bool {
        self.family() == Family::CrossEntropy || self == Self::LeastSquares
    }

    /// Checks that the labels of real samples can be smoothed so.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`].
    pub(super) fn check_smoothing(self, smoothing: f32) -> Result<()> {
        if !(0.0..1.0).contains(&smoothing) {
            let problem = format!("{smoothing} is not a number from 0 (none) up and below 1; usual is 0.1");
            return Err(Error::setting("label_smoothing", problem));
        }
        if smoothing != 0.0 && !self.has_targets() {
            let problem = format!(
                "the objective {} has no label of a real sample to smooth; leave it out, or take minimax, non_saturating, \
                 non_saturating_half or least_squares",
                self.name()
            );
            return Err(Error::setting("label_smoothing", problem));
        }
        Ok(())
    }

    /// Checks that D's slope has the bound that the objective needs.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`].
    pub(super) fn check_bound(
        self,
        penalties: &Penalties,
        weight_clip: f32,
        discriminator: &NetworkSpec,
    ) -> Result<()> {
        let is_bounded = discriminator.layers.iter().all(|layer| layer.normalization == Normalization::Spectral);
        if self != Self::Wasserstein || weight_clip != 0.0 || !penalties.is_none() || is_bounded {
            return Ok(());
        }
        let problem = "wasserstein needs a bound on D's slope: set gradient_penalty, usually to 10, or weight_clip to 0.01, or give all \
             layers of D spectral normalization";
        Err(Error::setting("objective", problem))
    }

    /// Whether both losses of a fake are cross-entropies of its one logit.
    pub(super) fn is_of_log_odds(self) -> bool {
        self.family() == Family::CrossEntropy
    }

    const fn family(self) -> Family {
        match self {
            Self::Minimax | Self::NonSaturating | Self::NonSaturatingHalf => Family::CrossEntropy,
            Self::Softmax => Family::Classes,
            Self::LeastSquares => Family::Score(ScoreLoss::LeastSquares, ScoreLoss::LeastSquares),
            Self::Hinge => Family::Score(ScoreLoss::Hinge, ScoreLoss::Linear),
            Self::Wasserstein => Family::Score(ScoreLoss::Linear, ScoreLoss::Linear),
            Self::RelativisticPairing => Family::Pairing,
            Self::RelativisticAverage => Family::Average,
        }
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
            let problem = "must be linear: the objective takes the logit as it is";
            return Err(Error::setting(setting("activation"), problem));
        }
        if output.dropout != 0.0 {
            return Err(Error::setting(setting("dropout"), "must be 0: dropping a logit has no meaning"));
        }
        Ok(())
    }

    /// D's terms for real samples, whose label is smoothed by `smoothing`, and for fakes.
    pub(crate) fn discriminator_terms(self, batch: usize, smoothing: f32) -> [LossTerm; 2] {
        let weight = self.discriminator_factor() / batch as f64;
        [true, false].map(|real| LossTerm { smoothing, ..LossTerm::new(real, weight as f32) })
    }

    /// G's term.
    pub(crate) fn generator_term(self, batch: usize) -> LossTerm {
        let (real, sign) = match self {
            Self::Minimax => (false, -1.0),
            _ => (true, 1.0),
        };
        LossTerm::new(real, (sign / batch as f64) as f32)
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

    /// Replaces the logits in the `lanes` of a panel by the gradient of a side's loss with respect to them. No lanes of pairs.
    #[allow(clippy::too_many_arguments, reason = "what the loss is, and where its logits stand")]
    pub(crate) fn loss(
        self,
        isa: Isa,
        (side, term): (Side, LossTerm),
        panel: &mut [f32],
        width: usize,
        lanes: Range<usize>,
        valid: usize,
        report: bool,
    ) -> LossSums {
        match self.family() {
            Family::Classes => {
                let (fake, real) = panel.split_at_mut(width);
                softmax_cross_entropy(isa, term, &mut fake[lanes.clone()], &mut real[lanes], valid, report)
            }
            Family::Score(of_discriminator, of_generator) => {
                let loss = if side == Side::Discriminator { of_discriminator } else { of_generator };
                score_loss(isa, loss, term, &mut panel[lanes], valid, report)
            }
            Family::CrossEntropy | Family::Pairing | Family::Average => {
                bce_with_logits(isa, term, &mut panel[lanes], valid, report)
            }
        }
    }

    /// Replaces the logits of real samples and of the fakes beside them by the gradients of a side's relativistic loss; in G's those of the
    /// real samples have no meaning.
    pub(crate) fn pairing_loss(
        isa: Isa,
        side: Side,
        batch: usize,
        [real, fake]: [&mut [f32]; 2],
        valid: usize,
        report: bool,
    ) -> LossSums {
        pairing_loss(isa, side, (1.0 / batch as f64) as f32, real, fake, valid, report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The border is where the best D stands at samples that are as likely real as fake: its loss is least there.
    #[test]
    fn borders_are_where_the_best_discriminator_is_undecided() {
        for objective in [Objective::Minimax, Objective::NonSaturatingHalf, Objective::LeastSquares] {
            for smoothing in [0.0, 0.1, 0.5] {
                let border = objective.border(smoothing).unwrap();
                let slope = |margin: f32| {
                    let terms = objective.discriminator_terms(1, smoothing);
                    let slopes = terms.map(|term| {
                        let mut panel = [margin];
                        objective.loss(Isa::best(), (Side::Discriminator, term), &mut panel, 1, 0..1, 1, false);
                        panel[0]
                    });
                    slopes[0] + slopes[1]
                };
                assert!(slope(border).abs() <= 1e-6, "{objective:?} {smoothing}: {}", slope(border));
                assert!(slope(border - 0.1) < 0.0 && slope(border + 0.1) > 0.0, "{objective:?} {smoothing}");
            }
        }
        assert_eq!(Objective::Hinge.border(0.0), Some(0.0));
        assert_eq!(Objective::Wasserstein.border(0.0), None);
    }
}
