//! Options of trainers, losses and networks: batch, seed, threads.

use std::fmt::Display;

use gannet::gan::TrainerOptions;
use gannet_settings::nearest::suggestion;
use gannet_settings::values;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::problem::Problem;

/// The names of the options of a trainer.
pub(crate) const TRAINER: &[&str] = &["batch", "seed", "threads", "shards", "shuffle", "engine", "isa", "memory_limit"];

/// Those of a loss, which has no data to shuffle.
pub(crate) const LOSS: &[&str] = &["batch", "seed", "threads", "shards", "engine", "isa", "memory_limit"];

/// Those of a network, which cuts its rows by itself.
pub(crate) const NETWORK: &[&str] = &["batch", "seed", "threads", "engine", "isa", "memory_limit"];

/// The option called `name`; `None` where it is left out.
fn option<'py, T>(options: &Bound<'py, PyDict>, name: &str) -> Result<Option<T>, Problem>
where
    T: for<'a> FromPyObject<'a, 'py>,
{
    let Some(value) = options.get_item(name)?.filter(|value| !value.is_none()) else { return Ok(None) };
    let wrong = |problem: &dyn Display| PyTypeError::new_err(format!("{name} is {value}: {problem}"));
    value.extract().map(Some).map_err(|error| wrong(&Into::<PyErr>::into(error)).into())
}

/// The `usual` options with those that a call gives, of which these are `known`. Without a number of threads it is one for each processor.
///
/// # Errors
///
/// An option that is unknown, or that is no number or name as it should be.
pub(crate) fn read(
    options: Option<&Bound<'_, PyDict>>,
    known: &[&str],
    usual: TrainerOptions,
) -> Result<TrainerOptions, Problem> {
    let usual = usual.with_threads(0);
    let Some(options) = options else { return Ok(usual) };
    for name in options.keys() {
        let name: String = name.extract()?;
        if !known.contains(&name.as_str()) {
            let hint = suggestion(&name, known.iter().copied());
            let problem = format!("the option `{name}` is unknown{hint} (known: {})", known.join(", "));
            return Err(PyTypeError::new_err(problem).into());
        }
    }
    let engine: Option<String> = option(options, "engine")?;
    let isa: Option<String> = option(options, "isa")?;
    Ok(TrainerOptions::default()
        .with_batch(option(options, "batch")?.unwrap_or(usual.batch))
        .with_seed(option(options, "seed")?.unwrap_or(usual.seed))
        .with_threads(option(options, "threads")?.unwrap_or(usual.threads))
        .with_shards(option(options, "shards")?.unwrap_or(usual.shards))
        .with_shuffle(option(options, "shuffle")?.unwrap_or(usual.shuffle))
        .with_engine(engine.map_or(Ok(usual.engine), |name| values::engine(&name))?)
        .with_isa(isa.map(|name| name.parse()).transpose()?)
        .with_memory_limit(option::<u64>(options, "memory_limit")?))
}
