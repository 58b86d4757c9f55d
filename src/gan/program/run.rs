//! The interpreter: passes over a chunk of samples.

use super::place::{Instruction, Instructions};
use super::{Gradients, Loss, Program, Rows};
use crate::gan::fault::{Fault, Latest};
use crate::gan::given::GivenStep;
use crate::gan::networks::{Lent, Networks};
use crate::gan::objective::Objective;
use crate::gan::plan::{Chunk, Plan};
use crate::gan::source::InMemory;
use crate::gan::streams::Stream;
use crate::gan::workspace::{MOST_TERMS, Scratch, Slot};
use crate::kernel::activation::{self, Activation};
use crate::kernel::loss::{self, LossSums, LossTerm};
use crate::kernel::noise;
use crate::kernel::panel::{gather_rows, scatter_rows};
use crate::net::panels::{Panels, Part, PartKeeps, PassContext};
use crate::net::pass::{self, ParameterGradients};
use crate::net::tape::Value;
use crate::network::Network;
use crate::parallel::{Chunks, Elements, Team};

/// What all passes of a turn read.
#[derive(Clone, Copy)]
pub(in crate::gan) struct Context<'a> {
    pub(in crate::gan) plan: &'a Plan,
    pub(in crate::gan) program: &'a Program,
    pub(in crate::gan) objective: Objective,
    pub(in crate::gan) draws: Draws<'a>,
    pub(in crate::gan) reals: Reals<'a>,
    /// What comes from outside, `[batch, features]`, row-major: fakes, or the gradient with respect to G's; empty where nothing does.
    pub(in crate::gan) outside: &'a [f32],
    /// Whether losses are computed.
    pub(in crate::gan) report: bool,
    /// The numbers from 0 to the batch: the rows of a matrix handed in.
    pub(in crate::gan) identity: &'a [u32],
}

/// Where real samples come from.
#[derive(Clone, Copy)]
pub(in crate::gan) enum Reals<'a> {
    /// These rows of samples in memory, one for each sample of the batch.
    Rows(InMemory<'a>, &'a [u32]),
    /// `[batch, features]`, row-major.
    Given(&'a [f32]),
}

/// Where what is random in a turn comes from.
#[derive(Clone, Copy)]
pub(in crate::gan) struct Draws<'a> {
    pub(in crate::gan) seed: u64,
    /// Turns of D before the one at hand, or in G's turn before the last one of D.
    pub(in crate::gan) discriminator_turns: u64,
    /// Turns of G before the one at hand.
    pub(in crate::gan) generator_turns: u64,
    /// What is handed in instead of drawn.
    pub(in crate::gan) given: Option<&'a GivenStep<'a>>,
}

impl<'a> Draws<'a> {
    /// A stream in the turn at hand.
    fn key(&self, stream: Stream) -> noise::StreamKey {
        let number = if stream.is_of_generator() { self.generator_turns } else { self.discriminator_turns };
        stream.key(self.seed, number)
    }

    /// Dropout by a stream in the turn at hand.
    fn keeps(&self, stream: Stream) -> PartKeeps<'a> {
        match self.given.and_then(|given| given.keeps(stream)) {
            Some(keeps) => PartKeeps::Given(keeps),
            None => PartKeeps::Drawn(self.key(stream)),
        }
    }
}

/// A chunk in work.
#[derive(Clone, Copy)]
struct Work<'a> {
    context: &'a Context<'a>,
    chunk: Chunk,
}

/// Runs the passes of a segment over a chunk.
pub(in crate::gan) fn run(
    team: &Team<'_>,
    context: &Context<'_>,
    instructions: &Instructions,
    chunk: Chunk,
    mut networks: Lent<'_, Networks>,
    scratch: &mut Scratch,
    slot: &mut Slot,
) {
    let first = chunk.first == slot.samples.start;
    let work = Work { context, chunk };
    for instruction in &instructions.list {
        // The gradients of a batch with a number that is not finite are worth nothing: no pass goes backward.
        if slot.fault.is_some() {
            return;
        }
        match instruction {
            Instruction::Generate { latents, keeps, trace } => {
                work.generate(team, &networks, (*latents, *keeps), *trace, scratch);
            }
            Instruction::Stage { trace } => work.stage(team, *trace, scratch),
            Instruction::Judge { rows, drops, fakes, trace } => {
                work.judge(team, &networks, (*rows, *drops), *fakes, *trace, scratch);
            }
            Instruction::Loss { loss, logits, deltas } => work.loss(team, *loss, *logits, *deltas, scratch, slot),
            Instruction::Learn { network, rows, gradients, input, trace, deltas } => {
                let sums = &mut slot.gradients[*network as usize];
                let sums = match gradients {
                    Gradients::Ignored => ParameterGradients::Skip,
                    Gradients::Summed | Gradients::SummedAndUsed if first => ParameterGradients::Overwrite(sums),
                    Gradients::Summed | Gradients::SummedAndUsed => ParameterGradients::Accumulate(sums),
                };
                let view = networks.for_backward(*network, *gradients == Gradients::SummedAndUsed);
                let record = (context.program.trace(*trace), deltas);
                let pass = PassContext { team, plan: &context.plan.pass, panels: panels_of(chunk, *rows) };
                pass::backward(&pass, view, record, &mut scratch.tape, sums, *input);
            }
            Instruction::Share { activation, pairs, ratios, fakes, deltas } => {
                work.share(team, [*pairs, *ratios, *fakes, *deltas], *activation, scratch);
            }
            Instruction::HandOver { value } => work.hand_over(team, *value, scratch, slot),
            Instruction::Answer { activation, fakes, deltas } => {
                work.answer(team, [*fakes, *deltas], *activation, scratch);
            }
        }
    }
}

