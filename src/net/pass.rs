//! What passes of one network over panels of samples have in common, and the forward pass.
//!
//! A pass is a sequence of phases, one for each product of each layer. A phase is cut into row blocks of panels, which the
//! team shares; every sum lies within one row, so that results do not depend on the cut. With a serial team and one block a
//! panel, the same code is a task of the tile-parallel schedule.

use std::ops::Range;

use super::parameters::ParameterLayout;
use super::spec::{LayerSpec, NetworkSpec};
use crate::error::Result;
use crate::gemm::{Engine, Forward, Lanes};
use crate::kernel::activation::Activation;
use crate::kernel::dropout::{DROPOUT_FEATURES, Dropout, DropoutPart, Keeps};
use crate::kernel::noise::StreamKey;
use crate::memory::{AlignedBuffer, ArenaLayout};
use crate::parallel::{BlockedChunks, Team};
use crate::simd::{Isa, LANE_GROUP};

/// Panels in work at once: `count` blocks of `width` samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Panels {
    pub(crate) count: usize,
    /// A multiple of [`LANE_GROUP`] for each part.
    pub(crate) width: usize,
    /// Parts of equal width that stand side by side in a panel: 2 where real samples stand beside fakes, else 1.
    pub(crate) parts: usize,
    /// Samples of each part, over all panels; the lanes behind them are padding.
    pub(crate) samples: usize,
}

impl Panels {
    /// Lanes of all panels.
    pub(crate) fn lanes(self) -> usize {
        self.count * self.width
    }

    /// Which lanes hold samples.
    pub(super) fn occupancy(self) -> Lanes {
        Lanes { panels: self.count, width: self.width, parts: self.parts, samples: self.samples }
    }
}

/// A network whose parameters are fixed during a pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NetworkView<'a> {
    pub(crate) spec: &'a NetworkSpec,
    pub(crate) layout: &'a ParameterLayout,
    pub(crate) parameters: &'a [f32],
}

impl NetworkView<'_> {
    /// The activation that makes the network's output.
    pub(crate) fn output_activation(&self) -> Activation {
        self.spec.layers.last().map_or(Activation::Linear, |layer| layer.activation)
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
    fn row_block(&self, rows: usize, panels: usize, unit: usize) -> usize {
        let blocks = self.tasks.div_ceil(panels).max(1);
        rows.div_ceil(blocks).next_multiple_of(unit)
    }

    /// Rows of a block of a layer's outputs.
    fn output_block(&self, layer: &LayerSpec, panels: usize) -> usize {
        // A dropout stream begins at a multiple of DROPOUT_FEATURES, so every block does.
        let unit = if layer.dropout > 0.0 { DROPOUT_FEATURES } else { ROW_UNIT };
        self.row_block(layer.outputs, panels, unit)
    }

    /// Rows of a block of a layer's weight gradient.
    pub(super) fn weight_block(&self, layer: &LayerSpec) -> usize {
        self.row_block(layer.outputs, 1, ROW_UNIT)
    }

    /// Rows of a block of the gradient with respect to a layer's inputs.
    pub(super) fn input_block(&self, layer: &LayerSpec, panels: usize) -> usize {
        self.row_block(layer.inputs, panels, ROW_UNIT)
    }
}

/// Blocks of fewer rows are not worth a task.
const ROW_UNIT: usize = 16;

/// The activations of a network for the panels in work: its input, then each layer's output.
#[derive(Debug)]
pub(crate) struct Activations {
    buffer: AlignedBuffer,
    regions: Vec<Range<usize>>,
}

impl Activations {
    /// Bytes for `lanes` samples of a network with these widths (see [`NetworkSpec::widths`]).
    pub(crate) fn bytes(widths: impl Iterator<Item = usize>, lanes: usize) -> u64 {
        Self::layout(widths, lanes).0.bytes()
    }

    /// Room for `lanes` samples. A lone width makes room for an input without layers.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfMemory`].
    pub(crate) fn new(widths: impl Iterator<Item = usize>, lanes: usize) -> Result<Self> {
        let (arena, regions) = Self::layout(widths, lanes);
        Ok(Self { buffer: AlignedBuffer::zeroed(arena.len())?, regions })
    }

    fn layout(widths: impl Iterator<Item = usize>, lanes: usize) -> (ArenaLayout, Vec<Range<usize>>) {
        let mut arena = ArenaLayout::default();
        let regions = widths.map(|features| arena.reserve(features.saturating_mul(lanes))).collect();
        (arena, regions)
    }

    /// The first `len` values of the network's input (`layer` 0) or of layer `layer - 1`'s output.
    pub(crate) fn region(&self, layer: usize, len: usize) -> &[f32] {
        &self.buffer[self.regions[layer].clone()][..len]
    }

    /// The network's layers.
    pub(crate) fn layers(&self) -> usize {
        self.regions.len() - 1
    }

    /// The first region, as [`Self::region`] counts them, with a value that is not finite.
    pub(crate) fn first_not_finite(&self) -> Option<usize> {
        self.regions.iter().position(|region| self.buffer[region.clone()].iter().any(|value| !value.is_finite()))
    }

    /// The network's input, to be filled: `[panel][feature][sample]`.
    pub(crate) fn input_mut(&mut self, len: usize) -> &mut [f32] {
        &mut self.buffer[self.regions[0].clone()][..len]
    }

    /// The output of the last layer.
    pub(crate) fn output(&self, len: usize) -> &[f32] {
        self.region(self.regions.len() - 1, len)
    }

    /// The output of the last layer, to be changed in place.
    pub(crate) fn output_mut(&mut self, len: usize) -> &mut [f32] {
        let last = self.regions.len() - 1;
        &mut self.buffer[self.regions[last].clone()][..len]
    }

