//! The interpreter: passes over a chunk of samples.

use super::context::{Context, Work, panels_of};
use super::place::{Instruction, Instructions};
use super::{Gradients, Program, Rows};
use crate::gan::fault::Latest;
use crate::gan::networks::{Lent, Networks};
use crate::gan::plan::Chunk;
use crate::gan::streams::Stream;
use crate::gan::workspace::{Scratch, Slot, add_range};
use crate::kernel::activation::{self, Activation};
use crate::kernel::loss;
use crate::kernel::noise;
use crate::kernel::panel::{gather_rows, scatter_rows};
use crate::net::panels::PassContext;
use crate::net::pass::{self, ParameterGradients};
use crate::net::tape::Value;
use crate::network::Network;
use crate::parallel::{Ahead, Chunks, Team};
use crate::simd::Isa;

/// Runs the passes of a segment over a chunk of the last of the `slots`; the others are complete.
pub(in crate::gan) fn run(
    team: &Team<'_>,
    context: &Context<'_>,
    instructions: &Instructions,
    chunk: Chunk,
    mut networks: Lent<'_, Networks>,
    scratch: &mut Scratch,
    slots: &mut [Slot],
) {
    let [before @ .., slot] = slots else { return };
    let first = chunk.first == slot.samples.start;
    let ahead = context.ahead.filter(|_| chunk.first + chunk.samples == context.plan.cut.own_end());
    let work = Work { context, chunk };
    for (index, instruction) in instructions.list.iter().enumerate() {
        // The gradients of a batch with a number that is not finite are worth nothing: no pass goes backward.
        if slot.fault.is_some() {
            return;
        }
        match instruction {
            Instruction::Generate { latents, keeps, trace } => {
                work.generate(team, &networks, (*latents, *keeps), *trace, scratch);
            }
            Instruction::Stage { trace } => work.stage(team, *trace, scratch),
            // Only the penalty looks at these.
            Instruction::Judge { rows: Rows::Between, .. } if !(context.has_penalties() || context.report) => {}
            Instruction::Judge { rows, drops, fakes, room, trace } => {
                work.judge(team, &networks, (*rows, *drops), (*fakes, *room), *trace, scratch);
            }
            Instruction::Keep { rows, logits } => work.keep(*rows, *logits, scratch, slot),
            Instruction::Loss { loss, logits, reals, deltas } => {
                work.loss(team, *loss, (*logits, *reals), *deltas, scratch, slot);
            }
            Instruction::Learn { network, rows, gradients, input, trace, deltas } => {
                let view = networks.for_backward(*network, *gradients == Gradients::SummedAndUsed);
                let record = (context.program.trace(*trace), deltas);
                let panels = match network {
                    Network::Generator => work.generated(),
                    Network::Discriminator => panels_of(chunk, *rows),
                };
                let pass = PassContext { team, plan: &context.plan.pass, panels };
                let learn = |sums: ParameterGradients<'_>| {
                    pass::backward(&pass, view, record, &mut scratch.tape, sums, *input);
                };
                if *gradients == Gradients::Ignored {
                    learn(ParameterGradients::Skip);
                } else {
                    let ahead = ahead.filter(|_| instructions.completes(index));
                    add_up(*network, !first, (&mut *before, &mut *slot), (ahead, context.plan.pass.isa), learn);
                }
            }
            Instruction::Penalize { rows, gradients, trace, passes, norms } => {
                // The loss of pairs comes first.
                let accumulate = !first || *rows == Rows::Between;
                let view = networks.for_backward(Network::Discriminator, *gradients == Gradients::SummedAndUsed);
                let place = (*rows, context.program.trace(*trace), passes, *norms);
                let mut penalty = None;
                let learn = |sums: ParameterGradients<'_>| {
                    penalty = work.penalize(team, view, place, sums, scratch);
                };
                let ahead = ahead.filter(|_| instructions.completes(index));
                add_up(
                    Network::Discriminator,
                    accumulate,
                    (&mut *before, &mut *slot),
                    (ahead, context.plan.pass.isa),
                    learn,
                );
                slot.sums.penalize(penalty);
            }
            Instruction::Share { activation, pairs, ratios, fakes, deltas } => {
                work.share(team, [*pairs, *ratios, *fakes, *deltas], *activation, scratch);
            }
            Instruction::Narrow { activation, wide, fakes, deltas } => {
                work.narrow(team, [*wide, *fakes, *deltas], *activation, scratch);
            }
            Instruction::HandOver { value } => work.hand_over(team, *value, scratch, slot),
            Instruction::Answer { activation, fakes, deltas } => {
                work.answer(team, [*fakes, *deltas], *activation, scratch);
            }
        }
    }
}

