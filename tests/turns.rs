//! Turns of one network alone, hooks and answers from outside: the bits of whole steps, and trainers that stand where they stood when
//! a function of the caller's fails.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use gannet::data::synthetic;
use gannet::gan::{
    Changes, Checkpoint, GanSpec, ModularLoss, Network, Objective, OptimizerSpec, Order, Role, Trainer, TrainerOptions,
};
use gannet::net::{Activation, NetworkSpec};
use gannet::{Error, Result};

/// A small GAN in tiles, or a wide one whose layers are shared; with dropout in D.
fn spec(order: Order, wide: bool, discriminator_steps: usize) -> GanSpec {
    let width = if wide { 384 } else { 24 };
    GanSpec::new(
        NetworkSpec::dense(&[3, width, width, 2], Activation::Relu, 0.0, Activation::Tanh),
        NetworkSpec::dense(&[2, width, width, 1], Activation::LeakyRelu { slope: 0.2 }, 0.1, Activation::Linear),
    )
    .with_objective(Objective::Minimax)
    .with_optimizers(OptimizerSpec::adam(0.001))
    .with_order(order)
    .with_discriminator_steps(discriminator_steps)
}

fn trainer(spec: &GanSpec, batch: usize, threads: usize) -> Trainer<'static> {
    let options = TrainerOptions::default().with_batch(batch).with_threads(threads).with_seed(9);
    Trainer::new(spec.clone(), Arc::new(synthetic::circle(500, 11).unwrap()), options).unwrap()
}

/// Every kind of plan: one chunk and several, tiles and shared layers, one thread and two.
fn plans() -> impl Iterator<Item = (bool, usize, usize)> {
    [false, true].into_iter().flat_map(|wide| {
        [(wide, 20, 1), (wide, if wide { 130 } else { 300 }, 1), (wide, if wide { 130 } else { 300 }, 2)]
    })
}

fn run(trainer: &mut Trainer<'_>, steps: u64) {
    trainer.run(steps, 0, |_| ControlFlow::Continue(())).unwrap();
}

fn step_apart(trainer: &mut Trainer<'_>) {
    for _ in 0..trainer.spec().discriminator_steps {
        trainer.step_discriminator().unwrap();
    }
    trainer.step_generator().unwrap();
}

/// Whether two trainers stand at the same place: parameters, optimizers, counters.
fn same(one: &Trainer<'_>, other: &Trainer<'_>) -> bool {
    one.checkpoint().unwrap() == other.checkpoint().unwrap()
}

#[test]
fn turns_of_a_step_apart_are_the_step() {
    for order in [Order::DiscriminatorFirst, Order::DiscriminatorFirstSharedFake] {
        for (wide, batch, threads) in plans() {
            for discriminator_steps in [1, 2] {
                let spec = spec(order, wide, discriminator_steps);
                let name = format!("{order:?} {wide} {batch} {threads} {discriminator_steps}");
                let (mut whole, mut apart) = (trainer(&spec, batch, threads), trainer(&spec, batch, threads));
                run(&mut whole, 4);
                step_apart(&mut apart);
                // Whole steps and turns apart, mixed.
                run(&mut apart, 2);
                let mut last = None;
                for _ in 0..discriminator_steps {
                    last = Some(apart.step_discriminator().unwrap());
                }
                let answer = apart.step_generator().unwrap();
                assert!(same(&whole, &apart), "{name}");
                assert_eq!((answer.step, last.unwrap().turn), (4, 4 * discriminator_steps as u64), "{name}");
                // What they report is what the step reports.
                let report = trainer(&spec, batch, threads).run(4, 0, |_| ControlFlow::Continue(())).unwrap().unwrap();
                assert_eq!(
                    (last.unwrap().loss, answer.loss),
                    (report.discriminator_loss, report.generator_loss),
                    "{name}"
                );
                assert_eq!(last.unwrap().real_probability, report.real_probability, "{name}");
            }
        }
    }
}

