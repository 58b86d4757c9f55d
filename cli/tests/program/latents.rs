//! Samples of given latents, and graphs for ONNX runtimes, which take the same latents. `scripts/check_onnx.py` runs the graphs.

use gannet::cpu::Isa;
use gannet::gan::{Model, Network, NetworkFunction, presets::Preset};

use crate::place::{Place, idx};

/// Rows of numbers as a table without a header.
fn table(rows: usize, columns: usize) -> String {
    let row = |row: usize| (0..columns).map(move |column| ((row * columns + column) as f32).sin().to_string());
    (0..rows).map(|index| row(index).collect::<Vec<_>>().join(",") + "\n").collect()
}

/// The numbers of a table with a header.
fn numbers(table: &str) -> Vec<f32> {
    table.lines().skip(1).flat_map(|line| line.split(',')).map(|cell| cell.parse().unwrap()).collect()
}

/// An array of NumPy of these f32.
fn npy(rows: usize, columns: usize, values: &[f32]) -> Vec<u8> {
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    header += &" ".repeat(63 - (10 + header.len()) % 64);
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    values.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
    bytes
}

#[test]
fn samples_are_what_the_generator_makes_of_the_latents() {
    let place = Place::new();
    place.succeed("train circle --steps 20 --quiet");
    let spec = Preset::Circle.spec();
    let (rows, latents) = (300, spec.latents());
    let text = table(rows, latents);
    place.write("latents.csv", &text);
    let values: Vec<f32> = text.split([',', '\n']).filter_map(|cell| cell.parse().ok()).collect();
    place.write("latents.npy", npy(rows, latents, &values));

    let model = Model::load(&spec, &place.path("runs/circle-001/model.safetensors")).unwrap();
    let mut expected = vec![0.0; rows * spec.features()];
    let mut generator = NetworkFunction::new(&model, &spec, Network::Generator, Isa::best()).unwrap();
    generator.apply(&values, &mut expected).unwrap();
    for file in ["latents.csv", "latents.npy"] {
        let made = place.succeed(&format!("sample runs/circle-001 --latents {file} --out -"));
        assert!(numbers(&made) == expected, "{file}");
    }
    let told = place.run("sample runs/circle-001 --latents latents.csv --out points.png").stderr;
    assert!(told.contains("300 samples in points.png"), "{told}");
}

#[test]
fn classes_stand_behind_the_latents() {
    let place = Place::new();
    place.write("points.csv", (0..90).map(|row| format!("{},{}\n", row % 3, row * 37 % 41)).collect::<String>());
    place.succeed("train points.csv --labels column_1 --steps 20 --quiet");
    // One latent, four times: what differs is the class.
    place.write("latents.csv", table(1, 8).repeat(4));
    let rows = |label: &str| -> Vec<String> {
        let made = place.succeed(&format!("sample runs/own-001 --latents latents.csv --label {label} --out -"));
        made.lines().map(str::to_string).collect()
    };
    let (some, twos, zeros) = (rows("2,0"), rows("2"), rows("0"));
    assert!(twos[0].starts_with("2,") && zeros[0].starts_with("0,") && twos[0] != zeros[0]);
    let number = |row: &str| row.split_once(',').map(|(_, numbers)| numbers.to_string());
    assert_ne!(number(&twos[0]), number(&zeros[0]));
    assert_eq!(some, [&twos[0], &zeros[0], &twos[0], &zeros[0]].map(String::clone));
}

