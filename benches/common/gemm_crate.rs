//! A layer's products by the `gemm` crate.

use gannet::internals::net::row_stride;

use super::layer::{Layer, Product};

/// A matrix as the `gemm` crate takes it: values, distance of columns, distance of rows.
type Matrix<'a> = (&'a [f32], usize, usize);

/// `output = left * right` by the `gemm` crate, where `output` is `[rows, columns]`, its rows `row` values apart, and the inner dimension
/// is `depth`. The crate itself transposes the product such that its columns lie side by side in memory, as it likes best.
fn gemm_product(
    (output, row): (&mut [f32], usize),
    [rows, columns, depth]: [usize; 3],
    left: Matrix<'_>,
    right: Matrix<'_>,
) {
    let last = |(_, column, row): Matrix<'_>, rows: usize, columns: usize| (rows - 1) * row + (columns - 1) * column;
    assert!(columns <= row && output.len() == rows * row, "the output has its shape");
    assert!(
        last(left, rows, depth) < left.0.len() && last(right, depth, columns) < right.0.len(),
        "operands are whole"
    );
    let stride = |distance: usize| distance as isize;
    // SAFETY: the assertions above: every element that the strides reach lies within its slice, `output` is borrowed
    // exclusively, and no size is zero (a product of `usize` less one would have failed).
    unsafe {
        gemm::gemm(
            rows,
            columns,
            depth,
            output.as_mut_ptr(),
            1,
            stride(row),
            false,
            left.0.as_ptr(),
            stride(left.1),
            stride(left.2),
            right.0.as_ptr(),
            stride(right.1),
            stride(right.2),
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// A layer's product by the `gemm` crate: the bare product, without biases.
pub(crate) fn gemm_run(layer: &mut Layer, product: Product) {
    let (outputs, inputs, width) = (layer.spec.outputs, layer.spec.inputs, layer.width);
    let row = row_stride(inputs);
    match product {
        Product::Forward => gemm_product(
            (&mut layer.output, width),
            [outputs, width, inputs],
            (&layer.weights, 1, row),
            (&layer.input, 1, width),
        ),
        Product::InputGradient => gemm_product(
            (&mut layer.input_gradient, width),
            [inputs, width, outputs],
            (&layer.weights, row, 1),
            (&layer.delta, 1, width),
        ),
        Product::WeightGradient => gemm_product(
            (&mut layer.gradient, row),
            [outputs, inputs, width],
            (&layer.delta, 1, width),
            (&layer.input, width, 1),
        ),
    }
}
