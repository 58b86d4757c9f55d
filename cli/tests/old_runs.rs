//! Run folders that gannet wrote until 2026-11-26, with settings as texts that had no version, go on to the bits that they would
//! have come to. `version_1` has a run and two replicas of 16 steps, without their pictures, and in `whole` what the program of that
//! day came to in 32.

#[path = "common/program.rs"]
mod program;
#[path = "common/skip.rs"]
mod skip;

use std::fs;
use std::path::Path;

use gannet::cpu::{Isa, IsaKind};
use program::Place;
use serde_json::Value;
use skip::skip;

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
