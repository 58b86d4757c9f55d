//! Rows in the form of a table, to their last byte.

use std::io::{self, Write};
use std::path::PathBuf;

use gannet::{Error, Result};

use crate::dialect::{Delimiter, Trailing};
use crate::encoding::Encoding;
use crate::form::{ColumnForm, Domain, Form};
use crate::number_format::NumberFormat;
use crate::table::Value;

/// Text that is collected before it is written.
const BLOCK: usize = 1 << 16;
/// Marks of missing values where an empty cell would be lost.
const VISIBLE: [&str; 3] = ["NA", "NULL", "NaN"];

/// Writes rows in the form of a table: its delimiter, header, quotes, decimals, dates, marks and encoding.
///
/// ```
/// use gannet_tables::{Input, ReadOptions, Value, Writer, read};
///
/// let table = read(&Input::bytes("t.csv", "day;price\n31.01.2024;1.200,50\n01.02.2024;980,25\n"), &ReadOptions::default())?;
/// let mut writer = Writer::new(Vec::new(), table.form())?;
/// writer.write_row(&[Value::Date(19_755), Value::Number(1234.567)])?;
/// assert_eq!(writer.finish()?, b"day;price\n02.02.2024;1.234,57\n");
/// # Ok::<(), gannet::Error>(())
/// ```
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    origin: PathBuf,
    form: Form,
    /// The columns' constants, as they are written.
    shape: Shape,
    /// UTF-8 text that is not written yet.
    text: Vec<u8>,
    /// The same in the file's encoding, where that is another.
    encoded: Vec<u8>,
    rows: u64,
}

/// What rows are made of.
#[derive(Clone, Debug)]
struct Shape {
    delimiter: Vec<u8>,
    quote: u8,
    /// What begins a comment or names the delimiter: a first cell with it stands in quotes.
    comment: Option<u8>,
    line_end: &'static [u8],
    has_final_line_end: bool,
    trailing: bool,
    /// Categories as they are written, of each column.
    categories: Vec<Vec<Vec<u8>>>,
    missing: Vec<Vec<u8>>,
}

impl<W: Write> Writer<W> {
    /// Begins a table of this form in `out`: the header is written with the first row, or at the end.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for a form that no table has.
    pub fn new(out: W, form: &Form) -> Result<Self> {
        form.validate()?;
        let dialect = &form.dialect;
        let mut delimiter = match dialect.delimiter {
            Delimiter::Char(character) => character.to_string().into_bytes(),
            Delimiter::Spaces(width) => vec![b' '; usize::from(width.max(1))],
        };
        if dialect.has_space {
            delimiter.push(b' ');
        }
        let mut shape = Shape {
            delimiter,
            quote: dialect.quote as u8,
            comment: dialect.comment.and_then(|comment| u8::try_from(comment).ok()),
            line_end: dialect.line_end.text().as_bytes(),
            has_final_line_end: dialect.has_final_line_end,
            trailing: dialect.trailing != Trailing::None,
            categories: Vec::new(),
            missing: Vec::new(),
        };
        for (index, column) in form.columns.iter().enumerate() {
            let cells = |text: &str, is_quoted: bool| {
                let mut cell = Vec::new();
                shape.cell(text, is_quoted, index == 0, &mut cell);
                cell
            };
            let categories = match &column.domain {
                Domain::Categories { categories, rest } => {
                    categories.iter().chain(rest).map(|category| cells(&category.text, column.is_quoted)).collect()
                }
                Domain::Constant { text } => vec![cells(text, column.is_quoted)],
                _ => Vec::new(),
            };
            let (mark, is_quoted) =
                column.missing.as_ref().map_or(("", false), |mark| (mark.text.as_str(), mark.is_quoted));
            // Nothing is no cell between spaces.
            let needs_mark = matches!(dialect.delimiter, Delimiter::Spaces(_));
            let missing =
                if mark.is_empty() && needs_mark { cells(visible(column), false) } else { cells(mark, is_quoted) };
            shape.categories.push(categories);
            shape.missing.push(missing);
        }
        let mut writer = Self {
            out,
            origin: PathBuf::from("the table"),
            form: form.clone(),
            shape,
            text: Vec::with_capacity(2 * BLOCK),
            encoded: Vec::new(),
            rows: 0,
        };
        writer.begin();
        Ok(writer)
    }

    /// With what is written to, for messages.
    #[must_use]
    pub fn with_origin(self, origin: impl Into<PathBuf>) -> Self {
        Self { origin: origin.into(), ..self }
    }

