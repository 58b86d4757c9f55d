//! The team under many thread counts, short of workers, inside of pools, and with panics.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::{self, ThreadId};
use std::time::Duration;

use super::open_runs::waiting_jobs;
use super::*;

/// Runs `body` with teams of 1 to 4 threads, each with as many workers as it asks for.
fn with_teams(body: impl Fn(&Team<'_>)) {
    with_team(1, None, &body);
    for threads in 2..=4 {
        let pool = build_pool(threads - 1).unwrap();
        with_team(threads, Some(&pool), |team| {
            assert_eq!(team.workers(), threads);
            body(team);
        });
    }
}

/// A phase that ends only once `members` threads are in it at the same time; returns who they were.
fn meet(team: &Team<'_>, members: usize) -> HashSet<ThreadId> {
    let arrived = AtomicUsize::new(0);
    let who = Mutex::new(HashSet::new());
    team.for_each(0..members, |_| {
        who.lock().unwrap().insert(thread::current().id());
        arrived.fetch_add(1, SeqCst);
        while arrived.load(SeqCst) < members {
            thread::yield_now();
        }
    });
    who.into_inner().unwrap()
}

#[test]
fn each_item_once_phase_after_phase() {
    with_teams(|team| {
        let mut counts = vec![0u32; 1000];
        for phase in 0..2000 {
            let items = phase % 41;
            team.for_each(Elements::new(&mut counts[..items]), |count| *count += 1);
        }
        for (index, &count) in counts.iter().enumerate() {
            let expected = (0..2000).filter(|phase| index < phase % 41).count();
            assert_eq!(count as usize, expected);
        }
    });
}

#[test]
fn a_phase_sees_what_the_phase_before_wrote() {
    with_teams(|team| {
        let (mut now, mut next) = (vec![1u64; 64], vec![0u64; 64]);
        let mut expected = now.clone();
        for _ in 0..1000 {
            // Each item reads what other threads wrote.
            team.for_each(Enumerated(Elements::new(&mut next)), |(index, value)| {
                *value = now[index].wrapping_mul(3).wrapping_add(now[(index + 1) % 64]);
            });
            expected = (0..64).map(|i| expected[i].wrapping_mul(3).wrapping_add(expected[(i + 1) % 64])).collect();
            std::mem::swap(&mut now, &mut next);
        }
        assert_eq!(now, expected);
    });
}

#[test]
fn scratch_belongs_to_one_worker_at_a_time() {
    with_teams(|team| {
        struct Scratch {
            in_use: AtomicBool,
            uses: usize,
        }
        let members = team.workers();
        let mut scratch: Vec<_> =
            (0..members + 1).map(|_| Scratch { in_use: AtomicBool::new(false), uses: 0 }).collect();
        for _ in 0..500 {
            team.for_each_with(&mut scratch, 0..20, |own, _| {
                assert!(!own.in_use.swap(true, SeqCst), "two workers share scratch");
                own.uses += 1;
                own.in_use.store(false, SeqCst);
            });
        }
        // All at the same time.
        let (arrived, shared) = (AtomicUsize::new(0), AtomicBool::new(false));
        team.for_each_with(&mut scratch, 0..members, |own, _| {
            shared.fetch_or(own.in_use.swap(true, SeqCst), SeqCst);
            own.uses += 1;
            arrived.fetch_add(1, SeqCst);
            while arrived.load(SeqCst) < members {
                thread::yield_now();
            }
        });
        assert!(!shared.into_inner(), "two workers share scratch");
        assert_eq!(scratch.iter().map(|own| own.uses).sum::<usize>(), 500 * 20 + members);
        assert_eq!(scratch.last().unwrap().uses, 0, "numbers of workers are below their count");
    });
}

#[test]
fn too_little_scratch_is_refused() {
    let pool = build_pool(1).unwrap();
    with_team(2, Some(&pool), |team| {
        let refused = catch_unwind(AssertUnwindSafe(|| team.for_each_with(&mut [0], 0..2, |_, _| ())));
        assert!(refused.is_err());
    });
}

#[test]
fn all_workers_take_part_and_wake_from_sleep() {
    with_teams(|team| {
        for _ in 0..3 {
            assert_eq!(meet(team, team.workers()).len(), team.workers());
            thread::sleep(Duration::from_millis(3));
        }
    });
}

#[test]
fn the_leader_sleeps_until_a_slow_worker_is_done() {
    let pool = build_pool(1).unwrap();
    with_team(2, Some(&pool), |team| {
        let leader = thread::current().id();
        for _ in 0..3 {
            let (arrived, done) = (AtomicUsize::new(0), AtomicBool::new(false));
            team.for_each(0..2, |_| {
                arrived.fetch_add(1, SeqCst);
                while arrived.load(SeqCst) < 2 {
                    thread::yield_now();
                }
                if thread::current().id() != leader {
                    thread::sleep(Duration::from_millis(5));
                    done.store(true, SeqCst);
                }
            });
            assert!(done.load(SeqCst));
        }
    });
}

#[test]
fn phases_without_items_call_nothing() {
    with_teams(|team| {
        team.for_each(0..0, |_| panic!("no item"));
        team.for_each(Chunks::new(&mut [0; 0], 3), |_| panic!("no item"));
        team.for_each_with(&mut vec![(); team.workers()], BlockedChunks::new(&mut [0; 0], 4, 2), |_, _| {
            panic!("no item");
        });
    });
}

#[test]
fn a_panic_in_a_task_reaches_the_caller_and_the_team_lives_on() {
    let message = |outcome: thread::Result<()>| *outcome.unwrap_err().downcast::<&str>().unwrap();
    with_teams(|team| {
        let leader = thread::current().id();
        for _ in 0..20 {
            // Whoever takes the item; everybody; all but the leader.
            let one = catch_unwind(AssertUnwindSafe(|| {
                team.for_each(0..8, |item| {
                    if item == 5 {
                        panic!("one item");
                    }
                });
            }));
            assert_eq!(message(one), "one item");
            let all = catch_unwind(AssertUnwindSafe(|| team.for_each(0..8, |_| panic!("all items"))));
            assert_eq!(message(all), "all items");
            if team.workers() > 1 {
                let arrived = AtomicUsize::new(0);
                let worker = catch_unwind(AssertUnwindSafe(|| {
                    team.for_each(0..2, |_| {
                        arrived.fetch_add(1, SeqCst);
                        while arrived.load(SeqCst) < 2 {
                            thread::yield_now();
                        }
                        if thread::current().id() != leader {
                            panic!("on a worker");
                        }
                    });
                }));
                assert_eq!(message(worker), "on a worker");
            }
            let sum = AtomicUsize::new(0);
            team.for_each(0..10, |item| _ = sum.fetch_add(item, SeqCst));
            assert_eq!(sum.into_inner(), 45);
        }
    });
}

#[test]
fn a_panic_in_the_body_ends_the_run() {
    let pool = build_pool(2).unwrap();
    let outcome = catch_unwind(AssertUnwindSafe(|| with_team(3, Some(&pool), |_| -> () { panic!("body") })));
    assert!(outcome.is_err());
    // The workers are back in the pool.
    with_team(3, Some(&pool), |team| assert_eq!(meet(team, 3).len(), 3));
}

#[test]
fn a_smaller_pool_gives_a_smaller_team() {
    let pool = build_pool(1).unwrap();
    with_team(4, Some(&pool), |team| {
        assert_eq!(team.workers(), 2);
        assert_eq!(meet(team, 2).len(), 2);
    });
    assert_eq!(with_team(0, Some(&pool), |team| team.workers()), 1);
    assert_eq!(with_team(4, None, |team| team.workers()), 1);
}

#[test]
fn a_busy_pool_holds_nobody_up() {
    let pool = build_pool(1).unwrap();
    let (release, wait) = std::sync::mpsc::channel::<()>();
    pool.spawn(move || _ = wait.recv());
    let sum = AtomicUsize::new(0);
    with_team(2, Some(&pool), |team| {
        for _ in 0..100 {
            team.for_each(0..10, |item| _ = sum.fetch_add(item, SeqCst));
        }
    });
    assert_eq!(sum.into_inner(), 4500);
    // Only now may the worker start: it finds its run over, and the next one has it.
    drop(release);
    with_team(2, Some(&pool), |team| assert_eq!(meet(team, 2).len(), 2));
}

#[test]
fn a_thread_of_the_pool_may_lead() {
    for workers in 1..=3 {
        let pool = build_pool(workers).unwrap();
        pool.install(|| {
            for _ in 0..20 {
                with_team(4, Some(&pool), |team| {
                    assert_eq!(team.workers(), workers, "the leader is one of the pool's threads");
                    assert_eq!(meet(team, workers).len(), workers);
                });
            }
        });
    }
}

#[test]
fn a_place_that_a_leader_declined_is_filled_when_its_run_ends() {
    let pool = build_pool(2).unwrap();
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let (started, start) = std::sync::mpsc::channel();
    let leads = started.clone();
    pool.spawn(move || {
        started.send(()).unwrap();
        _ = wait.recv();
    });
    start.recv().unwrap();
    let is_open = AtomicBool::new(false);
    // The only free thread of the pool leads a run, and declines the jobs of this one and of the next.
    let declines = |_: &Team<'_>| {
        leads.send(()).unwrap();
        while !is_open.load(SeqCst) || waiting_jobs(&pool) > 0 {
            rayon::yield_now();
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| pool.install(|| with_team(2, Some(&pool), declines)));
        start.recv().unwrap();
        with_team(2, Some(&pool), |team| {
            is_open.store(true, SeqCst);
            assert_eq!(meet(team, 2).len(), 2);
        });
    });
    drop(release);
}

