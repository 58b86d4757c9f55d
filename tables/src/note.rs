//! What a caller should tell its user about how a table was read.

use std::fmt;

use crate::text::{listed, shown};

/// Something that was assumed or left out. It is shown by [`Display`](fmt::Display), one line that says how to change it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// The bytes are no UTF-8, and were read in this encoding.
    Encoding(String),
    /// The table may be one column of numbers with a decimal comma, or two columns; which was assumed.
    CommaInOneColumn {
        /// Whether it was read as one column.
        as_one_column: bool,
    },
    /// The header was told from rows by what follows it, and may be a row.
    NumericHeader(Vec<String>),
    /// The first line has names although rows could be like it: no other row has a cell of it.
    HeaderAssumed,
    /// The first line has counts of rows and columns, and was left out.
    CountLine,
    /// The second line has units, and is no row.
    Units(Vec<String>),
    /// The first column has the names or numbers of rows.
    RowNames(String),
    /// Cells of a column that stand for missing values.
    Missing {
        /// The column.
        column: String,
        /// The text that stands for them.
        mark: String,
        /// How many there are.
        count: u64,
        /// How many rows there are.
        rows: u64,
    },
    /// A column that is not learned.
    LeftOut {
        /// The column.
        column: String,
        /// Why, and what is written instead.
        reason: String,
    },
    /// A column whose rare categories became the rest.
    Rest {
        /// The column.
        column: String,
        /// Categories that were kept.
        kept: usize,
        /// Cells of others.
        cells: u64,
    },
    /// A column whose days and months may be exchanged.
    DayOrder {
        /// The column.
        column: String,
        /// Whether the day was taken to come first.
        day_first: bool,
    },
    /// A column whose commas or points may be decimal marks or stand between thousands.
    Thousands {
        /// The column.
        column: String,
        /// The mark.
        mark: char,
        /// Whether it was taken as the decimal mark.
        is_decimal: bool,
    },
    /// A column of whole numbers beyond 64 bits, which are kept to 15 digits.
    Digits(String),
    /// Lines that were left out.
    Lines {
        /// Comments.
        comments: u64,
        /// Rows of empty cells.
        blanks: u64,
    },
    /// Cells of a column that are none of the categories that are known; they became the rest.
    Unknown {
        /// The column.
        column: String,
        /// How many there are.
        cells: u64,
    },
    /// A column that is constant in the form that a table was read as, and is not in the table.
    Differs {
        /// The column.
        column: String,
        /// The constant.
        constant: String,
        /// Cells that are not that.
        cells: u64,
    },
    /// Columns were matched by their places, since there are no names.
    ByPosition,
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding(name) => {
                write!(formatter, "the bytes are not UTF-8, so they were read as {name}; name the encoding if it is another")
            }
            Self::CommaInOneColumn { as_one_column: true } => formatter.write_str(
                "read as one column of numbers with a decimal comma; name the delimiter comma if these are two columns",
            ),
            Self::CommaInOneColumn { as_one_column: false } => formatter.write_str(
                "read as two columns of whole numbers between commas; set the decimal mark to a comma if it is one column",
            ),
            Self::NumericHeader(names) => write!(
                formatter,
                "the first line was taken as names ({}), since the numbers below are others; say that there is no header if it is a row",
                listed(names)
            ),
            Self::HeaderAssumed => formatter.write_str(
                "the first line was taken as names; say that there is no header if it is a row",
            ),
            Self::CountLine => {
                formatter.write_str("the first line has the numbers of rows and columns, and was left out")
            }
            Self::Units(units) => {
                write!(formatter, "the second line was taken as units ({}), not as a row", listed(units))
            }
            Self::RowNames(column) => {
                write!(formatter, "the first column (`{}`) has the names of rows, and is left out; new rows are counted", shown(column))
            }
            Self::Missing { column, mark, count, rows } => {
                let mark = if mark.is_empty() { "an empty cell".to_string() } else { format!("`{}`", shown(mark)) };
                write!(
                    formatter,
                    "column `{}`: {mark} means a missing value, in {count} of {rows} rows",
                    shown(column)
                )
            }
            Self::LeftOut { column, reason } => write!(formatter, "column `{}` is left out: {reason}", shown(column)),
            Self::Rest { column, kept, cells } => write!(
                formatter,
                "column `{}`: the {kept} most frequent values are kept, and {cells} cells with others become one more",
                shown(column)
            ),
            Self::DayOrder { column, day_first } => {
                let order = if *day_first { "day before month" } else { "month before day" };
                write!(formatter, "column `{}`: dates were read as {order}; write them as 2024-12-31 if not", shown(column))
            }
            Self::Thousands { column, mark, is_decimal } => {
                let meaning = if *is_decimal { "the decimal mark" } else { "a thousands separator" };
                write!(
                    formatter,
                    "column `{}`: `{mark}` was read as {meaning}; set the decimal mark if it is not",
                    shown(column)
                )
            }
            Self::Digits(column) => write!(
                formatter,
                "column `{}`: whole numbers beyond 64 bits keep their first 15 digits; make it categorical if they are codes",
                shown(column)
            ),
            Self::Lines { comments, blanks } => {
                let part = |count: u64, what: &str| match count {
                    0 => None,
                    1 => Some(format!("1 {what}")),
                    count => Some(format!("{count} {what}s")),
                };
                let parts: Vec<String> =
                    [part(*comments, "comment line"), part(*blanks, "blank row")].into_iter().flatten().collect();
                write!(formatter, "left out: {}", parts.join(", "))
            }
            Self::Unknown { column, cells } => write!(
                formatter,
                "column `{}`: {cells} {} of the known categories",
                shown(column),
                if *cells == 1 { "cell has a value that is none" } else { "cells have values that are none" }
            ),
            Self::Differs { column, constant, cells } => write!(
                formatter,
                "column `{}`: {cells} cells are not `{}`, which it was in all rows that were learned",
                shown(column),
                shown(constant)
            ),
            Self::ByPosition => formatter.write_str("columns are matched by position, since they have no names"),
        }
    }
}
