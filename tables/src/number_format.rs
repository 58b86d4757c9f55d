//! How the numbers of a column are written.

use serde::{Deserialize, Serialize};

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
    /// Whether groups before the last have two digits, as in `12,34,567` of India.
    #[serde(default, skip_serializing_if = "is_false")]
    pub has_lakhs: bool,
    /// Whether whole numbers end with the decimal mark: `6.`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ends_with_mark: bool,
    /// Whether numbers have 32 bits: they are written as short as those read back, and a number that is read is the nearest of those.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_single: bool,
    /// Whether numbers have 16 bits: one that is read or written is the nearest of those, and has all its digits.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_half: bool,
}

/// What is false is not stored: forms that were written before there was such a number are the same.
fn is_false(value: &bool) -> bool {
    !*value
}

/// How exponents are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExponentFormat {
    /// Whether every number has one, but for zeros; otherwise only those beyond [`bounds`](Self::bounds).
    pub is_always: bool,
    /// `E` instead of `e`.
    pub is_upper: bool,
    /// Whether positive exponents have a sign.
    pub has_plus: bool,
    /// Fewest digits: 2 for `e-05`.
    pub digits: u8,
    /// How many digits stand before the mark.
    #[serde(default)]
    pub mantissa: Mantissa,
    /// Decimals of a zero that has no exponent where all other numbers have one; none where it has one, too.
    #[serde(default)]
    pub zero_decimals: Option<u16>,
    /// Where not every number has one: the greatest power of ten below 1 and the least from 1 on whose numbers have.
    #[serde(default = "usual_bounds")]
    pub bounds: [i32; 2],
}

/// How the digits before an exponent are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mantissa {
    /// One before the mark: `1.5E+04`.
    #[default]
    Scientific,
    /// One to three, with an exponent that three divides: `15E+03`.
    Engineering,
    /// A zero, as Fortran writes: `0.15E+05`.
    Fraction,
}

/// The bounds of Python, whose output most files with a few exponents are: below 0.0001 and from 1e16 up.
fn usual_bounds() -> [i32; 2] {
    [-5, 16]
}

impl Default for ExponentFormat {
    /// As Python writes numbers: `1e-05`.
    fn default() -> Self {
        Self {
            is_always: false,
            is_upper: false,
            has_plus: true,
            digits: 2,
            mantissa: Mantissa::default(),
            zero_decimals: None,
            bounds: usual_bounds(),
        }
    }
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
            has_lakhs: false,
            ends_with_mark: false,
            is_single: false,
            is_half: false,
        }
    }
}
