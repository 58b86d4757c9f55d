//! Samplers: samples of a generator, from as many threads as are there.

use std::ffi::c_char;
use std::path::Path;

use gannet::gan::{Model, Sampler};

use crate::arguments;
use crate::border::call;
use crate::handles::{self, Handled};
use crate::settings;
use crate::status::{Failure, GannetStatus};
use crate::trainer::{self, GannetTrainer};

/// Makes samples by a generator.
#[derive(Debug)]
pub struct GannetSampler {
    _opaque: [u8; 0],
}

/// What the handle stands for.
pub(crate) struct Sampling {
    sampler: Sampler,
    conditions: usize,
}

impl Handled for Sampling {
    type Opaque = GannetSampler;
    const NAME: &'static str = "GannetSampler";
}

/// Makes a sampler of `make`'s, and writes its handle.
///
/// # Safety
///
/// A pointer can be written to `place`.
unsafe fn put(place: *mut *mut GannetSampler, make: impl FnOnce() -> Result<Sampling, Failure>) -> Result<(), Failure> {
    arguments::check_place(place, "sampler")?;
    let handle = handles::insert(make)?;
    // SAFETY: of the caller.
    unsafe { arguments::put(place, "sampler", handle) }
}

/// Makes a sampler with a copy of a trainer's generator as it is now: training may go on beside it. Where the settings keep an average of
/// the generator's parameters, it is that.
///
/// # Safety
///
/// A pointer can be written to `sampler`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_trainer_sampler(
    trainer: *const GannetTrainer,
    sampler: *mut *mut GannetSampler,
) -> GannetStatus {
    let make = || {
        trainer::with(trainer, |trainer| {
            Ok(Sampling { sampler: trainer.sampler()?, conditions: trainer.spec().conditions })
        })
    };
    // SAFETY: of the caller.
    call(|| unsafe { put(sampler, make) })
}

/// Makes a sampler of the generator in a file: a model or a checkpoint of a GAN of these `settings`. `isa` may be NULL.
///
/// # Safety
///
/// The texts end with 0. A pointer can be written to `sampler`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_sampler_load(
    settings: *const c_char,
    path: *const c_char,
    isa: *const c_char,
    sampler: *mut *mut GannetSampler,
) -> GannetStatus {
    let make = || {
        // SAFETY: of the caller.
        let spec = unsafe { settings::described(settings)? }.spec;
        // SAFETY: as above.
        let path = unsafe { arguments::text(path, "path")? };
        // SAFETY: as above.
        let isa = unsafe { settings::isa(isa)? };
        let model = Model::load(&spec, Path::new(path))?;
        Ok(Sampling { sampler: Sampler::new(&model, &spec, isa)?, conditions: spec.conditions })
    };
    // SAFETY: of the caller.
    call(|| unsafe { put(sampler, make) })
}

/// The same of the `count` bytes of such a file.
///
/// # Safety
///
/// As many bytes can be read at `bytes`; the texts end with 0. A pointer can be written to `sampler`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_sampler_load_memory(
    settings: *const c_char,
    bytes: *const u8,
    count: usize,
    isa: *const c_char,
    sampler: *mut *mut GannetSampler,
) -> GannetStatus {
    let make = || {
        // SAFETY: of the caller.
        let spec = unsafe { settings::described(settings)? }.spec;
        // SAFETY: as above.
        let bytes = unsafe { arguments::bytes(bytes, count)? };
        // SAFETY: as above.
        let isa = unsafe { settings::isa(isa)? };
        let model = Model::from_safetensors(bytes, &spec, "the model in memory")?;
        Ok(Sampling { sampler: Sampler::new(&model, &spec, isa)?, conditions: spec.conditions })
    };
    // SAFETY: of the caller.
    call(|| unsafe { put(sampler, make) })
}

/// Makes another handle of the same generator, for another thread: the weights are not copied.
///
/// # Safety
///
/// A pointer can be written to `shared`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_sampler_share(
    sampler: *const GannetSampler,
    shared: *mut *mut GannetSampler,
) -> GannetStatus {
    let make = || {
        handles::with(sampler, |Sampling { sampler, conditions }| {
            Ok(Sampling { sampler: sampler.share()?, conditions: *conditions })
        })
    };
    // SAFETY: of the caller.
    call(|| unsafe { put(shared, make) })
}

/// Frees a sampler; NULL is none.
#[unsafe(no_mangle)]
pub extern "C" fn gannet_sampler_free(sampler: *mut GannetSampler) -> GannetStatus {
    call(|| handles::remove::<Sampling>(sampler))
}

/// Writes the values of a sample to `features`, and those of its condition to `conditions`; either may be NULL.
///
/// # Safety
///
/// Each is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_sampler_shape(
    sampler: *const GannetSampler,
    features: *mut usize,
    conditions: *mut usize,
) -> GannetStatus {
    call(|| {
        let found = handles::with(sampler, |Sampling { sampler, conditions }| Ok([sampler.features(), *conditions]))?;
        for (place, value) in [features, conditions].into_iter().zip(found) {
            if !place.is_null() {
                // SAFETY: of the caller.
                unsafe { arguments::put(place, "a size", value)? };
            }
        }
        Ok(())
    })
}

/// Writes the samples of `seed` with the indices from `first` on to `rows`, `[count, features]`, row-major. A sample depends on the
/// generator, the seed and its index alone. A generator with conditions needs them in `conditions`, `[count, conditions]`, row-major;
/// without, that is NULL. Nothing is allocated.
///
/// # Safety
///
/// As many values can be written at `rows`, and read at `conditions` unless it is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_sampler_sample(
    sampler: *mut GannetSampler,
    seed: u64,
    first: u64,
    count: usize,
    conditions: *const f32,
    rows: *mut f32,
) -> GannetStatus {
    call(|| {
        handles::with(sampler, |Sampling { sampler, conditions: of_sample }| {
            let features = sampler.features();
            let size = |features: usize| count.saturating_mul(features);
            if *of_sample == 0 && !conditions.is_null() {
                return Err(Failure::argument("this generator has no conditions; leave them NULL"));
            }
            arguments::check_apart((conditions, size(*of_sample)), (rows, size(features)), "conditions and rows")?;
            // SAFETY: of the caller; what is written shares no memory with what is read.
            let conditions = unsafe { arguments::rows(conditions, count, *of_sample, "conditions")? };
            // SAFETY: as above.
            let rows = unsafe { arguments::rows_mut(rows, count, features, "rows")? };
            if *of_sample == 0 {
                return Ok(sampler.sample(seed, first, rows)?);
            }
            let mut each = conditions.chunks_exact(*of_sample);
            let next = |_, place: &mut [f32]| {
                if let Some(condition) = each.next() {
                    place.copy_from_slice(condition);
                }
            };
            Ok(sampler.sample_with(seed, first, next, rows)?)
        })
    })
}
