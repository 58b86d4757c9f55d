//! One product, or one preset's training steps, so many times and nothing else: for programs that count instructions and cache misses,
//! such as `scripts/cache_misses.sh`.
//!
//!     cargo bench --bench counted -- product 1024x784 128 forward native 3
//!     cargo bench --bench counted -- step circle 256 matrixmultiply 10
//!
//! `GANNET_ISA` and `GANNET_CACHES` apply. `--test` does both of these once.

mod common;

use common::gemm_crate::gemm_run;
use common::layer::{Layer, Product};
use common::{Arguments, options, run, source};
use gannet::cpu::{EngineKind, Isa};
use gannet::gan::Trainer;
use gannet::gan::presets::Preset;
use gannet::internals::simd::LANE_GROUP;
use gannet::net::{Activation, LayerSpec};

/// How the program is called.
const USAGE: &str = "product OUTPUTSxINPUTS SAMPLES (a multiple of 16) forward|input|weight native|matrixmultiply|gemm TIMES, \
                     or step PRESET BATCH native|matrixmultiply TIMES";

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let arguments = Arguments::read();
    if arguments.test {
        product("1024x784", "128", "forward", "gemm", "1")?;
        return step("circle", "256", "native", "1");
    }
    let words: Vec<&str> = arguments.words().collect();
    match words[..] {
        ["product", shape, samples, name, engine, times] => product(shape, samples, name, engine, times),
        ["step", preset, batch, engine, times] => step(preset, batch, engine, times),
        [] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(USAGE.into()),
    }
}

/// One product of a layer, over and over.
fn product(shape: &str, samples: &str, name: &str, engine: &str, times: &str) -> Outcome {
    let (outputs, inputs) = shape.split_once('x').ok_or(USAGE)?;
    let product = match name {
        "forward" => Product::Forward,
        "input" => Product::InputGradient,
        "weight" => Product::WeightGradient,
        _ => return Err(USAGE.into()),
    };
    let isa = Isa::resolve(None)?;
    let (outputs, inputs, samples) = (outputs.parse()?, inputs.parse()?, samples.parse::<usize>()?);
    if samples == 0 || !samples.is_multiple_of(LANE_GROUP) {
        return Err(USAGE.into());
    }
    let spec = LayerSpec::new(inputs, outputs, Activation::Linear);
    let mut layer = Layer::new(&spec, None, samples, 1)?;
    let kind = if engine == "gemm" { None } else { Some(engine.parse::<EngineKind>()?) };
    for _ in 0..times.parse::<u64>()? {
        match kind {
            None => gemm_run(&mut layer, product),
            Some(kind) => layer.run(product, kind.engine(), isa),
        }
    }
    Ok(())
}

/// Whole steps of one thread.
fn step(preset: &str, batch: &str, engine: &str, times: &str) -> Outcome {
    let preset = Preset::ALL.iter().copied().find(|known| known.name() == preset).ok_or(USAGE)?;
    let batch = batch.parse()?;
    let options = options(preset, batch, 1).with_engine(engine.parse()?);
    let mut trainer = Trainer::new(preset.spec(), source(preset, batch)?, options)?;
    run(&mut trainer, times.parse()?);
    Ok(())
}
