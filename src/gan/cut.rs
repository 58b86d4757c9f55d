//! How a batch is cut: into shards, and each shard into slots, whose sums are added in one binary tree.
//!
//! ```text
//! batch     samples 0 ..................................................... 99
//! shards    0 .................... 49             50 ..................... 99     as even as can be
//! slots     0 .. 31  32 .. 49                     50 .. 81  82 .. 99              each adds up gradients and losses, in order
//! tree         \      /                              \      /
//!               shard 0 ---------------\ /------------ shard 1
//! ```
//!
//! A shard is a subtree: whoever works on its samples alone comes to the same sums as whoever works on the whole batch. The number of
//! shards is a power of two and a setting, for it decides how the sums are rounded; the number of threads decides nothing.

use std::ops::Range;

use crate::error::{Error, Result};

/// Most shards of a batch.
pub(super) const MOST_SHARDS: usize = 1024;

/// The samples of a step, cut into shards and slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    samples: usize,
    shards: usize,
    /// Places for slots of a shard, a power of two; the last ones may be empty.
    places: usize,
    /// Samples of a slot; a shard's last one may have fewer.
    slot_samples: usize,
    /// The first of this process's shards, and the one behind the last.
    own: [usize; 2],
}

impl Cut {
    /// `samples` samples in `shards` shards, each of which is one slot.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] unless `shards` is a power of two, at most [`MOST_SHARDS`] and the number of samples.
    pub(super) fn new(samples: usize, shards: usize) -> Result<Self> {
        let problem = |problem: String| Err(Error::setting("shards", problem));
        if !shards.is_power_of_two() || shards > MOST_SHARDS {
            return problem(format!("{shards} is not a power of two from 1 to {MOST_SHARDS}"));
        }
        if shards > samples {
            return problem(format!("{shards} are more than a batch has samples; use at most {samples}"));
        }
        Ok(Self { samples, shards, places: 1, slot_samples: samples.div_ceil(shards), own: [0, shards] })
    }

    /// The same batch, of which this process works on these shards alone.
    pub(super) fn shared(self, own: Range<usize>) -> Self {
        Self { own: [own.start, own.end], ..self }
    }

    /// The same shards in slots of `slot_samples` samples.
    pub(super) fn with_slots_of(self, slot_samples: usize) -> Self {
        let places = self.largest_shard().div_ceil(slot_samples).next_power_of_two();
        Self { places, slot_samples, ..self }
    }

    /// The samples of the batch.
    pub(super) fn samples(&self) -> usize {
        self.samples
    }

    /// The number of shards.
    pub(super) fn shards(&self) -> usize {
        self.shards
    }

    /// Samples of the largest shard.
    pub(super) fn largest_shard(&self) -> usize {
        self.samples.div_ceil(self.shards)
    }

    /// Where shard `shard` begins. The product stays below 2^42: a batch has less than 2^32 samples.
    fn shard_start(&self, shard: usize) -> usize {
        (shard as u64 * self.samples as u64 / self.shards as u64) as usize
    }

    /// Places for slots in the whole batch.
    pub(super) fn places(&self) -> usize {
        self.shards * self.places
    }

    /// The places of this process: all of them, where the batch is not shared.
    pub(super) fn own_places(&self) -> Range<usize> {
        let [first, end] = self.own;
        first * self.places..end * self.places
    }

    /// Where the samples of this process end.
    pub(super) fn own_end(&self) -> usize {
        let [_, end] = self.own;
        self.shard_start(end)
    }

    /// Slots of this process that have samples.
    pub(super) fn slots(&self) -> usize {
        self.own_places().filter(|place| !self.slot(*place).is_empty()).count()
    }

    /// The samples of the slot at `place`: none where it is empty.
    pub(super) fn slot(&self, place: usize) -> Range<usize> {
        let (shard, index) = (place / self.places, place % self.places);
        let end = self.shard_start(shard + 1);
        let start = (self.shard_start(shard) + index * self.slot_samples).min(end);
        start..(start + self.slot_samples).min(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_cover_the_batch_once_and_shards_are_even() {
        for samples in (1..300).chain([1_000, 4_097, 65_537]) {
            for shards in [1, 2, 4, 8, 64].into_iter().filter(|shards| *shards <= samples) {
                for slot_samples in [1, 7, 16, 128, 1_000] {
                    let cut = Cut::new(samples, shards).unwrap().with_slots_of(slot_samples);
                    let mut next = 0;
                    for shard in 0..shards {
                        let before = next;
                        for place in shard * cut.places..(shard + 1) * cut.places {
                            let range = cut.slot(place);
                            assert!(range.is_empty() || range.start == next, "{samples} {shards} {slot_samples}");
                            next += range.len();
                        }
                        let len = next - before;
                        assert!(len == samples / shards || len == samples.div_ceil(shards), "{len} of {samples}");
                    }
                    assert_eq!(next, samples);
                    assert!(cut.slots() <= cut.places());
                }
            }
        }
    }

    #[test]
    fn only_a_power_of_two_that_leaves_no_shard_empty_is_taken() {
        for (samples, shards) in [(100, 0), (100, 3), (100, 12), (100, 128), (1, 2), (1 << 20, 2 * MOST_SHARDS)] {
            let problem = Cut::new(samples, shards).unwrap_err().to_string();
            assert!(problem.contains("shards") && problem.contains(&shards.to_string()), "{problem}");
        }
        for (samples, shards) in [(1, 1), (100, 64), (128, 128), (1 << 31, MOST_SHARDS)] {
            assert!(Cut::new(samples, shards).is_ok(), "{samples} {shards}");
        }
    }
}
