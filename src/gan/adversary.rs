//! The adversarial step of a whole batch: D's update, G's update, in the order of the specification.

use std::sync::Arc;

use super::batches::Batches;
use super::diagnosis;
use super::failure::{Failure, check_whole};
use super::given::GivenStep;
use super::model::Model;
use super::plan::Plan;
use super::source::Source;
use super::spec::{GanSpec, Order};
use super::state::{Lent, TrainedNetwork};
use super::step::{self, Context, Generation, Latents, Reals};
use super::streams::Stream;
use super::workspace::Workspace;
use crate::error::Result;
use crate::net::backward::InputMode;
use crate::net::pass::PartKeeps;
use crate::parallel::Team;

/// What a step reports.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct StepReport {
    /// Steps done, this one included.
    pub step: u64,
    /// D's loss, by the objective's formula, of the step's last D update.
    pub discriminator_loss: f64,
    /// G's loss (the one that it minimizes).
    pub generator_loss: f64,
    /// Mean D(x) over the real batch, before D's update.
    pub real_probability: f64,
    /// Mean D(G(z)) over the fakes of D's update, before it.
    pub fake_probability: f64,
}

/// What a run of steps reads.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) team: &'a Team<'a>,
    pub(super) spec: &'a GanSpec,
    pub(super) plan: &'a Plan,
    pub(super) seed: u64,
    /// What is handed in instead of drawn.
    pub(super) given: Option<&'a GivenStep<'a>>,
    /// Whether the step's losses are computed.
    pub(super) reported: bool,
}

/// What a run of steps changes.
pub(super) struct Adversary {
    pub(super) generator: TrainedNetwork,
    pub(super) discriminator: TrainedNetwork,
    pub(super) workspace: Workspace,
    pub(super) batches: Batches,
    pub(super) source: Arc<dyn Source>,
    /// The numbers from 0 to the batch.
    pub(super) identity: Vec<u32>,
    /// Steps done.
    pub(super) steps: u64,
    /// Why the last step came to no end; a step in progress counts as one that a panic has left.
    pub(super) failure: Option<Failure>,
}

impl Adversary {
    /// One step; after one that failed, its error again.
    pub(super) fn step(&mut self, run: &Run<'_>) -> Result<()> {
        check_whole(self.failure)?;
        // A panic, of the source for instance, gets past the line that replaces this.
        self.failure = Some(Failure::Panic { step: self.steps + 1 });
        let outcome = self.step_of_both(run);
        self.failure = Failure::of(&outcome);
        outcome
    }

    /// D's steps and G's.
    fn step_of_both(&mut self, run: &Run<'_>) -> Result<()> {
        let discriminator_steps = run.spec.discriminator_steps as u64;
        for substep in 0..discriminator_steps {
            let reported = run.reported && substep + 1 == discriminator_steps;
            self.discriminator_step(&Run { reported, ..*run }, self.steps * discriminator_steps + substep)?;
        }
        if run.spec.order != Order::GeneratorFirstSharedFake {
            self.generator_step(run)?;
        }
        self.steps += 1;
        Ok(())
    }

    /// D's step number `number`, counted from 0. In [`Order::GeneratorFirstSharedFake`] it is both networks' step: they share
    /// the fakes made before G's update, and neither's gradient sees the other's update.
    fn discriminator_step(&mut self, run: &Run<'_>, number: u64) -> Result<()> {
        let Run { team, spec, plan, seed, .. } = *run;
        let Self { generator, discriminator, workspace, batches, source, identity, steps, .. } = self;
        batches.advance();
        let drawn = |stream: Stream| PartKeeps::Drawn(stream.key(seed, number));
        let (reals, latents, keeps, generator_step_keeps) = match run.given {
            None => (
                Reals::Rows(&**source, batches.rows()),
                Latents::Drawn(Stream::DiscriminatorLatents.key(seed, number)),
                [drawn(Stream::KeepReal), drawn(Stream::KeepFake)],
                drawn(Stream::KeepGeneratorStep),
            ),
            Some(given) => (
                Reals::Given(given.real),
                Latents::Given(given.discriminator_latents),
                [PartKeeps::Given(given.keep_real), PartKeeps::Given(given.keep_fake)],
                PartKeeps::Given(given.keep_generator_step),
            ),
        };
        let context = run.context(identity);
        let own_keeps = drawn(Stream::GeneratorKeepsFake);
        let activation = generator.view().output_activation();
        let both = spec.order == Order::GeneratorFirstSharedFake;
        let joint = spec.passes_are_joint();
        workspace.clear_sums();
        let mut networks = Networks { generator, discriminator };
        workspace.for_each_chunk(team, plan, &mut networks, |team, chunk, mut networks, scratch, slot, mode| {
            let generation = Generation { generator: networks.generator.view(), latents, keeps: own_keeps };
            step::generate(team, &context, chunk, &generation, scratch);
            if joint {
                let discriminator = networks.discriminator();
                step::joint_pass(team, &context, chunk, discriminator, reals, keeps, activation, scratch, slot, mode);
                return step::generator_backward(team, &context, chunk, networks.generator(), scratch, slot, mode);
            }
            if both {
                let (through, keeps) = (InputMode::Through(activation), generator_step_keeps);
                let discriminator = networks.discriminator.view();
                step::fake_gradient_pass(team, &context, chunk, discriminator, keeps, through, scratch, slot);
                step::generator_backward(team, &context, chunk, networks.generator(), scratch, slot, mode);
            }
            let discriminator = networks.discriminator();
            step::discriminator_pass(team, &context, chunk, discriminator, reals, keeps, scratch, slot, mode);
        });
        diagnosis::check_passes(workspace, Some(generator), discriminator, *steps + 1)?;
        let isa = plan.pass.isa;
        if both {
            let gradients = workspace.combine(team, isa, |slot| &mut slot.generator);
            let updated = generator.update(team, isa, gradients, *steps + 1);
            diagnosis::check_update(workspace, isa, [Some(&*generator), Some(&*discriminator)], None, updated)?;
        }
        let gradients = workspace.combine(team, isa, |slot| &mut slot.discriminator);
        let updated = discriminator.update(team, isa, gradients, *steps + 1);
        diagnosis::check_update(workspace, isa, [Some(&*generator), Some(&*discriminator)], Some(reals), updated)
    }

