//! The weight gradient of narrow layers: every element is a dot product of two rows along the samples.
//!
//! A tile of rows of dY by rows of X is summed at once, each element in the 16 lanes of a group, whose sum is taken at the end
//! in a fixed order.

use crate::kernel::reduce::sum_lanes;
use crate::simd::{Kernel, LANE_GROUP, Simd};

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
    fn run<S: Simd>(self, simd: S) {
        let Self { delta, input, gradient, stride, width, accumulate } = self;
        for (deltas, gradients) in delta.chunks(4 * width).zip(gradient.chunks_mut(4 * stride)) {
            for (block, inputs_of_block) in input.chunks(4 * width).enumerate() {
                let to = Target { gradients, stride, first: 4 * block, accumulate };
                match (deltas.len() / width, inputs_of_block.len() / width) {
                    (4, 4) => dots::<S, 4, 4>(simd, deltas, inputs_of_block, width, to),
                    (4, 3) => dots::<S, 4, 3>(simd, deltas, inputs_of_block, width, to),
                    (4, 2) => dots::<S, 4, 2>(simd, deltas, inputs_of_block, width, to),
                    (4, _) => dots::<S, 4, 1>(simd, deltas, inputs_of_block, width, to),
                    (3, _) => each_column::<S, 3>(simd, deltas, inputs_of_block, width, to),
                    (2, _) => each_column::<S, 2>(simd, deltas, inputs_of_block, width, to),
                    (_, 4) => dots::<S, 1, 4>(simd, deltas, inputs_of_block, width, to),
                    _ => each_column::<S, 1>(simd, deltas, inputs_of_block, width, to),
                }
            }
        }
    }
}

/// Where a tile's sums go: columns from `first` on of rows that begin `stride` apart.
struct Target<'a> {
    gradients: &'a mut [f32],
    stride: usize,
    first: usize,
    accumulate: bool,
}

/// [`dots`] one column after another.
#[inline(always)]
fn each_column<S: Simd, const ROWS: usize>(simd: S, deltas: &[f32], inputs: &[f32], width: usize, to: Target<'_>) {
    let Target { gradients, stride, first, accumulate } = to;
    for (column, input) in inputs.chunks_exact(width).enumerate() {
        let to = Target { gradients: &mut *gradients, stride, first: first + column, accumulate };
        dots::<S, ROWS, 1>(simd, deltas, input, width, to);
    }
}

/// The dot products of `ROWS` rows with `COLUMNS` rows.
#[inline(always)]
fn dots<S: Simd, const ROWS: usize, const COLUMNS: usize>(
    simd: S,
    deltas: &[f32],
    inputs: &[f32],
    width: usize,
    to: Target<'_>,
) {
    let mut sums = [[[simd.splat(0.0); PARTS]; COLUMNS]; ROWS];
    for group in (0..width).step_by(LANE_GROUP) {
        for part in 0..LANE_GROUP / S::LANES {
            let lane = group + part * S::LANES;
            let mut columns = [simd.splat(0.0); COLUMNS];
            for (column, values) in columns.iter_mut().enumerate() {
                *values = simd.load(&inputs[column * width + lane..]);
            }
            for (row, sums) in sums.iter_mut().enumerate() {
                let delta = simd.load(&deltas[row * width + lane..]);
                for (sum, column) in sums.iter_mut().zip(columns) {
                    sum[part] = simd.mul_add(delta, column, sum[part]);
                }
            }
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        for (column, parts) in sums.iter().enumerate() {
            let mut lanes = [0.0; LANE_GROUP];
            for (part, to) in lanes.chunks_exact_mut(S::LANES).enumerate() {
                simd.store(parts[part], to);
            }
            let gradient = &mut to.gradients[row * to.stride + to.first + column];
            let sum = sum_lanes(lanes);
            *gradient = if to.accumulate { *gradient + sum } else { sum };
        }
    }
}
