//! Settings of data that change how many values a row has, while the layers are those of before: what is told, and that its cure is one.

use crate::place::Place;

/// Rows of a number, so many categories of one text and of another, and whole numbers.
fn table(kinds: usize, others: usize) -> String {
    let row = |row: usize| {
        format!(
            "{}.5,{},{},{}\n",
            row * 7 % 60,
            ["a", "b", "c", "d", "e"][row % kinds],
            ["u", "v", "w"][row / 5 % others],
            row * 11 % 60
        )
    };
    "x,k,o,n\n".to_string() + &(0..60).map(row).collect::<String>()
}

/// The text of the settings with the layers of both networks left out.
fn without_gan(text: &str) -> String {
    text.split("\n[gan]").next().unwrap().to_string()
}

/// The error that is told, behind notes on how a table is read.
fn told(place: &Place, arguments: &str) -> String {
    let outcome = place.run(arguments);
    let (notes, error): (Vec<_>, Vec<_>) = outcome.stderr.lines().partition(|line| !line.starts_with("error: "));
    assert!(outcome.code == Some(2) && error.len() == 1, "{outcome:?}");
    assert!(notes.iter().all(|line| line.contains("the most frequent value is kept")), "{outcome:?}");
    error.concat()
}

#[test]
fn settings_that_change_the_values_of_a_row_are_named_with_the_layers_and_the_cure() {
    let place = Place::new();
    place.write("t.csv", table(3, 2));
    place.succeed("train t.csv --steps 2 --threads 1 --quiet --out run");
    let config = place.read("run/config.toml");
    let line = |part: &str| {
        let found = config.lines().position(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {config}"));
        format!("line {}, ", found + 1)
    };
    // Two numbers and groups of three and two.
    let (made, taken) = ("outputs = 7,", "{ inputs = 7,");
    for (from, to, parts) in [
        (
            "n = \"integer\"",
            "n = \"categorical\"",
            vec![
                "layers[3].outputs: is 7",
                "data.kinds changed",
                "60 instead of 1 of column `n`",
                "set it to 66",
                "layers[3].softmax to [3, 2, 60]",
                "discriminator.layers[0].inputs to 66",
            ],
        ),
        (
            "columns = [\"x\", ",
            "columns = [",
            vec!["is 7", "data.columns", "0 instead of 1 of column `x`", "set it to 6"],
        ),
        (
            "#categories = 100",
            "categories = 1",
            vec!["is 7", "data.categories changed", "2 instead of 3 of column `k`", "set it to 6", "softmax to [2, 2]"],
        ),
        (
            "#missing = [",
            "missing = [\"0.5\", ",
            vec!["is 7", "data.missing changed", "3 instead of 1 of column `x`", "set it to 9"],
        ),
    ] {
        let changed = config.replacen(from, to, 1);
        assert_ne!(changed, config, "{from}: {config}");
        place.write("run/config.toml", &changed);
        for how in ["train run --plan", "train run/config.toml --out new", "train --resume run"] {
            let told = told(&place, how);
            let expected = [&line(made)[..], "gan.generator.layers[3].", "t.csv has", "delete [gan]"];
            assert!(expected.iter().chain(&parts).all(|part| told.contains(part)), "{from}: {told}");
        }
        // The cure.
        place.write("run/config.toml", without_gan(&changed));
        place.succeed("train run --plan");
    }
    // Each number that was told, set: no other complaint is left.
    let changed = config.replacen("n = \"integer\"", "n = \"categorical\"", 1);
    let changed = changed
        .replace(made, "outputs = 66,")
        .replace(taken, "{ inputs = 66,")
        .replace("softmax = [3, 2]", "softmax = [3, 2, 60]");
    place.write("run/config.toml", changed);
    place.succeed("train run --plan");
    place.write("run/config.toml", &config);
    place.succeed("train run --plan");
}

#[test]
fn labels_change_them_too() {
    let place = Place::new();
    place.write("t.csv", table(3, 2));
    place.succeed("train t.csv --labels k --steps 2 --threads 1 --quiet --out run");
    let config = place.read("run/config.toml");
    place.write("run/config.toml", config.replace("labels = \"k\"", "labels = \"o\""));
    let other = told(&place, "train run --plan");
    for part in [
        "gan.generator.layers[3].outputs: is 4",
        "has 5 values",
        "there are 2 classes",
        "data.labels changed",
        "were 3 before",
    ] {
        assert!(other.contains(part), "{part}: {other}");
    }
    place.write("run/config.toml", config.replace("labels = \"k\"", ""));
    let none = told(&place, "train run --plan");
    assert!(none.contains("data.labels changed") && none.contains("set it to 7"), "{none}");
    place.write("run/config.toml", without_gan(&config.replace("labels = \"k\"", "labels = \"o\"")));
    place.succeed("train run --plan");
    // Images: their size, and their classes.
    let images =
        [&[0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 2, 0, 0, 0, 2][..], &(0..24).map(|byte| byte * 9).collect::<Vec<u8>>()]
            .concat();
    place.write("images", images);
    place.write("labels", [0, 0, 8, 1, 0, 0, 0, 6, 0, 1, 2, 0, 1, 2]);
    place.succeed("train images --labels labels --steps 2 --threads 1 --quiet --out pictures");
    let config = place.read("pictures/config.toml");
    for (from, to, part) in [
        ("image = [2, 2]", "image = [2, 3]", "an image of"),
        ("classes = [\"0\", \"1\", \"2\"]\n", "classes = [\"0\", \"1\", \"2\", \"3\"]\n", "there are 4 classes"),
    ] {
        let changed = config.replace(from, to).replace(
            "class_counts = [2, 2, 2]",
            if part.contains('4') { "class_counts = [2, 2, 1, 1]" } else { "class_counts = [2, 2, 2]" },
        );
        assert_ne!(changed, config, "{config}");
        place.write("pictures/config.toml", changed);
        let told = told(&place, "train pictures --plan");
        assert!(told.contains(part) && told.contains("delete [gan]"), "{told}");
    }
}

#[test]
fn another_table_may_have_other_categories() {
    let place = Place::new();
    place.write("t.csv", table(3, 2));
    place.write("more.csv", table(5, 2));
    place.write("turned.csv", table(2, 3));
    place.succeed("train t.csv --steps 2 --threads 1 --quiet --out run");
    place.write("my.toml", place.read("run/config.toml"));
    let other = told(&place, "train my.toml --data more.csv --plan");
    for part in [
        "my.toml",
        "gan.generator.layers[3].outputs: is 7",
        "more.csv has 9 values",
        "groups of [5, 2]",
        "set it to 9",
        "delete [gan]",
    ] {
        assert!(other.contains(part), "{part}: {other}");
    }
    // As many values, in other groups.
    let other = told(&place, "train my.toml --data turned.csv --plan");
    for part in
        ["gan.generator.layers[3].softmax: is [3, 2]", "turned.csv has 7 values", "set it to [2, 3]", "delete [gan]"]
    {
        assert!(other.contains(part), "{part}: {other}");
    }
    // Layers of one's own need no groups, but are told those of the data.
    place.write("own.toml", place.read("my.toml").replace(", softmax = [3, 2]", "").replace("softmax = [3, 2], ", ""));
    place.succeed("train own.toml --data t.csv --plan");
    let other = told(&place, "train own.toml --data more.csv --plan");
    assert!(other.contains("set it to 9") && other.contains("layers[3].softmax to [5, 2]"), "{other}");
    place.write("my.toml", without_gan(&place.read("my.toml")));
    place.succeed("train my.toml --data more.csv --plan");
    // A run's own settings keep its columns: what others have beside them is told.
    let outcome = place.run("train run --data more.csv --plan");
    assert!(outcome.code == Some(0) && outcome.stderr.contains("more.csv"), "{outcome:?}");
}