#[test]
fn a_turn_alone_changes_one_network() {
    for (wide, batch, threads) in plans() {
        let mut trainer = trainer(&spec(Order::DiscriminatorFirst, wide, 1), batch, threads);
        for network in [Network::Generator, Network::Discriminator, Network::Discriminator, Network::Generator] {
            let before = trainer.model().unwrap();
            match network {
                Network::Generator => drop(trainer.step_generator().unwrap()),
                Network::Discriminator => drop(trainer.step_discriminator().unwrap()),
            }
            let after = trainer.model().unwrap();
            for of in Network::ALL {
                assert_eq!(before.network(of) != after.network(of), of == network, "{wide} {batch} {threads}");
            }
        }
    }
}

/// Counts of turns that are not those of whole steps.
#[test]
fn a_checkpoint_goes_on_between_the_turns_of_a_step() {
    let spec = spec(Order::DiscriminatorFirst, false, 1);
    let mut first = trainer(&spec, 20, 1);
    for _ in 0..3 {
        first.step_discriminator().unwrap();
    }
    let bytes = first.checkpoint().unwrap().to_safetensors(&spec).unwrap();
    let mut second = trainer(&spec, 20, 1);
    second.restore(&Checkpoint::from_safetensors(&bytes, &spec, "it").unwrap(), Changes::Refused).unwrap();
    for trainer in [&mut first, &mut second] {
        trainer.step_generator().unwrap();
        run(trainer, 2);
    }
    assert!(same(&first, &second));
}

#[test]
fn an_order_that_updates_both_at_once_has_no_turns_alone() {
    let mut trainer = trainer(&spec(Order::GeneratorFirstSharedFake, false, 1), 20, 1);
    let before = trainer.model().unwrap();
    for refused in [trainer.step_discriminator().map(drop), trainer.step_generator().map(drop)] {
        assert!(matches!(refused, Err(Error::InvalidSetting { .. })), "{refused:?}");
    }
    assert!(trainer.model().unwrap() == before);
    trainer.step_generator_with(|_, _| Ok(())).unwrap();
}

