//! How learning rates, and with them the betas of optimizers and the weights of penalties, change with the steps.

use std::f64::consts::PI;
use std::fmt;

use super::optimizer_spec::{Adam, AdamW, OptimizerSpec};
use super::penalties::Penalties;
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

/// A schedule: what share of its optimizer's learning rate each network has in each step, and on the same way what becomes of the betas and
/// of the weights of [`Penalties`].
///
/// Steps are counted from 1. With `w` steps of warm-up, step `t` up to `w` has the share `t / w` of the rate. Of the `n = steps - w` steps
/// behind, with `x = (t - 1 - w) / n`, the way back is `f = 1` (constant), `1 - x` (linear) or `(1 + cos(pi x)) / 2` (cosine), and a
/// quantity that begins at `a` and ends at `b` is `b + (a - b) f`. The rate ends at [`final_rate`](Self::final_rate) of its value, by
/// default at 0: these are PyTorch's `LinearLR` and `CosineAnnealingLR`. Betas and weights of penalties stay unless they are given an
/// end; they have no warm-up. Behind the last step of the schedule, the values of that step stay. (Huang et al. 2024 let the rate, the
/// weight of R1 and R2 and beta2 go along one cosine.)
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
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct RateSchedule {
    /// How the rates fall after the warm-up.
    pub decay: RateDecay,
    /// Steps until they are down, those of the warm-up included; without meaning where they do not fall.
    pub steps: u64,
    /// Steps in which the rates rise to their optimizers'; 0 = none.
    pub warmup_steps: u64,
    /// The share of the learning rates that they fall to, from 0, the default, to 1, where they stay.
    pub final_rate: f32,
    /// The share of the weights of penalties that they fall to, from 0 to 1, the default, where they stay.
    pub final_penalty: f32,
    /// What `beta1` of [`Adam`] and [`AdamW`] goes to, of both networks; `None` = it stays.
    pub final_beta1: Option<f32>,
    /// What their `beta2` goes to; `None` = it stays.
    pub final_beta2: Option<f32>,
}

impl Default for RateSchedule {
    fn default() -> Self {
        Self::constant()
    }
}

impl RateSchedule {
    /// The same rates in all steps.
    pub const fn constant() -> Self {
        Self::of(RateDecay::Constant, 0)
    }

    /// Rates that fall in a line for so many steps.
    pub const fn linear(steps: u64) -> Self {
        Self::of(RateDecay::Linear, steps)
    }

    /// Rates that fall along half a cosine for so many steps.
    pub const fn cosine(steps: u64) -> Self {
        Self::of(RateDecay::Cosine, steps)
    }

    const fn of(decay: RateDecay, steps: u64) -> Self {
        let (final_beta1, final_beta2) = (None, None);
        Self { decay, steps, warmup_steps: 0, final_rate: 0.0, final_penalty: 1.0, final_beta1, final_beta2 }
    }

    /// The same with a warm-up of so many steps, which are the first of [`steps`](Self::steps).
    #[must_use]
    pub const fn with_warmup(mut self, steps: u64) -> Self {
        self.warmup_steps = steps;
        self
    }

    /// The same whose rates fall to this [share](Self::final_rate).
    #[must_use]
    pub const fn with_final_rate(mut self, share: f32) -> Self {
        self.final_rate = share;
        self
    }

    /// The same in which the weights of penalties fall to this [share](Self::final_penalty).
    #[must_use]
    pub const fn with_final_penalty(mut self, share: f32) -> Self {
        self.final_penalty = share;
        self
    }

    /// The same in which `beta1` goes to [this](Self::final_beta1).
    #[must_use]
    pub const fn with_final_beta1(mut self, beta1: f32) -> Self {
        self.final_beta1 = Some(beta1);
        self
    }

    /// The same in which `beta2` goes to [this](Self::final_beta2).
    #[must_use]
    pub const fn with_final_beta2(mut self, beta2: f32) -> Self {
        self.final_beta2 = Some(beta2);
        self
    }

    /// The share of the learning rate in step `step`, counted from 1.
    pub fn share(&self, step: u64) -> f64 {
        let step = step.max(1);
        if step <= self.warmup_steps {
            return step as f64 / self.warmup_steps as f64;
        }
        self.between(1.0, self.final_rate.into(), step)
    }

