//! The parameters of a network: one arena, in which every layer's weights and biases have their place.

use std::ops::Range;

use super::kind::Kind;
use super::spec::{Initialization, LayerSpec, NetworkSpec, Normalization};
use crate::error::{Error, Result};
use crate::kernel::noise::{self, StreamKey};
use crate::memory::{self, ArenaLayout};
use crate::simd::{Isa, LANE_GROUP};

/// The parameters of a layer, or what belongs to each of them: gradients, states of an optimizer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LayerTensors {
    /// The weights, row-major `[outputs, inputs]`.
    pub weight: Vec<f32>,
    /// The biases, `[outputs]`.
    pub bias: Vec<f32>,
}

impl LayerTensors {
    /// The tensors of a dense layer.
    pub fn new(weight: Vec<f32>, bias: Vec<f32>) -> Self {
        Self { weight, bias }
    }
}

/// Where each layer's weights and biases stand in the arena. Gradients and optimizer moments have the same layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParameterLayout {
    layers: Vec<LayerPlace>,
    /// The layer and the kind of each operation.
    operations: Vec<(usize, Kind)>,
    len: usize,
}

/// One layer's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LayerPlace {
    /// Weights, `[outputs, inputs]`; rows begin `stride` values apart, and what is in between stays zero.
    pub(crate) weight: Range<usize>,
    pub(crate) stride: usize,
    /// Length of a row.
    pub(crate) inputs: usize,
    /// Biases, `[outputs]`; they stand behind the weights.
    pub(crate) bias: Range<usize>,
}

impl LayerPlace {
    /// The layer's weights without gaps, row after row.
    fn weights<'a>(&self, arena: &'a [f32]) -> impl Iterator<Item = &'a [f32]> {
        let inputs = self.inputs;
        arena[self.weight.clone()].chunks(self.stride.max(1)).map(move |row| &row[..inputs])
    }

    /// The same, to be written.
    fn weights_mut<'a>(&self, arena: &'a mut [f32]) -> impl Iterator<Item = &'a mut [f32]> {
        let inputs = self.inputs;
        arena[self.weight.clone()].chunks_mut(self.stride.max(1)).map(move |row| &mut row[..inputs])
    }

    /// Number of weights.
    fn weight_count(&self) -> usize {
        self.weight.len() / self.stride.max(1) * self.inputs
    }
}

/// From one row of a layer's weights to the next in memory, in values: a cache line more than the row where rows would begin whole
/// multiples of 1 KiB apart, because then the rows of a tile share so few sets of the caches that they drive each other out.
pub const fn row_stride(inputs: usize) -> usize {
    const LINE: usize = 16;
    if inputs > 0 && inputs.is_multiple_of(16 * LINE) { inputs.saturating_add(LINE) } else { inputs }
}

impl ParameterLayout {
    /// The layout of a valid specification.
    pub(crate) fn new(spec: &NetworkSpec) -> Self {
        let mut arena = ArenaLayout::default();
        let layers = spec
            .layers
            .iter()
            .map(|layer| {
                let stride = row_stride(layer.inputs);
                let weight = arena.reserve(stride.saturating_mul(layer.outputs));
                LayerPlace { weight, stride, inputs: layer.inputs, bias: arena.reserve(layer.outputs) }
            })
            .collect();
        let of_layer = |(index, layer): (usize, &LayerSpec)| layer.operations().iter().map(move |kind| (index, *kind));
        let operations = spec.layers.iter().enumerate().flat_map(of_layer).collect();
        Self { layers, operations, len: arena.len() }
    }

    /// The places of the layers.
    pub(crate) fn layers(&self) -> &[LayerPlace] {
        &self.layers
    }

    /// Length of the arena in floats, padding included.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The place of layer `index`.
    pub(crate) fn layer(&self, index: usize) -> &LayerPlace {
        &self.layers[index]
    }

    /// The layer and the kind of operation `index`.
    pub(crate) fn operation(&self, index: usize) -> (usize, Kind) {
        self.operations[index]
    }

    /// Whether all of a layer's values are finite.
    fn is_finite(&self, arena: &[f32], layer: usize) -> bool {
        let place = &self.layers[layer];
        arena[place.weight.start..place.bias.end].iter().all(|value| value.is_finite())
    }

    /// The first layer of which `matches` is true for some index of the arena.
    pub(crate) fn first_layer(&self, mut matches: impl FnMut(usize) -> bool) -> Option<usize> {
        self.layers.iter().position(|place| (place.weight.start..place.bias.end).any(&mut matches))
    }

    /// The last layer with a value that is not finite.
    pub(crate) fn last_not_finite(&self, arena: &[f32]) -> Option<usize> {
        (0..self.layers.len()).rev().find(|layer| !self.is_finite(arena, *layer))
    }

