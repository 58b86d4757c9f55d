//! What the folder of a run knows of its table: settings of older versions, settings that were changed since, other files.

use std::fs;

use serde_json::Value;

use crate::place::Place;

/// Rows of two numbers, of which one has gaps that are marked by -99, and a category.
fn people(rows: u32) -> String {
    let row = |row: u32| {
        let income = if row.is_multiple_of(9) { "-99".to_string() } else { format!("{}.5", row * row % 211) };
        format!("{},{income},{}\n", 1 + row * 7 % 60, ["red", "green", "blue"][(row % 5 % 3) as usize])
    };
    "age,income,color\n".to_string() + &(0..rows).map(row).collect::<String>()
}

/// The numbers of a table of four columns.
fn numbers() -> String {
    let row = |row: u32| format!("{}.25,{}.5,{}\n", row * 37 % 101, row * 11 % 53, 1 + row % 3);
    "a,b,kind\n".to_string() + &(0..90).map(row).collect::<String>()
}

/// Makes the folder of a run what older versions wrote: the scales of its table in the settings, and no `table.json`.
fn make_old(place: &Place, run: &str) {
    let known: Value = serde_json::from_str(&place.read(&format!("{run}/table.json"))).unwrap();
    let columns = known["codec"]["columns"].as_array().unwrap();
    let lines: Vec<&Value> = columns.iter().map(|column| &column["number"]["scores"]["line"]).collect();
    let lines: Vec<&Value> = lines.into_iter().filter(|line| !line.is_null()).collect();
    let of = |place: usize| lines.iter().map(|line| line[place].to_string()).collect::<Vec<_>>().join(", ");
    let mut settings = String::new();
    for line in place.read(&format!("{run}/config.toml")).lines() {
        match line.split(" = ").next().unwrap_or_default() {
            "kinds" | "numbers" => {}
            "columns" => {
                settings += &format!("columns = [\"a\", \"b\"]\noffset = [{}]\nscale = [{}]\n", of(0), of(1));
            }
            "labels" => settings += &format!("{line}\nclasses = [\"1\", \"2\", \"3\"]\nclass_counts = [30, 30, 30]\n"),
            _ => settings += &format!("{line}\n"),
        }
    }
    place.write(&format!("{run}/config.toml"), settings);
    fs::remove_file(place.path(&format!("{run}/table.json"))).unwrap();
}

#[test]
fn a_run_of_before_keeps_its_scales_when_it_goes_on() {
    let place = Place::new();
    place.write("t.csv", numbers());
    for run in ["old", "new"] {
        place.succeed(&format!("train t.csv --labels kind --numbers standard --steps 20 --quiet --out {run}"));
    }
    make_old(&place, "old");
    // Others write numbers in another way.
    place.write("t.csv", numbers().replace(",1\n", ",1.0\n"));
    for run in ["old", "new"] {
        place.succeed(&format!("train --resume {run} --steps 30 --quiet"));
    }
    fs::remove_file(place.path("t.csv")).unwrap();
    assert_eq!(place.bytes("old/model.safetensors"), place.bytes("new/model.safetensors"));
    // They did not know the decimals of the file.
    let sampled = |run: &str| -> Vec<f64> {
        let text = place.succeed(&format!("sample {run} --count 40 --label 2 --seed 3 --out -"));
        text.lines()
            .skip(1)
            .flat_map(|row| row.split(',').map(|cell| cell.parse().unwrap()).collect::<Vec<_>>())
            .collect()
    };
    let (old, new) = (sampled("old"), sampled("new"));
    assert!(old.len() == 120 && old.iter().zip(&new).all(|(old, new)| (old - new).abs() < 0.06), "{old:?} {new:?}");
    place.write("t.csv", numbers());
    place.succeed("train --resume old --steps 40 --quiet");
}

#[test]
fn another_file_is_read_as_the_first_one() {
    let place = Place::new();
    place.write("p.csv", people(300));
    place.succeed("train p.csv --missing -99 --steps 20 --quiet --out run");
    place.succeed("evaluate run --data p.csv");
    fs::rename(place.path("p.csv"), place.path("q.csv")).unwrap();
    place.succeed("train --resume run --data q.csv --steps 30 --quiet");
    assert!(place.succeed("sample run --count 300 --out -").contains(",-99,"));
}

#[test]
fn settings_that_were_changed_count() {
    let place = Place::new();
    place.write("p.csv", people(300));
    place.succeed("train p.csv --steps 10 --quiet --out run");
    assert!(place.read("run/table.json").contains("quantiles"));
    let settings = place.read("run/config.toml").replace("#numbers = \"standard\"", "numbers = \"standard\"");
    place.write("run/config.toml", settings);
    place.succeed("train run/config.toml --quiet --out other");
    assert!(!place.read("other/table.json").contains("quantiles"));
    // What is called otherwise is no run's, whatever lies beside it.
    place.write("table.json", "{}");
    place.write("my.toml", "[run]\npreset = \"circle\"\nsteps = 5\n");
    place.succeed("train my.toml --quiet --out mine");
}

