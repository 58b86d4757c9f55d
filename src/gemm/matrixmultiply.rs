//! The reference engine: `matrixmultiply::sgemm` on a block of samples, the epilogue on the block while it is in cache.
//!
//! Invariant of the `unsafe` code here: every pointer that enters `sgemm` comes from a slice whose length [`multiply`] has
//! checked against the largest index that the dimensions and strides reach, and C comes from an exclusive borrow.
//!
//! This is the only file that names the `matrixmultiply` crate. That crate allocates its packing buffer at each call: one
//! allocation a product, and none of ours.

use super::{Engine, OuterProduct, PanelProduct, lies_within};
use crate::kernel::reduce::row_sums;
use crate::simd::Isa;

/// The engine.
pub(super) struct Matrixmultiply;

impl Engine for Matrixmultiply {
    fn panel_product(&self, isa: Isa, product: PanelProduct<'_>) {
        let count = product.check();
        let PanelProduct { weights, stride, transposed, rows, terms, input, output, width, epilogue } = product;
        let strides = if transposed { [1, stride] } else { [stride, 1] };
        let weights = weights.get(rows.start.saturating_mul(strides[0])..).unwrap_or_default();
        multiply(
            [count, terms, width],
            Operand { values: weights, strides },
            Operand { values: input, strides: [width, 1] },
            0.0,
            output,
            width,
        );
        epilogue.apply(isa, output, width);
    }

    fn outer_product(&self, isa: Isa, product: OuterProduct<'_>) -> bool {
        let count = product.check();
        let OuterProduct { delta, input, rows, gradient, stride, mut bias_gradient, outputs, inputs, lanes, .. } =
            product;
        let width = lanes.width;
        for panel in 0..lanes.panels {
            let delta = &delta[(panel * outputs + rows.start) * width..][..count * width];
            let accumulate = product.accumulate || panel > 0;
            multiply(
                [count, width, inputs],
                Operand { values: delta, strides: [width, 1] },
                Operand { values: &input[panel * inputs * width..], strides: [1, width] },
                if accumulate { 1.0 } else { 0.0 },
                gradient,
                stride,
            );
            if let Some(bias_gradient) = &mut bias_gradient {
                row_sums(isa, delta, width, bias_gradient, accumulate);
            }
        }
        product.update.is_none_or(|update| update.apply(isa, gradient))
    }
}

/// A matrix to read: element `(i, j)` stands at `i * strides[0] + j * strides[1]`.
struct Operand<'a> {
    values: &'a [f32],
    strides: [usize; 2],
}

impl Operand<'_> {
    /// Whether every element of a `rows` by `columns` matrix lies within the slice.
    fn covers(&self, rows: usize, columns: usize) -> bool {
        let reach = |count: usize, stride: usize| count.saturating_sub(1).saturating_mul(stride);
        let last = reach(rows, self.strides[0]).saturating_add(reach(columns, self.strides[1]));
        rows == 0 || columns == 0 || last < self.values.len()
    }
}

/// `c = a * b + beta * c` with dimensions `[m, k, n]`; the rows of C begin `c_row` values apart.
fn multiply([m, k, n]: [usize; 3], a: Operand<'_>, b: Operand<'_>, beta: f32, c: &mut [f32], c_row: usize) {
    let c_covers = m == 0 || n == 0 || lies_within(m, n, c_row, c.len());
    assert!(a.covers(m, k) && b.covers(k, n) && n <= c_row && c_covers, "a product reaches beyond its operands");
    // Strides of slices in memory are below isize::MAX; a larger one is that of a single row or column, whose index is 0.
    let stride = |value: usize| value as isize;
    // SAFETY: the assertion above holds all three matrices within their slices; `c` is borrowed exclusively, and its strides
    // (c_row, 1) with n <= c_row columns let no two elements alias.
    unsafe {
        matrixmultiply::sgemm(
            m,
            k,
            n,
            1.0,
            a.values.as_ptr(),
            stride(a.strides[0]),
            stride(a.strides[1]),
            b.values.as_ptr(),
            stride(b.strides[0]),
            stride(b.strides[1]),
            beta,
            c.as_mut_ptr(),
            stride(c_row),
            1,
        );
    }
}
