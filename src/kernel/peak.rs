//! The processor's limit: how many floating-point operations a second its multiply-adds reach.

use crate::simd::Isa;

/// Runs `iterations` rounds of independent fused multiply-adds in registers; returns the floating-point operations done
/// (two for each multiply-add and lane). The caller times it.
pub fn fma_flops(_isa: Isa, _iterations: u64) -> u64 {
    todo!()
}
