//! Sweeps: what they rank, and that no interruption, no division into parts and no order changes it.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::place::Place;

/// Six trials of two seeds, two of which fail.
const GRID: &str = "\
base = 'circle'
seeds = 2
bound = 1.0
[run]
steps = 300
seed = 5
checkpoint_steps = 20
evaluate_every = 100
tensorboard = false
[data]
points = 300
[grid]
run.batch = [8, 32]
'gan.generator_optimizer.learning_rate, gan.discriminator_optimizer.learning_rate' = [0.0001, 0.001, 1e30]
";

/// What a sweep leaves beside its trials, and what it was begun with.
const FILES: [&str; 6] = ["plan.json", "report.html", "settings.png", "sweep.csv", "sweep.json", "trials.png"];

/// What follows from the ends of the trials alone.
fn outcome(place: &Place) -> Vec<(&'static str, Vec<u8>)> {
    FILES[1..].iter().map(|name| (*name, place.bytes(&format!("sweeps/s/{name}")))).collect()
}

fn check_same(place: &Place, expected: &[(&str, Vec<u8>)]) {
    for ((name, found), (_, expected)) in outcome(place).iter().zip(expected) {
        assert!(found == expected, "{name} differs");
    }
}

/// A place with a sweep in `s.toml`.
fn with_sweep(text: &str) -> Place {
    let place = Place::new();
    place.write("s.toml", text);
    place
}

/// The states of all trials.
fn states(place: &Place) -> Vec<String> {
    let plan = place.json("sweep s.toml --plan --json");
    let trials = plan["trials"].as_array().unwrap();
    trials.iter().map(|trial| trial["state"].as_str().unwrap().to_string()).collect()
}

