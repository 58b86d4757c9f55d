//! The backward pass of one network over panels of samples, and Adam's update in the same pass.
//!
//! For each layer, from the last to the first: the gradient with respect to its input, for which the weights are read, then that of
//! its parameters. In this order the parameters may be updated in the very phase that completes their gradients: each row block
//! belongs to one worker, who meets the gradient in its own cache.

use std::sync::atomic::{AtomicBool, Ordering};

use super::parameters::{LayerPlace, ParameterLayout};
use super::pass::{Activations, Deltas, NetworkView, Panels, PassPlan};
use super::spec::{LayerSpec, NetworkSpec};
use crate::gemm::{Derivative, GradientMode, InputGradient, WeightGradient, WeightUpdate};
use crate::kernel::activation::Activation;
use crate::kernel::optimizer::{self, AdamStep};
use crate::parallel::{BlockedChunks, Chunks, Team};

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
    Updated(AdamArenas<'a>),
}

/// What Adam changes: arenas of one layout.
pub(crate) struct AdamArenas<'a> {
    pub(crate) step: AdamStep,
    pub(crate) parameters: &'a mut [f32],
    pub(crate) first_moment: &'a mut [f32],
    pub(crate) second_moment: &'a mut [f32],
    /// Set to false where a gradient, a moment or a parameter is not finite.
    pub(crate) finite: &'a mut bool,
}

impl<'a> From<NetworkView<'a>> for BackwardView<'a> {
    fn from(NetworkView { spec, layout, parameters }: NetworkView<'a>) -> Self {
        Self { spec, layout, parameters: Parameters::Fixed(parameters) }
    }
}

/// What becomes of the gradient with respect to a network's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum InputMode {
    /// It is not computed.
    Skip,
    /// It is left as the current gradient.
    Plain,
    /// It is left as the current gradient, multiplied by the derivative of the activation that made the input.
    Through(Activation),
}

/// Products that [`backward`] computes; a weight gradient, which takes all panels at once, is one for each of them.
pub(crate) fn backward_products(
    plan: &PassPlan,
    spec: &NetworkSpec,
    panels: usize,
    mode: GradientMode,
    input_mode: InputMode,
) -> u64 {
    let products = |layer: &LayerSpec, index: usize| {
        let weight_blocks =
            if mode == GradientMode::Ignore { 0 } else { layer.outputs.div_ceil(plan.weight_block(layer)) };
        let skipped = index == 0 && input_mode == InputMode::Skip;
        let input_blocks = if skipped { 0 } else { layer.inputs.div_ceil(plan.input_block(layer, panels)) };
        ((weight_blocks + input_blocks) * panels) as u64
    };
    spec.layers.iter().enumerate().map(|(index, layer)| products(layer, index)).sum()
}

/// Propagates the current gradient (with respect to the last layer's pre-activations) down to the first layer, adds up weight
/// gradients as `mode` says, updates the parameters if they are to be, and leaves the gradient with respect to the input as
/// `input_mode` says.
#[allow(clippy::too_many_arguments)]
pub(crate) fn backward(
    team: &Team<'_>,
    plan: &PassPlan,
    mut network: BackwardView<'_>,
    panels: Panels,
    activations: &Activations,
    deltas: &mut Deltas,
    gradients: &mut [f32],
    mode: GradientMode,
    input_mode: InputMode,
) {
    for (index, layer) in network.spec.layers.iter().enumerate().rev() {
        let place = network.layout.layer(index);
        let input = activations.region(index, layer.inputs * panels.lanes());
        let (delta, next) = deltas.current_and_next(layer.outputs * panels.lanes(), layer.inputs * panels.lanes());
        let pass = LayerPass { plan, layer, place, panels, delta, input };

        let below = match (index.checked_sub(1), input_mode) {
            (Some(below), _) => {
                let below = &network.spec.layers[below];
                Some((below.activation, below.dropout))
            }
            (None, InputMode::Through(activation)) => Some((activation, 0.0)),
            (None, InputMode::Plain | InputMode::Skip) => None,
        };
        let propagates = index > 0 || input_mode != InputMode::Skip;
        if propagates {
            let parameters = match &network.parameters {
                Parameters::Fixed(parameters) => parameters,
                Parameters::Updated(adam) => &*adam.parameters,
            };
            pass.input_gradient(team, &parameters[place.weight.clone()], below, next);
        }
        if mode != GradientMode::Ignore {
            let accumulate = mode == GradientMode::Accumulate;
            let rows = plan.weight_block(layer);
            match &mut network.parameters {
                Parameters::Fixed(_) => pass.weight_gradient(team, rows, gradients, accumulate),
                Parameters::Updated(adam) => pass.weight_update(team, rows, gradients, accumulate, adam),
            }
        }
        if propagates {
            deltas.advance();
        }
    }
}

