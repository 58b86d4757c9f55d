//! Own data from outside: one command from a file to samples in its units, and what is said about files that do not fit.

use std::io::Write;

use crate::place::Place;

/// A cloud of points with a header, a constant column and units of its own: 200 rows.
fn cloud() -> String {
    let mut text = "year,\"weight, kg\",site\n".to_string();
    for index in 0..200u32 {
        // Weyl's sequences: even, and with no pattern that matters.
        let (a, b) = (f64::from(index) * 0.618_034 % 1.0, f64::from(index) * 0.414_214 % 1.0);
        text += &format!("{},{},7.5\n", 1_700_000_000.0 + 100.0 * a, 0.001 * (a + b));
    }
    text
}

/// An NPY file of `f4` in C order.
fn npy(shape: &str, values: &[f32]) -> Vec<u8> {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

/// An IDX file of images.
fn idx(count: u32, height: u32, width: u32) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3];
    [count, height, width].iter().for_each(|dimension| bytes.extend(dimension.to_be_bytes()));
    bytes.extend((0..count * height * width).map(|index| (index * 37 % 251) as u8));
    bytes
}

/// The numbers of a CSV file below its header.
fn rows(text: &str) -> Vec<Vec<f64>> {
    text.lines().skip(1).map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect()).collect()
}

