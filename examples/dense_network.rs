//! A network as a layer of another program: that program has its own loss and its own optimizer, gannet does the passes.
//!
//! Here the network is a generator, its loss comes from a `ModularLoss`, and the optimizer is ten lines of RMSprop. The real points
//! lie on a circle of radius 1, so the fakes must end there.
//!
//! `cargo run --release --example dense_network`

use gannet::data::synthetic;
use gannet::gan::presets::Preset;
use gannet::gan::{DenseNetwork, GradientMode, ModularLoss, TrainerOptions};
use gannet::net::LayerTensors;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

const BATCH: usize = 128;
const STEPS: usize = 3_000;

/// One step of RMSprop, without momentum.
fn update(values: &mut [f32], gradients: &[f32], squares: &mut [f32]) {
    const RATE: f32 = 1e-3;
    for ((value, gradient), square) in values.iter_mut().zip(gradients).zip(squares) {
        *square = 0.99 * *square + 0.01 * gradient * gradient;
        *value -= RATE * gradient / (square.sqrt() + 1e-8);
    }
}

fn main() -> gannet::Result<()> {
    let points = synthetic::circle(12_800, 1)?;
    let spec = Preset::Circle.spec();
    let options = TrainerOptions::default().with_batch(BATCH);
    let mut generator = DenseNetwork::new(spec.generator, options.clone())?;
    let mut loss = ModularLoss::new(spec.discriminator, spec.objective, spec.discriminator_optimizer, options)?;

    // The host keeps parameters and gradients in memory of its own.
    let mut parameters = generator.parameters()?;
    let (mut gradients, mut squares) = (generator.gradients()?, generator.gradients()?);
    let latents_of_row = generator.spec().inputs();
    let (mut latents, mut fakes) = (vec![0.0; BATCH * latents_of_row], vec![0.0; BATCH * 2]);
    let mut fake_gradient = vec![0.0; BATCH * 2];

    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    for step in 0..STEPS {
        // The sum of twelve uniform numbers is close enough to a normal one.
        let normal = || (0..12).map(|_| random.next_u32() as f32 / u32::MAX as f32).sum::<f32>() - 6.0;
        latents.fill_with(normal);
        generator.forward(&latents, &mut fakes)?;
        let first = step * BATCH * 2 % points.values().len();
        let report = loss.step(&fakes, &points.values()[first..first + BATCH * 2], &mut fake_gradient)?;
        generator.backward(&fake_gradient, None, GradientMode::Overwrite)?;

        let layers = parameters.iter_mut().zip(&mut gradients).zip(&mut squares).enumerate();
        for (index, ((values, gradient), square)) in layers {
            let LayerTensors { weight, bias, .. } = gradient;
            generator.read_layer_gradients(index, weight, bias)?;
            update(&mut values.weight, weight, &mut square.weight);
            update(&mut values.bias, bias, &mut square.bias);
            generator.set_layer(index, &values.weight, &values.bias)?;
        }
        if (step + 1) % 500 == 0 {
            let radius = fakes.chunks(2).map(|fake| fake[0].hypot(fake[1])).sum::<f32>() / BATCH as f32;
            println!("step {}: G {:.3}, mean radius {radius:.2}", step + 1, report.generator_loss);
        }
    }
    println!("the real points' radius is 1");
    Ok(())
}
