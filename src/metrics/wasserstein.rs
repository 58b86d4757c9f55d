//! The 1-Wasserstein distance of points on a line, and its mean over directions in space.

use crate::data::random::Random;
use crate::error::{Error, Result};
use crate::kernel::quantile::quantile_distance;
use crate::kernel::sum::{Sum, dot, sum};
use crate::memory::room;
use crate::metrics::check_rows;

/// Directions of [`sliced_wasserstein`] in the reference measurements.
pub const DIRECTIONS: usize = 64;

/// Keeps the directions apart from other uses of the same seed: a random constant.
const DIRECTION_DOMAIN: u64 = 0x5a0e_93c7_24f1_d86b;

/// The 1-Wasserstein distance between two sets of numbers, exactly: the integral of the distance between their quantile
/// functions, in the unit of the numbers. The sets may differ in size. NaN where a set is empty or holds a NaN.
///
/// # Errors
///
/// [`Error::OutOfMemory`].
pub fn wasserstein1(a: &[f32], b: &[f32]) -> Result<f64> {
    let widen = |values: &[f32]| {
        let mut wide = room(values.len())?;
        wide.extend(values.iter().map(|&value| f64::from(value)));
        Ok(wide)
    };
    Ok(quantile_distance(&mut widen(a)?, &mut widen(b)?))
}

/// The sliced 1-Wasserstein distance between row-major `[samples, features]` sets `a` and `b`: the mean, over `directions`
/// random unit vectors, of the 1-Wasserstein distance of the projections. The directions are uniform on the sphere and depend
/// on `seed` and `features` alone.
///
/// N. Bonneel et al., "Sliced and Radon Wasserstein barycenters of measures", 2015.
///
/// # Errors
///
/// [`Error::Shape`] where a set is not whole rows; [`Error::Data`] where a value is not finite; [`Error::InvalidSetting`]
/// for no direction.
pub fn sliced_wasserstein(a: &[f32], b: &[f32], features: usize, directions: usize, seed: u64) -> Result<f64> {
    check_rows("the first set", a, features)?;
    check_rows("the second set", b, features)?;
    if directions == 0 {
        return Err(Error::setting("directions", "0 directions; at least 1 is needed"));
    }
    let mut random = Random::new(DIRECTION_DOMAIN, seed);
    let (mut on_a, mut on_b) = (room(a.len() / features)?, room(b.len() / features)?);
    let mut sum = Sum::default();
    for _ in 0..directions {
        let direction = unit_vector(&mut random, features);
        project(a, &direction, &mut on_a);
        project(b, &direction, &mut on_b);
        sum.add(quantile_distance(&mut on_a, &mut on_b));
    }
    Ok(sum.value() / directions as f64)
}

/// A vector uniform on the unit sphere.
fn unit_vector(random: &mut Random, features: usize) -> Vec<f64> {
    let normal: Vec<f64> = (0..features).map(|_| random.normal()).collect();
    let norm = sum(normal.iter().map(|x| x * x)).sqrt();
    normal.into_iter().map(|x| x / norm).collect()
}

/// The product of each row with `direction`.
fn project(rows: &[f32], direction: &[f64], projected: &mut Vec<f64>) {
    projected.clear();
    projected.extend(rows.chunks_exact(direction.len()).map(|row| dot(row, direction)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::{PI, SQRT_2};

    fn distance(a: &[f32], b: &[f32]) -> f64 {
        wasserstein1(a, b).unwrap()
    }

    fn normal(count: usize, mean: f64, sd: f64, seed: u64) -> Vec<f32> {
        let mut random = Random::new(0, seed);
        (0..count).map(|_| (mean + sd * random.normal()) as f32).collect()
    }

    #[test]
    fn point_masses() {
        assert_eq!(distance(&[1.0], &[4.0]), 3.0);
        assert_eq!(distance(&[1.0; 7], &[4.0; 3]), 3.0);
        assert_eq!(distance(&[0.0, 1.0], &[1.0, 0.0]), 0.0);
        assert_eq!(distance(&[0.0, 3.0, 1.0], &[5.0, 6.0, 8.0]), 5.0);
        // A half at 0 and a half at 1 against all at 1; a third moves by 1, a sixth by 1 and so on.
        assert_eq!(distance(&[0.0, 1.0], &[1.0]), 0.5);
        assert!((distance(&[0.0, 1.0], &[0.0, 0.0, 1.0]) - 1.0 / 6.0).abs() < 1e-15);
        assert!((distance(&[0.0, 10.0, 20.0], &[5.0, 5.0]) - 25.0 / 3.0).abs() < 1e-14);
    }

    #[test]
    fn nothing_and_nan_give_nan() {
        for (a, b) in [(&[][..], &[1.0][..]), (&[1.0], &[]), (&[f32::NAN, 1.0], &[1.0, 2.0]), (&[1.0], &[-f32::NAN])] {
            assert!(distance(a, b).is_nan());
        }
    }

    #[test]
    fn normal_distributions_of_known_distance() {
        // Equal s.d.: the distance of the means. Equal means: the difference of the s.d. times E|N(0, 1)| = sqrt(2/pi).
        for (mean, sd, expected) in [(2.5, 1.0, 2.5), (0.0, 3.0, 2.0 * SQRT_2 / PI.sqrt()), (0.0, 1.0, 0.0)] {
            for count in [200_000, 70_001] {
                let found = distance(&normal(200_000, 0.0, 1.0, 1), &normal(count, mean, sd, 2));
                assert!((found - expected).abs() < 0.02, "N({mean}, {sd}^2), {count} points: {found}, {expected}");
            }
        }
    }

    #[test]
    fn shifted_sets_have_the_mean_projection_of_the_shift() {
        // The mean of |cos| over directions in the plane is 2/pi, in space 1/2; on the line each direction is +-1.
        for (features, factor) in [(1, 1.0), (2, 2.0 / PI), (3, 0.5)] {
            let a = normal(40 * features, 0.0, 1.0, 3);
            let mut b = a.clone();
            b.iter_mut().step_by(features).for_each(|value| *value += 4.0);
            let found = sliced_wasserstein(&a, &b, features, 20_000, 5).unwrap();
            assert!((found - 4.0 * factor).abs() < 0.04, "{features} features: {found}");
        }
    }

    #[test]
    fn on_the_line_it_is_the_plain_distance() {
        let (a, b) = (normal(500, 0.0, 1.0, 1), normal(300, 1.0, 2.0, 2));
        let found = sliced_wasserstein(&a, &b, 1, 3, 9).unwrap();
        assert!((found - distance(&a, &b)).abs() < 1e-14);
    }

    #[test]
    fn refuses_bad_input() {
        assert!(sliced_wasserstein(&[1.0; 3], &[1.0; 4], 2, 1, 0).is_err());
        assert!(sliced_wasserstein(&[1.0; 4], &[], 2, 1, 0).is_err());
        assert!(sliced_wasserstein(&[1.0; 4], &[1.0, f32::INFINITY], 2, 1, 0).is_err());
        assert!(sliced_wasserstein(&[1.0; 4], &[1.0; 4], 2, 0, 0).is_err());
    }
}
