//! What a run leaves in its folder while it goes on: tables, measures, pictures, checkpoints.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration as Time, Instant};

use gannet::Result;
use gannet::cpu::Isa;
use gannet::gan::health::{Health, Verdict, Watch};
use gannet::gan::{Checkpoint, Model, StepReport, Trainer};
use gannet::internals::engine;
use gannet::internals::numbers::thousands;

use crate::data::own::OwnData;
use crate::data::samples::Samples;
use crate::folder::checkpoints;
use crate::folder::course;
use crate::folder::line_file::{Columns, LineFile};
use crate::folder::run_folder::{self, RunFolder};
use crate::history::end::SavedModel;
use crate::history::legs::{Legs, Spent};
use crate::history::losses::{History, Reported};
use crate::measures::best::{Best, Chosen, EarlyStop};
use crate::measures::judgement::Judgement;
use crate::measures::measure::{self, Effort, Measure, Measured};
use crate::measures::quality::{self, TableQuality};
use crate::numbers::counted;
use crate::plot::Heading;
use crate::preset::measure_names;
use crate::report::Live;
use crate::run::board::{Board, Pictures};
use crate::run::column_histograms::{self, ColumnHistograms};
use crate::run::learning;
use crate::run::pictures::{self, Look, Panel};
use crate::run::schedule::Schedule;
use crate::run::start::Start;
use crate::settings::config::RunConfig;
use crate::settings::config_text;
use crate::terminal::output;
use crate::terminal::progress::Progress;

/// A run that is cut short loses the losses of no more than this time.
pub(crate) const BETWEEN_FLUSHES: Time = Time::from_secs(2);

/// Columns of `metrics.csv`; of a run with penalties they are followed by [`PENALTY`].
const METRICS: &str = "step,epoch,discriminator_loss,generator_loss,real_probability,fake_probability";

/// The column of the penalties, which is empty where the run had none.
const PENALTY: &str = ",penalty";

/// What is drawn at the end beside what an evaluation draws, as multiples of its drawing: the losses and both pictures side by side; and
/// for each evaluation its picture in the animation and in the page. (circle with 11 and 41 evaluations, measured 2026-11-27.)
const DRAWN_AT_THE_END: f64 = 1.5;
const ANIMATED_AT_THE_END: f64 = 0.6;

/// A run between two steps, to be recorded.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) checkpoint: Checkpoint,
    /// What its process has spent on the run so far.
    pub(crate) spent: Spent,
    /// The gradients of the last step, if this process has done any.
    pub(crate) gradients: Option<Model>,
    /// The epoch that the last step belongs to.
    pub(crate) epoch: u64,
    /// Whether it is measured and drawn.
    pub(crate) evaluate: bool,
    /// Whether it is kept to go on from.
    pub(crate) save: bool,
    /// The number of complete epochs under which both networks are kept alone.
    pub(crate) complete: Option<u64>,
}

/// The record of a run.
pub(crate) struct Record {
    /// Its number among the runs of the command.
    index: usize,
    config: Arc<RunConfig>,
    real: Samples,
    folder: RunFolder,
    isa: Isa,
    progress: Arc<Progress>,
    metrics: LineFile,
    flushed: Instant,
    /// The time that measuring took at the last evaluation.
    measured: Time,
    evaluation: LineFile,
    board: Option<Board>,
    history: History,
    /// Steps that were evaluated, and how many will have been at the end.
    evaluated: Vec<u64>,
    evaluations: u64,
    /// Judges the run's health; what it said last.
    watch: Watch,
    judgement: Option<Judgement>,
    /// Samples before training, from the latents that all pictures share; `None` where those weights are not known any more.
    before: Option<Vec<f32>>,
    /// The evaluations by the chosen measure.
    chosen: Chosen,
    notes: BTreeMap<String, String>,
    legs: Legs,
    /// The model in the folder.
    model: Option<SavedModel>,
    /// How its samples are drawn.
    look: Look,
    /// The columns of a table of one's own of several.
    columns: Option<ColumnHistograms>,
    /// The pages that follow the run: its own, and the common one of replicas.
    pages: Vec<Arc<Live>>,
}

