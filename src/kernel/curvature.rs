//! The second derivative of an activation, in a double backward pass, expressed by what the other passes left.
//!
//! With `f` what a layer does to its sums last of all (activation and dropout), the forward pass leaves `y = f(a)`, the tangent pass
//! `t = f'(a) a'`, and the backward pass `g = f'(a) h`, where `h` is the gradient with respect to `y`. The gradient of the tangent's share
//! of the loss with respect to `a` is `f''(a) a' h = f''/f'^2 g t`. A tanh has `f''/f' = -2 y`, a sigmoid `1 - 2 y`, both without dropout.
//! Where `f'` is 0, so is `f''`.

use super::activation::Activation;
use crate::simd::{Isa, Kernel, Simd};

impl Activation {
    /// Whether its second derivative is not 0 everywhere.
    pub fn is_curved(self) -> bool {
        match self {
            Self::Linear | Self::Relu | Self::LeakyRelu { .. } => false,
            Self::Tanh | Self::Sigmoid => true,
        }
    }
}

/// What [`curvature`] reads, all of one length.
#[derive(Clone, Copy, Debug)]
pub struct Curved<'a> {
    /// The layer's outputs after dropout.
    pub outputs: &'a [f32],
    /// The gradient with respect to its sums.
    pub gradients: &'a [f32],
    /// The tangents of its outputs.
    pub tangents: &'a [f32],
}

/// `sums (+)= f''/f'^2 gradients tangents` for a layer of this activation and dropout; overwrites, or adds if `accumulate`.
///
/// # Panics
///
/// If the slices differ in length.
pub fn curvature(
    isa: Isa,
    activation: Activation,
    dropout: f32,
    curved: Curved<'_>,
    sums: &mut [f32],
    accumulate: bool,
) {
    let Curved { outputs, gradients, tangents } = curved;
    let equal = [outputs, gradients, tangents].iter().all(|values| values.len() == sums.len());
    assert!(equal, "as many values of each kind");
    let keep = 1.0 - dropout;
    match activation {
        Activation::Linear | Activation::Relu | Activation::LeakyRelu { .. } => {
            if !accumulate {
                sums.fill(0.0);
            }
        }
        Activation::Tanh => isa.run(Curvature { function: Tanh, keep, curved, sums, accumulate }),
        Activation::Sigmoid => isa.run(Curvature { function: Sigmoid, keep, curved, sums, accumulate }),
    }
}

/// `f'` and `f''/f'` at the output `y`, without dropout.
trait Function: Copy {
    fn derivatives<S: Simd>(self, simd: S, y: S::F32) -> [S::F32; 2];
}

#[derive(Clone, Copy)]
struct Tanh;

impl Function for Tanh {
    #[inline(always)]
    fn derivatives<S: Simd>(self, simd: S, y: S::F32) -> [S::F32; 2] {
        [simd.neg_mul_add(y, y, simd.splat(1.0)), simd.mul(y, simd.splat(-2.0))]
    }
}

#[derive(Clone, Copy)]
struct Sigmoid;

impl Function for Sigmoid {
    #[inline(always)]
    fn derivatives<S: Simd>(self, simd: S, y: S::F32) -> [S::F32; 2] {
        [simd.neg_mul_add(y, y, y), simd.neg_mul_add(y, simd.splat(2.0), simd.splat(1.0))]
    }
}

struct Curvature<'a, F> {
    function: F,
    keep: f32,
    curved: Curved<'a>,
    sums: &'a mut [f32],
    accumulate: bool,
}

impl<F: Function> Curvature<'_, F> {
    #[inline(always)]
    fn term<S: Simd>(&self, simd: S, [output, gradient, tangent]: [S::F32; 3]) -> S::F32 {
        let keep = simd.splat(self.keep);
        let [slope, ratio] = self.function.derivatives(simd, simd.mul(output, keep));
        // f' = slope / keep, and f'' = ratio slope / keep.
        let term = simd.div(simd.mul(simd.mul(ratio, keep), simd.mul(gradient, tangent)), slope);
        // A dropped element has a gradient of 0.
        let flat = simd.equal(slope, simd.splat(0.0));
        simd.select(flat, simd.splat(0.0), term)
    }
}

impl<F: Function> Kernel for Curvature<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let sums = std::mem::take(&mut self.sums);
        let Curved { outputs, gradients, tangents } = self.curved;
        let mut vectors = sums.chunks_exact_mut(S::LANES);
        let mut read =
            outputs.chunks_exact(S::LANES).zip(gradients.chunks_exact(S::LANES)).zip(tangents.chunks_exact(S::LANES));
        for (sum, ((output, gradient), tangent)) in vectors.by_ref().zip(read.by_ref()) {
            let term = self.term(simd, [simd.load(output), simd.load(gradient), simd.load(tangent)]);
            let term = if self.accumulate { simd.add(simd.load(sum), term) } else { term };
            simd.store(term, sum);
        }
        let sum = vectors.into_remainder();
        let rest = outputs.len() - sum.len();
        let parts = [outputs, gradients, tangents].map(|values| simd.load_partial(&values[rest..]));
        let term = self.term(simd, parts);
        let term = if self.accumulate { simd.add(simd.load_partial(sum), term) } else { term };
        simd.store_partial(term, sum);
    }
}
