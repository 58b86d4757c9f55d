//! Penalties, recipes, schedules and averages from outside: what a run with them writes, what they set, and what is refused.

use serde_json::Value;
use toml::Table;

use crate::place::Place;

/// A run of less than a second: few samples, measured before and after.
const SHORT: &str = "--points 200 --batch 16 --evaluate-every 1000 --threads 1 --quiet";

/// The table `[gan]` in the settings of a run.
fn gan(place: &Place, run: &str) -> Table {
    let config: Table = place.read(&format!("{run}/config.toml")).parse().unwrap();
    config["gan"].as_table().unwrap().clone()
}

/// A number among these settings.
fn number(settings: &Table, name: &str) -> f64 {
    let value = &settings[name];
    value.as_float().or(value.as_integer().map(|value| value as f64)).unwrap_or_else(|| panic!("{name} is {value}"))
}

/// A run's summary.
fn summary(place: &Place, run: &str) -> Value {
    serde_json::from_str(&place.read(&format!("{run}/run.json"))).unwrap()
}

/// The header and the rows of a run's `metrics.csv`.
fn metrics(place: &Place, run: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let text = place.read(&format!("{run}/metrics.csv"));
    let cells = |line: &str| line.split(',').map(str::to_string).collect();
    let mut lines = text.lines().map(cells);
    (lines.next().unwrap(), lines.collect())
}

#[test]
fn a_run_shows_its_penalties() {
    let place = Place::new();
    place.succeed(&format!("train circle --steps 20 --report-every 2 --r1 0.5 --r2 0.25 {SHORT} --out run"));
    let (header, rows) = metrics(&place, "run");
    assert_eq!(header.last().unwrap(), "penalty");
    assert_eq!(rows.len(), 10);
    for row in &rows {
        assert_eq!(row.len(), header.len());
        assert!(row.last().unwrap().parse::<f64>().unwrap() > 0.0, "{row:?}");
    }
    let last: f64 = rows.last().unwrap().last().unwrap().parse().unwrap();
    assert_eq!(summary(&place, "run")["penalty"].as_f64(), Some(last));
    let settings = gan(&place, "run");
    assert_eq!((number(&settings, "r1"), number(&settings, "r2")), (0.5, 0.25));
    assert!(place.read("run/report.html").contains("The penalty's share"));
    // The settings of the run are those of another one.
    place.succeed("train run/config.toml --threads 1 --quiet --out again");
    for file in ["config.toml", "metrics.csv", "model.safetensors"] {
        assert_eq!(place.bytes(&format!("run/{file}")), place.bytes(&format!("again/{file}")), "{file}");
    }
}

#[test]
fn a_run_gets_the_column_with_its_first_penalty() {
    let place = Place::new();
    place.succeed(&format!("train circle --steps 10 --report-every 2 {SHORT} --out run"));
    let (header, before) = metrics(&place, "run");
    assert!(header.iter().all(|name| name != "penalty"), "{header:?}");
    assert_eq!(before.len(), 5);
    assert!(summary(&place, "run")["penalty"].is_null());
    assert!(!place.read("run/report.html").contains("The penalty's share"));
    place.fail("train --resume run --steps 20 --r1 0.5 --quiet", 2, &["gan.r1 was 0 and is 0.5"]);
    place.succeed("train --resume run --override --r1 0.5 --steps 20 --report-every 2 --threads 1 --quiet");
    let (with_penalty, rows) = metrics(&place, "run");
    assert_eq!(with_penalty, [&header[..], &["penalty".to_string()]].concat());
    assert_eq!(rows.len(), 10);
    for (row, before) in rows.iter().zip(&before) {
        assert_eq!(row[..], [&before[..], &[String::new()]].concat());
    }
    for row in &rows[before.len()..] {
        assert!(row[header.len()].parse::<f64>().unwrap() > 0.0, "{row:?}");
    }
    assert!(summary(&place, "run")["penalty"].as_f64().unwrap() > 0.0);
    assert!(place.read("run/report.html").contains("The penalty's share"));
}

