//! What a run has learned of each column of a table: by its name, in the units of its file.

use gannet::Result;
use gannet::gan::health::Verdict;
use gannet::metrics::columns::{self, ColumnReport, ColumnVerdict};
use gannet::metrics::table::Halves;
use gannet_tables::{Codec, Domain, Facet, Table};
use serde::Serialize;
use serde_json::{Value, json};

use crate::data::own::OwnData;
use crate::measures::ranks::{self, Place, Ranks};
use crate::measures::shares::{self, Shares};
use crate::numbers::{counted, distance, multiple, percent, plural};
use crate::settings::config::RunConfig;
use crate::terminal::output;

/// Columns that `run.json` and `--json` hold at most; bad ones before others.
const MOST: usize = 256;

/// Columns in the table for people.
const MOST_SHOWN: usize = 20;

/// Ranks that are nearer than this to a range, in units of the scores' s.d., are of it: 2 % of the rows in the middle.
const NEAR: f64 = 0.05;

/// Columns that a sentence names.
const MOST_NAMED: usize = 3;

/// Values whose shares `--json` has.
const MOST_VALUES: usize = 32;
/// What values are called that have no place among the categories of a run.
const UNKNOWN: &str = "what is no category of the run";

/// The verdict on a column that the data have as it was in training, constant.
pub(crate) const KEPT: &str = "kept constant";

/// A column.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Column {
    name: String,
    /// In words.
    verdict: &'static str,
    /// What stands out, if anything does.
    finding: Option<String>,
    /// The distance to the data in units of the scores' s.d., and that of two halves of the data. Of categories there is none.
    wasserstein1: f64,
    real_wasserstein1: f64,
    /// The Kolmogorov-Smirnov statistic of the samples to the data, of categories the total variation distance; and that of two halves of
    /// the data.
    kolmogorov_smirnov: f64,
    real_kolmogorov_smirnov: f64,
    /// Generated less real, over the data's s.d. Of categories there are none.
    mean_error: f64,
    sd_error: f64,
    /// The share of the distinct values that the samples have.
    distinct: f64,
    /// The share of the real values in ranges that the samples reach, of categories in those that are made.
    coverage: f64,
    /// Of a column of few values their shares; else none.
    values: Vec<ValueShare>,
    /// What it says of the run.
    #[serde(skip)]
    of_run: Option<Verdict>,
}

/// A value of a column of few, and its shares.
#[derive(Clone, Debug, Serialize)]
struct ValueShare {
    /// A number or a text.
    value: Value,
    real: f64,
    generated: f64,
}

/// The columns of own data that are a table; none of anything else.
///
/// # Errors
///
/// Samples that are not finite.
pub(crate) fn of(config: &RunConfig, samples: &[f32], real: &Halves) -> Result<Vec<Column>> {
    let Some((own, codec)) = config.own.as_ref().and_then(|own| Some((own, own.codec()?))) else {
        return Ok(Vec::new());
    };
    let mut all = constants(own, codec);
    let rows = Halves::choose(own.table().map_or(0, Table::rows), codec.features());
    for facet in codec.facets() {
        match facet {
            Facet::Number { column, feature, missing } => {
                let place = Place { codec, column, feature, missing };
                let values = match own.table() {
                    Some(table) => [&rows[0], &rows[1]].map(|rows| ranks::of_table(table, column, rows)),
                    None => [&real.first, &real.second].map(|rows| place.values(rows)),
                };
                let reach = place.reach(&real.first).max(place.reach(&real.second));
                if let Some((ranks, scored)) = Ranks::of(place.values_within(samples, reach), values) {
                    let report = columns::evaluate_column(scored, NEAR)?;
                    all.push((column, Column::of_numbers(codec, column, (report, &ranks))));
                }
            }
            Facet::Category { column, feature, places } => {
                let shares = Shares::of(samples, real, [feature, places]);
                let form = &codec.form().columns[column];
                let text = |place| if place < places { name_of(codec, column, place) } else { UNKNOWN.to_string() };
                all.push((column, Column::of_places(form.name.clone(), &shares, text)));
            }
            Facet::Missing { column, feature } => {
                let shares = Shares::of(samples, real, [feature, 2]);
                let name = format!("{}: missing", codec.form().columns[column].name);
                let text = |place| ["there", "missing"][usize::from(place > 0)].to_string();
                all.push((column, Column::of_places(name, &shares, text)));
            }
            _ => {}
        }
    }
    let (mut bad, mut good): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, column)| column.is_bad());
    good.sort_by_key(|(index, _)| *index);
    bad.extend(good);
    bad.truncate(MOST);
    bad.sort_by_key(|(index, _)| *index);
    Ok(bad.into_iter().map(|(_, column)| column).collect())
}

