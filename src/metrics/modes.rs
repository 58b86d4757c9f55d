//! Which modes of a known mixture a generator has learned.
//!
//! Z. Lin, A. Khetan, G. Fanti, S. Oh, "PacGAN: The power of two samples in generative adversarial networks", 2018, section 4, and the
//! program published with it (<https://github.com/fjxmlzn/PacGAN>, `extensions.py`). Each sample belongs to the nearest mode, and is of
//! high quality within [`QUALITY_SDS`] standard deviations of its center. The modes are counted, and the balance between them is
//! measured, by the samples of high quality alone. So none of the three figures means anything without the other two: a generator
//! with one good sample on each mode captures all of them.

use crate::error::{Error, Result};
use crate::kernel::sum::sum;
use crate::memory::filled;
use crate::metrics::check_rows;
use crate::rows;

/// Generated samples in the reference measurements, those of the paper.
pub const SAMPLES: usize = 2_500;

/// A sample is of high quality up to this Euclidean distance from the center of the nearest mode, in the mode's standard deviations.
/// Of samples of the mixture itself in the plane, the share 1 - exp(-3^2 / 2) = 0.989 is.
pub const QUALITY_SDS: f64 = 3.0;

/// A mode is lost where it has less than this share of its share of the samples: as in
/// [`circle::COVERED_SHARE`](crate::metrics::circle::COVERED_SHARE).
const COVERED_SHARE: f64 = 0.2;

/// Measures of samples that should follow a mixture of equal modes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ModesReport {
    /// The number of modes that are nearest to at least one sample of high quality.
    pub modes_captured: usize,
    /// The number of modes that are nearest to less than a fifth of their share of the samples, whatever the quality of these.
    pub modes_lost: usize,
    /// The share of the samples that are of high quality, 0 to 1.
    pub high_quality_share: f64,
    /// How unevenly the samples of high quality fall upon the k modes: KL(p || uniform) = sum of p ln(k p) over the modes, in nats, where p
    /// is a mode's share of these samples. A mode without samples adds 0. It is 0 where all modes have the same share, and ln k where one
    /// has all; ln k, the worst, stands also for no sample of high quality.
    pub reverse_kl: f64,
}

/// Measures row-major `[rows, features]` samples against modes with these row-major `[modes, features]` `centers`, which are normal
/// distributions of standard deviation `sd` in each feature and of equal weight. Of centers at the same distance the first counts.
///
/// # Errors
///
/// [`Error::Shape`] where samples or centers are none or not whole rows; [`Error::Data`] where a value of either is not finite;
/// [`Error::InvalidSetting`] where `sd` is not a positive finite number.
pub fn evaluate(samples: &[f32], centers: &[f64], features: usize, sd: f64) -> Result<ModesReport> {
    let count = check_rows("samples", samples, features)?;
    let modes = rows::some("centers", centers.len(), features)?;
    rows::finite("centers", centers, features)?;
    if !(sd > 0.0 && sd.is_finite()) {
        return Err(Error::setting(
            "sd",
            format!("the standard deviation of the modes is {sd}; a positive number is needed"),
        ));
    }
    let [mut counts, mut near] = [filled(modes, 0usize)?, filled(modes, 0usize)?];
    for sample in samples.chunks_exact(features) {
        let (mode, distance) = nearest(sample, centers);
        near[mode] += 1;
        if distance <= QUALITY_SDS * sd {
            counts[mode] += 1;
        }
    }
    let good: usize = counts.iter().sum();
    let share = |count: usize| count as f64 / good as f64;
    let divergence = |&count: &usize| if count == 0 { 0.0 } else { share(count) * (share(count) * modes as f64).ln() };
    let least = COVERED_SHARE * count as f64 / modes as f64;
    Ok(ModesReport {
        modes_lost: near.iter().filter(|&&near| (near as f64) < least).count(),
        modes_captured: counts.iter().filter(|&&count| count > 0).count(),
        high_quality_share: good as f64 / count as f64,
        reverse_kl: if good == 0 { (modes as f64).ln() } else { sum(counts.iter().map(divergence)) },
    })
}

