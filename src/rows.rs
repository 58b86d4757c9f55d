//! Row-major matrices that a caller hands over: whole rows, of numbers that are finite.

use std::fmt::Display;

use crate::error::{Error, Result};

/// The number of rows of `features` values that `len` values make, which may be 0.
///
/// # Errors
///
/// [`Error::Shape`] where there is no feature, or the last row is not whole.
pub(crate) fn whole(what: &str, len: usize, features: usize) -> Result<usize> {
    rows(what, len, features, "whole rows")
}

/// As [`whole`], but of one row or more.
///
/// # Errors
///
/// [`Error::Shape`] as of [`whole`], and where there is no value.
pub(crate) fn some(what: &str, len: usize, features: usize) -> Result<usize> {
    rows(what, len, features, "one or more whole rows").and_then(|count| match count {
        0 => Err(Error::shape(what, "one or more whole rows", "none")),
        _ => Ok(count),
    })
}

fn rows(what: &str, len: usize, features: usize, expected: &str) -> Result<usize> {
    if features == 0 {
        return Err(Error::shape(what, "at least 1 feature", "0 features"));
    }
    if !len.is_multiple_of(features) {
        let expected = format!("{expected} of {features} values each");
        return Err(Error::shape(what, expected, format!("{len} value{}", if len == 1 { "" } else { "s" })));
    }
    Ok(len / features)
}

/// Values that are looked at before any is acted on: a loop without a way out becomes vectors.
const BLOCK: usize = 1024;

/// Whether all of a few values are finite.
fn all_finite<T: Copy + Into<f64>>(values: &[T]) -> bool {
    values.iter().fold(true, |finite, &value| finite & value.into().is_finite())
}

/// Whether all values are finite.
pub(crate) fn are_finite(values: &[f32]) -> bool {
    values.chunks(BLOCK).all(all_finite)
}

/// Refuses rows of `features` values of which one is not finite. `features` is not 0: [`whole`] or [`some`] has seen to it.
///
/// # Errors
///
/// [`Error::Data`], which names the first such row and column.
pub(crate) fn finite<T: Copy + Display + Into<f64>>(what: &str, values: &[T], features: usize) -> Result<()> {
    let Some(block) = values.chunks(BLOCK).position(|block| !all_finite(block)) else { return Ok(()) };
    let begin = block * BLOCK;
    let within = values[begin..].iter().position(|&value| !value.into().is_finite());
    let index = begin + within.unwrap_or_default();
    let (row, column) = (index / features, index % features);
    Err(Error::data(
        what,
        format!("row {row}, column {column} (counted from 0) is {}, not a finite number", values[index]),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_whole_and_have_features() {
        let message = |outcome: Result<usize>| outcome.unwrap_err().to_string();
        assert_eq!(
            (whole("rows", 6, 3).unwrap(), whole("rows", 0, 3).unwrap(), some("rows", 3, 3).unwrap()),
            (2, 0, 1)
        );
        assert_eq!(message(whole("rows", 7, 3)), "rows: expected whole rows of 3 values each, found 7 values");
        assert_eq!(
            message(some("rows", 1, 3)),
            "rows: expected one or more whole rows of 3 values each, found 1 value"
        );
        assert_eq!(message(some("rows", 0, 3)), "rows: expected one or more whole rows, found none");
        for outcome in [whole("rows", 6, 0), some("rows", 0, 0)] {
            assert_eq!(message(outcome), "rows: expected at least 1 feature, found 0 features");
        }
    }

    #[test]
    fn the_first_number_that_is_not_finite_is_named() {
        assert!(finite("rows", &[1.0f64, -2.0, 0.0, 4.0], 2).is_ok());
        let error = finite("rows", &[1.0f32, 2.0, 3.0, f32::NEG_INFINITY, f32::NAN, 0.0], 2).unwrap_err();
        assert_eq!(error.to_string(), "rows: row 1, column 1 (counted from 0) is -inf, not a finite number");
        // Wherever it stands in the blocks that are looked at.
        for index in [0, BLOCK - 1, BLOCK, 3 * BLOCK + 5] {
            let mut values = vec![1.0_f32; 4 * BLOCK];
            assert!(are_finite(&values));
            values[index] = f32::NAN;
            assert!(!are_finite(&values));
            let error = finite("rows", &values, 1).unwrap_err().to_string();
            assert!(error.starts_with(&format!("rows: row {index}, column 0")), "{error}");
        }
    }
}
