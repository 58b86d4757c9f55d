//! The weight gradient of wide layers: `dW = dY X^T`, with X transposed in blocks on the stack.

use std::mem::MaybeUninit;

use super::WeightSums;
use super::tile::{Grid, row_blocks, tile};
use crate::simd::{Kernel, LANE_GROUP, Simd};

/// Samples of a block of X^T: with two vectors of inputs it fills 32 KiB of the level-1 cache at most.
const BLOCK_SAMPLES: usize = 16 * LANE_GROUP;

/// Inputs of a block of X^T on the widest instruction set: two vectors.
const BLOCK_INPUTS: usize = 2 * LANE_GROUP;

/// The product, by blocks of X^T.
pub(super) struct Transposed<'a>(pub(super) WeightSums<'a>);

impl Kernel for Transposed<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let WeightSums { delta, input, gradient, width, accumulate } = self.0;
        let (rows, inputs) = (delta.len() / width, input.len() / width);
        let columns = 2 * S::LANES;
        let mut block = [const { MaybeUninit::<f32>::uninit() }; BLOCK_SAMPLES * BLOCK_INPUTS];
        let block = block.as_mut_ptr().cast::<f32>();
        let mut edge = [0.0f32; 16 * BLOCK_INPUTS];
        for first_sample in (0..width).step_by(BLOCK_SAMPLES) {
            let samples = BLOCK_SAMPLES.min(width - first_sample);
            for first_input in (0..inputs).step_by(columns) {
                let count = columns.min(inputs - first_input);
                // SAFETY: rows `first_input .. first_input + count` of the panel, and `samples` of its lanes, lie within
                // `input`; the block has room for BLOCK_SAMPLES rows of two vectors.
                unsafe {
                    transpose(
                        simd,
                        input.as_ptr().add(first_input * width + first_sample),
                        width,
                        count,
                        samples,
                        block,
                    );
                }
                for (first, tile_rows) in row_blocks::<S>(rows) {
                    let whole = count == columns;
                    let to = first * inputs + first_input;
                    let add = accumulate || first_sample > 0;
                    if !whole {
                        for row in 0..tile_rows {
                            edge[row * columns..][..count].copy_from_slice(&gradient[to + row * inputs..][..count]);
                        }
                    }
                    // SAFETY: `first + tile_rows <= rows`, and the samples lie within the panel's width. C is either
                    // `tile_rows` whole rows of two vectors of the gradient, or the edge block, which has room for 16.
                    unsafe {
                        let (c, c_row) =
                            if whole { (gradient.as_mut_ptr().add(to), inputs) } else { (edge.as_mut_ptr(), columns) };
                        let grid = Grid {
                            a: delta.as_ptr().add(first * width + first_sample),
                            a_row: width,
                            a_step: 1,
                            b: block,
                            b_step: columns,
                            c,
                            c_row,
                            terms: samples,
                            accumulate: add,
                        };
                        tile::<S, 2>(simd, tile_rows, grid);
                    }
                    if !whole {
                        for row in 0..tile_rows {
                            gradient[to + row * inputs..][..count].copy_from_slice(&edge[row * columns..][..count]);
                        }
                    }
                }
            }
        }
    }
}

/// Writes `samples` rows of two vectors: row `s` holds lane `s` of `count` rows of a panel, then zeros.
///
/// # Safety
///
/// `from` is valid for reads of `samples` values of each of `count` rows that are `width` apart; `to` is valid for writes of
/// `samples` times two vectors. `samples` is a multiple of [`LANE_GROUP`], `count` at most two vectors.
#[inline(always)]
unsafe fn transpose<S: Simd>(simd: S, from: *const f32, width: usize, count: usize, samples: usize, to: *mut f32) {
    for vector in 0..2 {
        for sample in (0..samples).step_by(S::LANES) {
            let mut rows = [simd.splat(0.0); LANE_GROUP];
            let present = S::LANES.min(count.saturating_sub(vector * S::LANES));
            for (lane, row) in rows[..present].iter_mut().enumerate() {
                // SAFETY: row `vector * LANES + lane` of the panel is below `count`, and it has LANES samples from `sample`
                // on: the caller vouches for both.
                *row = unsafe { simd.load_pointer(from.add((vector * S::LANES + lane) * width + sample)) };
            }
            simd.transpose(&mut rows);
            for (lane, row) in rows[..S::LANES].iter().enumerate() {
                // SAFETY: vector `vector` of row `sample + lane`, which the caller vouches for.
                unsafe { simd.store_pointer(*row, to.add(((sample + lane) * 2 + vector) * S::LANES)) };
            }
        }
    }
}
