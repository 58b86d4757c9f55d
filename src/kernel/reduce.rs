//! Sums in a fixed order, the same on every instruction set and at any number of threads.

use crate::simd::Isa;

/// `sums[r] (+)= sum of row r` for rows of `width` samples; overwrites, or adds if `accumulate`.
pub fn row_sums(_isa: Isa, _panel: &[f32], _width: usize, _sums: &mut [f32], _accumulate: bool) {
    todo!()
}

/// `to[i] += from[i]`
pub fn add_assign(_isa: Isa, _to: &mut [f32], _from: &[f32]) {
    todo!()
}
