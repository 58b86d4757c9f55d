//! Ctrl-C and SIGTERM: the first asks the run to end after the step in progress, a second one ends the program at once.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::{Error, Result};

/// What the signals set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    asked: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Stop {
    /// Listens from now on.
    ///
    /// # Errors
    ///
    /// [`Error::Threads`] where the system refuses.
    pub(crate) fn listen() -> Result<Self> {
        let stop = Self::default();
        let refused = |error| Error::Threads { problem: format!("cannot listen to signals: {error}") };
        for signal in [SIGINT, SIGTERM] {
            let status = i32::from(exit_code(signal as usize));
            // In this order: the first signal finds nothing asked for.
            flag::register_conditional_shutdown(signal, status, Arc::clone(&stop.asked)).map_err(refused)?;
            flag::register_usize(signal, Arc::clone(&stop.signal), signal as usize).map_err(refused)?;
            flag::register(signal, Arc::clone(&stop.asked)).map_err(refused)?;
        }
        Ok(stop)
    }

    /// Becomes true when a stop is asked for.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.asked)
    }

    /// Whether a stop was asked for.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// The error that the command ends with, if a stop was asked for; `hint` says how to go on.
    pub(crate) fn stopped(&self, hint: String) -> Option<Stopped> {
        self.is_asked().then(|| Stopped { code: exit_code(self.signal.load(Ordering::Relaxed)), hint })
    }
}

/// The exit code of a program that a signal ended, as shells give it.
fn exit_code(signal: usize) -> u8 {
    128 + u8::try_from(signal).unwrap_or(0)
}

/// The run was stopped by a signal: not a failure, but not the end either.
#[derive(Debug)]
pub(crate) struct Stopped {
    /// Exit code.
    pub(crate) code: u8,
    hint: String,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hint)
    }
}

impl std::error::Error for Stopped {}