fn start(place: &Place, arguments: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gannet"));
    command.current_dir(place.path("")).args(arguments.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

#[test]
fn trials_are_trained_once_and_ranked() {
    let place = with_sweep(GRID);
    assert_eq!(states(&place), ["missing"; 6]);
    assert!(!place.path("sweeps").exists(), "a plan leaves nothing");
    place.fail("sweep s.toml --merge --quiet", 1, &["6 of 6 trials have not ended", "gannet sweep s.toml"]);
    let result = place.json("sweep s.toml --threads 2 --json");
    assert_eq!((result["sweep"].as_str(), result["measure"].as_str()), (Some("sweeps/s"), Some("sliced_wasserstein")));
    let trials = result["trials"].as_array().unwrap();
    let ranks: Vec<u64> = trials.iter().map(|trial| trial["rank"].as_u64().unwrap()).collect();
    assert_eq!(ranks, [1, 2, 3, 4, 5, 5]);
    let medians: Vec<f64> = trials[..4].iter().map(|trial| trial["median"].as_f64().unwrap()).collect();
    assert!(medians.is_sorted(), "{medians:?}");
    for (index, trial) in trials.iter().enumerate() {
        let name = trial["trial"].as_str().unwrap();
        let told: Value = serde_json::from_str(&place.read(&format!("sweeps/s/trials/{name}/run.json"))).unwrap();
        let of_seed = |seed: usize| told["replicas"][seed]["metrics"]["sliced_wasserstein"].as_f64();
        let values = trial["values"].as_array().unwrap();
        assert_eq!((values[0].as_f64(), values[1].as_f64()), (of_seed(0), of_seed(1)), "{trial}");
        assert_eq!(told["replicas"][1]["seed"], 6);
        let is_failed = index >= 4;
        assert_eq!(trial["settings"]["run.batch"], told["batch"].to_string(), "{trial}");
        assert_eq!((trial["median"].is_null(), values[0].is_null()), (is_failed, is_failed), "{trial}");
        assert_eq!(trial["succeeded"].as_f64() == Some(0.0), is_failed, "{trial}");
    }
    // A run of a trial is what it is alone.
    let best = format!("sweeps/s/trials/{}", trials[0]["trial"].as_str().unwrap());
    place.succeed(&format!("train {best}/replica-001/config.toml --quiet --out alone"));
    assert!(place.bytes("alone/model.safetensors") == place.bytes(&format!("{best}/replica-001/model.safetensors")));

    let files: Vec<String> = place.files("sweeps/s").into_iter().filter(|name| !name.contains('/')).collect();
    assert_eq!(files, FILES);
    let csv = place.read("sweeps/s/sweep.csv");
    assert_eq!(csv.lines().count(), 7);
    assert!(csv.lines().nth(1).unwrap().starts_with("1,learning-rate-0.001_batch-"), "{csv}");
    let page = place.read("sweeps/s/report.html");
    assert!(page.contains(&format!("./trials/{}/report.html", trials[0]["trial"].as_str().unwrap())), "{page}");

    // Nothing is left to be done, and the same comes out again.
    let expected = outcome(&place);
    let model = fs::metadata(place.path(&format!("{best}/replica-000/model.safetensors"))).unwrap().modified().unwrap();
    assert_eq!(states(&place), ["done"; 6]);
    let again = place.run("sweep s.toml");
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(!again.stderr.contains("training") && again.stdout.contains("2 of 2"), "{again:?}");
    check_same(&place, &expected);
    place.succeed("sweep s.toml --merge --quiet");
    check_same(&place, &expected);
    let path = place.path(&format!("{best}/replica-000/model.safetensors"));
    assert_eq!(fs::metadata(path).unwrap().modified().unwrap(), model);
    // The trials are runs like others.
    assert!(place.succeed("runs sweeps").contains("2 replicas"));
}

/// Kills of a sweep, at moments spread over the time that a whole one takes.
#[cfg(unix)]
const KILLS: u32 = 14;

#[cfg(unix)]
#[test]
fn a_killed_sweep_comes_to_the_same_table() {
    use std::thread::sleep;
    use std::time::Instant;

    let whole = with_sweep(GRID);
    let begun = Instant::now();
    whole.succeed("sweep s.toml --threads 1 --quiet");
    let took = begun.elapsed();
    let expected = outcome(&whole);

    let place = with_sweep(GRID);
    let mut random = 88_172_645_463_325_252u64;
    let (mut kills, mut met) = (0, 0);
    for number in 0..KILLS {
        // Marsaglia's xorshift.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let mut child = start(&place, &format!("sweep s.toml --threads {} --quiet", 1 + number % 2));
        sleep(took.mul_f64(0.3 * (random % 1000) as f64 / 1000.0));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
        met += u32::from(states(&place).iter().any(|state| state == "begun"));
    }
    assert!(kills > 3 && met > 1, "{kills} kills, of which {met} met a trial on its way");
    place.succeed("sweep s.toml --threads 2 --quiet");
    check_same(&place, &expected);
    let left = place.files("sweeps/s/trials");
    assert!(!left.iter().any(|name| name.contains("partial")), "{left:?}");
}

#[cfg(unix)]
#[test]
fn a_stopped_sweep_says_how_to_go_on() {
    use std::thread::sleep;
    use std::time::Duration;

    let place = with_sweep(&GRID.replace("steps = 300", "steps = 100000"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_gannet"));
    command.current_dir(place.path("")).args(["sweep", "s.toml", "--part", "2/3"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // Until a trial has a checkpoint beside its first.
    let has_begun = || {
        let files =
            if place.path("sweeps/s/trials").is_dir() { place.files("sweeps/s/trials") } else { Default::default() };
        files.iter().filter(|name| name.contains("checkpoints/step-")).count() > 2
    };
    while !has_begun() {
        sleep(Duration::from_millis(20));
    }
    // SAFETY: sends a signal to a child that has not been waited for, so that its number is still its own.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("stopped; to go on: gannet sweep s.toml --part 2/3"), "{stderr}");
    assert_eq!(states(&place).iter().filter(|state| *state == "begun").count(), 1);
}

#[test]
fn parts_come_to_one_table_and_missing_ones_are_named() {
    let whole = with_sweep(GRID);
    whole.succeed("sweep s.toml --quiet");
    let place = with_sweep(GRID);
    // At the same time, in one folder.
    let mut parts: Vec<Child> =
        ["1/4", "3/4"].map(|part| start(&place, &format!("sweep s.toml --quiet --part {part}"))).into();
    for part in &mut parts {
        assert!(part.wait().unwrap().success());
    }
    assert_eq!(states(&place), ["done", "missing", "done", "missing", "done", "missing"]);
    assert!(!place.path("sweeps/s/sweep.csv").exists(), "a part makes no table of all");
    let merged = place.run("sweep s.toml --merge");
    assert_eq!(merged.code, Some(1), "{merged:?}");
    for told in ["3 of 6 trials have not ended", "part 2/4 lacks", "part 4/4 lacks", "gannet sweep s.toml --part 2/4"] {
        assert!(merged.stderr.contains(told), "{told}: {merged:?}");
    }
    assert!(merged.stdout.contains("3 of 6 trials") && merged.stdout.contains("missing"), "{merged:?}");
    let told = place.succeed("sweep s.toml --part 2/4");
    assert!(told.contains("part 2/4: 2 of 6 trials") && !told.contains("missing"), "{told}");
    place.fail("sweep s.toml --merge --quiet", 1, &["part 4/4 lacks"]);
    // Without a part, what is missing is trained here.
    place.succeed("sweep s.toml --quiet");
    check_same(&place, &outcome(&whole));
    // More parts than trials leave some with nothing to do.
    place.succeed("sweep s.toml --part 9/9 --quiet");
    for part in ["0/3", "4/3", "3", "a/b", "1/0"] {
        assert_eq!(place.run(&format!("sweep s.toml --part {part}")).code, Some(2), "{part}");
    }
}

#[test]
fn a_file_that_changed_goes_on_only_where_trials_were_added() {
    let two = "base = 'gaussian2d'\nseeds = 1\n[run]\nsteps = 10\nbatch = 8\n[data]\npoints = 50\n[grid]\ngan.r1 = [0.0, 0.1]";
    let place = with_sweep(two);
    place.succeed("sweep s.toml --quiet");
    place.write("s.toml", two.replace("[0.0, 0.1]", "[0.1, 0.0, 0.2]"));
    assert_eq!(states(&place), ["done", "done", "missing"]);
    place.succeed("sweep s.toml --quiet");
    assert_eq!(place.read("sweeps/s/sweep.csv").lines().count(), 4);
    // Another measure ranks the same trials anew.
    place.write("s.toml", format!("measure = 'bias_x'\n{}", two.replace("[0.0, 0.1]", "[0.1, 0.0, 0.2]")));
    assert_eq!(place.json("sweep s.toml --merge --json")["measure"], "bias_x");
    let before = place.read("sweeps/s/plan.json");
    for changed in [two.to_string(), two.replace("seeds = 1", "seeds = 2"), two.replace("steps = 10", "steps = 20")] {
        place.write("s.toml", changed);
        for arguments in ["sweep s.toml", "sweep s.toml --plan", "sweep s.toml --merge", "sweep s.toml --part 1/2"] {
            place.fail(arguments, 2, &["out: sweeps/s holds another sweep", "r1-0.", "put the file back"]);
        }
    }
    assert_eq!(place.read("sweeps/s/plan.json"), before);
    place.succeed("sweep s.toml --out other --quiet");
    // What is no sweep is left alone.
    fs::create_dir(place.path("mine")).unwrap();
    place.write("mine/notes", "");
    place.fail("sweep s.toml --out mine", 2, &["mine exists and holds no sweep"]);
    place.fail("sweep s.toml --out s.toml", 2, &["holds no sweep"]);
    assert_eq!(place.files("mine").len(), 1);
}

#[test]
fn a_trial_that_cannot_go_on_is_named_with_the_cure() {
    let place = with_sweep(
        "base = 'gaussian2d'\nseeds = 1\n[run]\nsteps = 10\nbatch = 8\n[data]\npoints = 50\n[grid]\ngan.r1 = [0.0, 0.1]",
    );
    place.succeed("sweep s.toml --quiet");
    let expected = outcome(&place);
    let plan = place.json("sweep s.toml --plan --json");
    let trial = format!("sweeps/s/trials/{}", plan["trials"][1]["trial"].as_str().unwrap());
    // Only its end is lost: it comes again.
    fs::remove_file(place.path(&format!("{trial}/run.json"))).unwrap();
    assert_eq!(states(&place), ["done", "begun"]);
    place.succeed("sweep s.toml --quiet");
    check_same(&place, &expected);
    fs::remove_file(place.path(&format!("{trial}/run.json"))).unwrap();
    fs::remove_dir_all(place.path(&format!("{trial}/replica-000/checkpoints"))).unwrap();
    let outcome = place.run("sweep s.toml --quiet");
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains(&format!("remove {trial} to train this trial")), "{outcome:?}");
    fs::remove_dir_all(place.path(&trial)).unwrap();
    place.succeed("sweep s.toml --quiet");
    check_same(&place, &expected);
}

#[test]
fn whatever_is_wrong_is_told_before_anything_is_trained() {
    let place = Place::new();
    let head = "base = 'circle'\n[run]\nsteps = 5\n[data]\npoints = 50\n";
    for (text, code, parts) in [
        (format!("{head}[grid]\nrun.batsh = [8, 16]"), 2, &["run", "did you mean `batch`"][..]),
        (format!("{head}[grid]\nrun.batch = [8, 16, 0]"), 2, &["run.batch", "in the trial with run.batch = 0"]),
        // What only the data tell.
        (format!("{head}[grid]\nrun.batch = [8, 51]"), 2, &["trial batch-51-", "batch"]),
        (format!("{head}[grid]\nrun.batch = 8"), 2, &["grid.run.batch", "give a list"]),
        (format!("{head}[gird]\nrun.batch = [8]"), 2, &["did you mean `grid`"]),
        (
            "base = 'own.csv'\n[grid]\nrun.batch = [8]".to_string(),
            2,
            &["base: there is no preset and no file `own.csv`", "a run"],
        ),
        (
            "base = 'own'\n[grid]\nrun.batch = [8]".to_string(),
            2,
            &["base: there is no preset and no file `own`", "a run"],
        ),
        ("not toml".to_string(), 2, &["s.toml", "line 1"]),
    ] {
        place.write("s.toml", text);
        place.fail("sweep s.toml", code, parts);
        assert!(!place.path("sweeps").exists());
    }
    place.fail("sweep nothing.toml", 1, &["nothing.toml"]);
}

#[test]
fn the_base_may_be_data_a_configuration_or_a_run() {
    let place = Place::new();
    let rows: String = (0..60).map(|row| format!("{},{}\n", f64::from(row).sin(), f64::from(row * 7 % 11))).collect();
    fs::create_dir(place.path("sub")).unwrap();
    place.write("sub/points.csv", format!("a,b\n{rows}"));
    place.write(
        "sub/s.toml",
        "base = 'points.csv'\nseeds = 1\n[run]\nsteps = 4\nbatch = 8\n[grid]\ngan.r1 = [0.0, 1.0]",
    );
    // Paths are meant from where the file lies.
    place.succeed("sweep sub/s.toml --quiet");
    place.succeed("train circle --steps 3 --batch 8 --quiet --out run");
    for base in ["run", "run/config.toml"] {
        place.write(
            "s.toml",
            format!("base = '{base}'\nseeds = 1\n[random]\ntrials = 2\nrun.batch = {{ low = 4, high = 99 }}"),
        );
        let result = place.json(&format!("sweep s.toml --json --out of-{}", base.len()));
        assert_eq!(result["trials"].as_array().unwrap().len(), 2);
    }
}

/// The example of the document is a sweep.
#[test]
fn no_base_is_standard_input() {
    let place = Place::new();
    let rows: String = (0..40u32).map(|row| format!("{}.5,{}.25\n", row * 7 % 40, row * 11 % 40)).collect();
    let piped =
        place.command("train - --steps 2 --threads 1 --quiet --out piped").write_stdin(rows.clone()).output().unwrap();
    assert!(piped.status.success(), "{piped:?}");
    // Without the table that lies beside it.
    place.write("copy.toml", place.read("piped/config.toml"));
    for base in ["-", "/dev/stdin", "piped", "piped/config.toml", "copy.toml"] {
        place.write("s.toml", format!("base = '{base}'\nseeds = 1\n[grid]\nrun.batch = [4, 8]"));
        for how in ["sweep s.toml", "sweep s.toml --plan", "sweep s.toml --part 1/2"] {
            let told = place.command(how).write_stdin(rows.clone()).output().unwrap();
            let line = String::from_utf8(told.stderr).unwrap();
            assert_eq!((told.status.code(), line.lines().count()), (Some(2), 1), "{base}: {line}");
            let parts = ["s.toml", "base", "standard input", "save them to a file"];
            assert!(parts.iter().all(|part| line.contains(part)) && !line.contains("--data"), "{base}: {line}");
        }
    }
    assert!(!place.path("sweeps").exists());
    // The data in a file, named in the settings.
    place.write("t.csv", &rows);
    let text = place.read("copy.toml").replace("file = \"-\"", "file = \"t.csv\"");
    place.write("copy.toml", text);
    place.write("s.toml", "base = 'copy.toml'\nseeds = 1\n[grid]\nrun.batch = [4, 8]");
    place.succeed("sweep s.toml --plan");
}

#[test]
fn the_examples_of_the_document_are_sweeps() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/sweeps.md")).unwrap();
    let examples: Vec<&str> = text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() > 1);
    for example in examples {
        let place = with_sweep(example);
        assert!(states(&place).len() > 1, "{example}");
    }
}
