//! Tables of numbers, and how their columns are brought to one scale for training and back.

use crate::data::ArraySource;
use crate::error::{Error, Result};
use crate::kernel::sum;
use crate::memory::room;
use crate::rows;

/// Most columns of a table.
pub const MAX_COLUMNS: usize = 1 << 14;

/// Numbers in rows and columns, as they stand in a file: finite, at least one row and one column.
///
/// ```
/// use gannet::data::table::{Standardization, Table};
///
/// let table = Table::new(2, vec![1.0, 10.0, 3.0, 30.0])?.with_names(vec!["width".into(), "height".into()]);
/// assert_eq!((table.rows(), Standardization::of(&table, "the table")?.features()), (2, 2));
/// # Ok::<(), gannet::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Table {
    /// The name of each column; none where the file has no names.
    pub names: Option<Vec<String>>,
    /// The number of columns.
    pub columns: usize,
    /// The numbers, row-major `[rows, columns]`.
    pub values: Vec<f64>,
}

impl Table {
    /// A table of row-major `values` without names.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where they are not one or more whole rows; [`Error::Data`] where one is not finite.
    pub fn new(columns: usize, values: Vec<f64>) -> Result<Self> {
        if columns == 0 {
            return Err(Error::shape("table", "one or more columns", "none"));
        }
        rows::some("table", values.len(), columns)?;
        rows::finite("table", &values, columns)?;
        Ok(Self { names: None, columns, values })
    }

    /// The same table with names of its columns; one without a name is told by its number.
    #[must_use]
    pub fn with_names(mut self, names: impl Into<Option<Vec<String>>>) -> Self {
        self.names = names.into();
        self
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns.max(1)
    }

    /// The names of the columns: those of the file, `column_1` and so on where it has none.
    pub fn column_names(&self) -> Vec<String> {
        (0..self.columns)
            .map(|index| {
                let name = self.names.as_ref().and_then(|names| names.get(index));
                name.filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| numbered(index))
            })
            .collect()
    }
}

/// Bytes of a number of a table, and of a standardized one of 32 bits beside it.
pub(super) const NUMBER_BYTES: u64 = (size_of::<f64>() + size_of::<f32>()) as u64;

/// Refuses a table of `count` numbers where they take more than `most` bytes, each of them `each`.
pub(super) fn check_room(count: usize, each: u64, most: u64) -> Result<()> {
    match (count as u64).saturating_mul(each) {
        needed if needed > most => Err(Error::MemoryLimit { needed, limit: most }),
        _ => Ok(()),
    }
}

/// The name of the column `index` of a table without names.
pub(super) fn numbered(index: usize) -> String {
    format!("column_{}", index + 1)
}

/// Values of a column that differ by no more than this share of their magnitude differ by rounding: a column of them is
/// constant. Four roundings of 64 bits: what a short computation leaves.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// Whether numbers from `least` to `greatest` differ by no more than rounding.
pub(super) fn is_rounding(least: f64, greatest: f64) -> bool {
    greatest - least <= ROUNDING * least.abs().max(greatest.abs())
}

/// How the columns of a table become features of mean 0 and standard deviation 1, and samples become rows of the table again:
/// `feature = (value - offset) / scale`. A column of scale 0 is constant: it is no feature, and its value is its offset.
#[derive(Clone, Debug, PartialEq)]
pub struct Standardization {
    offset: Vec<f64>,
    scale: Vec<f64>,
}

impl Standardization {
    /// From the offset and the scale of each column.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] where their numbers differ, where one is not finite, where a scale is negative, or where no
    /// column varies.
    pub fn new(offset: Vec<f64>, scale: Vec<f64>) -> Result<Self> {
        if offset.len() != scale.len() {
            let problem =
                format!("{} numbers, but `offset` has {}; a column has one of each", scale.len(), offset.len());
            return Err(Error::setting("scale", problem));
        }
        if let Some(value) = offset.iter().find(|value| !value.is_finite()) {
            return Err(Error::setting("offset", format!("{value} is not a finite number")));
        }
        if let Some(value) = scale.iter().find(|value| !(**value >= 0.0 && value.is_finite())) {
            return Err(Error::setting("scale", format!("{value} is not a finite number from 0 up")));
        }
        if scale.iter().all(|&value| value == 0.0) {
            return Err(Error::setting("scale", "every column is constant, so that there is nothing to learn"));
        }
        Ok(Self { offset, scale })
    }

