//! `C = A B`, where B and C are panels: the forward product and the input gradient, their operands read where they stand.

use super::epilogue::Epilogue;
use super::tile::{Ahead, Grid, Run, row_blocks, tiles};
use crate::gemm::PanelProduct;
use crate::simd::{Caches, GROUP_PARTS, Kernel, LANE_GROUP, Simd};

/// Most lanes of a block.
pub(super) const MOST_LANES: usize = 8 * LANE_GROUP;

/// Fewest lanes of a block, and what it is a multiple of: two vectors of the widest instruction set.
const FEWEST_LANES: usize = 2 * LANE_GROUP;

/// Elements of A up to which a product is computed without tiles: to set one up takes longer than all of its sums (docs/perf/steps.md,
/// 2026-11-26).
const TINY: usize = 8;

/// Lanes up to which tiles of few sums do not pay, here and in dot products: along more lanes they do.
pub(super) const TINY_LANES: usize = 4 * LANE_GROUP;

/// The operands of a product that was checked, which stay where the caller put them: a copy, made in larger pieces than what it copies was
/// written, would wait for these writes. `COLUMNS`: the rows of A are the columns of the weights, side by side.
///
/// The `unsafe` code of [`InPlace`], [`Tiny`] and the blocks trusts the check.
pub(super) struct Panels<'p, 'a, const COLUMNS: bool> {
    product: &'p mut PanelProduct<'a>,
    rows: usize,
}

impl<'p, 'a, const COLUMNS: bool> Panels<'p, 'a, COLUMNS> {
    /// # Panics
    ///
    /// If the operands do not fit each other, or A is not the one that `COLUMNS` says.
    #[inline]
    pub(super) fn new(product: &'p mut PanelProduct<'a>) -> Self {
        assert_eq!(product.transposed, COLUMNS, "columns of the weights are the rows of their transpose");
        let rows = product.check();
        Self { product, rows }
    }

    /// Rows of C.
    #[inline(always)]
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Terms of each sum, at least 1.
    #[inline(always)]
    pub(super) fn terms(&self) -> usize {
        self.product.terms
    }

    /// From one row of B or C to the next.
    #[inline(always)]
    pub(super) fn width(&self) -> usize {
        self.product.width
    }

    /// From one row of the weights to the next.
    #[inline(always)]
    pub(super) fn stride(&self) -> usize {
        self.product.stride
    }

    /// From one row of A to the next, and from one term to the next.
    #[inline(always)]
    pub(super) fn strides(&self) -> [usize; 2] {
        if COLUMNS { [1, self.stride()] } else { [self.stride(), 1] }
    }

    /// The first element of A, whose rows are the product's.
    #[inline(always)]
    pub(super) fn a(&self) -> *const f32 {
        self.product.weights.as_ptr().wrapping_add(self.product.rows.start.wrapping_mul(self.strides()[0]))
    }

    /// `[terms, width]`
    #[inline(always)]
    pub(super) fn b(&self) -> *const f32 {
        self.product.input.as_ptr()
    }

    /// `[rows, width]`
    #[inline(always)]
    pub(super) fn c(&mut self) -> *mut f32 {
        self.product.output.as_mut_ptr()
    }
}

/// The product of operands that are read where they stand, in blocks of lanes: what of B is read again and again, for each tile
/// of rows, is to stay in the level-2 cache.
pub(super) struct InPlace<'k, 'p, 'a, E, const COLUMNS: bool> {
    panels: &'k mut Panels<'p, 'a, COLUMNS>,
    epilogue: &'k E,
    /// Values that half of the level-2 cache holds.
    half: usize,
}

impl<'k, 'p, 'a, E: Epilogue, const COLUMNS: bool> InPlace<'k, 'p, 'a, E, COLUMNS> {
    /// # Panics
    ///
    /// If the epilogue was made for fewer rows or another width than C has.
    #[inline]
    pub(super) fn new(panels: &'k mut Panels<'p, 'a, COLUMNS>, epilogue: &'k E, caches: Caches) -> Self {
        assert!(epilogue.covers(panels.rows(), panels.width()), "the epilogue was made for C");
        Self { panels, epilogue, half: caches.level2 / 2 / size_of::<f32>() }
    }

    /// Lanes that all rows of C are computed for before the next lanes: the part of B that is read again and again fills half of the
    /// level-2 cache at most.
    #[inline(always)]
    fn lanes(&self) -> usize {
        let terms = self.panels.terms();
        if terms.saturating_mul(MOST_LANES) <= self.half {
            MOST_LANES
        } else {
            (self.half / terms / FEWEST_LANES).max(1) * FEWEST_LANES
        }
    }
}

