//! The parts of a date or time in a cell, before anybody knows which of them is the month.

use crate::calendar::is_valid;
use crate::date_format::{
    DayOrder, HalfFormat, LetterCase, MAX_FRACTION, MAX_HOUR_DIGITS, MONTHS, MonthStyle, YEARLESS,
};

/// The parts of a cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) day: Option<DayParts<'a>>,
    pub(crate) between: &'a str,
    pub(crate) time: Option<TimeParts>,
    pub(crate) zone: &'a str,
}

/// The parts of a day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DayParts<'a> {
    /// Two or three numbers, with their numbers of digits; a month by name is its number.
    fields: [(u32, usize); 3],
    count: usize,
    /// Which of them is a month by name.
    named: Option<usize>,
    pub(crate) month_style: MonthStyle,
    /// Whether the name is May, which is in full and short.
    is_may: bool,
    pub(crate) letters: LetterCase,
    pub(crate) separators: [&'a str; 2],
}

/// The parts of a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeParts {
    hour: u32,
    minute: u32,
    pub(crate) second: Option<u32>,
    nanoseconds: u32,
    /// Decimals of the seconds.
    pub(crate) decimals: u8,
    pub(crate) half_format: Option<HalfFormat>,
    is_afternoon: bool,
    /// Digits of the hour.
    pub(crate) hour_digits: usize,
}

/// What stands behind a year, a month and a day in Chinese, Japanese and Korean.
const YEAR_MARKS: [char; 2] = ['年', '년'];
const MONTH_MARKS: [char; 2] = ['月', '월'];
const DAY_MARKS: [char; 2] = ['日', '일'];

/// The month whose name is as short as others are in short.
const MAY: u32 = 5;

/// The orders in which parts may come, most usual first where nothing decides.
const ORDERS: [DayOrder; 7] = [
    DayOrder::YearMonthDay,
    DayOrder::DayMonthYear,
    DayOrder::MonthDayYear,
    DayOrder::YearMonth,
    DayOrder::MonthYear,
    DayOrder::MonthDay,
    DayOrder::DayMonth,
];

impl DayParts<'_> {
    /// The orders in which the parts are a date, and whether their year then has two digits.
    pub(crate) fn orders(&self) -> impl Iterator<Item = (DayOrder, bool)> + '_ {
        let all = ORDERS.into_iter().flat_map(|order| [(order, false), (order, true)]);
        all.filter(|&(order, short)| self.reads_as(order, short))
    }

    /// Whether the parts are a date in this order.
    pub(crate) fn reads_as(&self, order: DayOrder, is_short_year: bool) -> bool {
        self.read(order, is_short_year).is_some()
    }

    /// Year, month and day in this order.
    pub(crate) fn read(&self, order: DayOrder, is_short_year: bool) -> Option<(i64, u32, u32)> {
        let (year, month, day) = match order {
            DayOrder::YearMonthDay => (Some(0), 1, Some(2)),
            DayOrder::DayMonthYear => (Some(2), 1, Some(0)),
            DayOrder::MonthDayYear => (Some(2), 0, Some(1)),
            DayOrder::YearMonth => (Some(0), 1, None),
            DayOrder::MonthYear => (Some(1), 0, None),
            DayOrder::MonthDay => (None, 0, Some(1)),
            DayOrder::DayMonth => (None, 1, Some(0)),
        };
        let count = 1 + usize::from(year.is_some()) + usize::from(day.is_some());
        let is_marked_otherwise = self.has_marks() && year != Some(0);
        if self.count != count || is_marked_otherwise || self.named.is_some_and(|named| named != month) {
            return None;
        }
        // Two short numbers, such as `3/16`, are too much else, and so is `MAR1`.
        let needs_name = year.is_none() || (order == DayOrder::MonthYear && is_short_year);
        let digits = |index: usize| self.fields[index].1;
        if needs_name && (self.named.is_none() || self.separators[0].is_empty()) || digits(month) > 2 {
            return None;
        }
        let year = match year {
            None if is_short_year => return None,
            None => YEARLESS,
            Some(index) if digits(index) != if is_short_year { 2 } else { 4 } => return None,
            Some(index) => match i64::from(self.fields[index].0) {
                short if is_short_year && short < 69 => 2000 + short,
                short if is_short_year => 1900 + short,
                year => year,
            },
        };
        let day = match day {
            None => 1,
            Some(index) if digits(index) <= 2 => self.fields[index].0,
            Some(_) => return None,
        };
        let month = self.fields[month].0;
        ((1..=9999).contains(&year) && is_valid(year, month, day)).then_some((year, month, day))
    }

    /// The styles in which the month may be written.
    pub(crate) fn month_styles(&self) -> impl Iterator<Item = MonthStyle> + use<> {
        std::iter::once(self.month_style).chain(self.is_may.then_some(MonthStyle::Long))
    }

    /// Whether signs tell what the parts are, as in `2024年5月31日`.
    fn has_marks(&self) -> bool {
        self.separators[0].starts_with(YEAR_MARKS)
    }

    /// What follows the sign behind the last part.
    fn behind_mark<'a>(&self, rest: &'a str) -> &'a str {
        let marks = if self.count == 3 { DAY_MARKS } else { MONTH_MARKS };
        rest.strip_prefix(marks).filter(|_| self.has_marks()).unwrap_or(rest)
    }

    /// Whether a day or a month has a single digit.
    pub(crate) fn has_single_digit(&self) -> bool {
        self.fields.iter().take(self.count).enumerate().any(|(index, field)| field.1 == 1 && self.named != Some(index))
    }

    /// Whether a day or a month begins with a zero.
    pub(crate) fn has_leading_zero(&self) -> bool {
        let fields = self.fields.iter().take(self.count).enumerate();
        fields.filter(|(index, _)| self.named != Some(*index)).any(|(_, field)| field.1 == 2 && field.0 < 10)
    }
}

