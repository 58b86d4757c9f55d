//! What a file is depends on what it holds, never on its name; and what is no regular file is refused, never waited for.

use std::fs;
use std::io::Write;

use crate::place::{Place, idx};

/// Forty rows of two columns with a header.
fn table() -> String {
    let rows = (0..40u32).map(|row| format!("{},{}\n", f64::from(row) * 0.5, f64::from(row * 7 % 40)));
    "a,b\n".to_string() + &rows.collect::<String>()
}

/// The same as NumPy writes it.
fn npy() -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 2), }\n";
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    let values = (0..40u16).flat_map(|row| [f32::from(row) * 0.5, f32::from(row * 7 % 40)]);
    bytes.extend(values.flat_map(f32::to_le_bytes));
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut file = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    file.write_all(bytes).unwrap();
    file.finish().unwrap()
}

#[test]
fn data_train_under_any_name() {
    let place = Place::new();
    place.write("plain.csv", table());
    let model = |name: &str, how: &str| {
        place.succeed(&format!("train {how} --steps 3 --threads 1 --quiet --out run-{name}"));
        place.bytes(&format!("run-{name}/model.safetensors"))
    };
    let expected = model("plain", "plain.csv");
    for (index, (name, bytes)) in [
        ("points.txt", table().into_bytes()),
        ("points.dat", table().into_bytes()),
        ("points", table().into_bytes()),
        ("points.toml", table().into_bytes()),
        ("points.npy", table().into_bytes()),
        ("points.safetensors", table().into_bytes()),
        ("wide.csv", table().encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("mixed.csv.gz", gzip(table().as_bytes())),
        ("mixed.txt", gzip(table().as_bytes())),
        ("array.csv", npy()),
        ("array.gz", gzip(&npy())),
        ("array.toml", gzip(&npy())),
    ]
    .into_iter()
    .enumerate()
    {
        place.write(name, bytes);
        assert!(model(&index.to_string(), name) == expected, "{name}");
        assert!(model(&format!("own-{index}"), &format!("own --data {name}")) == expected, "{name}");
    }
    // A preset's name means the preset, which is told; a path means the file.
    place.write("circle", table());
    assert!(model("path", "./circle") == expected);
    let told = place.run("train circle --steps 1 --out run-circle").stderr;
    assert!(told.contains("./circle"), "{told}");
    place.write("images.csv", idx(&[30, 5, 4], &[7, 9, 11].repeat(200)));
    place.succeed("train images.csv --steps 2 --quiet --out run-images");
    place.write("settings.csv", "[run]\npreset = 'circle'\nsteps = 2\n");
    place.succeed("train settings.csv --quiet --out run-settings");
    place.succeed("config settings.csv");
    assert!(place.succeed("config points.txt").contains("columns = [\"a\", \"b\"]"));
}

#[test]
fn what_cannot_be_read_is_named_with_the_cure() {
    let place = Place::new();
    place.write("t.csv", table());
    place.succeed("train t.csv --steps 2 --quiet --out run");
    for (name, bytes, parts) in [
        ("0.png", b"\x89PNG\r\n\x1a\n".to_vec(), ["a PNG picture", "a folder of gray PNG pictures"]),
        ("page.gz", b"<!DOCTYPE html><html>".to_vec(), ["an HTML page", "download"]),
        ("page.csv", gzip(b"<html><body>404"), ["an HTML page", "download"]),
        ("z.npz", b"PK\x03\x04".to_vec(), ["a ZIP archive", "unpack"]),
        ("doc.csv", b"%PDF-1.7 \n1,2".to_vec(), ["a PDF", "CSV"]),
        ("notes", b"Dear reader,\nthis, my letter, is\nlong\n".to_vec(), ["without rows of numbers", "give a table"]),
        ("cut.csv.gz", b"\x1f\x8b\x08".to_vec(), ["gzip", "again"]),
    ] {
        place.write(name, bytes);
        for how in [format!("train {name}"), format!("train own --data {name}"), format!("config {name}")] {
            place.fail(&how, 1, &[&[name], &parts[..]].concat());
        }
        place.fail(&format!("evaluate run --data {name}"), 1, &[&[name], &parts[..]].concat());
        place.fail(&format!("train t.csv --weights {name}"), 1, &[name, parts[0], "safetensors"]);
    }
    // Good files in the wrong place.
    place.fail("train run/model.safetensors", 1, &["model.safetensors", "a file of weights", "--weights"]);
    place.fail("train own --data run/config.toml", 1, &["config.toml", "a configuration file", "gannet train"]);
    place.fail("train t.csv --weights t.csv", 1, &["t.csv", "a table of text", "safetensors"]);
    place.fail("train t.csv --weights run", 1, &["run", "run/model.safetensors"]);
    place.fail("train own --data run", 1, &["run", "the folder of a run"]);
    // Folders.
    fs::create_dir(place.path("empty")).unwrap();
    fs::create_dir(place.path("pictures")).unwrap();
    place.write("pictures/0.png", b"");
    place.write_mnist("idx", 28);
    fs::create_dir(place.path("tables")).unwrap();
    place.write("tables/t.csv", table());
    for (name, parts) in [
        ("empty", ["without files", "give a file"]),
        ("pictures", ["1 picture;", "PNG"]),
        ("idx", ["IDX files", "gannet train mnist --data"]),
        ("tables", ["is a folder", "tables/t.csv"]),
    ] {
        place.fail(&format!("train {name}"), 1, &parts);
        place.fail(&format!("train own --data {name}"), 1, &parts);
    }
    for how in ["sample run --out s.csv --latents -", "train t.csv --weights /dev/stdin"] {
        place.fail(how, 1, &["standard input", "save it to a file"]);
    }
    place.fail("train nothing.txt", 1, &["cannot read nothing.txt"]);
    place.fail("train circel", 2, &["circel", "circle"]);
}

/// A compressed table expands row by row, into no more than it is worth.
#[test]
fn compressed_tables_are_bounded_and_checked() {
    let place = Place::new();
    let mut damaged = gzip(table().as_bytes());
    let end = damaged.len() - 6;
    damaged[end] ^= 1;
    place.write("damaged.csv.gz", &damaged);
    place.fail("train damaged.csv.gz", 1, &["damaged.csv.gz", "damaged gzip data"]);
    place.write("cut.npy.gz", gzip(&npy()[..200]));
    place.fail("train cut.npy.gz", 1, &["cut.npy.gz", "truncated"]);
    place.write("long.npy.gz", gzip(&[&npy()[..], b"more"].concat()));
    place.fail("train long.npy.gz", 1, &["long.npy.gz", "trailing bytes"]);
    let line = [&b"1,".repeat(1 << 20)[..], b"1\n"].concat();
    place.write("bomb.csv.gz", gzip(&line.repeat(8)));
    place.fail("train bomb.csv.gz", 1, &["bomb.csv.gz", "more than 16384 columns"]);
}

#[cfg(unix)]
#[test]
fn pipes_sockets_and_devices_are_refused_everywhere() {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    let place = Place::new();
    let pipe = |name: &str| {
        fs::remove_file(place.path(name)).ok();
        let made = std::process::Command::new("mkfifo").arg(place.path(name)).status().unwrap();
        assert!(made.success());
    };
    place.write("t.csv", table());
    place.succeed("train t.csv --steps 4 --evaluate-every 2 --quiet --out run");
    pipe("pipe.csv");
    let _socket = UnixListener::bind(place.path("socket")).unwrap();
    for (path, told) in [("pipe.csv", "a named pipe"), ("socket", "a socket"), ("/dev/zero", "a device")] {
        for how in ["train", "config", "train own --data", "evaluate run --data", "train t.csv --weights"] {
            place.fail(&format!("{how} {path}"), 1, &[path, told]);
        }
    }
    // In a run's folder.
    let copy = |name: &str| {
        fs::remove_dir_all(place.path("copy")).ok();
        assert!(
            std::process::Command::new("cp")
                .args(["-r"])
                .arg(place.path("run"))
                .arg(place.path("copy"))
                .status()
                .unwrap()
                .success()
        );
        pipe(&format!("copy/{name}"));
    };
    for (name, told) in [
        ("metrics.csv", "metrics.csv"),
        ("evaluation.csv", "evaluation.csv"),
        ("run.lock", "run.lock"),
        ("config.toml", "a named pipe"),
    ] {
        copy(name);
        place.fail("train --resume copy --steps 8", 1, &[told]);
    }
    copy("config.toml");
    place.fail("train copy/config.toml", 1, &["config.toml", "a named pipe"]);
    copy("model.safetensors");
    place.fail("sample copy/model.safetensors --out s.csv", 1, &["model.safetensors", "a named pipe"]);
    copy("checkpoints/step-000000004.safetensors");
    let outcome = place.run("train --resume copy --steps 8");
    assert!(outcome.stderr.contains("a named pipe"), "{outcome:?}");
    // A picture that cannot be read is told.
    copy("samples/step-000002.png");
    let outcome = place.run("train --resume copy --steps 8");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("leaves out a picture") && outcome.stderr.contains("a named pipe"), "{outcome:?}");
    copy("run.json");
    place.succeed("report copy");
    fs::remove_file(place.path("copy/run.json")).unwrap();
    symlink("/dev/zero", place.path("copy/run.json")).unwrap();
    place.succeed("train --resume copy --steps 4 --quiet");
}
