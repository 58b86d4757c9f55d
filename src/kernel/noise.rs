//! Random numbers that depend only on seed, step and sample: every lane is a generator of its own.
//!
//! Each sample's generator is a `xoshiro128++` (Blackman and Vigna, "Scrambled linear pseudorandom number generators",
//! ACM TOMS 47, 2021), whose four state words are mixed from a [`StreamKey`] and the sample's index in the batch. Each
//! lane equals the scalar generator of `rand_xoshiro` with the state [`StreamKey::state`].

use std::ops::Range;

use super::math::vector;
use crate::simd::{ColumnMut, Isa, Kernel, LANE_GROUP, Simd};

/// What a stream of random numbers is for. Streams of different purpose, seed, step or block are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamKey(
    /// Never the same in words 0 and 1: see [`StreamKey::state`].
    pub(crate) [u32; 4],
);

/// The increment of SplitMix64: 2^64 over the golden ratio, made odd.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
fn mix_64(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Shifts and multipliers of the 32-bit finalizer: the best of two rounds that C. Wellons's search by the bias of the
/// avalanche found ("hash-prospector", 2022 list). A bijection that maps only 0 to 0.
const MIX_32: [(u32, u32); 2] = [(16, 0x21f0_aaad), (15, 0xd35a_2d97)];
const LAST_SHIFT: u32 = 15;

fn mix_32(mut x: u32) -> u32 {
    for (shift, multiplier) in MIX_32 {
        x = (x ^ (x >> shift)).wrapping_mul(multiplier);
    }
    x ^ (x >> LAST_SHIFT)
}

/// What a sample's index is multiplied by before it is added to a word of the key: large odd numbers (the primes of
/// XXH32). The first two are equal on purpose: see [`StreamKey::state`].
const SAMPLE_STEP: [u32; 4] = [0x9e37_79b1, 0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d];

impl StreamKey {
    /// The stream number `stream` of a run's `seed` at `step`.
    pub fn new(seed: u64, step: u64, stream: u64) -> Self {
        let state = [seed, step, stream].into_iter().fold(0u64, |state, value| {
            // Each value passes through its own round, so that exchanging two of them changes the key.
            mix_64(state.wrapping_add(value).wrapping_add(GAMMA))
        });
        Self::from_halves(mix_64(state.wrapping_add(GAMMA)), mix_64(state.wrapping_add(GAMMA.wrapping_mul(2))))
    }

    /// The sub-stream number `block` of this one.
    pub fn block(self, block: usize) -> Self {
        let [a, b, c, d] = self.0.map(u64::from);
        let offset = GAMMA.wrapping_mul((block as u64).wrapping_add(1));
        Self::from_halves(mix_64((a | b << 32).wrapping_add(offset)), mix_64((c | d << 32).wrapping_add(offset)))
    }

    /// The initial state of the xoshiro128++ of sample `sample` (counted modulo 2^32), as
    /// [`rand_xoshiro::Xoshiro128PlusPlus`] takes it (little-endian words).
    ///
    /// Never all zero: the finalizer gives 0 only for 0, so words 0 and 1 are both 0 only if the same words of the key are
    /// equal, and they never are.
    pub fn state(self, sample: usize) -> [u32; 4] {
        std::array::from_fn(|word| mix_32(self.0[word].wrapping_add((sample as u32).wrapping_mul(SAMPLE_STEP[word]))))
    }

    fn from_halves(first: u64, second: u64) -> Self {
        let (a, b) = (first as u32, (first >> 32) as u32);
        Self([a, if a == b { !b } else { b }, second as u32, (second >> 32) as u32])
    }
}

/// A word of [`StreamKey::state`] for each lane's sample.
#[inline(always)]
fn state_word<S: Simd>(simd: S, sample: S::U32, key: u32, step: u32) -> S::U32 {
    let mut x = simd.add_u32(simd.splat_u32(key), simd.mul_u32(sample, simd.splat_u32(step)));
    for (shift, multiplier) in MIX_32 {
        x = simd.mul_u32(simd.xor(x, simd.shift_right(x, shift)), simd.splat_u32(multiplier));
    }
    simd.xor(x, simd.shift_right(x, LAST_SHIFT))
}

/// One xoshiro128++ for each lane.
pub(super) struct Generators<S: Simd> {
    simd: S,
    state: [S::U32; 4],
}

impl<S: Simd> Generators<S> {
    /// The generators of samples `first_sample ..`, one for each lane.
    #[inline(always)]
    pub(super) fn new(simd: S, key: StreamKey, first_sample: usize) -> Self {
        let sample = simd.add_u32(simd.splat_u32(first_sample as u32), simd.lane_numbers());
        let [a, b, c, d] = key.0;
        let state = [
            state_word(simd, sample, a, SAMPLE_STEP[0]),
            state_word(simd, sample, b, SAMPLE_STEP[1]),
            state_word(simd, sample, c, SAMPLE_STEP[2]),
            state_word(simd, sample, d, SAMPLE_STEP[3]),
        ];
        Self { simd, state }
    }

    /// The next 32 random bits of each lane.
    #[inline(always)]
    pub(super) fn next(&mut self) -> S::U32 {
        let simd = self.simd;
        let [a, b, c, d] = self.state;
        let result = simd.add_u32(simd.rotate_left(simd.add_u32(a, d), 7), a);
        let (c, d) = (simd.xor(c, a), simd.xor(d, b));
        let shifted = simd.shift_left(b, 9);
        self.state = [simd.xor(a, d), simd.xor(b, c), simd.xor(c, shifted), simd.rotate_left(d, 11)];
        result
    }

    /// Two independent standard normal numbers for each lane, from two draws (Box and Muller, 1958).
    #[inline(always)]
    fn normal_pair(&mut self) -> (S::F32, S::F32) {
        let simd = self.simd;
        // Uniform in (0, 1] with steps of 2^-30, so that the tail reaches 6.5.
        let odd = simd.or(simd.shift_right(self.next(), 1), simd.splat_u32(1));
        let uniform = simd.mul(simd.convert_i32(odd), simd.splat(1.0 / (1u32 << 31) as f32));
        let log = vector::ln_of_normal(simd, uniform);
        let radius = simd.sqrt(simd.mul(log, simd.splat(-2.0)));
        // The angle: one bit turns by half a turn, one mirrors at the diagonal, 30 choose an angle within +-45 degrees.
        let angle = self.next();
        let half_turn = simd.and(angle, simd.splat_u32(0x8000_0000));
        let radius = simd.with_bits(simd.xor(simd.to_bits(radius), half_turn));
        let mirror = simd.top_bit(simd.shift_left(angle, 1));
        let r = simd.mul(simd.convert_i32(simd.shift_left(angle, 2)), simd.splat(0.5 / (1u32 << 31) as f32));
        let (sine, cosine) = vector::sin_cos_of_quarter(simd, r);
        (simd.mul(radius, simd.select(mirror, sine, cosine)), simd.mul(radius, simd.select(mirror, cosine, sine)))
    }
}

/// Fills a panel with standard normal numbers (Box-Muller): `out[f * width + s]` for sample `first_sample + s`. Features
/// `2 k` and `2 k + 1` come from draws `2 k` and `2 k + 1` of the sample's generator. Every value is finite.
///
/// # Panics
///
/// If `width` is no multiple of [`LANE_GROUP`] or the panel is not made of whole rows.
pub fn normal(isa: Isa, key: StreamKey, first_sample: usize, out: &mut [f32], width: usize) {
    check(out, width);
    isa.run(Normal { key, first_sample, out, width });
}

fn check(out: &[f32], width: usize) {
    assert!(width > 0 && width.is_multiple_of(LANE_GROUP), "the width is a multiple of the lane group");
    assert!(out.len().is_multiple_of(width), "a panel is made of whole rows");
}

struct Normal<'a> {
    key: StreamKey,
    first_sample: usize,
    out: &'a mut [f32],
    width: usize,
}