impl TimeParts {
    /// Whether the hour begins with a zero.
    pub(crate) fn is_zero_led(self) -> bool {
        self.hour < 10
    }

    /// Whether it is a time of the day, and no longer duration.
    pub(crate) fn is_of_day(self) -> bool {
        self.hour < 24
    }

    /// Minutes since midnight.
    pub(crate) fn minutes(self) -> i64 {
        let hour = match (self.half_format, self.is_afternoon) {
            (None, _) => self.hour,
            (Some(_), is_afternoon) => self.hour % 12 + if is_afternoon { 12 } else { 0 },
        };
        i64::from(60 * hour + self.minute)
    }

    /// Units of the last of `decimals` decimals of a second since midnight; `None` where it has more decimals.
    pub(crate) fn fractions(self, decimals: u8) -> Option<i64> {
        if self.decimals > decimals {
            return None;
        }
        let unit = 10i64.pow(u32::from(decimals.min(MAX_FRACTION)));
        let seconds = 60 * self.minutes() + i64::from(self.second.unwrap_or(0));
        Some(seconds * unit + i64::from(self.nanoseconds) * unit / 1_000_000_000)
    }
}

/// Most bytes of a date.
const LONGEST: usize = 64;

/// The parts of a cell that looks like a date, a time or duration, or both a date and a time.
pub(crate) fn split(cell: &str) -> Option<Parts<'_>> {
    if cell.len() > LONGEST {
        return None;
    }
    if let Some((time, zone)) = time(cell) {
        return Some(Parts { day: None, between: "", time: Some(time), zone });
    }
    let (day, rest) = day(cell)?;
    let behind = day.behind_mark(rest);
    if behind.is_empty() {
        return Some(Parts { day: Some(day), between: rest, time: None, zone: "" });
    }
    let after = behind.strip_prefix(['T', 't']).unwrap_or_else(|| behind.trim_start_matches([' ', ',']));
    let between = &rest[..rest.len() - after.len()];
    if between.is_empty() {
        return None;
    }
    let (time, zone) = time(after).filter(|(time, _)| time.is_of_day())?;
    Some(Parts { day: Some(day), between, time: Some(time), zone })
}

/// Names of months beside those that are read, in full and short, in small letters.
const OTHER_MONTHS: [&str; 44] = [
    "sept",
    "januar",
    "februar",
    "märz",
    "mrz",
    "mär",
    "mai",
    "juni",
    "juli",
    "oktober",
    "okt",
    "dezember",
    "dez",
    "janvier",
    "janv",
    "février",
    "févr",
    "mars",
    "avril",
    "avr",
    "juin",
    "juillet",
    "juil",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
    "déc",
    "enero",
    "ene",
    "febrero",
    "marzo",
    "abril",
    "abr",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "ago",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];

