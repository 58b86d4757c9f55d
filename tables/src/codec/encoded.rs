//! A table in memory as the trainer draws from it: scores of 32 bits, and the places of its groups in a byte or two each.

use gannet::gan::Source;
use gannet::gan::source::{BatchWriter, BoxError, InMemory, Shape, from_rows};
use gannet::internals::memory::filled;
use gannet::{Error, Result};

use super::coding::{Coding, number};
use super::columns::Codec;
use super::jitter::jitter;
use super::rows::largest;
use super::scores::Scores;
use crate::table::{Column, Table, Value};

/// An encoded table: a source of samples, each with its class behind it as indicators where the codec has a condition.
#[derive(Clone, Debug)]
pub struct EncodedTable {
    rows: usize,
    /// Row-major `[rows, numbers]`.
    numbers: Vec<f32>,
    /// Row-major `[rows, groups]`, the condition behind them.
    places: Places,
    /// Features before the groups, and the sizes of these, that of the condition behind them.
    width: usize,
    sizes: Vec<usize>,
    /// Features of a sample, the condition's included.
    features: usize,
    /// Those of the condition.
    conditions: usize,
}

/// Places of a group whose places, and the one behind them, are told apart by a byte.
const MOST_OF_BYTES: usize = u8::MAX as usize;

/// Places in groups.
#[derive(Clone, Debug)]
enum Places {
    Bytes(Vec<u8>),
    Words(Vec<u16>),
}

impl Places {
    fn get(&self, index: usize) -> usize {
        match self {
            Self::Bytes(places) => usize::from(places[index]),
            Self::Words(places) => usize::from(places[index]),
        }
    }

    fn set(&mut self, index: usize, place: usize) {
        match self {
            Self::Bytes(places) => places[index] = place as u8,
            Self::Words(places) => places[index] = place as u16,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Bytes(places) => places.len(),
            Self::Words(places) => size_of_val(places.as_slice()),
        }
    }
}

impl Codec {
    /// Encodes a table of the same form; with it, at most `most` bytes are taken.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for a table of another form; [`Error::MemoryLimit`] before more is taken; [`Error::OutOfMemory`].
    pub fn encode(&self, table: &Table, most: u64) -> Result<EncodedTable> {
        if table.form() != self.form() {
            return Err(Error::shape("table", "the form that the codec was fitted to", "another"));
        }
        let condition = self.condition.map(|column| (column, &self.codings[column]));
        let mut sizes = self.groups.clone();
        let conditions = match condition {
            Some((_, Coding::Category { places, .. })) => *places,
            _ => 0,
        };
        sizes.extend((conditions > 0).then_some(conditions));
        let (rows, width) = (table.rows(), self.numbers);
        let is_small = sizes.iter().all(|size| *size <= MOST_OF_BYTES);
        let of_row = 4 * width + sizes.len() * if is_small { 1 } else { 2 };
        let needed = table.bytes().saturating_add((rows as u64).saturating_mul(of_row as u64));
        if needed > most {
            return Err(Error::MemoryLimit { needed, limit: most });
        }
        let count = rows.saturating_mul(sizes.len());
        let places = if is_small { Places::Bytes(filled(count, 0)?) } else { Places::Words(filled(count, 0)?) };
        let mut encoded = EncodedTable {
            rows,
            numbers: filled(rows.saturating_mul(width), 0.0)?,
            places,
            width,
            features: self.features() + conditions,
            sizes,
            conditions,
        };
        let (mut at_number, mut at_group) = (0, 0);
        for ((column, coding), values) in
            self.learned().map(|(column, coding)| ((column, coding), &table.columns()[column]))
        {
            match coding {
                Coding::Nothing => {}
                Coding::Number { scores, base, has_missing, .. } => {
                    encoded.set_numbers(at_number, values, column, (scores, *base));
                    at_number += 1;
                    if *has_missing {
                        encoded.set_places(at_group, |row| usize::from(number(values, row, *base).is_none()));
                        at_group += 1;
                    }
                }
                Coding::Category { places, has_missing } => {
                    encoded.set_places(at_group, |row| place(values, row, (*places, *has_missing)));
                    at_group += 1;
                }
            }
        }
        if let Some((column, Coding::Category { places, has_missing })) = condition {
            encoded.set_places(at_group, |row| place(&table.columns()[column], row, (*places, *has_missing)));
        }
        Ok(encoded)
    }

    /// An encoded table without rows, where there is no table to encode.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn empty(&self) -> Result<EncodedTable> {
        self.encode(&self.table(&[], |_| None)?, u64::MAX)
    }
}

/// The place of a row in the group of its column. What the group has no place for, a category that is not known or a missing value, is
/// behind its last place, and so none of its indicators.
fn place(values: &Column, row: usize, (places, has_missing): (usize, bool)) -> usize {
    let known = places - usize::from(has_missing);
    match values.value(row) {
        Value::Category(category) => usize::try_from(category).ok().filter(|place| *place < known).unwrap_or(places),
        _ if has_missing => known,
        _ => places,
    }
}

