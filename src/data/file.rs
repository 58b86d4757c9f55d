//! Opening data files: only what has an end and a known length.

use std::fs::{self, File};
use std::path::Path;

use crate::error::{Error, Result};

/// A regular file and its length in bytes.
///
/// # Errors
///
/// [`Error::Data`] for a folder, a pipe or a device; [`Error::Io`] where the system refuses.
pub(super) fn open(path: &Path) -> Result<(File, u64)> {
    let failed = |source| Error::Io { action: "read", path: path.to_owned(), source };
    // Checked before opening: to open a pipe would wait for its writer.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(Error::data(path.display().to_string(), "is no regular file"));
    }
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    Ok((file, length))
}
