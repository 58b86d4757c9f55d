//! Verdicts over time: what the last evaluations, held against those before, say in words.
//!
//! ```text
//! the last distance is far above the first, or above what the run had reached     far from the data, at any time
//! too few evaluations or steps                                                    too early to tell
//! all hidden units of G or D are dead                                             generator not learning
//! in all of the window
//!     the spread is that of the first evaluation                                  generator not learning
//!     D wins
//!         and the coverage fell to half of what it was, or the spread to 0        collapse suspected
//!         else, and the spread stands still                                       generator not learning
//!         else, unless the samples came nearer to the data in the second half     discriminator too strong
//! G had too little time                                                           too early to tell
//! in all of the window the coverage is that of a few modes                        collapse suspected
//! the last evaluation
//!     its samples have no spread, or miss modes and lie within the data           collapse suspected
//!     lies outside of the data, or very far from them                             far from the data
//! in all of the window
//!     the samples miss fewer modes and lie within the data                        collapse suspected
//!     the samples lie far from the data                                           far from the data
//! else                                                                            healthy
//! ```
//!
//! Of a D that sees no more than the mean, the mean alone is judged.
//!
//! A gradient of G that vanishes counts only where D wins: where D is undecided, that is the end that training aims at.

use std::collections::VecDeque;

use super::figures::Health;
use super::thresholds::{
    ASIDE, DESCENT_SLOWER, FAR, FAR_NOW, FEW_MODES, HALVES, LEARNED, LEAST_MOVE, LOST, LOST_NOW, MANY_MODES, MEAN_FAR,
    NEARER, NO_SPREAD, OUTSIDE, REACHED, STANDSTILL, WARM_UP, WIDE, WINDOW, WINDOW_STEPS, WINNING,
};
use super::verdict::Verdict;
use crate::gan::optimizer_spec::OptimizerSpec;
use crate::gan::spec::GanSpec;
use crate::kernel::activation::Activation;
use crate::net::{LayerSpec, NetworkSpec, Normalization};

/// Judges the evaluations of one run, in their order. A run that is resumed has the same verdicts as one never stopped if a new
/// watch is given the evaluations before.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Whether D sees no more of the data than their mean: then few modes say nothing of this run.
    only_mean: bool,
    /// The step from which on few modes count.
    warm: f64,
    /// The first evaluation.
    first: Option<Health>,
    /// The steps at which the samples were nearer to the data than ever before, and how near.
    nearest: Vec<(u64, f64)>,
    /// The largest coverage before the window.
    best_coverage: f64,
    /// The last evaluations.
    recent: VecDeque<(u64, Health)>,
}