impl EncodedTable {
    /// One without rows and without a condition, with room for so many.
    pub(super) fn with_room(codec: &Codec, rows: usize) -> Result<Self> {
        let (width, sizes) = (codec.numbers, codec.groups.clone());
        let (mut bytes, mut words, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        let is_small = sizes.iter().all(|size| *size <= MOST_OF_BYTES);
        let count = rows.saturating_mul(sizes.len());
        let values = rows.saturating_mul(width);
        let room = numbers
            .try_reserve_exact(values)
            .and_then(|()| if is_small { bytes.try_reserve_exact(count) } else { words.try_reserve_exact(count) });
        room.map_err(|_| Error::OutOfMemory { bytes: 4 * values as u64 + 2 * count as u64 })?;
        let places = if is_small { Places::Bytes(bytes) } else { Places::Words(words) };
        Ok(Self { rows: 0, numbers, places, width, features: codec.features(), sizes, conditions: 0 })
    }

    /// Adds a row: the numbers of a sample, and of each group the place of the largest.
    pub(super) fn push(&mut self, sample: &[f32]) -> Result<()> {
        if sample.len() != self.features {
            return Err(Error::shape("sample", format!("{} features", self.features), sample.len().to_string()));
        }
        let (numbers, mut rest) = sample.split_at(self.width);
        self.numbers.extend_from_slice(numbers);
        for &size in &self.sizes {
            let (group, behind) = rest.split_at(size);
            match &mut self.places {
                Places::Bytes(places) => places.push(largest(group) as u8),
                Places::Words(places) => places.push(largest(group) as u16),
            }
            rest = behind;
        }
        self.rows += 1;
        Ok(())
    }

    /// The place of a row in one of its groups.
    pub(super) fn place(&self, row: usize, group: usize) -> usize {
        self.places.get(row * self.sizes.len() + group)
    }

    /// The numbers of a row.
    pub(super) fn numbers(&self, row: usize) -> &[f32] {
        &self.numbers[row * self.width..][..self.width]
    }

    fn set_numbers(&mut self, at: usize, values: &Column, column: usize, (scores, base): (&Scores, i64)) {
        for (row, sample) in self.numbers.chunks_exact_mut(self.width).enumerate() {
            let jitter = jitter(row as u64, column as u64);
            sample[at] = match number(values, row, base) {
                Some(number) => scores.score(number, jitter),
                None => Scores::of_missing(jitter),
            };
        }
    }

    fn set_places(&mut self, at: usize, place: impl Fn(usize) -> usize) {
        let groups = self.sizes.len();
        (0..self.rows).for_each(|row| self.places.set(row * groups + at, place(row)));
    }

    /// Samples: rows of the table.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Features of a sample, without its class.
    pub fn features(&self) -> usize {
        self.features - self.conditions
    }

    /// Bytes of memory that the samples take.
    pub fn bytes(&self) -> u64 {
        (size_of_val(self.numbers.as_slice()) + self.places.bytes()) as u64
    }

    /// Writes the features of a row into `sample`, its class behind them as far as there is room. A row beyond the last changes nothing.
    pub fn copy(&self, row: usize, sample: &mut [f32]) {
        if row >= self.rows {
            return;
        }
        let (numbers, mut rest) = sample.split_at_mut(self.width.min(sample.len()));
        let of_row = &self.numbers[row * self.width..][..numbers.len()];
        numbers.copy_from_slice(of_row);
        rest.fill(0.0);
        for (group, size) in self.sizes.iter().enumerate() {
            let (indicators, behind) = rest.split_at_mut((*size).min(rest.len()));
            if let Some(indicator) = indicators.get_mut(self.places.get(row * self.sizes.len() + group)) {
                *indicator = 1.0;
            }
            rest = behind;
        }
    }

    /// The largest magnitude among the numbers.
    pub fn reach(&self) -> f32 {
        self.numbers.iter().fold(0.0, |most: f32, number| most.max(number.abs()))
    }

    /// The class of a row; `None` where there is no condition, or no such row.
    pub fn class(&self, row: usize) -> Option<usize> {
        let groups = self.sizes.len();
        (self.conditions > 0 && row < self.rows).then(|| self.places.get(row * groups + groups - 1))
    }

    /// Hands all that the samples are to `take`, piece by piece, for a checksum.
    pub fn for_each_piece(&self, mut take: impl FnMut(&[u8])) {
        let mut bytes = Vec::with_capacity(1 << 12);
        let mut add = |more: &[u8], take: &mut dyn FnMut(&[u8])| {
            bytes.extend_from_slice(more);
            if bytes.len() >= 1 << 12 {
                take(&bytes);
                bytes.clear();
            }
        };
        self.numbers.iter().for_each(|number| add(&number.to_le_bytes(), &mut take));
        match &self.places {
            Places::Bytes(places) => places.chunks(1 << 12).for_each(|places| add(places, &mut take)),
            Places::Words(places) => places.iter().for_each(|place| add(&place.to_le_bytes(), &mut take)),
        }
        take(&bytes);
    }
}

impl Source for EncodedTable {
    fn shape(&self) -> Shape {
        Shape::new(self.features, self.rows).concurrent()
    }

    fn fill(&self, batch: &mut BatchWriter<'_>) -> Result<(), BoxError> {
        while let Some((number, row)) = batch.next_row() {
            let number = usize::try_from(number).ok().filter(|number| *number < self.rows);
            self.copy(number.ok_or("there is no such sample")?, row);
        }
        Ok(())
    }

    fn in_memory(&self) -> Option<InMemory<'_>> {
        // Numbers alone lie as they are drawn.
        if self.sizes.is_empty() { from_rows(&self.numbers, self.width).ok() } else { None }
    }
}
