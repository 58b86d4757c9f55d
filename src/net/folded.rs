//! A network as it is after training: what a normalization has made of the weights, or learned about the data, becomes part of weights and
//! biases, and the layer is an ordinary one, without dropout.

use super::parameters::ParameterLayout;
use super::pass::NetworkView;
use super::spec::{NetworkSpec, Normalization};
use super::spectral::SpectralWeights;
use crate::error::Result;
use crate::kernel::batch_normalization::EPSILON;
use crate::memory::AlignedBuffer;
use crate::parallel::Team;
use crate::simd::Isa;

/// A network whose layers keep no buffers.
#[derive(Debug)]
pub(crate) struct Folded {
    pub(crate) spec: NetworkSpec,
    pub(crate) layout: ParameterLayout,
    pub(crate) parameters: AlignedBuffer,
}

impl Folded {
    /// The network of `spec` with these parameters.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfMemory`].
    pub(crate) fn new(spec: &NetworkSpec, layout: &ParameterLayout, parameters: &[f32], isa: Isa) -> Result<Self> {
        let spectral = SpectralWeights::new(&Team::serial(), isa, spec, layout, parameters)?;
        let parameters = spectral.as_ref().map_or(parameters, SpectralWeights::arena);
        Self::of_seen(NetworkView { spec, layout, parameters })
    }

    /// The network whose passes see these parameters: weights that spectral normalization has made, where a layer has it.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfMemory`].
    pub(crate) fn of_seen(seen: NetworkView<'_>) -> Result<Self> {
        let spec = Self::spec(seen.spec);
        let layout = ParameterLayout::new(&spec);
        let parameters = AlignedBuffer::zeroed(layout.len())?;
        let mut folded = Self { spec, layout, parameters };
        folded.follow(seen);
        Ok(folded)
    }

    /// The specification of what a network becomes.
    pub(crate) fn spec(of: &NetworkSpec) -> NetworkSpec {
        let mut spec = of.clone();
        for layer in &mut spec.layers {
            layer.dropout = 0.0;
            if layer.normalization.is_settled_apart() {
                layer.normalization = Normalization::None;
            }
        }
        spec
    }

    /// Follows the parameters that passes of the network see.
    pub(crate) fn follow(&mut self, seen: NetworkView<'_>) {
        // The buffers stand behind what is left.
        self.parameters.copy_from_slice(&seen.parameters[..self.layout.len()]);
        for_each_row(seen, &mut self.parameters, |row, (mean, inverse), bias| {
            row.iter_mut().for_each(|weight| *weight *= inverse);
            *bias -= mean * inverse;
        });
    }

    /// Takes gradients with respect to the folded parameters to those with respect to the parameters that passes see. Running statistics
    /// are constants.
    pub(crate) fn take_through(seen: NetworkView<'_>, gradients: &mut [f32]) {
        for_each_row(seen, gradients, |row, (_, inverse), _| row.iter_mut().for_each(|weight| *weight *= inverse));
    }
}

