//! What a cell shows of its number, before anybody knows the style of its column.
//!
//! A style is a decimal mark and a separator of thousands. Most cells fit several: `12` all, `1.5` those with a decimal point,
//! `1,234` a decimal comma as well as a comma between thousands. A column has a style that fits all its cells.

/// Separators of thousands that fit either decimal mark; the other mark is one, too.
pub(crate) const SPACES: [&str; 5] = [" ", "\u{a0}", "\u{202f}", "'", "\u{2019}"];
/// Styles of one decimal mark: without a separator, with the other mark, with each of [`SPACES`], and [`LAKHS`].
pub(crate) const GROUPS: u16 = 3 + SPACES.len() as u16;
/// The last of them: the other mark between groups of two digits before one of three, as India writes `12,34,567.89`.
pub(crate) const LAKHS: u16 = GROUPS - 1;
/// Every style.
pub(crate) const ALL_STYLES: u16 = u16::MAX >> (u16::BITS - 2 * GROUPS as u32);
/// Those with a decimal point.
pub(crate) const POINT_STYLES: u16 = (1 << GROUPS) - 1;
/// Those with a decimal comma.
pub(crate) const COMMA_STYLES: u16 = POINT_STYLES << GROUPS;
/// The minus sign of typographers.
pub(crate) const LONG_MINUS: &str = "\u{2212}";

/// The bit of a style.
pub(crate) fn style(comma: bool, group: u16) -> u16 {
    1 << (u16::from(comma) * GROUPS + group)
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
    /// The same without zeros at the end.
    pub(crate) precise: u16,
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
    // The digits of the last group, and whether those before it have two.
    let (mut last_group, mut are_twos) = (0, true);
    let mut decimal = None;
    while let Some((separator, length)) = separator(rest) {
        let after = rest.get(length..)?;
        if !after.first().is_some_and(u8::is_ascii_digit) {
            // `5.` is a number; `5,` is not, and `.` is none.
            if separator == b'.' && group.is_none() && first > 0 {
                (group, groups, digits.run, digits.is_run_zero) = (Some(separator), 1, 0, true);
                (rest, are_threes) = (after, false);
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
            are_twos &= groups == 0 || last_group == 2;
            groups += 1;
            are_threes &= digits.run == 3;
            last_group = digits.run;
        }
    }
    let exponent = match rest {
        [] => None,
        [letter @ (b'e' | b'E'), after @ ..] => Some(exponent(*letter, after)?),
        _ => return None,
    };
    let is_grouped = are_threes && (1..=3).contains(&first) && exponent.is_none();
    let are_lakhs = are_twos && last_group == 3 && (1..=2).contains(&first) && exponent.is_none();
    let lakhs = if are_lakhs { style(false, LAKHS) } else { 0 };
    let styles = match (group, decimal) {
        (None, _) => ALL_STYLES,
        (Some(mark @ (b'.' | b',')), None) => {
            let comma = mark == b',';
            let as_mark = if comma { COMMA_STYLES } else { POINT_STYLES };
            // `0.123` has a decimal point.
            let as_group = if is_grouped { style(!comma, 1) } else { 0 } | if comma { lakhs } else { 0 };
            match groups {
                1 if is_leading_zero(cell) => as_mark,
                1 => as_mark | as_group,
                _ => as_group,
            }
        }
        (Some(b','), Some(b'.')) => lakhs | if is_grouped { style(false, 1) } else { 0 },
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
        precise: digits.precise,
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
    precise: u16,
    run: u16,
    run_first: u8,
    run_last: u8,
    is_run_zero: bool,
}

impl Default for Digits {
    fn default() -> Self {
        Self { mantissa: Some(0), significant: 0, precise: 0, run: 0, run_first: 0, run_last: 0, is_run_zero: true }
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
        let end_zeros = run.iter().rev().take_while(|&&digit| digit == b'0').count();
        if !self.is_run_zero {
            self.precise = self.significant - end_zeros as u16;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

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
            "123,45,678",
            "1,2,345",
            "1,23,45",
            "1.23.456",
            "1.23.456,5",
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
        assert!(scan(&b"9".repeat(100_000)).is_none());
    }

    #[test]
    fn groups_of_two_digits_are_a_style() {
        let has = |cell: &str, group: u16| scan(cell.as_bytes()).unwrap().styles & style(false, group) != 0;
        for (cell, is_threes, is_lakhs) in [
            ("12,34,567", false, true),
            ("1,00,000.50", false, true),
            ("1,234,567", true, false),
            ("123,456", true, false),
            ("12,345.5", true, true),
            ("12", true, true),
            ("0,123", false, false),
        ] {
            assert_eq!((has(cell, 1), has(cell, LAKHS)), (is_threes, is_lakhs), "{cell}");
        }
    }
}
