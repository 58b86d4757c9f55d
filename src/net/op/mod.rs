//! The operations that a network is made of: one file for each, and one line of the table below.
//!
//! An operation has six passes, all over panels of samples, and statistics of the first:
//!
//! ```text
//! forward              its output from its input
//! tangent              how its output moves when its input moves along a given direction, by the output of the forward pass
//! input gradient       the gradient with respect to its input from its delta
//! parameter gradient   that with respect to its parameters, with the update where it is the last to add to them
//! tangent gradient     the same of a loss and of what a tangent adds to it, in a double backward pass
//! curvature            what the second derivative adds to the gradient with respect to its input, in a double backward pass
//! ```
//!
//! An operation's *delta* is the gradient with respect to what it computes before its [`Pointwise`] end: whoever computes a gradient
//! with respect to its output takes it through that at once. Values stand on a tape, and each operation says which of them its
//! backward passes read. It also says how many products each pass takes, so that whoever compiles passes can count them.

mod dense;
mod normalized;
mod softmax;

use super::kind::Kind;
use super::panels::{Part, PassContext, PassPlan};
use super::parameters::ParameterLayout;
use super::spec::NetworkSpec;
use super::tape::{Tape, TapePlan, Value};
use crate::kernel::activation::Activation;
use crate::kernel::optimizer::{Arenas, Update};
use dense::Dense;
use normalized::{Normalized, Over};
use softmax::Softmax;

/// What an operation applies to each value that it computes, last of all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pointwise {
    pub(crate) activation: Activation,
    /// The probability of dropping a value.
    pub(crate) dropout: f32,
}

/// Where an operation's values of a forward pass stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    pub(crate) input: Value,
    pub(crate) output: Value,
}

/// Where what [`Operation::tangent_gradient`] reads stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TangentPlaces {
    pub(crate) delta: Value,
    pub(crate) input: Value,
    pub(crate) tangent: Value,
    /// The last row of this value has the samples' factors; without it all are 0.
    pub(crate) factors: Option<Value>,
}

/// Where what [`Operation::curvature`] reads and writes stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CurvedPlaces {
    pub(crate) input: Value,
    pub(crate) delta: Value,
    pub(crate) tangent: Value,
    /// The gradient with respect to the input.
    pub(crate) gradient: Value,
}

/// Parameters in a backward pass that updates them, and what they are updated with.
pub(crate) struct Updated<'a> {
    pub(crate) update: Update,
    pub(crate) arenas: Arenas<'a>,
    /// Set to false where a gradient, a state or a parameter is not finite.
    pub(crate) finite: &'a mut bool,
}

/// An operation of a network. Parameters, gradients and states are whole arenas, in which it knows its place.
pub(crate) trait Operation {
    /// Features of its input.
    fn inputs(&self) -> usize;

    /// Features of its output.
    fn outputs(&self) -> usize;

    /// What it applies last of all.
    fn pointwise(&self) -> Pointwise;

    /// Whether it is no linear function of its input, its [`Pointwise`] end apart. What is below such an operation ends in no activation.
    fn is_curved(&self) -> bool {
        false
    }

    /// Says which values its backward passes read, beside the gradients.
    fn uses_backward(&self, tape: &mut TapePlan, places: Places);

