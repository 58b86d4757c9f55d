//! What a column is to the networks.

#[cfg(feature = "onnx")]
use gannet::gan::onnx::{Curve, Grid};
use gannet::{Error, Result};
use serde::{Deserialize, Serialize};

use super::jitter::jitter;
use super::quantiles::Quantiles;
use super::scores::{Line, Scaling, Scores};
use crate::cure::{Setting, SettingNames};
use crate::date_format::DateFormat;
use crate::form::{ColumnForm, Domain};
use crate::table::{Column, Values};
use crate::text::shown;

/// Numbers of a column that its scores are fitted to, at most, one of each so many rows, beside its ends.
const FITTED: usize = 1 << 20;

/// What a column is to the networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Coding {
    /// Nothing: it is not learned.
    Nothing,
    /// A number, and where values are missing a group of two: one is there, or none.
    Number {
        /// Its scores.
        scores: Scores,
        /// What is taken off whole numbers before they become numbers of 64 bits, so that near ones stay apart.
        base: i64,
        /// Numbers are so much apart, or a multiple of it, counted in units of the last of `decimals`; 0 where nothing is known.
        step: u64,
        /// Decimals of numbers.
        decimals: u16,
        /// Whether values are missing.
        has_missing: bool,
    },
    /// A group with a place for each category, the rest among them, and one for missing values where there are some.
    Category {
        /// Places.
        places: usize,
        /// Whether the last one is that of missing values.
        has_missing: bool,
    },
}

/// How numbers are fitted.
#[derive(Clone, Copy)]
pub(super) struct Fitting {
    pub(super) scaling: Scaling,
    /// Parts of a column's scores, at most.
    pub(super) parts: usize,
    /// How messages name settings.
    pub(super) names: SettingNames,
}

impl Fitting {
    /// The error about a column, behind whose `problem` the setting stands that leaves it out.
    fn refused(self, form: &ColumnForm, problem: &str) -> Error {
        let by = self.names.by(Setting::Drop);
        Error::data("table", format!("column `{}`: {problem}{by}", shown(&form.name)))
    }
}

impl Coding {
    /// That of a column.
    pub(super) fn fit(form: &ColumnForm, column: &Column, fitting: Fitting) -> Result<Self> {
        let has_missing = column.missing().is_some();
        match &form.domain {
            Domain::Categories { .. } => {
                let places = form.categories() + usize::from(has_missing);
                // One text in all rows needs no network.
                Ok(if places > 1 { Self::Category { places, has_missing } } else { Self::Nothing })
            }
            Domain::Numbers { range, .. } => Self::of_numbers(form, column, (0, *range), fitting),
            Domain::Integers { range, .. } | Domain::Dates { range, .. } => {
                let [least, greatest] = *range;
                // Along a line nothing is gained by numbers from 0 on, and older runs took them as they are.
                let base = if fitting.scaling == Scaling::Standard { 0 } else { least };
                Self::of_numbers(form, column, (base, [offset(least, base), offset(greatest, base)]), fitting)
            }
            _ => Ok(Self::Nothing),
        }
    }

    fn of_numbers(
        form: &ColumnForm,
        column: &Column,
        (base, range): (i64, [f64; 2]),
        fitting: Fitting,
    ) -> Result<Self> {
        let rows = match column.values() {
            Values::Numbers(values) => values.len(),
            Values::Integers(values) | Values::Dates(values) => values.len(),
            _ => 0,
        };
        let mut numbers = Vec::new();
        let most = rows.min(FITTED) + 2;
        numbers.try_reserve_exact(most).map_err(|_| Error::OutOfMemory { bytes: 8 * most as u64 })?;
        let apart = rows.div_ceil(FITTED).max(1);
        // Anywhere among so many: rows may alternate.
        let chosen = (0..rows).step_by(apart).map(|first| {
            let behind = (jitter(first as u64, 0) * apart as f64) as usize;
            (first + behind).min(rows - 1)
        });
        numbers.extend(chosen.filter_map(|row| number(column, row, base)));
        if apart > 1 && !numbers.is_empty() {
            numbers.extend(range);
        }
        if numbers.is_empty() {
            let problem = "none of its values can be learned; leave the column out";
            return Err(fitting.refused(form, problem));
        }
        // In the order of the rows, as sums were always made.
        let line = match fitting.scaling {
            Scaling::Standard => {
                let refused = |problem| fitting.refused(form, &format!("{problem}; scale the column, or leave it out"));
                Some(Line::fit(&numbers).map_err(refused)?)
            }
            _ => None,
        };
        numbers.sort_unstable_by(f64::total_cmp);
        let decimals = match &form.domain {
            Domain::Numbers { format, .. } if format.exponent.is_none() => format.max_decimals,
            // Decimals of a number with an exponent are not those of its value: such a column has no grid.
            Domain::Numbers { .. } => u16::MAX,
            _ => 0,
        };
        let step = step(&numbers, decimals);
        let scores = match line {
            Some(line) => Scores::Line(line),
            None => Scores::Quantiles(Quantiles::fit(&numbers, range, fitting.parts)?),
        };
        Ok(Self::Number { scores, base, step, decimals, has_missing: column.missing().is_some() })
    }

