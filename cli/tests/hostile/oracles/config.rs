//! Configuration files. Second opinion: every value that the text has must be in what is written of the settings, too.

use gannet_cli::hostile::Settings;
use toml::{Table, Value};

use super::is_readable;
use super::memory::{Cap, within};

/// A line such as `a=1` becomes an entry of a table, with its place in the text. (The largest file that is read has 1 MiB.)
const CAP: Cap = Cap { each: 512, fixed: 512 << 10 };

pub fn check(input: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(input) else { return false };
    let settings = match within(CAP, input.len(), || Settings::parse(text)) {
        Ok(settings) => settings,
        Err(error) => {
            // Own data are read where the settings leave something to be chosen by them.
            let (setting, file) = (
                matches!(error, gannet::Error::InvalidSetting { .. }),
                matches!(error, gannet::Error::Io { .. } | gannet::Error::Data { .. }),
            );
            assert!(setting || (file && text.contains("file")), "{error:?}");
            assert!(is_readable(&error.to_string()), "{error:?}");
            return false;
        }
    };
    let rendered = settings.render().expect("settings that were read");
    assert_eq!(Settings::parse(&rendered).expect("settings that were written"), settings);
    // Whole numbers of settings have 64 bits and no sign, those of tables have one.
    if let (Ok(given), Ok(written)) = (text.parse(), rendered.parse()) {
        holds(&Value::Table(written), &Value::Table(given), "");
    }
    true
}

/// Asserts that `written` has every value of `given`.
fn holds(written: &Value, given: &Value, name: &str) {
    match (written, given) {
        (Value::Table(written), Value::Table(given)) => {
            for (key, value) in given {
                // The name of before.
                let key = if key == "system" { "preset" } else { key };
                // Another spelling is as good; an empty table is none, and 0 is what some settings are without.
                let exempt = ["memory_limit", "directory", "weights"].contains(&key)
                    || value.as_table().is_some_and(Table::is_empty)
                    || (!written.contains_key(key) && number(value) == 0.0);
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
        (Value::Float(_), Value::Float(_) | Value::Integer(_)) => {
            assert_eq!(number(written).to_bits(), number(given).to_bits(), "{name}");
        }
        _ => assert_eq!(written, given, "{name}"),
    }
}

/// A number as the settings hold it, in 32 bits.
fn number(value: &Value) -> f32 {
    match *value {
        Value::Integer(number) => number as f32,
        Value::Float(number) => number as f32,
        _ => f32::NAN,
    }
}
