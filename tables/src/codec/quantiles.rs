//! The numbers of a column as scores that are about normally distributed, and back: a quantile transform.
//!
//! Each value that is there often owns the part of the normal distribution that its share of the rows is, and stands anywhere in it. The
//! others share what lies between, along straight lines. So a column of any range, with any tails, with whole numbers, zeros or sentinels
//! among others, is one that a generator makes by a smooth function, and what is made has the bounds and the frequent values of the data.

use gannet::{Error, Result};
use serde::{Deserialize, Serialize};

use super::probit::probit;

/// A value with at least this part of the rows, one of so many, is frequent; the others are summed up in parts of about this size.
const PARTS: usize = 512;
/// Where there are no more values, and each is there often on average, all of them are frequent.
const FEW: usize = 1_000;
/// Rows that a frequent value has at least.
const OFTEN: usize = 3;
/// Quantiles lie between this and its negative.
pub(super) const FARTHEST: f64 = 4.5;
/// What of its interval a value keeps clear at either end, so that rounding to 32 bits leaves it inside: a frequent one, and one among
/// others along a line.
const MARGIN: f64 = 0.02;
const EDGE: f64 = 0.001;

/// How the numbers of a column become scores and back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub(super) struct Quantiles {
    /// The share of the rows up to the end of each interval.
    shares: Vec<f64>,
    /// The least and the greatest value of each interval: the same where it is one value.
    values: Vec<[f64; 2]>,
    /// The scores between the intervals, the outermost ends among them.
    bounds: Vec<f64>,
}

/// What is stored of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stored {
    shares: Vec<f64>,
    values: Vec<[f64; 2]>,
}

impl TryFrom<Stored> for Quantiles {
    type Error = Error;

    fn try_from(Stored { shares, values }: Stored) -> Result<Self> {
        let are_shares = shares.len() == values.len()
            && shares.first().is_some_and(|first| *first > 0.0)
            && shares.is_sorted_by(|one, next| one < next)
            && shares.last() == Some(&1.0);
        let values_ascend = values.as_flattened().is_sorted_by(|one, next| one <= next);
        if !are_shares || !values_ascend || values.as_flattened().iter().any(|value| !value.is_finite()) {
            return Err(Error::setting("quantiles", "are shares that ascend to 1, and as many ranges that ascend"));
        }
        let least = 0.5 * shares[0];
        let bound = |share: f64| probit(share).clamp(-FARTHEST, FARTHEST);
        let last = shares.len() - 1;
        // The first and the last interval have an end that is as far out as the middle of what they are.
        let greatest = 1.0 - 0.5 * (1.0 - if last > 0 { shares[last - 1] } else { 0.0 });
        let mut bounds = vec![bound(least)];
        bounds.extend(shares[..last].iter().map(|share| bound(*share)));
        bounds.push(bound(greatest));
        Ok(Self { shares, values, bounds })
    }
}

impl From<Quantiles> for Stored {
    fn from(Quantiles { shares, values, .. }: Quantiles) -> Self {
        Self { shares, values }
    }
}

