//! The script of a step, as the specification says it: no work is saved yet.

use super::{Gradients, Loss, Pass, Rows, Segment};
use crate::gan::objective::Objective;
use crate::gan::penalties::Penalties;
use crate::gan::spec::{GanSpec, Order};
use crate::gan::streams::Stream;
use crate::kernel::activation::Activation;
use crate::net::pass::InputMode;
use crate::network::Network;

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::gan) struct Script {
    /// D's turn; where both networks are updated from the same fakes, G's update is a part of it.
    pub(in crate::gan) discriminator: Vec<Segment>,
    /// How often a step takes D's turn.
    pub(in crate::gan) discriminator_turns: usize,
    /// G's turn.
    pub(in crate::gan) generator: Vec<Segment>,
    /// G's turn with a gradient from outside, which whoever takes the published fakes answers with between its first segment and the
    /// others. No part of a step; empty where nobody takes it.
    pub(in crate::gan) answered: Vec<Segment>,
    /// Penalties join every so-many-th turn of D.
    pub(in crate::gan) interval: u64,
    /// Whether D judges samples with noise: its input is then never the fakes themselves.
    pub(in crate::gan) is_noisy: bool,
}

/// G's fakes for D's turn.
const FOR_DISCRIMINATOR: Pass =
    Pass::Generate { latents: Stream::DiscriminatorLatents, keeps: Stream::GeneratorKeepsFake };

/// G's fakes for its own turn, where the two do not share them.
const FOR_GENERATOR: Pass = Pass::Generate { latents: Stream::GeneratorLatents, keeps: Stream::GeneratorKeeps };

/// The gradients of G's parameters.
const LEARN_FAKES: Pass = Pass::Learn {
    network: Network::Generator,
    rows: Rows::Fakes,
    gradients: Gradients::Summed,
    input: InputMode::Skip,
};

/// G's last activation.
fn output_activation(spec: &GanSpec) -> Activation {
    spec.generator.layers.last().map_or(Activation::Linear, |layer| layer.activation)
}

impl Script {
    /// The script of a GAN. Gradients of fakes go back through `output`, G's last activation.
    pub(in crate::gan) fn new(spec: &GanSpec) -> Self {
        let output = output_activation(spec);
        let learn = [vec![FOR_DISCRIMINATOR], judge_pairs(&spec.penalties)].concat();
        let judge = judge_fakes(spec.objective, InputMode::Through(output));
        let teach = |generate: Pass| [[generate].as_slice(), &judge, &[LEARN_FAKES]].concat();
        let update = |network| Segment::Update(network);
        let (discriminator, generator) = match spec.order {
            Order::DiscriminatorFirst | Order::DiscriminatorFirstSharedFake => {
                let shared = spec.order == Order::DiscriminatorFirstSharedFake;
                let generate = if shared { FOR_DISCRIMINATOR } else { FOR_GENERATOR };
                (
                    vec![Segment::Passes(learn), update(Network::Discriminator)],
                    vec![Segment::Passes(teach(generate)), update(Network::Generator)],
                )
            }
            // Neither network's gradient sees the other's update.
            Order::GeneratorFirstSharedFake => {
                let passes = [teach(FOR_DISCRIMINATOR), learn].concat();
                (vec![Segment::Passes(passes), update(Network::Generator), update(Network::Discriminator)], Vec::new())
            }
        };
        let interval = spec.penalties.interval.max(1);
        Self {
            discriminator,
            discriminator_turns: spec.discriminator_steps,
            generator,
            answered: Vec::new(),
            interval,
            is_noisy: spec.instance_noise != 0.0,
        }
    }

    /// The same with G's turn for a gradient from outside. Its latents are those of G's own turns, whatever the order.
    pub(in crate::gan) fn with_answered_turn(mut self, spec: &GanSpec) -> Self {
        let output = output_activation(spec);
        self.answered = vec![
            Segment::Passes(vec![FOR_GENERATOR, Pass::Publish]),
            Segment::Passes(vec![FOR_GENERATOR, Pass::Answer(output), LEARN_FAKES]),
            Segment::Update(Network::Generator),
        ];
        self
    }

    /// The script of a discriminator whose fakes come from outside, and whose gradients with respect to them go back there.
    pub(in crate::gan) fn modular(objective: Objective, penalties: &Penalties) -> Self {
        let learn = [vec![Pass::Stage], judge_pairs(penalties)].concat();
        let judge = judge_fakes(objective, InputMode::Plain);
        let answer = [[Pass::Stage].as_slice(), &judge, &[Pass::HandOver]].concat();
        Self {
            discriminator: vec![Segment::Passes(learn), Segment::Update(Network::Discriminator)],
            discriminator_turns: 1,
            generator: vec![Segment::Passes(answer)],
            answered: Vec::new(),
            interval: penalties.interval.max(1),
            is_noisy: false,
        }
    }
}

/// D's loss of pairs with the penalties, and the gradients of its parameters.
fn judge_pairs(penalties: &Penalties) -> Vec<Pass> {
    let (network, gradients) = (Network::Discriminator, Gradients::Summed);
    let mut passes = vec![Pass::Judge(Rows::Pairs), Pass::Loss(Loss::Discriminator)];
    passes.push(if penalties.are_of_pairs() {
        Pass::Penalize { rows: Rows::Pairs, gradients }
    } else {
        Pass::Learn { network, rows: Rows::Pairs, gradients, input: InputMode::Skip }
    });
    if penalties.gradient_penalty != 0.0 {
        passes.extend([Pass::Judge(Rows::Between), Pass::Penalize { rows: Rows::Between, gradients }]);
    }
    passes
}

/// G's loss through D, beside real samples where the objective compares with them, and its gradient with respect to the fakes.
fn judge_fakes(objective: Objective, input: InputMode) -> Vec<Pass> {
    let (network, gradients) = (Network::Discriminator, Gradients::Ignored);
    let reals = objective.is_relativistic().then_some(Pass::Judge(Rows::Reals));
    let of_fakes = [
        Pass::Judge(Rows::Fakes),
        Pass::Loss(Loss::Generator),
        Pass::Learn { network, rows: Rows::Fakes, gradients, input },
    ];
    reals.into_iter().chain(of_fakes).collect()
}
