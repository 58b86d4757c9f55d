//! The result of `gannet bench`: its rows, and a table of them in Markdown with a line for each preset, batch and number of
//! threads, the engines side by side.

use gannet::internals::machine;
use gannet::internals::markdown::{head, row};
use gannet::internals::numbers::thousands;
use gannet::internals::peak::median;
use serde::Serialize;

use crate::numbers::{percent, rounded};

/// One line of the result. The names are those of `--json`.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) preset: &'static str,
    pub(crate) objective: &'static str,
    pub(crate) r1: f32,
    pub(crate) r2: f32,
    pub(crate) gradient_penalty: f32,
    pub(crate) batch: usize,
    pub(crate) replicas: usize,
    pub(crate) threads: usize,
    pub(crate) engine: &'static str,
    pub(crate) isa: String,
    /// Of all replicas together.
    pub(crate) samples_per_second: f64,
    pub(crate) flop_per_sample: u64,
    /// Bytes of everything that the run keeps, the data not counted.
    pub(crate) memory: u64,
    pub(crate) gflops: f64,
    /// Of one core, times the threads.
    pub(crate) peak_gflops: f64,
    pub(crate) share_of_peak: f64,
}

/// What rows have in common that stand in one line of the table.
type Case<'a> = (&'a str, String, usize, &'a str);

fn case(row: &Row) -> Case<'_> {
    (row.preset, batches(row, thousands(row.batch as u64)), row.threads, &row.isa)
}

/// A batch, as `8x32` where several replicas have one each.
pub(crate) fn batches(row: &Row, batch: String) -> String {
    if row.replicas > 1 { format!("{}x{batch}", row.replicas) } else { batch }
}

/// The document: under what it was measured, the peaks, the table.
pub(crate) fn document(rows: &[Row]) -> String {
    let engines = distinct(rows.iter().map(|row| row.engine));
    let sets = distinct(rows.iter().map(|row| row.isa.as_str()));
    // A lone instruction set is told above the table.
    let set_columns = usize::from(sets.len() > 1);
    let mut titles = [&["preset", "isa"][..1 + set_columns], &["batch", "threads"]].concat();
    let mut units = vec![""; titles.len()];
    for engine in &engines {
        titles.extend([engine, ""]);
        units.extend(["samples/s", "of peak"]);
    }
    let mut lines = vec![
        format!("{}.", machine::header()),
        format!("FMA peak of one thread, GFLOP/s: {}.", peaks(rows, &sets)),
        String::new(),
        head(&titles, 1 + set_columns),
        row(&units),
    ];
    for wanted in distinct(rows.iter().map(case)) {
        let (preset, ref batch, threads, isa) = wanted;
        let mut cells = [preset, isa][..1 + set_columns].iter().map(ToString::to_string).collect::<Vec<_>>();
        cells.extend([batch.clone(), threads.to_string()]);
        for engine in &engines {
            match rows.iter().find(|row| case(row) == wanted && row.engine == *engine) {
                Some(row) => cells.extend([rounded(row.samples_per_second), percent(row.share_of_peak)]),
                None => cells.extend([String::new(), String::new()]),
            }
        }
        lines.push(row(&cells));
    }
    lines.join("\n")
}

/// The median peak of one thread for each instruction set.
fn peaks(rows: &[Row], sets: &[&str]) -> String {
    let of_set = |set: &&str| {
        let of_one = rows.iter().filter(|row| row.isa == **set).map(|row| row.peak_gflops / row.threads as f64);
        format!("{set} {:.0}", median(&mut of_one.collect::<Vec<_>>()))
    };
    sets.iter().map(of_set).collect::<Vec<_>>().join(", ")
}

/// The items without those that came before, in order.
fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for item in items {
        if !found.contains(&item) {
            found.push(item);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(batch: usize, threads: usize, engine: &'static str, share: f64) -> Row {
        Row {
            preset: "circle",
            objective: "minimax",
            r1: 0.0,
            r2: 0.0,
            gradient_penalty: 0.0,
            batch,
            replicas: 1,
            threads,
            engine,
            isa: "avx2".to_string(),
            samples_per_second: 1e6 * share,
            flop_per_sample: 172_224,
            memory: 1 << 20,
            gflops: 100.0 * share * threads as f64,
            peak_gflops: 100.0 * threads as f64,
            share_of_peak: share,
        }
    }

    #[test]
    fn engines_stand_side_by_side() {
        let rows =
            [measured(32, 1, "native", 0.75), measured(32, 1, "matrixmultiply", 0.5), measured(4096, 2, "native", 0.7)];
        let document = document(&rows);
        let lines: Vec<&str> = document.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "FMA peak of one thread, GFLOP/s: avx2 100.",
                "",
                "| preset | batch | threads | native | | matrixmultiply | |",
                "|---|---:|---:|---:|---:|---:|---:|",
                "| | | | samples/s | of peak | samples/s | of peak |",
                "| circle | 32 | 1 | 750,000 | 75.0 % | 500,000 | 50.0 % |",
                "| circle | 4,096 | 2 | 700,000 | 70.0 % | | |",
            ]
        );
    }
}
