//! NumPy's files: tables of numbers in arrays of one or two dimensions, gray images in arrays of three or four.
//!
//! Format (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>): the magic `\x93NUMPY`, the version as two
//! bytes, the length of the header (`u16`, from version 2 on `u32`, little-endian), the header, which is a Python dictionary with
//! the keys `descr`, `fortran_order` and `shape`, and the elements.
//!
//! The shape must agree with the length of the file before memory is taken for it.
//!
//! Not by the crate `npyz`, which takes the memory that a header claims, up to 4 GiB, before it reads one byte of it, tells no offsets,
//! and brings a parser generator and a C compiler into the build of the library. Tests and fuzzing compare with it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::data::idx::Images;
use crate::data::packed::{AGAIN, MAX_UNPACKED, Unpacked, read_full};
use crate::data::table::{NUMBER_BYTES, Table, check_room};
use crate::error::{Error, Result};
use crate::file;
use crate::memory::room;

mod header;

use header::{Header, Kind, Problem};

/// What every file begins with.
pub const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// The longest header; NumPy writes 128 bytes for an array of numbers.
const MAX_HEADER: u32 = 1 << 16;

/// What helps where the file is not as NumPy writes it, or holds something else than a table.
const SAVE: &str = "save a table of numbers again with numpy.save";

/// Bytes of a number while it is brought from the one order to the other. It is standardized after that.
const TRANSPOSED_BYTES: u64 = 2 * size_of::<f64>() as u64;

/// Elements that are converted at once.
const BLOCK: usize = 1 << 13;

/// What an array holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Array {
    /// One or two dimensions: a row a sample. What is NaN is a missing value; all else is finite.
    Numbers {
        /// The number of columns.
        columns: usize,
        /// The numbers, row-major `[rows, columns]`.
        values: Vec<f64>,
        /// Bits of a float in the file: 64, 32 or 16. Whole numbers and truth values are as many numbers of 64.
        bits: u32,
    },
    /// The same of whole numbers of 64 bits, some of which are beyond those that an `f64` tells apart (below 2^53).
    Integers {
        /// The number of columns.
        columns: usize,
        /// The numbers, row-major `[rows, columns]`.
        values: Vec<i64>,
    },
    /// The same of type `u8`, where some are beyond those of an `i64` (below 2^63).
    Unsigned {
        /// The number of columns.
        columns: usize,
        /// The numbers, row-major `[rows, columns]`.
        values: Vec<u64>,
    },
    /// Three dimensions, (images, height, width), or four with one channel: gray images, their pixels as bytes.
    Images(Images),
}

/// Reads a file: `bool`, `f2`, `f4`, `f8` or integers of up to 64 bits, of either byte order, in C or Fortran order. An array of one
/// dimension is one column.
///
/// # Errors
///
/// [`Error::Data`], with the offset, for any other file, and for a value that is not finite; [`Error::Io`] where the system
/// refuses to read; [`Error::OutOfMemory`].
pub fn read(path: &Path) -> Result<Table> {
    read_within(path, u64::MAX)
}

/// The same of a file that takes at most `most` bytes of memory to read and to standardize.
///
/// # Errors
///
/// As [`read`], and [`Error::MemoryLimit`].
pub fn read_within(path: &Path, most: u64) -> Result<Table> {
    let (reader, length) = open(path)?;
    parse_within(reader, length, path, most)
}

/// The same of a file of numbers, some of which may be missing, or of images.
///
/// Pixels become bytes: unsigned ones stand as they are, truth values become 0 and 255. Floats from 0 to 1 are multiplied by 255, and
/// rounded. Other numbers are from 0 to 255.
///
/// # Errors
///
/// As [`read_within`]; [`Error::Data`] for a pixel that is none of these.
pub fn read_array_within(path: &Path, most: u64) -> Result<Array> {
    let (reader, length) = open(path)?;
    array_within(reader, length, path, most)
}

/// The same from `reader`, which gives at most `length` bytes, of which all are the array's; `path` stands in messages.
///
/// # Errors
///
/// As [`read_array_within`].
pub fn parse_array(reader: impl Read, length: u64, path: &Path, most: u64) -> Result<Array> {
    array_within(reader, Length::AtMost(length), path, most)
}

/// The same from `reader`, which gives all `length` bytes of a file, expanded where they are compressed.
///
/// # Errors
///
/// As [`read_array_within`].
pub fn unpack_array(reader: impl BufRead, length: u64, path: &Path, most: u64) -> Result<Array> {
    let (reader, length) = unpacked(reader, length, path)?;
    array_within(reader, length, path, most)
}

