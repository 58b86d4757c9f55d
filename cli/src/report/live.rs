//! The page of a run that goes on: it is there before the first step, and is made again while steps are done.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use gannet::Result;

use super::pages::{leave_out, render, title_of, write_page};
use super::record::Record;
use super::renewal::Renewal;
use crate::folder::run_folder::REPORT;

/// Time between two pages at least.
const SHORTEST: Duration = Duration::from_secs(2);
/// Time between two pages at least, as a multiple of the time that one takes: a run spends less than 1 % on its pages, of which a
/// replica has two.
const TIMES_COST: u32 = 100;
/// Bytes that are written a second at most, on average.
const BYTES_A_SECOND: u64 = 500_000;
/// Least time within which a page is promised: where a run is measured in between, and of the first page, whose cost is not known
/// yet, and at the end, where a run is measured most thoroughly.
const PROMISE: Duration = Duration::from_secs(5);
const PROMISE_AT_FIRST: Duration = Duration::from_secs(10);
const PROMISE_AT_END: Duration = Duration::from_secs(60);
/// The longest wait for a page, as a multiple of what the page before it promised. The waits of costly pages grow step by step.
const MOST_PROMISES: u32 = 2;

/// The page of a run, or the common one of replicas.
#[derive(Debug)]
pub(crate) struct Live {
    out: PathBuf,
    planned: u64,
    before: u64,
    folders: Vec<PathBuf>,
    /// Runs that the page has no room for.
    left_out: usize,
    times_cost: u32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// What was read so far; empty before the first page.
    records: Vec<Record>,
    begun: Instant,
    /// When the last page was made, if one was.
    last: Option<Instant>,
    /// Time from there to the next one, and the longest that it has been.
    wait: Duration,
    longest: Duration,
}

impl State {
    /// Whether it is time for a page; not before the first.
    fn is_due(&self) -> bool {
        self.last.is_some_and(|last| last.elapsed() >= self.wait)
    }
}

impl Live {
    /// The page in `folder` about `runs` of `planned` steps each: the folder of each, and the steps that it has done before. It is one of
    /// `pages` that a run spends time on.
    pub(crate) fn new(folder: &Path, mut runs: Vec<(PathBuf, u64)>, planned: u64, pages: u32) -> Self {
        let left_out = leave_out(&mut runs);
        let (folders, done): (Vec<PathBuf>, Vec<u64>) = runs.into_iter().unzip();
        let before = done.into_iter().fold(0, u64::saturating_add);
        let state =
            State { records: Vec::new(), begun: Instant::now(), last: None, wait: SHORTEST, longest: Duration::ZERO };
        Self {
            out: folder.join(REPORT),
            planned,
            before,
            folders,
            left_out,
            times_cost: TIMES_COST.saturating_mul(pages),
            state: Mutex::new(state),
        }
    }

    /// Where the page lies.
    pub(crate) fn path(&self) -> &Path {
        &self.out
    }

    /// Makes the first page; before that none is due.
    ///
    /// # Errors
    ///
    /// Files that cannot be written.
    pub(crate) fn begin(&self) -> Result<()> {
        self.try_lock().map_or(Ok(()), |mut state| self.renew(&mut state, false))
    }

    /// Whether it is time for a page. It is not while another thread makes one.
    pub(crate) fn is_due(&self) -> bool {
        self.try_lock().is_some_and(|state| state.is_due())
    }

    /// Makes the page if it is time for one. What belongs into it must have been written.
    ///
    /// # Errors
    ///
    /// Files that cannot be written.
    pub(crate) fn renew_if_due(&self) -> Result<()> {
        let due = self.try_lock().filter(|state| state.is_due());
        due.map_or(Ok(()), |mut state| self.renew(&mut state, false))
    }

    /// Says in the page that all steps are done and the run is measured, where somebody may have seen it before.
    ///
    /// # Errors
    ///
    /// Files that cannot be written.
    pub(crate) fn end(&self) -> Result<()> {
        let seen = self.try_lock().filter(|state| state.begun.elapsed() >= SHORTEST);
        seen.map_or(Ok(()), |mut state| self.renew(&mut state, true))
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, State>> {
        match self.state.try_lock() {
            Ok(state) => Some(state),
            Err(TryLockError::Poisoned(state)) => Some(PoisonError::into_inner(state)),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn renew(&self, state: &mut State, is_ending: bool) -> Result<()> {
        let start = Instant::now();
        let runs = self.folders.len();
        if state.records.is_empty() {
            state.records = self.folders.iter().map(|folder| Record::read_live(folder, runs)).collect();
        } else {
            state.records.iter_mut().for_each(|record| record.read_on(runs));
        }
        if let Some(last) = state.last {
            state.longest = state.longest.max(start - last);
        }
        let promise = match state.last {
            _ if is_ending => PROMISE_AT_END,
            None => PROMISE_AT_FIRST,
            Some(_) => PROMISE.max(state.wait).max(state.longest),
        };
        let renewal = Renewal {
            next: state.wait,
            promise,
            is_ending,
            planned: self.planned,
            before: self.before,
            elapsed: state.begun.elapsed(),
        };
        let page = render(
            &state.records,
            self.left_out,
            self.out.parent().and_then(title_of),
            &self.out,
            (Some(&renewal), None),
        );
        write_page(&self.out, &page)?;
        let by_size = Duration::from_secs_f64(page.len() as f64 / BYTES_A_SECOND as f64);
        let wait = SHORTEST.max(start.elapsed().saturating_mul(self.times_cost)).max(by_size);
        // Readers go by the promise of this page, and take the run for lost after three times as long.
        state.wait = wait.min(promise.saturating_mul(MOST_PROMISES));
        state.last = Some(start);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_page_promises_far_less_than_the_next_one_takes() {
        let place = tempfile::tempdir().unwrap();
        // Pages whose cost allows one in years.
        let live = Live::new(place.path(), vec![(place.path().to_path_buf(), 0)], 400, u32::MAX);
        let mut waits = vec![Duration::ZERO];
        for _ in 0..4 {
            live.begin().unwrap();
            let page = std::fs::read_to_string(live.path()).unwrap();
            let promise = page.split("data-promise=\"").nth(1).unwrap().split('"').next().unwrap();
            let wait = live.state.lock().unwrap().wait;
            assert!(wait <= 2 * Duration::from_millis(promise.parse().unwrap()), "{promise} ms, {wait:?}");
            waits.push(wait);
        }
        assert!(waits.is_sorted_by(|one, two| one < two), "{waits:?}");
    }
}
