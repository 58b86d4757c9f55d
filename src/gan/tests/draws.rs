//! Where the random numbers of a step come from, and which of its passes share them.

use super::*;
use crate::gemm::EngineKind;
use crate::kernel::noise;
use crate::kernel::panel::scatter_rows;
use crate::net::panels::{Panels, PassContext, PassPlan};
use crate::net::pass::{self, Alone};
use crate::simd::LANE_GROUP;

fn latents(stream: Stream, step: u64, batch: usize) -> Vec<f32> {
    let width = batch.next_multiple_of(LANE_GROUP);
    let mut panel = vec![0.0; LATENTS * width];
    noise::normal(Isa::best(), stream.key(SEED, step), 0, &mut panel, width);
    let mut rows = vec![0.0; LATENTS * batch];
    scatter_rows(Isa::best(), &panel, width, batch, &mut rows);
    rows
}

/// What `generator` makes of the latents of D's step `step`.
fn fakes(generator: &TrainedNetwork, step: u64, batch: usize) -> Vec<f32> {
    let width = batch.next_multiple_of(LANE_GROUP);
    let panels = Panels { samples: batch, ..Panels::one(width) };
    let plan = PassPlan { isa: Isa::best(), engine: EngineKind::default().engine(), tasks: 1 };
    let Alone { trace, mut tape } = Alone::new(&generator.spec, width).unwrap();
    let latents = tape.get_mut(trace.input(), width);
    noise::normal(plan.isa, Stream::DiscriminatorLatents.key(SEED, step), 0, latents, width);
    let pass = PassContext { team: &Team::serial(), plan: &plan, panels };
    pass::forward(&pass, generator.view(), &[], &trace, &mut tape);
    let mut rows = vec![0.0; FEATURES * batch];
    scatter_rows(plan.isa, tape.get(trace.output(), width), width, batch, &mut rows);
    rows
}

/// Sample `s` of a batch is row `s` of what the stream gives, wherever panels, chunks and slots end.
#[test]
fn drawn_steps_are_given_steps_with_the_numbers_of_the_streams() {
    // More chunks than slots; then several panels and chunks that all threads share.
    for (hidden, batch, schedule) in [(8, 4_500, "tile-parallel"), (400, 1_100, "layer-parallel")] {
        for order in [Order::DiscriminatorFirst, Order::DiscriminatorFirstSharedFake, Order::GeneratorFirstSharedFake] {
            let source = Arc::new(Rows::new(2 * batch));
            let mut drawn = Trainer::new(spec(order, hidden), source.clone(), options(batch)).unwrap();
            let mut given = Trainer::new(spec(order, hidden), source.clone(), options(batch)).unwrap();
            assert_eq!(drawn.plan().schedule, schedule);
            for step in 0..2 {
                let found = drawn.run(1, 0, |_| ControlFlow::Continue(())).unwrap().unwrap();
                let expected = given
                    .step_with(
                        &GivenStep::new(
                            &source.0[step * batch * FEATURES..][..batch * FEATURES],
                            &latents(Stream::DiscriminatorLatents, step as u64, batch),
                        )
                        .with_generator_latents(&latents(
                            Stream::GeneratorLatents,
                            step as u64,
                            batch,
                        )),
                    )
                    .unwrap();
                assert_eq!(found, expected, "{schedule} {order:?} step {step}");
            }
            assert!(drawn.model().unwrap() == given.model().unwrap(), "{schedule} {order:?}");
        }
    }
}

#[test]
fn several_steps_of_the_discriminator_are_those_of_a_discriminator_alone() {
    let (batch, discriminator_steps) = (150, 3);
    let spec = GanSpec { discriminator_steps, ..spec(Order::DiscriminatorFirst, 8) };
    let source = Arc::new(Rows::new(discriminator_steps * batch));
    let mut trainer = Trainer::new(spec.clone(), source.clone(), options(batch)).unwrap();
    let optimizer = spec.discriminator_optimizer;
    let mut alone = ModularLoss::new(spec.discriminator, spec.objective, optimizer, options(batch)).unwrap();
    let mut gradient = vec![0.0; batch * FEATURES];
    let mut last = None;
    for step in 0..discriminator_steps {
        let fakes = fakes(trainer.adversary.networks.get(Network::Generator).unwrap(), step as u64, batch);
        let real = &source.0[step * batch * FEATURES..][..batch * FEATURES];
        last = Some(alone.step(&fakes, real, &mut gradient).unwrap());
    }
    let report = trainer.run(1, 0, |_| ControlFlow::Continue(())).unwrap().unwrap();
    assert!(trainer.model().unwrap().discriminator == alone.discriminator().unwrap());
    assert_eq!(report.discriminator_loss, last.unwrap().discriminator_loss);
    assert_eq!(trainer.steps_for_epochs(2), 2);
}

