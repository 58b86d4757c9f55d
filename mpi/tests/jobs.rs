//! Jobs of MPI: any number of processes leaves the model of one; a process that dies ends the others, and the run goes on from its last
//! checkpoint in another number of them; and a job that is stopped saves.
//!
//! Needs `mpirun`; without it the tests say SKIPPED, or fail where `GANNET_CI` is set.

#![cfg(unix)]

use std::borrow::BorrowMut;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a job of these tests takes at most.
const PATIENCE: Duration = Duration::from_secs(120);

/// `mpirun` with so many processes of the program in `folder`; `None` where there is none.
fn job(folder: &Path, processes: usize, arguments: &[&str]) -> Option<Command> {
    let found = Command::new("mpirun").arg("--version").output().is_ok();
    if !found {
        assert!(std::env::var_os("GANNET_CI").is_none(), "mpirun is missing: install openmpi-bin");
        println!("SKIPPED: there is no mpirun");
        return None;
    }
    let mut command = Command::new("mpirun");
    // Containers are used by root, and have fewer processors than processes.
    for name in ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "OMPI_MCA_rmaps_base_oversubscribe"] {
        command.env(name, "1");
    }
    command.env("OMPI_MCA_mpi_yield_when_idle", "1");
    command.env("OMPI_MCA_hwloc_base_binding_policy", "none");
    command.args(["-n", &processes.to_string(), env!("CARGO_BIN_EXE_gannet-mpi")]).args(arguments).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Some(command)
}

/// What a job comes to, which ends in good time.
fn ended(mut command: impl BorrowMut<Command>) -> Output {
    outcome(command.borrow_mut().spawn().unwrap())
}

