//! Jobs of MPI: any number of processes leaves the model of one; a process that dies ends the others, and the run goes on from its last
//! checkpoint in another number of them; and a job that is stopped saves.
//!
//! Needs `mpirun`; without it the tests say SKIPPED, or fail where `GANNET_CI` is set.

#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Output, Stdio};
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
fn ended(mut command: Command) -> Output {
    let child = command.spawn().unwrap();
    let begun = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(begun.elapsed() < PATIENCE, "{}", told(&output));
    output
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
}

/// Wherever a process is killed: the others end, what is saved is whole, and another number of processes comes to the same model.
#[test]
fn a_process_that_dies_ends_the_others_and_the_run_goes_on() {
    const KILLS: u64 = 5;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let arguments = ["circle", "--steps", "4000", "--batch", "256", "--shards", "4", "--checkpoint-steps", "50"];
    let Some(output) = train(folder, 1, &arguments, "whole") else { return };
    assert!(output.status.success(), "{}", told(&output));
    for kill in 0..KILLS {
        let out = format!("killed-{kill}");
        let all = [&["train"], &arguments[..], &["--out", &out, "--quiet"]].concat();
        let mut command = job(folder, 3, &all).unwrap();
        let child = command.spawn().unwrap();
        // Not before there is something to go on from.
        let checkpoints = folder.join(&out).join("checkpoints");
        let begun = Instant::now();
        while std::fs::read_dir(&checkpoints).map_or(0, Iterator::count) < 1 && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(37 * kill));
        // A process of this run, the last or the first of them.
        let which = if kill % 2 == 0 { "--newest" } else { "--oldest" };
        let pattern = format!("^{} .*{out}", env!("CARGO_BIN_EXE_gannet-mpi"));
        Command::new("pkill").args(["-KILL", which, "-f", &pattern]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(begun.elapsed() < PATIENCE, "{}", told(&output));
        // It may have come to its end before.
        if output.status.success() {
            continue;
        }
        let resumed = job(folder, 2, &["train", "--resume", &out, "--quiet"]).map(ended).unwrap();
        assert!(resumed.status.success(), "{}", told(&resumed));
        assert!(model(folder, &out) == model(folder, "whole"), "{out} differs");
    }
}

#[test]
fn a_job_that_is_stopped_saves() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let arguments = ["train", "circle", "--steps", "10000000", "--batch", "256", "--shards", "4", "--out", "run"];
    let Some(mut command) = job(folder, 2, &arguments) else { return };
    let child = command.spawn().unwrap();
    let begun = Instant::now();
    while !folder.join("run/metrics.csv").is_file() && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
    }
    // Slurm sends it some time before the limit; mpirun hands it on to all processes.
    Command::new("kill").args(["-USR1", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(begun.elapsed() < PATIENCE && told(&output).contains("gannet train --resume run"), "{}", told(&output));
    assert!(std::fs::read_dir(folder.join("run/checkpoints")).unwrap().count() > 0);
}

#[test]
fn what_cannot_begin_is_told_once_and_ends_the_job() {
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
    let Some(output) = job(folder, 3, &["--version"]).map(ended) else { return };
    assert_eq!(told(&output).matches("gannet").count(), 1, "one process speaks");
}
