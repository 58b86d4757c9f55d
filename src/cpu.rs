//! What a run uses of the processor: its instruction set, the engine of its products, its threads.

pub use crate::gemm::EngineKind;
pub use crate::parallel::{ThreadPool, available_threads, build_pool, most_threads};
pub use crate::simd::{CACHES_VARIABLE, ISA_VARIABLE, Isa, IsaKind};
