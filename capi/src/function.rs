//! Networks after training as functions of rows.

use std::ffi::c_char;
use std::path::Path;

use gannet::gan::{Model, NetworkFunction};

use crate::arguments;
use crate::border::call;
use crate::handles::{self, Handled};
use crate::settings;
use crate::status::{Failure, GannetStatus};
use crate::trainer::{self, GannetTrainer};

/// A network as a function of rows.
#[derive(Debug)]
pub struct GannetFunction {
    _opaque: [u8; 0],
}

/// What the handle stands for.
pub(crate) struct Function(NetworkFunction);

impl Handled for Function {
    type Opaque = GannetFunction;
    const NAME: &'static str = "GannetFunction";
}

/// Makes a function of `make`'s, and writes its handle.
///
/// # Safety
///
/// A pointer can be written to `place`.
unsafe fn put(
    place: *mut *mut GannetFunction,
    make: impl FnOnce() -> Result<NetworkFunction, Failure>,
) -> Result<(), Failure> {
    arguments::check_place(place, "function")?;
    let handle = handles::insert(|| make().map(Function))?;
    // SAFETY: of the caller.
    unsafe { arguments::put(place, "function", handle) }
}

/// Makes a function of a copy of a trainer's network as it is now: training may go on beside it.
///
/// # Safety
///
/// A pointer can be written to `function`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_function(
    trainer: *const GannetTrainer,
    network: i32,
    function: *mut *mut GannetFunction,
) -> GannetStatus {
    let make = || {
        let network = arguments::network(network)?;
        trainer::with(trainer, |trainer| Ok(trainer.function(network)?))
    };
    // SAFETY: of the caller.
    call(|| unsafe { put(function, make) })
}

/// Makes a function of a network in a file: a model or a checkpoint of a GAN of these `settings`. `isa` may be NULL.
///
/// # Safety
///
/// The texts end with 0. A pointer can be written to `function`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_function_load(
    settings: *const c_char,
    path: *const c_char,
    network: i32,
    isa: *const c_char,
    function: *mut *mut GannetFunction,
) -> GannetStatus {
    let make = || {
        let network = arguments::network(network)?;
        // SAFETY: of the caller.
        let spec = unsafe { settings::described(settings)? }.spec;
        // SAFETY: as above.
        let path = unsafe { arguments::text(path, "path")? };
        // SAFETY: as above.
        let isa = unsafe { settings::isa(isa)? };
        Ok(NetworkFunction::new(&Model::load(&spec, Path::new(path))?, &spec, network, isa)?)
    };
    // SAFETY: of the caller.
    call(|| unsafe { put(function, make) })
}

/// The same of the `count` bytes of such a file.
///
/// # Safety
///
/// As many bytes can be read at `bytes`; the texts end with 0. A pointer can be written to `function`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_function_load_memory(
    settings: *const c_char,
    bytes: *const u8,
    count: usize,
    network: i32,
    isa: *const c_char,
    function: *mut *mut GannetFunction,
) -> GannetStatus {
    let make = || {
        let network = arguments::network(network)?;
        // SAFETY: of the caller.
        let spec = unsafe { settings::described(settings)? }.spec;
        // SAFETY: as above.
        let bytes = unsafe { arguments::bytes(bytes, count)? };
        // SAFETY: as above.
        let isa = unsafe { settings::isa(isa)? };
        let model = Model::from_safetensors(bytes, &spec, "the model in memory")?;
        Ok(NetworkFunction::new(&model, &spec, network, isa)?)
    };
    // SAFETY: of the caller.
    call(|| unsafe { put(function, make) })
}

/// Makes another handle of the same network, for another thread: the weights are not copied.
///
/// # Safety
///
/// A pointer can be written to `shared`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_function_share(
    function: *const GannetFunction,
    shared: *mut *mut GannetFunction,
) -> GannetStatus {
    let make = || handles::with(function, |Function(function)| Ok(function.share()?));
    // SAFETY: of the caller.
    call(|| unsafe { put(shared, make) })
}

/// Frees a function; NULL is none.
#[unsafe(no_mangle)]
pub extern "C" fn gannet_function_free(function: *mut GannetFunction) -> GannetStatus {
    call(|| handles::remove::<Function>(function))
}

/// Writes the values of a row of the input to `inputs`, and those of the output to `outputs`; either may be NULL.
///
/// # Safety
///
/// Each is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_function_shape(
    function: *const GannetFunction,
    inputs: *mut usize,
    outputs: *mut usize,
) -> GannetStatus {
    call(|| {
        let found = handles::with(function, |Function(function)| Ok([function.inputs(), function.outputs()]))?;
        for (place, value) in [inputs, outputs].into_iter().zip(found) {
            if !place.is_null() {
                // SAFETY: of the caller.
                unsafe { arguments::put(place, "a size", value)? };
            }
        }
        Ok(())
    })
}

/// Writes the network's answer to each row of `rows`, `[count, inputs]`, to `answers`, `[count, outputs]`; both are row-major. Nothing is
/// allocated.
///
/// # Safety
///
/// As many values can be read at `rows` and written at `answers`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_function_apply(
    function: *mut GannetFunction,
    rows: *const f32,
    count: usize,
    answers: *mut f32,
) -> GannetStatus {
    call(|| {
        handles::with(function, |Function(function)| {
            let (inputs, outputs) = (function.inputs(), function.outputs());
            let size = |features: usize| count.saturating_mul(features);
            arguments::check_apart((rows, size(inputs)), (answers, size(outputs)), "rows and answers")?;
            // SAFETY: of the caller; what is written shares no memory with what is read.
            let rows = unsafe { arguments::rows(rows, count, inputs, "rows")? };
            // SAFETY: as above.
            let answers = unsafe { arguments::rows_mut(answers, count, outputs, "answers")? };
            Ok(function.apply(rows, answers)?)
        })
    })
}
