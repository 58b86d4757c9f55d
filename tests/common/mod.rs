//! What several integration tests need: a trainer for each preset on data that need no file, and a GAN for each recipe.
#![allow(dead_code, reason = "each test uses its own part")]

pub(crate) mod mailboxes;

use std::sync::Arc;

use gannet::data::{ArraySource, digits, plane, synthetic};
use gannet::gan::presets::Preset;
use gannet::gan::{
    AdamW, GanSpec, Objective, Order, Penalties, RateSchedule, RmsProp, Source, Trainer, TrainerOptions,
};
use gannet::net::{Activation, NetworkSpec, Normalization};

/// The presets, but one alone of those that have the networks of `ring8`, and one alone of those that have about the networks of `mnist`.
pub(crate) fn presets() -> impl Iterator<Item = Preset> + Clone {
    let same = [
        Preset::Grid25,
        Preset::SwissRoll,
        Preset::TwoMoons,
        Preset::Checkerboard,
        Preset::MnistBest,
        Preset::MnistConditional,
    ];
    Preset::ALL.iter().copied().filter(move |preset| !same.contains(preset))
}

/// The seed of every data set here.
const DATA_SEED: u64 = 11;

/// Data of the preset's shape: its own, or for `mnist` images of noise.
pub(crate) fn source(preset: Preset, points: usize) -> Arc<dyn Source> {
    match preset {
        Preset::Circle | Preset::CircleBest => Arc::new(synthetic::circle(points, DATA_SEED).unwrap()),
        Preset::Mixture1d | Preset::Mixture1dDeep => Arc::new(synthetic::mixture1d(points, DATA_SEED).unwrap()),
        Preset::Gaussian2d | Preset::Gaussian2dBest => Arc::new(synthetic::gaussian2d(points, DATA_SEED).unwrap()),
        Preset::Ring8 => Arc::new(plane::ring8(points, DATA_SEED).unwrap()),
        Preset::Grid25 => Arc::new(plane::grid25(points, DATA_SEED).unwrap()),
        Preset::SwissRoll => Arc::new(plane::swiss_roll(points, DATA_SEED).unwrap()),
        Preset::TwoMoons => Arc::new(plane::two_moons(points, DATA_SEED).unwrap()),
        Preset::Checkerboard => Arc::new(plane::checkerboard(points, DATA_SEED).unwrap()),
        Preset::Digits => Arc::new(digits::source().unwrap()),
        Preset::Mnist | Preset::MnistBest | Preset::MnistConditional | Preset::DigitsConditional => {
            let features = preset.spec().row_features();
            let noise = |index: usize| ((index * 7919) % 2001) as f32 / 1000.0 - 1.0;
            Arc::new(ArraySource::new((0..points * features).map(noise).collect(), features).unwrap())
        }
        other => panic!("no data for {}", other.name()),
    }
}

/// A trainer of the preset, on 500 samples or a batch.
pub(crate) fn trainer(preset: Preset, options: TrainerOptions) -> Trainer<'static> {
    let options = options.with_shuffle(preset.shuffle());
    Trainer::new(preset.spec(), source(preset, options.batch.max(500)), options).unwrap()
}