impl Quantiles {
    /// Those of a column with these values, ascending and at least one, whose least and greatest are `range`: of many rows a part will do.
    /// They have at most so many `parts`.
    pub(super) fn fit(sorted: &[f64], range: [f64; 2], parts: usize) -> Result<Self> {
        let parts = parts.clamp(1, PARTS);
        let of_part = sorted.len().div_ceil(parts);
        let distinct = sorted.chunk_by(|a, b| a == b).count();
        let are_few = distinct <= FEW.min(2 * parts) && sorted.len() >= OFTEN * distinct;
        let (mut intervals, mut done) = (Vec::<(usize, [f64; 2])>::new(), 0);
        // The first value of those that are summed up, the last one so far, and how many rows they are.
        let mut open: Option<(f64, f64, usize)> = None;
        for equal in sorted.chunk_by(|a, b| a == b) {
            let (value, rows) = (equal[0], equal.len());
            let is_frequent = are_few || rows >= of_part.max(OFTEN);
            open = match open {
                Some((first, last, summed)) if is_frequent || summed >= of_part => {
                    done += summed;
                    // Where another of its kind follows, nothing is left out between them.
                    intervals.push((done, [first, if is_frequent { last } else { value }]));
                    None
                }
                other => other,
            };
            if is_frequent {
                done += rows;
                intervals.push((done, [value, value]));
            } else {
                let (first, _, summed) = open.unwrap_or((value, value, 0));
                open = Some((first, value, summed + rows));
            }
        }
        if let Some((first, last, _)) = open {
            intervals.push((sorted.len(), [first, last]));
        }
        let (shares, mut values): (Vec<f64>, Vec<[f64; 2]>) =
            intervals.into_iter().map(|(done, values)| (done as f64 / sorted.len() as f64, values)).unzip();
        if let Some(first) = values.first_mut() {
            first[0] = first[0].min(range[0]);
        }
        if let Some(last) = values.last_mut() {
            last[1] = last[1].max(range[1]);
        }
        Stored { shares, values }.try_into()
    }

    /// The score of a value. `jitter`, from 0 to 1, is where in its interval a frequent one stands.
    pub(super) fn score(&self, value: f64, jitter: f64) -> f32 {
        let place = self.values.partition_point(|[_, greatest]| *greatest < value).min(self.values.len() - 1);
        let [least, greatest] = self.values[place];
        let score = if least == greatest {
            let (below, above) = (if place > 0 { self.shares[place - 1] } else { 0.0 }, self.shares[place]);
            probit(below + (above - below) * (MARGIN + (1.0 - 2.0 * MARGIN) * jitter)).clamp(-FARTHEST, FARTHEST)
        } else {
            let whole = greatest - least;
            // By halves where the distance overflows; elsewhere the halves of the smallest numbers may be the same.
            let part = if whole.is_finite() {
                (value - least) / whole
            } else {
                (0.5 * value - 0.5 * least) / (0.5 * greatest - 0.5 * least)
            };
            let part = part.clamp(0.0, 1.0);
            let clear = EDGE + (1.0 - 2.0 * EDGE) * part;
            self.bounds[place] + clear * (self.bounds[place + 1] - self.bounds[place])
        };
        score as f32
    }

    /// The least value.
    pub(super) fn least(&self) -> f64 {
        self.values[0][0]
    }

