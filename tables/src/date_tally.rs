//! The dates of a column as they come: whether all are written alike, and in which orders of day and month they can be read.

use crate::date_format::{DateFormat, DayFormat, DayOrder, MonthStyle, TimeFormat};
use crate::date_parts::{Parts, split};

/// Whether the order of year, month and day is known: day before month or after it, year or day beside a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// The cells allow one order alone.
    Certain,
    /// Either would do.
    Assumed,
    /// A month by name has a number behind it that is likelier the year than the day.
    YearAssumed,
    /// It has a number before it that is likelier the day than the year.
    DayAssumed,
    /// It has a number beside it that is as likely the year as the day.
    YearDoubtful,
}

/// What the dates of a column have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct DateTally {
    /// The formats that all cells so far have, but for the numbers of digits.
    formats: Vec<DateFormat>,
    has_single_digit: bool,
    has_leading_zero: bool,
    has_single_hour: bool,
    has_zero_hour: bool,
    /// Fewest and most decimals of seconds.
    decimals: Option<[u8; 2]>,
}

impl DateTally {
    /// Takes a cell; whether it is a date that is written as those before.
    pub(crate) fn add(&mut self, cell: &str) -> bool {
        if let [format] = self.formats.as_slice()
            && !self.has_single_digit
            && format.read_plain(cell.as_bytes()).is_some()
        {
            return true;
        }
        let Some(parts) = split(cell) else { return false };
        if self.decimals.is_none() {
            self.formats = formats(&parts);
        }
        match self.formats.iter().filter(|format| format.is_of(&parts)).count() {
            0 => return false,
            some if some < self.formats.len() => self.formats.retain(|format| format.is_of(&parts)),
            _ => {}
        }
        if let Some(day) = parts.day {
            self.has_single_digit |= day.has_single_digit();
            self.has_leading_zero |= day.has_leading_zero();
        }
        let time_decimals = parts.time.map_or(0, |time| time.decimals);
        if let Some(time) = parts.time {
            self.has_single_hour |= time.hour_digits == 1;
            self.has_zero_hour |= time.hour_digits == 2 && time.is_zero_led();
        }
        let [least, most] = self.decimals.unwrap_or([time_decimals; 2]);
        self.decimals = Some([least.min(time_decimals), most.max(time_decimals)]);
        true
    }

    /// The format, and whether another order of day and month would do as well. `day_first` decides where the cells do not.
    pub(crate) fn format(&self, day_first: Option<bool>) -> Option<(DateFormat, Certainty)> {
        let order = |format: &DateFormat| format.day.as_ref().map(|day| day.order);
        let of_order = |wanted: DayOrder| self.formats.iter().find(|format| order(format) == Some(wanted));
        let (by_day, by_month) = (of_order(DayOrder::DayMonthYear), of_order(DayOrder::MonthDayYear));
        let is_certain = by_day.is_none() || by_month.is_none() || day_first.is_some();
        let has_slash = |format: &&DateFormat| format.day.as_ref().is_some_and(|day| day.separators[0] == "/");
        let day_first = day_first.unwrap_or(by_day.filter(has_slash).is_none());
        let has = |wanted: DayOrder| of_order(wanted).is_some();
        // Spreadsheets write `Mar-16` of 2016 and `16-Mar` of a day, and people `Mar 16` of both.
        let is_day_likelier = has(DayOrder::YearMonth) && has(DayOrder::DayMonth);
        let preferred = if day_first { by_day.or(by_month) } else { by_month.or(by_day) };
        let preferred = preferred.or_else(|| of_order(DayOrder::DayMonth).filter(|_| is_day_likelier));
        let mut format = preferred.or(self.formats.first())?.clone();
        if let Some(day) = &mut format.day {
            day.is_padded = !self.has_single_digit || (self.has_leading_zero && day.month == MonthStyle::Number);
        }
        if let Some(time) = &mut format.time {
            time.is_padded = !self.has_single_hour || self.has_zero_hour;
            time.decimals = self.decimals.unwrap_or_default();
        }
        let certainty = match format.day.as_ref().map(|day| (day.order, day.separators[0].as_str())) {
            Some((DayOrder::MonthYear, "-")) if has(DayOrder::MonthDay) => Certainty::YearAssumed,
            Some((DayOrder::MonthYear, _)) if has(DayOrder::MonthDay) => Certainty::YearDoubtful,
            _ if is_day_likelier => Certainty::DayAssumed,
            _ if is_certain => Certainty::Certain,
            _ => Certainty::Assumed,
        };
        Some((format, certainty))
    }
}

