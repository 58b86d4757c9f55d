//! A global allocator that knows how many bytes a call holds at most, for the caps of the parsers.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, which counts the bytes of calls that are [`within`] a cap.
struct Counting;

thread_local! {
    static COUNTED: Cell<bool> = const { Cell::new(false) };
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// Counts `taken` bytes, of which `given_back` are free again afterwards.
fn count(taken: usize, given_back: usize) {
    if COUNTED.get() {
        let held = HELD.get() + taken as isize;
        PEAK.set(PEAK.get().max(held));
        HELD.set(held - given_back as isize);
    }
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // Both are there while the bytes are moved.
        count(new_size, layout.size());
        // SAFETY: the caller's promise, passed on.
        unsafe { System.realloc(memory, layout, new_size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Most bytes that a parser may hold at once for an input.
#[derive(Clone, Copy, Debug)]
pub struct Cap {
    /// Bytes for each byte of the input ...
    pub each: usize,
    /// ... and these.
    pub fixed: usize,
}

/// Calls `parse`, which is given `input` bytes.
///
/// # Panics
///
/// Where it holds more than `cap` allows.
pub fn within<T>(cap: Cap, input: usize, parse: impl FnOnce() -> T) -> T {
    HELD.set(0);
    PEAK.set(0);
    COUNTED.set(true);
    let result = parse();
    COUNTED.set(false);
    let (peak, most) = (PEAK.get(), cap.each * input + cap.fixed);
    assert!(peak as usize <= most, "{peak} bytes were held for an input of {input}: more than {most} ({cap:?})");
    result
}