    /// Copies an arena's values out.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(crate) fn tensors(&self, arena: &[f32]) -> Result<Vec<LayerTensors>> {
        let copy = |layer: &LayerPlace| {
            let (mut weight, mut bias) = (memory::room(layer.weight_count())?, memory::room(layer.bias.len())?);
            layer.weights(arena).for_each(|row| weight.extend_from_slice(row));
            bias.extend_from_slice(&arena[layer.bias.clone()]);
            Ok(LayerTensors { weight, bias })
        };
        self.layers.iter().map(copy).collect()
    }

    /// Copies tensors into an arena. `network` opens the message of an error.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where the number of layers or the length of a tensor does not fit.
    pub(crate) fn fill(&self, arena: &mut [f32], tensors: &[LayerTensors], network: &str) -> Result<()> {
        self.check(tensors, network)?;
        for (place, LayerTensors { weight, bias }) in self.layers.iter().zip(tensors) {
            for (to, from) in place.weights_mut(arena).zip(weight.chunks(place.inputs.max(1))) {
                to.copy_from_slice(from);
            }
            arena[place.bias.clone()].copy_from_slice(bias);
        }
        Ok(())
    }

    /// Checks that tensors have this layout's shapes.
    pub(crate) fn check(&self, tensors: &[LayerTensors], network: &str) -> Result<()> {
        if tensors.len() != self.layers.len() {
            let (expected, found) = (self.layers.len(), tensors.len());
            return Err(Error::shape(network, format!("{expected} layers"), format!("{found} layers")));
        }
        for (index, (place, LayerTensors { weight, bias })) in self.layers.iter().zip(tensors).enumerate() {
            for (name, len, tensor) in [("weight", place.weight_count(), weight), ("bias", place.bias.len(), bias)] {
                if tensor.len() != len {
                    return Err(Error::shape(
                        format!("{network}.{index}.{name}"),
                        format!("{len} values"),
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
            let bound = match spec.initialization {
                Initialization::Pytorch => 1.0 / inputs.sqrt(),
                Initialization::Xavier => (6.0 / (inputs + outputs)).sqrt(),
                Initialization::He => {
                    place.fill_normal(isa, weight_key, (2.0 / inputs).sqrt(), arena);
                    continue;
                }
                Initialization::Normal { sigma } => {
                    place.fill_normal(isa, weight_key, sigma, arena);
                    continue;
                }
            };
            let mut first = 0;
            for row in place.weights_mut(arena) {
                fill_uniform(isa, weight_key, first, bound, row);
                first += row.len();
            }
            // Behind a normalization biases begin at 0, as its own do in PyTorch.
            if spec.initialization == Initialization::Pytorch && layer.normalization == Normalization::None {
                fill_uniform(isa, bias_key, 0, bound, &mut arena[place.bias.clone()]);
            }
        }
    }
}

impl LayerPlace {
    /// Fills the weights with normal numbers of standard deviation `sigma`.
    fn fill_normal(&self, isa: Isa, key: StreamKey, sigma: f32, arena: &mut [f32]) {
        let mut first = 0;
        for row in self.weights_mut(arena) {
            for_padded_chunks(first, row, |first, chunk| noise::normal(isa, key, first, chunk, chunk.len()));
            row.iter_mut().for_each(|value| *value *= sigma);
            first += row.len();
        }
    }
}

/// Fills `values`, which are the elements from `first` on, with numbers uniform in `-bound .. bound`.
fn fill_uniform(isa: Isa, key: StreamKey, first: usize, bound: f32, values: &mut [f32]) {
    for_padded_chunks(first, values, |first, chunk| noise::uniform(isa, key, first, -bound, bound, chunk, chunk.len()));
}

/// Lets `fill` write a slice of any length in chunks that are whole lane groups. Every element is the first draw of a generator
/// of its own; `first` is the number of the first.
fn for_padded_chunks(first: usize, values: &mut [f32], mut fill: impl FnMut(usize, &mut [f32])) {
    const CHUNK: usize = 64 * LANE_GROUP;
    let mut padded = [0.0; CHUNK];
    for (index, chunk) in values.chunks_mut(CHUNK).enumerate() {
        fill(first + index * CHUNK, &mut padded[..chunk.len().next_multiple_of(LANE_GROUP)]);
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
            // Rows of 256 weights stand apart.
            ..NetworkSpec::dense(&[100, 300, 256, 7], Activation::Relu, 0.0, Activation::Linear)
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
        let tensors = layout.tensors(&arena).unwrap();
        let mut copy = vec![0.0; layout.len()];
        layout.fill(&mut copy, &tensors, "generator").unwrap();
        assert_eq!(copy, arena);
        let apart = layout.layer(2);
        assert_eq!((apart.stride, apart.weight.len()), (272, 7 * 272));
        assert!(
            arena[apart.weight.clone()].chunks(272).all(|row| row[256..].iter().all(|&gap| gap == 0.0)),
            "gaps are zero"
        );
        let mut wrong = tensors.clone();
        wrong[2].bias.pop();
        let message = layout.fill(&mut copy, &wrong, "generator").unwrap_err().to_string();
        assert_eq!(message, "generator.2.bias: expected 7 values, found 6 values");
        wrong.pop();
        assert!(layout.fill(&mut copy, &wrong, "generator").is_err());
        assert_eq!(layout.last_not_finite(&copy), None);
        for layer in [1, 0] {
            copy[layout.layer(layer).bias.start] = f32::INFINITY;
            assert_eq!(layout.last_not_finite(&copy), Some(1));
        }
        assert_eq!([0, 1, 2].map(|layer| layout.is_finite(&copy, layer)), [false, false, true]);
    }
}
