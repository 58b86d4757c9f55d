//! One run of `gannet train`: steps in turns, and between them snapshots for its [record](crate::run::record).

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration as Time, Instant};

use gannet::Result;
use gannet::gan::health::Verdict;
use gannet::gan::{Changes, StepReport, Trainer};
use gannet::internals::machine;
use gannet::internals::numbers::thousands;

use crate::folder::checkpoints;
use crate::folder::run_folder::{self, RESULT, RunFolder};
use crate::history::legs::Spent;
use crate::history::losses::Reported;
use crate::measures::judgement::Judgement;
use crate::measures::measure::Measured;
use crate::report;
use crate::run::beside::Beside;
use crate::run::failure_advice;
use crate::run::record::{Record, Snapshot};
use crate::run::schedule::Schedule;
use crate::run::start::Start;
use crate::run::stop::Stop;
use crate::run::summary::{LegSummary, Status, Summary};
use crate::settings::config::RunConfig;
use crate::terminal::progress::{Progress, Stopwatch};
use gannet_settings::values::{ENGINES, name_of};

/// A run in progress. Its trainer stands beside it.
pub(crate) struct Run {
    /// Its number among the runs of the command.
    index: usize,
    config: Arc<RunConfig>,
    schedule: Schedule,
    folder: RunFolder,
    /// `None` once it has ended.
    record: Option<Beside>,
    stop: Stop,
    /// The step that it went on from, if it was begun before.
    resumed: Option<u64>,
    /// Whether it is to be saved before its next step.
    at_once: bool,
    /// What is missing in the folder of a run that has done all its steps and only completes it.
    completes: Option<Vec<String>>,
    /// When its last checkpoint was taken.
    saved: Instant,
    last: Option<StepReport>,
    /// Time in steps.
    stopwatch: Stopwatch,
    /// Time in turns that have ended, and what of it was not in steps up to the last one.
    busy: Time,
    paused: Time,
    /// When the turn began.
    turn: Instant,
    /// What it came to, once it has ended.
    outcome: Option<Outcome>,
}

/// What a run came to, and the error that it ended with.
pub(crate) struct Outcome {
    pub(crate) summary: Summary,
    pub(crate) error: Option<gannet::Error>,
}

impl Run {
    /// A run that begins, or goes on, as `start` says. `last` is the last step whose losses are known.
    pub(crate) fn new(
        index: usize,
        config: Arc<RunConfig>,
        schedule: Schedule,
        start: &Start,
        folder: RunFolder,
        (record, last): (Beside, Option<StepReport>),
        stop: Stop,
    ) -> Self {
        Self {
            index,
            config,
            schedule,
            folder,
            record: Some(record),
            stop,
            resumed: start.resumed(),
            // New settings are in the run's configuration already.
            at_once: start.saved.is_some() && start.changes == Changes::Allowed,
            completes: start.completes.clone(),
            saved: Instant::now(),
            last,
            stopwatch: Stopwatch::default(),
            busy: Time::ZERO,
            paused: Time::ZERO,
            turn: Instant::now(),
            outcome: None,
        }
    }

    /// One turn: the steps up to the next evaluation, checkpoint or end, and what is then due. Says whether the run goes on.
    pub(crate) fn turn(&mut self, trainer: &mut Trainer, progress: &Progress) -> ControlFlow<()> {
        self.turn = Instant::now();
        let advanced = self.advance(trainer, progress);
        self.busy = self.busy.saturating_add(self.turn.elapsed());
        self.paused = self.busy.saturating_sub(self.stopwatch.elapsed());
        let Some(status) = advanced.as_ref().map_or(Some(Status::Failed), |ended| *ended) else {
            return ControlFlow::Continue(());
        };
        if status != Status::Finished || trainer.steps_done() < self.schedule.steps {
            progress.give_up(self.index);
        }
        self.outcome = self.record.take().map(|record| self.end(trainer, progress, record, status, advanced.err()));
        ControlFlow::Break(())
    }

    /// Takes the error that the run ended with, if it did not fail by itself: the system refused something.
    pub(crate) fn take_refusal(&mut self) -> Option<gannet::Error> {
        self.outcome.as_mut()?.error.take_if(|error| !matches!(error, gannet::Error::NotFinite { .. }))
    }

    /// What the run came to; `None` while it goes on.
    pub(crate) fn into_outcome(self) -> Option<Outcome> {
        self.outcome
    }

    /// Steps of the whole run.
    pub(crate) fn steps(&self) -> u64 {
        self.schedule.steps
    }

