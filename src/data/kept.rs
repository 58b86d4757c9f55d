//! Columns that are kept constant, since they were so in training: what a table has in them.

use crate::data::table::{Standardization, Table, is_rounding};
use crate::kernel::sum;

/// A column of which all samples have one value, held against a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// The number of the column, from 0.
    pub column: usize,
    /// The value of all samples.
    pub value: f64,
    /// The least and the greatest value of the table.
    pub range: [f64; 2],
    /// Whether the table has other values, by more than rounding.
    pub differs: bool,
    /// The mean distance of the table's values from `value`, in units of their standard deviation: 0 where all are the same,
    /// infinite where those of the table are one other value.
    pub distance: f64,
    /// `value` less the table's mean, in the same units.
    pub mean_error: f64,
}

impl Kept {
    /// Whether the table has just this value.
    pub fn is_same(&self) -> bool {
        self.range == [self.value; 2]
    }

    /// The standard deviation of the samples, which is 0, less the table's, in units of the table's.
    pub fn sd_error(&self) -> f64 {
        if self.range[0] == self.range[1] { 0.0 } else { -1.0 }
    }
}

/// The columns of `table` that `standardization` keeps constant.
pub fn kept(table: &Table, standardization: &Standardization) -> Vec<Kept> {
    let columns = standardization.offset().iter().zip(standardization.scale()).take(table.columns).enumerate();
    columns.filter(|(_, (_, scale))| **scale == 0.0).map(|(column, (value, _))| of(table, column, *value)).collect()
}

fn of(table: &Table, column: usize, value: f64) -> Kept {
    let values = || table.values.iter().skip(column).step_by(table.columns.max(1)).copied();
    let (least, greatest) = values()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), value| (value.min(least), value.max(greatest)));
    // In units of half the range from its middle, so that nothing overflows.
    let (middle, half) = (0.5 * least + 0.5 * greatest, 0.5 * greatest - 0.5 * least);
    let place = |value: f64| if half > 0.0 { (value - middle) / half } else { value - middle };
    let (at, mean) = (place(value), sum::mean(values().map(place)));
    let sd = sum::mean(values().map(|value| (place(value) - mean).powi(2))).sqrt();
    let scaled = |distance: f64| if distance == 0.0 { 0.0 } else { distance / sd };
    Kept {
        column,
        value,
        range: [least, greatest],
        differs: !is_rounding(least.min(value), greatest.max(value)),
        distance: scaled(sum::mean(values().map(|value| (place(value) - at).abs()))),
        mean_error: scaled(at - mean),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_table_has_in_a_kept_column_is_told() {
        let of = |values: &[f64]| {
            let rows: Vec<f64> = values.iter().enumerate().flat_map(|(row, &value)| [row as f64, value]).collect();
            let standardization = Standardization::new(vec![0.0, 7.0], vec![1.0, 0.0]).unwrap();
            kept(&Table { names: None, columns: 2, values: rows }, &standardization).remove(0)
        };
        let same = of(&[7.0; 4]);
        assert!(same.is_same() && !same.differs && same.column == 1);
        assert_eq!((same.distance, same.mean_error, same.sd_error()), (0.0, 0.0, 0.0));
        let rounded = of(&[7.0, 7.0, 7.0 + 8.0 * f64::EPSILON]);
        assert!(!rounded.is_same() && !rounded.differs, "{rounded:?}");
        let other = of(&[9.0; 4]);
        assert!(other.differs && other.distance == f64::INFINITY && other.mean_error == f64::NEG_INFINITY);
        let varying = of(&[3.0, 5.0, 9.0, 11.0]);
        assert_eq!((varying.differs, varying.range, varying.mean_error), (true, [3.0, 11.0], 0.0));
        assert!((varying.distance - 3.0 / 10f64.sqrt()).abs() < 1e-12 && varying.sd_error() == -1.0, "{varying:?}");
        assert!(of(&[-1.7e308, 1.7e308]).distance.is_finite());
    }
}
