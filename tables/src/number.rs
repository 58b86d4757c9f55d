//! Numbers as files write them: which styles can read a cell, and what it is in one of them.
//!
//! A style is a decimal mark and a separator of thousands. Most cells fit several: `12` all, `1.5` those with a decimal point,
//! `1,234` a decimal comma as well as a comma between thousands. A column has a style that fits all its cells.

use serde::{Deserialize, Serialize};

use crate::affix::core;

/// Separators of thousands that fit either decimal mark; the other mark is one, too.
const SPACES: [&str; 5] = [" ", "\u{a0}", "\u{202f}", "'", "\u{2019}"];
/// Styles of one decimal mark: without a separator, with the other mark, with each of [`SPACES`].
const GROUPS: u16 = 2 + SPACES.len() as u16;
/// Every style.
pub(crate) const ALL_STYLES: u16 = (1 << (2 * GROUPS)) - 1;
/// Those with a decimal point.
pub(crate) const POINT_STYLES: u16 = (1 << GROUPS) - 1;
/// Those with a decimal comma.
pub(crate) const COMMA_STYLES: u16 = POINT_STYLES << GROUPS;
/// The minus sign of typographers.
pub(crate) const LONG_MINUS: &str = "\u{2212}";

/// The bit of a style.
fn style(comma: bool, group: u16) -> u16 {
    1 << (u16::from(comma) * GROUPS + group)
}

/// How the numbers of a column are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NumberFormat {
    /// The decimal mark, `.` or `,`.
    pub decimal: char,
    /// The separator of thousands.
    pub group: Option<char>,
    /// Decimals that every number has.
    pub min_decimals: u16,
    /// Most decimals of a number.
    pub max_decimals: u16,
    /// Most significant digits of a number; beyond 15, numbers are written as short as they read back.
    pub significant: u16,
    /// How exponents are written, if there are any.
    pub exponent: Option<ExponentFormat>,
    /// Whole digits that every number has, filled up with zeros: 5 for `01234`.
    pub width: u8,
    /// Whether numbers below 1 begin with the decimal mark: `.5`.
    pub is_bare: bool,
    /// Whether the minus sign is U+2212 instead of a hyphen.
    pub has_long_minus: bool,
    /// What stands before each number, such as `$`.
    pub prefix: String,
    /// What stands behind each number, such as ` %`.
    pub suffix: String,
}

/// How exponents are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExponentFormat {
    /// Whether every number has one; otherwise only those below 0.0001 and from 1e16 up.
    pub is_always: bool,
    /// `E` instead of `e`.
    pub is_upper: bool,
    /// Whether positive exponents have a sign.
    pub has_plus: bool,
    /// Fewest digits: 2 for `e-05`.
    pub digits: u8,
}

impl Default for NumberFormat {
    /// Whole numbers with a decimal point.
    fn default() -> Self {
        Self {
            decimal: '.',
            group: None,
            min_decimals: 0,
            max_decimals: 0,
            significant: 15,
            exponent: None,
            width: 0,
            is_bare: false,
            has_long_minus: false,
            prefix: String::new(),
            suffix: String::new(),
        }
    }
}

/// What a cell shows of its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scan {
    /// The styles that can read it.
    pub(crate) styles: u16,
    pub(crate) is_negative: bool,
    pub(crate) has_long_minus: bool,
    /// All digits before an exponent, unless they are too many.
    pub(crate) mantissa: Option<u64>,
    /// Digits of it, without leading zeros.
    pub(crate) significant: u16,
    /// Digits before any mark.
    pub(crate) first: u16,
    /// Whether these are several and begin with a zero.
    pub(crate) is_zero_led: bool,
    /// The last `.` or `,`, or 0.
    pub(crate) mark: u8,
    /// Digits behind it.
    pub(crate) tail: u16,
    /// Whether these are all zeros.
    pub(crate) is_tail_zero: bool,
    /// Whether the last of them is one.
    pub(crate) ends_with_zero: bool,
    pub(crate) exponent: Option<Exponent>,
}

