//! Columns of own data are matched by their names, wherever a run meets another file.

use crate::place::Place;

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
    assert!(outcome.stderr.contains("bare.csv: columns are matched by position"), "{outcome:?}");
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
    place.fail("evaluate run --data bare.csv", 1, &["bare.csv", "has 2 columns", "has 3"]);
}

#[test]
fn settings_and_options_say_what_columns_are() {
    let place = Place::new();
    let rows: String = (0..60u32)
        .map(|row| format!("{};{};{},5;{}\n", 1000 + row, ["a", "b", "?"][row as usize % 3], row * 7 % 60, row % 4))
        .collect();
    place.write("t.csv", format!("id;kind;size;code\n{rows}"));
    let config = |run: &str| place.read(&format!("{run}/config.toml"));
    place.succeed("train t.csv --steps 2 --quiet --out usual");
    assert!(config("usual").contains(
        "kinds = { code = \"categorical\", id = \"counter\", kind = \"categorical\", size = \"continuous\" }"
    ));
    place.succeed("train t.csv --steps 2 --quiet --drop code --kind id=identifier --missing a --out asked");
    let text = config("asked");
    assert!(text.contains("columns = [\"id\", \"kind\", \"size\"]") && text.contains("id = \"identifier\""), "{text}");
    assert!(text.contains("missing = [\"a\"]"), "{text}");
    let sampled = place.succeed("sample asked --count 20 --out -");
    let lines: Vec<&str> = sampled.lines().collect();
    assert_eq!((lines[0], lines.len()), ("id;kind;size", 21));
    for (row, line) in lines[1..].iter().enumerate() {
        let cells: Vec<&str> = line.split(';').collect();
        assert_eq!(cells[0], (1000 + row).to_string(), "a new identifier counts: {line}");
        assert!(["a", "b", "?"].contains(&cells[1]) && cells[2].ends_with(",5"), "{line}");
    }
    // A file of settings says the same, without what the run has beside its own.
    place.write(
        "my.toml",
        "[run]\nsteps = 2\n[data]\nfile = 't.csv'\ncolumns = ['kind', 'size', 'id']\nkinds = { id = 'identifier' }\nmissing = ['a']\n",
    );
    place.succeed("train my.toml --quiet --out file");
    assert_eq!(place.bytes("file/model.safetensors"), place.bytes("asked/model.safetensors"));
    for (settings, told) in [
        ("columns = ['none']", "has no column `none`"),
        ("kinds = { size = 'integr' }", "did you mean `integer`?"),
        ("kinds = { size = 'integer' }", "line 2, column 3 (`size`): `0,5` is not whole"),
        ("delimiter = 'kommata'", "data.delimiter: is comma, semicolon"),
        ("encoding = 'klingon'", "data.encoding: is the name of an encoding"),
        ("decimal = ';'", "data.decimal: is a point or a comma"),
        ("categories = 5000", "from 1 to 4096"),
        ("numbers = 'none'", "is one of quantile, standard"),
    ] {
        place.write("wrong.toml", format!("[run]\nsteps = 2\n[data]\nfile = 't.csv'\n{settings}\n"));
        let outcome = place.run("train wrong.toml");
        assert!(matches!(outcome.code, Some(1 | 2)) && outcome.stderr.contains(told), "{settings}: {outcome:?}");
    }
    for (options, told) in [
        ("--kind id", "is NAME=KIND"),
        ("--kind id=number", "is no kind of column"),
        ("--delimiter ab", "semicolon"),
        ("--header maybe", "yes, no"),
        ("--columns none", "has no column `none`"),
    ] {
        let outcome = place.run(&format!("train t.csv {options}"));
        assert!(matches!(outcome.code, Some(1 | 2)) && outcome.stderr.contains(told), "{options}: {outcome:?}");
    }
    place.fail("train circle --drop x", 2, &["for a data file"]);
    place.fail("train usual/config.toml --drop code", 2, &["for a data file"]);
}

