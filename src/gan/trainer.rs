//! The trainer: owns both networks, draws batches, runs steps.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::adversary::{Adversary, Run, StepReport};
use super::average::Average;
use super::averages;
use super::batches::numbers_below;
use super::cut::Cut;
use super::exchange::{Shared, Task};
use super::form::Form;
use super::given::GivenStep;
use super::hook::{GradientHook, Hook};
use super::intake::{Intake, Taken};
use super::networks::Networks;
use super::norm_clip::NormClip;
use super::options::{Resources, TrainerOptions};
use super::plan::{Plan, PlanSummary};
#[cfg(feature = "internals")]
use super::program::Pass;
use super::program::{Draws, Program, Reals, Script};
use super::settings;
use super::source::{Extent, Source};
use super::spec::GanSpec;
use super::state::{TrainedNetwork, spectral_bytes};
use super::streams::Stream;
use super::workspace::Workspace;
use crate::error::{Error, Result};
use crate::memory;
use crate::net::NetworkSpec;
use crate::net::parameters::ParameterLayout;
use crate::network::Network;
use crate::parallel::{self, Team, ThreadPool};
use crate::simd::Isa;

/// Trains one GAN on one source of samples. Not a step of a run allocates, beyond what the engine's library and the source do. The source
/// may borrow what lives for `'a`.
pub struct Trainer<'a> {
    pub(super) spec: GanSpec,
    pub(super) options: TrainerOptions,
    pub(super) plan: Plan,
    pub(super) pool: Option<Arc<ThreadPool>>,
    script: Script,
    form: Form,
    pub(super) adversary: Adversary,
    pub(super) intake: Intake<'a>,
    /// The fakes of a batch and the gradient with respect to them, `[batch, features]`; empty where nobody answers them.
    pub(super) answered: [Vec<f32>; 2],
}

/// Bytes of what `values` values of fakes from G take that somebody answers: the slots' fakes, those of the batch, and the gradient with respect to them.
fn answered_bytes(values: usize) -> u64 {
    (values as u64).saturating_mul(3 * size_of::<f32>() as u64)
}

/// Bytes of what a specification may ask for beside networks and steps.
fn kept_bytes(spec: &GanSpec) -> u64 {
    Average::bytes(spec).saturating_add(NormClip::bytes(spec)).saturating_add(spectral_bytes(&spec.discriminator))
}

/// The parameters of the larger network, with what stands between them.
fn most_parameters(spec: &GanSpec) -> usize {
    let len = |network: &NetworkSpec| ParameterLayout::new(network).len();
    len(&spec.generator).max(len(&spec.discriminator))
}

/// Packs of a batch: samples, where there are none of these.
///
/// # Errors
///
/// [`Error::InvalidSetting`] for a batch that is not made of whole packs, or of fewer than there are shards.
fn packs(spec: &GanSpec, options: &TrainerOptions) -> Result<usize> {
    let (batch, packing) = (options.batch, spec.packing);
    if !batch.is_multiple_of(packing) {
        let nearest = (batch / packing).max(1) * packing;
        let problem = format!(
            "a batch of {batch} is no whole number of packs of {packing}, as `packing` has it; take {nearest}, for instance"
        );
        return Err(Error::setting("batch", problem));
    }
    let packs = batch / packing;
    if packing > 1 && options.shards > packs {
        let problem =
            format!("{} are more than a batch has packs of {packing} samples; use at most {packs}", options.shards);
        return Err(Error::setting("shards", problem));
    }
    Ok(packs)
}

impl fmt::Debug for Trainer<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Trainer")
            .field("spec", &self.spec)
            .field("options", &self.options)
            .field("steps", &self.adversary.steps)
            .finish_non_exhaustive()
    }
}

