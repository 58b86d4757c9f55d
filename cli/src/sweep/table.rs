//! The trials of a sweep in the order of their ranks. It follows from what their runs came to alone: neither from times nor from the order
//! in which they were trained, nor by which process.

use gannet::Result;
use serde::Serialize;

use crate::measures::measure::{self, Measure};
use crate::measures::spread::{Found, Spread, median_cost, succeeded};
use crate::run::replicas::{quartiles, told};
use crate::sweep::file::Sweep;
use crate::sweep::folder::State;
use crate::sweep::trial::{Trial, short_names, shortened};
use crate::terminal::output;

/// Letters of a setting's value in the table for people.
const MOST_OF_VALUE: usize = 40;

/// All trials, the best first, those that have not ended last.
#[derive(Debug, Serialize)]
pub(crate) struct Table<'a> {
    measure: &'a str,
    bound: Option<f64>,
    seeds: usize,
    #[serde(skip)]
    varied: &'a [String],
    #[serde(skip)]
    kind: Option<Measure>,
    pub(crate) trials: Vec<Row<'a>>,
}

/// A trial.
#[derive(Debug, Serialize)]
pub(crate) struct Row<'a> {
    /// From 1; trials that are as good have the same. `None` for one that has not ended.
    pub(crate) rank: Option<usize>,
    #[serde(serialize_with = "name")]
    pub(crate) trial: &'a Trial,
    settings: serde_json::Map<String, serde_json::Value>,
    state: &'static str,
    /// Of the measure, over the seeds.
    #[serde(flatten)]
    pub(crate) spread: Option<Spread>,
    /// Of each seed; `null` for a run that failed.
    pub(crate) values: Vec<Option<f64>>,
}

fn name<S: serde::Serializer>(trial: &&Trial, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_str(&trial.name)
}

impl<'a> Table<'a> {
    /// Of the trials of `sweep` with the numbers `of`; all stand as `states` says.
    pub(crate) fn new(sweep: &'a Sweep, states: &[State], of: &[usize]) -> Self {
        let cost = |found: &Vec<Found>| median_cost(&sweep.measure, found);
        let mut ended: Vec<(&Trial, &Vec<Found>)> = Vec::new();
        let mut open: Vec<(&Trial, &State)> = Vec::new();
        for &index in of {
            let trial = &sweep.trials[index];
            match &states[index] {
                State::Done(found) => ended.push((trial, found)),
                other => open.push((trial, other)),
            }
        }
        // Trials that are as good stay in the order of the file.
        ended.sort_by(|(_, one), (_, two)| cost(one).total_cmp(&cost(two)));
        let mut trials: Vec<Row<'_>> = Vec::new();
        for (index, (trial, found)) in ended.iter().enumerate() {
            let is_as_good = |before: usize| cost(ended[before].1) == cost(found);
            let rank = index.checked_sub(1).filter(|&before| is_as_good(before)).and_then(|before| trials[before].rank);
            trials.push(Row {
                rank: Some(rank.unwrap_or(index + 1)),
                trial,
                settings: settings(trial),
                state: "done",
                spread: Some(Spread::of(&sweep.measure, found, sweep.bound)),
                values: found.iter().map(|found| found.value).collect(),
            });
        }
        // What a process trains at the moment makes no difference to the table.
        let state = |state: &State| if *state == State::Missing { "missing" } else { "begun" };
        trials.extend(open.into_iter().map(|(trial, open)| Row {
            rank: None,
            trial,
            settings: settings(trial),
            state: state(open),
            spread: None,
            values: Vec::new(),
        }));
        let kind = sweep.trials.first().and_then(|trial| measure::recorded(&trial.config, &sweep.measure, f64::NAN));
        Self { measure: &sweep.measure, bound: sweep.bound, seeds: sweep.seeds, varied: &sweep.varied, kind, trials }
    }

    /// The measure in words.
    pub(crate) fn words(&self) -> &str {
        self.kind.map_or(self.measure, |measure| measure.words)
    }

