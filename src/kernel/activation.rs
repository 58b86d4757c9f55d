//! Bias, activation and dropout on a panel, and their derivative, expressed by the output alone.
//!
//! The activation and the source of the keeps are chosen outside of the loops, which are compiled for each combination.

use super::dropout::{DROPOUT_FEATURES, Decide, Drawn, DropPattern, Dropout, Given, Keeps};
use super::math::vector;
use crate::simd::{ColumnMut, Isa, Kernel, LANE_GROUP, Simd};

/// An activation function. Each one's derivative follows from its output.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)
)]
#[non_exhaustive]
pub enum Activation {
    /// `y = x`
    Linear,
    /// `y = max(x, 0)`, NaN stays NaN.
    Relu,
    /// `y = x` for `x > 0`, else `slope * x`.
    LeakyRelu {
        /// The slope on the negative side, above 0.
        #[cfg_attr(feature = "serde", serde(default = "usual_slope"))]
        slope: f32,
    },
    /// `y = tanh(x)`
    Tanh,
    /// `y = 1 / (1 + exp(-x))`
    Sigmoid,
}

/// The slope of a configuration file that names none: that of all presets.
#[cfg(feature = "serde")]
fn usual_slope() -> f32 {
    0.2
}

/// An activation as the loops see it.
trait Function: Copy {
    /// Whether the derivative depends on the output's value, not on its sign alone.
    const NEEDS_VALUE: bool;

    /// The output.
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32;

    /// The derivative where the output is `y`; NaN where `y` is NaN.
    fn derivative<S: Simd>(self, simd: S, y: S::F32) -> S::F32;
}

#[derive(Clone, Copy)]
struct Linear;

impl Function for Linear {
    const NEEDS_VALUE: bool = false;

    #[inline(always)]
    fn value<S: Simd>(self, _simd: S, x: S::F32) -> S::F32 {
        x
    }

    #[inline(always)]
    fn derivative<S: Simd>(self, simd: S, y: S::F32) -> S::F32 {
        simd.select(simd.equal(y, y), simd.splat(1.0), y)
    }
}

#[derive(Clone, Copy)]
struct Relu;

impl Function for Relu {
    const NEEDS_VALUE: bool = false;

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        // In this order of the operands a NaN passes.
        simd.max(simd.splat(0.0), x)
    }

    #[inline(always)]
    fn derivative<S: Simd>(self, simd: S, y: S::F32) -> S::F32 {
        // An output that is not positive is a zero or NaN, and so is its own derivative.
        simd.select(simd.less(simd.splat(0.0), y), simd.splat(1.0), y)
    }
}

#[derive(Clone, Copy)]
struct LeakyRelu(f32);

impl Function for LeakyRelu {
    const NEEDS_VALUE: bool = false;

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        simd.select(simd.less(simd.splat(0.0), x), x, simd.mul(x, simd.splat(self.0)))
    }

    #[inline(always)]
    fn derivative<S: Simd>(self, simd: S, y: S::F32) -> S::F32 {
        let zero = simd.splat(0.0);
        let not_positive = simd.select(simd.less_equal(y, zero), simd.splat(self.0), y);
        simd.select(simd.less(zero, y), simd.splat(1.0), not_positive)
    }
}

#[derive(Clone, Copy)]
struct Tanh;

impl Function for Tanh {
    const NEEDS_VALUE: bool = true;

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        vector::tanh(simd, x)
    }

    #[inline(always)]
    fn derivative<S: Simd>(self, simd: S, y: S::F32) -> S::F32 {
        simd.neg_mul_add(y, y, simd.splat(1.0))
    }
}

#[derive(Clone, Copy)]
struct Sigmoid;

impl Function for Sigmoid {
    const NEEDS_VALUE: bool = true;

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        vector::sigmoid(simd, x)
    }

    #[inline(always)]
    fn derivative<S: Simd>(self, simd: S, y: S::F32) -> S::F32 {
        simd.neg_mul_add(y, y, y)
    }
}

