//! Runs with their data and trainers, ready to train: as new ones, or from where they stopped.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use gannet::gan::presets::Duration;
use gannet::gan::{RateDecay, Replicas, Trainer};
use gannet::internals::engine;
use gannet::internals::numbers::thousands;
use gannet::net::NetworkSpec;
use gannet::{Error, Result};

use crate::data::address_space;
use crate::data::own::OwnData;
use crate::data::samples::Samples;
use crate::data::table;
use crate::folder::run_folder::{self, RunFolder};
use crate::history::legs::Legs;
use crate::job::Job;
use crate::numbers::{counted, counted_replicas};
use crate::report::Live;
use crate::run::beside::Beside;
use crate::run::budget::Budget;
use crate::run::expectation::{self, Disk};
use crate::run::record::Record;
use crate::run::replicas;
use crate::run::request::Request;
use crate::run::schedule::{self, Schedule};
use crate::run::start::Start;
use crate::run::stop::Stop;
use crate::run::threads;
use crate::run::train::Run;
use crate::run::trained::Trained;
use crate::settings::config::RunConfig;
use crate::settings::config_file;
use crate::settings::config_text;
use crate::settings::loading;
use crate::terminal::output;
use crate::terminal::progress::Progress;
use gannet_settings::values::{ENGINES, name_of};

/// Rows of `metrics.csv`, if nothing else is asked for: enough for a curve.
const ROWS: u64 = 1_000;
/// Most steps between two of them: the progress moves with them.
const BETWEEN_ROWS: u64 = 100;

/// Trainers with their data and settings, before their first step.
pub(crate) struct Prepared {
    /// Of the first run.
    pub(crate) config: RunConfig,
    /// The threads that were asked for.
    asked_threads: usize,
    /// Whether the runs are replicas, each in a folder of its own in that of the command.
    pub(crate) replicated: bool,
    pub(crate) steps: u64,
    pub(crate) gans: Replicas<'static>,
    pub(crate) data: Vec<Samples>,
    /// What they take of memory.
    budget: Budget,
    /// What each process of a job does.
    table: Option<String>,
}

/// The text of the settings of a run with the history `legs`.
///
/// # Errors
///
/// Settings that could not be read back.
pub(crate) fn settings_text(config: &RunConfig, legs: &Legs) -> Result<String> {
    let text = config_text::render(config, &legs.claim())?;
    config_file::check_readable(&text, config.own.as_ref().and_then(OwnData::fitted).as_ref())?;
    Ok(text)
}

impl Prepared {
    /// Loads the data and makes the trainers of one run, or of `replicas`. A plan of mnist does without its files.
    ///
    /// # Errors
    ///
    /// Data that cannot be had, settings that do not fit them.
    pub(crate) fn new(
        mut config: RunConfig,
        replicas: Option<usize>,
        is_plan: bool,
        stop: &Stop,
        job: Option<Job>,
    ) -> anyhow::Result<Self> {
        let count = replicas.unwrap_or(1);
        replicas::check_seeds(config.seed, count)?;
        let mut data: Vec<Samples> = Vec::new();
        if let Some(job) = job.as_ref().filter(|_| config.threads == 0) {
            config.threads = job.threads;
        }
        let mut options = config.trainer_options();
        options.stop = Some(stop.flag());
        let has_stand_in = is_plan && config.preset.reads_folder() && config.directory.is_none();
        config.own.as_mut().map_or(Ok(()), OwnData::load)?;
        let first = if has_stand_in { Samples::stand_in()? } else { loading::load(&config)? };
        config.resolve_schedule(first.len())?;
        // What the trainers may take is what everything else leaves.
        let beside = Budget::of(&config, &first, count);
        let allowed = address_space::allowed(config.memory_limit, beside.workers());
        options.memory_limit = allowed.map(|allowed| beside.left(allowed.bytes));
        let mut first = Some(first);
        let table = job.as_ref().map(|job| job.table(&config)).transpose()?;
        let exchange = job.map(|job| job.exchange);
        let mut source = |seed| {
            let real = match (first.take(), data.first()) {
                (Some(first), _) => first,
                (None, Some(first)) => loading::of_seed(first, &config, seed)?,
                (None, None) => loading::load(&config)?,
            };
            let source = config.source(&real, seed)?;
            data.push(real);
            Ok(source)
        };
        let made = match exchange {
            None => Replicas::new(&config.spec, count, options, source),
            Some(exchange) => source(config.seed).and_then(|source| {
                Trainer::with_exchange(config.spec.clone(), source, options, exchange).map(engine::single)
            }),
        };
        let gans = made.map_err(|error| match error {
            Error::MemoryLimit { needed, .. } => beside.clone().with_training(needed).refusal(allowed),
            other => other,
        })?;
        let training = gans.trainers().iter().map(|trainer| trainer.plan().memory).fold(0, u64::saturating_add);
        let budget = beside.with_training(training);
        let asked_threads = config.threads;
        let steps = resolve(&mut config, &gans.trainers()[0])?;
        Ok(Self { config, asked_threads, replicated: replicas.is_some(), steps, gans, data, budget, table })
    }

