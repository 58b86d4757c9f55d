//! Whether memory that is planned may be taken, before the first byte of it is.

use std::fs;

use crate::error::{Error, Result};

/// Checks `needed` bytes against a limit, or without one against what the machine has in all: a system that promises more than it has ends the
/// process when the memory is used.
///
/// # Errors
///
/// [`Error::MemoryLimit`], or [`Error::OutOfMemory`] where there is no limit.
pub fn check(needed: u64, limit: Option<u64>) -> Result<()> {
    match limit {
        Some(limit) if needed > limit => Err(Error::MemoryLimit { needed, limit }),
        None if of_machine().is_some_and(|all| needed > all) => Err(Error::OutOfMemory { bytes: needed }),
        _ => Ok(()),
    }
}

/// Bytes of memory and swap that the machine has in all; `None` where the system does not tell (it is Linux that does).
fn of_machine() -> Option<u64> {
    total(&fs::read_to_string("/proc/meminfo").ok()?)
}

/// The bytes of memory and swap in the text of Linux's `/proc/meminfo` (proc_meminfo(5)), which counts in KiB.
fn total(text: &str) -> Option<u64> {
    let bytes = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    };
    bytes("MemTotal:")?.checked_add(bytes("SwapTotal:").unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_the_machine_are_looked_at() {
        check(10, Some(10)).unwrap();
        assert!(matches!(check(11, Some(10)), Err(Error::MemoryLimit { needed: 11, limit: 10 })));
        check(1 << 20, None).unwrap();
        // A limit of the caller's is the caller's to know.
        check(u64::MAX, Some(u64::MAX)).unwrap();
        if cfg!(target_os = "linux") {
            assert!(matches!(check(u64::MAX, None), Err(Error::OutOfMemory { bytes: u64::MAX })));
        }
    }

    #[test]
    fn the_text_of_the_system_is_read() {
        assert_eq!(total("MemTotal:       2048 kB\nMemFree: 1 kB\nSwapTotal:    10 kB\n"), Some(2058 * 1024));
        assert_eq!(total("MemTotal: 3 kB\n"), Some(3072));
        for text in ["", "MemFree: 3 kB\n", "MemTotal: 3\n", "MemTotal: 99999999999999999 kB\n"] {
            assert_eq!(total(text), None, "{text}");
        }
    }
}
