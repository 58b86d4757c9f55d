//! The tangent pass of a network: how its output moves when its input moves along a given direction.
//!
//! It follows on a forward pass, whose outputs show the derivative of each activation and the elements that dropout dropped, and whose
//! sums show that of each normalization.

use super::op::{Places, operation};
use super::panels::PassContext;
use super::parameters::ParameterLayout;
use super::pass::{NetworkView, Trace};
use super::spec::NetworkSpec;
use super::tape::{Tape, TapePlan, Value};

/// The tangents on the tape: that of the network's input, which is the direction, then that of each operation's output.
#[derive(Clone, Debug)]
pub(crate) struct Tangents(Vec<Value>);

impl Tangents {
    /// Plans the tangent pass along `direction` of what the first `operations` left in `trace`.
    pub(crate) fn plan(
        tape: &mut TapePlan,
        spec: &NetworkSpec,
        trace: &Trace,
        direction: Value,
        (operations, lanes): (usize, usize),
    ) -> Self {
        let mut tangents = Self(vec![direction]);
        let layout = ParameterLayout::new(spec);
        for index in 0..operations {
            tape.uses(tangents.output());
            let Places { input, output } = trace.places(index);
            [input, output].into_iter().for_each(|value| tape.uses(value));
            tangents.0.push(tape.make(operation(spec, &layout, index).outputs(), lanes));
            tape.advance();
        }
        tangents
    }

    /// The last one: that of the network's output, where all operations take part.
    pub(crate) fn output(&self) -> Value {
        self.0[self.0.len() - 1]
    }

    /// That of the input of operation `index`.
    pub(crate) fn input(&self, index: usize) -> Value {
        self.0[index]
    }
}

