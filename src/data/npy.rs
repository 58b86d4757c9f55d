//! Tables of numbers in NumPy's files: arrays of one or two dimensions.
//!
//! Format (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>): the magic `\x93NUMPY`, the version as two
//! bytes, the length of the header (`u16`, from version 2 on `u32`, little-endian), the header, which is a Python dictionary with
//! the keys `descr`, `fortran_order` and `shape`, and the elements.
//!
//! The shape must agree with the length of the file before memory is taken for it.
//!
//! Not by the crate `npyz`, which takes the memory that a header claims, up to 4 GiB, before it reads one byte of it, tells no offsets,
//! and brings a parser generator and a C compiler into the build of the library. Tests and fuzzing compare with it.

use std::io::{BufReader, Read};
use std::path::Path;

use crate::data::packed::{AGAIN, MAX_UNPACKED, Unpacked, read_full};
use crate::data::table::{MAX_COLUMNS, NUMBER_BYTES, Table, check_room};
use crate::error::{Error, Result};
use crate::file;
use crate::memory::room;

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

/// Reads a file: `f4`, `f8` or integers of up to 64 bits, of either byte order, in C or Fortran order. An array of one
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
    let (file, length) = file::open(path)?;
    let reader = Unpacked::new(BufReader::new(file), length, MAX_UNPACKED)
        .map_err(|source| file::refused("read", path, source))?;
    let length = if reader.is_packed() { Length::AtMost(reader.longest()) } else { Length::Exactly(length) };
    parse_within(BufReader::new(reader), length, path, most)
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

fn parse_within(reader: impl Read, length: Length, path: &Path, most: u64) -> Result<Table> {
    let mut file = NpyFile { path, reader, offset: 0 };
    let mut start = [0; 8];
    file.fill(&mut start, "the magic bytes")?;
    if !start.starts_with(MAGIC) {
        return Err(file.error(format!("no NPY file: it does not begin with \\x93NUMPY; {SAVE}")));
    }
    let header_length = match (start[6], start[7]) {
        (1, 0) => {
            let mut bytes = [0; 2];
            file.fill(&mut bytes, "the length of the header")?;
            u32::from(u16::from_le_bytes(bytes))
        }
        (2 | 3, 0) => {
            let mut bytes = [0; 4];
            file.fill(&mut bytes, "the length of the header")?;
            u32::from_le_bytes(bytes)
        }
        (major, minor) => {
            let problem =
                format!("format version {major}.{minor} at offset 6; versions 1.0, 2.0 and 3.0 can be read: {SAVE}");
            return Err(file.error(problem));
        }
    };
    if header_length > MAX_HEADER {
        return Err(file.error(format!("a header of {header_length} bytes (offset 8); at most {MAX_HEADER}: {SAVE}")));
    }
    let header_offset = file.offset;
    let mut header = vec![0; header_length as usize];
    file.fill(&mut header, "the header")?;
    let header = String::from_utf8_lossy(&header);
    let header = Header::parse(&header)
        .map_err(|problem| file.error(format!("the header at offset {header_offset}: {problem}; {SAVE}")))?;
    let (rows, columns) =
        header.table().map_err(|problem| file.error(format!("the header at offset {header_offset}: {problem}")))?;
    let size =
        (rows as u64).checked_mul(columns as u64).and_then(|count| count.checked_mul(header.element.size as u64));
    let promised = size.and_then(|size| size.checked_add(file.offset));
    match (promised, length) {
        (Some(promised), Length::Exactly(length)) if promised == length => {}
        (Some(promised), Length::AtMost(longest)) if promised <= longest => {}
        (Some(promised), Length::Exactly(length)) if promised < length => {
            return Err(file
                .error(format!("trailing bytes: the array ends at offset {promised}, the file at {length}; {SAVE}")));
        }
        (_, Length::Exactly(length) | Length::AtMost(length)) => {
            let shape = &header.shape;
            return Err(
                file.error(format!("truncated: the file of {length} bytes cannot hold the shape {shape:?}; {AGAIN}"))
            );
        }
    }
    // As many elements as the file has bytes at most. Where it is compressed, memory is taken as they come.
    let count = rows * columns;
    let is_transposed = header.fortran_order && rows > 1 && columns > 1;
    check_room(count, if is_transposed { TRANSPOSED_BYTES } else { NUMBER_BYTES }, most)?;
    let mut values = if matches!(length, Length::Exactly(_)) { room(count)? } else { Vec::new() };
    file.elements(header.element, count, &mut values)?;
    if matches!(length, Length::AtMost(_)) {
        file.end()?;
    }
    if is_transposed {
        values = transposed(&values, rows, columns)?;
    }
    Ok(Table { names: None, columns, values })
}

