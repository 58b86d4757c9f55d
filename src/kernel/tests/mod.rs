//! Tests of the kernels: each against f64, and what holds for all of them together.

#![expect(clippy::neg_cmp_op_on_partial_ord, reason = "written so that NaN fails")]

mod activation;
mod average;
mod batch_normalization;
mod distance;
mod layer_normalization;
mod loss;
mod noise;
mod optimizer;
mod panel;
mod penalty;
mod softmax;
mod spectral;
mod square_sum;
mod together;

use crate::simd::Isa;

/// A mixture of magnitudes and signs that repeats after a long while: test data without a generator.
fn values(count: usize, scale: f32) -> Vec<f32> {
    (0..count).map(|i| ((i * 2_654_435_761) % 100_003) as f32 / 50_001.5 * scale - scale).collect()
}

/// The bits, with all NaN made equal: which payload survives an operation is not defined.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() }).collect()
}

/// Whether `value` is within `relative` of `truth` (and both NaN or both the same infinity, if either is).
fn close(value: f32, truth: f64, relative: f64) -> bool {
    let value = f64::from(value);
    value == truth || value.is_nan() && truth.is_nan() || (value - truth).abs() <= relative * truth.abs() + 1e-44
}

/// Runs `check` on every instruction set and fails with all complaints together.
fn on_every_isa(check: impl Fn(Isa, &mut Vec<String>)) {
    let mut complaints = Vec::new();
    for isa in Isa::available() {
        let mut here = Vec::new();
        check(isa, &mut here);
        complaints.extend(here.into_iter().map(|complaint| format!("{}: {complaint}", isa.kind())));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
