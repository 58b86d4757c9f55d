//! `gannet train --replicas`: what several runs of one specification came to, each and together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration as Time;

use gannet::gan::Replicas;
use gannet::internals::engine;
use gannet::{Error, Result};
use serde::Serialize;

use crate::folder::run_folder::{RunFolder, replica};
use crate::history::legs::Spent;
use crate::measures::measure::{self, Measure};
use crate::measures::spread::{Found, Spread, succeeded};
use crate::numbers::{counted, counted_replicas, figure, mib, rate, seconds};
use crate::preset::goal;
use crate::run::summary::{LegSummary, Status, Summary};
use crate::run::train::{Outcome, Run};
use crate::settings::config::RunConfig;
use crate::terminal::command_lines::quoted;
use crate::terminal::output::{printable, table};
use gannet_settings::values::{ENGINES, LARGEST, name_of};

/// Measures that stand in the table of the replicas, so that it is no wider than a terminal.
const MAIN_MEASURES: usize = 4;

/// What the runs came to: `run.json` of their common folder, and the object that `--json` prints.
#[derive(Serialize)]
pub(crate) struct Replicated {
    run: String,
    preset: &'static str,
    /// Of each replica.
    steps: u64,
    /// Time in steps, without measuring and drawing, of all workers together divided by their number.
    seconds: f64,
    /// Of all replicas together.
    samples_per_second: f64,
    /// How many replicas have each verdict.
    verdicts: BTreeMap<&'static str, usize>,
    /// The same of this process.
    leg: LegSummary,
    /// Over all replicas.
    metrics: BTreeMap<&'static str, Spread>,
    /// Time of this process, and for each earlier one the time of its workers together divided by their number.
    total_seconds: f64,
    batch: usize,
    /// Of the first replica.
    seed: u64,
    threads: usize,
    engine: &'static str,
    isa: String,
    version: &'static str,
    replicas: Vec<Replica>,
}

/// One replica.
#[derive(Serialize)]
struct Replica {
    replica: usize,
    #[serde(flatten)]
    summary: Summary,
}

/// Checks that a configuration file can hold the seeds of `count` replicas.
///
/// # Errors
///
/// [`Error::InvalidSetting`].
pub(crate) fn check_seeds(first: u64, count: usize) -> Result<()> {
    match first.checked_add(count as u64 - 1) {
        Some(last) if last <= LARGEST => Ok(()),
        _ => Err(Error::setting("seed", format!("{first} leaves no seeds up to {LARGEST} for {count} replicas"))),
    }
}

/// What `--plan` prints beside the plan of one replica.
pub(crate) fn plan(gans: &Replicas) -> String {
    let memory: u64 = gans.trainers().iter().map(|trainer| trainer.plan().memory).sum();
    let threads = counted(gans.threads() as u64, "thread");
    format!("replicas     {} on {threads}, {} in all\n", gans.trainers().len(), mib(memory))
}