impl Watch {
    /// A watch over a run of `spec`.
    pub fn new(spec: &GanSpec) -> Self {
        let rates = match spec.generator_optimizer {
            // They divide a gradient by its size.
            OptimizerSpec::Adam(_) | OptimizerSpec::AdamW(_) | OptimizerSpec::RmsProp(_) => LEAST_MOVE,
            OptimizerSpec::Sgd(_) => DESCENT_SLOWER * LEAST_MOVE,
        };
        let warm = spec.schedule.steps_for(rates / f64::from(spec.generator_optimizer.learning_rate()));
        Self {
            only_mean: is_linear(&spec.discriminator),
            warm: warm.round(),
            first: None,
            nearest: Vec::new(),
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
        let first = *self.first.get_or_insert(*health);
        let wrecked = self.is_wrecked(step, &first, health);
        self.recent.push_back((step, *health));
        // What is left is the shortest window.
        while self.recent.len() > WINDOW && step - self.recent[1].0 >= WINDOW_STEPS {
            if let Some((_, before)) = self.recent.pop_front() {
                self.best_coverage = self.best_coverage.max(before.coverage);
            }
        }
        if wrecked {
            return Verdict::FarFromData;
        }
        let Some((begin, _)) = self.recent.front().copied() else { return Verdict::TooEarly };
        if begin < WARM_UP || self.recent.len() < WINDOW || step - begin < WINDOW_STEPS {
            return Verdict::TooEarly;
        }
        self.judge(begin, first.spread)
    }

    /// Whether the samples lie so far from the data that it is no matter of time. Notes how near they are.
    fn is_wrecked(&mut self, step: u64, first: &Health, health: &Health) -> bool {
        while self.nearest.last().is_some_and(|(near, _)| *near >= step) {
            self.nearest.pop();
        }
        let (distance, reached) = (health.data_distance, self.nearest.last().map_or(f64::INFINITY, |(_, near)| *near));
        if distance < reached {
            self.nearest.push((step, distance));
        }
        // A D that sees the mean alone lets the rest of the distance grow.
        let lost = !self.only_mean && reached <= REACHED && distance > by_halves(FAR_NOW, health);
        lost || distance > OUTSIDE * first.data_distance.max(1.0)
    }

    /// Whether the samples have come nearer to the data in the second half of the steps than they were in the first.
    fn comes_nearer(&self) -> bool {
        let Some((now, _)) = self.recent.back() else { return false };
        let before = self.nearest.iter().rev().find(|(step, _)| *step <= now / 2);
        let least = self.nearest.last();
        before.zip(least).is_some_and(|((_, before), (_, least))| *least <= NEARER * before)
    }

    /// The verdict on the figures of one moment alone, of a GAN of `spec` that had time to learn. What takes several evaluations,
    /// whether D is too strong and whether G learns, is not seen.
    pub fn glance(spec: &GanSpec, health: &Health) -> Verdict {
        Self::new(spec).of_moment(health, LOST)
    }

    /// What one evaluation says of the samples, which may miss the share `lost` of the data. A figure that is no number is far off.
    fn of_moment(&self, health: &Health, lost: f64) -> Verdict {
        let within = |value: f64, most: f64| value <= most;
        if self.only_mean {
            let near = within(health.mean_shift, by_halves(MEAN_FAR, health));
            return if near { Verdict::Healthy } else { Verdict::FarFromData };
        }
        if health.spread < NO_SPREAD {
            return Verdict::CollapseSuspected;
        }
        if !within(health.lost_share, lost) {
            let inside = within(health.spread, WIDE) && within(health.mean_shift, ASIDE);
            return if inside { Verdict::CollapseSuspected } else { Verdict::FarFromData };
        }
        if within(health.data_distance, by_halves(FAR_NOW, health)) { Verdict::Healthy } else { Verdict::FarFromData }
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
            match (fell, still) {
                (true, _) => return Verdict::CollapseSuspected,
                (_, true) => return Verdict::GeneratorNotLearning,
                _ if !self.comes_nearer() => return Verdict::DiscriminatorTooStrong,
                _ => {}
            }
        }
        let showed_modes = !self.only_mean && self.best_coverage >= MANY_MODES;
        let had_time = begin as f64 >= self.warm || showed_modes;
        if begin < LEARNED || !had_time {
            return Verdict::TooEarly;
        }
        if !self.only_mean && all(&|health| health.coverage <= FEW_MODES) {
            return Verdict::CollapseSuspected;
        }
        let Some((_, last)) = self.recent.back() else { return Verdict::TooEarly };
        match self.of_moment(last, LOST_NOW) {
            Verdict::Healthy if self.only_mean => Verdict::Healthy,
            Verdict::Healthy if all(&|health| health.lost_share > LOST) => self.of_moment(last, LOST),
            Verdict::Healthy if all(&|health| health.data_distance > by_halves(FAR, health)) => Verdict::FarFromData,
            verdict => verdict,
        }
    }
}

/// The distance `most`, or more where two halves of the data are themselves far apart.
fn by_halves(most: f64, health: &Health) -> f64 {
    most.max(HALVES * health.halves_distance)
}

