//! How a run is laid out: which schedule, how wide the panels, how many gradient slots, how much memory.
//!
//! Everything that results depend on (panels, chunks, slots) follows from the networks and the batch alone, never from the
//! number of threads: that is what gives the same bits at any number of threads. Only the cut of a product into row blocks
//! follows the threads: every sum of a product lies within one row, and its order is the same wherever a block ends.

use std::fmt;
use std::ops::Range;

use super::cut::Cut;
use crate::error::{Error, Result};
use crate::gemm::EngineKind;
use crate::kernel::optimizer::MOST_STATES;
use crate::memory;
use crate::net::panels::{Panels, PassPlan};
use crate::net::parameters::ParameterLayout;
use crate::net::tape::TapeLayout;
use crate::net::{NetworkSpec, Normalization};
use crate::simd::{Isa, LANE_GROUP};

/// Parameters of both networks together, in floats, up to which they count as fitting a core's caches: 512 KiB, half of
/// the level-2 cache of the cores that servers have had since 2019.
pub(super) const TILE_PARAMETERS: usize = 128 * 1024;

/// Most samples of a tile of networks that are not tiny. Its activations then fit the level-2 cache beside the parameters for networks of
/// this size.
pub(super) const TILE_WIDTH: usize = 128;

/// Bytes of activations and gradients that are worth a wider tile: the level-1 cache of the cores that servers have had since
/// 2021.
const TILE_BYTES: usize = 48 * 1024;

/// Most gradient slots: as many workers can share a batch in the tile-parallel schedule.
pub(super) const MOST_SLOTS: usize = 32;

/// Samples of a panel in the layer-parallel schedule, from what measured best to the most that is tried: a wider panel is
/// taken where it leaves fewer lanes empty. D's panels hold as many real samples beside as many fakes, so that 128 lanes of
/// 1,024 features are half of a level-2 cache, without gaps.
const WIDE_PANELS: [usize; 5] = [64, 80, 96, 112, 128];

/// Most samples in work at once in the layer-parallel schedule.
const WIDE_CHUNK: usize = 1024;

/// How work is spread over threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// A single tile: one thread.
    Serial,
    /// Each worker carries tiles of samples through all layers; gradients are summed per slot.
    TileParallel,
    /// All workers share each product.
    LayerParallel,
}

/// The layout of a run.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) schedule: Schedule,
    pub(crate) threads: usize,
    /// What D judges of a batch, in shards and slots: samples, or packs of them.
    pub(super) cut: Cut,
    /// Samples of a pack; 1 where there are none.
    pub(super) packing: usize,
    /// Samples or packs of a panel; D's panels are twice as wide where they hold real ones too.
    pub(crate) panel_width: usize,
    /// Samples or packs in work at once.
    pub(crate) chunk: usize,
    /// How the passes are computed.
    pub(crate) pass: PassPlan,
}

/// Samples of the batch that are in work at once, or packs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The first sample.
    pub(crate) first: usize,
    /// How many.
    pub(crate) samples: usize,
    /// Their panels.
    pub(crate) panels: Panels,
}

impl Chunk {
    /// How many lanes of panel `panel` hold samples.
    pub(crate) fn valid(&self, panel: usize) -> usize {
        self.panels.valid(panel)
    }

    /// The panels of G: for each place in a pack a block of as many as D has.
    pub(crate) fn generated(&self, packing: usize) -> Panels {
        Panels { count: packing * self.panels.count, blocks: packing, ..self.panels }
    }

    /// The panels of D where they hold real samples beside the fakes.
    pub(crate) fn paired(&self) -> Panels {
        Panels { width: 2 * self.panels.width, parts: 2, ..self.panels }
    }
}

impl Plan {
    /// The layout for these networks (`generator` is `None` where the fakes come from outside), and for a batch in these shards, of packs of
    /// `packing` samples.
    ///
    /// A shard is laid out as a batch of the largest shard's samples would be: what its sums are does not depend on the others.
    pub(super) fn new(
        generator: Option<&NetworkSpec>,
        discriminator: &NetworkSpec,
        (batch, packing): (Cut, usize),
        threads: usize,
        engine: EngineKind,
        isa: Isa,
    ) -> Self {
        let parameters = generator
            .map_or(0, |spec| ParameterLayout::new(spec).len())
            .saturating_add(ParameterLayout::new(discriminator).len());
        let tiled = parameters <= TILE_PARAMETERS;
        let samples = batch.largest_shard();
        let panel_width = if tiled {
            samples.div_ceil(samples.div_ceil(tile_width(generator, discriminator))).next_multiple_of(LANE_GROUP)
        } else {
            wide_panel(samples)
        };
        let panels = samples.div_ceil(panel_width);
        let chunk_panels = if tiled { 1 } else { (WIDE_CHUNK / panel_width).clamp(1, panels) };
        let chunks = panels.div_ceil(chunk_panels);
        let slot_chunks = if tiled { chunks.div_ceil(MOST_SLOTS) } else { chunks };
        let cut = batch.with_slots_of(slot_chunks * chunk_panels * panel_width);
        let slots = cut.slots();
        let schedule = match (tiled, slots) {
            (true, 1) => Schedule::Serial,
            (true, _) => Schedule::TileParallel,
            (false, _) => Schedule::LayerParallel,
        };
        Self {
            schedule,
            threads: match schedule {
                Schedule::Serial => 1,
                Schedule::TileParallel => threads.min(slots),
                Schedule::LayerParallel => threads,
            },
            cut,
            packing,
            panel_width,
            chunk: chunk_panels * panel_width,
            pass: PassPlan { isa, engine: engine.engine(), tasks: if tiled { 1 } else { threads } },
        }
    }

