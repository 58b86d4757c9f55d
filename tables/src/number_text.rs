//! Numbers back into text, in the format of their column.

use crate::number::{EXACT, POWERS};
use crate::number_format::{ExponentFormat, Mantissa, NumberFormat};
use crate::scan::LONG_MINUS;

/// Significant digits up to which a decimal number and the nearest 64-bit one tell each other apart.
const SAFE_DIGITS: u16 = 15;
/// Most decimals of a 64-bit number.
const MAX_DECIMALS: u16 = 1074;

/// Numbers with more decimals are computed, not measured.
const MEASURED_DECIMALS: usize = 6;

/// `magnitude` to so many significant digits.
fn rounded(magnitude: f64, significant: u16) -> f64 {
    let decimals = usize::from(significant.max(1)) - 1;
    format!("{magnitude:.decimals$e}").parse().unwrap_or(magnitude)
}

/// A number of at least 0 as short as it reads back, in as many bits as its column has.
#[derive(Clone, Copy)]
enum Shortest {
    Single(f32),
    Double(f64),
}

impl std::fmt::Display for Shortest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Single(number) => std::fmt::Display::fmt(number, formatter),
            Self::Double(number) => std::fmt::Display::fmt(number, formatter),
        }
    }
}

impl std::fmt::LowerExp for Shortest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Single(number) => std::fmt::LowerExp::fmt(number, formatter),
            Self::Double(number) => std::fmt::LowerExp::fmt(number, formatter),
        }
    }
}

/// The nearest number of 16 bits (IEEE 754, binary16: eleven binary digits, the last of them worth at least 2^-24). Beyond the greatest,
/// 65504, there is none, and `value` stays.
fn nearest_half(value: f64) -> f64 {
    let magnitude = value.abs();
    // From the middle on between 65504 and what would follow it.
    let is_beyond = magnitude.is_nan() || magnitude >= 65_520.0;
    if is_beyond {
        return value;
    }
    let exponent = (magnitude.to_bits() >> (f64::MANTISSA_DIGITS - 1)) as i32 - 1023;
    let unit = 2f64.powi(exponent.max(-14) - 10);
    let rounded = (magnitude / unit).round_ties_even() * unit;
    // What is rounded to zero has no sign.
    if value < 0.0 { 0.0 - rounded } else { rounded }
}

impl NumberFormat {
    /// The nearest number that the column can have.
    pub(crate) fn nearest(&self, value: f64) -> f64 {
        // Beyond the numbers of 32 bits there is none.
        let single = value as f32;
        match self.is_half {
            true => nearest_half(value),
            false if self.is_single && single.is_finite() => f64::from(single),
            false => value,
        }
    }

    fn shortest(&self, magnitude: f64) -> Shortest {
        let single = magnitude as f32;
        if self.is_single && single.is_finite() { Shortest::Single(single) } else { Shortest::Double(magnitude) }
    }

    /// Appends `value`, which is finite, in this format.
    pub fn write(&self, value: f64, out: &mut Vec<u8>) {
        let value = if self.is_half { nearest_half(value) } else { value };
        let magnitude = value.abs();
        if let Some(exponent) = self.exponent {
            match exponent.zero_decimals {
                Some(decimals) if exponent.is_always && magnitude == 0.0 => return self.write_zero(decimals, out),
                _ if exponent.has(magnitude) => return self.write_exponent(value, exponent, out),
                _ => {}
            }
        }
        let decimals = usize::from(self.max_decimals.min(MAX_DECIMALS));
        if self.significant <= SAFE_DIGITS && self.max_decimals < POWERS.len() as u16 {
            let scaled = (magnitude * POWERS[decimals]).round();
            // Computed numbers have as many digits wherever their mark stands; beyond, there is noise.
            let has_noise = decimals > MEASURED_DECIMALS && scaled >= POWERS[usize::from(self.significant)];
            if scaled < EXACT as f64 && !has_noise {
                // Zero keeps its sign; what is rounded to zero has none.
                let is_negative = value.is_sign_negative() && (scaled > 0.0 || value == 0.0);
                return self.write_scaled(is_negative, scaled as u64, self.max_decimals, out);
            }
        }
        let mut text = if self.min_decimals == self.max_decimals {
            format!("{magnitude:.decimals$}")
        } else if self.significant <= SAFE_DIGITS && decimals > MEASURED_DECIMALS {
            rounded(magnitude, self.significant).to_string()
        } else {
            self.shortest(magnitude).to_string()
        };
        if text.split_once('.').is_some_and(|(_, shown)| shown.len() > decimals) {
            text = format!("{magnitude:.decimals$}");
        }
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        // Zero keeps its sign here, too.
        self.write_parts(value < 0.0 || value == 0.0 && value.is_sign_negative(), whole, decimals, out);
    }

