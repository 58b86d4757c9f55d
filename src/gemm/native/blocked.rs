//! `C = A B` of panels, in blocks of copies: for products whose B does not fit into the level-2 cache, or whose A is many columns of the
//! weights, with at most 16 registers.
//!
//! From the outside in: lanes; rows of C, which stay in the level-2 cache while the terms go by; terms, for which B is copied into strips;
//! as many rows as a few tiles have, whose part of A stays in the level-1 cache while the strips go by. In a panel the rows of a strip are
//! a power of two apart and compete for a few lines of the cache; copied, it lies in one piece. Where the rows of A are columns of the
//! weights they are copied, too, since each term stands in a page of its own.
//!
//! Sums that go on from a stored C keep their order, so no bit depends on the sizes.

use std::mem::MaybeUninit;

use super::epilogue::{Any, Plain};
use super::panels::{MOST_LANES, Panels};
use super::tile::{Ahead, Grid, Run, equal_parts, row_blocks, tiles};
use crate::simd::{Caches, Isa, IsaKind, Kernel, LANE_GROUP, Simd};

/// Fewest rows of C for which copying B pays: each copied vector is used once for every tile of rows.
const FEWEST_ROWS: usize = 48;

/// Rows that are computed for all strips in turn: five tiles of 16 registers.
const BLOCK_ROWS: usize = 30;

/// Blocks of terms are made of groups of so many, but for the last: a multiple of what the micro-kernel unrolls.
const TERM_GROUP: usize = 8;

/// Most terms of a block.
const MOST_TERMS: usize = 24 * TERM_GROUP;

/// Bytes of B beyond which columns of the weights are copied on any processor. With 2 MiB of level-2 cache, input gradients of 1024x784 at
/// 128 and 256 samples went from 75 and 65 % of the peak to 84 and 82 % (AVX2, docs/perf/caches.md).
const SCATTERED: usize = 256 * 1024;

/// Strips of B: the terms of 16 lanes, then those of the next 16.
type StripBlock = [MaybeUninit<f32>; MOST_TERMS * MOST_LANES];

/// Rows of A, term after term.
type RowBlock = [MaybeUninit<f32>; MOST_TERMS * BLOCK_ROWS];

/// The sizes of the blocks.
#[derive(Clone, Copy, Debug)]
struct Blocks {
    /// Groups of terms at a time: the rows of A that a block of tiles reads and a strip fill three quarters of the level-1 cache.
    term_groups: usize,
    /// Rows of C at a time: with the lanes of a block they fill a quarter of the level-2 cache.
    rows: usize,
    /// Elements of A from which on the next block's are fetched ahead: half of the level-2 cache.
    far: usize,
}

impl Blocks {
    fn new(caches: Caches) -> Self {
        let values = |bytes: usize| bytes / size_of::<f32>();
        let terms = values(caches.level1) / 4 * 3 / (BLOCK_ROWS + LANE_GROUP);
        let term_groups = (terms / TERM_GROUP).clamp(1, MOST_TERMS / TERM_GROUP);
        Self {
            term_groups,
            rows: (values(caches.level2) / 4 / MOST_LANES).max(BLOCK_ROWS),
            far: values(caches.level2) / 2,
        }
    }
}

/// A product in blocks of copies.
pub(super) struct Blocked<'k, 'p, 'a, const COLUMNS: bool> {
    panels: &'k mut Panels<'p, 'a, COLUMNS>,
    epilogue: Any<'a>,
    blocks: Blocks,
}

impl<'k, 'p, 'a, const COLUMNS: bool> Blocked<'k, 'p, 'a, COLUMNS> {
    /// # Panics
    ///
    /// If the epilogue was made for fewer rows or another width than C has.
    pub(super) fn new(panels: &'k mut Panels<'p, 'a, COLUMNS>, epilogue: Any<'a>, caches: Caches) -> Self {
        assert!(epilogue.covers(panels.rows(), panels.width()), "the epilogue was made for C");
        Self { panels, epilogue, blocks: Blocks::new(caches) }
    }

    /// Whether copies pay: where what of B is read again and again fills more than half of the level-2 cache. Where the rows of A are columns
    /// of the weights, a quarter of it, or [`SCATTERED`]: a larger cache makes pages no larger.
    #[inline]
    pub(super) fn pays(panels: &Panels<'p, 'a, COLUMNS>, isa: Isa, caches: Caches) -> bool {
        let block = panels.terms() * panels.width().min(MOST_LANES) * size_of::<f32>();
        let room = if COLUMNS { (caches.level2 / 4).min(SCATTERED) } else { caches.level2 / 2 };
        block > room && panels.rows() >= FEWEST_ROWS && is_compiled_for(isa.kind())
    }
}

