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
