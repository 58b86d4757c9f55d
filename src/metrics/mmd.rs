//! The maximum mean discrepancy between generated and real samples, under a Gaussian (RBF) kernel.
//!
//! A. Gretton et al., "A kernel two-sample test", JMLR 13, 2012: lemma 6, equation 3, the unbiased estimate of the squared MMD. The kernel is
//! k(x, y) = exp(-|x - y|^2 / (2 h^2)). Its bandwidth h is the median of the distances between different real samples (section 8 takes
//! the median over both sets): it does not depend on the generator, so that generators are compared under one kernel.
//!
//! Work: samples^2 x features for each of three sums, in blocks; no matrix of all pairs is kept.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::kernel::sum::sum;
use crate::memory::room;
use crate::metrics::check_rows;
use crate::metrics::distance::References;

/// The median of the Euclidean distances between all pairs of different rows of row-major `[rows, features]` samples; the mean of the two in
/// the middle where the pairs are even in number. 0 where more than half of the pairs are equal, infinite where
/// the squares of half of them are beyond 32 bits. Uses up to `threads` threads (0 counts
/// as 1); the result does not depend on their number.
///
/// # Errors
///
/// [`Error::Shape`] where there are not two whole rows; [`Error::Data`] where a value is not finite; [`Error::Threads`] where the system
/// refuses threads.
pub fn median_distance(real: &[f32], features: usize, threads: usize) -> Result<f64> {
    let count = check_pairs("real samples", real, features)?;
    let references = References::new(real, features)?;
    let pairs = count as u64 * (count as u64 - 1) / 2;
    let at = |rank: u64| -> Result<f64> { Ok(f64::from(ranked(&references, real, rank, threads)?).sqrt()) };
    Ok(if pairs % 2 == 1 { at(pairs / 2)? } else { f64::midpoint(at(pairs / 2 - 1)?, at(pairs / 2)?) })
}

/// The unbiased estimate of the squared MMD between row-major `[rows, features]` sets under the kernel of this `bandwidth`: around 0, also
/// below it, where both follow the same distribution. A bandwidth of 0 stands for its limit: the kernel is 1 between equal rows and 0 else.
/// Threads as of [`median_distance`].
///
/// # Errors
///
/// As of [`median_distance`], for either set; [`Error::InvalidSetting`] where the bandwidth is negative or NaN.
pub fn squared_mmd(a: &[f32], b: &[f32], features: usize, bandwidth: f64, threads: usize) -> Result<f64> {
    let (m, n) =
        (check_pairs("the first set", a, features)? as f64, check_pairs("the second set", b, features)? as f64);
    if !(bandwidth >= 0.0) {
        return Err(Error::setting("bandwidth", format!("{bandwidth}; a number from 0 up is needed")));
    }
    let factor = -0.5 / (bandwidth * bandwidth);
    // 0 times infinity is no number.
    let kernel = |&square: &f32| if square == 0.0 { 1.0 } else { (f64::from(square) * factor).exp() };
    let (on_a, on_b) = (References::new(a, features)?, References::new(b, features)?);
    // Over all pairs of different rows of one set, and over all pairs of both.
    let within = |references: &References, rows: &[f32]| {
        let of_row = |i: usize, squares: &[f32]| sum(squares[..i].iter().chain(&squares[i + 1..]).map(kernel));
        references.for_each(rows, threads, of_row).map(sum)
    };
    let between = on_b.for_each(a, threads, |_, squares| sum(squares.iter().map(kernel))).map(sum)?;
    Ok(within(&on_a, a)? / (m * (m - 1.0)) + within(&on_b, b)? / (n * (n - 1.0)) - 2.0 * between / (m * n))
}

/// The number of rows, which are at least two.
fn check_pairs(what: &str, rows: &[f32], features: usize) -> Result<usize> {
    match check_rows(what, rows, features)? {
        1 => Err(Error::shape(what, "two or more rows", "1")),
        count => Ok(count),
    }
}

