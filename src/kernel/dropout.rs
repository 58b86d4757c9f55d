//! Which elements of a panel a dropout layer keeps.

use std::ops::Range;

use super::noise::StreamKey;

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
    /// The lanes: multiples of [`LANE_GROUP`](crate::simd::LANE_GROUP).
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
    /// `key.block(feature / DROPOUT_FEATURES)` of that sample.
    Drawn(StreamKey),
    /// Given, row-major `[samples, features]` of the whole batch and the whole layer: 1 = kept. Samples beyond are kept.
    Given {
        /// The keeps.
        keeps: &'a [u8],
        /// Features of the layer (length of a row of `keeps`).
        features: usize,
    },
}
