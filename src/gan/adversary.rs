//! The adversarial step: the program's turns, one after the other, and what they work on.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::diagnosis;
use super::exchange::{Shared, Signal, Standing, Task};
use super::failure::{Failure, check_none, check_whole};
use super::fault::Fault;
use super::hook::{Gradients, Hook};
use super::networks::Networks;
use super::norm_clip::NormClip;
use super::objective::Objective;
use super::penalties::Penalties;
use super::plan::Plan;
use super::program::{self, Context, Draws, Program, Reals, SegmentPlace};
use super::state::TrainedNetwork;
use super::workspace::{Workspace, add_range};
use crate::error::{Error, Result};
use crate::net::LayerTensors;
use crate::network::Network;
use crate::parallel::{Ahead, Team};
use crate::simd::Isa;

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
    /// The mean probability that D gives a real sample of being real, before D's update: the sigmoid of the logit. By
    /// [`Objective::LeastSquares`] it is the logit itself, within 0 and 1; by a relativistic objective the sigmoid of the difference to
    /// the fake's. A critic of [`Objective::Wasserstein`] has no zero, so that only the difference of the two probabilities says something.
    pub real_probability: f64,
    /// The same of the fakes of D's update; by a relativistic objective 1 less the real samples'.
    pub fake_probability: f64,
    /// The penalties on D, with their weights, before the step's last update of D; its loss does not contain them. `None` without any.
    /// With an [interval](super::Penalties::interval) they are told for every step, not multiplied by it.
    pub penalty: Option<f64>,
}

/// What a turn reads.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) team: &'a Team<'a>,
    pub(super) plan: &'a Plan,
    pub(super) objective: Objective,
    pub(super) penalties: Penalties,
    pub(super) label_smoothing: f32,
    /// The standard deviation of the noise on the samples that D judges.
    pub(super) noise: f32,
    pub(super) draws: Draws<'a>,
    pub(super) reals: Reals<'a>,
    /// What comes from outside, `[batch, features]`, row-major: fakes, or the gradient with respect to G's; empty where nothing does.
    pub(super) outside: &'a [f32],
    /// Whether losses are computed.
    pub(super) reported: bool,
}

/// What turns change.
pub(super) struct Adversary {
    pub(super) networks: Networks,
    pub(super) workspace: Workspace,
    pub(super) program: Program,
    pub(super) clip: NormClip,
    /// The numbers from 0 to the batch.
    pub(super) identity: Vec<u32>,
    /// Steps done: turns of G.
    pub(super) steps: u64,
    /// Turns of D done.
    pub(super) discriminator_turns: u64,
    /// Why the last step came to no end; a step in progress counts as one that a panic has left.
    pub(super) failure: Option<Failure>,
    /// Whether the last turn was ended by the caller's hook, before it changed a network.
    pub(super) refused: bool,
    /// The exchange with the processes that share the batch, if there are others.
    pub(super) shared: Option<Shared>,
    /// What exchanges gradients while the backward pass goes on, if something does.
    pub(super) ahead: Option<Ahead>,
    stop: Stop,
}

/// Processes that share a batch stop after the same step: whoever wants to says so in the next one.
#[derive(Clone, Copy, Debug, Default)]
struct Stop {
    wanted: bool,
    agreed: bool,
    /// Whether another process wanted it before this one.
    by_another: bool,
}

impl Adversary {
    /// Before the first step.
    pub(super) fn new(
        networks: Networks,
        workspace: Workspace,
        program: Program,
        clip: NormClip,
        identity: Vec<u32>,
        shared: Option<Shared>,
    ) -> Self {
        Self {
            networks,
            workspace,
            program,
            clip,
            identity,
            steps: 0,
            discriminator_turns: 0,
            failure: None,
            refused: false,
            shared,
            ahead: None,
            stop: Stop::default(),
        }
    }

