//! Every kind of source trains the same bits, at any number of threads; one that fails ends no more than a step that has not begun.

use std::convert::Infallible;
use std::error::Error as _;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use gannet::data::{ArraySource, ByteSource};
use gannet::gan::source::{self, BatchWriter, BoxError, Extent, Shape};
use gannet::gan::{Changes, GanSpec, Model, Objective, OptimizerSpec, Source, Trainer, TrainerOptions};
use gannet::net::{Activation, NetworkSpec};
use gannet::{Error, Result};

const FEATURES: usize = 9;
const SAMPLES: usize = 260;

/// D's hidden units and the batch: one tile; several slots; panels that all threads share, in one chunk and several.
const PLANS: [(usize, usize, &str); 4] =
    [(8, 20, "serial"), (8, 250, "tile-parallel"), (400, 40, "layer-parallel"), (400, 1_030, "layer-parallel")];

/// Three turns of D, so that a step takes more than one batch.
fn spec(hidden: usize) -> GanSpec {
    GanSpec::new(
        NetworkSpec::dense(&[3, 9, FEATURES], Activation::Tanh, 0.0, Activation::Linear),
        NetworkSpec::dense(&[FEATURES, hidden, hidden, 1], Activation::Relu, 0.0, Activation::Linear),
    )
    .with_discriminator_steps(3)
    .with_objective(Objective::Minimax)
    .with_optimizers(OptimizerSpec::adam(0.001))
}

/// A value of a sample.
fn value(number: u64, feature: usize) -> f32 {
    ((number as usize * FEATURES + feature) * 7919 % 251) as f32 / 125.0 - 1.0
}

fn write(number: u64, row: &mut [f32]) {
    row.iter_mut().enumerate().for_each(|(feature, place)| *place = value(number, feature));
}

fn rows(samples: usize) -> Vec<f32> {
    (0..samples * FEATURES).map(|index| value((index / FEATURES) as u64, index % FEATURES)).collect()
}

fn trainer<'a>(
    source: impl Source + 'a,
    (hidden, batch, schedule): (usize, usize, &str),
    threads: usize,
) -> Trainer<'a> {
    let options = TrainerOptions::default().with_batch(batch).with_threads(threads).with_seed(5);
    let trainer = Trainer::new(spec(hidden), Arc::new(source), options).unwrap();
    assert_eq!(trainer.plan().schedule, schedule);
    trainer
}

fn go(trainer: &mut Trainer<'_>, steps: u64) -> Result<()> {
    trainer.run(steps, 0, |_| ControlFlow::Continue(())).map(|_| ())
}

fn trained(mut trainer: Trainer<'_>) -> Model {
    go(&mut trainer, 3).unwrap();
    trainer.model().unwrap()
}

/// Writes by `next_row`, `write` and `rows` in turn.
struct Mixed;

impl Source for Mixed {
    fn shape(&self) -> Shape {
        Shape::new(FEATURES, SAMPLES)
    }

    fn fill(&self, batch: &mut BatchWriter<'_>) -> Result<(), BoxError> {
        let numbers: Vec<u64> = batch.numbers().take(2).collect();
        if let [first, second, ..] = numbers[..] {
            let (number, row) = batch.next_row().ok_or("a row")?;
            assert_eq!(number, first);
            write(number, row);
            let mut row = [0.0; FEATURES];
            write(second, &mut row);
            batch.write(&row)?;
        }
        batch.rows().for_each(|(number, row)| write(number, row));
        Ok(())
    }
}

#[test]
fn every_source_gives_the_same_bits_at_any_number_of_threads() {
    for plan in PLANS {
        let samples = SAMPLES.max(plan.1);
        let values = rows(samples);
        let expected = trained(trainer(ArraySource::new(values.clone(), FEATURES).unwrap(), plan, 1));
        for threads in 1..=3 {
            let check = |found: Trainer<'_>, name: &str| {
                assert!(trained(found) == expected, "{name}, {plan:?} at {threads} threads");
            };
            check(trainer(source::from_rows(&values, FEATURES).unwrap(), plan, threads), "borrowed rows");
            check(trainer(source::from_fn(FEATURES, samples, write), plan, threads), "a function");
            if samples == SAMPLES {
                check(trainer(Mixed, plan, threads), "a source of its own");
                check(trainer(&Mixed, plan, threads), "a borrowed source");
            }
        }
    }
}

