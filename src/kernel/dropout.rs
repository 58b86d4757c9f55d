//! Which elements of a panel a dropout layer keeps.

use std::ops::Range;

use super::noise::{Generators, StreamKey};
use crate::simd::{LANE_GROUP, Simd};

/// Features that share one stream of random numbers: a row block that is computed on its own begins at a multiple of it.
pub const DROPOUT_FEATURES: usize = 64;

/// Dropout of rows of a panel: each element is dropped with `probability`, a kept one is divided by `1 - probability`.
#[derive(Clone, Debug)]
pub struct Dropout<'a> {
    /// The probability of dropping, in `0 ..= 1`. Realised to within 2^-17.
    pub probability: f32,
    /// The layer's feature that the block's first row is; a multiple of [`DROPOUT_FEATURES`].
    pub first_feature: usize,
    /// The halves of the panel (or more, or fewer parts), side by side, that cover its width.
    pub parts: &'a [DropoutPart<'a>],
}

/// A range of a panel's lanes, and where its keeps come from.
#[derive(Clone, Debug)]
pub struct DropoutPart<'a> {
    /// The lanes: multiples of [`LANE_GROUP`].
    pub lanes: Range<usize>,
    /// The sample of the batch that the first lane holds.
    pub first_sample: usize,
    /// Where keeps come from.
    pub keeps: Keeps<'a>,
}

/// Where the decision to keep an element comes from.
#[derive(Clone, Copy, Debug)]
pub enum Keeps<'a> {
    /// Drawn: element `(feature, sample)` is decided by 16 random bits of the stream
    /// `key.block(feature / DROPOUT_FEATURES)` of that sample: each draw decides two features, the low half the first.
    Drawn(StreamKey),
    /// Given, row-major `[samples, features]` of the whole batch and the whole layer: 1 = kept. Samples beyond are kept.
    Given {
        /// The keeps.
        keeps: &'a [u8],
        /// Features of the layer (length of a row of `keeps`).
        features: usize,
    },
}

/// A part of a [`Dropout`] as the loops see it.
pub(super) struct DropPattern {
    /// Random numbers of 16 bits below it drop.
    threshold: u32,
    scale: f32,
    first_feature: usize,
    first_lane: usize,
    first_sample: usize,
}

impl DropPattern {
    /// The pattern of `part`.
    pub(super) fn new(probability: f32, first_feature: usize, part: &DropoutPart<'_>) -> Self {
        Self {
            // The cast saturates: a probability out of range drops everything or nothing.
            threshold: (f64::from(probability) * 65536.0).round().min(65536.0) as u32,
            scale: 1.0 / (1.0 - probability),
            first_feature,
            first_lane: part.lanes.start,
            first_sample: part.first_sample,
        }
    }

    /// What kept values are multiplied by: 1 over the probability of keeping.
    pub(super) fn scale(&self) -> f32 {
        self.scale
    }

    fn sample(&self, lane: usize) -> usize {
        self.first_sample.wrapping_add(lane - self.first_lane)
    }
}

/// A source of decisions, for two features at a time.
pub(super) trait Decide {
    /// What it carries down the features of a block.
    type State<S: Simd>;

    /// Begins block `block` (counted from the pattern's first feature) at `lane`.
    fn begin<S: Simd>(&self, simd: S, pattern: &DropPattern, block: usize, lane: usize) -> Self::State<S>;

    /// Which lanes of the next two features are dropped.
    fn dropped<S: Simd>(&self, simd: S, state: &mut Self::State<S>) -> (S::Mask, S::Mask);
}

/// [`Keeps::Drawn`]
pub(super) struct Drawn(pub(super) StreamKey);

impl Decide for Drawn {
    type State<S: Simd> = (Generators<S>, S::U32);

    #[inline(always)]
    fn begin<S: Simd>(&self, simd: S, pattern: &DropPattern, block: usize, lane: usize) -> Self::State<S> {
        let key = self.0.block(pattern.first_feature / DROPOUT_FEATURES + block);
        (Generators::new(simd, key, pattern.sample(lane)), simd.splat_u32(pattern.threshold))
    }

    #[inline(always)]
    fn dropped<S: Simd>(&self, simd: S, (generators, threshold): &mut Self::State<S>) -> (S::Mask, S::Mask) {
        let bits = generators.next();
        let low = simd.and(bits, simd.splat_u32(0xffff));
        (simd.less_i32(low, *threshold), simd.less_i32(simd.shift_right(bits, 16), *threshold))
    }
}

/// [`Keeps::Given`]: for tests of parity, not made for speed.
pub(super) struct Given<'a> {
    pub(super) keeps: &'a [u8],
    pub(super) features: usize,
}

impl Decide for Given<'_> {
    /// The next feature and the first lane's sample.
    type State<S: Simd> = (usize, usize);

    #[inline(always)]
    fn begin<S: Simd>(&self, _simd: S, pattern: &DropPattern, block: usize, lane: usize) -> Self::State<S> {
        (pattern.first_feature + block * DROPOUT_FEATURES, pattern.sample(lane))
    }

    #[inline(always)]
    fn dropped<S: Simd>(&self, simd: S, (feature, sample): &mut Self::State<S>) -> (S::Mask, S::Mask) {
        let masks = (self.mask(simd, *feature, *sample), self.mask(simd, *feature + 1, *sample));
        *feature += 2;
        masks
    }
}

impl Given<'_> {
    /// Which samples, from `sample` on, drop `feature`.
    #[inline(always)]
    fn mask<S: Simd>(&self, simd: S, feature: usize, sample: usize) -> S::Mask {
        let mut top_bits = [0; LANE_GROUP];
        for (lane, bits) in top_bits.iter_mut().enumerate() {
            let row = self.keeps.chunks_exact(self.features.max(1)).nth(sample + lane);
            if row.and_then(|row| row.get(feature)) == Some(&0) {
                *bits = u32::MAX;
            }
        }
        simd.top_bit(simd.load_u32(&top_bits))
    }
}
