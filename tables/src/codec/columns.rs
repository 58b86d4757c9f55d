//! A codec: how each column is coded, and where what is said of it stands in a sample.

use gannet::{Error, Result};
use serde::{Deserialize, Serialize};

use super::coding::{Coding, Fitting};
use super::scores::{Line, Scaling, Scores};
use crate::cure::{Setting, SettingNames};
use crate::form::{Category, ColumnForm, Domain, Form};
use crate::kind::Kind;
use crate::numbers;
use crate::table::Table;

/// Parts of the scores of all columns, at most: a column of a table of many has fewer.
const PARTS: usize = 1 << 19;

/// How the rows of a table become samples and back. It is stored by serde, so that samples become rows without the table.
///
/// ```
/// use gannet_tables::{Codec, Input, ReadOptions, Scaling, Value, read};
///
/// let mut text = String::from("city,age\n");
/// (0..20).for_each(|row| text += &format!("{},{}\n", ["Paris", "Rome", "NA"][row % 3], 20 + 7 * row));
/// let table = read(&Input::bytes("people.csv", text), &ReadOptions::default())?;
/// let codec = Codec::fit(&table, None, Scaling::Quantile)?;
/// // A score of the age, and a group of Paris, Rome, and none.
/// assert_eq!((codec.features(), codec.groups()), (4, &[3][..]));
/// let encoded = codec.encode(&table, u64::MAX)?;
/// let (mut sample, mut row) = ([0.0; 4], [Value::Missing; 2]);
/// encoded.copy(1, &mut sample);
/// codec.decode(&sample, None, &mut row);
/// assert_eq!(row, [Value::Category(1), Value::Integer(27)]);
/// # Ok::<(), gannet::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Codec {
    pub(super) form: Form,
    pub(super) codings: Vec<Coding>,
    /// The column that samples are made under, instead of learned.
    pub(super) condition: Option<usize>,
    /// Rows of the table; 0 where they are not known.
    pub(super) rows: u64,
    /// How far new numbers may lie beyond those of the table, as a share of their range.
    beyond: f64,
    /// Sizes of the groups.
    pub(super) groups: Vec<usize>,
    /// The numbers of a sample, which stand before the groups.
    pub(super) numbers: usize,
}

/// What is stored of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stored {
    form: Form,
    columns: Vec<Coding>,
    condition: Option<usize>,
    #[serde(default)]
    rows: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    beyond: f64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(share: &f64) -> bool {
    *share == 0.0
}

impl TryFrom<Stored> for Codec {
    type Error = Error;

    fn try_from(Stored { form, columns, condition, rows, beyond }: Stored) -> Result<Self> {
        form.validate()?;
        if form.columns.len() != columns.len() {
            return Err(Error::shape("columns", form.columns.len().to_string(), columns.len().to_string()));
        }
        columns.iter().zip(&form.columns).try_for_each(|(coding, column)| coding.validate(column))?;
        let is_category = |column: usize| matches!(columns.get(column), Some(Coding::Category { .. }));
        if !condition.is_none_or(is_category) {
            return Err(Error::setting("condition", "is a column of categories"));
        }
        Self::new(form, columns, (condition, rows), SettingNames::None)?.reaching_beyond(beyond)
    }
}

impl From<Codec> for Stored {
    fn from(Codec { form, codings, condition, rows, beyond, .. }: Codec) -> Self {
        Self { form, columns: codings, condition, rows, beyond }
    }
}

/// Something that is said of a column by one number of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Facet {
    /// Its number, as a score: a feature.
    Number {
        /// The column.
        column: usize,
        /// The feature.
        feature: usize,
        /// The first feature of the group that says whether it is missing, where it may be.
        missing: Option<usize>,
    },
    /// Which of its categories: a group.
    Category {
        /// The column.
        column: usize,
        /// The first feature.
        feature: usize,
        /// Features of the group; the last one is that of missing values where the column has some.
        places: usize,
    },
    /// Whether its number is missing: a group of two, whose second is that.
    Missing {
        /// The column.
        column: usize,
        /// The first feature.
        feature: usize,
    },
}