/// Whether a text looks like a date, whether it is read or not: a date, a time, or the name of a month beside a year or two numbers,
/// or the signs of both.
pub(crate) fn resembles_date(text: &str) -> bool {
    if split(text).is_some_and(|parts| parts.day.is_none_or(|day| day.orders().next().is_some())) {
        return true;
    }
    let is_month = |word: &str| {
        let small = word.to_lowercase();
        month(word).is_some() || OTHER_MONTHS.contains(&small.as_str())
    };
    let numbers = text.split(|letter: char| !letter.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let (count, has_year) = numbers.fold((0, false), |(count, has), digits| (count + 1, has || digits.len() == 4));
    let has_month = || {
        text.split(|letter: char| !letter.is_alphabetic()).any(is_month)
            || (text.contains(YEAR_MARKS) && text.contains(MONTH_MARKS))
    };
    text.len() <= LONGEST && (has_year || count > 1) && has_month()
}

/// Whether a text is written as a day that no calendar has, such as `31.02.2023` or `0000-00-00`.
pub(crate) fn is_impossible_day(text: &str) -> bool {
    let day = split(text).and_then(|parts| parts.day);
    day.is_some_and(|day| day.count == 3 && day.orders().next().is_none())
}

/// The digits that `text` begins with, at most `most`, and what follows.
fn digits(text: &str, most: usize) -> Option<((u32, usize), &str)> {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    if count == 0 || count > most {
        return None;
    }
    Some(((text[..count].parse().ok()?, count), &text[count..]))
}

/// What stands between the parts of a day: one sign or two.
const SEPARATORS: [char; 9] = ['-', '/', '.', ',', ' ', '年', '년', '月', '월'];

/// The day that `text` begins with, and what follows.
fn day(text: &str) -> Option<(DayParts<'_>, &str)> {
    let mut parts = DayParts {
        fields: [(0, 0); 3],
        count: 0,
        named: None,
        month_style: MonthStyle::Number,
        is_may: false,
        letters: LetterCase::Title,
        separators: [""; 2],
    };
    // 20240531
    if let Some(((number, 8), rest)) = digits(text, 8) {
        parts.fields = [(number / 10_000, 4), (number / 100 % 100, 2), (number % 100, 2)];
        parts.count = 3;
        return Some((parts, rest));
    }
    let mut rest = text;
    while parts.count < 3 {
        if let Some((field, after)) = digits(rest, 4) {
            parts.fields[parts.count] = field;
            rest = after;
        } else {
            if parts.named.is_some() {
                return None;
            }
            let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (month, style, letters) = month(&rest[..length])?;
            parts.fields[parts.count] = (month, 2);
            (parts.named, parts.month_style, parts.letters) = (Some(parts.count), style, letters);
            parts.is_may = month == MAY;
            rest = &rest[length..];
        }
        parts.count += 1;
        if parts.count == 3 {
            break;
        }
        let after = rest.trim_start_matches(SEPARATORS);
        let separator = &rest[..rest.len() - after.len()];
        // 05JAN2024 has none.
        let turns = |digit: Option<char>| digit.is_some_and(|digit| digit.is_ascii_digit());
        let is_turn = turns(rest.chars().next()) != turns(text[..text.len() - rest.len()].chars().next_back());
        // `Feb 5 12:30` has no year.
        let is_time = parts.count == 2 && parts.named.is_some() && time(after).is_some();
        if after.is_empty() || is_time || (separator.is_empty() && !is_turn) {
            break;
        }
        let other_marks = if parts.count == 1 { MONTH_MARKS } else { YEAR_MARKS };
        if separator.chars().count() > 2 || separator.contains(other_marks) {
            return None;
        }
        parts.separators[parts.count - 1] = separator;
        rest = after;
    }
    (parts.count >= 2).then_some((parts, rest))
}

/// The number of a month by its name, and how that is written.
fn month(name: &str) -> Option<(u32, MonthStyle, LetterCase)> {
    let place =
        MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name) || month[..3].eq_ignore_ascii_case(name))?;
    let style = if name.len() == 3 { MonthStyle::Short } else { MonthStyle::Long };
    let letters = if name.bytes().all(|letter| letter.is_ascii_uppercase()) {
        LetterCase::Upper
    } else if name.bytes().all(|letter| letter.is_ascii_lowercase()) {
        LetterCase::Lower
    } else {
        LetterCase::Title
    };
    Some((place as u32 + 1, style, letters))
}

