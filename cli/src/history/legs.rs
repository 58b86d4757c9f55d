//! The history of a run, `legs.json`: what decided it from which step on, and how long it took.
//!
//! A leg is what one process trained, from a step to a step. Whatever says that a run can be repeated asks here: `config.toml` tells
//! the settings of the last leg, which are those of the whole run only where no leg differs from the one before.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Add;
use std::path::Path;
use std::time::SystemTime;

use gannet::gan::Trainer;
use gannet::internals::engine::{self, Derivation};
use gannet::internals::file;
use gannet::internals::machine;
use gannet::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::legs_version_1;
use crate::folder::run_folder::{self, LEGS, RunFolder};
use crate::terminal::output::printable;

/// What decides a run, by name: truths, numbers and texts.
pub(crate) type Settings = BTreeMap<String, Value>;

/// Version of the format.
const VERSION: u64 = 2;

/// More bytes than a person's patience leaves: a leg takes some 300.
const LARGEST: u64 = 1 << 23;

/// Since when what is drawn outside of the steps of a new run has streams of its own.
const STREAMS_SINCE: &str = "2026-11-26";

/// The legs of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Legs {
    version: u64,
    /// How the seeds of what is drawn outside of steps follow from that of the run.
    #[serde(default = "of_version_1")]
    derivation: Derivation,
    /// What decided the first leg; nothing where a program began the run that kept no history.
    settings: Settings,
    legs: Vec<Leg>,
    /// What was spent on legs of which nothing is left, as the run went back to a step before them.
    discarded: Spent,
    /// The last step that its course has reached: a later one than that of the last leg where an earlier checkpoint was all that was
    /// left of it.
    #[serde(default)]
    reached: u64,
    /// How many replicas began together, where it is one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replicas: Option<usize>,
}

/// What one process trained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Leg {
    /// The step that it went on from.
    pub(crate) from: u64,
    /// The last step that was recorded, or from which the next leg goes on.
    pub(crate) to: u64,
    /// What decides the result and was otherwise in the leg before.
    pub(crate) changes: Vec<Change>,
    pub(crate) version: String,
    pub(crate) isa: String,
    pub(crate) threads: usize,
    /// When it began.
    pub(crate) begun: String,
    #[serde(flatten)]
    pub(crate) spent: Spent,
}

/// Something that decides the result and was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) setting: String,
    /// `None` = there was no such setting, or there is none.
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

/// What a leg did, and the time that it took. Steps that were discarded later count: they took their time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spent {
    pub(crate) steps: u64,
    /// Real samples of D's batches.
    pub(crate) samples: u64,
    /// Time in steps, without measuring and drawing.
    pub(crate) seconds: f64,
    /// Time in which the training stood still for its record, up to the last step.
    pub(crate) paused_seconds: f64,
    pub(crate) total_seconds: f64,
}

impl Spent {
    /// Samples for each second in steps; 0 where there were none.
    pub(crate) fn samples_per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.samples as f64 / self.seconds } else { 0.0 }
    }
}

impl Add for Spent {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            steps: self.steps.saturating_add(other.steps),
            samples: self.samples.saturating_add(other.samples),
            seconds: self.seconds + other.seconds,
            paused_seconds: self.paused_seconds + other.paused_seconds,
            total_seconds: self.total_seconds + other.total_seconds,
        }
    }
}

/// What decides a leg: the settings of its trainer, the origin of the run, and the program.
pub(crate) fn settings(trainer: &Trainer, origin: BTreeMap<String, String>) -> Settings {
    let program = ("program".to_string(), format!("gannet {}", env!("CARGO_PKG_VERSION")));
    let others = origin.into_iter().chain([program]).map(|(name, text)| (name, text.into()));
    engine::settings(trainer).into_iter().chain(others).collect()
}

/// That of a history that does not tell.
fn of_version_1() -> Derivation {
    Derivation::NextSeeds
}

impl Default for Legs {
    fn default() -> Self {
        Self {
            version: VERSION,
            derivation: Derivation::default(),
            settings: Settings::new(),
            legs: Vec::new(),
            discarded: Spent::default(),
            reached: 0,
            replicas: None,
        }
    }
}