    /// An optimizer as it is in step `step`, counted from 1: its learning rate and its betas.
    pub(super) fn optimizer(&self, optimizer: OptimizerSpec, step: u64) -> OptimizerSpec {
        let mut optimizer = optimizer.at_share(self.share(step));
        if let OptimizerSpec::Adam(Adam { beta1, beta2, .. }) | OptimizerSpec::AdamW(AdamW { beta1, beta2, .. }) =
            &mut optimizer
        {
            for (beta, last) in [(beta1, self.final_beta1), (beta2, self.final_beta2)] {
                if let Some(last) = last {
                    *beta = self.between((*beta).into(), last.into(), step) as f32;
                }
            }
        }
        optimizer
    }

    /// Penalties as they are in step `step`, counted from 1.
    pub(super) fn penalties(&self, penalties: Penalties, step: u64) -> Penalties {
        if self.final_penalty == 1.0 {
            return penalties;
        }
        penalties.times(self.between(1.0, self.final_penalty.into(), step))
    }

    /// What goes from `first` to `last` with the steps, in step `step`.
    fn between(&self, first: f64, last: f64, step: u64) -> f64 {
        last + (first - last) * self.way_back(step)
    }

    /// How much of the way from its end to its beginning is left in step `step`, counted from 1: 1 up to the end of the warm-up.
    fn way_back(&self, step: u64) -> f64 {
        let step = step.max(1);
        if step <= self.warmup_steps {
            return 1.0;
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
        let stays = (behind - falling) * self.way_back(self.steps);
        let fallen = match self.decay {
            RateDecay::Constant => return 0.5 * warmup + behind,
            RateDecay::Linear => falling * (1.0 - 0.5 * passed),
            // The sine of pi x.
            RateDecay::Cosine => 0.5 * falling + whole / (2.0 * PI) * cos_pi((0.5 - passed).abs()),
        };
        let last = f64::from(self.final_rate);
        0.5 * warmup + last * behind + (1.0 - last) * (fallen + stays)
    }

    /// The names of the ends that are not the usual ones.
    fn ends(&self) -> impl Iterator<Item = &'static str> {
        [
            ("final_rate", self.final_rate != 0.0),
            ("final_penalty", self.final_penalty != 1.0),
            ("final_beta1", self.final_beta1.is_some()),
            ("final_beta2", self.final_beta2.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, is_given)| is_given.then_some(name))
    }

    /// Checks that what has an end of its own is there.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`].
    pub(super) fn check_ends(&self, optimizers: [OptimizerSpec; 2], penalties: &Penalties) -> Result<()> {
        let has_betas = |spec: &OptimizerSpec| matches!(spec, OptimizerSpec::Adam(_) | OptimizerSpec::AdamW(_));
        for name in self.ends() {
            let problem = match name {
                "final_penalty" if penalties.is_none() => {
                    "there is no penalty whose weight could fall; set r1, r2 or gradient_penalty, or leave it out"
                }
                "final_beta1" | "final_beta2" if !optimizers.iter().any(has_betas) => {
                    "no optimizer has betas; take adam or adamw, or leave it out"
                }
                _ => continue,
            };
            return Err(Error::setting(name, problem));
        }
        Ok(())
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
            let problem = format!("leaves no step for the rates to fall: it is {steps}, and warmup_steps is {warmup}");
            return Err(Error::setting("schedule_steps", problem));
        }
        for (name, share) in [("final_rate", self.final_rate), ("final_penalty", self.final_penalty)] {
            if !(0.0..=1.0).contains(&share) {
                return Err(Error::setting(name, format!("{share} is not a share from 0 to 1")));
            }
        }
        for (name, beta) in [("final_beta1", self.final_beta1), ("final_beta2", self.final_beta2)] {
            if let Some(beta) = beta.filter(|beta| !(0.0..1.0).contains(beta)) {
                return Err(Error::setting(name, format!("{beta} is not a number from 0 up and below 1")));
            }
        }
        if self.decay == RateDecay::Constant
            && let Some(name) = self.ends().next()
        {
            let problem = "is where a schedule ends; set schedule to linear or cosine, or leave it out";
            return Err(Error::setting(name, problem));
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
            (RateDecay::Constant, 1) => formatter.write_str(" after 1 step of warm-up"),
            (RateDecay::Constant, warmup) => write!(formatter, " after {warmup} steps of warm-up"),
            (_, 0) if self.steps == 1 => formatter.write_str(" over 1 step"),
            (_, 0) => write!(formatter, " over {} steps", self.steps),
            (_, warmup) => write!(formatter, " over {} steps, {warmup} of them warm-up", self.steps),
        }?;
        if self.final_rate != 0.0 {
            write!(formatter, ", down to {} of them", self.final_rate)?;
        }
        if self.final_penalty != 1.0 {
            write!(formatter, ", penalties down to {} of theirs", self.final_penalty)?;
        }
        for (name, beta) in [("beta1", self.final_beta1), ("beta2", self.final_beta2)] {
            if let Some(beta) = beta {
                write!(formatter, ", {name} to {beta}")?;
            }
        }
        Ok(())
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
                let schedule = RateSchedule { warmup_steps: warmup, ..RateSchedule::of(decay, steps) };
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
            RateSchedule::cosine(3_000).with_warmup(100).with_final_rate(0.25),
            RateSchedule::linear(3_000).with_final_rate(1.0),
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

