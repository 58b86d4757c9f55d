//! Settings as JSON text, for programs in other languages: the names and values of `config.toml`.
//!
//! ```
//! use gannet_settings::json;
//!
//! let described = json::parse(
//!     r#"{
//!         "run": { "preset": "circle" },
//!         "gan": {
//!             "objective": "non_saturating_half",
//!             "generator_optimizer": { "kind": "adam", "learning_rate": 0.001 },
//!             "generator": { "layers": [
//!                 { "inputs": 4, "outputs": 32, "activation": "relu" },
//!                 { "inputs": 32, "outputs": 2, "activation": "linear" }
//!             ] }
//!         }
//!     }"#,
//! )?;
//! assert_eq!(described.spec.latents(), 4);
//! assert_eq!(json::parse("circle")?.preset, described.preset);
//! # Ok::<(), gannet::Error>(())
//! ```

use gannet::gan::presets::Preset;
use gannet::gan::{GanSpec, Network, TrainerOptions};
use gannet::net::{Activation, LayerSpec, NetworkSpec};
use gannet::{Error, Result};
use serde_json::{Map, Value as Json};
use toml::{Table, Value};

use crate::gan_table::GanTable;
use crate::kind::Kind;
use crate::nearest::suggestion;
use crate::setting::{Setting, size};
use crate::toml_error::readable;

/// The tables of a text.
const TABLES: [&str; 2] = ["run", "gan"];

/// The setting that files leave to their data.
const CONDITIONS: &str = "conditions";

/// What a text describes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Described {
    /// What is trained.
    pub spec: GanSpec,
    /// The preset that it began with.
    pub preset: Option<Preset>,
}

impl Described {
    /// Options of a trainer with the preset's batch and order of the data, or the library's.
    pub fn options(&self) -> TrainerOptions {
        let usual = TrainerOptions::default();
        match self.preset {
            Some(preset) => usual.with_batch(preset.batch()).with_shuffle(preset.shuffle()),
            None => usual,
        }
    }
}

/// The GAN in `text`: the name of a preset, or a JSON object with the tables `run`, of which `preset` is the only setting, and `gan`.
///
/// The table `gan` has one name more than in a file: `conditions`, how many values at the end of a row of the data are its condition
/// ([`GanSpec::conditions`]), which the program knows from the labels of its data. What the table leaves out is the preset's; without a preset it is that of [`GanSpec::new`], and the layers of both networks are
/// needed.
///
/// # Errors
///
/// [`Error::InvalidSetting`] that names the setting.
pub fn parse(text: &str) -> Result<Described> {
    let described = unchecked(text)?;
    described.spec.validate().map_err(in_gan)?;
    Ok(described)
}

/// The discriminator of the GAN in `text`, with its optimizer, the objective and the penalties, for a loss that any generator trains against: as
/// [`parse`], but what `text` says of the generator does not count, nor that it says nothing. In its place is one that fits.
///
/// # Errors
///
/// [`Error::InvalidSetting`] that names the setting.
pub fn loss(text: &str) -> Result<Described> {
    let mut described = unchecked(text)?;
    let GanSpec { discriminator, conditions, packing, .. } = &described.spec;
    let features = (discriminator.inputs() / packing.max(&1)).saturating_sub(*conditions);
    let any = LayerSpec::new(conditions.saturating_add(1), features, Activation::Linear);
    described.spec.generator = NetworkSpec::new(vec![any]);
    described.spec.discriminator.validate("gan.discriminator")?;
    described.spec.validate().map_err(in_gan)?;
    Ok(described)
}

/// One network in `text`, and the options of its preset, or the library's: a JSON object with `layers` has it [alone](network), any other text
/// that of a GAN, of which the other network may be left out.
///
/// # Errors
///
/// [`Error::InvalidSetting`] that names the setting.
pub fn layers(text: &str, network: Network) -> Result<(NetworkSpec, TrainerOptions)> {
    if text.trim_start().starts_with('{') && object(text)?.contains_key("layers") {
        return Ok((self::network(text)?, TrainerOptions::default()));
    }
    let described = unchecked(text)?;
    let spec = described.spec.network(network).clone();
    spec.validate(&format!("gan.{}", network.name()))?;
    Ok((spec, described.options()))
}

