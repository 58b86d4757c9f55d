//! Which real samples a step takes.
//!
//! The samples of a finite source are read as an endless sequence of epochs, each a permutation of all of them (or all of them in
//! order): every batch is full, and every sample comes once an epoch, also where the batch does not divide the number of samples. Those
//! of an endless source come in the order of their numbers, and so do the draws of one that chooses its samples itself.

use rand_core::Rng;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::source::{Extent, Numbers};
use super::streams::Stream;
use crate::error::{Error, Result};
use crate::memory;

/// The sequence of samples.
#[derive(Debug)]
pub(super) struct Batches {
    extent: Extent,
    /// The permutation of an epoch; empty where samples come by the numbers of draws.
    order: Vec<u32>,
    /// The epoch of that permutation.
    epoch: Option<u64>,
    shuffle: bool,
    seed: u64,
    /// Samples taken so far.
    drawn: u64,
    /// Samples of a batch.
    batch: usize,
    /// Samples of a step.
    of_step: usize,
    /// Their numbers; empty where samples come by the numbers of draws.
    rows: Vec<u32>,
}

impl Batches {
    /// Steps that take `batches` batches of `batch` samples each, once [`take_memory`](Self::take_memory) has made room for their numbers.
    pub(super) fn new(extent: Extent, batch: usize, batches: usize, shuffle: bool, seed: u64) -> Result<Self> {
        if batch == 0 {
            return Err(Error::setting("batch", "must be at least 1"));
        }
        if let Extent::Finite(samples) | Extent::Chosen(samples) = extent
            && batch as u64 > samples
        {
            if samples == 0 {
                return Err(Error::setting("data", "there is no sample to train on"));
            }
            let problem = format!("{batch} is more than the data have samples; use at most {samples}");
            return Err(Error::setting("batch", problem));
        }
        let Some(of_step) = batch.checked_mul(batches).filter(|&samples| u32::try_from(samples).is_ok()) else {
            return Err(Error::setting("batch", format!("{batches} of {batch} samples are more than 2^32 - 1")));
        };
        if let Extent::Finite(samples) = extent
            && u32::try_from(samples).is_err()
        {
            return Err(Error::setting("data", format!("{samples} samples are more than 2^32 - 1")));
        }
        let (order, rows) = (Vec::new(), Vec::new());
        Ok(Self { extent, order, epoch: None, shuffle, seed, drawn: 0, batch, of_step, rows })
    }

    /// Takes the memory that [`bytes`](Self::bytes) tells of.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(super) fn take_memory(&mut self) -> Result<()> {
        if let Extent::Finite(samples) = self.extent {
            // What the rows hold is overwritten before it is read. Both numbers were checked.
            (self.order, self.rows) = (numbers_below(samples as u32)?, numbers_below(self.of_step as u32)?);
        }
        Ok(())
    }

    /// Samples of a step.
    pub(super) fn of_step(&self) -> usize {
        self.of_step
    }

    /// Samples of `batches` batches.
    pub(super) fn samples(&self, batches: usize) -> usize {
        batches * self.batch
    }

    /// What batches are drawn from.
    pub(super) fn extent(&self) -> Extent {
        self.extent
    }

    /// Bytes that this keeps.
    pub(super) fn bytes(&self) -> u64 {
        match self.extent {
            Extent::Endless | Extent::Chosen(_) => 0,
            Extent::Finite(samples) => (samples + self.of_step as u64) * size_of::<u32>() as u64,
        }
    }

    /// The samples of the next `batches` batches, at most as many as a step has. Drawn again before [`advance`](Self::advance), they are
    /// the same.
    pub(super) fn draw(&mut self, batches: usize) -> Numbers<'_> {
        let count = self.samples(batches);
        if matches!(self.extent, Extent::Endless | Extent::Chosen(_)) {
            return Numbers::From(self.drawn);
        }
        let (samples, mut drawn) = (self.order.len(), self.drawn);
        let mut rows = &mut self.rows[..count];
        while !rows.is_empty() {
            let (epoch, position) = (drawn / samples as u64, (drawn % samples as u64) as usize);
            if self.shuffle && self.epoch != Some(epoch) {
                permute(&mut self.order, self.seed, epoch);
                self.epoch = Some(epoch);
            }
            let count = rows.len().min(samples - position);
            let (now, later) = rows.split_at_mut(count);
            now.copy_from_slice(&self.order[position..position + count]);
            drawn += count as u64;
            rows = later;
        }
        Numbers::Listed(&self.rows[..count])
    }

    /// The numbers that [`draw`](Self::draw) gave last, for as many batches.
    pub(super) fn rows(&self, batches: usize) -> &[u32] {
        &self.rows[..self.samples(batches)]
    }

    /// Goes on behind the next `batches` batches.
    pub(super) fn advance(&mut self, batches: usize) {
        self.drawn += self.samples(batches) as u64;
    }

    /// Samples taken so far.
    pub(super) fn drawn(&self) -> u64 {
        self.drawn
    }

    /// Goes on as if `drawn` samples had been taken.
    pub(super) fn resume(&mut self, drawn: u64) {
        self.drawn = drawn;
    }
}

/// The numbers from 0 to `count`; memory that the system refuses is an error.
pub(super) fn numbers_below(count: u32) -> Result<Vec<u32>> {
    let mut numbers = memory::room(count as usize)?;
    numbers.extend(0..count);
    Ok(numbers)
}

