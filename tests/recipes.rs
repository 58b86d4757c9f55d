//! What every objective and penalty promises: the same bits at any number of threads, on every instruction set that fuses
//! multiply-adds, with one shard and with several, and after a stop; turns that make up a step; and errors that name what makes no sense.

mod common;
mod reference;

use std::ops::ControlFlow;
use std::sync::Arc;

use gannet::data::synthetic;
use gannet::gan::{
    Changes, Checkpoint, GanSpec, GivenStep, Model, ModularLoss, Objective, Order, Penalties, RateSchedule, StepReport,
    Trainer, TrainerOptions,
};
use gannet::internals::kernel::noise::{StreamKey, normal, uniform};
use gannet::internals::program::Stream;
use gannet::internals::simd::LANE_GROUP;
use gannet::net::{Activation, LayerTensors, NetworkSpec};
use reference::numbers::numbers;

/// Hidden units of D and samples of a batch: one tile, several slots, panels that all threads share, several chunks of these.
const SIZES: [(usize, usize); 4] = [(16, 32), (16, 1_003), (400, 70), (400, 1_100)];

fn trainer(spec: &GanSpec, options: TrainerOptions) -> Trainer<'static> {
    let points = synthetic::circle(options.batch + 77, 5).unwrap();
    // Whole packs.
    let batch = options.batch / spec.packing * spec.packing;
    let options = options.with_batch(batch);
    Trainer::new(spec.clone(), Arc::new(points), options.with_seed(3)).unwrap()
}

/// Every number of a report, and the model.
type Outcome = (Vec<Vec<Option<u64>>>, Model);

fn outcome(trainer: &mut Trainer<'_>, steps: u64) -> Outcome {
    let mut reports = Vec::new();
    let bits = |report: &StepReport| {
        let StepReport { discriminator_loss, generator_loss, real_probability, fake_probability, penalty, .. } =
            *report;
        let numbers = [discriminator_loss, generator_loss, real_probability, fake_probability].map(Some);
        numbers.into_iter().chain([penalty]).map(|number| number.map(f64::to_bits)).collect()
    };
    trainer
        .run(steps, 1, |report| {
            reports.push(bits(report));
            ControlFlow::Continue(())
        })
        .unwrap();
    (reports, trainer.model().unwrap())
}

#[test]
fn threads_and_instruction_sets_decide_nothing() {
    let fused = reference::isas::to_compare();
    for (hidden, batch) in SIZES {
        for (name, spec) in common::recipes(hidden) {
            for shards in [1, 4] {
                let mut first = None;
                for (number, isa) in fused.iter().enumerate() {
                    // Threads and instruction sets do not meet: one number of threads is enough for all but the first set.
                    for threads in if number == 0 { 1..=3 } else { 2..=2 } {
                        let options = TrainerOptions::default()
                            .with_batch(batch)
                            .with_shards(shards)
                            .with_threads(threads)
                            .with_isa(isa.kind());
                        let found = outcome(&mut trainer(&spec, options), 4);
                        let first = first.get_or_insert_with(|| found.clone());
                        let name = format!("{name}: {hidden} {batch}, {shards} shards, {threads} threads");
                        assert_eq!(first.0, found.0, "{name}, {isa:?}");
                        assert!(first.1 == found.1, "{name}, {isa:?}");
                    }
                }
            }
        }
    }
}

/// Penalties come at every so-many-th turn of D, whatever was before: a run goes on with the right one.
#[test]
fn a_stop_changes_nothing() {
    const STEPS: u64 = 14;
    for (hidden, batch) in [(16, 48), (400, 70)] {
        for (name, spec) in common::recipes(hidden) {
            let options = TrainerOptions::default().with_batch(batch).with_threads(2);
            let mut whole = trainer(&spec, options.clone());
            let expected = outcome(&mut whole, STEPS);
            let mut going = trainer(&spec, options.clone());
            for stop in 1..STEPS {
                outcome(&mut going, 1);
                let bytes = going.checkpoint().unwrap().to_safetensors(&spec).unwrap();
                let saved = Checkpoint::from_safetensors(&bytes, &spec, "saved").unwrap();
                let mut resumed = trainer(&spec, options.clone().with_threads(1));
                resumed.restore(&saved, Changes::Refused).unwrap();
                let found = outcome(&mut resumed, STEPS - stop);
                assert_eq!(expected.0[stop as usize..], found.0, "{name}, stopped after {stop}");
                assert!(expected.1 == found.1, "{name}, stopped after {stop}");
            }
        }
    }
}