#[test]
fn r3gan_sets_what_its_help_says_and_what_is_given_overrides_it() {
    let place = Place::new();
    let of_optimizer = |settings: &Table, network: &str| {
        let optimizer = settings[&format!("{network}_optimizer")].as_table().unwrap().clone();
        assert_eq!(optimizer["kind"].as_str(), Some("adam"));
        ["learning_rate", "beta1", "beta2"].map(|name| number(&optimizer, name) as f32)
    };
    let steps = format!("--steps 2 {SHORT}");
    place.succeed(&format!("train circle {steps} --out plain"));
    place.succeed(&format!("train circle --recipe r3gan {steps} --out recipe"));
    let (plain, recipe) = (gan(&place, "plain"), gan(&place, "recipe"));
    assert_eq!(recipe["objective"].as_str(), Some("relativistic_pairing"));
    assert_eq!(["r1", "r2", "ema_decay"].map(|name| number(&recipe, name)), [1.0, 1.0, 0.999]);
    for network in ["generator", "discriminator"] {
        let [rate, ..] = of_optimizer(&plain, network);
        assert_eq!(of_optimizer(&recipe, network), [rate, 0.0, 0.99]);
    }
    // The settings that others have in its place, and all else as the recipe has it.
    place.write("after.toml", "[run]\npreset = 'circle'\n[gan]\nrecipe = 'r3gan'\nr1 = 0.25\nema_decay = 0.5\n");
    place.write("before.toml", "[gan]\nema_decay = 0.5\nr1 = 0.25\nrecipe = 'r3gan'\n[run]\npreset = 'circle'\n");
    for (index, what) in [
        "circle --recipe r3gan --r1 0.25 --ema-decay 0.5",
        "circle --ema-decay 0.5 --r1 0.25 --recipe r3gan",
        "after.toml",
        "before.toml",
    ]
    .into_iter()
    .enumerate()
    {
        let out = format!("changed-{index}");
        place.succeed(&format!("train {what} {steps} --out {out}"));
        let changed = gan(&place, &out);
        let mut expected = recipe.clone();
        expected.extend([("r1".to_string(), 0.25.into()), ("ema_decay".to_string(), 0.5.into())]);
        assert_eq!(changed, expected, "{what}");
    }
    place.succeed(&format!("train circle --beta1 0.5 --recipe r3gan --learning-rate 0.01 {steps} --out rates"));
    for network in ["generator", "discriminator"] {
        assert_eq!(of_optimizer(&gan(&place, "rates"), network), [0.01, 0.5, 0.99]);
    }
    // An option beside the recipe of a file overrides it, too; a file's own optimizer does.
    place.succeed(&format!("train before.toml --objective hinge --r2 0 {steps} --out hinge"));
    let hinge = gan(&place, "hinge");
    assert_eq!((hinge["objective"].as_str(), number(&hinge, "r2")), (Some("hinge"), 0.0));
    place.write(
        "optimizer.toml",
        "[run]\npreset = 'circle'\n[gan]\ngenerator_optimizer = { kind = 'sgd', learning_rate = 0.1, momentum = 0.5 }\nrecipe = 'r3gan'\n",
    );
    place.succeed(&format!("train optimizer.toml {steps} --out optimizer"));
    let optimizer = gan(&place, "optimizer");
    assert_eq!(optimizer["generator_optimizer"]["kind"].as_str(), Some("sgd"));
    assert_eq!(optimizer["discriminator_optimizer"], recipe["discriminator_optimizer"]);
}

#[test]
fn plain_takes_back_what_other_recipes_set() {
    let place = Place::new();
    let steps = format!("--steps 2 {SHORT}");
    place.succeed(&format!("train circle-best --recipe plain --beta1 0.5 {steps} --out run"));
    let settings = gan(&place, "run");
    assert_eq!(settings["objective"].as_str(), Some("non_saturating"));
    assert_eq!(settings["schedule"].as_str(), Some("constant"));
    assert_eq!(["r1", "r2", "ema_decay"].map(|name| number(&settings, name)), [0.0; 3]);
    for network in ["generator_optimizer", "discriminator_optimizer"] {
        let optimizer = settings[network].as_table().unwrap();
        let found = ["learning_rate", "beta1", "beta2"].map(|name| number(optimizer, name) as f32);
        assert_eq!(found, [0.0002, 0.5, 0.99], "{network}");
    }
    let of_preset = place.succeed("config circle-best");
    let of_preset: Table = of_preset.parse().unwrap();
    for network in ["generator", "discriminator"] {
        assert_eq!(settings[network]["layers"], of_preset["gan"][network]["layers"], "{network}");
    }
}

