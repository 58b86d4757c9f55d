//! The first rows of a file, and which of them are a title above the table.

use std::io::Read;

use gannet::Result;

use crate::date_parts::split;
use crate::options::ReadOptions;
use crate::record::{Cell, Record};
use crate::records::Records;
use crate::scan::scan;

/// Lines of a title at most, and rows below it that show that it is one.
const MOST_TITLES: usize = 8;
const ROWS_BELOW: usize = 6;

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
    fn filled(&self) -> usize {
        self.cells.iter().filter(|(text, _)| !text.is_empty()).count()
    }

    /// Whether its cells can be names of columns: texts, of which the first and the last may be empty.
    fn are_names(&self) -> bool {
        let is_text = |text: &String| {
            text.chars().any(char::is_alphabetic) && scan(text.as_bytes()).is_none() && split(text).is_none()
        };
        let inner = self.cells.len().saturating_sub(1);
        let may_be_name = |(place, (text, _)): (usize, &(String, bool))| {
            is_text(text) || (text.is_empty() && (place == 0 || place == inner))
        };
        self.filled() > 1 && self.cells.iter().enumerate().all(may_be_name)
    }
}

/// The first rows: as many as tell whether there is a title.
pub(crate) fn leads<R: Read>(records: &mut Records<R>) -> Result<Vec<Lead>> {
    let (mut leads, mut rows_below) = (Vec::new(), 0);
    while leads.len() < MOST_TITLES + ROWS_BELOW && rows_below < ROWS_BELOW {
        let Some(record) = records.next()? else { break };
        let lead = Lead::of(record);
        rows_below += usize::from(lead.filled() > 1);
        leads.push(lead);
    }
    Ok(leads)
}

/// How many of the first lines are a title: each has one cell that is filled, and the names of columns are below. Of two columns the names
/// may lack one, as R writes them, and a row may have one cell alone: there the lines below have to look like names above rows.
pub(crate) fn title_lines(leads: &[Lead], options: &ReadOptions) -> usize {
    // In a row of others, the one cell may be any.
    let is_alone = |lead: &&Lead| lead.filled() == 1 && !lead.cells[0].0.is_empty();
    let count = leads.iter().take_while(is_alone).count();
    let (Some((last, above)), Some(names)) = (leads[..count].split_last(), leads.get(count)) else { return 0 };
    if count > MOST_TITLES || !leads[0].texts().iter().any(|text| text.chars().any(char::is_alphabetic)) {
        return 0;
    }
    let rows = &leads[count + 1..];
    let is_narrow = last.cells.len() + 1 < names.cells.len();
    let looks_like_names = names.are_names() && rows.iter().any(|row| !row.are_names());
    let is_sentence = leads[0].texts().iter().any(|text| text.trim().contains(' '));
    let is_title = match options.header {
        _ if is_narrow => true,
        // Neither names nor a row of all columns.
        Some(false) => last.cells.len() < names.cells.len(),
        Some(true) if above.is_empty() => false,
        _ => looks_like_names || (is_sentence && names.are_names()),
    };
    if is_title { count } else { 0 }
}
