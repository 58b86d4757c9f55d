//! What steers a training beside its optimizers: the average of G's parameters, the clipping of gradients, the schedule of
//! rates. The same bits at any number of threads, and after a
//! resume; what each is, against plain arithmetic in f64.

mod common;
mod reference;

use std::ops::ControlFlow;
use std::sync::Arc;

use gannet::data::ArraySource;
use gannet::gan::presets::Preset;
use gannet::gan::{
    Adam, AdamW, Changes, Checkpoint, GanSpec, Gradients, Model, Network, Order, RateSchedule, Source, Trainer,
    TrainerOptions,
};
use gannet::net::{Activation, LayerTensors, NetworkSpec, Normalization};
use reference::network::flat;

const FEATURES: usize = 9;

/// Networks of which several panels share the threads, and a batch of theirs.
fn wide() -> (GanSpec, Arc<dyn Source>, usize) {
    let spec = GanSpec::new(
        NetworkSpec::dense(&[5, 256, 300, FEATURES], Activation::Tanh, 0.0, Activation::Linear),
        NetworkSpec::dense(&[FEATURES, 131, 300, 1], Activation::Relu, 0.25, Activation::Linear),
    )
    .with_optimizers(Adam::new(0.001));
    let values = (0..FEATURES * 300).map(|index| ((index * 7919) % 2001) as f32 / 1000.0 - 1.0).collect();
    (spec, Arc::new(ArraySource::new(values, FEATURES).unwrap()), 40)
}

/// Small networks in every order, and wide ones.
fn cases() -> Vec<(String, GanSpec, Arc<dyn Source>, usize)> {
    let orders = [Order::DiscriminatorFirst, Order::DiscriminatorFirstSharedFake, Order::GeneratorFirstSharedFake];
    let small = orders.map(|order| {
        let spec = Preset::Circle.spec().with_order(order);
        (format!("{order:?}"), spec, common::source(Preset::Circle, 500), 200)
    });
    let (spec, source, batch) = wide();
    small.into_iter().chain([("wide".to_string(), spec, source, batch)]).collect()
}

/// Every setting of this file at once.
fn steered(spec: GanSpec) -> GanSpec {
    spec.with_ema_decay(0.9)
        .with_schedule(RateSchedule::cosine(10).with_warmup(3))
        .with_generator_clip_norm(0.01)
        .with_discriminator_clip_norm(0.02)
}

fn options(batch: usize) -> TrainerOptions {
    TrainerOptions::default().with_batch(batch).with_seed(5)
}

fn run(trainer: &mut Trainer<'_>, steps: u64) {
    trainer.run(steps, 0, |_| ControlFlow::Continue(())).unwrap();
}

fn bytes(trainer: &Trainer<'_>) -> Vec<u8> {
    trainer.checkpoint().unwrap().to_safetensors(trainer.spec()).unwrap()
}

fn values(tensors: &[LayerTensors]) -> Vec<f64> {
    flat(tensors).map(f64::from).collect()
}

#[test]
fn steered_runs_are_the_same_bits_at_any_number_of_threads() {
    for (name, spec, source, batch) in cases() {
        for shards in [1, 4] {
            let found = [1, 2, 3].map(|threads| {
                let options = options(batch).with_threads(threads).with_shards(shards);
                let mut trainer = Trainer::new(steered(spec.clone()), source.clone(), options).unwrap();
                run(&mut trainer, 6);
                bytes(&trainer)
            });
            assert!(found[0] == found[1] && found[0] == found[2], "{name}, {shards} shards");
        }
    }
}

