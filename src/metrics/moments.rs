//! Means, standard deviations and covariances. All divide by the number of samples, not by one less.

use crate::error::Result;
use crate::kernel::sum::{self, Sum};
use crate::memory::filled;
use crate::metrics::check_rows;

/// The mean and the standard deviation of numbers, in their unit.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Moments {
    /// The mean.
    pub mean: f64,
    /// The square root of the mean squared distance from the mean.
    pub sd: f64,
}

impl Moments {
    /// Of `values`, in two passes; NaN where there is none.
    pub fn of(values: impl ExactSizeIterator<Item = f64> + Clone) -> Self {
        let mean = sum::mean(values.clone());
        let variance = sum::mean(values.map(|value| (value - mean) * (value - mean)));
        Self { mean, sd: variance.sqrt() }
    }
}

/// The mean vector and the covariance matrix of samples.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Covariance {
    /// The mean of each feature.
    pub mean: Vec<f64>,
    /// The covariances, row-major `[features, features]`.
    pub matrix: Vec<f64>,
}

/// The mean and covariance of row-major `[samples, features]` values.
///
/// # Errors
///
/// [`Error::Shape`](crate::Error::Shape) where they are not whole rows; [`Error::Data`](crate::Error::Data) where a value is
/// not finite.
pub fn covariance(samples: &[f32], features: usize) -> Result<Covariance> {
    let count = check_rows("samples", samples, features)? as f64;
    let mut sums = vec![Sum::default(); features];
    for row in samples.chunks_exact(features) {
        sums.iter_mut().zip(row).for_each(|(sum, &value)| sum.add(f64::from(value)));
    }
    let mean: Vec<f64> = sums.into_iter().map(|sum| sum.value() / count).collect();
    let mut matrix = filled(features.saturating_mul(features), Sum::default())?;
    let mut centered = vec![0.0; features];
    for row in samples.chunks_exact(features) {
        for ((centered, &value), mean) in centered.iter_mut().zip(row).zip(&mean) {
            *centered = f64::from(value) - mean;
        }
        for (sums, &left) in matrix.chunks_exact_mut(features).zip(&centered) {
            sums.iter_mut().zip(&centered).for_each(|(sum, right)| sum.add(left * right));
        }
    }
    Ok(Covariance { mean, matrix: matrix.into_iter().map(|sum| sum.value() / count).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_known_numbers() {
        assert_eq!(Moments::of([1.0, 3.0, 5.0, 7.0].into_iter()), Moments { mean: 4.0, sd: 5f64.sqrt() });
        assert_eq!(Moments::of([2.0].into_iter()), Moments { mean: 2.0, sd: 0.0 });
        let none = Moments::of([].into_iter());
        assert!(none.mean.is_nan() && none.sd.is_nan());
    }

    #[test]
    fn a_large_offset_takes_no_digits() {
        // 2^24 + i, as 32 bits hold them: even numbers.
        let values: Vec<f32> = (0..100_000).map(|i| 16_777_216.0 + (2 * (i % 50)) as f32).collect();
        let found = Moments::of(values.iter().map(|&value| f64::from(value)));
        assert_eq!(found.mean, 16_777_216.0 + 49.0);
        assert!((found.sd - (4.0f64 * 2_499.0 / 12.0).sqrt()).abs() < 1e-13, "{found:?}");
        let found = covariance(&values, 1).unwrap();
        assert_eq!(found.mean, [16_777_216.0 + 49.0]);
        assert!((found.matrix[0] - 833.0).abs() < 1e-11, "{found:?}");
    }

    #[test]
    fn covariance_of_known_points() {
        let found = covariance(&[0.0, 0.0, 2.0, 0.0, 2.0, 4.0, 0.0, 4.0, 1.0, 2.0], 2).unwrap();
        assert_eq!(found.mean, [1.0, 2.0]);
        assert_eq!(found.matrix, [0.8, 0.0, 0.0, 3.2]);
        let found = covariance(&[1.0, -2.0, 3.0, -6.0], 2).unwrap();
        assert_eq!(found.matrix, [1.0, -2.0, -2.0, 4.0]);
    }

    #[test]
    fn refuses_what_is_no_matrix_of_finite_values() {
        for (values, features) in [(&[1.0, 2.0, 3.0][..], 2), (&[], 2), (&[1.0], 0), (&[1.0, f32::NAN], 2)] {
            assert!(covariance(values, features).is_err());
        }
    }
}