/// The error about a setting of a GAN, by its name in a text.
fn in_gan(error: Error) -> Error {
    match error {
        Error::InvalidSetting { name, problem } => Error::setting(format!("gan.{name}"), problem),
        other => other,
    }
}

/// What [`parse`] reads, not checked as a whole.
fn unchecked(text: &str) -> Result<Described> {
    if !text.trim_start().starts_with('{') {
        let preset = preset(text.trim())?;
        return Ok(Described { spec: preset.spec(), preset: Some(preset) });
    }
    let tables = object(text)?;
    check_names(tables.keys(), &TABLES, "the settings")?;
    let run = table(&tables, "run")?;
    check_names(run.keys(), &["preset"], "the table run")?;
    let preset = match run.get("preset") {
        Some(Value::String(name)) => Some(preset(name)?),
        Some(other) => return Err(Error::setting("run.preset", format!("is {other}; give the name of a preset"))),
        None => None,
    };
    let nothing = || GanSpec::new(NetworkSpec::new(Vec::new()), NetworkSpec::new(Vec::new()));
    let mut spec = preset.map_or_else(nothing, Preset::spec);
    fill(&mut spec, table(&tables, "gan")?)?;
    Ok(Described { spec, preset })
}

/// The network in `text` alone: a JSON object with the settings of a network of the table `gan`.
///
/// # Errors
///
/// [`Error::InvalidSetting`] that names the setting.
pub fn network(text: &str) -> Result<NetworkSpec> {
    let entries = object(text)?;
    let entries = entries.iter().map(|(name, item)| Ok((name.clone(), value(name, item)?)));
    let network = GanTable::network(entries.collect::<Result<_>>()?)?;
    network.validate("network")?;
    Ok(network)
}

/// The object in a JSON text.
fn object(text: &str) -> Result<Map<String, Json>> {
    serde_json::from_str(text).map_err(|error| Error::setting("settings", format!("not JSON: {error}")))
}

/// The preset called `name`.
fn preset(name: &str) -> Result<Preset> {
    Preset::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Preset::ALL.iter().map(|preset| preset.name()).collect();
        let hint = suggestion(name, known.iter().copied());
        Error::setting("run.preset", format!("`{name}` is unknown{hint} (known: {})", known.join(", ")))
    })
}

/// Puts the settings of the table `gan` into `spec`.
fn fill(spec: &mut GanSpec, mut table: Table) -> Result<()> {
    let known: Vec<&str> =
        Setting::<GanSpec>::GAN.iter().map(|setting| setting.name).chain(GanTable::NAMES).chain([CONDITIONS]).collect();
    check_names(table.keys(), &known, "the table gan")?;
    for setting in Setting::<GanSpec>::GAN {
        let Some(value) = table.remove(setting.name) else { continue };
        let wrong = |problem| Error::setting(setting.path(), problem);
        (setting.set)(spec, &setting.kind.check(value).map_err(wrong)?).map_err(wrong)?;
    }
    if let Some(value) = table.remove(CONDITIONS) {
        let wrong = |problem| Error::setting(format!("gan.{CONDITIONS}"), problem);
        spec.conditions = size(&Kind::COUNT.check(value).map_err(wrong)?);
    }
    let structures: GanTable =
        table.try_into().map_err(|error: toml::de::Error| Error::setting("gan", readable(&error)))?;
    structures.fill(spec)
}

/// Refuses a name of `place` that is not `known`.
fn check_names<'a>(names: impl IntoIterator<Item = &'a String>, known: &[&str], place: &str) -> Result<()> {
    match names.into_iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => {
            let hint = suggestion(name, known.iter().copied());
            Err(Error::setting(name, format!("unknown in {place}{hint} (known: {})", known.join(", "))))
        }
        None => Ok(()),
    }
}

