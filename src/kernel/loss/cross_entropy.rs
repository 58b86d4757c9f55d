//! Cross-entropies of one logit or of two classes, stable at any logit.
//!
//! Both are the softplus of a margin: with `z` the logit of the wrong answer, `loss = ln(1 + e^z)` and
//! `d loss / d z = sigmoid(z)`. So nothing overflows and nothing cancels: infinite margins give a loss of 0 or infinity and
//! a gradient of 0 or the weight. NaN gives NaN.

use super::lanes::Pass;
use super::{LossSums, LossTerm};
use crate::kernel::math::vector;
use crate::simd::{Isa, Kernel, Simd};

/// Replaces `logits` (samples side by side) by the gradient `term.weight * (sigmoid(logit) - target)`, whose target may be smoothed;
/// lanes from `valid` on become 0. With `report`, returns the sums over the first `valid` lanes, in an order fixed by `logits.len()`;
/// without, only whether these logits are finite.
pub fn bce_with_logits(isa: Isa, term: LossTerm, logits: &mut [f32], valid: usize, report: bool) -> LossSums {
    if report { isa.run(Bce::<true> { term, logits, valid }) } else { isa.run(Bce::<false> { term, logits, valid }) }
}

/// The same for softmax cross-entropy over two classes, of which class 1 is "real": `fake_logits` and `real_logits` are the
/// rows of class 0 and 1. Two infinite logits of the same sign have no difference: they give NaN.
///
/// # Panics
///
/// If the rows differ in length.
pub fn softmax_cross_entropy(
    isa: Isa,
    term: LossTerm,
    fake_logits: &mut [f32],
    real_logits: &mut [f32],
    valid: usize,
    report: bool,
) -> LossSums {
    assert_eq!(fake_logits.len(), real_logits.len(), "two logits for each sample");
    if report {
        isa.run(Softmax::<true> { term, fake_logits, real_logits, valid })
    } else {
        isa.run(Softmax::<false> { term, fake_logits, real_logits, valid })
    }
}

/// With the target `1 - s` of real samples, the cross-entropy is `ln(1 + e^z) + s margin`. Without smoothing it is not touched: the bits
/// are those of the plain loss, and the branch stands outside of the loop.
#[inline(always)]
fn smoothed<S: Simd>(simd: S, term: LossTerm, value: S::F32, more: S::F32) -> S::F32 {
    if term.real && term.smoothing != 0.0 { simd.mul_add(simd.splat(term.smoothing), more, value) } else { value }
}

/// The gradient of `term` with respect to the next vector of margins (the logit of "real" against "fake").
#[inline(always)]
fn gradient<S: Simd, const REPORT: bool>(pass: &mut Pass<S, REPORT>, term: LossTerm, margin: S::F32) -> S::F32 {
    pass.look_at(margin);
    let exponential = vector::exp_of_minus_abs(pass.simd, margin);
    gradient_from(pass, term, margin, exponential)
}

/// The same where `e^-|margin|` is known.
#[inline(always)]
pub(super) fn gradient_from<S: Simd, const REPORT: bool>(
    pass: &mut Pass<S, REPORT>,
    term: LossTerm,
    margin: S::F32,
    exponential: S::F32,
) -> S::F32 {
    let simd = pass.simd;
    let (target_sign, weight) = if term.real { (-0.0f32, -term.weight) } else { (0.0, term.weight) };
    // The logit of the wrong answer.
    let z = simd.with_bits(simd.xor(simd.to_bits(margin), simd.splat_u32(target_sign.to_bits())));
    let gradient = simd.mul(simd.splat(weight), vector::sigmoid_from(simd, z, exponential));
    let gradient = smoothed(simd, term, gradient, simd.splat(term.weight));
    pass.count(gradient, || {
        let loss = simd.add(simd.max(simd.splat(0.0), z), vector::ln_1p_up_to_one(simd, exponential));
        [smoothed(simd, term, loss, margin), vector::sigmoid_from(simd, margin, exponential)]
    })
}

struct Bce<'a, const REPORT: bool> {
    term: LossTerm,
    logits: &'a mut [f32],
    valid: usize,
}

impl<const REPORT: bool> Kernel for Bce<'_, REPORT> {
    type Output = LossSums;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> LossSums {
        let mut pass = Pass::<S, REPORT>::new(simd, self.valid.min(self.logits.len()));
        let mut vectors = self.logits.chunks_exact_mut(S::LANES);
        for logits in vectors.by_ref() {
            simd.store(gradient(&mut pass, self.term, simd.load(logits)), logits);
        }
        let tail = vectors.into_remainder();
        simd.store_partial(gradient(&mut pass, self.term, simd.load_partial(tail)), tail);
        pass.sums()
    }
}

struct Softmax<'a, const REPORT: bool> {
    term: LossTerm,
    fake_logits: &'a mut [f32],
    real_logits: &'a mut [f32],
    valid: usize,
}

impl<const REPORT: bool> Kernel for Softmax<'_, REPORT> {
    type Output = LossSums;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> LossSums {
        let mut pass = Pass::<S, REPORT>::new(simd, self.valid.min(self.real_logits.len()));
        let mut fakes = self.fake_logits.chunks_exact_mut(S::LANES);
        let mut reals = self.real_logits.chunks_exact_mut(S::LANES);
        let zero = simd.splat(0.0);
        for (fake, real) in fakes.by_ref().zip(reals.by_ref()) {
            let gradient = gradient(&mut pass, self.term, simd.sub(simd.load(real), simd.load(fake)));
            simd.store(gradient, real);
            simd.store(simd.sub(zero, gradient), fake);
        }
        let (fake, real) = (fakes.into_remainder(), reals.into_remainder());
        let gradient = gradient(&mut pass, self.term, simd.sub(simd.load_partial(real), simd.load_partial(fake)));
        simd.store_partial(gradient, real);
        simd.store_partial(simd.sub(zero, gradient), fake);
        pass.sums()
    }
}
