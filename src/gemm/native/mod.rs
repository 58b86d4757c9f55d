//! The native engine: micro-kernels over the vector trait, no allocation.
//!
//! Invariant of the `unsafe` code in this folder: a [`Grid`](tile::Grid) is made from slices whose lengths a constructor checked
//! against the largest index that its loops reach ([`panels`], [`transposed`]), or from a block on the stack that a constant bounds
//! ([`blocked`]); [`dot`] slices its rows first. C comes from an exclusive borrow.
//!
//! ```text
//! forward          C = Y  [outputs, samples]   A = W    [outputs, inputs]     B = X    [inputs, samples]
//! input gradient   C = dX [inputs, samples]    A = W^T  [inputs, outputs]     B = dY   [outputs, samples]
//! weight gradient  C = dW [outputs, inputs]    A = dY   [outputs, samples]    B = X^T  [samples, inputs]
//! ```
//!
//! One micro-kernel serves all three: rows of C times vectors of its columns stay in registers, an element of A is
//! broadcast, a vector of B is loaded. B of the first two is a panel: both operands are read where they stand ([`panels`]), unless
//! they are so large that copies on the stack pay ([`blocked`]). B of the third is a panel transposed in blocks on the stack
//! ([`transposed`]). Weight gradients of narrow layers, whose rows would fill a vector
//! only partly, are dot products along the samples instead ([`dot`]). Bias, activation and derivative are applied to the sums
//! before they leave the registers ([`epilogue`]), or to a block of them after its last terms ([`blocked`]). Where a weight
//! gradient is used at once, each tile of the weights is updated as soon as its gradient is finished ([`update`]).
//!
//! Every element of C is one chain of multiply-adds in the order of its sum, wherever a block of rows or columns ends and
//! however wide the registers are: so the bits do not depend on the instruction set, the number of threads or the sizes of the caches.

mod blocked;
mod dot;
mod epilogue;
mod panels;
mod tile;
mod transposed;
mod update;

use super::{Engine, Forward, InputGradient, WeightGradient, WeightUpdate};
use crate::kernel::activation::{backward_epilogue, forward_epilogue};
use crate::kernel::optimizer::{Rule, RuleKernel, States};
use crate::kernel::reduce::row_sums;
use crate::simd::{Caches, Isa};
use blocked::Blocked;
use epilogue::{Any, Backward, BackwardDropout, Epilogue, Piecewise, Plain};
use panels::{InPlace, Panels};
use transposed::Transposed;
use update::{Keep, Tiles};

/// The engine.
pub(super) struct Native {
    /// How large the caches are to be taken to be; `None` = as large as they are.
    pub(super) caches: Option<Caches>,
}

impl Native {
    /// A product of panels: in blocks of copies where that pays. `any` makes the epilogue one that is chosen at run time.
    fn multiply<'a, E: Epilogue, const COLUMNS: bool>(
        &self,
        isa: Isa,
        panels: Panels<'a, COLUMNS>,
        epilogue: E,
        any: impl FnOnce(E) -> Any<'a>,
    ) {
        let caches = self.caches.unwrap_or_else(Caches::found);
        if Blocked::pays(&panels, isa, caches) {
            isa.run(Blocked::new(panels, any(epilogue), caches));
        } else {
            isa.run(InPlace::new(panels, epilogue, caches));
        }
    }
}

impl Engine for Native {
    fn forward(&self, isa: Isa, product: Forward<'_>) {
        let (_, inputs) = product.check();
        let Forward { weights, stride, bias, input, output, width, activation, dropout } = product;
        let dropout = dropout.filter(|dropout| dropout.probability != 0.0);
        let in_registers = Piecewise::new(activation).filter(|_| dropout.is_none());
        let panels = Panels::<false>::new(weights, stride, inputs, input, output, width);
        match in_registers {
            Some(activation) => self.multiply(isa, panels, epilogue::Forward { activation, bias }, Any::Forward),
            None => {
                self.multiply(isa, panels, Plain, Any::Plain);
                forward_epilogue(isa, activation, bias, dropout.as_ref(), output, width);
            }
        }
    }

    fn input_gradient(&self, isa: Isa, product: InputGradient<'_>) {
        let (_, outputs) = product.check();
        let InputGradient { weights, stride, first_row, delta, output, width, derivative } = product;
        let panels = Panels::<true>::new(&weights[first_row..], stride, outputs, delta, output, width);
        let piecewise = derivative.and_then(|below| Some((below, Piecewise::new(below.activation)?)));
        let Some((below, activation)) = piecewise else {
            self.multiply(isa, panels, Plain, Any::Plain);
            if let Some(below) = derivative {
                backward_epilogue(isa, below.activation, below.dropout, below.values, output);
            }
            return;
        };
        let backward = Backward::new(activation, &below, width);
        if below.dropout == 0.0 {
            self.multiply(isa, panels, backward, Any::Backward);
        } else {
            self.multiply(isa, panels, BackwardDropout(backward), Any::BackwardDropout);
        }
    }

    fn weight_gradient(&self, isa: Isa, mut product: WeightGradient<'_>) {
        let rows = product.check();
        let WeightGradient { delta, input, first_row, outputs, inputs, lanes, accumulate, .. } = product;
        let width = lanes.width;
        bias_gradient(isa, product.reborrow());
        if !is_narrow(&product) {
            isa.run(Transposed::new(product, Keep));
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
        update.update.run(UpdatingProduct { isa, product, parameters: update.parameters, states: update.states })
    }
}

/// A weight gradient with an update, to be compiled for each rule.
struct UpdatingProduct<'a> {
    isa: Isa,
    product: WeightGradient<'a>,
    parameters: &'a mut [f32],
    states: States<'a>,
}

impl RuleKernel for UpdatingProduct<'_> {
    /// Whether all that was updated is finite.
    type Output = bool;

    fn run<R: Rule<STATES>, const STATES: usize>(mut self, rule: R) -> bool {
        let tiles = Tiles::new(rule, self.parameters, &mut self.states, self.product.gradient);
        self.isa.run(Transposed::new(self.product, tiles))
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
