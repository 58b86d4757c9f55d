//! `--memory-limit` is the most that a run takes: the peak of the whole process stays below what was planned, and a run whose
//! plan is above the limit is refused before it takes memory.
//!
//! A small program of its own: what the system tells of a child's peak begins with the memory of the one that started it.
#![cfg(target_os = "linux")]

#[path = "program/place.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod place;

use std::process::{Command, Stdio};

use place::{Place, idx};

/// The exit code of the program, its standard error, and the most memory that it had, in bytes.
fn peak(place: &Place, arguments: &str) -> (i32, String, u64) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gannet"));
    command.current_dir(place.path("")).args(arguments.split_whitespace()).stdout(Stdio::null());
    // A file, not a pipe: nobody reads until the process has ended.
    let told = place.path("stderr.txt");
    let mut child = command.stderr(std::fs::File::create(&told).unwrap()).spawn().unwrap();
    let mut status = 0;
    // SAFETY: all zeros are a value of this plain C structure.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to values of the right types that live through the call; the child is ours and nobody else's.
    let waited = unsafe { libc::wait4(child.id() as libc::pid_t, &raw mut status, 0, &raw mut usage) };
    assert_eq!(waited, child.id() as libc::pid_t);
    // It has been waited for above, so that there is nothing left to wait for.
    assert!(child.wait().is_err());
    (libc::WEXITSTATUS(status), std::fs::read_to_string(told).unwrap(), 1024 * usage.ru_maxrss as u64)
}

/// An NPY file of `f4` values that vary; without columns the head of one of three.
fn npy(rows: usize, columns: usize) -> Vec<u8> {
    let shape = if columns == 0 { 3 } else { columns };
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {shape}), }}\n");
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend((0..rows * columns).flat_map(|index| ((index as f32 * 0.61).sin() * 3.0 + 1.0).to_le_bytes()));
    bytes
}

const MIB: f64 = 1_048_576.0;

/// The bytes that `--plan` tells, to a tenth of a MiB.
fn planned(place: &Place, arguments: &str) -> f64 {
    let plan = place.succeed(&format!("train {arguments} --plan"));
    let line = plan.lines().find(|line| line.starts_with("memory ")).unwrap_or_else(|| panic!("{plan}")).to_string();
    let (line, before) = line.split_once(';').unwrap_or((&line, ""));
    let numbers = |text: &str| text.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<f64>>();
    let parts = numbers(line);
    let (sum, parts) = parts.split_first().unwrap();
    for name in ["program", "data", "training", "snapshots", "evaluation", "pictures", "pages", "saving"] {
        assert!(line.contains(name), "{line}");
    }
    assert!((sum - parts.iter().sum::<f64>()).abs() < 0.5, "{line}");
    numbers(before).into_iter().fold(*sum, f64::max) * MIB
}

