//! What a user decides of how a table is read; what is left open is found out from the table.

use std::collections::BTreeMap;

use gannet::{Error, Result};
use gannet_settings::nearest::suggestion;
use serde::{Deserialize, Serialize};

use gannet_tables::{
    DEFAULT_CATEGORIES, Delimiter, Encoding, Kind, MAX_CATEGORIES, ReadOptions, Scaling, SettingNames,
};

/// What a user decides of how a table is read and encoded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Reading {
    /// The array of an archive of NumPy.
    pub(crate) array: Option<String>,
    /// The columns to keep, by their names; all where there are none.
    pub(crate) columns: Option<Vec<String>>,
    /// Columns to leave out.
    pub(crate) drop: Vec<String>,
    /// What columns are, by their names.
    pub(crate) kinds: BTreeMap<String, Kind>,
    /// What stands between cells.
    pub(crate) delimiter: Option<Delimiter>,
    /// How bytes become text.
    pub(crate) encoding: Option<Encoding>,
    /// Whether the first row has the names of the columns.
    pub(crate) header: Option<bool>,
    /// Texts that stand for missing values, instead of the usual ones.
    pub(crate) missing: Option<Vec<String>>,
    /// The decimal mark.
    pub(crate) decimal: Option<char>,
    /// Most categories of a column.
    pub(crate) categories: Option<usize>,
    /// How numbers become scores.
    pub(crate) numbers: Scaling,
    /// How far new numbers may lie beyond those of the table, in percent of their range.
    pub(crate) beyond: f64,
}

impl Reading {
    /// The same for the reader of tables, which may take so many bytes, and names settings so.
    pub(crate) fn options(&self, limit: u64, names: SettingNames) -> ReadOptions {
        let mut options = ReadOptions::default()
            .with_columns(self.columns.clone())
            .with_drop(self.drop.clone())
            .with_delimiter(self.delimiter)
            .with_encoding(self.encoding.clone())
            .with_header(self.header)
            .with_missing(self.missing.clone())
            .with_decimal(self.decimal)
            .with_max_categories(self.categories.unwrap_or(DEFAULT_CATEGORIES))
            .with_memory_limit(limit)
            .with_setting_names(names);
        for (column, kind) in &self.kinds {
            options = options.with_kind(column, *kind);
        }
        options
    }

    /// The settings that say how a table is read and encoded, its columns aside and wherever it is, and which differ from those of `other`.
    /// Settings name columns even where the user did not.
    pub(crate) fn differing(&self, other: &Self) -> Vec<&'static str> {
        let Self {
            array: _,
            columns: _,
            drop: _,
            kinds: _,
            delimiter,
            encoding,
            header,
            missing,
            decimal,
            categories,
            numbers,
            beyond,
        } = self;
        let differ = [
            ("delimiter", *delimiter != other.delimiter),
            ("encoding", *encoding != other.encoding),
            ("header", *header != other.header),
            ("missing", *missing != other.missing),
            ("decimal", *decimal != other.decimal),
            ("categories", *categories != other.categories),
            ("numbers", *numbers != other.numbers),
            ("beyond", *beyond != other.beyond),
        ];
        differ.into_iter().filter(|(_, differ)| *differ).map(|(name, _)| name).collect()
    }

    /// The first of what is decided that only tables have.
    pub(crate) fn of_tables(&self) -> Option<Decided> {
        let Self {
            array: _,
            columns,
            drop,
            kinds,
            delimiter,
            encoding,
            header,
            missing,
            decimal,
            categories,
            numbers,
            beyond,
        } = self;
        let decided = [
            ("columns", columns.is_some()),
            ("drop", !drop.is_empty()),
            ("kinds", !kinds.is_empty()),
            ("delimiter", delimiter.is_some()),
            ("encoding", encoding.is_some()),
            ("header", header.is_some()),
            ("missing", missing.is_some()),
            ("decimal", decimal.is_some()),
            ("categories", categories.is_some()),
            ("numbers", *numbers != Scaling::default()),
            ("beyond", *beyond != 0.0),
        ];
        decided.into_iter().find(|(_, is_decided)| *is_decided).map(|(setting, _)| Decided(setting))
    }
}

/// Something that a user decides of data, by its name in a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decided(pub(crate) &'static str);

impl Decided {
    /// Its setting in a configuration file.
    pub(crate) fn setting(self) -> String {
        format!("data.{}", self.0)
    }

    /// Its option, without the dashes.
    pub(crate) fn option(self) -> &'static str {
        if self.0 == "kinds" { "kind" } else { self.0 }
    }

    /// What `names` call it in a sentence.
    pub(crate) fn told(self, names: SettingNames) -> String {
        if names == SettingNames::Settings { self.setting() } else { format!("--{}", self.option()) }
    }

    /// The error that it is to blame for.
    pub(crate) fn error(self, names: SettingNames, problem: impl Into<String>) -> Error {
        match names {
            SettingNames::Settings => Error::setting(self.setting(), problem),
            _ => Error::setting(self.option(), problem),
        }
    }
}