#[test]
fn a_place_that_a_worker_declined_is_filled_when_it_is_back_in_the_pool() {
    for _ in 0..20 {
        let pool = build_pool(1).unwrap();
        let (started, start) = std::sync::mpsc::channel();
        let (open, opened) = std::sync::mpsc::channel::<()>();
        with_team(2, Some(&pool), |team| {
            assert_eq!(meet(team, 2).len(), 2);
            // The worker does this job between two phases, and is still there when the next run opens.
            pool.spawn(move || {
                started.send(()).unwrap();
                opened.recv().unwrap();
                while rayon::yield_now() != Some(rayon::Yield::Executed) {}
            });
            start.recv().unwrap();
        });
        with_team(2, Some(&pool), |team| {
            open.send(()).unwrap();
            assert_eq!(meet(team, 2).len(), 2);
        });
    }
}

#[test]
fn members_decline_to_work_for_others_while_they_wait() {
    // The only free thread of the pool leads, so the worker's job lies in its own queue.
    let pool = build_pool(2).unwrap();
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let (started, start) = std::sync::mpsc::channel::<()>();
    pool.spawn(move || {
        started.send(()).unwrap();
        _ = wait.recv();
    });
    start.recv().unwrap();
    pool.install(|| {
        with_team(2, Some(&pool), |team| {
            assert_eq!(team.workers(), 2);
            let taken = AtomicUsize::new(0);
            team.for_each(0..4, |_| {
                if rayon::yield_local() == Some(rayon::Yield::Executed) {
                    taken.fetch_add(1, SeqCst);
                }
            });
            assert_eq!(taken.into_inner(), 1);
        });
    });
    drop(release);
}

