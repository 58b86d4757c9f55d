//! A table in memory, column by column.

use gannet::internals::memory::room;
use gannet::{Error, Result};

use crate::form::{Domain, Form};
use crate::note::Note;

/// A table in memory: its form, the values of its columns, and what a user should know about how it was read.
///
/// ```
/// use gannet_tables::{Input, Kind, ReadOptions, Value, read};
///
/// let text = "city,age\nParis,31\nRome,NA\nParis,27\nRome,64\nParis,40\n";
/// let table = read(&Input::bytes("people.csv", text), &ReadOptions::default())?;
/// assert_eq!((table.rows(), table.form().columns[0].kind), (5, Kind::Categorical));
/// assert_eq!((table.columns()[1].value(0), table.columns()[1].value(1)), (Value::Integer(31), Value::Missing));
/// # Ok::<(), gannet::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    pub(crate) form: Form,
    pub(crate) rows: usize,
    pub(crate) columns: Vec<Column>,
    pub(crate) notes: Vec<Note>,
}

/// The values of a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub(crate) values: Values,
    /// Which rows have none; `None` where all have one.
    pub(crate) missing: Option<Mask>,
}

/// The values of a column, a value a row. A missing one is there, too, as 0.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// Of a continuous column.
    Numbers(Vec<f64>),
    /// Of a column of whole numbers.
    Integers(Vec<i64>),
    /// Of a column of dates, in the units of its format.
    Dates(Vec<i64>),
    /// Of a categorical or boolean column: places in its list of categories; the one after the last is the rest.
    Categories(Indices),
    /// Of a column that is not learned.
    None,
}

/// Places in a list of categories, as small as they can be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Indices {
    /// Of at most 256 categories.
    Bytes(Vec<u8>),
    /// Of more.
    Words(Vec<u16>),
}

impl Values {
    /// What they are, in messages.
    fn name(&self) -> &'static str {
        match self {
            Self::Numbers(_) => "numbers",
            Self::Integers(_) => "whole numbers",
            Self::Dates(_) => "dates",
            Self::Categories(_) => "places of categories",
            Self::None => "none",
        }
    }
}

impl Indices {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(indices) => indices.len(),
            Self::Words(indices) => indices.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The index of a row; `None` beyond the last.
    pub fn get(&self, row: usize) -> Option<u32> {
        match self {
            Self::Bytes(indices) => indices.get(row).copied().map(u32::from),
            Self::Words(indices) => indices.get(row).copied().map(u32::from),
        }
    }
}

/// Which rows of a column are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    pub(crate) bits: Vec<u64>,
}

impl Mask {
    /// A mask of the rows that are `true`; `None` where there are none.
    pub fn of(missing: &[bool]) -> Option<Self> {
        let mut mask = Self { bits: vec![0; missing.len().div_ceil(64)] };
        missing.iter().enumerate().filter(|(_, is_missing)| **is_missing).for_each(|(row, _)| mask.set(row));
        (mask.count() > 0).then_some(mask)
    }

    /// Whether the value of a row is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        self.bits.get(row / 64).is_some_and(|bits| bits >> (row % 64) & 1 == 1)
    }

    /// The number of missing values.
    pub fn count(&self) -> u64 {
        self.bits.iter().map(|bits| u64::from(bits.count_ones())).sum()
    }

    /// Whether it is of so many rows: of as many bits, none of which stands for a later row.
    fn is_of(&self, rows: usize) -> bool {
        let behind = |bits: &u64| rows.is_multiple_of(64) || bits >> (rows % 64) == 0;
        self.bits.len() == rows.div_ceil(64) && self.bits.last().is_none_or(behind)
    }

    pub(crate) fn set(&mut self, row: usize) {
        if let Some(bits) = self.bits.get_mut(row / 64) {
            *bits |= 1 << (row % 64);
        }
    }
}

