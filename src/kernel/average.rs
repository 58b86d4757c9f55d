//! The exponential moving average of parameters.

use crate::simd::{Isa, Kernel, Simd};

/// `average += (1 - decay) (value - average)`, which is `average = decay average + (1 - decay) value`, rounded as PyTorch's `lerp` does: an
/// average that has reached a value stays there.
///
/// No value depends on where a range begins or ends.
///
/// # Panics
///
/// If the slices differ in length.
pub fn follow(isa: Isa, decay: f32, average: &mut [f32], values: &[f32]) {
    assert_eq!(average.len(), values.len(), "an average of each value");
    isa.run(Follow { rest: (1.0 - f64::from(decay)) as f32, average, values });
}

struct Follow<'a> {
    rest: f32,
    average: &'a mut [f32],
    values: &'a [f32],
}

impl Kernel for Follow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let rest = simd.splat(self.rest);
        let next = |average: S::F32, value: S::F32| simd.mul_add(rest, simd.sub(value, average), average);
        let mut averages = self.average.chunks_exact_mut(S::LANES);
        let mut values = self.values.chunks_exact(S::LANES);
        for (average, values) in averages.by_ref().zip(values.by_ref()) {
            simd.store(next(simd.load(average), simd.load(values)), average);
        }
        let (average, values) = (averages.into_remainder(), values.remainder());
        simd.store_partial(next(simd.load_partial(average), simd.load_partial(values)), average);
    }
}
