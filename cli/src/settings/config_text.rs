//! Writing `config.toml`: of a run, with every setting resolved, or as a template. Both are the same text: each setting below
//! what it means, and those that are not set as comments, ready to be uncommented.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use gannet::net::NetworkSpec;
use gannet::{Error, Result};
use serde::Serialize;

use super::table::SETTINGS;
use super::table::Setting;
use crate::data::labels::Labels;
use crate::data::own::{Form, OwnData};
use crate::data::reading::{Reading, SCALINGS, delimiter_name};
use crate::settings::config::RunConfig;
use crate::settings::schema::Schema;
use gannet_settings::values::name_of;
use gannet_tables::{Codec, Scaling};

/// Longest line of a comment.
const WIDTH: usize = 118;

/// The whole file for `config`: every setting. `head` says what it is to the run.
///
/// # Errors
///
/// A value that TOML cannot hold: a path that is not Unicode.
pub(crate) fn render(config: &RunConfig, head: &str) -> Result<String> {
    document(config, head, true)
}

/// The file for `config` as something to begin with. Without `resolved`, what depends on own data, which are
/// not known, is left to be chosen.
///
/// # Errors
///
/// As [`render`].
pub(crate) fn template(config: &RunConfig, resolved: bool) -> Result<String> {
    let head = format!(
        "Settings of gannet {} for the preset `{}`. Change or remove what you like: what a file leaves out has its default. \
         Train with `gannet train FILE`.",
        env!("CARGO_PKG_VERSION"),
        config.preset.name()
    );
    document(config, &head, resolved)
}

fn document(config: &RunConfig, head: &str, resolved: bool) -> Result<String> {
    let mut text = Text { text: String::new(), table: String::new(), schema: Schema::new()? };
    text.comment(head);
    config.weights.iter().try_for_each(|file| unicode("weights", file).map(drop))?;
    config.directory.iter().try_for_each(|folder| unicode("data", folder).map(drop))?;
    for table in ["run", "data", "gan"] {
        let stands: Vec<&Setting> =
            SETTINGS.iter().filter(|setting| setting.table == table && (setting.stands)(config)).collect();
        if stands.is_empty() && !(table == "data" && config.own.is_some()) {
            continue;
        }
        text.table(table, true);
        for setting in stands {
            let value = (setting.get)(config).filter(|_| resolved || !setting.follows_data);
            match value {
                Some(value) => text.put(setting.name, &value)?,
                None => text.offer_text(setting.name, setting.example),
            }
        }
        match table {
            "data" => own(&mut text, config, resolved)?,
            "gan" => gan(&mut text, config, resolved)?,
            _ => {}
        }
    }
    Ok(text.text)
}

/// The settings of own data.
fn own(text: &mut Text, config: &RunConfig, resolved: bool) -> Result<()> {
    let Some(own) = &config.own else { return Ok(()) };
    text.put("file", unicode("data", own.file.path())?)?;
    text.put_or_offer("array", own.reading.array.as_ref(), "\"images\"")?;
    match &own.form {
        Form::Table(codec) => {
            table(text, own, codec, resolved)?;
            own.labels.as_ref().map_or(Ok(()), |labels| text.put("labels", &labels.from))
        }
        Form::Images { height, width } => {
            text.put("image", &[height, width])?;
            let Some(Labels { from, classes }) = &own.labels else { return Ok(()) };
            text.put("labels", from)?;
            text.set("classes", classes.names(), resolved)?;
            text.set("class_counts", classes.counts(), resolved)
        }
    }
}

