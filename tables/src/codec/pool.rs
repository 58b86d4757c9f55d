//! Generated rows among which those like a given one are found: what is left open of a row comes from one that is near in what is given.
//!
//! Of the rows that agree in all categories and marks of missing values, one of the nearest by the scores of the numbers is taken. Scores
//! are about normally distributed, so that all numbers weigh alike. `docs/tables.md` has what this approximates, and how well.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use gannet::{Error, Result};

use super::coding::{Coding, offset};
use super::columns::{Codec, Facet};
use super::encoded::EncodedTable;
use super::jitter::jitter;
use crate::table::Value;

/// One of so many of the nearest rows is taken. The only row would give the same answer to all rows that are alike; more of them are
/// farther away.
const NEAREST: usize = 16;
/// Rows that a finder remembers of all combinations together.
const KEPT: usize = 1 << 21;
/// Keeps the choice of a row apart from the places of its numbers.
const CHOICE: u64 = 0x632b_e59b_d9b4_e019;

/// Generated rows of a table, among which those like a given one are found.
#[derive(Clone, Debug)]
pub struct Pool {
    rows: EncodedTable,
}

/// What a row of a pool should have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// The places in some groups of a sample.
    places: Vec<(usize, usize)>,
    /// The scores of some of its numbers.
    scores: Vec<(usize, f32)>,
}

/// A row of a pool that is like a given one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// Its number.
    pub row: usize,
    /// In how many of the given categories and marks of missing values it is another.
    pub differing: usize,
}

impl Codec {
    /// What a generated row should have to be like a row of which these values are given, one for each column, and the others are not. The
    /// column of the condition does not count: a pool has rows of its class. `row` is the number of the row, and with `seed` all that
    /// chance depends on.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another number of values; [`Error::Data`] for a value that no row of the table has, such as a missing one where
    /// there are none.
    pub fn wanted(&self, given: &[Option<Value>], row: u64, seed: u64) -> Result<Wanted> {
        if given.len() != self.codings.len() {
            return Err(Error::shape("row", format!("{} values", self.codings.len()), given.len().to_string()));
        }
        let (mut wanted, mut group) = (Wanted::default(), 0);
        for facet in self.facets() {
            match facet {
                Facet::Number { column, feature, .. } => {
                    let Coding::Number { scores, base, .. } = &self.codings[column] else { continue };
                    let number = match given[column] {
                        Some(Value::Number(number)) if number.is_finite() => number,
                        Some(Value::Integer(number) | Value::Date(number)) => offset(number, *base),
                        _ => continue,
                    };
                    wanted.scores.push((feature, scores.score(number, jitter(row, seed.wrapping_add(column as u64)))));
                }
                Facet::Missing { column, .. } => {
                    wanted.places.extend(given[column].map(|value| (group, usize::from(value == Value::Missing))));
                    group += 1;
                }
                Facet::Category { column, places, .. } => {
                    let known = places - usize::from(self.has_missing(column));
                    let place = match given[column] {
                        None => None,
                        Some(Value::Category(category)) if (category as usize) < known => Some(category as usize),
                        Some(Value::Missing) if known < places => Some(known),
                        Some(_) => {
                            let problem = "the value is none of its categories; leave it out, to have it filled";
                            return Err(Error::data(format!("column `{}`", self.form.columns[column].name), problem));
                        }
                    };
                    wanted.places.extend(place.map(|place| (group, place)));
                    group += 1;
                }
            }
        }
        Ok(wanted)
    }

    /// A pool without rows, with room for so many.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn pool(&self, rows: usize) -> Result<Pool> {
        Ok(Pool { rows: EncodedTable::with_room(self, rows)? })
    }
}

impl Pool {
    /// Adds a sample of the codec's generator: its numbers, and of each group the place of the largest.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another number of features; [`Error::OutOfMemory`].
    pub fn push(&mut self, sample: &[f32]) -> Result<()> {
        self.rows.push(sample)
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes a row into `sample`, all features.
    pub fn copy(&self, row: usize, sample: &mut [f32]) {
        self.rows.copy(row, sample);
    }

    /// What finds rows of it.
    pub fn finder(&self) -> Finder<'_> {
        Finder { pool: self, known: HashMap::with_hasher(FixedState::with_seed(0)), kept: 0 }
    }

    /// The rows that agree in most of the `places`, ascending by a number where one is named.
    fn candidates(&self, Sought { places, by }: &Sought) -> Candidates {
        let (mut rows, mut differing) = (Vec::new(), usize::MAX);
        for row in 0..self.rows.len() {
            let differs = |(group, place): &&(usize, usize)| self.rows.place(row, *group) != *place;
            let count = places.iter().filter(differs).take(differing.saturating_add(1)).count();
            if count < differing {
                rows.clear();
                differing = count;
            }
            if count == differing {
                rows.push(row as u32);
            }
        }
        if let Some(feature) = *by {
            let number = |row: &u32| self.rows.numbers(*row as usize)[feature];
            rows.sort_by(|one, other| number(one).total_cmp(&number(other)));
        }
        Candidates { rows, differing }
    }
}

