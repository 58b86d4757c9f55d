//! What reading may take of the memory that a run may take.

use std::path::Path;

use gannet::Error;

use crate::data::address_space::allowed;
use crate::numbers::{MIB, mib};

/// The program itself, its threads, and what the system's allocator keeps of what was given back.
pub(crate) const PROGRAM: u64 = 18 * MIB;

/// What reading own data may take of a run's `limit`, or of the system's.
pub(crate) fn for_reading(limit: Option<u64>) -> u64 {
    allowed(limit, 0).map_or(u64::MAX, |allowed| allowed.bytes.saturating_sub(PROGRAM))
}

/// The error of reading `file`, which took more than it may, where a run's `limit` or the system's is the reason.
pub(crate) fn of_reading(error: Error, limit: Option<u64>, file: &Path) -> Error {
    match (error, allowed(limit, 0)) {
        (Error::MemoryLimit { .. }, Some(allowed)) if allowed.bytes < PROGRAM => {
            let problem =
                format!("the program alone takes {}, more than {}; {}", mib(PROGRAM), allowed.text(), allowed.cure());
            Error::data("memory", problem)
        }
        (Error::MemoryLimit { needed, .. }, Some(allowed)) => {
            let problem = format!(
                "it takes {} or more beside the {} of the program, more than {}; give fewer rows or columns, or {}",
                mib(needed),
                mib(PROGRAM),
                allowed.text(),
                allowed.cure()
            );
            Error::data(file.display().to_string(), problem)
        }
        (other, _) => other,
    }
}