#[test]
fn teams_nest_in_tasks() {
    let (outer, inner) = (build_pool(2).unwrap(), build_pool(2).unwrap());
    for inner in [&inner, &outer] {
        let sum = AtomicUsize::new(0);
        with_team(3, Some(&outer), |team| {
            for _ in 0..20 {
                team.for_each(0..6, |_| {
                    with_team(3, Some(inner), |team| team.for_each(0..5, |item| _ = sum.fetch_add(item, SeqCst)));
                });
            }
        });
        assert_eq!(sum.into_inner(), 20 * 6 * 10);
    }
}

#[test]
fn a_phase_inside_of_a_phase_runs_on_its_caller() {
    /// Lends a team to its own tasks, as crates that check the thread at run time allow safe code to do.
    struct Smuggled<'a>(&'a Team<'a>, ThreadId);
    // SAFETY: `team` gives out the reference on the thread that made it only.
    unsafe impl Sync for Smuggled<'_> {}
    impl Smuggled<'_> {
        fn team(&self) -> Option<&Team<'_>> {
            (thread::current().id() == self.1).then_some(self.0)
        }
    }
    with_teams(|team| {
        let smuggled = Smuggled(team, thread::current().id());
        let (outer, inner) = (AtomicUsize::new(0), AtomicUsize::new(0));
        for _ in 0..100 {
            team.for_each(0..8, |_| {
                outer.fetch_add(1, SeqCst);
                if let Some(team) = smuggled.team() {
                    let before = inner.load(SeqCst);
                    team.for_each(0..3, |_| _ = inner.fetch_add(1, SeqCst));
                    assert_eq!(inner.load(SeqCst), before + 3);
                }
            });
        }
        assert_eq!(outer.into_inner(), 800);
    });
}

#[test]
fn runs_follow_each_other_on_one_pool() {
    let pool = build_pool(2).unwrap();
    let sum = AtomicUsize::new(0);
    for _ in 0..500 {
        with_team(3, Some(&pool), |team| team.for_each(0..5, |item| _ = sum.fetch_add(item, SeqCst)));
    }
    assert_eq!(sum.into_inner(), 5000);
}

#[test]
fn two_leaders_share_a_pool() {
    let pool = build_pool(2).unwrap();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let sum = AtomicUsize::new(0);
                    with_team(3, Some(&pool), |team| {
                        for _ in 0..20 {
                            team.for_each(0..5, |item| _ = sum.fetch_add(item, SeqCst));
                        }
                    });
                    assert_eq!(sum.into_inner(), 200);
                }
            });
        }
    });
}

