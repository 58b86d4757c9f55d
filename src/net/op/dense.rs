//! A dense layer: `y = dropout(activation(W x + b))`.
//!
//! In a backward pass the gradient with respect to the layer's input, for which the weights are read, comes before that of its
//! parameters. In this order the parameters may be updated in the very phase that completes their gradients: each row block belongs
//! to one worker, who meets the gradient in its own cache.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::gemm::{Derivative, Forward, InputGradient, WeightGradient, WeightUpdate};
use crate::kernel::activation::Activation;
use crate::kernel::dropout::{DROPOUT_FEATURES, Dropout};
use crate::kernel::optimizer::{Arenas, Update};
use crate::net::panels::{MOST_PARTS, Panels, Part, PassPlan, ROW_UNIT};
use crate::net::parameters::LayerPlace;
use crate::net::spec::LayerSpec;
use crate::parallel::{Chunks, ChunksOfEach, Team};
use crate::simd::LANE_GROUP;

/// A dense layer of a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dense<'a> {
    /// Its number in the network.
    pub(crate) index: usize,
    pub(crate) spec: &'a LayerSpec,
    pub(crate) place: &'a LayerPlace,
}

/// What made an operation's input: its activation and its probability of dropping.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Below {
    pub(crate) activation: Activation,
    pub(crate) dropout: f32,
}

/// Parameters in a backward pass that updates them, and what they are updated with.
pub(crate) struct Updated<'a> {
    pub(crate) update: Update,
    pub(crate) arenas: Arenas<'a>,
    /// Set to false where a gradient, a state or a parameter is not finite.
    pub(crate) finite: &'a mut bool,
}