/// The settings of a table: its columns and what they are; what was decided about reading it.
fn table(text: &mut Text, own: &OwnData, codec: &Codec, resolved: bool) -> Result<()> {
    let columns = &codec.form().columns;
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    text.set("columns", &names, resolved)?;
    // A name that stands twice names no column.
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    names.iter().for_each(|name| *counts.entry(name).or_default() += 1);
    let kinds: BTreeMap<&str, &str> = columns
        .iter()
        .filter(|column| counts[column.name.as_str()] == 1)
        .map(|column| (column.name.as_str(), column.kind.name()))
        .collect();
    text.set("kinds", &kinds, resolved)?;
    let Reading { delimiter, encoding, header, missing, decimal, categories, numbers, beyond, .. } = &own.reading;
    text.put_or_offer("delimiter", delimiter.map(delimiter_name), "\"semicolon\"")?;
    text.put_or_offer("encoding", encoding.as_ref().map(|encoding| encoding.label().to_string()), "\"latin1\"")?;
    text.put_or_offer("header", *header, "false")?;
    text.put_or_offer("missing", missing.clone(), "[\"NA\", \"\"]")?;
    text.put_or_offer("decimal", decimal.map(|mark| mark.to_string()), "\",\"")?;
    text.put_or_offer("categories", *categories, "100")?;
    let numbers = (*numbers != Scaling::default()).then(|| name_of(SCALINGS, numbers));
    text.put_or_offer("numbers", numbers, "\"standard\"")?;
    text.put_or_offer("beyond", (*beyond != 0.0).then_some(*beyond), "5.0")
}

fn gan(text: &mut Text, config: &RunConfig, resolved: bool) -> Result<()> {
    let spec = &config.spec;
    text.put("generator_optimizer", &spec.generator_optimizer)?;
    text.put("discriminator_optimizer", &spec.discriminator_optimizer)?;
    network(text, "gan.generator", &spec.generator, resolved)?;
    network(text, "gan.discriminator", &spec.discriminator, resolved)
}

fn network(text: &mut Text, name: &str, network: &NetworkSpec, resolved: bool) -> Result<()> {
    text.table(name, resolved);
    text.set("initialization", &network.initialization, resolved)?;
    text.describe("layers");
    let sign = if resolved { "" } else { "#" };
    let mut lines = format!("{sign}layers = [\n");
    for layer in &network.layers {
        writeln!(lines, "{sign}    {},", inline("layers", layer)?).ok();
    }
    text.text += &lines;
    writeln!(text.text, "{sign}]").ok();
    Ok(())
}

/// A TOML document that grows line by line, with comments from the schema.
struct Text {
    text: String,
    /// The table that settings are put into.
    table: String,
    schema: Schema,
}

impl Text {
    /// Opens a table; as a comment if it is not `set`.
    fn table(&mut self, name: &str, set: bool) {
        self.table = name.to_string();
        let description = self.schema.description(name).to_string();
        self.text.push('\n');
        self.comment(&description);
        writeln!(self.text, "{}[{name}]", if set { "" } else { "#" }).ok();
    }

    /// A setting with its value.
    fn put<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<()> {
        self.set(name, value, true)
    }

    /// A setting with its value where it has one, or as one that is not set.
    fn put_or_offer<T: Serialize>(&mut self, name: &str, value: Option<T>, example: &str) -> Result<()> {
        match value {
            Some(value) => self.put(name, &value),
            None => {
                self.offer_text(name, example);
                Ok(())
            }
        }
    }

    /// A setting that is not set, with an `example` of a value as it stands in a file.
    fn offer_text(&mut self, name: &str, example: &str) {
        self.describe(name);
        writeln!(self.text, "#{name} = {example}").ok();
    }

    fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T, set: bool) -> Result<()> {
        self.describe(name);
        writeln!(self.text, "{}{name} = {}", if set { "" } else { "#" }, inline(name, value)?).ok();
        Ok(())
    }

    /// What a setting of the table means.
    fn describe(&mut self, name: &str) {
        let description = self.schema.description(&format!("{}.{name}", self.table)).to_string();
        self.comment(&description);
    }

    /// A comment, in lines of at most [`WIDTH`] characters.
    fn comment(&mut self, comment: &str) {
        let mut width = usize::MAX;
        for word in comment.split(' ').filter(|word| !word.is_empty()) {
            let length = word.chars().count() + 1;
            if width.saturating_add(length) > WIDTH {
                if width != usize::MAX {
                    self.text.push('\n');
                }
                self.text.push('#');
                width = 1;
            }
            self.text.push(' ');
            self.text += word;
            width += length;
        }
        if width != usize::MAX {
            self.text.push('\n');
        }
    }
}

