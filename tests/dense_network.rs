//! A dense network of its own: outputs and gradients against the plain network in f64, with every activation and with layer
//! normalization, for networks of both schedules; dropout against finite differences; the same bits at any number of threads and with any
//! room; and every kind of misuse.

mod reference;

use gannet::Error;
use gannet::cpu::{EngineKind, Isa};
use gannet::gan::{DenseNetwork, GradientMode, TrainerOptions};
use gannet::net::{Activation, LayerTensors, NetworkSpec, Normalization};
use reference::activation::ALL as ACTIVATIONS;
use reference::difference::distance;
use reference::network::{self, flat, widened, zeros};
use reference::numbers::{numbers, wide};

const INPUTS: usize = 5;
const OUTPUTS: usize = 3;

/// A network whose tiles single workers carry, and one whose products all workers share.
const HIDDEN: [usize; 2] = [19, 400];

fn spec(hidden: usize, activation: Activation, output: Activation, dropout: f32) -> NetworkSpec {
    NetworkSpec::dense(&[INPUTS, hidden, hidden, OUTPUTS], activation, dropout, output)
}

fn options(batch: usize) -> TrainerOptions {
    TrainerOptions::default().with_batch(batch).with_seed(3)
}

/// A network with biases that are not 0 behind normalizations either.
fn network(spec: NetworkSpec, options: TrainerOptions) -> DenseNetwork {
    let mut network = DenseNetwork::new(spec, options).unwrap();
    let mut parameters = network.parameters().unwrap();
    for (index, layer) in parameters.iter_mut().enumerate() {
        layer.bias = numbers(layer.bias.len(), 100 + index as u64).iter().map(|value| 0.2 * value).collect();
    }
    network.set_parameters(&parameters).unwrap();
    network
}

/// What a pass forward and back gives: outputs, the gradient with respect to the rows, those of the parameters.
struct Found {
    outputs: Vec<f32>,
    row_gradient: Vec<f32>,
    gradients: Vec<LayerTensors>,
}

impl Found {
    fn of(network: &mut DenseNetwork, rows: &[f32], output_gradient: &[f32], dropout: Option<u64>) -> Self {
        let count = rows.len() / INPUTS;
        let (mut outputs, mut row_gradient) = (vec![f32::NAN; count * OUTPUTS], vec![f32::NAN; rows.len()]);
        match dropout {
            Some(seed) => network.forward_in_training(rows, seed, &mut outputs).unwrap(),
            None => network.forward(rows, &mut outputs).unwrap(),
        }
        network.backward(output_gradient, Some(&mut row_gradient), GradientMode::Overwrite).unwrap();
        Self { outputs, row_gradient, gradients: network.gradients().unwrap() }
    }

    /// All numbers in a row.
    fn bits(&self) -> Vec<u32> {
        let values = self.outputs.iter().chain(&self.row_gradient).copied();
        values.chain(flat(&self.gradients)).map(f32::to_bits).collect()
    }
}

/// The same in f64.
fn expected(network: &DenseNetwork, rows: &[f32], output_gradient: &[f32]) -> [Vec<f64>; 3] {
    let (spec, parameters) = (network.spec(), widened(&network.parameters().unwrap()));
    let (mut outputs, mut row_gradient, mut sums) = (Vec::new(), Vec::new(), zeros(&parameters));
    for (row, gradient) in rows.chunks(INPUTS).zip(output_gradient.chunks(OUTPUTS)) {
        let trace = network::forward(spec, &parameters, wide(row), &[]);
        outputs.extend_from_slice(trace.last().unwrap());
        row_gradient.extend(network::backward(spec, &parameters, &trace, wide(gradient), &mut sums));
    }
    let gradients = sums.into_iter().flat_map(|(weight, bias)| weight.into_iter().chain(bias)).collect();
    [outputs, row_gradient, gradients]
}

