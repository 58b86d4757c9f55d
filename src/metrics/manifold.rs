//! Precision, recall, density and coverage: how far generated and real samples lie within each other's neighborhoods.
//!
//! The neighborhood of a sample is the ball around it that reaches to the k-th nearest other sample of its own set, its edge included. T.
//! Kynkäänniemi et al., "Improved precision and recall metric for assessing generative models", NeurIPS 2019, equations 1 and 2: precision and recall.
//! M. F. Naeem et al., "Reliable fidelity and diversity metrics for generative models", ICML 2020, equations 3 and 4: density and coverage, which
//! one sample far outside does not raise.
//!
//! Work: samples^2 x features for each of four passes, in blocks; no matrix of all pairs is kept.

use crate::error::{Error, Result};
use crate::kernel::sum::mean;
use crate::metrics::check_rows;
use crate::metrics::distance::References;

/// k: the neighborhood of a sample reaches to this nearest other one. As in Naeem et al., 2020.
pub const NEIGHBORS: usize = 5;

/// How generated samples lie among the real ones, and these among them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ManifoldReport {
    /// The share of the generated samples that lie in the neighborhood of a real one.
    pub precision: f64,
    /// The share of the real samples that lie in the neighborhood of a generated one.
    pub recall: f64,
    /// The number of real samples' neighborhoods that a generated sample lies in, mean of all, over [`NEIGHBORS`]: about 1 where both sets
    /// follow the same distribution, and above where the generated ones lie where the real ones are dense.
    pub density: f64,
    /// The share of the real samples whose neighborhood holds a generated one. Of as many samples of the same distribution about
    /// 1 - 2^-k = 0.97.
    pub coverage: f64,
}

/// Measures row-major `[rows, features]` generated `samples` against `real` ones. Uses up to `threads` threads (0 counts as 1); the result
/// does not depend on their number.
///
/// # Errors
///
/// [`Error::Shape`] where a set is not whole rows, or not more of them than [`NEIGHBORS`]; [`Error::Data`] where a value is not finite;
/// [`Error::Threads`] where the system refuses threads.
pub fn evaluate(samples: &[f32], real: &[f32], features: usize, threads: usize) -> Result<ManifoldReport> {
    check_neighbors("samples", samples, features)?;
    check_neighbors("real samples", real, features)?;
    let (generated, reals) = (References::new(samples, features)?, References::new(real, features)?);
    let radii = |references: &References, rows: &[f32]| references.for_each(rows, threads, neighborhood);
    let (generated_radii, real_radii) = (radii(&generated, samples)?, radii(&reals, real)?);
    // Infinite squares are beyond 32 bits: such samples are not in each other's neighborhoods.
    let within = |square: f32, radius: f32| square <= radius && square < f32::INFINITY;
    let holding = |radii: &[f32], squares: &[f32]| {
        radii.iter().zip(squares).filter(|&(&radius, &square)| within(square, radius)).count()
    };
    let of_generated = reals.for_each(samples, threads, |_, squares| holding(&real_radii, squares))?;
    let of_real = generated.for_each(real, threads, |i, squares| {
        let covered = squares.iter().any(|&square| within(square, real_radii[i]));
        (holding(&generated_radii, squares) > 0, covered)
    })?;
    let share = |holds: bool| f64::from(u8::from(holds));
    Ok(ManifoldReport {
        precision: mean(of_generated.iter().map(|&count| share(count > 0))),
        recall: mean(of_real.iter().map(|&(recalled, _)| share(recalled))),
        density: mean(of_generated.iter().map(|&count| count as f64)) / NEIGHBORS as f64,
        coverage: mean(of_real.iter().map(|&(_, covered)| share(covered))),
    })
}

/// Refuses fewer rows than have [`NEIGHBORS`] others.
fn check_neighbors(what: &str, rows: &[f32], features: usize) -> Result<()> {
    let count = check_rows(what, rows, features)?;
    if count <= NEIGHBORS {
        return Err(Error::shape(what, format!("more than {NEIGHBORS} rows"), format!("{count}")));
    }
    Ok(())
}

