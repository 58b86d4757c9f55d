//! What the machine can do at most: multiply-adds, memory traffic by level, and what a phase of the worker team costs.
//! Prints Markdown tables: `cargo bench --bench ceilings`.
//!
//! Arguments: nothing for all, or some of `multiply-adds`, `memory`, `phases`. `--test` runs everything once.

mod common;

use std::hint::black_box;
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use common::{Arguments, PeakMeter, Stopwatch, clock, head, header, median, row, thread_counts};
use gannet::cpu::Isa;
use gannet::internals::kernel::peak::fma_flops;
use gannet::internals::memory::AlignedBuffer;
use gannet::internals::parallel::{build_pool, with_team};
use gannet::internals::simd::{Kernel, LANE_GROUP, Simd};

/// How long a measurement takes, [`REPEATS`] times.
const SPAN: Duration = Duration::from_millis(20);
const REPEATS: usize = 7;

/// Runs `work` on `threads` threads at once; returns the seconds from the first start to the last end.
fn together(threads: usize, work: impl Fn(usize) + Sync) -> f64 {
    let barrier = Barrier::new(threads);
    let one = |thread| {
        barrier.wait();
        let start = Instant::now();
        work(thread);
        (start, Instant::now())
    };
    let spans: Vec<(Instant, Instant)> = std::thread::scope(|scope| {
        let one = &one;
        let others: Vec<_> = (1..threads).map(|thread| scope.spawn(move || one(thread))).collect();
        let own = one(0);
        others.into_iter().map(|other| other.join().expect("the work does not panic")).chain([own]).collect()
    });
    let start = spans.iter().map(|span| span.0).min();
    let end = spans.iter().map(|span| span.1).max();
    start.zip(end).map_or(f64::NAN, |(start, end)| (end - start).as_secs_f64())
}

/// Titles such as `1 thread, GFLOP/s`.
fn titles(first: &[&str], counts: &[usize], unit: &str) -> Vec<String> {
    let by_count = counts.iter().map(|&n| format!("{n} thread{}, {unit}", if n == 1 { "" } else { "s" }));
    first.iter().map(ToString::to_string).chain(by_count).collect()
}

/// The FMA peak of each instruction set by threads, all at once; the ratio bounds every scaling.
fn multiply_adds(arguments: &Arguments) {
    let counts = thread_counts();
    println!("Independent fused multiply-adds in registers, threads at once, medians of {REPEATS} interleaved.\n");
    let mut columns = titles(&["instruction set"], &counts, "GFLOP/s");
    columns.extend(counts[1..].iter().map(|count| format!("{count} against 1")));
    println!("{}", head(&columns, 1));
    for isa in Isa::available() {
        let rounds = if arguments.test { 1_000 } else { rounds(isa) };
        let mut rates = vec![Vec::new(); counts.len()];
        for _ in 0..if arguments.test { 1 } else { REPEATS } {
            for (&threads, rates) in counts.iter().zip(&mut rates) {
                let seconds = together(threads, |_| _ = fma_flops(isa, rounds));
                // Every thread does the same work.
                rates.push(fma_flops(isa, 1) as f64 * rounds as f64 * threads as f64 / seconds);
            }
        }
        let rates: Vec<f64> = rates.iter_mut().map(|rates| median(rates)).collect();
        let mut cells = vec![isa.kind().to_string()];
        cells.extend(rates.iter().map(|rate| format!("{:.0}", rate / 1e9)));
        cells.extend(rates[1..].iter().map(|rate| format!("{:.2}", rate / rates[0])));
        println!("{}", row(&cells));
    }
    println!();
}

/// Rounds of multiply-adds that fill a span.
fn rounds(isa: Isa) -> u64 {
    (PeakMeter::new(isa).measure() * SPAN.as_secs_f64() / fma_flops(isa, 1) as f64) as u64
}

