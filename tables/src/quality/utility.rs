//! What a model learns from synthetic rows, beside what it learns from real ones.

use gannet::{Error, Result};
use serde::{Deserialize, Serialize};

use super::auc::auc;
use super::cells::{Cells, Sample, learned};
use super::even::even;
use super::features::{Encoder, Features, MAX_MODEL_COLUMNS, MAX_MODEL_ROWS};
use super::logistic::logistic;
use super::ridge::{r2, ridge};
use super::same_form::check_same_form;
use super::scale::Scale;
use crate::table::Table;

/// Most categories of a target that are told from all others. Of more, the most frequent are.
pub const MAX_CLASSES: usize = 16;

/// How a model's predictions are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UtilityMeasure {
    /// The area under the ROC curve of each category against all others, on average: 0.5 for guesses, and 1 at best.
    Auc,
    /// The coefficient of determination: 0 for the mean, 1 at best, and below 0 for worse than the mean.
    R2,
}

/// How well models predict a column of real rows that they have not seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Utility {
    /// The name of the column that is predicted.
    pub target: String,
    /// What the figures are.
    pub measure: UtilityMeasure,
    /// Of a model that was trained on synthetic rows. `None` where no such row has a target, or the held-out ones have fewer than two
    /// different ones.
    pub synthetic: Option<f64>,
    /// Of a model that was trained on real rows; `None` in the same cases.
    pub real: Option<f64>,
}

/// Predicts the column `target` of held-out real rows from all other columns: once trained on synthetic rows, once on real ones.
///
/// Categories and booleans are predicted by one logistic regression for each category against all others, that of scikit-learn's
/// `LogisticRegression` with C = 1; the figure is the mean area of the categories of the held-out rows, or of the [`MAX_CLASSES`] most
/// frequent of them. A category that the training rows lack has 0.5, and so has one that is all they have. Numbers, whole numbers and
/// dates are predicted by ridge regression, that of scikit-learn's `Ridge` with alpha = 1, on standardized targets. Features are those of
/// [`detection`](super::detection()), with means and deviations of the training rows, and a mark where training or held-out rows have gaps.
/// Rows without a target are left out. At most [`MAX_MODEL_ROWS`] rows of each table and [`MAX_MODEL_COLUMNS`] other columns count, an even
/// choice of more.
///
/// With the same features, scikit-learn 1.9 with a tolerance of 1e-10 gives the same figures within 1e-6.
///
/// # Errors
///
/// [`Error::Shape`] where the columns of the tables differ in name, kind, categories or units of dates; [`Error::InvalidSetting`] where no
/// learned column is called `target`.
///
/// # Sources
///
/// C. Esteban, S. L. Hyland and G. Rätsch, Real-valued (medical) time series generation with recurrent conditional GANs, 2017: train on
/// synthetic, test on real.
///
/// ```
/// use gannet_tables::{Input, ReadOptions, quality::utility, read};
///
/// let text = "city,height\nParis,1.75\nRome,1.62\nParis,1.81\nRome,1.66\nParis,1.7\nRome,1.64\nParis,1.76\nRome,1.59\nParis,1.9\nRome,1.5\n";
/// let table = read(&Input::bytes("real.csv", text), &ReadOptions::default())?;
/// let utility = utility(&table, &table, &table, "city")?;
/// assert_eq!((utility.synthetic, utility.real), (Some(1.0), Some(1.0)));
/// # Ok::<(), gannet::Error>(())
/// ```
pub fn utility(training: &Table, held_out: &Table, synthetic: &Table, target: &str) -> Result<Utility> {
    check_same_form(training, held_out, "the held-out table")?;
    check_same_form(training, synthetic, "the synthetic table")?;
    let places = learned(training);
    let place = training.form.position(target).filter(|place| places.contains(place));
    let Some(place) = place else {
        return Err(Error::setting("target", format!("the table has no learned column `{target}`")));
    };
    let others: Vec<usize> = places.into_iter().filter(|other| *other != place).collect();
    let others: Vec<usize> = even(others.len(), MAX_MODEL_COLUMNS).map(|index| others[index]).collect();

    let [training, held_out, synthetic] =
        [training, held_out, synthetic].map(|table| Labelled::of(table, training, &others, place));
    let figure = |rows: &Labelled| match &held_out.targets {
        Cells::Codes(_) => rows.area(&held_out),
        Cells::Numbers(_) => rows.determination(&held_out),
    };
    let measure = match &held_out.targets {
        Cells::Codes(_) => UtilityMeasure::Auc,
        Cells::Numbers(_) => UtilityMeasure::R2,
    };
    Ok(Utility { target: target.to_string(), measure, synthetic: figure(&synthetic), real: figure(&training) })
}

