//! The thresholds of the verdicts, and the runs that they come from.
//!
//! The figures behind the thresholds come from normal runs of the presets, ten evaluations each (40 seeds of `circle`, `mixture1d`
//! and `mixture1d-deep`, 400 of `gaussian2d`, 20 of `digits`; one of `mnist` over 16 epochs with 64), from runs of 60 to 100 more
//! seeds of the small ones with an evaluation every 20 to 100 steps, and from some thirty that were provoked: by learning rates 10
//! to 500 times too high or down to a millionth, or by a single latent feature.

/// Evaluations that a verdict takes at least: one alone is chance. A D that swings is right about all samples now and then.
pub(super) const WINDOW: usize = 3;

/// Steps that a window spans at least: else evaluations at every step would be judged as one moment.
pub(super) const WINDOW_STEPS: u64 = 100;

/// Steps before which evaluations are not judged. Until then it is normal that D is ahead.
pub(super) const WARM_UP: u64 = 500;

/// D wins where its accuracy is at least this. Least of three evaluations in a row, at most: presets on points and `digits` 0.88
/// (a single one), `mnist` in its second epoch 0.965. With D's learning rate ten or twenty times as high: 0.98 to 1.
pub(super) const WINNING: f64 = 0.98;

/// G comes nearer where the least distance so far is at most this share of the least in the first half of the steps: however well
/// D knows its samples, it learns. `mnist` from step 1,200 to 3,300, where D was right about 98 % and more in three evaluations in a row
/// nine times in 20 seeds: 0.63 to 0.84, and 0.95 in a seed that never starts.
pub(super) const NEARER: f64 = 0.9;

/// The spread stands still where it changes by less than this share of itself. With a millionth of its learning rate G changes
/// nothing in six digits; with a thousandth, 1e-3 in 300 steps. In runs where D won and G moved: 0.03 and more in 400 steps.
pub(super) const STANDSTILL: f64 = 1e-3;

/// There is no spread below this: all samples are nearly one. Least of normal runs whose D sees more than the mean: 0.05 (`mnist`
/// in its third epoch); of generators that fell into one point: 0.002 and less.
pub(super) const NO_SPREAD: f64 = 0.01;

/// Coverage of a few modes: at most this. Least from the first tenth of a run on: `gaussian2d` 0.117 (a generator near a line),
/// `circle` 0.10, `mixture1d-deep` 0.31, `digits` 0.43; `mnist` 0.16 after the warm-up. Collapsed: a point 0.002, the curve that one latent
/// feature gives on `digits` 0.014 to 0.025, `mnist` in its first four epochs 0.002 to 0.03.
pub(super) const FEW_MODES: f64 = 0.05;

/// Modes are lost where the samples miss more than the first share of the data in all of a window, or more than the second now. In one
/// evaluation alone the first says little: `gaussian2d`, whose G swings through shapes near a line, is above it in 45 of 1,600
/// evaluations (26 November 2026, 400 seeds; most: 0.492). In all of a window it was so in 7, of four seeds (0.36 to 0.42), none of them
/// among the first 100: there G stays near a line. Most of the others, in one evaluation: `circle` 0.072, `mixture1d-deep` 0.115,
/// `digits` 0.193. Trained on one half of a circle: 0.354 to 0.725, median 0.391 (80 evaluations, 20 seeds).
pub(super) const LOST: f64 = 0.35;
pub(super) const LOST_NOW: f64 = 0.6;

/// Samples that miss modes lie within the data where their spread and the shift of their mean are at most these multiples of the
/// data's spread. One point of a circle is 1.0 aside, a circle that is 1.5 of its radii away 1.49.
pub(super) const WIDE: f64 = 1.5;
pub(super) const ASIDE: f64 = 1.2;

/// Samples are far from the data where their distance is above the first in all of a window, or above the second now; and above
/// so many times that of two halves of the data. Most of the same runs from step 1,000 on, in all of a window and in one evaluation:
/// `gaussian2d` 0.391 and 0.614 (with an evaluation every 50 steps 0.552 and 0.614), `circle` 0.244 and 0.387, `mixture1d-deep` 0.291
/// and 0.417, `digits` 0.216. Two halves: 0.04 to 0.21. A circle that is 1.5 of its radii away: 1.1 to 1.3.
pub(super) const FAR: f64 = 0.6;
pub(super) const FAR_NOW: f64 = 0.75;
pub(super) const HALVES: f64 = 3.0;

/// Samples lie outside whatever the time where their distance is above this multiple of that before training, or of the data's
/// spread if that is more. Most of normal runs: 1.9 (`circle`, step 140). At 50 to 300 times `circle`'s learning rate: 19 and more.
pub(super) const OUTSIDE: f64 = 4.0;

/// A run whose samples were as near as this had learned the data: if they are as far as [`FAR_NOW`] afterwards, it is not early, but
/// wrecked. Normal runs that had been this near came to 0.61 at most afterwards (`gaussian2d`; before step 1,000: 0.43). Those
/// that had only been at 0.25 to 0.3 came to 1.43.
pub(super) const REACHED: f64 = 0.2;

/// The mean is far off above this. Most of 60 seeds of `mixture1d` from step 5,000 on, every 100 steps: 0.45; from 10,000 on: 0.18.
pub(super) const MEAN_FAR: f64 = 0.6;

/// Steps before which samples are not held against G. Between 500 and 1,000 steps a normal run of `gaussian2d` was 0.9 s.d. from the
/// data.
pub(super) const LEARNED: u64 = 1_000;

/// Adam, like AdamW and RMSprop, moves a parameter by about its learning rate a step. Few modes are held against G only once its
/// parameters could have moved by this much, which is as much as weights come to. Before, they are normal: `mnist` (0.0002) shows one
/// class in its first epochs and leaves it after some 3,500 steps.
pub(super) const LEAST_MOVE: f64 = 1.0;

/// Plain descent moves it by its rate times the gradient, which takes so many times as long: the mean of `mixture1d` (0.01) is up to 0.8
/// s.d. off until step 4,000, with a gradient of some 0.01.
pub(super) const DESCENT_SLOWER: f64 = 50.0;

/// A run that covered so much of the data had its time, at whatever rate it goes on. Few modes: see [`FEW_MODES`].
pub(super) const MANY_MODES: f64 = 0.3;
