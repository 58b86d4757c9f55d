//! A dense layer: `y = dropout(activation(W x + b))`, or `y = W x` where the rest follows a normalization of that.
//!
//! In a backward pass the gradient with respect to the layer's input, for which the weights are read, comes before that of its
//! parameters. In this order the parameters may be updated in the very phase that completes their gradients: each row block belongs
//! to one worker, who meets the gradient in its own cache.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Operation, Places, Pointwise, TangentPlaces, Updated};
use crate::gemm::{Derivative, Epilogue, OuterProduct, PanelProduct, WeightUpdate};
use crate::kernel::activation::Activation;
use crate::kernel::dropout::{DROPOUT_FEATURES, Dropout};
use crate::kernel::optimizer::Arenas;
use crate::kernel::penalty::{add_scaled, weighted_row_sums};
use crate::net::panels::{Factors, MOST_PARTS, Panels, Part, PassContext, PassPlan, ROW_UNIT};
use crate::net::parameters::LayerPlace;
use crate::net::spec::LayerSpec;
use crate::net::tape::{Tape, TapePlan, Value};
use crate::parallel::{Chunks, ChunksOfEach};
use crate::simd::LANE_GROUP;

/// A dense layer of a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dense<'a> {
    /// Its number in the network.
    pub(super) layer: usize,
    pub(super) spec: &'a LayerSpec,
    pub(super) place: &'a LayerPlace,
}

