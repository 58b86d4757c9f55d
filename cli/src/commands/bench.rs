//! `gannet bench`: samples a second of whole training steps, and their share of the processor's peak in the same run.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gannet::cpu::{EngineKind, IsaKind};
use gannet::data::{ArraySource, ByteSource, Labelled};
use gannet::gan::presets::Preset;
use gannet::gan::{GanSpec, Objective, Penalties, Replicas, Source, TrainerOptions};
use gannet::internals::engine;
use gannet::internals::memory::room;
use gannet::internals::numbers::thousands;
use gannet::internals::peak::{PeakMeter, median};
use gannet::{Error, Result};

use crate::commands::args::BenchArgs;
use crate::commands::bench_table::{self, Row, batches};
use crate::numbers::{gflops, percent, rounded};
use crate::preset::{preset_named, table};
use crate::run::threads;
use crate::terminal::{output, screen};
use gannet_settings::values::{ENGINES, name_of};

/// Without `--steps`, a row is timed this long, about ...
const ROW: Duration = Duration::from_millis(1000);
/// ... in so many parts, of which the median counts: many, so that steps and peak meet the same load of the machine.
const REPEATS: u32 = 9;

/// What one row measures.
#[derive(Clone, Copy)]
struct Case {
    preset: Preset,
    /// `None` = the preset's own.
    batch: Option<usize>,
    replicas: usize,
    threads: usize,
    engine: EngineKind,
    isa: Option<IsaKind>,
    /// `None` = the preset's own.
    objective: Option<Objective>,
    penalties: Penalties,
}

impl Case {
    /// What it trains.
    fn spec(&self) -> GanSpec {
        let mut spec = self.preset.spec().with_penalties(self.penalties);
        if let Some(objective) = self.objective {
            spec.objective = objective;
            engine::fit_discriminator(&mut spec);
        }
        spec
    }
}

/// Runs the command.
pub(crate) fn command(args: &BenchArgs) -> anyhow::Result<()> {
    if args.markdown {
        let rows = cases(args)?.into_iter().map(|case| measure(case, args.steps)).collect::<Result<Vec<_>>>()?;
        return output::print_line(&bench_table::document(&rows));
    }
    for (index, case) in cases(args)?.into_iter().enumerate() {
        let row = measure(case, args.steps)?;
        if args.json {
            output::print_json(&row)?;
            continue;
        }
        if screen::columns().is_some_and(|columns| columns < LINE) {
            output::print_text(&block(&row))?;
            continue;
        }
        // After the first row is there, so that a failure leaves no header without a table.
        if index == 0 {
            output::print_line(&line(&HEADER.map(str::to_string)))?;
        }
        output::print_line(&line(&cells(&row)))?;
    }
    Ok(())
}

/// Every combination of the lists, the preset outermost.
fn cases(args: &BenchArgs) -> Result<Vec<Case>> {
    let presets = match args.preset.as_slice() {
        [] => Preset::ALL.to_vec(),
        names => names.iter().map(|name| preset_named(name)).collect::<Result<_>>()?,
    };
    let batches = if args.batch.is_empty() { vec![None] } else { args.batch.iter().copied().map(Some).collect() };
    let engines = if args.engine.is_empty() { EngineKind::ALL.to_vec() } else { args.engine.clone() };
    let isas = if args.isa.is_empty() { vec![None] } else { args.isa.iter().copied().map(Some).collect() };
    let penalties = Penalties::default().with_r1(args.r1).with_r2(args.r2).with_gradient_penalty(args.gradient_penalty);
    let objective = args.objective;
    let mut cases = Vec::new();
    for &preset in &presets {
        for &batch in &batches {
            for &replicas in &args.replicas {
                for &threads in &args.threads {
                    for &engine in &engines {
                        let case = |&isa: &Option<IsaKind>| Case {
                            preset,
                            batch,
                            replicas,
                            threads,
                            engine,
                            isa,
                            objective,
                            penalties,
                        };
                        cases.extend(isas.iter().map(case));
                    }
                }
            }
        }
    }
    Ok(cases)
}

