//! Values of a column as numbers, where there are no texts: in arrays and in graphs.

use crate::form::{Category, Domain};
use crate::table::Value;

impl Domain {
    /// Its values as numbers.
    pub fn as_numbers(&self) -> AsNumbers<'_> {
        let is_number = |category: &Category| category.text.parse::<f64>().is_ok();
        let texts_are_numbers = match self {
            Self::Categories { categories, rest } => categories.iter().chain(rest).all(is_number),
            _ => true,
        };
        AsNumbers { domain: self, texts_are_numbers }
    }
}

/// The values of a column as numbers, which an array or a graph has in the place of texts.
#[derive(Clone, Copy, Debug)]
pub struct AsNumbers<'a> {
    domain: &'a Domain,
    texts_are_numbers: bool,
}

impl AsNumbers<'_> {
    /// Whether all texts are numbers, which then stand for themselves; else categories are counted from 0.
    pub fn texts_are_numbers(&self) -> bool {
        self.texts_are_numbers
    }

    /// A value as a number: of a category its own where all texts are numbers, else its place; of a counter that of this row, counted from 0.
    /// What is missing, or has no number, is NaN.
    pub fn number(&self, value: Value, row: f64) -> f64 {
        match (self.domain, value) {
            (_, Value::Number(number)) => number,
            (_, Value::Integer(number) | Value::Date(number)) => number as f64,
            (Domain::Categories { categories, rest }, Value::Category(place)) => {
                let category = categories.iter().chain(rest).nth(place as usize).filter(|_| self.texts_are_numbers);
                category.and_then(|category| category.text.parse().ok()).unwrap_or(f64::from(place))
            }
            (Domain::Constant { text }, _) => text.parse().unwrap_or(f64::NAN),
            (Domain::Counter { first, .. }, _) => *first as f64 + row,
            _ => f64::NAN,
        }
    }
}
