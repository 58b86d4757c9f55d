//! What the threads of a team meet with: atomics, locks, shared values, and waiting awake.
//!
//! [`super::bell`] and [`super::phases`] take all of it from here, and nothing from elsewhere. So `tests/team_model.rs` compiles
//! these two files against a module of the same interface, under which loom tries every order of the threads' operations.

use std::cell::UnsafeCell;
use std::hint::spin_loop;
pub(super) use std::sync::atomic::{AtomicBool, AtomicUsize};
pub(super) use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long to keep the processor to oneself: most gaps between the phases of a step are shorter.
const SPIN: Duration = Duration::from_micros(10);

/// How long to wait before sleeping. Measured on two virtual Zen 4 cores (November 2026, phases of 8 items of 5 and 50 us,
/// gaps of 0 to 150 us): waking a sleeper costs the leader 8 us, and the worker misses the next 0.1 to 4 ms. Where all
/// threads share one core, spinning for 50 us without yielding makes a team of two 0.7 times as fast as one thread; with
/// yielding, it is as fast.
const AWAKE: Duration = Duration::from_micros(100);

/// Looks at the condition between two looks at the clock.
const LOOKS: usize = 64;

/// A value that threads share by rules of their own.
pub(super) struct Shared<T>(UnsafeCell<T>);

impl<T: Copy> Shared<T> {
    pub(super) fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// # Safety
    ///
    /// Nobody calls [`set`](Self::set) at the same time.
    pub(super) unsafe fn get(&self) -> T {
        // SAFETY: the caller's promise.
        unsafe { *self.0.get() }
    }

    /// # Safety
    ///
    /// Nobody calls this or [`get`](Self::get) at the same time.
    pub(super) unsafe fn set(&self, value: T) {
        // SAFETY: the caller's promise.
        unsafe { *self.0.get() = value };
    }
}

/// Waits for `ready` without sleeping, for a while. Says whether it came true.
pub(super) fn stay_awake(ready: &mut impl FnMut() -> bool) -> bool {
    if looks(ready) {
        return true;
    }
    let start = Instant::now();
    loop {
        let waited = start.elapsed();
        if waited > AWAKE {
            return false;
        }
        if waited > SPIN {
            thread::yield_now();
        }
        if looks(ready) {
            return true;
        }
    }
}

/// Looks at the condition some times.
fn looks(ready: &mut impl FnMut() -> bool) -> bool {
    for _ in 0..LOOKS {
        if ready() {
            return true;
        }
        spin_loop();
    }
    false
}

/// Does a job of the pool that the calling thread belongs to. Says whether there was one.
pub(super) fn do_a_job() -> bool {
    rayon::yield_now() == Some(rayon::Yield::Executed)
}
