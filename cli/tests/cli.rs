//! The program from outside: what each command prints and writes, and what it says to wrong input.

#[path = "common/program.rs"]
mod program;

use std::collections::BTreeSet;
use std::fs;

use program::{Place, idx};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.len() > 100
}

/// The event files of a run, whose names tell when and where it took place, and all others.
fn split(files: BTreeSet<String>) -> (BTreeSet<String>, BTreeSet<String>) {
    files.into_iter().partition(|name| name.starts_with("events.out.tfevents."))
}

#[test]
fn help_and_version() {
    let place = Place::new();
    assert!(place.succeed("--version").starts_with("gannet "));
    let help = place.succeed("--help");
    for command in ["train", "sample", "evaluate", "bench", "info"] {
        assert!(help.contains(command), "{command}");
        assert!(place.succeed(&format!("{command} --help")).contains("--json") || command == "sample");
    }
    assert!(place.succeed("train --help").contains("gannet train circle"));
    let outcome = place.run("");
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("Usage"), "{outcome:?}");
}

#[test]
fn a_run_leaves_a_new_folder_each_time() {
    let place = Place::new();
    // No checkpoint by the clock: on a busy machine one may be due.
    let arguments = "train circle --steps 24 --evaluate-every 10 --report-every 4 --save-epochs 1 --batch 256 \
                     --checkpoint-seconds 0 --json";
    let result = place.json(arguments);
    assert_eq!(result["run"], "runs/circle-001");
    assert_eq!((result["preset"].as_str(), result["steps"].as_u64()), (Some("circle"), Some(24)));
    assert_eq!(result["epochs"].as_f64(), Some(6.0));
    for key in ["seconds", "samples_per_second", "discriminator_loss", "generator_loss", "real_probability"] {
        assert!(result[key].as_f64().unwrap().is_finite(), "{key}");
    }
    assert!(result["metrics"]["sliced_wasserstein"].as_f64().unwrap() > 0.0);
    let written = Sha256::digest(place.bytes("runs/circle-001/model.safetensors"));
    let written: String = written.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(result["model_sha256"], written.as_str());
    let mut expected: BTreeSet<String> = [
        "config.toml",
        "legs.json",
        "metrics.csv",
        "evaluation.csv",
        "run.json",
        "run.lock",
        "model.safetensors",
        "samples.png",
    ]
    .into_iter()
    .chain(["losses.png", "learning.png", "report.html", "checkpoints/best.safetensors"])
    .chain(["checkpoints/step-000000000.safetensors", "checkpoints/step-000000024.safetensors"])
    .map(String::from)
    .collect();
    expected.extend([0, 10, 20, 24].map(|step| format!("samples/step-{step:06}.png")));
    expected.extend((1..=6).map(|epoch| format!("models/epoch-{epoch:03}.safetensors")));
    let (events, files) = split(place.files("runs/circle-001"));
    assert_eq!((events.len(), files), (1, expected.clone()));
    for picture in expected.iter().filter(|name| name.ends_with("png")) {
        assert!(is_png(&place.bytes(&format!("runs/circle-001/{picture}"))), "{picture}");
    }
    let metrics = place.read("runs/circle-001/metrics.csv");
    let lines: Vec<&str> = metrics.lines().collect();
    assert_eq!(lines[0], "step,epoch,discriminator_loss,generator_loss,real_probability,fake_probability");
    let steps: Vec<&str> = lines[1..].iter().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(steps[0], "4");
    assert_eq!(steps.last(), Some(&"24"));
    assert_eq!(place.read("runs/circle-001/evaluation.csv").lines().count(), 1 + 4);
    let model = place.bytes("runs/circle-001/model.safetensors");
    assert_eq!(model, place.bytes("runs/circle-001/models/epoch-006.safetensors"));
    assert!(String::from_utf8_lossy(&model[..4096.min(model.len())]).contains("generator.0.weight"));

    assert_eq!(place.json(arguments)["run"], "runs/circle-002");
    assert_eq!(model, place.bytes("runs/circle-001/model.safetensors"));
}

