//! Files that may be compressed by gzip, which their first two bytes tell.

use std::io::{self, BufRead, Cursor, Read};

#[cfg(feature = "gzip")]
use flate2::bufread::MultiGzDecoder;

/// What helps where a file is damaged, or shorter than it should be.
pub(crate) const AGAIN: &str = "copy, download or write it again";

/// DEFLATE cannot expand data more than 1032 times (<https://zlib.net/zlib_tech.html>), which bounds what a compressed file
/// can hold before a byte of it is expanded.
pub(crate) const MAX_EXPANSION: u64 = 1032;

/// Most bytes that compressed data may expand to: 4 GiB.
pub(crate) const MAX_UNPACKED: u64 = 1 << 32;

/// The first two bytes of a gzip file (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A reader that expands what is compressed by gzip, and gives everything else as it is.
pub(crate) struct Unpacked<'a> {
    reader: Box<dyn Read + 'a>,
    packed: bool,
    /// Bytes of the file itself.
    length: u64,
    /// Bytes given so far.
    given: u64,
    /// Most bytes that a compressed file may give.
    most: u64,
}

impl<'a> Unpacked<'a> {
    /// Reads from `reader`, which gives `length` bytes; compressed ones may expand to `most`.
    ///
    /// # Errors
    ///
    /// What the reader reports.
    pub(crate) fn new(mut reader: impl BufRead + 'a, length: u64, most: u64) -> io::Result<Self> {
        let mut start = [0; 2];
        let read = read_full(&mut reader, &mut start)?;
        let packed = start == GZIP_MAGIC;
        let reader = Cursor::new(start).take(read as u64).chain(reader);
        let reader = if packed { expanded(reader)? } else { Box::new(reader) };
        Ok(Self { reader, packed, length, given: 0, most })
    }

    /// Whether the file is compressed.
    pub(super) fn is_packed(&self) -> bool {
        self.packed
    }

    /// The bytes that the file gives: exactly, or at most where it is compressed.
    pub(super) fn longest(&self) -> u64 {
        if self.packed { self.length.saturating_mul(MAX_EXPANSION).min(self.most) } else { self.length }
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (given, most) = (self.given, self.most);
        match self.reader.read(buffer) {
            Ok(read) => {
                self.given += read as u64;
                if self.packed && self.given > most {
                    return Err(io::Error::new(
                        io::ErrorKind::FileTooLarge,
                        format!("expands to more than {most} bytes, the most of a gzip file; give it unpacked"),
                    ));
                }
                Ok(read)
            }
            // Damaged data, unless the system names a reason of its own.
            Err(error)
                if self.packed && error.raw_os_error().is_none() && error.kind() != io::ErrorKind::Interrupted =>
            {
                let problem = format!("damaged gzip data after {given} decompressed bytes: {error}; {AGAIN}");
                Err(io::Error::new(io::ErrorKind::InvalidData, problem))
            }
            Err(error) => Err(error),
        }
    }
}

/// What `reader`, which is compressed by gzip, holds.
#[cfg(feature = "gzip")]
fn expanded<'a>(reader: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
    Ok(Box::new(MultiGzDecoder::new(reader)))
}

/// Refuses what is compressed.
#[cfg(not(feature = "gzip"))]
fn expanded<'a>(_reader: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let problem =
        "is compressed by gzip, which gannet reads only with its feature gzip; enable that, or unpack the file";
    Err(io::Error::new(io::ErrorKind::Unsupported, problem))
}

/// Reads until `buffer` is full or the end is reached; the number of bytes read.
pub(super) fn read_full(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(all(test, not(feature = "gzip")))]
mod tests {
    use super::*;

    #[test]
    fn compressed_files_are_refused_by_name() {
        let error = Unpacked::new(&GZIP_MAGIC[..], 2, 2).err().unwrap();
        assert!(error.to_string().contains("feature gzip"), "{error}");
        assert!(!Unpacked::new(&b"1,2"[..], 3, 3).unwrap().is_packed());
    }
}
