//! Verdicts in real runs: each one in a run that was provoked to deserve it, and none that is bad in normal runs.

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;

use gannet::cpu::Isa;
use gannet::data::ArraySource;
use gannet::gan::health::{Health, Verdict, Watch, examine};
use gannet::gan::presets::{Duration, Preset};
use gannet::gan::source::Extent;
use gannet::gan::{GanSpec, Objective, OptimizerSpec, Source, Trainer, TrainerOptions, source};
use gannet::net::{Activation, LayerTensors};

/// An evaluation: the steps before it, what was found and what was said of it.
type Evaluation = (u64, Health, Verdict);

/// Trains for `steps` steps with an evaluation before the first and at each tenth.
fn evaluations(spec: &GanSpec, source: &Arc<dyn Source>, options: TrainerOptions, steps: u64) -> Vec<Evaluation> {
    let seed = options.seed;
    let mut trainer = Trainer::new(spec.clone(), source.clone(), options).unwrap();
    let mut watch = Watch::new(spec);
    let every = steps.div_ceil(10);
    let mut found = Vec::new();
    loop {
        let step = trainer.steps_done();
        let gradients = (step > 0).then(|| trainer.gradients().unwrap());
        let health =
            examine(&trainer.model().unwrap(), gradients.as_ref(), spec, &**source, seed + 1, trainer.isa()).unwrap();
        found.push((step, health, watch.push(step, &health)));
        if step >= steps {
            return found;
        }
        trainer.run(every.min(steps - step), 0, |_| ControlFlow::Continue(())).unwrap();
    }
}

/// The same for a preset on its own data.
fn of_preset(preset: Preset, change: impl Fn(&mut GanSpec), seed: u64, steps: Option<u64>) -> Vec<Evaluation> {
    let mut spec = preset.spec();
    change(&mut spec);
    let source = common::source(preset, preset.points().unwrap_or(500));
    let batch = preset.batch();
    let options = TrainerOptions::default().with_batch(batch).with_seed(seed).with_shuffle(preset.shuffle());
    let whole = match preset.duration() {
        Duration::Steps(steps) => steps,
        Duration::Epochs(epochs) => match source.shape().extent() {
            Extent::Finite(samples) | Extent::Chosen(samples) => (epochs * samples).div_ceil(batch as u64),
            Extent::Endless => 0,
        },
    };
    evaluations(&spec, &source, options, steps.unwrap_or(whole))
}

fn scale(optimizer: &mut OptimizerSpec, factor: f32) {
    *optimizer = optimizer.with_learning_rate(optimizer.learning_rate() * factor);
}

/// The verdict appears, and no other than it and those that are not bad.
fn expect(verdict: Verdict, name: &str, evaluations: &[Evaluation]) {
    let lines: Vec<String> = evaluations.iter().map(|evaluation| format!("{evaluation:?}")).collect();
    let right = |(_, _, found): &Evaluation| *found == verdict || !found.is_bad();
    assert!(evaluations.iter().all(right), "{name}: not {verdict}\n{}", lines.join("\n"));
    assert!(evaluations.iter().any(|(_, _, found)| *found == verdict), "{name}: no {verdict}\n{}", lines.join("\n"));
}

#[test]
fn a_discriminator_that_learns_much_faster_is_too_strong() {
    for seed in 0..3 {
        let unequal = |spec: &mut GanSpec| {
            scale(&mut spec.discriminator_optimizer, 20.0);
            scale(&mut spec.generator_optimizer, 0.05);
            spec.discriminator.layers.iter_mut().for_each(|layer| layer.dropout = 0.0);
        };
        let found = of_preset(Preset::Digits, unequal, seed, Some(1_500));
        expect(Verdict::DiscriminatorTooStrong, &format!("digits, seed {seed}"), &found);
    }
}

#[test]
fn a_generator_without_a_learning_rate_worth_the_name_does_not_learn() {
    for (preset, steps) in [(Preset::Circle, 1_500), (Preset::Gaussian2d, 1_500), (Preset::Digits, 1_500)] {
        for seed in 0..2 {
            let found = of_preset(preset, |spec| scale(&mut spec.generator_optimizer, 1e-6), seed, Some(steps));
            expect(Verdict::GeneratorNotLearning, &format!("{}, seed {seed}", preset.name()), &found);
        }
    }
}

