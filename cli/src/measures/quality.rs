//! How good the rows of a generated table are, beside what two halves of the real one come to.

use gannet::Result;
use gannet::cpu::Isa;
use gannet::gan::Model;
use gannet::internals::numbers::thousands;
use gannet::metrics::table::Halves;
use gannet_tables::Table;
use gannet_tables::quality::{
    ColumnQuality, Privacy, Quality, Utility, UtilityMeasure, detection, privacy, quality, utility,
};
use serde::{Deserialize, Serialize};

use crate::data::own::OwnData;
use crate::numbers::figure;
use crate::settings::config::RunConfig;
use crate::terminal::output;

/// Columns in the table for people.
const MOST_SHOWN: usize = 20;

/// How good the rows of a generated table are. The definitions are SDMetrics'.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TableQuality {
    /// Rows of each side.
    rows: usize,
    samples: Scores,
    /// The same of other real rows in the place of samples.
    real: Scores,
    pub(crate) columns: Vec<ColumnPair>,
    /// What a model learns from generated rows, held against real ones, where a target was named.
    utility: Option<Utility>,
    /// Distances to rows that the run was trained on and to others, where there are others.
    privacy: Option<Privacy>,
    /// The correlations of columns of numbers.
    #[serde(skip)]
    pub(crate) correlations: Option<Correlations>,
}

/// The figures of a table.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Scores {
    /// The mean of both below.
    score: Option<f64>,
    /// The mean of the shapes of columns.
    shapes: Option<f64>,
    /// The mean of the trends of pairs of columns that go together, and that of all pairs.
    trends: Option<f64>,
    trends_of_all: Option<f64>,
    /// How well a linear model tells these rows from real ones: 0.5 not at all, 1 always.
    detection_auc: Option<f64>,
}

/// The shape of a column, 1 at best: that of the samples, and that of other real rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ColumnPair {
    pub(crate) name: String,
    measure: String,
    pub(crate) samples: Option<f64>,
    pub(crate) real: Option<f64>,
}

/// The correlations of columns of numbers, real and generated.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Correlations {
    pub(crate) columns: Vec<String>,
    /// Row-major `[columns, columns]`; none where a column does not vary.
    pub(crate) real: Vec<Option<f64>>,
    pub(crate) generated: Vec<Option<f64>>,
}

/// What else may be measured by.
#[derive(Clone, Copy, Default)]
pub(crate) struct Others<'a> {
    /// The rows that the run was trained on, where `real` are others.
    pub(crate) training: Option<&'a Table>,
    /// The column that a model is to predict.
    pub(crate) target: Option<&'a str>,
}

/// Fewer rows say nothing: their halves are compared.
pub(crate) const LEAST_ROWS: usize = 16;

/// Measures `model` against `real` rows of the run's table; `None` where there are too few.
///
/// # Errors
///
/// Samples that are not finite; a target that is no column; memory that the system refuses.
pub(crate) fn of(
    config: &RunConfig,
    model: &Model,
    real: &Table,
    others: Others<'_>,
    isa: Isa,
) -> Result<Option<TableQuality>> {
    let Some(codec) = config.own.as_ref().and_then(OwnData::codec) else { return Ok(None) };
    let [first, second] = Halves::choose(real.rows(), 1);
    if real.rows() < LEAST_ROWS {
        return Ok(None);
    }
    let rows = first.len();
    let (first, second) = (real.select(&first)?, real.select(&second)?);
    let samples = config.calibrated_samples(model, rows, isa)?;
    let classes = config.classes();
    let class = |index: usize| classes.as_ref().map(|classes| classes.of_sample(index as u64));
    let generated = codec.table(&samples, class)?;
    let (made, held) = (quality(&first, &generated)?, quality(&first, &second)?);
    let columns = made.columns.iter().zip(&held.columns).map(|(made, held)| ColumnPair::new(made, held)).collect();
    let utility = match (others.target, others.training) {
        (Some(target), Some(training)) => Some(utility(training, real, &generated, target)?),
        _ => None,
    };
    let privacy = others.training.map(|training| privacy(training, real, &generated)).transpose()?;
    let of = |quality: &Quality, table: &Table| -> Result<Scores> {
        Ok(Scores {
            score: quality.score,
            shapes: quality.shapes,
            trends: quality.trends,
            trends_of_all: quality.trends_of_all,
            detection_auc: detection(&first, table)?.auc,
        })
    };
    Ok(Some(TableQuality {
        rows,
        samples: of(&made, &generated)?,
        real: of(&held, &second)?,
        columns,
        utility,
        privacy,
        correlations: Correlations::of(&made),
    }))
}

