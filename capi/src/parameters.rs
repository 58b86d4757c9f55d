//! Parameters and gradients of a trainer's networks as one list of numbers.

use gannet::gan::{Model, Network};

use crate::arguments;
use crate::border::call;
use crate::flat::{flat, of_flat};
use crate::status::GannetStatus;
use crate::trainer::{self, GannetTrainer};

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
