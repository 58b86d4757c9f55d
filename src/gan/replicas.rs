//! Replicas: independent GANs of one specification, trained side by side, each with a seed of its own.
//!
//! Replicas share nothing but the threads. A worker takes the replica that has waited longest, trains it for a piece of the
//! run, and puts it back: no worker waits for another, and where replicas are no multiple of the threads, or one thread is
//! slower than the others, the work still comes out even.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use super::adversary::StepReport;
use super::options::{Resources, TrainerOptions};
use super::source::Source;
use super::spec::GanSpec;
use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::parallel::{self, ThreadPool};

/// Most replicas: more than anybody trains, and few enough to list.
const MOST_REPLICAS: usize = 100_000;

/// Pieces that a replica's share of a run is cut into where several threads take turns. The end of a run, where threads may
/// have nothing left to do, is at most one piece long.
const PIECES: u64 = 16;

/// Floating-point operations of a piece at least: a millisecond or more, beside which the tens of microseconds that another
/// core takes to fetch the replica's parameters do not count.
const PIECE_FLOP: u64 = 1 << 28;

/// Trains several GANs of one specification side by side.
///
/// Replica `i` has the seed `options.seed + i` (which wraps around after `u64::MAX`) and is, bit for bit, the GAN that a
/// single [`Trainer`] of that seed trains, whatever the number of threads.
///
/// ```
/// use std::{ops::ControlFlow, sync::Arc};
/// use gannet::{data::synthetic, gan::{Replicas, TrainerOptions, presets::Preset}};
///
/// let options = TrainerOptions::default().with_seed(7).with_threads(2);
/// // Every replica has points of its own; to share them, hand out clones of one `Arc`.
/// let mut replicas = Replicas::new(&Preset::Circle.spec(), 3, options, |seed| {
///     Ok(Arc::new(synthetic::circle(1_024, seed)?))
/// })?;
/// let outcomes = replicas.run(20, 10, |replica, report| {
///     println!("replica {replica}, step {}: D {:.3}", report.step, report.discriminator_loss);
///     ControlFlow::Continue(())
/// });
/// for (trainer, outcome) in replicas.trainers().iter().zip(outcomes) {
///     println!("seed {}: {:?}", trainer.options().seed, outcome?);
/// }
/// # Ok::<(), gannet::Error>(())
/// ```
#[derive(Debug)]
pub struct Replicas<'a> {
    trainers: Vec<Trainer<'a>>,
    threads: usize,
    /// `None` where one worker is enough.
    pool: Option<Arc<ThreadPool>>,
}

/// Where one replica stands in a run.
struct Course {
    /// The step of the trainer's count that is its last.
    end: u64,
    outcome: Result<Option<StepReport>>,
}

impl<'a> Replicas<'a> {
    /// Makes `count` trainers. `source` gives the data of the replica whose seed it is handed.
    ///
    /// `options.threads` threads take turns at the replicas, each of which runs on one thread at a time; a single replica has
    /// all threads for itself. `options.memory_limit` is for all replicas together, each of which may take an equal share.
    ///
    /// # Errors
    ///
    /// No replica, or more than 100,000; what `source` and [`Trainer::new`] report; threads that the system refuses.
    pub fn new(
        spec: &GanSpec,
        count: usize,
        options: TrainerOptions,
        mut source: impl FnMut(u64) -> Result<Arc<dyn Source + 'a>>,
    ) -> Result<Self> {
        if !(1..=MOST_REPLICAS).contains(&count) {
            return Err(Error::setting("replicas", format!("{count} is not a number from 1 to {MOST_REPLICAS}")));
        }
        let mut resources = Resources::resolve(&options)?;
        let threads = resources.threads;
        let own = match count {
            1 => TrainerOptions { threads, ..options.clone() },
            _ => TrainerOptions {
                threads: 1,
                memory_limit: options.memory_limit.map(|limit| limit / count as u64),
                pool: None,
                ..options.clone()
            },
        };
        let of_all = |error| match (error, options.memory_limit) {
            (Error::MemoryLimit { needed, .. }, Some(limit)) => {
                Error::MemoryLimit { needed: needed.saturating_mul(count as u64), limit }
            }
            (other, _) => other,
        };
        let mut trainers = Vec::with_capacity(count);
        for index in 0..count as u64 {
            let own = TrainerOptions { seed: options.seed.wrapping_add(index), ..own.clone() };
            trainers.push(Trainer::new(spec.clone(), source(own.seed)?, own).map_err(of_all)?);
        }
        if count > 1 {
            resources.ensure_pool(threads.min(count))?;
        }
        Ok(Self { trainers, threads, pool: resources.pool })
    }

