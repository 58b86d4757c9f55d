//! Elements of an array: what of them a column has to know, whatever their type is.

use std::cmp::Ordering;

/// Whole numbers below it are told apart by 64-bit floats.
const EXACT: f64 = crate::number::EXACT as f64;

/// The elements of an array of numbers, row-major, by how many bits they have in it. Their texts are as short as they read back as the same.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Elements<'a> {
    /// Floats of 64 bits, or whole numbers that these hold.
    Doubles(&'a [f64]),
    /// Floats of 32 bits.
    Singles(&'a [f64]),
    /// Floats of 16 bits. Their texts have all their digits, so that they are the same numbers in any type.
    Halves(&'a [f64]),
    /// Whole numbers of 64 bits.
    Integers(&'a [i64]),
    /// Whole numbers of 64 bits without a sign.
    Unsigned(&'a [u64]),
}

impl<'a> From<&'a [f64]> for Elements<'a> {
    fn from(values: &'a [f64]) -> Self {
        Self::Doubles(values)
    }
}

impl<'a> From<&'a [i64]> for Elements<'a> {
    fn from(values: &'a [i64]) -> Self {
        Self::Integers(values)
    }
}

impl<'a> From<&'a [u64]> for Elements<'a> {
    fn from(values: &'a [u64]) -> Self {
        Self::Unsigned(values)
    }
}

/// An element of an array.
pub(crate) trait Element: Copy {
    /// Bits of a float of its type.
    const BITS: u32 = 64;
    /// Whole numbers from here on have none of [`whole`](Self::whole), in a message.
    const BOUND: &'static str = "2^53";

    /// The nearest float of 64 bits; NaN of a missing value.
    fn double(self) -> f64;

    /// It as a whole number; `None` where it is none, or one that others became by rounding.
    fn whole(self) -> Option<i64>;

    /// Which of two is less; NaN is greater than all others.
    fn order(&self, other: &Self) -> Ordering;

    /// As short as it reads back.
    fn text(self) -> String;

    /// What elements of one value have in common.
    fn key(self) -> u64;

    /// The key that the element of a text has, and the one that it has where the text stands for a float of 32 bits.
    fn keys(text: &str) -> [Option<u64>; 2];

    /// Whether it is a whole number that neither a float of 64 bits nor a whole one with a sign tells from others: a code.
    fn is_code(self) -> bool {
        false
    }

    fn is_missing(self) -> bool {
        self.double().is_nan()
    }
}

impl Element for f64 {
    fn double(self) -> f64 {
        self
    }

    fn whole(self) -> Option<i64> {
        (self.trunc() == self && self.abs() < EXACT).then_some(self as i64)
    }

    fn order(&self, other: &Self) -> Ordering {
        // 0 and -0 are one value.
        (self + 0.0).total_cmp(&(other + 0.0))
    }

    fn text(self) -> String {
        (self + 0.0).to_string()
    }

    fn key(self) -> u64 {
        (self + 0.0).to_bits()
    }

    fn keys(text: &str) -> [Option<u64>; 2] {
        let text = text.trim();
        [text.parse::<f64>().ok().map(f64::key), text.parse::<f32>().ok().map(|number| f64::from(number).key())]
    }
}

/// A float of 32 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Single(pub(crate) f64);

impl Element for Single {
    const BITS: u32 = 32;

    fn double(self) -> f64 {
        self.0
    }

    fn whole(self) -> Option<i64> {
        self.0.whole()
    }

    fn order(&self, other: &Self) -> Ordering {
        self.0.order(&other.0)
    }

    fn text(self) -> String {
        (self.0 as f32 + 0.0).to_string()
    }

    fn key(self) -> u64 {
        self.0.key()
    }

    fn keys(text: &str) -> [Option<u64>; 2] {
        f64::keys(text)
    }
}

impl Element for i64 {
    fn double(self) -> f64 {
        self as f64
    }

    fn whole(self) -> Option<i64> {
        Some(self)
    }

    fn order(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn text(self) -> String {
        self.to_string()
    }

    fn key(self) -> u64 {
        self.cast_unsigned()
    }

    fn keys(text: &str) -> [Option<u64>; 2] {
        let text = text.trim();
        // `5.0` is a category of numbers, too.
        let of_float = || text.parse::<f64>().ok().and_then(Element::whole);
        [text.parse().ok().or_else(of_float).map(i64::key), None]
    }
}

/// A float of 16 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Half(pub(crate) f64);

impl Element for Half {
    const BITS: u32 = 16;

    fn double(self) -> f64 {
        self.0
    }

    fn whole(self) -> Option<i64> {
        self.0.whole()
    }

    fn order(&self, other: &Self) -> Ordering {
        self.0.order(&other.0)
    }

    fn text(self) -> String {
        self.0.text()
    }

    fn key(self) -> u64 {
        self.0.key()
    }

    fn keys(text: &str) -> [Option<u64>; 2] {
        f64::keys(text)
    }
}

impl Element for u64 {
    const BOUND: &'static str = "2^63";

    fn double(self) -> f64 {
        self as f64
    }

    fn whole(self) -> Option<i64> {
        i64::try_from(self).ok()
    }

    fn order(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn text(self) -> String {
        self.to_string()
    }

    fn key(self) -> u64 {
        self
    }

    fn keys(text: &str) -> [Option<u64>; 2] {
        let text = text.trim();
        // `5.0` is a category of numbers, too.
        let of_float = || text.parse::<f64>().ok().and_then(Element::whole).and_then(|whole| whole.try_into().ok());
        [text.parse().ok().or_else(of_float), None]
    }

    fn is_code(self) -> bool {
        i64::try_from(self).is_err()
    }
}
