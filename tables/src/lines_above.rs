//! Which of the first lines stand above a table: titles, dates, sources, groups of columns.
//!
//! Such a line has fewer filled cells than the names of columns below it. Names are told from rows: they are texts above numbers or
//! dates, or years. Where nothing shows names, a line is above the table only if one of its cells is filled.

use std::ops::RangeInclusive;

use crate::affix::affixes;
use crate::date_parts::split;
use crate::lead::{Lead, MOST_ABOVE, ROWS_BELOW};
use crate::marks::Marks;
use crate::options::ReadOptions;
use crate::scan::scan;

/// Columns at least of a table above which groups of columns are named: two groups of two.
const GROUPED: usize = 4;
/// Filled cells at most of a line that a blank line separates from the table: a name and its value.
const PAIR: usize = 2;
/// Numbers that are years where they follow each other.
pub(crate) const YEARS: RangeInclusive<u32> = 1800..=2200;
/// Values that show a column of numbers or dates, unless the table has fewer rows.
const LEAST_VALUES: usize = 2;

/// How many of the first lines are above the table, and whether names are shown to be below them. What a caller says about the header is
/// about lines that have enough cells to be a header or a row.
pub(crate) fn lines_above(leads: &[Lead], options: &ReadOptions, marks: &Marks) -> (usize, bool) {
    let most = leads.len().saturating_sub(1).min(MOST_ABOVE);
    let found = |count: usize| {
        let (above, below) = leads.split_at(count);
        let (names, rows) = below.split_first()?;
        let place = Place { above, names, rows: &rows[..rows.len().min(ROWS_BELOW)] };
        let are_names = place.names_are_shown(marks);
        (place.may_be_above(options.header) && (are_names || place.is_title(options.header) || place.are_counts()))
            .then_some((count, are_names))
    };
    (1..=most).find_map(found).unwrap_or((0, false))
}

/// A place at which the table may begin.
struct Place<'a> {
    /// Lines before it; at least one.
    above: &'a [Lead],
    /// The first line of the table.
    names: &'a Lead,
    /// Rows below that.
    rows: &'a [Lead],
}

