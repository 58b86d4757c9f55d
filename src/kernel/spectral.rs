//! The loops of spectral normalization (Miyato et al., "Spectral normalization for generative adversarial networks", 2018): the largest
//! singular value of a weight matrix by power iteration, and a gradient taken through the division by it.
//!
//! With `u` and `v` the left and the right singular vector and `s = u . W v`, passes see `W / s`. `u` and `v` count as constants, so that
//! from a gradient `G` with respect to `W / s` that with respect to `W` is `(G - (G : W / s) u v^T) / s`, where `:` is the sum of the
//! products element by element.
//!
//! All sums have an order that neither the instruction set nor the number of threads changes.

use super::reduce::{square_sum, sum_lanes};
use crate::simd::{GROUP_PARTS, Isa, Kernel, LANE_GROUP, Simd};

/// Iterations that bring a first guess of the left singular vector near the true one: PyTorch makes as many.
const FIRST_ITERATIONS: usize = 15;

/// Norms below this count as this, so that nothing is divided by 0: PyTorch's `eps`.
const SMALLEST_NORM: f32 = 1e-12;

/// Rows of equal length in memory.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    /// The rows, one after the other.
    pub values: &'a [f32],
    /// From one row to the next, in values.
    pub stride: usize,
    /// Values of a row.
    pub columns: usize,
}

impl<'a> Matrix<'a> {
    /// The rows from `first` on.
    #[must_use]
    pub fn rows_from(self, first: usize) -> Self {
        Self { values: &self.values[first * self.stride..], ..self }
    }

    fn rows(self) -> impl Iterator<Item = &'a [f32]> {
        let columns = self.columns;
        self.values.chunks(self.stride.max(1)).map(move |row| &row[..columns])
    }
}

/// Makes a vector one of length 1, and returns how long it was.
pub fn normalize(isa: Isa, vector: &mut [f32]) -> f32 {
    let norm = square_sum(vector).sqrt() as f32;
    scale(isa, vector, 1.0 / norm.max(SMALLEST_NORM));
    norm
}

/// `products[r] = row r . vector`
///
/// # Panics
///
/// If the shapes do not fit.
pub fn times(isa: Isa, matrix: Matrix<'_>, vector: &[f32], products: &mut [f32]) {
    assert_eq!(vector.len(), matrix.columns, "a value for each column");
    for (row, product) in matrix.rows().zip(products) {
        *product = isa.run(Dot { one: row, other: vector });
    }
}

/// `products[r] = row r of one . row r of the other`, matrices of the same shape and stride.
pub fn row_products(isa: Isa, one: Matrix<'_>, other: Matrix<'_>, products: &mut [f32]) {
    for ((one, other), product) in one.rows().zip(other.rows()).zip(products) {
        *product = isa.run(Dot { one, other });
    }
}

/// `sums[c] = sum over the rows of vector[r] * row r [first + c]`: columns from `first` on.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn transposed_times(isa: Isa, matrix: Matrix<'_>, vector: &[f32], first: usize, sums: &mut [f32]) {
    assert!(first + sums.len() <= matrix.columns, "a sum for a column");
    isa.run(TransposedTimes { matrix, vector, first, sums });
}

/// `values[i] *= factor`
pub fn scale(isa: Isa, values: &mut [f32], factor: f32) {
    isa.run(Scale { values, factor });
}

/// What takes gradients through the division, see the module.
#[derive(Clone, Copy, Debug)]
pub struct Division<'a> {
    /// `v`, a value for each column.
    pub right: &'a [f32],
    /// `G : W / s`
    pub along: f32,
    /// `1 / s`
    pub inverse: f32,
}

/// `gradients = (gradients - along * left * right^T) * inverse`, for rows that begin `stride` values apart; `left` has a value for each.
///
/// # Panics
///
/// If a row is shorter than `right`.
pub fn take_through(isa: Isa, gradients: &mut [f32], stride: usize, left: &[f32], division: Division<'_>) {
    let columns = division.right.len();
    for (row, left) in gradients.chunks_mut(stride.max(1)).zip(left) {
        isa.run(TakeThrough { row: &mut row[..columns], division, left: *left });
    }
}

