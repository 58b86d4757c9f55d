//! The passes of a dense network over the rows of a batch, and what they keep.

use std::sync::atomic::{AtomicBool, Ordering};

use super::tiles::{Room, Tile, Tiles, is_small};
use super::views::{Purpose, Views};
use crate::error::{Error, Result};
use crate::gan::function::ROWS;
use crate::gan::streams::Stream;
use crate::kernel::activation::backward_epilogue;
use crate::kernel::panel::{gather_rows, scatter_rows};
use crate::kernel::reduce::add_assign;
use crate::memory::AlignedBuffer;
use crate::net::panels::{Part, PartKeeps, PassContext, PassPlan};
use crate::net::parameters::ParameterLayout;
use crate::net::pass::{self, InputMode, ParameterGradients, Recorded};
use crate::net::tape::{Tape, Value};
use crate::net::{LayerSpec, NetworkSpec, Normalization, SOFTMAX_TEMPERATURE};
use crate::parallel::{Chunks, Elements, Team, add_in_tree};
use crate::rows::are_finite;

/// What becomes of the gradients of a network's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GradientMode {
    /// They are not computed.
    Ignore,
    /// They replace those of earlier passes.
    Overwrite,
    /// They are added to those of earlier passes.
    Accumulate,
}

/// The latest forward pass, which a backward pass goes back through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Latest {
    pub(super) rows: usize,
    purpose: Purpose,
}

/// A network, its gradients, and the tapes of its passes.
pub(super) struct Passes {
    pub(super) views: Views,
    /// The gradients of each slot, and the sums that running statistics follow, where the buffers stand. The gradients of the first slot are
    /// the network's, unless there are settled ones.
    slots: Vec<AlignedBuffer>,
    /// The network's gradients, where a normalization settles those that passes find.
    settled: Option<AlignedBuffer>,
    plan: PassPlan,
    tapes: Vec<Tape>,
    pub(super) latest: Option<Latest>,
}

impl Passes {
    /// Bytes of parameters, gradients and tapes for batches of up to `most_rows` rows.
    pub(super) fn memory(spec: &NetworkSpec, most_rows: usize) -> u64 {
        let layout = ParameterLayout::new(spec);
        let room = Room::new(is_small(&layout), most_rows);
        let [views, tape] = Views::bytes(spec, &layout, room.lanes);
        let settled = if spec.is_settled_apart() { layout.trained() as u64 } else { 0 };
        let gradients = (layout.len() as u64).saturating_mul(room.slots as u64).saturating_add(settled);
        let gradients = gradients.saturating_mul(size_of::<f32>() as u64);
        views.saturating_add(gradients).saturating_add(tape.saturating_mul(room.tapes as u64))
    }

