//! Panels: how the samples in work stand in memory, and how a phase over them is cut into tasks.
//!
//! A phase is one product of one layer over all panels. It is cut into row blocks of panels, which the team shares; every sum lies
//! within one row, so that results do not depend on the cut. With a serial team and one block a panel, the same code is a task of
//! the tile-parallel schedule.

use std::ops::Range;

use crate::gemm::{Engine, Lanes};
use crate::kernel::dropout::{DropoutPart, Keeps};
use crate::kernel::noise::StreamKey;
use crate::parallel::{BlockedChunks, Chunks, Team};
use crate::simd::Isa;

/// Blocks of fewer rows are not worth a task.
pub(super) const ROW_UNIT: usize = 16;

/// Most parts of a panel: real and fake.
pub(super) const MOST_PARTS: usize = 2;

/// Panels in work at once: `count` blocks of `width` samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Panels {
    pub(crate) count: usize,
    /// A multiple of [`LANE_GROUP`](crate::simd::LANE_GROUP) for each part.
    pub(crate) width: usize,
    /// Parts of equal width that stand side by side in a panel: 2 where real samples stand beside fakes, else 1.
    pub(crate) parts: usize,
    /// Blocks of as many panels, one after the other, which are filled alike: more than 1 where G makes the samples of packs.
    pub(crate) blocks: usize,
    /// Samples of each part, over all panels of a block; the lanes behind them are padding.
    pub(crate) samples: usize,
}

impl Panels {
    /// One full panel of `width` samples.
    pub(crate) fn one(width: usize) -> Self {
        Self { count: 1, width, parts: 1, blocks: 1, samples: width }
    }

    /// Lanes of all panels.
    pub(crate) fn lanes(self) -> usize {
        self.count * self.width
    }

    /// Panels of a block.
    pub(crate) fn of_block(self) -> usize {
        self.count / self.blocks
    }

    /// How many lanes of each part of panel `panel` hold samples.
    pub(crate) fn valid(self, panel: usize) -> usize {
        let of_part = self.width / self.parts;
        self.samples.saturating_sub(panel % self.of_block() * of_part).min(of_part)
    }

    /// Which lanes hold samples. Of several blocks, all do as far as sums over lanes go: those without one add zeros.
    pub(super) fn occupancy(self) -> Lanes {
        let lanes = self.lanes() / self.parts;
        let samples = if self.blocks == 1 { self.samples } else { lanes };
        Lanes { panels: self.count, width: self.width, parts: self.parts, samples }
    }
}

/// How a pass is computed.
#[derive(Clone, Copy)]
pub(crate) struct PassPlan {
    pub(crate) isa: Isa,
    pub(crate) engine: &'static dyn Engine,
    /// Tasks that a phase should have at least, over all panels: row blocks are chosen so.
    pub(crate) tasks: usize,
}

impl PassPlan {
    /// Rows of a block, for a phase whose result has `rows` rows in each of `panels` panels. Blocks begin at multiples of `unit`.
    pub(super) fn row_block(&self, rows: usize, panels: usize, unit: usize) -> usize {
        let blocks = self.tasks.div_ceil(panels).max(1);
        rows.div_ceil(blocks).next_multiple_of(unit)
    }

    /// How many blocks that makes.
    pub(super) fn blocks(&self, rows: usize, panels: usize, unit: usize) -> usize {
        rows.div_ceil(self.row_block(rows, panels, unit))
    }
}

/// A pass in work: who computes it, how, and over which panels.
#[derive(Clone, Copy)]
pub(crate) struct PassContext<'a> {
    pub(crate) team: &'a Team<'a>,
    pub(crate) plan: &'a PassPlan,
    pub(crate) panels: Panels,
}