    /// The input of layer `layer`, and room for its output.
    fn input_and_output(&mut self, layer: usize, input: usize, output: usize) -> (&[f32], &mut [f32]) {
        let (before, after) = self.buffer.split_at_mut(self.regions[layer + 1].start);
        (&before[self.regions[layer].clone()][..input], &mut after[..output])
    }
}

/// The gradients with respect to one layer's pre-activations and the next one's: they change places from layer to layer.
#[derive(Debug)]
pub(crate) struct Deltas {
    buffer: AlignedBuffer,
    half: usize,
    /// Whether the current gradient stands in the second half.
    second: bool,
}

impl Deltas {
    fn layout(widest: usize, lanes: usize) -> ArenaLayout {
        let mut arena = ArenaLayout::default();
        arena.reserve(widest.saturating_mul(lanes));
        arena.reserve(widest.saturating_mul(lanes));
        arena
    }

    /// Bytes for `lanes` samples of at most `widest` features.
    pub(crate) fn bytes(widest: usize, lanes: usize) -> u64 {
        Self::layout(widest, lanes).bytes()
    }

    /// Room for `lanes` samples of at most `widest` features.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfMemory`].
    pub(crate) fn new(widest: usize, lanes: usize) -> Result<Self> {
        let buffer = AlignedBuffer::zeroed(Self::layout(widest, lanes).len())?;
        let half = buffer.len() / 2;
        Ok(Self { buffer, half, second: false })
    }

    /// The current gradient.
    pub(crate) fn current(&mut self, len: usize) -> &mut [f32] {
        let start = if self.second { self.half } else { 0 };
        &mut self.buffer[start..start + len]
    }

    /// The current gradient and room for the next one.
    pub(crate) fn current_and_next(&mut self, current: usize, next: usize) -> (&[f32], &mut [f32]) {
        let (first, second) = self.buffer.split_at_mut(self.half);
        if self.second { (&second[..current], &mut first[..next]) } else { (&first[..current], &mut second[..next]) }
    }

    /// Makes the next gradient the current one.
    pub(crate) fn advance(&mut self) {
        self.second = !self.second;
    }
}

/// The samples that a part of every panel holds, and where their dropout keeps come from. A panel has one or two such parts
/// of equal width; part `p` of panel `k` holds the samples from `first_sample + k * part width` on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    /// The sample that the part's first lane in the first panel holds.
    pub(crate) first_sample: usize,
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

/// Most parts of a panel: real and fake.
const MOST_PARTS: usize = 2;

impl<'a> Part<'a> {
    fn of_layer(&self, layer: usize, outputs: usize, panel: usize, lanes: Range<usize>) -> DropoutPart<'a> {
        let keeps = match self.keeps {
            PartKeeps::Drawn(key) => Keeps::Drawn(key.block(layer)),
            PartKeeps::Given(layers) => {
                Keeps::Given { keeps: layers.get(layer).copied().flatten().unwrap_or(&[]), features: outputs }
            }
        };
        DropoutPart { first_sample: self.first_sample + panel * lanes.len(), lanes, keeps }
    }
}

/// Computes all layers' outputs from the network's input. `parts` empty: no dropout, as when samples are made for show.
pub(crate) fn forward(
    team: &Team<'_>,
    plan: &PassPlan,
    network: NetworkView<'_>,
    panels: Panels,
    parts: &[Part<'_>],
    activations: &mut Activations,
) {
    debug_assert!(parts.len() <= MOST_PARTS && panels.width.is_multiple_of(LANE_GROUP * parts.len().max(1)));
    let width = panels.width;
    for (index, layer) in network.spec.layers.iter().enumerate() {
        let place = network.layout.layer(index);
        let (weights, biases) = (&network.parameters[place.weight.clone()], &network.parameters[place.bias.clone()]);
        let (inputs, outputs) = (layer.inputs, layer.outputs);
        let (input, output) = activations.input_and_output(index, inputs * panels.lanes(), outputs * panels.lanes());
        let row_block = plan.output_block(layer, panels.count);
        let blocks = BlockedChunks::new(output, outputs * width, row_block * width);
        team.for_each(blocks, |(panel, block, output)| {
            let first = block * row_block;
            let rows = first..first + output.len() / width;
            let part_width = width / parts.len().max(1);
            let drawn = (layer.dropout > 0.0 && !parts.is_empty()).then(|| {
                // A lone part stands in both places of the array; only as many as there are parts are used.
                std::array::from_fn::<_, MOST_PARTS, _>(|number| {
                    let number = number.min(parts.len() - 1);
                    parts[number].of_layer(index, outputs, panel, number * part_width..(number + 1) * part_width)
                })
            });
            let product = Forward {
                weights: &weights[rows.start * place.stride..rows.end * place.stride],
                stride: place.stride,
                bias: &biases[rows.clone()],
                input: &input[panel * inputs * width..][..inputs * width],
                output,
                width,
                activation: layer.activation,
                dropout: drawn.as_ref().map(|drawn| Dropout {
                    probability: layer.dropout,
                    first_feature: first,
                    parts: &drawn[..parts.len()],
                }),
            };
            plan.engine.forward(plan.isa, product);
        });
    }
}

/// Products that [`forward`] computes.
pub(crate) fn forward_products(plan: &PassPlan, spec: &NetworkSpec, panels: usize) -> u64 {
    let blocks = |layer: &LayerSpec| layer.outputs.div_ceil(plan.output_block(layer, panels));
    spec.layers.iter().map(|layer| (blocks(layer) * panels) as u64).sum()
}