#[test]
fn one_command_learns_a_table_and_samples_have_its_units() {
    let place = Place::new();
    place.write("cloud.csv", cloud());
    let result = place.json("train cloud.csv --steps 600 --seed 3 --json");
    assert_eq!((result["preset"].as_str(), result["run"].as_str()), (Some("own"), Some("runs/own-001")));
    // All rows, as there are fewer than the default of 256; two features, since one column is constant.
    assert_eq!(result["batch"].as_u64(), Some(200));
    for measure in ["sliced_wasserstein", "real_sliced_wasserstein", "mean_error", "sd_error", "sd_ratio"] {
        assert!(result["metrics"][measure].as_f64().unwrap().is_finite(), "{measure}: {result}");
    }
    let config = place.read("runs/own-001/config.toml");
    assert!(config.contains("columns = [\"year\", \"weight, kg\", \"site\"]"), "{config}");
    assert!(config.contains("cloud.csv") && config.contains("{ inputs = 128, outputs = 2"), "{config}");
    assert!(config.contains("site = \"constant\""), "{config}");
    for file in ["samples.png", "losses.png", "samples/step-000600.png"] {
        assert!(place.bytes(&format!("runs/own-001/{file}")).starts_with(b"\x89PNG"), "{file}");
    }
    let header = place.read("runs/own-001/evaluation.csv");
    assert!(header.starts_with("step,epoch,sliced_wasserstein,real_sliced_wasserstein,mean_error"), "{header}");

    // The file is not needed for samples.
    std::fs::rename(place.path("cloud.csv"), place.path("moved.csv")).unwrap();
    place.succeed("sample runs/own-001 --count 500 --out new.csv");
    let samples = place.read("new.csv");
    assert!(samples.starts_with("year,\"weight, kg\",site\n"), "{samples}");
    let samples = rows(&samples.replace("\"weight, kg\"", "w"));
    assert_eq!(samples.len(), 500);
    let mean = |column: usize| samples.iter().map(|row| row[column]).sum::<f64>() / 500.0;
    assert!((mean(0) - 1_700_000_050.0).abs() < 20.0, "{}", mean(0));
    assert!((mean(1) - 0.001).abs() < 0.001, "{}", mean(1));
    assert!(samples.iter().all(|row| row[2] == 7.5));
    // Finer than 32 bits are at 1.7e9.
    assert!(samples.iter().any(|row| row[0] != f64::from(row[0] as f32)), "{samples:?}");
    place.succeed("sample runs/own-001 --count 500 --out new.npy");
    let array = place.bytes("new.npy");
    let start = array.len() - 500 * 3 * 8;
    let values: Vec<f64> =
        array[start..].chunks(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect();
    let close = |(one, other): (&f64, f64)| (one - other).abs() <= 1e-6 * one.abs().max(1.0);
    assert!(values.iter().zip(samples.concat()).all(close), "the text has the decimals of the file");
    place.succeed("sample runs/own-001 --count 50 --out new.png");

    place.fail("evaluate runs/own-001", 1, &["cloud.csv"]);
    let evaluated = place.json("evaluate runs/own-001 --data moved.csv --json");
    assert_eq!(evaluated["metrics"], result["metrics"]);
    place.write("narrow.csv", "1,2\n3,4\n");
    place.fail("evaluate runs/own-001 --data narrow.csv", 1, &["narrow.csv", "has 2 columns", "has 3"]);
}

#[test]
fn a_run_on_own_data_repeats_bit_for_bit() {
    let place = Place::new();
    place.write("cloud.csv", cloud());
    place.succeed("train cloud.csv --steps 20 --quiet --out first");
    place.succeed("train first --quiet --threads 2 --out second");
    assert_eq!(place.bytes("first/model.safetensors"), place.bytes("second/model.safetensors"));
    assert_eq!(place.bytes("first/evaluation.csv"), place.bytes("second/evaluation.csv"));
    place.succeed("train own --data cloud.csv --steps 20 --quiet --out third");
    assert_eq!(place.bytes("first/config.toml"), place.bytes("third/config.toml"));
    let replicas = place.json("train cloud.csv --steps 20 --replicas 2 --json");
    assert_eq!(replicas["replicas"].as_array().unwrap().len(), 2);
    assert_eq!(place.bytes("first/model.safetensors"), place.bytes("runs/own-001/replica-000/model.safetensors"));
}

#[test]
fn arrays_and_images_are_data_too() {
    let place = Place::new();
    let numbers: Vec<f32> = (0..60u8).map(|index| (f32::from(index) * 0.7).sin()).collect();
    for (name, bytes, columns) in [
        ("line.npy", npy("(60,)", &numbers), "column_1"),
        ("plane.npy", npy("(20, 3)", &numbers), "column_1,column_2,column_3"),
    ] {
        place.write(name, bytes);
        let run = place.json(&format!("train {name} --steps 4 --json"))["run"].as_str().unwrap().to_string();
        assert!(place.read(&format!("{run}/config.toml")).contains("batch = 20") || columns == "column_1");
        place.succeed(&format!("sample {run} --count 3 --out s.csv --force"));
        assert_eq!(place.read("s.csv").lines().next(), Some(columns));
        place.succeed(&format!("sample {run} --count 3 --out s.png --force"));
        place.succeed(&format!("evaluate {run}"));
    }
    let images = idx(30, 5, 4);
    place.write("images", &images);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&images).unwrap();
    place.write("images-idx3-ubyte.gz", gzip.finish().unwrap());
    let mut models = Vec::new();
    for name in ["images", "images-idx3-ubyte.gz"] {
        let result = place.json(&format!("train {name} --steps 4 --evaluate-every 2 --json"));
        let run = result["run"].as_str().unwrap();
        assert!(result["metrics"]["sd_ratio"].as_f64().unwrap() > 0.0, "{result}");
        assert!(place.read(&format!("{run}/config.toml")).contains("image = [5, 4]"));
        assert!(place.path(&format!("{run}/samples/step-000004-row.png")).exists());
        place.succeed(&format!("sample {run} --count 2 --out i.csv --force"));
        assert!(place.read("i.csv").starts_with("pixel_0_0,pixel_0_1,"));
        place.succeed(&format!("evaluate {run} --samples 40"));
        models.push(place.bytes(&format!("{run}/model.safetensors")));
    }
    assert_eq!(models[0], models[1]);
    place.write("other", idx(30, 4, 5));
    place.fail("evaluate runs/own-003 --data other", 1, &["other", "images of 4 x 5", "images of 5 x 4"]);
}

/// What a run of before today's recipes goes on with: its file names the objective, and may lack what there was not yet.
#[test]
fn a_file_that_names_an_objective_alone_begins_with_the_defaults_of_before() {
    let place = Place::new();
    place.write("cloud.csv", cloud());
    place.write("images", idx(30, 16, 16));
    for (data, today, before) in
        [("cloud.csv", "ema_decay = 0.999", "ema_decay = 0.0"), ("images", "{ inputs = 32,", "{ inputs = 100,")]
    {
        for (gan, expected, other) in [
            ("", today, before),
            ("[gan]\nobjective = 'non_saturating'\n", before, today),
            ("[gan]\nrecipe = 'r3gan'\nobjective = 'hinge'\n", today, before),
        ] {
            place.write("mine.toml", format!("[run]\nsteps = 1\n[data]\nfile = '{data}'\n{gan}"));
            let run = place.json("train mine.toml --json")["run"].as_str().unwrap().to_owned();
            let config = place.read(&format!("{run}/config.toml"));
            assert!(config.contains(expected) && !config.contains(other), "{data}, {gan:?}: {config}");
        }
    }
}

