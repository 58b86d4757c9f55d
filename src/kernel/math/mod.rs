//! Elementary functions on slices: our own polynomials, with a stated and tested maximum error.
//!
//! The same bits on every instruction set whose multiply-add is fused. The functions on single vectors stand in
//! [`vector`].

pub mod vector;

#[cfg(test)]
mod tests;

use crate::simd::{Isa, Kernel, Simd};

/// The maximum error of a function in units in the last place of the true result, over its valid range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaxUlp {
    /// Where multiply-adds round once.
    pub fused: f64,
    /// Where they round twice: the portable vectors of targets without FMA.
    pub unfused: f64,
}

impl MaxUlp {
    /// The maximum error on `isa`.
    pub fn on(self, isa: Isa) -> f64 {
        if isa.fused() { self.fused } else { self.unfused }
    }
}

/// A function of one vector.
pub(crate) trait Map: Copy {
    /// Its value at each lane.
    fn apply<S: Simd>(self, simd: S, x: S::F32) -> S::F32;
}

/// Applies a [`Map`] to a slice; the tail passes through the same operations on a padded vector.
struct MapSlice<'a, M> {
    map: M,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl<M: Map> Kernel for MapSlice<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut inputs = self.input.chunks_exact(S::LANES);
        let mut outputs = self.output.chunks_exact_mut(S::LANES);
        for (input, output) in inputs.by_ref().zip(outputs.by_ref()) {
            simd.store(self.map.apply(simd, simd.load(input)), output);
        }
        let value = self.map.apply(simd, simd.load_partial(inputs.remainder()));
        simd.store_partial(value, outputs.into_remainder());
    }
}

macro_rules! function {
    ($(#[$documentation:meta])* $name:ident, $map:ident, $vector:path, $(#[$ulp_documentation:meta])* $ulp:ident = $fused:literal, $unfused:literal) => {
        $(#[$ulp_documentation])*
        pub const $ulp: MaxUlp = MaxUlp { fused: $fused, unfused: $unfused };

        $(#[$documentation])*
        ///
        /// # Panics
        ///
        /// If the slices differ in length.
        pub fn $name(isa: Isa, input: &[f32], output: &mut [f32]) {
            assert_eq!(input.len(), output.len(), "as many results as arguments");
            isa.run(MapSlice { map: $map, input, output });
        }

        #[derive(Clone, Copy)]
        struct $map;

        impl Map for $map {
            #[inline(always)]
            fn apply<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
                $vector(simd, x)
            }
        }
    };
}

function! {
    /// `output = e^input`; 0 and infinity where the true value is beyond the range of `f32`.
    exp, Exp, vector::exp,
    /// Maximum error of [`exp`], at every `f32`.
    EXP_MAX_ULP = 1.0, 1.5
}

function! {
    /// `output = ln(input)`; -inf at 0, NaN below.
    ln, Ln, vector::ln,
    /// Maximum error of [`ln`], at every `f32`.
    LN_MAX_ULP = 1.5, 2.0
}

function! {
    /// `output = tanh(input)`
    tanh, Tanh, vector::tanh,
    /// Maximum error of [`tanh`], at every `f32`.
    TANH_MAX_ULP = 2.0, 2.5
}

function! {
    /// `output = 1 / (1 + e^-input)`
    sigmoid, Sigmoid, vector::sigmoid,
    /// Maximum error of [`sigmoid`], at every `f32`.
    SIGMOID_MAX_ULP = 2.0, 2.5
}

/// Maximum error of each result of [`sin_cos_of_turns`] for arguments of magnitude at most [`TURNS_LIMIT`].
pub const SIN_COS_MAX_ULP: MaxUlp = MaxUlp { fused: 1.5, unfused: 2.0 };

/// The largest magnitude at which [`sin_cos_of_turns`] is valid: quarters of a turn must have exact `f32` integers.
pub const TURNS_LIMIT: f32 = (1 << 19) as f32;

/// `sine = sin(2 pi turns)` and `cosine = cos(2 pi turns)`.
///
/// # Panics
///
/// If the slices differ in length.
pub fn sin_cos_of_turns(isa: Isa, turns: &[f32], sine: &mut [f32], cosine: &mut [f32]) {
    assert!(turns.len() == sine.len() && turns.len() == cosine.len(), "as many results as arguments");
    isa.run(SinCosSlice { turns, sine, cosine });
}

struct SinCosSlice<'a> {
    turns: &'a [f32],
    sine: &'a mut [f32],
    cosine: &'a mut [f32],
}

impl Kernel for SinCosSlice<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut turns = self.turns.chunks_exact(S::LANES);
        let mut sines = self.sine.chunks_exact_mut(S::LANES);
        let mut cosines = self.cosine.chunks_exact_mut(S::LANES);
        for ((turns, sine_out), cosine_out) in turns.by_ref().zip(sines.by_ref()).zip(cosines.by_ref()) {
            let (sine, cosine) = vector::sin_cos_of_turns(simd, simd.load(turns));
            simd.store(sine, sine_out);
            simd.store(cosine, cosine_out);
        }
        let (sine, cosine) = vector::sin_cos_of_turns(simd, simd.load_partial(turns.remainder()));
        simd.store_partial(sine, sines.into_remainder());
        simd.store_partial(cosine, cosines.into_remainder());
    }
}
