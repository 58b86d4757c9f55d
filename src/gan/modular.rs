//! The adversarial loss as a part of its own: a discriminator with its optimizer, which any generator can train against.

use std::fmt;
use std::sync::Arc;

use super::batches::numbers_below;
use super::diagnosis;
use super::failure::{Failure, check_whole};
use super::names::{DISCRIMINATOR, INPUT_GRADIENT};
use super::objective::Objective;
use super::options::{Resources, TrainerOptions};
use super::plan::{Plan, PlanSummary};
use super::spec::OptimizerSpec;
use super::state::TrainedNetwork;
use super::step::{self, Context, Reals};
use super::streams::Stream;
use super::workspace::Workspace;
use crate::error::{Error, Result};
use crate::net::backward::InputMode;
use crate::net::pass::PartKeeps;
use crate::net::{LayerTensors, NetworkSpec};
use crate::parallel::{self, ThreadPool};

/// A discriminator that is trained on fakes and real samples handed to it, and that answers with the generator's loss and its
/// gradient with respect to the fakes. The generator may be anything: gannet's, another program's, a formula.
///
/// The batch, the seed (of D's parameters and dropout) and the resources come from [`TrainerOptions`].
pub struct ModularLoss {
    objective: Objective,
    options: TrainerOptions,
    plan: Plan,
    pool: Option<Arc<ThreadPool>>,
    discriminator: TrainedNetwork,
    workspace: Workspace,
    identity: Vec<u32>,
    /// Updates of D.
    steps: u64,
    /// Why D's last update came to no end; an update in progress counts as one that a panic has left.
    failure: Option<Failure>,
}

/// What a step of the modular loss reports.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ModularReport {
    /// D's loss before its update.
    pub discriminator_loss: f64,
    /// G's loss (the one that it minimizes), through the updated D.
    pub generator_loss: f64,
    /// Mean D(x) before the update.
    pub real_probability: f64,
    /// Mean D of the fakes before the update.
    pub fake_probability: f64,
}

impl fmt::Debug for ModularLoss {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { objective, options, discriminator, steps, .. } = self;
        formatter
            .debug_struct("ModularLoss")
            .field("objective", objective)
            .field("discriminator", &discriminator.spec)
            .field("options", options)
            .field("steps", steps)
            .finish_non_exhaustive()
    }
}

impl ModularLoss {
    /// Checks everything, takes all memory, draws D's initial weights.
    ///
    /// # Errors
    ///
    /// An invalid specification or option; an instruction set that is missing; memory that the limit or the system refuses.
    pub fn new(
        discriminator: NetworkSpec,
        objective: Objective,
        optimizer: OptimizerSpec,
        options: TrainerOptions,
    ) -> Result<Self> {
        objective.validate_discriminator(&discriminator)?;
        optimizer.validate("discriminator_optimizer")?;
        let batch = options.batch;
        let count = match u32::try_from(batch) {
            Ok(count @ 1..) => count,
            _ => return Err(Error::setting("batch", format!("{batch} is not between 1 and 2^32 - 1"))),
        };
        let mut resources = Resources::resolve(&options)?;
        let isa = resources.isa;
        let plan = Plan::new(None, &discriminator, batch, resources.threads, options.engine, isa);
        plan.check_memory(None, &discriminator, 0, options.memory_limit)?;
        resources.ensure_pool(plan.threads)?;
        let workspace = Workspace::new(&plan, None, &discriminator)?;
        let key = Stream::DiscriminatorParameters.key(options.seed, 0);
        let discriminator = TrainedNetwork::new(DISCRIMINATOR, discriminator, optimizer, isa, key)?;
        let options = TrainerOptions { threads: resources.threads, isa: Some(isa.kind()), ..options };
        let identity = numbers_below(count)?;
        Ok(Self {
            objective,
            options,
            plan,
            pool: resources.pool,
            discriminator,
            workspace,
            identity,
            steps: 0,
            failure: None,
        })
    }

