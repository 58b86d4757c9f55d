//! The weight gradient of narrow layers: every element is a dot product of two rows along the samples.
//!
//! A tile of rows of dY by rows of X, 16 elements at most, is summed at once, each in the 16 lanes of a group; the lanes of all
//! elements are then added together, in a fixed order. An element's bits do not depend on the tile that it falls into.

use crate::simd::{Kernel, LANE_GROUP, Simd};

/// Elements of a tile.
const TILE: usize = 16;

/// Registers of a group of lanes on the narrowest instruction set.
const PARTS: usize = 2;

/// The product of one panel, by dot products.
pub(super) struct Dots<'a> {
    /// `[rows, width]`
    pub(super) delta: &'a [f32],
    /// `[inputs, width]`
    pub(super) input: &'a [f32],
    /// `[rows, inputs]`, rows `stride` apart.
    pub(super) gradient: &'a mut [f32],
    pub(super) stride: usize,
    /// Samples side by side: a multiple of [`LANE_GROUP`].
    pub(super) width: usize,
    pub(super) accumulate: bool,
}

impl Kernel for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let (rows, inputs) = (self.delta.len() / self.width, self.input.len() / self.width);
        // A square tile loads least; where there are few rows, more columns share the sum over the lanes.
        let widest = TILE / rows.clamp(1, 4).next_power_of_two();
        let mut column = 0;
        while column < inputs {
            let columns = power_of_two_below(inputs - column).min(widest);
            let mut row = 0;
            while row < rows {
                let height = power_of_two_below(rows - row).min(TILE / columns);
                self.tile(simd, [row, column], [height, columns]);
                row += height;
            }
            column += columns;
        }
    }
}

/// The largest power of two up to `count`, which is not 0.
#[inline(always)]
fn power_of_two_below(count: usize) -> usize {
    1 << count.ilog2()
}

impl Dots<'_> {
    /// The elements of a tile at `place`, of which `size` is one of the powers of two that a tile has room for.
    #[inline(always)]
    fn tile<S: Simd>(&mut self, simd: S, place: [usize; 2], size: [usize; 2]) {
        macro_rules! choose {
            ($($rows:literal x $columns:literal)*) => {
                match size {
                    $([$rows, $columns] => self.dots::<S, $rows, $columns>(simd, place),)*
                    _ => unreachable!("a tile has a size of the list"),
                }
            };
        }
        choose!(16 x 1 8 x 1 4 x 1 2 x 1 1 x 1 8 x 2 4 x 2 2 x 2 1 x 2 4 x 4 2 x 4 1 x 4 2 x 8 1 x 8 1 x 16);
    }

    /// The dot products of `ROWS` rows with `COLUMNS` rows.
    #[inline(always)]
    fn dots<S: Simd, const ROWS: usize, const COLUMNS: usize>(&mut self, simd: S, [row, column]: [usize; 2]) {
        let width = self.width;
        let deltas = &self.delta[row * width..][..ROWS * width];
        let inputs = &self.input[column * width..][..COLUMNS * width];
        let mut groups = [[simd.splat(0.0); PARTS]; TILE];
        for first in (0..LANE_GROUP).step_by(S::LANES) {
            let mut sums = [[simd.splat(0.0); COLUMNS]; ROWS];
            for lane in (first..width).step_by(LANE_GROUP) {
                let mut columns = [simd.splat(0.0); COLUMNS];
                for (column, values) in columns.iter_mut().enumerate() {
                    *values = simd.load(&inputs[column * width + lane..]);
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    let delta = simd.load(&deltas[row * width + lane..]);
                    for (sum, column) in sums.iter_mut().zip(columns) {
                        *sum = simd.mul_add(delta, column, *sum);
                    }
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                for (column, sum) in sums.iter().enumerate() {
                    groups[row * COLUMNS + column][first / S::LANES] = *sum;
                }
            }
        }
        let mut sums = [0.0; TILE];
        simd.sum_groups(&groups, &mut sums);
        for (row_in_tile, sums) in sums.chunks_exact(COLUMNS).take(ROWS).enumerate() {
            let gradient = &mut self.gradient[(row + row_in_tile) * self.stride + column..][..COLUMNS];
            for (gradient, sum) in gradient.iter_mut().zip(sums) {
                *gradient = if self.accumulate { *gradient + sum } else { *sum };
            }
        }
    }
}
