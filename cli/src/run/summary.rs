//! What a run came to: `run.json`, and the object that `--json` prints.

use std::collections::BTreeMap;
use std::path::Path;

use gannet::gan::health::Verdict;
use gannet::internals::numbers::thousands;
use serde::{Serialize, Serializer};

use crate::folder::run_folder;
use crate::history::legs::Spent;
use crate::measures::best::{Best, EarlyStop};
use crate::measures::columns::{self, Column};
use crate::measures::judgement::Judgement;
use crate::measures::measure::{Measure, measure_table};
use crate::measures::quality::TableQuality;
use crate::measures::spread::Found;
use crate::numbers::{counted, figure, rate, seconds};
use crate::terminal::command_lines::sample_best;
use crate::terminal::output::printable;

/// A verdict as it stands in `evaluation.csv`.
fn words<S: Serializer>(verdict: &Verdict, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(verdict.words())
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// All its steps are done.
    Finished,
    /// A signal stopped it; it can go on.
    Stopped,
    /// It met what is not finite, or could not write.
    Failed,
}

/// What a run came to.
#[derive(Serialize)]
pub(crate) struct Summary {
    pub(crate) run: String,
    pub(crate) status: Status,
    /// Why it failed.
    pub(crate) error: Option<String>,
    /// The last verdict on its health, in words, and what usually helps.
    #[serde(serialize_with = "words")]
    pub(crate) verdict: Verdict,
    pub(crate) verdict_hint: Option<String>,
    pub(crate) preset: &'static str,
    /// Steps done, and those that it was to do.
    pub(crate) steps: u64,
    pub(crate) planned_steps: u64,
    pub(crate) epochs: f64,
    /// Time in steps, without measuring and drawing, of the whole run: of all processes that worked on it.
    pub(crate) seconds: f64,
    pub(crate) samples_per_second: f64,
    /// Time in which the training stood still for its record, up to its last step.
    pub(crate) paused_seconds: f64,
    /// The same of this process.
    pub(crate) leg: LegSummary,
    pub(crate) discriminator_loss: f64,
    pub(crate) generator_loss: f64,
    /// The penalties on D, which its loss does not contain; `null` without any.
    pub(crate) penalty: Option<f64>,
    pub(crate) real_probability: f64,
    pub(crate) fake_probability: f64,
    pub(crate) metrics: BTreeMap<&'static str, f64>,
    /// The best evaluation by the measure that was chosen, beside the last; `null` where none is kept.
    pub(crate) best: Option<Best>,
    /// Why it ended before all its steps were done; `null` where it did not.
    pub(crate) early_stop: Option<EarlyStop>,
    /// Of own data that are a table: what was learned of each column.
    pub(crate) columns: Vec<Column>,
    /// Of own data that are a table: how good its rows are, beside other real ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quality: Option<TableQuality>,
    /// Of own data that are a table: what should be known about how it was read.
    pub(crate) warnings: Vec<String>,
    /// The step that `model.safetensors` is of, an earlier one where the run went on and has not ended; and its hash. The file holds
    /// names, shapes and parameters and nothing else: the same bits, the same hash.
    pub(crate) model_step: Option<u64>,
    pub(crate) model_sha256: Option<String>,
    /// Whether `config.toml` repeats what is trained bit for bit: nothing that decides it was changed on the way.
    pub(crate) repeats: bool,
    pub(crate) total_seconds: f64,
    pub(crate) batch: usize,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
    pub(crate) engine: &'static str,
    pub(crate) isa: String,
    pub(crate) processor: String,
    pub(crate) version: &'static str,
    #[serde(skip)]
    pub(crate) measures: Vec<Measure>,
}

/// What one process did of a run.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct LegSummary {
    /// The step that it went on from; 0 = the beginning.
    pub(crate) resumed_from: u64,
    pub(crate) steps: u64,
    pub(crate) seconds: f64,
    pub(crate) samples_per_second: f64,
    pub(crate) paused_seconds: f64,
    pub(crate) total_seconds: f64,
}

impl LegSummary {
    /// Of a process that went on from the step `resumed_from`.
    pub(crate) fn new(resumed_from: u64, spent: Spent) -> Self {
        Self {
            resumed_from,
            steps: spent.steps,
            seconds: spent.seconds,
            samples_per_second: spent.samples_per_second(),
            paused_seconds: spent.paused_seconds,
            total_seconds: spent.total_seconds,
        }
    }

    /// What it did, where that is not the whole run.
    fn text(&self) -> String {
        match self.resumed_from {
            0 => String::new(),
            from => format!(
                "went on from step {}: {} in {}, {}\n",
                thousands(from),
                counted(self.steps, "step"),
                seconds(self.seconds),
                rate(self.samples_per_second)
            ),
        }
    }
}

impl Summary {
    /// Whether all steps are done.
    pub(crate) fn is_finished(&self) -> bool {
        self.status == Status::Finished
    }

    /// What it came to in the measure called `name`.
    pub(crate) fn found(&self, name: &str) -> Found {
        let measure = self.measures.iter().find(|measure| measure.name == name);
        Found {
            value: measure.filter(|_| self.error.is_none()).map(|measure| measure.value),
            is_sound: self.is_finished() && !self.verdict.is_bad(),
        }
    }

    /// Makes it that of a run that failed in its last moment.
    pub(crate) fn fail(&mut self, error: &gannet::Error) {
        (self.status, self.error) = (Status::Failed, Some(error.to_string()));
        let judgement = Judgement::from(Verdict::Failed);
        (self.verdict, self.verdict_hint) = (judgement.verdict, judgement.hint());
    }

    /// The verdict with its hint.
    fn sentence(&self) -> String {
        self.verdict_hint.as_ref().map_or_else(|| self.verdict.to_string(), |hint| format!("{}: {hint}", self.verdict))
    }

    /// The verdict in one line, where it is bad; a failed run tells its error.
    pub(crate) fn warning(&self) -> Option<String> {
        let warns = self.verdict.is_bad() && self.verdict != Verdict::Failed;
        warns.then(|| format!("{}: {}", printable(Path::new(&self.run)), self.sentence()))
    }

    /// The end of a finished run for people.
    pub(crate) fn text(&self, remark: Option<&str>) -> String {
        format!(
            "{}: {} in {}, {}\n{}\n{}{}{}{}\nverdict    {}\n{}model      {}\nlook at {}\n",
            printable(Path::new(&self.run)),
            counted(self.steps, "step"),
            seconds(self.seconds),
            rate(self.samples_per_second),
            self.leg.text(),
            measure_table(&self.measures),
            columns::table(&self.columns),
            self.quality.as_ref().map(TableQuality::table).unwrap_or_default(),
            remark.map(|remark| format!("\n{remark}\n")).unwrap_or_default(),
            self.sentence(),
            self.best_text().unwrap_or_default(),
            self.model_sha256.as_deref().unwrap_or_default(),
            printable(&Path::new(&self.run).join(run_folder::REPORT))
        )
    }

    /// Where the best model is, where that is not the last.
    fn best_text(&self) -> Option<String> {
        let Best { step, measure, value, last_value, .. } = self.best.as_ref().filter(|best| best.is_earlier())?;
        Some(format!(
            "best       step {}: {measure} {}, at the end {}; {}\n",
            thousands(*step),
            figure(*value),
            figure(*last_value),
            sample_best(Path::new(&self.run))
        ))
    }
}
