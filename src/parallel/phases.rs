//! How a leader and its workers share one phase after another.
//!
//! ```text
//! leader                                   worker
//!   job := ..., next := 0                    wait until word is open and new
//!   word := open            (O)              active += 1             (A)
//!   claim items until none is left           look at word            (L)
//!   word := closed          (C)              if open: copy job, claim items until none is left
//!   wait until active = 0   (W)              active -= 1             (R)
//! ```
//!
//! Invariants of the unsafe code:
//!
//! 1. *`job` is read only by workers that stand between (A) and (R) and saw `word` open at (L), and what it points to is
//!    alive and constant from (O) until the leader has passed (W).* (A), (L), (C) and (W) are `SeqCst`, so they have one
//!    order in which each thread's operations keep theirs. If (L) saw the word of a phase open, (L) comes before the (C) of
//!    that phase, hence (A) before its (W): the leader sees the worker counted and waits until it has counted itself out.
//!    If (L) comes after that (C), it sees the word closed, or a later phase for which the same holds.
//! 2. *The leader's writes before (O) happen before everything a worker does with the job*: (L) read the word that (O)
//!    stored (release, acquire; the leader alone stores `word`).
//! 3. *Everything a worker did with the job happens before the leader goes on*: (W) read a zero at the end of a chain of
//!    read-modify-writes that contains the worker's (R), so it acquires what (R) released.
//! 4. *Each index is claimed once*: `next.fetch_add` is atomic, whatever its order. It does not wrap, because counts are at
//!    most `isize::MAX` and each worker adds at most one beyond the count: it enters a phase once.
//!
//! `tests/team_model.rs` tries all orders of these steps. With any one `SeqCst` made `Relaxed`, it finds a race or a thread that
//! sleeps for ever.
//!
//! A worker that comes late, or never, blocks nobody: the leader finishes alone, and (W) waits only for those who came.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::PoisonError;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use super::bell::Bell;
use super::sync::{AtomicBool, AtomicUsize, Mutex, Shared};

/// Bit of `word`: a phase is open.
const OPEN: usize = 1;
/// Bit of `word`: the run is over.
const STOP: usize = 2;
/// The phases are counted above these bits. The count may wrap: a worker that slept through all of them would take one new
/// phase for the last one it knew, and miss it.
const PHASE: usize = 4;

/// The largest number of items that a phase with workers may have.
pub(super) const MAX_ITEMS: usize = isize::MAX as usize;

/// A value on cache lines of its own: two, because processors fetch neighboring lines in pairs.
#[repr(align(128))]
struct OwnLines<T>(T);

/// A [`Phase`] whose type is forgotten.
#[derive(Clone, Copy)]
struct Job {
    phase: *const (),
    /// Claims and does items: the phase, the worker's number, the claims.
    work: unsafe fn(*const (), usize, &AtomicUsize),
}

/// The items of a phase and what to do with each.
struct Phase<'a, F> {
    count: usize,
    /// Takes the number of the worker and the index of the item.
    task: &'a F,
}

impl<F: Fn(usize, usize) + Sync> Phase<'_, F> {
    /// Claims and does items until none is left.
    fn work(&self, worker: usize, next: &AtomicUsize) {
        loop {
            let index = next.fetch_add(1, Relaxed);
            if index >= self.count {
                return;
            }
            (self.task)(worker, index);
        }
    }

    /// [`work`](Self::work) on a phase whose type is forgotten.
    ///
    /// # Safety
    ///
    /// `phase` points to a living `Phase<'_, F>`.
    unsafe fn work_erased(phase: *const (), worker: usize, next: &AtomicUsize) {
        // SAFETY: the caller's promise.
        let phase = unsafe { &*phase.cast::<Self>() };
        phase.work(worker, next);
    }
}

/// What a leader and its workers share during a run.
pub(super) struct Phases {
    /// `OPEN`, `STOP` and the number of the phase. Only the leader stores it.
    word: OwnLines<AtomicUsize>,
    /// Workers that may be in the phase.
    active: OwnLines<AtomicUsize>,
    /// The index of the next item to claim.
    next: OwnLines<AtomicUsize>,
    job: OwnLines<Shared<Job>>,
    /// Rings when a phase opens, or the run is over.
    opened: Bell,
    /// Rings when no worker is in the phase any more.
    left: Bell,
    /// A worker's task panicked in this phase.
    panicked: AtomicBool,
    /// The payload of the first of these panics.
    payload: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `job` alone keeps this type from being `Sync` and `Send`. It is written by the leader between phases and read by
// workers inside of one (invariants 1 and 2); a task is `Sync`, so workers may share what it points to.
unsafe impl Sync for Phases {}
// SAFETY: as above. The last owner, whoever it is, drops a `Job`, which owns nothing.
unsafe impl Send for Phases {}

impl Phases {
    /// A run whose first phase is not open yet.
    pub(super) fn new() -> Self {
        let nothing = Job { phase: std::ptr::null(), work: |_, _, _| {} };
        Self {
            word: OwnLines(AtomicUsize::new(0)),
            active: OwnLines(AtomicUsize::new(0)),
            next: OwnLines(AtomicUsize::new(0)),
            job: OwnLines(Shared::new(nothing)),
            opened: Bell::default(),
            left: Bell::default(),
            panicked: AtomicBool::new(false),
            payload: Mutex::new(None),
        }
    }

