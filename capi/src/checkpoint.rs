//! Saving a trainer and going on from what was saved, in files and in memory.

use std::ffi::c_char;
use std::path::Path;

use gannet::gan::{Changes, Checkpoint};

use crate::arguments;
use crate::border::call;
use crate::status::{Failure, GannetStatus};
use crate::trainer::{self, GannetTrainer};

/// Settings that are not those of the checkpoint are an error.
pub const GANNET_REFUSE_CHANGES: i32 = 0;

/// Settings that are not those of the checkpoint hold from now on.
pub const GANNET_ALLOW_CHANGES: i32 = 1;

/// What to do with settings that were changed.
fn changes(number: i32) -> Result<Changes, Failure> {
    match number {
        GANNET_REFUSE_CHANGES => Ok(Changes::Refused),
        GANNET_ALLOW_CHANGES => Ok(Changes::Allowed),
        _ => {
            let problem = format!("changes is {number}; use GANNET_REFUSE_CHANGES or GANNET_ALLOW_CHANGES");
            Err(Failure::argument(problem))
        }
    }
}

/// Writes a checkpoint to a file: everything that a run needs to go on as if it had never stopped. What stood there before is replaced
/// whole or not at all.
///
/// # Safety
///
/// `path` ends with 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_save(trainer: *const GannetTrainer, path: *const c_char) -> GannetStatus {
    call(|| {
        // SAFETY: of the caller.
        let path = unsafe { arguments::text(path, "path")? };
        trainer::with(trainer, |trainer| Ok(trainer.checkpoint()?.save(trainer.spec(), Path::new(path))?))
    })
}

/// Goes on from a checkpoint in a file. What follows is, bit for bit, what would have followed in the run that it was taken of, at any
/// number of threads. `changes` is `GANNET_REFUSE_CHANGES` or `GANNET_ALLOW_CHANGES`. Where this fails, the trainer is as it was. A trainer
/// whose last step failed takes steps again.
///
/// # Safety
///
/// `path` ends with 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_load(
    trainer: *mut GannetTrainer,
    path: *const c_char,
    changes: i32,
) -> GannetStatus {
    call(|| {
        let changes = self::changes(changes)?;
        // SAFETY: of the caller.
        let path = unsafe { arguments::text(path, "path")? };
        trainer::with(trainer, |trainer| {
            let checkpoint = Checkpoint::load(trainer.spec(), Path::new(path))?;
            Ok(trainer.restore(&checkpoint, changes)?)
        })
    })
}

/// Copies a checkpoint, the bytes of such a file, to `bytes`, which has room for `capacity` of them, and their number to `needed`; either
/// may be NULL. Between two steps the number does not change.
///
/// # Safety
///
/// `bytes` is NULL or has that room; `needed` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_save_memory(
    trainer: *const GannetTrainer,
    bytes: *mut u8,
    capacity: usize,
    needed: *mut usize,
) -> GannetStatus {
    call(|| {
        let found = trainer::with(trainer, |trainer| Ok(trainer.checkpoint()?.to_safetensors(trainer.spec())?))?;
        // SAFETY: of the caller.
        unsafe { arguments::copy_out(&found, bytes, capacity, needed) }
    })
}

/// Goes on from a checkpoint in memory, as `gannet_trainer_load` does from one in a file.
///
/// # Safety
///
/// `count` bytes can be read at `bytes`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_load_memory(
    trainer: *mut GannetTrainer,
    bytes: *const u8,
    count: usize,
    changes: i32,
) -> GannetStatus {
    call(|| {
        let changes = self::changes(changes)?;
        // SAFETY: of the caller.
        let bytes = unsafe { arguments::bytes(bytes, count)? };
        trainer::with(trainer, |trainer| {
            let checkpoint = Checkpoint::from_safetensors(bytes, trainer.spec(), "the checkpoint in memory")?;
            Ok(trainer.restore(&checkpoint, changes)?)
        })
    })
}

/// Writes both networks alone to a file, as samples are made by them.
///
/// # Safety
///
/// `path` ends with 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_save_model(trainer: *const GannetTrainer, path: *const c_char) -> GannetStatus {
    call(|| {
        // SAFETY: of the caller.
        let path = unsafe { arguments::text(path, "path")? };
        trainer::with(trainer, |trainer| Ok(trainer.model()?.save(trainer.spec(), Path::new(path))?))
    })
}

/// Copies both networks alone, the bytes of such a file, to `bytes`, as `gannet_trainer_save_memory` does with a checkpoint.
///
/// # Safety
///
/// `bytes` is NULL or has room for `capacity` bytes; `needed` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_save_model_memory(
    trainer: *const GannetTrainer,
    bytes: *mut u8,
    capacity: usize,
    needed: *mut usize,
) -> GannetStatus {
    call(|| {
        let found = trainer::with(trainer, |trainer| Ok(trainer.model()?.to_safetensors(trainer.spec())?))?;
        // SAFETY: of the caller.
        unsafe { arguments::copy_out(&found, bytes, capacity, needed) }
    })
}