    /// The number, less its base, that a score stands for; not a number of a column that has none.
    pub(super) fn number(&self, score: f32) -> f64 {
        match self {
            Self::Number { scores, step, decimals, .. } => {
                let number = scores.value(score);
                scores.range().map_or(number, |[least, _]| on_grid(number, least, (*step, *decimals)))
            }
            _ => f64::NAN,
        }
    }

    /// Lets scores stand for numbers beyond those of the data, which have so many `rows`, by this share of their range. Numbers that are
    /// positive, negative, or not one of them stay so, and so do durations; dates stay within what their format can write. The ends are on
    /// the grid of the data.
    pub(super) fn widen(&mut self, form: &ColumnForm, share: f64, rows: u64) {
        let Self::Number { scores, base, step, decimals, .. } = self else { return };
        let Some([least, greatest]) = scores.range() else { return };
        let zero = -(*base as f64);
        // An infinite range times no share would be no number.
        let by = share * (greatest - least).min(f64::MAX);
        let (mut low, mut high) = ((least - by).max(f64::MIN), (greatest + by).min(f64::MAX));
        // The distance from zero of an end that is not to reach it.
        let mut from_zero = [None, None];
        let dates = if let Domain::Dates { format, .. } = &form.domain { Some(format) } else { None };
        if let Some([first, last]) = dates.map(DateFormat::bounds) {
            (low, high) = (low.max(first as f64 + zero), high.min(last as f64 + zero));
        }
        if dates.is_none_or(DateFormat::is_duration) {
            low = if least >= zero { low.max(zero) } else { low };
            high = if greatest <= zero { high.min(zero) } else { high };
            from_zero = [least - zero, zero - greatest].map(|distance| (distance > 0.0).then_some(distance));
        }
        if *step > 0 {
            let (unit, step) = (unit(*decimals), *step as f64);
            let on_grid = |distance: f64, from_zero: Option<f64>| {
                // Binary fractions of decimal steps: what is short of a step by their rounding is one.
                let steps = (distance * unit / step * (1.0 + 1e-9)).floor();
                let most = from_zero.map_or(f64::MAX, |most| ((most * unit).round() / step).ceil() - 1.0);
                let whole = steps.min(most).max(0.0) * step / unit;
                if whole.is_finite() { whole } else { distance }
            };
            (low, high) =
                (least - on_grid(least - low, from_zero[0]), greatest + on_grid(high - greatest, from_zero[1]));
        } else {
            // What is written as 0 is neither positive nor negative.
            let smallest = 10f64.powi(-i32::from((*decimals).min(MOST_WRITTEN)));
            low = if from_zero[0].is_some() { low.max(zero + smallest) } else { low };
            high = if from_zero[1].is_some() { high.min(zero - smallest) } else { high };
        }
        scores.widen([low, high], rows.saturating_sub(form.missing_cells));
    }

    /// What makes the number, less its base, of a score.
    #[cfg(feature = "onnx")]
    pub(super) fn curve(&self) -> Option<Curve> {
        match self {
            Self::Number { scores, .. } => Some(scores.curve()),
            _ => None,
        }
    }

    /// What that is rounded to: whole numbers, where it `is_whole`, and the grid of the data, where it has one.
    #[cfg(feature = "onnx")]
    pub(super) fn grid(&self, is_whole: bool) -> Option<Grid> {
        let whole = is_whole.then_some(Grid { least: 0.0, start: 0.0, step: 1.0, unit: 1.0 });
        let Self::Number { scores, step, decimals, .. } = self else { return whole };
        let (Some([least, _]), Some([low, high])) = (scores.range(), scores.ends()) else { return whole };
        let unit = unit(*decimals);
        // Counts beyond are not told apart.
        let is_counted = *step > 0 && (low.abs().max(high.abs()) + *step as f64 / unit) * unit < EXACT;
        if is_counted { Some(Grid { least, start: (least * unit).round(), step: *step as f64, unit }) } else { whole }
    }

