//! The micro-kernel, and the loops over a product of panels.

use super::epilogue::Epilogue;
use crate::simd::{Kernel, LANE_GROUP, Simd};

/// Lanes of a panel that all rows of C are computed for before the next lanes: the part of B that is read again and again,
/// 128 lanes of up to 1,024 rows, stays in half of a level-2 cache of 1 MiB.
const BLOCK_LANES: usize = 8 * LANE_GROUP;

/// Elements of A from which on the next tile's are fetched ahead: half of a level-2 cache of 1 MiB.
const FETCH_AHEAD: usize = 128 * 1024;

/// Pointers and strides of one tile's product `C = A B` or `C += A B`. Row `i` of A begins at `i * a_row`, and its elements
/// stand as the [`Run`]s say; row `p` of B begins at `p * b_step`, row `i` of C at `i * c_row`.
#[derive(Clone, Copy)]
pub(super) struct Grid<'a> {
    pub(super) a: *const f32,
    pub(super) a_row: usize,
    pub(super) a_step: usize,
    /// Where the terms of the sums stand in a row of A, in order.
    pub(super) runs: &'a [Run],
    pub(super) b: *const f32,
    pub(super) b_step: usize,
    pub(super) c: *mut f32,
    pub(super) c_row: usize,
    /// Whether C is added to.
    pub(super) accumulate: bool,
    /// What of A is fetched ahead of its use.
    pub(super) ahead: Option<Ahead>,
    /// What will be used with C.
    pub(super) beside: Option<Beside>,
    /// The row and the lane of the panel that C begins at, for the epilogue.
    pub(super) place: [usize; 2],
}

/// Cache lines of A that the next tile will read: for every [`AHEAD_TERMS`] terms, as many lines, `step` values apart, the
/// first `offset` values beyond this tile's first element of those terms.
#[derive(Clone, Copy)]
pub(super) struct Ahead {
    pub(super) offset: usize,
    pub(super) step: usize,
}

/// Tiles of C's shape, their rows `row` values apart, that are fetched while C is summed: `rows` rows of each for every
/// [`AHEAD_TERMS`] terms.
#[derive(Clone, Copy)]
pub(super) struct Beside {
    pub(super) starts: [*const f32; 3],
    pub(super) row: usize,
    pub(super) rows: usize,
}

/// Values of a cache line; as many lines are fetched at a time, of which the tallest tile reads two fewer.
pub(super) const AHEAD_TERMS: usize = 16;

/// `terms` elements of each row of A, `a_step` apart, the first at `offset`.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) offset: usize,
    pub(super) terms: usize,
}

/// `ROWS` rows by `VECTORS` vectors of C in registers.
///
/// # Safety
///
/// For `i < ROWS`, each term `p` of all runs and `v < VECTORS` vectors, the elements that `grid` names are valid for reads (A,
/// B) and for reads and writes (C); those of C, counted from `grid.place`, are ones that the epilogue may finish.
#[inline(always)]
unsafe fn micro_kernel<S: Simd, E: Epilogue, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    grid: Grid<'_>,
    epilogue: &E,
) {
    let Grid { a, a_row, a_step, runs, mut b, b_step, c, c_row, accumulate, ahead, beside, place: [first_row, lane] } =
        grid;
    let mut rows_fetched = 0;
    let mut sums = [[simd.splat(0.0); VECTORS]; ROWS];
    // SAFETY: every offset below is one of those that the caller vouches for.
    unsafe {
        if accumulate {
            for (i, row) in sums.iter_mut().enumerate() {
                for (v, sum) in row.iter_mut().enumerate() {
                    *sum = simd.load_pointer(c.add(i * c_row + v * S::LANES));
                }
            }
        }
        for run in runs {
            let a = a.add(run.offset);
            for first in (0..run.terms).step_by(AHEAD_TERMS) {
                if let Some(Ahead { offset, step }) = ahead {
                    for line in 0..AHEAD_TERMS {
                        simd.prefetch(a.wrapping_add(first * a_step + offset + line * step));
                    }
                }
                if let Some(Beside { starts, row, rows }) = beside {
                    let end = (rows_fetched + rows).min(ROWS);
                    for i in rows_fetched..end {
                        for start in starts {
                            for v in 0..VECTORS {
                                simd.prefetch(start.wrapping_add(i * row + v * S::LANES));
                            }
                        }
                    }
                    rows_fetched = end;
                }
                for p in first..run.terms.min(first + AHEAD_TERMS) {
                    let mut columns = [simd.splat(0.0); VECTORS];
                    for (v, column) in columns.iter_mut().enumerate() {
                        *column = simd.load_pointer(b.add(v * S::LANES));
                    }
                    b = b.wrapping_add(b_step);
                    for (i, row) in sums.iter_mut().enumerate() {
                        let factor = simd.splat(*a.add(i * a_row + p * a_step));
                        for (sum, column) in row.iter_mut().zip(columns) {
                            *sum = simd.mul_add(factor, column, *sum);
                        }
                    }
                }
            }
        }
        // Written out: a loop that the compiler left rolled would keep the sums in memory from the start.
        macro_rules! finish {
            ($($i:literal)*) => {
                $(if $i < ROWS {
                    for (v, sum) in sums[$i].iter().enumerate() {
                        let finished = epilogue.finish(simd, *sum, first_row + $i, lane + v * S::LANES);
                        simd.store_pointer(finished, c.add($i * c_row + v * S::LANES));
                    }
                })*
            };
        }
        finish!(0 1 2 3 4 5 6 7 8 9 10 11 12 13);
    }
}

