//! The worker team: threads that enter the pool once per run and carry the whole of it.
//!
//! A training step is a chain of short phases, each of which is a loop over disjoint pieces of some arrays. [`with_team`]
//! gives a run a [`Team`]; [`Team::for_each`] is one phase. Between phases the workers stay awake for a moment, so that a
//! phase costs fractions of a microsecond, and then sleep, so that a loaded machine does not crawl. A phase allocates
//! nothing.
//!
//! A run takes no pool away from its owner for good: workers that have had no phase for some 100 us do the pool's other jobs until
//! the next one. While phases follow each other without such a pause, jobs from elsewhere wait for the end of the run. A job that
//! waits (in `rayon::join`, for instance) may have its thread taken for a run, and goes on when that run ends: the run must not wait
//! for it. And a run leaves nothing behind:
//! at most as many of gannet's jobs wait in a pool as it has threads, however many runs have come and gone, and none of them
//! holds anything of a run.
//!
//! What a phase works on is described by [`Producer`]s: [`Elements`], [`Chunks`] and [`BlockedChunks`] of a slice,
//! [`ChunksOfEach`] of several, `Range<usize>`, tuples of up to five of them side by side, and [`Enumerated`].
//!
//! ```
//! # #[cfg(feature = "internals")] {
//! use gannet::internals::parallel::{Chunks, build_pool, with_team};
//!
//! let pool = build_pool(1)?;
//! let mut squares = vec![0; 1000];
//! with_team(2, Some(&pool), |team| {
//!     team.for_each((0..4, Chunks::new(&mut squares, 250)), |(part, chunk)| {
//!         for (offset, square) in chunk.iter_mut().enumerate() {
//!             *square = (250 * part + offset).pow(2);
//!         }
//!     });
//! });
//! assert_eq!(squares[999], 998_001);
//! # }
//! # Ok::<(), gannet::Error>(())
//! ```

mod ahead;
mod bell;
mod member;
mod open_runs;
mod phases;
mod producer;
mod sync;
mod team;
#[cfg(test)]
mod tests;
mod tree;

/// The pool that a run takes its workers from: one of rayon.
pub use rayon::ThreadPool;

pub(crate) use ahead::{Ahead, Complete};
pub use producer::{BlockedChunks, Chunks, ChunksOfEach, Elements, Enumerated, Producer};
pub use team::{Team, with_team};
pub use tree::add_in_tree;

use std::sync::Arc;

use crate::error::{Error, Result};

/// The number of processors that this process may use, at least 1. Quotas and affinities of the system count.
pub fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The most threads that a run of gannet takes, whatever it is asked for: four for each processor that this process may use, at
/// least 16. More of them only wait for each other.
pub fn most_threads() -> usize {
    available_threads().saturating_mul(4).max(16)
}

/// A pool of `workers` threads, named `gannet-worker-1` and so on. A run of `n` threads needs `n - 1` workers, because the
/// caller's thread works as well; a run of one thread needs no pool.
///
/// # Errors
///
/// [`Error::Threads`] if `workers` is 0 or above [`most_threads`], or if the system refuses the threads.
pub fn build_pool(workers: usize) -> Result<Arc<ThreadPool>> {
    if workers == 0 {
        return Err(Error::Threads {
            problem: "a pool needs at least one worker; one thread alone needs no pool".into(),
        });
    }
    let most = most_threads();
    if workers > most {
        return Err(Error::Threads { problem: format!("a pool of {workers} workers is asked for; at most {most}") });
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(workers)
        .thread_name(|index| format!("gannet-worker-{}", index + 1))
        .build()
        .map(Arc::new)
        .map_err(|error| Error::Threads { problem: format!("cannot start {workers} workers: {error}") })
}
