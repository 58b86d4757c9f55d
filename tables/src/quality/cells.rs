//! Columns as measures need them: numbers, or codes of categories, of some rows.

use crate::form::{ColumnForm, Domain};
use crate::table::{Table, Value};

/// The values of a learned column in some rows.
#[derive(Clone, Debug)]
pub(crate) enum Cells {
    /// Numbers; NaN where there is none. Whole numbers and dates count from the least of the form's range, so that large ones close to
    /// each other keep their digits.
    Numbers(Vec<f64>),
    /// Places in the list of categories.
    Codes(Codes),
}

/// Codes of categories.
#[derive(Clone, Debug)]
pub(crate) struct Codes {
    /// The code of each row, below `width`. The last but one is any value that is not in the list; the last is a missing value.
    pub(crate) codes: Vec<u16>,
    /// How many codes there are.
    pub(crate) width: u16,
}

impl Codes {
    /// The code of a missing value.
    pub(crate) fn missing(&self) -> u16 {
        self.width.saturating_sub(1)
    }
}

impl Cells {
    /// The values of column `place` of `table` in these rows, as `form` counts them. Numbers that are not finite are missing.
    pub(crate) fn of(table: &Table, place: usize, form: &ColumnForm, rows: impl Iterator<Item = usize>) -> Self {
        let value = |row| table.columns.get(place).map_or(Value::Missing, |column| column.value(row));
        let base = match &form.domain {
            Domain::Categories { categories, .. } => {
                // `Form::validate` bounds the list by `MAX_CATEGORIES`, 4,096.
                let other = categories.len().min(usize::from(u16::MAX) - 2) as u16;
                let code = |row| match value(row) {
                    Value::Category(index) => index.min(u32::from(other)) as u16,
                    _ => other + 1,
                };
                return Self::Codes(Codes { codes: rows.map(code).collect(), width: other + 2 });
            }
            Domain::Integers { range, .. } | Domain::Dates { range, .. } => i128::from(range[0]),
            _ => 0,
        };
        let number = |row| match value(row) {
            Value::Number(number) if number.is_finite() => number,
            Value::Integer(number) | Value::Date(number) => (i128::from(number) - base) as f64,
            _ => f64::NAN,
        };
        Self::Numbers(rows.map(number).collect())
    }

    /// The numbers; none of a column of categories.
    pub(crate) fn numbers(&self) -> &[f64] {
        if let Self::Numbers(numbers) = self { numbers } else { &[] }
    }

    /// Which of the rows have a value.
    pub(crate) fn present(&self) -> Vec<bool> {
        match self {
            Self::Numbers(numbers) => numbers.iter().map(|number| !number.is_nan()).collect(),
            Self::Codes(codes) => codes.codes.iter().map(|&code| code != codes.missing()).collect(),
        }
    }

    /// How many of the rows have no value.
    pub(crate) fn missing(&self) -> usize {
        self.present().iter().filter(|is_present| !**is_present).count()
    }
}

/// The places of the columns of a table that have values to learn.
pub(crate) fn learned(table: &Table) -> Vec<usize> {
    let columns = table.form.columns.iter().enumerate();
    columns.filter(|(_, column)| column.kind.is_learned()).map(|(place, _)| place).collect()
}

/// Some columns of some rows of a table.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// The columns.
    pub(crate) columns: Vec<Cells>,
    /// The number of rows.
    pub(crate) rows: usize,
}

impl Sample {
    /// The columns at these places in these rows, as the form of `reference` counts them.
    pub(crate) fn of(
        table: &Table,
        reference: &Table,
        places: &[usize],
        rows: impl Iterator<Item = usize> + Clone,
    ) -> Self {
        let forms = places.iter().filter_map(|&place| Some((place, reference.form.columns.get(place)?)));
        let columns = forms.map(|(place, form)| Cells::of(table, place, form, rows.clone())).collect();
        Self { columns, rows: rows.count() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::{Category, Form};
    use crate::kind::Kind;
    use crate::number_format::NumberFormat;
    use crate::table::{Column, Indices, Mask, Values};

    #[test]
    fn large_whole_numbers_keep_their_digits_and_unknown_categories_are_one() {
        let least = i64::MAX - 9;
        let integers = Domain::Integers { format: NumberFormat::default(), range: [least, i64::MAX] };
        let categories = Domain::Categories { categories: vec![Category::new("a", 1)], rest: None };
        let numbers = Domain::Numbers { format: NumberFormat::default(), range: [0.0, 1.0] };
        let form = Form::new(vec![
            ColumnForm::new("x", Kind::Continuous, numbers),
            ColumnForm::new("n", Kind::Integer, integers),
            ColumnForm::new("c", Kind::Categorical, categories),
        ]);
        let columns = vec![
            Column::new(Values::Numbers(vec![0.5, f64::INFINITY, f64::NAN, 1.7e308]), None),
            Column::new(Values::Integers(vec![least, least + 1, i64::MAX, 0]), Mask::of(&[false, false, false, true])),
            Column::new(Values::Categories(Indices::Bytes(vec![0, 1, 7, 0])), Mask::of(&[false, false, false, true])),
        ];
        let table = Table::new(form, 4, columns).unwrap();
        let sample = Sample::of(&table, &table, &learned(&table), 0..4);
        assert_eq!(sample.columns[0].present(), [true, false, false, true]);
        assert_eq!(sample.columns[1].numbers()[..3], [0.0, 1.0, 9.0]);
        assert_eq!(sample.columns[1].present(), [true, true, true, false]);
        let Cells::Codes(codes) = &sample.columns[2] else { panic!("a column of categories") };
        assert_eq!((codes.codes.as_slice(), codes.width, sample.columns[2].missing()), (&[0u16, 1, 1, 2][..], 3, 1));
    }
}
