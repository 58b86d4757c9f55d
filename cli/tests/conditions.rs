//! Conditions on what is generated: classes by `--where`, rows of a file that are filled by `--like`, and rare classes that are trained
//! more often by `--balance`.

#[path = "common/program.rs"]
mod program;

use program::{Place, idx};

/// 600 rows of three cities, of which Rome has six, with a number that the city decides, a text and gaps.
fn write_people(place: &Place) {
    let mut text = "city,age,mood,size\n".to_string();
    for row in 0..600u32 {
        let city = if row % 100 == 7 { "Rome" } else { ["Paris", "Paris", "Oslo"][row as usize % 3] };
        let age = if row % 11 == 5 {
            "NA".to_string()
        } else {
            (if city == "Oslo" { 60 } else { 20 } + row * 7 % 20).to_string()
        };
        text += &format!("{city},{age},{},{}.{}\n", ["good", "bad"][row as usize % 2], row * 13 % 90, row % 10);
    }
    place.write("people.csv", text);
}

/// The cells of each row of a table, below its header.
fn cells(table: &str) -> Vec<Vec<&str>> {
    table.lines().skip(1).map(|line| line.split(',').collect()).collect()
}

#[test]
fn conditions_on_classes_need_no_rejection() {
    let place = Place::new();
    write_people(&place);
    place.succeed("train people.csv --labels city --steps 20 --quiet --out run");
    let count = |table: &str, city: &str| cells(table).iter().filter(|row| row[0] == city).count();
    let rome = place.succeed("sample run --where city=Rome --count 500 --out -");
    assert_eq!(count(&rome, "Rome"), 500);
    // What is left of the classes comes as often as in the data: 395 and 199 of 600 rows.
    let others = place.succeed("sample run --where city!=Rome --count 600 --out -");
    assert_eq!((count(&others, "Rome"), count(&others, "Paris") + count(&others, "Oslo")), (0, 600));
    assert!(count(&others, "Oslo").abs_diff(201) <= 8, "{}", count(&others, "Oslo"));
    // The same class by the other option gives the same rows; other conditions are met beside it.
    assert_eq!(place.succeed("sample run --label Rome --count 500 --out -"), rome);
    assert_eq!(place.succeed("sample run --label Rome --where city!=Oslo --count 500 --out -"), rome);
    let good = place.succeed("sample run --where city=Rome --where mood=good --count 50 --out -");
    assert!(cells(&good).len() == 50 && cells(&good).iter().all(|row| row[0] == "Rome" && row[2] == "good"), "{good}");
    for (arguments, parts) in [
        ("--label Paris --where city=Rome", &["`city` exclude `Paris`", "--label"][..]),
        ("--where city=Rome --where city=Oslo", &["no row of the data meets the conditions on `city`", "Paris"]),
        ("--where city=Roma", &["no category `Roma`", "did you mean `Rome`?"]),
        ("--where city>Rome", &["no order"]),
    ] {
        place.fail(&format!("sample run {arguments} --count 5 --out -"), 2, parts);
    }
}

