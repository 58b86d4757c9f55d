//! A training step allocates nothing of its own: the global allocator of this process counts, on all threads together,
//! exactly one allocation for each product of the matrixmultiply engine. And what a run takes before its first step is what
//! its plan says.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use gannet::Error;
use gannet::cpu::EngineKind;
use gannet::data::{ArraySource, Balanced};
use gannet::gan::health::examine;
use gannet::gan::presets::Preset;
use gannet::gan::source::Extent;
use gannet::gan::{
    AdamW, Checkpoint, DenseNetwork, DenseRun, GradientMode, Gradients, ModularLoss, Network, RateSchedule, Replicas,
    RmsProp, Source, Trainer, TrainerOptions, source,
};
use gannet::net::{Activation, NetworkSpec, Normalization};

/// The system's allocator with a count of its calls.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Whether this thread's allocations are no step's: it records beside the training.
    static RECORDS: Cell<bool> = const { Cell::new(false) };
}

/// Counts an allocation of this thread.
fn count() {
    if !RECORDS.get() {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    }
}

/// Bytes taken and not given back.
static LIVE: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        LIVE.fetch_add(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        LIVE.fetch_add(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        LIVE.fetch_add(new_size as u64, Ordering::Relaxed);
        LIVE.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.realloc(memory, layout, new_size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Presets of all sizes and sources. Those that train the same by other recipes do what the recipes of [`common`] do.
fn presets() -> impl Iterator<Item = Preset> + Clone {
    let same = [Preset::CircleBest, Preset::Gaussian2dBest, Preset::Ring8];
    common::presets().filter(move |preset| !same.contains(preset))
}

/// Steps that are counted, after the first: some forty turns of the data. `scripts/allocations.sh` counts longer runs from outside.
const STEPS: u64 = 100;

/// Time for threads to start and to end.
const SETTLING: Duration = Duration::from_millis(200);

/// Lets the threads of a run start, and those of the run before end: threads allocate when they do. One thread is the caller's, and
/// cases of one thread come first.
fn settle(threads: usize) {
    if threads > 1 {
        std::thread::sleep(SETTLING);
    }
}

/// Allocations that one product of an engine makes inside the library it stands on.
fn allocations_per_product(engine: EngineKind) -> u64 {
    // `auto` is the native engine throughout on the processors with fused multiply-adds.
    u64::from(engine == EngineKind::Matrixmultiply)
}

// Without the test harness: its thread would be counted when it reports that a test has been running for a minute.
fn main() {
    let tests = [
        plans_say_what_a_run_takes,
        passes_of_a_dense_network_allocate_nothing,
        steered_steps_allocate_nothing,
        steps_allocate_nothing_of_their_own,
        turns_alone_and_answers_allocate_nothing,
        steps_with_hooks_allocate_nothing,
        steps_of_every_recipe_allocate_nothing,
        steps_of_replicas_allocate_nothing,
        sources_of_every_kind_allocate_nothing,
        steps_of_a_shared_batch_allocate_nothing,
        steps_allocate_nothing_while_a_run_is_recorded,
    ];
    for test in tests {
        test();
        std::thread::sleep(SETTLING);
    }
}

/// What a plan leaves out: specifications, the names and lengths of regions, and the records of slots, at most 32 for each shard.
const BESIDE_THE_PLAN: u64 = 48 * 1024;

fn plans_say_what_a_run_takes() {
    /// A batch whose rows and gradients would not hide in what a plan leaves out.
    const BATCH: usize = 20_000;
    let check = |name: &str, planned: u64, taken: u64| {
        let fits = (planned..=planned + BESIDE_THE_PLAN).contains(&taken);
        assert!(fits, "{name}: planned {planned} bytes, took {taken}");
    };
    // Presets with Adam, for whose moments a plan has room.
    let presets = [Preset::Circle, Preset::Gaussian2d, Preset::Mixture1dDeep];
    for (preset, shards) in presets.into_iter().flat_map(|preset| [(preset, 1), (preset, 4)]) {
        let options = TrainerOptions::default().with_batch(BATCH).with_shards(shards);
        let (spec, source) = (preset.spec(), common::source(preset, BATCH + 3));
        let before = LIVE.load(Ordering::Relaxed);
        let trainer = Trainer::new(spec.clone(), source.clone(), options.clone()).unwrap();
        let planned = trainer.plan().memory;
        check(preset.name(), planned, LIVE.load(Ordering::Relaxed) - before);
        drop(trainer);
        let limited = |limit| {
            let options = options.clone().with_memory_limit(limit);
            Trainer::new(spec.clone(), source.clone(), options).map(|_| ())
        };
        limited(planned).unwrap();
        assert!(matches!(limited(planned - 1), Err(Error::MemoryLimit { needed, .. }) if needed == planned));

        let before = LIVE.load(Ordering::Relaxed);
        let (objective, optimizer) = (spec.objective, spec.discriminator_optimizer);
        let loss = ModularLoss::new(spec.discriminator.clone(), objective, optimizer, options.clone()).unwrap();
        check(&format!("modular {}", preset.name()), loss.plan().memory, LIVE.load(Ordering::Relaxed) - before);
    }
}

/// On one thread each call on its own; with more, each call enters the pool, for which rayon allocates, unless it is part of a run.
fn passes_of_a_dense_network_allocate_nothing() {
    const ROWS: usize = 700;
    let normalizations = [Normalization::Layer, Normalization::Batch, Normalization::Spectral];
    for (threads, normalization) in [1, 2, 3].into_iter().flat_map(|threads| normalizations.map(|of| (threads, of))) {
        for hidden in [24, 400] {
            let spec = NetworkSpec::dense(&[3, hidden, hidden, 2], Activation::Tanh, 0.2, Activation::Linear)
                .with_normalization(normalization);
            let options =
                TrainerOptions::default().with_batch(ROWS).with_threads(threads).with_engine(EngineKind::Native);
            let before = LIVE.load(Ordering::Relaxed);
            let mut network = DenseNetwork::new(spec, options).unwrap();
            let (taken, planned) = (LIVE.load(Ordering::Relaxed) - before, network.memory());
            let fits = (planned..=planned + BESIDE_THE_PLAN).contains(&taken);
            // More threads than one bring a pool, which is not counted.
            assert!(threads > 1 || fits, "planned {planned}, took {taken}");
            let (rows, gradient) = (vec![0.5; ROWS * 3], vec![1.0; ROWS * 2]);
            let (mut outputs, mut row_gradient) = (vec![0.0; ROWS * 2], vec![0.0; ROWS * 3]);
            let mut parameters = network.parameters().unwrap();
            let mut round = |run: &mut DenseRun<'_>, count: usize| {
                run.forward(&rows[..3 * count], &mut outputs[..2 * count]).unwrap();
                run.backward(&gradient[..2 * count], None, GradientMode::Overwrite).unwrap();
                run.forward_in_training(&rows[..3 * count], 7, &mut outputs[..2 * count]).unwrap();
                let to_rows = Some(&mut row_gradient[..3 * count]);
                run.backward(&gradient[..2 * count], to_rows, GradientMode::Accumulate).unwrap();
                for (layer, tensors) in parameters.iter_mut().enumerate() {
                    let network = run.network();
                    network.read_layer_gradients(layer, &mut tensors.weight, &mut tensors.bias).unwrap();
                    network.read_layer(layer, &mut tensors.weight, &mut tensors.bias).unwrap();
                    network.set_layer(layer, &tensors.weight, &tensors.bias).unwrap();
                }
                run.network().set_parameters(&parameters).unwrap();
            };
            let allocations = network.run(|run| {
                round(run, ROWS);
                settle(threads);
                let before = ALLOCATIONS.load(Ordering::Relaxed);
                [ROWS, 2, 130, 0, 500].into_iter().for_each(|count| round(run, count));
                ALLOCATIONS.load(Ordering::Relaxed) - before
            });
            assert_eq!(allocations, 0, "{hidden}, {normalization:?}, with {threads} threads");
            if threads == 1 {
                let before = ALLOCATIONS.load(Ordering::Relaxed);
                network.run(|run| round(run, 200));
                network.forward(&rows, &mut outputs).unwrap();
                network.backward(&gradient, None, GradientMode::Overwrite).unwrap();
                assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0, "{hidden}, call by call");
            }
        }
    }
}

/// On one thread: with more, each call enters the pool, for which rayon allocates.
fn turns_alone_and_answers_allocate_nothing() {
    for (preset, batch) in [(Preset::Circle, 200), (Preset::Mnist, 16)] {
        let options = TrainerOptions::default().with_batch(batch).with_engine(EngineKind::Native);
        let mut trainer = common::trainer(preset, options);
        let mut sampler = trainer.sampler().unwrap();
        let mut rows = vec![0.0; 300 * sampler.features()];
        let mut round = || {
            trainer.step_discriminator().unwrap();
            trainer.step_generator().unwrap();
            let answer = |fakes: &[f32], gradient: &mut [f32]| {
                gradient.iter_mut().zip(fakes).for_each(|(gradient, fake)| *gradient = 1e-6 * fake);
                Ok(())
            };
            trainer.step_generator_with(answer).unwrap();
            trainer.set_learning_rate(Network::Discriminator, 1e-4).unwrap();
            sampler.sample(3, 0, &mut rows).unwrap();
        };
        // The first turns prepare the trainer.
        round();
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        (0..20).for_each(|_| round());
        assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0, "{preset:?}");
    }
}