/// Whether a network is a linear map. A linear D with a sigmoid above pulls G along one direction, and at balance it asks for
/// no more than the mean.
fn is_linear(network: &NetworkSpec) -> bool {
    let is_linear =
        |layer: &LayerSpec| layer.activation == Activation::Linear && layer.normalization == Normalization::None;
    network.layers.iter().rev().skip(1).all(is_linear)
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
    fn a_normalized_network_is_no_linear_map() {
        let spec = NetworkSpec::dense(&[2, 16, 1], Activation::Linear, 0.0, Activation::Linear);
        assert!(is_linear(&spec));
        assert!(!is_linear(&spec.with_normalization(Normalization::Layer)));
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
        // None where G learns all the same, by a tenth in half of the steps.
        let nearer =
            |by: f64| move |number: u64, health: &mut Health| health.data_distance = 0.4 * by.powi(number as i32);
        let strong = |by: f64| {
            verdicts(&spec, 100, 20, move |number, health| {
                (health.real_accuracy, health.fake_accuracy) = (1.0, 1.0);
                nearer(by)(number, health);
            })
        };
        expect(&strong(0.95), 12, Verdict::Healthy);
        expect(&strong(0.995), 7, Verdict::DiscriminatorTooStrong);
    }

    #[test]
    fn few_modes_wait_until_the_generator_had_the_time_and_need_a_discriminator_that_sees_them() {
        let few = |_, health: &mut Health| health.coverage = 0.01;
        // From step 5,000 on, which is one over the learning rate.
        expect(&verdicts(&Preset::Mnist.spec(), 1_000, 20, few), 7, Verdict::CollapseSuspected);
        // Plain descent takes longer for its rate.
        expect(&verdicts(&Preset::Mixture1d.spec(), 1_000, 20, few), 7, Verdict::Healthy);
        expect(&verdicts(&Preset::Mixture1dDeep.spec(), 1_000, 20, few), 4, Verdict::CollapseSuspected);
        let descent = GanSpec { generator_optimizer: OptimizerSpec::sgd(0.01), ..Preset::Mnist.spec() };
        expect(&verdicts(&descent, 1_000, 20, few), 7, Verdict::CollapseSuspected);
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
        assert_eq!(last(|health| health.lost_share = 0.7), Verdict::CollapseSuspected);
        assert_eq!(last(|health| health.spread = 0.001), Verdict::CollapseSuspected);
        assert_eq!(last(|health| health.data_distance = 1.0), Verdict::FarFromData);
        assert_eq!(last(|health| (health.lost_share, health.spread) = (0.9, 40.0)), Verdict::FarFromData);
        assert_eq!(last(|health| (health.lost_share, health.mean_shift) = (0.9, 40.0)), Verdict::FarFromData);
        // Halves of few samples are far apart themselves.
        assert_eq!(last(|health| (health.data_distance, health.halves_distance) = (0.5, 0.2)), Verdict::Healthy);
    }

    #[test]
    fn half_of_the_modes_are_lost_in_three_evaluations_and_not_in_one() {
        let spec = Preset::Gaussian2d.spec();
        let missing = |before: u64| {
            verdicts(&spec, 100, 20, move |number, health| {
                health.lost_share = if number < before { 0.05 } else { 0.45 };
            })
        };
        expect(&missing(0), 12, Verdict::CollapseSuspected);
        assert_eq!(missing(17)[19], Verdict::CollapseSuspected);
        assert_eq!(missing(18)[19], Verdict::Healthy);
        // Of a model there is but one.
        assert_eq!(Watch::glance(&spec, &Health { lost_share: 0.45, ..USUAL }), Verdict::CollapseSuspected);
    }

    #[test]
    fn samples_far_outside_are_no_matter_of_time() {
        // A rate with which G has time until step 5,000; D wins, G stands still, and few modes are left.
        let spec = Preset::Mnist.spec();
        let wrecked = |first: f64, distance: f64| {
            verdicts(&spec, 100, 20, move |number, health| {
                (health.coverage, health.data_distance) = (0.01, if number == 0 { first } else { distance });
                (health.spread, health.lost_share) = (if number == 0 { 0.1 } else { 9e4 }, 0.9);
                (health.real_accuracy, health.fake_accuracy) = (1.0, 1.0);
            })
        };
        expect(&wrecked(0.8, 4.1), 1, Verdict::FarFromData);
        expect(&wrecked(0.8, f64::INFINITY), 1, Verdict::FarFromData);
        // In units of what it was, where that is more than the spread of the data.
        expect(&wrecked(2.0, 8.1), 1, Verdict::FarFromData);
        assert_eq!(wrecked(2.0, 7.9)[1..7], [Verdict::TooEarly; 6]);
    }

    #[test]
    fn a_run_that_had_learned_the_data_and_lost_them_is_not_early() {
        let spec = Preset::Mnist.spec();
        let lost = |reached: f64, distance: f64| {
            verdicts(&spec, 100, 20, move |number, health| {
                (health.coverage, health.data_distance) = match number {
                    0 => (0.01, 0.9),
                    1..5 => (0.1, reached),
                    _ => (0.01, distance),
                };
            })
        };
        expect(&lost(0.19, 0.8), 5, Verdict::FarFromData);
        expect(&lost(0.19, 0.7), 20, Verdict::TooEarly);
        expect(&lost(0.25, 0.8), 20, Verdict::TooEarly);
        // Had it gone back to before it learned, it would have lost nothing.
        let mut watch = Watch::new(&spec);
        let at = |distance: f64| Health { data_distance: distance, ..USUAL };
        let found = [(0, 0.9), (100, 0.1), (200, 0.8), (100, 0.9), (200, 0.8)]
            .map(|(step, distance)| watch.push(step, &at(distance)));
        assert_eq!([found[2], found[4]], [Verdict::FarFromData, Verdict::TooEarly]);
    }

    #[test]
    fn a_run_that_has_shown_many_modes_had_its_time_at_any_rate() {
        let mut spec = Preset::Circle.spec();
        spec.generator_optimizer = spec.generator_optimizer.with_learning_rate(1e-6);
        let of = |coverage: f64| verdicts(&spec, 100, 20, move |_, health| health.coverage = coverage);
        expect(&of(0.4), 12, Verdict::Healthy);
        expect(&of(0.2), 20, Verdict::TooEarly);
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
        expect(&of(0.1), 7, Verdict::Healthy);
        expect(&of(1.0), 7, Verdict::FarFromData);
    }

    #[test]
    fn figures_that_are_no_numbers_are_never_healthy() {
        let odd = |_, health: &mut Health| {
            (health.spread, health.coverage, health.real_accuracy) = (f64::NAN, f64::NAN, f64::NAN);
            (health.lost_share, health.data_distance, health.mean_shift) = (f64::NAN, f64::NAN, f64::NAN);
        };
        let infinite = |_, health: &mut Health| (health.spread, health.data_distance) = (f64::INFINITY, f64::INFINITY);
        expect(&verdicts(&Preset::Gaussian2d.spec(), 100, 20, odd), 12, Verdict::FarFromData);
        expect(&verdicts(&Preset::Mixture1d.spec(), 1_000, 20, odd), 7, Verdict::FarFromData);
        expect(&verdicts(&Preset::Gaussian2d.spec(), 100, 20, infinite), 12, Verdict::FarFromData);
    }
}