impl<'a> Trainer<'a> {
    /// Checks everything, takes all memory, draws initial weights.
    ///
    /// # Errors
    ///
    /// An invalid specification or option; a source of the wrong width, or with fewer samples than the batch; an
    /// instruction set that is missing; memory that the limit or the system refuses.
    pub fn new(spec: GanSpec, source: Arc<dyn Source + 'a>, options: TrainerOptions) -> Result<Self> {
        Self::with_script(spec, source, options, |_, spec, plan| Form::default().script(spec, plan))
    }

    /// A trainer whose script `rewrite` has rewritten.
    pub(super) fn with_script(
        spec: GanSpec,
        source: Arc<dyn Source + 'a>,
        options: TrainerOptions,
        rewrite: impl FnOnce(Script, &GanSpec, &Plan) -> Script,
    ) -> Result<Self> {
        Self::of_shards(spec, source, options, None, rewrite)
    }

    /// The same, of the shards of this process.
    pub(super) fn of_shards(
        spec: GanSpec,
        source: Arc<dyn Source + 'a>,
        options: TrainerOptions,
        shared: Option<&mut Shared>,
        rewrite: impl FnOnce(Script, &GanSpec, &Plan) -> Script,
    ) -> Result<Self> {
        spec.validate()?;
        let of_step = [options.batch, spec.discriminator_steps];
        let mut intake = Intake::new(source, &spec, of_step, options.shuffle, options.seed)?;
        let mut resources = Resources::resolve(&options)?;
        let (isa, cut) = (resources.isa, Cut::new(packs(&spec, &options)?, options.shards)?);
        let cut = shared.as_ref().map_or(cut, |shared| cut.shared(shared.shards()));
        let batch = (cut, spec.packing);
        let plan = Plan::new(Some(&spec.generator), &spec.discriminator, batch, resources.threads, options.engine, isa);
        let script = rewrite(Script::new(&spec), &spec, &plan);
        let (of_generator, of_discriminator) = (Some(&spec.generator), &spec.discriminator);
        let program = Program::new(&script, of_generator, of_discriminator, &plan);
        let of_logits = averages::bytes(spec.objective, plan.cut.samples(), plan.cut.slots());
        let received = most_parameters(&spec);
        let of_others = shared.as_ref().map_or(0, |shared| shared.bytes(received));
        let beside =
            intake.bytes().saturating_add(kept_bytes(&spec)).saturating_add(of_logits).saturating_add(of_others);
        plan.check_groups(of_generator, of_discriminator)?;
        plan.check_memory(of_generator, of_discriminator, &program.tape, beside, options.memory_limit)?;
        intake.take_memory()?;
        shared.map_or(Ok(()), |shared| shared.take_memory(received))?;
        resources.ensure_pool(plan.threads)?;
        let schedule = spec.schedule;
        let network = |network, spec: &NetworkSpec, optimizer, stream: Stream| -> Result<TrainedNetwork> {
            let key = stream.key(options.seed, 0);
            Ok(TrainedNetwork::new(network, spec.clone(), optimizer, isa, key)?.with_schedule(schedule))
        };
        let networks = Networks {
            generator: Some(
                network(Network::Generator, &spec.generator, spec.generator_optimizer, Stream::GeneratorParameters)?
                    .with_average(spec.ema_decay)?,
            ),
            discriminator: network(
                Network::Discriminator,
                &spec.discriminator,
                spec.discriminator_optimizer,
                Stream::DiscriminatorParameters,
            )?
            .clipped_to(spec.weight_clip),
        };
        let workspace = Workspace::new(&plan, spec.objective, &program.tape, of_generator, of_discriminator)?;
        // The intake has checked that the batch is below 2^32.
        let identity = numbers_below(options.batch as u32)?;
        let adversary = Adversary::new(networks, workspace, program, NormClip::new(&spec)?, identity, None);
        let options = TrainerOptions { threads: resources.threads, isa: Some(isa.kind()), ..options };
        let (form, answered) = (Form::default(), [Vec::new(), Vec::new()]);
        Ok(Self { spec, options, plan, pool: resources.pool, script, form, adversary, intake, answered })
    }

