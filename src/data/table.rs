//! Tables of numbers, and how their columns are brought to one scale for training and back.

use crate::data::ArraySource;
use crate::error::{Error, Result};

/// Most columns of a table.
pub const MAX_COLUMNS: usize = 1 << 14;

/// Numbers in rows and columns, as they stand in a file: finite, at least one row and one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The name of each column; none where the file has no names.
    pub names: Option<Vec<String>>,
    /// The number of columns.
    pub columns: usize,
    /// The numbers, row-major `[rows, columns]`.
    pub values: Vec<f64>,
}

impl Table {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns.max(1)
    }

    /// The names of the columns: those of the file, `column_1` and so on where it has none.
    pub fn column_names(&self) -> Vec<String> {
        let numbered = |index: usize| format!("column_{}", index + 1);
        (0..self.columns)
            .map(|index| {
                let name = self.names.as_ref().and_then(|names| names.get(index));
                name.filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| numbered(index))
            })
            .collect()
    }
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

    /// The mean and the standard deviation of each column of `table`, which comes from `origin`.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] where no column varies, or where the numbers of one are so large that their distance overflows.
    pub fn of(table: &Table, origin: &str) -> Result<Self> {
        let count = table.rows() as f64;
        let column = |index: usize| table.values.iter().skip(index).step_by(table.columns.max(1)).copied();
        let (mut offset, mut scale) = (Vec::with_capacity(table.columns), Vec::with_capacity(table.columns));
        for index in 0..table.columns {
            let (least, greatest) = column(index)
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), value| {
                    (value.min(least), value.max(greatest))
                });
            if least == greatest {
                offset.push(least);
                scale.push(0.0);
                continue;
            }
            let mean = column(index).map(|value| value / count).sum::<f64>();
            // In units of the largest distance, so that the squares of tiny and huge ones are numbers too.
            let furthest = (greatest - mean).max(mean - least);
            let variance = column(index).map(|value| ((value - mean) / furthest).powi(2)).sum::<f64>() / count;
            let sd = furthest * variance.sqrt();
            if !(sd > 0.0 && sd.is_finite()) {
                let name = &table.column_names()[index];
                let problem = format!("the numbers of column {} (`{name}`), {least} to {greatest}, ", index + 1);
                return Err(Error::data(origin, problem + "are too far apart or too close together for 64 bits"));
            }
            offset.push(mean);
            scale.push(sd);
        }
        Self::new(offset, scale).map_err(|_| Error::data(origin, "every column is constant: there is nothing to learn"))
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
            let problem = format!("has {} columns, but the settings are for {}", table.columns, self.scale.len());
            return Err(Error::data(origin, problem));
        }
        let features = self.features();
        let count = table.rows().saturating_mul(features);
        let mut values: Vec<f32> = Vec::new();
        let bytes = count as u64 * size_of::<f32>() as u64;
        values.try_reserve_exact(count).map_err(|_| Error::OutOfMemory { bytes })?;
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
    use crate::gan::source::Source;

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
    fn columns_without_a_name_are_numbered() {
        let names = Some(vec!["x".to_string(), String::new()]);
        assert_eq!(Table { names, ..table(2, &[1.0, 2.0]) }.column_names(), ["x", "column_2"]);
        assert_eq!(table(2, &[1.0, 2.0]).column_names(), ["column_1", "column_2"]);
    }
}