#[test]
fn rows_are_filled_from_what_is_like_them() {
    let place = Place::new();
    write_people(&place);
    place.succeed("train people.csv --batch 64 --steps 1500 --quiet --out run");
    let given: String = (0..400).map(|row| format!("{},0{}.50,\n", ["Paris", "Oslo"][row % 2], row % 60)).collect();
    place.write("given.csv", "city,size,mood\n".to_string() + &given + "Oslo,,bad\n");
    let outcome = place.run("sample run --like given.csv --out filled.csv");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""), "{outcome:?}");
    assert!(outcome.stderr.contains("401 rows in filled.csv"), "{outcome:?}");
    let filled = place.read("filled.csv");
    assert!(filled.starts_with("city,age,mood,size\n"), "{filled}");
    let rows = cells(&filled);
    assert_eq!(rows.len(), 401);
    let mut right = 0;
    for (number, row) in rows.iter().enumerate().take(400) {
        assert_eq!((row[0], row[3]), (["Paris", "Oslo"][number % 2], format!("0{}.50", number % 60).as_str()));
        assert!(matches!(row[2], "good" | "bad"), "{row:?}");
        // Those of Oslo are 60 and older.
        right += usize::from(row[1] == "NA" || (row[1].parse::<u32>().unwrap() >= 50) == (row[0] == "Oslo"));
    }
    assert!(right >= 330, "{right} of 400 ages are those of the city");
    let distinct: std::collections::BTreeSet<&str> = rows.iter().map(|row| row[1]).collect();
    assert!(distinct.len() > 15, "{distinct:?}");
    assert_eq!((rows[400][0], rows[400][2]), ("Oslo", "bad"));
    // The same seed fills the same; another seed does not. Other forms of the file are read, too.
    assert_eq!(place.succeed("sample run --like given.csv --out -"), filled);
    assert_ne!(place.succeed("sample run --like given.csv --seed 5 --out -"), filled);
    place.write("tabs.tsv", "mood\tcity\ngood\tRome\n\tOslo\n");
    let tabs = place.succeed("sample run --like tabs.tsv --out -");
    assert!(tabs.lines().nth(1).unwrap().starts_with("Rome,") && cells(&tabs)[0][2] == "good", "{tabs}");
    // Beyond the range: told, and kept.
    place.write("old.csv", "age\n900\n30\n");
    let outcome = place.run("sample run --like old.csv --out old-filled.csv");
    assert!(outcome.stderr.contains("old.csv: 1 cell is beyond the range of `age`"), "{outcome:?}");
    assert_eq!(cells(&place.read("old-filled.csv"))[0][1], "900");
    // Bad input of every kind.
    place.write("empty.csv", "");
    place.write("bare.csv", "city,age\n");
    place.write("town.csv", "town,age\nParis,3\n");
    place.write("rio.csv", "city\nParis\nRio\n");
    place.write("gap.csv", "city\nNA\n");
    place.write("short.csv", "city,age\nParis\n");
    place.write("text.csv", "age\nold\n");
    place.write("image.idx", idx(&[2, 4, 4], &[7; 32]));
    for (arguments, code, parts) in [
        ("--like absent.csv --out -", 1, &["absent.csv"][..]),
        ("--like empty.csv --out -", 1, &["empty.csv", "holds no rows"]),
        ("--like bare.csv --out -", 1, &["bare.csv", "no rows with a cell that is given"]),
        ("--like town.csv --out -", 1, &["new `town`", "the run has `city`, `age`, `mood`, `size`"]),
        ("--like gap.csv --out -", 1, &["gap.csv: line 2, column 1 (`city`)", "leave the cell empty"]),
        ("--like short.csv --out -", 1, &["line 2 has 1 cell where line 1 has 2"]),
        ("--like text.csv --out -", 1, &["line 2, column 1 (`age`)"]),
        ("--like image.idx --out -", 1, &["image.idx"]),
        ("--like - --out -", 1, &["standard input"]),
        ("--like given.csv --out x.npy", 2, &["like: ", ".csv"]),
        ("--like given.csv --out filled.csv", 2, &["exists already"]),
    ] {
        place.fail(&format!("sample run {arguments}"), code, parts);
    }
    // An error in a late row leaves no file behind.
    place.fail("sample run --like rio.csv --out rio-filled.csv", 1, &["line 3, column 1 (`city`)", "`Rio` is none"]);
    assert!(!place.path("rio-filled.csv").exists());
    for other in ["--where city=Rome", "--count 5", "--latents given.csv"] {
        let outcome = place.run(&format!("sample run --like given.csv {other} --out -"));
        assert!(outcome.code == Some(2) && outcome.stderr.contains("cannot be used with"), "{outcome:?}");
    }
    place.succeed("train circle --steps 3 --quiet --out circle");
    place.fail("sample circle --like given.csv --out -", 2, &["is for a run on a table"]);
}

#[test]
fn rows_of_classes_are_filled_by_their_class() {
    let place = Place::new();
    write_people(&place);
    place.succeed("train people.csv --labels city --steps 20 --quiet --out run");
    let given: String = (0..90).map(|row| format!("{},3{}\n", ["Rome", "Oslo", ""][row % 3], row % 9)).collect();
    place.write("given.csv", "city,age\n".to_string() + &given);
    let filled = place.succeed("sample run --like given.csv --out -");
    let rows = cells(&filled);
    for (number, row) in rows.iter().enumerate() {
        assert!(number % 3 == 2 || row[0] == ["Rome", "Oslo"][number % 3], "{row:?}");
        assert_eq!(row[1], format!("3{}", number % 9));
    }
    // Where the class is open, the frequent one is met most.
    let open: Vec<&str> = rows.iter().skip(2).step_by(3).map(|row| row[0]).collect();
    assert!(open.iter().filter(|city| **city == "Paris").count() > 10, "{open:?}");
    let outcome = place.run("sample run --like given.csv --label Rome --out -");
    assert!(outcome.code == Some(2) && outcome.stderr.contains("cannot be used with"), "{outcome:?}");
}

