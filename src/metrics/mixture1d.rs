//! What a generator has learned of the mixture on the line.

use crate::error::Result;
use crate::metrics::check_rows;
use crate::metrics::moments::Moments;
use crate::metrics::wasserstein::wasserstein1;

/// Fresh points on each side in the reference measurements.
pub const POINTS: usize = 10_000;

/// The mean of the mixture.
pub const TRUE_MEAN: f64 = 4.5;

/// The standard deviation of the mixture, sqrt(5.375): 0.5 (1.5^2 + 2.0^2) within the components and 1.5^2 between them.
pub const TRUE_SD: f64 = 2.318_404_623_873_926;

/// What the figures of the preset `mixture1d` show, for a reader who wonders at them.
pub const FINDING: &str = "The discriminator is Linear(1, 1): it sees nothing but the mean, so the generator learns the mean \
                           and not the spread. This is a property of the recipe, not a failure of the run; \
                           mixture1d-deep learns the mixture.";

/// Measures of numbers that should follow the mixture.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Mixture1dReport {
    /// The mean; the true one is [`TRUE_MEAN`].
    pub mean: f64,
    /// The standard deviation; the true one is [`TRUE_SD`].
    pub sd: f64,
    /// The 1-Wasserstein distance to the real points.
    pub wasserstein1: f64,
}

/// Measures generated `samples` against `real` ones; the reference has [`POINTS`] of each.
///
/// # Errors
///
/// [`Error::Shape`](crate::Error::Shape) where a set is empty; [`Error::Data`](crate::Error::Data) where a value is not finite.
pub fn evaluate(samples: &[f32], real: &[f32]) -> Result<Mixture1dReport> {
    check_rows("samples", samples, 1)?;
    check_rows("real points", real, 1)?;
    let moments = Moments::of(samples.iter().map(|&value| f64::from(value)));
    Ok(Mixture1dReport { mean: moments.mean, sd: moments.sd, wasserstein1: wasserstein1(samples, real)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::synthetic::{MIXTURE, fresh_mixture1d, mixture1d};

    #[test]
    fn true_moments_are_those_of_the_mixture() {
        let mean: f64 = MIXTURE.iter().map(|component| component.weight * component.mean).sum();
        let square: f64 = MIXTURE.iter().map(|c| c.weight * (c.sd * c.sd + c.mean * c.mean)).sum();
        assert_eq!(TRUE_MEAN, mean);
        assert!((TRUE_SD - (square - mean * mean).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn real_points_are_near_and_the_mean_alone_is_far() {
        let real = mixture1d(POINTS, 1).unwrap().into_values();
        let report = evaluate(&fresh_mixture1d(POINTS, 1).unwrap().into_values(), &real).unwrap();
        assert!((report.mean - TRUE_MEAN).abs() < 0.12 && (report.sd - TRUE_SD).abs() < 0.1, "{report:?}");
        assert!(report.wasserstein1 < 0.12, "{report:?}");
        // All at the mean: the mean absolute deviation, 1.87, which the reference's range (to 1.80) comes near.
        let report = evaluate(&[4.5; 100], &real).unwrap();
        assert_eq!((report.mean, report.sd), (4.5, 0.0));
        assert!((report.wasserstein1 - 1.87).abs() < 0.05, "{report:?}");
        assert!(evaluate(&[], &real).is_err() && evaluate(&[f32::NAN], &real).is_err());
    }
}
