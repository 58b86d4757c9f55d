//! Whether the first rows are names and units, told from what follows them.
//!
//! A cell of the first row that is no number above a column of numbers is a name; one that comes again below is a value. Above columns of
//! numbers alone, a sequence of whole numbers that the columns do not have, such as years, is names, too. Beside texts or above whole
//! numbers, years and numbers that count up from 0 or 1 are names where a row like that is very unlikely.

use crate::date_parts::split;
use crate::lines_above::{YEARS, is_text};
use crate::marks::Marks;
use crate::number_tally::NumberTally;
use crate::scan::scan;
use crate::tally::Tally;

/// Of a column's values, so many of a hundred are numbers in a column of numbers.
const MOST_PERCENT: u64 = 90;
/// How often each value of a column is there on average, where one that is not there is a name.
const OFTEN: u64 = 3;
/// Rows that show how far a column reaches.
const REACHING: u64 = 10;
/// Steps differ by no more than this share, which rounding explains.
const STEP: f64 = 1e-6;
/// A row of years or counts is less likely than this where it is names. Of files without names, about one in as many begins with such a
/// row; of all files, more than that have such names, as pandas writes them.
const UNLIKELY: f64 = 1e-3;
/// How likely a sorted column is to begin with the very number that its place asks for. A guess: such columns begin with small numbers.
const BEGINS_SO: f64 = 0.2;
/// Numbers that may be names where two are too few: years on their own, and counts beside texts.
const LEAST_NUMBERS: usize = 3;
/// Rows below a line of units.
const LEAST_ROWS: u64 = 3;

/// What the first row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// Names, for certain.
    Names,
    /// Names, since the numbers below are others.
    NumericNames,
    /// Names, as usual, though nothing shows it.
    AssumedNames,
    /// Numbers of rows and columns.
    Counts,
    /// A row.
    Row,
}

/// What a cell of the first row says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Vote {
    /// It cannot be a value of its column.
    Name,
    /// It is not among the few values of its column.
    Unusual,
    /// It may be either.
    Unclear,
    /// It is a value such as others.
    Value,
    /// It comes again below.
    Again,
    /// It stands for a missing value.
    Missing,
}

/// What kind of column is below.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    Numbers,
    Dates,
    Texts,
    Nothing,
}

fn below(tally: &Tally) -> Below {
    let values = tally.values();
    if values == 0 {
        Below::Nothing
    } else if 100 * tally.numbers.count >= MOST_PERCENT * values {
        Below::Numbers
    } else if 100 * tally.date_count >= MOST_PERCENT * values {
        Below::Dates
    } else {
        Below::Texts
    }
}

fn vote(cell: &str, tally: &Tally, marks: &Marks) -> Vote {
    let is_missing = marks.find(cell.as_bytes()).is_some();
    match below(tally) {
        _ if cell.is_empty() => Vote::Missing,
        Below::Numbers if scan(cell.as_bytes()).is_some() || tally.numbers.reads(cell.as_bytes()) => Vote::Value,
        Below::Dates if split(cell).is_some() => Vote::Value,
        _ if is_missing => Vote::Missing,
        Below::Numbers | Below::Dates => Vote::Name,
        Below::Nothing => Vote::Unclear,
        Below::Texts => {
            let texts = tally.distinct.by_count();
            if texts.iter().any(|(text, _)| *text == cell) {
                Vote::Again
            } else if tally.is_complete() && tally.values() >= OFTEN * texts.len() as u64 {
                Vote::Unusual
            } else {
                Vote::Unclear
            }
        }
    }
}

/// What the first row, of these cells, is above the columns of `tallies`, which have `rows` rows; `are_quoted` tells whether all its cells
/// stand in quotes.
pub(crate) fn first_row(cells: &[String], are_quoted: bool, tallies: &[Tally], rows: u64, marks: &Marks) -> First {
    if rows == 0 {
        return if cells.iter().all(|cell| scan(cell.as_bytes()).is_none()) { First::Names } else { First::Row };
    }
    let is_count = |index: usize, count: u64| cells.get(index).is_some_and(|cell| *cell == count.to_string());
    if rows > 1 && tallies.len() > 2 && is_count(0, rows) && is_count(1, tallies.len() as u64 - 1) {
        return First::Counts;
    }
    // R and others put quotes around names, and none around numbers.
    if are_quoted && tallies.iter().any(|tally| below(tally) == Below::Numbers && tally.quoted == 0) {
        return First::Names;
    }
    let votes: Vec<Vote> = cells.iter().zip(tallies).map(|(cell, tally)| vote(cell, tally, marks)).collect();
    let of = |wanted: Vote| votes.iter().filter(|vote| **vote == wanted).count();
    // A column `y` of `y` and `n` is no row for that.
    let (names, again) = (of(Vote::Name), of(Vote::Again));
    if names > again || (names > 0 && names == again && of(Vote::Value) == 0) {
        return First::Names;
    }
    if again > 0 {
        return First::Row;
    }
    if counts_columns(cells, tallies, marks) {
        return First::NumericNames;
    }
    let are_different = {
        let mut sorted: Vec<&String> = cells.iter().collect();
        sorted.sort_unstable();
        sorted.windows(2).all(|two| two[0] != two[1])
    };
    if of(Vote::Value) > 0 {
        let is_alone = of(Vote::Unusual) + of(Vote::Unclear) == 0;
        let numbers = cells.iter().zip(tallies).zip(&votes).filter(|(_, vote)| **vote == Vote::Value);
        let numbers: Vec<(&String, &Tally)> = numbers.map(|(number, _)| number).collect();
        let is_long = numbers.len() >= if is_alone { 2 } else { 3 };
        return if is_long && is_sequence(&numbers, rows) { First::NumericNames } else { First::Row };
    }
    let is_named = cells.iter().any(|cell| cell.chars().any(char::is_alphabetic));
    match (of(Vote::Unusual), of(Vote::Unclear)) {
        (0, 0) => First::Row,
        _ if !are_different || !is_named => First::Row,
        (0, _) => First::AssumedNames,
        _ => First::Names,
    }
}

