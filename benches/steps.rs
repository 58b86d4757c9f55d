//! Whole training steps of every preset, by batch and threads: `cargo bench --bench steps`. The throughput is in samples.
//!
//! For shares of the processor's peak use `gannet bench`, which measures the peak in the same run.

use std::ops::ControlFlow;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gannet::data::array::ArraySource;
use gannet::gan::presets::Preset;
use gannet::gan::{EngineKind, Trainer, TrainerOptions};

/// Batches of a preset, with the threads they are worth.
fn cases(preset: Preset) -> &'static [(usize, usize)] {
    match preset {
        Preset::Circle => &[(32, 1), (256, 1), (4_096, 1), (4_096, 2)],
        Preset::Mnist => &[(100, 1), (100, 2), (1_024, 2)],
        _ => &[(32, 1), (1_024, 1)],
    }
}

fn steps(criterion: &mut Criterion) {
    for preset in Preset::ALL {
        let mut group = criterion.benchmark_group(format!("step/{}", preset.name()));
        group.sample_size(10);
        for engine in EngineKind::ALL {
            for (batch, threads) in cases(preset) {
                let features = preset.spec().features();
                let values = (0..batch * features).map(|index| ((index * 7919) % 2001) as f32 / 1000.0 - 1.0).collect();
                let source = Arc::new(ArraySource::new(values, features).expect("finite samples"));
                let options = TrainerOptions { batch: *batch, threads: *threads, engine, ..TrainerOptions::default() };
                let mut trainer = Trainer::new(preset.spec(), source, options).expect("a preset is valid");
                group.throughput(Throughput::Elements(*batch as u64));
                group.bench_function(BenchmarkId::new(format!("{engine}/{threads}"), batch), |bencher| {
                    bencher.iter_custom(|iterations| {
                        let start = std::time::Instant::now();
                        trainer.run(iterations, 0, |_| ControlFlow::Continue(())).expect("finite");
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
