//! The settings that decide what a run learns, by their names in `config.toml`. Checkpoints and run folders keep them, so that a
//! run that would go on with others is noticed.
//!
//! Names and values are part of the format of checkpoints: they do not follow from names in the code. A setting that a file names
//! and this program does not know is refused like one that was changed, because it may decide the result.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Number, Value};

use super::names::{DISCRIMINATOR, GENERATOR};
use super::optimizer_spec::{Adam, AdamW, OptimizerSpec, RmsProp, Sgd};
use super::options::TrainerOptions;
use super::rate_schedule::RateDecay;
use super::source::Extent;
use super::spec::GanSpec;
use crate::error::{Error, Result};
use crate::gemm::EngineKind;
use crate::kernel::activation::Activation;
use crate::net::{LayerSpec, NetworkSpec, Normalization};
use crate::simd::IsaKind;

/// Settings by name. A value is a truth, a number or a text.
pub(super) type Settings = BTreeMap<String, Value>;

/// The names of settings that are asked for.
pub(super) const SAMPLES: &str = "data.samples";
const OBJECTIVE: &str = "gan.objective";
const BATCH: &str = "run.batch";
const DISCRIMINATOR_STEPS: &str = "gan.discriminator_steps";
/// What the names of the settings of layers have in them.
const LAYERS: &str = ".layers[";

/// What an error about settings that were changed is about.
pub const CHANGED: &str = "changed settings";

/// A run on so many real samples.
struct Run<'a> {
    spec: &'a GanSpec,
    options: &'a TrainerOptions,
    samples: Extent,
}

/// A setting of a run.
struct Setting {
    name: &'static str,
    value: fn(&Run<'_>) -> Value,
    /// What it is where a file does not name it. A setting that came after the format has one: what all runs had before.
    absent: Option<fn() -> Value>,
}

impl Setting {
    const fn new(name: &'static str, value: fn(&Run<'_>) -> Value) -> Self {
        Self { name, value, absent: None }
    }

    /// One that came after the format, with what all runs had before.
    const fn later(name: &'static str, value: fn(&Run<'_>) -> Value, absent: fn() -> Value) -> Self {
        Self { name, value, absent: Some(absent) }
    }
}

/// The settings that every run has. Optimizers and layers have theirs beside them ([`of_optimizer`], [`of_layer`]).
const TABLE: [Setting; 32] = [
    Setting::new(BATCH, |run| run.options.batch.into()),
    Setting::later("run.shards", |run| run.options.shards.into(), || 1.into()),
    Setting::new("run.seed", |run| run.options.seed.into()),
    Setting::new("run.shuffle", |run| run.options.shuffle.into()),
    Setting::new("run.engine", |run| run.options.engine.to_string().into()),
    Setting::new("run.isa", |run| instructions(run.options).into()),
    Setting::new(SAMPLES, |run| of_extent(run.samples)),
    Setting::later("data.balance", |run| matches!(run.samples, Extent::Chosen(_)).into(), || false.into()),
    Setting::new(OBJECTIVE, |run| run.spec.objective.name().into()),
    Setting::new("gan.order", |run| run.spec.order.name().into()),
    Setting::new(DISCRIMINATOR_STEPS, |run| run.spec.discriminator_steps.into()),
    Setting::later("gan.label_smoothing", |run| number(run.spec.label_smoothing), || number(0.0)),
    Setting::later("gan.instance_noise", |run| number(run.spec.instance_noise), || number(0.0)),
    Setting::later("gan.instance_noise_steps", |run| run.spec.instance_noise_steps.into(), || 0.into()),
    Setting::later("gan.r1", |run| number(run.spec.penalties.r1), || number(0.0)),
    Setting::later("gan.r2", |run| number(run.spec.penalties.r2), || number(0.0)),
    Setting::later("gan.gradient_penalty", |run| number(run.spec.penalties.gradient_penalty), || number(0.0)),
    Setting::later("gan.one_sided", |run| run.spec.penalties.one_sided.into(), || false.into()),
    Setting::later("gan.penalty_interval", |run| run.spec.penalties.interval.into(), || 1.into()),
    Setting::later("gan.weight_clip", |run| number(run.spec.weight_clip), || number(0.0)),
    Setting::later("gan.ema_decay", |run| number(run.spec.ema_decay), || number(0.0)),
    Setting::later("gan.generator_clip_norm", |run| number(run.spec.generator_clip_norm), || number(0.0)),
    Setting::later("gan.discriminator_clip_norm", |run| number(run.spec.discriminator_clip_norm), || number(0.0)),
    Setting::later("gan.schedule", |run| run.spec.schedule.decay.name().into(), || RateDecay::Constant.name().into()),
    Setting::later(
        "gan.schedule_steps",
        |run| match run.spec.schedule.decay {
            RateDecay::Constant => 0.into(),
            _ => run.spec.schedule.steps.into(),
        },
        || 0.into(),
    ),
    Setting::later("gan.warmup_steps", |run| run.spec.schedule.warmup_steps.into(), || 0.into()),
    Setting::later("gan.conditions", |run| run.spec.conditions.into(), || 0.into()),
    Setting::later("gan.packing", |run| run.spec.packing.into(), || 1.into()),
    Setting::later("gan.final_rate", |run| number(run.spec.schedule.final_rate), || number(0.0)),
    Setting::later("gan.final_penalty", |run| number(run.spec.schedule.final_penalty), || number(1.0)),
    Setting::later("gan.final_beta1", |run| end(run.spec.schedule.final_beta1), || end(None)),
    Setting::later("gan.final_beta2", |run| end(run.spec.schedule.final_beta2), || end(None)),
];

