//! The cross-entropies of both networks, of the same logits.
//!
//! A discriminator with one logit multiplies a sample's whole backward pass by the gradient with respect to that logit. So where
//! both networks' losses are of the same logit, one backward pass serves both: [`joint_bce_with_logits`] gives D's gradient and
//! what G's is of it, and [`take_scaled`] applies that to what came out below.

use super::cross_entropy::gradient_from;
use super::lanes::Pass;
use super::{LossSums, LossTerm};
use crate::kernel::math::vector;
use crate::simd::{Isa, Kernel, LANE_GROUP, Simd};

/// The least gradient of D that [`joint_bce_with_logits`] leaves for a fake, as a share of the term's weight. A fake that D
/// gives a smaller probability of being real (a logit below -44.4) would leave too few bits of G's gradient on the way through
/// D, or none. For D the difference is below an f32's resolution unless all its gradients are that small; on the way down
/// 2^-64 of a weight of 2^-32 (the largest batch) still leaves a factor of 2^30 above the denormal numbers.
const LEAST_SHARE: f32 = 1.0 / (1u128 << 64) as f32;

/// [`bce_with_logits`](super::bce_with_logits) of fakes for both networks at once: D's term has the target fake and the weight `weight`, which is not
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

/// The passes of both networks over the logits of fakes, a vector at a time.
struct JointPass<S: Simd, const REPORT: bool> {
    discriminator: Pass<S, REPORT>,
    generator: Pass<S, REPORT>,
    terms: [LossTerm; 2],
    /// The least gradient of D.
    least: f32,
}

impl<S: Simd, const REPORT: bool> JointPass<S, REPORT> {
    #[inline(always)]
    fn new(simd: S, weight: f32, generator: LossTerm, valid: usize) -> Self {
        Self {
            discriminator: Pass::new(simd, valid),
            generator: Pass::new(simd, valid),
            terms: [LossTerm::new(false, weight), generator],
            least: weight * LEAST_SHARE,
        }
    }

    /// D's gradient with respect to the next vector of logits, and the ratio of G's to it.
    #[inline(always)]
    fn gradients(&mut self, logits: S::F32) -> (S::F32, S::F32) {
        let (simd, [of_discriminator, of_generator]) = (self.discriminator.simd, self.terms);
        let exponential = vector::exp_of_minus_abs(simd, logits);
        let counts = self.discriminator.counts();
        self.discriminator.look_at(logits);
        // In this order of the operands a NaN passes.
        let delta = simd
            .max(simd.splat(self.least), gradient_from(&mut self.discriminator, of_discriminator, logits, exponential));
        // Where no sample is, G's gradient is 0, and so is the ratio.
        let ratio = simd.div(gradient_from(&mut self.generator, of_generator, logits, exponential), delta);
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
