//! What a caller should tell its user about how a table was read.

use std::fmt;

use crate::cure::{Cure, Setting, SettingNames};
use crate::date_format::DateUnit;
use crate::date_parts::is_impossible_day;
use crate::kind::Kind;
use crate::text::{listed, shown};
use gannet::internals::numbers::counted;

/// Something that was assumed or left out. It is shown by [`Display`](fmt::Display), one line that says how to change it by the functions of
/// [`ReadOptions`](crate::ReadOptions); [`told`](Self::told) names the settings in another way.
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
    /// No line has the delimiter that the caller asked for.
    NoDelimiter {
        /// The name of that.
        asked: String,
        /// The name of the one that lines have.
        found: String,
    },
    /// The header was told from rows by what follows it, and may be a row.
    NumericHeader(Vec<String>),
    /// The first line has names although rows could be like it: no other row has a cell of it.
    HeaderAssumed,
    /// The first line has counts of rows and columns, and was left out.
    CountLine,
    /// Lines above the table, such as a title, that were left out.
    LinesAbove {
        /// How many.
        lines: usize,
        /// Their cells.
        texts: Vec<String>,
        /// Whether they may be the names of columns, as a caller may say.
        may_be_names: bool,
        /// Whether they may be rows, as a caller may say.
        may_be_row: bool,
    },
    /// Columns whose numbers have another decimal mark than the caller said.
    OtherDecimal {
        /// The columns.
        columns: Vec<String>,
        /// The mark that the caller said.
        mark: char,
    },
    /// A column of texts of which many look like dates.
    NoDates {
        /// The column.
        column: String,
        /// Texts that look like dates, each written in another way: one or two.
        examples: Vec<String>,
    },
    /// A column of months by name with a number beside them, such as `Mar-16`, that may be a year or a day.
    YearOrDay {
        /// The column.
        column: String,
        /// One of its texts.
        example: String,
        /// What it was read as: months of a year, or days without one; the column is one of texts where there is none.
        taken: Option<DateUnit>,
    },
    /// A column of texts of which many are several numbers in one cell.
    SeveralNumbers {
        /// The column.
        column: String,
        /// One of its texts.
        example: String,
    },
    /// A column of texts of which many are numbers.
    HalfNumbers {
        /// The column.
        column: String,
        /// Cells that are numbers.
        numbers: u64,
        /// Cells that have a value.
        cells: u64,
        /// One that is no number.
        example: String,
    },
    /// A column of texts of which many are dates that are written alike.
    HalfDates {
        /// The column.
        column: String,
        /// Cells that are dates.
        dates: u64,
        /// Cells that have a value.
        cells: u64,
        /// The most frequent that is no date.
        example: String,
    },
    /// A column of different texts that begin with numbers and are left out.
    NumberedTexts {
        /// The column.
        column: String,
        /// One of its texts.
        example: String,
    },
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
        /// How many could have been kept.
        most: usize,
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
    /// A column of whole numbers beyond 2^63, which are kept to 15 digits.
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
        formatter.write_str(&self.told(SettingNames::default()))
    }
}

const HEADER: &[Cure] = &[("say that there is no header", Some(Setting::Header(false)))];