/// With a D that stands still, G's step sees the very fakes of D's last one, dropout in G included.
#[test]
fn shared_fakes_are_the_same_in_both_steps() {
    for (order, steps, shared) in [
        (Order::DiscriminatorFirstSharedFake, 1, true),
        (Order::DiscriminatorFirstSharedFake, 3, true),
        (Order::GeneratorFirstSharedFake, 1, true),
        (Order::DiscriminatorFirst, 1, false),
        (Order::DiscriminatorFirst, 3, false),
    ] {
        let mut spec = spec(order, 8);
        spec.generator.layers[0].dropout = 0.5;
        spec.discriminator_steps = steps;
        spec.discriminator_optimizer = OptimizerSpec::sgd(f32::MIN_POSITIVE);
        for batch in [100, 200] {
            let mut trainer = Trainer::new(spec.clone(), Arc::new(Rows::new(600)), options(batch)).unwrap();
            for step in 0..2 {
                trainer.run(1, 0, |_| ControlFlow::Continue(())).unwrap();
                let sums = trainer.adversary.workspace.sums();
                assert_eq!(sums.fake == sums.generator, shared, "{order:?} {steps} {batch} step {step}: {sums:?}");
            }
        }
    }
}

/// G's step on the fakes that D's left in the scratch gives the bits of one that makes them again from the same latents.
#[test]
fn fakes_that_are_kept_are_those_that_would_be_made_again() {
    for (hidden, batch, schedule, kept) in [
        (8, 100, "serial", true),
        (8, 300, "tile-parallel", false),
        (400, 700, "layer-parallel", true),
        (400, 1_100, "layer-parallel", false),
    ] {
        let source = Arc::new(Rows::new(batch));
        let [mut keeping, mut making] = [Order::DiscriminatorFirstSharedFake, Order::DiscriminatorFirst]
            .map(|order| Trainer::new(spec(order, hidden), source.clone(), options(batch)).unwrap());
        assert_eq!(keeping.plan().schedule, schedule);
        assert_eq!(keeping.plan().products_per_step < making.plan().products_per_step, kept, "{schedule} {batch}");
        for step in 0..3 {
            let latents = latents(Stream::DiscriminatorLatents, step, batch);
            let given = GivenStep::new(&source.0, &latents).with_generator_latents(&latents);
            assert_eq!(keeping.step_with(&given).unwrap(), making.step_with(&given).unwrap(), "{schedule} {batch}");
        }
        assert!(keeping.model().unwrap() == making.model().unwrap(), "{schedule} {batch}");
    }
}

/// With latents that change nothing, the samples of a second chunk differ from those of the first by dropout alone.
#[test]
fn dropout_of_the_generator_depends_on_the_sample() {
    let mut spec = spec(Order::DiscriminatorFirst, 8);
    spec.generator.layers[0].dropout = 0.5;
    let loss = |batch: usize| {
        let mut trainer = Trainer::new(spec.clone(), Arc::new(Rows::new(256)), options(batch)).unwrap();
        let mut model = trainer.model().unwrap();
        model.generator[0].weight.fill(0.0);
        trainer.set_model(&model).unwrap();
        assert_eq!((trainer.plan().chunk, trainer.plan().slots), (128, batch / 128));
        trainer.run(1, 0, |_| ControlFlow::Continue(())).unwrap();
        trainer.adversary.workspace.sums().fake.loss
    };
    assert_ne!(loss(256), 2.0 * loss(128));
}

#[test]
fn samples_depend_on_the_row_alone_and_know_no_dropout() {
    let mut spec = spec(Order::DiscriminatorFirst, 8);
    let model = Trainer::new(spec.clone(), Arc::new(Rows::new(40)), options(16)).unwrap().model().unwrap();
    let sample = |spec: &GanSpec, count| model.sample(spec, count, 5, Isa::best()).unwrap();
    let many = sample(&spec, 700);
    assert_eq!(sample(&spec, 300), many[..300 * FEATURES]);
    assert!(sample(&spec, 0).is_empty());
    assert_ne!(many[..256 * FEATURES], many[256 * FEATURES..512 * FEATURES], "panels differ");
    spec.generator.layers[0].dropout = 0.5;
    assert_eq!(sample(&spec, 300), many[..300 * FEATURES]);
}
