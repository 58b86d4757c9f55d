//! Every kernel on every instruction set of the machine, on data that fit the first-level cache, in clock cycles an element;
//! for the elementary functions the largest error found as well. Prints Markdown tables: `cargo bench --bench kernels`.
//!
//! Arguments: nothing for all, or words of which a kernel's name must contain one. `--test` runs everything once.

mod common;
#[path = "../tests/reference/elementary.rs"]
mod elementary;

use std::time::Duration;

use common::{Arguments, Stopwatch, clock, head, header, row, values};
use elementary::{sine_of_quarters, ulp_error};
use gannet::cpu::Isa;
use gannet::internals::kernel::activation::{backward_epilogue, forward_epilogue};
use gannet::internals::kernel::dropout::{Dropout, DropoutPart, Keeps};
use gannet::internals::kernel::loss::{LossTerm, bce_with_logits, softmax_cross_entropy};
use gannet::internals::kernel::math::{self, MaxUlp};
use gannet::internals::kernel::noise::{StreamKey, normal, uniform};
use gannet::internals::kernel::optimizer::{AdamStep, SgdStep, Update};
use gannet::internals::kernel::panel::{Columns, gather_bytes, gather_rows, scatter_rows};
use gannet::internals::kernel::reduce::{add_assign, row_sums};
use gannet::net::Activation;

/// A panel of 64 features by 64 samples: 16 KiB.
const WIDTH: usize = 64;
const FEATURES: usize = 64;
const COUNT: usize = WIDTH * FEATURES;

/// How long a kernel is timed, [`REPEATS`] times.
const SPAN: Duration = Duration::from_millis(8);
const REPEATS: usize = 7;

/// The table of cycles, row by row.
struct Table {
    arguments: Arguments,
    stopwatch: Stopwatch,
    flop_per_cycle: f64,
}

impl Table {
    /// One row: a kernel's name, the elements of a round, and what a round does on an instruction set.
    fn row(&mut self, name: &str, elements: usize, round: impl FnMut(Isa)) {
        if let Some(cells) = self.cells(name, elements, round) {
            println!("{}", row(&cells));
        }
    }

    /// The name and the cycles an element on each instruction set, if the row is asked for.
    fn cells(&mut self, name: &str, elements: usize, mut round: impl FnMut(Isa)) -> Option<Vec<String>> {
        self.arguments.wants(name).then(|| {
            let cycles = Isa::available().into_iter().map(|isa| {
                let cycles = self.stopwatch.time(|| round(isa)).capacity / self.flop_per_cycle;
                format!("{:.2}", cycles / elements as f64)
            });
            std::iter::once(format!("`{name}`")).chain(cycles).collect()
        })
    }
}

/// A function of one argument: what computes it, the arguments that it is timed on, its reference, its stated error, and
/// the arguments at which that holds.
struct Function {
    name: &'static str,
    function: fn(Isa, &[f32], &mut [f32]),
    timed_on: fn(f32) -> f32,
    reference: fn(f64) -> f64,
    limit: MaxUlp,
    valid: fn(f32) -> bool,
}

const FUNCTIONS: [Function; 6] = [
    Function {
        name: "exp",
        function: math::exp,
        timed_on: |x| 8.0 * x,
        reference: f64::exp,
        limit: math::EXP_MAX_ULP,
        valid: |_| true,
    },
    Function {
        name: "ln",
        function: math::ln,
        timed_on: |x| x.abs() + 0.1,
        reference: f64::ln,
        limit: math::LN_MAX_ULP,
        valid: |_| true,
    },
    Function {
        name: "tanh",
        function: math::tanh,
        timed_on: |x| 8.0 * x,
        reference: f64::tanh,
        limit: math::TANH_MAX_ULP,
        valid: |_| true,
    },
    Function {
        name: "sigmoid",
        function: math::sigmoid,
        timed_on: |x| 8.0 * x,
        reference: |x| 1.0 / (1.0 + (-x).exp()),
        limit: math::SIGMOID_MAX_ULP,
        valid: |_| true,
    },
    Function {
        name: "sin (of both)",
        function: |isa, turns, sine| math::sin_cos_of_turns(isa, turns, sine, &mut vec![0.0; turns.len()]),
        timed_on: |x| x,
        reference: |turns| sine_of_quarters(4.0 * turns),
        limit: math::SIN_COS_MAX_ULP,
        valid: |turns| turns.abs() <= math::TURNS_LIMIT,
    },
    Function {
        name: "cos (of both)",
        function: |isa, turns, cosine| math::sin_cos_of_turns(isa, turns, &mut vec![0.0; turns.len()], cosine),
        timed_on: |x| x,
        reference: |turns| sine_of_quarters(4.0 * turns + 1.0),
        limit: math::SIN_COS_MAX_ULP,
        valid: |turns| turns.abs() <= math::TURNS_LIMIT,
    },
];

