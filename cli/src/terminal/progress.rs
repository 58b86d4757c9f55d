//! Progress on standard error: a bar on a terminal, a line every few seconds elsewhere, nothing if quiet.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gannet::gan::StepReport;
use gannet::internals::numbers::thousands;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::numbers::{self, figure, rough_time, short_figure, short_time};
use crate::terminal::output::{alert, note};
use crate::terminal::screen;

/// Time between two lines where standard error is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(5);
/// A process trains at least this long before its pace tells how long the rest will take.
const MEASURED: Duration = Duration::from_secs(2);
/// It also trains at least this long, or one of so many parts of its steps: what happens once at the beginning must not count as if
/// each step did it.
const SETTLED: Duration = Duration::from_secs(20);
const PARTS: u64 = 20;
/// A run takes at least this long, to be told.
const LONG: Duration = Duration::from_secs(60);
/// The end of a run takes at least this long, to be told.
const TOLD: Duration = Duration::from_secs(1);
/// Time between two updates of the bar: often enough to look alive.
const BETWEEN_UPDATES: Duration = Duration::from_millis(100);

/// Time spent in something that pauses.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stopwatch {
    before: Duration,
    since: Option<Instant>,
}

impl Stopwatch {
    /// Begins, or goes on after a pause.
    pub(crate) fn start(&mut self) {
        self.since = Some(Instant::now());
    }

    /// Pauses.
    pub(crate) fn stop(&mut self) {
        *self = Self { before: self.elapsed(), since: None };
    }

    /// The time without pauses.
    pub(crate) fn elapsed(&self) -> Duration {
        self.before.saturating_add(self.since.map_or(Duration::ZERO, |since| since.elapsed()))
    }
}

/// What is still to be measured, drawn and written.
#[derive(Debug, Default)]
struct Measuring {
    /// Evaluations that are still to come, of each run.
    waiting: Vec<u64>,
    /// Evaluations that are done, and the time that they took.
    done: u64,
    took: Duration,
    /// The time that the end of a run takes, by what the last evaluation took.
    end: Duration,
    /// Runs that have ended, and the time that their ends took.
    ended: u64,
    ends_took: Duration,
}

impl Measuring {
    /// The time of the evaluations that wait, which goes on beside the steps, and that of the end of all runs, which comes after them;
    /// of `workers` runs at once. `None` where none has been made that tells.
    fn left(&self, workers: usize) -> Option<[Duration; 2]> {
        let waiting = self.waiting.iter().fold(0u64, |sum, &waiting| sum.saturating_add(waiting));
        if waiting > 0 && self.done == 0 {
            return None;
        }
        let workers = workers.max(1) as f64;
        let each = self.took.as_secs_f64() / self.done.max(1) as f64;
        let ends = (self.waiting.len() as f64 - self.ended as f64).max(0.0);
        let end = match self.ended {
            0 => self.end.as_secs_f64(),
            ended => self.ends_took.as_secs_f64() / ended as f64,
        };
        let end = end * (ends / workers).ceil();
        let time = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        Some([time(each * waiting as f64 / workers), time(end)])
    }
}

/// The place of runs among others that follow one another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// Its number, from 1, and that of all.
    pub(crate) number: usize,
    pub(crate) count: usize,
    /// What this process has done before, as a multiple of this part's work, and the time that it took.
    pub(crate) done: f64,
    pub(crate) spent: Duration,
    /// What is to be done after it, as a multiple of this part's work.
    pub(crate) rest: f64,
}

impl Part {
    /// The time that is left for all, where so much is `left` of this part, which has gone on for `wall`.
    fn left(&self, wall: Duration, left: Duration) -> Duration {
        let own = wall.as_secs_f64() + left.as_secs_f64();
        let each = (self.spent.as_secs_f64() + own) / (self.done + 1.0);
        left.saturating_add(Duration::try_from_secs_f64(each * self.rest).unwrap_or(Duration::MAX))
    }
}

/// Shows how far a run is, or several side by side.
pub(crate) struct Progress {
    shown: Shown,
    part: Option<Part>,
    /// Of one run.
    steps: u64,
    batch: usize,
    /// Runs that go on at once.
    workers: usize,
    /// Steps of all runs that earlier processes did.
    resumed: u64,
    /// When this process began.
    start: Instant,
    state: Mutex<State>,
}

enum Shown {
    Bar { bar: ProgressBar, is_wide: bool },
    Lines,
    Nothing,
}

struct State {
    /// For each run its steps, and the time in them.
    runs: Vec<(u64, Duration)>,
    measuring: Measuring,
    last: Option<Instant>,
    /// Whether it was told how long all of it will take, or need not be.
    expected: bool,
}

