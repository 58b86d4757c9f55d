//! Each rewriting against the program without it, and what is counted against what the engines really do.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::*;
use crate::data::ArraySource;
use crate::error::Error;
use crate::gan::cut::Cut;
use crate::gan::form::Form;
use crate::gan::plan::{Plan, PlanSummary};
use crate::gan::presets::Preset;
use crate::gan::{Changes, GanSpec, ModularLoss, Objective, OptimizerSpec, Order, Penalties, Trainer, TrainerOptions};
use crate::gemm::{Engine, EngineKind, OuterProduct, PanelProduct};
use crate::kernel::activation::Activation;
use crate::net::NetworkSpec;
use crate::net::tape::STAGGER;
use crate::simd::Isa;

const FEATURES: usize = 4;
const ORDERS: [Order; 3] =
    [Order::DiscriminatorFirst, Order::DiscriminatorFirstSharedFake, Order::GeneratorFirstSharedFake];

/// Hidden units of D, and batch: one tile; several slots; panels that all threads share; several chunks of these.
const PLANS: [(usize, usize, &str); 4] =
    [(8, 20, "serial"), (8, 4_500, "tile-parallel"), (400, 100, "layer-parallel"), (400, 1_100, "layer-parallel")];

fn spec(order: Order, hidden: usize, dropout: f32, objective: Objective) -> GanSpec {
    let sizes = [FEATURES, hidden, hidden, objective.logits()];
    GanSpec {
        objective,
        order,
        discriminator_steps: 1,
        generator_optimizer: OptimizerSpec::adam(0.001),
        discriminator_optimizer: OptimizerSpec::adam(0.001),
        ..GanSpec::new(
            NetworkSpec::dense(&[3, 9, FEATURES], Activation::Tanh, 0.0, Activation::Linear),
            NetworkSpec::dense(&sizes, Activation::Relu, dropout, Activation::Linear),
        )
    }
}

fn plan(spec: &GanSpec, batch: usize, shards: usize) -> Plan {
    let batch = Cut::new(batch, shards).unwrap();
    Plan::new(Some(&spec.generator), &spec.discriminator, (batch, 1), 2, EngineKind::Native, Isa::best())
}

fn source(samples: usize, features: usize) -> Arc<ArraySource> {
    let values = (0..samples * features).map(|index| ((index * 7919) % 2003) as f32 / 1001.0 - 1.0).collect();
    Arc::new(ArraySource::new(values, features).unwrap())
}

/// What D learns: its loss alone; with penalties at its samples; with those between, at every second turn; beside real samples.
fn learned() -> [(Objective, Penalties); 5] {
    let none = Penalties::default();
    [
        (Objective::NonSaturating, none),
        (Objective::Softmax, none.with_r1(0.5).with_r2(0.25)),
        (Objective::Hinge, none.with_r1(0.5).with_gradient_penalty(1.0).with_interval(2)),
        (Objective::RelativisticPairing, none.with_gradient_penalty(1.0)),
        (Objective::RelativisticAverage, none),
    ]
}

/// Three steps of every order and plan, with and without dropout, at one and two threads, are those of the plain script, bit for
/// bit. `changed` says for which the script is another.
fn keeps_the_bits(
    rewrite: fn(Script, &GanSpec, &Plan) -> Script,
    changed: impl Fn(&GanSpec, &PlanSummary, usize) -> bool,
) {
    for (order, (objective, penalties)) in
        ORDERS.into_iter().flat_map(|order| learned().map(|learned| (order, learned)))
    {
        for (hidden, batch, schedule) in PLANS {
            for dropout in [0.0, 0.5] {
                let ways = [(2, 1), (1, 2), (1, 1), (2, 2)];
                for &(threads, shards) in &ways[..if penalties.is_none() { 4 } else { 2 }] {
                    let spec = spec(order, hidden, dropout, objective).with_penalties(penalties);
                    let name = format!("{order:?} {objective:?} {schedule} {batch} {dropout} {threads} {shards}");
                    let mut summary = None;
                    let trainers = [|script, _: &GanSpec, _: &Plan| script, rewrite].map(|rewrite| {
                        let options = TrainerOptions { batch, shards, threads, ..Default::default() };
                        let samples = source(batch + 7, FEATURES);
                        let mut trainer = Trainer::with_script(spec.clone(), samples, options, rewrite).unwrap();
                        assert!(shards > 1 || trainer.plan().schedule == schedule);
                        summary = Some(trainer.plan());
                        let report = trainer.run(3, 1, |_| ControlFlow::Continue(())).unwrap();
                        (report, trainer.model().unwrap(), trainer.gradients().unwrap())
                    });
                    assert!(trainers[0] == trainers[1], "{name}");
                    let rewritten = rewrite(Script::new(&spec), &spec, &plan(&spec, batch, shards));
                    assert_eq!(rewritten != Script::new(&spec), changed(&spec, &summary.unwrap(), batch), "{name}");
                }
            }
        }
    }
}

