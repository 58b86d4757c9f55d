//! The form of a table: all that it takes to write rows as the file has them, without the file.

use gannet::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::date_format::DateFormat;
use crate::dialect::{Delimiter, Dialect, is_delimiter};
use crate::kind::Kind;
use crate::number_format::NumberFormat;
use crate::options::MAX_CATEGORIES;

/// The form of a table. It is stored by serde, and says all that a [`Writer`](crate::Writer) has to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Form {
    /// What the file has around its values.
    pub dialect: Dialect,
    /// The columns in the order of the file.
    pub columns: Vec<ColumnForm>,
    /// Columns of the file that the caller dropped.
    pub dropped: Vec<String>,
}

/// The form of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ColumnForm {
    /// Its name; `column_3` where the file has none.
    pub name: String,
    /// Its text in the header.
    pub heading: String,
    /// What it is.
    pub kind: Kind,
    /// Why it is taken for that, in a few words.
    pub reason: String,
    /// Its values.
    pub domain: Domain,
    /// How missing values are written; none where there are none.
    pub missing: Option<Mark>,
    /// The number of missing values.
    pub missing_cells: u64,
    /// Whether its cells stand in quotes.
    pub is_quoted: bool,
}

/// How a missing value is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Mark {
    /// Its text, which may be empty.
    pub text: String,
    /// Whether it stands in quotes.
    pub is_quoted: bool,
}

/// The values that a column has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Domain {
    /// Numbers.
    Numbers {
        /// How they are written.
        format: NumberFormat,
        /// The least and the greatest.
        range: [f64; 2],
    },
    /// Whole numbers.
    Integers {
        /// How they are written.
        format: NumberFormat,
        /// The least and the greatest.
        range: [i64; 2],
    },
    /// Days or times.
    Dates {
        /// How they are written.
        format: DateFormat,
        /// The first and the last, in the format's units.
        range: [i64; 2],
    },
    /// One of some texts. A boolean has two: that of false and that of true.
    Categories {
        /// The texts, the most frequent first.
        categories: Vec<Category>,
        /// All others, which have the index after the last; none where there are none.
        rest: Option<Category>,
    },
    /// One text.
    Constant {
        /// The text.
        text: String,
    },
    /// The number of the row.
    Counter {
        /// That of the first.
        first: i64,
        /// Digits that every number has, filled up with zeros: 4 for `0001`.
        #[serde(default)]
        width: u8,
    },
    /// Nothing that could be written.
    Nothing,
}

/// A text that a column has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Category {
    /// The text; for the rest, one that no category has.
    pub text: String,
    /// How many rows have it.
    pub count: u64,
}

impl Category {
    /// A text that so many rows have.
    pub fn new(text: impl Into<String>, count: u64) -> Self {
        Self { text: text.into(), count }
    }
}

impl Mark {
    /// A text without quotes.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_quoted: false }
    }
}

impl ColumnForm {
    /// A column without missing values, whose heading is its name. The other fields can be assigned.
    pub fn new(name: impl Into<String>, kind: Kind, domain: Domain) -> Self {
        let name = name.into();
        Self {
            heading: name.clone(),
            name,
            kind,
            reason: String::new(),
            domain,
            missing: None,
            missing_cells: 0,
            is_quoted: false,
        }
    }

    /// The number of its categories, with the rest; 0 where it has none.
    pub fn categories(&self) -> usize {
        match &self.domain {
            Domain::Categories { categories, rest } => categories.len() + usize::from(rest.is_some()),
            _ => 0,
        }
    }

    /// The least and the greatest of its numbers or dates, as the file writes them; `None` where it has neither.
    pub fn range(&self) -> Option<[String; 2]> {
        let written = |write: &dyn Fn(usize, &mut Vec<u8>)| {
            [0, 1].map(|end| {
                let mut text = Vec::new();
                write(end, &mut text);
                String::from_utf8_lossy(&text).into_owned()
            })
        };
        match &self.domain {
            Domain::Numbers { format, range } => Some(written(&|end, text| format.write(range[end], text))),
            Domain::Integers { format, range } => Some(written(&|end, text| format.write_integer(range[end], text))),
            Domain::Dates { format, range } => Some(written(&|end, text| format.write(range[end], text))),
            _ => None,
        }
    }
}

/// Most digits or characters of a part of a format.
const MAX_PART: usize = 64;

impl Form {
    /// The form of a table with these columns in the usual dialect, that of [`Dialect::new`].
    pub fn new(columns: Vec<ColumnForm>) -> Self {
        Self { dialect: Dialect::new(), columns, dropped: Vec::new() }
    }

    /// The place of the column with this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Checks a form that was stored: a writer can write rows of it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for what no table has.
    pub fn validate(&self) -> Result<()> {
        let dialect = &self.dialect;
        if let Delimiter::Char(delimiter) = dialect.delimiter
            && !is_delimiter(delimiter)
        {
            return Err(Error::setting("delimiter", "is one ASCII sign or a tab"));
        }
        if !matches!(dialect.quote, '"' | '\'') {
            return Err(Error::setting("quote", "is `\"` or `'`"));
        }
        if !dialect.encoding.is_known() {
            return Err(Error::setting("encoding", format!("there is no `{}`", dialect.encoding.name())));
        }
        if dialect.units.as_ref().is_some_and(|units| units.len() != self.columns.len()) {
            return Err(Error::setting("units", "are as many as columns"));
        }
        if self.columns.is_empty() {
            return Err(Error::setting("columns", "a table has at least one"));
        }
        self.columns.iter().try_for_each(ColumnForm::validate)
    }
}

impl ColumnForm {
    fn validate(&self) -> Result<()> {
        let problem = |problem: &str| Err(Error::setting(format!("column `{}`", self.name), problem));
        let is_of_kind = match &self.domain {
            Domain::Numbers { .. } => self.kind == Kind::Continuous,
            Domain::Integers { .. } => self.kind == Kind::Integer,
            Domain::Dates { .. } => self.kind == Kind::Date,
            Domain::Categories { .. } => matches!(self.kind, Kind::Boolean | Kind::Categorical),
            Domain::Constant { .. } => self.kind == Kind::Constant,
            Domain::Counter { .. } => matches!(self.kind, Kind::Counter | Kind::Identifier),
            Domain::Nothing => matches!(self.kind, Kind::FreeText | Kind::Constant),
        };
        if !is_of_kind {
            return problem("its values are not of its kind");
        }
        match &self.domain {
            Domain::Numbers { format, .. } | Domain::Integers { format, .. } => {
                if !matches!(format.decimal, '.' | ',') || format.group == Some(format.decimal) {
                    return problem("the decimal mark is `.` or `,`, and not the separator of thousands");
                }
                if format.prefix.len() > MAX_PART || format.suffix.len() > MAX_PART {
                    return problem("what stands around numbers is too long");
                }
            }
            Domain::Categories { categories, rest } if categories.is_empty() && rest.is_none() => {
                return problem("has no category");
            }
            Domain::Categories { categories, .. } if categories.len() > MAX_CATEGORIES => {
                return problem("has too many categories");
            }
            Domain::Categories { categories, .. } if self.kind == Kind::Boolean && categories.len() != 2 => {
                return problem("a boolean has two texts");
            }
            _ => {}
        }
        Ok(())
    }
}
