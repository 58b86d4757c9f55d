//! Neighborhoods of the data that a generator misses.
//!
//! ```text
//! split(real rows, generated rows)
//!     few real rows, or four splits deep      a cell
//!     a cluster far from the other side       a cell
//!     else                                    both at the widest gap near the median of the real rows along their principal axis
//! ```
//!
//! Cells hold about as many real samples each, so that what one of them should hold of the generated ones is known, and few enough
//! of them that chance empties none. The idea is that of E. Richardson and Y. Weiss, "On GANs and GMMs", 2018, whose bins are those
//! of k-means; these need no distances, and a far sample has no cell of its own.

use crate::error::Result;
use crate::memory::filled;

/// Splits on the way to a cell, at most: 16 cells of 32 of 512 samples.
const DEPTH: usize = 4;

/// Real samples of a cell, at least. Of 16 expected samples, chance leaves less than a fifth in 1 of 10,000 cells.
const LEAST: usize = 16;

/// A cell is lost where it has less than this share of its share of the generated samples: as in
/// [`circle::COVERED_SHARE`](crate::metrics::circle::COVERED_SHARE).
const COVERED_SHARE: f64 = 0.2;

/// Real rows that reach less far along their axis than this share of the gap beside them are one narrow mode, and one neighborhood: a
/// generator that is off by a part of its width does not miss the mode. Modes of `ring8` reach over 6 of their s.d., 0.08 of the gap: of
/// its normal runs, one evaluation in five missed more than 0.35 of the data while modes were halved (27 November 2026).
const NARROW: f32 = 0.2;

/// A cut is up to this part of the rows away from their median.
const ASIDE: usize = 8;

/// Steps of the power iteration that looks for the principal axis. It need not be exact.
const POWERS: usize = 4;

/// The share of the real rows in cells that the generated rows miss. Both are row-major and finite, at least one row each.
pub(super) fn lost_share(reals: &[f32], fakes: &[f32], features: usize) -> Result<f64> {
    let [real, fake] = [reals, fakes].map(|rows| rows.chunks_exact(features).collect::<Vec<_>>());
    let ratio = fake.len() as f64 / real.len() as f64;
    let (count, mut axis) = (real.len(), Axis::new(features)?);
    Ok(lost(real, fake, Place { ratio, depth: DEPTH, gap: 0.0 }, &mut axis) as f64 / count as f64)
}

/// Where rows are on the way to their cells.
#[derive(Clone, Copy)]
struct Place {
    /// Generated rows that there should be for each real one.
    ratio: f64,
    /// Splits that may follow.
    depth: usize,
    /// The width of the gap between the real rows here and those of the other side of the last split.
    gap: f32,
}

/// The number of `real` rows in lost cells.
fn lost(real: Vec<&[f32]>, fake: Vec<&[f32]>, place: Place, axis: &mut Axis) -> usize {
    let count = real.len();
    let may_split = place.depth > 0 && count >= 2 * LEAST && !fake.is_empty();
    let Some(cut) = may_split.then(|| axis.split(&real, NARROW * place.gap)).flatten() else {
        return if (fake.len() as f64) < COVERED_SHARE * place.ratio * count as f64 { count } else { 0 };
    };
    let [(real_below, real_above), (fake_below, fake_above)] =
        [real, fake].map(|rows| rows.into_iter().partition(|row| axis.of(row) <= cut.below));
    let place = Place { depth: place.depth - 1, gap: cut.gap, ..place };
    lost(real_below, fake_below, place, axis) + lost(real_above, fake_above, place, axis)
}

/// A cut through the places of rows along an axis.
struct Cut {
    /// The place up to which rows are below it.
    below: f32,
    /// The distance to the next row above.
    gap: f32,
}

/// A direction in space, and room to look for it.
struct Axis {
    direction: Vec<f32>,
    mean: Vec<f32>,
    next: Vec<f32>,
}

impl Axis {
    fn new(features: usize) -> Result<Self> {
        let zeros = || filled(features, 0.0);
        Ok(Self { direction: zeros()?, mean: zeros()?, next: zeros()? })
    }

    /// The place of a row along the axis.
    fn of(&self, row: &[f32]) -> f32 {
        row.iter().zip(&self.direction).map(|(value, weight)| value * weight).sum()
    }