#[test]
fn steered_runs_go_on_to_the_same_bits() {
    const STEPS: u64 = 12;
    for (name, spec, source, batch) in cases() {
        let spec = steered(spec);
        let trainer =
            |threads| Trainer::new(spec.clone(), source.clone(), options(batch).with_threads(threads)).unwrap();
        let mut whole = trainer(1);
        run(&mut whole, STEPS);
        let expected = bytes(&whole);
        for stop in [0, 1, 5, STEPS - 1, STEPS] {
            let mut first = trainer(2);
            run(&mut first, stop);
            let saved = Checkpoint::from_safetensors(&bytes(&first), &spec, "saved").unwrap();
            assert_eq!(saved, first.checkpoint().unwrap(), "{name} {stop}");
            let mut second = trainer(3);
            // Steps of another course, which must leave nothing behind.
            run(&mut second, stop % 2);
            second.restore(&saved, Changes::Refused).unwrap();
            run(&mut second, STEPS - stop);
            assert!(bytes(&second) == expected, "{name}, stopped after step {stop}");
        }
    }
}

/// `average = decay average + (1 - decay) parameters`, from a copy of the initial parameters on; training does not see it.
#[test]
fn the_average_follows_each_update_of_the_generator() {
    const DECAY: f32 = 0.75;
    for (name, spec, source, batch) in cases() {
        let trainer = |decay| {
            let spec = spec.clone().with_ema_decay(decay);
            Trainer::new(spec, source.clone(), options(batch).with_threads(2)).unwrap()
        };
        let (mut plain, mut averaged) = (trainer(0.0), trainer(DECAY));
        assert!(averaged.model().unwrap() == plain.model().unwrap(), "{name}: it begins with the parameters");
        let mut expected = values(&plain.model().unwrap().generator);
        for step in 0..8 {
            run(&mut plain, 1);
            // Turns alone count, too.
            if step % 2 == 1 && spec.order != Order::GeneratorFirstSharedFake {
                averaged.step_discriminator().unwrap();
                averaged.step_generator().unwrap();
            } else {
                run(&mut averaged, 1);
            }
            let raw = averaged.raw_model().unwrap();
            assert!(raw == plain.model().unwrap(), "{name}: training does not see it");
            for (expected, value) in expected.iter_mut().zip(values(&raw.generator)) {
                *expected = f64::from(DECAY) * *expected + f64::from(1.0 - DECAY) * value;
            }
        }
        let model = averaged.model().unwrap();
        let near = |(found, expected): (f64, &f64)| (found - expected).abs() <= 1e-6;
        assert!(values(&model.generator).into_iter().zip(&expected).all(near), "{name}");
        assert!(model.generator != plain.model().unwrap().generator, "{name}");
        assert!(model.discriminator == plain.model().unwrap().discriminator, "{name}");

        let (spec, isa) = (averaged.spec(), averaged.isa());
        let sampled = model.sample(spec, 5, 3, isa).unwrap();
        let mut rows = vec![0.0; sampled.len()];
        averaged.sampler().unwrap().sample(3, 0, &mut rows).unwrap();
        assert_eq!(rows, sampled, "{name}: samples come from it");
        let checkpoint = averaged.checkpoint().unwrap();
        assert!(*checkpoint.model() == model && *checkpoint.raw_model().unwrap() == averaged.raw_model().unwrap());
        let bytes = checkpoint.to_safetensors(spec).unwrap();
        assert!(
            Model::from_safetensors(&bytes, spec, "it").unwrap() == model,
            "{name}: as a model, a checkpoint has it"
        );
        assert!(
            averaged
                .parameters(Network::Generator)
                .flat_map(|tensor| tensor.values())
                .eq(flat(&averaged.raw_model().unwrap().generator))
        );
    }
}