    /// Appends a whole number in this format.
    pub fn write_integer(&self, value: i64, out: &mut Vec<u8>) {
        let mut digits = itoa::Buffer::new();
        self.write_parts(value < 0, digits.format(value.unsigned_abs()), "", out);
    }

    /// A number that is `scaled` units of the last of `decimals` decimals.
    fn write_scaled(&self, is_negative: bool, scaled: u64, decimals: u16, out: &mut Vec<u8>) {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(scaled);
        let decimals = usize::from(decimals);
        match digits.len().checked_sub(decimals) {
            Some(whole) if whole > 0 => self.write_parts(is_negative, &digits[..whole], &digits[whole..], out),
            _ => {
                let mut padded = [b'0'; POWERS.len()];
                let start = decimals.saturating_sub(digits.len());
                for (place, digit) in padded.iter_mut().skip(start).zip(digits.bytes()) {
                    *place = digit;
                }
                let padded = padded.get(..decimals).and_then(|padded| std::str::from_utf8(padded).ok());
                self.write_parts(is_negative, "0", padded.unwrap_or_default(), out);
            }
        }
    }

    /// A number of these digits.
    fn write_parts(&self, is_negative: bool, whole: &str, decimals: &str, out: &mut Vec<u8>) {
        self.write_sign(is_negative, out);
        let least = usize::from(self.min_decimals);
        let kept = decimals.len() - decimals.bytes().rev().take_while(|&digit| digit == b'0').count();
        let decimals = &decimals[..kept.max(least.min(decimals.len()))];
        let filled = least.saturating_sub(decimals.len());
        let has_decimals = !decimals.is_empty() || filled > 0;
        if !(self.is_bare && whole == "0" && has_decimals) {
            let zeros = usize::from(self.width).saturating_sub(whole.len());
            out.extend(std::iter::repeat_n(b'0', zeros));
            match self.group {
                None => out.extend_from_slice(whole.as_bytes()),
                Some(group) => {
                    for (index, digit) in whole.bytes().enumerate() {
                        let digits_left = whole.len() - index;
                        let is_boundary = match self.has_lakhs {
                            true => digits_left >= 3 && !digits_left.is_multiple_of(2),
                            false => digits_left.is_multiple_of(3),
                        };
                        if index > 0 && is_boundary {
                            push(group, out);
                        }
                        out.push(digit);
                    }
                }
            }
        }
        if has_decimals {
            push(self.decimal, out);
            out.extend_from_slice(decimals.as_bytes());
            out.extend(std::iter::repeat_n(b'0', filled));
        } else if self.ends_with_mark {
            push(self.decimal, out);
        }
        out.extend_from_slice(self.suffix.as_bytes());
    }

    fn write_sign(&self, is_negative: bool, out: &mut Vec<u8>) {
        if is_negative {
            out.extend_from_slice(if self.has_long_minus { LONG_MINUS.as_bytes() } else { b"-" });
        }
        out.extend_from_slice(self.prefix.as_bytes());
    }

    /// A zero without an exponent among numbers that have one.
    fn write_zero(&self, decimals: u16, out: &mut Vec<u8>) {
        self.write_sign(false, out);
        out.push(b'0');
        if decimals > 0 {
            push(self.decimal, out);
            out.extend(std::iter::repeat_n(b'0', usize::from(decimals.min(MAX_DECIMALS))));
        }
        out.extend_from_slice(self.suffix.as_bytes());
    }

