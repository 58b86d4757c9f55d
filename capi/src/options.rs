//! Options of trainers and losses: batch, seed, threads.

use std::ffi::c_char;
use std::ptr;

use gannet::gan::TrainerOptions;
use gannet_settings::values;

use crate::arguments;
use crate::handles;
use crate::pool::{GannetPool, Pool};
use crate::settings;
use crate::status::Failure;
use crate::versioned::{self, Versioned};

/// Options of a trainer or a loss. Set `size` to `sizeof(GannetOptions)`; every other field may be 0 or NULL for its default.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct GannetOptions {
    /// `sizeof(GannetOptions)`.
    pub size: usize,
    /// Samples of a batch. 0: the preset's, or 32.
    pub batch: usize,
    /// Shards of the batch, a power of two. 0: 1.
    pub shards: usize,
    /// Seed of initial weights, shuffling, latents and dropout.
    pub seed: u64,
    /// Worker threads, the calling one included. 0: one for each processor, or of `pool` all.
    pub threads: usize,
    /// A pool to take worker threads from. NULL: the trainer starts its own, none with one thread.
    pub pool: *const GannetPool,
    /// Most bytes that parameters and workspace may take. 0: what the system gives.
    pub memory_limit: u64,
    /// `"auto"`, `"native"` or `"matrixmultiply"`. NULL: `"auto"`.
    pub engine: *const c_char,
    /// `"avx512"`, `"avx2"` or `"portable"`. NULL: what the environment variable `GANNET_ISA` names, or the best.
    pub isa: *const c_char,
    /// `GANNET_SHUFFLED` or `GANNET_IN_ORDER`. 0: as the preset has it, or shuffled.
    pub order: i32,
    /// 0.
    pub reserved: i32,
}

/// The data are shuffled anew for each epoch.
pub const GANNET_SHUFFLED: i32 = 1;

/// The data come in their order.
pub const GANNET_IN_ORDER: i32 = 2;

// SAFETY: repr(C), begins with its size, and consists of numbers and raw pointers.
unsafe impl Versioned for GannetOptions {
    const NAME: &'static str = "GannetOptions";
    const ZERO: Self = Self {
        size: 0,
        batch: 0,
        shards: 0,
        seed: 0,
        threads: 0,
        pool: ptr::null(),
        memory_limit: 0,
        engine: ptr::null(),
        isa: ptr::null(),
        order: 0,
        reserved: 0,
    };
}

impl GannetOptions {
    /// The options at `pointer`; NULL means the default of each.
    ///
    /// # Safety
    ///
    /// As of [`versioned::read`].
    pub(crate) unsafe fn read(pointer: *const Self) -> Result<Self, Failure> {
        if pointer.is_null() {
            return Ok(Self::ZERO);
        }
        // SAFETY: of the caller.
        unsafe { versioned::read(pointer) }
    }

    /// The options as the library has them, in the place of those that are `usual`.
    ///
    /// # Safety
    ///
    /// The texts are NULL or end with 0.
    pub(crate) unsafe fn resolve(&self, usual: TrainerOptions) -> Result<TrainerOptions, Failure> {
        let or = |given: usize, usual: usize| if given == 0 { usual } else { given };
        let batch = or(self.batch, usual.batch);
        let shuffle = match self.order {
            0 => usual.shuffle,
            GANNET_SHUFFLED => true,
            GANNET_IN_ORDER => false,
            other => {
                let problem = format!("the order {other} is unknown; use GANNET_SHUFFLED or GANNET_IN_ORDER");
                return Err(Failure::argument(problem));
            }
        };
        let pool = match self.pool {
            none if none.is_null() => None,
            pool => Some(handles::with(pool, |Pool(pool)| Ok(pool.clone()))?),
        };
        let engine = if self.engine.is_null() {
            usual.engine
        } else {
            // SAFETY: of the caller.
            values::engine(unsafe { arguments::text(self.engine, "engine")? })?
        };
        // SAFETY: of the caller.
        let isa = unsafe { settings::isa_kind(self.isa)? };
        let limit = Some(self.memory_limit).filter(|limit| *limit > 0);
        let shards = or(self.shards, usual.shards);
        Ok(usual
            .with_batch(batch)
            .with_shards(shards)
            .with_seed(self.seed)
            .with_threads(self.threads)
            .with_shuffle(shuffle)
            .with_pool(pool)
            .with_engine(engine)
            .with_isa(isa)
            .with_memory_limit(limit))
    }
}