#[test]
fn turns_of_one_network_make_up_a_step() {
    for (hidden, batch) in [(16, 48), (400, 70)] {
        for (name, spec) in common::recipes(hidden) {
            let options = TrainerOptions::default().with_batch(batch).with_threads(2);
            let mut apart = trainer(&spec, options.clone());
            if spec.order == Order::GeneratorFirstSharedFake {
                assert!(apart.step_discriminator().unwrap_err().to_string().contains("order"), "{name}");
                continue;
            }
            if spec.objective.is_relativistic() || spec.conditions > 0 {
                apart.step_discriminator().unwrap();
                let problem = apart.step_generator().unwrap_err().to_string();
                assert!(problem.contains("whole steps"), "{name}: {problem}");
                continue;
            }
            let mut whole = trainer(&spec, options);
            outcome(&mut whole, 5);
            for _ in 0..5 {
                for _ in 0..spec.discriminator_steps {
                    apart.step_discriminator().unwrap();
                }
                apart.step_generator().unwrap();
            }
            assert!(apart.model().unwrap() == whole.model().unwrap(), "{name}");
        }
    }
}

/// With a G that hands its latents on, the modular loss and a trainer that shares its fakes see the same.
#[test]
fn the_modular_loss_has_the_same_penalties() {
    const BATCH: usize = 37;
    const SEED: u64 = 3;
    // Where the modular loss looks between real samples and fakes at its first turn: the trainer is given the same shares.
    let mut shares = vec![0.0; BATCH.next_multiple_of(LANE_GROUP)];
    let (isa, width) = (reference::isas::to_compare()[0], shares.len());
    uniform(isa, StreamKey::new(SEED, 0, Stream::Interpolation as u64), 0, 0.0, 1.0, &mut shares, width);
    shares.truncate(BATCH);
    let mut penalized = 0;
    for (name, spec) in common::recipes(16) {
        // The modular loss draws its dropout; the trainer would have to be given it.
        if spec.discriminator.layers[0].dropout > 0.0 || spec.weight_clip > 0.0 {
            continue;
        }
        let mut spec = spec.with_order(Order::DiscriminatorFirstSharedFake).with_discriminator_steps(1);
        // It has no schedule, no smoothed labels, no noise, and no conditions: to it they are features like others.
        (spec.schedule, spec.label_smoothing, spec.conditions) = (RateSchedule::constant(), 0.0, 0);
        spec = spec.with_instance_noise(0.0, 0);
        spec.generator = NetworkSpec::dense(&[2, 2], Activation::Linear, 0.0, Activation::Linear);
        // Packs are as a host makes them.
        spec = spec.with_packing(1);
        let options = TrainerOptions::default().with_batch(BATCH).with_seed(SEED);
        let mut whole = trainer(&spec, options.clone());
        let identity = LayerTensors::new(vec![1.0, 0.0, 0.0, 1.0], vec![0.0; 2]);
        let discriminator = whole.model().unwrap().discriminator;
        whole.set_model(&Model::new(vec![identity], discriminator.clone())).unwrap();
        let optimizer = spec.discriminator_optimizer;
        let mut modular =
            ModularLoss::with_penalties(spec.discriminator.clone(), spec.objective, spec.penalties, optimizer, options)
                .unwrap();
        modular.set_discriminator(&discriminator).unwrap();
        let (real, fakes) = (numbers(2 * BATCH, 1), numbers(2 * BATCH, 2));
        let found = whole.step_with(&GivenStep::new(&real, &fakes).with_interpolation(&shares)).unwrap();
        let report = modular.step(&fakes, &real, &mut vec![0.0; 2 * BATCH]).unwrap();
        let losses = [report.discriminator_loss, report.generator_loss, report.real_probability];
        assert_eq!(losses, [found.discriminator_loss, found.generator_loss, found.real_probability], "{name}");
        assert_eq!(report.penalty, found.penalty, "{name}");
        assert!(modular.discriminator().unwrap() == whole.model().unwrap().discriminator, "{name}");
        penalized += usize::from(spec.penalties.gradient_penalty > 0.0);
    }
    assert!(penalized > 1);
}

