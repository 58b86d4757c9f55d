//! The barrier of the worker team under loom, which runs a small program in every order that its threads' operations can have, as far
//! as a bound on preemptions allows: no data race, no lost wakeup, no item done twice or never.
//!
//! The two files that hold the team's protocol are compiled here against `team_model/sync.rs` in place of the library's own module.

#[path = "../src/parallel/bell.rs"]
mod bell;
#[path = "../src/parallel/phases.rs"]
mod phases;
#[path = "team_model/sync.rs"]
mod sync;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::Arc;
use loom::thread;

use bell::Bell;
use phases::{MAX_ITEMS, Phases};
use sync::{AtomicBool, Fences};

/// Plain memory that tasks write: loom fails where two threads may do so at once, or where one may not see what the other wrote.
struct Plain(UnsafeCell<usize>);

// SAFETY: loom refuses every access that races with another.
unsafe impl Sync for Plain {}

impl Plain {
    fn new() -> Self {
        Self(UnsafeCell::new(0))
    }

    fn add(&self, value: usize) {
        // SAFETY: loom has checked that nobody else accesses it, or has panicked.
        self.0.with_mut(|place| unsafe { *place += value });
    }

    fn get(&self) -> usize {
        // SAFETY: as above.
        self.0.with(|place| unsafe { *place })
    }
}

/// Runs `program` in all orders with at most so many preemptions: most errors of this kind need no more than two (Musuvathi and
/// Qadeer 2007).
fn in_all_orders(preemptions: usize, program: impl Fn() + Sync + Send + Copy + 'static) {
    for fences in [Fences::BehindStores, Fences::BeforeLoads] {
        fences.choose();
        let mut builder = Builder::new();
        builder.preemption_bound = Some(preemptions);
        builder.check(program);
    }
}

/// A leader with `workers` workers, which come whenever they come, and a task for each number of items in `counts`. What the leader
/// writes between phases the tasks see, and the other way round; a phase's own memory is used by nobody after it.
fn phases_with(workers: usize, counts: &'static [usize], preemptions: usize) {
    in_all_orders(preemptions, move || {
        let phases = Arc::new(Phases::new());
        let spawn = |worker| {
            let phases = Arc::clone(&phases);
            // SAFETY: the numbers are those of 1 ..= workers, each once.
            thread::spawn(move || unsafe { phases.work(worker, || ()) })
        };
        let workers: Vec<_> = (1..=workers).map(spawn).collect();
        let kept: [Plain; 2] = [Plain::new(), Plain::new()];
        for (phase, &count) in counts.iter().enumerate() {
            kept.iter().for_each(|place| place.add(10));
            let of_phase: [Plain; 2] = [Plain::new(), Plain::new()];
            assert!(count <= MAX_ITEMS);
            // SAFETY: this thread alone leads.
            unsafe {
                phases.run(count, &|_, index| {
                    kept[index].add(1);
                    of_phase[index].add(1);
                });
            }
            for index in 0..count {
                of_phase[index].add(1);
                assert_eq!(of_phase[index].get(), 2, "each item once");
                assert_eq!(kept[index].get(), 11 * (phase + 1), "phases see each other's numbers");
            }
        }
        phases.stop();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

#[test]
fn one_worker_and_three_phases() {
    phases_with(1, &[2, 2, 2], 3);
}

#[test]
fn two_workers_and_two_phases() {
    phases_with(2, &[2, 2], 2);
}

#[test]
fn a_panic_of_a_task_reaches_the_leader_after_all_have_left() {
    in_all_orders(2, || {
        let phases = Arc::new(Phases::new());
        let worker = {
            let phases = Arc::clone(&phases);
            // SAFETY: the only worker.
            thread::spawn(move || unsafe { phases.work(1, || ()) })
        };
        let own = [Plain::new(), Plain::new()];
        // SAFETY: this thread alone leads.
        let run = || unsafe {
            phases.run(2, &|_, index| {
                own[index].add(1);
                if index == 1 {
                    resume_unwind(Box::new("the second item"));
                }
            });
        };
        let outcome = catch_unwind(AssertUnwindSafe(run));
        assert_eq!(*outcome.unwrap_err().downcast::<&str>().unwrap(), "the second item");
        own.iter().for_each(|place| place.add(1));
        // The panic is not told again.
        // SAFETY: as above.
        unsafe { phases.run(2, &|_, index| own[index].add(1)) };
        phases.stop();
        worker.join().unwrap();
    });
}

/// Two sleepers, since each ring wakes all of them.
#[test]
fn no_ring_is_lost() {
    in_all_orders(3, || {
        let shared = Arc::new((Bell::default(), AtomicBool::new(false), Plain::new()));
        let spawn = |_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (bell, is_over, result) = &*shared;
                bell.wait_until(|| is_over.load(SeqCst));
                assert_eq!(result.get(), 7);
            })
        };
        let sleepers: Vec<_> = (0..2).map(spawn).collect();
        let (bell, is_over, result) = &*shared;
        result.add(7);
        is_over.store(true, SeqCst);
        bell.ring();
        sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
    });
}

/// The model tells orders apart: with a weaker one it finds what goes wrong.
#[test]
fn a_relaxed_store_is_found_out() {
    let wrong = || {
        in_all_orders(2, || {
            let shared = Arc::new((AtomicBool::new(false), Plain::new()));
            let writer = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    shared.1.add(7);
                    shared.0.store(true, Relaxed);
                })
            };
            if shared.0.load(SeqCst) {
                assert_eq!(shared.1.get(), 7);
            }
            writer.join().unwrap();
        });
    };
    assert!(catch_unwind(wrong).is_err());
}
