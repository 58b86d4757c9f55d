//! The native engine: micro-kernels over the vector trait, no allocation.
//!
//! Invariant of the `unsafe` code in this folder: a [`Grid`](tile::Grid) is made from slices whose lengths the product's check held
//! against the largest index that its loops reach ([`panels`], [`transposed`]), or from a block on the stack that a constant bounds
//! ([`blocked`]); [`dot`] slices its rows first, and the loops of [`Tiny`] reach no further than a grid. C comes from an exclusive borrow.
//!
//! ```text
//! panel product   C = Y or dX  [rows, samples]     A = W or W^T  [rows, terms]         B = X or dY  [terms, samples]
//! outer product   C = dW       [outputs, inputs]   A = dY        [outputs, samples]    B = X^T      [samples, inputs]
//! ```
//!
//! One micro-kernel serves both, but for the tiniest: rows of C times vectors of its columns stay in registers, an element of A is
//! broadcast, a vector of B is loaded. B of the first is a panel: both operands are read where they stand ([`panels`]), unless
//! they are so large that copies on the stack pay ([`blocked`]). B of the second is a panel transposed in blocks on the stack
//! ([`transposed`]). Weight gradients of narrow layers, whose rows would fill a vector only partly, are dot products along the samples
//! instead ([`dot`]), and products of a few weights do without tiles. Bias, activation and derivative are applied to the sums before they
//! leave the registers ([`epilogue`]), or to a block of them after its last terms ([`blocked`]). Where a weight gradient is used at once,
//! each tile of the weights is updated as soon as its gradient is finished ([`update`]), or each block of rows, where the caches are large.
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

use std::ops::Range;

use super::{Engine, Lanes, OuterProduct, PanelProduct};
use crate::kernel::reduce::row_sums;
use crate::simd::{Caches, Isa};
use blocked::Blocked;
use epilogue::{Any, Backward, BackwardDropout, Epilogue, Forward, Piecewise, Plain};
use panels::{InPlace, Panels, Tiny};
use transposed::Transposed;

/// The engine.
pub(super) struct Native {
    /// How large the caches are to be taken to be; `None` = as large as they are.
    pub(super) caches: Option<Caches>,
}

impl Native {
    fn caches(&self) -> Caches {
        self.caches.unwrap_or_else(Caches::found)
    }

    /// A product of panels: in blocks of copies where that pays. `any` makes the epilogue one that is chosen at run time.
    #[inline]
    fn multiply<'a, E: Epilogue, const COLUMNS: bool>(
        &self,
        isa: Isa,
        product: &mut PanelProduct<'a>,
        epilogue: E,
        any: impl FnOnce(E) -> Any<'a>,
    ) {
        let caches = self.caches();
        let mut panels = Panels::<COLUMNS>::new(product);
        if Tiny::<E, COLUMNS>::pays(&panels) {
            isa.run(Tiny::new(&mut panels, &epilogue));
        } else if Blocked::pays(&panels, isa, caches) {
            isa.run(Blocked::new(&mut panels, any(epilogue), caches));
        } else {
            isa.run(InPlace::new(&mut panels, &epilogue, caches));
        }
    }

    /// Rows of a wide layer's gradient that are summed before their weights are updated in a pass of its own; `None` where nothing is updated,
    /// or each tile is better updated at once.
    ///
    /// In a large level-2 cache a block of the gradient stays until its update, which then reads weights and states in their order. Fetched
    /// beside the sums of a tile, few of their lines stand in one page, and the sums of few samples are over before all have arrived
    /// (docs/perf/steps.md, "Huge pages, and updates behind the gradient").
    fn rows_before_update(&self, product: &OuterProduct<'_>) -> Option<usize> {
        let Lanes { panels, width, .. } = product.lanes;
        let level2 = self.caches().level2;
        let pays = product.update.is_some() && level2 >= ROOMY && panels * width <= FEW_SAMPLES;
        pays.then(|| (level2 / 2 / size_of::<f32>() / product.stride).max(1))
    }
}

/// A wide layer's gradient in equal blocks of at most `most` rows, and the update of its weights behind each. Returns whether all that was
/// updated is finite.
fn with_updates_behind(isa: Isa, mut product: OuterProduct<'_>, most: usize) -> bool {
    let rows = product.rows.len();
    let of_block = rows.div_ceil(rows.div_ceil(most).max(1));
    let mut finite = true;
    while product.rows.len() > of_block {
        let (block, others) = product.split_at(of_block);
        finite &= with_update_behind(isa, block);
        product = others;
    }
    finite & with_update_behind(isa, product)
}

/// [`with_updates_behind`] of one block.
fn with_update_behind(isa: Isa, mut block: OuterProduct<'_>) -> bool {
    let update = block.update.take();
    isa.run(Transposed::new(&mut block));
    update.is_none_or(|update| update.apply(isa, block.gradient))
}

