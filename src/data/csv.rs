//! Tables of numbers in text files: CSV with commas, semicolons or tabs.
//!
//! Format (RFC 4180, without line breaks inside of quotes): a row a line, cells between delimiters, a cell may stand in double
//! quotes. The delimiter is the first of tab, semicolon and comma that the first line holds. The first line is a header if none
//! of its cells is a number. Every other cell must be a finite number. Empty lines are left out.
//!
//! Memory is bounded by the size of the file: 8 bytes for each cell, which takes at least 2 bytes of the file, and one line.
//!
//! Not by the crate `csv`, whose reader is lenient where a number may be lost: it reads `"1"2` as 12, and a quote that is not closed
//! takes the lines after it, up to the end of the file and without a limit of memory.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::data::packed::{MAX_UNPACKED, Unpacked};
use crate::data::table::{MAX_COLUMNS, NUMBER_BYTES, Table, check_room};
use crate::error::{Error, Result};
use crate::file;

/// The longest line in bytes: more than 64 for each of the most columns.
pub const MAX_LINE: usize = 1 << 20;

/// What UTF-8 files of some programs begin with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Most characters of a cell that a message repeats.
const SHOWN: usize = 40;

/// Reads a file, plain or gzip.
///
/// # Errors
///
/// [`Error::Data`], with line and column, for anything but rows of finite numbers, as many in each row; [`Error::Io`] where the
/// system refuses to read; [`Error::OutOfMemory`].
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
    let reader = Unpacked::new(BufReader::new(file), length, MAX_UNPACKED);
    parse_within(BufReader::new(reader.map_err(|source| file::refused("read", path, source))?), path, most)
}

/// Reads a table from `reader`; `path` stands in messages.
///
/// # Errors
///
/// As [`read`].
pub fn parse(reader: impl BufRead, path: &Path) -> Result<Table> {
    parse_within(reader, path, u64::MAX)
}

fn parse_within(mut reader: impl BufRead, path: &Path, most: u64) -> Result<Table> {
    let mut reading =
        Reading { path, delimiter: None, names: None, columns: 0, first_line: 0, values: Vec::new(), most };
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let mut limited = reader.by_ref().take(MAX_LINE as u64 + 1);
        limited.read_until(b'\n', &mut line).map_err(|source| file::refused("read", path, source))?;
        if line.is_empty() {
            break;
        }
        if line.len() > MAX_LINE {
            return Err(
                reading.error(format!("line {number} is longer than {MAX_LINE} bytes; end each row by a line feed"))
            );
        }
        reading.line(number, &line)?;
    }
    reading.finish()
}

/// What has been read so far.
struct Reading<'a> {
    path: &'a Path,
    /// `None` before the first line.
    delimiter: Option<char>,
    names: Option<Vec<String>>,
    columns: usize,
    /// The line that told the number of columns.
    first_line: usize,
    values: Vec<f64>,
    /// Bytes that they may take, standardized ones included.
    most: u64,
}

impl Reading<'_> {
    fn error(&self, problem: impl Into<String>) -> Error {
        Error::data(self.path.display().to_string(), problem)
    }

    /// Takes line `number`, counted from 1.
    fn line(&mut self, number: usize, bytes: &[u8]) -> Result<()> {
        let bytes = if number == 1 { bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes) } else { bytes };
        if let Some(byte) = bytes.iter().find(|&&byte| byte < b' ' && !b"\t\r\n".contains(&byte)) {
            return Err(self.error(format!(
                "line {number} is no text (byte {byte:#04x}), so the file is no CSV; save the table as CSV in UTF-8"
            )));
        }
        let line = String::from_utf8_lossy(bytes);
        let line = line.trim_end_matches(['\r', '\n']);
        // A line of nothing but the delimiter is a row without numbers.
        if line.trim().is_empty() && !(self.delimiter == Some('\t') && line.contains('\t')) {
            return Ok(());
        }
        let delimiter = *self.delimiter.get_or_insert_with(|| delimiter(line));
        let cells = cells(line, delimiter).map_err(|problem| self.error(format!("line {number}, {problem}")))?;
        if self.columns == 0 {
            if cells.len() > MAX_COLUMNS {
                return Err(self.error(format!(
                    "line {number} has {} columns; at most {MAX_COLUMNS}: leave some out, or give one row a sample",
                    cells.len()
                )));
            }
            (self.columns, self.first_line) = (cells.len(), number);
            if cells.iter().all(|cell| cell.parse::<f64>().is_err()) && cells.iter().any(|cell| !cell.is_empty()) {
                self.names = Some(cells.into_iter().map(Cow::into_owned).collect());
                return Ok(());
            }
        }
        if cells.len() != self.columns {
            let (found, expected, first) = (cells.len(), self.columns, self.first_line);
            return Err(self.error(format!(
                "line {number} has {found} cells where line {first} has {expected}; complete it, or leave it out"
            )));
        }
        check_room(self.values.len() + self.columns, NUMBER_BYTES, self.most)?;
        self.values
            .try_reserve(self.columns)
            .map_err(|_| Error::OutOfMemory { bytes: 16 * self.values.len() as u64 })?;
        for (column, cell) in cells.iter().enumerate() {
            let value = self.number(cell).map_err(|problem| {
                let name = self.names.as_ref().and_then(|names| names.get(column)).filter(|name| !name.is_empty());
                let name = name.map_or_else(String::new, |name| format!(" (`{}`)", shown(name)));
                self.error(format!("line {number}, column {}{name}: {problem}", column + 1))
            })?;
            self.values.push(value);
        }
        Ok(())
    }

    /// The number in a cell.
    fn number(&self, cell: &str) -> Result<f64, String> {
        match cell.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            Ok(_) => Err(format!("`{}` is not a finite number; fill it in, or leave the row out", shown(cell))),
            Err(_) if cell.is_empty() => Err("the cell is empty; fill it in, or leave the row out".to_string()),
            Err(_) if self.delimiter == Some(';') && cell.replacen(',', ".", 1).parse::<f64>().is_ok() => {
                Err(format!("`{}` is not a number; write the decimal point as `.`", shown(cell)))
            }
            Err(_) => Err(format!("`{}` is not a number; leave out or encode columns of text", shown(cell))),
        }
    }

    fn finish(self) -> Result<Table> {
        if self.values.is_empty() {
            let problem =
                if self.names.is_some() { "holds a header and no row of numbers" } else { "holds no numbers" };
            let problem = format!("{problem}; give a table with a row a sample");
            return Err(self.error(problem));
        }
        Ok(Table { names: self.names, columns: self.columns, values: self.values })
    }
}

