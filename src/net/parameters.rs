//! The parameters of a network: one arena, in which every layer's weights and biases have their place.

use std::ops::Range;

use super::spec::{Initialization, NetworkSpec};
use crate::error::{Error, Result};
use crate::kernel::noise::{self, StreamKey};
use crate::memory::ArenaLayout;
use crate::simd::{Isa, LANE_GROUP};

/// The weights and biases of one network outside of an arena: for each layer the weights `[outputs, inputs]`, row-major, and
/// the biases `[outputs]`.
pub type LayerTensors = Vec<(Vec<f32>, Vec<f32>)>;

/// Where each layer's weights and biases stand in the arena. Gradients and optimizer moments have the same layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParameterLayout {
    layers: Vec<LayerPlace>,
    len: usize,
}

/// One layer's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LayerPlace {
    /// Weights, `[outputs, inputs]`, row-major.
    pub(crate) weight: Range<usize>,
    /// Biases, `[outputs]`; they stand behind the weights.
    pub(crate) bias: Range<usize>,
}

impl ParameterLayout {
    /// The layout of a valid specification.
    pub(crate) fn new(spec: &NetworkSpec) -> Self {
        let mut arena = ArenaLayout::default();
        let layers = spec
            .layers
            .iter()
            .map(|layer| LayerPlace {
                weight: arena.reserve(layer.inputs.saturating_mul(layer.outputs)),
                bias: arena.reserve(layer.outputs),
            })
            .collect();
        Self { layers, len: arena.len() }
    }

    /// Length of the arena in floats, padding included.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The place of layer `index`.
    pub(crate) fn layer(&self, index: usize) -> &LayerPlace {
        &self.layers[index]
    }

    /// The first layer with a value that is not finite.
    pub(crate) fn first_not_finite(&self, arena: &[f32]) -> Option<usize> {
        self.layers
            .iter()
            .position(|layer| arena[layer.weight.start..layer.bias.end].iter().any(|value| !value.is_finite()))
    }

    /// Copies an arena's values out.
    pub(crate) fn tensors(&self, arena: &[f32]) -> LayerTensors {
        self.layers
            .iter()
            .map(|layer| (arena[layer.weight.clone()].to_vec(), arena[layer.bias.clone()].to_vec()))
            .collect()
    }

    /// Copies tensors into an arena. `network` opens the message of an error.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where the number of layers or the length of a tensor does not fit.
    pub(crate) fn fill(&self, arena: &mut [f32], tensors: &LayerTensors, network: &str) -> Result<()> {
        self.check(tensors, network)?;
        for (place, (weight, bias)) in self.layers.iter().zip(tensors) {
            arena[place.weight.clone()].copy_from_slice(weight);
            arena[place.bias.clone()].copy_from_slice(bias);
        }
        Ok(())
    }