/// The table called `name`; empty where it is left out.
fn table(tables: &Map<String, Json>, name: &str) -> Result<Table> {
    match tables.get(name).map(|json| value(name, json)).transpose()? {
        Some(Value::Table(table)) => Ok(table),
        Some(other) => Err(Error::setting(name, format!("is {other}; give an object of settings"))),
        None => Ok(Table::new()),
    }
}

/// The value of the setting called `name` as a configuration file has it.
fn value(name: &str, json: &Json) -> Result<Value> {
    Ok(match json {
        Json::Null => return Err(Error::setting(name, "is null; leave it out to have its default")),
        Json::Bool(flag) => Value::Boolean(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Integer(whole),
            (None, Some(fraction)) => Value::Float(fraction),
            (None, None) => return Err(Error::setting(name, format!("{number} is too large"))),
        },
        Json::String(text) => Value::String(text.clone()),
        Json::Array(items) => {
            let items = items.iter().enumerate().map(|(index, item)| value(&format!("{name}[{index}]"), item));
            Value::Array(items.collect::<Result<_>>()?)
        }
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, item)| Ok((key.clone(), value(&format!("{name}.{key}"), item)?)));
            Value::Table(entries.collect::<Result<_>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use gannet::gan::{Objective, OptimizerSpec};

    use super::*;

    fn problem(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn every_preset_is_a_text() {
        for preset in Preset::ALL {
            assert_eq!(parse(preset.name()).unwrap().spec, preset.spec());
            let text = format!(r#"{{"run": {{"preset": "{}"}}}}"#, preset.name());
            assert_eq!(parse(&text).unwrap().spec, preset.spec());
        }
    }

    #[test]
    fn networks_alone_are_enough() {
        let layers = |inputs, outputs| {
            format!(
                r#"{{"layers": [{{"inputs": {inputs}, "outputs": 8}}, {{"inputs": 8, "outputs": {outputs}, "activation": "linear"}}]}}"#
            )
        };
        let text = format!(r#"{{"gan": {{"generator": {}, "discriminator": {}}}}}"#, layers(3, 2), layers(2, 1));
        let spec = parse(&text).unwrap().spec;
        assert_eq!(spec, GanSpec::new(spec.generator.clone(), spec.discriminator.clone()));
        assert_eq!(spec.generator.layers[0].activation, Activation::LeakyRelu { slope: 0.2 });
        assert!(problem(r#"{"gan": {}}"#).starts_with("gan.generator"));
        let text = format!(
            r#"{{"gan": {{"conditions": 1, "generator": {}, "discriminator": {}}}}}"#,
            layers(3, 2),
            layers(3, 1)
        );
        assert_eq!(parse(&text).unwrap().spec.latents(), 2);
    }

    #[test]
    fn a_network_stands_alone() {
        let layers = r#"{"layers": [{"inputs": 3, "outputs": 8, "activation": "tanh"}, {"inputs": 8, "outputs": 1}]}"#;
        let spec = network(layers).unwrap();
        assert_eq!((spec.inputs(), spec.outputs()), (3, 1));
        assert_eq!(spec.layers[1].activation, Activation::Linear);
        for (text, part) in [("[]", "not JSON"), ("{}", "layers"), (r#"{"layer": []}"#, "unknown field `layer`")] {
            let problem = network(text).unwrap_err().to_string();
            assert!(problem.contains(part), "{problem}");
        }
    }

    #[test]
    fn a_network_and_a_loss_need_no_partner() {
        let alone = r#"{"layers": [{"inputs": 5, "outputs": 8}, {"inputs": 8, "outputs": 1}]}"#;
        let of_gan = |name: &str| format!(r#"{{"gan": {{"{name}": {alone}}}}}"#);
        let expected = network(alone).unwrap();
        for of in Network::ALL {
            assert_eq!(layers(alone, of).unwrap().0, expected);
            assert_eq!(layers(&of_gan(of.name()), of).unwrap().0, expected);
        }
        let (digits, options) = layers("digits", Network::Generator).unwrap();
        assert_eq!((digits, options.batch), (Preset::Digits.spec().generator, Preset::Digits.batch()));
        let missing = layers(&of_gan("generator"), Network::Discriminator).unwrap_err().to_string();
        assert!(missing.starts_with("gan.discriminator"), "{missing}");

        assert_eq!(loss(&of_gan("discriminator")).unwrap().spec.discriminator, expected);
        // Of a preset the generator does not count.
        let text = format!(r#"{{"run": {{"preset": "circle"}}, "gan": {{"discriminator": {alone}}}}}"#);
        assert_eq!(loss(&text).unwrap().spec.discriminator.inputs(), 5);
        assert_eq!(loss("circle").unwrap().spec.discriminator, Preset::Circle.spec().discriminator);
        let text = format!(r#"{{"gan": {{"conditions": 2, "discriminator": {alone}}}}}"#);
        assert_eq!(loss(&text).unwrap().spec.features(), 3);
        for (text, part) in [
            ("{}".to_string(), "gan.discriminator"),
            (of_gan("generator"), "gan.discriminator"),
            (format!(r#"{{"gan": {{"conditions": 5, "discriminator": {alone}}}}}"#), "gan."),
        ] {
            let problem = loss(&text).unwrap_err().to_string();
            assert!(problem.starts_with(part), "{problem}");
        }
    }

    #[test]
    fn options_are_the_presets() {
        let digits = parse("digits").unwrap();
        assert_eq!(digits.options().batch, Preset::Digits.batch());
        assert_eq!(Described { preset: None, ..digits }.options().batch, TrainerOptions::default().batch);
    }

    #[test]
    fn settings_replace_those_of_the_preset() {
        let text = r#"{"run": {"preset": "circle"}, "gan": {"recipe": "r3gan", "objective": "softmax", "ema_decay": 0.5,
            "r1": 0, "r2": 0, "discriminator_optimizer": {"momentum": 0.9, "learning_rate": 0.25}}}"#;
        let spec = parse(text).unwrap().spec;
        assert_eq!((spec.objective, spec.ema_decay), (Objective::Softmax, 0.5));
        assert_eq!(spec.discriminator.outputs(), 2, "softmax needs two logits");
        let OptimizerSpec::Sgd(sgd) = spec.discriminator_optimizer else { panic!("{spec:?}") };
        assert_eq!((sgd.learning_rate, sgd.momentum), (0.25, 0.9));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, parts) in [
            ("circel", ["run.preset", "did you mean `circle`?"]),
            ("{", ["settings", "not JSON"]),
            ("{} 1", ["settings", "not JSON"]),
            (r#"{"gam": {}}"#, ["gam", "did you mean `gan`?"]),
            (r#"{"gan": 3}"#, ["gan", "give an object"]),
            (r#"{"run": {"preset": 3}}"#, ["run.preset", "give the name of a preset"]),
            (r#"{"run": {"batch": 3}}"#, ["batch", "known: preset"]),
            (r#"{"gan": {"objectiv": "hinge"}}"#, ["objectiv", "did you mean `objective`?"]),
            (r#"{"gan": {"objective": "hing"}}"#, ["gan.objective", "did you mean `hinge`?"]),
            (r#"{"gan": {"objective": null}}"#, ["gan.objective", "leave it out"]),
            (r#"{"gan": {"ema_decay": 1}}"#, ["gan.ema_decay", "below 1"]),
            (r#"{"gan": {"generator": {"layer": []}}}"#, ["gan", "unknown field `layer`"]),
            (
                r#"{"gan": {"generator": {"layers": [{"inputs": 1, "outputs": 1, "activation": {"kind": "relu", "slope": 0.1}}]}}}"#,
                ["gan.generator.layers[0].activation", "the kind relu has no setting `slope`"],
            ),
            (
                r#"{"gan": {"generator_optimizer": {"kind": "sgd", "beta1": 0.5}}}"#,
                ["gan.generator_optimizer", "beta1"],
            ),
            (
                r#"{"run": {"preset": "circle"}, "gan": {"generator_optimizer": "sgd"}}"#,
                ["gan.generator_optimizer", "learning_rate"],
            ),
        ] {
            let problem = problem(text);
            for part in parts {
                assert!(problem.contains(part), "`{part}` is not in `{problem}`");
            }
        }
    }
}