/// The settings of a run on so many real samples.
pub(super) fn settings(spec: &GanSpec, options: &TrainerOptions, samples: impl Into<Extent>) -> Settings {
    let run = Run { spec, options, samples: samples.into() };
    let mut settings: Settings =
        TABLE.iter().map(|setting| (setting.name.to_string(), (setting.value)(&run))).collect();
    let networks = [
        (GENERATOR, &spec.generator, &spec.generator_optimizer),
        (DISCRIMINATOR, &spec.discriminator, &spec.discriminator_optimizer),
    ];
    for (name, network, optimizer) in networks {
        let fields = of_optimizer(optimizer).into_iter();
        settings.extend(fields.map(|(field, value)| (format!("gan.{name}_optimizer.{field}"), value)));
        settings.extend(of_layers(name, network));
    }
    settings
}

/// The fields that the settings of an optimizer may have, and those of a layer.
const OPTIMIZER_FIELDS: [&str; 8] =
    ["kind", "learning_rate", "beta1", "beta2", "epsilon", "weight_decay", "alpha", "momentum"];
const LAYER_FIELDS: [&str; 7] = ["inputs", "outputs", "normalization", "activation", "dropout", "slope", "softmax"];

/// The settings of an optimizer.
fn of_optimizer(optimizer: &OptimizerSpec) -> Vec<(&'static str, Value)> {
    let mut fields = vec![("kind", optimizer.name().into()), ("learning_rate", number(optimizer.learning_rate()))];
    match *optimizer {
        OptimizerSpec::Adam(Adam { beta1, beta2, epsilon, .. }) => {
            fields.extend([("beta1", number(beta1)), ("beta2", number(beta2)), ("epsilon", number(epsilon))]);
        }
        OptimizerSpec::AdamW(AdamW { beta1, beta2, epsilon, weight_decay, .. }) => {
            fields.extend([("beta1", number(beta1)), ("beta2", number(beta2)), ("epsilon", number(epsilon))]);
            fields.push(("weight_decay", number(weight_decay)));
        }
        OptimizerSpec::RmsProp(RmsProp { alpha, epsilon, .. }) => {
            fields.extend([("alpha", number(alpha)), ("epsilon", number(epsilon))]);
        }
        OptimizerSpec::Sgd(Sgd { momentum, .. }) => fields.push(("momentum", number(momentum))),
    }
    fields
}

/// The settings of the layers of the network `name`.
fn of_layers(name: &str, network: &NetworkSpec) -> impl Iterator<Item = (String, Value)> {
    network.layers.iter().enumerate().flat_map(move |(index, layer)| {
        of_layer(layer).into_iter().map(move |(field, value)| (format!("gan.{name}.layers[{index}].{field}"), value))
    })
}

/// The settings of a layer.
fn of_layer(layer: &LayerSpec) -> Vec<(&'static str, Value)> {
    let mut fields = vec![
        ("inputs", layer.inputs.into()),
        ("outputs", layer.outputs.into()),
        ("activation", layer.activation.name().into()),
        ("dropout", number(layer.dropout)),
    ];
    // Without, as all layers were that files of before know.
    if layer.normalization != Normalization::None {
        fields.push(("normalization", layer.normalization.name().into()));
    }
    if !layer.softmax.is_empty() {
        let groups: Vec<String> = layer.softmax.iter().map(usize::to_string).collect();
        fields.push(("softmax", groups.join(" ").into()));
    }
    match layer.activation {
        Activation::LeakyRelu { slope } => fields.push(("slope", number(slope))),
        Activation::Linear | Activation::Relu | Activation::Tanh | Activation::Sigmoid => {}
    }
    fields
}

/// What a number goes to, if it goes anywhere.
fn end(last: Option<f32>) -> Value {
    last.map_or_else(|| "none".into(), number)
}

