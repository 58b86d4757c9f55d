//! How alike two tables are, column by column and pair by pair: SDMetrics' quality report.

use gannet::Result;
use serde::{Deserialize, Serialize};

use super::cells::{Cells, Sample, learned};
use super::even::even;
use super::measure::Measure;
use super::same_form::check_same_form;
use super::shape::{ks_complement, missing_value_similarity, tv_complement};
use super::trend::{Paired, trend};
use crate::kind::Kind;
use crate::table::Table;

/// Most columns of which all pairs are compared. Of more, an even choice is. 64 columns have 2,016 pairs.
pub const MAX_PAIRED_COLUMNS: usize = 64;
/// Most rows of a table that pairs of columns are compared in. Of more, an even choice is.
pub const MAX_PAIRED_ROWS: usize = 100_000;
/// Correlations of the real table up to this, in either direction, do not count in the score of trends: SDMetrics' default.
pub const CORRELATION_THRESHOLD: f64 = 0.5;
/// Associations of the real table up to this, Cramér's V, do not count in the score of trends: SDMetrics' default.
pub const ASSOCIATION_THRESHOLD: f64 = 0.3;

/// How alike a synthetic table is to a real one. All scores are in 0 .. 1, and 1 is the best.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Quality {
    /// Each learned column, in the order of the form.
    pub columns: Vec<ColumnQuality>,
    /// Each pair of learned columns, or of an even choice of [`MAX_PAIRED_COLUMNS`] of them.
    pub pairs: Vec<PairQuality>,
    /// Column Shapes: the mean score of the columns that have one; `None` where none has.
    pub shapes: Option<f64>,
    /// Column Pair Trends: the mean score of the pairs that count; `None` where none does.
    pub trends: Option<f64>,
    /// The mean score of all pairs that have one, whether they count or not. Reports of SDMetrics without thresholds show this figure.
    pub trends_of_all: Option<f64>,
    /// The overall quality: the mean of `shapes` and `trends`, or the one that there is.
    pub score: Option<f64>,
}

/// How alike a column is in both tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ColumnQuality {
    /// The name of the column.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// How it is compared.
    pub measure: Measure,
    /// How alike its values are, without the missing ones; `None` where a table has none.
    pub score: Option<f64>,
    /// `MissingValueSimilarity`: 1 less the difference of the shares of missing values; `None` where a table has no rows.
    pub missing: Option<f64>,
}

/// How alike a pair of columns is in both tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PairQuality {
    /// The names of the columns.
    pub columns: [String; 2],
    /// How they are compared.
    pub measure: Measure,
    /// How alike the pair is. `None` where a correlation is not defined, since a column is constant or fewer than two rows have both
    /// values; for contingencies, where a table has no rows or numbers have no ten bins.
    pub score: Option<f64>,
    /// Pearson's correlation in the real table; `None` for contingencies and where it is not defined.
    pub real: Option<f64>,
    /// Pearson's correlation in the synthetic table; `None` for contingencies and where it is not defined.
    pub synthetic: Option<f64>,
    /// Cramér's V in the real table; `None` for correlations, and where a column has fewer than two categories.
    pub association: Option<f64>,
    /// Whether the score counts in the score of trends: the real table's correlation or association is above its threshold.
    pub counts: bool,
}

