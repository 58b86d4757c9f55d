//! Processes that share a batch come to the bits of one: with every objective, penalty, order and normalization, in both schedules, at any
//! number of processes; and what goes wrong in one is an error in all. Threads of this process stand for them.

mod common;

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::mailboxes::{Mailboxes, mailboxes};
use gannet::gan::presets::Preset;
use gannet::gan::{
    Changes, Checkpoint, GanSpec, Gradients, Model, Network, Source, StepReport, Trainer, TrainerOptions, source,
};
use gannet::net::Initialization;
use gannet::{Error, Result};

const SHARDS: usize = 4;

fn options(batch: usize) -> TrainerOptions {
    TrainerOptions::default().with_batch(batch).with_shards(SHARDS).with_seed(5)
}

/// What `run` comes to in each of so many processes, each of which has its end of the exchange.
fn in_processes<T: Send>(processes: usize, run: impl Fn(usize, Mailboxes) -> T + Sync) -> Vec<T> {
    let run = &run;
    std::thread::scope(|scope| {
        let ends = mailboxes(processes).into_iter().enumerate();
        let threads: Vec<_> = ends.map(|(process, end)| scope.spawn(move || run(process, end))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// What a trainer comes to in some steps: its parameters, and what it reports.
fn trained(trainer: &mut Trainer<'_>, steps: u64) -> (Model, Vec<StepReport>) {
    let mut reports = Vec::new();
    trainer
        .run(steps, 2, |report| {
            reports.push(*report);
            ControlFlow::Continue(())
        })
        .unwrap();
    (trainer.model().unwrap(), reports)
}

/// Compares so many processes with one. Where gradients can be exchanged while the backward pass goes on, they are, or after it.
fn compare(name: &str, spec: &GanSpec, source: &Arc<dyn Source>, options: &TrainerOptions, processes: &[usize]) {
    const STEPS: u64 = 5;
    let mut alone = Trainer::new(spec.clone(), source.clone(), options.clone()).unwrap();
    let expected = trained(&mut alone, STEPS);
    let ways: &[bool] = if alone.plan().schedule == "layer-parallel" { &[true, false] } else { &[true] };
    for (&count, &beside) in processes.iter().flat_map(|count| ways.iter().map(move |beside| (count, beside))) {
        let found = in_processes(count, |_, end| {
            let exchange = Box::new(end.with_beside(beside));
            let mut trainer = Trainer::with_exchange(spec.clone(), source.clone(), options.clone(), exchange).unwrap();
            assert_eq!(trainer.plan().shards, SHARDS);
            trained(&mut trainer, STEPS)
        });
        for (process, found) in found.iter().enumerate() {
            assert!(*found == expected, "{name}: process {process} of {count} differs, beside: {beside}");
        }
    }
}

/// Networks whose products all threads share.
fn wide() -> GanSpec {
    let (_, spec) = common::recipes(400).swap_remove(0);
    spec
}

#[test]
fn every_recipe_comes_to_the_bits_of_one_process() {
    for (name, spec) in common::recipes(16) {
        let batch = 60 / spec.packing * spec.packing;
        compare(name, &spec, &common::source(Preset::Circle, 100), &options(batch), &[2, 3]);
    }
    // Wide networks, whose products all threads share.
    for (name, spec) in common::recipes(400) {
        let batch = 60 / spec.packing * spec.packing;
        compare(name, &spec, &common::source(Preset::Circle, 100), &options(batch), &[2, 3, 4]);
    }
    // Several chunks of each shard, and a team.
    let options = options(4_500).with_threads(2);
    compare("several chunks", &wide(), &common::source(Preset::Circle, 4_500), &options, &[1, 2, 4]);
}

/// One process whose gradients are to be exchanged after the pass, for want of a processor, is enough.
#[test]
fn all_exchange_beside_the_pass_or_none_does() {
    let source = common::source(Preset::Circle, 100);
    let expected = trained(&mut Trainer::new(wide(), source.clone(), options(60)).unwrap(), 3);
    let found = in_processes(3, |process, end| {
        let exchange = Box::new(end.with_beside(process != 1));
        trained(&mut Trainer::with_exchange(wide(), source.clone(), options(60), exchange).unwrap(), 3)
    });
    assert!(found.iter().all(|found| *found == expected));
}

/// A hook sees the gradients of the whole batch, and changes them, as in one process.
#[test]
fn hooks_see_what_was_exchanged_beside_the_pass() {
    let source = common::source(Preset::Circle, 100);
    let clipped = |mut trainer: Trainer<'_>| {
        let mut norms = Vec::new();
        let mut hook = |gradients: &mut Gradients<'_>| {
            norms.push(gradients.norm());
            gradients.clip_norm(0.01)
        };
        trainer.run_with(3, 1, Some(&mut hook), |_, _| Ok(ControlFlow::Continue(()))).unwrap();
        (norms, trainer.model().unwrap())
    };
    let expected = clipped(Trainer::new(wide(), source.clone(), options(60)).unwrap());
    let found = in_processes(3, |_, end| {
        clipped(Trainer::with_exchange(wide(), source.clone(), options(60), Box::new(end)).unwrap())
    });
    assert!(found.iter().all(|found| *found == expected));
}

#[test]
fn presets_come_to_the_bits_of_one_process() {
    for preset in common::presets() {
        // More than a tile of each shard.
        let (batch, processes): (usize, &[usize]) =
            if preset == Preset::Mnist { (40, &[2]) } else { (600, &[1, 2, 3, 4]) };
        let options = options(batch).with_threads(2).with_shuffle(preset.shuffle());
        compare(preset.name(), &preset.spec(), &common::source(preset, 1_000), &options, processes);
    }
}

/// What three processes have saved, two go on with.
#[test]
fn another_number_of_processes_goes_on() {
    let (spec, source) = (Preset::Circle.spec(), common::source(Preset::Circle, 500));
    let mut alone = Trainer::new(spec.clone(), source.clone(), options(200)).unwrap();
    trained(&mut alone, 4);
    let expected = trained(&mut alone, 4);
    let trainer =
        |end: Mailboxes| Trainer::with_exchange(spec.clone(), source.clone(), options(200), Box::new(end)).unwrap();
    let saved: Vec<Checkpoint> = in_processes(3, |_, end| {
        let mut trainer = trainer(end);
        trained(&mut trainer, 4);
        trainer.checkpoint().unwrap()
    });
    let found = in_processes(2, |process, end| {
        let mut trainer = trainer(end);
        trainer.restore(&saved[process], Changes::Refused).unwrap();
        trained(&mut trainer, 4)
    });
    assert!(found.iter().all(|found| *found == expected));
}

/// A process that is to stop, and one whose report breaks, end the run of all after the same step.
#[test]
fn all_stop_after_the_same_step() {
    for by_report in [false, true] {
        let found = in_processes(3, |process, end| {
            let stop = Arc::new(AtomicBool::new(false));
            let options = options(100).with_stop(stop.clone());
            let source = common::source(Preset::Circle, 500);
            let mut trainer = Trainer::with_exchange(Preset::Circle.spec(), source, options, Box::new(end)).unwrap();
            trainer
                .run(1_000, 1, |report| {
                    if (process, report.step) != (1, 7) {
                        return ControlFlow::Continue(());
                    }
                    stop.store(!by_report, Ordering::Relaxed);
                    if by_report { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                })
                .unwrap();
            let stopped = trainer.steps_done();
            assert_eq!(trainer.is_stopped_by_another(), process != 1);
            // The next run is not stopped by what ended this one.
            stop.store(false, Ordering::Relaxed);
            trainer.run(3, 0, |_| ControlFlow::Continue(())).unwrap();
            (stopped, trainer.steps_done(), trainer.model().unwrap())
        });
        assert_eq!((found[0].0, found[0].1), (8, 11), "by report: {by_report}");
        assert!(found.iter().all(|other| *other == found[0]));
    }
}

/// One process meets the number, all have its error, and none takes another step.
#[test]
fn a_number_that_is_not_finite_is_the_same_error_in_all() {
    // Of the third process of three, in the second step.
    let strange = |number: u64, row: &mut [f32]| row.fill(if number == 190 { f32::NAN } else { 0.5 });
    for (spec, beside) in [(Preset::Circle.spec(), false), (wide(), false), (wide(), true)] {
        let outcomes = in_processes(3, |_, end| {
            let source = Arc::new(source::from_fn(2, 1_000, strange));
            let (options, exchange) = (options(100).with_shuffle(false), Box::new(end.with_beside(beside)));
            let mut trainer = Trainer::with_exchange(spec.clone(), source, options, exchange).unwrap();
            let begun = trainer.model().unwrap();
            let first = trainer.run(5, 0, |_| ControlFlow::Continue(())).unwrap_err();
            let second = trainer.run(1, 0, |_| ControlFlow::Continue(())).unwrap_err();
            assert_eq!(first.to_string(), second.to_string());
            // The state of another model is a way on.
            trainer.set_model(&begun).unwrap();
            trainer.run(1, 0, |_| ControlFlow::Continue(())).unwrap();
            (first.to_string(), trainer.model().unwrap())
        });
        let (error, model) = &outcomes[0];
        assert!(error.contains("real sample") && error.contains("step 2"), "{error}");
        assert!(outcomes.iter().all(|(other, _)| other == error), "{error}");
        assert!(outcomes.iter().all(|(_, other)| other == model), "beside: {beside}");
    }
}

#[test]
fn processes_that_do_not_fit_together_are_told() {
    let begin = |change: fn(usize, TrainerOptions) -> TrainerOptions, samples: fn(usize) -> usize| {
        in_processes(3, |process, end| {
            let source = common::source(Preset::Circle, samples(process));
            let options = change(process, options(100));
            let trainer = Trainer::with_exchange(Preset::Circle.spec(), source, options, Box::new(end));
            trainer.map(|_| ()).unwrap_err().to_string()
        })
    };
    let seeds = begin(|process, options| options.with_seed(process as u64 / 2), |_| 500);
    for error in &seeds {
        assert!(
            error.contains("process 2: has other settings than process 0: run.seed 1 instead of run.seed 0"),
            "{error}"
        );
    }
    // What no setting tells: how parameters are drawn.
    let drawn = in_processes(2, |process, end| {
        let mut spec = Preset::Circle.spec();
        if process == 1 {
            spec.generator = spec.generator.with_initialization(Initialization::Xavier);
        }
        let source = common::source(Preset::Circle, 500);
        Trainer::with_exchange(spec, source, options(100), Box::new(end)).map(|_| ()).unwrap_err().to_string()
    });
    for error in &drawn {
        assert!(
            error.contains("initial parameters of generator") || error.contains("initial parameters of G"),
            "{error}"
        );
    }
    let data = begin(|_, options| options, |process| 500 + process);
    assert!(data.iter().all(|error| error.contains("process 1") && error.contains("501")), "{data:?}");
    // One cannot begin: the others hear why.
    let small = begin(|_, options| options, |process| if process == 1 { 50 } else { 500 });
    assert!(small[1].contains("100 is more than the data have samples; use at most 50"), "{}", small[1]);
    for other in [0, 2] {
        assert!(
            small[other].contains("process 1: could not begin") && small[other].contains("use at most 50"),
            "{small:?}"
        );
    }
    let many = in_processes(5, |_, end| {
        let source = common::source(Preset::Circle, 500);
        Trainer::with_exchange(Preset::Circle.spec(), source, options(100), Box::new(end)).map(|_| ()).unwrap_err()
    });
    assert!(many.iter().all(|error| error.to_string().contains("take 8")), "{many:?}");
}

/// Processes that do not run as one are told, and none waits for ever.
#[test]
fn all_run_the_same_steps() {
    let errors = in_processes(3, |process, end| {
        let source = common::source(Preset::Circle, 500);
        let mut trainer = Trainer::with_exchange(Preset::Circle.spec(), source, options(100), Box::new(end)).unwrap();
        let interval = if process == 2 { 3 } else { 5 };
        trainer.run(10, interval, |_| ControlFlow::Continue(())).unwrap_err().to_string()
    });
    assert!(
        errors[2].contains("process 0: begins 10 steps with the interval 5 of reports, and this one"),
        "{errors:?}"
    );
}

/// What process 0 does, the others do that follow it, until they are dismissed.
#[test]
fn processes_follow_the_first() {
    let (spec, source) = (Preset::Circle.spec(), common::source(Preset::Circle, 500));
    let work = |trainer: &mut Trainer<'_>| {
        trainer.run(3, 1, |report| if report.step == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    };
    let mut alone = Trainer::new(spec.clone(), source.clone(), options(200)).unwrap();
    alone.run(3, 1, |_| ControlFlow::Continue(())).unwrap();
    let first = trained(&mut alone, 4);
    alone.step_discriminator().unwrap();
    alone.step_generator().unwrap();
    let last = alone.model().unwrap();
    let found = in_processes(4, |process, end| {
        let mut trainer = Trainer::with_exchange(spec.clone(), source.clone(), options(200), Box::new(end)).unwrap();
        if process > 0 {
            trainer.follow().unwrap();
            return trainer.model().unwrap();
        }
        // What breaks it off, the others hear of in the step after.
        work(&mut trainer).unwrap();
        assert_eq!(trained(&mut trainer, 4), first);
        trainer.step_discriminator().unwrap();
        trainer.step_generator().unwrap();
        trainer.dismiss().unwrap();
        assert!(trainer.follow().is_err(), "nobody leads process 0");
        trainer.model().unwrap()
    });
    assert!(found.iter().all(|found| *found == last));
    assert!(alone.follow().is_err());
    alone.dismiss().unwrap();
}

/// The learning rates of process 0 hold with every task, and whoever calls for it itself is told of others.
#[test]
fn learning_rates_are_those_of_the_first() {
    let (spec, source) = (Preset::Circle.spec(), common::source(Preset::Circle, 500));
    let slower = |trainer: &mut Trainer<'_>| {
        trained(trainer, 3);
        trainer.set_learning_rate(Network::Generator, 1e-5).unwrap();
        trained(trainer, 3).0
    };
    let mut alone = Trainer::new(spec.clone(), source.clone(), options(200)).unwrap();
    let expected = slower(&mut alone);
    let trainer =
        |end: Mailboxes| Trainer::with_exchange(spec.clone(), source.clone(), options(200), Box::new(end)).unwrap();
    let found = in_processes(3, |process, end| {
        let mut trainer = trainer(end);
        if process > 0 {
            trainer.follow().unwrap();
            return trainer.model().unwrap();
        }
        let model = slower(&mut trainer);
        trainer.dismiss().unwrap();
        model
    });
    assert!(found.iter().all(|found| *found == expected));
    let told = in_processes(2, |process, end| {
        let mut trainer = trainer(end);
        trainer.set_learning_rate(Network::Generator, if process == 1 { 1e-5 } else { 1e-3 }).unwrap();
        trainer.run(1, 0, |_| ControlFlow::Continue(())).unwrap_err().to_string()
    });
    assert!(told[1].contains("process 0: has the learning rates"), "{told:?}");
}

/// A state that one process alone has restored is an error in the others, unless it is shared with those that follow.
#[test]
fn processes_stand_at_the_same_step() {
    let (spec, source) = (Preset::Circle.spec(), common::source(Preset::Circle, 500));
    let mut alone = Trainer::new(spec.clone(), source.clone(), options(200)).unwrap();
    trained(&mut alone, 4);
    let saved = alone.checkpoint().unwrap();
    let expected = trained(&mut alone, 2).0;
    for shares in [false, true] {
        let outcomes = in_processes(3, |process, end| -> Result<Model> {
            let mut trainer =
                Trainer::with_exchange(spec.clone(), source.clone(), options(200), Box::new(end)).unwrap();
            if process > 0 {
                trainer.follow()?;
                return trainer.model();
            }
            trainer.restore(&saved, Changes::Refused)?;
            if shares {
                trainer.share_state()?;
            }
            trainer.run(2, 2, |_| ControlFlow::Continue(()))?;
            trainer.dismiss()?;
            trainer.model()
        });
        if shares {
            assert!(outcomes.into_iter().all(|model| model.unwrap() == expected));
            continue;
        }
        let told = outcomes[1].as_ref().unwrap_err().to_string();
        assert!(told.contains("has done 4 steps and 4 turns of D, and this one 0 and 0"), "{told}");
        assert!(outcomes.iter().all(Result::is_err));
    }
}

/// A process that is gone ends the others, wherever they are: with an error, and a state that is not trained on.
#[test]
fn a_process_that_is_gone_ends_the_others() {
    for gone in 0..3 {
        let outcomes: Vec<Result<()>> = in_processes(3, |process, end| {
            let source = common::source(Preset::Circle, 500);
            let mut trainer =
                Trainer::with_exchange(Preset::Circle.spec(), source, options(100), Box::new(end)).unwrap();
            let steps = if process == gone { 3 } else { 1_000 };
            let mut step = || trainer.run(1, 0, |_| ControlFlow::Continue(())).map(|_| ());
            let outcome = (0..steps).try_for_each(|_| step());
            if process != gone {
                assert!(trainer.run(1, 0, |_| ControlFlow::Continue(())).is_err());
            }
            outcome
        });
        for (process, outcome) in outcomes.into_iter().enumerate() {
            match outcome {
                Ok(()) => assert_eq!(process, gone),
                Err(error) => assert!(matches!(error, Error::Exchange { .. }) && process != gone, "{error}"),
            }
        }
    }
}

/// The same at any message, beside the backward pass too, where a panic of the exchange is an error.
#[test]
fn a_process_that_is_gone_at_any_message_ends_the_others() {
    let mut told = Vec::new();
    for (processes, gone, panics) in [(2, 1, false), (2, 0, true), (3, 0, false), (3, 2, true)] {
        // From the first messages of a step on.
        for calls in 10..50 {
            let outcomes = in_processes(processes, |process, end| {
                let calls = if process == gone { calls } else { usize::MAX };
                let source = common::source(Preset::Circle, 200);
                let run = AssertUnwindSafe(|| -> Result<()> {
                    let exchange = Box::new(end.gone_after(calls, panics));
                    let mut trainer = Trainer::with_exchange(wide(), source, options(60), exchange)?;
                    trainer.run(1_000, 1, |_| ControlFlow::Continue(())).map(|_| ())
                });
                catch_unwind(run)
            });
            for (process, outcome) in outcomes.into_iter().enumerate() {
                match outcome {
                    Ok(Err(error @ Error::Exchange { .. })) => told.push(error.to_string()),
                    Ok(other) => panic!("process {process} of {processes}, {calls} calls of {gone}: {other:?}"),
                    // By the thread that trains.
                    Err(_) => assert!(panics && process == gone),
                }
            }
        }
    }
    assert!(told.iter().any(|error| error.contains("its exchange panicked: told to")), "{told:?}");
}
