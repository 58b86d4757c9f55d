//! What the passes of a turn read, and a chunk of its samples in work.

use super::{Program, Rows};
use crate::gan::given::GivenStep;
use crate::gan::objective::Objective;
use crate::gan::penalties::Penalties;
use crate::gan::plan::{Chunk, Plan};
use crate::gan::source::InMemory;
use crate::gan::streams::Stream;
use crate::kernel::noise;
use crate::net::panels::{Panels, Part, PartKeeps};
use crate::net::tape::Value;
use crate::parallel::Ahead;

/// What all passes of a turn read.
#[derive(Clone, Copy)]
pub(in crate::gan) struct Context<'a> {
    pub(in crate::gan) plan: &'a Plan,
    pub(in crate::gan) program: &'a Program,
    pub(in crate::gan) objective: Objective,
    pub(in crate::gan) penalties: Penalties,
    /// What the target of real samples is less than 1.
    pub(in crate::gan) label_smoothing: f32,
    /// The standard deviation of what is added to the samples that D judges.
    pub(in crate::gan) noise: f32,
    pub(in crate::gan) draws: Draws<'a>,
    pub(in crate::gan) reals: Reals<'a>,
    /// What comes from outside, `[batch, features]`, row-major: fakes, or the gradient with respect to G's; empty where nothing does.
    pub(in crate::gan) outside: &'a [f32],
    /// Whether losses are computed.
    pub(in crate::gan) report: bool,
    /// The numbers of the batch's samples: the rows of a matrix handed in.
    pub(in crate::gan) identity: &'a [u32],
    /// What adds gradients over all processes that share the batch while passes go on, those of G and D; `None` if nothing does.
    pub(in crate::gan) ahead: Option<&'a Ahead>,
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
    pub(super) fn key(&self, stream: Stream) -> noise::StreamKey {
        let number = if stream.is_of_generator() { self.generator_turns } else { self.discriminator_turns };
        stream.key(self.seed, number)
    }

    /// Dropout by a stream in the turn at hand.
    pub(super) fn keeps(&self, stream: Stream) -> PartKeeps<'a> {
        match self.given.and_then(|given| given.keeps(stream)) {
            Some(keeps) => PartKeeps::Given(keeps),
            None => PartKeeps::Drawn(self.key(stream)),
        }
    }
}

/// A chunk in work.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) chunk: Chunk,
}

/// The panels that hold these rows of a chunk.
pub(super) fn panels_of(chunk: Chunk, rows: Rows) -> Panels {
    match rows {
        Rows::Pairs => chunk.paired(),
        Rows::Fakes | Rows::Reals | Rows::Between => chunk.panels,
    }
}

impl<'a> Work<'a> {
    /// Features of a value.
    pub(super) fn features(&self, value: Value) -> usize {
        self.context.program.tape.features(value)
    }

    /// The panels of G.
    pub(super) fn generated(&self) -> Panels {
        self.chunk.generated(self.context.program.packing)
    }

    /// The first sample of panel `panel` of G, or of such a panel of real ones. The samples in one place of all packs of the batch come one
    /// after the other, and those in the next place behind them.
    pub(super) fn first_sample(&self, panel: usize) -> usize {
        let Self { context, chunk } = self;
        let (place, panel) = (panel / chunk.panels.count, panel % chunk.panels.count);
        place * context.plan.cut.samples() + chunk.first + panel * chunk.panels.width
    }

    /// The rows of a matrix `[batch, ..]` that panel `panel` of G holds, or such a panel of real samples; of a matrix of packs, what panel
    /// `panel` of D holds.
    pub(super) fn rows(&self, panel: usize) -> &'a [u32] {
        &self.context.identity[self.first_sample(panel)..][..self.generated().valid(panel)]
    }

    /// A part of D's or G's panels.
    pub(super) fn part(&self, keeps: Stream) -> Part<'a> {
        Part {
            first_sample: self.chunk.first,
            of_block: self.chunk.panels.count,
            between_blocks: self.context.plan.cut.samples(),
            keeps: self.context.draws.keeps(keeps),
        }
    }
}