    /// A number with an exponent.
    fn write_exponent(&self, value: f64, format: ExponentFormat, out: &mut Vec<u8>) {
        let magnitude = value.abs();
        let most = if format.is_always {
            usize::from(self.max_decimals.min(MAX_DECIMALS))
        } else {
            usize::from(self.significant.clamp(1, MAX_DECIMALS)) - 1
        };
        let is_fixed = format.is_always && self.min_decimals == self.max_decimals;
        let mantissa = if magnitude == 0.0 { Mantissa::Scientific } else { format.mantissa };
        let whole = |power: i32| match mantissa {
            Mantissa::Scientific => 1,
            Mantissa::Engineering => 1 + power.rem_euclid(3) as usize,
            Mantissa::Fraction => 0,
        };
        let (mut digits, mut power) = digits_and_power(&format!("{:e}", self.shortest(magnitude)));
        let places = |power: i32| (whole(power) + most).max(1);
        if digits.len() > places(power) || (is_fixed && digits.len() < places(power)) {
            let decimals = places(power) - 1;
            (digits, power) = digits_and_power(&format!("{magnitude:.decimals$e}"));
        }
        // Rounding up may have made another power, of which there are zeros alone.
        digits.truncate(places(power));
        let whole = whole(power);
        let filled = if is_fixed { whole + most } else { whole };
        digits.extend(std::iter::repeat_n('0', filled.saturating_sub(digits.len())));
        let (before, decimals) = digits.split_at(whole);
        let decimals = if is_fixed { decimals } else { decimals.trim_end_matches('0') };
        self.write_sign(value < 0.0, out);
        out.extend_from_slice(if before.is_empty() { b"0" } else { before.as_bytes() });
        let least = if format.is_always { usize::from(self.min_decimals) } else { 0 };
        if !decimals.is_empty() || least > 0 {
            push(self.decimal, out);
            out.extend_from_slice(decimals.as_bytes());
            out.extend(std::iter::repeat_n(b'0', least.saturating_sub(decimals.len())));
        }
        out.push(if format.is_upper { b'E' } else { b'e' });
        let exponent = power + 1 - whole as i32;
        match exponent < 0 {
            true => out.push(b'-'),
            false if format.has_plus => out.push(b'+'),
            false => {}
        }
        let mut shown = itoa::Buffer::new();
        let shown = shown.format(exponent.unsigned_abs());
        out.extend(std::iter::repeat_n(b'0', usize::from(format.digits).saturating_sub(shown.len())));
        out.extend_from_slice(shown.as_bytes());
        out.extend_from_slice(self.suffix.as_bytes());
    }
}

impl ExponentFormat {
    /// Whether a number of this magnitude is written with an exponent.
    fn has(&self, magnitude: f64) -> bool {
        let power = |power: i32| POWERS.get(power.unsigned_abs() as usize).copied().unwrap_or(f64::INFINITY);
        let [low, high] = self.bounds;
        // The least number without an exponent, whose power is one more.
        let least = match low.saturating_add(1) {
            low if low < 0 => 1.0 / power(low),
            low => power(low),
        };
        self.is_always || (magnitude != 0.0 && !(least..power(high)).contains(&magnitude))
    }
}

/// The digits and the power of ten of a number as `1.5e3`.
fn digits_and_power(text: &str) -> (String, i32) {
    let (mantissa, power) = text.split_once('e').unwrap_or((text, "0"));
    (mantissa.chars().filter(char::is_ascii_digit).collect(), power.parse().unwrap_or(0))
}