    /// The value of a score.
    pub(super) fn value(&self, score: f32) -> f64 {
        let score = f64::from(score);
        let inner = &self.bounds[1..self.values.len()];
        let place = inner.partition_point(|bound| *bound <= score);
        let [least, greatest] = self.values[place];
        let [low, high] = [self.bounds[place], self.bounds[place + 1]];
        let clear = if high > low { (score - low) / (high - low) } else { 0.5 };
        let part = ((clear - EDGE) / (1.0 - 2.0 * EDGE)).clamp(0.0, 1.0);
        if least == greatest { least } else { (1.0 - part) * least + part * greatest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::jitter::jitter;

    fn fit(mut values: Vec<f64>) -> Quantiles {
        values.sort_unstable_by(f64::total_cmp);
        let range = [values[0], values[values.len() - 1]];
        Quantiles::fit(&values, range, PARTS).unwrap()
    }

    /// A sentinel, many zeros, and numbers with heavy tails.
    fn mixed() -> Vec<f64> {
        let tails = (1..4_000).map(|row| (f64::from(row) / 4_000.0 - 0.5) * 1e3 / f64::from(4_001 - row));
        tails.chain([0.0; 1_500]).chain([-9_999.0; 40]).collect()
    }

    #[test]
    fn scores_are_normal_and_values_come_back() {
        let values = mixed();
        let scores = fit(values.clone());
        assert!(scores.values.len() < 2 * PARTS);
        let encoded: Vec<f32> = (0..).zip(&values).map(|(row, value)| scores.score(*value, jitter(row, 0))).collect();
        let mut sorted = encoded.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        for share in [0.01, 0.1, 0.3, 0.5, 0.8, 0.99] {
            let found = f64::from(sorted[(share * sorted.len() as f64) as usize]);
            assert!((found - probit(share)).abs() < 0.04, "{share}: {found}");
        }
        let spread = 250.0;
        for (value, score) in values.iter().zip(&encoded) {
            let back = scores.value(*score);
            let is_frequent = [0.0, -9_999.0].contains(value);
            assert!(if is_frequent { back == *value } else { (back - value).abs() < 1e-5 * spread }, "{value}: {back}");
        }
        // What lies outside of the data, or beyond the scores of any, is at their ends.
        assert_eq!([scores.value(-40.0), scores.value(f32::INFINITY)], [-9_999.0, values[3_998]]);
        assert!((scores.value(scores.score(1e300, 0.5)) - values[3_998]).abs() < 1e-5 * spread);
        assert!(scores.value(f32::NAN).is_nan() || scores.value(f32::NAN).is_finite());
    }

    #[test]
    fn few_values_own_their_shares() {
        let scores = fit([vec![1.0; 30], vec![2.0; 60], vec![7.5; 10]].concat());
        assert_eq!(scores.values, [[1.0; 2], [2.0; 2], [7.5; 2]]);
        assert_eq!(scores.shares, [0.3, 0.9, 1.0]);
        for (value, jitters) in [(1.0, [0.0, 1.0]), (2.0, [0.0, 1.0]), (7.5, [0.0, 1.0])] {
            assert_eq!(jitters.map(|jitter| scores.value(scores.score(value, jitter))), [value; 2]);
        }
        // One value is a column, too.
        assert_eq!(fit(vec![3.0; 5]).value(0.3), 3.0);
    }

    #[test]
    fn rare_values_are_joined_by_lines() {
        let scores = fit((0..10).map(f64::from).collect());
        assert_eq!(scores.values[4], [4.0, 5.0]);
        let between = scores.value(0.5 * (scores.score(4.0, 0.5) + scores.score(5.0, 0.5)));
        assert!((between - 4.5).abs() < 2.0 * EDGE, "{between}");
        // A part of the rows knows the range of all.
        let part = Quantiles::fit(&[1.0, 2.0, 3.0], [-5.0, 9.0], 2).unwrap();
        assert_eq!([part.value(-9.0), part.value(9.0)], [-5.0, 9.0]);
    }

    #[test]
    fn no_distance_overflows() {
        let scores = fit(vec![-f64::MAX, 0.0, f64::MAX]);
        for value in [-f64::MAX, -1e308, 0.0, 1e300, f64::MAX] {
            let back = scores.value(scores.score(value, 0.5));
            assert!(back.is_finite() && (0.5 * back - 0.5 * value).abs() < 1e-3 * f64::MAX, "{value}: {back}");
        }
    }

    #[test]
    fn what_is_stored_is_checked() {
        let scores = fit(mixed());
        let text = serde_json::to_string(&scores).unwrap();
        assert_eq!(serde_json::from_str::<Quantiles>(&text).unwrap(), scores);
        for (shares, values) in [
            ("[]", "[]"),
            ("[1.0]", "[]"),
            ("[0.5]", "[[0, 1]]"),
            ("[0.0, 1.0]", "[[0, 1], [1, 2]]"),
            ("[0.5, 0.5, 1.0]", "[[0, 1], [1, 2], [2, 3]]"),
            ("[0.5, 1.0]", "[[1, 2], [0, 1]]"),
        ] {
            let text = format!("{{\"shares\": {shares}, \"values\": {values}}}");
            assert!(serde_json::from_str::<Quantiles>(&text).is_err(), "{text}");
        }
    }
}
