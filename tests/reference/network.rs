//! A network of dense layers for one sample, forward and backward (Rumelhart, Hinton and Williams 1986), with dropout as
//! Srivastava et al. 2014 have it, scaled while training, layer normalization (Ba et al. 2016), and groups of outputs whose softmax has no
//! noise.

use std::ops::Range;

use gannet::net::{LayerSpec, LayerTensors, NetworkSpec, Normalization, SOFTMAX_TEMPERATURE};

use super::{activation, numbers};

/// Weights `[outputs, inputs]` and biases of each layer.
pub(crate) type Parameters = Vec<(Vec<f64>, Vec<f64>)>;

pub(crate) fn widened(tensors: &[LayerTensors]) -> Parameters {
    tensors.iter().map(|layer| (numbers::wide(&layer.weight), numbers::wide(&layer.bias))).collect()
}

pub(crate) fn zeros(like: &Parameters) -> Parameters {
    like.iter().map(|(weight, bias)| (vec![0.0; weight.len()], vec![0.0; bias.len()])).collect()
}

/// A network's numbers in a row: each layer's weights, then its biases.
pub(crate) fn flat(tensors: &[LayerTensors]) -> impl Iterator<Item = f32> {
    tensors.iter().flat_map(|layer| layer.weight.iter().chain(&layer.bias).copied())
}

/// What a layer's weights make of `x`.
pub(crate) fn products(layer: &LayerSpec, weight: &[f64], x: &[f64]) -> Vec<f64> {
    weight.chunks(layer.inputs).map(|row| row.iter().zip(x).map(|(weight, x)| weight * x).sum()).collect()
}

/// The mean of `values`.
fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// `values` less their mean, over the root of their variance and 1e-5; and that root.
fn normalized(values: &[f64]) -> (Vec<f64>, f64) {
    let middle = mean(values.iter().copied());
    let root = (mean(values.iter().map(|value| (value - middle).powi(2))) + 1e-5).sqrt();
    (values.iter().map(|value| (value - middle) / root).collect(), root)
}

/// The gradient with respect to what a layer's weights make of `x`, from that with respect to what its biases are added to.
fn through_normalization(layer: &LayerSpec, weight: &[f64], x: &[f64], delta: Vec<f64>) -> Vec<f64> {
    if layer.normalization == Normalization::None {
        return delta;
    }
    let (normalized, root) = normalized(&products(layer, weight, x));
    let middle = mean(delta.iter().copied());
    let along = mean(delta.iter().zip(&normalized).map(|(delta, normalized)| delta * normalized));
    delta.iter().zip(&normalized).map(|(delta, normalized)| (delta - middle - normalized * along) / root).collect()
}

/// A sample's way through a network: its input, and the output of each layer. `keeps` holds for each layer that drops which of its
/// outputs are kept; an empty slice stands for a network that drops none.
pub(crate) fn forward(
    spec: &NetworkSpec,
    parameters: &Parameters,
    input: Vec<f64>,
    keeps: &[Option<&[u8]>],
) -> Vec<Vec<f64>> {
    let mut outputs = vec![input];
    for (index, (layer, (weight, bias))) in spec.layers.iter().zip(parameters).enumerate() {
        let x = &outputs[index];
        let mut sums = products(layer, weight, x);
        if layer.normalization != Normalization::None {
            sums = normalized(&sums).0;
        }
        let mut y = Vec::new();
        for (output, (sum, bias)) in sums.iter().zip(bias).enumerate() {
            let sum = sum + bias;
            let scale = match keeps.get(index).copied().flatten() {
                Some(keeps) if layer.dropout > 0.0 => f64::from(keeps[output]) / (1.0 - f64::from(layer.dropout)),
                _ => 1.0,
            };
            y.push(activation::value(layer.activation, sum) * scale);
        }
        for group in groups(layer) {
            softmax(&mut y[group]);
        }
        outputs.push(y);
    }
    outputs
}