    /// Workers that need scratch of their own.
    pub(crate) fn scratches(&self) -> usize {
        if self.schedule == Schedule::LayerParallel { 1 } else { self.threads }
    }

    /// The chunks of the samples of a slot, in order.
    pub(crate) fn chunks(&self, slot: Range<usize>) -> impl Iterator<Item = Chunk> + use<> {
        let (chunk, width) = (self.chunk, self.panel_width);
        slot.clone().step_by(chunk).map(move |first| {
            let samples = chunk.min(slot.end - first);
            Chunk {
                first,
                samples,
                panels: Panels { count: samples.div_ceil(width), width, parts: 1, blocks: 1, samples },
            }
        })
    }

    /// Whether the whole batch is in work at once: a worker's scratch then keeps it from one pass to the next.
    pub(crate) fn is_one_chunk(&self) -> bool {
        self.cut.places() == 1 && self.cut.samples() <= self.chunk
    }

    /// Checks that batch normalization finds a mean and a variance in every panel.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for a batch of which some panel holds a single sample.
    pub(super) fn check_groups(&self, generator: Option<&NetworkSpec>, discriminator: &NetworkSpec) -> Result<()> {
        let mut networks = generator.into_iter().chain([discriminator]);
        if !networks.any(|spec| spec.has(Normalization::Batch)) {
            return Ok(());
        }
        let chunks = (0..self.cut.places()).flat_map(|place| self.chunks(self.cut.slot(place)));
        let is_alone = |chunk: Chunk| (0..chunk.panels.count).any(|panel| chunk.valid(panel) < 2);
        if chunks.into_iter().any(is_alone) {
            let samples = self.cut.samples();
            let problem = format!(
                "{samples} leaves a single sample in a group of batch normalization, and of one sample nothing would be left; take \
                 a larger batch or fewer shards"
            );
            return Err(Error::setting("batch", problem));
        }
        Ok(())
    }

    /// Bytes of everything that a run of these networks keeps, with the `intake` bytes that real samples are taken through.
    pub(crate) fn memory(
        &self,
        generator: Option<&NetworkSpec>,
        discriminator: &NetworkSpec,
        tape: &TapeLayout,
        intake: u64,
    ) -> u64 {
        let networks = generator.into_iter().chain([discriminator]);
        // Values and the states of any optimizer, and a gradient for each slot.
        let arenas = (1 + MOST_STATES + self.cut.slots()) as u64;
        let floats = networks
            .map(|spec| (ParameterLayout::new(spec).len() as u64).saturating_mul(arenas))
            .fold(0, u64::saturating_add);
        let scratch = tape.bytes().saturating_mul(self.scratches() as u64);
        // The numbers from 0 to the batch.
        let rows = (self.cut.samples() as u64).saturating_mul(self.packing as u64);
        // Fakes from outside have a gradient each, which the slots keep.
        let fake_gradients = match generator {
            Some(_) => 0,
            None => (self.cut.samples() as u64).saturating_mul(discriminator.inputs() as u64),
        };
        let values = floats.saturating_add(rows).saturating_add(fake_gradients);
        values.saturating_mul(size_of::<f32>() as u64).saturating_add(scratch).saturating_add(intake)
    }

    /// Checks [`Self::memory`] against a limit, or the machine.
    ///
    /// # Errors
    ///
    /// As [`memory::check`].
    pub(crate) fn check_memory(
        &self,
        generator: Option<&NetworkSpec>,
        discriminator: &NetworkSpec,
        tape: &TapeLayout,
        intake: u64,
        limit: Option<u64>,
    ) -> Result<()> {
        memory::check(self.memory(generator, discriminator, tape, intake), limit)
    }

    /// The plan in numbers.
    pub(crate) fn summary(&self, memory: u64, products_per_step: u64) -> PlanSummary {
        PlanSummary {
            schedule: match self.schedule {
                Schedule::Serial => "serial",
                Schedule::TileParallel => "tile-parallel",
                Schedule::LayerParallel => "layer-parallel",
            },
            panel_width: self.panel_width,
            chunk: self.chunk,
            shards: self.cut.shards(),
            slots: self.cut.slots(),
            threads: self.threads,
            memory,
            products_per_step,
        }
    }
}

