//! A trained run on disk.

use std::fs;
use std::path::{Path, PathBuf};

use gannet::gan::health::Verdict;
use gannet::gan::{Checkpoint, Model};
use gannet::internals::numbers::thousands;
use gannet::{Error, Result};

use crate::folder::checkpoints::{self, SavedState};
use crate::folder::course;
use crate::folder::run_folder::{CONFIG, MODEL, MODELS, no_run, refused};
use crate::history::end::{End, SavedModel};
use crate::history::legs::Legs;
use crate::numbers::figure;
use crate::run::schedule::Schedule;
use crate::settings::config::RunConfig;
use crate::settings::config_source;
use crate::terminal::command_lines::quoted;
use crate::terminal::output::{note, printable};

/// A trained run on disk: its settings and its model.
#[derive(Debug)]
pub(crate) struct SavedRun {
    folder: PathBuf,
    /// The settings.
    pub(crate) config: RunConfig,
    /// Both networks.
    pub(crate) model: Model,
    /// The step that they are of, where that is known: a model file does not say its own.
    pub(crate) step: Option<u64>,
    /// What the run said of its health at its end, where the model is that of the end and nobody chose it.
    pub(crate) verdict: Option<Verdict>,
    /// What should be known about the choice of the model, where nobody made it.
    remark: Option<String>,
}

impl SavedRun {
    /// Opens a run: its folder, of which `state` is taken; or a model file or checkpoint in it or in a folder in it. Where no state
    /// is asked for it is the best if the run was to keep or end by that, and the last otherwise; a remark says which.
    ///
    /// # Errors
    ///
    /// A path that does not exist or is no run; a state that there is not; a configuration or model that cannot be read; weights
    /// that are no numbers.
    pub(crate) fn open(path: &Path, state: Option<SavedState>) -> anyhow::Result<Self> {
        if !fs::metadata(path).map_err(refused("read", path))?.is_dir() {
            if state.is_some() {
                let problem = format!("picks a state of a run; {} is a file: name its folder", path.display());
                return Err(Error::setting("checkpoint", problem).into());
            }
            let absolute = std::path::absolute(path).map_err(refused("read", path))?;
            let folders = absolute.ancestors().skip(1).take(2).map(|folder| folder.join(CONFIG));
            let config =
                folders.into_iter().find(|config| config.symlink_metadata().is_ok()).ok_or_else(|| no_run(path))?;
            let run = config.parent().unwrap_or(Path::new("."));
            let config = config_source::read(&config)?;
            let model = Model::load(&config.spec, path)?;
            let step = of_file(run, &config, &absolute);
            let folder = run.to_path_buf();
            return Self { folder, config, model, step, verdict: None, remark: None }.checked(path);
        }
        let config = path.join(CONFIG);
        if !config.is_file() {
            return Err(no_run(path).into());
        }
        let config = config_source::read(&config)?;
        let (mut remark, mut verdict) = (None, None);
        let is_best = state.is_none() && takes_best(path, &config);
        let taken = if is_best { checkpoints::best(path, &config.spec)? } else { None };
        let (model, step) = match (state, taken) {
            (None, Some(best)) => {
                let (step, measure) = (best.step(), config.best.as_deref().unwrap_or_default());
                remark = Some(format!(
                    "this is the best model by {measure}, of step {}, as the run asked for; --checkpoint last takes the last one",
                    thousands(step)
                ));
                (best.into_model(), Some(step))
            }
            (None, None) => {
                let last = last(path, &config)?;
                let plain = || match last.step {
                    Some(step) => format!("this is the last model, of step {}", thousands(step)),
                    None => format!("this is the run's {MODEL}, the last model"),
                };
                (remark, verdict) = (Some(last.remark.unwrap_or_else(plain)), last.verdict);
                (last.model, last.step)
            }
            (Some(SavedState::Last), _) => {
                let last = last(path, &config)?;
                (last.model, last.step)
            }
            (Some(SavedState::Best), _) => match checkpoints::best(path, &config.spec)? {
                Some(best) => {
                    let step = best.step();
                    (best.into_model(), Some(step))
                }
                None => return Err(missing(path, &config, "best checkpoint")?.into()),
            },
            (Some(SavedState::Step(step)), _) => match of_step(path, &config, step)? {
                Some(model) => (model, Some(step)),
                None => {
                    let wanted = format!("checkpoint or model of step {}", thousands(step));
                    return Err(missing(path, &config, &wanted)?.into());
                }
            },
        };
        Self { folder: path.to_path_buf(), config, model, step, verdict, remark }.checked(path)
    }

