//! The best evaluation of a run by the measure that was chosen for it, beside the last one.

use std::fmt;

use gannet::internals::numbers::thousands;
use serde::{Deserialize, Serialize};

use crate::numbers::{counted, figure};
use crate::preset::goal;

/// An evaluation: its step, and the value of the chosen measure.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Value {
    step: u64,
    value: f64,
}

/// The values of the chosen measure so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chosen {
    /// `None` = the run keeps no best checkpoint.
    measure: Option<String>,
    best: Option<Value>,
    last: Option<Value>,
    /// The best value of those that were added, whichever state was kept; and how many came after it.
    leading: Option<Value>,
    since: u64,
}

/// Where the best model of a run is, and how much better it is than the last: a part of `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Best {
    /// The step of the best evaluation, whose state is `checkpoints/best.safetensors`.
    pub(crate) step: u64,
    /// What was compared, measured as in `evaluation.csv`.
    pub(crate) measure: String,
    /// At that step.
    pub(crate) value: f64,
    /// The step of the last evaluation; the same where the last model is the best.
    pub(crate) last_step: u64,
    /// At the last evaluation.
    pub(crate) last_value: f64,
}

impl Chosen {
    /// Of the measure called so, if there is one.
    pub(crate) fn new(measure: Option<&str>) -> Self {
        Self { measure: measure.map(str::to_string), ..Self::default() }
    }

    /// The name of the measure.
    pub(crate) fn measure(&self) -> Option<&str> {
        self.measure.as_deref()
    }

    /// Adds an evaluation. Says whether it is the best so far.
    pub(crate) fn push(&mut self, step: u64, value: f64) -> bool {
        let Some(measure) = &self.measure else { return false };
        let now = Value { step, value };
        self.last = Some(now);
        let leads = self.leading.is_none_or(|leading| goal::is_better(measure, value, leading.value));
        (self.leading, self.since) = if leads { (Some(now), 0) } else { (self.leading, self.since + 1) };
        let is_best = self.best.is_none_or(|best| goal::is_better(measure, value, best.value));
        if is_best {
            self.best = Some(now);
        }
        is_best
    }

    /// The best evaluation is the one whose state was kept, of this step and value; `None` = none was.
    pub(crate) fn set_best(&mut self, kept: Option<(u64, f64)>) {
        self.best = kept.map(|(step, value)| Value { step, value });
    }

    /// How the evaluations stand where at least `patience` of them, and that is not 0, came after the best one in a row.
    pub(crate) fn stalled(&self, patience: u64) -> Option<EarlyStop> {
        let (Some(measure), Some(leading)) = (&self.measure, self.leading) else { return None };
        (patience > 0 && self.since >= patience).then(|| EarlyStop {
            measure: measure.clone(),
            best_step: leading.step,
            best_value: leading.value,
            evaluations: self.since,
        })
    }

    /// The best evaluation beside the last.
    pub(crate) fn best(&self) -> Option<Best> {
        let (best, last) = (self.best?, self.last?);
        let measure = self.measure.clone()?;
        Some(Best { step: best.step, measure, value: best.value, last_step: last.step, last_value: last.value })
    }
}

/// Why a run ended before all its steps were done: a part of `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EarlyStop {
    /// What was compared, measured as in `evaluation.csv`.
    pub(crate) measure: String,
    /// The step of the best evaluation, and its value.
    pub(crate) best_step: u64,
    pub(crate) best_value: f64,
    /// Evaluations after it.
    pub(crate) evaluations: u64,
}

/// `stopped early: no better sliced_wasserstein than 0.1200 of step 400 in 5 evaluations`.
impl fmt::Display for EarlyStop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { measure, best_step, best_value, evaluations } = self;
        let (value, step) = (figure(*best_value), thousands(*best_step));
        let evaluations = counted(*evaluations, "evaluation");
        write!(formatter, "stopped early: no better {measure} than {value} of step {step} in {evaluations}")
    }
}

impl Best {
    /// Whether an earlier model was better than the last one: one that is as good is not.
    pub(crate) fn is_earlier(&self) -> bool {
        self.step != self.last_step && self.value != self.last_value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is counted are evaluations, of which the first one leads; the state that was kept changes nothing, so that a run that was
    /// killed behind its last checkpoint counts as one that was not.
    #[test]
    fn evaluations_without_a_better_one_are_counted() {
        let mut chosen = Chosen::new(Some("sliced_wasserstein"));
        assert_eq!(chosen.stalled(1), None);
        for (step, value, since) in
            [(0, 0.9, 0), (10, 0.5, 0), (20, 0.5, 1), (30, f64::NAN, 2), (40, 0.4, 0), (50, 0.6, 1)]
        {
            chosen.push(step, value);
            assert_eq!(chosen.stalled(since.max(1)).map(|stalled| stalled.evaluations), (since > 0).then_some(since));
            assert!(chosen.stalled(since + 1).is_none() && chosen.stalled(0).is_none());
            chosen.set_best(Some((100, 0.1)));
        }
        let told = chosen.stalled(1).unwrap();
        assert_eq!((told.best_step, told.best_value), (40, 0.4));
        assert_eq!(
            told.to_string(),
            "stopped early: no better sliced_wasserstein than 0.4000 of step 40 in 1 evaluation"
        );
        let mut none = Chosen::new(None);
        none.push(0, 0.5);
        none.push(1, 0.6);
        assert_eq!(none.stalled(1), None);
    }

    #[test]
    fn the_best_is_kept_beside_the_last() {
        let mut chosen = Chosen::new(Some("sliced_wasserstein"));
        assert_eq!(chosen.best(), None);
        let pushed = [(0, 0.9), (10, 0.2), (20, f64::NAN), (30, 0.3)].map(|(step, value)| chosen.push(step, value));
        assert_eq!(pushed, [true, true, false, false]);
        let best = chosen.best().unwrap();
        assert_eq!((best.step, best.value, best.last_step, best.last_value), (10, 0.2, 30, 0.3));
        assert!(best.is_earlier());
        chosen.set_best(Some((25, 0.25)));
        assert!(!chosen.push(30, 0.3) && chosen.push(35, 0.24));
        chosen.set_best(None);
        assert!(chosen.best().is_none());
        assert!(chosen.push(40, 0.8) && !chosen.best().unwrap().is_earlier());
        // One that is as good as the best replaces nothing, and nothing was better than it.
        assert!(!chosen.push(50, 0.8) && chosen.best().unwrap().step == 40 && !chosen.best().unwrap().is_earlier());
        let mut none = Chosen::new(None);
        assert!(!none.push(1, 0.5) && none.best().is_none());
    }
}