/// Computes all tangents from the direction, by the outputs that the forward pass left.
pub(crate) fn tangent(
    context: &PassContext<'_>,
    network: NetworkView<'_>,
    trace: &Trace,
    tangents: &Tangents,
    tape: &mut Tape,
) {
    let NetworkView { spec, layout, parameters } = network;
    for index in 0..tangents.0.len() - 1 {
        let along = [tangents.0[index], tangents.0[index + 1]];
        operation(spec, layout, index).tangent(context, parameters, tape, trace.places(index), along);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemm::EngineKind;
    use crate::kernel::activation::Activation;
    use crate::kernel::noise::{self, StreamKey};
    use crate::net::Normalization;
    use crate::net::op;
    use crate::net::panels::{Panels, Part, PartKeeps, PassPlan};
    use crate::net::parameters::ParameterLayout;
    use crate::net::pass;
    use crate::parallel::{Team, build_pool, with_team};
    use crate::reference::activation::{self, ALL as ACTIVATIONS};
    use crate::simd::{Isa, LANE_GROUP};

    /// One hidden layer, two, and three: narrow ones, ones beside the tiles of the micro-kernel, and one of several row blocks.
    const SIZES: [&[usize]; 3] = [&[3, 7, 1], &[5, 33, 18, 2], &[16, 130, 5, 64, 3]];

    /// A network, its input and a direction.
    struct Case {
        spec: NetworkSpec,
        layout: ParameterLayout,
        parameters: Vec<f32>,
        panels: Panels,
        input: Vec<f32>,
        direction: Vec<f32>,
    }

    /// What the passes leave: each operation's output, and the tangent of the last.
    struct Found {
        outputs: Vec<Vec<f32>>,
        tangent: Vec<f32>,
    }

    impl Case {
        fn new(
            sizes: &[usize],
            [hidden, output]: [Activation; 2],
            (dropout, normalization): (f32, Normalization),
            panels: Panels,
        ) -> Self {
            let spec = NetworkSpec::dense(sizes, hidden, dropout, output).with_normalization(normalization);
            let layout = ParameterLayout::new(&spec);
            let normal = |count: usize, number| {
                let mut values = vec![0.0; count.next_multiple_of(LANE_GROUP)];
                noise::normal(Isa::best(), StreamKey::new(7, number, 0), 0, &mut values, LANE_GROUP);
                values.truncate(count);
                values
            };
            // Biases too: some activations below zero, some above.
            let parameters = normal(layout.len(), 1).iter().map(|value| 0.3 * value).collect();
            let [input, direction] = [2, 3].map(|number| normal(spec.inputs() * panels.lanes(), number));
            Self { spec, layout, parameters, panels, input, direction }
        }

        fn run(&self, team: &Team<'_>, plan: &PassPlan) -> Found {
            let (spec, lanes) = (&self.spec, self.panels.lanes());
            let mut tape = TapePlan::default();
            let [input, direction] = [(); 2].map(|()| tape.make(spec.inputs(), lanes));
            tape.advance();
            let trace = Trace::plan(&mut tape, spec, input, lanes);
            let tangents = Tangents::plan(&mut tape, spec, &trace, direction, (op::count(spec), lanes));
            trace.uses(&mut tape);
            tape.uses(tangents.output());
            let mut tape = Tape::new(&tape.place()).unwrap();
            tape.get_mut(input, lanes).copy_from_slice(&self.input);
            tape.get_mut(direction, lanes).copy_from_slice(&self.direction);
            let context = PassContext { team, plan, panels: self.panels };
            let network = NetworkView { spec, layout: &self.layout, parameters: &self.parameters };
            let parts = [Part {
                first_sample: 0,
                of_block: 1,
                between_blocks: 0,
                keeps: PartKeeps::Drawn(StreamKey::new(1, 2, 3)),
            }];
            pass::forward(&context, network, &parts, &trace, &mut tape);
            tangent(&context, network, &trace, &tangents, &mut tape);
            let outputs = (0..spec.layers.len()).map(|layer| tape.get(trace.of_layer(layer), lanes).to_vec()).collect();
            Found { outputs, tangent: tape.get(tangents.output(), lanes).to_vec() }
        }

        /// Where feature `feature` of a sample stands in a value of `features` features.
        fn at(&self, features: usize, feature: usize, sample: usize) -> usize {
            let width = self.panels.width;
            (sample / width * features + feature) * width + sample % width
        }

        /// The output of a sample in f64, its input moved by `by` along the direction; dropout drops what it dropped in `outputs`.
        fn moved(&self, sample: usize, by: f64, outputs: &[Vec<f32>]) -> Vec<f64> {
            let inputs = self.spec.inputs();
            let place = |feature| self.at(inputs, feature, sample);
            let moved =
                |feature| f64::from(self.input[place(feature)]) + by * f64::from(self.direction[place(feature)]);
            let mut values: Vec<f64> = (0..inputs).map(moved).collect();
            for (index, layer) in self.spec.layers.iter().enumerate() {
                let place = self.layout.layer(index);
                let sum = |output: usize| -> f64 {
                    let weights = &self.parameters[place.weight.start + output * place.stride..][..layer.inputs];
                    weights.iter().zip(&values).map(|(weight, value)| f64::from(*weight) * value).sum()
                };
                let sums: Vec<f64> = (0..layer.outputs).map(sum).collect();
                let mean = |of: &dyn Fn(f64) -> f64| sums.iter().map(|sum| of(*sum)).sum::<f64>() / sums.len() as f64;
                let middle = mean(&|sum| sum);
                let root = (mean(&|sum| (sum - middle).powi(2)) + 1e-5).sqrt();
                let [middle, root] =
                    if layer.normalization == Normalization::None { [0.0, 1.0] } else { [middle, root] };
                let of_output = |output: usize| {
                    let found = outputs[index][self.at(layer.outputs, output, sample)];
                    if layer.dropout > 0.0 && found.to_bits() == (-0.0f32).to_bits() {
                        return 0.0;
                    }
                    let sum = (sums[output] - middle) / root + f64::from(self.parameters[place.bias.start + output]);
                    activation::value(layer.activation, sum) / (1.0 - f64::from(layer.dropout))
                };
                values = (0..layer.outputs).map(of_output).collect();
            }
            values
        }

        /// Compares with central differences.
        fn check(&self, name: &str, found: &Found) {
            let (step, outputs) = (1e-7, self.spec.outputs());
            for sample in 0..self.panels.lanes() {
                let [ahead, behind] = [step, -step].map(|by| self.moved(sample, by, &found.outputs));
                for (output, (ahead, behind)) in ahead.iter().zip(&behind).enumerate() {
                    let expected = (ahead - behind) / (2.0 * step);
                    let tangent = f64::from(found.tangent[self.at(outputs, output, sample)]);
                    // Sums of some hundred terms in f32, which a normalization of small ones makes large; written so that NaN fails.
                    let is_normalized = self.spec.layers[0].normalization != Normalization::None;
                    let most = if is_normalized { 2e-4 } else { 2e-5 };
                    let near = (tangent - expected).abs() <= most * expected.abs().max(1.0);
                    assert!(near, "{name}: output {output} of sample {sample} moves by {tangent}, not {expected}");
                }
            }
        }
    }

    #[test]
    fn tangents_are_finite_differences_in_both_schedules() {
        let pool = build_pool(1).unwrap();
        let panels = |count, width| Panels { count, width, parts: 1, blocks: 1, samples: count * width - 3 };
        let (none, layer) = (Normalization::None, Normalization::Layer);
        let kinds = [(0.0, none), (0.4, none), (0.0, layer), (0.4, layer)];
        for (number, (activation, kind)) in
            ACTIVATIONS.into_iter().flat_map(|activation| kinds.map(|kind| (activation, kind))).enumerate()
        {
            for sizes in SIZES {
                // Each activation below each other one.
                let output = ACTIVATIONS[(number + sizes.len()) % ACTIVATIONS.len()];
                for (panels, tasks) in [(panels(1, 48), 1), (panels(3, 32), 7)] {
                    let case = Case::new(sizes, [activation, output], kind, panels);
                    for (engine, isa) in EngineKind::ALL
                        .into_iter()
                        .flat_map(|engine| Isa::available().into_iter().map(move |isa| (engine, isa)))
                    {
                        let name =
                            format!("{engine} {} {activation:?} {output:?} {kind:?} {sizes:?} {tasks}", isa.kind());
                        let plan = PassPlan { isa, engine: engine.engine(), tasks };
                        let found = case.run(&Team::serial(), &plan);
                        case.check(&name, &found);
                        if tasks > 1 {
                            let of_two = with_team(2, Some(&pool), |team| case.run(team, &plan));
                            assert!(found.tangent == of_two.tangent, "{name}: two workers");
                        }
                    }
                }
            }
        }
    }
}