#[test]
fn bytes_are_those_of_images() {
    let bytes: Vec<u8> = (0..SAMPLES * FEATURES).map(|index| (index * 7919 % 251) as u8).collect();
    let images = ByteSource::new(bytes.clone(), 3, 3, 255).unwrap();
    let (scale, offset) = (images.scale(), images.offset());
    let borrowed = source::from_bytes(&bytes, FEATURES, scale, offset).unwrap();
    assert!(trained(trainer(images, PLANS[1], 1)) == trained(trainer(borrowed, PLANS[1], 2)));
}

#[test]
fn an_endless_source_is_asked_for_every_number_in_order() {
    for plan in PLANS {
        let expected = {
            // As many samples as three steps take, unshuffled, are the beginning of an endless source.
            let samples = 9 * plan.1;
            let options = TrainerOptions::default().with_batch(plan.1).with_seed(5).with_shuffle(false);
            let source = ArraySource::new(rows(samples), FEATURES).unwrap();
            trained(Trainer::new(spec(plan.0), Arc::new(source), options).unwrap())
        };
        for threads in 1..=3 {
            let endless = source::from_fn(FEATURES, Extent::Endless, write);
            assert!(trained(trainer(endless, plan, threads)) == expected, "{plan:?} at {threads} threads");
            // A stream of which every number is the last one's successor.
            let mut next = 0;
            let stream = source::stream(FEATURES, move |number, row| {
                assert_eq!(number, next);
                next += 1;
                write(number, row);
                Ok::<(), Infallible>(())
            });
            let mut trainer = trainer(stream, plan, threads);
            assert_eq!(trainer.steps_for_epochs(3), 0);
            go(&mut trainer, 1).unwrap();
            // Stopped and resumed, it goes on where it was.
            let saved = trainer.checkpoint().unwrap();
            assert_eq!((saved.samples(), saved.samples_drawn()), (0, 3 * plan.1 as u64));
            go(&mut trainer, 2).unwrap();
            assert!(trainer.model().unwrap() == expected, "a stream, {plan:?} at {threads} threads");
            let asked = Mutex::new(Vec::new());
            let other = source::stream(FEATURES, |number, row| {
                asked.lock().unwrap().push(number);
                write(number, row);
                Ok::<(), Infallible>(())
            });
            let mut other = self::trainer(other, plan, threads);
            other.restore(&saved, Changes::Refused).unwrap();
            go(&mut other, 2).unwrap();
            assert!(other.model().unwrap() == expected, "resumed, {plan:?} at {threads} threads");
            drop(other);
            let numbers = 3 * plan.1 as u64..9 * plan.1 as u64;
            assert_eq!(asked.into_inner().unwrap(), numbers.collect::<Vec<_>>());
        }
    }
}

/// The error of a source ends the step before anything is updated; once the source is well again, the run has the bits of one
/// that was never disturbed.
#[test]
fn a_source_that_fails_leaves_the_trainer_as_it_was() {
    for plan in PLANS {
        for threads in 1..=3 {
            let samples = 9 * plan.1;
            let last = samples as u64 - 1;
            // The sample that fails; the last one stands in the third turn of D.
            let failing = AtomicU64::new(u64::MAX);
            let source = source::try_from_fn(FEATURES, Extent::Endless, |number, row| {
                write(number, row);
                if number == failing.load(SeqCst) { Err(std::io::Error::other("gone")) } else { Ok(()) }
            });
            let mut expected = trainer(&source, plan, threads);
            go(&mut expected, 3).unwrap();
            let expected = expected.checkpoint().unwrap();
            let mut trainer = trainer(&source, plan, threads);
            go(&mut trainer, 2).unwrap();
            let before = trainer.checkpoint().unwrap();
            for sample in [last, 6 * plan.1 as u64] {
                failing.store(sample, SeqCst);
                for _ in 0..2 {
                    let error = go(&mut trainer, 1).unwrap_err();
                    assert_eq!(error.to_string(), format!("sample {sample} of the source: gone"));
                    let cause = error.source().unwrap().downcast_ref::<std::io::Error>();
                    assert!(cause.is_some(), "the source's own error");
                    assert!(trainer.checkpoint().unwrap() == before, "{plan:?} at {threads} threads");
                }
            }
            failing.store(u64::MAX, SeqCst);
            go(&mut trainer, 1).unwrap();
            assert!(trainer.checkpoint().unwrap() == expected, "{plan:?} at {threads} threads");
        }
    }
}

