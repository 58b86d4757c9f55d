//! Ctrl-C, SIGTERM, SIGHUP and SIGUSR1, which Slurm sends some time before a job's limit.
//!
//! A signal ends the program at once, and what it was writing is removed first. Only a run that trains is asked to end in good
//! order, after the step in progress; a second signal ends it at once, too.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use gannet::internals::atomic_file;
use gannet::{Error, Result};

/// What the signals set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    /// Whether the first signal asks, instead of ending the program.
    asks: Arc<AtomicBool>,
    asked: Arc<AtomicBool>,
    signal: Arc<AtomicI32>,
}

impl Stop {
    /// Listens from now on.
    ///
    /// # Errors
    ///
    /// [`Error::Threads`] where the system refuses.
    pub(crate) fn listen() -> Result<Self> {
        let stop = Self::default();
        let listener = stop.clone();
        listening::start(move |signal| listener.take(signal))
            .map_err(|error| Error::Threads { problem: format!("cannot listen to signals: {error}") })?;
        Ok(stop)
    }

    /// What a signal does.
    fn take(&self, signal: i32) {
        if self.asks.load(Ordering::SeqCst) && !self.asked.swap(true, Ordering::SeqCst) {
            self.signal.store(signal, Ordering::SeqCst);
            return;
        }
        let _abandoned = atomic_file::abandon();
        std::process::exit(i32::from(exit_code(signal)));
    }

    /// From now on the first signal asks.
    pub(crate) fn ask_first(&self) {
        self.asks.store(true, Ordering::SeqCst);
    }

    /// Becomes true when a stop is asked for.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.asked)
    }

    /// Whether a stop was asked for.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Another process of the job was asked to stop, as by SIGTERM: so is this one.
    pub(crate) fn ask_by_another(&self) {
        const SIGTERM: i32 = 15;
        if !self.asked.swap(true, Ordering::SeqCst) {
            self.signal.store(SIGTERM, Ordering::SeqCst);
        }
    }

    /// The error that the command ends with, if a stop was asked for; `hint` says how to go on.
    pub(crate) fn stopped(&self, hint: String) -> Option<Stopped> {
        self.is_asked().then(|| Stopped { code: exit_code(self.signal.load(Ordering::SeqCst)), hint })
    }
}

/// The exit code of a program that a signal ended, as shells give it.
fn exit_code(signal: i32) -> u8 {
    128 + u8::try_from(signal).unwrap_or(0)
}

/// A thread that hands every signal on.
#[cfg(unix)]
mod listening {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXFSZ};
    use signal_hook::flag;
    use signal_hook::iterator::Signals;

    pub(crate) fn start(take: impl Fn(i32) + Send + 'static) -> io::Result<()> {
        // A file that is larger than `ulimit -f` allows: the write fails then, and its error says so.
        flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        let mut signals = vec![SIGINT, SIGTERM, SIGUSR1];
        if is_heard(SIGHUP) {
            signals.push(SIGHUP);
        }
        let mut signals = Signals::new(signals)?;
        let listen = move || signals.forever().for_each(take);
        std::thread::Builder::new().name("gannet-signals".into()).spawn(listen).map(drop)
    }

    /// Whether the one who started the program wants it to end by `signal`: `nohup` does not. Where the system does not say so,
    /// the signal is left alone.
    fn is_heard(signal: i32) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored =
            status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
        ignored.is_some_and(|ignored| ignored >> (signal - 1) & 1 == 0)
    }
}

/// The same where signals can only set flags.
#[cfg(not(unix))]
mod listening {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;

    pub(crate) fn start(take: impl Fn(i32) + Send + 'static) -> io::Result<()> {
        let last = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM] {
            flag::register_usize(signal, Arc::clone(&last), signal as usize)?;
        }
        let listen = move || {
            loop {
                std::thread::sleep(Duration::from_millis(50));
                match last.swap(0, Ordering::SeqCst) {
                    0 => {}
                    signal => take(signal as i32),
                }
            }
        };
        std::thread::Builder::new().name("gannet-signals".into()).spawn(listen).map(drop)
    }
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
