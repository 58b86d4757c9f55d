//! The micro-kernel: a tile of C in registers.

use super::epilogue::Epilogue;
use crate::kernel::optimizer::MOST_STATES;
use crate::simd::Simd;

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

impl Grid<'_> {
    /// The tile `lanes` lanes further, whose A has been read.
    #[inline(always)]
    fn next(self, lanes: usize) -> Self {
        let [row, lane] = self.place;
        let (b, c) = (self.b.wrapping_add(lanes), self.c.wrapping_add(lanes));
        Self { b, c, ahead: None, place: [row, lane + lanes], ..self }
    }
}

/// Cache lines of A that the next tile will read: for every [`AHEAD_TERMS`] terms a line for each row, or for each term where the rows
/// stand side by side. They are `step` values apart, the first `offset` values beyond this tile's first element of those terms.
#[derive(Clone, Copy)]
pub(super) struct Ahead {
    pub(super) offset: usize,
    pub(super) step: usize,
}

/// Most tiles that are fetched beside one: those of the weights and of a rule's states.
pub(super) const MOST_BESIDE: usize = 1 + MOST_STATES;

/// Tiles of C's shape, their rows `row` values apart, that are fetched while C is summed: `rows` rows of each for every
/// [`AHEAD_TERMS`] terms.
#[derive(Clone, Copy)]
pub(super) struct Beside {
    /// The first `count` of these.
    pub(super) starts: [*const f32; MOST_BESIDE],
    pub(super) count: usize,
    pub(super) row: usize,
    pub(super) rows: usize,
}

/// Values of a cache line; after as many terms something is fetched.
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
    let group = const { unrolled::<S>(ROWS * VECTORS) };
    let at_once = if ahead.is_some() || beside.is_some() { AHEAD_TERMS } else { usize::MAX };
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
        macro_rules! term {
            ($a:expr, $b:expr) => {
                let (a, b): (*const f32, *const f32) = ($a, $b);
                let mut columns = [simd.splat(0.0); VECTORS];
                for (v, column) in columns.iter_mut().enumerate() {
                    *column = simd.load_pointer(b.add(v * S::LANES));
                }
                for (i, row) in sums.iter_mut().enumerate() {
                    let factor = simd.splat(*a.add(i * a_row));
                    for (sum, column) in row.iter_mut().zip(columns) {
                        *sum = simd.mul_add(factor, column, *sum);
                    }
                }
            };
        }
        macro_rules! terms {
            ($a:expr, $b:expr, $($p:literal)*) => {
                $(if const { $p < unrolled::<S>(ROWS * VECTORS) } {
                    term!($a.add($p * a_step), $b.add($p * b_step));
                    // No load of a term is moved up into the one before it: there are no registers for it.
                    for sum in sums.as_flattened_mut() {
                        *sum = simd.settle(*sum);
                    }
                })*
            };
        }
        for run in runs {
            let mut a = a.add(run.offset);
            let mut left = run.terms;
            while left > 0 {
                if let Some(Ahead { offset, step }) = ahead {
                    let lines = if a_step == 1 { ROWS } else { AHEAD_TERMS };
                    for line in 0..lines {
                        simd.prefetch(a.wrapping_add(line.wrapping_mul(step).wrapping_add(offset)));
                    }
                }
                if let Some(Beside { starts, count, row, rows }) = beside {
                    let end = (rows_fetched + rows).min(ROWS);
                    for i in rows_fetched..end {
                        for start in starts.into_iter().take(count) {
                            for v in 0..VECTORS {
                                simd.prefetch(start.wrapping_add(i * row + v * S::LANES));
                            }
                        }
                    }
                    rows_fetched = end;
                }
                let now = left.min(at_once);
                left -= now;
                let groups = if group > 1 { now / group } else { 0 };
                if group > 1 {
                    for _ in 0..groups {
                        terms!(a, b, 0 1 2 3);
                        a = a.wrapping_add(group * a_step);
                        b = b.wrapping_add(group * b_step);
                    }
                }
                for _ in 0..now - groups * group {
                    term!(a, b);
                    a = a.wrapping_add(a_step);
                    b = b.wrapping_add(b_step);
                }
            }
        }
        // Written out: a loop that the compiler left rolled would keep the sums in memory from the start.
        macro_rules! finish {
            ($($i:literal)*) => {
                $(if const { $i < ROWS } {
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

/// Terms of an unrolled group of a tile of so many sums: their addresses are a few multiples of the strides away from its pointers. Tiles
/// of 32 registers have too many rows for that, and low ones too few sums to be worth it.
const fn unrolled<S: Simd>(sums: usize) -> usize {
    if S::REGISTERS < 32 && sums >= 8 { 4 } else { 1 }
}

/// Most rows of a tile of two vectors: its sums, the two vectors of B and a factor fill the registers.
#[inline(always)]
pub(super) const fn most_rows<S: Simd>() -> usize {
    (S::REGISTERS - 4) / 2
}

/// Computes tiles side by side: `rows` rows by `vectors` vectors of C, two vectors at a time.
///
/// # Safety
///
/// As [`micro_kernel`], for all vectors; `rows` is at most [`most_rows`].
#[inline(always)]
pub(super) unsafe fn tiles<S: Simd, E: Epilogue>(simd: S, [rows, vectors]: [usize; 2], grid: Grid<'_>, epilogue: &E) {
    macro_rules! choose {
        ($($count:literal)*) => {
            match rows {
                // SAFETY: the caller's promise, passed on.
                $($count => unsafe { side_by_side::<S, E, $count>(simd, vectors, grid, epilogue) },)*
                _ => unreachable!("a tile has at most as many rows as registers hold"),
            }
        };
    }
    // Chosen by a constant, so that no tile is compiled that the registers do not hold.
    match const { most_rows::<S>() } {
        2 => choose!(1 2),
        6 => choose!(1 2 3 4 5 6),
        14 => choose!(1 2 3 4 5 6 7 8 9 10 11 12 13 14),
        _ => unreachable!("an instruction set has 8, 16 or 32 registers"),
    }
}

/// [`tiles`] of a number of rows known when compiled.
///
/// # Safety
///
/// As [`tiles`].
#[inline(always)]
unsafe fn side_by_side<S: Simd, E: Epilogue, const ROWS: usize>(
    simd: S,
    vectors: usize,
    mut grid: Grid<'_>,
    epilogue: &E,
) {
    let mut left = vectors;
    while left >= 2 {
        // SAFETY: the caller's promise for the next two vectors.
        unsafe { micro_kernel::<S, E, ROWS, 2>(simd, grid, epilogue) };
        grid = grid.next(2 * S::LANES);
        left -= 2;
    }
    if left > 0 {
        // SAFETY: the caller's promise for the last vector.
        unsafe { micro_kernel::<S, E, ROWS, 1>(simd, grid, epilogue) };
    }
}

/// Parts `(first, count)` of `count` things, each at most `most`: as few as possible, and as equal as possible.
#[inline(always)]
pub(super) fn equal_parts(count: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let parts = count.div_ceil(most);
    let (size, larger) = if parts > 1 { (count / parts, count % parts) } else { (count, 0) };
    (0..parts).map(move |part| (part * size + part.min(larger), size + usize::from(part < larger)))
}

/// The blocks that `rows` rows are cut into: as equal as possible, so that none has too few sums to hide how long a multiply-add takes.
#[inline(always)]
pub(super) fn row_blocks<S: Simd>(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    equal_parts(rows, most_rows::<S>())
}
