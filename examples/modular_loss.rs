//! The adversarial loss as a part of another program: the generator is written by hand, gannet trains the discriminator and
//! answers with the gradient with respect to the fakes.
//!
//! The generator is a 2-D affine map `x = W z + b`, updated by plain gradient descent. The real points are a Gaussian around
//! (2, 1), so `b` must end there.
//!
//! `cargo run --release --example modular_loss`

use gannet::data::synthetic;
use gannet::gan::presets::Preset;
use gannet::gan::{ModularLoss, TrainerOptions};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

const BATCH: usize = 32;
const STEPS: usize = 3_000;
const LEARNING_RATE: f32 = 0.02;

/// A standard normal number: the sum of twelve uniform ones is close enough here.
fn normal(random: &mut impl Rng) -> f32 {
    (0..12).map(|_| random.next_u32() as f32 / u32::MAX as f32).sum::<f32>() - 6.0
}

fn main() -> gannet::Result<()> {
    let points = synthetic::gaussian2d(3_200, 1)?;
    let spec = Preset::Gaussian2d.spec();
    let options = TrainerOptions::default().with_batch(BATCH);
    let mut loss = ModularLoss::new(spec.discriminator, spec.objective, spec.discriminator_optimizer, options)?;

    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let (mut weight, mut bias) = ([[1.0, 0.0], [0.0, 1.0]], [0.0; 2]);
    let mut gradient = vec![0.0; 2 * BATCH];
    for step in 0..STEPS {
        let latents: Vec<[f32; 2]> = (0..BATCH).map(|_| [normal(&mut random), normal(&mut random)]).collect();
        let fake = |z: &[f32; 2]| [0, 1].map(|row: usize| weight[row][0] * z[0] + weight[row][1] * z[1] + bias[row]);
        let fakes: Vec<f32> = latents.iter().flat_map(fake).collect();
        let first = step * BATCH * 2 % points.values().len();
        let report = loss.step(&fakes, &points.values()[first..first + 2 * BATCH], &mut gradient)?;

        for (z, delta) in latents.iter().zip(gradient.chunks(2)) {
            for row in 0..2 {
                weight[row][0] -= LEARNING_RATE * delta[row] * z[0];
                weight[row][1] -= LEARNING_RATE * delta[row] * z[1];
                bias[row] -= LEARNING_RATE * delta[row];
            }
        }
        if (step + 1) % 500 == 0 {
            let (d, g) = (report.discriminator_loss, report.generator_loss);
            println!("step {}: D {d:.3}, G {g:.3}, center ({:.2}, {:.2})", step + 1, bias[0], bias[1]);
        }
    }
    println!("the real points' center is (2, 1)");
    Ok(())
}
