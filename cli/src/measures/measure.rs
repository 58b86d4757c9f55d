//! What a generator has learned: the measures of its preset, each beside its reference.

use gannet::Result;
use gannet::cpu::Isa;
use gannet::gan::Model;
use gannet::internals::memory::filled;
use gannet::internals::numbers::thousands;
use gannet::metrics::references::{self, Reference};
use gannet::metrics::table::{self, Halves};
use gannet::metrics::wasserstein::{DIRECTIONS, sliced_wasserstein};
use gannet::metrics::{circle, gaussian2d, images, mixture1d, modes, parzen};
use gannet::net::{Activation, LayerTensors};

use crate::data::samples::{ImageSet, Samples};
use crate::measures::columns::{self, Column};
use crate::measures::finding::{self, Finding};
use crate::measures::quality::TableQuality;
use crate::measures::spread;
use crate::numbers::{figure, short_figure};
use crate::preset::measure_names::OWN_NAMES;
use crate::preset::table::{Data, Measuring, RealDistance};
use crate::settings::config::RunConfig;
use crate::terminal::output;

/// Generated images whose classes are counted, and real ones that they are compared with.
pub(crate) const CLASSIFIED: usize = 1_000;
pub(crate) const CLASSIFIED_AGAINST: usize = 2_000;
/// Classes of handwritten digits.
pub(crate) const CLASSES: usize = 10;

/// One measure of a generator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Measure {
    /// Its name in `evaluation.csv` and in JSON.
    pub(crate) name: &'static str,
    /// The same in words.
    pub(crate) words: &'static str,
    /// The value.
    pub(crate) value: f64,
    /// The median of several seeds and the range from 5 to 95 %, or what is true; empty where there is neither.
    pub(crate) reached: &'static str,
}

impl Measure {
    /// The value for people.
    pub(crate) fn text(&self) -> String {
        self.text_as(figure)
    }

    /// The same where less is enough.
    pub(crate) fn short_text(&self) -> String {
        self.text_as(short_figure)
    }

    /// As `figure` tells it, or without decimals where it counts something.
    fn text_as(&self, figure: fn(f64) -> String) -> String {
        if ["classes_covered", "modes_captured"].contains(&self.name) {
            format!("{:.0}", self.value)
        } else {
            figure(self.value)
        }
    }
}

/// What measuring found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) measures: Vec<Measure>,
    /// Of own data that are a table.
    pub(crate) columns: Vec<Column>,
    /// What stands out in the measures.
    pub(crate) findings: Vec<Finding>,
    /// How good the rows of a generated table are, where that was measured.
    pub(crate) quality: Option<TableQuality>,
}

/// How much work measuring may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// A fraction of a second: while a run goes on.
    Running,
    /// Everything: at its end. `samples` instead of the number that the reference figures were measured with.
    Full { samples: Option<usize> },
}

/// Measures `model` on fresh samples: the same ones for the same run.
///
/// # Errors
///
/// Samples that are not finite; memory or threads that the system refuses.
pub(crate) fn measure(config: &RunConfig, real: &Samples, model: &Model, effort: Effort, isa: Isa) -> Result<Measured> {
    let draw = |usual: usize| {
        let count = if let Effort::Full { samples } = effort { samples.unwrap_or(usual) } else { usual };
        config.measured_samples(model, count, isa)
    };
    match config.preset.measuring() {
        Measuring::Halves => of_own(config, real, draw),
        Measuring::Points { real } => of_points(config, real, draw),
        Measuring::Modes { centers, sd, real, .. } => {
            let samples = draw(modes::SAMPLES)?;
            let report = modes::evaluate(&samples, centers.as_flattened(), config.spec.features(), sd)?;
            let values = [
                ("modes_captured", report.modes_captured as f64),
                ("high_quality_share", report.high_quality_share),
                ("reverse_kl", report.reverse_kl),
            ];
            let lost = finding::of_modes(&report, centers.len(), samples.len() / config.spec.features());
            let of_modes = values.map(|(name, value)| measure_of(config, name, value));
            let points = of_points(config, real, draw)?;
            Ok(Measured {
                measures: of_modes.into_iter().chain(points.measures).collect(),
                findings: lost.into_iter().chain(points.findings).collect(),
                columns: Vec::new(),
                quality: None,
            })
        }
        measuring => {
            let measures = of_preset(config, measuring, real, model, effort, draw)?;
            Ok(Measured { measures, ..Measured::default() })
        }
    }
}