/// The squared distance that `rank` of the pairs of different rows are not above, from 0 on. Squares that are not negative are in the order of
/// their bits: one pass over all pairs counts them by the upper half of these, a second one by the lower half.
fn ranked(references: &References, rows: &[f32], rank: u64, threads: usize) -> Result<f32> {
    const HALF: usize = 1 << 16;
    let mut counts: Vec<AtomicU64> = room(HALF)?;
    counts.resize_with(HALF, AtomicU64::default);
    // The place of the count that reaches beyond `rank`, and how many come before it.
    let place = |counts: &mut [AtomicU64], rank: u64| {
        let mut before = 0;
        for (place, count) in counts.iter_mut().enumerate() {
            let here = std::mem::take(count.get_mut());
            if rank < before + here {
                counts[place + 1..].iter_mut().for_each(|count| *count.get_mut() = 0);
                return (place as u32, before);
            }
            before += here;
        }
        (0, 0)
    };
    references.for_each(rows, threads, |i, squares| {
        for square in &squares[i + 1..] {
            counts[(square.to_bits() >> 16) as usize].fetch_add(1, Ordering::Relaxed);
        }
    })?;
    let (upper, before) = place(&mut counts, rank);
    references.for_each(rows, threads, |i, squares| {
        for square in squares[i + 1..].iter().filter(|square| square.to_bits() >> 16 == upper) {
            counts[(square.to_bits() & 0xffff) as usize].fetch_add(1, Ordering::Relaxed);
        }
    })?;
    let (lower, _) = place(&mut counts, rank - before);
    Ok(f32::from_bits(upper << 16 | lower))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::test_samples::{distances, fixed, normal};

    fn plain_median(real: &[f32], features: usize) -> f64 {
        let all = distances(real, real, features);
        let mut pairs: Vec<f64> = (0..all.len()).flat_map(|i| all[i][i + 1..].to_vec()).collect();
        pairs.sort_by(f64::total_cmp);
        f64::midpoint(pairs[(pairs.len() - 1) / 2], pairs[pairs.len() / 2])
    }

    fn plain_mmd(a: &[f32], b: &[f32], features: usize, h: f64) -> f64 {
        let kernel = |distance: f64| (-distance * distance / (2.0 * h * h)).exp();
        let mean = |x: &[f32], y: &[f32], same: bool| {
            let rows = distances(x, y, features).into_iter().enumerate();
            let terms: Vec<f64> = rows
                .flat_map(|(i, row)| row.into_iter().enumerate().filter(move |&(j, _)| !(same && i == j)))
                .map(|(_, distance)| kernel(distance))
                .collect();
            terms.iter().sum::<f64>() / terms.len() as f64
        };
        mean(a, a, true) + mean(b, b, true) - 2.0 * mean(a, b, false)
    }

    #[test]
    fn agrees_with_the_plain_sums_on_any_number_of_threads() {
        for (features, m, n, mean) in [(1, 2, 3, 0.0), (2, 150, 97, 0.3), (5, 64, 201, 0.0), (300, 40, 33, 0.1)] {
            let (a, b) = (normal(m, features, mean, 1.2, 1), normal(n, features, 0.0, 1.0, 2));
            let median = median_distance(&b, features, 1).unwrap();
            let expected = plain_median(&b, features);
            assert!((median - expected).abs() < 2e-6 * expected, "{features}: {median}, expected {expected}");
            let found = squared_mmd(&a, &b, features, median, 1).unwrap();
            let expected = plain_mmd(&a, &b, features, median);
            assert!((found - expected).abs() < 1e-6, "{features}: {found}, expected {expected}");
            for threads in [0, 2, 3] {
                assert_eq!(median_distance(&b, features, threads).unwrap(), median);
                assert_eq!(squared_mmd(&a, &b, features, median, threads).unwrap(), found);
            }
        }
    }

    /// Values of SciPy 1.17.1 (`pdist`) and scikit-learn 1.9.1 (`rbf_kernel`).
    #[test]
    fn agrees_with_scikit_learn() {
        for (features, median, mmd) in
            [(2, 7.341_199_973_385_679, 0.144_469_974_939_729_9), (3, 9.747_280_197_801_8, 0.081_186_344_921_416_96)]
        {
            let (real, generated) = fixed(features);
            let found = median_distance(&real, features, 1).unwrap();
            assert!((found - median).abs() < 2e-6 * median, "{features}: {found}");
            let found = squared_mmd(&generated, &real, features, found, 1).unwrap();
            assert!((found - mmd).abs() < 1e-6, "{features}: {found}");
        }
    }

    #[test]
    fn equal_distributions_are_near_and_others_are_far() {
        let real = normal(400, 2, 0.0, 1.0, 1);
        let bandwidth = median_distance(&real, 2, 1).unwrap();
        let to = |other: &[f32]| squared_mmd(other, &real, 2, bandwidth, 1).unwrap();
        let near: Vec<f64> = (2..10).map(|seed| to(&normal(400, 2, 0.0, 1.0, seed))).collect();
        assert!(near.iter().all(|mmd| mmd.abs() < 0.01) && near.iter().any(|&mmd| mmd < 0.0), "{near:?}");
        assert!(to(&normal(400, 2, 0.5, 1.0, 2)) > 0.03 && to(&normal(400, 2, 0.0, 0.1, 2)) > 0.03);
    }

    #[test]
    fn equal_rows_have_a_kernel_too() {
        // Four equal real rows of five: the median is 0, and the kernel tells equal from different.
        let real = [1.0, 1.0, 1.0, 1.0, 2.0];
        assert_eq!(median_distance(&real, 1, 1).unwrap(), 0.0);
        // Within: 2 of 2 pairs, and 12 of 20; between: 8 of 10.
        for (samples, expected) in [([1.0, 1.0], 1.0 + 0.6 - 1.6), ([3.0, 3.0], 1.6)] {
            let found = squared_mmd(&samples, &real, 1, 0.0, 1).unwrap();
            assert!((found - expected).abs() < 1e-15, "{found}, expected {expected}");
        }
        // Three of four: half of the pairs.
        assert_eq!(median_distance(&real[1..], 1, 1).unwrap(), 0.5);
    }

    #[test]
    fn refuses_bad_input() {
        let good = [1.0, 2.0, 3.0, 4.0];
        for bad in [&[][..], &[1.0; 3], &[1.0; 2], &[1.0, 1.0, f32::NAN, 1.0]] {
            assert!(median_distance(bad, 2, 1).is_err(), "{bad:?}");
            assert!(
                squared_mmd(bad, &good, 2, 1.0, 1).is_err() && squared_mmd(&good, bad, 2, 1.0, 1).is_err(),
                "{bad:?}"
            );
        }
        for bandwidth in [-1.0, f64::NAN] {
            assert!(squared_mmd(&good, &good, 2, bandwidth, 1).is_err(), "{bandwidth}");
        }
        assert!(median_distance(&good, 0, 1).is_err());
    }
}
