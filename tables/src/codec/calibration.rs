//! What a generator gets wrong of each column by itself, put right: marginal distributions are known exactly, and what it is trained for
//! is how columns go together.
//!
//! The scores of a column are mapped so that their quantiles are those of the normal distribution that the data's scores have; to the
//! logits of a group a bias is added under which its places come as often as in the data. Both are monotone, so that what a sample says
//! of a row stays in the same order. `docs/tables.md` has what this gains.

use super::coding::Coding;
use super::columns::{Codec, Facet};
use super::probit::{FARTHEST, REACH, probit};
use crate::form::Domain;

/// Samples by which a generator is calibrated, if they are no more than so many values; fewer than [`LEAST`] say too little.
const SAMPLES: usize = 1 << 14;
const VALUES: usize = 1 << 23;
const LEAST: usize = 1 << 10;
/// Knots of the map of a score, about; towards the ends they are nearer to each other.
const KNOTS: usize = 512;
/// The knot, from either end, up to which a map tells how it goes on beyond that end: that of the sixteenth score of many.
const TAIL: usize = 5;
/// Rounds in which biases are found, how much of the error each of them takes away, and how far they go.
const ROUNDS: usize = 30;
const PART: f64 = 0.7;
const FARTHEST_BIAS: f64 = 8.0;
/// Outputs below are as good as 0.
const TINY: f32 = 1e-30;

/// How samples of a generator are put right.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    features: usize,
    /// Of each number the score of the generator and that of the data at some quantiles; none where it stays as it is.
    maps: Vec<Option<(Vec<f32>, Vec<f32>)>>,
    /// Of each group its first feature, and the factors of its outputs.
    groups: Vec<(usize, Vec<f32>)>,
}

impl Codec {
    /// The number of samples by which a generator of this table is calibrated.
    pub fn calibration_samples(&self) -> usize {
        SAMPLES.min(VALUES / self.features().max(1)).max(LEAST)
    }

    /// The calibration of a generator that has made these `samples`, row-major with all features, under its conditions as often as the
    /// data have them. Of few samples it is one that makes of each group what a row has, and nothing else.
    pub fn calibration(&self, samples: &[f32]) -> Calibration {
        let features = self.features();
        let mut calibration = Calibration {
            features,
            maps: vec![None; self.numbers()],
            groups: self.groups_from(|places| vec![1.0; places]),
        };
        if samples.len() / features < LEAST {
            return calibration;
        }
        let wanted = self.shares();
        for ((feature, factors), wanted) in calibration.groups.iter_mut().zip(wanted) {
            if let Some(wanted) = wanted {
                *factors = factors_of(samples, features, *feature, &wanted);
            }
        }
        let reach = if self.beyond() > 0.0 { REACH } else { FARTHEST };
        for facet in self.facets() {
            let Facet::Number { column, feature, missing } = facet else { continue };
            if !matches!(&self.codings[column], Coding::Number { scores, .. } if scores.are_normal()) {
                continue;
            }
            let group = calibration.groups.iter().find(|(first, _)| Some(*first) == missing);
            let is_there = |sample: &&[f32]| group.is_none_or(|(first, factors)| place(sample, *first, factors) == 0);
            let mut scores: Vec<f32> =
                samples.chunks_exact(features).filter(is_there).map(|sample| sample[feature]).collect();
            if scores.len() >= LEAST {
                scores.sort_unstable_by(f32::total_cmp);
                calibration.maps[feature] = Some(map_of(&scores, reach));
            }
        }
        calibration
    }

    /// What `of` gives for each group, with its first feature.
    fn groups_from(&self, of: impl Fn(usize) -> Vec<f32>) -> Vec<(usize, Vec<f32>)> {
        let mut first = self.numbers();
        let group = |&places: &usize| {
            first += places;
            (first - places, of(places))
        };
        self.groups().iter().map(group).collect()
    }

