//! Wrong arguments, settings, data and runs are named, each in one line.

use std::fs;

use crate::place::{Place, idx};

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
        ("train circle --points 9", 2, &["batch", "use at most 9"]),
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
    place.fail("train bytes.toml", 1, &["bytes.toml", "give a table"]);
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
