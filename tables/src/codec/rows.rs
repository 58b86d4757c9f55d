//! Samples as rows of the table.

use gannet::{Error, Result};

use super::Codec;
use super::coding::Coding;
use crate::form::Domain;
use crate::table::{Column, Indices, Mask, Table, Value, Values};

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

/// See [`Codec::decode`].
pub(super) fn decode(codec: &Codec, sample: &[f32], class: Option<usize>, row: &mut [Value]) {
    let (mut numbers, mut groups) = sample.split_at(codec.numbers.min(sample.len()));
    let mut group = |size: usize| {
        let (group, behind) = groups.split_at(size.min(groups.len()));
        groups = behind;
        largest(group)
    };
    for (column, (coding, value)) in codec.codings.iter().zip(row).enumerate() {
        if codec.condition == Some(column) {
            *value = class.map_or(Value::Missing, |class| category(coding, class));
            continue;
        }
        *value = match coding {
            Coding::Nothing => match codec.form.columns[column].domain {
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
                    match &codec.form.columns[column].domain {
                        Domain::Integers { .. } => Value::Integer(whole(number, *base)),
                        Domain::Dates { .. } => Value::Date(whole(number, *base)),
                        _ => Value::Number(number),
                    }
                }
            }
            Coding::Category { places, .. } => category(coding, group(*places)),
        };
    }
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

/// See [`Codec::table`].
pub(super) fn table(codec: &Codec, samples: &[f32], class: impl Fn(usize) -> Option<usize>) -> Result<Table> {
    let features = codec.features();
    let rows = samples.len() / features;
    let refused = |_| Error::OutOfMemory { bytes: 8 * rows as u64 };
    fn room<T>(rows: usize) -> std::result::Result<Vec<T>, std::collections::TryReserveError> {
        let mut values = Vec::new();
        values.try_reserve_exact(rows).map(|()| values)
    }
    let mut columns = Vec::with_capacity(codec.form.columns.len());
    for column in &codec.form.columns {
        let values = match &column.domain {
            Domain::Numbers { .. } => Values::Numbers(room(rows).map_err(refused)?),
            Domain::Integers { .. } => Values::Integers(room(rows).map_err(refused)?),
            Domain::Dates { .. } => Values::Dates(room(rows).map_err(refused)?),
            Domain::Categories { .. } if column.categories() <= 256 => {
                Values::Categories(Indices::Bytes(room(rows).map_err(refused)?))
            }
            Domain::Categories { .. } => Values::Categories(Indices::Words(room(rows).map_err(refused)?)),
            _ => Values::None,
        };
        columns.push(Growing { values, missing: room(rows).map_err(refused)? });
    }
    let mut row = vec![Value::Missing; columns.len()];
    for (index, sample) in samples.chunks_exact(features).enumerate() {
        decode(codec, sample, class(index), &mut row);
        columns.iter_mut().zip(&row).for_each(|(column, value)| column.push(*value));
    }
    let finished = |Growing { values, missing }: Growing| {
        let mask = if values == Values::None { None } else { Mask::of(&missing) };
        Column::new(values, mask)
    };
    Table::new(codec.form.clone(), rows, columns.into_iter().map(finished).collect())
}