    /// Whether a run is to end before its next step, which this process may have `wanted`: at once where it is alone; otherwise when all
    /// have heard of it.
    pub(super) fn stops(&mut self, wanted: bool) -> bool {
        if self.shared.is_none() {
            return wanted;
        }
        self.stop.wanted |= wanted;
        self.stop.agreed
    }

    /// Whether the last run ended because another process was to stop.
    pub(super) fn is_stopped_by_another(&self) -> bool {
        self.stop.by_another
    }

    /// Where this process stands.
    fn standing(&self) -> Standing {
        let rate = |network| self.networks.get(network).map_or(0.0, TrainedNetwork::learning_rate);
        Standing { steps: self.steps, discriminator_turns: self.discriminator_turns, rates: Network::ALL.map(rate) }
    }

    /// All processes begin the same `task`: what an earlier run was to do is over.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`]; that of a step that failed, after which nothing is begun.
    pub(super) fn begin_task(&mut self, task: Task) -> Result<()> {
        self.stop = Stop::default();
        if self.shared.is_none() {
            return Ok(());
        }
        // What sets a whole state has been done before.
        check_none(self.failure)?;
        let standing = self.standing();
        self.shared.as_mut().map_or(Ok(()), |shared| shared.task(Some(task), standing).map(|_| ()))
    }

    /// What process 0 begins, for a process that follows it; `None` where there is none to follow.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`].
    pub(super) fn followed_task(&mut self) -> Result<Option<(Task, Standing)>> {
        self.stop = Stop::default();
        let standing = self.standing();
        self.shared.as_mut().filter(|shared| !shared.leads()).map(|shared| shared.task(None, standing)).transpose()
    }

    /// Refuses a step after one that failed, and counts one that begins as failed until [`end`](Self::end) tells of its outcome: a
    /// panic, of the source for instance, gets past that.
    ///
    /// # Errors
    ///
    /// The failed step's.
    pub(super) fn begin(&mut self) -> Result<()> {
        check_none(self.failure)?;
        self.failure = Some(Failure::Panic { step: self.steps + 1, whole: true });
        self.refused = false;
        Ok(())
    }

    /// A step ends so. An error of the caller's is no failure, whatever its kind; what an exchange leaves is as a panic leaves it.
    pub(super) fn end(&mut self, outcome: Result<()>) -> Result<()> {
        if !self.refused && matches!(outcome, Err(Error::Exchange { .. })) {
            return outcome;
        }
        self.failure = if self.refused { None } else { Failure::of(&outcome) };
        outcome
    }

    /// D's turn: in a program that updates both networks from the same fakes, the whole step.
    ///
    /// # Errors
    ///
    /// [`crate::Error::NotFinite`], and that of `hook`, which ends the turn before it changes a network.
    pub(super) fn discriminator_turn(&mut self, run: &Run<'_>, hook: Hook<'_, '_>) -> Result<()> {
        self.workspace.clear_sums();
        self.turn(run, hook, |program| &program.discriminator)
    }

    /// G's turn.
    ///
    /// # Errors
    ///
    /// As D's.
    pub(super) fn generator_turn(&mut self, run: &Run<'_>, hook: Hook<'_, '_>) -> Result<()> {
        self.turn(run, hook, |program| &program.generator)
    }

    /// The first part of G's turn with a gradient from outside: the fakes are handed over. No network changes.
    ///
    /// # Errors
    ///
    /// [`crate::Error::NotFinite`] for fakes that are not finite.
    pub(super) fn publish_fakes(&mut self, run: &Run<'_>, fakes: &mut [f32]) -> Result<()> {
        self.workspace.clear_sums();
        self.turn(run, None, |program| program.answered.split_at(1).0)?;
        self.workspace.fetch(fakes, fakes.len() / self.identity.len());
        diagnosis::check_fakes(&self.workspace, &self.program, &self.networks, fakes, self.steps + 1)
    }

