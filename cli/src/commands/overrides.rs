//! Options of `gannet train` in the place of settings.

use std::path::{Path, PathBuf};

use gannet::gan::presets::Duration;
use gannet::gan::{GanSpec, OptimizerSpec};
use gannet::internals::engine;
use gannet::{Error, Result};

use super::args::TrainArgs;
use crate::folder::run_folder::refused;
use crate::preset::measure_names;
use crate::settings::config::{RunConfig, replace};
use crate::settings::config_source;

/// What `gannet train` was asked for: a preset, a data file or a configuration file, and the options that override it.
///
/// # Errors
///
/// An unknown preset, a file that cannot be read, settings that make no sense.
pub(crate) fn from_args(args: &TrainArgs) -> anyhow::Result<RunConfig> {
    let mut config = config_source::named(Path::new(&args.what), args.data.as_deref(), args.memory_limit)?;
    override_by(&mut config, args)?;
    config.validate()?;
    Ok(config)
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