/// Calls `work` with each row of weights in the arena whose sums batch normalization normalizes; with their running mean and the inverse of
/// their deviation; and with their bias.
fn for_each_row(seen: NetworkView<'_>, arena: &mut [f32], work: impl Fn(&mut [f32], (f32, f32), &mut f32)) {
    for (layer, place) in seen.spec.layers.iter().zip(seen.layout.layers()) {
        let (Normalization::Batch, [means, variances]) = (layer.normalization, place.buffers.as_slice()) else {
            continue;
        };
        let (weights, biases) =
            arena[place.weight.start..place.bias.end].split_at_mut(place.bias.start - place.weight.start);
        let rows = weights.chunks_mut(place.stride.max(1)).zip(biases);
        let statistics = seen.parameters[means.clone()].iter().zip(&seen.parameters[variances.clone()]);
        for ((row, bias), (mean, variance)) in rows.zip(statistics) {
            work(&mut row[..place.inputs], (*mean, 1.0 / (variance + EPSILON).sqrt()), bias);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemm::EngineKind;
    use crate::net::panels::{Panels, PassContext, PassPlan};
    use crate::net::pass::{Alone, forward};
    use crate::net::{Activation, LayerTensors};
    use crate::reference::numbers::numbers;
    use crate::simd::LANE_GROUP;

    /// Two layers, the first of which has this normalization, with numbers for everything that it has.
    fn network(normalization: Normalization) -> (NetworkSpec, Vec<LayerTensors>) {
        let mut spec = NetworkSpec::dense(&[3, 4, 2], Activation::Tanh, 0.0, Activation::Linear);
        spec.layers[0].normalization = normalization;
        let first = LayerTensors::new(numbers(12, 1), numbers(4, 2));
        let buffers = match normalization {
            Normalization::Batch => vec![numbers(4, 3), numbers(4, 4).iter().map(|value| value.abs() + 0.1).collect()],
            _ => Vec::new(),
        };
        (spec, vec![first.with_buffers(buffers), LayerTensors::new(numbers(8, 5), numbers(2, 6))])
    }

    /// What the network gives for one sample, as it is after training.
    fn output(spec: &NetworkSpec, tensors: &[LayerTensors], sample: &[f32], isa: Isa) -> Vec<f32> {
        let layout = ParameterLayout::new(spec);
        let mut parameters = AlignedBuffer::zeroed(layout.len()).unwrap();
        layout.fill(&mut parameters, tensors, "network").unwrap();
        let Folded { spec, layout, parameters } = Folded::new(spec, &layout, &parameters, isa).unwrap();
        let Alone { trace, mut tape } = Alone::new(&spec, LANE_GROUP).unwrap();
        let rows = tape.get_mut(trace.input(), LANE_GROUP).chunks_exact_mut(LANE_GROUP);
        rows.zip(sample).for_each(|(row, value)| row.fill(*value));
        let plan = PassPlan { isa, engine: EngineKind::default().engine(), tasks: 1 };
        let context = PassContext { team: &Team::serial(), plan: &plan, panels: Panels::one(LANE_GROUP) };
        let view = NetworkView { spec: &spec, layout: &layout, parameters: &parameters };
        forward(&context, view, &[], &trace, &mut tape);
        tape.get(trace.output(), LANE_GROUP).chunks_exact(LANE_GROUP).map(|row| row[0]).collect()
    }

    /// The same in f64, where the sums of the first layer become what `normalized` makes of each.
    fn expected(tensors: &[LayerTensors], sample: &[f32], normalized: impl Fn(usize, f64) -> f64) -> Vec<f64> {
        let wide = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect::<Vec<f64>>();
        let products = |layer: &LayerTensors, x: &[f64]| -> Vec<f64> {
            let rows = layer.weight.chunks(x.len()).map(wide);
            rows.map(|row| row.iter().zip(x).map(|(weight, x)| weight * x).sum()).collect()
        };
        let sums = products(&tensors[0], &wide(sample));
        let hidden: Vec<f64> = sums
            .iter()
            .enumerate()
            .map(|(index, sum)| (normalized(index, *sum) + f64::from(tensors[0].bias[index])).tanh())
            .collect();
        products(&tensors[1], &hidden).iter().zip(&tensors[1].bias).map(|(sum, bias)| sum + f64::from(*bias)).collect()
    }

    fn compare(name: &str, found: &[f32], expected: &[f64]) {
        let is_near = |(found, expected): (&f32, &f64)| (f64::from(*found) - expected).abs() < 1e-5;
        assert!(found.iter().zip(expected).all(is_near), "{name}: {found:?}, not {expected:?}");
    }

    #[test]
    fn running_statistics_stand_in_for_those_of_a_batch() {
        let (spec, tensors) = network(Normalization::Batch);
        let [means, variances] = [0, 1].map(|buffer| tensors[0].buffers[buffer].clone());
        let normalized = |index: usize, sum: f64| {
            (sum - f64::from(means[index])) / (f64::from(variances[index]) + f64::from(EPSILON)).sqrt()
        };
        let sample = [0.5, -1.0, 2.0];
        for isa in Isa::available() {
            compare("batch", &output(&spec, &tensors, &sample, isa), &expected(&tensors, &sample, normalized));
            // New ones are a mean of 0 and a variance of 1.
            let mut anew = tensors.clone();
            anew[0].buffers.clear();
            let normalized = |_, sum: f64| sum / (1.0 + f64::from(EPSILON)).sqrt();
            compare("anew", &output(&spec, &anew, &sample, isa), &expected(&anew, &sample, normalized));
        }
    }

    #[test]
    fn weights_are_divided_by_their_largest_singular_value() {
        let (spec, mut tensors) = network(Normalization::Spectral);
        // Orthogonal rows: the singular values are their lengths.
        tensors[0].weight = vec![2.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, -0.25, 0.0, 0.0, 0.0];
        let sample = [0.5, -1.0, 2.0];
        for isa in Isa::available() {
            let found = output(&spec, &tensors, &sample, isa);
            compare("spectral", &found, &expected(&tensors, &sample, |_, sum| sum / 2.0));
            let mut zeros = tensors.clone();
            zeros[0].weight.fill(0.0);
            let found = output(&spec, &zeros, &sample, isa);
            compare("zeros", &found, &expected(&zeros, &sample, |_, _| 0.0));
        }
    }
}