impl Progress {
    /// Progress of runs of `steps` steps of `batch` samples, of which `workers` go on at once; each begins after its step of
    /// `resumed`.
    pub(crate) fn new(steps: u64, batch: usize, workers: usize, quiet: bool, resumed: &[u64]) -> Self {
        let runs = resumed.len();
        let shown = if quiet {
            Shown::Nothing
        } else if screen::draws() {
            let is_wide = screen::error_columns().is_none_or(|columns| columns >= WIDE);
            let style = ProgressStyle::with_template(if is_wide { TWO_LINES } else { NARROW });
            // Block characters only where the terminal has them.
            let style = style.map(|style| if screen::is_unicode() { style } else { style.progress_chars("#>-") });
            let all = steps.saturating_mul(runs as u64);
            let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
            let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            Shown::Bar { bar, is_wide }
        } else {
            Shown::Lines
        };
        let state = State {
            runs: resumed.iter().map(|&step| (step, Duration::ZERO)).collect(),
            measuring: Measuring { waiting: vec![0; runs], ..Measuring::default() },
            last: None,
            expected: false,
        };
        Self {
            shown,
            part: None,
            steps,
            batch,
            workers,
            resumed: resumed.iter().fold(0, |sum: u64, &step| sum.saturating_add(step)),
            start: Instant::now(),
            state: Mutex::new(state),
        }
    }

    /// The same for runs that are a part of something.
    pub(crate) fn of(self, part: Option<Part>) -> Self {
        Self { part, ..self }
    }

    /// Shows a report of run `index`, which has spent `trained` in steps, if it is time for one.
    pub(crate) fn report(&self, index: usize, report: &StepReport, trained: Duration) {
        let between = match self.shown {
            Shown::Nothing => return,
            Shown::Bar { .. } => BETWEEN_UPDATES,
            Shown::Lines => BETWEEN_LINES,
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let count = state.runs.len();
        if let Some(run) = state.runs.get_mut(index) {
            *run = (report.step, trained);
        }
        let now = Instant::now();
        let done = state.runs.iter().fold(0u64, |sum, &(steps, _)| sum.saturating_add(steps));
        let all = self.steps.saturating_mul(count as u64);
        if done < all && state.last.is_some_and(|last| now.saturating_duration_since(last) < between) {
            return;
        }
        state.last = Some(now);
        let spent: f64 = state.runs.iter().map(|(_, trained)| trained.as_secs_f64()).sum();
        let steps = [done, all, self.resumed];
        let (trained, whole) = (spent / self.workers as f64, now - self.start);
        // The ends of runs say nothing about the steps of the others.
        let wall = whole.saturating_sub(state.measuring.ends_took.div_f64(self.workers.max(1) as f64));
        let measuring = state.measuring.left(self.workers);
        if let Some(measuring) = measuring.filter(|_| !state.expected && is_telling(steps, wall)) {
            state.expected = true;
            let expected = match self.part {
                Some(part) if part.number > 1 => Duration::ZERO,
                part => whole.saturating_add(left_of_all(part, steps, wall, measuring)),
            };
            if expected >= LONG {
                let here = thousands(done.saturating_sub(self.resumed));
                self.message(&format!(
                    "all of it will take about {}, judging by the first {here} steps",
                    rough_time(expected)
                ));
            }
        }
        let pace = pace(steps, self.batch, trained, wall, measuring, self.part);
        let game = if count > 1 { format!("replica {index}  {}", game(report)) } else { game(report) };
        let trial = self.part.map(|part| format!("trial {}/{}  ", part.number, part.count)).unwrap_or_default();
        match &self.shown {
            Shown::Bar { bar, is_wide } => {
                if *is_wide {
                    bar.set_prefix(pace);
                    bar.set_message(format!("{trial}{game}"));
                } else {
                    bar.set_message(format!("{trial}{pace}"));
                }
                bar.set_position(done);
            }
            Shown::Lines => note(&format!("{trial}{pace}  {game}")),
            Shown::Nothing => {}
        }
    }

    /// Says that `evaluations` of run `index` are to come.
    pub(crate) fn expect(&self, index: usize, evaluations: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = state.measuring.waiting.get_mut(index) {
            *waiting = evaluations;
        }
    }

    /// Notes that an evaluation of run `index` took so long, and how long the end of a run will take by that.
    pub(crate) fn evaluated(&self, index: usize, took: Duration, end: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let measuring = &mut state.measuring;
        if let Some(waiting) = measuring.waiting.get_mut(index) {
            *waiting = waiting.saturating_sub(1);
        }
        measuring.done = measuring.done.saturating_add(1);
        measuring.took = measuring.took.saturating_add(took);
        measuring.end = end;
    }

    /// Notes that a run has ended, and that its end took so long.
    pub(crate) fn ended(&self, took: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let measuring = &mut state.measuring;
        measuring.ended = measuring.ended.saturating_add(1);
        measuring.ends_took = measuring.ends_took.saturating_add(took);
    }

    /// Tells what goes on after the last step of the only run, and how long it will take. Evaluations that wait are told where they take
    /// a while.
    pub(crate) fn ending(&self, what: &str, with_waiting: bool) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let [waiting, end] = state.measuring.left(1).unwrap_or_default();
        let is_one = state.runs.len() == 1;
        drop(state);
        let time = if with_waiting { waiting.saturating_add(end) } else { end };
        if !is_one || (with_waiting && time < TOLD) {
            return;
        }
        let time = if time < TOLD { String::new() } else { format!(", about {}", rough_time(time)) };
        self.message(&format!("{what}{time}"));
    }

