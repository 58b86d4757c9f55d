//! What a panic in code that a trainer calls leaves behind: a source's before a step changes anything, a report's between two.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use gannet::data::ArraySource;
use gannet::gan::source::{BatchWriter, BoxError, Shape};
use gannet::gan::{
    Changes, GanSpec, ModularLoss, Objective, OptimizerSpec, Order, Replicas, Source, Trainer, TrainerOptions,
};
use gannet::net::{Activation, NetworkSpec};
use gannet::{Error, Result};

const FEATURES: usize = 4;

/// Hidden units of D and the batch: one tile; several slots; panels that all threads share; several chunks of these.
const PLANS: [(usize, usize, &str); 4] =
    [(8, 20, "serial"), (8, 1_000, "tile-parallel"), (370, 40, "layer-parallel"), (370, 1_030, "layer-parallel")];

const ORDERS: [Order; 3] =
    [Order::DiscriminatorFirst, Order::DiscriminatorFirstSharedFake, Order::GeneratorFirstSharedFake];

/// A source that panics when it is told to: at every read of samples, or whenever its shape is asked for.
struct Panicking {
    rows: ArraySource,
    /// Reads to come before the one that panics; at zero, all do.
    reads: AtomicUsize,
    in_shape: AtomicBool,
}

impl Panicking {
    fn new(samples: usize) -> Arc<Self> {
        let values = (0..samples * FEATURES).map(|index| ((index * 7919) % 2003) as f32 / 1001.0 - 1.0).collect();
        let rows = ArraySource::new(values, FEATURES).unwrap();
        Arc::new(Self { rows, reads: AtomicUsize::new(usize::MAX), in_shape: AtomicBool::new(false) })
    }
}

impl Source for Panicking {
    fn shape(&self) -> Shape {
        assert!(!self.in_shape.load(SeqCst), "told to, in shape");
        self.rows.shape().concurrent()
    }

    fn fill(&self, batch: &mut BatchWriter<'_>) -> std::result::Result<(), BoxError> {
        let left = self.reads.fetch_update(SeqCst, SeqCst, |left| Some(left.saturating_sub(1))).unwrap();
        assert!(left > 0, "told to, in fill");
        self.rows.fill(batch)
    }
}

fn spec(order: Order, hidden: usize) -> GanSpec {
    GanSpec::new(
        NetworkSpec::dense(&[3, 9, FEATURES], Activation::Tanh, 0.0, Activation::Linear),
        NetworkSpec::dense(&[FEATURES, hidden, hidden, 1], Activation::Relu, 0.0, Activation::Linear),
    )
    .with_objective(Objective::NonSaturating)
    .with_order(order)
    .with_discriminator_steps(if order == Order::GeneratorFirstSharedFake { 1 } else { 2 })
    .with_optimizers(OptimizerSpec::adam(1e-3))
}

fn go(trainer: &mut Trainer, steps: u64) -> Result<()> {
    trainer.run(steps, 0, |_| ControlFlow::Continue(())).map(|_| ())
}

/// Calls `check` with a trainer of every order and plan at 1 to 3 threads, its source, and a name for messages.
fn everywhere(check: impl Fn(&mut Trainer, &Panicking, &str)) {
    for order in ORDERS {
        for (hidden, batch, schedule) in PLANS {
            // The largest one is slow.
            for threads in if batch > 1_000 { 2..=2 } else { 1..=3 } {
                let source = Panicking::new(2 * batch + 1);
                let options = TrainerOptions::default().with_batch(batch).with_threads(threads);
                let mut trainer = Trainer::new(spec(order, hidden), source.clone(), options).unwrap();
                assert_eq!(trainer.plan().schedule, schedule);
                check(&mut trainer, &source, &format!("{order:?}, {schedule}, {batch} at {threads} threads"));
            }
        }
    }
}

/// Lets a step panic after `reads` reads of the source.
fn interrupt(trainer: &mut Trainer, source: &Panicking, reads: usize) {
    source.reads.store(reads, SeqCst);
    assert!(catch_unwind(AssertUnwindSafe(|| go(trainer, 1))).is_err());
    source.reads.store(usize::MAX, SeqCst);
}

