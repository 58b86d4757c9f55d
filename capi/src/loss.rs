//! The adversarial loss as a part of its own: a discriminator that any generator can train against.

use std::ffi::c_char;

use gannet::Error;
use gannet::gan::ModularLoss;
use gannet::net::NetworkSpec;

use crate::arguments;
use crate::border::call;
use crate::flat;
use crate::handles::{self, Handled};
use crate::options::GannetOptions;
use crate::report::{GannetInfo, GannetReport};
use crate::settings;
use crate::status::GannetStatus;
use crate::versioned;

/// A discriminator with its optimizer, which answers fakes with the gradient of the generator's loss.
#[derive(Debug)]
pub struct GannetLoss {
    _opaque: [u8; 0],
}

/// What the handle stands for.
pub(crate) struct Loss {
    loss: ModularLoss,
    discriminator: NetworkSpec,
    batch: usize,
    steps: u64,
}

impl Handled for Loss {
    type Opaque = GannetLoss;
    const NAME: &'static str = "GannetLoss";
}

/// Makes a loss: checks everything, takes all memory, draws the discriminator's initial weights.
///
/// Of `settings`, which are those of `gannet_trainer_new`, it takes the discriminator, its optimizer, the objective and the penalties; the
/// generator may be left out. Of `options` it takes everything but the order of the data; it may be NULL.
///
/// # Safety
///
/// What `options` points to can be read. A pointer can be written to `loss`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_loss_new(
    settings: *const c_char,
    options: *const GannetOptions,
    loss: *mut *mut GannetLoss,
) -> GannetStatus {
    call(|| {
        arguments::check_place(loss, "loss")?;
        let handle = handles::insert(|| {
            // SAFETY: of the caller.
            let described = unsafe { settings::loss(settings)? };
            // SAFETY: as above.
            let options = unsafe { GannetOptions::read(options)?.resolve(described.options())? };
            let (spec, batch) = (described.spec, options.batch);
            if spec.packing != 1 {
                let problem = "a loss judges each row alone; set it to 1, and hand in packs as rows";
                return Err(Error::setting("gan.packing", problem).into());
            }
            let discriminator = spec.discriminator.clone();
            let (objective, optimizer) = (spec.objective, spec.discriminator_optimizer);
            let loss = ModularLoss::with_penalties(spec.discriminator, objective, spec.penalties, optimizer, options)?;
            Ok(Loss { loss, discriminator, batch, steps: 0 })
        })?;
        // SAFETY: of the caller.
        unsafe { arguments::put(loss, "loss", handle) }
    })
}

/// Frees a loss; NULL is none.
#[unsafe(no_mangle)]
pub extern "C" fn gannet_loss_free(loss: *mut GannetLoss) -> GannetStatus {
    call(|| handles::remove::<Loss>(loss))
}

/// Updates the discriminator on `fakes` and `real`, then writes the gradient of the generator's loss with respect to the fakes to
/// `gradient`. All three are `[rows, features]`, row-major, one row behind the other, and `rows` is the batch. `report` may be NULL.
///
/// # Safety
///
/// As many values can be read at `fakes` and `real`, and written at `gradient`. A `GannetReport` can be written to `report` unless it is
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_loss_step(
    loss: *mut GannetLoss,
    fakes: *const f32,
    real: *const f32,
    gradient: *mut f32,
    rows: usize,
    report: *mut GannetReport,
) -> GannetStatus {
    call(|| {
        // SAFETY: of the caller.
        unsafe { versioned::check(report)? };
        let found = handles::with(loss, |Loss { loss, discriminator, steps, .. }| {
            let features = discriminator.inputs();
            let count = rows.saturating_mul(features);
            arguments::check_apart((fakes, count), (gradient, count), "fakes and gradient")?;
            arguments::check_apart((real, count), (gradient, count), "real and gradient")?;
            // SAFETY: of the caller; what is written shares no memory with what is read.
            let fakes = unsafe { arguments::rows(fakes, rows, features, "fakes")? };
            // SAFETY: as above.
            let real = unsafe { arguments::rows(real, rows, features, "real")? };
            // SAFETY: as above.
            let gradient = unsafe { arguments::rows_mut(gradient, rows, features, "gradient")? };
            let found = loss.step(fakes, real, gradient)?;
            *steps += 1;
            Ok(GannetReport { step: *steps, ..found.into() })
        })?;
        // SAFETY: of the caller.
        unsafe { versioned::write(report, &found) }
    })
}

/// Writes what a loss tells of itself to `info`.
///
/// # Safety
///
/// A `GannetInfo` can be written to `info`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_loss_info(loss: *const GannetLoss, info: *mut GannetInfo) -> GannetStatus {
    call(|| {
        let found = handles::with(loss, |Loss { loss, discriminator, batch, steps }| {
            Ok(GannetInfo {
                steps_done: *steps,
                batch: *batch,
                features: discriminator.inputs(),
                discriminator_parameters: flat::count(discriminator),
                ..GannetInfo::of_plan(&loss.plan())
            })
        })?;
        arguments::check_place(info, "info")?;
        // SAFETY: of the caller.
        unsafe { versioned::write(info, &found) }
    })
}

/// Copies the discriminator's parameters to `values`, which has room for `capacity` of them, and their number to `needed`; either may be
/// NULL. They stand layer after layer: the weights, `[outputs, inputs]`, row-major, then the biases.
///
/// # Safety
///
/// `values` is NULL or has that room; `needed` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_loss_parameters(
    loss: *const GannetLoss,
    values: *mut f32,
    capacity: usize,
    needed: *mut usize,
) -> GannetStatus {
    call(|| {
        let found = handles::with(loss, |Loss { loss, .. }| Ok(flat::flat(&loss.discriminator()?)))?;
        // SAFETY: of the caller.
        unsafe { arguments::copy_out(&found, values, capacity, needed) }
    })
}

/// Replaces the discriminator's parameters by `count` values in the order of `gannet_loss_parameters`. A loss whose update failed takes
/// steps again.
///
/// # Safety
///
/// As many values can be read at `values`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_loss_set_parameters(
    loss: *mut GannetLoss,
    values: *const f32,
    count: usize,
) -> GannetStatus {
    call(|| {
        // SAFETY: of the caller.
        let values = unsafe { arguments::rows(values, count, 1, "values")? };
        handles::with(loss, |Loss { loss, .. }| {
            Ok(loss.set_discriminator(&flat::of_flat(values, loss.discriminator()?)?)?)
        })
    })
}
