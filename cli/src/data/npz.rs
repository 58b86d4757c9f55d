//! Archives of NumPy (`.npz`): ZIP files with a file in NumPy's format for each array.
//!
//! Format (PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", 4.3): the record at the end says where the directory stands, and the
//! directory where each file does. Files are stored as they are, or compressed by DEFLATE; large ones have lengths of 64 bits.
//!
//! Every size is checked against the archive before memory is taken for it, and the checksum of an array after it was read.
//!
//! Not by the crate `zip`, which brings six crates more, among them ciphers' ones, and takes memory for as many entries as a file claims.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::CrcReader;
use flate2::read::DeflateDecoder;
use gannet::data::npy::{self, Array};
use gannet::internals::file::refused;
use gannet::internals::packed::{AGAIN, MAX_EXPANSION, MAX_UNPACKED};
use gannet::{Error, Result};

use crate::folder::contents::HEAD;
use crate::terminal::output::one_line;

/// What stands before every file.
const MAGIC: &[u8] = b"PK\x03\x04";

/// Arrays of an archive at most, and bytes of its directory.
const MOST_ARRAYS: u64 = 4096;
const LONGEST_DIRECTORY: u64 = 1 << 20;
/// Names of arrays that a message has, and letters of each.
const SHOWN: usize = 12;
const LETTERS: usize = 40;

/// Bytes of the record at the end without its comment, of the longest comment, and of what stands before it in large archives.
const END: usize = 22;
const LONGEST_COMMENT: u64 = 0xffff;
const LARGE_LOCATOR: u64 = 20;
const LARGE_END: usize = 56;
/// Bytes of an entry in the directory, and of the header before a file, without names and extras.
const ENTRY: usize = 46;
const HEADER: usize = 30;

/// What helps where an archive has several arrays.
const NAME_IT: &str =
    "name one of them where a training begins (--array NAME, or `array` of [data]), or save it alone: numpy.save";

/// An archive whose directory was read.
pub(crate) struct Archive<'a, R> {
    reader: R,
    /// Bytes of the archive.
    length: u64,
    /// What it is called in messages.
    origin: &'a Path,
    arrays: Vec<Entry>,
}

/// An array of the archive.
struct Entry {
    name: String,
    /// Whether it is compressed by DEFLATE.
    is_packed: bool,
    checksum: u32,
    /// Bytes in the archive, and of the file itself.
    packed: u64,
    size: u64,
    /// Where its header stands.
    offset: u64,
}