#[test]
fn config_repeats_a_run_bit_for_bit() {
    let place = Place::new();
    let settings = "--steps 37 --seed 11 --batch 48 --points 500 --learning-rate 0.003 --objective non_saturating \
                    --order discriminator-first-shared-fake --discriminator-steps 2 --evaluate-every 16";
    place.succeed(&format!("train circle --quiet {settings} --out first"));
    place.succeed("train first/config.toml --quiet --out second");
    place.succeed("train first --quiet --threads 2 --out third");
    place.succeed("train first/config.toml --quiet --seed 12 --out other");
    assert_eq!(place.bytes("first/config.toml"), place.bytes("second/config.toml"));
    for file in ["model.safetensors", "metrics.csv", "evaluation.csv", "samples.png", "losses.png"] {
        let first = place.bytes(&format!("first/{file}"));
        assert!(first == place.bytes(&format!("second/{file}")), "{file} differs");
        assert!(first == place.bytes(&format!("third/{file}")), "{file} differs with two threads");
        assert!(first != place.bytes(&format!("other/{file}")), "{file} does not depend on the seed");
    }
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
    for part in
        ["2 replicas of 2 steps", "replica  seed", "median", "greatest", "gannet evaluate runs/digits-001/replica-000"]
    {
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
}

#[test]
fn own_layers_train() {
    let place = Place::new();
    let config = "
        [run]
        preset = 'mixture1d'
        steps = 8
        [gan]
        objective = 'minimax'
        discriminator_optimizer = { kind = 'adam', learning_rate = 0.01, beta1 = 0.5, beta2 = 0.9, epsilon = 1e-8 }
        [gan.generator]
        initialization = { kind = 'he' }
        layers = [
            { inputs = 5, outputs = 7, activation = { kind = 'leaky_relu', slope = 0.1 } },
            { inputs = 7, outputs = 1, activation = { kind = 'linear' } },
        ]
        [gan.discriminator]
        layers = [
            { inputs = 1, outputs = 9, activation = { kind = 'tanh' }, dropout = 0.5 },
            { inputs = 9, outputs = 1, activation = { kind = 'linear' } },
        ]";
    fs::write(place.path("own.toml"), config).unwrap();
    place.succeed("train own.toml --quiet");
    let resolved = place.read("runs/mixture1d-001/config.toml");
    assert!(resolved.contains("leaky_relu") && resolved.contains("dropout = 0.5"), "{resolved}");
    // Its D sees more than the mean.
    assert!(!place.succeed("evaluate runs/mixture1d-001").contains("Linear(1, 1)"));
}

#[test]
fn every_preset_trains_samples_and_is_measured() {
    let place = Place::new();
    place.write_mnist("idx", 28);
    for (preset, options, measures) in [
        ("circle", "", &["sliced_wasserstein", "mean_radius", "radius_sd", "sector_coverage"][..]),
        ("mixture1d", "", &["mean", "sd", "wasserstein1"]),
        ("mixture1d-deep", "", &["mean", "sd", "wasserstein1"]),
        ("gaussian2d", "", &["covariance_error", "mean_distance", "covariance_xy", "bias_x"]),
        ("digits", "", &["classes_covered", "pixel_sd"]),
        ("mnist", "--data idx --batch 8", &["classes_covered", "pixel_sd", "parzen_nats"]),
    ] {
        let trained = place.json(&format!("train {preset} --steps 4 --evaluate-every 2 --json {options}"));
        let run = format!("runs/{preset}-001");
        let evaluated = place.json(&format!("evaluate {run} --json"));
        assert_eq!(evaluated["metrics"], trained["metrics"], "{preset}");
        for measure in measures {
            assert!(evaluated["metrics"][measure].as_f64().unwrap().is_finite(), "{preset}: {measure}");
            assert!(evaluated["references"][measure].is_string(), "{preset}: {measure}");
        }
        let header = place.read(&format!("{run}/evaluation.csv"));
        let columns = header.lines().next().unwrap().split(',').count();
        assert!(header.lines().all(|line| line.split(',').count() == columns), "{header}");
        let images = ["digits", "mnist"].contains(&preset);
        assert_eq!(place.path(&format!("{run}/samples/step-000004-row.png")).exists(), images, "{preset}");
        let png = format!("{preset}.png");
        place.succeed(&format!("sample {run} --count 9 --out {png}"));
        assert!(is_png(&place.bytes(&png)), "{preset}");
    }
}

#[test]
fn evaluation_says_what_it_means() {
    let place = Place::new();
    place.succeed("train mixture1d --steps 3 --quiet");
    let text = place.succeed("evaluate runs/mixture1d-001");
    assert!(text.contains("sees nothing but the mean") && text.contains("no reference for this length"), "{text}");
    assert!(place.json("evaluate runs/mixture1d-001 --json")["remark"].as_str().unwrap().contains("mean"));
    place.succeed("train gaussian2d --steps 3 --quiet");
    let text = place.succeed("evaluate runs/gaussian2d-001 --samples 100");
    assert!(text.contains("4.25") && text.contains("A^T A"), "{text}");
}

#[test]
fn samples_come_as_table_array_and_picture() {
    let place = Place::new();
    place.succeed("train circle --steps 32 --save-epochs 1 --quiet");
    place.succeed("sample runs/circle-001 --count 5 --seed 3 --out five.csv");
    place.succeed("sample runs/circle-001 --count 9 --seed 3 --out nine.csv");
    let (five, nine) = (place.read("five.csv"), place.read("nine.csv"));
    assert_eq!(five.lines().count(), 6);
    assert!(five.starts_with("x,y\n") && nine.starts_with(&five), "{five}\n{nine}");
    place.succeed("sample runs/circle-001 --count 5 --seed 4 --out other.csv");
    assert_ne!(place.read("other.csv"), five);
    // The checkpoint after the last step is the model.
    place.succeed("sample runs/circle-001/models/epoch-001.safetensors --count 5 --seed 3 --out same.csv");
    assert_eq!(place.read("same.csv"), five);

    place.succeed("sample runs/circle-001 --count 5 --seed 3 --out five.npy");
    let array = place.bytes("five.npy");
    assert!(array.starts_with(b"\x93NUMPY"));
    let numbers: Vec<f32> =
        array[array.len() - 40..].chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
    let table: Vec<f32> = five.lines().skip(1).flat_map(|line| line.split(',')).map(|x| x.parse().unwrap()).collect();
    assert_eq!(numbers, table);

    place.fail("sample runs/circle-001 --out five.csv", 2, &["five.csv", "--force"]);
    assert_eq!(place.read("five.csv"), five);
    place.succeed("sample runs/circle-001 --count 2 --out five.csv --force");
    assert_eq!(place.read("five.csv").lines().count(), 3);
    place.fail("sample runs/circle-001 --out points.txt", 2, &[".npy, .csv or .png"]);
    place.fail("sample runs/circle-001 --count 0 --out new.csv", 2, &["--count"]);
    place.fail("sample nowhere --out new.csv", 1, &["nowhere"]);
    place.fail("sample runs --out new.csv", 1, &["config.toml"]);
    place.fail("sample runs/circle-001 --out no/folder.csv", 1, &["no/folder.csv"]);
}

#[test]
fn info_tells_about_the_machine() {
    let place = Place::new();
    let info = place.json("info --json");
    assert!(info["cores"].as_u64().unwrap() >= 1);
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    assert!(info["processor"].is_string() && info["isa"].is_string());
    assert!(info["engines"].as_array().unwrap().contains(&Value::from("matrixmultiply")), "{info}");
    let sets = info["instruction_sets"].as_array().unwrap();
    assert_eq!(sets.last().unwrap()["isa"], "portable");
    assert!(sets.iter().all(|set| set["peak_gflops"].as_f64().unwrap() > 0.0), "{info}");
    assert_eq!(sets.iter().filter(|set| set["used"] == true).count(), 1);
    assert!(place.succeed("info").contains("portable"));
}

#[test]
fn bench_prints_a_line_for_each_combination() {
    let place = Place::new();
    let lists =
        "--preset circle,gaussian2d --batch 16,33 --threads 1,2 --engine matrixmultiply --isa portable --steps 3";
    let stdout = place.succeed(&format!("bench {lists} --json"));
    let rows: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 8);
    for row in &rows {
        let number = |key: &str| row[key].as_f64().unwrap();
        assert!(number("samples_per_second") > 0.0 && number("peak_gflops") > 0.0, "{row}");
        assert!((number("gflops") * 1e9 / number("samples_per_second") / number("flop_per_sample") - 1.0).abs() < 1e-9);
        assert!((number("share_of_peak") * number("peak_gflops") / number("gflops") - 1.0).abs() < 1e-9);
        assert_eq!((row["engine"].as_str(), row["isa"].as_str()), (Some("matrixmultiply"), Some("portable")));
    }
    assert_eq!((rows[0]["preset"].as_str(), rows[0]["batch"].as_u64()), (Some("circle"), Some(16)));
    // 12 M_D + 4 M_D' + 6 M_G + 2 M_G' with M_D = 10,528, M_D' = 10,272, M_G = 608, M_G' = 576.
    assert_eq!(rows[0]["flop_per_sample"].as_u64(), Some(12 * 10_528 + 4 * 10_272 + 6 * 608 + 2 * 576));
    let table = place.succeed(&format!("bench {lists}"));
    assert_eq!(table.lines().count(), 9, "{table}");
    let engines = place.succeed("bench --preset mixture1d --engine native,matrixmultiply --steps 1 --json");
    assert_eq!(engines.lines().count(), 2, "{engines}");
    assert!(serde_json::from_str::<Value>(engines.lines().next().unwrap()).unwrap()["memory"].as_u64() > Some(0));
    let markdown = place.succeed("bench --preset mixture1d --engine native,matrixmultiply --steps 1 --markdown");
    assert_eq!(markdown.lines().filter(|line| line.matches('|').count() == 8).count(), 4, "{markdown}");
    place.fail("bench --json --markdown", 2, &["--markdown"]);
    place.fail("bench --preset circle,mnits", 2, &["mnits", "mnist"]);
    place.fail("bench --batch 0", 2, &["--batch"]);
}

