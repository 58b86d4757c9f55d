//! How runs get their workers from a pool: by jobs that belong to the pool, not to a run.
//!
//! rayon takes no job back that it was given, and a busy pool may start it long after the run that wanted it, or never. So a
//! job knows no run. When a thread of the pool starts it, the job looks for a run on this pool that has a free place, and works
//! there until that run is over; if there is none, it returns at once.
//!
//! Invariants:
//!
//! 1. *No job outlives its run*, because a job that waits has none: it holds the key of its pool and nothing else. A worker that
//!    is in a run when the run ends returns as soon as it looks, and shares the ownership of what it looks at.
//! 2. *At most as many jobs wait in a pool as it has threads*, however many runs come and go: a run sends jobs only for the
//!    free places that no waiting job will fill.
//! 3. *Each place of a run is taken once*, so numbers of workers are distinct.
//! 4. *A key means one pool.* It is the address that the pool has in its `Arc`. A `Weak` keeps the address from being used again: that
//!    of the pool's entry for as long as a run is open or a job waits, and those of workers and of members that have declined.
//!
//! A member of a team that starts a job declines it ([`Member`]). The place stays free. The workers of the pool's runs send for it
//! again while they have nothing to do, and so does the member when it has left its run.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rayon::ThreadPool;

use super::member::Member;
use super::phases::Phases;

/// The pools that have open runs or waiting jobs.
static POOLS: Mutex<Vec<Pool>> = Mutex::new(Vec::new());

/// A pool's entry.
struct Pool {
    /// Never upgraded: it keeps the address.
    pool: Weak<ThreadPool>,
    threads: usize,
    /// Jobs that no thread has started yet.
    waiting: usize,
    /// Oldest first.
    runs: Vec<Places>,
}

/// An open run.
struct Places {
    phases: Arc<Phases>,
    /// The numbers of the workers that have not come yet.
    free: Range<usize>,
}

impl Pool {
    fn key(&self) -> usize {
        key(self.pool.as_ptr())
    }

    /// Counts the jobs that are missing as waiting, and returns their number: they are to be sent.
    fn call_up(&mut self) -> usize {
        let free = self.runs.iter().fold(0, |sum: usize, run| sum.saturating_add(run.free.len()));
        let missing = free.min(self.threads).saturating_sub(self.waiting);
        self.waiting += missing;
        missing
    }
}

fn key(pool: *const ThreadPool) -> usize {
    pool.addr()
}

fn pools() -> MutexGuard<'static, Vec<Pool>> {
    POOLS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls `change` with the entry of a pool, if it has one, and removes the entry if nothing needs it any more.
fn with_entry<R>(key: usize, change: impl FnOnce(&mut Pool) -> R) -> Option<R> {
    let mut pools = pools();
    let index = pools.iter().position(|pool| pool.key() == key)?;
    let result = change(&mut pools[index]);
    if pools[index].waiting == 0 && pools[index].runs.is_empty() {
        pools.swap_remove(index);
    }
    Some(result)
}

/// A run that workers of a pool may join. It is over when this is dropped.
pub(super) struct OpenRun {
    key: usize,
    phases: Arc<Phases>,
}

impl OpenRun {
    /// Opens a run with places for the workers 1 to `helpers`.
    pub(super) fn new(pool: &Arc<ThreadPool>, helpers: usize) -> Self {
        let key = key(Arc::as_ptr(pool));
        let phases = Arc::new(Phases::new());
        let places = Places { phases: Arc::clone(&phases), free: 1..helpers.saturating_add(1) };
        let missing = {
            let mut pools = pools();
            let index = pools.iter().position(|pool| pool.key() == key).unwrap_or(pools.len());
            if index == pools.len() {
                let threads = pool.current_num_threads();
                pools.push(Pool { pool: Arc::downgrade(pool), threads, waiting: 0, runs: Vec::new() });
            }
            pools[index].runs.push(places);
            pools[index].call_up()
        };
        for _ in 0..missing {
            pool.spawn(move || start(key));
        }
        Self { key, phases }
    }

    /// What the leader and the workers share.
    pub(super) fn phases(&self) -> &Phases {
        &self.phases
    }
}

impl Drop for OpenRun {
    fn drop(&mut self) {
        self.phases.stop();
        with_entry(self.key, |pool| pool.runs.retain(|run| !Arc::ptr_eq(&run.phases, &self.phases)));
    }
}

/// A job: a thread of the pool works for a run that wants it, if it may and there is one.
fn start(key: usize) {
    let place = with_entry(key, |pool| {
        pool.waiting = pool.waiting.saturating_sub(1);
        let entry = Weak::clone(&pool.pool);
        if Member::is_this_thread() {
            Member::when_left(move || call_again(&entry));
            return None;
        }
        pool.runs
            .iter_mut()
            .find_map(|run| Some((Arc::clone(&run.phases), run.free.next()?)))
            .map(|place| (entry, place))
    });
    if let Some((pool, (phases, worker))) = place.flatten() {
        let _member = Member::enter();
        // SAFETY: `free` begins at 1 and gives each number once (invariant 3).
        unsafe { phases.work(worker, || call_again(&pool)) };
    }
}

/// Sends for the workers that are still missing. Called by a thread of the pool.
fn call_again(pool: &Weak<ThreadPool>) {
    let key = key(pool.as_ptr());
    for _ in 0..with_entry(key, Pool::call_up).unwrap_or(0) {
        rayon::spawn(move || start(key));
    }
}

/// The jobs that wait in a pool.
#[cfg(test)]
pub(super) fn waiting_jobs(pool: &Arc<ThreadPool>) -> usize {
    with_entry(key(Arc::as_ptr(pool)), |pool| pool.waiting).unwrap_or(0)
}
