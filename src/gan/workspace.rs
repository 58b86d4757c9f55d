//! The memory of a run's steps, taken before the first: scratch for each worker, gradients and loss sums for each slot.

use std::ops::Range;

use super::averages::{Averages, Logits};
use super::fault::Fault;
use super::networks::Lent;
use super::objective::Objective;
use super::plan::{Chunk, Plan, Schedule};
use crate::error::Result;
use crate::kernel::loss::{LossSums, Side};
use crate::kernel::reduce::add_assign;
use crate::memory::AlignedBuffer;
use crate::net::NetworkSpec;
use crate::net::parameters::ParameterLayout;
use crate::net::tape::{Tape, TapeLayout};
use crate::network::Network;
use crate::parallel::{Elements, Team, add_in_tree};
use crate::simd::Isa;

/// Most terms of a pass: D's of the real samples and of the fakes, and G's.
pub(super) const MOST_TERMS: usize = 3;

/// What one worker needs for a chunk.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) tape: Tape,
    /// Loss sums of each panel, one for each term.
    pub(super) sums: Vec<[LossSums; MOST_TERMS]>,
    /// The sum of the penalties of each panel.
    pub(super) penalties: Vec<f64>,
    /// The latest forward pass of each network that stands on the tape, and its lanes. Fakes from outside count as G's.
    latest: [Option<(usize, usize)>; 2],
}

impl Scratch {
    /// Notes that a forward pass of `network` begins, by its number in the program.
    pub(super) fn begin(&mut self, network: Network, trace: usize, lanes: usize) {
        self.latest[network as usize] = Some((trace, lanes));
    }

    /// The number of the latest forward pass of `network`, and its lanes.
    pub(super) fn latest(&self, network: Network) -> Option<(usize, usize)> {
        self.latest[network as usize]
    }
}

/// What a slot of the batch adds up.
#[derive(Debug)]
pub(super) struct Slot {
    /// Its samples; an empty slot only fills the tree.
    pub(super) samples: Range<usize>,
    /// Gradients of each network's parameters; none of G's where the fakes come from outside.
    pub(super) gradients: [AlignedBuffer; 2],
    /// Where the fakes come from outside, the gradient with respect to the slot's, `[samples, features]`; where that gradient does, the
    /// slot's fakes; else empty.
    pub(super) fakes: AlignedBuffer,
    pub(super) sums: StepSums,
    /// D's logits, where the objective compares with their means, and what follows from them.
    pub(super) logits: Logits,
    pub(super) averages: Averages,
    sigmoids: [f64; 2],
    /// What the first pass that was not finite stumbled over.
    pub(super) fault: Option<Fault>,
}

/// Loss sums of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct StepSums {
    /// Of the real samples, in D's pass.
    pub(super) real: LossSums,
    /// Of the fakes, in D's pass.
    pub(super) fake: LossSums,
    /// Of the fakes, in G's pass.
    pub(super) generator: LossSums,
    /// The penalties, with their weights, if there were any.
    pub(super) penalty: Option<f64>,
}

impl StepSums {
    /// Adds penalties.
    pub(super) fn penalize(&mut self, penalty: Option<f64>) {
        if let Some(penalty) = penalty {
            *self.penalty.get_or_insert_default() += penalty;
        }
    }
}

/// Scratch and slots of a run.
#[derive(Debug)]
pub(super) struct Workspace {
    scratches: Vec<Scratch>,
    slots: Vec<Slot>,
}

