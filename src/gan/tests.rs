//! The adversarial step as a whole: where its random numbers come from, several steps of D, and what bad input gives.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::plan::Plan;
use super::program::Script;
use super::source::{InMemory, Shape, from_rows};
use super::state::TrainedNetwork;
use super::streams::Stream;
use super::*;
use crate::error::Error;
use crate::gemm::EngineKind;
use crate::kernel::activation::Activation;
use crate::kernel::noise;
use crate::kernel::panel::scatter_rows;
use crate::net::panels::{Panels, PassContext, PassPlan};
use crate::net::pass::{self, Alone};
use crate::net::{LayerTensors, NetworkSpec};
use crate::network::Network;
use crate::parallel::Team;
use crate::simd::{Isa, LANE_GROUP};

const LATENTS: usize = 3;
const FEATURES: usize = 4;
const SEED: u64 = 21;

/// Rows of a matrix `[samples, FEATURES]`.
struct Rows(Vec<f32>);

impl Rows {
    fn new(samples: usize) -> Self {
        Self((0..samples * FEATURES).map(|index| ((index * 7919) % 2003) as f32 / 1001.0 - 1.0).collect())
    }
}

impl Source for Rows {
    fn shape(&self) -> Shape {
        Shape::new(FEATURES, self.0.len() / FEATURES)
    }

    fn in_memory(&self) -> Option<InMemory<'_>> {
        from_rows(&self.0, FEATURES).ok()
    }
}

fn spec(order: Order, hidden: usize) -> GanSpec {
    GanSpec {
        objective: Objective::Minimax,
        order,
        discriminator_steps: 1,
        generator_optimizer: OptimizerSpec::adam(0.001),
        discriminator_optimizer: OptimizerSpec::adam(0.001),
        generator: NetworkSpec::dense(&[LATENTS, 9, FEATURES], Activation::Tanh, 0.0, Activation::Linear),
        discriminator: NetworkSpec::dense(&[FEATURES, hidden, hidden, 1], Activation::Relu, 0.0, Activation::Linear),
    }
}

fn options(batch: usize) -> TrainerOptions {
    TrainerOptions { batch, seed: SEED, shuffle: false, ..Default::default() }
}

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
                    .step_with(&GivenStep {
                        real: &source.0[step * batch * FEATURES..][..batch * FEATURES],
                        discriminator_latents: &latents(Stream::DiscriminatorLatents, step as u64, batch),
                        generator_latents: &latents(Stream::GeneratorLatents, step as u64, batch),
                        keep_real: &[],
                        keep_fake: &[],
                        keep_generator_step: &[],
                    })
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
            let given = GivenStep {
                real: &source.0,
                discriminator_latents: &latents,
                generator_latents: &latents,
                keep_real: &[],
                keep_fake: &[],
                keep_generator_step: &[],
            };
            assert_eq!(keeping.step_with(&given).unwrap(), making.step_with(&given).unwrap(), "{schedule} {batch}");
        }
        assert!(keeping.model().unwrap() == making.model().unwrap(), "{schedule} {batch}");
    }
}

/// A trainer whose passes are joined, and one whose passes are apart.
fn joint_and_apart(
    spec: GanSpec,
    source: &Arc<Rows>,
    batch: usize,
    change: impl Fn(&mut Model),
) -> [Trainer<'static>; 2] {
    let apart = |script: Script, _: &GanSpec, plan: &Plan| script.with_fakes_kept(plan).with_updates_fused(plan);
    let trainers = [
        Trainer::new(spec.clone(), source.clone(), options(batch)),
        Trainer::with_script(spec, source.clone(), options(batch), apart),
    ];
    trainers.map(|trainer| {
        let mut trainer = trainer.unwrap();
        let mut model = trainer.model().unwrap();
        change(&mut model);
        trainer.set_model(&model).unwrap();
        trainer
    })
}

