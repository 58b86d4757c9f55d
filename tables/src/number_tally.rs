//! The numbers of a column as they come: the styles that read all of them, and how they are written.

use crate::affix::{affixes, core};
use crate::calendar::is_valid;
use crate::exponent_tally::ExponentTally;
use crate::number::POWERS;
use crate::number_format::NumberFormat;
use crate::row_numbers::{Numbering, RowNumbers};
use crate::scan::{ALL_STYLES, COMMA_STYLES, LAKHS, POINT_STYLES, Scan, scan, style};
use crate::span::Span;

/// Most decimals that are kept: beyond, a 64-bit number has none.
const MAX_DECIMALS: u16 = 340;

/// Significant digits up to which a decimal number and the nearest 64-bit one tell each other apart.
const SAFE_DIGITS: u16 = 15;

/// Fewer whole numbers beside ones with a point do not tell what the point is: they may have been put in by hand.
const LEAST_WHOLES: u64 = 3;
/// How many digits longer whole numbers below 1,000 are, on average, than what stands before a point between thousands. In numbers that lie
/// around 1,000, whole ones have two or three digits, and most others one or two. Decimals have the same length on both sides.
const LONGER: f64 = 0.5;

/// Whole numbers that may be days: those of these years.
const FIRST_DAY: i64 = 18_000_101;
const LAST_DAY: i64 = 22_000_101;

/// What is wrong with a number that is not whole, as [`NumberTally::not_whole`] counts it.
pub(crate) const NOT_WHOLE: [&str; 4] =
    ["is not whole", "is not whole", "has an exponent", "is beyond the whole numbers up to 9223372036854775807"];
/// Where decimals behind a point and behind a comma stand there.
pub(crate) const POINT: usize = 0;
pub(crate) const COMMA: usize = 1;

/// Decimals behind a mark, if it is the decimal one.
#[derive(Clone, Copy, Debug)]
struct Decimals {
    count: u64,
    span: Span,
    /// Whether all of them are zeros.
    are_zero: bool,
    /// Most decimals of a number whose last one is a zero.
    zero_ended: u16,
}

impl Decimals {
    const NONE: Self = Self { count: 0, span: Span::NONE, are_zero: true, zero_ended: 0 };

    /// The fewest and most decimals that numbers are written with, where `wholes` others have none. Where one of the most decimals ends
    /// with a zero, all are written with as many: the few shorter ones were put in by hand.
    fn written(self, wholes: u64) -> Span {
        let is_fixed = self.zero_ended == self.span.most && wholes <= self.count / 10;
        let least = match wholes {
            _ if is_fixed => self.span.most,
            0 => self.span.least,
            _ => 0,
        };
        Span { least, ..self.span }
    }
}

/// Digits before any mark, of several numbers.
#[derive(Clone, Copy, Debug)]
struct Lengths {
    span: Span,
    total: u64,
}

impl Lengths {
    const NONE: Self = Self { span: Span::NONE, total: 0 };

    fn add(&mut self, digits: u16) {
        self.span.add(digits);
        self.total += u64::from(digits);
    }
}

/// What the numbers of a column have in common.
#[derive(Clone, Debug)]
pub(crate) struct NumberTally {
    pub(crate) count: u64,
    styles: u16,
    affix: Option<(String, String)>,
    /// Numbers without a mark, their lengths, and the least and the greatest of their magnitudes.
    wholes: u64,
    whole_lengths: Lengths,
    whole_ends: [u64; 2],
    /// Lengths of numbers with a point.
    pointed_lengths: Lengths,
    point: Decimals,
    comma: Decimals,
    exponents: ExponentTally,
    significant: u16,
    /// Digits before any mark, of all numbers and of those that begin with a zero.
    first: Span,
    zero_led: Span,
    /// Whether some end with a point.
    has_end_mark: bool,
    has_bare: bool,
    has_zero: bool,
    has_long_minus: bool,
    is_beyond_integers: bool,
    rows: RowNumbers,
    /// Whether some are whole numbers beyond 64 bits that numbers of 64 bits do not tell apart from others.
    has_long_codes: bool,
    are_days: bool,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

/// A mark that may be decimal or stand between thousands, and what it was taken as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unclear {
    pub(crate) mark: char,
    pub(crate) is_decimal: bool,
}

