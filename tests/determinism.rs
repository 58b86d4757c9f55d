//! The same seed gives the same bits at any number of threads, for every preset, engine and instruction set;
//! the native engine the same on every instruction set that fuses.

mod common;
mod reference;

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use gannet::cpu::{EngineKind, Isa};
use gannet::data::ArraySource;
use gannet::gan::presets::Preset;
use gannet::gan::{GanSpec, Model, Objective, OptimizerSpec, Replicas, StepReport, Trainer, TrainerOptions};
use gannet::net::{Activation, NetworkSpec};

/// Trains, and returns everything that could differ: every report and the model file.
fn outcome(preset: Preset, batch: usize, steps: u64, options: TrainerOptions) -> (Vec<[u64; 4]>, Vec<u8>) {
    let mut trainer = common::trainer(preset, options.with_batch(batch));
    let mut reports = Vec::new();
    trainer
        .run(steps, 1, |report| {
            reports.push(bits(report));
            ControlFlow::Continue(())
        })
        .unwrap();
    (reports, trainer.model().unwrap().to_safetensors(trainer.spec()).unwrap())
}

fn bits(report: &StepReport) -> [u64; 4] {
    let StepReport { discriminator_loss, generator_loss, real_probability, fake_probability, .. } = *report;
    [discriminator_loss, generator_loss, real_probability, fake_probability].map(f64::to_bits)
}

/// Batches of each preset: one tile or chunk, and several with a part that is not full.
fn batches(preset: Preset) -> [(usize, u64); 2] {
    match preset {
        Preset::Mnist => [(20, 3), (300, 2)],
        _ => [(32, 40), (451, 8)],
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for preset in common::presets() {
        for (batch, steps) in batches(preset) {
            for engine in EngineKind::ALL {
                for isa in Isa::available() {
                    let run = |threads| {
                        let options = TrainerOptions::default()
                            .with_threads(threads)
                            .with_engine(engine)
                            .with_isa(isa.kind())
                            .with_seed(3);
                        outcome(preset, batch, steps, options)
                    };
                    let one = run(1);
                    for threads in [2, 3] {
                        let many = run(threads);
                        let name = format!("{} batch {batch} {engine} {} {threads} threads", preset.name(), isa.kind());
                        assert_eq!(one.0, many.0, "losses: {name}");
                        assert!(one.1 == many.1, "model: {name}");
                    }
                }
            }
        }
    }
}

/// Wide layers are cut into row blocks by the number of threads. These widths leave a last block of 1 to 10 rows, which must
/// be summed in the same order as in the whole layer; dropout's streams must not follow the blocks either.
#[test]
fn awkward_widths_give_the_same_bits_at_any_number_of_threads() {
    let spec = GanSpec::new(
        NetworkSpec::dense(&[5, 500, 65, 9], Activation::Tanh, 0.25, Activation::Linear),
        NetworkSpec::dense(&[9, 131, 700, 138, 1], Activation::Relu, 0.25, Activation::Linear),
    )
    .with_objective(Objective::Minimax)
    .with_optimizers(OptimizerSpec::adam(0.001));
    let values: Vec<f32> = (0..9 * 1_100).map(|index| ((index * 7919) % 2001) as f32 / 1000.0 - 1.0).collect();
    for (batch, steps) in [(40, 3), (1_100, 2)] {
        for engine in EngineKind::ALL {
            let run = |threads| {
                let source = Arc::new(ArraySource::new(values.clone(), 9).unwrap());
                let options =
                    TrainerOptions::default().with_batch(batch).with_threads(threads).with_engine(engine).with_seed(8);
                let mut trainer = Trainer::new(spec.clone(), source, options).unwrap();
                assert_eq!(trainer.plan().schedule, "layer-parallel");
                trainer.run(steps, 1, |_| ControlFlow::Continue(())).unwrap();
                trainer.model().unwrap()
            };
            let one = run(1);
            for threads in [2, 3, 5] {
                assert!(one == run(threads), "{engine} batch {batch}, {threads} threads");
            }
        }
    }
}

#[test]
fn the_seed_decides() {
    let run = |seed| outcome(Preset::Circle, 32, 5, TrainerOptions::default().with_seed(seed));
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).0, run(2).0);
    assert_ne!(run(1).1, run(2).1);
}

#[test]
fn reporting_and_cutting_a_run_change_nothing() {
    let train = |cuts: &[u64], interval: u64| {
        let mut trainer = common::trainer(Preset::Circle, TrainerOptions::default().with_threads(2).with_batch(200));
        for steps in cuts {
            trainer.run(*steps, interval, |_| ControlFlow::Continue(())).unwrap();
        }
        trainer.model().unwrap()
    };
    let whole = train(&[12], 0);
    assert!(whole == train(&[1, 4, 7], 0));
    assert!(whole == train(&[12], 1));
    assert!(whole == train(&[5, 7], 3));
}