impl<const COLUMNS: bool> Kernel for Blocked<'_, '_, '_, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        if const { !is_compiled_for(S::KIND) } {
            unreachable!("copies do not pay on this instruction set")
        }
        let Self { ref panels, blocks, .. } = self;
        let (rows, width, terms) = (panels.rows(), panels.width(), panels.terms());
        let mut strips: StripBlock = [const { MaybeUninit::uninit() }; _];
        let mut row_block: RowBlock = [const { MaybeUninit::uninit() }; _];
        for lane in (0..width).step_by(MOST_LANES) {
            let lanes = (lane, MOST_LANES.min(width - lane));
            for rows in equal_parts(rows, blocks.rows) {
                for (first, count) in equal_parts(terms.div_ceil(TERM_GROUP), blocks.term_groups) {
                    let first = first * TERM_GROUP;
                    let terms = (first, (count * TERM_GROUP).min(terms - first));
                    // SAFETY: the parts are of the product's own lanes and terms, none larger than its block.
                    unsafe { self.copy_strips(simd, lanes, terms, &mut strips) };
                    for (first, count) in equal_parts(rows.1, BLOCK_ROWS) {
                        let rows = (rows.0 + first, count);
                        // SAFETY: as above, and of its rows; the strips were made just now.
                        unsafe { self.multiply(simd, lanes, rows, terms, &strips, &mut row_block) };
                    }
                }
            }
        }
    }
}

/// Whether there are products in copies for an instruction set. With 32 registers they do not pay: so tall a tile reads each vector of B
/// seldom enough (docs/perf).
const fn is_compiled_for(kind: IsaKind) -> bool {
    !matches!(kind, IsaKind::Avx512)
}

/// The first of some rows, lanes or terms, and how many they are.
type Range = (usize, usize);

impl<const COLUMNS: bool> Blocked<'_, '_, '_, COLUMNS> {
    /// Copies some terms of some lanes.
    ///
    /// # Safety
    ///
    /// The terms, at most [`MOST_TERMS`], are rows of B; the lanes, whole lane groups and at most [`MOST_LANES`], lie within its width.
    #[inline(always)]
    unsafe fn copy_strips<S: Simd>(
        &self,
        simd: S,
        (first_lane, lanes): Range,
        (first, terms): Range,
        to: &mut StripBlock,
    ) {
        let (b, width) = (self.panels.b(), self.panels.width());
        let mut to = to.as_mut_ptr().cast::<f32>();
        for lane in (first_lane..first_lane + lanes).step_by(LANE_GROUP) {
            let mut from = b.wrapping_add(first * width + lane);
            for _ in 0..terms {
                for vector in (0..LANE_GROUP).step_by(S::LANES) {
                    // SAFETY: the caller's promise; so many lanes of so many terms fit into the block.
                    unsafe { simd.store_pointer(simd.load_pointer(from.add(vector)), to.add(vector)) };
                }
                from = from.wrapping_add(width);
                to = to.wrapping_add(LANE_GROUP);
            }
        }
    }

    /// Adds up some terms of some rows and lanes. The last terms are followed by the epilogue.
    ///
    /// # Safety
    ///
    /// The rows, at most [`BLOCK_ROWS`], the terms and the lanes, whole lane groups, lie within the product, and `strips` was filled by
    /// [`copy_strips`](Self::copy_strips) for these lanes and terms.
    #[inline(always)]
    unsafe fn multiply<S: Simd>(
        &mut self,
        simd: S,
        lanes: Range,
        rows: Range,
        (first_term, terms): Range,
        strips: &StripBlock,
        row_block: &mut RowBlock,
    ) {
        let [a_row, a_step] = self.panels.strides();
        let (all_rows, all_terms) = (self.panels.rows(), self.panels.terms());
        let far = all_rows * all_terms > self.blocks.far;
        let (a, stride, c, width) = (self.panels.a(), self.panels.stride(), self.panels.c(), self.panels.width());
        // SAFETY: the rows and the terms are within A, by the caller's promise.
        let mut a = unsafe { a.add(rows.0 * a_row + first_term * a_step) };
        let (mut a_row, mut a_step) = (a_row, a_step);
        if COLUMNS {
            // SAFETY: as above; there are at most BLOCK_ROWS rows and MOST_TERMS terms.
            unsafe { copy_rows(simd, a, stride, [rows.1, terms], far, row_block.as_mut_ptr().cast()) };
            (a, a_row, a_step) = (row_block.as_ptr().cast(), 1, BLOCK_ROWS);
        }
        let runs = [Run { offset: 0, terms }];
        // The next block's rows, a tile's for each of this one's.
        let ahead = if far && !COLUMNS { Some(Ahead { offset: rows.1 * stride, step: stride }) } else { None };
        for (strip, lane) in (lanes.0..lanes.0 + lanes.1).step_by(LANE_GROUP).enumerate() {
            for (row, height) in row_blocks::<S>(rows.1) {
                // SAFETY: the rows, the lanes and the terms are within C, within the strips and within A or the copy, by the caller's
                // promise.
                unsafe {
                    let grid = Grid {
                        a: a.add(row * a_row),
                        a_row,
                        a_step,
                        runs: &runs,
                        b: strips.as_ptr().cast::<f32>().add(strip * terms * LANE_GROUP),
                        b_step: LANE_GROUP,
                        c: c.add((rows.0 + row) * width + lane),
                        c_row: width,
                        accumulate: first_term > 0,
                        ahead: if strip == 0 { ahead } else { None },
                        beside: None,
                        place: [rows.0 + row, lane],
                    };
                    if first_term > 0 {
                        // The next tile's sums come into the cache while this one's grow.
                        for row in height..2 * height {
                            simd.prefetch(grid.c.wrapping_add(row * width));
                        }
                    }
                    tiles(simd, [height, LANE_GROUP / S::LANES], grid, &Plain);
                }
            }
        }
        if first_term + terms == all_terms {
            // SAFETY: the constructor found that the epilogue covers C; the rows and lanes, whole lane groups, are of it.
            unsafe { self.epilogue.finish_all(simd, c, width, rows, lanes) };
        }
    }
}

