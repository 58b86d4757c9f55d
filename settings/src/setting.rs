//! What a setting is, and how its value goes into the settings of a run and comes out.

use gannet::gan::GanSpec;
use toml::Value;

use crate::kind::Kind;
use crate::values::of_name;

/// Whatever holds the specification of a GAN, such as all settings of a run.
pub trait HasSpec: 'static {
    /// The specification.
    fn spec(&self) -> &GanSpec;

    /// The specification, to be changed.
    fn spec_mut(&mut self) -> &mut GanSpec;
}

impl HasSpec for GanSpec {
    fn spec(&self) -> &GanSpec {
        self
    }

    fn spec_mut(&mut self) -> &mut GanSpec {
        self
    }
}

/// What tells the value of a setting in words.
pub type Words<C> = fn(&C) -> String;

/// The option of a setting.
#[derive(Clone, Copy, Debug)]
pub struct CommandOption {
    /// Its name without the hyphens.
    pub name: &'static str,
    /// What its value is called in the help; nothing for a switch.
    pub value: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// A setting with one value among the settings `C`.
#[derive(Debug)]
pub struct Setting<C> {
    /// Its table in a configuration file.
    pub table: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What it means.
    pub help: &'static str,
    /// Its option.
    pub option: Option<CommandOption>,
    /// A value to begin with where it is not set, in TOML.
    pub example: &'static str,
    /// Whether runs with these settings can have it.
    pub stands: fn(&C) -> bool,
    /// Whether the default follows from own data.
    pub follows_data: bool,
    /// Whether `gannet runs` names it where it is not the default: not where the machine decides it, or where it changes nothing in
    /// the result.
    pub is_listed: bool,
    /// Its value; `None` where it is not set.
    pub get: fn(&C) -> Option<Value>,
    /// Sets a value of its kind; or says why this preset cannot have it.
    pub set: fn(&mut C, &Value) -> Result<(), String>,
    /// Its name in a report, and its value in words; `None` where reports leave it out.
    pub words: Option<(&'static str, Words<C>)>,
}

impl<C> Clone for Setting<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Setting<C> {}

impl<C> Setting<C> {
    /// The name with the table: `run.batch`.
    pub fn path(&self) -> String {
        format!("{}.{}", self.table, self.name)
    }

    /// What most settings have in common.
    pub const fn new(table: &'static str, name: &'static str, kind: Kind, help: &'static str) -> Self {
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
pub fn number(number: impl TryInto<i64>) -> Value {
    Value::Integer(number.try_into().unwrap_or(i64::MAX))
}

/// A whole number of a kind that is one.
pub fn whole(value: &Value) -> u64 {
    value.as_integer().map_or(0, i64::cast_unsigned)
}

/// The same as a size.
pub fn size(value: &Value) -> usize {
    usize::try_from(whole(value)).unwrap_or(usize::MAX)
}

/// A number with a fraction as a value, with the digits of its 32 bits.
pub fn fraction(number: f32) -> Value {
    Value::Float(number.to_string().parse().unwrap_or(f64::from(number)))
}

/// A number of a kind that is one.
pub fn in_32_bits(value: &Value) -> f32 {
    value.as_float().map_or(0.0, |number| number as f32)
}

/// A text of a kind that is one.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A name of `table` that the kind has checked.
pub fn chosen<T: Copy>(table: &[(&'static str, T)], value: &Value, place: &mut T) {
    if let Some(chosen) = of_name(table, text(value)) {
        *place = chosen;
    }
}

/// A path as a value; `None` for one that is not text, which `config.toml` refuses to name.
pub fn path(path: &std::path::Path) -> Value {
    Value::String(path.to_string_lossy().into_owned())
}