    /// Checks what was stored of a column against its form.
    pub(super) fn validate(&self, form: &ColumnForm) -> Result<()> {
        let fits = match (self, &form.domain) {
            (Self::Nothing, Domain::Categories { .. }) => form.categories() == 1,
            (Self::Nothing, domain) => {
                !matches!(domain, Domain::Numbers { .. } | Domain::Integers { .. } | Domain::Dates { .. })
            }
            (Self::Number { .. }, domain) => {
                matches!(domain, Domain::Numbers { .. } | Domain::Integers { .. } | Domain::Dates { .. })
            }
            (Self::Category { places, has_missing }, _) => {
                *places > 1 && *places == form.categories() + usize::from(*has_missing) && form.categories() > 0
            }
        };
        if fits {
            Ok(())
        } else {
            Err(Error::setting(format!("column `{}`", form.name), "is not coded as its kind is"))
        }
    }
}

/// Decimals up to which numbers are counted in units of the last one.
const MOST_DECIMALS: u16 = 9;
/// Decimals of the least normal number of 32 bits.
const MOST_WRITTEN: u16 = 37;
/// Counts up to here are told apart by numbers of 64 bits.
const EXACT: f64 = crate::number::EXACT as f64;

/// The greatest number, in units of the last of so many decimals, of which all differences between ascending numbers are multiples; 0 where
/// there is none.
fn step(sorted: &[f64], decimals: u16) -> u64 {
    if decimals > MOST_DECIMALS {
        return 0;
    }
    let unit = 10f64.powi(i32::from(decimals));
    let mut step = 0u64;
    for pair in sorted.windows(2) {
        let apart = (pair[1] - pair[0]) * unit;
        if !(apart.abs() < EXACT) {
            return 0;
        }
        step = divisor(step, apart.round() as u64);
        if step == 1 {
            break;
        }
    }
    step
}

/// The greatest common divisor, by Euclid.
fn divisor(mut one: u64, mut other: u64) -> u64 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

/// Units of the last of so many decimals in 1.
fn unit(decimals: u16) -> f64 {
    10f64.powi(i32::from(decimals.min(MOST_DECIMALS)))
}

/// The nearest number that is a multiple of the step from the least one, rounded to its decimals.
pub(super) fn on_grid(number: f64, least: f64, (step, decimals): (u64, u16)) -> f64 {
    if step == 0 || !number.is_finite() {
        return number;
    }
    let unit = unit(decimals);
    let steps = ((number - least) * unit / step as f64).round();
    let counted = (least * unit).round() + steps * step as f64;
    if counted.abs() < EXACT { counted / unit } else { number }
}

/// A whole number less another.
pub(super) fn offset(value: i64, base: i64) -> f64 {
    // Neither the difference nor its conversion overflows.
    (i128::from(value) - i128::from(base)) as f64
}

