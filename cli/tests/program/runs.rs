//! `gannet runs` from outside: what it lists, sorts and filters, and what it says about folders that are no whole runs.

use std::fs;

use serde_json::Value;

use crate::place::Place;

fn list(place: &Place, arguments: &str) -> Vec<Value> {
    place.json(&format!("runs {arguments} --json")).as_array().unwrap().clone()
}

fn names(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["name"].as_str().unwrap()).collect()
}

#[test]
fn runs_are_listed_with_what_tells_them_apart() {
    let place = Place::new();
    place.succeed("train circle --steps 40 --quiet --out all/a");
    place.succeed(
        "train circle --steps 40 --seed 7 --batch 16 --learning-rate 0.01 --objective softmax --quiet --out all/b",
    );
    place.succeed("train gaussian2d --epochs 1 --batch 320 --quiet --out all/deep/er/c");
    place.succeed("train circle --steps 20 --replicas 3 --quiet --out all/many");
    let entries = list(&place, "all");
    assert_eq!(names(&entries), ["a", "b", "deep/er/c", "many"]);
    for entry in &entries {
        assert_eq!(entry["status"], "finished", "{entry}");
        assert!(
            entry["measure"]["value"].as_f64().is_some() && entry["age_seconds"].as_f64().unwrap() >= 0.0,
            "{entry}"
        );
        assert!(!entry["verdict"].as_str().unwrap().is_empty(), "{entry}");
    }
    let settings = |entry: &Value| {
        let settings = entry["settings"].as_object().unwrap();
        settings.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(settings(&entries[0]), ["steps=40"]);
    assert_eq!(
        settings(&entries[1]),
        [
            "batch=16",
            "discriminator.layers=2-128-64-32-2 relu dropout 0.2 linear",
            "learning_rate=0.01",
            "objective=softmax",
            "seed=7",
            "steps=40"
        ]
    );
    assert_eq!(settings(&entries[2]), ["batch=320", "epochs=1"]);
    assert_eq!((&entries[1]["steps"], &entries[1]["planned_steps"]), (&Value::from(40), &Value::from(40)));
    // Replicas: one line with the range, or each.
    let many = &entries[3];
    assert_eq!((&many["replicas"], &many["preset"], &many["steps"]), (&Value::from(3), &"circle".into(), &20.into()));
    let of = |name: &str| many["measure"][name].as_f64().unwrap();
    assert!(of("min") < of("value") && of("value") < of("max"), "{many}");
    let each = list(&place, "all --each");
    assert_eq!(names(&each)[3..], ["many", "many/replica-000", "many/replica-001", "many/replica-002"]);
    assert!((4..7).any(|index| each[index]["measure"]["value"] == many["measure"]["min"]));

    // Own data: the file, and what does not follow from it.
    place.write("points.csv", "a,b\n1,2\n2,2.5\n3,1\n4,4\n");
    place.succeed("train points.csv --steps 9 --seed 3 --learning-rate 0.5 --quiet --out own/a");
    assert_eq!(settings(&list(&place, "own")[0]), ["file=points.csv", "learning_rate=0.5", "seed=3", "steps=9"]);

    // Sorted and filtered.
    assert_eq!(names(&list(&place, "all --preset gaussian2d")), ["deep/er/c"]);
    assert_eq!(list(&place, "all --status running --status failed").len(), 0);
    assert_eq!(names(&list(&place, "all --sort steps"))[2..], ["many", "deep/er/c"]);
    assert_eq!(names(&list(&place, "all --sort name --reverse")), ["many", "deep/er/c", "b", "a"]);
    let sorted = list(&place, "all --sort measure --preset circle");
    let values: Vec<f64> = sorted.iter().map(|entry| entry["measure"]["value"].as_f64().unwrap()).collect();
    assert!(values.is_sorted() && values.len() == 3, "{values:?}");
    // One run, and the default folder.
    assert_eq!(list(&place, "all/a").len(), 1);
    place.fail("runs", 1, &["runs", "does not exist", "gannet runs DIR"]);
    place.fail("runs all --preset circel", 2, &["circel", "did you mean `circle`?"]);
    let text = place.succeed("runs all");
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(text.contains("3 replicas") && text.contains("learning_rate=0.01"), "{text}");
    let columns: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!([columns[0][1], columns[1][1], columns[3][1]], ["preset", "circle", "gaussian2d"], "{text}");
    // Settings and models that lie above runs hide none of them.
    fs::copy(place.path("all/a/config.toml"), place.path("all/config.toml")).unwrap();
    fs::copy(place.path("all/a/model.safetensors"), place.path("all/deep/model.safetensors")).unwrap();
    assert_eq!(names(&list(&place, "all")), ["a", "b", "deep/er/c", "many"]);
}

#[test]
fn folders_that_are_no_whole_runs_say_so() {
    let place = Place::new();
    place.succeed("train circle --steps 40 --quiet --out all/good");
    let broken = |name: &str, change: &dyn Fn(&std::path::Path)| {
        let folder = place.path(&format!("all/{name}"));
        fs::create_dir(&folder).unwrap();
        for file in ["config.toml", "metrics.csv", "evaluation.csv", "run.json", "run.lock"] {
            fs::copy(place.path(&format!("all/good/{file}")), folder.join(file)).unwrap();
        }
        change(&folder);
    };
    broken("no-config", &|folder| fs::remove_file(folder.join("config.toml")).unwrap());
    broken("odd-config", &|folder| fs::write(folder.join("config.toml"), "[run]\npreset = 'circle'\nbatch =").unwrap());
    broken("binary-config", &|folder| fs::write(folder.join("config.toml"), [0xFF, 0, 1]).unwrap());
    broken("odd-result", &|folder| fs::write(folder.join("run.json"), "{").unwrap());
    broken("killed", &|folder| fs::remove_file(folder.join("run.json")).unwrap());
    broken("empty-tables", &|folder| {
        fs::remove_file(folder.join("run.json")).unwrap();
        fs::write(folder.join("metrics.csv"), "").unwrap();
        fs::write(folder.join("evaluation.csv"), "step\n").unwrap();
    });
    broken("failed", &|folder| {
        fs::write(
            folder.join("run.json"),
            r#"{"status": "failed", "error": "it is not finite", "steps": 40, "metrics": {}}"#,
        )
        .unwrap();
    });
    let going = place.path("all/going/run.lock");
    broken("going", &|folder| fs::remove_file(folder.join("run.json")).unwrap());
    fs::create_dir(place.path("all/unrelated")).unwrap();
    fs::write(place.path("all/unrelated/notes.txt"), "mine").unwrap();
    let lock = fs::File::options().append(true).open(&going).unwrap();
    lock.lock().unwrap();
    let entries = list(&place, "all");
    let told: Vec<String> = entries
        .iter()
        .map(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_string();
            format!("{} {} {}", text("name"), text("status"), text("problem"))
        })
        .collect();
    for (found, (name, status, problem)) in told.iter().zip([
        ("binary-config", "broken", "config.toml cannot be read as text"),
        ("empty-tables", "interrupted", ""),
        ("failed", "failed", "it is not finite"),
        ("going", "running", ""),
        ("good", "finished", ""),
        ("killed", "interrupted", ""),
        ("no-config", "broken", "config.toml is missing"),
        ("odd-config", "broken", "config.toml, line 3"),
        ("odd-result", "broken", "run.json is no JSON"),
    ]) {
        assert!(found.starts_with(&format!("{name} {status} ")) && found.contains(problem), "{found}: {told:#?}");
    }
    assert_eq!(entries.len(), 9, "{told:#?}");
    assert_eq!(entries[5]["steps"], 40);
    // The lock was not kept: the run can go on.
    drop(lock);
    assert_eq!(names(&list(&place, "all --status interrupted"))[1], "going");
}

