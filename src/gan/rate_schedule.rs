//! How learning rates change with the steps.

use std::f64::consts::PI;
use std::fmt;

use crate::error::{Error, Result};

/// How learning rates fall after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum RateDecay {
    /// They do not.
    #[default]
    Constant,
    /// In a line towards 0.
    Linear,
    /// Along half a cosine towards 0 (Loshchilov and Hutter, "SGDR", 2017, without restarts).
    Cosine,
}

impl RateDecay {
    /// Its name, as files have it: `cosine`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Linear => "linear",
            Self::Cosine => "cosine",
        }
    }
}

/// A schedule of learning rates: what share of its optimizer's rate each network has in each step.
///
/// Steps are counted from 1. With `w` steps of warm-up, step `t` up to `w` has the share `t / w`. Of the `n = steps - w` steps behind,
/// with `x = (t - 1 - w) / n`, it has 1 (constant), `1 - x` (linear) or `(1 + cos(pi x)) / 2` (cosine). Behind the last step of the
/// schedule, the share of that step stays. These are PyTorch's `LinearLR` and `CosineAnnealingLR` down to 0.
///
/// The share depends on the step and these settings alone, so that a run that is resumed has the rates of one that never stopped.
///
/// ```
/// use gannet::gan::RateSchedule;
///
/// let schedule = RateSchedule::linear(110).with_warmup(10);
/// assert_eq!([1, 5, 10, 11, 61].map(|step| schedule.share(step)), [0.1, 0.5, 1.0, 1.0, 0.5]);
/// assert_eq!(schedule.share(1_000), schedule.share(110));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct RateSchedule {
    /// How the rates fall after the warm-up.
    pub decay: RateDecay,
    /// Steps until they are down, those of the warm-up included; without meaning where they do not fall.
    pub steps: u64,
    /// Steps in which the rates rise to their optimizers'; 0 = none.
    pub warmup_steps: u64,
}

impl RateSchedule {
    /// The same rates in all steps.
    pub const fn constant() -> Self {
        Self { decay: RateDecay::Constant, steps: 0, warmup_steps: 0 }
    }

    /// Rates that fall in a line for so many steps.
    pub const fn linear(steps: u64) -> Self {
        Self { decay: RateDecay::Linear, steps, warmup_steps: 0 }
    }

    /// Rates that fall along half a cosine for so many steps.
    pub const fn cosine(steps: u64) -> Self {
        Self { decay: RateDecay::Cosine, steps, warmup_steps: 0 }
    }

    /// The same with a warm-up of so many steps, which are the first of [`steps`](Self::steps).
    #[must_use]
    pub const fn with_warmup(mut self, steps: u64) -> Self {
        self.warmup_steps = steps;
        self
    }

    /// The share of the learning rate in step `step`, counted from 1.
    pub fn share(&self, step: u64) -> f64 {
        let step = step.max(1);
        if step <= self.warmup_steps {
            return step as f64 / self.warmup_steps as f64;
        }
        let whole = self.steps.saturating_sub(self.warmup_steps).max(1);
        let passed = (step - 1 - self.warmup_steps).min(whole - 1) as f64 / whole as f64;
        match self.decay {
            RateDecay::Constant => 1.0,
            RateDecay::Linear => 1.0 - passed,
            RateDecay::Cosine => 0.5 * (1.0 + cos_pi(passed)),
        }
    }

    /// The steps whose shares come to `sum`, to within a few: for verdicts that ask how far parameters could have moved.
    pub(crate) fn steps_for(&self, sum: f64) -> f64 {
        if self.decay == RateDecay::Constant && self.warmup_steps == 0 {
            return sum;
        }
        let (mut too_few, mut enough) = (0.0, 1.0);
        while self.sum(enough) < sum && enough < 1e18 {
            (too_few, enough) = (enough, 2.0 * enough);
        }
        while enough - too_few > 0.5 {
            let middle = 0.5 * (too_few + enough);
            // Beyond 2^53 there is no number between the two.
            if middle <= too_few || middle >= enough {
                break;
            }
            *(if self.sum(middle) < sum { &mut too_few } else { &mut enough }) = middle;
        }
        enough
    }

    /// The sum of the first `steps` shares, as the integral has it.
    fn sum(&self, steps: f64) -> f64 {
        let warmup = self.warmup_steps as f64;
        if steps <= warmup {
            return 0.5 * steps * steps / warmup;
        }
        let whole = self.steps.saturating_sub(self.warmup_steps).max(1) as f64;
        let (behind, falling) = (steps - warmup, (steps - warmup).min(whole));
        let passed = falling / whole;
        let stays = (behind - falling) * self.share(self.steps);
        let fallen = match self.decay {
            RateDecay::Constant => return 0.5 * warmup + behind,
            RateDecay::Linear => falling * (1.0 - 0.5 * passed),
            // The sine of pi x.
            RateDecay::Cosine => 0.5 * falling + whole / (2.0 * PI) * cos_pi((0.5 - passed).abs()),
        };
        0.5 * warmup + fallen + stays
    }

