//! Settings of `[data]` that were changed since a table was known, and what that does to its columns.

use gannet_tables::{Codec, Facet, Kind};

use crate::data::codec_file::Fitted;
use crate::data::reading::Reading;
use crate::terminal::output::one_line;

/// Columns that are named.
const MOST_NAMED: usize = 3;

/// The settings of `[data]` that have been changed since a table was known.
pub(super) fn changed(
    Fitted { codec, reading: of_codec }: &Fitted,
    reading: &Reading,
    labels: Option<&str>,
) -> Vec<&'static str> {
    let form = codec.form();
    let has_columns = reading.columns.as_ref().is_none_or(|columns| {
        let names = form.columns.iter().map(|column| &column.name).filter(|name| labels != Some(name.as_str()));
        names.eq(columns.iter().filter(|name| labels != Some(name.as_str())))
    });
    let has_kind = |(name, kind): (&String, &Kind)| {
        labels == Some(name.as_str()) || form.columns.iter().any(|column| column.name == *name && column.kind == *kind)
    };
    let is_dropped = |name: &String| form.columns.iter().all(|column| column.name != *name);
    let of_columns = [
        ("columns", has_columns),
        ("kinds", reading.kinds.iter().all(has_kind)),
        ("drop", reading.drop.iter().all(is_dropped)),
        ("labels", codec.condition() == labels),
    ];
    let mut changed: Vec<&str> = of_columns.into_iter().filter(|(_, is_same)| !is_same).map(|(name, _)| name).collect();
    changed.extend(of_codec.as_ref().map_or(Vec::new(), |of_codec| reading.differing(of_codec)));
    if codec.beyond() != reading.beyond / 100.0 && !changed.contains(&"beyond") {
        changed.push("beyond");
    }
    changed
}

/// Which settings were changed since `before`, and which columns have other values by that, as a message says why a row has so many.
pub(super) fn told(before: &Fitted, codec: &Codec, reading: &Reading, labels: Option<&str>) -> String {
    let settings = changed(before, reading, labels);
    if settings.is_empty() {
        return "by its columns".to_string();
    }
    let settings: Vec<String> = settings.iter().map(|name| format!("data.{name}")).collect();
    let (old, new) = (values_of_columns(&before.codec), values_of_columns(codec));
    let of = |all: &[(&str, usize)], name: &str| {
        all.iter().find(|(known, _)| *known == name).map_or(0, |(_, values)| *values)
    };
    let gone = old.iter().filter(|(name, _)| new.iter().all(|(known, _)| known != name));
    let names = new.iter().chain(gone).map(|(name, _)| *name);
    let differ: Vec<(&str, usize, usize)> = names
        .map(|name| (name, of(&new, name), of(&old, name)))
        .filter(|(_, values, before)| values != before)
        .collect();
    let mut told: Vec<String> = differ
        .iter()
        .take(MOST_NAMED)
        .map(|(name, values, before)| format!("{values} instead of {before} of column `{}`", one_line(name)))
        .collect();
    let more = differ.len().saturating_sub(MOST_NAMED);
    told.extend((more > 0).then(|| format!("others of {more} more columns")));
    let told = if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) };
    format!("since {} changed{told}", settings.join(" and "))
}

/// Values of a row that each column has, by their names; a column that is not learned has none.
fn values_of_columns(codec: &Codec) -> Vec<(&str, usize)> {
    let mut values = vec![0; codec.form().columns.len()];
    for facet in codec.facets() {
        match facet {
            Facet::Number { column, .. } => values[column] += 1,
            Facet::Missing { column, .. } => values[column] += 2,
            Facet::Category { column, places, .. } => values[column] += places,
            _ => {}
        }
    }
    codec.form().columns.iter().map(|column| column.name.as_str()).zip(values).collect()
}
