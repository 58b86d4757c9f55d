//! How far generated samples are from real ones, in units of the data's spread.

use super::coverage::total_variance;
use crate::error::Result;
use crate::kernel::noise;
use crate::kernel::noise::StreamKey;
use crate::kernel::quantile::quantile_distance;
use crate::memory::filled;
use crate::simd::{Isa, LANE_GROUP};

/// Directions of the sliced distance: enough for a mean whose error is a tenth.
const DIRECTIONS: usize = LANE_GROUP;

/// Distances in units of the data's spread: the root of the mean variance of a feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Distances {
    /// The sliced 1-Wasserstein distance of the generated rows to the real ones.
    pub(super) data: f64,
    /// The same between two halves of the real rows, every other one of which is in each.
    pub(super) halves: f64,
    /// The distance of the means, over the root of the number of features.
    pub(super) means: f64,
}

/// The distances of row-major, finite `fakes` from `reals`, along directions that `key` gives.
pub(super) fn distances(isa: Isa, key: StreamKey, reals: &[f32], fakes: &[f32], features: usize) -> Result<Distances> {
    let spread = (total_variance(reals, features)? / features as f64).sqrt();
    let (real, fake) = (means(reals, features)?, means(fakes, features)?);
    let apart = real.iter().zip(&fake).map(|(real, fake)| (real - fake).powi(2)).sum::<f64>();
    // On the line there is one direction.
    let count = if features == 1 { 1 } else { DIRECTIONS };
    let mut directions = filled(features.saturating_mul(DIRECTIONS), 1.0)?;
    if count > 1 {
        noise::normal(isa, key, 0, &mut directions, DIRECTIONS);
    }
    let lengths: [f64; DIRECTIONS] = std::array::from_fn(|lane| {
        let of_lane = directions.iter().skip(lane).step_by(DIRECTIONS);
        of_lane.map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt()
    });
    let [on_real, on_fake] = [reals, fakes].map(|rows| project(rows, &directions));
    let mut sums = [0.0, 0.0];
    for (lane, length) in lengths.into_iter().enumerate().take(count) {
        let place = |(lanes, scale): (&[f32; DIRECTIONS], f64)| f64::from(lanes[lane]) / scale;
        let along = |rows: &[[f32; DIRECTIONS]]| rows.iter().map(|lanes| place((lanes, length))).collect::<Vec<f64>>();
        let (mut real, mut fake) = (along(&on_real), along(&on_fake));
        let [mut even, mut odd] = [0, 1].map(|first| real.iter().skip(first).step_by(2).copied().collect::<Vec<f64>>());
        sums[0] += quantile_distance(&mut real, &mut fake);
        sums[1] += if odd.is_empty() { 0.0 } else { quantile_distance(&mut even, &mut odd) };
    }
    let scaled = |distance: f64| if distance == 0.0 { 0.0 } else { distance / spread };
    let [data, halves] = sums.map(|sum| scaled(sum / count as f64));
    Ok(Distances { data, halves, means: scaled((apart / features as f64).sqrt()) })
}

/// The mean of each feature.
fn means(rows: &[f32], features: usize) -> Result<Vec<f64>> {
    let count = (rows.len() / features) as f64;
    let mut means = filled(features, 0.0)?;
    for row in rows.chunks_exact(features) {
        means.iter_mut().zip(row).for_each(|(mean, &value)| *mean += f64::from(value) / count);
    }
    Ok(means)
}

/// The products of each row with all directions, `[feature][direction]`.
fn project(rows: &[f32], directions: &[f32]) -> Vec<[f32; DIRECTIONS]> {
    let features = directions.len() / DIRECTIONS;
    let mut projected = Vec::with_capacity(rows.len() / features);
    for row in rows.chunks_exact(features) {
        let mut sums = [0.0f32; DIRECTIONS];
        for (value, direction) in row.iter().zip(directions.chunks_exact(DIRECTIONS)) {
            sums.iter_mut().zip(direction).for_each(|(sum, weight)| *sum += value * weight);
        }
        projected.push(sums);
    }
    projected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::streams::Stream;

    fn of(reals: &[f32], fakes: &[f32], features: usize) -> Distances {
        distances(Isa::best(), Stream::Sample.key(1, 0), reals, fakes, features).unwrap()
    }

    #[test]
    fn distances_on_the_line_are_those_of_the_definition() {
        // The s.d. is 2; the halves are 0, 4 and 0, 4.
        let found = of(&[0.0, 0.0, 4.0, 4.0], &[1.0, 1.0, 5.0, 5.0], 1);
        assert_eq!(found, Distances { data: 0.5, halves: 0.0, means: 0.5 });
        let found = of(&[-2.0, 2.0], &[0.0, 0.0], 1);
        assert_eq!(found, Distances { data: 1.0, halves: 2.0, means: 0.0 });
    }

    #[test]
    fn a_shift_in_space_is_seen_in_units_of_a_feature() {
        let mut state = 1u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u32 << 24) as f32
        };
        for features in [2, 3, 50] {
            let real: Vec<f32> = (0..512 * features).map(|_| uniform()).collect();
            let shifted: Vec<f32> = real.iter().map(|value| 5.0 + value).collect();
            let found = of(&real, &shifted, features);
            // A uniform number has s.d. 0.289. A direction sees a shift in all features by its mean's part: 0.8 of it, on average.
            assert!((found.means - 17.3).abs() < 0.5, "{features}: {found:?}");
            assert!((8.0..22.0).contains(&found.data) && found.halves < 0.2, "{features}: {found:?}");
            assert_eq!(of(&real, &real, features).data, 0.0);
        }
    }

    #[test]
    fn constant_data_and_extreme_samples_have_a_distance() {
        assert_eq!(of(&[3.0; 6], &[3.0; 6], 2), Distances { data: 0.0, halves: 0.0, means: 0.0 });
        assert_eq!(of(&[3.0; 6], &[4.0; 6], 2).data, f64::INFINITY);
        assert_eq!(of(&[1.0], &[1.0], 1), Distances { data: 0.0, halves: 0.0, means: 0.0 });
        let far = of(&[1.0, -1.0, 2.0, -2.0], &[3e38, -3e38, 3e38, -3e38], 2);
        assert!(!(far.data < 1e30), "{far:?}");
    }
}
