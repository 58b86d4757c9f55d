//! Calls in progress, and the process that they are in.
//!
//! The child of a fork has one thread. If another one of the parent's was in a call, it may have held a lock, which nobody in the child
//! would open: then nothing is made there.

use std::process;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::refusal::Refusal;

/// The process that objects are made in; 0 before the first one.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Calls in progress.
static CALLS: AtomicUsize = AtomicUsize::new(0);

/// A call in progress, until it is dropped.
pub(crate) struct Call(());

impl Call {
    pub(crate) fn begin() -> Self {
        CALLS.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        CALLS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The process, if objects may be made in it.
///
/// # Errors
///
/// [`Refusal::ForkedInCall`] in the child of a fork that came while a call was in progress.
pub(crate) fn process() -> Result<u32, Refusal> {
    let process = process::id();
    let known = PROCESS.load(Ordering::SeqCst);
    if known == process {
        return Ok(process);
    }
    // No object of this process was in a call yet: those that are in progress are the parent's, unless another thread has come first.
    let is_free = known == 0 || CALLS.load(Ordering::SeqCst) == 0;
    if is_free {
        PROCESS.store(process, Ordering::SeqCst);
    }
    if is_free || PROCESS.load(Ordering::SeqCst) == process { Ok(process) } else { Err(Refusal::ForkedInCall) }
}