    /// The shares of the rows that the places of each group have in the data; none where they are not known.
    fn shares(&self) -> Vec<Option<Vec<f64>>> {
        let share = |count: u64, of: u64| count as f64 / of as f64;
        let of = |facet: Facet| match facet {
            Facet::Category { column, places, .. } => {
                let form = &self.form.columns[column];
                let Domain::Categories { categories, rest } = &form.domain else { return Some(None) };
                let mut counts: Vec<u64> = categories.iter().chain(rest).map(|category| category.count).collect();
                counts.resize(places, form.missing_cells);
                // The rows of the whole table, also where this one is a part of it.
                let all = counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count));
                Some(Some(counts.into_iter().map(|count| share(count, all)).collect()))
            }
            Facet::Missing { column, .. } => {
                let missing = share(self.form.columns[column].missing_cells, self.rows).min(1.0);
                Some(Some(vec![1.0 - missing, missing]))
            }
            Facet::Number { .. } => None,
        };
        let known = |shares: Option<Vec<f64>>| {
            shares.filter(|shares| self.rows > 0 && shares.iter().all(|share| share.is_finite()))
        };
        self.facets().into_iter().filter_map(of).map(known).collect()
    }
}

/// The place of a group that a sample is of.
fn place(sample: &[f32], first: usize, factors: &[f32]) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (place, (value, factor)) in sample[first..].iter().zip(factors).enumerate() {
        let value = value * factor;
        if value > best.1 {
            best = (place, value);
        }
    }
    best.0
}

/// The factors of the outputs of the group that begins with `first`, under which its places have the `wanted` shares.
///
/// An output is the softmax of logits with noise over a temperature, so that a factor of outputs is a bias of these.
fn factors_of(samples: &[f32], features: usize, first: usize, wanted: &[f64]) -> Vec<f32> {
    let places = wanted.len();
    let rows = samples.len() / features;
    let logarithms: Vec<f32> = samples
        .chunks_exact(features)
        .flat_map(|sample| sample[first..first + places].iter().map(|value| value.max(TINY).ln()))
        .collect();
    // Biases of the logits: in logarithms of outputs they are over the temperature.
    let temperature = f64::from(gannet::net::SOFTMAX_TEMPERATURE);
    let (mut biases, mut scaled) = (vec![0.0f64; places], vec![0.0f32; places]);
    let least = 1.0 / rows as f64;
    for _ in 0..ROUNDS {
        let mut counts = vec![0u32; places];
        for row in logarithms.chunks_exact(places) {
            let mut best = (0, f32::NEG_INFINITY);
            for (place, (value, bias)) in row.iter().zip(&scaled).enumerate() {
                if value + bias > best.1 {
                    best = (place, value + bias);
                }
            }
            counts[best.0] += 1;
        }
        for ((bias, count), wanted) in biases.iter_mut().zip(&counts).zip(wanted) {
            let found = (f64::from(*count) / rows as f64).max(0.2 * least);
            *bias += PART * (wanted.max(0.1 * least) / found).ln();
        }
        let mean = biases.iter().sum::<f64>() / places as f64;
        for (bias, scaled) in biases.iter_mut().zip(&mut scaled) {
            *bias = (*bias - mean).clamp(-FARTHEST_BIAS, FARTHEST_BIAS);
            *scaled = (*bias / temperature) as f32;
        }
    }
    // Within 32 bits: 8 over 0.2 is 40, and e^40 is 2e17.
    scaled.into_iter().map(f32::exp).collect()
}

/// Scores of a generator, ascending, and those of the data at the same quantiles; and beyond, along the slope of the tails, as far as they
/// `reach`.
fn map_of(sorted: &[f32], reach: f64) -> (Vec<f32>, Vec<f32>) {
    let score = |rank: usize| probit((rank as f64 + 0.5) / sorted.len() as f64).clamp(-FARTHEST, FARTHEST) as f32;
    let mut map: Vec<(f32, f32)> = ranks(sorted.len()).into_iter().map(|rank| (sorted[rank], score(rank))).collect();
    let farthest = |knots: &mut dyn Iterator<Item = &(f32, f32)>, end: f32| {
        let (&(from, to), &(inner_from, inner_to)) = (knots.next()?, knots.nth(TAIL - 1)?);
        let slope = (inner_to - to) / (inner_from - from);
        let beyond = from + (end - to) / slope;
        (slope.is_finite() && beyond.is_finite()).then_some((beyond, end))
    };
    let ends = [farthest(&mut map.iter(), -reach as f32), farthest(&mut map.iter().rev(), reach as f32)];
    map.splice(0..0, ends[0]);
    map.extend(ends[1]);
    map.into_iter().unzip()
}

