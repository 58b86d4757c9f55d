//! Whole steps of every batch from one sample to more than two tiles, against backpropagation in f64: no sample is lost or
//! counted twice, and no lane beyond the last sample counts, wherever panels, chunks and slots end.

use std::sync::Arc;

use gannet::cpu::{EngineKind, Isa};
use gannet::data::ArraySource;
use gannet::gan::{GanSpec, GivenStep, Objective, OptimizerSpec, Order, Trainer, TrainerOptions};
use gannet::net::{Activation, LayerTensors, NetworkSpec};

/// Twice the widest tile, and one more.
const MOST: usize = 257;
const LATENTS: usize = 3;
const FEATURES: usize = 5;

/// A network's parameters, or their gradient: weights and biases of each layer.
type Wide = Vec<(Vec<f64>, Vec<f64>)>;

/// Numbers in -1 .. 1 without structure.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn widen(tensors: &LayerTensors) -> Wide {
    let wide = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect();
    tensors.iter().map(|(weight, bias)| (wide(weight), wide(bias))).collect()
}

fn zeros(like: &Wide) -> Wide {
    like.iter().map(|(weight, bias)| (vec![0.0; weight.len()], vec![0.0; bias.len()])).collect()
}

/// The activations of these tests: smooth, so that rounding cannot take a sample to the other side of a bend.
fn apply(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => sigmoid(x),
        _ => x,
    }
}

