//! The first rows of a file, which are kept until it is known what they are.

use std::io::Read;

use gannet::Result;

use crate::record::{Cell, Record};
use crate::records::Records;

/// Lines above a table at most: offices of statistics write some twenty.
pub(crate) const MOST_ABOVE: usize = 64;
/// Rows below them that show what they are.
pub(crate) const ROWS_BELOW: usize = 6;
/// First rows that are kept however long they are, and bytes of more.
const LEAST: usize = 8;
const MOST_BYTES: usize = 1 << 20;

/// One of the first rows: its cells, and whether each is quoted.
pub(crate) struct Lead {
    pub(crate) cells: Vec<(String, bool)>,
    pub(crate) line: u64,
}

impl Lead {
    pub(crate) fn of(record: Record<'_>) -> Self {
        let cells = record.cells().map(|cell| (String::from_utf8_lossy(cell.text).into_owned(), cell.is_quoted));
        Self { cells: cells.collect(), line: record.line }
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.cells.iter().map(|(text, _)| text.clone()).collect()
    }

    /// Its cells.
    pub(crate) fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
        self.cells.iter().map(|(text, is_quoted)| Cell { text: text.as_bytes(), is_quoted: *is_quoted })
    }

    /// How many cells are not empty.
    pub(crate) fn filled(&self) -> usize {
        self.cells.iter().filter(|(text, _)| !text.is_empty()).count()
    }
}

/// The first rows: as many as tell whether lines stand above the table.
pub(crate) fn leads<R: Read>(records: &mut Records<R>) -> Result<Vec<Lead>> {
    let (mut leads, mut bytes) = (Vec::new(), 0);
    while leads.len() < LEAST || (leads.len() < MOST_ABOVE + ROWS_BELOW && bytes < MOST_BYTES) {
        let Some(record) = records.next()? else { break };
        let lead = Lead::of(record);
        bytes += lead.cells.iter().map(|cell| size_of_val(cell) + cell.0.len()).sum::<usize>();
        leads.push(lead);
    }
    Ok(leads)
}
