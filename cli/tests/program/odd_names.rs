//! Names with ends of lines and other control characters: nothing that is printed is broken by them, or obeyed.
#![cfg(unix)]

use crate::place::Place;

#[test]
fn the_name_of_a_run_takes_one_line() {
    let place = Place::new();
    let odd = "a\nb\x1b[2Jc";
    let run = |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|argument| argument.replace("ODD", odd)).collect();
        let output = place.command("").args(&arguments).output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        for text in &text {
            assert!(!text.contains("a\nb") && !text.contains('\x1b'), "{arguments:?}: {text}");
        }
        text.concat()
    };
    let often = ["--points", "300", "--evaluate-every", "10"];
    let told = run(&[&["train", "circle", "--steps", "30", "--out", "ODD"], &often[..]].concat());
    assert!(told.contains("into a\\nb") && told.contains("look at a\\nb"), "{told}");
    assert!(place.path(odd).join("run.json").is_file());
    for arguments in [
        &["train", "--resume", "ODD"][..],
        &["train", "--resume", "ODD", "--steps", "40"],
        &["train", "circle", "--out", "ODD"],
        &["train", "circle", "--steps", "30", "--replicas", "2", "--out", "twoODD"],
        &["sample", "ODD", "--count", "3", "--out", "ODD.csv"],
        &["sample", "ODD", "--count", "3", "--out", "ODD.csv"],
        &["export", "ODD", "--out", "ODD.safetensors"],
        &["evaluate", "ODD"],
        &["evaluate", "ODD", "--checkpoint", "7"],
        &["report", "ODD"],
        &["report", "ODD", "--out", "ODD.html"],
        &["runs", "."],
        &["runs", "ODD", "--status", "failed"],
        &["runs", ".", "--json"],
        &["train", "ODD"],
        &["train", "ODD.csv", "--plan"],
        &["man", "--out", "ODDman"],
    ] {
        let told = run(arguments);
        assert!(!told.is_empty(), "{arguments:?}");
    }
}
