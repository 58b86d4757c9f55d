//! A trial: the settings that it varies, all of its settings, and a name that follows from them.

use std::collections::BTreeMap;
use std::path::Path;

use gannet::{Error, Result};
use toml::{Table, Value};

use crate::settings::config::RunConfig;
use crate::settings::{config_file, config_text, flat};
use crate::sweep::axis::{Axis, Point};
use crate::terminal::output::sha256;

/// Letters of a value in a name, of all values, and of the hash behind them.
const MOST_OF_VALUE: usize = 20;
const MOST_OF_VALUES: usize = 80;
const HASH: usize = 12;

/// Settings of the machine: the result does not depend on them.
const OF_MACHINE: [&str; 3] = ["run.threads", "run.isa", "run.memory_limit"];

/// A trial.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    /// The name of its folder: its values for people, and a hash of all its settings and seeds.
    pub(crate) name: String,
    /// What it varies, by the names of the settings, and the values as people write them.
    pub(crate) values: Vec<(String, String)>,
    /// All its settings, with its first seed.
    pub(crate) config: RunConfig,
}

impl Trial {
    /// The trial of `base` in which `axes` have the values of `point`, with so many `seeds`. Paths are meant from `folder`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for settings that make no sense.
    pub(crate) fn new(base: &RunConfig, folder: &Path, axes: &[Axis], point: &Point, seeds: usize) -> Result<Self> {
        let mut table = Table::new();
        for (axis, value) in axes.iter().zip(point) {
            for setting in &axis.settings {
                put(&mut table, setting, value.clone()).map_err(|problem| Error::setting(setting, problem))?;
            }
        }
        let text = toml::to_string(&table).map_err(|error| Error::setting("trial", error.to_string()))?;
        let config = config_file::overlay(base, &text, &[], Some(folder)).map_err(without_line)?;
        let values: Vec<(String, String)> =
            axes.iter().zip(point).map(|(axis, value)| (axis.name(), flat::text(value))).collect();
        let identity = format!("{}\nseeds = {seeds}\n", differences(&config)?);
        let hash = &sha256(identity.as_bytes())[..HASH];
        let name = format!("{}{hash}", readable(&values));
        Ok(Self { name, values, config })
    }

    /// The values with the shortest names that tell them apart.
    pub(crate) fn label(&self) -> String {
        let names = short_names(self.values.iter().map(|(name, _)| name.as_str()));
        let value = |(name, (_, value)): (String, &(String, String))| format!("{name} {}", shortened(value, 40));
        let label = names.into_iter().zip(&self.values).map(value).collect::<Vec<_>>().join(", ");
        if label.is_empty() { "the base".to_string() } else { label }
    }
}

/// Puts a value at a path with points into `table`.
fn put(table: &mut Table, path: &str, value: Value) -> std::result::Result<(), String> {
    match path.split_once('.') {
        None => drop(table.insert(path.to_string(), value)),
        Some((first, rest)) => match table.entry(first).or_insert_with(|| Value::Table(Table::new())) {
            Value::Table(inner) => put(inner, rest, value)?,
            _ => return Err(format!("stands in `{first}`, which has a value of its own; vary one of both")),
        },
    }
    Ok(())
}

/// The place of an error that names none.
pub(crate) const NOWHERE: &str = "setting";

/// An error of settings that stand in no file: without the line.
fn without_line(error: Error) -> Error {
    match error {
        Error::InvalidSetting { name, problem } if name.starts_with("line ") => {
            let name = name.split_once(", ").map_or(NOWHERE, |(_, name)| name).to_string();
            Error::setting(name, problem)
        }
        other => other,
    }
}

/// The settings that are not as the preset's defaults are, a line each, without those of the machine. Settings that come to be in later
/// versions leave it as it is, as long as they have their defaults.
fn differences(config: &RunConfig) -> Result<String> {
    let mut settings = lines(config)?;
    if let Some(preset) = config.preset.known() {
        let defaults = lines(&RunConfig::of(preset))?;
        settings.retain(|name, value| defaults.get(name) != Some(value));
    }
    let lines = settings.iter().filter(|(name, _)| !OF_MACHINE.contains(&name.as_str()));
    let told: String = lines.map(|(name, value)| format!("{name} = {value}\n")).collect();
    Ok(format!("{}\n{told}", config.preset.name()))
}

/// The settings by name.
fn lines(config: &RunConfig) -> Result<BTreeMap<String, String>> {
    fn add(table: &Table, prefix: &str, lines: &mut BTreeMap<String, String>) {
        for (name, value) in table {
            let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            match value {
                Value::Table(inner) => add(inner, &name, lines),
                other => drop(lines.insert(name, other.to_string())),
            }
        }
    }
    let text = config_text::render(config, "a trial")?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| Error::setting("trial", error.to_string()))?;
    let mut found = BTreeMap::new();
    add(&table, "", &mut found);
    Ok(found)
}

