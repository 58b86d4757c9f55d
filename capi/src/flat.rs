//! Parameters, or what belongs to each of them, as one list of numbers.

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

/// Layers of the shapes of `layers` with these parameters.
pub(crate) fn of_flat(values: &[f32], mut layers: Vec<LayerTensors>) -> Result<Vec<LayerTensors>, Failure> {
    let expected: usize = layers.iter().map(|layer| layer.weight.len() + layer.bias.len()).sum();
    if values.len() != expected {
        return Err(Error::shape("parameters", format!("{expected} values"), values.len().to_string()).into());
    }
    let mut values = values.iter().copied();
    for layer in &mut layers {
        for (place, value) in layer.weight.iter_mut().chain(&mut layer.bias).zip(values.by_ref()) {
            *place = value;
        }
    }
    Ok(layers)
}