impl Kernel for Normal<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for lane in (0..self.width).step_by(S::LANES) {
            let mut generators = Generators::new(simd, self.key, self.first_sample.wrapping_add(lane));
            let mut rows = ColumnMut::new(simd, self.out, self.width, lane);
            while let Some(even) = rows.next() {
                let (first, second) = generators.normal_pair();
                simd.store(first, even);
                let Some(odd) = rows.next() else { break };
                simd.store(second, odd);
            }
        }
    }
}

/// Adds `deviation` times the numbers of [`normal`] to the `lanes` of a panel: to `panel[f * width + lanes.start + s]` feature `f` of
/// sample `first_sample + s`. The other lanes stay as they are.
///
/// # Panics
///
/// If the panel is not made of whole rows of `width`, or the lanes are no whole lane groups of it.
pub fn add_normal(
    isa: Isa,
    key: StreamKey,
    deviation: f32,
    first_sample: usize,
    panel: &mut [f32],
    width: usize,
    lanes: Range<usize>,
) {
    check(panel, width);
    assert!(
        lanes.start.is_multiple_of(LANE_GROUP) && lanes.len().is_multiple_of(LANE_GROUP) && lanes.end <= width,
        "the lanes are whole groups of the width"
    );
    isa.run(AddNormal { key, deviation, first_sample, panel, width, lanes });
}