/// A path that the file can name: it is text in UTF-8.
fn unicode<'a>(name: &str, path: &'a Path) -> Result<&'a str> {
    path.to_str().ok_or_else(|| Error::setting(name, not_unicode(path)))
}

/// Why a path cannot be a setting.
pub(crate) fn not_unicode(path: &Path) -> String {
    format!(
        "{} has a name that is not UTF-8, and config.toml, which names it, must be; rename it, or give a link to it (ln -s)",
        path.display()
    )
}

/// `value` as it stands behind a `=`.
fn inline<T: Serialize + ?Sized>(name: &str, value: &T) -> Result<String> {
    let mut text = String::new();
    value
        .serialize(toml::ser::ValueSerializer::new(&mut text))
        .map_err(|error| Error::setting(name, format!("cannot be written to config.toml: {error}")))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use gannet::gan::presets;

    use super::*;
    use crate::data::data_file::DataFile;
    use crate::data::own::OwnData;
    use crate::data::own_settings::Settings;
    use crate::settings::config_file::{Surroundings, parse, parse_beside};

    #[test]
    fn a_template_reads_back_as_the_defaults() {
        for &preset in presets::Preset::ALL {
            let config = RunConfig::of(preset);
            let text = template(&config, true).unwrap();
            assert_eq!(parse(&text, None, None, None).unwrap(), config, "{text}");
            assert!(
                text.lines().filter(|line| line.starts_with("# ")).all(|line| line.chars().count() <= WIDTH),
                "{text}"
            );
            // Every setting stands below what it means.
            let lines: Vec<&str> = text.lines().collect();
            for pair in lines.windows(2) {
                let is_setting = pair[1].starts_with(|first: char| first.is_ascii_lowercase());
                assert!(!is_setting || pair[0].starts_with("# "), "{pair:?}");
            }
        }
    }

    #[test]
    fn a_template_of_own_data_reads_back_with_the_file() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("data.csv");
        std::fs::write(&file, "a,b\n1,2\n3,5\n4,4\n").unwrap();
        let expected =
            RunConfig::of_own(OwnData::new(DataFile::of_settings(&file).unwrap(), Settings::default()).unwrap());
        let waiting = template(&RunConfig::of_own(OwnData::example().unwrap()), false).unwrap();
        assert_eq!(parse(&waiting, Some(place.path()), None, None).unwrap(), expected, "{waiting}");
        let known = template(&expected, true).unwrap();
        let of = |text: &str, fitted| parse_beside(text, Surroundings { fitted, ..Surroundings::default() });
        let fitted = expected.own.as_ref().and_then(OwnData::fitted);
        assert_eq!(of(&known, fitted.as_ref()).unwrap(), expected, "{known}");
        // The settings alone make the same networks of the file.
        let alone = of(&known, None).unwrap();
        assert_eq!((&alone.spec, alone.batch), (&expected.spec, expected.batch), "{known}");
        // What is known is not read again.
        std::fs::remove_file(&file).unwrap();
        let config = of(&known, fitted.as_ref()).unwrap();
        assert_eq!(config, expected);
        assert!(config.own.unwrap().samples().is_err());
    }

    #[test]
    fn paths_and_weights_are_kept() {
        let config = RunConfig {
            directory: Some(PathBuf::from("/data/of \"mnist\"")),
            weights: vec![PathBuf::from("/a b.safetensors"), PathBuf::from("/c.safetensors")],
            ..RunConfig::of(presets::Preset::Mnist)
        };
        assert_eq!(parse(&render(&config, "a run").unwrap(), None, None, None).unwrap(), config);
    }
}