/// A number of so many bytes at a place, the least first; 0 where there are not so many.
fn number(bytes: &[u8], at: usize, count: usize) -> u64 {
    let bytes = at.checked_add(count).and_then(|end| bytes.get(at..end)).unwrap_or_default();
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The name of an array in a message: in one line, and not longer than anybody reads.
fn shown(name: &str) -> String {
    let short: String = name.chars().take(LETTERS).collect();
    let end = if short.len() < name.len() { "..." } else { "" };
    format!("{}{end}", one_line(&short))
}

impl<'a, R: Read + Seek> Archive<'a, R> {
    /// Reads the directory of an archive of `length` bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] for what is no such archive, or a damaged one; what the system reports.
    pub(crate) fn open(reader: R, length: u64, origin: &'a Path) -> Result<Self> {
        let mut archive = Self { reader, length, origin, arrays: Vec::new() };
        let tail_length = length.min(END as u64 + LONGEST_COMMENT);
        let tail = archive.bytes(length - tail_length, tail_length)?;
        let is_end = |at: &usize| {
            tail[*at..].starts_with(b"PK\x05\x06") && at + END + number(&tail, at + 20, 2) as usize == tail.len()
        };
        let end = (0..tail.len())
            .rev()
            .find(is_end)
            .ok_or_else(|| archive.error(format!("is a ZIP archive that is cut off: it has no directory; {AGAIN}")))?;
        let [mut count, mut size, mut offset] = [(10, 2), (12, 4), (16, 4)].map(|(at, of)| number(&tail, end + at, of));
        if count == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff {
            let place = (length - tail_length + end as u64).checked_sub(LARGE_LOCATOR);
            let locator = archive.bytes(place.ok_or_else(|| archive.damaged())?, LARGE_LOCATOR)?;
            let large = archive.bytes(number(&locator, 8, 8), LARGE_END as u64)?;
            if !locator.starts_with(b"PK\x06\x07") || !large.starts_with(b"PK\x06\x06") {
                return Err(archive.damaged());
            }
            [count, size, offset] = [32, 40, 48].map(|at| number(&large, at, 8));
        }
        if count > MOST_ARRAYS || size > LONGEST_DIRECTORY {
            return Err(archive.error(format!(
                "is an archive of {count} files with a directory of {size} bytes, more than {MOST_ARRAYS} and {LONGEST_DIRECTORY}; save the array alone: numpy.save"
            )));
        }
        let directory = archive.bytes(offset, size)?;
        archive.arrays = archive.entries(&directory, count)?;
        Ok(archive)
    }

    fn error(&self, problem: impl Into<String>) -> Error {
        Error::data(self.origin.display().to_string(), problem)
    }

    fn damaged(&self) -> Error {
        self.error(format!("is a damaged ZIP archive; {AGAIN}"))
    }

    /// So many bytes at a place, which are in the archive.
    fn bytes(&mut self, offset: u64, count: u64) -> Result<Vec<u8>> {
        if offset.checked_add(count).is_none_or(|end| end > self.length) {
            return Err(self.damaged());
        }
        let mut bytes = vec![0; count as usize];
        let read = self.reader.seek(SeekFrom::Start(offset)).and_then(|_| self.reader.read_exact(&mut bytes));
        read.map_err(|source| refused("read", self.origin, source))?;
        Ok(bytes)
    }

    /// The arrays of a directory of `count` files.
    fn entries(&self, directory: &[u8], count: u64) -> Result<Vec<Entry>> {
        let (mut arrays, mut rest) = (Vec::new(), directory);
        for _ in 0..count {
            let [name, extra, comment] = [28, 30, 32].map(|at| number(rest, at, 2) as usize);
            let end = ENTRY + name + extra + comment;
            if !rest.starts_with(b"PK\x01\x02") || rest.len() < end {
                return Err(self.damaged());
            }
            let (entry, behind) = rest.split_at(end);
            rest = behind;
            let full = String::from_utf8_lossy(&entry[ENTRY..ENTRY + name]);
            let Some(name_of_array) = full.strip_suffix(".npy") else { continue };
            let method = number(entry, 10, 2);
            if number(entry, 8, 2) & 1 == 1 || !matches!(method, 0 | 8) {
                return Err(self.error(format!(
                    "its array `{}` is encrypted, or compressed otherwise than NumPy does; save it again: numpy.savez",
                    shown(name_of_array)
                )));
            }
            let [size, packed, offset] = large_sizes(entry, &entry[ENTRY + name..ENTRY + name + extra]);
            let checksum = number(entry, 16, 4) as u32;
            arrays.push(Entry { name: name_of_array.into(), is_packed: method == 8, checksum, packed, size, offset });
        }
        if arrays.is_empty() {
            return Err(self.error("is a ZIP archive without arrays; unpack it and give the file in it"));
        }
        Ok(arrays)
    }

    /// The array of a name, or the only one.
    fn choose(&self, name: Option<&str>) -> Result<usize> {
        let names = || {
            let mut names: Vec<String> = self.arrays.iter().take(SHOWN).map(|array| shown(&array.name)).collect();
            let more = self.arrays.len().saturating_sub(SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            names.sort_unstable();
            names.join(", ") + &more
        };
        match (name, &self.arrays[..]) {
            (None, [_]) => Ok(0),
            (None, arrays) => {
                Err(self.error(format!("is an archive of {} arrays: {}; {NAME_IT}", arrays.len(), names())))
            }
            (Some(name), arrays) => arrays
                .iter()
                .position(|array| array.name == name)
                .ok_or_else(|| self.error(format!("has no array `{}`; it has {}; {NAME_IT}", shown(name), names()))),
        }
    }

    /// The file of an array, expanded.
    fn contents(&mut self, index: usize) -> Result<(Box<dyn Read + '_>, u64)> {
        let Entry { is_packed, packed, size, offset, .. } = self.arrays[index];
        let longest = if is_packed { packed.saturating_mul(MAX_EXPANSION).min(MAX_UNPACKED) } else { packed };
        if size > longest || (!is_packed && size != packed) {
            let name = shown(&self.arrays[index].name);
            return Err(self.error(format!(
                "its array `{name}` promises {size} bytes, but has {packed}, which expand to {longest} at most; {AGAIN}, or save the array alone: numpy.save"
            )));
        }
        let header = self.bytes(offset, HEADER as u64)?;
        let begin = offset + HEADER as u64 + number(&header, 26, 2) + number(&header, 28, 2);
        if !header.starts_with(MAGIC) || begin.checked_add(packed).is_none_or(|end| end > self.length) {
            return Err(self.damaged());
        }
        self.reader.seek(SeekFrom::Start(begin)).map_err(|source| refused("read", self.origin, source))?;
        let stored = self.reader.by_ref().take(packed);
        Ok((if is_packed { Box::new(Expanded(DeflateDecoder::new(stored))) } else { Box::new(stored) }, size))
    }

    /// The first bytes of the file of the array of a name, or of the only one.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] where there is none of the name, or several without one, with all names; a damaged archive.
    pub(crate) fn head(&mut self, name: Option<&str>) -> Result<Vec<u8>> {
        let index = self.choose(name)?;
        let origin = self.origin;
        let (contents, size) = self.contents(index)?;
        let mut head = Vec::new();
        contents.take(size.min(HEAD)).read_to_end(&mut head).map_err(|source| refused("read", origin, source))?;
        Ok(head)
    }

    /// Reads the array of a name, or the only one, in at most `most` bytes of memory.
    ///
    /// # Errors
    ///
    /// As [`head`](Self::head), and as [`npy::parse_array`].
    pub(crate) fn read(mut self, name: Option<&str>, most: u64) -> Result<Array> {
        let index = self.choose(name)?;
        let (name, checksum) = (shown(&self.arrays[index].name), self.arrays[index].checksum);
        let origin = format!("{}: {name}.npy", self.origin.display());
        let (contents, size) = self.contents(index)?;
        let mut reader = CrcReader::new(contents.take(size));
        let array = npy::parse_array(BufReader::new(&mut reader), size, Path::new(&origin), most)?;
        if reader.crc().sum() != checksum {
            return Err(Error::data(origin, format!("is damaged: its checksum is another; {AGAIN}")));
        }
        Ok(array)
    }
}

/// Size, bytes in the archive, and place of an entry: those that do not fit into 32 bits are in its extra field (4.5.3).
fn large_sizes(entry: &[u8], mut extra: &[u8]) -> [u64; 3] {
    let mut sizes = [24, 20, 42].map(|at| number(entry, at, 4));
    while extra.len() >= 4 {
        let (kind, length) = (number(extra, 0, 2), number(extra, 2, 2) as usize);
        let field = extra.get(4..4 + length).unwrap_or_default();
        if kind == 1 {
            let mut at = 0;
            for size in sizes.iter_mut().filter(|size| **size == 0xffff_ffff) {
                *size = number(field, at, 8);
                at += 8;
            }
        }
        extra = extra.get(4 + length..).unwrap_or_default();
    }
    sizes
}

/// A file that is being expanded: what is wrong with it is an error about the archive.
struct Expanded<R>(R);

impl<R: Read> Read for Expanded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                io::Error::new(io::ErrorKind::InvalidData, format!("is a damaged ZIP archive ({error}); {AGAIN}"))
            }
            _ => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    /// An array of bytes as NumPy writes it.
    fn array(shape: &str, values: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
        let length = (header.len() as u16).to_le_bytes();
        [npy::MAGIC, &[1, 0][..], &length, header.as_bytes(), values].concat()
    }

    fn le(number: u64, count: usize) -> Vec<u8> {
        number.to_le_bytes()[..count].to_vec()
    }

    /// An archive of these files, compressed or not, with lengths of 64 bits or not.
    fn archive(files: &[(&str, &[u8])], is_packed: bool, is_large: bool) -> Vec<u8> {
        let (mut bytes, mut directory) = (Vec::new(), Vec::new());
        for (name, contents) in files {
            let mut crc = flate2::Crc::new();
            crc.update(contents);
            let mut stored = contents.to_vec();
            if is_packed {
                let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
                packer.write_all(contents).unwrap();
                stored = packer.finish().unwrap();
            }
            let (packed, size, offset) = (stored.len() as u64, contents.len() as u64, bytes.len() as u64);
            let long = |number| if is_large { 0xffff_ffff } else { number };
            let extra = match is_large {
                true => {
                    [le(9, 2), le(2, 2), vec![0, 0], le(1, 2), le(24, 2), le(size, 8), le(packed, 8), le(offset, 8)]
                        .concat()
                }
                false => Vec::new(),
            };
            let both = [
                le(if is_packed { 8 } else { 0 }, 2),
                le(0, 4),
                le(crc.sum().into(), 4),
                le(long(packed), 4),
                le(long(size), 4),
                le(name.len() as u64, 2),
                le(extra.len() as u64, 2),
            ]
            .concat();
            bytes.extend([MAGIC, &[45, 0, 0, 0], &both, name.as_bytes(), &extra, &stored].concat());
            directory
                .extend([&b"PK\x01\x02"[..], &[45, 3, 45, 0, 0, 0], &both, &[0; 10], &le(long(offset), 4)].concat());
            directory.extend([name.as_bytes(), &extra].concat());
        }
        let (count, size, offset) = (files.len() as u64, directory.len() as u64, bytes.len() as u64);
        bytes.extend(&directory);
        if is_large {
            let place = bytes.len() as u64;
            let counts = [le(count, 8), le(count, 8), le(size, 8), le(offset, 8)].concat();
            bytes.extend([&b"PK\x06\x06"[..], &le(44, 8), &[45, 3, 45, 0], &[0; 8], &counts].concat());
            bytes.extend([&b"PK\x06\x07"[..], &[0; 4], &le(place, 8), &le(1, 4)].concat());
            bytes.extend([&b"PK\x05\x06"[..], &[0; 4], &[0xff; 12], &[0; 2]].concat());
        } else {
            let counts = [le(count, 2), le(count, 2), le(size, 4), le(offset, 4)].concat();
            bytes.extend([&b"PK\x05\x06"[..], &[0; 4], &counts, &[0; 2]].concat());
        }
        bytes
    }

    fn read(bytes: &[u8], name: Option<&str>) -> Result<Array> {
        Archive::open(Cursor::new(bytes), bytes.len() as u64, Path::new("t.npz"))?.read(name, u64::MAX)
    }

    fn numbers(columns: usize, values: &[f64]) -> Array {
        let header = format!("({}, {columns})", values.len() / columns);
        let bytes = array(&header, &values.iter().map(|value| *value as u8).collect::<Vec<u8>>());
        npy::parse_array(&bytes[..], bytes.len() as u64, Path::new("x"), u64::MAX).unwrap()
    }

    #[test]
    fn arrays_are_read_by_name_or_where_there_is_one() {
        let (x, y) = (array("(2, 2)", &[1, 2, 3, 4]), array("(3, 1)", &[7, 8, 9]));
        for (is_packed, is_large) in [(false, false), (true, false), (false, true), (true, true)] {
            let one = archive(&[("x.npy", &x), ("notes.txt", b"no array")], is_packed, is_large);
            assert_eq!(read(&one, None).unwrap(), numbers(2, &[1.0, 2.0, 3.0, 4.0]));
            let two = archive(&[("x.npy", &x), ("y.npy", &y)], is_packed, is_large);
            assert_eq!(read(&two, Some("y")).unwrap(), numbers(1, &[7.0, 8.0, 9.0]));
            let mut opened = Archive::open(Cursor::new(&two), two.len() as u64, Path::new("t.npz")).unwrap();
            assert_eq!(opened.head(Some("x")).unwrap(), x);
            let several = read(&two, None).unwrap_err().to_string();
            assert_eq!(several, "t.npz: is an archive of 2 arrays: x, y; ".to_string() + NAME_IT);
            let other = read(&two, Some("z")).unwrap_err().to_string();
            assert_eq!(other, "t.npz: has no array `z`; it has x, y; ".to_string() + NAME_IT);
        }
        let long = "a\nb".repeat(9_000) + ".npy";
        let odd = read(&archive(&[(&long, &x), ("y.npy", &y)], false, false), None).unwrap_err().to_string();
        assert!(!odd.contains('\n') && odd.len() < 300, "{odd}");
    }

    #[test]
    fn hostile_archives_are_refused() {
        let x = array("(2, 2)", &[1, 2, 3, 4]);
        let good = archive(&[("x.npy", &x)], false, false);
        let problem = |bytes: &[u8]| read(bytes, None).unwrap_err().to_string();
        let directory = good.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
        let end = good.len() - END;
        let with = |at: usize, bytes: &[u8]| {
            let mut changed = good.clone();
            changed[at..at + bytes.len()].copy_from_slice(bytes);
            changed
        };
        for (bytes, part) in [
            (good[..good.len() - 1].to_vec(), "cut off"),
            (MAGIC.to_vec(), "cut off"),
            (with(end + 10, &[0xfe, 0xff]), "more than 4096"),
            (with(end + 12, &[0, 0, 0, 0x7f]), "a directory of 2130706432 bytes"),
            (with(end + 12, &[0, 0, 0x0f, 0]), "damaged"),
            (with(end + 16, &[0xff; 4]), "damaged"),
            (with(end + 10, &[2, 0]), "damaged"),
            (with(directory + 8, &[1]), "encrypted"),
            (with(directory + 10, &[12]), "compressed otherwise"),
            (with(directory + 24, &[0, 0, 0, 0x7f]), "promises 2130706432 bytes, but has"),
            (with(directory + 42, &[1]), "damaged"),
            (with(directory + 42, &[0, 0, 0, 0x7f]), "damaged"),
            (with(directory + 16, &[1, 2, 3, 4]), "t.npz: x.npy: is damaged: its checksum"),
            (archive(&[("a.txt", b"x")], false, false), "without arrays"),
            (archive(&[("x.npy", &x[..20])], true, false), "t.npz: x.npy: truncated"),
            (archive(&[("x.npy", &[&x[..], b"more"].concat())], true, false), "trailing bytes"),
        ] {
            let told = problem(&bytes);
            assert!(told.starts_with("t.npz: ") && told.contains(part) && told.contains("; "), "{part}: {told}");
        }
        // Four bytes that claim to expand to four billion.
        let packed = archive(&[("x.npy", &x)], true, false);
        let directory = packed.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
        let mut bomb = packed.clone();
        bomb[directory + 24..directory + 28].copy_from_slice(&[0xf0, 0xff, 0xff, 0xff]);
        assert!(problem(&bomb).contains("at most"), "{}", problem(&bomb));
        // An array that expands a thousandfold takes no more memory than it may.
        let zeros = array("(16777216, 1)", &vec![0; 1 << 24]);
        let wide = archive(&[("x.npy", &zeros)], true, false);
        assert!(wide.len() < 1 << 17);
        let opened = Archive::open(Cursor::new(&wide), wide.len() as u64, Path::new("t.npz")).unwrap();
        assert!(matches!(opened.read(None, 1 << 20), Err(Error::MemoryLimit { .. })));
        for is_packed in [false, true] {
            let good = archive(&[("x.npy", &x)], is_packed, is_packed);
            for end in 0..good.len() {
                assert!(read(&good[..end], None).is_err(), "{end}");
            }
            for bit in 0..8 * good.len() {
                let mut bytes = good.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                // The checksum finds what nothing else does; what is no part of the array may be anything.
                if let Ok(found) = read(&bytes, None) {
                    assert_eq!(found, numbers(2, &[1.0, 2.0, 3.0, 4.0]), "{bit}");
                }
            }
        }
    }
}
