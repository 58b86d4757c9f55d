//! Calls that leave the interpreter to other threads, and let no panic out.

use gannet_host::{Guarded, caught};
use pyo3::prelude::*;

use crate::problem::Problem;

/// Does `work`, which needs no object.
pub(crate) fn detached<R: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<R, Problem> + Send,
) -> Result<R, Problem> {
    py.detach(|| caught(work))
}

/// Makes an object.
pub(crate) fn made<T: Send>(
    py: Python<'_>,
    make: impl FnOnce() -> Result<T, Problem> + Send,
) -> Result<Guarded<T>, Problem> {
    py.detach(|| Guarded::new(make))
}

/// Lets `work` use an object.
pub(crate) fn using<T: Send, R: Send>(
    py: Python<'_>,
    object: &Guarded<T>,
    work: impl FnOnce(&mut T) -> Result<R, Problem> + Send,
) -> Result<R, Problem> {
    py.detach(|| object.with(work))
}
