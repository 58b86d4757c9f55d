//! The lock of a folder that one process writes to. The system gives it back when the process ends, however it ends.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use gannet::internals::file;
use gannet::{Error, Result};

use crate::folder::files::refused;

/// The file in the folder that is locked.
pub(crate) const LOCK: &str = "run.lock";

/// How [`lock`] takes a lock: [`File::try_lock`] or [`File::try_lock_shared`].
pub(crate) type Take = fn(&File) -> std::result::Result<(), TryLockError>;

/// How often a lock that somebody has is tried again, and the time between: `gannet runs` has one for an instant.
const MORE_TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// Locks the folder `path` by `take`.
///
/// # Errors
///
/// [`Error::Data`] where another process has it; [`Error::Io`] where the system refuses.
pub(crate) fn lock(path: &Path, take: Take) -> Result<File> {
    let name = path.join(LOCK);
    let opened = file::open_with(&name, File::options().create(true).append(true));
    let file = opened.map_err(|source| file::refused("create", &name, source))?;
    let mut taken = take(&file);
    for _ in 0..MORE_TRIES {
        if !matches!(taken, Err(TryLockError::WouldBlock)) {
            break;
        }
        thread::sleep(BETWEEN_TRIES);
        taken = take(&file);
    }
    match taken {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let problem = "another process is training this run; wait for its end, or stop it";
            Err(Error::data(path.display().to_string(), problem))
        }
        // A file system without locks: the owner of such a folder has to look after it alone.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => Err(refused("lock", &name)(error)),
    }
}

/// Whether a process has the lock of the folder `path`. Where nobody has it, it is taken for an instant, and shared.
pub(crate) fn is_held(path: &Path) -> bool {
    file::open(&path.join(LOCK)).is_ok_and(|(lock, _)| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_lock_is_refused_only_where_it_stays_taken() {
        static TRIES: AtomicU32 = AtomicU32::new(0);
        let place = tempfile::tempdir().unwrap();
        let held = lock(place.path(), File::try_lock).unwrap();
        let refused = lock(place.path(), File::try_lock_shared);
        assert!(matches!(refused, Err(Error::Data { .. })), "{refused:?}");
        drop(held);
        // Somebody looks at it three times in a row.
        let take: Take = |file| match TRIES.fetch_add(1, Ordering::Relaxed) {
            0..3 => Err(TryLockError::WouldBlock),
            _ => file.try_lock(),
        };
        lock(place.path(), take).unwrap();
    }
}
