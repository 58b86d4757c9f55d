//! A table: what each of its columns was taken for, and how good the generated ones are.

use gannet_tables::Form;
use maud::{Markup, html};

use super::page;
use crate::data::table::{kind_text, values_text};
use crate::measures::quality::TableQuality;
use crate::numbers::short_figure;

/// Columns that are shown, and letters of the name of one.
const MOST: usize = 256;
const LONGEST_NAME: usize = 60;

/// The columns in the order of the table, and what is said of all of them.
pub(super) fn markup(form: Option<&Form>, quality: Option<&TableQuality>) -> Markup {
    let Some(form) = form else { return Markup::default() };
    let headings =
        [("column", false), ("taken for", false), ("values", false), ("shape", true), ("of real rows", true)];
    let shown = if quality.is_some() { &headings[..] } else { &headings[..3] };
    let scores = |name: &str| quality.map(|quality| quality.columns.iter().find(|column| column.name == name));
    let rows = html! {
        @for column in form.columns.iter().take(MOST) {
            tr {
                th scope="row" { (column.name.chars().take(LONGEST_NAME).collect::<String>()) }
                td { (kind_text(column)) }
                td.note { (values_text(column)) }
                @if let Some(scores) = scores(&column.name) {
                    td.number { (figure(scores.and_then(|scores| scores.samples))) }
                    td.number { (figure(scores.and_then(|scores| scores.real))) }
                }
            }
        }
    };
    html! {
        (page::table("Columns of the table", shown, &rows))
        @if form.columns.len() > MOST { p.note { "and " (form.columns.len() - MOST) " more columns" } }
        @if let Some(quality) = quality { (overall(quality)) }
    }
}

/// The figures of the whole table.
fn overall(quality: &TableQuality) -> Markup {
    let rows = html! {
        @for (name, samples, real) in quality.overall() {
            tr {
                th scope="row" { (name) }
                td.number { (figure(samples)) }
                td.number { (figure(real)) }
            }
        }
    };
    html! {
        (page::table("Quality of the table", &[("quality", false), ("generated rows", true), ("real rows", true)], &rows))
        p.note {
            "By SDMetrics' definitions: 1 is best, and of the detection AUC 0.5. Real rows are one half of the data, held against the other as generated rows are."
        }
    }
}

/// A figure; what is not known is a dash.
fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_string(), short_figure)
}

#[cfg(test)]
mod tests {
    use gannet_tables::{Input, ReadOptions, read};

    use super::*;

    #[test]
    fn columns_are_told_with_what_they_were_taken_for() {
        let text: String =
            (0..40).map(|row| format!("{row},{},{}.5\n", ["<b>", "c"][row % 2], row * row % 37)).collect();
        let table = read(&Input::bytes("t.csv", format!("id,kind,x\n{text}")), &ReadOptions::default()).unwrap();
        let told = r#"{"rows": 20, "samples": {"score": 0.75, "shapes": null, "trends": null, "trends_of_all": 0.5, "detection_auc": 0.61},
            "real": {"score": 0.9, "shapes": 1, "trends": null, "trends_of_all": 1, "detection_auc": 0.5},
            "columns": [{"name": "x", "measure": "KSComplement", "samples": 0.8125, "real": 0.96875}], "utility": null, "privacy": null}"#;
        let quality: TableQuality = serde_json::from_str(told).unwrap();
        let page = markup(Some(table.form()), Some(&quality)).into_string();
        for part in [
            "<td>categorical</td>",
            "continuous",
            "counter",
            "&lt;b&gt;",
            "0.812",
            "0.969",
            "0.750",
            "0.610",
            "By SDMetrics",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        // A run that has not ended has no figures, and other data no columns.
        let running = markup(Some(table.form()), None).into_string();
        assert!(running.contains("continuous") && !running.contains("SDMetrics"), "{running}");
        assert_eq!(markup(None, Some(&quality)).into_string(), "");
    }
}