/// The place of the first of the nearest centers, and the Euclidean distance from it.
fn nearest(sample: &[f32], centers: &[f64]) -> (usize, f64) {
    let distance = |center: &[f64]| {
        let squares = sample.iter().zip(center).map(|(&value, center)| (f64::from(value) - center).powi(2));
        sum(squares).sqrt()
    };
    let distances = centers.chunks_exact(sample.len()).map(distance).enumerate();
    distances.fold((0, f64::INFINITY), |best, found| if found.1 < best.1 { found } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::plane::{GRID_CENTERS, GRID_SD, RING_CENTERS, RING_SD, fresh_grid25, fresh_ring8, grid25, ring8};

    #[test]
    fn samples_of_the_mixture_have_all_modes_evenly() {
        let quality = 1.0 - (-4.5f64).exp();
        let error = 5.0 * (quality * (1.0 - quality) / SAMPLES as f64).sqrt();
        for seed in 0..4 {
            let ring = [ring8, fresh_ring8].map(|draw| {
                evaluate(draw(SAMPLES, seed).unwrap().values(), RING_CENTERS.as_flattened(), 2, RING_SD).unwrap()
            });
            let grid = [grid25, fresh_grid25].map(|draw| {
                evaluate(draw(SAMPLES, seed).unwrap().values(), GRID_CENTERS.as_flattened(), 2, GRID_SD).unwrap()
            });
            for (report, modes) in ring.into_iter().map(|report| (report, 8)).chain(grid.map(|report| (report, 25))) {
                assert_eq!(report.modes_captured, modes);
                assert!((report.high_quality_share - quality).abs() < error, "{report:?}");
                // 2 n KL is about chi-squared with k - 1 degrees of freedom: mean k - 1, s.d. sqrt(2 (k - 1)).
                let freedom = (modes - 1) as f64;
                let statistic = 2.0 * report.high_quality_share * SAMPLES as f64 * report.reverse_kl;
                assert!(statistic > 0.0 && statistic < freedom + 5.0 * (2.0 * freedom).sqrt(), "{report:?}");
            }
        }
    }

    #[test]
    fn figures_are_those_of_the_definition() {
        // Modes at 0, 10, 20 and 30 on the line with s.d. 1: good are 0, 3, 7, 13 and 20; 16.5 and 40 are not.
        let centers = [0.0, 10.0, 20.0, 30.0];
        let report = evaluate(&[0.0, 3.0, 7.0, 13.0, 20.0, 16.5, 40.0, 1.0], &centers, 1, 1.0).unwrap();
        // Shares 3/6, 2/6, 1/6, 0.
        let expected = [0.5f64, 1.0 / 3.0, 1.0 / 6.0].map(|p| p * (4.0 * p).ln()).iter().sum::<f64>();
        assert_eq!((report.modes_captured, report.high_quality_share), (3, 0.75));
        // 16.5 is nearest to 20 and 40 to 30: none is lost, until another ten are at 0.
        assert_eq!(report.modes_lost, 0);
        let near = [&[0.0; 20][..], &[10.0, 10.0], &[21.0, 16.0], &[30.0]].concat();
        assert_eq!(evaluate(&near, &centers, 1, 1.0).unwrap().modes_lost, 1);
        assert!((report.reverse_kl - expected).abs() < 1e-15, "{report:?}, expected {expected}");
        // All on one mode: ln 4. One on each: 0. In space, the distance is Euclidean: (2, 2, 2) is 3.46 away.
        assert_eq!(evaluate(&[0.5; 9], &centers, 1, 1.0).unwrap().reverse_kl, 4f64.ln());
        assert_eq!(evaluate(&[0.5, 10.0, 20.0, 30.0], &centers, 1, 1.0).unwrap().reverse_kl, 0.0);
        assert_eq!(evaluate(&[2.0; 3], &[0.0; 3], 3, 1.0).unwrap().high_quality_share, 0.0);
        assert_eq!(evaluate(&[1.7; 3], &[0.0; 3], 3, 1.0).unwrap().high_quality_share, 1.0);
        // Between two modes the first one has it, as it has the other sample.
        let report = evaluate(&[5.0, 5.0, 0.0, 10.0], &[0.0, 10.0, 10.0, 0.0], 2, 3.0).unwrap();
        assert_eq!((report.modes_captured, report.reverse_kl), (1, 2f64.ln()));
    }

    #[test]
    fn agrees_with_a_plain_count() {
        let samples: Vec<f32> = ring8(777, 5).unwrap().values().iter().map(|value| 1.02 * value).collect();
        let mut counts = [0u32; 8];
        for sample in samples.chunks(2) {
            let away = |k: usize| {
                let angle = std::f64::consts::TAU * k as f64 / 8.0;
                (f64::from(sample[0]) - angle.cos()).hypot(f64::from(sample[1]) - angle.sin())
            };
            let mode = (0..8).min_by(|&a, &b| away(a).total_cmp(&away(b))).unwrap();
            counts[mode] += u32::from(away(mode) <= 3.0 * RING_SD);
        }
        let good: u32 = counts.iter().sum();
        let entropy: f64 = counts.iter().map(|&count| f64::from(count) / f64::from(good)).map(|p| -p * p.ln()).sum();
        let report = evaluate(&samples, RING_CENTERS.as_flattened(), 2, RING_SD).unwrap();
        assert!(good > 100 && good < 700, "{counts:?}");
        assert_eq!((report.modes_captured, report.high_quality_share), (8, f64::from(good) / 777.0));
        assert!((report.reverse_kl - (8f64.ln() - entropy)).abs() < 1e-12, "{report:?}");
    }

    #[test]
    fn no_sample_of_high_quality_is_the_worst_of_all() {
        let report = evaluate(&[5.0, -5.0], &[0.0, 1.0], 1, 1e-3).unwrap();
        assert_eq!((report.modes_captured, report.high_quality_share, report.reverse_kl), (0, 0.0, 2f64.ln()));
    }

    #[test]
    fn refuses_bad_input() {
        for (samples, centers, features, sd) in [
            (&[][..], &[0.0][..], 1, 1.0),
            (&[1.0], &[], 1, 1.0),
            (&[1.0], &[0.0], 0, 1.0),
            (&[1.0; 3], &[0.0; 2], 2, 1.0),
            (&[1.0; 2], &[0.0; 3], 2, 1.0),
            (&[f32::NAN], &[0.0], 1, 1.0),
            (&[1.0], &[f64::INFINITY], 1, 1.0),
            (&[1.0], &[0.0], 1, 0.0),
            (&[1.0], &[0.0], 1, f64::NAN),
            (&[1.0], &[0.0], 1, f64::INFINITY),
        ] {
            assert!(evaluate(samples, centers, features, sd).is_err(), "{samples:?} {centers:?} {features} {sd}");
        }
    }
}
