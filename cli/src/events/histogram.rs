//! Histograms of many numbers: TensorFlow's buckets.

use std::sync::LazyLock;

use super::messages::Histogram;

/// The smallest limit above zero, the factor from one to the next, and what all of them are below: those of TensorFlow
/// (`InitDefaultBucketsInner` in `tensorflow/core/lib/histogram/histogram.cc`). So a histogram is exact to 10 % at any scale,
/// whatever the range of the numbers is: weights and gradients differ by many powers of ten.
const FIRST: f64 = 1e-12;
const FACTOR: f64 = 1.1;
const LAST: f64 = 1e20;

/// The limits above zero, ascending, but for the last bucket's.
static LIMITS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    std::iter::successors(Some(FIRST), |limit| Some(limit * FACTOR)).take_while(|&v| v < LAST).collect()
});

/// The histogram of `values`; those that are not finite are left out.
///
/// It has the buckets from the first that holds a number to the last; TensorBoard takes the smallest and the largest number for
/// their outer ends. An empty bucket before the first would be drawn the wrong way round: its end is below the smallest
/// number. If there is no number, there are no buckets.
pub(super) fn histogram(values: &[f32]) -> Histogram {
    let limits = &*LIMITS;
    // The buckets from -infinity to infinity. Negative limits are the positive ones with the other sign.
    let mut counts = vec![0u64; 2 * limits.len() + 2];
    let (mut count, mut sum, mut sum_of_squares) = (0u64, 0.0, 0.0);
    let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.iter().copied().filter(|v| v.is_finite()).map(f64::from) {
        count += 1;
        sum += value;
        sum_of_squares += value * value;
        min = min.min(value);
        max = max.max(value);
        counts[bucket(limits, value)] += 1;
    }
    let full = |&c: &u64| c > 0;
    let (Some(first), Some(last)) = (counts.iter().position(full), counts.iter().rposition(full)) else {
        return Histogram::default();
    };
    // Neighbors without a number are one bucket.
    let kept = || (first..=last).filter(|&i| counts[i] > 0 || counts[i + 1] > 0);
    Histogram {
        min,
        max,
        count: count as f64,
        sum,
        sum_of_squares,
        limits: kept().map(|i| upper_limit(limits, i)).collect(),
        counts: kept().map(|i| counts[i] as f64).collect(),
    }
}

/// The bucket of a finite value: the first whose upper limit is greater.
fn bucket(limits: &[f64], value: f64) -> usize {
    let size = value.abs();
    // The logarithm finds the place but for rounding; the limits themselves decide.
    let guess = ((size / FIRST).ln() / FACTOR.ln()).clamp(0.0, limits.len() as f64) as usize;
    let negative = value < 0.0;
    // A bucket contains its lower limit: the end nearer to zero of a positive one, the farther one of a negative one.
    let beyond = |limit: f64| if negative { size > limit } else { size >= limit };
    let mut passed = guess;
    while passed < limits.len() && beyond(limits[passed]) {
        passed += 1;
    }
    while passed > 0 && !beyond(limits[passed - 1]) {
        passed -= 1;
    }
    if negative { limits.len() - passed } else { limits.len() + 1 + passed }
}

/// The upper limit of bucket `i`.
fn upper_limit(limits: &[f64], i: usize) -> f64 {
    let n = limits.len();
    match i {
        _ if i < n => -limits[n - 1 - i],
        _ if i == n => 0.0,
        _ => limits.get(i - n - 1).copied().unwrap_or(f64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_lies_in_its_bucket() {
        let limits = &*LIMITS;
        let mut values = vec![0.0, -0.0, 1e-45, -1e-45, 1.0, -1.0, f64::from(f32::MAX), f64::from(f32::MIN), 0.5e-12];
        for &limit in limits {
            values.extend([
                limit,
                limit.next_up(),
                limit.next_down(),
                -limit,
                (-limit).next_up(),
                (-limit).next_down(),
            ]);
        }
        for value in values {
            let i = bucket(limits, value);
            let low = if i == 0 { f64::MIN } else { upper_limit(limits, i - 1) };
            assert!(low <= value && value < upper_limit(limits, i), "{value} in {low} .. {}", upper_limit(limits, i));
        }
        assert!((0..2 * limits.len() + 2).map(|i| upper_limit(limits, i)).is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn sums_and_counts_leave_out_what_is_not_finite() {
        let found = histogram(&[f32::NAN, 0.0, -2.0, 3.0, f32::INFINITY, 3.0, f32::NEG_INFINITY]);
        assert_eq!((found.min, found.max, found.count), (-2.0, 3.0, 4.0));
        assert_eq!((found.sum, found.sum_of_squares), (4.0, 22.0));
        assert_eq!(found.limits.len(), found.counts.len());
        assert_eq!(found.counts.iter().sum::<f64>(), 4.0);
        assert_eq!(found.counts, [1.0, 0.0, 1.0, 0.0, 2.0]);
        assert!(found.limits[0] > -2.0 && found.limits[0] < -1.8, "{:?}", found.limits);
        assert_eq!((found.limits[1], found.limits[2]), (0.0, FIRST));
        assert!(found.limits[3] <= 3.0 && found.limits[4] > 3.0, "{:?}", found.limits);
        assert_eq!(histogram(&[f32::NAN, f32::INFINITY]), Histogram::default());
        assert_eq!(histogram(&[]), Histogram::default());
        assert_eq!(histogram(&[0.0; 5]).limits, [FIRST]);
    }
}
