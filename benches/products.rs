//! Every layer shape of the presets, forward, input gradient and weight gradient, by batch and engine, as a share of the
//! FMA peak measured between the runs. Prints a Markdown table: `cargo bench --bench products`.
//!
//! Arguments: nothing for all, or words that the row's shape must contain (`1024x784`). `--test` runs every row once.

use std::time::{Duration, Instant};

use gannet::gemm::{Engine, EngineKind, Forward, InputGradient, Lanes, WeightGradient};
use gannet::kernel::activation::Activation;
use gannet::kernel::peak::fma_flops;
use gannet::memory::AlignedBuffer;
use gannet::simd::Isa;

/// `(outputs, inputs)` of the layers of `circle` and `gaussian2d`, then of `mnist`.
const SHAPES: [(usize, usize); 18] = [
    (128, 2),
    (64, 128),
    (32, 64),
    (1, 32),
    (16, 2),
    (32, 16),
    (2, 32),
    (20, 2),
    (10, 20),
    (2, 10),
    (1024, 784),
    (512, 1024),
    (256, 512),
    (1, 256),
    (256, 100),
    (512, 256),
    (1024, 512),
    (784, 1024),
];

/// Samples side by side.
const WIDTHS: [usize; 3] = [64, 256, 512];

/// How long a row is measured, five times.
const SPAN: Duration = Duration::from_millis(12);

/// Rounds of the peak measurement: about a millisecond.
const PEAK_ROUNDS: u64 = 300_000;

/// Operands of one layer.
struct Layer {
    outputs: usize,
    inputs: usize,
    width: usize,
    weights: AlignedBuffer,
    bias: AlignedBuffer,
    input: AlignedBuffer,
    output: AlignedBuffer,
    delta: AlignedBuffer,
    gradient: AlignedBuffer,
    bias_gradient: AlignedBuffer,
}

impl Layer {
    fn new(outputs: usize, inputs: usize, width: usize) -> gannet::Result<Self> {
        let buffer = |len: usize| {
            let mut buffer = AlignedBuffer::zeroed(len)?;
            for (index, value) in buffer.iter_mut().enumerate() {
                *value = (index * 7919 % 201) as f32 / 1000.0 - 0.1;
            }
            Ok::<_, gannet::Error>(buffer)
        };
        Ok(Self {
            outputs,
            inputs,
            width,
            weights: buffer(outputs * inputs)?,
            bias: buffer(outputs)?,
            input: buffer(inputs * width)?,
            output: buffer(outputs * width)?,
            delta: buffer(inputs * width)?,
            gradient: buffer(outputs * inputs)?,
            bias_gradient: buffer(outputs)?,
        })
    }

    fn run(&mut self, product: usize, engine: &dyn Engine, isa: Isa) {
        let width = self.width;
        match product {
            0 => engine.forward(
                isa,
                Forward {
                    weights: &self.weights,
                    stride: self.inputs,
                    bias: &self.bias,
                    input: &self.input,
                    output: &mut self.output,
                    width,
                    activation: Activation::Linear,
                    dropout: None,
                },
            ),
            1 => engine.input_gradient(
                isa,
                InputGradient {
                    weights: &self.weights,
                    stride: self.inputs,
                    first_row: 0,
                    delta: &self.output,
                    output: &mut self.delta,
                    width,
                    derivative: None,
                },
            ),
            _ => engine.weight_gradient(
                isa,
                WeightGradient {
                    delta: &self.output,
                    input: &self.input,
                    first_row: 0,
                    gradient: &mut self.gradient,
                    stride: self.inputs,
                    bias_gradient: &mut self.bias_gradient,
                    outputs: self.outputs,
                    inputs: self.inputs,
                    lanes: Lanes::full(width),
                    accumulate: false,
                },
            ),
        }
    }

    /// Share of the peak: the median of five, each beside a measurement of the peak.
    fn share(&mut self, product: usize, engine: &dyn Engine, isa: Isa, test: bool) -> f64 {
        self.run(product, engine, isa);
        if test {
            return 0.0;
        }
        let flop = (2 * self.outputs * self.inputs * self.width) as f64;
        let mut shares: Vec<f64> = (0..5)
            .map(|_| {
                let start = Instant::now();
                let peak = fma_flops(isa, PEAK_ROUNDS) as f64 / start.elapsed().as_secs_f64();
                let (start, mut calls) = (Instant::now(), 0u64);
                while start.elapsed() < SPAN {
                    for _ in 0..1 + (200_000.0 / flop) as u64 {
                        self.run(product, engine, isa);
                        calls += 1;
                    }
                }
                flop * calls as f64 / start.elapsed().as_secs_f64() / peak
            })
            .collect();
        shares.sort_by(f64::total_cmp);
        shares[2]
    }
}

fn main() -> gannet::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let test = arguments.iter().any(|argument| argument == "--test");
    let words: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let isa = Isa::resolve(None)?;
    println!(
        "Instruction set: {}. Shares of the FMA peak in %, one thread: forward / input gradient / weight gradient.\n",
        isa.kind()
    );
    print!("| outputs x inputs | samples |");
    EngineKind::ALL.iter().for_each(|kind| print!(" {kind} |"));
    print!("\n|---|---|");
    EngineKind::ALL.iter().for_each(|_| print!("---|"));
    println!();
    for (outputs, inputs) in SHAPES {
        let shape = format!("{outputs}x{inputs}");
        if !words.is_empty() && !words.iter().any(|word| shape.contains(word.as_str())) {
            continue;
        }
        for width in WIDTHS {
            let mut layer = Layer::new(outputs, inputs, width)?;
            print!("| {shape} | {width} |");
            for kind in EngineKind::ALL {
                let shares = [0, 1, 2].map(|product| 100.0 * layer.share(product, kind.engine(), isa, test));
                print!(" {:.0} / {:.0} / {:.0} |", shares[0], shares[1], shares[2]);
            }
            println!();
        }
    }
    Ok(())
}