    /// Puts what stands before the rows into the text.
    fn begin(&mut self) {
        let Self { form, shape, text, .. } = self;
        let dialect = &form.dialect;
        let end = |text: &mut Vec<u8>| text.extend_from_slice(shape.line_end);
        if dialect.has_delimiter_line {
            text.extend_from_slice(b"sep=");
            text.extend_from_slice(&shape.delimiter[..1]);
            end(text);
        }
        let mut line = |cells: &mut dyn Iterator<Item = (&str, bool)>, prefix: &str, trailing: bool| {
            text.extend_from_slice(prefix.as_bytes());
            for (index, (cell, is_quoted)) in cells.enumerate() {
                if index > 0 {
                    text.extend_from_slice(&shape.delimiter);
                }
                shape.cell(cell, is_quoted, index == 0, text);
            }
            if trailing {
                text.extend_from_slice(&shape.delimiter[..1]);
            }
            text.extend_from_slice(shape.line_end);
        };
        if let Some(header) = &dialect.header {
            let skipped = usize::from(header.is_short);
            let mut cells = form.columns.iter().skip(skipped).map(|column| {
                let text = column.heading.as_str();
                (text, header.is_quoted)
            });
            line(&mut cells, &header.prefix, dialect.trailing == Trailing::All);
        }
        if let Some(units) = &dialect.units {
            line(&mut units.iter().map(|unit| (unit.as_str(), false)), "", shape.trailing);
        }
    }

    /// Writes a row: a value for each column. Columns that are not learned write their own, whatever is given. A number that is not
    /// finite, and an index beyond the categories, are missing values; a whole number is taken for a number where the column has those.
    /// A row of nothing but empty cells begins with `NA`, as it would else be a blank line; with `NULL` or `NaN` where `NA` is a category.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another number of values; [`Error::Io`] where the system refuses to write.
    pub fn write_row(&mut self, values: &[Value]) -> Result<()> {
        self.write_cells(values, |_| None)
    }

    fn write_cells<'t>(&mut self, values: &[Value], given: impl Fn(usize) -> Option<&'t str>) -> Result<()> {
        let Self { form, shape, text, rows, .. } = self;
        if values.len() != form.columns.len() {
            return Err(Error::shape("row", format!("{} values", form.columns.len()), format!("{}", values.len())));
        }
        let mut is_blank = true;
        let start = text.len();
        for (index, (column, value)) in form.columns.iter().zip(values).enumerate() {
            if index > 0 {
                text.extend_from_slice(&shape.delimiter);
            }
            let start = text.len();
            match given(index) {
                Some(cell) => shape.cell(cell, column.is_quoted, index == 0, text),
                None => shape.value(index, column, *value, *rows, text),
            }
            is_blank &= text.len() == start || text[start..] == [shape.quote; 2];
        }
        // A row of nothing but empty cells is a blank line to readers, which would lose it.
        if is_blank {
            let first = if text[start..].starts_with(&[shape.quote; 2]) { 2 } else { 0 };
            let mark = form.columns.first().map_or(VISIBLE[0], visible);
            text.splice(start..start + first, mark.bytes());
        }
        if shape.trailing {
            text.extend_from_slice(&shape.delimiter[..1]);
        }
        text.extend_from_slice(shape.line_end);
        *rows += 1;
        // The last line end is written once it is known not to be the last.
        if self.text.len() >= BLOCK {
            self.flush_text(self.shape.line_end.len())?;
        }
        Ok(())
    }

    /// Writes a row of which some cells are given as text, which stands as it is, in quotes where it has to; the others are `values`.
    ///
    /// # Errors
    ///
    /// As [`write_row`](Self::write_row).
    pub fn write_given(&mut self, values: &[Value], given: &[Option<&str>]) -> Result<()> {
        self.write_cells(values, |column| given.get(column).copied().flatten())
    }

    /// Writes what is left, and gives back what was written to.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses to write.
    pub fn finish(mut self) -> Result<W> {
        if !self.shape.has_final_line_end {
            let length = self.text.len() - self.shape.line_end.len().min(self.text.len());
            self.text.truncate(length);
        }
        self.flush_text(0)?;
        self.out.flush().map_err(|source| self.refused(source))?;
        Ok(self.out)
    }

    /// The number of rows that were written.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes the text but for the last `kept` bytes.
    fn flush_text(&mut self, kept: usize) -> Result<()> {
        let length = self.text.len() - kept.min(self.text.len());
        let is_first = self.encoded.capacity() == 0;
        let dialect = &self.form.dialect;
        if is_first {
            self.encoded.reserve(BLOCK);
            if dialect.has_byte_order_mark {
                self.encoded.extend_from_slice(dialect.encoding.byte_order_mark());
            }
        }
        let written = if dialect.encoding == Encoding::Utf8 {
            self.out.write_all(&self.encoded).and_then(|()| self.out.write_all(&self.text[..length]))
        } else {
            let text = String::from_utf8_lossy(&self.text[..length]);
            dialect.encoding.encode(&text, &mut self.encoded);
            self.out.write_all(&self.encoded)
        };
        self.encoded.clear();
        self.text.drain(..length);
        written.map_err(|source| self.refused(source))
    }

    fn refused(&self, source: io::Error) -> Error {
        Error::Io { action: "write", path: self.origin.clone(), source }
    }
}

