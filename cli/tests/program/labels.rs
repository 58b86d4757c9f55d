//! Classes: both networks are told them, and samples of one can be asked for.

use crate::place::{Place, idx};

/// Points of three classes, which lie apart: rows of two numbers and the class.
fn write_points(place: &Place, name: &str, class_of: fn(usize) -> usize) {
    let mut text = "x,kind,y\n".to_string();
    for row in 0..300 {
        let (kind, shift) = (row % 3, (row * 37 % 100) as f64 / 200.0);
        text += &format!("{},{},{}\n", kind as f64 * 4.0 + shift, class_of(kind), kind as f64 * -3.0 - shift);
    }
    place.write(name, &text);
}

/// The rows of a table that the program printed: its numbers.
fn rows(table: &str) -> Vec<Vec<f64>> {
    table.lines().skip(1).map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect()).collect()
}

#[test]
fn samples_of_a_class_are_where_it_is() {
    let place = Place::new();
    write_points(&place, "points.csv", |kind| kind);
    place.succeed("train points.csv --labels kind --steps 4000 --quiet");
    let run = "runs/own-001";
    for (class, center) in [(0, 0.25), (1, 4.25), (2, 8.25)] {
        let table = place.succeed(&format!("sample {run} --label {class} --count 50 --out -"));
        assert!(table.starts_with("x,kind,y\n"), "{table}");
        let mean = rows(&table).iter().map(|row| row[0]).sum::<f64>() / 50.0;
        assert!((mean - center).abs() < 1.0, "{class}: {mean}");
        assert!(rows(&table).iter().all(|row| row[1] == f64::from(class)));
    }
    // All of them as often as in the data, or some one after the other.
    let all = rows(&place.succeed(&format!("sample {run} --count 90 --out -")));
    let count = |class: f64| all.iter().filter(|row| row[1] == class).count();
    assert!([0.0, 1.0, 2.0].iter().all(|class| count(*class).abs_diff(30) <= 3), "{all:?}");
    let some = rows(&place.succeed(&format!("sample {run} --label 2,0 --count 4 --out -")));
    assert_eq!(some.iter().map(|row| row[1]).collect::<Vec<_>>(), [2.0, 0.0, 2.0, 0.0]);
    // The run's file repeats it, and the run goes on; with other classes it does not.
    let model = |run: &str| place.bytes(&format!("{run}/model.safetensors"));
    place.succeed(&format!("train {run}/config.toml --out runs/again --quiet"));
    assert_eq!(model(run), model("runs/again"));
    write_points(&place, "points.csv", |kind| (kind + 1) % 3);
    place.fail(&format!("train --resume {run} --steps 1600"), 2, &["not those that the run was trained on"]);
    write_points(&place, "points.csv", |kind| kind + 1);
    place.fail(&format!("evaluate {run}"), 1, &["100 labels in column `kind` are none of the classes", "0, 1, 2"]);
}

#[test]
fn images_are_recognized_as_the_class_asked_for() {
    let place = Place::new();
    place.succeed("train digits-conditional --steps 1500 --quiet");
    let run = "runs/digits-conditional-001";
    let comparison = &place.json(&format!("evaluate {run} --json"))["comparison"];
    let of = |name: &str, whose: &str| comparison[name][whose].as_f64().unwrap();
    assert!(of("label_accuracy", "samples") > 0.8 && of("label_accuracy", "real") > 0.9, "{comparison}");
    assert_eq!(of("classes_recognized", "real"), 10.0);
    assert!(
        of("class_entropy", "real") > 2.28 && of("feature_distance", "real") < of("feature_distance", "samples") + 10.0
    );
    place.succeed(&format!("sample {run} --label 7 --count 16 --out sevens.png"));
    assert!(place.succeed(&format!("sample {run} --count 2 --out -")).lines().next().unwrap().ends_with(",label"));
}

