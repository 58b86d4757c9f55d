//! The exchange between the processes of a job: messages of MPI.

use gannet::gan::{Exchange, ExchangeError};
use mpi::point_to_point::{self, Status};
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, Destination, Equivalence, Source};

/// Most bytes of a message: MPI counts them in 32 bits.
const MOST: usize = 1 << 30;

/// Whether gradients are exchanged while the backward pass goes on: `1` or `0`. Without it they are where a processor is left.
const OVERLAP: &str = "GANNET_OVERLAP";

/// All processes of the job. Where one of them is gone, MPI ends the others.
pub(crate) struct World {
    processes: usize,
    process: usize,
    /// Processors of this process.
    processors: usize,
    overlap: Option<bool>,
}

impl World {
    /// This process's part in `world`, with its share of the processors.
    ///
    /// # Errors
    ///
    /// The variable [`OVERLAP`] is neither `0` nor `1`.
    pub(crate) fn new(world: &SimpleCommunicator, processors: usize) -> Result<Self, String> {
        let [processes, process] = [world.size(), world.rank()].map(|number| number.unsigned_abs() as usize);
        let overlap = match std::env::var_os(OVERLAP) {
            None => None,
            Some(value) if value == "0" => Some(false),
            Some(value) if value == "1" => Some(true),
            Some(value) => return Err(format!("{OVERLAP} is {}; set it to 0 or 1", value.to_string_lossy())),
        };
        Ok(Self { processes, process, processors, overlap })
    }
}

impl Exchange for World {
    fn processes(&self) -> usize {
        self.processes
    }

    fn process(&self) -> usize {
        self.process
    }

    fn send(&mut self, to: usize, message: &[u8]) -> Result<(), ExchangeError> {
        let to = i32::try_from(to)?;
        let world = SimpleCommunicator::world();
        // A message without bytes is one, too.
        if message.is_empty() {
            world.process_at_rank(to).send(message);
        }
        message.chunks(MOST).for_each(|part| world.process_at_rank(to).send(part));
        Ok(())
    }

    fn receive(&mut self, from: usize, message: &mut [u8]) -> Result<(), ExchangeError> {
        let from = i32::try_from(from)?;
        let world = SimpleCommunicator::world();
        let receive = |part: &mut [u8]| {
            let status = world.process_at_rank(from).receive_into(part);
            check_length(&status, part.len())
        };
        if message.is_empty() {
            return receive(message);
        }
        message.chunks_mut(MOST).try_for_each(receive)
    }

    fn swap(&mut self, with: usize, message: &[u8], received: &mut [u8]) -> Result<(), ExchangeError> {
        let with = i32::try_from(with)?;
        let world = SimpleCommunicator::world();
        let other = world.process_at_rank(with);
        // As many parts each way: where one message has come to its end, they are empty.
        let parts = message.len().max(received.len()).div_ceil(MOST).max(1);
        let (mut sent, mut to_fill) = (message.chunks(MOST), received.chunks_mut(MOST));
        (0..parts).try_for_each(|_| {
            let part = to_fill.next().unwrap_or_default();
            let status = point_to_point::send_receive_into(sent.next().unwrap_or_default(), &other, part, &other);
            check_length(&status, part.len())
        })
    }

    /// MPI waits at full load.
    fn goes_on_beside(&self, threads: usize) -> bool {
        self.overlap.unwrap_or(self.processors > threads)
    }
}

/// Checks that a message of `expected` bytes has come.
fn check_length(status: &Status, expected: usize) -> Result<(), ExchangeError> {
    let received = status.count(u8::equivalent_datatype());
    if usize::try_from(received) == Ok(expected) {
        return Ok(());
    }
    Err(format!("{received} bytes instead of {expected}: the processes do not do the same").into())
}
