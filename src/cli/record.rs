//! What a run leaves in its folder while it goes on: tables, measures, pictures, checkpoints.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration as Time, Instant};

use super::checkpoints;
use super::config::RunConfig;
use super::history::History;
use super::line_file::LineFile;
use super::measures::{self, Effort, Measure};
use super::output;
use super::pictures::{self, Panel};
use super::plot::{Heading, thousands};
use super::progress::Progress;
use super::run_folder::{self, RunFolder};
use super::system::Samples;
use crate::error::{Error, Result};
use crate::gan::model::Model;
use crate::gan::{Checkpoint, StepReport, Trainer};
use crate::simd::Isa;

/// A run that is cut short loses the losses of no more than this time.
pub(crate) const BETWEEN_FLUSHES: Time = Time::from_secs(2);

/// Columns of `metrics.csv`.
const METRICS: &str = "step,epoch,discriminator_loss,generator_loss,real_probability,fake_probability";

/// Notes of a checkpoint: the text of the configuration, and what the data are known again by.
const CONFIG_NOTE: &str = "config.toml";
const DATA_NOTE: &str = "data";

/// A run between two steps, to be recorded.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) checkpoint: Checkpoint,
    /// Whether it is measured and drawn.
    pub(crate) evaluate: bool,
    /// Whether it is kept to go on from.
    pub(crate) save: bool,
    /// The epoch under whose number both networks are kept alone.
    pub(crate) epoch: Option<u64>,
}

/// What a run has learned: its measures, and the hash of the model's file.
pub(crate) struct Learned {
    pub(crate) measures: Vec<Measure>,
    pub(crate) model_sha256: String,
}

/// The record of a run.
pub(crate) struct Record {
    config: Arc<RunConfig>,
    real: Samples,
    folder: RunFolder,
    isa: Isa,
    progress: Arc<Progress>,
    metrics: LineFile,
    flushed: Instant,
    evaluation: LineFile,
    history: History,
    /// Samples before training, from the latents that all pictures share.
    before: Vec<f32>,
    /// Value of the chosen measure at the best evaluation so far.
    best: Option<f64>,
    notes: BTreeMap<String, String>,
}

impl Record {
    /// The record of a run that begins, or goes on after the step `resumed`. `trainer` has drawn its initial weights and done
    /// nothing else.
    ///
    /// # Errors
    ///
    /// Files that cannot be read or written.
    pub(crate) fn open(
        config: Arc<RunConfig>,
        real: Samples,
        trainer: &Trainer,
        folder: RunFolder,
        resumed: Option<u64>,
        progress: Arc<Progress>,
    ) -> Result<Self> {
        let names = measures::running_names(config.system);
        let header = ["step", "epoch"].iter().chain(names).copied().collect::<Vec<_>>().join(",");
        let mut history = History::default();
        let metrics = LineFile::resume(folder.file(run_folder::METRICS)?, METRICS, resumed, |step, cells| {
            let number = |cell: usize| cells[cell].parse().unwrap_or(f64::NAN);
            history.push(StepReport {
                step,
                discriminator_loss: number(2),
                generator_loss: number(3),
                real_probability: number(4),
                fake_probability: number(5),
            });
        })?;
        let mut best = None;
        let column = names.iter().position(|&name| config.best.as_deref() == Some(name)).map(|index| index + 2);
        let evaluation = LineFile::resume(folder.file(run_folder::EVALUATION)?, &header, resumed, |_, cells| {
            if let (Some(name), Some(value)) = (config.best.as_deref(), column.and_then(|c| cells[c].parse().ok())) {
                best = Some(best.filter(|&best| !measures::is_better(name, value, best)).unwrap_or(value));
            }
        })?;
        let notes = BTreeMap::from([
            (CONFIG_NOTE.to_string(), super::config_file::render(&config)?),
            (DATA_NOTE.to_string(), real.fingerprint()),
        ]);
        let before = shown(&config, &trainer.model(), trainer.isa())?;
        Ok(Self {
            config,
            real,
            folder,
            isa: trainer.isa(),
            progress,
            metrics,
            flushed: Instant::now(),
            evaluation,
            history,
            before,
            best,
            notes,
        })
    }

    /// Adds the losses of a step that belongs to `epoch`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where lines cannot be written, which happens every few seconds.
    pub(crate) fn report(&mut self, report: &StepReport, epoch: u64) -> Result<()> {
        self.history.push(*report);
        self.metrics.push(&row(report, epoch));
        self.flush_if_due()
    }

    /// Writes what waits, if that was not done for a while.
    pub(crate) fn flush_if_due(&mut self) -> Result<()> {
        if self.flushed.elapsed() < BETWEEN_FLUSHES {
            return Ok(());
        }
        self.flushed = Instant::now();
        self.metrics.flush()
    }

    /// Records a snapshot of the run: whatever it asks for, the checkpoint last. Where that exists, all that came before it does.
    ///
    /// # Errors
    ///
    /// Files that cannot be written; measures that are not finite.
    pub(crate) fn snapshot(&mut self, snapshot: Snapshot, epoch: u64) -> Result<()> {
        let Snapshot { mut checkpoint, evaluate, save, epoch: whole } = snapshot;
        checkpoint.notes.clone_from(&self.notes);
        let spec = &self.config.spec;
        if let Some(whole) = whole {
            checkpoint.model().save(spec, &self.folder.file(&format!("models/epoch-{whole:03}.safetensors"))?)?;
        }
        let is_best = evaluate && self.evaluate(&checkpoint, epoch)?;
        let spec = &self.config.spec;
        if is_best {
            checkpoints::save_best(&self.folder, &checkpoint, spec)?;
        }
        if save {
            self.metrics.flush()?;
            checkpoints::save(&self.folder, &checkpoint, spec, self.config.keep)?;
        }
        Ok(())
    }