/// Calls `pass` with where the gradients of `network` are added up: in `slot`, which stands behind the slots `before`. `ahead` takes what the
/// pass completes, together with what these hold.
fn add_up(
    network: Network,
    accumulate: bool,
    (before, slot): (&mut [Slot], &mut Slot),
    (ahead, isa): (Option<&Ahead>, Isa),
    pass: impl FnOnce(ParameterGradients<'_>),
) {
    let arena = &mut slot.gradients[network as usize];
    match ahead.filter(|ahead| ahead.takes(network as usize)) {
        Some(ahead) => ahead.lend(
            network as usize,
            arena,
            |first, sums| add_range(isa, before, network, first, sums),
            |arena, complete| pass(ParameterGradients::Completed { arena, accumulate, complete }),
        ),
        None if accumulate => pass(ParameterGradients::Accumulate(arena)),
        None => pass(ParameterGradients::Overwrite(arena)),
    }
}

impl Program {
    /// The latest forward pass of each network that stands in the scratch.
    pub(in crate::gan) fn latest(&self, scratch: &Scratch) -> [Latest<'_>; 2] {
        [Network::Generator, Network::Discriminator]
            .map(|network| scratch.latest(network).map(|(trace, lanes)| (self.trace(trace), lanes)))
    }
}

impl Work<'_> {
    /// Makes fakes by G.
    fn generate(
        &self,
        team: &Team<'_>,
        networks: &Networks,
        (latents, keeps): (Stream, Option<Stream>),
        trace: usize,
        scratch: &mut Scratch,
    ) {
        let context = self.context;
        let (isa, panels) = (context.plan.pass.isa, self.generated());
        let generator = networks.view(Network::Generator);
        let (width, inputs) = (panels.width, generator.spec.inputs());
        let drawn = inputs - context.program.conditions;
        scratch.begin(Network::Generator, trace, panels.lanes());
        let trace = context.program.trace(trace);
        let given = context.draws.given.and_then(|given| given.numbers(latents));
        let key = context.draws.key(latents);
        let values = Chunks::new(scratch.tape.get_mut(trace.input(), panels.lanes()), inputs * width);
        team.for_each((0..panels.count, values), |(panel, values)| {
            let (latents, conditions) = values.split_at_mut(drawn * width);
            match given {
                Some(rows) => gather_rows(isa, rows, drawn, self.rows(panel), latents, width),
                None => {
                    noise::normal(isa, key, self.first_sample(panel), latents, width);
                    // Lanes without a sample are as those of gathered rows: zero.
                    let valid = panels.valid(panel);
                    if valid < width {
                        latents.chunks_exact_mut(width).for_each(|row| row[valid..].fill(0.0));
                    }
                }
            }
            self.conditions(panel, conditions);
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
        let (panels, made, features) = (panels_of(chunk, Rows::Pairs), self.generated(), self.features(fakes));
        // Behind those of a fake stand the rows of its conditions.
        let (rows, of_sample) = (self.features(pairs), features + context.program.conditions);
        let (width, half) = (panels.width, made.width);
        let (of_pairs, of_fakes) = (panels.lanes(), made.lanes());
        let [pairs, ratios, fakes, deltas] =
            scratch.tape.several([(pairs, of_pairs), (ratios, of_pairs), (fakes, of_fakes), (deltas, of_fakes)]);
        let (pairs, ratios, fakes) = (&*pairs, &*ratios, &*fakes);
        team.for_each((0..made.count, Chunks::new(deltas, features * half)), |(number, deltas)| {
            let (place, panel) = (number / panels.count, number % panels.count);
            let pairs = &pairs[(panel * rows + place * of_sample) * width..][..features * width];
            loss::take_scaled(isa, pairs, width, &ratios[panel * width..][half..width], deltas);
            let fakes = &fakes[number * features * half..][..features * half];
            activation::backward_epilogue(isa, output_activation, 0.0, fakes, deltas);
        });
    }

    /// Of each panel the rows of the fakes, back through the activation that made these.
    fn narrow(
        &self,
        team: &Team<'_>,
        [wide, fakes, deltas]: [Value; 3],
        activation: Activation,
        scratch: &mut Scratch,
    ) {
        let Self { context, chunk } = *self;
        let (isa, panels, made) = (context.plan.pass.isa, chunk.panels, self.generated());
        let [rows, features] = [wide, deltas].map(|value| self.features(value));
        let (of_sample, kept) = (features + context.program.conditions, features * panels.width);
        let [wide, fakes, deltas] =
            scratch.tape.several([(wide, panels.lanes()), (fakes, made.lanes()), (deltas, made.lanes())]);
        let (wide, fakes) = (&*wide, &*fakes);
        team.for_each((0..made.count, Chunks::new(deltas, kept)), |(number, deltas)| {
            let (place, panel) = (number / panels.count, number % panels.count);
            deltas.copy_from_slice(&wide[(panel * rows + place * of_sample) * panels.width..][..kept]);
            activation::backward_epilogue(isa, activation, 0.0, &fakes[number * kept..][..kept], deltas);
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