#[test]
fn a_pool_needs_workers() {
    assert!(matches!(build_pool(0), Err(Error::Threads { .. })));
    assert!(matches!(build_pool(most_threads() + 1), Err(Error::Threads { .. })));
    assert!(matches!(build_pool(usize::MAX), Err(Error::Threads { .. })));
    let pool = build_pool(2).unwrap();
    let mut names = pool.broadcast(|_| thread::current().name().unwrap_or_default().to_owned());
    names.sort();
    assert_eq!(names, ["gannet-worker-1", "gannet-worker-2"]);
    assert!(available_threads() >= 1);
}

/// Keeps `count` threads of a pool busy until it is dropped.
struct Busy {
    _releases: Vec<std::sync::mpsc::Sender<()>>,
}

impl Busy {
    fn new(pool: &ThreadPool, count: usize) -> Self {
        let (started, start) = std::sync::mpsc::channel();
        let releases = (0..count).map(|_| {
            let (release, wait) = std::sync::mpsc::channel::<()>();
            let started = started.clone();
            pool.spawn(move || {
                started.send(()).unwrap();
                _ = wait.recv();
            });
            start.recv().unwrap();
            release
        });
        Self { _releases: releases.collect() }
    }
}

/// The caller of a run goes on using the pool, though all of its threads are workers of the run.
#[test]
fn the_pool_stays_usable_during_a_run() {
    for workers in 1..=3 {
        let pool = build_pool(workers).unwrap();
        with_team(workers + 1, Some(&pool), |team| {
            for pause in [0, 3, 40] {
                assert_eq!(meet(team, workers + 1).len(), workers + 1);
                thread::sleep(Duration::from_millis(pause));
                assert_eq!(pool.install(|| rayon::join(|| 1, || 2)), (1, 2));
                assert_eq!(pool.broadcast(|context| context.index()).len(), workers);
            }
            // On the leader, on workers, or on both; some of them while the others have nothing left to do.
            for _ in 0..20 {
                let sum = AtomicUsize::new(0);
                team.for_each(0..workers + 2, |item| {
                    sum.fetch_add(pool.install(|| rayon::join(|| item, || 1).0), SeqCst);
                });
                assert_eq!(sum.into_inner(), (workers + 1) * (workers + 2) / 2);
            }
            // A run inside of a job inside of a run.
            let inner = pool.install(|| {
                let sum = AtomicUsize::new(0);
                with_team(workers + 1, Some(&pool), |team| team.for_each(0..9, |item| _ = sum.fetch_add(item, SeqCst)));
                sum.into_inner()
            });
            assert_eq!(inner, 36);
            // The team has lost nobody.
            assert_eq!(meet(team, workers + 1).len(), workers + 1);
        });
    }
}

#[test]
fn jobs_do_not_pile_up_in_a_busy_pool() {
    let pool = build_pool(3).unwrap();
    let busy = Busy::new(&pool, 3);
    for threads in [2, 4, 3, 100, 4] {
        for _ in 0..100 {
            with_team(threads, Some(&pool), |team| {
                team.for_each(0..4, |_| ());
                assert!(waiting_jobs(&pool) <= 3);
                // At the same time, on another thread.
                thread::scope(|scope| {
                    scope.spawn(|| with_team(4, Some(&pool), |_| assert!(waiting_jobs(&pool) <= 3)));
                });
            });
        }
    }
    assert_eq!(waiting_jobs(&pool), 3);
    drop(busy);
    // The jobs are those of whatever run comes next, and none is left after it.
    with_team(4, Some(&pool), |team| assert_eq!(meet(team, 4).len(), 4));
    while waiting_jobs(&pool) > 0 {
        thread::yield_now();
    }
}

/// A worker that has nothing to do takes the job of another, which it must not keep.
#[test]
fn a_worker_that_comes_late_is_still_wanted() {
    for (threads, busy) in [(3, 1), (4, 2), (4, 3)] {
        let pool = build_pool(threads - 1).unwrap();
        let busy = Busy::new(&pool, busy);
        with_team(threads, Some(&pool), |team| {
            // Time for naps, before each of which the workers look for jobs.
            thread::sleep(Duration::from_millis(30));
            drop(busy);
            assert_eq!(meet(team, threads).len(), threads);
        });
    }
}

#[test]
fn pools_do_not_take_each_others_workers() {
    let sizes = [1, 2, 3];
    for _ in 0..20 {
        let pools = sizes.map(|size| build_pool(size).unwrap());
        let busy = Busy::new(&pools[1], 2);
        with_team(3, Some(&pools[1]), |team| team.for_each(0..3, |_| ()));
        for (size, pool) in sizes.iter().zip(&pools).filter(|(size, _)| **size != 2) {
            with_team(4, Some(pool), |team| assert_eq!(meet(team, size + 1).len(), size + 1));
        }
        // One pool ends with jobs in its queue, and the next ones may stand where it stood.
        drop(pools);
        drop(busy);
    }
}
