//! What a generator has learned of the circle.

use std::f64::consts::TAU;

use crate::error::Result;
use crate::metrics::check_rows;
use crate::metrics::moments::Moments;
use crate::metrics::wasserstein::{DIRECTIONS, sliced_wasserstein};

/// Fresh points on each side in the reference measurements.
pub const POINTS: usize = 5_000;

/// Equal sectors that the circle is cut into.
pub const SECTORS: usize = 36;

/// A sector counts as covered from this share of its fair share of the points on.
pub const COVERED_SHARE: f64 = 0.2;

/// Seed of the directions, so that figures of different runs are comparable.
const DIRECTION_SEED: u64 = 0;

/// Measures of points that should lie on the unit circle.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CircleReport {
    /// The sliced 1-Wasserstein distance to the real points over [`DIRECTIONS`] directions.
    pub sliced_wasserstein: f64,
    /// The mean distance from the center; the circle's is 1.
    pub mean_radius: f64,
    /// The standard deviation of the distance from the center; the real points' is about 0.05.
    pub radius_sd: f64,
    /// The share, 0 to 1, of [`SECTORS`] equal sectors that hold at least [`COVERED_SHARE`] of their fair share of the points.
    pub sector_coverage: f64,
}

/// Measures row-major `[points, 2]` generated `samples` against `real` ones; the reference has [`POINTS`] of each.
///
/// # Errors
///
/// [`Error::Shape`](crate::Error::Shape) where a set is not whole points; [`Error::Data`](crate::Error::Data) where a value is
/// not finite.
pub fn evaluate(samples: &[f32], real: &[f32]) -> Result<CircleReport> {
    let points = check_rows("samples", samples, 2)?;
    let sliced_wasserstein = sliced_wasserstein(samples, real, 2, DIRECTIONS, DIRECTION_SEED)?;
    let coordinates = || samples.chunks_exact(2).map(|point| (f64::from(point[0]), f64::from(point[1])));
    let radius = Moments::of(coordinates().map(|(x, y)| x.hypot(y)));
    let mut counts = [0usize; SECTORS];
    for (x, y) in coordinates() {
        let turn = y.atan2(x) / TAU;
        // `turn` is in [-1/2, 1/2]; rounding may carry it to the far end of the last sector.
        let sector = ((turn - turn.floor()) * SECTORS as f64) as usize;
        counts[sector.min(SECTORS - 1)] += 1;
    }
    let needed = COVERED_SHARE * points as f64 / SECTORS as f64;
    let covered = counts.iter().filter(|&&count| count as f64 >= needed).count();
    Ok(CircleReport {
        sliced_wasserstein,
        mean_radius: radius.mean,
        radius_sd: radius.sd,
        sector_coverage: covered as f64 / SECTORS as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::synthetic::{circle, fresh_circle};

    #[test]
    fn two_sets_of_real_points_are_as_near_as_the_reference_says() {
        let real = circle(POINTS, 1).unwrap().into_values();
        let mut sum = 0.0;
        for seed in 0..8 {
            let report = evaluate(&fresh_circle(POINTS, seed).unwrap().into_values(), &real).unwrap();
            assert!((report.mean_radius - 1.00125).abs() < 0.004, "{report:?}");
            assert!((report.radius_sd - 0.05).abs() < 0.003, "{report:?}");
            assert_eq!(report.sector_coverage, 1.0);
            sum += report.sliced_wasserstein / 8.0;
        }
        // The reference: 0.012.
        assert!((sum - 0.012).abs() < 0.004, "{sum}");
    }

    #[test]
    fn exact_points() {
        // One point in the middle of every sector but the last, at radius 2.
        let points: Vec<f32> = (0..SECTORS - 1)
            .map(|sector| (sector as f64 + 0.5) / SECTORS as f64 * TAU)
            .flat_map(|angle| [2.0 * angle.cos() as f32, 2.0 * angle.sin() as f32])
            .collect();
        let report = evaluate(&points, &points).unwrap();
        assert_eq!(report.sliced_wasserstein, 0.0);
        assert!((report.mean_radius - 2.0).abs() < 1e-6 && report.radius_sd < 1e-6, "{report:?}");
        assert_eq!(report.sector_coverage, 35.0 / 36.0);
    }

    #[test]
    fn a_sector_is_covered_from_a_fifth_of_its_share_on() {
        // 36 * 10 points: the fair share is 10. Two points cover a sector, one does not.
        for (few, expected) in [(2, 1.0), (1, 35.0 / 36.0)] {
            let mut points = Vec::new();
            for sector in 0..SECTORS {
                let angle = (sector as f32 + 0.5) / SECTORS as f32 * TAU as f32;
                let count = [10, few, 20 - few][usize::from(sector == 5) + 2 * usize::from(sector == 6)];
                (0..count).for_each(|_| points.extend([angle.cos(), angle.sin()]));
            }
            assert_eq!(evaluate(&points, &points).unwrap().sector_coverage, expected);
        }
    }

    #[test]
    fn angles_at_the_ends_of_the_range_have_a_sector() {
        for point in [[-1.0, 0.0], [-1.0, -0.0], [1.0, -0.0], [1.0, -1e-30], [0.0, 0.0], [-0.0, -0.0]] {
            assert_eq!(evaluate(&point, &point).unwrap().sector_coverage, 1.0 / 36.0, "{point:?}");
        }
        assert!(evaluate(&[1.0, f32::NAN], &[1.0, 0.0]).is_err());
        assert!(evaluate(&[1.0, 0.0, 1.0], &[1.0, 0.0]).is_err());
    }
}
