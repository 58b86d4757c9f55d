//! What is trained: read from settings, chosen for a table, or found in a checkpoint.

use gannet::Error;
use gannet::gan::presets::{Duration, Preset};
use gannet::gan::{GanSpec, Network, RateDecay, TrainerOptions};
use gannet_settings::json::{self, Described};
use gannet_settings::own_data::{self, Shape};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::problem::Problem;

/// What is trained: both networks, the objective, the optimizers.
#[pyclass(frozen, module = "gannet._gannet")]
#[derive(Clone)]
pub(crate) struct Spec {
    pub(crate) spec: GanSpec,
    /// The preset that it began with.
    preset: Option<Preset>,
    /// Whether its schedule is as long as the training.
    follows_length: bool,
}

/// The text of settings, which are a text or a dict.
fn text(settings: &Bound<'_, PyAny>) -> Result<String, Problem> {
    if let Ok(text) = settings.cast::<PyString>() {
        return Ok(text.to_str()?.to_string());
    }
    if settings.cast::<PyDict>().is_err() {
        let kind = settings.get_type().name()?;
        let problem =
            format!("settings are of the type {kind}; give the name of a preset, a dict, or the text of JSON");
        return Err(PyTypeError::new_err(problem).into());
    }
    Ok(settings.py().import("gannet._json")?.call_method1("text_of", (settings,))?.extract()?)
}

impl Spec {
    /// What `settings` describe: a [`Spec`], the name of a preset, a dict, or the text of JSON.
    pub(crate) fn of(settings: &Bound<'_, PyAny>) -> Result<Self, Problem> {
        if let Ok(spec) = settings.cast::<Self>() {
            return Ok(spec.get().clone());
        }
        let Described { spec, preset, .. } = json::parse(&text(settings)?)?;
        // A preset's own schedule is of its own length.
        let is_presets = preset.is_some_and(|preset| spec.schedule == preset.spec().schedule);
        Ok(Self { follows_length: is_presets && spec.schedule.decay != RateDecay::Constant, spec, preset })
    }

    /// The network that `settings` describe: one alone where they have `layers`, and otherwise the one called `network` of a GAN, whose other
    /// network may be left out.
    pub(crate) fn network(
        settings: &Bound<'_, PyAny>,
        network: &str,
    ) -> Result<(gannet::net::NetworkSpec, TrainerOptions), Problem> {
        let network = network_named(network)?;
        if let Ok(spec) = settings.cast::<Self>() {
            let spec = spec.get();
            return Ok((spec.spec.network(network).clone(), spec.options()));
        }
        Ok(json::layers(&text(settings)?, network)?)
    }

    /// The discriminator that `settings` describe for a loss, and what goes with it.
    pub(crate) fn loss(settings: &Bound<'_, PyAny>) -> Result<(GanSpec, TrainerOptions), Problem> {
        if let Ok(spec) = settings.cast::<Self>() {
            let spec = spec.get();
            return Ok((spec.spec.clone(), spec.options()));
        }
        let described = json::loss(&text(settings)?)?;
        let options = described.options();
        Ok((described.spec, options))
    }

    /// What a sample is.
    fn shape(&self) -> Shape {
        let groups = self.spec.generator.layers.last().map_or(&[][..], |last| &last.softmax);
        shape_of_rows(self.spec.features(), groups)
    }

    /// The options of a trainer: the preset's, or the library's.
    pub(crate) fn options(&self) -> TrainerOptions {
        let usual = TrainerOptions::default();
        self.preset.map_or(usual.clone(), |preset| usual.with_batch(preset.batch()).with_shuffle(preset.shuffle()))
    }
}

/// What a row of a table is, of so many features and groups.
fn shape_of_rows(features: usize, groups: &[usize]) -> Shape {
    let numbers = features.saturating_sub(groups.iter().sum());
    if groups.is_empty() {
        Shape::Numbers(features)
    } else {
        Shape::Mixed { columns: numbers + groups.len(), features }
    }
}

/// The network of this name.
pub(crate) fn network_named(name: &str) -> Result<Network, Problem> {
    let found = Network::ALL.into_iter().find(|network| network.name() == name);
    found
        .ok_or_else(|| Error::setting("network", format!("`{name}` is unknown; use generator or discriminator")).into())
}

