//! Every preset whose networks differ over MPI, in the tile-parallel and in the layer-parallel schedule: 2, 3, 4 and 8 processes come to the checkpoint of one.
//!
//! Started by `cargo test` it starts itself in jobs of MPI, each of which trains these presets for a few steps and prints a hash of what each
//! came to. Needs `mpirun`; without it the test says SKIPPED, or fails where `GANNET_CI` is set.

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../src/world.rs"]
mod world;

use std::ops::ControlFlow;
use std::process::Command;

use gannet::gan::presets::Preset;
use gannet::gan::{Trainer, TrainerOptions};
use mpi::traits::Communicator;

/// The argument of a process of a job.
const IN_A_JOB: &str = "--in-a-job";

const SHARDS: usize = 8;

fn main() {
    if std::env::args().any(|argument| argument == IN_A_JOB) {
        train_all();
        return;
    }
    let Some(alone) = job(1) else { return };
    let schedules = ["tile-parallel", "layer-parallel"].map(|schedule| alone.matches(schedule).count());
    assert!(alone.lines().count() == common::presets().count() && !schedules.contains(&0), "{alone}");
    for processes in [2, 3, 4, 8] {
        let found = job(processes).unwrap();
        assert_eq!(hashes(&found), hashes(&alone), "{processes} processes");
    }
    println!("{} presets in 1, 2, 3, 4 and 8 processes: equal hashes", alone.lines().count());
}

/// The names and hashes that a job prints. Schedules may differ: a process with a part of a small batch has no use for one in parallel.
fn hashes(printed: &str) -> Vec<&str> {
    printed.lines().filter_map(|line| line.split_once(": ").map(|(hashes, _)| hashes)).collect()
}

/// What a job of so many processes prints; `None` where there is no MPI.
fn job(processes: usize) -> Option<String> {
    let mut command = Command::new("mpirun");
    // Containers are used by root, and have fewer processors than processes.
    for name in ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "OMPI_MCA_rmaps_base_oversubscribe"] {
        command.env(name, "1");
    }
    command.env("OMPI_MCA_mpi_yield_when_idle", "1").env("OMPI_MCA_hwloc_base_binding_policy", "none");
    command.args(["-n", &processes.to_string()]).arg(std::env::current_exe().unwrap()).arg(IN_A_JOB);
    let Ok(output) = command.output() else {
        assert!(std::env::var_os("GANNET_CI").is_none(), "mpirun is missing: install openmpi-bin");
        println!("SKIPPED: there is no mpirun");
        return None;
    };
    assert!(output.status.success(), "{processes} processes: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// A process of a job: trains every preset, and compares what it comes to with the others.
fn train_all() {
    let (universe, _) = mpi::initialize_with_threading(mpi::Threading::Serialized).unwrap();
    let world = universe.world();
    for preset in common::presets() {
        // More than a tile of each shard, or a few samples of a large network.
        let (batch, steps) = if preset == Preset::Mnist { (24, 2) } else { (1_200, 5) };
        let options = TrainerOptions::default().with_batch(batch).with_shards(SHARDS).with_threads(1).with_seed(5);
        let options = options.with_shuffle(preset.shuffle());
        let (spec, source) = (preset.spec(), common::source(preset, 1_300));
        let mut trainer = match world.size() {
            1 => Trainer::new(spec, source, options),
            // However many processors there are, gradients are exchanged while the backward pass goes on, where it completes them layer by layer.
            _ => {
                let exchange = world::World::new(&world, usize::MAX).unwrap();
                Trainer::with_exchange(spec, source, options, Box::new(exchange))
            }
        }
        .unwrap();
        let mut reports = Vec::new();
        trainer
            .run(steps, 2, |report| {
                reports.push(*report);
                ControlFlow::Continue(())
            })
            .unwrap();
        let checkpoint = trainer.checkpoint().unwrap().to_safetensors(&preset.spec()).unwrap();
        let line = format!(
            "{} {:016x} {:016x}: {}",
            preset.name(),
            hash(&checkpoint),
            hash(format!("{reports:?}").as_bytes()),
            trainer.plan().schedule
        );
        let mut lines = vec![0; line.len() * world.size().unsigned_abs() as usize];
        mpi::traits::CommunicatorCollectives::all_gather_into(&world, line.as_bytes(), &mut lines[..]);
        assert!(lines.chunks(line.len()).all(|other| other == line.as_bytes()), "the processes differ: {line}");
        if world.rank() == 0 {
            println!("{line}");
        }
    }
}

/// FNV-1a in 64 bits.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