    /// The rest of that turn, with the gradient.
    ///
    /// # Errors
    ///
    /// As G's turn.
    pub(super) fn answered_turn(&mut self, run: &Run<'_>) -> Result<()> {
        self.turn(run, None, |program| program.answered.split_at(1).1)
    }

    fn turn(&mut self, run: &Run<'_>, mut hook: Hook<'_, '_>, of: fn(&Program) -> &[SegmentPlace]) -> Result<()> {
        let Self { networks, workspace, program, clip, identity, steps, failure, refused, shared, ahead, stop, .. } =
            self;
        let Run { team, plan, objective, penalties, label_smoothing, noise, draws, reals, outside, reported } = *run;
        let (report, ahead) = (reported, ahead.as_ref());
        let context = Context {
            plan,
            program,
            objective,
            penalties,
            label_smoothing,
            noise,
            draws,
            reals,
            outside,
            report,
            identity,
            ahead,
        };
        let (isa, step) = (plan.pass.isa, *steps + 1);
        let segments = of(program);
        networks.begin_turn(step);
        // The networks whose gradients are those of the whole batch before their update.
        let mut combined = [false; 2];
        for (index, segment) in segments.iter().enumerate() {
            if let Some(Failure::Panic { whole, .. }) = failure
                && segment.updates()
            {
                *whole = false;
            }
            match segment {
                SegmentPlace::Passes(passes) => {
                    let passed = catch_unwind(AssertUnwindSafe(|| {
                        workspace.for_each_chunk(team, plan, networks, |team, chunk, networks, scratch, slots| {
                            program::run(team, &context, passes, chunk, networks, scratch, slots);
                        });
                    }));
                    // Also behind a panic or a fault: the others exchange the same.
                    if let Some(ahead) = ahead {
                        for network in passes.completed().filter(|network| ahead.takes(*network as usize)) {
                            finish(workspace, ahead, isa, network);
                            combined[network as usize] = true;
                        }
                    }
                    passed.unwrap_or_else(|panic| resume_unwind(panic));
                    if let (Some(ahead), Some(shared)) = (ahead, &*shared) {
                        ahead.outcome().unwrap_or_else(|panic| Err(shared.panicked(&*panic)))?;
                    }
                    let fault = diagnosis::of_passes(workspace, networks);
                    let fault = heard(shared, stop, fault)?;
                    fault.map_or(Ok(()), |fault| Err(fault.error(step)))?;
                    let Some(hook) = hook.as_deref_mut() else { continue };
                    // All of them, before a network changes.
                    for network in segments[index + 1..].iter().map_while(SegmentPlace::update) {
                        if !combined[network as usize] {
                            combine(workspace, shared, team, isa, network)?;
                        }
                        let arena = &mut workspace.combined_mut().gradients[network as usize];
                        networks.settle(team, isa, network, arena);
                        let outcome = hook(&mut Gradients::new(step, network, networks.view(network).layout, arena));
                        *refused = outcome.is_err();
                        outcome?;
                    }
                }
                SegmentPlace::Average(side) => workspace.average(isa, *side, plan.cut.samples(), |sums| {
                    shared.as_mut().map_or(Ok(sums), |shared| shared.add_pair(sums))
                })?,
                SegmentPlace::Update(network) => {
                    if hook.is_none() {
                        if !combined[*network as usize] {
                            combine(workspace, shared, team, isa, *network)?;
                        }
                        networks.settle(
                            team,
                            isa,
                            *network,
                            &mut workspace.combined_mut().gradients[*network as usize],
                        );
                    }
                    let trained = networks.get(*network).map_or(0, |network| network.layout.trained());
                    clip.clip(team, *network, &mut workspace.combined_mut().gradients[*network as usize][..trained]);
                    let gradients = &workspace.combined().gradients[*network as usize];
                    // D learns of real samples, or packs, and of as many fakes.
                    let samples = match *network {
                        Network::Generator => plan.packing * plan.cut.samples(),
                        Network::Discriminator => 2 * plan.cut.samples(),
                    };
                    let updated = match networks.get_mut(*network) {
                        Some(network) => network.update(team, isa, (gradients, samples), step),
                        None => Ok(()),
                    };
                    let of = (*network, reals);
                    let Err(error) = diagnosis::check_update(workspace, program, isa, networks, of, updated) else {
                        continue;
                    };
                    // All processes make the same update; where it goes wrong, not all see the cause.
                    let fault = heard(shared, stop, Fault::of_error(&error))?;
                    return Err(fault.map_or(error, |fault| fault.error(step)));
                }
            }
        }
        Ok(())
    }