impl Leg {
    /// A leg that begins now with `trainer`, after the step `from`.
    fn new(from: u64, trainer: &Trainer) -> Self {
        let (day, clock) = machine::moment(SystemTime::now());
        Self {
            from,
            to: from,
            version: env!("CARGO_PKG_VERSION").to_string(),
            isa: trainer.isa().kind().to_string(),
            threads: trainer.options().threads,
            begun: format!("{day} {clock} UTC"),
            ..Self::default()
        }
    }
}

impl Legs {
    /// The history of a run that begins with `trainer`, and with what decides it; alone, or as one of so many `replicas`.
    pub(crate) fn begin(trainer: &Trainer, settings: Settings, replicas: Option<usize>) -> Self {
        Self { settings, legs: vec![Leg::new(0, trainer)], replicas, ..Self::default() }
    }

    /// The history in the folder `run`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses; [`Error::Data`] where the file is damaged.
    pub(crate) fn read(run: &Path) -> Result<Option<Self>> {
        let path = run.join(LEGS);
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        Self::parse(&file::read(&path, LARGEST)?, &path.display().to_string()).map(Some)
    }

    /// The history in the bytes of a file, of which `origin` is the path.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] where they are damaged.
    pub(crate) fn parse(bytes: &[u8], origin: &str) -> Result<Self> {
        let damaged = |error: serde_json::Error| {
            let problem = format!(
                "is damaged ({error}); remove it to go on without the history of the run, measured as runs that \
                 began before {STREAMS_SINCE} are"
            );
            Error::data(origin, problem)
        };
        let mut file: Value = serde_json::from_slice(bytes).map_err(damaged)?;
        match file.get("version") {
            Some(version) if version.as_u64() == Some(VERSION) => {}
            Some(version) => {
                let known = format!("this program reads versions 1 and {VERSION}");
                return Err(Error::data(origin, format!("has version {version} of the format; {known}")));
            }
            None => legs_version_1::translate(&mut file, VERSION).map_err(damaged)?,
        }
        let mut legs: Self = serde_json::from_value(file).map_err(damaged)?;
        if legs.is_known() {
            engine::complete_settings(&mut legs.settings);
        }
        Ok(legs)
    }

    /// Writes it into the folder of the run.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses.
    pub(crate) fn write(&self, folder: &RunFolder) -> Result<()> {
        folder.write(LEGS, &run_folder::json(self))
    }

    /// The history of a run of which nothing is known but that it has done `step` steps.
    pub(crate) fn unknown(step: u64) -> Self {
        let legs = vec![Leg { to: step, ..Leg::default() }];
        Self { legs, derivation: of_version_1(), ..Self::default() }
    }

    /// How the seeds of what is drawn outside of steps follow from that of the run with the history `legs`. A run without one is taken
    /// for one that began before there were histories.
    pub(crate) fn derivation(legs: Option<&Self>) -> Derivation {
        legs.map_or_else(of_version_1, |legs| legs.derivation)
    }

    /// The warning that the folder `run` has no history, for commands that measure.
    pub(crate) fn lost(run: &Path) -> String {
        format!(
            "warning: {} has no {LEGS}, so that it is measured as runs that began before {STREAMS_SINCE} are, from samples of other \
             seeds; if it began later, put the file back to compare its measures",
            printable(run)
        )
    }

    /// A leg begins with `trainer`, after the step `from` of the run, decided by `settings`. What came later is discarded.
    pub(crate) fn go_on(&mut self, from: u64, trainer: &Trainer, settings: Settings) {
        while self.legs.last().is_some_and(|last| last.from >= from) {
            self.discarded = self.discarded + self.legs.pop().map(|leg| leg.spent).unwrap_or_default();
        }
        let mut leg = Leg::new(from, trainer);
        match self.legs.last_mut() {
            // Whatever a killed process did after its last record of it ended where this leg begins.
            Some(last) => last.to = from,
            None => self.settings.clone_from(&settings),
        }
        if self.is_known() {
            leg.changes = changes(&self.last_settings(), &settings);
        }
        self.legs.push(leg);
    }