    /// One way for all: at its beginning what the specification says, at its end what the schedule says, and in the middle the middle.
    #[test]
    fn betas_and_weights_go_the_way_of_the_rates() {
        let schedule = RateSchedule::cosine(20).with_final_rate(0.5).with_final_penalty(0.25).with_final_beta2(0.5);
        let schedule = schedule.with_warmup(0);
        let (adam, penalties) = (Adam::new(0.5).with_beta1(0.25).with_beta2(0.75), Penalties::default().with_r1(2.0));
        let at = |step: u64| match schedule.optimizer(adam.into(), step) {
            OptimizerSpec::Adam(now) => {
                [now.learning_rate, now.beta1, now.beta2, schedule.penalties(penalties, step).r1]
            }
            other => panic!("{other}"),
        };
        assert_eq!(at(1), [0.5, 0.25, 0.75, 2.0]);
        assert_eq!(at(11), [0.375, 0.25, 0.625, 1.25]);
        // The last step is one before the end of the way.
        let last = (1.0 + (PI * 0.95).cos()) / 2.0;
        let near = at(20).into_iter().zip([0.25 + 0.25 * last, 0.25, 0.5 + 0.25 * last, 0.5 + 1.5 * last]);
        assert!(near.into_iter().all(|(found, expected)| (f64::from(found) - expected).abs() < 1e-6), "{:?}", at(20));
        assert_eq!(at(u64::MAX), at(20));
        // The rates alone have a warm-up.
        let warm = schedule.with_warmup(10);
        assert_eq!(warm.penalties(penalties, 5).r1, 2.0);
        assert_eq!(warm.optimizer(adam.into(), 5).learning_rate(), 0.25);
        let text = schedule.to_string();
        assert_eq!(text, "cosine over 20 steps, down to 0.5 of them, penalties down to 0.25 of theirs, beta2 to 0.5");
        // What has no betas stays as it is.
        let descent = OptimizerSpec::sgd(0.5);
        assert_eq!(schedule.optimizer(descent, 11), OptimizerSpec::sgd(0.375));
    }

    #[test]
    fn ends_that_make_no_sense_are_refused_by_name() {
        let (falling, constant) = (RateSchedule::cosine(10), RateSchedule::constant());
        for (schedule, name) in [
            (falling.with_final_rate(1.5), "final_rate"),
            (falling.with_final_rate(f32::NAN), "final_rate"),
            (falling.with_final_penalty(-0.5), "final_penalty"),
            (falling.with_final_beta1(1.0), "final_beta1"),
            (falling.with_final_beta2(f32::NAN), "final_beta2"),
            (constant.with_final_rate(0.5), "final_rate"),
            (constant.with_final_penalty(0.5), "final_penalty"),
            (constant.with_final_beta1(0.5), "final_beta1"),
        ] {
            let problem = schedule.validate().unwrap_err().to_string();
            assert!(problem.contains(name), "{problem}");
        }
        let (none, adam, descent) = (Penalties::default(), OptimizerSpec::adam(0.1), OptimizerSpec::sgd(0.1));
        let of = |schedule: RateSchedule, optimizers, penalties: Penalties| schedule.check_ends(optimizers, &penalties);
        assert!(
            of(falling.with_final_penalty(0.5), [adam; 2], none).unwrap_err().to_string().contains("final_penalty")
        );
        assert!(of(falling.with_final_beta2(0.5), [descent; 2], none).unwrap_err().to_string().contains("final_beta2"));
        of(falling.with_final_beta2(0.5), [descent, adam], none).unwrap();
        of(falling.with_final_penalty(0.5), [descent; 2], none.with_r2(1.0)).unwrap();
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
