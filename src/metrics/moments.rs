//! Means, standard deviations and covariances. All divide by the number of samples, not by one less.

use crate::error::Result;
use crate::metrics::check_rows;

/// The mean and the standard deviation of numbers, in their unit.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize))]
pub struct Moments {
    /// The mean.
    pub mean: f64,
    /// The square root of the mean squared distance from the mean.
    pub sd: f64,
}

impl Moments {
    /// Of `values`, in two passes; NaN where there is none.
    pub fn of(values: impl ExactSizeIterator<Item = f64> + Clone) -> Self {
        let count = values.len() as f64;
        let mean = values.clone().sum::<f64>() / count;
        let variance = values.map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
        Self { mean, sd: variance.sqrt() }
    }
}

/// The mean vector and the covariance matrix of samples.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize))]
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
    let mut mean = vec![0.0; features];
    for row in samples.chunks_exact(features) {
        mean.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    mean.iter_mut().for_each(|sum| *sum /= count);
    let mut matrix = vec![0.0; features * features];
    let mut centered = vec![0.0; features];
    for row in samples.chunks_exact(features) {
        for ((centered, &value), mean) in centered.iter_mut().zip(row).zip(&mean) {
            *centered = f64::from(value) - mean;
        }
        for (sums, &left) in matrix.chunks_exact_mut(features).zip(&centered) {
            sums.iter_mut().zip(&centered).for_each(|(sum, right)| *sum += left * right);
        }
    }
    matrix.iter_mut().for_each(|sum| *sum /= count);
    Ok(Covariance { mean, matrix })
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
