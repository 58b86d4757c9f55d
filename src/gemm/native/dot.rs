//! The weight gradient of narrow layers: every element is a dot product of two rows along the samples.
//!
//! A tile of rows of dY by rows of X, 16 elements at most, is summed at once, or in parts of 8 where registers are few, each element
//! in the 16 lanes of a group; the lanes of all elements are then added together, in a fixed order. An element's bits do not depend
//! on the tile that it falls into. A product of few elements and lanes has no tile at all.

use std::hint::black_box;

use super::panels::TINY_LANES;
use crate::gemm::are_rows;
use crate::kernel::reduce::sum_lanes;
use crate::simd::{GROUP_PARTS, Kernel, LANE_GROUP, Simd};

/// Elements of a tile.
const TILE: usize = 16;

/// Up to so many elements the lanes are added up one by one, and along few lanes nothing else is done either: all at once takes as long for
/// one as for a whole tile.
const FEW: usize = 4;

/// The product of one panel, by dot products.
pub(super) struct Dots<'a> {
    /// `[rows, width]`
    pub(super) delta: &'a [f32],
    /// `[inputs, width]`
    pub(super) input: &'a [f32],
    /// `[rows, inputs]`, rows `stride` apart.
    pub(super) gradient: &'a mut [f32],
    pub(super) stride: usize,
    /// Rows of `delta`.
    pub(super) rows: usize,
    /// Rows of `input`.
    pub(super) inputs: usize,
    /// Samples side by side: a multiple of [`LANE_GROUP`].
    pub(super) width: usize,
    pub(super) accumulate: bool,
}

