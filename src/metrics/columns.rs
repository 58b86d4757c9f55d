//! What a generator has learned of each column of a table.

use crate::error::{Error, Result};
use crate::kernel::quantile::quantile_distance;
use crate::memory::room;
use crate::metrics::check_rows;
use crate::metrics::kolmogorov_smirnov::of_sorted;
use crate::metrics::moments::Moments;
use crate::metrics::table::Halves;

/// Most distinct values of a column whose values are counted one by one.
pub const FEW_VALUES: usize = 12;

/// Rows of a real value of which chance leaves no fifth: a value that is rarer is not judged.
const EXPECTED: f64 = 10.0;

/// A value, or a range of values, is lost where the samples have less than this share of its share.
const KEPT: f64 = 0.2;

/// Ranges into which the values of a column are divided, at most: each holds as many real ones.
const RANGES: usize = 20;

/// A column has lost values where less than this share of the real ones lies in ranges that the samples reach. One of three equal modes
/// lost leaves 0.65 to 0.7, as a range that is missed in part counts as reached.
const COVERED: f64 = 0.75;

/// A value's share is off where it differs by more than this, and by more than four standard errors.
const SHARE_OFF: f64 = 0.05;
const STANDARD_ERRORS: f64 = 4.0;

/// All samples have one value where their s.d. is below this share of the data's.
const CONSTANT: f64 = 1e-3;

/// The spread is too small below this share of the data's.
const NARROW: f64 = 0.5;

/// Below this share it is too small even where two halves of the data are far apart, as they are where one value lies far outside.
const LOST_SPREAD: f64 = 0.1;

/// A column is far off where its distance is above this, in units of the data's s.d., and this multiple of that of two halves.
const FAR_OFF: f64 = 0.35;
const HALVES: f64 = 3.0;

/// What is said of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnVerdict {
    /// Nothing stands out.
    Ok,
    /// All samples have one value.
    Constant,
    /// A value of few is not made, or hardly; of many values, those of whole ranges.
    LostValues,
    /// The spread is less than half of the data's.
    SpreadTooSmall,
    /// The samples lie far from the data, or the shares of few values are wrong.
    FarOff,
}

impl ColumnVerdict {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Ok, Self::Constant, Self::LostValues, Self::SpreadTooSmall, Self::FarOff];

    /// The verdict in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Constant => "constant",
            Self::LostValues => "lost values",
            Self::SpreadTooSmall => "spread too small",
            Self::FarOff => "far off",
        }
    }
}

/// A value of a column of few, and its shares.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ValueShare {
    /// The value, in the unit of training.
    pub value: f64,
    /// Its share of the real samples.
    pub real: f64,
    /// The share of the generated samples that are nearest to it.
    pub generated: f64,
}

/// Measures of a column; distances and errors in units of the real samples' standard deviation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ColumnReport {
    /// What they say.
    pub verdict: ColumnVerdict,
    /// The 1-Wasserstein distance of the generated to the real samples.
    pub wasserstein1: f64,
    /// The same between two halves of the real samples.
    pub real_wasserstein1: f64,
    /// The two-sample Kolmogorov-Smirnov statistic of the generated to the real samples, 0 to 1.
    pub kolmogorov_smirnov: f64,
    /// The same between two halves of the real samples.
    pub real_kolmogorov_smirnov: f64,
    /// The generated mean less the real one.
    pub mean_error: f64,
    /// The generated standard deviation less the real one.
    pub sd_error: f64,
    /// Distinct generated values for each distinct real one among as many samples, at most 1.
    pub distinct: f64,
    /// The share of the real values in ranges that the samples reach, of at most 20 ranges that hold as many real values each. A range is
    /// missed where less than a fifth of its share of the samples lies in it or within 0.35 s.d. of it.
    pub coverage: f64,
    /// The least and the greatest real value of the longest run of missed ranges, if there is one.
    pub missed: Option<[f64; 2]>,
    /// The values, where there are at most [`FEW_VALUES`], in ascending order; else none.
    pub values: Vec<ValueShare>,
    /// The place in `values` of the one that is lost or off most.
    pub worst: Option<usize>,
}

