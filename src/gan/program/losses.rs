//! From D's logits to the gradient of a loss with respect to them.

use super::context::{Work, panels_of};
use super::{Loss, Rows};
use crate::gan::averages::Averages;
use crate::gan::fault::Fault;
use crate::gan::objective::Objective;
use crate::gan::workspace::{MOST_TERMS, Scratch, Slot};
use crate::kernel::loss::{self, LossSums, LossTerm, Side};
use crate::net::tape::Value;
use crate::parallel::{Chunks, Elements, Team};

impl Work<'_> {
    /// Turns logits into the gradient with respect to them, and adds up the loss.
    pub(super) fn loss(
        &self,
        team: &Team<'_>,
        loss: Loss,
        (logits, reals): (Value, Option<Value>),
        deltas: Value,
        scratch: &mut Scratch,
        slot: &mut Slot,
    ) {
        let (objective, batch) = (self.context.objective, self.context.plan.cut.samples());
        let of_slot = &mut slot.sums;
        let not_finite = match loss {
            Loss::Discriminator if objective.compares_pairs() => {
                let real = self.pairing(team, logits, deltas, scratch);
                of_slot.real += real;
                // The probability of the one sample is that of the other's being fake.
                let (samples, mut fake) = (self.chunk.samples as f64, LossSums::default());
                fake.probability = samples - real.probability;
                of_slot.fake += fake;
                real.not_finite
            }
            Loss::Discriminator => {
                let terms = objective.discriminator_terms(batch, self.context.label_smoothing);
                let averages = slot.averages;
                let [real, fake, _] =
                    self.terms(team, (Side::Discriminator, &terms), averages, logits, deltas, scratch);
                of_slot.real += real;
                of_slot.fake += fake;
                real.not_finite || fake.not_finite
            }
            Loss::Generator => {
                let term = objective.generator_term(batch);
                let generator = match reals {
                    Some(reals) => self.pairing_of_fakes(team, [reals, logits, deltas], scratch),
                    None => self.terms(team, (Side::Generator, &[term]), slot.averages, logits, deltas, scratch)[0],
                };
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

    /// Keeps logits for the means of the whole batch.
    pub(super) fn keep(&self, rows: Rows, logits: Value, scratch: &Scratch, slot: &mut Slot) {
        let chunk = self.chunk;
        let (panels, part) = (panels_of(chunk, rows), chunk.panels.width);
        let logits = scratch.tape.get(logits, panels.lanes());
        let kinds: &[usize] = match rows {
            Rows::Pairs => &[0, 1],
            Rows::Reals => &[0],
            Rows::Fakes | Rows::Between => &[1],
        };
        let start = chunk.first - slot.samples.start;
        for (panel, logits) in logits.chunks_exact(panels.width).enumerate() {
            let (first, valid) = (start + panel * part, chunk.valid(panel));
            for (kind, logits) in kinds.iter().zip(logits.chunks_exact(part)) {
                slot.logits.of(*kind)[first..first + valid].copy_from_slice(&logits[..valid]);
            }
            if !logits.iter().all(|logit| logit.is_finite()) {
                slot.fault = Some(Fault::of_logits(&scratch.tape, self.context.program.latest(scratch)));
                return;
            }
        }
    }

    /// The gradients of some terms, each over its part of every panel. Returns each part's sums over all panels.
    fn terms(
        &self,
        team: &Team<'_>,
        (side, terms): (Side, &[LossTerm]),
        averages: Averages,
        logits: Value,
        deltas: Value,
        scratch: &mut Scratch,
    ) -> [LossSums; MOST_TERMS] {
        let Self { context, chunk } = *self;
        let panels = panels_of(chunk, if side == Side::Discriminator { Rows::Pairs } else { Rows::Fakes });
        let (part, len) = (chunk.panels.width, self.features(logits) * panels.width);
        let [logits, deltas] = scratch.tape.several([(logits, panels.lanes()), (deltas, panels.lanes())]);
        let logits = &*logits;
        let sums = &mut scratch.sums[..panels.count];
        let with_means = context.objective.compares_with_means();
        team.for_each((0..panels.count, Chunks::new(deltas, len), Elements::new(sums)), |(panel, deltas, sums)| {
            deltas.copy_from_slice(&logits[panel * len..][..len]);
            for (number, (term, sums)) in terms.iter().zip(sums).enumerate() {
                let lanes = number * part..(number + 1) * part;
                let (isa, valid) = (context.plan.pass.isa, chunk.valid(panel));
                // In D's loss real samples come first; in G's there are fakes alone.
                let kind = if side == Side::Discriminator { number } else { 1 };
                if with_means {
                    deltas[lanes.clone()].iter_mut().for_each(|logit| *logit -= averages.others[kind]);
                }
                let first = lanes.start;
                *sums = context.objective.loss(isa, (side, *term), deltas, panels.width, lanes, valid, context.report);
                if with_means {
                    deltas[first..first + valid].iter_mut().for_each(|gradient| *gradient += averages.more[kind]);
                }
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
        let [real_term, fake_term] = objective.discriminator_terms(batch, context.label_smoothing);
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

    /// The gradients of D's relativistic loss of pairs.
    fn pairing(&self, team: &Team<'_>, logits: Value, deltas: Value, scratch: &mut Scratch) -> LossSums {
        let Self { context, chunk } = *self;
        let (isa, batch, report) = (context.plan.pass.isa, context.plan.cut.samples(), context.report);
        let (half, panels) = (chunk.panels.width, panels_of(chunk, Rows::Pairs));
        let [logits, deltas] = scratch.tape.several([(logits, panels.lanes()), (deltas, panels.lanes())]);
        let (logits, deltas) = (&*logits, Chunks::new(deltas, panels.width));
        let sums = &mut scratch.sums[..panels.count];
        team.for_each((0..panels.count, deltas, Elements::new(sums)), |(panel, deltas, sums)| {
            deltas.copy_from_slice(&logits[panel * panels.width..][..panels.width]);
            let (real, fake) = deltas.split_at_mut(half);
            let pairs = [real, fake];
            sums[0] = Objective::pairing_loss(isa, Side::Discriminator, batch, pairs, chunk.valid(panel), report);
        });
        total(sums, 1)[0]
    }

    /// The gradients of G's relativistic loss of fakes, whose real samples were judged apart. The place of their logits is used up.
    fn pairing_of_fakes(
        &self,
        team: &Team<'_>,
        [reals, logits, deltas]: [Value; 3],
        scratch: &mut Scratch,
    ) -> LossSums {
        let Self { context, chunk } = *self;
        let (isa, batch, report) = (context.plan.pass.isa, context.plan.cut.samples(), context.report);
        let (panels, width) = (chunk.panels, chunk.panels.width);
        let [reals, logits, deltas] =
            scratch.tape.several([reals, logits, deltas].map(|value| (value, panels.lanes())));
        let (reals, deltas) = (Chunks::new(reals, width), Chunks::new(deltas, width));
        let (logits, sums) = (&*logits, &mut scratch.sums[..panels.count]);
        team.for_each((0..panels.count, reals, deltas, Elements::new(sums)), |(panel, real, fake, sums)| {
            fake.copy_from_slice(&logits[panel * width..][..width]);
            let pairs = [real, fake];
            sums[0] = Objective::pairing_loss(isa, Side::Generator, batch, pairs, chunk.valid(panel), report);
        });
        total(sums, 1)[0]
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