fn of_extent(extent: Extent) -> Value {
    match extent {
        Extent::Finite(samples) | Extent::Chosen(samples) => samples.into(),
        Extent::Endless => "endless".into(),
    }
}

/// The instruction sets that give the same bits: with the native engine all that fuse multiply-adds.
fn instructions(options: &TrainerOptions) -> String {
    match (options.engine, options.isa) {
        (EngineKind::Auto | EngineKind::Native, Some(IsaKind::Avx512 | IsaKind::Avx2)) => "avx512 or avx2".to_string(),
        (_, isa) => isa.map_or_else(|| "best".to_string(), |isa| isa.to_string()),
    }
}

/// A number with no more digits than tell it from other `f32`: `0.2`, not `0.20000000298023224`.
pub(super) fn number(value: f32) -> Value {
    let text = value.to_string();
    let number = text.parse().ok().and_then(Number::from_f64);
    number.map_or(Value::String(text), Value::Number)
}

/// A value in words.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => number.as_f64().unwrap_or_default().to_string(),
        other => other.to_string(),
    }
}

/// The settings that a file has; what came after it, as all runs had it before. `None` where they are no settings.
pub(super) fn read(settings: &Value) -> Option<Settings> {
    let is_plain = |value: &Value| value.is_boolean() || value.is_number() || value.is_string();
    let entries = settings.as_object().filter(|entries| entries.values().all(is_plain))?;
    let mut settings: Settings = entries.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    complete(&mut settings);
    Some(settings)
}

/// Adds what came after a file was written.
pub fn complete(settings: &mut Settings) {
    for Setting { name, absent, .. } in TABLE {
        if let Some(absent) = absent.filter(|_| !settings.contains_key(name)) {
            settings.insert(name.to_string(), absent());
        }
    }
}

/// The number of real samples among `settings`; 0 where it is not there, or the source was endless.
pub(super) fn samples(settings: &Settings) -> usize {
    settings.get(SAMPLES).and_then(|samples| samples.as_u64()?.try_into().ok()).unwrap_or(0)
}

/// The steps that make up `epochs` passes over the data with these `settings`; `None` where they do not tell.
#[cfg(feature = "internals")]
pub fn steps_for_epochs(settings: &Settings, epochs: u64) -> Option<u64> {
    let number = |name: &str| settings.get(name)?.as_u64();
    let per_step = u128::from(number(BATCH)?) * u128::from(number(DISCRIMINATOR_STEPS)?);
    (per_step > 0).then(|| steps(epochs, samples(settings) as u64, per_step))
}

/// The steps that make up `epochs` passes over `samples` samples, of which a step draws `per_step`, which is not 0.
pub(super) fn steps(epochs: u64, samples: u64, per_step: u128) -> u64 {
    u64::try_from((u128::from(epochs) * u128::from(samples)).div_ceil(per_step)).unwrap_or(u64::MAX)
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
    let problem = format!(
        "{}; only with its own settings does a run go on as if it had never stopped: leave them as they were, or allow the change",
        changes.join(", ")
    );
    Err(Error::setting(CHANGED, problem))
}

/// Refuses networks that are not of the layers of a run that was `saved`; nothing is refused where that does not tell its layers.
///
/// # Errors
///
/// [`Error::InvalidSetting`] that names every layer that differs, and what else was changed that may be why.
#[cfg(feature = "internals")]
pub(super) fn check_layers(saved: &Settings, now: &Settings) -> Result<()> {
    let is_size = |name: &str| name.contains(LAYERS) && (name.ends_with(".inputs") || name.ends_with(".outputs"));
    let is_told = saved.keys().any(|name| is_size(name));
    if !is_told || !changes(saved, now).any(|(name, _)| is_size(name)) {
        return Ok(());
    }
    // Some objectives need another last layer.
    let told = changes(saved, now).filter(|(name, _)| is_size(name) || *name == OBJECTIVE).map(|(_, change)| change);
    let problem = format!(
        "{}; that changes the layers of the networks, and no run goes on with other layers: leave them as they were, or begin a new run",
        told.collect::<Vec<_>>().join(", ")
    );
    Err(Error::setting(CHANGED, problem))
}

/// The settings that differ, by name, each with what it was and is.
fn changes<'a>(saved: &'a Settings, now: &'a Settings) -> impl Iterator<Item = (&'a str, String)> {
    let names: BTreeSet<&String> = saved.keys().chain(now.keys()).collect();
    names.into_iter().filter_map(move |name| {
        let told = match (saved.get(name), now.get(name)) {
            (before, after) if before == after => return None,
            (Some(before), None) if !is_known(name) => {
                format!("{name} was {}, and this program does not know it: a newer one does", text(before))
            }
            values => {
                let [before, after] = <[_; 2]>::from(values).map(|value| value.map_or("absent".to_string(), text));
                format!("{name} was {before} and is {after}")
            }
        };
        Some((name.as_str(), told))
    })
}