/// The time or duration that is `text`, and its zone.
fn time(text: &str) -> Option<(TimeParts, &str)> {
    let ((hour, hour_digits), rest) = digits(text, MAX_HOUR_DIGITS)?;
    if hour_digits > 2 && text.starts_with('0') {
        return None;
    }
    let ((minute, 2), mut rest) = digits(rest.strip_prefix(':')?, 2)? else { return None };
    let mut parts = TimeParts {
        hour,
        minute,
        second: None,
        nanoseconds: 0,
        decimals: 0,
        half_format: None,
        is_afternoon: false,
        hour_digits,
    };
    if let Some(after) = rest.strip_prefix(':') {
        let ((second, 2), after) = digits(after, 2)? else { return None };
        parts.second = Some(second);
        rest = after;
        if let Some(after) = rest.strip_prefix('.') {
            let ((fraction, count), after) = digits(after, usize::from(MAX_FRACTION))?;
            parts.nanoseconds = fraction * 10u32.pow(u32::from(MAX_FRACTION) - count as u32);
            parts.decimals = count as u8;
            rest = after;
        }
    }
    let spaceless = rest.strip_prefix(' ').unwrap_or(rest);
    if let Some(half) = spaceless.get(..2).filter(|half| matches!(*half, "AM" | "PM" | "am" | "pm")) {
        let is_upper = half.starts_with(['A', 'P']);
        parts.half_format = Some(HalfFormat { has_space: rest.len() > spaceless.len(), is_upper });
        parts.is_afternoon = half.eq_ignore_ascii_case("pm");
        rest = &spaceless[2..];
    }
    let is_hour = match parts.half_format {
        Some(_) => (1..=12).contains(&hour),
        // A duration is in no zone.
        None => parts.is_of_day() || rest.is_empty(),
    };
    let is_time = is_hour && minute < 60 && parts.second.is_none_or(|second| second < 60);
    (is_time && is_zone(rest)).then_some((parts, rest))
}

/// Whether `text` is a time zone, or nothing: an offset, an abbreviation, or both as in `GMT+1`.
fn is_zone(text: &str) -> bool {
    let text = text.strip_prefix(' ').unwrap_or(text);
    let (name, offset) = text.split_at(text.find(['+', '-']).unwrap_or(text.len()));
    let is_universal = matches!(name, "UTC" | "GMT");
    let is_abbreviation = (3..=5).contains(&name.len()) && name.bytes().all(|letter| letter.is_ascii_uppercase());
    match offset.get(1..) {
        None => matches!(name, "" | "Z" | "z") || is_abbreviation,
        Some(offset) => (name.is_empty() || is_universal) && is_offset(offset, is_universal),
    }
}

/// Whether `text` is an offset of a time zone without its sign: `01:00`, `0100`, `01`; behind the name of universal time also `1`.
fn is_offset(text: &str, is_named: bool) -> bool {
    let is_hours = |text: &str| text.len() == 2 || (is_named && text.len() == 1);
    let (hours, minutes) = text.split_once(':').unwrap_or((text, ""));
    let is_long = match (text.len() > hours.len(), hours.len()) {
        (true, _) => is_hours(hours) && minutes.len() == 2,
        (false, length) => is_hours(hours) || length == 4,
    };
    is_long && hours.bytes().chain(minutes.bytes()).all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_no_calendar_has() {
        for text in ["31.02.2023", "0000-00-00", "2023-13-01", "2023-02-30 12:00"] {
            assert!(is_impossible_day(text), "{text}");
        }
        for text in ["2024-02-29", "31.12.2023", "12:30", "Feb 30", "present", ""] {
            assert!(!is_impossible_day(text), "{text}");
        }
    }

    #[test]
    fn what_looks_like_a_date() {
        for text in [
            "2024-01-05",
            "5. Januar 2024",
            "Mon, 5 Jan 2024",
            "1 Sept 2020",
            "12:30",
            "Jan 2024",
            "31/12/24",
            "May 5",
            "26:15:00",
        ] {
            assert!(resembles_date(text), "{text}");
        }
        let long = "x".repeat(100) + " May 5 2024";
        for text in ["", "5-10", "1.2.3", "192.168.1.1", "Marble 2000", "May", "Mars", long.as_str()] {
            assert!(!resembles_date(text), "{text}");
        }
    }
}