/// The rows of a column-major matrix, one after another.
fn transposed(values: &[f64], rows: usize, columns: usize) -> Result<Vec<f64>> {
    let mut result = room(values.len())?;
    for row in 0..rows {
        result.extend((0..columns).map(|column| values[column * rows + row]));
    }
    Ok(result)
}

/// A file that is being read.
struct NpyFile<'a, R> {
    path: &'a Path,
    reader: R,
    /// Bytes read so far.
    offset: u64,
}

impl<R: Read> NpyFile<'_, R> {
    fn error(&self, problem: impl Into<String>) -> Error {
        Error::data(self.path.display().to_string(), problem)
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

    /// Appends `count` elements to `values`.
    fn elements(&mut self, element: Element, count: usize, values: &mut Vec<f64>) -> Result<()> {
        let mut bytes = vec![0; BLOCK * element.size];
        let mut left = count;
        while left > 0 {
            let block = &mut bytes[..left.min(BLOCK) * element.size];
            let start = self.offset;
            self.fill(block, "the elements")?;
            let memory = Error::OutOfMemory { bytes: 8 * (values.len() + BLOCK) as u64 };
            values.try_reserve(block.len() / element.size).map_err(|_| memory)?;
            for (index, bytes) in block.chunks_exact(element.size).enumerate() {
                let value = element.value(bytes);
                if !value.is_finite() {
                    let (number, offset) = (values.len(), start + (index * element.size) as u64);
                    return Err(self.error(format!(
                        "element {number} (counted from 0) at offset {offset} is {value}, not a finite number; fill it in, or leave its row out"
                    )));
                }
                values.push(value);
            }
            left -= left.min(BLOCK);
        }
        Ok(())
    }
}

/// The type of the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Element {
    kind: Kind,
    /// Bytes of an element.
    size: usize,
    big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Float,
    Signed,
    Unsigned,
}

impl Element {
    /// The type that NumPy writes as `descr`, for instance `<f4`.
    fn parse(descr: &str) -> Option<Self> {
        let mut characters = descr.chars();
        let (order, kind) = (characters.next()?, characters.next()?);
        // One digit: a sign or zeros before it are not NumPy's.
        let size = characters.next()?.to_digit(10).filter(|_| characters.as_str().is_empty())? as usize;
        let big_endian = match order {
            '<' => false,
            '>' => true,
            // One byte has no order.
            '|' if size == 1 => false,
            _ => return None,
        };
        let kind = match (kind, size) {
            ('f', 4 | 8) => Kind::Float,
            ('i', 1 | 2 | 4 | 8) => Kind::Signed,
            ('u', 1 | 2 | 4 | 8) => Kind::Unsigned,
            _ => return None,
        };
        Some(Self { kind, size, big_endian })
    }

    /// The value of an element's bytes.
    fn value(self, bytes: &[u8]) -> f64 {
        let mut bits = 0u64;
        for index in 0..self.size {
            let byte = bytes[if self.big_endian { index } else { self.size - 1 - index }];
            bits = bits << 8 | u64::from(byte);
        }
        match (self.kind, self.size) {
            (Kind::Float, 4) => f64::from(f32::from_bits(bits as u32)),
            (Kind::Float, _) => f64::from_bits(bits),
            (Kind::Unsigned, _) => bits as f64,
            (Kind::Signed, size) => {
                // The sign is carried from the highest bit of the element.
                let unused = 64 - 8 * size as u32;
                ((bits << unused) as i64 >> unused) as f64
            }
        }
    }
}

