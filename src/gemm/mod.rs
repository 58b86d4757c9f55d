//! The seam: the two products that all passes of a dense layer are made of, and the engines that compute them.
//!
//! All operands are panels (see [`crate::kernel`]): a sample is a lane. With W the weights `[outputs, inputs]`, X the inputs
//! and dY the gradient with respect to the layer's pre-activations:
//!
//! ```text
//! panel product   C = epilogue(A B)     forward          Y  = dropout(activation(W X + b))
//!                                       input gradient   dX = (W^T dY) * derivative of what made X
//!                                       tangent          Y' = (W X') * derivative of what made Y
//! outer product   dW (+)= dY X^T        weight gradient, and with it, if asked for, db (+)= sum of dY over the samples
//! ```
//!
//! A is the weights or their transpose. An outer product that completes a gradient may take an update of the weights by it along: a
//! rule of [`crate::kernel::optimizer`], none of which is known here.
//!
//! Each product works on a *row block* of its result, so that several workers can share one product. Every product checks the
//! shapes of its operands once, and panics where they do not fit.

mod auto;
mod matrixmultiply;
mod native;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::kernel::activation::{Activation, backward_epilogue, forward_epilogue};
use crate::kernel::dropout::Dropout;
use crate::kernel::optimizer::{States, Update};
use crate::simd::{Isa, LANE_GROUP};

/// Which engine computes the products of the dense layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum EngineKind {
    /// For each product the engine that was measured faster on the run's instruction set: the native one for all of them where
    /// multiply-adds are fused (AVX2, AVX-512), elsewhere `matrixmultiply` for those that are large enough.
    #[default]
    Auto,
    /// Gannet's own micro-kernels, in the instruction set of the run. Allocates nothing; the same bits on every instruction
    /// set that has a fused multiply-add.
    Native,
    /// `matrixmultiply::sgemm` on a block of samples, then the epilogue on the block while it is in cache. The reference:
    /// it chooses its own instruction set and allocates once a call.
    Matrixmultiply,
}

impl EngineKind {
    /// The engines themselves, between which [`Auto`](Self::Auto) chooses.
    pub const ALL: [Self; 2] = [Self::Native, Self::Matrixmultiply];

    /// The engine itself.
    #[doc(hidden)]
    pub fn engine(self) -> &'static dyn Engine {
        match self {
            Self::Auto => &auto::Auto,
            Self::Matrixmultiply => &matrixmultiply::Matrixmultiply,
            Self::Native => &native::Native { caches: None },
        }
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Matrixmultiply => "matrixmultiply",
            Self::Native => "native",
        })
    }
}

impl FromStr for EngineKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = || [Self::Auto].into_iter().chain(Self::ALL);
        known().find(|kind| kind.to_string() == name).ok_or_else(|| {
            let known: Vec<String> = known().map(|kind| kind.to_string()).collect();
            Error::setting("engine", format!("`{name}` is unknown; use {}", known.join(" or ")))
        })
    }
}

/// `output = epilogue(A * input)` for a block of rows of A, which is the weights of a layer or their transpose.
#[derive(Debug)]
pub struct PanelProduct<'a> {
    /// `[outputs, inputs]`; rows begin [`stride`](Self::stride) values apart.
    pub weights: &'a [f32],
    /// From one row of the weights to the next.
    pub stride: usize,
    /// Whether A is the transpose of the weights.
    pub transposed: bool,
    /// The rows of A that make the block: outputs of the layer, or inputs of it if [`transposed`](Self::transposed).
    pub rows: Range<usize>,
    /// Columns of A, which are the terms of each sum.
    pub terms: usize,
    /// `[terms, width]`
    pub input: &'a [f32],
    /// `[rows, width]`, overwritten.
    pub output: &'a mut [f32],
    /// Samples side by side.
    pub width: usize,
    /// What becomes of the sums.
    pub epilogue: Epilogue<'a>,
}

/// What becomes of the sums of a [`PanelProduct`].
#[derive(Debug)]
pub enum Epilogue<'a> {
    /// They are left as they are.
    None,
    /// `dropout(activation(sum + bias))`
    Activation {
        /// `[rows]`
        bias: &'a [f32],
        /// The layer's activation.
        activation: Activation,
        /// The layer's dropout, if it is on.
        dropout: Option<Dropout<'a>>,
    },
    /// `sum * derivative`
    Derivative(Derivative<'a>),
}