/// A value of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// No value.
    Missing,
    /// Of a continuous column.
    Number(f64),
    /// Of a column of whole numbers.
    Integer(i64),
    /// Of a column of dates, in the units of its format.
    Date(i64),
    /// Of a categorical or boolean column: a place in its list of categories; the one after the last is the rest.
    Category(u32),
    /// Of a column that is not learned. What is written is up to the form: the constant, the number of the row, or nothing.
    #[default]
    Generated,
}

impl Column {
    /// A column of these values, of which `missing` ones count as none.
    pub fn new(values: Values, missing: Option<Mask>) -> Self {
        Self { values, missing }
    }

    /// All values.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Which rows have no value; `None` where all have one.
    pub fn missing(&self) -> Option<&Mask> {
        self.missing.as_ref()
    }

    /// The value of a row; [`Value::Missing`] beyond the last one.
    pub fn value(&self, row: usize) -> Value {
        if self.missing.as_ref().is_some_and(|missing| missing.is_missing(row)) {
            return Value::Missing;
        }
        let value = match &self.values {
            Values::Numbers(values) => values.get(row).copied().map(Value::Number),
            Values::Integers(values) => values.get(row).copied().map(Value::Integer),
            Values::Dates(values) => values.get(row).copied().map(Value::Date),
            Values::Categories(indices) => indices.get(row).map(Value::Category),
            Values::None => Some(Value::Generated),
        };
        value.unwrap_or(Value::Missing)
    }

    /// Bytes of memory of its values.
    pub fn bytes(&self) -> u64 {
        let values = match &self.values {
            Values::Numbers(values) => size_of_val(values.as_slice()),
            Values::Integers(values) | Values::Dates(values) => size_of_val(values.as_slice()),
            Values::Categories(Indices::Bytes(indices)) => indices.len(),
            Values::Categories(Indices::Words(indices)) => size_of_val(indices.as_slice()),
            Values::None => 0,
        };
        (values + self.missing.as_ref().map_or(0, |missing| size_of_val(missing.bits.as_slice()))) as u64
    }
}

impl Table {
    /// A table that was not read from a file, such as a frame of another program.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for a form that no table has; [`Error::Shape`] for another number of columns, values of another kind than
    /// the form's, other than `rows` of them, or a mask of other rows. A place beyond the list of categories is a category that is not
    /// known.
    pub fn new(form: Form, rows: usize, columns: Vec<Column>) -> Result<Self> {
        form.validate()?;
        if columns.len() != form.columns.len() {
            let (expected, found) = (form.columns.len(), columns.len());
            return Err(Error::shape("table", format!("{expected} columns"), format!("{found}")));
        }
        for (column, known) in columns.iter().zip(&form.columns) {
            let of_column = |expected: String, found: &str| {
                Err(Error::shape(format!("column `{}`", known.name), expected, found.to_string()))
            };
            let length = match (&column.values, &known.domain) {
                (Values::Numbers(values), Domain::Numbers { .. }) => values.len(),
                (Values::Integers(values), Domain::Integers { .. }) | (Values::Dates(values), Domain::Dates { .. }) => {
                    values.len()
                }
                (Values::Categories(indices), Domain::Categories { .. }) => indices.len(),
                (Values::None, Domain::Constant { .. } | Domain::Counter { .. } | Domain::Nothing) => rows,
                (values, _) => return of_column(format!("{} values", known.kind), values.name()),
            };
            if length != rows {
                return of_column(format!("{rows} values"), &length.to_string());
            }
            if column.missing.as_ref().is_some_and(|mask| !mask.is_of(rows)) {
                return of_column(format!("a mask of {rows} rows"), "one of others");
            }
        }
        Ok(Self { form, rows, columns, notes: Vec::new() })
    }

    /// Its form, with which rows like its own are written.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Its columns, in the order of the form.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// What a user should know about how it was read.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Bytes of memory of its values.
    pub fn bytes(&self) -> u64 {
        self.columns.iter().map(Column::bytes).sum()
    }