/// How a slice is passed over.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Access {
    /// All vectors are added up.
    Read,
    /// All vectors are written.
    Write,
    /// The first half is copied to the second; it counts what it reads and what it writes.
    Copy,
}

/// `passes` passes over `data`.
struct Passes<'a> {
    access: Access,
    data: &'a mut [f32],
    passes: u64,
}

/// Vectors in flight.
const UNROLLED: usize = 4;

impl Kernel for Passes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { access, data, passes } = self;
        let block = UNROLLED * S::LANES;
        // Opaque to the compiler. The zero is added to what is copied, lest a copy becomes a call of the C library.
        let [one, zero] = black_box([1.0, 0.0]).map(|value| simd.splat(value));
        let mut sums = [zero; UNROLLED];
        for _ in 0..passes {
            let data = black_box(&mut *data);
            match access {
                Access::Read => {
                    for vectors in data.chunks_exact(block) {
                        for (sum, vector) in sums.iter_mut().zip(vectors.chunks_exact(S::LANES)) {
                            *sum = simd.add(*sum, simd.load(vector));
                        }
                    }
                }
                Access::Write => {
                    for vectors in data.chunks_exact_mut(block) {
                        vectors.chunks_exact_mut(S::LANES).for_each(|vector| simd.store(one, vector));
                    }
                }
                Access::Copy => {
                    let (from, to) = data.split_at_mut(data.len() / 2);
                    for (from, to) in from.chunks_exact(block).zip(to.chunks_exact_mut(block)) {
                        for (from, to) in from.chunks_exact(S::LANES).zip(to.chunks_exact_mut(S::LANES)) {
                            simd.store(simd.add(simd.load(from), zero), to);
                        }
                    }
                }
            }
        }
        let mut lanes = [0.0; LANE_GROUP];
        for sum in sums {
            simd.store(sum, &mut lanes);
            black_box(&lanes);
        }
    }
}

/// A level of memory: name, bytes that a thread works on, whether threads share them.
struct Level {
    name: &'static str,
    bytes: usize,
    shared: bool,
}

/// The data caches of the first processor in bytes, by level, as Linux tells them; elsewhere what cores of 2020 have.
fn caches() -> [usize; 3] {
    let mut found = [32 << 10, 1 << 20, 32 << 20];
    for index in 0..8 {
        let read = |name: &str| {
            let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{name}");
            std::fs::read_to_string(path).ok().map(|text| text.trim().to_string())
        };
        let level = read("level").and_then(|text| text.parse::<usize>().ok());
        let size = read("size").and_then(|text| text.strip_suffix('K')?.parse::<usize>().ok());
        if let (Some(level @ 1..=3), Some(size), true) = (level, size, read("type").as_deref() != Some("Instruction")) {
            found[level - 1] = size << 10;
        }
    }
    found
}

/// Half of each cache, so that nothing else must leave it, and four times the last one.
fn levels() -> [Level; 4] {
    let [first, second, third] = caches();
    [
        Level { name: "L1", bytes: first / 2, shared: false },
        Level { name: "L2", bytes: second / 2, shared: false },
        Level { name: "L3", bytes: third / 2, shared: true },
        Level { name: "DRAM", bytes: 4 * third, shared: true },
    ]
}

