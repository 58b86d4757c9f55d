//! Files of the program: written whole or not at all, and the system's refusals as errors.

use std::io::{self, Write};
use std::path::Path;

use gannet::internals::atomic_file::{self, Placing, TEMPORARY_NAME_LETTERS};
use gannet::{Error, Result};

/// Writes a file of the program's own whole or not at all; `write` fills it.
///
/// # Errors
///
/// [`Error::Io`] where the system refuses.
pub(crate) fn write_atomically(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    atomic_file::write(path, Placing::Replace, |file| buffered(file, write)).map_err(refused("write", path))
}

/// Has `write` fill `file` through a buffer.
///
/// # Errors
///
/// What `write` and the system report.
pub(crate) fn buffered(file: impl Write, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = io::BufWriter::new(file);
    write(&mut buffer)?;
    buffer.flush()
}

/// Whether a file is one that [`write_atomically`] was filling: it puts a point before the name and letters behind it.
pub(crate) fn is_temporary(name: &str) -> bool {
    let parts = name.strip_prefix('.').and_then(|name| name.rsplit_once('.'));
    parts.is_some_and(|(name, end)| {
        let ours = ["toml", "csv", "json", "png", "html", "safetensors"];
        let is_ours = name.rsplit_once('.').is_some_and(|(_, extension)| ours.contains(&extension));
        is_ours && end.len() == TEMPORARY_NAME_LETTERS && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// The system's refusal as an error.
pub(crate) fn refused(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Error + use<> {
    let path = path.to_path_buf();
    move |source| Error::Io { action, path: path.clone(), source }
}
