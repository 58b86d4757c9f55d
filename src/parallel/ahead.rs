//! A thread that works on the ends of buffers while whoever fills them goes on with what stands before. A pass over a network goes backward,
//! from its last layer to its first, so that the end of an arena of gradients is complete long before the beginning:
//!
//! ```text
//! team      layer 3    layer 2    layer 1    layer 0    (waits)
//! thread               work 3     work 2     work 1     work 0
//! ```
//!
//! Which ranges it works on, and in which order, follows from where buffers are cut alone, not from when they are complete.
//!
//! Invariants of the unsafe code:
//!
//! 1. *A buffer that is lent stays where it is.* [`Ahead::take`] moves its owner into the state, which moves no values. It is
//!    looked at through [`Piece`]s alone until [`Ahead::finish`] gives it back, which is when no piece of it is waiting or in work; or the
//!    state is dropped with it, after the thread has ended ([`Ahead`]'s drop joins it).
//! 2. *Nobody else has a piece that is handed over.* It is the end of what was open: of a slice that was given up for as long as
//!    that may live, or of the open part itself when nobody else has it any more. What is open ends before it from then on.
//! 3. *What was written in it happens before the thread reads it, and the other way round*: both go through the state's lock.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::error::{Error, Result};
use crate::memory::AlignedBuffer;

/// Takes a slice that is complete from an index on, and leaves what of it is still to be written: all, or what stands before that index.
pub(crate) type Complete<'a> = dyn FnMut(usize, &'a mut [f32]) -> &'a mut [f32] + 'a;

/// A thread that works on the ends of buffers.
pub(crate) struct Ahead {
    /// Where the ranges of each buffer begin, from the last to the first, which begins at 0.
    cuts: Vec<Vec<usize>>,
    desk: Arc<Desk>,
    /// There until it is dropped.
    thread: Option<JoinHandle<()>>,
}

/// What the owner and the thread share.
#[derive(Default)]
struct Desk {
    state: Mutex<State>,
    /// Something waits, nothing does any more, or the thread is to end.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The buffers that are lent.
    lent: Vec<Option<Lent>>,
    /// What is to be worked on, in this order.
    waiting: VecDeque<Piece>,
    /// Whether the thread has a piece.
    at_work: bool,
    /// The first error or panic since the last look. Nothing is worked on behind it.
    failure: Option<Failure>,
    ends: bool,
}

/// What work may come to: an error, or a panic.
type Failure = std::result::Result<Error, Box<dyn Any + Send>>;

/// A buffer, and what of it is not handed over.
struct Lent {
    buffer: AlignedBuffer,
    open: Piece,
}

/// A slice of a buffer whose lifetime the state keeps (invariant 1).
#[derive(Clone, Copy)]
struct Piece {
    start: NonNull<f32>,
    len: usize,
}

// SAFETY: it stands for a `&mut [f32]`, which is `Send`; invariants 1 and 2 are what the compiler would check of that.
unsafe impl Send for Piece {}

impl Piece {
    fn of(values: &mut [f32]) -> Self {
        Self { start: NonNull::from(&mut *values).cast(), len: values.len() }
    }

