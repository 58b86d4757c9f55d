//! Dates and times back into text, in the format of their column.

use crate::calendar::{civil, days};
use crate::date_format::{
    DateFormat, DateUnit, DayFormat, DayOrder, LetterCase, MAX_FRACTION, MONTHS, MonthStyle, TimeFormat,
};

/// A time of the day, or a duration.
#[derive(Clone, Copy)]
struct Clock {
    hour: u32,
    minute: u32,
    second: u32,
    /// Units of the last of `decimals` decimals of a second.
    fraction: u64,
    decimals: u8,
}

impl Clock {
    /// The time that is `value` units after midnight, or the duration of as many.
    fn of(value: i64, unit: DateUnit) -> Self {
        let (seconds, fraction, decimals) = match unit {
            DateUnit::Month | DateUnit::Day => (0, 0, 0),
            DateUnit::Minute => (value * 60, 0, 0),
            DateUnit::Second(decimals) => {
                let decimals = decimals.min(MAX_FRACTION);
                let unit = 10i64.pow(u32::from(decimals));
                (value / unit, (value % unit).unsigned_abs(), decimals)
            }
        };
        let seconds = seconds as u32;
        Self { hour: seconds / 3600, minute: seconds / 60 % 60, second: seconds % 60, fraction, decimals }
    }
}

impl DateFormat {
    /// Appends a date. One beyond those that the format can write becomes the nearest that it can.
    pub fn write(&self, value: i64, out: &mut Vec<u8>) {
        let unit = self.unit();
        let [first, last] = self.bounds();
        let value = value.clamp(first, last);
        let (day, time) = match unit.per_day() {
            Some(_) if self.is_duration() => (0, value),
            Some(per_day) => (value.div_euclid(per_day), value.rem_euclid(per_day)),
            None => (days(1970 + value.div_euclid(12), value.rem_euclid(12) as u32 + 1, 1), 0),
        };
        if let Some(format) = &self.day {
            format.write(day, out);
            out.extend_from_slice(self.between.as_bytes());
        }
        if let Some(format) = self.time {
            format.write(Clock::of(time, unit), out);
        }
        out.extend_from_slice(self.zone.as_bytes());
    }
}

impl DayFormat {
    fn write(&self, day: i64, out: &mut Vec<u8>) {
        let (year, month, day) = civil(day);
        let number = |value: u32, out: &mut Vec<u8>| padded(u64::from(value), if self.is_padded { 2 } else { 1 }, out);
        let year = |out: &mut Vec<u8>| {
            let (value, width) = if self.is_short_year { (year.rem_euclid(100), 2) } else { (year, 4) };
            padded(value.unsigned_abs(), width, out);
        };
        let month = |out: &mut Vec<u8>| {
            let name = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
            let name = match self.month {
                MonthStyle::Number => return number(month, out),
                MonthStyle::Short => &name[..3],
                MonthStyle::Long => name,
            };
            out.extend(name.bytes().map(|letter| match self.letters {
                LetterCase::Title => letter,
                LetterCase::Upper => letter.to_ascii_uppercase(),
                LetterCase::Lower => letter.to_ascii_lowercase(),
            }));
        };
        let between = |index: usize, out: &mut Vec<u8>| out.extend_from_slice(self.separators[index].as_bytes());
        match self.order {
            DayOrder::YearMonthDay => {
                year(out);
                between(0, out);
                month(out);
                between(1, out);
                number(day, out);
            }
            DayOrder::DayMonthYear => {
                number(day, out);
                between(0, out);
                month(out);
                between(1, out);
                year(out);
            }
            DayOrder::MonthDayYear => {
                month(out);
                between(0, out);
                number(day, out);
                between(1, out);
                year(out);
            }
            DayOrder::YearMonth => {
                year(out);
                between(0, out);
                month(out);
            }
            DayOrder::MonthYear => {
                month(out);
                between(0, out);
                year(out);
            }
            DayOrder::MonthDay => {
                month(out);
                between(0, out);
                number(day, out);
            }
            DayOrder::DayMonth => {
                number(day, out);
                between(0, out);
                month(out);
            }
        }
    }
}

impl TimeFormat {
    fn write(self, clock: Clock, out: &mut Vec<u8>) {
        let hour = match self.half {
            None => clock.hour,
            Some(_) => (clock.hour + 11) % 12 + 1,
        };
        padded(u64::from(hour), if self.is_padded { 2 } else { 1 }, out);
        out.push(b':');
        padded(u64::from(clock.minute), 2, out);
        if self.has_seconds {
            out.push(b':');
            padded(u64::from(clock.second), 2, out);
            let mut decimals = itoa::Buffer::new();
            let decimals = decimals.format(clock.fraction + 10u64.pow(u32::from(clock.decimals)));
            // The leading 1 kept the zeros.
            let decimals = &decimals[1..];
            let kept = decimals.trim_end_matches('0').len().max(usize::from(self.decimals[0]).min(decimals.len()));
            if kept > 0 {
                out.push(b'.');
                out.extend_from_slice(&decimals.as_bytes()[..kept]);
            }
        }
        if let Some(half) = self.half {
            if half.has_space {
                out.push(b' ');
            }
            let text: &[u8] = match (half.is_upper, clock.hour < 12) {
                (true, true) => b"AM",
                (true, false) => b"PM",
                (false, true) => b"am",
                (false, false) => b"pm",
            };
            out.extend_from_slice(text);
        }
    }
}

/// Appends `value` with at least `width` digits.
fn padded(value: u64, width: usize, out: &mut Vec<u8>) {
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(value);
    out.extend(std::iter::repeat_n(b'0', width.saturating_sub(digits.len())));
    out.extend_from_slice(digits.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_beyond_the_calendar_are_its_ends() {
        let format = DateFormat::iso(None);
        for (value, expected) in [(0, "1970-01-01"), (i64::MIN, "0001-01-01"), (i64::MAX, "9999-12-31")] {
            let mut out = Vec::new();
            format.write(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
        let mut out = Vec::new();
        DateFormat::iso(Some(3)).write(-1, &mut out);
        assert_eq!(out, b"1969-12-31 23:59:59.999");
        let month =
            DateFormat { day: format.day.clone().map(|day| DayFormat { order: DayOrder::YearMonth, ..day }), ..format };
        let mut out = Vec::new();
        month.write(i64::MAX, &mut out);
        assert_eq!(out, b"9999-12");
        let time = DateFormat::iso(Some(0)).time.map(|time| TimeFormat { is_duration: true, ..time });
        let duration = DateFormat { day: None, between: String::new(), time, zone: String::new() };
        for (value, expected) in
            [(-1, "00:00:00"), (94_500, "26:15:00"), (363_723, "101:02:03"), (i64::MAX, "99999:59:59")]
        {
            let mut out = Vec::new();
            duration.write(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
