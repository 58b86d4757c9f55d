//! How the values of each column of a table are distributed, the real and the generated ones: what the report and pictures draw.

use std::sync::Arc;

use gannet::Result;
use gannet_tables::{Codec, ColumnForm, Domain, Facet};
use serde_json::json;

use crate::data::samples::Samples;
use crate::measures::quality::Correlations;
use crate::plot::{BarPanel, Bins, Heading, MOST_PANELS, Picture, bars};

/// Columns that are counted.
pub(crate) const MOST: usize = 64;
/// Rows that are counted, evenly chosen: more change no histogram that an eye can see. And values of these rows.
const ROWS: usize = 20_000;
const VALUES: usize = 1 << 22;
/// Bars of a column of numbers, and of one of categories.
const BARS: usize = 40;
const NAMES: usize = 12;

/// The real values of a table, counted.
#[derive(Clone, Debug)]
pub(crate) struct ColumnHistograms {
    codec: Arc<Codec>,
    columns: Vec<Column>,
}

/// The values of a column in bars.
#[derive(Clone, Debug)]
struct Column {
    name: String,
    /// Its place in the table.
    place: usize,
    /// What a sample says of it; nothing of a constant.
    facet: Option<Facet>,
    bins: Kinds,
    /// Share of the values in each bar; what lies outside is in none.
    real: Vec<f64>,
}

/// What bars stand for.
#[derive(Clone, Debug)]
enum Kinds {
    /// Equal parts between two ends.
    Range { low: f64, high: f64 },
    /// The first categories, and where there are more all others together.
    Names(Vec<String>),
}

/// Rows of so many features that are counted, or drawn.
pub(crate) fn rows(features: usize) -> usize {
    ROWS.min(VALUES / features.max(1)).max(1)
}

impl ColumnHistograms {
    /// Counts the `real` rows of a table.
    ///
    /// # Errors
    ///
    /// Memory that the system refuses.
    pub(crate) fn new(codec: &Arc<Codec>, real: &Samples) -> Result<Self> {
        let samples = real.rows(rows(codec.features()))?;
        let mut columns: Vec<Column> = codec.facets().into_iter().map(|facet| Column::new(codec, facet)).collect();
        columns
            .extend(codec.form().columns.iter().enumerate().filter_map(|(place, form)| Column::constant(place, form)));
        columns.sort_by_key(|column| column.place);
        columns.truncate(MOST);
        for sample in samples.chunks_exact(codec.features()) {
            columns.iter_mut().for_each(|column| column.reach(codec, sample));
        }
        columns.iter_mut().for_each(Column::widen);
        let mut counted = Self { codec: Arc::clone(codec), columns };
        let real = counted.shares(&samples);
        counted.columns.iter_mut().zip(real).for_each(|(column, real)| column.real = real);
        Ok(counted)
    }

    /// The file with the histograms of `generated`, rows of all features, beside the real ones, and how columns go together where that is
    /// known.
    pub(crate) fn file(&self, generated: &[f32], correlations: Option<&Correlations>) -> Vec<u8> {
        let column = |(column, generated): (&Column, Vec<f64>)| {
            let Column { name, bins, real, .. } = column;
            match bins {
                Kinds::Range { low, high } => {
                    json!({"name": name, "low": low, "high": high, "real": real, "generated": generated})
                }
                Kinds::Names(names) => json!({"name": name, "names": names, "real": real, "generated": generated}),
            }
        };
        let columns: Vec<_> = self.columns.iter().zip(self.shares(generated)).map(column).collect();
        json!({ "columns": columns, "correlations": correlations }).to_string().into_bytes()
    }

