//! Features of rows for linear models: standardized numbers, marks of gaps, and categories one-hot.

use super::cells::{Cells, Sample};
use super::scale::Scale;
use super::vectors::dot;

/// Most rows of a table that a model is trained on or tested with. Of more, an even choice is.
pub const MAX_MODEL_ROWS: usize = 10_000;
/// Most columns that a model or a distance looks at. Of more, an even choice is.
pub const MAX_MODEL_COLUMNS: usize = 128;
/// Standardized numbers are at most so many deviations from the mean, so that one wild number overflows nothing.
const FURTHEST: f64 = 1e6;

/// How columns become features. Feature 0 is always 1, for the intercept; numbers and marks follow, then all codes of all categories.
pub(crate) struct Encoder {
    columns: Vec<Encoded>,
    numbers: usize,
    width: usize,
}

enum Encoded {
    Number { scale: Scale, has_mark: bool },
    Codes { first: usize },
}

impl Encoder {
    /// Takes means and deviations from the rows of `fitted`. A gap is filled by the mean, and counts so in the deviation. A column of
    /// numbers has a feature that marks gaps where one of `seen` has gaps. A missing category is a category.
    pub(crate) fn new(fitted: &[&Sample], seen: &[&Sample]) -> Self {
        let count = fitted.first().map_or(0, |sample| sample.columns.len());
        let (mut columns, mut numbers, mut width) = (Vec::with_capacity(count), 0, 0);
        for place in 0..count {
            let fitted = fitted.iter().filter_map(|sample| sample.columns.get(place));
            if let Some(Cells::Codes(codes)) = fitted.clone().next() {
                columns.push(Encoded::Codes { first: width });
                width += usize::from(codes.width);
            } else {
                let mut seen = seen.iter().filter_map(|sample| sample.columns.get(place));
                let has_mark = seen.any(|cells| cells.missing() > 0);
                let scale = Scale::of(fitted.flat_map(|cells| cells.numbers().iter().copied()), true);
                columns.push(Encoded::Number { scale, has_mark });
                numbers += 1 + usize::from(has_mark);
            }
        }
        for column in &mut columns {
            if let Encoded::Codes { first } = column {
                *first += 1 + numbers;
            }
        }
        Self { columns, numbers, width: 1 + numbers + width }
    }

    /// The features of all rows of these samples, one after the other.
    pub(crate) fn encode(&self, samples: &[&Sample]) -> Features {
        let rows = samples.iter().map(|sample| sample.rows).sum();
        let categories = self.columns.iter().filter(|column| matches!(column, Encoded::Codes { .. })).count();
        let mut numbers = vec![0.0; rows * self.numbers];
        let mut codes = vec![0u32; rows * categories];
        let mut begin = 0;
        for sample in samples {
            let (mut number, mut category) = (0, 0);
            for (column, cells) in self.columns.iter().zip(&sample.columns) {
                match (column, cells) {
                    (Encoded::Number { scale, has_mark }, Cells::Numbers(values)) => {
                        let rows = numbers.chunks_exact_mut(self.numbers).skip(begin);
                        for (row, value) in rows.zip(values) {
                            if !value.is_nan() {
                                row[number] = scale.standardized(*value).clamp(-FURTHEST, FURTHEST);
                            }
                            if *has_mark {
                                row[number + 1] = f64::from(u8::from(value.is_nan()));
                            }
                        }
                        number += 1 + usize::from(*has_mark);
                    }
                    (Encoded::Codes { first }, Cells::Codes(values)) => {
                        let rows = codes.chunks_exact_mut(categories).skip(begin);
                        rows.zip(&values.codes)
                            .for_each(|(row, &code)| row[category] = *first as u32 + u32::from(code));
                        category += 1;
                    }
                    // Samples of the same columns have the same sorts of cells.
                    _ => {}
                }
            }
            begin += sample.rows;
        }
        Features { rows, width: self.width, numbers, stride: self.numbers, codes, categories }
    }
}

