//! The memory of a run by preset and batch: what its plan says, and for some runs what the system counted (Linux). Prints
//! Markdown tables: `cargo bench --bench memory`.
//!
//! Arguments: nothing for all, or preset names. `--test` plans small batches and runs one step.

mod common;

use std::process::Command;

use common::{Arguments, head, header, options, row, run, source, thread_counts, trainer};
use gannet::gan::Trainer;
use gannet::gan::presets::Preset;
use gannet::internals::numbers::thousands;

/// The first argument of a process that this bench starts to be measured: then come preset, batch and threads.
const RESIDENT: &str = "resident";

/// Batches of the table of plans.
const BATCHES: [usize; 5] = [32, 256, 1_024, 4_096, 65_536];

/// Runs whose resident set is measured: the widest preset, and the most samples.
const RUNS: [(Preset, usize); 4] =
    [(Preset::Circle, 65_536), (Preset::Mnist, 100), (Preset::Mnist, 1_024), (Preset::Mnist, 65_536)];

fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

/// A figure of this process in bytes, such as `VmHWM`; `None` where the system does not tell.
fn status(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
}

/// In a process of its own: prints the bytes resident with the data alone, and the most with a step done.
fn measure_resident(preset: Preset, batch: usize, threads: usize) -> gannet::Result<()> {
    let data = source(preset, batch)?;
    let before = status("VmRSS");
    run(&mut Trainer::new(preset.spec(), data, options(preset, batch, threads))?, 1);
    if let (Some(before), Some(after)) = (before, status("VmHWM")) {
        println!("{before} {after}");
    }
    Ok(())
}

/// What [`measure_resident`] prints in a new process; `None` where the system does not tell.
fn resident(preset: Preset, batch: usize, threads: usize) -> Option<[u64; 2]> {
    let program = std::env::current_exe().ok()?;
    let arguments = [RESIDENT, preset.name(), &batch.to_string(), &threads.to_string()];
    let output = Command::new(program).args(arguments).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (before, after) = text.trim().split_once(' ')?;
    Some([before.parse().ok()?, after.parse().ok()?])
}

fn main() -> gannet::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [RESIDENT, preset, batch, threads] = words.iter().map(String::as_str).collect::<Vec<_>>()[..]
        && let (Some(preset), Ok(batch), Ok(threads)) = (Preset::from_name(preset), batch.parse(), threads.parse())
    {
        return measure_resident(preset, batch, threads);
    }
    let arguments = Arguments::read();
    let threads = thread_counts().last().copied().unwrap_or(1);
    println!("{}. MiB by batch that the plan of a run on {threads} threads keeps, the data not counted.\n", header());
    let batches = if arguments.test { &BATCHES[..2] } else { &BATCHES };
    let titles = std::iter::once("preset".to_string()).chain(batches.iter().map(|&batch| thousands(batch as u64)));
    println!("{}", head(&titles.collect::<Vec<_>>(), 1));
    for preset in Preset::ALL.iter().copied().filter(|preset| arguments.wants(preset.name())) {
        let plans = batches.iter().map(|&batch| Ok(mebibytes(trainer(preset, batch, threads)?.plan().memory)));
        let cells = std::iter::once(Ok(preset.name().to_string())).chain(plans);
        println!("{}", row(&cells.collect::<gannet::Result<Vec<_>>>()?));
    }
    let runs: Vec<_> = RUNS.into_iter().filter(|(preset, _)| arguments.wants(preset.name())).collect();
    if runs.is_empty() {
        return Ok(());
    }
    println!(
        "\nMiB that the system counts as resident (`VmRSS`, `VmHWM`): with the program and the data, and at most with a step.\n"
    );
    println!("{}", head(&["preset", "batch", "with the data", "with a step", "beyond the data", "planned"], 1));
    for (preset, batch) in runs {
        let batch = if arguments.test { batch.min(32) } else { batch };
        let plan = mebibytes(trainer(preset, batch, threads)?.plan().memory);
        let mut cells = vec![preset.name().to_string(), thousands(batch as u64)];
        match resident(preset, batch, threads) {
            Some([before, after]) => cells.extend([before, after, after.saturating_sub(before)].map(mebibytes)),
            None => cells.extend(["", "", ""].map(str::to_string)),
        }
        cells.push(plan);
        println!("{}", row(&cells));
    }
    Ok(())
}