    /// A picture of the first columns, with `generated` rows of all features.
    ///
    /// # Errors
    ///
    /// What drawing reports.
    pub(crate) fn picture(&self, heading: Heading<'_>, generated: &[f32]) -> Result<Picture> {
        let shares = self.shares(generated);
        let panels: Vec<BarPanel<'_>> = self
            .columns
            .iter()
            .zip(&shares)
            .filter(|(column, _)| column.facet.is_some())
            .take(MOST_PANELS)
            .map(|(column, generated)| BarPanel {
                title: &column.name,
                note: "",
                bins: match &column.bins {
                    Kinds::Range { low, high } => Bins::Range(*low, *high),
                    Kinds::Names(names) => Bins::Names(names),
                },
                real: &column.real,
                generated,
            })
            .collect();
        bars(heading, &panels)
    }

    /// The share of the values of each column in each of its bars.
    fn shares(&self, samples: &[f32]) -> Vec<Vec<f64>> {
        let mut counts: Vec<Vec<u32>> = self.columns.iter().map(|column| vec![0; column.bars()]).collect();
        // The rows that have the column's value.
        let mut there = vec![0u32; self.columns.len()];
        for sample in samples.chunks_exact(self.codec.features()) {
            for ((column, counts), there) in self.columns.iter().zip(&mut counts).zip(&mut there) {
                let Some(place) = column.place(&self.codec, sample) else { continue };
                *there += 1;
                if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
                    *count += 1;
                }
            }
        }
        // Five digits say all that is drawn.
        let share = |count: u32, rows: u32| (1e5 * f64::from(count) / f64::from(rows.max(1))).round() / 1e5;
        counts
            .into_iter()
            .zip(there)
            .map(|(counts, rows)| counts.into_iter().map(|count| share(count, rows)).collect())
            .collect()
    }
}

/// The place of the largest of a group.
fn largest(group: &[f32]) -> usize {
    (1..group.len()).fold(0, |best, place| if group[place] > group[best] { place } else { best })
}

impl Column {
    fn new(codec: &Codec, facet: Facet) -> Self {
        let of = |column: usize| &codec.form().columns[column];
        let (Facet::Number { column: place, .. }
        | Facet::Category { column: place, .. }
        | Facet::Missing { column: place, .. }) = facet
        else {
            return Self {
                name: String::new(),
                place: 0,
                facet: None,
                bins: Kinds::Names(Vec::new()),
                real: Vec::new(),
            };
        };
        let (name, bins) = match facet {
            Facet::Category { column, places, .. } => {
                let form = of(column);
                let Domain::Categories { categories, rest } = &form.domain else {
                    return Self {
                        name: form.name.clone(),
                        place,
                        facet: Some(facet),
                        bins: Kinds::Names(Vec::new()),
                        real: Vec::new(),
                    };
                };
                let texts = categories.iter().chain(rest).map(|category| category.text.clone());
                let missing = (places > form.categories()).then(|| "missing".to_string());
                let mut names: Vec<String> = texts.chain(missing).collect();
                if names.len() > NAMES {
                    names.truncate(NAMES - 1);
                    names.push("others".to_string());
                }
                (form.name.clone(), Kinds::Names(names))
            }
            Facet::Missing { column, .. } => {
                let names = ["there", "missing"].map(str::to_string).to_vec();
                (format!("{}: missing", of(column).name), Kinds::Names(names))
            }
            Facet::Number { column, .. } => {
                (of(column).name.clone(), Kinds::Range { low: f64::INFINITY, high: f64::NEG_INFINITY })
            }
            _ => (String::new(), Kinds::Names(Vec::new())),
        };
        Self { name, place, facet: Some(facet), bins, real: Vec::new() }
    }

    /// A column that is constant, if it is.
    fn constant(place: usize, form: &ColumnForm) -> Option<Self> {
        let Domain::Constant { text } = &form.domain else { return None };
        let bins = Kinds::Names(vec![text.clone()]);
        Some(Self { name: form.name.clone(), place, facet: None, bins, real: Vec::new() })
    }

    /// The number of its bars.
    fn bars(&self) -> usize {
        match &self.bins {
            Kinds::Range { .. } => BARS,
            Kinds::Names(names) => names.len(),
        }
    }

