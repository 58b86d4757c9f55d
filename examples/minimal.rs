//! The smallest complete training loop: a generator learns points on a circle.
//!
//! `cargo run --release --example minimal`

use std::ops::ControlFlow;
use std::sync::Arc;

use gannet::data::synthetic;
use gannet::gan::presets::Preset;
use gannet::gan::{Trainer, TrainerOptions};

fn main() -> gannet::Result<()> {
    let points = Arc::new(synthetic::circle(1_024, 1)?);
    let mut trainer = Trainer::new(Preset::Circle.spec(), points, TrainerOptions::default())?;
    let steps = trainer.steps_for_epochs(100);
    trainer.run(steps, 400, |report| {
        println!("step {}: D {:.3}, G {:.3}", report.step, report.discriminator_loss, report.generator_loss);
        ControlFlow::Continue(())
    })?;
    let samples = trainer.model()?.sample(trainer.spec(), 5, 7, trainer.isa())?;
    for point in samples.chunks(2) {
        println!("({:.2}, {:.2}) at radius {:.2}", point[0], point[1], point[0].hypot(point[1]));
    }
    Ok(())
}