/// The same of one that is there. What it prints fits the pipes.
fn outcome(mut child: Child) -> Output {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("the job hangs: {}", told(&child.wait_with_output().unwrap()));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

/// Waits until the run has a checkpoint of a step that it trained.
fn wait_for_a_checkpoint(run: &Path) {
    let begun = Instant::now();
    while last_checkpoint(run) == 0 {
        assert!(begun.elapsed() < PATIENCE, "no checkpoint in {}", run.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The step of the last checkpoint of a run; 0 where there is none.
fn last_checkpoint(run: &Path) -> u64 {
    let names = std::fs::read_dir(run.join("checkpoints")).into_iter().flatten().flatten();
    let step = |name: &str| name.strip_prefix("step-")?.strip_suffix(".safetensors")?.parse().ok();
    names.filter_map(|entry| step(entry.file_name().to_str()?)).max().unwrap_or(0)
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Trains in so many processes, into the run `out`.
fn train(folder: &Path, processes: usize, arguments: &[&str], out: &str) -> Option<Output> {
    let arguments = [&["train"], arguments, &["--out", out, "--quiet"]].concat();
    job(folder, processes, &arguments).map(ended)
}

fn model(folder: &Path, run: &str) -> Vec<u8> {
    std::fs::read(folder.join(run).join("model.safetensors")).unwrap()
}

/// Networks that are too wide for a tile, whose products all threads share.
const WIDE: &str = "[run]
preset = 'circle'
[gan.generator]
layers = [{ inputs = 2, outputs = 400 }, { inputs = 400, outputs = 2, activation = { kind = 'linear' } }]
[gan.discriminator]
layers = [{ inputs = 2, outputs = 400 }, { inputs = 400, outputs = 400 }, { inputs = 400, outputs = 1, activation = { kind = 'linear' } }]
";

#[test]
fn any_number_of_processes_leaves_the_model_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("wide.toml"), WIDE).unwrap();
    for what in ["circle", "mixture1d-deep", "gaussian2d", "ring8", "digits-conditional", "wide.toml"] {
        for processes in [1, 2, 3, 4] {
            let (out, batch) = (format!("{what}-{processes}"), if what == "wide.toml" { "64" } else { "256" });
            let arguments = [what, "--steps", "30", "--batch", batch, "--shards", "4"];
            let Some(output) = train(folder, processes, &arguments, &out) else { return };
            assert!(output.status.success(), "{what} in {processes}: {}", told(&output));
            assert!(model(folder, &out) == model(folder, &format!("{what}-1")), "{what} in {processes} differs");
        }
    }
    // Gradients are exchanged while the backward pass goes on, or after it; neither waits for a free processor to say so.
    for (processes, overlap) in [(2, "0"), (2, "1"), (3, "1"), (4, "1")] {
        let out = format!("overlap-{processes}-{overlap}");
        let arguments = ["wide.toml", "--steps", "30", "--batch", "64", "--shards", "4", "--out", &out, "--quiet"];
        let mut command = job(folder, processes, &[&["train"], &arguments[..]].concat()).unwrap();
        let output = ended(command.env("GANNET_OVERLAP", overlap));
        assert!(output.status.success(), "{out}: {}", told(&output));
        assert!(model(folder, &out) == model(folder, "wide.toml-1"), "{out} differs");
    }
}

/// A process, a number of processes and a moment from a fixed seed: SplitMix64.
struct Draws(u64);

impl Draws {
    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % end
    }
}

/// When a process is killed.
#[derive(Debug)]
enum Moment {
    /// So long after all processes are there: they begin, read the checkpoint, or train.
    Time(Duration),
    /// So many steps after the last checkpoint is saved.
    Steps(u64),
    /// A checkpoint is being written.
    Saving,
}

impl Moment {
    fn drawn(draws: &mut Draws) -> Self {
        match draws.below(3) {
            0 => Self::Time(Duration::from_millis(draws.below(300))),
            1 => Self::Steps(1 + draws.below(100)),
            _ => Self::Saving,
        }
    }

    /// Waits for it, or for the end of the job.
    fn wait(&self, run: &Path, child: &mut Child) {
        let (begun, left) = (last_checkpoint(run), unfinished(run));
        let is_there = || match self {
            Self::Time(time) => {
                std::thread::sleep(*time);
                true
            }
            Self::Steps(steps) => last_checkpoint(run) >= begun + steps,
            Self::Saving => unfinished(run).iter().any(|name| !left.contains(name)),
        };
        while !is_there() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The checkpoints that have their temporary names: those being written, and those whose writers were killed.
fn unfinished(run: &Path) -> Vec<OsString> {
    let names = std::fs::read_dir(run.join("checkpoints")).into_iter().flatten().flatten();
    names.map(|entry| entry.file_name()).filter(|name| name.to_string_lossy().starts_with('.')).collect()
}

/// The processes of the run `out`, in their order.
fn processes_of(out: &str) -> Vec<u32> {
    let pattern = format!("^{} .*{out}", env!("CARGO_BIN_EXE_gannet-mpi"));
    let found = Command::new("pgrep").args(["-f", &pattern]).output().unwrap();
    String::from_utf8(found.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect()
}

/// Any process is killed at any moment, again and again: the others end, what is saved is whole, any number of processes goes on from there, and
/// in the end they have come to the model of a run that was left alone.
#[test]
fn a_process_that_dies_ends_the_others_and_the_run_goes_on() {
    const KILLS: usize = 20;
    const SEED: u64 = 15;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let arguments = ["circle", "--steps", "8000", "--batch", "64", "--shards", "4", "--checkpoint-steps", "10"];
    let Some(output) = train(folder, 1, &arguments, "whole") else { return };
    assert!(output.status.success(), "{}", told(&output));
    let (out, mut draws, mut kills) = ("killed-again-and-again", Draws(SEED), 0);
    let run = folder.join(out);
    for kill in 0..KILLS {
        let processes = 2 + draws.below(3) as usize;
        let all = match kill {
            0 => [&["train"], &arguments[..], &["--out", out, "--quiet"]].concat(),
            _ => vec!["train", "--resume", out, "--quiet"],
        };
        let mut child = job(folder, processes, &all).unwrap().spawn().unwrap();
        // The first time not before there is something to go on from.
        if kill == 0 {
            wait_for_a_checkpoint(&run);
        }
        while processes_of(out).len() < processes && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let moment = Moment::drawn(&mut draws);
        moment.wait(&run, &mut child);
        let which = draws.below(processes as u64) as usize;
        println!(
            "seed {SEED}, kill {kill}: process {which} of {processes}, {moment:?}, after {}",
            last_checkpoint(&run)
        );
        let Some(process) = processes_of(out).get(which).copied() else { break };
        let hit = Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap().success();
        let output = outcome(child);
        // It may have come to its end before.
        if output.status.success() {
            break;
        }
        assert!(hit, "{}", told(&output));
        assert_eq!(processes_of(out), [], "a process is left");
        kills += 1;
    }
    assert!(kills > KILLS / 2, "the run came to its end after {kills} kills");
    let resumed = job(folder, 2, &["train", "--resume", out, "--quiet"]).map(ended).unwrap();
    assert!(resumed.status.success(), "{}", told(&resumed));
    assert!(model(folder, out) == model(folder, "whole"), "{out} differs");
    // A run that has ended has nothing to go on with, and no process waits for it.
    let again = job(folder, 2, &["train", "--resume", out]).map(ended).unwrap();
    assert!(again.status.success() && told(&again).contains("has all its"), "{}", told(&again));
}

#[test]
fn a_job_that_is_stopped_saves() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Slurm sends SIGUSR1 some time before the limit, which mpirun hands on to all processes; one of them may be asked alone.
    for of_one in [false, true] {
        let out = format!("of-one-{of_one}");
        let mut arguments = vec!["train", "circle", "--steps", "10000000", "--batch", "256", "--shards", "4"];
        arguments.extend(["--checkpoint-steps", "100", "--out", &out]);
        let Some(mut command) = job(folder, 2, &arguments) else { return };
        let child = command.spawn().unwrap();
        wait_for_a_checkpoint(&folder.join(&out));
        let pattern = format!("^{} .*{out}", env!("CARGO_BIN_EXE_gannet-mpi"));
        let sent = match of_one {
            true => Command::new("pkill").args(["-TERM", "--newest", "-f", &pattern]).status(),
            false => Command::new("kill").args(["-USR1", &child.id().to_string()]).status(),
        };
        assert!(sent.unwrap().success());
        let output = outcome(child);
        assert!(told(&output).contains(&format!("gannet train --resume {out}")), "{}", told(&output));
        assert!(last_checkpoint(&folder.join(&out)) > 0);
    }
}

/// Every process meets it, and the one that leads tells of it and writes down that the run has failed.
#[test]
fn a_number_that_is_not_finite_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["circle", "--steps", "100", "--batch", "64", "--shards", "2", "--learning-rate", "1e30"];
    let Some(output) = train(folder.path(), 2, &arguments, "run") else { return };
    let text = told(&output);
    assert!(!output.status.success() && text.matches("error:").count() == 1, "{text}");
    let result = std::fs::read_to_string(folder.path().join("run/run.json")).unwrap();
    assert!(result.contains("failed"), "{result}");
}

#[test]
fn what_cannot_begin_is_told_and_ends_the_job() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (processes, arguments, problem) in [
        (2, &["circle", "--shards", "1"][..], "shards: 1 for 2 processes"),
        (2, &["circle", "--shards", "2", "--replicas", "2"], "replicas"),
        (2, &["nothing.csv", "--shards", "2"], "nothing.csv"),
    ] {
        let Some(output) = train(folder, processes, arguments, "run") else { return };
        let text = told(&output);
        assert!(!output.status.success() && text.contains(problem), "{text}");
        assert!(!folder.join("run").exists());
    }
    let mut command = job(folder, 2, &["train", "circle", "--shards", "2"]).unwrap();
    let text = told(&ended(command.env("GANNET_OVERLAP", "yes")));
    assert!(text.contains("GANNET_OVERLAP is yes; set it to 0 or 1"), "{text}");
    let Some(output) = job(folder, 2, &["train", "circle", "--plan"]).map(ended) else { return };
    assert!(told(&output).contains("shards: 1 for 2 processes"), "{}", told(&output));
    let Some(output) = job(folder, 2, &["train", "circle", "--plan", "--shards", "2"]).map(ended) else { return };
    assert!(output.status.success() && told(&output).contains("samples a step"), "{}", told(&output));
    let Some(output) = job(folder, 3, &["--version"]).map(ended) else { return };
    assert_eq!(told(&output).matches("gannet").count(), 1, "one process speaks");
}
