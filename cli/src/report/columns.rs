//! The columns of a table: how their real and generated values are distributed.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use gannet_tables::{Domain, Form};
use maud::{Markup, html};
use serde_json::Value;

use super::read;
use crate::folder::run_folder::COLUMNS;
use crate::numbers::number;

/// Bytes of the file.
const LARGEST: u64 = 1 << 20;
/// Columns that are shown, and bars and characters of the name of one.
const MOST: usize = 64;
const MOST_BARS: usize = 200;
const LONGEST_NAME: usize = 60;
/// Size of a drawing; the page stretches it to its place.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 300.0;

/// The histograms of a column: the share of the values in each bar.
#[derive(Clone, Debug)]
pub(super) struct Column {
    name: String,
    ends: Ends,
    real: Vec<f64>,
    generated: Vec<f64>,
}

/// What stands below the bars.
#[derive(Clone, Debug)]
enum Ends {
    /// The ends of the range that they divide.
    Range(f64, f64),
    /// A name each.
    Names(Vec<String>),
}

/// The columns that the folder of a run tells of; what cannot be drawn is left out.
pub(super) fn read(folder: &Path) -> Vec<Column> {
    let text = read::text(&folder.join(COLUMNS), LARGEST).unwrap_or_default();
    let told: Value = serde_json::from_str(&text).unwrap_or_default();
    let columns = told["columns"].as_array().map_or(&[][..], Vec::as_slice);
    columns.iter().take(MOST).filter_map(column).collect()
}

fn column(told: &Value) -> Option<Column> {
    let shares = |name: &str| {
        let shares: Option<Vec<f64>> = told[name].as_array()?.iter().map(Value::as_f64).collect();
        shares
            .filter(|shares| (1..=MOST_BARS).contains(&shares.len()) && shares.iter().all(|s| (0.0..=1.0).contains(s)))
    };
    let short = |text: &str| text.chars().take(LONGEST_NAME).collect::<String>();
    let (real, generated) = (shares("real")?, shares("generated")?);
    let ends = match told["names"].as_array() {
        Some(names) => {
            let names: Option<Vec<String>> = names.iter().map(|name| name.as_str().map(short)).collect();
            Ends::Names(names.filter(|names| names.len() == real.len())?)
        }
        None => Ends::Range(told["low"].as_f64()?, told["high"].as_f64()?),
    };
    Some(Column { name: short(told["name"].as_str()?), ends, real, generated })
}

/// All columns, each with its histograms, and with what stands out in some. Dates are written as in the table, if its form is known.
pub(super) fn markup(columns: &[Column], findings: &BTreeMap<&str, String>, form: Option<&Form>) -> Markup {
    let dates = |name: &str| {
        let column = form?.columns.iter().find(|column| column.name == name)?;
        column.range().filter(|_| matches!(column.domain, Domain::Dates { .. }))
    };
    html! {
        @if !columns.is_empty() {
            ul.legend { li.c0 { i {} "real" } li.c1 { i {} "generated" } }
            .histograms { @for column in columns { (column.markup(findings.get(column.name.as_str()), dates(&column.name))) } }
        }
    }
}

impl Column {
    fn markup(&self, finding: Option<&String>, dates: Option<[String; 2]>) -> Markup {
        let highest = self.real.iter().chain(&self.generated).copied().fold(0.0, f64::max);
        let ends = match (&self.ends, dates) {
            (Ends::Range(..), Some(dates)) => dates.to_vec(),
            (Ends::Range(low, high), None) => {
                // The axis begins and ends half a bar beside the outermost values.
                let room = (high - low) / (2 * self.real.len()) as f64;
                // What is nothing but the rounding of these is 0.
                let end = |end: f64| if end.abs() < 1e-12 * (high - low) { 0.0 } else { end };
                [low + room, high - room].map(|value| number(end(value))).to_vec()
            }
            (Ends::Names(names), _) => names.clone(),
        };
        let is_named = matches!(self.ends, Ends::Names(_));
        let outside = 1.0 - self.generated.iter().sum::<f64>();
        let outside = (outside >= 0.005).then(|| format!("{:.0} % of the generated values outside", 100.0 * outside));
        let drawn = |shares: &[f64], closed| steps(shares, highest, closed);
        html! {
            figure.histogram {
                figcaption {
                    b { (self.name) }
                    @if let Some(finding) = finding { " " span.finding { (finding) } }
                    @if let Some(outside) = &outside { " " span.meaning { (outside) } }
                }
                svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img"
                    aria-label={ "Histograms of the real and the generated values of " (self.name) } {
                    g.c0 { path.bars d=(drawn(&self.real, true)) {} }
                    g.c1 { path.line d=(drawn(&self.generated, false)) {} }
                }
                p.ends.named[is_named] { @for end in &ends { span { (end) } } }
            }
        }
    }
}

