//! Tables of numbers that were not read from text, such as arrays of NumPy.

use std::collections::HashMap;

use gannet::internals::memory::room;
use gannet::internals::numbers::counted;
use gannet::{Error, Result};

use crate::categories::RARE_PERCENT;
use crate::cure::Setting;
use crate::date_format::DateUnit;
use crate::decide::{FEW, LEAST_COUNTED, OFTEN};
use crate::elements::{Element, Elements, Half, Single};
use crate::form::{Category, ColumnForm, Domain, Form, Mark};
use crate::kind::Kind;
use crate::note::Note;
use crate::number_format::{ExponentFormat, NumberFormat};
use crate::options::ReadOptions;
use crate::row_numbers::{Numbering, RowNumbers, is_name_of_numbers};
use crate::select::{names, selected};
use crate::table::{Column, Indices, Mask, Table, Values};
use crate::text::listed;

impl Table {
    /// A table of row-major numbers, whose columns have these names; `column_1` and so on where there are none. What is no number is a
    /// missing value. Kinds are told as those of texts are: whole numbers that count rows, few values that are there often, whole numbers,
    /// others. Of the options those about kinds and columns count.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where the numbers are not one or more whole rows; [`Error::Data`] for an infinite number, with its place, and where
    /// nothing can be learned but whole numbers beyond 2^63;
    /// [`Error::InvalidSetting`] for a kind that a column of numbers cannot have, or columns that are not there.
    pub fn of_numbers<'a>(
        headings: Option<&[String]>,
        columns: usize,
        values: impl Into<Elements<'a>>,
        options: &ReadOptions,
    ) -> Result<Self> {
        let named = (headings, columns);
        match values.into() {
            Elements::Doubles(values) => Self::of_elements(named, values, |number| number, options),
            Elements::Singles(values) => Self::of_elements(named, values, Single, options),
            Elements::Halves(values) => Self::of_elements(named, values, Half, options),
            Elements::Integers(values) => Self::of_elements(named, values, |number| number, options),
            Elements::Unsigned(values) => Self::of_elements(named, values, |number| number, options),
        }
    }

    fn of_elements<S: Copy, E: Element>(
        (headings, columns): (Option<&[String]>, usize),
        values: &[S],
        element: impl Fn(S) -> E,
        options: &ReadOptions,
    ) -> Result<Self> {
        let element = &element;
        let rows = check(columns, values, element)?;
        let all = match headings {
            Some(headings) if headings.len() == columns => names(headings),
            _ => names(&vec![String::new(); columns]),
        };
        let wanted = selected(&all, options, None)?;
        let (mut forms, mut found, mut notes, mut dropped) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (place, name) in all.into_iter().enumerate() {
            if wanted.binary_search(&place).is_err() {
                dropped.push(name);
                continue;
            }
            let column = || values.iter().skip(place).step_by(columns).map(move |value| element(*value));
            let (form, column) = of_column(name, &column, rows, options)?;
            if !form.kind.is_learned() {
                notes.push(Note::LeftOut { column: form.name.clone(), reason: form.reason.clone() });
            }
            forms.push(form);
            found.push(column);
        }
        let are_learned = forms.iter().any(|form| form.kind.is_learned());
        let codes = forms.iter().find(|form| form.kind == Kind::Identifier && !options.kinds.contains_key(&form.name));
        if let Some(codes) = codes.filter(|_| !are_learned && values.iter().any(|value| element(*value).is_code())) {
            let cures = [
                ("learn them to 15 digits", Some(Setting::Kind(Kind::Continuous))),
                ("save them as floats: array.astype(\"f8\")", None),
            ];
            let problem = format!(
                "column `{}` has whole numbers beyond 2^63 that are codes by their digits, and no other column can be learned{}",
                codes.name,
                options.setting_names.behind(&cures, "")
            );
            return Err(Error::data("table", problem));
        }
        let mut form = Form::new(forms);
        form.dropped = dropped;
        let mut table = Self::new(form, rows, found)?;
        table.notes = notes;
        Ok(table)
    }

    /// Row-major numbers as the columns of `form`, in their order: those of these names, or by their places where there are none or the
    /// form's are numbered.
    ///
    /// # Errors
    ///
    /// As [`of_numbers`](Self::of_numbers); [`Error::Data`] for other columns, or a number that is no date of a column of dates.
    pub fn of_numbers_as<'a>(
        headings: Option<&[String]>,
        columns: usize,
        values: impl Into<Elements<'a>>,
        form: &Form,
    ) -> Result<Self> {
        let named = (headings, columns);
        match values.into() {
            Elements::Doubles(values) => Self::of_elements_as(named, values, |number| number, form),
            Elements::Singles(values) => Self::of_elements_as(named, values, Single, form),
            Elements::Halves(values) => Self::of_elements_as(named, values, Half, form),
            Elements::Integers(values) => Self::of_elements_as(named, values, |number| number, form),
            Elements::Unsigned(values) => Self::of_elements_as(named, values, |number| number, form),
        }
    }

    fn of_elements_as<S: Copy, E: Element>(
        (headings, columns): (Option<&[String]>, usize),
        values: &[S],
        element: impl Fn(S) -> E,
        form: &Form,
    ) -> Result<Self> {
        let element = &element;
        let rows = check(columns, values, element)?;
        let mut notes = Vec::new();
        let places: Vec<usize> = match headings.filter(|headings| headings.len() == columns) {
            Some(headings) => {
                let all = names(headings);
                let place = |column: &ColumnForm| all.iter().position(|name| *name == column.name);
                let missing: Vec<&String> =
                    form.columns.iter().filter(|column| place(column).is_none()).map(|column| &column.name).collect();
                if !missing.is_empty() {
                    return Err(Error::data(
                        "table",
                        format!("has no column {}; it has {}", listed(&missing), listed(&all)),
                    ));
                }
                form.columns.iter().filter_map(place).collect()
            }
            None if columns == form.columns.len() => {
                let all = names(&vec![String::new(); columns]);
                if form.columns.iter().zip(&all).any(|(column, name)| column.name != *name) {
                    notes.push(Note::ByPosition);
                }
                (0..columns).collect()
            }
            None => {
                let problem = format!(
                    "has {} without names, but the run has {}",
                    counted(columns as u64, "column"),
                    form.columns.len()
                );
                return Err(Error::data("table", problem));
            }
        };
        let mut found = Vec::with_capacity(places.len());
        for (known, place) in form.columns.iter().zip(places) {
            let column = || values.iter().skip(place).step_by(columns).map(move |value| element(*value));
            found.push(of_known(known, &column, rows, &mut notes)?);
        }
        let mut table = Self::new(form.clone(), rows, found)?;
        table.notes = notes;
        Ok(table)
    }
}

