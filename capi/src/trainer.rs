//! Trainers: made, run, stopped, asked.

use std::ffi::{c_char, c_void};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gannet::gan::Trainer;

use crate::arguments;
use crate::border::call;
use crate::data::GannetData;
use crate::flat;
use crate::handles::{self, Handled};
use crate::options::GannetOptions;
use crate::report::{GannetInfo, GannetProgress, GannetReport};
use crate::settings;
use crate::status::{Failure, GannetStatus};
use crate::versioned;

/// Trains one GAN.
#[derive(Debug)]
pub struct GannetTrainer {
    _opaque: [u8; 0],
}

/// What the handle stands for.
pub(crate) struct Training {
    pub(crate) trainer: Trainer<'static>,
    stop: Arc<AtomicBool>,
}

impl Handled for Training {
    type Opaque = GannetTrainer;
    const NAME: &'static str = "GannetTrainer";

    fn stop_flag(&self) -> *mut AtomicBool {
        Arc::as_ptr(&self.stop).cast_mut()
    }
}

/// The generator, where a function takes a network.
pub const GANNET_GENERATOR: i32 = 0;

/// The discriminator.
pub const GANNET_DISCRIMINATOR: i32 = 1;

/// Makes a trainer: checks everything, takes all memory, draws initial weights.
///
/// `settings` is the name of a preset, or JSON text with the tables and names of `config.toml`: `{"run": {"preset": "circle"}, "gan":
/// {...}}`. What `options` and its fields leave out has defaults; it may be NULL.
///
/// # Safety
///
/// What `data` and `options` point to can be read. What `data` lends stays until the trainer is freed. A pointer can be written to
/// `trainer`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_new(
    settings: *const c_char,
    data: *const GannetData,
    options: *const GannetOptions,
    trainer: *mut *mut GannetTrainer,
) -> GannetStatus {
    call(|| {
        arguments::check_place(trainer, "trainer")?;
        let handle = handles::insert(|| {
            // SAFETY: of the caller.
            let described = unsafe { settings::described(settings)? };
            // SAFETY: as above.
            let source = unsafe { versioned::read(data)?.source()? };
            // SAFETY: as above.
            let options = unsafe { GannetOptions::read(options)?.resolve(described.options())? };
            let stop = Arc::new(AtomicBool::new(false));
            let trainer = Trainer::new(described.spec, source, options.with_stop(stop.clone()))?;
            Ok(Training { trainer, stop })
        })?;
        // SAFETY: of the caller.
        unsafe { arguments::put(trainer, "trainer", handle) }
    })
}

/// Frees a trainer; NULL is none. Its data are no longer borrowed.
#[unsafe(no_mangle)]
pub extern "C" fn gannet_trainer_free(trainer: *mut GannetTrainer) -> GannetStatus {
    call(|| handles::remove::<Training>(trainer))
}

