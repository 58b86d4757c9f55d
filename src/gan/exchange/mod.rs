//! Processes that share a batch: who works on which shards, and how their sums become those of one process.
//!
//! ```text
//! shards      0     1       2     3          4 shards of 3 processes
//! processes   0     0       1     2          a process has a subtree of the batch's tree
//! up           \   /         \   /           process 2 sends its sums to 1, which adds them to its own
//!                0 ----------- 1             process 1 sends those to 0, which adds them: the sums of the batch
//! down         the same way back             0 sends them to 1, and 1 to 2
//! ```
//!
//! Sums are added where one process would add them, so that any number of processes comes to the same bits.

mod branch;
mod messages;
mod shared;

#[cfg(feature = "internals")]
pub(crate) use branch::shards_of;
pub(super) use messages::{Signal, Standing, Task};
pub(super) use shared::Shared;

/// What the sending or receiving of a message may fail with.
pub type ExchangeError = Box<dyn std::error::Error + Send + Sync>;

/// How one of several processes that share a batch talks to the others: over MPI, sockets, or channels between threads of one process.
/// [`Trainer::with_exchange`](super::Trainer::with_exchange) takes it.
///
/// Messages of one process to another arrive in their order, and their lengths are known to both. A process that gives up drops its
/// exchange; the calls of the others that wait for it then have to fail, or they would wait for ever. Numbers are sent as the bytes that
/// they stand in: all processes run on processors of one byte order.
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
}
