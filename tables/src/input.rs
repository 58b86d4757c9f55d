//! Where a table comes from. It is read more than once, so that standard input is kept in memory.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use gannet::internals::{file, packed};
use gannet::{Error, Result};

/// A table's bytes: a file, or bytes in memory; plain or compressed by gzip.
#[derive(Clone, Debug)]
pub struct Input {
    origin: PathBuf,
    /// The bytes; those of the file where there are none.
    bytes: Option<Vec<u8>>,
}

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 16;

impl Input {
    /// A file. It is opened when it is read.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { origin: path.into(), bytes: None }
    }

    /// Bytes in memory; `origin` stands in messages.
    pub fn bytes(origin: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { origin: origin.into(), bytes: Some(bytes.into()) }
    }

    /// All that `reader`, such as standard input, gives, at most `most` bytes; `origin` stands in messages.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where it cannot be read; [`Error::MemoryLimit`] where it gives more; [`Error::OutOfMemory`].
    pub fn stream(origin: impl Into<PathBuf>, mut reader: impl Read, most: u64) -> Result<Self> {
        let origin = origin.into();
        let (mut bytes, mut block) = (Vec::new(), vec![0; BLOCK]);
        loop {
            let read = match reader.read(&mut block) {
                Ok(0) => {
                    bytes.shrink_to_fit();
                    return Ok(Self { origin, bytes: Some(bytes) });
                }
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(Error::Io { action: "read", path: origin, source }),
            };
            let needed = (bytes.len() + read) as u64;
            if needed > most {
                return Err(Error::MemoryLimit { needed, limit: most });
            }
            if needed > bytes.capacity() as u64 {
                // Twice as much, so that few bytes are copied; but no more than it may take.
                let room = needed.saturating_mul(2).min(most) - bytes.len() as u64;
                let room = usize::try_from(room).unwrap_or(usize::MAX);
                bytes.try_reserve_exact(room).map_err(|_| Error::OutOfMemory { bytes: needed })?;
            }
            bytes.extend_from_slice(&block[..read]);
        }
    }

    /// What it is called in messages.
    pub fn origin(&self) -> &Path {
        &self.origin
    }

    /// The bytes themselves, as they were given, where they are in memory.
    pub fn in_memory(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }

    /// Bytes of memory that it takes itself.
    pub fn held(&self) -> u64 {
        self.bytes.as_ref().map_or(0, |bytes| bytes.capacity() as u64)
    }

    /// An error about what it holds.
    pub(crate) fn error(&self, problem: impl Into<String>) -> Error {
        Error::data(self.origin.display().to_string(), problem)
    }

    /// The system's refusal to read it, or what the reader says of its bytes.
    pub(crate) fn refused(&self, source: std::io::Error) -> Error {
        file::refused("read", &self.origin, source)
    }

    /// Its bytes from the beginning, expanded where they are compressed.
    pub(crate) fn open(&self) -> Result<Box<dyn Read + '_>> {
        let opened = match &self.bytes {
            Some(bytes) => packed::unpacked(bytes.as_slice(), bytes.len() as u64),
            None => {
                let (file, length) = file::open(&self.origin)?;
                packed::unpacked(BufReader::with_capacity(BLOCK, file), length)
            }
        };
        opened.map_err(|source| self.refused(source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_have_a_limit() {
        let input = Input::stream("-", &b"a,b\n"[..], 4).unwrap();
        let mut bytes = Vec::new();
        input.open().unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!((bytes.as_slice(), input.held()), (&b"a,b\n"[..], 4));
        let most = 3 * BLOCK as u64 + 7;
        let input = Input::stream("-", std::io::repeat(b'1').take(most), most).unwrap();
        assert_eq!(input.held(), most);
        let error = Input::stream("-", std::io::repeat(b'1'), 1 << 20).unwrap_err();
        assert!(matches!(error, Error::MemoryLimit { limit: 0x10_0000, .. }), "{error}");
    }

    #[test]
    fn a_folder_is_no_table() {
        let place = tempfile::tempdir().unwrap();
        let error = Input::file(place.path()).open().err().unwrap().to_string();
        assert!(error.contains("not a regular file"), "{error}");
    }
}
