//! A run that is stopped anywhere and goes on in another process, at any number of threads, ends with the same bits as one that
//! was never stopped.

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gannet::data::{Balanced, Labelled, synthetic};
use gannet::gan::presets::Preset;
use gannet::gan::{
    Adam, AdamW, Changes, Checkpoint, GanSpec, OptimizerSpec, Order, RmsProp, Sgd, Trainer, TrainerOptions,
};

const STEPS: u64 = 60;

fn trainer(preset: Preset, spec: &GanSpec, batch: usize, threads: usize) -> Trainer<'static> {
    let options = TrainerOptions::default().with_batch(batch).with_threads(threads).with_seed(11).with_shuffle(true);
    Trainer::new(spec.clone(), common::source(preset, 500), options).unwrap()
}

fn run(trainer: &mut Trainer, steps: u64) {
    trainer.run(steps, 0, |_| ControlFlow::Continue(())).unwrap();
}

/// Runs `spec` to its end, then again with a stop after each of its steps; what follows happens in a trainer of its own, from
/// the bytes of a file.
fn check(preset: Preset, spec: &GanSpec, batch: usize, stops: impl Iterator<Item = u64>) {
    let mut whole = trainer(preset, spec, batch, 1);
    run(&mut whole, STEPS);
    let expected = whole.checkpoint().unwrap().to_safetensors(spec).unwrap();
    let mut going = trainer(preset, spec, batch, 2);
    for stop in stops {
        let ahead = stop - going.steps_done();
        run(&mut going, ahead);
        let bytes = going.checkpoint().unwrap().to_safetensors(spec).unwrap();
        let saved = Checkpoint::from_safetensors(&bytes, spec, "saved").unwrap();
        assert_eq!(saved.step(), stop);
        let mut resumed = trainer(preset, spec, batch, 1 + stop as usize % 3);
        // Steps of another course, which must leave nothing behind.
        run(&mut resumed, stop % 2);
        resumed.restore(&saved, Changes::Refused).unwrap();
        assert_eq!(resumed.checkpoint().unwrap(), saved);
        run(&mut resumed, STEPS - stop);
        let found = resumed.checkpoint().unwrap().to_safetensors(spec).unwrap();
        assert!(found == expected, "{}, batch {batch}, stopped after step {stop}", preset.name());
    }
}

#[test]
fn every_preset_goes_on_after_each_of_sixty_steps() {
    for preset in common::presets().filter(|&preset| preset != Preset::Mnist) {
        // Batches that do not divide the data: most stops are within an epoch.
        check(preset, &preset.spec(), 48, 0..=STEPS);
    }
}

#[test]
fn mnist_goes_on_after_each_of_sixty_steps() {
    check(Preset::Mnist, &Preset::Mnist.spec(), 12, 0..=STEPS);
}

#[test]
fn every_optimizer_and_order_goes_on() {
    let circle = Preset::Circle.spec();
    let sgd = |momentum| OptimizerSpec::from(Sgd::new(0.01).with_momentum(momentum));
    let orders = [
        (Order::DiscriminatorFirst, 1),
        (Order::DiscriminatorFirst, 3),
        (Order::DiscriminatorFirstSharedFake, 2),
        (Order::GeneratorFirstSharedFake, 1),
    ];
    for (order, discriminator_steps) in orders {
        for optimizers in [
            [sgd(0.0), sgd(0.9)],
            [sgd(0.5), OptimizerSpec::adam(1e-3)],
            [AdamW::new(1e-3).into(), RmsProp::new(1e-3).into()],
        ] {
            let [generator_optimizer, discriminator_optimizer] = optimizers;
            let mut spec = circle
                .clone()
                .with_order(order)
                .with_discriminator_steps(discriminator_steps)
                .with_generator_optimizer(generator_optimizer)
                .with_discriminator_optimizer(discriminator_optimizer);
            spec.discriminator.layers[0].dropout = 0.25;
            check(Preset::Circle, &spec, 33, (1..STEPS).step_by(7));
        }
    }
}

/// Points on a circle, of which those to the far right are a rare class: both networks are told it. With `balance` it comes more often.
fn of_classes(threads: usize, balance: bool) -> Trainer<'static> {
    let points = synthetic::circle(500, 1).unwrap();
    let reach = points.values().iter().fold(0.0, |most: f32, value| most.max(*value));
    let labels: Vec<u32> = points.values().chunks(2).map(|point| u32::from(point[0] > 0.99 * reach)).collect();
    let samples = Arc::new(Labelled::new(Arc::new(points), labels.clone(), 2).unwrap());
    let mut spec = Preset::Circle.spec().with_conditions(2);
    spec.generator.layers[0].inputs += 2;
    spec.discriminator.layers[0].inputs += 2;
    let options = TrainerOptions::default().with_batch(64).with_threads(threads).with_seed(11);
    if balance {
        Trainer::new(spec, Arc::new(Balanced::new(samples, labels, 2, 11).unwrap()), options).unwrap()
    } else {
        Trainer::new(spec, samples, options).unwrap()
    }
}