/// Times one case.
fn measure(case: Case, steps: Option<u64>) -> Result<Row> {
    let spec = case.spec();
    let flop_per_sample = spec.flop_per_sample();
    let batch = case.batch.unwrap_or_else(|| case.preset.batch());
    let options = TrainerOptions::default()
        .with_batch(batch)
        .with_shuffle(case.preset.shuffle())
        .with_threads(case.threads)
        .with_engine(case.engine)
        .with_isa(case.isa);
    let source = source(case.preset, batch)?;
    let mut replicas = Replicas::new(&spec, case.replicas, options, |_| Ok(Arc::clone(&source)))?;
    let isa = replicas.trainers()[0].isa();
    let mut peak = PeakMeter::new(isa);
    let samples_per_second = match steps {
        Some(steps) => fixed(&mut replicas, &mut peak, steps)?,
        None => timed(&mut replicas, &mut peak)?,
    } * (case.replicas * batch) as f64;
    let threads = replicas.threads();
    if let Some(fewer) = threads::fewer_threads(case.threads, threads) {
        output::note(&fewer);
    }
    let gflops = samples_per_second * flop_per_sample as f64 / 1e9;
    let peak_gflops = peak.median() * threads as f64 / 1e9;
    Ok(Row {
        preset: case.preset.name(),
        objective: spec.objective.name(),
        r1: case.penalties.r1,
        r2: case.penalties.r2,
        gradient_penalty: case.penalties.gradient_penalty,
        batch,
        replicas: case.replicas,
        threads,
        engine: name_of(ENGINES, &case.engine),
        isa: isa.kind().to_string(),
        samples_per_second,
        flop_per_sample,
        memory: replicas.trainers().iter().map(|trainer| trainer.plan().memory).sum(),
        gflops,
        peak_gflops,
        share_of_peak: gflops / peak_gflops,
    })
}

/// Steps a second (of each replica) over exactly `steps` steps after a first one, in parts with a measurement of the peak beside each.
fn fixed(replicas: &mut Replicas, peak: &mut PeakMeter, steps: u64) -> Result<f64> {
    run(replicas, 1)?;
    let parts = steps.min(u64::from(REPEATS));
    let mut seconds = 0.0;
    for part in 0..parts {
        peak.measure();
        // The remainder goes to the first parts.
        seconds += run(replicas, steps / parts + u64::from(part < steps % parts))?;
        peak.measure();
    }
    Ok(steps as f64 / seconds)
}

/// The median steps a second of several parts of about [`ROW`] in all, each with a measurement of the peak beside it.
fn timed(replicas: &mut Replicas, peak: &mut PeakMeter) -> Result<f64> {
    let start = Instant::now();
    let part = ROW / REPEATS;
    // As many steps as fill a part: doubled until they can be timed, which also warms caches and clocks up.
    let mut steps = 1;
    let mut seconds = run(replicas, steps)?;
    while seconds < part.as_secs_f64() / 4.0 {
        steps *= 2;
        seconds = run(replicas, steps)?;
    }
    let steps = ((steps as f64 / seconds * part.as_secs_f64()).round() as u64).max(1);
    let mut rates = Vec::with_capacity(REPEATS as usize);
    for _ in 0..REPEATS {
        peak.measure();
        rates.push(steps as f64 / run(replicas, steps)?);
        peak.measure();
        // A step may take many seconds: then one part has to do.
        if start.elapsed() > 4 * ROW {
            break;
        }
    }
    Ok(median(&mut rates))
}

/// Runs `steps` steps of every replica; returns the seconds they took.
fn run(replicas: &mut Replicas, steps: u64) -> Result<f64> {
    let start = Instant::now();
    let outcomes = replicas.run(steps, 0, |_, _| ControlFlow::Continue(()));
    let seconds = start.elapsed().as_secs_f64();
    outcomes.into_iter().try_for_each(|outcome| outcome.map(|_| ()))?;
    Ok(seconds)
}

/// Made data of the preset's shape and size, and never fewer samples than a batch.
fn source(preset: Preset, batch: usize) -> Result<Arc<dyn Source>> {
    let features = preset.spec().features();
    let samples = table::entry(preset).data.samples().or(preset.points()).unwrap_or(batch);
    let samples = samples.max(batch);
    let count = samples.checked_mul(features).ok_or(Error::OutOfMemory { bytes: u64::MAX })?;
    // A linear congruential generator (Knuth's MMIX constants) will do: what the numbers are does not change the time.
    let mut state = 1_u64;
    let bytes = std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    });
    let source: Arc<dyn Source> = match preset.image() {
        Some((height, width)) => {
            let mut pixels = room::<u8>(count)?;
            pixels.extend(bytes.take(count));
            Arc::new(ByteSource::new(pixels, height, width, u8::MAX)?)
        }
        None => {
            let mut values = room::<f32>(count)?;
            values.extend(bytes.take(count).map(|byte| f32::from(byte) / 128.0 - 1.0));
            Arc::new(ArraySource::new(values, features)?)
        }
    };
    match preset.spec().conditions {
        0 => Ok(source),
        classes => {
            let labels = (0..classes as u32).cycle().take(samples).collect();
            Ok(Arc::new(Labelled::new(source, labels, classes)?))
        }
    }
}

