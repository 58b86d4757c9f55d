//! Folders and files that are taken for a run or for data, and are something else: they are named for what they are.
#![cfg(unix)]

use std::fs;
use std::process::Command;

use crate::place::Place;

fn pipe(place: &Place, name: &str) {
    fs::remove_file(place.path(name)).ok();
    assert!(Command::new("mkfifo").arg(place.path(name)).status().unwrap().success());
}

#[test]
fn settings_alone_are_no_run() {
    let place = Place::new();
    fs::create_dir(place.path("alone")).unwrap();
    place.write("alone/config.toml", place.succeed("config circle"));
    place.fail("report alone", 1, &["alone", "no run is in it", "gannet train alone/config.toml"]);
    place.fail("report .", 1, &["no config.toml"]);
    assert_eq!(place.files("alone").len(), 1);
    // Settings that were put beside runs do not hide them.
    place.succeed("train alone --steps 3 --quiet --out alone/run");
    place.succeed("report alone");
    assert!(place.read("alone/report.html").contains("run"));
}

#[test]
fn a_pipe_in_a_run_is_told_of_as_a_pipe() {
    let place = Place::new();
    place.succeed("train circle --steps 4 --points 300 --quiet --out run");
    place.succeed("train circle --steps 4 --points 300 --quiet --replicas 2 --out two");
    let legs = place.bytes("run/legs.json");
    pipe(&place, "run/legs.json");
    place.fail("train --resume run --steps 8", 1, &["run/legs.json", "a named pipe"]);
    fs::remove_file(place.path("run/legs.json")).unwrap();
    place.write("run/legs.json", legs);
    for config in ["run/config.toml", "two/replica-000/config.toml"] {
        pipe(&place, config);
        let run = config.split('/').next().unwrap();
        place.fail(&format!("train --resume {run} --steps 8"), 1, &[config, "a named pipe"]);
    }
    for command in ["sample run --out s.csv", "sample run/model.safetensors --out s.csv", "evaluate run", "train run"] {
        place.fail(command, 1, &["run/config.toml", "a named pipe"]);
    }
    assert!(place.succeed("runs .").contains("a named pipe"));
    place.succeed("report run");
    assert!(place.read("run/report.html").contains("a named pipe"));
}

#[test]
fn what_comes_from_a_pipe_goes_into_a_file_first() {
    let place = Place::new();
    place.write("t.csv", (0..50).map(|row| format!("{row},{}\n", row * 7 % 11)).collect::<String>());
    pipe(&place, "pipe");
    for how in ["train", "config", "train own --data"] {
        place.fail(&format!("{how} pipe"), 1, &["pipe", "a named pipe", "into a file first"]);
    }
    // The shell's way to give what a command prints.
    let mut shell = Command::new("bash");
    shell.arg("-c").arg("\"$0\" train <(cat t.csv)").arg(env!("CARGO_BIN_EXE_gannet"));
    let output = shell.current_dir(place.path("")).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && told.contains("into a file first"), "{told}");
}