    /// What the rows are called, and the cells of each row, for people.
    pub(crate) fn cells(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let mut header = vec!["rank".to_string()];
        header.extend(short_names(self.varied.iter().map(String::as_str)));
        header.extend([self.measure, "quartiles", "worst", "succeeded"].map(str::to_string));
        let told = |value: f64| self.kind.map_or_else(|| value.to_string(), |measure| told(&measure, value));
        let row = |row: &Row<'_>| {
            let mut cells = vec![row.rank.map_or_else(|| row.state.to_string(), |rank| rank.to_string())];
            cells.extend(row.trial.values.iter().map(|(_, value)| shortened(value, MOST_OF_VALUE)));
            if let Some(spread) = row.spread {
                cells.extend([told(spread.median), quartiles(&spread, told), told(spread.worst)]);
                cells.push(succeeded(spread.succeeded, row.values.len()));
            }
            cells
        };
        (header, self.trials.iter().map(row).collect())
    }

    /// The table for people.
    pub(crate) fn text(&self) -> String {
        let (header, rows) = self.cells();
        output::table(&std::iter::once(header).chain(rows).collect::<Vec<_>>(), &[])
    }

    /// The table as CSV. Figures of runs that failed are empty.
    ///
    /// # Errors
    ///
    /// What writing reports.
    pub(crate) fn csv(&self, first_seed: u64) -> Result<Vec<u8>> {
        let failed = |error: csv::Error| gannet::Error::data("sweep.csv", error.to_string());
        let number = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
        let mut table = csv::Writer::from_writer(Vec::new());
        let mut header: Vec<String> = ["rank", "trial", "state"].map(str::to_string).to_vec();
        header.extend(self.varied.iter().cloned());
        header.extend(["median", "first_quartile", "third_quartile", "worst", "succeeded"].map(str::to_string));
        header.extend((0..self.seeds as u64).map(|seed| format!("seed_{}", first_seed.saturating_add(seed))));
        table.write_record(&header).map_err(failed)?;
        for row in &self.trials {
            let rank = row.rank.map(|rank| rank.to_string()).unwrap_or_default();
            let mut cells = vec![rank, row.trial.name.clone(), row.state.to_string()];
            cells.extend(row.trial.values.iter().map(|(_, value)| value.clone()));
            let figures = row.spread.map(|spread| {
                [spread.median, spread.first_quartile, spread.third_quartile, spread.worst, spread.succeeded]
                    .map(number)
            });
            cells.extend(figures.unwrap_or_default());
            cells.extend(
                (0..self.seeds).map(|seed| row.values.get(seed).copied().flatten().map(number).unwrap_or_default()),
            );
            table.write_record(&cells).map_err(failed)?;
        }
        table.into_inner().map_err(|error| gannet::Error::data("sweep.csv", error.to_string()))
    }
}

/// What a trial varies.
fn settings(trial: &Trial) -> serde_json::Map<String, serde_json::Value> {
    trial.values.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect()
}

#[cfg(test)]
mod tests {
    use gannet::gan::presets::Preset;

    use super::*;
    use crate::settings::config::RunConfig;

    #[test]
    fn trials_are_ranked_by_their_medians_with_failed_runs_as_the_worst() {
        let trial = |name: &str| Trial {
            name: name.to_string(),
            values: vec![("run.batch".to_string(), name.to_string())],
            config: RunConfig::of(Preset::Circle),
        };
        let names = ["fails", "good", "open", "better", "as-good", "mixed"];
        let sweep = Sweep {
            seeds: 3,
            measure: "sliced_wasserstein".to_string(),
            bound: Some(0.2),
            varied: vec!["run.batch".to_string()],
            trials: names.map(trial).to_vec(),
            repeated: 0,
        };
        let of = |values: [f64; 3]| {
            let found = |value: f64| Found {
                value: Some(value).filter(|value| value.is_finite()),
                is_sound: value.is_finite(),
            };
            State::Done(values.map(found).to_vec())
        };
        let failed = f64::NAN;
        let states = [
            of([failed, failed, 0.01]),
            of([0.3, 0.2, 0.1]),
            State::Running,
            of([0.1, 0.1, 0.9]),
            of([0.2, 0.2, 0.2]),
            of([0.3, failed, 0.1]),
        ];
        let table = Table::new(&sweep, &states, &[0, 1, 2, 3, 4, 5]);
        let ranked: Vec<_> = table.trials.iter().map(|row| (row.rank, row.trial.name.as_str())).collect();
        let rank = |rank, name| (Some(rank), name);
        assert_eq!(
            ranked,
            [
                rank(1, "better"),
                rank(2, "good"),
                rank(2, "as-good"),
                rank(4, "mixed"),
                rank(5, "fails"),
                (None, "open")
            ]
        );
        let csv = String::from_utf8(table.csv(7).unwrap()).unwrap();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(
            lines[0],
            "rank,trial,state,run.batch,median,first_quartile,third_quartile,worst,succeeded,seed_7,seed_8,seed_9"
        );
        assert!(lines[1].starts_with("1,better,done,better,0.1,0.1,0.5,0.9,0.66"), "{csv}");
        assert_eq!(lines[5], "5,fails,done,fails,,,,,0.3333333333333333,,,0.01");
        assert_eq!(lines[6], ",open,begun,open,,,,,,,,");
        let text = table.text();
        assert!(text.contains("failed") && text.contains("2 of 3"), "{text}");
    }
}