impl Epilogue<'_> {
    /// Whether it is one for `rows` rows of `width` lanes.
    #[inline]
    fn fits(&self, rows: usize, width: usize) -> bool {
        match self {
            Self::None => true,
            Self::Activation { bias, .. } => bias.len() == rows,
            Self::Derivative(layer) => are_rows(layer.values.len(), rows, width),
        }
    }

    /// Turns sums that stand in memory into the result.
    fn apply(&self, isa: Isa, output: &mut [f32], width: usize) {
        match self {
            Self::None => {}
            Self::Activation { bias, activation, dropout } => {
                forward_epilogue(isa, *activation, bias, dropout.as_ref(), output, width);
            }
            Self::Derivative(layer) => backward_epilogue(isa, layer.activation, layer.dropout, layer.values, output),
        }
    }
}

/// Whether a matrix of `rows` by `columns`, whose rows begin `stride` values apart, lies within `len` values. Nothing overflows:
/// what saturates is beyond any slice.
fn lies_within(rows: usize, columns: usize, stride: usize, len: usize) -> bool {
    rows.saturating_sub(1).saturating_mul(stride).saturating_add(columns) <= len
}

/// Whether `len` values are `rows` rows of `width`.
fn are_rows(len: usize, rows: usize, width: usize) -> bool {
    rows.checked_mul(width) == Some(len)
}

impl PanelProduct<'_> {
    /// Checks that the operands fit each other; returns the rows of the block. `unsafe` code of the engines trusts this check.
    ///
    /// # Panics
    ///
    /// If they do not fit, or there is no term.
    #[inline]
    fn check(&self) -> usize {
        let (rows, terms, width) = (self.rows.len(), self.terms, self.width);
        assert!(width > 0 && width.is_multiple_of(LANE_GROUP), "panels of whole lane groups");
        assert!(
            are_rows(self.output.len(), rows, width) && are_rows(self.input.len(), terms, width),
            "panels of whole rows"
        );
        let [outputs, inputs] = if self.transposed { [terms, self.rows.end] } else { [self.rows.end, terms] };
        assert!(terms > 0 && inputs <= self.stride, "the block lies within the rows of the weights");
        let whole = lies_within(outputs, inputs, self.stride, self.weights.len());
        assert!(rows == 0 || whole, "the weights hold all rows");
        assert!(self.epilogue.fits(rows, width), "the epilogue is one for the block");
        rows
    }
}

impl OuterProduct<'_> {
    /// Rows of the block of operands that fit each other.
    ///
    /// # Panics
    ///
    /// If they do not fit, or there is no panel or no input.
    fn check(&self) -> usize {
        let Lanes { panels, width, parts, .. } = self.lanes;
        let rows = self.rows.len();
        assert!(panels > 0 && parts > 0 && width > 0, "panels with lanes");
        assert!(width.is_multiple_of(parts.saturating_mul(LANE_GROUP)), "parts of whole lane groups");
        assert!(self.rows.end <= self.outputs, "the block lies within the layer");
        let of_biases = self.bias_gradient.as_ref().map_or(rows, |biases| biases.len());
        assert!(of_biases == rows, "the gradient of the biases is one for the block");
        let lanes = panels.saturating_mul(width);
        assert!(lanes.saturating_mul(self.outputs) <= self.delta.len(), "delta holds all panels");
        assert!(lanes.saturating_mul(self.inputs) <= self.input.len(), "the input holds all panels");
        assert!(0 < self.inputs && self.inputs <= self.stride, "a row of the gradient is as long as the input");
        let gradient = self.gradient.len();
        assert!(rows == 0 || lies_within(rows, self.inputs, self.stride, gradient), "the gradient holds all rows");
        rows
    }

    /// The part of the first `rows` rows, and that of the others.
    ///
    /// # Panics
    ///
    /// If there are fewer rows.
    fn split_at(self, rows: usize) -> (Self, Self) {
        let middle = self.rows.start + rows;
        let (gradient, other_gradient) = self.gradient.split_at_mut(rows * self.stride);
        let (bias_gradient, other_biases) = self.bias_gradient.map(|biases| biases.split_at_mut(rows)).unzip();
        let (update, other_update) = self.update.map(|update| update.split_at(rows * self.stride)).unzip();
        let others = middle..self.rows.end;
        (
            Self { rows: self.rows.start..middle, gradient, bias_gradient, update, ..self },
            Self { rows: others, gradient: other_gradient, bias_gradient: other_biases, update: other_update, ..self },
        )
    }
}

/// The derivative of what a layer does to its sums, as its outputs show it: in an input gradient of the layer below, in a tangent of the
/// layer itself.
#[derive(Clone, Copy, Debug)]
pub struct Derivative<'a> {
    /// Its activation.
    pub activation: Activation,
    /// Its probability of dropping, below 1.
    pub dropout: f32,
    /// Its outputs after dropout, the rows of the block: `[rows, width]`.
    pub values: &'a [f32],
}