#[test]
fn own_data_with_own_networks() {
    let place = Place::new();
    place.write("cloud.csv", cloud());
    let networks = |outputs: usize| {
        format!(
            "[run]\nsteps = 5\n[data]\nfile = 'cloud.csv'\n[gan.generator]\nlayers = [\n\
             {{ inputs = 3, outputs = 5, activation = {{ kind = 'tanh' }} }},\n\
             {{ inputs = 5, outputs = {outputs}, activation = {{ kind = 'linear' }} }},\n]\n\
             [gan.discriminator]\nlayers = [{{ inputs = {outputs}, outputs = 1, activation = {{ kind = 'linear' }} }}]\n"
        )
    };
    place.write("my.toml", networks(2));
    place.succeed("train my.toml --quiet --out run");
    assert!(place.read("run/config.toml").contains("{ inputs = 3, outputs = 5"));
    // Three columns, of which one is constant.
    place.write("my.toml", networks(3));
    let parts =
        ["my.toml", "line 8, gan.generator.layers[1].outputs", "is 3, but a row of", "cloud.csv has 2", "delete [gan]"];
    place.fail("train my.toml", 2, &parts);
    place.write("my.toml", networks(2).replace("inputs = 5", "inputs = 6"));
    place.fail("train my.toml", 2, &["line 8, gan.generator.layers[1].inputs: 6", "5 outputs"]);
}

#[test]
fn a_file_gives_the_scale_or_the_settings_do() {
    let place = Place::new();
    place.write("t.csv", "a,b\n1,10\n3,30\n5,20\n");
    let config = "[data]\nfile = 't.csv'\noffset = [0.0, 20.0]\nscale = [2.0, 0.0]\n[run]\nsteps = 3\nthreads = 1\n";
    place.write("my.toml", config);
    place.succeed("train my.toml --quiet --out run");
    let written = place.read("run/config.toml");
    assert!(written.contains("columns = [\"a\", \"b\"]") && written.contains("b = \"constant\""), "{written}");
    let table = place.read("run/table.json");
    assert!(table.contains("\"line\":[0.0,2.0]"), "{table}");
    for line in place.succeed("sample run --count 9 --out -").lines().skip(1) {
        assert!(line.ends_with(",20"), "{line}");
    }
    for (text, parts) in [
        ("[data]\nfile = 't.csv'\noffset = [1.0]", &["line 3, data.offset", "scale"][..]),
        ("[data]\nfile = 't.csv'\nscale = [1.0]\noffset = [1.0]", &["data.columns", "other numbers"]),
        ("[data]\nfile = 't.csv'\nscale = [1.0, -1.0]\noffset = [1.0, 1.0]", &["data.scores", "-1"]),
        ("[data]\nfile = 't.csv'\nscale = [1.0, 0.0]\noffset = [1.0]", &["data.columns", "other numbers"]),
        ("[data]\nfile = 't.csv'\ncolumns = ['z']", &["t.csv", "has no column `z`"]),
        ("[data]\nfile = 't.csv'\nimage = [2, 2]\n[run]\nbatch = 2\nsteps = 1", &["t.csv", "images of 2 x 2"]),
        ("[data]\nfile = 't.csv'\nimage = [0, 2]", &["line 3, data.image"]),
        ("[run]\npreset = 'own'", &["data.file", "--data"]),
        ("[run]\npreset = 'circle'\n[data]\nfile = 't.csv'", &["line 4, data.file", "circle"]),
        ("[data]\nfile = 't.csv'\npoints = 3", &["line 3, data.points"]),
        ("[data]\nfile = 't.csv'\ndirectory = 'x'", &["line 3, data.directory"]),
    ] {
        place.write("wrong.toml", text);
        let outcome = place.run("train wrong.toml --steps 1");
        assert!(matches!(outcome.code, Some(1 | 2)), "{text}: {outcome:?}");
        assert!(outcome.stderr.starts_with("error: ") && outcome.stderr.lines().count() == 1, "{outcome:?}");
        assert!(parts.iter().all(|part| outcome.stderr.contains(part)), "{text}: {outcome:?}");
    }
}