#[test]
fn what_has_no_such_class_is_refused() {
    let place = Place::new();
    write_points(&place, "points.csv", |kind| kind);
    place.write("one.csv", "x\n1\n2\n");
    place.succeed("train circle --steps 3 --quiet");
    place.succeed("train points.csv --labels kind --steps 3 --quiet");
    for (command, code, told) in [
        ("sample runs/circle-001 --label 7 --out -", 2, "without classes"),
        ("sample runs/own-001 --label 7 --out -", 2, "these are 0, 1, 2"),
        ("train points.csv --labels knd --steps 3", 1, "has no column `knd`"),
        ("train one.csv --labels x --steps 3", 1, "the only column"),
        ("train circle --labels x --steps 3", 2, "for a data file"),
    ] {
        place.fail(command, code, &[told]);
    }
    for (settings, told) in [
        ("classes = [\"0\"]", "stands beside"),
        ("classes = [\"0\", \"1\"]\nclass_counts = [1]", "2 names, but 1"),
        ("classes = [\"0\", \"0\"]\nclass_counts = [1, 1]", "stands twice"),
        ("classes = []\nclass_counts = []", "0 classes"),
        ("classes = [\"0\"]\nclass_counts = [0]", "none of them has a sample"),
    ] {
        place.write("bad.toml", format!("[data]\nfile = \"points.csv\"\nlabels = \"kind\"\n{settings}\n"));
        place.fail("train bad.toml --steps 3", 2, &[told]);
    }
}

/// Columns without names keep their numbers, so that what was sampled can be read again.
#[test]
fn a_table_without_a_header_keeps_its_columns() {
    let place = Place::new();
    let rows =
        |count: usize| (0..count).map(|row| format!("{},{}.5,{}\n", row % 2, row % 7, row % 11)).collect::<String>();
    place.write("bare.csv", rows(100));
    place.succeed("train bare.csv --labels column_1 --steps 50 --quiet");
    let table = place.succeed("sample runs/own-001 --count 60 --out -");
    assert_eq!((table.lines().count(), table.lines().next().unwrap().split(',').count()), (60, 3), "{table}");
    place.write("made.csv", &table);
    for data in ["bare.csv", "made.csv"] {
        place.succeed(&format!("evaluate runs/own-001 --data {data}"));
    }
}

/// Images have their labels in a file of their own, which a configuration names from its folder.
#[test]
fn labels_of_images_stay_with_them() {
    let place = Place::new();
    let pixels: Vec<u8> = (0..40 * 16_u32).map(|at| (at * 37 % 256) as u8).collect();
    let labels: Vec<u8> = (0..40).map(|image| image % 3).collect();
    std::fs::create_dir(place.path("set")).unwrap();
    for (name, file) in
        [("images", idx(&[40, 4, 4], &pixels)), ("labels", idx(&[40], &labels)), ("few", idx(&[9], &labels[..9]))]
    {
        place.write(&format!("set/{name}.idx"), file);
    }
    place.write("set/mine.toml", "[run]\nsteps = 5\n[data]\nfile = \"images.idx\"\nlabels = \"labels.idx\"\n");
    for (command, run) in [
        ("train set/mine.toml --quiet", "runs/own-001"),
        ("train set/images.idx --labels set/labels.idx --steps 5 --quiet", "runs/own-002"),
    ] {
        place.succeed(command);
        let path = place.path("set/labels.idx");
        assert!(place.read(&format!("{run}/config.toml")).contains(path.to_str().unwrap()));
        place.succeed(&format!("train --resume {run} --steps 6 --quiet"));
        place.succeed(&format!("sample {run} --label 2 --count 4 --out {run}.png"));
        for command in ["evaluate RUN --data set/images.idx", "train --resume RUN --steps 7 --data set/images.idx"] {
            place.fail(&command.replace("RUN", run), 2, &["labels.idx", "leave --data out"]);
        }
    }
    place.fail("train set/images.idx --labels set/few.idx", 1, &["few.idx", "holds 9 labels for the 40 images"]);
    place.fail("train set/images.idx --labels set/none.idx", 1, &["none.idx"]);
}
