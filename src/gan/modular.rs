//! The adversarial loss as a part of its own: a discriminator with its optimizer, which any generator can train against.

use std::fmt;
use std::sync::Arc;

use super::adversary::{Adversary, Run};
use super::batches::numbers_below;
use super::cut::Cut;
use super::failure::check_none;
use super::names::INPUT_GRADIENT;
use super::networks::Networks;
use super::norm_clip::NormClip;
use super::objective::Objective;
use super::optimizer_spec::OptimizerSpec;
use super::options::{Resources, TrainerOptions};
use super::penalties::Penalties;
use super::plan::{Plan, PlanSummary};
use super::program::{Draws, Program, Reals, Script};
use super::state::{TrainedNetwork, spectral_bytes};
use super::streams::Stream;
use super::workspace::Workspace;
use crate::error::{Error, Result};
use crate::net::{LayerTensors, NetworkSpec};
use crate::network::Network;
use crate::parallel::{self, ThreadPool};

/// A discriminator that is trained on fakes and real samples handed to it, and that answers with the generator's loss and its
/// gradient with respect to the fakes. The generator may be anything: gannet's, another program's, a formula.
///
/// The batch, the seed (of D's parameters and dropout) and the resources come from [`TrainerOptions`]. What else a
/// [`GanSpec`](super::GanSpec) may have for D (a schedule of its rate, clipped gradients or weights, smoothed labels, instance noise),
/// this has not. Whoever makes the samples can add noise to them: the gradient with respect to a noisy fake is that with respect to the
/// fake.
pub struct ModularLoss {
    objective: Objective,
    penalties: Penalties,
    options: TrainerOptions,
    pub(super) plan: Plan,
    pool: Option<Arc<ThreadPool>>,
    script: Script,
    /// D, and what its updates work on; the steps are those updates.
    adversary: Adversary,
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
    /// The penalties on D, which its loss does not contain; `None` without any.
    pub penalty: Option<f64>,
}

impl fmt::Debug for ModularLoss {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { objective, options, adversary, .. } = self;
        formatter
            .debug_struct("ModularLoss")
            .field("objective", objective)
            .field("discriminator", &adversary.networks.discriminator.spec)
            .field("options", options)
            .field("steps", &adversary.steps)
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
        optimizer: impl Into<OptimizerSpec>,
        options: TrainerOptions,
    ) -> Result<Self> {
        Self::with_penalties(discriminator, objective, Penalties::default(), optimizer, options)
    }

    /// The same with penalties that join D's loss.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); penalties that [`Penalties::validate`] refuses.
    pub fn with_penalties(
        discriminator: NetworkSpec,
        objective: Objective,
        penalties: Penalties,
        optimizer: impl Into<OptimizerSpec>,
        options: TrainerOptions,
    ) -> Result<Self> {
        objective.validate_discriminator(&discriminator)?;
        penalties.validate()?;
        objective.check_bound(&penalties, 0.0, &discriminator)?;
        penalties.check_discriminator(&discriminator)?;
        let optimizer = optimizer.into();
        optimizer.validate("discriminator_optimizer")?;
        let batch = options.batch;
        let count = match u32::try_from(batch) {
            Ok(count @ 1..) => count,
            _ => return Err(Error::setting("batch", format!("{batch} is not between 1 and 2^32 - 1"))),
        };
        let mut resources = Resources::resolve(&options)?;
        let isa = resources.isa;
        let cut = Cut::new(batch, options.shards)?;
        let plan = Plan::new(None, &discriminator, (cut, 1), resources.threads, options.engine, isa);
        let stands_apart = |_| discriminator.is_settled_apart();
        let script = Script::modular(objective, &penalties).with_fakes_kept(&plan);
        let script = script.with_updates_fused(&plan, stands_apart);
        let program = Program::new(&script, None, &discriminator, &plan);
        plan.check_groups(None, &discriminator)?;
        let beside = spectral_bytes(&discriminator);
        plan.check_memory(None, &discriminator, &program.tape, beside, options.memory_limit)?;
        resources.ensure_pool(plan.threads)?;
        let workspace = Workspace::new(&plan, objective, &program.tape, None, &discriminator)?;
        let key = Stream::DiscriminatorParameters.key(options.seed, 0);
        let discriminator = TrainedNetwork::new(Network::Discriminator, discriminator, optimizer, isa, key)?;
        let networks = Networks { generator: None, discriminator };
        let identity = numbers_below(count)?;
        let adversary = Adversary::new(networks, workspace, program, NormClip::default(), identity, None);
        let options = TrainerOptions { threads: resources.threads, isa: Some(isa.kind()), ..options };
        Ok(Self { objective, penalties, options, plan, pool: resources.pool, script, adversary })
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
        check_none(self.adversary.failure)?;
        let (batch, features) = (self.plan.cut.samples(), self.adversary.networks.discriminator.spec.inputs());
        for (name, found) in [("fakes", fakes.len()), ("real", real.len()), ("gradient", gradient.len())] {
            if found != batch * features {
                let expected = format!("{batch} x {features} values");
                return Err(Error::shape(name, expected, format!("{found} values")));
            }
        }
        parallel::with_team(self.plan.threads, self.pool.as_ref(), |team| {
            let Self { objective, penalties, options, plan, adversary, .. } = self;
            let turns = adversary.steps;
            let run = Run {
                team,
                plan,
                objective: *objective,
                penalties: *penalties,
                label_smoothing: 0.0,
                noise: 0.0,
                draws: Draws { seed: options.seed, discriminator_turns: turns, generator_turns: turns, given: None },
                reals: Reals::Given(real),
                outside: fakes,
                reported: true,
            };
            adversary.begin()?;
            let updates = adversary.networks.discriminator.updates();
            let outcome = adversary.discriminator_turn(&run, None);
            let whole = adversary.networks.discriminator.updates() == updates;
            let outcome = adversary.end(outcome);
            if whole {
                adversary.failure = None;
            }
            outcome?;
            // D is whole now, whatever comes of G's loss.
            let answer = adversary.generator_turn(&run, None);
            adversary.steps += 1;
            answer
        })?;
        self.adversary.workspace.fetch(gradient, features);
        if !gradient.iter().all(|value| value.is_finite()) {
            let (network, quantity) = (Network::Discriminator, INPUT_GRADIENT);
            return Err(Error::NotFinite { step: self.adversary.steps, network, layer: 0, quantity });
        }
        let report = self.adversary.report(self.objective)?;
        Ok(ModularReport {
            discriminator_loss: report.discriminator_loss,
            generator_loss: report.generator_loss,
            real_probability: report.real_probability,
            fake_probability: report.fake_probability,
            penalty: report.penalty,
        })
    }

    /// A copy of D's parameters.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn discriminator(&self) -> Result<Vec<LayerTensors>> {
        self.adversary.networks.discriminator.tensors()
    }

    /// Replaces D's parameters; optimizer moments stay. After an update that failed, steps are taken again, and the optimizer
    /// begins anew, because what it remembers may be half of that update.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where they do not fit the specification; then nothing is changed.
    pub fn set_discriminator(&mut self, tensors: &[LayerTensors]) -> Result<()> {
        self.adversary.set_network(self.plan.pass.isa, Network::Discriminator, tensors)?;
        self.adversary.failure = None;
        Ok(())
    }

    /// How the steps are laid out.
    pub fn plan(&self) -> PlanSummary {
        let (spec, tape) = (&self.adversary.networks.discriminator.spec, &self.adversary.program.tape);
        self.plan.summary(self.plan.memory(None, spec, tape, 0), self.script.products(None, spec, &self.plan))
    }
}