/// The left singular vector of the largest singular value, nearly: power iterations in f64 from a vector of ones, which it is still where the
/// matrix is 0. Its length is 1. `right` and `products` are room for a number of each column and of each row.
pub fn leading(matrix: Matrix<'_>, left: &mut [f32], right: &mut [f64], products: &mut [f64]) {
    left.fill(1.0);
    for _ in 0..FIRST_ITERATIONS {
        right.fill(0.0);
        for (row, left) in matrix.rows().zip(&*left) {
            right.iter_mut().zip(row).for_each(|(sum, weight)| *sum += f64::from(*left) * f64::from(*weight));
        }
        for (row, product) in matrix.rows().zip(&mut *products) {
            *product = row.iter().zip(&*right).map(|(weight, right)| f64::from(*weight) * right).sum();
        }
        let norm = products.iter().map(|product| product * product).sum::<f64>().sqrt();
        if norm == 0.0 {
            left.fill(1.0 / (left.len() as f32).sqrt());
            return;
        }
        let norm = norm.max(f64::from(SMALLEST_NORM));
        left.iter_mut().zip(&*products).for_each(|(left, product)| *left = (product / norm) as f32);
    }
}

struct Dot<'a> {
    one: &'a [f32],
    other: &'a [f32],
}

impl Kernel for Dot<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f32 {
        let mut chains = [[simd.splat(0.0); GROUP_PARTS]; 2];
        let (mut one, mut other) = (self.one.chunks_exact(2 * LANE_GROUP), self.other.chunks_exact(2 * LANE_GROUP));
        for (one, other) in one.by_ref().zip(other.by_ref()) {
            let groups = one.chunks_exact(LANE_GROUP).zip(other.chunks_exact(LANE_GROUP));
            for (chain, (one, other)) in chains.iter_mut().zip(groups) {
                for (sum, (one, other)) in
                    chain.iter_mut().zip(one.chunks_exact(S::LANES).zip(other.chunks_exact(S::LANES)))
                {
                    *sum = simd.mul_add(simd.load(one), simd.load(other), *sum);
                }
            }
        }
        let rest = one.remainder().chunks(LANE_GROUP).zip(other.remainder().chunks(LANE_GROUP));
        for (chain, (one, other)) in chains.iter_mut().zip(rest) {
            for (sum, (one, other)) in chain.iter_mut().zip(one.chunks(S::LANES).zip(other.chunks(S::LANES))) {
                *sum = simd.mul_add(simd.load_partial(one), simd.load_partial(other), *sum);
            }
        }
        let mut lanes = [0.0; LANE_GROUP];
        let [one, other] = chains;
        for (part, to) in lanes.chunks_exact_mut(S::LANES).enumerate() {
            simd.store(simd.add(one[part], other[part]), to);
        }
        sum_lanes(lanes)
    }
}

struct TransposedTimes<'a> {
    matrix: Matrix<'a>,
    vector: &'a [f32],
    first: usize,
    sums: &'a mut [f32],
}

impl Kernel for TransposedTimes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { matrix, vector, first, sums } = self;
        // Sums that stay in registers while all rows pass by.
        const PARTS: usize = 8;
        for (block, sums) in sums.chunks_mut(PARTS * S::LANES).enumerate() {
            let first = first + block * PARTS * S::LANES;
            let mut totals = [simd.splat(0.0); PARTS];
            for (row, factor) in matrix.rows().zip(vector) {
                let factor = simd.splat(*factor);
                let row = &row[first..first + sums.len()];
                if sums.len() == PARTS * S::LANES {
                    for (total, weights) in totals.iter_mut().zip(row.chunks_exact(S::LANES)) {
                        *total = simd.mul_add(factor, simd.load(weights), *total);
                    }
                } else {
                    for (total, weights) in totals.iter_mut().zip(row.chunks(S::LANES)) {
                        *total = simd.mul_add(factor, simd.load_partial(weights), *total);
                    }
                }
            }
            for (total, sums) in totals.into_iter().zip(sums.chunks_mut(S::LANES)) {
                simd.store_partial(total, sums);
            }
        }
    }
}

struct Scale<'a> {
    values: &'a mut [f32],
    factor: f32,
}

impl Kernel for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let factor = simd.splat(self.factor);
        let mut whole = self.values.chunks_exact_mut(S::LANES);
        for values in whole.by_ref() {
            simd.store(simd.mul(simd.load(values), factor), values);
        }
        let rest = whole.into_remainder();
        simd.store_partial(simd.mul(simd.load_partial(rest), factor), rest);
    }
}

struct TakeThrough<'a> {
    row: &'a mut [f32],
    division: Division<'a>,
    left: f32,
}

impl Kernel for TakeThrough<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { row, division: Division { right, along, inverse }, left } = self;
        let (along, inverse) = (simd.splat(along * left), simd.splat(inverse));
        for (gradients, right) in row.chunks_mut(S::LANES).zip(right.chunks(S::LANES)) {
            let moved = simd.neg_mul_add(along, simd.load_partial(right), simd.load_partial(gradients));
            simd.store_partial(simd.mul(moved, inverse), gradients);
        }
    }
}