/// An exponent as it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exponent {
    pub(crate) value: i32,
    pub(crate) is_upper: bool,
    pub(crate) has_plus: bool,
    pub(crate) digits: u8,
}

/// Looks at a cell without the spaces around it; `None` where it is no number in any style.
pub(crate) fn scan(cell: &[u8]) -> Option<Scan> {
    let mut rest = cell;
    let (mut is_negative, mut has_long_minus) = (false, false);
    match rest {
        [b'-', after @ ..] => (is_negative, rest) = (true, after),
        [b'+', after @ ..] => rest = after,
        [0xe2, 0x88, 0x92, after @ ..] => (is_negative, has_long_minus, rest) = (true, true, after),
        _ => {}
    }
    let mut digits = Digits::default();
    rest = digits.take(rest)?;
    let (first, is_zero_led) = (digits.run, digits.run > 1 && digits.run_first == b'0');
    // The first separator, and how many groups of three digits it has made; the last one, where it is another.
    let (mut group, mut groups, mut are_threes) = (None, 0u32, true);
    let mut decimal = None;
    while let Some((separator, length)) = separator(rest) {
        let after = rest.get(length..)?;
        if !after.first().is_some_and(u8::is_ascii_digit) {
            // `5.` is a number; `5,` is not, and `.` is none.
            if separator == b'.' && group.is_none() && first > 0 {
                (group, groups, digits.run, digits.is_run_zero) = (Some(separator), 1, 0, true);
                rest = after;
            }
            break;
        }
        match group {
            None => group = Some(separator),
            Some(known) if known == separator && decimal.is_none() => {}
            Some(_) if decimal.is_none() && matches!(separator, b'.' | b',') => decimal = Some(separator),
            _ => return None,
        }
        rest = digits.take(after)?;
        if decimal.is_none() {
            groups += 1;
            are_threes &= digits.run == 3;
        }
    }
    let exponent = match rest {
        [] => None,
        [letter @ (b'e' | b'E'), after @ ..] => Some(exponent(*letter, after)?),
        _ => return None,
    };
    let is_grouped = are_threes && (1..=3).contains(&first) && exponent.is_none();
    let styles = match (group, decimal) {
        (None, _) => ALL_STYLES,
        (Some(mark @ (b'.' | b',')), None) => {
            let comma = mark == b',';
            let as_mark = if comma { COMMA_STYLES } else { POINT_STYLES };
            // `0.123` has a decimal point.
            let as_group = if is_grouped && (groups > 1 || !is_leading_zero(cell)) { style(!comma, 1) } else { 0 };
            if groups == 1 { as_mark | as_group } else { as_group }
        }
        (Some(mark @ (b'.' | b',')), Some(decimal)) if is_grouped && mark != decimal => style(decimal == b',', 1),
        (Some(space), None) if is_grouped => style(false, u16::from(space)) | style(true, u16::from(space)),
        (Some(space), Some(decimal)) if is_grouped && !matches!(space, b'.' | b',') => {
            style(decimal == b',', u16::from(space))
        }
        _ => 0,
    };
    if styles == 0 || (first == 0 && group.is_none()) {
        return None;
    }
    let mark = decimal.or(group.filter(|mark| matches!(mark, b'.' | b','))).unwrap_or(0);
    let (tail, is_tail_zero) = if mark == 0 { (0, true) } else { (digits.run, digits.is_run_zero) };
    let ends_with_zero = tail > 0 && digits.run_last == b'0';
    Some(Scan {
        styles,
        is_negative,
        has_long_minus,
        mantissa: digits.mantissa,
        significant: digits.significant,
        first,
        is_zero_led,
        mark,
        tail,
        is_tail_zero,
        ends_with_zero,
        exponent,
    })
}

/// Digits that 64 bits always hold.
const MANTISSA_DIGITS: u16 = 19;

