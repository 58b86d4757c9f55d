//! What a phase works on: sources of disjoint items that many threads may take from.
//!
//! Invariant of the unsafe code: a [`Pieces`] has borrowed its slice exclusively, and the pieces cut from it for different
//! items do not overlap. Together with the contract of [`Producer::item`] no two references to one value come about.

use std::marker::PhantomData;
use std::ops::Range;

/// A source of items with indices from 0, any of which may be taken by any thread.
///
/// # Safety
///
/// [`item_count`](Self::item_count) always returns the same number, and it is sound to call [`item`](Self::item) as its
/// contract allows, from several threads at once.
pub unsafe trait Producer: Sync {
    /// What a task works on.
    type Item;

    /// The number of items.
    ///
    /// # Panics
    ///
    /// A tuple panics if its members differ in their number of items.
    fn item_count(&self) -> usize;

    /// The item with this index.
    ///
    /// # Safety
    ///
    /// `index` is below [`item_count`](Self::item_count), and this is the only call with it during the producer's life.
    unsafe fn item(&self, index: usize) -> Self::Item;
}

/// A slice of which disjoint parts go to different threads.
pub(super) struct Pieces<'a, T> {
    start: *mut T,
    len: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: sharing `Pieces` gives out `&mut T` on other threads, which is sending `T`; the contract of `Pieces::range` keeps
// the references apart.
unsafe impl<T: Send> Sync for Pieces<'_, T> {}

impl<'a, T> Pieces<'a, T> {
    pub(super) const fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), len: slice.len(), slice: PhantomData }
    }

    /// The part of the slice that begins at `start` and has `len` elements.
    ///
    /// # Safety
    ///
    /// The part lies within the slice and overlaps no other one in use.
    unsafe fn range(&self, start: usize, len: usize) -> &'a mut [T] {
        debug_assert!(start <= self.len && len <= self.len - start);
        // SAFETY: within the slice, which is borrowed exclusively for `'a`, and apart from all others: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }

    /// The element with this index.
    ///
    /// # Safety
    ///
    /// The index is below the slice's length, and no other reference to the element is in use.
    pub(super) unsafe fn element(&self, index: usize) -> &'a mut T {
        debug_assert!(index < self.len);
        // SAFETY: as for `range`.
        unsafe { &mut *self.start.add(index) }
    }
}

/// The elements of a slice: items `&mut T`.
pub struct Elements<'a, T>(Pieces<'a, T>);

impl<'a, T> Elements<'a, T> {
    /// The elements of `slice`.
    pub const fn new(slice: &'a mut [T]) -> Self {
        Self(Pieces::new(slice))
    }
}

// SAFETY: different indices are different elements.
unsafe impl<'a, T: Send> Producer for Elements<'a, T> {
    type Item = &'a mut T;

    fn item_count(&self) -> usize {
        self.0.len
    }

    unsafe fn item(&self, index: usize) -> &'a mut T {
        // SAFETY: the index is below the length and comes once: the caller's promise.
        unsafe { self.0.element(index) }
    }
}

/// The number of chunks of `chunk_len` elements, the last of which may be shorter. A lone one, as all of a small step are, takes no
/// division.
const fn chunks(len: usize, chunk_len: usize) -> usize {
    if len <= chunk_len { (len > 0) as usize } else { len.div_ceil(chunk_len) }
}

/// A slice cut into chunks of equal length, the last of which may be shorter: items `&mut [T]`.
pub struct Chunks<'a, T> {
    pieces: Pieces<'a, T>,
    chunk_len: usize,
}

impl<'a, T> Chunks<'a, T> {
    /// Chunks of `chunk_len` elements of `slice`.
    ///
    /// # Panics
    ///
    /// If `chunk_len` is 0.
    pub const fn new(slice: &'a mut [T], chunk_len: usize) -> Self {
        assert!(chunk_len > 0, "a chunk has at least one element");
        Self { pieces: Pieces::new(slice), chunk_len }
    }
}

// SAFETY: chunk `index` begins where chunk `index - 1` ends, and the last ends with the slice.
unsafe impl<'a, T: Send> Producer for Chunks<'a, T> {
    type Item = &'a mut [T];

    fn item_count(&self) -> usize {
        chunks(self.pieces.len, self.chunk_len)
    }

    unsafe fn item(&self, index: usize) -> &'a mut [T] {
        let start = index * self.chunk_len;
        // SAFETY: `index` is below the count, so `start` is below the length; each index comes once: the caller's promise.
        unsafe { self.pieces.range(start, self.chunk_len.min(self.pieces.len - start)) }
    }
}