/// GANs of points in the plane by what objectives, penalties, optimizers, schedules and averages offer, with `hidden` units in D: each with a name.
pub(crate) fn recipes(hidden: usize) -> Vec<(&'static str, GanSpec)> {
    let none = Penalties::default();
    let base = |objective: Objective, activation, dropout| {
        let sizes = [2, hidden, hidden, objective.logits()];
        GanSpec::new(
            NetworkSpec::dense(&[3, 24, 2], Activation::Relu, 0.0, Activation::Linear),
            NetworkSpec::dense(&sizes, activation, dropout, Activation::Linear),
        )
        .with_objective(objective)
    };
    // Of two values of a row the last is the condition.
    let conditional = |objective: Objective| {
        GanSpec::new(
            NetworkSpec::dense(&[3, 24, 1], Activation::Relu, 0.0, Activation::Tanh),
            NetworkSpec::dense(&[2, hidden, hidden, 1], Activation::Relu, 0.0, Activation::Linear),
        )
        .with_objective(objective)
        .with_conditions(1)
    };
    let normalized_by = |[of_generator, of_discriminator]: [Normalization; 2], mut spec: GanSpec| {
        spec.generator = spec.generator.with_normalization(of_generator);
        spec.discriminator = spec.discriminator.with_normalization(of_discriminator);
        spec
    };
    let normalized = |spec: GanSpec| normalized_by([Normalization::Layer; 2], spec);
    let (batch, spectral) = (Normalization::Batch, Normalization::Spectral);
    // Of a point both coordinates.
    let softmax = |mut spec: GanSpec| {
        let last = spec.generator.layers.last_mut().unwrap();
        (last.activation, last.softmax) = (Activation::Linear, vec![last.outputs]);
        spec
    };
    let (leaky, tanh) = (Activation::LeakyRelu { slope: 0.2 }, Activation::Tanh);
    vec![
        (
            "relativistic pairing, R1 and R2",
            base(Objective::RelativisticPairing, leaky, 0.0)
                .with_penalties(none.with_r1(0.1).with_r2(0.1))
                .with_ema_decay(0.9)
                .with_schedule(RateSchedule::cosine(20)),
        ),
        (
            "relativistic pairing with dropout, fakes shared",
            base(Objective::RelativisticPairing, leaky, 0.25).with_order(Order::GeneratorFirstSharedFake),
        ),
        (
            "relativistic average with dropout and R1",
            base(Objective::RelativisticAverage, leaky, 0.25).with_penalties(none.with_r1(0.1)),
        ),
        (
            "relativistic average, G first",
            base(Objective::RelativisticAverage, leaky, 0.0).with_order(Order::GeneratorFirstSharedFake),
        ),
        (
            "Wasserstein, gradient penalty, two steps of D",
            base(Objective::Wasserstein, leaky, 0.0)
                .with_penalties(none.with_gradient_penalty(10.0))
                .with_discriminator_steps(2),
        ),
        (
            "Wasserstein, clipped, by RMSprop",
            base(Objective::Wasserstein, leaky, 0.0).with_weight_clip(0.05).with_optimizers(RmsProp::new(0.001)),
        ),
        (
            "hinge, curved, R1 at every third turn",
            base(Objective::Hinge, tanh, 0.25)
                .with_penalties(none.with_r1(1.0).with_interval(3))
                .with_generator_clip_norm(0.1)
                .with_discriminator_clip_norm(0.2),
        ),
        (
            "least squares, curved, every penalty at every second turn, fakes shared",
            base(Objective::LeastSquares, tanh, 0.0)
                .with_penalties(none.with_r1(0.1).with_r2(0.2).with_gradient_penalty(1.0).with_interval(2))
                .with_optimizers(AdamW::new(0.001).with_weight_decay(0.1))
                .with_schedule(RateSchedule::linear(20).with_warmup(5))
                .with_order(Order::DiscriminatorFirstSharedFake),
        ),
        (
            "softmax, one-sided penalty, G first",
            base(Objective::Softmax, leaky, 0.0)
                .with_penalties(none.with_gradient_penalty(1.0).with_one_sided(true).with_r2(0.5))
                .with_order(Order::GeneratorFirstSharedFake),
        ),
        (
            "least squares, smoothed labels, dropout, noise, two steps of D",
            base(Objective::LeastSquares, leaky, 0.25)
                .with_label_smoothing(0.1)
                .with_instance_noise(0.5, 10)
                .with_discriminator_steps(2),
        ),
        (
            "relativistic pairing, noise, every penalty, fakes shared",
            base(Objective::RelativisticPairing, tanh, 0.0)
                .with_instance_noise(0.3, 100)
                .with_penalties(none.with_r1(0.1).with_r2(0.2).with_gradient_penalty(1.0))
                .with_order(Order::DiscriminatorFirstSharedFake),
        ),
        (
            "relativistic pairing, R1 and R2 that fall, betas that rise",
            base(Objective::RelativisticPairing, leaky, 0.0)
                .with_penalties(none.with_r1(0.5).with_r2(0.5).with_interval(2))
                .with_schedule(
                    RateSchedule::cosine(9)
                        .with_warmup(2)
                        .with_final_rate(0.25)
                        .with_final_penalty(0.1)
                        .with_final_beta1(0.5)
                        .with_final_beta2(0.9),
                ),
        ),
        (
            "non-saturating, noise, G first",
            base(Objective::NonSaturating, leaky, 0.0)
                .with_instance_noise(0.2, 3)
                .with_order(Order::GeneratorFirstSharedFake),
        ),
        (
            "non-saturating, smoothed labels, G first",
            base(Objective::NonSaturating, tanh, 0.0)
                .with_label_smoothing(0.2)
                .with_order(Order::GeneratorFirstSharedFake),
        ),
        (
            "non-saturating, R1, G first",
            base(Objective::NonSaturating, leaky, 0.0)
                .with_penalties(none.with_r1(0.5))
                .with_order(Order::GeneratorFirstSharedFake),
        ),
        (
            "Wasserstein, gradient penalty, all layers normalized",
            normalized(base(Objective::Wasserstein, leaky, 0.0)).with_penalties(none.with_gradient_penalty(10.0)),
        ),
        (
            "relativistic pairing, R1 and R2, all layers normalized, curved, dropout",
            normalized(base(Objective::RelativisticPairing, tanh, 0.25))
                .with_penalties(none.with_r1(0.1).with_r2(0.1).with_interval(2)),
        ),
        (
            "non-saturating, all layers normalized, G first",
            normalized(base(Objective::NonSaturating, leaky, 0.0)).with_order(Order::GeneratorFirstSharedFake),
        ),
        (
            "softmax, all layers normalized, noise, a gradient penalty",
            normalized(base(Objective::Softmax, leaky, 0.0))
                .with_instance_noise(0.3, 100)
                .with_penalties(none.with_gradient_penalty(1.0).with_r1(0.5)),
        ),
        (
            "conditional, all layers normalized, R1, fakes shared",
            normalized(conditional(Objective::NonSaturating))
                .with_penalties(none.with_r1(0.5))
                .with_order(Order::DiscriminatorFirstSharedFake),
        ),
        (
            "conditional, relativistic pairing, R1 and a gradient penalty",
            conditional(Objective::RelativisticPairing)
                .with_penalties(none.with_r1(0.5).with_gradient_penalty(1.0))
                .with_order(Order::DiscriminatorFirst),
        ),
        (
            "hinge, packs of two, dropout, noise",
            base(Objective::Hinge, leaky, 0.25).with_instance_noise(0.3, 100).with_packing(2),
        ),
        (
            "Wasserstein, gradient penalty, packs of three, G by batches",
            normalized_by([batch, Normalization::None], base(Objective::Wasserstein, leaky, 0.0))
                .with_penalties(none.with_gradient_penalty(10.0))
                .with_packing(3),
        ),
        (
            "conditional, relativistic average, packs of two, R1",
            conditional(Objective::RelativisticAverage).with_penalties(none.with_r1(0.5)).with_packing(2),
        ),
        (
            "non-saturating, packs of four, G first",
            base(Objective::NonSaturating, tanh, 0.0).with_order(Order::GeneratorFirstSharedFake).with_packing(4),
        ),
        ("non-saturating, dropout, a softmax with noise", softmax(base(Objective::NonSaturating, leaky, 0.25))),
        (
            "relativistic pairing, R1 and R2, a softmax with noise, packs of two, fakes shared",
            softmax(base(Objective::RelativisticPairing, leaky, 0.0))
                .with_penalties(none.with_r1(0.1).with_r2(0.1))
                .with_packing(2)
                .with_order(Order::DiscriminatorFirstSharedFake),
        ),
        (
            "hinge, D's weights divided, dropout",
            normalized_by([Normalization::None, spectral], base(Objective::Hinge, leaky, 0.25)),
        ),
        (
            "Wasserstein, D's weights divided, gradients clipped, G by batches, two steps of D",
            normalized_by([batch, spectral], base(Objective::Wasserstein, leaky, 0.0))
                .with_generator_clip_norm(0.1)
                .with_discriminator_clip_norm(0.2)
                .with_discriminator_steps(2),
        ),
        (
            "relativistic pairing, R1 and R2, D's weights divided and decaying, G by batches, averaged",
            normalized_by([batch, spectral], base(Objective::RelativisticPairing, tanh, 0.0))
                .with_optimizers(AdamW::new(0.001).with_weight_decay(0.1))
                .with_penalties(none.with_r1(0.1).with_r2(0.1).with_interval(2))
                .with_ema_decay(0.9),
        ),
        (
            "non-saturating, both by batches, dropout, noise, G first",
            normalized_by([batch, batch], base(Objective::NonSaturating, leaky, 0.25))
                .with_instance_noise(0.3, 100)
                .with_order(Order::GeneratorFirstSharedFake),
        ),
        (
            "relativistic average, both by batches",
            normalized_by([batch, batch], base(Objective::RelativisticAverage, leaky, 0.0)),
        ),
        (
            "conditional, both by batches, fakes shared",
            normalized_by([batch, batch], conditional(Objective::NonSaturating))
                .with_order(Order::DiscriminatorFirstSharedFake),
        ),
        (
            "conditional, fakes shared, G first",
            conditional(Objective::NonSaturating).with_order(Order::GeneratorFirstSharedFake),
        ),
    ]
}
