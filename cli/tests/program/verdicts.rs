//! What the program says of a run's health: in tables, JSON and on standard error.

use serde_json::Value;

use crate::place::Place;

#[test]
fn a_run_that_fails_prints_its_object_and_the_error() {
    let place = Place::new();
    let outcome = place.run("train gaussian2d --learning-rate 1e30 --quiet --json --out run");
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((told["status"].as_str(), told["verdict"].as_str()), (Some("failed"), Some("failed")), "{told}");
    assert!(told["error"].as_str().unwrap().starts_with("step 1: "), "{told}");
    assert!(outcome.stderr.starts_with("error: step 1: ") && outcome.stderr.lines().count() == 1, "{outcome:?}");
    let written: Value = serde_json::from_str(&place.read("run/run.json")).unwrap();
    assert_eq!(written, told);
    // The hint has the command that goes on, and it does.
    let hint = told["verdict_hint"].as_str().unwrap();
    let command = "train --resume run --override --learning-rate 0.001";
    assert!(hint.contains("from step 0") && hint.ends_with(&format!(": gannet {command}")), "{hint}");
    assert!(
        !hint.contains("scale") && !outcome.stderr.contains("scale"),
        "a preset's data need no scaling: {outcome:?}"
    );
    let resumed = place.json(&format!("{command} --quiet --json"));
    assert_eq!((resumed["status"].as_str(), resumed["steps"].as_u64()), (Some("finished"), Some(2_000)));
}

/// Data that are handed over as they are.
#[test]
fn a_run_that_fails_on_large_data_is_told_to_scale_them() {
    let place = Place::new();
    place.write("rows.csv", (0..60).map(|row| format!("{}e9,{}\n", row % 7 + 1, row * 11 % 59)).collect::<String>());
    let settings = "[data]\nfile = \"rows.csv\"\noffset = [0.0, 0.0]\nscale = [1.0, 1.0]\n";
    place.write("as_they_are.toml", settings);
    for (run, scales) in [("train as_they_are.toml", true), ("train rows.csv", false)] {
        let name = if scales { "raw" } else { "standardized" };
        let outcome = place.run(&format!("{run} --learning-rate 1e30 --quiet --json --out {name}"));
        let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
        let hint = told["verdict_hint"].as_str().unwrap();
        assert!(hint.contains(&format!("--resume {name} --override --learning-rate 0.001")), "{hint}");
        // Of standardized data nothing is said of scaling, whatever the number.
        let advice = if scales { "0.001; the data reach up to 7000000000: scale them" } else { "0.001" };
        assert!(hint.ends_with(advice) && hint.contains("scale") == scales, "{hint}");
    }
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

/// Settings for `rows.csv` with the plain recipe and small networks, which rates that are far too high wreck in known ways.
fn small(place: &Place) {
    let layers = |sizes: [usize; 4]| {
        let layer = |pair: &[usize]| format!("{{ inputs = {}, outputs = {} }}", pair[0], pair[1]);
        let hidden = "activation = { slope = 0.2 }";
        let layers: Vec<String> = sizes.windows(2).map(layer).collect();
        let last = layers[2].clone();
        let hidden = layers[..2].iter().map(|layer| layer.replace(" }", &format!(", {hidden} }}")));
        hidden.chain([last]).collect::<Vec<_>>().join(", ")
    };
    let settings = format!(
        "[data]\nfile = 'rows.csv'\n[gan]\nrecipe = 'plain'\n[gan.generator]\nlayers = [{}]\n[gan.discriminator]\nlayers = [{}]\n",
        layers([8, 64, 64, 2]),
        layers([2, 64, 64, 1])
    );
    place.write("small.toml", settings);
}

#[test]
fn a_run_that_diverged_but_stayed_finite_is_told_of() {
    let place = Place::new();
    let rows: String = (0..60).map(|row| format!("{}.5,{}\n", row * row % 59, (row * 7) % 61)).collect();
    place.write("rows.csv", rows);
    small(&place);
    let outcome = place.run("train small.toml --steps 900 --learning-rate 5 --quiet --json --out run");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let verdict = told["verdict"].as_str().unwrap();
    assert_eq!(verdict, "far from the data", "{told}");
    let columns = told["columns"].as_array().unwrap();
    assert!(columns.len() == 2 && columns.iter().any(|column| column["verdict"] == "far off"), "{told}");
    // From the first evaluation after the first step on: that is no matter of being early.
    let verdicts = verdicts(&place, "run");
    let is_bad = |verdict: &String| ["far from the data", "collapse suspected"].contains(&verdict.as_str());
    assert!(verdicts.len() > 5 && verdicts[1..].iter().all(is_bad), "{verdicts:?}");
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
    assert!(outcome.stderr.starts_with(&format!("run: {verdict}: ")), "{outcome:?}");
    // Without `--quiet` the text tells it.
    let outcome = place.run("train small.toml --steps 900 --learning-rate 5 --out other");
    assert!(outcome.stdout.contains(&format!("verdict    {verdict}: ")), "{outcome:?}");
}

/// The verdicts of a run's evaluations.
fn verdicts(place: &Place, run: &str) -> Vec<String> {
    let table = place.read(&format!("{run}/evaluation.csv"));
    table.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().to_string()).collect()
}