/// Chunks of equal length of several slices side by side, as many as the first slice has: items `[&mut [T]; N]`. Where a slice is
/// shorter than the first, or empty, so are its chunks.
pub struct ChunksOfEach<'a, T, const N: usize> {
    pieces: [Pieces<'a, T>; N],
    chunk_len: usize,
}

impl<'a, T, const N: usize> ChunksOfEach<'a, T, N> {
    /// Chunks of `chunk_len` elements of each slice.
    ///
    /// # Panics
    ///
    /// If `chunk_len` is 0.
    pub fn new(slices: [&'a mut [T]; N], chunk_len: usize) -> Self {
        assert!(chunk_len > 0, "a chunk has at least one element");
        Self { pieces: slices.map(Pieces::new), chunk_len }
    }
}

// SAFETY: in each slice, chunk `index` begins where chunk `index - 1` ends, and none reaches beyond the slice.
unsafe impl<'a, T: Send, const N: usize> Producer for ChunksOfEach<'a, T, N> {
    type Item = [&'a mut [T]; N];

    fn item_count(&self) -> usize {
        self.pieces.first().map_or(0, |first| chunks(first.len, self.chunk_len))
    }

    unsafe fn item(&self, index: usize) -> Self::Item {
        let start = index * self.chunk_len;
        self.pieces.each_ref().map(|pieces| {
            let start = start.min(pieces.len);
            // SAFETY: `start` is at most the length, and each index comes once: the caller's promise.
            unsafe { pieces.range(start, self.chunk_len.min(pieces.len - start)) }
        })
    }
}

/// A slice of consecutive outer parts of equal length, each cut into chunks of equal length, the last of which may be
/// shorter: items `(outer, chunk, &mut [T])`, ordered by `outer`, then by `chunk`.
pub struct BlockedChunks<'a, T> {
    pieces: Pieces<'a, T>,
    outer_len: usize,
    chunk_len: usize,
}

impl<'a, T> BlockedChunks<'a, T> {
    /// `slice` consists of outer parts of `outer_len` elements, each of which is cut into chunks of `chunk_len`.
    ///
    /// # Panics
    ///
    /// If one of the lengths is 0, or if the length of the slice is not a multiple of `outer_len`.
    pub const fn new(slice: &'a mut [T], outer_len: usize, chunk_len: usize) -> Self {
        assert!(outer_len > 0, "an outer part has at least one element");
        assert!(chunk_len > 0, "a chunk has at least one element");
        assert!(slice.len().is_multiple_of(outer_len), "the slice consists of whole outer parts");
        Self { pieces: Pieces::new(slice), outer_len, chunk_len }
    }

    const fn chunks_per_outer(&self) -> usize {
        self.outer_len.div_ceil(self.chunk_len)
    }
}

// SAFETY: outer parts do not overlap, and within one, chunks begin where the one before ends and stay within the part.
unsafe impl<'a, T: Send> Producer for BlockedChunks<'a, T> {
    type Item = (usize, usize, &'a mut [T]);

    fn item_count(&self) -> usize {
        self.pieces.len / self.outer_len * self.chunks_per_outer()
    }

    unsafe fn item(&self, index: usize) -> Self::Item {
        let (outer, chunk) = (index / self.chunks_per_outer(), index % self.chunks_per_outer());
        let start = chunk * self.chunk_len;
        let len = self.chunk_len.min(self.outer_len - start);
        // SAFETY: `outer` is below the number of parts, because `index` is below the count, and `start + len` is at most
        // `outer_len`; each index comes once: the caller's promise.
        (outer, chunk, unsafe { self.pieces.range(outer * self.outer_len + start, len) })
    }
}

// SAFETY: the items are numbers and refer to nothing.
unsafe impl Producer for Range<usize> {
    type Item = usize;

    fn item_count(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    unsafe fn item(&self, index: usize) -> usize {
        self.start + index
    }
}

/// The items of another producer with their indices: items `(usize, P::Item)`.
pub struct Enumerated<P>(pub P);

// SAFETY: each index is passed on unchanged.
unsafe impl<P: Producer> Producer for Enumerated<P> {
    type Item = (usize, P::Item);

    fn item_count(&self) -> usize {
        self.0.item_count()
    }

