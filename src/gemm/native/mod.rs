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
//! only partly, are dot products along the samples instead ([`dot`]). Bias, activation and derivative are applied to the sums
//! before they leave the registers ([`epilogue`]). Where a weight gradient is used at once, Adam updates each tile of the weights as
//! soon as that tile's gradient is finished ([`update`]).
//!
//! Every element of C is one chain of multiply-adds in the order of its sum, wherever a block of rows or columns ends and
//! however wide the registers are: so the bits do not depend on the instruction set or on the number of threads.

mod dot;
mod epilogue;
mod tile;
mod transposed;
mod update;

use super::{Engine, Forward, InputGradient, WeightGradient, WeightUpdate};
use crate::kernel::activation::{backward_epilogue, forward_epilogue};
use crate::kernel::reduce::row_sums;
use crate::simd::Isa;
use tile::Panels;

/// The engine.
pub(super) struct Native;

impl Engine for Native {
    fn forward(&self, isa: Isa, product: Forward<'_>) {
        let (_, inputs) = product.check();
        let Forward { weights, stride, bias, input, output, width, activation, dropout } = product;
        let dropout = dropout.filter(|dropout| dropout.probability != 0.0);
        let in_registers = epilogue::Piecewise::new(activation).filter(|_| dropout.is_none());
        match in_registers {
            Some(activation) => {
                let epilogue = epilogue::Forward { activation, bias };
                isa.run(Panels::new(weights, [stride, 1], inputs, input, output, width, epilogue));
            }
            None => {
                isa.run(Panels::new(weights, [stride, 1], inputs, input, output, width, epilogue::Plain));
                forward_epilogue(isa, activation, bias, dropout.as_ref(), output, width);
            }
        }
    }

    fn input_gradient(&self, isa: Isa, product: InputGradient<'_>) {
        let (_, outputs) = product.check();
        let InputGradient { weights, stride, first_row, delta, output, width, derivative } = product;
        let (weights, strides) = (&weights[first_row..], [1, stride]);
        let piecewise = derivative.and_then(|below| Some((below, epilogue::Piecewise::new(below.activation)?)));
        let Some((below, activation)) = piecewise else {
            isa.run(Panels::new(weights, strides, outputs, delta, output, width, epilogue::Plain));
            if let Some(below) = derivative {
                backward_epilogue(isa, below.activation, below.dropout, below.values, output);
            }
            return;
        };
        let epilogue = epilogue::Backward::new(activation, &below, width);
        if below.dropout == 0.0 {
            isa.run(Panels::new(weights, strides, outputs, delta, output, width, epilogue));
        } else {
            let epilogue = epilogue::BackwardDropout(epilogue);
            isa.run(Panels::new(weights, strides, outputs, delta, output, width, epilogue));
        }
    }

    fn weight_gradient(&self, isa: Isa, mut product: WeightGradient<'_>) {
        let rows = product.check();
        let WeightGradient { delta, input, first_row, outputs, inputs, lanes, accumulate, .. } = product;
        let width = lanes.width;
        bias_gradient(isa, product.reborrow());
        if !is_narrow(&product) {
            isa.run(transposed::Transposed::new(product));
            return;
        }
        for panel in 0..lanes.panels {
            isa.run(dot::Dots {
                delta: &delta[(panel * outputs + first_row) * width..][..rows * width],
                input: &input[panel * inputs * width..][..inputs * width],
                gradient: product.gradient,
                stride: product.stride,
                width,
                accumulate: accumulate || panel > 0,
            });
        }
    }

    fn weight_update(&self, isa: Isa, mut product: WeightGradient<'_>, update: WeightUpdate<'_>) -> bool {
        product.check();
        if is_narrow(&product) {
            self.weight_gradient(isa, product.reborrow());
            return update.apply(isa, product.gradient);
        }
        bias_gradient(isa, product.reborrow());
        isa.run(transposed::Transposed::with_update(product, update))
    }
}

/// The biases' part of a weight gradient that was checked.
fn bias_gradient(isa: Isa, product: WeightGradient<'_>) {
    let WeightGradient { delta, first_row, bias_gradient, outputs, lanes, accumulate, .. } = product;
    let rows = bias_gradient.len();
    for panel in 0..lanes.panels {
        let delta = &delta[(panel * outputs + first_row) * lanes.width..][..rows * lanes.width];
        row_sums(isa, delta, lanes.width, bias_gradient, accumulate || panel > 0);
    }
}

/// Whether a layer's weight gradient is computed as dot products.
fn is_narrow(product: &WeightGradient<'_>) -> bool {
    let WeightGradient { inputs, outputs, .. } = *product;
    inputs.min(outputs) < NARROW || inputs * outputs < SMALL
}

/// Layers with fewer inputs or outputs than this have their weight gradients computed as dot products: in a tile most of their
/// vectors would be padding.
const NARROW: usize = 8;

/// So have layers of fewer weights than this: their sums are too few to pay for transposing X.
const SMALL: usize = 256;
