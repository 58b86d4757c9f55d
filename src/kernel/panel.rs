//! Between row-major samples and panels.

use crate::simd::Isa;

/// Gathers rows of a row-major `[.., features]` matrix into the lanes of a panel: lane `s` gets row `rows[s]`; the lanes from
/// `rows.len()` to `width` become 0.
pub fn gather_rows(_isa: Isa, _data: &[f32], _features: usize, _rows: &[u32], _panel: &mut [f32], _width: usize) {
    todo!()
}

/// The same from bytes, scaled in the same pass: `byte * scale + offset`.
#[allow(clippy::too_many_arguments)]
pub fn gather_bytes(
    _isa: Isa,
    _data: &[u8],
    _features: usize,
    _rows: &[u32],
    _scale: f32,
    _offset: f32,
    _panel: &mut [f32],
    _width: usize,
) {
    todo!()
}

/// Writes the first `samples` lanes of a panel as rows of a row-major `[samples, features]` matrix.
pub fn scatter_rows(_isa: Isa, _panel: &[f32], _width: usize, _samples: usize, _rows: &mut [f32]) {
    todo!()
}
