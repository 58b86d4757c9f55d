//! Layer normalization of what a dense layer's weights make: `y = dropout(activation(normalized(x) + b))`, sample by sample.
//!
//! The biases are the layer's own; its dense operation leaves them out, since they would not show behind the normalization. There is no gain
//! beside them: the next layer's weights do the same behind an activation that scales with its input, and Xu et al. 2019 ("Understanding and
//! improving layer normalization") found networks no worse without.

use super::{CurvedPlaces, Operation, Places, Pointwise, TangentPlaces, Updated};
use crate::kernel::activation::{backward_epilogue, forward_epilogue};
use crate::kernel::dropout::Dropout;
use crate::kernel::normalization::{CurvatureInputs, curve, differentiate, normalize};
use crate::kernel::penalty::weighted_row_sums;
use crate::kernel::reduce::row_sums;
use crate::net::panels::{Factors, Part, PassContext, PassPlan};
use crate::net::parameters::LayerPlace;
use crate::net::spec::LayerSpec;
use crate::net::tape::{Tape, TapePlan, Value};

/// The normalization of a layer of a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerNorm<'a> {
    /// The layer's number in the network.
    pub(super) layer: usize,
    pub(super) spec: &'a LayerSpec,
    pub(super) place: &'a LayerPlace,
}

impl LayerNorm<'_> {
    /// Values of a panel.
    fn of_panel(&self, context: &PassContext<'_>) -> usize {
        self.spec.outputs * context.panels.width
    }

    /// The gradients of the biases, which `sums` writes from the panels or adds, and their update if they are to be `updated`.
    fn gradient(
        &self,
        context: &PassContext<'_>,
        gradients: &mut [f32],
        updated: Option<&mut Updated<'_>>,
        sums: impl FnOnce(&mut [f32]),
    ) {
        let gradients = &mut gradients[self.place.bias.clone()];
        sums(gradients);
        let Some(Updated { update, arenas, finite }) = updated else { return };
        let mut biases = arenas.each_mut().map(|arena| arena.get_mut(self.place.bias.clone()).unwrap_or_default());
        let [biases, states @ ..] = &mut biases;
        **finite &= update.apply(context.plan.isa, biases, gradients, states);
    }
}

