//! The relativistic pairing loss: the logit of a real sample against that of a fake.
//!
//! With `x` a real sample, `y` the fake beside it and `d = D(x) - D(y)`, D minimizes `softplus(-d)` and G minimizes `softplus(d)`
//! (Jolicoeur-Martineau 2019, "The relativistic discriminator", in the form of Huang et al. 2024, "The GAN is dead; long live the GAN!").
//! So both are cross-entropies of the margin `d`.

use super::LossSums;
use super::LossTerm;
use super::cross_entropy::bce_with_logits;
use crate::simd::{Isa, Kernel, Simd};

/// Whose loss it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// D's, whose gradients go to both logits.
    Discriminator,
    /// G's, whose gradient goes to the fake's.
    Generator,
}

/// Replaces the logits of `real` samples and of the `fake` ones beside them by the gradients of a side's loss times `weight`; lanes from
/// `valid` on become 0. With `report`, returns the sums over the first `valid` lanes, of which the probability is that of `D(x) - D(y)`;
/// without, only whether the margins are finite.
///
/// In G's loss the real samples are fixed: their gradients, which nobody needs, are those of the fakes with the other sign.
///
/// # Panics
///
/// If the slices differ in length.
pub fn pairing_loss(
    isa: Isa,
    side: Side,
    weight: f32,
    real: &mut [f32],
    fake: &mut [f32],
    valid: usize,
    report: bool,
) -> LossSums {
    assert_eq!(real.len(), fake.len(), "a fake for each real sample");
    isa.run(Margins { real, fake });
    let term = LossTerm::new(side == Side::Discriminator, weight);
    let sums = bce_with_logits(isa, term, real, valid, report);
    isa.run(Opposite { of: real, to: fake });
    sums
}

/// `real` becomes the margins.
struct Margins<'a> {
    real: &'a mut [f32],
    fake: &'a [f32],
}

impl Kernel for Margins<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut reals = self.real.chunks_exact_mut(S::LANES);
        let mut fakes = self.fake.chunks_exact(S::LANES);
        for (real, fake) in reals.by_ref().zip(fakes.by_ref()) {
            simd.store(simd.sub(simd.load(real), simd.load(fake)), real);
        }
        let (real, fake) = (reals.into_remainder(), fakes.remainder());
        simd.store_partial(simd.sub(simd.load_partial(real), simd.load_partial(fake)), real);
    }
}

/// `to` becomes the negative of `of`.
struct Opposite<'a> {
    of: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for Opposite<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let zero = simd.splat(0.0);
        let mut from = self.of.chunks_exact(S::LANES);
        let mut to = self.to.chunks_exact_mut(S::LANES);
        for (from, to) in from.by_ref().zip(to.by_ref()) {
            simd.store(simd.sub(zero, simd.load(from)), to);
        }
        let (from, to) = (from.remainder(), to.into_remainder());
        simd.store_partial(simd.sub(zero, simd.load_partial(from)), to);
    }
}
