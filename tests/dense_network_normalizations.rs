//! A dense network with normalizations that keep more than parameters, and with groups of outputs: outputs and gradients in training and in
//! an evaluation against plain networks in f64, and against finite differences; what running statistics and singular vectors become; the
//! same bits at any number of threads and after parameters were saved and set.

mod reference;

use gannet::Error;
use gannet::cpu::{EngineKind, Isa};
use gannet::gan::{DenseNetwork, GradientMode, TrainerOptions};
use gannet::net::{Activation, LayerTensors, NetworkSpec, Normalization, SOFTMAX_TEMPERATURE};
use reference::activation::ALL as ACTIVATIONS;
use reference::difference::distance;
use reference::group;
use reference::network::{Parameters, flat, widened, zeros};
use reference::numbers::{numbers, wide};

const INPUTS: usize = 5;
const OUTPUTS: usize = 3;

/// A network whose tiles single workers carry, and one whose products all workers share.
const HIDDEN: [usize; 2] = [19, 400];

/// Dropout draws nothing in most of these tests.
const SEED: u64 = 4;

/// Batch normalization in the first layer, spectral normalization in the second and the last.
fn spec(hidden: usize, activation: Activation) -> NetworkSpec {
    let mut spec = NetworkSpec::dense(&[INPUTS, hidden, hidden, OUTPUTS], activation, 0.0, Activation::Linear);
    let normalizations = [Normalization::Batch, Normalization::Spectral, Normalization::Spectral];
    spec.layers.iter_mut().zip(normalizations).for_each(|(layer, of)| layer.normalization = of);
    spec
}

fn options(batch: usize) -> TrainerOptions {
    TrainerOptions::default().with_batch(batch).with_seed(3)
}

/// A network with biases and running statistics that are not those it begins with.
fn network(spec: NetworkSpec, options: TrainerOptions) -> DenseNetwork {
    let mut network = DenseNetwork::new(spec, options).unwrap();
    let mut parameters = network.parameters().unwrap();
    for (index, layer) in parameters.iter_mut().enumerate() {
        let seed = 100 + index as u64;
        layer.bias = numbers(layer.bias.len(), seed).iter().map(|value| 0.2 * value).collect();
        if let [means, variances] = layer.buffers.as_mut_slice() {
            *means = numbers(means.len(), seed + 10);
            *variances = numbers(variances.len(), seed + 20).iter().map(|value| 0.3 + value.abs()).collect();
        }
    }
    network.set_parameters(&parameters).unwrap();
    network
}

/// A pass forward, in training with a seed, and back: outputs, the gradient with respect to the rows, those of the parameters.
fn passes(network: &mut DenseNetwork, rows: &[f32], gradient: &[f32], seed: Option<u64>) -> [Vec<f32>; 3] {
    let (mut outputs, mut row_gradient) = (vec![f32::NAN; gradient.len()], vec![f32::NAN; rows.len()]);
    match seed {
        Some(seed) => network.forward_in_training(rows, seed, &mut outputs).unwrap(),
        None => network.forward(rows, &mut outputs).unwrap(),
    }
    network.backward(gradient, Some(&mut row_gradient), GradientMode::Overwrite).unwrap();
    [outputs, row_gradient, flat(&network.gradients().unwrap()).collect()]
}

/// A power iteration: the left singular vector and the right one of a matrix, and its largest singular value.
fn iteration(weight: &[f64], left: &[f64]) -> (Vec<f64>, Vec<f64>, f64) {
    let columns = weight.len() / left.len();
    let unit = |values: Vec<f64>| {
        let norm = values.iter().map(|value| value * value).sum::<f64>().sqrt();
        (values.iter().map(|value| value / norm).collect::<Vec<f64>>(), norm)
    };
    let sum = |column: usize| weight.chunks(columns).zip(left).map(|(row, left)| row[column] * left).sum();
    let (right, _) = unit((0..columns).map(sum).collect());
    let product = |row: &[f64]| row.iter().zip(&right).map(|(weight, right)| weight * right).sum();
    let (left, value) = unit(weight.chunks(columns).map(product).collect());
    (left, right, value)
}