/// Whether the cells are numbers at equal steps that their columns do not have: these have decimals and the cells none, or the other way
/// round, or they do not reach the number.
fn is_sequence(cells: &[(&String, &Tally)], rows: u64) -> bool {
    let numbers: Option<Vec<f64>> = cells.iter().map(|(cell, _)| cell.parse().ok()).collect();
    let Some(numbers) = numbers else { return false };
    let step = numbers.get(1).map_or(0.0, |second| second - numbers[0]);
    let is_regular = step > 0.0 && numbers.windows(2).all(|two| ((two[1] - two[0]) / step - 1.0).abs() < STEP);
    let is_other = |(number, (_, tally)): (&f64, &(&String, &Tally))| {
        let NumberTally { least, greatest, .. } = tally.numbers;
        let (format, _) = tally.numbers.format('.');
        let reach = greatest - least;
        tally.numbers.are_integers(&format) != (number.fract() == 0.0)
            || (rows >= REACHING && (*number < least - reach || *number > greatest + reach))
    };
    is_regular && numbers.iter().zip(cells).all(is_other)
}

/// Whether the numbers among the cells are years or count the columns, in a row that is very unlikely above these columns.
fn counts_columns(cells: &[String], tallies: &[Tally], marks: &Marks) -> bool {
    let columns = || cells.iter().zip(tallies).enumerate();
    let numbers: Vec<(u32, &Tally)> =
        columns().filter_map(|(_, (cell, tally))| Some((plain_number(cell)?, tally))).collect();
    let steps = |step: u32| numbers.windows(2).all(|two| two[0].0.checked_add(step) == Some(two[1].0));
    let [(first, _), (second, _), ..] = *numbers else { return false };
    let is_long = numbers.len() >= LEAST_NUMBERS;
    let are_years = numbers.iter().all(|(number, tally)| YEARS.contains(number) && !has_years(tally))
        && second > first
        && steps(second - first)
        && (second == first + 1 || is_long);
    // Two flags may be 0 and 1. Above the numbers of rows stands nothing.
    let are_alone = numbers.len() == cells.len();
    let has_index = || cells[0].is_empty() && tallies[0].numbers.counts_from().is_some();
    let are_counts = first < 2 && steps(1) && (is_long || are_alone || has_index());
    let is_named = columns().all(|(place, (cell, _))| {
        plain_number(cell).is_some()
            || (is_text(cell) && marks.find(cell.as_bytes()).is_none())
            || (place == 0 && cell.is_empty())
    });
    // A column that counts rows counts the first one, too, if that is one.
    let is_counted = numbers.iter().any(|(number, tally)| tally.numbers.counts_from() == Some(i64::from(*number)));
    if !(are_years || are_counts) || !is_named || is_counted {
        return false;
    }
    let are_certain = are_years && is_long;
    are_certain || columns().map(|(_, (cell, tally))| chance(cell, tally, are_counts)).product::<f64>() < UNLIKELY
}

/// A whole number as names of columns are written: of digits alone, without zeros before it.
fn plain_number(cell: &str) -> Option<u32> {
    let is_plain = cell.bytes().all(|byte| byte.is_ascii_digit()) && (cell == "0" || !cell.starts_with('0'));
    cell.parse().ok().filter(|_| is_plain)
}

/// Whether a column has years for the most part, as far as its texts are remembered.
fn has_years(tally: &Tally) -> bool {
    let texts = tally.distinct.by_count();
    let is_year = |text: &str| plain_number(text).is_some_and(|number| YEARS.contains(&number));
    2 * texts.iter().filter(|(text, _)| is_year(text)).count() > texts.len()
}

