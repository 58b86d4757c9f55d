//! The columns of a table that become of a generator's samples.

use crate::error::{Error, Result};

/// A column of a table, made of the values of a sample.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Column {
    /// The same number in all rows.
    Constant(f64),
    /// A number.
    Number(NumberColumn),
    /// One of several numbers.
    Choice(Choice),
}

/// A column of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberColumn {
    /// The value of the sample that it is made of, counted from 0.
    pub feature: usize,
    /// What makes the number of that value, one after the other.
    pub curves: Vec<Curve>,
    /// To what it is rounded then.
    pub grid: Option<Grid>,
    /// What is added at last.
    pub offset: f64,
    /// Where numbers may be missing, which are NaN: the first of two values of the sample, that of one being there and that of none, and a
    /// weight above 0 for each. It is missing where the second, times its weight, is larger.
    pub missing: Option<(usize, [f32; 2])>,
}

/// A function of a number.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Curve {
    /// `offset + scale * x`
    Line {
        /// The value at 0.
        offset: f64,
        /// The slope.
        scale: f64,
    },
    /// Straight lines between these points `[x, y]`, in ascending order of `x`, of which there is at least one; outside of them the value of the
    /// nearest. Where several have the same `x`, the function jumps from the first to the last of them, and is the last there.
    Points(Vec<[f64; 2]>),
}

/// Numbers that are a multiple of `step / unit` from `least`: `(start + step * n) / unit`, where `start` is `least * unit`, rounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// The number that is counted from.
    pub least: f64,
    /// The same in parts of `1 / unit`.
    pub start: f64,
    /// From a number to the next, in such parts.
    pub step: f64,
    /// Parts of 1.
    pub unit: f64,
}

/// One of several numbers: that of the largest value of a group, times its weight; the first of them where there are several.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The first value of the group in the sample, counted from 0.
    pub feature: usize,
    /// A weight above 0 for each value of the group, which no other column has.
    pub weights: Vec<f32>,
    /// A number for each; NaN where it is that of missing values.
    pub values: Vec<f64>,
}

fn problem<T>(problem: impl Into<String>) -> Result<T> {
    Err(Error::setting("columns", problem))
}

/// Checks that columns can be made of samples of so many features.
pub(super) fn check(columns: &[Column], features: usize) -> Result<()> {
    let holds = |first: usize, count: usize| first.checked_add(count).is_some_and(|end| end <= features);
    let outside = || problem(format!("a column is made of a value that a sample of {features} does not have"));
    let not_finite = || problem("a number is not finite; offsets, scales, points and grids are");
    let is_weight = |weight: f32| weight > 0.0 && weight.is_finite();
    let no_weight = || problem("a weight is not above 0 and finite");
    if columns.is_empty() {
        return problem("there are none; give at least one");
    }
    for column in columns {
        match column {
            Column::Constant(value) if !value.is_finite() => return not_finite(),
            Column::Constant(_) => {}
            Column::Choice(Choice { feature, weights, values }) => {
                if weights.len() != values.len() || values.is_empty() {
                    return problem("a choice has a weight and a number for each value of its group, at least one");
                }
                if !holds(*feature, values.len()) {
                    return outside();
                }
                if !weights.iter().all(|weight| is_weight(*weight)) {
                    return no_weight();
                }
            }
            Column::Number(NumberColumn { feature, curves, grid, offset, missing }) => {
                if !holds(*feature, 1) || missing.is_some_and(|(first, _)| !holds(first, 2)) {
                    return outside();
                }
                if missing.is_some_and(|(_, weights)| !weights.into_iter().all(is_weight)) {
                    return no_weight();
                }
                let grid = grid.map_or([1.0; 4], |Grid { least, start, step, unit }| [least, start, step, unit]);
                let mut numbers: Vec<f64> = grid.into_iter().chain([*offset]).collect();
                if !(grid[2] > 0.0 && grid[3] > 0.0) {
                    return problem("the step and the unit of a grid are above 0");
                }
                for curve in curves {
                    match curve {
                        Curve::Line { offset, scale } => numbers.extend([offset, scale]),
                        Curve::Points(points) if points.is_empty() => return problem("a curve has no points"),
                        Curve::Points(points) if !points.is_sorted_by(|[one, _], [next, _]| one <= next) => {
                            return problem("the points of a curve do not ascend");
                        }
                        Curve::Points(points) => numbers.extend(points.as_flattened()),
                    }
                }
                if numbers.iter().any(|number| !number.is_finite()) {
                    return not_finite();
                }
            }
        }
    }
    Ok(())
}