/// Whether a file that begins with these bytes, which are not compressed, is an array of images by its shape.
pub fn are_images(head: &[u8]) -> bool {
    NpyFile { path: Path::new(""), reader: head, offset: 0, header: 0 }.header().is_ok_and(|header| header.are_images())
}

/// Reads an array from `reader`, which gives `length` bytes; `path` stands in messages.
///
/// # Errors
///
/// As [`read`].
pub fn parse(reader: impl Read, length: u64, path: &Path) -> Result<Table> {
    parse_within(reader, Length::Exactly(length), path, u64::MAX)
}

/// Bytes that a reader gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Exactly(u64),
    /// They are expanded from fewer.
    AtMost(u64),
}

/// The bytes of a file, expanded where they are compressed.
fn open(path: &Path) -> Result<(impl Read, Length)> {
    let (file, length) = file::open(path)?;
    unpacked(BufReader::new(file), length, path)
}

/// The same of the file whose `length` bytes `reader` gives.
fn unpacked<'a>(reader: impl BufRead + 'a, length: u64, path: &Path) -> Result<(impl Read + 'a, Length)> {
    let reader = Unpacked::new(reader, length, MAX_UNPACKED).map_err(|source| file::refused("read", path, source))?;
    let length = if reader.is_packed() { Length::AtMost(reader.longest()) } else { Length::Exactly(length) };
    Ok((BufReader::new(reader), length))
}

fn parse_within(reader: impl Read, length: Length, path: &Path, most: u64) -> Result<Table> {
    let mut file = NpyFile { path, reader, offset: 0, header: 0 };
    let header = file.header()?;
    let (columns, values) = file.numbers(&header, length, (most, Gaps::Refused))?;
    Ok(Table { names: None, columns, values })
}

fn array_within(reader: impl Read, length: Length, path: &Path, most: u64) -> Result<Array> {
    let mut file = NpyFile { path, reader, offset: 0, header: 0 };
    let header = file.header()?;
    if header.are_images() {
        return file.images(&header, length, most).map(Array::Images);
    }
    if header.element.is_wide_integer() {
        return file.wide_integers(&header, length, most);
    }
    let (columns, values) = file.numbers(&header, length, (most, Gaps::Missing))?;
    Ok(Array::Numbers { columns, values, bits: header.element.float_bits() })
}

/// What a number that is none is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gaps {
    /// An error.
    Refused,
    /// A missing value.
    Missing,
}

/// The elements of an array of this shape in the order of its rows, from that of its columns.
fn in_row_order<T: Copy>(values: &[T], shape: &[usize]) -> Result<Vec<T>> {
    // How far apart neighbors of a dimension stand in the order of columns.
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1;
    for length in shape {
        strides.push(stride);
        stride *= length;
    }
    let (mut result, mut place, mut offset) = (room(values.len())?, vec![0; shape.len()], 0);
    for _ in 0..values.len() {
        result.push(values[offset]);
        for dimension in (0..shape.len()).rev() {
            place[dimension] += 1;
            offset += strides[dimension];
            if place[dimension] < shape[dimension] {
                break;
            }
            offset -= strides[dimension] * shape[dimension];
            place[dimension] = 0;
        }
    }
    Ok(result)
}

/// A file that is being read.
struct NpyFile<'a, R> {
    path: &'a Path,
    reader: R,
    /// Bytes read so far.
    offset: u64,
    /// Where the header begins.
    header: u64,
}

