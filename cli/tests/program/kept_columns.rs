//! Columns that were constant in training: what another file has in them is told, and so is what training cannot see.

use serde_json::Value;

use crate::place::Place;

/// A table of `a`, `k` and `b`, of which `k` gives the middle one.
fn table(k: impl Fn(u32) -> f64) -> String {
    let rows = (0..80u32).map(|row| format!("{}.5,{},{}.5\n", row * 7 % 80, k(row), row * 11 % 80));
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
        ("rounding.csv", "kept constant", None),
        (
            "nine.csv",
            "constant",
            Some("k (it was constant in training: all samples have 7, and 80 rows of the data another value)"),
        ),
        (
            "varies.csv",
            "constant",
            Some("k (it was constant in training: all samples have 7, and 79 rows of the data another value)"),
        ),
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
