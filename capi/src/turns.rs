//! Turns of one network alone.

use std::ffi::c_void;

use gannet::Error;

use crate::arguments;
use crate::border::call;
use crate::report::GannetReport;
use crate::status::GannetStatus;
use crate::trainer::{self, GannetTrainer};
use crate::versioned;

/// Answers the fakes of a generator's turn: gets `fakes`, `[batch, features]`, row-major, and writes the gradient of a loss with respect
/// to them, summed over the batch as the loss is, to `gradient`, which has the same shape and is 0 before. Returns 0; anything else ends
/// the turn before it changes anything, with `GANNET_CALLBACK`.
pub type GannetAnswer = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        fakes: *const f32,
        gradient: *mut f32,
        batch: usize,
        features: usize,
    ) -> i32,
>;

/// The discriminator's turn of a step alone. As many of them as the setting `discriminator_steps` says and one of the generator are a
/// step, bit for bit. `report` may be NULL.
///
/// # Safety
///
/// A `GannetReport` can be written to `report` unless it is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_step_discriminator(
    trainer: *mut GannetTrainer,
    report: *mut GannetReport,
) -> GannetStatus {
    call(|| {
        // SAFETY: of the caller.
        unsafe { versioned::check(report)? };
        let found = trainer::with(trainer, |trainer| {
            let found = trainer.step_discriminator()?;
            Ok(GannetReport { step: trainer.steps_done(), ..found.into() })
        })?;
        // SAFETY: of the caller.
        unsafe { versioned::write(report, &found) }
    })
}

/// The generator's turn of a step alone. `report` may be NULL.
///
/// # Safety
///
/// A `GannetReport` can be written to `report` unless it is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_step_generator(
    trainer: *mut GannetTrainer,
    report: *mut GannetReport,
) -> GannetStatus {
    call(|| {
        // SAFETY: of the caller.
        unsafe { versioned::check(report)? };
        let found = trainer::with(trainer, |trainer| Ok(trainer.step_generator()?.into()))?;
        // SAFETY: of the caller.
        unsafe { versioned::write(report, &found) }
    })
}

/// The generator's turn with a loss of the caller's: `answer` is called with the fakes, and the generator is updated by the gradient that
/// it writes. The discriminator takes no part.
///
/// # Safety
///
/// `answer` may be called with `context`, and neither throws nor jumps.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_step_generator_with(
    trainer: *mut GannetTrainer,
    answer: GannetAnswer,
    context: *mut c_void,
) -> GannetStatus {
    call(|| {
        let answer = answer.ok_or_else(|| arguments::null("answer"))?;
        trainer::with(trainer, |trainer| {
            let (batch, features) = (trainer.options().batch, trainer.spec().features());
            Ok(trainer.step_generator_with(|fakes, gradient| {
                // SAFETY: of the caller; both are `[batch, features]`.
                match unsafe { answer(context, fakes.as_ptr(), gradient.as_mut_ptr(), batch, features) } {
                    0 => Ok(()),
                    other => Err(Error::callback(format!("the callback that answers the fakes returned {other}"))),
                }
            })?)
        })
    })
}
