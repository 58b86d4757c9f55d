//! `C = A B`, where B and C are panels: the forward product and the input gradient, their operands read where they stand.

use super::epilogue::Epilogue;
use super::tile::{Ahead, Grid, Run, row_blocks, tiles};
use crate::simd::{Caches, Kernel, LANE_GROUP, Simd};

/// Most lanes of a block.
pub(super) const MOST_LANES: usize = 8 * LANE_GROUP;

/// Fewest lanes of a block, and what it is a multiple of: two vectors of the widest instruction set.
const FEWEST_LANES: usize = 2 * LANE_GROUP;

/// The operands. `COLUMNS`: the rows of A are the columns of the weights, side by side. Made by [`new`](Self::new) alone and never changed after
/// it: the `unsafe` code of [`InPlace`] and of the blocks trusts its checks.
pub(super) struct Panels<'a, const COLUMNS: bool> {
    pub(super) a: &'a [f32],
    /// From one row of the weights to the next.
    pub(super) stride: usize,
    pub(super) terms: usize,
    pub(super) b: &'a [f32],
    pub(super) c: &'a mut [f32],
    pub(super) width: usize,
}

impl<'a, const COLUMNS: bool> Panels<'a, COLUMNS> {
    /// C has as many rows as it holds widths; element `(i, p)` of A stands at `i * stride + p`, or at `i + p * stride` if `COLUMNS`.
    ///
    /// # Panics
    ///
    /// If an operand is too short, there are no terms, or `width` is no multiple of [`LANE_GROUP`].
    pub(super) fn new(a: &'a [f32], stride: usize, terms: usize, b: &'a [f32], c: &'a mut [f32], width: usize) -> Self {
        assert!(
            width > 0 && width.is_multiple_of(LANE_GROUP) && c.len().is_multiple_of(width),
            "panels of whole lane groups"
        );
        let panels = Self { a, stride, terms, b, c, width };
        let ([row, step], rows) = (panels.strides(), panels.rows());
        let reach = |count: usize, stride: usize| count.saturating_sub(1).saturating_mul(stride);
        let last = reach(rows, row).saturating_add(reach(terms, step));
        assert!(terms > 0 && (rows == 0 || last < a.len()), "A holds every factor");
        assert!(b.len() >= terms.saturating_mul(width), "B holds a row for each term");
        panels
    }

    /// Rows of C.
    pub(super) fn rows(&self) -> usize {
        self.c.len() / self.width
    }

    /// From one row of A to the next, and from one term to the next.
    #[inline(always)]
    pub(super) fn strides(&self) -> [usize; 2] {
        if COLUMNS { [1, self.stride] } else { [self.stride, 1] }
    }
}

/// The product of operands that are read where they stand, in blocks of lanes: what of B is read again and again, for each tile
/// of rows, is to stay in the level-2 cache.
pub(super) struct InPlace<'a, E, const COLUMNS: bool> {
    panels: Panels<'a, COLUMNS>,
    epilogue: E,
    /// Lanes that all rows of C are computed for before the next lanes: the part of B that is read again and again fills half of the level-2
    /// cache at most.
    lanes: usize,
    /// Whether A does not fit into half of the level-2 cache, so that the next tile's elements are fetched ahead.
    far: bool,
}

impl<'a, E: Epilogue, const COLUMNS: bool> InPlace<'a, E, COLUMNS> {
    /// # Panics
    ///
    /// If the epilogue was made for fewer rows or another width than C has.
    pub(super) fn new(panels: Panels<'a, COLUMNS>, epilogue: E, caches: Caches) -> Self {
        let (rows, terms) = (panels.rows(), panels.terms);
        assert!(epilogue.covers(rows, panels.width), "the epilogue was made for C");
        let half = caches.level2 / 2 / size_of::<f32>();
        let lanes =
            if terms * MOST_LANES <= half { MOST_LANES } else { (half / terms / FEWEST_LANES).max(1) * FEWEST_LANES };
        Self { panels, epilogue, lanes, far: rows * terms > half }
    }
}

impl<E: Epilogue, const COLUMNS: bool> Kernel for InPlace<'_, E, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { panels, epilogue, lanes: most_lanes, far } = self;
        let (rows, [a_row, a_step]) = (panels.rows(), panels.strides());
        let Panels { a, stride, terms, b, c, width } = panels;
        let runs = [Run { offset: 0, terms }];
        for block in (0..width).step_by(most_lanes) {
            let lanes = most_lanes.min(width - block);
            for (first, count) in row_blocks::<S>(rows) {
                // The next tile is as tall as this one, or a row lower. Where the rows of A are columns of the weights, the
                // line of its last element is the only one that this tile has not read.
                let ahead = Ahead { offset: if COLUMNS { 2 * count - 1 } else { count * stride }, step: stride };
                // SAFETY: `first + count <= rows` and `block + lanes <= width`, so with the lengths that the constructors checked every
                // element lies within its slice; widths are multiples of the lane group. The epilogue was made for C.
                unsafe {
                    let grid = Grid {
                        a: a.as_ptr().add(first * a_row),
                        a_row,
                        a_step,
                        runs: &runs,
                        b: b.as_ptr().add(block),
                        b_step: width,
                        c: c.as_mut_ptr().add(first * width + block),
                        c_row: width,
                        accumulate: false,
                        ahead: far.then_some(ahead),
                        beside: None,
                        place: [first, block],
                    };
                    tiles(simd, [count, lanes / S::LANES], grid, &epilogue);
                }
            }
        }
    }
}