impl PassContext<'_> {
    /// One phase: calls `task` with the panel, the rows of it and the values of each block of `output`, which has `rows` rows in each
    /// panel. Blocks begin at multiples of `unit`.
    pub(super) fn for_each_block(
        &self,
        (rows, unit): (usize, usize),
        output: &mut [f32],
        task: impl Fn(usize, Range<usize>, &mut [f32]) + Sync,
    ) {
        let Self { team, plan, panels } = *self;
        if panels.count == 1 && plan.tasks == 1 {
            return task(0, 0..rows, output);
        }
        let of_block = plan.row_block(rows, panels.count, unit);
        let blocks = BlockedChunks::new(output, rows * panels.width, of_block * panels.width);
        team.for_each(blocks, |(panel, index, values)| {
            let first = index * of_block;
            task(panel, first..rows.min(first + of_block), values);
        });
    }

    /// One phase: calls `task` with each panel and its values of `output`, which has `rows` rows in each.
    pub(crate) fn for_each_panel(&self, rows: usize, output: &mut [f32], task: impl Fn(usize, &mut [f32]) + Sync) {
        let Self { team, panels, .. } = *self;
        if panels.count == 1 {
            return task(0, output);
        }
        team.for_each((0..panels.count, Chunks::new(output, rows * panels.width)), |(panel, values)| {
            task(panel, values)
        });
    }
}

/// The samples that a part of every panel holds, and where their dropout keeps come from. A panel has one or two such parts
/// of equal width; part `p` of panel `k` of a block holds the samples from `first_sample + k * part width` on, and `between_blocks` more
/// for each block before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    /// The sample that the part's first lane in the first panel holds.
    pub(crate) first_sample: usize,
    /// Panels of a block.
    pub(crate) of_block: usize,
    /// From a sample to that in its place in the next block.
    pub(crate) between_blocks: usize,
    /// Keeps.
    pub(crate) keeps: PartKeeps<'a>,
}

/// Where the dropout keeps of a part come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PartKeeps<'a> {
    /// Drawn; layer `l` uses the stream `key.block(l)`.
    Drawn(StreamKey),
    /// Given, for each layer `[samples, outputs]`; a layer without dropout has none.
    Given(&'a [Option<&'a [u8]>]),
}

impl<'a> Part<'a> {
    /// The part of panels of one block whose numbers are drawn from `key`.
    pub(crate) fn drawn(key: StreamKey, first_sample: usize) -> Self {
        Self { first_sample, of_block: usize::MAX, between_blocks: 0, keeps: PartKeeps::Drawn(key) }
    }

    /// All `parts` of panel `panel`, which stand side by side in its `width` lanes, as a layer needs them that has this number and so many
    /// outputs. Only as many as there are parts count.
    pub(super) fn all_of_layer(
        parts: &[Self],
        (layer, outputs): (usize, usize),
        panel: usize,
        width: usize,
    ) -> [DropoutPart<'a>; MOST_PARTS] {
        let of_part = width / parts.len();
        std::array::from_fn(|number| {
            let number = number.min(parts.len() - 1);
            parts[number].of_layer(layer, outputs, panel, number * of_part..(number + 1) * of_part)
        })
    }

    /// The part in panel `panel`, where it takes the lanes `lanes`, as layer `layer` with `outputs` outputs needs it.
    fn of_layer(self, layer: usize, outputs: usize, panel: usize, lanes: Range<usize>) -> DropoutPart<'a> {
        let keeps = match self.keeps {
            PartKeeps::Drawn(key) => Keeps::Drawn(key.block(layer)),
            PartKeeps::Given(layers) => {
                Keeps::Given { keeps: layers.get(layer).copied().flatten().unwrap_or(&[]), features: outputs }
            }
        };
        let (block, panel) = (panel / self.of_block, panel % self.of_block);
        let first_sample = self.first_sample + block * self.between_blocks + panel * lanes.len();
        DropoutPart { first_sample, lanes, keeps }
    }
}

/// The factors of the samples, in the last row of a value on the tape.
#[derive(Clone, Copy)]
pub(super) struct Factors<'a> {
    pub(super) values: &'a [f32],
    pub(super) panels: Panels,
}

impl<'a> Factors<'a> {
    /// Those of the samples of a panel.
    pub(super) fn of_panel(self, panel: usize) -> &'a [f32] {
        let Panels { count, width, .. } = self.panels;
        let of_panel = self.values.len() / count;
        &self.values[(panel + 1) * of_panel - width..][..width]
    }
}