struct AddNormal<'a> {
    key: StreamKey,
    deviation: f32,
    first_sample: usize,
    panel: &'a mut [f32],
    width: usize,
    lanes: Range<usize>,
}

impl Kernel for AddNormal<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let deviation = simd.splat(self.deviation);
        for sample in (0..self.lanes.len()).step_by(S::LANES) {
            let mut generators = Generators::new(simd, self.key, self.first_sample.wrapping_add(sample));
            let mut rows = ColumnMut::new(simd, self.panel, self.width, self.lanes.start + sample);
            while let Some(even) = rows.next() {
                let (first, second) = generators.normal_pair();
                simd.store(simd.mul_add(first, deviation, simd.load(even)), even);
                let Some(odd) = rows.next() else { break };
                simd.store(simd.mul_add(second, deviation, simd.load(odd)), odd);
            }
        }
    }
}

/// Fills a panel with numbers uniform in `[low, high)`, from 24 random bits each; row `f` is draw `f` of the sample's
/// generator. `low <= high`, and their difference is finite; `low` everywhere if they are equal.
///
/// # Panics
///
/// If `width` is no multiple of [`LANE_GROUP`] or the panel is not made of whole rows.
pub fn uniform(isa: Isa, key: StreamKey, first_sample: usize, low: f32, high: f32, out: &mut [f32], width: usize) {
    check(out, width);
    isa.run(Uniform { key, first_sample, low, high, out, width });
}

struct Uniform<'a> {
    key: StreamKey,
    first_sample: usize,
    low: f32,
    high: f32,
    out: &'a mut [f32],
    width: usize,
}

impl Kernel for Uniform<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let low = simd.splat(self.low);
        let step = simd.splat((self.high - self.low) / (1 << 24) as f32);
        // Rounding may reach `high`, which does not belong to the interval.
        let last = simd.splat(self.high.next_down().max(self.low));
        for lane in (0..self.width).step_by(S::LANES) {
            let mut generators = Generators::new(simd, self.key, self.first_sample.wrapping_add(lane));
            for row in ColumnMut::new(simd, self.out, self.width, lane) {
                let draw = simd.convert_i32(simd.shift_right(generators.next(), 8));
                simd.store(simd.min(simd.mul_add(draw, step, low), last), row);
            }
        }
    }
}