    /// The work of a turn. Says how the run has ended, if it has.
    fn advance(&mut self, trainer: &mut Trainer, progress: &Progress) -> Result<Option<Status>> {
        let before = trainer.steps_done();
        if before == 0 || self.at_once {
            let first = self.due(trainer, false, self.at_once)?;
            self.at_once = false;
            if !self.snapshot(first) {
                return Ok(Some(Status::Failed));
            }
        }
        if self.is_over(before) {
            let last = self.due(trainer, false, true)?;
            return Ok(Some(if self.snapshot(last) { Status::Finished } else { Status::Failed }));
        }
        self.last = self.segment(trainer, progress)?.or(self.last);
        let (done, steps) = (trainer.steps_done(), self.schedule.steps);
        if trainer.is_stopped_by_another() {
            self.stop.ask_by_another();
        }
        let stopped = self.stop.is_asked() && done < steps;
        let by_time = self.config.checkpoint_seconds;
        let is_time = by_time > 0 && self.saved.elapsed() >= Time::from_secs(by_time);
        // What was due at the step that the run went on from, the process before has done.
        let advanced = done > before;
        let save = advanced && (is_time || self.schedule.checkpoint_is_due(done));
        let save = save || done == steps || stopped;
        let due = self.due(trainer, advanced, save && self.completes.is_none())?;
        if due.save {
            self.saved = Instant::now();
        }
        Ok(match () {
            () if !self.snapshot(due) => Some(Status::Failed),
            () if done == steps => Some(Status::Finished),
            () if stopped => Some(Status::Stopped),
            () => None,
        })
    }

    /// Whether the run ends early after the step `done`. A run with patience waits for each of its evaluations, so that it ends at the same
    /// step however long they take.
    fn is_over(&self, done: u64) -> bool {
        let may_end = self.config.patience > 0 && done > 0 && done < self.schedule.steps;
        may_end && self.schedule.evaluation_is_due(done) && self.record.as_ref().is_some_and(Beside::is_stalled)
    }

    /// What is due at the step that the trainer has done, which it has just `advanced` to, or which the run begins with.
    ///
    /// # Errors
    ///
    /// That of the trainer's last step, if it failed.
    fn due(&self, trainer: &Trainer, advanced: bool, save: bool) -> Result<Snapshot> {
        let done = trainer.steps_done();
        let evaluate = self.schedule.evaluation_is_due(done);
        let total = self.busy.saturating_add(self.turn.elapsed());
        Ok(Snapshot {
            checkpoint: trainer.checkpoint()?,
            spent: self.spent(done, total, total.saturating_sub(self.stopwatch.elapsed())),
            gradients: (evaluate && advanced).then(|| trainer.gradients()).transpose()?,
            epoch: self.schedule.epoch(done),
            evaluate,
            save,
            complete: self.schedule.epoch_to_save(done).filter(|_| advanced),
        })
    }

    /// What this process has spent up to the step `done`, in `total` time, of which `paused` was not in steps.
    fn spent(&self, done: u64, total: Time, paused: Time) -> Spent {
        let steps = done.saturating_sub(self.resumed.unwrap_or(0));
        Spent {
            steps,
            samples: steps.saturating_mul(self.config.batch as u64),
            seconds: self.stopwatch.elapsed().as_secs_f64(),
            paused_seconds: paused.as_secs_f64(),
            total_seconds: total.as_secs_f64(),
        }
    }

    /// Has a snapshot recorded. Says whether recording goes on.
    fn snapshot(&mut self, snapshot: Snapshot) -> bool {
        self.record.as_mut().is_some_and(|record| record.snapshot(snapshot))
    }

