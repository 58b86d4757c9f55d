//! What the folder of a run tells about it.

use std::collections::BTreeMap;
use std::mem;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use gannet::gan::health::Health;
use serde::Deserialize;
use serde_json::Value;

use super::columns::{self, Column};
use super::correlations::{self, Correlations};
use super::read;
use super::shots::{self, Shot};
use super::table::Table;
use crate::folder::run_folder::{CHECKPOINTS, CONFIG, EVALUATION, METRICS, MODEL, REAL, REPORT, RESULT};
use crate::history::end;
use crate::history::legs::Legs;
use crate::measures::best::EarlyStop;
use crate::measures::columns::KEPT;
use crate::measures::measure::{self, Measure};
use crate::measures::quality::TableQuality;
use crate::preset;
use crate::settings::config::RunConfig;
use crate::settings::config_source;

/// Points of a curve in a page about one run, and of all runs' curves of one kind in a page about several.
const POINTS: usize = 300;
const POINTS_TOGETHER: usize = 4_000;
/// Bytes of `config.toml` and of `run.json`.
const LARGEST_TEXT: u64 = 1 << 20;
/// Characters of a string in `run.json` that are shown.
const LONGEST: usize = 300;
/// Columns of which something is told.
const MOST_COLUMNS: usize = 256;
/// Warnings about the data that are shown, and characters of one.
const MOST_WARNINGS: usize = 20;
const LONGEST_WARNING: usize = 1_000;
/// Measures that are shown.
const MOST_MEASURES: usize = 40;

/// Columns of `evaluation.csv` that tell about health, not about what was learned.
pub(super) const HEALTH: [&str; Health::NAMES.len()] = Health::NAMES;

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// All steps are done.
    Finished,
    /// It was asked to stop.
    Stopped,
    /// Something else is written in `run.json`.
    Other(String),
    /// The process that trains it writes the page.
    Running,
    /// No end is written: it goes on, or it was killed.
    Open,
}

/// A run.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) folder: PathBuf,
    /// Its folder's name.
    pub(super) name: String,
    /// The settings, or what is wrong with their file.
    pub(super) config: Result<RunConfig, String>,
    /// The file of the settings as it is.
    pub(super) config_text: Option<String>,
    /// Whether the process that trains it writes the page.
    pub(super) live: bool,
    /// `run.json`; null where there is none.
    result: Value,
    /// What decided it from which step on; `None` where an older program kept no history.
    pub(super) legs: Option<Legs>,
    pub(super) metrics: Table,
    pub(super) evaluation: Table,
    pub(super) shots: Vec<Shot>,
    /// The names of pictures that are none.
    left_out: Vec<String>,
    /// How the values of each column of a table are distributed.
    pub(super) columns: Vec<Column>,
    pub(super) correlations: Correlations,
    /// Real images to compare them with.
    pub(super) real: Option<Shot>,
    /// When the last of its tables and results was written.
    pub(super) written: Option<SystemTime>,
    pub(super) has_model: bool,
    pub(super) has_checkpoint: bool,
    pub(super) has_report: bool,
}

impl Record {
    /// Reads what there is of the run in `folder`, to be shown in a page of `runs` runs.
    pub(super) fn read(folder: &Path, runs: usize) -> Self {
        Self::read_from(folder, runs, false)
    }

    /// The same of a run that this process trains, for a page that is made again and again.
    pub(super) fn read_live(folder: &Path, runs: usize) -> Self {
        Self::read_from(folder, runs, true)
    }

    fn read_from(folder: &Path, runs: usize, live: bool) -> Self {
        let points = if runs > 1 { (POINTS_TOGETHER / runs).clamp(40, POINTS) } else { POINTS };
        let config_path = folder.join(CONFIG);
        let config = if config_path.symlink_metadata().is_ok() {
            config_source::read(&config_path).map_err(|error| format!("{error:#}"))
        } else {
            Err(format!("there is no {CONFIG}"))
        };
        let mut record = Self {
            folder: folder.to_path_buf(),
            name: name_of(folder),
            config,
            config_text: read::text(&config_path, LARGEST_TEXT),
            live,
            result: Value::Null,
            legs: None,
            metrics: Table::new(points),
            evaluation: Table::new(points),
            shots: Vec::new(),
            left_out: Vec::new(),
            columns: Vec::new(),
            correlations: Correlations::default(),
            real: shots::shot(&folder.join(REAL), None),
            written: None,
            has_model: false,
            has_checkpoint: false,
            has_report: false,
        };
        record.read_on(runs);
        record
    }