/// What candidates are for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Sought {
    /// The places in some groups.
    places: Vec<(usize, usize)>,
    /// The number by which they ascend.
    by: Option<usize>,
}

/// Rows of a pool that agree with given ones in most places.
#[derive(Clone, Debug)]
struct Candidates {
    rows: Vec<u32>,
    differing: usize,
}

/// Finds rows of a pool that are like given ones. It remembers which agree in the categories that it has been asked for, so that one that
/// is kept for many rows is faster; what it finds does not depend on that.
#[derive(Clone, Debug)]
pub struct Finder<'a> {
    pool: &'a Pool,
    known: HashMap<Sought, Candidates, FixedState>,
    /// Rows of all of these.
    kept: usize,
}

impl Finder<'_> {
    /// The row of the pool that is like the one that is `wanted`, whose number is `row`; `None` of an empty pool. Which of several it is
    /// depends on that number and the seed alone.
    pub fn find(&mut self, wanted: &Wanted, row: u64, seed: u64) -> Option<Found> {
        let key = Sought { places: wanted.places.clone(), by: wanted.scores.first().map(|(feature, _)| *feature) };
        if !self.known.contains_key(&key) {
            let candidates = self.pool.candidates(&key);
            if self.kept + candidates.rows.len() > KEPT {
                self.known.clear();
                self.kept = 0;
            }
            self.kept += candidates.rows.len();
            self.known.insert(key.clone(), candidates);
        }
        let Candidates { rows, differing } = self.known.get(&key)?;
        let chance = jitter(row, seed ^ CHOICE);
        let chosen = |count: usize| ((chance * count as f64) as usize).min(count.saturating_sub(1));
        let row = if wanted.scores.is_empty() {
            *rows.get(chosen(rows.len()))?
        } else {
            let (nearest, count) = self.nearest(rows, &wanted.scores);
            nearest[..count].get(chosen(count))?.1
        };
        Some(Found { row: row as usize, differing: *differing })
    }

    /// The nearest of `rows`, which ascend by the first of the numbers that have `scores`: the squares of their distances, ascending, and
    /// how many they are. From the score on it goes both ways, as far as the first number alone does not rule out all that follow.
    fn nearest(&self, rows: &[u32], scores: &[(usize, f32)]) -> ([(f32, u32); NEAREST], usize) {
        let (mut nearest, mut count) = ([(f32::INFINITY, 0); NEAREST], 0);
        let Some(&(first, score)) = scores.first() else { return (nearest, count) };
        let numbers = |row: u32| self.pool.rows.numbers(row as usize);
        let mut above = rows.partition_point(|row| numbers(*row)[first] < score);
        let mut below = above;
        loop {
            let gap = |place: Option<usize>| {
                place
                    .and_then(|place| rows.get(place))
                    .map_or(f32::INFINITY, |row| (numbers(*row)[first] - score).powi(2))
            };
            let (lower, upper) = (gap(below.checked_sub(1)), gap(Some(above)));
            if lower.min(upper) >= nearest[NEAREST - 1].0 {
                return (nearest, count);
            }
            let row = if lower <= upper {
                below -= 1;
                rows[below]
            } else {
                above += 1;
                rows[above - 1]
            };
            let numbers = numbers(row);
            let distance: f32 = scores.iter().map(|(feature, score)| (numbers[*feature] - score).powi(2)).sum();
            if distance < nearest[NEAREST - 1].0 {
                let place = nearest[..count].partition_point(|(other, _)| *other <= distance);
                count = (count + 1).min(NEAREST);
                nearest.copy_within(place..count - 1, place + 1);
                nearest[place] = (distance, row);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Input, ReadOptions, Scaling, read};

    /// A table of a category, a number that follows from it and another number, some of which are missing.
    fn codec() -> Codec {
        let row = |row: u32| {
            let x = if row % 10 == 9 { "NA".to_string() } else { format!("{}.5", row * 37 % 501) };
            format!("{},{x},{}\n", ["a", "b", "c"][row as usize % 3], row * 11 % 499)
        };
        let text = "k,x,y\n".to_string() + &(0..600).map(row).collect::<String>();
        Codec::fit(&read(&Input::bytes("t.csv", text), &ReadOptions::default()).unwrap(), None, Scaling::Quantile)
            .unwrap()
    }

    /// A sample: scores of `x` and `y`, a category, and whether `x` is missing.
    fn sample(x: f32, y: f32, category: usize, is_missing: bool) -> [f32; 7] {
        let mut sample = [x, y, 0.0, 0.0, 0.0, 0.0, 0.0];
        sample[2 + category] = 1.0;
        sample[5 + usize::from(is_missing)] = 1.0;
        sample
    }

    #[test]
    fn the_nearest_of_those_that_agree_are_found() {
        let codec = codec();
        assert_eq!((codec.numbers(), codec.groups()), (2, &[3, 2][..]));
        let mut pool = codec.pool(4).unwrap();
        // Of each category 100 rows; the missing ones are of the first category alone.
        for row in 0..300u16 {
            let x = f32::from(row / 3) / 25.0 - 2.0;
            pool.push(&sample(x, -x, usize::from(row % 3), row % 30 == 0)).unwrap();
        }
        assert_eq!(pool.len(), 300);
        let mut values = [0.0; 7];
        let category = |category| Some(Value::Category(category));
        let find = |given: [Option<Value>; 3], row| {
            let wanted = codec.wanted(&given, row, 5).unwrap();
            pool.finder().find(&wanted, row, 5).unwrap()
        };
        let mut met = std::collections::BTreeSet::new();
        for row in 0..400 {
            // A median of x has the score 0.
            let found = find([category(1), Some(Value::Number(250.5)), None], row);
            pool.copy(found.row, &mut values);
            assert!(values[3] == 1.0 && values[0].abs() < 0.45 && found.differing == 0, "{values:?}");
            met.insert(found.row);
        }
        assert!(met.len() >= NEAREST, "{met:?}");
        // Without numbers any that agree, each about as often.
        let mut counts = [0u32; 300];
        (0..3_000).for_each(|row| counts[find([category(2), None, None], row).row] += 1);
        assert!(
            (0..300).all(|row| (row % 3 == 2) == (counts[row] > 0)) && counts.iter().all(|count| *count < 65),
            "{counts:?}"
        );
        let found = find([category(0), Some(Value::Missing), None], 3);
        assert_eq!((found.row % 30, found.differing), (0, 0));
        // A combination that the pool does not have: all but one of what is given.
        assert_eq!(find([category(1), Some(Value::Missing), None], 3).differing, 1);
    }

    #[test]
    fn the_nearest_are_those_of_a_search_over_all() {
        let codec = codec();
        let mut pool = codec.pool(500).unwrap();
        let score = |row: u64, column| (4.0 * jitter(row, column) - 2.0) as f32;
        // Some numbers stand several times.
        (0..500)
            .for_each(|row| pool.push(&sample(score(row % 450, 1), score(row, 2), row as usize % 3, false)).unwrap());
        let finder = pool.finder();
        for wanted in 0..60 {
            let scores = [(0, 1.5 * score(wanted, 8)), (1, 1.5 * score(wanted, 9))];
            for scores in [&scores[..], &scores[..1], &scores[1..]] {
                let places = if wanted % 2 == 0 { vec![(0, 1)] } else { Vec::new() };
                let candidates = pool.candidates(&Sought { places, by: Some(scores[0].0) });
                let (nearest, count) = finder.nearest(&candidates.rows, scores);
                let distance = |row: &u32| -> f32 {
                    scores
                        .iter()
                        .map(|(feature, score)| (pool.rows.numbers(*row as usize)[*feature] - score).powi(2))
                        .sum()
                };
                let all = (0..500u32).filter(|row| wanted % 2 == 1 || row % 3 == 1);
                let mut expected: Vec<f32> = all.map(|row| distance(&row)).collect();
                expected.sort_by(f32::total_cmp);
                let found: Vec<f32> = nearest[..count].iter().map(|(distance, _)| *distance).collect();
                assert_eq!(found, expected[..NEAREST]);
                assert!(nearest.iter().all(|(square, row)| *square == distance(row)));
            }
        }
        // Fewer than are looked for are all there are.
        let (_, count) = finder.nearest(&[4, 9], &[(0, 0.0)]);
        assert_eq!(count, 2);
        // What is remembered changes nothing.
        let wanted = codec.wanted(&[Some(Value::Category(1)), Some(Value::Number(99.5)), None], 7, 3).unwrap();
        let mut kept = pool.finder();
        let first = kept.find(&wanted, 7, 3);
        assert!(first.is_some() && kept.find(&wanted, 7, 3) == first && pool.finder().find(&wanted, 7, 3) == first);
    }

    #[test]
    fn what_no_row_has_is_refused() {
        let codec = codec();
        assert!(matches!(codec.wanted(&[None], 0, 0), Err(Error::Shape { .. })));
        for value in [Value::Category(3), Value::Missing] {
            let problem = codec.wanted(&[Some(value), None, None], 0, 0).unwrap_err().to_string();
            assert!(problem.contains("column `k`: the value is none of its categories"), "{problem}");
        }
        let mut pool = codec.pool(0).unwrap();
        assert!(pool.push(&[0.0; 3]).is_err() && pool.is_empty());
        assert_eq!(pool.finder().find(&Wanted::default(), 0, 0), None);
    }
}
