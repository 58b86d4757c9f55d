//! Verdicts over time: what the last evaluations, held against those before, say in words.
//!
//! ```text
//! all hidden units of G or D are dead                                         generator not learning
//! in all of the window
//!     the spread is that of the first evaluation                              generator not learning
//!     D wins
//!         and the coverage fell to half of what it was, or the spread to 0    collapse suspected
//!         else, and the spread stands still                                   generator not learning
//!         else                                                                discriminator too strong
//! G had too little time                                                       too early to tell
//! in all of the window the coverage is that of a few modes                    collapse suspected
//! the last evaluation
//!     its samples have no spread, or miss modes and lie within the data       collapse suspected
//!     lies outside of the data, or very far from them                         far from the data
//! in all of the window the samples lie far from the data                      far from the data
//! else                                                                        healthy
//! ```
//!
//! Of a D that sees no more than the mean, the mean alone is judged.
//!
//! A gradient of G that vanishes counts only where D wins: where D is undecided, that is the end that training aims at.
//!
//! The figures behind the thresholds come from normal runs of the presets, ten evaluations each (40 seeds of `circle` and
//! `gaussian2d`, 20 of `mixture1d` and `mixture1d-deep`, 3 of `digits`; one of `mnist` over 16 epochs with 64), and from some
//! twenty that were provoked: by learning rates 10 to 100 times too high or down to a millionth, or by a single latent feature.

use std::collections::VecDeque;

use super::figures::Health;
use super::verdict::Verdict;
use crate::gan::spec::{GanSpec, OptimizerSpec};
use crate::kernel::activation::Activation;
use crate::net::NetworkSpec;

/// Evaluations that a verdict takes at least: one alone is chance. A D that swings is right about all samples now and then.
const WINDOW: usize = 3;

/// Steps that a window spans at least: else evaluations at every step would be judged as one moment.
const WINDOW_STEPS: u64 = 100;

/// Steps before which evaluations are not judged. Until then it is normal that D is ahead.
const WARM_UP: u64 = 500;

/// D wins where its accuracy is at least this. Least of three evaluations in a row, at most: presets on points and `digits` 0.88
/// (a single one), `mnist` in its second epoch 0.965. With D's learning rate ten or twenty times as high: 0.98 to 1.
const WINNING: f64 = 0.98;

/// The spread stands still where it changes by less than this share of itself. With a millionth of its learning rate G changes
/// nothing in six digits; with a thousandth, 1e-3 in 300 steps. In runs where D won and G moved: 0.03 and more in 400 steps.
const STANDSTILL: f64 = 1e-3;

/// There is no spread below this: all samples are nearly one. Least of normal runs whose D sees more than the mean: 0.05 (`mnist`
/// in its third epoch); of generators that fell into one point: 0.002 and less.
const NO_SPREAD: f64 = 0.01;

/// Coverage of a few modes: at most this. Least from the first tenth of a run on: `gaussian2d` 0.117 (a generator near a line),
/// `circle` 0.10, `mixture1d-deep` 0.31, `digits` 0.43; `mnist` 0.16 after the warm-up. Collapsed: a point 0.002, the curve that one latent feature gives on
/// `digits` 0.014 to 0.025, `mnist` in its first four epochs 0.002 to 0.03.
const FEW_MODES: f64 = 0.05;

/// Modes are lost where the samples miss more than this share of the data. Most of normal runs (26 November 2026, 20 seeds, every
/// evaluation from step 1,000 on): `gaussian2d` 0.320 once; `mixture1d-deep` 0.059; `circle` of 100 epochs 0.031; `digits` 0.193
/// (206 of 220 evaluations, seven seeds to the end). Trained on one half of a circle, some 0.5.
const LOST: f64 = 0.35;

/// Samples that miss modes lie within the data where their spread and the shift of their mean are at most these multiples of the
/// data's spread. One point of a circle is 1.0 aside, a circle that is 1.5 of its radii away 1.49.
const WIDE: f64 = 1.5;
const ASIDE: f64 = 1.2;