/// Measures each column of row-major `[rows, features]` generated `samples` against `real` ones.
///
/// # Errors
///
/// [`Error::Shape`] where a set is empty or not whole rows; [`Error::Data`] where a
/// value is not finite.
pub fn evaluate(samples: &[f32], real: &Halves) -> Result<Vec<ColumnReport>> {
    let features = real.features();
    check_rows("samples", samples, features)?;
    check_rows("real samples", &real.first, features)?;
    let sorted = |rows: &[f32], feature: usize| {
        let mut column: Vec<f64> = room(rows.len() / features)?;
        column.extend(rows.iter().skip(feature).step_by(features).map(|&value| f64::from(value)));
        column.sort_unstable_by(f64::total_cmp);
        Ok(column)
    };
    let mut reports = room(features)?;
    for feature in 0..features {
        let columns = (sorted(samples, feature)?, sorted(&real.first, feature)?, sorted(&real.second, feature)?);
        reports.push(of(columns.into(), FAR_OFF)?);
    }
    Ok(reports)
}

/// Measures one column: its generated values against those of the first half of the real ones, beside those of the second. They come in any
/// order. A range is not missed where samples lie within `near` standard deviations of it.
///
/// # Errors
///
/// [`Error::Data`] where there is no generated value, or none in the first half, or one is not finite;
/// [`Error::OutOfMemory`].
pub fn evaluate_column(mut columns: [Vec<f64>; 3], near: f64) -> Result<ColumnReport> {
    if columns[0].is_empty() || columns[1].is_empty() {
        return Err(Error::data("column", "has no generated, or no real values"));
    }
    if columns.iter().flatten().any(|value| !value.is_finite()) {
        return Err(Error::data("column", "has a value that is not a finite number"));
    }
    columns.iter_mut().for_each(|column| column.sort_unstable_by(f64::total_cmp));
    of(columns, near)
}

/// The report on a column: its generated values, and the real ones of both halves, ascending.
fn of([mut generated, mut first, mut second]: [Vec<f64>; 3], near: f64) -> Result<ColumnReport> {
    let mut both = room(first.len() + second.len())?;
    both.extend(first.iter().chain(&second));
    both.sort_unstable_by(f64::total_cmp);
    let moments = |values: &[f64]| Moments::of(values.iter().copied());
    let (real, made) = (moments(&both), moments(&generated));
    let scaled = |distance: f64| if distance == 0.0 { 0.0 } else { distance / real.sd };
    let wasserstein1 = scaled(quantile_distance(&mut first, &mut generated));
    let real_wasserstein1 = if second.is_empty() { 0.0 } else { scaled(quantile_distance(&mut first, &mut second)) };
    // The distances have sorted all three.
    let kolmogorov_smirnov = of_sorted(&first, &generated);
    let real_kolmogorov_smirnov = if second.is_empty() { 0.0 } else { of_sorted(&first, &second) };
    let (real_values, made_values) = (distinct(&both)?, count_distinct(&generated));
    let distinct_share = |made: usize, real: usize| (made as f64 / real.max(1) as f64).min(1.0);
    let values = if real_values.len() <= FEW_VALUES && both.len() >= 5 * real_values.len() {
        shares(&real_values, &generated, both.len())
    } else {
        Vec::new()
    };
    let near = near * real.sd;
    let (coverage, missed) = coverage(&both, &generated, near)?;
    // Samples that lie aside of the data miss their values, too, but have lost none.
    let [below, above] = [both[0] - near, both[both.len() - 1] + near];
    let inside = generated.iter().filter(|value| (below..=above).contains(*value)).count();
    let mut report = ColumnReport {
        verdict: ColumnVerdict::Ok,
        wasserstein1,
        real_wasserstein1,
        kolmogorov_smirnov,
        real_kolmogorov_smirnov,
        mean_error: scaled(made.mean - real.mean),
        sd_error: scaled(made.sd - real.sd),
        distinct: distinct_share(made_values, count_distinct(&first)),
        coverage,
        missed,
        values,
        worst: None,
    };
    report.judge(both.len(), generated.len(), inside);
    Ok(report)
}