/// Traffic of each level by kind of access and threads.
fn memory(arguments: &Arguments) -> gannet::Result<()> {
    let counts = thread_counts();
    let isa = Isa::resolve(None)?;
    let (clock_isa, flop_per_cycle) = clock();
    let mut meter = PeakMeter::new(clock_isa);
    (0..REPEATS).for_each(|_| _ = meter.measure());
    let clock = meter.median() / flop_per_cycle;
    println!(
        "Memory traffic with vectors of {}, GB/s of all threads at once, and bytes a cycle of one at {:.2} GHz. A copy counts \
         what it reads and what it writes. Stores are plain: beyond the first level a written line is read first.\n",
        isa.kind(),
        clock / 1e9
    );
    let mut columns = titles(&["level", "access", "KiB a thread"], &counts, "GB/s");
    columns.push("bytes a cycle".to_string());
    println!("{}", head(&columns, 2));
    for level in levels() {
        for access in [Access::Read, Access::Write, Access::Copy] {
            let mut cells = vec![level.name.to_string(), format!("{access:?}").to_lowercase(), String::new()];
            let mut of_one = f64::NAN;
            for &threads in &counts {
                let bytes = if level.shared { level.bytes / threads } else { level.bytes };
                let rate = traffic(arguments, isa, access, threads, bytes)?;
                if threads == 1 {
                    of_one = rate;
                    cells[2] = (bytes >> 10).to_string();
                } else if level.shared && threads == 2 {
                    cells[2] += &format!(", {}", bytes >> 10);
                }
                cells.push(format!("{:.1}", rate / 1e9));
            }
            cells.push(format!("{:.1}", of_one / clock));
            println!("{}", row(&cells));
        }
    }
    println!();
    Ok(())
}

/// Bytes a second of `threads` threads, each of which passes over `bytes` bytes of its own, again and again.
fn traffic(arguments: &Arguments, isa: Isa, access: Access, threads: usize, bytes: usize) -> gannet::Result<f64> {
    // A multiple of both halves' blocks.
    let len = (bytes / size_of::<f32>()).next_multiple_of(2 * UNROLLED * LANE_GROUP);
    let buffer = || {
        let mut buffer = AlignedBuffer::zeroed(len)?;
        // Touched, so that every page is its own.
        buffer.fill(1.0);
        Ok::<_, gannet::Error>(Mutex::new(buffer))
    };
    let buffers = (0..threads).map(|_| buffer()).collect::<gannet::Result<Vec<_>>>()?;
    let pass = |thread: usize, passes: u64| {
        let mut buffer = buffers[thread].lock().expect("nobody panics with it");
        isa.run(Passes { access, data: &mut buffer, passes });
    };
    let mut passes = 1;
    if !arguments.test {
        while common::seconds_of(1, &mut || pass(0, passes)) < SPAN.as_secs_f64() / 4.0 {
            passes *= 2;
        }
        passes *= 2;
    }
    let mut rates: Vec<f64> = (0..if arguments.test { 1 } else { REPEATS })
        .map(|_| {
            let seconds = together(threads, |thread| pass(thread, passes));
            (threads * len * size_of::<f32>()) as f64 * passes as f64 / seconds
        })
        .collect();
    Ok(median(&mut rates))
}

/// What a phase of the worker team costs when its items cost nothing.
fn phases(arguments: &Arguments) -> gannet::Result<()> {
    println!("A phase of the worker team whose items cost nothing, in nanoseconds.\n");
    let item_counts = [2, 16];
    println!("{}", head(&["threads", "2 items", "16 items"], 0));
    for threads in [1, 2].into_iter().chain(thread_counts().into_iter().filter(|&threads| threads > 2)) {
        let pool = if threads > 1 { Some(build_pool(threads - 1)?) } else { None };
        let mut cells = vec![threads.to_string()];
        with_team(threads, pool.as_ref(), |team| {
            let mut stopwatch = Stopwatch::new(arguments, Isa::best(), SPAN, REPEATS);
            for items in item_counts {
                let found = stopwatch.time(|| team.for_each(0..black_box(items), |item| _ = black_box(item)));
                cells.push(format!("{:.1}", 1e9 * found.seconds));
            }
        });
        println!("{}", row(&cells));
    }
    println!();
    Ok(())
}

fn main() -> gannet::Result<()> {
    let arguments = Arguments::read();
    println!("{}.\n", header());
    if arguments.wants("multiply-adds") {
        multiply_adds(&arguments);
    }
    if arguments.wants("memory") {
        memory(&arguments)?;
    }
    if arguments.wants("phases") {
        phases(&arguments)?;
    }
    Ok(())
}
