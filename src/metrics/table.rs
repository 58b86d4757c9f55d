//! What a generator has learned of any samples: how near it is to them, beside how near two halves of them are.

use std::collections::HashMap;

use crate::data::random::Random;
use crate::error::Result;
use crate::kernel::sum::Sum;
use crate::memory::room;
use crate::metrics::check_rows;
use crate::metrics::moments::Moments;
use crate::metrics::wasserstein::{DIRECTIONS, sliced_wasserstein};

/// Most samples on each side of a comparison; also at most [`MOST_VALUES`] values.
pub const MOST_SAMPLES: usize = 5_000;

/// Most values on each side of a comparison: a fraction of a second of work for wide samples.
pub const MOST_VALUES: usize = 1 << 20;

/// Seeds of the halves and of the directions, so that figures of different runs are comparable.
const HALVES_SEED: u64 = 0;
const DIRECTION_SEED: u64 = 0;

/// Keeps the halves apart from other uses of the same seed: a random constant.
const HALVES_DOMAIN: u64 = 0x71c4_9e0b_d3a8_526f;

/// Two random sets of real samples that share none: row-major `[rows, features]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Halves {
    /// What generated samples are compared with.
    pub first: Vec<f32>,
    /// What stands for generated samples of a perfect generator.
    pub second: Vec<f32>,
    features: usize,
}

impl Halves {
    /// The numbers of the samples that the halves of `samples` samples of `features` values consist of: as many in each, none
    /// where there is but one sample. The same for the same numbers.
    pub fn choose(samples: usize, features: usize) -> [Vec<usize>; 2] {
        let size = (samples / 2).min(MOST_SAMPLES).min((MOST_VALUES / features.max(1)).max(1));
        let mut random = Random::new(HALVES_DOMAIN, HALVES_SEED);
        // The first places of a random permutation (R. Durstenfeld, "Algorithm 235", 1964). Only the places that were swapped
        // are kept: of millions of samples thousands are chosen.
        let mut moved: HashMap<usize, usize> = HashMap::new();
        let mut order = Vec::new();
        for place in 0..2 * size {
            let other = place.saturating_add((random.uniform() * (samples - place) as f64) as usize).min(samples - 1);
            let at = |moved: &HashMap<usize, usize>, place: usize| moved.get(&place).copied().unwrap_or(place);
            let (here, there) = (at(&moved, place), at(&moved, other));
            order.push(there);
            moved.insert(other, here);
        }
        [order[..size].to_vec(), order[size..].to_vec()]
    }

    /// The halves of `samples` samples of `features` values, of which `row` gives one.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory), and what `row` reports.
    pub fn gather<R: AsRef<[f32]>>(samples: usize, features: usize, row: impl Fn(usize) -> Result<R>) -> Result<Self> {
        let gathered = |rows: &[usize]| {
            let mut half = room(rows.len().saturating_mul(features))?;
            for &chosen in rows {
                half.extend_from_slice(row(chosen)?.as_ref());
            }
            Ok(half)
        };
        let [first, second] = Self::choose(samples, features);
        Ok(Self { first: gathered(&first)?, second: gathered(&second)?, features })
    }

    /// The halves of row-major `[samples, features]` values.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`](crate::Error::Shape) where they are not whole rows; [`Error::Data`](crate::Error::Data) where a value
    /// is not finite.
    pub fn of(samples: &[f32], features: usize) -> Result<Self> {
        let count = check_rows("samples", samples, features)?;
        Self::gather(count, features, |row| Ok(&samples[row * features..][..features]))
    }

    /// Values of a sample.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Samples of a half.
    pub fn rows(&self) -> usize {
        self.first.len() / self.features.max(1)
    }
}

/// How near generated samples are to real ones, in the units of the values.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct TableReport {
    /// The sliced 1-Wasserstein distance to the real samples over [`DIRECTIONS`] directions.
    pub sliced_wasserstein: f64,
    /// The same between two halves of the real samples: what a perfect generator reaches with as many samples.
    pub real_sliced_wasserstein: f64,
    /// Distance of a feature's mean from that of the real samples: the mean over the features.
    pub mean_error: f64,
    /// Distance of a feature's standard deviation from that of the real samples: the mean over the features.
    pub sd_error: f64,
    /// Standard deviation of a feature, as a multiple of that of the real samples, each summed over the features: 0 where all
    /// samples are the same. NaN where the real ones are.
    pub sd_ratio: f64,
}

