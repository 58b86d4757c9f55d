//! What is wrong with a cell that cannot be read: what it looks like, and what to do.

use crate::affix::affixes;
use crate::date_parts::split;
use crate::kind::Kind;
use crate::scan::scan;
use crate::text::shown;

/// What a cell of a column of this kind looks like, and the cure in a table that is yet to be learned.
pub(crate) fn complaint(cell: &str, kind: Kind) -> String {
    let (found, cure) = finding(cell, kind);
    format!("{found}; {cure}")
}

/// What a cell of a column of this kind looks like, and the cure apart from it.
pub(crate) fn finding(cell: &str, kind: Kind) -> (String, &'static str) {
    let column = match kind {
        Kind::Date => "a column of dates",
        Kind::Integer => "a column of whole numbers",
        Kind::Boolean => "a column of two values",
        _ => "a column of numbers",
    };
    let (what, cure) = match kind {
        _ if cell.is_empty() => ("is empty", "fill it in, or say that empty cells are missing values"),
        Kind::Date if split(cell).is_some() => {
            ("is a date that is written in another way", "write all dates of the column alike")
        }
        Kind::Date if scan(cell.as_bytes()).is_some() => ("is a number", "write it as the other dates"),
        Kind::Integer if scan(cell.as_bytes()).is_some() => {
            ("is not whole, or has another decimal mark", "make the column continuous, or correct the cell")
        }
        Kind::Date | Kind::Boolean => ("is text", CURE),
        _ if matches!(cell.to_ascii_lowercase().trim_start_matches(['+', '-']), "inf" | "infinity" | "1e999") => {
            ("is not a finite number", "fill it in, or name it as a mark of missing values")
        }
        _ if scan(cell.as_bytes()).is_some_and(|found| found.mark == 0 || found.exponent.is_some()) => {
            ("is beyond the numbers of 64 bits, or has no unit as the others", "correct it")
        }
        _ if scan(cell.as_bytes()).is_some() => {
            ("has a decimal mark or a thousands separator unlike the others", "write all numbers of the column alike")
        }
        _ if affixes(cell).is_some_and(|(prefix, suffix)| !(prefix.is_empty() && suffix.is_empty())) => {
            ("has a unit or a currency unlike the others", "write all numbers of the column alike")
        }
        _ if split(cell).is_some() => ("is a date", "correct it, or make the column categorical"),
        _ if holds_delimiter(cell) => ("holds another delimiter", "name the delimiter of the file"),
        _ => ("is text", CURE),
    };
    (format!("`{}` {what} in {column}", shown(cell)), cure)
}

/// What is wrong with a number that a column of whole numbers cannot have, and the cure: where the kind of the column `is_known`, it
/// stays.
pub(crate) fn not_whole(cell: &str, why: &str, is_known: bool) -> String {
    let cure = if is_known { "correct the cell" } else { "make the column continuous, or correct the cell" };
    format!("`{}` {why} in a column of whole numbers; {cure}", shown(cell))
}

/// What helps against a text among values.
const CURE: &str = "correct it, name it as a mark of missing values, or make the column categorical";

/// Whether a cell is numbers with a delimiter between.
fn holds_delimiter(cell: &str) -> bool {
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
            ("", Kind::Continuous, "is empty"),
            ("1.5", Kind::Integer, "is not whole"),
            ("05.01.2024", Kind::Date, "another way"),
            ("17", Kind::Date, "is a number in a column of dates"),
            ("maybe", Kind::Boolean, "is text in a column of two values"),
        ] {
            let text = complaint(cell, kind);
            assert!(text.contains(part) && text.contains("; "), "{text}");
        }
    }
}
