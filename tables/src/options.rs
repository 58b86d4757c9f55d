//! What a caller may decide about how a table is read. What is left open is found out from the table.

use std::collections::BTreeMap;

use gannet::{Error, Result};

use crate::cure::SettingNames;
use crate::dialect::{Delimiter, is_delimiter};
use crate::encoding::Encoding;
use crate::kind::Kind;

/// Most categories of a column where the caller says nothing: indices of one byte, with one left for the rest.
pub const DEFAULT_CATEGORIES: usize = 255;
/// Most categories that a caller may ask for.
pub const MAX_CATEGORIES: usize = 4096;

/// Which lines are comments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Comments {
    /// Those that begin with `#`, or with `%` where the first line does, unless they are rows like the others.
    #[default]
    Auto,
    /// None.
    None,
    /// Those that begin with this ASCII character.
    Begin(char),
}

/// What a caller decides about how a table is read.
///
/// ```
/// use gannet_tables::{Delimiter, Kind, ReadOptions};
///
/// let options = ReadOptions::default().with_delimiter(Delimiter::Char(';')).with_kind("zip", Kind::Categorical);
/// assert_eq!(options.header, None);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReadOptions {
    /// What stands between cells.
    pub delimiter: Option<Delimiter>,
    /// How bytes become text.
    pub encoding: Option<Encoding>,
    /// Whether the first row has the names of the columns.
    pub header: Option<bool>,
    /// Texts that stand for missing values in every column, instead of the usual ones.
    pub missing: Option<Vec<String>>,
    /// The decimal mark, `.` or `,`.
    pub decimal: Option<char>,
    /// Whether the day comes before the month where both are numbers.
    pub day_first: Option<bool>,
    /// Which lines are comments.
    pub comments: Comments,
    /// The kinds of columns by their names.
    pub kinds: BTreeMap<String, Kind>,
    /// The columns to keep, by their names; all where there are none.
    pub columns: Option<Vec<String>>,
    /// Columns to drop, by their names.
    pub drop: Vec<String>,
    /// The column of labels: it is kept whatever `columns` are, and is categorical unless `kinds` say something else.
    pub labels: Option<String>,
    /// Most categories of a column, [`DEFAULT_CATEGORIES`] by default and at most [`MAX_CATEGORIES`]; rarer ones become the rest.
    pub max_categories: usize,
    /// Most bytes of memory that reading and the table may take.
    pub memory_limit: u64,
    /// How messages name these settings.
    pub setting_names: SettingNames,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            delimiter: None,
            encoding: None,
            header: None,
            missing: None,
            decimal: None,
            day_first: None,
            comments: Comments::Auto,
            kinds: BTreeMap::new(),
            columns: None,
            drop: Vec::new(),
            labels: None,
            max_categories: DEFAULT_CATEGORIES,
            memory_limit: u64::MAX,
            setting_names: SettingNames::default(),
        }
    }
}

impl ReadOptions {
    /// Checks what a user may have written.
    pub(crate) fn validate(&self) -> Result<()> {
        if let Some(Delimiter::Char(delimiter)) = self.delimiter
            && !is_delimiter(delimiter)
        {
            let problem =
                format!("`{delimiter}` cannot be told from text; use an ASCII sign other than quotes, or a tab");
            return Err(Error::setting("delimiter", problem));
        }
        if self.decimal.is_some_and(|decimal| !matches!(decimal, '.' | ',')) {
            return Err(Error::setting("decimal", "is `.` or `,`"));
        }
        if self.encoding.as_ref().is_some_and(|encoding| !encoding.is_known()) {
            return Err(Error::setting("encoding", "is unknown; give a name such as `utf-8`, `latin1` or `utf-16le`"));
        }
        if matches!(self.comments, Comments::Begin(begin) if !begin.is_ascii_punctuation()) {
            return Err(Error::setting("comments", "begin with an ASCII sign such as `#`"));
        }
        Ok(())
    }

    /// The kind that a column is to have, where that is decided.
    pub(crate) fn kind(&self, column: &str) -> Option<Kind> {
        let is_labels = self.labels.as_deref() == Some(column);
        self.kinds.get(column).copied().or(is_labels.then_some(Kind::Categorical))
    }

    /// Whether any column is to have categories.
    pub(crate) fn wants_categories(&self) -> bool {
        let of_labels = self.labels.as_deref().and_then(|labels| self.kind(labels));
        self.kinds.values().copied().chain(of_labels).any(|kind| kind == Kind::Categorical)
    }

    /// Most categories of a column, within what is possible.
    pub(crate) fn most_categories(&self) -> usize {
        self.max_categories.clamp(1, MAX_CATEGORIES)
    }

    /// With what stands between cells.
    #[must_use]
    pub fn with_delimiter(self, delimiter: impl Into<Option<Delimiter>>) -> Self {
        Self { delimiter: delimiter.into(), ..self }
    }

    /// With how bytes become text.
    #[must_use]
    pub fn with_encoding(self, encoding: impl Into<Option<Encoding>>) -> Self {
        Self { encoding: encoding.into(), ..self }
    }

    /// With whether the first row has the names of the columns.
    #[must_use]
    pub fn with_header(self, header: impl Into<Option<bool>>) -> Self {
        Self { header: header.into(), ..self }
    }

    /// With texts that stand for missing values in every column.
    #[must_use]
    pub fn with_missing(self, missing: impl Into<Option<Vec<String>>>) -> Self {
        Self { missing: missing.into(), ..self }
    }

    /// With the decimal mark.
    #[must_use]
    pub fn with_decimal(self, decimal: impl Into<Option<char>>) -> Self {
        Self { decimal: decimal.into(), ..self }
    }

    /// With whether the day comes before the month.
    #[must_use]
    pub fn with_day_first(self, day_first: impl Into<Option<bool>>) -> Self {
        Self { day_first: day_first.into(), ..self }
    }

    /// With which lines are comments.
    #[must_use]
    pub fn with_comments(self, comments: Comments) -> Self {
        Self { comments, ..self }
    }

    /// With the kind of a column.
    #[must_use]
    pub fn with_kind(mut self, column: impl Into<String>, kind: Kind) -> Self {
        self.kinds.insert(column.into(), kind);
        self
    }

    /// With the columns to keep.
    #[must_use]
    pub fn with_columns(self, columns: impl Into<Option<Vec<String>>>) -> Self {
        Self { columns: columns.into(), ..self }
    }

    /// With columns to drop.
    #[must_use]
    pub fn with_drop(self, drop: Vec<String>) -> Self {
        Self { drop, ..self }
    }

    /// With the column of labels.
    #[must_use]
    pub fn with_labels(self, labels: impl Into<Option<String>>) -> Self {
        Self { labels: labels.into(), ..self }
    }

    /// With the most categories of a column.
    #[must_use]
    pub fn with_max_categories(self, max_categories: usize) -> Self {
        Self { max_categories, ..self }
    }

    /// With the most bytes of memory.
    #[must_use]
    pub fn with_memory_limit(self, memory_limit: u64) -> Self {
        Self { memory_limit, ..self }
    }

    /// With how messages name these settings.
    #[must_use]
    pub fn with_setting_names(self, setting_names: SettingNames) -> Self {
        Self { setting_names, ..self }
    }
}
