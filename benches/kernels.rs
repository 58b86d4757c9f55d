//! Every kernel on every instruction set of the machine, on data that fit the first-level cache.
//!
//! A bench is named `kernel/instruction set`, and its throughput counts elements (for `peak`: floating-point operations):
//! clock frequency / (elements / s) = cycles per element.

use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};
use gannet::kernel::activation::{Activation, backward_epilogue, forward_epilogue};
use gannet::kernel::dropout::{Dropout, DropoutPart, Keeps};
use gannet::kernel::loss::{LossTerm, bce_with_logits, softmax_cross_entropy};
use gannet::kernel::noise::{StreamKey, normal, uniform};
use gannet::kernel::optimizer::{AdamStep, SgdStep, adam, sgd};
use gannet::kernel::panel::{gather_bytes, gather_rows, scatter_rows};
use gannet::kernel::reduce::{add_assign, row_sums};
use gannet::kernel::{math, peak};
use gannet::simd::Isa;

/// A panel of 64 features by 64 samples: 16 KiB.
const WIDTH: usize = 64;
const FEATURES: usize = 64;
const COUNT: usize = WIDTH * FEATURES;

/// Rounds of multiply-adds of one measurement of the peak.
const PEAK_ROUNDS: u64 = 10_000;

fn values(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i * 2_654_435_761 % 100_003) as f32 / 50_001.5 - 1.0).collect()
}

type Group<'a> = BenchmarkGroup<'a, WallTime>;

/// One bench: a group's name, the elements of a round, and what a round does on an instruction set.
fn bench(criterion: &mut Criterion, name: &str, elements: usize, mut round: impl FnMut(Isa)) {
    let mut group: Group<'_> = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(elements as u64));
    for isa in Isa::available() {
        group.bench_function(isa.kind().to_string(), |bencher| bencher.iter(|| round(isa)));
    }
    group.finish();
}

type Function = fn(Isa, &[f32], &mut [f32]);

fn elementary_functions(criterion: &mut Criterion) {
    let mut output = vec![0.0; COUNT];
    let functions: [(&str, Function); 4] =
        [("exp", math::exp), ("ln", math::ln), ("tanh", math::tanh), ("sigmoid", math::sigmoid)];
    for (name, function) in functions {
        let input: Vec<f32> =
            values(COUNT).iter().map(|x| if name == "ln" { x.abs() + 0.1 } else { 8.0 * x }).collect();
        bench(criterion, name, COUNT, |isa| function(isa, &input, &mut output));
    }
    let (input, mut cosine) = (values(COUNT), vec![0.0; COUNT]);
    bench(criterion, "sin_cos", COUNT, |isa| math::sin_cos_of_turns(isa, &input, &mut output, &mut cosine));
}

fn noise(criterion: &mut Criterion) {
    let mut panel = vec![0.0; COUNT];
    let key = StreamKey::new(1, 2, 3);
    bench(criterion, "normal", COUNT, |isa| normal(isa, key, 0, &mut panel, WIDTH));
    bench(criterion, "normal_two_features", 2 * WIDTH, |isa| normal(isa, key, 0, &mut panel[..2 * WIDTH], WIDTH));
    bench(criterion, "uniform", COUNT, |isa| uniform(isa, key, 0, -1.0, 1.0, &mut panel, WIDTH));
}

const ACTIVATIONS: [(&str, Activation); 5] = [
    ("linear", Activation::Linear),
    ("relu", Activation::Relu),
    ("leaky_relu", Activation::LeakyRelu { slope: 0.2 }),
    ("tanh", Activation::Tanh),
    ("sigmoid", Activation::Sigmoid),
];

fn epilogues(criterion: &mut Criterion) {
    let bias = vec![0.0; FEATURES];
    let parts = [DropoutPart { lanes: 0..WIDTH, first_sample: 0, keeps: Keeps::Drawn(StreamKey::new(1, 2, 3)) }];
    let dropout = Dropout { probability: 0.3, first_feature: 0, parts: &parts };
    for (name, activation) in ACTIVATIONS {
        for (suffix, dropout) in [("", None), ("_dropout", Some(&dropout))] {
            // In place, over and over: keep the values of a size that training has.
            let (input, mut y) = (values(COUNT), vec![0.0; COUNT]);
            bench(criterion, &format!("forward_{name}{suffix}"), COUNT, |isa| {
                y.copy_from_slice(&input);
                forward_epilogue(isa, activation, &bias, dropout, &mut y, WIDTH);
            });
            let probability = dropout.map_or(0.0, |dropout| dropout.probability);
            let (gradient, mut delta) = (values(COUNT), vec![0.0; COUNT]);
            bench(criterion, &format!("backward_{name}{suffix}"), COUNT, |isa| {
                delta.copy_from_slice(&gradient);
                backward_epilogue(isa, activation, probability, &y, &mut delta);
            });
        }
    }
}