/// Measures row-major `[rows, features]` generated `samples` against `real` ones.
///
/// # Errors
///
/// [`Error::Shape`](crate::Error::Shape) where a set is empty or not whole rows; [`Error::Data`](crate::Error::Data) where a
/// value is not finite.
pub fn evaluate(samples: &[f32], real: &Halves) -> Result<TableReport> {
    let features = real.features;
    check_rows("samples", samples, features)?;
    let distance = |to: &[f32]| sliced_wasserstein(&real.first, to, features, DIRECTIONS, DIRECTION_SEED);
    let [mut mean_error, mut sd_error, mut generated_sd, mut real_sd] = [Sum::default(); 4];
    for feature in 0..features {
        let of =
            |values: &[f32]| Moments::of(values.iter().skip(feature).step_by(features).map(|&value| f64::from(value)));
        let (generated, [first, second]) = (of(samples), [&real.first, &real.second].map(|half| of(half)));
        // Of both halves together: they have the same size.
        let mean = 0.5 * (first.mean + second.mean);
        let within = 0.5 * (first.sd * first.sd + second.sd * second.sd);
        let sd = (within + (0.5 * (first.mean - second.mean)).powi(2)).sqrt();
        mean_error.add((generated.mean - mean).abs());
        sd_error.add((generated.sd - sd).abs());
        generated_sd.add(generated.sd);
        real_sd.add(sd);
    }
    Ok(TableReport {
        sliced_wasserstein: distance(samples)?,
        real_sliced_wasserstein: distance(&real.second)?,
        mean_error: mean_error.value() / features as f64,
        sd_error: sd_error.value() / features as f64,
        sd_ratio: generated_sd.value() / real_sd.value(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_random_and_share_nothing() {
        for (samples, features, size) in [
            (0, 1, 0),
            (1, 3, 0),
            (2, 3, 1),
            (7, 3, 3),
            (100_000, 1, 5_000),
            (10_000, 1 << 19, 2),
            (9, usize::MAX, 1),
            (usize::MAX, usize::MAX, 1),
            (usize::MAX, 300, 3_495),
        ] {
            let [first, second] = Halves::choose(samples, features);
            assert_eq!((first.len(), second.len()), (size, size), "{samples} {features}");
            let mut all = [first, second].concat();
            all.sort_unstable();
            all.dedup();
            assert!(all.len() == 2 * size && all.iter().all(|&row| row < samples), "{samples} {features}");
        }
        // Of sorted numbers, neither half is the lower one, nor do they alternate.
        let sorted: Vec<f32> = (0..2_000u16).map(f32::from).collect();
        let halves = Halves::of(&sorted, 1).unwrap();
        let mean = |half: &[f32]| half.iter().sum::<f32>() / half.len() as f32;
        let apart = (mean(&halves.first) - mean(&halves.second)).abs();
        assert!(apart > 1.5 && apart < 100.0, "{apart}");
    }

    #[test]
    fn a_perfect_generator_reaches_the_reference_and_others_do_not() {
        let mut random = Random::new(7, 0);
        let mut draw = |count: usize, mean: f64, sd: f64| -> Vec<f32> {
            (0..count).map(|_| (mean + sd * random.normal()) as f32).collect()
        };
        let real = Halves::of(&draw(20_000, 0.0, 1.0), 2).unwrap();
        let perfect = evaluate(&draw(10_000, 0.0, 1.0), &real).unwrap();
        assert!(perfect.sliced_wasserstein < 2.0 * perfect.real_sliced_wasserstein, "{perfect:?}");
        assert!(perfect.mean_error < 0.03 && perfect.sd_error < 0.03, "{perfect:?}");
        assert!((perfect.sd_ratio - 1.0).abs() < 0.03, "{perfect:?}");
        let shifted = evaluate(&draw(10_000, 0.5, 1.0), &real).unwrap();
        assert!((shifted.mean_error - 0.5).abs() < 0.03 && shifted.sliced_wasserstein > 0.2, "{shifted:?}");
        let narrow = evaluate(&draw(10_000, 0.0, 0.25), &real).unwrap();
        assert!((narrow.sd_ratio - 0.25).abs() < 0.01 && (narrow.sd_error - 0.75).abs() < 0.03, "{narrow:?}");
    }

    #[test]
    fn known_numbers() {
        let halves = Halves { first: vec![0.0, 2.0], second: vec![4.0, 6.0], features: 1 };
        let report = evaluate(&[3.0, 3.0], &halves).unwrap();
        assert_eq!((report.mean_error, report.sd_error, report.sd_ratio), (0.0, 5f64.sqrt(), 0.0));
        assert_eq!((report.sliced_wasserstein, report.real_sliced_wasserstein), (2.0, 4.0));
        assert!(evaluate(&[1.0, f32::NAN], &halves).is_err());
        assert!(evaluate(&[], &halves).is_err());
        assert!(Halves::of(&[1.0, 2.0, 3.0], 2).is_err());
    }
}