    /// The last leg has come to the step `to`, the end of the run.
    pub(crate) fn complete(&mut self, to: u64) {
        if let Some(last) = self.legs.last_mut() {
            last.to = to;
        }
        self.reached = self.reached.max(to);
    }

    /// What the last leg has done so far.
    pub(crate) fn record(&mut self, to: u64, spent: Spent) {
        if let Some(last) = self.legs.last_mut() {
            (last.to, last.spent) = (to, spent);
        }
        self.reached = self.reached.max(to);
    }

    /// Says which step the course of the run has reached: an earlier one than before only where the run has left its course.
    pub(crate) fn set_reached(&mut self, step: u64) {
        self.reached = step;
    }

    /// How many replicas began together, where it is one of them.
    pub(crate) fn replicas(&self) -> Option<usize> {
        self.replicas
    }

    /// The legs, oldest first.
    pub(crate) fn legs(&self) -> &[Leg] {
        &self.legs
    }

    /// The last step of the last leg.
    pub(crate) fn last_step(&self) -> u64 {
        self.legs.last().map_or(0, |last| last.to)
    }

    /// The last step that the course of the run has reached.
    pub(crate) fn reached(&self) -> u64 {
        self.reached.max(self.last_step())
    }

    /// What the whole run has taken.
    pub(crate) fn spent(&self) -> Spent {
        self.legs.iter().fold(self.discarded, |sum, leg| sum + leg.spent)
    }

    /// Whether `config.toml` repeats what is trained bit for bit: nothing that decides it was ever changed.
    pub(crate) fn repeats(&self) -> bool {
        self.is_known() && self.legs.iter().all(|leg| leg.changes.is_empty())
    }

    /// Whether it repeats what is drawn and measured, too.
    pub(crate) fn repeats_all(&self) -> bool {
        self.repeats() && self.derivation == Derivation::default()
    }

    /// What `config.toml` is to the run, for its head.
    pub(crate) fn claim(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        if self.repeats() && !self.repeats_all() {
            format!(
                "A run of gannet {version}, begun before {STREAMS_SINCE}. `gannet train` with this file as argument repeats its training \
                 bit for bit; a new run measures and draws other samples of the same generator."
            )
        } else if self.repeats() {
            format!("A run of gannet {version}. `gannet train` with this file as argument repeats it bit for bit.")
        } else if self.is_known() {
            format!(
                "The last settings of a run of gannet {version}. The run began with others: this file does not repeat it. {LEGS} tells \
                 what was changed at which step."
            )
        } else {
            format!(
                "The last settings of a run of gannet {version}. An older version began it and kept no history, so nobody knows \
                 whether this file repeats it."
            )
        }
    }

    /// Whether it is known what the run began with.
    fn is_known(&self) -> bool {
        !self.settings.is_empty()
    }

    /// What decided the last leg; nothing where that is not known.
    pub(crate) fn last_settings(&self) -> Settings {
        let mut settings = self.settings.clone();
        for Change { setting, after, .. } in self.legs.iter().flat_map(|leg| &leg.changes) {
            match after {
                Some(after) => settings.insert(setting.clone(), after.clone()),
                None => settings.remove(setting),
            };
        }
        settings
    }
}