#[track_caller]
fn assert_refused(outcome: Result<impl Sized>, name: &str) {
    match outcome {
        Err(Error::Poisoned { step: 4 }) => {}
        Err(other) => panic!("{name}: {other}"),
        Ok(_) => panic!("{name}: a step after a panic"),
    }
}

/// Reads of the source in each step.
fn reads_of_a_step(trainer: &mut Trainer, source: &Panicking) -> usize {
    source.reads.store(usize::MAX / 2, SeqCst);
    go(trainer, 1).unwrap();
    let reads = usize::MAX / 2 - source.reads.swap(usize::MAX, SeqCst);
    assert!(reads > 0);
    reads
}

#[test]
fn a_step_that_a_source_left_is_not_gone_on_from() {
    everywhere(|trainer, source, name| {
        let reads = reads_of_a_step(trainer, source);
        go(trainer, 2).unwrap();
        let saved = trainer.checkpoint().unwrap();
        let good = trainer.model().unwrap();
        // What an undisturbed run comes to.
        go(trainer, 3).unwrap();
        let expected = trainer.checkpoint().unwrap();

        // At the first read, and at the last.
        for reads in [0, reads - 1] {
            trainer.restore(&saved, Changes::Refused).unwrap();
            interrupt(trainer, source, reads);
            assert_eq!(trainer.steps_done(), 3, "{name}");
            assert_refused(go(trainer, 1), name);
            // The state before the step is whole, and may be kept.
            assert!(trainer.checkpoint().unwrap() == saved, "{name}: not the state before the step");

            // What does not fit changes nothing, whichever network it is of.
            for of_generator in [true, false] {
                let mut bad = good.clone();
                if of_generator {
                    bad.generator[1].bias.clear();
                } else {
                    bad.discriminator.pop();
                }
                assert!(matches!(trainer.set_model(&bad), Err(Error::Shape { .. })), "{name}");
                assert!(trainer.model().unwrap() == good, "{name}: a refused model was taken in part");
                assert_refused(go(trainer, 1), name);
            }

            // A state to go on from ends it, if only its own, and nothing of the step that panicked is left.
            let own = trainer.checkpoint().unwrap();
            trainer.restore(&own, Changes::Refused).unwrap();
            go(trainer, 3).unwrap();
            assert!(trainer.checkpoint().unwrap() == expected, "{name}: not the bits of an undisturbed run");
        }
    });
}

/// The step that panicked changed nothing, so its model is a state to go on from with the optimizers as they are.
#[test]
fn the_model_of_a_poisoned_trainer_goes_on() {
    everywhere(|trainer, source, name| {
        go(trainer, 3).unwrap();
        let saved = trainer.checkpoint().unwrap();
        go(trainer, 1).unwrap();
        let expected = trainer.checkpoint().unwrap();
        trainer.restore(&saved, Changes::Refused).unwrap();
        interrupt(trainer, source, 0);
        assert_refused(go(trainer, 1), name);
        trainer.set_model(&trainer.model().unwrap()).unwrap();
        go(trainer, 1).unwrap();
        assert!(trainer.checkpoint().unwrap() == expected, "{name}");
    });
}

#[test]
fn a_report_that_panics_leaves_a_whole_step() {
    everywhere(|trainer, _, name| {
        let before = trainer.checkpoint().unwrap();
        go(trainer, 5).unwrap();
        let expected = trainer.checkpoint().unwrap();
        trainer.restore(&before, Changes::Refused).unwrap();
        for step in 1..=2 {
            let run = AssertUnwindSafe(|| trainer.run(5, 1, |report| panic!("told to, after step {}", report.step)));
            assert!(catch_unwind(run).is_err());
            assert_eq!(trainer.steps_done(), step, "{name}");
            trainer.checkpoint().unwrap();
        }
        go(trainer, 3).unwrap();
        assert!(trainer.checkpoint().unwrap() == expected, "{name}: not the bits of an undisturbed run");
    });
}