/// Names of delimiters; any other ASCII sign stands for itself.
const DELIMITERS: &[(&str, Delimiter)] = &[
    ("comma", Delimiter::Char(',')),
    ("semicolon", Delimiter::Char(';')),
    ("tab", Delimiter::Char('\t')),
    ("pipe", Delimiter::Char('|')),
    ("spaces", Delimiter::Spaces(1)),
];
/// Other names of the same, which nobody writes back.
const OTHER_NAMES: &[(&str, &str)] = &[("space", "spaces"), ("\\t", "tab"), ("bar", "pipe")];

/// The delimiter of a name, or a sign.
///
/// # Errors
///
/// What is wrong with another text.
pub(crate) fn delimiter(text: &str) -> std::result::Result<Delimiter, String> {
    let lower = text.to_ascii_lowercase();
    let name = OTHER_NAMES.iter().find(|(other, _)| *other == lower).map_or(lower.as_str(), |(_, name)| name);
    if let Some((_, delimiter)) = DELIMITERS.iter().find(|(known, _)| *known == name) {
        return Ok(*delimiter);
    }
    let mut signs = text.chars();
    match (signs.next(), signs.next()) {
        (Some(sign), None) if sign == '\t' || sign.is_ascii_punctuation() => Ok(Delimiter::Char(sign)),
        _ => Err("is comma, semicolon, tab, pipe, spaces, or one sign".to_string()),
    }
}

/// The name of a delimiter, as settings have it.
pub(crate) fn delimiter_name(delimiter: Delimiter) -> String {
    match delimiter {
        Delimiter::Spaces(_) => "spaces".to_string(),
        Delimiter::Char(sign) => {
            let known = DELIMITERS.iter().find(|(_, known)| *known == delimiter);
            known.map_or_else(|| sign.to_string(), |(name, _)| (*name).to_string())
        }
        _ => String::new(),
    }
}

/// The encoding of a name.
///
/// # Errors
///
/// What is wrong with another text.
pub(crate) fn encoding(text: &str) -> std::result::Result<Encoding, String> {
    Encoding::named(text).ok_or_else(|| "is the name of an encoding, such as utf-8, latin1 or utf-16le".to_string())
}

/// The kind of a name.
///
/// # Errors
///
/// What is wrong with another text.
pub(crate) fn kind(text: &str) -> std::result::Result<Kind, String> {
    Kind::named(text).ok_or_else(|| {
        let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        format!(
            "`{text}` is no kind of column{} (known: {})",
            suggestion(text, names.iter().copied()),
            names.join(", ")
        )
    })
}

/// The decimal mark in a text.
///
/// # Errors
///
/// What is wrong with another text.
pub(crate) fn decimal(text: &str) -> std::result::Result<char, String> {
    match text {
        "." | "point" => Ok('.'),
        "," | "comma" => Ok(','),
        _ => Err("is a point or a comma".to_string()),
    }
}

/// Names of the ways in which numbers become scores.
pub(crate) const SCALINGS: &[(&str, Scaling)] = &[("quantile", Scaling::Quantile), ("standard", Scaling::Standard)];

/// Checks the most categories of a column.
///
/// # Errors
///
/// What is wrong with another number.
pub(crate) fn check_categories(categories: usize) -> std::result::Result<usize, String> {
    if (1..=MAX_CATEGORIES).contains(&categories) {
        return Ok(categories);
    }
    Err(format!("is a whole number from 1 to {MAX_CATEGORIES}"))
}

/// Checks how far new numbers may lie beyond those of the table, in percent of their range.
///
/// # Errors
///
/// What is wrong with another number.
pub(crate) fn check_beyond(percent: f64) -> std::result::Result<f64, String> {
    if (0.0..=100.0).contains(&percent) {
        return Ok(percent);
    }
    Err("is a number from 0 to 100, in percent of the range of a column".to_string())
}

impl Reading {
    /// Checks what is decided together. Messages call settings as `names` says.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`].
    pub(crate) fn check(&self, names: SettingNames) -> Result<()> {
        if self.beyond == 0.0 || self.numbers == Scaling::Quantile {
            return Ok(());
        }
        let standard = match names {
            SettingNames::Settings => "data.numbers = \"standard\"",
            _ => "--numbers standard",
        };
        let problem = format!(
            "is for numbers that are scaled by their quantiles; those of {standard} have no bounds, so leave it out"
        );
        Err(Decided("beyond").error(names, problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_signs_are_read_and_written() {
        for text in ["comma", "semicolon", "tab", "pipe", "spaces", "^"] {
            assert_eq!(delimiter_name(delimiter(text).unwrap()), text);
        }
        assert_eq!(delimiter(";"), Ok(Delimiter::Char(';')));
        assert_eq!((delimiter("\\t"), delimiter("Space")), (Ok(Delimiter::Char('\t')), Ok(Delimiter::Spaces(1))));
        assert!(["", "ab", "x", "kommata"].iter().all(|text| delimiter(text).is_err()));
        assert!(encoding("latin1").is_ok() && encoding("klingon").is_err());
        assert!(kind("catgorical").unwrap_err().contains("did you mean `categorical`?"));
        assert_eq!((decimal(","), decimal("comma"), decimal(";").is_err()), (Ok(','), Ok(','), true));
    }
}
