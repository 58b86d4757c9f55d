//! `gannet train`: trains in segments, and measures, draws and saves between them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration as Time, Instant};

use serde::Serialize;

use super::args::{ENGINES, TrainArgs, name_of};
use super::config::RunConfig;
use super::config_file;
use super::history::History;
use super::measures::{self, Effort, Measure};
use super::output;
use super::pictures::{self, Panel};
use super::plot::{Heading, thousands};
use super::progress::Progress;
use super::run_folder::{self, LineFile, RunFolder};
use super::system::Samples;
use crate::error::Result;
use crate::gan::model::Model;
use crate::gan::presets::Duration;
use crate::gan::{StepReport, Trainer};
use crate::net::NetworkSpec;
use crate::simd::Isa;

/// Evaluations of a run, if nothing else is asked for.
const EVALUATIONS: u64 = 10;
/// Rows of `metrics.csv`, if nothing else is asked for: enough for a curve.
const ROWS: u64 = 1_000;
/// Most steps between two of them: the progress moves with them.
const BETWEEN_ROWS: u64 = 100;
/// A run that is cut short loses the losses of no more than this time.
const BETWEEN_FLUSHES: Time = Time::from_secs(2);

/// Runs the command.
pub(crate) fn command(args: &TrainArgs) -> anyhow::Result<()> {
    let mut config = RunConfig::from_args(args)?;
    if let Some(out) = &args.out {
        run_folder::check_free(out)?;
    }
    let real = Samples::load(&config)?;
    let trainer = Trainer::new(config.spec.clone(), real.source(), config.trainer_options())?;
    let steps = resolve(&mut config, &trainer)?;
    if args.plan {
        return output::print(&plan(&config, &real, &trainer, steps));
    }
    let folder = RunFolder::create(args.out.as_deref(), config.system.name())?;
    folder.write(run_folder::CONFIG, config_file::render(&config)?.as_bytes())?;
    let progress = Progress::new(steps, config.batch, args.quiet);
    let mut run = Run::new(config, steps, real, trainer, folder, progress)?;
    let outcome = run.train();
    // Whatever happened, the losses so far are kept.
    let kept = run.metrics.flush();
    run.progress.finish();
    let summary = outcome?;
    kept?;
    run.folder.write(run_folder::RESULT, &json_lines(&summary))?;
    if args.json {
        output::print_json(&summary)
    } else if args.quiet {
        Ok(())
    } else {
        output::print(&run.text(&summary))
    }
}

/// Puts into `config` what only the trainer knows or what was left to be chosen; returns the steps of the run.
fn resolve(config: &mut RunConfig, trainer: &Trainer) -> Result<u64> {
    let steps = match config.duration {
        Duration::Epochs(epochs) => trainer.steps_for_epochs(epochs),
        Duration::Steps(steps) => steps,
    };
    config.threads = trainer.options().threads;
    config.isa = Some(trainer.isa().kind());
    config.evaluate_every.get_or_insert(steps.div_ceil(EVALUATIONS).max(1));
    config.report_every.get_or_insert(steps.div_ceil(ROWS).clamp(1, BETWEEN_ROWS));
    if let Some(directory) = &mut config.directory {
        *directory = std::path::absolute(&*directory).map_err(run_folder::refused("find", directory))?;
    }
    Ok(steps)
}

/// What `--plan` prints.
fn plan(config: &RunConfig, real: &Samples, trainer: &Trainer, steps: u64) -> String {
    let spec = &config.spec;
    let (generator, discriminator) = (widths(&spec.generator), widths(&spec.discriminator));
    let weights = spec.generator.weights() + spec.discriminator.weights();
    let models = match config.save_epochs {
        0 => String::new(),
        every => {
            let count = steps / trainer.steps_for_epochs(every).max(1);
            let mib = (4 * weights) as f64 * count as f64 / (1024.0 * 1024.0);
            format!("checkpoints  {count}, {mib:.0} MiB\n")
        }
    };
    format!(
        "system       {}, {} samples\nnetworks     G {generator}, D {discriminator}\nsteps        {} of {} samples\nlayout       {}\nengine       {} on {}\nwork         {} FLOP a sample\n{models}",
        config.system.name(),
        thousands(real.source().len() as u64),
        thousands(steps),
        config.batch,
        trainer.plan(),
        name_of(ENGINES, &config.engine),
        trainer.isa().kind(),
        thousands(spec.flop_per_sample()),
    )
}

