//! The streams of random numbers of a run. Each number depends on the run's seed, the step, the stream and the sample alone.

use crate::kernel::noise::StreamKey;

/// What a stream is for. The discriminants are part of what a seed means: they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Initial parameters of G.
    GeneratorParameters = 0,
    /// Initial parameters of D.
    DiscriminatorParameters = 1,
    /// Latents of D's step.
    DiscriminatorLatents = 2,
    /// Latents of G's step.
    GeneratorLatents = 3,
    /// Dropout of D on real samples.
    KeepReal = 4,
    /// Dropout of D on fakes, in D's step.
    KeepFake = 5,
    /// Dropout of D in G's step.
    KeepGeneratorStep = 6,
    /// Dropout of G in D's step.
    GeneratorKeepsFake = 7,
    /// Dropout of G in its own step.
    GeneratorKeeps = 8,
    /// Latents of samples made outside of training.
    Sample = 9,
    /// The order of the data.
    Shuffle = 10,
}

impl Stream {
    /// The stream's key at `step`.
    pub(super) fn key(self, seed: u64, step: u64) -> StreamKey {
        StreamKey::new(seed, step, self as u64)
    }

    /// Whether its numbers are counted by turns of G; those of the other streams of a step are by turns of D.
    pub(super) fn is_of_generator(self) -> bool {
        matches!(self, Self::GeneratorLatents | Self::GeneratorKeeps | Self::KeepGeneratorStep)
    }
}