fn of_preset(
    config: &RunConfig,
    measuring: Measuring,
    real: &Samples,
    model: &Model,
    effort: Effort,
    draw: impl Fn(usize) -> Result<Vec<f32>>,
) -> Result<Vec<Measure>> {
    match (measuring, real) {
        (Measuring::Classes, Samples::Images(set)) => {
            let mut measures = of_classes(config, set, &draw(CLASSIFIED)?)?;
            if let (Effort::Full { .. }, Some(test)) = (effort, &set.test) {
                measures.extend(of_likelihood(config, set, test.images.rows(0..usize::MAX)?, draw(parzen::SAMPLES)?)?);
            }
            Ok(measures)
        }
        (Measuring::Circle, _) => {
            let samples = draw(circle::POINTS)?;
            let report = circle::evaluate(&samples, &fresh(config, samples.len() / 2)?)?;
            let values = [
                ("sliced_wasserstein", report.sliced_wasserstein),
                ("mean_radius", report.mean_radius),
                ("radius_sd", report.radius_sd),
                ("sector_coverage", report.sector_coverage),
            ];
            Ok(values.map(|(name, value)| measure_of(config, name, value)).to_vec())
        }
        (Measuring::Gaussian, _) => of_gaussian(config, model, draw),
        _ => {
            let samples = draw(mixture1d::POINTS)?;
            let report = mixture1d::evaluate(&samples, &fresh(config, samples.len())?)?;
            let values = [("mean", report.mean), ("sd", report.sd), ("wasserstein1", report.wasserstein1)];
            Ok(values.map(|(name, value)| measure_of(config, name, value)).to_vec())
        }
    }
}

/// So many samples of a preset that makes its own, which are none of those that it trains on; none of another.
pub(crate) fn fresh(config: &RunConfig, samples: usize) -> Result<Vec<f32>> {
    match config.preset.data() {
        Some(Data::Made { fresh, .. }) => Ok(fresh(samples, config.seed)?.into_values()),
        _ => Ok(Vec::new()),
    }
}

/// How near points are to fresh ones, which are `real` from each other.
fn of_points(config: &RunConfig, real: RealDistance, draw: impl Fn(usize) -> Result<Vec<f32>>) -> Result<Measured> {
    /// Enough for a distance that chance does not rule.
    const POINTS: usize = 5_000;
    /// Figures of different runs are comparable.
    const DIRECTION_SEED: u64 = 0;
    let features = config.spec.features();
    let samples = draw(POINTS)?;
    let fresh = fresh(config, samples.len() / features)?;
    let distance = sliced_wasserstein(&samples, &fresh, features, DIRECTIONS, DIRECTION_SEED)?;
    let findings = finding::of_distance(distance, real.value, "two sets of real points");
    Ok(Measured {
        measures: vec![measure_of(config, "sliced_wasserstein", distance)],
        findings: findings.into_iter().collect(),
        columns: Vec::new(),
        quality: None,
    })
}

/// How much more work measuring with [`Effort::Full`] is than with [`Effort::Running`], in units of the latter: the images of the test
/// set are compared, too.
pub(crate) fn more_at_the_end(config: &RunConfig, real: &Samples) -> f64 {
    let test = match real {
        Samples::Images(set) if config.preset.measuring() == Measuring::Classes => set.test.as_ref(),
        _ => None,
    };
    let compared = test.map_or(0, |test| test.images.len() + parzen::VALIDATION) * parzen::SAMPLES;
    compared as f64 / (CLASSIFIED * CLASSIFIED_AGAINST) as f64
}

/// What has to be said about a run's figures in words.
pub(crate) fn remark(config: &RunConfig) -> Option<String> {
    let remarks = [finding(config).map(str::to_string), no_reference(config)];
    let remarks: Vec<String> = remarks.into_iter().flatten().collect();
    (!remarks.is_empty()).then(|| remarks.join("\n"))
}

/// What theory says about the figures.
fn finding(config: &RunConfig) -> Option<&'static str> {
    let sees_only_the_mean =
        config.preset.measuring() == Measuring::Mixture && config.spec.discriminator.layers.len() == 1;
    sees_only_the_mean.then_some(mixture1d::FINDING)
}

/// The head of the column of references.
pub(crate) const REFERENCE: &str = "reference: median (5 to 95 %)";

/// The measures as a table for people.
pub(crate) fn measure_table(measures: &[Measure]) -> String {
    let header = ["measure", "value", REFERENCE].map(str::to_string).to_vec();
    let rows =
        measures.iter().map(|measure| vec![measure.name.to_string(), measure.text(), measure.reached.to_string()]);
    output::table(&std::iter::once(header).chain(rows).collect::<Vec<_>>(), &[true, false, true])
}

/// What names of measures mean, in words.
pub(crate) fn meanings(words: &[(&str, &str)]) -> String {
    let rows: Vec<_> = words.iter().map(|&(name, words)| vec![name.to_string(), words.to_string()]).collect();
    output::table(&rows, &[true, true])
}