    /// Runs `steps` steps. After each `interval`-th step of the trainer's count (and after the last of this call) `report` is
    /// called with that step's losses; losses are computed only for steps that are reported. `interval` 0: only the last.
    /// `ControlFlow::Break` ends the run early, after a whole step, as does [`TrainerOptions::stop`]. Returns the last report.
    ///
    /// The source and `report` may use the pool of the options, with `install`, `join` and `scope`. The source may not use `broadcast`
    /// where this is called by a thread of that pool: it would wait for ever.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] as soon as a logit, a gradient or a parameter is not finite. The step that met it is then half done: the
    /// parameters are worth no more than a look, and further steps give the same error until [`Self::set_model`] or
    /// [`Self::restore`] replaces them.
    ///
    /// [`Error::Source`] where the source fails. The step that asked has not begun: the trainer stands where it stood, and the next step
    /// asks for the same samples.
    ///
    /// [`Error::Poisoned`] after a panic of the source: steps are refused, and the networks are whole. [`Error::HalfDone`] after a panic in
    /// the middle of a step (of a hook after a turn of the same step, for instance): they are not.
    ///
    /// A panic of the source or of `report` comes out of this call, from whichever thread. `report` is called between two steps: if it
    /// panics, the trainer stands behind the step that was reported, which is whole, and goes on from there as if nothing had happened.
    pub fn run(
        &mut self,
        steps: u64,
        interval: u64,
        mut report: impl FnMut(&StepReport) -> ControlFlow<()>,
    ) -> Result<Option<StepReport>> {
        self.run_with(steps, interval, None, |done, _| Ok(report(done)))
    }

    /// [`run`](Self::run) with a look at more: `gradients` sees the gradients of each network over the whole batch before its update, and
    /// may change them; `report` sees the trainer, with both networks.
    ///
    /// A network is updated by the gradients that the hook leaves. Without a change, the bits are those of a run without a hook. With
    /// the first hook, a trainer of wide networks ceases to update them layer by layer within the backward pass, for good, which is a
    /// little slower; it takes the memory for that once.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), and memory that the limit or the system refuses to the first hook. That of `gradients` ends the step before
    /// the network is updated: the trainer stands behind the last whole turn, as [`step_discriminator`](Self::step_discriminator) leaves
    /// it where that was one of D, and the next step goes on from there. That of `report` ends the run behind the step that was reported,
    /// which is whole. [`Error::callback`] makes an error of anything.
    ///
    /// ```
    /// use std::{ops::ControlFlow, sync::Arc};
    /// use gannet::{data::synthetic, gan::{Network, Trainer, TrainerOptions, presets::Preset}};
    ///
    /// let points = Arc::new(synthetic::circle(1_024, 1)?);
    /// let mut trainer = Trainer::new(Preset::Circle.spec(), points, TrainerOptions::default())?;
    /// let mut largest = 0.0f64;
    /// trainer.run_with(
    ///     100,
    ///     50,
    ///     Some(&mut |gradients| {
    ///         largest = largest.max(gradients.norm());
    ///         gradients.clip_norm(1.0)
    ///     }),
    ///     |report, trainer| {
    ///         let weights = trainer.parameters(Network::Generator).flat_map(|tensor| tensor.values());
    ///         println!("step {}: G's largest weight {}", report.step, weights.fold(0.0, |most, value| value.abs().max(most)));
    ///         Ok(ControlFlow::Continue(()))
    ///     },
    /// )?;
    /// assert!(largest > 0.0);
    /// # Ok::<(), gannet::Error>(())
    /// ```
    pub fn run_with(
        &mut self,
        steps: u64,
        interval: u64,
        gradients: Option<&mut GradientHook<'_>>,
        report: impl FnMut(&StepReport, &Self) -> Result<ControlFlow<()>>,
    ) -> Result<Option<StepReport>> {
        if gradients.is_some() {
            self.prepare(Form { hooked: true, ..Form::default() })?;
        }
        self.adversary.begin_task(match gradients {
            None => Task::Run { steps, interval },
            Some(_) => Task::Hooked { steps, interval },
        })?;
        self.run_begun((steps, interval), gradients, report)
    }

