//! One run of `gannet train`: steps in turns, with measuring, drawing and saving between them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration as Time, Instant};

use serde::Serialize;

use super::args::{ENGINES, name_of};
use super::config::RunConfig;
use super::config_file;
use super::history::History;
use super::measures::{self, Effort, Measure};
use super::output;
use super::pictures::{self, Panel};
use super::plot::{Heading, thousands};
use super::progress::{Progress, Stopwatch};
use super::run_folder::{self, LineFile, RunFolder};
use super::system::Samples;
use crate::error::Result;
use crate::gan::model::Model;
use crate::gan::{StepReport, Trainer};
use crate::simd::Isa;

/// A run that is cut short loses the losses of no more than this time.
const BETWEEN_FLUSHES: Time = Time::from_secs(2);

/// What a run came to: `run.json`, and the object that `--json` prints.
#[derive(Serialize)]
pub(crate) struct Summary {
    run: String,
    system: &'static str,
    pub(crate) steps: u64,
    epochs: f64,
    /// Time in steps, without measuring and drawing.
    pub(crate) seconds: f64,
    samples_per_second: f64,
    pub(crate) discriminator_loss: f64,
    pub(crate) generator_loss: f64,
    real_probability: f64,
    fake_probability: f64,
    metrics: BTreeMap<&'static str, f64>,
    /// Of `model.safetensors`, which holds names, shapes and parameters and nothing else: the same bits, the same hash.
    model_sha256: String,
    total_seconds: f64,
    batch: usize,
    pub(crate) seed: u64,
    threads: usize,
    engine: &'static str,
    isa: String,
    version: &'static str,
    #[serde(skip)]
    pub(crate) measures: Vec<Measure>,
}

/// What a run has learned: its measures, and the hash of the model's file.
struct Learned {
    measures: Vec<Measure>,
    model_sha256: String,
}

/// A run in progress. Its trainer stands beside it.
pub(crate) struct Run {
    /// Its number among the runs of the command.
    index: usize,
    config: RunConfig,
    steps: u64,
    /// Real samples that there are, and that a step draws.
    samples: u64,
    per_step: u64,
    real: Samples,
    folder: RunFolder,
    metrics: LineFile,
    evaluation: LineFile,
    history: History,
    /// Samples before training, from the latents that all pictures share.
    before: Vec<f32>,
    last: Option<StepReport>,
    /// Time in steps.
    stopwatch: Stopwatch,
    /// Time in turns that have ended.
    busy: Time,
    /// What it came to, once it has ended.
    outcome: Option<Result<Summary>>,
}

impl Run {
    /// Writes the settings into the folder and opens its files.
    pub(crate) fn new(
        index: usize,
        config: RunConfig,
        steps: u64,
        real: Samples,
        trainer: &Trainer,
        folder: RunFolder,
    ) -> Result<Self> {
        folder.write(run_folder::CONFIG, config_file::render(&config)?.as_bytes())?;
        let metrics = LineFile::create(
            folder.file(run_folder::METRICS)?,
            "step,epoch,discriminator_loss,generator_loss,real_probability,fake_probability",
        )?;
        let names: Vec<&str> =
            ["step", "epoch"].into_iter().chain(measures::running_names(config.system).iter().copied()).collect();
        let evaluation = LineFile::create(folder.file(run_folder::EVALUATION)?, &names.join(","))?;
        let before = shown(&config, &trainer.model(), trainer.isa())?;
        let samples = real.source().len() as u64;
        let per_step = (config.batch as u64).saturating_mul(config.spec.discriminator_steps as u64);
        Ok(Self {
            index,
            config,
            steps,
            samples,
            per_step,
            real,
            folder,
            metrics,
            evaluation,
            history: History::default(),
            before,
            last: None,
            stopwatch: Stopwatch::default(),
            busy: Time::ZERO,
            outcome: None,
        })
    }

    /// One turn: the steps up to the next evaluation, checkpoint or end, and what is then due. Says whether the run goes on.
    pub(crate) fn turn(&mut self, trainer: &mut Trainer, progress: &Progress) -> ControlFlow<()> {
        let start = Instant::now();
        let advanced = self.advance(trainer, progress);
        self.busy += start.elapsed();
        self.outcome = match advanced {
            Ok(None) => return ControlFlow::Continue(()),
            Ok(Some(learned)) => Some(self.conclude(trainer, learned)),
            Err(error) => {
                // The losses so far are kept; if that fails too, the first failure is the one to tell.
                self.metrics.flush().ok();
                progress.give_up(self.index);
                Some(Err(error))
            }
        };
        ControlFlow::Break(())
    }

