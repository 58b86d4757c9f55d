//! The memory of a run's steps, taken before the first: scratch for each worker, gradients and loss sums for each slot.

use std::iter;

use super::diagnosis::Fault;
use super::plan::{Chunk, Plan, Schedule, widest};
use super::state::Lent;
use crate::error::Result;
use crate::gemm::GradientMode;
use crate::kernel::loss::LossSums;
use crate::kernel::reduce::add_assign;
use crate::memory::AlignedBuffer;
use crate::net::NetworkSpec;
use crate::net::parameters::ParameterLayout;
use crate::net::pass::{Activations, Deltas};
use crate::parallel::{Chunks, Elements, Team};
use crate::simd::Isa;

/// Most terms of a pass: D's of the real samples and of the fakes, and G's.
pub(super) const MOST_TERMS: usize = 3;

/// What one worker needs for a chunk.
#[derive(Debug)]
pub(super) struct Scratch {
    /// G's activations. Their output is the fakes; where fakes come from outside, there is nothing but them.
    pub(super) generator: Activations,
    pub(super) discriminator: Activations,
    pub(super) deltas: Deltas,
    /// Loss sums of each panel, one for each term.
    pub(super) sums: Vec<[LossSums; MOST_TERMS]>,
}

/// What a slot of the batch adds up.
#[derive(Debug)]
pub(super) struct Slot {
    /// Gradients of D's parameters.
    pub(super) discriminator: AlignedBuffer,
    /// Gradients of G's parameters; empty where the fakes come from outside.
    pub(super) generator: AlignedBuffer,
    /// Where the fakes come from outside, the gradient with respect to the slot's, `[samples, features]`; else empty.
    pub(super) fakes: AlignedBuffer,
    pub(super) sums: StepSums,
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
    pub(super) fn new(plan: &Plan, generator: Option<&NetworkSpec>, discriminator: &NetworkSpec) -> Result<Self> {
        let lanes = plan.chunk;
        let scratch = || {
            Ok(Scratch {
                generator: match generator {
                    Some(spec) => Activations::new(spec.widths(), lanes)?,
                    None => Activations::new(std::iter::once(discriminator.inputs()), lanes)?,
                },
                discriminator: Activations::new(discriminator.widths(), 2 * lanes)?,
                deltas: Deltas::new(widest(generator, discriminator), 2 * lanes)?,
                sums: vec![[LossSums::default(); MOST_TERMS]; lanes.div_ceil(plan.panel_width)],
            })
        };
        let slot = || {
            Ok(Slot {
                discriminator: AlignedBuffer::zeroed(ParameterLayout::new(discriminator).len())?,
                generator: AlignedBuffer::zeroed(generator.map_or(0, |spec| ParameterLayout::new(spec).len()))?,
                fakes: AlignedBuffer::zeroed(if generator.is_some() {
                    0
                } else {
                    discriminator.inputs().saturating_mul(plan.slot_samples())
                })?,
                sums: StepSums::default(),
                fault: None,
            })
        };
        Ok(Self {
            scratches: (0..plan.scratches()).map(|_| scratch()).collect::<Result<_>>()?,
            slots: (0..plan.slots).map(|_| slot()).collect::<Result<_>>()?,
        })
    }

    /// Calls `pass` for every chunk of the batch as the schedule says: slots side by side, each with a serial team, or chunk
    /// after chunk with the whole team. A slot's first chunk overwrites its gradients, the others add to them. `networks` are lent
    /// to each pass: for good to the last one of the layer-parallel schedule, which completes the gradients, else to be read.
    pub(super) fn for_each_chunk<N: Sync>(
        &mut self,
        team: &Team<'_>,
        plan: &Plan,
        networks: &mut N,
        pass: impl Fn(&Team<'_>, Chunk, Lent<'_, N>, &mut Scratch, &mut Slot, GradientMode) + Sync,
    ) {
        match plan.schedule {
            Schedule::LayerParallel => {
                let (scratch, slot) = (&mut self.scratches[0], &mut self.slots[0]);
                for (chunk, mode) in with_modes(plan.chunks(0)) {
                    let last = chunk.first + chunk.samples == plan.batch;
                    let lent = if last { Lent::Last(&mut *networks) } else { Lent::Shared(&*networks) };
                    pass(team, chunk, lent, scratch, slot, mode);
                }
            }
            Schedule::Serial | Schedule::TileParallel => {
                let networks = &*networks;
                let slots = (0..self.slots.len(), Elements::new(&mut self.slots));
                team.for_each_with(&mut self.scratches, slots, |scratch, (index, slot)| {
                    for (chunk, mode) in with_modes(plan.chunks(index)) {
                        pass(&Team::serial(), chunk, Lent::Shared(networks), scratch, slot, mode);
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

    /// The loss sums of the whole batch.
    pub(super) fn sums(&self) -> StepSums {
        let mut total = StepSums::default();
        for slot in &self.slots {
            total.real += slot.sums.real;
            total.fake += slot.sums.fake;
            total.generator += slot.sums.generator;
        }
        total
    }

    /// Adds the gradients that `which` picks over all slots into the first slot's, in a binary tree that the number of slots
    /// alone fixes, and returns them.
    pub(super) fn combine(&mut self, team: &Team<'_>, isa: Isa, which: fn(&mut Slot) -> &mut [f32]) -> &[f32] {
        let mut distance = 1;
        while distance < self.slots.len() {
            team.for_each(Chunks::new(&mut self.slots, 2 * distance), |slots| {
                if let Some((to, from)) = slots.split_at_mut_checked(distance)
                    && let (Some(to), Some(from)) = (to.first_mut(), from.first_mut())
                {
                    add_assign(isa, which(to), which(from));
                }
            });
            distance *= 2;
        }
        which(&mut self.slots[0])
    }

    /// The gradients of the last step, as [`Self::combine`] left them.
    pub(super) fn combined(&self) -> &Slot {
        &self.slots[0]
    }

    /// The fault of the batch's first samples that have one.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.slots.iter().find_map(|slot| slot.fault)
    }

    /// The scratch of each worker.
    pub(super) fn scratches_mut(&mut self) -> &mut [Scratch] {
        &mut self.scratches
    }

    /// The slots.
    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }
}

/// The chunks of a slot, each with what becomes of the gradients.
fn with_modes(chunks: impl Iterator<Item = Chunk>) -> impl Iterator<Item = (Chunk, GradientMode)> {
    chunks.zip(iter::once(GradientMode::Overwrite).chain(iter::repeat(GradientMode::Accumulate)))
}