/// How likely a cell of a column is to be this one, as far as the cells of the column tell.
fn chance(cell: &str, tally: &Tally, is_count: bool) -> f64 {
    if cell.is_empty() {
        return (tally.cells - tally.values() + 1) as f64 / (tally.cells + 1) as f64;
    }
    let texts = tally.distinct.by_count();
    let sum: u64 = texts.iter().map(|(_, count)| count).sum();
    let share = |count: u64| (count + 1) as f64 / (sum + 1) as f64;
    let Some(number) = plain_number(cell) else {
        // A text that is nowhere below is as likely as those that are there once (Good, "The population frequencies of species", 1953).
        return if tally.is_complete() {
            share(texts.iter().filter(|(_, count)| *count == 1).count() as u64).min(1.0)
        } else {
            1.0
        };
    };
    let has_decimals = tally.numbers.format('.').0.min_decimals > 0;
    if is_count && tally.numbers.count > 0 && !has_decimals && f64::from(number) < tally.numbers.least {
        return BEGINS_SO;
    }
    share(texts.iter().find(|(text, _)| *text == cell).map_or(0, |(_, count)| *count))
}

/// Whether the second row, of these cells, has the units of columns: all that is above numbers or dates is text.
pub(crate) fn is_units(cells: &[String], tallies: &[Tally], rows: u64, marks: &Marks) -> bool {
    let votes = || cells.iter().zip(tallies).filter(|(_, tally)| matches!(below(tally), Below::Numbers | Below::Dates));
    let names = votes().filter(|(cell, tally)| vote(cell, tally, marks) == Vote::Name).count();
    let empty = votes().filter(|(cell, _)| cell.is_empty()).count();
    rows >= LEAST_ROWS && names > 0 && names + empty == votes().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Cell;

    fn first(rows: &[&str]) -> First {
        of_rows(rows, false)
    }

    fn of_rows(rows: &[&str], are_quoted: bool) -> First {
        let marks = Marks::new(None);
        let cells = |row: &str| row.split(',').map(String::from).collect::<Vec<_>>();
        let names = cells(rows[0]);
        let mut tallies = vec![Tally::new(100, false); names.len()];
        for (index, row) in rows[1..].iter().enumerate() {
            for (cell, tally) in cells(row).iter().zip(&mut tallies) {
                tally.add(Cell { text: cell.as_bytes(), is_quoted: false }, 1, index as u64, &marks);
            }
        }
        first_row(&names, are_quoted, &tallies, rows.len() as u64 - 1, &marks)
    }

    #[test]
    fn names_are_told_from_rows() {
        for (rows, expected) in [
            (&["x,y", "1,2", "3,4"][..], First::Names),
            (&["id,2020", "0,1.5", "1,2.5"], First::Names),
            (&["nan,inf", "0,1.5", "1,2.5"], First::Names),
            (&["2019,2020,2021", "5.25,5.78,6.3", "4.1,5,6"], First::NumericNames),
            (&[",0,1", "0,1.5,2.5", "1,0.5,0.25"], First::NumericNames),
            (&["400,410,420", "0.5,0.25,0.1", "0.1,0.1,0.2"], First::NumericNames),
            (&[",142.24,144.78,147.32", "9.4,0,1,2", "9.5,3,4,5"], First::NumericNames),
            (&["name,code,1960,1961,1962", "Aruba,A,1.5,2.5,3.5", "Chad,B,4.5,4.1,4.2"], First::NumericNames),
            (&["1,2", "10,20", "11,21"], First::Row),
            (&["1.5,2", "3.5,4"], First::Row),
            (&["Anna,1,2", "Bert,1.5,2.5", "Carl,2.5,3.5"], First::Row),
            (&["2019,2020", "2018,2021", "2017,2019"], First::Row),
            (&["1,2", "3,4", "5,6"], First::Row),
            (&["1.5,2", "3,4", "5,6"], First::Row),
            (&["NA,NA", "3,4", "5,6"], First::Row),
            (&["Anna,30", "Bert,40", "Carl,50"], First::Row),
            (&["red", "red", "blue"], First::Row),
            (&["y,week", "y,1", "n,2", "y,3"], First::Names),
            (&["color", "red", "blue", "red", "blue", "red", "blue"], First::Names),
            (&["name,city", "Anna,Rome", "Bert,Paris"], First::AssumedNames),
            (&["3,4,a,b,c", "1,2,3,4,5", "1,2,3,4,5", "1,2,3,4,5"], First::Counts),
            (&["day,x", "2024-01-01,5", "2024-01-02,6"], First::Names),
            (&["2024-01-01,5", "2024-01-02,6"], First::Row),
            (&["a,b"], First::Names),
            (&["1,2"], First::Row),
        ] {
            assert_eq!(first(rows), expected, "{rows:?}");
        }
        assert_eq!(of_rows(&[",1,2", "1,50,19", "2,16,40"], true), First::Names);
    }
}