#[test]
fn what_is_no_latent_is_refused() {
    let place = Place::new();
    place.succeed("train circle --steps 3 --quiet");
    let width = Preset::Circle.spec().latents();
    place.write("narrow.csv", table(3, width + 1));
    place.write("large.csv", vec!["1e39"; width].join(",") + "\n");
    place.write("images.idx", idx(&[2, 2, 2], &[0; 8]));
    place.write("empty.csv", "");
    for (arguments, code, told) in [
        ("narrow.csv", 1, &["narrow.csv: has rows of", "but a latent of this generator has", "give"][..]),
        ("large.csv", 1, &["row 1, column 1", "beyond 32 bits"]),
        ("images.idx", 1, &["an IDX file, not a file of latents"]),
        ("empty.csv", 1, &["empty.csv"]),
        ("missing.csv", 1, &["missing.csv"]),
        ("narrow.csv --count 5", 2, &["--count"]),
        ("narrow.csv --seed 5", 2, &["--seed"]),
        ("narrow.csv --label 1", 2, &["without classes"]),
    ] {
        let outcome = place.run(&format!("sample runs/circle-001 --out - --latents {arguments}"));
        assert_eq!(outcome.code, Some(code), "{arguments}: {outcome:?}");
        assert!(told.iter().all(|part| outcome.stderr.contains(part)), "{arguments}: {outcome:?}");
        assert_eq!(outcome.stdout, "", "{arguments}");
    }
}

#[test]
fn a_network_is_exported_as_a_graph() {
    let place = Place::new();
    let text: String = (0..60).map(|row| format!("{},7,{}\n", row % 29, row * 37 % 41)).collect();
    place.write("points.csv", "a,b,c\n".to_string() + &text);
    place.succeed("train points.csv --numbers standard --steps 20 --quiet");
    let told = place.run("export runs/own-001 --network generator --out g.onnx").stderr;
    assert!(told.contains("the generator in g.onnx"), "{told}");
    let bytes = place.bytes("g.onnx");
    let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    for text in ["gannet", "latents", "samples", "Relu", "Gather", "[\"a\",\"b\",\"c\"]", "offset", "scale"] {
        assert!(holds(text), "{text}");
    }
    assert_eq!(place.run("export runs/own-001 --network generator --out g.onnx").code, Some(2), "a file is there");
    let out = place.command("export runs/own-001 --network generator --format onnx --out -").output().unwrap().stdout;
    assert!(out == bytes);
    place.succeed("export runs/own-001 --network discriminator --format onnx --out d.onnx");
    place.fail("export runs/own-001 --format onnx --out -", 2, &["an ONNX file holds one network"]);
}

#[test]
fn a_graph_makes_the_columns_of_a_table() {
    let place = Place::new();
    let row = |row: usize| {
        let income = if row.is_multiple_of(5) { String::new() } else { format!("{}.5", row * 37 % 401) };
        let city = ["Paris", "Rome", "Oslo"][row * row % 3];
        // Codes that have a rest are counted, though all of them are numbers.
        let code = [4, 9, 2, 8, 6][row % 5];
        format!("{row},{city},{income},20{:02}-05-{:02},{code}\n", 10 + row % 13, 1 + row % 28)
    };
    place.write("people.csv", "id,city,income,since,code\n".to_string() + &(0..300).map(row).collect::<String>());
    place.succeed("train people.csv --kind code=categorical --categories 3 --steps 20 --quiet");
    place.succeed("export runs/own-001 --network generator --out g.onnx");
    let holds = |file: &str, text: &str| {
        let bytes = place.bytes(file);
        bytes.windows(text.len()).any(|part| part == text.as_bytes())
    };
    for text in [
        "LessOrEqual",
        "ArgMax",
        "probabilities",
        "[\"city\",\"income\",\"since\",\"code\"]",
        "{\"city\":[\"",
        "\"code\":[\"",
        "{\"since\":\"days since 1970-01-01\"}",
        "[[\"city\",",
        "[\"income\",2]",
    ] {
        assert!(holds("g.onnx", text), "{text}");
    }
    assert!(!holds("g.onnx", "quantiles"));
    // A discriminator takes scores, and tells how they are made.
    place.succeed("export runs/own-001 --network discriminator --out d.onnx");
    assert!(holds("d.onnx", "quantiles") && !holds("d.onnx", "ArgMax"));
}