/// The panels that hold these rows of a chunk.
fn panels_of(chunk: Chunk, rows: Rows) -> Panels {
    match rows {
        Rows::Pairs => chunk.paired(),
        Rows::Fakes => chunk.panels,
    }
}

impl Program {
    /// The latest forward pass of each network that stands in the scratch.
    pub(in crate::gan) fn latest(&self, scratch: &Scratch) -> [Latest<'_>; 2] {
        [Network::Generator, Network::Discriminator]
            .map(|network| scratch.latest(network).map(|(trace, lanes)| (self.trace(trace), lanes)))
    }
}

impl<'a> Work<'a> {
    /// Features of a value.
    fn features(&self, value: Value) -> usize {
        self.context.program.tape.features(value)
    }

    /// The rows of a matrix `[batch, ..]` that panel `panel` holds.
    fn rows(&self, panel: usize) -> &'a [u32] {
        let Self { context, chunk, .. } = self;
        &context.identity[chunk.first + panel * chunk.panels.width..][..chunk.valid(panel)]
    }

    /// A part of D's or G's panels.
    fn part(&self, keeps: Stream) -> Part<'a> {
        Part { first_sample: self.chunk.first, keeps: self.context.draws.keeps(keeps) }
    }

    /// Makes fakes by G.
    fn generate(
        &self,
        team: &Team<'_>,
        networks: &Networks,
        (latents, keeps): (Stream, Option<Stream>),
        trace: usize,
        scratch: &mut Scratch,
    ) {
        let Self { context, chunk } = *self;
        let (isa, panels) = (context.plan.pass.isa, chunk.panels);
        let generator = networks.view(Network::Generator);
        let (width, inputs) = (panels.width, generator.spec.inputs());
        scratch.begin(Network::Generator, trace, panels.lanes());
        let trace = context.program.trace(trace);
        let given = context.draws.given.and_then(|given| given.latents(latents));
        let key = context.draws.key(latents);
        let values = Chunks::new(scratch.tape.get_mut(trace.input(), panels.lanes()), inputs * width);
        team.for_each((0..panels.count, values), |(panel, values)| match given {
            Some(rows) => gather_rows(isa, rows, inputs, self.rows(panel), values, width),
            None => {
                noise::normal(isa, key, chunk.first + panel * width, values, width);
                // Lanes without a sample are as those of gathered rows: zero.
                let valid = chunk.valid(panel);
                if valid < width {
                    values.chunks_exact_mut(width).for_each(|row| row[valid..].fill(0.0));
                }
            }
        });
        let pass = PassContext { team, plan: &context.plan.pass, panels };
        let part = keeps.map(|keeps| self.part(keeps));
        pass::forward(&pass, generator, part.as_slice(), trace, &mut scratch.tape);
    }

    /// Takes the fakes that are handed in.
    fn stage(&self, team: &Team<'_>, trace: usize, scratch: &mut Scratch) {
        let Self { context, chunk } = *self;
        let (isa, panels) = (context.plan.pass.isa, chunk.panels);
        scratch.begin(Network::Generator, trace, panels.lanes());
        let fakes = context.program.trace(trace).input();
        let (width, features) = (panels.width, self.features(fakes));
        let values = Chunks::new(scratch.tape.get_mut(fakes, panels.lanes()), features * width);
        team.for_each((0..panels.count, values), |(panel, values)| {
            gather_rows(isa, context.outside, features, self.rows(panel), values, width);
        });
    }

    /// D's logits.
    fn judge(
        &self,
        team: &Team<'_>,
        networks: &Networks,
        (rows, drops): (Rows, bool),
        fakes: Value,
        trace: usize,
        scratch: &mut Scratch,
    ) {
        let Self { context, chunk } = *self;
        let panels = panels_of(chunk, rows);
        scratch.begin(Network::Discriminator, trace, panels.lanes());
        let (trace, view) = (context.program.trace(trace), networks.view(Network::Discriminator));
        if rows == Rows::Pairs {
            self.pair(team, fakes, trace.input(), scratch);
        }
        let pass = PassContext { team, plan: &context.plan.pass, panels };
        let tape = &mut scratch.tape;
        let part = |keeps| self.part(keeps);
        match rows {
            _ if !drops => pass::forward(&pass, view, &[], trace, tape),
            Rows::Fakes => pass::forward(&pass, view, &[part(Stream::KeepGeneratorStep)], trace, tape),
            Rows::Pairs => {
                pass::forward(&pass, view, &[Stream::KeepReal, Stream::KeepFake].map(part), trace, tape);
            }
        }
    }

    /// Real samples and fakes, side by side in the same panels.
    fn pair(&self, team: &Team<'_>, fakes: Value, input: Value, scratch: &mut Scratch) {
        let Self { context, chunk } = *self;
        let isa = context.plan.pass.isa;
        let (half, panels, features) = (chunk.panels.width, panels_of(chunk, Rows::Pairs), self.features(fakes));
        let width = panels.width;
        let [fakes, input] = scratch.tape.several([(fakes, chunk.panels.lanes()), (input, panels.lanes())]);
        let fakes = &*fakes;
        team.for_each((0..panels.count, Chunks::new(input, features * width)), |(panel, input)| {
            match context.reals {
                Reals::Rows(memory, rows) => {
                    let first = chunk.first + panel * half;
                    memory.gather(isa, &rows[first..first + chunk.valid(panel)], input, width);
                }
                Reals::Given(rows) => gather_rows(isa, rows, features, self.rows(panel), input, width),
            }
            let fakes = fakes[panel * features * half..].chunks_exact(half);
            for (row, fakes) in input.chunks_exact_mut(width).zip(fakes) {
                row[half..].copy_from_slice(fakes);
            }
        });
    }

    /// Turns logits into the gradient with respect to them, and adds up the loss.
    fn loss(&self, team: &Team<'_>, loss: Loss, logits: Value, deltas: Value, scratch: &mut Scratch, slot: &mut Slot) {
        let (objective, batch) = (self.context.objective, self.context.plan.cut.samples());
        let of_slot = &mut slot.sums;
        let not_finite = match loss {
            Loss::Discriminator => {
                let terms = objective.discriminator_terms(batch);
                let [real, fake, _] = self.terms(team, &terms, Rows::Pairs, logits, deltas, scratch);
                of_slot.real += real;
                of_slot.fake += fake;
                real.not_finite || fake.not_finite
            }
            Loss::Generator => {
                let term = objective.generator_term(batch);
                let [generator, ..] = self.terms(team, &[term], Rows::Fakes, logits, deltas, scratch);
                of_slot.generator += generator;
                generator.not_finite
            }
            Loss::Joint => {
                let [real, fake, generator] = self.joint_terms(team, logits, deltas, scratch);
                of_slot.real += real;
                of_slot.fake += fake;
                of_slot.generator += generator;
                real.not_finite || fake.not_finite
            }
        };
        if not_finite {
            // What made the logits still stands on the tape.
            slot.fault = Some(Fault::of_logits(&scratch.tape, self.context.program.latest(scratch)));
        }
    }

    /// The gradients of some terms, each over its part of every panel. Returns each part's sums over all panels.
    fn terms(
        &self,
        team: &Team<'_>,
        terms: &[LossTerm],
        rows: Rows,
        logits: Value,
        deltas: Value,
        scratch: &mut Scratch,
    ) -> [LossSums; MOST_TERMS] {
        let Self { context, chunk } = *self;
        let panels = panels_of(chunk, rows);
        let (part, len) = (chunk.panels.width, self.features(logits) * panels.width);
        let [logits, deltas] = scratch.tape.several([(logits, panels.lanes()), (deltas, panels.lanes())]);
        let logits = &*logits;
        let sums = &mut scratch.sums[..panels.count];
        team.for_each((0..panels.count, Chunks::new(deltas, len), Elements::new(sums)), |(panel, deltas, sums)| {
            deltas.copy_from_slice(&logits[panel * len..][..len]);
            for (number, (term, sums)) in terms.iter().zip(sums).enumerate() {
                let lanes = number * part..(number + 1) * part;
                let (isa, valid) = (context.plan.pass.isa, chunk.valid(panel));
                *sums = context.objective.loss(isa, *term, deltas, panels.width, lanes, valid, context.report);
            }
        });
        total(sums, terms.len())
    }

    /// The gradient of D's loss of pairs, and in the place of the fakes' logits the ratios of G's gradients to D's. Returns the sums of
    /// D's terms for real samples and fakes, then of G's.
    fn joint_terms(
        &self,
        team: &Team<'_>,
        logits: Value,
        deltas: Value,
        scratch: &mut Scratch,
    ) -> [LossSums; MOST_TERMS] {
        let Self { context, chunk } = *self;
        let (isa, objective, batch) = (context.plan.pass.isa, context.objective, context.plan.cut.samples());
        let (half, panels) = (chunk.panels.width, panels_of(chunk, Rows::Pairs));
        let [real_term, fake_term] = objective.discriminator_terms(batch);
        let generator_term = objective.generator_term(batch);
        let [logits, deltas] = scratch.tape.several([(logits, panels.lanes()), (deltas, panels.lanes())]);
        let (logits, deltas) = (Chunks::new(logits, panels.width), Chunks::new(deltas, panels.width));
        let sums = &mut scratch.sums[..panels.count];
        team.for_each((0..panels.count, logits, deltas, Elements::new(sums)), |(panel, logits, deltas, sums)| {
            let (valid, report) = (chunk.valid(panel), context.report);
            let (real_logits, ratios) = logits.split_at_mut(half);
            let (real, fake) = deltas.split_at_mut(half);
            real.copy_from_slice(real_logits);
            sums[0] = loss::bce_with_logits(isa, real_term, real, valid, report);
            let weight = fake_term.weight;
            [sums[1], sums[2]] = loss::joint_bce_with_logits(isa, weight, generator_term, ratios, fake, valid, report);
        });
        total(sums, MOST_TERMS)
    }

    /// G's gradients with respect to the fakes, from D's with respect to the pairs.
    fn share(
        &self,
        team: &Team<'_>,
        [pairs, ratios, fakes, deltas]: [Value; 4],
        output_activation: Activation,
        scratch: &mut Scratch,
    ) {
        let Self { context, chunk } = *self;
        let isa = context.plan.pass.isa;
        let (half, panels, features) = (chunk.panels.width, panels_of(chunk, Rows::Pairs), self.features(fakes));
        let (width, of_pairs, of_fakes) = (panels.width, panels.lanes(), chunk.panels.lanes());
        let [pairs, ratios, fakes, deltas] =
            scratch.tape.several([(pairs, of_pairs), (ratios, of_pairs), (fakes, of_fakes), (deltas, of_fakes)]);
        let (pairs, ratios, fakes) = (&*pairs, &*ratios, &*fakes);
        team.for_each((0..panels.count, Chunks::new(deltas, features * half)), |(panel, deltas)| {
            let pairs = &pairs[panel * features * width..][..features * width];
            loss::take_scaled(isa, pairs, width, &ratios[panel * width..][half..width], deltas);
            let fakes = &fakes[panel * features * half..][..features * half];
            activation::backward_epilogue(isa, output_activation, 0.0, fakes, deltas);
        });
    }

    /// The gradient with respect to G's fakes that is handed in, back through the activation that made them.
    fn answer(&self, team: &Team<'_>, [fakes, deltas]: [Value; 2], activation: Activation, scratch: &mut Scratch) {
        let Self { context, chunk } = *self;
        let (isa, panels, features) = (context.plan.pass.isa, chunk.panels, self.features(fakes));
        let (width, lanes) = (panels.width, panels.lanes());
        let [fakes, deltas] = scratch.tape.several([(fakes, lanes), (deltas, lanes)]);
        let fakes = &*fakes;
        team.for_each((0..panels.count, Chunks::new(deltas, features * width)), |(panel, deltas)| {
            gather_rows(isa, context.outside, features, self.rows(panel), deltas, width);
            let fakes = &fakes[panel * features * width..][..features * width];
            activation::backward_epilogue(isa, activation, 0.0, fakes, deltas);
        });
    }

    /// Copies what belongs to the fakes to the slot's rows.
    fn hand_over(&self, team: &Team<'_>, value: Value, scratch: &mut Scratch, slot: &mut Slot) {
        let Self { context, chunk } = *self;
        let (isa, panels) = (context.plan.pass.isa, chunk.panels);
        let (width, features) = (panels.width, self.features(value));
        let values = scratch.tape.get(value, panels.lanes());
        let first = (chunk.first - slot.samples.start) * features;
        let rows = Chunks::new(&mut slot.fakes[first..][..chunk.samples * features], width * features);
        team.for_each((0..panels.count, rows), |(panel, rows)| {
            scatter_rows(isa, &values[panel * features * width..][..features * width], width, chunk.valid(panel), rows);
        });
    }
}

/// The sums of the first `terms` terms over all panels.
fn total(panels: &[[LossSums; MOST_TERMS]], terms: usize) -> [LossSums; MOST_TERMS] {
    let mut total = [LossSums::default(); MOST_TERMS];
    for panel in panels {
        for (total, part) in total.iter_mut().zip(panel).take(terms) {
            *total += *part;
        }
    }
    total
}
