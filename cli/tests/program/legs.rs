//! What a run's folder tells about a run that was stopped, killed, changed or taken back to an earlier step: the truth.
#![cfg(unix)]

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::place::Place;

/// Text that only a run may claim whose `config.toml` repeats it.
const CLAIM: &str = "bit for bit";

fn json(place: &Place, name: &str) -> Value {
    serde_json::from_str(&place.read(name)).unwrap()
}

fn legs(place: &Place, run: &str) -> Vec<Value> {
    json(place, &format!("{run}/legs.json"))["legs"].as_array().unwrap().clone()
}

/// Checks what config.toml, report.html and run.json say about a repetition.
fn check_claim(place: &Place, run: &str, repeats: bool) {
    for name in ["config.toml", "report.html"] {
        assert_eq!(place.read(&format!("{run}/{name}")).contains(CLAIM), repeats, "{run}/{name}");
    }
    assert_eq!(json(place, &format!("{run}/run.json"))["repeats"], repeats, "{run}");
    assert_eq!(
        place.read(&format!("{run}/report.html")).contains("which a repeated run gives again"),
        repeats,
        "{run}"
    );
}

/// The step of the state in `checkpoints/best.safetensors`.
fn step_of_best(place: &Place, run: &str) -> u64 {
    let bytes = place.bytes(&format!("{run}/checkpoints/best.safetensors"));
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let entry = header["__metadata__"]["gannet.checkpoint"].as_str().unwrap();
    serde_json::from_str::<Value>(entry).unwrap()["state"]["step"].as_u64().unwrap()
}

/// What `run.json` tells of the best state, which must be the one that is kept: its step, and its value.
fn best(place: &Place, run: &str) -> (u64, f64) {
    let told = json(place, &format!("{run}/run.json"));
    let step = told["best"]["step"].as_u64().unwrap_or_else(|| panic!("{told}"));
    assert_eq!(step, step_of_best(place, run), "{told}");
    (step, told["best"]["value"].as_f64().unwrap())
}

/// Removes the checkpoints of `run` after the step `last`.
fn remove_checkpoints_after(place: &Place, run: &str, last: u64) {
    for name in place.files(&format!("{run}/checkpoints")) {
        let step = name.strip_prefix("step-").and_then(|name| name.strip_suffix(".safetensors"));
        if step.is_some_and(|step| step.parse::<u64>().unwrap() > last) {
            fs::remove_file(place.path(&format!("{run}/checkpoints/{name}"))).unwrap();
        }
    }
}

/// Makes the evaluation of a step fail: its picture cannot be written.
fn block(place: &Place, run: &str, step: u64) {
    let path = place.path(&format!("{run}/samples/step-{step:06}.png"));
    fs::remove_file(&path).ok();
    fs::create_dir_all(path.join("mine")).unwrap();
}

/// Takes that back.
fn unblock(place: &Place, run: &str, step: u64) {
    fs::remove_dir_all(place.path(&format!("{run}/samples/step-{step:06}.png"))).unwrap();
}

/// All files of a run with their contents.
fn contents(place: &Place, run: &str) -> Vec<(String, Vec<u8>)> {
    place.files(run).into_iter().map(|name| (name.clone(), place.bytes(&format!("{run}/{name}")))).collect()
}

