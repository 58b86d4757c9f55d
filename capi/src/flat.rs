//! Parameters, what belongs to each of them, or buffers beside them, as one list of numbers.

use gannet::Error;
use gannet::net::{LayerTensors, NetworkSpec};

use crate::status::Failure;

/// How many parameters a network has.
pub(crate) fn count(network: &NetworkSpec) -> usize {
    let of_layer = |inputs: usize, outputs: usize| inputs.saturating_mul(outputs).saturating_add(outputs);
    network.layers.iter().fold(0usize, |sum, layer| sum.saturating_add(of_layer(layer.inputs, layer.outputs)))
}

/// The parameters of layers in a row.
pub(crate) fn flat(layers: &[LayerTensors]) -> Vec<f32> {
    layers.iter().flat_map(|layer| layer.weight.iter().chain(&layer.bias).copied()).collect()
}

/// What normalizations keep of layers in a row.
pub(crate) fn buffers(layers: &[LayerTensors]) -> Vec<f32> {
    layers.iter().flat_map(|layer| layer.buffers.iter().flatten().copied()).collect()
}

/// Layers of the shapes of `layers` with these parameters.
pub(crate) fn of_flat(values: &[f32], mut layers: Vec<LayerTensors>) -> Result<Vec<LayerTensors>, Failure> {
    let places = layers.iter_mut().flat_map(|layer| [&mut layer.weight, &mut layer.bias]).collect();
    fill("parameters", values, places)?;
    Ok(layers)
}

/// The same `layers` with these buffers.
pub(crate) fn with_buffers(values: &[f32], mut layers: Vec<LayerTensors>) -> Result<Vec<LayerTensors>, Failure> {
    fill("buffers", values, layers.iter_mut().flat_map(|layer| &mut layer.buffers).collect())?;
    Ok(layers)
}

/// Copies `values` to `places`, one behind the other.
fn fill(what: &str, mut values: &[f32], places: Vec<&mut Vec<f32>>) -> Result<(), Failure> {
    let expected: usize = places.iter().map(|place| place.len()).sum();
    if values.len() != expected {
        return Err(Error::shape(what, format!("{expected} values"), values.len().to_string()).into());
    }
    for place in places {
        let (of_place, rest) = values.split_at(place.len());
        place.copy_from_slice(of_place);
        values = rest;
    }
    Ok(())
}
