//! Columns that were constant in training: what another file has in them is told, and so is what training cannot see.

#[path = "common/program.rs"]
mod program;

use program::Place;
use serde_json::Value;

/// A table of `a`, `k` and `b`, of which `k` gives the middle one.
fn table(k: impl Fn(u32) -> f64) -> String {
    let rows = (0..80u32).map(|row| format!("{},{},{}\n", row * 7 % 80, k(row), row * 11 % 80));
    "a,k,b\n".to_string() + &rows.collect::<String>()
}

/// The column `name` of an object.
fn column<'a>(told: &'a Value, name: &str) -> &'a Value {
    let columns = told["columns"].as_array().unwrap();
    columns.iter().find(|column| column["name"] == name).unwrap_or_else(|| panic!("no {name} in {told}"))
}

#[test]
fn another_file_may_differ_in_a_column_that_was_constant() {
    let place = Place::new();
    place.write("t.csv", table(|_| 7.0));
    place.write("nine.csv", table(|_| 9.0));
    place.write("varies.csv", table(|row| f64::from(row * 13 % 80) - 40.0));
    place.write("rounding.csv", table(|row| if row == 3 { 7.0 + 2.0 * f64::EPSILON * 4.0 } else { 7.0 }));
    place.succeed("train t.csv --steps 40 --threads 1 --quiet --out run");
    let told: Value = serde_json::from_str(&place.read("run/run.json")).unwrap();
    assert_eq!((&column(&told, "k")["verdict"], &told["warnings"]), (&"kept constant".into(), &serde_json::json!([])));
    let names: Vec<&Value> = told["columns"].as_array().unwrap().iter().map(|column| &column["name"]).collect();
    assert_eq!(names, ["a", "k", "b"]);
    assert!(place.read("run/report.html").contains("<b>k</b> <span class=\"finding\">kept constant</span>"));

    for (file, verdict, told_of_run) in [
        ("t.csv", "kept constant", None),
        ("rounding.csv", "constant", None),
        ("nine.csv", "far off", Some("k (it was constant in training: all samples have 7, the data 9)")),
        ("varies.csv", "constant", Some("k (it was constant in training: all samples have 7, the data -40 to 39)")),
    ] {
        let told = place.json(&format!("evaluate run --data {file} --json"));
        let k = column(&told, "k");
        assert_eq!(k["verdict"], verdict, "{file}: {k}");
        assert_eq!(k["finding"].is_null(), verdict == "kept constant", "{file}: {k}");
        if let Some(part) = told_of_run {
            assert!(told["verdict"] != "healthy", "{file}: {told}");
            assert!(told["verdict_hint"].as_str().unwrap().contains(part), "{told}");
        }
        let text = place.succeed(&format!("evaluate run --data {file}"));
        let line = text.lines().find(|line| line.starts_with("k ")).unwrap_or_else(|| panic!("{text}"));
        assert!(line.ends_with(verdict), "{line}");
    }
}

#[test]
fn what_training_cannot_see_stays_with_the_run() {
    let place = Place::new();
    let rows = (0..60u32).map(|row| {
        let x = if row == 9 { 1e12 } else { 5.0 + f64::from(row) * 0.1 };
        format!("{x},{},{row}\n", [0.3, 0.1 + 0.2][row as usize % 2])
    });
    place.write("t.csv", "x,c,y\n".to_string() + &rows.collect::<String>());
    place.succeed("train t.csv --steps 4000 --threads 1 --quiet --out run");
    // The settings of the run tell how the table is scaled; what is told of it stays.
    place.succeed("train run/config.toml --threads 1 --quiet --out again");
    for run in ["run", "again"] {
        let told: Value = serde_json::from_str(&place.read(&format!("{run}/run.json"))).unwrap();
        let warnings = told["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), 2, "{told}");
        assert!(warnings[0].as_str().unwrap().contains("60 different values of column 1 (`x`) become 2"), "{told}");
        // A column that is constant to within rounding is there, and is no fault of the model.
        let c = column(&told, "c");
        assert!(c["verdict"] == "constant" && c["finding"].as_str().unwrap().contains("rounding"), "{c}");
        // Without its one value far outside a column has lost its spread.
        assert!(column(&told, "x")["verdict"] != "ok", "{told}");
        let report = place.read(&format!("{run}/report.html"));
        assert_eq!(report.matches("Warning about the data: ").count(), 2);
        assert!(report.contains("(`c`)") && report.contains("<b>c</b> <span class=\"finding\">constant: all samples"));
    }
}