    /// Does what the process that leads the job does, until that is done.
    ///
    /// # Errors
    ///
    /// What ends the training of all, or of this process.
    pub(crate) fn follow(mut self, stop: &Stop) -> anyhow::Result<()> {
        stop.ask_first();
        match self.gans.trainers_mut().iter_mut().try_for_each(Trainer::follow) {
            // It is the same in all processes, and the one that leads tells of it.
            Err(Error::NotFinite { .. }) => Ok(()),
            outcome => Ok(outcome?),
        }
    }

    /// Ends what the other processes of a job follow, if there are some. Where the training has failed, they have heard of it, or are gone.
    pub(crate) fn dismiss(&mut self) {
        self.gans.trainers_mut().iter_mut().for_each(|trainer| trainer.dismiss().unwrap_or_default());
    }

    /// The runs: index, settings, data and trainer of each.
    pub(crate) fn each(&self) -> impl Iterator<Item = (usize, RunConfig, &Samples, &Trainer<'static>)> {
        let runs = self.data.iter().zip(self.gans.trainers()).enumerate();
        runs.map(|(index, (real, trainer))| {
            (index, RunConfig { seed: trainer.options().seed, ..self.config.clone() }, real, trainer)
        })
    }

    /// Trains all runs to their end, or until they are stopped, each from its start, and tells what they came to.
    ///
    /// # Errors
    ///
    /// What a run reports: it failed, or was stopped.
    pub(crate) fn train(
        self,
        request: Request,
        folder: &RunFolder,
        starts: Vec<Start>,
        stop: &Stop,
    ) -> anyhow::Result<()> {
        self.run(request, folder, starts, stop)?.tell(request, folder, stop)
    }

