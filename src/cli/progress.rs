//! Progress on standard error: a bar on a terminal, a line every few seconds elsewhere, nothing if quiet.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::note;
use super::plot::thousands;
use crate::gan::StepReport;

/// Time between two lines where standard error is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(5);
/// Time between two updates of the bar: often enough to look alive.
const BETWEEN_UPDATES: Duration = Duration::from_millis(100);

/// Shows how far a run is.
pub(crate) struct Progress {
    shown: Shown,
    steps: u64,
    batch: usize,
    /// Time spent in steps before the segment that runs now.
    trained: Duration,
    segment: Instant,
    last: Option<Instant>,
}

enum Shown {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

impl Progress {
    /// Progress of a run of `steps` steps of `batch` samples.
    pub(crate) fn new(steps: u64, batch: usize, quiet: bool) -> Self {
        let shown = if quiet {
            Shown::Nothing
        } else if stderr().is_terminal() {
            let style = ProgressStyle::with_template("{bar:20} {percent:>3} %  {prefix}\n{wide_msg}");
            let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
            Shown::Bar(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
        } else {
            Shown::Lines
        };
        Self { shown, steps, batch, trained: Duration::ZERO, segment: Instant::now(), last: None }
    }

    /// Steps begin, or go on after a pause for measuring and drawing.
    pub(crate) fn resume(&mut self) {
        self.segment = Instant::now();
    }

    /// Steps pause.
    pub(crate) fn pause(&mut self) {
        self.trained += self.segment.elapsed();
    }

    /// Time spent in steps, without pauses. To be asked for while paused.
    pub(crate) fn trained(&self) -> Duration {
        self.trained
    }

    /// Shows a report if it is time for one.
    pub(crate) fn report(&mut self, report: &StepReport) {
        let between = match self.shown {
            Shown::Nothing => return,
            Shown::Bar(_) => BETWEEN_UPDATES,
            Shown::Lines => BETWEEN_LINES,
        };
        let now = Instant::now();
        if report.step < self.steps && self.last.is_some_and(|last| now - last < between) {
            return;
        }
        self.last = Some(now);
        let seconds = (self.trained + (now - self.segment)).as_secs_f64();
        let [pace, game] = parts(report, self.steps, self.batch, seconds);
        match &self.shown {
            Shown::Bar(bar) => {
                bar.set_prefix(pace);
                bar.set_message(game);
                bar.set_position(report.step);
            }
            Shown::Lines => note(&format!("{pace}  {game}")),
            Shown::Nothing => {}
        }
    }

    /// Prints a message where the progress is printed.
    pub(crate) fn message(&self, text: &str) {
        match &self.shown {
            Shown::Bar(bar) => bar.suspend(|| note(text)),
            Shown::Lines => note(text),
            Shown::Nothing => {}
        }
    }

    /// The last line stays, the bar is left alone.
    pub(crate) fn finish(&self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.abandon();
        }
    }
}

/// How fast it goes and how the two networks do, each short enough for a line of a terminal of 80 columns beside the bar:
/// `step 320/3200  81,920 samples/s  12s left` and `D 1.3512  G 0.7134  D(x) 0.512  D(G(z)) 0.488`.
fn parts(report: &StepReport, steps: u64, batch: usize, seconds: f64) -> [String; 2] {
    let rate = report.step as f64 * batch as f64 / seconds;
    let left = seconds / report.step.max(1) as f64 * steps.saturating_sub(report.step) as f64;
    let left = Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX);
    [
        format!(
            "step {}/{steps}  {} samples/s  {:#} left",
            report.step,
            thousands(rate.round() as u64),
            HumanDuration(left)
        ),
        format!(
            "D {:.4}  G {:.4}  D(x) {:.3}  D(G(z)) {:.3}",
            report.discriminator_loss, report.generator_loss, report.real_probability, report.fake_probability
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_together_say_everything() {
        let report = StepReport {
            step: 320,
            discriminator_loss: 1.35,
            generator_loss: 0.7,
            real_probability: 0.5,
            fake_probability: 0.25,
        };
        let expected = ["step 320/3200  10,240 samples/s  9s left", "D 1.3500  G 0.7000  D(x) 0.500  D(G(z)) 0.250"];
        assert_eq!(parts(&report, 3200, 32, 1.0), expected);
    }
}