fn steps_with_hooks_allocate_nothing() {
    for threads in [1, 2] {
        for (preset, batch) in [(Preset::Circle, 200), (Preset::Mnist, 16)] {
            let options =
                TrainerOptions::default().with_batch(batch).with_threads(threads).with_engine(EngineKind::Native);
            let mut trainer = common::trainer(preset, options);
            let mut clip = |gradients: &mut Gradients<'_>| gradients.clip_norm(1e-3);
            let (mut first, mut last) = (0, 0);
            trainer
                .run_with(20, 1, Some(&mut clip), |report, trainer| {
                    let weights = trainer.parameters(Network::Generator).flat_map(|tensor| tensor.values());
                    assert!(weights.sum::<f32>().is_finite());
                    if report.step == 1 {
                        settle(threads);
                        first = ALLOCATIONS.load(Ordering::Relaxed);
                    }
                    last = ALLOCATIONS.load(Ordering::Relaxed);
                    Ok(ControlFlow::Continue(()))
                })
                .unwrap();
            assert_eq!(last - first, 0, "{preset:?} with {threads} threads");
        }
    }
}

/// Allocations in so many steps with so many threads, after the first of them. They are counted inside the run: entering the pool may
/// allocate, a step may not.
fn allocations(trainer: &mut Trainer<'_>, threads: usize, steps: u64) -> u64 {
    let (mut first, mut last) = (0, 0);
    trainer
        .run(steps + 1, 1, |report| {
            if report.step == 1 {
                settle(threads);
                first = ALLOCATIONS.load(Ordering::Relaxed);
            }
            last = ALLOCATIONS.load(Ordering::Relaxed);
            ControlFlow::Continue(())
        })
        .unwrap();
    last - first
}

