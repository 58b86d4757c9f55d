//! The configuration file of a run, `config.toml`: reading and writing.
//!
//! It has three tables: `[run]` (system, length, seed, threads ...), `[data]` (points or directory) and `[gan]` (objective,
//! order, optimizers and the layers of both networks). What a file leaves out, the system's defaults fill in; a name that
//! is not known is refused.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::args::{OBJECTIVES, ORDERS, byte_count};
use super::config::{RunConfig, known_systems, measure, preset, replace};
use super::nearest::suggestion;
use crate::error::{Error, Result};
use crate::gan::presets::{Duration, Preset};
use crate::gan::{EngineKind, Objective, OptimizerSpec, Order};
use crate::net::NetworkSpec;
use crate::simd::IsaKind;

/// The settings in the text of a configuration file that lies in `folder`.
///
/// # Errors
///
/// [`Error::InvalidSetting`] that names the line or the setting.
pub(crate) fn parse(text: &str, folder: Option<&Path>) -> Result<RunConfig> {
    let file: ConfigFile = toml::from_str(text).map_err(|error| toml_error(&error, text))?;
    let ConfigFile { run, data, gan } = file;
    let name = run.system.ok_or_else(|| Error::setting("run.system", format!("is missing; {}", known_systems())))?;
    let mut config = RunConfig::of(preset(&name)?);
    config.duration = match (run.epochs, run.steps) {
        (Some(_), Some(_)) => return Err(Error::setting("run.epochs", "excludes `run.steps`; give one of them")),
        (Some(epochs), None) => Duration::Epochs(epochs),
        (None, Some(steps)) => Duration::Steps(steps),
        (None, None) => config.duration,
    };
    replace(&mut config.batch, run.batch);
    replace(&mut config.seed, run.seed);
    replace(&mut config.shuffle, run.shuffle);
    replace(&mut config.threads, run.threads);
    replace(&mut config.engine, run.engine);
    replace(&mut config.checkpoint_steps, run.checkpoint_steps);
    replace(&mut config.checkpoint_seconds, run.checkpoint_seconds);
    replace(&mut config.keep, run.keep);
    if let Some(name) = &run.best {
        config.best = measure(config.system, name)?;
    }
    replace(&mut config.tensorboard, run.tensorboard);
    replace(&mut config.save_epochs, run.save_epochs);
    config.isa = run.isa;
    config.memory_limit = match run.memory_limit {
        Some(ByteCount::Text(text)) => {
            Some(byte_count(&text).map_err(|problem| Error::setting("run.memory_limit", problem))?)
        }
        Some(ByteCount::Number(bytes)) => Some(bytes),
        None => None,
    };
    config.evaluate_every = run.evaluate_every;
    config.report_every = run.report_every;
    if data.points.is_some() && config.points.is_none() {
        return Err(Error::setting("data.points", format!("{name} has a fixed number of samples")));
    }
    config.points = data.points.or(config.points);
    if data.directory.is_some() && config.system != Preset::Mnist {
        return Err(Error::setting("data.directory", format!("{name} needs no data folder; leave it out")));
    }
    // A folder is meant from where the file lies, not from where the program was started.
    config.directory = data.directory.map(|directory| folder.map_or(directory.clone(), |f| f.join(&directory)));
    replace(&mut config.spec.objective, gan.objective);
    replace(&mut config.spec.order, gan.order);
    replace(&mut config.spec.discriminator_steps, gan.discriminator_steps);
    replace(&mut config.spec.generator_optimizer, gan.generator_optimizer);
    replace(&mut config.spec.discriminator_optimizer, gan.discriminator_optimizer);
    replace(&mut config.spec.generator, gan.generator);
    replace(&mut config.spec.discriminator, gan.discriminator);
    config.validate()?;
    Ok(config)
}