    /// Reads what has come since; the settings stay.
    pub(super) fn read_on(&mut self, runs: usize) {
        let file = |name: &str| self.folder.join(name);
        let result = read::text(&file(RESULT), LARGEST_TEXT).and_then(|text| serde_json::from_str(&text).ok());
        let times =
            [METRICS, EVALUATION, RESULT].map(|name| file(name).metadata().and_then(|data| data.modified()).ok());
        self.legs = Legs::read(&self.folder).ok().flatten();
        self.metrics.read_on(&file(METRICS));
        // What a leg before the last one came to, the run has not come to: it went further, or back to an earlier step.
        self.result = result.filter(|told| self.is_of_last_leg(told)).unwrap_or(Value::Null);
        self.evaluation.read_on(&file(EVALUATION));
        self.written = times.into_iter().flatten().max();
        self.has_model = file(MODEL).is_file();
        self.has_checkpoint = has_checkpoint(&self.folder);
        self.has_report = file(REPORT).is_file();
        // A page about several runs does not show them.
        self.columns = if runs == 1 { columns::read(&self.folder) } else { Vec::new() };
        self.correlations = if runs == 1 { correlations::read(&self.folder) } else { Correlations::default() };
        (self.shots, self.left_out) = shots::read(&self.folder, runs, self.live, mem::take(&mut self.shots));
    }

    /// The preset's name, or what is known instead.
    pub(super) fn preset(&self) -> String {
        match &self.config {
            Ok(config) => config.preset.name().to_string(),
            Err(_) => {
                self.told("preset").or_else(|| self.told(preset::OLD)).unwrap_or_else(|| "unknown preset".to_string())
            }
        }
    }

    /// Whether `told`, a `run.json`, is the end of what else there is of the run.
    fn is_of_last_leg(&self, told: &Value) -> bool {
        let steps = told.get("steps").and_then(Value::as_u64);
        let went_on = steps.zip(self.metrics.last_step()).is_some_and(|(ended, last)| last > ended);
        !went_on && self.legs.as_ref().is_none_or(|legs| end::is_of_last_leg(told, legs))
    }

    /// How it stands.
    pub(super) fn state(&self) -> State {
        let status = self.told("status");
        if !self.result.is_object() || status.as_deref() == Some("running") {
            return if self.live { State::Running } else { State::Open };
        }
        match status.as_deref() {
            None | Some("finished") => State::Finished,
            Some("stopped") => State::Stopped,
            Some(other) => State::Other(other.to_string()),
        }
    }

    /// Why it ended before all its steps were done.
    pub(super) fn early_stop(&self) -> Option<EarlyStop> {
        let told = EarlyStop::deserialize(self.result.get("early_stop").filter(|_| self.has_ended())?).ok()?;
        (told.measure.len() <= LONGEST).then_some(told)
    }

    /// Whether its `config.toml` repeats what is trained bit for bit, as far as its history tells.
    pub(super) fn repeats(&self) -> bool {
        self.legs.as_ref().is_some_and(Legs::repeats)
    }

    /// Whether an end is written.
    pub(super) fn has_ended(&self) -> bool {
        !matches!(self.state(), State::Open | State::Running)
    }

    /// Which of its pictures are left out, as they cannot be read.
    pub(super) fn left_out(&self) -> Option<String> {
        /// Names that are told.
        const MOST: usize = 3;
        let names: Vec<&str> = self.left_out.iter().take(MOST).map(String::as_str).collect();
        let more = self.left_out.len() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let are = match self.left_out.len() {
            1 => "cannot be read as a picture and is left out",
            _ => "cannot be read as pictures and are left out",
        };
        (!names.is_empty()).then(|| format!("{}{more} {are}", names.join(", ")))
    }

    /// The last step that is known to be done.
    pub(super) fn steps(&self) -> Option<u64> {
        // Rows may be further apart than checkpoints.
        let saved = self.legs.as_ref().map(Legs::last_step).filter(|_| !self.has_ended());
        let last = [self.metrics.last_step(), self.evaluation.last_step()].into_iter();
        last.chain([self.counted("steps"), saved]).flatten().max()
    }