#[test]
fn rare_combinations_are_filled_and_told() {
    let place = Place::new();
    let names: Vec<String> = (0..16).map(|column| format!("c{column}")).collect();
    let cell = |row: u32, column: u32| ["a", "b", "c"][((row * (2 * column + 7) + row / (column + 1)) % 3) as usize];
    let table = |rows: std::ops::Range<u32>, columns: std::ops::Range<u32>| -> String {
        rows.map(|row| columns.clone().map(|column| cell(row, column)).collect::<Vec<_>>().join(",") + "\n").collect()
    };
    place.write("run.csv", format!("{}\n{}", names.join(","), table(0..90, 0..16)));
    place.succeed("train run.csv --steps 5 --quiet --out run");
    // Of 14 million combinations a pool has but few.
    place.write("given.csv", format!("{}\n{}", names[..15].join(","), table(1_000..1_008, 0..15)));
    let outcome = place.run("sample run --like given.csv --out -");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    for (row, filled) in table(1_000..1_008, 0..15).lines().zip(outcome.stdout.lines().skip(1)) {
        assert!(filled.starts_with(row) && matches!(&filled[row.len()..], ",a" | ",b" | ",c"), "{row}: {filled}");
    }
    assert!(
        outcome.stderr.contains("a combination of categories that no generated row has, the first in line"),
        "{outcome:?}"
    );
    assert!(outcome.stderr.contains("c0="), "{outcome:?}");
}

#[test]
fn rare_classes_are_trained_more_often_where_it_is_asked_for() {
    let place = Place::new();
    write_people(&place);
    place.succeed("train people.csv --labels city --balance --steps 40 --threads 1 --quiet --out run");
    assert!(place.read("run/config.toml").contains("\nbalance = true\n"));
    let model = |run: &str| place.bytes(&format!("{run}/model.safetensors"));
    place.succeed("train people.csv --labels city --steps 40 --threads 1 --quiet --out plain");
    assert!(model("plain") != model("run") && place.read("plain/config.toml").contains("\nbalance = false\n"));
    // The run's file repeats it, and a run that goes on ends as one that never stopped; without it a run does not go on.
    place.succeed("train run/config.toml --threads 2 --quiet --out again");
    assert_eq!(model("again"), model("run"));
    place.succeed("train run/config.toml --steps 60 --quiet --out long");
    let settings = place.read("again/config.toml");
    place.write("again/config.toml", settings.replace("balance = true", "balance = false"));
    place.fail("train --resume again --steps 60 --quiet", 2, &["data.balance was true and is false"]);
    place.write("again/config.toml", settings);
    place.succeed("train --resume again --steps 60 --quiet");
    assert_eq!(model("again"), model("long"));
    let sampled = |run: &str| place.succeed(&format!("sample {run} --count 300 --out -"));
    // Samples keep the data's proportions: six of 600 are Romans.
    let romans = cells(&sampled("run")).iter().filter(|row| row[0] == "Rome").count();
    assert!(romans <= 5, "{romans}");
    // Images have it; what has no classes is refused, with the cure.
    let pixels: Vec<u8> = (0..40 * 16).map(|index| (index * 37 % 251) as u8).collect();
    place.write("images.idx", idx(&[40, 4, 4], &pixels));
    place.write("labels.idx", idx(&[40], &(0..40).map(|index| u8::from(index == 3)).collect::<Vec<_>>()));
    place.succeed("train images.idx --labels labels.idx --balance --steps 3 --quiet --out images");
    for what in ["people.csv", "circle", "images.idx"] {
        place.fail(
            &format!("train {what} --balance --steps 3"),
            2,
            &["data.balance", "no classes to balance", "--labels"],
        );
    }
    let plan = place.succeed("train people.csv --labels city --balance --plan");
    assert!(
        plan.contains("conditions   city, 3 classes: Paris 66 %, Oslo 33 %, Rome 1 %; balanced in training"),
        "{plan}"
    );
    assert!(!place.succeed("train people.csv --plan").contains("conditions"), "a run without labels has none");
}
