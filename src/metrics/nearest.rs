//! Whether a nearest neighbor tells generated samples from real ones: a classifier two-sample test.
//!
//! D. Lopez-Paz and M. Oquab, "Revisiting classifier two-sample tests", ICLR 2017, with the classifier that needs no training: each sample of
//! both sets together is given the set of its nearest other one (leave-one-out). Half of the answers are right where the sets follow the
//! same distribution. More are right where they differ, and fewer where generated samples lie nearer to real ones than these do to each
//! other, as copies of them do.
//!
//! Work: (2 samples)^2 x features, in blocks; no matrix of all pairs is kept.

use crate::error::{Error, Result};
use crate::kernel::sum::mean;
use crate::metrics::check_rows;
use crate::metrics::distance::References;

/// How often the nearest other sample is of the same set: shares from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct NearestReport {
    /// Of all samples: 0.5 where the sets follow the same distribution, 1 where they are apart.
    pub accuracy: f64,
    /// Of the real samples: low where the generated ones cover them.
    pub real_accuracy: f64,
    /// Of the generated samples: high where they lie together, away from the real ones.
    pub generated_accuracy: f64,
}

/// Tells row-major `[rows, features]` generated `samples` from as many `real` ones. A sample with several nearest ones at the same distance
/// counts by the share of these that are of its own set. Uses up to `threads` threads (0 counts as 1); the result does not depend on
/// their number.
///
/// # Errors
///
/// [`Error::Shape`] where the sets are not whole rows, or not as many; [`Error::Data`] where a value is not finite; [`Error::Threads`] where
/// the system refuses threads.
pub fn evaluate(samples: &[f32], real: &[f32], features: usize, threads: usize) -> Result<NearestReport> {
    let count = check_rows("samples", samples, features)?;
    let reals = check_rows("real samples", real, features)?;
    if count != reals {
        return Err(Error::shape("samples", format!("{reals} rows, as many as real samples"), format!("{count}")));
    }
    let (generated, real_ones) = (References::new(samples, features)?, References::new(real, features)?);
    let accuracy = |rows: &[f32], own: &References, other: &References| -> Result<f64> {
        let own =
            own.for_each(rows, threads, |i, squares| Nearest::of(&squares[..i]).and(Nearest::of(&squares[i + 1..])))?;
        let other = other.for_each(rows, threads, |_, squares| Nearest::of(squares))?;
        Ok(mean(own.into_iter().zip(other).map(|(own, other)| own.share_beside(other))))
    };
    let real_accuracy = accuracy(real, &real_ones, &generated)?;
    let generated_accuracy = accuracy(samples, &generated, &real_ones)?;
    Ok(NearestReport { accuracy: 0.5 * (real_accuracy + generated_accuracy), real_accuracy, generated_accuracy })
}

/// The smallest of some squared distances, and how many are as small.
#[derive(Clone, Copy, Debug, Default)]
struct Nearest {
    square: f32,
    count: u32,
}

impl Nearest {
    fn of(squares: &[f32]) -> Self {
        let none = Self { square: f32::INFINITY, count: 0 };
        squares.iter().fold(none, |found, &square| found.and(Self { square, count: 1 }))
    }

    /// Of both together.
    fn and(self, other: Self) -> Self {
        match self.square.total_cmp(&other.square) {
            std::cmp::Ordering::Less => self,
            std::cmp::Ordering::Greater => other,
            std::cmp::Ordering::Equal => Self { count: self.count + other.count, ..self },
        }
    }

    /// The share of these among the nearest of both.
    fn share_beside(self, other: Self) -> f64 {
        match self.square.total_cmp(&other.square) {
            std::cmp::Ordering::Less => 1.0,
            std::cmp::Ordering::Greater => 0.0,
            std::cmp::Ordering::Equal => f64::from(self.count) / f64::from((self.count + other.count).max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::test_samples::{distances, fixed, normal};

    /// The share of the first set's rows whose nearest other row is of the first set.
    fn plain(own: &[f32], other: &[f32], features: usize) -> f64 {
        let (own, other) = (distances(own, own, features), distances(own, other, features));
        let right = own.iter().zip(&other).enumerate().filter(|(i, (own, other))| {
            let nearest = own.iter().enumerate().filter(|(j, _)| j != i).map(|(_, d)| *d).fold(f64::INFINITY, f64::min);
            nearest < other.iter().copied().fold(f64::INFINITY, f64::min)
        });
        right.count() as f64 / own.len() as f64
    }

    #[test]
    fn agrees_with_a_plain_search_on_any_number_of_threads() {
        for (features, rows, shift) in [(1, 50, 0.3), (2, 131, 0.0), (7, 90, 0.5), (300, 33, 0.1)] {
            let (samples, real) = (normal(rows, features, shift, 1.0, 1), normal(rows, features, 0.0, 1.0, 2));
            let report = evaluate(&samples, &real, features, 1).unwrap();
            assert_eq!(report.real_accuracy, plain(&real, &samples, features), "{features}");
            assert_eq!(report.generated_accuracy, plain(&samples, &real, features), "{features}");
            assert_eq!(report.accuracy, 0.5 * (report.real_accuracy + report.generated_accuracy));
            for threads in [0, 2, 3] {
                assert_eq!(evaluate(&samples, &real, features, threads).unwrap(), report);
            }
        }
    }

    /// Values of scikit-learn 1.9.1: `KNeighborsClassifier(1)` with `LeaveOneOut`.
    #[test]
    fn agrees_with_scikit_learn() {
        for (features, expected) in [(2, [0.7125, 0.725, 0.7]), (3, [0.825; 3])] {
            let (real, samples) = fixed(features);
            let found = evaluate(&samples, &real, features, 1).unwrap();
            let found = [found.accuracy, found.real_accuracy, found.generated_accuracy];
            assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12), "{found:?}");
        }
    }

    #[test]
    fn equal_sets_are_even_and_copies_are_below() {
        let real = normal(500, 2, 0.0, 1.0, 1);
        let even = evaluate(&normal(500, 2, 0.0, 1.0, 2), &real, 2, 2).unwrap();
        // Five standard errors, were the answers independent.
        assert!((even.accuracy - 0.5).abs() < 0.08, "{even:?}");
        assert_eq!(evaluate(&real, &real, 2, 2).unwrap().accuracy, 0.0);
        assert_eq!(evaluate(&normal(500, 2, 90.0, 1.0, 2), &real, 2, 2).unwrap().accuracy, 1.0);
    }

    #[test]
    fn ties_are_shared() {
        // Of few values: a 0 has one other 0 of its set and two of the other; a 1 has one, and none of the other.
        let report = evaluate(&[0.0, 0.0, 1.0, 1.0], &[0.0, 0.0, 5.0, 5.0], 1, 1).unwrap();
        let expected = (2.0 / 3.0 + 2.0) / 4.0;
        assert!((report.accuracy - expected).abs() < 1e-15 && report.real_accuracy == report.accuracy, "{report:?}");
        // One of each: the only other sample is of the other set.
        assert_eq!(evaluate(&[0.0], &[0.0], 1, 1).unwrap().accuracy, 0.0);
    }

    #[test]
    fn refuses_bad_input() {
        let good = [1.0, 2.0, 3.0, 4.0];
        for bad in [&[][..], &[1.0; 3], &[1.0; 2], &[1.0; 6], &[1.0, 1.0, f32::NAN, 1.0]] {
            assert!(evaluate(bad, &good, 2, 1).is_err() && evaluate(&good, bad, 2, 1).is_err(), "{bad:?}");
        }
        assert!(evaluate(&good, &good, 0, 1).is_err());
    }
}
