//! Rates at several numbers of threads, measured in turn, and their ratios: `cargo bench --bench scaling`. Prints a Markdown
//! table. The ratio of the FMA peaks of as many threads at once bounds them: see `ceilings`.
//!
//! Arguments: nothing for all, or preset names. `--test` runs one step of each.

mod common;

use std::time::Duration;

use common::{Arguments, head, header, median, row, run, seconds_of, thread_counts, trainer};
use gannet::gan::presets::Preset;
use gannet::internals::numbers::thousands;

/// How long a part of a measurement takes, or a step if that is longer; [`REPEATS`] parts for each number of threads.
const SPAN: Duration = Duration::from_millis(150);
const REPEATS: usize = 9;

/// Presets and batches; in the test batches that are small but keep the schedule.
const CASES: [(Preset, usize, usize); 4] =
    [(Preset::Circle, 4_096, 256), (Preset::Circle, 65_536, 512), (Preset::Mnist, 100, 16), (Preset::Mnist, 1_024, 32)];

fn main() -> gannet::Result<()> {
    let arguments = Arguments::read();
    let counts = thread_counts();
    println!("{}. Native engine; medians of {REPEATS} measurements in turn.\n", header());
    let rates =
        counts.iter().map(|threads| format!("{threads} thread{}, samples/s", if *threads == 1 { "" } else { "s" }));
    let mut titles: Vec<String> = ["preset", "batch"].map(str::to_string).into_iter().chain(rates).collect();
    titles.extend(counts[1..].iter().map(|threads| format!("{threads} against 1")));
    println!("{}", head(&titles, 1));
    for (preset, full, small) in CASES {
        if !arguments.wants(preset.name()) {
            continue;
        }
        let batch = if arguments.test { small } else { full };
        let mut trainers =
            counts.iter().map(|&threads| trainer(preset, batch, threads)).collect::<gannet::Result<Vec<_>>>()?;
        let mut steps = 1;
        run(&mut trainers[0], 1);
        if !arguments.test {
            let seconds = seconds_of(3, &mut || run(&mut trainers[0], 1)) / 3.0;
            steps = ((SPAN.as_secs_f64() / seconds) as u64).max(1);
        }
        let mut found = vec![Vec::new(); counts.len()];
        for _ in 0..if arguments.test { 1 } else { REPEATS } {
            for (trainer, rates) in trainers.iter_mut().zip(&mut found) {
                let seconds = seconds_of(1, &mut || run(trainer, steps));
                rates.push((steps * batch as u64) as f64 / seconds);
            }
        }
        let rates: Vec<f64> = found.iter_mut().map(|rates| median(rates)).collect();
        let mut cells = vec![preset.name().to_string(), thousands(batch as u64)];
        cells.extend(rates.iter().map(|rate| thousands(rate.round() as u64)));
        cells.extend(rates[1..].iter().map(|rate| format!("{:.2}", rate / rates[0])));
        println!("{}", row(&cells));
    }
    Ok(())
}