/// The features of some rows, as a matrix that is not written out: of the codes of a column, one is 1.
pub(crate) struct Features {
    rows: usize,
    width: usize,
    numbers: Vec<f64>,
    stride: usize,
    codes: Vec<u32>,
    categories: usize,
}

impl Features {
    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The number of features.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// A row: its numbers, and the features of its categories.
    fn row(&self, row: usize) -> (&[f64], &[u32]) {
        let numbers = self.numbers.get(row * self.stride..(row + 1) * self.stride).unwrap_or_default();
        let codes = self.codes.get(row * self.categories..(row + 1) * self.categories).unwrap_or_default();
        (numbers, codes)
    }

    /// The product with a vector of `width` weights: a value for each row.
    pub(crate) fn times(&self, weights: &[f64]) -> Vec<f64> {
        let Some((intercept, others)) = weights.split_first() else { return vec![0.0; self.rows] };
        let product = |row| {
            let (numbers, codes) = self.row(row);
            let of_codes: f64 = codes.iter().filter_map(|code| weights.get(*code as usize)).sum();
            intercept + dot(numbers, others.get(..numbers.len()).unwrap_or_default()) + of_codes
        };
        (0..self.rows).map(product).collect()
    }

    /// The product of the transposed matrix with a vector of `rows` values: the sum over all rows of value times feature.
    pub(crate) fn transposed_times(&self, values: &[f64]) -> Vec<f64> {
        self.summed(values, |number| number)
    }

    /// The sum over all rows of value times the square of each feature.
    pub(crate) fn squares(&self, values: &[f64]) -> Vec<f64> {
        self.summed(values, |number| number * number)
    }

    fn summed(&self, values: &[f64], part: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.width];
        for (row, &value) in values.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            let (numbers, codes) = self.row(row);
            if let Some((intercept, others)) = sums.split_first_mut() {
                *intercept += value;
                others.iter_mut().zip(numbers).for_each(|(sum, &number)| *sum += value * part(number));
            }
            for &code in codes {
                if let Some(sum) = sums.get_mut(code as usize) {
                    *sum += value;
                }
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::cells::Codes;

    #[test]
    fn rows_become_features() {
        let sample = |numbers: &[f64], codes: &[u16]| Sample {
            columns: vec![
                Cells::Codes(Codes { codes: codes.to_vec(), width: 3 }),
                Cells::Numbers(numbers.to_vec()),
                Cells::Numbers(vec![5.0; numbers.len()]),
            ],
            rows: numbers.len(),
        };
        let (fitted, other) = (sample(&[1e-300, 3e-300], &[0, 2]), sample(&[1.7e308, f64::NAN], &[1, 1]));
        let encoder = Encoder::new(&[&fitted], &[&fitted, &other]);
        let features = encoder.encode(&[&fitted, &other]);
        // The intercept, a number with its mark, a constant, and three codes.
        assert_eq!((features.rows(), features.width()), (4, 7));
        let column = |feature: usize| {
            let mut weights = vec![0.0; 7];
            weights[feature] = 1.0;
            features.times(&weights)
        };
        let expected = [
            [1.0; 4],
            [-1.0, 1.0, FURTHEST, 0.0],
            [0.0, 0.0, 0.0, 1.0],
            [0.0; 4],
            [1.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 1.0, 1.0],
            [0.0, 1.0, 0.0, 0.0],
        ];
        for (feature, expected) in expected.iter().enumerate() {
            let found = column(feature);
            assert!(found.iter().zip(expected).all(|(one, two)| (one - two).abs() <= 1e-12), "{feature}: {found:?}");
        }
        assert_eq!(features.transposed_times(&[1.0, 2.0, 0.0, 0.5])[4..], [1.0, 0.5, 2.0]);
        assert_eq!(features.squares(&[1.0, 2.0, 0.0, 0.5])[0], 3.5);
    }
}
