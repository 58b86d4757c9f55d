//! Plans of one long buffer cut into regions, each of which starts on a cache line.

use std::ops::Range;

use super::ALIGNMENT;
use crate::error::{Error, Result};

/// Regions start on multiples of this many values.
const LINE: usize = ALIGNMENT / size_of::<f32>();

/// The plan of an arena: regions are reserved first, then one [`AlignedBuffer`](super::AlignedBuffer) of [`len`](Self::len)
/// values holds them all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArenaLayout {
    len: usize,
}

impl ArenaLayout {
    /// A plan without regions.
    pub const fn new() -> Self {
        Self { len: 0 }
    }

    /// Reserves a region of `len` values behind all earlier ones and returns its place in the arena. The region starts on
    /// a cache line and is rounded up to whole lines; the padding belongs to nobody and stays zero.
    ///
    /// A plan that exceeds `usize` saturates: no system grants an arena of its length, so that the error comes when the
    /// buffer is taken.
    pub const fn reserve(&mut self, len: usize) -> Range<usize> {
        let start = self.len;
        let end = start.saturating_add(len);
        self.len = match end.checked_next_multiple_of(LINE) {
            Some(rounded) => rounded,
            None => usize::MAX,
        };
        start..end
    }

    /// Values that the arena needs, padding included.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was reserved.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that the arena needs.
    pub const fn bytes(&self) -> u64 {
        (self.len as u64).saturating_mul(size_of::<f32>() as u64)
    }
}

/// Hands out the regions of an arena as disjoint mutable slices, in ascending order and without allocating.
#[derive(Debug)]
pub struct ArenaViews<'a> {
    rest: &'a mut [f32],
    /// Where `rest` begins in the arena.
    start: usize,
}

impl<'a> ArenaViews<'a> {
    /// Views of the arena `values`.
    pub const fn new(values: &'a mut [f32]) -> Self {
        Self { rest: values, start: 0 }
    }

    /// The region `range`, which must begin at or behind the end of the region taken before.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] if the region overlaps an earlier one or ends behind the arena; then nothing is taken.
    pub fn take(&mut self, range: Range<usize>) -> Result<&'a mut [f32]> {
        let end = self.start + self.rest.len();
        if range.start < self.start || range.end < range.start || range.end > end {
            return Err(Error::shape(
                "region of an arena",
                format!("a range within {}..{end}", self.start),
                format!("{range:?}"),
            ));
        }
        let (taken, rest) = std::mem::take(&mut self.rest).split_at_mut(range.end - self.start);
        let view = &mut taken[range.start - self.start..];
        self.rest = rest;
        self.start = range.end;
        Ok(view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::AlignedBuffer;

    #[test]
    fn regions_start_on_cache_lines_and_do_not_overlap() {
        let mut layout = ArenaLayout::new();
        assert!(layout.is_empty());
        let regions = [0, 1, 16, 17, 0, 33].map(|len| (len, layout.reserve(len)));
        let mut end = 0;
        for (len, region) in &regions {
            assert_eq!(region.len(), *len);
            assert!(region.start.is_multiple_of(16) && region.start >= end, "{regions:?}");
            end = region.end;
        }
        assert_eq!(layout.len(), 16 + 16 + 32 + 48);
        assert_eq!(layout.bytes(), 4 * 112);
    }

    #[test]
    fn a_plan_beyond_the_address_space_is_refused_when_taken() {
        let mut layout = ArenaLayout::new();
        layout.reserve(usize::MAX - 3);
        layout.reserve(100);
        assert_eq!(layout.len(), usize::MAX);
        assert!(matches!(AlignedBuffer::zeroed(layout.len()), Err(Error::OutOfMemory { .. })));
    }

    #[test]
    fn views_are_the_regions() {
        let mut layout = ArenaLayout::new();
        let regions = [5, 0, 20, 1].map(|len| layout.reserve(len));
        let mut arena = AlignedBuffer::zeroed(layout.len()).unwrap();
        let mut views = ArenaViews::new(&mut arena);
        let taken = regions.clone().map(|region| views.take(region).unwrap());
        for (number, view) in taken.into_iter().enumerate() {
            view.fill(number as f32 + 1.0);
        }
        for (index, &value) in arena.iter().enumerate() {
            let owner = regions.iter().position(|region| region.contains(&index));
            assert_eq!(value, owner.map_or(0.0, |number| number as f32 + 1.0));
        }
    }

    #[test]
    fn wrong_regions_are_errors_and_take_nothing() {
        let mut arena = [0.0; 32];
        let mut views = ArenaViews::new(&mut arena);
        assert_eq!(views.take(8..16).unwrap().len(), 8);
        #[expect(clippy::reversed_empty_ranges, reason = "the case under test")]
        for wrong in [0..4, 15..17, 16..33, 20..18, 40..41, 0..usize::MAX] {
            assert!(matches!(views.take(wrong), Err(Error::Shape { .. })));
        }
        assert_eq!(views.take(16..32).unwrap().len(), 16);
        assert_eq!(views.take(32..32).unwrap().len(), 0);
    }
}
