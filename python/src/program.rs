//! The program `gannet` in this process, and what gannet uses of the processor.

use std::ffi::OsString;

use gannet::cpu::{Isa, available_threads};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Runs the program on `arguments`, of which the first is its name; returns its exit code. It listens to signals from then on, and a signal
/// may end the process.
#[pyfunction]
pub(crate) fn run_program(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| gannet_cli::run(arguments))
}

/// What gannet is and uses here: its version, the instruction set in use and those that there are, best first, and the processors that this
/// process may use.
#[pyfunction]
pub(crate) fn info(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let isa = Isa::resolve(None).map_err(crate::problem::Problem::from)?;
    let available: Vec<String> = Isa::available().into_iter().map(|isa| isa.kind().to_string()).collect();
    let dict = PyDict::new(py);
    dict.set_item("version", env!("CARGO_PKG_VERSION"))?;
    dict.set_item("isa", isa.kind().to_string())?;
    dict.set_item("isas", available)?;
    dict.set_item("processors", available_threads())?;
    Ok(dict)
}
