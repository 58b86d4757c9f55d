//! `gannet evaluate`: measures a trained generator, beside their references.

use std::collections::BTreeMap;

use gannet::cpu::Isa;
use gannet::gan::health::{Verdict, Watch};
use gannet::gan::presets::Duration;
use gannet::internals::engine;
use gannet::internals::numbers::thousands;
use serde::Serialize;

use crate::commands::args::EvaluateArgs;
use crate::commands::sample::too_many;
use crate::data::own::OwnData;
use crate::measures::columns::{self, Column};
use crate::measures::compared::Compared;
use crate::measures::comparison;
use crate::measures::judgement::Judgement;
use crate::measures::measure::{self, Effort, Measured, meanings, measure_table};
use crate::run::saved_run::SavedRun;
use crate::settings::loading;
use crate::terminal::output;

/// What `--json` prints.
#[derive(Serialize)]
struct Evaluation {
    run: String,
    preset: &'static str,
    /// The step that the model is of, where that is known.
    step: Option<u64>,
    seed: u64,
    metrics: BTreeMap<&'static str, f64>,
    /// What the preset reaches, over several seeds, or what is true.
    references: BTreeMap<&'static str, &'static str>,
    /// Samples against real ones, beside real ones against others; empty where there are too few.
    comparison: BTreeMap<&'static str, Compared>,
    /// What the names mean.
    meanings: BTreeMap<&'static str, &'static str>,
    /// The verdict on the model, in words, and what usually helps.
    verdict: &'static str,
    verdict_hint: Option<String>,
    /// Of own data that are a table: what was learned of each column.
    columns: Vec<Column>,
    /// What has to be said about the figures.
    remark: Option<String>,
}

/// Runs the command.
pub(crate) fn command(args: &EvaluateArgs) -> anyhow::Result<()> {
    let mut run = SavedRun::open(&args.run, args.checkpoint)?;
    let lost = run.take_derivation()?;
    if let Some(data) = &args.data {
        run.config.take_data(data)?;
    }
    run.config.own.as_mut().map_or(Ok(()), OwnData::load)?;
    // References are of a length: that of the model, not that of the run. A model of an unknown step has none.
    run.config.duration = Duration::Steps(run.step.unwrap_or(0));
    let SavedRun { config, model, step, .. } = &run;
    let isa = Isa::resolve(None)?;
    let real = loading::load(config)?;
    let measured = measure::measure(config, &real, model, Effort::Full { samples: args.samples }, isa);
    let measured = measured.map_err(|error| match args.samples {
        Some(samples) => too_many("samples", samples, error),
        None => error,
    })?;
    let comparison = comparison::compare(config, &real, model, args.samples, isa)?;
    let remark = measure::remark(config);
    let source = config.source(&real)?;
    let health = engine::examine(model, None, &config.spec, &*source, config.run_seed(), isa)?;
    // Before the first step G has learned nothing yet.
    let seen = if *step == Some(0) { Verdict::TooEarly } else { Watch::glance(&config.spec, &health) };
    // What takes more than one evaluation, the run has told of its own end and data.
    let told = run.verdict.filter(|_| args.data.is_none());
    // It had more to go by than this moment, unless it had too little.
    let told = told.filter(|told| *told != Verdict::TooEarly || !seen.is_bad());
    let judgement = Judgement::new(told.unwrap_or(seen), &measured);
    let Measured { measures, columns, .. } = measured;
    run.tell();
    lost.iter().for_each(|lost| output::alert(lost));
    if args.json {
        return output::print_json(&Evaluation {
            run: args.run.display().to_string(),
            preset: config.preset.name(),
            step: *step,
            seed: config.seed,
            metrics: measures.iter().map(|measure| (measure.name, measure.value)).collect(),
            references: measures.iter().map(|measure| (measure.name, measure.reached)).collect(),
            comparison: comparison.measures.iter().map(|compared| (compared.name, *compared)).collect(),
            meanings: measures
                .iter()
                .map(|measure| (measure.name, measure.words))
                .chain(comparison.meanings())
                .collect(),
            verdict: judgement.verdict.words(),
            verdict_hint: judgement.hint(),
            columns,
            remark,
        });
    }
    let remark = remark.map_or_else(String::new, |remark| format!("\n{remark}\n"));
    let words: Vec<_> =
        measures.iter().map(|measure| (measure.name, measure.words)).chain(comparison.meanings()).collect();
    let (table, compared, meanings) = (measure_table(&measures), comparison.table(), meanings(&words));
    let (columns, verdict) = (columns::table(&columns), judgement.sentence());
    let of_step = step.map_or_else(String::new, |step| format!(", step {}", thousands(step)));
    let (run, preset) = (output::printable(&args.run), config.preset.name());
    output::print_text(&format!(
        "{run}: {preset}{of_step}\n\n{table}{columns}{compared}{remark}\nverdict  {verdict}\n\n{meanings}"
    ))
}
