//! The lanes of a pass over logits: which of them hold samples, their sums, and whether they are finite.

use super::LossSums;
use crate::kernel::reduce::sum_lanes;
use crate::simd::{LANE_GROUP, Simd};

/// A pass over logits, a vector at a time.
pub(super) struct Pass<S: Simd, const REPORT: bool> {
    pub(super) simd: S,
    valid: usize,
    /// The lane of the next vector.
    lane: usize,
    loss: [f64; LANE_GROUP],
    probability: [f64; LANE_GROUP],
    /// 0 in each lane, or NaN from the first logit on that is not finite.
    zeros: S::F32,
}

impl<S: Simd, const REPORT: bool> Pass<S, REPORT> {
    #[inline(always)]
    pub(super) fn new(simd: S, valid: usize) -> Self {
        let sums = [0.0; LANE_GROUP];
        Self { simd, valid, lane: 0, loss: sums, probability: sums, zeros: simd.splat(0.0) }
    }

    /// Which lanes of the next vector hold samples.
    #[inline(always)]
    pub(super) fn counts(&self) -> S::Mask {
        // At most LANES, so that the cast is exact.
        let valid = self.valid.saturating_sub(self.lane).min(S::LANES) as u32;
        self.simd.less_i32(self.simd.lane_numbers(), self.simd.splat_u32(valid))
    }

    /// Notes whether the next vector of logits is finite where it holds samples.
    #[inline(always)]
    pub(super) fn look_at(&mut self, logits: S::F32) {
        let zero = self.simd.splat(0.0);
        // 0 * x is NaN for infinities and NaN.
        self.zeros = self.simd.mul_add(self.simd.select(self.counts(), logits, zero), zero, self.zeros);
    }

    /// The next vector's gradient, with 0 where there is no sample; adds its `loss` and its `probability` where they are reported.
    #[inline(always)]
    pub(super) fn count(&mut self, gradient: S::F32, reported: impl FnOnce() -> [S::F32; 2]) -> S::F32 {
        let simd = self.simd;
        let zero = simd.splat(0.0);
        let counts = self.counts();
        if REPORT {
            let [loss, probability] = reported();
            // Written so that it is a constant where a vector is a whole group.
            let first = if S::LANES == LANE_GROUP { 0 } else { self.lane % LANE_GROUP };
            add_lanes(simd, simd.select(counts, loss, zero), &mut self.loss[first..]);
            add_lanes(simd, simd.select(counts, probability, zero), &mut self.probability[first..]);
        }
        self.lane += S::LANES;
        simd.select(counts, gradient, zero)
    }

    #[inline(always)]
    pub(super) fn sums(self) -> LossSums {
        let not_finite = !self.simd.all(self.simd.equal(self.zeros, self.simd.splat(0.0)));
        LossSums { loss: sum_lanes(self.loss), probability: sum_lanes(self.probability), not_finite }
    }
}

#[inline(always)]
fn add_lanes<S: Simd>(simd: S, values: S::F32, sums: &mut [f64]) {
    let mut lanes = [0.0; LANE_GROUP];
    simd.store(values, &mut lanes);
    for (sum, value) in sums[..S::LANES].iter_mut().zip(lanes) {
        *sum += f64::from(value);
    }
}