    /// G's step through the updated D.
    fn generator_step(&mut self, run: &Run<'_>) -> Result<()> {
        let Run { team, spec, plan, seed, .. } = *run;
        let Self { generator, discriminator, workspace, identity, steps, .. } = self;
        let shared = spec.order == Order::DiscriminatorFirstSharedFake;
        let (latents, own_keeps) = if shared {
            // The fakes of D's last step: G has not changed since. Where its chunk was the only one, they still stand in the
            // scratch, with all of G's activations; else they are made again from the same numbers.
            let number = (*steps + 1) * spec.discriminator_steps as u64 - 1;
            (Stream::DiscriminatorLatents.key(seed, number), Stream::GeneratorKeepsFake.key(seed, number))
        } else {
            (Stream::GeneratorLatents.key(seed, *steps), Stream::GeneratorKeeps.key(seed, *steps))
        };
        let (latents, keeps) = match run.given {
            None => (Latents::Drawn(latents), PartKeeps::Drawn(Stream::KeepGeneratorStep.key(seed, *steps))),
            Some(given) => (
                Latents::Given(if shared { given.discriminator_latents } else { given.generator_latents }),
                PartKeeps::Given(given.keep_generator_step),
            ),
        };
        let context = run.context(identity);
        let own_keeps = PartKeeps::Drawn(own_keeps);
        let through = InputMode::Through(generator.view().output_activation());
        workspace.for_each_chunk(team, plan, generator, |team, chunk, generator, scratch, slot, mode| {
            if !(shared && plan.is_one_chunk()) {
                let generation = Generation { generator: generator.view(), latents, keeps: own_keeps };
                step::generate(team, &context, chunk, &generation, scratch);
            }
            step::fake_gradient_pass(team, &context, chunk, discriminator.view(), keeps, through, scratch, slot);
            step::generator_backward(team, &context, chunk, generator, scratch, slot, mode);
        });
        diagnosis::check_passes(workspace, Some(generator), discriminator, *steps + 1)?;
        let gradients = workspace.combine(team, plan.pass.isa, |slot| &mut slot.generator);
        let updated = generator.update(team, plan.pass.isa, gradients, *steps + 1);
        diagnosis::check_update(workspace, plan.pass.isa, [Some(&*generator), Some(&*discriminator)], None, updated)
    }

    /// Replaces both networks' parameters. After a step that failed, the optimizers begin anew, because what they remember may be
    /// half of that step.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Shape`] where the model does not fit; then nothing is changed.
    pub(super) fn set_model(&mut self, model: &Model) -> Result<()> {
        let Self { generator, discriminator, failure, .. } = self;
        generator.check_tensors(&model.generator)?;
        discriminator.check_tensors(&model.discriminator)?;
        for (network, tensors) in [(generator, &model.generator), (discriminator, &model.discriminator)] {
            if failure.is_some() {
                network.forget();
            }
            network.set_tensors(tensors)?;
        }
        *failure = None;
        Ok(())
    }

    /// The losses of the step done last, if it was to be reported.
    pub(super) fn report(&self, spec: &GanSpec) -> StepReport {
        let sums = self.workspace.sums();
        let batch = self.identity.len();
        StepReport {
            step: self.steps,
            discriminator_loss: spec.objective.discriminator_loss(sums.real, sums.fake, batch),
            generator_loss: spec.objective.generator_loss(sums.generator, batch),
            real_probability: sums.real.probability / batch as f64,
            fake_probability: sums.fake.probability / batch as f64,
        }
    }
}

impl<'a> Run<'a> {
    fn context(&self, identity: &'a [u32]) -> Context<'a> {
        Context {
            plan: self.plan,
            objective: self.spec.objective,
            features: self.spec.discriminator.inputs(),
            logits: self.spec.discriminator.outputs(),
            report: self.reported,
            identity,
        }
    }
}

/// Both networks, as the passes of a step that may update both are lent them.
struct Networks<'a> {
    generator: &'a mut TrainedNetwork,
    discriminator: &'a mut TrainedNetwork,
}

impl<'a> Lent<'_, Networks<'a>> {
    /// G.
    fn generator(&mut self) -> Lent<'_, TrainedNetwork> {
        self.part(|networks| networks.generator, |networks| networks.generator)
    }

    /// D.
    fn discriminator(&mut self) -> Lent<'_, TrainedNetwork> {
        self.part(|networks| networks.discriminator, |networks| networks.discriminator)
    }
}