impl Record {
    /// The record of a run that begins, or goes on, as `start` says. `trainer` has its initial weights and has done
    /// nothing else. What there is in the folder is read, and nothing is changed before [`begin`](Self::begin).
    ///
    /// # Errors
    ///
    /// Files that cannot be read.
    pub(crate) fn open(
        index: usize,
        config: Arc<RunConfig>,
        real: Samples,
        trainer: &Trainer,
        folder: RunFolder,
        (start, schedule): (&Start, &Schedule),
        progress: Arc<Progress>,
    ) -> Result<Self> {
        let resumed = start.resumed();
        let names = measure_names::running_names(config.preset);
        let header = ["step", "epoch"].iter().chain(names).chain(&Health::NAMES).chain(&["verdict"]);
        let header = header.copied().collect::<Vec<_>>().join(",");
        let first_of_health = 2 + names.len();
        let last = |is_due: bool| if is_due { resumed } else { resumed.and_then(|step| step.checked_sub(1)) };
        let last_row = last(resumed.is_none_or(|step| schedule.row_is_due(step)));
        let last_evaluation = last(resumed.is_none_or(|step| schedule.evaluation_is_due(step)));
        let mut history = History::default();
        let columns = Columns { always: METRICS, more: PENALTY, wanted: !config.spec.penalties.is_none() };
        let metrics = LineFile::read(folder.file(run_folder::METRICS)?, columns, last_row, |step, cells| {
            let number = |cell: usize| cells[cell].parse().unwrap_or(f64::NAN);
            let penalty = cells.get(6).and_then(|cell| cell.parse().ok());
            history.push(engine::step_report(step, [2, 3, 4, 5].map(number), penalty));
        })?;
        let (mut chosen, mut evaluated, mut verdict) = (Chosen::new(config.best.as_deref()), Vec::new(), None);
        let mut watch = Watch::new(&config.spec);
        let saved = chosen.measure().and_then(|_| start.best(folder.path(), &config.spec));
        let mut saved_value = None;
        let column = names.iter().position(|&name| chosen.measure() == Some(name)).map(|index| index + 2);
        let columns = Columns { always: &header, more: "", wanted: false };
        let evaluation =
            LineFile::read(folder.file(run_folder::EVALUATION)?, columns, last_evaluation, |step, cells| {
                evaluated.push(step);
                verdict = cells.last().and_then(|words| Verdict::from_words(words));
                let figures: [Option<f64>; Health::NAMES.len()] =
                    std::array::from_fn(|index| cells[first_of_health + index].parse().ok());
                if let Some(health) = Health::from_values(figures) {
                    watch.push(step, &health);
                }
                if let Some(value) = column.and_then(|column| cells[column].parse().ok()) {
                    chosen.push(step, value);
                    saved_value = saved_value.or_else(|| (saved.as_ref()?.step() == step).then_some(value));
                }
            })?;
        // The best is the state that there is, though its row may have gone: the run's end made it, or a process that was killed.
        // Without it the best is looked for anew.
        chosen.set_best(saved.and_then(|saved| {
            let measured = || {
                let measured = measure::measure(&config, &real, saved.model(), Effort::Running, trainer.isa()).ok()?;
                let of_chosen = |measure: &&Measure| Some(measure.name) == chosen.measure();
                measured.measures.iter().find(of_chosen).map(|measure| measure.value)
            };
            Some((saved.step(), saved_value.or_else(measured)?))
        }));
        if start.completes.is_some() {
            // It has been evaluated, though that table may be gone.
            evaluated.extend(resumed.filter(|step| evaluated.last() != Some(step)));
        }
        let evaluations = (evaluated.len() as u64).saturating_add(schedule.evaluations_after(resumed));
        let drawn = || shown(&config, &trainer.model()?, trainer.isa());
        let before = start.begins_as_before.then(drawn).transpose()?;
        let look = Look::new(&config, &real)?;
        let columns = match (&look, config.own.as_ref().and_then(OwnData::codec)) {
            (Look::Columns(columns), _) => Some(columns.clone()),
            (_, Some(codec)) if codec.form().columns.len() > 1 => Some(ColumnHistograms::new(codec, &real)?),
            _ => None,
        };
        Ok(Self {
            index,
            config,
            look,
            columns,
            real,
            folder,
            isa: trainer.isa(),
            progress,
            metrics,
            flushed: Instant::now(),
            measured: Time::ZERO,
            evaluations,
            evaluation,
            board: None,
            history,
            evaluated,
            watch,
            judgement: verdict.map(Judgement::from),
            before,
            chosen,
            notes: start.notes.clone(),
            legs: start.legs.clone(),
            // What is later than the checkpoint goes with the course that the run leaves.
            model: start.kept_model().cloned(),
            pages: Vec::new(),
        })
    }