impl Default for NumberTally {
    fn default() -> Self {
        let decimals = Decimals::NONE;
        Self {
            count: 0,
            styles: ALL_STYLES,
            affix: None,
            wholes: 0,
            whole_lengths: Lengths::NONE,
            whole_ends: [u64::MAX, 0],
            pointed_lengths: Lengths::NONE,
            point: decimals,
            comma: decimals,
            exponents: ExponentTally::default(),
            significant: 0,
            first: Span::NONE,
            zero_led: Span::NONE,
            has_end_mark: false,
            has_bare: false,
            has_zero: false,
            has_long_minus: false,
            is_beyond_integers: false,
            rows: RowNumbers::default(),
            has_long_codes: false,
            are_days: true,
            least: f64::INFINITY,
            greatest: f64::NEG_INFINITY,
        }
    }
}

impl NumberTally {
    /// Takes the cell of row `row`; whether it is a number that is written as those before.
    pub(crate) fn add(&mut self, cell: &[u8], row: u64) -> bool {
        let Some(found) = self.scan(cell) else { return false };
        if self.styles & found.styles == 0 {
            return false;
        }
        if self.count == 0 && self.affix.is_none() {
            self.affix = Some((String::new(), String::new()));
        }
        self.count += 1;
        self.styles &= found.styles;
        self.significant = self.significant.max(found.significant);
        self.has_long_minus |= found.has_long_minus;
        self.exponents.add(&found);
        match (found.exponent, found.mark) {
            (Some(_), _) => {}
            (None, 0) => {
                self.wholes += 1;
                self.whole_lengths.add(found.first);
                let magnitude = found.mantissa.unwrap_or(u64::MAX);
                self.whole_ends = [self.whole_ends[0].min(magnitude), self.whole_ends[1].max(magnitude)];
            }
            (None, mark) => {
                if mark == b'.' {
                    self.pointed_lengths.add(found.first);
                }
                let decimals = if mark == b'.' { &mut self.point } else { &mut self.comma };
                decimals.count += 1;
                decimals.span.add(found.tail);
                decimals.are_zero &= found.is_tail_zero;
                if found.ends_with_zero {
                    decimals.zero_ended = decimals.zero_ended.max(found.tail);
                }
            }
        }
        self.first.add(found.first);
        if found.is_zero_led {
            self.zero_led.add(found.first);
        }
        self.has_end_mark |= found.mark != 0 && found.tail == 0;
        self.has_bare |= found.first == 0;
        self.has_zero |= found.first == 1 && found.mark != 0 && found.significant <= found.tail;
        self.place(&found, row);
        true
    }

    /// What its value says of the column.
    fn place(&mut self, found: &Scan, row: u64) {
        // The least of all has a magnitude that the greatest does not reach.
        let integer = found.mantissa.map(i128::from).map(|value| if found.is_negative { -value } else { value });
        let integer = integer.and_then(|value| i64::try_from(value).ok());
        self.is_beyond_integers |= integer.is_none();
        let is_plain = found.styles == ALL_STYLES && found.exponent.is_none();
        self.has_long_codes |= integer.is_none() && is_plain && found.precise > SAFE_DIGITS;
        self.rows.add(integer.filter(|_| is_plain), row);
        let is_day = |value: i64| is_valid(value / 10_000, (value / 100 % 100) as u32, (value % 100) as u32);
        self.are_days &= found.mark == 0
            && found.first == 8
            && found.exponent.is_none()
            && integer.is_some_and(|value| (FIRST_DAY..LAST_DAY).contains(&value) && is_day(value));
        // Near enough to compare it with others; commas between thousands are not.
        let scale = POWERS.get(usize::from(found.tail)).copied().unwrap_or(f64::INFINITY);
        let power = found.exponent.map_or(1.0, |exponent| 10f64.powi(exponent.value));
        let magnitude = found.mantissa.map_or(f64::INFINITY, |mantissa| mantissa as f64) / scale * power;
        let value = if found.is_negative { -magnitude } else { magnitude };
        (self.least, self.greatest) = (self.least.min(value), self.greatest.max(value));
    }

    /// What a cell shows, without what stands around all numbers of the column.
    fn scan(&mut self, cell: &[u8]) -> Option<Scan> {
        let (prefix, suffix) = match &self.affix {
            Some((prefix, suffix)) if prefix.is_empty() && suffix.is_empty() => return scan(cell),
            Some((prefix, suffix)) => (prefix.clone(), suffix.clone()),
            None => {
                if let Some(found) = scan(cell) {
                    return Some(found);
                }
                if !cell.iter().any(u8::is_ascii_digit) {
                    return None;
                }
                let (prefix, suffix) = affixes(std::str::from_utf8(cell).ok()?)?;
                (prefix.to_string(), suffix.to_string())
            }
        };
        let (is_negated, number) = core(cell, &prefix, &suffix)?;
        let mut found = scan(number)?;
        found.is_negative ^= is_negated;
        self.affix = Some((prefix, suffix));
        Some(found)
    }