/// `gradient (+)= delta * input^T` and, where it is asked for, `bias_gradient (+)= row sums of delta` for a block of output features,
/// summed over all samples of several panels.
#[derive(Debug)]
pub struct OuterProduct<'a> {
    /// `[panel][outputs][width]`: the gradient with respect to the pre-activations.
    pub delta: &'a [f32],
    /// `[panel][inputs][width]`
    pub input: &'a [f32],
    /// The output features that make the block.
    pub rows: Range<usize>,
    /// `[rows, inputs]`; rows begin [`stride`](Self::stride) values apart.
    pub gradient: &'a mut [f32],
    /// From one row of the gradient to the next.
    pub stride: usize,
    /// `[rows]`; `None` where the biases have no part in what is differentiated.
    pub bias_gradient: Option<&'a mut [f32]>,
    /// Output features of the whole layer, of which the block's rows are a part: an engine may choose its order of summation
    /// by the layer, never by the block, whose size depends on the number of threads.
    pub outputs: usize,
    /// Input features.
    pub inputs: usize,
    /// Which lanes hold samples; in the others `delta` is zero and `input` finite, so that it does not matter whether an engine
    /// leaves them out.
    pub lanes: Lanes,
    /// Whether the gradients are added to what is there.
    pub accumulate: bool,
    /// What the weights, not the biases, are updated by the finished gradient with: the same bits as one after the other, whoever
    /// fuses them.
    pub update: Option<WeightUpdate<'a>>,
}

/// An optimizer's update of a block of weights by the gradient that an [`OuterProduct`] computes.
#[derive(Debug)]
pub struct WeightUpdate<'a> {
    /// The update.
    pub update: Update,
    /// As long as the gradient, and laid out like it.
    pub parameters: &'a mut [f32],
    /// The same for each state.
    pub states: States<'a>,
}

impl WeightUpdate<'_> {
    /// The update of the first `values` values, and that of the others.
    fn split_at(self, values: usize) -> (Self, Self) {
        let Self { update, parameters, states } = self;
        let (parameters, other_parameters) = parameters.split_at_mut(values);
        let (mut first, mut others) = (States::default(), States::default());
        for ((state, first), other) in states.into_iter().zip(&mut first).zip(&mut others) {
            // Those that the rule does not have are empty.
            let values = values.min(state.len());
            (*first, *other) = state.split_at_mut(values);
        }
        (Self { update, parameters, states: first }, Self { update, parameters: other_parameters, states: others })
    }

    /// The update by a finished gradient, whatever stands between its rows included. Returns whether all is finite.
    ///
    /// # Panics
    ///
    /// If the slices differ in length.
    fn apply(mut self, isa: Isa, gradient: &[f32]) -> bool {
        self.update.apply(isa, self.parameters, gradient, &mut self.states)
    }
}

/// Which lanes of some panels hold samples: each panel is made of `parts` of equal width, and the first part of the first panel
/// holds the samples from 0 on, that of the second panel those that follow, and so does each other part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lanes {
    /// Panels.
    pub panels: usize,
    /// Samples side by side in each, all parts together.
    pub width: usize,
    /// Parts of a panel.
    pub parts: usize,
    /// Samples of each part, over all panels.
    pub samples: usize,
}

impl Lanes {
    /// One panel of `width` samples.
    pub fn full(width: usize) -> Self {
        Self { panels: 1, width, parts: 1, samples: width }
    }

    /// The ranges of lanes that hold samples, each with its panel: all lanes of a panel that is full as one range, else a range
    /// for each part.
    fn occupied(self) -> impl Iterator<Item = (usize, Range<usize>)> {
        let part = self.width / self.parts;
        (0..self.panels).flat_map(move |panel| {
            let valid = self.samples.saturating_sub(panel * part).min(part);
            let (ranges, width, len) =
                if valid == part { (1, self.width, self.width) } else { (self.parts, part, valid) };
            (0..ranges).map(move |range| (panel, range * width..range * width + len))
        })
    }
}

/// An engine: both products. They panic where operands do not fit each other.
pub trait Engine: Sync {
    /// See [`PanelProduct`].
    fn panel_product(&self, isa: Isa, product: PanelProduct<'_>);
    /// See [`OuterProduct`]. Returns whether all gradients of the weights, new states and new weights are finite; true where nothing is
    /// updated.
    fn outer_product(&self, isa: Isa, product: OuterProduct<'_>) -> bool;
}

#[cfg(test)]
mod tests;