/// The largest error on `isa` over the sample, where the truth is a finite `f32`; NaN if a value is.
fn largest_error(function: &Function, isa: Isa, sample: &[f32]) -> f64 {
    let mut output = vec![f32::NAN; sample.len()];
    (function.function)(isa, sample, &mut output);
    let mut largest = 0.0;
    for (&x, &y) in sample.iter().zip(&output) {
        let truth = (function.reference)(f64::from(x));
        if !(truth.abs() <= f64::from(f32::MAX)) {
            continue;
        }
        let error = ulp_error(y, truth);
        if !(error <= largest) {
            largest = error;
        }
    }
    largest
}

/// Every 4,099th float (a prime, so that the low bits vary), a grid where most of the action is, all floats beside 1.
fn sample(test: bool) -> Vec<f32> {
    let step = if test { 4099 * 1009 } else { 4099 };
    let mut sample: Vec<f32> = (0..=u32::MAX).step_by(step).map(f32::from_bits).collect();
    sample.extend((-400_000..=400_000).step_by(step / 4099).map(|i| i as f32 * (1.0 / 16384.0)));
    sample.extend((-200_000..=200_000).step_by(step / 4099).map(|i| 1.0 + i as f32 * f32::EPSILON));
    sample
}

fn elementary_functions(table: &mut Table) {
    let sets: Vec<String> = Isa::available().into_iter().map(|isa| isa.kind().to_string()).collect();
    let titles = sets.iter().map(|set| format!("{set}, cycles")).chain(sets.iter().map(|set| format!("{set}, ULP")));
    let bounds = ["bound, ULP", "without FMA"].map(str::to_string);
    println!("{}", head(&[vec!["function".to_string()], titles.collect(), bounds.to_vec()].concat(), 1));
    let (sample, numbers) = (sample(table.arguments.test), values(COUNT));
    let (mut output, mut other) = (vec![0.0; COUNT], vec![0.0; COUNT]);
    for function in &FUNCTIONS {
        let input: Vec<f32> = numbers.iter().map(|&x| (function.timed_on)(x)).collect();
        let both = function.name.ends_with("(of both)");
        let cells = table.cells(function.name, COUNT, |isa| {
            if both {
                math::sin_cos_of_turns(isa, &input, &mut output, &mut other);
            } else {
                (function.function)(isa, &input, &mut output);
            }
        });
        let Some(mut cells) = cells else { continue };
        let sample: Vec<f32> = sample.iter().copied().filter(|&x| (function.valid)(x)).collect();
        let errors = Isa::available().into_iter().map(|isa| largest_error(function, isa, &sample));
        cells.extend(errors.map(|error| format!("{error:.2}")));
        cells.extend([function.limit.fused, function.limit.unfused].map(|bound| format!("{bound:.1}")));
        println!("{}", row(&cells));
    }
}

fn noise(table: &mut Table) {
    let mut panel = vec![0.0; COUNT];
    let key = StreamKey::new(1, 2, 3);
    table.row("normal", COUNT, |isa| normal(isa, key, 0, &mut panel, WIDTH));
    table.row("normal_two_features", 2 * WIDTH, |isa| normal(isa, key, 0, &mut panel[..2 * WIDTH], WIDTH));
    table.row("uniform", COUNT, |isa| uniform(isa, key, 0, -1.0, 1.0, &mut panel, WIDTH));
}

const ACTIVATIONS: [(&str, Activation); 5] = [
    ("linear", Activation::Linear),
    ("relu", Activation::Relu),
    ("leaky_relu", Activation::LeakyRelu { slope: 0.2 }),
    ("tanh", Activation::Tanh),
    ("sigmoid", Activation::Sigmoid),
];