#[pymethods]
impl Spec {
    /// What settings describe: the name of a preset, a dict with the tables `run` and `gan` of config.toml, or such a dict as the text of
    /// JSON.
    #[new]
    fn of_settings(settings: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self::of(settings)?)
    }

    /// The defaults for a table whose rows are samples with so many features, the last of them in groups of these sizes.
    #[staticmethod]
    #[pyo3(signature = (features, groups, classes = 0))]
    fn of_rows(features: usize, groups: Vec<usize>, classes: usize) -> Self {
        let spec = own_data::spec_with(shape_of_rows(features, &groups), &groups, classes);
        Self { spec, preset: None, follows_length: true }
    }

    /// The same where the generator makes such groups of its last features.
    fn with_groups(&self, groups: Vec<usize>) -> PyResult<Self> {
        let mut made = self.clone();
        if let Some(last) = made.spec.generator.layers.last_mut() {
            if !last.softmax.is_empty() && last.softmax != groups {
                let problem = format!("is {:?}, but the columns need {groups:?}; leave it out", last.softmax);
                return Err(Problem::from(Error::setting("gan.generator.layers.softmax", problem)).into());
            }
            last.softmax = groups;
        }
        made.spec.validate().map_err(Problem::from)?;
        Ok(made)
    }

    /// What `to_json` gave.
    #[staticmethod]
    fn from_json(text: &str) -> PyResult<Self> {
        let wrong = |problem: String| Problem::from(Error::data("the specification in the file", problem));
        let saved: serde_json::Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let spec: GanSpec = serde_json::from_value(saved["spec"].clone()).map_err(|error| wrong(error.to_string()))?;
        let preset = saved["preset"].as_str().and_then(Preset::from_name);
        let follows_length = saved["follows_length"].as_bool().unwrap_or(false);
        Ok(Self { spec, preset, follows_length })
    }

    /// All of it as the text of JSON.
    fn to_json(&self) -> PyResult<String> {
        let spec = serde_json::to_value(&self.spec)
            .map_err(|error| Problem::from(Error::data("the specification", error.to_string())))?;
        let preset = self.preset.map(Preset::name);
        Ok(serde_json::json!({ "spec": spec, "preset": preset, "follows_length": self.follows_length }).to_string())
    }

    /// The same where the schedule of the learning rates, if it has no length of its own, is as long as a training of so many steps.
    fn with_length(&self, steps: u64) -> Self {
        let mut made = self.clone();
        if made.follows_length {
            made.spec.schedule.steps = steps;
        }
        made
    }

    /// The batch for so many rows.
    fn batch_for(&self, rows: usize) -> usize {
        let shape = self.shape();
        self.preset.map_or_else(|| own_data::batch(shape, rows), |preset| preset.batch().min(rows))
    }

    /// The parts of a batch whose gradients are added in a tree, for so many rows and this batch: as the program has it, those of the
    /// default batch, as far as the batch has as many.
    fn shards_for(&self, rows: usize, batch: usize) -> usize {
        let shape = self.shape();
        own_data::shards(shape, own_data::batch(shape, rows)).min(1 << batch.max(1).ilog2())
    }

    /// The steps for so many rows and this batch.
    fn steps_for(&self, rows: u64, batch: usize) -> u64 {
        let shape = self.shape();
        let duration = self.preset.map_or_else(|| own_data::duration(shape, rows, batch), |preset| preset.duration());
        match duration {
            Duration::Steps(steps) => steps,
            Duration::Epochs(epochs) => {
                let per_step = (batch as u128).saturating_mul(self.spec.discriminator_steps as u128).max(1);
                u64::try_from((u128::from(epochs) * u128::from(rows)).div_ceil(per_step)).unwrap_or(u64::MAX)
            }
        }
    }

    /// The name of the preset that it began with, or None.
    #[getter]
    fn preset(&self) -> Option<&'static str> {
        self.preset.map(Preset::name)
    }

    /// Values of a sample.
    #[getter]
    fn features(&self) -> usize {
        self.spec.features()
    }

    /// Values that both networks are told of a sample.
    #[getter]
    fn conditions(&self) -> usize {
        self.spec.conditions
    }

    /// Values of a latent vector.
    #[getter]
    fn latents(&self) -> usize {
        self.spec.latents()
    }

    fn __repr__(&self) -> String {
        let from = self.preset.map_or(String::new(), |preset| format!("{}: ", preset.name()));
        let (latents, features, conditions) = (self.latents(), self.features(), self.conditions());
        format!("Spec({from}latents={latents}, features={features}, conditions={conditions})")
    }
}
