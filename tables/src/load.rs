//! The second pass over a table: its values.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use gannet::Result;
use gannet::internals::memory::{filled, room};

use crate::complaint::complaint;
use crate::conclude::Survey;
use crate::date_format::DateFormat;
use crate::decide::ROUNDING;
use crate::encoding::Decoded;
use crate::form::{Category, ColumnForm, Domain, Form};
use crate::input::Input;
use crate::kind::Kind;
use crate::marks::Marks;
use crate::note::Note;
use crate::number_format::NumberFormat;
use crate::options::ReadOptions;
use crate::pass::{check_limit, length_problem};
use crate::record::Cell;
use crate::records::Records;
use crate::survey::text;
use crate::table::{Column, Indices, Mask, Table, Values};
use crate::text::shown;

/// How the cells of a column become values.
enum Reading {
    Numbers {
        format: NumberFormat,
        values: Vec<f64>,
    },
    Integers {
        format: NumberFormat,
        values: Vec<i64>,
    },
    Dates {
        format: DateFormat,
        values: Vec<i64>,
    },
    Categories {
        places: Places,
        rest: u16,
        indices: Indices,
        unknown: u64,
    },
    /// Nothing: of a constant that is known the cells that are not it are counted.
    Nothing {
        constant: Option<String>,
        differs: u64,
    },
}

/// The place of each category by its text.
pub(crate) struct Places {
    places: HashMap<Box<str>, u16, FixedState>,
    /// Whether capitals make no difference.
    ignores_case: bool,
    /// Those of numbers, where all categories are numbers and there is no other: another file may write them in another way.
    numbers: HashMap<u64, u16, FixedState>,
}

/// A column that is being read.
struct Builder {
    reading: Reading,
    missing: Option<Mask>,
    kind: Kind,
}

/// Reads the values of a table that was surveyed. `known` is the form to read it as, where that is not the survey's.
pub(crate) fn load(input: &Input, survey: Survey, options: &ReadOptions, known: Option<&Form>) -> Result<Table> {
    let Survey { mut form, rows, width, places, skipped, split, mut notes } = survey;
    let rows = usize::try_from(rows).map_err(|_| input.error("has more rows than memory could hold"))?;
    let columns = &known.unwrap_or(&form).columns;
    let needed: u64 = form.columns.iter().zip(columns).map(|(found, known)| size(found, known, rows)).sum();
    check_limit(needed.saturating_add(input.held()), options.memory_limit)?;
    let marks = Marks::new(options.missing.as_deref());
    let mut builders = Vec::with_capacity(columns.len());
    for (found, known) in form.columns.iter().zip(columns) {
        builders.push(builder(found, known, rows)?);
    }
    let mut slots: Vec<Option<usize>> = vec![None; width];
    for (index, &place) in places.iter().enumerate() {
        if let Some(slot) = slots.get_mut(place) {
            *slot = Some(index);
        }
    }
    let changed = || input.error("changed while it was read; read it again when nothing writes it");
    let mut records: Records<Decoded<_>> = Records::new(text(input, &form.dialect.encoding)?, input.origin(), split);
    for _ in 0..skipped {
        records.next()?;
    }
    let mut row = 0;
    while let Some(record) = records.next()? {
        if record.len() != width {
            return Err(input.error(length_problem(record.line, record.len(), 1, width, options.setting_names)));
        }
        if row == rows {
            return Err(changed());
        }
        for (cell, slot) in record.cells().zip(&slots) {
            let Some((index, builder)) = slot.and_then(|index| builders.get_mut(index).map(|builder| (index, builder)))
            else {
                continue;
            };
            if !builder.add(cell, row, &marks) {
                let name = form.columns.get(index).map_or("", |column| column.name.as_str());
                let what = complaint(&String::from_utf8_lossy(cell.text), builder.kind, options.setting_names);
                let place = places.get(index).map_or(0, |place| place + 1);
                return Err(input.error(format!("line {}, column {place} (`{}`): {what}", record.line, shown(name))));
            }
        }
        row += 1;
    }
    if row != rows {
        return Err(changed());
    }
    let mut columns = Vec::with_capacity(builders.len());
    for (builder, form) in builders.into_iter().zip(&mut form.columns) {
        match &builder.reading {
            Reading::Categories { unknown: unknown @ 1.., .. } if known.is_some() => {
                notes.push(Note::Unknown { column: form.name.clone(), cells: *unknown });
            }
            Reading::Nothing { constant: Some(constant), differs: differs @ 1.. } if known.is_some() => {
                let (column, constant) = (form.name.clone(), constant.clone());
                notes.push(Note::Differs { column, constant, cells: *differs });
            }
            _ => {}
        }
        columns.push(builder.finish(form));
    }
    Ok(Table { form, rows, columns, notes })
}

