//! A script with its values on the tape: what the interpreter runs.

use super::{Gradients, Loss, Pass, Rows, Script, Segment};
use crate::gan::plan::Plan;
use crate::gan::streams::Stream;
use crate::kernel::activation::Activation;
use crate::kernel::loss::Side;
use crate::net::NetworkSpec;
use crate::net::double_backward::DoubleBackward;
use crate::net::pass::{Deltas, InputMode, Trace};
use crate::net::tape::{TapeLayout, TapePlan, Value};
use crate::network::Network;

/// A pass that knows its values.
#[derive(Clone, Debug)]
pub(super) enum Instruction {
    /// See [`Pass::Generate`]. `keeps` is there where G has dropout; `trace` is one of [`Program::trace`].
    Generate { latents: Stream, keeps: Option<Stream>, trace: usize },
    /// See [`Pass::Stage`].
    Stage { trace: usize },
    /// See [`Pass::Judge`]. The input of fakes alone is the fakes themselves, unless they have conditions or noise is added. `drops`:
    /// whether D has dropout; `room`: for a number of each sample, where these are mixed.
    Judge { rows: Rows, drops: bool, fakes: Value, room: Option<Value>, trace: usize },
    /// See [`Pass::Keep`].
    Keep { rows: Rows, logits: Value },
    /// See [`Pass::Loss`]. `reals`: the logits of real samples, if they were judged alone.
    Loss { loss: Loss, logits: Value, reals: Option<Value>, deltas: Value },
    /// See [`Pass::Learn`].
    Learn { network: Network, rows: Rows, gradients: Gradients, input: InputMode, trace: usize, deltas: Deltas },
    /// See [`Pass::Penalize`]. `norms`: room for a number of each sample.
    Penalize { rows: Rows, gradients: Gradients, trace: usize, passes: DoubleBackward, norms: Value },
    /// See [`Pass::Share`].
    Share { activation: Activation, pairs: Value, ratios: Value, fakes: Value, deltas: Value },
    /// See [`Pass::Narrow`].
    Narrow { activation: Activation, wide: Value, fakes: Value, deltas: Value },
    /// See [`Pass::HandOver`] and [`Pass::Publish`].
    HandOver { value: Value },
    /// See [`Pass::Answer`].
    Answer { activation: Activation, fakes: Value, deltas: Value },
}

/// A [`Segment`] that knows its values.
#[derive(Clone, Debug)]
pub(in crate::gan) enum SegmentPlace {
    /// Passes over each chunk.
    Passes(Instructions),
    /// Means of the whole batch.
    Average(Side),
    /// An update.
    Update(Network),
}

impl SegmentPlace {
    /// Whether it changes a network.
    pub(in crate::gan) fn updates(&self) -> bool {
        match self {
            Self::Passes(instructions) => instructions.updates,
            Self::Average(_) => false,
            Self::Update(_) => true,
        }
    }

    /// The network that it updates, if it is an update.
    pub(in crate::gan) fn update(&self) -> Option<Network> {
        match self {
            Self::Passes(_) | Self::Average(_) => None,
            Self::Update(network) => Some(*network),
        }
    }
}

/// What the passes of a segment do.
#[derive(Clone, Debug)]
pub(in crate::gan) struct Instructions {
    pub(super) list: Vec<Instruction>,
    /// Whether one of them changes a network.
    updates: bool,
    /// The last instruction that adds to the gradients of each network that is updated next, by its number, in their order.
    completing: Vec<(usize, Network)>,
}

impl Instructions {
    /// Whether instruction `index` is the last that adds to the gradients of a network that is updated next.
    pub(super) fn completes(&self, index: usize) -> bool {
        self.completing.iter().any(|(completing, _)| *completing == index)
    }

    /// The networks whose gradients are complete behind the last chunk, in the order in which they are completed.
    pub(in crate::gan) fn completed(&self) -> impl Iterator<Item = Network> {
        self.completing.iter().map(|(_, network)| *network)
    }
}

