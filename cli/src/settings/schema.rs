//! The JSON Schema of `config.toml`: what every setting is called, means and may be.
//!
//! It follows from the table of settings and `structures.schema.json`. Editors read it, the comments of written files come from it,
//! and names that are not in it are refused with the nearest one that is. (Serde alone would let unknown names pass in variants
//! without settings: `{ kind = "relu", slope = 0.1 }`.)

use gannet::{Error, Result};
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::table::SETTINGS;
use crate::preset::OLD;
use gannet_settings::nearest::suggestion;

/// What has settings of its own, with a place in each table for the settings of [`SETTINGS`].
const STRUCTURES: &str = include_str!("structures.schema.json");

/// The schema's text.
pub(crate) fn text() -> String {
    let of_table = |text: String, table: &str| {
        let settings = SETTINGS.iter().filter(|setting| setting.table == table).map(|setting| {
            let help = Value::String(setting.help.to_string());
            format!(
                "\"{}\": {{\n          \"description\": {help},\n          {}\n        }}",
                setting.name,
                setting.kind.schema()
            )
        });
        text.replace(&format!("\"@{table}\": {{}}"), &settings.collect::<Vec<_>>().join(",\n        "))
    };
    ["run", "data", "gan"].into_iter().fold(STRUCTURES.to_string(), of_table)
}

/// The schema.
pub(crate) struct Schema(Value);

/// What the name of a setting in `table` is today: `run.preset` had an old one, and files of then are still read.
pub(crate) fn today<'a>(table: &str, name: &'a str) -> &'a str {
    match (table, name) {
        ("run", OLD) => "preset",
        _ => name,
    }
}

/// What is wrong with a setting that stands in a file by both of its names.
pub(crate) fn given_twice() -> String {
    format!("is given twice: `{OLD}` is the old name of `preset`; leave `{OLD}` out")
}

/// A name that the schema does not have.
struct Unknown<'a> {
    /// Where it stands in the file, in bytes.
    offset: usize,
    name: &'a str,
    /// What it stands in, for instance `gan.generator`; empty for the file.
    parent: String,
    known: Vec<&'a str>,
}

impl Schema {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// None with the embedded text, as a test shows.
    pub(crate) fn new() -> Result<Self> {
        serde_json::from_str(&text()).map(Self).map_err(|error| Error::data("config.schema.json", error.to_string()))
    }

    /// What the setting at `path` (`run.batch`) means; empty where there is none.
    pub(crate) fn description(&self, path: &str) -> &str {
        let node = path.split('.').try_fold(&self.0, |node, name| self.resolved(node)["properties"].get(name));
        let Some(node) = node else { return "" };
        // A description beside a reference is the setting's own; the reference's is that of its kind.
        node["description"].as_str().or_else(|| self.resolved(node)["description"].as_str()).unwrap_or_default()
    }

    /// Refuses names that the schema does not have, at any depth: the first in the file.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] that names the line.
    pub(crate) fn check_names(&self, table: &DeTable<'_>, text: &str) -> Result<()> {
        let mut unknown = Vec::new();
        self.collect(&self.0, table, "", &mut unknown);
        let Some(first) = unknown.into_iter().min_by_key(|unknown| unknown.offset) else { return Ok(()) };
        let Unknown { offset, name, parent, known } = first;
        let place = if parent.is_empty() { "the file".to_string() } else { format!("`{parent}`") };
        let hint = suggestion(name, known.iter().copied());
        let problem = format!("unknown field `{name}` in {place}{hint} (known: {})", known.join(", "));
        Err(Error::setting(format!("line {}", line_of(text, offset)), problem))
    }

    /// Adds the unknown names of `table`, whose schema is `node`, to `unknown`.
    fn collect<'a>(&'a self, node: &'a Value, table: &'a DeTable<'a>, path: &str, unknown: &mut Vec<Unknown<'a>>) {
        let Some(node) = self.variant(node, table) else { return };
        let Some(properties) = node["properties"].as_object() else { return };
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let Some(schema) = properties.get(today(path, name)) else {
                let known = properties.keys().map(String::as_str).collect();
                unknown.push(Unknown { offset: key.span().start, name, parent: path.to_string(), known });
                continue;
            };
            let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
            match value.get_ref() {
                DeValue::Table(table) => self.collect(schema, table, &path, unknown),
                DeValue::Array(array) => {
                    for (index, item) in array.iter().enumerate() {
                        if let DeValue::Table(table) = item.get_ref() {
                            self.collect(&schema["items"], table, &format!("{path}[{index}]"), unknown);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// The node that `node` refers to.
    fn resolved<'a>(&'a self, node: &'a Value) -> &'a Value {
        let name = node["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/"));
        name.map_or(node, |name| &self.0["$defs"][name])
    }

    /// The schema of `table` within `node`: of several, the one for its `kind`, or that for tables without; `None` where there
    /// is none.
    fn variant<'a>(&'a self, node: &'a Value, table: &DeTable<'_>) -> Option<&'a Value> {
        let node = self.resolved(node);
        let Some(variants) = node["oneOf"].as_array() else { return Some(node) };
        let Some((_, kind)) = table.iter().find(|(key, _)| key.get_ref() == "kind") else {
            return variants.iter().find(|variant| {
                variant["properties"].as_object().is_some_and(|properties| !properties.contains_key("kind"))
            });
        };
        let kind = kind.get_ref().as_str()?;
        variants.iter().find(|variant| {
            let known = &variant["properties"]["kind"];
            known["const"] == kind
                || known["enum"].as_array().is_some_and(|names| names.iter().any(|name| name == kind))
        })
    }
}

/// The line of `text`, counted from 1, that byte `offset` stands in.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|&&byte| byte == b'\n').count() + 1
}

