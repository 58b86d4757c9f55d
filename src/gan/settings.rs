//! The settings that decide what a run learns, by their names in `config.toml`. A checkpoint keeps them, so that a run that
//! would go on with others is noticed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use super::names::{DISCRIMINATOR, GENERATOR};
use super::options::TrainerOptions;
use super::source::Extent;
use super::spec::{GanSpec, OptimizerSpec};
use crate::error::{Error, Result};
use crate::gemm::EngineKind;
use crate::net::NetworkSpec;
use crate::simd::IsaKind;

/// Settings by name, as text.
pub(super) type Settings = BTreeMap<String, String>;

/// The name of the number of real samples.
const SAMPLES: &str = "data: number of samples";

/// The names of others that are asked for.
const OBJECTIVE: &str = "gan.objective";
const BATCH: &str = "run.batch";
const DISCRIMINATOR_STEPS: &str = "gan.discriminator_steps";

/// The number of real samples among `settings`; 0 where it is not there, or the source was endless.
pub(super) fn samples(settings: &Settings) -> usize {
    settings.get(SAMPLES).and_then(|samples| samples.parse().ok()).unwrap_or(0)
}

/// The steps that make up `epochs` passes over the data with these `settings`; `None` where they do not tell.
#[cfg(feature = "internals")]
pub fn steps_for_epochs(settings: &Settings, epochs: u64) -> Option<u64> {
    let number = |name: &str| settings.get(name)?.parse::<u64>().ok();
    let per_step = u128::from(number(BATCH)?) * u128::from(number(DISCRIMINATOR_STEPS)?);
    (per_step > 0).then(|| steps(epochs, samples(settings) as u64, per_step))
}

/// The steps that make up `epochs` passes over `samples` samples, of which a step draws `per_step`, which is not 0.
pub(super) fn steps(epochs: u64, samples: u64, per_step: u128) -> u64 {
    u64::try_from((u128::from(epochs) * u128::from(samples)).div_ceil(per_step)).unwrap_or(u64::MAX)
}

/// The settings of a run on so many real samples.
pub(super) fn settings(spec: &GanSpec, options: &TrainerOptions, samples: impl Into<Extent>) -> Settings {
    let mut settings = Settings::new();
    let mut put = |name: String, value: String| settings.insert(name, value);
    put(BATCH.into(), options.batch.to_string());
    // Not named where it decides nothing, as in files of versions without shards.
    if options.shards > 1 {
        put("run.shards".into(), options.shards.to_string());
    }
    put("run.seed".into(), options.seed.to_string());
    put("run.shuffle".into(), options.shuffle.to_string());
    put("run.engine".into(), snake(&options.engine));
    put("run.isa".into(), instructions(options));
    put(SAMPLES.into(), samples.into().to_string());
    put(OBJECTIVE.into(), snake(&spec.objective));
    put("gan.order".into(), snake(&spec.order));
    put(DISCRIMINATOR_STEPS.into(), spec.discriminator_steps.to_string());
    for (name, optimizer) in
        [("generator_optimizer", &spec.generator_optimizer), ("discriminator_optimizer", &spec.discriminator_optimizer)]
    {
        let (kind, values) = match *optimizer {
            OptimizerSpec::Adam { learning_rate, beta1, beta2, epsilon } => (
                "adam",
                vec![("learning_rate", learning_rate), ("beta1", beta1), ("beta2", beta2), ("epsilon", epsilon)],
            ),
            OptimizerSpec::Sgd { learning_rate, momentum } => {
                ("sgd", vec![("learning_rate", learning_rate), ("momentum", momentum)])
            }
        };
        put(format!("gan.{name}.kind"), kind.into());
        for (field, value) in values {
            put(format!("gan.{name}.{field}"), value.to_string());
        }
    }
    for (name, network) in networks(spec) {
        for (index, layer) in network.layers.iter().enumerate() {
            let layer_name = format!("gan.{name}.layers[{index}]");
            put(format!("{layer_name}.inputs"), layer.inputs.to_string());
            put(format!("{layer_name}.outputs"), layer.outputs.to_string());
            put(format!("{layer_name}.activation"), snake(&layer.activation));
            put(format!("{layer_name}.dropout"), layer.dropout.to_string());
        }
    }
    settings
}

/// Refuses settings that are not those that a run was `saved` with.
///
/// # Errors
///
/// [`Error::InvalidSetting`] that names every one that differs.
pub(super) fn check_unchanged(saved: &Settings, now: &Settings) -> Result<()> {
    let changes: Vec<String> = changes(saved, now).map(|(_, change)| change).collect();
    if changes.is_empty() {
        return Ok(());
    }
    Err(Error::setting(
        "changed settings",
        format!(
            "{}; only with its own settings does a run go on as if it had never stopped: leave them as they were, or allow the change with --override",
            changes.join(", ")
        ),
    ))
}