fn epilogues(table: &mut Table) {
    let bias = vec![0.0; FEATURES];
    let parts = [DropoutPart { lanes: 0..WIDTH, first_sample: 0, keeps: Keeps::Drawn(StreamKey::new(1, 2, 3)) }];
    let dropout = Dropout { probability: 0.3, first_feature: 0, parts: &parts };
    for (name, activation) in ACTIVATIONS {
        for (suffix, dropout) in [("", None), ("_dropout", Some(&dropout))] {
            // In place, over and over: keep the values of a size that training has.
            let (input, mut y) = (values(COUNT), vec![0.0; COUNT]);
            table.row(&format!("forward_{name}{suffix}"), COUNT, |isa| {
                y.copy_from_slice(&input);
                forward_epilogue(isa, activation, &bias, dropout, &mut y, WIDTH);
            });
            let probability = dropout.map_or(0.0, |dropout| dropout.probability);
            let (gradient, mut delta) = (values(COUNT), vec![0.0; COUNT]);
            table.row(&format!("backward_{name}{suffix}"), COUNT, |isa| {
                delta.copy_from_slice(&gradient);
                backward_epilogue(isa, activation, probability, &y, &mut delta);
            });
        }
    }
}

fn losses(table: &mut Table) {
    let term = LossTerm::new(true, 1.0 / 1024.0);
    let input = values(1024);
    let (mut fake, mut real) = (input.clone(), input.clone());
    for (suffix, report) in [("", false), ("_report", true)] {
        table.row(&format!("bce{suffix}"), 1024, |isa| {
            real.copy_from_slice(&input);
            bce_with_logits(isa, term, &mut real, 1000, report);
        });
        table.row(&format!("softmax{suffix}"), 1024, |isa| {
            real.copy_from_slice(&input);
            fake.copy_from_slice(&input);
            softmax_cross_entropy(isa, term, &mut fake, &mut real, 1000, report);
        });
    }
}

fn optimizers(table: &mut Table) {
    let count = 2048;
    let gradients = values(count);
    let (mut parameters, mut first, mut second) = (values(count), vec![0.0; count], vec![0.0; count]);
    let adam = Update::from(AdamStep { learning_rate: 1e-6, beta1: 0.5, beta2: 0.999, epsilon: 1e-8, t: 10 });
    table.row("adam", count, |isa| {
        adam.apply(isa, &mut parameters, &gradients, &mut [&mut first, &mut second]);
    });
    for (name, momentum) in [("sgd", 0.0), ("sgd_momentum", 0.9)] {
        let descent = Update::from(SgdStep { learning_rate: 1e-6, momentum });
        table.row(name, count, |isa| {
            descent.apply(isa, &mut parameters, &gradients, &mut [&mut first]);
        });
    }
}

fn sums(table: &mut Table) {
    let panel = values(COUNT);
    let mut sums = vec![0.0; FEATURES];
    table.row("row_sums", COUNT, |isa| row_sums(isa, &panel, WIDTH, &mut sums, false));
    let mut to = vec![0.0; COUNT];
    table.row("add_assign", COUNT, |isa| add_assign(isa, &mut to, &panel));
}

/// The panel of a layer of MNIST: larger than the first-level cache, as it is in training.
fn panels(table: &mut Table) {
    let (features, width) = (784, 256);
    let rows: Vec<u32> = (0..width as u32).map(|i| i * 37 % 256).collect();
    let (data, bytes) = (values(features * width), vec![100; features * width]);
    let (mut panel, mut back) = (vec![0.0; features * width], vec![0.0; features * width]);
    let elements = features * width;
    table.row("gather_rows_784", elements, |isa| gather_rows(isa, &data, features, &rows, &mut panel, width));
    table.row("gather_bytes_784", elements, |isa| {
        gather_bytes(isa, &bytes, Columns::all(features), &rows, [2.0 / 255.0, -1.0], &mut panel, width);
    });
    table.row("scatter_rows_784", elements, |isa| scatter_rows(isa, &panel, width, width, &mut back));
    table.row("gather_rows_2", 2 * width, |isa| {
        gather_rows(isa, &data[..2 * width], 2, &rows, &mut panel[..2 * width], width);
    });
}

fn main() {
    let arguments = Arguments::read();
    let (isa, flop_per_cycle) = clock();
    let stopwatch = Stopwatch::new(&arguments, isa, SPAN, REPEATS);
    let mut table = Table { arguments, stopwatch, flop_per_cycle };
    println!(
        "{}. Clock cycles an element, one thread, data in the first-level cache; a cycle is {flop_per_cycle} FLOP of the peak of \
         {}, measured beside each. ULP: the largest error found against f64, in units in the last place.\n",
        header(),
        isa.kind()
    );
    elementary_functions(&mut table);
    let sets = Isa::available().into_iter().map(|isa| isa.kind().to_string());
    println!("\n{}", head(&std::iter::once("kernel".to_string()).chain(sets).collect::<Vec<_>>(), 1));
    noise(&mut table);
    epilogues(&mut table);
    losses(&mut table);
    optimizers(&mut table);
    sums(&mut table);
    panels(&mut table);
}