/// Compares a synthetic table with a real one by the definitions of SDMetrics 0.32.
///
/// Columns that are not learned are left out. Missing values are left out of shapes and correlations; in contingencies they are a category
/// of their own, or fall into the bin of the greatest number. Each table's numbers are cut by its own range. All rows count for shapes; at
/// most [`MAX_PAIRED_ROWS`] count for pairs, where SDMetrics draws 50,000 at random for contingencies. Below these bounds, the figures are
/// those of `sdmetrics.reports.single_table.QualityReport` within 1e-6, with these differences:
///
/// - A pair that does not count still has its score here; SDMetrics has none.
/// - The texts that are not in a column's list of categories are one category.
/// - Columns whose numbers are all below 1e-6 are not rounded to 14 decimals before they are compared.
/// - Whole numbers and dates count from the least of the form, so that differences are exact up to 2^53.
/// - An empty table has no scores.
///
/// Pairs take 20 bytes of memory a row and column, 128 MB at most.
///
/// # Errors
///
/// [`Error::Shape`](gannet::Error::Shape) where the columns of the tables differ in name, kind, categories or units of dates.
///
/// # Sources
///
/// The SDMetrics library, <https://docs.sdv.dev/sdmetrics>: `KSComplement`, `TVComplement`, `MissingValueSimilarity`,
/// `CorrelationSimilarity`, `ContingencySimilarity`, `ColumnShapes` and `ColumnPairTrends`.
///
/// ```
/// use gannet_tables::{Input, ReadOptions, quality::quality, read, read_as};
///
/// let text = "city,height\nParis,1.75\nRome,1.62\nParis,1.81\nRome,1.66\nParis,1.7\nRome,1.64\nParis,1.76\nRome,1.59\nParis,1.9\nRome,1.5\n";
/// let real = read(&Input::bytes("real.csv", text), &ReadOptions::default())?;
/// let synthetic = read_as(&Input::bytes("synthetic.csv", text), real.form(), &ReadOptions::default())?;
/// let quality = quality(&real, &synthetic)?;
/// assert_eq!((quality.columns.len(), quality.pairs.len(), quality.score), (2, 1, Some(1.0)));
/// # Ok::<(), gannet::Error>(())
/// ```
pub fn quality(real: &Table, synthetic: &Table) -> Result<Quality> {
    check_same_form(real, synthetic, "the synthetic table")?;
    let places = learned(real);
    let columns: Vec<ColumnQuality> = places.iter().filter_map(|&place| shape(real, synthetic, place)).collect();
    let pairs = pairs(real, synthetic, &places);

    let shapes = mean(columns.iter().filter_map(|column| column.score));
    let trends = mean(pairs.iter().filter(|pair| pair.counts).filter_map(|pair| pair.score));
    let trends_of_all = mean(pairs.iter().filter_map(|pair| pair.score));
    let score = mean([shapes, trends].into_iter().flatten());
    Ok(Quality { columns, pairs, shapes, trends, trends_of_all, score })
}

fn shape(real: &Table, synthetic: &Table, place: usize) -> Option<ColumnQuality> {
    let form = real.form.columns.get(place)?;
    let tables = [real, synthetic].map(|table| Cells::of(table, place, form, 0..table.rows));
    let (measure, score) = match &tables {
        [Cells::Numbers(real), Cells::Numbers(synthetic)] => (Measure::KsComplement, ks_complement(real, synthetic)),
        [Cells::Codes(real), Cells::Codes(synthetic)] => {
            (Measure::TvComplement, tv_complement(&real.codes, &synthetic.codes, real.missing()))
        }
        _ => return None,
    };
    let missing = missing_value_similarity([tables[0].missing(), tables[1].missing()], [real.rows, synthetic.rows]);
    Some(ColumnQuality { name: form.name.clone(), kind: form.kind, measure, score, missing })
}

fn pairs(real: &Table, synthetic: &Table, places: &[usize]) -> Vec<PairQuality> {
    let places: Vec<usize> = even(places.len(), MAX_PAIRED_COLUMNS).map(|index| places[index]).collect();
    let [reals, synthetics] = [real, synthetic].map(|table| {
        let sample = Sample::of(table, real, &places, even(table.rows, MAX_PAIRED_ROWS));
        sample.columns.into_iter().map(Paired::new).collect::<Vec<_>>()
    });
    let columns: Vec<_> = places.iter().zip(reals.iter().zip(&synthetics)).collect();
    let name = |place: usize| real.form.columns.get(place).map_or_else(String::new, |form| form.name.clone());
    let mut pairs = Vec::with_capacity(columns.len() * columns.len().saturating_sub(1) / 2);
    for (index, (first, (real_first, synthetic_first))) in columns.iter().enumerate() {
        for (second, (real_second, synthetic_second)) in columns.iter().skip(index + 1) {
            let trend = trend([real_first, real_second], [synthetic_first, synthetic_second]);
            let [real, synthetic] = trend.correlations;
            let counts = real.is_some_and(|correlation| correlation.abs() > CORRELATION_THRESHOLD)
                || trend.association.is_some_and(|association| association > ASSOCIATION_THRESHOLD);
            pairs.push(PairQuality {
                columns: [name(**first), name(**second)],
                measure: trend.measure,
                score: trend.score,
                real,
                synthetic,
                association: trend.association,
                counts: counts && trend.score.is_some(),
            });
        }
    }
    pairs
}

/// The mean of some scores; `None` where there are none.
fn mean(scores: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = scores.fold((0.0, 0u64), |(sum, count), score| (sum + score, count + 1));
    (count > 0).then(|| sum / count as f64)
}
