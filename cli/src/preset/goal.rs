//! Which of several values of a measure is the best.

use gannet::data::synthetic::GAUSSIAN_MU;
use gannet::metrics::gaussian2d::TRUE_COVARIANCE;
use gannet::metrics::mixture1d::{TRUE_MEAN, TRUE_SD};

/// What a measure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Goal {
    Low,
    High,
    Near(f64),
}

impl Goal {
    /// How far a value is from what it should be.
    fn cost(self, value: f64) -> f64 {
        match self {
            Self::Low => value,
            Self::High => -value,
            Self::Near(target) => (value - target).abs(),
        }
    }
}

/// What the measure called `name` should be; `None` where no value is better than another.
fn goal(name: &str) -> Option<Goal> {
    let [[xx, xy], [_, yy]] = TRUE_COVARIANCE;
    Some(match name {
        "sliced_wasserstein" | "wasserstein1" | "covariance_error" | "mean_distance" => Goal::Low,
        "sector_coverage" | "classes_covered" | "parzen_nats" | "modes_captured" | "high_quality_share" => Goal::High,
        // Of the samples of high quality alone, however few: no distance from the data.
        "reverse_kl" => Goal::Near(0.0),
        "mean_error" | "sd_error" => Goal::Low,
        "sd_ratio" => Goal::Near(1.0),
        // Points on the unit circle.
        "mean_radius" => Goal::Near(1.0),
        "mean" => Goal::Near(TRUE_MEAN),
        "sd" => Goal::Near(TRUE_SD),
        "covariance_xx" => Goal::Near(xx),
        "covariance_xy" => Goal::Near(xy),
        "covariance_yy" => Goal::Near(yy),
        "bias_x" => Goal::Near(GAUSSIAN_MU[0]),
        "bias_y" => Goal::Near(GAUSSIAN_MU[1]),
        _ => return None,
    })
}

/// Whether a value of the measure called `name` can be better than another.
pub(crate) fn is_rated(name: &str) -> bool {
    goal(name).is_some()
}

/// How far `value` of the measure called `name` is from what it should be; `None` where no value is better than another.
pub(crate) fn cost(name: &str, value: f64) -> Option<f64> {
    goal(name).map(|goal| goal.cost(value))
}

/// An end of all numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Low,
    High,
}

/// At which end the worst values of the measure called `name` lie; `None` where at neither or at both.
pub(crate) fn bad_end(name: &str) -> Option<End> {
    match goal(name)? {
        Goal::Low => Some(End::High),
        Goal::High => Some(End::Low),
        Goal::Near(_) => None,
    }
}

/// Whether the measure is a distance from the data, or an error: best at 0.
pub(crate) fn is_distance(name: &str) -> bool {
    goal(name) == Some(Goal::Low)
}

/// Whether `value` of the measure called `name` is better than `other`. What is no number is never better.
pub(crate) fn is_better(name: &str, value: f64, other: f64) -> bool {
    goal(name).is_some_and(|goal| goal.cost(value) < goal.cost(other) || (other.is_nan() && !value.is_nan()))
}

/// The places of the best of `values`; none where all are equally good, or where nothing is known about the measure. A value
/// that is no number is never the best.
pub(crate) fn best(name: &str, values: &[f64]) -> Vec<usize> {
    let Some(goal) = goal(name) else { return Vec::new() };
    let costs: Vec<f64> = values.iter().map(|&value| goal.cost(value)).collect();
    let known = || costs.iter().copied().filter(|cost| !cost.is_nan());
    let least = known().fold(f64::INFINITY, f64::min);
    if known().all(|cost| cost == least) {
        return Vec::new();
    }
    (0..costs.len()).filter(|&place| costs[place] == least).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_is_what_the_measure_asks_for() {
        for (name, better, worse) in [
            ("wasserstein1", 0.1, 0.2),
            ("classes_covered", 10.0, 9.0),
            ("mean_radius", 1.1, 0.8),
            ("wasserstein1", 3.0, f64::NAN),
        ] {
            assert!(is_better(name, better, worse) && !is_better(name, worse, better), "{name}");
            assert!(!is_better(name, better, better), "{name}");
        }
        assert!(!is_better("real_pixel_sd", 0.1, 0.2) && !is_rated("real_pixel_sd"));
    }

    #[test]
    fn the_best_is_what_the_measure_asks_for() {
        for (name, values, expected) in [
            ("wasserstein1", vec![0.3, 0.1, f64::NAN], vec![1]),
            ("sector_coverage", vec![0.9, 1.0, 1.0], vec![1, 2]),
            ("mean_radius", vec![0.8, 1.1, 1.3], vec![1]),
            ("mean", vec![4.0, 5.2], vec![0]),
            ("sector_coverage", vec![1.0, 1.0], vec![]),
            ("real_pixel_sd", vec![0.3, 0.1], vec![]),
            ("wasserstein1", vec![f64::NAN, 0.1], vec![]),
            ("wasserstein1", vec![], vec![]),
        ] {
            assert_eq!(best(name, &values), expected, "{name} {values:?}");
        }
    }
}
