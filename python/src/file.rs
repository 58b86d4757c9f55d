//! Files that are written whole or not at all, and replace nothing unless they are asked to.

use std::io::Write;
use std::path::{Path, PathBuf};

use gannet::Error;
use gannet::internals::atomic_file::{self, Placing};
use pyo3::exceptions::PyFileExistsError;
use pyo3::prelude::*;

use crate::calls::detached;
use crate::problem::Problem;

/// Writes `bytes` to a file at `path`, whole or not at all.
///
/// Raises FileExistsError where there is one, unless it is to be overwritten.
#[pyfunction]
#[pyo3(signature = (path, bytes, *, overwrite = false))]
pub(crate) fn write_file(py: Python<'_>, path: PathBuf, bytes: &[u8], overwrite: bool) -> PyResult<()> {
    Ok(detached(py, || write(&path, bytes, overwrite))?)
}

/// The same without the interpreter.
pub(crate) fn write(path: &Path, bytes: &[u8], overwrite: bool) -> Result<(), Problem> {
    let placing = if overwrite { Placing::Replace } else { Placing::New };
    atomic_file::write(path, placing, |file| file.write_all(bytes)).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => {
            let problem = format!("{} is there already; pass overwrite=True to replace it", path.display());
            PyFileExistsError::new_err(problem).into()
        }
        _ => Problem::from(Error::Io { action: "write", path: path.to_owned(), source }),
    })
}