impl Place<'_> {
    /// Cells of a row.
    fn width(&self) -> usize {
        self.rows.first().unwrap_or(self.names).cells.len()
    }

    /// Whether the line above has the numbers of rows and of features, as scikit-learn writes them above a table whose last column is the
    /// target, with the names of classes or without.
    fn are_counts(&self) -> bool {
        let [only] = self.above else { return false };
        let count = |place: usize| only.cells.get(place).and_then(|(text, _)| text.parse::<usize>().ok());
        let (width, has_others) = (self.width(), self.rows.iter().any(|row| row.cells.len() != self.width()));
        let are_fitting = count(0).is_some_and(|rows| rows > self.rows.len())
            && count(1).is_some_and(|features| features + 1 == width);
        are_fitting && self.are_narrow(0) && self.names.cells.len() == width && !has_others
    }

    /// Whether no line above has cells enough for a row, or for a header that lacks `lacking` of them.
    fn are_narrow(&self, lacking: usize) -> bool {
        self.above.iter().all(|lead| lead.cells.len() + lacking < self.width())
    }

    /// Whether what the caller says about a header allows lines above.
    fn may_be_above(&self, header: Option<bool>) -> bool {
        match header {
            Some(false) => self.are_narrow(0),
            Some(true) => self.above.len() > 1 || self.are_narrow(1),
            None => true,
        }
    }

    /// Whether rows below show that `names` are names, and the lines above have fewer cells than these.
    fn names_are_shown(&self, marks: &Marks) -> bool {
        let width = self.width();
        let lacking = width.saturating_sub(self.names.cells.len());
        // A header of R lacks one.
        if lacking > 1 || self.names.cells.len() > width || self.rows.iter().any(|row| row.cells.len() != width) {
            return false;
        }
        let is_fuller = self.above.iter().all(|lead| self.is_sparse(lead));
        // An index of rows has no name.
        let has_one_name = self.names.filled() == 1 && !is_alone(self.names) && self.above.iter().all(is_alone);
        let is_column = width == 1 && self.above.iter().all(|lead| lead.cells.len() == 1) && self.follows_gap();
        if is_fuller || has_one_name || is_column {
            return self.have_names(lacking, marks);
        }
        false
    }

    /// Whether a line has fewer filled cells than the names, and is no header with a gap.
    fn is_sparse(&self, lead: &Lead) -> bool {
        let (cells, filled, width) = (lead.cells.len(), lead.filled(), self.width());
        let is_group = cells == width && width >= GROUPED && 2 * filled <= width;
        filled < self.names.filled() && (cells < width || is_group || (cells == width && is_alone(lead)))
    }

    /// Whether the names are texts, at least one above numbers or dates, or years among texts, of which the rows have none.
    fn have_names(&self, lacking: usize, marks: &Marks) -> bool {
        let has_years = has_years(self.names) && !self.rows.iter().any(has_years);
        let is_name = |text: &str| is_text(text) && marks.find(text.as_bytes()).is_none();
        let last = self.names.cells.len().saturating_sub(1);
        let are_names = self.names.cells.iter().enumerate().all(|(place, (text, _))| {
            is_name(text)
                || (text.is_empty() && (place == 0 || place == last))
                || (has_years && scan(text.as_bytes()).is_some())
        });
        let has_values = |place: usize| {
            let cells = self.rows.iter().filter_map(|row| row.cells.get(place + lacking));
            let mut values =
                cells.map(|(text, _)| text).filter(|text| marks.find(text.as_bytes()).is_none()).peekable();
            let least = LEAST_VALUES.min(self.rows.len());
            values.peek().is_some()
                && values.try_fold(0, |count, text| is_value(text).then_some(count + 1)) >= Some(least)
        };
        let mut names = self.names.cells.iter().enumerate().filter(|(_, (text, _))| is_name(text));
        are_names && (has_years || names.any(|(place, _)| has_values(place)))
    }

    /// Whether a line is blank between the lines above and the names, or a comment.
    fn follows_gap(&self) -> bool {
        self.above.last().is_some_and(|last| {
            let ends = |mark: char| last.cells.iter().map(|(text, _)| text.matches(mark).count()).sum::<usize>();
            last.line + 1 + (ends('\n').max(ends('\r')) as u64) < self.names.line
        })
    }

    /// Whether the lines above are a title that nothing but its form shows: each has one filled cell, and names of columns are below; or a
    /// blank line is between. Of two columns the names may lack one, as R writes them, and a row may have one cell alone: there the lines
    /// below have to look like names above rows.
    fn is_title(&self, header: Option<bool>) -> bool {
        let Self { above, names, rows } = self;
        let are_names = names.filled() > 1 && are_texts(names);
        if are_names && self.are_narrow(1) && self.follows_gap() && above.iter().all(|lead| lead.filled() <= PAIR) {
            return true;
        }
        let (Some(first), Some(last)) = (above.first(), above.last()) else { return false };
        // In a row of others, the one cell may be any.
        let has_letters = first.cells.iter().any(|(text, _)| text.chars().any(char::is_alphabetic));
        if is_alone(names) || !above.iter().all(is_alone) || !has_letters {
            return false;
        }
        let is_sentence = first.cells.iter().any(|(text, _)| text.trim().contains(' '));
        let has_others = rows.iter().any(|row| row.filled() < 2 || !are_texts(row));
        last.cells.len() + 1 < names.cells.len()
            || (header == Some(false) && last.cells.len() < names.cells.len())
            || (are_names && (has_others || is_sentence))
    }
}

/// Whether the first cell of a line alone is filled.
fn is_alone(lead: &Lead) -> bool {
    lead.filled() == 1 && lead.cells.first().is_some_and(|(text, _)| !text.is_empty())
}

/// Whether a cell is neither empty nor a number nor a date.
pub(crate) fn is_text(text: &str) -> bool {
    text.chars().any(char::is_alphabetic) && scan(text.as_bytes()).is_none() && split(text).is_none()
}

/// Whether a cell is a number, with its unit, or a date.
fn is_value(text: &str) -> bool {
    scan(text.as_bytes()).is_some() || split(text).is_some() || affixes(text).is_some()
}

/// Whether the cells of a line are texts, of which the first and the last may be empty.
fn are_texts(lead: &Lead) -> bool {
    let last = lead.cells.len().saturating_sub(1);
    let may_be_empty = |place: usize| place == 0 || place == last;
    lead.cells.iter().enumerate().all(|(place, (text, _))| is_text(text) || (text.is_empty() && may_be_empty(place)))
}

/// Whether the numbers of a line are years that follow each other in equal steps.
fn has_years(lead: &Lead) -> bool {
    let numbers = lead.cells.iter().filter(|(text, _)| scan(text.as_bytes()).is_some());
    let years: Option<Vec<u32>> =
        numbers.map(|(text, _)| text.parse().ok().filter(|year| YEARS.contains(year))).collect();
    years.is_some_and(|years| {
        let steps: Vec<i64> = years.windows(2).map(|two| i64::from(two[1]) - i64::from(two[0])).collect();
        steps.first().is_some_and(|first| *first != 0 && steps.iter().all(|step| step == first))
    })
}