    /// Changes the folder, after all that can be refused has been: rows that the run's end made, and that it would not make now
    /// that it goes further, are taken away; what every run has from its start is written.
    ///
    /// # Errors
    ///
    /// Files that cannot be written.
    pub(crate) fn begin(&mut self, start: &Start) -> Result<()> {
        // The rows of a table that is gone do not come back, and a run that has done all its steps adds none.
        for table in [&mut self.metrics, &mut self.evaluation] {
            if start.completes.is_none() || !table.is_missing() {
                table.begin()?;
            }
        }
        let config = &self.config;
        if config.tensorboard {
            let settings = config_text::render(config, "")?;
            self.board = Some(Board::open(self.folder.path(), start.resumed(), &settings)?);
        }
        let images = self.real.images(pictures::shown(config.preset))?;
        if images.is_empty() {
            return Ok(());
        }
        // As large as the pictures that it is compared with.
        let told = format!("{} images\nthese are evenly chosen", thousands(self.real.len() as u64));
        let heading = Heading { title: &format!("{}, real images", config.title()), subtitle: &told };
        let features = pictures::columns(config.preset);
        let panel = Panel { title: "real", samples: &images, features };
        self.folder.write(run_folder::REAL, &pictures::samples(config.preset, heading, &[], &[panel])?)
    }

    /// The last verdict on its health: it is too early for one before the first evaluation.
    pub(crate) fn judgement(&self) -> Judgement {
        self.judgement.clone().unwrap_or(Verdict::TooEarly.into())
    }

    /// The largest magnitude among points or numbers that are trained on; 0 of images.
    pub(crate) fn reach(&self) -> f32 {
        let table = if let Samples::Table(table) = &self.real { table.reach() } else { 0.0 };
        self.real.values().iter().fold(table, |most: f32, value| most.max(value.abs()))
    }

    /// Keeps `page` up to date while the run goes on.
    pub(crate) fn follow(&mut self, page: Arc<Live>) {
        self.pages.push(page);
    }

    /// Adds the losses of a step.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](gannet::Error::Io) where lines cannot be written, which happens every few seconds.
    pub(crate) fn report(&mut self, reported: &Reported) -> Result<()> {
        self.history.push(reported.report);
        self.metrics.push(&row(reported, self.metrics.has_more()));
        self.board.as_mut().map_or(Ok(()), |board| board.report(reported, &self.config.spec))?;
        self.flush_if_due()
    }

    /// Writes what waits, if that was not done for a while, and the pages that are due.
    pub(crate) fn flush_if_due(&mut self) -> Result<()> {
        let page_is_due = self.pages.iter().any(|page| page.is_due());
        if page_is_due || self.flushed.elapsed() >= BETWEEN_FLUSHES {
            self.flush()?;
        }
        if page_is_due { self.pages.iter().try_for_each(|page| page.renew_if_due()) } else { Ok(()) }
    }

