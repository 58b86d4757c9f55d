//! What a run came to stays while it goes on, until newer files take the places of the old ones; and no command calls it
//! finished at other steps than its model has.
#![cfg(unix)]

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::place::Place;

const SETTINGS: &str = "circle --steps 60 --points 300 --checkpoint-steps 20 --no-tensorboard --quiet";

/// What `sample` says of the state that it took.
fn note(place: &Place, run: &str) -> String {
    let outcome = place.run(&format!("sample {run} --count 3 --out taken.csv --force"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    outcome.stderr
}

/// The samples of the state `checkpoint`, and those that are taken unasked.
fn check_taken(place: &Place, run: &str, checkpoint: &str) {
    note(place, run);
    place.succeed(&format!("sample {run} --count 3 --out chosen.csv --force --checkpoint {checkpoint}"));
    assert_eq!(place.read("taken.csv"), place.read("chosen.csv"), "{run} {checkpoint}");
}

fn json(place: &Place, name: &str) -> Value {
    serde_json::from_str(&place.read(name)).unwrap()
}

/// What `gannet runs` tells of the only run: status and steps.
fn listed(place: &Place) -> (String, u64) {
    let list = place.json("runs . --json");
    let run = &list[0];
    (run["status"].as_str().unwrap().to_string(), run["steps"].as_u64().unwrap())
}

fn start(place: &Place, arguments: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gannet"));
    command.current_dir(place.path("")).args(arguments.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Waits until the run has a checkpoint after the step `step`.
fn wait_for_checkpoint_after(place: &Place, run: &str, step: u64, child: &mut Child) {
    let later = |name: &String| {
        let of = name.strip_prefix("step-").and_then(|name| name.strip_suffix(".safetensors"));
        of.is_some_and(|of| of.parse::<u64>().unwrap() > step)
    };
    while !place.files(&format!("{run}/checkpoints")).iter().any(later) {
        assert_eq!(child.try_wait().unwrap(), None, "it ended");
        sleep(Duration::from_millis(5));
    }
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Blocks the picture of an evaluation, at which the run then fails.
fn block(place: &Place, run: &str, step: u64) {
    fs::create_dir_all(place.path(&format!("{run}/samples/step-{step:06}.png/mine"))).unwrap();
}

fn unblock(place: &Place, run: &str, step: u64) {
    fs::remove_dir_all(place.path(&format!("{run}/samples/step-{step:06}.png"))).unwrap();
}

#[test]
fn a_run_that_is_extended_and_killed_has_its_old_end() {
    let place = Place::new();
    place.succeed(&format!("train {SETTINGS} --out run"));
    let (model, told) = (place.bytes("run/model.safetensors"), place.bytes("run/run.json"));
    assert_eq!(json(&place, "run/run.json")["model_step"], 60);
    let mut child = start(&place, "train --resume run --steps 100000000 --quiet");
    wait_for_checkpoint_after(&place, "run", 60, &mut child);
    assert!(place.bytes("run/model.safetensors") == model && place.bytes("run/run.json") == told, "while it goes on");
    assert_eq!(listed(&place).0, "running");
    kill(child);
    assert!(place.bytes("run/model.safetensors") == model && place.bytes("run/run.json") == told, "killed");
    // Nothing calls it finished.
    let (status, steps) = listed(&place);
    assert!(status == "interrupted" && steps > 60, "{status} {steps}");
    place.succeed("report run");
    let page = place.read("run/report.html");
    assert!(page.contains("No end of this run is recorded") && !page.contains("SHA-256 of model.safetensors"));
    // The later state is taken, and it is told that there is another.
    let told = note(&place, "run");
    for part in ["has not ended", "this is its checkpoint of step", "model.safetensors is of step 60"] {
        assert!(told.contains(part), "{told}");
    }
    check_taken(&place, "run", "last");
    assert!(place.run("evaluate run").stderr.contains("has not ended"));
    // Its new end replaces the old one.
    let reached =
        place.read("run/metrics.csv").lines().last().unwrap().split(',').next().unwrap().parse::<u64>().unwrap();
    place.succeed(&format!("train --resume run --steps {} --quiet", reached + 200));
    let told = json(&place, "run/run.json");
    assert_eq!((&told["steps"], &told["model_step"]), (&Value::from(reached + 200), &Value::from(reached + 200)));
    assert_eq!(listed(&place), ("finished".to_string(), reached + 200));
    assert!(!note(&place, "run").contains("has not ended"));
}

#[test]
fn a_run_that_is_extended_and_fails_tells_the_step_of_its_model() {
    let place = Place::new();
    place.succeed(&format!("train {SETTINGS} --out run"));
    let model = place.bytes("run/model.safetensors");
    block(&place, "run", 90);
    place.fail("train --resume run --steps 120 --evaluate-every 30 --quiet", 1, &["step-000090.png"]);
    let told = json(&place, "run/run.json");
    assert!(place.bytes("run/model.safetensors") == model);
    assert_eq!((&told["status"], &told["model_step"]), (&"failed".into(), &60.into()), "{told}");
    assert!(place.read("run/report.html").contains("SHA-256 of model.safetensors, of step 60"));
    assert!(note(&place, "run").contains("failed after step"));
    check_taken(&place, "run", "80");
    unblock(&place, "run", 90);
    place.succeed("train --resume run --quiet");
    assert_eq!(json(&place, "run/run.json")["model_step"], 120);
    assert!(place.bytes("run/model.safetensors") != model);
}

#[test]
fn only_the_end_of_a_course_that_was_left_goes() {
    let place = Place::new();
    place.succeed(&format!("train {SETTINGS} --keep 9 --out run"));
    let model = place.bytes("run/model.safetensors");
    // On from its end with other settings: the end stays.
    place.fail("train --resume run --steps 70 --learning-rate 1e30 --override --quiet", 1, &["finite"]);
    assert!(place.bytes("run/model.safetensors") == model);
    // Back to the checkpoint before it.
    fs::remove_file(place.path("run/checkpoints/step-000000060.safetensors")).unwrap();
    place.fail("train --resume run --steps 70 --learning-rate 2e30 --override --quiet", 1, &["finite"]);
    assert!(!place.path("run/model.safetensors").exists());
    let told = json(&place, "run/run.json");
    assert_eq!((&told["model_step"], &told["model_sha256"]), (&Value::Null, &Value::Null), "{told}");
    assert!(note(&place, "run").contains("this is its checkpoint of step"));
}

#[test]
fn a_note_names_the_state_that_was_taken() {
    let place = Place::new();
    place.succeed(&format!("train {SETTINGS} --evaluate-every 20 --keep 9 --out run"));
    // Only an earlier checkpoint is left, and the run is cut short on its way back to its end.
    for step in [40, 60] {
        fs::remove_file(place.path(&format!("run/checkpoints/step-{step:09}.safetensors"))).unwrap();
    }
    fs::remove_file(place.path("run/samples/step-000040.png")).unwrap();
    block(&place, "run", 40);
    place.fail("train --resume run --quiet", 1, &["step-000040.png"]);
    let told = note(&place, "run");
    assert!(
        told.contains("has gone back to step 20 and not ended; this is its model.safetensors, of step 60"),
        "{told}"
    );
    // It leaves that course, and is cut short again.
    unblock(&place, "run", 40);
    place.fail("train --resume run --steps 50 --learning-rate 1e30 --override --quiet", 1, &["finite"]);
    let told = note(&place, "run");
    assert!(
        told.contains("failed after step 20; this is its checkpoint of step 20") && !told.contains("of step 60"),
        "{told}"
    );
}

#[test]
fn replicas_keep_their_common_end() {
    let place = Place::new();
    place.succeed(&format!("train {SETTINGS} --replicas 2 --out two"));
    let told = place.bytes("two/run.json");
    let mut child = start(&place, "train --resume two --steps 100000000 --quiet");
    wait_for_checkpoint_after(&place, "two/replica-000", 60, &mut child);
    assert!(place.bytes("two/run.json") == told);
    kill(child);
    assert!(place.bytes("two/run.json") == told);
    assert_eq!(listed(&place).0, "interrupted");

    // An old one does not pass for the new one.
    place.succeed(&format!("train {SETTINGS} --replicas 2 --out other"));
    place.succeed("train --resume other --steps 90 --quiet");
    place.write("other/run.json", told);
    place.succeed("train --resume other --quiet");
    assert_eq!(json(&place, "other/run.json")["steps"], 90);
    // Nor does one that tells of fewer replicas.
    place.write("other/run.json", r#"{"status": "finished", "steps": 90, "replicas": []}"#);
    place.succeed("train --resume other --quiet");
    assert_eq!(json(&place, "other/run.json")["replicas"].as_array().unwrap().len(), 2);
}
