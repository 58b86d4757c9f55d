//! Clipping of parameters, after an update.

use crate::simd::{Isa, Kernel, Simd};

/// Values above `most` become `most`, those below `-most` that; NaN stays NaN.
pub fn clip_parameters(isa: Isa, most: f32, values: &mut [f32]) {
    isa.run(Clip { most, values });
}

struct Clip<'a> {
    most: f32,
    values: &'a mut [f32],
}

impl Kernel for Clip<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let [least, most] = [-self.most, self.most].map(|bound| simd.splat(bound));
        // In this order of the operands a NaN passes.
        let clipped = |value: S::F32| simd.min(most, simd.max(least, value));
        let mut vectors = self.values.chunks_exact_mut(S::LANES);
        for values in vectors.by_ref() {
            simd.store(clipped(simd.load(values)), values);
        }
        let tail = vectors.into_remainder();
        simd.store_partial(clipped(simd.load_partial(tail)), tail);
    }
}