    /// Writes what waits.
    fn flush(&mut self) -> Result<()> {
        self.flushed = Instant::now();
        self.metrics.flush()?;
        self.board.as_mut().map_or(Ok(()), Board::flush)
    }

    /// Records a snapshot of the run: whatever it asks for, the checkpoint last. Where that exists, all that came before it does.
    ///
    /// # Errors
    ///
    /// Files that cannot be written; measures that are not finite.
    pub(crate) fn snapshot(&mut self, mut snapshot: Snapshot) -> Result<()> {
        snapshot.checkpoint.notes.clone_from(&self.notes);
        let config = Arc::clone(&self.config);
        let checkpoint = &snapshot.checkpoint;
        if let Some(epoch) = snapshot.complete {
            checkpoint.model().save(&config.spec, &self.folder.file(&course::model_name(epoch))?)?;
        }
        if snapshot.evaluate {
            let start = Instant::now();
            if self.evaluate(&snapshot)? {
                checkpoints::save_best(&self.folder, checkpoint, &config.spec)?;
            }
            let took = start.elapsed();
            let drawing = took.saturating_sub(self.measured);
            let drawn = drawing.mul_f64(DRAWN_AT_THE_END + ANIMATED_AT_THE_END * self.evaluations as f64);
            let measured = self.measured.mul_f64(measure::more_at_the_end(&config, &self.real));
            let end = took.saturating_add(drawn).saturating_add(measured);
            self.progress.evaluated(self.index, took, end);
        }
        if snapshot.save {
            self.flush()?;
            self.metrics.sync()?;
            self.evaluation.sync()?;
            // The history comes first: the times of a process that dies between the two are known.
            self.legs.record(checkpoint.step(), snapshot.spent);
            self.legs.write(&self.folder)?;
            checkpoints::save(&self.folder, checkpoint, &config.spec, config.keep)?;
        }
        Ok(())
    }

    /// Measures and draws the generator as it is now. Says whether it is the best so far. A run that goes on from an evaluation
    /// has it already, but what it shows may have gone.
    fn evaluate(&mut self, snapshot: &Snapshot) -> Result<bool> {
        let (step, model) = (snapshot.checkpoint.step(), snapshot.checkpoint.model());
        let is_known = self.evaluated.last() == Some(&step);
        let has = |name: &str| self.folder.path().join(name).is_file();
        if is_known && has(&course::picture_name(step)) && (self.columns.is_none() || has(run_folder::COLUMNS)) {
            return Ok(false);
        }
        let start = Instant::now();
        let measured = measure::measure(&self.config, &self.real, model, Effort::Running, self.isa)?;
        let measures = &measured.measures;
        self.measured = start.elapsed();
        let samples = shown(&self.config, model, self.isa)?;
        let title = format!("step {}", thousands(step));
        let features = pictures::columns(self.config.preset);
        let picture = self.picture(&[Panel { title: &title, samples: &samples, features }], measures)?;
        self.folder.write(&course::picture_name(step), &picture)?;
        if let Some(columns) = &self.columns {
            self.folder.write(run_folder::COLUMNS, &columns.file(&samples, None))?;
        }
        let row = pictures::row(self.config.preset, &samples)?;
        if let Some(row) = &row {
            self.folder.write(&course::row_name(step), row)?;
        }
        if is_known {
            return Ok(false);
        }
        let (health, verdict) = self.examine(snapshot, &measured)?;
        let cells = [step, snapshot.epoch].into_iter().map(|number| number.to_string());
        let cells = cells.chain(measures.iter().map(|measure| measure.value.to_string()));
        let told = health.values().into_iter().map(|value| value.map(|value| value.to_string()).unwrap_or_default());
        let line: Vec<String> = cells.chain(told).chain([verdict.to_string()]).collect();
        if let Some(board) = &mut self.board {
            board.figures(step, measures, &health)?;
            board.pictures(step, Pictures { samples: &picture, row: row.as_deref() })?;
            board.histograms(step, "parameters", &*snapshot.checkpoint.raw_model()?)?;
            snapshot.gradients.as_ref().map_or(Ok(()), |gradients| board.histograms(step, "gradients", gradients))?;
        }
        self.flush()?;
        self.evaluation.push(&line.join(","));
        self.evaluation.flush()?;
        self.evaluated.push(step);
        let value = measures.iter().find(|measure| Some(measure.name) == self.chosen.measure());
        Ok(value.is_some_and(|measure| self.chosen.push(step, measure.value)))
    }

