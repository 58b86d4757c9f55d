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
    /// Whether numbers have 32 bits: they are written as short as those read back, and a number that is read is the nearest of those.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_single: bool,
}

/// What is false is not stored: forms that were written before there was such a number are the same.
fn is_false(value: &bool) -> bool {
    !*value
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
            is_single: false,
        }
    }
}