#[test]
fn balanced_classes_give_the_same_bits_and_go_on() {
    let mut whole = of_classes(1, true);
    assert_eq!(whole.steps_for_epochs(3), 24);
    run(&mut whole, STEPS);
    let expected = whole.checkpoint().unwrap();
    for (threads, stop) in [(1, 7), (2, 31), (3, 59)] {
        let mut going = of_classes(threads, true);
        run(&mut going, stop);
        let saved = going.checkpoint().unwrap();
        run(&mut going, STEPS - stop);
        assert!(going.checkpoint().unwrap() == expected, "{threads} threads");
        let mut resumed = of_classes(1 + threads % 3, true);
        resumed.restore(&saved, Changes::Refused).unwrap();
        run(&mut resumed, STEPS - stop);
        assert!(resumed.checkpoint().unwrap() == expected, "stopped after {stop}");
        // Without it the run is another, which is refused by name.
        let mut other = of_classes(1, false);
        let problem = other.restore(&saved, Changes::Refused).unwrap_err().to_string();
        assert!(problem.contains("data.balance was true and is false"), "{problem}");
    }
    let mut other = of_classes(1, false);
    run(&mut other, STEPS);
    assert!(other.checkpoint().unwrap().into_model() != expected.into_model());
}

#[test]
fn changed_settings_are_refused_by_name_unless_allowed() {
    let spec = Preset::Circle.spec();
    let mut first = trainer(Preset::Circle, &spec, 32, 1);
    run(&mut first, 5);
    let saved = first.checkpoint().unwrap();
    let changed = spec.clone().with_generator_optimizer(OptimizerSpec::sgd(0.25));
    let mut second = trainer(Preset::Circle, &changed, 16, 1);
    let problem = second.restore(&saved, Changes::Refused).unwrap_err().to_string();
    for name in ["run.batch", "gan.generator_optimizer.kind", "gan.generator_optimizer.learning_rate"] {
        assert!(problem.contains(name), "{name} is not in {problem}");
    }
    assert_eq!(second.steps_done(), 0);
    second.restore(&saved, Changes::Allowed).unwrap();
    run(&mut second, 5);
    assert_eq!(second.steps_done(), 10);
    // Back to Adam: its moments are not those of the descent.
    first.restore(&second.checkpoint().unwrap(), Changes::Allowed).unwrap();
    run(&mut first, 1);
}

/// Adam and AdamW remember the same: a change from one to the other keeps it. Without decay they are one rule.
#[test]
fn moments_and_count_stay_between_adam_and_adamw() {
    let spec = Preset::Circle.spec().with_optimizers(Adam::new(1e-3));
    let decoupled = Preset::Circle.spec().with_optimizers(AdamW::new(1e-3).with_weight_decay(0.0));
    for [first, second] in [[&spec, &decoupled], [&decoupled, &spec]] {
        let [mut whole, mut changed] = [first, second].map(|spec| trainer(Preset::Circle, spec, 32, 1));
        run(&mut whole, 5);
        let saved = whole.checkpoint().unwrap();
        changed.restore(&saved, Changes::Refused).unwrap_err();
        changed.restore(&saved, Changes::Allowed).unwrap();
        run(&mut whole, 5);
        run(&mut changed, 5);
        assert!(whole.model().unwrap() == changed.model().unwrap());
    }
}

#[test]
fn a_stop_ends_a_run_after_a_whole_step() {
    for threads in [1, 2] {
        let stop = Arc::new(AtomicBool::new(false));
        let options = TrainerOptions::default().with_threads(threads).with_stop(Arc::clone(&stop));
        let mut trainer = common::trainer(Preset::Circle, options);
        let last = trainer.run(50, 10, |report| {
            stop.store(report.step == 20, Ordering::Relaxed);
            ControlFlow::Continue(())
        });
        assert_eq!(last.unwrap().unwrap().step, 20);
        assert_eq!(trainer.steps_done(), 20);
        assert!(trainer.run(5, 1, |_| ControlFlow::Continue(())).unwrap().is_none());
        stop.store(false, Ordering::Relaxed);
        run(&mut trainer, 5);
        assert_eq!(trainer.steps_done(), 25);
    }
}
