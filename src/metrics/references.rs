//! What the presets reach with their own settings, over several seeds: shown beside a run's own value.

/// A measure of a preset after so much training: a row of a table in `docs/results.md`, which `scripts/results.py` wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reference {
    /// The preset.
    pub preset: &'static str,
    /// Steps of the training.
    pub steps: u64,
    /// The measure.
    pub measure: &'static str,
    /// The median, and the range from 5 to 95 % of the seeds.
    pub reached: &'static str,
}

impl Reference {
    /// The range from 5 to 95 % of the seeds.
    pub fn range(&self) -> Option<[f64; 2]> {
        let (low, high) = self.reached.split_once('(')?.1.strip_suffix(')')?.split_once(" to ")?;
        Some([low.parse().ok()?, high.parse().ok()?])
    }
}

const fn reached(preset: &'static str, steps: u64, measure: &'static str, reached: &'static str) -> Reference {
    Reference { preset, steps, measure, reached }
}

/// All of them: 20 seeds, of `mnist` 8. They are in the order of the document.
pub const REFERENCES: &[Reference] = &[
    reached("circle", 3_200, "sliced_wasserstein", "0.045 (0.028 to 0.082)"),
    reached("circle", 3_200, "mean_radius", "0.995 (0.957 to 1.007)"),
    reached("circle", 3_200, "radius_sd", "0.079 (0.069 to 0.094)"),
    reached("circle", 3_200, "sector_coverage", "1 (1 to 1)"),
    reached("circle", 9_600, "sliced_wasserstein", "0.048 (0.033 to 0.101)"),
    reached("circle", 9_600, "mean_radius", "1.007 (0.967 to 1.036)"),
    reached("circle", 9_600, "radius_sd", "0.059 (0.048 to 0.101)"),
    reached("circle", 9_600, "sector_coverage", "1 (1 to 1)"),
    reached("mixture1d", 15_625, "mean", "4.503 (4.464 to 4.521)"),
    reached("mixture1d", 15_625, "sd", "0.618 (0.065 to 1.264)"),
    reached("mixture1d", 15_625, "wasserstein1", "1.437 (0.910 to 1.861)"),
    reached("mixture1d-deep", 1_954, "mean", "4.495 (4.456 to 4.559)"),
    reached("mixture1d-deep", 1_954, "sd", "2.301 (2.241 to 2.367)"),
    reached("mixture1d-deep", 1_954, "wasserstein1", "0.067 (0.039 to 0.125)"),
    reached("gaussian2d", 2_000, "covariance_error", "0.072 (0.020 to 0.252)"),
    reached("gaussian2d", 2_000, "mean_distance", "0.074 (0.009 to 0.282)"),
    reached("digits", 16_847, "classes_covered", "10 (10 to 10)"),
    reached("digits", 16_847, "pixel_sd", "0.436 (0.431 to 0.445)"),
    reached("mnist", 6_000, "parzen_nats", "41 (32 to 61)"),
];

/// The reference for a measure of a preset after `steps` steps, if there is one.
pub fn find(preset: &str, steps: u64, measure: &str) -> Option<&'static Reference> {
    REFERENCES.iter().find(|known| known.preset == preset && known.steps == steps && known.measure == measure)
}

/// The lengths in steps for which there are references of a preset.
pub fn lengths(preset: &str) -> Vec<u64> {
    let mut lengths: Vec<u64> =
        REFERENCES.iter().filter(|known| known.preset == preset).map(|known| known.steps).collect();
    lengths.dedup();
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of the document for a measure.
    fn words(measure: &str) -> &'static str {
        match measure {
            "sliced_wasserstein" => "sliced 1-Wasserstein distance",
            "mean_radius" => "mean radius",
            "radius_sd" => "s.d. of the radius",
            "sector_coverage" => "share of sectors covered",
            "mean" => "mean",
            "sd" => "standard deviation",
            "wasserstein1" => "1-Wasserstein distance",
            "covariance_error" => "largest error of the covariance over 4.25",
            "mean_distance" => "distance of the bias from mu",
            "classes_covered" => "classes covered",
            "pixel_sd" => "s.d. of a pixel, mean of all pixels",
            "parzen_nats" => "gannet (seeds 0 to 3, 6, 10, 12, 13)",
            other => panic!("{other} has no words"),
        }
    }

    #[test]
    fn the_document_has_the_same_figures() {
        let document = include_str!("../../docs/results.md");
        for &Reference { preset, steps, measure, reached } in REFERENCES {
            let heading = match (preset, steps) {
                ("circle", 3_200) => "### 100 epochs".to_string(),
                ("circle", _) => "### 300 epochs".to_string(),
                _ => format!("## {preset}"),
            };
            let section = document.split_once(&format!("\n{heading}\n")).unwrap().1;
            let section = section.split("\n## ").next().unwrap().split("\n### ").next().unwrap();
            let begin = format!("| {} |", words(measure));
            let row =
                section.lines().find(|line| line.starts_with(&begin)).unwrap_or_else(|| panic!("{heading}: {begin}"));
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            // Of mnist the number of seeds comes before the median.
            let first = if preset == "mnist" { 3 } else { 2 };
            assert_eq!(reached, format!("{} ({})", cells[first], cells[first + 1]), "{row}");
        }
    }

    #[test]
    fn references_are_found_by_preset_and_length() {
        assert_eq!(find("circle", 3_200, "mean_radius").unwrap().reached, "0.995 (0.957 to 1.007)");
        assert_eq!((find("circle", 3_201, "mean_radius"), find("circle", 3_200, "mean")), (None, None));
        assert_eq!((lengths("circle"), lengths("own")), (vec![3_200, 9_600], vec![]));
    }

    #[test]
    fn every_reference_has_a_range() {
        assert_eq!(find("circle", 3_200, "mean_radius").unwrap().range(), Some([0.957, 1.007]));
        for known in REFERENCES {
            assert!(known.range().is_some_and(|[low, high]| low <= high), "{known:?}");
        }
    }
}
