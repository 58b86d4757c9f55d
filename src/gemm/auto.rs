//! The choice of an engine for each product, from what was measured (`docs/perf/products.md`).
//!
//! With vectors that fuse multiply-adds (AVX2, AVX-512, NEON, or what the program was compiled for) the native engine computes
//! every product: it allocates nothing and gives the same bits on all of them. It is the faster one for every shape of the presets on
//! AVX-512, and on AVX2 for all but some input gradients of wide layers (0.9 times matrixmultiply's rate or more; Zen 4, 2026-11-26).
//!
//! On portable vectors without them, 128 bits on plain x86-64, `matrixmultiply` is two to four times faster for steps of wide networks
//! (2026-11-22, Zen 5; 2026-11-26, Zen 4), because it finds what the processor has at run time; but not for sums of few terms, where
//! packing costs more than the product.
//!
//! The choice follows from the layer and the instruction set, never from the row block: bits must not depend on the threads.

use super::{Engine, EngineKind, OuterProduct, PanelProduct};
use crate::simd::Isa;

/// Fewest terms of a sum for which `matrixmultiply` pays; for a weight gradient, fewest inputs and outputs.
const FEWEST: usize = 8;

/// The engine.
pub(super) struct Auto;

/// The engine for products of this size.
fn chosen(isa: Isa, size: usize) -> &'static dyn Engine {
    if isa.fused() || size < FEWEST { EngineKind::Native.engine() } else { EngineKind::Matrixmultiply.engine() }
}

impl Engine for Auto {
    fn panel_product(&self, isa: Isa, product: PanelProduct<'_>) {
        chosen(isa, product.terms).panel_product(isa, product);
    }

    fn outer_product(&self, isa: Isa, product: OuterProduct<'_>) -> bool {
        chosen(isa, product.inputs.min(product.outputs)).outer_product(isa, product)
    }
}