/// The columns that were constant in training.
fn constants(own: &OwnData, codec: &Codec) -> Vec<(usize, Column)> {
    let constant = |(index, column): (usize, &gannet_tables::ColumnForm)| match &column.domain {
        Domain::Constant { text } => Some((index, Column::kept(&column.name, text, own.differing(&column.name)))),
        _ => None,
    };
    codec.form().columns.iter().enumerate().filter_map(constant).collect()
}

/// The text of a place in the group of a column of categories.
fn name_of(codec: &Codec, column: usize, place: usize) -> String {
    let Domain::Categories { categories, rest } = &codec.form().columns[column].domain else { return String::new() };
    categories.iter().chain(rest).nth(place).map_or_else(|| "missing".to_string(), |category| category.text.clone())
}

impl Column {
    fn of_numbers(codec: &Codec, column: usize, (report, ranks): (ColumnReport, &Ranks)) -> Self {
        let form = &codec.form().columns[column];
        let unit = |score: f64| ranks.value(score);
        let text = |score: f64| match &form.domain {
            Domain::Dates { format, .. } => {
                let mut text = Vec::new();
                format.write(unit(score).round() as i64, &mut text);
                String::from_utf8_lossy(&text).into_owned()
            }
            _ => plain(unit(score)).to_string(),
        };
        let worst = report.worst.and_then(|index| report.values.get(index));
        let finding = match (report.verdict, worst) {
            (ColumnVerdict::Ok, _) => None,
            (_, Some(worst)) => Some(format!(
                "{} has {} of the samples instead of {}",
                text(worst.value),
                percent(worst.generated),
                percent(worst.real)
            )),
            (ColumnVerdict::Constant, None) => Some("all samples have one value".to_string()),
            (ColumnVerdict::SpreadTooSmall, None) => {
                Some(format!("the s.d. is {} of the data's", multiple(1.0 + report.sd_error)))
            }
            (ColumnVerdict::LostValues, None) => report.missed.map(|missed| {
                let [least, greatest] = missed.map(text);
                format!(
                    "hardly any samples near {least} to {greatest}; they reach {} of the data",
                    percent(report.coverage)
                )
            }),
            _ => Some(format!(
                "{} s.d. from the data; two halves of the data: {}",
                multiple(report.wasserstein1),
                multiple(report.real_wasserstein1)
            )),
        };
        let value = |share: &columns::ValueShare| ValueShare {
            value: json!(plain(unit(share.value))),
            real: share.real,
            generated: share.generated,
        };
        Self {
            name: form.name.clone(),
            verdict: report.verdict.words(),
            finding,
            wasserstein1: report.wasserstein1,
            real_wasserstein1: report.real_wasserstein1,
            kolmogorov_smirnov: report.kolmogorov_smirnov,
            real_kolmogorov_smirnov: report.real_kolmogorov_smirnov,
            mean_error: report.mean_error,
            sd_error: report.sd_error,
            distinct: report.distinct,
            coverage: report.coverage,
            values: report.values.iter().map(value).collect(),
            of_run: of_run(report.verdict),
        }
    }

    /// A column of categories, or of marks of missing values.
    fn of_places(name: String, shares: &Shares, text: impl Fn(usize) -> String) -> Self {
        let (verdict, worst) = shares.judge();
        let finding = worst.map(|place| {
            format!(
                "{} has {} of the samples instead of {}",
                text(place),
                percent(shares.generated[place]),
                percent(shares.real[place])
            )
        });
        let value = |place: usize| ValueShare {
            value: number_or(text(place)),
            real: shares.real[place],
            generated: shares.generated[place],
        };
        Self {
            name,
            verdict: verdict.words(),
            finding,
            wasserstein1: f64::NAN,
            real_wasserstein1: f64::NAN,
            kolmogorov_smirnov: shares::total_variation(&shares.first, &shares.generated),
            real_kolmogorov_smirnov: shares::total_variation(&shares.first, &shares.second),
            mean_error: f64::NAN,
            sd_error: f64::NAN,
            distinct: shares.distinct(),
            coverage: shares.coverage(),
            values: (0..shares.real.len().min(MOST_VALUES)).map(value).collect(),
            of_run: of_run(verdict),
        }
    }

