//! What can go wrong, and the exception that it becomes.

use gannet::Error;
use gannet_host::Refusal;
use pyo3::exceptions::{PyMemoryError, PyOSError};
use pyo3::prelude::*;

/// The classes of `gannet/_errors.py`.
mod classes {
    pyo3::import_exception!(gannet._errors, BusyError);
    pyo3::import_exception!(gannet._errors, DataError);
    pyo3::import_exception!(gannet._errors, Error);
    pyo3::import_exception!(gannet._errors, ForkError);
    pyo3::import_exception!(gannet._errors, MemoryLimitError);
    pyo3::import_exception!(gannet._errors, NotFiniteError);
    pyo3::import_exception!(gannet._errors, PanicError);
    pyo3::import_exception!(gannet._errors, SettingError);
    pyo3::import_exception!(gannet._errors, ShapeError);
    pyo3::import_exception!(gannet._errors, StateError);
}

/// What a call may come to beside its result.
#[derive(Debug)]
pub(crate) enum Problem {
    /// What the library says.
    Gannet(Error),
    /// The object refuses the call.
    Refused(Refusal),
    /// An exception of Python.
    Python(PyErr),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Gannet(error)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<PyErr> for Problem {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Problem> for PyErr {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Gannet(error) => of_library(error),
            Problem::Refused(refusal) => of_refusal(&refusal),
            Problem::Python(error) => error,
        }
    }
}

fn of_library(error: Error) -> PyErr {
    let text = error.to_string();
    match error {
        Error::InvalidSetting { .. } | Error::IsaUnavailable { .. } => classes::SettingError::new_err(text),
        Error::Shape { .. } => classes::ShapeError::new_err(text),
        Error::Data { .. } => classes::DataError::new_err(text),
        Error::MemoryLimit { .. } => classes::MemoryLimitError::new_err(text),
        Error::OutOfMemory { .. } => PyMemoryError::new_err(text),
        Error::NotFinite { .. } | Error::ModelNotFinite { .. } => classes::NotFiniteError::new_err(text),
        Error::HalfDone { .. } | Error::Poisoned { .. } | Error::Misuse { .. } => classes::StateError::new_err(text),
        Error::Io { action, path, source } => {
            let what = format!("cannot {action} it: {source}");
            match source.raw_os_error() {
                // Python makes the subclass of the number: FileNotFoundError, PermissionError ...
                Some(number) => PyOSError::new_err((number, what, path)),
                None => PyErr::from(std::io::Error::new(
                    source.kind(),
                    format!("cannot {action} {}: {source}", path.display()),
                )),
            }
        }
        _ => classes::Error::new_err(text),
    }
}

fn of_refusal(refusal: &Refusal) -> PyErr {
    let text = refusal.to_string();
    match refusal {
        Refusal::Busy => classes::BusyError::new_err(text),
        Refusal::Forked | Refusal::ForkedInCall => classes::ForkError::new_err(format!(
            "{text} (with multiprocessing, use the start method \"spawn\" or \"forkserver\")"
        )),
        Refusal::Panicked => classes::StateError::new_err(text),
        Refusal::Panic(_) => classes::PanicError::new_err(text),
    }
}
