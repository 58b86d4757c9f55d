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
        let Forward { weights, stride, bias, input, output, width, activation, dropout } = product;
        let inputs = input.len() / width;
        isa.run(tile::Panels::new(weights, [stride, 1], inputs, input, output, width));
        forward_epilogue(isa, activation, bias, dropout.as_ref(), output, width);
    }

    fn input_gradient(&self, isa: Isa, product: InputGradient<'_>) {
        let InputGradient { weights, stride, first_row, delta, output, width, derivative } = product;
        let outputs = delta.len() / width;
        isa.run(tile::Panels::new(&weights[first_row..], [1, stride], outputs, delta, output, width));
        if let Some(below) = derivative {
            backward_epilogue(isa, below.activation, below.dropout, below.values, output);
        }
    }

    fn weight_gradient(&self, isa: Isa, product: WeightGradient<'_>) {
        let WeightGradient { delta, input, first_row, outputs, inputs, lanes, accumulate, .. } = product;
        let (rows, width) = (product.bias_gradient.len(), lanes.width);
        let of_panel = |panel: usize| {
            let delta = &delta[(panel * outputs + first_row) * width..][..rows * width];
            (delta, &input[panel * inputs * width..][..inputs * width], accumulate || panel > 0)
        };
        for panel in 0..lanes.panels {
            let (delta, _, accumulate) = of_panel(panel);
            row_sums(isa, delta, width, product.bias_gradient, accumulate);
        }
        if inputs.min(outputs) < NARROW || inputs * outputs < SMALL {
            for panel in 0..lanes.panels {
                let (delta, input, accumulate) = of_panel(panel);
                isa.run(dot::Dots {
                    delta,
                    input,
                    gradient: product.gradient,
                    stride: product.stride,
                    width,
                    accumulate,
                });
            }
        } else {
            isa.run(transposed::Transposed::new(product));
        }
    }
}

/// Layers with fewer inputs or outputs than this have their weight gradients computed as dot products: in a tile most of their
/// vectors would be padding.
const NARROW: usize = 8;

/// So have layers of fewer weights than this: their sums are too few to pay for transposing X.
const SMALL: usize = 256;