    /// Reads how what the run measures and draws is made, for a command that does so; returns what should be known about that.
    ///
    /// # Errors
    ///
    /// A history that cannot be read.
    pub(crate) fn take_derivation(&mut self) -> Result<Option<String>> {
        let legs = Legs::read(&self.folder)?;
        self.config.derivation = Legs::derivation(legs.as_ref());
        Ok(legs.is_none().then(|| Legs::lost(&self.folder)))
    }

    /// Tells what should be known about the choice of the model: when the command has done its work, so that an error stands alone.
    pub(crate) fn tell(&self) {
        self.remark.iter().for_each(|remark| note(remark));
    }

    /// Checks that all weights are numbers: nothing that is made with others means anything.
    fn checked(self, path: &Path) -> anyhow::Result<Self> {
        if let Err(error) = self.model.check_finite() {
            let problem = format!("{error}; --checkpoint STEP takes an earlier state of the run");
            return Err(Error::data(path.display().to_string(), problem).into());
        }
        Ok(self)
    }
}

/// Whether the best state of a run is the one to take. Files of runs before there was patience named their measure whether anybody had
/// asked for it or not.
fn takes_best(run: &Path, config: &RunConfig) -> bool {
    let settings: Option<toml::Table> = fs::read_to_string(run.join(CONFIG)).ok().and_then(|text| text.parse().ok());
    let knows_patience =
        settings.is_some_and(|table| table.get("run").is_some_and(|run| run.get("patience").is_some()));
    knows_patience && config.takes_best()
}

/// The last state of a run.
struct Last {
    model: Model,
    step: Option<u64>,
    /// What who takes it unasked should know.
    remark: Option<String>,
    /// What the run said of its health, where it has ended.
    verdict: Option<Verdict>,
}

/// The model of the end; of a run that has not ended its last checkpoint, or a model that is later than that.
fn last(run: &Path, config: &RunConfig) -> Result<Last> {
    let path = run.join(MODEL);
    let load = || Model::load(&config.spec, &path);
    let end = End::read(run);
    if let Some(end) = end.as_ref().filter(|end| end.is_finished() && path.is_file()) {
        let best = end.best().filter(|_| checkpoints::has_best(run));
        let remark = best.map(|best| {
            format!(
                "this is the model of step {}; that of step {} was better ({} {} instead of {}): --checkpoint best",
                thousands(best.last_step),
                thousands(best.step),
                best.measure,
                figure(best.value),
                figure(best.last_value)
            )
        });
        return Ok(Last { model: load()?, step: end.steps(), remark, verdict: end.verdict() });
    }
    let without = |model, step, remark| Ok(Last { model, step, remark, verdict: None });
    let saved = checkpoints::last(run, &config.spec);
    if !path.is_file() {
        let Some(checkpoint) = saved? else {
            let problem = format!(
                "has no {MODEL} and no checkpoint; put them back, or begin a new run with: gannet train {}",
                quoted(&run.join(CONFIG))
            );
            return Err(Error::data(run.display().to_string(), problem));
        };
        let step = checkpoint.step();
        return without(checkpoint.into_model(), Some(step), Some(not_ended(run, end.as_ref(), step)));
    }
    // A model stays while the run goes on: which of the two is later?
    let of = SavedModel::read(run, &config.spec, end.as_ref(), None).and_then(|model| model.step);
    let Some(checkpoint) = saved.ok().flatten() else { return without(load()?, of, None) };
    let step = checkpoint.step();
    if let Some(of) = of.filter(|&of| of > step) {
        let (run, later, step) = (printable(run), thousands(of), thousands(step));
        let remark = format!("{run} has gone back to step {step} and not ended; this is its {MODEL}, of step {later}");
        return without(load()?, Some(of), Some(remark));
    }
    let earlier = of.filter(|&of| of < step).map(|of| format!("; its {MODEL} is of step {}", thousands(of)));
    let remark = not_ended(run, end.as_ref(), step) + &earlier.unwrap_or_default();
    without(checkpoint.into_model(), Some(step), Some(remark))
}