impl Codec {
    fn new(
        form: Form,
        codings: Vec<Coding>,
        (condition, rows): (Option<usize>, u64),
        names: SettingNames,
    ) -> Result<Self> {
        let (mut groups, mut numbers) = (Vec::new(), 0);
        for (_, coding) in codings.iter().enumerate().filter(|(column, _)| condition != Some(*column)) {
            match coding {
                Coding::Nothing => {}
                Coding::Number { has_missing, .. } => {
                    numbers += 1;
                    groups.extend(has_missing.then_some(2));
                }
                Coding::Category { places, .. } => groups.push(*places),
            }
        }
        if numbers + groups.len() == 0 {
            let by = names.by(Setting::Kinds);
            let or = if by.is_empty() { String::new() } else { format!(", or say what one is{by}") };
            let problem = match form.columns.as_slice() {
                // What parts cells was not found, perhaps.
                [column] => format!(
                    "no column has anything to learn: it was read as one column, which is left out ({}); if its rows have several cells, name the delimiter{}; give a table in which a column varies{or}",
                    column.reason,
                    names.by(Setting::Delimiter)
                ),
                _ => format!(
                    "no column has anything to learn: every column is constant, or a number of rows, or left out; give a table in which a column varies{or}"
                ),
            };
            return Err(Error::data("table", problem));
        }
        Ok(Self { form, codings, condition, rows, beyond: 0.0, groups, numbers })
    }

