//! Axes: ranges that always make sense, round ticks, and their labels.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::numbers::tick_label;

/// Beyond this magnitude values are cut, so that the width of a range stays finite.
const LARGEST: f64 = 1e300;

/// A range narrower than this share of its largest value shows nothing but the rounding of f32 (2^-24 = 6e-8).
const NARROWEST: f64 = 1e-6;

/// A linear axis from `low` to `high`, both finite, `low < high`, with a tick at each multiple of `step` between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    low: f64,
    high: f64,
    step: f64,
    /// Whether its values are powers of ten, which its labels name.
    is_of_powers: bool,
}

impl Axis {
    /// An axis with at most about `ticks` ticks. A range that is empty, reversed, too narrow or not a number is replaced by
    /// the nearest one that can be drawn.
    pub(crate) fn new(low: f64, high: f64, ticks: usize) -> Self {
        let (low, high) = drawable(low, high);
        Self { low, high, step: round_step((high - low) / ticks.max(1) as f64), is_of_powers: false }
    }

    /// An axis of the powers of ten from `low` to `high`: 2 is labeled 100.
    pub(super) fn powers(low: f64, high: f64) -> Self {
        Self { is_of_powers: true, ..Self::whole(low, high, 8) }
    }

    /// An axis without ticks, on which `count` rows lie at 1, 2 ...
    pub(super) fn rows(count: usize) -> Self {
        let high = count as f64 + 0.5;
        Self { low: 0.5, high, step: 2.0 * high, is_of_powers: false }
    }

    /// The same with ticks at whole numbers only.
    pub(crate) fn whole(low: f64, high: f64, ticks: usize) -> Self {
        let axis = Self::new(low, high, ticks);
        Self { step: axis.step.max(1.0), ..axis }
    }

    /// The lower end.
    pub(crate) fn low(&self) -> f64 {
        self.low
    }

    /// The upper end.
    pub(crate) fn high(&self) -> f64 {
        self.high
    }

    /// Whether a value lies on the axis. NaN does not.
    pub(super) fn contains(&self, value: f64) -> bool {
        value >= self.low && value <= self.high
    }

    /// The values of the ticks.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        let (first, last) = ((self.low / self.step).ceil(), (self.high / self.step).floor());
        let count = (last - first).clamp(-1.0, 100.0) as usize + usize::from(last >= first);
        (0..count).map(|i| (first + i as f64) * self.step).collect()
    }

    /// The label of a tick, with as many decimals as the step needs.
    pub(crate) fn label(&self, value: f64) -> String {
        if self.is_of_powers {
            let value = 10f64.powf(value);
            return tick_label(value, value);
        }
        tick_label(value, self.step)
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        limit.0.saturating_add((share * (f64::from(limit.1) - f64::from(limit.0))).round() as i32)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.max_num_points() == 0 { Vec::new() } else { self.ticks() }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        self.label(*value)
    }
}

/// The nearest range that can be drawn.
fn drawable(low: f64, high: f64) -> (f64, f64) {
    let cut = |v: f64, otherwise: f64| if v.is_nan() { otherwise } else { v.clamp(-LARGEST, LARGEST) };
    let (a, b) = (cut(low, 0.0), cut(high, 1.0));
    let (low, high) = (a.min(b), a.max(b));
    let magnitude = low.abs().max(high.abs());
    if high - low > magnitude * NARROWEST && high - low > 1e-300 {
        return (low, high);
    }
    let middle = low / 2.0 + high / 2.0;
    let half = (magnitude * 10.0 * NARROWEST).max(0.5);
    (middle - half, middle + half)
}

/// The smallest of 1, 2 or 5 times a power of ten that is no less than a positive number.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|&step| step >= least * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_becomes_an_axis() {
        let odd =
            [0.0, -0.0, 1.0, -1.0, 1e-320, 1e-30, 3.0, 3.0000001, 1e30, -1e300, f64::MAX, f64::INFINITY, f64::NAN];
        for low in odd {
            for high in odd {
                for ticks in [0, 1, 5, 8] {
                    let axis = Axis::new(low, high, ticks);
                    assert!(axis.low < axis.high && axis.low.is_finite() && axis.high.is_finite(), "{axis:?}");
                    assert!(axis.step > 0.0 && axis.step.is_finite(), "{axis:?}");
                    let found = axis.ticks();
                    assert!(found.len() <= ticks.max(1) + 1, "{axis:?} {found:?}");
                    assert!(found.iter().all(|&tick| axis.label(tick).chars().count() < 20), "{axis:?}");
                    for value in odd {
                        assert!((0..=100).contains(&axis.map(&value, (0, 100))));
                    }
                }
            }
        }
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(Axis::new(-1.3, 1.3, 6).ticks(), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert_eq!(Axis::whole(0.0, 3.0, 8).ticks(), [0.0, 1.0, 2.0, 3.0]);
        let powers = Axis::powers(-2.0, 2.0);
        let labels: Vec<String> = powers.ticks().iter().map(|&tick| powers.label(tick)).collect();
        assert_eq!(labels, ["0.01", "0.1", "1", "10", "100"]);
        assert!((1..300).all(|count| Axis::rows(count).ticks().is_empty()));
        assert_eq!(Axis::new(0.0, 3200.0, 8).ticks(), [0.0, 500.0, 1000.0, 1500.0, 2000.0, 2500.0, 3000.0]);
    }
}
