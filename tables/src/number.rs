//! Numbers from their cells, in the format of their column.

use crate::affix::core;
use crate::number_format::NumberFormat;
use crate::scan::{GROUPS, LAKHS, SPACES, Scan, scan, style};

/// Powers of ten that 64 bits hold exactly.
pub(crate) const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// Whole numbers up to it are exact in 64 bits.
pub(crate) const EXACT: u64 = 1 << 53;

impl NumberFormat {
    /// The bit of its style.
    fn style(&self) -> u16 {
        let comma = self.decimal == ',';
        let group = match self.group {
            None => 0,
            Some('.' | ',') if self.has_lakhs => LAKHS,
            Some('.' | ',') => 1,
            Some(group) => {
                let place = SPACES.iter().position(|space| space.chars().eq([group]));
                place.map_or(0, |place| place as u16 + 2)
            }
        };
        style(comma, group)
    }

    /// The decimal mark and the separator of thousands of the style with this bit.
    pub(crate) fn of_style(bit: u16) -> (char, Option<char>) {
        let index = bit.trailing_zeros() as u16;
        let comma = index >= GROUPS;
        let group = match index % GROUPS {
            0 => None,
            1 | LAKHS => Some(if comma { '.' } else { ',' }),
            place => SPACES.get(usize::from(place) - 2).and_then(|space| space.chars().next()),
        };
        (if comma { ',' } else { '.' }, group)
    }

    /// What a cell shows, where it is a number in this format.
    fn scan(&self, cell: &[u8]) -> Option<Scan> {
        if self.prefix.is_empty() && self.suffix.is_empty() {
            return scan(cell).filter(|found| found.styles & self.style() != 0);
        }
        let (is_negated, number) = core(cell, &self.prefix, &self.suffix)?;
        let mut found = scan(number).filter(|found| found.styles & self.style() != 0)?;
        found.is_negative ^= is_negated;
        Some(found)
    }

    /// The number in a cell; `None` where it is none in this format, or not finite.
    pub fn read(&self, cell: &[u8]) -> Option<f64> {
        self.read_double(cell).map(|number| self.nearest(number))
    }

    /// The same with 64 bits in any column.
    fn read_double(&self, cell: &[u8]) -> Option<f64> {
        let found = self.scan(cell)?;
        let decimals = if char::from(found.mark) == self.decimal { i32::from(found.tail) } else { 0 };
        let power = found.exponent.map_or(0, |exponent| exponent.value) - decimals;
        let sign = if found.is_negative { -1.0 } else { 1.0 };
        if let Some(mantissa) = found.mantissa.filter(|&mantissa| mantissa <= EXACT) {
            // One rounding of two exact numbers is the right one (Clinger, 1990).
            match POWERS.get(power.unsigned_abs() as usize) {
                Some(scale) if power >= 0 => return Some(sign * (mantissa as f64 * scale)),
                Some(scale) => return Some(sign * (mantissa as f64 / scale)),
                None => {}
            }
        }
        self.read_slowly(core(cell, &self.prefix, &self.suffix)?.1).map(|value| sign * value)
    }

    /// The magnitude of a number that needs the standard library.
    fn read_slowly(&self, number: &[u8]) -> Option<f64> {
        let number = std::str::from_utf8(number).ok()?;
        let (mut text, mut is_exponent) = (String::with_capacity(number.len()), false);
        for character in number.chars() {
            match character {
                '0'..='9' => text.push(character),
                'e' | 'E' => {
                    is_exponent = true;
                    text.push('e');
                }
                '-' if is_exponent => text.push('-'),
                _ if character == self.decimal => text.push('.'),
                _ => {}
            }
        }
        text.parse().ok().filter(|value: &f64| value.is_finite())
    }