    /// A number of `run.json`, if the run ended.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.result.get(name)?.as_f64()
    }

    /// A whole number of `run.json`.
    pub(super) fn counted(&self, name: &str) -> Option<u64> {
        self.result.get(name)?.as_u64()
    }

    /// A string of `run.json`, shortened.
    pub(super) fn told(&self, name: &str) -> Option<String> {
        let text = self.result.get(name)?.as_str()?;
        Some(text.chars().take(LONGEST).collect()).filter(|text: &String| !text.is_empty())
    }

    /// The last value of a column of `metrics.csv`: the run's own at its end, or of the last row.
    pub(super) fn last(&self, name: &str) -> Option<f64> {
        let ended = if self.has_ended() { self.number(name) } else { None };
        ended.or_else(|| self.metrics.last(name))
    }

    /// The last verdict on its health: that of its end, or of the last evaluation.
    pub(super) fn verdict(&self) -> Option<&str> {
        let ended = self.result.get("verdict").and_then(Value::as_str).filter(|_| self.has_ended());
        let running = || self.evaluation.verdicts().last().map(|verdict| verdict.words.as_str());
        ended.or_else(running).filter(|words| !words.is_empty())
    }

    /// What usually helps where the last verdict is bad, as `run.json` tells it.
    pub(super) fn hint(&self) -> Option<String> {
        self.told("verdict_hint").filter(|_| self.has_ended())
    }

    /// How good the rows of a generated table are at the end.
    pub(super) fn quality(&self) -> Option<TableQuality> {
        let told = self.result.get("quality").filter(|_| self.has_ended())?;
        TableQuality::deserialize(told).ok()
    }

    /// What stands out in columns of a table at the end, or that they are kept constant, by their names.
    pub(super) fn findings(&self) -> BTreeMap<&str, String> {
        let columns = self.result.get("columns").and_then(Value::as_array).filter(|_| self.has_ended());
        let text = |told: &Value| Some(told.as_str()?.chars().take(LONGEST).collect::<String>());
        let finding = |column: &'_ Value| {
            let verdict = text(column.get("verdict")?)?;
            match text(column.get("finding")?) {
                Some(finding) => Some(format!("{verdict}: {finding}")),
                None => Some(verdict).filter(|verdict| verdict == KEPT),
            }
        };
        let named = columns.into_iter().flatten().take(MOST_COLUMNS);
        named.filter_map(|column| Some((column.get("name")?.as_str()?, finding(column)?))).collect()
    }

    /// What training could not see of the data as they are.
    pub(super) fn warnings(&self) -> Vec<String> {
        let told = self.result.get("warnings").and_then(Value::as_array).filter(|_| self.has_ended());
        let texts = told.into_iter().flatten().filter_map(Value::as_str).take(MOST_WARNINGS);
        texts.map(|text| text.chars().take(LONGEST_WARNING).collect()).collect()
    }

    /// The best model, if that is not the last one.
    pub(super) fn best(&self) -> Option<Best> {
        let best = self.result.get("best").filter(|_| self.has_ended())?;
        let number = |name: &str| best.get(name)?.as_f64();
        let measure: String = best.get("measure")?.as_str()?.chars().take(LONGEST).collect();
        let (step, value, last_value) = (best.get("step")?.as_u64()?, number("value")?, number("last_value")?);
        (self.steps() != Some(step)).then_some(Best { step, measure, value, last_value })
    }

    /// The names of the measures that were written down while it went on.
    pub(super) fn running_measures(&self) -> impl Iterator<Item = &str> {
        self.evaluation.names().filter(|name| !HEALTH.contains(name))
    }

    /// The last measures: those of the end where it has ended, else those of the last evaluation.
    pub(super) fn measures(&self) -> Vec<Known> {
        let running = || self.running_measures().filter_map(|name| Some((name, self.evaluation.last(name)?)));
        let Some(ended) = self.result.get("metrics").and_then(Value::as_object).filter(|_| self.has_ended()) else {
            return running().take(MOST_MEASURES).map(|(name, value)| self.known(name, value)).collect();
        };
        // In the order of evaluation.csv; then what is measured at the end alone.
        let order: Vec<&str> = self.running_measures().collect();
        let place = |name: &str| order.iter().position(|known| *known == name).unwrap_or(order.len());
        let mut measures: Vec<_> =
            ended.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_f64()?))).collect();
        measures.sort_by_key(|(name, _)| place(name));
        measures.into_iter().take(MOST_MEASURES).map(|(name, value)| self.known(name, value)).collect()
    }

    /// A measure with what is known about it.
    pub(super) fn known(&self, name: &str, value: f64) -> Known {
        let config = self.config.as_ref().ok();
        let found = config.and_then(|config| measure::recorded(config, name, value));
        let Measure { words, reached, .. } = found.unwrap_or(Measure { name: "", words: "", value, reached: "" });
        Known { name: name.chars().take(LONGEST).collect(), words, value, reached }
    }
}

/// Where a run was best.
pub(super) struct Best {
    pub(super) step: u64,
    pub(super) measure: String,
    pub(super) value: f64,
    pub(super) last_value: f64,
}

/// A measure by the name that stands in a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    pub(super) name: String,
    /// The name in words, and the reference; empty where nothing is known.
    pub(super) words: &'static str,
    pub(super) reached: &'static str,
    pub(super) value: f64,
}

/// The last part of a folder's path, for people.
fn name_of(folder: &Path) -> String {
    let last = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    last(folder).or_else(|| last(&folder.canonicalize().ok()?)).unwrap_or_else(|| folder.display().to_string())
}

/// Whether there is something to go on from.
fn has_checkpoint(folder: &Path) -> bool {
    let Ok(entries) = folder.join(CHECKPOINTS).read_dir() else { return false };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        name.to_str().is_some_and(|name| name.starts_with("step-") && name.ends_with(".safetensors"))
    })
}