/// The delimiter of a file with this first line.
fn delimiter(line: &str) -> char {
    // Outside of quotes: every other part between quotes.
    let holds = |delimiter: char| line.split('"').step_by(2).any(|part| part.contains(delimiter));
    ['\t', ';'].into_iter().find(|&delimiter| holds(delimiter)).unwrap_or(',')
}

/// The cells of a line, without the spaces and quotes around them.
fn cells(line: &str, delimiter: char) -> Result<Vec<Cow<'_, str>>, String> {
    if !line.contains('"') {
        return Ok(line.split(delimiter).map(|cell| Cow::Borrowed(cell.trim())).collect());
    }
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        let (cell, after) = match rest.trim_start_matches(' ').strip_prefix('"') {
            Some(quoted) => {
                let (cell, after) = unquoted(quoted).ok_or_else(|| {
                    format!("column {}: a quote does not end on this line; close it", cells.len() + 1)
                })?;
                (Cow::Owned(cell), after.trim_start_matches(' '))
            }
            None => {
                let end = rest.find(delimiter).unwrap_or(rest.len());
                (Cow::Borrowed(rest[..end].trim()), &rest[end..])
            }
        };
        cells.push(cell);
        if after.is_empty() {
            return Ok(cells);
        }
        rest = after.strip_prefix(delimiter).ok_or_else(|| {
            format!("column {}: text follows the closing quote; write a quote within a cell twice", cells.len())
        })?;
    }
}

/// The cell that `text`, which follows an opening quote, begins with, and what follows the closing one.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut cell = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"')?;
        cell += part;
        match after.strip_prefix('"') {
            // Two quotes stand for one.
            Some(after) => {
                cell.push('"');
                rest = after;
            }
            None => return Some((cell, after)),
        }
    }
}

