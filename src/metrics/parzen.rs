//! Parzen-window log-likelihood of images.
//!
//! A normal distribution of standard deviation sigma is put on each generated sample; the mean log-density of the test images
//! under this mixture says how well the samples cover them. Sigma is the one of [`window_grid`] under which validation images,
//! which are neither test images nor samples, are most likely. As in I. Goodfellow et al., "Generative adversarial nets", 2014,
//! section 5, and the program published with it (<https://github.com/goodfeli/adversarial>, `parzen_ll.py`). The estimate has
//! a high variance and says little about single images (L. Theis et al., "A note on the evaluation of generative models",
//! 2016); it is given because it is what the field's first results are stated in.
//!
//! Work: (validation + test) x samples x features; 10,000 x 10,000 x 784 takes 4 seconds on two cores (Zen 4, built for
//! plain x86-64).

use std::f64::consts::TAU;

use crate::error::{Error, Result};
use crate::kernel::sum::{mean, sum};
use crate::metrics::check_rows;
use crate::metrics::distance::References;
use crate::metrics::moments::Moments;

/// Generated samples in the reference measurements.
pub const SAMPLES: usize = 10_000;

/// Held-out training images that the window is chosen on in the reference measurements.
pub const VALIDATION: usize = 1_000;

/// Windows that are tried.
pub const WINDOWS: usize = 10;

/// A Parzen-window log-likelihood.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ParzenReport {
    /// The chosen window: the standard deviation of the normal distributions, in units of a pixel.
    pub sigma: f64,
    /// The mean log-density of the test images, in nats an image.
    pub nats: f64,
    /// The standard error of that mean: the standard deviation over the test images by the root of their number.
    pub standard_error: f64,
}

/// The windows that are tried: [`WINDOWS`] values from 0.1 to 1, evenly spaced in the logarithm, the published program's grid.
pub fn window_grid() -> [f64; WINDOWS] {
    std::array::from_fn(|i| 10f64.powf(i as f64 / (WINDOWS - 1) as f64 - 1.0))
}

/// The log-likelihood of `test` under the Parzen windows of `samples`, with the window chosen on `validation`. All three are
/// row-major `[images, features]`, with pixels in [0, 1] where figures are to be compared. Uses up to `threads` threads (0
/// counts as 1); the result does not depend on their number.
///
/// # Errors
///
/// [`Error::Shape`] where a set is not whole rows; [`Error::Data`] where a value is not finite or so large that no window has
/// a finite likelihood; [`Error::Threads`] where the system refuses threads.
pub fn log_likelihood(
    samples: &[f32],
    validation: &[f32],
    test: &[f32],
    features: usize,
    threads: usize,
) -> Result<ParzenReport> {
    for (what, rows) in [("samples", samples), ("validation images", validation), ("test images", test)] {
        check_rows(what, rows, features)?;
    }
    let samples = References::new(samples, features)?;
    let windows = window_grid();
    let densities = samples
        .for_each(validation, threads, |_, distances| windows.map(|sigma| log_density(distances, sigma, features)))?;
    let mut best: Option<(f64, f64)> = None;
    for (i, sigma) in windows.into_iter().enumerate() {
        let likelihood = sum(densities.iter().map(|densities| densities[i]));
        if likelihood.is_finite() && best.is_none_or(|(_, other)| likelihood > other) {
            best = Some((sigma, likelihood));
        }
    }
    let (sigma, _) = best.ok_or_else(|| {
        Error::data("validation images", "no window gives them a finite likelihood; pixels should be in [0, 1]")
    })?;
    let densities = samples.for_each(test, threads, |_, distances| log_density(distances, sigma, features))?;
    let moments = Moments::of(densities.iter().copied());
    Ok(ParzenReport { sigma, nats: moments.mean, standard_error: moments.sd / (densities.len() as f64).sqrt() })
}