/// The places of a layer's groups of outputs.
fn groups(layer: &LayerSpec) -> impl Iterator<Item = Range<usize>> {
    let mut first = layer.outputs - layer.softmax.iter().sum::<usize>();
    layer.softmax.iter().map(move |size| {
        first += size;
        first - size..first
    })
}

/// The softmax of a group, as steps with given numbers take it.
fn softmax(group: &mut [f64]) {
    let largest = group.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    group.iter_mut().for_each(|sum| *sum = ((*sum - largest) / f64::from(SOFTMAX_TEMPERATURE)).exp());
    let total: f64 = group.iter().sum();
    group.iter_mut().for_each(|power| *power /= total);
}

/// The gradient `delta` with respect to the outputs `y` of a layer, through the softmax of its groups.
fn through_softmax(layer: &LayerSpec, y: &[f64], mut delta: Vec<f64>) -> Vec<f64> {
    for group in groups(layer) {
        let product: f64 = y[group.clone()].iter().zip(&delta[group.clone()]).map(|(y, delta)| y * delta).sum();
        for place in group {
            delta[place] = y[place] * (delta[place] - product) / f64::from(SOFTMAX_TEMPERATURE);
        }
    }
    delta
}

/// The way back of a sample through a network that drops nothing: adds its gradient to `sums`, and returns the one with respect to
/// its input. `outputs` is what [`forward`] returned, `delta` the gradient with respect to the last of them.
pub(crate) fn backward(
    spec: &NetworkSpec,
    parameters: &Parameters,
    outputs: &[Vec<f64>],
    delta: Vec<f64>,
    sums: &mut Parameters,
) -> Vec<f64> {
    let mut delta = delta;
    for (index, layer) in spec.layers.iter().enumerate().rev() {
        let (x, y) = (&outputs[index], &outputs[index + 1]);
        let mut below = vec![0.0; layer.inputs];
        let (weight_sums, bias_sums) = &mut sums[index];
        let delta_of_sums = through_softmax(layer, y, delta);
        let of_sums: Vec<f64> =
            delta_of_sums.iter().zip(y).map(|(delta, y)| delta * activation::slope(layer.activation, *y)).collect();
        bias_sums.iter_mut().zip(&of_sums).for_each(|(sum, delta)| *sum += delta);
        for (output, delta) in through_normalization(layer, &parameters[index].0, x, of_sums).iter().enumerate() {
            for input in 0..layer.inputs {
                let place = output * layer.inputs + input;
                weight_sums[place] += delta * x[input];
                below[input] += delta * parameters[index].0[place];
            }
        }
        delta = below;
    }
    delta
}

/// The gradient of the margin with respect to a sample, where the network drops as [`forward`] says.
pub(crate) fn margin_gradient(
    spec: &NetworkSpec,
    parameters: &Parameters,
    input: Vec<f64>,
    keeps: &[Option<&[u8]>],
) -> Vec<f64> {
    let outputs = forward(spec, parameters, input, keeps);
    // Of two classes the last is "real".
    let mut delta = if spec.outputs() == 2 { vec![-1.0, 1.0] } else { vec![1.0] };
    for (index, layer) in spec.layers.iter().enumerate().rev() {
        let kept = keeps.get(index).copied().flatten().filter(|_| layer.dropout > 0.0);
        let keep = if kept.is_some() { 1.0 - f64::from(layer.dropout) } else { 1.0 };
        let of_sum = |(output, delta): (usize, &f64)| match kept {
            Some(keeps) if keeps[output] == 0 => 0.0,
            _ => delta * activation::slope(layer.activation, outputs[index + 1][output] * keep) / keep,
        };
        let of_sums = delta.iter().enumerate().map(of_sum).collect();
        let weight = &parameters[index].0;
        let mut below = vec![0.0; layer.inputs];
        let deltas = through_normalization(layer, weight, &outputs[index], of_sums);
        for (delta, row) in deltas.iter().zip(weight.chunks(layer.inputs)) {
            below.iter_mut().zip(row).for_each(|(below, weight)| *below += delta * weight);
        }
        delta = below;
    }
    delta
}