    /// The table of some of its rows, in their order; those beyond the last are left out.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        let chosen = || rows.iter().copied().filter(|row| *row < self.rows);
        let count = chosen().count();
        let mut columns = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let values = match &column.values {
                Values::Numbers(values) => Values::Numbers(picked(values, chosen(), count)?),
                Values::Integers(values) => Values::Integers(picked(values, chosen(), count)?),
                Values::Dates(values) => Values::Dates(picked(values, chosen(), count)?),
                Values::Categories(Indices::Bytes(indices)) => {
                    Values::Categories(Indices::Bytes(picked(indices, chosen(), count)?))
                }
                Values::Categories(Indices::Words(indices)) => {
                    Values::Categories(Indices::Words(picked(indices, chosen(), count)?))
                }
                Values::None => Values::None,
            };
            let missing: Option<Vec<bool>> =
                column.missing.as_ref().map(|mask| chosen().map(|row| mask.is_missing(row)).collect());
            columns.push(Column { values, missing: missing.as_deref().and_then(Mask::of) });
        }
        Ok(Self { form: self.form.clone(), rows: count, columns, notes: Vec::new() })
    }

    /// Writes the values of a row into `values`, which has one for each column.
    pub fn row(&self, row: usize, values: &mut [Value]) {
        for (column, value) in self.columns.iter().zip(values) {
            *value = column.value(row);
        }
    }
}

