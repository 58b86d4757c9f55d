//! Random numbers that depend only on seed, step and sample: every lane is a generator of its own.
//!
//! Each sample's generator is a `xoshiro128++` (Blackman and Vigna, "Scrambled linear pseudorandom number generators",
//! ACM TOMS 47, 2021), whose four state words are mixed from a [`StreamKey`] and the sample's index in the batch.

use crate::simd::Isa;

/// What a stream of random numbers is for. Streams of different purpose, seed, step or block are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamKey(#[allow(missing_docs)] pub(crate) [u32; 4]);

impl StreamKey {
    /// The stream number `stream` of a run's `seed` at `step`.
    pub fn new(_seed: u64, _step: u64, _stream: u64) -> Self {
        todo!()
    }

    /// The sub-stream number `block` of this one.
    pub fn block(self, _block: usize) -> Self {
        todo!()
    }

    /// The initial state of the xoshiro128++ of sample `sample`, as [`rand_xoshiro::Xoshiro128PlusPlus`] takes it
    /// (little-endian words). Never all zero.
    pub fn state(self, _sample: usize) -> [u32; 4] {
        todo!()
    }
}

/// Fills a panel with standard normal numbers (Box-Muller): `out[f * width + s]` for sample `first_sample + s`.
pub fn normal(_isa: Isa, _key: StreamKey, _first_sample: usize, _out: &mut [f32], _width: usize) {
    todo!()
}

/// Fills a panel with numbers uniform in `[low, high)`.
pub fn uniform(
    _isa: Isa,
    _key: StreamKey,
    _first_sample: usize,
    _low: f32,
    _high: f32,
    _out: &mut [f32],
    _width: usize,
) {
    todo!()
}