    /// Checks that tensors have this layout's shapes.
    pub(crate) fn check(&self, tensors: &LayerTensors, network: &str) -> Result<()> {
        if tensors.len() != self.layers.len() {
            let (expected, found) = (self.layers.len(), tensors.len());
            return Err(Error::shape(network, format!("{expected} layers"), format!("{found} layers")));
        }
        for (index, (place, (weight, bias))) in self.layers.iter().zip(tensors).enumerate() {
            for (name, place, tensor) in [("weight", &place.weight, weight), ("bias", &place.bias, bias)] {
                if tensor.len() != place.len() {
                    return Err(Error::shape(
                        format!("{network}.{index}.{name}"),
                        format!("{} values", place.len()),
                        format!("{} values", tensor.len()),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Draws initial values as `spec` asks, from the stream `key`.
    pub(crate) fn initialize(&self, spec: &NetworkSpec, isa: Isa, key: StreamKey, arena: &mut [f32]) {
        for (index, (layer, place)) in spec.layers.iter().zip(&self.layers).enumerate() {
            let (inputs, outputs) = (layer.inputs as f32, layer.outputs as f32);
            let (weight_key, bias_key) = (key.block(2 * index), key.block(2 * index + 1));
            let mut uniform = |place: &Range<usize>, key, bound: f32| {
                for_padded_chunks(&mut arena[place.clone()], |first, chunk| {
                    noise::uniform(isa, key, first, -bound, bound, chunk, chunk.len());
                });
            };
            match spec.initialization {
                Initialization::Pytorch => {
                    let bound = 1.0 / inputs.sqrt();
                    uniform(&place.weight, weight_key, bound);
                    uniform(&place.bias, bias_key, bound);
                }
                Initialization::Xavier => uniform(&place.weight, weight_key, (6.0 / (inputs + outputs)).sqrt()),
                Initialization::He => {
                    fill_normal(isa, weight_key, (2.0 / inputs).sqrt(), &mut arena[place.weight.clone()]);
                }
                Initialization::Normal { sigma } => {
                    fill_normal(isa, weight_key, sigma, &mut arena[place.weight.clone()]);
                }
            }
        }
    }
}

/// Normal numbers of standard deviation `sigma`, every element the first draw of a generator of its own.
fn fill_normal(isa: Isa, key: StreamKey, sigma: f32, values: &mut [f32]) {
    for_padded_chunks(values, |first, chunk| noise::normal(isa, key, first, chunk, chunk.len()));
    values.iter_mut().for_each(|value| *value *= sigma);
}

/// Lets `fill` write a slice of any length in chunks that are whole lane groups.
fn for_padded_chunks(values: &mut [f32], mut fill: impl FnMut(usize, &mut [f32])) {
    const CHUNK: usize = 64 * LANE_GROUP;
    let mut padded = [0.0; CHUNK];
    for (index, chunk) in values.chunks_mut(CHUNK).enumerate() {
        fill(index * CHUNK, &mut padded);
        chunk.copy_from_slice(&padded[..chunk.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::activation::Activation;

    fn drawn(initialization: Initialization, seed: u64) -> (ParameterLayout, Vec<f32>) {
        let spec = NetworkSpec {
            initialization,
            ..NetworkSpec::dense(&[100, 300, 7], Activation::Relu, 0.0, Activation::Linear)
        };
        let layout = ParameterLayout::new(&spec);
        let mut arena = vec![0.0; layout.len()];
        layout.initialize(&spec, Isa::best(), StreamKey::new(seed, 0, 0), &mut arena);
        (layout, arena)
    }

    fn moments(values: &[f32]) -> (f64, f64) {
        let count = values.len() as f64;
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / count;
        (mean, (values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / count).sqrt())
    }

    #[test]
    fn initial_values_have_the_stated_distribution() {
        // The standard deviation of a uniform distribution in ±b is b / sqrt(3).
        let uniform = |bound: f64| bound / 3f64.sqrt();
        let cases = [
            (Initialization::Pytorch, uniform(0.1), 0.1),
            (Initialization::Xavier, uniform((6f64 / 400.0).sqrt()), (6f64 / 400.0).sqrt()),
            (Initialization::He, 0.02f64.sqrt(), f64::INFINITY),
            (Initialization::Normal { sigma: 0.5 }, 0.5, f64::INFINITY),
        ];
        for (initialization, deviation, bound) in cases {
            let (layout, arena) = drawn(initialization, 5);
            let weight = &arena[layout.layer(0).weight.clone()];
            let (mean, found) = moments(weight);
            assert!((found / deviation - 1.0).abs() < 0.02, "{initialization:?}: s.d. {found} instead of {deviation}");
            assert!(mean.abs() < deviation * 0.02, "{initialization:?}: mean {mean}");
            assert!(weight.iter().all(|v| f64::from(v.abs()) <= bound), "{initialization:?}: beyond the bound");
            let bias = &arena[layout.layer(0).bias.clone()];
            let drawn = bias.iter().any(|v| *v != 0.0);
            assert_eq!(drawn, initialization == Initialization::Pytorch, "{initialization:?}: biases");
        }
    }

    #[test]
    fn seeds_and_layers_differ_and_repeat() {
        let (layout, first) = drawn(Initialization::Pytorch, 1);
        assert_eq!(first, drawn(Initialization::Pytorch, 1).1);
        assert_ne!(first, drawn(Initialization::Pytorch, 2).1);
        assert_ne!(first[layout.layer(0).weight.start] * 3f32.sqrt(), first[layout.layer(1).weight.start]);
    }

    #[test]
    fn tensors_go_in_and_out() {
        let (layout, arena) = drawn(Initialization::Pytorch, 1);
        let tensors = layout.tensors(&arena);
        let mut copy = vec![0.0; layout.len()];
        layout.fill(&mut copy, &tensors, "generator").unwrap();
        assert_eq!(copy, arena);
        let mut wrong = tensors.clone();
        wrong[1].1.pop();
        let message = layout.fill(&mut copy, &wrong, "generator").unwrap_err().to_string();
        assert_eq!(message, "generator.1.bias: expected 7 values, found 6 values");
        wrong.pop();
        assert!(layout.fill(&mut copy, &wrong, "generator").is_err());
        assert_eq!(layout.first_not_finite(&copy), None);
        copy[layout.layer(1).bias.start] = f32::INFINITY;
        assert_eq!(layout.first_not_finite(&copy), Some(1));
    }
}