/// Ranks of so many scores that become knots: as far apart towards the ends as these are, then evenly.
fn ranks(count: usize) -> Vec<usize> {
    let (apart, last) = (count.div_ceil(KNOTS), count - 1);
    let next = |rank: &usize| Some(rank + apart.min((*rank).max(1)));
    let below: Vec<usize> = std::iter::successors(Some(0), next).take_while(|rank| 2 * rank < last).collect();
    let above = below.iter().rev().map(|rank| last - rank);
    below.iter().copied().chain(above).collect()
}

/// A score through a map, along straight lines.
fn mapped(score: f32, (from, to): &(Vec<f32>, Vec<f32>)) -> f32 {
    let above = from.partition_point(|knot| *knot <= score);
    match above {
        0 => to[0],
        above if above == from.len() => to[above - 1],
        above => {
            let (low, high) = (from[above - 1], from[above]);
            let part = if high > low { (score - low) / (high - low) } else { 0.5 };
            part.mul_add(to[above] - to[above - 1], to[above - 1])
        }
    }
}

impl Calibration {
    /// The same for samples whose groups are probabilities, as a generator as a function gives them, instead of draws: these have a
    /// temperature, by which their factors are the larger.
    #[must_use]
    pub fn for_probabilities(mut self) -> Self {
        for factor in self.groups.iter_mut().flat_map(|(_, factors)| factors) {
            *factor = factor.powf(gannet::net::SOFTMAX_TEMPERATURE);
        }
        self
    }

    /// The factors of the group that begins with this feature.
    #[cfg(feature = "onnx")]
    pub(super) fn weights(&self, first: usize) -> Option<&[f32]> {
        self.groups.iter().find(|(feature, _)| *feature == first).map(|(_, factors)| factors.as_slice())
    }

    /// The map of a number's scores, if it has one.
    #[cfg(feature = "onnx")]
    pub(super) fn curve(&self, number: usize) -> Option<gannet::gan::onnx::Curve> {
        let (from, to) = self.maps.get(number)?.as_ref()?;
        let points = from.iter().zip(to).map(|(from, to)| [f64::from(*from), f64::from(*to)]).collect();
        Some(gannet::gan::onnx::Curve::Points(points))
    }

