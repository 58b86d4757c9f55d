//! What a column is to the networks.

use gannet::{Error, Result};
use serde::{Deserialize, Serialize};

use super::jitter::jitter;
use super::quantiles::Quantiles;
use super::scores::{Line, Scaling, Scores};
use crate::form::{ColumnForm, Domain};
use crate::table::{Column, Values};

/// Numbers of a column that its scores are fitted to, at most, one of each so many rows, beside its ends.
const FITTED: usize = 1 << 20;

/// What a column is to the networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Coding {
    /// Nothing: it is not learned.
    Nothing,
    /// A number, and where values are missing a group of two: one is there, or none.
    Number {
        /// Its scores.
        scores: Scores,
        /// What is taken off whole numbers before they become numbers of 64 bits, so that near ones stay apart.
        base: i64,
        /// Numbers are so much apart, or a multiple of it, counted in units of the last of `decimals`; 0 where nothing is known.
        step: u64,
        /// Decimals of numbers.
        decimals: u16,
        /// Whether values are missing.
        has_missing: bool,
    },
    /// A group with a place for each category, the rest among them, and one for missing values where there are some.
    Category {
        /// Places.
        places: usize,
        /// Whether the last one is that of missing values.
        has_missing: bool,
    },
}

/// How numbers are fitted.
#[derive(Clone, Copy)]
pub(super) struct Fitting {
    pub(super) scaling: Scaling,
    /// Parts of a column's scores, at most.
    pub(super) parts: usize,
}

impl Coding {
    /// That of a column.
    pub(super) fn fit(form: &ColumnForm, column: &Column, fitting: Fitting) -> Result<Self> {
        let has_missing = column.missing().is_some();
        match &form.domain {
            Domain::Categories { .. } => {
                let places = form.categories() + usize::from(has_missing);
                // One text in all rows needs no network.
                Ok(if places > 1 { Self::Category { places, has_missing } } else { Self::Nothing })
            }
            Domain::Numbers { range, .. } => Self::of_numbers(form, column, (0, *range), fitting),
            Domain::Integers { range, .. } | Domain::Dates { range, .. } => {
                let [least, greatest] = *range;
                // Along a line nothing is gained by numbers from 0 on, and older runs took them as they are.
                let base = if fitting.scaling == Scaling::Standard { 0 } else { least };
                Self::of_numbers(form, column, (base, [offset(least, base), offset(greatest, base)]), fitting)
            }
            _ => Ok(Self::Nothing),
        }
    }

    fn of_numbers(
        form: &ColumnForm,
        column: &Column,
        (base, range): (i64, [f64; 2]),
        fitting: Fitting,
    ) -> Result<Self> {
        let rows = match column.values() {
            Values::Numbers(values) => values.len(),
            Values::Integers(values) | Values::Dates(values) => values.len(),
            _ => 0,
        };
        let mut numbers = Vec::new();
        let most = rows.min(FITTED) + 2;
        numbers.try_reserve_exact(most).map_err(|_| Error::OutOfMemory { bytes: 8 * most as u64 })?;
        let apart = rows.div_ceil(FITTED).max(1);
        // Anywhere among so many: rows may alternate.
        let chosen = (0..rows).step_by(apart).map(|first| {
            let behind = (jitter(first as u64, 0) * apart as f64) as usize;
            (first + behind).min(rows - 1)
        });
        numbers.extend(chosen.filter_map(|row| number(column, row, base)));
        if apart > 1 && !numbers.is_empty() {
            numbers.extend(range);
        }
        if numbers.is_empty() {
            let problem = "none of its values can be learned; leave the column out";
            return Err(Error::setting(format!("column `{}`", form.name), problem));
        }
        // In the order of the rows, as sums were always made.
        let line = match fitting.scaling {
            Scaling::Standard => Some(Line::fit(&numbers).map_err(|problem| {
                Error::setting(format!("column `{}`", form.name), format!("{problem}; scale it, or leave it out"))
            })?),
            _ => None,
        };
        numbers.sort_unstable_by(f64::total_cmp);
        let decimals = match &form.domain {
            Domain::Numbers { format, .. } if format.exponent.is_none() => format.max_decimals,
            // Decimals of a number with an exponent are not those of its value: such a column has no grid.
            Domain::Numbers { .. } => u16::MAX,
            _ => 0,
        };
        let step = step(&numbers, decimals);
        let scores = match line {
            Some(line) => Scores::Line(line),
            None => Scores::Quantiles(Quantiles::fit(&numbers, range, fitting.parts)?),
        };
        Ok(Self::Number { scores, base, step, decimals, has_missing: column.missing().is_some() })
    }

