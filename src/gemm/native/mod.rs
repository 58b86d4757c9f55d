//! The native engine: micro-kernels over the vector trait, no packing of weights, no allocation.
//!
//! Invariant of the `unsafe` code in this folder: a [`Grid`](tile::Grid) is made from slices whose lengths were checked
//! against the largest index that its loops reach; [`tile`] says which that is. C comes from an exclusive borrow.
//!
//! ```text
//! forward          C = Y  [outputs, samples]   A = W    [outputs, inputs]     B = X    [inputs, samples]
//! input gradient   C = dX [inputs, samples]    A = W^T  [inputs, outputs]     B = dY   [outputs, samples]
//! weight gradient  C = dW [outputs, inputs]    A = dY   [outputs, samples]    B = X^T  [samples, inputs]
//! ```
//!
//! One micro-kernel serves all three: rows of C times vectors of its columns stay in registers, an element of A is
//! broadcast, a vector of B is loaded. A is read where it stands, by any strides. B of the first two is a panel; B of the
//! third is a panel transposed in blocks on the stack. Weight gradients of narrow layers, whose rows would fill a vector
//! only partly, are dot products along the samples instead ([`dot`]).
//!
//! Every element of C is one chain of multiply-adds in the order of its sum, wherever a block of rows or columns ends and
//! however wide the registers are: so the bits do not depend on the instruction set or on the number of threads.

mod dot;
mod tile;
mod transposed;

use super::{Engine, Forward, InputGradient, WeightGradient};
use crate::kernel::activation::{backward_epilogue, forward_epilogue};
use crate::kernel::reduce::row_sums;
use crate::simd::Isa;

/// The engine.
pub(super) struct Native;

impl Engine for Native {
    fn forward(&self, isa: Isa, product: Forward<'_>) {
        let Forward { weights, bias, input, output, width, activation, dropout } = product;
        let inputs = input.len() / width;
        isa.run(tile::Panels::new(weights, [inputs, 1], inputs, input, output, width));
        forward_epilogue(isa, activation, bias, dropout.as_ref(), output, width);
    }

    fn input_gradient(&self, isa: Isa, product: InputGradient<'_>) {
        let InputGradient { weights, inputs, first_row, delta, output, width, derivative } = product;
        let outputs = delta.len() / width;
        isa.run(tile::Panels::new(&weights[first_row..], [1, inputs], outputs, delta, output, width));
        if let Some(below) = derivative {
            backward_epilogue(isa, below.activation, below.dropout, below.values, output);
        }
    }

    fn weight_gradient(&self, isa: Isa, product: WeightGradient<'_>) {
        let WeightGradient { delta, input, gradient, bias_gradient, outputs, width, accumulate } = product;
        if input.len() / width < NARROW || outputs < NARROW {
            isa.run(dot::Dots::new(delta, input, gradient, width, accumulate));
        } else {
            isa.run(transposed::Transposed::new(delta, input, gradient, width, accumulate));
        }
        row_sums(isa, delta, width, bias_gradient, accumulate);
    }
}

/// Layers with fewer inputs or outputs than this have their weight gradients computed as dot products (PERF.md, "narrow
/// layers").
const NARROW: usize = 8;
