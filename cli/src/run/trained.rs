//! What runs that have been trained came to, as the command tells and writes it.

use std::time::Duration;

use gannet::Result;
use gannet::gan::Replicas;
use serde::Serialize;

use crate::folder::run_folder::{self, RunFolder};
use crate::measures::measure;
use crate::report;
use crate::run::replica_picture;
use crate::run::replicas::Replicated;
use crate::run::request::Request;
use crate::run::stop::Stop;
use crate::run::train::{Outcome, Run};
use crate::settings::config::RunConfig;
use crate::terminal::command_lines::quoted;
use crate::terminal::output;

/// Runs that have ended, or were stopped.
pub(crate) struct Trained {
    /// Of the first one.
    pub(crate) config: RunConfig,
    pub(crate) replicated: bool,
    pub(crate) gans: Replicas<'static>,
    pub(crate) runs: Vec<Run>,
    pub(crate) took: Duration,
}

impl Trained {
    /// Tells what the runs in `folder` came to, and writes it.
    ///
    /// # Errors
    ///
    /// What a run reports: it failed, or was stopped. What the system refuses.
    pub(crate) fn tell(self, request: Request, folder: &RunFolder, stop: &Stop) -> anyhow::Result<()> {
        let remark = measure::remark(&self.config);
        let go_on = format!("stopped; to go on: gannet train --resume {}", quoted(folder.path()));
        if !self.replicated {
            for Outcome { summary, error } in self.runs.into_iter().filter_map(Run::into_outcome) {
                let stopped = stop.stopped(go_on.clone()).filter(|_| !summary.is_finished());
                let told = error.is_none() && stopped.is_none();
                let printed =
                    print(request, &summary, || if told { summary.text(remark.as_deref()) } else { String::new() });
                warn(request, summary.warning());
                // Ctrl-C may have ended the reader of the output too: that it was a stop comes first, as does a failure.
                error.map(Into::into).or(stopped.map(Into::into)).map_or(printed, Err)?;
            }
            return Ok(());
        }
        let result = self.replicated(folder);
        // What was trained is told first, whatever can be written of it.
        let printed = print(request, &result, || result.text(remark.as_deref()));
        warn(request, result.warning());
        let written = write(&result, folder).map_err(Into::into);
        let stopped = stop.stopped(go_on).filter(|_| !result.is_finished());
        result.failure().or(stopped.map(Into::into)).map_or_else(|| written.and(printed), Err)
    }

    /// What the replicas in `folder` came to together.
    pub(crate) fn replicated(self, folder: &RunFolder) -> Replicated {
        Replicated::new(folder, &self.config, &self.gans, self.runs, self.took)
    }

    /// Takes the error of a run that did not fail by itself: the system refused something.
    pub(crate) fn take_refusal(&mut self) -> Option<gannet::Error> {
        self.runs.iter_mut().find_map(Run::take_refusal)
    }
}

/// Writes what the replicas in `folder` came to: the result, the picture and the page.
///
/// # Errors
///
/// What the system refuses.
pub(crate) fn write(result: &Replicated, folder: &RunFolder) -> Result<()> {
    folder.write(run_folder::REPLICAS, &replica_picture::draw(result)?)?;
    // The result is the last of the files: with it the replicas are whole.
    folder.write(run_folder::RESULT, &run_folder::json(result))?;
    report::write(folder.path())
}

/// Prints the result as it was asked for.
fn print(request: Request, result: &impl Serialize, text: impl FnOnce() -> String) -> anyhow::Result<()> {
    if request.json {
        output::print_json(result)
    } else if request.quiet {
        Ok(())
    } else {
        output::print_text(&text())
    }
}

/// Tells of a bad verdict on standard error where the text for people, which has it, was not printed.
fn warn(request: Request, warning: Option<String>) {
    if request.quiet || request.json {
        warning.iter().for_each(|warning| output::alert(warning));
    }
}
