//! Forward and backward passes of one network over panels of samples: its operations in their order, over values on a tape.

use super::op::{self, Places, Pointwise, Updated, operation};
use super::panels::{Part, PassContext, PassPlan};
use super::parameters::ParameterLayout;
use super::spec::NetworkSpec;
use super::tape::{Tape, TapePlan, Value};
use crate::error::Result;
use crate::kernel::activation::Activation;
use crate::parallel::Complete;

/// A network whose parameters are fixed during a pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NetworkView<'a> {
    pub(crate) spec: &'a NetworkSpec,
    pub(crate) layout: &'a ParameterLayout,
    pub(crate) parameters: &'a [f32],
}

/// What a forward pass leaves on the tape.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    /// The network's input, then each operation's output.
    values: Vec<Value>,
    /// The layer of each operation.
    layers: Vec<usize>,
}

impl Trace {
    /// A network without operations: its input is its output.
    pub(crate) fn of_input(input: Value) -> Self {
        Self { values: vec![input], layers: Vec::new() }
    }

    /// The same pass as a backward pass is to see it that goes on through what made `input`, of which the pass took a changed copy.
    pub(crate) fn seen_from(&self, input: Value) -> Self {
        let mut trace = self.clone();
        trace.values[0] = input;
        trace
    }

    /// Plans a forward pass for at most `lanes` lanes.
    pub(crate) fn plan(tape: &mut TapePlan, spec: &NetworkSpec, input: Value, lanes: usize) -> Self {
        let mut trace = Self::of_input(input);
        let layout = ParameterLayout::new(spec);
        for index in 0..op::count(spec) {
            tape.uses(trace.output());
            trace.values.push(tape.make(operation(spec, &layout, index).outputs(), lanes));
            trace.layers.push(layout.operation(index).0);
            tape.advance();
        }
        trace
    }

    /// Says that the operation at hand may look at all of it.
    pub(crate) fn uses(&self, tape: &mut TapePlan) {
        self.values.iter().for_each(|value| tape.uses(*value));
    }

    /// The network's input.
    pub(crate) fn input(&self) -> Value {
        self.values[0]
    }

    /// The network's output.
    pub(crate) fn output(&self) -> Value {
        self.values[self.values.len() - 1]
    }

    /// What layer `layer` gives: the output of its last operation.
    pub(crate) fn of_layer(&self, layer: usize) -> Value {
        self.values[self.layers.partition_point(|of| *of <= layer)]
    }

    /// What operation `index` takes and gives.
    pub(crate) fn places(&self, index: usize) -> Places {
        Places { input: self.values[index], output: self.values[index + 1] }
    }

    /// Layers.
    pub(crate) fn layers(&self) -> usize {
        self.layers.last().map_or(0, |last| last + 1)
    }

    /// The first value that is not finite: 0 for the input, else one more than the number of the layer in which it came about.
    pub(crate) fn first_not_finite(&self, tape: &Tape, lanes: usize) -> Option<usize> {
        let first = self.values.iter().position(|value| !tape.is_finite(*value, lanes))?;
        Some(first.checked_sub(1).map_or(0, |operation| self.layers[operation] + 1))
    }
}

/// Computes all outputs from the network's input. `parts` empty: no dropout, as when samples are made for show.
pub(crate) fn forward(
    context: &PassContext<'_>,
    network: NetworkView<'_>,
    parts: &[Part<'_>],
    trace: &Trace,
    tape: &mut Tape,
) {
    let NetworkView { spec, layout, parameters } = network;
    for index in 0..op::count(spec) {
        operation(spec, layout, index).forward(context, parts, parameters, tape, trace.places(index));
    }
}

/// What the running statistics of a network follow, summed over the samples of a forward pass: to where the buffers stand in the `arena`,
/// or added to these with `accumulate`.
pub(crate) fn add_statistics(
    context: &PassContext<'_>,
    network: NetworkView<'_>,
    (trace, tape): (&Trace, &Tape),
    arena: &mut [f32],
    accumulate: bool,
) {
    let NetworkView { spec, layout, .. } = network;
    for index in 0..op::count(spec) {
        operation(spec, layout, index).add_statistics(context, tape, trace.places(index), arena, accumulate);
    }
}

/// Products that [`forward`] computes.
pub(crate) fn forward_products(plan: &PassPlan, spec: &NetworkSpec, panels: usize) -> u64 {
    let layout = ParameterLayout::new(spec);
    let products = |index| operation(spec, &layout, index).forward_products(plan, panels) as u64;
    (0..op::count(spec)).map(products).sum()
}

/// A network in a backward pass.
pub(crate) struct BackwardView<'a> {
    pub(crate) spec: &'a NetworkSpec,
    pub(crate) layout: &'a ParameterLayout,
    pub(crate) parameters: Parameters<'a>,
}