    /// The number, less its base, that a score stands for; not a number of a column that has none.
    pub(super) fn number(&self, score: f32) -> f64 {
        match self {
            Self::Number { scores, step, decimals, .. } => {
                let number = scores.value(score);
                scores.least().map_or(number, |least| on_grid(number, least, (*step, *decimals)))
            }
            _ => f64::NAN,
        }
    }

    /// Checks what was stored of a column against its form.
    pub(super) fn validate(&self, form: &ColumnForm) -> Result<()> {
        let fits = match (self, &form.domain) {
            (Self::Nothing, Domain::Categories { .. }) => form.categories() == 1,
            (Self::Nothing, domain) => {
                !matches!(domain, Domain::Numbers { .. } | Domain::Integers { .. } | Domain::Dates { .. })
            }
            (Self::Number { .. }, domain) => {
                matches!(domain, Domain::Numbers { .. } | Domain::Integers { .. } | Domain::Dates { .. })
            }
            (Self::Category { places, has_missing }, _) => {
                *places > 1 && *places == form.categories() + usize::from(*has_missing) && form.categories() > 0
            }
        };
        if fits {
            Ok(())
        } else {
            Err(Error::setting(format!("column `{}`", form.name), "is not coded as its kind is"))
        }
    }
}

/// Decimals up to which numbers are counted in units of the last one.
const MOST_DECIMALS: u16 = 9;
/// Counts up to here are told apart by numbers of 64 bits.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The greatest number, in units of the last of so many decimals, of which all differences between ascending numbers are multiples; 0 where
/// there is none.
fn step(sorted: &[f64], decimals: u16) -> u64 {
    if decimals > MOST_DECIMALS {
        return 0;
    }
    let unit = 10f64.powi(i32::from(decimals));
    let mut step = 0u64;
    for pair in sorted.windows(2) {
        let apart = (pair[1] - pair[0]) * unit;
        if !(apart.abs() < EXACT) {
            return 0;
        }
        step = divisor(step, apart.round() as u64);
        if step == 1 {
            break;
        }
    }
    step
}

/// The greatest common divisor, by Euclid.
fn divisor(mut one: u64, mut other: u64) -> u64 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

/// The nearest number that is a multiple of the step from the least one, rounded to its decimals.
pub(super) fn on_grid(number: f64, least: f64, (step, decimals): (u64, u16)) -> f64 {
    if step == 0 || !number.is_finite() {
        return number;
    }
    let unit = 10f64.powi(i32::from(decimals.min(MOST_DECIMALS)));
    let steps = ((number - least) * unit / step as f64).round();
    let counted = (least * unit).round() + steps * step as f64;
    if counted.abs() < EXACT { counted / unit } else { number }
}

/// A whole number less another.
pub(super) fn offset(value: i64, base: i64) -> f64 {
    // Neither the difference nor its conversion overflows.
    (i128::from(value) - i128::from(base)) as f64
}

/// The number in a row, with `base` taken off whole ones; `None` where it is missing, or no number.
pub(super) fn number(column: &Column, row: usize, base: i64) -> Option<f64> {
    use crate::table::Value;
    match column.value(row) {
        Value::Number(number) if number.is_finite() => Some(number),
        Value::Integer(number) | Value::Date(number) => Some(offset(number, base)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_on_the_grid_of_the_data() {
        assert_eq!(step(&[0.25, 0.5, 1.75], 2), 25);
        assert_eq!(step(&[3.0, 3.0, 3_603.0, 10_803.0], 0), 3_600);
        assert_eq!([step(&[1.0], 0), step(&[0.1, 0.2], 12), step(&[0.0, 1e300], 2)], [0; 3]);
        assert_eq!(on_grid(0.61, 0.25, (25, 2)), 0.5);
        assert_eq!(on_grid(5_000.0, 3.0, (3_600, 0)), 3_603.0);
        assert_eq!(on_grid(0.123_456, 0.0, (0, 3)), 0.123_456);
        assert_eq!(on_grid(0.3 + 1e-12, 0.1, (1, 1)), 0.3);
        assert!(on_grid(f64::NAN, 0.0, (1, 0)).is_nan());
    }
}
