//! The trainer: owns both networks, draws batches, runs steps.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::adversary::{Adversary, Run, StepReport};
use super::batches::Batches;
use super::given::GivenStep;
use super::model::Model;
use super::options::{Resources, TrainerOptions};
use super::plan::{Plan, PlanSummary};
use super::source::Source;
use super::spec::GanSpec;
use super::state::TrainedNetwork;
use super::streams::Stream;
use super::workspace::Workspace;
use crate::error::{Error, Result};
use crate::net::NetworkSpec;
use crate::parallel::{self, ThreadPool};
use crate::simd::Isa;

/// Trains one GAN on one source of samples. Not a step of it allocates, beyond what the engine's library does.
pub struct Trainer {
    spec: GanSpec,
    options: TrainerOptions,
    plan: Plan,
    pool: Option<Arc<ThreadPool>>,
    pub(super) adversary: Adversary,
}

impl fmt::Debug for Trainer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Trainer")
            .field("spec", &self.spec)
            .field("options", &self.options)
            .field("steps", &self.adversary.steps)
            .finish_non_exhaustive()
    }
}

impl Trainer {
    /// Checks everything, takes all memory, draws initial weights.
    ///
    /// # Errors
    ///
    /// An invalid specification or option; a source of the wrong width, or with fewer samples than the batch; an
    /// instruction set that is missing; memory that the limit or the system refuses.
    pub fn new(spec: GanSpec, source: Arc<dyn Source>, options: TrainerOptions) -> Result<Self> {
        spec.validate()?;
        if source.features() != spec.features() {
            let expected = format!("{} features, as the generator makes", spec.features());
            return Err(Error::shape("data", expected, format!("{} features", source.features())));
        }
        let batches = Batches::new(source.len(), options.batch, options.shuffle, options.seed)?;
        let mut resources = Resources::resolve(&options)?;
        let (isa, batch) = (resources.isa, options.batch);
        let plan = Plan::new(Some(&spec.generator), &spec.discriminator, batch, resources.threads, options.engine, isa);
        plan.check_memory(Some(&spec.generator), &spec.discriminator, batches.samples(), options.memory_limit)?;
        resources.ensure_pool(plan.threads)?;
        let network = |name, network: &NetworkSpec, optimizer, stream: Stream| {
            TrainedNetwork::new(name, network.clone(), optimizer, isa, stream.key(options.seed, 0))
        };
        let generator = network("generator", &spec.generator, spec.generator_optimizer, Stream::GeneratorParameters)?;
        let discriminator = network(
            "discriminator",
            &spec.discriminator,
            spec.discriminator_optimizer,
            Stream::DiscriminatorParameters,
        )?;
        let workspace = Workspace::new(&plan, Some(&spec.generator), &spec.discriminator)?;
        let identity = batches.identity()?;
        let adversary =
            Adversary { generator, discriminator, workspace, batches, source, identity, steps: 0, failure: None };
        let options = TrainerOptions { threads: resources.threads, isa: Some(isa.kind()), ..options };
        Ok(Self { spec, options, plan, pool: resources.pool, adversary })
    }

    /// Runs `steps` steps. After each `interval`-th step of the trainer's count (and after the last of this call) `report` is
    /// called with that step's losses; losses are computed only for steps that are reported. `interval` 0: only the last.
    /// `ControlFlow::Break` ends the run early, after a whole step. Returns the last report.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] as soon as a logit, a gradient or a parameter is not finite. The step that met it is then half done: the
    /// parameters are worth no more than a look, and further steps give the same error until [`Self::set_model`] replaces them.
    pub fn run(
        &mut self,
        steps: u64,
        interval: u64,
        mut report: impl FnMut(&StepReport) -> ControlFlow<()>,
    ) -> Result<Option<StepReport>> {
        let (spec, plan, adversary) = (&self.spec, &self.plan, &mut self.adversary);
        let seed = self.options.seed;
        parallel::with_team(plan.threads, self.pool.as_deref(), |team| {
            let mut last = None;
            for index in 0..steps {
                let due = interval > 0 && (adversary.steps + 1).is_multiple_of(interval);
                let reported = due || index + 1 == steps;
                adversary.step(&Run { team, spec, plan, seed, given: None, reported })?;
                if reported {
                    let done = adversary.report(spec);
                    last = Some(done);
                    if report(&done).is_break() {
                        break;
                    }
                }
            }
            Ok(last)
        })
    }

    /// One step with given samples, latents and dropout keeps instead of drawn ones. It counts as a step: the numbers and the
    /// batch that would have been drawn for it are left out.
    ///
    /// # Errors
    ///
    /// A matrix of the wrong size; a generator with dropout, or more than one step of D per step of G, for which a
    /// [`GivenStep`] has no place; [`Error::NotFinite`].
    pub fn step_with(&mut self, given: &GivenStep<'_>) -> Result<StepReport> {
        given.check(&self.spec, self.options.batch)?;
        let (spec, plan, adversary) = (&self.spec, &self.plan, &mut self.adversary);
        let seed = self.options.seed;
        parallel::with_team(plan.threads, self.pool.as_deref(), |team| {
            adversary.step(&Run { team, spec, plan, seed, given: Some(given), reported: true })
        })?;
        Ok(adversary.report(spec))
    }

    /// Steps done so far.
    pub fn steps_done(&self) -> u64 {
        self.adversary.steps
    }

    /// Steps that make up `epochs` passes over the data, rounded up.
    pub fn steps_for_epochs(&self, epochs: u64) -> u64 {
        let samples = u128::from(epochs) * self.adversary.source.len() as u128;
        let steps = samples.div_ceil(self.options.batch as u128 * self.spec.discriminator_steps as u128);
        u64::try_from(steps).unwrap_or(u64::MAX)
    }

    /// A copy of both networks' parameters.
    pub fn model(&self) -> Model {
        Model { generator: self.adversary.generator.tensors(), discriminator: self.adversary.discriminator.tensors() }
    }

    /// A copy of the gradients of the last step, in the form of a model.
    pub fn gradients(&self) -> Model {
        let (adversary, slot) = (&self.adversary, self.adversary.workspace.combined());
        Model {
            generator: adversary.generator.layout.tensors(&slot.generator),
            discriminator: adversary.discriminator.layout.tensors(&slot.discriminator),
        }
    }

    /// Replaces both networks' parameters; optimizer moments and the step counter stay. A trainer that failed takes steps again.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where the model does not fit the specification; then nothing is replaced.
    pub fn set_model(&mut self, model: &Model) -> Result<()> {
        self.adversary.discriminator.layout.check(&model.discriminator, "discriminator")?;
        self.adversary.failure = None;
        self.adversary.generator.set_tensors(&model.generator)?;
        self.adversary.discriminator.set_tensors(&model.discriminator)
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

    /// How the run is laid out.
    pub fn plan(&self) -> PlanSummary {
        let samples = self.adversary.batches.samples();
        let memory = self.plan.memory(Some(&self.spec.generator), &self.spec.discriminator, samples);
        self.plan.summary(memory, self.plan.products_per_step(&self.spec))
    }
}
