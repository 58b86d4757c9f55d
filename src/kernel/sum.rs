//! Sums of many numbers in `f64`, about as exact as if they were taken in twice the precision.
//!
//! Each addition's rounding error is found exactly and summed beside the total (A. Neumaier, "Rundungsfehleranalyse einiger
//! Verfahren zur Summation endlicher Summen", 1974; the exact error after D. E. Knuth, TAOCP 2, 4.2.2). The error of the sum of n
//! numbers is at most 2^-53 of it and n^2 2^-106 of the sum of their magnitudes: a plain sum's is n 2^-53 of the latter.

/// A sum in the making.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    total: f64,
    /// What the total lacks.
    rest: f64,
}

impl Sum {
    /// Adds a number.
    #[inline]
    pub fn add(&mut self, value: f64) {
        let total = self.total + value;
        let added = total - self.total;
        self.rest += (self.total - (total - added)) + (value - added);
        self.total = total;
    }

    /// The sum so far.
    #[inline]
    pub fn value(self) -> f64 {
        // Infinite or not a number: the rest is not a number.
        if self.total.is_finite() { self.total + self.rest } else { self.total }
    }
}

/// The sum of `values`.
pub fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sum = Sum::default();
    values.into_iter().for_each(|value| sum.add(value));
    sum.value()
}

/// The mean of `values`; NaN where there is none.
pub fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    sum(values) / count
}

/// The sum of the products of `values` and `weights`, of which the shorter one counts. The products are rounded.
pub fn dot(values: &[f32], weights: &[f64]) -> f64 {
    /// Sums side by side: as many as keep the additions of each waiting for nothing.
    const LANES: usize = 4;
    let mut lanes = [Sum::default(); LANES];
    let length = values.len().min(weights.len());
    let (values, left) = values[..length].as_chunks::<LANES>();
    let (weights, left_weights) = weights[..length].as_chunks::<LANES>();
    for (values, weights) in values.iter().zip(weights) {
        for ((lane, &value), &weight) in lanes.iter_mut().zip(values).zip(weights) {
            lane.add(f64::from(value) * weight);
        }
    }
    let mut total = Sum::default();
    left.iter().zip(left_weights).for_each(|(&value, &weight)| total.add(f64::from(value) * weight));
    for lane in lanes {
        total.add(lane.total);
        total.add(lane.rest);
    }
    total.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of all magnitudes that cancel, made of a Weyl sequence.
    fn wild(count: u64) -> impl Iterator<Item = i128> + Clone {
        (1..=count).map(|i| {
            let bits = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let magnitude = i128::from(bits >> 12) << (bits % 40);
            if bits & 0x800 == 0 { magnitude } else { -magnitude }
        })
    }

    #[test]
    fn sums_are_those_of_exact_arithmetic() {
        for count in [0, 1, 2, 3, 10, 1_000, 100_000] {
            // Every number has at most 52 significant bits, so that it is exact in f64.
            let exact: i128 = wild(count).sum();
            let found = sum(wild(count).map(|value| value as f64));
            assert_eq!(found, exact as f64, "{count}");
        }
        // What a plain sum loses.
        let values =
            || std::iter::repeat_n(1.0, 1_000).chain([1e100]).chain(std::iter::repeat_n(1.0, 1_000)).chain([-1e100]);
        assert_ne!(values().sum::<f64>(), 2_000.0);
        assert_eq!(sum(values()), 2_000.0);
        assert_eq!(mean([1e16, 1.0, -1e16].into_iter()), 1.0 / 3.0);
        let large = 1_700_000_000_000_000.0;
        let exact: i128 = (0..60).map(|i| 1_700_000_000_000_000 + i).sum();
        assert_eq!(sum((0..60).map(|i| large + f64::from(i))), exact as f64);
    }

    #[test]
    fn products_are_summed_at_every_length() {
        for count in 0..40usize {
            let values: Vec<f32> = (0..count).map(|i| if i % 2 == 0 { 3e7 } else { -3e7 } + i as f32).collect();
            let weights: Vec<f64> = (0..count + 3).map(|i| (i % 5) as f64).collect();
            let exact: i64 = values.iter().zip(&weights).map(|(&value, &weight)| value as i64 * weight as i64).sum();
            for most in [count, count + 1, count + 3] {
                assert_eq!(dot(&values, &weights[..most]), exact as f64, "{count} {most}");
            }
            assert_eq!(dot(&values, &weights[..count / 2]), dot(&values[..count / 2], &weights));
        }
    }

    #[test]
    fn nothing_is_hidden() {
        assert_eq!(sum([]), 0.0);
        assert!(mean([].into_iter()).is_nan());
        assert!(sum([1.0, f64::NAN, 2.0]).is_nan());
        assert_eq!(sum([1.0, f64::INFINITY, 2.0]), f64::INFINITY);
        assert!(sum([f64::NEG_INFINITY, f64::INFINITY]).is_nan());
        assert_eq!(sum([f64::MAX, f64::MAX]), f64::INFINITY);
    }
}