/// A trainer asks a source once what it is, so that one that changes its mind disturbs no step.
#[test]
fn a_source_is_asked_for_its_shape_once() {
    everywhere(|trainer, source, name| {
        let steps = trainer.steps_for_epochs(3);
        source.in_shape.store(true, SeqCst);
        assert_eq!(trainer.steps_for_epochs(3), steps);
        go(trainer, 2).unwrap_or_else(|error| panic!("{name}: {error}"));
    });
    let source = Panicking::new(50);
    source.in_shape.store(true, SeqCst);
    let new = || Trainer::new(spec(ORDERS[0], 8), source, TrainerOptions::default());
    assert!(catch_unwind(AssertUnwindSafe(new)).is_err(), "a panic is the caller's to see");
}

#[test]
fn one_replica_refuses_and_the_others_go_on() {
    for threads in 1..=3 {
        let sources = [0, 1, 2].map(|_| Panicking::new(100));
        let options = TrainerOptions::default().with_threads(threads).with_batch(10);
        let source = |seed| Ok(sources[seed as usize].clone() as Arc<dyn Source>);
        let mut replicas = Replicas::new(&spec(ORDERS[0], 8), 3, options, source).unwrap();
        let go = |replicas: &mut Replicas, steps| replicas.run(steps, 0, |_, _| ControlFlow::Continue(()));
        assert!(go(&mut replicas, 3).iter().all(Result::is_ok));
        let saved = replicas.trainers()[1].checkpoint().unwrap();
        sources[1].reads.store(0, SeqCst);
        assert!(catch_unwind(AssertUnwindSafe(|| go(&mut replicas, 3))).is_err());
        sources[1].reads.store(usize::MAX, SeqCst);
        let [first, second, third] = go(&mut replicas, 2).try_into().unwrap();
        assert!(first.is_ok() && third.is_ok(), "{first:?} {third:?}");
        assert_refused(second, "the replica");
        replicas.trainers_mut()[1].restore(&saved, Changes::Refused).unwrap();
        assert!(go(&mut replicas, 2).iter().all(Result::is_ok));
        assert_eq!(replicas.trainers()[1].steps_done(), 5);
    }
}

/// An update that overflows leaves D half updated; gradients that only G sees do not.
#[test]
fn a_modular_loss_does_not_go_on_from_half_an_update() {
    for (hidden, batch, _) in PLANS {
        for threads in 1..=3 {
            let d = NetworkSpec::dense(&[FEATURES, hidden, 1], Activation::Linear, 0.0, Activation::Linear);
            let options = TrainerOptions::default().with_batch(batch).with_threads(threads);
            let mut loss = ModularLoss::new(d, Objective::NonSaturating, OptimizerSpec::adam(1e-3), options).unwrap();
            let [real, fakes] = [0.5, -0.5].map(|value| vec![value; batch * FEATURES]);
            let mut gradient = vec![0.0; batch * FEATURES];
            let whole = loss.discriminator().unwrap();
            // Logits near zero, and gradients whose squares overflow in Adam.
            let mut steep = whole.clone();
            steep[0].weight.fill(0.0);
            steep[0].bias.fill(0.0);
            steep[1].weight.fill(1e37);
            steep[1].bias.fill(0.0);
            loss.set_discriminator(&steep).unwrap();
            let first = loss.step(&fakes, &real, &mut gradient).unwrap_err().to_string();
            assert!(first.contains("gradient"), "{first}");
            let half_done = loss.discriminator().unwrap();
            let again = loss.step(&fakes, &real, &mut gradient).unwrap_err().to_string();
            assert_eq!(again, first, "{hidden} {batch} at {threads} threads");
            assert!(loss.set_discriminator(&whole[..1]).is_err());
            assert_eq!(loss.step(&fakes, &real, &mut gradient).unwrap_err().to_string(), first);
            let bits = |tensors: &[gannet::net::LayerTensors]| {
                tensors
                    .iter()
                    .flat_map(|layer| layer.weight.iter().chain(&layer.bias))
                    .map(|x| x.to_bits())
                    .collect::<Vec<_>>()
            };
            assert!(bits(&loss.discriminator().unwrap()) == bits(&half_done), "a refusal changes nothing");
            loss.set_discriminator(&whole).unwrap();
            loss.step(&fakes, &real, &mut gradient).unwrap();
        }
    }
}
