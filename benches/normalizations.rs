//! What normalizations cost: steps with each, in turn with plain steps, by their time over that of the plain ones: `cargo bench --bench
//! normalizations`. Prints a Markdown table.
//!
//! Arguments: nothing for all, or preset names. `--test` runs one step of each.

mod common;

use std::time::Duration;

use common::{Arguments, head, header, median, options, row, run, seconds_of, source};
use gannet::gan::presets::Preset;
use gannet::gan::{GanSpec, Trainer};
use gannet::internals::numbers::thousands;
use gannet::net::Normalization;

/// How long a part of a measurement takes, or a step if that is longer; [`REPEATS`] parts of each kind.
const SPAN: Duration = Duration::from_millis(150);
const REPEATS: usize = 9;

/// Presets, batches and threads; in the test the small batches.
const CASES: [(Preset, usize, usize, usize); 4] = [
    (Preset::Circle, 256, 16, 1),
    (Preset::Mnist, 100, 16, 1),
    (Preset::Mnist, 1_024, 16, 1),
    (Preset::Mnist, 1_024, 16, 2),
];

/// The normalizations of G and of D, and what a column calls them.
const KINDS: [(&str, [Normalization; 2]); 4] = [
    ("layer, both", [Normalization::Layer; 2]),
    ("batch, both", [Normalization::Batch; 2]),
    ("batch in G", [Normalization::Batch, Normalization::None]),
    ("spectral in D", [Normalization::None, Normalization::Spectral]),
];

/// The networks of `preset` with these normalizations and without dropout, of which a normalized layer has none.
fn spec(preset: Preset, [of_generator, of_discriminator]: [Normalization; 2]) -> GanSpec {
    let mut spec = preset.spec();
    spec.discriminator.layers.iter_mut().for_each(|layer| layer.dropout = 0.0);
    spec.generator = spec.generator.with_normalization(of_generator);
    spec.discriminator = spec.discriminator.with_normalization(of_discriminator);
    spec
}

fn main() -> gannet::Result<()> {
    let arguments = Arguments::read();
    println!("{}. Native engine; medians of {REPEATS} measurements in turn, without dropout.\n", header());
    let titles = ["preset", "batch", "threads", "plain, samples/s"].into_iter().chain(KINDS.map(|(name, _)| name));
    println!("{}", head(&titles.map(str::to_string).collect::<Vec<_>>(), 1));
    for (preset, full, small, threads) in CASES {
        if !arguments.wants(preset.name()) {
            continue;
        }
        let batch = if arguments.test { small } else { full };
        let kinds = [[Normalization::None; 2]].into_iter().chain(KINDS.map(|(_, kind)| kind));
        let mut trainers = kinds
            .map(|kind| Trainer::new(spec(preset, kind), source(preset, batch)?, options(preset, batch, threads)))
            .collect::<gannet::Result<Vec<_>>>()?;
        trainers.iter_mut().for_each(|trainer| run(trainer, 1));
        let mut steps = 1;
        if !arguments.test {
            let seconds = seconds_of(3, &mut || run(&mut trainers[0], 1)) / 3.0;
            steps = ((SPAN.as_secs_f64() / seconds) as u64).max(1);
        }
        let mut found = vec![Vec::new(); trainers.len()];
        for _ in 0..if arguments.test { 1 } else { REPEATS } {
            for (trainer, seconds) in trainers.iter_mut().zip(&mut found) {
                seconds.push(seconds_of(1, &mut || run(trainer, steps)));
            }
        }
        let plain = median(&mut found[0].clone());
        let mut cells = vec![preset.name().to_string(), thousands(batch as u64), threads.to_string()];
        cells.push(thousands(((steps * batch as u64) as f64 / plain).round() as u64));
        for seconds in &found[1..] {
            // Of pairs in turn, so that a change of the clock cancels out.
            let mut ratios: Vec<f64> = seconds.iter().zip(&found[0]).map(|(seconds, plain)| seconds / plain).collect();
            cells.push(format!("{:.2}", median(&mut ratios)));
        }
        println!("{}", row(&cells));
    }
    Ok(())
}
