//! An object that refuses what cannot go well.

use std::fmt;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::process;
use std::sync::{Mutex, TryLockError};

use crate::calls::{self, Call};
use crate::refusal::{Refusal, panic_text};

/// An object that another language holds. It belongs to the process that made it and has one user at a time; a second one is refused, not
/// made to wait, so that a call from within a callback is refused too. After a panic it refuses everything.
///
/// In the child of a fork it is never dropped, because what it holds may wait for threads that are the parent's.
///
/// ```
/// use gannet_host::{Guarded, Refusal};
///
/// let number = Guarded::new(|| Ok::<_, Refusal>(3))?;
/// let doubled = number.with(|number| Ok::<_, Refusal>(2 * *number))?;
/// assert_eq!(doubled, 6);
/// # Ok::<(), Refusal>(())
/// ```
pub struct Guarded<T> {
    process: u32,
    /// `None` only while it is dropped.
    object: Mutex<Option<T>>,
}

impl<T> fmt::Debug for Guarded<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Guarded").field("process", &self.process).finish_non_exhaustive()
    }
}

impl<T> Guarded<T> {
    /// Holds what `make` makes.
    ///
    /// # Errors
    ///
    /// That of `make`; [`Refusal::ForkedInCall`], and [`Refusal::Panic`] where it panics.
    pub fn new<E: From<Refusal>>(make: impl FnOnce() -> Result<T, E>) -> Result<Self, E> {
        let process = calls::process()?;
        Ok(Self { process, object: Mutex::new(Some(caught(make)?)) })
    }

    /// Lets `work` use the object.
    ///
    /// # Errors
    ///
    /// That of `work`, and any [`Refusal`].
    pub fn with<R, E: From<Refusal>>(&self, work: impl FnOnce(&mut T) -> Result<R, E>) -> Result<R, E> {
        if self.process != process::id() {
            return Err(Refusal::Forked.into());
        }
        // The lock is taken inside, so that a panic leaves it poisoned.
        caught(|| match self.object.try_lock() {
            Ok(mut object) => object.as_mut().map_or_else(|| Err(Refusal::Panicked.into()), work),
            Err(TryLockError::WouldBlock) => Err(Refusal::Busy.into()),
            Err(TryLockError::Poisoned(_)) => Err(Refusal::Panicked.into()),
        })
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        if self.process != process::id() {
            let object = self.object.get_mut().map_or_else(|poisoned| poisoned.into_inner().take(), Option::take);
            mem::forget(object);
        }
    }
}

/// Does `work`; a panic of it is a refusal.
///
/// # Errors
///
/// That of `work`, and [`Refusal::Panic`].
pub fn caught<R, E: From<Refusal>>(work: impl FnOnce() -> Result<R, E>) -> Result<R, E> {
    // Work without an object may hold a lock, too, when the process forks.
    let _call = Call::begin();
    // What a panic leaves half changed refuses to be used.
    panic::catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|payload| Err(Refusal::Panic(panic_text(payload)).into()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn guarded<T>(object: T) -> Guarded<T> {
        Guarded::new(|| Ok::<_, Refusal>(object)).unwrap()
    }

    #[test]
    fn an_object_has_one_user_at_a_time() {
        let number = guarded(1);
        let inner = number.with(|value| {
            *value += 1;
            Ok::<_, Refusal>(number.with(|value| Ok::<_, Refusal>(*value)))
        });
        assert_eq!(inner, Ok(Err(Refusal::Busy)));
        assert_eq!(number.with(|value| Ok::<_, Refusal>(*value)), Ok(2));
    }

    #[test]
    fn a_panic_is_told_once_and_then_everything_is_refused() {
        let number = guarded(1);
        let panicked = number.with(|_| -> Result<(), Refusal> { panic!("on {}", "purpose") });
        assert_eq!(panicked, Err(Refusal::Panic("on purpose".into())));
        assert!(panicked.unwrap_err().to_string().contains("on purpose; make another object"));
        assert_eq!(number.with(|value| Ok::<_, Refusal>(*value)), Err(Refusal::Panicked));
        let made = Guarded::<u32>::new(|| -> Result<u32, Refusal> { panic!("on purpose") });
        assert_eq!(made.unwrap_err(), Refusal::Panic("on purpose".into()));
    }

    #[test]
    fn an_error_leaves_the_object() {
        let number = guarded(1);
        assert_eq!(number.with(|_| Err::<(), _>(Refusal::Busy)), Err(Refusal::Busy));
        assert_eq!(number.with(|value| Ok::<_, Refusal>(*value)), Ok(1));
    }

    #[test]
    fn an_object_is_dropped_by_its_own_process_alone() {
        struct Tells<'a>(&'a AtomicBool);
        impl Drop for Tells<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        for (of_parent, expected) in [(0, true), (1, false)] {
            let dropped = AtomicBool::new(false);
            let mut object = guarded(Tells(&dropped));
            object.process += of_parent;
            let used = object.with(|_| Ok::<_, Refusal>(()));
            assert_eq!(used.is_ok(), expected);
            assert!(expected || used == Err(Refusal::Forked));
            drop(object);
            assert_eq!(dropped.load(Ordering::Relaxed), expected);
        }
    }
}
