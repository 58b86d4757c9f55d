//! The double backward pass of a discriminator: the gradients of a loss and of a penalty on its gradient with respect to its input, in
//! one go.
//!
//! The penalty is a function of `u`, the gradient of the margin (the one logit, or the difference of two) with respect to a sample. Its
//! gradient with respect to the parameters is that of the tangent of the margin along a direction `v`, which is `u` times a number that
//! is held fixed. `docs/penalties.md` derives the passes:
//!
//! ```text
//! probe    back from the margin to the input: deltas g of every operation, and u
//!          (the caller turns u into v)
//! learn    the tangents t along v; then from the last operation to the first the gradients of the parameters:
//!          g (c x + t) for the weights, c g for the biases, with x the input and c the loss's derivative at the sample's margin;
//!          where an activation is curved, its second derivative adds a gradient e that goes down like any other
//! ```
//!
//! The deltas of the loss itself are those of the probe times `c`, so that one backward pass and one product of each operation serve the
//! loss and the penalty.

use super::kind::Kind;
use super::op::{self, CurvedPlaces, Places, TangentPlaces, operation};
use super::panels::PassContext;
use super::parameters::ParameterLayout;
use super::pass::{
    self, BackwardView, Deltas, InputMode, NetworkView, ParameterGradients, Parameters, Trace, backward_products,
};
use super::spec::{LayerSpec, NetworkSpec};
use super::tangent::{self, Tangents};
use super::tape::{Tape, TapePlan, Value};
use crate::kernel::curvature::{Curved, curvature};
use crate::net::panels::{PassPlan, ROW_UNIT};

/// Where a double backward pass has its values.
#[derive(Clone, Debug)]
pub(crate) struct DoubleBackward {
    /// The gradient of the margin with respect to the network's outputs.
    seeds: Value,
    deltas: Deltas,
    tangents: Tangents,
    /// What curved activations add to the gradient with respect to each operation's pre-activations; `None` above all of them.
    curvatures: Vec<Option<Value>>,
    /// The gradient of the loss with respect to the outputs.
    of_loss: Option<Value>,
    /// The backward pass of the loss alone.
    plain: Option<Deltas>,
}

impl DoubleBackward {
    /// Plans the pass after the forward pass that `trace` recorded; `of_loss` is the gradient of the loss with respect to the outputs,
    /// if there is a loss.
    pub(crate) fn plan(
        tape: &mut TapePlan,
        spec: &NetworkSpec,
        trace: &Trace,
        of_loss: Option<Value>,
        lanes: usize,
    ) -> Self {
        let count = op::count(spec);
        let layout = ParameterLayout::new(spec);
        let seeds = tape.make(spec.outputs(), lanes);
        tape.advance();
        let deltas = Deltas::plan(tape, spec, trace, seeds, InputMode::Plain, lanes);
        tape.uses(deltas.first());
        tape.advance();
        let tangents = Tangents::plan(tape, spec, trace, deltas.first(), (count - 1, lanes));
        let mut curvatures = vec![None; count];
        for index in (0..count).rev() {
            trace.uses(tape);
            of_loss.into_iter().for_each(|value| tape.uses(value));
            [deltas.delta(count - 1 - index), tangents.input(index)].into_iter().for_each(|value| tape.uses(value));
            curvatures[index].into_iter().for_each(|value| tape.uses(value));
            if index > 0 {
                tape.uses(deltas.delta(count - index));
                let [above, below] = [index, index - 1].map(|index| operation(spec, &layout, index));
                let is_curved = above.is_curved() || below.pointwise().activation.is_curved();
                if curvatures[index].is_some() || is_curved {
                    curvatures[index - 1] = Some(tape.make(below.outputs(), lanes));
                }
            }
            tape.advance();
        }
        let plain = of_loss.map(|last| deltas.begun_from(last));
        Self { seeds, deltas, tangents, curvatures, of_loss, plain }
    }

    /// The gradient of the margin with respect to the input, which [`probe`](Self::probe) leaves and the caller turns into the direction.
    pub(crate) fn direction(&self) -> Value {
        self.deltas.first()
    }

    /// The backward pass of the loss alone, for a step without a penalty: its deltas stand where those of the probe would.
    pub(crate) fn plain(&self) -> Option<&Deltas> {
        self.plain.as_ref()
    }

    /// Back from the margin to the input.
    pub(crate) fn probe(&self, context: &PassContext<'_>, network: &BackwardView<'_>, trace: &Trace, tape: &mut Tape) {
        let panels = context.panels;
        let outputs = network.spec.outputs();
        let seeds = tape.get_mut(self.seeds, panels.lanes());
        let part = panels.width / panels.parts;
        for (panel, rows) in seeds.chunks_exact_mut(outputs * panels.width).enumerate() {
            let valid = panels.samples.saturating_sub(panel * part).min(part);
            for (row, lanes) in rows.chunks_exact_mut(panels.width).enumerate() {
                // Of two classes the last is "real".
                let seed = if row + 1 == outputs { 1.0 } else { -1.0 };
                for lanes in lanes.chunks_exact_mut(part) {
                    lanes[..valid].fill(seed);
                    lanes[valid..].fill(0.0);
                }
            }
        }
        let view = reading(network);
        pass::backward(context, view.into(), (trace, &self.deltas), tape, ParameterGradients::Skip, InputMode::Plain);
    }

