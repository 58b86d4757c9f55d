//! The synthetic presets: points on a circle, a mixture on the line, a Gaussian in the plane.
//!
//! Points depend only on their number, the seed and this file: the same bits on every platform. Each function has a `fresh_`
//! twin for evaluation, whose points are independent of every training set (its stream lies 2^192 random numbers further on).

use crate::data::array::ArraySource;
use crate::data::check_count;
use crate::data::random::Random;
use crate::error::{Error, Result};
use crate::memory::room;

/// Standard deviation of the normal noise added to each coordinate of a point on the unit circle.
pub const CIRCLE_NOISE: f64 = 0.05;

/// One normal distribution of a mixture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Component {
    /// Its share of the points.
    pub weight: f64,
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation.
    pub sd: f64,
}

/// The mixture on the line: 0.5 N(3.0, 1.5^2) + 0.5 N(6.0, 2.0^2). The weights sum to 1.
pub const MIXTURE: [Component; 2] =
    [Component { weight: 0.5, mean: 3.0, sd: 1.5 }, Component { weight: 0.5, mean: 6.0, sd: 2.0 }];

/// The matrix A of the Gaussian in the plane, x = eps A + mu with eps a row of two standard normal numbers. The covariance of
/// x is A^T A = [[1.04, 1.9], [1.9, 4.25]]. As in lecture 14 of the course
/// "Deep Learning Systems" (<https://dlsyscourse.org>).
pub const GAUSSIAN_A: [[f64; 2]; 2] = [[1.0, 2.0], [-0.2, 0.5]];

/// The mean of the Gaussian in the plane. As in lecture 14 of the course
/// "Deep Learning Systems" (<https://dlsyscourse.org>).
pub const GAUSSIAN_MU: [f64; 2] = [2.0, 1.0];

// Random 64-bit constants that keep the presets apart when they are made from the same seed.
const CIRCLE_DOMAIN: u64 = 0x8d1c_6f2b_9e40_73a5;
const MIXTURE_DOMAIN: u64 = 0x3fb7_05d9_c216_e84b;
const GAUSSIAN_DOMAIN: u64 = 0xe652_a8f1_07bd_394c;

/// `points` training points on the unit circle: a uniform angle, and normal noise of s.d. [`CIRCLE_NOISE`] on both coordinates.
///
/// # Errors
///
/// [`Error::InvalidSetting`] for 0 points or more than `u32::MAX`; [`Error::OutOfMemory`] if memory is refused.
pub fn circle(points: usize, seed: u64) -> Result<ArraySource> {
    circle_from(points, Random::new(CIRCLE_DOMAIN, seed))
}

/// The same distribution, independent of every training set. Errors as for [`circle`].
pub fn fresh_circle(points: usize, seed: u64) -> Result<ArraySource> {
    circle_from(points, Random::new(CIRCLE_DOMAIN, seed).long_jump())
}

/// `points` training points on the line from the mixture [`MIXTURE`]. Errors as for [`circle`].
pub fn mixture1d(points: usize, seed: u64) -> Result<ArraySource> {
    mixture1d_from(points, Random::new(MIXTURE_DOMAIN, seed))
}

/// The same distribution, independent of every training set. Errors as for [`circle`].
pub fn fresh_mixture1d(points: usize, seed: u64) -> Result<ArraySource> {
    mixture1d_from(points, Random::new(MIXTURE_DOMAIN, seed).long_jump())
}

/// `points` training points in the plane: eps [`GAUSSIAN_A`] + [`GAUSSIAN_MU`]. Errors as for [`circle`].
pub fn gaussian2d(points: usize, seed: u64) -> Result<ArraySource> {
    gaussian2d_from(points, Random::new(GAUSSIAN_DOMAIN, seed))
}

/// The same distribution, independent of every training set. Errors as for [`circle`].
pub fn fresh_gaussian2d(points: usize, seed: u64) -> Result<ArraySource> {
    gaussian2d_from(points, Random::new(GAUSSIAN_DOMAIN, seed).long_jump())
}

/// The probability density of [`MIXTURE`] at `x`.
pub fn mixture1d_density(x: f64) -> f64 {
    MIXTURE
        .iter()
        .map(|component| {
            let deviation = (x - component.mean) / component.sd;
            component.weight * (-0.5 * deviation * deviation).exp() / (component.sd * std::f64::consts::TAU.sqrt())
        })
        .sum()
}

fn circle_from(points: usize, mut random: Random) -> Result<ArraySource> {
    collect(points, || {
        let (x, y) = random.direction();
        [x + CIRCLE_NOISE * random.normal(), y + CIRCLE_NOISE * random.normal()]
    })
}

fn mixture1d_from(points: usize, mut random: Random) -> Result<ArraySource> {
    collect(points, || {
        let component = MIXTURE[usize::from(random.uniform() >= MIXTURE[0].weight)];
        [component.mean + component.sd * random.normal()]
    })
}

fn gaussian2d_from(points: usize, mut random: Random) -> Result<ArraySource> {
    collect(points, || {
        let epsilon = [random.normal(), random.normal()];
        [0, 1]
            .map(|column| epsilon[0] * GAUSSIAN_A[0][column] + epsilon[1] * GAUSSIAN_A[1][column] + GAUSSIAN_MU[column])
    })
}

