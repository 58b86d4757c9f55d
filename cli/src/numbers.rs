//! Numbers as people read them: values, counts with their nouns, bytes and times; and as scripts of a report read them.
//!
//! How many digits a kind of number is told with is decided here, but for a few of a sentence's own.

use std::time::Duration;

pub(crate) use gannet::internals::numbers::{counted, plural};
use gannet::internals::numbers::{grouped, thousands};
use indicatif::HumanDuration;

/// A MiB.
pub(crate) const MIB: u64 = 1 << 20;

/// A number with four digits that count, and a true minus sign.
pub(crate) fn number(value: f64) -> String {
    /// Whole numbers up to here are told to the last digit.
    const TOLD_IN_FULL: f64 = 1e12;
    let size = value.abs();
    if value.is_finite() && value.fract() == 0.0 && size < TOLD_IN_FULL {
        return format!("{}{}", if value < 0.0 { "−" } else { "" }, thousands(size as u64));
    }
    let power = if size > 0.0 && size.is_finite() { size.log10().floor() } else { 0.0 };
    if (0.0..4.0).contains(&power) || (-3.0..0.0).contains(&power) {
        // 0.05123 and 0.5123 have as many decimals as 1.2345 would: figures below each other line up.
        let decimals = (3.0 - power).clamp(0.0, 4.0) as usize;
        return format!("{value:.decimals$}").replace('-', "−");
    }
    tick_label(value, 10f64.powf(power - 3.0))
}

/// The label of a tick: as many decimals as a distance of `step` between ticks needs, commas between thousands, a true minus
/// sign, powers of ten (`1.5e−7`) for what would be long otherwise.
pub(crate) fn tick_label(value: f64, step: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let exponent = |v: f64| if v == 0.0 { 0 } else { v.abs().log10().floor().clamp(-400.0, 400.0) as i32 };
    let (size, fineness) = (exponent(value), exponent(step));
    let sign = if value < 0.0 { "−" } else { "" };
    if value.abs() < step.abs() * 1e-6 {
        return "0".to_owned();
    }
    if size >= 7 || fineness <= -5 {
        let digits = (size - fineness).clamp(0, 6) as usize;
        return format!("{sign}{:.digits$e}", value.abs()).replace("e-", "e−");
    }
    let text = format!("{:.*}", (-fineness).max(0) as usize, value.abs());
    match text.split_once('.') {
        Some((whole, decimals)) => format!("{sign}{}.{decimals}", grouped(whole)),
        None => format!("{sign}{}", grouped(&text)),
    }
}

/// A number for JavaScript: five digits that count, `null` for what is no finite number.
pub(crate) fn json_number(value: f64) -> String {
    if !value.is_finite() {
        return "null".to_string();
    }
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return format!("{value}");
    }
    // The shortest form of the rounded value: 0.12346, not 1.2346e-1.
    format!("{value:.4e}").parse::<f64>().map_or_else(
        |_| "null".to_string(),
        |rounded| {
            if rounded.abs() < 1e-4 || rounded.abs() >= 1e15 { format!("{rounded:e}") } else { rounded.to_string() }
        },
    )
}

/// A loss or a measure in a line or a table.
pub(crate) fn figure(value: f64) -> String {
    format!("{value:.4}")
}

/// The same where less is enough, and a probability.
pub(crate) fn short_figure(value: f64) -> String {
    format!("{value:.3}")
}

/// A distance or an error in standard deviations; there is none of data that have no s.d.
pub(crate) fn distance(value: f64) -> String {
    if value.is_finite() { short_figure(value) } else { "-".to_string() }
}

/// A multiple of a standard deviation in a sentence.
pub(crate) fn multiple(value: f64) -> String {
    format!("{value:.2}")
}

/// A share of a whole.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Floating-point operations a second, in units of 10^9.
pub(crate) fn gflops(value: f64) -> String {
    format!("{value:.1}")
}

/// A number, rounded to a whole one that is not negative.
pub(crate) fn rounded(value: f64) -> String {
    thousands(value.round() as u64)
}

/// How fast training goes: `81,920 samples/s`.
pub(crate) fn rate(samples_per_second: f64) -> String {
    format!("{} samples/s", rounded(samples_per_second))
}

/// So many replicas. Their names have no commas between thousands, and neither has their number.
pub(crate) fn counted_replicas(count: usize) -> String {
    format!("{count} {}", plural(count as u64, "replica"))
}

/// Bytes to a tenth of a MiB.
pub(crate) fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / MIB as f64)
}

/// Bytes as roughly as the size of files is known in advance.
pub(crate) fn rough_bytes(bytes: u64) -> String {
    let as_mib = bytes as f64 / MIB as f64;
    match as_mib {
        _ if as_mib >= 10_240.0 => format!("{:.1} GiB", as_mib / 1024.0),
        _ if as_mib >= 10.0 => format!("{as_mib:.0} MiB"),
        _ if as_mib >= 0.1 => mib(bytes),
        _ => format!("{:.0} KiB", as_mib * 1024.0),
    }
}