#[test]
fn messages_about_a_configuration_name_its_settings() {
    let place = Place::new();
    let rows = |bad: &str| -> String {
        let cell = |row: u32| if row == 30 { bad.to_string() } else { format!("{}.5", 1234 + row * row % 97) };
        (0..60).map(|row| format!("{},{}\n", cell(row), ["a", "b"][row as usize % 2])).collect()
    };
    place.write("t.csv", format!("x,c\n{}", rows("7.5")));
    place.write("odd.csv", format!("x,c\n{}", rows("many")));
    place.write("same.csv", "x\n3\n3\n3\n");
    for (file, settings, code, parts) in [
        ("t.csv", "columns = ['z']", 2, &["line 4, data.columns: ", "t.csv has no column `z`; it has `x`, `c`"][..]),
        ("t.csv", "drop = ['z']", 2, &["line 4, data.drop: ", "has no column `z`"]),
        ("t.csv", "kinds = { z = 'date' }", 2, &["line 4, data.kinds: ", "has no column `z`"]),
        ("t.csv", "labels = 'z'", 2, &["line 4, data.labels: ", "has no column `z`"]),
        ("t.csv", "columns = []", 2, &["line 4, data.columns: is empty; name one column or more"]),
        ("t.csv", "drop = ['x', 'c']", 2, &["line 4, data.drop: no column is left"]),
        ("t.csv", "kinds = { c = 'date' }", 1, &["make the column categorical by data.kinds.NAME = \"categorical\""]),
        (
            "t.csv",
            "kinds = { x = 'continuous' }\nlabels = 'x'",
            1,
            &["give data.labels another column, or leave its data.kinds out"],
        ),
        ("odd.csv", "kinds = { x = 'continuous' }", 1, &["name it as a mark of missing values by data.missing"]),
        ("same.csv", "", 1, &["same.csv: no column has anything", "say what one is by data.kinds.NAME = \"KIND\""]),
    ] {
        place.write("my.toml", format!("[run]\n[data]\nfile = '{file}'\n{settings}\n"));
        place.fail("train my.toml", code, parts);
        assert!(!place.run("train my.toml").stderr.contains(" --"), "{settings}");
    }
    place.fail("train same.csv", 1, &["same.csv: no column has anything", "or say what one is by --kind NAME=KIND"]);
    place.write("my.toml", "[data]\nfile = 't.csv'\n");
    for (option, told) in [
        ("--kind x=date", "kind: is for a data file; for a configuration set data.kinds in its file"),
        ("--labels c", "labels: is for a data file; for a configuration set data.labels in its file"),
    ] {
        place.fail(&format!("train my.toml {option}"), 2, &[told]);
    }
}

#[test]
fn cures_and_notes_name_options_where_there_are_some() {
    let place = Place::new();
    let rows = |bad: &str| -> String {
        let cell = |row: u32| if row == 30 { bad.to_string() } else { format!("{}.5", 1234 + row * row % 97) };
        (0..60).map(|row| format!("{};{}\n", cell(row), ["a", "b"][row as usize % 2])).collect()
    };
    place.write("t.csv", format!("x;c\n{}", rows("1234.5")));
    let plan = place.run("train t.csv --decimal , --plan");
    assert!(plan.stdout.contains("continuous   1234.5 to 1330.5"), "{plan:?}");
    assert!(plan.stderr.contains("t.csv: the numbers of column `x` have a decimal point"), "{plan:?}");
    assert!(plan.stderr.contains("correct the mark by --decimal"), "{plan:?}");
    place.fail(
        "train t.csv --header no --plan",
        1,
        &["line 1, column 1", "say that the first line has names by --header yes"],
    );
    place.fail("train t.csv --encoding utf-16le", 1, &["is in UTF-8", "leave the encoding out", "--encoding"]);
    place.fail("train t.csv --kind c=integer", 1, &["--missing", "--kind NAME=categorical"]);
    place.fail("train t.csv --delimiter semikolon", 2, &["comma, semicolon, tab, pipe, spaces"]);
    place.succeed("train t.csv --delimiter semicolon --steps 2 --quiet --out run");
    place.write("bad.csv", format!("x;c\n{}", rows("1e400")));
    place.fail("train bad.csv", 1, &["line 32", "beyond the greatest number of 64 bits", "--missing"]);
    // The columns of a run are known, and nothing about them can be said.
    for arguments in [
        "evaluate run --data bad.csv",
        "train --resume run --data bad.csv --steps 4",
        "sample run --like bad.csv --out -",
    ] {
        let outcome = place.run(arguments);
        assert!(outcome.stderr.contains("line 32") && !outcome.stderr.contains("--"), "{arguments}: {outcome:?}");
    }
    place.write("title.csv", format!("Sales of 2023\n\nx;c\n{}", rows("1234.5")));
    let titled = place.run("train title.csv --plan");
    assert!(titled.stderr.contains("title.csv: 1 line above the table was left out (`Sales of 2023`)"), "{titled:?}");
    assert!(titled.stdout.contains("continuous   1234.5 to 1330.5"), "{titled:?}");
}

/// What 32 bits could not tell apart is learned by its quantiles.
#[test]
fn far_values_leave_the_others_apart() {
    let place = Place::new();
    let mut text = "x,c,y\n".to_string();
    for row in 0..60u32 {
        let x = if row == 9 { 1e12 } else { 5.0 + f64::from(row) * 0.1 };
        text += &format!("{x},{},{row}.5\n", [0.3, 0.1 + 0.2][row as usize % 2]);
    }
    place.write("t.csv", text);
    place.succeed("train t.csv --steps 300 --quiet --out run");
    place.succeed("sample run --count 200 --out s.csv");
    let text = place.read("s.csv");
    let rows: Vec<Vec<f64>> =
        text.lines().skip(1).map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect()).collect();
    let near = rows.iter().filter(|row| (5.0..11.0).contains(&row[0])).count();
    assert!(near > 150 && rows.iter().all(|row| row[0] >= 5.0 && row[0] <= 1e12), "{near}");
    assert!(rows.iter().all(|row| (row[1] - 0.3).abs() < 1e-12), "a column that differs by rounding is a constant");
    let kinds = place.read("run/config.toml");
    assert!(kinds.contains("c = \"constant\""), "{kinds}");
}
