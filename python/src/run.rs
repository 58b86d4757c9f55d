//! Many steps at once: slices between which signals and callbacks are looked after.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gannet::gan::{StepReport, Trainer};
use pyo3::prelude::*;

use crate::problem::Problem;
use crate::report::Report;

/// How long a slice is to be, at least and at most: a signal waits no longer, and to look for one costs some microseconds.
const SLICE: [Duration; 2] = [Duration::from_millis(25), Duration::from_millis(100)];

/// What a run is asked for.
pub(crate) struct Asked {
    pub(crate) steps: u64,
    /// Steps between two reports; 0 for none but the last.
    pub(crate) report_every: u64,
    /// Called with each report; a true answer ends the run.
    pub(crate) progress: Option<Py<PyAny>>,
}

/// Runs a trainer, without the interpreter. Returns the report of the last step, if that was reported.
///
/// # Errors
///
/// Those of the trainer, the exception of a callback, and that of a signal's handler: `KeyboardInterrupt`, in Python's main thread. The
/// trainer then stands after a whole step.
pub(crate) fn run(trainer: &mut Trainer<'_>, asked: &Asked, stop: &AtomicBool) -> Result<Option<Report>, Problem> {
    let end = trainer.steps_done().saturating_add(asked.steps);
    let mut slice = 1;
    let mut told: Option<StepReport> = None;
    let mut ended = false;
    while !ended && trainer.steps_done() < end {
        let mut raised = None;
        let began = Instant::now();
        trainer.run(slice.min(end - trainer.steps_done()), asked.report_every, |report| {
            let is_due = asked.report_every > 0 && report.step.is_multiple_of(asked.report_every);
            if !is_due && report.step != end {
                return ControlFlow::Continue(());
            }
            told = Some(*report);
            match ask(asked.progress.as_ref(), *report) {
                Ok(false) => return ControlFlow::Continue(()),
                Ok(true) => ended = true,
                Err(error) => raised = Some(error),
            }
            ControlFlow::Break(())
        })?;
        if let Some(error) = raised {
            return Err(error.into());
        }
        Python::attach(|py| py.check_signals())?;
        ended |= stop.load(Ordering::Relaxed);
        let took = began.elapsed();
        if took < SLICE[0] {
            slice = slice.saturating_mul(2);
        } else if took > SLICE[1] {
            slice = (slice / 2).max(1);
        }
    }
    Ok(told.filter(|report| report.step == trainer.steps_done()).map(Report::from))
}

/// Calls `progress` with a report. Says whether the run is to end.
fn ask(progress: Option<&Py<PyAny>>, report: StepReport) -> PyResult<bool> {
    let Some(progress) = progress else { return Ok(false) };
    Python::attach(|py| progress.bind(py).call1((Report::from(report),))?.is_truthy())
}
