//! How the dates of a column are written, and what their whole numbers count.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::calendar::{MAX_DAY, MIN_DAY, days};

/// How the dates of a column are written, to their last character.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DateFormat {
    /// The day or month; none for times of a day, and for durations.
    pub day: Option<DayFormat>,
    /// What stands behind the day, before any time: `T`, or spaces; `日` of `2024年5月31日`.
    pub between: String,
    /// The time of the day; none for dates alone.
    pub time: Option<TimeFormat>,
    /// The time zone, which all share, as it is written: `Z`, `+01:00`, ` UTC`.
    pub zone: String,
}

/// The order of year, month and day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DayOrder {
    /// As in `2024-05-31`.
    YearMonthDay,
    /// As in `31.5.2024`.
    DayMonthYear,
    /// As in `5/31/2024`.
    MonthDayYear,
    /// As in `2024-05`, without a day.
    YearMonth,
    /// As in `May-24` or `5/2024`, without a day.
    MonthYear,
    /// As in `May 31`, without a year.
    MonthDay,
    /// As in `31 May`, without a year.
    DayMonth,
}

impl DayOrder {
    /// Whether it is of days without a year.
    fn is_without_year(self) -> bool {
        matches!(self, Self::MonthDay | Self::DayMonth)
    }
}

/// How months are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MonthStyle {
    /// `5`
    Number,
    /// `May`, three letters
    Short,
    /// `january`, in full
    Long,
}

/// How letters are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LetterCase {
    /// `May`
    Title,
    /// `MAY`
    Upper,
    /// `may`
    Lower,
}

/// How a day is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DayFormat {
    /// What comes first.
    pub order: DayOrder,
    /// What stands between its parts.
    pub separators: [String; 2],
    /// How months are written.
    pub month: MonthStyle,
    /// The letters of months.
    pub letters: LetterCase,
    /// Whether days and months have two digits.
    pub is_padded: bool,
    /// Whether years have two digits; those from 69 up are of the 20th century, as POSIX has it.
    pub is_short_year: bool,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TimeFormat {
    /// Whether it has seconds.
    pub has_seconds: bool,
    /// Fewest and most decimals of the seconds.
    pub decimals: [u8; 2],
    /// Whether hours have two digits.
    pub is_padded: bool,
    /// How `AM` and `PM` are written, if they are.
    pub half: Option<HalfFormat>,
    /// Whether it is a duration, whose hours do not end with the day: `26:15:00`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_duration: bool,
}

/// What is false is not stored: forms that were written before there were durations are the same.
fn is_false(value: &bool) -> bool {
    !*value
}

/// How `AM` and `PM` are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HalfFormat {
    /// Whether a space stands before it.
    pub has_space: bool,
    /// Whether it is in capitals.
    pub is_upper: bool,
}

/// Most decimals of a second: nanoseconds.
pub(crate) const MAX_FRACTION: u8 = 9;
/// Most digits of the hours of a duration.
pub(crate) const MAX_HOUR_DIGITS: usize = 5;
/// The year of days that have none: the first leap year from 1970 on, so that it has all of them.
pub(crate) const YEARLESS: i64 = 1972;
/// The years that four digits can mean, and two.
const YEARS: [i64; 2] = [1, 9999];
const SHORT_YEARS: [i64; 2] = [1969, 2068];

/// What the whole numbers of a column of dates count, from the beginning of 1970, or from midnight for times of a day.
/// Days without a year are those of 1972; durations count from nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DateUnit {
    /// Months.
    Month,
    /// Days.
    Day,
    /// Minutes.
    Minute,
    /// The last of so many decimals of a second: 0 counts seconds, 3 milliseconds.
    Second(u8),
}

/// Its plural: `days`, `10^-3 seconds`.
impl fmt::Display for DateUnit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Month => formatter.write_str("months"),
            Self::Day => formatter.write_str("days"),
            Self::Minute => formatter.write_str("minutes"),
            Self::Second(0) => formatter.write_str("seconds"),
            Self::Second(decimals) => write!(formatter, "10^-{decimals} seconds"),
        }
    }
}

impl DateUnit {
    /// Units in a day; none where a unit is longer.
    pub(crate) fn per_day(self) -> Option<i64> {
        match self {
            Self::Month => None,
            Self::Day => Some(1),
            Self::Minute => Some(1440),
            Self::Second(decimals) => Some(86_400 * 10i64.pow(u32::from(decimals.min(MAX_FRACTION)))),
        }
    }
}

impl DateFormat {
    /// Dates as `2024-05-31`; with so many decimals of a second, as `2024-05-31 12:00:00.000`.
    pub fn iso(decimals: Option<u8>) -> Self {
        let day = DayFormat {
            order: DayOrder::YearMonthDay,
            separators: ["-".to_string(), "-".to_string()],
            month: MonthStyle::Number,
            letters: LetterCase::Title,
            is_padded: true,
            is_short_year: false,
        };
        let time = decimals.map(|decimals| TimeFormat {
            has_seconds: true,
            decimals: [decimals.min(MAX_FRACTION); 2],
            is_padded: true,
            half: None,
            is_duration: false,
        });
        let between = if time.is_some() { " ".to_string() } else { String::new() };
        Self { day: Some(day), between, time, zone: String::new() }
    }

    /// Whether it is that of durations.
    pub fn is_duration(&self) -> bool {
        self.day.is_none() && self.time.is_some_and(|time| time.is_duration)
    }

    /// Whether its whole numbers mean the same as those of `other`: they count the same from the same beginning.
    pub(crate) fn counts_as(&self, other: &Self) -> bool {
        let beginning =
            |format: &Self| (format.is_duration(), format.day.as_ref().map(|day| day.order.is_without_year()));
        self.unit() == other.unit() && beginning(self) == beginning(other)
    }

    /// The least and the greatest whole number that it can write.
    pub(crate) fn bounds(&self) -> [i64; 2] {
        let is_short_year = self.day.as_ref().is_some_and(|day| day.is_short_year);
        let Some(per_day) = self.unit().per_day() else {
            let [first, last] = if is_short_year { SHORT_YEARS } else { YEARS };
            return [12 * (first - 1970), 12 * (last - 1970) + 11];
        };
        let [first, last] = match &self.day {
            None if self.is_duration() => return [0, per_day / 24 * 10i64.pow(MAX_HOUR_DIGITS as u32) - 1],
            None => [0, 0],
            Some(day) if day.order.is_without_year() => [days(YEARLESS, 1, 1), days(YEARLESS, 12, 31)],
            Some(_) if is_short_year => [days(SHORT_YEARS[0], 1, 1), days(SHORT_YEARS[1], 12, 31)],
            Some(_) => [MIN_DAY, MAX_DAY],
        };
        [first.saturating_mul(per_day), (last + 1).saturating_mul(per_day).saturating_sub(1)]
    }

    /// What its whole numbers count.
    pub fn unit(&self) -> DateUnit {
        match (&self.day, &self.time) {
            (Some(day), None) if matches!(day.order, DayOrder::YearMonth | DayOrder::MonthYear) => DateUnit::Month,
            (_, None) => DateUnit::Day,
            (_, Some(time)) if !time.has_seconds => DateUnit::Minute,
            (_, Some(time)) => DateUnit::Second(time.decimals[1].min(MAX_FRACTION)),
        }
    }
}

/// The months in English.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
