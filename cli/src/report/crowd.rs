//! Many runs at once: the median of their curves, and the range of the middle half.

use super::table::Point;
use crate::measures::spread::quantile;

/// Places over the steps at which a median is taken.
const PLACES: usize = 120;

/// The median of `curves` over their steps, each point with the quartiles as its range. Where a curve has no point it has the
/// value on the straight line between its neighbors; where it has ended or not begun it does not count.
pub(super) fn median(curves: &[Vec<Point>]) -> Vec<Point> {
    let finite = |point: &&Point| point.mean.is_finite() && point.step.is_finite();
    let curves: Vec<Vec<&Point>> = curves.iter().map(|curve| curve.iter().filter(finite).collect()).collect();
    let steps = || curves.iter().flatten().map(|point| point.step);
    let (first, last) = (steps().fold(f64::INFINITY, f64::min), steps().fold(f64::NEG_INFINITY, f64::max));
    if !(first <= last) {
        return Vec::new();
    }
    let mut places: Vec<f64> = steps().collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    if places.len() > PLACES {
        places = (0..PLACES).map(|place| first + (last - first) * place as f64 / (PLACES - 1) as f64).collect();
    }
    let point = |step: f64| {
        let mut values: Vec<f64> = curves.iter().filter_map(|curve| value(curve, step)).collect();
        values.sort_by(f64::total_cmp);
        let [low, mean, high] = [0.25, 0.5, 0.75].map(|share| quantile(&values, share));
        Point { step, mean, low, high }
    };
    places.into_iter().map(point).collect()
}

/// The value of a curve at a step between its first and its last one.
fn value(curve: &[&Point], step: f64) -> Option<f64> {
    let after = curve.partition_point(|point| point.step < step);
    let right = curve.get(after)?;
    if right.step == step {
        return Some(right.mean);
    }
    let left = curve.get(after.checked_sub(1)?)?;
    let share = (step - left.step) / (right.step - left.step);
    Some(left.mean + (right.mean - left.mean) * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(f64, f64)]) -> Vec<Point> {
        points.iter().map(|&(step, mean)| Point { step, mean, low: mean, high: mean }).collect()
    }

    #[test]
    fn a_median_is_that_of_the_curves_that_are_there() {
        let curves = [
            curve(&[(0.0, 0.0), (10.0, 10.0)]),
            curve(&[(0.0, 2.0), (5.0, 2.0), (10.0, 2.0)]),
            // Ended early, with a gap.
            curve(&[(0.0, 4.0), (2.0, f64::NAN), (5.0, 4.0)]),
        ];
        let found: Vec<_> = median(&curves).iter().map(|p| (p.step, p.low, p.mean, p.high)).collect();
        assert_eq!(found, [(0.0, 1.0, 2.0, 3.0), (5.0, 3.0, 4.0, 4.5), (10.0, 4.0, 6.0, 8.0)]);
        assert!(median(&[]).is_empty() && median(&[curve(&[(0.0, f64::NAN)])]).is_empty());
        let long: Vec<(f64, f64)> = (0..1000).map(|step| (f64::from(step), 1.0)).collect();
        assert_eq!(median(&[curve(&long)]).len(), PLACES);
    }
}