    /// Steps up to the next one at which something is due.
    fn segment(&mut self, trainer: &mut Trainer, progress: &Progress) -> Result<Option<StepReport>> {
        let Some(record) = &mut self.record else { return Ok(None) };
        let (index, schedule, saved) = (self.index, self.schedule, self.saved);
        let stopwatch = &mut self.stopwatch;
        let by_time = Time::from_secs(self.config.checkpoint_seconds);
        let batch = self.config.batch as f64;
        let done = trainer.steps_done();
        let mut recorded = true;
        stopwatch.start();
        let mut before = (done, stopwatch.elapsed());
        let last = trainer.run(schedule.next(done) - done, schedule.between_reports(), |report| {
            let elapsed = stopwatch.elapsed();
            if schedule.row_is_due(report.step) {
                let rate = rate((report.step - before.0) as f64 * batch, before.1, elapsed);
                before = (report.step, elapsed);
                recorded = record.report(Reported { report: *report, epoch: schedule.epoch(report.step), rate });
            }
            progress.report(index, report, elapsed);
            let is_time = !by_time.is_zero() && saved.elapsed() >= by_time;
            if recorded && !is_time { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        stopwatch.stop();
        last
    }

    /// Ends the run: waits for its record, and writes what it came to.
    fn end(
        &mut self,
        trainer: &Trainer,
        progress: &Progress,
        record: Beside,
        mut status: Status,
        failure: Option<gannet::Error>,
    ) -> Outcome {
        let start = Instant::now();
        if status == Status::Finished && self.completes.is_none() {
            progress.ending("measuring and drawing what is left", true);
        }
        let (mut record, recorded) = record.join();
        let mut failure = recorded.err().or(failure);
        let mut measured = Measured::default();
        if status == Status::Finished && failure.is_none() {
            match trainer.model().and_then(|model| record.finish(trainer.steps_done(), &model)) {
                Ok(found) => measured = found,
                Err(error) => failure = Some(error),
            }
        }
        if failure.is_some() {
            status = Status::Failed;
        }
        let closed = record.close();
        self.busy = self.busy.saturating_add(start.elapsed());
        let spent = self.spent(trainer.steps_done(), self.busy, self.paused);
        let told = closed.and_then(|()| match self.completes {
            None => record.end_leg(trainer.steps_done(), spent),
            Some(_) => Ok(()),
        });
        let advice = failure.as_ref().map(|error| self.advice(error, record.reach()));
        let judgement = match &advice {
            Some(advice) => Judgement::failed(advice.clone()),
            None if status == Status::Failed => Verdict::Failed.into(),
            None => record.judgement(),
        };
        let mut summary = self.summary(trainer, (status, judgement), failure.as_ref(), (measured, &record));
        // What is told of the end stays where the run only completes what is missing beside it.
        let is_told = self.completes.as_ref().is_some_and(|missing| !missing.iter().any(|name| name == RESULT));
        let written = told
            .and_then(|()| if is_told { Ok(()) } else { self.folder.write(RESULT, &run_folder::json(&summary)) })
            .and_then(|()| report::write(self.folder.path()));
        if let Some(early) = &summary.early_stop {
            progress.about(self.index, &format!("step {}: {early}", thousands(summary.steps)));
        }
        if let (Some(gannet::Error::NotFinite { .. }), Some(advice)) = (&failure, &advice) {
            progress.about(self.index, advice);
        }
        // Where several things fail, the first is the one to tell.
        let error = failure.or(written.err());
        if let Some(error) = error.as_ref().filter(|_| status != Status::Failed) {
            summary.fail(error);
        }
        progress.ended(start.elapsed());
        Outcome { summary, error }
    }

    /// What to do about the `error` that the run ended with. `reach` is the largest magnitude that it trained on.
    fn advice(&self, error: &gannet::Error, reach: f32) -> String {
        let folder = self.folder.path();
        let checkpoint = checkpoints::last(folder, &self.config.spec).ok().flatten();
        failure_advice::advice(error, &self.config, folder, checkpoint.map(|checkpoint| checkpoint.step()), reach)
    }

    fn summary(
        &self,
        trainer: &Trainer,
        (status, judgement): (Status, Judgement),
        failure: Option<&gannet::Error>,
        (Measured { measures, columns, quality, .. }, record): (Measured, &Record),
    ) -> Summary {
        let config = &self.config;
        let steps = trainer.steps_done();
        let legs = record.legs();
        let whole = legs.spent();
        let leg = match legs.legs().last() {
            Some(last) if self.completes.is_some() => LegSummary::new(last.from, last.spent),
            _ => LegSummary::new(self.resumed.unwrap_or(0), self.spent(steps, self.busy, self.paused)),
        };
        let of = |value: fn(&StepReport) -> f64| self.last.as_ref().map_or(f64::NAN, value);
        Summary {
            run: self.folder.path().display().to_string(),
            status,
            error: failure.map(ToString::to_string),
            verdict: judgement.verdict,
            verdict_hint: judgement.hint(),
            preset: config.preset.name(),
            steps,
            planned_steps: self.schedule.steps,
            epochs: self.schedule.passes(steps),
            seconds: whole.seconds,
            samples_per_second: whole.samples_per_second(),
            paused_seconds: whole.paused_seconds,
            leg,
            discriminator_loss: of(|report| report.discriminator_loss),
            generator_loss: of(|report| report.generator_loss),
            penalty: self.last.as_ref().and_then(|report| report.penalty),
            real_probability: of(|report| report.real_probability),
            fake_probability: of(|report| report.fake_probability),
            metrics: measures.iter().map(|measure| (measure.name, measure.value)).collect(),
            best: record.best(),
            early_stop: record.early_stop().filter(|_| status == Status::Finished && steps < self.schedule.steps),
            columns,
            quality,
            warnings: config.own.as_ref().map_or_else(Vec::new, |own| own.notes().to_vec()),
            model_step: record.model().and_then(|model| model.step),
            model_sha256: record.model().map(|model| model.sha256.clone()),
            repeats: legs.repeats(),
            total_seconds: whole.total_seconds,
            batch: config.batch,
            seed: config.seed,
            threads: config.threads,
            engine: name_of(ENGINES, &config.engine),
            isa: trainer.isa().kind().to_string(),
            processor: machine::processor(),
            version: env!("CARGO_PKG_VERSION"),
            measures,
        }
    }
}

/// `samples` a second between two times of a clock, which may have been set back meanwhile; 0 where no time passed.
fn rate(samples: f64, before: Time, after: Time) -> f64 {
    let seconds = after.saturating_sub(before).as_secs_f64();
    if seconds > 0.0 { samples / seconds } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_gives_a_rate() {
        let second = Time::from_secs(1);
        assert_eq!(rate(320.0, second, 3 * second), 160.0);
        assert_eq!(rate(320.0, second, second), 0.0);
        assert_eq!(rate(320.0, 2 * second, second), 0.0);
    }
}
