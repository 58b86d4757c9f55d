//! What reading may take of the memory that a run may take.

use std::path::Path;

use crate::error::{Error, bytes_text};

/// A MiB.
pub(crate) const MIB: u64 = 1 << 20;
/// The program itself, its threads, and what the system's allocator keeps of what was given back.
pub(crate) const PROGRAM: u64 = 18 * MIB;

/// What reading own data may take of a run's `limit`.
pub(crate) fn for_reading(limit: Option<u64>) -> u64 {
    limit.map_or(u64::MAX, |limit| limit.saturating_sub(PROGRAM))
}

/// The error of reading `file`, which took more than it may, where a run's `limit` is the reason.
pub(crate) fn of_reading(error: Error, limit: Option<u64>, file: &Path) -> Error {
    match (error, limit) {
        (Error::MemoryLimit { .. }, Some(limit)) if limit < PROGRAM => {
            let problem = format!(
                "the program alone takes {}, more than the limit of {}; raise --memory-limit",
                mib(PROGRAM),
                bytes_text(limit)
            );
            Error::data("memory", problem)
        }
        (Error::MemoryLimit { needed, .. }, Some(limit)) => {
            let problem = format!(
                "it takes {} or more beside the {} of the program, more than the limit of {}; give fewer rows or columns, or raise --memory-limit",
                mib(needed),
                mib(PROGRAM),
                bytes_text(limit)
            );
            Error::data(file.display().to_string(), problem)
        }
        (other, _) => other,
    }
}

/// Bytes for people.
pub(crate) fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / MIB as f64)
}
