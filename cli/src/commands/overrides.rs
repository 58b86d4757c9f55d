//! Options of `gannet train` in the place of settings.

use std::path::Path;

use gannet::gan::{GanSpec, OptimizerSpec};
use gannet::{Error, Result};
use toml::Value;

use super::args::TrainArgs;
use crate::folder::run_folder::refused;
use crate::settings::config::RunConfig;
use crate::settings::config_source;
use gannet_settings::Kind;

/// What `gannet train` was asked for: a preset, a data file or a configuration file, and the options that override it.
///
/// # Errors
///
/// An unknown preset, a file that cannot be read, settings that make no sense.
pub(crate) fn from_args(args: &TrainArgs) -> anyhow::Result<RunConfig> {
    let mut config = config_source::named(
        Path::new(&args.what),
        args.data.as_deref(),
        (args.labels.as_deref(), &args.table.reading()),
        args.settings.memory_limit(),
    )?;
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
    for (setting, value) in args.settings.given() {
        let value = match setting.kind {
            Kind::Paths => absolute(value)?,
            _ => value.clone(),
        };
        (setting.set)(config, &value).map_err(|problem| Error::setting(setting.name, problem))?;
    }
    // The file of own data has been taken already: its settings depend on it.
    if let Some(data) = args.data.as_deref().filter(|_| config.own.is_none()) {
        config.take_data(data)?;
    }
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
            (OptimizerSpec::Adam(adam), Some(value)) => adam.beta1 = value,
            (OptimizerSpec::AdamW(adamw), Some(value)) => adamw.beta1 = value,
            (other, Some(_)) => {
                let problem = format!(
                    "the {network}'s optimizer has none: it is {other}; leave it out, or set gan.{network}_optimizer to Adam in a configuration file"
                );
                return Err(Error::setting("beta1", problem));
            }
        }
    }
    Ok(())
}

/// Paths from the folder that the program was started in.
fn absolute(paths: &Value) -> Result<Value> {
    let absolute = |file: &str| {
        let path = std::path::absolute(file).map_err(refused("find", Path::new(file)))?;
        Ok(Value::String(path.to_string_lossy().into_owned()))
    };
    paths
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(absolute)
        .collect::<Result<_>>()
        .map(Value::Array)
}