/// What a header says.
#[derive(Debug)]
struct Header {
    element: Element,
    fortran_order: bool,
    shape: Vec<u64>,
}

impl Header {
    /// Reads the dictionary.
    fn parse(text: &str) -> Result<Self, String> {
        let (mut element, mut fortran_order, mut shape) = (None, None, None);
        let inner = text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        let mut rest = inner.ok_or("it is no dictionary")?.trim();
        while !rest.is_empty() {
            let (key, after) = string(rest).ok_or("a key is no string")?;
            let value = after.trim_start().strip_prefix(':').ok_or("a key has no value")?.trim_start();
            let given =
                [("descr", element.is_some()), ("fortran_order", fortran_order.is_some()), ("shape", shape.is_some())];
            if given.contains(&(key, true)) {
                return Err(format!("the key {key:?} stands there twice"));
            }
            let after = match key {
                "descr" => {
                    let (descr, after) =
                        string(value).ok_or("arrays of records cannot be read (pick the fields: numpy.stack)")?;
                    element = Some(Element::parse(descr).ok_or_else(|| {
                        format!(
                            "elements of type {descr:?} cannot be read; f4, f8 and integers can: array.astype(\"f4\")"
                        )
                    })?);
                    after
                }
                "fortran_order" => {
                    let word = |word: &str| value.strip_prefix(word);
                    let (order, after) = word("True")
                        .map(|after| (true, after))
                        .or_else(|| word("False").map(|after| (false, after)))
                        .ok_or("`fortran_order` is neither True nor False")?;
                    fortran_order = Some(order);
                    after
                }
                "shape" => {
                    let (lengths, after) = tuple(value).ok_or("`shape` is no tuple of numbers of 64 bits")?;
                    shape = Some(lengths);
                    after
                }
                other => return Err(format!("unknown key {other:?}")),
            };
            let after = after.trim_start();
            rest = match after.strip_prefix(',') {
                Some(after) => after.trim_start(),
                None if after.is_empty() => after,
                None => return Err("a value is not followed by a comma".to_string()),
            };
        }
        match (element, fortran_order, shape) {
            (Some(element), Some(fortran_order), Some(shape)) => Ok(Self { element, fortran_order, shape }),
            _ => Err("it needs the keys `descr`, `fortran_order` and `shape`".to_string()),
        }
    }

    /// Rows and columns.
    fn table(&self) -> Result<(usize, usize), String> {
        let (rows, columns) = match self.shape[..] {
            [rows] => (rows, 1),
            [rows, columns] => (rows, columns),
            _ => {
                let dimensions = self.shape.len();
                return Err(format!(
                    "{dimensions} dimensions; an array of one or two (a row a sample) can be read: array.reshape(len(array), -1)"
                ));
            }
        };
        if rows == 0 || columns == 0 {
            return Err(format!("holds no numbers: its shape is {:?}; give one with rows and columns", self.shape));
        }
        if columns > MAX_COLUMNS as u64 {
            return Err(format!(
                "{columns} columns; at most {MAX_COLUMNS}: give a row for each sample (is it array.T?)"
            ));
        }
        let rows =
            usize::try_from(rows).map_err(|_| format!("{rows} rows are more than memory can hold; give fewer"))?;
        Ok((rows, columns as usize))
    }
}

/// The Python tuple of numbers that `text` begins with, and what follows it. One number has a comma behind it.
fn tuple(text: &str) -> Option<(Vec<u64>, &str)> {
    let (inner, after) = text.strip_prefix('(')?.split_once(')')?;
    let inner = inner.trim();
    let numbers = match inner.strip_suffix(',') {
        Some(numbers) => numbers,
        None if inner.is_empty() => return Some((Vec::new(), after)),
        None => inner.contains(',').then_some(inner)?,
    };
    let number = |text: &str| {
        let text = text.trim();
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        if is_number { text.parse().ok() } else { None }
    };
    Some((numbers.split(',').map(number).collect::<Option<_>>()?, after))
}

/// The Python string that `text` begins with, and what follows it. Headers need no escapes.
fn string(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|quote| ['\'', '"'].contains(quote))?;
    text[1..].split_once(quote)
}

#[cfg(test)]
mod tests;