/// Penalties are told at every step that is reported, whether they are due in it or not; and telling them changes nothing.
#[test]
fn penalties_are_told_at_every_reported_step() {
    for (hidden, batch) in [(16, 48), (400, 70)] {
        for (name, spec) in common::recipes(hidden) {
            let run = |interval: u64, spec: &GanSpec| {
                let mut trainer = trainer(spec, TrainerOptions::default().with_batch(batch));
                let mut told = Vec::new();
                trainer
                    .run(8, interval, |report| {
                        told.push(report.penalty);
                        ControlFlow::Continue(())
                    })
                    .unwrap();
                (told, trainer.model().unwrap())
            };
            let ((each, model), (last, unreported)) = (run(1, &spec), run(0, &spec));
            assert!(model == unreported, "{name}");
            assert!(each.iter().all(|penalty| penalty.is_some() != spec.penalties.is_none()), "{name}: {each:?}");
            assert_eq!(each.last(), last.last(), "{name}");
            // The first turn has the same networks whatever the interval, and the value is not multiplied by it.
            let other = spec.clone().with_penalties(spec.penalties.with_interval(1));
            assert_eq!(run(1, &other).0[0], each[0], "{name}");
        }
    }
}

/// What is added to a sample follows from its place in the batch, wherever panels, chunks, slots and shards end: with a D that is linear,
/// real samples and fakes of zeros leave the means of the noise in both losses.
#[test]
fn noise_is_drawn_by_the_place_in_the_batch() {
    const SEED: u64 = 3;
    const DEVIATION: f32 = 0.5;
    for ((hidden, batch), shards) in SIZES.into_iter().flat_map(|size| [1, 4].map(|shards| (size, shards))) {
        let dense = |sizes: &[usize]| NetworkSpec::dense(sizes, Activation::Linear, 0.0, Activation::Linear);
        let spec = GanSpec::new(dense(&[3, 2]), dense(&[2, hidden, 1]))
            .with_objective(Objective::Wasserstein)
            .with_weight_clip(100.0)
            .with_instance_noise(DEVIATION, 9);
        let mut trainer = trainer(&spec, TrainerOptions::default().with_batch(batch).with_shards(shards));
        let discriminator = trainer.model().unwrap().discriminator;
        let nothing = LayerTensors::new(vec![0.0; 6], vec![0.0; 2]);
        trainer.set_model(&Model::new(vec![nothing], discriminator.clone())).unwrap();
        let (zeros, latents) = (vec![0.0; 2 * batch], vec![0.0; 3 * batch]);
        let report = trainer.step_with(&GivenStep::new(&zeros, &latents).with_generator_latents(&latents)).unwrap();
        let mean = |stream: Stream, layers: &[LayerTensors]| {
            let width = batch.next_multiple_of(LANE_GROUP);
            let mut panel = vec![0.0; 2 * width];
            let key = StreamKey::new(SEED, 0, stream as u64);
            normal(reference::isas::to_compare()[0], key, 0, &mut panel, width);
            let [x, y] = [0, 1].map(|row| panel[row * width..][..batch].iter().map(|n| f64::from(*n)).sum::<f64>());
            let scale = f64::from(DEVIATION) / batch as f64;
            let hidden = layers[0].weight.chunks(2).zip(&layers[0].bias).zip(&layers[1].weight);
            let of_hidden = hidden.map(|((weights, bias), out)| {
                let moved = scale * (f64::from(weights[0]) * x + f64::from(weights[1]) * y);
                f64::from(*out) * (moved + f64::from(*bias))
            });
            of_hidden.sum::<f64>() + f64::from(layers[1].bias[0])
        };
        let expected = mean(Stream::NoiseFake, &discriminator) - mean(Stream::NoiseReal, &discriminator);
        // G's loss is through the updated D.
        let of_generator = -mean(Stream::NoiseGeneratorStep, &trainer.model().unwrap().discriminator);
        for (found, expected) in [(report.discriminator_loss, expected), (report.generator_loss, of_generator)] {
            assert!((found - expected).abs() <= 1e-6, "{hidden} {batch} {shards}: {found} instead of {expected}");
        }
    }
}

