//! Whole training steps of every preset, by batch and threads: `cargo bench --bench steps`. The throughput is in samples.
//!
//! For shares of the processor's peak use `gannet bench`, which measures the peak in the same run.

mod common;

use std::time::Instant;

use common::{options, run, source};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gannet::cpu::EngineKind;
use gannet::gan::Trainer;
use gannet::gan::presets::Preset;

/// Batches of a preset, with the threads they are worth.
fn cases(preset: Preset) -> &'static [(usize, usize)] {
    match preset {
        Preset::Circle => &[(32, 1), (256, 1), (4_096, 1), (4_096, 2)],
        Preset::Mnist => &[(100, 1), (100, 2), (1_024, 2)],
        _ => &[(32, 1), (1_024, 1)],
    }
}

fn steps(criterion: &mut Criterion) {
    for &preset in Preset::ALL {
        let mut group = criterion.benchmark_group(format!("step/{}", preset.name()));
        group.sample_size(10);
        for engine in EngineKind::ALL {
            for (batch, threads) in cases(preset) {
                let options = options(preset, *batch, *threads).with_engine(engine);
                let data = source(preset, *batch).expect("finite samples");
                let mut trainer = Trainer::new(preset.spec(), data, options).expect("a preset is valid");
                group.throughput(Throughput::Elements(*batch as u64));
                group.bench_function(BenchmarkId::new(format!("{engine}/{threads}"), batch), |bencher| {
                    bencher.iter_custom(|iterations| {
                        let start = Instant::now();
                        run(&mut trainer, iterations);
                        start.elapsed()
                    });
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
