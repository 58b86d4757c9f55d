//! Which columns of a table lose values when they are brought to 32 bits.

use crate::data::table::{Standardization, Table, is_rounding};
use crate::error::Result;
use crate::memory::room;

/// Rows of a column that are looked at; of more rows so many, evenly.
const MOST_ROWS: usize = 1 << 18;

/// Share of the different values that may fall together: of a million random numbers in 32 bits some do.
const MAY_FALL: f64 = 0.1;

/// A column that training cannot see as it is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Unclear {
    /// Its values differ by no more than rounding, so that it is kept constant.
    #[non_exhaustive]
    Constant {
        /// The number of the column, from 0.
        column: usize,
        /// The least and the greatest value.
        range: [f64; 2],
    },
    /// Values that differ are the same number after scaling.
    #[non_exhaustive]
    Indistinct {
        /// The number of the column, from 0.
        column: usize,
        /// Different values among those that were looked at, and after scaling.
        values: [usize; 2],
        /// The least and the greatest value.
        range: [f64; 2],
    },
}

/// The columns of `table` that are unclear when `standardization` is applied to them.
///
/// # Errors
///
/// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
pub fn unclear(table: &Table, standardization: &Standardization) -> Result<Vec<Unclear>> {
    let stride = table.rows().div_ceil(MOST_ROWS).max(1);
    let mut values: Vec<f64> = room(table.rows().div_ceil(stride))?;
    let mut found = Vec::new();
    let columns = standardization.offset().iter().zip(standardization.scale()).enumerate();
    for (column, (&offset, &scale)) in columns.take(table.columns) {
        values.clear();
        values.extend(table.values.iter().skip(column).step_by(table.columns * stride));
        // Equal values beside one another; -0 and 0 are equal.
        values.sort_unstable_by(f64::total_cmp);
        let [Some(&least), Some(&greatest)] = [values.first(), values.last()] else { continue };
        let range = [least, greatest];
        if scale == 0.0 {
            if least != greatest && is_rounding(least, greatest) {
                found.push(Unclear::Constant { column, range });
            }
            continue;
        }
        let scaled = |value: f64| ((value - offset) / scale) as f32;
        let pairs = || values.windows(2);
        let different = 1 + pairs().filter(|pair| pair[0] != pair[1]).count();
        let left = 1 + pairs().filter(|pair| scaled(pair[0]) != scaled(pair[1])).count();
        if (different - left) as f64 > MAY_FALL * different as f64 {
            found.push(Unclear::Indistinct { column, values: [different, left], range });
        }
    }
    Ok(found)
}

impl Unclear {
    /// What is told of it, with the cause and the cure; `names` are those of the table's columns.
    pub fn text(&self, names: &[String]) -> String {
        let called = |column: usize| {
            let name = names.get(column).map(|name| format!(" (`{name}`)")).unwrap_or_default();
            format!("column {}{name}", column + 1)
        };
        match *self {
            Self::Constant { column, range: [least, greatest] } => format!(
                "{} varies from {least:e} to {greatest:e}, which is within the rounding of 64 bits; it is kept constant \
                 (subtract a number near {least:e} before writing the file if these differences matter)",
                called(column)
            ),
            Self::Indistinct { column, values: [different, left], range: [least, greatest] } => format!(
                "{different} different values of {} become {left} in training: some lie so far from the others ({least:e} to \
                 {greatest:e}) that 32 bits cannot tell these apart; remove or clip the extreme values, or write the logarithm",
                called(column)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: Vec<f64>) -> Vec<Unclear> {
        // Beside a column that is clear.
        let columns: Vec<f64> = values.iter().enumerate().flat_map(|(index, &value)| [index as f64, value]).collect();
        let table = Table { names: None, columns: 2, values: columns };
        unclear(&table, &Standardization::of(&table, "t").unwrap()).unwrap()
    }

    #[test]
    fn one_enormous_value_is_told() {
        let ordinary = (0..99).map(|i| 5.0 + f64::from(i) * 0.1);
        assert_eq!(of(ordinary.clone().collect()), []);
        let found = of(ordinary.clone().chain([1e12]).collect());
        assert_eq!(found, [Unclear::Indistinct { column: 1, values: [100, 2], range: [5.0, 1e12] }]);
        let text = found[0].text(&["t".to_string(), "x".to_string()]);
        assert!(text.starts_with("100 different values of column 2 (`x`) become 2"), "{text}");
        // Far, but not too far.
        assert_eq!(of(ordinary.chain([1e4]).collect()), []);
    }

    #[test]
    fn integers_that_32_bits_cannot_hold_are_told_where_they_fall_together() {
        // Standardized, integers with an offset are told apart, as are a hundred over the whole of 64 bits.
        assert_eq!(of((0..1_000).map(|i| f64::from(i) + 9e15).collect()), []);
        assert_eq!(of((0..100).map(|i| f64::from(i) * 9e13).collect()), []);
        // Small ones beside large ones are not.
        let found = of((0..1_000).map(|i| f64::from(i) + if i == 0 { 1e15 } else { 0.0 }).collect());
        assert!(matches!(found[..], [Unclear::Indistinct { column: 1, .. }]), "{found:?}");
    }

    #[test]
    fn rounding_is_no_spread() {
        let found = of([0.3, 0.1 + 0.2].repeat(9));
        assert_eq!(found, [Unclear::Constant { column: 1, range: [0.3, 0.1 + 0.2] }]);
        assert!(found[0].text(&[]).starts_with("column 2 varies from 3e-1"), "{}", found[0].text(&[]));
        assert_eq!(of(vec![7.0; 9]), []);
        // Many values of which few differ.
        assert_eq!(of((0..300_000).map(|i| f64::from(i % 7)).collect()), []);
    }
}
