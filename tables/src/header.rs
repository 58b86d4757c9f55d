//! Whether the first rows are names and units, told from what follows them.
//!
//! A cell of the first row that is no number above a column of numbers is a name; one that comes again below is a value. Above columns of
//! numbers alone, a sequence of whole numbers that the columns do not have, such as years, is names, too.

use crate::date_parts::split;
use crate::marks::Marks;
use crate::number_tally::NumberTally;
use crate::scan::scan;
use crate::tally::Tally;

/// Of a column's values, so many of a hundred are numbers in a column of numbers.
const MOST_PERCENT: u64 = 90;
/// How often each value of a column is there on average, where one that is not there is a name.
const OFTEN: u64 = 3;
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

/// What the first row, of these cells, is above the columns of `tallies`, which have `rows` rows.
pub(crate) fn first_row(cells: &[String], tallies: &[Tally], rows: u64, marks: &Marks) -> First {
    if rows == 0 {
        return if cells.iter().all(|cell| scan(cell.as_bytes()).is_none()) { First::Names } else { First::Row };
    }
    let is_count = |index: usize, count: u64| cells.get(index).is_some_and(|cell| *cell == count.to_string());
    if rows > 1 && tallies.len() > 2 && is_count(0, rows) && is_count(1, tallies.len() as u64 - 1) {
        return First::Counts;
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
    let are_different = {
        let mut sorted: Vec<&String> = cells.iter().collect();
        sorted.sort_unstable();
        sorted.windows(2).all(|two| two[0] != two[1])
    };
    if of(Vote::Value) > 0 {
        let others = of(Vote::Unusual) + of(Vote::Unclear);
        return if others == 0 && is_sequence(cells, tallies) { First::NumericNames } else { First::Row };
    }
    let is_named = cells.iter().any(|cell| cell.chars().any(char::is_alphabetic));
    match (of(Vote::Unusual), of(Vote::Unclear)) {
        (0, 0) => First::Row,
        _ if !are_different || !is_named => First::Row,
        (0, _) => First::AssumedNames,
        _ => First::Names,
    }
}

/// Whether the cells, but for an empty first one, are whole numbers at equal steps that the columns do not have: they have decimals, or
/// do not reach the number.
fn is_sequence(cells: &[String], tallies: &[Tally]) -> bool {
    let skipped = usize::from(cells.first().is_some_and(String::is_empty));
    let numbers: Option<Vec<i64>> = cells.iter().skip(skipped).map(|cell| cell.parse().ok()).collect();
    let Some(numbers) = numbers.filter(|numbers| numbers.len() > 1) else { return false };
    let steps = |two: &[i64]| two[1].checked_sub(two[0]);
    let step = steps(&numbers[..2]);
    let is_regular = step.is_some_and(|step| step > 0) && numbers.windows(2).all(|two| steps(two) == step);
    let is_other = |(number, tally): (&i64, &Tally)| {
        let (number, NumberTally { least, greatest, .. }) = (*number as f64, tally.numbers.clone());
        let (format, _) = tally.numbers.format('.');
        let reach = greatest - least;
        tally.numbers.count > 0
            && (!tally.numbers.are_integers(&format) || number < least - reach || number > greatest + reach)
    };
    is_regular && numbers.iter().zip(tallies.iter().skip(skipped)).all(is_other)
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
        let marks = Marks::new(None);
        let cells = |row: &str| row.split(',').map(String::from).collect::<Vec<_>>();
        let names = cells(rows[0]);
        let mut tallies = vec![Tally::new(100, false); names.len()];
        for (index, row) in rows[1..].iter().enumerate() {
            for (cell, tally) in cells(row).iter().zip(&mut tallies) {
                tally.add(Cell { text: cell.as_bytes(), is_quoted: false }, 1, index as u64, &marks);
            }
        }
        first_row(&names, &tallies, rows.len() as u64 - 1, &marks)
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
    }
}