/// Appends a character.
fn push(character: char, out: &mut Vec<u8>) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(format: &NumberFormat, value: f64) -> String {
        let mut out = Vec::new();
        format.write(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn decimals_signs_and_groups() {
        let fixed = |min_decimals, max_decimals| NumberFormat { min_decimals, max_decimals, ..NumberFormat::default() };
        for (format, value, expected) in [
            (fixed(2, 2), 5.0, "5.00"),
            (fixed(2, 2), -0.001, "0.00"),
            (fixed(2, 2), -0.0, "-0.00"),
            (fixed(2, 2), -0.05, "-0.05"),
            (fixed(1, 3), 5.0, "5.0"),
            (fixed(1, 3), 5.1236, "5.124"),
            (fixed(0, 3), 5.0, "5"),
            (fixed(0, 0), 2.5e15, "2500000000000000"),
            (fixed(0, 2), 1e300, &format!("1{}", "0".repeat(300))),
            (fixed(0, 22), 0.25, "0.25"),
            (NumberFormat { significant: 17, ..fixed(1, 17) }, 0.3, "0.3"),
            (NumberFormat { significant: 17, ..fixed(1, 17) }, 0.1 + 0.2, "0.30000000000000004"),
            (NumberFormat { significant: 15, ..fixed(0, 17) }, 0.087_123_882_819_166_2, "0.0871238828191662"),
            (NumberFormat { significant: 18, ..fixed(18, 18) }, 0.1, "0.100000000000000006"),
            (NumberFormat { width: 5, ..fixed(0, 0) }, 42.0, "00042"),
            (NumberFormat { is_bare: true, ..fixed(0, 2) }, -0.5, "-.5"),
            (NumberFormat { is_bare: true, ..fixed(0, 2) }, 0.0, "0"),
            (NumberFormat { has_long_minus: true, ..fixed(1, 1) }, -2.5, "\u{2212}2.5"),
            (NumberFormat { group: Some(','), ..fixed(1, 1) }, 1_234_567.5, "1,234,567.5"),
            (NumberFormat { group: Some(','), ..fixed(0, 0) }, 123.0, "123"),
            (NumberFormat { group: Some('.'), decimal: ',', ..fixed(2, 2) }, 1234.5, "1.234,50"),
            (NumberFormat { prefix: "$".into(), suffix: " %".into(), ..fixed(0, 0) }, -7.0, "-$7 %"),
        ] {
            assert_eq!(text(&format, value), expected, "{format:?}");
        }
    }

    #[test]
    fn exponents() {
        let format = |is_always, significant| NumberFormat {
            max_decimals: 4,
            significant,
            exponent: Some(ExponentFormat { is_always, ..ExponentFormat::default() }),
            ..NumberFormat::default()
        };
        assert_eq!(text(&format(true, 5), 1.758_249e-19), "1.7582e-19");
        assert_eq!(text(&format(true, 5), -12.0), "-1.2e+01");
        assert_eq!(text(&format(false, 3), 3.456_7e-5), "3.46e-05");
        assert_eq!(text(&format(false, 3), 0.25), "0.25");
        assert_eq!(text(&format(false, 3), 0.0), "0");
        assert_eq!(text(&format(true, 5), 3e-320), "3e-320");
        let numpy = NumberFormat { min_decimals: 18, max_decimals: 18, ..format(true, 19) };
        assert_eq!(text(&numpy, 1.687_758_043_408e-2), "1.687758043408000078e-02");
        // Rounding makes one more digit.
        let of = |mantissa, decimals| NumberFormat {
            min_decimals: decimals,
            max_decimals: decimals,
            exponent: Some(ExponentFormat { is_always: true, is_upper: true, mantissa, ..ExponentFormat::default() }),
            ..NumberFormat::default()
        };
        for (mantissa, value, expected) in [
            (Mantissa::Scientific, 9.999, "1.00E+01"),
            (Mantissa::Engineering, 0.0, "0.00E+00"),
            (Mantissa::Engineering, 999.999, "1.00E+03"),
            (Mantissa::Engineering, 99.999, "100.00E+00"),
            (Mantissa::Engineering, -12_345.678, "-12.35E+03"),
            (Mantissa::Engineering, 1.5e-5, "15.00E-06"),
            (Mantissa::Fraction, 0.0, "0.00E+00"),
            (Mantissa::Fraction, 0.999, "0.10E+01"),
            (Mantissa::Fraction, 1234.0, "0.12E+04"),
        ] {
            assert_eq!(text(&of(mantissa, 2), value), expected, "{mantissa:?} {value}");
        }
    }

    #[test]
    fn no_format_is_a_panic() {
        for decimals in [0, 1, 22, 23, 1074, u16::MAX] {
            for significant in [0, 1, 15, 17, u16::MAX] {
                for (place, bounds) in [[-5, 16], [i32::MIN, i32::MAX], [i32::MAX, i32::MIN]].into_iter().enumerate() {
                    let exponent = ExponentFormat {
                        is_always: place == 1,
                        digits: 3,
                        mantissa: [Mantissa::Scientific, Mantissa::Engineering, Mantissa::Fraction][place],
                        zero_decimals: Some(u16::MAX),
                        bounds,
                        ..ExponentFormat::default()
                    };
                    let format = NumberFormat {
                        max_decimals: decimals,
                        significant,
                        exponent: Some(exponent),
                        ..NumberFormat::default()
                    };
                    for value in [0.0, 1.0, -1e-320, f64::MAX, f64::MIN_POSITIVE, f64::NAN] {
                        text(&format, value);
                        text(&NumberFormat { exponent: None, ..format.clone() }, value);
                        text(&NumberFormat { is_half: true, ..format.clone() }, value);
                    }
                }
            }
        }
    }

    #[test]
    fn whole_numbers() {
        let mut out = Vec::new();
        NumberFormat { group: Some(' '), ..NumberFormat::default() }.write_integer(i64::MIN, &mut out);
        assert_eq!(out, b"-9 223 372 036 854 775 808");
    }
}