#[test]
fn quiet_prints_nothing_and_plan_does_not_train() {
    let place = Place::new();
    let outcome = place.run("train circle --steps 3 --quiet");
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), "", ""));
    let outcome = place.run("train circle --steps 3 --quiet --json");
    assert_eq!((outcome.stdout.lines().count(), outcome.stderr.as_str()), (1, ""));
    let outcome = place.run("train circle --steps 3 --json");
    assert!(outcome.stderr.contains("step 3/3") && outcome.stderr.contains("samples/s"), "{outcome:?}");
    let plan = place.succeed("train gaussian2d --plan");
    assert!(plan.contains("MiB") && plan.contains("2,000") && plan.contains("G 2-2, D 2-20-10-2"), "{plan}");
    assert!(!place.path("runs/gaussian2d-001").exists());
}

#[test]
fn wrong_arguments_are_named_and_leave_nothing() {
    let place = Place::new();
    fs::create_dir(place.path("taken")).unwrap();
    fs::write(place.path("taken/precious"), "all I have").unwrap();
    fs::write(place.path("file"), "").unwrap();
    for (arguments, code, parts) in [
        ("train", 2, &["PRESET", "--help"][..]),
        ("frain circle", 2, &["frain"]),
        ("train circel", 2, &["circel", "did you mean `circle`?", "mixture1d-deep"]),
        ("train circle --batch 0", 2, &["--batch", "from 1 up"]),
        ("train circle --batch 2000", 2, &["batch", "2000", "1024"]),
        ("train circle --points 0", 2, &["--points"]),
        ("train circle --points 9", 2, &["batch", "9 samples"]),
        ("train circle --steps 0", 2, &["--steps"]),
        ("train circle --steps 3 --epochs 3", 2, &["--steps", "--epochs"]),
        ("train circle --learning-rate nan", 2, &["--learning-rate", "0.001"]),
        ("train circle --learning-rate=-0.1", 2, &["--learning-rate"]),
        ("train circle --learning-rate -0.1", 2, &["--learning-rate", "above 0"]),
        ("train circle --batch -3", 2, &["--batch", "from 1 up"]),
        ("train circle --seed -1", 2, &["--seed", "from 0 up"]),
        ("train circle --epochs 0", 2, &["--epochs", "from 1 up"]),
        ("sample taken --count -1 --out x.csv", 2, &["--count", "from 1 up"]),
        ("bench --batch -1", 2, &["--batch", "from 1 up"]),
        ("train circle --generator-learning-rate inf", 2, &["--generator-learning-rate"]),
        ("train circle --discriminator-learning-rate x", 2, &["--discriminator-learning-rate"]),
        ("train circle --objective minmax", 2, &["minimax"]),
        ("train circle --order random", 2, &["discriminator_first"]),
        ("train circle --discriminator-steps 0", 2, &["--discriminator-steps"]),
        ("train circle --isa sse9", 2, &["avx512, avx2, portable"]),
        ("train circle --engine abacus", 2, &["matrixmultiply"]),
        ("train circle --bacth 3", 2, &["--bacth", "--batch"]),
        ("train circle --memory-limit lots", 2, &["--memory-limit", "2GiB"]),
        ("train circle --memory-limit 1KiB", 1, &["1024", "memory"]),
        ("train circle --data file", 2, &["data", "--data"]),
        ("train digits --points 40", 2, &["points"]),
        ("train circle --out taken", 2, &["taken", "exists"]),
        ("train circle --out file", 2, &["file", "exists"]),
        ("train circle --out file/run", 1, &["file", "in its place", "--out DIR"]),
        ("train nowhere.toml", 1, &["nowhere.toml"]),
        ("train taken", 1, &["taken", "no run", "config.toml"]),
        ("train mnist", 2, &["--data DIR"]),
        ("train mnist --data nowhere", 1, &["nowhere", "train-images-idx3-ubyte"]),
        ("train mnist --data taken", 1, &["taken", "t10k-labels"]),
        ("evaluate nowhere", 1, &["nowhere"]),
        ("evaluate taken", 1, &["taken", "config.toml"]),
    ] {
        place.fail(arguments, code, parts);
    }
    assert_eq!(place.files("."), ["file", "taken/precious"].map(String::from).into());
    assert_eq!(place.read("taken/precious"), "all I have");
}