impl Dense<'_> {
    /// A dropout stream begins at a multiple of [`DROPOUT_FEATURES`], so every block of the output does.
    fn output_unit(&self) -> usize {
        if self.spec.dropout > 0.0 { DROPOUT_FEATURES } else { ROW_UNIT }
    }

    /// Rows of a block of the weight gradient.
    fn weight_block(&self, plan: &PassPlan) -> usize {
        plan.row_block(self.spec.outputs, 1, ROW_UNIT)
    }

    /// Products of [`Self::forward`].
    pub(crate) fn forward_products(&self, plan: &PassPlan, panels: usize) -> usize {
        plan.blocks(self.spec.outputs, panels, self.output_unit()) * panels
    }

    /// Products of [`Self::input_gradient`].
    pub(crate) fn input_products(&self, plan: &PassPlan, panels: usize) -> usize {
        plan.blocks(self.spec.inputs, panels, ROW_UNIT) * panels
    }

    /// Products of [`Self::weight_gradient`], which takes all panels at once: one for each of them.
    pub(crate) fn weight_products(&self, plan: &PassPlan, panels: usize) -> usize {
        self.spec.outputs.div_ceil(self.weight_block(plan)) * panels
    }

    /// `output` from `input`. `parts` empty: no dropout, as when samples are made for show.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn forward(
        &self,
        team: &Team<'_>,
        plan: &PassPlan,
        panels: Panels,
        parts: &[Part<'_>],
        parameters: &[f32],
        input: &[f32],
        output: &mut [f32],
    ) {
        debug_assert!(parts.len() <= MOST_PARTS && panels.width.is_multiple_of(LANE_GROUP * parts.len().max(1)));
        let Self { index, spec: &LayerSpec { inputs, outputs, activation, dropout }, place } = *self;
        let width = panels.width;
        let (weights, biases) = (&parameters[place.weight.clone()], &parameters[place.bias.clone()]);
        plan.for_each_block(team, panels, (outputs, self.output_unit()), output, |panel, first, output| {
            let rows = output.len() / width;
            let drawn = (dropout > 0.0 && !parts.is_empty()).then(|| {
                let part_width = width / parts.len();
                // A lone part stands in both places of the array; only as many as there are parts are used.
                std::array::from_fn::<_, MOST_PARTS, _>(|number| {
                    let number = number.min(parts.len() - 1);
                    parts[number].of_layer(index, outputs, panel, number * part_width..(number + 1) * part_width)
                })
            });
            let product = Forward {
                weights: &weights[first * place.stride..(first + rows) * place.stride],
                stride: place.stride,
                bias: &biases[first..first + rows],
                input: &input[panel * inputs * width..][..inputs * width],
                output,
                width,
                activation,
                dropout: drawn.as_ref().map(|drawn| Dropout {
                    probability: dropout,
                    first_feature: first,
                    parts: &drawn[..parts.len()],
                }),
            };
            plan.engine.forward(plan.isa, product);
        });
    }

    /// The gradient with respect to the layer's `input`, through what made it, if that is given, from `delta`, that with respect to
    /// the layer's pre-activations.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn input_gradient(
        &self,
        team: &Team<'_>,
        plan: &PassPlan,
        panels: Panels,
        parameters: &[f32],
        delta: &[f32],
        below: Option<Below>,
        input: &[f32],
        output: &mut [f32],
    ) {
        let Self { spec: &LayerSpec { inputs, outputs, .. }, place, .. } = *self;
        let width = panels.width;
        let weights = &parameters[place.weight.clone()];
        plan.for_each_block(team, panels, (inputs, ROW_UNIT), output, |panel, first_row, output| {
            let product = InputGradient {
                weights,
                stride: place.stride,
                first_row,
                delta: &delta[panel * outputs * width..][..outputs * width],
                width,
                derivative: below.map(|Below { activation, dropout }| Derivative {
                    activation,
                    dropout,
                    values: &input[(panel * inputs + first_row) * width..][..output.len()],
                }),
                output,
            };
            plan.engine.input_gradient(plan.isa, product);
        });
    }

    /// The gradients of the layer's parameters, into their place in the arena `gradients` or, with `accumulate`, added to it.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn weight_gradient(
        &self,
        team: &Team<'_>,
        plan: &PassPlan,
        panels: Panels,
        delta: &[f32],
        input: &[f32],
        gradients: &mut [f32],
        accumulate: bool,
    ) {
        let rows = self.weight_block(plan);
        let outer = OuterOperands { dense: self, panels, delta, input, accumulate };
        if plan.tasks == 1 {
            let (weights, biases) = self.both(gradients);
            return plan.engine.weight_gradient(plan.isa, outer.product(0, weights, biases));
        }
        team.for_each(
            (0..self.spec.outputs.div_ceil(rows), self.of_blocks(rows, gradients)),
            |(block, (gradient, bias_gradient))| {
                plan.engine.weight_gradient(plan.isa, outer.product(block * rows, gradient, bias_gradient));
            },
        );
    }

    /// [`Self::weight_gradient`], and the update of the parameters in the same phase.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn weight_update(
        &self,
        team: &Team<'_>,
        plan: &PassPlan,
        panels: Panels,
        delta: &[f32],
        input: &[f32],
        gradients: &mut [f32],
        accumulate: bool,
        updated: &mut Updated<'_>,
    ) {
        let PassPlan { isa, engine, .. } = *plan;
        let rows = self.weight_block(plan);
        let outer = OuterOperands { dense: self, panels, delta, input, accumulate };
        let update = updated.update;
        let (mut weights, mut biases) = (Arenas::default(), Arenas::default());
        for ((weights, biases), arena) in weights.iter_mut().zip(&mut biases).zip(&mut updated.arenas) {
            (*weights, *biases) = self.both(arena);
        }
        let blocks = (
            0..self.spec.outputs.div_ceil(rows),
            self.of_blocks(rows, gradients),
            ChunksOfEach::new(weights, rows * self.place.stride),
            ChunksOfEach::new(biases, rows),
        );
        let finite = AtomicBool::new(true);
        team.for_each(blocks, |(block, (gradient, bias_gradient), weights, biases)| {
            let ([weights, weight_states @ ..], [biases, mut bias_states @ ..]) = (weights, biases);
            let product = outer.product(block * rows, gradient, &mut *bias_gradient);
            let weight_update = WeightUpdate { update, parameters: weights, states: weight_states };
            let weights_are_finite = engine.weight_update(isa, product, weight_update);
            if !(update.apply(isa, biases, bias_gradient, &mut bias_states) && weights_are_finite) {
                finite.store(false, Ordering::Relaxed);
            }
        });
        *updated.finite &= finite.into_inner();
    }

    /// The weights and the biases in an arena, if it is not empty.
    fn both<'a>(&self, arena: &'a mut [f32]) -> (&'a mut [f32], &'a mut [f32]) {
        if arena.is_empty() {
            return Default::default();
        }
        let place = self.place;
        let (weights, biases) =
            arena[place.weight.start..place.bias.end].split_at_mut(place.bias.start - place.weight.start);
        (&mut weights[..place.weight.len()], biases)
    }

    /// The weights and the biases of each block of `rows` rows in an arena.
    fn of_blocks<'a>(&self, rows: usize, arena: &'a mut [f32]) -> (Chunks<'a, f32>, Chunks<'a, f32>) {
        let (weights, biases) = self.both(arena);
        (Chunks::new(weights, rows * self.place.stride), Chunks::new(biases, rows))
    }
}

/// The operands of a layer's weight gradient.
struct OuterOperands<'a> {
    dense: &'a Dense<'a>,
    panels: Panels,
    delta: &'a [f32],
    input: &'a [f32],
    accumulate: bool,
}

impl OuterOperands<'_> {
    /// The weight gradient of the row block that begins at `first_row`.
    fn product<'a>(
        &'a self,
        first_row: usize,
        gradient: &'a mut [f32],
        bias_gradient: &'a mut [f32],
    ) -> WeightGradient<'a> {
        WeightGradient {
            delta: self.delta,
            input: self.input,
            first_row,
            gradient,
            stride: self.dense.place.stride,
            bias_gradient,
            outputs: self.dense.spec.outputs,
            inputs: self.dense.spec.inputs,
            lanes: self.panels.occupancy(),
            accumulate: self.accumulate,
        }
    }
}
