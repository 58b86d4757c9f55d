//! What a run tells TensorBoard: which scalars, pictures and histograms, under which tags.

use std::path::Path;

use gannet::Result;
use gannet::gan::health::Health;
use gannet::gan::{GanSpec, Model, Network};
use gannet::net::LayerTensors;

use crate::events::{EventWriter, Setting};
use crate::history::losses::Reported;
use crate::measures::measure::Measure;
use crate::settings::flat;

/// The event file of a run.
#[derive(Debug)]
pub(crate) struct Board {
    writer: EventWriter,
}

/// A picture of an evaluation: of the samples, and where they are images in one row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pictures<'a> {
    pub(crate) samples: &'a [u8],
    pub(crate) row: Option<&'a [u8]>,
}

impl Board {
    /// A new event file in `folder`, of a run that begins, or goes on after the step `resumed`, with the settings of `config`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](gannet::Error::Io) where the system refuses.
    pub(crate) fn open(folder: &Path, resumed: Option<u64>, config: &str) -> Result<Self> {
        let mut writer = EventWriter::create(folder, resumed)?;
        let settings = config.parse().ok().and_then(|table| flat::flat(&table).ok()).unwrap_or_default();
        let known = settings.iter().filter_map(|(name, value)| Some((name.clone(), setting(value)?))).collect();
        let rows: String = settings.iter().map(|(name, value)| format!("\n| {name} | {} |", cell(value))).collect();
        writer.settings(resumed.unwrap_or(0), &known, &format!("| setting | value |\n|---|---|{rows}\n"))?;
        Ok(Self { writer })
    }

    /// Adds that the run has done all its steps.
    ///
    /// # Errors
    ///
    /// As [`Self::report`].
    pub(crate) fn end(&mut self, step: u64) -> Result<()> {
        self.writer.end(step)
    }

    /// Adds the figures of a step.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](gannet::Error::Io) where the system refuses, as in all that follow.
    pub(crate) fn report(&mut self, reported: &Reported, spec: &GanSpec) -> Result<()> {
        let Reported { report, rate, .. } = reported;
        let rates = Network::ALL.map(|network| f64::from(spec.learning_rate(network, report.step)));
        let always = [
            ("losses/discriminator_loss", report.discriminator_loss),
            ("losses/generator_loss", report.generator_loss),
            ("probabilities/real_probability", report.real_probability),
            ("probabilities/fake_probability", report.fake_probability),
            ("learning_rates/generator", rates[0]),
            ("learning_rates/discriminator", rates[1]),
            ("speed/samples_per_second", *rate),
        ];
        let penalty = report.penalty.map(|penalty| ("losses/penalty", penalty));
        self.writer.scalars(report.step, &always.into_iter().chain(penalty).collect::<Vec<_>>())
    }

    /// Adds what an evaluation found: measures and health, under the names of `evaluation.csv`.
    ///
    /// # Errors
    ///
    /// As [`Self::report`].
    pub(crate) fn figures(&mut self, step: u64, measures: &[Measure], health: &Health) -> Result<()> {
        let measures = measures.iter().map(|measure| (format!("measures/{}", measure.name), measure.value));
        let health = Health::NAMES.iter().zip(health.values());
        let health = health.filter_map(|(name, value)| Some((format!("health/{name}"), value?)));
        let tags: Vec<(String, f64)> = measures.chain(health).collect();
        self.writer.scalars(step, &tags.iter().map(|(tag, value)| (tag.as_str(), *value)).collect::<Vec<_>>())
    }

    /// Adds the pictures of an evaluation.
    ///
    /// # Errors
    ///
    /// As [`Self::report`].
    pub(crate) fn pictures(&mut self, step: u64, pictures: Pictures<'_>) -> Result<()> {
        self.writer.image(step, "samples", pictures.samples)?;
        pictures.row.map_or(Ok(()), |row| self.writer.image(step, "samples/row", row))
    }

    /// Adds histograms of each layer's weights and biases, or of their gradients, under `tensors/KIND/`: TensorBoard sorts its cards
    /// by name, and these are many, so that they come after all numbers.
    ///
    /// # Errors
    ///
    /// As [`Self::report`].
    pub(crate) fn histograms(&mut self, step: u64, kind: &str, model: &Model) -> Result<()> {
        for (network, layers) in [("generator", &model.generator), ("discriminator", &model.discriminator)] {
            self.layers(step, &format!("tensors/{kind}/{network}"), layers)?;
        }
        Ok(())
    }

    fn layers(&mut self, step: u64, tag: &str, layers: &[LayerTensors]) -> Result<()> {
        for (index, layer) in layers.iter().enumerate() {
            self.writer.histogram(step, &format!("{tag}/{index}.weight"), &layer.weight)?;
            self.writer.histogram(step, &format!("{tag}/{index}.bias"), &layer.bias)?;
        }
        Ok(())
    }

    /// Writes what waits.
    ///
    /// # Errors
    ///
    /// As [`Self::report`].
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.writer.flush()
    }
}

/// A setting as a hyperparameter; `None` for lists.
fn setting(value: &toml::Value) -> Option<Setting> {
    match value {
        toml::Value::Boolean(flag) => Some(Setting::Flag(*flag)),
        toml::Value::Integer(number) => Some(Setting::Number(*number as f64)),
        // With the digits of 32 bits: 0.9, not 0.8999999761581421.
        toml::Value::Float(_) => flat::text(value).parse().ok().map(Setting::Number),
        toml::Value::String(text) => Some(Setting::Text(text.clone())),
        _ => None,
    }
}

/// A setting in a table of Markdown, shortened where it is a long list.
fn cell(value: &toml::Value) -> String {
    const LONGEST: usize = 200;
    let text = flat::text(value).replace('|', "\\|").replace('\n', " ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} ...", &text[..end]),
        None => text,
    }
}