    /// The same whose rows may have numbers and dates beyond those of the table, by `share` of their range, from 0 to 1. They go on as the
    /// outermost values of the data do, and thin out towards the bound. An end at which values pile up stays, and so does a sign that all
    /// numbers have: positive numbers stay positive. Numbers along a line have no bounds anyway.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for another share.
    pub fn reaching_beyond(mut self, share: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&share) {
            return Err(Error::setting("beyond", format!("{share} is not a share of the range from 0 to 1")));
        }
        let rows = self.rows;
        self.codings.iter_mut().zip(&self.form.columns).for_each(|(coding, column)| coding.widen(column, share, rows));
        self.beyond = share;
        Ok(self)
    }

    /// How far new numbers may lie beyond those of the table, as a share of their range.
    pub fn beyond(&self) -> f64 {
        self.beyond
    }

    /// Fits one to the rows of a table. `condition` names a column of categories under which samples are made, instead of learning it.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] where there is nothing to learn; [`Error::InvalidSetting`] for a condition that is no column of categories;
    /// [`Error::OutOfMemory`].
    pub fn fit(table: &Table, condition: Option<&str>, scaling: Scaling) -> Result<Self> {
        Self::fit_with_names(table, condition, scaling, SettingNames::None)
    }

    /// The same with messages that name settings as `names` says.
    ///
    /// # Errors
    ///
    /// As [`fit`](Self::fit).
    pub fn fit_with_names(
        table: &Table,
        condition: Option<&str>,
        scaling: Scaling,
        names: SettingNames,
    ) -> Result<Self> {
        let form = table.form().clone();
        let fitting = Fitting { scaling, parts: PARTS / form.columns.len().max(1), names };
        let columns = form.columns.iter().zip(table.columns());
        let codings = columns.map(|(form, column)| Coding::fit(form, column, fitting)).collect::<Result<Vec<_>>>()?;
        let condition = condition
            .map(|name| {
                let place = form.position(name).filter(|place| matches!(codings[*place], Coding::Category { .. }));
                place.ok_or_else(|| Error::setting("condition", format!("`{name}` is no column of several categories")))
            })
            .transpose()?;
        Self::new(form, codings, (condition, table.rows() as u64), names)
    }

    /// One of columns of numbers with these names, whose scores are `(value - offset) / scale`; a scale of 0 is that of a constant. Behind
    /// them stands the column of a condition with its classes, where there is one. Runs of before there were other columns are such.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for lists of different lengths; [`Error::InvalidSetting`] for what is no line; [`Error::Data`] for nothing to learn.
    pub fn of_lines(
        names: &[String],
        offset: &[f64],
        scale: &[f64],
        condition: Option<(&str, &[(String, u64)])>,
    ) -> Result<Self> {
        if offset.len() != names.len() || scale.len() != names.len() {
            return Err(Error::shape(
                "scales",
                names.len().to_string(),
                format!("{} and {}", offset.len(), scale.len()),
            ));
        }
        let (mut columns, mut codings) = (Vec::new(), Vec::new());
        for ((name, &offset), &scale) in names.iter().zip(offset).zip(scale) {
            if scale == 0.0 {
                columns.push(ColumnForm::new(name, Kind::Constant, Domain::Constant { text: offset.to_string() }));
                codings.push(Coding::Nothing);
                continue;
            }
            let scores = Scores::Line(Line::try_from([offset, scale])?);
            let domain = Domain::Numbers { format: numbers::format(), range: [f64::MIN, f64::MAX] };
            columns.push(ColumnForm::new(name, Kind::Continuous, domain));
            codings.push(Coding::Number { scores, base: 0, step: 0, decimals: 0, has_missing: false });
        }
        let place = condition.map(|(name, classes)| {
            let categories = classes.iter().map(|(text, count)| Category::new(text.as_str(), *count)).collect();
            columns.push(ColumnForm::new(name, Kind::Categorical, Domain::Categories { categories, rest: None }));
            codings.push(Coding::Category { places: classes.len(), has_missing: false });
            columns.len() - 1
        });
        Stored { form: Form::new(columns), columns: codings, condition: place, rows: 0, beyond: 0.0 }.try_into()
    }

    /// Offset and scale of each column, 0 of a constant, where all are constants or numbers along lines.
    pub fn lines(&self) -> Option<[Vec<f64>; 2]> {
        let line = |(column, coding): (&ColumnForm, &Coding)| match (coding, &column.domain) {
            (Coding::Number { scores: Scores::Line(line), base, has_missing: false, .. }, _) => {
                Some((line.offset + *base as f64, line.scale))
            }
            (Coding::Nothing, Domain::Constant { text }) => Some((text.parse().ok()?, 0.0)),
            _ => None,
        };
        let learned = self.form.columns.iter().zip(&self.codings).enumerate();
        let lines = learned.filter(|(place, _)| self.condition != Some(*place)).map(|(_, column)| line(column));
        lines.collect::<Option<Vec<_>>>().map(|lines| lines.into_iter().unzip()).map(|(offset, scale)| [offset, scale])
    }

    /// The form of the table.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// Features of a sample, without conditions.
    pub fn features(&self) -> usize {
        self.numbers + self.groups.iter().sum::<usize>()
    }

    /// Features of a sample that are numbers: the first ones.
    pub fn numbers(&self) -> usize {
        self.numbers
    }

    /// Sizes of the groups of indicators behind the numbers: one of each group is 1, and the others 0.
    pub fn groups(&self) -> &[usize] {
        &self.groups
    }

    /// The classes of the condition with the rows that each has: its categories, and behind them missing values where it has some. None
    /// without a condition.
    pub fn classes(&self) -> Vec<(String, u64)> {
        let Some(column) = self.condition.map(|place| &self.form.columns[place]) else { return Vec::new() };
        let Domain::Categories { categories, rest } = &column.domain else { return Vec::new() };
        let missing = self.condition.filter(|place| self.has_missing(*place)).map(|_| {
            let mark = column.missing.as_ref().map_or("NA", |mark| mark.text.as_str());
            let mut name = if mark.is_empty() { "NA" } else { mark }.to_string();
            while categories.iter().chain(rest).any(|category| category.text == name) {
                name.push('_');
            }
            (name, column.missing_cells)
        });
        categories.iter().chain(rest).map(|one| (one.text.clone(), one.count)).chain(missing).collect()
    }

    /// The name of the column that samples are made under.
    pub fn condition(&self) -> Option<&str> {
        self.condition.map(|place| self.form.columns[place].name.as_str())
    }

    /// What a sample says, column by column.
    pub fn facets(&self) -> Vec<Facet> {
        let (mut number, mut group) = (0, self.numbers);
        let mut facets = Vec::with_capacity(self.codings.len());
        for (column, coding) in self.learned() {
            match coding {
                Coding::Nothing => {}
                Coding::Number { has_missing, .. } => {
                    facets.push(Facet::Number { column, feature: number, missing: has_missing.then_some(group) });
                    number += 1;
                    if *has_missing {
                        facets.push(Facet::Missing { column, feature: group });
                        group += 2;
                    }
                }
                Coding::Category { places, .. } => {
                    facets.push(Facet::Category { column, feature: group, places: *places });
                    group += places;
                }
            }
        }
        facets
    }

    /// The number in a column that a score stands for, in the units of the table (dates in those of their format); none of other columns.
    pub fn number(&self, column: usize, score: f32) -> Option<f64> {
        match self.codings.get(column)? {
            coding @ Coding::Number { base, .. } => Some(coding.number(score) + *base as f64),
            _ => None,
        }
    }

    /// The columns that samples have, with what they are.
    pub(super) fn learned(&self) -> impl Iterator<Item = (usize, &Coding)> {
        self.codings.iter().enumerate().filter(|(column, _)| self.condition != Some(*column))
    }

    /// Whether a column has a place for missing values.
    pub(super) fn has_missing(&self, column: usize) -> bool {
        match self.codings[column] {
            Coding::Number { has_missing, .. } | Coding::Category { has_missing, .. } => has_missing,
            Coding::Nothing => false,
        }
    }
}
