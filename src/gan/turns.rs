//! Turns of one network alone, and G's turn with a gradient from outside.

use super::adversary::Run;
use super::exchange::Task;
use super::form::Form;
use super::program::{Draws, Reals};
use super::spec::Order;
use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::parallel::{self, Team};
use crate::rows;

/// What a turn of D alone reports.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct DiscriminatorReport {
    /// Turns of D done, this one included.
    pub turn: u64,
    /// D's loss before its update.
    pub loss: f64,
    /// Mean D(x) over the real batch, before the update.
    pub real_probability: f64,
    /// Mean D(G(z)) over the fakes, before the update.
    pub fake_probability: f64,
    /// The penalties on D, which its loss does not contain; `None` without any.
    pub penalty: Option<f64>,
}

/// What a turn of G alone reports.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct GeneratorReport {
    /// Turns of G done, this one included: the steps.
    pub step: u64,
    /// G's loss (the one that it minimizes) before its update.
    pub loss: f64,
}

/// What a turn of G reads; D's reads more. The fields are borrowed one by one.
macro_rules! run {
    ($trainer:expr, $team:expr) => {
        Run {
            team: $team,
            plan: &$trainer.plan,
            objective: $trainer.spec.objective,
            penalties: $trainer.spec.schedule.penalties($trainer.spec.penalties, $trainer.adversary.steps + 1),
            label_smoothing: $trainer.spec.label_smoothing,
            noise: $trainer.spec.noise_deviation($trainer.adversary.steps + 1),
            draws: Draws {
                seed: $trainer.options.seed,
                discriminator_turns: $trainer.adversary.discriminator_turns.saturating_sub(1),
                generator_turns: $trainer.adversary.steps,
                given: None,
            },
            reals: Reals::Given(&[]),
            outside: &[],
            reported: true,
        }
    };
}

