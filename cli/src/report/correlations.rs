//! The correlations of the columns of a table: of the real rows and of the generated ones, side by side.

use std::path::Path;

use maud::{Markup, html};
use serde_json::Value;

use super::read;
use crate::folder::run_folder::COLUMNS;

/// Bytes of the file.
const LARGEST: u64 = 1 << 20;
/// Columns that are shown, and letters of the name of one.
const MOST: usize = 24;
const LONGEST_NAME: usize = 40;
/// Side of a cell.
const SIDE: usize = 10;

/// The correlations of the columns of a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Correlations {
    names: Vec<String>,
    /// Row-major.
    real: Vec<Option<f64>>,
    generated: Vec<Option<f64>>,
}

/// Those that the folder of a run tells of; none of what cannot be drawn.
pub(super) fn read(folder: &Path) -> Correlations {
    let text = read::text(&folder.join(COLUMNS), LARGEST).unwrap_or_default();
    let told: Value = serde_json::from_str(&text).unwrap_or_default();
    of(&told["correlations"]).unwrap_or_default()
}

fn of(told: &Value) -> Option<Correlations> {
    let names: Option<Vec<String>> = told["columns"]
        .as_array()?
        .iter()
        .map(|name| name.as_str().map(|name| name.chars().take(LONGEST_NAME).collect()))
        .collect();
    let names = names?;
    let all = names.len();
    let matrix = |name: &str| -> Option<Vec<Option<f64>>> {
        let values = told[name].as_array().filter(|values| values.len() == all * all)?;
        let kept = all.min(MOST);
        let value = |at: usize| values[at].as_f64().filter(|value| (-1.0..=1.0).contains(value));
        Some((0..kept * kept).map(|at| value(at / kept * all + at % kept)).collect())
    };
    let (real, generated) = (matrix("real")?, matrix("generated")?);
    Some(Correlations { names: names.into_iter().take(MOST).collect(), real, generated })
}

impl Correlations {
    /// Both matrices; nothing where there is none.
    pub(super) fn markup(&self) -> Markup {
        html! {
            @if self.names.len() > 1 {
                .histograms {
                    (self.matrix("real", &self.real))
                    (self.matrix("generated", &self.generated))
                }
                p.meaning {
                    "Blue: one column grows with the other; orange: it falls. Columns from the top and from the left: "
                    (self.names.join(", ")) "."
                }
            }
        }
    }

    fn matrix(&self, whose: &str, values: &[Option<f64>]) -> Markup {
        let count = self.names.len();
        let side = SIDE * count;
        html! {
            figure.histogram {
                figcaption { b { (whose) } }
                svg viewBox={ "0 0 " (side) " " (side) } role="img" aria-label={ "Correlations of the columns, " (whose) } {
                    @for (at, value) in values.iter().enumerate() {
                        @if let Some(value) = value {
                            rect x=(SIDE * (at % count)) y=(SIDE * (at / count)) width=(SIDE) height=(SIDE)
                                fill=(if *value < 0.0 { "#d55e00" } else { "#0072b2" })
                                fill-opacity=(format!("{:.2}", value.abs())) {
                                title { (self.names[at / count]) " and " (self.names[at % count]) ": " (format!("{value:.2}")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_are_drawn_and_what_is_no_matrix_is_not() {
        let place = tempfile::tempdir().unwrap();
        let markup = |text: &str| {
            std::fs::write(place.path().join(COLUMNS), text).unwrap();
            read(place.path()).markup().into_string()
        };
        let whole =
            r#"{"correlations": {"columns": ["<a>", "b"], "real": [1, -0.5, -0.5, 1], "generated": [1, null, 7, 1]}}"#;
        let drawn = markup(whole);
        assert!(drawn.contains("&lt;a&gt; and b: -0.50") && drawn.contains("fill-opacity=\"0.50\""), "{drawn}");
        assert_eq!(drawn.matches("<rect").count(), 6);
        for other in ["", "{}", "[1", &whole.replace("-0.5, -0.5, 1", "1"), &whole.replace("\"b\"", "7")] {
            assert_eq!(markup(other), "", "{other}");
        }
    }
}