/// Bytes that the values of a column take.
fn size(found: &ColumnForm, known: &ColumnForm, rows: usize) -> u64 {
    let each: u64 = match &known.domain {
        Domain::Numbers { .. } | Domain::Integers { .. } | Domain::Dates { .. } => 8,
        Domain::Categories { categories, .. } if categories.len() < 256 => 1,
        Domain::Categories { .. } => 2,
        _ => 0,
    };
    let mask = if found.missing.is_some() && each > 0 { rows as u64 / 8 + 8 } else { 0 };
    (rows as u64).saturating_mul(each).saturating_add(mask)
}

/// A column without values yet, with room for all.
fn builder(found: &ColumnForm, known: &ColumnForm, rows: usize) -> Result<Builder> {
    let reading = match (&found.domain, &known.domain) {
        (Domain::Numbers { format, .. } | Domain::Integers { format, .. }, Domain::Numbers { format: known, .. }) => {
            // What the file does not show of its numbers is how many bits they have.
            let format = NumberFormat { is_single: known.is_single, is_half: known.is_half, ..format.clone() };
            Reading::Numbers { format, values: room(rows)? }
        }
        (_, Domain::Numbers { format, .. }) => Reading::Numbers { format: format.clone(), values: room(rows)? },
        (Domain::Integers { format, .. }, Domain::Integers { .. }) | (_, Domain::Integers { format, .. }) => {
            Reading::Integers { format: format.clone(), values: room(rows)? }
        }
        (Domain::Dates { format: found, .. }, Domain::Dates { format: known, .. }) => {
            Reading::Dates { format: in_units_of(found, known), values: room(rows)? }
        }
        (_, Domain::Dates { format, .. }) => Reading::Dates { format: format.clone(), values: room(rows)? },
        (_, Domain::Categories { categories, rest }) => {
            let indices = match categories.len() {
                ..256 => Indices::Bytes(room(rows)?),
                _ => Indices::Words(room(rows)?),
            };
            let places = Places::of(categories, known.kind == Kind::Boolean, rest.is_none());
            let rest = u16::try_from(categories.len()).unwrap_or(u16::MAX);
            Reading::Categories { places, rest, indices, unknown: 0 }
        }
        (_, Domain::Constant { text }) => Reading::Nothing { constant: Some(text.clone()), differs: 0 },
        _ => Reading::Nothing { constant: None, differs: 0 },
    };
    let has_values = !matches!(reading, Reading::Nothing { .. });
    let missing = match has_values && found.missing.is_some() {
        true => Some(Mask { bits: filled(rows.div_ceil(64), 0)? }),
        false => None,
    };
    Ok(Builder { reading, missing, kind: known.kind })
}

/// The format `found` in the units of `known`; `known` itself, which then names a cell that it cannot read, where they count something else.
fn in_units_of(found: &DateFormat, known: &DateFormat) -> DateFormat {
    let mut format = found.clone();
    if let (Some(found), Some(known)) = (&mut format.time, known.time) {
        found.decimals[1] = found.decimals[1].max(known.decimals[1]);
    }
    if format.counts_as(known) { format } else { known.clone() }
}

/// Whether a cell is a constant, as text or as a number, which may be rounded in another way.
fn is_same(constant: &str, cell: &[u8]) -> bool {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let is_same_number = |cell: &str| {
        number(constant).zip(number(cell)).is_some_and(|(one, other)| (one - other).abs() <= ROUNDING * one.abs())
    };
    cell == constant.as_bytes() || std::str::from_utf8(cell).is_ok_and(is_same_number)
}

impl Places {
    pub(crate) fn of(categories: &[Category], ignores_case: bool, are_all: bool) -> Self {
        let mut places = HashMap::with_hasher(FixedState::with_seed(0));
        for (index, category) in categories.iter().enumerate() {
            let index = u16::try_from(index).unwrap_or(u16::MAX);
            if ignores_case {
                places.entry(category.text.to_ascii_lowercase().into()).or_insert(index);
            }
            places.insert(category.text.as_str().into(), index);
        }
        let mut numbers = HashMap::with_hasher(FixedState::with_seed(0));
        for (index, category) in (0..).zip(categories).take_while(|_| are_all) {
            let number = number_bits(&category.text);
            if number.is_none_or(|number| numbers.insert(number, index).is_some()) {
                numbers.clear();
                break;
            }
        }
        Self { places, ignores_case, numbers }
    }

    pub(crate) fn find(&self, text: &str) -> Option<u16> {
        let lower = || self.places.get(text.to_ascii_lowercase().as_str()).filter(|_| self.ignores_case);
        let number = || number_bits(text).and_then(|number| self.numbers.get(&number));
        self.places.get(text).or_else(lower).or_else(number).copied()
    }
}

