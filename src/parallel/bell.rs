//! Waiting for another thread: spin for a moment, then let other threads run, then sleep until the bell rings.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::yield_now;
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

/// A place to wait at until a condition on atomics holds, and the bell that wakes those who sleep there.
///
/// No ring is lost if the condition is made true and looked at with `SeqCst`: the sleeper stores `asleep`, then looks at
/// the condition; the ringer makes the condition true, then looks at `asleep`. In the single order of these four, one of
/// the two looks comes last and sees what the other thread stored. A sleeper that found the condition false holds the lock
/// until it waits, so the ringer, which takes the lock, notifies it after that.
#[derive(Default)]
pub(super) struct Bell {
    /// Somebody may be sleeping. Written with the lock held.
    asleep: AtomicBool,
    lock: Mutex<()>,
    wake: Condvar,
}

impl Bell {
    /// Returns once `ready` has returned true.
    pub(super) fn wait_until(&self, mut ready: impl FnMut() -> bool) {
        if looks(&mut ready) {
            return;
        }
        let start = Instant::now();
        loop {
            let waited = start.elapsed();
            if waited > AWAKE {
                break;
            }
            if waited > SPIN {
                yield_now();
            }
            if looks(&mut ready) {
                return;
            }
        }
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            self.asleep.store(true, SeqCst);
            if ready() {
                return;
            }
            guard = self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Wakes all who sleep, after the condition they wait for was made true. Costs one load if nobody sleeps.
    pub(super) fn ring(&self) {
        if self.asleep.load(SeqCst) {
            let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
            self.asleep.store(false, SeqCst);
            drop(guard);
            self.wake.notify_all();
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
