//! Memory that the system refuses is an error, wherever it is asked for: an allocator refuses one large request after the other.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::ptr::null_mut;
use std::sync::Arc;

use gannet::cpu::Isa;
use gannet::data::ArraySource;
use gannet::gan::health::examine;
use gannet::gan::weights::{self, Numbering, StateDict};
use gannet::gan::{
    Checkpoint, GanSpec, Model, ModularLoss, Objective, OptimizerSpec, Replicas, Trainer, TrainerOptions,
};
use gannet::metrics::table::Halves;
use gannet::metrics::{columns, images, moments, parzen, wasserstein};
use gannet::net::{Activation, NetworkSpec};
use gannet::{Error, Result};

/// Requests of at least so many bytes are refused: fewer than the smallest buffer whose size a user decides, here.
const LARGE: usize = 60_000;

/// The system's allocator, which refuses a large request of the threads that ask for it.
struct Refusing;

thread_local! {
    /// Large requests to grant before the one that is refused; `None` = all are granted.
    static GRANTED: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Whether a request is to be refused.
fn is_refused(size: usize) -> bool {
    if size < LARGE {
        return false;
    }
    match GRANTED.get() {
        Some(0) => true,
        Some(left) => {
            GRANTED.set(Some(left - 1));
            false
        }
        None => false,
    }
}

// SAFETY: every call is passed on to the system's allocator unchanged, or answered with null, as an allocator may.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_refused(layout.size()) {
            return null_mut();
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_refused(layout.size()) {
            return null_mut();
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if is_refused(new_size) {
            return null_mut();
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { System.realloc(memory, layout, new_size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

/// Runs `action` with its first large request refused, then with its second, and so on until it succeeds, which takes at least
/// `requests`. An allocation that cannot fail would end the process.
fn each_request_refused<T>(name: &str, requests: usize, action: impl Fn() -> Result<T>) {
    for granted in 0..1_000 {
        GRANTED.set(Some(granted));
        let outcome = action();
        GRANTED.set(None);
        match outcome {
            Ok(_) => return assert!(granted >= requests, "{name}: only {granted} requests"),
            Err(Error::OutOfMemory { bytes }) => assert!(bytes >= LARGE as u64, "{name}: {bytes} bytes"),
            Err(other) => panic!("{name}: {other}"),
        }
    }
    panic!("{name} goes on asking");
}

const FEATURES: usize = 200;

/// Three layers, all but the last of D, have more than [`LARGE`] bytes of weights.
fn spec() -> GanSpec {
    let network = |sizes: &[usize]| NetworkSpec::dense(sizes, Activation::Relu, 0.0, Activation::Linear);
    GanSpec::new(network(&[100, 200, FEATURES]), network(&[FEATURES, 400, 1]))
        .with_objective(Objective::Minimax)
        .with_optimizers(OptimizerSpec::adam(0.001))
}

fn trainer() -> Trainer<'static> {
    let source = ArraySource::new(vec![0.5; 100 * FEATURES], FEATURES).unwrap();
    let mut trainer = Trainer::new(spec(), Arc::new(source), TrainerOptions::default()).unwrap();
    trainer.run(1, 0, |_| ControlFlow::Continue(())).unwrap();
    trainer
}

#[test]
fn trainers_say_so() {
    let source = Arc::new(ArraySource::new(vec![0.5; 20_000 * FEATURES], FEATURES).unwrap());
    for batch in [32, 16_000] {
        let options = TrainerOptions::default().with_batch(batch);
        each_request_refused("trainer", 9, || Trainer::new(spec(), source.clone(), options.clone()));
        each_request_refused("replicas", 18, || Replicas::new(&spec(), 2, options.clone(), |_| Ok(source.clone())));
        each_request_refused("modular loss", 4, || {
            ModularLoss::new(spec().discriminator, Objective::NonSaturating, OptimizerSpec::adam(1e-3), options.clone())
        });
    }
}

#[test]
fn models_and_checkpoints_say_so() {
    let (spec, trainer) = (spec(), trainer());
    let (model, checkpoint) = (trainer.model().unwrap(), trainer.checkpoint().unwrap());
    each_request_refused("a trainer's model", 3, || trainer.model());
    each_request_refused("a trainer's gradients", 3, || trainer.gradients());
    let options = TrainerOptions::default();
    let loss = ModularLoss::new(spec.discriminator.clone(), Objective::Minimax, OptimizerSpec::adam(1e-3), options);
    let loss = loss.unwrap();
    each_request_refused("a loss's discriminator", 1, || loss.discriminator());
    let points = ArraySource::new(vec![0.5; 600 * FEATURES], FEATURES).unwrap();
    each_request_refused("health", 1, || examine(&model, None, &spec, &points, 1, Isa::best()));
    each_request_refused("samples", 2, || model.sample(&spec, 1_000, 0, Isa::best()));
    // The weights of three layers, and two moments of each.
    each_request_refused("checkpoint", 9, || trainer.checkpoint());
    let bytes = model.to_safetensors(&spec).unwrap();
    each_request_refused("writing a model", 1, || model.to_safetensors(&spec));
    each_request_refused("reading a model", 3, || Model::from_safetensors(&bytes, &spec, "it"));
    let bytes = checkpoint.to_safetensors(&spec).unwrap();
    each_request_refused("writing a checkpoint", 1, || checkpoint.to_safetensors(&spec));
    each_request_refused("reading a checkpoint", 9, || Checkpoint::from_safetensors(&bytes, &spec, "it"));
    let dict = || weights::state_dict(&model, &spec, None, Numbering::Sequential, BTreeMap::new());
    let bytes = dict().unwrap();
    each_request_refused("writing weights", 1, dict);
    each_request_refused("reading weights", 3, || StateDict::from_safetensors(&bytes, &spec, "it"));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoint.safetensors");
    checkpoint.save(&spec, &path).unwrap();
    each_request_refused("loading a checkpoint", 9, || Checkpoint::load(&spec, &path));
}

#[test]
fn measures_say_so() {
    let rows = |count: usize| (0..count * FEATURES).map(|i| ((i * 7919) % 1000) as f32 / 1e3).collect::<Vec<_>>();
    let (samples, real) = (rows(300), rows(9_000));
    let labels: Vec<u8> = (0..9_000).map(|row| (row % 10) as u8).collect();
    each_request_refused("likelihood", 3, || parzen::log_likelihood(&real, &samples, &samples, FEATURES, 1));
    each_request_refused("images", 2, || images::evaluate(&samples, &real, &labels, FEATURES, 10, 1));
    each_request_refused("covariance", 1, || moments::covariance(&samples, FEATURES));
    let halves = Halves::of(&real, 2).unwrap();
    each_request_refused("columns", 3, || columns::evaluate(&samples, &halves));
    each_request_refused("distance", 2, || wasserstein::sliced_wasserstein(&real, &real, FEATURES, 2, 0));
}