    /// A column that was constant in training, of which so many rows of the data have others.
    fn kept(name: &str, constant: &str, differing: u64) -> Self {
        let (verdict, finding, of_run) = if differing == 0 {
            (KEPT, None, None)
        } else {
            let rows = counted(differing, "row");
            let told = format!(
                "it was constant in training: all samples have {constant}, and {rows} of the data another value"
            );
            (ColumnVerdict::Constant.words(), Some(told), Some(Verdict::CollapseSuspected))
        };
        let known = if differing == 0 { 0.0 } else { f64::NAN };
        Self {
            name: name.to_string(),
            verdict,
            finding,
            wasserstein1: known,
            real_wasserstein1: known,
            kolmogorov_smirnov: known,
            real_kolmogorov_smirnov: known,
            mean_error: known,
            sd_error: known,
            distinct: 1.0 - known,
            coverage: 1.0 - known,
            values: Vec::new(),
            of_run,
        }
    }

    fn is_bad(&self) -> bool {
        self.of_run.is_some()
    }
}

/// What the verdict on a column says of the run.
fn of_run(verdict: ColumnVerdict) -> Option<Verdict> {
    match verdict {
        ColumnVerdict::Ok => None,
        ColumnVerdict::FarOff => Some(Verdict::FarFromData),
        _ => Some(Verdict::CollapseSuspected),
    }
}

/// A text as the number that it is, if it is one.
fn number_or(text: String) -> Value {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => json!(number),
        _ => json!(text),
    }
}

/// A number without the sign of a zero.
fn plain(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value }
}

/// Whether a column says this of the run.
pub(crate) fn say(columns: &[Column], verdict: Verdict) -> bool {
    columns.iter().any(|column| column.of_run == Some(verdict))
}

/// The columns that stand out and what was found, for a sentence; `None` where none does.
pub(crate) fn findings(columns: &[Column]) -> Option<String> {
    let bad = || columns.iter().filter(|column| column.is_bad());
    let named = bad().filter_map(|column| Some(format!("{} ({})", column.name, column.finding.as_deref()?)));
    let mut parts: Vec<String> = named.take(MOST_NAMED).collect();
    let more = bad().count().saturating_sub(MOST_NAMED);
    parts.extend((more > 0).then(|| format!("{more} more")));
    let columns = plural(bad().count() as u64, "column");
    (!parts.is_empty()).then(|| format!("{columns} {}", parts.join(", ")))
}

/// The columns as a table for people; nothing where there are none.
pub(crate) fn table(columns: &[Column]) -> String {
    if columns.is_empty() {
        return String::new();
    }
    let header = [
        "column",
        "distance",
        "two halves",
        "KS or TV",
        "two halves",
        "mean error",
        "s.d. error",
        "coverage",
        "verdict",
    ];
    let header = header.map(str::to_string).to_vec();
    let row = |column: &Column| {
        let figures = [
            column.wasserstein1,
            column.real_wasserstein1,
            column.kolmogorov_smirnov,
            column.real_kolmogorov_smirnov,
            column.mean_error,
            column.sd_error,
            column.coverage,
        ];
        let name = std::iter::once(column.name.chars().filter(|c| !c.is_control()).take(24).collect::<String>());
        let figure = |value: f64| if value.is_nan() { "-".to_string() } else { distance(value) };
        name.chain(figures.map(figure)).chain([column.verdict.to_string()]).collect()
    };
    // Those that stand out come first where not all are shown.
    let bad = columns.iter().filter(|column| column.is_bad() && columns.len() > MOST_SHOWN);
    let rest = columns.iter().filter(|column| !column.is_bad() || columns.len() <= MOST_SHOWN);
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(bad.chain(rest).take(MOST_SHOWN).map(row)).collect();
    let left = [true, false, false, false, false, false, false, false, true];
    let more = columns.len().saturating_sub(MOST_SHOWN);
    let more = if more > 0 { format!("{more} more in --json\n") } else { String::new() };
    format!(
        "\ndistance and errors of scores, in units of their s.d.; Kolmogorov-Smirnov statistic (KS) of numbers, total variation (TV) of categories\n{}{more}",
        output::table(&rows, &left)
    )
}
