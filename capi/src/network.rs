//! Networks as functions that can be differentiated: a layer of another program.

use std::ffi::c_char;

use gannet::gan::{DenseNetwork, GradientMode};

use crate::arguments;
use crate::border::call;
use crate::flat;
use crate::handles::{self, Handled};
use crate::options::GannetOptions;
use crate::settings;
use crate::status::{Failure, GannetStatus};

/// A network that another program trains as one of its layers. Its parameters are the caller's to update.
#[derive(Debug)]
pub struct GannetNetwork {
    _opaque: [u8; 0],
}

/// What the handle stands for.
pub(crate) struct Layers(DenseNetwork);

impl Handled for Layers {
    type Opaque = GannetNetwork;
    const NAME: &'static str = "GannetNetwork";
}

/// A backward pass leaves the gradients of the parameters alone.
pub const GANNET_IGNORE_GRADIENTS: i32 = 0;

/// A backward pass replaces the gradients of the parameters.
pub const GANNET_OVERWRITE_GRADIENTS: i32 = 1;

/// A backward pass adds to the gradients of the parameters.
pub const GANNET_ACCUMULATE_GRADIENTS: i32 = 2;

/// What to do with the gradients of the parameters.
fn gradient_mode(number: i32) -> Result<GradientMode, Failure> {
    match number {
        GANNET_IGNORE_GRADIENTS => Ok(GradientMode::Ignore),
        GANNET_OVERWRITE_GRADIENTS => Ok(GradientMode::Overwrite),
        GANNET_ACCUMULATE_GRADIENTS => Ok(GradientMode::Accumulate),
        _ => {
            let names = "GANNET_IGNORE_GRADIENTS, GANNET_OVERWRITE_GRADIENTS or GANNET_ACCUMULATE_GRADIENTS";
            Err(Failure::argument(format!("mode is {number}; use {names}")))
        }
    }
}

/// Makes a network: checks everything, takes all memory, draws initial weights.
///
/// `settings` are those of a network alone, such as `{"layers": [{"inputs": 8, "outputs": 2}]}`, whichever `network` is; or those of
/// `gannet_trainer_new`, of which it takes one network, and the other may be left out. Of `options` it takes the batch, which is the most rows of
/// a pass, the seed, threads, memory limit and instruction set; it may be NULL.
///
/// # Safety
///
/// What `options` points to can be read. A pointer can be written to `made`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_network_new(
    settings: *const c_char,
    network: i32,
    options: *const GannetOptions,
    made: *mut *mut GannetNetwork,
) -> GannetStatus {
    call(|| {
        arguments::check_place(made, "made")?;
        let network = arguments::network(network)?;
        let handle = handles::insert(|| {
            // SAFETY: of the caller.
            let (spec, usual) = unsafe { settings::layers(settings, network)? };
            // SAFETY: as above.
            let options = unsafe { GannetOptions::read(options)?.resolve(usual)? };
            Ok(Layers(DenseNetwork::new(spec, options)?))
        })?;
        // SAFETY: of the caller.
        unsafe { arguments::put(made, "made", handle) }
    })
}

/// Frees a network; NULL is none.
#[unsafe(no_mangle)]
pub extern "C" fn gannet_network_free(network: *mut GannetNetwork) -> GannetStatus {
    call(|| handles::remove::<Layers>(network))
}

/// Writes the values of a row of the input to `inputs`, those of the output to `outputs`, and the number of parameters to `parameters`; each
/// may be NULL.
///
/// # Safety
///
/// Each is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_network_shape(
    network: *const GannetNetwork,
    inputs: *mut usize,
    outputs: *mut usize,
    parameters: *mut usize,
) -> GannetStatus {
    call(|| {
        let found = handles::with(network, |Layers(network)| {
            let spec = network.spec();
            Ok([spec.inputs(), spec.outputs(), flat::count(spec)])
        })?;
        for (place, value) in [inputs, outputs, parameters].into_iter().zip(found) {
            if !place.is_null() {
                // SAFETY: of the caller.
                unsafe { arguments::put(place, "a size", value)? };
            }
        }
        Ok(())
    })
}

/// Writes the network's answer to each row of `rows`, `[count, inputs]`, to `answers`, `[count, outputs]`; both are row-major.
///
/// Where `training_seed` is NULL, it is that of the network as it is after training: nothing is dropped, running statistics stand in for those
/// of the rows, and groups of outputs are probabilities. Else the pass is one in training: dropout and groups of outputs are drawn by
/// `*training_seed`, batch normalization takes the statistics of the rows, over groups of them, and the buffers follow the pass.
///
/// # Safety
///
/// As many values can be read at `rows` and written at `answers`; `training_seed` is NULL or can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_network_forward(
    network: *mut GannetNetwork,
    rows: *const f32,
    count: usize,
    training_seed: *const u64,
    answers: *mut f32,
) -> GannetStatus {
    call(|| {
        let seed = if training_seed.is_null() {
            None
        } else {
            arguments::check_place(training_seed.cast_mut(), "training_seed")?;
            // SAFETY: of the caller; neither NULL nor unaligned.
            Some(unsafe { *training_seed })
        };
        handles::with(network, |Layers(network)| {
            let (inputs, outputs) = (network.spec().inputs(), network.spec().outputs());
            let size = |features: usize| count.saturating_mul(features);
            arguments::check_apart((rows, size(inputs)), (answers, size(outputs)), "rows and answers")?;
            // SAFETY: of the caller; what is written shares no memory with what is read.
            let rows = unsafe { arguments::rows(rows, count, inputs, "rows")? };
            // SAFETY: as above.
            let answers = unsafe { arguments::rows_mut(answers, count, outputs, "answers")? };
            match seed {
                Some(seed) => network.forward_in_training(rows, seed, answers)?,
                None => network.forward(rows, answers)?,
            }
            Ok(())
        })
    })
}