/// The digits of a number as they come.
struct Digits {
    mantissa: Option<u64>,
    significant: u16,
    run: u16,
    run_first: u8,
    run_last: u8,
    is_run_zero: bool,
}

impl Default for Digits {
    fn default() -> Self {
        Self { mantissa: Some(0), significant: 0, run: 0, run_first: 0, run_last: 0, is_run_zero: true }
    }
}

impl Digits {
    /// Takes the digits that `text` begins with; what follows them. `None` where they are too many to be a number.
    fn take<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let length = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
        let (run, rest) = text.split_at(length);
        self.run = u16::try_from(length).ok().filter(|&length| length <= 1000)?;
        (self.run_first, self.run_last) = (run.first().copied().unwrap_or(0), run.last().copied().unwrap_or(0));
        let zeros = run.iter().take_while(|&&digit| digit == b'0').count();
        self.is_run_zero = zeros == length;
        let significant = if self.significant == 0 { length - zeros } else { length };
        self.significant = self.significant.saturating_add(significant as u16);
        let digits = run.iter().map(|digit| u64::from(digit - b'0'));
        // As long as there are few enough digits, nothing is lost.
        let mantissa =
            digits.fold(self.mantissa.unwrap_or(0), |mantissa, digit| mantissa.wrapping_mul(10).wrapping_add(digit));
        self.mantissa = (self.significant <= MANTISSA_DIGITS).then_some(mantissa);
        Some(rest)
    }
}

/// Whether the whole part is one zero, so that a mark behind it is a decimal one.
fn is_leading_zero(cell: &[u8]) -> bool {
    cell.iter().find(|byte| byte.is_ascii_digit()) == Some(&b'0')
}

/// The separator that `text` begins with and its bytes: `.` and `,` as they are, others by their number among the groups.
fn separator(text: &[u8]) -> Option<(u8, usize)> {
    match text {
        [mark @ (b'.' | b','), ..] => Some((*mark, 1)),
        [b' ', ..] => Some((2, 1)),
        [0xc2, 0xa0, ..] => Some((3, 2)),
        [0xe2, 0x80, 0xaf, ..] => Some((4, 3)),
        [b'\'', ..] => Some((5, 1)),
        [0xe2, 0x80, 0x99, ..] => Some((6, 3)),
        _ => None,
    }
}

/// The exponent behind its letter; it has at most five digits.
fn exponent(letter: u8, text: &[u8]) -> Option<Exponent> {
    let (is_negative, has_plus, digits) = match text {
        [b'-', digits @ ..] => (true, false, digits),
        [b'+', digits @ ..] => (false, true, digits),
        digits => (false, false, digits),
    };
    if digits.is_empty() || digits.len() > 5 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0, |value, digit| 10 * value + i32::from(digit - b'0'));
    Some(Exponent {
        value: if is_negative { -value } else { value },
        is_upper: letter == b'E',
        has_plus,
        digits: digits.len() as u8,
    })
}

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
            1 => Some(if comma { '.' } else { ',' }),
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
    fn what_is_no_number() {
        for cell in [
            "",
            "-",
            ".",
            ",",
            "e5",
            "1e",
            "1e+",
            "1-2",
            "1,2,3",
            "1,23,456",
            "12,34.5",
            "1.2.3",
            "nan",
            "inf",
            "1 2",
            "0x10",
            "1_000",
            "5,",
            "1.5.",
            "--1",
            "1,234.5,6",
            "1e999999",
            "1.234.5",
        ] {
            assert!(scan(cell.as_bytes()).is_none(), "{cell}");
        }
        // Those of another style.
        assert_eq!(format('.', None).read(b"1,5"), None);
        assert_eq!(format(',', None).read(b"1.5"), None);
        assert_eq!(format('.', None).read(b"1,234"), None);
        assert_eq!(format('.', None).read(b"1e999"), None);
        assert!(scan(&b"9".repeat(100_000)).is_none());
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
