//! The exchange between the processes of a job: messages of MPI.

use gannet::gan::{Exchange, ExchangeError};
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, Destination, Equivalence, Source};

/// Most bytes of a message: MPI counts them in 32 bits.
const MOST: usize = 1 << 30;

/// All processes of the job. Where one of them is gone, MPI ends the others.
pub(crate) struct World {
    processes: usize,
    process: usize,
}

impl World {
    /// This process's part in `world`.
    pub(crate) fn new(world: &SimpleCommunicator) -> Self {
        let [processes, process] = [world.size(), world.rank()].map(|number| number.unsigned_abs() as usize);
        Self { processes, process }
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
            let received = status.count(u8::equivalent_datatype());
            if usize::try_from(received) == Ok(part.len()) {
                return Ok(());
            }
            Err(format!("{received} bytes instead of {}: the processes do not do the same", part.len()).into())
        };
        if message.is_empty() {
            return receive(message);
        }
        message.chunks_mut(MOST).try_for_each(receive)
    }
}