impl Note {
    /// What it says, on one line, with the names that its reader has for settings.
    pub fn told(&self, names: SettingNames) -> String {
        match self {
            Self::Encoding(name) => {
                let cure = names.behind(&[("name the encoding", Some(Setting::Encoding))], " if it is another");
                format!("the bytes are not UTF-8, so they were read as {name}{cure}")
            }
            Self::CommaInOneColumn { as_one_column: true } => {
                let cure = names.behind(&[("name the comma", Some(Setting::Delimiter))], " if these are two columns");
                format!("read as one column of numbers with a decimal comma{cure}")
            }
            Self::CommaInOneColumn { as_one_column: false } => {
                let cure = names.behind(&[("name the comma", Some(Setting::Decimal))], " if it is one column");
                format!("read as two columns of whole numbers between commas{cure}")
            }
            Self::NumericHeader(texts) => format!(
                "the first line was taken as names ({}), since the numbers below are others{}",
                listed(texts),
                names.behind(HEADER, " if it is a row")
            ),
            Self::HeaderAssumed => {
                format!("the first line was taken as names{}", names.behind(HEADER, " if it is a row"))
            }
            Self::NoDelimiter { asked, found } => {
                let cures = [("correct it", Some(Setting::Delimiter)), ("leave it out", None)];
                let told = format!("no line has the delimiter that was asked for ({asked})");
                format!("{told}; the file seems to have another ({found}); {}", names.cures(&cures))
            }
            Self::CountLine => "the first line has the numbers of rows and columns, and was left out".to_string(),
            Self::LinesAbove { lines, texts, may_be_names, may_be_row } => {
                let (were, as_rows) =
                    if *lines == 1 { ("was", "read it as a row") } else { ("were", "read them as rows") };
                let readings = [
                    (*may_be_names, ("read it as the header", Some(Setting::Header(true)))),
                    (*may_be_row, (as_rows, Some(Setting::Header(false)))),
                ];
                let cures: Vec<Cure> =
                    readings.into_iter().filter_map(|(may_be, cure)| may_be.then_some(cure)).collect();
                let lines = counted(*lines as u64, "line");
                format!("{lines} above the table {were} left out ({}){}", listed(texts), names.behind(&cures, ""))
            }
            Self::Lines { comments, blanks } => {
                let part = |count: u64, what: &str| (count > 0).then(|| counted(count, what));
                let parts: Vec<String> =
                    [part(*comments, "comment line"), part(*blanks, "blank row")].into_iter().flatten().collect();
                format!("left out: {}", parts.join(", "))
            }
            Self::ByPosition => "columns are matched by position, since they have no names".to_string(),
            Self::Units(units) => format!("the second line was taken as units ({}), not as a row", listed(units)),
            Self::RowNames(column) => format!(
                "the first column (`{}`) has the names of rows, and is left out; new rows are counted",
                shown(column)
            ),
            Self::OtherDecimal { columns, mark } => {
                let (found, told) = if *mark == ',' { ("point", "comma") } else { ("comma", "point") };
                let cure =
                    names.behind(&[("correct the mark", Some(Setting::Decimal)), ("correct the cells", None)], "");
                let plural = if columns.len() == 1 { "" } else { "s" };
                format!(
                    "the numbers of column{plural} {} have a decimal {found}, and were read so, although a decimal {told} was asked for{cure}",
                    listed(columns)
                )
            }
            _ => format!("column `{}`: {}", shown(self.column()), self.of_column(names)),
        }
    }

    /// The column that it is about; nothing where it is about the table.
    fn column(&self) -> &str {
        match self {
            Self::Missing { column, .. }
            | Self::LeftOut { column, .. }
            | Self::Rest { column, .. }
            | Self::DayOrder { column, .. }
            | Self::Thousands { column, .. }
            | Self::NoDates { column, .. }
            | Self::YearOrDay { column, .. }
            | Self::SeveralNumbers { column, .. }
            | Self::HalfNumbers { column, .. }
            | Self::HalfDates { column, .. }
            | Self::NumberedTexts { column, .. }
            | Self::Digits(column)
            | Self::Unknown { column, .. }
            | Self::Differs { column, .. } => column,
            _ => "",
        }
    }

