//! The distinct texts of a column and how often each is there, in bounded memory.
//!
//! Where there are too many, the rarest are forgotten, as in lossy counting (Manku and Motwani, 2002), and a HyperLogLog sketch (Flajolet
//! and others, 2007) estimates how many there are.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

/// Longer texts are no categories.
pub(crate) const MAX_TEXT: usize = 256;
/// Bits of a hash that choose a register: 4096 of them estimate to 1.6 %.
const REGISTER_BITS: u32 = 12;
/// The beginning of hashes. Who knows it can slow a table down, but not take memory.
const SEED: u64 = 0x6761_6e6e_6574;

/// The distinct texts of a column.
#[derive(Clone, Debug)]
pub(crate) struct Distinct {
    counts: HashMap<Box<str>, u64, FixedState>,
    /// Most texts that are remembered.
    limit: usize,
    /// Bytes of these texts.
    bytes: usize,
    /// An estimate of their number, once some were forgotten or too long.
    sketch: Option<Box<[u8]>>,
}

impl Distinct {
    /// None yet; at most `limit` will be remembered.
    pub(crate) fn new(limit: usize) -> Self {
        Self { counts: HashMap::with_hasher(FixedState::with_seed(SEED)), limit, bytes: 0, sketch: None }
    }

    /// Takes a text; the bytes of memory that it took, before others were forgotten for it.
    pub(crate) fn add(&mut self, text: &str) -> usize {
        if let Some(count) = self.counts.get_mut(text) {
            *count += 1;
            return 0;
        }
        if self.sketch.is_some() {
            self.estimate(text);
        }
        let mut taken = 0;
        if text.len() > MAX_TEXT {
            taken += self.begin_sketch();
            self.estimate(text);
            return taken;
        }
        if self.counts.len() >= self.limit {
            taken += self.begin_sketch();
            self.estimate(text);
            self.forget();
        }
        self.counts.insert(text.into(), 1);
        self.bytes += text.len();
        taken + text.len() + ENTRY
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        match &self.sketch {
            None => self.counts.len() as u64,
            Some(sketch) => estimate(sketch).max(self.counts.len() as u64),
        }
    }

    /// Bytes of memory of all that is remembered.
    pub(crate) fn memory(&self) -> usize {
        self.bytes + self.counts.len() * ENTRY + self.sketch.as_ref().map_or(0, |sketch| sketch.len())
    }

    /// Whether all are remembered, with their counts.
    pub(crate) fn is_complete(&self) -> bool {
        self.sketch.is_none()
    }

    /// Those that are remembered, the most frequent first, and of equal ones by their text.
    pub(crate) fn by_count(&self) -> Vec<(&str, u64)> {
        let mut all: Vec<(&str, u64)> = self.counts.iter().map(|(text, count)| (&**text, *count)).collect();
        all.sort_unstable_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        all
    }

    /// Begins to estimate with all that are remembered; the bytes that it took.
    fn begin_sketch(&mut self) -> usize {
        if self.sketch.is_some() {
            return 0;
        }
        let mut sketch = vec![0; 1 << REGISTER_BITS].into_boxed_slice();
        self.counts.keys().for_each(|text| register(&mut sketch, self.counts.hasher().hash_one(&**text)));
        self.sketch = Some(sketch);
        1 << REGISTER_BITS
    }

    fn estimate(&mut self, text: &str) {
        let hash = self.counts.hasher().hash_one(text);
        if let Some(sketch) = &mut self.sketch {
            register(sketch, hash);
        }
    }

    /// Forgets the rarer half.
    fn forget(&mut self) {
        let mut counts: Vec<u64> = self.counts.values().copied().collect();
        let middle = counts.len() / 2;
        let (_, &mut bar, _) = counts.select_nth_unstable(middle);
        self.counts.retain(|_, count| *count > bar);
        self.bytes = self.counts.keys().map(|text| text.len()).sum();
    }
}

/// Bytes of a text in the table beside its letters.
const ENTRY: usize = 48;

/// Enters a hash into a sketch.
fn register(sketch: &mut [u8], hash: u64) {
    let rank = (hash << REGISTER_BITS).leading_zeros().min(64 - REGISTER_BITS) + 1;
    if let Some(register) = sketch.get_mut((hash >> (64 - REGISTER_BITS)) as usize) {
        *register = (*register).max(rank as u8);
    }
}

/// The number of texts that a sketch stands for.
fn estimate(sketch: &[u8]) -> u64 {
    let registers = sketch.len() as f64;
    let sum: f64 = sketch.iter().map(|&rank| (-f64::from(rank)).exp2()).sum();
    // The constant for 128 registers and more.
    let raw = 0.7213 / (1.0 + 1.079 / registers) * registers * registers / sum;
    let empty = sketch.iter().filter(|&&rank| rank == 0).count() as f64;
    let count = if raw <= 2.5 * registers && empty > 0.0 { registers * (registers / empty).ln() } else { raw };
    count.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_counted_exactly() {
        let mut distinct = Distinct::new(10);
        for text in ["b", "a", "b", "c", "b", "a"] {
            distinct.add(text);
        }
        assert_eq!(distinct.by_count(), [("b", 3), ("a", 2), ("c", 1)]);
        assert!(distinct.is_complete() && distinct.len() == 3);
    }

    #[test]
    fn many_take_bounded_memory_and_frequent_ones_stay() {
        let mut distinct = Distinct::new(1000);
        for index in 0..300_000u32 {
            distinct.add(&format!("rare {index}"));
            distinct.add(["often", "more often"][usize::from(index % 3 > 0)]);
        }
        assert!(!distinct.is_complete() && distinct.counts.len() <= 1000 && distinct.memory() < 100_000);
        let estimate = distinct.len() as f64;
        assert!((estimate / 300_002.0 - 1.0).abs() < 0.06, "{estimate}");
        assert_eq!(&distinct.by_count()[..2], [("more often", 200_000), ("often", 100_000)]);
    }

    #[test]
    fn long_texts_are_estimated_only() {
        let mut distinct = Distinct::new(10);
        for index in 0..5 {
            distinct.add(&format!("{index}{}", "x".repeat(MAX_TEXT)));
        }
        assert_eq!((distinct.len(), distinct.counts.len()), (5, 0));
    }
}
