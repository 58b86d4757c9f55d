//! The limit that the system sets to the address space of the process (`ulimit -v`), and what of it a run may take.
//!
//! Libraries that draw and print end the process where memory is refused to them, so that the program has to stay below the limit.

use std::fs;

use gannet::internals::engine::bytes_text;
use gannet::{Error, Result};

/// Without so much no command begins: with 48 MiB a run of `circle` just came to its end, with 40 it did not; a list of runs took 16 and
/// a picture 24 (26 November 2026).
const LEAST: u64 = 64 << 20;

/// What the process takes of the address space beside the memory that a run is counted for: code and libraries that are not in memory,
/// and stacks of threads. The same run of `circle` had 20 MiB in memory.
const BESIDE: u64 = 32 << 20;

/// What glibc's allocator sets aside for a thread that asks for memory (`HEAP_MAX_SIZE` in its `malloc/arena.c`), where there is room:
/// then it is missing elsewhere. Three replicas of `circle` were cut off once with 6 MiB more than their plan and [`BESIDE`] (26 November
/// 2026).
const SET_ASIDE: u64 = 64 << 20;

/// The most that a run may take, and what bounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    pub(crate) bytes: u64,
    /// Whether the system's limit is the smaller one.
    by_system: bool,
}

/// Refuses to begin where the system's limit is below what the program needs.
///
/// # Errors
///
/// [`Error::Data`] about it.
pub(crate) fn check() -> Result<()> {
    match system() {
        Some(limit) if limit < LEAST => {
            let problem = format!(
                "the address space of the process is limited to {}, but the program needs {}; raise the limit (ulimit -v)",
                bytes_text(limit),
                bytes_text(LEAST)
            );
            Err(Error::data("memory", problem))
        }
        _ => Ok(()),
    }
}

/// The smaller of the run's `limit` and of what the system's leaves, where so many threads beside the first one draw and measure;
/// `None` where there is neither.
pub(crate) fn allowed(limit: Option<u64>, threads: u64) -> Option<Allowed> {
    let beside = BESIDE.saturating_add(SET_ASIDE.saturating_mul(threads));
    smaller(limit, system().map(|system| system.saturating_sub(beside)))
}

fn smaller(limit: Option<u64>, left: Option<u64>) -> Option<Allowed> {
    let own = limit.map(|bytes| Allowed { bytes, by_system: false });
    let left = left.map(|bytes| Allowed { bytes, by_system: true });
    own.into_iter().chain(left).min_by_key(|allowed| allowed.bytes)
}

impl Allowed {
    /// The limit, as it stands in a message.
    pub(crate) fn text(self) -> String {
        let bytes = bytes_text(self.bytes);
        if self.by_system {
            format!("what the system's limit of the address space leaves, {bytes}")
        } else {
            format!("the limit of {bytes}")
        }
    }

    /// How to raise it.
    pub(crate) fn cure(self) -> &'static str {
        if self.by_system { "raise the limit of the address space (ulimit -v)" } else { "raise --memory-limit" }
    }
}

/// The limit that the system sets; `None` where there is none, or it is not told as Linux tells it.
fn system() -> Option<u64> {
    of_text(&fs::read_to_string("/proc/self/limits").ok()?)
}

/// The soft limit in the text of `/proc/self/limits`; `None` where it is unlimited.
fn of_text(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_read() {
        let text = |soft: &str| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max resident set          unlimited            unlimited            bytes     \n\
                 Max address space         {soft}             unlimited            bytes     \n"
            )
        };
        assert_eq!((of_text(&text("40960000")), of_text(&text("unlimited"))), (Some(40_960_000), None));
        assert_eq!((of_text(""), of_text("Max address space")), (None, None));
    }

    #[test]
    fn the_smaller_limit_counts() {
        let bytes = |own, system| smaller(own, system).map(|allowed| (allowed.bytes, allowed.by_system));
        assert_eq!(bytes(None, None), None);
        assert_eq!(bytes(Some(5), None), Some((5, false)));
        assert_eq!(bytes(Some(5), Some(7)), Some((5, false)));
        assert_eq!(bytes(Some(9), Some(7)), Some((7, true)));
        assert_eq!(bytes(None, Some(0)), Some((0, true)));
    }
}
