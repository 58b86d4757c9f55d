//! The Gregorian calendar: days from the beginning of 1970, and back.
//!
//! The algorithms are those of H. Hinnant, "chrono-Compatible Low-Level Date Algorithms",
//! <https://howardhinnant.github.io/date_algorithms.html>.

/// The first day of year 1.
pub(crate) const MIN_DAY: i64 = -719_162;
/// The last day of year 9999.
pub(crate) const MAX_DAY: i64 = 2_932_896;

/// Days of an era of 400 years.
const ERA: i64 = 146_097;

/// The day of a date.
pub(crate) fn days(year: i64, month: u32, day: u32) -> i64 {
    let (month, day) = (i64::from(month), i64::from(day));
    // Years begin in March, so that the leap day is the last one.
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day.
pub(crate) fn civil(day: i64) -> (i64, u32, u32) {
    let day = day + 719_468;
    let day_of_era = day.rem_euclid(ERA);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + day.div_euclid(ERA) * 400 + i64::from(month <= 2);
    (year, month as u32, day_of_month as u32)
}

/// Whether there is such a day.
pub(crate) fn is_valid(year: i64, month: u32, day: u32) -> bool {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=length).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_digits_comes_back_and_follows_the_one_before() {
        let mut expected = (1, 1, 1);
        for day in MIN_DAY..=MAX_DAY {
            let (year, month, date) = civil(day);
            assert_eq!((year, month, date), expected);
            assert_eq!(days(year, month, date), day);
            assert!(is_valid(year, month, date));
            expected = match (is_valid(year, month, date + 1), month) {
                (true, _) => (year, month, date + 1),
                (false, 12) => (year + 1, 1, 1),
                (false, _) => (year, month + 1, 1),
            };
        }
        assert_eq!(expected, (10_000, 1, 1));
        assert_eq!((days(1970, 1, 1), days(2000, 3, 1)), (0, 11_017));
    }
}
