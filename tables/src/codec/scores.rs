//! The numbers of a column as scores, and back.

use gannet::data::table::Standardization;
#[cfg(feature = "onnx")]
use gannet::gan::onnx::Curve;
use gannet::{Error, Result};
use serde::{Deserialize, Serialize};

use super::probit::{FARTHEST, probit};
use super::quantiles::Quantiles;

/// How the numbers of columns become scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scaling {
    /// By their quantiles: scores are normally distributed, and what is made lies within the bounds of the data.
    #[default]
    Quantile,
    /// By their mean and standard deviation, along a line.
    Standard,
}

/// How the numbers of a column become scores and back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Scores {
    /// By their quantiles.
    Quantiles(Quantiles),
    /// Along a line.
    Line(Line),
}

/// Scores are `(value - offset) / scale`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f64; 2]", into = "[f64; 2]")]
pub(super) struct Line {
    pub(super) offset: f64,
    pub(super) scale: f64,
}

impl TryFrom<[f64; 2]> for Line {
    type Error = Error;

    fn try_from([offset, scale]: [f64; 2]) -> Result<Self> {
        if !(offset.is_finite() && scale.is_finite() && scale > 0.0) {
            return Err(Error::setting("scores", format!("offset {offset} and scale {scale} are no line")));
        }
        Ok(Self { offset, scale })
    }
}

impl From<Line> for [f64; 2] {
    fn from(Line { offset, scale }: Line) -> Self {
        [offset, scale]
    }
}

impl Line {
    /// That of a column of these numbers, at least one: their mean and standard deviation, as [`Standardization`] has them.
    ///
    /// # Errors
    ///
    /// What is wrong with numbers that have none.
    pub(super) fn fit(numbers: &[f64]) -> std::result::Result<Self, String> {
        let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !(greatest - least).is_finite() {
            return Err(format!("its numbers, {least} to {greatest}, are too far apart for 64 bits"));
        }
        let found = gannet::data::table::Table::new(1, numbers.to_vec())
            .and_then(|table| Standardization::of(&table, "column"));
        let line = match found {
            Ok(found) => [found.offset()[0], found.scale()[0]],
            // One value, or one but for rounding.
            Err(_) => [numbers[0], 1.0],
        };
        Self::try_from(line).map_err(|error| error.to_string())
    }

    /// The value of a score, rounded to the seven digits of the scale that a number of 32 bits has.
    fn value(self, score: f32) -> f64 {
        let value = f64::from(score).mul_add(self.scale, self.offset);
        let unit = 10f64.powi(6 - self.scale.log10().floor() as i32);
        let rounded = (value * unit).round() / unit;
        if rounded.is_finite() { rounded } else { value }
    }
}

impl Scores {
    /// Whether the scores of the data are normally distributed.
    pub(super) fn are_normal(&self) -> bool {
        matches!(self, Self::Quantiles(_))
    }

    /// The score of a value. `jitter`, from 0 to 1, is where in its interval a frequent one stands.
    pub(super) fn score(&self, value: f64, jitter: f64) -> f32 {
        match self {
            Self::Quantiles(quantiles) => quantiles.score(value, jitter),
            Self::Line(Line { offset, scale }) => ((value - offset) / scale) as f32,
        }
    }

    /// The least and the greatest value of the data, where scores have bounds.
    pub(super) fn range(&self) -> Option<[f64; 2]> {
        match self {
            Self::Quantiles(quantiles) => Some(quantiles.range()),
            Self::Line(_) => None,
        }
    }

    /// Lets scores stand for values as far as `ends`, beyond those of so many rows; along a line they do anyway.
    pub(super) fn widen(&mut self, ends: [f64; 2], rows: u64) {
        if let Self::Quantiles(quantiles) = self {
            quantiles.widen(ends, rows);
        }
    }

    /// The least and the greatest value that scores may stand for, where they have bounds.
    #[cfg(any(feature = "onnx", test))]
    pub(super) fn ends(&self) -> Option<[f64; 2]> {
        match self {
            Self::Quantiles(quantiles) => Some(quantiles.ends()),
            Self::Line(_) => None,
        }
    }

    /// The value of a score.
    pub(super) fn value(&self, score: f32) -> f64 {
        match self {
            Self::Quantiles(quantiles) => quantiles.value(score),
            Self::Line(line) => line.value(score),
        }
    }

    /// What makes the value of a score.
    #[cfg(feature = "onnx")]
    pub(super) fn curve(&self) -> Curve {
        match self {
            Self::Quantiles(quantiles) => Curve::Points(quantiles.points()),
            Self::Line(Line { offset, scale }) => Curve::Line { offset: *offset, scale: *scale },
        }
    }

    /// The score of a value that is missing: one that tells nothing.
    pub(super) fn of_missing(jitter: f64) -> f32 {
        probit(jitter).clamp(-FARTHEST, FARTHEST) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_mean_and_the_deviation() {
        let line = Line::fit(&[1.0, 2.0, 3.0, 6.0]).unwrap();
        assert!(line.offset == 3.0 && (line.scale - 3.5_f64.sqrt()).abs() < 1e-15, "{line:?}");
        let scores = Scores::Line(line);
        assert!((scores.value(scores.score(4.5, 0.3)) - 4.5).abs() < 1e-6);
        // Large offsets lose no digits.
        let far = Line::fit(&[1e9, 1e9 + 1.0]).unwrap();
        assert_eq!((far.offset, far.scale), (1e9 + 0.5, 0.5));
        assert_eq!(Line::fit(&[7.0]).unwrap(), Line { offset: 7.0, scale: 1.0 });
        let text = serde_json::to_string(&scores).unwrap();
        assert_eq!(serde_json::from_str::<Scores>(&text).unwrap(), scores);
        for wrong in ["[1, 0]", "[1, -1]", "[1]"] {
            assert!(serde_json::from_str::<Scores>(&format!("{{\"line\": {wrong}}}")).is_err());
        }
    }
}
