//! The choice of an engine for each product, from what was measured (`PERF.md`, "Products by layer shape").
//!
//! With fused multiply-adds of its own, AVX2 or AVX-512, the native engine is the faster one for every shape. The portable
//! vectors are what the program was compiled for (128 bits without a fused multiply-add on plain x86-64), while
//! `matrixmultiply` chooses at run time: there it is three to four times faster, but for sums of so few terms, or of so few
//! results, that packing costs more than the product.
//!
//! The choice follows from the layer and the instruction set, never from the row block: bits must not depend on the threads.

use super::{Engine, EngineKind, Forward, InputGradient, WeightGradient};
use crate::simd::{Isa, IsaKind};

/// Fewest terms of a sum for which `matrixmultiply` pays on portable vectors.
const FEWEST: usize = 8;

/// The engine.
pub(super) struct Auto;

/// The faster engine where the operands' smallest dimension is `smallest`.
fn fastest(isa: Isa, smallest: usize) -> &'static dyn Engine {
    match isa.kind() {
        IsaKind::Portable if smallest >= FEWEST => EngineKind::Matrixmultiply.engine(),
        _ => EngineKind::Native.engine(),
    }
}

impl Engine for Auto {
    fn forward(&self, isa: Isa, product: Forward<'_>) {
        fastest(isa, product.input.len() / product.width).forward(isa, product);
    }

    fn input_gradient(&self, isa: Isa, product: InputGradient<'_>) {
        fastest(isa, product.delta.len() / product.width).input_gradient(isa, product);
    }

    fn weight_gradient(&self, isa: Isa, product: WeightGradient<'_>) {
        fastest(isa, product.inputs.min(product.outputs)).weight_gradient(isa, product);
    }
}
