//! A refusal says what to do, and what it says can be done.

use std::fs;
use std::io::Write;

use crate::place::{Place, idx};

/// What a cure begins with.
const CURES: [&str; 19] = [
    "pack ",
    "download ",
    "give ",
    "write ",
    "copy",
    "save ",
    "leave ",
    "fill ",
    "correct ",
    "close ",
    "rename",
    "complete ",
    "gannet ",
    "unpack",
    "end each ",
    "scale ",
    "export ",
    "number ",
    "name ",
];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut file = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    file.write_all(bytes).unwrap();
    file.finish().unwrap()
}

fn npy(version: u8, descr: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = vec![0x93, b'N', b'U', b'M', b'P', b'Y', version, 0];
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(elements);
    bytes
}

/// Runs `arguments`, which must be refused in one line; the line.
fn refusal(place: &Place, arguments: &[&str]) -> String {
    let mut command = place.command("");
    let output = command.args(arguments).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && text.lines().count() == 1, "{arguments:?}: {text}");
    text.trim_end().to_string()
}

/// Does what a line in a shell does, with `gannet` as the program of this test and `more` arguments.
fn follow(place: &Place, line: &str, more: &str) {
    let (_, arguments) = line.split_once("gannet ").unwrap();
    let shell = format!("exec \"$GANNET\" {} {more}", arguments.replace("PRESET", "circle"));
    let mut command = std::process::Command::new("sh");
    let command = command.args(["-c", &shell]).current_dir(place.path("")).env("GANNET", env!("CARGO_BIN_EXE_gannet"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_refusal_of_data_holds_a_cure() {
    let place = Place::new();
    let words = |text: &str| text.as_bytes().to_vec();
    let pixels = [7u8, 9].repeat(32);
    let numbers = |sign: char| {
        (0..40u32).map(|row| format!("{}.5{sign}{}.25\n", row * row % 37, row * 7 % 41)).collect::<String>()
    };
    let cases = vec![
        // Tables of text.
        words(""),
        words("a,b\n"),
        words("1,2\n"),
        words(&format!("a,b\n{}3,Paris\n", numbers(','))),
        words("a,b\n1,2\n3\n"),
        words(&format!("a,b\n{}1.5,inf\n", numbers(','))),
        words(&format!("a;b\n{}1.5;2024-01-05\n", numbers(';'))),
        words("x\n1\n\"1\n"),
        words("x\n1\n\"1\"2\n"),
        words("x,y\n1,2\n1,2\n1,2\n"),
        words("1,2\n3,4\x01\n"),
        "1,".repeat(20_000).into_bytes(),
        "1".repeat(5 << 20).into_bytes(),
        // NPY.
        npy(1, "'<f4'", "(4, 2)", &[0; 24]),
        npy(1, "'<f4'", "(2, 2)", &[0; 24]),
        npy(9, "'<f4'", "(2, 2)", &[0; 16]),
        npy(1, "'<c8'", "(2, 2)", &[0; 32]),
        npy(1, "'<U3'", "(2,)", &[0; 24]),
        npy(1, "'<M8[D]'", "(2,)", &[0; 16]),
        npy(1, "'|O'", "(2,)", &[0; 16]),
        npy(1, "[('a', '<f4')]", "(2,)", &[0; 8]),
        npy(1, "'<f4'", "(2, 2, 1, 1, 1)", &[0; 16]),
        npy(1, "'<f4'", "(1, 2, 2, 2)", &[0; 32]),
        npy(1, "'<f4'", "(2, 2, 1)", &[0, 0, 0x96, 0x43].repeat(4)),
        npy(1, "'<f4'", "(2, 0, 1)", &[]),
        npy(1, "'<f4'", "(0, 2)", &[]),
        npy(1, "'<f4'", "(1, 20000)", &[0; 80_000]),
        npy(1, "'<f4'", "(2, 1)", &[0, 0, 0x80, 0x7f, 0, 0, 0, 0]),
        npy(1, "'<f4'", "(2, 1", &[0; 8]),
        b"\x93NUMPY".to_vec(),
        gzip(&npy(1, "'<f4'", "(4, 2)", &[0; 24])),
        gzip(&npy(1, "'<f4'", "(2, 2)", &[1; 24])),
        // IDX.
        idx(&[4, 4, 4], &pixels[..60]),
        idx(&[3, 4, 4], &pixels),
        idx(&[4, 16], &pixels),
        idx(&[64], &pixels),
        idx(&[4, 0, 4], &[]),
        idx(&[1, 8, 8], &pixels),
        idx(&[1 << 16, 1 << 16, 4], &pixels),
        b"\0\0\x0d\x03\0\0\0\x01".to_vec(),
        b"\0\0\x08\x03\0\0".to_vec(),
        gzip(&idx(&[4, 4, 4], &pixels[..60])),
        gzip(&idx(&[3, 4, 4], &pixels)),
        gzip(b"1,2\n3,4\n")[..20].to_vec(),
        // Other files.
        b"\x89PNG\r\n\x1a\n".to_vec(),
        b"%PDF-1.7".to_vec(),
        b"PK\x03\x04".to_vec(),
        b"BZh9".to_vec(),
        b"\xfd7zXZ\0".to_vec(),
        b"\x7fELF\x02".to_vec(),
        b"\x00\x01\x02\x03".to_vec(),
        words("<html>"),
        words("{\"a\": 1}"),
        gzip(b"[run]\npreset = 'circle'\n"),
    ];
    for (index, bytes) in cases.into_iter().enumerate() {
        let name = format!("data {index}");
        place.write(&name, &bytes);
        let message = refusal(&place, &["train", &name, "--quiet", "--out", "run"]);
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(30)]).into_owned();
        let after = message.split_once(&name).map_or("", |(_, after)| after);
        let has_cure = after.split([';', ':', ',', '(']).any(|part| {
            let part = part.trim_start().trim_start_matches("or ");
            CURES.iter().any(|cure| part.starts_with(cure)) || part.starts_with("array.") || part.starts_with("numpy.")
        });
        assert!(has_cure, "{start:?}: no cure in `{message}`");
        assert!(!place.path("run").exists(), "{message}");
    }
}

#[test]
fn a_command_in_a_refusal_works() {
    let place = Place::new();
    let images = idx(&[30, 5, 4], &[7, 9, 11].repeat(200));
    place.write("t.csv", "a,b\n1,2\n2,3\n3,1\n");
    place.write("my settings", "[run]\npreset = 'circle'\nsteps = 2\n");
    place.succeed("train circle --steps 2 --quiet --out run");
    place.succeed("train circle --steps 2 --replicas 2 --quiet --out many");
    place.write_mnist("mnist files", 28);
    // Folders: IDX files with other names than MNIST's, weights beside the data, labels before the images.
    for folder in ["emnist", "mixed data", "only images"] {
        fs::create_dir(place.path(folder)).unwrap();
    }
    place.write("emnist/emnist-letters-test-labels-idx1-ubyte", idx(&[30], &[1; 30]));
    place.write("emnist/emnist-letters-train-images-idx3-ubyte", &images);
    place.write("mixed data/0.safetensors", place.bytes("run/model.safetensors"));
    place.write("mixed data/a.txt", "Dear reader,\nthis, my letter, is\nlong\n");
    place.write("mixed data/points", "1,2\n2,3\n3,1\n");
    place.write("only images/x.gz", gzip(&images));
    let mut followed = 0;
    for (arguments, expected) in [
        (vec!["train", "emnist"], "emnist-letters-train-images-idx3-ubyte"),
        (vec!["train", "mnist files"], "gannet train mnist --data 'mnist files'"),
        (vec!["train", "mixed data"], "'mixed data/points'"),
        (vec!["train", "only images"], "'only images/x.gz'"),
        (vec!["train", "many"], "many/replica-000"),
        (vec!["train", "own", "--data", "run"], "is the folder of a run"),
        (vec!["train", "own", "--data", "my settings"], "my settings'"),
        (vec!["train", "t.csv", "--weights", "t.csv"], "t.csv"),
        (vec!["train", "run/model.safetensors"], "--weights run/model.safetensors"),
        (vec!["evaluate", "run", "--data", "my settings"], ""),
    ] {
        let message = refusal(&place, &arguments);
        assert!(message.contains(expected), "{arguments:?}: {message}");
        if let Some((_, line)) = message.split_once(": gannet ") {
            followed += 1;
            follow(
                &place,
                &format!("gannet {line}"),
                &format!("--steps 1 --batch 2 --quiet --out followed-{followed}"),
            );
        }
    }
    assert!(followed >= 9, "{followed}");
    // Nothing to train on: no file is named.
    fs::create_dir(place.path("nothing")).unwrap();
    place.write("nothing/0.safetensors", place.bytes("run/model.safetensors"));
    let message = refusal(&place, &["train", "nothing"]);
    assert!(message.contains("give a table") && !message.contains("0.safetensors"), "{message}");
}