fn steps_of_every_recipe_allocate_nothing() {
    for (threads, shards) in [(1, 1), (2, 4)] {
        for (hidden, batch) in [(16, 200), (400, 70)] {
            for (name, spec) in common::recipes(hidden) {
                let options = TrainerOptions::default()
                    .with_batch(batch / spec.packing * spec.packing)
                    .with_threads(threads)
                    .with_shards(shards)
                    .with_engine(EngineKind::Native);
                let source = common::source(Preset::Circle, batch);
                let before = LIVE.load(Ordering::Relaxed);
                let mut trainer = Trainer::new(spec.clone(), source, options).unwrap();
                let (taken, planned) = (LIVE.load(Ordering::Relaxed) - before, trainer.plan().memory);
                assert!(threads > 1 || taken <= planned + BESIDE_THE_PLAN, "{name}: planned {planned}, took {taken}");
                assert_eq!(allocations(&mut trainer, threads, 20), 0, "{name}: {hidden} with {threads} threads");
            }
        }
    }
}

/// What a specification may have beside the presets: other optimizers, an average of G's parameters.
fn steered_steps_allocate_nothing() {
    for (threads, shards) in [(1, 1), (2, 1), (2, 4)] {
        for (preset, batch) in [(Preset::Circle, 200), (Preset::Mnist, 16)] {
            let spec = preset
                .spec()
                .with_generator_optimizer(AdamW::new(1e-4))
                .with_discriminator_optimizer(RmsProp::new(1e-4))
                .with_ema_decay(0.99)
                .with_generator_clip_norm(1e-3)
                .with_discriminator_clip_norm(1e-3)
                .with_schedule(RateSchedule::cosine(15).with_warmup(5));
            let source = common::source(preset, 500);
            let options = TrainerOptions::default()
                .with_batch(batch)
                .with_shards(shards)
                .with_threads(threads)
                .with_engine(EngineKind::Native);
            let before = LIVE.load(Ordering::Relaxed);
            let mut trainer = Trainer::new(spec, source, options).unwrap();
            let (taken, planned) = (LIVE.load(Ordering::Relaxed) - before, trainer.plan().memory);
            // RMSprop keeps one state less than a plan has room for; more threads than one bring a pool, which no plan counts.
            let spare = 4 * parameters(&trainer, Network::Discriminator);
            assert!(threads > 1 || (planned - spare..=planned + BESIDE_THE_PLAN).contains(&taken), "{planned} {taken}");
            assert_eq!(
                allocations(&mut trainer, threads, 20),
                0,
                "{preset:?} with {threads} threads and {shards} shards"
            );
        }
    }
}