#[test]
fn fakes_that_are_kept_are_those_that_would_be_made_again() {
    keeps_the_bits(
        |script, _, plan| script.with_fakes_kept(plan),
        |spec, plan, batch| match spec.order {
            // D judges each turn's batch twice.
            _ if spec.objective == Objective::RelativisticAverage => batch <= 100 && plan.shards == 1,
            Order::DiscriminatorFirst => false,
            // Only where the batch is one chunk do they still stand in G's turn.
            Order::DiscriminatorFirstSharedFake => batch <= 100 && plan.shards == 1,
            Order::GeneratorFirstSharedFake => true,
        },
    );
}

#[test]
fn updates_in_the_last_backward_pass_are_those_after_it() {
    keeps_the_bits(
        |script, _, plan| script.with_updates_fused(plan, |_| false),
        |spec, plan, _| {
            // In this order the one pass that could update is D's last one, which may be left out.
            let at_times = spec.penalties.gradient_penalty > 0.0 && spec.penalties.interval > 1;
            let never = spec.order == Order::GeneratorFirstSharedFake && at_times;
            plan.schedule == "layer-parallel" && plan.shards == 1 && !never
        },
    );
}

/// The gradients of joined passes are compared in [`crate::gan::tests`]; here, when they may be joined.
#[test]
fn passes_are_joined_only_where_one_gradient_is_a_multiple_of_the_other() {
    for order in ORDERS {
        for objective in [Objective::Minimax, Objective::NonSaturatingHalf, Objective::Softmax] {
            for dropout in [0.0, 0.1] {
                for (hidden, batch, _) in PLANS {
                    let spec = spec(order, hidden, dropout, objective);
                    let kept = Script::new(&spec).with_fakes_kept(&plan(&spec, batch, 1));
                    let may =
                        order == Order::GeneratorFirstSharedFake && objective != Objective::Softmax && dropout == 0.0;
                    let joined = kept.clone().with_passes_joined(&spec);
                    assert_eq!(joined != kept, may, "{order:?} {objective:?} {dropout} {batch}");
                    // Fakes that are made a second time may be others.
                    assert_eq!(Script::new(&spec).with_passes_joined(&spec), Script::new(&spec));
                }
            }
        }
    }
}

/// The nominal work: `12 M_D + 4 M_D' + 6 M_G + 2 M_G'` with one step of D per step of G, with M the weights of a network and M'
/// those beyond its first layer.
#[test]
fn the_work_of_a_step_is_counted_from_its_passes() {
    for order in ORDERS {
        for turns in [1, 3] {
            let spec = GanSpec { discriminator_steps: turns, ..spec(order, 8, 0.0, Objective::Minimax) };
            let [d, g] = [&spec.discriminator, &spec.generator]
                .map(|network| (network.weights() as u64, network.weights_beyond_first() as u64));
            let of_discriminator = 8 * d.0 + 4 * d.1 + 2 * g.0;
            let expected = turns as u64 * of_discriminator + 4 * d.0 + 4 * g.0 + 2 * g.1;
            if turns == 1 || order != Order::GeneratorFirstSharedFake {
                assert_eq!(spec.flop_per_sample(), expected, "{order:?} {turns}");
            }
        }
    }
}

