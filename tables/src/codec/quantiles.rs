//! The numbers of a column as scores that are about normally distributed, and back: a quantile transform.
//!
//! Each value that is there often owns the part of the normal distribution that its share of the rows is, and stands anywhere in it. The
//! others share what lies between, along straight lines. So a column of any range, with any tails, with whole numbers, zeros or sentinels
//! among others, is one that a generator makes by a smooth function, and what is made has the bounds and the frequent values of the data.

use gannet::{Error, Result};
use serde::{Deserialize, Serialize};

use super::probit::{FARTHEST, probit};
use super::tail::Tail;

/// A value with at least this part of the rows, one of so many, is frequent; the others are summed up in parts of about this size, and in
/// smaller ones towards the ends.
const PARTS: usize = 512;
/// Parts halve as often at either end, at most, as one of so many of them.
const HALVINGS: usize = 16;
/// Where there are no more values, and each is there often on average, all of them are frequent.
const FEW: usize = 1_000;
/// Rows that a frequent value has at least.
const OFTEN: usize = 3;
/// What of its interval a value keeps clear at either end, so that rounding to 32 bits leaves it inside: a frequent one, and one among
/// others along a line.
const MARGIN: f64 = 0.02;
const EDGE: f64 = 0.001;
/// Values pile up at a frequent end that is more than so many times as frequent as the frequent value beside it.
const PILED: f64 = 2.0;
/// More than what rounding to 32 bits moves a score.
const ROUNDED: f64 = 1e-6;

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
    /// The least and the greatest value that scores may stand for: those of the outermost intervals, or farther out.
    ends: [f64; 2],
    /// How values go on beyond those of the data, below and above, where they do.
    tails: [Option<Tail>; 2],
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
        let ends = [values[0][0], values[last][1]];
        Ok(Self { shares, values, bounds, ends, tails: [None, None] })
    }
}

impl From<Quantiles> for Stored {
    fn from(Quantiles { shares, values, .. }: Quantiles) -> Self {
        Self { shares, values }
    }
}

