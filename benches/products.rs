//! Every layer shape of the presets, forward, input gradient and weight gradient, by batch and engine, and the `gemm` crate on
//! the same shapes, as shares of the FMA peak measured between the runs. Prints a Markdown table: `cargo bench --bench products`.
//!
//! Arguments: nothing for all, or words of which a row's shape must contain one (`1024x784`). `--test` runs every row once.

mod common;

use std::collections::HashSet;
use std::time::Duration;

use common::gemm_crate::gemm_run;
use common::layer::{Layer, Product};
use common::{Arguments, Stopwatch, head, header, row};
use gannet::cpu::{EngineKind, Isa};
use gannet::gan::presets::Preset;
use gannet::net::{Activation, LayerSpec};

/// Samples side by side: G of `mnist` and a batch of 32, D of `mnist` and G of the tiled presets, D of these.
const WIDTHS: [usize; 3] = [64, 128, 256];

/// How long a product is timed, [`REPEATS`] times.
const SPAN: Duration = Duration::from_millis(8);
const REPEATS: usize = 5;

/// `(outputs, inputs)` of all layers of all presets, each once, D before G.
fn shapes() -> Vec<(usize, usize)> {
    let mut seen = HashSet::new();
    let specs: Vec<_> = Preset::ALL.iter().map(|preset| preset.spec()).collect();
    let layers = specs.iter().flat_map(|spec| spec.discriminator.layers.iter().chain(&spec.generator.layers));
    layers.map(|layer| (layer.outputs, layer.inputs)).filter(|&shape| seen.insert(shape)).collect()
}

/// Fails where the `gemm` crate was called wrongly: its products must be those of the engine.
fn check(layer: &mut Layer, isa: Isa) {
    layer.bias.fill(0.0);
    for product in Product::ALL {
        layer.run(product, EngineKind::Native.engine(), isa);
        let ours = layer.result(product).to_vec();
        gemm_run(layer, product);
        let largest = ours.iter().fold(1.0_f32, |largest, value| largest.max(value.abs()));
        for (ours, theirs) in ours.iter().zip(layer.result(product)) {
            assert!((ours - theirs).abs() <= 1e-4 * largest, "{product:?}: {ours} is not {theirs}");
        }
    }
}

fn main() -> gannet::Result<()> {
    let arguments = Arguments::read();
    let isa = Isa::resolve(None)?;
    let mut stopwatch = Stopwatch::new(&arguments, isa, SPAN, REPEATS);
    println!(
        "{}. Shares of the FMA peak ({}) in %, one thread: forward / input gradient / weight gradient. matrixmultiply and gemm \
         choose their instruction set themselves; gemm computes the bare product, without biases.\n",
        header(),
        isa.kind()
    );
    let engines = EngineKind::ALL.map(|kind| kind.to_string());
    let titles = ["outputs x inputs", "samples"].into_iter().chain(engines.iter().map(String::as_str)).chain(["gemm"]);
    println!("{}", head(&titles.collect::<Vec<_>>(), 1));
    for (outputs, inputs) in shapes() {
        let shape = format!("{outputs}x{inputs}");
        if !arguments.wants(&shape) {
            continue;
        }
        for width in WIDTHS {
            let spec = LayerSpec::new(inputs, outputs, Activation::Linear);
            let mut layer = Layer::new(&spec, None, width, 1)?;
            check(&mut layer, isa);
            let flop = layer.flop();
            let mut cells = vec![shape.clone(), width.to_string()];
            let mut shares = |mut run: Box<dyn FnMut(Product) + '_>| {
                let percent = |product| 100.0 * flop / stopwatch.time(|| run(product)).capacity;
                let [forward, input, weight] = Product::ALL.map(percent);
                cells.push(format!("{forward:.0} / {input:.0} / {weight:.0}"));
            };
            for kind in EngineKind::ALL {
                shares(Box::new(|product| layer.run(product, kind.engine(), isa)));
            }
            shares(Box::new(|product| gemm_run(&mut layer, product)));
            println!("{}", row(&cells));
        }
    }
    Ok(())
}