/// Of piecewise linear networks penalties cost a pass back to the first input and a tangent pass, which the last layer has no part in;
/// where they come at every n-th turn, a share of that.
#[test]
fn the_work_of_penalties_is_counted_from_their_passes() {
    let plain = spec(Order::DiscriminatorFirst, 8, 0.0, Objective::NonSaturating);
    let weights = |from: usize, to: usize| {
        plain.discriminator.layers[from..to].iter().map(|layer| (layer.inputs * layer.outputs) as u64).sum::<u64>()
    };
    let flop = |penalties| plain.clone().with_penalties(penalties).flop_per_sample() - plain.flop_per_sample();
    let none = Penalties::default();
    let (back, tangents) = (4 * weights(0, 1), 4 * weights(0, 2));
    assert_eq!(flop(none.with_r1(1.0)), back + tangents);
    assert_eq!(flop(none.with_r1(1.0).with_r2(2.0)), back + tangents);
    assert_eq!(flop(none.with_r1(1.0).with_interval(4)), (back + tangents) / 4);
    // No specification that may be trained, but one that may be counted.
    assert_eq!(flop(none.with_r1(1.0).with_interval(0)), back + tangents);
    // Samples between have no loss: forward, back to the input, tangents, and the gradients of the weights.
    assert_eq!(flop(none.with_gradient_penalty(1.0)), 2 * (3 * weights(0, 3) + weights(0, 2)));
}

/// The native engine, counting its products as [`PlanSummary`](crate::gan::PlanSummary) does: a weight gradient for each panel.
/// Panics behind the last that it may compute.
struct Counting {
    products: AtomicU64,
    last: AtomicU64,
}

impl Counting {
    fn new() -> &'static Self {
        Box::leak(Box::new(Self { products: AtomicU64::new(0), last: AtomicU64::new(u64::MAX) }))
    }

    fn count(&self, products: usize) -> &'static dyn Engine {
        let before = self.products.fetch_add(products as u64, Relaxed);
        assert!(before + products as u64 <= self.last.load(Relaxed), "told to, after {before} products");
        EngineKind::Native.engine()
    }
}

impl Engine for Counting {
    fn panel_product(&self, isa: Isa, product: PanelProduct<'_>) {
        self.count(1).panel_product(isa, product);
    }

    fn outer_product(&self, isa: Isa, product: OuterProduct<'_>) -> bool {
        self.count(product.lanes.panels).outer_product(isa, product)
    }
}

#[test]
fn products_are_counted_as_the_engine_meets_them() {
    let presets = Preset::ALL.iter().map(|preset| preset.spec());
    let orders = ORDERS.into_iter().flat_map(|order| {
        let turns = if order == Order::GeneratorFirstSharedFake { 1 } else { 2 };
        PLANS.map(|(hidden, ..)| GanSpec {
            discriminator_steps: turns,
            ..spec(order, hidden, 0.0, Objective::NonSaturating)
        })
    });
    let of_penalties = learned().map(|(objective, penalties)| {
        let spec = spec(Order::DiscriminatorFirst, 12, 0.25, objective).with_penalties(penalties.with_interval(1));
        // One activation with a second derivative, between those without.
        let mut curved = spec.clone();
        curved.discriminator.layers[0].activation = Activation::Tanh;
        [spec, curved]
    });
    for spec in presets.chain(orders).chain(of_penalties.into_iter().flatten()) {
        for (batch, shards, threads) in
            [(1, 1, 1), (20, 1, 2), (20, 4, 2), (200, 1, 1), (201, 2, 2), (1_100, 1, 2), (4_500, 1, 3), (4_500, 4, 3)]
        {
            // Wide networks are slow at large batches, and have only one schedule.
            if spec.generator.weights() + spec.discriminator.weights() > 500_000 && batch > 200 {
                continue;
            }
            let engine = Counting::new();
            let options = TrainerOptions { batch, shards, threads, ..Default::default() };
            let samples = source(batch, spec.row_features());
            let mut trainer = Trainer::new(spec.clone(), samples, options.clone()).unwrap();
            trainer.plan.pass.engine = engine;
            trainer.run(2, 1, |_| ControlFlow::Continue(())).unwrap();
            let name = format!("{:?} {batch} {shards} {threads} {}", spec.order, trainer.plan().schedule);
            assert_eq!(engine.products.load(Relaxed), 2 * trainer.plan().products_per_step, "{name}");

            let (discriminator, optimizer) = (spec.discriminator.clone(), spec.discriminator_optimizer);
            let mut modular =
                ModularLoss::with_penalties(discriminator, spec.objective, spec.penalties, optimizer, options).unwrap();
            modular.plan.pass.engine = engine;
            let fakes = vec![0.1; batch * spec.row_features()];
            let before = engine.products.load(Relaxed);
            modular.step(&fakes, &fakes, &mut vec![0.0; fakes.len()]).unwrap();
            assert_eq!(engine.products.load(Relaxed) - before, modular.plan().products_per_step, "modular {name}");
        }
    }
}