    /// Measures and draws the generator as it is now. Says whether it is the best so far.
    fn evaluate(&mut self, checkpoint: &Checkpoint, epoch: u64) -> Result<bool> {
        let (step, model) = (checkpoint.step(), checkpoint.model());
        let measures = measures::measure(&self.config, &self.real, model, Effort::Running, self.isa)?;
        let cells = [step, epoch].into_iter().map(|number| number.to_string());
        let line: Vec<String> = cells.chain(measures.iter().map(|measure| measure.value.to_string())).collect();
        let samples = shown(&self.config, model, self.isa)?;
        let title = format!("step {}", thousands(step));
        let picture = self.picture(&[Panel { title: &title, samples: &samples }], &measures)?;
        let name = picture_name(step);
        self.folder.write(&format!("{name}.png"), &picture)?;
        if let Some(row) = pictures::row(self.config.system, &samples)? {
            self.folder.write(&format!("{name}-row.png"), &row)?;
        }
        self.metrics.flush()?;
        self.evaluation.push(&line.join(","));
        self.evaluation.flush()?;
        let chosen = measures.iter().find(|measure| Some(measure.name) == self.config.best.as_deref());
        let is_best =
            chosen.is_some_and(|now| self.best.is_none_or(|best| measures::is_better(now.name, now.value, best)));
        if is_best {
            self.best = chosen.map(|measure| measure.value);
        }
        Ok(is_best)
    }

    /// Writes what a run that has ended leaves: the model, its picture, and how it learned.
    ///
    /// # Errors
    ///
    /// As [`Self::snapshot`].
    pub(crate) fn finish(&mut self, step: u64, model: &Model) -> Result<Learned> {
        let file = model.to_safetensors(&self.config.spec)?;
        self.folder.write(run_folder::MODEL, &file)?;
        self.progress.detail("measuring what was learned");
        let measures = measures::measure(&self.config, &self.real, model, Effort::Full { samples: None }, self.isa)?;
        let after = shown(&self.config, model, self.isa)?;
        let title = format!("after {} steps", thousands(step));
        let panels =
            [Panel { title: "before training", samples: &self.before }, Panel { title: &title, samples: &after }];
        self.folder.write(run_folder::SAMPLES, &self.picture(&panels, &measures)?)?;
        Ok(Learned { measures, model_sha256: output::sha256(&file) })
    }

    /// Writes what every run leaves, however it ended, but for its summary.
    ///
    /// # Errors
    ///
    /// Files that cannot be written.
    pub(crate) fn close(&mut self) -> Result<()> {
        self.metrics.flush()?;
        if let Some(losses) = self.history.picture(self.config.system.name(), self.config.spec.objective)? {
            self.folder.write(run_folder::LOSSES, &losses)?;
        }
        Ok(())
    }

    /// A picture of samples, headed by the settings and the first measures.
    fn picture(&self, panels: &[Panel<'_>], measures: &[Measure]) -> Result<Vec<u8>> {
        let config = &self.config;
        let mut subtitle = format!("batch {}, seed {}", config.batch, config.seed);
        for measure in &measures[..measures.len().min(2)] {
            subtitle += &format!(", {} {}", measure.name.replace('_', " "), measure.text(3));
        }
        let title = match panels {
            [panel] if config.system.image().is_some() => format!("{}, {}", config.system.name(), panel.title),
            [.., last] if config.system.image().is_some() => format!("{} {}", config.system.name(), last.title),
            _ => config.system.name().to_string(),
        };
        let heading = Heading { title: &title, subtitle: &subtitle };
        pictures::samples(config.system, heading, self.real.values(), panels)
    }
}

/// Refuses data that are not those that a run was trained on.
///
/// # Errors
///
/// [`Error::InvalidSetting`].
pub(crate) fn check_data(checkpoint: &Checkpoint, real: &Samples) -> Result<()> {
    match checkpoint.notes.get(DATA_NOTE) {
        Some(saved) if *saved != real.fingerprint() => {
            let problem = "the samples are not those that the run was trained on: give it its own, or allow the change with --override";
            Err(Error::setting("data", problem))
        }
        _ => Ok(()),
    }
}

/// Where the picture of an evaluation lies. At least six digits, so that names sort by step.
fn picture_name(step: u64) -> String {
    format!("samples/step-{step:06}")
}

/// The samples that pictures show: from the same latents throughout a run.
fn shown(config: &RunConfig, model: &Model, isa: Isa) -> Result<Vec<f32>> {
    model.sample(&config.spec, pictures::shown(config.system), config.seed, isa)
}

/// A row of `metrics.csv`. Numbers are written so that they read back as the same bits.
fn row(report: &StepReport, epoch: u64) -> String {
    format!(
        "{},{epoch},{},{},{},{}",
        report.step, report.discriminator_loss, report.generator_loss, report.real_probability, report.fake_probability
    )
}