impl<R: Read> NpyFile<'_, R> {
    fn error(&self, problem: impl Into<String>) -> Error {
        Error::data(self.path.display().to_string(), problem)
    }

    fn of_header(&self, problem: &str) -> Error {
        self.error(format!("the header at offset {}: {problem}", self.header))
    }

    /// Reads what stands before the elements.
    fn header(&mut self) -> Result<Header> {
        let mut start = [0; 8];
        self.fill(&mut start, "the magic bytes")?;
        if !start.starts_with(MAGIC) {
            return Err(self.error(format!("no NPY file: it does not begin with \\x93NUMPY; {SAVE}")));
        }
        let length = match (start[6], start[7]) {
            (1, 0) => {
                let mut bytes = [0; 2];
                self.fill(&mut bytes, "the length of the header")?;
                u32::from(u16::from_le_bytes(bytes))
            }
            (2 | 3, 0) => {
                let mut bytes = [0; 4];
                self.fill(&mut bytes, "the length of the header")?;
                u32::from_le_bytes(bytes)
            }
            (major, minor) => {
                let problem = format!(
                    "format version {major}.{minor} at offset 6; versions 1.0, 2.0 and 3.0 can be read: {SAVE}"
                );
                return Err(self.error(problem));
            }
        };
        if length > MAX_HEADER {
            return Err(self.error(format!("a header of {length} bytes (offset 8); at most {MAX_HEADER}: {SAVE}")));
        }
        self.header = self.offset;
        let mut header = vec![0; length as usize];
        self.fill(&mut header, "the header")?;
        let header = String::from_utf8_lossy(&header);
        Header::parse(&header).map_err(|problem| match problem {
            Problem::Form(problem) => self.of_header(&format!("{problem}; {SAVE}")),
            Problem::Elements(problem) => self.of_header(&problem),
        })
    }

    /// Refuses a file of this `length` that does not end with its `count` elements, as far as that is known before they are read.
    fn check_size(&self, header: &Header, count: Option<u64>, length: Length) -> Result<()> {
        let size = count.and_then(|count| count.checked_mul(header.element.size as u64));
        let promised = size.and_then(|size| size.checked_add(self.offset));
        match (promised, length) {
            (Some(promised), Length::Exactly(length)) if promised == length => Ok(()),
            (Some(promised), Length::AtMost(longest)) if promised <= longest => Ok(()),
            (Some(promised), Length::Exactly(length)) if promised < length => Err(self
                .error(format!("trailing bytes: the array ends at offset {promised}, the file at {length}; {SAVE}"))),
            (_, Length::Exactly(length) | Length::AtMost(length)) => {
                let shape = &header.shape;
                Err(self
                    .error(format!("truncated: the file of {length} bytes cannot hold the shape {shape:?}; {AGAIN}")))
            }
        }
    }

    /// Reads numbers of at most so many bytes: the columns, and the values row by row.
    fn numbers(&mut self, header: &Header, length: Length, (most, gaps): (u64, Gaps)) -> Result<(usize, Vec<f64>)> {
        self.rows(header, length, most, |values, bits| {
            let value = header.element.value(bits);
            if !(value.is_finite() || value.is_nan() && gaps == Gaps::Missing) {
                return Err(format!("is {value}, not a finite number; fill it in, or leave its row out"));
            }
            values.push(value);
            Ok(())
        })
    }

    /// Reads whole numbers of 64 bits, of at most so many bytes.
    fn wide_integers(&mut self, header: &Header, length: Length, most: u64) -> Result<Array> {
        /// Below it whole numbers are told apart by 64 bits of a float.
        const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;
        let element = header.element;
        let (mut is_exact, mut is_signed) = (true, true);
        let (columns, bits) = self.rows(header, length, most, |values, bits| {
            is_signed &= element.kind == Kind::Signed || i64::try_from(bits).is_ok();
            is_exact &= bits.min(if element.kind == Kind::Signed { bits.wrapping_neg() } else { bits }) < EXACT;
            values.push(bits);
            Ok(())
        })?;
        Ok(match (is_exact, is_signed) {
            (true, _) => {
                let values = bits.into_iter().map(|bits| element.value(bits)).collect();
                Array::Numbers { columns, values, bits: element.float_bits() }
            }
            (false, true) => Array::Integers { columns, values: bits.into_iter().map(u64::cast_signed).collect() },
            (false, false) => Array::Unsigned { columns, values: bits },
        })
    }

    /// Reads the elements of a table of at most so many bytes, as `push` makes them of their bits: the columns, and the values row by row.
    fn rows<T: Copy>(
        &mut self,
        header: &Header,
        length: Length,
        most: u64,
        push: impl FnMut(&mut Vec<T>, u64) -> std::result::Result<(), String>,
    ) -> Result<(usize, Vec<T>)> {
        let (rows, columns) = header.table().map_err(|problem| self.of_header(&problem))?;
        let count = (rows as u64).checked_mul(columns as u64);
        self.check_size(header, count, length)?;
        // As many elements as the file has bytes at most. Where it is compressed, memory is taken as they come.
        let count = count.and_then(|count| usize::try_from(count).ok());
        let count = count.ok_or(Error::OutOfMemory { bytes: u64::MAX })?;
        let is_transposed = header.fortran_order && rows > 1 && columns > 1;
        check_room(count, if is_transposed { TRANSPOSED_BYTES } else { NUMBER_BYTES }, most)?;
        let values = self.elements(header, count, length, push)?;
        Ok((columns, if is_transposed { in_row_order(&values, &[rows, columns])? } else { values }))
    }

    /// Reads images of at most so many bytes.
    fn images(&mut self, header: &Header, length: Length, most: u64) -> Result<Images> {
        let [count, height, width] = header.images().map_err(|problem| self.of_header(&problem))?;
        let pixels = count * height * width;
        self.check_size(header, Some(pixels as u64), length)?;
        check_room(pixels, if header.fortran_order { 2 } else { 1 }, most)?;
        let kind = header.element.kind;
        // Floats are shares of white until one is above 1.
        let mut are_shares = kind == Kind::Float;
        let mut bytes = self.elements(header, pixels, length, |bytes: &mut Vec<u8>, bits| {
            let value = header.element.value(bits);
            let white = f64::from(u8::MAX);
            if kind == Kind::Bool {
                bytes.push(if value == 0.0 { 0 } else { u8::MAX });
                return Ok(());
            }
            if !(0.0..=white).contains(&value) {
                return Err(format!("is {value}, which is no pixel; give bytes from 0 to 255, or floats from 0 to 1"));
            }
            if are_shares && value > 1.0 {
                are_shares = false;
                // What was above a half of white is 1, and all else 0.
                bytes.iter_mut().for_each(|byte| *byte = u8::from(*byte > u8::MAX / 2));
            }
            bytes.push((if are_shares { value * white } else { value }).round() as u8);
            Ok(())
        })?;
        if header.fortran_order {
            bytes = in_row_order(&bytes, &[count, height, width])?;
        }
        Ok(Images { count, height, width, pixels: bytes })
    }

    /// Fills `buffer` with the next bytes, which are (part of) `what`.
    fn fill(&mut self, buffer: &mut [u8], what: &str) -> Result<()> {
        let read = read_full(&mut self.reader, buffer).map_err(|source| file::refused("read", self.path, source))?;
        if read < buffer.len() {
            let (start, need) = (self.offset, buffer.len());
            return Err(self.error(format!("truncated: {what} from offset {start} need {need} bytes; {AGAIN}")));
        }
        self.offset += buffer.len() as u64;
        Ok(())
    }

    /// Checks that nothing follows, which also verifies the checksum of a compressed file.
    fn end(&mut self) -> Result<()> {
        let read = read_full(&mut self.reader, &mut [0]).map_err(|source| file::refused("read", self.path, source))?;
        if read > 0 {
            return Err(self.error(format!(
                "trailing bytes: the array ends at offset {}, the file does not; {SAVE}",
                self.offset
            )));
        }
        Ok(())
    }

    /// The `count` elements of an array, as `push` adds the bits of each to those before, up to the end of the file.
    fn elements<T>(
        &mut self,
        header: &Header,
        count: usize,
        length: Length,
        mut push: impl FnMut(&mut Vec<T>, u64) -> std::result::Result<(), String>,
    ) -> Result<Vec<T>> {
        let element = header.element;
        let mut values = if matches!(length, Length::Exactly(_)) { room(count)? } else { Vec::new() };
        let mut bytes = vec![0; BLOCK * element.size];
        let mut left = count;
        while left > 0 {
            let block = &mut bytes[..left.min(BLOCK) * element.size];
            let start = self.offset;
            self.fill(block, "the elements")?;
            let needed = values.len() + block.len() / element.size;
            if needed > values.capacity() {
                // It doubles, but never takes more than the room that was checked.
                let capacity = values.capacity().saturating_mul(2).clamp(needed, count);
                let memory = Error::OutOfMemory { bytes: (capacity as u64).saturating_mul(size_of::<T>() as u64) };
                values.try_reserve_exact(capacity - values.len()).map_err(|_| memory)?;
            }
            for (index, bytes) in block.chunks_exact(element.size).enumerate() {
                let number = values.len();
                push(&mut values, element.bits(bytes)).map_err(|problem| {
                    let (place, offset) = (header.place(number), start + (index * element.size) as u64);
                    self.error(format!("element {place} (counted from 0) at offset {offset} {problem}"))
                })?;
            }
            left -= left.min(BLOCK);
        }
        if matches!(length, Length::AtMost(_)) {
            self.end()?;
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests;
