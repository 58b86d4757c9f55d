//! The two-sample Kolmogorov-Smirnov statistic of numbers on a line, and the largest one of the columns of samples.
//!
//! N. Smirnov, "Table for estimating the goodness of fit of empirical distributions", 1948: the largest distance between two empirical
//! distribution functions, from 0 to 1. It does not depend on the unit or any other increasing map of the numbers, where the 1-Wasserstein distance
//! ([`wasserstein`](crate::metrics::wasserstein)) says how far the numbers are apart.

use crate::error::Result;
use crate::memory::room;
use crate::metrics::check_rows;

/// The statistic of two sets of numbers, which may differ in size. NaN where a set is empty or holds a NaN.
///
/// # Errors
///
/// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
pub fn kolmogorov_smirnov(a: &[f32], b: &[f32]) -> Result<f64> {
    let sorted = |values: &[f32]| column(values, 0, 1);
    Ok(of_sorted(&sorted(a)?, &sorted(b)?))
}

/// The largest statistic of the columns of row-major `[rows, features]` sets `a` and `b`.
///
/// # Errors
///
/// [`Error::Shape`](crate::Error::Shape) where a set is not whole rows; [`Error::Data`](crate::Error::Data) where a value is not finite;
/// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
pub fn largest(a: &[f32], b: &[f32], features: usize) -> Result<f64> {
    check_rows("the first set", a, features)?;
    check_rows("the second set", b, features)?;
    let mut most = 0.0f64;
    for feature in 0..features {
        most = most.max(of_sorted(&column(a, feature, features)?, &column(b, feature, features)?));
    }
    Ok(most)
}

/// A column of rows of `features` values, ascending.
fn column(rows: &[f32], feature: usize, features: usize) -> Result<Vec<f64>> {
    let mut column: Vec<f64> = room(rows.len().div_ceil(features))?;
    column.extend(rows.iter().skip(feature).step_by(features).map(|&value| f64::from(value)));
    column.sort_unstable_by(f64::total_cmp);
    Ok(column)
}

/// The statistic of two sets of ascending numbers.
pub(super) fn of_sorted(a: &[f64], b: &[f64]) -> f64 {
    if a.is_empty() || b.is_empty() || a.iter().chain(b).any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let (mut i, mut j, mut most) = (0, 0, 0.0f64);
    while i < a.len() && j < b.len() {
        // Both functions step at a value before they are compared.
        let value = a[i].min(b[j]);
        i += a[i..].iter().take_while(|&&next| next == value).count();
        j += b[j..].iter().take_while(|&&next| next == value).count();
        most = most.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::test_samples::{fixed, normal};

    /// Both distribution functions at every number.
    fn plain(a: &[f32], b: &[f32]) -> f64 {
        let function =
            |set: &[f32], at: f32| set.iter().filter(|&&value| value <= at).count() as f64 / set.len() as f64;
        a.iter().chain(b).map(|&at| (function(a, at) - function(b, at)).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn agrees_with_the_distribution_functions() {
        for (n, m, mean, sd) in [(1, 1, 0.0, 1.0), (50, 31, 0.4, 1.0), (200, 333, 0.0, 2.0), (7, 400, -1.0, 0.1)] {
            let (a, b) = (normal(n, 1, mean, sd, 1), normal(m, 1, 0.0, 1.0, 2));
            assert!((kolmogorov_smirnov(&a, &b).unwrap() - plain(&a, &b)).abs() < 1e-15);
            // Of few values, many of them equal; and the order of the sets does not matter.
            let [a, b] = [a, b].map(|set| set.iter().map(|value| (2.0 * value).round()).collect::<Vec<f32>>());
            assert!((kolmogorov_smirnov(&a, &b).unwrap() - plain(&a, &b)).abs() < 1e-15);
            assert_eq!(kolmogorov_smirnov(&a, &b).unwrap(), kolmogorov_smirnov(&b, &a).unwrap());
        }
    }

    /// Values of SciPy 1.17.1: `ks_2samp(..).statistic`, and the largest of the columns.
    #[test]
    fn agrees_with_scipy() {
        for (features, expected) in [(2, &[0.275, 0.4][..]), (3, &[0.225, 0.45, 0.325])] {
            let (real, generated) = fixed(features);
            for (feature, expected) in expected.iter().enumerate() {
                let of = |set: &[f32]| set.iter().copied().skip(feature).step_by(features).collect::<Vec<f32>>();
                let found = kolmogorov_smirnov(&of(&generated), &of(&real)).unwrap();
                assert!((found - expected).abs() < 1e-12, "{features} {feature}: {found}");
            }
            let most = expected.iter().copied().fold(0.0, f64::max);
            assert!((largest(&generated, &real, features).unwrap() - most).abs() < 1e-12, "{features}");
        }
    }

    #[test]
    fn nothing_and_nan_give_nan_or_are_refused() {
        for (a, b) in [(&[][..], &[1.0][..]), (&[1.0], &[]), (&[f32::NAN, 1.0], &[1.0]), (&[1.0], &[-f32::NAN])] {
            assert!(kolmogorov_smirnov(a, b).unwrap().is_nan());
            assert!(largest(a, b, 1).is_err());
        }
        assert!(largest(&[1.0; 3], &[1.0; 4], 2).is_err() && largest(&[1.0], &[1.0], 0).is_err());
        assert_eq!(kolmogorov_smirnov(&[f32::NEG_INFINITY], &[f32::INFINITY]).unwrap(), 1.0);
    }
}