/// Most samples of a tile: [`TILE_WIDTH`], or more where the activations and gradients of more still fit [`TILE_BYTES`].
fn tile_width(generator: Option<&NetworkSpec>, discriminator: &NetworkSpec) -> usize {
    let sum = |spec: &NetworkSpec| spec.widths().sum::<usize>();
    // D's panels hold real samples beside the fakes, and so do the gradients, of which there are two regions.
    let floats = generator.map_or(0, sum) + 2 * sum(discriminator) + 4 * widest(generator, discriminator);
    let lanes = TILE_BYTES / (floats * size_of::<f32>());
    (lanes / TILE_WIDTH * TILE_WIDTH).max(TILE_WIDTH)
}

/// The panel width of the layer-parallel schedule: of [`WIDE_PANELS`] the first that leaves the fewest lanes empty.
pub(super) fn wide_panel(batch: usize) -> usize {
    let [narrowest, ..] = WIDE_PANELS;
    if batch <= narrowest {
        return batch.next_multiple_of(LANE_GROUP);
    }
    WIDE_PANELS.into_iter().min_by_key(|width| batch.next_multiple_of(*width)).unwrap_or(narrowest)
}

/// The widest region that a gradient passes through.
pub(crate) fn widest(generator: Option<&NetworkSpec>, discriminator: &NetworkSpec) -> usize {
    generator.into_iter().chain([discriminator]).flat_map(NetworkSpec::widths).max().unwrap_or(0)
}

/// How a run is laid out: what [`fmt::Display`] prints on request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanSummary {
    /// `tile-parallel`, `layer-parallel` or `serial`.
    pub schedule: &'static str,
    /// Samples side by side in a panel of G.
    pub panel_width: usize,
    /// Samples in work at once (for each worker, if tile-parallel).
    pub chunk: usize,
    /// Shards of the batch.
    pub shards: usize,
    /// Gradient slots of all shards.
    pub slots: usize,
    /// Worker threads that have work.
    pub threads: usize,
    /// Bytes of parameters, optimizer moments, gradients, workspace, the order of the samples, and a step's samples where they are not
    /// in memory; not those of the data.
    pub memory: u64,
    /// Matrix products of one step, a weight gradient's counted for each panel: the calls of `sgemm` that the matrixmultiply engine
    /// makes.
    pub products_per_step: u64,
}

impl fmt::Display for PlanSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {} thread{}, panels of {} samples, chunks of {}, {}{} gradient slot{}, {:.1} MiB, {} products a step",
            self.schedule,
            self.threads,
            if self.threads == 1 { "" } else { "s" },
            self.panel_width,
            self.chunk,
            if self.shards == 1 { String::new() } else { format!("{} shards, ", self.shards) },
            self.slots,
            if self.slots == 1 { "" } else { "s" },
            self.memory as f64 / (1024.0 * 1024.0),
            self.products_per_step
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::presets::Preset;

    fn plan(preset: Preset, batch: usize, shards: usize, threads: usize) -> Plan {
        let spec = preset.spec();
        let (isa, batch) = (Isa::best(), Cut::new(batch, shards).unwrap());
        Plan::new(Some(&spec.generator), &spec.discriminator, (batch, 1), threads, EngineKind::default(), isa)
    }

    #[test]
    fn chunks_cover_every_batch_once() {
        for preset in [Preset::Circle, Preset::Mnist] {
            let batches = (1..400).chain([1_000, 4_096, 65_536, 65_537]);
            for (batch, shards) in batches.flat_map(|batch| [1, 2, 8].map(|shards| (batch, shards))) {
                if shards > batch {
                    continue;
                }
                let plan = plan(preset, batch, shards, 2);
                let slots = (0..plan.cut.places()).map(|place| plan.cut.slot(place));
                let chunks: Vec<Chunk> = slots.flat_map(|slot| plan.chunks(slot)).collect();
                let mut next = 0;
                for chunk in chunks {
                    assert_eq!(chunk.first, next, "{preset:?} {batch}");
                    assert!(chunk.panels.lanes() <= plan.chunk.next_multiple_of(chunk.panels.width));
                    assert!(chunk.panels.width.is_multiple_of(LANE_GROUP));
                    let valid: usize = (0..chunk.panels.count).map(|panel| chunk.valid(panel)).sum();
                    assert_eq!(valid, chunk.samples, "{preset:?} {batch}");
                    next += chunk.samples;
                }
                assert_eq!(next, batch, "{preset:?}");
            }
        }
    }

    #[test]
    fn what_results_depend_on_does_not_depend_on_threads() {
        for &preset in Preset::ALL {
            for (batch, shards) in [(1, 1), (32, 1), (32, 4), (100, 1), (1_024, 2), (5_000, 1), (5_000, 16)] {
                let one = plan(preset, batch, shards, 1);
                for threads in 2..5 {
                    let many = plan(preset, batch, shards, threads);
                    let shape = |plan: &Plan| (plan.panel_width, plan.chunk, plan.cut);
                    assert_eq!(shape(&one), shape(&many));
                }
            }
        }
    }
}
