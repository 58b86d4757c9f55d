//! Training: what a run leaves, what repeats it, and what it prints.

use std::collections::BTreeSet;
use std::fs;

use sha2::{Digest, Sha256};

use crate::place::Place;

fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.len() > 100
}

/// The event files of a run, whose names tell when and where it took place, and all others.
fn split(files: BTreeSet<String>) -> (BTreeSet<String>, BTreeSet<String>) {
    files.into_iter().partition(|name| name.starts_with("events.out.tfevents."))
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
fn a_run_that_diverges_says_so_and_keeps_its_losses() {
    let place = Place::new();
    let outcome = place.run("train circle --learning-rate 1e30 --report-every 1 --quiet --out run");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{outcome:?}");
    assert!(outcome.stderr.starts_with("error: step ") && outcome.stderr.lines().count() == 1, "{outcome:?}");
    assert!(outcome.stderr.contains("learning rate"), "{outcome:?}");
    assert!(place.read("run/metrics.csv").starts_with("step,"));
    assert!(!place.path("run/model.safetensors").exists());
}
