//! A phase of the worker team allocates nothing, whether its workers spin or sleep: counted by the global allocator of
//! this process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use gannet::internals::parallel::{BlockedChunks, Chunks, Elements, Enumerated, Team, build_pool, with_team};

/// The system's allocator, which counts what the threads that enrolled take and give back.
struct Counting;

/// Blocks taken or resized. What is given back does not count here: rayon's collector frees what the threads of an earlier pool left
/// at any later time, in any thread.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// Blocks of memory taken and not given back by the threads that enrolled.
static LIVE: AtomicIsize = AtomicIsize::new(0);

thread_local! {
    /// Whether this thread is counted. The test harness has threads of its own.
    static ENROLLED: Cell<bool> = const { Cell::new(false) };
}

fn count(taken: usize, live: isize) {
    if ENROLLED.get() {
        TAKEN.fetch_add(taken, SeqCst);
        LIVE.fetch_add(live, SeqCst);
    }
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, 1);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, 1);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(1, 0);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.realloc(memory, layout, new_size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(0, -1);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Arrays for the phases to work on, and scratch for up to four workers.
#[derive(Default)]
struct Arrays {
    rows: Vec<f32>,
    sums: Vec<f32>,
    scratch: [f32; 4],
}

/// Phases of every kind, between which the workers sometimes have time to fall asleep.
fn phases(team: &Team<'_>, arrays: &mut Arrays, number: usize) {
    let Arrays { rows, sums, scratch } = arrays;
    for phase in 0..number {
        team.for_each(BlockedChunks::new(rows, 100, 30), |(outer, chunk, values)| {
            values.fill((outer + chunk) as f32);
        });
        team.for_each((Enumerated(Chunks::new(rows, 100)), Elements::new(sums)), |((row, values), sum)| {
            *sum = values.iter().sum::<f32>() + row as f32;
        });
        team.for_each_with(scratch, 0..8, |own, item| *own += item as f32);
        if phase % 1000 == 999 {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Both in one: the counters are those of the whole process.
#[test]
fn teams_allocate_nothing_that_stays() {
    phases_allocate_nothing();
    runs_leave_nothing_in_a_busy_pool();
}

/// Runs come and go, and the pool's only thread is busy with something else: each run sends for it, and none comes.
fn runs_leave_nothing_in_a_busy_pool() {
    let pool = build_pool(1).unwrap();
    let ((release, wait), (started, start)) = (channel::<()>(), channel());
    pool.spawn(move || {
        started.send(()).unwrap();
        _ = wait.recv();
    });
    start.recv().unwrap();
    let run = || with_team(2, Some(&pool), |team| team.for_each(0..4, |_| ()));
    run();
    let before = LIVE.load(SeqCst);
    for _ in 0..2000 {
        run();
    }
    assert_eq!(LIVE.load(SeqCst), before);
    drop(release);
}

fn phases_allocate_nothing() {
    ENROLLED.set(true);
    for threads in 1..=4 {
        let pool = (threads > 1).then(|| build_pool(threads - 1).unwrap());
        if let Some(pool) = &pool {
            pool.broadcast(|_| ENROLLED.set(true));
        }
        let mut arrays = Arrays { rows: vec![0.0; 1000], sums: vec![0.0; 10], ..Arrays::default() };
        with_team(threads, pool.as_ref(), |team| {
            // Until every worker is there: taking jobs from the pool may allocate.
            let arrived = AtomicUsize::new(0);
            team.for_each(0..team.workers(), |_| {
                arrived.fetch_add(1, SeqCst);
                while arrived.load(SeqCst) < threads {
                    thread::yield_now();
                }
            });
            // And until every worker has waited for long enough to look for other jobs of the pool: rayon takes memory once, where a
            // thread does so for the first time.
            phases(team, &mut arrays, 5000);
            let before = TAKEN.load(SeqCst);
            assert!(before > 0, "the counter counts");
            phases(team, &mut arrays, 5000);
            assert_eq!(TAKEN.load(SeqCst), before, "with {threads} threads");
        });
        // A pool's threads end at some time after the pool, and what they then do does not count.
        if let Some(pool) = &pool {
            pool.broadcast(|_| ENROLLED.set(false));
        }
    }
}
