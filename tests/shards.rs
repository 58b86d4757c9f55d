//! Shards: branches of the tree in which a batch's sums are added, so that several processes may each work on some of them.

mod common;
mod reference;

use std::ops::ControlFlow;
use std::sync::Arc;

use gannet::data::ArraySource;
use gannet::gan::presets::Preset;
use gannet::gan::{GanSpec, GivenStep, Model, ModularLoss, Objective, OptimizerSpec, Order, Trainer, TrainerOptions};
use gannet::net::{Activation, LayerTensors, NetworkSpec};

const FEATURES: usize = 4;
const LATENTS: usize = 3;
const ORDERS: [Order; 3] =
    [Order::DiscriminatorFirst, Order::DiscriminatorFirstSharedFake, Order::GeneratorFirstSharedFake];

/// Hidden units of D, samples of a shard, and the schedule of two of them: one tile; several slots; panels that all threads share;
/// several chunks of these.
const SIZES: [(usize, usize, &str); 4] = [
    (8, 20, "tile-parallel"),
    (8, 4_500, "tile-parallel"),
    (400, 50, "layer-parallel"),
    (400, 1_100, "layer-parallel"),
];

/// Both networks stand still: no parameter is so small that this rate would move it.
fn still(hidden: usize, order: Order, objective: Objective) -> GanSpec {
    GanSpec::new(
        NetworkSpec::dense(&[LATENTS, 9, FEATURES], Activation::Tanh, 0.0, Activation::Linear),
        NetworkSpec::dense(
            &[FEATURES, hidden, hidden, objective.logits()],
            Activation::LeakyRelu { slope: 0.2 },
            0.0,
            Activation::Linear,
        ),
    )
    .with_objective(objective)
    .with_order(order)
    .with_optimizers(OptimizerSpec::sgd(1e-30))
}

/// `samples` rows without a pattern.
fn rows(samples: usize, columns: usize, salt: usize) -> Vec<f32> {
    (0..samples * columns).map(|index| (((index + salt) * 7919) % 2003) as f32 / 1001.0 - 1.0).collect()
}

/// The half of the sum of two gradients: what a batch of two shards has, whose loss is a mean over twice as many samples.
fn mean(left: &[LayerTensors], right: &[LayerTensors]) -> Vec<LayerTensors> {
    let mean = |left: &[f32], right: &[f32]| left.iter().zip(right).map(|(left, right)| 0.5 * (left + right)).collect();
    left.iter()
        .zip(right)
        .map(|(left, right)| LayerTensors::new(mean(&left.weight, &right.weight), mean(&left.bias, &right.bias)))
        .collect()
}

fn bits(tensors: &[LayerTensors]) -> Vec<u32> {
    tensors.iter().flat_map(|layer| layer.weight.iter().chain(&layer.bias)).map(|value| value.to_bits()).collect()
}

/// A shard's sums are those of a batch of its samples alone, bit for bit, and two shards' sums are their sum: the same processes'
/// gradients, however many of them share the shards.
#[test]
fn a_shard_is_a_batch_of_its_own() {
    for (hidden, samples, schedule) in SIZES {
        for (order, objective) in
            ORDERS.into_iter().zip([Objective::NonSaturating, Objective::Softmax, Objective::Minimax])
        {
            for shards in [1, 2] {
                let name = format!("{schedule} {samples} {order:?} {shards}");
                let spec = still(hidden, order, objective);
                let [real, of_discriminator, of_generator] =
                    [(FEATURES, 1), (LATENTS, 2), (LATENTS, 3)].map(|(columns, salt)| rows(2 * samples, columns, salt));
                let gradients = |first: usize, batch: usize, shards: usize| -> Model {
                    let source = ArraySource::new(real.clone(), FEATURES).unwrap();
                    let options = TrainerOptions::default().with_batch(batch).with_shards(shards).with_threads(2);
                    let mut trainer = Trainer::new(spec.clone(), Arc::new(source), options).unwrap();
                    if shards > 1 {
                        assert_eq!(trainer.plan().schedule, schedule, "{name}");
                    }
                    let of = |columns: usize| first * columns..(first + batch) * columns;
                    let given = GivenStep::new(&real[of(FEATURES)], &of_discriminator[of(LATENTS)])
                        .with_generator_latents(&of_generator[of(LATENTS)]);
                    trainer.step_with(&given).unwrap();
                    trainer.gradients().unwrap()
                };
                let whole = gradients(0, 2 * samples, 2 * shards);
                let [left, right] = [0, samples].map(|first| gradients(first, samples, shards));
                for (network, whole, left, right) in [
                    ("generator", &whole.generator, &left.generator, &right.generator),
                    ("discriminator", &whole.discriminator, &left.discriminator, &right.discriminator),
                ] {
                    assert!(bits(whole).iter().any(|bits| bits & 0x7fff_ffff != 0), "{name}: {network} has gradients");
                    assert!(bits(whole) == bits(&mean(left, right)), "{name}: {network}");
                }
            }
        }
    }
}

