//! A network of dense layers for a group of samples that batch normalization looks at together (Ioffe and Szegedy 2015), forward and
//! backward; or for samples one by one, with running statistics in the place of the group's.

use gannet::net::{LayerTensors, NetworkSpec, Normalization};

use super::activation;
use super::network::{Parameters, products};
use super::numbers::wide;

/// A group's way through a network and back.
pub(crate) struct Group {
    /// Of each sample.
    pub(crate) outputs: Vec<Vec<f64>>,
    pub(crate) row_gradients: Vec<Vec<f64>>,
    /// For each layer with batch normalization the means of its sums over the group, and their variances by the formula for a sample.
    pub(crate) statistics: Vec<Option<[Vec<f64>; 2]>>,
}

/// What batch normalization has made of a layer's sums.
struct Normalized {
    /// The normalized sums of each sample.
    sums: Vec<Vec<f64>>,
    /// By what each sum was multiplied.
    inverse: Vec<f64>,
}

fn mean(values: impl Iterator<Item = f64>, count: usize) -> f64 {
    values.sum::<f64>() / count as f64
}

/// The sum of squared distances from the mean.
fn squares(values: &[f64]) -> (f64, f64) {
    let middle = mean(values.iter().copied(), values.len());
    (middle, values.iter().map(|value| (value - middle).powi(2)).sum())
}

/// Takes `rows` through the network and `deltas`, the gradient with respect to its outputs, back; adds the gradients of the parameters to
/// `sums`. With `running` the layers' buffers stand in for the statistics of the group.
pub(crate) fn pass(
    spec: &NetworkSpec,
    parameters: &Parameters,
    (rows, deltas): (Vec<Vec<f64>>, Vec<Vec<f64>>),
    running: Option<&[LayerTensors]>,
    sums: &mut Parameters,
) -> Group {
    let (count, mut values) = (rows.len(), vec![rows]);
    let mut statistics = Vec::new();
    let mut normalized: Vec<Option<Normalized>> = Vec::new();
    for (index, (layer, (weight, bias))) in spec.layers.iter().zip(parameters).enumerate() {
        let mut of_layer: Vec<Vec<f64>> = values[index].iter().map(|x| products(layer, weight, x)).collect();
        statistics.push(None);
        normalized.push(None);
        if layer.normalization == Normalization::Batch {
            let found: Vec<(f64, f64)> = (0..layer.outputs)
                .map(|output| squares(&of_layer.iter().map(|sums| sums[output]).collect::<Vec<_>>()))
                .collect();
            let means: Vec<f64> = found.iter().map(|(mean, _)| *mean).collect();
            let variances = |count: f64| found.iter().map(|(_, squares)| squares / count).collect::<Vec<f64>>();
            statistics[index] = Some([means.clone(), variances(count as f64 - 1.0)]);
            let [means, variances] = match running {
                Some(tensors) => [0, 1].map(|buffer| wide(&tensors[index].buffers[buffer])),
                None => [means, variances(count as f64)],
            };
            let inverse: Vec<f64> = variances.iter().map(|variance| 1.0 / (variance + 1e-5).sqrt()).collect();
            for sums in &mut of_layer {
                for (output, sum) in sums.iter_mut().enumerate() {
                    *sum = (*sum - means[output]) * inverse[output];
                }
            }
            normalized[index] = Some(Normalized { sums: of_layer.clone(), inverse });
        }
        let activate = |sums: Vec<f64>| {
            sums.iter().zip(bias).map(|(sum, bias)| activation::value(layer.activation, sum + bias)).collect()
        };
        values.push(of_layer.into_iter().map(activate).collect());
    }
    let mut deltas = deltas;
    for (index, layer) in spec.layers.iter().enumerate().rev() {
        for (delta, y) in deltas.iter_mut().zip(&values[index + 1]) {
            delta.iter_mut().zip(y).for_each(|(delta, y)| *delta *= activation::slope(layer.activation, *y));
        }
        let (weight_sums, bias_sums) = &mut sums[index];
        for delta in &deltas {
            bias_sums.iter_mut().zip(delta).for_each(|(sum, delta)| *sum += delta);
        }
        if let Some(Normalized { sums: normalized, inverse }) = &normalized[index] {
            for output in 0..layer.outputs {
                let of_group = || deltas.iter().zip(normalized).map(|(delta, n)| (delta[output], n[output]));
                // Running statistics do not move with the rows.
                let [middle, along] = match running {
                    Some(_) => [0.0; 2],
                    None => [mean(of_group().map(|(d, _)| d), count), mean(of_group().map(|(d, n)| d * n), count)],
                };
                for (delta, n) in deltas.iter_mut().zip(normalized) {
                    delta[output] = (delta[output] - middle - n[output] * along) * inverse[output];
                }
            }
        }
        for (delta, x) in deltas.iter_mut().zip(&values[index]) {
            let mut below = vec![0.0; layer.inputs];
            for (output, delta) in delta.iter().enumerate() {
                for input in 0..layer.inputs {
                    let place = output * layer.inputs + input;
                    weight_sums[place] += delta * x[input];
                    below[input] += delta * parameters[index].0[place];
                }
            }
            *delta = below;
        }
    }
    Group { outputs: values.pop().unwrap_or_default(), row_gradients: deltas, statistics }
}