#[test]
fn reports_come_at_the_interval_and_at_the_end_and_can_stop_the_run() {
    let mut trainer = common::trainer(Preset::Mixture1d, TrainerOptions::default());
    let mut seen = Vec::new();
    trainer
        .run(10, 4, |report| {
            seen.push(report.step);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, [4, 8, 10]);
    let last = trainer.run(10, 3, |_| ControlFlow::Break(())).unwrap().unwrap();
    assert_eq!((last.step, trainer.steps_done()), (12, 12));
    assert_eq!(trainer.run(0, 1, |_| ControlFlow::Continue(())).unwrap(), None);
}

#[test]
fn a_pool_of_the_callers_own_gives_the_same_bits() {
    let train = |options: TrainerOptions| {
        let mut trainer: Trainer = common::trainer(Preset::Circle, options.with_batch(300));
        trainer.run(5, 0, |_| ControlFlow::Continue(())).unwrap();
        trainer.model().unwrap()
    };
    let alone: Model = train(TrainerOptions::default());
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap());
    let with_pool = || TrainerOptions::default().with_threads(3).with_pool(pool.clone());
    assert!(alone == train(with_pool()));
    assert!(alone == pool.install(|| train(with_pool())), "from inside the pool");
    assert!(alone == train(TrainerOptions::default().with_threads(0).with_pool(pool.clone())));
}

/// Replica `i` is the single run with the seed `options.seed + i`, whatever thread trains which piece of it.
#[test]
fn replicas_are_single_runs_bit_for_bit() {
    const REPLICAS: usize = 3;
    for preset in common::presets() {
        let (batch, steps) = match preset {
            Preset::Mnist => (20, 3),
            // Long enough for several pieces: a piece of `circle` is 48 steps.
            Preset::Circle => (32, 200),
            _ => (32, 40),
        };
        let options = TrainerOptions::default().with_batch(batch).with_seed(5).with_shuffle(preset.shuffle());
        let single = |index| outcome(preset, batch, steps, options.clone().with_seed(5 + index));
        let singles: Vec<_> = (0..REPLICAS as u64).map(single).collect();
        let source = common::source(preset, 500);
        for threads in [1, 2, 3] {
            let options = options.clone().with_threads(threads);
            let mut replicas = Replicas::new(&preset.spec(), REPLICAS, options, |_| Ok(source.clone())).unwrap();
            let reports = [const { Mutex::new(Vec::new()) }; REPLICAS];
            for last in replicas.run(steps, 1, |replica, report| {
                reports[replica].lock().unwrap().push(bits(report));
                ControlFlow::Continue(())
            }) {
                assert_eq!(last.unwrap().map(|report| report.step), Some(steps));
            }
            for ((trainer, reports), single) in replicas.trainers().iter().zip(reports).zip(&singles) {
                let name = format!("{} seed {}, {threads} threads", preset.name(), trainer.options().seed);
                assert_eq!(reports.into_inner().unwrap(), single.0, "losses: {name}");
                assert!(trainer.model().unwrap().to_safetensors(trainer.spec()).unwrap() == single.1, "model: {name}");
            }
        }
    }
}

/// The native engine's sums have one order, whatever the width of the registers and the number of threads.
#[test]
fn native_results_are_the_same_bits_on_every_instruction_set_that_fuses_at_any_number_of_threads() {
    let fused = reference::isas::to_compare();
    for preset in common::presets() {
        // More samples than there are slots of one tile each, and than a chunk of the wide networks.
        let most = match preset {
            Preset::Mnist => (1_100, 1),
            Preset::Digits => (1_700, 3),
            _ => (4_500, 3),
        };
        for (batch, steps) in batches(preset).into_iter().chain([most]) {
            let mut first = None;
            for isa in &fused {
                for threads in [1, 2, 3] {
                    let engine = EngineKind::Native;
                    let isa = Some(isa.kind());
                    let options =
                        TrainerOptions::default().with_engine(engine).with_isa(isa).with_threads(threads).with_seed(4);
                    let found = outcome(preset, batch, steps, options);
                    let first = first.get_or_insert_with(|| found.clone());
                    let name = format!("{} batch {batch}: {isa:?} at {threads} threads", preset.name());
                    assert_eq!(first.0, found.0, "losses: {name}");
                    assert!(first.1 == found.1, "model: {name}");
                }
            }
        }
    }
}