fn losses(criterion: &mut Criterion) {
    let term = LossTerm { real: true, weight: 1.0 / 1024.0 };
    let input = values(1024);
    let (mut fake, mut real) = (input.clone(), input.clone());
    for (suffix, report) in [("", false), ("_report", true)] {
        bench(criterion, &format!("bce{suffix}"), 1024, |isa| {
            real.copy_from_slice(&input);
            bce_with_logits(isa, term, &mut real, 1000, report);
        });
        bench(criterion, &format!("softmax{suffix}"), 1024, |isa| {
            real.copy_from_slice(&input);
            fake.copy_from_slice(&input);
            softmax_cross_entropy(isa, term, &mut fake, &mut real, 1000, report);
        });
    }
}

fn optimizers(criterion: &mut Criterion) {
    let count = 2048;
    let gradients = values(count);
    let (mut parameters, mut first, mut second) = (values(count), vec![0.0; count], vec![0.0; count]);
    let step = AdamStep { learning_rate: 1e-6, beta1: 0.5, beta2: 0.999, epsilon: 1e-8, t: 10 };
    bench(criterion, "adam", count, |isa| {
        adam(isa, &step, &mut parameters, &gradients, &mut first, &mut second);
    });
    for (name, momentum) in [("sgd", 0.0), ("sgd_momentum", 0.9)] {
        let step = SgdStep { learning_rate: 1e-6, momentum };
        bench(criterion, name, count, |isa| {
            sgd(isa, &step, &mut parameters, &gradients, &mut first);
        });
    }
}

fn sums(criterion: &mut Criterion) {
    let panel = values(COUNT);
    let mut sums = vec![0.0; FEATURES];
    bench(criterion, "row_sums", COUNT, |isa| row_sums(isa, &panel, WIDTH, &mut sums, false));
    let mut to = vec![0.0; COUNT];
    bench(criterion, "add_assign", COUNT, |isa| add_assign(isa, &mut to, &panel));
}

/// The panel of a layer of MNIST: larger than the first-level cache, as it is in training.
fn panels(criterion: &mut Criterion) {
    let (features, width) = (784, 256);
    let rows: Vec<u32> = (0..width as u32).map(|i| i * 37 % 256).collect();
    let (data, bytes) = (values(features * width), vec![100; features * width]);
    let (mut panel, mut back) = (vec![0.0; features * width], vec![0.0; features * width]);
    let elements = features * width;
    bench(criterion, "gather_rows_784", elements, |isa| gather_rows(isa, &data, features, &rows, &mut panel, width));
    bench(criterion, "gather_bytes_784", elements, |isa| {
        gather_bytes(isa, &bytes, features, &rows, 2.0 / 255.0, -1.0, &mut panel, width);
    });
    bench(criterion, "scatter_rows_784", elements, |isa| scatter_rows(isa, &panel, width, width, &mut back));
    bench(criterion, "gather_rows_2", 2 * width, |isa| {
        gather_rows(isa, &data[..2 * width], 2, &rows, &mut panel[..2 * width], width);
    });
}

fn peak_of_multiply_adds(criterion: &mut Criterion) {
    for isa in Isa::available() {
        let mut group: Group<'_> = criterion.benchmark_group("peak");
        group.throughput(Throughput::Elements(peak::fma_flops(isa, PEAK_ROUNDS)));
        group.bench_function(isa.kind().to_string(), |bencher| bencher.iter(|| peak::fma_flops(isa, PEAK_ROUNDS)));
        group.finish();
    }
}

criterion_group! {
    name = kernels;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .without_plots();
    targets = peak_of_multiply_adds, elementary_functions, noise, epilogues, losses, optimizers, sums, panels
}
criterion_main!(kernels);
