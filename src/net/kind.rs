//! What operations a layer is made of.

use super::spec::{LayerSpec, Normalization};

/// A kind of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The product of a layer's weights, with whatever no other operation of the layer does.
    Dense,
    /// What normalizes that sample by sample, with biases, activation and dropout.
    LayerNorm,
    /// The same feature by feature.
    BatchNorm,
    /// The softmax of groups of what a layer without normalization makes.
    Softmax,
}

impl LayerSpec {
    /// The kinds of the layer's operations, in their order.
    pub(crate) fn operations(&self) -> &'static [Kind] {
        match self.normalization {
            _ if !self.softmax.is_empty() => &[Kind::Dense, Kind::Softmax],
            Normalization::None | Normalization::Spectral => &[Kind::Dense],
            Normalization::Layer => &[Kind::Dense, Kind::LayerNorm],
            Normalization::Batch => &[Kind::Dense, Kind::BatchNorm],
        }
    }
}
