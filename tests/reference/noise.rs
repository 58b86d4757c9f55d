//! What is drawn, from the scalar generator (Blackman and Vigna 2021, xoshiro128++, as `rand_xoshiro` has it).

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;

/// The generator with a sample's state.
pub(crate) fn generator(state: [u32; 4]) -> Xoshiro128PlusPlus {
    let mut seed = [0; 16];
    for (bytes, word) in seed.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    Xoshiro128PlusPlus::from_seed(seed)
}

/// Two standard normal numbers of two draws: Box and Muller 1958 with the mapping that `kernel::noise` documents.
pub(crate) fn box_muller(first: u32, second: u32) -> [f64; 2] {
    let uniform = f64::from((first >> 1 | 1) as f32) / 2f64.powi(31);
    let radius = (-2.0 * uniform.ln()).sqrt() * if second >> 31 == 1 { -1.0 } else { 1.0 };
    let angle = f64::from((second << 2).cast_signed()) / 2f64.powi(32) * std::f64::consts::FRAC_PI_2;
    let (sine, cosine) = angle.sin_cos();
    if second >> 30 & 1 == 1 { [radius * sine, radius * cosine] } else { [radius * cosine, radius * sine] }
}

/// A number in `low .. high` of one draw: its upper 24 bits.
pub(crate) fn uniform(draw: u32, low: f64, high: f64) -> f64 {
    f64::from(draw >> 8) / f64::from(1 << 24) * (high - low) + low
}

/// Whether dropout keeps the feature at place `within` of its block, whose stream begins with `state`: the 16-bit halves of the
/// draws, the lower one first, against the probability.
pub(crate) fn keeps(state: [u32; 4], within: usize, probability: f32) -> bool {
    let mut generator = generator(state);
    let draw = (0..=within / 2).map(|_| generator.next_u32()).last().unwrap();
    let half = if within.is_multiple_of(2) { draw & 0xffff } else { draw >> 16 };
    f64::from(half) >= (f64::from(probability) * 65536.0).round()
}
