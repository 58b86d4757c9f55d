//! Settings of a run beside what is trained, and the threads and instructions they resolve to.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::error::Result;
use crate::gemm::EngineKind;
use crate::parallel::{self, ThreadPool};
use crate::simd::{Isa, IsaKind};

/// Settings of a run that do not change what is learned, except for the batch, its shards, the seed and the shuffling.
///
/// ```
/// use gannet::gan::TrainerOptions;
///
/// let options = TrainerOptions::default().with_batch(128).with_threads(2);
/// assert_eq!((options.batch, options.threads, options.seed), (128, 2, 0));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TrainerOptions {
    /// Samples of a batch: each turn of D takes one.
    pub batch: usize,
    /// Shards of the batch, a power of two: the sums over a batch are added in a tree of which each shard is a branch, so that as many
    /// processes may share the work and come to the same bits. More than 1 cost memory for gradients, and change rounding.
    pub shards: usize,
    /// Seed of initial weights, shuffling, latents and dropout.
    pub seed: u64,
    /// Whether the data are shuffled anew for each epoch, or come in order.
    pub shuffle: bool,
    /// Worker threads; 0 = one for each processor (or for each thread of `pool`). More than [`parallel::most_threads`] are as
    /// good as that many; a trainer's own options hold the number that was taken.
    pub threads: usize,
    /// Engine.
    pub engine: EngineKind,
    /// A forced instruction set; `None` = `GANNET_ISA`, or the best.
    pub isa: Option<IsaKind>,
    /// Most bytes that parameters and workspace may take; `None` = as much as the machine has.
    pub memory_limit: Option<u64>,
    /// The rayon pool to take worker threads from; `None` = the trainer makes its own (none with one thread). The thread
    /// that calls [`Trainer::run`](super::Trainer::run) works too, so that `threads - 1` come from the pool.
    ///
    /// Other jobs of the pool are done when a run pauses for some 100 us, as in a report; with all of the pool's threads in the run,
    /// they may have to wait for its end. So may a job that has begun, and waits for a part of itself (`rayon::join`) when the run
    /// takes its thread: neither the source nor a report may wait for jobs that others gave the pool.
    ///
    /// The products keep copies of their operands on the stack, up to 120 KiB: the pool's threads need half a megabyte of it, a quarter
    /// of what rayon gives them.
    pub pool: Option<Arc<ThreadPool>>,
    /// As soon as this is true, [`Trainer::run`](super::Trainer::run) ends after the step in progress and begins no other.
    pub stop: Option<Arc<AtomicBool>>,
}

impl Default for TrainerOptions {
    fn default() -> Self {
        Self {
            batch: 32,
            shards: 1,
            seed: 0,
            shuffle: true,
            threads: 1,
            engine: EngineKind::default(),
            isa: None,
            memory_limit: None,
            pool: None,
            stop: None,
        }
    }
}

impl TrainerOptions {
    /// The same options with so many [samples of a batch](Self::batch).
    #[must_use]
    pub fn with_batch(mut self, batch: usize) -> Self {
        self.batch = batch;
        self
    }

    /// The same options with so many [shards of the batch](Self::shards).
    #[must_use]
    pub fn with_shards(mut self, shards: usize) -> Self {
        self.shards = shards;
        self
    }

    /// The same options with another [seed](Self::seed).
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same options with data that are [shuffled](Self::shuffle), or are not.
    #[must_use]
    pub fn with_shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// The same options with so many [worker threads](Self::threads).
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The same options with another [engine](Self::engine).
    #[must_use]
    pub fn with_engine(mut self, engine: EngineKind) -> Self {
        self.engine = engine;
        self
    }

    /// The same options with another [forced instruction set](Self::isa).
    #[must_use]
    pub fn with_isa(mut self, isa: impl Into<Option<IsaKind>>) -> Self {
        self.isa = isa.into();
        self
    }

    /// The same options with another [limit of memory](Self::memory_limit), in bytes.
    #[must_use]
    pub fn with_memory_limit(mut self, limit: impl Into<Option<u64>>) -> Self {
        self.memory_limit = limit.into();
        self
    }

    /// The same options with another [pool of threads](Self::pool).
    #[must_use]
    pub fn with_pool(mut self, pool: impl Into<Option<Arc<ThreadPool>>>) -> Self {
        self.pool = pool.into();
        self
    }

    /// The same options with another [flag that ends a run](Self::stop).
    #[must_use]
    pub fn with_stop(mut self, stop: impl Into<Option<Arc<AtomicBool>>>) -> Self {
        self.stop = stop.into();
        self
    }
}

/// The options that all parts of a run share, resolved: how many threads, from which pool, with which instructions.
pub(super) struct Resources {
    pub(super) isa: Isa,
    pub(super) threads: usize,
    pub(super) pool: Option<Arc<ThreadPool>>,
}

impl Resources {
    pub(super) fn resolve(options: &TrainerOptions) -> Result<Self> {
        let threads = match (options.threads, &options.pool) {
            (0, Some(pool)) => pool.current_num_threads(),
            (0, None) => parallel::available_threads(),
            (threads, _) => threads,
        };
        let threads = threads.min(parallel::most_threads());
        Ok(Self { isa: Isa::resolve(options.isa)?, threads, pool: options.pool.clone() })
    }

    /// Makes a pool where a team of `threads` needs one and the caller brought none.
    pub(super) fn ensure_pool(&mut self, threads: usize) -> Result<()> {
        if threads > 1 && self.pool.is_none() {
            self.pool = Some(parallel::build_pool(threads - 1)?);
        }
        Ok(())
    }
}