    /// Counts run `index`, which has failed, as done: nothing more comes from it.
    pub(crate) fn give_up(&self, index: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((steps, _)) = state.runs.get_mut(index) {
            *steps = self.steps;
        }
        if let Some(waiting) = state.measuring.waiting.get_mut(index) {
            *waiting = 0;
        }
    }

    /// Prints a message where the progress is printed.
    pub(crate) fn message(&self, text: &str) {
        match &self.shown {
            Shown::Bar { bar, .. } => bar.suspend(|| note(text)),
            Shown::Lines => note(text),
            Shown::Nothing => {}
        }
    }

    /// Prints a message about run `index`.
    pub(crate) fn about(&self, index: usize, text: &str) {
        if self.runs() == 1 { self.message(text) } else { self.message(&format!("replica {index}: {text}")) }
    }

    /// Prints a warning about run `index`, which is not hidden where nothing else is shown.
    pub(crate) fn warn(&self, index: usize, text: &str) {
        let replica = if self.runs() == 1 { String::new() } else { format!("replica {index}: ") };
        let text = format!("warning: {replica}{text}");
        if matches!(self.shown, Shown::Nothing) { alert(&text) } else { self.message(&text) }
    }

    fn runs(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).runs.len()
    }

    /// The last line stays, the bar is left alone.
    pub(crate) fn finish(&self) {
        if let Shown::Bar { bar, .. } = &self.shown {
            bar.abandon();
        }
    }
}

/// What the bar shows where there is room for it, and what a narrow terminal has room for.
const TWO_LINES: &str = "{bar:20} {percent:>3} %  {prefix}\n{wide_msg}";
const NARROW: &str = "{percent:>3} %  {wide_msg}";
/// Columns of [`TWO_LINES`].
const WIDE: usize = 78;

/// How fast it goes, short enough for a line of a terminal of 80 columns beside the bar:
/// `step 320/3200  81,920 samples/s  12s left`. The rate is that of the time in steps, the time left that of the clock.
fn pace(
    steps: [u64; 3],
    batch: usize,
    trained: f64,
    wall: Duration,
    measuring: Option<[Duration; 2]>,
    part: Option<Part>,
) -> String {
    let [done, all, resumed] = steps;
    let rate = done.saturating_sub(resumed) as f64 * batch as f64 / trained;
    let pace = format!("step {done}/{all}  {}", numbers::rate(rate));
    let Some(measuring) = measuring.filter(|_| done == all || is_telling(steps, wall)) else { return pace };
    format!("{pace}  {} left", short_time(left_of_all(part, steps, wall, measuring)))
}

/// The time that is left: of these runs, or of all that they are a part of.
fn left_of_all(part: Option<Part>, steps: [u64; 3], wall: Duration, measuring: [Duration; 2]) -> Duration {
    let own = left(steps, wall, measuring);
    part.map_or(own, |part| part.left(wall, own))
}

/// Whether the pace so far tells how long the rest will take.
fn is_telling([done, all, resumed]: [u64; 3], wall: Duration) -> bool {
    let is_share = done.saturating_sub(resumed) >= all.saturating_sub(resumed) / PARTS;
    wall >= SETTLED || (wall >= MEASURED && is_share)
}

/// The time that the steps still to be done take, if they take as long as those of this process did, with all that was
/// measured, drawn and written between them. Evaluations that wait may take longer, and the end comes after both.
fn left([done, all, resumed]: [u64; 3], wall: Duration, [waiting, end]: [Duration; 2]) -> Duration {
    let each = wall.as_secs_f64() / done.saturating_sub(resumed).max(1) as f64;
    let steps = Duration::try_from_secs_f64(each * all.saturating_sub(done) as f64).unwrap_or(Duration::MAX);
    steps.max(waiting).saturating_add(end)
}

