//! Columns of own data are matched by their names, wherever a run meets another file.

#[path = "common/program.rs"]
mod program;

use program::Place;

/// A table of three columns that cannot be mistaken for one another, one of them constant, in the order `order`.
fn table(order: &[&str], header: bool) -> String {
    let mut text = if header { order.join(",") + "\n" } else { String::new() };
    for row in 0..60u32 {
        let value = |name: &&str| match *name {
            "small" => f64::from(row * 7 % 60) * 0.001,
            "large" => f64::from(row * 11 % 60) * 100.0 + 1e6,
            "same" => 7.5,
            _ => f64::from(row),
        };
        text += &(order.iter().map(value).map(|value| value.to_string()).collect::<Vec<_>>().join(",") + "\n");
    }
    text
}

#[test]
fn another_order_is_the_same_data() {
    let place = Place::new();
    place.write("run.csv", table(&["small", "same", "large"], true));
    place.write("other.csv", table(&["large", "small", "same"], true));
    place.write("bare.csv", table(&["small", "same", "large"], false));
    place.succeed("train run.csv --steps 20 --threads 1 --quiet --out run");
    let metrics = |data: &str| place.json(&format!("evaluate run {data} --json"))["metrics"].clone();
    let own = metrics("");
    assert_eq!(metrics("--data other.csv"), own);
    // Without a header by position, which is told.
    let outcome = place.run("evaluate run --data bare.csv --json");
    assert!(outcome.stderr.contains("bare.csv: it has no header, so columns are matched by position"), "{outcome:?}");
    assert_eq!(metrics("--data bare.csv"), own);

    // The run repeats from the other file, and goes on with it, to the same bits.
    let model = |run: &str| place.bytes(&format!("{run}/model.safetensors"));
    place.succeed("train run/config.toml --data other.csv --quiet --out again");
    assert_eq!(model("again"), model("run"));
    place.succeed("train run/config.toml --steps 40 --quiet --out long");
    place.succeed("train --resume again --data other.csv --steps 40 --quiet");
    assert_eq!(model("again"), model("long"));
    // Samples keep the run's order, the constant column included.
    place.succeed("sample again --count 5 --out s.csv");
    let samples = place.read("s.csv");
    assert_eq!(samples.lines().next(), Some("small,same,large"));
    for line in samples.lines().skip(1) {
        let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
        assert!(cells[0].abs() < 1.0 && cells[1] == 7.5 && cells[2] > 9e5, "{line}");
    }
    place.succeed("export again --network generator --out g.safetensors");
    let header = String::from_utf8_lossy(&place.bytes("g.safetensors")[..1024]).into_owned();
    assert!(header.find("small").unwrap() < header.find("large").unwrap(), "{header}");
}

#[test]
fn other_columns_are_refused_by_name() {
    let place = Place::new();
    place.write("run.csv", table(&["small", "same", "large"], true));
    place.succeed("train run.csv --steps 4 --quiet --out run");
    for (order, parts) in [
        (&["small", "large"][..], &["missing `same`"][..]),
        (&["small", "same", "large", "more"], &["new `more`"]),
        (&["small", "same", "Large"], &["missing `large`", "new `Large`"]),
    ] {
        place.write("other.csv", table(order, true));
        let parts = [&["other.csv", "other columns than the run"], parts].concat();
        place.fail("evaluate run --data other.csv", 1, &parts);
        place.fail("train run/config.toml --data other.csv", 1, &parts);
        place.fail("train --resume run --data other.csv --steps 8", 1, &parts);
        place.fail("train --resume run --data other.csv --steps 8 --override", 1, &parts);
    }
    place.write("bare.csv", table(&["small", "large"], false));
    place.fail("evaluate run --data bare.csv", 1, &["bare.csv", "has 2 columns", "for 3"]);
}

#[test]
fn settings_name_the_columns_in_the_order_that_is_wanted() {
    let place = Place::new();
    place.write("t.csv", table(&["large", "small"], true));
    place.write("bare.csv", table(&["large", "small"], false));
    let settings = |file: &str, columns: &str| {
        place.write("my.toml", format!("[run]\nsteps = 3\n[data]\nfile = '{file}'\ncolumns = [{columns}]\n"));
        place.run("train my.toml --threads 1 --out run")
    };
    assert_eq!(settings("t.csv", "'small', 'large'").code, Some(0));
    let config = place.read("run/config.toml");
    assert!(config.contains("columns = [\"small\", \"large\"]"), "{config}");
    let offset = config.lines().find(|line| line.starts_with("offset")).unwrap().to_string();
    assert!(offset.starts_with("offset = [0.0"), "{offset}");
    std::fs::remove_dir_all(place.path("run")).unwrap();
    // A file without a header gets the names.
    let outcome = settings("bare.csv", "'a', 'b'");
    assert!(outcome.code == Some(0) && outcome.stderr.contains("matched by position"), "{outcome:?}");
    let outcome = settings("t.csv", "'a', 'small'");
    assert!(outcome.code == Some(1) && outcome.stderr.contains("missing `a`; new `large`"), "{outcome:?}");
}

#[test]
fn what_32_bits_cannot_hold_is_told() {
    let place = Place::new();
    let mut text = "x,c,y\n".to_string();
    for row in 0..60u32 {
        let x = if row == 9 { 1e12 } else { 5.0 + f64::from(row) * 0.1 };
        text += &format!("{x},{},{row}\n", [0.3, 0.1 + 0.2][row as usize % 2]);
    }
    place.write("t.csv", text);
    let outcome = place.run("train t.csv --steps 2 --quiet --out run");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let told: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("t.csv: 60 different values of column 1 (`x`) become 2"), "{told:?}");
    assert!(told[1].contains("column 2 (`c`)") && told[1].contains("kept constant"), "{told:?}");
    let config = place.read("run/config.toml");
    let scale = config.lines().find(|line| line.starts_with("scale")).unwrap().to_string();
    assert!(scale.contains(", 0.0, "), "{scale}");
    place.succeed("sample run --count 3 --out s.csv");
    assert!(place.read("s.csv").lines().nth(1).unwrap().split(',').nth(1).unwrap().starts_with("0.3"));
}
