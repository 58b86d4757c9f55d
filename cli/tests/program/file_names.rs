//! Files and folders whose names are not UTF-8: the program takes every name that the system gives.
#![cfg(target_os = "linux")]

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::place::Place;

/// `name` with `@` in place of a byte that is not UTF-8: Latin-1's e with an acute accent.
fn latin(name: &str) -> OsString {
    OsString::from_vec(name.bytes().map(|byte| if byte == b'@' { 0xe9 } else { byte }).collect())
}

/// Runs the program; its exit code and what it printed.
fn run(place: &Place, arguments: &str) -> (Option<i32>, String) {
    let mut command = place.command("");
    command.args(arguments.split_whitespace().map(latin));
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn every_command_takes_names_that_are_not_utf_8() {
    let place = Place::new();
    let at = |name: &str| place.path("").join(latin(name));
    std::fs::write(at("my@.toml"), "[run]\npreset = 'circle'\nsteps = 4\n").unwrap();
    for arguments in [
        "train my@.toml --quiet --out run@",
        "config my@.toml",
        "config run@",
        "train run@ --quiet --out again",
        "train run@/config.toml --quiet --out again@",
        "train --resume run@ --steps 6 --quiet",
        "evaluate run@",
        "sample run@ --out points@.csv",
        "export run@ --out weights@.safetensors",
        "report run@",
        "report run@ again@ --out page@.html",
        "runs .",
        "runs run@",
    ] {
        let (code, text) = run(&place, arguments);
        assert_eq!(code, Some(0), "{arguments}: {text}");
    }
    for name in ["run@/model.safetensors", "run@/report.html", "points@.csv", "weights@.safetensors", "page@.html"] {
        assert!(at(name).is_file(), "{name}");
    }
    let (code, text) = run(&place, "train no@where --quiet");
    assert!(code == Some(1) && text.starts_with("error: ") && text.lines().count() == 1, "{text}");
}

/// `config.toml` names the data and is UTF-8. So what it cannot name is refused, with a way out that works.
#[test]
fn what_the_settings_cannot_name_is_refused_with_the_cure() {
    let place = Place::new();
    std::fs::write(place.path("").join(latin("points@.csv")), "a,b\n1,2\n2,3\n3,1\n").unwrap();
    for arguments in ["train points@.csv --quiet --out run", "train own --data points@.csv --quiet --out run"] {
        let (code, text) = run(&place, arguments);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains("not UTF-8") && text.contains("rename it") && text.contains("ln -s"), "{text}");
        assert!(!place.path("run").exists());
    }
    std::os::unix::fs::symlink(Path::new(OsStr::from_bytes(b"points\xe9.csv")), place.path("link.csv")).unwrap();
    place.succeed("train link.csv --steps 2 --quiet --out run");
    place.succeed("evaluate run");
}