/// The whole file for `config`: every setting, so that training from it repeats the run.
///
/// # Errors
///
/// A value that TOML cannot hold: a path that is not Unicode.
pub(crate) fn render(config: &RunConfig) -> Result<String> {
    let mut text = Text(format!(
        "# A run of gannet {}. `gannet train` with this file as argument repeats it bit for bit.\n",
        env!("CARGO_PKG_VERSION")
    ));
    text.table("run");
    text.put("system", config.system.name(), "")?;
    match config.duration {
        Duration::Epochs(epochs) => text.put("epochs", &epochs, "passes over the data; or give `steps`")?,
        Duration::Steps(steps) => text.put("steps", &steps, "steps of the generator; or give `epochs`")?,
    }
    text.put("batch", &config.batch, "samples of a step")?;
    text.put("seed", &config.seed, "of data, initial weights, order, latents and dropout")?;
    text.put("shuffle", &config.shuffle, "a new order for each epoch")?;
    text.put("threads", &config.threads, "0 = one for each processor; does not change the result")?;
    text.put("engine", &config.engine, "")?;
    text.put_some("isa", config.isa.as_ref(), "instruction set: avx512, avx2 or portable")?;
    text.put_some("memory_limit", config.memory_limit.as_ref(), "bytes")?;
    text.put_some("report_every", config.report_every.as_ref(), "steps between rows of metrics.csv")?;
    text.put_some("evaluate_every", config.evaluate_every.as_ref(), "steps between measurements and pictures")?;
    text.put("checkpoint_steps", &config.checkpoint_steps, "steps between checkpoints; 0 = by time alone")?;
    text.put("checkpoint_seconds", &config.checkpoint_seconds, "seconds between checkpoints; 0 = by steps alone")?;
    text.put("keep", &config.keep, "checkpoints that are kept")?;
    text.put("best", config.best.as_deref().unwrap_or("none"), "measure whose best checkpoint is kept, too; or none")?;
    text.put("tensorboard", &config.tensorboard, "whether event files are written")?;
    text.put("save_epochs", &config.save_epochs, "epochs between saved models; 0 = only the last")?;
    if config.points.is_some() || config.directory.is_some() {
        text.table("data");
        text.put_some("points", config.points.as_ref(), "number of points that are made")?;
        text.put_some("directory", config.directory.as_ref(), "where the IDX files are")?;
    }
    let spec = &config.spec;
    text.table("gan");
    text.put("objective", &spec.objective, &names(OBJECTIVES))?;
    text.put("order", &spec.order, &names(ORDERS))?;
    text.put("discriminator_steps", &spec.discriminator_steps, "per step of the generator")?;
    text.put("generator_optimizer", &spec.generator_optimizer, "")?;
    text.put("discriminator_optimizer", &spec.discriminator_optimizer, "")?;
    for (name, network) in [("gan.generator", &spec.generator), ("gan.discriminator", &spec.discriminator)] {
        text.table(name);
        text.put("initialization", &network.initialization, "")?;
        text.0 += "layers = [\n";
        for layer in &network.layers {
            writeln!(text.0, "    {},", inline("layers", layer)?).ok();
        }
        text.0 += "]\n";
    }
    Ok(text.0)
}

/// The names of a table of choices, as a comment.
fn names<T>(choices: &[(&str, T)]) -> String {
    choices.iter().map(|&(name, _)| name).collect::<Vec<_>>().join(", ")
}

/// A TOML document that grows line by line, so that it can carry comments.
struct Text(String);

impl Text {
    fn table(&mut self, name: &str) {
        writeln!(self.0, "\n[{name}]").ok();
    }

    fn put<T: Serialize + ?Sized>(&mut self, name: &str, value: &T, comment: &str) -> Result<()> {
        let gap = if comment.is_empty() { "" } else { "  # " };
        writeln!(self.0, "{name} = {}{gap}{comment}", inline(name, value)?).ok();
        Ok(())
    }

    fn put_some<T: Serialize>(&mut self, name: &str, value: Option<&T>, comment: &str) -> Result<()> {
        value.map_or(Ok(()), |value| self.put(name, value, comment))
    }
}

/// `value` as it stands behind a `=`.
fn inline<T: Serialize + ?Sized>(name: &str, value: &T) -> Result<String> {
    let mut text = String::new();
    value
        .serialize(toml::ser::ValueSerializer::new(&mut text))
        .map_err(|error| Error::setting(name, format!("cannot be written to config.toml: {error}")))?;
    Ok(text)
}

/// An error of the TOML reader: the line, what is wrong, and the nearest known name of an unknown one.
fn toml_error(error: &toml::de::Error, text: &str) -> Error {
    // The names of Rust's types mean nothing to a user.
    let message = ["usize", "u64"].iter().fold(error.message().to_string(), |text, name| {
        text.replace(&format!("expected {name}"), "expected a whole number from 0 up")
    });
    let hint = unknown_name(&message).map_or_else(String::new, |(wrong, known)| suggestion(wrong, known));
    let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    Error::setting(line.map_or_else(|| "config".to_string(), |line| format!("line {line}")), format!("{message}{hint}"))
}

/// The wrong and the known names in serde's message "unknown field `x`, expected one of `a`, `b`".
fn unknown_name(message: &str) -> Option<(&str, Vec<&str>)> {
    let mut names = message.split('`').skip(1).step_by(2);
    let wrong = message.starts_with("unknown ").then(|| names.next()).flatten()?;
    Some((wrong, names.collect()))
}