    /// Checks it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`].
    pub(super) fn validate(&self) -> Result<()> {
        if self.decay == RateDecay::Constant && self.steps != 0 {
            let problem = "has a meaning for a schedule that falls; set schedule to linear or cosine, or leave it out";
            return Err(Error::setting("schedule_steps", problem));
        }
        if self.decay != RateDecay::Constant && self.steps <= self.warmup_steps {
            let (steps, warmup) = (self.steps, self.warmup_steps);
            let problem = format!("{steps} steps leave none for the rates to fall after {warmup} warmup_steps");
            return Err(Error::setting("schedule_steps", problem));
        }
        Ok(())
    }
}

/// What people call it: `cosine over 10000 steps, 500 of them warm-up`.
impl fmt::Display for RateSchedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.decay.name())?;
        match (self.decay, self.warmup_steps) {
            (RateDecay::Constant, 0) => Ok(()),
            (RateDecay::Constant, warmup) => write!(formatter, " after {warmup} steps of warm-up"),
            (_, 0) => write!(formatter, " over {} steps", self.steps),
            (_, warmup) => write!(formatter, " over {} steps, {warmup} of them warm-up", self.steps),
        }
    }
}

/// The cosine of `pi x` for `x` from 0 to 1, to 1e-15: the same bits on every platform, which the C library's does not promise.
fn cos_pi(x: f64) -> f64 {
    /// Terms of the sine's series at pi / 2, of which the next is below 1e-17.
    const TERMS: u32 = 10;
    let angle = PI * (0.5 - x);
    let square = angle * angle;
    angle * (1..=TERMS).rev().fold(1.0, |rest, term| 1.0 - square * rest / f64::from(2 * term * (2 * term + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The formulas, with the cosine of the C library.
    #[test]
    fn shares_are_those_of_the_formulas() {
        for (steps, warmup) in [(1, 0), (10, 0), (10, 3), (1_000, 999), (100_000, 500)] {
            for decay in [RateDecay::Constant, RateDecay::Linear, RateDecay::Cosine] {
                let schedule = RateSchedule { decay, steps, warmup_steps: warmup };
                // A length has a meaning where rates fall.
                assert_eq!(schedule.validate().is_ok(), decay != RateDecay::Constant);
                for step in (1..=steps.min(300)).chain(steps.saturating_sub(300).max(1)..=steps) {
                    let x = (step as f64 - 1.0 - warmup as f64) / (steps - warmup) as f64;
                    let expected = match decay {
                        _ if step <= warmup => step as f64 / warmup as f64,
                        RateDecay::Constant => 1.0,
                        RateDecay::Linear => 1.0 - x,
                        RateDecay::Cosine => 0.5 * (1.0 + (PI * x).cos()),
                    };
                    let found = schedule.share(step);
                    assert!(
                        (found - expected).abs() <= 1e-15 && found > 0.0,
                        "{schedule:?} {step}: {found} {expected}"
                    );
                }
                assert_eq!([steps + 1, u64::MAX].map(|step| schedule.share(step)), [schedule.share(steps); 2]);
            }
        }
        assert_eq!(RateSchedule::default(), RateSchedule::constant());
        assert_eq!((RateSchedule::cosine(7).share(0), RateSchedule::linear(7).share(1)), (1.0, 1.0));
    }

    #[test]
    fn the_steps_that_shares_come_to_are_counted() {
        for schedule in [
            RateSchedule::constant(),
            RateSchedule::constant().with_warmup(400),
            RateSchedule::linear(3_000).with_warmup(100),
            RateSchedule::cosine(3_000),
            RateSchedule::cosine(3_000).with_warmup(2_000),
        ] {
            for sum in [1.0, 50.0, 700.0, 1_200.0] {
                let (mut steps, mut found) = (0, 0.0);
                while found < sum {
                    steps += 1;
                    found += schedule.share(steps);
                }
                let told = schedule.steps_for(sum);
                assert!((told - steps as f64).abs() <= 3.0 + 0.01 * steps as f64, "{schedule} {sum}: {told} {steps}");
            }
        }
        assert!(RateSchedule::linear(10).steps_for(1e300) >= 1e18);
    }

    #[test]
    fn schedules_without_a_fall_are_refused() {
        for schedule in [RateSchedule::linear(0), RateSchedule::cosine(10).with_warmup(10)] {
            let problem = schedule.validate().unwrap_err().to_string();
            assert!(problem.contains("schedule_steps"), "{problem}");
        }
        RateSchedule::constant().with_warmup(u64::MAX).validate().unwrap();
    }
}
