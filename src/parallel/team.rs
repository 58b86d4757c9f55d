//! The team that carries one run, and how it gets its workers from a pool.
//!
//! The end of a run waits for no worker: one that the pool starts late finds no run that wants it, and returns
//! ([`super::open_runs`]).
//!
//! Invariants of the unsafe code: a [`Team`] with workers stays on the thread that called [`with_team`], because it is
//! handed out by reference only and is not `Sync`; numbers of workers are distinct and below [`Team::workers`].

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;

use rayon::ThreadPool;

use super::member::Member;
use super::open_runs::OpenRun;
use super::phases::{MAX_ITEMS, Phases};
use super::producer::{Pieces, Producer};

/// The threads that carry one run: the caller of [`with_team`], who leads, and workers from a pool.
///
/// Tasks cannot use the team that runs them:
///
/// ```compile_fail
/// # use gannet::internals::parallel::with_team;
/// with_team(2, None, |team| team.for_each(0..2, |_| team.for_each(0..2, |_| ())));
/// ```
pub struct Team<'a> {
    /// `None` if the leader is alone.
    phases: Option<&'a Phases>,
    workers: usize,
    not_sync: PhantomData<Cell<()>>,
}

impl Team<'_> {
    /// A team of the calling thread alone: every phase is a plain loop.
    pub const fn serial() -> Team<'static> {
        Team { phases: None, workers: 1, not_sync: PhantomData }
    }

    /// The greatest number of threads that a phase may run on, the leader included. At least 1, and at most what
    /// [`with_team`] was asked for.
    pub const fn workers(&self) -> usize {
        self.workers
    }

    /// One phase: calls `task` once for each item, on any worker, and returns when all calls have returned.
    ///
    /// Which worker takes which item, and in which order, differs from run to run; results must not depend on it.
    ///
    /// # Panics
    ///
    /// If a task panics, its panic resumes here after all workers have left the phase; some items may then not have been
    /// worked on. The team stays usable. Also if `items` is a tuple of producers of different numbers of items.
    pub fn for_each<P: Producer>(&self, items: P, task: impl Fn(P::Item) + Sync) {
        self.run(items.item_count(), |_, index| {
            // SAFETY: `run` calls with each index below the count once, and `items` is used for nothing else.
            task(unsafe { items.item(index) });
        });
    }

    /// One phase like [`for_each`](Self::for_each), in which every worker has an element of `scratch` for itself. What a
    /// task finds there is what some earlier one left: results must not depend on it.
    ///
    /// # Panics
    ///
    /// If `scratch` has fewer elements than the team has [`workers`](Self::workers); otherwise as `for_each`.
    pub fn for_each_with<S: Send, P: Producer>(
        &self,
        scratch: &mut [S],
        items: P,
        task: impl Fn(&mut S, P::Item) + Sync,
    ) {
        assert!(scratch.len() >= self.workers, "every worker has its own scratch");
        let scratch = Pieces::new(scratch);
        self.run(items.item_count(), |worker, index| {
            // SAFETY: numbers of workers are distinct and below `workers`, which is at most the length; a worker does one
            // item after the other, and the reference ends with the call.
            let own = unsafe { scratch.element(worker) };
            // SAFETY: as in `for_each`.
            task(own, unsafe { items.item(index) });
        });
    }

    /// Calls `task` with the number of the worker and each index below `count` once.
    fn run(&self, count: usize, task: impl Fn(usize, usize) + Sync) {
        match self.phases {
            // SAFETY: the team has stayed on the leader's thread, which alone also stops the phases; the count is checked.
            Some(phases) if (2..=MAX_ITEMS).contains(&count) => unsafe { phases.run(count, &task) },
            _ => (0..count).for_each(|index| task(0, index)),
        }
    }
}

/// Runs `body` on the calling thread with a team of at most `threads` threads. The others come from `pool`; without one
/// (or with `threads` below 2) the team is [serial](Team::serial).
///
/// The workers enter the pool here and stay until `body` returns or panics. Where the pool has fewer threads, or is busy,
/// the team does with fewer. May be called from a thread of the pool, and from within a task of another team.
///
/// `body` and its tasks may use the pool themselves, with `install`, `join` and `scope`: a worker that has waited for a phase for
/// some 100 us lends its thread to the pool's jobs until the next one. A leader lends nothing, though it may be a thread of the pool:
/// then a task must not wait for a job that every thread has to do (`broadcast`), or it waits for ever.
///
/// Phases without such a pause leave no thread to jobs from elsewhere, which wait for the end of the run. A thread of the pool that
/// waits inside of a job (in `rayon::join`, for instance) may become a worker meanwhile; its job goes on when the run ends. So `body`
/// and tasks must not wait for jobs that others gave the pool.
pub fn with_team<R>(threads: usize, pool: Option<&Arc<ThreadPool>>, body: impl FnOnce(&Team<'_>) -> R) -> R {
    let Some((pool, helpers @ 1..)) = pool.map(|pool| (pool, helpers(threads, pool))) else {
        return body(&Team::serial());
    };
    // Left when the run is over.
    let _member = Member::enter();
    let run = OpenRun::new(pool, helpers);
    body(&Team { phases: Some(run.phases()), workers: helpers + 1, not_sync: PhantomData })
}

/// How many workers `pool` has to offer for a team of `threads`: a leader that is a thread of the pool cannot help itself.
fn helpers(threads: usize, pool: &ThreadPool) -> usize {
    let others = pool.current_num_threads() - usize::from(pool.current_thread_index().is_some());
    threads.saturating_sub(1).min(others)
}
