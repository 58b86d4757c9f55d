//! Where own data come from beside a text file: standard input, NumPy's arrays and archives, folders of pictures; and that images come
//! back as bytes.

use std::fs;
use std::io::Write;

use crate::place::{Outcome, Place, idx};

/// Forty rows of two columns with a header.
fn table() -> String {
    let rows = (0..40u32).map(|row| format!("{}.5,{}\n", row * 7 % 40, row * row % 41));
    "a,b\n".to_string() + &rows.collect::<String>()
}

/// Thirty images of 2 x 3 pixels.
fn pixels() -> Vec<u8> {
    (0..180u32).map(|index| (index * 37 % 256) as u8).collect()
}

/// An array as NumPy writes it.
fn npy(descr: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [&b"\x93NUMPY\x01\x00"[..], &length, header.as_bytes(), elements].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut file = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    file.write_all(bytes).unwrap();
    file.finish().unwrap()
}

/// An archive of arrays as numpy.savez writes it.
fn npz(arrays: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, array) in arrays {
        let name = format!("{name}.npy");
        let mut crc = flate2::Crc::new();
        crc.update(array);
        let size = (array.len() as u32).to_le_bytes();
        let about = [&[0; 6][..], &crc.sum().to_le_bytes(), &size, &size, &(name.len() as u16).to_le_bytes(), &[0; 2]];
        let (about, offset) = (about.concat(), (bytes.len() as u32).to_le_bytes());
        bytes.extend([&b"PK\x03\x04\x2d\0\0\0"[..], &about, name.as_bytes(), array].concat());
        directory.extend([&b"PK\x01\x02\x2d\x03\x2d\0\0\0"[..], &about, &[0; 10], &offset, name.as_bytes()].concat());
    }
    let count = (arrays.len() as u16).to_le_bytes();
    let (size, offset) = ((directory.len() as u32).to_le_bytes(), (bytes.len() as u32).to_le_bytes());
    [&bytes[..], &directory, b"PK\x05\x06\0\0\0\0", &count, &count, &size, &offset, &[0; 2]].concat()
}

/// A gray picture.
fn png(height: u32, width: u32, pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    file
}