/// The number of whole rows, none of which has an infinite number.
fn check<S: Copy, E: Element>(columns: usize, values: &[S], element: impl Fn(S) -> E) -> Result<usize> {
    if columns == 0 || values.is_empty() || !values.len().is_multiple_of(columns) {
        return Err(Error::shape("table", format!("whole rows of {columns} numbers"), values.len().to_string()));
    }
    let mut numbers = values.iter().map(|value| element(*value).double()).enumerate();
    if let Some((place, number)) = numbers.find(|(_, number)| number.is_infinite()) {
        let (row, column) = (place / columns + 1, place % columns + 1);
        let problem = format!("row {row}, column {column}: {number} is not a finite number; correct it");
        return Err(Error::data("table", problem));
    }
    Ok(values.len() / columns)
}

/// Which of the numbers are missing.
fn mask(numbers: impl Iterator<Item = impl Element>, rows: usize) -> Result<Option<Mask>> {
    let mut missing = room(rows)?;
    missing.extend(numbers.map(Element::is_missing));
    Ok(Mask::of(&missing))
}

/// A column and what it is.
fn of_column<E: Element, I: Iterator<Item = E>>(
    name: String,
    column: &impl Fn() -> I,
    rows: usize,
    options: &ReadOptions,
) -> Result<(ColumnForm, Column)> {
    let mut sorted: Vec<E> = room(rows)?;
    sorted.extend(column().filter(|number| !number.is_missing()));
    sorted.sort_unstable_by(E::order);
    let is_same = |one: &E, other: &E| one.order(other).is_eq();
    let distinct = sorted.chunk_by(is_same).count();
    let whole = sorted.iter().all(|number| number.whole().is_some());
    let gaps = rows - sorted.len();
    let is_few = distinct as u64 <= FEW && sorted.len() as u64 >= OFTEN * distinct as u64;
    let mut counted_rows = RowNumbers::default();
    (0..).zip(column()).for_each(|(row, number)| counted_rows.add(number.whole(), row));
    let numbering = match counted_rows.counts_from() {
        Some(first @ (0 | 1)) if rows as u64 >= LEAST_COUNTED => Some(Numbering::Upwards(first)),
        _ => counted_rows.numbering(0),
    };
    let is_numbering = |numbering| matches!(numbering, Numbering::Upwards(0 | 1)) || is_name_of_numbers(&name);
    let found = numbering.filter(|numbering| is_numbering(*numbering));
    let is_bit = |number: &E| matches!(number.whole(), Some(0 | 1));
    let (kind, reason) = match options.kind(&name) {
        Some(kind) => (kind, "as it was asked for".to_string()),
        None if distinct == 0 => (Kind::Constant, "no row has a value".to_string()),
        None if distinct == 1 && gaps == 0 => (Kind::Constant, "one value in all rows".to_string()),
        None if matches!(found, Some(Numbering::Upwards(_))) => {
            (Kind::Counter, "whole numbers that count rows".to_string())
        }
        None if found.is_some() => {
            (Kind::Identifier, format!("each whole number from {} on in one row", sorted[0].text()))
        }
        None if is_few && sorted.iter().all(is_bit) && distinct == 2 => (Kind::Boolean, "0 and 1".to_string()),
        None if is_few || distinct == 1 => (
            Kind::Categorical,
            format!("{} in {}", counted(distinct as u64, "distinct number"), counted(rows as u64, "row")),
        ),
        None if sorted.iter().any(|number| number.is_code()) => {
            let are_names = 100 * distinct as u64 > RARE_PERCENT * sorted.len() as u64;
            let kind = if are_names { Kind::Identifier } else { Kind::Categorical };
            let texts = counted(distinct as u64, "different text");
            (kind, format!("whole numbers beyond 2^63, taken for texts: {texts} in {}", counted(rows as u64, "row")))
        }
        None if whole => (Kind::Integer, "whole numbers".to_string()),
        None => (Kind::Continuous, "numbers".to_string()),
    };
    let names = options.setting_names;
    let refuse = |problem: &str| Err(Error::setting(format!("column `{name}`"), problem));
    let (domain, values) = match kind {
        Kind::Constant => {
            let domain = match sorted.first() {
                Some(number) => Domain::Constant { text: number.text() },
                None => Domain::Nothing,
            };
            (domain, Values::None)
        }
        Kind::Counter | Kind::Identifier => {
            let first = match numbering {
                Some(Numbering::Shuffled(first)) => first,
                _ => column().next().and_then(E::whole).filter(|_| whole).unwrap_or(1),
            };
            (Domain::Counter { first, width: 0 }, Values::None)
        }
        Kind::FreeText => (Domain::Nothing, Values::None),
        Kind::Date => {
            return refuse(&format!(
                "numbers of an array are no dates{}",
                names.behind(&[("make it an integer", Some(Setting::Kind(Kind::Integer)))], "")
            ));
        }
        Kind::Boolean if distinct != 2 => return refuse("a boolean has two values"),
        Kind::Boolean | Kind::Categorical => {
            let mut texts: Vec<(E, u64)> =
                sorted.chunk_by(is_same).map(|equal| (equal[0], equal.len() as u64)).collect();
            if kind == Kind::Categorical {
                texts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            }
            let most = options.most_categories();
            let others: u64 = texts.iter().skip(most).map(|(_, count)| count).sum();
            texts.truncate(most);
            let categories: Vec<Category> =
                texts.iter().map(|(number, count)| Category::new(number.text(), *count)).collect();
            let rest = (others > 0).then(|| Category::new("other", others));
            let values = places(&categories, column(), rows)?.0;
            (Domain::Categories { categories, rest }, values)
        }
        Kind::Integer => {
            if let Some((row, number)) =
                (1..rows + 1).zip(column()).find(|(_, number)| !number.is_missing() && number.whole().is_none())
            {
                let number = number.text();
                let cures = [
                    ("make it continuous", Some(Setting::Kind(Kind::Continuous))),
                    ("leave it out", Some(Setting::Drop)),
                ];
                let (bound, cure) = (E::BOUND, names.behind(&cures, ""));
                return refuse(&format!("row {row} has {number}, which is no whole number below {bound}{cure}"));
            }
            let range = [sorted.first(), sorted.last()].map(|end| end.and_then(|end| end.whole()).unwrap_or(0));
            let mut values = room(rows)?;
            values.extend(column().map(|number| number.whole().unwrap_or(0)));
            (Domain::Integers { format: NumberFormat::default(), range }, Values::Integers(values))
        }
        Kind::Continuous => {
            let range = [sorted.first(), sorted.last()].map(|end| end.map_or(0.0, |end| end.double() + 0.0));
            let mut values = room(rows)?;
            values.extend(column().map(|number| if number.is_missing() { 0.0 } else { number.double() }));
            let format = NumberFormat { is_single: E::BITS == 32, is_half: E::BITS == 16, ..format() };
            (Domain::Numbers { format, range }, Values::Numbers(values))
        }
    };
    let missing = if kind.is_learned() && gaps > 0 { mask(column(), rows)? } else { None };
    let mut form = ColumnForm::new(name, kind, domain);
    form.reason = reason;
    form.missing = missing.is_some().then(Mark::default);
    form.missing_cells = if missing.is_some() { gaps as u64 } else { 0 };
    Ok((form, Column::new(values, missing)))
}

