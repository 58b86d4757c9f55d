//! What to do about a run that failed, with the command that does it.

use std::path::Path;

use gannet::Error;
use gannet::gan::OptimizerSpec;
use gannet::internals::numbers::thousands;

use crate::folder::run_folder;
use crate::preset::Preset;
use crate::settings::config::RunConfig;
use crate::terminal::command_lines::quoted;

/// Values of one's own data beyond this ask for scaling. Standardized ones do not come near it.
const LARGE: f32 = 100.0;

/// The advice on a run in `folder` that ended with `error`; its last checkpoint is of the step `checkpoint`, and `reach` is the largest
/// magnitude that it trained on.
pub(crate) fn advice(error: &Error, config: &RunConfig, folder: &Path, checkpoint: Option<u64>, reach: f32) -> String {
    let path = quoted(folder);
    let Error::NotFinite { quantity, .. } = error else {
        return format!(
            "remove the cause of the error, then go on from the last checkpoint: gannet train --resume {path} (with --override where \
             settings or data change)"
        );
    };
    if *quantity == "real sample" {
        return "clean the data of what is not finite, and begin a new run".to_string();
    }
    let rate = lower_rate(config);
    let large = matches!(config.preset, Preset::Own(_)) && reach > LARGE;
    let scale = if large { format!("; the data reach up to {reach:.0}: scale them") } else { String::new() };
    match checkpoint {
        Some(step) => format!(
            "lower the learning rate and go on from step {}: gannet train --resume {path} --override --learning-rate {rate}{scale}",
            thousands(step)
        ),
        None => {
            let settings = quoted(&folder.join(run_folder::CONFIG));
            format!("lower the learning rate and begin again: gannet train {settings} --learning-rate {rate}{scale}")
        }
    }
}

/// A tenth of the larger rate, and no more than what is usual.
fn lower_rate(config: &RunConfig) -> String {
    let usual = |optimizer: &OptimizerSpec| match optimizer {
        OptimizerSpec::Sgd(_) => 1e-2,
        // Of Adam, and of what adapts its steps as Adam does.
        _ => 1e-3,
    };
    let both = [&config.spec.generator_optimizer, &config.spec.discriminator_optimizer];
    let larger = both.map(|optimizer| f64::from(optimizer.learning_rate())).into_iter().fold(0.0, f64::max);
    let most = both.map(usual).into_iter().fold(f64::INFINITY, f64::min);
    // One digit is enough.
    format!("{:.0e}", (larger / 10.0).min(most))
        .parse::<f64>()
        .map_or_else(|_| most.to_string(), |rate| rate.to_string())
}