/// Runs the program with something on its standard input.
fn piped(place: &Place, arguments: &str, input: impl Into<Vec<u8>>) -> Outcome {
    let output = place.command(arguments).write_stdin(input).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The same, which must fail with `code` and say so in one line that holds `parts`.
fn fails(place: &Place, arguments: &str, input: &[u8], code: i32, parts: &[&str]) {
    let outcome = piped(place, arguments, input);
    assert_eq!(outcome.code, Some(code), "{arguments}: {outcome:?}");
    let line = outcome.stderr.trim_end();
    assert!(line.starts_with("error: ") && !line.contains('\n'), "{arguments}: {line}");
    assert!(parts.iter().all(|part| line.contains(part)), "{arguments}: {parts:?} in {line}");
}

#[test]
fn standard_input_trains_as_a_file_of_the_same_bytes_does() {
    let place = Place::new();
    place.write("t.csv", table());
    place.write("images", idx(&[30, 2, 3], &pixels()));
    let model = |run: &str| place.bytes(&format!("{run}/model.safetensors"));
    place.succeed("train t.csv --steps 3 --quiet --out of-file");
    place.succeed("train images --steps 3 --quiet --out of-images");
    let elements: Vec<u8> = table()
        .lines()
        .skip(1)
        .flat_map(|line| line.split(',').map(|cell| cell.parse::<f64>().unwrap().to_le_bytes()).collect::<Vec<_>>())
        .flatten()
        .collect();
    place.write("array", npy("<f8", "(40, 2)", &elements));
    place.succeed("train array --steps 3 --quiet --out of-array");
    for (index, (how, input, same)) in [
        ("train -", table().into_bytes(), "of-file"),
        ("train own --data -", table().into_bytes(), "of-file"),
        ("train /dev/stdin", table().into_bytes(), "of-file"),
        ("train -", gzip(table().as_bytes()), "of-file"),
        ("train -", npy("<f8", "(40, 2)", &elements), "of-array"),
        ("train -", gzip(&npy("<f8", "(40, 2)", &elements)), "of-array"),
        ("train -", npz(&[("x", &npy("<f8", "(40, 2)", &elements))]), "of-array"),
        ("train -", idx(&[30, 2, 3], &pixels()), "of-images"),
        ("train -", npy("|u1", "(30, 2, 3)", &pixels()), "of-images"),
    ]
    .into_iter()
    .enumerate()
    {
        let outcome = piped(&place, &format!("{how} --steps 3 --quiet --out run-{index}"), input);
        assert_eq!(outcome.code, Some(0), "{how}, {index}: {outcome:?}");
        assert!(model(&format!("run-{index}")) == model(same), "{how}, {index}");
    }
    // A run without a name has that of other own data.
    let outcome = piped(&place, "train - --steps 3 --json", table());
    assert!(outcome.stdout.contains("\"run\":\"runs/own-001\""), "{outcome:?}");
    let outcome = piped(&place, "config -", table());
    assert!(
        outcome.stdout.contains("file = \"-\"") && outcome.stdout.contains("columns = [\"a\", \"b\"]"),
        "{outcome:?}"
    );
}

#[test]
fn a_run_from_standard_input_says_so_and_goes_on_with_a_file() {
    let place = Place::new();
    place.write("t.csv", table());
    let train = "--steps 8 --checkpoint-steps 4 --evaluate-every 4 --quiet";
    place.succeed(&format!("train t.csv {train} --out whole"));
    let outcome = piped(&place, &format!("train - {train} --out run"), table());
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(place.read("run/config.toml").contains("file = \"-\""));
    assert_eq!(place.bytes("run/table.json"), place.bytes("whole/table.json"));
    let cure = ["standard input: the run's data came from there, and cannot be read again", "--data FILE"];
    place.fail("train --resume run --steps 12", 1, &cure);
    place.fail("evaluate run", 1, &cure);
    place.fail("train run --out again", 1, &cure);
    place.fail("train run/config.toml --out again", 1, &cure);
    assert!(place.succeed("sample run --count 3 --out -").starts_with("a,b\n"));
    place.succeed("sample run --count 30 --out s.png");

    let measures = |value: serde_json::Value| value["metrics"].to_string();
    let of_file = measures(place.json("evaluate run --data t.csv --json"));
    let of_input = piped(&place, "evaluate run --data - --json", table());
    assert_eq!(measures(serde_json::from_str(&of_input.stdout).unwrap()), of_file);

    place.succeed("train --resume whole --steps 12 --quiet");
    place.succeed("train --resume run --data t.csv --steps 10 --quiet");
    // Standard input will do, too, where it gives the same rows.
    let outcome = piped(&place, "train --resume run --data - --steps 12 --quiet", table());
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(place.bytes("run/model.safetensors"), place.bytes("whole/model.safetensors"));
    let other = table().replace("0.5,0\n", "0.5,1\n");
    assert_ne!(other, table());
    fails(&place, "train --resume run --data - --steps 16", other.as_bytes(), 2, &["data"]);
}

#[test]
fn what_standard_input_cannot_be_is_refused() {
    let place = Place::new();
    place.write("t.csv", table());
    for (arguments, input, code, parts) in [
        ("train -", &b""[..], 1, &["standard input"][..]),
        ("train -", b"1,2\n", 1, &["standard input: holds one sample"]),
        ("train -", b"[run]\npreset = 'circle'\n", 1, &["standard input: is settings", "save it to a file"]),
        ("train -", b"%PDF-1.7 1,2", 1, &["standard input: is a PDF document", "CSV"]),
        ("train -", b"\x1f\x8b\x08", 1, &["standard input: is a gzip file that is damaged"]),
        ("train - --data t.csv", b"1,2\n", 2, &["leave --data out"]),
        ("train - --array x", b"1,2\n3,4\n", 1, &["no archive of NumPy", "`x`"]),
        ("sample - --out s.csv", b"1,2\n", 1, &["-"]),
    ] {
        fails(&place, arguments, input, code, parts);
    }
    // Its length is known, so a shape that it cannot hold is no matter of memory.
    for shape in ["(1152921504606846976, 1)", "(4611686018427387904, 16)"] {
        let short = npy("<f8", shape, &[0; 80]);
        let told = format!("standard input: truncated: the file of {} bytes cannot hold the shape", short.len());
        fails(&place, "train -", &short, 1, &[&told]);
        fails(
            &place,
            "train -",
            &gzip(&short),
            1,
            &["standard input: truncated: the file of ", "cannot hold the shape"],
        );
    }
    // It is refused before it takes more memory than the run may.
    let long = "1.5,2.5\n".repeat(1 << 20); // 8 MiB
    fails(&place, "train - --memory-limit 25MiB", long.as_bytes(), 1, &["standard input: it takes", "limit"]);
    assert!(!place.path("runs").exists());
}

#[test]
fn numbers_reach_beyond_the_table_where_they_may() {
    let place = Place::new();
    let rows: String = (0..200u32).map(|row| format!("{}.25\n", 100 + row * 37 % 199)).collect();
    place.write("t.csv", "x\n".to_string() + &rows);
    let ends = |run: &str, option: &str| {
        place.succeed(&format!("train t.csv {option} --steps 2 --quiet --out {run}"));
        let text = place.succeed(&format!("sample {run} --count 4000 --out -"));
        let values: Vec<f64> = text.lines().skip(1).map(|line| line.parse().unwrap()).collect();
        values.iter().fold((f64::MAX, f64::MIN), |ends, value| (ends.0.min(*value), ends.1.max(*value)))
    };
    assert_eq!(ends("plain", ""), (100.25, 298.25));
    let (least, greatest) = ends("wide", "--beyond 5");
    assert!((90.25..100.25).contains(&least) && greatest > 298.25 && greatest <= 308.25, "{least} to {greatest}");
    assert!(place.read("wide/config.toml").contains("beyond = 5.0"));
    let one = place.run("sample wide --count 1 --out one.csv");
    assert!(one.stderr.contains("1 sample in one.csv"), "{one:?}");
    // The run's settings and its codec agree, so that it repeats.
    place.succeed("train wide --quiet --out again");
    assert_eq!(codec(&place, "again"), codec(&place, "wide"));
    assert!(codec(&place, "wide") != codec(&place, "plain"));
    place.fail("train t.csv --beyond 101", 2, &["from 0 to 100"]);
    for share in ["nan", "inf", "-inf", "-1", "1e999"] {
        place.fail(&format!("train t.csv --beyond={share}"), 2, &["--beyond", "from 0 to 100"]);
    }
    place.fail("train t.csv --beyond -1", 2, &["--beyond"]);
    place.fail(
        "train t.csv --beyond 5 --numbers standard",
        2,
        &["beyond: is for numbers that are scaled by their quantiles; those of --numbers standard have"],
    );
    place.fail("train t.csv --beyond much", 2, &["--beyond", "is a number"]);
    place.write("my.toml", "[data]\nfile = 't.csv'\nbeyond = -1.0\n");
    place.fail("train my.toml", 2, &["line 3, data.beyond", "from 0 to 100"]);
    place.write("my.toml", "[data]\nfile = 't.csv'\nbeyond = 5.0\nnumbers = 'standard'\n");
    place.fail("train my.toml", 2, &["line 3, data.beyond", "those of data.numbers = \"standard\" have"]);
}

/// How the rows of a run's table become samples and back.
fn codec(place: &Place, run: &str) -> serde_json::Value {
    let known: serde_json::Value = serde_json::from_str(&place.read(&format!("{run}/table.json"))).unwrap();
    known["codec"].clone()
}

/// What an option of reading decides: the columns of a run, and what its samples are.
#[test]
fn options_of_reading_give_the_right_values() {
    let place = Place::new();
    let text = |row: &dyn Fn(u32) -> String| (0..60).map(row).collect::<String>();
    let four = |row: u32| row % 4;
    place.write(
        "numbers.csv",
        "2019,2020\n".to_string() + &text(&|row| format!("{},{}\n", 2000 + row * 7 % 60, 1900 + row)),
    );
    place.write(
        "marks.csv",
        "a|b\n".to_string() + &text(&|row| format!("{}|{}\n", ["1,5", "2,5", "-9"][row as usize % 3], four(row))),
    );
    let latin = "stra\u{df}e;x\n".to_string()
        + &text(&|row| format!("{};{}\n", ["N\u{f6}rd", "Ost"][row as usize % 2], four(row)));
    place.write("latin.csv", latin.chars().map(|letter| letter as u8).collect::<Vec<u8>>());
    place
        .write("end.csv", "a,b\n".to_string() + &text(&|row| format!("{}.5,{}\n", row * 7 % 60, four(row))) + "\u{1a}");
    place.write(
        "three.csv",
        "a,b,c\n".to_string() + &text(&|row| format!("{}.5,{},{}\n", row * 7 % 60, four(row), row % 3)),
    );
    for (index, (options, header, parts)) in [
        ("numbers.csv --header yes", "2019,2020", &["2000 to 2059", "1900 to 1959"][..]),
        ("numbers.csv --header no", "", &["column_1", "2000 to 2059", "1900 to 2020"]),
        ("marks.csv --missing -9", "a|b", &["1,5, 2,5", "20 missing"]),
        ("marks.csv --delimiter pipe --decimal , --missing -9", "a|b", &["20 missing"]),
        ("marks.csv --delimiter | --missing -9", "a|b", &["20 missing"]),
        ("latin.csv", "stra\u{df}e;x", &["Windows-1252", "N\u{f6}rd"]),
        ("latin.csv --encoding latin1", "stra\u{df}e;x", &["N\u{f6}rd, Ost"]),
        ("end.csv", "a,b", &["0.5 to 59.5", "0, 1, 2"]),
        ("three.csv --columns a,c", "a,c", &["0.5 to 59.5"]),
        ("three.csv --drop b", "a,c", &["0.5 to 59.5"]),
    ]
    .into_iter()
    .enumerate()
    {
        let plan = place.run(&format!("train {options} --plan"));
        assert_eq!(plan.code, Some(0), "{options}: {plan:?}");
        let told = plan.stdout + &plan.stderr;
        assert!(parts.iter().all(|part| told.contains(part)), "{options}: {parts:?} in {told}");
        place.succeed(&format!("train {options} --steps 2 --quiet --out run-{index}"));
        place.succeed(&format!("sample run-{index} --count 5 --out s-{index}.csv"));
        // Each byte is a letter in Latin-1, and in what else is here.
        let written: String = place.bytes(&format!("s-{index}.csv")).into_iter().map(char::from).collect();
        assert_eq!(written.lines().count(), 5 + usize::from(!header.is_empty()), "{options}: {written}");
        assert!(written.starts_with(header), "{options}: {written}");
    }
    // A target is told by what predicts it.
    place.succeed("train three.csv --steps 2 --quiet --out run");
    let told = place.succeed("evaluate run --data three.csv --target b");
    assert!(told.contains("trained to predict b and tested on these rows"), "{told}");
}

#[test]
fn archives_of_numpy_give_the_array_that_is_named() {
    let place = Place::new();
    let numbers: Vec<u8> = (0..60u32).flat_map(|index| (index * 7 % 61).to_le_bytes()).collect();
    let (rows, images) = (npy("<u4", "(30, 2)", &numbers), npy("|u1", "(30, 2, 3)", &pixels()));
    place.write("rows.npy", &rows);
    place.write("images.npy", &images);
    place.write("one.zip", npz(&[("x", &rows)]));
    place.write("two.npz", npz(&[("x", &rows), ("pictures", &images)]));
    let model = |how: &str, run: &str| {
        place.succeed(&format!("train {how} --steps 3 --quiet --out {run}"));
        place.bytes(&format!("{run}/model.safetensors"))
    };
    let expected = model("rows.npy", "rows");
    assert!(model("one.zip", "one") == expected);
    assert!(model("two.npz --array x", "two") == expected);
    assert!(model("two.npz --array pictures", "pictures") == model("images.npy", "images"));
    // Settings name the array, so the runs repeat and go on.
    for run in ["two", "pictures"] {
        assert!(place.read(&format!("{run}/config.toml")).contains("array = \""), "{run}");
        assert!(model(run, &format!("{run}-again")) == place.bytes(&format!("{run}/model.safetensors")));
        place.succeed(&format!("train --resume {run} --steps 5 --quiet"));
        place.succeed(&format!("evaluate {run}"));
    }
    // Another file need not be an archive, and one with a single array needs no name.
    for data in ["rows.npy", "two.npz"] {
        place.succeed(&format!("evaluate two --data {data}"));
        assert!(model(&format!("two --data {data}"), &format!("two-of-{data}")) == expected, "{data}");
        assert_eq!(codec(&place, &format!("two-of-{data}")), codec(&place, "two"));
    }
    place.fail("train two.npz", 1, &["two.npz: is an archive of 2 arrays: pictures, x", "--array NAME"]);
    place.fail("train two.npz --array y", 1, &["two.npz: has no array `y`; it has pictures, x; name one"]);
    place.fail("train rows.npy --array x", 1, &["rows.npy: is no archive of NumPy", "leave --array out"]);
    place.fail("train circle --array x", 2, &["array: is for a data file"]);
    place.fail("train rows/config.toml --array x", 2, &["array: is for a data file"]);
    place.fail("train circle --array x --columns a", 2, &["columns: is for a data file; a preset has its own samples"]);
    let help = place.succeed("train --help");
    assert!(help.contains("Options for data files:\n      --array <NAME>"), "{help}");
    place.fail("evaluate rows --data two.npz", 1, &["two.npz", "save it alone: numpy.save"]);
    let bytes = place.bytes("two.npz");
    place.write("cut.npz", &bytes[..bytes.len() - 40]);
    place.fail("train cut.npz --array x", 1, &["cut.npz", "cut off"]);
}

#[test]
fn arrays_of_truth_values_halves_and_gaps_are_tables() {
    let place = Place::new();
    place.write("bool.npy", npy("|b1", "(30, 2)", &(0..60).map(|index| u8::from(index % 3 == 0)).collect::<Vec<u8>>()));
    let halves: Vec<u8> = (0..60u16).flat_map(|index| (0x3c00 + 16 * (index * 7 % 61)).to_le_bytes()).collect();
    place.write("half.npy", npy("<f2", "(60,)", &halves));
    let gaps: Vec<u8> = (0..60u32)
        .flat_map(|index| if index % 7 == 0 { f64::NAN } else { f64::from(index * 7 % 61) + 0.5 }.to_le_bytes())
        .collect();
    place.write("gaps.npy", npy("<f8", "(60, 1)", &gaps));
    for (name, kind, part) in
        [("bool", "0, 1", "column_1"), ("half", "1 to 1.9", "continuous"), ("gaps", "9 missing", "continuous")]
    {
        let plan = place.succeed(&format!("train {name}.npy --plan"));
        assert!(plan.contains(kind) && plan.contains(part), "{name}: {plan}");
        place.succeed(&format!("train {name}.npy --steps 3 --quiet --out {name}"));
        place.succeed(&format!("sample {name} --count 9 --out {name}.csv"));
    }
    let values: Vec<f64> = place.read("half.csv").lines().skip(1).map(|line| line.parse().unwrap()).collect();
    assert!(values.iter().all(|value| (1.0..2.0).contains(value)), "{values:?}");
    let values = place.read("bool.csv");
    assert!(values.lines().skip(1).all(|line| line.split(',').all(|cell| ["0", "1"].contains(&cell))), "{values}");
}

#[test]
fn images_come_in_from_everywhere_and_go_out_as_bytes() {
    let place = Place::new();
    let grays = pixels();
    place.write("images.idx", idx(&[30, 2, 3], &grays));
    place.write("a.npy", npy("|u1", "(30, 2, 3)", &grays));
    place.write("b.csv", gzip(&npy("|u1", "(30, 2, 3, 1)", &grays)));
    let shares: Vec<u8> = grays.iter().flat_map(|gray| (f32::from(*gray) / 255.0).to_le_bytes()).collect();
    place.write("c.npy", npy("<f4", "(30, 2, 3)", &shares));
    fs::create_dir_all(place.path("pngs/more")).unwrap();
    for (index, image) in grays.chunks(6).enumerate() {
        place.write(&format!("pngs/{index:02}.png"), png(2, 3, image));
    }
    place.write("pngs/.DS_Store", "hidden");
    let model = |name: &str, run: &str| {
        place.succeed(&format!("train {name} --steps 3 --quiet --out {run}"));
        place.bytes(&format!("{run}/model.safetensors"))
    };
    let expected = model("images.idx", "idx");
    for (index, name) in ["a.npy", "b.csv", "c.npy", "pngs", "own --data pngs"].into_iter().enumerate() {
        let run = format!("run-{index}");
        assert!(model(name, &run) == expected, "{name}");
        assert!(place.read(&format!("{run}/config.toml")).contains("image = [2, 3]"), "{name}");
    }
    // The folder is read again.
    place.succeed("train --resume run-3 --steps 5 --quiet");
    place.succeed("evaluate run-3 --data images.idx");
    place.succeed("evaluate idx --data pngs");

    place.succeed("sample idx --count 9 --out s.npy");
    let array = place.bytes("s.npy");
    let header = String::from_utf8_lossy(&array[..128]).into_owned();
    assert!(header.contains("'descr': '|u1'") && header.contains("'shape': (9, 2, 3, )"), "{header}");
    assert_eq!(array.len(), 128 + 54);
    place.succeed("sample idx --count 9 --out s.csv");
    let text = place.read("s.csv");
    let cells: Vec<u8> =
        text.lines().skip(1).flat_map(|line| line.split(',').map(|cell| cell.parse().unwrap())).collect();
    assert_eq!(cells, &array[128..]);
    // What is made is data again.
    place.succeed("train s.npy --steps 2 --quiet --out of-samples");
    assert!(place.read("of-samples/config.toml").contains("image = [2, 3]"));

    place.write("pngs/30.png", png(3, 2, &grays[..6]));
    place.fail("train pngs", 1, &["pngs/30.png: has 3 x 2 pixels (height x width), and the first picture 2 x 3"]);
    place.write("pngs/30.png", "no picture");
    place.fail("train pngs", 1, &["pngs/30.png: is no PNG picture"]);
    place.fail("evaluate idx --data pngs", 1, &["pngs/30.png: is no PNG picture"]);
    place.fail(
        "train a.npy --columns x",
        2,
        &["columns: is for a table, and ", "a.npy holds images, which have no columns"],
    );
    place.write("colors.npy", npy("|u1", "(15, 2, 2, 3)", &grays));
    place.fail("train colors.npy", 1, &["colors.npy", "make colors gray"]);
}

#[test]
fn a_folder_of_pictures_and_other_files_is_no_folder_of_pictures() {
    let place = Place::new();
    let told = ["holds pictures and other files; move the pictures to a folder of their own, or name a file"];
    let picture = png(2, 3, &pixels()[..6]);
    for (folder, pictures, others) in [
        ("mixed", &["a.png", "b.png"][..], &["notes.txt"][..]),
        // As a sweep lays it out.
        ("sweep", &["settings.png", "trials.png"], &["plan.json", "sweep.csv"]),
        ("late", &["z.png"], &[]),
    ] {
        fs::create_dir(place.path(folder)).unwrap();
        pictures.iter().for_each(|name| place.write(&format!("{folder}/{name}"), &picture));
        others.iter().for_each(|name| place.write(&format!("{folder}/{name}"), table()));
    }
    // More files than are looked into stand before the picture.
    (0..101).for_each(|index| place.write(&format!("late/{index:03}.csv"), table()));
    for folder in ["mixed", "sweep", "late"] {
        place.fail(&format!("train {folder}"), 1, &told);
        place.fail(&format!("train own --data {folder}"), 1, &told);
    }
    place.succeed("train sweep/sweep.csv --steps 2 --quiet --out run");
}