    /// Updates D on `real` (target 1) and `fakes` (target 0), both `[batch, features]` row-major, then writes the gradient of
    /// G's loss through the updated D with respect to the fakes to `gradient`, `[batch, features]`.
    ///
    /// # Errors
    ///
    /// A slice of the wrong length. [`Error::NotFinite`]: where what was handed in is at fault, D is as it was before; where G's
    /// loss or the gradient with respect to the fakes is not finite, D is updated; in both cases the next step may go well.
    ///
    /// Where D's update itself is not finite, or a panic came out of it ([`Error::HalfDone`]), D is half updated: further steps
    /// give the same error until [`Self::set_discriminator`] replaces it.
    pub fn step(&mut self, fakes: &[f32], real: &[f32], gradient: &mut [f32]) -> Result<ModularReport> {
        check_whole(self.failure)?;
        let (batch, features) = (self.plan.batch, self.discriminator.spec.inputs());
        for (name, found) in [("fakes", fakes.len()), ("real", real.len()), ("gradient", gradient.len())] {
            if found != batch * features {
                let expected = format!("{batch} x {features} values");
                return Err(Error::shape(name, expected, format!("{found} values")));
            }
        }
        parallel::with_team(self.plan.threads, self.pool.as_ref(), |team| {
            let Self { objective, plan, discriminator, workspace, identity, steps, failure, options, .. } = self;
            let (seed, number) = (options.seed, *steps);
            *failure = Some(Failure::Panic { step: number + 1 });
            let drawn = |stream: Stream| PartKeeps::Drawn(stream.key(seed, number));
            workspace.clear_sums();
            let objective = *objective;
            let logits = discriminator.spec.outputs();
            let context = Context { plan, objective, features, logits, report: true, identity };
            let keeps = [drawn(Stream::KeepReal), drawn(Stream::KeepFake)];
            workspace.for_each_chunk(team, plan, discriminator, |team, chunk, discriminator, scratch, slot, mode| {
                step::stage(team, &context, chunk, fakes, scratch);
                let reals = Reals::Given(real);
                step::discriminator_pass(team, &context, chunk, discriminator, reals, keeps, scratch, slot, mode);
            });
            let passed = diagnosis::check_passes(workspace, None, discriminator, number + 1);
            if passed.is_err() {
                *failure = None;
                return passed;
            }
            let gradients = workspace.combine(team, plan.pass.isa, |slot| &mut slot.discriminator);
            let updated = discriminator.update(team, plan.pass.isa, gradients, number + 1);
            let (networks, reals) = ([None, Some(&*discriminator)], Some(Reals::Given(real)));
            let updated = diagnosis::check_update(workspace, plan.pass.isa, networks, reals, updated);
            *failure = Failure::of(&updated);
            updated?;
            *steps += 1;
            workspace.for_each_chunk(team, plan, discriminator, |team, chunk, discriminator, scratch, slot, _| {
                step::stage(team, &context, chunk, fakes, scratch);
                let (keeps, through) = (drawn(Stream::KeepGeneratorStep), InputMode::Plain);
                step::fake_gradient_pass(team, &context, chunk, discriminator.view(), keeps, through, scratch, slot);
                step::unstage(team, &context, chunk, scratch, slot);
            });
            diagnosis::check_passes(workspace, None, discriminator, number + 1)
        })?;
        let shares = gradient.chunks_mut(self.plan.slot_samples() * features);
        for (rows, slot) in shares.zip(self.workspace.slots()) {
            rows.copy_from_slice(&slot.fakes[..rows.len()]);
        }
        if !gradient.iter().all(|value| value.is_finite()) {
            let (network, quantity) = (DISCRIMINATOR, INPUT_GRADIENT);
            return Err(Error::NotFinite { step: self.steps, network, layer: 0, quantity });
        }
        let sums = self.workspace.sums();
        Ok(ModularReport {
            discriminator_loss: self.objective.discriminator_loss(sums.real, sums.fake, batch),
            generator_loss: self.objective.generator_loss(sums.generator, batch),
            real_probability: sums.real.probability / batch as f64,
            fake_probability: sums.fake.probability / batch as f64,
        })
    }

    /// A copy of D's parameters.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn discriminator(&self) -> Result<LayerTensors> {
        self.discriminator.tensors()
    }

    /// Replaces D's parameters; optimizer moments stay. After an update that failed, steps are taken again, and the optimizer
    /// begins anew, because what it remembers may be half of that update.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where they do not fit the specification; then nothing is changed.
    pub fn set_discriminator(&mut self, tensors: &LayerTensors) -> Result<()> {
        self.discriminator.check_tensors(tensors)?;
        if self.failure.take().is_some() {
            self.discriminator.forget();
        }
        self.discriminator.set_tensors(tensors)
    }

    /// How the steps are laid out.
    pub fn plan(&self) -> PlanSummary {
        let spec = &self.discriminator.spec;
        self.plan.summary(self.plan.memory(None, spec, 0), self.plan.products_per_modular_step(spec))
    }
}
