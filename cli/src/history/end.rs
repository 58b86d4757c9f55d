//! What `run.json` tells of the end of a run, and of which step `model.safetensors` is.
//!
//! Both stay when a run goes on, until newer ones take their places. `legs.json` is written when a leg begins, so it says whether
//! `run.json` tells of the last leg or of one before it.

use std::path::Path;

use gannet::gan::health::Verdict;
use gannet::gan::{Checkpoint, GanSpec};
use gannet::internals::engine;
use gannet::internals::file;
use serde::Deserialize;
use serde_json::Value;

use crate::folder::run_folder::{MODEL, RESULT};
use crate::history::legs::Legs;
use crate::measures::best::{Best, EarlyStop};
use crate::terminal::output;

/// Bytes of `run.json` at most: a hundred times what is written, with all columns of a table.
const LARGEST: u64 = 1 << 24;

/// What `run.json` tells.
#[derive(Clone, Debug)]
pub(crate) struct End {
    told: Value,
    /// Whether no leg has begun since.
    is_last: bool,
}

/// The file `model.safetensors` in the folder of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedModel {
    /// The step that it is of; `None` = nothing tells.
    pub(crate) step: Option<u64>,
    /// Its hash.
    pub(crate) sha256: String,
}

/// Whether `told`, a `run.json`, tells of the end of the last leg: none has begun since.
pub(crate) fn is_of_last_leg(told: &Value, legs: &Legs) -> bool {
    let from = told.get("leg").and_then(|leg| number(leg, "resumed_from"));
    let begun = legs.legs().last().map(|leg| leg.from);
    number(told, "steps").is_none_or(|steps| steps == legs.last_step()) && from.is_none_or(|from| Some(from) == begun)
}

fn number(told: &Value, name: &str) -> Option<u64> {
    told.get(name)?.as_u64()
}

impl End {
    /// What `run.json` in the folder `run` tells; `None` where it is not there or tells nothing.
    pub(crate) fn read(run: &Path) -> Option<Self> {
        let told: Value = serde_json::from_slice(&file::read(&run.join(RESULT), LARGEST).ok()?).ok()?;
        let legs = Legs::read(run).ok().flatten();
        let is_last = legs.is_none_or(|legs| is_of_last_leg(&told, &legs));
        told.is_object().then_some(Self { told, is_last })
    }

    /// The steps that were done then.
    pub(crate) fn steps(&self) -> Option<u64> {
        number(&self.told, "steps")
    }

    /// Whether all steps were done then, and no leg has begun since.
    pub(crate) fn is_finished(&self) -> bool {
        self.is_last && self.told["status"] == "finished"
    }

    /// The steps that were done when the run failed, if it did, and no leg has begun since.
    pub(crate) fn failed_after(&self) -> Option<u64> {
        self.steps().filter(|_| self.is_last && self.told["status"] == "failed")
    }

    /// Whether it is a number that is told as `name`.
    pub(crate) fn has_number(&self, name: &str) -> bool {
        self.told[name].is_number()
    }

    /// The number of replicas that it is the common end of; 0 of a single run.
    pub(crate) fn replicas(&self) -> usize {
        self.told["replicas"].as_array().map_or(0, Vec::len)
    }

    /// The best model, where that is not the last.
    pub(crate) fn best(&self) -> Option<Best> {
        Best::deserialize(self.told.get("best")?).ok().filter(Best::is_earlier)
    }

    /// Why the run ended before all its steps were done, if it did, and no leg has begun since.
    pub(crate) fn early_stop(&self) -> Option<EarlyStop> {
        EarlyStop::deserialize(self.told.get("early_stop")?).ok().filter(|_| self.is_finished())
    }

    /// The verdict, unless the run failed.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        let verdict = Verdict::from_words(self.told.get("verdict")?.as_str()?)?;
        (verdict != Verdict::Failed).then_some(verdict)
    }

    /// The step of the model with this hash, if it is the one that is told of.
    fn step_of(&self, sha256: &str) -> Option<u64> {
        let is_told = self.told["model_sha256"] == sha256;
        // Older versions told of no other model than that of the end.
        is_told.then(|| number(&self.told, "model_step").or(self.steps()))?
    }
}

/// Whether `run.json` in the common folder `runs` of `count` replicas tells that all of them have done `steps` steps.
pub(crate) fn is_of_all(runs: &Path, count: usize, steps: u64) -> bool {
    let end = End::read(runs);
    let replicas = end.as_ref().and_then(|end| end.told.get("replicas")?.as_array());
    replicas.is_some_and(|all| {
        all.len() == count
            && all.iter().all(|replica| number(replica, "steps") == Some(steps) && replica["status"] == "finished")
    })
}

impl SavedModel {
    /// That in the folder `run`, where it can be read. Its step is known by what `end` tells, or where it is the model of `checkpoint`.
    pub(crate) fn read(run: &Path, spec: &GanSpec, end: Option<&End>, checkpoint: Option<&Checkpoint>) -> Option<Self> {
        let bytes = file::read(&run.join(MODEL), engine::largest_model_file(spec)).ok()?;
        let sha256 = output::sha256(&bytes);
        let of_checkpoint = || {
            let model = checkpoint?.model().to_safetensors(spec).ok()?;
            (model == bytes).then(|| checkpoint.map(Checkpoint::step))?
        };
        let step = end.and_then(|end| end.step_of(&sha256)).or_else(of_checkpoint);
        Some(Self { step, sha256 })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    #[test]
    fn an_end_is_that_of_the_last_leg_until_another_begins() {
        let legs = |legs: &[(u64, u64)]| -> Legs {
            let leg = |&(from, to): &(u64, u64)| {
                json!({"from": from, "to": to, "changes": [], "version": "", "isa": "", "threads": 1, "begun": "", "steps": 0,
                       "samples": 0, "seconds": 0.0, "paused_seconds": 0.0, "total_seconds": 0.0})
            };
            let legs: Vec<Value> = legs.iter().map(leg).collect();
            let spent = json!({"steps": 0, "samples": 0, "seconds": 0.0, "paused_seconds": 0.0, "total_seconds": 0.0});
            serde_json::from_value(json!({"version": 2, "settings": {}, "legs": legs, "discarded": spent})).unwrap()
        };
        let told = json!({"status": "finished", "steps": 60, "leg": {"resumed_from": 0}});
        for (after, is_last) in [
            (&[(0, 60)][..], true),
            // It goes further: at its beginning, and later.
            (&[(0, 60), (60, 60)], false),
            (&[(0, 60), (60, 80)], false),
            // It has gone back.
            (&[(0, 40), (40, 40)], false),
            (&[(0, 40), (40, 60)], false),
        ] {
            assert_eq!(is_of_last_leg(&told, &legs(after)), is_last, "{after:?}");
        }
        // An older version told of no legs.
        assert!(is_of_last_leg(&json!({"steps": 60}), &legs(&[(0, 30), (30, 60)])));
    }

    #[test]
    fn what_is_no_result_tells_nothing() {
        let place = tempfile::tempdir().unwrap();
        for text in ["", "[]", "3", "{"] {
            fs::write(place.path().join(RESULT), text).unwrap();
            assert!(End::read(place.path()).is_none(), "{text}");
        }
        fs::write(place.path().join(RESULT), r#"{"steps": -1, "best": 3, "verdict": [], "status": {}}"#).unwrap();
        let end = End::read(place.path()).unwrap();
        assert!(end.steps().is_none() && end.best().is_none() && end.verdict().is_none() && !end.is_finished());
    }
}
