//! One run of `gannet train`: steps in turns, and between them snapshots for its [record](super::record).

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration as Time, Instant};

use super::args::{ENGINES, name_of};
use super::beside::Beside;
use super::checkpoints;
use super::config::RunConfig;
use super::machine;
use super::plot::thousands;
use super::progress::{Progress, Stopwatch};
use super::record::{Learned, Reported, Snapshot};
use super::report;
use super::run_folder::{self, RunFolder};
use super::stop::Stop;
use super::summary::{Status, Summary};
use crate::error::Result;
use crate::gan::{StepReport, Trainer};

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
    /// When its last checkpoint was taken.
    saved: Instant,
    last: Option<StepReport>,
    /// Time in steps.
    stopwatch: Stopwatch,
    /// Time in turns that have ended, and what of it was not in steps up to the last one.
    busy: Time,
    paused: Time,
    /// What it came to, once it has ended.
    outcome: Option<Result<Summary>>,
}

/// At which steps something is due.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    steps: u64,
    report: u64,
    evaluate: u64,
    /// 0 = never.
    checkpoint: u64,
    /// Epochs; 0 = never.
    epochs: u64,
    /// Real samples that there are, and that a step draws.
    samples: u64,
    per_step: u64,
}

impl Run {
    /// A run of `steps` steps on `samples` samples, which begins or goes on after the step `resumed`.
    pub(crate) fn new(
        index: usize,
        config: Arc<RunConfig>,
        [steps, samples]: [u64; 2],
        resumed: Option<u64>,
        folder: RunFolder,
        record: Beside,
        stop: Stop,
    ) -> Self {
        let schedule = Schedule {
            steps,
            report: config.report_every.unwrap_or(1).max(1),
            evaluate: config.evaluate_every.unwrap_or(steps).max(1),
            checkpoint: config.checkpoint_steps,
            epochs: config.save_epochs,
            samples,
            per_step: (config.batch as u64).saturating_mul(config.spec.discriminator_steps as u64),
        };
        Self {
            index,
            config,
            schedule,
            folder,
            record: Some(record),
            stop,
            resumed,
            saved: Instant::now(),
            last: None,
            stopwatch: Stopwatch::default(),
            busy: Time::ZERO,
            paused: Time::ZERO,
            outcome: None,
        }
    }

    /// One turn: the steps up to the next evaluation, checkpoint or end, and what is then due. Says whether the run goes on.
    pub(crate) fn turn(&mut self, trainer: &mut Trainer, progress: &Progress) -> ControlFlow<()> {
        let start = Instant::now();
        let advanced = self.advance(trainer, progress);
        self.busy += start.elapsed();
        self.paused = self.busy.saturating_sub(self.stopwatch.elapsed());
        let Some(status) = advanced.as_ref().map_or(Some(Status::Failed), |ended| *ended) else {
            return ControlFlow::Continue(());
        };
        if status != Status::Finished {
            progress.give_up(self.index);
        }
        self.outcome = self.record.take().map(|record| self.end(trainer, progress, record, status, advanced.err()));
        ControlFlow::Break(())
    }

    /// What the run came to; `None` while it goes on.
    pub(crate) fn into_outcome(self) -> Option<Result<Summary>> {
        self.outcome
    }

    /// Steps of the whole run.
    pub(crate) fn steps(&self) -> u64 {
        self.schedule.steps
    }