#[test]
fn a_forced_instruction_set_must_be_there() {
    let place = Place::new();
    let outcome = place.command("train circle --steps 1").env("GANNET_ISA", "sse9").output().unwrap();
    assert_eq!(outcome.status.code(), Some(2), "{outcome:?}");
    let bench = place.command("bench --steps 1").env("GANNET_ISA", "sse9").output().unwrap();
    assert_eq!((bench.status.code(), bench.stdout.len()), (Some(2), 0), "{bench:?}");
    let info = place.command("info --json").env("GANNET_ISA", "portable").output().unwrap();
    let info: Value = serde_json::from_slice(&info.stdout).unwrap();
    assert_eq!(info["isa"], "portable");
    let result = place.json("train circle --steps 1 --isa portable --json");
    assert_eq!(result["isa"], "portable");
    let there: Vec<&str> =
        info["instruction_sets"].as_array().unwrap().iter().map(|set| set["isa"].as_str().unwrap()).collect();
    for isa in ["avx512", "avx2"].into_iter().filter(|isa| !there.contains(isa)) {
        place.fail(&format!("train circle --isa {isa}"), 2, &[isa, "portable"]);
    }
}

#[test]
fn sizes_of_caches_are_read_and_change_nothing_but_speed() {
    let place = Place::new();
    for text in ["64K", "0,1"] {
        let outcome = place.command("train circle --steps 1").env("GANNET_CACHES", text).output().unwrap();
        let message = String::from_utf8_lossy(&outcome.stderr);
        assert!(outcome.status.code() == Some(2) && message.contains("GANNET_CACHES"), "{outcome:?}");
    }
    let hash = |caches: &str| {
        let mut command = place.command("train digits --steps 3 --isa portable --engine native --json");
        let outcome = command.env("GANNET_CACHES", caches).output().unwrap();
        let result: Value = serde_json::from_slice(&outcome.stdout).unwrap();
        result["model_sha256"].as_str().unwrap().to_owned()
    };
    assert_eq!(hash("1,1"), hash("65536,4194304"));
}