/// The values in letters that any file system takes: `batch-32_r1-0.1-`.
fn readable(values: &[(String, String)]) -> String {
    let plain = |text: &str| -> String {
        let letter = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
        text.chars().take(MOST_OF_VALUE).map(letter).collect()
    };
    let names = short_names(values.iter().map(|(name, _)| name.as_str()));
    let parts: Vec<String> = names
        .iter()
        .zip(values)
        .map(|(name, (_, value))| format!("{}-{}", plain(name).replace('.', "-"), plain(value)))
        .collect();
    let mut text = parts.join("_");
    text.truncate(MOST_OF_VALUES);
    if text.is_empty() { text } else { text + "-" }
}

/// The shortest ends of `names` that tell them apart. Of settings with one value together the first stands for all.
pub(crate) fn short_names<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let end = |name: &str, parts: usize| {
        let all: Vec<&str> = name.split(',').next().unwrap_or_default().split('.').collect();
        all[all.len().saturating_sub(parts)..].join(".")
    };
    let short = |name: &str| {
        let is_alone =
            |parts: &usize| names.clone().filter(|other| end(other, *parts) == end(name, *parts)).count() == 1;
        let parts = (1..=name.split('.').count()).find(is_alone);
        parts.map_or_else(|| name.to_string(), |parts| end(name, parts))
    };
    names.clone().map(short).collect()
}

/// At most so many letters of a text.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use gannet::gan::presets::Preset;

    use super::*;
    use crate::sweep::axis::{axes, grid};

    fn trials(text: &str, base: &RunConfig, seeds: usize) -> Result<Vec<Trial>> {
        let axes = axes("grid", &text.parse().unwrap(), false)?;
        grid(&axes)?.iter().map(|point| Trial::new(base, Path::new(""), &axes, point, seeds)).collect()
    }

    #[test]
    fn a_name_follows_from_settings_and_seeds() {
        let base = RunConfig { seed: 1, ..RunConfig::of(Preset::Circle) };
        let text = "run.batch = [16, 32]\n'gan.generator_optimizer.learning_rate' = [1e-4, 1e-3]";
        let found = trials(text, &base, 3).unwrap();
        assert!(found[0].name.starts_with("learning-rate-0.0001_batch-16-"), "{}", found[0].name);
        assert_eq!(found[0].label(), "learning_rate 0.0001, batch 16");
        assert_eq!((found[0].config.batch, found[3].config.batch, found[0].config.seed), (16, 32, 1));
        let names = |trials: &[Trial]| trials.iter().map(|trial| trial.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&found), names(&trials(text, &RunConfig { threads: 3, ..base.clone() }, 3).unwrap()));
        for other in [
            trials(text, &base, 4).unwrap(),
            trials(text, &RunConfig { seed: 2, ..base.clone() }, 3).unwrap(),
            trials(text, &RunConfig { shuffle: false, ..base.clone() }, 3).unwrap(),
        ] {
            assert!(names(&found).iter().all(|name| !names(&other).contains(name)), "{other:?}");
        }
        // Networks with the same widths and the same activations in other places.
        let layers = |first: &str, second: &str| {
            format!(
                "[{{ inputs = 2, outputs = 8, activation = '{first}' }}, {{ inputs = 8, outputs = 8, activation = '{second}' }}, \
                 {{ inputs = 8, outputs = 2, activation = 'linear' }}]"
            )
        };
        let text = format!("gan.generator.layers = [{}, {}]", layers("relu", "tanh"), layers("tanh", "relu"));
        let found = trials(&text, &base, 1).unwrap();
        assert!(found[0].name != found[1].name && found[0].name.len() < 130, "{}", found[0].name);
        assert_eq!(trials("", &base, 1).unwrap()[0].label(), "the base");
    }

    #[test]
    fn names_are_as_short_as_they_tell_apart() {
        let names = ["gan.generator_optimizer.beta1", "gan.discriminator_optimizer.beta1", "run.batch, run.points"];
        assert_eq!(
            short_names(names.into_iter()),
            ["generator_optimizer.beta1", "discriminator_optimizer.beta1", "batch"]
        );
    }

    #[test]
    fn wrong_settings_are_refused_by_name() {
        let base = RunConfig::of(Preset::Circle);
        for (text, part) in [
            ("run.batsh = [1]", "did you mean `batch`"),
            ("run.batch = [0]", "run.batch"),
            ("gan.generator.layers = [[{ inputs = 2, outputs = 3 }]]", "gan.discriminator.layers[0].inputs"),
            ("run.preset = ['mnist']", "run.preset: is that of the base"),
            ("data.file = ['a.csv']", "data.file: is that of the base"),
            ("run.steps = [1]\nrun.epochs = [1]", "run.epochs: excludes"),
            ("gan.generator.initialization = ['he']\n'gan.generator.initialization.kind' = ['he']", "vary one of both"),
        ] {
            let found = trials(text, &base, 1).unwrap_err().to_string();
            assert!(found.contains(part) && !found.contains("line"), "{text}: {found}");
        }
    }
}
