//! Several runs side by side.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::place::Place;

/// The event files of a run, whose names tell when and where it took place, and all others.
fn split(files: BTreeSet<String>) -> (BTreeSet<String>, BTreeSet<String>) {
    files.into_iter().partition(|name| name.starts_with("events.out.tfevents."))
}

#[test]
fn replicas_are_single_runs_in_one_folder() {
    let place = Place::new();
    let settings = "circle --steps 60 --batch 48 --points 500 --evaluate-every 16 --report-every 7 --save-epochs 2";
    let result = place.json(&format!("train {settings} --replicas 3 --seed 6 --threads 2 --json"));
    assert_eq!(result["run"], "runs/circle-001");
    assert_eq!(
        (result["seed"].as_u64(), result["threads"].as_u64(), result["steps"].as_u64()),
        (Some(6), Some(2), Some(60))
    );
    assert!(result["samples_per_second"].as_f64().unwrap() > 0.0);
    let replicas = result["replicas"].as_array().unwrap();
    assert_eq!(replicas.len(), 3);
    for (index, replica) in replicas.iter().enumerate() {
        let (run, single) = (format!("runs/circle-001/replica-{index:03}"), format!("single-{index}"));
        place.succeed(&format!("train {settings} --seed {} --threads 1 --quiet --out {single}", 6 + index));
        let ((_, files), (_, mut single_files)) = (split(place.files(&run)), split(place.files(&single)));
        // Replicas are locked together.
        assert!(single_files.remove("run.lock"));
        assert_eq!(files, single_files);
        // These tell when and where the run took place.
        let told = |file: &&String| !["legs.json", "run.json", "report.html"].contains(&file.as_str());
        for file in files.iter().filter(told) {
            assert!(place.bytes(&format!("{run}/{file}")) == place.bytes(&format!("{single}/{file}")), "{run}/{file}");
        }
        assert_eq!((replica["replica"].as_u64(), replica["run"].as_str()), (Some(index as u64), Some(run.as_str())));
        assert_eq!(replica["seed"].as_u64(), Some(6 + index as u64));
        let evaluated = place.json(&format!("evaluate {run} --json"));
        assert_eq!(evaluated["metrics"], replica["metrics"]);
        place.succeed(&format!("sample {run} --count 3 --out {index}.csv"));
    }
    let mut radii: Vec<f64> =
        replicas.iter().map(|replica| replica["metrics"]["mean_radius"].as_f64().unwrap()).collect();
    radii.sort_by(f64::total_cmp);
    let spread = &result["metrics"]["mean_radius"];
    assert_eq!(["min", "median", "max"].map(|key| spread[key].as_f64().unwrap()), radii[..]);
    let between = |low: usize, share: f64| radii[low] + share * (radii[low + 1] - radii[low]);
    assert_eq!(spread["first_quartile"].as_f64().unwrap(), between(0, 0.5));
    assert_eq!(spread["third_quartile"].as_f64().unwrap(), between(1, 0.5));
    let far = |radius: &f64| (radius - 1.0).abs();
    assert_eq!(radii.iter().map(far).fold(0.0, f64::max), far(&spread["worst"].as_f64().unwrap()));
    assert_eq!(spread["succeeded"], 1.0, "no verdict is bad, and there is no reference to be held to");
    assert!(place.bytes("runs/circle-001/replicas.png").starts_with(b"\x89PNG"));
    let page = place.read("runs/circle-001/report.html");
    assert!(
        ["<th scope=\"row\">worst", "<th scope=\"row\">succeeded", "3 of 3", "All measures"]
            .iter()
            .all(|part| page.contains(part))
    );
    let written: Value = serde_json::from_str(&place.read("runs/circle-001/run.json")).unwrap();
    assert_eq!(written, result);

    // A replica is repeated like any run; the folder of all is none.
    place.succeed("train runs/circle-001/replica-001 --quiet --out again");
    let model = place.bytes("again/model.safetensors");
    assert!(model == place.bytes("runs/circle-001/replica-001/model.safetensors"));
    for command in ["evaluate runs/circle-001", "train runs/circle-001"] {
        place.fail(command, 1, &["several runs", "replica-000"]);
    }
}

#[test]
fn replicas_are_told_in_tables() {
    let place = Place::new();
    let outcome = place.run("train digits --steps 2 --batch 20 --replicas 2 --threads 3");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("training 2 replicas of digits into runs/digits-001"), "{outcome:?}");
    assert!(outcome.stderr.contains("step 4/4"), "{outcome:?}");
    for part in [
        "2 replicas of 2 steps",
        "replica  seed",
        "median",
        "quartiles",
        "worst",
        "2 of 2",
        "gannet evaluate runs/digits-001/replica-000",
    ] {
        assert!(outcome.stdout.contains(part), "`{part}` is not in {}", outcome.stdout);
    }
    assert!(place.succeed("train circle --replicas 8 --threads 2 --plan").contains("8 on 2 threads"));
    assert_eq!(place.json("train circle --steps 2 --replicas 1 --json")["replicas"].as_array().unwrap().len(), 1);
    assert!(place.path("runs/circle-001/replica-000/model.safetensors").exists());
    place.fail("train circle --replicas 0", 2, &["--replicas", "from 1 up"]);
    place.fail("train circle --replicas 100001", 2, &["replicas", "100000"]);
    place.fail("train circle --replicas 2 --seed 9223372036854775807", 2, &["seed", "2 replicas"]);
    let bench = place.succeed("bench --preset circle --engine native --replicas 1,3 --threads 2 --steps 3 --json");
    let rows: Vec<Value> = bench.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.iter().map(|row| row["replicas"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn replicas_that_fail_are_named() {
    let place = Place::new();
    let outcome = place.run("train circle --learning-rate 1e30 --replicas 2 --seed 4 --json --quiet --out runs");
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.starts_with("error: 2 of 2 replicas failed; replica 0 (seed 4): step "), "{outcome:?}");
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
    let result: Value = serde_json::from_str(&outcome.stdout).unwrap();
    for (index, replica) in result["replicas"].as_array().unwrap().iter().enumerate() {
        assert!(replica["error"].as_str().unwrap().contains("learning rate"), "{result}");
        assert_eq!(replica["seed"].as_u64(), Some(4 + index as u64));
        assert!(place.read(&format!("runs/replica-{index:03}/metrics.csv")).starts_with("step,"));
    }
    // There is nothing to draw, and it is drawn.
    assert!(place.bytes("runs/replicas.png").starts_with(b"\x89PNG"));
}