    /// Puts samples right, row-major with all features: scores are mapped, and of each group one place is 1 and the others are 0.
    pub fn apply(&self, samples: &mut [f32]) {
        for sample in samples.chunks_exact_mut(self.features) {
            for (score, map) in sample.iter_mut().zip(&self.maps) {
                if let Some(map) = map {
                    *score = mapped(*score, map);
                }
            }
            for (first, factors) in &self.groups {
                let chosen = place(sample, *first, factors);
                let group = &mut sample[*first..*first + factors.len()];
                group.iter_mut().enumerate().for_each(|(place, value)| *value = f32::from(u8::from(place == chosen)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::jitter::jitter;
    use crate::{Input, ReadOptions, Scaling, read};

    #[test]
    fn marginals_become_those_of_the_data() {
        let rows: String = (0..1_000)
            .map(|row| {
                let number = if row % 4 == 0 { "NA".to_string() } else { format!("{}.25", row * row % 977) };
                format!("{},{number}\n", ["a", "a", "a", "b", "b", "c", "a", "a", "a", "a"][row % 10])
            })
            .collect();
        let table = read(&Input::bytes("t.csv", format!("k,x\n{rows}")), &ReadOptions::default()).unwrap();
        let codec = Codec::fit(&table, None, Scaling::Quantile).unwrap();
        assert_eq!((codec.numbers(), codec.groups()), (1, &[3, 2][..]));
        // A generator whose scores are shifted and narrow, and whose places are equally likely, in outputs as soft as a softmax makes them.
        let soft = |row: u64, of: u64, places: usize| {
            let gumbel: Vec<f64> = (0..places as u64).map(|place| -(-jitter(row, 10 * of + place).ln()).ln()).collect();
            let exponentials: Vec<f64> = gumbel.iter().map(|value| (value / 0.2).exp()).collect();
            let sum: f64 = exponentials.iter().sum();
            exponentials.into_iter().map(move |value| (value / sum) as f32).collect::<Vec<_>>()
        };
        let sample = |row: u64| {
            let score = 0.3f32.mul_add(probit(jitter(row, 0)) as f32, 1.0);
            [vec![score], soft(row, 1, 3), soft(row, 2, 2)].concat()
        };
        let samples: Vec<f32> = (0..8_000).flat_map(sample).collect();
        let calibration = codec.calibration(&samples);
        let mut others: Vec<f32> = (8_000..16_000).flat_map(sample).collect();
        calibration.apply(&mut others);
        let share = |feature: usize| others.iter().skip(feature).step_by(6).sum::<f32>() / 8_000.0;
        for (feature, expected) in [(1, 0.7), (2, 0.2), (3, 0.1), (4, 0.75), (5, 0.25)] {
            assert!((share(feature) - expected).abs() < 0.02, "{feature}: {}", share(feature));
        }
        let mut scores: Vec<f32> = others.iter().copied().step_by(6).collect();
        scores.sort_unstable_by(f32::total_cmp);
        for share in [0.05, 0.3, 0.5, 0.9] {
            let found = f64::from(scores[(share * 8_000.0) as usize]);
            assert!((found - probit(share)).abs() < 0.06, "{share}: {found}");
        }
    }

    #[test]
    fn tails_go_on_as_they_are() {
        // A generator whose scores are half as wide; what is calibrated goes beyond the scores by which it was.
        let scores: Vec<f32> =
            (0..16_384).map(|rank| 0.5 * probit((f64::from(rank) + 0.5) / 16_384.0) as f32).collect();
        let map = map_of(&scores, FARTHEST);
        assert!(map.0.is_sorted() && map.1.is_sorted() && map.0.len() < KNOTS + 20, "{}", map.0.len());
        for score in [-2.2f32, -2.05, -1.9, -1.0, 0.3, 1.9, 2.05, 2.2] {
            let found = mapped(score, &map);
            assert!((found - 2.0 * score).abs() < 0.02, "{score}: {found}");
        }
        assert_eq!([-9.0, 9.0].map(|score| mapped(score, &map)), [-4.5, 4.5]);
        // One that has collapsed at an end has no tail to go on with.
        let mut collapsed = scores.clone();
        collapsed[..100].fill(scores[100]);
        assert_eq!(map_of(&collapsed, FARTHEST).1[0], map.1[1]);
        // Where values go on beyond the data, scores do.
        assert_eq!([-9.0, 9.0].map(|score| mapped(score, &map_of(&scores, REACH))), [-6.0, 6.0]);
        assert_eq!(ranks(10), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(ranks(11).len(), 10);
    }

    /// The form counts the rows of the whole table, also where the codec was fitted to some of them.
    #[test]
    fn shares_of_a_part_are_those_of_the_table() {
        let text: String = (0..90).map(|row| format!("{}.5,{}\n", row * row % 37, ["a", "b", ""][row % 3])).collect();
        let table = read(&Input::bytes("t.csv", text), &ReadOptions::default()).unwrap();
        let part = table.select(&[0, 1, 2, 3, 4, 5]).unwrap();
        let shares = Codec::fit(&part, None, Scaling::Quantile).unwrap().shares();
        assert_eq!(shares, [Some(vec![1.0 / 3.0; 3])]);
    }

    #[test]
    fn few_samples_change_nothing_but_groups() {
        let text: String = (0..40).map(|row| format!("{}.5,{}\n", row * row % 37, row % 3)).collect();
        let table = read(&Input::bytes("t.csv", text), &ReadOptions::default()).unwrap();
        let codec = Codec::fit(&table, None, Scaling::Quantile).unwrap();
        let mut sample = [0.7, 0.2, 0.5, 0.3];
        codec.calibration(&sample).apply(&mut sample);
        assert_eq!(sample, [0.7, 0.0, 1.0, 0.0]);
        // What is one value stays one; what is no number stays none.
        let collapsed = [0.25, 0.9, 0.1, 0.0].repeat(2_000);
        let calibration = codec.calibration(&collapsed);
        let mut samples = [collapsed[..8].to_vec(), vec![f32::NAN; 4]].concat();
        calibration.apply(&mut samples);
        assert_eq!(samples[0], samples[4]);
        assert!(samples[..8].iter().all(|value| value.is_finite()));
    }
}
