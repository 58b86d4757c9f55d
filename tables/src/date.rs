//! Dates and times from their cells: the whole numbers that they become.

use crate::calendar::{days, is_valid};
use crate::date_format::{DateFormat, DateUnit, DayOrder, MonthStyle};
use crate::date_parts::{Parts, split};

impl DateFormat {
    /// The date in a cell as a whole number of [`unit`](Self::unit)s; `None` where it is none in this format.
    pub fn read(&self, cell: &[u8]) -> Option<i64> {
        if let Some(value) = self.read_plain(cell) {
            return Some(value);
        }
        let cell = std::str::from_utf8(cell).ok()?;
        let parts = split(cell)?;
        self.is_of(&parts).then(|| self.value(&parts)).flatten()
    }

    /// The date in a cell as `2024-05-31`, where that is the format: most are, and this is the short way.
    pub(crate) fn read_plain(&self, cell: &[u8]) -> Option<i64> {
        let day =
            self.day.as_ref().filter(|_| self.time.is_none() && self.zone.is_empty() && self.between.is_empty())?;
        let is_plain = day.order == DayOrder::YearMonthDay && day.month == MonthStyle::Number && !day.is_short_year;
        let ([first], [second]) = (day.separators[0].as_bytes(), day.separators[1].as_bytes()) else { return None };
        let &[a, b, c, d, one, e, f, two, g, h] = cell else { return None };
        if !is_plain || one != *first || two != *second || ![a, b, c, d, e, f, g, h].iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = |digits: &[u8]| digits.iter().fold(0, |number, digit| 10 * number + u32::from(digit - b'0'));
        let (year, month, day) = (i64::from(number(&[a, b, c, d])), number(&[e, f]), number(&[g, h]));
        (year > 0 && is_valid(year, month, day)).then(|| days(year, month, day))
    }

    /// Whether a cell of these parts is written in this format, but for the numbers of digits.
    pub(crate) fn is_of(&self, parts: &Parts<'_>) -> bool {
        let is_day = match (&self.day, &parts.day) {
            (None, None) => true,
            (Some(format), Some(day)) => {
                format.separators.iter().map(String::as_str).eq(day.separators)
                    && day.month_styles().any(|style| format.month == style)
                    && (format.month == MonthStyle::Number || format.letters == day.letters)
                    && day.reads_as(format.order, format.is_short_year)
            }
            _ => false,
        };
        let is_time = match (self.time, parts.time) {
            (None, None) => true,
            (Some(format), Some(time)) => {
                format.has_seconds == time.second.is_some()
                    && format.half == time.half_format
                    && (format.is_duration || time.is_of_day())
            }
            _ => false,
        };
        is_day && is_time && self.between == parts.between && self.zone == parts.zone
    }

    /// The number that the parts of a date of this format are.
    fn value(&self, parts: &Parts<'_>) -> Option<i64> {
        let unit = self.unit();
        let day = match (&self.day, &parts.day) {
            (Some(format), Some(day)) => {
                let (year, month, day) = day.read(format.order, format.is_short_year)?;
                if unit == DateUnit::Month {
                    return Some(12 * (year - 1970) + i64::from(month) - 1);
                }
                days(year, month, day)
            }
            _ => 0,
        };
        let time = match (parts.time, unit) {
            (None, _) => 0,
            (Some(time), DateUnit::Minute) => time.minutes(),
            (Some(time), DateUnit::Second(decimals)) => time.fractions(decimals)?,
            (Some(_), _) => return None,
        };
        unit.per_day()?.checked_mul(day)?.checked_add(time)
    }
}
