//! What stands out in the measures of a generator, and says something of its run.

use gannet::gan::health::Verdict;
use gannet::metrics::modes::ModesReport;

use crate::numbers::{distance, multiple};

/// A distance is not that of a healthy run above this multiple of that of as many real samples. Most of the runs of docs/own-data.md: 6.6,
/// of one that ended early; of the plain recipe on `grid25`: 5.6; of the presets' own recipes: 1.8 (27 November 2026).
const MANY_TIMES: f64 = 15.0;

/// Samples that a mode should have at least to be judged: chance leaves no fifth of them in 1 of 2,000.
const EXPECTED: usize = 10;

/// Something that stands out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    /// What it says of the run.
    pub(crate) verdict: Verdict,
    /// What was found.
    pub(crate) words: String,
}

/// Of samples that should have so many equal `modes`: half of them lost is a collapse.
pub(crate) fn of_modes(report: &ModesReport, modes: usize, samples: usize) -> Option<Finding> {
    let lost = report.modes_lost;
    (2 * lost >= modes && samples >= EXPECTED * modes).then(|| Finding {
        verdict: Verdict::CollapseSuspected,
        words: format!("{lost} of {modes} modes have less than a fifth of their share of the samples"),
    })
}

/// Of samples at the distance `found`, where real ones are at the distance `real`: that of two sets of them, called `whose`.
pub(crate) fn of_distance(found: f64, real: f64, whose: &str) -> Option<Finding> {
    (real > 0.0 && !(found <= MANY_TIMES * real)).then(|| Finding {
        verdict: Verdict::FarFromData,
        words: format!(
            "the sliced distance to the data, {}, is {} times that of {whose}, {}",
            distance(found),
            multiple(found / real),
            distance(real)
        ),
    })
}

#[cfg(test)]
mod tests {
    use gannet::data::plane::{RING_CENTERS, RING_SD, ring8};
    use gannet::metrics::modes;

    use super::*;

    /// Points of `ring8` in the first `kept` modes alone.
    fn of_ring(kept: usize, samples: usize) -> ModesReport {
        let points = ring8(8 * samples, 1).unwrap();
        let of_mode = |point: &[f32]| {
            let squares = |center: &[f64; 2]| (0..2).map(|i| (f64::from(point[i]) - center[i]).powi(2)).sum::<f64>();
            (0..8).min_by(|&a, &b| squares(&RING_CENTERS[a]).total_cmp(&squares(&RING_CENTERS[b]))).unwrap()
        };
        let points = points.values().chunks_exact(2).filter(|point| of_mode(point) < kept).take(samples);
        let points: Vec<f32> = points.flatten().copied().collect();
        modes::evaluate(&points, RING_CENTERS.as_flattened(), 2, RING_SD).unwrap()
    }

    #[test]
    fn half_of_the_modes_lost_is_a_collapse() {
        assert_eq!([of_modes(&of_ring(8, 2_500), 8, 2_500), of_modes(&of_ring(5, 2_500), 8, 2_500)], [None, None]);
        let found = of_modes(&of_ring(4, 2_500), 8, 2_500).unwrap();
        assert_eq!(found.verdict, Verdict::CollapseSuspected);
        assert!(found.words.starts_with("4 of 8 modes "), "{}", found.words);
        // Of a handful of samples, chance leaves modes without any.
        assert_eq!(of_modes(&of_ring(4, 70), 8, 70), None);
    }

    #[test]
    fn a_distance_is_held_against_that_of_real_samples() {
        let of = |found| of_distance(found, 0.02, "two halves of the data");
        assert_eq!(of(0.29), None);
        let found = of(0.4).unwrap();
        assert_eq!(found.verdict, Verdict::FarFromData);
        let words = "the sliced distance to the data, 0.400, is 20.00 times that of two halves of the data, 0.020";
        assert_eq!(found.words, words);
        assert!(of(f64::NAN).is_some() && of_distance(0.1, 0.0, "").is_none());
    }
}