/// The number in a row, with `base` taken off whole ones; `None` where it is missing, or no number.
pub(super) fn number(column: &Column, row: usize, base: i64) -> Option<f64> {
    use crate::table::Value;
    match column.value(row) {
        Value::Number(number) if number.is_finite() => Some(number),
        Value::Integer(number) | Value::Date(number) => Some(offset(number, base)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_wider_on_the_grid_and_on_their_side_of_zero() {
        let column = |values: &[i64]| Column::new(Values::Integers(values.to_vec()), None);
        let ends = |values: &[i64], share| {
            let range = [values[0], values[values.len() - 1]];
            let form =
                ColumnForm::new("n", crate::Kind::Integer, Domain::Integers { format: Default::default(), range });
            let fitting = Fitting { scaling: Scaling::Quantile, parts: 512, names: SettingNames::None };
            let mut coding = Coding::fit(&form, &column(values), fitting).unwrap();
            coding.widen(&form, share, values.len() as u64);
            let Coding::Number { scores, base, .. } = coding else { panic!("{coding:?}") };
            scores.ends().unwrap().map(|end| end + base as f64)
        };
        let tens: Vec<i64> = (10..30).map(|value| 10 * value).collect();
        assert_eq!(ends(&tens, 0.0), [100.0, 290.0]);
        // A tenth of 190 is a step of 10 and nine more.
        assert_eq!(ends(&tens, 0.1), [90.0, 300.0]);
        // Positive numbers stay positive, negative ones negative, and what may be 0 may be.
        assert_eq!(ends(&tens, 1.0), [10.0, 480.0]);
        assert_eq!(ends(&tens.iter().map(|value| value - 97).collect::<Vec<_>>(), 1.0), [3.0, 383.0]);
        assert_eq!(ends(&tens.iter().map(|value| value - 100).collect::<Vec<_>>(), 1.0), [0.0, 380.0]);
        assert_eq!(ends(&tens.iter().map(|value| 1_000_000_000 * value).collect::<Vec<_>>(), 1.0), [1e10, 4.8e11]);
        assert_eq!(ends(&tens.iter().map(|value| value - 102).collect::<Vec<_>>(), 1.0), [-192.0, 378.0]);
        assert_eq!(ends(&tens.iter().rev().map(|value| -value).collect::<Vec<_>>(), 1.0), [-480.0, -10.0]);
        assert_eq!(
            ends(&[i64::MIN, 0, i64::MAX], 1.0),
            [-(2f64.powi(64)) - 2f64.powi(63), 2f64.powi(64) + 2f64.powi(63)]
        );
    }

    #[test]
    fn wide_ends_are_numbers_and_times_stay_in_the_day() {
        let ends = |domain: Domain, kind, values: Values, share| {
            let form = ColumnForm::new("x", kind, domain);
            let fitting = Fitting { scaling: Scaling::Quantile, parts: 512, names: SettingNames::None };
            let mut coding = Coding::fit(&form, &Column::new(values, None), fitting).unwrap();
            coding.widen(&form, share, 10);
            assert!([f32::NEG_INFINITY, f32::INFINITY].iter().all(|score| coding.number(*score).is_finite()));
            let Coding::Number { scores, base, .. } = coding else { panic!("{coding:?}") };
            scores.ends().unwrap().map(|end| end + base as f64)
        };
        let numbers = |range: [f64; 2], decimals, share| {
            let format = crate::number_format::NumberFormat { max_decimals: decimals, ..Default::default() };
            let values = Values::Numbers(vec![range[0], 0.25, range[1]]);
            ends(Domain::Numbers { format, range }, crate::Kind::Continuous, values, share)
        };
        // No distance between them has 64 bits.
        let far = [-1.5e308, 1.5e308];
        assert_eq!(numbers(far, 2, 0.0), far);
        assert_eq!(numbers(far, 2, 1.0), [f64::MIN, f64::MAX]);
        assert!(numbers([-1e308, 0.5], 2, 0.5).iter().all(|end| end.is_finite()));
        // Positive numbers of many decimals have no grid, and stay positive.
        let [least, _] = numbers([0.125, 4.5], 12, 0.5);
        assert!(least > 0.0 && least < 1e-11, "{least}");
        // Tenths, of which a binary fraction of some lies below them.
        let tenths = Values::Numbers((1..=10).map(|value| f64::from(value) / 10.0).collect());
        for (share, end) in [(0.1, 1.0), (0.2, 1.1), (0.4, 1.3), (0.7, 1.6), (0.9, 1.8), (1.0, 1.9)] {
            let format = crate::number_format::NumberFormat { max_decimals: 1, ..Default::default() };
            let domain = Domain::Numbers { format, range: [0.1, 1.0] };
            let [_, greatest] = ends(domain, crate::Kind::Continuous, tenths.clone(), share);
            assert!((greatest - end).abs() < 1e-9, "{share}: {greatest}");
        }
        let mut format = crate::DateFormat::iso(Some(0));
        format.day = None;
        let minutes = |first: i64, last: i64, share| {
            let (first, last) = (60 * first, 60 * last);
            let domain = Domain::Dates { format: format.clone(), range: [first, last] };
            let values = Values::Integers((first..=last).step_by(60).collect());
            ends(domain, crate::Kind::Date, values, share)
        };
        assert_eq!(minutes(600, 700, 0.1), [35_400.0, 42_600.0]);
        assert_eq!(minutes(5, 1_435, 0.5), [0.0, 86_340.0]);
        let time = format.time.map(|time| crate::TimeFormat { is_duration: true, ..time });
        let domain = Domain::Dates { format: crate::DateFormat { time, ..format }, range: [60, 100_060] };
        let values = Values::Integers((60..=100_060).step_by(50).collect());
        assert_eq!(ends(domain, crate::Kind::Date, values, 0.1), [10.0, 110_060.0]);
    }

    #[test]
    fn numbers_are_on_the_grid_of_the_data() {
        assert_eq!(step(&[0.25, 0.5, 1.75], 2), 25);
        assert_eq!(step(&[3.0, 3.0, 3_603.0, 10_803.0], 0), 3_600);
        assert_eq!([step(&[1.0], 0), step(&[0.1, 0.2], 12), step(&[0.0, 1e300], 2)], [0; 3]);
        assert_eq!(on_grid(0.61, 0.25, (25, 2)), 0.5);
        assert_eq!(on_grid(5_000.0, 3.0, (3_600, 0)), 3_603.0);
        assert_eq!(on_grid(0.123_456, 0.0, (0, 3)), 0.123_456);
        assert_eq!(on_grid(0.3 + 1e-12, 0.1, (1, 1)), 0.3);
        assert!(on_grid(f64::NAN, 0.0, (1, 0)).is_nan());
    }
}
