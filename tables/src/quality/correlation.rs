//! How alike the correlation of two columns is in two tables: SDMetrics' `CorrelationSimilarity`.

use super::scale::Scale;

/// Pearson's correlation of the rows that have both values, in -1 .. 1. `None` where fewer than two do, or either column is constant in
/// them.
pub(crate) fn pearson(first: &[f64], second: &[f64]) -> Option<f64> {
    let pairs = || first.iter().zip(second).filter(|(x, y)| !x.is_nan() && !y.is_nan());
    let (x, y) = (Scale::of(pairs().map(|(x, _)| *x), false), Scale::of(pairs().map(|(_, y)| *y), false));
    if x.is_constant() || y.is_constant() {
        return None;
    }
    let product: f64 = pairs().map(|(first, second)| x.standardized(*first) * y.standardized(*second)).sum();
    let correlation = product / pairs().count() as f64;
    correlation.is_finite().then(|| correlation.clamp(-1.0, 1.0))
}

/// `CorrelationSimilarity`: 1 less half the difference of two correlations.
pub(crate) fn correlation_similarity(real: Option<f64>, synthetic: Option<f64>) -> Option<f64> {
    Some(1.0 - (real? - synthetic?).abs() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_of_known_columns() {
        let none = f64::NAN;
        let near = |found: Option<f64>, expected: f64| {
            assert!(found.is_some_and(|found| (found - expected).abs() <= 1e-12), "{found:?} is not {expected}");
        };
        near(pearson(&[1.0, 2.0, 4.0, none], &[-2.0, -4.0, -8.0, 1.0]), -1.0);
        near(pearson(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0]), 0.5);
        // A great mean takes no digits, and great numbers do not overflow.
        near(pearson(&[1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0], &[1.0, 3.0, 2.0]), 0.5);
        near(pearson(&[1e308, -1e308, 0.0], &[1e-308, -1e-308, 0.0]), 1.0);
        assert_eq!(pearson(&[1.0, 1.0, 5.0], &[1.0, 2.0, none]), None);
        assert_eq!((pearson(&[], &[]), pearson(&[1.0], &[2.0])), (None, None));
        near(correlation_similarity(Some(0.5), Some(-0.5)), 0.5);
        assert_eq!(correlation_similarity(Some(0.5), None), None);
    }
}
