//! The tape: what a pass leaves for later ones, values and gradients, in one block of memory whose regions are planned by lifetime.
//!
//! Whoever compiles a sequence of operations walks through it with a [`TapePlan`]: it asks for a [`Value`] where one comes about, and
//! says where it is used. Values that never live at once may share memory. Two gradients that change places from layer to layer are
//! what comes of it where nothing has to be kept.

use std::ops::Range;

use crate::error::Result;
use crate::memory::{AlignedBuffer, ArenaLayout};

/// Values left free behind each region, five cache lines. Regions are often whole multiples of 4 KiB long: an operation would read and
/// write at addresses whose low 12 bits are equal, which x86 takes for a load from a store that is still on its way (2 % of a step of
/// `gaussian2d`).
pub(crate) const STAGGER: usize = 80;

/// A matrix `[features, lanes]` on the tape, in panels: `[panel][feature][sample]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value(usize);

/// What is known of a value while its place is planned.
#[derive(Clone, Debug)]
struct Life {
    features: usize,
    len: usize,
    /// The moments of its making and of its last use.
    moments: Range<usize>,
}

/// A tape whose regions are being planned.
#[derive(Clone, Debug, Default)]
pub(crate) struct TapePlan {
    lives: Vec<Life>,
    now: usize,
}

impl TapePlan {
    /// A value of `features` features for at most `lanes` lanes that the operation at hand makes.
    pub(crate) fn make(&mut self, features: usize, lanes: usize) -> Value {
        let len = features.saturating_mul(lanes);
        self.lives.push(Life { features, len, moments: self.now..self.now + 1 });
        Value(self.lives.len() - 1)
    }

    /// The operation at hand uses `value`.
    pub(crate) fn uses(&mut self, value: Value) {
        self.lives[value.0].moments.end = self.now + 1;
    }

    /// Goes on to the next operation.
    pub(crate) fn advance(&mut self) {
        self.now += 1;
    }

    /// Gives every value its place: the lowest that no value has that lives at the same time.
    pub(crate) fn place(self) -> TapeLayout {
        let mut placed: Vec<(Range<usize>, Range<usize>)> = Vec::new();
        let mut len = 0_usize;
        let regions = self.lives.into_iter().map(|Life { features, len: own, moments }| {
            let mut beside: Vec<Range<usize>> = placed
                .iter()
                .filter(|(_, other)| other.start < moments.end && moments.start < other.end)
                .map(|(region, _)| region.clone())
                .collect();
            beside.sort_unstable_by_key(|region| region.start);
            // Regions begin on cache lines, and so do the gaps between them.
            let rounded = ArenaLayout::whole_lines(own.saturating_add(STAGGER));
            let mut start = 0_usize;
            for region in beside {
                if start.saturating_add(rounded) <= region.start {
                    break;
                }
                start = start.max(region.end);
            }
            let region = start..start.saturating_add(rounded);
            len = len.max(region.end);
            placed.push((region, moments));
            Region { start, features }
        });
        let regions = regions.collect();
        TapeLayout { regions, len }
    }
}

/// A value's place.
#[derive(Clone, Copy, Debug)]
struct Region {
    start: usize,
    features: usize,
}

/// A planned tape.
#[derive(Clone, Debug)]
pub(crate) struct TapeLayout {
    regions: Vec<Region>,
    len: usize,
}

impl TapeLayout {
    /// Bytes of a tape.
    pub(crate) fn bytes(&self) -> u64 {
        (self.len as u64).saturating_mul(size_of::<f32>() as u64)
    }

    /// Features of a value.
    pub(crate) fn features(&self, value: Value) -> usize {
        self.regions[value.0].features
    }
}

/// A tape in use. What its regions hold at first is zero.
#[derive(Debug)]
pub(crate) struct Tape {
    layout: TapeLayout,
    buffer: AlignedBuffer,
}

impl Tape {
    /// Memory for a planned tape.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfMemory`].
    pub(crate) fn new(layout: &TapeLayout) -> Result<Self> {
        Ok(Self { layout: layout.clone(), buffer: AlignedBuffer::zeroed(layout.len)? })
    }

    /// A value of `lanes` lanes.
    pub(crate) fn get(&self, value: Value, lanes: usize) -> &[f32] {
        &self.buffer[self.range(value, lanes)]
    }

    /// The same, to be written.
    pub(crate) fn get_mut(&mut self, value: Value, lanes: usize) -> &mut [f32] {
        let range = self.range(value, lanes);
        &mut self.buffer[range]
    }

    /// Several values that live at once, each with its lanes.
    ///
    /// # Panics
    ///
    /// If two of them share memory: they were not planned to live at once.
    pub(crate) fn several<const N: usize>(&mut self, values: [(Value, usize); N]) -> [&mut [f32]; N] {
        let ranges = values.map(|(value, lanes)| self.range(value, lanes));
        match self.buffer.get_disjoint_mut(ranges) {
            Ok(values) => values,
            Err(problem) => panic!("values that live at once stand apart: {problem}"),
        }
    }

    /// Whether a value of `lanes` lanes is finite.
    pub(crate) fn is_finite(&self, value: Value, lanes: usize) -> bool {
        self.get(value, lanes).iter().all(|value| value.is_finite())
    }

    fn range(&self, value: Value, lanes: usize) -> Range<usize> {
        let Region { start, features } = self.layout.regions[value.0];
        start..start + features * lanes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_that_replace_each_other_change_places() {
        let mut plan = TapePlan::default();
        let kept = plan.make(3, 16);
        let mut current = plan.make(2, 16);
        let mut values = vec![current];
        for _ in 0..4 {
            plan.advance();
            plan.uses(current);
            current = plan.make(2, 16);
            values.push(current);
        }
        plan.uses(kept);
        let layout = plan.place();
        let starts: Vec<usize> = values.iter().map(|value| layout.regions[value.0].start).collect();
        let (one, other) = (48 + STAGGER, 48 + STAGGER + 32 + STAGGER);
        assert_eq!(starts, [one, other, one, other, one]);
        assert_eq!(layout.len, other + 32 + STAGGER);
    }

    /// Whatever the lifetimes, values that live at once stand apart, and begin on cache lines.
    #[test]
    fn values_that_live_at_once_stand_apart() {
        let mut state = 1u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % below
        };
        for _ in 0..200 {
            let mut plan = TapePlan::default();
            let mut values = Vec::new();
            for _ in 0..30 {
                values.push(plan.make(random(9), 16 * (1 + random(3))));
                for _ in 0..random(4) {
                    plan.uses(values[random(values.len())]);
                }
                plan.advance();
            }
            let lives = plan.lives.clone();
            let layout = plan.place();
            let region = |index: usize| {
                let start = layout.regions[index].start;
                assert!(start.is_multiple_of(16));
                start..start + lives[index].len
            };
            for first in 0..values.len() {
                for second in 0..first {
                    let (one, two) = (&lives[first].moments, &lives[second].moments);
                    let at_once = one.start < two.end && two.start < one.end;
                    let (one, two) = (region(first), region(second));
                    assert!(!at_once || one.end <= two.start || two.end <= one.start, "{one:?} {two:?}");
                    assert!(one.end.max(two.end) <= layout.len);
                }
            }
        }
    }
}
