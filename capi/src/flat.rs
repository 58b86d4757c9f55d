//! Parameters, what belongs to each of them, or buffers beside them, as one list of numbers.

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

/// What normalizations keep of layers in a row.
pub(crate) fn buffers(layers: &[LayerTensors]) -> Vec<f32> {
    layers.iter().flat_map(|layer| layer.buffers.iter().flatten().copied()).collect()
}

/// Checks that there are as many values of something as are needed.
pub(crate) fn check_count(what: &str, values: &[f32], expected: usize) -> Result<(), Failure> {
    if values.len() == expected {
        return Ok(());
    }
    Err(Error::shape(what, format!("{expected} values"), values.len().to_string()).into())
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
    check_count(what, values, expected)?;
    for place in places {
        let (of_place, rest) = values.split_at(place.len());
        place.copy_from_slice(of_place);
        values = rest;
    }
    Ok(())
}
