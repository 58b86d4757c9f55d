//! What was learned: measures and samples of a trained run.

use crate::place::Place;

fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.len() > 100
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
        ("ring8", "", &["modes_captured", "high_quality_share", "reverse_kl", "sliced_wasserstein"]),
        ("grid25", "", &["modes_captured", "high_quality_share", "reverse_kl", "sliced_wasserstein"]),
        ("swiss-roll", "", &["sliced_wasserstein"]),
        ("two-moons", "", &["sliced_wasserstein"]),
        ("checkerboard", "", &["sliced_wasserstein"]),
        ("circle-best", "", &["sliced_wasserstein", "mean_radius"]),
        ("gaussian2d-best", "", &["covariance_error", "mean_distance"]),
        ("digits", "", &["classes_covered", "pixel_sd"]),
        ("digits-conditional", "", &["classes_covered", "pixel_sd"]),
        ("mnist", "--data idx --batch 8", &["classes_covered", "pixel_sd", "parzen_nats"]),
        ("mnist-conditional", "--data idx --batch 8", &["classes_covered", "pixel_sd", "parzen_nats"]),
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
        let images = preset.starts_with("digits") || preset.starts_with("mnist");
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
fn modes_are_told_with_their_quality_and_balance() {
    let place = Place::new();
    for (preset, modes) in [("ring8", "of 8"), ("grid25", "of 25")] {
        let told = place.succeed(&format!("train {preset} --steps 3 --points 1000"));
        let run = format!("runs/{preset}-001");
        let text = place.succeed(&format!("evaluate {run}"));
        for text in [&told, &text] {
            let rows: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("modes_captured")).collect();
            let begins = ["modes_captured", "high_quality_share", "reverse_kl", "sliced_wasserstein"];
            assert!(rows.iter().zip(begins).all(|(row, name)| row.starts_with(name)), "{text}");
            assert!(rows[0].ends_with(modes) && !rows[0].contains('.') && rows[1].ends_with("true: 0.989"), "{text}");
        }
        let header = place.read(&format!("{run}/evaluation.csv"));
        assert!(header.starts_with("step,epoch,modes_captured,high_quality_share,reverse_kl,sliced_wasserstein,"));
        // A run is not judged by a balance that says nothing of its samples.
        assert_eq!(place.json(&format!("evaluate {run} --json"))["metrics"].as_object().unwrap().len(), 4);
        assert!(place.succeed("runs").contains("sliced_wasserstein"), "{text}");
    }
}

const COMPARED: [&str; 7] =
    ["coverage", "density", "kolmogorov_smirnov", "mmd_squared", "nearest_accuracy", "precision", "recall"];

#[test]
fn samples_are_compared_with_real_ones_beside_real_ones() {
    let place = Place::new();
    place.succeed("train two-moons --steps 3 --points 1000 --quiet");
    let told = place.json("evaluate runs/two-moons-001 --json");
    let compared = told["comparison"].as_object().unwrap();
    assert_eq!(compared.keys().map(String::as_str).collect::<Vec<_>>(), COMPARED);
    let of = |name: &str| ["samples", "real"].map(|set| compared[name][set].as_f64().unwrap());
    for name in COMPARED {
        assert!(of(name).iter().all(|value| value.is_finite()) && told["meanings"][name].is_string(), "{name}");
    }
    // A generator before training against points that it is far from; real points against real points.
    for (name, least, most) in [("nearest_accuracy", 0.4, 0.6), ("recall", 0.9, 1.0), ("coverage", 0.9, 1.0)] {
        let [samples, real] = of(name);
        assert!((least..=most).contains(&real) && !(least..=most).contains(&samples), "{name}: {samples} {real}");
    }
    // What lies in one spot may lie among the data.
    assert!((0.9..=1.0).contains(&of("precision")[1]), "{compared:?}");
    for name in ["mmd_squared", "kolmogorov_smirnov"] {
        let [samples, real] = of(name);
        assert!(real.abs() < 0.05 && samples > 0.1, "{name}: {samples} {real}");
    }
    let text = place.succeed("evaluate runs/two-moons-001 --samples 100");
    assert!(COMPARED.iter().all(|name| text.matches(name).count() == 2) && text.contains("(100 of each)"), "{text}");
    // Neighborhoods take six samples.
    let few = place.json("evaluate runs/two-moons-001 --samples 5 --json");
    assert!(few["comparison"].as_object().unwrap().is_empty(), "{few}");
}

#[test]
fn own_data_are_compared_by_their_halves_and_columns() {
    let place = Place::new();
    let rows = |count: usize| (0..count).map(|i| format!("{},{}\n", (i * 7) % 31, (i * i) % 101)).collect::<String>();
    place.write("t.csv", format!("a,b\n{}", rows(300)));
    place.succeed("train t.csv --steps 3 --quiet --out run");
    let told = place.json("evaluate run --json");
    for name in COMPARED {
        assert!(told["comparison"][name]["real"].is_number(), "{name}");
    }
    for column in told["columns"].as_array().unwrap() {
        let [samples, real] =
            ["kolmogorov_smirnov", "real_kolmogorov_smirnov"].map(|name| column[name].as_f64().unwrap());
        assert!((0.0..=1.0).contains(&samples) && real < 0.25 && real < samples, "{column}");
    }
    let text = place.succeed("evaluate run");
    assert!(text.contains("KS") && text.contains("(150 of each)"), "{text}");
    // Halves of ten rows are too small for neighborhoods.
    place.write("t.csv", format!("a,b\n{}", rows(10)));
    place.succeed("train t.csv --steps 3 --batch 4 --quiet --out few");
    assert!(place.json("evaluate few --json")["comparison"].as_object().unwrap().is_empty());
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