    /// Its output from its input. `parts` empty: no dropout, as when samples are made for show.
    fn forward(
        &self,
        context: &PassContext<'_>,
        parts: &[Part<'_>],
        parameters: &[f32],
        tape: &mut Tape,
        places: Places,
    );

    /// How its output moves when its input moves along the first of the `tangents`, by its input and its output of a forward pass: the
    /// second of them, with the elements dropped that were dropped then.
    fn tangent(
        &self,
        context: &PassContext<'_>,
        parameters: &[f32],
        tape: &mut Tape,
        places: Places,
        tangents: [Value; 2],
    );

    /// The gradient with respect to its input, through what `below` says that the input came through last, from its delta: the first
    /// of the `gradients` is the delta, the second becomes that gradient.
    fn input_gradient(
        &self,
        context: &PassContext<'_>,
        parameters: &[f32],
        tape: &mut Tape,
        places: Places,
        below: Option<Pointwise>,
        gradients: [Value; 2],
    );

    /// The gradients of its parameters, into their place in the arena or, with `accumulate`, added to it; and the update of the
    /// parameters in the same phase, if they are to be `updated`. Nothing for an operation without parameters.
    fn parameter_gradient(
        &self,
        _context: &PassContext<'_>,
        _tape: &mut Tape,
        _places: Places,
        _delta: Value,
        _into: (&mut [f32], bool),
        _updated: Option<&mut Updated<'_>>,
    ) {
    }

    /// The sums of a forward pass that running statistics follow, to where the buffers stand in the `arena`, or added to these with
    /// `accumulate`. Nothing for an operation that keeps none.
    fn add_statistics(
        &self,
        _context: &PassContext<'_>,
        _tape: &Tape,
        _places: Places,
        _arena: &mut [f32],
        _accumulate: bool,
    ) {
    }

    /// The gradients of its parameters in a double backward pass, from its delta `g`, its input `x` and the tangent `t` of that: the sum
    /// over the samples of `g (c x + t)` for the weights and of `c g` for the biases, where `c` is the factor of a sample. What the
    /// tangent was is lost. Nothing for an operation without parameters.
    fn tangent_gradient(
        &self,
        _context: &PassContext<'_>,
        _tape: &mut Tape,
        _places: TangentPlaces,
        _into: (&mut [f32], bool),
        _updated: Option<&mut Updated<'_>>,
    ) {
    }

    /// What a [curved](Self::is_curved) operation adds in a double backward pass to the gradient with respect to its input: how the product
    /// of its delta and the tangent of what it computes before its pointwise end moves with the input. It overwrites, or adds with
    /// `accumulate`.
    fn curvature(&self, _context: &PassContext<'_>, _tape: &mut Tape, _places: CurvedPlaces, _accumulate: bool) {}

    /// Products of [`Self::forward`]; 0 for an operation that is none.
    fn forward_products(&self, _plan: &PassPlan, _panels: usize) -> usize {
        0
    }

    /// Products of [`Self::input_gradient`].
    fn input_products(&self, _plan: &PassPlan, _panels: usize) -> usize {
        0
    }

    /// Products of [`Self::parameter_gradient`], and of [`Self::tangent_gradient`]; one that takes all panels at once is one for each of them.
    fn parameter_products(&self, _plan: &PassPlan, _panels: usize) -> usize {
        0
    }
}

/// The table of operations.
macro_rules! operations {
    ($($kind:ident,)*) => {
        /// An operation of any kind.
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum AnyOperation<'a> {
            $($kind($kind<'a>),)*
        }

        impl<'a> std::ops::Deref for AnyOperation<'a> {
            type Target = dyn Operation + 'a;

            fn deref(&self) -> &Self::Target {
                match self {
                    $(Self::$kind(operation) => operation,)*
                }
            }
        }
    };
}

operations! {
    Dense,
    Normalized,
    Softmax,
}

/// The number of operations of a network.
pub(crate) fn count(spec: &NetworkSpec) -> usize {
    spec.layers.iter().map(|layer| layer.operations().len()).sum()
}

/// Operation `index` of a network whose parameters stand as in `layout`.
pub(crate) fn operation<'a>(spec: &'a NetworkSpec, layout: &'a ParameterLayout, index: usize) -> AnyOperation<'a> {
    let (layer, kind) = layout.operation(index);
    let (spec, place) = (&spec.layers[layer], layout.layer(layer));
    match kind {
        Kind::Dense => AnyOperation::Dense(Dense { layer, spec, place }),
        Kind::LayerNorm => AnyOperation::Normalized(Normalized { layer, spec, place, over: Over::Features }),
        Kind::Softmax => AnyOperation::Softmax(Softmax { layer, spec }),
        Kind::BatchNorm => AnyOperation::Normalized(Normalized { layer, spec, place, over: Over::Samples }),
    }
}