/// Samples are far from the data where their distance is above the first in all of a window, or above the second now; and above
/// so many times that of two halves of the data. Most of the same runs, in all of a window and in one evaluation: `gaussian2d` 0.391
/// and 0.614 (at their ends 0.231), `circle` 0.161 and 0.238, `mixture1d-deep` 0.158 and 0.185, `digits` 0.216. Two halves: 0.04 to
/// 0.21. A circle that is 1.5 of its radii away: 1.3.
const FAR: f64 = 0.45;
const FAR_NOW: f64 = 0.7;
const HALVES: f64 = 3.0;

/// The mean is far off above this. Most of 20 seeds of `mixture1d`: 0.402 in one evaluation, 0.098 at the end.
const MEAN_FAR: f64 = 0.6;

/// Steps before which samples are not held against G. Between 500 and 1,000 steps a normal run of `gaussian2d` was 0.9 s.d. from the
/// data.
const LEARNED: u64 = 1_000;

/// Adam moves a parameter by about its learning rate a step. Few modes are held against G only once its parameters could have
/// moved by this much, which is as much as weights come to. Before, they are normal: `mnist` (0.0002) shows one class in its
/// first epochs and leaves it after some 3,500 steps.
const WAY: f64 = 1.0;

/// Judges the evaluations of one run, in their order. A run that is resumed has the same verdicts as one never stopped if a new
/// watch is given the evaluations before.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Whether D sees no more of the data than their mean: then few modes say nothing of this run.
    only_mean: bool,
    /// The step from which on few modes count.
    warm: f64,
    /// Of the first evaluation.
    first_spread: Option<f64>,
    /// The largest coverage before the window.
    best_coverage: f64,
    /// The last evaluations.
    recent: VecDeque<(u64, Health)>,
}

impl Watch {
    /// A watch over a run of `spec`.
    pub fn new(spec: &GanSpec) -> Self {
        let way = match spec.generator_optimizer {
            OptimizerSpec::Adam { learning_rate, .. } => (WAY / f64::from(learning_rate)).round(),
            OptimizerSpec::Sgd { .. } => 0.0,
        };
        Self {
            only_mean: is_linear(&spec.discriminator),
            warm: way.max(LEARNED as f64),
            first_spread: None,
            best_coverage: 0.0,
            recent: VecDeque::new(),
        }
    }

    /// Takes the figures after `step` steps and judges the run. An evaluation at a step that was there before replaces that and
    /// what came after it.
    pub fn push(&mut self, step: u64, health: &Health) -> Verdict {
        while self.recent.back().is_some_and(|(last, _)| *last >= step) {
            self.recent.pop_back();
        }
        let first_spread = *self.first_spread.get_or_insert(health.spread);
        self.recent.push_back((step, *health));
        // What is left is the shortest window.
        while self.recent.len() > WINDOW && step - self.recent[1].0 >= WINDOW_STEPS {
            if let Some((_, before)) = self.recent.pop_front() {
                self.best_coverage = self.best_coverage.max(before.coverage);
            }
        }
        let Some((begin, _)) = self.recent.front().copied() else { return Verdict::TooEarly };
        if begin < WARM_UP || self.recent.len() < WINDOW || step - begin < WINDOW_STEPS {
            return Verdict::TooEarly;
        }
        self.judge(begin, first_spread)
    }

    /// The verdict on the figures of one moment alone, of a GAN of `spec` that had time to learn. What takes several evaluations,
    /// whether D is too strong and whether G learns, is not seen.
    pub fn glance(spec: &GanSpec, health: &Health) -> Verdict {
        Self::new(spec).of_moment(health)
    }

    /// What one evaluation says of the samples. A figure that is no number is far off.
    fn of_moment(&self, health: &Health) -> Verdict {
        let within = |value: f64, most: f64| value <= most;
        let by_halves = |most: f64| most.max(HALVES * health.halves_distance);
        if self.only_mean {
            let near = within(health.mean_shift, by_halves(MEAN_FAR));
            return if near { Verdict::Healthy } else { Verdict::FarFromData };
        }
        if health.spread < NO_SPREAD {
            return Verdict::CollapseSuspected;
        }
        if !within(health.lost_share, LOST) {
            let inside = within(health.spread, WIDE) && within(health.mean_shift, ASIDE);
            return if inside { Verdict::CollapseSuspected } else { Verdict::FarFromData };
        }
        if within(health.data_distance, by_halves(FAR_NOW)) { Verdict::Healthy } else { Verdict::FarFromData }
    }