/// A run whose noise is gone goes on as one that never had any, from the state that it has come to.
#[test]
fn behind_its_steps_noise_is_gone() {
    for hidden in [16, 400] {
        for (name, spec) in common::recipes(hidden).into_iter().filter(|(_, spec)| spec.instance_noise > 0.0) {
            let spec = spec.with_instance_noise(0.5, 3);
            let without = spec.clone().with_instance_noise(0.0, 0);
            let options = TrainerOptions::default().with_batch(70);
            let mut noisy = trainer(&spec, options.clone());
            let mut plain = trainer(&without, options);
            let (with, of_plain) = (outcome(&mut noisy, 3), outcome(&mut plain, 3));
            assert!(with.0.iter().zip(&of_plain.0).all(|(with, plain)| with != plain), "{name}");
            plain.restore(&noisy.checkpoint().unwrap(), Changes::Allowed).unwrap();
            // One pass of pairs serves both networks where there is no noise at all, and rounds otherwise.
            if spec.order != Order::GeneratorFirstSharedFake {
                assert!(outcome(&mut noisy, 3) == outcome(&mut plain, 3), "{name}");
            }
        }
    }
    let spec = common::recipes(16).swap_remove(0).1.with_instance_noise(0.5, 4);
    assert_eq!([0, 1, 2, 4, 5, u64::MAX].map(|step| spec.noise_deviation(step)), [0.5, 0.5, 0.375, 0.125, 0.0, 0.0]);
}