    /// A trainer that is alone.
    #[cfg(feature = "internals")]
    pub(crate) fn single(trainer: Trainer<'a>) -> Self {
        Self { threads: trainer.options().threads, trainers: vec![trainer], pool: None }
    }

    /// Runs `steps` steps of every replica; returns what each came to, in their order, as [`Trainer::run`] returns it.
    ///
    /// `report` is called with the replica's index after each `interval`-th step of its count, and after its last of this
    /// call (`interval` 0: only then), by the thread that trains the replica at that moment: several calls may run at once,
    /// but those about one replica come one after another, in order. `ControlFlow::Break` ends the run of that replica alone.
    ///
    /// Sources and `report` may use the pool of the options, with `install`, `join` and `scope`, but may have to wait until another
    /// thread has no replica left to train. They may not use `broadcast` where this is called by a thread of that pool: it would wait
    /// for ever.
    ///
    /// The workers enter the pool once. Not a step allocates, beyond what the engine's library does.
    ///
    /// A replica that fails ([`Error::NotFinite`]) stops there, and the others go on. If it is run again, it fails again.
    ///
    /// A panic of a source or of `report` comes out of this call. A replica whose source panicked in a step refuses further ones
    /// ([`Error::Poisoned`]); every other stands behind a whole step.
    pub fn run(
        &mut self,
        steps: u64,
        interval: u64,
        report: impl Fn(usize, &StepReport) -> ControlFlow<()> + Sync,
    ) -> Vec<Result<Option<StepReport>>> {
        let piece = self.piece(steps);
        self.run_in_pieces(steps, piece, interval, report)
    }

    /// The replicas, in the order of their indices.
    pub fn trainers(&self) -> &[Trainer<'a>] {
        &self.trainers
    }

    /// The same, to be changed: for instance by [`Trainer::set_model`].
    pub fn trainers_mut(&mut self) -> &mut [Trainer<'a>] {
        &mut self.trainers
    }