    /// Whether a cell is a number in a style of the column.
    pub(crate) fn reads(&self, cell: &[u8]) -> bool {
        self.clone().add(cell, 0)
    }

    /// Whether the column needs a decimal comma (`Some(true)`) or a decimal point (`Some(false)`).
    pub(crate) fn needs_comma(&self) -> Option<bool> {
        match (self.count > 0, self.styles & POINT_STYLES, self.styles & COMMA_STYLES) {
            (true, 0, _) => Some(true),
            (true, _, 0) => Some(false),
            _ => None,
        }
    }

    /// Whether points may stand between thousands or be decimal ones. Of `5.000`, `6.000` they are decimal ones of whole numbers.
    pub(crate) fn can_have_point_between_thousands(&self) -> bool {
        self.has_unclear_point() && !self.point.are_zero
    }

    /// Whether some numbers have a point that both decimals and thousands allow.
    fn has_unclear_point(&self) -> bool {
        self.point.count > 0 && self.styles & 1 != 0 && self.styles & style(true, 1) != 0
    }

    /// Whether points stand between thousands, as in `471`, `2.249`, `12.345`, although all could be decimal ones. Then the whole numbers
    /// end below 1,000 where the others begin, and are longer than what stands before a point. As decimals they would be as long.
    pub(crate) fn has_point_between_thousands(&self) -> bool {
        let [least, greatest] = self.whole_ends;
        // One whole number that comes again and again may be a sentinel, such as 999.
        let has_wholes = self.wholes >= LEAST_WHOLES && least < greatest && self.whole_lengths.span.most <= 3;
        let mean = |lengths: Lengths, count: u64| lengths.total as f64 / count.max(1) as f64;
        let whole_digits = mean(self.whole_lengths, self.wholes);
        self.has_unclear_point()
            && has_wholes
            && self.zero_led.is_none()
            && whole_digits >= mean(self.pointed_lengths, self.point.count) + LONGER
    }

    /// What row 0 would have, where the numbers count rows up.
    pub(crate) fn counts_from(&self) -> Option<i64> {
        self.rows.counts_from().filter(|_| self.can_be_counted())
    }

    /// How they number the rows of a table, of which the first is row `first_row`.
    pub(crate) fn numbering(&self, first_row: u64) -> Option<Numbering> {
        self.rows.numbering(first_row).filter(|_| self.can_be_counted() && !self.are_days())
    }

    /// Whether a counter writes numbers as these are written.
    fn can_be_counted(&self) -> bool {
        self.count > 0 && !self.has_affix() && !self.are_codes()
    }

    /// Whether a currency or a unit stands around all numbers.
    pub(crate) fn has_affix(&self) -> bool {
        self.affix.as_ref().is_some_and(|(prefix, suffix)| !(prefix.is_empty() && suffix.is_empty()))
    }

    /// Digits that all numbers have, filled up with zeros.
    pub(crate) fn width(&self) -> u8 {
        u8::try_from(if self.zero_led.is_none() { 0 } else { self.zero_led.most }).unwrap_or(0)
    }

    /// Whether all are whole numbers, of which some are too long for numbers of 64 bits: codes.
    pub(crate) fn are_long_codes(&self) -> bool {
        self.has_long_codes && self.wholes == self.count
    }

    /// Whether all numbers are days as `20240531`.
    pub(crate) fn are_days(&self) -> bool {
        self.are_days && self.count > 0
    }

    /// Whether some begin with zeros that no number of digits explains: codes, not numbers.
    pub(crate) fn are_codes(&self) -> bool {
        !self.zero_led.is_none()
            && (self.zero_led.least != self.zero_led.most || self.first.least < self.zero_led.least)
    }

    /// Whether a decimal mark is in some numbers.
    pub(crate) fn has_decimals(&self, format: &NumberFormat) -> bool {
        format.max_decimals > 0 || self.exponents.count > 0
    }

    /// Whether all are whole numbers of 64 bits with a sign.
    pub(crate) fn are_integers(&self, format: &NumberFormat) -> bool {
        let [point, comma, exponent, beyond] = self.not_whole();
        !(exponent || beyond || if format.decimal == ',' { comma } else { point })
    }

    /// Which of [`NOT_WHOLE`] some numbers are. A point or a comma may turn out to stand between thousands.
    pub(crate) fn not_whole(&self) -> [bool; 4] {
        [!self.point.are_zero, !self.comma.are_zero, self.exponents.count > 0, self.is_beyond_integers]
    }