#[test]
fn a_run_that_goes_on_is_not_shown_as_finished() {
    let place = Place::new();
    place.succeed("train circle --steps 40 --quiet --out all/run");
    let status = || list(&place, "all")[0]["status"].as_str().unwrap().to_string();
    assert_eq!(status(), "finished");
    // What it came to stays while it goes on from an earlier step.
    let mut legs: Value = serde_json::from_str(&place.read("all/run/legs.json")).unwrap();
    legs["legs"][0]["to"] = 20.into();
    place.write("all/run/legs.json", legs.to_string());
    let rows: Vec<String> = place.read("all/run/metrics.csv").lines().take(21).map(|row| format!("{row}\n")).collect();
    place.write("all/run/metrics.csv", rows.concat());
    assert_eq!(status(), "interrupted");
    assert_eq!(list(&place, "all")[0]["steps"], 20);
    let lock = fs::File::options().append(true).open(place.path("all/run/run.lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(status(), "running");
    legs["legs"][0]["to"] = 40.into();
    place.write("all/run/legs.json", legs.to_string());
    assert_eq!(status(), "running");
    drop(lock);
    assert_eq!(status(), "finished");
}

#[test]
fn a_thousand_runs_are_listed() {
    let place = Place::new();
    place.succeed("train circle --steps 4 --quiet --out one");
    let read = |file: &str| place.bytes(&format!("one/{file}"));
    let files = ["config.toml", "metrics.csv", "evaluation.csv", "run.json"].map(|file| (file, read(file)));
    for number in 0..1000 {
        let folder = place.path(&format!("all/circle-{number:04}"));
        fs::create_dir_all(&folder).unwrap();
        files.iter().for_each(|(file, bytes)| fs::write(folder.join(file), bytes).unwrap());
    }
    assert_eq!(list(&place, "all").len(), 1000);
}

#[test]
fn a_lost_replica_is_told() {
    let place = Place::new();
    place.succeed("train circle --steps 4 --replicas 4 --quiet --out all/many");
    let told = || list(&place, "all").remove(0);
    assert_eq!((told()["status"].as_str(), told()["replicas"].as_u64()), (Some("finished"), Some(4)));
    assert!(told()["problem"].is_null() && told()["lost_replicas"].is_null(), "{}", told());
    // One in the middle, and the last.
    for (lost, problem) in
        [("replica-001", "replica-001 is missing"), ("replica-003", "replica-001, replica-003 are missing")]
    {
        fs::remove_dir_all(place.path(&format!("all/many/{lost}"))).unwrap();
        let entry = told();
        assert_eq!((entry["status"].as_str(), entry["replicas"].as_u64()), (Some("broken"), Some(4)), "{entry}");
        assert!(entry["problem"].as_str().unwrap().contains(problem), "{entry}");
    }
    // No run goes on without them, whichever are lost: their common result would no longer tell of them.
    let before = place.bytes("all/many/run.json");
    place.fail(
        "train --resume all/many --steps 8",
        1,
        &["replica-001, replica-003 are missing", "--resume all/many/replica-000"],
    );
    fs::rename(place.path("all/many/replica-002"), place.path("all/many/replica-001")).unwrap();
    place.fail("train --resume all/many --steps 8", 1, &["replica-002, replica-003 are missing"]);
    fs::rename(place.path("all/many/replica-001"), place.path("all/many/replica-002")).unwrap();
    fs::rename(place.path("all/many/replica-000"), place.path("kept")).unwrap();
    place.fail(
        "train --resume all/many --steps 8",
        1,
        &["replica-000, replica-001, replica-003 are missing", "--resume all/many/replica-002"],
    );
    fs::rename(place.path("kept"), place.path("all/many/replica-000")).unwrap();
    assert!(place.bytes("all/many/run.json") == before);
    place.succeed("train --resume all/many/replica-002 --steps 4");
    let text = place.succeed("runs all");
    assert!(text.contains("2 of 4 replicas") && text.contains("(replica-001, replica-003 are missing)"), "{text}");
    // So many that a line has no room for all.
    fs::rename(place.path("all/many/replica-002"), place.path("all/many/replica-900")).unwrap();
    let entry = told();
    assert!(
        entry["problem"].as_str().unwrap().contains("899 replicas are missing, replica-001 to replica-899"),
        "{entry}"
    );
    assert_eq!(entry["lost_replicas"].as_array().unwrap().len(), 899);
}

#[test]
fn an_empty_list_says_why() {
    let place = Place::new();
    fs::create_dir(place.path("runs")).unwrap();
    let said = |arguments: &str| {
        let outcome = place.run(arguments);
        assert!(outcome.code == Some(0) && outcome.stdout.is_empty(), "{outcome:?}");
        outcome.stderr
    };
    assert_eq!(said("runs"), "there are no runs in runs yet; gannet train PRESET makes one in runs\n");
    place.succeed("train circle --steps 2 --quiet");
    assert_eq!(said("runs --status failed"), "the one run in runs is not such a one\n");
    place.succeed("train circle --steps 2 --quiet");
    assert_eq!(said("runs --preset digits"), "none of the 2 runs in runs is such a one\n");
}

#[test]
fn narrow_lists_keep_each_run_together() {
    let place = Place::new();
    place.succeed("train circle --steps 40 --quiet --out all/a-rather-long-name-of-a-run");
    place.succeed(
        "train circle --steps 40 --seed 7 --batch 16 --learning-rate 0.01 --objective softmax --quiet --out all/b",
    );
    place.succeed("train gaussian2d --steps 20 --replicas 3 --quiet --out all/c");
    let entries = list(&place, "all");
    for columns in [40, 80, 120, 400] {
        let output = place.command("runs all").env("COLUMNS", columns.to_string()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= columns), "{columns}: {text}");
        // What is told of a run stands between its name and that of the next one, each word whole.
        let place_of = |entry: &Value| text.find(&format!("\n{} ", entry["name"].as_str().unwrap())).unwrap_or(0);
        for (index, entry) in entries.iter().enumerate() {
            let end = entries.get(index + 1).map_or(text.len(), place_of);
            let part: Vec<&str> = text[place_of(entry)..end].split_whitespace().collect();
            let measure = entry["measure"]["name"].as_str().unwrap();
            for word in [entry["name"].as_str().unwrap(), "finished", measure] {
                assert!(part.contains(&word), "{columns}: no {word} in {part:?} of\n{text}");
            }
            for (name, value) in entry["settings"].as_object().unwrap() {
                let setting = format!("{name}={}", value.as_str().unwrap());
                let words: Vec<&str> = setting.split(' ').collect();
                assert!(part.windows(words.len()).any(|part| part == words), "{columns}: no {setting} in\n{text}");
            }
        }
    }
}