#[test]
fn a_hook_sees_the_gradients_that_the_update_uses() {
    for order in [Order::DiscriminatorFirst, Order::DiscriminatorFirstSharedFake, Order::GeneratorFirstSharedFake] {
        for (wide, batch, threads) in plans() {
            let name = format!("{order:?} {wide} {batch} {threads}");
            let spec = spec(order, wide, 1);
            let (mut plain, mut hooked) = (trainer(&spec, batch, threads), trainer(&spec, batch, threads));
            run(&mut plain, 3);
            let (mut seen, mut reports) = (Vec::new(), 0);
            hooked
                .run_with(
                    3,
                    1,
                    Some(&mut |gradients| {
                        seen.push((gradients.step(), gradients.network(), gradients.norm()));
                        let names: Vec<_> = gradients.tensors().map(|tensor| tensor.name()).collect();
                        assert!(names.len() == 6 && names[1].role == Role::Bias);
                        assert!(gradients.tensors_mut().map(|tensor| tensor.name()).eq(names));
                        Ok(())
                    }),
                    |report, trainer| {
                        reports += 1;
                        assert_eq!(trainer.steps_done(), report.step);
                        Ok(ControlFlow::Continue(()))
                    },
                )
                .unwrap();
            assert!(same(&plain, &hooked), "{name}");
            assert_eq!((seen.len(), reports), (6, 3), "{name}");
            assert!(seen.iter().all(|(step, _, norm)| (1..=3).contains(step) && *norm > 0.0), "{name}: {seen:?}");
            // What is shown after the step is what the hook saw.
            for network in Network::ALL {
                let squares = hooked.parameter_gradients(network).flat_map(|tensor| tensor.values());
                let norm = squares.map(|value| f64::from(value).powi(2)).sum::<f64>().sqrt();
                assert!(
                    seen.iter()
                        .any(|(step, of, seen)| *step == 3 && *of == network && (seen - norm).abs() <= 1e-12 * norm),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn clipped_gradients_update_by_less() {
    let spec = spec(Order::DiscriminatorFirst, true, 1).with_optimizers(OptimizerSpec::sgd(1.0));
    let mut trainer = trainer(&spec, 20, 1);
    let before = trainer.model().unwrap();
    let clip = 1e-3;
    let mut hook = |gradients: &mut gannet::gan::Gradients<'_>| {
        // What is no bound is no reason to go on without one.
        for wrong in [f64::NAN, -1.0] {
            assert!(gradients.clip_norm(wrong).is_err(), "{wrong}");
        }
        gradients.clip_norm(clip)
    };
    trainer.run_with(1, 0, Some(&mut hook), |_, _| Ok(ControlFlow::Continue(()))).unwrap();
    let after = trainer.model().unwrap();
    for network in Network::ALL {
        let tensors = before.network(network).iter().zip(after.network(network));
        let squares: f64 = tensors
            .flat_map(|(old, new)| old.weight.iter().chain(&old.bias).zip(new.weight.iter().chain(&new.bias)))
            .map(|(old, new)| f64::from(new - old).powi(2))
            .sum();
        // Weights are rounded, each by less than 2^-25 of its size.
        assert!((0.9 * clip..1.1 * clip).contains(&squares.sqrt()), "{network} moved by {}", squares.sqrt());
    }
}

/// A bound of the specification and the same one of a hook are one mechanism; of 0, only the hook's is a bound.
#[test]
fn a_hook_clips_as_the_specification_does() {
    for (wide, batch, threads) in plans() {
        let plain = spec(Order::DiscriminatorFirst, wide, 1);
        let clipped = plain.clone().with_generator_clip_norm(1e-3).with_discriminator_clip_norm(2e-3);
        let mut of_spec = trainer(&clipped, batch, threads);
        run(&mut of_spec, 3);
        let hooked = |bounds: [f64; 2]| {
            let mut trainer = trainer(&plain, batch, threads);
            let mut hook =
                |gradients: &mut gannet::gan::Gradients<'_>| gradients.clip_norm(bounds[gradients.network() as usize]);
            trainer.run_with(3, 0, Some(&mut hook), |_, _| Ok(ControlFlow::Continue(()))).unwrap();
            trainer
        };
        let bounds = [1e-3, 2e-3].map(|bound: f32| f64::from(bound));
        assert!(of_spec.model().unwrap() == hooked(bounds).model().unwrap(), "{wide} {batch} {threads}");
        let none = hooked([0.0; 2]);
        let gradients = Network::ALL.into_iter().flat_map(|network| none.parameter_gradients(network));
        assert!(gradients.flat_map(|tensor| tensor.values()).all(|value| value == 0.0), "{wide} {batch} {threads}");
    }
}

#[test]
fn a_hook_that_fails_leaves_the_last_whole_turn() {
    for order in [Order::DiscriminatorFirst, Order::DiscriminatorFirstSharedFake, Order::GeneratorFirstSharedFake] {
        for (wide, batch, threads) in plans() {
            for failing in Network::ALL {
                let name = format!("{order:?} {wide} {batch} {threads} {failing}");
                let spec = spec(order, wide, if order == Order::GeneratorFirstSharedFake { 1 } else { 2 });
                let (mut failed, mut plain) = (trainer(&spec, batch, threads), trainer(&spec, batch, threads));
                let run_hooked = |trainer: &mut Trainer<'_>, fails: bool| {
                    let mut hook = |gradients: &mut gannet::gan::Gradients<'_>| {
                        // What the hook has changed is lost with the step; powers of two take no rounding.
                        gradients.scale(if fails { 8.0 } else { 1.0 });
                        match fails && gradients.step() == 3 && gradients.network() == failing {
                            true => Err(Error::callback("enough")),
                            false => {
                                gradients.scale(if fails { 0.125 } else { 1.0 });
                                Ok(())
                            }
                        }
                    };
                    trainer.run_with(1, 0, Some(&mut hook), |_, _| Ok(ControlFlow::Continue(())))
                };
                run(&mut failed, 2);
                run(&mut plain, 2);
                let error = run_hooked(&mut failed, true).unwrap_err();
                assert!(matches!(error, Error::Callback { .. }) && error.to_string() == "enough", "{name}: {error}");
                if failing == Network::Generator && order != Order::GeneratorFirstSharedFake {
                    // D's turns of the step are whole: G's alone is missing.
                    assert_eq!(failed.steps_done(), 2, "{name}");
                    failed.step_generator().unwrap();
                    run_hooked(&mut failed, false).unwrap();
                    run(&mut plain, 2);
                    assert_eq!(failed.steps_done(), 4, "{name}");
                    assert!(same(&failed, &plain), "{name}");
                } else {
                    assert!(same(&failed, &plain), "{name}");
                    run(&mut failed, 2);
                    run(&mut plain, 2);
                    assert!(same(&failed, &plain), "{name}");
                }
            }
        }
    }
}

/// An error that a hook brings from elsewhere says nothing of this trainer.
#[test]
fn a_hook_may_fail_with_any_error() {
    let spec = spec(Order::DiscriminatorFirst, false, 2);
    let errors: [fn() -> Error; 3] = [
        || Error::NotFinite { step: 99, network: Network::Discriminator, layer: 0, quantity: "gradient" },
        || Error::HalfDone { step: 99 },
        || Error::callback("enough"),
    ];
    for error in errors {
        for (turn, whole_steps) in [(0, 1), (1, 1), (2, 1)] {
            let (mut failed, mut plain) = (trainer(&spec, 20, 1), trainer(&spec, 20, 1));
            let mut turns = 0;
            let mut hook = |_: &mut gannet::gan::Gradients<'_>| {
                turns += 1;
                if turns == 3 * whole_steps + turn + 1 { Err(error()) } else { Ok(()) }
            };
            let found = failed.run_with(9, 0, Some(&mut hook), |_, _| Ok(ControlFlow::Continue(()))).unwrap_err();
            assert_eq!(found.to_string(), error().to_string());
            // The turns before it are whole; the others are still to come.
            for _ in turn..2 {
                failed.step_discriminator().unwrap();
            }
            failed.step_generator().unwrap();
            run(&mut failed, 1);
            run(&mut plain, whole_steps as u64 + 2);
            assert!(same(&failed, &plain), "{found}, turn {turn}");
        }
    }
}

/// A source whose samples come in an order of their own is asked for each of them once, also where D takes several turns.
#[test]
fn turns_alone_ask_a_stream_for_one_sample_after_the_other() {
    let spec = spec(Order::DiscriminatorFirst, false, 3);
    let next = std::sync::atomic::AtomicU64::new(0);
    let stream = gannet::gan::source::stream(spec.generator.outputs(), |number, row: &mut [f32]| {
        let expected = next.swap(number + 1, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(number, expected);
        row.fill((number % 7) as f32);
        Ok::<(), std::convert::Infallible>(())
    });
    let options = TrainerOptions::default().with_batch(20);
    let mut trainer = Trainer::new(spec.clone(), std::sync::Arc::new(stream), options).unwrap();
    for _ in 0..2 {
        for _ in 0..3 {
            trainer.step_discriminator().unwrap();
        }
        trainer.step_generator().unwrap();
        trainer.run(1, 0, |_| ControlFlow::Continue(())).unwrap();
    }
    drop(trainer);
    assert_eq!(next.into_inner(), 2 * 2 * 3 * 20);
}

#[test]
fn a_report_that_fails_leaves_a_whole_step() {
    let spec = spec(Order::DiscriminatorFirst, false, 1);
    let (mut failed, mut plain) = (trainer(&spec, 20, 1), trainer(&spec, 20, 1));
    let error = failed.run_with(5, 2, None, |_, _| Err(Error::callback("no room on the disk"))).unwrap_err();
    assert_eq!((error.to_string().as_str(), failed.steps_done()), ("no room on the disk", 2));
    run(&mut plain, 2);
    assert!(same(&failed, &plain));
}

/// The modular loss's D, which does not move, answers with the gradient that the trainer's own D has for G.
#[test]
fn an_answer_that_is_gannets_own_gives_gannets_own_gradients() {
    for (wide, batch, threads) in plans() {
        let mut spec = spec(Order::DiscriminatorFirst, wide, 1)
            .with_generator_optimizer(OptimizerSpec::sgd(1e-3))
            .with_discriminator_optimizer(OptimizerSpec::sgd(1e-38));
        spec.discriminator.layers.iter_mut().for_each(|layer| layer.dropout = 0.0);
        let (mut own, mut answered) = (trainer(&spec, batch, threads), trainer(&spec, batch, threads));
        let options = TrainerOptions::default().with_batch(batch).with_threads(threads);
        let (objective, optimizer) = (spec.objective, spec.discriminator_optimizer);
        let mut loss = ModularLoss::new(spec.discriminator.clone(), objective, optimizer, options).unwrap();
        loss.set_discriminator(&own.model().unwrap().discriminator).unwrap();
        for step in 1..4 {
            own.step_generator().unwrap();
            answered
                .step_generator_with(|fakes, gradient| {
                    assert_eq!((fakes.len(), gradient.len()), (2 * batch, 2 * batch));
                    loss.step(fakes, fakes, gradient).map(drop)
                })
                .unwrap();
            assert_eq!(answered.steps_done(), step);
            let (found, expected) = (answered.model().unwrap(), own.model().unwrap());
            for (found, expected) in found.generator.iter().zip(&expected.generator) {
                for (found, expected) in [(&found.weight, &expected.weight), (&found.bias, &expected.bias)] {
                    let most = expected.iter().fold(0.0f32, |most, value| most.max(value.abs()));
                    for (found, expected) in found.iter().zip(expected) {
                        assert!(
                            (found - expected).abs() <= 1e-6 * most.max(1e-3),
                            "{wide} {batch}: {found} {expected}"
                        );
                    }
                }
            }
            assert!(found.discriminator == expected.discriminator);
        }
    }
}

#[test]
fn an_answer_that_fails_leaves_the_trainer_as_it_was() {
    for (wide, batch, threads) in plans() {
        let spec = spec(Order::DiscriminatorFirst, wide, 1);
        let (mut failed, mut plain) = (trainer(&spec, batch, threads), trainer(&spec, batch, threads));
        let answer = |fakes: &[f32], gradient: &mut [f32]| -> Result<()> {
            gradient.copy_from_slice(fakes);
            Ok(())
        };
        for trainer in [&mut failed, &mut plain] {
            trainer.step_generator_with(answer).unwrap();
        }
        let error = failed.step_generator_with(|_, _| Err(Error::callback("no"))).unwrap_err();
        assert!(matches!(error, Error::Callback { .. }), "{error}");
        let error = failed
            .step_generator_with(|_, gradient| {
                gradient[3] = f32::NAN;
                Ok(())
            })
            .unwrap_err();
        assert!(error.to_string().contains("row 1, column 1"), "{error}");
        let panicked = catch_unwind(AssertUnwindSafe(|| failed.step_generator_with(|_, _| panic!("told to"))));
        assert!(panicked.is_err());
        assert!(same(&failed, &plain));
        for trainer in [&mut failed, &mut plain] {
            run(trainer, 1);
            trainer.step_generator_with(answer).unwrap();
        }
        assert!(same(&failed, &plain), "{wide} {batch} {threads}");
    }
}

#[test]
fn a_refused_model_leaves_the_trainer_as_it_was() {
    let spec = spec(Order::DiscriminatorFirst, false, 1);
    let (mut refused, mut plain) = (trainer(&spec, 20, 1), trainer(&spec, 20, 1));
    for trainer in [&mut refused, &mut plain] {
        run(trainer, 3);
    }
    let model = trainer(&spec, 20, 1).model().unwrap();
    let mut wrong: [_; 4] = std::array::from_fn(|_| model.clone());
    wrong[0].discriminator.pop();
    wrong[1].generator.clear();
    wrong[2].discriminator[1].bias.push(0.0);
    wrong[3].discriminator[2].weight.clear();
    for model in &wrong {
        assert!(matches!(refused.set_model(model), Err(Error::Shape { .. })));
        assert!(same(&refused, &plain));
    }
    for trainer in [&mut refused, &mut plain] {
        run(trainer, 2);
    }
    assert!(same(&refused, &plain));
}

#[test]
fn memory_for_answers_counts_against_the_limit() {
    let spec = spec(Order::DiscriminatorFirst, false, 1);
    let needed = trainer(&spec, 300, 1).plan().memory;
    let options = TrainerOptions::default().with_batch(300).with_seed(9).with_memory_limit(needed);
    let mut limited = Trainer::new(spec, Arc::new(synthetic::circle(500, 11).unwrap()), options).unwrap();
    let refused = limited.step_generator_with(|_, _| Ok(()));
    assert!(matches!(refused, Err(Error::MemoryLimit { .. })), "{refused:?}");
    run(&mut limited, 1);
}