/// The line of the setting called `name` (`gan.generator.layers[1].inputs`) in the file; `None` where the file leaves it out.
pub(crate) fn line_of_setting(table: &DeTable<'_>, text: &str, name: &str) -> Option<usize> {
    let (mut table, mut offset) = (Some(table), None);
    let (mut above, mut in_array) = ("", false);
    for part in name.split('.') {
        let (key, index) = match part.strip_suffix(']').and_then(|part| part.split_once('[')) {
            Some((key, index)) => (key, index.parse::<usize>().ok()),
            None => (part, None),
        };
        let is_called = |known: &str| today(above, known) == key;
        let Some((key, value)) = table?.iter().find(|(known, _)| is_called(known.get_ref())) else {
            // What an element of an array lacks is missing on the element's line.
            return offset.filter(|_| in_array);
        };
        let value = match (value.get_ref(), index) {
            (DeValue::Array(array), Some(index)) => {
                let element = array.get(index)?;
                offset = Some(line_of(text, element.span().start));
                in_array = true;
                element.get_ref()
            }
            (value, _) => {
                offset = Some(line_of(text, key.span().start));
                value
            }
        };
        (table, above) = (if let DeValue::Table(table) = value { Some(table) } else { None }, part);
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> DeTable<'_> {
        DeTable::parse(text).unwrap().into_inner()
    }

    #[test]
    fn every_setting_is_described() {
        let schema = Schema::new().unwrap();
        for (table, settings) in schema.0["properties"].as_object().unwrap() {
            assert!(!schema.description(table).is_empty(), "{table}");
            for name in settings["properties"].as_object().unwrap().keys() {
                let description = schema.description(&format!("{table}.{name}"));
                assert!(description.ends_with('.'), "{table}.{name}: {description}");
            }
        }
        assert!(schema.description("gan.generator.layers").contains("leaky_relu"));
        assert_eq!(schema.description("run.bacth"), "");
    }

    #[test]
    fn unknown_names_are_found_at_every_depth() {
        let schema = Schema::new().unwrap();
        let problem = |text: &str| schema.check_names(&table(text), text).unwrap_err().to_string();
        for (text, parts) in [
            ("systm = 3", ["line 1: unknown field `systm` in the file", "known: data, gan, run"]),
            ("[run]\nbacth = 3", ["line 2: unknown field `bacth` in `run`", "did you mean `batch`?"]),
            (
                "[gan]\ngenerator_optimizer = { kind = 'sgd',\n beta1 = 1 }",
                ["line 3", "`beta1` in `gan.generator_optimizer`"],
            ),
            (
                "[gan.generator]\ninitialization = { kind = 'he', sigma = 3 }",
                ["line 2: unknown field `sigma`", "`gan.generator.initialization`"],
            ),
            (
                "[gan.generator]\nlayers = [\n{},\n{ activation = { kind = 'relu', slope = 0.1 } } ]",
                ["line 4: unknown field `slope`", "`gan.generator.layers[1].activation`"],
            ),
            (
                "[gan.discriminator]\nlayers = [\n{ input = 3 } ]",
                ["line 3: unknown field `input`", "did you mean `inputs`?"],
            ),
            // The first in the file, not the first by name.
            ("[run]\nz = 1\na = 1", ["line 2: unknown field `z`", ""]),
        ] {
            let problem = problem(text);
            assert!(parts.iter().all(|part| problem.contains(part)), "{text}: {problem}");
        }
        let text =
            "[gan.generator]\nlayers = [{ activation = { kind = 'leaky_relu', slope = 1 } }, 3]\n[run]\nbatch = {}";
        schema.check_names(&table(text), text).unwrap();
    }

    #[test]
    fn settings_are_found_in_the_file() {
        let old = "[run]\nsystem = 'circle'";
        assert_eq!(line_of_setting(&table(old), old, "run.preset"), Some(2));
        let text = "[run]\nbatch = 3\n[gan.generator]\nlayers = [\n{ inputs = 1 },\n{ inputs = 2,\n outputs = 3 },\n]";
        let line = |name| line_of_setting(&table(text), text, name);
        for (name, expected) in [
            ("run.batch", Some(2)),
            ("run", Some(1)),
            ("run.seed", None),
            ("gan.generator.layers", Some(4)),
            ("gan.generator.layers[0].inputs", Some(5)),
            ("gan.generator.layers[1].outputs", Some(7)),
            ("gan.generator.layers[1].slope", Some(6)),
            ("gan.generator.layers[2].inputs", None),
            ("gan.discriminator.layers[0].inputs", None),
            ("line 3", None),
            ("run.batch.x", None),
            ("", None),
        ] {
            assert_eq!(line(name), expected, "{name}");
        }
    }
}