    /// Trains all runs to their end, or until they are stopped, each from its start.
    ///
    /// # Errors
    ///
    /// What keeps the runs from beginning. What ends one of them is in what they came to.
    pub(crate) fn run(
        mut self,
        request: Request,
        folder: &RunFolder,
        starts: Vec<Start>,
        stop: &Stop,
    ) -> anyhow::Result<Trained> {
        let count = self.data.len();
        let (steps, workers) = (self.steps, engine::workers(&self.gans));
        let done: Vec<u64> = starts.iter().map(|start| start.resumed().unwrap_or(0)).collect();
        let progress =
            Arc::new(Progress::new(steps, self.config.batch, workers, request.quiet, &done).of(request.part));
        let mut records = Vec::with_capacity(count);
        let pages_each = if self.replicated { 2 } else { 1 };
        let parts = || (0..count).map(|index| folder.path().join(run_folder::replica(index)));
        let folders = if self.replicated { parts().collect() } else { vec![folder.path().to_path_buf()] };
        let of_all = folders.into_iter().zip(done.iter().copied()).collect();
        let page = Arc::new(Live::new(folder.path(), of_all, steps, pages_each));
        let mut pages = Vec::new();
        for (index, config, real, trainer) in self.each() {
            let own = if self.replicated { folder.existing_part(&run_folder::replica(index))? } else { folder.clone() };
            let (config, shown, start) = (Arc::new(config), Arc::clone(&progress), &starts[index]);
            let samples = real.len() as u64;
            let schedule = Schedule::new(&config, steps, samples, start.saved.as_ref());
            progress.expect(index, schedule.evaluations_after(start.resumed()));
            let data = real.clone();
            let mut record = Record::open(index, config, data, trainer, own.clone(), (start, &schedule), shown)?;
            if self.replicated {
                let path = own.path();
                let own_page = Arc::new(Live::new(path, vec![(path.to_path_buf(), done[index])], steps, 2));
                record.follow(Arc::clone(&own_page));
                pages.push(own_page);
            }
            record.follow(Arc::clone(&page));
            records.push((own, schedule, record));
        }
        // Only now: the record shows the state before training.
        for (trainer, start) in self.gans.trainers_mut().iter_mut().zip(&starts) {
            start.saved.as_ref().map_or(Ok(()), |saved| trainer.restore(saved, start.changes))?;
            trainer.share_state()?;
        }
        // All that can be refused has been: from here on the folder changes.
        if self.replicated && starts.iter().any(Start::goes_back) {
            folder.remove(run_folder::RESULT)?;
        }
        let mut runs = Vec::with_capacity(count);
        for ((index, config, real, _), (start, (own, schedule, mut record))) in
            self.each().zip(starts.iter().zip(records))
        {
            start.enter(&own, &config, real.len() as u64)?;
            record.begin(start)?;
            let last = record.last_row();
            // Replicas keep all threads busy by themselves.
            let record =
                if self.replicated { Beside::here(record) } else { Beside::there(record, self.budget.waiting())? };
            runs.push(Run::new(index, Arc::new(config), schedule, start, own, (record, last), stop.clone()));
        }
        let trains = starts.iter().any(|start| start.completes.is_none());
        drop(starts);
        let of = if self.replicated { format!("{} of ", counted_replicas(count)) } else { String::new() };
        let name = self.config.preset.name();
        let from = match done.iter().min() {
            Some(0) | None => String::new(),
            Some(&step) => format!(" on from step {}", thousands(step)),
        };
        if let Some(fewer) = threads::fewer_threads(self.asked_threads, self.gans.threads()) {
            progress.message(&fewer);
        }
        if let Some(table) = self.table.as_ref().filter(|_| trains) {
            progress.message(table);
        }
        if trains {
            if let Some(codec) =
                self.config.own.as_ref().and_then(OwnData::codec).filter(|_| done.iter().all(|step| *step == 0))
            {
                progress.message(&format!("columns:\n  {}", table::columns_text(codec.form(), "  ").trim_end()));
            }
            let disk = self.disk().remark();
            progress.message(&format!("training {of}{name}{from} into {}{disk}", output::printable(folder.path())));
        }
        let schedule = self.config.spec.schedule;
        if trains && schedule.decay != RateDecay::Constant && steps > schedule.steps {
            let end = thousands(schedule.steps);
            progress.message(&format!("the schedule of the learning rates ends with step {end}, whose rates stay"));
        }
        // The common page leads to those of the replicas.
        pages.push(Arc::clone(&page));
        pages.iter().try_for_each(|page| page.begin())?;
        if request.open {
            open_page(page.path(), &progress);
        }
        let start = Instant::now();
        engine::take_turns(&mut self.gans, &mut runs, |_, trainer, run| run.turn(trainer, &progress));
        self.dismiss();
        progress.finish();
        let Self { config, replicated, gans, .. } = self;
        Ok(Trained { config, replicated, gans, runs, took: start.elapsed() })
    }

