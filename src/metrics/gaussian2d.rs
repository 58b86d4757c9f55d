//! What a generator has learned of the Gaussian in the plane.
//!
//! A matrix that maps standard normal latents to a Gaussian is only determined up to a rotation, so covariances are compared.

use crate::data::synthetic::GAUSSIAN_MU;
use crate::error::{Error, Result};
use crate::metrics::moments::covariance;

/// The true covariance A^T A.
pub const TRUE_COVARIANCE: [[f64; 2]; 2] = [[1.04, 1.9], [1.9, 4.25]];

/// What covariance errors are divided by: the largest entry of [`TRUE_COVARIANCE`].
pub const COVARIANCE_SCALE: f64 = 4.25;

/// Measures of a Gaussian in the plane.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Gaussian2dReport {
    /// The learned covariance; the true one is [`TRUE_COVARIANCE`].
    pub covariance: [[f64; 2]; 2],
    /// The learned mean: the generator's bias. The true one is [`GAUSSIAN_MU`].
    pub mean: [f64; 2],
    /// The largest absolute error of an entry of the covariance, over [`COVARIANCE_SCALE`].
    pub covariance_error: f64,
    /// The Euclidean distance of the learned mean from the true one.
    pub mean_distance: f64,
}

/// Measures a linear generator y = W z + b, z standard normal: `weight` is W, row-major `[2, 2]` (out, in), `bias` is b. The
/// covariance of y is W W^T.
///
/// # Errors
///
/// [`Error::Shape`] where `weight` has not 4 or `bias` not 2 values; [`Error::Data`] where a value is not finite.
pub fn evaluate(weight: &[f32], bias: &[f32]) -> Result<Gaussian2dReport> {
    let (Ok(weight), Ok(bias)) = (<&[f32; 4]>::try_from(weight), <&[f32; 2]>::try_from(bias)) else {
        let found = format!("{} weights and {} biases", weight.len(), bias.len());
        return Err(Error::shape("the generator", "4 weights and 2 biases", found));
    };
    if let Some(value) = weight.iter().chain(bias).find(|value| !value.is_finite()) {
        return Err(Error::data("the generator", format!("a weight or bias is {value}")));
    }
    let rows = [[weight[0], weight[1]], [weight[2], weight[3]]].map(|row| row.map(f64::from));
    let product = rows.map(|left| rows.map(|right| left[0] * right[0] + left[1] * right[1]));
    Ok(report(product, bias.map(f64::from)))
}

/// Measures row-major `[points, 2]` samples of a generator of any other form.
///
/// # Errors
///
/// As for [`covariance`].
pub fn evaluate_samples(samples: &[f32]) -> Result<Gaussian2dReport> {
    let found = covariance(samples, 2)?;
    let matrix = &found.matrix;
    Ok(report([[matrix[0], matrix[1]], [matrix[2], matrix[3]]], [found.mean[0], found.mean[1]]))
}

fn report(covariance: [[f64; 2]; 2], mean: [f64; 2]) -> Gaussian2dReport {
    let errors = covariance.as_flattened().iter().zip(TRUE_COVARIANCE.as_flattened()).map(|(a, b)| (a - b).abs());
    Gaussian2dReport {
        covariance,
        mean,
        covariance_error: errors.fold(0.0, f64::max) / COVARIANCE_SCALE,
        mean_distance: (mean[0] - GAUSSIAN_MU[0]).hypot(mean[1] - GAUSSIAN_MU[1]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::synthetic::{GAUSSIAN_A, gaussian2d};

    #[test]
    fn the_true_covariance_is_that_of_a() {
        for (i, row) in TRUE_COVARIANCE.iter().enumerate() {
            for (j, &expected) in row.iter().enumerate() {
                let found = GAUSSIAN_A[0][i] * GAUSSIAN_A[0][j] + GAUSSIAN_A[1][i] * GAUSSIAN_A[1][j];
                assert!((found - expected).abs() < 1e-15);
            }
        }
    }

    #[test]
    fn the_right_generator_has_no_error_however_it_is_turned() {
        // y = z A + mu as a column: W = A^T, then W times any rotation.
        for angle in [0.0f64, 0.3, 2.0] {
            let (sin, cos) = angle.sin_cos();
            let weight: Vec<f32> = [0, 1]
                .into_iter()
                .flat_map(|out| {
                    let row = [GAUSSIAN_A[0][out], GAUSSIAN_A[1][out]];
                    [row[0] * cos + row[1] * sin, row[1] * cos - row[0] * sin].map(|value| value as f32)
                })
                .collect();
            let report = evaluate(&weight, &[2.0, 1.0]).unwrap();
            assert!(report.covariance_error < 1e-6, "{report:?}");
            assert_eq!(report.mean_distance, 0.0);
        }
    }

    #[test]
    fn errors_of_known_size() {
        let report = evaluate(&[1.0, 0.0, 2.0, 3.0], &[5.0, 5.0]).unwrap();
        assert_eq!(report.covariance, [[1.0, 2.0], [2.0, 13.0]]);
        assert_eq!((report.covariance_error, report.mean_distance), (8.75 / 4.25, 5.0));
        assert!(evaluate(&[1.0; 3], &[1.0; 2]).is_err());
        assert!(evaluate(&[1.0; 4], &[1.0; 1]).is_err());
        assert!(evaluate(&[1.0, 1.0, f32::NAN, 1.0], &[1.0; 2]).is_err());
    }

    #[test]
    fn real_points_have_the_true_moments() {
        let report = evaluate_samples(gaussian2d(100_000, 1).unwrap().values()).unwrap();
        assert!(report.covariance_error < 0.03 && report.mean_distance < 0.03, "{report:?}");
    }
}