/// Goes back from the gradient of a loss with respect to the answers of the last forward pass, `gradient`, `[count, outputs]`: writes that
/// with respect to its rows to `row_gradient`, `[count, inputs]`, unless that is NULL, and keeps those of the parameters as `mode` says:
/// `GANNET_IGNORE_GRADIENTS`, `GANNET_OVERWRITE_GRADIENTS` or `GANNET_ACCUMULATE_GRADIENTS`.
///
/// # Safety
///
/// As many values can be read at `gradient`, and written at `row_gradient` unless it is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_network_backward(
    network: *mut GannetNetwork,
    gradient: *const f32,
    count: usize,
    row_gradient: *mut f32,
    mode: i32,
) -> GannetStatus {
    call(|| {
        let mode = gradient_mode(mode)?;
        handles::with(network, |Layers(network)| {
            let (inputs, outputs) = (network.spec().inputs(), network.spec().outputs());
            let size = |features: usize| count.saturating_mul(features);
            let name = "gradient and row_gradient";
            arguments::check_apart((gradient, size(outputs)), (row_gradient, size(inputs)), name)?;
            // SAFETY: of the caller; what is written shares no memory with what is read.
            let gradient = unsafe { arguments::rows(gradient, count, outputs, "gradient")? };
            let rows = if row_gradient.is_null() {
                None
            } else {
                // SAFETY: as above.
                Some(unsafe { arguments::rows_mut(row_gradient, count, inputs, "row_gradient")? })
            };
            Ok(network.backward(gradient, rows, mode)?)
        })
    })
}

/// Copies the parameters to `values`, which has room for `capacity` of them, and their number to `needed`; either may be NULL. They stand
/// layer after layer: the weights, `[outputs, inputs]`, row-major, then the biases. Nothing is allocated.
///
/// # Safety
///
/// `values` is NULL or has that room; `needed` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_network_parameters(
    network: *const GannetNetwork,
    values: *mut f32,
    capacity: usize,
    needed: *mut usize,
) -> GannetStatus {
    call(|| {
        handles::with(network, |Layers(network)| {
            let read = |layer, weight: &mut [f32], bias: &mut [f32]| network.read_layer(layer, weight, bias);
            // SAFETY: of the caller.
            unsafe { flat::copy_layers(network.spec(), values, capacity, needed, read) }
        })
    })
}

/// Copies what normalizations keep beside the parameters to `values`, which has room for `capacity` numbers, and their number to `needed`; either
/// may be NULL. They stand layer after layer, a number for each output: of batch normalization the running means, then the running
/// variances; of spectral normalization the left singular vector with which the next power iteration begins. With the parameters they are all
/// that a checkpoint of the network needs.
///
/// # Safety
///
/// `values` is NULL or has that room; `needed` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_network_buffers(
    network: *const GannetNetwork,
    values: *mut f32,
    capacity: usize,
    needed: *mut usize,
) -> GannetStatus {
    call(|| {
        let found = handles::with(network, |Layers(network)| Ok(flat::buffers(&network.parameters()?)))?;
        // SAFETY: of the caller.
        unsafe { arguments::copy_out(&found, values, capacity, needed) }
    })
}

/// Copies the gradients of the parameters, as `gannet_network_parameters` does with the parameters.
///
/// # Safety
///
/// `values` is NULL or has that room; `needed` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_network_gradients(
    network: *const GannetNetwork,
    values: *mut f32,
    capacity: usize,
    needed: *mut usize,
) -> GannetStatus {
    call(|| {
        handles::with(network, |Layers(network)| {
            let read = |layer, weight: &mut [f32], bias: &mut [f32]| network.read_layer_gradients(layer, weight, bias);
            // SAFETY: of the caller.
            unsafe { flat::copy_layers(network.spec(), values, capacity, needed, read) }
        })
    })
}

/// Replaces the parameters by `count` values in the order of `gannet_network_parameters`. The buffers stay. A backward pass then needs a
/// new forward pass first. Nothing is allocated.
///
/// # Safety
///
/// As many values can be read at `values`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_network_set_parameters(
    network: *mut GannetNetwork,
    values: *const f32,
    count: usize,
) -> GannetStatus {
    call(|| {
        // SAFETY: of the caller.
        let values = unsafe { arguments::rows(values, count, 1, "values")? };
        handles::with(network, |Layers(network)| {
            flat::check_count("parameters", values, flat::count(network.spec()))?;
            let mut rest = values;
            for index in 0..network.spec().layers.len() {
                let [weights, biases] = flat::counts(&network.spec().layers[index]);
                let (weight, after) = rest.split_at(weights);
                let (bias, after) = after.split_at(biases);
                network.set_layer(index, weight, bias)?;
                rest = after;
            }
            Ok(())
        })
    })
}

/// Replaces what normalizations keep by `count` values in the order of `gannet_network_buffers`. The parameters stay. A backward pass then
/// needs a new forward pass first.
///
/// # Safety
///
/// As many values can be read at `values`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_network_set_buffers(
    network: *mut GannetNetwork,
    values: *const f32,
    count: usize,
) -> GannetStatus {
    call(|| {
        // SAFETY: of the caller.
        let values = unsafe { arguments::rows(values, count, 1, "values")? };
        handles::with(network, |Layers(network)| {
            Ok(network.set_parameters(&flat::with_buffers(values, network.parameters()?)?)?)
        })
    })
}
