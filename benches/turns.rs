//! Training steps on demand, so that two builds can take turns of a fraction of a second, which a host with other guests slows down alike:
//! reads numbers of steps from its input, a line each, and prints the seconds that these took. `scripts/turns.py` runs two of them.
//!
//!     echo 100 | cargo bench --bench turns -- mnist 1024 2
//!
//! `GANNET_ISA` and `GANNET_CACHES` apply. `--test` does one step.

mod common;

use std::io::{Write, stdin, stdout};
use std::time::Instant;

use common::{Arguments, run, trainer};
use gannet::gan::presets::Preset;

/// How the program is called.
const USAGE: &str = "PRESET BATCH THREADS, and a number of steps on each line of the input";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::read();
    if arguments.test {
        run(&mut trainer(Preset::Circle, 32, 1)?, 1);
        return Ok(());
    }
    let words: Vec<&str> = arguments.words().collect();
    let [preset, batch, threads] = words[..] else { return Err(USAGE.into()) };
    let preset = *Preset::ALL.iter().find(|known| known.name() == preset).ok_or(USAGE)?;
    let mut trainer = trainer(preset, batch.parse()?, threads.parse()?)?;
    for line in stdin().lines() {
        let steps = line?.trim().parse()?;
        let start = Instant::now();
        run(&mut trainer, steps);
        writeln!(stdout(), "{}", start.elapsed().as_secs_f64())?;
    }
    Ok(())
}