/// The outline of bars.
fn steps(shares: &[f64], highest: f64, closed: bool) -> String {
    let mut path = format!("M0 {HEIGHT}");
    for (index, share) in shares.iter().enumerate() {
        let right = WIDTH * (index + 1) as f64 / shares.len() as f64;
        let top = HEIGHT * (1.0 - 0.96 * share / highest.max(f64::MIN_POSITIVE));
        write!(path, "V{top:.0}H{right:.0}").ok();
    }
    write!(path, "V{HEIGHT}{}", if closed { "Z" } else { "" }).ok();
    path
}

#[cfg(test)]
mod tests {
    use std::fs;

    use gannet_tables::{Input, ReadOptions};

    use super::*;

    #[test]
    fn columns_are_drawn_and_told() {
        let place = tempfile::tempdir().unwrap();
        let file = r#"{"columns": [
            {"name": "<age>", "low": -0.5, "high": 3.5, "real": [0.5, 0.5], "generated": [0.25, 0.5]},
            {"name": "kind", "names": ["<b>", "c"], "real": [0.5, 0.5], "generated": [1, 0]},
            {"name": "unnamed", "names": ["b"], "real": [0.5, 0.5], "generated": [1, 0]},
            {"name": "negative", "low": 0, "high": 1, "real": [-1], "generated": [1]},
            {"name": "none", "low": 0, "high": 1, "real": [], "generated": [1]},
            {"name": "no ends", "real": [1], "generated": [1]}, 7]}"#;
        fs::write(place.path().join(COLUMNS), file).unwrap();
        let columns = read(place.path());
        assert_eq!(columns.len(), 2);
        let findings = BTreeMap::from([("<age>", "<few> values".to_string()), ("other", "not there".to_string())]);
        let text = markup(&columns, &findings, None).into_string();
        assert!(text.contains("&lt;few&gt; values") && !text.contains("not there"), "{text}");
        assert!(text.contains("<span>&lt;b&gt;</span><span>c</span>"), "{text}");
        assert!(text.contains("&lt;age&gt;") && text.contains("25 % of the generated values outside"), "{text}");
        assert!(
            text.contains(r#"d="M0 300V12H500V12H1000V300Z""#) && text.contains(r#"d="M0 300V156H500V12H1000V300""#)
        );
        // Dates as in the table; and 0 where the edges of the bars come to it but for their rounding.
        let file = r#"{"columns": [{"name": "day", "low": 0, "high": 9, "real": [1], "generated": [1]},
            {"name": "x", "low": -0.1, "high": 0.5, "real": [1, 0, 0], "generated": [1, 0, 0]}]}"#;
        fs::write(place.path().join(COLUMNS), file).unwrap();
        let rows: String = (10..30).map(|day| format!("2024-03-{day},{day}.5\n")).collect();
        let table =
            gannet_tables::read(&Input::bytes("t.csv", format!("day,x\n{rows}")), &ReadOptions::default()).unwrap();
        let text = markup(&read(place.path()), &findings, Some(table.form())).into_string();
        assert!(text.contains("<span>2024-03-10</span><span>2024-03-29</span>"), "{text}");
        assert!(text.contains("<span>0</span><span>0.4000</span>"), "{text}");
        for broken in ["", "[", "{\"columns\": 3}", "\u{0}"] {
            fs::write(place.path().join(COLUMNS), broken).unwrap();
            assert_eq!(markup(&read(place.path()), &findings, None).into_string(), "");
        }
    }
}
