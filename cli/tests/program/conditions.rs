//! Conditions on what is generated: classes by `--where`, rows of a file that are filled by `--like`, and rare classes that are trained
//! more often by `--balance`.

use crate::place::{Place, idx};

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

/// 400 rows of every kind of column: a category, whole numbers and decimals with gaps, dates, a boolean, a constant, the number of the row
/// and texts.
fn write_kinds(place: &Place) {
    let mut text = "id,city,age,joined,income,member,land,remark\n".to_string();
    for row in 0..400u32 {
        let city = ["Paris", "Rome", "Oslo, N.", "Paris"][row as usize % 4];
        let age = if row % 10 == 3 { "NA".to_string() } else { (18 + row * 7 % 60).to_string() };
        let income = if row % 8 == 5 { "NA".to_string() } else { format!("{}.{:02}", 900 + row * 13 % 977, row % 100) };
        let joined = format!("2020-{:02}-{:02}", 1 + row % 12, 1 + row % 28);
        let member = ["yes", "no"][(row / 3) as usize % 2];
        text += &format!("{},\"{city}\",{age},{joined},{income},{member},EU,note number {}\n", row + 1, row * 977);
    }
    place.write("kinds.csv", text);
}

#[test]
fn every_sign_is_met_on_every_kind() {
    let place = Place::new();
    write_kinds(&place);
    place.succeed("train kinds.csv --drop city --steps 60 --quiet --out run");
    place.succeed("train kinds.csv --columns city,age --steps 60 --quiet --out cities");
    let number = |cell: &str| cell.parse::<f64>().unwrap_or(f64::NAN);
    type Meets<'a> = &'a dyn Fn(&[&str]) -> bool;
    let conditions: [(&str, Meets<'_>); 22] = [
        ("age=40", &|row| row[1] == "40"),
        ("age!=40", &|row| row[1] != "40" && row[1] != "NA"),
        ("age<40", &|row| number(row[1]) < 40.0),
        // The ends of the data: what is equal counts.
        ("age<=18", &|row| row[1] == "18"),
        ("age>40", &|row| number(row[1]) > 40.0),
        ("age>=77", &|row| row[1] == "77"),
        ("age=", &|row| row[1] == "NA"),
        ("age=NA", &|row| row[1] == "NA"),
        ("age!=", &|row| row[1] != "NA"),
        ("income<1000.5", &|row| number(row[3]) < 1000.5),
        ("income<=1000.5", &|row| number(row[3]) <= 1000.5),
        ("income>1000.5", &|row| number(row[3]) > 1000.5),
        ("income>=1e3", &|row| number(row[3]) >= 1000.0),
        ("income!=1000.5", &|row| number(row[3]) != 1000.5 && row[3] != "NA"),
        // Dates in this form are in the order of their texts.
        ("joined=2020-10-10", &|row| row[2] == "2020-10-10"),
        ("joined!=2020-10-10", &|row| row[2] != "2020-10-10"),
        ("joined<2020-10-10", &|row| row[2] < "2020-10-10"),
        ("joined<=2020-10-10", &|row| row[2] <= "2020-10-10"),
        ("joined>2020-10-10", &|row| row[2] > "2020-10-10"),
        ("joined>=2020-10-10", &|row| row[2] >= "2020-10-10"),
        ("member=yes", &|row| row[4] == "yes"),
        ("member!=yes", &|row| row[4] == "no"),
    ];
    let mut failures = Vec::new();
    for (condition, meets) in conditions {
        let table = place.succeed(&format!("sample run --where {condition} --count 25 --out -"));
        let rows = cells(&table);
        if rows.len() != 25 || !rows.iter().all(|row| meets(row)) {
            failures.push((condition, table));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    // Several are met together; values and names may hold blanks and delimiters, which a shell hands over as one argument.
    for (conditions, meets) in [
        (
            &["age>30", "age<=50", "member=no"][..],
            (&|row: &str| {
                let age = number(row.split(',').nth(1).unwrap());
                row.contains(",no,EU,") && age > 30.0 && age <= 50.0
            }) as &dyn Fn(&str) -> bool,
        ),
        (&[" age > 30 "][..], &|row| number(row.split(',').nth(1).unwrap()) > 30.0),
    ] {
        let mut command = place.command("sample run --count 20 --out -");
        for condition in conditions {
            command.args(["--where", condition]);
        }
        let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
        assert!(output.lines().count() == 21 && output.lines().skip(1).all(meets), "{conditions:?}: {output}");
    }
    let output = place.command("sample cities --count 20 --out -").args(["--where", "city=Oslo, N."]).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.lines().skip(1).all(|row| row.starts_with("\"Oslo, N.\",")) && table.lines().count() == 21,
        "{table}"
    );
}

#[test]
fn conditions_that_no_row_meets_end_with_what_there_is() {
    let place = Place::new();
    write_kinds(&place);
    place.succeed("train kinds.csv --steps 30 --quiet --out run");
    let begun = std::time::Instant::now();
    for (condition, parts) in [
        ("age>400", &["none of 1,0", "meets the conditions", "`age` goes from 18 to 77 in the data"][..]),
        ("joined<2019-01-01", &["none of 1,0", "`joined` goes from 2020-01-01 to 2020-12-28 in the data"]),
        ("member=yes --where member=no", &["none of 1,0", "loosen them"]),
        // What cannot be is told at once.
        ("city=", &["`city` has no missing values"]),
        ("city=Lima", &["no category `Lima`", "(categories: Paris, Oslo, N., Rome)"]),
        ("town=Paris", &["no column `town`", "(columns: id, city, age, joined, income, member, land, remark)"]),
        ("member>yes", &["`member` has categories, which have no order"]),
        ("age=old", &["`age` has numbers from 18 to 77, and `old` is none"]),
        ("joined<2020", &["`joined` has dates from 2020-01-01 to 2020-12-28, and `2020` is none"]),
        ("land=EU", &["`land` is constant, and is not learned"]),
        ("age==40", &["the signs are = != < <= > >="]),
        ("age", &["`age` is no condition; write NAME=VALUE"]),
    ] {
        place.fail(&format!("sample run --where {condition} --count 5 --out none.csv"), 2, parts);
        assert!(!place.path("none.csv").exists(), "{condition}");
    }
    // A million rows of this table take a second or two.
    assert!(begun.elapsed().as_secs() < 120, "{:?}", begun.elapsed());
    place.succeed("train circle --steps 3 --quiet --out circle");
    place.fail("sample circle --where x>0 --out -", 2, &["where: ", "is for a run on a table"]);
}

#[test]
fn given_cells_of_every_kind_come_back_as_they_are() {
    let place = Place::new();
    write_kinds(&place);
    place.succeed("train kinds.csv --steps 60 --quiet --out run");
    // Of each row the cells in another order than the run has them, as they are written; nothing where they are open.
    let given: [[&str; 7]; 8] = [
        ["note 1, with a comma", "0031", "Paris", "2020-02-29", "1000.500", "yes", "EU"],
        ["say \"so\"", "NA", "Oslo, N.", "", "NA", "no", ""],
        ["two\nlines", "", "", "1999-12-31", "", "", "US"],
        ["été 東京", "-5", "Rome", "", "99999999.25", "", ""],
        ["", "", "", "", "", "", ""],
        ["", "18", "", "", "1e3", "", ""],
        ["", "", "Rome", "", "", "yes", ""],
        ["", "", "", "2020-07-01", "", "", "EU"],
    ];
    let quoted = |cell: &&str| match cell {
        text if text.contains([',', '"', '\n']) => format!("\"{}\"", text.replace('"', "\"\"")),
        text => text.to_string(),
    };
    let line = |row: &[&str; 7]| row.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n";
    let text = "remark,age,city,joined,income,member,land\n".to_string() + &given.iter().map(line).collect::<String>();
    place.write("given.csv", text);
    let outcome = place.run("sample run --like given.csv --out filled.csv");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    for part in [
        "given.csv: 1 row has empty cells alone",
        "given.csv: 1 cell is beyond the range of `age`",
        "1 cell is beyond the range of `joined`",
        "1 cell is beyond the range of `income`",
        "8 rows in filled.csv",
    ] {
        assert!(outcome.stderr.contains(part), "{part}: {outcome:?}");
    }
    let mut reader = csv::Reader::from_path(place.path("filled.csv")).unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_string).collect();
    assert_eq!(names.join(","), "id,city,age,joined,income,member,land,remark");
    let filled: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(filled.len(), given.len());
    // Where each given column stands in the run's table.
    let places = [7, 2, 1, 3, 4, 5, 6];
    for (number, (given, filled)) in given.iter().zip(&filled).enumerate() {
        assert_eq!(filled[0], (number + 1).to_string());
        for (text, place) in given.iter().zip(places) {
            match place {
                _ if !text.is_empty() => assert_eq!(&filled[place], *text, "row {number}, {}", names[place]),
                // A text of each row is known by its number alone.
                7 => assert_eq!(filled[7], (number + 1).to_string()),
                6 => assert_eq!(&filled[6], "EU"),
                _ => assert!(!filled[place].is_empty(), "row {number}, {}: {filled:?}", names[place]),
            }
        }
    }
    // A category that the run does not have is refused, and so is a date in another form; each message shows how it is.
    place.write("lima.csv", "city,age\nParis,20\nLima,30\n");
    place.fail(
        "sample run --like lima.csv --out -",
        1,
        &["lima.csv: line 3, column 1 (`city`): `Lima` is none", "`Paris`, `Oslo, N.`, `Rome`"],
    );
    place.write("day.csv", "joined\n29.02.2020\n");
    place.fail("sample run --like day.csv --out -", 1, &["line 2, column 1 (`joined`)", "as in `2020-01-01`"]);
    // The file may be written over.
    place.succeed("sample run --like given.csv --out given.csv --force");
    assert_eq!(place.read("given.csv"), place.read("filled.csv"));
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
    let piped = place.command("sample run --like - --out -").write_stdin(place.read("given.csv")).output().unwrap();
    assert!(piped.status.success() && String::from_utf8(piped.stdout).unwrap() == filled, "standard input");
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
        ("--like bare.csv --out -", 1, &["bare.csv", "has the names of columns, but no rows"]),
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

#[test]
fn a_category_of_two_percent_is_made_as_often_and_as_it_is() {
    let place = Place::new();
    // Those of Riga alone are old and poor.
    let row = |row: u32| {
        let is_rare = row % 50 == 7;
        let city = if is_rare { "Riga" } else { ["Paris", "Rome", "Paris"][row as usize % 3] };
        let age = if is_rare { 80 } else { 20 } + row * 7 % 19;
        format!("{city},{age},{}.5\n", if is_rare { 100 } else { 2_000 } + row * 13 % 501)
    };
    place.write("people.csv", "city,age,income\n".to_string() + &(0..2_000).map(row).collect::<String>());
    let of = |balance: &str| {
        let run = format!("run{balance}");
        place.succeed(&format!("train people.csv --labels city {balance} --steps 2000 --quiet --out {run}"));
        let table = place.succeed(&format!("sample {run} --count 5000 --out -"));
        let rows = cells(&table).into_iter().filter(|row| row[0] == "Riga");
        // Beyond the middle between them and the others.
        let is_so = |row: &Vec<&str>| row[1].parse::<u32>().unwrap() > 59 && row[2].parse::<f64>().unwrap() < 1_300.0;
        let all: Vec<bool> = rows.map(|row| is_so(&row)).collect();
        // 2 % of 5,000.
        assert!((95..=105).contains(&all.len()), "{balance}: {}", all.len());
        all.iter().filter(|is_so| **is_so).count()
    };
    let (plain, balanced) = (of(""), of("--balance"));
    assert!(balanced >= 40 && balanced > plain, "{balanced} of 100 are as those of Riga, {plain} without --balance");
}
