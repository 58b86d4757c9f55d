//! Run folders that gannet wrote until 2026-11-26, with settings as texts that had no version, go on to the bits that they would
//! have come to. `version_1` has a run and two replicas of 16 steps, without their pictures, and in `whole` what the program of that
//! day came to in 32.
//! What a run is measured with is known by its history.

use std::fs;
use std::path::Path;

use gannet::cpu::{Isa, IsaKind};
use serde_json::Value;

use crate::place::Place;
use crate::skip::skip;

fn kept(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/version_1").join(name)
}

/// Copies a kept folder.
fn copy_kept(place: &Place, name: &str) {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let to = to.join(entry.file_name());
            if entry.path().is_dir() { copy(&entry.path(), &to) } else { fs::copy(entry.path(), to).map(drop).unwrap() }
        }
    }
    copy(&kept(name), &place.path(name));
}

/// Whether the processor comes to the bits of the kept runs; says so where it does not.
fn has_bits() -> bool {
    let has_fused = Isa::resolve(Some(IsaKind::Avx2)).is_ok();
    if !has_fused {
        skip("processor with AVX2", "the kept runs are of one, and others come to other bits");
    }
    has_fused
}

/// Whether the folder of a run holds what the old program came to: the model and both tables.
fn assert_whole(place: &Place, run: &str) {
    for file in ["model.safetensors", "metrics.csv", "evaluation.csv"] {
        let expected = fs::read(kept(&format!("whole/{run}/{file}"))).unwrap();
        assert!(place.bytes(&format!("{run}/{file}")) == expected, "{run}/{file}");
    }
}

#[test]
fn a_run_goes_on_to_the_same_bits() {
    if !has_bits() {
        return;
    }
    let place = Place::new();
    copy_kept(&place, "run");
    place.succeed("train --resume run --steps 32 --quiet");
    assert_whole(&place, "run");
    // The history is translated: nothing was changed, and the new leg says what decides it by today's names.
    assert!(place.read("run/config.toml").lines().next().unwrap().contains("repeats its training"));
    let legs: Value = serde_json::from_str(&place.read("run/legs.json")).unwrap();
    assert_eq!((&legs["version"], &legs["legs"][1]["changes"]), (&2.into(), &Value::Array(Vec::new())));
    assert_eq!(legs["settings"]["gan.discriminator.layers[0].slope"], 0.1);
    // It is measured as before; a run that begins today has streams of its own for that.
    assert_eq!(legs["derivation"], "next_seeds");
    place.succeed("train run/config.toml --quiet --out again");
    let again: Value = serde_json::from_str(&place.read("again/legs.json")).unwrap();
    assert_eq!(again["derivation"], "streams");
    assert!(place.bytes("again/model.safetensors") == place.bytes("run/model.safetensors"));
    assert!(place.bytes("again/evaluation.csv") != place.bytes("run/evaluation.csv"));
    let last = place.read("run/evaluation.csv");
    let evaluated = place.json("evaluate run --json")["metrics"]["mean_radius"].as_f64().unwrap();
    assert!(last.lines().last().unwrap().contains(&format!(",{evaluated},")), "{last}: {evaluated}");
    assert_eq!(place.json("runs . --json").as_array().unwrap()[0]["repeats"], true);
    // And once more, from a checkpoint of today.
    place.succeed("train --resume run --steps 33 --quiet");
    place.fail(
        "train --resume run --steps 40 --learning-rate 0.5",
        2,
        &["optimizer.learning_rate was 0.05 and is 0.5"],
    );
}

#[test]
fn what_was_changed_since_is_named() {
    let place = Place::new();
    copy_kept(&place, "run");
    let parts = ["run.batch was 16 and is 8", "allow the change with --override"];
    place.fail("train --resume run --steps 32 --batch 8", 2, &parts);
    place.succeed("train --resume run --steps 32 --batch 8 --override --quiet");
    let legs: Value = serde_json::from_str(&place.read("run/legs.json")).unwrap();
    let change = serde_json::json!([{ "setting": "run.batch", "before": 16, "after": 8 }]);
    assert_eq!(legs["legs"][1]["changes"], change);
}

#[test]
fn replicas_go_on_with_the_seeds_that_they_have() {
    if !has_bits() {
        return;
    }
    let place = Place::new();
    copy_kept(&place, "replicas");
    place.succeed("train --resume replicas --steps 32 --quiet");
    for replica in ["replicas/replica-000", "replicas/replica-001"] {
        assert_whole(&place, replica);
    }
}

#[test]
fn what_a_run_is_measured_with_is_not_guessed() {
    let place = Place::new();
    place.succeed("train circle --points 300 --steps 4 --quiet --out run");
    let measured = place.json("evaluate run --json")["metrics"].clone();
    let legs = place.read("run/legs.json");
    place.write("run/legs.json", &legs[..legs.len() / 2]);
    for command in ["evaluate run", "evaluate run/model.safetensors", "train --resume run --steps 5"] {
        place.fail(command, 1, &["run/legs.json", "is damaged", "measured as runs that began before"]);
    }
    // Samples have a seed of their own.
    place.succeed("sample run --count 3 --out samples.csv");
    fs::remove_file(place.path("run/legs.json")).unwrap();
    let warning = "run has no legs.json";
    let told = place.run("evaluate run --json");
    assert!(told.code == Some(0) && told.stderr.contains(warning), "{told:?}");
    let otherwise: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_ne!(otherwise["metrics"], measured);
    let told = place.run("train --resume run --steps 5 --quiet");
    assert!(told.code == Some(0) && told.stderr.contains(warning), "{told:?}");
    // Now it has one, which says so.
    assert!(place.read("run/legs.json").contains("\"next_seeds\""));
    assert!(!place.run("evaluate run").stderr.contains(warning));
}

#[test]
fn replicas_that_are_measured_in_two_ways_go_on_alone() {
    let place = Place::new();
    place.succeed("train circle --points 300 --steps 4 --replicas 2 --quiet --out all");
    let path = "all/replica-001/legs.json";
    let legs = place.read(path);
    place.write(path, legs.replace("\"streams\"", "\"next_seeds\""));
    assert_ne!(place.read(path), legs);
    let parts = ["derivation: in its legs.json is not that of replica-000", "train --resume all/replica-001"];
    place.fail("train --resume all --steps 5", 2, &parts);
    place.fail("train --resume all --steps 5 --override", 2, &parts);
    place.succeed("train --resume all/replica-001 --steps 5 --quiet");
    fs::remove_file(place.path(path)).unwrap();
    place.fail("train --resume all --steps 5", 2, &parts);
    place.write(path, legs);
    place.succeed("train --resume all --steps 6 --quiet");
}