    /// The values.
    ///
    /// # Safety
    ///
    /// For `'a` the buffer stays where it is, and nobody else has these values.
    unsafe fn values<'a>(self) -> &'a mut [f32] {
        // SAFETY: `of` had a slice of this address and length; the rest is the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    /// This without `end`, if it ends so.
    fn without(self, end: Self) -> Option<Self> {
        let len = self.len.checked_sub(end.len)?;
        let border = self.start.as_ptr().wrapping_add(len);
        (border == end.start.as_ptr()).then_some(Self { len, ..self })
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, once it no longer `waits`.
    fn once(&self, waits: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        self.changed.wait_while(self.lock(), |state| waits(state)).unwrap_or_else(PoisonError::into_inner)
    }

    /// What the thread does.
    fn go_on(&self, mut work: impl FnMut(&mut [f32]) -> Result<()>) {
        loop {
            let mut state = self.once(|state| state.waiting.is_empty() && !state.ends);
            if state.ends {
                return;
            }
            let Some(piece) = state.waiting.pop_front() else { continue };
            state.at_work = true;
            drop(state);
            // SAFETY: invariants 1 and 2: the piece was handed over, and its buffer does not come back while the thread is at work.
            let values = unsafe { piece.values() };
            let outcome = catch_unwind(AssertUnwindSafe(|| work(values)));
            let mut state = self.lock();
            state.at_work = false;
            let failure = match outcome {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(Ok(error)),
                Err(panic) => Some(Err(panic)),
            };
            if let Some(failure) = failure {
                state.failure.get_or_insert(failure);
                state.waiting.clear();
            }
            if state.waiting.is_empty() {
                self.changed.notify_all();
            }
        }
    }
}

impl Ahead {
    /// A thread of this name that does `work` on ranges of buffers, which are cut like this: each where its ranges begin, from the last to the
    /// first, which begins at 0.
    ///
    /// # Errors
    ///
    /// [`Error::Threads`] where the system refuses the thread.
    pub(crate) fn new(
        name: &str,
        cuts: Vec<Vec<usize>>,
        work: impl FnMut(&mut [f32]) -> Result<()> + Send + 'static,
    ) -> Result<Self> {
        let desk = Arc::new(Desk::default());
        let mut state = desk.lock();
        state.lent = cuts.iter().map(|_| None).collect();
        // All that may wait at once: afterwards nothing allocates.
        state.waiting.reserve_exact(cuts.iter().map(Vec::len).sum());
        drop(state);
        let of_thread = desk.clone();
        let thread = std::thread::Builder::new()
            .name(name.to_string())
            .spawn(move || of_thread.go_on(work))
            .map_err(|error| Error::Threads { problem: format!("cannot start the thread {name}: {error}") })?;
        Ok(Self { cuts, desk, thread: Some(thread) })
    }

    /// Whether buffer `number` is cut.
    pub(crate) fn takes(&self, number: usize) -> bool {
        !self.cuts[number].is_empty()
    }

    /// Calls `fill` with what stands in buffer `number`, and with where to give up its end as it is complete; what is left when `fill`
    /// returns is complete, too. Each range is worked on from then on, after `before` has got its first index and its values.
    /// [`finish`](Self::finish) gives the buffer back; until then an empty one stands in its place.
    pub(crate) fn lend(
        &self,
        number: usize,
        buffer: &mut AlignedBuffer,
        mut before: impl FnMut(usize, &mut [f32]),
        fill: impl for<'a> FnOnce(&'a mut [f32], &'a mut Complete<'a>),
    ) {
        let open = self.take(number, buffer);
        // SAFETY: invariant 1, and nothing of the buffer is handed over: nobody else has it. `fill` gives up for all of the lifetime that
        // it sees, of which it knows nothing, what it hands over.
        let values = unsafe { open.values() };
        fill(values, &mut |first, open| {
            if !self.cuts[number].contains(&first) {
                return open;
            }
            let (open, complete) = open.split_at_mut(first);
            before(first, complete);
            self.hand_over(number, Piece::of(complete));
            open
        });
        self.hand_over_rest(number, &mut before);
    }

    /// Waits until all of buffer `number` is worked on, and gives it back. If it was not lent, it is lent here, so that the thread works on
    /// the same ranges; `before` is as in [`lend`](Self::lend). [`outcome`](Self::outcome) says whether all went well.
    pub(crate) fn finish(&self, number: usize, buffer: &mut AlignedBuffer, mut before: impl FnMut(usize, &mut [f32])) {
        if self.open(number).is_none() {
            self.take(number, buffer);
        }
        // There is some where `fill` has panicked.
        self.hand_over_rest(number, &mut before);
        let mut state = self.desk.once(|state| state.at_work || !state.waiting.is_empty());
        if let Some(lent) = state.lent[number].take() {
            *buffer = lent.buffer;
        }
    }

    /// What has become of all work since the last call, or the panic of it; [`finish`](Self::finish) comes first.
    ///
    /// # Errors
    ///
    /// The first of `work`, and its panic around that.
    pub(crate) fn outcome(&self) -> std::thread::Result<Result<()>> {
        match self.desk.lock().failure.take() {
            None => Ok(Ok(())),
            Some(Ok(error)) => Ok(Err(error)),
            Some(Err(panic)) => Err(panic),
        }
    }

    /// Takes a buffer, all of which is open.
    fn take(&self, number: usize, buffer: &mut AlignedBuffer) -> Piece {
        let mut buffer = std::mem::take(buffer);
        let open = Piece::of(&mut buffer);
        let place = &mut self.desk.lock().lent[number];
        // Pieces of another one may be in work.
        assert!(place.is_none(), "a buffer comes back before the next one is lent");
        *place = Some(Lent { buffer, open });
        open
    }

    /// What of a buffer that is lent is not handed over.
    fn open(&self, number: usize) -> Option<Piece> {
        self.desk.lock().lent[number].as_ref().map(|lent| lent.open)
    }

    /// Hands over what is left, once nobody else has it.
    fn hand_over_rest(&self, number: usize, before: &mut impl FnMut(usize, &mut [f32])) {
        for first in self.cuts[number].iter().copied() {
            let Some(open) = self.open(number).filter(|open| first < open.len) else { continue };
            // SAFETY: invariants 1 and 2: this is the open part, which `fill` no longer has, for it has returned or panicked.
            let (_, complete) = unsafe { open.values() }.split_at_mut(first);
            before(first, complete);
            self.hand_over(number, Piece::of(complete));
        }
    }

    /// Hands over a piece, which nobody else has any more: the end of what was open.
    fn hand_over(&self, number: usize, piece: Piece) {
        let mut state = self.desk.lock();
        let State { lent, waiting, failure, .. } = &mut *state;
        let rest = lent[number].as_mut().and_then(|lent| {
            lent.open = lent.open.without(piece)?;
            Some(())
        });
        assert!(rest.is_some(), "a buffer is complete from the end on");
        if failure.is_none() {
            waiting.push_back(piece);
            self.desk.changed.notify_all();
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.desk.lock().ends = true;
        self.desk.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // It has caught every panic.
            thread.join().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    const BUFFER: usize = 1;

    /// A thread that doubles values and tells how many they are; of so many it first fails, or panics.
    fn doubling(fails: usize, panics: usize) -> (Ahead, Receiver<usize>) {
        let (tell, told) = channel();
        let add = move |values: &mut [f32]| {
            tell.send(values.len()).unwrap();
            assert_ne!(values.len(), panics, "told to");
            values.iter_mut().for_each(|value| *value *= 2.0);
            let error = || Error::Exchange { process: 3, source: "told to".into() };
            if values.len() == fails { Err(error()) } else { Ok(()) }
        };
        (Ahead::new("doubling", vec![Vec::new(), vec![20, 8, 0]], add).unwrap(), told)
    }

    fn counting() -> AlignedBuffer {
        let mut buffer = AlignedBuffer::zeroed(32).unwrap();
        buffer.iter_mut().enumerate().for_each(|(index, value)| *value = index as f32);
        buffer
    }

    /// What is done before.
    fn add_index(first: usize, values: &mut [f32]) {
        values.iter_mut().enumerate().for_each(|(index, value)| *value += (first + index) as f32);
    }

    /// All values are four times their index.
    fn is_added(arena: &[f32]) -> bool {
        arena.len() == 32 && arena.iter().enumerate().all(|(index, value)| *value == 4.0 * index as f32)
    }

    /// In the same order whether they are given up as they are complete, or at the end, or behind a panic, or were not lent.
    #[test]
    fn all_ranges_are_worked_on_in_their_order() {
        let (ahead, told) = doubling(0, 0);
        assert!(ahead.takes(BUFFER) && !ahead.takes(0));
        let mut buffer = counting();
        let check = |buffer: &mut AlignedBuffer, name: &str| {
            ahead.finish(BUFFER, buffer, add_index);
            ahead.outcome().unwrap().unwrap();
            assert!(is_added(buffer), "{name}");
            assert_eq!(told.try_iter().collect::<Vec<_>>(), [12, 12, 8], "{name}");
            *buffer = counting();
        };
        ahead.lend(BUFFER, &mut buffer, add_index, |values, complete| {
            assert_eq!(values.len(), 32);
            let values = complete(25, values);
            assert_eq!(values.len(), 32, "no range begins here");
            let values = complete(20, values);
            assert_eq!(values.len(), 20);
            let values = complete(8, values);
            assert_eq!(values.len(), 8);
        });
        assert!(buffer.is_empty(), "it is lent");
        check(&mut buffer, "completed");
        ahead.lend(BUFFER, &mut buffer, add_index, |_, _| ());
        check(&mut buffer, "given up at the end");
        let panics = AssertUnwindSafe(|| {
            ahead.lend(BUFFER, &mut buffer, add_index, |values, complete| {
                complete(20, values);
                panic!("told to");
            });
        });
        assert!(catch_unwind(panics).is_err());
        check(&mut buffer, "after a panic");
        check(&mut buffer, "without a pass");
    }

    /// The rest waits until the thread has the first range.
    #[test]
    fn a_range_is_worked_on_while_the_rest_is_filled() {
        let (ahead, told) = doubling(0, 0);
        let mut buffer = counting();
        ahead.lend(BUFFER, &mut buffer, add_index, |values, complete| {
            complete(20, values);
            assert_eq!(told.recv_timeout(std::time::Duration::from_secs(60)), Ok(12));
        });
        ahead.finish(BUFFER, &mut buffer, add_index);
        assert!(is_added(&buffer));
    }

    /// Nothing is worked on behind an error or a panic, the buffer comes back, and the next time is another.
    #[test]
    fn errors_and_panics_are_told() {
        for (fails, panics) in [(8, 0), (0, 8), (12, 0)] {
            let (ahead, told) = doubling(fails, panics);
            let mut buffer = counting();
            ahead.finish(BUFFER, &mut buffer, add_index);
            match ahead.outcome() {
                Ok(outcome) => assert_eq!(outcome.unwrap_err().to_string(), "process 3: told to"),
                Err(_) => assert_eq!(panics, 8),
            }
            assert_eq!(buffer.len(), 32);
            let added = told.try_iter().collect::<Vec<_>>();
            assert_eq!(added, if fails == 12 { vec![12] } else { vec![12, 12, 8] });
            ahead.outcome().unwrap().unwrap();
            ahead.finish(BUFFER, &mut buffer, add_index);
            assert!(!matches!(ahead.outcome(), Ok(Ok(()))));
        }
    }

    #[test]
    #[should_panic = "complete from the end on"]
    fn another_slice_than_what_was_lent_is_refused() {
        let (ahead, _told) = doubling(0, 0);
        ahead.lend(BUFFER, &mut counting(), add_index, |_, complete| {
            complete(20, vec![0.0; 32].leak());
        });
    }
}
