//! How fast tables are read and written, beside what the memory of the machine does with the same bytes.
//!
//! `cargo bench -p gannet-tables` reads a generated table of 100 MB and writes its rows; as a test, it does so with a small one.

use std::fmt::Write;
use std::time::Instant;

use gannet_tables::{Input, ReadOptions, Table, Value, Writer, read};

/// Bytes of the table.
const SIZE: usize = 100_000_000;

/// A table of ten columns: a counter, a date, texts, a boolean, numbers with decimals, whole numbers.
fn generated(size: usize) -> String {
    let mut state = 1u64;
    let mut random = |most: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % most
    };
    let mut text = String::with_capacity(size + 200);
    text += "id,day,city,flag,a,b,c,n,m,k\n";
    let cities = ["Paris", "Rome", "Berlin", "New York", "Tokyo", "Lima"];
    let mut row = 0;
    while text.len() < size {
        let (day, city, flag) = (random(28) + 1, cities[random(6) as usize], ["no", "yes"][random(2) as usize]);
        let (a, b, c) = (random(80_000), random(20_000), random(1_000_000));
        write!(text, "{row},2024-05-{day:02},{city},{flag},{}.{:04},", a / 10_000, a % 10_000).expect("memory");
        write!(text, "{}.{:02},0.{c:06},{},", b / 100, b % 100, random(100_000)).expect("memory");
        writeln!(text, "{},{}", random(6), random(1 << 40)).expect("memory");
        row += 1;
    }
    text
}

/// Seconds of the fastest of some runs, and what the last gave.
fn fastest<T>(runs: u32, mut run: impl FnMut() -> T) -> (f64, T) {
    let mut timed = || {
        let start = Instant::now();
        let result = run();
        (start.elapsed().as_secs_f64(), result)
    };
    (1..runs).fold(timed(), |(best, _), _| {
        let (seconds, result) = timed();
        (best.min(seconds), result)
    })
}

fn rows(table: &Table) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), table.form()).expect("a form of a table");
    let mut values = vec![Value::Missing; table.columns().len()];
    for row in 0..table.rows() {
        table.row(row, &mut values);
        writer.write_row(&values).expect("a row");
    }
    writer.finish().expect("a vector")
}

fn main() {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let (size, runs) = if is_bench { (SIZE, 3) } else { (100_000, 1) };
    let text = generated(size);
    let megabytes = text.len() as f64 / 1e6;
    let (counting, lines) = fastest(runs, || text.bytes().filter(|&byte| byte == b'\n').count());
    let input = Input::bytes("generated.csv", text.as_bytes());
    let (reading, table) = fastest(runs, || read(&input, &ReadOptions::default()).expect("a table"));
    assert_eq!(lines, table.rows() + 1);
    let (writing, written) = fastest(runs, || rows(&table));
    assert!(written == text.as_bytes(), "the table comes back");
    println!("{megabytes:.0} MB, {} rows, {} columns", table.rows(), table.columns().len());
    println!("values take {:.2} of the text's size", table.bytes() as f64 / text.len() as f64);
    for (what, seconds) in [("counting lines", counting), ("reading", reading), ("writing", writing)] {
        let (rate, rows) = (megabytes / seconds, table.rows() as f64 / seconds / 1e6);
        println!(
            "{what:<15} {seconds:>7.3} s {rate:>8.0} MB/s {rows:>6.2} million rows/s {:>7.2} of counting",
            counting / seconds
        );
    }
}
