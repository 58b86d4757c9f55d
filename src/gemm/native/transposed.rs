//! The weight gradient of wide layers: `dW = dY X^T`, with X transposed in blocks on the stack. Where the weights are to be updated
//! by it, a tile's are right after the last block of samples has been added to that tile.

use std::mem::MaybeUninit;

use super::epilogue::Plain;
use super::tile::{AHEAD_TERMS, Grid, Run, row_blocks, tiles};
use super::update::Tiles;
use crate::gemm::OuterProduct;
use crate::simd::{Kernel, LANE_GROUP, Simd};

/// Samples of a block of X^T: with two vectors of 16 inputs it fills 32 KiB of the level-1 cache, and the same samples of some
/// hundred rows of dY stay in the level-2 cache.
const BLOCK_SAMPLES: usize = 16 * LANE_GROUP;

/// Inputs of a block of X^T on the widest instruction set: two vectors.
const BLOCK_INPUTS: usize = 2 * LANE_GROUP;

/// Most ranges of lanes in a block.
const BLOCK_RANGES: usize = 16;

/// Most rows of a tile on any instruction set.
const TILE_ROWS: usize = 16;

/// X^T in work: a square that begins with the last sample of a range reaches beyond it.
type Block = [MaybeUninit<f32>; (BLOCK_SAMPLES + LANE_GROUP) * BLOCK_INPUTS];

/// The product, by blocks of X^T, and what follows on each tile of it.
pub(super) struct Transposed<'k, 'a> {
    product: &'k mut OuterProduct<'a>,
    update: Option<Tiles<'a>>,
    /// Whether all that was updated is finite.
    finite: bool,
}

impl<'k, 'a> Transposed<'k, 'a> {
    /// # Panics
    ///
    /// If the operands do not have the shapes that the product states.
    pub(super) fn new(product: &'k mut OuterProduct<'a>) -> Self {
        product.check();
        let update = product.update.take().map(|update| Tiles::new(update, product.gradient));
        Self { product, update, finite: true }
    }
}

/// Lanes `lane .. lane + count` of a panel, of which all hold samples.
#[derive(Clone, Copy, Default)]
struct Samples {
    panel: usize,
    lane: usize,
    count: usize,
}

impl Kernel for Transposed<'_, '_> {
    /// Whether all that was updated is finite.
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) -> bool {
        let mut block: Block = [const { MaybeUninit::uninit() }; _];
        let mut ranges = [Samples::default(); BLOCK_RANGES];
        let (mut count, mut samples) = (0, 0);
        for (panel, lanes) in self.product.lanes.occupied() {
            for lane in lanes.clone().step_by(BLOCK_SAMPLES) {
                let range = Samples { panel, lane, count: BLOCK_SAMPLES.min(lanes.end - lane) };
                if count == BLOCK_RANGES || samples + range.count > BLOCK_SAMPLES {
                    self.sum(simd, &ranges[..count], &mut block, false);
                    (count, samples) = (0, 0);
                }
                ranges[count] = range;
                (count, samples) = (count + 1, samples + range.count);
            }
        }
        self.sum(simd, &ranges[..count], &mut block, true);
        self.finite
    }
}

