//! A state of a run is measured by its own step: its references, and what can be said of it.

use crate::place::Place;

#[test]
fn references_are_those_of_the_step_that_is_evaluated() {
    let place = Place::new();
    place.succeed("train gaussian2d --keep 9 --checkpoint-steps 1000 --quiet --out run");
    let reference = "0.072 (0.020 to 0.252)";
    for state in ["run", "run --checkpoint 2000", "run/model.safetensors", "run/checkpoints/step-000002000.safetensors"]
    {
        let told = place.json(&format!("evaluate {state} --json"));
        assert_eq!(told["references"]["covariance_error"], reference, "{state}: {told}");
        assert_eq!((&told["step"], &told["remark"]), (&2000.into(), &serde_json::Value::Null), "{state}: {told}");
    }
    for step in [0, 1000] {
        let told = place.json(&format!("evaluate run --checkpoint {step} --json"));
        assert_eq!(told["references"]["covariance_error"], "", "{told}");
        assert!(told["remark"].as_str().unwrap().contains("no reference for this length"), "{told}");
        let text = place.succeed(&format!("evaluate run --checkpoint {step}"));
        assert!(!text.contains(reference) && text.contains("no reference for this length"), "{text}");
    }
    // Nor does what is true of the preset depend on the step.
    let told = place.json("evaluate run --checkpoint 0 --json");
    assert_eq!(told["references"]["covariance_yy"], "true: 4.25", "{told}");
}

#[test]
fn of_a_generator_before_its_first_step_it_is_too_early_to_tell() {
    let place = Place::new();
    place.succeed("train circle --steps 20 --quiet --out run");
    let failed = place.run("train circle --learning-rate 1e30 --steps 20 --quiet --out failed");
    assert_eq!(failed.code, Some(1), "{failed:?}");
    for state in ["run --checkpoint 0", "failed --checkpoint 0", "failed"] {
        let told = place.json(&format!("evaluate {state} --json"));
        assert_eq!((&told["step"], &told["verdict"]), (&0.into(), &"too early to tell".into()), "{state}: {told}");
        assert!(!told["verdict_hint"].as_str().unwrap().contains("--batch"), "{told}");
    }
    let told = place.run("evaluate failed").stderr;
    assert!(told.contains("failed failed after step ") && told.contains("this is its checkpoint of step 0"), "{told}");
    assert!(!told.contains("has not ended"), "{told}");
}
