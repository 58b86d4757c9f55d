//! Whether synthetic rows are nearer to the rows that a model was trained on than to others like them.

use gannet::Result;
use serde::{Deserialize, Serialize};

use super::cells::{Sample, learned};
use super::even::even;
use super::features::MAX_MODEL_COLUMNS;
use super::gower::Rows;
use super::same_form::check_same_form;
use crate::table::Table;

/// Most synthetic rows whose closest records are looked for. Of more, an even choice is.
pub const MAX_JUDGED_ROWS: usize = 2_000;
/// Most training rows, and held-out rows, that are looked at. Of more, an even choice is.
pub const MAX_RECORDS: usize = 5_000;

/// How close synthetic rows are to real ones. A distance is the mean over all columns, in 0 .. 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Privacy {
    /// The share of synthetic rows that are nearer to a training row than to any held-out one; equal distances count half. 0.5 where
    /// nothing was learned by heart, 1 where all rows are copies. `None` where a table has no rows, or no columns to compare.
    pub nearer_to_training: Option<f64>,
    /// The median distance of synthetic rows to the closest training row; `None` in the same cases.
    pub median_to_training: Option<f64>,
    /// The median distance of synthetic rows to the closest held-out row; `None` in the same cases.
    pub median_to_held_out: Option<f64>,
    /// How many synthetic rows were judged.
    pub rows: usize,
    /// How many training rows, and as many held-out ones, they were compared with.
    pub records: usize,
}

/// Compares the distances of synthetic rows to the closest of the rows that a model was trained on, and to the closest of as many real
/// rows that were held out.
///
/// The distance of two rows is Gower's, the mean over columns. Two numbers differ by their difference over the range of the column in the
/// real rows of both tables that are compared, at most 1; two categories differ by 0 or 1. A missing value equals another one, and
/// differs from any other value by 1. Of the training and the held-out rows an even choice of the same size counts: as many as the smaller
/// table has, and [`MAX_RECORDS`] at most. Of the synthetic rows [`MAX_JUDGED_ROWS`] at most count, of the columns [`MAX_MODEL_COLUMNS`].
///
/// Where training and held-out rows have the same ranges and the same number, the distances are those of SDMetrics 0.32's
/// `calculate_dcr` within 1e-6. SDMetrics takes the range of each of both by itself, so that its distances to the narrower one are longer,
/// and its `DCROverfittingProtection` counts equal distances as nearer to held-out rows.
///
/// # Errors
///
/// [`Error::Shape`](gannet::Error::Shape) where the columns of the tables differ in name, kind, categories or units of dates.
///
/// # Sources
///
/// J. C. Gower, A general coefficient of similarity and some of its properties, 1971; M. Platzer and T. Reutterer, Holdout-based empirical
/// assessment of mixed-type synthetic data, 2021; SDMetrics, <https://docs.sdv.dev/sdmetrics>.
///
/// ```
/// use gannet_tables::{Input, ReadOptions, quality::privacy, read, read_as};
///
/// let text = "city,height\nParis,1.75\nRome,1.62\nParis,1.81\nRome,1.66\nParis,1.7\nRome,1.64\nParis,1.76\nRome,1.59\nParis,1.9\nRome,1.5\n";
/// let training = read(&Input::bytes("real.csv", text), &ReadOptions::default())?;
/// let held_out = read_as(&Input::bytes("held_out.csv", text.replace(",1.", ",2.")), training.form(), &ReadOptions::default())?;
/// let copies = privacy(&training, &held_out, &training)?;
/// assert_eq!((copies.nearer_to_training, copies.median_to_training), (Some(1.0), Some(0.0)));
/// # Ok::<(), gannet::Error>(())
/// ```
pub fn privacy(training: &Table, held_out: &Table, synthetic: &Table) -> Result<Privacy> {
    check_same_form(training, held_out, "the held-out table")?;
    check_same_form(training, synthetic, "the synthetic table")?;
    let places = learned(training);
    let places: Vec<usize> = even(places.len(), MAX_MODEL_COLUMNS).map(|index| places[index]).collect();
    let records = training.rows.min(held_out.rows).min(MAX_RECORDS);
    let sample = |table: &Table, most: usize| Sample::of(table, training, &places, even(table.rows, most));
    let (reals, judged) = ([sample(training, records), sample(held_out, records)], sample(synthetic, MAX_JUDGED_ROWS));
    let [near, far, judged] = Rows::scaled([&reals[0], &reals[1], &judged]);

    let distances: Option<Vec<[f64; 2]>> =
        (0..judged.len()).map(|row| Some([judged.closest(row, &near)?, judged.closest(row, &far)?])).collect();
    let distances = distances.unwrap_or_default();
    let wins = |[near, far]: &[f64; 2]| if near < far { 2u64 } else { u64::from(near == far) };
    let twice: u64 = distances.iter().map(wins).sum();
    let rows = distances.len();
    Ok(Privacy {
        nearer_to_training: (rows > 0).then(|| twice as f64 / 2.0 / rows as f64),
        median_to_training: median(distances.iter().map(|pair| pair[0]).collect()),
        median_to_held_out: median(distances.iter().map(|pair| pair[1]).collect()),
        rows,
        records,
    })
}

/// The middle of some numbers, or the mean of the two in the middle.
fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    let (low, high) = (numbers.get(numbers.len().saturating_sub(1) / 2)?, numbers.get(numbers.len() / 2)?);
    Some(low / 2.0 + high / 2.0)
}
