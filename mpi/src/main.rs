//! The program `gannet` in a job of MPI: `mpirun -n 4 gannet-mpi train circle --shards 4`.
//!
//! Started without `mpirun` it is `gannet` itself.
#![forbid(unsafe_code)]

mod places;
mod world;

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use gannet_cli::{Ended, Job};
use mpi::Threading;
use mpi::traits::Communicator;

use world::World;

/// The exit code where there is no MPI.
const FAILURE: u8 = 1;

fn main() -> ExitCode {
    // The thread that trains is not always the one that begins, and another exchanges gradients beside it, but messages come from one at a time.
    let Some((universe, threading)) = mpi::initialize_with_threading(Threading::Serialized) else {
        eprintln!("error: MPI cannot be initialized");
        return ExitCode::from(FAILURE);
    };
    let world = universe.world();
    if threading < Threading::Serialized {
        eprintln!("error: this MPI serves the main thread alone; gannet needs MPI_THREAD_SERIALIZED");
        world.abort(i32::from(FAILURE));
    }
    let job = (world.size() > 1).then(|| {
        let places = places::gathered(&world);
        let threads = places.get(world.rank().unsigned_abs() as usize).map_or(1, |(_, threads)| *threads);
        let exchange = World::new(&world, threads).unwrap_or_else(|problem| {
            eprintln!("error: {problem}");
            world.abort(i32::from(FAILURE))
        });
        Job { exchange: Box::new(exchange), threads, places }
    });
    // The end of MPI waits for all processes, and would for those that wait for one that has panicked.
    let ended = panic::catch_unwind(AssertUnwindSafe(|| gannet_cli::run_in(job, std::env::args_os())));
    let ended = ended.unwrap_or(Ended { code: FAILURE, together: false });
    if !ended.together {
        // The others wait for this process, or will.
        world.abort(i32::from(ended.code));
    }
    drop(universe);
    ExitCode::from(ended.code)
}