impl Operation for LayerNorm<'_> {
    #[allow(clippy::misnamed_getters, reason = "it takes what the layer's weights make")]
    fn inputs(&self) -> usize {
        self.spec.outputs
    }

    fn outputs(&self) -> usize {
        self.spec.outputs
    }

    fn pointwise(&self) -> Pointwise {
        Pointwise { activation: self.spec.activation, dropout: self.spec.dropout }
    }

    fn is_curved(&self) -> bool {
        true
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
        let &LayerSpec { outputs, activation, dropout, .. } = self.spec;
        let (isa, width, lanes) = (context.plan.isa, context.panels.width, context.panels.lanes());
        let [input, output] = tape.several([(input, lanes), (output, lanes)]);
        let biases = &parameters[self.place.bias.clone()];
        let of_panel = self.of_panel(context);
        context.for_each_panel(outputs, output, |panel, output| {
            output.copy_from_slice(&input[panel * of_panel..][..of_panel]);
            normalize(isa, output, width);
            if dropout == 0.0 || parts.is_empty() {
                return forward_epilogue(isa, activation, biases, None, output, width);
            }
            let drawn = Part::all_of_layer(parts, (self.layer, outputs), panel, width);
            let drawn = Dropout { probability: dropout, first_feature: 0, parts: &drawn[..parts.len()] };
            forward_epilogue(isa, activation, biases, Some(&drawn), output, width);
        });
    }

    fn tangent(
        &self,
        context: &PassContext<'_>,
        _parameters: &[f32],
        tape: &mut Tape,
        Places { input, output }: Places,
        [input_tangent, output_tangent]: [Value; 2],
    ) {
        let &LayerSpec { outputs, activation, dropout, .. } = self.spec;
        let (isa, width, lanes) = (context.plan.isa, context.panels.width, context.panels.lanes());
        let of_panel = self.of_panel(context);
        let [input, output, from, to] =
            tape.several([input, output, input_tangent, output_tangent].map(|value| (value, lanes)));
        context.for_each_panel(outputs, to, |panel, tangents| {
            let [input, output, from] =
                [&*input, &*output, &*from].map(|values| &values[panel * of_panel..][..of_panel]);
            tangents.copy_from_slice(from);
            differentiate(isa, input, tangents, width);
            backward_epilogue(isa, activation, dropout, output, tangents);
        });
    }

    fn input_gradient(
        &self,
        context: &PassContext<'_>,
        _parameters: &[f32],
        tape: &mut Tape,
        places: Places,
        // The layer's own product, which ends in no activation.
        _below: Option<Pointwise>,
        [delta, gradient]: [Value; 2],
    ) {
        let (isa, width, lanes) = (context.plan.isa, context.panels.width, context.panels.lanes());
        let of_panel = self.of_panel(context);
        let [input, delta, gradient] = tape.several([places.input, delta, gradient].map(|value| (value, lanes)));
        context.for_each_panel(self.spec.outputs, gradient, |panel, gradients| {
            let [input, delta] = [&*input, &*delta].map(|values| &values[panel * of_panel..][..of_panel]);
            gradients.copy_from_slice(delta);
            differentiate(isa, input, gradients, width);
        });
    }

    fn parameter_gradient(
        &self,
        context: &PassContext<'_>,
        tape: &mut Tape,
        _places: Places,
        delta: Value,
        (gradients, accumulate): (&mut [f32], bool),
        updated: Option<&mut Updated<'_>>,
    ) {
        let (isa, width) = (context.plan.isa, context.panels.width);
        let delta = tape.get(delta, context.panels.lanes());
        self.gradient(context, gradients, updated, |sums| {
            for (panel, delta) in delta.chunks_exact(self.of_panel(context)).enumerate() {
                row_sums(isa, delta, width, sums, accumulate || panel > 0);
            }
        });
    }

    fn tangent_gradient(
        &self,
        context: &PassContext<'_>,
        tape: &mut Tape,
        TangentPlaces { delta, factors, .. }: TangentPlaces,
        (gradients, accumulate): (&mut [f32], bool),
        updated: Option<&mut Updated<'_>>,
    ) {
        let (isa, panels) = (context.plan.isa, context.panels);
        let delta = tape.get(delta, panels.lanes());
        let factors = factors.map(|factors| Factors { values: tape.get(factors, panels.lanes()), panels });
        self.gradient(context, gradients, updated, |sums| match factors {
            Some(factors) => {
                for (panel, delta) in delta.chunks_exact(self.of_panel(context)).enumerate() {
                    weighted_row_sums(isa, delta, factors.of_panel(panel), sums, accumulate || panel > 0);
                }
            }
            None if accumulate => (),
            None => sums.fill(0.0),
        });
    }

    fn curvature(
        &self,
        context: &PassContext<'_>,
        tape: &mut Tape,
        CurvedPlaces { input, delta, tangent, gradient }: CurvedPlaces,
        accumulate: bool,
    ) {
        let (isa, width, lanes) = (context.plan.isa, context.panels.width, context.panels.lanes());
        let of_panel = self.of_panel(context);
        let [input, delta, tangent, gradient] =
            tape.several([input, delta, tangent, gradient].map(|value| (value, lanes)));
        context.for_each_panel(self.spec.outputs, gradient, |panel, into| {
            let [sums, gradients, tangents] =
                [&*input, &*delta, &*tangent].map(|values| &values[panel * of_panel..][..of_panel]);
            curve(isa, CurvatureInputs { sums, gradients, tangents }, into, width, accumulate);
        });
    }

    fn forward_products(&self, _plan: &PassPlan, _panels: usize) -> usize {
        0
    }

    fn input_products(&self, _plan: &PassPlan, _panels: usize) -> usize {
        0
    }

    fn parameter_products(&self, _plan: &PassPlan, _panels: usize) -> usize {
        0
    }
}