/// The widths of a network, from its inputs to its outputs: `2-16-32-2`.
fn widths(network: &NetworkSpec) -> String {
    let first = network.layers.first().map(|layer| layer.inputs);
    let widths = first.into_iter().chain(network.layers.iter().map(|layer| layer.outputs));
    widths.map(|width| width.to_string()).collect::<Vec<_>>().join("-")
}

/// What a run came to: `run.json`, and the object that `--json` prints.
#[derive(Serialize)]
struct Summary {
    run: String,
    system: &'static str,
    steps: u64,
    epochs: f64,
    /// Time in steps, without measuring and drawing.
    seconds: f64,
    samples_per_second: f64,
    discriminator_loss: f64,
    generator_loss: f64,
    real_probability: f64,
    fake_probability: f64,
    metrics: BTreeMap<&'static str, f64>,
    /// Of `model.safetensors`, which holds names, shapes and parameters and nothing else: the same bits, the same hash.
    model_sha256: String,
    total_seconds: f64,
    batch: usize,
    seed: u64,
    threads: usize,
    engine: &'static str,
    isa: String,
    version: &'static str,
    #[serde(skip)]
    measures: Vec<Measure>,
}

/// A run in progress.
struct Run {
    config: RunConfig,
    steps: u64,
    /// Real samples that there are, and that a step draws.
    samples: u64,
    per_step: u64,
    real: Samples,
    trainer: Trainer,
    folder: RunFolder,
    progress: Progress,
    metrics: LineFile,
    evaluation: LineFile,
    history: History,
    /// Samples before training, from the latents that all pictures share.
    before: Vec<f32>,
}

impl Run {
    fn new(
        config: RunConfig,
        steps: u64,
        real: Samples,
        trainer: Trainer,
        folder: RunFolder,
        progress: Progress,
    ) -> Result<Self> {
        let metrics = LineFile::create(
            folder.file(run_folder::METRICS)?,
            "step,epoch,discriminator_loss,generator_loss,real_probability,fake_probability",
        )?;
        let names: Vec<&str> =
            ["step", "epoch"].into_iter().chain(measures::running_names(config.system).iter().copied()).collect();
        let evaluation = LineFile::create(folder.file(run_folder::EVALUATION)?, &names.join(","))?;
        let before = shown(&config, &trainer.model(), trainer.isa())?;
        let history = History::default();
        let samples = real.source().len() as u64;
        let per_step = (config.batch as u64).saturating_mul(config.spec.discriminator_steps as u64);
        Ok(Self {
            config,
            steps,
            samples,
            per_step,
            real,
            trainer,
            folder,
            progress,
            metrics,
            evaluation,
            history,
            before,
        })
    }

    /// The whole run; returns what it came to.
    fn train(&mut self) -> Result<Summary> {
        let start = Instant::now();
        self.progress.message(&format!("training {} into {}", self.config.system.name(), self.folder.path().display()));
        self.evaluate()?;
        let mut last = None;
        while self.trainer.steps_done() < self.steps {
            last = self.segment()?.or(last);
            let done = self.trainer.steps_done();
            if self.checkpoint_is_due(done) {
                let epoch = whole_epochs(self.drawn(done), self.samples);
                let name = format!("checkpoints/epoch-{epoch:03}.safetensors");
                self.trainer.model().save(&self.config.spec, &self.folder.file(&name)?)?;
            }
            if done == self.steps || done.is_multiple_of(self.evaluate_every()) {
                self.evaluate()?;
            }
        }
        let model = self.trainer.model();
        let file = model.to_safetensors(&self.config.spec)?;
        self.folder.write(run_folder::MODEL, &file)?;
        let isa = self.trainer.isa();
        self.progress.message("measuring what was learned");
        let measures = measures::measure(&self.config, &self.real, &model, Effort::Full { samples: None }, isa)?;
        let after = shown(&self.config, &model, isa)?;
        let title = format!("after {} steps", thousands(self.steps));
        let panels =
            [Panel { title: "before training", samples: &self.before }, Panel { title: &title, samples: &after }];
        self.folder.write(run_folder::SAMPLES, &self.picture(&panels, &measures)?)?;
        Ok(self.summary(last, measures, output::sha256(&file), start.elapsed()))
    }