/// The derivative where the output is `y`.
fn derivative(activation: Activation, y: f64) -> f64 {
    match activation {
        Activation::Tanh => 1.0 - y * y,
        Activation::Sigmoid => y * (1.0 - y),
        _ => 1.0,
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// One sample's way through a network: its input, and the output of each layer.
fn forward(spec: &NetworkSpec, parameters: &Wide, input: Vec<f64>) -> Vec<Vec<f64>> {
    let mut outputs = vec![input];
    for (layer, (weight, bias)) in spec.layers.iter().zip(parameters) {
        let x = &outputs[outputs.len() - 1];
        let row = |(row, bias): (&[f64], &f64)| {
            let sum = row.iter().zip(x).map(|(weight, x)| weight * x).sum::<f64>() + bias;
            apply(layer.activation, sum)
        };
        let y = weight.chunks(layer.inputs).zip(bias).map(row).collect();
        outputs.push(y);
    }
    outputs
}

/// The way back: adds the sample's gradient to `sums`, returns that with respect to the input.
fn backward(spec: &NetworkSpec, parameters: &Wide, outputs: &[Vec<f64>], delta: Vec<f64>, sums: &mut Wide) -> Vec<f64> {
    let mut delta = delta;
    for (index, layer) in spec.layers.iter().enumerate().rev() {
        let (x, y) = (&outputs[index], &outputs[index + 1]);
        let mut below = vec![0.0; layer.inputs];
        let (weight_sums, bias_sums) = &mut sums[index];
        for (output, (delta, y)) in delta.iter().zip(y).enumerate() {
            let delta = delta * derivative(layer.activation, *y);
            bias_sums[output] += delta;
            let row = output * layer.inputs..(output + 1) * layer.inputs;
            let weights = &parameters[index].0[row.clone()];
            for (((sum, below), weight), x) in weight_sums[row].iter_mut().zip(&mut below).zip(weights).zip(x) {
                *sum += delta * x;
                *below += delta * weight;
            }
        }
        delta = below;
    }
    delta
}

/// Networks, and a step's inputs for the largest batch: a smaller one has the first of them.
struct Problem {
    spec: GanSpec,
    real: Vec<f32>,
    /// Of D's step, and of G's.
    latents: [Vec<f32>; 2],
}

impl Problem {
    fn new(generator: &[usize], discriminator: &[usize]) -> Self {
        // Too slow to move a parameter, so that G's step meets the D that is known.
        let optimizer = OptimizerSpec::sgd(f32::MIN_POSITIVE);
        Self {
            spec: GanSpec {
                objective: Objective::NonSaturating,
                order: Order::DiscriminatorFirst,
                discriminator_steps: 1,
                generator_optimizer: optimizer,
                discriminator_optimizer: optimizer,
                generator: NetworkSpec::dense(generator, Activation::Tanh, 0.0, Activation::Linear),
                discriminator: NetworkSpec::dense(discriminator, Activation::Sigmoid, 0.0, Activation::Linear),
            },
            real: numbers(MOST * FEATURES, 1),
            latents: [numbers(MOST * LATENTS, 2), numbers(MOST * LATENTS, 3)],
        }
    }

    fn row(values: &[f32], columns: usize, sample: usize) -> Vec<f64> {
        values[sample * columns..][..columns].iter().map(|value| f64::from(*value)).collect()
    }

    /// Adds the gradients of sample `sample` of the batch: of D's loss to `of_d`, of G's loss to `of_g`.
    fn add(&self, g: &Wide, d: &Wide, sample: usize, of_g: &mut Wide, of_d: &mut Wide) {
        let (generator, discriminator) = (&self.spec.generator, &self.spec.discriminator);
        let fake = |latents: &[f32]| forward(generator, g, Self::row(latents, LATENTS, sample));
        let judge = |x: &[f64]| forward(discriminator, d, x.to_vec());
        // d BCE / d logit = sigmoid(logit) - target.
        let delta = |judged: &[Vec<f64>], target: f64| vec![sigmoid(judged[judged.len() - 1][0]) - target];

        let judged = judge(&Self::row(&self.real, FEATURES, sample));
        backward(discriminator, d, &judged, delta(&judged, 1.0), of_d);
        let made = fake(&self.latents[0]);
        let judged = judge(&made[made.len() - 1]);
        backward(discriminator, d, &judged, delta(&judged, 0.0), of_d);

        let made = fake(&self.latents[1]);
        let judged = judge(&made[made.len() - 1]);
        let of_fake = backward(discriminator, d, &judged, delta(&judged, 1.0), &mut zeros(d));
        backward(generator, g, &made, of_fake, of_g);
    }

    fn trainer(&self, batch: usize, engine: EngineKind, isa: Isa, threads: usize) -> Trainer {
        let source = ArraySource::new(self.real.clone(), FEATURES).unwrap();
        let options = TrainerOptions { batch, engine, threads, isa: Some(isa.kind()), seed: 6, ..Default::default() };
        Trainer::new(self.spec.clone(), Arc::new(source), options).unwrap()
    }

    /// Compares a step of each batch that `chosen` names with the means of the samples' gradients.
    fn check(&self, schedules: &[&str], chosen: impl Fn(usize) -> bool) {
        let model = self.trainer(1, EngineKind::Native, Isa::best(), 1).model().unwrap();
        let (g, d) = (widen(&model.generator), widen(&model.discriminator));
        let (mut of_g, mut of_d) = (zeros(&g), zeros(&d));
        let mut misses = Vec::new();
        for batch in 1..=MOST {
            self.add(&g, &d, batch - 1, &mut of_g, &mut of_d);
            if !chosen(batch) {
                continue;
            }
            for engine in EngineKind::ALL {
                for isa in Isa::available() {
                    let mut trainer = self.trainer(batch, engine, isa, 1 + batch % 2);
                    let plan = trainer.plan();
                    assert!(schedules.contains(&plan.schedule), "{plan}");
                    let step = GivenStep {
                        real: &self.real[..batch * FEATURES],
                        discriminator_latents: &self.latents[0][..batch * LATENTS],
                        generator_latents: &self.latents[1][..batch * LATENTS],
                        keep_real: &[],
                        keep_fake: &[],
                        keep_generator_step: &[],
                    };
                    trainer.step_with(&step).unwrap();
                    let found = trainer.gradients().unwrap();
                    let name = format!("batch {batch} {engine} {}", isa.kind());
                    compare(&format!("{name}: D"), &found.discriminator, &of_d, batch, &mut misses);
                    compare(&format!("{name}: G"), &found.generator, &of_g, batch, &mut misses);
                }
            }
        }
        assert!(misses.is_empty(), "{} misses, the first: {:#?}", misses.len(), &misses[..misses.len().min(10)]);
    }
}

/// Each tensor against the mean of a batch, relative to its largest value.
fn compare(name: &str, found: &LayerTensors, sums: &Wide, batch: usize, misses: &mut Vec<String>) {
    for (layer, ((weight, bias), (weight_sums, bias_sums))) in found.iter().zip(sums).enumerate() {
        for (which, found, sums) in [("weight", weight, weight_sums), ("bias", bias, bias_sums)] {
            let mean = |sum: &f64| sum / batch as f64;
            let largest = sums.iter().map(mean).fold(0.0, |largest: f64, value| largest.max(value.abs()));
            // f32 rounding of sums of some hundred terms, of which those of real and fake samples partly cancel.
            let bar = 1e-5 * largest + 1e-7;
            let wrong = found.iter().zip(sums).filter(|(found, sum)| !((f64::from(**found) - mean(sum)).abs() <= bar));
            if let Some((found, sum)) = wrong.clone().next() {
                let count = wrong.count();
                misses.push(format!("{name} {which} {layer}: {count} wrong, {found} instead of {}", mean(sum)));
            }
            assert_eq!(found.len(), sums.len(), "{name}");
        }
    }
}

#[test]
fn every_batch_of_the_tiled_schedules() {
    Problem::new(&[LATENTS, 9, FEATURES], &[FEATURES, 19, 7, 1]).check(&["serial", "tile-parallel"], |_| true);
}

#[test]
fn batches_of_the_wide_schedule() {
    // Up to two groups of lanes, then around the ends of groups.
    let chosen = |batch: usize| batch <= 33 || matches!(batch % 32, 0 | 1);
    Problem::new(&[LATENTS, 40, FEATURES], &[FEATURES, 370, 360, 1]).check(&["layer-parallel"], chosen);
}
