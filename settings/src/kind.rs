//! What a setting may be: how it is read from a configuration file and from an option, and its part of the schema.

use std::path::PathBuf;

use toml::Value;

use crate::nearest::suggestion;
use crate::values::{LARGEST, byte_count};

/// What is wrong with a number above 0 that becomes 0 in 32 bits: 0 has a meaning of its own.
const TOO_SMALL: &str = "too small to be told from 0 in 32 bits; give 0, or at least 1e-45";

/// Whether a number that is not 0 would be kept as 0.
fn vanishes(number: f64) -> bool {
    number != 0.0 && number as f32 == 0.0
}

/// What a setting may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A whole number in this range.
    Whole {
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// A power of two, at most this one.
    PowerOfTwo {
        /// The largest.
        most: u64,
    },
    /// A number from 0 up and below this one, which may be infinite.
    Number {
        /// The bound.
        below: f32,
    },
    /// Yes or no.
    Flag,
    /// One of these names.
    Choice(fn() -> Vec<&'static str>),
    /// Bytes, as a number or with a unit.
    Bytes,
    /// Any text.
    Text,
    /// A path, in a file from the folder of the file.
    Path,
    /// Several paths.
    Paths,
}

impl Kind {
    /// A whole number from 0 up.
    pub const COUNT: Self = Self::Whole { least: 0, most: LARGEST };
    /// A whole number from 1 up.
    pub const POSITIVE: Self = Self::Whole { least: 1, most: LARGEST };

    /// What is asked for, in words.
    fn words(self) -> String {
        match self {
            Self::Whole { least, most: LARGEST } => format!("a whole number from {least} up"),
            Self::Whole { least, most } => format!("a whole number from {least} to {most}"),
            Self::PowerOfTwo { most } => format!("a power of two from 1 to {most}"),
            Self::Number { below: f32::INFINITY } => "a number from 0 up".to_string(),
            Self::Number { below } => format!("a number from 0 up and below {below}"),
            Self::Flag => "true or false".to_string(),
            Self::Choice(names) => names().join(", "),
            Self::Bytes => "a number of bytes, for instance 500000000 or \"2GiB\"".to_string(),
            Self::Text => "a text".to_string(),
            Self::Path => "a path".to_string(),
            Self::Paths => "a list of paths".to_string(),
        }
    }

    /// The value of a configuration file, if it is one of this kind. Bytes become a number.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn check(self, value: Value) -> Result<Value, String> {
        let wrong = |value: &Value| Err(format!("is {value}, expected {}", self.words()));
        match (self, &value) {
            (Self::Whole { least, most }, Value::Integer(number)) => match u64::try_from(*number) {
                Ok(number) if (least..=most).contains(&number) => Ok(value),
                _ => Err(format!("is {number}, but must be {}", self.words())),
            },
            (Self::PowerOfTwo { most }, Value::Integer(number)) => match u64::try_from(*number) {
                Ok(number) if number.is_power_of_two() && number <= most => Ok(value),
                _ => Err(format!("is {number}, but must be {}", self.words())),
            },
            (Self::Number { below }, Value::Integer(_) | Value::Float(_)) => {
                let number = value.as_float().or(value.as_integer().map(|number| number as f64));
                // As it is kept: in 32 bits it may be the bound.
                match number.filter(|number| (0.0..below).contains(&(*number as f32))) {
                    Some(number) if vanishes(number) => Err(format!("is {number:?}, which is {TOO_SMALL}")),
                    Some(number) => Ok(Value::Float(number)),
                    None => Err(format!("is {value}, but must be {}", self.words())),
                }
            }
            (Self::Choice(names), Value::String(name)) => {
                if names().contains(&name.as_str()) {
                    return Ok(value);
                }
                Err(format!("`{name}` is unknown{} (known: {})", suggestion(name, names()), self.words()))
            }
            (Self::Bytes, Value::Integer(1..)) => Ok(value),
            (Self::Bytes, Value::String(text)) => byte_count(text).map(|bytes| Value::Integer(bytes.cast_signed())),
            (Self::Paths, Value::Array(paths)) if paths.iter().all(Value::is_str) => Ok(value),
            (Self::Flag, Value::Boolean(_)) | (Self::Text | Self::Path, Value::String(_)) => Ok(value),
            _ => wrong(&value),
        }
    }

    /// The value of an option.
    ///
    /// # Errors
    ///
    /// What it needs to be.
    pub fn parse(self, text: &str) -> Result<Value, String> {
        let value = match self {
            Self::Whole { .. } | Self::PowerOfTwo { .. } => text.parse().map(Value::Integer).ok(),
            Self::Number { .. } => text.parse().map(Value::Float).ok(),
            Self::Choice(_) => Some(Value::String(text.replace('-', "_"))),
            _ => Some(Value::String(text.to_string())),
        };
        match (self, &value) {
            (Self::Bytes, _) => byte_count(text).map(|bytes| Value::Integer(bytes.cast_signed())),
            (Self::Number { .. }, Some(Value::Float(number))) if *number > 0.0 && vanishes(*number) => {
                Err(format!("is {TOO_SMALL}"))
            }
            _ => value.and_then(|value| self.check(value).ok()).ok_or_else(|| format!("needs {}", self.words())),
        }
    }

    /// The same value with its paths as `change` makes them.
    pub fn with_paths(self, value: Value, change: impl Fn(PathBuf) -> PathBuf) -> Value {
        let changed = |path: &Value| {
            Value::String(change(path.as_str().unwrap_or_default().into()).to_string_lossy().into_owned())
        };
        match (self, &value) {
            (Self::Path, path) => changed(path),
            (Self::Paths, Value::Array(paths)) => Value::Array(paths.iter().map(changed).collect()),
            _ => value,
        }
    }

    /// What the schema says of it, as the inside of a JSON object.
    pub fn schema(self) -> String {
        match self {
            Self::Whole { least, most: LARGEST } => format!("\"type\": \"integer\",\n          \"minimum\": {least}"),
            Self::Whole { least, most } => {
                format!("\"type\": \"integer\",\n          \"minimum\": {least},\n          \"maximum\": {most}")
            }
            Self::PowerOfTwo { most } => {
                let powers = (0..u64::BITS).map(|power| 1 << power).take_while(|power| *power <= most);
                let numbers: Vec<String> = powers.map(|power: u64| power.to_string()).collect();
                format!("\"enum\": [{}]", numbers.join(", "))
            }
            Self::Number { below: f32::INFINITY } => "\"type\": \"number\",\n          \"minimum\": 0".to_string(),
            Self::Number { below } => {
                format!("\"type\": \"number\",\n          \"minimum\": 0,\n          \"exclusiveMaximum\": {below}")
            }
            Self::Flag => "\"type\": \"boolean\"".to_string(),
            Self::Choice(names) => {
                let names: Vec<String> = names().into_iter().map(|name| format!("\"{name}\"")).collect();
                format!("\"enum\": [{}]", names.join(", "))
            }
            Self::Bytes => "\"oneOf\": [\n            { \"type\": \"integer\", \"minimum\": 1 },\n            { \"type\": \"string\", \
                 \"pattern\": \"^0*[1-9][0-9]* *([bB]|[kKmMgGtT]([iI]?[bB])?)?$\" }\n          ]"
                .to_string(),
            Self::Text | Self::Path => "\"type\": \"string\"".to_string(),
            Self::Paths => "\"type\": \"array\",\n          \"items\": { \"type\": \"string\" }".to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where 0 means none, a number that 32 bits take for 0 is no way to say it.
    #[test]
    fn a_number_that_would_become_0_is_refused() {
        for kind in [Kind::Number { below: f32::INFINITY }, Kind::Number { below: 1.0 }] {
            for (text, number) in [("0", 0.0), ("1e-45", 1e-45), ("1e-38", 1e-38), ("0.5", 0.5)] {
                assert_eq!(kind.parse(text), Ok(Value::Float(number)));
                assert_eq!(kind.check(Value::Float(number)), Ok(Value::Float(number)));
            }
            for (text, number) in [("1e-46", 1e-46), ("1e-50", 1e-50), ("5e-324", 5e-324)] {
                for problem in [kind.parse(text), kind.check(Value::Float(number))] {
                    assert!(problem.unwrap_err().contains("give 0, or at least 1e-45"), "{text}");
                }
            }
            for (text, number) in [("-1e-50", -1e-50), ("-1", -1.0), ("nan", f64::NAN)] {
                assert!(kind.parse(text).is_err() && kind.check(Value::Float(number)).is_err(), "{text}");
            }
        }
    }
}