/// Minimax gives a G that loses no gradient to speak of (Goodfellow et al. 2014, section 3).
#[test]
fn a_generator_whose_gradient_has_vanished_does_not_learn() {
    let saturated = |spec: &mut GanSpec| {
        spec.objective = Objective::Minimax;
        scale(&mut spec.discriminator_optimizer, 20.0);
        scale(&mut spec.generator_optimizer, 0.01);
    };
    let found = of_preset(Preset::Digits, saturated, 0, Some(1_500));
    expect(Verdict::GeneratorNotLearning, "digits, minimax", &found);
    let (_, last, _) = found[found.len() - 1];
    assert!(last.generator_gradient_norm.unwrap() < 1e-3, "{last:?}");
}

#[test]
fn a_generator_that_makes_one_point_has_collapsed() {
    for seed in 0..3 {
        let hasty = |spec: &mut GanSpec| {
            scale(&mut spec.discriminator_optimizer, 0.05);
            scale(&mut spec.generator_optimizer, 10.0);
        };
        let found = of_preset(Preset::Circle, hasty, seed, Some(2_000));
        expect(Verdict::CollapseSuspected, &format!("circle, seed {seed}"), &found);
    }
}

/// The spread of the samples is nearly that of the data: it is the coverage that tells.
#[test]
fn a_generator_with_one_latent_feature_makes_few_modes() {
    for seed in 0..2 {
        let found = of_preset(Preset::Digits, |spec| spec.generator.layers[0].inputs = 1, seed, Some(4_000));
        expect(Verdict::CollapseSuspected, &format!("digits, seed {seed}"), &found);
        let (_, last, _) = found[found.len() - 1];
        assert!(last.spread > 0.7, "{last:?}");
    }
}

/// What was trained on one half of a circle, or on a circle elsewhere, held against the whole one.
#[test]
fn half_the_modes_and_another_place_are_seen_in_one_evaluation() {
    let spec = Preset::Circle.spec();
    let circle = |keep: &dyn Fn(&[f32]) -> bool, shift: f32| {
        let points = gannet::data::synthetic::circle(2_048, 3).unwrap().into_values();
        let kept = points.chunks_exact(2).filter(|point| keep(point)).flat_map(|point| [point[0] + shift, point[1]]);
        Arc::new(ArraySource::new(kept.collect(), 2).unwrap()) as Arc<dyn Source>
    };
    let whole = circle(&|_| true, 0.0);
    let cases = [
        (whole.clone(), Verdict::Healthy),
        (circle(&|point| point[0] > 0.0, 0.0), Verdict::CollapseSuspected),
        (circle(&|point| point[0] * point[1] > 0.0, 0.0), Verdict::CollapseSuspected),
        (circle(&|_| true, 1.5), Verdict::FarFromData),
    ];
    for (index, (source, expected)) in cases.into_iter().enumerate() {
        let options = TrainerOptions::default().with_batch(32).with_seed(1);
        let mut trainer = Trainer::new(spec.clone(), source, options).unwrap();
        trainer.run(4_000, 0, |_| ControlFlow::Continue(())).unwrap();
        let health = examine(&trainer.model().unwrap(), None, &spec, &*whole, 5, trainer.isa()).unwrap();
        assert_eq!(Watch::glance(&spec, &health), expected, "{index}: {health:?}");
    }
}

#[test]
fn normal_runs_are_healthy_throughout() {
    let runs = [(Preset::Circle, 6), (Preset::Mixture1d, 3), (Preset::Mixture1dDeep, 3), (Preset::Gaussian2d, 12)];
    for (preset, seeds) in runs.into_iter().chain([(Preset::Digits, 1)]) {
        // A tenth of the length leaves the watch little to see; it must not be too quick.
        for divisor in [1, 10] {
            for seed in 0..seeds {
                let steps = (divisor > 1).then_some(700);
                let found = of_preset(preset, |_| (), seed, steps);
                let ill: Vec<_> = found.iter().filter(|(_, _, verdict)| verdict.is_bad()).collect();
                assert!(ill.is_empty(), "{} seed {seed}: {ill:?}", preset.name());
                // A whole run ends with a verdict, a short one does not.
                let expected = if divisor > 1 { Verdict::TooEarly } else { Verdict::Healthy };
                let (_, _, last) = found[found.len() - 1];
                assert_eq!(last, expected, "{} seed {seed}: {found:?}", preset.name());
            }
        }
    }
}

