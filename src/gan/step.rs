//! The adversarial step on a chunk of samples: fakes made, D's gradients, G's gradients.
//!
//! ```text
//! generate              latents -> G -> fakes                       (or `stage`: fakes that come from outside)
//! discriminator_pass    [real | fakes] -> D -> loss -> D backward, weight gradients of D summed
//! fake_gradient_pass    fakes -> D -> loss -> D backward to its input, no weight gradients
//! joint_pass            discriminator_pass and fake_gradient_pass in one, the latter as a multiple of the former
//! generator_backward    the gradient of the last two -> G backward, weight gradients of G summed
//! ```
//!
//! Real samples and fakes pass D together, side by side in the same panels. What the orders of a step make of this:
//!
//! ```text
//! discriminator first                generate, discriminator_pass; D's update;
//!                                    generate, fake_gradient_pass, generator_backward; G's update
//! the same, fakes shared             the second `generate` only where the batch has several chunks
//! generator first, fakes shared      generate, joint_pass, generator_backward; both updates
//! the same, D with two logits        generate, fake_gradient_pass, generator_backward, discriminator_pass; both updates
//!   or with dropout
//! ```
//!
//! In the layer-parallel schedule the backward pass of the last chunk does the update, if it is Adam's, layer by layer as the gradients
//! are completed ([`crate::net::backward`]). Nothing reads the network between that pass and the place where its update stands above:
//! G's backward pass through D needs D's gradient with respect to the fakes alone, which has been computed by then.

use super::diagnosis::Fault;
use super::objective::Objective;
use super::plan::{Chunk, Plan};
use super::source::Source;
use super::state::{Lent, TrainedNetwork};
use super::workspace::{MOST_TERMS, Scratch, Slot};
use crate::gemm::GradientMode;
use crate::kernel::activation::{self, Activation};
use crate::kernel::loss::{self, LossSums, LossTerm};
use crate::kernel::noise::{self, StreamKey};
use crate::kernel::panel::{gather_rows, scatter_rows};
use crate::net::backward::{self, InputMode};
use crate::net::pass::{self, NetworkView, Panels, Part, PartKeeps};
use crate::parallel::{Chunks, Elements, Team};

/// What stays the same in all chunks of a pass.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) plan: &'a Plan,
    pub(super) objective: Objective,
    /// D's inputs and outputs.
    pub(super) features: usize,
    pub(super) logits: usize,
    /// Whether losses are computed.
    pub(super) report: bool,
    /// The numbers from 0 to the batch: the rows of a matrix handed in.
    pub(super) identity: &'a [u32],
}

/// Where latents come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Latents<'a> {
    /// Standard normal numbers of this stream.
    Drawn(StreamKey),
    /// `[batch, latents]`, row-major.
    Given(&'a [f32]),
}

/// How fakes are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Generation<'a> {
    pub(super) generator: NetworkView<'a>,
    pub(super) latents: Latents<'a>,
    /// Dropout of G's own layers.
    pub(super) keeps: PartKeeps<'a>,
}

/// Where real samples come from.
#[derive(Clone, Copy)]
pub(super) enum Reals<'a> {
    /// These rows of a source, one for each sample of the batch.
    Rows(&'a dyn Source, &'a [u32]),
    /// `[batch, features]`, row-major.
    Given(&'a [f32]),
}

/// Makes the chunk's fakes by G and leaves them in the scratch.
pub(super) fn generate(
    team: &Team<'_>,
    context: &Context<'_>,
    chunk: Chunk,
    generation: &Generation<'_>,
    scratch: &mut Scratch,
) {
    let (isa, panels) = (context.plan.pass.isa, chunk.panels);
    let (width, inputs) = (panels.width, generation.generator.spec.inputs());
    let latents = scratch.generator.input_mut(inputs * panels.lanes());
    team.for_each((0..panels.count, Chunks::new(latents, inputs * width)), |(panel, latents)| {
        let first = chunk.first + panel * width;
        match generation.latents {
            Latents::Drawn(key) => {
                noise::normal(isa, key, first, latents, width);
                // Lanes without a sample are as those of gathered rows: zero.
                latents.chunks_exact_mut(width).for_each(|row| row[chunk.valid(panel)..].fill(0.0));
            }
            Latents::Given(rows) => gather_rows(isa, rows, inputs, context.rows(chunk, panel), latents, width),
        }
    });
    let part = Part { first_sample: chunk.first, keeps: generation.keeps };
    pass::forward(team, &context.plan.pass, generation.generator, panels, &[part], &mut scratch.generator);
}

