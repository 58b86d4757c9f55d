//! How the values of each column of a table are distributed, the real and the generated ones: a file that the report draws.

use gannet::data::table::Standardization;
use serde_json::json;

use crate::data::own::Form;

/// Columns that are counted.
pub(crate) const MOST: usize = 64;
/// Rows that are counted, evenly chosen: more change no histogram that an eye can see.
const ROWS: usize = 20_000;
/// Bars of a column.
const BARS: usize = 40;

/// The real values of a table, counted.
#[derive(Clone, Debug)]
pub(crate) struct ColumnHistograms {
    standardization: Standardization,
    columns: Vec<Column>,
}

/// The values of a column in bars between two ends.
#[derive(Clone, Debug)]
struct Column {
    name: String,
    low: f64,
    high: f64,
    /// Share of the values in each bar; what lies outside is in none.
    real: Vec<f64>,
}

impl ColumnHistograms {
    /// Counts `real`, standardized rows of a table; nothing of images, and of a table of one column, whose picture is a histogram.
    pub(crate) fn new(form: &Form, real: &[f32]) -> Option<Self> {
        let Form::Table { columns: names, standardization } = form else { return None };
        if names.len() < 2 || standardization.features() == 0 {
            return None;
        }
        let mut columns: Vec<Column> = names.iter().take(MOST).map(|name| Column::new(name.clone())).collect();
        let all = standardization.features();
        each_row(standardization, real, all, |row| {
            columns.iter_mut().zip(row).for_each(|(column, &value)| column.reach(value));
        });
        columns.iter_mut().for_each(Column::widen);
        let mut counted = Self { standardization: standardization.clone(), columns };
        let real = counted.shares(real, all);
        counted.columns.iter_mut().zip(real).for_each(|(column, real)| column.real = real);
        Some(counted)
    }

    /// The first features of a sample, which [`file`](Self::file) takes.
    pub(crate) fn features(&self) -> usize {
        self.standardization.scale().iter().take(MOST).filter(|&&scale| scale != 0.0).count().max(1)
    }

    /// The file with the histograms of `generated`, standardized rows of these features, beside the real ones.
    pub(crate) fn file(&self, generated: &[f32]) -> Vec<u8> {
        let shares = self.shares(generated, self.features());
        let column = |(column, generated): (&Column, Vec<f64>)| {
            let Column { name, low, high, real } = column;
            json!({"name": name, "low": low, "high": high, "real": real, "generated": generated})
        };
        let columns: Vec<_> = self.columns.iter().zip(shares).map(column).collect();
        json!({ "columns": columns }).to_string().into_bytes()
    }

    /// The share of the values of each column in each of its bars.
    fn shares(&self, samples: &[f32], features: usize) -> Vec<Vec<f64>> {
        let mut counts = vec![[0u32; BARS]; self.columns.len()];
        let mut rows = 0u32;
        each_row(&self.standardization, samples, features, |row| {
            rows += 1;
            for ((column, counts), value) in self.columns.iter().zip(&mut counts).zip(row) {
                let place = (value - column.low) / (column.high - column.low) * BARS as f64;
                if place >= 0.0 && place < BARS as f64 {
                    counts[place as usize] += 1;
                }
            }
        });
        // Five digits say all that is drawn.
        let share = |count: u32| (1e5 * f64::from(count) / f64::from(rows.max(1))).round() / 1e5;
        counts.into_iter().map(|counts| counts.into_iter().map(share).collect()).collect()
    }
}

impl Column {
    fn new(name: String) -> Self {
        Self { name, low: f64::INFINITY, high: f64::NEG_INFINITY, real: Vec::new() }
    }

    /// Holds a value, too.
    fn reach(&mut self, value: f64) {
        if value.is_finite() {
            (self.low, self.high) = (self.low.min(value), self.high.max(value));
        }
    }

    /// Makes room for half a bar beside the outermost values, so that whole numbers stand in the middle of theirs.
    fn widen(&mut self) {
        let room = (self.high - self.low) / (2 * BARS - 2) as f64;
        let room = if room > 0.0 { room } else { 0.5 };
        (self.low, self.high) = (self.low - room, self.high + room);
    }
}

/// Hands some rows of a table to `take`, in its units. Each is made from the first `features` of a sample; columns of others are
/// not a number.
fn each_row(standardization: &Standardization, samples: &[f32], features: usize, mut take: impl FnMut(&[f64])) {
    let step = (samples.len() / features.max(1)).div_ceil(ROWS).max(1);
    let mut sample = vec![f32::NAN; standardization.features()];
    for row in samples.chunks_exact(features.max(1)).step_by(step) {
        sample[..row.len()].copy_from_slice(row);
        standardization.undo(&sample).for_each(|row| take(&row));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    fn form(names: &[&str], offset: &[f64], scale: &[f64]) -> Form {
        let standardization = Standardization::new(offset.to_vec(), scale.to_vec()).unwrap();
        Form::Table { columns: names.iter().map(|name| (*name).to_string()).collect(), standardization }
    }

    #[test]
    fn values_are_counted_in_the_units_of_the_table() {
        // A column from 0 to 39, a constant one, and one of two values.
        let form = form(&["n", "c", "\"two\""], &[0.0, 7.0, 10.0], &[1.0, 0.0, 2.0]);
        let real: Vec<f32> = (0..40).flat_map(|row| [row as f32, (row % 2) as f32]).collect();
        let histograms = ColumnHistograms::new(&form, &real).unwrap();
        let generated: Vec<f32> = (0..10).flat_map(|_| [39.0, 100.0]).collect();
        let file: Value = serde_json::from_slice(&histograms.file(&generated)).unwrap();
        let column = |index: usize| &file["columns"][index];
        assert_eq!(column(0)["real"], json!(vec![0.025; BARS]));
        assert_eq!((column(0)["low"].as_f64(), column(0)["high"].as_f64()), (Some(-0.5), Some(39.5)));
        assert_eq!((&column(0)["generated"][38], &column(0)["generated"][39]), (&json!(0.0), &json!(1.0)));
        assert_eq!((&column(1)["name"], &column(1)["real"][BARS / 2]), (&json!("c"), &json!(1.0)));
        let two = column(2);
        assert_eq!(
            (&two["real"][0], &two["real"][BARS - 1], &two["name"]),
            (&json!(0.5), &json!(0.5), &json!("\"two\""))
        );
        // What lies outside is in no bar.
        assert_eq!(two["generated"], json!(vec![0.0; BARS]));
    }

    #[test]
    fn images_and_single_columns_have_none() {
        assert!(ColumnHistograms::new(&Form::Images { height: 1, width: 2 }, &[0.0; 4]).is_none());
        assert!(ColumnHistograms::new(&form(&["x"], &[0.0], &[1.0]), &[0.0; 4]).is_none());
    }
}
