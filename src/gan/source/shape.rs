//! What a source says about itself before it is read.

use std::fmt;

/// How many samples a source has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// So many, with numbers from 0. The trainer takes at most 2^32 - 1.
    Finite(u64),
    /// So many, of which the source itself chooses those that come: it is asked for the numbers of draws, 0, 1, 2 ... without end, and
    /// not for the numbers of samples. An epoch is as many draws as there are samples, and nothing is shuffled.
    Chosen(u64),
    /// There is always another one. Batches come in the order of their numbers; no epoch ends, and nothing is shuffled.
    Endless,
}

impl From<usize> for Extent {
    fn from(samples: usize) -> Self {
        Self::Finite(samples as u64)
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finite(samples) | Self::Chosen(samples) => samples.fmt(formatter),
            Self::Endless => formatter.write_str("endless"),
        }
    }
}

/// What a source has to offer: features, samples, and how it may be asked for them. Whatever sources will be able to tell beyond that
/// (labels, for instance) becomes another method here.
///
/// ```
/// use gannet::gan::source::{Extent, Shape};
///
/// let shape = Shape::new(2, 1_000).concurrent();
/// assert_eq!((shape.features(), shape.extent()), (2, Extent::Finite(1_000)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    features: usize,
    extent: Extent,
    concurrent: bool,
}

impl Shape {
    /// `extent` samples of `features` features each.
    pub fn new(features: usize, extent: impl Into<Extent>) -> Self {
        Self { features, extent: extent.into(), concurrent: false }
    }

    /// Lets several threads ask for parts of a batch at once. The order in which they ask is not fixed, so a sample must depend on its
    /// number alone. Without this, samples are asked for by one thread, in their order.
    #[must_use]
    pub fn concurrent(mut self) -> Self {
        self.concurrent = true;
        self
    }

    /// Features of a sample.
    pub fn features(&self) -> usize {
        self.features
    }

    /// How many samples there are.
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// Whether several threads may ask at once.
    pub fn is_concurrent(&self) -> bool {
        self.concurrent
    }
}
