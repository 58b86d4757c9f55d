//! Distances of rows by Gower: the mean over columns of differences in 0 .. 1.

use super::cells::{Cells, Sample};

/// Rows, ready for distances.
pub(crate) struct Rows {
    rows: usize,
    /// The numbers of a row beside each other, from 0 to 1 in the range of real rows; NaN where there is none.
    numbers: Vec<f64>,
    stride: usize,
    /// The codes of a row beside each other.
    codes: Vec<u16>,
    categories: usize,
}

impl Rows {
    /// Rows of the same columns. The ranges of numbers are those of the first two samples together.
    pub(crate) fn scaled(samples: [&Sample; 3]) -> [Self; 3] {
        let columns = samples[0].columns.len();
        let range = |place: usize| {
            let real = samples[..2].iter().filter_map(|sample| sample.columns.get(place));
            let numbers = || real.clone().flat_map(|cells| cells.numbers()).filter(|number| !number.is_nan());
            let least = numbers().copied().fold(f64::INFINITY, f64::min);
            let greatest = numbers().copied().fold(f64::NEG_INFINITY, f64::max);
            if least <= greatest { (least, greatest) } else { (0.0, 0.0) }
        };
        let ranges: Vec<(f64, f64)> = (0..columns).map(range).collect();
        samples.map(|sample| {
            let is_number = |cells: &&Cells| matches!(cells, Cells::Numbers(_));
            let stride = sample.columns.iter().filter(is_number).count();
            let categories = sample.columns.len() - stride;
            let (mut numbers, mut codes) = (vec![0.0; sample.rows * stride], vec![0u16; sample.rows * categories]);
            let (mut number, mut category) = (0, 0);
            for (cells, &range) in sample.columns.iter().zip(&ranges) {
                match cells {
                    Cells::Numbers(values) => {
                        let rows = numbers.chunks_exact_mut(stride).zip(values);
                        rows.for_each(|(row, value)| row[number] = placed(*value, range));
                        number += 1;
                    }
                    Cells::Codes(values) => {
                        let rows = codes.chunks_exact_mut(categories).zip(&values.codes);
                        rows.for_each(|(row, code)| row[category] = *code);
                        category += 1;
                    }
                }
            }
            Self { rows: sample.rows, numbers, stride, codes, categories }
        })
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    fn row(&self, row: usize) -> (&[f64], &[u16]) {
        let numbers = self.numbers.get(row * self.stride..(row + 1) * self.stride).unwrap_or_default();
        let codes = self.codes.get(row * self.categories..(row + 1) * self.categories).unwrap_or_default();
        (numbers, codes)
    }

    /// The distance of a row to the closest of others; `None` where there are none, or no columns.
    pub(crate) fn closest(&self, row: usize, others: &Self) -> Option<f64> {
        let columns = self.stride + self.categories;
        if others.rows == 0 || columns == 0 {
            return None;
        }
        let (numbers, codes) = self.row(row);
        let mut least = f64::INFINITY;
        for other in 0..others.rows {
            let (other_numbers, other_codes) = others.row(other);
            let different = codes.iter().zip(other_codes).filter(|(one, two)| one != two).count() as f64;
            if different >= least {
                continue;
            }
            let sum: f64 = numbers.iter().zip(other_numbers).map(|(one, two)| difference(*one, *two)).sum();
            least = least.min(different + sum);
        }
        Some(least / columns as f64)
    }
}

/// Where a number is in a range, from 0 to 1. Where all real numbers are the same, any other one is far away.
fn placed(number: f64, (least, greatest): (f64, f64)) -> f64 {
    if least < greatest || number.is_nan() {
        // Halves do not overflow.
        (number / 2.0 - least / 2.0) / (greatest / 2.0 - least / 2.0)
    } else {
        f64::from(u8::from(number != least))
    }
}

fn difference(one: f64, two: f64) -> f64 {
    // The lesser of NaN and 1 is 1: a missing value is as far as can be from any other.
    if one.is_nan() && two.is_nan() { 0.0 } else { (one - two).abs().min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::cells::Codes;

    #[test]
    fn distances_of_known_rows() {
        let none = f64::NAN;
        let sample = |numbers: [f64; 2], wide: [f64; 2], constant: [f64; 2], codes: [u16; 2]| Sample {
            columns: vec![
                Cells::Numbers(numbers.to_vec()),
                Cells::Codes(Codes { codes: codes.to_vec(), width: 3 }),
                Cells::Numbers(wide.to_vec()),
                Cells::Numbers(constant.to_vec()),
            ],
            rows: 2,
        };
        let real = sample([0.0, 10.0], [-1.7e308, 1.7e308], [5.0, 5.0], [0, 1]);
        let other = sample([2.0, none], [1.7e308, none], [5.0, 5.0], [0, 2]);
        let judged = sample([4.0, none], [0.0, 1.7e308], [5.0, 6.0], [0, 2]);
        let [real, other, judged] = Rows::scaled([&real, &other, &judged]);
        let near = |found: Option<f64>, expected: f64| {
            assert!(found.is_some_and(|found| (found - expected).abs() <= 1e-12), "{found:?} is not {expected}");
        };
        near(judged.closest(0, &real), (0.4 + 0.0 + 0.5 + 0.0) / 4.0);
        near(judged.closest(1, &real), (1.0 + 1.0 + 0.0 + 1.0) / 4.0);
        near(judged.closest(0, &other), (0.2 + 0.0 + 0.5 + 0.0) / 4.0);
        // The second row: 0 and 0 for the gap and the code, 1 for the gap in the other row, 1 for the constant.
        near(judged.closest(1, &other), (0.0 + 0.0 + 1.0 + 1.0) / 4.0);
    }
}