#[test]
fn wrong_configurations_are_named() {
    let place = Place::new();
    for (text, parts) in [
        ("preset = 'circle'", &["line 1", "preset"][..]),
        ("[run]\npreset = 'circle'\nbacth = 3", &["line 3", "bacth", "did you mean `batch`?"]),
        ("[run]\npreset = 'circle'\nbatch = 'many'", &["line 3", "many"]),
        ("[run]\npreset = 'circle'\nbatch = 0", &["run.batch"]),
        ("[run]\npreset = 'circle'\n[gan]\nobjective = 'minmax'", &["line 4", "did you mean `minimax`?"]),
        (
            "[run]\npreset = 'circle'\n[gan]\ngenerator_optimizer = { kind = 'sgd', learning_rate = nan, momentum = 0.0 }",
            &["generator_optimizer", "NaN"],
        ),
        (
            "[run]\npreset = 'circle'\n[gan]\ngenerator_optimizer = \
             { kind = 'sgd', learning_rate = 0.1, momentum = 0.0, beta1 = 0.9 }",
            &["line 4", "beta1"],
        ),
        (
            "[run]\npreset = 'circle'\n[gan.generator]\nlayers = [{ inputs = 2, outputs = 3, activation = { kind = 'relu' } }]",
            &["discriminator.layers[0].inputs", "3"],
        ),
        (
            "[run]\npreset = 'circle'
            [gan.generator]\nlayers = [{ inputs = 2, outputs = 3, activation = { kind = 'relu' } }]
            [gan.discriminator]\nlayers = [{ inputs = 3, outputs = 1, activation = { kind = 'linear' } }]",
            &["gan.generator.layers", "3 values", "circle has 2"],
        ),
    ] {
        fs::write(place.path("config.toml"), text).unwrap();
        place.fail("train config.toml", 2, &[&["config.toml"][..], parts].concat());
    }
    fs::write(place.path("bytes.toml"), [0xff, 0xfe]).unwrap();
    place.fail("train bytes.toml", 1, &["bytes.toml", "UTF-16"]);
    // A gigabyte of nothing is refused without being read.
    fs::File::create(place.path("large.toml")).unwrap().set_len(1 << 30).unwrap();
    place.fail("train large.toml", 1, &["large.toml", "no text"]);
    assert!(!place.path("runs").exists());
}

