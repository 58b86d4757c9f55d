//! Recording beside the training: measuring, drawing and writing take place on a thread of their own, while the run goes on.
//!
//! Whatever is recorded waits in a queue and is done in its order. Few snapshots wait at a time: a run that outpaces its record
//! waits for it, and memory does not grow.

use std::panic;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread::{Builder, JoinHandle};

use gannet::{Error, Result};

use crate::history::losses::Reported;
use crate::run::record::{BETWEEN_FLUSHES, Record, Snapshot};

/// Reports that wait at most; room for them is taken once.
const REPORTS: usize = 256;

/// Something to record.
enum Job {
    Report(Reported),
    Snapshot(Box<Snapshot>),
    /// Whoever asks waits for the answer: what stands before it is recorded by then.
    IsStalled(SyncSender<bool>),
}

/// A record, here or on a thread.
pub(crate) enum Beside {
    /// On the thread that trains: where many runs go on side by side, the others train meanwhile.
    Here { record: Box<Record>, outcome: Result<()> },
    /// On a thread of its own.
    There(Thread),
}

/// The thread and the ways to it.
pub(crate) struct Thread {
    jobs: SyncSender<Job>,
    /// One comes back for each snapshot that was recorded.
    tickets: Receiver<()>,
    handle: JoinHandle<(Box<Record>, Result<()>)>,
}

impl Beside {
    /// A record on the thread that trains.
    pub(crate) fn here(record: Record) -> Self {
        Self::Here { record: Box::new(record), outcome: Ok(()) }
    }

    /// A record on a thread of its own. At most so many `snapshots` wait or are being recorded.
    ///
    /// # Errors
    ///
    /// [`Error::Threads`] where the system refuses one.
    pub(crate) fn there(record: Record, snapshots: usize) -> Result<Self> {
        let (jobs, queue) = mpsc::sync_channel(REPORTS);
        let (give_back, tickets) = mpsc::sync_channel(snapshots);
        (0..snapshots).try_for_each(|_| give_back.send(())).unwrap_or_default();
        let mut record = Box::new(record);
        let work = move || {
            let outcome = work(&mut record, &queue, &give_back);
            (record, outcome)
        };
        let handle = Builder::new().name("gannet-record".into()).spawn(work);
        let refused = |error| Error::Threads { problem: format!("the system refuses one for the record: {error}") };
        Ok(Self::There(Thread { jobs, tickets, handle: handle.map_err(refused)? }))
    }

    /// Records the losses of a step. Says whether recording goes on: if not, [`join`](Self::join) says why.
    pub(crate) fn report(&mut self, reported: Reported) -> bool {
        match self {
            Self::Here { record, outcome } => {
                if outcome.is_ok() {
                    *outcome = record.report(&reported);
                }
                outcome.is_ok()
            }
            Self::There(thread) => thread.jobs.send(Job::Report(reported)).is_ok(),
        }
    }

    /// Records a snapshot; says the same.
    pub(crate) fn snapshot(&mut self, snapshot: Snapshot) -> bool {
        match self {
            Self::Here { record, outcome } => {
                if outcome.is_ok() {
                    *outcome = record.snapshot(snapshot);
                }
                outcome.is_ok()
            }
            Self::There(thread) => {
                thread.tickets.recv().is_ok() && thread.jobs.send(Job::Snapshot(Box::new(snapshot))).is_ok()
            }
        }
    }

    /// Waits until everything is recorded; says whether the evaluations have come to no better value for as long as the run has patience.
    pub(crate) fn is_stalled(&self) -> bool {
        match self {
            Self::Here { record, .. } => record.early_stop().is_some(),
            Self::There(thread) => {
                let (reply, answer) = mpsc::sync_channel(1);
                // Where recording has failed, the next job tells.
                thread.jobs.send(Job::IsStalled(reply)).is_ok() && answer.recv().unwrap_or(false)
            }
        }
    }

    /// Waits until everything is recorded; gives the record back, and what went wrong.
    pub(crate) fn join(self) -> (Box<Record>, Result<()>) {
        match self {
            Self::Here { record, outcome } => (record, outcome),
            Self::There(Thread { jobs, handle, .. }) => {
                drop(jobs);
                handle.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
            }
        }
    }
}

/// Does the jobs of `queue` up to its end or to the first that fails.
fn work(record: &mut Record, queue: &Receiver<Job>, give_back: &SyncSender<()>) -> Result<()> {
    loop {
        match queue.recv_timeout(BETWEEN_FLUSHES) {
            Ok(Job::Report(reported)) => record.report(&reported)?,
            Ok(Job::Snapshot(snapshot)) => {
                record.snapshot(*snapshot)?;
                give_back.send(()).ok();
            }
            Ok(Job::IsStalled(reply)) => {
                reply.send(record.early_stop().is_some()).ok();
            }
            Err(RecvTimeoutError::Timeout) => record.flush_if_due()?,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}
