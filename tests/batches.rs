//! Whole steps of every batch from one sample to more than two tiles, against backpropagation in f64: no sample is lost or
//! counted twice, and no lane beyond the last sample counts, wherever panels, chunks and slots end.

mod reference;

use std::sync::Arc;

use gannet::cpu::{EngineKind, Isa};
use gannet::data::ArraySource;
use gannet::gan::{GanSpec, GivenStep, Objective, OptimizerSpec, Order, Trainer, TrainerOptions};
use gannet::net::{Activation, LayerTensors, NetworkSpec};
use reference::loss::cross_entropy_slope;
use reference::network::{Parameters, backward, forward, widened, zeros};
use reference::numbers::{numbers, wide};

/// Twice the widest tile, and one more.
const MOST: usize = 257;
const LATENTS: usize = 3;
const FEATURES: usize = 5;

/// Networks, and a step's inputs for the largest batch: a smaller one has the first of them. The activations are smooth, so that
/// rounding cannot take a sample to the other side of a bend.
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
            spec: GanSpec::new(
                NetworkSpec::dense(generator, Activation::Tanh, 0.0, Activation::Linear),
                NetworkSpec::dense(discriminator, Activation::Sigmoid, 0.0, Activation::Linear),
            )
            .with_objective(Objective::NonSaturating)
            .with_order(Order::DiscriminatorFirst)
            .with_optimizers(optimizer),
            real: numbers(MOST * FEATURES, 1),
            latents: [numbers(MOST * LATENTS, 2), numbers(MOST * LATENTS, 3)],
        }
    }

    fn row(values: &[f32], columns: usize, sample: usize) -> Vec<f64> {
        wide(&values[sample * columns..][..columns])
    }

    /// Adds the gradients of sample `sample` of the batch: of D's loss to `of_d`, of G's loss to `of_g`.
    fn add(&self, g: &Parameters, d: &Parameters, sample: usize, of_g: &mut Parameters, of_d: &mut Parameters) {
        let (generator, discriminator) = (&self.spec.generator, &self.spec.discriminator);
        let fake = |latents: &[f32]| forward(generator, g, Self::row(latents, LATENTS, sample), &[]);
        let judge = |x: &[f64]| forward(discriminator, d, x.to_vec(), &[]);
        let delta = |judged: &[Vec<f64>], real: bool| vec![cross_entropy_slope(judged[judged.len() - 1][0], real)];

        let judged = judge(&Self::row(&self.real, FEATURES, sample));
        backward(discriminator, d, &judged, delta(&judged, true), of_d);
        let made = fake(&self.latents[0]);
        let judged = judge(&made[made.len() - 1]);
        backward(discriminator, d, &judged, delta(&judged, false), of_d);

        let made = fake(&self.latents[1]);
        let judged = judge(&made[made.len() - 1]);
        let of_fake = backward(discriminator, d, &judged, delta(&judged, true), &mut zeros(d));
        backward(generator, g, &made, of_fake, of_g);
    }

    fn trainer(&self, batch: usize, engine: EngineKind, isa: Isa, threads: usize) -> Trainer<'static> {
        let source = ArraySource::new(self.real.clone(), FEATURES).unwrap();
        let options = TrainerOptions::default()
            .with_batch(batch)
            .with_engine(engine)
            .with_threads(threads)
            .with_isa(isa.kind())
            .with_seed(6);
        Trainer::new(self.spec.clone(), Arc::new(source), options).unwrap()
    }

    /// Compares a step of each batch that `chosen` names with the means of the samples' gradients.
    fn check(&self, schedules: &[&str], chosen: impl Fn(usize) -> bool) {
        let model = self.trainer(1, EngineKind::Native, Isa::best(), 1).model().unwrap();
        let (g, d) = (widened(&model.generator), widened(&model.discriminator));
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
                    let step = GivenStep::new(&self.real[..batch * FEATURES], &self.latents[0][..batch * LATENTS])
                        .with_generator_latents(&self.latents[1][..batch * LATENTS]);
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
fn compare(name: &str, found: &[LayerTensors], sums: &Parameters, batch: usize, misses: &mut Vec<String>) {
    for (layer, (tensors, (weight_sums, bias_sums))) in found.iter().zip(sums).enumerate() {
        for (which, found, sums) in [("weight", &tensors.weight, weight_sums), ("bias", &tensors.bias, bias_sums)] {
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