    /// The passes of a valid network, whose parameters are drawn from `seed`, over at most `most_rows` rows.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(super) fn new(spec: NetworkSpec, most_rows: usize, seed: u64, mut plan: PassPlan) -> Result<Self> {
        let layout = ParameterLayout::new(&spec);
        let small = is_small(&layout);
        let room = Room::new(small, most_rows);
        if small {
            plan.tasks = 1;
        }
        let settled = spec.is_settled_apart().then(|| AlignedBuffer::zeroed(layout.trained())).transpose()?;
        let (views, tape) = Views::new(spec, plan.isa, seed, room.lanes)?;
        Ok(Self {
            views,
            slots: (0..room.slots).map(|_| AlignedBuffer::zeroed(layout.len())).collect::<Result<_>>()?,
            settled,
            tapes: (0..room.tapes).map(|_| Tape::new(&tape)).collect::<Result<_>>()?,
            plan,
            latest: None,
        })
    }

    /// The network's specification.
    pub(super) fn spec(&self) -> &NetworkSpec {
        &self.views.spec
    }

    /// The most threads that have work.
    pub(super) fn most_threads(spec: &NetworkSpec, most_rows: usize, threads: usize) -> usize {
        let layout = ParameterLayout::new(spec);
        if is_small(&layout) { threads.min(Room::new(true, most_rows).tapes) } else { threads }
    }

    /// The tiles of at least one row.
    pub(super) fn tiles(&self, rows: usize) -> Tiles {
        Tiles::new(is_small(&self.views.layout), rows)
    }

    /// Whether a forward pass in training needs two rows in each panel.
    pub(super) fn groups_rows(&self) -> bool {
        self.spec().has(Normalization::Batch)
    }

    /// The network's gradients.
    pub(super) fn gradients(&self) -> &[f32] {
        &self.settled.as_ref().unwrap_or(&self.slots[0])[..self.views.layout.trained()]
    }

    /// The outputs of `rows`, which are whole, finite and not too many; `outputs` has room for as many. In training with the `seed` of what
    /// is drawn; then singular vectors and running statistics follow the pass.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] that names the first layer with an output that is not finite.
    pub(super) fn forward(
        &mut self,
        team: &Team<'_>,
        rows: &[f32],
        seed: Option<u64>,
        outputs: &mut [f32],
    ) -> Result<()> {
        self.latest = None;
        let (of_row, of_output) = (self.spec().inputs(), self.spec().outputs());
        let count = rows.len() / of_row;
        let purpose = if seed.is_some() { Purpose::Training } else { Purpose::Evaluation };
        let latest = Latest { rows: count, purpose };
        if count == 0 {
            self.latest = Some(latest);
            return Ok(());
        }
        let tiles = self.tiles(count);
        let keeps = seed.filter(|_| self.spec().draws()).map(|seed| PartKeeps::Drawn(Stream::DenseKeeps.key(seed, 0)));
        self.views.follow(team, self.plan.isa);
        let (view, recorded) = self.views.view(purpose);
        let (plan, trace) = (&self.plan, &recorded.trace);
        let finite = AtomicBool::new(true);
        let work = |team: &Team<'_>, tile: Tile, tape: &mut Tape, outputs: &mut [f32]| {
            let pass = PassContext { team, plan, panels: tile.panels };
            gather(&pass, rows, of_row, tile, tape.get_mut(trace.input(), tile.panels.lanes()));
            let of_block = tile.panels.count;
            let part = keeps.map(|keeps| Part { first_sample: tile.first, of_block, between_blocks: 0, keeps });
            pass::forward(&pass, view, part.as_slice(), trace, tape);
            if !scatter(&pass, tape, trace.output(), of_output, outputs) {
                finite.store(false, Ordering::Relaxed);
            }
        };
        for_each_tile(team, tiles, &mut self.tapes, (outputs, of_output), work);
        if !finite.into_inner() {
            return Err(self.not_finite(tiles, purpose));
        }
        if purpose == Purpose::Training && self.settled.is_some() {
            self.follow_pass(team, tiles);
        }
        self.latest = Some(latest);
        Ok(())
    }

    /// Lets what normalizations keep follow a forward pass in training.
    fn follow_pass(&mut self, team: &Team<'_>, tiles: Tiles) {
        let (view, recorded) = self.views.view(Purpose::Training);
        let (plan, of_slot, trained) = (&self.plan, tiles.tiles_of_slot(), view.layout.trained());
        let (tapes, slots) = (&mut self.tapes[..tiles.count()], &mut self.slots[..tiles.slots()]);
        if view.spec.has(Normalization::Batch) {
            let items = (0..slots.len(), Chunks::new(tapes, of_slot), Elements::new(slots));
            team.for_each(items, |(slot, tapes, sums)| {
                for (index, tape) in tapes.iter().enumerate() {
                    let panels = tiles.tile(slot * of_slot + index).panels;
                    let pass = PassContext { team: &Team::serial(), plan, panels };
                    pass::add_statistics(&pass, view, (&recorded.trace, tape), sums, index > 0);
                }
            });
            add_in_tree(team, slots, |to, from| add_assign(plan.isa, &mut to[trained..], &from[trained..]));
        }
        self.views.follow_pass(&self.slots[0], tiles.rows());
    }

    /// What is not finite in a forward pass.
    fn not_finite(&self, tiles: Tiles, purpose: Purpose) -> Error {
        let (view, recorded) = self.views.view(purpose);
        let of_tile =
            |(index, tape): (usize, &Tape)| recorded.trace.first_not_finite(tape, tiles.tile(index).panels.lanes());
        let first = self.tapes[..tiles.count()].iter().enumerate().filter_map(of_tile).min();
        // Value 0 is the input.
        let layer = first.unwrap_or(view.spec.layers.len()).saturating_sub(1);
        let problem =
            "an output is not finite; set parameters that are finite, or smaller ones (a lower learning rate helps)";
        Error::data(format!("layer {layer} of the network"), problem)
    }

    /// Back through the `latest` forward pass from the gradient with respect to its outputs: the gradients of the parameters as `mode`
    /// says, and that with respect to the rows if there is room for it.
    pub(super) fn backward(
        &mut self,
        team: &Team<'_>,
        latest: Latest,
        output_gradient: &[f32],
        input_gradient: Option<&mut [f32]>,
        mode: GradientMode,
    ) {
        if latest.rows == 0 {
            if mode == GradientMode::Overwrite {
                self.settled.as_mut().unwrap_or(&mut self.slots[0]).fill(0.0);
            }
            return;
        }
        let tiles = self.tiles(latest.rows);
        let (view, Recorded { trace, deltas, seeds }) = self.views.view(latest.purpose);
        let (of_row, of_output) = (view.spec.inputs(), view.spec.outputs());
        let input_mode = if input_gradient.is_some() { InputMode::Plain } else { InputMode::Skip };
        let plan = &self.plan;
        let last = view.spec.layers.last();
        let is_settled = self.settled.is_some();
        let backward_tile = |team: &Team<'_>, tile: Tile, tape: &mut Tape, gradients: ParameterGradients<'_>| {
            let pass = PassContext { team, plan, panels: tile.panels };
            let lanes = tile.panels.lanes();
            let [delta, output] = tape.several([(*seeds, lanes), (trace.output(), lanes)]);
            gather(&pass, output_gradient, of_output, tile, delta);
            if let Some(&LayerSpec { activation, dropout, ref softmax, .. }) = last {
                let output = &*output;
                let width = tile.panels.width;
                let (of_panel, numbers) = (of_output * width, (of_output - softmax.iter().sum::<usize>()) * width);
                pass.for_each_panel(of_output, delta, |panel, delta| {
                    backward_epilogue(plan.isa, activation, dropout, &output[panel * of_panel..][..of_panel], delta);
                    // The way back divides by the temperature of draws, which probabilities do not have.
                    if latest.purpose == Purpose::Evaluation {
                        delta[numbers..].iter_mut().for_each(|value| *value *= SOFTMAX_TEMPERATURE);
                    }
                });
            }
            pass::backward(&pass, view.into(), (trace, deltas), tape, gradients, input_mode);
        };
        let of_slot = tiles.tiles_of_slot();
        let (tapes, slots) = (&mut self.tapes[..tiles.count()], &mut self.slots[..tiles.slots()]);
        let slot_work = |team: &Team<'_>, slot: usize, tapes: &mut [Tape], gradients: &mut [f32]| {
            for (index, tape) in tapes.iter_mut().enumerate() {
                let first = slot * of_slot + index;
                let gradients = match mode {
                    GradientMode::Ignore => ParameterGradients::Skip,
                    // Only the network's gradients have a past, which is settled elsewhere if at all.
                    GradientMode::Accumulate if first == 0 && !is_settled => {
                        ParameterGradients::Accumulate(&mut *gradients)
                    }
                    _ if index == 0 => ParameterGradients::Overwrite(&mut *gradients),
                    _ => ParameterGradients::Accumulate(&mut *gradients),
                };
                backward_tile(team, tiles.tile(first), tape, gradients);
            }
        };
        if let ([tape], [gradients]) = (&mut *tapes, &mut *slots) {
            slot_work(team, 0, std::slice::from_mut(tape), gradients);
        } else {
            let items = (0..slots.len(), Chunks::new(tapes, of_slot), Elements::new(slots));
            team.for_each(items, |(slot, tapes, gradients)| slot_work(&Team::serial(), slot, tapes, gradients));
        }
        if mode != GradientMode::Ignore {
            let isa = plan.isa;
            add_in_tree(team, &mut self.slots[..tiles.slots()], |to, from| add_assign(isa, to, from));
        }
        if let Some(gradient) = input_gradient {
            let first = deltas.first();
            for_each_tile(team, tiles, &mut self.tapes, (gradient, of_row), |team, tile, tape, gradient| {
                let pass = PassContext { team, plan, panels: tile.panels };
                scatter(&pass, tape, first, of_row, gradient);
            });
        }
        if mode != GradientMode::Ignore {
            self.settle(team, latest.purpose, mode);
        }
    }

    /// Makes the network's gradients of those that a backward pass has left in the first slot, or adds to them.
    fn settle(&mut self, team: &Team<'_>, purpose: Purpose, mode: GradientMode) {
        let Self { views, slots, settled: Some(settled), plan, .. } = self else { return };
        views.settle(team, plan.isa, purpose, &mut slots[0]);
        let found = &slots[0][..settled.len()];
        match mode {
            GradientMode::Accumulate => add_assign(plan.isa, settled, found),
            _ => settled.copy_from_slice(found),
        }
    }
}