    /// The mean and the standard deviation of each column of `table`, which comes from `origin`. A column whose values differ
    /// by no more than rounding is constant.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] where no column varies, or where the numbers of one are so large that their distance overflows.
    pub fn of(table: &Table, origin: &str) -> Result<Self> {
        let column = |index: usize| table.values.iter().skip(index).step_by(table.columns.max(1)).copied();
        let (mut offset, mut scale) = (Vec::with_capacity(table.columns), Vec::with_capacity(table.columns));
        for index in 0..table.columns {
            let (least, greatest) = column(index)
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), value| {
                    (value.min(least), value.max(greatest))
                });
            if is_rounding(least, greatest) {
                // The one that is there most often, at least where there are two.
                let of = |wanted: f64| column(index).filter(|&value| value == wanted).count();
                offset.push(if of(greatest) > of(least) { greatest } else { least });
                scale.push(0.0);
                continue;
            }
            // From the middle and in units of half the range: then no sum overflows, and a large offset takes no digit.
            let (middle, half) = (0.5 * least + 0.5 * greatest, 0.5 * greatest - 0.5 * least);
            let place = |value: f64| (value - middle) / half;
            let center = sum::mean(column(index).map(place));
            let mean = half.mul_add(center, middle);
            let sd = half * sum::mean(column(index).map(|value| (place(value) - center).powi(2))).sqrt();
            if !(sd > 0.0 && (greatest - least).is_finite()) {
                let name = &table.column_names()[index];
                let problem = format!("the numbers of column {} (`{name}`), {least} to {greatest}, ", index + 1);
                return Err(Error::data(
                    origin,
                    problem + "are too far apart or too close together for 64 bits; scale or leave out the column",
                ));
            }
            offset.push(mean);
            scale.push(sd);
        }
        Self::new(offset, scale).map_err(|_| {
            Error::data(
                origin,
                "every column is constant: there is nothing to learn; give a table in which a column varies",
            )
        })
    }

    /// The offset of each column.
    pub fn offset(&self) -> &[f64] {
        &self.offset
    }

    /// The scale of each column.
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// The number of features: columns that vary.
    pub fn features(&self) -> usize {
        self.scale.iter().filter(|&&scale| scale > 0.0).count()
    }

    /// The rows of `table`, which comes from `origin`, as samples.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] where the table has another number of columns, or a value is beyond 32 bits in its column's scale;
    /// [`Error::Shape`] for more than `u32::MAX` rows; [`Error::OutOfMemory`].
    pub fn apply(&self, table: &Table, origin: &str) -> Result<ArraySource> {
        if table.columns != self.scale.len() {
            let problem = format!(
                "has {} columns, but the settings are for {}; give a table with these, or other settings",
                table.columns,
                self.scale.len()
            );
            return Err(Error::data(origin, problem));
        }
        let features = self.features();
        let count = table.rows().saturating_mul(features);
        let mut values: Vec<f32> = room(count)?;
        for row in table.values.chunks_exact(table.columns) {
            let columns = row.iter().zip(&self.offset).zip(&self.scale).filter(|&(_, &scale)| scale > 0.0);
            values.extend(columns.map(|((value, offset), scale)| ((value - offset) / scale) as f32));
        }
        ArraySource::new(values, features)
            .map_err(|error| if let Error::Data { problem, .. } = error { Error::data(origin, problem) } else { error })
    }

    /// Samples, row-major `[samples, features]`, as rows of the table, row-major `[samples, columns]`.
    ///
    /// A number is rounded to what 32 bits of its standardized value resolve, so that it has no more digits than it is worth.
    pub fn undo<'a>(&'a self, samples: &'a [f32]) -> impl Iterator<Item = Vec<f64>> + 'a {
        samples.chunks_exact(self.features().max(1)).map(move |sample| {
            let mut features = sample.iter();
            let columns = self.offset.iter().zip(&self.scale);
            columns
                .map(|(&offset, &scale)| {
                    if scale == 0.0 {
                        return offset;
                    }
                    let feature = features.next().copied().unwrap_or(f32::NAN);
                    rounded(f64::from(feature).mul_add(scale, offset), scale)
                })
                .collect()
        })
    }
}