/// How the two networks do: `D 1.3512  G 0.7134  D(x) 0.512  D(G(z)) 0.488`.
fn game(report: &StepReport) -> String {
    let penalty = report.penalty.map(|penalty| format!("  penalty {}", figure(penalty))).unwrap_or_default();
    format!(
        "D {}{penalty}  G {}  D(x) {}  D(G(z)) {}",
        figure(report.discriminator_loss),
        figure(report.generator_loss),
        short_figure(report.real_probability),
        short_figure(report.fake_probability)
    )
}

#[cfg(test)]
mod tests {
    use gannet::internals::engine::step_report;

    use super::*;

    #[test]
    fn both_parts_say_everything() {
        let report = step_report(320, [1.35, 0.7, 0.5, 0.25], None);
        // A second in steps, and three in which they waited for what was measured and drawn.
        let wall = Duration::from_secs(4);
        let (zero, none) = ([Duration::ZERO; 2], Some([Duration::ZERO; 2]));
        assert_eq!(pace([320, 3200, 0], 32, 1.0, wall, none, None), "step 320/3200  10,240 samples/s  36s left");
        // A first step that took long, since all was drawn before it, tells nothing about the others.
        assert_eq!(pace([10, 3200, 0], 32, 1.0, wall, none, None), "step 10/3200  320 samples/s");
        assert_eq!(
            pace([320, 3200, 0], 32, 1.0, Duration::from_secs(1), none, None),
            "step 320/3200  10,240 samples/s"
        );
        assert!(pace([10, 3200, 0], 32, 1.0, SETTLED, none, None).ends_with(" left"));
        assert!(!is_telling([1010, 4200, 1000], wall) && is_telling([1160, 4200, 1000], wall));
        assert_eq!(left([3200, 3200, 0], wall, zero), Duration::ZERO);
        assert_eq!(left([0, u64::MAX, 0], Duration::MAX, zero), Duration::MAX);
        // What earlier processes did says nothing about the pace of this one.
        assert_eq!(left([640, 3200, 320], wall, zero), Duration::from_secs(32));
        assert_eq!(game(&report), "D 1.3500  G 0.7000  D(x) 0.500  D(G(z)) 0.250");
        let penalized = step_report(320, [1.35, 0.7, 0.5, 0.25], Some(0.125));
        assert_eq!(game(&penalized), "D 1.3500  penalty 0.1250  G 0.7000  D(x) 0.500  D(G(z)) 0.250");
    }

    #[test]
    fn a_part_tells_what_is_left_of_all() {
        let second = Duration::from_secs(1);
        let part = Part { number: 2, count: 4, done: 1.0, spent: 60 * second, rest: 2.0 };
        // Two parts take 60 and 40 seconds, and so much work is left again.
        assert_eq!(part.left(4 * second, 36 * second), 136 * second);
        assert_eq!(Part { rest: f64::INFINITY, ..part }.left(second, second), Duration::MAX);
        let told = pace([320, 3200, 0], 32, 1.0, 4 * second, Some([Duration::ZERO; 2]), Some(part));
        assert_eq!(told, "step 320/3200  10,240 samples/s  2m left");
    }

    #[test]
    fn what_is_still_to_be_measured_counts() {
        let second = Duration::from_secs(1);
        let mut measuring = Measuring { waiting: vec![3, 0], ..Measuring::default() };
        // Before the first evaluation nothing tells.
        assert_eq!(measuring.left(1), None);
        assert_eq!(pace([320, 3200, 0], 32, 1.0, 4 * second, None, None), "step 320/3200  10,240 samples/s");
        (measuring.done, measuring.took, measuring.end) = (2, 4 * second, 9 * second);
        assert_eq!(measuring.left(1), Some([6 * second, 18 * second]));
        assert_eq!(measuring.left(2), Some([3 * second, 9 * second]));
        // The first end tells how long the others take.
        (measuring.ended, measuring.ends_took) = (1, 4 * second);
        assert_eq!(measuring.left(1), Some([6 * second, 4 * second]));
        measuring.ended = 2;
        assert_eq!(measuring.left(2), Some([3 * second, Duration::ZERO]));
        (measuring.ended, measuring.waiting) = (0, vec![3]);
        // Beside the steps, as long as these take longer; the end comes after them.
        assert_eq!(left([320, 3200, 0], 4 * second, [6 * second, 9 * second]), 45 * second);
        assert_eq!(left([3200, 3200, 0], 4 * second, [6 * second, 9 * second]), 15 * second);
        let told = pace([3200, 3200, 0], 32, 10.0, 4 * second, measuring.left(1), None);
        assert_eq!(told, "step 3200/3200  10,240 samples/s  15s left");
    }
}
