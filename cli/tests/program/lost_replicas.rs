//! Replicas of which one is lost, or further than the others, are not resumed as if nothing were.

use std::fs;

use crate::place::Place;

const RESUME: &str = "train --resume all --steps 8";

#[test]
fn replicas_that_were_killed_tell_how_many_they_were() {
    let place = Place::new();
    place.succeed("train circle --steps 4 --points 300 --replicas 3 --quiet --out all");
    // As a process leaves them that did not come to its end.
    fs::remove_file(place.path("all/run.json")).unwrap();
    fs::remove_dir_all(place.path("all/replica-002")).unwrap();
    place.fail(RESUME, 1, &["replica-002 is missing; put its folder back", "--resume all/replica-000"]);
    let list = place.json("runs . --json");
    assert_eq!(list[0]["lost_replicas"], serde_json::json!(["replica-002"]), "{list}");
    assert!(!place.path("all/run.json").exists());
}

#[test]
fn replicas_that_are_all_lost_are_named() {
    let place = Place::new();
    place.succeed("train circle --steps 4 --points 300 --replicas 2 --quiet --out all");
    for replica in ["replica-000", "replica-001"] {
        fs::remove_dir_all(place.path("all").join(replica)).unwrap();
    }
    place.fail(RESUME, 1, &["replica-000, replica-001 are missing; put their folders back"]);
}

#[test]
fn a_replica_that_is_further_than_the_others_is_named() {
    let place = Place::new();
    place.succeed("train circle --steps 4 --points 300 --replicas 3 --quiet --out all");
    place.succeed("train --resume all/replica-001 --steps 9 --quiet");
    let more = "gannet train --resume all --steps 9";
    place.fail("train --resume all", 2, &["steps: replica-001 has done more than 4 steps", more]);
    place.fail(RESUME, 2, &["steps: replica-001 has done more than 8 steps", more]);
    place.succeed("train --resume all --steps 9 --quiet");
    let told: serde_json::Value = serde_json::from_str(&place.read("all/run.json")).unwrap();
    assert!(told["replicas"].as_array().unwrap().iter().all(|replica| replica["steps"] == 9), "{told}");
}

#[test]
fn a_replica_with_other_settings_is_named() {
    let place = Place::new();
    place.succeed("train circle --steps 4 --points 300 --replicas 2 --quiet --out all");
    place.succeed("train --resume all/replica-001 --steps 6 --learning-rate 0.5 --override --quiet");
    place.fail(RESUME, 2, &["replica-001", "learning_rate was 0.5", "--resume all/replica-001"]);
}