/// The values of these rows, which are so many.
fn picked<T: Copy>(values: &[T], rows: impl Iterator<Item = usize>, count: usize) -> Result<Vec<T>> {
    let mut picked = room(count)?;
    picked.extend(rows.filter_map(|row| values.get(row).copied()));
    Ok(picked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::{Category, ColumnForm};
    use crate::kind::Kind;
    use crate::number_format::NumberFormat;

    #[test]
    fn tables_of_other_programs_are_checked() {
        let numbers = Domain::Numbers { format: NumberFormat::default(), range: [0.0, 1.0] };
        let categories = Domain::Categories { categories: vec![Category::new("a", 2)], rest: None };
        let form = Form::new(vec![
            ColumnForm::new("x", Kind::Continuous, numbers),
            ColumnForm::new("c", Kind::Categorical, categories),
        ]);
        let values = |count: usize| Column::new(Values::Numbers(vec![0.5; count]), Mask::of(&[false, true]));
        let indices = || Column::new(Values::Categories(Indices::Bytes(vec![0; 2])), Mask::of(&[false; 2]));
        let table = Table::new(form.clone(), 2, vec![values(2), indices()]).unwrap();
        assert_eq!((table.columns()[0].value(1), table.columns()[1].value(1)), (Value::Missing, Value::Category(0)));
        assert_eq!(table.form().position("c"), Some(1));
        for columns in [vec![values(2)], vec![values(3), indices()], vec![indices(), values(2)]] {
            assert!(matches!(Table::new(form.clone(), 2, columns), Err(Error::Shape { .. })));
        }
    }

    #[test]
    fn values_are_those_of_the_form_in_every_combination() {
        use crate::{Codec, DateFormat, Scaling};
        let categories = || vec![Category::new("a", 2), Category::new("b", 1)];
        let domains = [
            (Kind::Continuous, Domain::Numbers { format: NumberFormat::default(), range: [0.0, 2.0] }),
            (Kind::Integer, Domain::Integers { format: NumberFormat::default(), range: [0, 2] }),
            (Kind::Date, Domain::Dates { format: DateFormat::iso(None), range: [0, 2] }),
            (Kind::Categorical, Domain::Categories { categories: categories(), rest: None }),
            (Kind::Boolean, Domain::Categories { categories: categories(), rest: None }),
            (Kind::Constant, Domain::Constant { text: "a".to_string() }),
            (Kind::Constant, Domain::Nothing),
            (Kind::Counter, Domain::Counter { first: 1, width: 0 }),
            (Kind::Identifier, Domain::Counter { first: 1, width: 0 }),
            (Kind::FreeText, Domain::Nothing),
        ];
        let values = [
            Values::Numbers(vec![0.0, 1.0, 2.0]),
            Values::Integers(vec![0, 1, 2]),
            Values::Dates(vec![0, 1, 2]),
            Values::Categories(Indices::Bytes(vec![0, 1, 0])),
            Values::Categories(Indices::Words(vec![0, 1, 0])),
            Values::None,
        ];
        let x = || ColumnForm::new("x", Kind::Continuous, domains[0].1.clone());
        for (kind, domain) in &domains {
            for values in &values {
                let fits = match domain {
                    Domain::Numbers { .. } => matches!(values, Values::Numbers(_)),
                    Domain::Integers { .. } => matches!(values, Values::Integers(_)),
                    Domain::Dates { .. } => matches!(values, Values::Dates(_)),
                    Domain::Categories { .. } => matches!(values, Values::Categories(_)),
                    _ => *values == Values::None,
                };
                let what = format!("{kind}, {domain:?}, {values:?}");
                for mask in [None, Mask::of(&[false, true, false])] {
                    let form = Form::new(vec![ColumnForm::new("c", *kind, domain.clone()), x()]);
                    let numbers = Column::new(Values::Numbers(vec![0.0, 1.0, 2.0]), None);
                    let made = Table::new(form, 3, vec![Column::new(values.clone(), mask), numbers]);
                    match made {
                        Ok(table) => {
                            assert!(fits, "{what}");
                            // Whatever is a table can be learned, and be a table again.
                            let codec = Codec::fit(&table, None, Scaling::Quantile).unwrap();
                            let encoded = codec.encode(&table, u64::MAX).unwrap();
                            let mut samples = vec![0.0; 3 * codec.features()];
                            let rows = samples.chunks_mut(codec.features()).enumerate();
                            rows.for_each(|(row, sample)| encoded.copy(row, sample));
                            let again = codec.table(&samples, |_| None).unwrap();
                            let learned = usize::from(!kind.is_learned())..2;
                            for (column, row) in learned.flat_map(|column| (0..3).map(move |row| (column, row))) {
                                let [one, other] = [&again, &table].map(|table| table.columns()[column].value(row));
                                assert_eq!(one, other, "{what}, column {column}, row {row}");
                            }
                        }
                        Err(error) => {
                            assert!(!fits && matches!(error, Error::Shape { .. }), "{what}: {error}");
                            assert!(error.to_string().contains("column `c`"), "{error}");
                        }
                    }
                }
            }
        }
        // Masks of other rows.
        for (rows, mask, fits) in [
            (3, vec![true; 3], true),
            (3, vec![true; 4], false),
            (3, vec![true; 65], false),
            (3, [vec![true], vec![false; 64]].concat(), false),
            (64, vec![true; 64], true),
            (65, vec![true; 64], false),
        ] {
            let column = Column::new(Values::Numbers(vec![0.0; rows]), Mask::of(&mask));
            assert_eq!(Table::new(Form::new(vec![x()]), rows, vec![column]).is_ok(), fits, "{rows}: {mask:?}");
        }
    }

    #[test]
    fn rows_are_selected_in_any_order() {
        use crate::{Input, ReadOptions, read};
        let text: String = (0..30).map(|row| format!("{},{},{row}.5\n", ["a", "b", "NA"][row % 3], 7 * row)).collect();
        let table = read(&Input::bytes("t.csv", text), &ReadOptions::default()).unwrap();
        let some = table.select(&[5, 0, 29, 99]).unwrap();
        let (mut found, mut expected) = ([Value::Missing; 3], [Value::Missing; 3]);
        for (row, of) in [5, 0, 29].into_iter().enumerate() {
            some.row(row, &mut found);
            table.row(of, &mut expected);
            assert_eq!(found, expected);
        }
        assert_eq!((some.rows(), some.form()), (3, table.form()));
    }
}