impl Replicated {
    /// Gathers what `runs`, which have ended, came to.
    pub(crate) fn new(folder: &RunFolder, config: &RunConfig, gans: &Replicas, runs: Vec<Run>, total: Time) -> Self {
        let steps = runs.first().map_or(0, Run::steps);
        let outcomes = runs.into_iter().filter_map(Run::into_outcome).enumerate();
        let replicas: Vec<Replica> =
            outcomes.map(|(replica, Outcome { summary, .. })| Replica { replica, summary }).collect();
        let mut verdicts = BTreeMap::new();
        replicas.iter().for_each(|replica| *verdicts.entry(replica.summary.verdict.words()).or_default() += 1);
        let trained = || replicas.iter().filter_map(Replica::trained);
        let workers = engine::workers(gans) as f64;
        let sum = |value: fn(&Summary) -> f64| trained().map(value).sum::<f64>();
        let seconds = sum(|summary| summary.seconds) / workers;
        // A replica's rate is its samples over its seconds.
        let samples = sum(|summary| summary.samples_per_second * summary.seconds);
        let earlier = sum(|summary| summary.total_seconds - summary.leg.total_seconds) / workers;
        let leg = Spent {
            steps: trained().map(|summary| summary.leg.steps).max().unwrap_or(0),
            samples: sum(|summary| summary.leg.samples_per_second * summary.leg.seconds).round() as u64,
            seconds: sum(|summary| summary.leg.seconds) / workers,
            paused_seconds: sum(|summary| summary.leg.paused_seconds) / workers,
            total_seconds: total.as_secs_f64(),
        };
        let resumed_from = trained().map(|summary| summary.leg.resumed_from).min().unwrap_or(0);
        let names: BTreeSet<&'static str> =
            trained().flat_map(|summary| &summary.measures).map(|one| one.name).collect();
        let spread = |name: &str| {
            let found: Vec<Found> = replicas.iter().map(|replica| replica.summary.found(name)).collect();
            Spread::of(name, &found, measure::bound(config, name))
        };
        Self {
            run: folder.path().display().to_string(),
            preset: config.preset.name(),
            steps,
            seconds,
            samples_per_second: if samples > 0.0 { samples / seconds } else { 0.0 },
            verdicts,
            leg: LegSummary::new(resumed_from, leg),
            metrics: names.into_iter().map(|name| (name, spread(name))).collect(),
            total_seconds: earlier + total.as_secs_f64(),
            batch: config.batch,
            seed: config.seed,
            threads: gans.threads(),
            engine: name_of(ENGINES, &config.engine),
            isa: config.isa.map(|isa| isa.to_string()).unwrap_or_default(),
            version: env!("CARGO_PKG_VERSION"),
            replicas,
        }
    }

    /// The failure that the command ends with, if a replica failed.
    pub(crate) fn failure(&self) -> Option<anyhow::Error> {
        let failed = |Replica { replica, summary }: &Replica| {
            let error = summary.error.as_ref()?;
            Some(format!("replica {replica} (seed {}): {error}", summary.seed))
        };
        let failures: Vec<String> = self.replicas.iter().filter_map(failed).collect();
        let first = failures.first()?;
        Some(anyhow::anyhow!("{} of {} failed; {first}", failures.len(), counted_replicas(self.replicas.len())))
    }