/// Its parameters.
pub(crate) enum Parameters<'a> {
    /// They are read.
    Fixed(&'a [f32]),
    /// They are updated as soon as their gradients are complete: the pass is the last that adds to them.
    Updated(Updated<'a>),
}

impl Parameters<'_> {
    /// Their values.
    pub(super) fn values(&self) -> &[f32] {
        match self {
            Self::Fixed(values) => values,
            Self::Updated(updated) => updated.arenas[0],
        }
    }
}

impl<'a> From<NetworkView<'a>> for BackwardView<'a> {
    fn from(NetworkView { spec, layout, parameters }: NetworkView<'a>) -> Self {
        Self { spec, layout, parameters: Parameters::Fixed(parameters) }
    }
}

/// What becomes of the gradient with respect to a network's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InputMode {
    /// It is not computed.
    Skip,
    /// It is left on the tape.
    Plain,
    /// It is left on the tape, multiplied by the derivative of the activation that made the input.
    Through(Activation),
}

/// What becomes of the gradients of a network's parameters.
pub(crate) enum ParameterGradients<'a> {
    /// They are not computed.
    Skip,
    /// They replace what stands in the arena.
    Overwrite(&'a mut [f32]),
    /// They are added to what stands there.
    Accumulate(&'a mut [f32]),
    /// Either of these, in a pass that is the last to add to them: what it has completed is given up layer by layer.
    Completed { arena: &'a mut [f32], accumulate: bool, complete: &'a mut Complete<'a> },
}

impl ParameterGradients<'_> {
    /// The arena, and whether gradients are added to what stands there; `None` where they are not computed.
    pub(super) fn arena(&mut self) -> Option<(&mut [f32], bool)> {
        match self {
            Self::Skip => None,
            Self::Overwrite(arena) => Some((arena, false)),
            Self::Accumulate(arena) => Some((arena, true)),
            Self::Completed { arena, accumulate, .. } => Some((arena, *accumulate)),
        }
    }

    /// Operation `index` has left its gradients, and all behind it have. A layer is complete with its first operation.
    pub(super) fn complete(&mut self, layout: &ParameterLayout, index: usize) {
        let Self::Completed { arena, complete, .. } = self else { return };
        let (layer, _) = layout.operation(index);
        let is_first = index.checked_sub(1).is_none_or(|below| layout.operation(below).0 < layer);
        if is_first {
            *arena = complete(layout.layer(layer).weight.start, std::mem::take(arena));
        }
    }
}

/// The gradients of a backward pass on the tape: with respect to each operation's pre-activations, from the last operation to the
/// first, then that with respect to the network's input, if it is computed.
#[derive(Clone, Debug)]
pub(crate) struct Deltas(Vec<Value>);

impl Deltas {
    /// Plans the backward pass of what `trace` recorded; `last` is the gradient with respect to the last operation's pre-activations.
    pub(crate) fn plan(
        tape: &mut TapePlan,
        spec: &NetworkSpec,
        trace: &Trace,
        last: Value,
        input_mode: InputMode,
        lanes: usize,
    ) -> Self {
        let mut deltas = Self(vec![last]);
        let layout = ParameterLayout::new(spec);
        for index in (0..op::count(spec)).rev() {
            let operation = operation(spec, &layout, index);
            tape.uses(deltas.first());
            operation.uses_backward(tape, trace.places(index));
            if index > 0 || input_mode != InputMode::Skip {
                deltas.0.push(tape.make(operation.inputs(), lanes));
            }
            tape.advance();
        }
        deltas
    }

    /// The last one computed: with respect to the network's input, if that is.
    pub(crate) fn first(&self) -> Value {
        self.0[self.0.len() - 1]
    }

    /// The gradient with respect to the pre-activations of the operation that comes `from_last` before the last.
    pub(super) fn delta(&self, from_last: usize) -> Value {
        self.0[from_last]
    }

    /// The same pass, begun from another gradient with respect to the last operation's pre-activations.
    pub(super) fn begun_from(&self, last: Value) -> Self {
        let mut deltas = self.clone();
        deltas.0[0] = last;
        deltas
    }
}

/// Propagates the gradient with respect to the last operation's pre-activations down to the first, leaves the gradients of the
/// parameters where `gradients` says, updates the parameters if they are to be, and leaves the gradient with respect to the input
/// as `input_mode` says.
pub(crate) fn backward(
    context: &PassContext<'_>,
    mut network: BackwardView<'_>,
    (trace, deltas): (&Trace, &Deltas),
    tape: &mut Tape,
    mut gradients: ParameterGradients<'_>,
    input_mode: InputMode,
) {
    let (spec, layout) = (network.spec, network.layout);
    for (from_last, index) in (0..op::count(spec)).rev().enumerate() {
        let (operation, delta, places) = (operation(spec, layout, index), deltas.delta(from_last), trace.places(index));
        if index > 0 || input_mode != InputMode::Skip {
            let below = match (index.checked_sub(1), input_mode) {
                (Some(below), _) => Some(self::operation(spec, layout, below).pointwise()),
                (None, InputMode::Through(activation)) => Some(Pointwise { activation, dropout: 0.0 }),
                (None, InputMode::Plain | InputMode::Skip) => None,
            };
            let gradients = [delta, deltas.delta(from_last + 1)];
            operation.input_gradient(context, network.parameters.values(), tape, places, below, gradients);
        }
        let Some(into) = gradients.arena() else { continue };
        let updated = match &mut network.parameters {
            Parameters::Fixed(_) => None,
            Parameters::Updated(updated) => Some(updated),
        };
        operation.parameter_gradient(context, tape, places, delta, into, updated);
        gradients.complete(layout, index);
    }
}

/// Products that [`backward`] computes; a weight gradient, which takes all panels at once, is one for each of them.
pub(crate) fn backward_products(
    plan: &PassPlan,
    spec: &NetworkSpec,
    panels: usize,
    weights: bool,
    input_mode: InputMode,
) -> u64 {
    let layout = ParameterLayout::new(spec);
    let products = |index| {
        let operation = operation(spec, &layout, index);
        let of_weights = if weights { operation.parameter_products(plan, panels) } else { 0 };
        let skipped = index == 0 && input_mode == InputMode::Skip;
        let of_input = if skipped { 0 } else { operation.input_products(plan, panels) };
        (of_weights + of_input) as u64
    };
    (0..op::count(spec)).map(products).sum()
}

/// A tape for forward passes of a network alone, as when samples are made for show.
pub(crate) struct Alone {
    pub(crate) trace: Trace,
    pub(crate) tape: Tape,
}

impl Alone {
    /// Room for `lanes` lanes.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfMemory`].
    pub(crate) fn new(spec: &NetworkSpec, lanes: usize) -> Result<Self> {
        let mut plan = TapePlan::default();
        let input = plan.make(spec.inputs(), lanes);
        plan.advance();
        let trace = Trace::plan(&mut plan, spec, input, lanes);
        // All of it may be looked at when the pass is over.
        trace.uses(&mut plan);
        Ok(Self { trace, tape: Tape::new(&plan.place())? })
    }
}

/// Where a forward pass of a network and any number of backward passes after it have their values: all of the forward pass is kept.
pub(crate) struct Recorded {
    pub(crate) trace: Trace,
    /// The gradient with respect to the last operation's pre-activations.
    pub(crate) seeds: Value,
    pub(crate) deltas: Deltas,
}

impl Recorded {
    /// Plans it for at most `lanes` lanes. What is planned next on the same tape takes its place.
    pub(crate) fn plan(tape: &mut TapePlan, spec: &NetworkSpec, lanes: usize) -> Self {
        let input = tape.make(spec.inputs(), lanes);
        tape.advance();
        let trace = Trace::plan(tape, spec, input, lanes);
        let seeds = tape.make(spec.outputs(), lanes);
        tape.advance();
        let deltas = Deltas::plan(tape, spec, &trace, seeds, InputMode::Plain, lanes);
        tape.uses(deltas.first());
        trace.uses(tape);
        tape.advance();
        Self { trace, seeds, deltas }
    }
}
