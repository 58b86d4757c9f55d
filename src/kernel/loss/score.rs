//! Losses of a score that is no logit of a probability.
//!
//! With `s` the score of a sample and `t` the target, 1 (or, smoothed, less) for real and 0 for fake:
//!
//! ```text
//! least squares   (s - t)^2 / 2         Mao et al. 2017, "Least Squares Generative Adversarial Networks", with a = 0, b = c = 1
//! hinge           max(0, 1 - s) of a real sample, max(0, 1 + s) of a fake       Lim and Ye 2017, "Geometric GAN"
//! linear          -s of a real sample, s of a fake                              Arjovsky et al. 2017, "Wasserstein GAN"
//! ```

use super::lanes::Pass;
use super::{LossSums, LossTerm};
use crate::kernel::math::vector;
use crate::simd::{Isa, Kernel, Simd};

/// A loss of a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreLoss {
    /// Half the squared distance from the target. The probability of "real" is the score itself, within 0 and 1.
    LeastSquares,
    /// What a score lacks to a margin of 1 on its side. The probability of "real" is the sigmoid of the score.
    Hinge,
    /// The score, with its sign. The probability is as the hinge's.
    Linear,
}

/// Replaces `scores` (samples side by side) by the gradient of `loss`; lanes from `valid` on become 0. With `report`, returns the sums
/// over the first `valid` lanes, in an order fixed by `scores.len()`; without, only whether these scores are finite.
pub fn score_loss(
    isa: Isa,
    loss: ScoreLoss,
    term: LossTerm,
    scores: &mut [f32],
    valid: usize,
    report: bool,
) -> LossSums {
    match (loss, report) {
        (ScoreLoss::LeastSquares, true) => isa.run(Scores::<_, true> { loss: LeastSquares, term, scores, valid }),
        (ScoreLoss::LeastSquares, false) => isa.run(Scores::<_, false> { loss: LeastSquares, term, scores, valid }),
        (ScoreLoss::Hinge, true) => isa.run(Scores::<_, true> { loss: Hinge, term, scores, valid }),
        (ScoreLoss::Hinge, false) => isa.run(Scores::<_, false> { loss: Hinge, term, scores, valid }),
        (ScoreLoss::Linear, true) => isa.run(Scores::<_, true> { loss: Linear, term, scores, valid }),
        (ScoreLoss::Linear, false) => isa.run(Scores::<_, false> { loss: Linear, term, scores, valid }),
    }
}

/// A loss as the loop sees it: its slope and its value at a score, and the probability that the score stands for.
trait Function: Copy {
    fn slope<S: Simd>(self, simd: S, term: LossTerm, score: S::F32) -> S::F32;
    fn value<S: Simd>(self, simd: S, term: LossTerm, score: S::F32) -> S::F32;

    #[inline(always)]
    fn probability<S: Simd>(self, simd: S, score: S::F32) -> S::F32 {
        vector::sigmoid(simd, score)
    }
}

#[derive(Clone, Copy)]
struct LeastSquares;

impl Function for LeastSquares {
    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, term: LossTerm, score: S::F32) -> S::F32 {
        simd.sub(score, simd.splat(term.target()))
    }

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, term: LossTerm, score: S::F32) -> S::F32 {
        let distance = self.slope(simd, term, score);
        simd.mul(simd.mul(distance, simd.splat(0.5)), distance)
    }

    #[inline(always)]
    fn probability<S: Simd>(self, simd: S, score: S::F32) -> S::F32 {
        // In this order of the operands a NaN passes.
        simd.min(simd.splat(1.0), simd.max(simd.splat(0.0), score))
    }
}

#[derive(Clone, Copy)]
struct Linear;

impl Function for Linear {
    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, term: LossTerm, score: S::F32) -> S::F32 {
        let slope = simd.splat(if term.real { -1.0 } else { 1.0 });
        simd.select(simd.equal(score, score), slope, score)
    }

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, term: LossTerm, score: S::F32) -> S::F32 {
        if term.real { simd.sub(simd.splat(0.0), score) } else { score }
    }
}

#[derive(Clone, Copy)]
struct Hinge;

impl Function for Hinge {
    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, term: LossTerm, score: S::F32) -> S::F32 {
        let value = self.value(simd, term, score);
        simd.select(simd.equal(value, simd.splat(0.0)), simd.splat(0.0), Linear.slope(simd, term, score))
    }

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, term: LossTerm, score: S::F32) -> S::F32 {
        // In this order of the operands a NaN passes.
        simd.max(simd.splat(0.0), simd.add(simd.splat(1.0), Linear.value(simd, term, score)))
    }
}

struct Scores<'a, F, const REPORT: bool> {
    loss: F,
    term: LossTerm,
    scores: &'a mut [f32],
    valid: usize,
}

impl<F: Function, const REPORT: bool> Kernel for Scores<'_, F, REPORT> {
    type Output = LossSums;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> LossSums {
        let Self { loss, term, scores, valid } = self;
        let mut pass = Pass::<S, REPORT>::new(simd, valid.min(scores.len()));
        let mut gradient = |score: S::F32| {
            pass.look_at(score);
            let gradient = simd.mul(simd.splat(term.weight), loss.slope(simd, term, score));
            pass.count(gradient, || [loss.value(simd, term, score), loss.probability(simd, score)])
        };
        let mut vectors = scores.chunks_exact_mut(S::LANES);
        for scores in vectors.by_ref() {
            simd.store(gradient(simd.load(scores)), scores);
        }
        let tail = vectors.into_remainder();
        simd.store_partial(gradient(simd.load_partial(tail)), tail);
        pass.sums()
    }
}
