//! How often each category of a column is there, and is made.

use gannet::metrics::columns::ColumnVerdict;
use gannet::metrics::table::Halves;

/// Rows of a real category of which chance leaves no fifth: a category that is rarer is not judged.
const EXPECTED: f64 = 10.0;
/// A category is lost where the samples have less than this share of its share.
const KEPT: f64 = 0.2;
/// The shares are off where they differ by more than this in all, and by more than this multiple of what two halves of the data do.
const OFF: f64 = 0.1;
const HALVES: f64 = 3.0;

/// The shares of the places of a group; where the data have rows that are in none, these are one more place.
pub(crate) struct Shares {
    /// Of both halves of the data, and of each.
    pub(crate) real: Vec<f64>,
    pub(crate) first: Vec<f64>,
    pub(crate) second: Vec<f64>,
    /// Of the samples.
    pub(crate) generated: Vec<f64>,
    /// Rows of a half, and samples.
    rows: [usize; 2],
}

/// The share of each place of the group of so many `places` that begins with `feature`, among rows of so many features; behind them that
/// of rows that are in none.
fn count(rows: &[f32], features: usize, [feature, places]: [usize; 2]) -> Vec<f64> {
    let mut counts = vec![0u32; places + 1];
    for row in rows.chunks_exact(features) {
        let group = &row[feature..feature + places];
        let largest = (1..places).fold(0, |best, place| if group[place] > group[best] { place } else { best });
        counts[if group[largest] > 0.0 { largest } else { places }] += 1;
    }
    let all = (rows.len() / features.max(1)).max(1) as f64;
    counts.into_iter().map(|count| f64::from(count) / all).collect()
}

/// Half the sum of the differences of shares: 0 where they are the same, 1 where no place has some of both.
pub(crate) fn total_variation(one: &[f64], other: &[f64]) -> f64 {
    0.5 * one.iter().zip(other).map(|(one, other)| (one - other).abs()).sum::<f64>()
}

impl Shares {
    /// Those of a group: of so many places, from a feature on.
    pub(crate) fn of(samples: &[f32], real: &Halves, group: [usize; 2]) -> Self {
        let features = real.features();
        let mut shares = [&real.first, &real.second, samples].map(|rows| count(rows, features, group));
        if shares.iter().all(|shares| shares.last() == Some(&0.0)) {
            shares.iter_mut().for_each(|shares| shares.truncate(group[1]));
        }
        let [first, second, generated] = shares;
        let both = first.iter().zip(&second).map(|(first, second)| 0.5 * (first + second)).collect();
        Self { real: both, first, second, generated, rows: [real.rows(), samples.len() / features.max(1)] }
    }

    /// The verdict, and the place that is its reason.
    pub(crate) fn judge(&self) -> (ColumnVerdict, Option<usize>) {
        let by = |a: f64, b: f64| a.total_cmp(&b);
        let [real, samples] = self.rows.map(|rows| rows as f64);
        let is_lost = |place: &usize| {
            let share = self.real[*place];
            share * (2.0 * real).min(samples) >= EXPECTED && self.generated[*place] < KEPT * share
        };
        let places = 0..self.real.len();
        let lost = places.clone().filter(is_lost).max_by(|&a, &b| by(self.real[a], self.real[b]));
        if lost.is_some() {
            return (ColumnVerdict::LostValues, lost);
        }
        let halves = total_variation(&self.first, &self.second);
        if total_variation(&self.real, &self.generated) <= OFF.max(HALVES * halves) {
            return (ColumnVerdict::Ok, None);
        }
        let off = |place: usize| (self.real[place] - self.generated[place]).abs();
        (ColumnVerdict::FarOff, places.max_by(|&a, &b| by(off(a), off(b))))
    }

    /// The share of the places with real rows that are made.
    pub(crate) fn distinct(&self) -> f64 {
        let there = self.real.iter().filter(|share| **share > 0.0).count();
        let made = self.real.iter().zip(&self.generated).filter(|(real, made)| **real > 0.0 && **made > 0.0).count();
        made as f64 / there.max(1) as f64
    }

    /// The share of the real rows whose place is made often enough.
    pub(crate) fn coverage(&self) -> f64 {
        let covered = self.real.iter().zip(&self.generated).filter(|(real, made)| **made >= KEPT * **real);
        covered.map(|(real, _)| real).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of a group for each of these places.
    fn rows(places: impl IntoIterator<Item = usize>, count: usize) -> Vec<f32> {
        places.into_iter().flat_map(|place| (0..count).map(move |index| f32::from(u8::from(index == place)))).collect()
    }

    fn judged(generated: impl Fn(usize) -> usize) -> (ColumnVerdict, Option<usize>, f64) {
        // Shares of 0.6, 0.3 and 0.1.
        let real = rows((0..1_000).map(|row| [0, 0, 0, 0, 0, 0, 1, 1, 1, 2][row % 10]), 3);
        let halves = Halves::of(&real, 3).unwrap();
        let shares = Shares::of(&rows((0..500).map(generated), 3), &halves, [0, 3]);
        let (verdict, worst) = shares.judge();
        (verdict, worst, shares.coverage())
    }

    #[test]
    fn lost_and_wrong_categories_are_told() {
        let (verdict, worst, coverage) = judged(|row| [0, 0, 0, 0, 0, 0, 1, 1, 1, 2][row % 10]);
        assert_eq!((verdict, worst), (ColumnVerdict::Ok, None));
        assert!((coverage - 1.0).abs() < 1e-9);
        let (verdict, worst, coverage) = judged(|row| [0, 0, 1][row % 3]);
        assert_eq!((verdict, worst), (ColumnVerdict::LostValues, Some(2)));
        assert!((coverage - 0.9).abs() < 0.02, "{coverage}");
        assert_eq!(judged(|_| 0).0, ColumnVerdict::LostValues);
        let (verdict, worst, _) = judged(|row| [0, 0, 1, 1, 1, 1, 1, 1, 1, 2][row % 10]);
        assert_eq!((verdict, worst), (ColumnVerdict::FarOff, Some(1)));
        assert_eq!(total_variation(&[1.0, 0.0], &[0.0, 1.0]), 1.0);
    }

    #[test]
    fn rows_in_no_place_are_one_more() {
        let samples = rows((0..500).map(|row| row % 2), 2);
        let known = Shares::of(&samples, &Halves::of(&samples, 2).unwrap(), [0, 2]);
        assert_eq!((known.real.len(), known.judge().0), (2, ColumnVerdict::Ok));
        let real = rows((0..500).map(|row| [0, 2][row % 2]), 2);
        let shares = Shares::of(&samples, &Halves::of(&real, 2).unwrap(), [0, 2]);
        assert_eq!(shares.judge(), (ColumnVerdict::LostValues, Some(2)));
        assert!((total_variation(&shares.real, &shares.generated) - 0.5).abs() < 1e-9);
    }
}
