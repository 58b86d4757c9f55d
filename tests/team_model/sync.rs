//! `src/parallel/sync.rs` as loom has it.
//!
//! - loom takes `SeqCst` operations for `AcqRel` ones, and has `SeqCst` fences. The protocol needs the former where a thread stores and
//!   then loads, and another does so the other way round. A fence between the two gives that order, and it may belong to the store or
//!   to the load: [`Fences`]. Each program is tried with both, so that neither hides that the other operation is too weak.
//! - A look at a condition stands for waiting awake: whoever finds it false sleeps at once.
//! - A nap has no end but the bell, so that a lost ring is a deadlock, which loom reports.

use std::cell::Cell;
use std::sync::atomic::Ordering;

use loom::cell::UnsafeCell;
use loom::sync::atomic::fence;
pub(super) use loom::sync::{Condvar, Mutex};

/// Where the fences of `SeqCst` operations are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fences {
    BehindStores,
    BeforeLoads,
}

std::thread_local! {
    /// The threads of a model are coroutines of one thread.
    static FENCES: Cell<Fences> = const { Cell::new(Fences::BehindStores) };
}

impl Fences {
    /// Uses these in models of the calling thread.
    pub(super) fn choose(self) {
        FENCES.set(self);
    }

    /// A fence, if operations of this order have one here.
    fn pass(self, ordering: Ordering) {
        if ordering == Ordering::SeqCst && FENCES.get() == self {
            fence(ordering);
        }
    }
}

fn load<T>(ordering: Ordering, load: impl FnOnce(Ordering) -> T) -> T {
    Fences::BeforeLoads.pass(ordering);
    load(ordering)
}

/// A store, or a store that loads.
fn store<T>(ordering: Ordering, store: impl FnOnce(Ordering) -> T) -> T {
    let result = store(ordering);
    Fences::BehindStores.pass(ordering);
    result
}

#[derive(Default)]
pub(super) struct AtomicBool(loom::sync::atomic::AtomicBool);

impl AtomicBool {
    pub(super) fn new(value: bool) -> Self {
        Self(loom::sync::atomic::AtomicBool::new(value))
    }

    pub(super) fn load(&self, ordering: Ordering) -> bool {
        load(ordering, |ordering| self.0.load(ordering))
    }

    pub(super) fn store(&self, value: bool, ordering: Ordering) {
        store(ordering, |ordering| self.0.store(value, ordering));
    }
}

pub(super) struct AtomicUsize(loom::sync::atomic::AtomicUsize);

impl AtomicUsize {
    pub(super) fn new(value: usize) -> Self {
        Self(loom::sync::atomic::AtomicUsize::new(value))
    }

    pub(super) fn load(&self, ordering: Ordering) -> usize {
        load(ordering, |ordering| self.0.load(ordering))
    }

    pub(super) fn store(&self, value: usize, ordering: Ordering) {
        store(ordering, |ordering| self.0.store(value, ordering));
    }

    pub(super) fn fetch_add(&self, value: usize, ordering: Ordering) -> usize {
        store(ordering, |ordering| self.0.fetch_add(value, ordering))
    }

    pub(super) fn fetch_sub(&self, value: usize, ordering: Ordering) -> usize {
        store(ordering, |ordering| self.0.fetch_sub(value, ordering))
    }
}

pub(super) struct Shared<T>(UnsafeCell<T>);

impl<T: Copy> Shared<T> {
    pub(super) fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// # Safety
    ///
    /// None is needed: loom panics where the access races with another.
    pub(super) unsafe fn get(&self) -> T {
        // SAFETY: loom has checked the access.
        self.0.with(|place| unsafe { *place })
    }

    /// # Safety
    ///
    /// As for `get`.
    pub(super) unsafe fn set(&self, value: T) {
        // SAFETY: loom has checked the access.
        self.0.with_mut(|place| unsafe { *place = value });
    }
}

pub(super) fn stay_awake(ready: &mut impl FnMut() -> bool) -> bool {
    ready()
}

pub(super) fn do_a_job() -> bool {
    false
}
