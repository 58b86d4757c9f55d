//! The seed of a run, for what is drawn outside of its steps: measures, pictures and examinations.

use super::streams::Stream;
use super::version_1;
use crate::kernel::noise::StreamKey;

/// How what is drawn outside of steps follows from the seed of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Derivation {
    /// From a stream of its own for each purpose.
    #[default]
    Streams,
    /// From the next seeds, which are those of other runs too. Runs that began so go on so, so that their measures are comparable.
    NextSeeds,
}

/// The seed of a run, and what follows from it.
#[derive(Clone, Copy, Debug)]
pub struct RunSeed {
    /// The seed.
    pub seed: u64,
    /// How what is drawn outside of steps follows from it.
    pub derivation: Derivation,
}

impl RunSeed {
    /// The key of what is drawn for the purpose `stream` outside of steps.
    pub(crate) fn key(self, stream: Stream) -> StreamKey {
        match self.derivation {
            Derivation::Streams => stream.key(self.seed, 0),
            Derivation::NextSeeds => version_1::key(stream, self.seed),
        }
    }
}