/// Starts a run that does not end by itself, and kills it once it is there.
fn begin_and_kill(place: &Place, arguments: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gannet"));
    command.current_dir(place.path("")).args(arguments.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    while fs::read_to_string(place.path("run/evaluation.csv")).map_or(0, |text| text.lines().count()) < 2 {
        assert_eq!(child.try_wait().unwrap(), None, "{arguments}: it ended");
        sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_run_that_was_stopped_or_extended_repeats() {
    let place = Place::new();
    place.succeed("train circle --steps 60 --points 300 --quiet --out run");
    check_claim(&place, "run", true);
    assert_eq!(legs(&place, "run").len(), 1);
    place.succeed("train --resume run --steps 90 --threads 2 --quiet");
    check_claim(&place, "run", true);
    let both = legs(&place, "run");
    assert_eq!(both.iter().map(|leg| leg["to"].as_u64().unwrap()).collect::<Vec<_>>(), [60, 90]);
    assert_eq!(both[1]["threads"], 2);
    place.succeed("train run/config.toml --quiet --out again");
    assert_eq!(place.bytes("again/model.safetensors"), place.bytes("run/model.safetensors"));
}

#[test]
fn a_run_with_changed_settings_claims_no_repetition() {
    let place = Place::new();
    place.succeed("train circle --steps 60 --points 300 --quiet --out run");
    place.succeed("train --resume run --steps 90 --learning-rate 0.5 --override --quiet");
    check_claim(&place, "run", false);
    let changes = legs(&place, "run")[1]["changes"].as_array().unwrap().clone();
    let names: Vec<&str> = changes.iter().map(|change| change["setting"].as_str().unwrap()).collect();
    assert_eq!(names, ["gan.discriminator_optimizer.learning_rate", "gan.generator_optimizer.learning_rate"]);
    assert!(changes.iter().all(|change| change["after"] == 0.5 && change["before"] == 0.001), "{changes:?}");
    assert!(place.read("run/report.html").contains("gan.generator_optimizer.learning_rate"));
    // Nor do later legs that change nothing.
    place.succeed("train --resume run --steps 95 --quiet");
    check_claim(&place, "run", false);
    assert_eq!(legs(&place, "run").len(), 3);
}

#[test]
fn what_is_later_than_a_change_goes() {
    let place = Place::new();
    let settings = "circle --points 320 --checkpoint-steps 20 --evaluate-every 10 --save-epochs 1 --report-every 1";
    place.succeed(&format!("train {settings} --steps 60 --keep 3 --quiet --out run"));
    assert!(
        place.path("run/samples/step-000050.png").is_file() && place.path("run/models/epoch-005.safetensors").is_file()
    );
    fs::remove_file(place.path("run/checkpoints/step-000000060.safetensors")).unwrap();
    place.succeed("train --resume run --steps 45 --learning-rate 0.5 --override --evaluate-every 100 --quiet");
    let later =
        |name: &String| ["step-00005", "step-00006", "epoch-005", "epoch-006"].iter().any(|late| name.contains(late));
    let left: Vec<String> = place.files("run").into_iter().filter(later).collect();
    assert_eq!(left, [""; 0]);
    assert!(
        place.path("run/samples/step-000040.png").is_file() && place.path("run/models/epoch-004.safetensors").is_file()
    );
    for table in ["metrics.csv", "evaluation.csv"] {
        let last = place.read(&format!("run/{table}")).lines().last().unwrap().split(',').next().unwrap().to_string();
        assert_eq!(last, "45", "{table}");
    }
    let told = json(&place, "run/run.json");
    assert_eq!((told["steps"].as_u64(), told["status"].as_str()), (Some(45), Some("finished")));
    check_claim(&place, "run", false);
    let both = legs(&place, "run");
    assert_eq!(both.iter().map(|leg| leg["to"].as_u64().unwrap()).collect::<Vec<_>>(), [40, 45]);
}

#[test]
fn times_are_of_the_whole_run() {
    let place = Place::new();
    let first = place.json("train circle --steps 600 --points 300 --quiet --json --out run");
    let second = place.json("train --resume run --steps 700 --quiet --json");
    let number = |value: &Value, name: &str| value[name].as_f64().unwrap_or_else(|| panic!("{name} of {value}"));
    for name in ["seconds", "total_seconds", "paused_seconds"] {
        let sum = number(&first, name) + number(&second["leg"], name);
        assert!((number(&second, name) - sum).abs() <= 1e-9 * sum, "{name}: {second}");
        assert_eq!(number(&first, name), number(&first["leg"], name));
    }
    assert_eq!(second["leg"]["resumed_from"].as_u64(), Some(600));
    assert_eq!(second["leg"]["steps"].as_u64(), Some(100));
    let rate = 700.0 * 32.0 / number(&second, "seconds");
    assert!((number(&second, "samples_per_second") - rate).abs() <= 1e-9 * rate, "{second}");
    // Replicas, each and together.
    let first = place.json("train circle --steps 60 --points 300 --replicas 2 --quiet --json --out two");
    let second = place.json("train --resume two --steps 90 --quiet --json");
    assert!(number(&second, "seconds") > number(&second["leg"], "seconds"));
    assert!(number(&second, "total_seconds") > number(&second["leg"], "total_seconds"));
    let sum = number(&first, "seconds") + number(&second["leg"], "seconds");
    assert!((number(&second, "seconds") - sum).abs() <= 1e-6 * sum, "{second}");
}

#[test]
fn without_a_checkpoint_nothing_is_replaced() {
    let place = Place::new();
    place.succeed("train circle --steps 60 --points 300 --quiet --out run");
    place.succeed("train circle --steps 60 --points 300 --replicas 2 --quiet --out two");
    for run in ["run", "two/replica-001"] {
        fs::remove_dir_all(place.path(&format!("{run}/checkpoints"))).unwrap();
    }
    let all = |run: &str| {
        place.files(run).into_iter().map(|name| (place.bytes(&format!("{run}/{name}")), name)).collect::<Vec<_>>()
    };
    let before = (all("run"), all("two"));
    for more in ["", " --steps 90", " --steps 90 --override", " --learning-rate 0.5 --override"] {
        place.fail(&format!("train --resume run{more}"), 1, &["no checkpoint", "gannet train run/config.toml"]);
        place.fail(&format!("train --resume two{more}"), 1, &["no checkpoint", "two/replica-001/config.toml"]);
    }
    assert!((all("run"), all("two")) == before, "something was changed");
}

#[test]
fn a_run_that_was_killed_is_not_cut_to_fewer_steps() {
    let place = Place::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_gannet"))
        .current_dir(place.path(""))
        .args("train circle --steps 100000000 --points 300 --report-every 10 --no-tensorboard --out run".split(' '))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !fs::read_to_string(place.path("run/metrics.csv")).is_ok_and(|rows| rows.lines().count() > 10) {
        sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let rows = place.read("run/metrics.csv");
    place.fail("train --resume run --steps 20", 2, &["steps", "ask for more"]);
    assert_eq!(place.read("run/metrics.csv"), rows);
}

#[test]
fn a_later_model_stays_however_often_the_run_is_cut_short() {
    let place = Place::new();
    let often = "--checkpoint-steps 10 --evaluate-every 80 --keep 100";
    place.succeed(&format!("train circle --steps 480 --points 300 {often} --quiet --out run"));
    let model = place.bytes("run/model.safetensors");
    remove_checkpoints_after(&place, "run", 40);
    for step in [80, 240] {
        block(&place, "run", step);
        place.fail("train --resume run --quiet", 1, &[&format!("step-{step:06}.png")]);
        unblock(&place, "run", step);
        assert!(place.bytes("run/model.safetensors") == model, "cut short at {step}");
        // It is known from now on, too, that the run was further once: what asks for less is refused.
        assert_eq!(json(&place, "run/legs.json")["reached"], 480);
        place.fail("train --resume run --steps 470", 2, &["steps", "480"]);
    }
    place.succeed("train --resume run --quiet");
    assert!(place.bytes("run/model.safetensors") == model);
    // A run that leaves its course is no longer as far.
    remove_checkpoints_after(&place, "run", 40);
    place.succeed("train --resume run --steps 50 --learning-rate 0.5 --override --quiet");
    assert_eq!(json(&place, "run/legs.json")["reached"], 50);
}

#[test]
fn the_best_state_is_what_is_told_of_it() {
    let place = Place::new();
    // The end is the best, and is no longer evaluated when the run goes further, which makes it worse.
    let found = (0..30).find(|seed| {
        let often = "--checkpoint-steps 10 --evaluate-every 20 --keep 100";
        place.succeed(&format!("train circle --steps 50 --points 300 --seed {seed} {often} --quiet --out run"));
        let (step, value) = best(&place, "run");
        if step == 50 {
            place.succeed("train --resume run --steps 60 --quiet");
            let worse = place.read("run/evaluation.csv").lines().last().unwrap().split(',').nth(2).unwrap().to_string();
            if worse.parse::<f64>().unwrap() > value {
                assert_eq!(best(&place, "run"), (step, value));
                return true;
            }
        }
        fs::remove_dir_all(place.path("run")).unwrap();
        false
    });
    assert!(found.is_some(), "no seed is best at step 50");
    // It is later than the last checkpoint that is left: the run is not as far yet, but will come to the same.
    let before = place.bytes("run/checkpoints/best.safetensors");
    let (step, value) = best(&place, "run");
    remove_checkpoints_after(&place, "run", 30);
    block(&place, "run", 40);
    place.fail("train --resume run --quiet", 1, &["step-000040.png"]);
    assert_eq!(best(&place, "run"), (step, value));
    unblock(&place, "run", 40);
    place.succeed("train --resume run --quiet");
    assert!(place.bytes("run/checkpoints/best.safetensors") == before && best(&place, "run") == (step, value));
    // Of a course that the run leaves it goes.
    remove_checkpoints_after(&place, "run", 40);
    place.succeed("train --resume run --steps 45 --override --quiet");
    assert!(best(&place, "run").0 <= 45);
}

#[test]
fn another_measure_begins_with_no_best_state() {
    for allowed in ["", " --override", " --override --learning-rate 0.9"] {
        let place = Place::new();
        place.succeed("train circle --steps 60 --points 300 --quiet --out run");
        place.succeed(&format!(
            "train --resume run --steps 61 --evaluate-every 100 --best mean_radius --quiet{allowed}"
        ));
        // Only the end was evaluated since.
        assert_eq!(best(&place, "run").0, 61, "{allowed}");
        assert_eq!(json(&place, "run/run.json")["best"]["measure"], "mean_radius");
    }
}

#[test]
fn a_run_that_is_refused_is_left_as_it_is() {
    let place = Place::new();
    place.succeed("train circle --steps 60 --points 300 --no-tensorboard --quiet --out run");
    place.succeed("train circle --steps 60 --points 300 --no-tensorboard --replicas 2 --quiet --out two");
    // As a program for tables would save it.
    for table in ["run/metrics.csv", "two/replica-001/evaluation.csv"] {
        place.write(table, place.read(table).replace('\n', "\r\n"));
    }
    let before = (contents(&place, "run"), contents(&place, "two"));
    for more in ["--steps 90", "--steps 90 --learning-rate 0.5 --override --best none"] {
        place.fail(&format!("train --resume run {more}"), 1, &["run/metrics.csv", "opens with"]);
        place.fail(&format!("train --resume two {more}"), 1, &["two/replica-001/evaluation.csv", "opens with"]);
        assert!((contents(&place, "run"), contents(&place, "two")) == before, "{more}: something was changed");
    }
}

#[test]
fn a_refusal_leaves_rows_after_the_checkpoint() {
    let place = Place::new();
    place.succeed("train circle --steps 60 --points 300 --no-tensorboard --quiet --out run");
    place.succeed("train circle --steps 60 --points 300 --no-tensorboard --replicas 2 --quiet --out two");
    for (run, refused) in [("run", "run/evaluation.csv"), ("two", "two/replica-001/evaluation.csv")] {
        // Rows of steps that no checkpoint has, as a process leaves them that was killed; and a table that another program saved.
        let first = refused.replace("evaluation", "metrics").replace("001", "000");
        place.write(&first, place.read(&first) + "61,1,0.5,0.5,0.5,0.5\n");
        place.write(refused, place.read(refused).replace('\n', "\r\n"));
        let before = contents(&place, run);
        place.fail(&format!("train --resume {run} --steps 90"), 1, &[refused, "opens with"]);
        assert!(contents(&place, run) == before, "{run}: something was changed");
    }
}

#[test]
fn distributions_of_a_course_that_was_left_go() {
    let place = Place::new();
    place.write("points.csv", (0..200).map(|i| format!("{},{}\n", i % 17, i * 7 % 31)).collect::<String>());
    place.succeed("train points.csv --steps 60 --checkpoint-steps 20 --evaluate-every 100 --quiet --out run");
    assert!(place.path("run/columns.json").is_file());
    remove_checkpoints_after(&place, "run", 40);
    block(&place, "run", 45);
    place.fail("train --resume run --steps 45 --learning-rate 0.5 --override --quiet", 1, &["step-000045.png"]);
    assert!(!place.path("run/columns.json").exists());
    unblock(&place, "run", 45);
    place.succeed("train --resume run --quiet");
    assert!(place.path("run/columns.json").is_file());
}

#[test]
fn what_a_run_began_with_is_known_before_its_first_step() {
    let place = Place::new();
    let rows = |shift: usize| (0..200).map(|i| format!("{},{}\n", i % 17, (i * 7 + shift) % 31)).collect::<String>();
    place.write("points.csv", format!("a,b\n{}", rows(0)));
    place.succeed("train circle --points 300 --steps 3 --quiet --out other");
    begin_and_kill(&place, "train points.csv --steps 100000000 --out run");
    place.write("points.csv", format!("a,b\n{}", rows(1)));
    place.fail("train --resume run", 2, &["data", "--override"]);
    place.write("points.csv", format!("a,b\n{}", rows(0)));
    let config = place.read("run/config.toml");
    let changed = config.replacen("\ninitialization = { kind = \"pytorch\"", "\ninitialization = { kind = \"he\"", 1);
    assert_ne!(config, changed);
    place.write("run/config.toml", changed);
    place.fail("train --resume run", 2, &["initialization", "was pytorch and is he", "--override"]);
    place.write("run/config.toml", config);
    place.succeed("train --resume run --steps 20 --quiet");
    fs::remove_dir_all(place.path("run")).unwrap();

    // The weights of a file: other ones, none, and those again.
    begin_and_kill(&place, "train circle --points 300 --steps 100000000 --weights other/model.safetensors --out run");
    let weights = place.bytes("other/model.safetensors");
    place.succeed("train circle --points 300 --steps 4 --quiet --out third");
    place.write("other/model.safetensors", place.bytes("third/model.safetensors"));
    place.fail("train --resume run", 2, &["run.weights", "other/model.safetensors", "--override"]);
    fs::remove_file(place.path("other/model.safetensors")).unwrap();
    place.fail("train --resume run", 2, &["run.weights", "other/model.safetensors", "--override"]);
    place.write("other/model.safetensors", weights);
    place.succeed("train --resume run --steps 20 --quiet");
    fs::remove_file(place.path("other/model.safetensors")).unwrap();
    place.succeed("train --resume run --steps 30 --override --quiet");
}