impl Workspace {
    /// The workspace that `plan` needs; `generator` is `None` where the fakes come from outside.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfMemory`].
    pub(super) fn new(
        plan: &Plan,
        objective: Objective,
        tape: &TapeLayout,
        generator: Option<&NetworkSpec>,
        discriminator: &NetworkSpec,
    ) -> Result<Self> {
        let panels = plan.chunk.div_ceil(plan.panel_width);
        let scratch = || {
            let sums = vec![[LossSums::default(); MOST_TERMS]; panels];
            Ok(Scratch { tape: Tape::new(tape)?, sums, penalties: vec![0.0; panels], latest: [None; 2] })
        };
        let slot = |place| {
            let samples = plan.cut.slot(place);
            let parameters = |spec: Option<&NetworkSpec>| {
                let len = spec.map_or(0, |spec| ParameterLayout::new(spec).len());
                AlignedBuffer::zeroed(if samples.is_empty() { 0 } else { len })
            };
            let fakes = if generator.is_some() { 0 } else { discriminator.inputs().saturating_mul(samples.len()) };
            Ok(Slot {
                gradients: [parameters(generator)?, parameters(Some(discriminator))?],
                fakes: AlignedBuffer::zeroed(fakes)?,
                sums: StepSums::default(),
                logits: Logits::new(objective, samples.len())?,
                averages: Averages::default(),
                sigmoids: [0.0; 2],
                fault: None,
                samples,
            })
        };
        Ok(Self {
            scratches: (0..plan.scratches()).map(|_| scratch()).collect::<Result<_>>()?,
            slots: plan.cut.own_places().map(slot).collect::<Result<_>>()?,
        })
    }

    /// Makes the scratch that of another program, with room for `features` values of each sample that go
    /// outside.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfMemory`]; then nothing is changed.
    pub(super) fn adapt(&mut self, tape: &TapeLayout, features: usize) -> Result<()> {
        let tapes: Vec<_> = self.scratches.iter().map(|_| Tape::new(tape)).collect::<Result<_>>()?;
        let room = |slot: &Slot| AlignedBuffer::zeroed(features.saturating_mul(slot.samples.len()));
        let rooms: Vec<_> = self.slots.iter().map(room).collect::<Result<_>>()?;
        for (scratch, tape) in self.scratches.iter_mut().zip(tapes) {
            (scratch.tape, scratch.latest) = (tape, [None; 2]);
        }
        for (slot, room) in self.slots.iter_mut().zip(rooms) {
            slot.fakes = room;
        }
        Ok(())
    }

    /// Copies what the passes have handed over to the whole batch's `rows` of `features` values.
    pub(super) fn fetch(&self, rows: &mut [f32], features: usize) {
        for slot in &self.slots {
            rows[slot.samples.start * features..slot.samples.end * features].copy_from_slice(&slot.fakes);
        }
    }

    /// Calls `pass` for every chunk of the batch as the schedule says: slots side by side, each with a serial team, or chunk
    /// after chunk with the whole team. A pass has its slot, the last of those it is called with; in the layer-parallel schedule those before
    /// it are complete. `networks` are lent to each pass: for good to the last one
    /// of the layer-parallel schedule, which completes the last slot's gradients, else to be read.
    pub(super) fn for_each_chunk<N: Sync>(
        &mut self,
        team: &Team<'_>,
        plan: &Plan,
        networks: &mut N,
        pass: impl Fn(&Team<'_>, Chunk, Lent<'_, N>, &mut Scratch, &mut [Slot]) + Sync,
    ) {
        match plan.schedule {
            Schedule::LayerParallel => {
                let scratch = &mut self.scratches[0];
                for index in 0..self.slots.len() {
                    let slots = &mut self.slots[..=index];
                    for chunk in plan.chunks(slots[index].samples.clone()) {
                        let last = chunk.first + chunk.samples == plan.cut.samples();
                        let lent = if last { Lent::Last(&mut *networks) } else { Lent::Shared(&*networks) };
                        pass(team, chunk, lent, scratch, slots);
                    }
                }
            }
            Schedule::Serial | Schedule::TileParallel => {
                let networks = &*networks;
                team.for_each_with(&mut self.scratches, Elements::new(&mut self.slots), |scratch, slot| {
                    for chunk in plan.chunks(slot.samples.clone()) {
                        pass(&Team::serial(), chunk, Lent::Shared(networks), scratch, std::slice::from_mut(slot));
                    }
                });
            }
        }
    }

    /// Forgets the loss sums and the faults of the step before.
    pub(super) fn clear_sums(&mut self) {
        for slot in &mut self.slots {
            slot.sums = StepSums::default();
            slot.fault = None;
        }
    }

    /// The loss sums of this process's samples, added in the tree of [`Self::combine`].
    pub(super) fn sums(&self) -> StepSums {
        in_tree(&self.slots, &|slot| slot.sums, &|mut sums, right| {
            sums.real += right.real;
            sums.fake += right.fake;
            sums.generator += right.generator;
            sums.penalize(right.penalty);
            sums
        })
    }

