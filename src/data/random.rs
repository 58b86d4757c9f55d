//! Random numbers of the data sets and measures: xoshiro256++ and a normal deviate that has the same bits on every platform.
//!
//! The polar method needs only +, *, /, a square root, all of which IEEE 754 rounds exactly, and a logarithm. The logarithm of
//! the system's mathematics library differs between platforms in the last bit, so a short series stands in for it.

use std::f64::consts::{LN_2, SQRT_2};

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A stream of random numbers.
pub(crate) struct Random {
    generator: Xoshiro256PlusPlus,
    spare: Option<f64>,
}

impl Random {
    /// The stream of `seed` within `domain`, a constant of the caller that keeps two uses of one seed apart.
    pub(crate) fn new(domain: u64, seed: u64) -> Self {
        Self { generator: Xoshiro256PlusPlus::seed_from_u64(seed ^ domain), spare: None }
    }

    /// Moves on by 2^192 numbers: what follows shares nothing with what a stream that did not move will ever give.
    pub(crate) fn long_jump(mut self) -> Self {
        self.generator.long_jump();
        self.spare = None;
        self
    }

    /// Uniform on [0, 1): multiples of 2^-53.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.generator.next_u64() >> 11) as f64 * 2f64.powi(-53)
    }

    /// A point uniform in the unit disc without its center, and the square of its radius.
    fn disc(&mut self) -> (f64, f64, f64) {
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return (x, y, square);
            }
        }
    }

    /// A point uniform on the unit circle.
    pub(crate) fn direction(&mut self) -> (f64, f64) {
        let (x, y, square) = self.disc();
        let radius = square.sqrt();
        (x / radius, y / radius)
    }

    /// Standard normal. G. Marsaglia and T. A. Bray, "A convenient method for generating normal variables", SIAM Review 6
    /// (1964): the polar form of Box and Muller's method.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let (x, y, square) = self.disc();
        let factor = (-2.0 * ln(square) / square).sqrt();
        self.spare = Some(y * factor);
        x * factor
    }
}

/// The natural logarithm of a positive normal number, with the same bits on every platform.
///
/// x = 2^e m with m in (sqrt(1/2), sqrt(2)], s = (m - 1) / (m + 1), ln m = 2 (s + s^3/3 + s^5/5 + ...). |s| <= 0.172, so the
/// first term left out, s^25/25, is below 2e-19 of s.
fn ln(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as f64 - 1023.0;
    let mut mantissa = f64::from_bits((bits & MANTISSA) | (1023 << 52));
    if mantissa > SQRT_2 {
        mantissa *= 0.5;
        exponent += 1.0;
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let series = (0..12).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    exponent * LN_2 + 2.0 * s * series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithm_is_accurate() {
        let mut random = Random::new(1, 2);
        let mut inputs: Vec<f64> = (0..10_000).map(|_| random.uniform()).filter(|&x| x > 0.0).collect();
        inputs.extend([1.0, 1.0 - 2f64.powi(-53), 2f64.powi(-104), SQRT_2, 0.5 * SQRT_2, f64::MIN_POSITIVE, 1e300]);
        for x in inputs {
            let (found, expected) = (ln(x), x.ln());
            // Around 1 the sum of two terms cancels nothing (the exponent is 0); elsewhere |ln x| > 0.34.
            assert!((found - expected).abs() <= 1e-15 * expected.abs(), "ln {x} = {expected}, found {found}");
        }
    }

    #[test]
    fn uniform_and_normal_have_their_moments() {
        let mut random = Random::new(3, 4);
        let count = 200_000;
        let normal: Vec<f64> = (0..count).map(|_| random.normal()).collect();
        let moment = |k: i32| normal.iter().map(|x| x.powi(k)).sum::<f64>() / f64::from(count);
        // Bounds of five standard errors: sqrt(Var(x^k) / count).
        for (k, expected, variance) in
            [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0), (6, 15.0, 10_170.0)]
        {
            let bound = 5.0 * (variance / f64::from(count)).sqrt();
            assert!((moment(k) - expected).abs() < bound, "moment {k}: {}", moment(k));
        }
        let lag = normal.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / f64::from(count);
        assert!(lag.abs() < 5.0 / f64::from(count).sqrt(), "neighbors correlate: {lag}");
        let uniform: Vec<f64> = (0..count).map(|_| random.uniform()).collect();
        assert!(uniform.iter().all(|x| (0.0..1.0).contains(x)));
        let mean = uniform.iter().sum::<f64>() / f64::from(count);
        assert!((mean - 0.5).abs() < 5.0 / (12.0 * f64::from(count)).sqrt(), "mean {mean}");
    }

    #[test]
    fn streams_of_domains_seeds_and_jumps_differ() {
        let first = |mut random: Random| (0..4).map(|_| random.generator.next_u64()).collect::<Vec<_>>();
        let streams =
            [Random::new(1, 1), Random::new(2, 1), Random::new(1, 3), Random::new(1, 1).long_jump()].map(first);
        for i in 0..streams.len() {
            for j in 0..i {
                assert_ne!(streams[i], streams[j]);
            }
        }
        assert_eq!(first(Random::new(1, 1)), streams[0]);
    }
}
