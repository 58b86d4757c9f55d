//! The measures by name.

use serde::{Deserialize, Serialize};

/// A measure of a column or of a pair of columns, as SDMetrics defines it. All are in 0 .. 1, and 1 is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Measure {
    /// 1 less the two-sample Kolmogorov-Smirnov statistic, for numbers, whole numbers and dates.
    KsComplement,
    /// 1 less the total variation distance, for categories and booleans.
    TvComplement,
    /// 1 less half the difference of Pearson's correlations, for two columns of numbers.
    CorrelationSimilarity,
    /// 1 less the total variation distance of pairs of categories, where at least one column has categories. Numbers count by ten bins.
    ContingencySimilarity,
}

impl Measure {
    /// Its name in SDMetrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::KsComplement => "KSComplement",
            Self::TvComplement => "TVComplement",
            Self::CorrelationSimilarity => "CorrelationSimilarity",
            Self::ContingencySimilarity => "ContingencySimilarity",
        }
    }
}
