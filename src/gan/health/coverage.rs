//! Spread and coverage of generated samples, held against real ones.

use crate::error::Result;
use crate::kernel::distance::squared_distances;
use crate::memory::filled;
use crate::simd::Isa;

/// A generated sample's nearest real one so far.
#[derive(Clone, Copy)]
struct Nearest {
    distance: f32,
    real: usize,
}

/// The share of the real samples that are the nearest one of some generated sample, the first of equals. `reals` are the panels
/// of `count` real samples, `[panel][feature][sample]` in panels of `width`; `fakes` are rows. All values are finite.
pub(super) fn coverage(
    isa: Isa,
    reals: &[f32],
    count: usize,
    width: usize,
    fakes: &[f32],
    features: usize,
) -> Result<f64> {
    let first = Nearest { distance: f32::INFINITY, real: 0 };
    let mut nearest = filled(fakes.len() / features, first)?;
    let mut distances = filled(nearest.len() * width, 0.0)?;
    for (panel, reals) in reals.chunks_exact(features * width).enumerate() {
        squared_distances(isa, fakes, features, reals, width, &mut distances);
        let begin = panel * width;
        for (nearest, distances) in nearest.iter_mut().zip(distances.chunks_exact(width)) {
            for (lane, &distance) in distances[..width.min(count - begin)].iter().enumerate() {
                if distance < nearest.distance {
                    *nearest = Nearest { distance, real: begin + lane };
                }
            }
        }
    }
    let mut covered = filled(count, false)?;
    nearest.iter().for_each(|nearest| covered[nearest.real] = true);
    Ok(covered.iter().filter(|covered| **covered).count() as f64 / count as f64)
}

/// The variance of the rows, summed over their features.
pub(super) fn total_variance(rows: &[f32], features: usize) -> Result<f64> {
    let count = (rows.len() / features) as f64;
    let mut means = filled(features, 0.0)?;
    for row in rows.chunks_exact(features) {
        means.iter_mut().zip(row).for_each(|(mean, &value)| *mean += f64::from(value) / count);
    }
    let squares =
        |row: &[f32]| row.iter().zip(&means).map(|(&value, mean)| (f64::from(value) - mean).powi(2)).sum::<f64>();
    Ok(rows.chunks_exact(features).map(squares).sum::<f64>() / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::panel::gather_rows;

    const WIDTH: usize = 16;

    fn of(reals: &[f32], fakes: &[f32], features: usize) -> f64 {
        let count = reals.len() / features;
        let mut panels = vec![0.0; count.div_ceil(WIDTH) * WIDTH * features];
        for (index, panel) in panels.chunks_exact_mut(WIDTH * features).enumerate() {
            let rows: Vec<u32> = (index * WIDTH..count.min((index + 1) * WIDTH)).map(|row| row as u32).collect();
            gather_rows(Isa::best(), reals, features, &rows, panel, WIDTH);
        }
        coverage(Isa::best(), &panels, count, WIDTH, fakes, features).unwrap()
    }

    #[test]
    fn covered_are_those_that_are_nearest_to_some_sample() {
        // Twenty points on a line, in two panels; the empty lanes of the second hold a 0 that is nobody.
        let reals: Vec<f32> = (1..=20).map(|x| x as f32).collect();
        assert_eq!(of(&reals, &reals, 1), 1.0);
        assert_eq!(of(&reals, &[0.0, 0.1, -5.0], 1), 1.0 / 20.0, "the empty lanes");
        assert_eq!(of(&reals, &[3.2, 3.4, 18.9, 100.0], 1), 3.0 / 20.0);
        assert_eq!(of(&reals, &[1.5], 1), 1.0 / 20.0, "of two that are as near");
        // Distances that overflow leave the first.
        assert_eq!(of(&[1e30, -1e30], &[-3e38, 3e38], 1), 0.5);
        let square = [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0];
        assert_eq!(of(&square, &[0.4, 0.6, 0.4, 0.9, 0.6, 0.6], 2), 0.5);
    }

    #[test]
    fn samples_of_the_same_distribution_cover_as_much_as_theory_says() {
        let mut state = 1u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u32 << 24) as f32
        };
        let mut draw = |count: usize| (0..count).map(|_| uniform()).collect::<Vec<_>>();
        let mean = (0..8).map(|_| of(&draw(512), &draw(512), 1) / 8.0).sum::<f64>();
        // Of the 512 real samples 5/9; the standard error of a mean of eight is some 0.007.
        assert!((mean - 5.0 / 9.0).abs() < 0.03, "{mean}");
    }

    #[test]
    fn variances_are_summed_over_features() {
        assert_eq!(total_variance(&[1.0, -1.0, 3.0, 5.0], 2).unwrap(), 1.0 + 9.0);
        assert_eq!(total_variance(&[7.0, 7.0, 7.0], 1).unwrap(), 0.0);
        assert_eq!(total_variance(&[3e38, -3e38], 1).unwrap(), f64::from(3e38f32).powi(2), "no overflow");
    }
}
