//! What the program says of a run's health: in tables, JSON and on standard error.
#![cfg(feature = "cli")]

#[path = "common/program.rs"]
mod program;

use program::Place;
use serde_json::Value;

#[test]
fn a_run_that_fails_prints_its_object_and_the_error() {
    let place = Place::new();
    let outcome = place.run("train gaussian2d --learning-rate 1e30 --quiet --json --out run");
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((told["status"].as_str(), told["verdict"].as_str()), (Some("failed"), Some("failed")), "{told}");
    assert!(told["error"].as_str().unwrap().starts_with("step 1: ") && told["verdict_hint"].is_string(), "{told}");
    assert!(outcome.stderr.starts_with("error: step 1: ") && outcome.stderr.lines().count() == 1, "{outcome:?}");
    let written: Value = serde_json::from_str(&place.read("run/run.json")).unwrap();
    assert_eq!(written, told);
}

#[test]
fn a_run_of_a_few_steps_is_not_healthy_but_early() {
    let place = Place::new();
    let outcome = place.run("train circle --steps 20 --quiet --json --out run");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
    let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(told["verdict"], "too early to tell");
    assert!(told["verdict_hint"].as_str().unwrap().contains("--steps"), "{told}");
    let table = place.read("run/evaluation.csv");
    assert!(table.lines().skip(1).all(|line| line.ends_with(",too early to tell")), "{table}");
}

#[test]
fn replicas_are_counted_by_their_verdicts() {
    let place = Place::new();
    let told = place.json("train circle --steps 20 --replicas 3 --quiet --json --out run");
    assert_eq!(told["verdicts"], serde_json::json!({ "too early to tell": 3 }));
    assert!(told["replicas"].as_array().unwrap().iter().all(|replica| replica["verdict"] == "too early to tell"));
    let text = place.succeed("train circle --steps 20 --replicas 3 --quiet --out other");
    assert_eq!(text, "");
}

#[test]
fn a_run_that_diverged_but_stayed_finite_is_told_of() {
    let place = Place::new();
    let rows: String = (0..60).map(|row| format!("{},{}\n", row % 7, (row * 5) % 11)).collect();
    place.write("rows.csv", rows);
    let outcome = place.run("train rows.csv --steps 900 --learning-rate 5 --quiet --json --out run");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let verdict = told["verdict"].as_str().unwrap();
    assert!(verdict != "healthy" && verdict != "too early to tell", "{told}");
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
    assert!(outcome.stderr.starts_with(&format!("run: {verdict}: ")), "{outcome:?}");
    // Without `--quiet` the text tells it.
    let outcome = place.run("train rows.csv --steps 900 --learning-rate 5 --out other");
    assert!(outcome.stdout.contains(&format!("verdict    {verdict}: ")), "{outcome:?}");
}