impl Engine for Native {
    // The epilogues of the forward product and of the input gradient are compiled into the micro-kernel. Any other, and those that
    // cost more than a pass over the cache, are such a pass.
    fn panel_product(&self, isa: Isa, mut product: PanelProduct<'_>) {
        if product.transposed {
            if let super::Epilogue::Derivative(ref layer) = product.epilogue
                && let Some(activation) = Piecewise::new(layer.activation)
            {
                let (backward, drops) = (Backward::new(activation, layer, product.width), layer.dropout != 0.0);
                return if drops {
                    let through = BackwardDropout(backward);
                    self.multiply::<_, true>(isa, &mut product, through, Any::BackwardDropout);
                } else {
                    self.multiply::<_, true>(isa, &mut product, backward, Any::Backward);
                };
            }
            self.multiply::<_, true>(isa, &mut product, Plain, Any::Plain);
        } else {
            if let super::Epilogue::Activation { bias, activation, ref dropout } = product.epilogue
                && dropout.as_ref().is_none_or(|dropout| dropout.probability == 0.0)
                && let Some(activation) = Piecewise::new(activation)
            {
                let forward = Forward { activation, bias };
                return self.multiply::<_, false>(isa, &mut product, forward, Any::Forward);
            }
            self.multiply::<_, false>(isa, &mut product, Plain, Any::Plain);
        }
        product.epilogue.apply(isa, product.output, product.width);
    }

    fn outer_product(&self, isa: Isa, mut product: OuterProduct<'_>) -> bool {
        let rows = product.check();
        bias_gradient(isa, &mut product);
        if !is_narrow(&product) {
            return match self.rows_before_update(&product) {
                Some(most) => with_updates_behind(isa, product, most),
                None => isa.run(Transposed::new(&mut product)),
            };
        }
        let OuterProduct {
            delta, input, rows: Range { start: first_row, .. }, outputs, inputs, lanes, accumulate, ..
        } = product;
        let width = lanes.width;
        for panel in 0..lanes.panels {
            isa.run(dot::Dots {
                delta: &delta[(panel * outputs + first_row) * width..][..rows * width],
                input: &input[panel * inputs * width..][..inputs * width],
                gradient: product.gradient,
                stride: product.stride,
                rows,
                inputs,
                width,
                accumulate: accumulate || panel > 0,
            });
        }
        product.update.is_none_or(|update| update.apply(isa, product.gradient))
    }
}

/// The biases' part of an outer product that was checked.
fn bias_gradient(isa: Isa, product: &mut OuterProduct<'_>) {
    let OuterProduct { delta, ref rows, ref mut bias_gradient, outputs, lanes, accumulate, .. } = *product;
    let Some(bias_gradient) = bias_gradient else { return };
    for panel in 0..lanes.panels {
        let delta = &delta[(panel * outputs + rows.start) * lanes.width..][..rows.len() * lanes.width];
        row_sums(isa, delta, lanes.width, bias_gradient, accumulate || panel > 0);
    }
}

/// Whether a layer's weight gradient is computed as dot products.
fn is_narrow(product: &OuterProduct<'_>) -> bool {
    let OuterProduct { inputs, outputs, .. } = *product;
    inputs.min(outputs) < NARROW || inputs * outputs < SMALL
}

/// Bytes of a level-2 cache that has room for a large block of a gradient.
const ROOMY: usize = 2 << 20;

/// Most samples, over all panels, whose sums are over too soon to fetch a tile's weights and states beside them.
const FEW_SAMPLES: usize = 256;

/// Layers with fewer inputs or outputs than this have their weight gradients computed as dot products: in a tile most of their
/// vectors would be padding.
const NARROW: usize = 8;

/// So have layers of fewer weights than this: their sums are too few to pay for transposing X.
const SMALL: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemm::WeightUpdate;
    use crate::kernel::optimizer::{States, examples};

    #[test]
    fn updates_are_behind_the_gradient_where_the_cache_is_large_and_the_samples_are_few() {
        let [inputs, outputs, stride] = [300, 20, 400];
        let rows = |level2, panels: usize, updated| {
            let (mut gradient, mut parameters) = (vec![0.0; outputs * stride], vec![0.0; outputs * stride]);
            let update = WeightUpdate { update: examples()[0], parameters: &mut parameters, states: States::default() };
            let lanes = Lanes { panels, width: 128, parts: 1, samples: panels * 128 };
            let product = OuterProduct {
                delta: &vec![0.0; panels * 128 * outputs],
                input: &vec![0.0; panels * 128 * inputs],
                rows: 0..outputs,
                gradient: &mut gradient,
                stride,
                bias_gradient: None,
                outputs,
                inputs,
                lanes,
                accumulate: false,
                update: if updated { Some(update) } else { None },
            };
            Native { caches: Some(Caches { level1: 48 << 10, level2 }) }.rows_before_update(&product)
        };
        assert_eq!(rows(2 << 20, 1, true), Some((1 << 20) / 4 / stride));
        assert_eq!(rows(4 << 20, 2, true), Some((2 << 20) / 4 / stride));
        assert_eq!(rows(2 << 20, 3, true), None, "many samples");
        assert_eq!(rows((2 << 20) - 1, 1, true), None, "a small cache");
        assert_eq!(rows(2 << 20, 1, false), None, "no update");
    }
}