/// Makes `order` the permutation of an epoch: Fisher and Yates's shuffle (Knuth, TAOCP 2, algorithm 3.4.2P) of the identity, so
/// that it depends on seed and epoch alone. An index below n is the upper half of a 32-bit random number times n (Lemire 2019,
/// without the rejection: the bias is below n / 2^32).
fn permute(order: &mut [u32], seed: u64, epoch: u64) {
    for (index, entry) in order.iter_mut().enumerate() {
        *entry = index as u32;
    }
    let [a, b, c, d] = Stream::Shuffle.key(seed, epoch).state(0);
    let mut bytes = [0; 32];
    for (word, value) in [a, b, c, d, b ^ c, c ^ d, d ^ a, !a].into_iter().enumerate() {
        bytes[4 * word..4 * word + 4].copy_from_slice(&value.to_le_bytes());
    }
    let mut generator = Xoshiro256PlusPlus::from_seed(bytes);
    for last in (1..order.len()).rev() {
        let random = generator.next_u64() >> 32;
        let chosen = (random * (last as u64 + 1)) >> 32;
        order.swap(last, chosen as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first `count` samples drawn.
    fn draw(samples: usize, batch: usize, shuffle: bool, seed: u64, count: usize) -> Vec<u32> {
        let mut batches = Batches::new(samples.into(), batch, 1, shuffle, seed).unwrap();
        batches.take_memory().unwrap();
        let mut drawn = Vec::new();
        while drawn.len() < count {
            batches.draw(1);
            drawn.extend_from_slice(batches.rows(1));
            batches.advance(1);
        }
        drawn.truncate(count);
        drawn
    }

    #[test]
    fn every_epoch_holds_every_sample_once() {
        for batch in [1, 3, 7, 10] {
            let drawn = draw(10, batch, true, 4, 50);
            for epoch in drawn.chunks(10) {
                let mut sorted = epoch.to_vec();
                sorted.sort_unstable();
                assert_eq!(sorted, (0..10).collect::<Vec<u32>>(), "batch {batch}");
            }
            assert_ne!(drawn[..10], drawn[10..20], "epochs differ");
            assert_eq!(drawn, draw(10, 1, true, 4, 50), "the batch does not change the sequence");
        }
        assert_ne!(draw(10, 2, true, 4, 20), draw(10, 2, true, 5, 20), "seeds differ");
    }

    #[test]
    fn batches_go_on_from_anywhere() {
        for (batch, shuffle) in [(1, true), (3, true), (10, true), (7, false)] {
            let drawn = draw(10, batch, shuffle, 4, 210);
            for position in (0..100).step_by(batch) {
                let mut batches = Batches::new(10.into(), batch, 1, shuffle, 4).unwrap();
                batches.take_memory().unwrap();
                // What was drawn before leaves nothing behind.
                batches.draw(1);
                batches.advance(1);
                batches.resume(position as u64);
                for expected in drawn[position..position + 10 * batch].chunks(batch) {
                    // What was not taken is drawn again.
                    for _ in 0..2 {
                        batches.draw(1);
                        assert_eq!(batches.rows(1), expected, "batch {batch}, position {position}");
                    }
                    batches.advance(1);
                }
                assert_eq!(batches.drawn(), (position + 10 * batch) as u64);
            }
        }
    }

    #[test]
    fn several_batches_of_a_step_are_those_of_several_steps() {
        let drawn = draw(10, 3, true, 4, 90);
        let mut batches = Batches::new(10.into(), 3, 5, true, 4).unwrap();
        batches.take_memory().unwrap();
        for expected in drawn.chunks(15).take(4) {
            batches.draw(5);
            assert_eq!(batches.rows(5), expected);
            batches.advance(5);
        }
        // A turn alone takes one of them.
        for expected in drawn[60..].chunks(3) {
            batches.draw(1);
            assert_eq!(batches.rows(1), expected);
            batches.advance(1);
        }
    }

    #[test]
    fn endless_and_chosen_samples_come_by_the_numbers_of_draws() {
        for extent in [Extent::Endless, Extent::Chosen(5)] {
            let mut batches = Batches::new(extent, 3, 2, true, 4).unwrap();
            batches.take_memory().unwrap();
            for first in [0, 6, 12] {
                assert!(matches!(batches.draw(2), Numbers::From(number) if number == first));
                batches.advance(2);
            }
            assert_eq!((batches.drawn(), batches.bytes()), (18, 0));
        }
    }

    #[test]
    fn unshuffled_data_come_in_order() {
        assert_eq!(draw(4, 3, false, 1, 9), [0, 1, 2, 3, 0, 1, 2, 3, 0]);
    }

    #[test]
    fn places_are_uniform() {
        // Each sample comes first in a 50th of 20,000 epochs: 400 times, s.d. 19.8.
        let mut first = [0u32; 50];
        for epoch in 0..20_000 {
            let mut order = vec![0; 50];
            permute(&mut order, 9, epoch);
            first[order[0] as usize] += 1;
        }
        assert!(first.iter().all(|count| (300..500).contains(count)), "{first:?}");
    }

    #[test]
    fn impossible_batches_are_refused() {
        assert!(Batches::new(10.into(), 0, 1, true, 0).unwrap_err().to_string().contains("at least 1"));
        assert!(Batches::new(10.into(), 11, 1, true, 0).unwrap_err().to_string().contains("at most 10"));
        assert!(Batches::new(0.into(), 1, 1, true, 0).unwrap_err().to_string().contains("no sample"));
        assert!(Batches::new(Extent::Chosen(10), 11, 1, true, 0).unwrap_err().to_string().contains("at most 10"));
        let error = Batches::new(Extent::Endless, 1 << 30, 5, true, 0).unwrap_err().to_string();
        assert!(error.contains("5 of 1073741824 samples"), "{error}");
    }
}
