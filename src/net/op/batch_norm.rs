//! Batch normalization of what a dense layer's weights make: `y = dropout(activation(normalized(x) + b))`, feature by feature over the
//! samples of one kind in a panel. Without a gain, as in [layer normalization](super::layer_norm).
//!
//! Beside the gradients of the biases a backward pass leaves sums of means and variances where the buffers stand in the arena, from which
//! the running statistics follow when the network is updated.

use super::finish::Finish;
use super::{Operation, Places, Pointwise, TangentPlaces, Updated};
use crate::kernel::activation::backward_epilogue;
use crate::kernel::batch_normalization::{Groups, add_statistics, differentiate, normalize};
use crate::net::panels::{Panels, Part, PassContext, PassPlan};
use crate::net::spec::LayerSpec;
use crate::net::tape::{Tape, TapePlan, Value};

/// The normalization of a layer of a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchNorm<'a> {
    /// What comes behind it.
    pub(super) finish: Finish<'a>,
}

impl Operation for BatchNorm<'_> {
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
        let (isa, panels, lanes) = (context.plan.isa, context.panels, context.panels.lanes());
        let [input, output] = tape.several([(input, lanes), (output, lanes)]);
        let of_panel = self.finish.of_panel(context);
        context.for_each_panel(self.finish.spec.outputs, output, |panel, output| {
            output.copy_from_slice(&input[panel * of_panel..][..of_panel]);
            normalize(isa, output, groups(panels, panel));
            self.finish.forward((isa, panels.width), parts, parameters, panel, output);
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
        let (isa, panels, lanes) = (context.plan.isa, context.panels, context.panels.lanes());
        let of_panel = self.finish.of_panel(context);
        let [input, output, from, to] =
            tape.several([input, output, input_tangent, output_tangent].map(|value| (value, lanes)));
        context.for_each_panel(outputs, to, |panel, tangents| {
            let [input, output, from] =
                [&*input, &*output, &*from].map(|values| &values[panel * of_panel..][..of_panel]);
            tangents.copy_from_slice(from);
            differentiate(isa, input, tangents, groups(panels, panel));
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
        let of_panel = self.finish.of_panel(context);
        let [input, delta, gradient] = tape.several([places.input, delta, gradient].map(|value| (value, lanes)));
        context.for_each_panel(self.finish.spec.outputs, gradient, |panel, gradients| {
            let [input, delta] = [&*input, &*delta].map(|values| &values[panel * of_panel..][..of_panel]);
            gradients.copy_from_slice(delta);
            differentiate(isa, input, gradients, groups(panels, panel));
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
        if let [means, variances] = self.finish.place.buffers.as_slice() {
            let (before, behind) = gradients.split_at_mut(variances.start);
            let (means, variances) = (&mut before[means.clone()], &mut behind[..variances.len()]);
            let panels = context.panels;
            let input = tape.get(places.input, panels.lanes());
            for (panel, sums) in input.chunks_exact(self.finish.of_panel(context)).enumerate() {
                let statistics = [&mut *means, &mut *variances];
                add_statistics(context.plan.isa, sums, groups(panels, panel), statistics, accumulate || panel > 0);
            }
        }
        self.finish.parameter_gradient(context, tape, delta, (gradients, accumulate), updated);
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

/// Where the samples of a panel stand.
fn groups(panels: Panels, panel: usize) -> Groups {
    Groups { width: panels.width, parts: panels.parts, samples: panels.valid(panel) }
}