impl Quantiles {
    /// Those of a column with these values, ascending and at least one, whose least and greatest are `range`: of many rows a part will do.
    /// They have about so many `parts` at most. Towards the ends a part is no more rows than lie beyond it, so that the least and the
    /// greatest values are no more frequent than they are in the data.
    pub(super) fn fit(sorted: &[f64], range: [f64; 2], parts: usize) -> Result<Self> {
        let parts = parts.clamp(1, PARTS);
        let of_part = sorted.len().div_ceil(parts);
        let of_end = of_part.checked_shr((parts / HALVINGS) as u32).unwrap_or(0).max(1);
        // Rows of a part that begins where so many are done.
        let wanted = |done: usize| of_part.min(done.min((sorted.len() - done) / 2).max(of_end));
        let distinct = sorted.chunk_by(|a, b| a == b).count();
        let are_few = distinct <= FEW.min(2 * parts) && sorted.len() >= OFTEN * distinct;
        let (mut intervals, mut done) = (Vec::<(usize, [f64; 2])>::new(), 0);
        // The first value of those that are summed up, the last one so far, and how many rows they are.
        let mut open: Option<(f64, f64, usize)> = None;
        for equal in sorted.chunk_by(|a, b| a == b) {
            let (value, rows) = (equal[0], equal.len());
            let is_frequent = are_few || rows >= of_part.max(OFTEN);
            open = match open {
                Some((first, last, summed)) if is_frequent || summed >= wanted(done) => {
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
            match intervals.as_mut_slice() {
                // What is left may be one value, at which the part before it ends.
                [_, .., (done, values)] if values[0] < values[1] && first == last => *done = sorted.len(),
                _ => intervals.push((sorted.len(), [first, last])),
            }
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
            self.within_data(probit(below + (above - below) * (MARGIN + (1.0 - 2.0 * MARGIN) * jitter)))
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

    /// The least and the greatest value of the data.
    pub(super) fn range(&self) -> [f64; 2] {
        [self.values[0][0], self.values[self.values.len() - 1][1]]
    }

    /// A score as far out as those of the data are, so that a frequent value at an end stays what it is.
    fn within_data(&self, score: f64) -> f64 {
        let [low, high] =
            self.tails.each_ref().map(|tail| tail.as_ref().map_or(FARTHEST, |tail| (tail.start() - ROUNDED).max(0.0)));
        score.clamp(-low, high)
    }

    /// Lets scores beyond those of the data, which have so many `rows`, stand for values towards `ends`. An end of the data at which values
    /// pile up, such as 0, a sentinel or a cap, stays.
    pub(super) fn widen(&mut self, ends: [f64; 2], rows: u64) {
        let [least, greatest] = self.range();
        self.ends = [ends[0].min(least), ends[1].max(greatest)];
        self.tails = [0, 1].map(|end| {
            let outermost = self.outermost(end, rows)?;
            Tail::new(outermost, [self.range()[end], self.ends[end]], self.slope(end, outermost))
        });
    }

    /// The intervals from an end inwards: 0 is the lower end, 1 the upper one.
    fn inwards(&self, end: usize) -> impl Iterator<Item = usize> {
        let last = self.values.len() - 1;
        (0..=last).map(move |place| if end == 0 { place } else { last - place })
    }

    /// The share of the rows that an interval has.
    fn share(&self, place: usize) -> f64 {
        self.shares[place] - if place > 0 { self.shares[place - 1] } else { 0.0 }
    }

    /// The distance from 0 of the score at which values go on beyond an end; none of an end at which they pile up.
    fn outermost(&self, end: usize, rows: u64) -> Option<f64> {
        let mut places = self.inwards(end);
        let place = places.next()?;
        let is_one_value = |place: usize| self.values[place][0] == self.values[place][1];
        if !is_one_value(place) {
            return Some(self.bounds[if end == 0 { 0 } else { self.values.len() }].abs());
        }
        let (share, next) = (self.share(place), places.next()?);
        let is_pile = share >= 1.0 / PARTS as f64 && !(is_one_value(next) && share <= PILED * self.share(next));
        // Beyond it there is half a row, as beyond the greatest of many values.
        (rows > 0 && !is_pile).then(|| probit(1.0 - 0.5 / rows as f64).clamp(0.0, FARTHEST))
    }

    /// How fast values go on beyond an end, from the score `outermost` on: as they do in the outermost part of the rows.
    fn slope(&self, end: usize, outermost: f64) -> f64 {
        let (mut share, mut distance, mut scores) = (0.0, 0.0, 0.0);
        for place in self.inwards(end) {
            if distance > 0.0 && share >= 1.0 / PARTS as f64 {
                break;
            }
            share += self.share(place);
            // By halves: the distance may overflow.
            distance = (0.5 * self.range()[end] - 0.5 * self.values[place][1 - end]).abs();
            let inner = self.bounds[place + 1 - end];
            scores = outermost - if end == 0 { -inner } else { inner };
        }
        if scores > 0.0 { 2.0 * (distance / scores) } else { 0.0 }
    }

    /// The least and the greatest value that scores may stand for.
    #[cfg(any(feature = "onnx", test))]
    pub(super) fn ends(&self) -> [f64; 2] {
        self.ends
    }

    /// The same function of scores as the straight lines between these points; where several have one score, the last counts.
    #[cfg(feature = "onnx")]
    pub(super) fn points(&self) -> Vec<[f64; 2]> {
        let mut points = Vec::with_capacity(4 * self.values.len());
        for ([least, greatest], bounds) in self.values.iter().zip(self.bounds.windows(2)) {
            let [low, high] = [bounds[0], bounds[1]];
            let edge = EDGE * (high - low);
            points.push([low, *least]);
            if least < greatest {
                points.extend([[low + edge, *least], [high - edge, *greatest]]);
            }
            points.push([high, *greatest]);
        }
        let [below, above] = self.tails.each_ref().map(|tail| tail.iter().flat_map(|tail| tail.knots()));
        points.splice(0..0, below.rev().map(|[score, value]| [-score, *value]));
        points.extend(above);
        points
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
        let value = if least == greatest { least } else { (1.0 - part) * least + part * greatest };
        let beyond = |end: usize, score: f64| self.tails[end].as_ref()?.value(score);
        beyond(0, -score).or(beyond(1, score)).unwrap_or(value)
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
    fn the_ends_are_as_rare_as_in_the_data() {
        let rows = 100_000;
        let scores = fit((0..rows).map(f64::from).collect());
        assert!(scores.values.len() < PARTS + 2 * 17, "{}", scores.values.len());
        let below = |value: f64| {
            // The share of a normal distribution whose scores stand for less, by halves.
            let (mut low, mut high) = (0.0, 1.0);
            for _ in 0..60 {
                let middle = 0.5 * (low + high);
                *if scores.value(probit(middle) as f32) < value { &mut low } else { &mut high } = middle;
            }
            low * f64::from(rows)
        };
        for rank in [1.0, 2.0, 3.0, 10.0, 100.0, 1_000.0] {
            let found = [below(rank), f64::from(rows) - below(f64::from(rows - 1) - rank)];
            assert!(found.iter().all(|found| (found - rank).abs() < 0.1 * rank + 1.2), "{rank}: {found:?}");
        }
        // A table of many columns has no room for this.
        let values: Vec<f64> = (0..rows).map(f64::from).collect();
        let few = Quantiles::fit(&values, [0.0, f64::from(rows - 1)], 20).unwrap();
        assert!(few.values.len() <= 22, "{}", few.values.len());
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
    fn values_reach_beyond_the_data_where_they_may() {
        let mut scores = fit((0..100).map(f64::from).collect());
        let [low, high] = [scores.bounds[0], scores.bounds[scores.bounds.len() - 1]].map(|bound| bound as f32);
        let before = [low - 0.3, low, 0.1, high, high + 0.3].map(|score| scores.value(score));
        assert_eq!([before[0], before[4]], [0.0, 99.0]);
        scores.widen([-5.0, 104.0], 100);
        let after = [low - 0.1, low, 0.1, high, high + 0.1].map(|score| scores.value(score));
        assert!(
            before[1..4].iter().zip(&after[1..4]).all(|(one, other)| (one - other).abs() < 1e-5),
            "{before:?} {after:?}"
        );
        // As the outermost lines do: of the first two values, and the last.
        let bounds = &scores.bounds;
        let below = 1.0 / (bounds[1] - bounds[0]);
        let above = 1.0 / (bounds[bounds.len() - 1] - bounds[bounds.len() - 2]);
        assert!((after[0] + 0.1 * below).abs() < 0.05 && (after[4] - 99.0 - 0.1 * above).abs() < 0.05, "{after:?}");
        let ends = [f32::NEG_INFINITY, f32::INFINITY].map(|score| scores.value(score));
        assert!(ends[0] > -5.0 && ends[0] < -4.5 && ends[1] > 103.5 && ends[1] < 104.0, "{ends:?}");
        assert!((-700..700).map(|score| scores.value(score as f32 * 0.01)).is_sorted());
        // Ends that are nearer than those of the data do not count.
        scores.widen([5.0, 6.0], 100);
        assert_eq!([scores.value(-9.0), scores.value(9.0)], [0.0, 99.0]);
    }

    #[test]
    fn ends_at_which_values_pile_up_stay() {
        // Zeros at one end, a cap at the other.
        let capped = [vec![0.0; 300], (1..700).map(f64::from).collect(), vec![700.0; 20]].concat();
        let mut scores = fit(capped);
        scores.widen([-100.0, 800.0], 1_019);
        assert_eq!([scores.value(f32::NEG_INFINITY), scores.value(f32::INFINITY)], [0.0, 700.0]);
        // Few values, all of them frequent, which become rare towards one end: it goes on, and the other stays.
        let ages: Vec<f64> =
            (0..40).flat_map(|age| vec![f64::from(age); if age == 0 { 500 } else { 123 - 3 * age as usize }]).collect();
        let rows = ages.len();
        let mut scores = fit(ages);
        assert!(scores.values.iter().all(|[least, greatest]| least == greatest));
        scores.widen([-4.0, 43.0], rows as u64);
        assert_eq!(scores.value(f32::NEG_INFINITY), 0.0);
        assert!((41.0..43.0).contains(&scores.value(f32::INFINITY)), "{}", scores.value(f32::INFINITY));
        // Values beyond are as rare as half a row, and every row of the data stays what it is.
        let first = probit(1.0 - 0.5 / rows as f64) as f32;
        assert_eq!((scores.value(first - 1e-3), scores.value(first + 0.1) > 39.0), (39.0, true));
        assert!([0.0, 0.5, 1.0].iter().all(|jitter| scores.value(scores.score(39.0, *jitter)) == 39.0));
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
