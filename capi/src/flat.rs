//! Parameters, or what belongs to each of them, as one list of numbers.

use gannet::Error;
use gannet::net::{LayerSpec, LayerTensors, NetworkSpec};

use crate::arguments;
use crate::status::Failure;

/// How many weights and biases a layer has.
pub(crate) fn counts(layer: &LayerSpec) -> [usize; 2] {
    [layer.inputs.saturating_mul(layer.outputs), layer.outputs]
}

/// How many parameters a network has.
pub(crate) fn count(network: &NetworkSpec) -> usize {
    network.layers.iter().flat_map(counts).fold(0, usize::saturating_add)
}

/// Lets `read` write weights and biases of each layer of `network`, by its number, to memory of the caller that has room for `capacity`
/// values, and writes how many there are to `needed`. Without memory, only that. Nothing is allocated.
///
/// # Safety
///
/// As of [`arguments::has_room`].
pub(crate) unsafe fn copy_layers(
    network: &NetworkSpec,
    values: *mut f32,
    capacity: usize,
    needed: *mut usize,
    read: impl Fn(usize, &mut [f32], &mut [f32]) -> Result<(), Error>,
) -> Result<(), Failure> {
    let count = count(network);
    // SAFETY: of the caller.
    if unsafe { arguments::has_room(count, values, capacity, needed)? } {
        // SAFETY: there is room for as many, and the caller uses it for nothing else meanwhile.
        let mut rest = unsafe { arguments::rows_mut(values, count, 1, "values")? };
        for (index, layer) in network.layers.iter().enumerate() {
            let [weights, biases] = counts(layer);
            let (weight, after) = rest.split_at_mut(weights);
            let (bias, after) = after.split_at_mut(biases);
            read(index, weight, bias)?;
            rest = after;
        }
    }
    Ok(())
}

/// The parameters of layers in a row.
pub(crate) fn flat(layers: &[LayerTensors]) -> Vec<f32> {
    layers.iter().flat_map(|layer| layer.weight.iter().chain(&layer.bias).copied()).collect()
}

/// Checks that there are as many values as are needed.
pub(crate) fn check_count(values: &[f32], expected: usize) -> Result<(), Failure> {
    if values.len() == expected {
        return Ok(());
    }
    Err(Error::shape("parameters", format!("{expected} values"), values.len().to_string()).into())
}

/// Layers of the shapes of `layers` with these parameters.
pub(crate) fn of_flat(values: &[f32], mut layers: Vec<LayerTensors>) -> Result<Vec<LayerTensors>, Failure> {
    check_count(values, layers.iter().map(|layer| layer.weight.len() + layer.bias.len()).sum())?;
    let mut values = values.iter().copied();
    for layer in &mut layers {
        for (place, value) in layer.weight.iter_mut().chain(&mut layer.bias).zip(values.by_ref()) {
            *place = value;
        }
    }
    Ok(layers)
}