/// Most rows of a tile of two vectors: its sums, the two vectors of B and a factor fill the registers.
#[inline(always)]
pub(super) const fn most_rows<S: Simd>() -> usize {
    (S::REGISTERS - 4) / 2
}

/// Calls the micro-kernel for a number of rows known only at run time.
///
/// # Safety
///
/// As [`micro_kernel`]; `rows` is at most [`most_rows`].
#[inline(always)]
pub(super) unsafe fn tile<S: Simd, E: Epilogue, const VECTORS: usize>(
    simd: S,
    rows: usize,
    grid: Grid<'_>,
    epilogue: &E,
) {
    macro_rules! choose {
        ($($count:literal)*) => {
            match rows {
                // SAFETY: the caller's promise, passed on.
                $($count => unsafe { micro_kernel::<S, E, $count, VECTORS>(simd, grid, epilogue) },)*
                _ => unreachable!("a tile has at most as many rows as registers hold"),
            }
        };
    }
    if S::REGISTERS >= 32 {
        choose!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
    } else {
        choose!(1 2 3 4 5 6);
    }
}

/// The sizes of the blocks that `rows` rows are cut into: as few as possible, and as equal as possible.
#[inline(always)]
pub(super) fn row_blocks<S: Simd>(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    let blocks = rows.div_ceil(most_rows::<S>());
    (0..blocks).map(move |block| {
        let start = block * rows / blocks;
        (start, (block + 1) * rows / blocks - start)
    })
}

/// `C = A B`, where B and C are panels: the forward product and the input gradient.
pub(super) struct Panels<'a, E> {
    a: &'a [f32],
    strides: [usize; 2],
    terms: usize,
    b: &'a [f32],
    c: &'a mut [f32],
    width: usize,
    epilogue: E,
}

impl<'a, E: Epilogue> Panels<'a, E> {
    /// C has as many rows as it holds widths; element `(i, p)` of A stands at `i * strides[0] + p * strides[1]`.
    ///
    /// # Panics
    ///
    /// If an operand or the epilogue is too short, there are no terms, or `width` is no multiple of [`LANE_GROUP`].
    pub(super) fn new(
        a: &'a [f32],
        strides: [usize; 2],
        terms: usize,
        b: &'a [f32],
        c: &'a mut [f32],
        width: usize,
        epilogue: E,
    ) -> Self {
        assert!(
            width > 0 && width.is_multiple_of(LANE_GROUP) && c.len().is_multiple_of(width),
            "panels of whole lane groups"
        );
        let rows = c.len() / width;
        let reach = |count: usize, stride: usize| count.saturating_sub(1).saturating_mul(stride);
        let last = reach(rows, strides[0]).saturating_add(reach(terms, strides[1]));
        assert!(terms > 0 && (rows == 0 || last < a.len()), "A holds every factor");
        assert!(b.len() >= terms.saturating_mul(width), "B holds a row for each term");
        assert!(epilogue.covers(rows, width), "the epilogue was made for C");
        Self { a, strides, terms, b, c, width, epilogue }
    }
}

impl<E: Epilogue> Kernel for Panels<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { a, strides, terms, b, c, width, epilogue } = self;
        let rows = c.len() / width;
        let runs = [Run { offset: 0, terms }];
        let grid = Grid {
            a: a.as_ptr(),
            a_row: strides[0],
            a_step: strides[1],
            runs: &runs,
            b: b.as_ptr(),
            b_step: width,
            c: c.as_mut_ptr(),
            c_row: width,
            accumulate: false,
            ahead: None,
            beside: None,
            place: [0, 0],
        };
        let fetch_ahead = rows * terms > FETCH_AHEAD;
        for block in (0..width).step_by(BLOCK_LANES) {
            let end = (block + BLOCK_LANES).min(width);
            for (first, count) in row_blocks::<S>(rows) {
                let mut lane = block;
                // The next tile is as tall as this one, or a row taller. Where the rows of A are columns of the weights, the
                // line of its last element is the only one that this tile has not read.
                let ahead = match strides {
                    [1, step] => Ahead { offset: 2 * count - 1, step },
                    [row, _] => Ahead { offset: count * row, step: row },
                };
                // SAFETY: `first + count <= rows` and `lane + vectors * LANES <= end <= width`, so with the lengths that
                // `new` checked every element lies within its slice. The epilogue was made for C.
                let at = |lane: usize| unsafe {
                    Grid {
                        a: grid.a.add(first * strides[0]),
                        b: grid.b.add(lane),
                        c: grid.c.add(first * width + lane),
                        ahead: (fetch_ahead && lane == block).then_some(ahead),
                        place: [first, lane],
                        ..grid
                    }
                };
                while lane + 2 * S::LANES <= end {
                    // SAFETY: as above.
                    unsafe { tile::<S, E, 2>(simd, count, at(lane), &epilogue) };
                    lane += 2 * S::LANES;
                }
                while lane < end {
                    // SAFETY: as above; widths are multiples of the lane group, so a whole vector is left.
                    unsafe { tile::<S, E, 1>(simd, count, at(lane), &epilogue) };
                    lane += S::LANES;
                }
            }
        }
    }
}