    unsafe fn item(&self, index: usize) -> Self::Item {
        // SAFETY: the caller's promise, passed on.
        (index, unsafe { self.0.item(index) })
    }
}

/// Tuples go side by side: their items are the tuples of their members' items.
macro_rules! side_by_side {
    ($first:ident $(, $other:ident)+) => {
        // SAFETY: each index is passed on unchanged to members that all have as many items.
        #[allow(non_snake_case, reason = "members are named like their types")]
        unsafe impl<$first: Producer, $($other: Producer),+> Producer for ($first, $($other),+) {
            type Item = ($first::Item, $($other::Item),+);

            fn item_count(&self) -> usize {
                let ($first, $($other),+) = self;
                let count = $first.item_count();
                $(assert_eq!(count, $other.item_count(), "producers side by side have equally many items");)+
                count
            }

            unsafe fn item(&self, index: usize) -> Self::Item {
                let ($first, $($other),+) = self;
                // SAFETY: the caller's promise, passed on; `item_count` checked that it is about every member.
                unsafe { ($first.item(index), $($other.item(index)),+) }
            }
        }
    };
}

side_by_side!(A, B);
side_by_side!(A, B, C);
side_by_side!(A, B, C, D);
side_by_side!(A, B, C, D, E);

#[cfg(test)]
mod tests {
    use super::*;

    /// All items in the order of their indices.
    fn items<P: Producer>(producer: P) -> Vec<P::Item> {
        // SAFETY: each index below the count once.
        (0..producer.item_count()).map(|index| unsafe { producer.item(index) }).collect()
    }

    #[test]
    fn chunks_of_several_slices_go_by_the_first() {
        let (mut one, mut other, mut longer) = ([1, 2, 3, 4, 5], [6, 7, 8], [9; 6]);
        let found = items(ChunksOfEach::new([&mut one[..], &mut other[..], &mut [], &mut longer[..]], 2));
        let found: Vec<[Vec<i32>; 4]> = found.into_iter().map(|item| item.map(|chunk| chunk.to_vec())).collect();
        let chunk = |one: &[i32], other: &[i32], longer: &[i32]| [one.into(), other.into(), vec![], longer.into()];
        let expected = [chunk(&[1, 2], &[6, 7], &[9, 9]), chunk(&[3, 4], &[8], &[9, 9]), chunk(&[5], &[], &[9, 9])];
        assert_eq!(found, expected);
        assert_eq!(items(ChunksOfEach::new([&mut [0; 0][..], &mut one], 2)).len(), 0);
    }

    #[test]
    fn chunks_are_those_of_the_standard_library() {
        for len in 0..20 {
            for chunk_len in 1..=21 {
                let mut values: Vec<_> = (0..len).collect();
                let mut expected = values.clone();
                let expected: Vec<_> = expected.chunks_mut(chunk_len).collect();
                assert_eq!(items(Chunks::new(&mut values, chunk_len)), expected);
            }
        }
    }

    #[test]
    fn blocked_chunks_stay_within_their_outer_part() {
        for outer_count in 0..4 {
            for outer_len in 1..10 {
                for chunk_len in 1..=11 {
                    let mut values: Vec<_> = (0..outer_count * outer_len).collect();
                    let mut copy = values.clone();
                    let mut expected = Vec::new();
                    for (outer, part) in copy.chunks_mut(outer_len).enumerate() {
                        for (chunk, piece) in part.chunks_mut(chunk_len).enumerate() {
                            expected.push((outer, chunk, piece));
                        }
                    }
                    assert_eq!(items(BlockedChunks::new(&mut values, outer_len, chunk_len)), expected);
                }
            }
        }
    }

    #[test]
    fn members_of_a_tuple_go_side_by_side() {
        let (mut letters, mut numbers, mut units) = (*b"abcde", [1, 2, 3], [(); 3]);
        let all = (
            Elements::new(&mut numbers),
            Chunks::new(&mut letters, 2),
            7..10,
            Enumerated(0..3),
            Chunks::new(&mut units, 1),
        );
        let found: Vec<_> =
            items(all).into_iter().map(|(number, letters, i, j, _)| (*number, letters.to_vec(), i, j)).collect();
        assert_eq!(
            found,
            [(1, b"ab".to_vec(), 7, (0, 0)), (2, b"cd".to_vec(), 8, (1, 1)), (3, b"e".to_vec(), 9, (2, 2))]
        );
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "the case under test")]
    fn empty_sources_have_no_items() {
        assert_eq!((5..5).item_count(), 0);
        assert_eq!((5..3).item_count(), 0);
        assert_eq!(Elements::new(&mut [0; 0]).item_count(), 0);
        assert_eq!(Chunks::new(&mut [0; 0], 1).item_count(), 0);
    }

    #[test]
    #[should_panic(expected = "equally many items")]
    fn different_counts_are_refused() {
        (0..3, 0..3, 0..2).item_count();
    }

    #[test]
    #[should_panic(expected = "whole outer parts")]
    fn a_part_of_an_outer_part_is_refused() {
        BlockedChunks::new(&mut [0; 10], 4, 2);
    }

    #[test]
    #[should_panic(expected = "at least one element")]
    fn chunks_of_nothing_are_refused() {
        Chunks::new(&mut [0; 10], 0);
    }
}