#[test]
fn files_that_do_not_fit_are_named() {
    let place = Place::new();
    let rows = |last: &str, columns: usize| {
        let row = |row: u32| {
            [row * row % 29, row * 7 % 31][..columns]
                .iter()
                .map(|cell| format!("{cell}.5"))
                .collect::<Vec<_>>()
                .join(",")
        };
        (0..29).map(row).chain([last.to_string()]).collect::<Vec<_>>().join("\n")
    };
    let (odd, infinite) = (format!("x,y\n{}\n", rows("3.5,Paris", 2)), format!("x\n{}\n", rows("inf", 1)));
    for (name, contents, code, parts) in [
        ("a.csv", odd.as_bytes(), 1, &["a.csv: line 31, column 2 (`y`)", "Paris"][..]),
        ("b.csv", b"", 1, &["b.csv"]),
        ("c.csv", b"1,2\n", 1, &["c.csv: holds one sample"]),
        ("d.csv", b"1,2\n1,2\n", 1, &["d.csv: no column has anything to learn"]),
        ("e.csv", infinite.as_bytes(), 1, &["line 31, column 1", "finite"]),
        ("f.npy", b"\x93NUMPY\x01\x00\x05", 1, &["f.npy: truncated"]),
        ("h.gz", b"\x1f\x8b\x08", 1, &["h.gz"]),
        ("i-ubyte", &[0, 0, 8, 1, 0, 0, 0, 1, 5], 1, &["i-ubyte", "1 dimensions"]),
    ] {
        place.write(name, contents);
        place.fail(&format!("train {name}"), code, parts);
    }
    place.fail("train nowhere.csv", 1, &["nowhere.csv"]);
    place.fail("train own", 2, &["--data FILE"]);
    place.fail("train a.csv --data b.csv", 2, &["leave --data out"]);
    place.write("t.csv", "1\n2\n3\n");
    place.fail("train t.csv --batch 4", 2, &["batch", "more than the data have samples; use at most 3"]);
    place.fail("train t.csv --points 4", 2, &["points", "own"]);
    place.fail("bench --preset own", 2, &["own", "circle"]);
    assert!(!place.path("runs").exists());
}

#[test]
fn weights_go_out_and_come_in() {
    let place = Place::new();
    place.write("cloud.csv", cloud());
    place.succeed("train cloud.csv --steps 5 --quiet --seed 1 --out one");
    let printed = place.succeed("export one --network generator --out g.safetensors");
    assert_eq!(
        printed.trim(),
        "generator = nn.Sequential(nn.Linear(8, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 128), \
         nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))"
    );
    let file = place.bytes("g.safetensors");
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let header = String::from_utf8_lossy(&file[..8 + length]).into_owned();
    for part in ["\"0.weight\"", "\"2.bias\"", "\"4.weight\"", "weight, kg", "\"table\":"] {
        assert!(header.contains(part), "{part}: {header}");
    }
    assert!(!header.contains("\"1.weight\""));
    place.succeed("export one --network discriminator --numbers layers --out d.safetensors");
    assert_eq!(place.succeed("export one --out both.safetensors").lines().count(), 2);
    place.fail("export one --out both.safetensors", 2, &["both.safetensors", "--force"]);

    // Whatever the file is called inside: a run that begins with these weights is the same run.
    let model = |run: &str| place.bytes(&format!("{run}/model.safetensors"));
    let from = |weights: &str, run: &str| {
        place.succeed(&format!("train cloud.csv --steps 3 --quiet --seed 9 {weights} --out {run}"));
        model(run)
    };
    let drawn = from("", "drawn");
    let both = from("--weights both.safetensors", "both");
    assert_ne!(drawn, both);
    assert_eq!(both, from("--weights one/model.safetensors", "own"));
    assert_eq!(both, from("--weights g.safetensors --weights d.safetensors", "two"));
    let generator = from("--weights g.safetensors", "generator");
    assert!(generator != both && generator != drawn);
    // The run's settings name them.
    assert!(place.read("two/config.toml").contains("d.safetensors\"]"));
    place.succeed("train two --quiet --out again");
    assert_eq!(both, model("again"));

    place.fail(
        "train cloud.csv --weights g.safetensors --weights both.safetensors",
        2,
        &["both.safetensors", "generator"],
    );
    let parts = ["g.safetensors", "0.weight [128, 8]", "the generator has [16, 2] [32, 16] [2, 32]"];
    place.fail("train circle --weights g.safetensors", 1, &parts);
    let parts = ["one/model.safetensors", "4 layers of the discriminator, but it has 1"];
    place.fail("train mixture1d --weights one/model.safetensors", 1, &parts);
    place.fail("train circle --weights none.safetensors", 1, &["none.safetensors"]);
    place.fail("train circle --weights cloud.csv", 1, &["cloud.csv", "safetensors"]);
}