    /// How the run stands; a verdict that is new is told.
    fn examine(&mut self, snapshot: &Snapshot, measured: &Measured) -> Result<(Health, Verdict)> {
        // The verdict is on the training, whatever is sampled from.
        let (step, model) = (snapshot.checkpoint.step(), snapshot.checkpoint.raw_model()?);
        let config = &self.config;
        let (source, gradients) = (config.source(&self.real, config.seed)?, snapshot.gradients.as_ref());
        let health = engine::examine(&model, gradients, &config.spec, &*source, config.run_seed(), self.isa)?;
        let judgement = Judgement::new(self.watch.push(step, &health), measured);
        let (verdict, sentence) = (judgement.verdict, judgement.sentence());
        let before = self.judgement.replace(judgement).map(|before| before.verdict);
        // That it is early is nothing to tell, nor that a run is healthy which never was anything else.
        if before != Some(verdict) && (verdict.is_bad() || before.is_some_and(Verdict::is_bad)) {
            self.progress.about(self.index, &format!("step {}: {}", thousands(step), sentence));
        }
        Ok((health, verdict))
    }

    /// The best evaluation so far beside the last.
    pub(crate) fn best(&self) -> Option<Best> {
        self.chosen.best()
    }

    /// Why the run is to end now, if its evaluations have come to no better value for as long as it has patience.
    pub(crate) fn early_stop(&self) -> Option<EarlyStop> {
        self.chosen.stalled(self.config.patience)
    }

    /// The model in the folder of the run.
    pub(crate) fn model(&self) -> Option<&SavedModel> {
        self.model.as_ref()
    }

    /// Writes what a run that has ended leaves: the model, its picture, and how it learned. Returns its measures.
    ///
    /// # Errors
    ///
    /// As [`Self::snapshot`].
    pub(crate) fn finish(&mut self, step: u64, model: &Model) -> Result<Measured> {
        self.flush()?;
        // The common page of replicas tells of the others.
        self.pages.first().map_or(Ok(()), |page| page.end())?;
        let file = model.to_safetensors(&self.config.spec)?;
        self.folder.write(run_folder::MODEL, &file)?;
        self.model = Some(SavedModel { step: Some(step), sha256: output::sha256(&file) });
        self.progress.ending("measuring what was learned", false);
        let mut measured = measure::measure(&self.config, &self.real, model, Effort::Full { samples: None }, self.isa)?;
        measured.quality = self.quality(model)?;
        self.judgement = self.judgement.take().map(|before| Judgement::new(before.verdict, &measured));
        let after = shown(&self.config, model, self.isa)?;
        let features = pictures::columns(self.config.preset);
        if let Some(columns) = &self.columns {
            // As they are sampled.
            let after = self.config.calibrated_samples(model, after.len() / features, self.isa)?;
            let correlations = measured.quality.as_ref().and_then(|quality| quality.correlations.as_ref());
            self.folder.write(run_folder::COLUMNS, &columns.file(&after, correlations))?;
        }
        let title = format!("after {}", counted(step, "step"));
        let before = self.before.iter().map(|samples| Panel { title: "before training", samples, features });
        let panels: Vec<Panel<'_>> = before.chain([Panel { title: &title, samples: &after, features }]).collect();
        self.folder.write(run_folder::SAMPLES, &self.picture(&panels, &measured.measures)?)?;
        self.board.as_mut().map_or(Ok(()), |board| board.end(step))?;
        Ok(measured)
    }