#[test]
fn what_has_no_meaning_is_refused_by_name() {
    let place = Place::new();
    for (options, settings, parts) in [
        ("--penalty-interval 4", "penalty_interval = 4", &["penalty_interval", "no penalty"][..]),
        ("--one-sided", "one_sided = true", &["one_sided", "gradient_penalty"]),
        ("--r1 1 --one-sided", "r1 = 1\none_sided = true", &["one_sided", "gradient_penalty"]),
        (
            "--objective wasserstein",
            "objective = 'wasserstein'",
            &["objective", "needs a bound", "gradient_penalty", "weight_clip"],
        ),
        (
            "--label-smoothing 0.1 --objective hinge",
            "label_smoothing = 0.1\nobjective = 'hinge'",
            &["label_smoothing", "hinge"],
        ),
        ("--label-smoothing 1", "label_smoothing = 1", &["label", "smoothing", "below 1"]),
        ("--final-beta2 0.99", "final_beta2 = 0.99", &["final_beta2", "schedule"]),
        ("--schedule cosine --final-rate 2", "schedule = 'cosine'\nfinal_rate = 2", &["final_rate", "from 0 to 1"]),
        (
            "--schedule cosine --final-penalty 0.1",
            "schedule = 'cosine'\nfinal_penalty = 0.1",
            &["final_penalty", "set r1"],
        ),
        ("--instance-noise-steps 9", "instance_noise_steps = 9", &["instance_noise_steps", "set that"]),
        ("--weight-clip 0.01 --r1 1", "weight_clip = 0.01\nr1 = 1", &["weight_clip", "penalties"]),
        ("--weight-clip 1e-50", "weight_clip = 1e-50", &["weight", "1e-50", "too small", "at least 1e-45"]),
    ] {
        let of_options = format!("train circle {options}");
        place.write("settings.toml", format!("[run]\npreset = 'circle'\n[gan]\n{settings}\n"));
        place.fail(&of_options, 2, parts);
        place.fail("train settings.toml", 2, &[&["settings.toml"][..], parts].concat());
    }
    assert!(!place.path("runs").exists());
}

/// No option takes back a switch of a file; the penalty that it belongs to takes it along.
#[test]
fn the_side_of_a_penalty_goes_with_it() {
    let place = Place::new();
    place.write(
        "one.toml",
        "[run]\npreset = 'circle'\n[gan]\nobjective = 'wasserstein'\ngradient_penalty = 10\none_sided = true\n",
    );
    let steps = format!("--steps 2 {SHORT}");
    let penalty = |run: &str| {
        let settings = gan(&place, run);
        (number(&settings, "gradient_penalty"), settings["one_sided"].as_bool().unwrap())
    };
    place.succeed(&format!("train one.toml {steps} --out one"));
    assert_eq!(penalty("one"), (10.0, true));
    place.succeed(&format!("train one.toml --gradient-penalty 5 {steps} --out weaker"));
    assert_eq!(penalty("weaker"), (5.0, true));
    place.succeed(&format!("train one.toml --gradient-penalty 0 --weight-clip 0.01 {steps} --out clipped"));
    assert_eq!(penalty("clipped"), (0.0, false));
    place.fail("train one.toml --gradient-penalty 0 --r1 1 --one-sided", 2, &["one_sided"]);
}

