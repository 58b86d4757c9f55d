//! Adam on a tile of the weights whose gradient has just been written.
//!
//! The gradient is still in the first-level cache, and the tile's weights and moments are fetched while it is summed
//! ([`Beside`](super::tile::Beside)): the memory traffic of the update runs beside the arithmetic of the product, where a pass of its
//! own would wait for it.

use crate::gemm::WeightUpdate;
use crate::kernel::optimizer::AdamFactors;
use crate::simd::Simd;

/// The update of a block of weights, tile after tile.
pub(super) struct Tiles<'a> {
    factors: AdamFactors,
    parameters: &'a mut [f32],
    first_moment: &'a mut [f32],
    second_moment: &'a mut [f32],
}

impl<'a> Tiles<'a> {
    /// # Panics
    ///
    /// If the operands do not have the length of the gradient.
    pub(super) fn new(update: WeightUpdate<'a>, gradient: &[f32]) -> Self {
        let WeightUpdate { step, parameters, first_moment, second_moment } = update;
        let lengths = [parameters.len(), first_moment.len(), second_moment.len()];
        assert_eq!(lengths, [gradient.len(); 3], "one gradient and two moments for each parameter");
        Self { factors: AdamFactors::new(&step), parameters, first_moment, second_moment }
    }

    /// Where the operands' values from `start` on stand.
    pub(super) fn addresses(&self, start: usize) -> [*const f32; 3] {
        [&*self.parameters, &*self.first_moment, &*self.second_moment].map(|all| all.as_ptr().wrapping_add(start))
    }

    /// Updates `rows` rows of `count` weights, the first at `start`, the rows `stride` apart, by the gradient, which is as long as the
    /// operands and laid out like them. Returns whether all is finite.
    ///
    /// # Panics
    ///
    /// If the rows reach beyond the gradient.
    #[inline(always)]
    pub(super) fn update<S: Simd>(
        &mut self,
        simd: S,
        gradient: &[f32],
        start: usize,
        [rows, count]: [usize; 2],
        stride: usize,
    ) -> bool {
        assert!(rows > 0 && start + (rows - 1) * stride + count <= gradient.len().min(self.parameters.len()));
        let zero = simd.splat(0.0);
        let mut finite = [zero; 2];
        let mut tails_are_finite = true;
        for row in 0..rows {
            let first = start + row * stride;
            for (vector, lane) in (0..count / S::LANES * S::LANES).step_by(S::LANES).enumerate() {
                let at = first + lane;
                // SAFETY: whole vectors of the row, which the assertion above found within the slices: all have one length (`new`).
                unsafe {
                    let [p, m, v] = [&mut *self.parameters, &mut *self.first_moment, &mut *self.second_moment]
                        .map(|all| all.as_mut_ptr().add(at));
                    let gradient = simd.load_pointer(gradient.as_ptr().add(at));
                    let old = [simd.load_pointer(p), gradient, simd.load_pointer(m), simd.load_pointer(v)];
                    let [new_p, new_m, new_v] = self.factors.update(simd, old);
                    simd.store_pointer(new_p, p);
                    simd.store_pointer(new_m, m);
                    simd.store_pointer(new_v, v);
                    // 0 * x is NaN for infinities and NaN. A second moment is finite only if its gradient was.
                    let finite = &mut finite[vector % 2];
                    *finite = simd.mul_add(new_p, zero, simd.mul_add(new_v, zero, *finite));
                }
            }
            if !count.is_multiple_of(S::LANES) {
                let tail = first + count / S::LANES * S::LANES..first + count;
                let (p, g) = (&mut self.parameters[tail.clone()], &gradient[tail.clone()]);
                let (m, v) = (&mut self.first_moment[tail.clone()], &mut self.second_moment[tail]);
                let old = [simd.load_partial(p), simd.load_partial(g), simd.load_partial(m), simd.load_partial(v)];
                let [new_p, new_m, new_v] = self.factors.update(simd, old);
                simd.store_partial(new_p, p);
                simd.store_partial(new_m, m);
                simd.store_partial(new_v, v);
                // The padding does not count: with an epsilon of 0 it is 0 / 0.
                tails_are_finite &= p.iter().chain(&*v).all(|x| x.is_finite());
            }
        }
        let finite = simd.add(finite[0], finite[1]);
        tails_are_finite && simd.all(simd.equal(finite, zero))
    }
}
