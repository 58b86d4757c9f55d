//! Losses of a panel of logits: value and gradient in one pass, stable at any logit.
//!
//! Both losses are the softplus of a margin: with `z` the logit of the wrong answer, `loss = ln(1 + e^z)` and
//! `d loss / d z = sigmoid(z)`. So nothing overflows and nothing cancels: infinite margins give a loss of 0 or infinity and
//! a gradient of 0 or the weight. NaN gives NaN.
//!
//! A discriminator with one logit multiplies a sample's whole backward pass by the gradient with respect to that logit. So where
//! both networks' losses are of the same logit, one backward pass serves both: [`joint_bce_with_logits`] gives D's gradient and
//! what G's is of it, and [`take_scaled`] applies that to what came out below.

use super::math::vector;
use super::reduce::sum_lanes;
use crate::simd::{Isa, Kernel, LANE_GROUP, Simd};

/// One term of an objective: cross-entropy against one target, times a weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossTerm {
    /// The target: real (1) or fake (0).
    pub real: bool,
    /// Factor of the gradient of each sample: for a mean over a batch `1 / batch`, negative to maximise.
    pub weight: f32,
}

/// Sums over the valid samples of a range of lanes, without the term's weight.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LossSums {
    /// Sum of the cross-entropies.
    pub loss: f64,
    /// Sum of the probabilities that D gives to "real".
    pub probability: f64,
    /// Whether a logit (of two: their difference) is not finite. It is set whether sums are reported or not: the gradient of an
    /// infinite logit is finite, and so nothing behind it would show that the loss is not.
    pub not_finite: bool,
}

impl std::ops::AddAssign for LossSums {
    fn add_assign(&mut self, other: Self) {
        self.loss += other.loss;
        self.probability += other.probability;
        self.not_finite |= other.not_finite;
    }
}

/// Replaces `logits` (samples side by side) by the gradient `term.weight * (sigmoid(logit) - target)`; lanes from `valid` on
/// become 0. With `report`, returns the sums over the first `valid` lanes, in an order fixed by `logits.len()`; without, only
/// whether these logits are finite.
pub fn bce_with_logits(isa: Isa, term: LossTerm, logits: &mut [f32], valid: usize, report: bool) -> LossSums {
    if report { isa.run(Bce::<true> { term, logits, valid }) } else { isa.run(Bce::<false> { term, logits, valid }) }
}

/// The least gradient of D that [`joint_bce_with_logits`] leaves for a fake, as a share of the term's weight. A fake that D
/// gives a smaller probability of being real (a logit below -44.4) would leave too few bits of G's gradient on the way through
/// D, or none. For D the difference is below an f32's resolution unless all its gradients are that small; on the way down
/// 2^-64 of a weight of 2^-32 (the largest batch) still leaves a factor of 2^30 above the denormal numbers.
const LEAST_SHARE: f32 = 1.0 / (1u128 << 64) as f32;

/// [`bce_with_logits`] of fakes for both networks at once: D's term has the target fake and the weight `weight`, which is not
/// negative, G's is `generator`. `logits` become the ratios of G's gradients to D's, `deltas` become D's gradients, which are
/// at least 2^-64 of the weight, so that their products with the ratios are G's gradients to within rounding. Lanes from
/// `valid` on become 0 in both. With `report`, returns D's sums, then G's; without, only whether the logits are finite,
/// in D's place.
///
/// # Panics
///
/// If the slices differ in length.
pub fn joint_bce_with_logits(
    isa: Isa,
    weight: f32,
    generator: LossTerm,
    logits: &mut [f32],
    deltas: &mut [f32],
    valid: usize,
    report: bool,
) -> [LossSums; 2] {
    assert_eq!(logits.len(), deltas.len(), "a gradient for each logit");
    debug_assert!(weight >= 0.0, "D's loss is minimized");
    if report {
        isa.run(JointBce::<true> { weight, generator, logits, deltas, valid })
    } else {
        isa.run(JointBce::<false> { weight, generator, logits, deltas, valid })
    }
}

