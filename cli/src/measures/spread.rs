//! A measure over several runs of the same settings: median, quartiles, worst, and the share of the runs that succeeded.

use serde::Serialize;

use crate::preset::goal::{self, End};

/// What one run came to in a measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Found {
    /// `None` for a run that failed.
    pub(crate) value: Option<f64>,
    /// Whether the run did all its steps and its last verdict is not bad.
    pub(crate) is_sound: bool,
}

impl Found {
    /// The value, unless it is no number.
    fn number(self) -> Option<f64> {
        self.value.filter(|value| !value.is_nan())
    }
}

/// A measure over several runs. A run that failed, or whose value is no number, counts as worse than every other. Figures that are
/// those of such a run are not finite: `null` in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) first_quartile: f64,
    pub(crate) third_quartile: f64,
    /// `null` too where no value of the measure is better than another.
    pub(crate) worst: f64,
    /// Of the runs that did not fail.
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// The share of the runs that are sound, and no worse than the bound where there is one.
    pub(crate) succeeded: f64,
}

impl Spread {
    /// Of the measure called `name`. `bound` is the worst value with which a run succeeds.
    pub(crate) fn of(name: &str, found: &[Found], bound: Option<f64>) -> Self {
        let mut known: Vec<f64> = found.iter().filter_map(|found| found.number()).collect();
        known.sort_by(f64::total_cmp);
        let failed = found.len() - known.len();
        let mut all = known.clone();
        // Between values that should be near a target there is no place for a failed run: quartiles are those of the others.
        match goal::bad_end(name) {
            Some(End::High) => all.extend(std::iter::repeat_n(f64::INFINITY, failed)),
            Some(End::Low) => drop(all.splice(0..0, std::iter::repeat_n(f64::NEG_INFINITY, failed))),
            None => {}
        }
        let rated = if goal::is_rated(name) && failed == 0 { &known[..] } else { &[] };
        let worst = rated
            .iter()
            .copied()
            .reduce(|worst, value| if goal::is_better(name, worst, value) { value } else { worst });
        let succeeds = |found: &&Found| {
            let within = |value: f64| bound.is_none_or(|bound| !goal::is_better(name, bound, value));
            found.is_sound && found.number().is_some_and(within)
        };
        let end = |value: Option<&f64>| value.copied().unwrap_or(f64::NAN);
        Self {
            median: quantile(&all, 0.5),
            first_quartile: quantile(&all, 0.25),
            third_quartile: quantile(&all, 0.75),
            worst: worst.unwrap_or(f64::NAN),
            min: end(known.first()),
            max: end(known.last()),
            succeeded: found.iter().filter(succeeds).count() as f64 / found.len().max(1) as f64,
        }
    }
}

/// How many of `count` runs succeeded, from their share.
pub(crate) fn succeeded(share: f64, count: usize) -> String {
    format!("{:.0} of {count}", share * count as f64)
}

/// The worst value of the measure called `name` that lies in a reference's `range`: with it a run still succeeds.
pub(crate) fn bound(name: &str, [low, high]: [f64; 2]) -> Option<f64> {
    goal::is_rated(name).then(|| if goal::is_better(name, low, high) { high } else { low })
}

/// The median of what it costs that the values of the measure called `name` are not what they should be; infinite for a failed run.
pub(crate) fn median_cost(name: &str, found: &[Found]) -> f64 {
    let cost = |found: &Found| found.number().and_then(|value| goal::cost(name, value)).unwrap_or(f64::INFINITY);
    let mut costs: Vec<f64> = found.iter().map(cost).collect();
    costs.sort_by(f64::total_cmp);
    quantile(&costs, 0.5)
}

/// The value below which a share of the ascending values lies, in between by the straight line; NaN of none.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    // Also between infinite values.
    if low == high { low } else { low + (high - low) * place.fract() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(values: &[f64]) -> Vec<Found> {
        values.iter().map(|&value| Found { value: Some(value), is_sound: true }).collect()
    }

    const FAILED: Found = Found { value: None, is_sound: false };

    #[test]
    fn quantiles_lie_between_their_neighbors() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.5), 2.0);
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(quantile(&[7.0], 0.25), 7.0);
        assert_eq!(quantile(&[1.0, f64::INFINITY, f64::INFINITY], 0.75), f64::INFINITY);
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn a_spread_is_that_of_all_values() {
        let spread = Spread::of("sliced_wasserstein", &found(&[5.0, 3.0, 1.0, 2.0, 4.0]), Some(4.0));
        let expected = Spread {
            median: 3.0,
            first_quartile: 2.0,
            third_quartile: 4.0,
            worst: 5.0,
            min: 1.0,
            max: 5.0,
            succeeded: 0.8,
        };
        assert_eq!(spread, expected);
        assert_eq!(Spread::of("sector_coverage", &found(&[0.5, 1.0]), None).worst, 0.5);
        assert_eq!(Spread::of("mean_radius", &found(&[0.8, 1.1]), None).worst, 0.8);
        // No value is better than another.
        assert!(Spread::of("radius_sd", &found(&[0.8, 1.1]), None).worst.is_nan());
        let none = Spread::of("sliced_wasserstein", &[], None);
        assert!(none.median.is_nan() && none.succeeded == 0.0);
    }

    #[test]
    fn a_run_that_failed_is_the_worst_and_did_not_succeed() {
        for (name, values, expected) in [
            ("sliced_wasserstein", [1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 4.0]),
            ("sector_coverage", [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0]),
            ("mean_radius", [1.0, 2.0, 3.0, 5.0], [1.75, 2.5, 3.5]),
        ] {
            for failed in [FAILED, Found { value: Some(f64::NAN), is_sound: true }] {
                let mut runs = found(&values);
                runs.insert(1, failed);
                let spread = Spread::of(name, &runs, None);
                assert_eq!([spread.first_quartile, spread.median, spread.third_quartile], expected, "{name}");
                assert!(spread.worst.is_nan() && spread.succeeded == 0.8, "{name}: {spread:?}");
                assert_eq!((spread.min, spread.max), (values[0], values[3]));
            }
        }
        let most = Spread::of("sliced_wasserstein", &[FAILED, FAILED, found(&[1.0])[0]], None);
        assert!(most.median.is_infinite() && most.min == 1.0, "{most:?}");
        assert_eq!(serde_json::to_value(most).unwrap()["median"], serde_json::Value::Null);
    }

    #[test]
    fn a_bound_is_the_bad_end_of_a_range() {
        assert_eq!(bound("sliced_wasserstein", [0.1, 0.2]), Some(0.2));
        assert_eq!(bound("sector_coverage", [0.9, 1.0]), Some(0.9));
        assert_eq!(bound("mean_radius", [0.9, 1.3]), Some(1.3));
        assert_eq!(bound("radius_sd", [0.9, 1.3]), None);
        let unsound = Found { value: Some(0.1), is_sound: false };
        assert_eq!(Spread::of("sliced_wasserstein", &[unsound, found(&[0.1])[0]], Some(0.2)).succeeded, 0.5);
        assert_eq!(Spread::of("sector_coverage", &found(&[0.8, 0.9, 1.0, 1.0]), Some(0.9)).succeeded, 0.75);
    }

    #[test]
    fn costs_rank_what_should_be_near_a_target() {
        assert_eq!(median_cost("mean_radius", &found(&[0.5, 1.0, 1.5])), 0.5);
        assert_eq!(median_cost("sector_coverage", &found(&[0.5, 1.0, 0.75])), -0.75);
        assert_eq!(median_cost("sliced_wasserstein", &[FAILED, FAILED, found(&[1.0])[0]]), f64::INFINITY);
    }
}
