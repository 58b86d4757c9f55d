//! What a setting is, and how its value goes into the settings of a run and comes out. The settings themselves: [`table`](super::table).

use toml::Value;

use super::config::RunConfig;
use super::kind::Kind;
use super::values::of_name;

/// What tells the value of a setting in words.
pub(super) type Words = fn(&RunConfig) -> String;

/// The option of a setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommandOption {
    /// Its name without the hyphens.
    pub(crate) name: &'static str,
    /// What its value is called in the help; nothing for a switch.
    pub(crate) value: &'static str,
    /// What it does.
    pub(crate) help: &'static str,
}

/// A setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Its table in a configuration file, and its name there.
    pub(crate) table: &'static str,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// What it means.
    pub(crate) help: &'static str,
    pub(crate) option: Option<CommandOption>,
    /// A value to begin with where it is not set, in TOML.
    pub(crate) example: &'static str,
    /// Whether runs with these settings can have it.
    pub(crate) stands: fn(&RunConfig) -> bool,
    /// Whether the default follows from own data.
    pub(crate) follows_data: bool,
    /// Whether `gannet runs` names it where it is not the default: not where the machine decides it, or where it changes nothing in
    /// the result.
    pub(crate) is_listed: bool,
    /// Its value; `None` where it is not set.
    pub(crate) get: fn(&RunConfig) -> Option<Value>,
    /// Sets a value of its kind; or says why this preset cannot have it.
    pub(crate) set: fn(&mut RunConfig, &Value) -> Result<(), String>,
    /// Its name in a report, and its value in words; `None` where reports leave it out.
    pub(crate) words: Option<(&'static str, Words)>,
}

impl Setting {
    /// The name with the table: `run.batch`.
    pub(crate) fn path(&self) -> String {
        format!("{}.{}", self.table, self.name)
    }

    /// What most settings have in common.
    pub(super) const fn new(table: &'static str, name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self {
            table,
            name,
            kind,
            help,
            option: None,
            example: "1",
            stands: |_| true,
            follows_data: false,
            is_listed: true,
            get: |_| None,
            set: |_, _| Ok(()),
            words: None,
        }
    }
}

/// A number as a value. Those that TOML cannot hold are refused where they come from.
pub(super) fn number(number: impl TryInto<i64>) -> Value {
    Value::Integer(number.try_into().unwrap_or(i64::MAX))
}

/// A whole number of a kind that is one.
pub(super) fn whole(value: &Value) -> u64 {
    value.as_integer().map_or(0, i64::cast_unsigned)
}

/// The same as a size.
pub(super) fn size(value: &Value) -> usize {
    usize::try_from(whole(value)).unwrap_or(usize::MAX)
}

/// A number with a fraction as a value, with the digits of its 32 bits.
pub(super) fn fraction(number: f32) -> Value {
    Value::Float(number.to_string().parse().unwrap_or(f64::from(number)))
}

/// A number of a kind that is one.
pub(super) fn in_32_bits(value: &Value) -> f32 {
    value.as_float().map_or(0.0, |number| number as f32)
}

/// A text of a kind that is one.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A name of `table` that the kind has checked.
pub(super) fn chosen<T: Copy>(table: &[(&'static str, T)], value: &Value, place: &mut T) {
    if let Some(chosen) = of_name(table, text(value)) {
        *place = chosen;
    }
}

/// A path as a value; `None` for one that is not text, which `config.toml` refuses to name.
pub(super) fn path(path: &std::path::Path) -> Value {
    Value::String(path.to_string_lossy().into_owned())
}
