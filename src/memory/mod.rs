//! Memory that kernels work on: buffers aligned for vectors, taken before the first step and never in it.
//!
//! A run plans with [`ArenaLayout`], takes one [`AlignedBuffer`] of the planned length, and looks at its regions through
//! plain slices.

mod arena;
mod buffer;
pub mod bytes;
mod fallible;
mod limit;

pub use arena::ArenaLayout;
pub use buffer::AlignedBuffer;
pub use fallible::{copied, filled, room};
pub use limit::check;

/// Alignment of every buffer in bytes: a cache line, and an AVX-512 register.
pub const ALIGNMENT: usize = 64;