/// The formats that a cell of these parts may have.
fn formats(parts: &Parts<'_>) -> Vec<DateFormat> {
    let time = parts.time.map(|time| TimeFormat {
        has_seconds: time.second.is_some(),
        decimals: [0, 0],
        is_padded: true,
        half: time.half_format,
        is_duration: false,
    });
    let with = |day, time| DateFormat { day, between: parts.between.into(), time, zone: parts.zone.into() };
    let Some(day) = parts.day else {
        // Durations of less than a day look like times of it.
        let duration = time.filter(|time| time.half.is_none() && parts.zone.is_empty());
        let duration = duration.map(|time| TimeFormat { is_duration: true, ..time });
        let both = [time, duration].into_iter().flatten().map(|time| with(None, Some(time)));
        return both.filter(|format| format.is_of(parts)).collect();
    };
    let of_style = |month| {
        day.orders().map(move |(order, is_short_year)| DayFormat {
            order,
            separators: day.separators.map(String::from),
            month,
            letters: day.letters,
            is_padded: true,
            is_short_year,
        })
    };
    // Nobody writes a time behind a month of a year.
    let is_of_day = |day: &DayFormat| time.is_none() || !matches!(day.order, DayOrder::MonthYear | DayOrder::YearMonth);
    day.month_styles().flat_map(of_style).filter(is_of_day).map(|day| with(Some(day), time)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(cells: &[&str]) -> Option<(DateFormat, Certainty)> {
        let mut tally = DateTally::default();
        cells.iter().all(|cell| tally.add(cell)).then(|| tally.format(None)).flatten()
    }

    #[test]
    fn dates_come_back_as_they_were_written() {
        for cells in [
            &["2024-01-05", "1999-12-31"][..],
            &["2024/1/5", "1999/12/31"],
            &["05.01.2024", "31.12.1999"],
            &["5/13/2024", "12/31/1999"],
            &["13/5/24", "1/12/69"],
            &["05-Jan-2024", "31-Dec-1999"],
            &["5 January 2024", "31 December 1999"],
            &["Jan 5, 2024", "Dec 31, 1999"],
            &["5 May 2024", "31 December 1999", "1 January 2000"],
            &["31 December 1999", "5 May 2024"],
            &["5 May 2024", "31 Dec 1999"],
            &["05JAN2024", "31DEC1999"],
            &["05-may-2024", "31-dec-1999"],
            &["20240105", "19991231"],
            &["2024-01", "1999-12"],
            &["2024-01-05T12:30:45Z", "1999-12-31T00:00:00Z"],
            &["2024-01-05 12:30:45.123", "1999-12-31 00:00:00.000"],
            &["2024-01-05 12:30:45+01:00", "1999-12-31 00:00:00+01:00"],
            &["2024-01-05T12:30:45.5", "1999-12-31T00:00:00.123456"],
            &["5/13/2024 9:05 PM", "12/31/1999 12:00 AM"],
            &["9:05", "23:59"],
            &["09:05:01", "23:59:59"],
            &["1812-06-24", "0001-01-01"],
            &["26:15:00", "101:02:03", "05:10:59"],
            &["0:15:00", "99999:59:59.5"],
            &["26:15", "9:05"],
            &["9:05 PM GMT+1", "12:30 AM GMT+1"],
            &["2024-01-05 12:30:45 CEST", "1999-12-31 00:00:00 CEST"],
            &["2024-01-05 12:30 UTC+01:00", "1999-12-31 00:00 UTC+01:00"],
            &["5/13/2024 9:05:00 PM GMT-5", "12/31/1999 12:00:00 AM GMT-5"],
            &["Mar-16", "Dec-99", "May-05"],
            &["May-16", "May-99"],
            &["Feb 21", "Oct 68"],
            &["Mar 2016", "Dec 1999"],
            &["MAR2016", "DEC1999"],
            &["March 2016", "December 1999"],
            &["3/2016", "12/1999"],
            &["03/2016", "12/1999"],
            &["Feb 29", "May 5"],
            &["5 May", "29 Feb"],
            &["Feb 29 23:59:59", "May 5 00:00:00"],
            &["2020年3月5日", "1999年12月31日"],
            &["2020年03月05日", "1999年12月31日"],
            &["2020年3月5日 9:05", "1999年12月31日 23:59"],
            &["2020年3月5日09:05:01", "1999年12月31日23:59:59"],
            &["2020年3月", "1999年12月"],
            &["20年3月5日", "99年12月31日"],
            &["20年03月05日", "10年11月12日"],
            &["2020년 3월 5일", "1999년 12월 31일"],
        ] {
            let (format, _) = format(cells).unwrap_or_else(|| panic!("{cells:?}"));
            for cell in cells {
                let value = format.read(cell.as_bytes()).unwrap_or_else(|| panic!("{cell} as {format:?}"));
                let mut out = Vec::new();
                format.write(value, &mut out);
                assert_eq!(String::from_utf8(out).unwrap(), *cell, "{format:?}");
            }
        }
    }

    #[test]
    fn day_and_month_are_told_apart_over_all_cells() {
        let order = |cells: &[&str]| {
            let (format, certainty) = format(cells).unwrap();
            (format.day.unwrap().order, certainty)
        };
        assert_eq!(order(&["01/02/2024", "13/02/2024"]), (DayOrder::DayMonthYear, Certainty::Certain));
        assert_eq!(order(&["01/02/2024", "02/13/2024"]), (DayOrder::MonthDayYear, Certainty::Certain));
        assert_eq!(order(&["01/02/2024"]), (DayOrder::MonthDayYear, Certainty::Assumed));
        assert_eq!(order(&["01.02.2024"]), (DayOrder::DayMonthYear, Certainty::Assumed));
        assert_eq!(order(&["01.02.24"]).0, DayOrder::DayMonthYear);
        // A year or a day beside a month.
        assert_eq!(order(&["Mar-16", "Feb-21"]), (DayOrder::MonthYear, Certainty::YearAssumed));
        assert_eq!(order(&["Mar 16", "Feb 21"]), (DayOrder::MonthYear, Certainty::YearDoubtful));
        assert_eq!(order(&["Mar 16", "Feb 31"]), (DayOrder::MonthYear, Certainty::Certain));
        assert_eq!(order(&["Mar 16", "Feb 1"]), (DayOrder::MonthDay, Certainty::Certain));
        assert_eq!(order(&["16-Mar", "21-Feb"]), (DayOrder::DayMonth, Certainty::DayAssumed));
        assert_eq!(order(&["05 Feb", "16 Mar"]), (DayOrder::DayMonth, Certainty::DayAssumed));
        assert_eq!(order(&["16-Mar", "99-Feb"]), (DayOrder::YearMonth, Certainty::Certain));
        assert_eq!(order(&["05 Feb 12:30", "16 Mar 08:15"]), (DayOrder::DayMonth, Certainty::Certain));
        assert_eq!(order(&["Feb 05 12:30", "Mar 16 08:15"]), (DayOrder::MonthDay, Certainty::Certain));
        assert_eq!(order(&["20年03月05日"]), (DayOrder::YearMonthDay, Certainty::Certain));
        assert_eq!(order(&["16-Mar", "1-Feb"]), (DayOrder::DayMonth, Certainty::Certain));
    }

    #[test]
    fn what_is_no_date_or_another_one() {
        for cells in [
            &["2024-13-01"][..],
            &["2024-02-30"],
            &["1.2.3"],
            &["12-2024-01"],
            &["192.168.1.1"],
            &["2020-2021"],
            &["25:60"],
            &["026:15"],
            &["100000:00"],
            &["25:00Z"],
            &["2024-01-05 25:00"],
            &["12:00 GMT+"],
            &["12:00 CET+1"],
            &["12月5日"],
            &["2020月3年"],
            &["3/16"],
            &["MAR16"],
            &["5MAR"],
            &["Mar-16", "Mar 17"],
            &["26:15:00", "9:05 PM"],
            &["13:00 PM"],
            &["2024-01-05x"],
            &["Mai 5, 2024"],
            &["2024-01-05", "05.01.2024"],
            &["2024-01-05", "2024-01-05 12:00"],
            &["2024-01-05 12:00Z", "2024-01-05 12:00+01:00"],
            &["31/12/2024", "12/31/2024"],
            &["é"],
        ] {
            assert_eq!(format(cells), None, "{cells:?}");
        }
    }

    #[test]
    fn values_count_from_1970() {
        let value = |cell: &str| format(&[cell]).unwrap().0.read(cell.as_bytes());
        assert_eq!(value("1970-01-02"), Some(1));
        assert_eq!(value("1969-12"), Some(-1));
        assert_eq!(value("1970-01-01 00:01"), Some(1));
        assert_eq!(value("1970-01-01 00:01:00.5"), Some(605));
        assert_eq!(value("12:00 AM"), Some(0));
        assert_eq!(value("26:15:00"), Some(94_500));
        assert_eq!(value("26:15"), Some(1_575));
        assert_eq!(value("Feb-71"), Some(13));
        assert_eq!(value("2/1971"), Some(13));
        assert_eq!(value("1970年1月2日"), Some(1));
        assert_eq!(value("Jan 2"), Some(731));
        assert_eq!(value("1969-12-31T23:59:59Z"), Some(-1));
    }
}
