//! Waiting for another thread: spin for a moment, then let other threads run, then sleep until the bell rings.
//!
//! A worker does not sleep through what its pool wants of it. A pool whose threads are all workers of a run could do no job
//! before the run is over; where the run itself waits for a job (its callback calls `install`), that would be never. So a worker
//! wakes now and then and does the pool's jobs. A leader does not, though its thread may be one of the pool's: such a job may
//! wait for what the leader's caller holds, a lock for instance.

use std::sync::PoisonError;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use super::sync::{AtomicBool, Condvar, Mutex, do_a_job, stay_awake};

/// How long a worker sleeps between two looks at the jobs of its pool: at first, and at most. A look costs a microsecond, and
/// a job of the pool waits for half a nap.
const SHORTEST_NAP: Duration = Duration::from_millis(1);
const LONGEST_NAP: Duration = Duration::from_millis(16);

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
        if !stay_awake(&mut ready) {
            while !self.sleep(&mut ready, None) {}
        }
    }

    /// The same for a thread of a rayon pool, which does the pool's jobs before it sleeps and between naps. When the pool has no
    /// more of them, `idle` is called.
    pub(super) fn wait_and_lend(&self, mut ready: impl FnMut() -> bool, mut idle: impl FnMut()) {
        if stay_awake(&mut ready) {
            return;
        }
        let mut nap = SHORTEST_NAP;
        loop {
            while do_a_job() {
                if ready() {
                    return;
                }
            }
            idle();
            if self.sleep(&mut ready, Some(nap)) {
                return;
            }
            nap = (2 * nap).min(LONGEST_NAP);
        }
    }

    /// Sleeps until the bell rings, or the nap is over; returns early if `ready` is true, and says whether it is.
    fn sleep(&self, mut ready: impl FnMut() -> bool, nap: Option<Duration>) -> bool {
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.asleep.store(true, SeqCst);
        if ready() {
            return true;
        }
        match nap {
            Some(nap) => drop(self.wake.wait_timeout(guard, nap)),
            None => drop(self.wake.wait(guard)),
        }
        ready()
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