/// What differs between two maps.
fn changes(before: &Settings, after: &Settings) -> Vec<Change> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let change = |name: &String| Change {
        setting: name.clone(),
        before: before.get(name).cloned(),
        after: after.get(name).cloned(),
    };
    names.into_iter().map(change).filter(|change| change.before != change.after).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gannet::data::synthetic;
    use gannet::gan::TrainerOptions;
    use gannet::gan::presets::Preset;

    use super::*;

    fn trainer() -> Trainer<'static> {
        let points = Arc::new(synthetic::circle(100, 1).unwrap());
        Trainer::new(Preset::Circle.spec(), points, TrainerOptions::default()).unwrap()
    }

    fn rate(rate: &str) -> Settings {
        [("rate".to_string(), rate.into())].into()
    }

    fn spent(steps: u64) -> Spent {
        Spent { steps, samples: 10 * steps, seconds: steps as f64, paused_seconds: 1.0, total_seconds: 2.0 }
    }

    #[test]
    fn a_run_repeats_as_long_as_nothing_is_changed() {
        let trainer = trainer();
        let mut legs = Legs::begin(&trainer, rate("1"), None);
        legs.record(60, spent(60));
        legs.go_on(60, &trainer, rate("1"));
        assert!(legs.repeats() && legs.claim().contains("bit for bit"));
        legs.record(90, spent(30));
        legs.go_on(90, &trainer, rate("2"));
        let change = |before: &str, after: &str| Change {
            setting: "rate".to_string(),
            before: Some(before.into()),
            after: Some(after.into()),
        };
        assert_eq!(legs.legs()[2].changes, [change("1", "2")]);
        assert!(!legs.repeats() && !legs.claim().contains("bit for bit"));
        // Back to the first settings: what lies between was made with others.
        legs.record(100, spent(10));
        legs.go_on(100, &trainer, rate("1"));
        assert_eq!(legs.legs()[3].changes, [change("2", "1")]);
        assert!(!legs.repeats());
        assert_eq!(legs.spent(), spent(60) + spent(30) + spent(10));
    }

    #[test]
    fn what_is_discarded_leaves_its_time_and_nothing_else() {
        let trainer = trainer();
        let mut legs = Legs::begin(&trainer, rate("1"), None);
        legs.record(60, spent(60));
        legs.go_on(60, &trainer, rate("2"));
        legs.record(90, spent(30));
        legs.go_on(60, &trainer, rate("1"));
        assert!(legs.repeats(), "{legs:?}");
        assert_eq!((legs.legs().len(), legs.last_step(), legs.reached()), (2, 60, 90));
        legs.set_reached(60);
        assert_eq!(legs.reached(), 60);
        legs.go_on(40, &trainer, rate("3"));
        assert_eq!(legs.legs().iter().map(|leg| (leg.from, leg.to)).collect::<Vec<_>>(), [(0, 40), (40, 40)]);
        assert!(!legs.repeats());
        // From the beginning: a run of its own.
        legs.go_on(0, &trainer, rate("4"));
        assert!(legs.repeats());
        assert_eq!(legs.spent(), spent(60) + spent(30));
    }

    #[test]
    fn of_an_old_run_the_training_repeats_and_not_its_measures() {
        let mut legs = Legs::begin(&trainer(), rate("1"), None);
        assert!(legs.repeats_all());
        legs.derivation = of_version_1();
        assert!(legs.repeats() && !legs.repeats_all());
        assert!(legs.claim().contains("repeats its training bit for bit"), "{}", legs.claim());
    }

    #[test]
    fn nothing_is_claimed_of_a_run_whose_beginning_is_not_known() {
        let trainer = trainer();
        let mut legs = Legs::unknown(60);
        legs.go_on(60, &trainer, rate("1"));
        assert!(!legs.repeats() && legs.legs()[1].changes.is_empty());
        assert!(!legs.claim().contains("bit for bit"));
    }

    #[test]
    fn a_history_survives_writing_and_reading() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(Legs::read(place.path()).unwrap(), None);
        let trainer = trainer();
        let origin = |data: &str| BTreeMap::from([("data".to_string(), data.to_string())]);
        let mut legs = Legs::begin(&trainer, settings(&trainer, origin("1")), Some(4));
        legs.record(60, spent(60));
        legs.go_on(60, &trainer, settings(&trainer, origin("2")));
        std::fs::write(place.path().join(LEGS), run_folder::json(&legs)).unwrap();
        assert_eq!(Legs::read(place.path()).unwrap(), Some(legs));
        std::fs::write(place.path().join(LEGS), "{\"version\":3}").unwrap();
        let problem = Legs::read(place.path()).unwrap_err().to_string();
        assert!(problem.contains("has version 3 of the format; this program reads versions 1 and 2"), "{problem}");
        for damaged in ["", "{}", "[", "{\"legs\":3}", "{\"version\":2}", "[{\"version\":2}]"] {
            std::fs::write(place.path().join(LEGS), damaged).unwrap();
            let problem = Legs::read(place.path()).unwrap_err().to_string();
            assert!(problem.contains("damaged") && problem.contains("remove it"), "{damaged}: {problem}");
        }
    }
}
