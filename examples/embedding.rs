//! Gannet inside another program, which owns the threads, the data and the loop: it brings its own rayon pool and its own
//! source of samples, trains in slices between other work, and carries on where it stopped.
//!
//! `cargo run --release --example embedding`

use std::ops::ControlFlow;
use std::sync::Arc;

use gannet::gan::{Adam, GanSpec, Source, Trainer, TrainerOptions, source};
use gannet::net::{Activation, NetworkSpec};

/// Samples that are computed when they are asked for: points of a spiral.
fn spiral() -> impl Source {
    const POINTS: usize = 100_000;
    source::from_fn(2, POINTS, |number, row| {
        let turn = number as f32 / POINTS as f32;
        let (sine, cosine) = (6.0 * std::f32::consts::PI * turn).sin_cos();
        row.copy_from_slice(&[turn * cosine, turn * sine]);
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build()?);
    let spec = GanSpec::new(
        NetworkSpec::dense(&[4, 64, 64, 2], Activation::Relu, 0.0, Activation::Linear),
        NetworkSpec::dense(&[2, 64, 64, 1], Activation::LeakyRelu { slope: 0.2 }, 0.0, Activation::Linear),
    )
    .with_optimizers(Adam::new(0.001));
    let options = TrainerOptions::default().with_batch(1_024).with_threads(2).with_pool(pool.clone());
    let mut trainer = Trainer::new(spec, Arc::new(spiral()), options)?;
    println!("plan: {}", trainer.plan());

    for slice in 1..=5 {
        // Nothing in here allocates, and nothing panics: what goes wrong comes back as an error.
        let report = trainer.run(100, 0, |_| ControlFlow::Continue(()))?;
        if let Some(report) = report {
            println!(
                "slice {slice}: step {}, D(x) {:.2}, D(G(z)) {:.2}",
                report.step, report.real_probability, report.fake_probability
            );
        }
        // The pool serves the host's own work between the slices.
        let busy: u64 = pool.install(|| (0..1_000u64).sum());
        assert_eq!(busy, 499_500);
    }
    Ok(())
}