/// Two halves of the data.
pub(crate) fn halves(config: &RunConfig, real: &Samples) -> Result<Halves> {
    let features = config.spec.features();
    match real {
        Samples::Values(source, _) => Halves::of(source.values(), features),
        Samples::Table(table) => Halves::gather(real.len(), features, |row| {
            let mut sample = filled(features, 0.0)?;
            table.copy(row, &mut sample);
            Ok(sample)
        }),
        Samples::Images(set) => Halves::gather(real.len(), features, |row| set.train.rows(row..row.saturating_add(1))),
    }
}

/// How near samples are to own data, in the units of training: standard deviations of a column, or half the range of a pixel.
fn of_own(config: &RunConfig, real: &Samples, draw: impl Fn(usize) -> Result<Vec<f32>>) -> Result<Measured> {
    let halves = halves(config, real)?;
    let samples = draw(halves.rows())?;
    let report = table::evaluate(&samples, &halves)?;
    let [distance, real_distance, mean_error, sd_error, sd_ratio] = OWN_NAMES;
    let values = [
        (distance, report.sliced_wasserstein),
        (real_distance, report.real_sliced_wasserstein),
        (mean_error, report.mean_error),
        (sd_error, report.sd_error),
        (sd_ratio, report.sd_ratio),
    ];
    let measures = values.map(|(name, value)| measure_of(config, name, value)).to_vec();
    // Directions through images say little of them.
    let is_table = config.preset.image().is_none();
    let far = is_table
        .then(|| {
            finding::of_distance(report.sliced_wasserstein, report.real_sliced_wasserstein, "two halves of the data")
        })
        .flatten();
    let columns = columns::of(config, &samples, &halves)?;
    Ok(Measured { measures, columns, findings: far.into_iter().collect(), quality: None })
}

/// The covariance that matters, and the mean: from the weights where G is linear, from samples where it is not.
fn of_gaussian(config: &RunConfig, model: &Model, draw: impl Fn(usize) -> Result<Vec<f32>>) -> Result<Vec<Measure>> {
    /// Enough for the covariance of another generator than the reference's.
    const SAMPLES: usize = 10_000;
    let report = match (config.spec.generator.layers.as_slice(), model.generator.as_slice()) {
        ([layer], [LayerTensors { weight, bias, .. }])
            if layer.activation == Activation::Linear && layer.inputs == 2 =>
        {
            gaussian2d::evaluate(weight, bias)?
        }
        _ => gaussian2d::evaluate_samples(&draw(SAMPLES)?)?,
    };
    let [[xx, xy], [_, yy]] = report.covariance;
    let [x, y] = report.mean;
    let values = [
        ("covariance_error", report.covariance_error),
        ("mean_distance", report.mean_distance),
        ("covariance_xx", xx),
        ("covariance_xy", xy),
        ("covariance_yy", yy),
        ("bias_x", x),
        ("bias_y", y),
    ];
    Ok(values.map(|(name, value)| measure_of(config, name, value)).to_vec())
}

fn of_classes(config: &RunConfig, set: &ImageSet, samples: &[f32]) -> Result<Vec<Measure>> {
    let real = set.train.rows(0..CLASSIFIED_AGAINST)?;
    let features = config.spec.features();
    let labels = &set.labels[..set.labels.len().min(CLASSIFIED_AGAINST)];
    let report = images::evaluate(samples, &real, labels, features, CLASSES, config.threads)?;
    let values = [
        ("classes_covered", report.classes_covered as f64),
        ("pixel_sd", report.pixel_sd),
        ("real_pixel_sd", report.real_pixel_sd),
    ];
    Ok(values.map(|(name, value)| measure_of(config, name, value)).to_vec())
}

/// Images come with pixels in [-1, 1]; the published figures are for [0, 1].
fn of_likelihood(config: &RunConfig, set: &ImageSet, test: Vec<f32>, samples: Vec<f32>) -> Result<[Measure; 3]> {
    let unit = |mut pixels: Vec<f32>| {
        pixels.iter_mut().for_each(|pixel| *pixel = pixel.mul_add(0.5, 0.5));
        pixels
    };
    let images = set.labels.len();
    let validation = set.train.rows(images.saturating_sub(parzen::VALIDATION)..images)?;
    let features = config.spec.features();
    let report = parzen::log_likelihood(&unit(samples), &unit(validation), &unit(test), features, config.threads)?;
    let values = [
        ("parzen_nats", report.nats),
        ("parzen_standard_error", report.standard_error),
        ("parzen_sigma", report.sigma),
    ];
    Ok(values.map(|(name, value)| measure_of(config, name, value)))
}

