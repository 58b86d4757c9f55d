//! The softmax of groups of a layer's outputs, behind its dense operation: `y = [x of the numbers, softmax of each group]`.
//!
//! Where numbers are drawn, Gumbel noise joins the sums, and the temperature is [`SOFTMAX_TEMPERATURE`]; so it is where a step is given
//! its numbers, which has no noise. Where nothing is drawn, the outputs are the probabilities.

use super::{Operation, Places, Pointwise};
use crate::kernel::activation::Activation;
use crate::kernel::dropout::{DropoutPart, Keeps};
use crate::kernel::softmax::{self, Gumbel};
use crate::net::panels::{Part, PassContext};
use crate::net::spec::{LayerSpec, SOFTMAX_TEMPERATURE};
use crate::net::tape::{Tape, TapePlan, Value};

/// The softmax of a network's last layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Softmax<'a> {
    /// The layer's number in the network.
    pub(super) layer: usize,
    pub(super) spec: &'a LayerSpec,
}

impl Softmax<'_> {
    /// Vectors `from` through the derivative of the softmax at `output`, which is symmetric: tangents or gradients.
    fn differentiate(&self, context: &PassContext<'_>, tape: &mut Tape, output: Value, [from, to]: [Value; 2]) {
        let (isa, width, lanes) = (context.plan.isa, context.panels.width, context.panels.lanes());
        let (of_panel, numbers) = (self.spec.outputs * width, self.spec.numbers() * width);
        let [output, from, to] = tape.several([output, from, to].map(|value| (value, lanes)));
        context.for_each_panel(self.spec.outputs, to, |panel, vectors| {
            let [output, from] = [&*output, &*from].map(|values| &values[panel * of_panel..][..of_panel]);
            vectors.copy_from_slice(from);
            let (outputs, vectors) = (&output[numbers..], &mut vectors[numbers..]);
            softmax::differentiate(isa, outputs, vectors, width, &self.spec.softmax, SOFTMAX_TEMPERATURE);
        });
    }
}

impl Operation for Softmax<'_> {
    #[allow(clippy::misnamed_getters, reason = "it takes what the layer's dense operation makes")]
    fn inputs(&self) -> usize {
        self.spec.outputs
    }

    fn outputs(&self) -> usize {
        self.spec.outputs
    }

    fn pointwise(&self) -> Pointwise {
        Pointwise { activation: Activation::Linear, dropout: 0.0 }
    }

    fn is_curved(&self) -> bool {
        true
    }

    fn uses_backward(&self, tape: &mut TapePlan, places: Places) {
        tape.uses(places.output);
    }

    fn forward(
        &self,
        context: &PassContext<'_>,
        parts: &[Part<'_>],
        _parameters: &[f32],
        tape: &mut Tape,
        Places { input, output }: Places,
    ) {
        let Self { layer, spec } = *self;
        let (isa, width, lanes) = (context.plan.isa, context.panels.width, context.panels.lanes());
        let (of_panel, numbers) = (spec.outputs * width, spec.numbers() * width);
        let temperature = if parts.is_empty() { 1.0 } else { SOFTMAX_TEMPERATURE };
        let [input, output] = tape.several([(input, lanes), (output, lanes)]);
        context.for_each_panel(spec.outputs, output, |panel, output| {
            output.copy_from_slice(&input[panel * of_panel..][..of_panel]);
            // Panels of G have one part.
            let noise = match parts {
                [] => None,
                parts => gumbel(&Part::all_of_layer(parts, (layer, spec.outputs), panel, width)[0]),
            };
            softmax::softmax(isa, &mut output[numbers..], width, &spec.softmax, temperature, noise);
        });
    }

    fn tangent(
        &self,
        context: &PassContext<'_>,
        _parameters: &[f32],
        tape: &mut Tape,
        places: Places,
        tangents: [Value; 2],
    ) {
        self.differentiate(context, tape, places.output, tangents);
    }

    fn input_gradient(
        &self,
        context: &PassContext<'_>,
        _parameters: &[f32],
        tape: &mut Tape,
        places: Places,
        // The layer's own product, which ends in no activation.
        _below: Option<Pointwise>,
        gradients: [Value; 2],
    ) {
        self.differentiate(context, tape, places.output, gradients);
    }
}

/// The noise of a part of a panel, if it is drawn.
fn gumbel(part: &DropoutPart<'_>) -> Option<Gumbel> {
    match part.keeps {
        Keeps::Drawn(key) => Some(Gumbel { key, first_sample: part.first_sample }),
        Keeps::Given { .. } => None,
    }
}
