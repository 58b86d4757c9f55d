//! Configuration files. Second opinion: every value that the text has must be in what is written of the settings, too.

use gannet::cli::hostile::Settings;
use toml::{Table, Value};

use super::memory::{Cap, within};

/// A line such as `a=1` becomes an entry of a table, with its place in the text. (The largest file that is read has 1 MiB.)
const CAP: Cap = Cap { each: 512, fixed: 64 << 10 };

pub fn check(input: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(input) else { return false };
    let settings = match within(CAP, input.len(), || Settings::parse(text)) {
        Ok(settings) => settings,
        Err(error) => {
            assert!(matches!(error, gannet::Error::InvalidSetting { .. }), "{error:?}");
            return false;
        }
    };
    let rendered = settings.render().expect("settings that were read");
    assert_eq!(Settings::parse(&rendered).expect("settings that were written"), settings);
    let given: Table = text.parse().expect("text that was read");
    let written: Table = rendered.parse().expect("text that was written");
    holds(&Value::Table(written), &Value::Table(given), "");
    true
}

/// Asserts that `written` has every value of `given`.
fn holds(written: &Value, given: &Value, name: &str) {
    match (written, given) {
        (Value::Table(written), Value::Table(given)) => {
            for (key, value) in given {
                // Another spelling is as good, and an empty table is none.
                let exempt = ["memory_limit", "directory", "weights"].contains(&key.as_str())
                    || value.as_table().is_some_and(Table::is_empty);
                if !exempt {
                    let found = written.get(key).unwrap_or_else(|| panic!("{name}.{key} is lost"));
                    holds(found, value, &format!("{name}.{key}"));
                }
            }
        }
        (Value::Array(written), Value::Array(given)) => {
            assert_eq!(written.len(), given.len(), "{name}");
            written.iter().zip(given).for_each(|(written, given)| holds(written, given, name));
        }
        (Value::Float(_) | Value::Integer(_), Value::Float(_) | Value::Integer(_)) => {
            assert_eq!(number(written), number(given), "{name}");
        }
        _ => assert_eq!(written, given, "{name}"),
    }
}

/// A number as the settings hold it: whole ones as they are, others in 32 bits.
fn number(value: &Value) -> (Option<i64>, f32) {
    match *value {
        Value::Integer(number) => (Some(number), number as f32),
        Value::Float(number) if number as i64 as f64 == number => (Some(number as i64), number as f32),
        Value::Float(number) => (None, number as f32),
        _ => (None, f32::NAN),
    }
}
