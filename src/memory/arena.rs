//! Plans of one long buffer cut into regions, each of which starts on a cache line.

use std::ops::Range;

use super::ALIGNMENT;

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
        self.len = Self::whole_lines(end);
        start..end
    }

    /// `len` values, rounded up to whole cache lines.
    pub(crate) const fn whole_lines(len: usize) -> usize {
        match len.checked_next_multiple_of(LINE) {
            Some(rounded) => rounded,
            None => usize::MAX,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
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
}
