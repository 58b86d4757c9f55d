//! What the list and the report of several runs say about runs whose settings were changed on the way, and about their length.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::place::Place;

fn list(place: &Place, folder: &str) -> Vec<Value> {
    serde_json::from_str(&place.succeed(&format!("runs {folder} --json"))).unwrap()
}

#[test]
fn settings_that_were_changed_on_the_way_are_told_with_their_step() {
    let place = Place::new();
    let begin = |rate: &str, more: &str, out: &str| {
        place.succeed(&format!("train circle --points 300 --learning-rate {rate} --quiet --out {out} {more}"));
    };
    let change = |more: &str, out: &str| {
        place.succeed(&format!("train --resume {out} --override --quiet {more}"));
    };
    begin("0.001", "--steps 1200", "all/a");
    change("--steps 1300 --learning-rate 0.0005", "all/a");
    change("--steps 1310 --learning-rate 0.001 --batch 16", "all/a");
    // The same settings in the end.
    begin("0.001", "--steps 1310 --batch 16", "all/b");
    begin("0.001", "--steps 4 --replicas 2", "all/c");
    change("--steps 6 --batch 16", "all/c");
    let told = list(&place, "all");
    assert_eq!(told[0]["settings"]["learning_rate"], "0.001, 0.0005 from step 1,200, 0.001 from step 1,300");
    assert_eq!(told[0]["settings"]["batch"], "32, 16 from step 1,300");
    assert_eq!(told[1]["settings"]["batch"], "16");
    assert_eq!(told[2]["settings"]["batch"], "32, 16 from step 4");
    let repeats: Vec<_> = told.iter().map(|run| run["repeats"].as_bool()).collect();
    assert_eq!(repeats, [Some(false), Some(true), Some(false)], "{told:?}");
    assert!(place.succeed("runs all").contains("learning_rate=0.001, 0.0005 from step 1,200"));
    place.succeed("report all/a all/b --out two.html");
    let page = place.read("two.html");
    assert!(page.contains("gan.generator_optimizer.learning_rate: 0.001, 0.0005 from step 1,200"));
    assert!(page.contains("run.batch: 32, 16 from step 1,300") && !page.contains("None: all that are known"));
    fs::rename(place.path("all/b/legs.json"), place.path("kept")).unwrap();
    assert!(list(&place, "all")[1]["repeats"].is_null());
}

#[test]
fn a_killed_extension_tells_the_steps_of_its_epochs() {
    let place = Place::new();
    place.succeed("train circle --points 320 --epochs 2 --batch 32 --quiet --out all/run");
    let mut child = Command::new(env!("CARGO_BIN_EXE_gannet"))
        .current_dir(place.path(""))
        .args("train --resume all/run --epochs 1000000 --quiet".split(' '))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !place.read("all/run/config.toml").contains("\nepochs = 1000000") {
        sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let run = list(&place, "all").remove(0);
    assert_eq!(
        (run["status"].as_str(), run["planned_steps"].as_u64()),
        (Some("interrupted"), Some(10_000_000)),
        "{run}"
    );
}

#[test]
fn one_replica_is_in_the_singular() {
    let place = Place::new();
    let outcome = place.run("train circle --points 300 --steps 2 --replicas 1 --out all/one");
    assert!(outcome.stderr.contains("training 1 replica of circle"), "{outcome:?}");
    assert!(outcome.stdout.contains(": 1 replica of 2 steps"), "{outcome:?}");
    assert!(!place.succeed("runs all").contains("1 replicas"));
}