/// Runs `steps` steps. After each `interval`-th step, and after the last of this call, `progress` is called with its losses; with an
/// interval of 0 after the last alone. Losses are computed only for steps that are reported. `progress`, `context` and `last` may be NULL.
///
/// The run ends early, after a whole step, where `progress` asks for it, and after `gannet_trainer_stop`; that is no error. `last->step`
/// is the number of steps done. `last` has the losses of that step, or NaN where it was not reported.
///
/// With the engine `native` no step allocates memory. A run of several threads enters its pool once, which allocates little: give a run
/// many steps.
///
/// # Safety
///
/// A `GannetReport` can be written to `last` unless it is NULL. `progress` may be called with `context`, and neither throws nor jumps.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_run(
    trainer: *mut GannetTrainer,
    steps: u64,
    interval: u64,
    progress: GannetProgress,
    context: *mut c_void,
    last: *mut GannetReport,
) -> GannetStatus {
    call(|| {
        // SAFETY: of the caller.
        unsafe { versioned::check(last)? };
        let report = handles::with(trainer, |Training { trainer, stop }| {
            let outcome = trainer.run(steps, interval, |report| {
                let report = GannetReport::from(*report);
                // SAFETY: of the caller.
                let answer = progress.map_or(0, |progress| unsafe { progress(context, &report) });
                if answer == 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            // A stop ends one run.
            stop.store(false, Ordering::Relaxed);
            let nothing = GannetReport { step: trainer.steps_done(), ..GannetReport::NOTHING };
            let of_last_step = outcome?.filter(|report| report.step == trainer.steps_done());
            Ok(of_last_step.map_or(nothing, GannetReport::from))
        })?;
        // SAFETY: of the caller.
        unsafe { versioned::write(last, &report) }
    })
}

/// Ends the run of a trainer after the step in progress, or where none is in progress, the next run before its first step. Any thread may
/// call this at any time until the trainer is freed, and so may a signal handler: where it goes well, it takes no lock and no memory.
#[unsafe(no_mangle)]
pub extern "C" fn gannet_trainer_stop(trainer: *const GannetTrainer) -> GannetStatus {
    call(|| handles::stop::<Training>(trainer))
}

/// Writes the steps that make up `epochs` passes over the data to `steps`; 0 where the data are endless.
///
/// # Safety
///
/// A number can be written to `steps`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_steps_for_epochs(
    trainer: *const GannetTrainer,
    epochs: u64,
    steps: *mut u64,
) -> GannetStatus {
    call(|| {
        let found = handles::with(trainer, |training: &mut Training| Ok(training.trainer.steps_for_epochs(epochs)))?;
        // SAFETY: of the caller.
        unsafe { arguments::put(steps, "steps", found) }
    })
}

/// Replaces a network's learning rate from its next update on. Nothing is allocated.
#[unsafe(no_mangle)]
pub extern "C" fn gannet_trainer_set_learning_rate(
    trainer: *mut GannetTrainer,
    network: i32,
    rate: f32,
) -> GannetStatus {
    call(|| {
        let network = arguments::network(network)?;
        handles::with(trainer, |training: &mut Training| Ok(training.trainer.set_learning_rate(network, rate)?))
    })
}

/// Writes what a trainer tells of itself to `info`.
///
/// # Safety
///
/// A `GannetInfo` can be written to `info`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_info(trainer: *const GannetTrainer, info: *mut GannetInfo) -> GannetStatus {
    call(|| {
        let found = handles::with(trainer, |Training { trainer, .. }| {
            let (spec, options) = (trainer.spec(), trainer.options());
            Ok(GannetInfo {
                steps_done: trainer.steps_done(),
                batch: options.batch,
                latents: spec.latents(),
                features: spec.features(),
                conditions: spec.conditions,
                generator_parameters: flat::count(&spec.generator),
                discriminator_parameters: flat::count(&spec.discriminator),
                ..GannetInfo::of_plan(&trainer.plan())
            })
        })?;
        arguments::check_place(info, "info")?;
        // SAFETY: of the caller.
        unsafe { versioned::write(info, &found) }
    })
}

/// Writes how a trainer lays its steps out to `text`, in words, with the 0 that ends it, and their length to `needed`. Either may be NULL.
///
/// # Safety
///
/// `text` is NULL or has room for `capacity` bytes; `needed` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_plan(
    trainer: *const GannetTrainer,
    text: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> GannetStatus {
    call(|| {
        let plan = handles::with(trainer, |training: &mut Training| Ok(training.trainer.plan().to_string()))?;
        // SAFETY: of the caller.
        unsafe { arguments::copy_text(&plan, text, capacity, needed) }
    })
}

/// Writes the name of the instruction set in use to `isa`: a text that is never freed.
///
/// # Safety
///
/// A pointer can be written to `isa`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_isa(trainer: *const GannetTrainer, isa: *mut *const c_char) -> GannetStatus {
    call(|| {
        let found = handles::with(trainer, |training: &mut Training| Ok(training.trainer.isa()))?;
        // SAFETY: of the caller.
        unsafe { arguments::put(isa, "isa", settings::isa_name(found).as_ptr()) }
    })
}

/// The trainer as it is, for other handles that are made of it.
pub(crate) fn with<R>(
    trainer: *const GannetTrainer,
    work: impl FnOnce(&mut Trainer<'static>) -> Result<R, Failure>,
) -> Result<R, Failure> {
    handles::with(trainer, |training: &mut Training| work(&mut training.trainer))
}
