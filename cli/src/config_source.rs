//! Where the settings of a run come from: the defaults of a preset or a data file, a configuration file, the command line, in this order.

use std::path::{Path, PathBuf};

use anyhow::Context;
use gannet::gan::presets::{self, Duration};
use gannet::gan::{GanSpec, OptimizerSpec};
use gannet::internals::{engine, file};
use gannet::{Error, Result};

use super::args::TrainArgs;
use super::config::{RunConfig, replace};
use super::config_file::{self, LARGEST};
use super::contents::{self, Contents};
use super::measure_names;
use super::output::note;
use super::own::{self, OwnData};
use super::preset::{self, OWN};
use super::run_folder::{CONFIG, refused};

/// What `gannet train` was asked for: a preset, a data file or a configuration file, and the options that override it.
///
/// # Errors
///
/// An unknown preset, a file that cannot be read, settings that make no sense.
pub(crate) fn from_args(args: &TrainArgs) -> anyhow::Result<RunConfig> {
    let mut config = named(Path::new(&args.what), args.data.as_deref(), args.memory_limit)?;
    override_by(&mut config, args)?;
    config.validate()?;
    Ok(config)
}

/// The settings that `what` names: a preset, a data file, a configuration file or a run. `data` takes the place of the
/// file of own data, and `limit` that of the most memory that the run may take.
///
/// # Errors
///
/// An unknown preset, a file that cannot be read, settings that make no sense.
pub(crate) fn named(path: &Path, data: Option<&Path>, limit: Option<u64>) -> anyhow::Result<RunConfig> {
    let of_file =
        |file: &Path| Ok(RunConfig::of_own(OwnData::new(file, own::Settings { limit, ..Default::default() })?));
    // Only a name of text can be a preset's; a path may be of any bytes.
    let what = path.to_str();
    if let Some(preset) = what.and_then(presets::Preset::from_name) {
        let what = preset.name();
        if path.is_file() {
            note(&format!("{what} is the preset of this name; for the file write ./{what}"));
        }
        return Ok(RunConfig::of(preset));
    }
    if what == Some(OWN) {
        let missing = || Error::setting("data", "own needs the file with your samples; give it with --data FILE");
        return of_file(data.ok_or_else(missing)?);
    }
    if path.is_dir() {
        let config = path.join(CONFIG);
        return if config.exists() { read_with(&config, data, limit) } else { Err(contents::folder(path).into()) };
    }
    match Contents::of(path) {
        Ok(Contents::Config) => read_with(path, data, limit),
        Ok(contents) if contents.are_samples() => match data {
            Some(_) => {
                Err(Error::setting("data", format!("{} is the data already; leave --data out", path.display())).into())
            }
            None => of_file(path),
        },
        Ok(contents) => Err(contents.instead(path, "data or a configuration").into()),
        // A word that names no file may be meant as a preset.
        Err(Error::Io { source, .. })
            if source.kind() == std::io::ErrorKind::NotFound
                && path.extension().is_none()
                && what.is_some_and(|what| !what.contains(std::path::MAIN_SEPARATOR)) =>
        {
            Err(preset::unknown("preset", what.unwrap_or_default()).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Reads a configuration file.
///
/// # Errors
///
/// A file that cannot be read, is no TOML, or has unknown or senseless settings.
pub(crate) fn read(path: &Path) -> anyhow::Result<RunConfig> {
    read_with(path, None, None)
}

/// The same with another file of own data, and with another limit of memory than the file has.
///
/// # Errors
///
/// As [`read`].
pub(crate) fn read_with(path: &Path, data: Option<&Path>, limit: Option<u64>) -> anyhow::Result<RunConfig> {
    let text = read_text(path)?;
    config_file::parse(&text, path.parent(), data, limit).with_context(|| path.display().to_string())
}

/// Options of the command line take the place of settings.
///
/// # Errors
///
/// Options that this preset has no use for.
pub(crate) fn override_by(config: &mut RunConfig, args: &TrainArgs) -> Result<()> {
    match (args.epochs, args.steps) {
        (Some(epochs), _) => config.duration = Duration::Epochs(epochs),
        (None, Some(steps)) => config.duration = Duration::Steps(steps),
        (None, None) => {}
    }
    replace(&mut config.batch, args.batch);
    replace(&mut config.seed, args.seed);
    replace(&mut config.threads, args.threads);
    replace(&mut config.engine, args.engine);
    replace(&mut config.checkpoint_steps, args.checkpoint_steps);
    replace(&mut config.checkpoint_seconds, args.checkpoint_seconds);
    replace(&mut config.keep, args.keep);
    if let Some(name) = &args.best {
        config.best = measure_names::best(config.preset, name)?;
    }
    config.tensorboard &= !args.no_tensorboard;
    replace(&mut config.save_epochs, args.save_epochs);
    config.isa = args.isa.or(config.isa);
    config.memory_limit = args.memory_limit.or(config.memory_limit);
    if let Some(own) = &mut config.own {
        own.limit = config.memory_limit;
    }
    config.evaluate_every = args.evaluate_every.or(config.evaluate_every);
    config.report_every = args.report_every.or(config.report_every);
    if args.points.is_some() {
        if config.points.is_none() {
            return Err(Error::setting(
                "points",
                format!("{} has a fixed number of samples; leave --points out", config.preset.name()),
            ));
        }
        config.points = args.points;
    }
    if !args.weights.is_empty() {
        let absolute = |file: &PathBuf| std::path::absolute(file).map_err(refused("find", file));
        config.weights = args.weights.iter().map(absolute).collect::<Result<_>>()?;
    }
    // The file of own data has been taken already: its settings depend on it.
    if let Some(data) = args.data.as_deref().filter(|_| config.own.is_none()) {
        config.take_data(data)?;
    }
    if let Some(objective) = args.objective {
        config.spec.objective = objective;
        engine::fit_discriminator(&mut config.spec);
    }
    replace(&mut config.spec.order, args.order);
    replace(&mut config.spec.discriminator_steps, args.discriminator_steps);
    let GanSpec { generator_optimizer, discriminator_optimizer, .. } = &mut config.spec;
    for (optimizer, rate) in [
        (generator_optimizer, args.generator_learning_rate.or(args.learning_rate)),
        (discriminator_optimizer, args.discriminator_learning_rate.or(args.learning_rate)),
    ] {
        if let Some(rate) = rate {
            *optimizer = optimizer.with_learning_rate(rate);
        }
    }
    let GanSpec { generator_optimizer, discriminator_optimizer, .. } = &mut config.spec;
    for (network, optimizer, own) in [
        ("generator", generator_optimizer, args.generator_beta1),
        ("discriminator", discriminator_optimizer, args.discriminator_beta1),
    ] {
        match (optimizer, own.or(args.beta1)) {
            (_, None) => {}
            (OptimizerSpec::Adam { beta1, .. }, Some(value)) => *beta1 = value,
            (OptimizerSpec::Sgd { .. }, Some(_)) => {
                let problem = format!(
                    "the {network}'s optimizer is gradient descent (sgd), which has none; leave it out, or set gan.{network}_optimizer to Adam in a configuration file"
                );
                return Err(Error::setting("beta1", problem));
            }
        }
    }
    Ok(())
}

/// The text of a configuration file. What is far larger than any of them is not read to its end, which may never come.
fn read_text(path: &Path) -> Result<String> {
    let wrong = |problem: &str| {
        Err(Error::data(path.display().to_string(), format!("{problem}; give the config.toml of a run")))
    };
    if file::open(path)?.1 > LARGEST {
        return wrong("is no configuration file: it has more than 8 MiB");
    }
    String::from_utf8(file::read(path, LARGEST)?).or_else(|_| wrong("is no configuration file: it is not text (UTF-8)"))
}