    /// The verdict on the window, which begins with step `begin`.
    fn judge(&self, begin: u64, first_spread: f64) -> Verdict {
        let all = |holds: &dyn Fn(&Health) -> bool| self.recent.iter().all(|(_, health)| holds(health));
        let still_at = |spread: f64| all(&|health| (health.spread - spread).abs() <= STANDSTILL * spread.abs());
        let still = self.recent.back().is_some_and(|(_, last)| still_at(last.spread));
        let dead = all(&|health| health.generator_dead_units >= 1.0 || health.discriminator_dead_units >= 1.0);
        if dead || still_at(first_spread) {
            return Verdict::GeneratorNotLearning;
        }
        if all(&|health| health.accuracy() >= WINNING) {
            let fell = all(&|health| {
                let no_spread = health.spread < NO_SPREAD.min(first_spread / 2.0);
                no_spread || self.best_coverage > 2.0 * FEW_MODES && health.coverage < self.best_coverage / 2.0
            });
            return match (fell, still) {
                (true, _) => Verdict::CollapseSuspected,
                (_, true) => Verdict::GeneratorNotLearning,
                _ => Verdict::DiscriminatorTooStrong,
            };
        }
        if (begin as f64) < self.warm {
            return Verdict::TooEarly;
        }
        if !self.only_mean && all(&|health| health.coverage <= FEW_MODES) {
            return Verdict::CollapseSuspected;
        }
        let far = |health: &Health| health.data_distance > FAR.max(HALVES * health.halves_distance);
        match self.recent.back().map_or(Verdict::TooEarly, |(_, last)| self.of_moment(last)) {
            Verdict::Healthy if !self.only_mean && all(&far) => Verdict::FarFromData,
            verdict => verdict,
        }
    }
}