    /// What the loss of a side takes from the logits of the whole batch, in every slot. Sums are added in the same tree; `total` makes those
    /// of the batch of this process's.
    ///
    /// # Errors
    ///
    /// That of `total`.
    pub(super) fn average(
        &mut self,
        isa: Isa,
        side: Side,
        batch: usize,
        mut total: impl FnMut([f64; 2]) -> Result<[f64; 2]>,
    ) -> Result<()> {
        let add = |left: [f64; 2], right: [f64; 2]| [left[0] + right[0], left[1] + right[1]];
        let means = Averages::of_means(total(in_tree(&self.slots, &|slot| slot.logits.sums(), &add))?, batch);
        for slot in &mut self.slots {
            let of_reals;
            (slot.sigmoids, of_reals) = slot.logits.compared(isa, means.others);
            if side == Side::Generator {
                // Real samples have a part in G's loss, too.
                slot.sums.generator.loss += of_reals;
            }
        }
        let sigmoids = total(in_tree(&self.slots, &|slot| slot.sigmoids, &add))?;
        let averages = means.with_sigmoids(side, sigmoids, batch);
        self.slots.iter_mut().for_each(|slot| slot.averages = averages);
        Ok(())
    }

    /// Adds the gradients of `network`'s parameters over all slots of this process into the first slot's, in a binary tree that batch and
    /// shards alone fix. The number of places for slots is a power of two; empty ones add nothing.
    pub(super) fn combine(&mut self, team: &Team<'_>, isa: Isa, network: Network) {
        let which = network as usize;
        add_in_tree(team, &mut self.slots, |to, from| {
            if !from.samples.is_empty() {
                add_assign(isa, &mut to.gradients[which], &from.gradients[which]);
            }
        });
    }

    /// The last slot, and those before it.
    pub(super) fn last_slot(&mut self) -> (&mut [Slot], &mut Slot) {
        let last = self.slots.len() - 1;
        let (before, behind) = self.slots.split_at_mut(last);
        (before, &mut behind[0])
    }

    /// Takes the gradients of `network` that stand in the last slot, where [`add_range`] left the sums of all, for those that
    /// [`Self::combine`] leaves.
    pub(super) fn take_last(&mut self, network: Network) {
        if let [first, .., last] = self.slots.as_mut_slice() {
            std::mem::swap(&mut first.gradients[network as usize], &mut last.gradients[network as usize]);
        }
    }

    /// The gradients of the last step, as [`Self::combine`] left them.
    pub(super) fn combined(&self) -> &Slot {
        &self.slots[0]
    }

    /// The same, to be changed.
    pub(super) fn combined_mut(&mut self) -> &mut Slot {
        &mut self.slots[0]
    }

    /// The fault of the batch's first samples that have one.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.slots.iter().find_map(|slot| slot.fault)
    }

    /// The scratch of each worker, to be read.
    pub(super) fn scratches(&self) -> &[Scratch] {
        &self.scratches
    }

    /// The scratch of each worker.
    pub(super) fn scratches_mut(&mut self) -> &mut [Scratch] {
        &mut self.scratches
    }
}

/// Adds gradients of `network` of the slots `before`, from `first` on, to `sums`, which are those of the slot behind them: in the tree of
/// [`Workspace::combine`], mirrored. With that slot they are as many as a power of two, and none is empty.
pub(super) fn add_range(isa: Isa, before: &mut [Slot], network: Network, first: usize, sums: &mut [f32]) {
    let (left, right) = before.split_at_mut(before.len().div_ceil(2));
    let Some((slot, left)) = left.split_last_mut() else { return };
    let of_left = &mut slot.gradients[network as usize][first..][..sums.len()];
    add_range(isa, left, network, first, of_left);
    add_range(isa, right, network, first, sums);
    add_assign(isa, sums, of_left);
}

/// What is found of each slot, added in a binary tree.
fn in_tree<T: Default>(slots: &[Slot], of: &impl Fn(&Slot) -> T, add: &impl Fn(T, T) -> T) -> T {
    match slots {
        [] => T::default(),
        [slot] => of(slot),
        _ => {
            let (left, right) = slots.split_at(slots.len() / 2);
            add(in_tree(left, of, add), in_tree(right, of, add))
        }
    }
}
