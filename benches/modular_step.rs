//! Microseconds of one step of the modular loss: what `python/benches/step_cost.py` holds the same step from Python against.
//!
//! `cargo bench --bench modular_step -- circle 32 20000`

use std::time::Instant;

use gannet::Error;
use gannet::gan::presets::Preset;
use gannet::gan::{ModularLoss, TrainerOptions};

fn main() -> gannet::Result<()> {
    let (flags, arguments): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let is_test = flags.iter().any(|flag| flag == "--test");
    let number = |index: usize, usual: usize| arguments.get(index).map_or(Ok(usual), |text| text.parse());
    let wrong = |_| Error::setting("arguments", "give a preset, a batch and a number of steps");
    let preset = arguments.first().map_or(Some(Preset::Circle), |name| Preset::from_name(name));
    let spec = preset.ok_or_else(|| Error::setting("arguments", "the preset is unknown"))?.spec();
    let (batch, steps) = (number(1, 32).map_err(wrong)?, number(2, if is_test { 10 } else { 20_000 }).map_err(wrong)?);
    let features = spec.discriminator.inputs();
    let options = TrainerOptions::default().with_batch(batch);
    let mut loss = ModularLoss::new(spec.discriminator, spec.objective, spec.discriminator_optimizer, options)?;
    let values = |offset: usize| (0..batch * features).map(move |index| ((index + offset) as f32 * 0.7).sin());
    let (fakes, real): (Vec<f32>, Vec<f32>) = (values(0).collect(), values(17).collect());
    let mut gradient = vec![0.0; batch * features];
    let began = Instant::now();
    for _ in 0..steps {
        loss.step(&fakes, &real, &mut gradient)?;
    }
    println!("{:.3}", began.elapsed().as_secs_f64() / steps as f64 * 1e6);
    Ok(())
}
