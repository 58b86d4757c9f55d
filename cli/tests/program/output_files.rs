//! Files that commands write by a name of the user's: whole or not at all, never in the place of others, also when a signal
//! comes; and standard output in their place.
#![cfg(unix)]

use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::place::Place;

/// A place with a run of a few steps.
fn with_run() -> Place {
    let place = Place::new();
    place.succeed("train circle --steps 60 --points 300 --quiet --out run");
    place
}

/// Starts the program in a place, with nothing ignored, whatever the test's own starter ignores.
fn start(place: &Place, arguments: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gannet"));
    command.current_dir(place.path("")).args(arguments.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::piped());
    // SAFETY: `signal` may be called between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGHUP, libc::SIG_DFL);
            Ok(())
        })
    };
    command.spawn().unwrap()
}

/// Sends a signal, and waits for the end.
fn interrupt(child: &mut Child, signal: i32) -> ExitStatus {
    // SAFETY: sends a signal to a child that has not been waited for, so that its number is still its own.
    unsafe { libc::kill(child.id() as i32, signal) };
    child.wait().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

/// Waits until a temporary file is in `folder`.
fn wait_for_temporary(folder: &Path) {
    let begun = Instant::now();
    while !names(folder).iter().any(|name| name.starts_with('.')) {
        assert!(begun.elapsed() < Duration::from_secs(120), "it never comes");
        sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_signal_while_a_large_file_is_written_leaves_nothing() {
    let place = with_run();
    fs::create_dir(place.path("out")).unwrap();
    for (name, signal, code) in
        [("new.csv", libc::SIGINT, 130), ("new.npy", libc::SIGTERM, 143), ("new.csv", libc::SIGHUP, 129)]
    {
        let mut child = start(&place, &format!("sample run --count 2000000 --out out/{name}"));
        wait_for_temporary(&place.path("out"));
        assert_eq!(interrupt(&mut child, signal).code(), Some(code), "{name}");
        assert_eq!(names(&place.path("out")), [""; 0], "{name}");
    }
    place.write("out/old.csv", "precious");
    let mut child = start(&place, "sample run --count 2000000 --out out/old.csv --force");
    wait_for_temporary(&place.path("out"));
    assert_eq!(interrupt(&mut child, libc::SIGINT).code(), Some(130));
    assert_eq!((names(&place.path("out")), place.read("out/old.csv").as_str()), (vec!["old.csv".into()], "precious"));
}

#[test]
fn a_signal_at_any_moment_leaves_nothing_half_done() {
    let place = with_run();
    for command in [
        "sample run --count 300 --out out/x.png",
        "export run --out out/x.safetensors",
        "report run run --out out/x.html",
        "man --out out",
        "train circle --steps 3 --points 50000 --out out/run",
    ] {
        for moment in (0..12).map(|number| Duration::from_millis(4 * number)) {
            fs::create_dir(place.path("out")).unwrap();
            let mut child = start(&place, command);
            sleep(moment);
            let status = interrupt(&mut child, libc::SIGTERM);
            // Before the program listens, the signal itself ends it.
            let is_known = [Some(0), Some(143)].contains(&status.code()) || status.signal() == Some(libc::SIGTERM);
            assert!(is_known, "{command}: {status:?}");
            let left = names(&place.path("out"));
            assert!(!left.iter().any(|name| name.starts_with('.')), "{command} after {moment:?}: {left:?}");
            assert!(status.code() != Some(0) || !left.is_empty(), "{command}");
            fs::remove_dir_all(place.path("out")).unwrap();
        }
    }
}

#[test]
fn a_signal_before_a_run_has_its_folder_leaves_none() {
    let place = Place::new();
    // Making the points takes far longer than the signal. Before the program listens, the signal itself ends it.
    let mut child = start(&place, "train circle --steps 3 --points 20000000 --quiet");
    sleep(Duration::from_millis(300));
    let status = interrupt(&mut child, libc::SIGINT);
    assert!(status.code() == Some(130) || status.signal() == Some(libc::SIGINT), "{status:?}");
    assert_eq!(names(&place.path("")), [""; 0]);
}

#[test]
fn a_hangup_stops_a_run_unless_it_is_ignored() {
    let place = Place::new();
    let settings = "train circle --steps 100000000 --out";
    let begun = |run: &str| {
        let begun = Instant::now();
        while !place.path(run).join("metrics.csv").exists() {
            assert!(begun.elapsed() < Duration::from_secs(120), "it never comes");
            sleep(Duration::from_millis(5));
        }
    };
    let mut child = start(&place, &format!("{settings} stopped"));
    begun("stopped");
    assert_eq!(interrupt(&mut child, libc::SIGHUP).code(), Some(129));
    assert!(place.read("stopped/run.json").contains("\"stopped\""));
    let mut command = Command::new("nohup");
    command
        .current_dir(place.path(""))
        .arg(env!("CARGO_BIN_EXE_gannet"))
        .args(format!("{settings} goes-on").split(' '));
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = child else { return };
    begun("goes-on");
    // SAFETY: as in `interrupt`.
    unsafe { libc::kill(child.id() as i32, libc::SIGHUP) };
    sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "nohup asks for that");
    assert_eq!(interrupt(&mut child, libc::SIGTERM).code(), Some(143));
}

#[test]
fn a_file_that_appears_meanwhile_is_not_replaced() {
    let place = with_run();
    fs::create_dir(place.path("out")).unwrap();
    let child = start(&place, "sample run --count 300000 --out out/x.csv");
    wait_for_temporary(&place.path("out"));
    place.write("out/x.csv", "theirs");
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("out/x.csv exists already; --force"), "{told}");
    assert_eq!((names(&place.path("out")), place.read("out/x.csv").as_str()), (vec!["x.csv".into()], "theirs"));
}

#[test]
fn of_two_writers_one_succeeds() {
    let place = with_run();
    let commands = [
        ("sample run --count 20000 --out both.csv", "both.csv"),
        ("export run --out both.safetensors", "both.safetensors"),
        ("report run run --out both.html", "both.html"),
    ];
    for (command, name) in commands {
        for _ in 0..4 {
            let mut children = [start(&place, command), start(&place, command)];
            let mut codes = children.each_mut().map(|child| child.wait().unwrap().code());
            codes.sort();
            assert_eq!(codes, [Some(0), Some(2)], "{command}");
            fs::remove_file(place.path(name)).unwrap();
        }
    }
}

#[test]
fn another_suffix_is_refused_with_the_way_to_it() {
    let place = with_run();
    let exporting = "export run --out";
    for (command, name, parts) in [
        (exporting, "x.pt", &["x.pt should end in .safetensors or .onnx", "torch.save"][..]),
        (exporting, "x.pth", &["torch.save"]),
        (exporting, "x.tflite", &["write .onnx"]),
        (exporting, "x.onnx", &["one network; add --network generator"]),
        ("export run --network generator --format onnx --out", "x.safetensors", &["should end in .onnx"]),
        (exporting, "x.pkl", &["torch.save"]),
        (exporting, "x.h5", &["safetensors.numpy.load_file"]),
        (exporting, "x.csv", &["gannet sample"]),
        (exporting, "x", &["should end in .safetensors"]),
        ("report run run --out", "x.pdf", &["should end in .html or .htm", "browser"]),
        ("report run run --out", "x.txt", &["should end in .html"]),
        ("report run --out", "x", &["should end in .html"]),
        ("report run --out", "-", &["should end in .html"]),
        ("sample run --out", "x.parquet", &["should end in .npy, .csv or .png", "pandas"]),
        ("sample run --out", "x.npz", &["numpy.load"]),
        ("sample run --format png --out", "x.csv", &["should end in .png"]),
    ] {
        place.fail(&format!("{command} {name}"), 2, parts);
        place.fail(&format!("{command} {name} --force"), 2, parts);
    }
    assert_eq!(names(&place.path("")), ["run"]);
    place.succeed("export run --out x.SAFETENSORS");
    place.succeed("report run run --out x.htm");
}

#[test]
fn standard_output_carries_the_data_and_nothing_else() {
    let place = with_run();
    for (arguments, name) in
        [("", "x.csv"), (" --format csv", "y.csv"), (" --format npy", "x.npy"), (" --format png", "x.png")]
    {
        place.succeed(&format!("sample run --count 50 --seed 3 --out {name}"));
        let output = place
            .command(&format!("sample run --checkpoint last --count 50 --seed 3 --out -{arguments}"))
            .output()
            .unwrap();
        assert!(output.status.success() && output.stdout == place.bytes(name), "{name}");
        assert_eq!(output.stderr, b"", "{name}");
    }
    place.succeed("export run --network generator --out x.safetensors");
    let output = place.command("export run --checkpoint last --network generator --out -").output().unwrap();
    assert!(output.status.success() && output.stdout == place.bytes("x.safetensors"));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("generator = nn.Sequential("));
    // A reader that has seen enough is no failure.
    for format in ["csv", "npy"] {
        let command = place.command(&format!("sample run --checkpoint last --count 200000 --out - --format {format}"));
        let mut child = Command::new(command.get_program());
        let child =
            child.current_dir(place.path("")).args(command.get_args()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{format}");
    }
}

#[test]
fn what_comes_from_outside_does_not_command_the_terminal() {
    let place = with_run();
    let evil = "a\u{1b}[2J\u{9b}31m\u{7}b\u{202e}";
    place.write(&format!("{evil}.csv"), format!("{evil},y\n1,2\n3,5\n4,4\n2,8\n"));
    let data = format!("{evil}.csv");
    let runs: &[&[&str]] = &[
        &["sample", "run", "--count", "3", "--out", &format!("{evil}2.csv")],
        &["sample", "run", "--count", "3", "--out", &format!("{evil}.txt")],
        &["sample", evil, "--out", "x.csv"],
        &["train", evil],
        &["train", &data, "--steps", "5", "--out", evil],
        &["train", "--resume", evil],
        &["evaluate", evil],
        &["evaluate", evil, "--json"],
        &["train", "circle", "--objective", evil],
        &["report", evil],
        &["report", &format!("{evil}{evil}")],
        &["export", evil, "--out", &format!("{evil}.safetensors")],
        &["config", &data],
        &["man", evil],
    ];
    for arguments in runs {
        let output = place.command("").args(*arguments).output().unwrap();
        for text in [output.stdout, output.stderr] {
            let text = String::from_utf8(text).unwrap();
            let spoils = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.contains(spoils), "{arguments:?}: {text:?}");
        }
    }
}