    /// The settings.
    pub(crate) fn config(&self) -> &RunConfig {
        &self.config
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// The work of a turn. Says how the run has ended, if it has.
    fn advance(&mut self, trainer: &mut Trainer, progress: &Progress) -> Result<Option<Status>> {
        let Some(record) = &mut self.record else { return Ok(None) };
        if trainer.steps_done() == 0 && self.resumed.is_none() {
            let first = Snapshot {
                checkpoint: trainer.checkpoint(),
                gradients: None,
                epoch: 0,
                evaluate: true,
                save: false,
                complete: None,
            };
            if !record.snapshot(first) {
                return Ok(Some(Status::Failed));
            }
        }
        let before = trainer.steps_done();
        self.last = self.segment(trainer, progress)?.or(self.last);
        let (done, schedule) = (trainer.steps_done(), &self.schedule);
        let stopped = self.stop.is_asked() && done < schedule.steps;
        // What was due at the step that the run went on from, the process before has done.
        let advanced = done > before;
        let by_time = self.config.checkpoint_seconds;
        let is_time = by_time > 0 && self.saved.elapsed() >= Time::from_secs(by_time);
        let evaluate = advanced && schedule.evaluation_is_due(done);
        let due = Snapshot {
            evaluate,
            save: done == schedule.steps || stopped || (advanced && (is_time || schedule.checkpoint_is_due(done))),
            complete: schedule.epoch_to_save(done).filter(|_| advanced),
            gradients: evaluate.then(|| trainer.gradients()),
            epoch: schedule.epoch(done),
            checkpoint: trainer.checkpoint(),
        };
        if due.save {
            self.saved = Instant::now();
        }
        let recorded = self.record.as_mut().is_some_and(|record| record.snapshot(due));
        Ok(match () {
            () if !recorded => Some(Status::Failed),
            () if done == self.schedule.steps => Some(Status::Finished),
            () if stopped => Some(Status::Stopped),
            () => None,
        })
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
        let last = trainer.run(schedule.next(done) - done, schedule.report, |report| {
            let elapsed = stopwatch.elapsed();
            if schedule.row_is_due(report.step) {
                let rate = (report.step - before.0) as f64 * batch / (elapsed - before.1).as_secs_f64();
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
        failure: Option<crate::Error>,
    ) -> Result<Summary> {
        let start = Instant::now();
        let (mut record, recorded) = record.join();
        let mut failure = recorded.err().or(failure);
        let mut learned = None;
        if status == Status::Finished && failure.is_none() {
            match record.finish(trainer.steps_done(), &trainer.model()) {
                Ok(found) => learned = Some(found),
                Err(error) => failure = Some(error),
            }
        }
        if failure.is_some() {
            status = Status::Failed;
        }
        let closed = record.close();
        self.busy += start.elapsed();
        let summary = self.summary(trainer, status, failure.as_ref(), learned);
        let written = closed
            .and_then(|()| self.folder.write(run_folder::RESULT, &run_folder::json(&summary)))
            .and_then(|()| report::write(self.folder.path()));
        if let Some(crate::Error::NotFinite { .. }) = failure {
            progress.about(self.index, &self.way_back());
        }
        // Where several things fail, the first is the one to tell.
        failure.map_or(written, Err).map(|()| summary)
    }

    /// What is left of a run that met what is not finite.
    fn way_back(&self) -> String {
        let folder = self.folder.path();
        match checkpoints::list(folder).ok().and_then(|mut all| all.pop()) {
            Some((step, _)) => format!(
                "the checkpoint of step {} is healthy: gannet train --resume {} --override --learning-rate RATE goes on from it",
                thousands(step),
                folder.display()
            ),
            None => "there is no checkpoint yet to go back to".to_string(),
        }
    }

    fn summary(
        &self,
        trainer: &Trainer,
        status: Status,
        failure: Option<&crate::Error>,
        learned: Option<Learned>,
    ) -> Summary {
        let config = &self.config;
        let (steps, resumed) = (trainer.steps_done(), self.resumed.unwrap_or(0));
        let seconds = self.stopwatch.elapsed().as_secs_f64();
        let of = |value: fn(&StepReport) -> f64| self.last.as_ref().map_or(f64::NAN, value);
        let (measures, model_sha256) = match learned {
            Some(Learned { measures, model_sha256 }) => (measures, Some(model_sha256)),
            None => (Vec::new(), None),
        };
        Summary {
            run: self.folder.path().display().to_string(),
            status,
            error: failure.map(ToString::to_string),
            system: config.system.name(),
            steps,
            planned_steps: self.schedule.steps,
            epochs: self.schedule.drawn(steps) as f64 / self.schedule.samples as f64,
            resumed_from: resumed,
            seconds,
            samples_per_second: (steps - resumed) as f64 * config.batch as f64 / seconds,
            paused_seconds: self.paused.as_secs_f64(),
            discriminator_loss: of(|report| report.discriminator_loss),
            generator_loss: of(|report| report.generator_loss),
            real_probability: of(|report| report.real_probability),
            fake_probability: of(|report| report.fake_probability),
            metrics: measures.iter().map(|measure| (measure.name, measure.value)).collect(),
            model_sha256,
            total_seconds: self.busy.as_secs_f64(),
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

impl Schedule {
    /// The first step after `done` at which something is due.
    fn next(&self, done: u64) -> u64 {
        let multiple = |every: u64| match every {
            0 => u64::MAX,
            every => (done / every + 1).saturating_mul(every),
        };
        self.steps.min(multiple(self.evaluate)).min(multiple(self.checkpoint)).min(self.next_epoch(done))
    }

    fn evaluation_is_due(&self, step: u64) -> bool {
        step == self.steps || step.is_multiple_of(self.evaluate)
    }

    fn checkpoint_is_due(&self, step: u64) -> bool {
        self.checkpoint > 0 && step.is_multiple_of(self.checkpoint)
    }

    /// Whether the losses of a step are written; the trainer also reports the last step before a pause.
    fn row_is_due(&self, step: u64) -> bool {
        step.is_multiple_of(self.report) || self.evaluation_is_due(step)
    }

    /// The epoch under whose number the networks are saved after `step`.
    fn epoch_to_save(&self, step: u64) -> Option<u64> {
        (step > 0 && self.next_epoch(step - 1) == step).then(|| self.whole_epochs(self.drawn(step)))
    }

    /// The step after `done` at which the networks are saved: the first at which the next epoch to be saved is complete.
    fn next_epoch(&self, done: u64) -> u64 {
        if self.epochs == 0 {
            return u64::MAX;
        }
        let epoch = (self.whole_epochs(self.drawn(done)) / self.epochs + 1).saturating_mul(self.epochs);
        let steps = (u128::from(epoch) * u128::from(self.samples)).div_ceil(u128::from(self.per_step.max(1)));
        u64::try_from(steps).unwrap_or(u64::MAX)
    }

    /// Real samples drawn in `step` steps.
    fn drawn(&self, step: u64) -> u128 {
        u128::from(step) * u128::from(self.per_step)
    }

    /// The passes over the data that are complete when `drawn` samples have been drawn.
    fn whole_epochs(&self, drawn: u128) -> u64 {
        u64::try_from(drawn / u128::from(self.samples.max(1))).unwrap_or(u64::MAX)
    }

    /// The epoch, counted from 1, that the first sample of step `step`, counted from 1, belongs to; 0 before the first step.
    fn epoch(&self, step: u64) -> u64 {
        step.checked_sub(1).map_or(0, |before| self.whole_epochs(self.drawn(before)) + 1)
    }
}
