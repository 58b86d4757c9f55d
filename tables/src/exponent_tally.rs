//! The exponents of a column of numbers as they come: how they are written, and which numbers have one.

use std::ops::RangeInclusive;

use crate::number::POWERS;
use crate::number_format::{ExponentFormat, Mantissa};
use crate::scan::{Exponent, Scan};
use crate::span::Span;

/// Powers of ten, the least and the greatest.
type Powers = Option<RangeInclusive<i32>>;

/// What the exponents of a column have in common.
#[derive(Clone, Debug)]
pub(crate) struct ExponentTally {
    /// Numbers that have one.
    pub(crate) count: u64,
    /// The first of them, with the fewest digits, and a sign where a positive one has it.
    known: Option<Exponent>,
    /// Whether one that is not negative has no sign.
    has_unsigned: bool,
    /// Decimals before exponents.
    pub(crate) decimals: Span,
    /// The ways to write the digits before the exponent that all of them have.
    are_scientific: bool,
    are_engineering: bool,
    are_fractions: bool,
    /// Zeros without an exponent, and their decimals.
    zeros: u64,
    zero_decimals: Span,
    /// Of numbers without an exponent but zeros, and of those that have one, below 1 and from 1 on.
    plain: Powers,
    small: Powers,
    great: Powers,
}

impl Default for ExponentTally {
    fn default() -> Self {
        Self {
            count: 0,
            known: None,
            has_unsigned: false,
            decimals: Span::NONE,
            are_scientific: true,
            are_engineering: true,
            are_fractions: true,
            zeros: 0,
            zero_decimals: Span::NONE,
            plain: None,
            small: None,
            great: None,
        }
    }
}

impl ExponentTally {
    /// Takes a number.
    pub(crate) fn add(&mut self, found: &Scan) {
        let is_zero = found.significant == 0;
        let shift = i32::from(found.significant) - i32::from(found.tail) - 1;
        let Some(exponent) = found.exponent else {
            if is_zero {
                self.zeros += 1;
                self.zero_decimals.add(found.tail);
            } else {
                include(&mut self.plain, shift);
            }
            return;
        };
        self.count += 1;
        self.decimals.add(found.tail);
        self.has_unsigned |= exponent.value >= 0 && !exponent.has_plus;
        let known = self.known.get_or_insert(exponent);
        known.digits = known.digits.min(exponent.digits);
        known.has_plus |= exponent.has_plus;
        if !is_zero {
            self.are_scientific &= shift == 0;
            self.are_engineering &= (0..3).contains(&shift) && exponent.value % 3 == 0;
            self.are_fractions &= shift == -1;
            let power = exponent.value + shift;
            include(if power < 0 { &mut self.small } else { &mut self.great }, power);
        }
    }

    /// Whether all numbers of a column of `count` have one, but for zeros.
    pub(crate) fn is_always(&self, count: u64) -> bool {
        self.count > 0 && self.count + self.zeros == count
    }

    /// How they are written in a column of `count` numbers; none where there are none.
    pub(crate) fn format(&self, count: u64) -> Option<ExponentFormat> {
        let known = self.known?;
        let mantissa = match (self.are_scientific, self.are_engineering, self.are_fractions) {
            (true, ..) => Mantissa::Scientific,
            (false, true, _) => Mantissa::Engineering,
            (false, false, true) => Mantissa::Fraction,
            (false, false, false) => Mantissa::Scientific,
        };
        Some(ExponentFormat {
            is_always: self.is_always(count),
            is_upper: known.is_upper,
            // Where none tells, those of two digits are as C writes them.
            has_plus: known.has_plus || (!self.has_unsigned && known.digits > 1),
            digits: known.digits,
            mantissa,
            zero_decimals: (!self.zero_decimals.is_none()).then_some(self.zero_decimals.most),
            bounds: self.bounds().unwrap_or(ExponentFormat::default().bounds),
        })
    }

    /// Up to which power below 1, and from which one on, numbers have an exponent; none where the usual bounds fit, or no others do.
    fn bounds(&self) -> Option<[i32; 2]> {
        let [usual_low, usual_high] = ExponentFormat::default().bounds;
        let ends = |powers: &Powers| powers.as_ref().map(|powers| (*powers.start(), *powers.end()));
        let (least, most) = ends(&self.plain)?;
        let low = ends(&self.small).map_or(usual_low, |(_, nearest)| nearest);
        let high = ends(&self.great).map_or(usual_high, |(nearest, _)| nearest);
        let is_usual = low <= usual_low && high >= usual_high && least > usual_low && most < usual_high;
        let has_powers = low > -(POWERS.len() as i32) && high < POWERS.len() as i32;
        (!is_usual && has_powers && low < least && most < high).then_some([low, high])
    }
}

/// Widens a range to a power.
fn include(powers: &mut Powers, power: i32) {
    *powers = Some(match powers {
        None => power..=power,
        Some(known) => (*known.start()).min(power)..=(*known.end()).max(power),
    });
}
