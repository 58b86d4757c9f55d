//! What the benches share: their arguments, a stopwatch that measures the processor's peak beside what it times, trainers on
//! made data.
#![allow(dead_code, unused_imports, reason = "each bench uses a part")]

pub(crate) mod gemm_crate;
pub(crate) mod layer;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gannet::cpu::{Isa, IsaKind};
use gannet::data::{ArraySource, ByteSource, Labelled};
use gannet::gan::presets::Preset;
use gannet::gan::{Source, Trainer, TrainerOptions};
pub(crate) use gannet::internals::machine::header;
pub(crate) use gannet::internals::markdown::{head, row};
pub(crate) use gannet::internals::peak::{PeakMeter, median};

/// Arguments of a bench.
pub(crate) struct Arguments {
    /// Everything is run once, quickly: the figures mean nothing.
    pub(crate) test: bool,
    /// Words that a row must contain; none = all rows.
    words: Vec<String>,
}

impl Arguments {
    /// Those of the process. `cargo bench` adds `--bench`.
    pub(crate) fn read() -> Self {
        let (options, words): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|word| word.starts_with("--"));
        Self { test: options.iter().any(|option| option == "--test"), words }
    }

    /// The words.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// Whether the row `name` is asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()))
    }
}

/// How long one measurement of the peak takes at most.
const PEAK_SPAN: Duration = Duration::from_millis(1);

/// Times calls, each time with a measurement of the peak of one thread beside them.
pub(crate) struct Stopwatch {
    peak: PeakMeter,
    span: Duration,
    repeats: usize,
    test: bool,
}

/// What a call takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// Median seconds.
    pub(crate) seconds: f64,
    /// Floating-point operations that one thread could have done in the meantime: the median of seconds times peak, so that
    /// a change of the clock cancels out.
    pub(crate) capacity: f64,
}

impl Stopwatch {
    /// A stopwatch that times `repeats` times for about `span`. The peak is that of `isa`.
    pub(crate) fn new(arguments: &Arguments, isa: Isa, span: Duration, repeats: usize) -> Self {
        let repeats = if arguments.test { 1 } else { repeats };
        Self { peak: PeakMeter::spanning(isa, PEAK_SPAN), span, repeats, test: arguments.test }
    }

    /// Times `call`.
    pub(crate) fn time(&mut self, mut call: impl FnMut()) -> Measured {
        let calls = self.calls(&mut call);
        let found: Vec<Measured> = (0..self.repeats).map(|_| self.once(calls, &mut call)).collect();
        Measured::median(&found)
    }

    /// Times `calls` calls once, beside one measurement of the peak.
    pub(crate) fn once(&mut self, calls: u64, call: &mut impl FnMut()) -> Measured {
        let peak = self.peak.measure();
        let seconds = seconds_of(calls, call) / calls as f64;
        Measured { seconds, capacity: seconds * peak }
    }

    /// Calls that fill a span; warms up as well.
    fn calls(&self, call: &mut impl FnMut()) -> u64 {
        let mut calls = 1;
        let mut seconds = seconds_of(calls, call);
        if self.test {
            return 1;
        }
        while seconds < self.span.as_secs_f64() / 4.0 {
            calls *= 2;
            seconds = seconds_of(calls, call);
        }
        ((calls as f64 * self.span.as_secs_f64() / seconds).round() as u64).max(1)
    }
}

impl Measured {
    /// The medians.
    pub(crate) fn median(found: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(&mut found.iter().map(figure).collect::<Vec<_>>());
        Self { seconds: of(|measured| measured.seconds), capacity: of(|measured| measured.capacity) }
    }
}

/// Seconds that `calls` calls take.
pub(crate) fn seconds_of(calls: u64, call: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        call();
    }
    start.elapsed().as_secs_f64()
}

/// The instruction set whose peak tells the clock, and its floating-point operations a cycle: two multiply-adds of a whole
/// vector, as every core with AVX2 has had since 2013 (Haswell). With AVX-512 some cores do one, some two.
pub(crate) fn clock() -> (Isa, f64) {
    let isa = Isa::require(IsaKind::Avx2).unwrap_or_else(|_| Isa::best());
    (isa, 4.0 * isa.lanes() as f64)
}

/// Numbers of threads to compare: 1, 2, and as many as there are cores.
pub(crate) fn thread_counts() -> Vec<usize> {
    let cores = gannet::cpu::available_threads();
    let mut counts = vec![1, 2, cores];
    counts.retain(|&threads| threads <= cores);
    counts.dedup();
    counts
}

/// Numbers of the size that training has, none of them zero or denormal.
pub(crate) fn values(count: usize) -> Vec<f32> {
    (0..count).map(|index| value(index) + if value(index) < 0.0 { -1e-3 } else { 1e-3 }).collect()
}

fn value(index: usize) -> f32 {
    (index * 7919 % 2001) as f32 / 1000.0 - 1.0
}

/// Made data of the preset's shape and size, and never fewer samples than a batch; a preset with conditions gets its classes in
/// turn.
pub(crate) fn source(preset: Preset, batch: usize) -> gannet::Result<Arc<dyn Source>> {
    let spec = preset.spec();
    let (features, classes) = (spec.features(), spec.conditions);
    let samples = match preset {
        Preset::Mnist => 60_000,
        Preset::Digits => gannet::data::digits::COUNT,
        _ => preset.points().unwrap_or(batch),
    };
    let samples = samples.max(batch);
    let count = samples * features;
    let source: Arc<dyn Source> = match preset.image() {
        Some((height, width)) => {
            let pixels: Vec<u8> = (0..count).map(|index| (index * 7919 % 251) as u8).collect();
            Arc::new(ByteSource::new(pixels, height, width, u8::MAX)?)
        }
        None => Arc::new(ArraySource::new(values(count), features)?),
    };
    if classes == 0 {
        return Ok(source);
    }
    let labels = (0..samples).map(|sample| (sample % classes) as u32).collect();
    Ok(Arc::new(Labelled::new(source, labels, classes)?))
}

/// The options of a run of the preset.
pub(crate) fn options(preset: Preset, batch: usize, threads: usize) -> TrainerOptions {
    TrainerOptions::default().with_batch(batch).with_threads(threads).with_shuffle(preset.shuffle())
}

/// A trainer of the preset with the default engine.
pub(crate) fn trainer(preset: Preset, batch: usize, threads: usize) -> gannet::Result<Trainer<'static>> {
    Trainer::new(preset.spec(), source(preset, batch)?, options(preset, batch, threads))
}

/// Runs `steps` steps, of which the last alone computes losses.
pub(crate) fn run(trainer: &mut Trainer, steps: u64) {
    black_box(trainer.run(steps, 0, |_| std::ops::ControlFlow::Continue(())).expect("made data train"));
}