impl Kernel for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let Self { rows, inputs, width, .. } = self;
        assert!(width > 0 && width.is_multiple_of(LANE_GROUP), "panels of whole lane groups");
        assert!(are_rows(self.delta.len(), rows, width) && are_rows(self.input.len(), inputs, width), "whole rows");
        if rows * inputs <= FEW && width <= TINY_LANES {
            return self.one_by_one(simd);
        }
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
    /// The elements of a product of [`FEW`], each by itself: along so few lanes nobody waits for the chain of its sum.
    #[inline(always)]
    fn one_by_one<S: Simd>(self, simd: S) {
        for (row, delta) in self.delta.chunks_exact(self.width).enumerate() {
            for (column, input) in self.input.chunks_exact(self.width).enumerate() {
                let mut lanes = [0.0; LANE_GROUP];
                for part in (0..LANE_GROUP).step_by(S::LANES) {
                    let mut sum = simd.splat(0.0);
                    for (delta, input) in
                        delta.as_chunks::<LANE_GROUP>().0.iter().zip(input.as_chunks::<LANE_GROUP>().0)
                    {
                        sum = simd.mul_add(simd.load(&delta[part..]), simd.load(&input[part..]), sum);
                    }
                    simd.store(sum, &mut lanes[part..]);
                }
                let gradient = &mut self.gradient[row * self.stride + column];
                let sum = sum_lanes(lanes);
                *gradient = if self.accumulate { *gradient + sum } else { sum };
            }
        }
    }

    /// The elements of a tile at `place`, of which `size` is one of the powers of two that a tile has room for. Where there are few
    /// registers it is summed in parts.
    #[inline(always)]
    fn tile<S: Simd>(&mut self, simd: S, place: [usize; 2], size: [usize; 2]) {
        macro_rules! choose {
            ($($rows:literal x $columns:literal by $part_rows:literal x $part_columns:literal,)*) => {
                match size {
                    $([$rows, $columns] if S::REGISTERS >= 32 => {
                        self.dots::<S, $rows, $columns, $rows, $columns>(simd, place);
                    }
                    [$rows, $columns] => self.dots::<S, $rows, $columns, $part_rows, $part_columns>(simd, place),)*
                    _ => unreachable!("a tile has a size of the list"),
                }
            };
        }
        choose!(
            16 x 1 by 8 x 1, 8 x 1 by 8 x 1, 4 x 1 by 4 x 1, 2 x 1 by 2 x 1, 1 x 1 by 1 x 1,
            8 x 2 by 4 x 2, 4 x 2 by 4 x 2, 2 x 2 by 2 x 2, 1 x 2 by 1 x 2,
            4 x 4 by 2 x 4, 2 x 4 by 2 x 4, 1 x 4 by 1 x 4,
            2 x 8 by 2 x 4, 1 x 8 by 1 x 8,
            1 x 16 by 1 x 8,
        );
    }

    /// The dot products of `ROWS` rows with `COLUMNS` rows, by parts of `PART_ROWS` with `PART_COLUMNS`.
    #[inline(always)]
    fn dots<S: Simd, const ROWS: usize, const COLUMNS: usize, const PART_ROWS: usize, const PART_COLUMNS: usize>(
        &mut self,
        simd: S,
        [row, column]: [usize; 2],
    ) {
        // Black boxes: the compiler would compute the addresses of all sizes of tiles ahead of the loops over tiles.
        let (width, stride) = (black_box(self.width), black_box(self.stride));
        let deltas = &self.delta[row * width..][..ROWS * width];
        let inputs = &self.input[column * width..][..COLUMNS * width];
        let mut groups = [[simd.splat(0.0); GROUP_PARTS]; TILE];
        for first in (0..LANE_GROUP).step_by(S::LANES) {
            for first_row in (0..ROWS).step_by(PART_ROWS) {
                for first_column in (0..COLUMNS).step_by(PART_COLUMNS) {
                    let mut sums = [[simd.splat(0.0); PART_COLUMNS]; PART_ROWS];
                    let mut delta = deltas.as_ptr().wrapping_add(first_row * width + first);
                    let mut input = inputs.as_ptr().wrapping_add(first_column * width + first);
                    for _ in 0..width / LANE_GROUP {
                        let mut columns = [simd.splat(0.0); PART_COLUMNS];
                        for (column, values) in columns.iter_mut().enumerate() {
                            // SAFETY: `inputs` holds a row for each column, and a row is made of whole lane groups (`run` checked), so
                            // that a vector stands at each of their lanes that is a multiple of LANES.
                            *values = unsafe { simd.load_pointer(input.add(column * width)) };
                        }
                        for (row, sums) in sums.iter_mut().enumerate() {
                            // SAFETY: as above, for `deltas`.
                            let delta = unsafe { simd.load_pointer(delta.add(row * width)) };
                            for (sum, column) in sums.iter_mut().zip(columns) {
                                *sum = simd.mul_add(delta, column, *sum);
                            }
                        }
                        (delta, input) = (delta.wrapping_add(LANE_GROUP), input.wrapping_add(LANE_GROUP));
                    }
                    for (row, sums) in sums.iter().enumerate() {
                        for (column, sum) in sums.iter().enumerate() {
                            let element = (first_row + row) * COLUMNS + first_column + column;
                            groups[element][first / S::LANES] = *sum;
                        }
                    }
                }
            }
        }
        let mut sums = [0.0; TILE];
        if ROWS * COLUMNS <= FEW {
            for (sum, group) in sums.iter_mut().zip(&groups).take(ROWS * COLUMNS) {
                let mut lanes = [0.0; LANE_GROUP];
                for (part, to) in group.iter().zip(lanes.chunks_exact_mut(S::LANES)) {
                    simd.store(*part, to);
                }
                *sum = sum_lanes(lanes);
            }
        } else {
            simd.sum_groups(&groups, &mut sums);
        }
        let gradient = &mut self.gradient[row * stride + column..][..(ROWS - 1) * stride + COLUMNS];
        for (row, sums) in sums.chunks_exact(COLUMNS).take(ROWS).enumerate() {
            let gradient = &mut gradient[row * stride..][..COLUMNS];
            if self.accumulate {
                for (gradient, sum) in gradient.iter_mut().zip(sums) {
                    *gradient += sum;
                }
            } else {
                gradient.copy_from_slice(sums);
            }
        }
    }
}