/// The same pass in f64, and what the buffers of its layers are after it, if it is one in training.
fn expected(
    network: &DenseNetwork,
    rows: &[f32],
    gradient: &[f32],
    training: bool,
) -> ([Vec<f64>; 3], Vec<Vec<Vec<f64>>>) {
    let (spec, tensors) = (network.spec(), network.parameters().unwrap());
    let mut parameters = widened(&tensors);
    let spectral = |index: usize| spec.layers[index].normalization == Normalization::Spectral;
    let iterations: Vec<_> = (0..spec.layers.len())
        .map(|index| spectral(index).then(|| iteration(&parameters[index].0, &wide(&tensors[index].buffers[0]))))
        .collect();
    for ((weight, _), found) in parameters.iter_mut().zip(&iterations) {
        let value = found.as_ref().map_or(1.0, |(_, _, value)| *value);
        weight.iter_mut().for_each(|weight| *weight /= value);
    }
    let mut sums: Parameters = zeros(&parameters);
    let (mut outputs, mut row_gradient) = (Vec::new(), Vec::new());
    let mut buffers: Vec<Vec<Vec<f64>>> =
        tensors.iter().map(|layer| layer.buffers.iter().map(|buffer| scaled(0.9, buffer)).collect()).collect();
    let count = rows.len() / INPUTS;
    let width = network.panel_width(count);
    let in_groups = |values: &[f32], features: usize| -> Vec<Vec<Vec<f64>>> {
        values.chunks(width * features).map(|group| group.chunks(features).map(wide).collect()).collect()
    };
    for (rows, gradient) in in_groups(rows, INPUTS).into_iter().zip(in_groups(gradient, OUTPUTS)) {
        let share = 0.1 * rows.len() as f64 / count as f64;
        let running = (!training).then_some(tensors.as_slice());
        let group = group::pass(spec, &parameters, (rows, gradient), running, &mut sums);
        outputs.extend(group.outputs.into_iter().flatten());
        row_gradient.extend(group.row_gradients.into_iter().flatten());
        for (buffers, statistics) in buffers.iter_mut().zip(group.statistics) {
            for (buffer, statistic) in buffers.iter_mut().zip(statistics.into_iter().flatten()) {
                buffer.iter_mut().zip(statistic).for_each(|(running, found)| *running += share * found);
            }
        }
    }
    for (index, found) in iterations.into_iter().enumerate() {
        let Some((left, right, value)) = found else { continue };
        let gradients = &mut sums[index].0;
        let along: f64 = gradients.iter().zip(&parameters[index].0).map(|(gradient, weight)| gradient * weight).sum();
        for (row, left) in gradients.chunks_mut(right.len()).zip(&left) {
            row.iter_mut().zip(&right).for_each(|(of, right)| *of = (*of - along * left * right) / value);
        }
        buffers[index] = vec![left];
    }
    let gradients = sums.into_iter().flat_map(|(weight, bias)| weight.into_iter().chain(bias)).collect();
    ([outputs, row_gradient, gradients], buffers)
}

fn scaled(factor: f64, values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| factor * f64::from(*value)).collect()
}

fn buffers(network: &DenseNetwork) -> Vec<Vec<Vec<f32>>> {
    network.parameters().unwrap().into_iter().map(|layer| layer.buffers).collect()
}

