//! At which steps of a run something is due: a row of a table, an evaluation, a checkpoint, an epoch's model, the end.

use gannet::gan::Checkpoint;
use gannet::gan::presets::Duration;

use crate::settings::config::RunConfig;

/// Evaluations of a run after the one before its first step, if nothing else is asked for.
const EVALUATIONS: u64 = 10;

/// Most steps between two reports of the trainer, at which the progress moves and the time is looked at.
const MOST_BETWEEN_REPORTS: u64 = 100;

/// Steps between two evaluations of a run of `steps` steps: those that are asked for, or the usual ones.
pub(crate) fn between_evaluations(asked: Option<u64>, steps: u64) -> u64 {
    asked.unwrap_or(steps.div_ceil(EVALUATIONS)).max(1)
}

/// Evaluations of a run of `steps` steps: one before its first step, one every so many, one after the last.
pub(crate) fn evaluations(asked: Option<u64>, steps: u64) -> u64 {
    steps.div_ceil(between_evaluations(asked, steps)).saturating_add(1)
}

/// The schedule of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// Steps of the whole run.
    pub(crate) steps: u64,
    rows: u64,
    evaluate: u64,
    /// 0 = never.
    checkpoint: u64,
    /// Epochs; 0 = never.
    epochs: u64,
    /// Real samples that there are, and that a step draws.
    pub(crate) samples: u64,
    per_step: u64,
    /// A step, and the real samples drawn until then: with other settings, perhaps.
    base: (u64, u64),
}

impl Schedule {
    /// The schedule of a run of `steps` steps on `samples` samples, which goes on from what was `saved`.
    pub(crate) fn new(config: &RunConfig, steps: u64, samples: u64, saved: Option<&Checkpoint>) -> Self {
        let mut schedule = Self {
            steps,
            rows: config.report_every.unwrap_or(1).max(1),
            evaluate: config.evaluate_every.unwrap_or(steps).max(1),
            checkpoint: config.checkpoint_steps,
            epochs: config.save_epochs,
            samples: samples.max(1),
            per_step: (config.batch as u64).saturating_mul(config.spec.discriminator_steps as u64).max(1),
            base: saved.map_or((0, 0), |saved| (saved.step(), saved.samples_drawn())),
        };
        if let Duration::Epochs(epochs) = config.duration {
            schedule.steps = schedule.steps_for(epochs);
        }
        schedule
    }

    /// The schedule that a run of `config` has had from its beginning to what was `saved`; `None` where other settings preceded.
    pub(crate) fn of_saved(config: &RunConfig, saved: &Checkpoint) -> Option<Self> {
        let schedule = Self::new(config, saved.step(), saved.samples() as u64, None);
        (schedule.drawn(saved.step()) == u128::from(saved.samples_drawn())).then_some(schedule)
    }

    /// The first step after `done` at which something is due.
    pub(crate) fn next(&self, done: u64) -> u64 {
        let multiple = |every: u64| match every {
            0 => u64::MAX,
            every => (done / every + 1).saturating_mul(every),
        };
        // Rows that are further apart than the trainer's reports end a piece of the run themselves.
        let rows = if self.rows > MOST_BETWEEN_REPORTS { multiple(self.rows) } else { u64::MAX };
        let next = rows.min(multiple(self.evaluate)).min(multiple(self.checkpoint)).min(self.next_epoch(done));
        self.steps.min(next)
    }

    /// Steps between two reports of the trainer.
    pub(crate) fn between_reports(&self) -> u64 {
        self.rows.min(MOST_BETWEEN_REPORTS)
    }

    pub(crate) fn evaluation_is_due(&self, step: u64) -> bool {
        step == self.steps || step.is_multiple_of(self.evaluate)
    }

    /// Evaluations after the step `done`, which has had its own, or from the beginning on where nothing is done.
    pub(crate) fn evaluations_after(&self, done: Option<u64>) -> u64 {
        let up_to = |step: u64| step.div_ceil(self.evaluate);
        match done {
            None => up_to(self.steps) + 1,
            Some(done) if done >= self.steps => 0,
            Some(done) => up_to(self.steps) - done / self.evaluate,
        }
    }

    pub(crate) fn checkpoint_is_due(&self, step: u64) -> bool {
        self.checkpoint > 0 && step.is_multiple_of(self.checkpoint)
    }

    /// Whether the losses of a step are written; the trainer reports others, too.
    pub(crate) fn row_is_due(&self, step: u64) -> bool {
        step.is_multiple_of(self.rows) || self.evaluation_is_due(step)
    }

    /// The epoch under whose number the networks are saved after `step`.
    pub(crate) fn epoch_to_save(&self, step: u64) -> Option<u64> {
        (step > self.base.0 && self.next_epoch(step - 1) == step).then(|| self.whole_epochs(self.drawn(step)))
    }

    /// The step after `done` at which the networks are saved: the first at which the next epoch to be saved is complete.
    fn next_epoch(&self, done: u64) -> u64 {
        match self.epochs {
            0 => u64::MAX,
            every => self.steps_for((self.whole_epochs(self.drawn(done)) / every + 1).saturating_mul(every)),
        }
    }