/// Takes the last `ratios.len()` lanes of each row of `panel` (rows of `width` samples) to the rows of `output`, each sample
/// times its ratio.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn take_scaled(isa: Isa, panel: &[f32], width: usize, ratios: &[f32], output: &mut [f32]) {
    let taken = ratios.len();
    assert!(
        (1..=width).contains(&taken) && taken.is_multiple_of(LANE_GROUP),
        "the lanes are whole groups of the width"
    );
    assert!(panel.len().is_multiple_of(width) && output.len() / taken * width == panel.len(), "one row for each row");
    isa.run(TakeScaled { panel, width, ratios, output });
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

/// The pass over the margins (logit of "real" against "fake"), a vector at a time.
struct Pass<S: Simd, const REPORT: bool> {
    simd: S,
    term: LossTerm,
    valid: usize,
    /// The lane of the next vector.
    lane: usize,
    loss: [f64; LANE_GROUP],
    probability: [f64; LANE_GROUP],
    /// 0 in each lane, or NaN from the first margin on that is not finite.
    zeros: S::F32,
}

impl<S: Simd, const REPORT: bool> Pass<S, REPORT> {
    #[inline(always)]
    fn new(simd: S, term: LossTerm, valid: usize) -> Self {
        let sums = [0.0; LANE_GROUP];
        Self { simd, term, valid, lane: 0, loss: sums, probability: sums, zeros: simd.splat(0.0) }
    }

    /// Which lanes of the next vector hold samples.
    #[inline(always)]
    fn counts(&self) -> S::Mask {
        // At most LANES, so that the cast is exact.
        let valid = self.valid.saturating_sub(self.lane).min(S::LANES) as u32;
        self.simd.less_i32(self.simd.lane_numbers(), self.simd.splat_u32(valid))
    }

    /// Notes whether the next vector of margins is finite where it holds samples.
    #[inline(always)]
    fn look_at(&mut self, margin: S::F32) {
        let zero = self.simd.splat(0.0);
        // 0 * x is NaN for infinities and NaN.
        self.zeros = self.simd.mul_add(self.simd.select(self.counts(), margin, zero), zero, self.zeros);
    }

    /// The gradient with respect to the next vector of margins; counts its loss and probability.
    #[inline(always)]
    fn gradient(&mut self, margin: S::F32) -> S::F32 {
        self.look_at(margin);
        let exponential = vector::exp_of_minus_abs(self.simd, margin);
        self.gradient_from(margin, exponential)
    }

    /// The same where `e^-|margin|` is known.
    #[inline(always)]
    fn gradient_from(&mut self, margin: S::F32, exponential: S::F32) -> S::F32 {
        let simd = self.simd;
        let zero = simd.splat(0.0);
        let (target_sign, weight) = if self.term.real { (-0.0f32, -self.term.weight) } else { (0.0, self.term.weight) };
        // The logit of the wrong answer.
        let z = simd.with_bits(simd.xor(simd.to_bits(margin), simd.splat_u32(target_sign.to_bits())));
        let gradient = simd.mul(simd.splat(weight), vector::sigmoid_from(simd, z, exponential));
        let counts = self.counts();
        if REPORT {
            let positive = simd.max(zero, z);
            let loss = simd.add(positive, vector::ln_1p_up_to_one(simd, exponential));
            let probability = vector::sigmoid_from(simd, margin, exponential);
            // Written so that it is a constant where a vector is a whole group.
            let first = if S::LANES == LANE_GROUP { 0 } else { self.lane % LANE_GROUP };
            add_lanes(simd, simd.select(counts, loss, zero), &mut self.loss[first..]);
            add_lanes(simd, simd.select(counts, probability, zero), &mut self.probability[first..]);
        }
        self.lane += S::LANES;
        simd.select(counts, gradient, zero)
    }

    #[inline(always)]
    fn sums(self) -> LossSums {
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

struct Bce<'a, const REPORT: bool> {
    term: LossTerm,
    logits: &'a mut [f32],
    valid: usize,
}

impl<const REPORT: bool> Kernel for Bce<'_, REPORT> {
    type Output = LossSums;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> LossSums {
        let mut pass = Pass::<S, REPORT>::new(simd, self.term, self.valid.min(self.logits.len()));
        let mut vectors = self.logits.chunks_exact_mut(S::LANES);
        for logits in vectors.by_ref() {
            simd.store(pass.gradient(simd.load(logits)), logits);
        }
        let tail = vectors.into_remainder();
        simd.store_partial(pass.gradient(simd.load_partial(tail)), tail);
        pass.sums()
    }
}