    /// The whole number in a cell; `None` where it is none in this format, or beyond 64 bits.
    pub fn read_integer(&self, cell: &[u8]) -> Option<i64> {
        let found = self.scan(cell)?;
        let mut mantissa = found.mantissa?;
        if found.exponent.is_some() {
            return None;
        }
        if char::from(found.mark) == self.decimal {
            if !found.is_tail_zero {
                return None;
            }
            mantissa /= 10u64.checked_pow(u32::from(found.tail))?;
        }
        let value = i128::from(mantissa);
        i64::try_from(if found.is_negative { -value } else { value }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(decimal: char, group: Option<char>) -> NumberFormat {
        NumberFormat { decimal, group, ..NumberFormat::default() }
    }

    #[test]
    fn numbers_of_every_style() {
        for (decimal, group, cell, value) in [
            ('.', None, "12", 12.0),
            ('.', None, "-1.5", -1.5),
            ('.', None, "+.25", 0.25),
            ('.', None, "5.", 5.0),
            ('.', None, "1.7582e-19", 1.7582e-19),
            ('.', None, "1E+3", 1000.0),
            ('.', None, "\u{2212}2.5", -2.5),
            ('.', None, "0.30000000000000004", 0.300_000_000_000_000_04),
            ('.', None, "3e-320", 3e-320),
            ('.', None, "123456789012345678901234567890", 123_456_789_012_345_678_901_234_567_890.0),
            ('.', Some(','), "1,234.5", 1234.5),
            ('.', Some(','), "1,234,567", 1_234_567.0),
            ('.', Some(','), "1,234", 1234.0),
            ('.', Some(','), "12", 12.0),
            (',', None, "1,234", 1.234),
            (',', None, "-0,5", -0.5),
            (',', Some('.'), "1.234.567,25", 1_234_567.25),
            (',', Some('.'), "1.234", 1234.0),
            (',', Some(' '), "1 234,5", 1234.5),
            ('.', Some('\u{a0}'), "1\u{a0}234.5", 1234.5),
            (',', Some('\u{202f}'), "1\u{202f}234", 1234.0),
            ('.', Some('\''), "1'234'567.5", 1_234_567.5),
            ('.', Some('\u{2019}'), "1\u{2019}234.5", 1234.5),
        ] {
            assert_eq!(format(decimal, group).read(cell.as_bytes()), Some(value), "{cell}");
        }
    }

    #[test]
    fn numbers_of_another_style_are_refused() {
        assert_eq!(format('.', None).read(b"1,5"), None);
        assert_eq!(format(',', None).read(b"1.5"), None);
        assert_eq!(format('.', None).read(b"1,234"), None);
        assert_eq!(format('.', None).read(b"1e999"), None);
    }

    #[test]
    fn whole_numbers_are_exact() {
        let plain = NumberFormat::default();
        for value in [0, 1, -1, i64::MAX, i64::MIN, 9_007_199_254_740_993, 1_556_559_573_141_592_653] {
            assert_eq!(plain.read_integer(value.to_string().as_bytes()), Some(value));
        }
        assert_eq!(plain.read_integer(b"9223372036854775808"), None);
        assert_eq!(plain.read_integer(b"5.0"), Some(5));
        assert_eq!(plain.read_integer(b"5.5"), None);
        assert_eq!(plain.read_integer(b"007"), Some(7));
        assert_eq!(format('.', Some(',')).read_integer(b"1,234"), Some(1234));
    }

    #[test]
    fn units_and_currencies() {
        let percent = NumberFormat { suffix: " %".into(), ..NumberFormat::default() };
        assert_eq!((percent.read(b"12.5 %"), percent.read(b"12.5")), (Some(12.5), None));
        let dollars = NumberFormat { prefix: "$".into(), group: Some(','), ..NumberFormat::default() };
        let rupees =
            NumberFormat { prefix: "₹".into(), group: Some(','), has_lakhs: true, ..NumberFormat::default() };
        assert_eq!((rupees.read("₹12,34,567.5".as_bytes()), rupees.read(b"1,234,567")), (Some(1_234_567.5), None));
        assert_eq!((dollars.read(b"$1,200"), dollars.read(b"-$1,200")), (Some(1200.0), Some(-1200.0)));
    }

    #[test]
    fn the_fast_way_reads_what_the_standard_library_reads() {
        let mut state = 1u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (digits, decimals) = (state >> (state % 50), (state >> 7) % 25);
            for text in
                [format!("{digits}e-{decimals}"), format!("{digits}.{decimals}"), format!("-{digits}e{decimals}")]
            {
                let expected: f64 = text.parse().unwrap();
                assert_eq!(NumberFormat::default().read(text.as_bytes()), Some(expected), "{text}");
            }
        }
    }
}