/// A panic before the first update leaves the state of before the step; one behind it leaves none.
#[test]
fn a_panic_in_the_middle_of_a_step_is_told_from_one_before_it() {
    let go = |trainer: &mut Trainer<'_>| trainer.run(1, 0, |_| ControlFlow::Continue(())).map(|_| ());
    for order in ORDERS {
        for (hidden, batch, schedule) in PLANS {
            for threads in 1..=3 {
                let name = format!("{order:?} {schedule} {batch} {threads}");
                let turns = if order == Order::GeneratorFirstSharedFake { 1 } else { 2 };
                let spec = GanSpec { discriminator_steps: turns, ..spec(order, hidden, 0.0, Objective::NonSaturating) };
                let options = TrainerOptions { batch, threads, ..Default::default() };
                let mut trainer = Trainer::new(spec, source(batch + 7, FEATURES), options).unwrap();
                let engine = Counting::new();
                trainer.plan.pass.engine = engine;
                go(&mut trainer).unwrap();
                let saved = trainer.checkpoint().unwrap();
                let of_step = engine.products.swap(0, Relaxed);
                go(&mut trainer).unwrap();
                assert_eq!(engine.products.load(Relaxed), of_step);
                let expected = trainer.checkpoint().unwrap();
                let mut kinds = Vec::new();
                for at in [0, of_step / 3, of_step * 2 / 3, of_step - 1] {
                    trainer.restore(&saved, Changes::Refused).unwrap();
                    engine.products.store(0, Relaxed);
                    engine.last.store(at, Relaxed);
                    assert!(catch_unwind(AssertUnwindSafe(|| go(&mut trainer))).is_err(), "{name} {at}");
                    engine.last.store(u64::MAX, Relaxed);
                    match go(&mut trainer).unwrap_err() {
                        Error::Poisoned { step: 2 } => assert!(trainer.checkpoint().unwrap() == saved, "{name} {at}"),
                        Error::HalfDone { step: 2 } => assert!(trainer.checkpoint().is_err(), "{name} {at}"),
                        other => panic!("{name} {at}: {other}"),
                    }
                    kinds.push(trainer.checkpoint().is_ok());
                    // A model alone is enough to go on, whatever its optimizers remember.
                    trainer.set_model(saved.model()).unwrap();
                    go(&mut trainer).unwrap();
                }
                trainer.restore(&saved, Changes::Refused).unwrap();
                go(&mut trainer).unwrap();
                assert!(trainer.checkpoint().unwrap() == expected, "{name}");
                if turns == 2 {
                    assert!(!kinds[3], "{name}: D is updated before the last product of G");
                }
                if schedule != "layer-parallel" {
                    assert!(kinds[0], "{name}: nothing is updated before the first product");
                }
            }
        }
    }
}

#[test]
fn memory_does_not_grow_with_the_batch() {
    let spec = Preset::Mnist.spec();
    let memory = |batch| {
        let (generator, discriminator) = (Some(&spec.generator), &spec.discriminator);
        let plan = plan(&spec, batch, 1);
        let program = Program::new(&Form::default().script(&spec, &plan), generator, discriminator, &plan);
        plan.memory(generator, discriminator, &program.tape, 0) - 4 * batch as u64
    };
    assert_eq!(memory(65_536), memory(1_024));
    assert!(memory(65_536) < 1 << 28);
}

/// Nothing is kept longer than it is used: the gradients alternate between two places, whatever the number of layers.
#[test]
fn gradients_take_two_places() {
    let bytes = |layers: usize| {
        let sizes = |from: usize, to: usize| {
            let hidden = std::iter::repeat_n(16, layers);
            std::iter::once(from).chain(hidden).chain([to]).collect::<Vec<_>>()
        };
        let dense = |sizes: &[usize]| NetworkSpec::dense(sizes, Activation::Tanh, 0.0, Activation::Linear);
        let spec = GanSpec {
            generator: dense(&sizes(2, 2)),
            discriminator: dense(&sizes(2, 1)),
            ..spec(Order::DiscriminatorFirst, 8, 0.0, Objective::Minimax)
        };
        let plan = plan(&spec, 16, 1);
        let script = Form::default().script(&spec, &plan);
        Program::new(&script, Some(&spec.generator), &spec.discriminator, &plan).tape.bytes()
    };
    // A layer more is an output of G and one of D's pairs more.
    assert_eq!(bytes(6) - bytes(5), 4 * (16 * 16 + 16 * 32 + 2 * STAGGER as u64));
}
