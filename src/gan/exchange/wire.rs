//! An exchange in use: sums and short messages, each up the tree and down again.

use std::fmt;

use super::Exchange;
use super::branch::{Part, half};
use crate::error::{Error, Result};
use crate::kernel::reduce::add_assign;
use crate::memory::{AlignedBuffer, bytes};
use crate::simd::Isa;

/// An exchange whose errors name the process, this process's part in the adding of sums, and room for what comes from others.
pub(super) struct Wire {
    exchange: Box<dyn Exchange>,
    process: usize,
    part: Part,
    received: AlignedBuffer,
}

impl fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Wire").field("part", &self.part).finish_non_exhaustive()
    }
}

impl Wire {
    /// The exchange of process `process` of `processes`.
    pub(super) fn new(exchange: Box<dyn Exchange>, process: usize, processes: usize) -> Self {
        Self { exchange, process, part: Part::new(process, processes), received: AlignedBuffer::default() }
    }

    /// Whether gradients are exchanged while so many threads go on; see [`Exchange::goes_on_beside`].
    pub(super) fn goes_on_beside(&self, threads: usize) -> bool {
        self.exchange.goes_on_beside(threads)
    }

    /// Bytes that room for `len` numbers from others takes.
    pub(super) fn bytes(&self, len: usize) -> u64 {
        (self.part.room(len) as u64).saturating_mul(size_of::<f32>() as u64)
    }

    /// Takes that room.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(super) fn take_memory(&mut self, len: usize) -> Result<()> {
        self.received = AlignedBuffer::zeroed(self.part.room(len))?;
        Ok(())
    }

    pub(super) fn send(&mut self, to: usize, message: &[u8]) -> Result<()> {
        send(&mut *self.exchange, to, message)
    }

    pub(super) fn receive(&mut self, from: usize, message: &mut [u8]) -> Result<()> {
        receive(&mut *self.exchange, from, message)
    }

    /// Adds `sums` of all processes, in place, in the tree. There is room for as many numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`].
    pub(super) fn add(&mut self, isa: Isa, sums: &mut [f32]) -> Result<()> {
        let Self { exchange, process, part, received } = self;
        let exchange = &mut **exchange;
        match part {
            Part::Second { first } => {
                send(exchange, *first, bytes::of(sums))?;
                receive(exchange, *first, bytes::of_mut(sums))
            }
            Part::Partner { second, partners } => {
                if let Some(second) = second {
                    let received = &mut received[..sums.len()];
                    receive(exchange, *second, bytes::of_mut(received))?;
                    add_assign(isa, sums, received);
                }
                add_among(exchange, isa, *process, partners, sums, received)?;
                second.map_or(Ok(()), |second| send(exchange, second, bytes::of(sums)))
            }
        }
    }

    /// The same of messages of a few bytes, of which `join` makes one of a process's and of the next one's.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`].
    pub(super) fn combine<const N: usize>(
        &mut self,
        own: [u8; N],
        join: impl Fn([u8; N], [u8; N]) -> [u8; N],
    ) -> Result<[u8; N]> {
        let Self { exchange, process, part, .. } = self;
        let exchange = &mut **exchange;
        let (mut message, mut received) = (own, [0; N]);
        match part {
            Part::Second { first } => {
                send(exchange, *first, &message)?;
                receive(exchange, *first, &mut message)?;
            }
            Part::Partner { second, partners } => {
                if let Some(second) = second {
                    receive(exchange, *second, &mut received)?;
                    message = join(message, received);
                }
                for partner in partners {
                    swap(exchange, *partner, &message, &mut received)?;
                    message = if *process < *partner { join(message, received) } else { join(received, message) };
                }
                second.map_or(Ok(()), |second| send(exchange, second, &message))?;
            }
        }
        Ok(message)
    }
}

fn send(exchange: &mut dyn Exchange, to: usize, message: &[u8]) -> Result<()> {
    exchange.send(to, message).map_err(|source| Error::Exchange { process: to, source })
}

fn receive(exchange: &mut dyn Exchange, from: usize, message: &mut [u8]) -> Result<()> {
    exchange.receive(from, message).map_err(|source| Error::Exchange { process: from, source })
}

fn swap(exchange: &mut dyn Exchange, with: usize, message: &[u8], received: &mut [u8]) -> Result<()> {
    exchange.swap(with, message, received).map_err(|source| Error::Exchange { process: with, source })
}

/// Adds `sums` among a process and its `partners`: with the nearest, each of the two adds one half, of which it then does the same with the
/// farther ones; then they give each other the halves. Which of two sums comes first makes no difference to their sum.
fn add_among(
    exchange: &mut dyn Exchange,
    isa: Isa,
    process: usize,
    partners: &[usize],
    sums: &mut [f32],
    received: &mut [f32],
) -> Result<()> {
    let [partner, farther @ ..] = partners else { return Ok(()) };
    let (left, right) = sums.split_at_mut(half(sums.len()));
    let (own, others) = if process < *partner { (left, right) } else { (right, left) };
    let of_partner = &mut received[..own.len()];
    swap(exchange, *partner, bytes::of(others), bytes::of_mut(of_partner))?;
    add_assign(isa, own, of_partner);
    add_among(exchange, isa, process, farther, own, received)?;
    swap(exchange, *partner, bytes::of(own), bytes::of_mut(others))
}