    /// What it says of its column.
    fn of_column(&self, names: SettingNames) -> String {
        match self {
            Self::Missing { mark, count, rows, .. } => {
                let mark = if mark.is_empty() { "an empty cell".to_string() } else { format!("`{}`", shown(mark)) };
                format!("{mark} means a missing value, in {count} of {}", counted(*rows, "row"))
            }
            Self::LeftOut { reason, .. } => format!("left out: {reason}"),
            Self::Rest { kept, cells, most, .. } => {
                let kept_values = match (kept, kept < most) {
                    (1, _) => "the most frequent value is kept".to_string(),
                    (kept, true) => format!("the {kept} values that come more than once are kept"),
                    (kept, false) => format!("the {kept} most frequent values are kept"),
                };
                let others = if *cells == 1 {
                    "1 cell with another becomes".to_string()
                } else {
                    format!("{cells} cells with others become")
                };
                let more: &[Cure] = if kept < most { &[] } else { &[("keep more", Some(Setting::Categories))] };
                format!("{kept_values}, and {others} one more{}", names.behind(more, ""))
            }
            Self::DayOrder { day_first, .. } => {
                let order = if *day_first { "day before month" } else { "month before day" };
                format!("dates were read as {order}; write them as 2024-12-31 if not")
            }
            Self::Thousands { mark, is_decimal, .. } => {
                let meaning = if *is_decimal { "the decimal mark" } else { "a thousands separator" };
                let cure = names.behind(&[("set the decimal mark", Some(Setting::Decimal))], " if it is not");
                format!("`{mark}` was read as {meaning}{cure}")
            }
            Self::NoDates { examples, .. } => {
                let what = match examples.as_slice() {
                    [_] => "texts like dates, such as",
                    _ => "dates that are not written alike, such as",
                };
                format!(
                    "{what} {}, are not read as dates; write all as 2024-12-31, or as 2024-12-31 23:59:59 in one time zone",
                    listed(examples)
                )
            }
            Self::YearOrDay { example, taken: Some(DateUnit::Day), .. } => {
                format!("`{}` was read as a day; write months as 2024-12 if it is a month of a year", shown(example))
            }
            Self::YearOrDay { example, taken: Some(_), .. } => {
                format!("`{}` was read as a month of a year; write dates as 2024-12-31 if it is a day", shown(example))
            }
            Self::YearOrDay { example, taken: None, .. } => {
                let cures = [
                    ("read it as a month of a year", Some(Setting::Kind(Kind::Date))),
                    ("write days as 2024-12-31", None),
                ];
                format!("`{}` may be a month of a year or a day, and is text; {}", shown(example), names.cures(&cures))
            }
            Self::SeveralNumbers { example, .. } => {
                format!(
                    "cells with several numbers, such as `{}`, are texts; give each number its column",
                    shown(example)
                )
            }
            Self::HalfNumbers { numbers, cells, example, .. } => {
                let most = if 2 * numbers > *cells { "most cells are numbers" } else { "many cells are numbers" };
                let cures = [
                    ("write all as numbers, such as -5.25", None),
                    ("name marks of missing values", Some(Setting::Missing)),
                ];
                format!(
                    "{most} ({numbers} of {cells}), but others are not, such as `{}`, so the column is none of numbers; {}",
                    shown(example),
                    names.cures(&cures)
                )
            }
            Self::HalfDates { dates, cells, example, .. } => {
                let cures =
                    [("write all as 2024-12-31", None), ("name marks of missing values", Some(Setting::Missing))];
                format!(
                    "many cells are dates ({dates} of {cells}), but others are not, such as `{}`{}, so the column is none of dates; {}",
                    shown(example),
                    if is_impossible_day(example) { ", which is no day of the calendar" } else { "" },
                    names.cures(&cures)
                )
            }
            Self::NumberedTexts { example, .. } => {
                let cures =
                    [("write them as numbers, such as -5.25", None), ("leave the column out", Some(Setting::Drop))];
                format!(
                    "texts that begin with numbers, such as `{}`, are not read as numbers, and are not learned; {}",
                    shown(example),
                    names.cures(&cures)
                )
            }
            Self::Digits(_) => {
                let cure = [("make it categorical", Some(Setting::Kind(Kind::Categorical)))];
                let cure = names.behind(&cure, " if they are codes");
                format!("whole numbers beyond 2^63 keep their first 15 digits{cure}")
            }
            Self::Unknown { cells, .. } => {
                let what =
                    if *cells == 1 { "cell has a value that is none" } else { "cells have values that are none" };
                format!("{cells} {what} of the known categories")
            }
            Self::Differs { constant, cells, .. } => {
                let what = if *cells == 1 { "cell is" } else { "cells are" };
                format!("{cells} {what} not `{}`, which it was in all rows that were learned", shown(constant))
            }
            _ => String::new(),
        }
    }
}
