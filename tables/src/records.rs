//! Rows of cells out of text.
//!
//! A record ends at a line feed, a carriage return, or both, outside of quotes. A quote counts at the beginning of a cell; within one
//! it is a character as any other. Lines of nothing but delimiters are left out. Memory is bounded by the longest record.

use std::io::Read;
use std::path::{Path, PathBuf};

use gannet::data::table::MAX_COLUMNS;
use gannet::internals::file;
use gannet::{Error, Result};

use crate::dialect::Delimiter;
use crate::frame::{Frame, is_frame_line, is_row_count};
use crate::record::{Counts, Record, Span, Split};

/// Most bytes of a record: more than 64 for each of the most columns.
pub(crate) const MAX_RECORD: usize = 1 << 20;
/// Bytes that are read at a time.
const BLOCK: usize = 1 << 18;
/// What DOS ends a text with.
const END_OF_TEXT: u8 = 0x1a;

/// What a byte is to the splitter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Text,
    Delimiter,
    End,
    Control,
}

/// The rows of a text.
pub(crate) struct Records<R> {
    source: R,
    origin: PathBuf,
    split: Split,
    /// The frame, if the delimiter makes one possible.
    frame: Frame,
    classes: [Class; 256],
    buffer: Vec<u8>,
    /// What of the buffer is text that has not been given.
    start: usize,
    end: usize,
    is_end: bool,
    /// The line that comes next, counted from 1.
    line: u64,
    cells: Vec<Span>,
    /// Cells in which doubled quotes stood.
    unescaped: Vec<u8>,
    counts: Counts,
}

/// What stands at the beginning of the buffer.
enum Step {
    /// A record, or nothing that counts, up to this place, on so many lines.
    Record(usize, u64),
    Comment(usize),
    /// A line of the frame of a table, up to this place.
    FrameLine(usize),
    /// Its end is not in the buffer.
    More,
    /// The text ends here.
    End,
}

impl<R: Read> Records<R> {
    /// The rows of `source`, which gives UTF-8 and is called `origin` in messages.
    pub(crate) fn new(source: R, origin: &Path, split: Split) -> Self {
        let mut classes = [Class::Text; 256];
        classes[..32].fill(Class::Control);
        classes[usize::from(b'\t')] = Class::Text;
        classes[usize::from(b'\n')] = Class::End;
        classes[usize::from(b'\r')] = Class::End;
        match split.delimiter {
            Delimiter::Char(character) => classes[character as usize & 0x7f] = Class::Delimiter,
            Delimiter::Spaces(_) => {
                classes[usize::from(b' ')] = Class::Delimiter;
                classes[usize::from(b'\t')] = Class::Delimiter;
            }
        }
        Self {
            source,
            origin: origin.to_owned(),
            split,
            frame: if split.delimiter == Delimiter::Char('|') { split.frame } else { Frame::None },
            classes,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            is_end: false,
            line: 1,
            cells: Vec::new(),
            unescaped: Vec::new(),
            counts: Counts { ends_with_line_end: true, ..Counts::default() },
        }
    }

    /// What was passed over so far.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Where the text comes from.
    pub(crate) fn source(&self) -> &R {
        &self.source
    }

    /// An error on a line.
    fn error(&self, line: u64, problem: &str) -> Error {
        Error::data(self.origin.display().to_string(), format!("line {line}{problem}"))
    }

    /// The next row that has a cell which is not empty.
    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>> {
        self.find(false)
    }