/// The passes of both networks over the logits of fakes, a vector at a time.
struct JointPass<S: Simd, const REPORT: bool> {
    discriminator: Pass<S, REPORT>,
    generator: Pass<S, REPORT>,
    /// The least gradient of D.
    least: f32,
}

impl<S: Simd, const REPORT: bool> JointPass<S, REPORT> {
    #[inline(always)]
    fn new(simd: S, weight: f32, generator: LossTerm, valid: usize) -> Self {
        Self {
            discriminator: Pass::new(simd, LossTerm { real: false, weight }, valid),
            generator: Pass::new(simd, generator, valid),
            least: weight * LEAST_SHARE,
        }
    }

    /// D's gradient with respect to the next vector of logits, and the ratio of G's to it.
    #[inline(always)]
    fn gradients(&mut self, logits: S::F32) -> (S::F32, S::F32) {
        let simd = self.discriminator.simd;
        let exponential = vector::exp_of_minus_abs(simd, logits);
        let counts = self.discriminator.counts();
        self.discriminator.look_at(logits);
        // In this order of the operands a NaN passes.
        let delta = simd.max(simd.splat(self.least), self.discriminator.gradient_from(logits, exponential));
        // Where no sample is, G's gradient is 0, and so is the ratio.
        let ratio = simd.div(self.generator.gradient_from(logits, exponential), delta);
        (simd.select(counts, delta, simd.splat(0.0)), ratio)
    }
}

struct JointBce<'a, const REPORT: bool> {
    weight: f32,
    generator: LossTerm,
    logits: &'a mut [f32],
    deltas: &'a mut [f32],
    valid: usize,
}

impl<const REPORT: bool> Kernel for JointBce<'_, REPORT> {
    type Output = [LossSums; 2];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> [LossSums; 2] {
        let mut pass =
            JointPass::<S, REPORT>::new(simd, self.weight, self.generator, self.valid.min(self.logits.len()));
        let mut logits = self.logits.chunks_exact_mut(S::LANES);
        let mut deltas = self.deltas.chunks_exact_mut(S::LANES);
        for (logits, deltas) in logits.by_ref().zip(deltas.by_ref()) {
            let (delta, ratio) = pass.gradients(simd.load(logits));
            simd.store(ratio, logits);
            simd.store(delta, deltas);
        }
        let (logits, deltas) = (logits.into_remainder(), deltas.into_remainder());
        let (delta, ratio) = pass.gradients(simd.load_partial(logits));
        simd.store_partial(ratio, logits);
        simd.store_partial(delta, deltas);
        [pass.discriminator.sums(), pass.generator.sums()]
    }
}

struct TakeScaled<'a> {
    panel: &'a [f32],
    width: usize,
    ratios: &'a [f32],
    output: &'a mut [f32],
}

impl Kernel for TakeScaled<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let taken = self.ratios.len();
        for (from, to) in self.panel.chunks_exact(self.width).zip(self.output.chunks_exact_mut(taken)) {
            let from = from[self.width - taken..].chunks_exact(S::LANES);
            let lanes = from.zip(self.ratios.chunks_exact(S::LANES)).zip(to.chunks_exact_mut(S::LANES));
            for ((from, ratio), to) in lanes {
                simd.store(simd.mul(simd.load(from), simd.load(ratio)), to);
            }
        }
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
        let mut pass = Pass::<S, REPORT>::new(simd, self.term, self.valid.min(self.real_logits.len()));
        let mut fakes = self.fake_logits.chunks_exact_mut(S::LANES);
        let mut reals = self.real_logits.chunks_exact_mut(S::LANES);
        let zero = simd.splat(0.0);
        for (fake, real) in fakes.by_ref().zip(reals.by_ref()) {
            let gradient = pass.gradient(simd.sub(simd.load(real), simd.load(fake)));
            simd.store(gradient, real);
            simd.store(simd.sub(zero, gradient), fake);
        }
        let (fake, real) = (fakes.into_remainder(), reals.into_remainder());
        let gradient = pass.gradient(simd.sub(simd.load_partial(real), simd.load_partial(fake)));
        simd.store_partial(gradient, real);
        simd.store_partial(simd.sub(zero, gradient), fake);
        pass.sums()
    }
}