    /// Which of them a cell of the column is.
    pub(crate) fn not_whole_alone(&self, cell: &[u8]) -> [bool; 4] {
        let mut alone = Self { affix: self.affix.clone(), ..Self::default() };
        alone.add(cell, 0);
        alone.not_whole()
    }

    /// The format of all of them, with a decimal mark that the caller or other columns prefer; and a mark that may mean something else.
    pub(crate) fn format(&self, preferred: char) -> (NumberFormat, Option<Unclear>) {
        let plain = |comma: bool| if comma { COMMA_STYLES & !(COMMA_STYLES << 1) } else { 1 };
        let all = |comma: bool| if comma { COMMA_STYLES } else { POINT_STYLES };
        let comma = preferred == ',';
        let order = [plain(comma), all(comma), plain(!comma), all(!comma)];
        let fitting = order.into_iter().map(|styles| self.styles & styles).find(|styles| *styles != 0).unwrap_or(1);
        let bit = fitting & fitting.wrapping_neg();
        let (decimal, group) = NumberFormat::of_style(bit);
        let unclear = match group {
            Some(mark @ (',' | '.')) if self.styles & plain(mark == ',') != 0 => {
                Some(Unclear { mark, is_decimal: false })
            }
            None if decimal == ',' && self.comma.span.most == 3 && self.styles & all(false) != 0 => {
                Some(Unclear { mark: ',', is_decimal: true })
            }
            None if decimal == '.' && self.has_unclear_point() => Some(Unclear { mark: '.', is_decimal: true }),
            _ => None,
        };
        let (own, other) = if decimal == ',' { (self.comma, self.point) } else { (self.point, self.comma) };
        let span = match (self.exponents.is_always(self.count), own.span.is_none()) {
            (true, _) => self.exponents.decimals,
            (false, true) => Span { least: 0, most: 0 },
            (false, false) => own.written(self.wholes + other.count),
        };
        let (prefix, suffix) = self.affix.clone().unwrap_or_default();
        let format = NumberFormat {
            decimal,
            group,
            min_decimals: span.least.min(MAX_DECIMALS),
            max_decimals: span.most.min(MAX_DECIMALS),
            significant: self.significant.max(1),
            exponent: self.exponents.format(self.count),
            width: self.width(),
            is_bare: self.has_bare && !self.has_zero,
            has_long_minus: self.has_long_minus,
            prefix,
            suffix,
            has_lakhs: bit == style(false, LAKHS),
            ends_with_mark: self.has_end_mark && self.wholes == 0 && self.exponents.count == 0,
            is_single: false,
            is_half: false,
        };
        (format, unclear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(cells: &[&str]) -> NumberTally {
        let mut tally = NumberTally::default();
        for (row, cell) in cells.iter().enumerate() {
            assert!(tally.add(cell.as_bytes(), row as u64), "{cell}");
        }
        tally
    }

    #[test]
    fn numbers_come_back_as_they_were_written() {
        for cells in [
            &["5.251", "4.700", "-0.001"][..],
            &["5.0", "4.75", "12.125"],
            &["5", "4.75"],
            &["1,000.50", "12.25"],
            &["1.000,50", "12,25"],
            &["1\u{a0}000,5", "2,5"],
            &["1'000", "12"],
            &["01000", "00042", "99999"],
            &[".5", "-.25", "1.5"],
            &["1.7582e-19", "-9.0457e-31"],
            &["1e-05", "2.5E-07".to_lowercase().as_str(), "0.25"],
            &["1.50E+03", "2.25E-11", "0.00E+00"],
            &["1.50e3", "2.25e-1", "1.00e12"],
            &["1.5E+003", "2.25E-001", "-3.0E+102"],
            &["12.50E+03", "1.25E-06", "-999.00E+00"],
            &["12.5E+03", "1E-06", "150E+09"],
            &["0.1500E+04", "-0.9999E-12", "0.0000E+00"],
            &["1.5E+03", "0", "2.25E-11"],
            &["1.50E+03", "0.0", "2.25E-11"],
            &["1.23457e+06", "123457", "0.25", "1e-05", "0"],
            &["1e+17", "2.5e-07", "1234567"],
            &["1,50E+03", "2,25E-11"],
            &["$1,200", "-$5"],
            &["12,34,567", "1,234", "12", "10,00,00,000", "-1,00,000"],
            &["₹1,00,000.50", "₹7.25"],
            &["6.", "12.", "-1."],
            &["6.", "12.5"],
            &["Rs. 1,00,000", "Rs. 50"],
            &["12 %", "7 %"],
            &["\u{2212}5.2", "3.1"],
            &["0.30000000000000004", "0.3"],
            &["206067299999.99997", "1.5"],
        ] {
            let (format, _) = tally(cells).format('.');
            for cell in cells {
                let mut out = Vec::new();
                format.write(format.read(cell.as_bytes()).unwrap(), &mut out);
                assert_eq!(String::from_utf8(out).unwrap(), *cell, "{format:?}");
            }
        }
    }

    #[test]
    fn marks_are_decided_over_all_cells() {
        let style = |cells: &[&str], preferred| {
            let (format, unclear) = tally(cells).format(preferred);
            (format.decimal, format.group, unclear.map(|unclear| unclear.is_decimal))
        };
        assert_eq!(style(&["1,234", "5,678"], '.'), ('.', Some(','), Some(false)));
        assert_eq!(style(&["1,234", "5,678"], ','), (',', None, Some(true)));
        assert_eq!(style(&["1,234", "5,67"], '.'), (',', None, None));
        assert_eq!(style(&["1.234", "5.678"], '.'), ('.', None, Some(true)));
        assert_eq!(style(&["1.234", "5.678"], ','), (',', Some('.'), Some(false)));
        assert_eq!(style(&["1.234", "0.678"], '.'), ('.', None, None));
        assert_eq!(style(&["1.234", "1.234.567"], '.'), (',', Some('.'), None));
        assert_eq!(style(&["1", "2"], '.'), ('.', None, None));
        assert_eq!(tally(&["5,25", "1"]).needs_comma(), Some(true));
        assert_eq!(tally(&["1,234"]).needs_comma(), None);
    }

    #[test]
    fn points_between_thousands_are_told_by_whole_numbers() {
        for cells in [
            &["471", "2.249", "12.345", "998", "302"][..],
            &["575.682", "2.249", "31.345", "998", "12", "302"],
            &["-471", "-2.249", "7.345", "998", "302"],
            &["471 €", "2.249 €", "998 €", "302 €"],
        ] {
            assert!(tally(cells).has_point_between_thousands(), "{cells:?}");
        }
        for cells in [
            // Decimals whose trailing zeros were cut.
            &["471", "2.249", "1.5", "998", "302"][..],
            // Whole numbers that are as long as what stands before the points.
            &["1.234", "2", "3.456", "4", "5.678", "9"],
            &["123.456", "200", "345.678", "98.123", "300", "400"],
            &["1.234", "5.678", "9.876"],
            // A sentinel, one put in by hand, and a whole number beyond 1,000.
            &["1.234", "999", "999", "999", "5.678"],
            &["1.234", "120", "5.678"],
            &["471", "2.249", "1200", "998", "302"],
            &["471", "0.249", "998", "302"],
            &["471", "998", "302"],
        ] {
            assert!(!tally(cells).has_point_between_thousands(), "{cells:?}");
        }
    }

    #[test]
    fn counters_days_and_codes() {
        assert_eq!(tally(&["1", "2", "3"]).counts_from(), Some(1));
        assert_eq!(tally(&["0007", "0008", "0009"]).counts_from(), Some(7));
        for others in
            [["1", "2", "4"], ["7", "08", "09"], ["1%", "2%", "3%"], ["1 000", "1 001", "1 002"], ["1.0", "2.0", "3.0"]]
        {
            assert_eq!(tally(&others).counts_from(), None, "{others:?}");
        }
        assert!(tally(&["18446744073709551615", "10000000000000000001"]).are_long_codes());
        assert!(!tally(&["100000000000000000000", "5"]).are_long_codes());
        assert!(tally(&["19580329", "20240229"]).are_days() && !tally(&["19580329", "20230229"]).are_days());
        assert!(tally(&["007", "7"]).are_codes() && !tally(&["007", "100"]).are_codes());
        let (format, _) = tally(&["5.0", "6.0"]).format('.');
        assert!(tally(&["5.0", "6.0"]).are_integers(&format) && !tally(&["5.5"]).are_integers(&format));
        assert!(!tally(&["99999999999999999999"]).are_integers(&format));
        assert!(tally(&["-9223372036854775808", "9223372036854775807"]).are_integers(&format));
        assert!(!tally(&["9223372036854775808"]).are_integers(&format));
    }

    #[test]
    fn a_number_of_another_style_is_refused() {
        let mut tally = tally(&["1.5"]);
        assert!(!tally.add(b"2,5", 1) && !tally.add(b"$5", 1) && !tally.add(b"x", 1));
        assert!(tally.add(b"2.5", 1));
        assert_eq!(tally.count, 2);
    }
}