/// The same with fakes from outside: their gradients are those that each shard alone would give.
#[test]
fn a_shard_of_the_modular_loss_is_a_batch_of_its_own() {
    for (hidden, samples, _) in SIZES {
        let spec = still(hidden, Order::DiscriminatorFirstSharedFake, Objective::NonSaturating);
        let (real, fakes) = (rows(2 * samples, FEATURES, 1), rows(2 * samples, FEATURES, 5));
        let gradient = |first: usize, batch: usize, shards: usize| {
            let options = TrainerOptions::default().with_batch(batch).with_shards(shards).with_threads(2);
            let (discriminator, optimizer) = (spec.discriminator.clone(), spec.discriminator_optimizer);
            let mut loss = ModularLoss::new(discriminator, spec.objective, optimizer, options).unwrap();
            let mut gradient = vec![f32::NAN; batch * FEATURES];
            let rows = first * FEATURES..(first + batch) * FEATURES;
            loss.step(&fakes[rows.clone()], &real[rows], &mut gradient).unwrap();
            gradient
        };
        let whole = gradient(0, 2 * samples, 2);
        let halves = [0, samples].map(|first| gradient(first, samples, 1)).concat();
        assert!(whole.iter().all(|value| value.is_finite()) && whole.iter().any(|value| *value != 0.0));
        let same = whole.iter().zip(&halves).all(|(whole, half)| whole.to_bits() == (0.5 * half).to_bits());
        assert!(same, "{hidden} {samples}");
    }
}

/// Shards decide the result; threads and instruction sets that fuse multiply-adds do not.
#[test]
fn sharded_runs_are_the_same_bits_at_any_number_of_threads() {
    let fused = reference::isas::to_compare();
    for preset in common::presets() {
        let batch = if preset == Preset::Mnist { 37 } else { 1_003 };
        for shards in [1, 2, 4] {
            let mut first = None;
            for isa in &fused {
                for threads in [1, 2, 3] {
                    let options = TrainerOptions::default()
                        .with_batch(batch)
                        .with_shards(shards)
                        .with_threads(threads)
                        .with_isa(isa.kind());
                    let mut trainer = common::trainer(preset, options);
                    let mut losses = Vec::new();
                    trainer
                        .run(3, 1, |report| {
                            losses.push([report.discriminator_loss, report.generator_loss].map(f64::to_bits));
                            ControlFlow::Continue(())
                        })
                        .unwrap();
                    let found = (losses, trainer.model().unwrap());
                    let first = first.get_or_insert_with(|| found.clone());
                    assert!(*first == found, "{} {shards} shards {threads} threads {isa:?}", preset.name());
                }
            }
        }
    }
}

#[test]
fn shards_that_make_no_tree_are_refused() {
    for (batch, shards) in [(32, 0), (32, 3), (32, 64), (1 << 20, 1 << 20), (32, usize::MAX)] {
        let options = TrainerOptions::default().with_batch(batch).with_shards(shards);
        let spec = Preset::Circle.spec();
        let source = common::source(Preset::Circle, 64);
        let problem = Trainer::new(spec.clone(), source, options.clone()).map(|_| ()).unwrap_err().to_string();
        assert!(problem.contains("shards") || problem.contains("batch"), "{problem}");
        let (discriminator, optimizer) = (spec.discriminator, spec.discriminator_optimizer);
        assert!(ModularLoss::new(discriminator, spec.objective, optimizer, options).is_err(), "{batch} {shards}");
    }
}