    /// The value of a sample, of a column of numbers.
    fn number(&self, codec: &Codec, sample: &[f32]) -> Option<f64> {
        match self.facet {
            Some(Facet::Number { column, feature, missing }) => {
                let is_there = missing.is_none_or(|group| largest(&sample[group..group + 2]) == 0);
                if is_there { codec.number(column, sample[feature]) } else { None }
            }
            _ => None,
        }
    }

    /// Holds the value of a sample, too.
    fn reach(&mut self, codec: &Codec, sample: &[f32]) {
        let Some(value) = self.number(codec, sample).filter(|value| value.is_finite()) else { return };
        if let Kinds::Range { low, high } = &mut self.bins {
            (*low, *high) = (low.min(value), high.max(value));
        }
    }

    /// Makes room for half a bar beside the outermost values, so that whole numbers stand in the middle of theirs.
    fn widen(&mut self) {
        if let Kinds::Range { low, high } = &mut self.bins {
            let room = (*high - *low) / (2 * BARS - 2) as f64;
            let room = if room > 0.0 { room } else { 0.5 };
            (*low, *high) = (*low - room, *high + room);
        }
    }

    /// The bar of a sample: `None` where it has no value, and `Some(None)` where that lies in none.
    fn place(&self, codec: &Codec, sample: &[f32]) -> Option<Option<usize>> {
        match (&self.bins, self.facet) {
            (Kinds::Range { low, high }, _) => {
                let place = (self.number(codec, sample)? - low) / (high - low) * BARS as f64;
                Some((place >= 0.0 && place < BARS as f64).then_some(place as usize))
            }
            (Kinds::Names(names), Some(Facet::Category { feature, places, .. })) => {
                let place = largest(&sample[feature..feature + places]);
                Some(Some(place.min(names.len().saturating_sub(1))))
            }
            (Kinds::Names(_), None) => Some(Some(0)),
            (_, Some(Facet::Missing { feature, .. })) => Some(Some(largest(&sample[feature..feature + 2]))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use gannet_tables::{Input, ReadOptions, Scaling, read};
    use serde_json::Value;

    use super::*;

    #[test]
    fn values_are_counted_in_the_units_of_the_table() {
        // A column from 0 to 39 times 3, a constant one, one of two texts, and one with gaps.
        let rows: String = (0..40)
            .map(|row| {
                format!(
                    "{},7,{},{}\n",
                    3 * row,
                    ["a", "b"][row % 2],
                    if row < 20 { "NA".to_string() } else { format!("{}.5", row * row) }
                )
            })
            .collect();
        let table = read(&Input::bytes("t.csv", format!("n,c,\"two\",gaps\n{rows}")), &ReadOptions::default()).unwrap();
        let codec = Arc::new(Codec::fit(&table, None, Scaling::Quantile).unwrap());
        let real = Samples::Table(Arc::new(codec.encode(&table, u64::MAX).unwrap()));
        let histograms = ColumnHistograms::new(&codec, &real).unwrap();
        let file: Value = serde_json::from_slice(&histograms.file(&real.rows(10).unwrap(), None)).unwrap();
        let column = |index: usize| &file["columns"][index];
        assert_eq!(column(0)["real"], json!(vec![0.025; BARS]));
        let ends = ["low", "high"].map(|end| column(0)[end].as_f64().unwrap());
        assert!((ends[0] + 1.5).abs() < 1e-5 && (ends[1] - 118.5).abs() < 1e-5, "{ends:?}");
        assert_eq!(column(1), &json!({"name": "c", "names": ["7"], "real": [1.0], "generated": [1.0]}));
        assert_eq!(
            column(2),
            &json!({"name": "two", "names": ["a", "b"], "real": [0.5, 0.5], "generated": [1.0, 0.0]})
        );
        let there: f64 = column(3)["real"].as_array().unwrap().iter().filter_map(Value::as_f64).sum();
        assert!((there - 1.0).abs() < 1e-3, "shares are of the rows that have a value: {there}");
        assert_eq!((&column(4)["name"], &column(4)["real"]), (&json!("gaps: missing"), &json!([0.5, 0.5])));
        histograms.picture(Heading::default(), &real.rows(10).unwrap()).unwrap();
    }
}