impl<E: Epilogue, const COLUMNS: bool> Kernel for InPlace<'_, '_, '_, E, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let most_lanes = self.lanes();
        let Self { panels, epilogue: &epilogue, half } = self;
        let (rows, terms, width, stride) = (panels.rows(), panels.terms(), panels.width(), panels.stride());
        let ([a_row, a_step], a, b, c) = (panels.strides(), panels.a(), panels.b(), panels.c());
        // The next tile's elements are fetched ahead where A does not fit into half of the level-2 cache.
        let far = rows * terms > half;
        let runs = [Run { offset: 0, terms }];
        let mut block = 0;
        while block < width {
            let lanes = most_lanes.min(width - block);
            for (first, count) in row_blocks::<S>(rows) {
                // The next tile is as tall as this one, or a row lower. Where the rows of A are columns of the weights, the
                // line of its last element is the only one that this tile has not read.
                let ahead = Ahead { offset: if COLUMNS { 2 * count - 1 } else { count * stride }, step: stride };
                // SAFETY: `first + count <= rows` and `block + lanes <= width`, so with the lengths that were checked every
                // element lies within its slice; widths are multiples of the lane group. The epilogue was made for C.
                unsafe {
                    let grid = Grid {
                        a: a.add(first * a_row),
                        a_row,
                        a_step,
                        runs: &runs,
                        b: b.add(block),
                        b_step: width,
                        c: c.add(first * width + block),
                        c_row: width,
                        accumulate: false,
                        ahead: far.then_some(ahead),
                        beside: None,
                        place: [first, block],
                    };
                    tiles(simd, [count, lanes / S::LANES], grid, &epilogue);
                }
            }
            block += lanes;
        }
    }
}

/// A product of few weights and lanes without tiles: a lane group of each row in turn.
pub(super) struct Tiny<'k, 'p, 'a, E, const COLUMNS: bool> {
    panels: &'k mut Panels<'p, 'a, COLUMNS>,
    epilogue: &'k E,
}

impl<'k, 'p, 'a, E: Epilogue, const COLUMNS: bool> Tiny<'k, 'p, 'a, E, COLUMNS> {
    /// # Panics
    ///
    /// If the epilogue was made for fewer rows or another width than C has.
    #[inline]
    pub(super) fn new(panels: &'k mut Panels<'p, 'a, COLUMNS>, epilogue: &'k E) -> Self {
        assert!(epilogue.covers(panels.rows(), panels.width()), "the epilogue was made for C");
        Self { panels, epilogue }
    }

    /// Whether it pays to do without tiles.
    #[inline]
    pub(super) fn pays(panels: &Panels<'p, 'a, COLUMNS>) -> bool {
        panels.rows().saturating_mul(panels.terms()) <= TINY && panels.width() <= TINY_LANES
    }
}

impl<E: Epilogue, const COLUMNS: bool> Kernel for Tiny<'_, '_, '_, E, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { panels, epilogue: &epilogue } = self;
        let (rows, terms, width) = (panels.rows(), panels.terms(), panels.width());
        let ([a_row, a_step], a, b, c) = (panels.strides(), panels.a(), panels.b(), panels.c());
        let mut group = 0;
        while group < width {
            for row in 0..rows {
                let mut sums = [simd.splat(0.0); GROUP_PARTS];
                let (mut a, mut b) = (a.wrapping_add(row * a_row), b.wrapping_add(group));
                // SAFETY: rows, terms and lanes are the product's, whose operands were checked; widths are multiples of the lane group. The
                // epilogue was made for C.
                unsafe {
                    for _ in 0..terms {
                        let factor = simd.splat(*a);
                        for (part, sum) in sums.iter_mut().enumerate().take(LANE_GROUP / S::LANES) {
                            *sum = simd.mul_add(factor, simd.load_pointer(b.add(part * S::LANES)), *sum);
                        }
                        (a, b) = (a.wrapping_add(a_step), b.wrapping_add(width));
                    }
                    for (part, sum) in sums.into_iter().enumerate().take(LANE_GROUP / S::LANES) {
                        let lane = group + part * S::LANES;
                        simd.store_pointer(epilogue.finish(simd, sum, row, lane), c.add(row * width + lane));
                    }
                }
            }
            group += LANE_GROUP;
        }
    }
}
