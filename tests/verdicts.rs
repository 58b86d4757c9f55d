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

/// A table whose column `flag` is 1 in a fifth of the rows.
fn flagged(place: &Place) {
    let rows: String = (0..400u32).map(|row| format!("{},{}\n", row * 37 % 101, u8::from(row * 7 % 10 < 2))).collect();
    place.write("rows.csv", format!("x,flag\n{rows}"));
}

#[test]
fn a_lost_value_gives_its_column_and_the_run_their_verdicts() {
    let place = Place::new();
    flagged(&place);
    // D hardly learns, so that G settles on one place.
    let settings = "--steps 1600 --generator-learning-rate 0.005 --discriminator-learning-rate 0.00002 --batch 64";
    let outcome = place.run(&format!("train rows.csv {settings} --quiet --json --out run"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let columns = told["columns"].as_array().unwrap();
    assert_eq!(columns.iter().map(|column| column["name"].as_str().unwrap()).collect::<Vec<_>>(), ["x", "flag"]);
    let flag = &columns[1];
    assert_eq!(flag["verdict"], "lost values", "{told}");
    assert!((flag["values"][1]["real"].as_f64().unwrap() - 0.2).abs() < 1e-9, "{told}");
    assert_eq!((flag["values"][0]["value"].as_f64(), flag["values"][1]["value"].as_f64()), (Some(0.0), Some(1.0)));
    assert_eq!(told["verdict"], "collapse suspected", "{told}");
    assert!(outcome.stderr.lines().count() == 1 && outcome.stderr.contains("flag ("), "{outcome:?}");
    assert!(place.read("run/evaluation.csv").trim_end().ends_with(",collapse suspected"));
    // The model alone says the same, with the run's record or without it.
    for run in ["run", "run/model.safetensors"] {
        let evaluated = place.json(&format!("evaluate {run} --json"));
        assert_eq!((&evaluated["verdict"], &evaluated["columns"][1]["verdict"]), (&told["verdict"], &flag["verdict"]));
    }
    let text = place.succeed("evaluate run");
    assert!(text.contains("verdict  collapse suspected: ") && text.contains("lost values"), "{text}");
}

#[test]
fn references_are_those_of_the_same_length_and_settings() {
    let place = Place::new();
    let whole = place.succeed("train gaussian2d --out whole");
    assert!(whole.contains("reference: median (5 to 95 %)") && whole.contains("0.072 (0.020 to 0.252)"), "{whole}");
    assert!(!whole.contains("no reference"), "{whole}");
    let short = place.succeed("train gaussian2d --steps 100 --out short");
    assert!(short.contains("no reference for this length") && !short.contains("0.020 to"), "{short}");
    let other = place.succeed("train gaussian2d --batch 16 --out other");
    assert!(other.contains("no reference for these settings") && !other.contains("0.020 to"), "{other}");
    let evaluated = place.json("evaluate whole --json");
    assert_eq!(evaluated["references"]["covariance_error"], "0.072 (0.020 to 0.252)");
}
