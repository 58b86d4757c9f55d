//! Trains the trials of a sweep that have not ended, one after another, the seeds of each side by side.
//!
//! Whatever was there before stays: a trial that has ended is not trained again, and one that was begun goes on from its checkpoints, to
//! the same bits. A process that finds a trial in training by another leaves it to that.

use std::time::{Duration, Instant};

use anyhow::Context;
use gannet::gan::Changes;
use gannet::internals::engine;

use crate::run::expectation;
use crate::run::prepared::Prepared;
use crate::run::request::{Overrides, Request};
use crate::run::resume::{self, Ready};
use crate::run::stop::Stop;
use crate::run::trained::Trained;
use crate::run::{begin, trained, weights};
use crate::sweep::file::Sweep;
use crate::sweep::folder::{State, SweepFolder, anew};
use crate::sweep::trial::Trial;
use crate::terminal::output::note;
use crate::terminal::progress::Part;

/// A trial that has not ended, and the floating-point operations that it takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) index: usize,
    work: f64,
}

/// The runs of `trial`, ready to begin.
fn prepared(sweep: &Sweep, trial: &Trial, is_plan: bool, stop: &Stop) -> anyhow::Result<Prepared> {
    let mut prepared = Prepared::new(trial.config.clone(), Some(sweep.seeds), is_plan, stop, None)?;
    weights::begin_with(&prepared.config, &mut prepared.gans)?;
    Ok(prepared)
}

/// What of the trials `of` a sweep has not ended. All of these are made ready once, so that whatever is wrong with one of them is told
/// before the first is trained.
///
/// # Errors
///
/// Settings that do not fit their data, or the memory that is allowed, with the trial that has them.
pub(crate) fn pending(
    sweep: &Sweep,
    of: &[usize],
    states: &[State],
    is_plan: bool,
    stop: &Stop,
) -> anyhow::Result<Vec<Pending>> {
    let mut pending = Vec::new();
    for &index in of.iter().filter(|&&index| !matches!(states[index], State::Done(_))) {
        let trial = &sweep.trials[index];
        let prepared = prepared(sweep, trial, is_plan, stop).with_context(|| in_trial(trial))?;
        let per_step = prepared.config.spec.flop_per_sample() as f64 * prepared.config.batch as f64;
        pending.push(Pending { index, work: per_step * prepared.steps as f64 * sweep.seeds as f64 });
    }
    Ok(pending)
}

/// About how long the steps of `pending` take, judged by a few of the first; `None` where nothing is pending.
///
/// # Errors
///
/// What a step reports.
pub(crate) fn expected(sweep: &Sweep, pending: &[Pending], stop: &Stop) -> anyhow::Result<Option<Duration>> {
    let Some(first) = pending.first() else { return Ok(None) };
    let mut prepared = prepared(sweep, &sweep.trials[first.index], true, stop)?;
    let (step, _) = expectation::time_of_a_step(&mut prepared.gans)?;
    let rounds = (sweep.seeds as f64 / engine::workers(&prepared.gans) as f64).ceil();
    let trial = step.as_secs_f64() * prepared.steps as f64 * rounds;
    let work: f64 = pending.iter().map(|pending| pending.work).sum();
    Ok(Some(Duration::try_from_secs_f64(trial * work / first.work).unwrap_or(Duration::MAX)))
}

/// Trains all that is `pending`; `go_on` says how to, after a stop.
///
/// # Errors
///
/// A stop; what the system refuses; a trial that was begun and cannot go on.
pub(crate) fn train(
    sweep: &Sweep,
    folder: &SweepFolder,
    pending: &[Pending],
    request: Request,
    (stop, go_on): (&Stop, &str),
) -> anyhow::Result<()> {
    stop.ask_first();
    let begun = Instant::now();
    let mut done = 0.0;
    let mut rest: f64 = pending.iter().map(|pending| pending.work).sum();
    for (place, &Pending { index, work }) in pending.iter().enumerate() {
        if let Some(stopped) = stop.stopped(go_on.to_string()) {
            return Err(stopped.into());
        }
        rest -= work;
        let part = Part {
            number: place + 1,
            count: pending.len(),
            done: done / work,
            spent: begun.elapsed(),
            rest: rest.max(0.0) / work,
        };
        let trial = &sweep.trials[index];
        note(&format!("trial {} of {}: {}", part.number, part.count, trial.label()));
        let request = Request { part: Some(part), ..request };
        if !one(sweep, folder, trial, request, stop).with_context(|| in_trial(trial))? {
            // It was stopped before its end, or another process trains it.
            if let Some(stopped) = stop.stopped(go_on.to_string()) {
                return Err(stopped.into());
            }
            note("another process trains it");
        }
        done += work;
    }
    Ok(())
}

/// Trains `trial` to its end. Says whether it came there: it did not if it was stopped, or if another process trains it.
fn one(sweep: &Sweep, folder: &SweepFolder, trial: &Trial, request: Request, stop: &Stop) -> anyhow::Result<bool> {
    let path = folder.trial(&trial.name);
    let state = || folder.state(&trial.name, sweep.seeds, &sweep.measure);
    let ready = match state() {
        State::Done(_) => return Ok(true),
        State::Running => return Ok(false),
        State::Missing => {
            let prepared = prepared(sweep, trial, false, stop)?;
            begin::begin(&prepared, Some(&path))
                .map(|(folder, starts)| Some(Ready { prepared, folder, starts }))
                .map_err(Into::into)
        }
        State::Begun => {
            let apply = |config: &mut crate::settings::config::RunConfig| {
                config.threads = trial.config.threads;
                Ok(())
            };
            let overrides = Overrides { data: None, memory_limit: None, has_threads: true, apply: &apply };
            resume::ready(&path, Changes::Refused, &overrides, stop).with_context(|| anew(&path))
        }
    };
    let Ready { prepared, folder, starts } = match ready {
        Ok(Some(ready)) => ready,
        Ok(None) => return Ok(true),
        // Another process was there first.
        Err(_) if state() == State::Running => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut trained: Trained = prepared.run(request, &folder, starts, stop)?;
    // What the system refuses may go well the next time: the trial has not ended.
    if let Some(error) = trained.take_refusal() {
        return Err(error.into());
    }
    let result = trained.replicated(&folder);
    if result.was_stopped() {
        return Ok(false);
    }
    trained::write(&result, &folder)?;
    Ok(true)
}

fn in_trial(trial: &Trial) -> String {
    format!("trial {}", trial.name)
}