#[test]
fn clipped_weights_stay_within_their_bound_and_touch_it() {
    for hidden in [16, 400] {
        let (_, spec) = common::recipes(hidden).into_iter().find(|(_, spec)| spec.weight_clip > 0.0).unwrap();
        let mut clipped = trainer(&spec, TrainerOptions::default().with_batch(70));
        outcome(&mut clipped, 3);
        let model = clipped.model().unwrap();
        let largest = |tensors: &[LayerTensors]| {
            let values = tensors.iter().flat_map(|layer| layer.weight.iter().chain(&layer.bias));
            values.fold(0.0f32, |most, value| most.max(value.abs()))
        };
        assert_eq!(largest(&model.discriminator), spec.weight_clip);
        assert!(largest(&model.generator) > spec.weight_clip);
    }
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let (_, good) = common::recipes(8).swap_remove(0);
    let none = Penalties::default();
    for (spec, name) in [
        (good.clone().with_penalties(none.with_r1(-1.0)), "r1"),
        (good.clone().with_penalties(none.with_r2(f32::INFINITY)), "r2"),
        (good.clone().with_penalties(none.with_gradient_penalty(f32::NAN)), "gradient_penalty"),
        (good.clone().with_penalties(none.with_r1(1.0).with_one_sided(true)), "one_sided"),
        (good.clone().with_penalties(none.with_interval(4)), "penalty_interval"),
        (good.clone().with_penalties(none.with_r1(1.0).with_interval(0)), "penalty_interval"),
        (good.clone().with_weight_clip(0.1), "weight_clip"),
        (good.clone().with_penalties(none).with_weight_clip(-0.1), "weight_clip"),
        (good.clone().with_penalties(none).with_weight_clip(f32::NAN), "weight_clip"),
        (good.clone().with_penalties(none).with_objective(Objective::Wasserstein), "objective"),
        (good.clone().with_objective(Objective::NonSaturating).with_label_smoothing(1.0), "label_smoothing"),
        (good.clone().with_objective(Objective::NonSaturating).with_label_smoothing(-0.1), "label_smoothing"),
        (good.clone().with_objective(Objective::NonSaturating).with_label_smoothing(f32::NAN), "label_smoothing"),
        (good.clone().with_label_smoothing(0.1), "relativistic_pairing"),
        (good.clone().with_instance_noise(-0.1, 10), "instance_noise"),
        (good.clone().with_instance_noise(f32::INFINITY, 10), "instance_noise"),
        (good.clone().with_instance_noise(f32::NAN, 10), "instance_noise"),
        (good.clone().with_instance_noise(0.1, 0), "instance_noise_steps"),
        (good.clone().with_instance_noise(0.0, 10), "instance_noise_steps"),
        (good.clone().with_schedule(RateSchedule::constant().with_final_beta2(0.5)), "final_beta2"),
        (good.clone().with_schedule(RateSchedule::linear(9).with_final_rate(2.0)), "final_rate"),
        (
            good.clone().with_penalties(none).with_schedule(RateSchedule::linear(9).with_final_penalty(0.5)),
            "final_penalty",
        ),
        (good.clone().with_objective(Objective::Hinge).with_label_smoothing(0.1), "least_squares"),
    ] {
        let problem = spec.validate().unwrap_err().to_string();
        assert!(problem.contains(name), "`{name}` is not in `{problem}`");
    }
    good.validate().unwrap();
    let of_discriminator = |penalties| {
        let (discriminator, optimizer) = (good.discriminator.clone(), good.discriminator_optimizer);
        let options = TrainerOptions::default();
        ModularLoss::with_penalties(discriminator, good.objective, penalties, optimizer, options).map(drop)
    };
    let wasserstein = ModularLoss::new(
        good.discriminator.clone(),
        Objective::Wasserstein,
        good.discriminator_optimizer,
        TrainerOptions::default(),
    );
    assert!(wasserstein.map(drop).unwrap_err().to_string().contains("gradient_penalty"));
    assert!(of_discriminator(none.with_r1(f32::NAN)).unwrap_err().to_string().contains("r1"));
    // What a run was saved with is part of it.
    let mut first = trainer(&good, TrainerOptions::default());
    outcome(&mut first, 1);
    let other = good.clone().with_penalties(none.with_r1(0.1).with_r2(0.25));
    let problem = trainer(&other, TrainerOptions::default())
        .restore(&first.checkpoint().unwrap(), Changes::Refused)
        .unwrap_err()
        .to_string();
    assert!(problem.contains("gan.r2 was 0.1 and is 0.25") && !problem.contains("gan.r1"), "{problem}");
}

/// What cannot be packed is refused by name, with what could be.
#[test]
fn packs_are_whole() {
    let (_, single) = common::recipes(8).swap_remove(0);
    let new = |spec: GanSpec, batch, shards| {
        let points = synthetic::circle(200, 5).unwrap();
        let options = TrainerOptions::default().with_batch(batch).with_shards(shards);
        Trainer::new(spec, Arc::new(points), options)
    };
    let refused = |spec: &GanSpec, batch, shards| new(spec.clone(), batch, shards).unwrap_err().to_string();
    let packed = single.clone().with_packing(3);
    assert!(new(packed.clone(), 48, 4).is_ok());
    let problem = refused(&packed, 50, 1);
    assert!(problem.contains("batch") && problem.contains("take 48"), "{problem}");
    let problem = refused(&packed, 12, 8);
    assert!(problem.contains("shards: 8") && problem.contains("packs of 3 samples; use at most 4"), "{problem}");
    for packing in [0, 129] {
        let problem = refused(&single.clone().with_packing(packing), 48, 1);
        assert!(problem.contains("packing") && problem.contains("between 1 and 128"), "{problem}");
    }
    let mut unfit = single;
    unfit.packing = 2;
    let problem = refused(&unfit, 48, 1);
    assert!(problem.contains("takes 2 features") && problem.contains("in packs of 2 samples"), "{problem}");
    let problem = new(packed, 48, 1).unwrap().step_generator_with(|_, _| Ok(())).unwrap_err().to_string();
    assert!(problem.contains("packing"), "{problem}");
}
