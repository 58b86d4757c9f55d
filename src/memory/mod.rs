//! Memory that kernels work on: buffers aligned for vectors, taken before the first step and never in it.

/// Alignment of every buffer: a cache line, and an AVX-512 register.
pub const ALIGNMENT: usize = 64;