/// D's logits are moved as far as they can be without its probabilities being anything but 0 or 1 in f32, and beyond.
#[test]
fn joint_passes_have_the_gradients_of_separate_ones() {
    let mut complaints = Vec::new();
    for (hidden, batch) in [(8, 20), (8, 300), (400, 20), (400, 600), (400, 1_100)] {
        for objective in [Objective::Minimax, Objective::NonSaturating, Objective::NonSaturatingHalf] {
            for output in [Activation::Linear, Activation::Tanh, Activation::Sigmoid] {
                // The logits' offset, and what they are multiplied by: the last spreads them over some -100 .. 100.
                for (offset, spread) in [(0.0, 1.0), (10.0, 1.0), (-10.0, 1.0), (80.0, 1.0), (-80.0, 1.0), (0.0, 300.0)]
                {
                    let mut spec = GanSpec { objective, ..spec(Order::GeneratorFirstSharedFake, hidden) };
                    spec.generator.layers[1].activation = output;
                    let source = Arc::new(Rows::new(batch));
                    let trainers = joint_and_apart(spec, &source, batch, |model| {
                        let LayerTensors { weight: weights, bias: biases } = &mut model.discriminator[2];
                        weights.iter_mut().for_each(|weight| *weight *= spread);
                        biases[0] = offset;
                    });
                    let [joint, apart] = trainers.map(|mut trainer| {
                        let report = trainer.run(1, 0, |_| ControlFlow::Continue(())).unwrap().unwrap();
                        (report, trainer.gradients().unwrap())
                    });
                    let name = format!("{hidden} {batch} {objective:?} {output:?} {offset} {spread}");
                    if joint.0 != apart.0 {
                        complaints.push(format!("{name}: {:?}, not {:?}", joint.0, apart.0));
                    }
                    // D's gradient of a fake is another only where it is the least one.
                    if offset > -40.0 && spread == 1.0 && joint.1.discriminator != apart.1.discriminator {
                        complaints.push(format!("{name}: gradients of D"));
                    }
                    let networks = [
                        ("D", &joint.1.discriminator, &apart.1.discriminator),
                        ("G", &joint.1.generator, &apart.1.generator),
                    ];
                    for (network, joint, apart) in networks {
                        for (layer, (joint, apart)) in joint.iter().zip(apart).enumerate() {
                            for (joint, apart) in [(&joint.weight, &apart.weight), (&joint.bias, &apart.bias)] {
                                let largest = apart.iter().fold(0.0, |largest: f32, value| largest.max(value.abs()));
                                // Denormal numbers have no relative precision.
                                let bar = 1e-6 * largest + 1e-42;
                                let worst = joint.iter().zip(apart).map(|(joint, apart)| (joint - apart).abs());
                                if !worst.clone().all(|difference| difference <= bar) {
                                    let worst = worst.fold(0.0, f32::max);
                                    complaints.push(format!("{name}: {network} {layer}: {worst:e} of {largest:e}"));
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

/// A number that is not finite shows in the same place whether the passes are joint or not.
#[test]
fn joint_passes_hide_nothing_that_is_not_finite() {
    /// Where a value is put: a parameter of G or D by layer, or a feature of a real sample.
    #[derive(Debug)]
    enum Place {
        Generator(usize),
        Discriminator(usize),
        Real,
    }
    for place in [
        Place::Generator(0),
        Place::Generator(1),
        Place::Discriminator(0),
        Place::Discriminator(1),
        Place::Discriminator(2),
        Place::Real,
    ] {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for objective in [Objective::Minimax, Objective::NonSaturating] {
                let mut rows = Rows::new(20);
                if let Place::Real = place {
                    rows.0[7 * FEATURES] = value;
                }
                let spec = GanSpec { objective, ..spec(Order::GeneratorFirstSharedFake, 8) };
                let trainers = joint_and_apart(spec, &Arc::new(rows), 20, |model| match place {
                    Place::Generator(layer) => model.generator[layer].bias[1] = value,
                    Place::Discriminator(layer) => model.discriminator[layer].bias[0] = value,
                    Place::Real => (),
                });
                let [joint, apart] =
                    trainers.map(|mut trainer| match trainer.run(1, 0, |_| ControlFlow::Continue(())) {
                        Err(Error::NotFinite { step: 1, network, layer, quantity }) => {
                            (network.name(), layer, quantity)
                        }
                        other => panic!("{place:?} {value} {objective:?}: {other:?}"),
                    });
                assert_eq!(joint, apart, "{place:?} {value} {objective:?}");
            }
        }
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
fn the_step_that_meets_nan_in_the_data_names_itself() {
    let mut rows = Rows::new(160);
    rows.0[50 * FEATURES + 1] = f32::NAN;
    let mut trainer = Trainer::new(spec(Order::DiscriminatorFirst, 8), Arc::new(rows), options(16)).unwrap();
    // Steps that are not reported look as well.
    match trainer.run(9, 0, |_| ControlFlow::Continue(())) {
        Err(Error::NotFinite { step: 4, network: Network::Discriminator, layer: 0, quantity: "real sample" }) => (),
        other => panic!("{other:?}"),
    }
    assert_eq!(trainer.steps_done(), 3);
}

#[test]
fn an_update_names_the_layer_that_is_not_finite() {
    for optimizer in [OptimizerSpec::adam(0.1), OptimizerSpec::sgd(1e30), Sgd::new(1e30).with_momentum(0.5).into()] {
        let network = || {
            let spec = NetworkSpec::dense(&[2, 30, 3, 1], Activation::Tanh, 0.0, Activation::Linear);
            let key = Stream::GeneratorParameters.key(1, 0);
            TrainedNetwork::new(Network::Generator, spec, optimizer, Isa::best(), key).unwrap()
        };
        let update = |gradient: f32| {
            let mut network = network();
            let mut gradients = vec![0.0; network.layout.len()];
            gradients[network.layout.layer(1).bias.start] = gradient;
            network.update(&Team::serial(), Isa::best(), &gradients, 7)
        };
        update(0.5).unwrap();
        for gradient in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            match update(gradient) {
                Err(Error::NotFinite { step: 7, network: Network::Generator, layer: 1, quantity: "gradient" }) => (),
                other => panic!("{optimizer:?} {gradient}: {other:?}"),
            }
        }
        // Adam's second moment is its square.
        let adam = matches!(optimizer, OptimizerSpec::Adam(_));
        match update(1e22) {
            Err(Error::NotFinite { step: 7, network: Network::Generator, layer: 1, quantity }) => {
                assert_eq!(quantity, if adam { "gradient" } else { "parameter" });
            }
            other => panic!("{optimizer:?}: {other:?}"),
        }
    }
}

#[test]
fn a_gradient_with_respect_to_fakes_that_is_not_finite_is_an_error() {
    let d = NetworkSpec::dense(&[1, 2, 1], Activation::Linear, 0.0, Activation::Linear);
    let optimizer = OptimizerSpec::sgd(f32::MIN_POSITIVE);
    let mut loss = ModularLoss::new(d, Objective::NonSaturating, optimizer, options(1)).unwrap();
    // Zeros come through; the way back is 1e30 * 1e30.
    loss.set_discriminator(&[
        LayerTensors::new(vec![1e30; 2], vec![0.0; 2]),
        LayerTensors::new(vec![1e30; 2], vec![0.0]),
    ])
    .unwrap();
    match loss.step(&[0.0], &[0.0], &mut [0.0]) {
        Err(Error::NotFinite { step: 1, network: Network::Discriminator, layer: 0, .. }) => (),
        other => panic!("{other:?}"),
    }
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

#[test]
fn bad_input_is_an_error() {
    let good = spec(Order::DiscriminatorFirst, 8);
    let nothing = NetworkSpec { layers: Vec::new(), ..good.generator.clone() };
    let huge = NetworkSpec::dense(&[usize::MAX, usize::MAX, 1], Activation::Relu, 0.0, Activation::Linear);
    let optimizer = OptimizerSpec::sgd(0.1);
    let modular = |spec: &NetworkSpec, optimizer, batch| {
        ModularLoss::new(spec.clone(), Objective::Minimax, optimizer, options(batch)).map(|_| ())
    };
    modular(&good.discriminator, optimizer, 8).unwrap();
    for wrong in [&nothing, &huge, &good.generator] {
        assert!(modular(wrong, optimizer, 8).is_err(), "{wrong:?}");
    }
    assert!(modular(&good.discriminator, optimizer, 0).is_err());
    assert!(modular(&good.discriminator, optimizer, usize::MAX).is_err());
    for epsilon in [0.0, -1.0, f32::NAN, 1e-45] {
        let adam = Adam::new(0.1).with_beta1(0.5).with_beta2(0.5).with_epsilon(epsilon).into();
        assert!(modular(&good.discriminator, adam, 8).is_err(), "epsilon {epsilon}");
    }
    let mut trainer = Trainer::new(good.clone(), Arc::new(Rows::new(40)), options(16)).unwrap();
    let model = trainer.model().unwrap();
    let empty = Model { generator: Vec::new(), discriminator: Vec::new() };
    let half = Model { discriminator: Vec::new(), ..model.clone() };
    for wrong in [&empty, &half] {
        assert!(trainer.set_model(wrong).is_err());
        assert!(trainer.model().unwrap() == model, "nothing is replaced");
        assert!(wrong.to_safetensors(&good).is_err());
    }
    assert!(empty.sample(&good, 10, 1, Isa::best()).is_err());
    assert!(model.sample(&good, usize::MAX, 1, Isa::best()).is_err());
    for generator in [nothing, huge] {
        let spec = GanSpec { generator, ..good.clone() };
        assert!(model.sample(&spec, 10, 1, Isa::best()).is_err());
        assert!(model.to_safetensors(&spec).is_err());
        assert!(Trainer::new(spec, Arc::new(Rows::new(40)), options(16)).is_err());
    }
}

#[test]
fn a_file_of_another_model_is_refused_with_its_reason() {
    let good = spec(Order::DiscriminatorFirst, 8);
    let model = Trainer::new(good.clone(), Arc::new(Rows::new(40)), options(16)).unwrap().model().unwrap();
    let bytes = model.to_safetensors(&good).unwrap();
    assert!(Model::from_safetensors(&bytes, &good, "model").unwrap() == model);
    let problem = |spec: &GanSpec, bytes: &[u8]| {
        Model::from_safetensors(bytes, spec, "model").map(|_| ()).unwrap_err().to_string()
    };
    assert!(problem(&good, &bytes[..bytes.len() - 1]).contains("damaged"));
    assert!(problem(&spec(Order::DiscriminatorFirst, 9), &bytes).contains("discriminator.0.weight"));
    let mut other = good.clone();
    other.discriminator.layers.pop();
    assert!(problem(&other, &bytes).contains("more tensors"));
    other.discriminator.layers = [good.discriminator.layers.clone(), good.discriminator.layers].concat();
    assert!(problem(&other, &bytes).contains("missing"));
}

#[test]
fn trainers_can_go_to_other_threads() {
    fn check<T: Send + Sync>() {}
    check::<Trainer>();
    check::<ModularLoss>();
}

/// A rate that is set is the rate that the trainer was made with; a checkpoint holds it.
#[test]
fn a_learning_rate_can_be_changed_between_steps() {
    use crate::data::synthetic;
    use crate::gan::presets::Preset;

    let points = Arc::new(synthetic::circle(100, 1).unwrap());
    let with = |[generator, discriminator]: [f32; 2]| {
        let spec = Preset::Circle.spec();
        let spec = GanSpec {
            generator_optimizer: spec.generator_optimizer.with_learning_rate(generator),
            discriminator_optimizer: spec.discriminator_optimizer.with_learning_rate(discriminator),
            ..spec
        };
        Trainer::new(spec, points.clone(), TrainerOptions::default()).unwrap()
    };
    let go = |trainer: &mut Trainer| trainer.run(5, 0, |_| ControlFlow::Continue(())).unwrap();
    let (mut set, mut made) = (with([1e-3, 2e-3]), with([3e-3, 4e-3]));
    set.set_learning_rate(Network::Generator, 3e-3).unwrap();
    set.set_learning_rate(Network::Discriminator, 4e-3).unwrap();
    assert_eq!(go(&mut set), go(&mut made));
    assert!(set.checkpoint().unwrap() == made.checkpoint().unwrap());

    // What a resumed run uses: the same rates, or its own where that is allowed.
    set.set_learning_rate(Network::Generator, 5e-4).unwrap();
    let checkpoint = set.checkpoint().unwrap();
    let mut resumed = with([3e-3, 4e-3]);
    let refused = resumed.restore(&checkpoint, Changes::Refused).unwrap_err().to_string();
    assert!(refused.contains("learning_rate"), "{refused}");
    resumed.set_learning_rate(Network::Generator, 5e-4).unwrap();
    resumed.restore(&checkpoint, Changes::Refused).unwrap();
    go(&mut set);
    go(&mut resumed);
    assert!(set.model().unwrap() == resumed.model().unwrap());
    for own in [1e-2, 5e-4] {
        let mut allowed = with([own, 4e-3]);
        allowed.restore(&checkpoint, Changes::Allowed).unwrap();
        assert_eq!(allowed.spec().generator_optimizer.learning_rate(), own);
        go(&mut allowed);
        assert_eq!(set.model().unwrap() == allowed.model().unwrap(), own == 5e-4);
    }

    let before = set.model().unwrap();
    for wrong in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(matches!(set.set_learning_rate(Network::Discriminator, wrong), Err(Error::InvalidSetting { .. })));
    }
    assert_eq!(set.spec().discriminator_optimizer.learning_rate(), 4e-3);
    assert!(set.model().unwrap() == before);
}

/// The names and values of views are those of model files and models.
#[test]
fn views_show_parameters_and_gradients_where_they_stand() {
    use crate::data::synthetic;
    use crate::gan::presets::Preset;

    // Rows of 256 weights stand apart.
    let spec = GanSpec {
        generator: NetworkSpec::dense(&[2, 256, 2], Activation::Relu, 0.0, Activation::Linear),
        ..Preset::Circle.spec()
    };
    let points = Arc::new(synthetic::circle(100, 1).unwrap());
    let mut trainer = Trainer::new(spec, points, TrainerOptions::default()).unwrap();
    trainer.run(3, 0, |_| ControlFlow::Continue(())).unwrap();
    let model = trainer.model().unwrap();
    let file = model.to_safetensors(trainer.spec()).unwrap();
    let file = safetensors::SafeTensors::deserialize(&file).unwrap();
    let (mut names, gradients) = (0, trainer.gradients().unwrap());
    for network in Network::ALL {
        for (views, copies) in [
            (trainer.parameters(network).collect::<Vec<_>>(), model.network(network)),
            (trainer.parameter_gradients(network).collect(), gradients.network(network)),
        ] {
            let copies = copies.iter().flat_map(|layer| [&layer.weight, &layer.bias]);
            assert_eq!(views.len(), copies.clone().count());
            for (view, copy) in views.iter().zip(copies) {
                assert_eq!(view.values().collect::<Vec<_>>(), *copy, "{}", view.name());
                assert_eq!(file.tensor(&view.name().to_string()).unwrap().shape(), view.shape());
                names += 1;
            }
        }
    }
    assert_eq!(names, 2 * file.len());
}