/// One layer in a backward pass.
struct LayerPass<'a> {
    plan: &'a PassPlan,
    layer: &'a LayerSpec,
    place: &'a LayerPlace,
    panels: Panels,
    /// The gradient with respect to the layer's pre-activations.
    delta: &'a [f32],
    input: &'a [f32],
}

impl LayerPass<'_> {
    /// The gradient with respect to the layer's input, through the activation and dropout `below`.
    fn input_gradient(&self, team: &Team<'_>, weights: &[f32], below: Option<(Activation, f32)>, output: &mut [f32]) {
        let Self { plan, layer, place, panels, delta, input } = *self;
        let (inputs, outputs, width) = (layer.inputs, layer.outputs, panels.width);
        let row_block = plan.input_block(layer, panels.count);
        let blocks = BlockedChunks::new(output, inputs * width, row_block * width);
        team.for_each(blocks, |(panel, block, output)| {
            let first_row = block * row_block;
            let product = InputGradient {
                weights,
                stride: place.stride,
                first_row,
                delta: &delta[panel * outputs * width..][..outputs * width],
                width,
                derivative: below.map(|(activation, dropout)| Derivative {
                    activation,
                    dropout,
                    values: &input[(panel * inputs + first_row) * width..][..output.len()],
                }),
                output,
            };
            plan.engine.input_gradient(plan.isa, product);
        });
    }

    /// The gradients of the layer's parameters, in blocks of `rows` rows.
    fn weight_gradient(&self, team: &Team<'_>, rows: usize, gradients: &mut [f32], accumulate: bool) {
        team.for_each(
            (0..self.layer.outputs.div_ceil(rows), self.of_blocks(rows, gradients)),
            |(block, (gradient, bias_gradient))| {
                let product = self.product(block * rows, gradient, bias_gradient, accumulate);
                self.plan.engine.weight_gradient(self.plan.isa, product);
            },
        );
    }

    /// The same, and Adam's update of the parameters.
    fn weight_update(
        &self,
        team: &Team<'_>,
        rows: usize,
        gradients: &mut [f32],
        accumulate: bool,
        adam: &mut AdamArenas<'_>,
    ) {
        let PassPlan { isa, engine, .. } = *self.plan;
        let step = adam.step;
        let finite = AtomicBool::new(true);
        let blocks = (
            0..self.layer.outputs.div_ceil(rows),
            self.of_blocks(rows, gradients),
            self.of_blocks(rows, adam.parameters),
            self.of_blocks(rows, adam.first_moment),
            self.of_blocks(rows, adam.second_moment),
        );
        team.for_each(blocks, |(block, gradients, parameters, first_moments, second_moments)| {
            let ((gradient, bias_gradient), (weights, biases)) = (gradients, parameters);
            let ((first_moment, bias_first), (second_moment, bias_second)) = (first_moments, second_moments);
            let product = self.product(block * rows, gradient, &mut *bias_gradient, accumulate);
            let update = WeightUpdate { step, parameters: weights, first_moment, second_moment };
            let weights_are_finite = engine.weight_update(isa, product, update);
            if !(optimizer::adam(isa, &step, biases, bias_gradient, bias_first, bias_second) && weights_are_finite) {
                finite.store(false, Ordering::Relaxed);
            }
        });
        *adam.finite &= finite.into_inner();
    }

    /// The weights and the biases of each block of `rows` rows in an arena.
    fn of_blocks<'a>(&self, rows: usize, arena: &'a mut [f32]) -> (Chunks<'a, f32>, Chunks<'a, f32>) {
        let place = self.place;
        let (weight, bias) =
            arena[place.weight.start..place.bias.end].split_at_mut(place.bias.start - place.weight.start);
        (Chunks::new(&mut weight[..place.weight.len()], rows * place.stride), Chunks::new(bias, rows))
    }

    /// The weight gradient of the row block that begins at `first_row`.
    fn product<'a>(
        &'a self,
        first_row: usize,
        gradient: &'a mut [f32],
        bias_gradient: &'a mut [f32],
        accumulate: bool,
    ) -> WeightGradient<'a> {
        WeightGradient {
            delta: self.delta,
            input: self.input,
            first_row,
            gradient,
            stride: self.place.stride,
            bias_gradient,
            outputs: self.layer.outputs,
            inputs: self.layer.inputs,
            lanes: self.panels.occupancy(),
            accumulate,
        }
    }
}
