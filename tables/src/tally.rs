//! What a column shows of itself, cell by cell, in bounded memory.

use crate::date_tally::DateTally;
use crate::distinct::Distinct;
use crate::marks::Marks;
use crate::number_format::NumberFormat;
use crate::number_tally::{COMMA, NOT_WHOLE, NumberTally, POINT};
use crate::record::Cell;

/// A column of numbers alone with more distinct ones than these is none of categories.
const NUMBER_LIMIT: u64 = 256;
/// A column with more texts than these, and a share of more than one in as many, is none of dates.
const FEW_TEXTS: u64 = 8;
/// Letters of a cell that are kept for a message.
const KEPT: usize = 200;

/// A cell that is unlike the others, for a message.
#[derive(Clone, Debug)]
pub(crate) struct Odd {
    pub(crate) line: u64,
    pub(crate) text: String,
}

impl Odd {
    fn new(line: u64, text: &str) -> Self {
        Self { line, text: text.chars().take(KEPT).collect() }
    }
}

/// What a column shows.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// Cells, missing ones too.
    pub(crate) cells: u64,
    /// Those that may stand for missing values, by the number of their mark, with those in quotes.
    pub(crate) marks: Vec<(usize, u64, u64)>,
    pub(crate) numbers: NumberTally,
    pub(crate) dates: DateTally,
    pub(crate) date_count: u64,
    /// Values that are neither numbers nor dates.
    pub(crate) texts: u64,
    /// The first of them.
    pub(crate) odd: Option<Odd>,
    /// The first number of each of [`NumberTally::not_whole`].
    not_whole: [Option<Odd>; 4],
    pub(crate) distinct: Distinct,
    /// Values, other than marks, in quotes.
    pub(crate) quoted: u64,
    /// Words and letters of the texts.
    pub(crate) words: u64,
    pub(crate) letters: u64,
    /// Whether numbers are entered among the distinct texts.
    tracks_numbers: bool,
    /// Whether the caller wants categories, however many numbers there are.
    keeps_tracking: bool,
}

impl Tally {
    /// Nothing yet; at most `limit` distinct texts will be remembered.
    pub(crate) fn new(limit: usize, keeps_tracking: bool) -> Self {
        Self {
            cells: 0,
            marks: Vec::new(),
            numbers: NumberTally::default(),
            dates: DateTally::default(),
            date_count: 0,
            texts: 0,
            odd: None,
            not_whole: [const { None }; 4],
            distinct: Distinct::new(limit),
            quoted: 0,
            words: 0,
            letters: 0,
            tracks_numbers: true,
            keeps_tracking,
        }
    }

    /// Values, which are neither missing nor doubtful.
    pub(crate) fn values(&self) -> u64 {
        self.numbers.count + self.date_count + self.texts
    }

    /// The first number that is not whole in a column of this format, and why.
    pub(crate) fn first_not_whole(&self, format: &NumberFormat) -> Option<(&Odd, &'static str)> {
        let other = if format.decimal == ',' { POINT } else { COMMA };
        let found = self.not_whole.iter().zip(NOT_WHOLE).enumerate().filter(|(place, _)| *place != other);
        found.filter_map(|(_, (odd, why))| Some((odd.as_ref()?, why))).min_by_key(|(odd, _)| odd.line)
    }

    /// Whether all distinct texts are remembered.
    pub(crate) fn is_complete(&self) -> bool {
        self.tracks_numbers && self.distinct.is_complete()
    }

    /// Whether all texts were looked at, even where some were forgotten since.
    pub(crate) fn knows_texts(&self) -> bool {
        self.tracks_numbers
    }

    /// Takes the cell of a row; the bytes of memory that it took.
    pub(crate) fn add(&mut self, cell: Cell<'_>, line: u64, row: u64, marks: &Marks) -> usize {
        self.cells += 1;
        let quoted = u64::from(cell.is_quoted);
        if (marks.are_given() || cell.text.is_empty())
            && let Some(mark) = marks.find(cell.text)
        {
            return self.mark(mark, quoted);
        }
        let before = self.numbers.not_whole();
        if self.numbers.add(cell.text, row) {
            self.quoted += quoted;
            self.keep_not_whole(before, cell.text, line);
            return if self.tracks_numbers { self.track_number(cell.text) } else { 0 };
        }
        if let Some(mark) = marks.find(cell.text) {
            return self.mark(mark, quoted);
        }
        self.quoted += quoted;
        let text = String::from_utf8_lossy(cell.text);
        let may_be_dates = self.texts < FEW_TEXTS || self.date_count >= FEW_TEXTS * self.texts;
        let is_date = may_be_dates && self.numbers.count == 0 && self.dates.add(&text);
        if is_date {
            self.date_count += 1;
        } else {
            if self.odd.as_ref().is_none_or(|odd| line < odd.line) {
                self.odd = Some(Odd::new(line, &text));
            }
            self.texts += 1;
            self.words += text.split_ascii_whitespace().count() as u64;
            self.letters += text.len() as u64;
        }
        self.distinct.add(&text)
    }

    /// Keeps a number that is the first of its kind of those that are not whole; `before` it there were such.
    fn keep_not_whole(&mut self, before: [bool; 4], cell: &[u8], line: u64) {
        let comes_before = |first: &Option<Odd>| first.as_ref().is_some_and(|odd| line < odd.line);
        // The first lines may be a header, and come last where they are none.
        let own = match self.not_whole.iter().any(comes_before) {
            true => self.numbers.not_whole_alone(cell),
            false => [false; 4],
        };
        let changes = before.into_iter().zip(self.numbers.not_whole()).map(|(was, is)| was != is);
        for (first, (is_new, is_own)) in self.not_whole.iter_mut().zip(changes.zip(own)) {
            if is_new || is_own && comes_before(first) {
                *first = Some(Odd::new(line, &String::from_utf8_lossy(cell)));
            }
        }
    }

    fn mark(&mut self, mark: usize, quoted: u64) -> usize {
        match self.marks.iter_mut().find(|(known, ..)| *known == mark) {
            Some((_, count, in_quotes)) => (*count, *in_quotes) = (*count + 1, *in_quotes + quoted),
            None => self.marks.push((mark, 1, quoted)),
        }
        0
    }

    fn track_number(&mut self, cell: &[u8]) -> usize {
        let taken = self.distinct.add(&String::from_utf8_lossy(cell));
        let is_numeric = self.texts == 0 && self.date_count == 0;
        // Long codes are texts, after all.
        let keeps_tracking = self.keeps_tracking || self.numbers.are_long_codes();
        self.tracks_numbers = !is_numeric || keeps_tracking || self.distinct.len() <= NUMBER_LIMIT;
        taken
    }
}
