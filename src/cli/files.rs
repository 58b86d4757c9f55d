//! Files of the program: written whole or not at all, and the system's refusals as errors.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use atomic_write_file::AtomicWriteFile;

use crate::error::{Error, Result};

/// Writes a file whole or not at all: `write` fills a temporary file beside it, which then takes its place.
///
/// # Errors
///
/// [`Error::Io`] where the system refuses.
pub(crate) fn write_atomically(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let written = AtomicWriteFile::open(path).and_then(|file| {
        let mut buffer = io::BufWriter::new(file);
        write(&mut buffer)?;
        buffer.into_inner().map_err(io::IntoInnerError::into_error)?.commit()
    });
    written.map_err(refused("write", path))
}

/// Whether a file is one that [`write_atomically`] was filling: it puts a point before the name and six letters behind it.
pub(crate) fn is_temporary(name: &str) -> bool {
    let parts = name.strip_prefix('.').and_then(|name| name.rsplit_once('.'));
    parts.is_some_and(|(name, end)| {
        let ours = ["toml", "csv", "json", "png", "html", "safetensors"];
        let is_ours = name.rsplit_once('.').is_some_and(|(_, extension)| ours.contains(&extension));
        is_ours && end.len() == 6 && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Makes what was done to the names in `folder` outlast a loss of power.
///
/// # Errors
///
/// [`Error::Io`] where the system refuses.
pub(crate) fn sync_names(folder: &Path) -> Result<()> {
    // Folders cannot be opened everywhere.
    File::open(folder).map_or(Ok(()), |folder| folder.sync_all()).map_err(refused("write", folder))
}

/// The system's refusal as an error.
pub(crate) fn refused(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Error + use<> {
    let path = path.to_path_buf();
    move |source| Error::Io { action, path: path.clone(), source }
}