/// Whether a network is a linear map. A linear D with a sigmoid above pulls G along one direction, and at balance it asks for
/// no more than the mean.
fn is_linear(network: &NetworkSpec) -> bool {
    network.layers.iter().rev().skip(1).all(|layer| layer.activation == Activation::Linear)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::presets::Preset;

    const USUAL: Health = Health {
        real_accuracy: 0.6,
        fake_accuracy: 0.6,
        spread: 0.9,
        coverage: 0.5,
        lost_share: 0.05,
        data_distance: 0.1,
        halves_distance: 0.05,
        mean_shift: 0.05,
        generator_gradient_norm: Some(0.1),
        discriminator_gradient_norm: Some(0.1),
        generator_dead_units: 0.1,
        discriminator_dead_units: 0.1,
    };

    /// The verdicts on evaluations every `every` steps from 0 on; `change` is handed their number.
    fn verdicts(spec: &GanSpec, every: u64, count: u64, change: impl Fn(u64, &mut Health)) -> Vec<Verdict> {
        let mut watch = Watch::new(spec);
        let judge = |number: u64| {
            let mut health = Health { spread: 0.9 + 0.01 * (number % 7) as f64, ..USUAL };
            change(number, &mut health);
            watch.push(number * every, &health)
        };
        (0..count).map(judge).collect()
    }

    /// Too early `before` times, and then `verdict`.
    #[track_caller]
    fn expect(found: &[Verdict], before: usize, verdict: Verdict) {
        let right =
            |(index, found): (usize, &Verdict)| *found == if index < before { Verdict::TooEarly } else { verdict };
        assert!(found.iter().enumerate().all(right), "{before} times too early, then {verdict}: {found:?}");
    }

    #[test]
    fn each_verdict_takes_three_evaluations_after_the_warm_up() {
        let spec = Preset::Gaussian2d.spec();
        let strong = |_, health: &mut Health| (health.real_accuracy, health.fake_accuracy) = (1.0, 0.97);
        // At 500, 600 and 700.
        expect(&verdicts(&spec, 100, 20, strong), 7, Verdict::DiscriminatorTooStrong);
        expect(&verdicts(&spec, 100, 20, |_, health| health.spread = 0.9), 7, Verdict::GeneratorNotLearning);
        expect(&verdicts(&spec, 100, 20, |_, health| health.spread = 0.0), 7, Verdict::GeneratorNotLearning);
        expect(&verdicts(&spec, 100, 20, |_, health| health.coverage = 0.05), 12, Verdict::CollapseSuspected);
        expect(
            &verdicts(&spec, 100, 20, |_, health| health.generator_dead_units = 1.0),
            7,
            Verdict::GeneratorNotLearning,
        );
        expect(
            &verdicts(&spec, 100, 20, |_, health| health.discriminator_dead_units = 1.0),
            7,
            Verdict::GeneratorNotLearning,
        );
        expect(&verdicts(&spec, 100, 20, |_, _| ()), 12, Verdict::Healthy);
        // Evaluations at every step, the second verdict from a window of a hundred steps.
        expect(&verdicts(&spec, 1, 800, strong), 600, Verdict::DiscriminatorTooStrong);
        // A moment is none.
        let sometimes = |number, health: &mut Health| {
            if number % 3 > 0 {
                (health.real_accuracy, health.fake_accuracy, health.coverage) = (1.0, 1.0, 0.0);
            }
        };
        expect(&verdicts(&spec, 100, 20, sometimes), 12, Verdict::Healthy);
    }

    #[test]
    fn values_beside_a_threshold_are_healthy() {
        let spec = Preset::Gaussian2d.spec();
        let accuracy = |_, health: &mut Health| (health.real_accuracy, health.fake_accuracy) = (1.0, 0.958);
        expect(&verdicts(&spec, 100, 20, accuracy), 12, Verdict::Healthy);
        expect(&verdicts(&spec, 100, 20, |_, health| health.coverage = 0.052), 12, Verdict::Healthy);
        expect(&verdicts(&spec, 100, 20, |_, health| health.generator_dead_units = 0.99), 12, Verdict::Healthy);
        let slow = |number: u64, health: &mut Health| health.spread = 0.9 * (1.0 + 0.0011 * number as f64);
        expect(&verdicts(&spec, 100, 20, slow), 12, Verdict::Healthy);
    }

    #[test]
    fn a_discriminator_that_wins_has_one_of_three_reasons() {
        let spec = Preset::Gaussian2d.spec();
        let winning = |change: fn(u64, &mut Health)| {
            verdicts(&spec, 100, 20, move |number, health| {
                (health.real_accuracy, health.fake_accuracy) = (1.0, 1.0);
                change(number, health);
            })
        };
        expect(&winning(|_, _| ()), 7, Verdict::DiscriminatorTooStrong);
        let stopped = |number, health: &mut Health| health.spread = if number < 3 { 0.5 } else { 0.7 };
        expect(&winning(stopped), 7, Verdict::GeneratorNotLearning);
        let fewer = |number, health: &mut Health| health.coverage = if number < 3 { 0.5 } else { 0.2 };
        expect(&winning(fewer), 7, Verdict::CollapseSuspected);
        let point = |number, health: &mut Health| health.spread = if number < 3 { 0.5 } else { 0.0 };
        expect(&winning(point), 7, Verdict::CollapseSuspected);
        let never_more = |number, health: &mut Health| health.coverage = if number < 3 { 0.1 } else { 0.01 };
        expect(&winning(never_more), 7, Verdict::DiscriminatorTooStrong);
    }

    #[test]
    fn few_modes_wait_until_the_generator_had_the_time_and_need_a_discriminator_that_sees_them() {
        let few = |_, health: &mut Health| health.coverage = 0.01;
        // From step 5,000 on, which is one over the learning rate.
        expect(&verdicts(&Preset::Mnist.spec(), 1_000, 20, few), 7, Verdict::CollapseSuspected);
        expect(&verdicts(&Preset::Mixture1d.spec(), 1_000, 20, few), 3, Verdict::Healthy);
        expect(&verdicts(&Preset::Mixture1dDeep.spec(), 1_000, 20, few), 4, Verdict::CollapseSuspected);
        let descent = GanSpec { generator_optimizer: OptimizerSpec::sgd(0.01), ..Preset::Mnist.spec() };
        expect(&verdicts(&descent, 1_000, 20, few), 3, Verdict::CollapseSuspected);
    }

    #[test]
    fn a_watch_that_is_told_the_past_goes_on_as_if_it_had_been_there() {
        let spec = Preset::Gaussian2d.spec();
        let health = |number: u64| Health { coverage: if number < 9 { 0.5 } else { 0.01 }, ..USUAL };
        let varied = |number: u64| Health { spread: 0.9 + 0.1 * (number % 3) as f64, ..health(number) };
        let mut whole = Watch::new(&spec);
        let expected: Vec<Verdict> = (0..15).map(|number| whole.push(number * 100, &varied(number))).collect();
        assert_eq!(expected.iter().filter(|verdict| **verdict == Verdict::CollapseSuspected).count(), 3);
        let mut resumed = Watch::new(&spec);
        // It stopped after 12, and went back to 10.
        (0..12).for_each(|number| _ = resumed.push(number * 100, &varied(number)));
        let found: Vec<Verdict> = (10..15).map(|number| resumed.push(number * 100, &varied(number))).collect();
        assert_eq!(found, expected[10..]);
    }

    #[test]
    fn what_the_last_evaluation_shows_counts_at_once() {
        let spec = Preset::Gaussian2d.spec();
        let last = |change: fn(&mut Health)| {
            let found = verdicts(&spec, 100, 20, move |number, health| {
                if number == 19 {
                    change(health)
                }
            });
            expect(&found[..19], 12, Verdict::Healthy);
            assert_eq!(
                found[19],
                Watch::glance(&spec, &{
                    let mut health = USUAL;
                    change(&mut health);
                    health
                })
            );
            found[19]
        };
        assert_eq!(last(|_| ()), Verdict::Healthy);
        assert_eq!(last(|health| health.lost_share = 0.5), Verdict::CollapseSuspected);
        assert_eq!(last(|health| health.spread = 0.001), Verdict::CollapseSuspected);
        assert_eq!(last(|health| health.data_distance = 1.0), Verdict::FarFromData);
        assert_eq!(last(|health| (health.lost_share, health.spread) = (0.9, 40.0)), Verdict::FarFromData);
        assert_eq!(last(|health| (health.lost_share, health.mean_shift) = (0.9, 40.0)), Verdict::FarFromData);
        // Halves of few samples are far apart themselves.
        assert_eq!(last(|health| (health.data_distance, health.halves_distance) = (0.5, 0.2)), Verdict::Healthy);
    }

    #[test]
    fn of_a_discriminator_that_sees_the_mean_the_mean_is_judged() {
        let spec = Preset::Mixture1d.spec();
        let of = |mean_shift: f64| {
            let point = |_, health: &mut Health| {
                (health.lost_share, health.data_distance, health.mean_shift) = (0.9, 0.8, mean_shift);
            };
            verdicts(&spec, 1_000, 20, point)
        };
        expect(&of(0.1), 3, Verdict::Healthy);
        expect(&of(1.0), 3, Verdict::FarFromData);
    }

    #[test]
    fn figures_that_are_no_numbers_are_never_healthy() {
        let odd = |_, health: &mut Health| {
            (health.spread, health.coverage, health.real_accuracy) = (f64::NAN, f64::NAN, f64::NAN);
            (health.lost_share, health.data_distance, health.mean_shift) = (f64::NAN, f64::NAN, f64::NAN);
        };
        let infinite = |_, health: &mut Health| (health.spread, health.data_distance) = (f64::INFINITY, f64::INFINITY);
        for spec in [Preset::Gaussian2d.spec(), Preset::Mixture1d.spec()] {
            expect(&verdicts(&spec, 100, 20, odd), 12, Verdict::FarFromData);
        }
        expect(&verdicts(&Preset::Gaussian2d.spec(), 100, 20, infinite), 12, Verdict::FarFromData);
    }
}