/// Whether some run of this program has a setting of this name.
fn is_known(name: &str) -> bool {
    let (place, field) = name.rsplit_once('.').unwrap_or(("", name));
    TABLE.iter().any(|setting| setting.name == name)
        || place.contains(LAYERS) && LAYER_FIELDS.contains(&field)
        || place.ends_with("_optimizer") && OPTIMIZER_FIELDS.contains(&field)
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
        other.ema_decay = 0.5;
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
            "gan.ema_decay was 0 and is 0.5",
            "run.batch",
            "and is 7",
            "run.seed",
            "data.samples",
            "was 100 and is 101",
            "allow the change",
        ] {
            assert!(problem.contains(part), "`{part}` is not in `{problem}`");
        }
        // Threads, instruction set and memory decide nothing.
        let free = TrainerOptions { threads: 5, memory_limit: Some(1), batch: 32, seed: 0, ..options };
        check_unchanged(&saved, &settings(&spec, &free, 100)).unwrap();
    }

    #[test]
    fn what_this_program_does_not_know_is_refused_and_named() {
        let now = settings(&Preset::Circle.spec(), &TrainerOptions::default(), 100);
        let mut saved = now.clone();
        saved.insert("gan.penalty".to_string(), "r1".into());
        saved.insert("gan.generator_optimizer.dampening".to_string(), 0.5.into());
        let problem = check_unchanged(&saved, &now).unwrap_err().to_string();
        assert!(
            problem.contains("gan.penalty was r1, and this program does not know it: a newer one does"),
            "{problem}"
        );
        assert!(problem.contains("dampening was 0.5, and this program does not know it"), "{problem}");
        saved.remove("gan.generator_optimizer.dampening");
        saved.remove("gan.penalty");
        saved.remove("gan.order");
        let problem = check_unchanged(&saved, &now).unwrap_err().to_string();
        assert!(problem.contains("gan.order was absent and is discriminator_first"), "{problem}");
    }

    #[test]
    fn numbers_are_short_and_exact() {
        let mut bits = 1u32;
        for _ in 0..100_000 {
            bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let value = f32::from_bits(bits);
            if value.is_finite() {
                let written = number(value).to_string();
                let back: Value = serde_json::from_str(&written).unwrap();
                assert_eq!(back, number(value), "{written}");
                assert_eq!(back.as_f64().unwrap() as f32, value, "{written}");
            }
        }
        assert_eq!(number(0.2).to_string(), "0.2");
        assert_eq!([0.0, 0.2, 1e-8].map(|value| text(&number(value))), ["0", "0.2", "0.00000001"]);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn words_are_those_of_a_configuration_file() {
        let word = |value: Value| value.as_str().map_or_else(|| value["kind"].clone(), Into::into);
        for objective in
            [Objective::Minimax, Objective::NonSaturating, Objective::NonSaturatingHalf, Objective::Softmax]
        {
            assert_eq!(serde_json::to_value(objective).unwrap(), objective.name());
        }
        for order in [Order::DiscriminatorFirst, Order::DiscriminatorFirstSharedFake, Order::GeneratorFirstSharedFake] {
            assert_eq!(serde_json::to_value(order).unwrap(), order.name());
        }
        for engine in EngineKind::ALL.into_iter().chain([EngineKind::Auto]) {
            assert_eq!(serde_json::to_value(engine).unwrap(), engine.to_string());
        }
        for activation in [
            Activation::Linear,
            Activation::Relu,
            Activation::LeakyRelu { slope: 0.5 },
            Activation::Tanh,
            Activation::Sigmoid,
        ] {
            let layer = of_layer(&LayerSpec::new(1, 1, activation));
            let found = layer.iter().find(|(field, _)| *field == "activation").map(|(_, value)| value.clone());
            assert_eq!(found, Some(word(serde_json::to_value(activation).unwrap())));
            assert!(layer.iter().all(|(field, _)| LAYER_FIELDS.contains(field)));
        }
        for optimizer in [
            OptimizerSpec::adam(0.25),
            AdamW::new(0.25).into(),
            RmsProp::new(0.25).into(),
            Sgd::new(0.25).with_momentum(0.5).into(),
        ] {
            let mut fields: Vec<&str> = of_optimizer(&optimizer).iter().map(|(field, _)| *field).collect();
            fields.sort_unstable();
            assert!(fields.iter().all(|field| OPTIMIZER_FIELDS.contains(field)));
            let known = serde_json::to_value(optimizer).unwrap();
            assert_eq!(fields, known.as_object().unwrap().keys().collect::<Vec<_>>());
            assert_eq!(of_optimizer(&optimizer)[0].1, word(known));
        }
    }
}