#[test]
fn the_peak_of_a_run_stays_below_its_plan_and_limit() {
    let place = Place::new();
    place.write("wide.npy", npy(200, 4_000));
    place.write("widest.npy", npy(100, 15_500));
    place.write("long.npy", npy(150_000, 3));
    let text: String = (0..50_000).map(|row| format!("{},{}\n", f64::from(row).sin(), f64::from(row).cos())).collect();
    place.write("long.csv", text);
    let row = |row: u32| format!("{}.5,{},{},{}\n", row % 9973, row % 7919, ["a", "b", "c"][(row % 3) as usize], row);
    place.write("mixed.csv", "x,y,kind,z\n".to_string() + &(0..200_000).map(row).collect::<String>());
    place.write("images", idx(&[1_000, 28, 28], &[0, 90, 255, 17].repeat(1_000 * 196)));
    place.write_mnist("mnist", 28);
    let mut failures = Vec::new();
    for how in [
        "wide.npy --steps 9",
        "widest.npy --steps 4",
        "long.npy --steps 9",
        "long.csv --steps 9",
        "mixed.csv --steps 9 --kind z=integer",
        "images --steps 6",
        "circle --steps 30",
        "digits --steps 9",
        "mnist --data mnist --batch 8 --steps 6",
        "circle --replicas 3 --steps 9",
        "circle --replicas 30 --steps 3",
    ] {
        let how = format!("{how} --evaluate-every 3 --threads 2");
        let limit = planned(&place, &how) + 0.1 * MIB;
        let (code, told, peak) = peak(&place, &format!("train {how} --quiet --memory-limit {limit:.0}"));
        println!("{how}: {:.1} MiB of {:.1}", peak as f64 / MIB, limit / MIB);
        if code != 0 || peak as f64 > limit {
            failures.push((how, code, told, peak as f64 / MIB, limit / MIB));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn a_run_above_its_limit_is_refused_before_it_takes_memory() {
    let place = Place::new();
    place.write("wide.npy", npy(200, 4_000));
    // Holes take no memory here, which a child's peak would count.
    let with_hole = |name: &str, head: Vec<u8>, len: u64| {
        place.write(name, &head);
        std::fs::File::options().write(true).open(place.path(name)).unwrap().set_len(head.len() as u64 + len).unwrap();
    };
    let head = |rows: usize| npy(rows, 0);
    with_hole("long.npy", head(5_000_000), 5_000_000 * 12);
    with_hole("images", idx(&[60_000, 28, 28], &[]), 60_000 * 784);
    for (how, limit, parts) in [
        ("wide.npy", 60.0, &["memory: the run takes", "training", "snapshots", "or raise --memory-limit"][..]),
        (
            "circle --replicas 500 --steps 5",
            60.0,
            &["memory: the run takes", "pages", "train fewer replicas at a time"],
        ),
        ("circle --points 100000000", 60.0, &["points: it takes", "raise --memory-limit"]),
        ("long.npy", 60.0, &["long.npy: it takes", "fewer rows or columns"]),
        ("images", 50.0, &["images: it takes", "raise --memory-limit"]),
        ("circle", 5.0, &["memory: the program alone takes"]),
    ] {
        let (code, told, peak) = peak(&place, &format!("train {how} --threads 2 --memory-limit {:.0}", limit * MIB));
        assert_ne!(code, 0, "{how}");
        assert!(told.starts_with("error: ") && told.lines().count() == 1, "{told}");
        assert!(parts.iter().all(|part| told.contains(part)), "{how}: {told}");
        assert!(peak as f64 <= MIB * f64::max(limit, 30.0), "{how}: {:.1} MiB", peak as f64 / MIB);
    }
    assert!(!place.path("runs").exists());
}

/// Rows are filled block by block: a hundred times as many take no more memory.
#[test]
fn rows_of_any_number_are_filled_in_the_same_memory() {
    let place = Place::new();
    let row = |row: u32| format!("{},{}.5\n", ["a", "b", "c"][(row % 3) as usize], row * 7 % 997);
    place.write("run.csv", "kind,x\n".to_string() + &(0..2_000).map(row).collect::<String>());
    place.succeed("train run.csv --steps 5 --threads 1 --quiet --out run");
    let mut peaks = Vec::new();
    for (name, rows) in [("few.csv", 10_000), ("many.csv", 1_000_000)] {
        place.write(name, "kind\n".to_string() + &"a\nc\n".repeat(rows / 2));
        let (code, told, peak) = peak(&place, &format!("sample run --like {name} --out filled-{name}"));
        assert_eq!(code, 0, "{told}");
        peaks.push(peak as f64 / MIB);
    }
    assert!(peaks[1] < peaks[0] + 4.0, "{peaks:?} MiB");
    assert_eq!(place.read("filled-many.csv").lines().count(), 1_000_001);
}

/// Whether a process ended for want of less memory than 64 KiB.
fn small(told: &str) -> bool {
    let bytes = told.split_once("memory allocation of ").and_then(|(_, rest)| rest.split_once(' '));
    bytes.is_some_and(|(bytes, _)| bytes.parse::<u64>().is_ok_and(|bytes| bytes < 1 << 16))
}

/// Where the system refuses memory, reading and measuring end with an error, whatever the system has left.
#[test]
fn refused_memory_is_an_error() {
    let place = Place::new();
    place.write("wide.npy", npy(600, 2_000));
    place.succeed("train wide.npy --steps 2 --threads 1 --quiet --out run");
    let mut refused = 0;
    for arguments in ["evaluate run", "train wide.npy --plan --threads 1", "evaluate run --samples 30000"] {
        for limit in (12..60).step_by(6).chain((64..200).step_by(8)) {
            let mut command = Command::new("sh");
            let program = env!("CARGO_BIN_EXE_gannet");
            command.current_dir(place.path("")).arg("-c");
            command.arg(format!("ulimit -v {}; exec {program} {arguments}", limit * 1024));
            let output = command.output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            match output.status.code() {
                Some(0) => {}
                Some(1) => {
                    assert!(told.starts_with("error: ") && told.trim_end().lines().count() == 1, "{told}");
                    refused += 1;
                }
                // The system could not even load the program.
                Some(127 | 126) if !told.contains("memory allocation") => {}
                // What every program needs in small pieces.
                None if small(&told) => {}
                other => panic!("{arguments} with {limit} MiB: {other:?} {:?} {told}", output.status),
            }
        }
    }
    assert!(refused > 1, "{refused}");
}

/// Where the system limits the address space, a command works, or ends with one line: it is never cut off by what it draws with.
#[test]
fn a_limited_address_space_ends_nothing_half_way() {
    let place = Place::new();
    place.succeed("train circle --steps 20 --threads 1 --quiet --out run");
    let plan = planned(&place, "circle --steps 20 --evaluate-every 5");
    let needed = (plan / MIB) as u64 + 97;
    let limits = [20, 24, 32, 40, 48, 56, 63, 64, 72, 96, 120, needed, needed + 40, needed + 80, needed + 160, 600];
    let mut trained = 0;
    for (number, arguments) in [
        "train circle --steps 20 --evaluate-every 5 --quiet --out new",
        "sample run --count 500 --force --out s.png",
        "report run",
        "runs .",
        "evaluate run",
    ]
    .iter()
    .enumerate()
    {
        for limit in limits {
            std::fs::remove_dir_all(place.path("new")).ok();
            let program = env!("CARGO_BIN_EXE_gannet");
            let mut command = Command::new("sh");
            command.current_dir(place.path("")).arg("-c");
            command.arg(format!("ulimit -v {}; exec {program} {arguments}", limit * 1024));
            let output = command.output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            let works = if number == 0 { limit >= needed } else { limit >= 64 };
            if works {
                assert_eq!(output.status.code(), Some(0), "{arguments} with {limit} MiB: {told}");
                trained += u64::from(number == 0);
            } else {
                assert_eq!(output.status.code(), Some(1), "{arguments} with {limit} MiB: {told}");
                assert!(told.starts_with("error: memory: ") && told.trim_end().lines().count() == 1, "{told}");
                assert!(told.contains("address space") && told.contains("ulimit -v"), "{told}");
            }
        }
    }
    assert!(trained >= 5, "{trained}");
    // Replicas draw side by side, and the allocator sets memory aside for each.
    for limit in (100..400).step_by(20) {
        std::fs::remove_dir_all(place.path("new")).ok();
        let program = env!("CARGO_BIN_EXE_gannet");
        let arguments = "train circle --replicas 3 --steps 20 --evaluate-every 5 --quiet --out new";
        let mut command = Command::new("sh");
        command.current_dir(place.path("")).arg("-c");
        command.arg(format!("ulimit -v {}; exec {program} {arguments}", limit * 1024));
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0) if limit > 200 => {}
            Some(1) => assert!(told.starts_with("error: memory: ") && told.trim_end().lines().count() == 1, "{told}"),
            other => panic!("replicas with {limit} MiB: {other:?} {told}"),
        }
    }
    // A limit of the run that is lower is the one to tell.
    let outcome = place.run("train circle --memory-limit 30MiB");
    assert!(
        outcome.stderr.contains("the limit of 31457280 bytes (30.0 MiB)") && outcome.stderr.contains("--memory-limit"),
        "{outcome:?}"
    );
}