/// A time to a hundredth of a second, however long it is.
pub(crate) fn seconds(seconds: f64) -> String {
    format!("{seconds:.2} s")
}

/// A time: `0.10 s`, `42 s`, `3 min 20 s`, `2 h 5 min`.
pub(crate) fn time(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        _ if !seconds.is_finite() || seconds < 0.0 => "unknown".to_string(),
        0..10 => self::seconds(seconds),
        10..60 => format!("{whole} s"),
        60..3_600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", thousands(whole / 3_600), whole % 3_600 / 60),
    }
}

/// A time that is only estimated, in its largest unit: `72 minutes`.
pub(crate) fn rough_time(time: Duration) -> String {
    HumanDuration(time).to_string()
}

/// The same, short: `72m`.
pub(crate) fn short_time(time: Duration) -> String {
    format!("{:#}", HumanDuration(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits_that_count() {
        for (value, text) in [
            (0.0, "0"),
            (3200.0, "3,200"),
            (-12.0, "−12"),
            (1.0, "1"),
            (0.043_524, "0.0435"),
            (0.957_17, "0.9572"),
            (-0.681_12, "−0.6811"),
            (1.387_83, "1.388"),
            (76.246, "76.25"),
            (1234.56, "1235"),
            (1_037_507.3, "1,037,507"),
            (1.5e-7, "1.500e−7"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(value), text, "{value}");
        }
    }

    #[test]
    fn labels_have_the_decimals_of_the_step() {
        for (value, step, text) in [
            (0.0, 0.5, "0"),
            (-0.0, 0.5, "0"),
            (0.30000000000000004, 0.1, "0.3"),
            (-1.5, 0.5, "−1.5"),
            (2.0, 0.5, "2.0"),
            (1000.0, 500.0, "1,000"),
            (-12_345.25, 0.05, "−12,345.25"),
            (4e7, 1e7, "4e7"),
            (1.5e8, 5e7, "1.5e8"),
            (1.5e-7, 5e-8, "1.5e−7"),
            (f64::NAN, 1.0, "NaN"),
        ] {
            assert_eq!(tick_label(value, step), text);
        }
    }

    #[test]
    fn numbers_for_javascript_are_short_and_valid() {
        for value in [0.0, -1.0, 0.123_456_789, 1e-7, -1.234_567e300, 123_456.7, 5e-324, 1e20] {
            let text = json_number(value);
            let read: f64 = serde_json::from_str(&text).unwrap();
            assert!((read - value).abs() <= 1e-4 * value.abs(), "{value}: {text}");
            assert!(text.len() <= 13, "{text}");
        }
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(json_number(value), "null");
        }
    }

    #[test]
    fn times_are_told_in_their_largest_units() {
        for (seconds, text) in [
            (0.0987, "0.10 s"),
            (9.4, "9.40 s"),
            (42.4, "42 s"),
            (59.7, "1 min 0 s"),
            (200.0, "3 min 20 s"),
            (7_500.0, "2 h 5 min"),
            (f64::NAN, "unknown"),
            (-1.0, "unknown"),
            (f64::INFINITY, "unknown"),
        ] {
            assert_eq!(time(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn each_kind_of_figure_has_its_digits() {
        let value = 0.123_456;
        assert_eq!([figure(value), short_figure(value), multiple(value)], ["0.1235", "0.123", "0.12"]);
        assert_eq!([figure(f64::NAN), short_figure(f64::NAN)], ["NaN", "NaN"]);
        assert_eq!([distance(value), distance(f64::NAN), distance(f64::INFINITY)], ["0.123", "-", "-"]);
        assert_eq!([percent(value), gflops(123.46)], ["12.3 %", "123.5"]);
        assert_eq!([rounded(81_919.6), rounded(f64::NAN), rate(81_920.0)], ["81,920", "0", "81,920 samples/s"]);
    }

    #[test]
    fn one_thing_has_no_plural() {
        assert_eq!([0, 1, 3200].map(|count| counted(count, "step")), ["0 steps", "1 step", "3,200 steps"]);
        assert_eq!([1, 2, 1000].map(counted_replicas), ["1 replica", "2 replicas", "1000 replicas"]);
    }

    #[test]
    fn rough_sizes_are_told_in_their_largest_units() {
        for (bytes, text) in
            [(500, "0 KiB"), (50 << 10, "50 KiB"), (3 << 19, "1.5 MiB"), (300 << 20, "300 MiB"), (20 << 30, "20.0 GiB")]
        {
            assert_eq!(rough_bytes(bytes), text);
        }
        assert_eq!(mib(300 << 20), "300.0 MiB");
    }

    #[test]
    fn rough_times_are_told_in_one_unit() {
        let time = Duration::from_secs(72 * 60);
        assert_eq!([rough_time(time), short_time(time)], ["72 minutes", "72m"]);
        assert_eq!([seconds(4_320.0), self::time(4_320.0)], ["4320.00 s", "1 h 12 min"]);
    }
}