/// Calls a generic function with the [`Function`] of an [`Activation`].
macro_rules! with_function {
    ($activation:expr, $function:ident => $call:expr) => {
        match $activation {
            Activation::Linear => {
                let $function = Linear;
                $call
            }
            Activation::Relu => {
                let $function = Relu;
                $call
            }
            Activation::LeakyRelu { slope } => {
                let $function = LeakyRelu(slope);
                $call
            }
            Activation::Tanh => {
                let $function = Tanh;
                $call
            }
            Activation::Sigmoid => {
                let $function = Sigmoid;
                $call
            }
        }
    };
}

/// Epilogue of the forward product, in place: `y = dropout(activation(y + bias))` for `bias.len()` rows of `width` samples.
///
/// A dropped element is stored as `-0.0` and a kept zero as `+0.0`, so that the output alone tells which elements were
/// dropped; without dropout (or with probability 0) no such mark is made. A dropped NaN or infinity becomes NaN (as
/// `NaN * 0` does).
///
/// # Panics
///
/// If the shapes do not fit, or the parts of `dropout` do not cover the width.
pub fn forward_epilogue(
    isa: Isa,
    activation: Activation,
    bias: &[f32],
    dropout: Option<&Dropout<'_>>,
    y: &mut [f32],
    width: usize,
) {
    assert!(width > 0 && width.is_multiple_of(LANE_GROUP), "the width is a multiple of the lane group");
    assert_eq!(bias.len() * width, y.len(), "one row for each bias");
    let Some(dropout) = dropout.filter(|dropout| dropout.probability != 0.0) else {
        return with_function!(activation, function => isa.run(Forward { function, bias, y, width }));
    };
    assert!(dropout.first_feature.is_multiple_of(DROPOUT_FEATURES), "dropout's streams begin with the rows");
    let mut covered = 0;
    for part in dropout.parts {
        let lanes = part.lanes.clone();
        assert!(
            lanes.start == covered && lanes.end >= covered && lanes.end.is_multiple_of(LANE_GROUP),
            "the parts of dropout stand side by side"
        );
        covered = lanes.end;
        let pattern = DropPattern::new(dropout.probability, dropout.first_feature, part);
        let y = &mut *y;
        match part.keeps {
            Keeps::Drawn(key) => with_function!(activation, function =>
                isa.run(ForwardDropout { function, bias, y, width, lanes, pattern, decide: Drawn(key) })),
            Keeps::Given { keeps, features } => with_function!(activation, function =>
                isa.run(ForwardDropout { function, bias, y, width, lanes, pattern, decide: Given { keeps, features } })),
        }
    }
    assert_eq!(covered, width, "the parts of dropout cover the width");
}

struct Forward<'a, F> {
    function: F,
    bias: &'a [f32],
    y: &'a mut [f32],
    width: usize,
}

impl<F: Function> Kernel for Forward<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for (row, &bias) in self.y.chunks_exact_mut(self.width).zip(self.bias) {
            let bias = simd.splat(bias);
            for lanes in row.chunks_exact_mut(S::LANES) {
                let value = self.function.value(simd, simd.add(simd.load(lanes), bias));
                simd.store(value, lanes);
            }
        }
    }
}

struct ForwardDropout<'a, F, D> {
    function: F,
    bias: &'a [f32],
    y: &'a mut [f32],
    width: usize,
    lanes: std::ops::Range<usize>,
    pattern: DropPattern,
    decide: D,
}

