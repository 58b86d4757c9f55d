//! How alike pairs of columns are in two tables.

use super::bins::binned;
use super::cells::{Cells, Codes};
use super::contingency::Contingency;
use super::correlation::{correlation_similarity, pearson};
use super::measure::Measure;

/// A column, ready for any pair: numbers both as they are and in bins.
pub(crate) struct Paired {
    numbers: Option<Vec<f64>>,
    /// `None` for numbers that cannot be cut into bins.
    codes: Option<Codes>,
}

impl Paired {
    pub(crate) fn new(cells: Cells) -> Self {
        match cells {
            Cells::Numbers(numbers) => Self { codes: binned(&numbers), numbers: Some(numbers) },
            Cells::Codes(codes) => Self { numbers: None, codes: Some(codes) },
        }
    }
}

/// What a pair of columns has in common in two tables.
pub(crate) struct Trend {
    pub(crate) measure: Measure,
    /// How alike both tables are; `None` where that has no meaning.
    pub(crate) score: Option<f64>,
    /// The correlations of both tables; `None` for contingencies.
    pub(crate) correlations: [Option<f64>; 2],
    /// Cramér's V of the real table; `None` for correlations.
    pub(crate) association: Option<f64>,
}

/// Compares a pair of columns of the real table with the same pair of the synthetic one.
pub(crate) fn trend(real: [&Paired; 2], synthetic: [&Paired; 2]) -> Trend {
    if let ([Some(x), Some(y)], [Some(a), Some(b)]) =
        (real.map(|column| column.numbers.as_ref()), synthetic.map(|column| column.numbers.as_ref()))
    {
        let correlations = [pearson(x, y), pearson(a, b)];
        let score = correlation_similarity(correlations[0], correlations[1]);
        return Trend { measure: Measure::CorrelationSimilarity, score, correlations, association: None };
    }
    let count = |pair: [&Paired; 2]| match pair.map(|column| column.codes.as_ref()) {
        [Some(first), Some(second)] => Some(Contingency::of(&first.codes, &second.codes, [first.width, second.width])),
        _ => None,
    };
    let (real, synthetic) = (count(real), count(synthetic));
    let score = real.as_ref().zip(synthetic.as_ref()).and_then(|(real, synthetic)| real.similarity(synthetic));
    let association = real.and_then(|real| real.association());
    Trend { measure: Measure::ContingencySimilarity, score, correlations: [None; 2], association }
}