/// The log-density of a point with these squared distances from the centers of the windows:
/// ln(1/n sum exp(-d / 2 sigma^2)) - features/2 ln(2 pi sigma^2), the largest term taken out of the sum.
fn log_density(distances: &[f32], sigma: f64, features: usize) -> f64 {
    let factor = -0.5 / (sigma * sigma);
    let nearest = f64::from(distances.iter().copied().fold(f32::INFINITY, f32::min));
    let mean = mean(distances.iter().map(|&distance| ((f64::from(distance) - nearest) * factor).exp()));
    nearest * factor + mean.ln() - 0.5 * features as f64 * (TAU * sigma * sigma).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::random::Random;

    fn draw(random: &mut Random, rows: usize, features: usize, sd: f64) -> Vec<f32> {
        (0..rows * features).map(|_| (0.5 + sd * random.normal()) as f32).collect()
    }

    /// The mean log-density, straight from the definition.
    fn slow(samples: &[f32], points: &[f32], features: usize, sigma: f64) -> f64 {
        let densities: Vec<f64> = points
            .chunks(features)
            .map(|point| {
                let terms: Vec<f64> = samples
                    .chunks(features)
                    .map(|sample| {
                        let pairs = point.iter().zip(sample);
                        pairs
                            .map(|(&x, &y)| {
                                let deviation = (f64::from(x) - f64::from(y)) / sigma;
                                -0.5 * deviation * deviation - (sigma * TAU.sqrt()).ln()
                            })
                            .sum()
                    })
                    .collect();
                let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                largest + (terms.iter().map(|term| (term - largest).exp()).sum::<f64>() / terms.len() as f64).ln()
            })
            .collect();
        densities.iter().sum::<f64>() / densities.len() as f64
    }

    #[test]
    fn the_grid_is_the_published_one() {
        let grid = window_grid();
        // numpy.logspace(-1, 0, 10).
        let expected = [0.1, 0.129_154_967, 0.166_810_054, 0.215_443_469, 0.278_255_94];
        for (found, expected) in grid.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found}, {expected}");
        }
        assert_eq!(grid[WINDOWS - 1], 1.0);
    }

    #[test]
    fn one_window_has_the_closed_form() {
        // One sample at 0, images at distance 3/10 in each of 4 features: -d/2s^2 - 2 ln(2 pi s^2); the best s is near 0.3.
        let images = [0.3f32, -0.3, 0.3, 0.3].repeat(5);
        let report = log_likelihood(&[0.0; 4], &images, &images, 4, 1).unwrap();
        assert_eq!(report.sigma, window_grid()[4]);
        let variance = report.sigma * report.sigma;
        let expected = -0.36 / (2.0 * variance) - 2.0 * (TAU * variance).ln();
        assert!((report.nats - expected).abs() < 1e-6, "{report:?}, expected {expected}");
        assert!(report.standard_error < 1e-12, "{report:?}");
    }

    #[test]
    fn agrees_with_the_definition_on_any_number_of_threads() {
        let mut random = Random::new(0, 7);
        for (features, sd) in [(1, 0.6), (5, 0.3), (64, 0.2), (300, 0.4)] {
            let samples = draw(&mut random, 151, features, sd);
            let (validation, test) = (draw(&mut random, 37, features, sd), draw(&mut random, 70, features, sd));
            let report = log_likelihood(&samples, &validation, &test, features, 1).unwrap();
            let likelihood = |sigma| slow(&samples, &validation, features, sigma);
            let best = window_grid().into_iter().max_by(|&a, &b| likelihood(a).total_cmp(&likelihood(b))).unwrap();
            assert_eq!(report.sigma, best, "{features} features");
            let expected = slow(&samples, &test, features, best);
            assert!((report.nats - expected).abs() < 1e-5 * expected.abs().max(1.0), "{report:?}, expected {expected}");
            assert!(report.standard_error > 0.0);
            for threads in [0, 2, 3] {
                assert_eq!(log_likelihood(&samples, &validation, &test, features, threads).unwrap(), report);
            }
        }
    }

    #[test]
    fn standard_error_is_that_of_the_mean() {
        // Two images with densities a and b: mean (a + b) / 2, s.d. |a - b| / 2, standard error |a - b| / (2 sqrt 2).
        let test = [0.0, 0.4];
        let report = log_likelihood(&[0.0], &[0.1], &test, 1, 1).unwrap();
        let half = 0.4 * 0.4 / (2.0 * report.sigma * report.sigma) / 2.0;
        assert!((report.standard_error - half / 2f64.sqrt()).abs() < 1e-6, "{report:?}");
    }

    #[test]
    fn refuses_bad_input() {
        let good = [0.5; 4];
        for bad in [&[][..], &[0.5; 3], &[0.5, f32::NAN]] {
            assert!(log_likelihood(bad, &good, &good, 2, 1).is_err());
            assert!(log_likelihood(&good, bad, &good, 2, 1).is_err());
            assert!(log_likelihood(&good, &good, bad, 2, 1).is_err());
        }
        assert!(log_likelihood(&good, &good, &good, 0, 1).is_err());
        assert!(matches!(log_likelihood(&[f32::MAX; 2], &good, &good, 2, 1), Err(Error::Data { .. })));
    }

    /// Runs where the environment variable `GANNET_MNIST_DIR` names a folder with the files of MNIST.
    #[test]
    fn real_training_images_reach_the_known_likelihood() {
        let Some(dir) = std::env::var_os("GANNET_MNIST_DIR") else { return };
        let mnist = crate::data::idx::mnist(std::path::Path::new(&dir)).unwrap();
        let scaled = |pixels: &[u8]| pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect::<Vec<_>>();
        let train = &mnist.train_images.pixels;
        let samples = scaled(&train[..SAMPLES * 784]);
        let validation = scaled(&train[train.len() - VALIDATION * 784..]);
        let report = log_likelihood(&samples, &validation, &scaled(&mnist.test_images.pixels), 784, 2).unwrap();
        // Another implementation's value, on other images: 237. The standard error is 2.
        assert!((report.nats - 237.0).abs() < 7.0, "{report:?}");
    }
}