/// A step that can be run.
#[derive(Clone, Debug)]
pub(in crate::gan) struct Program {
    /// D's turn.
    pub(in crate::gan) discriminator: Vec<SegmentPlace>,
    /// How often a step takes it.
    pub(in crate::gan) discriminator_turns: usize,
    /// G's turn.
    pub(in crate::gan) generator: Vec<SegmentPlace>,
    /// G's turn with a gradient from outside.
    pub(in crate::gan) answered: Vec<SegmentPlace>,
    /// Where values stand on a worker's tape.
    pub(in crate::gan) tape: TapeLayout,
    /// Conditions of a sample.
    pub(super) conditions: usize,
    /// Samples that D judges together.
    pub(in crate::gan) packing: usize,
    /// Rows of each of them in D's input, its conditions among them.
    pub(super) of_sample: usize,
    traces: Vec<Trace>,
}

impl Program {
    /// Places the values of a script for these networks (`generator` is `None` where the fakes come from outside).
    pub(in crate::gan) fn new(
        script: &Script,
        generator: Option<&NetworkSpec>,
        discriminator: &NetworkSpec,
        plan: &Plan,
    ) -> Self {
        let of_sample = discriminator.inputs() / plan.packing;
        let conditions = generator.map_or(0, |made| of_sample.saturating_sub(made.outputs()));
        let mut places = Places {
            generator,
            discriminator,
            conditions,
            packing: plan.packing,
            lanes: plan.chunk,
            is_noisy: script.is_noisy,
            tape: TapePlan::default(),
            traces: Vec::new(),
            latest: [None; 2],
            reals: None,
            delta: None,
        };
        let mut turn = |segments: &[Segment]| {
            let each = segments.iter().enumerate();
            each.map(|(index, segment)| places.segment(segment, &segments[index + 1..])).collect()
        };
        let (of_discriminator, of_generator) = (turn(&script.discriminator), turn(&script.generator));
        let answered = turn(&script.answered);
        for trace in places.latest.into_iter().flatten() {
            places.traces[trace].uses(&mut places.tape);
        }
        Self {
            discriminator: of_discriminator,
            discriminator_turns: script.discriminator_turns,
            generator: of_generator,
            answered,
            tape: places.tape.place(),
            conditions,
            packing: plan.packing,
            of_sample,
            traces: places.traces,
        }
    }

    /// A forward pass by its number.
    pub(in crate::gan) fn trace(&self, number: usize) -> &Trace {
        &self.traces[number]
    }
}

/// A walk through a script.
///
/// What a forward pass leaves stays until the same network begins another: a number that is not finite can then be followed back to
/// where it came from.
struct Places<'a> {
    generator: Option<&'a NetworkSpec>,
    discriminator: &'a NetworkSpec,
    conditions: usize,
    packing: usize,
    /// Lanes of a chunk, as D has them.
    lanes: usize,
    /// Whether D judges samples with noise.
    is_noisy: bool,
    tape: TapePlan,
    traces: Vec<Trace>,
    /// The latest pass of each network; G's may be fakes from outside.
    latest: [Option<usize>; 2],
    /// The logits of the real samples that were judged alone.
    reals: Option<Value>,
    /// The gradient that the last pass left.
    delta: Option<Value>,
}

impl Pass {
    /// Whether it adds to the gradients of `network`.
    fn adds_to(self, network: Network) -> bool {
        match self {
            Self::Learn { network: of, gradients, .. } => of == network && gradients != Gradients::Ignored,
            Self::Penalize { gradients, .. } => network == Network::Discriminator && gradients != Gradients::Ignored,
            _ => false,
        }
    }
}