    /// The gradients of the parameters, from the direction.
    pub(crate) fn learn(
        &self,
        context: &PassContext<'_>,
        mut network: BackwardView<'_>,
        trace: &Trace,
        tape: &mut Tape,
        mut gradients: ParameterGradients<'_>,
    ) {
        tangent::tangent(context, reading(&network), trace, &self.tangents, tape);
        let (spec, layout) = (network.spec, network.layout);
        let count = op::count(spec);
        for index in (0..count).rev() {
            let (operation, places) = (operation(spec, layout, index), trace.places(index));
            if index > 0 {
                self.curve(context, &network, (trace, index), tape);
            }
            let of_tangent = TangentPlaces {
                delta: self.deltas.delta(count - 1 - index),
                input: places.input,
                tangent: self.tangents.input(index),
                factors: self.of_loss,
            };
            let updated = match &mut network.parameters {
                Parameters::Fixed(_) => None,
                Parameters::Updated(updated) => Some(updated),
            };
            let Some((arena, accumulate)) = gradients.arena() else { return };
            match self.curvatures[index] {
                None => operation.tangent_gradient(context, tape, of_tangent, (arena, accumulate), updated),
                Some(curvature) => {
                    operation.tangent_gradient(context, tape, of_tangent, (&mut *arena, accumulate), None);
                    operation.parameter_gradient(context, tape, places, curvature, (arena, true), updated);
                }
            }
            gradients.complete(layout, index);
        }
    }

    /// What curved operations and activations add to the gradient with respect to the pre-activations of the operation below `index`.
    fn curve(
        &self,
        context: &PassContext<'_>,
        network: &BackwardView<'_>,
        (trace, index): (&Trace, usize),
        tape: &mut Tape,
    ) {
        let Some(sums) = self.curvatures[index - 1] else { return };
        let (spec, layout) = (network.spec, network.layout);
        let (above, below) = (operation(spec, layout, index), operation(spec, layout, index - 1));
        let (pointwise, Places { output, .. }) = (below.pointwise(), trace.places(index - 1));
        let places = trace.places(index);
        let mut accumulate = false;
        if let Some(from) = self.curvatures[index] {
            let gradients = [from, sums];
            above.input_gradient(context, network.parameters.values(), tape, places, Some(pointwise), gradients);
            accumulate = true;
        }
        let tangent = self.tangents.input(index);
        if above.is_curved() {
            let delta = self.deltas.delta(op::count(spec) - 1 - index);
            let places = CurvedPlaces { input: places.input, delta, tangent, gradient: sums };
            above.curvature(context, tape, places, accumulate);
            accumulate = true;
        }
        if !pointwise.activation.is_curved() {
            return;
        }
        let PassContext { plan, panels, .. } = *context;
        let outputs = below.outputs();
        let delta = self.deltas.delta(op::count(spec) - index);
        let [values, delta, tangent, sums] =
            tape.several([output, delta, tangent, sums].map(|value| (value, panels.lanes())));
        context.for_each_block((outputs, ROW_UNIT), sums, |panel, rows, sums| {
            let first = (panel * outputs + rows.start) * panels.width;
            let [outputs, gradients, tangents] =
                [&*values, &*delta, &*tangent].map(|values| &values[first..][..sums.len()]);
            let curved = Curved { outputs, gradients, tangents };
            curvature(plan.isa, pointwise.activation, pointwise.dropout, curved, sums, accumulate);
        });
    }
}

/// The network as a pass reads it that changes nothing.
fn reading<'a>(network: &'a BackwardView<'_>) -> NetworkView<'a> {
    NetworkView { spec: network.spec, layout: network.layout, parameters: network.parameters.values() }
}

/// The layers whose gradients curved operations and activations add to: up to the last that is curved.
fn below_curves(spec: &NetworkSpec) -> usize {
    let is_curved = |layer: &LayerSpec| layer.operations().contains(&Kind::LayerNorm) || layer.activation.is_curved();
    spec.layers.iter().rposition(is_curved).map_or(0, |last| last + 1)
}

/// Products that a double backward pass computes; a weight gradient, which takes all panels at once, is one for each of them.
pub(crate) fn products(plan: &PassPlan, spec: &NetworkSpec, panels: usize) -> u64 {
    let layout = ParameterLayout::new(spec);
    let (count, curved) = (op::count(spec), below_curves(spec));
    let of_tangents = |index| operation(spec, &layout, index).forward_products(plan, panels);
    let of_curves = |index: usize| {
        let operation = operation(spec, &layout, index);
        let down = if index > 0 { operation.input_products(plan, panels) } else { 0 };
        down + operation.parameter_products(plan, panels)
    };
    let below_curves = (0..count).filter(|index| layout.operation(*index).0 < curved);
    let more: usize = (0..count - 1).map(of_tangents).sum::<usize>() + below_curves.map(of_curves).sum::<usize>();
    backward_products(plan, spec, panels, true, InputMode::Plain) + more as u64
}

/// Floating-point operations of its products for a sample: a multiplication and an addition for each weight that a product meets.
pub(crate) fn flop_per_sample(spec: &NetworkSpec) -> u64 {
    let curved = below_curves(spec);
    let weights = |index: usize| (spec.layers[index].inputs as u64).saturating_mul(spec.layers[index].outputs as u64);
    let count = spec.layers.len();
    let met = (0..count).map(|index| {
        // Back to the input, and the gradient of the weights.
        let always = 2;
        let tangent = u64::from(index + 1 < count);
        let of_curves = if index < curved { 1 + u64::from(index > 0) } else { 0 };
        weights(index).saturating_mul(always + tangent + of_curves)
    });
    met.fold(0, u64::saturating_add).saturating_mul(2)
}