/// The file as it may be written by hand: everything but the system may be left out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    run: RunTable,
    #[serde(default)]
    data: DataTable,
    #[serde(default)]
    gan: GanTable,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunTable {
    system: Option<String>,
    epochs: Option<u64>,
    steps: Option<u64>,
    batch: Option<usize>,
    seed: Option<u64>,
    shuffle: Option<bool>,
    threads: Option<usize>,
    engine: Option<EngineKind>,
    isa: Option<IsaKind>,
    memory_limit: Option<ByteCount>,
    evaluate_every: Option<u64>,
    report_every: Option<u64>,
    checkpoint_steps: Option<u64>,
    checkpoint_seconds: Option<u64>,
    keep: Option<usize>,
    best: Option<String>,
    tensorboard: Option<bool>,
    save_epochs: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ByteCount {
    Number(u64),
    Text(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DataTable {
    points: Option<usize>,
    directory: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct GanTable {
    objective: Option<Objective>,
    order: Option<Order>,
    discriminator_steps: Option<usize>,
    generator_optimizer: Option<OptimizerSpec>,
    discriminator_optimizer: Option<OptimizerSpec>,
    generator: Option<NetworkSpec>,
    discriminator: Option<NetworkSpec>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        parse(text, None).unwrap_err().to_string()
    }

    #[test]
    fn every_setting_survives_writing_and_reading() {
        for system in Preset::ALL {
            let mut config = RunConfig::of(system);
            config.seed = 17;
            config.threads = 3;
            config.isa = Some(IsaKind::Portable);
            config.memory_limit = Some(1 << 30);
            config.evaluate_every = Some(320);
            config.report_every = Some(4);
            config.directory = (system == Preset::Mnist).then(|| PathBuf::from("/data/of mnist"));
            let text = render(&config).unwrap();
            assert_eq!(parse(&text, None).unwrap(), config, "{text}");
            config.duration = Duration::Steps(123);
            assert_eq!(parse(&render(&config).unwrap(), None).unwrap(), config);
        }
    }

    #[test]
    fn what_is_left_out_comes_from_the_system() {
        assert_eq!(parse("[run]\nsystem = 'circle'", None).unwrap(), RunConfig::of(Preset::Circle));
    }

    #[test]
    fn a_relative_folder_is_meant_from_the_file() {
        let text = "[run]\nsystem = 'mnist'\n[data]\ndirectory = 'idx'";
        let config = parse(text, Some(Path::new("/somewhere"))).unwrap();
        assert_eq!(config.directory.as_deref(), Some(Path::new("/somewhere/idx")));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, parts) in [
            ("", vec!["missing field `run`"]),
            ("[run]\nbatch = 3", vec!["run.system", "circle, mixture1d"]),
            ("[run]\nsystem = 'circel'", vec!["did you mean `circle`?"]),
            ("[run]\nsystem = 'circle'\nbacth = 3", vec!["line 3", "unknown field `bacth`", "did you mean `batch`?"]),
            ("[run]\nsystem = 'circle'\n[gan]\nobjective = 'minmax'", vec!["line 4", "did you mean `minimax`?"]),
            ("[run]\nsystem = 'circle'\nbatch = -3", vec!["line 3", "expected a whole number from 0 up"]),
            ("[run]\nsystem = 'circle'\nbatch = 'x'", vec!["line 3", "expected a whole number from 0 up"]),
            ("[run]\nsystem = 'circle'\n[data]\ndirectory = 'idx'", vec!["data.directory", "leave it out"]),
            ("[run]\nsystem = 'circle'\nbatch = 0", vec!["run.batch", "from 1 up"]),
            ("[run]\nsystem = 'circle'\nbatch = ", vec!["line 3"]),
            ("[run]\nsystem = 'circle'\nmemory_limit = '2 apples'", vec!["run.memory_limit", "2GiB"]),
            ("[run]\nsystem = 'circle'\nepochs = 3\nsteps = 4", vec!["run.epochs", "run.steps"]),
            ("[run]\nsystem = 'digits'\n[data]\npoints = 4", vec!["data.points"]),
            (
                "[run]\nsystem = 'circle'\n[gan]\ngenerator_optimizer = { kind = 'sgd', learning_rate = nan, momentum = 0 }",
                vec!["learning_rate"],
            ),
            (
                "[run]\nsystem = 'circle'\n[gan.generator]\nlayers = [{ inputs = 2, outputs = 3, activation = { kind = 'relu' } }]",
                vec!["discriminator.layers[0].inputs"],
            ),
        ] {
            let problem = problem(text);
            for part in parts {
                assert!(problem.contains(part), "`{part}` is not in `{problem}`");
            }
        }
    }
}
