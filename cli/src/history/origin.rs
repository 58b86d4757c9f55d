//! What decides a run beside the settings of its trainer: the data, and the parameters that it began with. Checkpoints keep it in
//! their notes, from the one before the first step on, so that a run that would go on with something else is noticed.

use std::collections::BTreeMap;

use gannet::gan::{Model, Trainer};
use gannet::net::Initialization;
use gannet::{Error, Result};

use crate::data::samples::Samples;
use crate::settings::config::RunConfig;

/// The text of the configuration.
const CONFIG: &str = "config.toml";
/// What the data are known again by.
const DATA: &str = "data";
/// What the parameters before the first step are known again by.
const PARAMETERS: &str = "parameters before the first step";

/// Values by name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Origin(BTreeMap<String, String>);

impl Origin {
    /// Of a run whose `trainer` has done no step.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`](gannet::Error::OutOfMemory).
    pub(crate) fn new(config: &RunConfig, real: &Samples, trainer: &Trainer) -> Result<Self> {
        let networks = [("generator", &config.spec.generator), ("discriminator", &config.spec.discriminator)];
        let initializations = networks
            .map(|(name, network)| (format!("gan.{name}.initialization"), initialization(&network.initialization)));
        let mut values = BTreeMap::from(initializations);
        values.insert(DATA.to_string(), real.fingerprint(config.classes().is_some()));
        values.insert(PARAMETERS.to_string(), fingerprint(&trainer.model()?));
        Ok(Self(values))
    }

    /// The parameters that it began with are no longer to be had: they are those that a checkpoint's `notes` tell of.
    pub(crate) fn with_parameters_of(mut self, notes: &BTreeMap<String, String>) -> Self {
        match notes.get(PARAMETERS) {
            Some(saved) => self.0.insert(PARAMETERS.to_string(), saved.clone()),
            None => self.0.remove(PARAMETERS),
        };
        self
    }

    /// Whether it began with the parameters that the `notes` of a checkpoint tell of. Older checkpoints do not tell.
    pub(crate) fn has_parameters_of(&self, notes: &BTreeMap<String, String>) -> bool {
        notes.get(PARAMETERS).is_none_or(|saved| self.0.get(PARAMETERS) == Some(saved))
    }

    /// Refuses to go on from a checkpoint with these `notes` where they tell of something else.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`].
    pub(crate) fn check(&self, notes: &BTreeMap<String, String>, config: &RunConfig) -> Result<()> {
        let differs = |name: &str| notes.get(name).is_some_and(|saved| self.0.get(name) != Some(saved));
        if differs(DATA) {
            let problem = "the samples are not those that the run was trained on: give it its own, or allow the change with --override";
            return Err(Error::setting("data", problem));
        }
        if let Some((name, now)) = self.0.iter().find(|(name, _)| differs(name) && name.starts_with("gan.")) {
            let before = notes.get(name).map_or("", String::as_str);
            let problem = format!("was {before} and is {now}; leave it as it was, or allow the change with --override");
            return Err(Error::setting(name.clone(), problem));
        }
        if differs(PARAMETERS) {
            let files: Vec<String> = config.weights.iter().map(|file| file.display().to_string()).collect();
            let problem = format!(
                "the weights are not those that the run began with (files: {}): put them back, or allow the change with --override",
                if files.is_empty() { "none".to_string() } else { files.join(", ") }
            );
            return Err(Error::setting("run.weights", problem));
        }
        Ok(())
    }

    /// The notes of a checkpoint of a run with the configuration `text`.
    pub(crate) fn notes(&self, text: String) -> BTreeMap<String, String> {
        self.0.clone().into_iter().chain([(CONFIG.to_string(), text)]).collect()
    }

    /// The values by name.
    pub(crate) fn into_values(self) -> BTreeMap<String, String> {
        self.0
    }
}

/// The text of the configuration in the notes of a checkpoint; empty where they have none.
pub(crate) fn config(notes: &BTreeMap<String, String>) -> &str {
    notes.get(CONFIG).map_or("", String::as_str)
}

/// An initialization in words.
fn initialization(initialization: &Initialization) -> String {
    match *initialization {
        Initialization::Normal { sigma } => format!("normal, sigma {sigma}"),
        other => other.name().to_string(),
    }
}

/// A checksum of all parameters.
fn fingerprint(model: &Model) -> String {
    let values = [&model.generator, &model.discriminator]
        .into_iter()
        .flatten()
        .flat_map(|layer| layer.weight.iter().chain(&layer.bias));
    let mut sum = 0;
    // In pieces that stay in the cache: byte by byte it takes ten times as long.
    let mut bytes = Vec::with_capacity(1 << 12);
    for value in values {
        bytes.extend(value.to_le_bytes());
        if bytes.len() == 1 << 12 {
            sum = crc32c::crc32c_append(sum, &bytes);
            bytes.clear();
        }
    }
    format!("crc32c:{:08x}", crc32c::crc32c_append(sum, &bytes))
}