#[test]
fn a_preset_with_a_rate_far_too_high_is_far_from_the_data_or_collapsed() {
    let place = Place::new();
    for seed in 0..2 {
        place.succeed(&format!("train circle --learning-rate 0.3 --steps 1600 --seed {seed} --quiet --out a{seed}"));
        let found = verdicts(&place, &format!("a{seed}"));
        assert!(found[1..].iter().all(|verdict| verdict == "far from the data"), "{seed}: {found:?}");
        place.succeed(&format!("train circle --learning-rate 0.05 --steps 2000 --seed {seed} --quiet --out b{seed}"));
        let found = verdicts(&place, &format!("b{seed}"));
        let bad = ["far from the data", "collapse suspected"];
        assert!(bad.contains(&found[found.len() - 1].as_str()), "{seed}: {found:?}");
        // The run's own model, judged alone, is no better.
        let evaluated = place.json(&format!("evaluate b{seed} --json"));
        assert_eq!(evaluated["verdict"].as_str(), found.last().map(String::as_str));
    }
}

#[test]
fn a_run_that_goes_on_with_a_wrong_rate_is_judged_by_what_it_had_reached() {
    let place = Place::new();
    place.succeed("train circle --steps 1600 --quiet --out fast");
    place.succeed("train circle --steps 1600 --quiet --out slow");
    place.succeed("train --resume fast --override --learning-rate 0.3 --steps 2400 --quiet");
    let found = verdicts(&place, "fast");
    let after = &found[11..];
    assert!(after.len() > 3 && after.iter().all(|verdict| verdict == "far from the data"), "{found:?}");
    // With a rate at which G would have had no time yet, had it not learned before.
    place.succeed("train --resume slow --override --learning-rate 0.00001 --steps 2400 --quiet");
    let found = verdicts(&place, "slow");
    assert_eq!(found.last().map(String::as_str), Some("healthy"), "{found:?}");
}

/// A table of two columns of many values.
fn plain(place: &Place) {
    let rows: String = (0..400u32).map(|row| format!("{}.{},{}\n", row * 37 % 101, row % 9, row * 53 % 97)).collect();
    place.write("rows.csv", format!("x,y\n{rows}"));
}

/// The verdicts of the columns in what the program told.
fn of_columns(told: &Value) -> Vec<&str> {
    told["columns"].as_array().unwrap().iter().map(|column| column["verdict"].as_str().unwrap()).collect()
}