/// `value` to seven digits of `scale`, the decimal digits of an `f32`.
fn rounded(value: f64, scale: f64) -> f64 {
    let decimals = 6 - scale.log10().floor() as i32;
    let unit = 10f64.powi(decimals);
    let result = (value * unit).round() / unit;
    if result.is_finite() { result } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: usize, values: &[f64]) -> Table {
        Table { names: None, columns, values: values.to_vec() }
    }

    #[test]
    fn columns_become_mean_0_and_deviation_1_and_come_back() {
        let given = [1.0, 5.0, -2e9, 3.0, 5.0, -2e9 + 200.0, 5.0, 5.0, -2e9 + 400.0, 7.0, 5.0, -2e9 + 600.0];
        let table = table(3, &given);
        let standardization = Standardization::of(&table, "t").unwrap();
        assert_eq!(standardization.offset(), [4.0, 5.0, -2e9 + 300.0]);
        assert_eq!(standardization.scale(), [5f64.sqrt(), 0.0, 100.0 * 5f64.sqrt()]);
        let source = standardization.apply(&table, "t").unwrap();
        assert_eq!((source.len(), source.features(), standardization.features()), (4, 2, 2));
        for feature in 0..2 {
            let column = || source.values().iter().skip(feature).step_by(2).map(|&value| f64::from(value));
            assert!(column().sum::<f64>().abs() < 1e-6);
            assert!((column().map(|value| value * value).sum::<f64>() / 4.0 - 1.0).abs() < 1e-6);
        }
        let back: Vec<f64> = standardization.undo(source.values()).flatten().collect();
        for (back, given) in back.iter().zip(given) {
            assert!((back - given).abs() < 1e-4, "{back} instead of {given}");
        }
        // Seven digits of the scale: 2.236068 has one before the point.
        let back = standardization.undo(&[1.0, 0.0]).next().unwrap();
        assert_eq!(back, [6.236068, 5.0, -2e9 + 300.0]);
    }

    /// Held against sums of whole numbers, which are exact.
    #[test]
    fn a_large_offset_takes_no_digits() {
        for (base, step, count) in [
            (1_700_000_000_000_000i64, 1i64, 60u32),
            (9_000_000_000_000_000, 1, 1_000),
            (-4_000_000_000_000_000, 7, 12_345),
            (0, 3, 1_000),
        ] {
            let numbers: Vec<i64> =
                (0..i64::from(count)).map(|i| base + step * (i * 7_919 % i64::from(count))).collect();
            let exact: i128 = numbers.iter().map(|&number| i128::from(number)).sum();
            let mean = (exact / i128::from(count)) as f64 + (exact % i128::from(count)) as f64 / f64::from(count);
            // n sum (x - base)^2 - (sum (x - base))^2 is n^2 times the variance, and a whole number.
            let (sum, squares) = numbers.iter().fold((0i128, 0i128), |(sum, squares), &number| {
                let from_base = i128::from(number - base);
                (sum + from_base, squares + from_base * from_base)
            });
            let n = i128::from(count);
            let sd = ((n * squares - sum * sum) as f64).sqrt() / f64::from(count);
            let values: Vec<f64> = numbers.iter().map(|&number| number as f64).collect();
            let found = Standardization::of(&table(1, &values), "t").unwrap();
            assert_eq!(found.offset()[0], mean, "{base}");
            assert!((found.scale()[0] / sd - 1.0).abs() < 1e-14, "{base}: {} instead of {sd}", found.scale()[0]);
        }
    }

    #[test]
    fn rounding_is_no_spread() {
        let of = |values: &[f64]| {
            // Beside a column that varies.
            let rows: Vec<f64> = values.iter().enumerate().flat_map(|(row, &value)| [row as f64, value]).collect();
            let found = Standardization::of(&table(2, &rows), "t").unwrap();
            (found.offset()[1], found.scale()[1])
        };
        let above = 0.1 + 0.2;
        assert_eq!(of(&[0.3, above, 0.3]), (0.3, 0.0));
        assert_eq!(of(&[0.3, above, above]), (above, 0.0));
        assert_eq!(of(&[1.556559573141592e18, 1.5565595731415926e18]).1, 0.0);
        assert_eq!(of(&[1e15, 1e15 + 8.0]), (1e15 + 4.0, 4.0));
        assert_eq!(of(&[0.0, 5e-300]), (2.5e-300, 2.5e-300));
    }

    #[test]
    fn extreme_columns() {
        for scale in [1e-300, 1e-30, 1.0, 1e30, 1e300] {
            let table = table(1, &[scale, 2.0 * scale, 3.0 * scale]);
            let found = Standardization::of(&table, "t").unwrap();
            assert!((found.scale()[0] / scale - (2f64 / 3.0).sqrt()).abs() < 1e-12, "{found:?}");
            let back: Vec<f64> = found.undo(found.apply(&table, "t").unwrap().values()).flatten().collect();
            assert!(back.iter().zip(&table.values).all(|(back, given)| (back / given - 1.0).abs() < 1e-6), "{back:?}");
        }
        // A constant that is no binary fraction is constant all the same.
        let table_of = |values: &[f64]| Standardization::of(&table(1, values), "t").unwrap_err().to_string();
        assert!(table_of(&[0.1; 7]).contains("constant"));
        assert!(table_of(&[1.7e308, -1.7e308, -1.7e308]).contains("column 1"));
    }

    #[test]
    fn wrong_settings_are_named() {
        for (offset, scale, part) in [
            (vec![0.0], vec![1.0, 1.0], "scale: 2 numbers"),
            (vec![f64::NAN], vec![1.0], "offset: NaN"),
            (vec![0.0], vec![-1.0], "scale: -1"),
            (vec![0.0], vec![f64::NAN], "scale: NaN"),
            (vec![0.0], vec![0.0], "constant"),
            (vec![], vec![], "constant"),
        ] {
            let error = Standardization::new(offset, scale).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let one = Standardization::new(vec![0.0], vec![1e-300]).unwrap();
        assert!(one.apply(&table(2, &[1.0, 2.0]), "t.csv").unwrap_err().to_string().contains("t.csv: has 2 columns"));
        assert!(one.apply(&table(1, &[1.0, 2.0]), "t.csv").unwrap_err().to_string().starts_with("t.csv: row 0"));
    }

    #[test]
    fn a_table_is_whole_rows_of_finite_numbers() {
        let message = |columns, values: &[f64]| Table::new(columns, values.to_vec()).unwrap_err().to_string();
        assert_eq!(message(2, &[1.0; 3]), "table: expected one or more whole rows of 2 values each, found 3 values");
        assert_eq!(message(0, &[]), "table: expected one or more columns, found none");
        assert_eq!(
            message(2, &[1.0, 2.0, 3.0, f64::NAN]),
            "table: row 1, column 1 (counted from 0) is NaN, not a finite number"
        );
        assert_eq!(Table::new(2, vec![1.0, 2.0]).unwrap(), table(2, &[1.0, 2.0]));
    }

    #[test]
    fn columns_without_a_name_are_numbered() {
        let names = Some(vec!["x".to_string(), String::new()]);
        assert_eq!(Table { names, ..table(2, &[1.0, 2.0]) }.column_names(), ["x", "column_2"]);
        assert_eq!(table(2, &[1.0, 2.0]).column_names(), ["column_1", "column_2"]);
    }
}
