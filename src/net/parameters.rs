//! The parameters of a network: one arena, in which every layer's weights and biases have their place.

use std::ops::Range;

use super::kind::Kind;
use super::spec::{Initialization, LayerSpec, NetworkSpec, Normalization};
use crate::error::{Error, Result};
use crate::kernel::noise::{self, StreamKey};
use crate::kernel::spectral::{Matrix, leading};
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
    /// What the layer's normalization keeps beside them, each `[outputs]`, in the order of [their names](Normalization::buffers). Gradients and
    /// states of an optimizer have none. Where parameters have none but should, they are taken as new: means 0 and variances 1, and the singular
    /// vector that a few power iterations find.
    pub buffers: Vec<Vec<f32>>,
}

impl LayerTensors {
    /// The tensors of a layer without [buffers](Self::buffers).
    pub fn new(weight: Vec<f32>, bias: Vec<f32>) -> Self {
        Self { weight, bias, buffers: Vec::new() }
    }

    /// The same tensors with these [buffers](Self::buffers).
    #[must_use]
    pub fn with_buffers(mut self, buffers: Vec<Vec<f32>>) -> Self {
        self.buffers = buffers;
        self
    }
}

/// Where each layer's weights and biases stand in the arena. Gradients and optimizer moments have the same layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParameterLayout {
    layers: Vec<LayerPlace>,
    /// The layer and the kind of each operation.
    operations: Vec<(usize, Kind)>,
    trained: usize,
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
    /// What its normalization keeps, and how that begins.
    normalization: Normalization,
    /// Its buffers, `[outputs]` each; they stand behind the parameters of all layers.
    pub(crate) buffers: Vec<Range<usize>>,
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

    /// The weights as they stand in the arena.
    pub(crate) fn matrix<'a>(&self, arena: &'a [f32]) -> Matrix<'a> {
        Matrix { values: &arena[self.weight.clone()], stride: self.stride, columns: self.inputs }
    }

    /// Gives the buffers the values that they begin with.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    fn begin_buffers(&self, arena: &mut [f32]) -> Result<()> {
        match (self.normalization, self.buffers.as_slice()) {
            (Normalization::Batch, [means, variances]) => {
                arena[means.clone()].fill(0.0);
                arena[variances.clone()].fill(1.0);
            }
            (Normalization::Spectral, [singular]) => {
                let (trained, buffers) = arena.split_at_mut(singular.start);
                let (mut right, mut products) =
                    (memory::filled(self.inputs, 0.0)?, memory::filled(singular.len(), 0.0)?);
                leading(self.matrix(trained), &mut buffers[..singular.len()], &mut right, &mut products);
            }
            _ => (),
        }
        Ok(())
    }

    /// Number of weights.
    pub(crate) fn weight_count(&self) -> usize {
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
        let mut layers: Vec<LayerPlace> = spec
            .layers
            .iter()
            .map(|layer| {
                let stride = row_stride(layer.inputs);
                let weight = arena.reserve(stride.saturating_mul(layer.outputs));
                let bias = arena.reserve(layer.outputs);
                let normalization = layer.normalization;
                LayerPlace { weight, stride, inputs: layer.inputs, bias, normalization, buffers: Vec::new() }
            })
            .collect();
        let trained = arena.len();
        for place in &mut layers {
            let names = place.normalization.buffers();
            place.buffers = names.iter().map(|_| arena.reserve(place.bias.len())).collect();
        }
        let of_layer = |(index, layer): (usize, &LayerSpec)| layer.operations().iter().map(move |kind| (index, *kind));
        let operations = spec.layers.iter().enumerate().flat_map(of_layer).collect();
        Self { layers, operations, trained, len: arena.len() }
    }

    /// The places of the layers.
    pub(crate) fn layers(&self) -> &[LayerPlace] {
        &self.layers
    }

    /// Length of the arena in floats, padding included.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Length of what an optimizer changes, from the beginning of the arena on: all but the buffers.
    pub(crate) fn trained(&self) -> usize {
        self.trained
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

    /// Copies the values of an arena of parameters out.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(crate) fn tensors(&self, arena: &[f32]) -> Result<Vec<LayerTensors>> {
        let mut tensors = self.trained_tensors(arena)?;
        for (layer, place) in tensors.iter_mut().zip(&self.layers) {
            layer.buffers =
                place.buffers.iter().map(|buffer| memory::copied(&arena[buffer.clone()])).collect::<Result<_>>()?;
        }
        Ok(tensors)
    }

    /// The same without buffers: of gradients, or a state of an optimizer.
    pub(crate) fn trained_tensors(&self, arena: &[f32]) -> Result<Vec<LayerTensors>> {
        let copy = |layer: &LayerPlace| {
            let mut weight = memory::room(layer.weight_count())?;
            layer.weights(arena).for_each(|row| weight.extend_from_slice(row));
            Ok(LayerTensors::new(weight, memory::copied(&arena[layer.bias.clone()])?))
        };
        self.layers.iter().map(copy).collect()
    }

    /// Copies layer `index`'s weights and biases out, to slices of their lengths.
    pub(crate) fn read_layer(&self, arena: &[f32], index: usize, (weight, bias): (&mut [f32], &mut [f32])) {
        let place = &self.layers[index];
        for (to, from) in weight.chunks_mut(place.inputs.max(1)).zip(place.weights(arena)) {
            to.copy_from_slice(from);
        }
        bias.copy_from_slice(&arena[place.bias.clone()]);
    }

    /// Copies weights and biases of the right lengths into layer `index`.
    pub(crate) fn fill_layer(&self, arena: &mut [f32], index: usize, (weight, bias): (&[f32], &[f32])) {
        let place = &self.layers[index];
        for (to, from) in place.weights_mut(arena).zip(weight.chunks(place.inputs.max(1))) {
            to.copy_from_slice(from);
        }
        arena[place.bias.clone()].copy_from_slice(bias);
    }

    /// Copies parameters into an arena. `network` opens the message of an error.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where the number of layers or the length of a tensor does not fit.
    pub(crate) fn fill(&self, arena: &mut [f32], tensors: &[LayerTensors], network: &str) -> Result<()> {
        self.check(tensors, network)?;
        self.fill_trained(arena, tensors, network)?;
        for (place, LayerTensors { buffers, .. }) in self.layers.iter().zip(tensors) {
            // A singular vector of 0 is none: no iteration comes away from it.
            let is_none = |buffer: &Vec<f32>| buffer.iter().all(|value| *value == 0.0);
            if buffers.is_empty() || place.normalization == Normalization::Spectral && buffers.iter().all(is_none) {
                place.begin_buffers(arena)?;
                continue;
            }
            for (to, from) in place.buffers.iter().zip(buffers) {
                arena[to.clone()].copy_from_slice(from);
            }
        }
        Ok(())
    }

    /// The same without buffers: of a state of an optimizer.
    pub(crate) fn fill_trained(&self, arena: &mut [f32], tensors: &[LayerTensors], network: &str) -> Result<()> {
        self.check_trained(tensors, network)?;
        for (index, LayerTensors { weight, bias, .. }) in tensors.iter().enumerate() {
            self.fill_layer(arena, index, (weight, bias));
        }
        Ok(())
    }

    /// Checks that parameters have this layout's shapes.
    pub(crate) fn check(&self, tensors: &[LayerTensors], network: &str) -> Result<()> {
        self.check_trained(tensors, network)?;
        for (index, (place, LayerTensors { buffers, .. })) in self.layers.iter().zip(tensors).enumerate() {
            let (expected, found) = (place.buffers.len(), buffers.len());
            if found != 0 && found != expected {
                let (of_layer, normalization) = (format!("{network}.{index}.buffers"), place.normalization.name());
                let expected = format!("{expected} tensors (normalization {normalization})");
                return Err(Error::shape(of_layer, expected, format!("{found} tensors")));
            }
            for ((name, buffer), values) in place.normalization.buffers().iter().zip(&place.buffers).zip(buffers) {
                check_len(network, (index, name), buffer.len(), values)?;
            }
        }
        Ok(())
    }

    /// Checks that buffers of these shapes are what normalizations keep.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for a value that is not finite, and for a negative variance.
    pub(crate) fn check_buffers(&self, tensors: &[LayerTensors], network: &str) -> Result<()> {
        for (index, (place, LayerTensors { buffers, .. })) in self.layers.iter().zip(tensors).enumerate() {
            for (number, (name, values)) in place.normalization.buffers().iter().zip(buffers).enumerate() {
                let is_variance = place.normalization == Normalization::Batch && number == 1;
                let is_wrong = |value: &&f32| !value.is_finite() || is_variance && **value < 0.0;
                if let Some(value) = values.iter().find(is_wrong) {
                    let needed = if is_variance { "a finite number from 0 on" } else { "finite" };
                    return Err(Error::setting(
                        format!("{network}.{index}.{name}"),
                        format!("{value} is not {needed}"),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Checks that tensors without buffers have this layout's shapes.
    pub(crate) fn check_trained(&self, tensors: &[LayerTensors], network: &str) -> Result<()> {
        if tensors.len() != self.layers.len() {
            let (expected, found) = (self.layers.len(), tensors.len());
            return Err(Error::shape(network, format!("{expected} layers"), format!("{found} layers")));
        }
        for (index, (place, LayerTensors { weight, bias, .. })) in self.layers.iter().zip(tensors).enumerate() {
            check_len(network, (index, "weight"), place.weight_count(), weight)?;
            check_len(network, (index, "bias"), place.bias.len(), bias)?;
        }
        Ok(())
    }

    /// Draws initial values as `spec` asks, from the stream `key`.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(crate) fn initialize(&self, spec: &NetworkSpec, isa: Isa, key: StreamKey, arena: &mut [f32]) -> Result<()> {
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
            if spec.initialization == Initialization::Pytorch && !layer.normalization.is_of_sums() {
                fill_uniform(isa, bias_key, 0, bound, &mut arena[place.bias.clone()]);
            }
        }
        self.layers.iter().try_for_each(|place| place.begin_buffers(arena))
    }
}

/// Checks the length of a layer's tensor.
fn check_len(network: &str, (layer, name): (usize, &str), len: usize, tensor: &[f32]) -> Result<()> {
    if tensor.len() == len {
        return Ok(());
    }
    let (expected, found) = (format!("{len} values"), format!("{} values", tensor.len()));
    Err(Error::shape(format!("{network}.{layer}.{name}"), expected, found))
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
        layout.initialize(&spec, Isa::best(), StreamKey::new(seed, 0, 0), &mut arena).unwrap();
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
