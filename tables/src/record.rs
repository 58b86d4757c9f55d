//! A row of cells, and how text is split into rows.

use crate::dialect::Delimiter;
use crate::frame::Frame;

/// How text is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) delimiter: Delimiter,
    pub(crate) quote: u8,
    pub(crate) comment: Option<u8>,
    /// What is drawn around cells between pipes.
    pub(crate) frame: Frame,
    /// Lines at the beginning that are no records.
    pub(crate) skipped_lines: u64,
}

/// What was passed over, and how the text ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) comments: u64,
    pub(crate) blanks: u64,
    pub(crate) ends_with_line_end: bool,
}

/// Where a cell is.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) is_quoted: bool,
    /// Whether it is among the cells in which doubled quotes stood.
    pub(crate) is_unescaped: bool,
}

/// A row.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    /// The line that it begins on.
    pub(crate) line: u64,
    pub(crate) cells: &'a [Span],
    /// The buffer, from whose beginning spans count.
    pub(crate) text: &'a [u8],
    pub(crate) unescaped: &'a [u8],
}

/// A cell without the quotes and spaces around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) is_quoted: bool,
}

impl<'a> Record<'a> {
    /// The number of cells.
    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Its cells.
    pub(crate) fn cells(&self) -> impl Iterator<Item = Cell<'a>> + use<'a> {
        let (text, unescaped) = (self.text, self.unescaped);
        self.cells.iter().map(move |span| {
            let text = if span.is_unescaped { unescaped } else { text };
            Cell { text: text.get(span.start..span.end).unwrap_or_default(), is_quoted: span.is_quoted }
        })
    }
}
