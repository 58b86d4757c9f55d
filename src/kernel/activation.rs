//! Bias, activation and dropout on a panel, and their derivative, expressed by the output alone.

use super::dropout::Dropout;
use crate::simd::Isa;

/// An activation function. Each one's derivative follows from its output.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "cli",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)
)]
pub enum Activation {
    /// `y = x`
    Linear,
    /// `y = max(x, 0)`, NaN stays NaN.
    Relu,
    /// `y = x` for `x > 0`, else `slope * x`.
    LeakyRelu {
        /// The slope on the negative side, above 0.
        slope: f32,
    },
    /// `y = tanh(x)`
    Tanh,
    /// `y = 1 / (1 + exp(-x))`
    Sigmoid,
}

/// Epilogue of the forward product, in place: `y = dropout(activation(y + bias))` for `bias.len()` rows of `width` samples.
///
/// A dropped element is stored as `-0.0` and a kept zero as `+0.0`, so that the output alone tells which elements were
/// dropped; without dropout no such mark is made. A dropped NaN or infinity becomes NaN (as `NaN * 0` does).
pub fn forward_epilogue(
    _isa: Isa,
    _activation: Activation,
    _bias: &[f32],
    _dropout: Option<&Dropout<'_>>,
    _y: &mut [f32],
    _width: usize,
) {
    todo!()
}

/// Epilogue of the input gradient, in place: `delta *= activation'(x) * (kept ? 1 / (1 - probability) : 0)`, where `output`
/// is what [`forward_epilogue`] left (after dropout with `probability`; 0 where the layer has none). NaN in either passes.
pub fn backward_epilogue(_isa: Isa, _activation: Activation, _probability: f32, _output: &[f32], _delta: &mut [f32]) {
    todo!()
}
