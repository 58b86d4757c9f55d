//! What gannet's own program and benches share with the library. Not a part of its interface: anything here may change or go
//! in any version.

pub mod engine;
pub mod machine;
pub mod markdown;
pub mod numbers;
pub mod peak;

/// Files that are written whole or not at all.
pub mod atomic_file {
    pub use crate::atomic_file::*;
}

/// Reading files: regular ones only.
pub mod file {
    pub use crate::file::*;
}

/// Files that may be compressed, and the bounds of what they hold.
pub mod packed {
    use std::io::{self, BufRead, Read};

    use crate::data::packed::Unpacked;

    /// What helps where a file is damaged, or shorter than it should be.
    pub const AGAIN: &str = crate::data::packed::AGAIN;

    /// How often DEFLATE can expand data at most.
    pub const MAX_EXPANSION: u64 = crate::data::packed::MAX_EXPANSION;

    /// Most bytes that compressed data may expand to.
    pub const MAX_UNPACKED: u64 = crate::data::packed::MAX_UNPACKED;

    /// What `reader`, which gives `length` bytes, holds: expanded where it is compressed, as it is otherwise.
    ///
    /// # Errors
    ///
    /// What the reader reports; later, what is damaged, or expands to more than 4 GiB.
    pub fn unpacked<'a>(reader: impl BufRead + 'a, length: u64) -> io::Result<Box<dyn Read + 'a>> {
        Ok(Box::new(Unpacked::new(reader, length, MAX_UNPACKED)?))
    }
}

/// The layers under the interface, for benches and tests that measure and check each alone.
pub mod gemm {
    pub use crate::gemm::*;
}

/// See [`gemm`].
pub mod kernel {
    pub use crate::kernel::*;
}

/// See [`gemm`].
pub mod memory {
    pub use crate::memory::*;
}

/// See [`gemm`].
pub mod net {
    pub use crate::net::parameters::row_stride;
    pub use crate::net::pass::InputMode;
}

/// See [`gemm`].
pub mod parallel {
    pub use crate::parallel::*;
}

/// See [`gemm`].
pub mod simd {
    pub use crate::simd::*;
}

/// See [`gemm`].
pub mod program {
    pub use crate::gan::program::{Gradients, Loss, Pass, Rows};
    pub use crate::gan::streams::Stream;
}