/// The distinct ones of ascending values, each with how often it is there.
fn distinct(values: &[f64]) -> Result<Vec<(f64, usize)>> {
    let mut found = room(count_distinct(values))?;
    found.extend(values.chunk_by(|a, b| a == b).map(|equal| (equal[0], equal.len())));
    Ok(found)
}

/// How many distinct ones there are.
fn count_distinct(values: &[f64]) -> usize {
    values.chunk_by(|a, b| a == b).count()
}

/// The shares of a few `real` values among as many real samples as `rows`, and among the generated ones by the nearest.
fn shares(real: &[(f64, usize)], generated: &[f64], rows: usize) -> Vec<ValueShare> {
    let up_to = |value: f64| generated.partition_point(|made| *made <= value);
    let mut below = 0;
    let share = |(index, &(value, count)): (usize, &(f64, usize))| {
        let end = real.get(index + 1).map_or(generated.len(), |next| up_to(f64::midpoint(value, next.0)));
        let made = end - below;
        below = end;
        ValueShare { value, real: count as f64 / rows as f64, generated: made as f64 / generated.len() as f64 }
    };
    real.iter().enumerate().map(share).collect()
}

/// The share of ascending `real` values in ranges that ascending `generated` ones reach, and the longest run of missed ranges. A value
/// `near` a range is of it: one that is off by as much as a column may be reaches it, however narrow. Where there are so few of either
/// that chance empties a range, there are fewer ranges.
fn coverage(real: &[f64], generated: &[f64], near: f64) -> Result<(f64, Option<[f64; 2]>)> {
    let count = RANGES.min((real.len().min(generated.len()) as f64 / EXPECTED) as usize).max(1);
    // A range begins with a value that is none of the one before: equal values stay together.
    let begins = (1..count).map(|range| real[range * real.len() / count]).filter(|begin| *begin > real[0]);
    let mut ends = room(count)?;
    ends.extend(begins.map(|begin| real.partition_point(|value| *value < begin)));
    ends.dedup();
    ends.push(real.len());
    let (mut covered, mut begin, mut lost, mut longest) = (0, 0, None::<[usize; 2]>, None::<[usize; 2]>);
    for end in ends {
        let [below, above] = [real[begin] - near, real[end - 1] + near];
        let made =
            generated.partition_point(|value| *value <= above) - generated.partition_point(|value| *value < below);
        let expected = (end - begin) as f64 / real.len() as f64 * generated.len() as f64;
        if made as f64 >= KEPT * expected {
            covered += end - begin;
            lost = None;
        } else {
            let run = [lost.map_or(begin, |run| run[0]), end];
            lost = Some(run);
            longest = longest.filter(|longest| longest[1] - longest[0] >= run[1] - run[0]).or(lost);
        }
        begin = end;
    }
    Ok((covered as f64 / real.len() as f64, longest.map(|[begin, end]| [real[begin], real[end - 1]])))
}