/// A schedule is a rate that is set before each step: of both networks, with several turns of D in a step, past its end.
#[test]
fn a_schedule_sets_the_rate_of_each_step() {
    for (name, spec, source, batch) in cases() {
        let turns = if spec.order == Order::GeneratorFirstSharedFake { 1 } else { 2 };
        let spec = spec.with_discriminator_steps(turns).with_discriminator_optimizer(AdamW::new(0.002));
        for schedule in
            [RateSchedule::linear(8).with_warmup(3), RateSchedule::cosine(6), RateSchedule::constant().with_warmup(5)]
        {
            let trainer = |spec: &GanSpec| Trainer::new(spec.clone(), source.clone(), options(batch)).unwrap();
            let scheduled_spec = spec.clone().with_schedule(schedule);
            let (mut scheduled, mut set) = (trainer(&scheduled_spec), trainer(&spec));
            for step in 1..=10 {
                for network in Network::ALL {
                    let rate = scheduled_spec.learning_rate(network, step);
                    let expected = f64::from(spec.optimizer(network).learning_rate()) * schedule.share(step);
                    assert!((f64::from(rate) - expected).abs() <= 1e-7 * expected);
                    set.set_learning_rate(network, rate).unwrap();
                }
                run(&mut set, 1);
            }
            run(&mut scheduled, 10);
            assert!(scheduled.model().unwrap() == set.model().unwrap(), "{name} {schedule}");
        }
    }
}

/// Clipping is what a hook does that multiplies all gradients by `most / (norm + 1e-6)` where that is below 1; hooks come before it.
#[test]
fn clipped_gradients_have_the_norm_that_is_asked_for() {
    const MOST: f32 = 0.002;
    for (name, spec, source, batch) in cases() {
        let trainer = |[generator, discriminator]: [f32; 2]| {
            let spec = spec.clone().with_generator_clip_norm(generator).with_discriminator_clip_norm(discriminator);
            Trainer::new(spec, source.clone(), options(batch).with_threads(2)).unwrap()
        };
        for clipped in [[MOST, 0.0], [0.0, MOST], [MOST, MOST]] {
            let (mut by_setting, mut by_hook) = (trainer(clipped), trainer([0.0; 2]));
            let mut scaled = 0;
            let mut hook = |gradients: &mut Gradients<'_>| {
                let most = f64::from(clipped[gradients.network() as usize]);
                let factor = most / (gradients.norm() + 1e-6);
                if most > 0.0 && factor < 1.0 {
                    gradients.scale(factor as f32);
                    scaled += 1;
                }
                Ok(())
            };
            by_hook.run_with(4, 0, Some(&mut hook), |_, _| Ok(ControlFlow::Continue(()))).unwrap();
            assert!(scaled > 0, "{name}: nothing is clipped");
            run(&mut by_setting, 4);
            let [found, expected] = [&by_setting, &by_hook].map(|trainer| trainer.model().unwrap());
            for network in Network::ALL {
                // The two norms are sums in another order, whose last bit may differ.
                let near = |(found, expected): (f64, f64)| (found - expected).abs() <= 1e-4 * expected.abs() + 1e-5;
                let pairs = values(found.network(network)).into_iter().zip(values(expected.network(network)));
                assert!(pairs.into_iter().all(near), "{name} {clipped:?} {network}");
                let gradients = by_setting.parameter_gradients(network).flat_map(|tensor| tensor.values());
                let norm = gradients.map(|value| f64::from(value).powi(2)).sum::<f64>().sqrt();
                let most = f64::from(clipped[network as usize]);
                assert!(most == 0.0 || norm <= most * (1.0 + 1e-6), "{name} {clipped:?} {network}: {norm}");
            }
            // What a hook leaves is clipped.
            let mut both = trainer(clipped);
            let mut larger = |gradients: &mut Gradients<'_>| {
                gradients.scale(1e6);
                Ok(())
            };
            both.run_with(1, 0, Some(&mut larger), |_, _| Ok(ControlFlow::Continue(()))).unwrap();
            for network in Network::ALL.into_iter().filter(|network| clipped[*network as usize] > 0.0) {
                let gradients = both.parameter_gradients(network).flat_map(|tensor| tensor.values());
                let norm = gradients.map(|value| f64::from(value).powi(2)).sum::<f64>().sqrt();
                assert!((norm - f64::from(MOST)).abs() <= 1e-6, "{name} {network}: {norm}");
            }
        }
        // A norm that no gradient has changes no bit.
        let (mut plain, mut free) = (trainer([0.0; 2]), trainer([1e30; 2]));
        run(&mut plain, 3);
        run(&mut free, 3);
        assert!(plain.model().unwrap() == free.model().unwrap(), "{name}");
    }
}