#[test]
fn outputs_and_gradients_are_those_of_the_plain_network() {
    let mut failures = Vec::new();
    for hidden in HIDDEN {
        for activation in ACTIVATIONS {
            for normalization in [Normalization::None, Normalization::Layer] {
                for count in if hidden == HIDDEN[0] { vec![1, 16, 130, 300] } else { vec![37] } {
                    let spec = spec(hidden, activation, activation, 0.0).with_normalization(normalization);
                    let (rows, gradient) = (numbers(count * INPUTS, 1), numbers(count * OUTPUTS, 2));
                    let mut network = network(spec, options(300));
                    let found = Found::of(&mut network, &rows, &gradient, None);
                    let [outputs, row_gradient, gradients] = expected(&network, &rows, &gradient);
                    let distances = [
                        distance(found.outputs.iter().copied(), &outputs),
                        distance(found.row_gradient.iter().copied(), &row_gradient),
                        distance(flat(&found.gradients), &gradients),
                    ];
                    if !distances.iter().all(|distance| *distance <= 1e-5) {
                        failures.push(format!("{hidden} {activation} {normalization:?} {count}: {distances:?}"));
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// With dropout in every layer, the last one included.
#[test]
fn gradients_with_dropout_are_finite_differences() {
    const COUNT: usize = 150;
    for hidden in [19, 370] {
        let mut spec = spec(hidden, Activation::Tanh, Activation::Sigmoid, 0.3);
        spec.layers.last_mut().unwrap().dropout = 0.2;
        let mut network = network(spec, options(COUNT));
        let (rows, gradient) = (numbers(COUNT * INPUTS, 1), numbers(COUNT * OUTPUTS, 2));
        let found = Found::of(&mut network, &rows, &gradient, Some(7));
        let dropped = found.outputs.iter().filter(|output| **output == 0.0).count();
        assert!((40..140).contains(&dropped), "{dropped} of 450 outputs are dropped");

        let loss = |network: &mut DenseNetwork, rows: &[f32]| {
            let mut outputs = vec![0.0; COUNT * OUTPUTS];
            network.forward_in_training(rows, 7, &mut outputs).unwrap();
            outputs.iter().zip(&gradient).map(|(output, gradient)| f64::from(output * gradient)).sum::<f64>()
        };
        let check = |what: &str, slope: f64, [up, down]: [f64; 2]| {
            let difference = (up - down) / (2.0 * f64::from(STEP));
            assert!((slope - difference).abs() <= 0.01 * difference.abs() + 1e-3, "{what}: {slope}, {difference}");
        };
        const STEP: f32 = 1e-3;
        let direction = numbers(rows.len(), 5);
        let moved =
            |step: f32| -> Vec<f32> { rows.iter().zip(&direction).map(|(row, along)| row + step * along).collect() };
        let slope = found.row_gradient.iter().zip(&direction).map(|(g, along)| f64::from(g * along)).sum();
        check("rows", slope, [STEP, -STEP].map(|step| loss(&mut network, &moved(step))));

        let before = network.parameters().unwrap();
        for layer in 0..3 {
            let direction = numbers(before[layer].weight.len(), 6);
            let slope =
                found.gradients[layer].weight.iter().zip(&direction).map(|(g, along)| f64::from(g * along)).sum();
            let losses = [STEP, -STEP].map(|step| {
                let mut moved = before.clone();
                moved[layer].weight.iter_mut().zip(&direction).for_each(|(weight, along)| *weight += step * along);
                network.set_parameters(&moved).unwrap();
                loss(&mut network, &rows)
            });
            check(&format!("weights of layer {layer}"), slope, losses);
        }
    }
}

#[test]
fn threads_and_room_change_no_bit() {
    for hidden in HIDDEN {
        for count in [1, 40, 129, 700, 5_000] {
            if hidden == HIDDEN[1] && count > 700 {
                continue;
            }
            let spec = spec(hidden, Activation::LeakyRelu { slope: 0.2 }, Activation::Tanh, 0.25);
            let spec = spec.with_normalization(Normalization::Layer);
            let (rows, gradient) = (numbers(count * INPUTS, 1), numbers(count * OUTPUTS, 2));
            let bits = |room: usize, threads: usize, dropout: Option<u64>| {
                let mut network = network(spec.clone(), options(room).with_threads(threads));
                assert!(network.threads() <= threads);
                // What an earlier, larger batch has left must not matter.
                let (earlier, gradient_of_earlier) = (numbers(room * INPUTS, 8), numbers(room * OUTPUTS, 9));
                Found::of(&mut network, &earlier, &gradient_of_earlier, Some(1));
                Found::of(&mut network, &rows, &gradient, dropout).bits()
            };
            for dropout in [None, Some(4)] {
                let alone = bits(count, 1, dropout);
                for (room, threads) in [(count, 2), (count, 3), (count + 333, 1), (count + 333, 3)] {
                    assert!(bits(room, threads, dropout) == alone, "{hidden} {count} {room} {threads} {dropout:?}");
                }
            }
        }
    }
}

/// On every instruction set and with both engines.
#[test]
fn instructions_and_engines_agree() {
    let (rows, gradient) = (numbers(90 * INPUTS, 1), numbers(90 * OUTPUTS, 2));
    for hidden in HIDDEN {
        let spec = spec(hidden, Activation::Relu, Activation::Linear, 0.0);
        for isa in Isa::available() {
            for engine in EngineKind::ALL {
                let mut network = network(spec.clone(), options(90).with_isa(isa.kind()).with_engine(engine));
                let found = Found::of(&mut network, &rows, &gradient, None);
                let [outputs, _, gradients] = expected(&network, &rows, &gradient);
                assert!(distance(found.outputs.iter().copied(), &outputs) <= 1e-5, "{hidden} {isa:?} {engine}");
                assert!(distance(flat(&found.gradients), &gradients) <= 1e-5, "{hidden} {isa:?} {engine}");
            }
        }
    }
}

#[test]
fn gradients_are_ignored_replaced_or_added() {
    for hidden in HIDDEN {
        let mut network = network(spec(hidden, Activation::Tanh, Activation::Linear, 0.0), options(300));
        assert!(flat(&network.gradients().unwrap()).all(|gradient| gradient == 0.0));
        let (rows, gradient) = (numbers(300 * INPUTS, 1), numbers(300 * OUTPUTS, 2));
        let once = Found::of(&mut network, &rows, &gradient, None);
        // The same forward pass again.
        network.backward(&gradient, None, GradientMode::Ignore).unwrap();
        assert!(network.gradients().unwrap() == once.gradients);
        network.backward(&gradient, None, GradientMode::Accumulate).unwrap();
        let twice: Vec<f64> = flat(&once.gradients).map(|gradient| 2.0 * f64::from(gradient)).collect();
        assert!(distance(flat(&network.gradients().unwrap()), &twice) <= 1e-6);
        network.backward(&gradient, None, GradientMode::Overwrite).unwrap();
        assert!(network.gradients().unwrap() == once.gradients);
        // A batch without rows has a gradient, too.
        network.forward(&[], &mut []).unwrap();
        network.backward(&[], Some(&mut []), GradientMode::Accumulate).unwrap();
        assert!(network.gradients().unwrap() == once.gradients);
        network.backward(&[], None, GradientMode::Overwrite).unwrap();
        assert!(flat(&network.gradients().unwrap()).all(|gradient| gradient == 0.0));
    }
}

#[test]
fn layers_are_read_and_set_where_they_are() {
    // Rows of 256 weights stand apart in memory.
    let spec = NetworkSpec::dense(&[256, 7, 2], Activation::Relu, 0.0, Activation::Linear);
    let mut network = DenseNetwork::new(spec, options(4)).unwrap();
    let (mut weight, mut bias) = (vec![0.0; 256 * 7], vec![0.0; 7]);
    network.read_layer(0, &mut weight, &mut bias).unwrap();
    let before = network.parameters().unwrap();
    assert!(before[0].weight == weight && before[0].bias == bias);
    weight.reverse();
    network.set_layer(0, &weight, &bias).unwrap();
    let after = network.parameters().unwrap();
    assert!(after[0].weight == weight && after[1] == before[1]);
    network.forward(&numbers(256 * 4, 1), &mut [0.0; 8]).unwrap();
    network.backward(&[1.0; 8], None, GradientMode::Overwrite).unwrap();
    network.read_layer_gradients(0, &mut weight, &mut bias).unwrap();
    let gradients = network.gradients().unwrap();
    assert!(gradients[0].weight == weight && gradients[0].bias == bias);
}

#[test]
fn misuse_is_an_error_that_says_what_to_do() {
    let spec = || spec(19, Activation::Relu, Activation::Linear, 0.0);
    let mut network = network(spec(), options(4));
    let rows = numbers(2 * INPUTS, 1);
    let mut outputs = [0.0; 2 * OUTPUTS];
    let text = |outcome: gannet::Result<()>| outcome.unwrap_err().to_string();

    let misuse = "backward: there is no forward pass to go back through; call forward first";
    let back = |network: &mut DenseNetwork| network.backward(&[1.0; 2 * OUTPUTS], None, GradientMode::Overwrite);
    assert!(matches!(back(&mut network), Err(Error::Misuse { call: "backward", .. })));
    assert!(text(back(&mut network)).starts_with(misuse));
    network.forward(&rows, &mut outputs).unwrap();
    back(&mut network).unwrap();
    let parameters = network.parameters().unwrap();
    network.set_parameters(&parameters).unwrap();
    assert!(text(back(&mut network)).starts_with(misuse), "parameters were set");
    network.forward(&rows, &mut outputs).unwrap();
    network.set_layer(0, &parameters[0].weight, &parameters[0].bias).unwrap();
    assert!(text(back(&mut network)).starts_with(misuse), "a layer was set");

    let shapes = [
        (vec![0.0; INPUTS + 1], OUTPUTS, "rows: expected whole rows of 5 values each, found 6 values"),
        (
            vec![0.0; 5 * INPUTS],
            5 * OUTPUTS,
            "rows: expected at most 4 rows, the batch that the network was made for, found 5 rows",
        ),
        (vec![0.0; INPUTS], OUTPUTS - 1, "outputs: expected 1 x 3 values, found 2 values"),
    ];
    for (rows, outputs, message) in shapes {
        assert_eq!(text(network.forward(&rows, &mut vec![0.0; outputs])), message);
    }
    let mut strange = rows.clone();
    strange[7] = f32::NAN;
    assert_eq!(
        text(network.forward(&strange, &mut outputs)),
        "rows: row 1, column 2 (counted from 0) is NaN, not a finite number"
    );
    assert!(text(back(&mut network)).starts_with(misuse), "a forward pass failed");

    network.forward(&rows, &mut outputs).unwrap();
    let ignore = GradientMode::Ignore;
    assert_eq!(
        text(network.backward(&[1.0; OUTPUTS], None, ignore)),
        "output_gradient: expected 2 x 3 values, found 3 values"
    );
    assert_eq!(
        text(network.backward(&outputs, Some(&mut [0.0; 9]), ignore)),
        "row_gradient: expected 2 x 5 values, found 9 values"
    );
    let infinite = [0.0, 0.0, 0.0, f32::INFINITY, 0.0, 0.0];
    assert!(text(network.backward(&infinite, None, ignore)).starts_with("output_gradient: row 1, column 0"));
    // None of these has spoiled the forward pass.
    back(&mut network).unwrap();

    let mut wrong = parameters.clone();
    wrong[1].bias.pop();
    assert_eq!(text(network.set_parameters(&wrong)), "network.1.bias: expected 19 values, found 18 values");
    assert_eq!(text(network.set_layer(3, &[], &[])), "layer: expected one from 0 to 2, found 3");
    assert_eq!(text(network.set_layer(0, &[0.0], &[])), "network.0.weight: expected 95 values, found 1 values");
    assert!(network.read_layer(0, &mut [0.0; 95], &mut [0.0; 2]).is_err());
    assert!(network.read_layer_gradients(9, &mut [], &mut []).is_err());
    assert!(network.parameters().unwrap() == parameters);
    back(&mut network).unwrap();

    wrong = parameters.clone();
    wrong[1].weight[3] = f32::NAN;
    network.set_parameters(&wrong).unwrap();
    assert!(
        text(network.forward(&rows, &mut outputs)).starts_with("layer 1 of the network: an output is not finite; set")
    );

    let made = |spec: NetworkSpec, options: TrainerOptions| DenseNetwork::new(spec, options).map(|_| ());
    assert_eq!(text(made(spec(), options(0))), "batch: 0 is not between 1 and 2^32 - 1");
    assert!(text(made(NetworkSpec::new(vec![]), options(4))).contains("at least one layer"));
    let mut gap = spec();
    gap.layers[1].inputs = 3;
    assert!(text(made(gap, options(4))).starts_with("network.layers[1].inputs: 3 does not fit"));
    let needed = network.memory();
    made(spec(), options(4).with_memory_limit(needed)).unwrap();
    let refused = made(spec(), options(4).with_memory_limit(needed - 1));
    assert!(matches!(refused, Err(Error::MemoryLimit { needed: found, .. }) if found == needed));
}

#[test]
fn a_network_can_be_sent_to_a_thread() {
    fn check<T: Send>() {}
    check::<DenseNetwork>();
}