    /// The leader's part: calls `task` with the number of a worker and each index below `count`, and returns when all
    /// calls have. Resumes the panic of a task after that. Inside of a phase, everything happens on the caller's thread.
    ///
    /// # Safety
    ///
    /// All calls, and that of [`stop`](Self::stop), come from one thread. `count` is at most [`MAX_ITEMS`].
    pub(super) unsafe fn run<F: Fn(usize, usize) + Sync>(&self, count: usize, task: &F) {
        debug_assert!(count <= MAX_ITEMS);
        let closed = self.word.0.load(Relaxed);
        if closed & OPEN != 0 {
            return (0..count).for_each(|index| task(0, index));
        }
        let phase = Phase { count, task };
        let job = Job { phase: (&raw const phase).cast(), work: Phase::<F>::work_erased };
        // SAFETY: no phase is open and the last one was left by all (invariant 1), so nobody reads `job`; the leader is one
        // thread, so nobody else writes it.
        unsafe { self.job.0.set(job) };
        self.next.0.store(0, Relaxed);
        let open = closed.wrapping_add(PHASE) | OPEN;
        self.word.0.store(open, SeqCst);
        self.opened.ring();

        // `phase` must not go before the workers have left it: a panic waits.
        let outcome = catch_unwind(AssertUnwindSafe(|| phase.work(0, &self.next.0)));

        self.word.0.store(open & !OPEN, SeqCst);
        self.left.wait_until(|| self.active.0.load(SeqCst) == 0);
        let theirs = self.take_panic();
        if let Some(payload) = outcome.err().or(theirs) {
            resume_unwind(payload);
        }
    }

    /// The leader's last call: workers return, those that start later as well.
    pub(super) fn stop(&self) {
        self.word.0.store(STOP, SeqCst);
        self.opened.ring();
    }

    /// A worker's part: takes part in the phases until the run is over. Meanwhile it lends its thread to the pool, as
    /// [`Bell::wait_and_lend`] does with `idle`.
    ///
    /// # Safety
    ///
    /// No two calls use the same number, and none uses 0, which is the leader's: tasks take the number for the right to
    /// something of which each worker has one.
    pub(super) unsafe fn work(&self, worker: usize, mut idle: impl FnMut()) {
        let mut known = 0;
        loop {
            let mut word = 0;
            let is_due = || {
                word = self.word.0.load(SeqCst);
                word & STOP != 0 || (word & OPEN != 0 && word != known)
            };
            self.opened.wait_and_lend(is_due, &mut idle);
            if word & STOP != 0 {
                return;
            }
            self.active.0.fetch_add(1, SeqCst);
            let word = self.word.0.load(SeqCst);
            if word & OPEN != 0 {
                known = word;
                // SAFETY: counted in `active`, then saw the word open: invariants 1 and 2.
                let job = unsafe { self.job.0.get() };
                // SAFETY: invariant 1: the phase is alive until this worker has counted itself out below, and `work` is
                // that of the phase's type, because `run` wrote both.
                let work = || unsafe { (job.work)(job.phase, worker, &self.next.0) };
                if let Err(payload) = catch_unwind(AssertUnwindSafe(work)) {
                    self.keep_panic(payload);
                }
            }
            if self.active.0.fetch_sub(1, SeqCst) == 1 {
                self.left.ring();
            }
        }
    }

    /// Keeps a panic of a task for the leader; only the first of a phase matters.
    fn keep_panic(&self, payload: Box<dyn Any + Send>) {
        let mut kept = self.payload.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none() {
            *kept = Some(payload);
        } else {
            // Dropping it might panic in turn, where nobody catches it.
            std::mem::forget(payload);
        }
        self.panicked.store(true, Relaxed);
    }

    /// The panic that a worker kept in the phase that has just been left (invariant 3 orders the flag).
    fn take_panic(&self) -> Option<Box<dyn Any + Send>> {
        if !self.panicked.load(Relaxed) {
            return None;
        }
        self.panicked.store(false, Relaxed);
        self.payload.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
