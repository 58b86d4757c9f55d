//! The losses of a run, kept for their picture.

use gannet::Result;
use gannet::gan::{GanSpec, Objective, StepReport};

use crate::numbers::counted;
use crate::plot::{Heading, Losses, Reference, losses};

/// A step that was reported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reported {
    pub(crate) report: StepReport,
    /// The epoch that the step belongs to.
    pub(crate) epoch: u64,
    /// Samples per second since the report before it.
    pub(crate) rate: f64,
}

/// Reports kept at most; when they are more, every other one is dropped. A picture shows fewer anyway.
const MOST: usize = 1 << 14;

/// Reports of a run, evenly spaced.
#[derive(Debug, Default)]
pub(crate) struct History {
    reports: Vec<StepReport>,
    /// The last one, kept or not.
    last: Option<StepReport>,
    /// Of every `1 << thinned` reports one is kept.
    thinned: u32,
    seen: u64,
}

impl History {
    /// Adds a report.
    pub(crate) fn push(&mut self, report: StepReport) {
        if self.seen.is_multiple_of(1 << self.thinned) {
            self.reports.push(report);
        }
        self.seen += 1;
        self.last = Some(report);
        if self.reports.len() == MOST {
            let mut keep = false;
            self.reports.retain(|_| {
                keep = !keep;
                keep
            });
            self.thinned += 1;
        }
    }

    /// The last report.
    pub(crate) fn last(&self) -> Option<StepReport> {
        self.last
    }

    /// The losses and probabilities over the steps as a PNG file; `None` before the first report.
    ///
    /// # Errors
    ///
    /// What drawing reports.
    pub(crate) fn picture(&self, name: &str, spec: &GanSpec) -> Result<Option<Vec<u8>>> {
        let Some(last) = self.reports.last() else { return Ok(None) };
        let column = |value: fn(&StepReport) -> f64| self.reports.iter().map(value).collect::<Vec<f64>>();
        let steps: Vec<u64> = self.reports.iter().map(|report| report.step).collect();
        let subtitle = format!("{name}, {}", counted(last.step, "step"));
        let level = equilibrium(spec).map(|(value, label)| Reference { value, label });
        let undecided = undecided(spec).map(|(value, label)| Reference { value, label });
        let drawn = Losses {
            steps: &steps,
            discriminator: &column(|report| report.discriminator_loss),
            generator: &column(|report| report.generator_loss),
            real: &column(|report| report.real_probability),
            fake: &column(|report| report.fake_probability),
            loss_references: level.as_slice(),
            probability_references: undecided.as_slice(),
        };
        let picture = losses(Heading { title: "Losses", subtitle: &subtitle }, &drawn)?;
        Ok(Some(picture.to_png()?))
    }
}

/// The probability of "real" that an undecided D gives; `None` for a critic, whose scores have no zero.
pub(crate) fn undecided(spec: &GanSpec) -> Option<(f64, &'static str)> {
    (spec.objective != Objective::Wasserstein).then(|| (0.5 * (1.0 - f64::from(spec.label_smoothing)), "undecided"))
}

/// D's loss where the game ends, which is where it cannot tell both kinds apart; `None` for an objective that is not known to end there.
/// Cross-entropies end at the probability 1/2 (Goodfellow et al. 2014, theorem 1), and so does that of a pair.
pub(crate) fn equilibrium(spec: &GanSpec) -> Option<(f64, &'static str)> {
    use std::f64::consts::LN_2;
    if spec.label_smoothing != 0.0 {
        return smoothed_equilibrium(spec);
    }
    match spec.objective {
        Objective::NonSaturatingHalf => Some((LN_2, "D undecided: ln 2")),
        Objective::Minimax | Objective::NonSaturating | Objective::Softmax => Some((2.0 * LN_2, "D undecided: 2 ln 2")),
        Objective::RelativisticPairing => Some((LN_2, "D undecided: ln 2")),
        Objective::RelativisticAverage => Some((2.0 * LN_2, "D undecided: 2 ln 2")),
        // D's best answer where both kinds are alike is 1/2 (Mao et al. 2017, equation 6): 1/8 for each of them.
        Objective::LeastSquares => Some((0.25, "D undecided: 1/4")),
        // A score of 0 for all (Lim and Ye 2017, theorem 1): 1 for each kind.
        Objective::Hinge => Some((2.0, "D undecided: 2")),
        // The estimate of a distance.
        Objective::Wasserstein => Some((0.0, "no distance: 0")),
        _ => None,
    }
}

/// The same where the labels of real samples are smoothed: D's loss at half the label, its best answer where both kinds are alike.
fn smoothed_equilibrium(spec: &GanSpec) -> Option<(f64, &'static str)> {
    let label = 1.0 - f64::from(spec.label_smoothing);
    let best = 0.5 * label;
    let entropies = || -label * best.ln() - (2.0 - label) * (1.0 - best).ln();
    let loss = match spec.objective {
        Objective::NonSaturatingHalf => 0.5 * entropies(),
        Objective::LeastSquares => best * best,
        Objective::Minimax | Objective::NonSaturating => entropies(),
        _ => return None,
    };
    Some((loss, "D undecided"))
}

#[cfg(test)]
mod tests {
    use gannet::gan::presets;
    use gannet::internals::engine::step_report;

    use super::*;

    /// With next to no smoothing the levels are those without; with some, the answer beside the best one is worse.
    #[test]
    fn smoothed_labels_move_the_levels() {
        for objective in
            [Objective::Minimax, Objective::NonSaturating, Objective::NonSaturatingHalf, Objective::LeastSquares]
        {
            let plain = presets::Preset::Circle.spec().with_objective(objective);
            let level = |spec: &GanSpec| equilibrium(spec).unwrap().0;
            let found = level(&plain.clone().with_label_smoothing(1e-9)) - level(&plain);
            assert!(found.abs() < 1e-6, "{objective:?}: {found}");
            assert!(level(&plain.clone().with_label_smoothing(0.5)) < level(&plain), "{objective:?}");
        }
        let smoothed = presets::Preset::Circle.spec().with_label_smoothing(0.5);
        assert_eq!(undecided(&smoothed), Some((0.25, "undecided")));
        // 0.5 and 0.5 of real samples, 1 of fakes, at the probability 1/4.
        let entropy = -0.5 * 0.25f64.ln() - 1.5 * 0.75f64.ln();
        let found = equilibrium(&smoothed.with_objective(Objective::NonSaturating)).unwrap().0;
        assert!((found - entropy).abs() < 1e-12, "{found} {entropy}");
    }

    #[test]
    fn long_runs_are_thinned_evenly() {
        let mut history = History::default();
        let count = 5 * MOST as u64 + 3;
        for step in 1..=count {
            history.push(step_report(step, [1.0, 1.0, 0.5, 0.5], None));
        }
        assert!(history.reports.len() < MOST && history.reports.len() >= MOST / 2);
        let gaps: Vec<u64> = history.reports.windows(2).map(|pair| pair[1].step - pair[0].step).collect();
        assert!(gaps.iter().all(|&gap| gap == gaps[0]), "{gaps:?}");
    }
}