    /// The run, once all processes that share the batch have begun it.
    pub(super) fn run_begun(
        &mut self,
        (steps, interval): (u64, u64),
        mut gradients: Option<&mut GradientHook<'_>>,
        mut report: impl FnMut(&StepReport, &Self) -> Result<ControlFlow<()>>,
    ) -> Result<Option<StepReport>> {
        let stop = self.options.stop.clone();
        let (pool, threads, objective) = (self.pool.clone(), self.plan.threads, self.spec.objective);
        parallel::with_team(threads, pool.as_ref(), |team| {
            let mut last = None;
            for index in 0..steps {
                if self.adversary.stops(stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))) {
                    break;
                }
                let due = interval > 0 && (self.adversary.steps + 1).is_multiple_of(interval);
                let reported = due || index + 1 == steps;
                self.step(team, None, gradients.as_deref_mut(), reported)?;
                if reported {
                    let done = self.adversary.report(objective)?;
                    last = Some(done);
                    if report(&done, self)?.is_break() && self.adversary.stops(true) {
                        break;
                    }
                }
            }
            Ok(last)
        })
    }

    /// One step; after one that failed, its error again.
    fn step(
        &mut self,
        team: &Team<'_>,
        given: Option<&GivenStep<'_>>,
        hook: Hook<'_, '_>,
        reported: bool,
    ) -> Result<()> {
        self.adversary.begin()?;
        let outcome = self.turns(team, given, hook, reported);
        self.adversary.end(outcome)
    }

    /// D's turns, then G's.
    fn turns(
        &mut self,
        team: &Team<'_>,
        given: Option<&GivenStep<'_>>,
        mut hook: Hook<'_, '_>,
        reported: bool,
    ) -> Result<()> {
        let Self { spec, options, plan, adversary, intake, .. } = self;
        let batches = adversary.program.discriminator_turns;
        let taken = match given {
            Some(given) => Taken::Rows(given.real),
            None => intake.take(team, batches)?,
        };
        let turns = batches as u64;
        let first = adversary.discriminator_turns;
        let run = Run {
            team,
            plan,
            objective: spec.objective,
            penalties: spec.schedule.penalties(spec.penalties, adversary.steps + 1),
            label_smoothing: spec.label_smoothing,
            noise: spec.noise_deviation(adversary.steps + 1),
            draws: Draws { seed: options.seed, discriminator_turns: first, generator_turns: adversary.steps, given },
            reals: Reals::Given(&[]),
            outside: &[],
            reported,
        };
        let mut done = 0;
        let outcome = (0..batches).try_for_each(|turn| {
            let draws = Draws { discriminator_turns: first + turn as u64, ..run.draws };
            let reported = reported && turn + 1 == batches;
            let run = Run { draws, reals: taken.batch(turn, batches), reported, ..run };
            adversary.discriminator_turn(&run, hook.as_deref_mut())?;
            done = turn as u64 + 1;
            Ok(())
        });
        let draws = Draws { discriminator_turns: first + turns - 1, ..run.draws };
        let reals = taken.batch(batches - 1, batches);
        let outcome = outcome.and_then(|()| adversary.generator_turn(&Run { draws, reals, ..run }, hook));
        // A panic does not come here: the state that it leaves, if that is whole, is that of before the step.
        if adversary.refused {
            // The turns before the one that was ended are whole, and that one comes again.
            adversary.discriminator_turns = first + done;
            intake.batches.advance(done as usize);
            return outcome;
        }
        if matches!(outcome, Err(Error::Exchange { .. })) {
            return outcome;
        }
        intake.batches.advance(batches);
        if outcome.is_ok() {
            (adversary.discriminator_turns, adversary.steps) = (first + turns, adversary.steps + 1);
        }
        outcome
    }

    /// Bytes of what stands beside networks and steps.
    fn kept_bytes(&self) -> u64 {
        let of_others = self.adversary.shared.as_ref().map_or(0, |shared| shared.bytes(most_parameters(&self.spec)));
        self.intake.bytes().saturating_add(kept_bytes(&self.spec)).saturating_add(of_others)
    }

    /// Makes the script one that can do what `form` asks for, too.
    pub(super) fn prepare(&mut self, form: Form) -> Result<()> {
        let form = self.form.or(form);
        if form == self.form {
            return Ok(());
        }
        let (generator, discriminator) = (Some(&self.spec.generator), &self.spec.discriminator);
        let script = form.script(&self.spec, &self.plan);
        let program = Program::new(&script, generator, discriminator, &self.plan);
        let features = if form.answered { self.spec.features() } else { 0 };
        let answered = self.options.batch.saturating_mul(features);
        // What there is stays until all of it is replaced.
        let tapes = self.adversary.program.tape.bytes().saturating_mul(self.plan.scratches() as u64);
        let held = tapes.saturating_add(answered_bytes(self.answered[0].len()));
        let beside = self.kept_bytes().saturating_add(answered_bytes(answered)).saturating_add(held);
        self.plan.check_memory(generator, discriminator, &program.tape, beside, self.options.memory_limit)?;
        let room = || memory::filled(answered, 0.0);
        let answered = [room()?, room()?];
        self.adversary.workspace.adapt(&program.tape, features)?;
        self.adversary.program = program;
        (self.script, self.form, self.answered) = (script, form, answered);
        Ok(())
    }

    /// One step with given samples, latents and dropout keeps instead of drawn ones. It counts as a step: the numbers and the
    /// batch that would have been drawn for it are left out.
    ///
    /// # Errors
    ///
    /// A matrix of the wrong size; a generator with dropout, or more than one step of D per step of G, for which a
    /// [`GivenStep`] has no place; errors of steps as in [`Self::run`].
    pub fn step_with(&mut self, given: &GivenStep<'_>) -> Result<StepReport> {
        given.check(&self.spec, self.options.batch)?;
        self.adversary.begin_task(Task::Given)?;
        let pool = self.pool.clone();
        parallel::with_team(self.plan.threads, pool.as_ref(), |team| self.step(team, Some(given), None, true))?;
        self.adversary.report(self.spec.objective)
    }

    /// Steps done so far: G's turns.
    pub fn steps_done(&self) -> u64 {
        self.adversary.steps
    }

    /// Steps that make up `epochs` passes over the data, rounded up; 0 where the source is endless, which has no epochs.
    pub fn steps_for_epochs(&self, epochs: u64) -> u64 {
        let per_step = self.options.batch as u128 * self.spec.discriminator_steps as u128;
        match self.intake.batches.extent() {
            Extent::Finite(samples) | Extent::Chosen(samples) => settings::steps(epochs, samples, per_step),
            Extent::Endless => 0,
        }
    }

    /// What is trained.
    pub fn spec(&self) -> &GanSpec {
        &self.spec
    }

    /// The options, with threads and instruction set as resolved.
    pub fn options(&self) -> &TrainerOptions {
        &self.options
    }

    /// The instruction set in use.
    pub fn isa(&self) -> Isa {
        self.plan.pass.isa
    }

    /// The passes of a step, each with how often it comes.
    #[cfg(feature = "internals")]
    #[doc(hidden)]
    pub fn passes(&self) -> Vec<(u64, Pass)> {
        self.script.passes().collect()
    }

    /// How the run is laid out.
    pub fn plan(&self) -> PlanSummary {
        let (generator, discriminator) = (Some(&self.spec.generator), &self.spec.discriminator);
        let answered = answered_bytes(self.answered[0].len());
        let beside = self.kept_bytes().saturating_add(answered);
        let memory = self.plan.memory(generator, discriminator, &self.adversary.program.tape, beside);
        self.plan.summary(memory, self.script.products(generator, discriminator, &self.plan))
    }
}