impl Dense<'_> {
    /// Whether biases, activation and dropout follow a normalization, which another operation does.
    fn is_normalized(&self) -> bool {
        self.spec.normalization.is_of_sums()
    }

    /// A dropout stream begins at a multiple of [`DROPOUT_FEATURES`], so every block of the output does.
    fn output_unit(&self) -> usize {
        if self.pointwise().dropout > 0.0 { DROPOUT_FEATURES } else { ROW_UNIT }
    }

    /// Rows of a block of the weight gradient.
    fn weight_block(&self, plan: &PassPlan) -> usize {
        plan.row_block(self.spec.outputs, 1, ROW_UNIT)
    }

    /// The gradients of the parameters, and their update if they are to be `updated`.
    fn gradient(
        &self,
        context: &PassContext<'_>,
        outer: OuterOperands<'_>,
        gradients: &mut [f32],
        updated: Option<&mut Updated<'_>>,
    ) {
        match updated {
            Some(updated) => self.weight_update(context, outer, gradients, updated),
            None => self.weight_gradient(context, outer, gradients),
        }
    }

    /// [`Self::gradient`] without an update.
    fn weight_gradient(&self, context: &PassContext<'_>, outer: OuterOperands<'_>, gradients: &mut [f32]) {
        let PassContext { team, plan, .. } = *context;
        if plan.tasks == 1 {
            let (weights, biases) = self.both(gradients);
            outer.compute(plan, 0, weights, biases, None);
            return;
        }
        let rows = self.weight_block(plan);
        team.for_each(
            (0..self.spec.outputs.div_ceil(rows), self.of_blocks(rows, gradients)),
            |(block, (gradient, bias_gradient))| {
                outer.compute(plan, block * rows, gradient, bias_gradient, None);
            },
        );
    }

    /// [`Self::gradient`] with the update.
    fn weight_update(
        &self,
        context: &PassContext<'_>,
        outer: OuterOperands<'_>,
        gradients: &mut [f32],
        updated: &mut Updated<'_>,
    ) {
        let PassContext { team, plan, .. } = *context;
        let rows = self.weight_block(plan);
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
            let ([parameters, states @ ..], [biases, mut bias_states @ ..]) = (weights, biases);
            let of_weights = WeightUpdate { update, parameters, states };
            let weights_are_finite = outer.compute(plan, block * rows, gradient, &mut *bias_gradient, Some(of_weights));
            let biases_are_finite =
                outer.leaves_biases() || update.apply(plan.isa, biases, bias_gradient, &mut bias_states);
            if !(biases_are_finite && weights_are_finite) {
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

impl Operation for Dense<'_> {
    fn inputs(&self) -> usize {
        self.spec.inputs
    }

    fn outputs(&self) -> usize {
        self.spec.outputs
    }

    fn pointwise(&self) -> Pointwise {
        let LayerSpec { activation, dropout, .. } = *self.spec;
        if self.is_normalized() {
            return Pointwise { activation: Activation::Linear, dropout: 0.0 };
        }
        Pointwise { activation, dropout }
    }

    fn uses_backward(&self, tape: &mut TapePlan, places: Places) {
        tape.uses(places.input);
    }

    fn forward(
        &self,
        context: &PassContext<'_>,
        parts: &[Part<'_>],
        parameters: &[f32],
        tape: &mut Tape,
        Places { input, output }: Places,
    ) {
        let Self { layer, spec: &LayerSpec { inputs, outputs, .. }, place } = *self;
        let dropout = self.pointwise().dropout;
        let PassContext { plan, panels: Panels { width, .. }, .. } = *context;
        let lanes = context.panels.lanes();
        let [input, output] = tape.several([(input, lanes), (output, lanes)]);
        debug_assert!(parts.len() <= MOST_PARTS && width.is_multiple_of(LANE_GROUP * parts.len().max(1)));
        let (weights, biases) = (&parameters[place.weight.clone()], &parameters[place.bias.clone()]);
        context.for_each_block((outputs, self.output_unit()), output, |panel, rows, output| {
            let input = &input[panel * inputs * width..][..inputs * width];
            let product = ForwardOperands { dense: self, weights, biases, input, width };
            if dropout == 0.0 || parts.is_empty() {
                return plan.engine.panel_product(plan.isa, product.product(rows, output, None));
            }
            let drawn = Part::all_of_layer(parts, (layer, outputs), panel, width);
            let drawn = Dropout { probability: dropout, first_feature: rows.start, parts: &drawn[..parts.len()] };
            plan.engine.panel_product(plan.isa, product.product(rows, output, Some(drawn)));
        });
    }

    fn tangent(
        &self,
        context: &PassContext<'_>,
        parameters: &[f32],
        tape: &mut Tape,
        places: Places,
        [input_tangent, output_tangent]: [Value; 2],
    ) {
        let Self { spec: &LayerSpec { inputs, outputs, .. }, place, .. } = *self;
        let Pointwise { activation, dropout } = self.pointwise();
        let PassContext { plan, panels: Panels { width, .. }, .. } = *context;
        let lanes = context.panels.lanes();
        let [input_tangent, output, output_tangent] =
            tape.several([input_tangent, places.output, output_tangent].map(|value| (value, lanes)));
        let weights = &parameters[place.weight.clone()];
        context.for_each_block((outputs, self.output_unit()), output_tangent, |panel, rows, tangent| {
            let values = &output[(panel * outputs + rows.start) * width..][..tangent.len()];
            let product = PanelProduct {
                weights,
                stride: place.stride,
                transposed: false,
                rows,
                terms: inputs,
                input: &input_tangent[panel * inputs * width..][..inputs * width],
                output: tangent,
                width,
                epilogue: Epilogue::Derivative(Derivative { activation, dropout, values }),
            };
            plan.engine.panel_product(plan.isa, product);
        });
    }

    fn input_gradient(
        &self,
        context: &PassContext<'_>,
        parameters: &[f32],
        tape: &mut Tape,
        places: Places,
        below: Option<Pointwise>,
        [delta, gradient]: [Value; 2],
    ) {
        let Self { spec: &LayerSpec { inputs, outputs, .. }, place, .. } = *self;
        let PassContext { plan, panels: Panels { width, .. }, .. } = *context;
        let lanes = context.panels.lanes();
        let [delta, input, gradient] = tape.several([delta, places.input, gradient].map(|value| (value, lanes)));
        let weights = &parameters[place.weight.clone()];
        context.for_each_block((inputs, ROW_UNIT), gradient, |panel, rows, output| {
            let epilogue = below.map_or(Epilogue::None, |Pointwise { activation, dropout }| {
                let values = &input[(panel * inputs + rows.start) * width..][..output.len()];
                Epilogue::Derivative(Derivative { activation, dropout, values })
            });
            let product = PanelProduct {
                weights,
                stride: place.stride,
                transposed: true,
                rows,
                terms: outputs,
                input: &delta[panel * outputs * width..][..outputs * width],
                output,
                width,
                epilogue,
            };
            plan.engine.panel_product(plan.isa, product);
        });
    }

    fn parameter_gradient(
        &self,
        context: &PassContext<'_>,
        tape: &mut Tape,
        places: Places,
        delta: Value,
        (gradients, accumulate): (&mut [f32], bool),
        updated: Option<&mut Updated<'_>>,
    ) {
        let lanes = context.panels.lanes();
        let [delta, input] = tape.several([(delta, lanes), (places.input, lanes)]);
        let biases = if self.is_normalized() { Biases::Elsewhere } else { Biases::Sums };
        let outer = OuterOperands { dense: self, panels: context.panels, delta, input, accumulate, biases };
        self.gradient(context, outer, gradients, updated);
    }

    fn tangent_gradient(
        &self,
        context: &PassContext<'_>,
        tape: &mut Tape,
        TangentPlaces { delta, input, tangent, factors }: TangentPlaces,
        (gradients, accumulate): (&mut [f32], bool),
        updated: Option<&mut Updated<'_>>,
    ) {
        let PassContext { plan, panels, .. } = *context;
        let (lanes, width, inputs) = (panels.lanes(), panels.width, self.spec.inputs);
        let outer = |delta, input, biases| OuterOperands { dense: self, panels, delta, input, accumulate, biases };
        let Some(factors) = factors else {
            let [delta, tangent] = tape.several([(delta, lanes), (tangent, lanes)]);
            let biases = if self.is_normalized() { Biases::Elsewhere } else { Biases::Zero };
            return self.gradient(context, outer(delta, tangent, biases), gradients, updated);
        };
        let [delta, input, tangent, factors] =
            tape.several([delta, input, tangent, factors].map(|value| (value, lanes)));
        let factors = Factors { values: factors, panels };
        context.for_each_block((inputs, ROW_UNIT), tangent, |panel, rows, tangents| {
            let values = &input[(panel * inputs + rows.start) * width..][..tangents.len()];
            add_scaled(plan.isa, values, factors.of_panel(panel), tangents);
        });
        let biases = if self.is_normalized() { Biases::Elsewhere } else { Biases::Weighted(factors) };
        self.gradient(context, outer(delta, tangent, biases), gradients, updated);
    }

    fn forward_products(&self, plan: &PassPlan, panels: usize) -> usize {
        plan.blocks(self.spec.outputs, panels, self.output_unit()) * panels
    }

    fn input_products(&self, plan: &PassPlan, panels: usize) -> usize {
        plan.blocks(self.spec.inputs, panels, ROW_UNIT) * panels
    }

    fn parameter_products(&self, plan: &PassPlan, panels: usize) -> usize {
        self.spec.outputs.div_ceil(self.weight_block(plan)) * panels
    }
}

/// The operands of a layer's forward product over a panel.
struct ForwardOperands<'a> {
    dense: &'a Dense<'a>,
    weights: &'a [f32],
    biases: &'a [f32],
    input: &'a [f32],
    width: usize,
}

impl<'a> ForwardOperands<'a> {
    /// The product of the row block `rows`.
    #[inline(always)]
    fn product(self, rows: Range<usize>, output: &'a mut [f32], dropout: Option<Dropout<'a>>) -> PanelProduct<'a> {
        let Self { dense: dense @ Dense { spec, place, .. }, weights, biases, input, width } = self;
        let epilogue = match dense.is_normalized() {
            true => Epilogue::None,
            false => Epilogue::Activation { bias: &biases[rows.clone()], activation: spec.activation, dropout },
        };
        PanelProduct {
            weights,
            stride: place.stride,
            transposed: false,
            terms: spec.inputs,
            input,
            output,
            width,
            epilogue,
            rows,
        }
    }
}