/// The parameters of a network, with room for what aligns them.
fn parameters(trainer: &Trainer<'_>, network: Network) -> u64 {
    let values: usize = trainer.parameters(network).map(|tensor| tensor.shape().iter().product::<usize>()).sum();
    values as u64 + 16 * 1024
}

fn steps_allocate_nothing_of_their_own() {
    let mut failures = Vec::new();
    // More than a tile, so that two threads have work; for the wide networks a batch that keeps the test short. With
    // `gaussian2d` also a batch of one tile, whose fakes are not made again.
    let batch = |preset| if preset == Preset::Mnist { 16 } else { 200 };
    for (threads, shards) in [(1, 1), (2, 1), (2, 4)] {
        let cases = presets().map(|preset| (preset, batch(preset))).chain([(Preset::Gaussian2d, 32)]);
        for ((preset, batch), engine) in cases.flat_map(|case| EngineKind::ALL.map(|engine| (case, engine))) {
            let options = TrainerOptions::default()
                .with_batch(batch)
                .with_shards(shards)
                .with_threads(threads)
                .with_engine(engine);
            let mut trainer = common::trainer(preset, options);
            let expected = STEPS * trainer.plan().products_per_step * allocations_per_product(engine);
            let counted = allocations(&mut trainer, threads, STEPS);
            if counted != expected {
                let name = format!("{} batch {batch} {shards} {threads} {engine}", preset.name());
                failures.push(format!("{name}: {counted} instead of {expected}"));
            }
        }
    }
    assert!(failures.is_empty(), "allocations in {STEPS} steps:\n{}", failures.join("\n"));
}

