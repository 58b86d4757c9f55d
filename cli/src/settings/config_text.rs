//! Writing `config.toml`: of a run, with every setting resolved, or as a template. Both are the same text: each setting below
//! what it means, and those that are not set as comments, ready to be uncommented.

use std::fmt::Write;
use std::path::Path;

use gannet::gan::presets::{self, Duration};
use gannet::net::NetworkSpec;
use gannet::{Error, Result};
use serde::Serialize;

use crate::data::own::Form;
use crate::preset::Preset;
use crate::settings::config::RunConfig;
use crate::settings::schema::Schema;

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
    text.table("run", true);
    text.put("preset", config.preset.name())?;
    match config.duration {
        Duration::Epochs(epochs) if resolved => text.put("epochs", &epochs)?,
        _ => text.offer("epochs", &100)?,
    }
    match config.duration {
        Duration::Steps(steps) => text.put("steps", &steps)?,
        Duration::Epochs(_) => text.offer("steps", &10_000)?,
    }
    if resolved { text.put("batch", &config.batch) } else { text.offer("batch", &config.batch) }?;
    text.put("seed", &config.seed)?;
    text.put("shuffle", &config.shuffle)?;
    text.put("threads", &config.threads)?;
    text.put("engine", &config.engine)?;
    text.put_or_offer("isa", config.isa.as_ref(), "avx2")?;
    text.put_or_offer("memory_limit", config.memory_limit.as_ref(), "2GiB")?;
    text.put_or_offer("report_every", config.report_every.as_ref(), &10)?;
    text.put_or_offer("evaluate_every", config.evaluate_every.as_ref(), &1_000)?;
    text.put("checkpoint_steps", &config.checkpoint_steps)?;
    text.put("checkpoint_seconds", &config.checkpoint_seconds)?;
    text.put("keep", &config.keep)?;
    text.put("best", config.best.as_deref().unwrap_or("none"))?;
    text.put("tensorboard", &config.tensorboard)?;
    text.put("save_epochs", &config.save_epochs)?;
    let weights = config.weights.iter().map(|path| unicode("weights", path)).collect::<Result<Vec<_>>>()?;
    let weights = Some(weights).filter(|files| !files.is_empty());
    text.put_or_offer("weights", weights.as_ref(), &["generator.safetensors", "discriminator.safetensors"])?;
    data(&mut text, config, resolved)?;
    gan(&mut text, config, resolved)?;
    Ok(text.text)
}

fn data(text: &mut Text, config: &RunConfig, resolved: bool) -> Result<()> {
    match (config.preset, &config.own) {
        (_, Some(own)) => {
            text.table("data", true);
            text.put("file", unicode("data", &own.file)?)?;
            match &own.form {
                Form::Table { columns, standardization } => {
                    let (offset, scale) = (standardization.offset(), standardization.scale());
                    if resolved {
                        text.put("columns", columns)?;
                        text.put("offset", offset)?;
                        text.put("scale", scale)?;
                    } else {
                        text.offer("columns", columns)?;
                        text.offer("offset", offset)?;
                        text.offer("scale", scale)?;
                    }
                }
                Form::Images { height, width } => text.put("image", &[height, width])?,
            }
        }
        (Preset::Known(presets::Preset::Mnist), _) => {
            text.table("data", true);
            let directory = config.directory.as_deref().map(|path| unicode("data", path)).transpose()?;
            text.put_or_offer("directory", directory.as_ref(), "mnist")?;
        }
        _ if config.points.is_some() => {
            text.table("data", true);
            text.put_or_offer("points", config.points.as_ref(), &1_000)?;
        }
        _ => {}
    }
    Ok(())
}

fn gan(text: &mut Text, config: &RunConfig, resolved: bool) -> Result<()> {
    let spec = &config.spec;
    text.table("gan", true);
    text.put("objective", &spec.objective)?;
    text.put("order", &spec.order)?;
    text.put("discriminator_steps", &spec.discriminator_steps)?;
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

    /// A setting that is not set, with an example of a value.
    fn offer<T: Serialize + ?Sized>(&mut self, name: &str, example: &T) -> Result<()> {
        self.set(name, example, false)
    }

    fn put_or_offer<T: Serialize, E: Serialize + ?Sized>(
        &mut self,
        name: &str,
        value: Option<&T>,
        example: &E,
    ) -> Result<()> {
        match value {
            Some(value) => self.put(name, value),
            None => self.offer(name, example),
        }
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
    path.to_str().ok_or_else(|| {
        let problem = format!(
            "{} has a name that is not UTF-8, and config.toml, which names it, must be; rename it, or give a link to it (ln -s)",
            path.display()
        );
        Error::setting(name, problem)
    })
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

    use super::*;
    use crate::data::own::{OwnData, Settings};
    use crate::settings::config_file::parse;

    #[test]
    fn a_template_reads_back_as_the_defaults() {
        for preset in presets::Preset::ALL {
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
        let expected = RunConfig::of_own(OwnData::new(&file, Settings::default()).unwrap());
        let waiting = template(&RunConfig::of_own(OwnData::example().unwrap()), false).unwrap();
        assert_eq!(parse(&waiting, Some(place.path()), None, None).unwrap(), expected, "{waiting}");
        let known = template(&expected, true).unwrap();
        assert_eq!(parse(&known, None, None, None).unwrap(), expected, "{known}");
        // What is known is not read again.
        std::fs::remove_file(&file).unwrap();
        let config = parse(&known, None, None, None).unwrap();
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