/// The [`NEIGHBORS`]-th smallest of the squared distances of row `own` from the others of its set.
fn neighborhood(own: usize, squares: &[f32]) -> f32 {
    let mut least = [f32::INFINITY; NEIGHBORS];
    for &square in squares[..own].iter().chain(&squares[own + 1..]) {
        if square < least[NEIGHBORS - 1] {
            let place = least.partition_point(|&smaller| smaller <= square);
            least.copy_within(place..NEIGHBORS - 1, place + 1);
            least[place] = square;
        }
    }
    least[NEIGHBORS - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::test_samples::{distances, fixed, normal};

    /// From matrices of all distances, as the definitions are written.
    fn plain(samples: &[f32], real: &[f32], features: usize) -> [f64; 4] {
        let radii = |rows: &[f32]| -> Vec<f64> {
            let sorted = |mut row: Vec<f64>| {
                row.sort_by(f64::total_cmp);
                row
            };
            // The first is the distance from itself.
            distances(rows, rows, features).into_iter().map(|row| sorted(row)[NEIGHBORS]).collect()
        };
        let (of_real, of_samples) = (radii(real), radii(samples));
        let all = distances(real, samples, features);
        let (n, m) = (of_real.len(), of_samples.len());
        let share = |count: usize, of: usize| count as f64 / of as f64;
        [
            share((0..m).filter(|&j| (0..n).any(|i| all[i][j] <= of_real[i])).count(), m),
            share((0..n).filter(|&i| (0..m).any(|j| all[i][j] <= of_samples[j])).count(), n),
            share((0..m * n).filter(|&p| all[p / m][p % m] <= of_real[p / m]).count(), m * NEIGHBORS),
            share((0..n).filter(|&i| (0..m).any(|j| all[i][j] <= of_real[i])).count(), n),
        ]
    }

    #[track_caller]
    fn expect(report: &ManifoldReport, expected: [f64; 4]) {
        let found = [report.precision, report.recall, report.density, report.coverage];
        let close = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12);
        assert!(close, "{found:?}, expected {expected:?}");
    }

    #[test]
    fn agrees_with_the_definition_on_any_number_of_threads() {
        for (features, m, n, shift) in [(1, 6, 9, 0.0), (2, 120, 77, 0.4), (5, 64, 150, 1.0), (300, 40, 33, 0.1)] {
            let (samples, real) = (normal(m, features, shift, 0.8, 1), normal(n, features, 0.0, 1.0, 2));
            let report = evaluate(&samples, &real, features, 1).unwrap();
            expect(&report, plain(&samples, &real, features));
            for threads in [0, 2, 3] {
                assert_eq!(evaluate(&samples, &real, features, threads).unwrap(), report);
            }
        }
    }

    /// Values of the package `prdc` 0.2, by the authors of density and coverage.
    #[test]
    fn agrees_with_prdc() {
        for (features, expected) in [(2, [0.8, 1.0, 0.48, 0.6]), (3, [1.0, 0.825, 1.135, 0.875])] {
            let (real, samples) = fixed(features);
            expect(&evaluate(&samples, &real, features, 1).unwrap(), expected);
        }
    }

    #[test]
    fn the_same_distribution_is_covered_and_a_mode_or_a_place_elsewhere_is_not() {
        let real = normal(600, 2, 0.0, 1.0, 1);
        let same = evaluate(&normal(600, 2, 0.0, 1.0, 2), &real, 2, 2).unwrap();
        assert!(same.precision > 0.95 && same.recall > 0.95, "{same:?}");
        assert!((same.density - 1.0).abs() < 0.1 && (same.coverage - 31.0 / 32.0).abs() < 0.03, "{same:?}");
        let narrow = evaluate(&normal(600, 2, 0.0, 0.1, 2), &real, 2, 2).unwrap();
        assert!(narrow.precision == 1.0 && narrow.recall < 0.1 && narrow.coverage < 0.2, "{narrow:?}");
        expect(&evaluate(&normal(600, 2, 50.0, 1.0, 2), &real, 2, 2).unwrap(), [0.0; 4]);
    }

    #[test]
    fn equal_rows_lie_in_neighborhoods_of_no_width() {
        let report = evaluate(&[1.0; 6], &[1.0; 6], 1, 1).unwrap();
        expect(&report, [1.0, 1.0, 6.0 / 5.0, 1.0]);
    }

    #[test]
    fn refuses_bad_input() {
        let good = [1.0; 12];
        for bad in [&[][..], &[1.0; 13], &[1.0; 10], &[f32::NAN; 12]] {
            assert!(evaluate(bad, &good, 2, 1).is_err() && evaluate(&good, bad, 2, 1).is_err(), "{bad:?}");
        }
        assert!(evaluate(&good, &good, 0, 1).is_err());
    }
}