    /// How good the rows of a table are, by some of the real ones; `None` of anything else.
    fn quality(&self, model: &Model) -> Result<Option<TableQuality>> {
        let Some(codec) = self.config.own.as_ref().and_then(OwnData::codec) else { return Ok(None) };
        let rows = self.real.rows(column_histograms::rows(codec.features()))?;
        let classes = self.real.classes(rows.len() / codec.features());
        let real = codec.table(&rows, |row| classes.get(row).copied())?;
        quality::of(&self.config, model, &real, quality::Others::default(), self.isa)
    }

    /// The last step of which the losses are in the table.
    pub(crate) fn last_row(&self) -> Option<StepReport> {
        self.history.last()
    }

    /// Ends the leg of this process after `step` steps, for which it has `spent` so much.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](gannet::Error::Io) where the system refuses.
    pub(crate) fn end_leg(&mut self, step: u64, spent: Spent) -> Result<()> {
        self.legs.record(step, spent);
        self.legs.write(&self.folder)
    }

    /// The history of the run.
    pub(crate) fn legs(&self) -> &Legs {
        &self.legs
    }

    /// Writes what every run leaves, however it ended, but for its summary.
    ///
    /// # Errors
    ///
    /// Files that cannot be written.
    pub(crate) fn close(&mut self) -> Result<()> {
        self.flush()?;
        if let Some(losses) = self.history.picture(self.config.preset.name(), &self.config.spec)? {
            self.folder.write(run_folder::LOSSES, &losses)?;
        }
        if let Some(told) = learning::write(&self.folder, &self.evaluated)? {
            self.progress.warn(self.index, &told);
        }
        Ok(())
    }

    /// A picture of samples, headed by the settings and the first measures.
    fn picture(&self, panels: &[Panel<'_>], measures: &[Measure]) -> Result<Vec<u8>> {
        let config = &self.config;
        // Two lines whatever they say, so that all pictures of a run have one size.
        let told = measures.iter().take(2).map(|m| format!("{} {}", m.name.replace('_', " "), m.short_text()));
        let subtitle = format!("batch {}, seed {}\n{}", config.batch, config.seed, told.collect::<Vec<_>>().join(", "));
        let name = config.title();
        let title = match panels {
            [panel] if config.preset.image().is_some() || matches!(self.look, Look::Columns(_)) => {
                format!("{name}, {}", panel.title)
            }
            [.., last] if config.preset.image().is_some() || matches!(self.look, Look::Columns(_)) => {
                format!("{name} {}", last.title)
            }
            _ => name,
        };
        let heading = Heading { title: &title, subtitle: &subtitle };
        self.look.picture(config.preset, heading, self.real.values(), panels)
    }
}

/// The samples that pictures show: from the same latents throughout a run.
fn shown(config: &RunConfig, model: &Model, isa: Isa) -> Result<Vec<f32>> {
    let preset = config.preset;
    let rows = [pictures::shown(preset), pictures::columns(preset)];
    config.shown_samples(model, rows, isa)
}

/// A row of `metrics.csv`, with a cell for penalties if the run has `penalties`. Numbers are written so that they read back as the same
/// bits.
fn row(Reported { report, epoch, .. }: &Reported, penalties: bool) -> String {
    let penalty = match report.penalty {
        _ if !penalties => String::new(),
        Some(penalty) => format!(",{penalty}"),
        None => ",".to_string(),
    };
    format!(
        "{},{epoch},{},{},{},{}{penalty}",
        report.step, report.discriminator_loss, report.generator_loss, report.real_probability, report.fake_probability
    )
}