    /// Lies along the largest variance of `rows`; returns the cut at the widest gap near their median. `None` where they reach less far
    /// than `least`, do not vary, or do so little or so much that numbers of 32 bits do not tell.
    fn split(&mut self, rows: &[&[f32]], least: f32) -> Option<Cut> {
        self.mean.fill(0.0);
        let count = rows.len() as f32;
        for row in rows {
            self.mean.iter_mut().zip(*row).for_each(|(mean, value)| *mean += value / count);
        }
        // From the row that is furthest from the mean: it has a part along the axis.
        let squares =
            |row: &&&[f32]| row.iter().zip(&self.mean).map(|(value, mean)| (value - mean).powi(2)).sum::<f32>();
        let furthest = rows.iter().max_by(|a, b| squares(a).total_cmp(&squares(b)))?;
        self.direction.iter_mut().zip(*furthest).zip(&self.mean).for_each(|((to, value), mean)| *to = value - mean);
        for _ in 0..POWERS {
            normalize(&mut self.direction)?;
            self.next.fill(0.0);
            let center = self.of(&self.mean);
            for row in rows {
                let place = self.of(row) - center;
                let centered = row.iter().zip(&self.mean).map(|(value, mean)| value - mean);
                self.next.iter_mut().zip(centered).for_each(|(sum, value)| *sum += place * value / count);
            }
            std::mem::swap(&mut self.direction, &mut self.next);
        }
        normalize(&mut self.direction)?;
        let mut places: Vec<f32> = rows.iter().map(|row| self.of(row)).collect();
        places.sort_unstable_by(f32::total_cmp);
        // Between two modes where there are any, so that no cell holds parts of both.
        let gap = |below: usize| places[below + 1] - places[below];
        let (count, middle) = (places.len(), (places.len() - 1) / 2);
        let near = middle - count / ASIDE..=(middle + count / ASIDE).min(count - 2);
        let widest = near.max_by(|a, b| gap(*a).total_cmp(&gap(*b)))?;
        // Where they are equal there, the others are above.
        let (first, last, below) = (places[0], places[count - 1], places[widest]);
        (below < last && last - first >= least).then(|| Cut { below, gap: gap(widest) })
    }
}

/// Gives a direction the length 1; `None` where it has none.
fn normalize(direction: &mut [f32]) -> Option<()> {
    let length = direction.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt() as f32;
    direction.iter_mut().for_each(|value| *value /= length);
    (length > 0.0 && length.is_finite()).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of a few clusters on a ring, `spread` apart within one.
    fn ring(modes: impl Iterator<Item = usize> + Clone, count: usize, spread: f32, seed: u64) -> Vec<f32> {
        let mut state = seed;
        let mut uniform = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u32 << 24) as f32 - 0.5
        };
        let mut modes = modes.cycle();
        let mut point = || {
            let angle = modes.next().unwrap() as f32 * std::f32::consts::TAU / 8.0;
            [angle.cos() + spread * uniform(), angle.sin() + spread * uniform()]
        };
        (0..count).flat_map(|_| point()).collect()
    }

    #[test]
    fn nothing_is_lost_where_both_are_of_one_distribution() {
        for (count, spread) in [(512, 0.2), (512, 2.0), (60, 0.2), (20, 0.2), (3, 0.0)] {
            for seed in 0..10 {
                let found = lost_share(&ring(0..8, count, spread, 1), &ring(0..8, count, spread, seed + 2), 2).unwrap();
                assert_eq!(found, 0.0, "{count} {spread} {seed}");
            }
        }
    }

    #[test]
    fn the_share_of_lost_modes_is_found() {
        let real = ring(0..8, 512, 0.2, 1);
        for (lost, left) in
            [(0.5, vec![0, 2, 4, 6]), (0.5, vec![0, 1, 2, 3]), (0.25, vec![0, 1, 2, 4, 5, 6]), (0.875, vec![5])]
        {
            let found = lost_share(&real, &ring(left.iter().copied(), 512, 0.2, 7), 2).unwrap();
            assert!((found - lost).abs() < 0.13, "{lost} of the modes without {left:?}: {found}");
        }
        // 64 features, of which the last two say where a sample belongs.
        let wide = |rows: Vec<f32>| {
            rows.chunks_exact(2).flat_map(|row| [[0.0; 62].as_slice(), row].concat()).collect::<Vec<_>>()
        };
        let found = lost_share(&wide(real), &wide(ring([0, 3, 5, 6].into_iter(), 512, 0.2, 7)), 64).unwrap();
        assert!((found - 0.5).abs() < 0.13, "{found}");
    }

    #[test]
    fn a_narrow_mode_is_one_neighborhood() {
        let real = ring(0..8, 512, 0.06, 1);
        let aside = |modes: Vec<usize>| -> Vec<f32> {
            ring(modes.into_iter(), 512, 0.01, 2).into_iter().map(|value| value + 0.02).collect()
        };
        // Where an odd number of modes is split, one of them is halved; else it would be nearly all of them.
        let found = lost_share(&real, &aside((0..8).collect()), 2).unwrap();
        assert!(found < 0.25, "{found}");
        for (lost, left) in [(0.5, vec![0, 2, 4, 6]), (0.875, vec![5])] {
            let found = lost_share(&real, &aside(left.clone()), 2).unwrap();
            assert!((found - lost).abs() < 0.15, "{lost} of the modes without {left:?}: {found}");
        }
        // Of wide modes a half is missed.
        let halves: Vec<f32> = ring(0..8, 512, 0.01, 2).into_iter().map(|value| value + 0.1).collect();
        assert!(lost_share(&ring(0..8, 512, 0.4, 1), &halves, 2).unwrap() > 0.2);
    }

    #[test]
    fn extreme_rows_are_no_panic() {
        let tied: Vec<f32> = (0..64).map(|row| if row < 60 { 0.0 } else { 1.0 }).collect();
        assert_eq!(lost_share(&tied, &tied, 1).unwrap(), 0.0);
        assert_eq!(lost_share(&[3.0; 64], &[3.0; 64], 1).unwrap(), 0.0);
        let huge: Vec<f32> = (0..64).map(|row| if row % 2 == 0 { 3e38 } else { -3e38 }).collect();
        assert!(lost_share(&huge, &huge, 1).unwrap() <= 1.0);
    }
}
