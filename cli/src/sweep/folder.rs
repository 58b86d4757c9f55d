//! The folder of a sweep: its trials, each in a folder of its own, and what it was begun with.
//!
//! The folders of trials are called after their settings and seeds. Processes that train parts of a sweep in one folder, also on a shared
//! file system, never mean the same folder by different trials.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gannet::gan::health::Verdict;
use gannet::internals::file;
use gannet::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::folder::files::{is_temporary, refused, write_atomically};
use crate::folder::folder_lock::is_held;
use crate::folder::run_folder::{REPORT, RESULT, json};
use crate::measures::spread::Found;
use crate::sweep::file::Sweep;
use crate::terminal::command_lines::quoted;

/// What the sweep was begun with.
const PLAN: &str = "plan.json";
/// The ranked trials as a table and as JSON, and the pictures of the trials and of the settings.
pub(crate) const TABLE: &str = "sweep.csv";
pub(crate) const TABLE_JSON: &str = "sweep.json";
pub(crate) const TRIALS_PICTURE: &str = "trials.png";
pub(crate) const SETTINGS_PICTURE: &str = "settings.png";
/// The folder of the trials.
const TRIALS: &str = "trials";
/// Bytes of a file of JSON at most.
const LARGEST: u64 = 1 << 28;

/// The folder of a sweep.
#[derive(Debug)]
pub(crate) struct SweepFolder {
    path: PathBuf,
    /// The parts that it was last divided into, if it was.
    parts: Option<usize>,
}

/// What stands in [`PLAN`].
#[derive(Debug, Default, Serialize, Deserialize)]
struct Plan {
    parts: Option<usize>,
    /// The names of all trials.
    trials: Vec<String>,
}

/// How a trial stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    /// Nothing is there.
    Missing,
    /// It was begun, and nobody trains it.
    Begun,
    /// A process trains it.
    Running,
    /// All its runs have ended: what each came to.
    Done(Vec<Found>),
}

impl State {
    /// The state in a word.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Begun => "begun",
            Self::Running => "running",
            Self::Done(_) => "done",
        }
    }
}

impl SweepFolder {
    /// The folder at `path` for `sweep`, which need not be there yet. A process that trains one of several `parts` tells their number.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] where something else is in its place, or where the file of the sweep has no longer all trials that it
    /// was begun with.
    pub(crate) fn open(path: &Path, sweep: &Sweep, parts: Option<usize>) -> Result<Self> {
        let known = read_plan(path)?;
        let trials: BTreeSet<&str> = sweep.trials.iter().map(|trial| trial.name.as_str()).collect();
        let lost = known.trials.iter().find(|name| !trials.contains(name.as_str()));
        if let Some(lost) = lost {
            let problem = format!(
                "{} holds another sweep: trials that it was begun with are no longer in the file, for instance {lost}; give another \
                 --out, or put the file back (trials and a bound may be added, and the measure changed)",
                path.display()
            );
            return Err(Error::setting("out", problem));
        }
        Ok(Self { path: path.to_path_buf(), parts: parts.or(known.parts) })
    }

    /// Writes what the sweep is begun with. Processes that do so at the same time write the same.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses.
    pub(crate) fn begin(&self, sweep: &Sweep) -> Result<()> {
        let trials = self.path.join(TRIALS);
        fs::create_dir_all(&trials).map_err(refused("create", &trials))?;
        let plan = Plan { parts: self.parts, trials: sweep.trials.iter().map(|trial| trial.name.clone()).collect() };
        self.write(PLAN, &json(&plan))
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The parts that it was last divided into, if it was.
    pub(crate) fn parts(&self) -> Option<usize> {
        self.parts
    }

    /// The folder of the trial called `name`.
    pub(crate) fn trial(&self, name: &str) -> PathBuf {
        self.path.join(TRIALS).join(name)
    }

    /// How the trial called `name` stands: what its `seeds` runs came to in `measure`.
    pub(crate) fn state(&self, name: &str, seeds: usize, measure: &str) -> State {
        let path = self.trial(name);
        if path.symlink_metadata().is_err() {
            return State::Missing;
        }
        match ended(&path, seeds, measure) {
            Some(found) => State::Done(found),
            None if is_held(&path) => State::Running,
            None => State::Begun,
        }
    }

    /// Writes the file `name` atomically.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        write_atomically(&self.path.join(name), |file| file.write_all(bytes))
    }
}

/// What the sweep in the folder `path` was begun with; nothing where there is none yet.
fn read_plan(path: &Path) -> Result<Plan> {
    let plan = path.join(PLAN);
    if plan.symlink_metadata().is_ok() {
        let bytes = file::read(&plan, LARGEST)?;
        let wrong = |error: serde_json::Error| {
            let problem =
                format!("cannot be read ({error}); remove it: finished trials are kept, and it is written again");
            Error::data(plan.display().to_string(), problem)
        };
        return serde_json::from_slice(&bytes).map_err(wrong);
    }
    let is_free = match fs::read_dir(path) {
        // Also where a process was killed, or is at work, between making the folder and writing the plan, or where that was removed.
        Ok(mut entries) => entries.all(|entry| entry.is_ok_and(|entry| is_ours(&entry.file_name().to_string_lossy()))),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if is_free {
        return Ok(Plan::default());
    }
    Err(Error::setting("out", format!("{} exists and holds no sweep; give another --out", path.display())))
}

/// Whether a sweep makes a file or folder of this name.
fn is_ours(name: &str) -> bool {
    [TRIALS, TABLE, TABLE_JSON, TRIALS_PICTURE, SETTINGS_PICTURE, REPORT].contains(&name) || is_temporary(name)
}

/// What each of the `seeds` runs in the folder `path` came to in `measure`, if all have ended.
fn ended(path: &Path, seeds: usize, measure: &str) -> Option<Vec<Found>> {
    let told: Value = serde_json::from_slice(&file::read(&path.join(RESULT), LARGEST).ok()?).ok()?;
    let replicas = told.get("replicas")?.as_array().filter(|replicas| replicas.len() == seeds)?;
    replicas.iter().map(|replica| found(replica, measure)).collect()
}

/// What a run came to that `told` tells of, if it has ended.
fn found(told: &Value, measure: &str) -> Option<Found> {
    match told.get("status")?.as_str()? {
        "finished" => {
            let verdict = Verdict::from_words(told.get("verdict")?.as_str()?)?;
            Some(Found { value: told["metrics"][measure].as_f64(), is_sound: !verdict.is_bad() })
        }
        "failed" => Some(Found { value: None, is_sound: false }),
        _ => None,
    }
}

/// How to train the trial in the folder `path` anew, where it cannot go on.
pub(crate) fn anew(path: &Path) -> String {
    format!("remove {} to train this trial from its beginning", quoted(path))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_has_ended_or_has_not() {
        let told =
            |status: &str, verdict: &str| json!({"status": status, "verdict": verdict, "metrics": {"mean": 4.5}});
        let found = |told: Value| found(&told, "mean");
        assert_eq!(found(told("finished", "healthy")), Some(Found { value: Some(4.5), is_sound: true }));
        let words = Verdict::CollapseSuspected.words();
        assert_eq!(found(told("finished", words)), Some(Found { value: Some(4.5), is_sound: false }));
        assert_eq!(found(told("failed", "failed")), Some(Found { value: None, is_sound: false }));
        assert_eq!(found(told("stopped", "healthy")), None);
        assert_eq!(found(json!({"status": "finished"})), None);
        assert_eq!(found(json!({})), None);
    }
}
