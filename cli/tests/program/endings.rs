//! The end of a run that is cut short: what is missing comes back, and the run's summary is that of an undisturbed run.
#![cfg(unix)]

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::place::Place;

const SETTINGS: &str = "circle --steps 40 --points 300 --evaluate-every 20 --quiet";

/// What a run leaves at its end, in this order.
const LEFT: [&str; 7] = [
    "samples/step-000040.png",
    "model.safetensors",
    "samples.png",
    "losses.png",
    "learning.png",
    "run.json",
    "report.html",
];

/// What a run came to, without its name, its times and what is said about its processes.
fn told(place: &Place, run: &str) -> Value {
    let mut told: Value = serde_json::from_str(&place.read(&format!("{run}/run.json"))).unwrap();
    let fields = told.as_object_mut().unwrap();
    for name in ["run", "seconds", "total_seconds", "paused_seconds", "samples_per_second", "leg", "threads"] {
        assert!(fields.remove(name).is_some_and(|value| !value.is_null()), "{name}");
    }
    // None of them is there in a run without: a failure, a penalty, an early end.
    for (name, value) in fields.iter().filter(|(name, _)| !["error", "penalty", "early_stop"].contains(&name.as_str()))
    {
        assert!(!value.is_null(), "{name} is null");
    }
    told
}

/// What a page holds that is to be made again: it waits for a process.
const LIVE: &str = "class=\"live\"";

/// Whether the file `name` of `run` is there, as the end of a run leaves it.
fn is_left(place: &Place, run: &str, name: &str) -> bool {
    let name = format!("{run}/{name}");
    place.path(&name).is_file() && !(name.ends_with(".html") && place.read(&name).contains(LIVE))
}

/// Checks that `run` is as whole as `whole`.
fn check_whole(place: &Place, run: &str, about: &str) {
    for name in LEFT {
        assert!(is_left(place, run, name), "{about}: {name} is missing");
    }
    assert_eq!(told(place, run), told(place, "whole"), "{about}");
    for name in
        ["model.safetensors", "metrics.csv", "evaluation.csv", "samples.png", "samples/step-000040.png", "learning.png"]
    {
        assert!(
            place.bytes(&format!("{run}/{name}")) == place.bytes(&format!("whole/{name}")),
            "{about}: {name} differs"
        );
    }
}

#[test]
fn a_run_that_was_killed_at_its_end_is_completed() {
    let place = Place::new();
    place.succeed(&format!("train {SETTINGS} --out whole"));
    let mut caught = 0;
    for name in LEFT.into_iter().chain(["checkpoints/step-000000040.safetensors"]) {
        for _ in 0..3 {
            let mut command = Command::new(env!("CARGO_BIN_EXE_gannet"));
            let arguments = format!("train {SETTINGS} --out run");
            command.current_dir(place.path("")).args(arguments.split_whitespace());
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            while !is_left(&place, "run", name) && child.try_wait().unwrap().is_none() {}
            child.kill().unwrap();
            child.wait().unwrap();
            caught += usize::from(!LEFT.iter().all(|name| is_left(&place, "run", name)));
            place.succeed("train --resume run --quiet");
            check_whole(&place, "run", &format!("killed at {name}"));
            fs::remove_dir_all(place.path("run")).unwrap();
        }
    }
    assert!(caught > 5, "only {caught} kills came before the end");
}

#[test]
fn a_page_does_not_wait_for_a_run_that_was_killed_at_its_very_end() {
    let place = Place::new();
    place.succeed(&format!("train {SETTINGS} --out run"));
    place.succeed(&format!("train {SETTINGS} --replicas 2 --out two"));
    for (run, pages) in [("run", &["run"][..]), ("two", &["two", "two/replica-000", "two/replica-001"])] {
        for page in pages {
            assert!(is_left(&place, page, "report.html"), "{page}");
            let text = place.read(&format!("{page}/report.html"));
            place.write(&format!("{page}/report.html"), text.replace("</body>", &format!("<p {LIVE}></p></body>")));
            assert!(!is_left(&place, page, "report.html"), "{page}");
        }
        let outcome = place.run(&format!("train --resume {run}"));
        assert!(outcome.code == Some(0) && outcome.stderr.contains("has all its 40 steps"), "{outcome:?}");
        pages.iter().for_each(|page| assert!(is_left(&place, page, "report.html"), "{page}"));
    }
}