    /// Steps up to the next evaluation, checkpoint or end.
    fn segment(&mut self) -> Result<Option<StepReport>> {
        let done = self.trainer.steps_done();
        let evaluation = (done / self.evaluate_every() + 1).saturating_mul(self.evaluate_every());
        let until = self.steps.min(evaluation).min(self.next_checkpoint(done));
        let (per_step, samples) = (self.per_step, self.samples);
        let report_every = self.config.report_every.unwrap_or(0);
        let (progress, metrics, history) = (&mut self.progress, &mut self.metrics, &mut self.history);
        let mut flushed = Instant::now();
        let mut failure = None;
        progress.resume();
        let last = self.trainer.run(until - done, report_every, |report| {
            history.push(*report);
            metrics.push(&row(report, epoch(report.step, per_step, samples)));
            progress.report(report);
            if flushed.elapsed() > BETWEEN_FLUSHES {
                flushed = Instant::now();
                failure = metrics.flush().err();
            }
            if failure.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        progress.pause();
        failure.map_or(last, Err)
    }

    /// Measures and draws the generator as it is now.
    fn evaluate(&mut self) -> Result<()> {
        let (step, isa) = (self.trainer.steps_done(), self.trainer.isa());
        let model = self.trainer.model();
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
        let title = match panels {
            [panel] if config.system.image().is_some() => format!("{}, {}", config.system.name(), panel.title),
            [.., last] if config.system.image().is_some() => format!("{} {}", config.system.name(), last.title),
            _ => config.system.name().to_string(),
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
    fn next_checkpoint(&self, done: u64) -> u64 {
        let every = self.config.save_epochs;
        if every == 0 {
            return u64::MAX;
        }
        let epoch = (whole_epochs(self.drawn(done), self.samples) / every + 1).saturating_mul(every);
        self.trainer.steps_for_epochs(epoch)
    }

    fn checkpoint_is_due(&self, done: u64) -> bool {
        done > 0 && self.next_checkpoint(done - 1) == done
    }

    fn summary(&self, last: Option<StepReport>, measures: Vec<Measure>, model_sha256: String, total: Time) -> Summary {
        let config = &self.config;
        let steps = self.trainer.steps_done();
        let seconds = self.progress.trained().as_secs_f64();
        let of = |value: fn(&StepReport) -> f64| last.as_ref().map_or(f64::NAN, value);
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
            total_seconds: total.as_secs_f64(),
            batch: config.batch,
            seed: config.seed,
            threads: config.threads,
            engine: name_of(ENGINES, &config.engine),
            isa: self.trainer.isa().kind().to_string(),
            version: env!("CARGO_PKG_VERSION"),
            measures,
        }
    }

    /// The end of a run for people.
    fn text(&self, summary: &Summary) -> String {
        format!(
            "{}: {} steps in {:.2} s, {} samples/s\n\n{}{}\nmodel      {}\nlook at {}\n",
            summary.run,
            thousands(summary.steps),
            summary.seconds,
            thousands(summary.samples_per_second.round() as u64),
            measures::measure_table(&summary.measures),
            measures::remark(&self.config).map(|remark| format!("\n{remark}\n")).unwrap_or_default(),
            summary.model_sha256,
            self.folder.path().join(run_folder::SAMPLES).display()
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

fn json_lines(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(value)
        .map(|mut bytes| {
            bytes.push(b'\n');
            bytes
        })
        .unwrap_or_default()
}
