//! The script of a step, as the specification says it: no work is saved yet.

use super::{Gradients, Loss, Pass, Rows, Segment};
use crate::gan::objective::Objective;
use crate::gan::penalties::Penalties;
use crate::gan::spec::{GanSpec, Order};
use crate::gan::streams::Stream;
use crate::kernel::activation::Activation;
use crate::kernel::loss::Side;
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
    /// Samples that D judges together.
    pub(in crate::gan) packing: usize,
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
        let learn = |mut first: Vec<Pass>| -> Vec<Segment> {
            let compared = compared(spec.objective, Side::Discriminator, &first);
            first.extend(judge_pairs(&spec.penalties));
            compared.into_iter().chain([Segment::Passes(first)]).collect()
        };
        // With conditions or packs D's input is wider than what the activation made.
        let (input, narrow) = match (spec.conditions, spec.packing) {
            (0, 1) => (InputMode::Through(output), None),
            _ => (InputMode::Plain, Some(Pass::Narrow(output))),
        };
        let teach = |generate: Pass| -> Vec<Segment> {
            let judge = judge_fakes(spec.objective, input);
            let passes = [[generate].as_slice(), &judge, narrow.as_slice(), &[LEARN_FAKES]].concat();
            let compared = compared(spec.objective, Side::Generator, &[generate]);
            compared.into_iter().chain([Segment::Passes(passes)]).collect()
        };
        let update = |network| Segment::Update(network);
        let (discriminator, generator) = match spec.order {
            Order::DiscriminatorFirst | Order::DiscriminatorFirstSharedFake => {
                let shared = spec.order == Order::DiscriminatorFirstSharedFake;
                let generate = if shared { FOR_DISCRIMINATOR } else { FOR_GENERATOR };
                let learn = learn(vec![FOR_DISCRIMINATOR]);
                (
                    [learn, vec![update(Network::Discriminator)]].concat(),
                    [teach(generate), vec![update(Network::Generator)]].concat(),
                )
            }
            // Neither network's gradient sees the other's update.
            Order::GeneratorFirstSharedFake => {
                let updates = vec![update(Network::Generator), update(Network::Discriminator)];
                let of_both = match (teach(FOR_DISCRIMINATOR), spec.objective.compares_with_means()) {
                    (teach, true) => [teach, learn(vec![FOR_DISCRIMINATOR])].concat(),
                    (mut teach, false) => {
                        if let Some(Segment::Passes(passes)) = teach.last_mut() {
                            passes.push(FOR_DISCRIMINATOR);
                            passes.extend(judge_pairs(&spec.penalties));
                        }
                        teach
                    }
                };
                ([of_both, updates].concat(), Vec::new())
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
            packing: spec.packing,
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
        let compared = |side| compared(objective, side, &[Pass::Stage]);
        Self {
            discriminator: [
                compared(Side::Discriminator),
                vec![Segment::Passes(learn), Segment::Update(Network::Discriminator)],
            ]
            .concat(),
            discriminator_turns: 1,
            generator: [compared(Side::Generator), vec![Segment::Passes(answer)]].concat(),
            answered: Vec::new(),
            interval: penalties.interval.max(1),
            is_noisy: false,
            packing: 1,
        }
    }
}

/// What comes before the loss of a side where the objective compares with means: D judges the whole batch once, whose fakes the passes
/// `made` make.
fn compared(objective: Objective, side: Side, made: &[Pass]) -> Vec<Segment> {
    if !objective.compares_with_means() {
        return Vec::new();
    }
    let rows: &[Rows] = match side {
        Side::Discriminator => &[Rows::Pairs],
        // As the loss judges them: with dropout of their own.
        Side::Generator => &[Rows::Reals, Rows::Fakes],
    };
    let judged = rows.iter().flat_map(|rows| [Pass::Judge(*rows), Pass::Keep(*rows)]);
    vec![Segment::Passes(made.iter().copied().chain(judged).collect()), Segment::Average(side)]
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
    let reals = objective.compares_pairs().then_some(Pass::Judge(Rows::Reals));
    let of_fakes = [
        Pass::Judge(Rows::Fakes),
        Pass::Loss(Loss::Generator),
        Pass::Learn { network, rows: Rows::Fakes, gradients, input },
    ];
    reals.into_iter().chain(of_fakes).collect()
}