#[test]
fn whatever_is_missing_comes_back() {
    let place = Place::new();
    place.succeed(&format!("train {SETTINGS} --out whole"));
    place.succeed(&format!("train {SETTINGS} --out run"));
    let legs = place.bytes("run/legs.json");
    let end: Value = serde_json::from_str(&place.read("run/run.json")).unwrap();
    for name in LEFT {
        fs::remove_file(place.path(&format!("run/{name}"))).unwrap();
        let outcome = place.run("train --resume run");
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(outcome.stderr.contains("has all its 40 steps") && outcome.stderr.contains(name), "{outcome:?}");
        assert!(!outcome.stderr.contains("training"), "{outcome:?}");
        check_whole(&place, "run", &format!("without {name}"));
        // No process trained: times and rates are those of the ones that did.
        assert!(place.bytes("run/legs.json") == legs, "without {name}");
        let told: Value = serde_json::from_str(&place.read("run/run.json")).unwrap();
        assert_eq!(told, end, "without {name}");
    }
    let outcome = place.run("train --resume run");
    assert!(outcome.code == Some(0) && outcome.stderr.contains("has all its 40 steps"), "{outcome:?}");
    // Replicas, whose common files stand above them.
    place.succeed(&format!("train {SETTINGS} --replicas 2 --out two"));
    for name in ["run.json", "report.html", "replica-001/report.html", "replica-000/model.safetensors"] {
        fs::remove_file(place.path(&format!("two/{name}"))).unwrap();
        place.succeed("train --resume two --quiet");
        assert!(place.path(&format!("two/{name}")).is_file(), "{name}");
    }
    let outcome = place.run("train --resume two");
    assert!(outcome.code == Some(0) && outcome.stderr.contains("has all its 40 steps"), "{outcome:?}");
}

#[test]
fn tables_that_are_gone_are_told_of() {
    let place = Place::new();
    place.succeed(&format!("train {SETTINGS} --out run"));
    let end = place.read("run/run.json");
    for table in ["run/metrics.csv", "run/evaluation.csv"] {
        let rows = place.bytes(table);
        // Gone, or with its header alone.
        for left in [None, Some("header\n")] {
            match left {
                None => fs::remove_file(place.path(table)).unwrap(),
                Some(_) => place.write(table, place.read(table).lines().next().unwrap().to_string() + "\n"),
            }
            for missing in [None, Some("samples.png"), Some("report.html")] {
                missing.iter().for_each(|name| fs::remove_file(place.path(&format!("run/{name}"))).unwrap());
                let outcome = place.run("train --resume run --quiet");
                assert_eq!(outcome.code, Some(0), "{outcome:?}");
                for part in [table, "do not come back", "gannet train run/config.toml"] {
                    assert!(outcome.stderr.contains(part), "{missing:?}: {outcome:?}");
                }
                assert!(missing.is_none_or(|name| is_left(&place, "run", name)), "{missing:?}");
                assert_eq!(place.read("run/run.json"), end, "{missing:?}");
                assert_eq!(place.path(table).is_file(), left.is_some(), "{missing:?}");
            }
            place.write(table, &rows);
        }
    }
    // A run that goes further begins a new one.
    fs::remove_file(place.path("run/evaluation.csv")).unwrap();
    let outcome = place.run("train --resume run --steps 60 --quiet");
    assert!(outcome.code == Some(0) && outcome.stderr.contains("do not come back"), "{outcome:?}");
    assert!(place.read("run/evaluation.csv").lines().last().unwrap().starts_with("60,"));
}

#[test]
fn a_file_that_cannot_be_written_is_written_later() {
    let place = Place::new();
    place.succeed(&format!("train {SETTINGS} --out whole"));
    place.succeed(&format!("train {SETTINGS} --out run"));
    for name in LEFT {
        let path = place.path(&format!("run/{name}"));
        fs::remove_file(&path).unwrap();
        // Nothing takes the place of a folder that is not empty.
        fs::create_dir_all(path.join("mine")).unwrap();
        let outcome = place.run("train --resume run --quiet");
        assert_eq!(outcome.code, Some(1), "{name}: {outcome:?}");
        assert!(outcome.stderr.contains(name), "{name}: {outcome:?}");
        fs::remove_dir_all(&path).unwrap();
        place.succeed("train --resume run --quiet");
        check_whole(&place, "run", &format!("once {name} can be written"));
    }
}
