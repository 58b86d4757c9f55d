//! Samples as rows of the table.

use gannet::Result;
use gannet::internals::memory::room;

use super::coding::Coding;
use super::columns::Codec;
use crate::form::Domain;
use crate::table::{Column, Indices, Mask, Table, Value, Values};

impl Codec {
    /// The row that a sample stands for. `class` is its class, the place in [`classes`](Self::classes), where there is a condition. `row`
    /// has a value for each column, and `sample` all features; what one of them lacks stays as it is.
    pub fn decode(&self, sample: &[f32], class: Option<usize>, row: &mut [Value]) {
        let (mut numbers, mut groups) = sample.split_at(self.numbers.min(sample.len()));
        let mut group = |size: usize| {
            let (group, behind) = groups.split_at(size.min(groups.len()));
            groups = behind;
            largest(group)
        };
        for (column, (coding, value)) in self.codings.iter().zip(row).enumerate() {
            if self.condition == Some(column) {
                *value = class.map_or(Value::Missing, |class| category(coding, class));
                continue;
            }
            *value = match coding {
                Coding::Nothing => match self.form.columns[column].domain {
                    Domain::Categories { .. } => Value::Category(0),
                    _ => Value::Generated,
                },
                Coding::Number { base, has_missing, .. } => {
                    let Some((score, behind)) = numbers.split_first() else { continue };
                    numbers = behind;
                    if *has_missing && group(2) == 1 {
                        Value::Missing
                    } else {
                        let number = coding.number(*score);
                        match &self.form.columns[column].domain {
                            Domain::Integers { .. } => Value::Integer(whole(number, *base)),
                            Domain::Dates { .. } => Value::Date(whole(number, *base)),
                            Domain::Numbers { format, .. } => Value::Number(format.nearest(number)),
                            _ => Value::Number(number),
                        }
                    }
                }
                Coding::Category { places, .. } => category(coding, group(*places)),
            };
        }
    }

    /// Makes of each group of `samples`, row-major with all features, what a row of the table has: 1 in the place of the largest, and 0 in
    /// the others.
    pub fn harden(&self, samples: &mut [f32]) {
        for sample in samples.chunks_exact_mut(self.features().max(1)) {
            let mut rest = &mut sample[self.numbers..];
            for &size in &self.groups {
                let (group, behind) = rest.split_at_mut(size);
                let largest = largest(group);
                group.iter_mut().enumerate().for_each(|(place, value)| *value = f32::from(u8::from(place == largest)));
                rest = behind;
            }
        }
    }

    /// The table of `samples`, row-major with all features, of the classes that `class` gives by their index.
    ///
    /// # Errors
    ///
    /// [`gannet::Error::OutOfMemory`].
    pub fn table(&self, samples: &[f32], class: impl Fn(usize) -> Option<usize>) -> Result<Table> {
        let features = self.features();
        let rows = samples.len() / features;
        let mut columns = Vec::with_capacity(self.form.columns.len());
        for column in &self.form.columns {
            let values = match &column.domain {
                Domain::Numbers { .. } => Values::Numbers(room(rows)?),
                Domain::Integers { .. } => Values::Integers(room(rows)?),
                Domain::Dates { .. } => Values::Dates(room(rows)?),
                Domain::Categories { .. } if column.categories() <= 256 => {
                    Values::Categories(Indices::Bytes(room(rows)?))
                }
                Domain::Categories { .. } => Values::Categories(Indices::Words(room(rows)?)),
                _ => Values::None,
            };
            columns.push(Growing { values, missing: room(rows)? });
        }
        let mut row = vec![Value::Missing; columns.len()];
        for (index, sample) in samples.chunks_exact(features).enumerate() {
            self.decode(sample, class(index), &mut row);
            columns.iter_mut().zip(&row).for_each(|(column, value)| column.push(*value));
        }
        let finished = |Growing { values, missing }: Growing| {
            let mask = if values == Values::None { None } else { Mask::of(&missing) };
            Column::new(values, mask)
        };
        Table::new(self.form.clone(), rows, columns.into_iter().map(finished).collect())
    }

    /// The value that the rows of a class, a place in [`classes`](Self::classes), have in the column of the condition: missing where there
    /// is no condition.
    pub fn class_value(&self, class: usize) -> Value {
        self.condition.map_or(Value::Missing, |column| category(&self.codings[column], class))
    }
}

/// The place of the largest value of a group, the first of several; what is no number is none.
pub(super) fn largest(group: &[f32]) -> usize {
    let mut largest = (0, f32::NEG_INFINITY);
    for (place, value) in group.iter().enumerate() {
        if *value > largest.1 {
            largest = (place, *value);
        }
    }
    largest.0
}

/// The value of a place in the group of a column of categories.
pub(super) fn category(coding: &Coding, place: usize) -> Value {
    match coding {
        Coding::Category { places, has_missing: true } if place + 1 >= *places => Value::Missing,
        _ => u32::try_from(place).map_or(Value::Missing, Value::Category),
    }
}

/// A whole number from one that was taken off `base`.
fn whole(number: f64, base: i64) -> i64 {
    let sum = i128::from(base).saturating_add(number.round() as i128);
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

/// A column of a table that grows row by row.
struct Growing {
    values: Values,
    missing: Vec<bool>,
}

impl Growing {
    fn push(&mut self, value: Value) {
        self.missing.push(value == Value::Missing);
        match (&mut self.values, value) {
            (Values::Numbers(values), Value::Number(number)) => values.push(number),
            (Values::Numbers(values), _) => values.push(0.0),
            (Values::Integers(values), Value::Integer(number)) | (Values::Dates(values), Value::Date(number)) => {
                values.push(number);
            }
            (Values::Integers(values) | Values::Dates(values), _) => values.push(0),
            (Values::Categories(Indices::Bytes(places)), Value::Category(place)) => places.push(place as u8),
            (Values::Categories(Indices::Words(places)), Value::Category(place)) => places.push(place as u16),
            (Values::Categories(Indices::Bytes(places)), _) => places.push(0),
            (Values::Categories(Indices::Words(places)), _) => places.push(0),
            (Values::None, _) => {}
        }
    }
}
