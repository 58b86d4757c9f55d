//! Whether a thread leads a team or works in one, and what it does once it no longer does.

use std::cell::{Cell, RefCell};

thread_local! {
    /// Whether this thread leads a team or works in one.
    static IN_TEAM: Cell<bool> = const { Cell::new(false) };
    /// What it does when it has left.
    static AFTERWARDS: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// Marks the thread as a member of a team.
///
/// A thread of the pool that waits (in `rayon::join`, say, or between two phases) meanwhile takes other jobs of the pool. If it
/// worked for a second run then, it would come back only at the end of that run, which may itself wait for this very thread. So
/// members decline to work for others.
pub(super) struct Member {
    before: bool,
}

impl Member {
    pub(super) fn enter() -> Self {
        Self { before: IN_TEAM.replace(true) }
    }

    /// Whether the calling thread is one.
    pub(super) fn is_this_thread() -> bool {
        IN_TEAM.get()
    }

    /// Has the calling thread, which is one, do this when it has left all teams, in the place of what it was to do then before.
    pub(super) fn when_left(action: impl FnOnce() + 'static) {
        drop(AFTERWARDS.replace(Some(Box::new(action))));
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        IN_TEAM.set(self.before);
        if !self.before
            && let Some(action) = AFTERWARDS.take()
        {
            action();
        }
    }
}