#[test]
fn an_average_begins_anew_with_other_parameters() {
    let trainer = |decay| {
        let spec = Preset::Circle.spec().with_ema_decay(decay);
        Trainer::new(spec, common::source(Preset::Circle, 500), options(32)).unwrap()
    };
    let mut averaged = trainer(0.5);
    run(&mut averaged, 7);
    let (model, raw) = (averaged.model().unwrap(), averaged.raw_model().unwrap());
    averaged.set_model(&raw).unwrap();
    assert!(averaged.model().unwrap() == raw);

    // A change of settings that begins it, and one that ends it.
    let mut plain = common::trainer(Preset::Circle, options(32));
    run(&mut plain, 7);
    let problem = averaged.restore(&plain.checkpoint().unwrap(), Changes::Refused).unwrap_err().to_string();
    assert!(problem.contains("gan.ema_decay was 0 and is 0.5"), "{problem}");
    averaged.restore(&plain.checkpoint().unwrap(), Changes::Allowed).unwrap();
    assert!(averaged.model().unwrap() == raw && averaged.raw_model().unwrap() == raw);
    run(&mut averaged, 1);
    assert!(averaged.model().unwrap() != averaged.raw_model().unwrap());
    let mut kept = trainer(0.5);
    run(&mut kept, 7);
    plain.restore(&kept.checkpoint().unwrap(), Changes::Allowed).unwrap();
    assert!(plain.model().unwrap() == raw && kept.model().unwrap() == model);
}

/// What a normalization keeps is averaged with the parameters, so that samples of the average have statistics of their own.
#[test]
fn running_statistics_are_averaged_too() {
    const DECAY: f32 = 0.75;
    let mut spec = Preset::Circle.spec().with_ema_decay(DECAY);
    spec.generator = spec.generator.with_normalization(Normalization::Batch);
    let mut trainer = Trainer::new(spec, common::source(Preset::Circle, 500), options(32)).unwrap();
    let kept = |model: &Model| -> Vec<f64> {
        model.generator.iter().flat_map(|layer| layer.buffers.iter().flatten()).map(|value| f64::from(*value)).collect()
    };
    let mut expected = kept(&trainer.raw_model().unwrap());
    assert_eq!(expected.len(), 2 * (16 + 32));
    let before = expected.clone();
    for _ in 0..5 {
        run(&mut trainer, 1);
        let raw = kept(&trainer.raw_model().unwrap());
        let decay = f64::from(DECAY);
        expected.iter_mut().zip(&raw).for_each(|(average, raw)| *average = decay * *average + (1.0 - decay) * raw);
        for (found, expected) in kept(&trainer.model().unwrap()).iter().zip(&expected) {
            assert!((found - expected).abs() <= 1e-6 * (1.0 + expected.abs()), "{found} instead of {expected}");
        }
    }
    assert!(before != expected);
}

#[test]
fn values_that_steer_nothing_are_refused_by_name() {
    let refused = |spec: GanSpec, name: &str| {
        let problem = spec.validate().unwrap_err().to_string();
        assert!(problem.contains(name), "{name} is not in {problem}");
        let source = common::source(Preset::Circle, 500);
        assert!(Trainer::new(spec, source, TrainerOptions::default()).is_err());
    };
    for decay in [-0.1, 1.0, 1.5, f32::NAN, f32::INFINITY] {
        refused(Preset::Circle.spec().with_ema_decay(decay), "ema_decay");
    }
    for norm in [-1.0, f32::NAN, f32::INFINITY] {
        refused(Preset::Circle.spec().with_generator_clip_norm(norm), "generator_clip_norm");
        refused(Preset::Circle.spec().with_discriminator_clip_norm(norm), "discriminator_clip_norm");
    }
    for schedule in [RateSchedule::linear(0), RateSchedule::cosine(5).with_warmup(5)] {
        refused(Preset::Circle.spec().with_schedule(schedule), "schedule_steps");
    }
}
