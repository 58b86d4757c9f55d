//! Two-sample measures of any numeric data: generated samples against real ones, beside real samples against real ones.
//!
//! The real samples are two sets that share none: fresh ones of a preset that makes its own, else halves of the data. Both the generated
//! samples and the second set are held against the first, as many of each, so that the second says what a perfect generator reaches.

use gannet::Result;
use gannet::cpu::Isa;
use gannet::gan::Model;
use gannet::internals::numbers::thousands;
use gannet::metrics::manifold::{self, NEIGHBORS};
use gannet::metrics::table::{Halves, MOST_SAMPLES};
use gannet::metrics::{kolmogorov_smirnov, mmd, nearest};

use crate::data::samples::Samples;
use crate::measures::compared::Compared;
use crate::measures::{measure, recognition};
use crate::numbers::figure;
use crate::preset::table::{Data, Measuring};
use crate::settings::config::RunConfig;
use crate::terminal::output;

/// Samples of each set whose pairs are compared, at most: their work grows by the square, and takes a fraction of a second of points.
const PAIRED: usize = 1_000;

/// All measures of both.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) measures: Vec<Compared>,
    /// Samples in each set, and those of them whose pairs are compared.
    rows: usize,
    paired: usize,
}

/// Names, and what they mean.
const WORDS: &[(&str, &str)] = &[
    (
        "mmd_squared",
        "squared maximum mean discrepancy, unbiased; RBF kernel, bandwidth: median distance of real samples",
    ),
    (
        "nearest_accuracy",
        "samples of both sets whose nearest other one is of their own set; 0.5 if nothing tells them apart",
    ),
    ("precision", "share of the samples in the neighborhood of a real one, which reaches to its 5th nearest"),
    ("recall", "share of the real samples in the neighborhood of a sample"),
    ("density", "real samples' neighborhoods that a sample lies in, over 5"),
    ("coverage", "share of the real samples whose neighborhood holds a sample"),
    ("kolmogorov_smirnov", "Kolmogorov-Smirnov statistic, the largest of all columns"),
];

/// Compares samples of `model` with `real` ones, at most `samples` of them. There is no measure where there are too few of either.
///
/// # Errors
///
/// Samples that are not finite; memory or threads that the system refuses.
pub(crate) fn compare(
    config: &RunConfig,
    real: &Samples,
    model: &Model,
    samples: Option<usize>,
    isa: Isa,
) -> Result<Comparison> {
    let features = config.spec.features();
    let halves = match config.preset.data() {
        Some(Data::Made { .. }) => Halves::of(&measure::fresh(config, 2 * MOST_SAMPLES)?, features)?,
        _ => measure::halves(config, real)?,
    };
    let rows = halves.rows().min(samples.unwrap_or(usize::MAX));
    let paired = rows.min(PAIRED);
    if paired <= NEIGHBORS {
        return Ok(Comparison::default());
    }
    let made = config.measured_samples(model, rows, isa)?;
    let measures = of(config, &made, &halves, paired)?;
    let recognized = match (config.preset.measuring(), real) {
        (Measuring::Classes, Samples::Images(set)) => recognition::compare(config, set, &made, &halves)?,
        _ => Vec::new(),
    };
    Ok(Comparison { measures: [measures, recognized].concat(), rows, paired })
}

/// The measures of as many samples as `made`, of which `paired` are compared by pairs.
fn of(config: &RunConfig, made: &[f32], halves: &Halves, paired: usize) -> Result<Vec<Compared>> {
    let (features, threads) = (config.spec.features(), config.threads);
    let (all, some) = (made.len(), paired * features);
    let first = &halves.first[..all];
    let bandwidth = mmd::median_distance(&first[..some], features, threads)?;
    let values = |set: &[f32]| -> Result<[f64; 7]> {
        let (pairs, reals) = (&set[..some], &first[..some]);
        let manifold = manifold::evaluate(pairs, reals, features, threads)?;
        Ok([
            mmd::squared_mmd(pairs, reals, features, bandwidth, threads)?,
            nearest::evaluate(pairs, reals, features, threads)?.accuracy,
            manifold.precision,
            manifold.recall,
            manifold.density,
            manifold.coverage,
            kolmogorov_smirnov::largest(set, first, features)?,
        ])
    };
    let (samples, real) = (values(made)?, values(&halves.second[..all])?);
    let compared =
        |((name, _), (&samples, &real)): (&(&'static str, &str), (&f64, &f64))| Compared { name, samples, real };
    Ok(WORDS.iter().zip(samples.iter().zip(&real)).map(compared).collect())
}

impl Comparison {
    /// As a table for people; nothing where there is no measure.
    pub(crate) fn table(&self) -> String {
        if self.measures.is_empty() {
            return String::new();
        }
        let header = ["measure", "samples", "real"].map(str::to_string).to_vec();
        let row =
            |compared: &Compared| vec![compared.name.to_string(), figure(compared.samples), figure(compared.real)];
        let rows: Vec<_> = std::iter::once(header).chain(self.measures.iter().map(row)).collect();
        let [rows_told, paired] = [self.rows, self.paired].map(|count| thousands(count as u64));
        let of = if self.rows == self.paired { rows_told } else { format!("{paired}, KS {rows_told}") };
        format!(
            "\nsamples against real samples, and real samples against others ({of} of each)\n{}",
            output::table(&rows, &[true, false, false])
        )
    }

    /// What the names of the measures mean.
    pub(crate) fn meanings(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let words = WORDS.iter().chain(recognition::WORDS).copied();
        words.filter(|(name, _)| self.measures.iter().any(|measure| measure.name == *name))
    }
}