/// Rows with their targets, none of which is missing.
struct Labelled {
    sample: Sample,
    targets: Cells,
}

impl Labelled {
    fn of(table: &Table, reference: &Table, others: &[usize], target: usize) -> Self {
        let all = even(table.rows, MAX_MODEL_ROWS);
        let targets = Sample::of(table, reference, &[target], all.clone()).columns.pop();
        let present = targets.map_or_else(Vec::new, |targets| targets.present());
        let rows: Vec<usize> = all.zip(present).filter(|(_, is_present)| *is_present).map(|(row, _)| row).collect();
        let rows = || rows.iter().copied();
        let targets = Sample::of(table, reference, &[target], rows()).columns.pop();
        Self {
            sample: Sample::of(table, reference, others, rows()),
            targets: targets.unwrap_or(Cells::Numbers(Vec::new())),
        }
    }

    /// The features of these rows, and of the held-out ones, as a model of these rows sees them.
    fn features(&self, held_out: &Self) -> [Features; 2] {
        let encoder = Encoder::new(&[&self.sample], &[&self.sample, &held_out.sample]);
        [&self.sample, &held_out.sample].map(|sample| encoder.encode(&[sample]))
    }

    /// The mean area of categories that a model of these rows gives.
    fn area(&self, held_out: &Self) -> Option<f64> {
        let (Cells::Codes(known), Cells::Codes(asked)) = (&self.targets, &held_out.targets) else { return None };
        if known.codes.is_empty() {
            return None;
        }
        let mut counts = vec![0usize; usize::from(asked.width)];
        asked.codes.iter().for_each(|&code| counts[usize::from(code)] += 1);
        let mut classes: Vec<u16> = (0..asked.width).filter(|class| counts[usize::from(*class)] > 0).collect();
        classes.sort_by_key(|class| std::cmp::Reverse(counts[usize::from(*class)]));
        classes.truncate(MAX_CLASSES);

        let [features, asked_features] = self.features(held_out);
        let area = |class: &u16| {
            let labels: Vec<Option<bool>> = known.codes.iter().map(|code| Some(code == class)).collect();
            let weights = logistic(&features, &labels).unwrap_or_else(|| vec![0.0; features.width()]);
            auc(asked_features.times(&weights).into_iter().zip(asked.codes.iter().map(|code| code == class)))
        };
        let areas = classes.iter().map(area).collect::<Option<Vec<f64>>>()?;
        (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
    }

    /// The coefficient of determination that a model of these rows gives.
    fn determination(&self, held_out: &Self) -> Option<f64> {
        let (Cells::Numbers(known), Cells::Numbers(asked)) = (&self.targets, &held_out.targets) else { return None };
        if known.is_empty() {
            return None;
        }
        let scale = Scale::of(known.iter().copied(), false);
        let [known, asked] = [known, asked]
            .map(|targets| targets.iter().map(|target| scale.standardized(*target)).collect::<Vec<f64>>());
        let [features, asked_features] = self.features(held_out);
        r2(&asked, &asked_features.times(&ridge(&features, &known)))
    }
}
