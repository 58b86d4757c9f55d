//! Penalties on D's gradient with respect to samples, which D's loss is joined by.

use crate::error::{Error, Result};
use crate::net::{NetworkSpec, Normalization};

/// Penalties on the norm of D's gradient with respect to a sample, each a mean over the batch, added to D's loss. A weight of 0 leaves
/// one out, which is the default of all.
///
/// The gradient is that of the logit; with two logits, of "real" less "fake". `docs/penalties.md` derives what D learns by them, and what
/// they cost: with piecewise linear activations about a quarter of a step.
///
/// ```
/// use gannet::gan::Penalties;
///
/// let penalties = Penalties::default().with_r1(0.1).with_r2(0.1);
/// assert_eq!((penalties.r1, penalties.gradient_penalty, penalties.interval), (0.1, 0.0, 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct Penalties {
    /// R1: this weight, times half the squared norm at real samples (Mescheder, Geiger and Nowozin 2018, "Which training methods for GANs
    /// do actually converge?", where it is called gamma).
    pub r1: f32,
    /// R2: the same at fakes.
    pub r2: f32,
    /// WGAN-GP: this weight, times the squared distance of the norm from 1 at samples drawn evenly between a real one and a fake (Gulrajani
    /// et al. 2017, "Improved training of Wasserstein GANs", where it is called lambda and 10).
    pub gradient_penalty: f32,
    /// Whether [`gradient_penalty`](Self::gradient_penalty) leaves norms below 1 alone.
    pub one_sided: bool,
    /// Penalties are added in every so-many-th turn of D, the first included, with so many times their weight (Karras et al. 2020,
    /// "Analyzing and improving the image quality of StyleGAN", section 3.1).
    pub interval: u64,
}

impl Default for Penalties {
    fn default() -> Self {
        Self { r1: 0.0, r2: 0.0, gradient_penalty: 0.0, one_sided: false, interval: 1 }
    }
}

impl Penalties {
    /// The same with this weight of [R1](Self::r1).
    #[must_use]
    pub const fn with_r1(mut self, weight: f32) -> Self {
        self.r1 = weight;
        self
    }

    /// The same with this weight of [R2](Self::r2).
    #[must_use]
    pub const fn with_r2(mut self, weight: f32) -> Self {
        self.r2 = weight;
        self
    }

    /// The same with this weight of the [gradient penalty](Self::gradient_penalty) of WGAN-GP.
    #[must_use]
    pub const fn with_gradient_penalty(mut self, weight: f32) -> Self {
        self.gradient_penalty = weight;
        self
    }

    /// The same with a gradient penalty of [one side](Self::one_sided), or of both.
    #[must_use]
    pub const fn with_one_sided(mut self, one_sided: bool) -> Self {
        self.one_sided = one_sided;
        self
    }

    /// The same at every so-many-th [turn of D](Self::interval).
    #[must_use]
    pub const fn with_interval(mut self, interval: u64) -> Self {
        self.interval = interval;
        self
    }

    /// The same with so many times the weights.
    pub(super) fn times(mut self, factor: f64) -> Self {
        for weight in [&mut self.r1, &mut self.r2, &mut self.gradient_penalty] {
            *weight = (f64::from(*weight) * factor) as f32;
        }
        self
    }

    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        !self.are_of_pairs() && self.gradient_penalty == 0.0
    }

    /// Whether there are penalties at the samples of D's loss.
    pub(super) fn are_of_pairs(&self) -> bool {
        self.r1 != 0.0 || self.r2 != 0.0
    }

    /// Whether they join the turn of D after so many others.
    pub(super) fn are_due(&self, turns: u64) -> bool {
        turns.is_multiple_of(self.interval.max(1))
    }

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] that names the first offence, as a configuration file calls it.
    pub fn validate(&self) -> Result<()> {
        let weights = [("r1", self.r1), ("r2", self.r2), ("gradient_penalty", self.gradient_penalty)];
        for (field, weight) in weights {
            // As a factor of gradients, more than this could not be told from infinity.
            if !(0.0..=1e12).contains(&weight) {
                let problem = format!("{weight} is not a number from 0 (none) to 1e12");
                return Err(Error::setting(field, problem));
            }
        }
        /// More would be a mistake: the penalty would hardly ever come.
        const MOST_INTERVAL: u64 = 1 << 20;
        if !(1..=MOST_INTERVAL).contains(&self.interval) {
            let problem = format!("{} is not between 1 and {MOST_INTERVAL}", self.interval);
            return Err(Error::setting("penalty_interval", problem));
        }
        if self.one_sided && self.gradient_penalty == 0.0 {
            let problem = "has a meaning for a gradient_penalty alone, whose weight is 0; set that, or leave this out";
            return Err(Error::setting("one_sided", problem));
        }
        if self.interval > 1 && self.is_none() {
            let problem =
                "there is no penalty whose interval it could be; set r1, r2 or gradient_penalty, or leave it out";
            return Err(Error::setting("penalty_interval", problem));
        }
        Ok(())
    }

    /// Checks that D gives each sample a gradient of its own.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for penalties on a D with batch normalization.
    pub(super) fn check_discriminator(&self, discriminator: &NetworkSpec) -> Result<()> {
        let normalized = discriminator.layers.iter().position(|of| of.normalization == Normalization::Batch);
        let Some(layer) = normalized.filter(|_| !self.is_none()) else { return Ok(()) };
        let problem = "by batch normalization D's gradient at a sample moves with the others, and penalties are about single samples; \
                       take `layer` or `spectral`, or no penalties";
        Err(Error::setting(format!("discriminator.layers[{layer}].normalization"), problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let none = Penalties::default();
        for (penalties, name) in [
            (none.with_r1(-1.0), "r1"),
            (none.with_r2(f32::NAN), "r2"),
            (none.with_gradient_penalty(f32::INFINITY), "gradient_penalty"),
            (none.with_r1(1.0).with_interval(0), "penalty_interval"),
            (none.with_r1(1.0).with_one_sided(true), "one_sided"),
            (none.with_interval(2), "penalty_interval"),
        ] {
            let problem = penalties.validate().unwrap_err().to_string();
            assert!(problem.contains(name), "{problem}");
        }
        none.with_gradient_penalty(10.0).with_one_sided(true).with_r1(1e-6).with_interval(16).validate().unwrap();
    }

    #[test]
    fn they_are_due_at_the_first_turn_and_then_at_every_so_many_th() {
        let due =
            |interval: u64| (0..7).filter(move |turn| Penalties::default().with_interval(interval).are_due(*turn));
        assert_eq!(due(3).collect::<Vec<u64>>(), [0, 3, 6]);
        assert_eq!(due(1).count(), 7);
    }
}