/// What the gradients of the biases are.
#[derive(Clone, Copy)]
enum Biases<'a> {
    /// The sums of the delta over the samples.
    Sums,
    /// The same with a factor for each sample.
    Weighted(Factors<'a>),
    /// 0.
    Zero,
    /// Another operation's.
    Elsewhere,
}

/// The operands of a layer's weight gradient.
struct OuterOperands<'a> {
    dense: &'a Dense<'a>,
    panels: Panels,
    delta: &'a [f32],
    input: &'a [f32],
    accumulate: bool,
    biases: Biases<'a>,
}

impl OuterOperands<'_> {
    /// Whether the biases are another operation's.
    fn leaves_biases(&self) -> bool {
        matches!(self.biases, Biases::Elsewhere)
    }

    /// The gradients of the row block that begins at `first_row`, and the update of its weights. Returns whether all of these are finite.
    fn compute(
        &self,
        plan: &PassPlan,
        first_row: usize,
        gradient: &mut [f32],
        bias_gradient: &mut [f32],
        update: Option<WeightUpdate<'_>>,
    ) -> bool {
        let rows = first_row..first_row + bias_gradient.len();
        let outputs = self.dense.spec.outputs;
        let bias_gradient = match self.biases {
            Biases::Sums => Some(bias_gradient),
            Biases::Weighted(factors) => {
                let Panels { count, width, .. } = self.panels;
                for panel in 0..count {
                    let delta = &self.delta[(panel * outputs + rows.start) * width..][..rows.len() * width];
                    let accumulate = self.accumulate || panel > 0;
                    weighted_row_sums(plan.isa, delta, factors.of_panel(panel), bias_gradient, accumulate);
                }
                None
            }
            Biases::Zero => {
                if !self.accumulate {
                    bias_gradient.fill(0.0);
                }
                None
            }
            Biases::Elsewhere => None,
        };
        let product = OuterProduct {
            delta: self.delta,
            input: self.input,
            rows,
            gradient,
            stride: self.dense.place.stride,
            bias_gradient,
            outputs,
            inputs: self.dense.spec.inputs,
            lanes: self.panels.occupancy(),
            accumulate: self.accumulate,
            update,
        };
        plan.engine.outer_product(plan.isa, product)
    }
}
