//! The processor's limit: how many floating-point operations a second its multiply-adds reach.

use std::hint::black_box;

use crate::simd::{Isa, Kernel, Simd};

/// Most chains of dependent multiply-adds. Two multiply-adds a cycle of 4 cycles' latency need 8; 12 leave room.
const MOST_CHAINS: usize = 12;

/// Runs `iterations` rounds of independent fused multiply-adds in registers; returns the floating-point operations done
/// (two for each multiply-add and lane). The caller times it.
pub fn fma_flops(isa: Isa, iterations: u64) -> u64 {
    isa.run(Peak { iterations })
}

struct Peak {
    iterations: u64,
}

impl Kernel for Peak {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> u64 {
        // Two registers hold the operands that all chains share.
        let chains = MOST_CHAINS.min(S::REGISTERS - 2);
        // A contraction: no chain overflows or becomes denormal. Opaque to the compiler, so that it must compute.
        let factor = simd.splat(black_box(0.5));
        let summand = simd.splat(black_box(1.0));
        let mut sums = [summand; MOST_CHAINS];
        for _ in 0..self.iterations {
            for sum in &mut sums[..chains] {
                *sum = simd.mul_add(*sum, factor, summand);
            }
        }
        let mut total = sums[0];
        for &sum in &sums[1..chains] {
            total = simd.add(total, sum);
        }
        let mut lanes = [0.0; crate::simd::LANE_GROUP];
        simd.store(total, &mut lanes);
        black_box(lanes);
        2 * self.iterations * (chains * S::LANES) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::IsaKind;

    #[test]
    fn counts_two_operations_for_each_lane_of_each_chain() {
        for isa in Isa::available() {
            let chains = if isa.kind() == IsaKind::Portable { 6 } else { 12 };
            assert_eq!(fma_flops(isa, 1000), 2000 * chains * isa.lanes() as u64, "{}", isa.kind());
            assert_eq!(fma_flops(isa, 0), 0);
        }
    }
}