    /// The threads, as resolved from the options. No more than there are replicas take turns.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Calls `piece` with the index of a replica, its trainer and its companion, on any worker, again and again until it
    /// returns `Break` for that replica. Replicas that go on come in turn.
    pub(crate) fn take_turns<S: Send>(
        &mut self,
        companions: &mut [S],
        piece: impl Fn(usize, &mut Trainer<'a>, &mut S) -> ControlFlow<()> + Sync,
    ) {
        assert_eq!(companions.len(), self.trainers.len(), "a companion for each replica");
        let workers = self.workers();
        let waiting: VecDeque<_> = self.trainers.iter_mut().zip(companions).enumerate().collect();
        let waiting = Mutex::new(waiting);
        let lock = || waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let work = || {
            loop {
                let Some((index, (trainer, companion))) = lock().pop_front() else { return };
                if piece(index, trainer, companion).is_continue() {
                    lock().push_back((index, (trainer, companion)));
                }
            }
        };
        // A worker that comes late, or never, leaves its replicas to the others.
        parallel::with_team(workers, self.pool.as_ref(), |team| team.for_each(0..team.workers(), |_| work()));
    }

    /// The threads that take turns.
    pub(crate) fn workers(&self) -> usize {
        // The threads of a single replica are in its own team.
        if self.trainers.len() == 1 { 1 } else { self.threads.min(self.trainers.len()) }
    }

    /// The length of a turn in a run of `steps` steps.
    fn piece(&self, steps: u64) -> u64 {
        if self.workers() == 1 {
            return steps;
        }
        let flop = self
            .trainers
            .first()
            .map_or(0, |trainer| trainer.spec().flop_per_sample().saturating_mul(trainer.options().batch as u64));
        steps.div_ceil(PIECES).max(PIECE_FLOP.div_ceil(flop.max(1)))
    }

    /// [`run`](Self::run) in turns of `piece` steps.
    fn run_in_pieces(
        &mut self,
        steps: u64,
        piece: u64,
        interval: u64,
        report: impl Fn(usize, &StepReport) -> ControlFlow<()> + Sync,
    ) -> Vec<Result<Option<StepReport>>> {
        let course =
            |trainer: &Trainer<'a>| Course { end: trainer.steps_done().saturating_add(steps), outcome: Ok(None) };
        let mut courses: Vec<Course> = self.trainers.iter().map(course).collect();
        self.take_turns(&mut courses, |index, trainer, course| {
            let mut flow = ControlFlow::Continue(());
            let left = course.end - trainer.steps_done();
            let outcome = trainer.run(left.min(piece), interval, |done| {
                // The trainer also reports the last step of a piece.
                if done.step == course.end || (interval > 0 && done.step.is_multiple_of(interval)) {
                    course.outcome = Ok(Some(*done));
                    flow = report(index, done);
                }
                flow
            });
            if let Err(error) = outcome {
                course.outcome = Err(error);
                return ControlFlow::Break(());
            }
            if trainer.steps_done() >= course.end { ControlFlow::Break(()) } else { flow }
        });
        courses.into_iter().map(|course| course.outcome).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use super::*;
    use crate::data::{ArraySource, synthetic};
    use crate::gan::presets::Preset;
    use crate::gan::source;

    const POINTS: usize = 200;

    fn circles(count: usize, options: TrainerOptions) -> Result<Replicas<'static>> {
        Replicas::new(&Preset::Circle.spec(), count, options, |seed| Ok(Arc::new(synthetic::circle(POINTS, seed)?)))
    }

    fn threads(threads: usize) -> TrainerOptions {
        TrainerOptions { threads, ..Default::default() }
    }

    /// Step and losses of each report, as bits.
    fn bits(report: &StepReport) -> [u64; 3] {
        [report.step, report.discriminator_loss.to_bits(), report.generator_loss.to_bits()]
    }

    #[test]
    fn pieces_of_any_length_change_nothing_and_report_nothing_more() {
        let outcome = |threads, piece| {
            let mut replicas = circles(3, TrainerOptions { threads, seed: u64::MAX, ..Default::default() }).unwrap();
            let seen = [const { Mutex::new(Vec::new()) }; 3];
            let last = replicas.run_in_pieces(23, piece, 5, |index, report| {
                seen[index].lock().unwrap().push(bits(report));
                ControlFlow::Continue(())
            });
            let last: Vec<_> = last.into_iter().map(|last| bits(&last.unwrap().unwrap())).collect();
            let models: Vec<_> = replicas.trainers().iter().map(|trainer| trainer.model().unwrap()).collect();
            (seen.map(|seen| seen.into_inner().unwrap()), last, models)
        };
        let (seen, last, models) = outcome(1, 23);
        for (index, reports) in seen.iter().enumerate() {
            assert_eq!(reports.iter().map(|report| report[0]).collect::<Vec<_>>(), [5, 10, 15, 20, 23]);
            assert_eq!(reports.last(), Some(&last[index]));
        }
        assert!(models[0] != models[1]);
        for threads in [2, 3] {
            for piece in [1, 2, 7, 22, 23, 100] {
                assert!((seen.clone(), last.clone(), models.clone()) == outcome(threads, piece), "{threads} {piece}");
            }
        }
    }

    /// Points of which the 51st is not a number.
    fn spoiled(points: &ArraySource) -> impl Source {
        source::from_fn(2, points.len(), |number, row| {
            row.copy_from_slice(&points.values()[2 * number as usize..][..2]);
            if number == 50 {
                row[0] = f32::NAN;
            }
        })
    }

    #[test]
    fn a_replica_that_fails_stops_alone_and_says_where() {
        for threads in [1, 2, 3] {
            let options = TrainerOptions { threads, shuffle: false, batch: 16, ..Default::default() };
            let points = Arc::new(synthetic::circle(POINTS, 1).unwrap());
            let mut replicas = Replicas::new(&Preset::Circle.spec(), 3, options, |seed| {
                Ok(if seed == 1 { Arc::new(spoiled(&points)) } else { points.clone() as Arc<dyn Source> })
            })
            .unwrap();
            let outcomes = replicas.run_in_pieces(9, 2, 0, |_, _| ControlFlow::Continue(()));
            assert!(matches!(outcomes[1], Err(Error::NotFinite { step: 4, .. })), "{outcomes:?}");
            for index in [0, 2] {
                assert_eq!(outcomes[index].as_ref().unwrap().unwrap().step, 9);
                assert_eq!(replicas.trainers()[index].steps_done(), 9);
            }
            let again = replicas.run(1, 0, |_, _| ControlFlow::Continue(()));
            assert!(again[0].is_ok() && again[1].is_err() && again[2].is_ok(), "{again:?}");
        }
    }

    #[test]
    fn a_break_ends_one_replica() {
        let mut replicas = circles(3, threads(2)).unwrap();
        let outcomes = replicas.run_in_pieces(20, 3, 2, |index, report| {
            if index == 1 && report.step == 8 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let steps: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap().unwrap().step).collect();
        assert_eq!(steps, [20, 8, 20]);
        assert!(replicas.run(0, 1, |_, _| ControlFlow::Break(())).iter().all(|outcome| matches!(outcome, Ok(None))));
        // Each replica's steps are counted on their own.
        replicas.run(1, 0, |_, _| ControlFlow::Continue(()));
        assert_eq!(replicas.trainers().iter().map(Trainer::steps_done).collect::<Vec<_>>(), [21, 9, 21]);
    }

    #[test]
    fn a_panic_in_a_report_comes_out_and_leaves_the_other_replicas_whole() {
        let mut replicas = circles(3, threads(2)).unwrap();
        let run = std::panic::AssertUnwindSafe(|| {
            replicas.run_in_pieces(6, 2, 0, |index, _| {
                assert_ne!(index, 1, "told to");
                ControlFlow::Continue(())
            });
        });
        assert!(std::panic::catch_unwind(run).is_err());
        let outcomes = replicas.run(2, 0, |_, _| ControlFlow::Continue(()));
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    }

    #[test]
    fn one_replica_has_all_threads() {
        let options = TrainerOptions { batch: POINTS, seed: 4, ..threads(3) };
        let mut replicas = circles(1, options.clone()).unwrap();
        assert_eq!((replicas.threads(), replicas.trainers()[0].options().threads), (3, 3));
        assert_eq!((replicas.workers(), replicas.piece(1_000)), (1, 1_000));
        let points = Arc::new(synthetic::circle(POINTS, 4).unwrap());
        let mut single = Trainer::new(Preset::Circle.spec(), points, options).unwrap();
        let found = replicas.run(6, 0, |_, _| ControlFlow::Continue(())).pop().unwrap().unwrap();
        assert_eq!(found, single.run(6, 0, |_| ControlFlow::Continue(())).unwrap());
        assert!(replicas.trainers()[0].model().unwrap() == single.model().unwrap());
    }

    #[test]
    fn a_pool_of_the_callers_own_is_used_from_outside_and_inside() {
        let pool = parallel::build_pool(2).unwrap();
        let options = TrainerOptions { pool: Some(Arc::clone(&pool)), ..threads(0) };
        let run = || {
            let mut replicas = circles(5, options.clone()).unwrap();
            assert_eq!(replicas.threads(), 2);
            let steps = AtomicU64::new(0);
            replicas.run_in_pieces(7, 2, 1, |_, _| {
                steps.fetch_add(1, Relaxed);
                ControlFlow::Continue(())
            });
            steps.into_inner()
        };
        assert_eq!(run(), 35);
        assert_eq!(pool.install(run), 35);
    }

    #[test]
    fn impossible_replicas_are_refused() {
        for count in [0, MOST_REPLICAS + 1, usize::MAX] {
            let error = circles(count, threads(1)).unwrap_err().to_string();
            assert!(error.contains("replicas") && error.contains(&count.to_string()), "{error}");
        }
        assert!(matches!(circles(2, TrainerOptions { batch: 0, ..threads(2) }), Err(Error::InvalidSetting { .. })));
        let refused = Replicas::new(&Preset::Circle.spec(), 2, threads(1), |_| Err(Error::data("points", "are lost")));
        assert!(matches!(refused, Err(Error::Data { .. })));
    }

    #[test]
    fn the_memory_limit_is_for_all_together() {
        let planned = circles(1, threads(1)).unwrap().trainers()[0].plan().memory;
        let limited = |count, limit| circles(count, TrainerOptions { memory_limit: Some(limit), ..threads(2) });
        assert!(limited(3, 3 * planned).is_ok());
        match limited(3, 3 * planned - 1) {
            Err(Error::MemoryLimit { needed, limit }) => assert_eq!((needed, limit), (3 * planned, 3 * planned - 1)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn turns_are_long_enough_to_matter_and_short_enough_to_share() {
        let replicas = circles(3, threads(2)).unwrap();
        assert_eq!(replicas.piece(160_000), 10_000);
        let short = replicas.piece(1);
        let flop = short * 32 * Preset::Circle.spec().flop_per_sample();
        assert!((PIECE_FLOP..2 * PIECE_FLOP).contains(&flop), "{short}");
    }
}
