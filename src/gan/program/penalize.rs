//! The double backward pass over a chunk: D's gradients of its loss and its penalties.

use super::Rows;
use super::context::{Context, Work, panels_of};
use crate::gan::workspace::Scratch;
use crate::kernel::penalty::{NormPenalty, directions};
use crate::net::double_backward::DoubleBackward;
use crate::net::panels::PassContext;
use crate::net::pass::{self, BackwardView, InputMode, ParameterGradients, Trace};
use crate::net::tape::Value;
use crate::parallel::{Chunks, Elements, Team};

impl Context<'_> {
    /// Whether penalties are due in the turn at hand.
    pub(super) fn has_penalties(&self) -> bool {
        self.penalties.are_due(self.draws.discriminator_turns)
    }

    /// The penalty on each part of a panel, with its weight.
    fn penalties_of(&self, rows: Rows) -> [(NormPenalty, f32); 2] {
        let penalties = &self.penalties;
        let one_sided = if penalties.one_sided { NormPenalty::OneSided } else { NormPenalty::TwoSided };
        match rows {
            Rows::Pairs => [(NormPenalty::Square, penalties.r1), (NormPenalty::Square, penalties.r2)],
            Rows::Between | Rows::Fakes | Rows::Reals => [(one_sided, penalties.gradient_penalty); 2],
        }
    }
}

impl Work<'_> {
    /// The gradients of D's parameters, which go where `into` says. In a turn without penalties they are the loss's alone. Returns the sum
    /// of the penalties over the chunk, with their weights, where they are reported, due or not.
    pub(super) fn penalize(
        &self,
        team: &Team<'_>,
        view: BackwardView<'_>,
        (rows, trace, passes, norms): (Rows, &Trace, &DoubleBackward, Value),
        into: ParameterGradients<'_>,
        scratch: &mut Scratch,
    ) -> Option<f64> {
        let context = PassContext { team, plan: &self.context.plan.pass, panels: panels_of(self.chunk, rows) };
        let (due, reported) = (self.context.has_penalties(), self.context.report);
        let mut penalty = None;
        if due || reported {
            passes.probe(&context, &view, trace, &mut scratch.tape);
            let sum = self.aim(team, rows, passes.direction(), norms, scratch);
            penalty = reported.then_some(sum);
        }
        if due {
            passes.learn(&context, view, trace, &mut scratch.tape, into);
        } else if let Some(deltas) = passes.plain() {
            pass::backward(&context, view, (trace, deltas), &mut scratch.tape, into, InputMode::Skip);
        }
        penalty
    }

    /// Turns D's gradients with respect to its input into directions.
    fn aim(&self, team: &Team<'_>, rows: Rows, gradients: Value, norms: Value, scratch: &mut Scratch) -> f64 {
        let Self { context, chunk } = *self;
        let (isa, report) = (context.plan.pass.isa, context.report);
        let (panels, part, features) = (panels_of(chunk, rows), chunk.panels.width, self.features(gradients));
        let weights = context.penalties_of(rows);
        // Of a mean over the batch, and as many times as much as there are turns for each that has penalties.
        let share = context.penalties.interval as f64 / context.plan.cut.samples() as f64;
        let [gradients, norms] = scratch.tape.several([gradients, norms].map(|value| (value, panels.lanes())));
        let values = (Chunks::new(gradients, features * panels.width), Chunks::new(norms, panels.width));
        let sums = &mut scratch.penalties[..panels.count];
        team.for_each((0..panels.count, values, Elements::new(sums)), |(panel, (gradients, norms), sum)| {
            *sum = 0.0;
            // A condition is given, not moved.
            for of_sample in gradients.chunks_exact_mut(context.program.of_sample * panels.width) {
                let conditions = of_sample.len() - context.program.conditions * panels.width;
                of_sample[conditions..].fill(0.0);
            }
            let valid = chunk.valid(panel);
            for ((number, norms), (penalty, weight)) in norms.chunks_exact_mut(part).enumerate().zip(weights) {
                let scaled = (f64::from(weight) * share) as f32;
                let first = number * part;
                let found = directions(isa, penalty, scaled, gradients, panels.width, first, norms, valid, report);
                if weight != 0.0 {
                    *sum += f64::from(weight) * found;
                }
            }
        });
        scratch.penalties[..panels.count].iter().sum()
    }
}