/// The bits of the number that a text is.
fn number_bits(text: &str) -> Option<u64> {
    // Adding 0 makes one zero of both.
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| (number + 0.0).to_bits())
}

impl Builder {
    /// Takes the cell of a row; whether it is a value of the column, or missing.
    fn add(&mut self, cell: Cell<'_>, row: usize, marks: &Marks) -> bool {
        let text = cell.text;
        let is_given = marks.are_given() && marks.find(text).is_some();
        let is_read = !is_given
            && match &mut self.reading {
                Reading::Numbers { format, values } => format.read(text).map(|value| values.push(value)).is_some(),
                Reading::Integers { format, values } => {
                    format.read_integer(text).map(|value| values.push(value)).is_some()
                }
                Reading::Dates { format, values } => format.read(text).map(|value| values.push(value)).is_some(),
                Reading::Categories { places, rest, indices, unknown } => {
                    match places.find(&String::from_utf8_lossy(text)) {
                        Some(place) => indices.push(place),
                        None if marks.find(cell.text).is_none() => {
                            *unknown += 1;
                            indices.push(*rest);
                        }
                        None => return self.add_missing(row),
                    }
                    true
                }
                Reading::Nothing { constant, differs } => {
                    *differs += u64::from(constant.as_ref().is_some_and(|constant| !is_same(constant, text)));
                    true
                }
            };
        is_read || (marks.find(text).is_some() && self.add_missing(row))
    }

    /// Takes a missing value; whether there may be one.
    fn add_missing(&mut self, row: usize) -> bool {
        match &mut self.reading {
            Reading::Numbers { values, .. } => values.push(0.0),
            Reading::Integers { values, .. } | Reading::Dates { values, .. } => values.push(0),
            Reading::Categories { indices, .. } => indices.push(0),
            Reading::Nothing { .. } => return true,
        }
        self.missing.as_mut().map(|missing| missing.set(row)).is_some()
    }

    /// The column; its range and counts go into its form.
    fn finish(self, form: &mut ColumnForm) -> Column {
        let missing = self.missing;
        let is_there = |row: usize| !missing.as_ref().is_some_and(|missing| missing.is_missing(row));
        let ends = |values: &[i64]| {
            let there = values.iter().enumerate().filter(|(row, _)| is_there(*row)).map(|(_, value)| *value);
            there.fold(None, |ends: Option<[i64; 2]>, value| {
                Some(ends.map_or([value; 2], |[least, greatest]| [least.min(value), greatest.max(value)]))
            })
        };
        match (&self.reading, &mut form.domain) {
            (Reading::Numbers { values, .. }, Domain::Numbers { range, .. }) => {
                let there = values.iter().enumerate().filter(|(row, _)| is_there(*row)).map(|(_, value)| *value);
                let ends = there.fold(None, |ends: Option<[f64; 2]>, value| {
                    Some(ends.map_or([value; 2], |[least, greatest]| [least.min(value), greatest.max(value)]))
                });
                *range = ends.unwrap_or_default();
            }
            (Reading::Integers { values, .. }, Domain::Integers { range, .. })
            | (Reading::Dates { values, .. }, Domain::Dates { range, .. }) => *range = ends(values).unwrap_or_default(),
            (Reading::Categories { indices, .. }, Domain::Categories { categories, rest }) => {
                indices.count(categories, rest.as_mut(), is_there);
            }
            _ => {}
        }
        let values = match self.reading {
            Reading::Numbers { values, .. } => Values::Numbers(values),
            Reading::Integers { values, .. } => Values::Integers(values),
            Reading::Dates { values, .. } => Values::Dates(values),
            Reading::Categories { indices, .. } => Values::Categories(indices),
            Reading::Nothing { .. } => Values::None,
        };
        Column { values, missing }
    }
}

impl Indices {
    fn push(&mut self, place: u16) {
        match self {
            Self::Bytes(indices) => indices.push(place as u8),
            Self::Words(indices) => indices.push(place),
        }
    }

    /// Counts how often each category is there.
    fn count(&self, categories: &mut [Category], rest: Option<&mut Category>, is_there: impl Fn(usize) -> bool) {
        let mut counts = vec![0; categories.len() + 1];
        for row in (0..self.len()).filter(|&row| is_there(row)) {
            if let Some(count) = self.get(row).and_then(|index| counts.get_mut(index as usize)) {
                *count += 1;
            }
        }
        let mut all: Vec<&mut Category> = categories.iter_mut().chain(rest).collect();
        all.iter_mut().zip(&counts).for_each(|(category, count)| category.count = *count);
    }
}
