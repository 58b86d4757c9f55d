//! Pools of worker threads that several trainers share.

use std::sync::Arc;

use gannet::cpu::{ThreadPool, build_pool};

use crate::arguments;
use crate::border::call;
use crate::handles::{self, Handled};
use crate::status::GannetStatus;

/// Worker threads that several trainers share.
#[derive(Debug)]
pub struct GannetPool {
    _opaque: [u8; 0],
}

/// What the handle stands for.
pub(crate) struct Pool(pub(crate) Arc<ThreadPool>);

impl Handled for Pool {
    type Opaque = GannetPool;
    const NAME: &'static str = "GannetPool";
}

/// Starts a pool of `workers` threads, at most four for each processor or 16. A run of `n` threads takes `n - 1` workers, because the calling
/// thread works too.
///
/// A trainer that was made with it keeps its threads: the pool may be freed before its trainers.
///
/// # Safety
///
/// A pointer can be written to `pool`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_pool_new(workers: usize, pool: *mut *mut GannetPool) -> GannetStatus {
    call(|| {
        arguments::check_place(pool, "pool")?;
        let handle = handles::insert(|| Ok(Pool(build_pool(workers)?)))?;
        // SAFETY: of the caller.
        unsafe { arguments::put(pool, "pool", handle) }
    })
}

/// Frees a pool; NULL is none. Its threads end when no trainer has them any more.
#[unsafe(no_mangle)]
pub extern "C" fn gannet_pool_free(pool: *mut GannetPool) -> GannetStatus {
    call(|| handles::remove::<Pool>(pool))
}