/// Copies `terms` pieces of `rows` values, `step` apart, to where they are [`BLOCK_ROWS`] apart.
///
/// # Safety
///
/// `from` is valid for reads of each piece, `to` for writes of `terms` times [`BLOCK_ROWS`] values, which `rows` does not exceed.
#[inline(always)]
unsafe fn copy_rows<S: Simd>(
    simd: S,
    mut from: *const f32,
    step: usize,
    [rows, terms]: [usize; 2],
    far: bool,
    mut to: *mut f32,
) {
    for _ in 0..terms {
        // SAFETY: every vector and value is one of the piece, which the caller vouches for.
        unsafe {
            // Whole vectors, the last of which may overlap.
            if let Some(last) = rows.checked_sub(S::LANES) {
                for at in (0..last).step_by(S::LANES) {
                    simd.store_pointer(simd.load_pointer(from.add(at)), to.add(at));
                }
                simd.store_pointer(simd.load_pointer(from.add(last)), to.add(last));
            } else {
                for at in 0..rows {
                    *to.add(at) = *from.add(at);
                }
            }
            if far {
                // The next block's piece begins where this one ends.
                simd.prefetch(from.wrapping_add(rows + rows / 2));
                simd.prefetch(from.wrapping_add(2 * rows - 1));
            }
        }
        from = from.wrapping_add(step);
        to = to.wrapping_add(BLOCK_ROWS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemm::{Epilogue, PanelProduct};

    /// Whether input gradients (`true`) or forward products of so many rows, terms and lanes are made in copies.
    fn pays<const COLUMNS: bool>([rows, terms, width]: [usize; 3], isa: Isa, level2: usize) -> bool {
        let (weights, input, mut output) = (vec![0.0; rows * terms], vec![0.0; terms * width], vec![0.0; rows * width]);
        let mut product = PanelProduct {
            weights: &weights,
            stride: if COLUMNS { rows } else { terms },
            transposed: COLUMNS,
            rows: 0..rows,
            terms,
            input: &input,
            output: &mut output,
            width,
            epilogue: Epilogue::None,
        };
        Blocked::pays(&Panels::<COLUMNS>::new(&mut product), isa, Caches { level1: 48 * 1024, level2 })
    }

    #[test]
    fn copies_follow_the_cache_and_of_columns_the_pages() {
        for isa in Isa::available() {
            let compiled = isa.kind() != IsaKind::Avx512;
            // Columns: beyond a quarter of the cache, and beyond 256 KiB whatever the cache.
            for (terms, width, level2, expected) in [
                (1_024, 128, 2 << 20, true),
                (1_024, 128, usize::MAX, true),
                (1_024, 64, 2 << 20, false),
                (512, 256, usize::MAX, false),
                (513, 256, usize::MAX, true),
                (512, 128, 1 << 20, false),
                (512, 128, 1 << 19, true),
            ] {
                assert_eq!(
                    pays::<true>([784, terms, width], isa, level2),
                    expected && compiled,
                    "{terms} {width} {level2}"
                );
            }
            // Rows: beyond half of the cache, and only with enough of them.
            for (rows, level2, expected) in
                [(784, 2 << 20, false), (784, 1 << 19, true), (FEWEST_ROWS - 1, 1 << 19, false)]
            {
                assert_eq!(pays::<false>([rows, 1_024, 128], isa, level2), expected && compiled, "{rows} {level2}");
            }
        }
    }
}