/// Significant digits with which each number of 64 bits has a text of its own.
const DIGITS: u16 = 17;
/// More decimals than any number of 64 bits needs that has no exponent.
const DECIMALS: u16 = 64;

/// How numbers are written that were not read from text: as short as they read back.
pub(crate) fn format() -> NumberFormat {
    NumberFormat {
        max_decimals: DECIMALS,
        significant: DIGITS,
        exponent: Some(ExponentFormat::default()),
        ..NumberFormat::default()
    }
}

/// The place of each number among categories, the rest behind them; and how many are none of those.
fn places<E: Element>(categories: &[Category], numbers: impl Iterator<Item = E>, rows: usize) -> Result<(Values, u64)> {
    let mut known: HashMap<u64, u16> = HashMap::new();
    let keys: Vec<[Option<u64>; 2]> = categories.iter().map(|category| E::keys(&category.text)).collect();
    // The first of each comes before all second ones.
    for of_text in [0, 1] {
        let keys = (0..).zip(&keys).filter_map(|(place, keys)| Some((keys[of_text]?, place)));
        keys.for_each(|(key, place)| {
            known.entry(key).or_insert(place);
        });
    }
    let rest = categories.len() as u16;
    let mut unknown = 0;
    let mut place = |number: E| match known.get(&number.key()) {
        _ if number.is_missing() => 0,
        Some(place) => *place,
        None => {
            unknown += 1;
            rest
        }
    };
    let values = if categories.len() < 256 {
        let mut bytes = room(rows)?;
        bytes.extend(numbers.map(|number| place(number) as u8));
        Indices::Bytes(bytes)
    } else {
        let mut words = room(rows)?;
        words.extend(numbers.map(place));
        Indices::Words(words)
    };
    Ok((Values::Categories(values), unknown))
}