/// Sources that are read in place, and those that write their samples.
fn sources_of_every_kind_allocate_nothing() {
    const BATCH: usize = 200;
    let spec = Preset::Circle.spec().with_discriminator_steps(2);
    let values: Vec<f32> = (0..1_000).map(|index| (index as f32).sin()).collect();
    let bytes: Vec<u8> = (0..1_000).map(|index| (index * 7919 % 251) as u8).collect();
    let write = |number: u64, row: &mut [f32]| row.fill((number as f32).sin());
    let labels: Vec<u32> = (0..500).map(|row| u32::from(row < 20)).collect();
    let points = Arc::new(ArraySource::new(values.clone(), 2).unwrap());
    let sources: [(&str, Arc<dyn Source + '_>); 6] = [
        ("rows", Arc::new(source::from_rows(&values, 2).unwrap())),
        ("bytes", Arc::new(source::from_bytes(&bytes, 2, 0.01, -1.0).unwrap())),
        ("function", Arc::new(source::from_fn(2, 500, write))),
        ("balanced", Arc::new(Balanced::new(points, labels, 2, 3).unwrap())),
        ("endless function", Arc::new(source::from_fn(2, Extent::Endless, write))),
        (
            "stream",
            Arc::new(source::stream(2, |number, row| {
                write(number, row);
                Ok::<(), Infallible>(())
            })),
        ),
    ];
    let mut failures = Vec::new();
    for threads in [1, 2, 3] {
        for (name, source) in &sources {
            let options = TrainerOptions::default().with_batch(BATCH).with_threads(threads);
            let before = LIVE.load(Ordering::Relaxed);
            let mut trainer = Trainer::new(spec.clone(), source.clone(), options).unwrap();
            let (taken, planned) = (LIVE.load(Ordering::Relaxed) - before, trainer.plan().memory);
            // More threads than one bring a pool, which no plan counts.
            if threads == 1 && !(planned..=planned + BESIDE_THE_PLAN).contains(&taken) {
                failures.push(format!("{name}: planned {planned} bytes, took {taken}"));
            }
            let counted = allocations(&mut trainer, threads, STEPS);
            if counted != 0 {
                failures.push(format!("{name} at {threads} threads: {counted} allocations in {STEPS} steps"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn steps_of_replicas_allocate_nothing() {
    /// No multiple of two threads: they take turns.
    const REPLICAS: usize = 3;
    let mut failures = Vec::new();
    // The wide networks of `mnist` would take long, and take the same path.
    for threads in [1, 2, 3] {
        for preset in presets().filter(|&preset| preset != Preset::Mnist) {
            let source = common::source(preset, 500);
            let options =
                TrainerOptions::default().with_batch(200).with_threads(threads).with_shuffle(preset.shuffle());
            let mut replicas = Replicas::new(&preset.spec(), REPLICAS, options, |_| Ok(source.clone())).unwrap();
            let (first, last) = (AtomicU64::new(0), AtomicU64::new(0));
            let outcomes = replicas.run(STEPS + 1, 1, |replica, report| {
                if (replica, report.step) == (0, 1) {
                    settle(threads);
                    first.store(ALLOCATIONS.load(Ordering::Relaxed), Ordering::Relaxed);
                }
                last.fetch_max(ALLOCATIONS.load(Ordering::Relaxed), Ordering::Relaxed);
                ControlFlow::Continue(())
            });
            let counted = last.into_inner() - first.into_inner();
            assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
            if counted != 0 {
                failures.push(format!("{} {threads}: {counted}", preset.name()));
            }
        }
    }
    assert!(failures.is_empty(), "allocations in {STEPS} steps of {REPLICAS} replicas:\n{}", failures.join("\n"));
}

/// Threads stand for processes. The first messages of each length are over after the first step.
fn steps_of_a_shared_batch_allocate_nothing() {
    for (preset, batch) in [(Preset::Circle, 200), (Preset::Mnist, 16)] {
        let (first, last) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for end in common::mailboxes::mailboxes(3) {
                let (first, last) = (&first, &last);
                scope.spawn(move || {
                    let options =
                        TrainerOptions::default().with_batch(batch).with_shards(4).with_engine(EngineKind::Native);
                    let source = common::source(preset, 500);
                    let mut trainer = Trainer::with_exchange(preset.spec(), source, options, Box::new(end)).unwrap();
                    trainer
                        .run(20, 1, |report| {
                            if report.step == 1 {
                                std::thread::sleep(SETTLING);
                                first.fetch_max(ALLOCATIONS.load(Ordering::Relaxed), Ordering::Relaxed);
                            } else if report.step < 20 {
                                last.fetch_max(ALLOCATIONS.load(Ordering::Relaxed), Ordering::Relaxed);
                            }
                            ControlFlow::Continue(())
                        })
                        .unwrap();
                });
            }
        });
        assert_eq!(last.into_inner() - first.into_inner(), 0, "{preset:?}");
    }
}

/// Reports go through a channel, and between segments checkpoints are taken; beside the steps a thread examines them and turns
/// them into files, as `gannet train` does.
fn steps_allocate_nothing_while_a_run_is_recorded() {
    const SEGMENTS: u64 = 5;
    let mut failures = Vec::new();
    for threads in [1, 2] {
        for preset in presets().filter(|&preset| preset != Preset::Mnist) {
            let mut trainer = common::trainer(preset, TrainerOptions::default().with_batch(200).with_threads(threads));
            let (spec, source, isa) = (preset.spec(), common::source(preset, 500), trainer.isa());
            let (reports, reported) = mpsc::sync_channel(2 * STEPS as usize);
            let (snapshots, taken) = mpsc::sync_channel::<Checkpoint>(1);
            let counted = std::thread::scope(|scope| {
                scope.spawn(move || {
                    RECORDS.set(true);
                    for checkpoint in taken {
                        let health = examine(checkpoint.model(), None, &spec, &*source, 1, isa).unwrap();
                        assert!(health.spread > 0.0);
                        assert!(!checkpoint.to_safetensors(&spec).unwrap().is_empty());
                    }
                    while reported.try_recv().is_ok() {}
                });
                // The recording thread starts.
                std::thread::sleep(SETTLING);
                let mut counted = 0;
                for _ in 0..SEGMENTS {
                    let (begin, mut first, mut last) = (trainer.steps_done() + 1, 0, 0);
                    trainer
                        .run(STEPS / SEGMENTS, 1, |report| {
                            if report.step == begin {
                                settle(threads);
                                first = ALLOCATIONS.load(Ordering::Relaxed);
                            }
                            reports.send(*report).unwrap();
                            last = ALLOCATIONS.load(Ordering::Relaxed);
                            ControlFlow::Continue(())
                        })
                        .unwrap();
                    counted += last - first;
                    snapshots.send(trainer.checkpoint().unwrap()).unwrap();
                }
                drop(snapshots);
                counted
            });
            if counted != 0 {
                failures.push(format!("{} {threads}: {counted}", preset.name()));
            }
        }
    }
    assert!(failures.is_empty(), "allocations in {STEPS} steps that were recorded:\n{}", failures.join("\n"));
}