impl ColumnPair {
    fn new(made: &ColumnQuality, held: &ColumnQuality) -> Self {
        let (samples, real) = (made.score, held.score);
        Self { name: made.name.clone(), measure: made.measure.name().to_string(), samples, real }
    }
}

impl Correlations {
    /// Those among the pairs; `None` where there is no pair of numbers.
    fn of(quality: &Quality) -> Option<Self> {
        let pairs = || quality.pairs.iter().filter(|pair| pair.real.is_some() || pair.synthetic.is_some());
        let mut columns: Vec<String> = Vec::new();
        for pair in pairs() {
            for name in &pair.columns {
                if !columns.contains(name) {
                    columns.push(name.clone());
                }
            }
        }
        if columns.is_empty() {
            return None;
        }
        // In the order of the table.
        let place = |name: &String| quality.columns.iter().position(|column| column.name == *name);
        columns.sort_by_key(place);
        let count = columns.len();
        let diagonal = || (0..count * count).map(|at| (at % (count + 1) == 0).then_some(1.0)).collect::<Vec<_>>();
        let (mut real, mut generated) = (diagonal(), diagonal());
        for pair in pairs() {
            let [one, other] = pair.columns.each_ref().map(|name| columns.iter().position(|column| column == name));
            if let (Some(one), Some(other)) = (one, other) {
                for at in [one * count + other, other * count + one] {
                    (real[at], generated[at]) = (pair.real, pair.synthetic);
                }
            }
        }
        Some(Self { columns, real, generated })
    }
}

impl TableQuality {
    /// The figures of the whole table: of the samples, and of other real rows in their place.
    pub(crate) fn overall(&self) -> [(&'static str, Option<f64>, Option<f64>); 5] {
        let of = |name, of: fn(&Scores) -> Option<f64>| (name, of(&self.samples), of(&self.real));
        [
            of("overall", |scores| scores.score),
            of("column shapes", |scores| scores.shapes),
            of("column pair trends", |scores| scores.trends_of_all),
            of("trends of strong pairs", |scores| scores.trends),
            of("detection AUC", |scores| scores.detection_auc),
        ]
    }

    /// As a table for people.
    pub(crate) fn table(&self) -> String {
        let figure = |value: Option<f64>| value.map_or_else(|| "-".to_string(), figure);
        let mut rows = vec![["quality", "samples", "real"].map(str::to_string).to_vec()];
        rows.extend(self.overall().map(|(name, samples, real)| vec![name.to_string(), figure(samples), figure(real)]));
        let shown = self.columns.iter().take(MOST_SHOWN);
        rows.extend(shown.map(|column| {
            let name: String = column.name.chars().filter(|character| !character.is_control()).take(24).collect();
            vec![format!("  {name}"), figure(column.samples), figure(column.real)]
        }));
        let mut text = format!(
            "\nquality of the table by SDMetrics' definitions, 1 is best; detection 0.5 is best ({} rows of each)\n{}",
            thousands(self.rows as u64),
            output::table(&rows, &[true, false, false])
        );
        if let Some(told) = &self.utility {
            let measure = if told.measure == UtilityMeasure::R2 { "R2" } else { "AUC" };
            text += &format!(
                "trained to predict {} and tested on these rows: {measure} {} from generated rows, {} from those of the run\n",
                output::one_line(&told.target),
                figure(told.synthetic),
                figure(told.real)
            );
        }
        if let Some(told) = &self.privacy {
            text += &format!(
                "nearer to a row of the run's training than to one of these: {} of the generated rows; 0.5 if none is a copy\n",
                figure(told.nearer_to_training)
            );
        }
        text
    }
}