#[test]
fn columns_are_constant_narrow_or_far_off_where_a_run_made_them_so() {
    let place = Place::new();
    plain(&place);
    small(&place);
    // G has hardly moved: its samples are near one another, as they begin.
    let early = place.json("train rows.csv --steps 20 --quiet --json --out early");
    assert_eq!(of_columns(&early), ["spread too small"; 2], "{early}");
    // G moves quickly and D hardly, so that G settles on one place.
    let settings = "--batch 128 --steps 1600 --generator-learning-rate 0.02 --discriminator-learning-rate 0.00001";
    let narrow = place.json(&format!("train small.toml {settings} --quiet --json --out narrow"));
    assert!(of_columns(&narrow).iter().all(|verdict| *verdict != "ok"), "{narrow}");
    assert_eq!(narrow["verdict"].as_str(), Some("collapse suspected"));
    assert!(narrow["verdict_hint"].as_str().unwrap().contains("columns x ("), "{narrow}");
    // Its weights are so small that its latents do not matter.
    let usual = "initialization = { kind = \"pytorch\" }";
    let tiny = "initialization = { kind = \"normal\", sigma = 0.000001 }";
    place.write("tiny.toml", place.read("early/config.toml").replacen(usual, tiny, 1));
    let constant = place.json("train tiny.toml --steps 20 --quiet --json --out constant");
    assert_eq!(of_columns(&constant), ["constant"; 2], "{constant}");
    let evaluated = place.json("evaluate constant --json");
    assert_eq!(
        (of_columns(&evaluated), evaluated["verdict"].as_str()),
        (vec!["constant"; 2], Some("collapse suspected"))
    );
    // The rates are far too high.
    let far = place.json("train small.toml --batch 128 --steps 900 --learning-rate 5 --quiet --json --out far");
    assert!(of_columns(&far).iter().all(|verdict| *verdict != "ok") && far["verdict"] != "healthy", "{far}");
    // And what has none of these.
    let fine = place.json("train rows.csv --steps 3000 --quiet --json --out fine");
    assert_eq!((of_columns(&fine), fine["verdict"].as_str()), (vec!["ok"; 2], Some("healthy")), "{fine}");
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
    small(&place);
    let numbers = "file = 'rows.csv'\nkinds = { flag = 'continuous' }\n";
    place.write("small.toml", place.read("small.toml").replace("file = 'rows.csv'\n", numbers));
    let settings = "--steps 1600 --generator-learning-rate 0.005 --discriminator-learning-rate 0.00002 --batch 64";
    let outcome = place.run(&format!("train small.toml {settings} --quiet --json --out run"));
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

/// Numbers around `centers` in turn, within 0.1 of them, all moved by `shift`.
fn around(centers: &[f64], rows: u32, shift: f64) -> String {
    let place = |row: u32| centers[row as usize % centers.len()] + f64::from(row * 37 % 101) / 500.0 - 0.1 + shift;
    (0..rows).map(|row| format!("{:.4}\n", place(row))).collect()
}

/// The generator learned two modes of the three that the other file has: neither mean nor spread tells.
#[test]
fn a_range_that_the_samples_miss_is_a_collapse() {
    let place = Place::new();
    place.write("two.csv", around(&[-1.0, 1.0], 900, 0.0));
    place.write("three.csv", around(&[-1.0, 1.0, 0.0], 900, 0.0));
    place.succeed("train two.csv --steps 4000 --quiet --out run");
    let told = place.json("evaluate run --data three.csv --json");
    let column = &told["columns"][0];
    assert_eq!(column["verdict"], "lost values", "{told}");
    let coverage = column["coverage"].as_f64().unwrap();
    assert!((0.6..0.75).contains(&coverage), "{told}");
    assert_eq!(told["verdict"], "collapse suspected");
    assert!(told["verdict_hint"].as_str().unwrap().contains("hardly any samples near -0."), "{told}");
    let told = place.json("evaluate run --json");
    assert_eq!((&told["columns"][0]["coverage"], told["verdict"].as_str()), (&Value::from(1.0), Some("healthy")));
}

#[test]
fn a_distance_of_many_times_that_of_two_halves_is_not_healthy() {
    let place = Place::new();
    let centers: Vec<f64> = (0..11).map(|center| f64::from(center) / 5.0 - 1.0).collect();
    place.write("here.csv", around(&centers, 9_000, 0.0));
    place.write("there.csv", around(&centers, 9_000, 0.21));
    place.succeed("train here.csv --steps 3000 --quiet --out run");
    let told = place.json("evaluate run --data there.csv --json");
    assert_eq!(told["verdict"], "far from the data", "{told}");
    assert!(told["verdict_hint"].as_str().unwrap().contains("times that of two halves of the data"), "{told}");
    assert_eq!(place.json("evaluate run --json")["verdict"], "healthy");
}

#[test]
fn half_of_the_known_modes_lost_is_a_collapse_with_their_number() {
    let place = Place::new();
    // D hardly learns, so that G settles on one place.
    let settings = "--recipe plain --generator-learning-rate 0.005 --discriminator-learning-rate 0.00001 --steps 1600";
    let told = place.json(&format!("train ring8 --points 2000 {settings} --quiet --json --out run"));
    assert_eq!(told["verdict"], "collapse suspected", "{told}");
    let hint = told["verdict_hint"].as_str().unwrap();
    assert!(hint.contains(" of 8 modes have less than a fifth of their share of the samples"), "{hint}");
}

#[test]
fn two_evaluations_are_too_early_to_tell_however_long_the_run() {
    let place = Place::new();
    let told = place.json("train circle --evaluate-every 3200 --quiet --json --out run");
    assert_eq!((told["steps"].as_u64(), told["verdict"].as_str()), (Some(3_200), Some("too early to tell")), "{told}");
}
