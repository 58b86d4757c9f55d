//! What a run has learned of each column of a table: by its name, in the units of its file.

use gannet::Result;
use gannet::data::kept::Kept;
use gannet::gan::health::Verdict;
use gannet::metrics::columns::{self, ColumnReport, ColumnVerdict, ValueShare};
use gannet::metrics::table::Halves;
use serde::Serialize;

use crate::data::own::Form;
use crate::numbers::{distance, multiple, percent, plural};
use crate::settings::config::RunConfig;
use crate::terminal::output;

/// Columns that `run.json` and `--json` hold at most; bad ones before others.
const MOST: usize = 256;

/// Columns in the table for people.
const MOST_SHOWN: usize = 20;

/// Columns that a sentence names.
const MOST_NAMED: usize = 3;

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
    /// The distance to the data over their s.d., and that of two halves of the data.
    wasserstein1: f64,
    real_wasserstein1: f64,
    /// The Kolmogorov-Smirnov statistic of the samples to the data, and that of two halves of the data.
    kolmogorov_smirnov: f64,
    real_kolmogorov_smirnov: f64,
    /// Generated less real, over the data's s.d.
    mean_error: f64,
    sd_error: f64,
    /// The share of the distinct values that the samples have.
    distinct: f64,
    /// The share of the real values in ranges that the samples reach.
    coverage: f64,
    /// Of a column of few values their shares; else none.
    values: Vec<ValueShare>,
    /// What it says of the run.
    #[serde(skip)]
    of_run: Option<Verdict>,
}

/// The columns of own data that are a table; none of anything else.
///
/// # Errors
///
/// Samples that are not finite.
pub(crate) fn of(config: &RunConfig, samples: &[f32], real: &Halves) -> Result<Vec<Column>> {
    let Some(own) = &config.own else { return Ok(Vec::new()) };
    let Form::Table { columns: names, standardization } = &own.form else { return Ok(Vec::new()) };
    let varying = (0..names.len()).filter(|&index| standardization.scale()[index] > 0.0);
    let reports = columns::evaluate(samples, real)?;
    let column = |(index, report): (usize, ColumnReport)| {
        let unit = |value: f64| standardization.value(index, value as f32);
        (index, Column::new(names[index].clone(), report, unit))
    };
    let kept = own.kept().iter().filter_map(|kept| Some((kept.column, Column::kept(names.get(kept.column)?, kept))));
    let all = varying.zip(reports).map(column).chain(kept);
    let (mut bad, mut good): (Vec<_>, Vec<_>) = all.partition(|(_, column)| column.is_bad());
    good.sort_by_key(|(index, _)| *index);
    bad.extend(good);
    bad.truncate(MOST);
    bad.sort_by_key(|(index, _)| *index);
    Ok(bad.into_iter().map(|(_, column)| column).collect())
}

impl Column {
    fn new(name: String, report: ColumnReport, unit: impl Fn(f64) -> f64) -> Self {
        let worst = report.worst.and_then(|index| report.values.get(index));
        let finding = match (report.verdict, worst) {
            (ColumnVerdict::Ok, _) => None,
            (_, Some(worst)) => Some(format!(
                "{} has {} of the samples instead of {}",
                plain(unit(worst.value)),
                percent(worst.generated),
                percent(worst.real)
            )),
            (ColumnVerdict::Constant, None) => Some("all samples have one value".to_string()),
            (ColumnVerdict::SpreadTooSmall, None) => {
                Some(format!("the s.d. is {} of the data's", multiple(1.0 + report.sd_error)))
            }
            (ColumnVerdict::LostValues, None) => report.missed.map(|missed| {
                let [least, greatest] = missed.map(|value| plain(unit(value)));
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
        let in_unit = |mut share: ValueShare| {
            share.value = plain(unit(share.value));
            share
        };
        Self {
            name,
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
            values: report.values.into_iter().map(in_unit).collect(),
            of_run: match report.verdict {
                ColumnVerdict::Ok => None,
                ColumnVerdict::FarOff => Some(Verdict::FarFromData),
                _ => Some(Verdict::CollapseSuspected),
            },
        }
    }

    /// A column that was constant in training: no network makes it.
    fn kept(name: &str, kept: &Kept) -> Self {
        let Kept { value, range: [least, greatest], .. } = *kept;
        let (constant, far_off) = (ColumnVerdict::Constant.words(), ColumnVerdict::FarOff.words());
        let (verdict, finding, of_run) = match () {
            () if kept.is_same() => (KEPT, None, None),
            () if !kept.differs => {
                let told = format!(
                    "all samples have {value}; the data, {least} to {greatest}, differ from it by no more than the rounding of 64 bits"
                );
                (constant, Some(told), None)
            }
            () if least == greatest => {
                let told = format!("it was constant in training: all samples have {value}, the data {least}");
                (far_off, Some(told), Some(Verdict::FarFromData))
            }
            () => {
                let told =
                    format!("it was constant in training: all samples have {value}, the data {least} to {greatest}");
                (constant, Some(told), Some(Verdict::CollapseSuspected))
            }
        };
        let unknown = if kept.is_same() { 0.0 } else { f64::NAN };
        Self {
            name: name.to_string(),
            verdict,
            finding,
            wasserstein1: kept.distance,
            real_wasserstein1: unknown,
            kolmogorov_smirnov: unknown,
            real_kolmogorov_smirnov: unknown,
            mean_error: kept.mean_error,
            sd_error: kept.sd_error(),
            distinct: if least == greatest { 1.0 } else { f64::NAN },
            coverage: if kept.is_same() { 1.0 } else { f64::NAN },
            values: Vec::new(),
            of_run,
        }
    }

    fn is_bad(&self) -> bool {
        self.of_run.is_some()
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
    let header =
        ["column", "distance", "two halves", "KS", "two halves", "mean error", "s.d. error", "coverage", "verdict"];
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
        name.chain(figures.map(distance)).chain([column.verdict.to_string()]).collect()
    };
    // Those that stand out come first where not all are shown.
    let bad = columns.iter().filter(|column| column.is_bad() && columns.len() > MOST_SHOWN);
    let rest = columns.iter().filter(|column| !column.is_bad() || columns.len() <= MOST_SHOWN);
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(bad.chain(rest).take(MOST_SHOWN).map(row)).collect();
    let left = [true, false, false, false, false, false, false, false, true];
    let more = columns.len().saturating_sub(MOST_SHOWN);
    let more = if more > 0 { format!("{more} more in --json\n") } else { String::new() };
    format!(
        "\ndistance and errors in units of a column's s.d., Kolmogorov-Smirnov statistic (KS)\n{}{more}",
        output::table(&rows, &left)
    )
}
