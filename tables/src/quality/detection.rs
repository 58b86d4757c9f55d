//! Whether a linear model can tell real rows from synthetic ones.

use gannet::Result;
use serde::{Deserialize, Serialize};

use super::auc::auc;
use super::cells::{Sample, learned};
use super::even::even;
use super::features::{Encoder, MAX_MODEL_COLUMNS, MAX_MODEL_ROWS};
use super::logistic::logistic;
use super::same_form::check_same_form;
use crate::table::Table;

/// Parts of the rows, each of which is told apart by a model of the others.
const FOLDS: usize = 3;

/// How well a linear model tells real rows from synthetic ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Detection {
    /// The area under the ROC curve, the mean of all folds: 0.5 where nothing tells the rows apart, 1 where all are told apart. `None`
    /// where either table has fewer than three rows.
    pub auc: Option<f64>,
    /// The area of each fold; three, or none.
    pub folds: Vec<f64>,
    /// SDMetrics' score of detection, in 0 .. 1: 1 less twice the mean excess of the folds' areas over 0.5. 1 is the best.
    pub score: Option<f64>,
}

/// Tells real rows from synthetic ones by logistic regression, in three folds.
///
/// The features are numbers less their mean, over their standard deviation, of both tables together. A gap is filled by the mean, and where
/// either table has gaps in a column, a feature of 0 and 1 marks them. Categories are one-hot, and a missing one is a category. The model
/// is that of scikit-learn's `LogisticRegression` with C = 1: an L2 penalty that leaves the intercept alone. At most [`MAX_MODEL_ROWS`] rows
/// of each table and [`MAX_MODEL_COLUMNS`] columns count, an even choice of more. Row `i` of the chosen ones of either table, counted from
/// 0, is in fold `i % 3`.
///
/// With the same features and folds, scikit-learn 1.9 with a tolerance of 1e-10 gives the same areas within 1e-6. SDMetrics'
/// `LogisticDetection` has other features, and draws its folds at random.
///
/// # Errors
///
/// [`Error::Shape`](gannet::Error::Shape) where the columns of the tables differ in name, kind, categories or units of dates.
///
/// # Sources
///
/// D. Lopez-Paz and M. Oquab, Revisiting classifier two-sample tests, 2017; SDMetrics' `LogisticDetection`,
/// <https://docs.sdv.dev/sdmetrics>, for the score.
///
/// ```
/// use gannet_tables::{Input, ReadOptions, quality::detection, read, read_as};
///
/// let text = "city,height\nParis,1.75\nRome,1.62\nParis,1.81\nRome,1.66\nParis,1.7\nRome,1.64\nParis,1.76\nRome,1.59\nParis,1.9\nRome,1.5\n";
/// let real = read(&Input::bytes("real.csv", text), &ReadOptions::default())?;
/// let synthetic = read_as(&Input::bytes("synthetic.csv", text.replace(",1.", ",2.")), real.form(), &ReadOptions::default())?;
/// assert_eq!(detection(&real, &real)?.auc, Some(0.5));
/// assert_eq!(detection(&real, &synthetic)?.auc, Some(1.0));
/// # Ok::<(), gannet::Error>(())
/// ```
pub fn detection(real: &Table, synthetic: &Table) -> Result<Detection> {
    check_same_form(real, synthetic, "the synthetic table")?;
    let places = learned(real);
    let places: Vec<usize> = even(places.len(), MAX_MODEL_COLUMNS).map(|index| places[index]).collect();
    let [real, synthetic] =
        [real, synthetic].map(|table| Sample::of(table, real, &places, even(table.rows, MAX_MODEL_ROWS)));
    let both = [&real, &synthetic];
    let features = Encoder::new(&both, &both).encode(&both);
    let rows =
        || (0..real.rows).map(|row| (row % FOLDS, true)).chain((0..synthetic.rows).map(|row| (row % FOLDS, false)));
    let area = |fold: usize| {
        let labels: Vec<Option<bool>> = rows().map(|(of, is_real)| (of != fold).then_some(is_real)).collect();
        let logits = features.times(&logistic(&features, &labels)?);
        auc(logits
            .into_iter()
            .zip(rows())
            .filter(|(_, (of, _))| *of == fold)
            .map(|(logit, (_, is_real))| (logit, is_real)))
    };
    let folds = (0..FOLDS).map(area).collect::<Option<Vec<f64>>>().unwrap_or_default();
    let mean = |value: fn(f64) -> f64| {
        (!folds.is_empty()).then(|| folds.iter().copied().map(value).sum::<f64>() / folds.len() as f64)
    };
    let (auc, score) = (mean(|area| area), mean(|area| 2.0 - 2.0 * area.max(0.5)));
    Ok(Detection { auc, folds, score })
}
