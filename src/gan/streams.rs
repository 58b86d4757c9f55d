//! The streams of random numbers of a run. Each number depends on the run's seed, the step, the stream and the sample alone.
//!
//! Streams of one seed and step never meet: a key is a bijection of the stream's number (each round of
//! [`StreamKey::new`](crate::kernel::noise::StreamKey::new) adds it and mixes, which both can be undone). Nor do streams of one
//! purpose and step of two seeds, for the same reason. Where seed and purpose both differ, keys of 128 bits are as good as drawn
//! by chance from 2^64 of them; a test compares those of many neighbors.

use crate::kernel::noise::StreamKey;

/// What a stream is for: whatever draws from a seed has a purpose of its own here. The discriminants are part of what a seed means: they
/// never change.
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
    /// Latents of samples that somebody asks for.
    Sample = 9,
    /// The order of the data.
    Shuffle = 10,
    /// Latents of the samples that a run is measured by.
    #[cfg_attr(not(feature = "internals"), allow(dead_code, reason = "the program alone draws them"))]
    Measures = 11,
    /// Latents of the samples in pictures and tables of a run.
    #[cfg_attr(not(feature = "internals"), allow(dead_code, reason = "the program alone draws them"))]
    Pictures = 12,
    /// Latents of the samples that the health of a run is told from.
    Health = 13,
    /// The directions along which those are compared with the data.
    HealthDirections = 14,
    /// Where between a real sample and a fake the gradient penalty looks.
    Interpolation = 15,
    /// Dropout of D there.
    KeepBetween = 16,
    /// Dropout of D on real samples in G's step.
    KeepGeneratorReal = 17,
    /// Instance noise on the real samples of D's step.
    NoiseReal = 18,
    /// That on the fakes of D's step.
    NoiseFake = 19,
    /// That where the gradient penalty looks.
    NoiseBetween = 20,
    /// That on the fakes of G's step.
    NoiseGeneratorStep = 21,
    /// That on the real samples of G's step.
    NoiseGeneratorReal = 22,
    /// Initial parameters of a dense network of its own.
    DenseParameters = 23,
    /// Dropout of such a network.
    DenseKeeps = 24,
    /// Which class and which of its samples a draw of balanced data is; its step is the number of the draw.
    Balance = 25,
}

impl Stream {
    /// The stream's key at `step`.
    pub(crate) fn key(self, seed: u64, step: u64) -> StreamKey {
        StreamKey::new(seed, step, self as u64)
    }

    /// Whether its numbers are counted by turns of G; those of the other streams of a step are by turns of D.
    pub(super) fn is_of_generator(self) -> bool {
        matches!(
            self,
            Self::GeneratorLatents
                | Self::GeneratorKeeps
                | Self::KeepGeneratorStep
                | Self::KeepGeneratorReal
                | Self::NoiseGeneratorStep
                | Self::NoiseGeneratorReal
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The purposes outside of a step, and those whose step counts from 0 too.
    const STREAMS: [Stream; 26] = [
        Stream::GeneratorParameters,
        Stream::DiscriminatorParameters,
        Stream::DiscriminatorLatents,
        Stream::GeneratorLatents,
        Stream::KeepReal,
        Stream::KeepFake,
        Stream::KeepGeneratorStep,
        Stream::GeneratorKeepsFake,
        Stream::GeneratorKeeps,
        Stream::Sample,
        Stream::Shuffle,
        Stream::Measures,
        Stream::Pictures,
        Stream::Health,
        Stream::HealthDirections,
        Stream::Interpolation,
        Stream::KeepBetween,
        Stream::KeepGeneratorReal,
        Stream::NoiseReal,
        Stream::NoiseFake,
        Stream::NoiseBetween,
        Stream::NoiseGeneratorStep,
        Stream::NoiseGeneratorReal,
        Stream::DenseParameters,
        Stream::DenseKeeps,
        Stream::Balance,
    ];

    #[test]
    fn no_two_streams_of_many_seeds_meet() {
        // The numbers are a part of what a seed means.
        assert!(STREAMS.iter().enumerate().all(|(number, stream)| *stream as usize == number));
        let mut met = HashSet::new();
        // Those of replicas, which have neighboring seeds; and a few steps of each.
        let seeds = (0..10_000)
            .chain(u64::MAX - 1_000..=u64::MAX)
            .chain((0..64).map(|bit| 1 << bit).filter(|&seed| seed >= 10_000));
        for seed in seeds {
            for stream in STREAMS {
                for step in 0..3 {
                    assert!(met.insert(stream.key(seed, step).0), "{stream:?}, seed {seed}, step {step}");
                }
            }
        }
    }
}