#[test]
fn a_schedule_has_the_length_of_its_run() {
    let place = Place::new();
    let length = |run: &str| {
        let settings = gan(&place, run);
        (settings["schedule"].as_str().unwrap().to_string(), number(&settings, "schedule_steps"))
    };
    place.succeed(&format!("train circle --steps 30 --schedule cosine {SHORT} --out steps"));
    assert_eq!(length("steps"), ("cosine".to_string(), 30.0));
    // Of 200 points, 16 a step: 25 steps are two epochs.
    place.succeed(&format!("train circle --epochs 2 --schedule linear --warmup-steps 5 {SHORT} --out epochs"));
    assert_eq!(length("epochs"), ("linear".to_string(), 25.0));
    place.succeed(&format!("train circle --steps 30 --schedule cosine --schedule-steps 10 {SHORT} --out own"));
    assert_eq!(length("own"), ("cosine".to_string(), 10.0));
    place.succeed(&format!("train circle --steps 30 --schedule cosine --replicas 2 {SHORT} --out replicas"));
    for replica in ["replicas/replica-000", "replicas/replica-001"] {
        assert_eq!(length(replica), ("cosine".to_string(), 30.0));
    }
    place.succeed(&format!("train circle --steps 30 {SHORT} --out constant"));
    assert!(gan(&place, "constant").get("schedule_steps").is_none());
    let warmup = "--schedule cosine --warmup-steps 40";
    for more in ["--steps 30", "--epochs 2", "--steps 30 --replicas 2"] {
        place.fail(&format!("train circle {more} {warmup} {SHORT}"), 2, &["schedule_steps", "warmup_steps is 40"]);
    }
    assert!(!place.path("runs").exists());
}

/// One schedule for rates, betas and weights; a constant one takes the ends of a file along.
#[test]
fn a_schedule_has_ends() {
    let place = Place::new();
    place.succeed(&format!(
        "train circle --recipe r3gan --steps 30 --schedule cosine --final-rate 0.25 --final-penalty 0.1 --final-beta2 0.9 {SHORT} --out run"
    ));
    let settings = gan(&place, "run");
    let found = ["final_rate", "final_penalty", "final_beta2"].map(|name| number(&settings, name));
    assert_eq!((found, settings.get("final_beta1")), ([0.25, 0.1, 0.9], None));
    place.succeed(&format!("train run/config.toml {SHORT} --out again"));
    assert_eq!(place.bytes("run/model.safetensors"), place.bytes("again/model.safetensors"));
    place.succeed(&format!("train run/config.toml --schedule constant {SHORT} --out constant"));
    assert!(gan(&place, "constant").get("final_rate").is_none());
    assert_ne!(place.bytes("run/model.safetensors"), place.bytes("constant/model.safetensors"));
}

#[test]
fn noise_falls_over_its_run() {
    let place = Place::new();
    let steps = |run: &str| gan(&place, run).get("instance_noise_steps").and_then(toml::Value::as_integer);
    place.succeed(&format!("train circle --steps 30 --instance-noise 0.5 --label-smoothing 0.1 {SHORT} --out run"));
    assert_eq!(steps("run"), Some(30));
    place.succeed(&format!("train circle --epochs 2 --instance-noise 0.5 {SHORT} --out epochs"));
    assert_eq!(steps("epochs"), Some(25));
    place.succeed(&format!("train circle --steps 30 --instance-noise 0.5 --instance-noise-steps 7 {SHORT} --out own"));
    assert_eq!(steps("own"), Some(7));
    // A run that goes further keeps the noise of its course; a file's noise goes with its steps.
    place.succeed("train --resume run --steps 40");
    assert_eq!(steps("run"), Some(30));
    place.succeed(&format!("train run/config.toml --instance-noise 0 {SHORT} --out without"));
    assert_eq!(steps("without"), None);
    // A place of another deviation is another course.
    place.fail("train --resume run --steps 50 --instance-noise 0.25", 2, &["gan.instance_noise was 0.5", "--override"]);
}

#[test]
fn samples_come_from_the_average() {
    let place = Place::new();
    for (more, out) in [("", "plain"), ("--ema-decay 0.9", "average")] {
        place.succeed(&format!("train circle --steps 40 --learning-rate 0.01 {more} {SHORT} --out {out}"));
        place.succeed(&format!("sample {out} --count 20 --out {out}.csv"));
    }
    assert!(place.read("plain.csv") != place.read("average.csv"));
    // The training is the same.
    assert_eq!(place.bytes("plain/metrics.csv"), place.bytes("average/metrics.csv"));
    assert_eq!(number(&gan(&place, "average"), "ema_decay") as f32, 0.9);
}