/// The numbers of a column whose form is known.
fn of_known<E: Element, I: Iterator<Item = E>>(
    known: &ColumnForm,
    column: &impl Fn() -> I,
    rows: usize,
    notes: &mut Vec<Note>,
) -> Result<Column> {
    let values = match &known.domain {
        Domain::Numbers { format, .. } => {
            let mut values = room(rows)?;
            let known = |number: E| if number.is_missing() { 0.0 } else { format.nearest(number.double()) };
            values.extend(column().map(known));
            Values::Numbers(values)
        }
        Domain::Integers { .. } => {
            let mut values = room(rows)?;
            values.extend(column().map(|number| number.whole().unwrap_or_else(|| number.double().round() as i64)));
            Values::Integers(values)
        }
        Domain::Dates { format, .. } if format.unit() == DateUnit::Day && format.day.is_none() => {
            return Err(Error::data("table", format!("column `{}`: a number is no date", known.name)));
        }
        Domain::Dates { .. } => {
            return Err(Error::data(
                "table",
                format!("column `{}` has dates, and an array has none; give a text table", known.name),
            ));
        }
        Domain::Categories { categories, .. } => {
            let (values, unknown) = places(categories, column(), rows)?;
            if unknown > 0 {
                notes.push(Note::Unknown { column: known.name.clone(), cells: unknown });
            }
            values
        }
        Domain::Constant { text } => {
            let keys = E::keys(text);
            let is_same = |number: &E| !number.is_missing() && keys.contains(&Some(number.key()));
            let cells = column().filter(|number| !is_same(number)).count() as u64;
            if cells > 0 {
                notes.push(Note::Differs { column: known.name.clone(), constant: text.clone(), cells });
            }
            Values::None
        }
        _ => Values::None,
    };
    let missing = if values == Values::None { None } else { mask(column(), rows)? };
    Ok(Column::new(values, missing))
}

#[cfg(test)]
mod tests;