    /// What `--plan` prints. For the time that the run takes a few steps are made.
    pub(crate) fn plan(&mut self) -> String {
        let step = expectation::time_of_a_step(&mut self.gans);
        let (config, trainer) = (&self.config, &self.gans.trainers()[0]);
        let spec = &config.spec;
        let (generator, discriminator) = (widths(&spec.generator), widths(&spec.discriminator));
        let runs = self.data.len() as u64;
        let disk = self.disk();
        let steps = self.steps.saturating_mul(runs.div_ceil(engine::workers(&self.gans) as u64));
        let time = step.map_or_else(|error| format!("unknown: {error}"), |step| expectation::time(step, steps));
        let fitted = config.fitted_discriminator().map(|fitted| format!("objective    {fitted}\n")).unwrap_or_default();
        let is_assumed = config.preset.reads_folder() && config.directory.is_none();
        let assumed = if is_assumed { ", assumed: no --data is given" } else { "" };
        let codec = config.own.as_ref().and_then(OwnData::codec);
        let columns = codec
            .map(|codec| format!("columns      {}", table::columns_text(codec.form(), "             ")))
            .unwrap_or_default();
        let conditions = conditions(config).map(|told| format!("conditions   {told}\n")).unwrap_or_default();
        let replicas = if self.replicated { replicas::plan(&self.gans) } else { String::new() };
        format!(
            "preset       {}, {} samples{assumed}\n{columns}{conditions}networks     G {generator}, D {discriminator}\n{fitted}steps        {} of {}\nlayout       {}\nengine       {} on {}\nwork         {} FLOP a sample\nmemory       {}\ntime         {time}\ndisk         {disk}\n{replicas}",
            config.preset.name(),
            thousands(self.data[0].len() as u64),
            thousands(self.steps),
            counted(config.batch as u64, "sample"),
            trainer.plan(),
            name_of(ENGINES, &config.engine),
            trainer.isa().kind(),
            thousands(spec.flop_per_sample()),
            self.budget,
        )
    }

    /// What the runs will take of the disk.
    fn disk(&self) -> Disk {
        let (config, trainer) = (&self.config, &self.gans.trainers()[0]);
        let models = match config.save_epochs {
            0 => 0,
            every => self.steps / trainer.steps_for_epochs(every).max(1),
        };
        let evaluations = schedule::evaluations(config.evaluate_every, self.steps);
        Disk::new(config, models, evaluations, self.data.len() as u64)
    }
}

/// What both networks are told of each sample, if they are.
fn conditions(config: &RunConfig) -> Option<String> {
    /// Classes that are named.
    const NAMED: usize = 5;
    let classes = config.classes()?;
    let from = config.own.as_ref().and_then(|own| own.labels.as_ref()).map_or("digit", |labels| labels.from.as_str());
    let total = classes.counts().iter().sum::<u64>().max(1) as f64;
    let share = |count: u64| match (1_000.0 * count as f64 / total).round() / 10.0 {
        0.0 if count > 0 => "below 0.1".to_string(),
        share => share.to_string(),
    };
    let each = classes.names().iter().zip(classes.counts()).take(NAMED);
    let mut named: Vec<String> =
        each.map(|(name, count)| format!("{} {} %", output::one_line(name), share(*count))).collect();
    let more = classes.len().saturating_sub(NAMED);
    named.extend((more > 0).then(|| format!("{more} more")));
    let balanced = if config.balance { "; balanced in training" } else { "" };
    let count = counted(classes.len() as u64, "class");
    Some(format!("{}, {count}: {}{balanced}", output::one_line(from), named.join(", ")))
}

/// Opens a page with the program that `$BROWSER` names, or with the system's. That it cannot be opened is no reason not to train.
fn open_page(path: &Path, progress: &Progress) {
    let opened = match std::env::var("BROWSER") {
        Ok(browser) if !browser.is_empty() => open::with_detached(path, browser),
        _ => open::that_detached(path),
    };
    if let Err(error) = opened {
        progress.message(&format!("{} cannot be opened in a browser: {error}", output::printable(path)));
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
    config.evaluate_every.get_or_insert(schedule::between_evaluations(None, steps));
    config.report_every.get_or_insert(steps.div_ceil(ROWS).clamp(1, BETWEEN_ROWS));
    if let Some(directory) = &mut config.directory {
        *directory = std::path::absolute(&*directory).map_err(run_folder::refused("find", directory))?;
    }
    Ok(steps)
}

/// The widths of a network, from its inputs to its outputs: `2-16-32-2`.
fn widths(network: &NetworkSpec) -> String {
    let first = network.layers.first().map(|layer| layer.inputs);
    let widths = first.into_iter().chain(network.layers.iter().map(|layer| layer.outputs));
    widths.map(|width| width.to_string()).collect::<Vec<_>>().join("-")
}
