//! Parameters and gradients of a trainer's networks as one list of numbers.

use gannet::Error;
use gannet::gan::{Model, Network};
use gannet::net::{LayerTensors, NetworkSpec};

use crate::arguments;
use crate::border::call;
use crate::status::{Failure, GannetStatus};
use crate::trainer::{self, GannetTrainer};

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

/// Copies a network's parameters in training to `values`, which has room for `capacity` of them, and their number to `needed`; either may
/// be NULL. They stand layer after layer: the weights, `[outputs, inputs]`, row-major, then the biases. What normalizations keep beside
/// them is not among them.
///
/// # Safety
///
/// `values` is NULL or has that room; `needed` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_parameters(
    trainer: *const GannetTrainer,
    network: i32,
    values: *mut f32,
    capacity: usize,
    needed: *mut usize,
) -> GannetStatus {
    call(|| {
        let network = arguments::network(network)?;
        let found = trainer::with(trainer, |trainer| Ok(flat(trainer.raw_model()?.network(network))))?;
        // SAFETY: of the caller.
        unsafe { arguments::copy_out(&found, values, capacity, needed) }
    })
}

/// The same of the gradients over the batch of the network's last update.
///
/// # Safety
///
/// `values` is NULL or has that room; `needed` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_gradients(
    trainer: *const GannetTrainer,
    network: i32,
    values: *mut f32,
    capacity: usize,
    needed: *mut usize,
) -> GannetStatus {
    call(|| {
        let network = arguments::network(network)?;
        let found = trainer::with(trainer, |trainer| Ok(flat(trainer.gradients()?.network(network))))?;
        // SAFETY: of the caller.
        unsafe { arguments::copy_out(&found, values, capacity, needed) }
    })
}

/// Replaces a network's parameters by `count` values in the order of `gannet_trainer_parameters`. What the optimizer remembers stays; an
/// average of the generator's parameters begins anew. A trainer whose last step failed takes steps again.
///
/// # Safety
///
/// As many values can be read at `values`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_set_parameters(
    trainer: *mut GannetTrainer,
    network: i32,
    values: *const f32,
    count: usize,
) -> GannetStatus {
    call(|| {
        let network = arguments::network(network)?;
        // SAFETY: of the caller.
        let values = unsafe { arguments::rows(values, count, 1, "values")? };
        trainer::with(trainer, |trainer| {
            let Model { mut generator, mut discriminator, .. } = trainer.raw_model()?;
            match network {
                Network::Generator => generator = of_flat(values, generator)?,
                Network::Discriminator => discriminator = of_flat(values, discriminator)?,
            }
            Ok(trainer.set_model(&Model::new(generator, discriminator))?)
        })
    })
}
