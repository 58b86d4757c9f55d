//! The lock of a folder that one process writes to. The system gives it back when the process ends, however it ends.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use super::files::refused;
use crate::error::{Error, Result};
use crate::file;

/// The file in the folder that is locked.
pub(crate) const LOCK: &str = "run.lock";

/// How [`lock`] takes a lock: [`File::try_lock`] or [`File::try_lock_shared`].
pub(crate) type Take = fn(&File) -> std::result::Result<(), TryLockError>;

/// Locks the folder `path` by `take`.
///
/// # Errors
///
/// [`Error::Data`] where another process has it; [`Error::Io`] where the system refuses.
pub(crate) fn lock(path: &Path, take: Take) -> Result<File> {
    let name = path.join(LOCK);
    let opened = file::open_with(&name, File::options().create(true).append(true));
    let file = opened.map_err(|source| file::refused("create", &name, source))?;
    match take(&file) {
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