/// The remark that the checkpoint of `step` was taken.
fn not_ended(run: &Path, end: Option<&End>, step: u64) -> String {
    let how = match end.and_then(End::failed_after) {
        Some(steps) => format!("failed after step {}", thousands(steps)),
        None => "has not ended".to_string(),
    };
    format!("{} {how}; this is its checkpoint of step {}", printable(run), thousands(step))
}

/// The step of the model or checkpoint `file` of a run, where that is known.
fn of_file(run: &Path, config: &RunConfig, file: &Path) -> Option<u64> {
    if file == run.join(MODEL) {
        let last = checkpoints::last(run, &config.spec).ok().flatten();
        return SavedModel::read(run, &config.spec, End::read(run).as_ref(), last.as_ref())?.step;
    }
    let of_epoch = epochs(run, config).into_iter().find(|(_, path)| path == file).map(|(step, _)| step);
    of_epoch.or_else(|| Some(Checkpoint::load(&config.spec, file).ok()?.step()))
}

/// The model after `step`: of a checkpoint, or of the epoch that ended with it.
fn of_step(run: &Path, config: &RunConfig, step: u64) -> Result<Option<Model>> {
    if let Some((_, path)) = epochs(run, config).into_iter().find(|&(of, _)| of == step) {
        return Model::load(&config.spec, &path).map(Some);
    }
    // The best one is passed over where it cannot be read: it may be of any step.
    if let Some(best) = readable_best(run, config).filter(|best| best.step() == step) {
        return Ok(Some(best.into_model()));
    }
    let saved = checkpoints::list(run)?.into_iter().find(|&(of, _)| of == step);
    saved.map(|(_, path)| Checkpoint::load(&config.spec, &path).map(Checkpoint::into_model)).transpose()
}

/// The best checkpoint, if there is one that can be read.
fn readable_best(run: &Path, config: &RunConfig) -> Option<Checkpoint> {
    checkpoints::best(run, &config.spec).ok().flatten()
}

/// The models of whole epochs with their steps. A model file does not say its step, and it follows from the settings only where
/// those have been the same from the beginning: else there are none.
fn epochs(run: &Path, config: &RunConfig) -> Vec<(u64, PathBuf)> {
    let Ok(entries) = fs::read_dir(run.join(MODELS)) else { return Vec::new() };
    let last = checkpoints::last_whole(run, &config.spec, |_| ()).ok().flatten();
    let Some(schedule) = last.and_then(|last| Schedule::of_saved(config, &last)) else { return Vec::new() };
    let step_of = |path: &Path| Some(schedule.steps_for(course::epoch_of(path)?));
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut models: Vec<(u64, PathBuf)> = paths.filter_map(|path| Some((step_of(&path)?, path))).collect();
    models.sort();
    models
}

/// The error where a run has no state as it is `wanted`: it tells those that there are.
fn missing(run: &Path, config: &RunConfig, wanted: &str) -> Result<Error> {
    /// States that are told.
    const MOST: usize = 12;
    let mut steps: Vec<u64> = checkpoints::list(run)?.into_iter().map(|(step, _)| step).collect();
    let best = readable_best(run, config).map(|best| best.step());
    steps.extend(best);
    steps.extend(epochs(run, config).into_iter().map(|(step, _)| step));
    steps.sort_unstable();
    steps.dedup();
    let left_out = if steps.len() > MOST { format!("{} earlier ones, ", steps.len() - MOST) } else { String::new() };
    let told: Vec<String> = steps.iter().skip(steps.len().saturating_sub(MOST)).map(|&step| thousands(step)).collect();
    let best = if best.is_some() { "best, " } else { "" };
    let end = if told.is_empty() { String::new() } else { format!(", and of steps {left_out}{}", told.join("; ")) };
    Ok(Error::setting("checkpoint", format!("{} has no {wanted}; it has {best}last{end}", run.display())))
}
