//! A zeroed, cache-line aligned slice of `f32` whose allocation can fail without ending the process.
//!
//! Large buffers ask for huge pages: kernels read a few lines of each of a thousand rows, and of so many small pages the processor does not
//! keep all addresses at hand (docs/perf/steps.md, "Huge pages, and updates behind the gradient").
//!
//! Invariant of the unsafe code: `start` is aligned to [`ALIGNMENT`] and valid for reads and writes of `len` initialized
//! values; if `len` is not zero, it comes from the global allocator with the layout that [`layout`] gives for `len`, and
//! this buffer is the only owner.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use super::ALIGNMENT;
use crate::error::{Error, Result};

/// A slice of `f32` on the heap that starts on a multiple of [`ALIGNMENT`] bytes.
pub struct AlignedBuffer {
    start: NonNull<f32>,
    len: usize,
}

// SAFETY: the buffer owns its memory exclusively, as `Box<[f32]>` does, and `f32` is `Send`.
unsafe impl Send for AlignedBuffer {}
// SAFETY: a shared buffer gives out `&[f32]` only, and `f32` is `Sync`.
unsafe impl Sync for AlignedBuffer {}

/// A huge page of x86-64, in bytes. Buffers from this size on begin with one.
const HUGE_PAGE: usize = 2 << 20;

/// What `len` values need from the allocator, or `None` if no address space holds them.
fn layout(len: usize) -> Option<Layout> {
    let bytes = len.checked_mul(size_of::<f32>())?;
    Layout::from_size_align(bytes, if bytes < HUGE_PAGE { ALIGNMENT } else { HUGE_PAGE }).ok()
}

/// Zeroed memory with this layout, null where the allocator refuses. Where it begins with a huge page, the system is asked for such pages
/// before the memory is written for the first time.
///
/// # Safety
///
/// The layout's size is not zero.
unsafe fn allocate(layout: Layout) -> *mut u8 {
    if layout.align() < HUGE_PAGE {
        // SAFETY: the caller's promise.
        return unsafe { alloc_zeroed(layout) };
    }
    // SAFETY: the caller's promise.
    let memory = unsafe { alloc(layout) };
    if !memory.is_null() {
        advise_huge_pages(memory, layout.size());
        // SAFETY: the allocator has just given these bytes.
        unsafe { memory.write_bytes(0, layout.size()) };
    }
    memory
}

/// Asks for huge pages. Where there are none, nothing changes but speed.
#[cfg(target_os = "linux")]
fn advise_huge_pages(memory: *mut u8, bytes: usize) {
    // SAFETY: the advice changes no byte, wherever the range lies; the system checks it.
    unsafe { libc::madvise(memory.cast(), bytes, libc::MADV_HUGEPAGE) };
}

/// Other systems choose their pages themselves.
#[cfg(not(target_os = "linux"))]
fn advise_huge_pages(_memory: *mut u8, _bytes: usize) {}

impl AlignedBuffer {
    /// A buffer of `len` zeros. A buffer of length 0 takes no memory.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`] if the allocator refuses, or if `len` values are more than an address space holds.
    pub fn zeroed(len: usize) -> Result<Self> {
        let refused = || Error::OutOfMemory { bytes: (len as u64).saturating_mul(size_of::<f32>() as u64) };
        if len == 0 {
            return Ok(Self::default());
        }
        let layout = layout(len).ok_or_else(refused)?;
        // SAFETY: the layout's size is not zero, because `len` is not.
        let memory = unsafe { allocate(layout) };
        let start = NonNull::new(memory.cast()).ok_or_else(refused)?;
        Ok(Self { start, len })
    }

    /// An aligned address for buffers that own no memory.
    const fn nowhere() -> NonNull<f32> {
        #[repr(align(64))]
        struct Line;
        const { assert!(align_of::<Line>() == ALIGNMENT) };
        NonNull::<Line>::dangling().cast()
    }
}

impl Default for AlignedBuffer {
    /// A buffer of length 0, which takes no memory.
    fn default() -> Self {
        Self { start: Self::nowhere(), len: 0 }
    }
}

impl Drop for AlignedBuffer {
    fn drop(&mut self) {
        if let (1.., Some(layout)) = (self.len, layout(self.len)) {
            // SAFETY: the file's invariant: `start` was allocated with this very layout and is released only here.
            unsafe { dealloc(self.start.as_ptr().cast(), layout) };
        }
    }
}

impl Deref for AlignedBuffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: the file's invariant: `len` initialized values; `&self` keeps writers away.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl DerefMut for AlignedBuffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: the file's invariant: `len` initialized values; `&mut self` keeps everybody else away.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl fmt::Debug for AlignedBuffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AlignedBuffer").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn is_aligned_zeroed_and_writable() {
        for len in [0, 1, 15, 16, 17, 1000, 65_537] {
            let mut buffer = AlignedBuffer::zeroed(len).unwrap();
            assert_eq!(buffer.len(), len);
            assert!(buffer.as_ptr().addr().is_multiple_of(ALIGNMENT));
            assert!(buffer.iter().all(|value| value.to_bits() == 0));
            for (index, value) in buffer.iter_mut().enumerate() {
                *value = index as f32;
            }
            assert!(buffer.iter().enumerate().all(|(index, &value)| value == index as f32));
        }
    }

    #[test]
    fn a_large_one_begins_with_a_huge_page_and_is_zeroed_again() {
        const LEN: usize = HUGE_PAGE / size_of::<f32>();
        // From then on the C library hands out again what was written, where it would else ask the system for zeros.
        drop(black_box(vec![1_u8; 12 * HUGE_PAGE]));
        for len in [LEN - 1, LEN, LEN + 1, 3 * LEN] {
            for _ in 0..3 {
                let mut buffer = AlignedBuffer::zeroed(len).unwrap();
                assert!(len < LEN || buffer.as_ptr().addr().is_multiple_of(HUGE_PAGE), "{len}");
                assert!(buffer.iter().all(|value| value.to_bits() == 0), "{len}");
                buffer.fill(1.0);
                // The compiler may leave out what is written into memory that is then given back.
                black_box(&mut buffer);
            }
        }
    }

    #[test]
    fn crosses_threads() {
        let mut buffer = AlignedBuffer::zeroed(100).unwrap();
        let buffer = std::thread::spawn(move || {
            buffer[99] = 3.0;
            buffer
        });
        assert_eq!(buffer.join().unwrap()[99], 3.0);
    }

    #[test]
    fn refusal_and_overflow_are_errors() {
        // The first exceeds what a layout may hold, the others what a product of two `usize` may.
        for len in [isize::MAX as usize / 4, usize::MAX / 4 + 1, usize::MAX] {
            let bytes = (len as u64).saturating_mul(4);
            match AlignedBuffer::zeroed(len) {
                Err(Error::OutOfMemory { bytes: reported }) => assert_eq!(reported, bytes),
                other => panic!("{other:?}"),
            }
        }
        // A size that a layout may have, and that no machine has.
        assert!(matches!(AlignedBuffer::zeroed(isize::MAX as usize / 8), Err(Error::OutOfMemory { .. })));
    }
}
