//! Processes that share a batch: who works on which shards, and how their sums become those of one process.
//!
//! ```text
//! shards      0     1       2     3          4 shards of 3 processes
//! processes   0     0       1     2          a process has a subtree of the batch's tree
//!
//! gradients   1 and 2 are a pair: 2 sends its sums to 1, which adds them to its own
//!             0 and 1 are partners: each sends the half of its sums that the other adds, adds its own, and sends that
//!             1 sends the sums of the batch to 2
//! tasks       0 sends them to 1, and 1 to 2
//! ```
//!
//! Of a power of two of processes there are no pairs: each halves with a partner, then halves its half with one that is twice as far in the
//! tree, and so on; then the parts come together the same way back. A process so sends and receives less than twice the bytes of the sums, however
//! many processes there are.
//!
//! Every number is added where one process would add it, so that any number of processes comes to the same bits.

mod branch;
mod messages;
mod ranges;
mod shared;
mod wire;

#[cfg(feature = "internals")]
pub(crate) use branch::shards_of;
pub(super) use messages::{Signal, Standing, Task};
pub(super) use ranges::ranges;
pub(super) use shared::Shared;

use crate::parallel::available_threads;

/// What the sending or receiving of a message may fail with.
pub type ExchangeError = Box<dyn std::error::Error + Send + Sync>;

/// How one of several processes that share a batch talks to the others: over MPI, sockets, or channels between threads of one process.
/// [`Trainer::with_exchange`](super::Trainer::with_exchange) takes it.
///
/// Messages of one process to another arrive in their order, and their lengths are known to both. A process that gives up drops its
/// exchange; the calls of the others that wait for it then have to fail, or they would wait for ever. Numbers are sent as the bytes that
/// they stand in: all processes run on processors of one byte order.
///
/// Calls come one at a time, but not always from the same thread: where [`goes_on_beside`](Self::goes_on_beside) says so, a thread of the
/// trainer's own exchanges gradients while the backward pass goes on.
pub trait Exchange: Send {
    /// How many processes there are.
    fn processes(&self) -> usize;

    /// The number of this one, from 0.
    fn process(&self) -> usize;

    /// Sends a message to process `to`. It may return before that one has received it.
    ///
    /// # Errors
    ///
    /// The other process, or the way to it, is gone.
    fn send(&mut self, to: usize, message: &[u8]) -> Result<(), ExchangeError>;

    /// Receives the next message of process `from`, which is as long as `message`.
    ///
    /// # Errors
    ///
    /// The other process, or the way to it, is gone; or its message has another length, because the processes do not do the same.
    fn receive(&mut self, from: usize, message: &mut [u8]) -> Result<(), ExchangeError>;

    /// Sends a message to process `with`, which calls this at the same time, and receives its message, which is as long as `received`. Either may be
    /// empty. What is written here does one after the other, so that no `send` has to return before its message is received; a way
    /// that carries both at once takes half as long.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send) and [`receive`](Self::receive).
    fn swap(&mut self, with: usize, message: &[u8], received: &mut [u8]) -> Result<(), ExchangeError> {
        if self.process() < with {
            self.send(with, message)?;
            return self.receive(with, received);
        }
        self.receive(with, received)?;
        self.send(with, message)
    }

    /// Whether gradients are exchanged while the backward pass goes on, in this process by so many `threads`: those of the layers that are
    /// complete, by a thread beside these. It is asked once; where one process says no, all exchange them after the pass. No bit depends on
    /// it. Calls that wait at full load, as most MPIs do, need a processor for that thread, or they slow the pass down.
    ///
    /// What is written here says whether this process may use more processors than it has threads.
    fn goes_on_beside(&self, threads: usize) -> bool {
        available_threads() > threads
    }
}