#[test]
fn passes_and_buffers_are_those_of_the_plain_network() {
    let mut failures = Vec::new();
    for hidden in HIDDEN {
        for activation in ACTIVATIONS {
            for count in if hidden == HIDDEN[0] { vec![2, 16, 130, 300] } else { vec![37, 130] } {
                let mut network = network(spec(hidden, activation), options(300));
                let (rows, gradient) = (numbers(count * INPUTS, 1), numbers(count * OUTPUTS, 2));
                // The first evaluation finds the buffers as they were set, the second as training has left them.
                for training in [false, true, false, true] {
                    let before = buffers(&network);
                    let (expected, after) = expected(&network, &rows, &gradient, training);
                    let found = passes(&mut network, &rows, &gradient, training.then_some(SEED));
                    let mut distances: Vec<f64> =
                        found.iter().zip(&expected).map(|(found, of)| distance(found.iter().copied(), of)).collect();
                    if training {
                        let found = buffers(&network);
                        let all = found.iter().flatten().zip(after.iter().flatten());
                        distances.extend(all.map(|(found, of)| distance(found.iter().copied(), of)));
                    } else {
                        assert!(buffers(&network) == before, "an evaluation changes no buffer");
                    }
                    // A group of two is nearly +-1 whatever it was, and its gradients nearly cancel.
                    let most = if count == 2 { 1e-3 } else { 2e-5 };
                    if !distances.iter().all(|distance| *distance <= most) {
                        failures.push(format!("{hidden} {activation} {count} {training}: {distances:?}"));
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// With dropout behind batch normalization. The singular vectors are found first: they count as constants, which they are where the
/// iteration has come to its end.
#[test]
fn gradients_are_finite_differences() {
    const COUNT: usize = 150;
    const STEP: f32 = 1e-3;
    let mut spec = spec(19, Activation::Tanh);
    spec.layers[0].dropout = 0.3;
    let mut network = network(spec, options(COUNT));
    let (rows, gradient) = (numbers(COUNT * INPUTS, 1), numbers(COUNT * OUTPUTS, 2));
    for _ in 0..500 {
        network.forward_in_training(&rows, SEED, &mut vec![0.0; gradient.len()]).unwrap();
    }
    let before = network.parameters().unwrap();
    for seed in [Some(SEED), None] {
        network.set_parameters(&before).unwrap();
        let [_, row_gradient, _] = passes(&mut network, &rows, &gradient, seed);
        let gradients = network.gradients().unwrap();
        let loss = |network: &mut DenseNetwork, parameters: &[LayerTensors], rows: &[f32]| {
            network.set_parameters(parameters).unwrap();
            let [outputs, ..] = passes(network, rows, &gradient, seed);
            outputs.iter().zip(&gradient).map(|(output, gradient)| f64::from(output * gradient)).sum::<f64>()
        };
        let check = |what: &str, slope: f64, [up, down]: [f64; 2]| {
            let difference = (up - down) / (2.0 * f64::from(STEP));
            let apart = (slope - difference).abs();
            assert!(apart <= 0.01 * difference.abs() + 2e-3, "{what} {seed:?}: {slope}, {difference}");
        };
        let moved = |from: &[f32], along: &[f32], step: f32| -> Vec<f32> {
            from.iter().zip(along).map(|(from, along)| from + step * along).collect()
        };
        let dot = |one: &[f32], other: &[f32]| one.iter().zip(other).map(|(one, other)| f64::from(one * other)).sum();
        let along = numbers(rows.len(), 5);
        let losses = [STEP, -STEP].map(|step| loss(&mut network, &before, &moved(&rows, &along, step)));
        check("rows", dot(&row_gradient, &along), losses);
        for layer in 0..3 {
            let along = numbers(before[layer].weight.len(), 6);
            let losses = [STEP, -STEP].map(|step| {
                let mut parameters = before.clone();
                parameters[layer].weight = moved(&before[layer].weight, &along, step);
                loss(&mut network, &parameters, &rows)
            });
            check(&format!("weights of layer {layer}"), dot(&gradients[layer].weight, &along), losses);
            let along = numbers(before[layer].bias.len(), 7);
            let losses = [STEP, -STEP].map(|step| {
                let mut parameters = before.clone();
                parameters[layer].bias = moved(&before[layer].bias, &along, step);
                loss(&mut network, &parameters, &rows)
            });
            check(&format!("biases of layer {layer}"), dot(&gradients[layer].bias, &along), losses);
        }
    }
}

/// Some steps of a host that trains the network, and the bits of all that comes of them.
fn trained(network: &mut DenseNetwork, rows: &[f32], gradient: &[f32], steps: u64) -> Vec<u32> {
    let mut bits = Vec::new();
    for step in 0..steps {
        let seed = (step % 3 != 2).then_some(step);
        bits.extend(passes(network, rows, gradient, seed).iter().flatten().map(|value| value.to_bits()));
        let mut parameters = network.parameters().unwrap();
        for (layer, gradient) in parameters.iter_mut().zip(network.gradients().unwrap()) {
            layer.weight.iter_mut().zip(&gradient.weight).for_each(|(weight, gradient)| *weight -= 1e-3 * gradient);
        }
        network.set_parameters(&parameters).unwrap();
    }
    bits.extend(network.parameters().unwrap().iter().flat_map(|layer| layer.buffers.concat()).map(f32::to_bits));
    bits
}

#[test]
fn threads_and_room_change_no_bit() {
    for hidden in HIDDEN {
        for count in [2, 129, 700] {
            let mut spec = spec(hidden, Activation::LeakyRelu { slope: 0.2 });
            spec.layers[1].dropout = 0.25;
            let (rows, gradient) = (numbers(count * INPUTS, 1), numbers(count * OUTPUTS, 2));
            let bits = |room: usize, threads: usize| {
                trained(&mut network(spec.clone(), options(room).with_threads(threads)), &rows, &gradient, 4)
            };
            let alone = bits(count, 1);
            for (room, threads) in [(count, 2), (count, 3), (count + 333, 3)] {
                assert!(bits(room, threads) == alone, "{hidden} {count} {room} {threads}");
            }
        }
    }
}

#[test]
fn parameters_and_buffers_are_a_checkpoint() {
    let (rows, gradient) = (numbers(60 * INPUTS, 1), numbers(60 * OUTPUTS, 2));
    let mut undisturbed = network(spec(19, Activation::Tanh), options(60));
    trained(&mut undisturbed, &rows, &gradient, 4);
    let mut resumed = DenseNetwork::new(spec(19, Activation::Tanh), options(60).with_seed(99)).unwrap();
    resumed.set_parameters(&undisturbed.parameters().unwrap()).unwrap();
    assert!(trained(&mut resumed, &rows, &gradient, 4) == trained(&mut undisturbed, &rows, &gradient, 4));
    // Without buffers they begin anew.
    let mut parameters = resumed.parameters().unwrap();
    parameters.iter_mut().for_each(|layer| layer.buffers.clear());
    resumed.set_parameters(&parameters).unwrap();
    assert_eq!(buffers(&resumed)[0], [vec![0.0; 19], vec![1.0; 19]]);
    let norm: f32 = buffers(&resumed)[1][0].iter().map(|value| value * value).sum();
    assert!((norm - 1.0).abs() <= 1e-5, "{norm}");
}

/// Passes see a layer that was set alone, and its buffers stay.
#[test]
fn a_layer_set_alone_is_seen() {
    let (rows, gradient) = (numbers(60 * INPUTS, 1), numbers(60 * OUTPUTS, 2));
    for layer in 0..3 {
        let [mut alone, mut whole] = [0; 2].map(|_| network(spec(19, Activation::Tanh), options(60)));
        let mut parameters = whole.parameters().unwrap();
        parameters[layer].weight.reverse();
        whole.set_parameters(&parameters).unwrap();
        let before = passes(&mut alone, &rows, &gradient, None);
        alone.set_layer(layer, &parameters[layer].weight, &parameters[layer].bias).unwrap();
        let after = passes(&mut alone, &rows, &gradient, None);
        assert!(after == passes(&mut whole, &rows, &gradient, None) && after != before, "layer {layer}");
        assert!(buffers(&alone) == buffers(&whole));
    }
}

#[test]
fn gradients_are_ignored_replaced_or_added() {
    let (rows, gradient) = (numbers(300 * INPUTS, 1), numbers(300 * OUTPUTS, 2));
    for hidden in HIDDEN {
        for seed in [Some(SEED), None] {
            let mut network = network(spec(hidden, Activation::Tanh), options(300));
            let [_, _, once] = passes(&mut network, &rows, &gradient, seed);
            let of = |network: &DenseNetwork| -> Vec<f32> { flat(&network.gradients().unwrap()).collect() };
            network.backward(&gradient, None, GradientMode::Ignore).unwrap();
            assert!(of(&network) == once);
            network.backward(&gradient, None, GradientMode::Accumulate).unwrap();
            let twice: Vec<f64> = once.iter().map(|gradient| 2.0 * f64::from(*gradient)).collect();
            assert!(distance(of(&network).into_iter(), &twice) <= 1e-6);
            network.backward(&gradient, None, GradientMode::Overwrite).unwrap();
            assert!(of(&network) == once);
            network.forward_in_training(&[], 1, &mut []).unwrap();
            network.backward(&[], None, GradientMode::Accumulate).unwrap();
            assert!(of(&network) == once);
            network.backward(&[], None, GradientMode::Overwrite).unwrap();
            assert!(of(&network).iter().all(|gradient| *gradient == 0.0));
        }
    }
}

/// On every instruction set and with both engines.
#[test]
fn instructions_and_engines_agree() {
    let (rows, gradient) = (numbers(90 * INPUTS, 1), numbers(90 * OUTPUTS, 2));
    for isa in Isa::available() {
        for engine in EngineKind::ALL {
            let mut network = network(spec(40, Activation::Tanh), options(90).with_isa(isa.kind()).with_engine(engine));
            for training in [true, false] {
                let (expected, _) = expected(&network, &rows, &gradient, training);
                let found = passes(&mut network, &rows, &gradient, training.then_some(SEED));
                for (found, of) in found.iter().zip(&expected) {
                    let apart = distance(found.iter().copied(), of);
                    assert!(apart <= 2e-5, "{isa:?} {engine} {training}: {apart}");
                }
            }
        }
    }
}

/// Two numbers and groups of 3 and 2.
#[test]
fn groups_are_probabilities_and_draws() {
    let mut spec = NetworkSpec::dense(&[INPUTS, 11, 7], Activation::Tanh, 0.0, Activation::Linear);
    spec.layers[1].softmax = vec![3, 2];
    let mut network = DenseNetwork::new(spec, options(40)).unwrap();
    let (rows, gradient) = (numbers(40 * INPUTS, 1), numbers(40 * 7, 2));
    let plain = NetworkSpec::dense(&[INPUTS, 11, 7], Activation::Tanh, 0.0, Activation::Linear);
    let mut without = DenseNetwork::new(plain, options(40)).unwrap();
    without.set_parameters(&network.parameters().unwrap()).unwrap();
    let softmax = |sums: &[f32]| -> Vec<f64> {
        let powers: Vec<f64> = sums.iter().map(|sum| f64::from(*sum).exp()).collect();
        powers.iter().map(|power| power / powers.iter().sum::<f64>()).collect()
    };
    let [sums, ..] = passes(&mut without, &rows, &gradient, None);
    let [outputs, row_gradient, gradients] = passes(&mut network, &rows, &gradient, None);
    let mut of_sums = Vec::new();
    for ((sums, outputs), gradient) in sums.chunks(7).zip(outputs.chunks(7)).zip(gradient.chunks(7)) {
        assert_eq!(outputs[..2], sums[..2]);
        of_sums.extend(&gradient[..2]);
        for group in [2..5, 5..7] {
            let expected = softmax(&sums[group.clone()]);
            assert!(distance(outputs[group.clone()].iter().copied(), &expected) <= 1e-6);
            let along: f64 = expected.iter().zip(&gradient[group.clone()]).map(|(y, of)| y * f64::from(*of)).sum();
            of_sums.extend(expected.iter().zip(&gradient[group]).map(|(y, of)| (y * (f64::from(*of) - along)) as f32));
        }
    }
    let [_, of_rows, of_parameters] = passes(&mut without, &rows, &of_sums, None);
    assert!(distance(row_gradient.into_iter(), &wide(&of_rows)) <= 1e-5);
    assert!(distance(gradients.into_iter(), &wide(&of_parameters)) <= 1e-5);

    // In training each group is a draw, nearly one of its categories, and goes by the seed.
    let [draws, ..] = passes(&mut network, &rows, &gradient, Some(1));
    let [others, ..] = passes(&mut network, &rows, &gradient, Some(2));
    assert!(draws == passes(&mut network, &rows, &gradient, Some(1))[0] && draws != others);
    let sharp = draws.chunks(7).filter(|row| row[2..5].iter().any(|value| *value > 0.9)).count();
    assert!(sharp > 20, "{sharp} of 40 with a temperature of {SOFTMAX_TEMPERATURE}");
    let total = |row: &[f32]| row.iter().sum::<f32>();
    assert!(draws.chunks(7).all(|row| (total(&row[2..5]) - 1.0).abs() < 1e-5 && (total(&row[5..]) - 1.0).abs() < 1e-5));
}

#[test]
fn a_layer_of_zeros_keeps_a_direction() {
    let rows = numbers(40 * INPUTS, 1);
    let mut network = network(spec(19, Activation::Relu), options(40));
    let before = network.parameters().unwrap();
    let forward = |network: &mut DenseNetwork, parameters: &[LayerTensors]| {
        network.set_parameters(parameters).unwrap();
        for seed in 0..40 {
            network.forward_in_training(&rows, seed, &mut [0.0; 40 * OUTPUTS]).unwrap();
        }
        let mut outputs = [0.0; 40 * OUTPUTS];
        network.forward(&rows, &mut outputs).unwrap();
        outputs
    };
    let expected = forward(&mut network, &before);
    let mut zeros = before.clone();
    zeros[1].weight.fill(0.0);
    let with_vector = |mut parameters: Vec<LayerTensors>, vector: &[f32]| {
        parameters[1].buffers[0].copy_from_slice(vector);
        parameters
    };
    forward(&mut network, &zeros);
    let kept = network.parameters().unwrap()[1].buffers[0].clone();
    assert!(kept == before[1].buffers[0]);
    // From no direction at all a layer begins as a new one, also where its weights are zeros.
    for begun in [with_vector(before.clone(), &[0.0; 19]), with_vector(zeros, &[0.0; 19])] {
        forward(&mut network, &begun);
        let vector = network.parameters().unwrap()[1].buffers[0].clone();
        assert!((vector.iter().map(|value| value * value).sum::<f32>() - 1.0).abs() < 1e-5, "{vector:?}");
        let found = forward(&mut network, &with_vector(before.clone(), &vector));
        assert!(distance(found.into_iter(), &wide(&expected)) <= 1e-3);
    }
}

#[test]
fn misuse_is_an_error_that_changes_nothing() {
    let mut network = network(spec(19, Activation::Relu), options(130));
    let before = network.parameters().unwrap();
    let rows = numbers(130 * INPUTS, 1);
    let forward = |network: &mut DenseNetwork, count: usize| {
        network.forward_in_training(&rows[..count * INPUTS], 1, &mut vec![0.0; count * OUTPUTS])
    };
    let message = forward(&mut network, 1).unwrap_err().to_string();
    assert_eq!(
        message,
        "rows: expected two rows or more in each group of batch normalization, which has 16, found 1 rows, the last alone in its group; add \
         or leave out a row"
    );
    // An evaluation looks at one row at a time.
    network.forward(&rows[..INPUTS], &mut [0.0; OUTPUTS]).unwrap();
    assert!(network.parameters().unwrap() == before);

    let mut wrong = before.clone();
    wrong[0].buffers[1].pop();
    let message = network.set_parameters(&wrong).unwrap_err().to_string();
    assert_eq!(message, "network.0.running_var: expected 19 values, found 18 values");
    wrong[0].buffers.pop();
    assert!(matches!(network.set_parameters(&wrong), Err(Error::Shape { .. })));
    assert!(network.parameters().unwrap() == before);

    // A pass that fails is none.
    let mut infinite = before.clone();
    infinite[2].bias[0] = f32::INFINITY;
    network.set_parameters(&infinite).unwrap();
    assert!(forward(&mut network, 64).unwrap_err().to_string().starts_with("layer 2 of the network"));
    assert!(buffers(&network) == infinite.iter().map(|layer| layer.buffers.clone()).collect::<Vec<_>>());
    let mut strange = before.clone();
    strange[0].buffers[1][3] = -7.0;
    let message = network.set_parameters(&strange).unwrap_err().to_string();
    assert_eq!(message, "network.0.running_var: -7 is not a finite number from 0 on");
    strange[0].buffers[1][3] = 7.0;
    strange[1].buffers[0][2] = f32::NAN;
    let message = network.set_parameters(&strange).unwrap_err().to_string();
    assert_eq!(message, "network.1.singular_vector: NaN is not finite");
    assert!(network.parameters().unwrap() == infinite);
    network.set_parameters(&before).unwrap();
    forward(&mut network, 64).unwrap();
    network.backward(&[1.0; 64 * OUTPUTS], None, GradientMode::Overwrite).unwrap();

    let needed = network.memory();
    let made = |limit: u64| DenseNetwork::new(spec(19, Activation::Relu), options(130).with_memory_limit(limit));
    made(needed).unwrap();
    assert!(matches!(made(needed - 1), Err(Error::MemoryLimit { .. })));
}