    /// The steps that make up `epochs` passes over the data.
    pub(crate) fn steps_for(&self, epochs: u64) -> u64 {
        let samples = u128::from(epochs) * u128::from(self.samples);
        let more = samples.saturating_sub(u128::from(self.base.1)).div_ceil(u128::from(self.per_step));
        u64::try_from(u128::from(self.base.0) + more).unwrap_or(u64::MAX)
    }

    /// Passes over the data until `step`.
    pub(crate) fn passes(&self, step: u64) -> f64 {
        self.drawn(step) as f64 / self.samples as f64
    }

    /// Real samples drawn in `step` steps.
    fn drawn(&self, step: u64) -> u128 {
        u128::from(self.base.1) + u128::from(step.saturating_sub(self.base.0)) * u128::from(self.per_step)
    }

    /// The passes over the data that are complete when `drawn` samples have been drawn.
    fn whole_epochs(&self, drawn: u128) -> u64 {
        u64::try_from(drawn / u128::from(self.samples)).unwrap_or(u64::MAX)
    }

    /// The epoch, counted from 1, that the first sample of step `step`, counted from 1, belongs to; 0 before the first step.
    pub(crate) fn epoch(&self, step: u64) -> u64 {
        step.checked_sub(1).map_or(0, |before| self.whole_epochs(self.drawn(before)) + 1)
    }
}

#[cfg(test)]
mod tests {
    use gannet::gan::presets::Preset;

    use super::*;

    fn schedule(steps: u64, change: impl FnOnce(&mut RunConfig)) -> Schedule {
        let mut config = RunConfig { duration: Duration::Steps(steps), ..RunConfig::of(Preset::Circle) };
        change(&mut config);
        Schedule::new(&config, steps, 100, None)
    }

    #[test]
    fn a_run_pauses_where_something_is_due_and_nowhere_else() {
        let steps = |schedule: Schedule| {
            let mut steps = vec![0];
            while steps[steps.len() - 1] < schedule.steps {
                steps.push(schedule.next(steps[steps.len() - 1]));
            }
            steps
        };
        let run = schedule(100, |config| (config.evaluate_every, config.checkpoint_steps) = (Some(40), 25));
        assert_eq!(steps(run), [0, 25, 40, 50, 75, 80, 100]);
        let run = schedule(500, |config| (config.evaluate_every, config.report_every) = (Some(500), Some(150)));
        assert_eq!(steps(run), [0, 150, 300, 450, 500]);
        assert_eq!(run.between_reports(), 100);
        assert!([0, 150, 500].into_iter().all(|step| run.row_is_due(step)) && !run.row_is_due(100));
        // 32 of 100 samples a step: epochs are complete after steps 4, 7, 10 and 13.
        let run = schedule(13, |config| (config.evaluate_every, config.save_epochs) = (Some(13), 1));
        assert_eq!(steps(run), [0, 4, 7, 10, 13]);
        assert_eq!([4, 5, 7, 13].map(|step| run.epoch_to_save(step)), [Some(1), None, Some(2), Some(4)]);
        assert_eq!([0, 1, 4, 5, 8].map(|step| run.epoch(step)), [0, 1, 1, 2, 3]);
    }

    #[test]
    fn evaluations_that_are_to_come_are_those_that_are_due() {
        for (steps, every) in [(240, 40), (240, 50), (7, 100), (100, 1)] {
            let schedule = schedule(steps, |config| config.evaluate_every = Some(every));
            let due = |from: u64| (from..=steps).filter(|&step| schedule.evaluation_is_due(step)).count() as u64;
            assert_eq!(schedule.evaluations_after(None), due(0), "{steps} {every}");
            for done in [0, 1, every.min(steps), steps / 2, steps - 1, steps] {
                assert_eq!(schedule.evaluations_after(Some(done)), due(done + 1), "{steps} {every} {done}");
            }
        }
    }

    #[test]
    fn evaluations_are_counted_as_they_come() {
        for (asked, steps) in [(None, 1), (None, 9), (None, 1234), (Some(1), 50), (Some(7), 50), (Some(100), 50)] {
            let run = schedule(steps, |config| config.evaluate_every = Some(between_evaluations(asked, steps)));
            let due = 1 + (1..=steps).filter(|&step| run.evaluation_is_due(step)).count() as u64;
            assert_eq!(evaluations(asked, steps), due, "{asked:?} {steps}");
        }
        assert_eq!((evaluations(None, u64::MAX), evaluations(Some(1), u64::MAX)), (11, u64::MAX));
    }

    #[test]
    fn epochs_go_on_where_another_batch_left_off() {
        let before = schedule(10, |_| ());
        let after = Schedule { per_step: 10, base: (10, 320), epochs: 1, ..before };
        assert_eq!(after.steps_for(4), 18);
        assert_eq!((after.epoch(11), after.epoch(18), after.epoch(19)), (4, 4, 5));
        assert_eq!((after.epoch_to_save(10), after.epoch_to_save(18)), (None, Some(4)));
    }
}