    /// The preset's name.
    pub(crate) fn preset(&self) -> &'static str {
        self.preset
    }

    /// How many replicas there are.
    pub(crate) fn count(&self) -> usize {
        self.replicas.len()
    }

    /// The measures in their order, with the value of one replica and the spread of all; none if all failed.
    pub(crate) fn spreads(&self) -> impl Iterator<Item = (&Measure, &Spread)> {
        self.measures().iter().filter_map(|measure| Some((measure, self.metrics.get(measure.name)?)))
    }

    /// The values of the measure called `name` of the replicas that did not fail.
    pub(crate) fn values(&self, name: &str) -> Vec<f64> {
        self.replicas.iter().filter_map(|replica| replica.summary.found(name).value).collect()
    }

    /// How many replicas have each verdict, in words.
    pub(crate) fn counted(&self) -> String {
        let counts: Vec<String> = self.verdicts.iter().map(|(words, count)| format!("{count} {words}")).collect();
        counts.join(", ")
    }

    /// The verdicts in one line, where one is bad; the error tells of replicas that failed.
    pub(crate) fn warning(&self) -> Option<String> {
        let warns = |replica: &Replica| replica.summary.warning().is_some();
        self.replicas.iter().any(warns).then(|| format!("{}: {}", printable(Path::new(&self.run)), self.counted()))
    }

    /// Whether a replica was stopped before its end.
    pub(crate) fn was_stopped(&self) -> bool {
        self.replicas.iter().any(|replica| replica.summary.status == Status::Stopped)
    }

    /// Whether every replica has done all its steps.
    pub(crate) fn is_finished(&self) -> bool {
        self.replicas.iter().all(|replica| replica.summary.is_finished())
    }

    /// The end of the runs for people.
    pub(crate) fn text(&self, remark: Option<&str>) -> String {
        format!(
            "{}: {} of {} in {}, {}\n\n{}\n{}{}\nverdicts: {}\neach is a run of its own: gannet evaluate {}\n",
            printable(Path::new(&self.run)),
            counted_replicas(self.replicas.len()),
            counted(self.steps, "step"),
            seconds(self.seconds),
            rate(self.samples_per_second),
            self.replica_table(),
            self.measure_table(),
            remark.map(|remark| format!("\n{remark}\n")).unwrap_or_default(),
            self.counted(),
            quoted(&Path::new(&self.run).join(replica(0)))
        )
    }

    /// The measures of one replica, in their order, for their names; none if all failed.
    fn measures(&self) -> &[Measure] {
        self.replicas.iter().find_map(Replica::trained).map_or(&[], |summary| &summary.measures)
    }

    /// Every replica with its losses and main measures.
    fn replica_table(&self) -> String {
        let names = self.measures().iter().take(MAIN_MEASURES).map(|measure| measure.name);
        let header =
            ["replica", "seed", "verdict", "D loss", "G loss"].into_iter().chain(names).map(str::to_string).collect();
        let row = |replica: &Replica| {
            let summary = &replica.summary;
            let losses = [summary.discriminator_loss, summary.generator_loss].map(figure);
            let measures = summary.measures.iter().take(MAIN_MEASURES).map(|measure| measure.text());
            let begin = [replica.replica.to_string(), summary.seed.to_string(), summary.verdict.to_string()];
            begin
                .into_iter()
                .chain(losses.into_iter().filter(|_| replica.trained().is_some()))
                .chain(measures)
                .collect()
        };
        table(&std::iter::once(header).chain(self.replicas.iter().map(row)).collect::<Vec<_>>(), &[false, false, true])
    }

    /// Every measure over the replicas.
    fn measure_table(&self) -> String {
        let header = ["measure", "median", "quartiles", "worst", "succeeded", measure::REFERENCE];
        let row = |(measure, spread): (&Measure, &Spread)| {
            let told = |value: f64| told(measure, value);
            let quartiles = quartiles(spread, told);
            let worst = if goal::is_rated(measure.name) { told(spread.worst) } else { String::new() };
            let succeeded = succeeded(spread.succeeded, self.replicas.len());
            let reached = measure.reached.to_string();
            vec![measure.name.to_string(), told(spread.median), quartiles, worst, succeeded, reached]
        };
        let rows = self.spreads().map(row);
        let header = header.map(str::to_string).to_vec();
        table(&std::iter::once(header).chain(rows).collect::<Vec<_>>(), &[true, false, false, false, false, true])
    }
}

/// Both quartiles as `told` tells them.
pub(crate) fn quartiles(spread: &Spread, told: impl Fn(f64) -> String) -> String {
    let [first, third] = [spread.first_quartile, spread.third_quartile].map(told);
    if first == third { first } else { format!("{first} to {third}") }
}

/// A value of a measure, or that it is one of a run that failed.
pub(crate) fn told(measure: &Measure, value: f64) -> String {
    if value.is_finite() { Measure { value, ..*measure }.text() } else { "failed".to_string() }
}

impl Replica {
    /// What it came to, unless it failed.
    fn trained(&self) -> Option<&Summary> {
        Some(&self.summary).filter(|summary| summary.error.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_must_fit_a_configuration_file() {
        check_seeds(LARGEST, 1).unwrap();
        check_seeds(LARGEST - 7, 8).unwrap();
        for (first, count) in [(LARGEST, 2), (LARGEST - 6, 8), (u64::MAX, 1), (1, usize::MAX)] {
            assert!(check_seeds(first, count).is_err(), "{first} {count}");
        }
    }
}