/// Calls `point` for each of `points` samples.
pub(super) fn collect<const FEATURES: usize>(
    points: usize,
    mut point: impl FnMut() -> [f64; FEATURES],
) -> Result<ArraySource> {
    if points == 0 {
        return Err(Error::setting("points", "0 points; at least 1 is needed"));
    }
    check_count("points", points)
        .map_err(|_| Error::setting("points", format!("{points} points; at most {}", u32::MAX)))?;
    let mut values: Vec<f32> = room(points.saturating_mul(FEATURES))?;
    for _ in 0..points {
        values.extend(point().map(|value| value as f32));
    }
    ArraySource::new(values, FEATURES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINTS: usize = 100_000;

    /// Mean of `f` over the rows of `source`.
    fn mean(source: &ArraySource, f: impl Fn(&[f32]) -> f64) -> f64 {
        source.values().chunks_exact(source.features()).map(f).sum::<f64>() / source.len() as f64
    }

    /// Five standard errors of a mean of values with this standard deviation.
    fn bound(sd: f64) -> f64 {
        5.0 * sd / (POINTS as f64).sqrt()
    }

    #[test]
    fn circle_has_its_radius_noise_and_angles() {
        for source in [circle(POINTS, 1).unwrap(), fresh_circle(POINTS, 1).unwrap()] {
            let radius = |row: &[f32]| f64::from(row[0]).hypot(f64::from(row[1]));
            // The tangential noise lengthens the radius by s^2/2 on average.
            let expected = 1.0 + 0.5 * CIRCLE_NOISE * CIRCLE_NOISE;
            let found = mean(&source, radius);
            assert!((found - expected).abs() < bound(CIRCLE_NOISE) + 1e-5, "mean radius {found}");
            let variance = mean(&source, |row| (radius(row) - found).powi(2));
            assert!((variance.sqrt() - CIRCLE_NOISE).abs() < bound(CIRCLE_NOISE) + 1e-4, "s.d. {}", variance.sqrt());
            for harmonic in 1..=4 {
                let angle = |row: &[f32]| f64::from(harmonic) * f64::from(row[1]).atan2(f64::from(row[0]));
                for (name, found) in
                    [("cos", mean(&source, |row| angle(row).cos())), ("sin", mean(&source, |row| angle(row).sin()))]
                {
                    assert!(found.abs() < bound(0.7072), "{name} {harmonic}: {found}");
                }
            }
        }
    }

    #[test]
    fn mixture1d_follows_its_density() {
        let source = mixture1d(POINTS, 2).unwrap();
        let step = 0.5;
        let mut total = 0.0;
        for bin in -12..=32 {
            let left = f64::from(bin) * step;
            // Simpson's rule on 64 intervals.
            let expected = (0..=64)
                .map(|i| {
                    let weight = if i == 0 || i == 64 {
                        1.0
                    } else if i % 2 == 1 {
                        4.0
                    } else {
                        2.0
                    };
                    weight * mixture1d_density(left + step * f64::from(i) / 64.0)
                })
                .sum::<f64>()
                * step
                / (3.0 * 64.0);
            let found = mean(&source, |row| f64::from(u8::from((left..left + step).contains(&f64::from(row[0])))));
            assert!((found - expected).abs() <= bound(expected.sqrt()) + 1e-5, "bin at {left}: {found}, {expected}");
            total += expected;
        }
        assert!((total - 1.0).abs() < 1e-4, "the density integrates to {total}");
    }

    #[test]
    fn gaussian2d_has_its_mean_and_covariance() {
        let source = gaussian2d(POINTS, 3).unwrap();
        for i in 0..2 {
            let found = mean(&source, |row| f64::from(row[i]));
            assert!((found - GAUSSIAN_MU[i]).abs() < bound(2.1), "mean {i}: {found}");
            for j in 0..2 {
                let expected = [[1.04, 1.9], [1.9, 4.25]][i][j];
                let found =
                    mean(&source, |row| (f64::from(row[i]) - GAUSSIAN_MU[i]) * (f64::from(row[j]) - GAUSSIAN_MU[j]));
                assert!((found - expected).abs() < bound(6.1), "covariance {i} {j}: {found}");
            }
        }
    }

    #[test]
    fn training_and_fresh_points_differ_and_repeat() {
        type Draw = fn(usize, u64) -> Result<ArraySource>;
        let presets: [[Draw; 2]; 3] =
            [[circle, fresh_circle], [mixture1d, fresh_mixture1d], [gaussian2d, fresh_gaussian2d]];
        for [training, fresh] in presets {
            let values = |draw: Draw, seed| draw(50, seed).unwrap().into_values();
            assert_eq!(values(training, 7), values(training, 7));
            assert_ne!(values(training, 7), values(training, 8));
            assert!(values(training, 7).iter().all(|value| !values(fresh, 7).contains(value)));
            // A longer set begins with the shorter one.
            assert_eq!(training(60, 7).unwrap().values()[..values(training, 7).len()], values(training, 7));
        }
    }

    /// The values come from an independent implementation in another language; they hold on every platform.
    #[test]
    fn first_points_are_fixed() {
        let bits = |source: ArraySource| source.values().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(circle(1, 0).unwrap()), [0x3e19_0aee, 0xbf6c_c138]);
        assert_eq!(bits(mixture1d(2, 0).unwrap()), [0x4055_7a98, 0x4095_b67b]);
        assert_eq!(bits(gaussian2d(1, 0).unwrap()), [0x401b_e5f9, 0x3fe7_fca2]);
    }

    #[test]
    fn refuses_impossible_counts() {
        for f in [circle, mixture1d, gaussian2d] {
            assert!(matches!(f(0, 1), Err(Error::InvalidSetting { .. })));
            assert!(matches!(f(usize::MAX, 1), Err(Error::InvalidSetting { .. })));
        }
    }
}