    /// Replaces both networks' parameters. After a step that failed halfway, the optimizers begin anew, because what they remember may
    /// be half of that step.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Shape`] where they do not fit; then nothing is changed.
    pub(super) fn set_networks(&mut self, isa: Isa, [generator, discriminator]: [&[LayerTensors]; 2]) -> Result<()> {
        let tensors = [(Network::Generator, generator), (Network::Discriminator, discriminator)];
        for (network, tensors) in tensors {
            self.networks.get(network).map_or(Ok(()), |network| network.check_tensors(tensors))?;
        }
        for (network, tensors) in tensors {
            self.set_network(isa, network, tensors)?;
        }
        self.failure = None;
        Ok(())
    }

    /// Replaces a network's parameters; after a step that failed halfway, its optimizer begins anew.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Shape`] where they do not fit; then nothing is changed.
    pub(super) fn set_network(&mut self, isa: Isa, network: Network, tensors: &[LayerTensors]) -> Result<()> {
        let Some(network) = self.networks.get_mut(network) else { return Ok(()) };
        network.check_tensors(tensors)?;
        if check_whole(self.failure).is_err() {
            network.forget();
        }
        network.set_tensors(isa, tensors)
    }

    /// The losses of the step done last, if it was to be reported.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`].
    pub(super) fn report(&mut self, objective: Objective) -> Result<StepReport> {
        let mut sums = self.workspace.sums();
        if let Some(shared) = &mut self.shared {
            sums = shared.add_sums(sums)?;
        }
        let batch = self.identity.len() / self.program.packing;
        Ok(StepReport {
            step: self.steps,
            discriminator_loss: objective.discriminator_loss(sums.real, sums.fake, batch),
            generator_loss: objective.generator_loss(sums.generator, batch),
            real_probability: sums.real.probability / batch as f64,
            fake_probability: sums.fake.probability / batch as f64,
            penalty: sums.penalty.map(|penalty| penalty / batch as f64),
        })
    }
}

/// Combines the gradients of `network` over the whole batch.
fn combine(
    workspace: &mut Workspace,
    shared: &mut Option<Shared>,
    team: &Team<'_>,
    isa: Isa,
    network: Network,
) -> Result<()> {
    workspace.combine(team, isa, network);
    let Some(shared) = shared else { return Ok(()) };
    shared.add(isa, &mut workspace.combined_mut().gradients[network as usize])
}

/// Waits until the gradients of `network` that passes have completed are combined over the whole batch, ahead of their update.
fn finish(workspace: &mut Workspace, ahead: &Ahead, isa: Isa, network: Network) {
    let (before, slot) = workspace.last_slot();
    let sum = |first: usize, sums: &mut [f32]| add_range(isa, before, network, first, sums);
    ahead.finish(network as usize, &mut slot.gradients[network as usize], sum);
    workspace.take_last(network);
}

/// The fault of the batch's first samples that have one, over all processes. Whoever is to stop says so.
fn heard(shared: &mut Option<Shared>, stop: &mut Stop, fault: Option<Fault>) -> Result<Option<Fault>> {
    let Some(shared) = shared else { return Ok(fault) };
    let heard = shared.signal(Signal { fault, stops: stop.wanted })?;
    stop.by_another |= heard.stops && !stop.wanted && !stop.agreed;
    stop.agreed |= heard.stops;
    Ok(heard.fault)
}