/// Puts the chunk's fakes, `[batch, features]` row-major from outside, into the scratch.
pub(super) fn stage(team: &Team<'_>, context: &Context<'_>, chunk: Chunk, fakes: &[f32], scratch: &mut Scratch) {
    let (isa, panels) = (context.plan.pass.isa, chunk.panels);
    let (width, features) = (panels.width, context.features);
    let staged = scratch.generator.input_mut(features * panels.lanes());
    team.for_each((0..panels.count, Chunks::new(staged, features * width)), |(panel, staged)| {
        gather_rows(isa, fakes, features, context.rows(chunk, panel), staged, width);
    });
}

/// D's logits of the chunk's real samples and fakes.
fn forward_pairs(
    team: &Team<'_>,
    context: &Context<'_>,
    chunk: Chunk,
    discriminator: NetworkView<'_>,
    reals: Reals<'_>,
    [keep_real, keep_fake]: [PartKeeps<'_>; 2],
    scratch: &mut Scratch,
) {
    let isa = context.plan.pass.isa;
    let features = context.features;
    let (half, panels) = (chunk.panels.width, chunk.paired());
    let width = panels.width;
    let fakes = scratch.generator.output(features * chunk.panels.lanes());
    let input = scratch.discriminator.input_mut(features * panels.lanes());
    team.for_each((0..panels.count, Chunks::new(input, features * width)), |(panel, input)| {
        match reals {
            Reals::Rows(source, rows) => {
                let first = chunk.first + panel * half;
                source.gather(isa, &rows[first..first + chunk.valid(panel)], input, width);
            }
            Reals::Given(rows) => gather_rows(isa, rows, features, context.rows(chunk, panel), input, width),
        }
        let fakes = fakes[panel * features * half..].chunks_exact(half);
        for (row, fakes) in input.chunks_exact_mut(width).zip(fakes) {
            row[half..].copy_from_slice(fakes);
        }
    });
    let part = |keeps| Part { first_sample: chunk.first, keeps };
    let parts = [part(keep_real), part(keep_fake)];
    pass::forward(team, &context.plan.pass, discriminator, panels, &parts, &mut scratch.discriminator);
}

/// D on the chunk's real samples and fakes: adds up D's gradients and losses in `slot`.
#[allow(clippy::too_many_arguments)]
pub(super) fn discriminator_pass(
    team: &Team<'_>,
    context: &Context<'_>,
    chunk: Chunk,
    discriminator: Lent<'_, TrainedNetwork>,
    reals: Reals<'_>,
    keeps: [PartKeeps<'_>; 2],
    scratch: &mut Scratch,
    slot: &mut Slot,
    mode: GradientMode,
) {
    let panels = chunk.paired();
    forward_pairs(team, context, chunk, discriminator.view(), reals, keeps, scratch);
    let terms = context.objective.discriminator_terms(context.plan.batch);
    let [real, fake, _] = logits_to_deltas(team, context, chunk, panels, &terms, scratch);
    if slot.stops_at(scratch, [real, fake]) {
        return;
    }
    slot.sums.real += real;
    slot.sums.fake += fake;
    discriminator_backward(team, context, panels, discriminator, (mode, InputMode::Skip), scratch, slot);
}

/// D backward over pairs of real samples and fakes: adds up D's gradients in `slot`.
fn discriminator_backward(
    team: &Team<'_>,
    context: &Context<'_>,
    panels: Panels,
    discriminator: Lent<'_, TrainedNetwork>,
    (mode, input_mode): (GradientMode, InputMode),
    scratch: &mut Scratch,
    slot: &mut Slot,
) {
    backward::backward(
        team,
        &context.plan.pass,
        discriminator.for_backward(),
        panels,
        &scratch.discriminator,
        &mut scratch.deltas,
        &mut slot.discriminator,
        mode,
        input_mode,
    );
}

/// The gradient of G's loss with respect to the chunk's fakes, left as the scratch's current gradient; adds up G's loss.
#[allow(clippy::too_many_arguments)]
pub(super) fn fake_gradient_pass(
    team: &Team<'_>,
    context: &Context<'_>,
    chunk: Chunk,
    discriminator: NetworkView<'_>,
    keeps: PartKeeps<'_>,
    input_mode: InputMode,
    scratch: &mut Scratch,
    slot: &mut Slot,
) {
    let panels = chunk.panels;
    let len = context.features * panels.lanes();
    scratch.discriminator.input_mut(len).copy_from_slice(scratch.generator.output(len));
    let part = Part { first_sample: chunk.first, keeps };
    pass::forward(team, &context.plan.pass, discriminator, panels, &[part], &mut scratch.discriminator);
    let term = context.objective.generator_term(context.plan.batch);
    let [sums, ..] = logits_to_deltas(team, context, chunk, panels, &[term], scratch);
    if slot.stops_at(scratch, [sums, LossSums::default()]) {
        return;
    }
    slot.sums.generator += sums;
    backward::backward(
        team,
        &context.plan.pass,
        discriminator.into(),
        panels,
        &scratch.discriminator,
        &mut scratch.deltas,
        &mut [],
        GradientMode::Ignore,
        input_mode,
    );
}

/// [`discriminator_pass`] and [`fake_gradient_pass`] through the same D in one, for a D with one logit and without dropout. A
/// fake's gradient of G's loss is a multiple of that of D's loss, at the logit and so at the fake: D's backward pass goes on to
/// its input, where the fakes' half is multiplied by that ratio and by the derivative of `output_activation`, which made the
/// fakes. D's gradient with respect to a fake's logit is never less than a tiny share of its weight, so that the ratio is exact
/// to within rounding (see [`loss::joint_bce_with_logits`]).
#[allow(clippy::too_many_arguments)]
pub(super) fn joint_pass(
    team: &Team<'_>,
    context: &Context<'_>,
    chunk: Chunk,
    discriminator: Lent<'_, TrainedNetwork>,
    reals: Reals<'_>,
    keeps: [PartKeeps<'_>; 2],
    output_activation: Activation,
    scratch: &mut Scratch,
    slot: &mut Slot,
    mode: GradientMode,
) {
    let (isa, features) = (context.plan.pass.isa, context.features);
    let (half, panels) = (chunk.panels.width, chunk.paired());
    let width = panels.width;
    forward_pairs(team, context, chunk, discriminator.view(), reals, keeps, scratch);
    let [real, fake, generator] = logits_to_joint_deltas(team, context, chunk, scratch);
    if slot.stops_at(scratch, [real, fake]) {
        return;
    }
    slot.sums.real += real;
    slot.sums.fake += fake;
    slot.sums.generator += generator;
    discriminator_backward(team, context, panels, discriminator, (mode, InputMode::Plain), scratch, slot);
    let fakes = scratch.generator.output(features * chunk.panels.lanes());
    let ratios = scratch.discriminator.output(panels.lanes());
    let (pairs, deltas) = scratch.deltas.current_and_next(features * panels.lanes(), features * chunk.panels.lanes());
    team.for_each((0..panels.count, Chunks::new(deltas, features * half)), |(panel, deltas)| {
        let pairs = &pairs[panel * features * width..][..features * width];
        loss::take_scaled(isa, pairs, width, &ratios[panel * width..][half..width], deltas);
        let fakes = &fakes[panel * features * half..][..features * half];
        activation::backward_epilogue(isa, output_activation, 0.0, fakes, deltas);
    });
    scratch.deltas.advance();
}

/// G's gradients from what [`fake_gradient_pass`] or [`joint_pass`] left, taken through G's last activation: added up in `slot`.
pub(super) fn generator_backward(
    team: &Team<'_>,
    context: &Context<'_>,
    chunk: Chunk,
    generator: Lent<'_, TrainedNetwork>,
    scratch: &mut Scratch,
    slot: &mut Slot,
    mode: GradientMode,
) {
    if slot.fault.is_some() {
        return;
    }
    backward::backward(
        team,
        &context.plan.pass,
        generator.for_backward(),
        chunk.panels,
        &scratch.generator,
        &mut scratch.deltas,
        &mut slot.generator,
        mode,
        InputMode::Skip,
    );
}

/// Copies what [`fake_gradient_pass`] left to the slot's gradient with respect to its fakes.
pub(super) fn unstage(team: &Team<'_>, context: &Context<'_>, chunk: Chunk, scratch: &mut Scratch, slot: &mut Slot) {
    let (isa, panels) = (context.plan.pass.isa, chunk.panels);
    let (width, features) = (panels.width, context.features);
    let deltas = &*scratch.deltas.current(features * panels.lanes());
    let first = (chunk.first % context.plan.slot_samples()) * features;
    let rows = Chunks::new(&mut slot.fakes[first..][..chunk.samples * features], width * features);
    team.for_each((0..panels.count, rows), |(panel, rows)| {
        scatter_rows(isa, &deltas[panel * features * width..][..features * width], width, chunk.valid(panel), rows);
    });
}

/// Turns D's logits into the gradient with respect to them, the scratch's current gradient. Each panel has `terms.len()`
/// parts of the chunk's width, each with its term. Returns each part's sums over all panels.
fn logits_to_deltas(
    team: &Team<'_>,
    context: &Context<'_>,
    chunk: Chunk,
    panels: Panels,
    terms: &[LossTerm],
    scratch: &mut Scratch,
) -> [LossSums; MOST_TERMS] {
    let outputs = context.logits;
    let (part, len) = (chunk.panels.width, outputs * panels.width);
    let logits = scratch.discriminator.output(len * panels.count);
    let deltas = Chunks::new(scratch.deltas.current(len * panels.count), len);
    let sums = &mut scratch.sums[..panels.count];
    team.for_each((0..panels.count, deltas, Elements::new(sums)), |(panel, deltas, sums)| {
        deltas.copy_from_slice(&logits[panel * len..][..len]);
        for (number, (term, sums)) in terms.iter().zip(sums).enumerate() {
            let lanes = number * part..(number + 1) * part;
            *sums = context.objective.loss(
                context.plan.pass.isa,
                *term,
                deltas,
                panels.width,
                lanes,
                chunk.valid(panel),
                context.report,
            );
        }
    });
    total(sums, terms.len())
}

/// The same for [`joint_pass`]: the gradient of D's loss, and in the place of the fakes' logits the ratios of G's gradients to
/// D's. Returns the sums of D's terms for real samples and fakes, then of G's.
fn logits_to_joint_deltas(
    team: &Team<'_>,
    context: &Context<'_>,
    chunk: Chunk,
    scratch: &mut Scratch,
) -> [LossSums; MOST_TERMS] {
    let (isa, objective, batch) = (context.plan.pass.isa, context.objective, context.plan.batch);
    let (half, panels) = (chunk.panels.width, chunk.paired());
    let [real_term, fake_term] = objective.discriminator_terms(batch);
    let generator_term = objective.generator_term(batch);
    let logits = Chunks::new(scratch.discriminator.output_mut(panels.lanes()), panels.width);
    let deltas = Chunks::new(scratch.deltas.current(panels.lanes()), panels.width);
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

impl Slot {
    /// Looks into logits that are not finite, while what made them stands in the scratch. From then on the slot's gradients are
    /// worth nothing: no pass goes backward.
    fn stops_at(&mut self, scratch: &Scratch, sums: [LossSums; 2]) -> bool {
        if self.fault.is_none() && sums.iter().any(|sums| sums.not_finite) {
            self.fault = Some(Fault::of_logits(scratch));
        }
        self.fault.is_some()
    }
}

impl<'a> Context<'a> {
    /// The rows of a matrix `[batch, ..]` that panel `panel` of a chunk holds.
    fn rows(&self, chunk: Chunk, panel: usize) -> &'a [u32] {
        &self.identity[chunk.first + panel * chunk.panels.width..][..chunk.valid(panel)]
    }
}