#[test]
fn broken_data_files_are_named() {
    let place = Place::new();
    let images = "idx/train-images-idx3-ubyte";
    let labels = "idx/train-labels-idx1-ubyte";
    let spoil = |name: &str, bytes: &[u8], parts: &[&str]| {
        place.write_mnist("idx", 28);
        fs::write(place.path(name), bytes).unwrap();
        place.fail("train mnist --data idx --steps 1 --batch 4", 1, &[&[name][..], parts].concat());
    };
    place.write_mnist("idx", 28);
    let good = place.bytes(images);
    spoil(images, &good[..good.len() - 1], &[]);
    spoil(images, &good[..7], &[]);
    spoil(images, b"", &[]);
    spoil(images, &[&good[..], b"x"].concat(), &[]);
    spoil(images, &place.bytes(labels), &[]);
    spoil(labels, &good, &[]);
    spoil(labels, &idx(&[24], &[11; 24]), &["11"]);
    fs::remove_file(place.path(labels)).unwrap();
    place.fail("train mnist --data idx", 1, &["train-labels-idx1-ubyte"]);
    place.write_mnist("small", 8);
    place.fail("train mnist --data small", 1, &["8 x 8", "28 x 28"]);
    assert!(!place.path("runs").exists());
}

#[test]
fn broken_runs_are_named() {
    let place = Place::new();
    place.succeed("train circle --steps 2 --quiet --out run");
    let model = place.bytes("run/model.safetensors");
    fs::write(place.path("run/model.safetensors"), &model[..model.len() / 2]).unwrap();
    place.fail("evaluate run", 1, &["model.safetensors"]);
    fs::remove_file(place.path("run/model.safetensors")).unwrap();
    // What is left is a run that was killed at its end.
    assert!(place.run("sample run --out z.csv").stderr.contains("has not ended; this is its checkpoint of step 2"));
    fs::remove_dir_all(place.path("run/checkpoints")).unwrap();
    place.fail("sample run --out y.csv", 1, &["model.safetensors", "no checkpoint", "gannet train run/config.toml"]);
    place.succeed("train gaussian2d --steps 2 --quiet --out other");
    fs::copy(place.path("other/model.safetensors"), place.path("run/model.safetensors")).unwrap();
    place.fail("evaluate run", 1, &["model.safetensors"]);
    place.fail("sample other --count 1000000000000000 --out x.csv", 1, &["count", "ask for fewer"]);
    place.succeed("train circle --steps 2 --quiet --out third");
    place.fail("evaluate third --samples 1000000000000000", 1, &["samples", "ask for fewer"]);
}

#[test]
fn a_run_that_diverges_says_so_and_keeps_its_losses() {
    let place = Place::new();
    let outcome = place.run("train circle --learning-rate 1e30 --report-every 1 --quiet --out run");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{outcome:?}");
    assert!(outcome.stderr.starts_with("error: step ") && outcome.stderr.lines().count() == 1, "{outcome:?}");
    assert!(outcome.stderr.contains("learning rate"), "{outcome:?}");
    assert!(place.read("run/metrics.csv").starts_with("step,"));
    assert!(!place.path("run/model.safetensors").exists());
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    use std::process::{Command, Stdio};
    for arguments in [&["info"][..], &["--help"], &["bench", "--preset", "gaussian2d", "--steps", "2", "--json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = Command::new(env!("CARGO_BIN_EXE_gannet"))
            .args(arguments)
            .stdout(Stdio::from(writer))
            .stderr(Stdio::piped())
            .spawn();
        let output = child.unwrap().wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
}