/// Calls `work` for each tile with its tape and its rows of `features` values: side by side, each with a serial team, or with the whole
/// team where there is one tile.
fn for_each_tile(
    team: &Team<'_>,
    tiles: Tiles,
    tapes: &mut [Tape],
    (rows, features): (&mut [f32], usize),
    work: impl Fn(&Team<'_>, Tile, &mut Tape, &mut [f32]) + Sync,
) {
    let tapes = &mut tapes[..tiles.count()];
    if let [tape] = tapes {
        return work(team, tiles.tile(0), tape, rows);
    }
    let items = (0..tapes.len(), Elements::new(tapes), Chunks::new(rows, tiles.rows_of_tile() * features));
    team.for_each(items, |(index, tape, rows)| work(&Team::serial(), tiles.tile(index), tape, rows));
}

/// Gathers the rows of a tile into its panels.
fn gather(pass: &PassContext<'_>, rows: &[f32], features: usize, tile: Tile, values: &mut [f32]) {
    let width = tile.panels.width;
    pass.for_each_panel(features, values, |panel, values| {
        let first = tile.first + panel * width;
        let count = width.min(tile.panels.samples - panel * width);
        let rows = &rows[first * features..][..count * features];
        gather_rows(pass.plan.isa, rows, features, &ROWS[..count], values, width);
    });
}

/// Scatters a value of a tile's panels to its rows. Returns whether all of them are finite.
fn scatter(pass: &PassContext<'_>, tape: &Tape, value: Value, features: usize, rows: &mut [f32]) -> bool {
    let (width, isa, panels) = (pass.panels.width, pass.plan.isa, pass.panels);
    let values = tape.get(value, panels.lanes());
    let finite = AtomicBool::new(true);
    let chunks = (0..panels.count, Chunks::new(rows, width * features));
    pass.team.for_each(chunks, |(panel, rows)| {
        let count = rows.len() / features;
        scatter_rows(isa, &values[panel * features * width..][..features * width], width, count, rows);
        if !are_finite(rows) {
            finite.store(false, Ordering::Relaxed);
        }
    });
    finite.into_inner()
}
