//! Columns of texts that may have been meant for dates or numbers: what is said about them.

use std::collections::BTreeSet;

use crate::categories::Texts;
use crate::complaint::holds_delimiter;
use crate::date_parts::{resembles_date, split};
use crate::date_tally::Certainty;
use crate::note::Note;
use crate::scan::scan;
use crate::tally::Tally;

/// Texts of more shapes have no units in common.
const MOST_SHAPES: usize = 12;

/// What tells the ways apart in which dates are written.
fn way(text: &str) -> Option<(Option<[&str; 2]>, &str)> {
    split(text).map(|parts| (parts.day.map(|day| day.separators), parts.zone))
}

/// What is to be said about a column of texts that may have been meant for dates or numbers; `decimal` is the decimal mark of the table.
pub(crate) fn unread(tally: &Tally, texts: &Texts<'_>, name: &str, decimal: char) -> Option<Note> {
    let column = name.to_string();
    let (mut all, mut dates, mut examples) = (0, 0, Vec::new());
    let (mut lists, mut list, mut undated) = (0, None, None);
    for (text, count) in texts.by_count() {
        all += count;
        if are_numbers(text) {
            lists += count;
            list = list.or(Some(text));
        }
        if resembles_date(text) {
            dates += count;
            match examples.as_slice() {
                [] => examples.push(text),
                [first] if way(first) != way(text) => examples.push(text),
                _ => {}
            }
        } else {
            undated = undated.or(Some(text));
        }
    }
    if let Some((_, Certainty::YearDoubtful)) = tally.dates.format(None)
        && tally.date_count == tally.values()
        && let Some(example) = examples.first()
    {
        return Some(Note::YearOrDay { column, example: (*example).to_string(), taken: None });
    }
    if let Some(example) = list.filter(|_| 2 * lists >= all) {
        return Some(Note::SeveralNumbers { column, example: example.to_string() });
    }
    if 2 * dates >= all && dates > 0 {
        // Where these are written alike, the culprit is another text.
        if let ([alike], Some(example)) = (examples.as_slice(), undated)
            && split(alike).is_some()
        {
            return Some(Note::HalfDates { column, dates, cells: all, example: example.to_string() });
        }
        return Some(Note::NoDates { column, examples: examples.into_iter().map(String::from).collect() });
    }
    let (numbers, cells) = (tally.numbers.count, tally.values());
    let odd = tally.odd.as_ref()?;
    let has = |is: fn(char) -> bool| odd.text.chars().any(is);
    let resembles_number = has(|letter| letter.is_ascii_digit()) && !has(char::is_alphabetic);
    let are_half = 2 * numbers >= cells || (10 * numbers >= cells && resembles_number);
    // Codes such as `136A`, or `136` and `136A`, where the letter was taken for a unit.
    let are_codes = tally.numbers.are_codes()
        || are_codes(tally, decimal)
        || (tally.numbers.has_affix() && scan(odd.text.as_bytes()).is_some());
    let is_meant = numbers > 0 && are_half && !are_codes;
    is_meant.then(|| Note::HalfNumbers { column, numbers, cells, example: odd.text.clone() })
}

/// What is to be said about a column of different texts that are left out, where most begin with numbers: measures in several units,
/// degrees, times and ratios.
pub(crate) fn numbered_texts(texts: &Texts<'_>, name: &str) -> Option<Note> {
    let (mut all, mut measures, mut first, mut shapes) = (0, 0, None, BTreeSet::new());
    for (text, count) in texts.by_count() {
        all += count;
        if is_measure(text) {
            measures += count;
            first = first.or(Some(text));
            shapes.insert(shape(text));
        }
    }
    // Addresses and other texts that happen to begin with numbers have many shapes.
    let example = first.filter(|_| 2 * measures > all && shapes.len() <= MOST_SHAPES)?;
    Some(Note::NumberedTexts { column: name.to_string(), example: example.to_string() })
}

/// Whether a text is a number with something behind it that is no part of a code, of a version or of a telephone number.
fn is_measure(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-', '\u{2212}']).unwrap_or(text);
    let is_code = unsigned.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
        && !matches!(shape(unsigned).as_str(), "0T0" | "0T0Z");
    let has_more = text.chars().any(|letter| letter.is_alphabetic() || matches!(letter, ':' | '/' | '\'' | '"' | '°'));
    unsigned.starts_with(|letter: char| letter.is_ascii_digit())
        && has_more
        && !is_code
        && !text.contains(['_', '@', '(', ')'])
}

/// A text with a zero for each number.
fn shape(text: &str) -> String {
    let mut shape = String::new();
    let mut last = ' ';
    for letter in text.chars() {
        let is_in_number = letter.is_ascii_digit() || (matches!(letter, '.' | ',') && last.is_ascii_digit());
        if !(is_in_number && shape.ends_with('0')) {
            shape.push(if is_in_number { '0' } else { letter });
        }
        last = letter;
    }
    shape
}

/// Whether a text is several numbers, such as `48.85, 2.35`; whole ones, such as `1 2`, are codes.
fn are_numbers(text: &str) -> bool {
    let inner = text.trim_matches(['(', ')', '[', ']', '{', '}', ' ']);
    inner.contains(['.', ';']) && holds_delimiter(inner)
}

/// Whether a column of whole numbers and few other cells has codes, such as `136` and `136A`.
pub(crate) fn are_codes(tally: &Tally, decimal: char) -> bool {
    let (format, _) = tally.numbers.format(decimal);
    let is_code = |text: &str| {
        text.bytes().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_'))
            && text.bytes().any(|letter| letter.is_ascii_alphabetic())
            && text.bytes().any(|letter| letter.is_ascii_digit())
    };
    tally.numbers.count > 0
        && tally.numbers.are_integers(&format)
        && tally.odd.as_ref().is_some_and(|odd| is_code(&odd.text))
}
