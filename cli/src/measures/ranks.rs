//! The numbers of a column by their ranks among the real ones: whatever their units, tails and outliers, they are about normally
//! distributed then, and a figure says the same of every column.

use gannet_tables::{Codec, Table, Value, probit};

/// The values of a column and their scores, ascending.
pub(crate) struct Ranks(Vec<(f64, f64)>);

/// Where samples have a column of numbers.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) codec: &'a Codec,
    pub(crate) column: usize,
    /// Its score.
    pub(crate) feature: usize,
    /// The group that says whether it is missing, where it may be.
    pub(crate) missing: Option<usize>,
}

/// Scores of samples that are farther out than those of the data, by so much, are of no value that the data could have.
const BEYOND: f32 = 1.5;
/// The score by ranks of what lies beyond all values.
const OUTSIDE: f64 = 8.0;

impl Place<'_> {
    /// The scores of rows of samples in which the column is not missing.
    fn scores(self, rows: &[f32]) -> impl Iterator<Item = f32> + '_ {
        let is_there = move |sample: &&[f32]| self.missing.is_none_or(|group| sample[group] >= sample[group + 1]);
        rows.chunks_exact(self.codec.features()).filter(is_there).map(move |sample| sample[self.feature])
    }

    /// The values of the column in rows of samples; those that are missing are left out.
    pub(crate) fn values(self, rows: &[f32]) -> Vec<f64> {
        self.values_within(rows, f32::INFINITY)
    }

    /// The same of samples whose scores may be anything: what is far beyond this `reach` is infinite.
    pub(crate) fn values_within(self, rows: &[f32], reach: f32) -> Vec<f64> {
        let value = |score: f32| match score.abs() > reach + BEYOND {
            true => f64::from(score.signum()) * f64::INFINITY,
            false => self.codec.number(self.column, score).unwrap_or(f64::NAN),
        };
        self.scores(rows).map(value).filter(|value| !value.is_nan()).collect()
    }

    /// The largest magnitude of a score.
    pub(crate) fn reach(self, rows: &[f32]) -> f32 {
        self.scores(rows).fold(0.0, |most, score| most.max(score.abs()))
    }
}

/// The values of a column in some rows of a table; those that are missing are left out.
pub(crate) fn of_table(table: &Table, column: usize, rows: &[usize]) -> Vec<f64> {
    let value = |row: &usize| match table.columns().get(column)?.value(*row) {
        Value::Number(number) => Some(number),
        Value::Integer(number) | Value::Date(number) => Some(number as f64),
        _ => None,
    };
    rows.iter().filter_map(value).filter(|value| value.is_finite()).collect()
}

impl Ranks {
    /// The ranks of generated values and of both halves of the real ones among the latter, as scores; `None` where there are no generated
    /// or no real ones.
    pub(crate) fn of(generated: Vec<f64>, [first, second]: [Vec<f64>; 2]) -> Option<(Self, [Vec<f64>; 3])> {
        if generated.is_empty() || first.is_empty() {
            return None;
        }
        let mut real = [first.as_slice(), &second].concat();
        real.sort_unstable_by(f64::total_cmp);
        let count = real.len() as f64;
        // The middle of the ranks of equal values; what lies between two values has the border between them.
        let score = |value: f64| {
            if value.is_infinite() {
                return OUTSIDE.copysign(value);
            }
            let (below, up_to) =
                (real.partition_point(|real| *real < value), real.partition_point(|real| *real <= value));
            probit((0.5 * (below + up_to) as f64 / count).clamp(0.5 / count, 1.0 - 0.5 / count))
        };
        let scored = [&generated, &first, &second].map(|values| values.iter().map(|value| score(*value)).collect());
        let mut pairs: Vec<(f64, f64)> = real.iter().map(|value| (*value, score(*value))).collect();
        pairs.dedup_by_key(|pair| pair.0);
        Some((Self(pairs), scored))
    }

    /// The real value of a score, or the next one below.
    pub(crate) fn value(&self, score: f64) -> f64 {
        let above = self.0.partition_point(|(_, of)| *of <= score);
        self.0.get(above.saturating_sub(1)).map_or(f64::NAN, |(value, _)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_ranks_and_have_their_values() {
        let real: Vec<f64> = (0..100).map(|row| f64::from(row) * 1e9).chain([1e300; 100]).collect();
        let (ranks, [generated, first, second]) =
            Ranks::of(vec![50e9, 50.5e9, -1.0, 1e301], [real.clone(), Vec::new()]).unwrap();
        assert_eq!((first.len(), second.len()), (200, 0));
        assert!(generated[0] < generated[1] && generated[2] == first[0] && generated[3] > first[199]);
        // Half of the rows have one value: the middle of their ranks is at three quarters.
        assert!((first[199] - probit(0.75)).abs() < 1e-12);
        assert!((0..100).all(|row| ranks.value(first[row]) == real[row]));
        assert!(Ranks::of(vec![], [vec![1.0], vec![]]).is_none() && Ranks::of(vec![1.0], [vec![], vec![]]).is_none());
        let (_, [generated, ..]) = Ranks::of(vec![f64::INFINITY, f64::NEG_INFINITY], [real, Vec::new()]).unwrap();
        assert_eq!(generated, [OUTSIDE, -OUTSIDE]);
    }
}