impl ColumnReport {
    /// Judges the figures, which are of so many real and generated rows, so many of the latter within the data.
    fn judge(&mut self, real: usize, generated: usize, inside: usize) {
        // By how much a share is off more than it may be.
        let excess = |share: &ValueShare| {
            let error = (share.real * (1.0 - share.real) * (1.0 / real as f64 + 1.0 / generated as f64)).sqrt();
            (share.generated - share.real).abs() - SHARE_OFF.max(STANDARD_ERRORS * error)
        };
        let is_lost = |share: &ValueShare| {
            share.real * real.min(generated) as f64 >= EXPECTED && share.generated < KEPT * share.real
        };
        let places = || 0..self.values.len();
        let by = |a: f64, b: f64| a.total_cmp(&b);
        let lost = places().filter(|&place| is_lost(&self.values[place]));
        let lost = lost.max_by(|&a, &b| by(self.values[a].real, self.values[b].real));
        let worst = places().filter(|&place| excess(&self.values[place]) > 0.0);
        let worst = worst.max_by(|&a, &b| by(excess(&self.values[a]), excess(&self.values[b])));
        let far = !(self.wasserstein1 <= FAR_OFF.max(HALVES * self.real_wasserstein1));
        let spread = 1.0 + self.sd_error;
        (self.verdict, self.worst) = match () {
            () if lost.is_some() => (ColumnVerdict::LostValues, lost),
            () if spread < CONSTANT => (ColumnVerdict::Constant, None),
            () if spread < LOST_SPREAD => (ColumnVerdict::SpreadTooSmall, None),
            () if spread < NARROW && self.wasserstein1 > HALVES * self.real_wasserstein1 => {
                (ColumnVerdict::SpreadTooSmall, None)
            }
            () if self.values.is_empty() && self.coverage < COVERED && 2 * inside > generated => {
                (ColumnVerdict::LostValues, None)
            }
            () if worst.is_some() || far => (ColumnVerdict::FarOff, worst),
            () => (ColumnVerdict::Ok, None),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::random::Random;
    use crate::metrics::kolmogorov_smirnov::kolmogorov_smirnov;

    /// The report on a column of 2,000 real values against as many generated ones.
    fn report(real: impl FnMut(usize) -> f64, generated: impl FnMut(usize) -> f64) -> ColumnReport {
        let column = |value: &dyn Fn(f64) -> f32, values: Vec<f64>| values.into_iter().map(value).collect::<Vec<f32>>();
        let narrow = |value: f64| value as f32;
        let halves = Halves::of(&column(&narrow, (0..2_000).map(real).collect()), 1).unwrap();
        evaluate(&column(&narrow, (0..2_000).map(generated).collect()), &halves).unwrap().remove(0)
    }

    fn normal(seed: u64, mean: f64, sd: f64) -> impl FnMut(usize) -> f64 {
        let mut random = Random::new(5, seed);
        move |_| mean + sd * random.normal()
    }

    /// Narrow modes one after the other, the first `count` of those at -1, 1 and 0.
    fn modes(seed: u64, count: usize) -> impl FnMut(usize) -> f64 {
        let mut around = normal(seed, 0.0, 0.02);
        move |row| [-1.0, 1.0, 0.0][row % count] + around(row)
    }

    /// The first two of these modes, moved.
    fn moved_modes(by: f64) -> impl FnMut(usize) -> f64 {
        let mut modes = modes(2, 2);
        move |row| by + modes(row)
    }

    #[test]
    fn coverage_tells_the_range_that_samples_miss() {
        let report = report(|row| row as f64, |row| if row < 1_200 { row as f64 } else { (row - 1_200) as f64 });
        // 0.35 s.d. are 202, so that ranges up to 1,400 are near.
        assert!((report.coverage - 0.7).abs() < 1e-9 && report.missed == Some([1_400.0, 1_999.0]), "{report:?}");
        // Equal values are one range, whatever their number; few samples make few ranges.
        let coverage = |real: &[f64], generated: &[f64]| coverage(real, generated, 0.5).unwrap();
        assert_eq!(coverage(&[0.0; 100], &[1.0; 100]), (0.0, Some([0.0, 0.0])));
        assert_eq!(coverage(&[0.0; 100], &[0.4; 100]), (1.0, None));
        let real: Vec<f64> = (0..100).map(|row: u32| if row < 60 { 0.0 } else { f64::from(row) }).collect();
        let (covered, missed) = coverage(&real, &[0.0; 100]);
        assert!((covered - 0.6).abs() < 1e-12 && missed == Some([60.0, 99.0]), "{covered} {missed:?}");
        let (covered, missed) = coverage(&real, &[99.0; 100]);
        assert!((covered - 0.1).abs() < 1e-12 && missed == Some([0.0, 89.0]), "{covered} {missed:?}");
        assert_eq!(coverage(&[1.0, 2.0], &[1.5]), (1.0, None));
    }

    #[test]
    fn each_verdict_is_given_where_it_is_due_and_nowhere_else() {
        let share = |every: usize| move |row: usize| f64::from(u8::from(row % 100 < every));
        let cases = [
            (report(normal(1, 3.0, 2.0), normal(2, 3.0, 2.0)), ColumnVerdict::Ok),
            (report(normal(1, 3.0, 2.0), normal(2, 3.3, 1.7)), ColumnVerdict::Ok),
            (report(normal(1, 3.0, 2.0), normal(2, 3.0, 0.0)), ColumnVerdict::Constant),
            (report(normal(1, 3.0, 2.0), normal(2, 3.0, 0.8)), ColumnVerdict::SpreadTooSmall),
            (report(normal(1, 3.0, 2.0), normal(2, 4.0, 2.0)), ColumnVerdict::FarOff),
            (report(normal(1, 3.0, 2.0), normal(2, 3.0, 4.0)), ColumnVerdict::FarOff),
            // One value far outside, which is in one half of the data alone: without it there is no spread.
            (
                report(|row| if row == 7 { 1e6 } else { row as f64 }, normal(2, 1e3, 300.0)),
                ColumnVerdict::SpreadTooSmall,
            ),
            (report(share(20), share(20)), ColumnVerdict::Ok),
            (report(share(20), share(24)), ColumnVerdict::Ok),
            (report(share(20), share(28)), ColumnVerdict::FarOff),
            (report(share(20), share(0)), ColumnVerdict::LostValues),
            (report(share(20), share(100)), ColumnVerdict::LostValues),
            (report(share(2), share(0)), ColumnVerdict::LostValues),
            (report(share(50), normal(1, 0.5, 0.1)), ColumnVerdict::SpreadTooSmall),
            // One mode of three that are as wide apart as their s.d.: the spread stays, and the distance is small.
            (report(modes(1, 3), modes(2, 3)), ColumnVerdict::Ok),
            (report(modes(1, 3), modes(2, 2)), ColumnVerdict::LostValues),
            // Narrow modes that are aside by several times their width, and samples that are aside of the data.
            (report(modes(1, 2), moved_modes(0.2)), ColumnVerdict::Ok),
            (report(normal(1, 0.0, 1.0), normal(2, 9.0, 1.0)), ColumnVerdict::FarOff),
        ];
        for (index, (report, expected)) in cases.iter().enumerate() {
            assert_eq!(report.verdict, *expected, "{index}: {report:?}");
        }
    }

    #[test]
    fn the_lost_value_and_its_share_are_named() {
        let report = report(|row| [0.0, 1.0, 5.0][(row % 10) / 4], |row| [0.1, 0.9][row % 2]);
        let lost = report.values[report.worst.unwrap()];
        assert_eq!(report.verdict, ColumnVerdict::LostValues);
        assert!(lost.value == 5.0 && (lost.real - 0.2).abs() < 1e-9 && lost.generated == 0.0, "{report:?}");
        assert_eq!((report.values.len(), report.values[0].generated), (3, 0.5));
    }

    #[test]
    fn figures_are_those_of_the_definition() {
        // Halves of 0, 0, 4 and 4: the s.d. is 2.
        let halves = Halves::of(&[0.0, 4.0, 0.0, 4.0], 1).unwrap();
        let report = evaluate(&[1.0, 5.0], &halves).unwrap().remove(0);
        assert_eq!((report.mean_error, report.sd_error, report.distinct), (0.5, 0.0, 1.0));
        let many = report_of_counts(&(0..2_000).map(f64::from).collect::<Vec<_>>());
        assert!(many.values.is_empty() && (many.distinct - 0.5).abs() < 0.01, "{many:?}");
        assert!(evaluate(&[f32::NAN], &halves).is_err() && evaluate(&[], &halves).is_err());
    }

    #[test]
    fn kolmogorov_smirnov_is_that_of_the_first_half_and_either_other() {
        let mut numbers = normal(3, 0.0, 1.0);
        let real: Vec<f32> = (0..101).map(|row| numbers(row) as f32).collect();
        let halves = Halves::of(&real, 1).unwrap();
        let samples: Vec<f32> = real.iter().map(|value| 1.5 * value + 0.2).collect();
        let report = evaluate(&samples, &halves).unwrap().remove(0);
        let expected = [&samples, &halves.second].map(|set| kolmogorov_smirnov(&halves.first, set).unwrap());
        assert!(expected[0] > 0.0 && expected[1] > 0.0 && expected[0] != expected[1], "{expected:?}");
        assert_eq!([report.kolmogorov_smirnov, report.real_kolmogorov_smirnov], expected);
    }

    /// Of distinct numbers against every other one of them twice.
    fn report_of_counts(values: &[f64]) -> ColumnReport {
        report(|row| values[row], |row| values[row / 4 * 4])
    }
}
