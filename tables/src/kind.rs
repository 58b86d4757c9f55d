//! What a column is.

use serde::{Deserialize, Serialize};

/// What a column is, which decides how it is learned and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// Numbers with decimals.
    Continuous,
    /// Whole numbers.
    Integer,
    /// One of two: true and false, yes and no, 0 and 1.
    Boolean,
    /// One of few texts or numbers.
    Categorical,
    /// A day, a time, or both; a month; a duration.
    Date,
    /// The same in every row.
    Constant,
    /// Whole numbers that count rows up.
    Counter,
    /// A text that names a row and no other. It is left out; new rows have their number instead.
    Identifier,
    /// Sentences. They are left out; new rows have none.
    FreeText,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Continuous,
        Self::Integer,
        Self::Boolean,
        Self::Categorical,
        Self::Date,
        Self::Constant,
        Self::Counter,
        Self::Identifier,
        Self::FreeText,
    ];

    /// Its name in messages and settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Continuous => "continuous",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Categorical => "categorical",
            Self::Date => "date",
            Self::Constant => "constant",
            Self::Counter => "counter",
            Self::Identifier => "identifier",
            Self::FreeText => "free_text",
        }
    }

    /// The kind with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether a column has values to learn.
    pub fn is_learned(self) -> bool {
        matches!(self, Self::Continuous | Self::Integer | Self::Boolean | Self::Categorical | Self::Date)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_stored_form() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
            assert_eq!(Kind::named(kind.name()), Some(kind));
        }
        assert_eq!(Kind::named("text"), None);
    }
}