#[test]
fn labels_are_a_column_that_need_not_be_named_twice() {
    let place = Place::new();
    place.write("t.csv", numbers());
    place.succeed("train t.csv --columns a,b --labels kind --steps 5 --quiet --out run");
    let first = place.succeed("sample run --count 2 --label 3 --out -");
    assert!(first.starts_with("a,b,kind\n") && first.ends_with(",3\n"), "{first}");
    place.fail(
        "train t.csv --labels kind --categories 2 --out no",
        1,
        &["more than 2 different", "raise --categories"],
    );
}

#[test]
fn a_target_is_a_column_that_was_learned() {
    let place = Place::new();
    place.write("p.csv", people(60));
    place.write("few.csv", people(9));
    place.succeed("train p.csv --steps 5 --quiet --out run");
    place.succeed("train circle --steps 5 --quiet --out circle");
    for (arguments, parts) in [
        ("run --target color", ["--data FILE", "has not seen"]),
        ("run --data p.csv --target colour", ["no column `colour`", "did you mean `color`?"]),
        ("run --data few.csv --target color", ["needs 16 rows", "there are 9"]),
        ("circle --target color", ["is on none", "leave it out"]),
    ] {
        place.fail(&format!("evaluate {arguments}"), 2, &parts);
    }
}

#[test]
fn runs_on_tables_with_categories_are_held_against_their_own_defaults() {
    let place = Place::new();
    place.write("p.csv", people(300));
    place.succeed("train p.csv --steps 10 --seed 3 --quiet --out all/a");
    let told: Value = serde_json::from_str(&place.succeed("runs all --json")).unwrap();
    let settings = &told.as_array().map_or(&told, |all| &all[0])["settings"];
    let names: Vec<&String> = settings.as_object().unwrap().keys().collect();
    assert_eq!(names, ["file", "seed", "steps"], "{settings}");
}

#[test]
fn an_array_counts_categories_where_one_of_them_is_no_number() {
    let place = Place::new();
    let rows: String = (0..400u32).map(|row| format!("{}.5,{}\n", row * 7 % 97, 10 + row % 7 * 3)).collect();
    place.write("t.csv", format!("x,zip\n{rows}"));
    place.succeed("train t.csv --kind zip=categorical --categories 4 --steps 5 --quiet --out run");
    let told = place.run("sample run --count 300 --out x.npy");
    assert!(told.stderr.contains("(zip)"), "{told:?}");
    let bytes = place.bytes("x.npy");
    let values =
        bytes[bytes.len() - 300 * 2 * 8..].chunks_exact(8).map(|value| f64::from_le_bytes(value.try_into().unwrap()));
    let zips: Vec<f64> = values.skip(1).step_by(2).collect();
    assert!(zips.iter().all(|zip| (0.0..=4.0).contains(zip)) && zips.contains(&4.0), "{zips:?}");
}

#[test]
fn values_that_are_no_category_of_the_run_are_none_of_them() {
    let place = Place::new();
    place.write("t.csv", numbers().replace(",3\n", ",b\n").replace(",2\n", ",a\n").replace(",1\n", ",a\n"));
    place.succeed("train t.csv --steps 20 --quiet --out run");
    let text = place.read("t.csv");
    // Another text in place of the last category, and cells that are empty in a column that had none.
    for other in ["zzz", ""] {
        place.write("t.csv", text.replace(",b\n", &format!(",{other}\n")));
        let shown = place.run("evaluate run --data t.csv").stdout;
        assert!(shown.contains("what is no category of the run has 0.0 % of the samples instead of 33.3 %"), "{shown}");
        let refused = place.run("train --resume run --steps 30 --quiet");
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains("not those that the run was trained on"), "{refused:?}");
    }
    place.write("t.csv", text);
    place.succeed("train --resume run --steps 30 --quiet");
}

#[test]
fn names_of_columns_may_have_commas() {
    let place = Place::new();
    place.write("t.csv", numbers().replace("a,b,kind", "a,\"b,cm\",kind"));
    place.fail("train t.csv --columns b,kind", 1, &["`b,cm`", "put a name that has a comma in double quotes"]);
    let plan = place.succeed("train t.csv --columns \"b,cm\",kind --plan");
    assert!(plan.contains("columns      b,cm") && plan.contains("D 4-"), "{plan}");
}
