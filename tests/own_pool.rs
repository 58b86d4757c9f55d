//! A caller's pool stays the caller's: whatever a trainer calls may use it, though the trainer has all of its threads.

use std::ops::ControlFlow;
use std::sync::Arc;

use gannet::cpu::{ThreadPool, build_pool};
use gannet::data::{ArraySource, synthetic};
use gannet::gan::presets::Preset;
use gannet::gan::source::{BatchWriter, BoxError, Shape};
use gannet::gan::{GanSpec, Model, Replicas, Source, Trainer, TrainerOptions};
use gannet::net::{Activation, NetworkSpec};

/// Points on a circle that are read by a job of the pool.
struct ReadInPool {
    points: ArraySource,
    pool: Option<Arc<ThreadPool>>,
}

impl ReadInPool {
    fn new(pool: Option<&Arc<ThreadPool>>, samples: usize) -> Arc<Self> {
        Arc::new(Self { points: synthetic::circle(samples, 1).unwrap(), pool: pool.cloned() })
    }
}

impl Source for ReadInPool {
    fn shape(&self) -> Shape {
        self.points.shape().concurrent()
    }

    fn fill(&self, batch: &mut BatchWriter<'_>) -> Result<(), BoxError> {
        match &self.pool {
            Some(pool) => pool.install(|| self.points.fill(batch)),
            None => self.points.fill(batch),
        }
    }
}

/// The preset, and the same with a D that all threads share.
fn specs() -> [GanSpec; 2] {
    let small = Preset::Circle.spec();
    let mut wide = small.clone();
    wide.discriminator = NetworkSpec::dense(&[2, 400, 400, 1], Activation::Relu, 0.0, Activation::Linear);
    [small, wide]
}

fn options(threads: usize, batch: usize, pool: Option<&Arc<ThreadPool>>) -> TrainerOptions {
    TrainerOptions::default().with_threads(threads).with_batch(batch).with_pool(pool.cloned())
}

#[test]
fn callbacks_and_sources_use_the_pool_of_the_run() {
    for (spec, batch) in specs().into_iter().zip([1_000, 200]) {
        let expected = {
            let mut alone = Trainer::new(spec.clone(), ReadInPool::new(None, 2_000), options(1, batch, None)).unwrap();
            alone.run(6, 1, |_| ControlFlow::Continue(())).unwrap();
            alone.model().unwrap()
        };
        for workers in 1..=3 {
            let pool = build_pool(workers).unwrap();
            let train = || -> Model {
                let source = ReadInPool::new(Some(&pool), 2_000);
                let options = options(workers + 1, batch, Some(&pool));
                let mut trainer = Trainer::new(spec.clone(), source, options).unwrap();
                trainer
                    .run(6, 1, |report| {
                        assert_eq!(pool.install(|| report.step), report.step);
                        assert_eq!(pool.broadcast(|_| ()).len(), workers);
                        ControlFlow::Continue(())
                    })
                    .unwrap();
                trainer.model().unwrap()
            };
            assert!(train() == expected, "{workers} workers");
            assert!(pool.install(|| rayon::join(|| 1, || 2)) == (1, 2), "the workers are back");
        }
    }
}

#[test]
fn a_callback_trains_another_gan_in_the_same_pool() {
    let pool = build_pool(2).unwrap();
    let new = |seed| {
        let options = options(3, 1_000, Some(&pool)).with_seed(seed);
        Trainer::new(Preset::Circle.spec(), ReadInPool::new(None, 2_000), options).unwrap()
    };
    let (mut outer, mut inner, mut expected) = (new(1), new(2), new(2));
    outer
        .run(5, 1, |_| {
            pool.install(|| inner.run(2, 0, |_| ControlFlow::Continue(()))).unwrap();
            ControlFlow::Continue(())
        })
        .unwrap();
    expected.run(10, 0, |_| ControlFlow::Continue(())).unwrap();
    assert!(inner.model().unwrap() == expected.model().unwrap());
}

#[test]
fn reports_of_replicas_use_the_pool_of_the_run() {
    for workers in 1..=3 {
        let pool = build_pool(workers).unwrap();
        let options = options(workers + 1, 16, Some(&pool));
        let source = |_| Ok(ReadInPool::new(Some(&pool), 100) as Arc<dyn Source>);
        let mut replicas = Replicas::new(&Preset::Circle.spec(), 5, options, source).unwrap();
        let outcomes = replicas.run(6, 2, |_, report| {
            assert_eq!(pool.install(|| report.step), report.step);
            ControlFlow::Continue(())
        });
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    }
}