/// The beginning of `text`, on one line, for a message.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown += "...";
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &[u8]) -> Result<Table> {
        parse(text, Path::new("t.csv"))
    }

    #[test]
    fn delimiters_headers_quotes_and_line_ends() {
        let values = [1.0, -2.5, 3e4, 0.25];
        for text in [
            "1,-2.5\n3e4,.25\n",
            "1,-2.5\r\n3e4,.25",
            "\n 1 , -2.5\n\n3e4,+0.25\n  \n",
            "1;-2.5\n3e4;.25",
            "1\t-2.5\n3e4\t.25",
            "\"1\",-2.5\n3e4,\"0.25\"\n",
            "\u{feff}1,-2.5\n3e4,0.25",
        ] {
            let table = read_text(text.as_bytes()).unwrap();
            assert_eq!((table.names, table.columns, &table.values[..]), (None, 2, &values[..]), "{text:?}");
        }
        for (text, names) in [
            ("x,y\n1,-2.5\n3e4,0.25", ["x", "y"]),
            ("\u{feff}\"a, b; c\",\"say \"\"y\"\"\"\n1,-2.5\n3e4,0.25", ["a, b; c", "say \"y\""]),
            ("x,\n1,-2.5\n3e4,0.25", ["x", ""]),
            (" x ; y y \n1;-2.5\n3e4;0.25", ["x", "y y"]),
        ] {
            let table = read_text(text.as_bytes()).unwrap();
            assert_eq!(table.names, Some(names.map(String::from).to_vec()), "{text:?}");
            assert_eq!((table.rows(), &table.values[..]), (2, &values[..]), "{text:?}");
        }
        assert_eq!(read_text(b"7").unwrap(), Table { names: None, columns: 1, values: vec![7.0] });
    }

    #[test]
    fn mistakes_are_named_with_line_and_column() {
        for (text, part) in [
            (&b""[..], "holds no numbers"),
            (b"\n \r\n", "holds no numbers"),
            (b"x,y\n", "holds a header and no row"),
            (b"x,y\n1,2\n3,Paris\n", "line 3, column 2 (`y`): `Paris` is not a number"),
            (b"1,2\n3,x", "line 2, column 2: `x` is not a number"),
            // A first line of text and numbers is no header: a row would be lost.
            (b"1,x\n3,4", "line 1, column 2: `x` is not a number"),
            (b"x,y\n1,2\n\n3\n", "line 4 has 1 cells where line 1 has 2"),
            (b"1,2\n3,4,5\n", "line 2 has 3 cells where line 1 has 2"),
            (b"x,y\n1,\n", "line 2, column 2 (`y`): the cell is empty"),
            (b"1\t2\n\t\n", "line 2, column 1: the cell is empty"),
            (b"1,NaN\n", "line 1, column 2: `NaN` is not a finite number"),
            (b"1\n-inf\n", "line 2, column 1: `-inf` is not a finite number"),
            (b"1\n1e999\n", "line 2, column 1: `1e999` is not a finite number"),
            (b"1;2\n1,5;2\n", "write the decimal point as `.`"),
            (b"x\n\"1\n2\"\n", "line 2, column 1: a quote does not end"),
            (b"x\n\"1\"2\n", "line 2, column 1: text follows"),
            (b"\x89PNG\r\n\x1a\n", "line 2 is no text (byte 0x1a)"),
            (b"PK\x03\x04", "line 1 is no text (byte 0x03)"),
            (b"a\xff\n\xfe\n", "is not a number"),
        ] {
            let error = read_text(text).unwrap_err();
            assert!(matches!(error, Error::Data { .. }), "{error:?}");
            let message = error.to_string();
            assert!(message.starts_with("t.csv: ") && message.contains(part), "`{part}` is not in `{message}`");
            assert!(!message.contains('\n') && message.len() < 200, "{message}");
        }
    }

    #[test]
    fn lines_and_columns_have_limits() {
        let long = [b"1".repeat(MAX_LINE + 1), b"\n2\n".to_vec()].concat();
        assert!(read_text(&long).unwrap_err().to_string().contains("line 1 is longer"));
        let wide = b"1,".repeat(MAX_COLUMNS);
        assert!(read_text(&wide).unwrap_err().to_string().contains("16385 columns; at most 16384"));
        let widest = [b"1,".repeat(MAX_COLUMNS - 1), b"1".to_vec()].concat();
        assert_eq!(read_text(&widest).unwrap().columns, MAX_COLUMNS);
    }

    #[test]
    fn numbers_read_back_as_written() {
        let values: Vec<f64> = (0..3000u32).map(|i| f64::from(i.wrapping_mul(2_654_435_761)) * 1e-7 - 50.0).collect();
        let text: String = values.chunks(3).map(|row| format!("{},{:e},{}\n", row[0], row[1], row[2])).collect();
        assert_eq!(read_text(text.as_bytes()).unwrap().values, values);
    }

    #[test]
    fn no_truncation_and_no_flipped_bit_is_a_panic() {
        let good = b"\xef\xbb\xbf\"a, \"\"b\"\"\";c\r\n1;\"2.5\"\n\n-3e2;.25\n";
        assert_eq!(read_text(good).unwrap().values, [1.0, 2.5, -300.0, 0.25]);
        let check = |bytes: &[u8]| {
            // Whatever it now is: rows of finite numbers, or an error on one line.
            match read_text(bytes) {
                Ok(table) => {
                    assert_eq!(table.rows() * table.columns, table.values.len());
                    assert!(table.values.iter().all(|value| value.is_finite()) && table.values.len() <= bytes.len());
                }
                Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
            }
        };
        for end in 0..good.len() {
            check(&good[..end]);
        }
        for bit in 0..8 * good.len() {
            let mut bytes = good.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            check(&bytes);
        }
    }

    #[test]
    fn a_folder_is_no_table() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read(dir.path()).unwrap_err().to_string().contains("not a regular file"));
        assert!(matches!(read(&dir.path().join("none.csv")), Err(Error::Io { .. })));
    }
}