/// Turns of one network alone.
///
/// Turns of D and of G are counted apart, and random numbers depend on seed, count and sample alone. The order of updates
/// [`Order::DiscriminatorFirst`] draws latents for D's turns and others for G's, by their own counts. In
/// [`Order::DiscriminatorFirstSharedFake`], G's turn takes the latents of the last turn of D, or before any of its first one's. So as many
/// turns of D as [`GanSpec::discriminator_steps`](super::GanSpec::discriminator_steps) says and one of G are a step, bit for bit, and may
/// be mixed with whole ones. [`Trainer::steps_done`] counts G's turns; a checkpoint holds both counts.
///
/// The first turn alone prepares the trainer, for good: it takes memory once, and later turns take none. (With several
/// threads each call enters the pool, for which rayon allocates some small blocks; [`Trainer::run`] enters it once for all its steps.)
/// Whole steps then make again what a turn of G could otherwise have taken over from D's.
impl Trainer<'_> {
    /// D's turn of a step alone: the next batch of real samples, fakes of G as it is, and D's update.
    ///
    /// ```
    /// use std::{ops::ControlFlow, sync::Arc};
    /// use gannet::{data::synthetic, gan::{Trainer, TrainerOptions, presets::Preset}};
    ///
    /// let points = Arc::new(synthetic::circle(1_024, 1)?);
    /// let trainer = || Trainer::new(Preset::Circle.spec(), points.clone(), TrainerOptions::default());
    /// let (mut whole, mut apart) = (trainer()?, trainer()?);
    /// whole.run(10, 0, |_| ControlFlow::Continue(()))?;
    /// for _ in 0..10 {
    ///     apart.step_discriminator()?;
    ///     apart.step_generator()?;
    /// }
    /// assert!(apart.model()? == whole.model()?);
    /// # Ok::<(), gannet::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for [`Order::GeneratorFirstSharedFake`], which updates both networks from the same fakes; memory that the
    /// limit or the system refuses; else as [`Trainer::run`].
    pub fn step_discriminator(&mut self) -> Result<DiscriminatorReport> {
        self.prepare_alone()?;
        self.adversary.begin_task(Task::DiscriminatorTurn)?;
        self.discriminator_alone()
    }

    /// D's turn alone, once all processes that share the batch have begun it.
    pub(super) fn discriminator_alone(&mut self) -> Result<DiscriminatorReport> {
        self.with_team(|trainer, team| {
            trainer.adversary.begin()?;
            let outcome = trainer.discriminator_turn(team);
            trainer.adversary.end(outcome)
        })?;
        let report = self.adversary.report(self.spec.objective)?;
        Ok(DiscriminatorReport {
            turn: self.adversary.discriminator_turns,
            loss: report.discriminator_loss,
            real_probability: report.real_probability,
            fake_probability: report.fake_probability,
            penalty: report.penalty,
        })
    }

    /// G's turn of a step alone: fakes, D's judgement of them, and G's update. See [`step_discriminator`](Self::step_discriminator).
    ///
    /// # Errors
    ///
    /// As there, and [`Error::InvalidSetting`] for a relativistic objective and for conditions, for which G needs real samples too.
    pub fn step_generator(&mut self) -> Result<GeneratorReport> {
        if self.spec.objective.is_relativistic() {
            let problem = "a relativistic objective compares G's fakes with the real samples of D's turn; take whole steps instead";
            return Err(Error::setting("objective", problem));
        }
        self.check_unconditional()?;
        self.prepare_alone()?;
        self.adversary.begin_task(Task::GeneratorTurn)?;
        self.generator_alone()
    }

    /// G's turn alone, once all processes that share the batch have begun it.
    pub(super) fn generator_alone(&mut self) -> Result<GeneratorReport> {
        self.with_team(|trainer, team| {
            trainer.adversary.begin()?;
            trainer.adversary.workspace.clear_sums();
            let (run, adversary) = (run!(trainer, team), &mut trainer.adversary);
            let outcome = adversary.generator_turn(&run, None);
            adversary.steps += u64::from(outcome.is_ok());
            adversary.end(outcome)
        })?;
        let report = self.adversary.report(self.spec.objective)?;
        Ok(GeneratorReport { step: report.step, loss: report.generator_loss })
    }

    /// G's turn with a loss or critic of the caller's: `answer` gets the fakes of the batch, `[batch, features]`, row-major, and writes the
    /// gradient of its loss with respect to them, summed over the batch as the loss is, in the same shape; what it leaves is 0. G is
    /// updated by it. The latents are those of G's turns in [`Order::DiscriminatorFirst`], whatever the order. D takes no part.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use gannet::{data::synthetic, gan::{Trainer, TrainerOptions, presets::Preset}};
    ///
    /// let points = Arc::new(synthetic::circle(1_024, 1)?);
    /// let mut trainer = Trainer::new(Preset::Circle.spec(), points, TrainerOptions::default())?;
    /// // A loss of our own: the mean squared distance of the fakes from the point (0.5, -0.5).
    /// let mut losses = Vec::new();
    /// for _ in 0..300 {
    ///     trainer.step_generator_with(|fakes, gradient| {
    ///         let rows = fakes.len() as f32 / 2.0;
    ///         let mut loss = 0.0;
    ///         for (fake, gradient) in fakes.chunks(2).zip(gradient.chunks_mut(2)) {
    ///             for (column, target) in [0.5, -0.5].into_iter().enumerate() {
    ///                 let distance = fake[column] - target;
    ///                 loss += distance * distance / rows;
    ///                 gradient[column] = 2.0 * distance / rows;
    ///             }
    ///         }
    ///         losses.push(loss);
    ///         Ok(())
    ///     })?;
    /// }
    /// assert!(losses[299] < 0.1 * losses[0], "{} {}", losses[0], losses[299]);
    /// # Ok::<(), gannet::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// That of `answer` ([`Error::callback`] makes one of anything), and [`Error::Data`] for a gradient that is not finite: the trainer
    /// then stands where it stood, as it does after a panic of `answer`. [`Error::InvalidSetting`] for conditions and packs. Else as
    /// [`Trainer::run`].
    pub fn step_generator_with(&mut self, answer: impl FnOnce(&[f32], &mut [f32]) -> Result<()>) -> Result<()> {
        self.check_unconditional()?;
        if self.spec.packing > 1 {
            let problem = "fakes that are answered one by one have no packs; leave `packing` at 1";
            return Err(Error::setting("packing", problem));
        }
        if self.adversary.shared.is_some() {
            let problem =
                "the fakes of a shared batch are in several processes; answer those of a trainer that is alone";
            return Err(Error::setting("exchange", problem));
        }
        self.prepare(Form { answered: true, ..Form::default() })?;
        self.with_team(|trainer, team| {
            let features = trainer.spec.features();
            trainer.adversary.begin()?;
            let (run, adversary) = (run!(trainer, team), &mut trainer.adversary);
            let [fakes, gradient] = &mut trainer.answered;
            let outcome = adversary.publish_fakes(&run, fakes);
            adversary.end(outcome)?;
            gradient.fill(0.0);
            answer(fakes, gradient)?;
            rows::finite("the gradient with respect to the fakes", gradient, features)?;
            adversary.begin()?;
            let outcome = adversary.answered_turn(&Run { outside: gradient, ..run });
            adversary.steps += u64::from(outcome.is_ok());
            adversary.end(outcome)
        })
    }

    /// Refuses conditions, which fakes have of the real samples beside them.
    fn check_unconditional(&self) -> Result<()> {
        if self.spec.conditions == 0 {
            return Ok(());
        }
        let problem = "fakes have the conditions of the real samples of D's turn; take whole steps instead";
        Err(Error::setting("conditions", problem))
    }

    /// Prepares turns of one network alone.
    pub(super) fn prepare_alone(&mut self) -> Result<()> {
        if self.spec.order == Order::GeneratorFirstSharedFake {
            let problem =
                "generator_first_shared_fake updates both networks from the same fakes; use another to step one alone";
            return Err(Error::setting("order", problem));
        }
        self.prepare(Form { alone: true, ..Form::default() })
    }

    /// Calls `work` with the trainer's team.
    fn with_team<T>(&mut self, work: impl FnOnce(&mut Self, &Team<'_>) -> T) -> T {
        let pool = self.pool.clone();
        parallel::with_team(self.plan.threads, pool.as_ref(), |team| work(self, team))
    }

    /// D's turn with the next batch.
    fn discriminator_turn(&mut self, team: &Team<'_>) -> Result<()> {
        let taken = self.intake.take(team, 1)?;
        let run = run!(self, team);
        let draws = Draws { discriminator_turns: self.adversary.discriminator_turns, ..run.draws };
        let reals = taken.batch(0, 1);
        let outcome = self.adversary.discriminator_turn(&Run { draws, reals, ..run }, None);
        self.intake.batches.advance(1);
        self.adversary.discriminator_turns += u64::from(outcome.is_ok());
        outcome
    }
}