impl Transposed<'_, '_> {
    /// Adds up the samples of `ranges`, at most [`BLOCK_SAMPLES`]; after the last ones the weights are updated.
    #[inline(always)]
    fn sum<S: Simd>(&mut self, simd: S, ranges: &[Samples], block: &mut Block, last: bool) {
        let OuterProduct {
            delta, input, ref rows, ref mut gradient, stride, outputs, inputs, lanes, accumulate, ..
        } = *self.product;
        let (first_row, rows) = (rows.start, rows.len());
        let width = lanes.width;
        let mut runs = [Run { offset: 0, terms: 0 }; BLOCK_RANGES];
        for (run, range) in runs.iter_mut().zip(ranges) {
            *run = Run { offset: (range.panel * outputs + first_row) * width + range.lane, terms: range.count };
        }
        let runs = &runs[..ranges.len()];
        let mut update = self.update.as_mut().filter(|_| last);
        let fetches: usize = runs.iter().map(|run| run.terms.div_ceil(AHEAD_TERMS)).sum();
        let block = block.as_mut_ptr().cast::<f32>();
        let columns = 2 * S::LANES;
        let mut edge = [0.0f32; TILE_ROWS * BLOCK_INPUTS];
        for first_input in (0..inputs).step_by(columns) {
            let count = columns.min(inputs - first_input);
            let mut to = block;
            for range in ranges {
                let from = (range.panel * inputs + first_input) * width + range.lane;
                // SAFETY: rows `first_input .. first_input + count` of the range's panel, and its lanes rounded up to whole
                // lane groups, lie within `input`, which the constructors checked. The ranges together are at most BLOCK_SAMPLES
                // samples, and the block has room for a lane group more.
                unsafe {
                    transpose(simd, input.as_ptr().add(from), width, count, range.count, to);
                    to = to.add(range.count * columns);
                }
            }
            let vectors = count.div_ceil(S::LANES);
            let whole = count == vectors * S::LANES;
            for (first, tile_rows) in row_blocks::<S>(rows) {
                let to = first * stride + first_input;
                if !whole {
                    for row in 0..tile_rows {
                        edge[row * columns..][..count].copy_from_slice(&gradient[to + row * stride..][..count]);
                    }
                }
                let fetched = || tile_rows.div_ceil(fetches.max(1));
                let beside = update.as_ref().map(|update| update.beside(to, stride, fetched()));
                // SAFETY: the runs are the ranges' samples of rows `first .. first + tile_rows` of the block, which the
                // constructors found within `delta`. C is either `vectors` whole vectors of those rows of the gradient, or the edge block,
                // which has room for TILE_ROWS.
                unsafe {
                    let (c, c_row) =
                        if whole { (gradient.as_mut_ptr().add(to), stride) } else { (edge.as_mut_ptr(), columns) };
                    let grid = Grid {
                        a: delta.as_ptr().add(first * width),
                        a_row: width,
                        a_step: 1,
                        runs,
                        b: block,
                        b_step: columns,
                        c,
                        c_row,
                        accumulate,
                        ahead: None,
                        beside,
                        place: [first, first_input],
                    };
                    // The next tile of C comes into the cache while this one is summed.
                    for row in tile_rows..2 * tile_rows {
                        simd.prefetch(c.wrapping_add(row * c_row));
                        simd.prefetch(c.wrapping_add(row * c_row + S::LANES));
                    }
                    tiles(simd, [tile_rows, vectors], grid, &Plain);
                }
                if !whole {
                    for row in 0..tile_rows {
                        gradient[to + row * stride..][..count].copy_from_slice(&edge[row * columns..][..count]);
                    }
                }
                if let Some(update) = &mut update {
                    self.finite &= update.update(simd, gradient, to, [tile_rows, count], stride);
                }
            }
        }
        self.product.accumulate = true;
    }
}

/// Writes `samples` rows of two vectors: row `s` holds lane `s` of `count` rows of a panel, then zeros.
///
/// # Safety
///
/// `from` is valid for reads of `samples` values, rounded up to whole lane groups, of each of `count` rows that are `width`
/// apart; `to` is valid for writes of as many times two vectors. `count` is at most two vectors.
#[inline(always)]
unsafe fn transpose<S: Simd>(simd: S, from: *const f32, width: usize, count: usize, samples: usize, to: *mut f32) {
    for vector in 0..count.div_ceil(S::LANES) {
        let present = S::LANES.min(count - vector * S::LANES);
        for sample in (0..samples).step_by(S::LANES) {
            // SAFETY: rows `vector * LANES ..` of the panel, `present` of them below `count`, have LANES samples from `sample`
            // on; the block has a vector `vector` in each of the rows `sample .. sample + LANES`. The square in between has
            // room for LANES rows.
            unsafe {
                let from = from.add(vector * S::LANES * width + sample);
                let to = to.add((2 * sample + vector) * S::LANES);
                if present == S::LANES {
                    simd.transpose(from, width, to, 2 * S::LANES);
                } else {
                    let mut square = [0.0f32; LANE_GROUP * LANE_GROUP];
                    for row in 0..present {
                        let values = simd.load_pointer(from.add(row * width));
                        simd.store_pointer(values, square.as_mut_ptr().add(row * S::LANES));
                    }
                    simd.transpose(square.as_ptr(), S::LANES, to, 2 * S::LANES);
                }
            }
        }
    }
}
