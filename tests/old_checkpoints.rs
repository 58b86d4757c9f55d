//! Checkpoints of version 1 of the format, which gannet wrote until 2026-11-26, are read, and the run goes on to the bits that it
//! would have come to. `tests/version_1` has them, made by the program of that day: checkpoints of 12 steps, and the models of 32.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gannet::cpu::{Isa, IsaKind};
use gannet::data::synthetic;
use gannet::gan::{Adam, Changes, Checkpoint, GanSpec, Objective, OptimizerSpec, Order, Sgd, Trainer, TrainerOptions};
use gannet::net::{Activation, NetworkSpec};

const ADAM: OptimizerSpec = OptimizerSpec::Adam(Adam::new(3e-4).with_beta1(0.5));
const MOMENTUM: OptimizerSpec = OptimizerSpec::Sgd(Sgd::new(0.05).with_momentum(0.9));

fn spec(optimizer: OptimizerSpec) -> GanSpec {
    GanSpec::new(
        NetworkSpec::dense(&[2, 8, 2], Activation::Tanh, 0.0, Activation::Linear),
        NetworkSpec::dense(&[2, 12, 1], Activation::LeakyRelu { slope: 0.1 }, 0.25, Activation::Linear),
    )
    .with_objective(Objective::NonSaturatingHalf)
    .with_order(Order::DiscriminatorFirst)
    .with_discriminator_steps(2)
    .with_optimizers(optimizer)
}

/// A trainer of the seed; `None`, told aloud, where the processor does not fuse multiply-adds, as that of the kept runs did.
fn trainer(optimizer: OptimizerSpec, seed: u64) -> Option<Trainer<'static>> {
    if Isa::resolve(Some(IsaKind::Avx2)).is_err() {
        let test = std::thread::current().name().unwrap_or("a test").to_string();
        let cure = "the kept checkpoints are of a processor with AVX2";
        assert!(std::env::var_os("GANNET_CI").is_none(), "{test} cannot run here, and GANNET_CI is set: {cure}");
        // Not `eprintln`, whose lines the test harness shows for failed tests only.
        _ = writeln!(std::io::stderr(), "SKIPPED {test}: {cure}");
        return None;
    }
    let points = Arc::new(synthetic::circle(200, 5).unwrap());
    let options = TrainerOptions::default().with_batch(16).with_seed(seed).with_isa(IsaKind::Avx2);
    Some(Trainer::new(spec(optimizer), points, options).unwrap())
}

fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/version_1").join(name)
}

#[test]
fn they_go_on_to_the_same_bits() {
    for (name, optimizer) in [("adam", ADAM), ("momentum", MOMENTUM)] {
        let Some(mut trainer) = trainer(optimizer, 5) else { return };
        let spec = spec(optimizer);
        let checkpoint = Checkpoint::load(&spec, &kept(&format!("{name}.safetensors"))).unwrap();
        assert_eq!((checkpoint.step(), checkpoint.samples()), (12, 200), "{name}");
        assert_eq!(checkpoint.notes["note"], "kept");
        trainer.restore(&checkpoint, Changes::Refused).unwrap();
        // What is written is of today's version, and says the same.
        let written = trainer.checkpoint().unwrap().to_safetensors(&spec).unwrap();
        let mut again = Checkpoint::from_safetensors(&written, &spec, "written").unwrap();
        again.notes.clone_from(&checkpoint.notes);
        assert_eq!(again, checkpoint, "{name}");
        trainer.run(20, 0, |_| ControlFlow::Continue(())).unwrap();
        let found = trainer.model().unwrap().to_safetensors(&spec).unwrap();
        assert!(found == std::fs::read(kept(&format!("{name}-whole.safetensors"))).unwrap(), "{name}");
    }
}

#[test]
fn what_was_changed_since_is_named() {
    let checkpoint = Checkpoint::load(&spec(ADAM), &kept("adam.safetensors")).unwrap();
    let Some(other) = trainer(ADAM.with_learning_rate(1e-3), 6) else { return };
    let problem = other.check(&checkpoint, Changes::Refused).unwrap_err().to_string();
    let expected = "changed settings: gan.discriminator_optimizer.learning_rate was 0.0003 and is 0.001, \
                    gan.generator_optimizer.learning_rate was 0.0003 and is 0.001, run.seed was 5 and is 6;";
    assert!(problem.contains(expected), "{problem}");
    other.check(&checkpoint, Changes::Allowed).unwrap();
}