/// The first visible mark that is no category of a column. Readers of booleans ignore case.
fn visible(column: &ColumnForm) -> &'static str {
    let is_category = |mark: &str| match &column.domain {
        Domain::Categories { categories, rest } => {
            categories.iter().chain(rest).any(|category| category.text.eq_ignore_ascii_case(mark))
        }
        _ => false,
    };
    VISIBLE.into_iter().find(|mark| !is_category(mark)).unwrap_or(VISIBLE[0])
}

impl Shape {
    /// Appends a cell, in quotes where it has to be.
    fn cell(&self, cell: &str, is_quoted: bool, is_first: bool, text: &mut Vec<u8>) {
        let bytes = cell.as_bytes();
        let spaces = self.delimiter.first() == Some(&b' ');
        let is_special =
            |byte: &u8| *byte == self.quote || self.delimiter.first() == Some(byte) || matches!(byte, b'\n' | b'\r');
        let needs_quotes = bytes.iter().any(is_special)
            || (spaces && (cell.is_empty() || cell.contains('\t')))
            || cell.starts_with([' ', '\t'])
            || cell.ends_with([' ', '\t'])
            || (is_first && self.comment.is_some() && bytes.first().copied() == self.comment)
            // Lines that begin and end with it would be read as quoted by it.
            || (is_first && cell.starts_with('\'') && self.quote != b'\'');
        if !is_quoted && !needs_quotes {
            return text.extend_from_slice(bytes);
        }
        text.push(self.quote);
        for byte in bytes {
            if *byte == self.quote {
                text.push(self.quote);
            }
            text.push(*byte);
        }
        text.push(self.quote);
    }

    /// Appends the value of a column.
    fn value(&self, index: usize, column: &ColumnForm, value: Value, row: u64, text: &mut Vec<u8>) {
        let start = text.len();
        match (&column.domain, value) {
            (Domain::Counter { first, width }, _) => {
                let number = first.saturating_add(i64::try_from(row).unwrap_or(i64::MAX));
                NumberFormat { width: *width, ..NumberFormat::default() }.write_integer(number, text);
            }
            (Domain::Constant { .. }, _) => return self.ready(self.categories.get(index), 0, index, text),
            (Domain::Categories { .. }, Value::Category(category)) => {
                return self.ready(self.categories.get(index), category, index, text);
            }
            (Domain::Numbers { format, .. }, Value::Number(number)) if number.is_finite() => format.write(number, text),
            (Domain::Numbers { format, .. }, Value::Integer(number)) => format.write(number as f64, text),
            (Domain::Integers { format, .. }, Value::Integer(number)) => format.write_integer(number, text),
            (Domain::Integers { format, .. }, Value::Number(number)) if number.is_finite() => {
                format.write_integer(number.round() as i64, text);
            }
            (Domain::Dates { format, .. }, Value::Date(date)) => format.write(date, text),
            _ => return self.ready(None, 0, index, text),
        }
        let needs_quotes = column.is_quoted || {
            let is_special = |byte: &u8| self.delimiter.first() == Some(byte) || *byte == self.quote;
            text[start..].iter().any(is_special)
        };
        if needs_quotes {
            let cell = text.split_off(start);
            self.cell(&String::from_utf8_lossy(&cell), true, index == 0, text);
        }
    }

    /// Appends a cell that is made already, or the mark of a missing value where there is none.
    fn ready(&self, cells: Option<&Vec<Vec<u8>>>, place: u32, index: usize, text: &mut Vec<u8>) {
        let cell = cells.and_then(|cells| cells.get(place as usize)).or(self.missing.get(index));
        text.extend_from_slice(cell.map_or(&[], Vec::as_slice));
    }
}