impl Places<'_> {
    fn segment(&mut self, segment: &Segment, following: &[Segment]) -> SegmentPlace {
        match segment {
            Segment::Passes(passes) => {
                let uses = |pass: &Pass| {
                    matches!(
                        pass,
                        Pass::Learn { gradients: Gradients::SummedAndUsed, .. }
                            | Pass::Penalize { gradients: Gradients::SummedAndUsed, .. }
                    )
                };
                self.reals = None;
                let list = passes.iter().map(|pass| self.pass(*pass)).collect();
                let last = |network| Some((passes.iter().rposition(|pass| pass.adds_to(network))?, network));
                let mut completing: Vec<_> = Segment::updated(following).filter_map(last).collect();
                completing.sort_unstable_by_key(|(index, _)| *index);
                SegmentPlace::Passes(Instructions { list, updates: passes.iter().any(uses), completing })
            }
            Segment::Average(side) => SegmentPlace::Average(*side),
            Segment::Update(network) => SegmentPlace::Update(*network),
        }
    }

    fn pass(&mut self, pass: Pass) -> Instruction {
        match pass {
            Pass::Generate { latents, keeps } => {
                self.retire(Network::Generator);
                let spec = self.network(Network::Generator);
                let input = self.make_of_generator(spec.inputs());
                let trace = self.forward(Network::Generator, input, Rows::Fakes);
                Instruction::Generate { latents, keeps: spec.draws().then_some(keeps), trace }
            }
            Pass::Stage => {
                self.retire(Network::Generator);
                let fakes = self.make(self.discriminator.inputs(), Rows::Fakes);
                Instruction::Stage { trace: self.note(Network::Generator, Trace::of_input(fakes)) }
            }
            Pass::Judge(rows) => {
                self.retire(Network::Discriminator);
                let fakes = self.trace(Network::Generator).output();
                self.tape.uses(fakes);
                let room = (rows == Rows::Between).then(|| self.tape.make(1, self.lanes(rows)));
                let input = match rows {
                    Rows::Pairs | Rows::Reals | Rows::Between => self.make(self.discriminator.inputs(), rows),
                    Rows::Fakes if self.is_noisy || self.conditions > 0 || self.packing > 1 => {
                        self.make(self.discriminator.inputs(), rows)
                    }
                    Rows::Fakes => fakes,
                };
                let trace = self.forward(Network::Discriminator, input, rows);
                if rows == Rows::Reals {
                    self.reals = Some(self.traces[trace].output());
                }
                Instruction::Judge { rows, drops: self.discriminator.drops(), fakes, room, trace }
            }
            Pass::Keep(rows) => {
                let logits = self.trace(Network::Discriminator).output();
                self.tape.uses(logits);
                self.tape.advance();
                Instruction::Keep { rows, logits }
            }
            Pass::Loss(loss) => {
                let logits = self.trace(Network::Discriminator).output();
                self.tape.uses(logits);
                let reals = self.reals.filter(|_| loss == Loss::Generator);
                reals.into_iter().for_each(|reals| self.tape.uses(reals));
                let rows = if loss == Loss::Generator { Rows::Fakes } else { Rows::Pairs };
                let deltas = self.make(self.discriminator.outputs(), rows);
                self.delta = Some(deltas);
                Instruction::Loss { loss, logits, reals, deltas }
            }
            Pass::Learn { network, rows, gradients, input } => {
                let trace = match input {
                    // Noise is added behind the activation, whose derivative follows from the fakes as it made them.
                    InputMode::Through(_) if self.is_noisy => self.trace_from_fakes(),
                    _ => self.number(network),
                };
                let (spec, lanes) = (self.network(network), self.lanes_of(network, rows));
                let last = self.last_delta();
                let deltas = Deltas::plan(&mut self.tape, spec, &self.traces[trace], last, input, lanes);
                self.delta = Some(deltas.first());
                Instruction::Learn { network, rows, gradients, input, trace, deltas }
            }
            Pass::Penalize { rows, gradients } => {
                let trace = self.number(Network::Discriminator);
                let of_loss = (rows == Rows::Pairs).then(|| self.last_delta());
                let (spec, lanes) = (self.discriminator, self.lanes(rows));
                let norms = self.tape.make(1, lanes);
                let passes = DoubleBackward::plan(&mut self.tape, spec, &self.traces[trace], of_loss, lanes);
                self.tape.uses(norms);
                Instruction::Penalize { rows, gradients, trace, passes, norms }
            }
            Pass::Share(activation) => {
                let (pairs, ratios) = (self.last_delta(), self.trace(Network::Discriminator).output());
                let fakes = self.trace(Network::Generator).output();
                [pairs, ratios, fakes].into_iter().for_each(|value| self.tape.uses(value));
                let deltas = self.make_of_fakes();
                self.delta = Some(deltas);
                Instruction::Share { activation, pairs, ratios, fakes, deltas }
            }
            Pass::Narrow(activation) => {
                let (wide, fakes) = (self.last_delta(), self.trace(Network::Generator).output());
                [wide, fakes].into_iter().for_each(|value| self.tape.uses(value));
                let deltas = self.make_of_fakes();
                self.delta = Some(deltas);
                Instruction::Narrow { activation, wide, fakes, deltas }
            }
            Pass::HandOver => {
                let deltas = self.last_delta();
                self.hand_over(deltas)
            }
            Pass::Publish => {
                let fakes = self.trace(Network::Generator).output();
                self.hand_over(fakes)
            }
            Pass::Answer(activation) => {
                let fakes = self.trace(Network::Generator).output();
                self.tape.uses(fakes);
                let deltas = self.make_of_fakes();
                self.delta = Some(deltas);
                Instruction::Answer { activation, fakes, deltas }
            }
        }
    }

    fn hand_over(&mut self, value: Value) -> Instruction {
        self.tape.uses(value);
        self.tape.advance();
        Instruction::HandOver { value }
    }

    /// The latest pass of `network` is over when the operation at hand begins.
    fn retire(&mut self, network: Network) {
        if let Some(trace) = self.latest[network as usize].take() {
            self.traces[trace].uses(&mut self.tape);
            self.tape.advance();
        }
    }

    fn lanes(&self, rows: Rows) -> usize {
        match rows {
            Rows::Pairs => 2 * self.lanes,
            Rows::Fakes | Rows::Reals | Rows::Between => self.lanes,
        }
    }

    /// Lanes of a network: G makes all samples of the packs that D judges.
    fn lanes_of(&self, network: Network, rows: Rows) -> usize {
        match network {
            Network::Generator => self.packing * self.lanes(rows),
            Network::Discriminator => self.lanes(rows),
        }
    }

    /// A value of G that the operation at hand makes.
    fn make_of_generator(&mut self, features: usize) -> Value {
        let value = self.tape.make(features, self.lanes_of(Network::Generator, Rows::Fakes));
        self.tape.advance();
        value
    }

    /// A value that the operation at hand makes.
    fn make(&mut self, features: usize, rows: Rows) -> Value {
        let value = self.tape.make(features, self.lanes(rows));
        self.tape.advance();
        value
    }

    /// One with as many features as the fakes.
    fn make_of_fakes(&mut self) -> Value {
        self.make_of_generator(self.discriminator.inputs() / self.packing - self.conditions)
    }

    fn forward(&mut self, network: Network, input: Value, rows: Rows) -> usize {
        let (spec, lanes) = (self.network(network), self.lanes_of(network, rows));
        let trace = Trace::plan(&mut self.tape, spec, input, lanes);
        self.note(network, trace)
    }

    fn note(&mut self, network: Network, trace: Trace) -> usize {
        self.traces.push(trace);
        let number = self.traces.len() - 1;
        self.latest[network as usize] = Some(number);
        number
    }

    /// D's latest pass, of noisy fakes, as it is seen from the fakes.
    fn trace_from_fakes(&mut self) -> usize {
        let fakes = self.trace(Network::Generator).output();
        let trace = self.trace(Network::Discriminator).seen_from(fakes);
        self.traces.push(trace);
        self.traces.len() - 1
    }

    fn number(&self, network: Network) -> usize {
        self.latest[network as usize].expect("a script uses a pass that it has made")
    }

    fn trace(&self, network: Network) -> &Trace {
        &self.traces[self.number(network)]
    }

    fn last_delta(&self) -> Value {
        self.delta.expect("a script uses a gradient that it has made")
    }
}

impl<'a> Places<'a> {
    fn network(&self, network: Network) -> &'a NetworkSpec {
        match network {
            Network::Generator => self.generator.expect("a script has no G where the fakes come from outside"),
            Network::Discriminator => self.discriminator,
        }
    }
}