/// Of several samples that fail, the first is named, whichever thread meets it first.
#[test]
fn the_first_failure_is_named() {
    for threads in 1..=3 {
        let source =
            source::try_from_fn(FEATURES, Extent::Endless, |number, _| if number < 5 { Ok(()) } else { Err("gone") });
        let error = go(&mut trainer(source, PLANS[1], threads), 1).unwrap_err();
        assert!(matches!(error, Error::Source { sample: 5, .. }), "{error}");
    }
}

/// A source that keeps no promise is an error, and never a panic.
#[test]
fn what_a_source_promises_and_does_not_keep_is_an_error() {
    struct Liar {
        shape: Shape,
        fill: fn(&mut BatchWriter<'_>) -> Result<(), BoxError>,
        memory: Mutex<Vec<usize>>,
        values: Vec<f32>,
    }

    impl Source for Liar {
        fn shape(&self) -> Shape {
            self.shape
        }

        fn fill(&self, batch: &mut BatchWriter<'_>) -> Result<(), BoxError> {
            (self.fill)(batch)
        }

        fn in_memory(&self) -> Option<source::InMemory<'_>> {
            let samples = self.memory.lock().unwrap().pop()?;
            source::from_rows(&self.values[..samples * FEATURES], FEATURES).ok()
        }
    }

    let liar = |fill, memory: &[usize]| Liar {
        shape: Shape::new(FEATURES, SAMPLES),
        fill,
        memory: Mutex::new(memory.to_vec()),
        values: rows(SAMPLES),
    };
    let text = |liar: Liar| {
        let options = TrainerOptions::default().with_batch(20);
        let trained = Trainer::new(spec(8), Arc::new(liar), options).and_then(|mut trainer| {
            let outcome = go(&mut trainer, 2);
            assert_eq!(trainer.steps_done(), if outcome.is_ok() { 2 } else { 0 });
            outcome
        });
        trained.map_or_else(|error| error.to_string(), |()| "trained".into())
    };
    assert!(text(liar(|_| Ok(()), &[])).contains("expected 60 samples, found 0"));
    assert!(text(liar(|batch| Ok(batch.write(&[0.0; 8])?), &[])).contains("expected 9 values, found 8"));
    assert_eq!(text(liar(|_| Ok(()), &[SAMPLES; 3])), "trained");
    assert!(text(liar(|_| Ok(()), &[SAMPLES - 1])).contains("found 259 samples of 9 features"));
    assert!(text(liar(|_| Ok(()), &[SAMPLES - 1, SAMPLES])).contains("found 259 samples of 9 features"));
    assert!(text(liar(|_| Ok(()), &[SAMPLES])).contains("found none"));
    let too_wide = Liar { shape: Shape::new(FEATURES + 1, SAMPLES), ..liar(|_| Ok(()), &[]) };
    assert!(text(too_wide).contains("9 features, as the generator makes"));
    let too_many = Liar { shape: Shape::new(FEATURES, 1_usize << 32), ..liar(|_| Ok(()), &[]) };
    assert!(text(too_many).contains("more than 2^32 - 1"));
    // It has neither of the two ways to be read.
    struct Nothing;
    impl Source for Nothing {
        fn shape(&self) -> Shape {
            Shape::new(FEATURES, SAMPLES)
        }
    }
    assert!(go(&mut trainer(Nothing, PLANS[0], 1), 1).unwrap_err().to_string().contains("neither fill nor in_memory"));
    // A value that was not written is no number.
    let hole = source::from_fn(FEATURES, SAMPLES, |_, row| row[0] = 0.0);
    let error = go(&mut trainer(hole, PLANS[0], 1), 1).unwrap_err();
    assert!(matches!(error, Error::NotFinite { step: 1, quantity: "real sample", .. }), "{error}");
}
