//! What is wrong with a cell that cannot be read: what it looks like, and what to do.

use crate::affix::affixes;
use crate::cure::{Cure, Setting, SettingNames};
use crate::date_parts::{is_impossible_day, split};
use crate::kind::Kind;
use crate::scan::scan;
use crate::text::shown;

/// What a cell of a column of this kind looks like, and the cure in a table that is yet to be learned.
pub(crate) fn complaint(cell: &str, kind: Kind, names: SettingNames) -> String {
    let (found, cures) = finding(cell, kind);
    format!("{found}; {}", names.cures(cures))
}

/// What a cell of a column of this kind looks like, and the cures apart from it.
pub(crate) fn finding(cell: &str, kind: Kind) -> (String, &'static [Cure]) {
    let column = match kind {
        Kind::Date => "a column of dates",
        Kind::Integer => "a column of whole numbers",
        Kind::Boolean => "a column of two values",
        _ => "a column of numbers",
    };
    let (what, cures): (_, &[Cure]) = match kind {
        _ if cell.is_empty() => ("is empty", &[("fill it in", None)]),
        Kind::Date if is_impossible_day(cell) => ("is no day of the calendar", &[("correct it", None), MISSING]),
        Kind::Date if split(cell).is_some() => {
            ("is a date that is written in another way", &[("write all dates of the column alike", None)])
        }
        Kind::Date if scan(cell.as_bytes()).is_some() => {
            ("is a number", &[("write it as the other dates", None), MISSING])
        }
        Kind::Integer if scan(cell.as_bytes()).is_some() => {
            ("is not whole, or has another decimal mark", &[CONTINUOUS, ("correct the cell", None)])
        }
        Kind::Date | Kind::Boolean => ("is text", TEXT),
        _ if matches!(cell.to_ascii_lowercase().trim_start_matches(['+', '-']), "inf" | "infinity" | "1e999") => {
            ("is not a finite number", &[("fill it in", None), MISSING])
        }
        _ if is_beyond(cell) => {
            ("is beyond the greatest number of 64 bits, 1.8e308,", &[("correct it", None), MISSING])
        }
        _ if scan(cell.as_bytes()).is_some_and(|found| found.mark == 0 || found.exponent.is_some()) => {
            ("has no unit as the others have", &[("write all numbers of the column alike", None)])
        }
        _ if scan(cell.as_bytes()).is_some() => (
            "has a decimal mark or a thousands separator unlike the others",
            &[("write all numbers of the column alike", None)],
        ),
        _ if affixes(cell).is_some_and(|(prefix, suffix)| !(prefix.is_empty() && suffix.is_empty())) => (
            "has a unit, a currency or a decimal mark unlike the others",
            &[("write all numbers of the column alike", None)],
        ),
        _ if split(cell).is_some() => ("is a date", &[("correct it", None), CATEGORICAL]),
        _ if holds_delimiter(cell) => (
            "holds another delimiter",
            &[
                ("name the delimiter of the file", Some(Setting::Delimiter)),
                ("write the same delimiter in all rows", None),
            ],
        ),
        _ => ("is text", TEXT),
    };
    (format!("`{}` {what} in {column}", shown(cell)), cures)
}

/// What is wrong with a number that a column of whole numbers cannot have, and the cure: where the kind of the column `is_known`, it
/// stays.
pub(crate) fn not_whole(cell: &str, why: &str, is_known: bool, names: SettingNames) -> String {
    let cures: &[Cure] =
        if is_known { &[("correct the cell", None)] } else { &[CONTINUOUS, ("correct the cell", None)] };
    format!("`{}` {why} in a column of whole numbers; {}", shown(cell), names.cures(cures))
}

const MISSING: Cure = ("name it as a mark of missing values", Some(Setting::Missing));
const CATEGORICAL: Cure = ("make the column categorical", Some(Setting::Kind(Kind::Categorical)));
const CONTINUOUS: Cure = ("make the column continuous", Some(Setting::Kind(Kind::Continuous)));
/// What helps against a text among values.
const TEXT: &[Cure] = &[("correct it", None), MISSING, CATEGORICAL];

/// Digits before the mark of the greatest number of 64 bits.
const MOST_DIGITS: i32 = 309;

/// Whether a cell is a number that 64 bits cannot have.
fn is_beyond(cell: &str) -> bool {
    scan(cell.as_bytes()).is_some_and(|found| {
        let exponent = found.exponent.map_or(0, |exponent| exponent.value);
        i32::from(found.significant) - i32::from(found.tail) + exponent >= MOST_DIGITS
    })
}

/// Whether a cell is numbers with a delimiter between.
pub(crate) fn holds_delimiter(cell: &str) -> bool {
    let mut parts = cell.split([';', '\t', '|', ',', ' ']).filter(|part| !part.is_empty());
    let are_numbers = parts.by_ref().all(|part| scan(part.as_bytes()).is_some());
    are_numbers && cell.contains([';', '\t', '|', ',', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_named_by_what_they_look_like() {
        for (cell, kind, part) in [
            ("abc", Kind::Continuous, "`abc` is text in a column of numbers"),
            ("1,234.5", Kind::Continuous, "thousands separator"),
            ("5,2", Kind::Continuous, "decimal mark"),
            ("2024-01-05", Kind::Continuous, "is a date"),
            ("1;2", Kind::Continuous, "another delimiter"),
            ("5 kg", Kind::Continuous, "a unit"),
            ("inf", Kind::Continuous, "not a finite number"),
            (
                "1e400",
                Kind::Continuous,
                "`1e400` is beyond the greatest number of 64 bits, 1.8e308, in a column of numbers; correct it, or name it as a mark of missing values by --missing",
            ),
            ("17", Kind::Continuous, "has no unit as the others"),
            ("", Kind::Continuous, "is empty"),
            ("1.5", Kind::Integer, "is not whole"),
            ("05.01.2024", Kind::Date, "another way"),
            ("31.02.2023", Kind::Date, "is no day of the calendar in a column of dates; correct it, or name it"),
            ("50,0 %", Kind::Continuous, "has a unit, a currency or a decimal mark unlike the others"),
            ("17", Kind::Date, "is a number in a column of dates"),
            ("maybe", Kind::Boolean, "is text in a column of two values"),
        ] {
            let text = complaint(cell, kind, SettingNames::Options);
            assert!(text.contains(part) && text.contains("; "), "{text}");
        }
    }
}
