//! The normalization of what a dense layer's weights make: `y = dropout(activation(normalized(x) + b))`, of each sample over its features
//! (layer normalization), or of each feature over the samples of one kind in a panel (batch normalization).
//!
//! The biases are the layer's own; its dense operation leaves them out, since they would not show behind the normalization. There is no gain
//! beside them: the next layer's weights do the same behind an activation that scales with its input, and Xu et al. 2019 ("Understanding and
//! improving layer normalization") found networks no worse without.
//!
//! Beside the gradients of the biases batch normalization leaves sums of means and variances where the buffers stand in the arena, from which
//! the running statistics follow when the network is updated.

use super::{CurvedPlaces, Operation, Places, Pointwise, TangentPlaces, Updated};
use crate::kernel::activation::{backward_epilogue, forward_epilogue};
use crate::kernel::batch_normalization::{self, Groups};
use crate::kernel::dropout::Dropout;
use crate::kernel::layer_normalization::{self, CurvatureInputs};
use crate::kernel::penalty::weighted_row_sums;
use crate::kernel::reduce::row_sums;
use crate::net::panels::{Factors, Panels, Part, PassContext};
use crate::net::parameters::LayerPlace;
use crate::net::spec::LayerSpec;
use crate::net::tape::{Tape, TapePlan, Value};
use crate::simd::Isa;

/// Over what a value is normalized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// The features of its sample.
    Features,
    /// The samples of its kind in the panel.
    Samples,
}

impl Over {
    /// The normalized sums of panel `panel`, in place.
    fn normalize(self, isa: Isa, sums: &mut [f32], (panels, panel): (Panels, usize)) {
        match self {
            Self::Features => layer_normalization::normalize(isa, sums, panels.width),
            Self::Samples => batch_normalization::normalize(isa, sums, groups(panels, panel)),
        }
    }

    /// How those move with the sums along `vectors`, in place: the derivative is symmetric, so that these are tangents or gradients.
    fn differentiate(self, isa: Isa, sums: &[f32], vectors: &mut [f32], (panels, panel): (Panels, usize)) {
        match self {
            Self::Features => layer_normalization::differentiate(isa, sums, vectors, panels.width),
            Self::Samples => batch_normalization::differentiate(isa, sums, vectors, groups(panels, panel)),
        }
    }
}

/// Where the samples of a panel stand.
fn groups(panels: Panels, panel: usize) -> Groups {
    Groups { width: panels.width, parts: panels.parts, samples: panels.valid(panel) }
}

/// The normalization of a layer of a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Normalized<'a> {
    /// The layer's number in the network.
    pub(super) layer: usize,
    pub(super) spec: &'a LayerSpec,
    pub(super) place: &'a LayerPlace,
    pub(super) over: Over,
}

impl Normalized<'_> {
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

impl Operation for Normalized<'_> {
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
        let &Self { layer, spec, over, .. } = self;
        let &LayerSpec { outputs, activation, dropout, .. } = spec;
        let (isa, panels, lanes) = (context.plan.isa, context.panels, context.panels.lanes());
        let width = panels.width;
        let [input, output] = tape.several([(input, lanes), (output, lanes)]);
        let biases = &parameters[self.place.bias.clone()];
        let of_panel = self.of_panel(context);
        context.for_each_panel(outputs, output, |panel, output| {
            output.copy_from_slice(&input[panel * of_panel..][..of_panel]);
            over.normalize(isa, output, (panels, panel));
            if dropout == 0.0 || parts.is_empty() {
                return forward_epilogue(isa, activation, biases, None, output, width);
            }
            let drawn = Part::all_of_layer(parts, (layer, outputs), panel, width);
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
        let (isa, panels, lanes) = (context.plan.isa, context.panels, context.panels.lanes());
        let (over, of_panel) = (self.over, self.of_panel(context));
        let [input, output, from, to] =
            tape.several([input, output, input_tangent, output_tangent].map(|value| (value, lanes)));
        context.for_each_panel(outputs, to, |panel, tangents| {
            let [input, output, from] =
                [&*input, &*output, &*from].map(|values| &values[panel * of_panel..][..of_panel]);
            tangents.copy_from_slice(from);
            over.differentiate(isa, input, tangents, (panels, panel));
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
        let (isa, panels, lanes) = (context.plan.isa, context.panels, context.panels.lanes());
        let (over, of_panel) = (self.over, self.of_panel(context));
        let [input, delta, gradient] = tape.several([places.input, delta, gradient].map(|value| (value, lanes)));
        context.for_each_panel(self.spec.outputs, gradient, |panel, gradients| {
            let [input, delta] = [&*input, &*delta].map(|values| &values[panel * of_panel..][..of_panel]);
            gradients.copy_from_slice(delta);
            over.differentiate(isa, input, gradients, (panels, panel));
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
        let (isa, width, lanes) = (context.plan.isa, context.panels.width, context.panels.lanes());
        self.add_statistics(context, tape, places, gradients, accumulate);
        let delta = tape.get(delta, lanes);
        self.gradient(context, gradients, updated, |sums| {
            for (panel, delta) in delta.chunks_exact(self.of_panel(context)).enumerate() {
                row_sums(isa, delta, width, sums, accumulate || panel > 0);
            }
        });
    }

    fn add_statistics(
        &self,
        context: &PassContext<'_>,
        tape: &Tape,
        places: Places,
        arena: &mut [f32],
        accumulate: bool,
    ) {
        let [means, variances] = self.place.buffers.as_slice() else { return };
        let (before, behind) = arena.split_at_mut(variances.start);
        let (means, variances) = (&mut before[means.clone()], &mut behind[..variances.len()]);
        let input = tape.get(places.input, context.panels.lanes());
        for (panel, sums) in input.chunks_exact(self.of_panel(context)).enumerate() {
            let (groups, statistics) = (groups(context.panels, panel), [&mut *means, &mut *variances]);
            batch_normalization::add_statistics(context.plan.isa, sums, groups, statistics, accumulate || panel > 0);
        }
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

    /// Of layer normalization: penalties are refused where samples are normalized over each other.
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
            layer_normalization::curve(isa, CurvatureInputs { sums, gradients, tangents }, into, width, accumulate);
        });
    }
}