impl<F: Function, D: Decide> Kernel for ForwardDropout<'_, F, D> {
    type Output = ();

    // A block of features at a time: for each vector of lanes, march down the features with the generators in registers.
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let scale = self.pattern.scale();
        let blocks = self.y.chunks_mut(DROPOUT_FEATURES * self.width).zip(self.bias.chunks(DROPOUT_FEATURES));
        for (block, (rows, biases)) in blocks.enumerate() {
            for lane in self.lanes.clone().step_by(S::LANES) {
                let mut decisions = self.decide.begin(simd, &self.pattern, block, lane);
                let mut rows = ColumnMut::new(simd, rows, self.width, lane).zip(biases);
                while let Some((row, &bias)) = rows.next() {
                    let (first, second) = self.decide.dropped(simd, &mut decisions);
                    let x = simd.add(simd.load(row), simd.splat(bias));
                    simd.store(drop_or_scale(simd, self.function.value(simd, x), scale, first), row);
                    let Some((row, &bias)) = rows.next() else { break };
                    let x = simd.add(simd.load(row), simd.splat(bias));
                    simd.store(drop_or_scale(simd, self.function.value(simd, x), scale, second), row);
                }
            }
        }
    }
}

/// `value * scale`, never `-0`, where kept; `-0` (or NaN, if it is not finite) where dropped.
#[inline(always)]
fn drop_or_scale<S: Simd>(simd: S, value: S::F32, scale: f32, dropped: S::Mask) -> S::F32 {
    let (zero, mark) = (simd.splat(0.0), simd.splat_u32((-0.0f32).to_bits()));
    // Adding +0 turns a kept -0 into +0; the scale is at least 1, so that nothing else becomes a zero.
    let kept = simd.mul_add(value, simd.splat(scale), zero);
    let gone = simd.with_bits(simd.or(simd.to_bits(simd.mul(value, zero)), mark));
    simd.select(dropped, gone, kept)
}

/// Epilogue of the input gradient, in place: `delta *= activation'(x) * (kept ? 1 / (1 - probability) : 0)`, where `output`
/// is what [`forward_epilogue`] left (after dropout with `probability`; 0 where the layer has none). NaN in either passes.
///
/// # Panics
///
/// If the slices differ in length.
pub fn backward_epilogue(isa: Isa, activation: Activation, probability: f32, output: &[f32], delta: &mut [f32]) {
    assert_eq!(output.len(), delta.len(), "as many outputs as gradients");
    if probability == 0.0 {
        with_function!(activation, function => isa.run(Backward { factor: Plain(function), output, delta }));
    } else {
        with_function!(activation, function =>
            isa.run(Backward { factor: WithDropout { function, probability }, output, delta }));
    }
}

/// What the gradient is multiplied by, as a function of the output.
trait Factor {
    fn factor<S: Simd>(&self, simd: S, output: S::F32) -> S::F32;
}

struct Plain<F>(F);

impl<F: Function> Factor for Plain<F> {
    #[inline(always)]
    fn factor<S: Simd>(&self, simd: S, output: S::F32) -> S::F32 {
        self.0.derivative(simd, output)
    }
}

struct WithDropout<F> {
    function: F,
    probability: f32,
}

impl<F: Function> Factor for WithDropout<F> {
    #[inline(always)]
    fn factor<S: Simd>(&self, simd: S, output: S::F32) -> S::F32 {
        let keep = 1.0 - self.probability;
        let y = if F::NEEDS_VALUE { simd.mul(output, simd.splat(keep)) } else { output };
        let factor = simd.mul(self.function.derivative(simd, y), simd.splat(1.0 / keep));
        let dropped = simd.equal_u32(simd.to_bits(output), simd.splat_u32((-0.0f32).to_bits()));
        simd.select(dropped, simd.splat(0.0), factor)
    }
}

struct Backward<'a, G> {
    factor: G,
    output: &'a [f32],
    delta: &'a mut [f32],
}

impl<G: Factor> Kernel for Backward<'_, G> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut outputs = self.output.chunks_exact(S::LANES);
        let mut deltas = self.delta.chunks_exact_mut(S::LANES);
        for (output, delta) in outputs.by_ref().zip(deltas.by_ref()) {
            let factor = self.factor.factor(simd, simd.load(output));
            simd.store(simd.mul(simd.load(delta), factor), delta);
        }
        let (output, delta) = (outputs.remainder(), deltas.into_remainder());
        let factor = self.factor.factor(simd, simd.load_partial(output));
        simd.store_partial(simd.mul(simd.load_partial(delta), factor), delta);
    }
}