/// Measures: name, words, what is true.
const WORDS: &[(&str, &str, &str)] = &[
    ("mean", "mean", "true: 4.5"),
    ("sd", "standard deviation", "true: 2.32"),
    ("wasserstein1", "1-Wasserstein distance to fresh real points", ""),
    ("mean_radius", "mean radius", "true: 1.00"),
    ("radius_sd", "standard deviation of the radius", "true: 0.05"),
    ("sector_coverage", "share of 36 sectors that hold at least a fifth of their share of the points", "true: 1"),
    ("modes_captured", "modes that are nearest to at least one sample of high quality", ""),
    ("high_quality_share", "share of the samples within 3 s.d. of the center of the nearest mode", "true: 0.989"),
    ("reverse_kl", "KL of the samples of high quality over the modes from the uniform distribution, nats", "0"),
    ("covariance_error", "largest error of the covariance over 4.25", ""),
    ("mean_distance", "distance of the generator's mean from mu", ""),
    ("covariance_xx", "learned covariance: variance of x", "true: 1.04 (A^T A)"),
    ("covariance_xy", "learned covariance: of x and y", "true: 1.90"),
    ("covariance_yy", "learned covariance: variance of y", "true: 4.25"),
    ("bias_x", "learned bias: x", "true: 2 (mu)"),
    ("bias_y", "learned bias: y", "true: 1"),
    ("classes_covered", "classes that hold at least 1 % of the samples, by the nearest real image", "of 10"),
    ("pixel_sd", "standard deviation of a pixel over the samples, mean of all pixels", "real_pixel_sd"),
    ("real_pixel_sd", "the same of the real images", ""),
    ("sliced_wasserstein", "sliced 1-Wasserstein distance to real samples", ""),
    ("real_sliced_wasserstein", "the same between two halves of the data", ""),
    ("mean_error", "error of a column's mean, mean over the columns", "0"),
    ("sd_error", "error of a column's standard deviation, mean over the columns", "0"),
    ("sd_ratio", "standard deviation as a multiple of the data's; 0: all the same", "1"),
    ("parzen_nats", "Parzen-window log-likelihood of the 10,000 test images, nats an image", "237: training images"),
    ("parzen_standard_error", "standard error of that mean", ""),
    ("parzen_sigma", "standard deviation of the windows, chosen on 1,000 training images", ""),
];

/// A measure of a run, with its words, and its reference or what is true.
fn measure_of(config: &RunConfig, name: &'static str, value: f64) -> Measure {
    let found = WORDS.iter().find(|(known, ..)| *known == name);
    let (words, truth) = found.map_or((name, ""), |&(_, words, truth)| (words, truth));
    let truth = match (config.preset.measuring(), name) {
        // Of own data the reference is what two halves of them come to, the row below.
        (Measuring::Halves, "sliced_wasserstein") => "two halves of the data: below",
        (Measuring::Modes { all, .. }, "modes_captured") => all,
        (Measuring::Points { real } | Measuring::Modes { real, .. }, "sliced_wasserstein") => real.words,
        _ => truth,
    };
    Measure { name, words, value, reached: reference(config, name).map_or(truth, |reference| reference.reached) }
}

/// What right runs of these settings reach in the measure called `name`, where that is known.
fn reference(config: &RunConfig, name: &str) -> Option<&'static Reference> {
    config.as_documented().and_then(|(preset, steps)| references::find(preset, steps, name))
}

/// The worst value of the measure called `name` with which a run of these settings succeeds: the bad end of the range of its reference.
pub(crate) fn bound(config: &RunConfig, name: &str) -> Option<f64> {
    reference(config, name).and_then(Reference::range).and_then(|range| spread::bound(name, range))
}

/// Why the figures of a run have no reference; `None` where they have, or where two halves of the data are it.
pub(crate) fn no_reference(config: &RunConfig) -> Option<String> {
    let preset = config.preset.known()?.name();
    let lengths = references::lengths(preset);
    match config.as_documented() {
        Some((_, steps)) if lengths.contains(&steps) => None,
        _ if lengths.is_empty() => Some(format!("no reference for {preset}")),
        found => {
            let lengths: Vec<String> = lengths.into_iter().map(thousands).collect();
            let what = if found.is_some() { "this length" } else { "these settings" };
            let known = lengths.join(" or ");
            Some(format!("no reference for {what}: there are some for {preset} with its defaults, {known} steps"))
        }
    }
}

/// The measure called `name` with a value that was written down; `None` where there is none of that name.
pub(crate) fn recorded(config: &RunConfig, name: &str, value: f64) -> Option<Measure> {
    WORDS.iter().find(|(known, ..)| *known == name).map(|&(known, ..)| measure_of(config, known, value))
}