const HEADER: [&str; 9] =
    ["preset", "batch", "threads", "engine", "isa", "samples/s", "FLOP/sample", "GFLOP/s", "of peak"];

fn cells(row: &Row) -> [String; 9] {
    [
        row.preset.to_string(),
        batches(row, row.batch.to_string()),
        row.threads.to_string(),
        row.engine.to_string(),
        row.isa.clone(),
        rounded(row.samples_per_second),
        thousands(row.flop_per_sample),
        gflops(row.gflops),
        format!("{} of {:.0}", percent(row.share_of_peak), row.peak_gflops),
    ]
}

/// Characters of a line of the table.
const LINE: usize = 100;

/// A row where lines are too narrow for the table.
fn block(row: &Row) -> String {
    let [preset, batch, threads, engine, isa, rate, flop, gflops, share] = cells(row);
    format!(
        "{preset}, batch {batch}, threads {threads}, {engine}, {isa}\n  \
         {rate} samples/s of {flop} FLOP: {gflops} GFLOP/s, {share}\n"
    )
}

/// A line of the table, at most [`LINE`] characters. Rows appear as they are measured, so the widths are fixed.
fn line(cells: &[String; 9]) -> String {
    let [preset, batch, threads, engine, isa, rate, flop, gflops, share] = cells;
    format!("{preset:<14} {batch:>6} {threads:>7}  {engine:<14} {isa:<8} {rate:>10} {flop:>11} {gflops:>7} {share:>14}")
}

#[cfg(test)]
mod tests {
    use gannet::gan::source::Extent;

    use super::*;

    #[test]
    fn made_data_have_the_presets_shape_and_hold_a_batch() {
        for &preset in Preset::ALL {
            for batch in [1, 70_000] {
                let shape = source(preset, batch).unwrap().shape();
                assert_eq!(shape.features(), preset.spec().row_features());
                assert!(matches!(shape.extent(), Extent::Finite(samples) if samples >= batch as u64));
            }
        }
        assert_eq!(source(Preset::Mnist, 100).unwrap().shape().extent(), Extent::Finite(60_000));
    }

    #[test]
    fn the_table_fits_100_columns() {
        let row = Row {
            preset: "mixture1d-deep",
            objective: "minimax",
            r1: 0.0,
            r2: 0.0,
            gradient_penalty: 0.0,
            batch: 100_000,
            replicas: 1,
            threads: 64,
            engine: "matrixmultiply",
            isa: "portable".to_string(),
            samples_per_second: 99_999_999.0,
            flop_per_sample: 31_942_656,
            memory: 1 << 30,
            gflops: 9_999.9,
            peak_gflops: 9_999.0,
            share_of_peak: 0.999,
        };
        for line in [line(&HEADER.map(str::to_string)), line(&cells(&row))] {
            assert_eq!(line.chars().count(), LINE, "{line}");
        }
    }

    #[test]
    fn every_combination_is_a_case() {
        let args = BenchArgs {
            preset: vec!["circle".into(), "mnist".into()],
            batch: vec![32, 256, 1024],
            replicas: vec![1, 8],
            threads: vec![1, 2],
            engine: vec![EngineKind::Native],
            isa: vec![IsaKind::Avx2, IsaKind::Portable],
            objective: None,
            r1: 0.0,
            r2: 0.0,
            gradient_penalty: 0.0,
            steps: None,
            json: false,
            markdown: false,
        };
        let cases = cases(&args).unwrap();
        assert_eq!(cases.len(), 2 * 3 * 2 * 2 * 2);
        assert_eq!((cases[0].preset, cases[0].batch, cases[0].threads), (Preset::Circle, Some(32), 1));
        assert_eq!(cases.last().map(|case| case.threads), Some(2));
    }
}
