//! Jobs of MPI: any number of processes leaves the model of one; a process that dies ends the others, and the run goes on from its last
//! checkpoint in another number of them; and a job that is stopped saves.
//!
//! Needs `mpirun`; without it the tests say SKIPPED, or fail where `GANNET_CI` is set.

#![cfg(unix)]

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
fn ended(mut command: Command) -> Output {
    outcome(command.spawn().unwrap())
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
    let mut kills = 0;
    for kill in 0..KILLS {
        let out = format!("killed-{kill}");
        let all = [&["train"], &arguments[..], &["--out", &out, "--quiet"]].concat();
        let mut command = job(folder, 3, &all).unwrap();
        let child = command.spawn().unwrap();
        // Not before there is something to go on from.
        wait_for_a_checkpoint(&folder.join(&out));
        std::thread::sleep(Duration::from_millis(37 * kill));
        // A process of this run, the last or the first of them.
        let which = if kill % 2 == 0 { "--newest" } else { "--oldest" };
        let pattern = format!("^{} .*{out}", env!("CARGO_BIN_EXE_gannet-mpi"));
        let hit = Command::new("pkill").args(["-KILL", which, "-f", &pattern]).status().unwrap();
        let output = outcome(child);
        // It may have come to its end before.
        if output.status.success() {
            continue;
        }
        assert!(hit.success(), "{}", told(&output));
        kills += 1;
        let resumed = job(folder, 2, &["train", "--resume", &out, "--quiet"]).map(ended).unwrap();
        assert!(resumed.status.success(), "{}", told(&resumed));
        assert!(model(folder, &out) == model(folder, "whole"), "{out} differs");
        // A run that has ended has nothing to go on with, and no process waits for it.
        let again = job(folder, 2, &["train", "--resume", &out]).map(ended).unwrap();
        assert!(again.status.success() && told(&again).contains("has all its"), "{}", told(&again));
    }
    assert!(kills > 0, "every run came to its end before it was killed");
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
    let Some(output) = job(folder, 2, &["train", "circle", "--plan"]).map(ended) else { return };
    assert!(told(&output).contains("shards: 1 for 2 processes"), "{}", told(&output));
    let Some(output) = job(folder, 2, &["train", "circle", "--plan", "--shards", "2"]).map(ended) else { return };
    assert!(output.status.success() && told(&output).contains("samples a step"), "{}", told(&output));
    let Some(output) = job(folder, 3, &["--version"]).map(ended) else { return };
    assert_eq!(told(&output).matches("gannet").count(), 1, "one process speaks");
}