/// D with two logits, and units that saturate.
#[test]
fn figures_of_the_softmax_and_of_saturated_units() {
    let mut spec = Preset::Gaussian2d.spec();
    spec.discriminator = gannet::net::NetworkSpec::dense(&[2, 3, 2], Activation::Tanh, 0.0, Activation::Linear);
    let rows: Vec<f32> = (0..700).flat_map(|row| [(row % 7) as f32 - 3.0, 1.0]).collect();
    let source: Arc<dyn Source> = Arc::new(ArraySource::new(rows, 2).unwrap());
    let options = TrainerOptions::default().with_batch(1);
    let mut model = Trainer::new(spec.clone(), source.clone(), options).unwrap().model().unwrap();
    // All samples are (-1, 1). The first unit of D is the sign of x, saturated for all whole numbers but 0.
    model.generator = vec![LayerTensors::new(vec![0.0; 4], vec![-1.0, 1.0])];
    let hidden = LayerTensors::new(vec![9.0, 0.0, 0.0, 9.0, 0.0, -9.0], vec![0.0; 3]);
    model.discriminator = vec![hidden.clone(), LayerTensors::new(vec![-1.0, 0.0, 0.0, 1.0, 0.0, 0.0], vec![0.0; 2])];
    let health = examine(&model, None, &spec, &*source, 0, Isa::best()).unwrap();
    // 512 of 700 rows, of which x is 1, 2 or 3 in three of seven; 0 is on no side.
    assert!((health.real_accuracy - 3.0 / 7.0).abs() < 0.01, "{health:?}");
    assert_eq!((health.fake_accuracy, health.spread, health.coverage), (1.0, 0.0, 1.0 / 512.0));
    assert_eq!(health.discriminator_dead_units, 2.0 / 3.0);
    spec.discriminator.layers[0].activation = Activation::Sigmoid;
    let sigmoid = examine(&model, None, &spec, &*source, 0, Isa::best()).unwrap();
    assert_eq!(sigmoid.discriminator_dead_units, 2.0 / 3.0);
    spec.discriminator.layers[0].activation = Activation::LeakyRelu { slope: 0.1 };
    assert_eq!(examine(&model, None, &spec, &*source, 0, Isa::best()).unwrap().discriminator_dead_units, 0.0);
}

/// So many samples; those from 4,100 on have a hole.
fn holes(samples: usize) -> impl Source {
    source::from_fn(2, samples, |number, row| row.copy_from_slice(&[0.0, if number < 4_100 { 1.0 } else { f32::NAN }]))
}

#[test]
fn what_does_not_fit_or_is_not_finite_is_refused() {
    let spec = Preset::Circle.spec();
    let source = common::source(Preset::Circle, 600);
    let model = common::trainer(Preset::Circle, TrainerOptions::default()).model().unwrap();
    let refused = |model: &gannet::gan::Model, gradients, source: &dyn Source| {
        examine(model, gradients, &spec, source, 0, Isa::best()).unwrap_err().to_string()
    };
    let mut wrong = model.clone();
    wrong.discriminator.pop();
    assert!(refused(&wrong, None, &*source).starts_with("discriminator"));
    assert!(refused(&model, Some(&wrong), &*source).starts_with("discriminator"));
    let mut infinite = model.clone();
    infinite.generator[0].bias[3] = f32::INFINITY;
    assert!(refused(&infinite, None, &*source).starts_with("generated samples: sample 0"));
    assert!(refused(&model, None, &ArraySource::new(vec![0.0; 3], 1).unwrap()).starts_with("data: expected"));
    assert!(refused(&model, None, &holes(0)).starts_with("data: expected"));
    // Of 5,000 samples 512 are examined, at equal distances.
    assert_eq!(refused(&model, None, &holes(5_000)), "data: sample 4101, feature 1 (counted from 0) is NaN");
    let lost = source::try_from_fn(2, 5_000, |number, _| Err(format!("{number} is lost")));
    assert_eq!(refused(&model, None, &lost), "sample 0 of the source: 0 is lost");
}
