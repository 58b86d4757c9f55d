//! x
use gannet_tables::*;
fn main() {
    for path in std::env::args().skip(1) {
        let short = path.rsplit('/').next().unwrap_or("").to_string();
        match read(&Input::file(&path), &ReadOptions::default()) {
            Err(e) => println!("{short}: ERROR {e}"),
            Ok(t) => {
                let mut w = Writer::new(Vec::new(), t.form()).unwrap();
                let mut row = vec![Value::Missing; t.columns().len()];
                for i in 0..t.rows() { t.row(i, &mut row); w.write_row(&row).unwrap(); }
                let out = w.finish().unwrap();
                let same = std::fs::read(&path).unwrap() == out;
                println!("{short}: {} rows {} same={same}", t.rows(), t.form().columns.iter().map(|c| format!("{}:{}({})", c.name, c.kind, c.reason)).take(8).collect::<Vec<_>>().join(" | "));
                if std::env::var("N").is_ok() { for n in t.notes() { println!("    {n}"); } }
                if !same { std::fs::write(format!("/tmp/out_{short}"), out).unwrap(); }
            }
        }
    }
}