    /// What the run came to; `None` while it goes on.
    pub(crate) fn into_outcome(self) -> Option<Result<Summary>> {
        self.outcome
    }

    /// Steps of the whole run.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// The settings.
    pub(crate) fn config(&self) -> &RunConfig {
        &self.config
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// The work of a turn. Returns what was learned, once all steps are done.
    fn advance(&mut self, trainer: &mut Trainer, progress: &Progress) -> Result<Option<Learned>> {
        if trainer.steps_done() == 0 {
            self.evaluate(trainer)?;
        }
        self.last = self.segment(trainer, progress)?.or(self.last);
        let done = trainer.steps_done();
        if self.checkpoint_is_due(trainer, done) {
            let epoch = whole_epochs(self.drawn(done), self.samples);
            let name = format!("checkpoints/epoch-{epoch:03}.safetensors");
            trainer.model().save(&self.config.spec, &self.folder.file(&name)?)?;
        }
        if done == self.steps || done.is_multiple_of(self.evaluate_every()) {
            self.evaluate(trainer)?;
        }
        if done < self.steps {
            return Ok(None);
        }
        let model = trainer.model();
        let file = model.to_safetensors(&self.config.spec)?;
        self.folder.write(run_folder::MODEL, &file)?;
        let isa = trainer.isa();
        progress.detail("measuring what was learned");
        let measures = measures::measure(&self.config, &self.real, &model, Effort::Full { samples: None }, isa)?;
        let after = shown(&self.config, &model, isa)?;
        let title = format!("after {} steps", thousands(self.steps));
        let panels =
            [Panel { title: "before training", samples: &self.before }, Panel { title: &title, samples: &after }];
        self.folder.write(run_folder::SAMPLES, &self.picture(&panels, &measures)?)?;
        Ok(Some(Learned { measures, model_sha256: output::sha256(&file) }))
    }

    /// Writes what the run came to.
    fn conclude(&mut self, trainer: &Trainer, learned: Learned) -> Result<Summary> {
        self.metrics.flush()?;
        let summary = self.summary(trainer, learned);
        self.folder.write(run_folder::RESULT, &run_folder::json(&summary))?;
        Ok(summary)
    }

    /// Steps up to the next evaluation, checkpoint or end.
    fn segment(&mut self, trainer: &mut Trainer, progress: &Progress) -> Result<Option<StepReport>> {
        let done = trainer.steps_done();
        let evaluation = (done / self.evaluate_every() + 1).saturating_mul(self.evaluate_every());
        let until = self.steps.min(evaluation).min(self.next_checkpoint(trainer, done));
        let (index, per_step, samples) = (self.index, self.per_step, self.samples);
        let report_every = self.config.report_every.unwrap_or(0);
        let (stopwatch, metrics, history) = (&mut self.stopwatch, &mut self.metrics, &mut self.history);
        let mut flushed = Instant::now();
        let mut failure = None;
        stopwatch.start();
        let last = trainer.run(until - done, report_every, |report| {
            history.push(*report);
            metrics.push(&row(report, epoch(report.step, per_step, samples)));
            progress.report(index, report, stopwatch.elapsed());
            if flushed.elapsed() > BETWEEN_FLUSHES {
                flushed = Instant::now();
                failure = metrics.flush().err();
            }
            if failure.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        stopwatch.stop();
        failure.map_or(last, Err)
    }

    /// Measures and draws the generator as it is now.
    fn evaluate(&mut self, trainer: &Trainer) -> Result<()> {
        let (step, isa) = (trainer.steps_done(), trainer.isa());
        let model = trainer.model();
        let measures = measures::measure(&self.config, &self.real, &model, Effort::Running, isa)?;
        let cells = [step, epoch(step, self.per_step, self.samples)].into_iter().map(|number| number.to_string());
        let line: Vec<String> = cells.chain(measures.iter().map(|measure| measure.value.to_string())).collect();
        self.evaluation.push(&line.join(","));
        self.evaluation.flush()?;
        self.metrics.flush()?;
        let samples = shown(&self.config, &model, isa)?;
        // At least six digits, so that names sort by step.
        let name = format!("samples/step-{step:06}");
        let title = format!("step {}", thousands(step));
        self.folder
            .write(&format!("{name}.png"), &self.picture(&[Panel { title: &title, samples: &samples }], &measures)?)?;
        if let Some(row) = pictures::row(self.config.system, &samples)? {
            self.folder.write(&format!("{name}-row.png"), &row)?;
        }
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
        let name = config.title();
        let title = match panels {
            [panel] if config.system.image().is_some() => format!("{name}, {}", panel.title),
            [.., last] if config.system.image().is_some() => format!("{name} {}", last.title),
            _ => name,
        };
        let heading = Heading { title: &title, subtitle: &subtitle };
        pictures::samples(config.system, heading, self.real.values(), panels)
    }

    fn evaluate_every(&self) -> u64 {
        self.config.evaluate_every.unwrap_or(self.steps).max(1)
    }

    /// Real samples drawn in `step` steps.
    fn drawn(&self, step: u64) -> u128 {
        u128::from(step) * u128::from(self.per_step)
    }

    /// The step after `done` at which the model is saved: the first at which the next epoch to be saved is complete.
    fn next_checkpoint(&self, trainer: &Trainer, done: u64) -> u64 {
        let every = self.config.save_epochs;
        if every == 0 {
            return u64::MAX;
        }
        let epoch = (whole_epochs(self.drawn(done), self.samples) / every + 1).saturating_mul(every);
        trainer.steps_for_epochs(epoch)
    }

    fn checkpoint_is_due(&self, trainer: &Trainer, done: u64) -> bool {
        done > 0 && self.next_checkpoint(trainer, done - 1) == done
    }

    fn summary(&self, trainer: &Trainer, learned: Learned) -> Summary {
        let Learned { measures, model_sha256 } = learned;
        let config = &self.config;
        let steps = trainer.steps_done();
        let seconds = self.stopwatch.elapsed().as_secs_f64();
        let of = |value: fn(&StepReport) -> f64| self.last.as_ref().map_or(f64::NAN, value);
        Summary {
            run: self.folder.path().display().to_string(),
            system: config.system.name(),
            steps,
            epochs: self.drawn(steps) as f64 / self.samples as f64,
            seconds,
            samples_per_second: steps as f64 * config.batch as f64 / seconds,
            discriminator_loss: of(|report| report.discriminator_loss),
            generator_loss: of(|report| report.generator_loss),
            real_probability: of(|report| report.real_probability),
            fake_probability: of(|report| report.fake_probability),
            metrics: measures.iter().map(|measure| (measure.name, measure.value)).collect(),
            model_sha256,
            total_seconds: self.busy.as_secs_f64(),
            batch: config.batch,
            seed: config.seed,
            threads: config.threads,
            engine: name_of(ENGINES, &config.engine),
            isa: trainer.isa().kind().to_string(),
            version: env!("CARGO_PKG_VERSION"),
            measures,
        }
    }
}

impl Summary {
    /// The end of the run for people.
    pub(crate) fn text(&self, remark: Option<&str>) -> String {
        format!(
            "{}: {} steps in {:.2} s, {} samples/s\n\n{}{}\nmodel      {}\nlook at {}\n",
            self.run,
            thousands(self.steps),
            self.seconds,
            thousands(self.samples_per_second.round() as u64),
            measures::measure_table(&self.measures),
            remark.map(|remark| format!("\n{remark}\n")).unwrap_or_default(),
            self.model_sha256,
            Path::new(&self.run).join(run_folder::SAMPLES).display()
        )
    }
}

/// The samples that pictures show: from the same latents throughout a run.
fn shown(config: &RunConfig, model: &Model, isa: Isa) -> Result<Vec<f32>> {
    model.sample(&config.spec, pictures::shown(config.system), config.seed, isa)
}

/// The passes over `samples` samples that are complete when `drawn` of them have been drawn.
fn whole_epochs(drawn: u128, samples: u64) -> u64 {
    u64::try_from(drawn / u128::from(samples.max(1))).unwrap_or(u64::MAX)
}

/// The epoch, counted from 1, that the first sample of step `step`, counted from 1, belongs to; 0 before the first step.
fn epoch(step: u64, per_step: u64, samples: u64) -> u64 {
    step.checked_sub(1).map_or(0, |before| whole_epochs(u128::from(before) * u128::from(per_step), samples) + 1)
}

/// A row of `metrics.csv`. Numbers are written so that they read back as the same bits.
fn row(report: &StepReport, epoch: u64) -> String {
    format!(
        "{},{epoch},{},{},{},{}",
        report.step, report.discriminator_loss, report.generator_loss, report.real_probability, report.fake_probability
    )
}
