//! Layer normalization of what a dense layer's weights make: `y = dropout(activation(normalized(x) + b))`, sample by sample.
//!
//! The biases are the layer's own; its dense operation leaves them out, since they would not show behind the normalization. There is no gain
//! beside them: the next layer's weights do the same behind an activation that scales with its input, and Xu et al. 2019 ("Understanding and
//! improving layer normalization") found networks no worse without.

use super::finish::Finish;
use super::{CurvedPlaces, Operation, Places, Pointwise, TangentPlaces, Updated};
use crate::kernel::activation::backward_epilogue;
use crate::kernel::normalization::{CurvatureInputs, curve, differentiate, normalize};
use crate::net::panels::{Part, PassContext, PassPlan};
use crate::net::spec::LayerSpec;
use crate::net::tape::{Tape, TapePlan, Value};

/// The normalization of a layer of a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerNorm<'a> {
    /// What comes behind it.
    pub(super) finish: Finish<'a>,
}

impl Operation for LayerNorm<'_> {
    #[allow(clippy::misnamed_getters, reason = "it takes what the layer's weights make")]
    fn inputs(&self) -> usize {
        self.finish.spec.outputs
    }

    fn outputs(&self) -> usize {
        self.finish.spec.outputs
    }

    fn pointwise(&self) -> Pointwise {
        self.finish.pointwise()
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
        let (isa, width, lanes) = (context.plan.isa, context.panels.width, context.panels.lanes());
        let [input, output] = tape.several([(input, lanes), (output, lanes)]);
        let of_panel = self.finish.of_panel(context);
        context.for_each_panel(self.finish.spec.outputs, output, |panel, output| {
            output.copy_from_slice(&input[panel * of_panel..][..of_panel]);
            normalize(isa, output, width);
            self.finish.forward((isa, width), parts, parameters, panel, output);
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
        let &LayerSpec { outputs, activation, dropout, .. } = self.finish.spec;
        let (isa, width, lanes) = (context.plan.isa, context.panels.width, context.panels.lanes());
        let of_panel = self.finish.of_panel(context);
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
        let of_panel = self.finish.of_panel(context);
        let [input, delta, gradient] = tape.several([places.input, delta, gradient].map(|value| (value, lanes)));
        context.for_each_panel(self.finish.spec.outputs, gradient, |panel, gradients| {
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
        into: (&mut [f32], bool),
        updated: Option<&mut Updated<'_>>,
    ) {
        self.finish.parameter_gradient(context, tape, delta, into, updated);
    }

    fn tangent_gradient(
        &self,
        context: &PassContext<'_>,
        tape: &mut Tape,
        places: TangentPlaces,
        into: (&mut [f32], bool),
        updated: Option<&mut Updated<'_>>,
    ) {
        self.finish.tangent_gradient(context, tape, places, into, updated);
    }

    fn curvature(
        &self,
        context: &PassContext<'_>,
        tape: &mut Tape,
        CurvedPlaces { input, delta, tangent, gradient }: CurvedPlaces,
        accumulate: bool,
    ) {
        let (isa, width, lanes) = (context.plan.isa, context.panels.width, context.panels.lanes());
        let of_panel = self.finish.of_panel(context);
        let [input, delta, tangent, gradient] =
            tape.several([input, delta, tangent, gradient].map(|value| (value, lanes)));
        context.for_each_panel(self.finish.spec.outputs, gradient, |panel, into| {
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