/// Refuses networks that are not of the layers of a run that was `saved`; nothing is refused where that does not tell its layers.
///
/// # Errors
///
/// [`Error::InvalidSetting`] that names every layer that differs, and what else was changed that may be why.
#[cfg(feature = "internals")]
pub(super) fn check_layers(saved: &Settings, now: &Settings) -> Result<()> {
    let is_size = |name: &str| name.contains(".layers[") && (name.ends_with(".inputs") || name.ends_with(".outputs"));
    let is_told = saved.keys().any(|name| is_size(name));
    if !is_told || !changes(saved, now).any(|(name, _)| is_size(name)) {
        return Ok(());
    }
    // Some objectives need another last layer.
    let told = changes(saved, now).filter(|(name, _)| is_size(name) || *name == OBJECTIVE).map(|(_, change)| change);
    Err(Error::setting(
        "changed settings",
        format!(
            "{}; that changes the layers of the networks, and no run goes on with other layers: leave them as they were, or begin a new run without --resume",
            told.collect::<Vec<_>>().join(", ")
        ),
    ))
}

/// The settings that differ, by name, each with what it was and is.
fn changes<'a>(saved: &'a Settings, now: &'a Settings) -> impl Iterator<Item = (&'a str, String)> {
    const ABSENT: &str = "absent";
    let names: BTreeSet<&String> = saved.keys().chain(now.keys()).collect();
    names.into_iter().filter_map(move |name| {
        let [before, after] = [saved, now].map(|settings| settings.get(name).map_or(ABSENT, String::as_str));
        (before != after).then(|| (name.as_str(), format!("{name} was {before} and is {after}")))
    })
}

/// The instruction sets that give the same bits: with the native engine all that fuse multiply-adds.
fn instructions(options: &TrainerOptions) -> String {
    match (options.engine, options.isa) {
        (EngineKind::Auto | EngineKind::Native, Some(IsaKind::Avx512 | IsaKind::Avx2)) => "avx512 or avx2".to_string(),
        (_, isa) => isa.map_or_else(|| "best".to_string(), |isa| isa.to_string()),
    }
}

/// Both networks with their names.
fn networks(spec: &GanSpec) -> [(&'static str, &NetworkSpec); 2] {
    [(GENERATOR, &spec.generator), (DISCRIMINATOR, &spec.discriminator)]
}

/// `LeakyRelu { slope: 0.2 }` as `leaky_relu { slope: 0.2 }`: the names that a configuration file has.
fn snake(value: &impl Debug) -> String {
    let mut text = String::new();
    for (index, character) in format!("{value:?}").chars().enumerate() {
        if character.is_ascii_uppercase() && index > 0 {
            text.push('_');
        }
        text.push(character.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::presets::Preset;
    use crate::gan::{Objective, Order};

    #[test]
    fn every_change_is_named() {
        let (spec, options) = (Preset::Circle.spec(), TrainerOptions::default());
        let saved = settings(&spec, &options, 100);
        check_unchanged(&saved, &settings(&spec, &options, 100)).unwrap();
        let mut other = spec.clone();
        other.objective = Objective::NonSaturatingHalf;
        other.order = Order::DiscriminatorFirst;
        other.generator_optimizer = OptimizerSpec::sgd(0.5);
        other.discriminator_optimizer = spec.discriminator_optimizer.with_learning_rate(0.25);
        other.discriminator.layers[1].dropout = 0.125;
        let options = TrainerOptions { batch: 7, seed: 3, ..options };
        let problem = check_unchanged(&saved, &settings(&other, &options, 101)).unwrap_err().to_string();
        for part in [
            "gan.objective",
            "non_saturating_half",
            "gan.generator_optimizer.kind",
            "was adam and is sgd",
            "gan.generator_optimizer.beta1",
            "gan.discriminator_optimizer.learning_rate",
            "and is 0.25",
            "gan.discriminator.layers[1].dropout",
            "and is 0.125",
            "run.batch",
            "and is 7",
            "run.seed",
            "data: number of samples",
            "was 100 and is 101",
            "--override",
        ] {
            assert!(problem.contains(part), "`{part}` is not in `{problem}`");
        }
        // Threads, instruction set and memory decide nothing.
        let free = TrainerOptions { threads: 5, memory_limit: Some(1), batch: 32, seed: 0, ..options };
        check_unchanged(&saved, &settings(&spec, &free, 100)).unwrap();
    }
}