    /// The next row, which may consist of empty cells: a delimiter or a quote makes a line one, and a blank line is none.
    pub(crate) fn next_of_any(&mut self) -> Result<Option<Record<'_>>> {
        self.find(true)
    }

    fn find(&mut self, takes_empty: bool) -> Result<Option<Record<'_>>> {
        loop {
            let line = self.line;
            match self.step()? {
                Step::End => return Ok(None),
                Step::More => self.fill()?,
                Step::Comment(after) => {
                    (self.start, self.line) = (after, line + 1);
                    self.counts.comments += 1;
                }
                Step::FrameLine(after) => (self.start, self.line) = (after, line + 1),
                Step::Record(after, lines) => {
                    self.leave_out_pipes();
                    (self.start, self.line) = (after, line + lines);
                    let is_blank = self.cells.iter().all(|cell| cell.start == cell.end);
                    if line <= self.split.skipped_lines {
                        continue;
                    }
                    let has_cells = self.cells.len() > 1 || self.cells.iter().any(|cell| cell.is_quoted);
                    if is_blank && !(takes_empty && has_cells) {
                        self.counts.blanks += u64::from(self.cells.len() > 1);
                        continue;
                    }
                    return Ok(Some(Record {
                        line,
                        cells: &self.cells,
                        text: &self.buffer,
                        unescaped: &self.unescaped,
                    }));
                }
            }
        }
    }

    /// Reads more of the source behind what is left in the buffer.
    fn fill(&mut self) -> Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.end > MAX_RECORD {
            let problem = format!(
                " is longer than {MAX_RECORD} bytes; close its quote, if one is open, end each row by a line feed, or shorten its cells"
            );
            return Err(self.error(self.line, &problem));
        }
        let wanted = self.end + BLOCK;
        if self.buffer.len() < wanted {
            let more = wanted - self.buffer.len();
            self.buffer.try_reserve_exact(more).map_err(|_| Error::OutOfMemory { bytes: wanted as u64 })?;
            self.buffer.resize(wanted, 0);
        }
        let read = self.source.read(&mut self.buffer[self.end..wanted]);
        let read = read.map_err(|source| file::refused("read", &self.origin, source))?;
        self.end += read;
        self.is_end = read == 0;
        Ok(())
    }

    /// Looks at what begins at `start`.
    fn step(&mut self) -> Result<Step> {
        self.cells.clear();
        self.unescaped.clear();
        let Some(&first) = self.buffer.get(self.start..self.end).and_then(<[u8]>::first) else {
            return Ok(if self.is_end { Step::End } else { Step::More });
        };
        let is_comment = Some(first) == self.split.comment;
        if is_comment || self.frame != Frame::None {
            let rest = &self.buffer[self.start..self.end];
            let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let Some(length) = length.or(self.is_end.then_some(rest.len())) else { return Ok(Step::More) };
            let step = if is_comment { Step::Comment } else { Step::FrameLine };
            if is_comment || is_frame_line(&rest[..length]) || is_row_count(&rest[..length]) {
                let is_last = length == rest.len();
                let after = if is_last { Some(self.end) } else { self.line_end(self.start + length) };
                return Ok(after.map_or(Step::More, step));
            }
        }
        let (mut place, mut lines) = (self.start, 1);
        let spaces = matches!(self.split.delimiter, Delimiter::Spaces(_));
        if spaces {
            place += self.blanks(place);
        }
        loop {
            let Some(after) = self.cell(place, &mut lines)? else { return Ok(Step::More) };
            if self.cells.len() > MAX_COLUMNS {
                let problem = format!(" has more than {MAX_COLUMNS} columns; leave some out, or give one row a sample");
                return Err(self.error(self.line, &problem));
            }
            let Some(&byte) = self.buffer.get(after..self.end).and_then(<[u8]>::first) else {
                self.counts.ends_with_line_end = false;
                return Ok(if self.is_end { Step::Record(self.end, lines) } else { Step::More });
            };
            match self.classes[usize::from(byte)] {
                Class::End => {
                    self.counts.ends_with_line_end = true;
                    return Ok(self.line_end(after).map_or(Step::More, |after| Step::Record(after, lines)));
                }
                Class::Delimiter if spaces => {
                    place = after + self.blanks(after);
                    match self.buffer.get(place..self.end).and_then(<[u8]>::first) {
                        None if !self.is_end => return Ok(Step::More),
                        None => return Ok(Step::Record(self.end, lines)),
                        Some(b'\n' | b'\r') => {
                            self.counts.ends_with_line_end = true;
                            return Ok(self.line_end(place).map_or(Step::More, |after| Step::Record(after, lines)));
                        }
                        Some(_) => {}
                    }
                }
                Class::Delimiter => place = after + 1,
                Class::Control if byte == END_OF_TEXT => {
                    if !self.is_end {
                        return Ok(Step::More);
                    }
                    if self.buffer[after..self.end]
                        .iter()
                        .all(|byte| byte.is_ascii_whitespace() || *byte == END_OF_TEXT)
                    {
                        return Ok(Step::Record(self.end, lines));
                    }
                    return Err(self.no_text(byte));
                }
                _ => return Err(self.no_text(byte)),
            }
        }
    }

    /// Leaves out what is before the first pipe of a row in a frame, and behind the last one.
    fn leave_out_pipes(&mut self) {
        let is_empty = |cell: Option<&Span>| cell.is_some_and(|cell| cell.start == cell.end && !cell.is_quoted);
        if self.frame == Frame::Pipes
            && self.cells.len() > 2
            && is_empty(self.cells.first())
            && is_empty(self.cells.last())
        {
            self.cells.pop();
            self.cells.remove(0);
        }
    }

    fn no_text(&self, byte: u8) -> Error {
        let problem =
            format!(" is no text (byte {byte:#04x}), so the file is no table; save the table as CSV in UTF-8");
        self.error(self.line, &problem)
    }

    /// The place behind the line end at `place`; `None` where that takes more of the source.
    fn line_end(&self, place: usize) -> Option<usize> {
        match self.buffer.get(place..self.end)? {
            [b'\r', b'\n', ..] => Some(place + 2),
            [b'\r'] if !self.is_end => None,
            _ => Some(place + 1),
        }
    }

    /// Spaces and tabs from `place` on.
    fn blanks(&self, place: usize) -> usize {
        let rest = self.buffer.get(place..self.end).unwrap_or_default();
        rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
    }

    /// Takes the cell at `place`; the place behind it, or `None` where its end is not in the buffer.
    fn cell(&mut self, place: usize, lines: &mut u64) -> Result<Option<usize>> {
        let text = &self.buffer[..self.end];
        let mut start = place;
        while text.get(start) == Some(&b' ') {
            start += 1;
        }
        if text.get(start) == Some(&self.split.quote) {
            return self.quoted(start + 1, lines);
        }
        let rest = &text[start.min(self.end)..];
        let length = rest.iter().position(|&byte| self.classes[usize::from(byte)] != Class::Text);
        if length.is_none() && !self.is_end {
            return Ok(None);
        }
        let after = start + length.unwrap_or(rest.len());
        let mut end = after;
        while end > start && matches!(text[end - 1], b' ' | b'\t') {
            end -= 1;
        }
        // A tab can be a blank only where it delimits nothing.
        while start < end && text[start] == b'\t' {
            start += 1;
        }
        self.cells.push(Span { start, end, is_quoted: false, is_unescaped: false });
        Ok(Some(after))
    }

    /// Takes a cell whose quote has been opened before `start`.
    fn quoted(&mut self, start: usize, lines: &mut u64) -> Result<Option<usize>> {
        let quote = self.split.quote;
        let unescaped = self.unescaped.len();
        let (mut place, mut copied) = (start, start);
        let mut is_unescaped = false;
        loop {
            let Some(&byte) = self.buffer[..self.end].get(place) else {
                if !self.is_end {
                    return Ok(None);
                }
                let column = self.cells.len() + 1;
                return Err(self.error(self.line, &format!(", column {column}: a quote does not end; close it")));
            };
            place += 1;
            if byte == b'\n' || (byte == b'\r' && self.buffer[..self.end].get(place) != Some(&b'\n')) {
                *lines += 1;
            }
            if byte != quote {
                continue;
            }
            match self.buffer[..self.end].get(place) {
                None if !self.is_end => return Ok(None),
                // Two quotes stand for one.
                Some(next) if *next == quote => {
                    is_unescaped = true;
                    self.unescaped.extend_from_slice(&self.buffer[copied..place]);
                    place += 1;
                    copied = place;
                }
                _ => break,
            }
        }
        let end = place - 1;
        if is_unescaped {
            self.unescaped.extend_from_slice(&self.buffer[copied..end]);
            self.cells.push(Span { start: unescaped, end: self.unescaped.len(), is_quoted: true, is_unescaped: true });
        } else {
            self.cells.push(Span { start, end, is_quoted: true, is_unescaped: false });
        }
        if !matches!(self.split.delimiter, Delimiter::Spaces(_)) {
            while self.buffer[..self.end].get(place) == Some(&b' ') {
                place += 1;
            }
        }
        match self.buffer[..self.end].get(place) {
            None => Ok(self.is_end.then_some(place)),
            Some(&byte) if self.classes[usize::from(byte)] == Class::Text => {
                let column = self.cells.len();
                let problem =
                    format!(", column {column}: text follows the closing quote; write a quote within a cell twice");
                Err(self.error(self.line, &problem))
            }
            Some(_) => Ok(Some(place)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(delimiter: Delimiter) -> Split {
        Split { delimiter, quote: b'"', comment: None, frame: Frame::None, skipped_lines: 0 }
    }

    /// All rows with their lines, or the error.
    fn rows(text: &[u8], split: Split) -> Result<Vec<(u64, Vec<String>)>> {
        let mut records = Records::new(text, Path::new("t.csv"), split);
        let mut rows = Vec::new();
        while let Some(record) = records.next()? {
            let cells = record.cells().map(|cell| String::from_utf8_lossy(cell.text).into_owned());
            rows.push((record.line, cells.collect()));
        }
        Ok(rows)
    }

    fn comma(text: &str) -> Vec<(u64, Vec<String>)> {
        rows(text.as_bytes(), split(Delimiter::Char(','))).unwrap()
    }

    fn row(line: u64, cells: &[&str]) -> (u64, Vec<String>) {
        (line, cells.iter().map(|cell| (*cell).to_string()).collect())
    }

    #[test]
    fn rows_quotes_and_line_ends() {
        for end in ["\n", "\r\n", "\r"] {
            let text = format!("a,b{end}1, 2 {end}{end},{end}\"x, y\",\"say \"\"z\"\"\" {end}it\"s,5'{end}3,");
            let expected = [
                row(1, &["a", "b"]),
                row(2, &["1", "2"]),
                row(5, &["x, y", "say \"z\""]),
                row(6, &["it\"s", "5'"]),
                row(7, &["3", ""]),
            ];
            assert_eq!(comma(&text), expected, "{end:?}");
        }
        assert_eq!(comma("\"a\nb\",c\nd,e"), [row(1, &["a\nb", "c"]), row(3, &["d", "e"])]);
        assert_eq!(comma("a,b\n\x1a"), [row(1, &["a", "b"])]);
        assert_eq!(comma("a,b\x1a\r\n"), [row(1, &["a", "b"])]);
        assert_eq!(comma(""), []);
    }

    #[test]
    fn other_delimiters_comments_and_skipped_lines() {
        let spaces = split(Delimiter::Spaces(1));
        let expected = [row(1, &["x", "y"]), row(2, &["1", "2"]), row(3, &["a b", "3"])];
        assert_eq!(rows(b"  x y\n1 \t 2  \n\"a b\" 3 \n   \n", spaces).unwrap(), expected);
        let tab = split(Delimiter::Char('\t'));
        assert_eq!(rows(b"a\t\tb\n", tab).unwrap(), [row(1, &["a", "", "b"])]);
        let commented = Split { comment: Some(b'#'), skipped_lines: 1, ..split(Delimiter::Char(';')) };
        let mut records = Records::new(&b"sep=;\n# one\na;b\n# two"[..], Path::new("t"), commented);
        assert_eq!(records.next().unwrap().map(|record| (record.line, record.len())), Some((3, 2)));
        assert!(records.next().unwrap().is_none());
        assert_eq!(records.counts().comments, 2);
    }

    #[test]
    fn frames_are_no_cells() {
        let framed = |frame: Frame| Split { frame, ..split(Delimiter::Char('|')) };
        let expected = [row(2, &["a", "b"]), row(4, &["", "x"]), row(5, &["-", "-"])];
        let text = "+--+---+\n| a | b |\r\n|---|:-:|\r\n|  | x |\n| - | - |\n+--+---+";
        assert_eq!(rows(text.as_bytes(), framed(Frame::Pipes)).unwrap(), expected);
        let text = "a | b\n--|---\n1 |\n|2";
        let expected = [row(1, &["a", "b"]), row(3, &["1", ""]), row(4, &["", "2"])];
        assert_eq!(rows(text.as_bytes(), framed(Frame::Line)).unwrap(), expected);
        assert_eq!(rows(b"|---|", framed(Frame::Pipes)).unwrap(), []);
        // Another delimiter has no frame.
        let comma = Split { delimiter: Delimiter::Char(','), ..framed(Frame::Pipes) };
        assert_eq!(rows(b"--,--\n", comma).unwrap(), [row(1, &["--", "--"])]);
    }

    #[test]
    fn mistakes_are_named_by_line() {
        let error = |text: &[u8]| rows(text, split(Delimiter::Char(','))).unwrap_err().to_string();
        assert!(error(b"a\n\"b").contains("line 2, column 1: a quote does not end"));
        assert!(error(b"a\nb,\"c\"d\n").contains("line 2, column 2: text follows"));
        assert!(error(b"a\nb\x01\n").contains("line 2 is no text (byte 0x01)"));
        assert!(error(b"a\x1ab").contains("0x1a"));
        assert!(error(&b",".repeat(MAX_COLUMNS + 1)).contains("line 1 has more than 16384 columns"));
        assert!(error(&[b"a\n\"", &b"b\n".repeat(1 << 20)[..]].concat()).contains("line 2 is longer than"));
    }

    /// Where a block ends makes no difference.
    #[test]
    fn rows_across_blocks() {
        let text: String = (0..60_000).map(|row| format!("{row},\"a\"\"{row}\",x\r\n")).collect();
        assert!(text.len() > 3 * BLOCK);
        for (index, (line, cells)) in comma(&text).into_iter().enumerate() {
            assert_eq!(line, index as u64 + 1);
            assert_eq!(cells, [index.to_string(), format!("a\"{index}"), "x".to_string()]);
        }
    }
}
