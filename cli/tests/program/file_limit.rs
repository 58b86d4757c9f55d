//! A limit on the size of files (`ulimit -f`) fails the write, as a full disk does, and does not kill the program.
#![cfg(unix)]

use std::process::{Command, Output};

use crate::place::Place;

/// Runs the program where no file may be larger than 25 KiB (or 50, as some shells count).
fn limited(place: &Place, arguments: &str) -> Output {
    let line = format!("ulimit -f 50; exec \"$0\" {arguments}");
    let mut command = Command::new("sh");
    command.current_dir(place.path("")).arg("-c").arg(line).arg(env!("CARGO_BIN_EXE_gannet")).output().unwrap()
}

#[test]
fn a_write_beyond_the_limit_is_an_error_that_leaves_nothing() {
    let place = Place::new();
    place.succeed("train circle --steps 8 --points 300 --quiet --out run");
    for arguments in ["train circle --steps 8 --quiet --out new", "sample run --count 20000 --out points.csv"] {
        let before = place.files("");
        let output = limited(&place, arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments}: {:?} {told}", output.status);
        assert!(told.starts_with("error: cannot write ") && told.trim_end().lines().count() == 1, "{told}");
        assert_eq!(place.files(""), before, "{arguments}");
        let names: Vec<_> =
            std::fs::read_dir(place.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["run"], "{arguments}");
    }
    // A run that goes on keeps what it has.
    let output = limited(&place, "train --resume run --steps 20 --quiet");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    place.succeed("train --resume run --steps 20 --quiet");
}
