//! `gannet evaluate`: measures a trained generator, beside their references.

use std::collections::BTreeMap;

use gannet::cpu::Isa;
use gannet::gan::Model;
use gannet::gan::health::{Verdict, Watch};
use gannet::gan::presets::Duration;
use gannet::internals::engine;
use gannet::internals::numbers::thousands;
use gannet::{Error, Result};
use gannet_settings::nearest::suggestion;
use gannet_tables::{Codec, Table};
use serde::Serialize;

use crate::commands::args::EvaluateArgs;
use crate::commands::sample::too_many;
use crate::data::own::OwnData;
use crate::measures::columns::{self, Column};
use crate::measures::compared::Compared;
use crate::measures::comparison;
use crate::measures::judgement::Judgement;
use crate::measures::measure::{self, Effort, Measured, meanings, measure_table};
use crate::measures::quality::{self, Others, TableQuality};
use crate::run::saved_run::SavedRun;
use crate::settings::config::RunConfig;
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
    /// Of own data that are a table: how good its rows are, beside other real ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<TableQuality>,
    /// What has to be said about the figures.
    remark: Option<String>,
}

/// Refuses a target that no rows of the run's table have.
fn check_target(target: &str, codec: Option<&Codec>) -> Result<()> {
    let Some(codec) = codec else {
        return Err(Error::setting("target", "is a column of a table, and the run is on none; leave it out"));
    };
    let learned = codec.form().columns.iter().filter(|column| column.kind.is_learned());
    let names: Vec<&str> = learned.map(|column| column.name.as_str()).collect();
    if names.contains(&target) {
        return Ok(());
    }
    let problem = format!("the run has learned no column `{target}`{}", suggestion(target, names.iter().copied()));
    Err(Error::setting("target", problem))
}

/// Runs the command.
pub(crate) fn command(args: &EvaluateArgs) -> anyhow::Result<()> {
    let mut run = SavedRun::open(&args.run, args.checkpoint)?;
    let lost = run.take_derivation()?;
    let own = run.config.own.clone().filter(|_| args.data.is_some());
    if let Some(data) = &args.data {
        run.config.take_data(data)?;
    }
    if let Some(target) = &args.target {
        check_target(target, run.config.own.as_ref().and_then(OwnData::codec).map(|codec| codec.as_ref()))?;
        if args.data.is_none() {
            let problem = "needs rows of the table that the run has not seen; give them with --data FILE";
            return Err(Error::setting("target", problem).into());
        }
    }
    run.config.own.as_mut().map_or(Ok(()), OwnData::load_table)?;
    let rows = run.config.own.as_ref().and_then(OwnData::table).map(Table::rows);
    if let Some(rows) = rows.filter(|rows| args.target.is_some() && *rows < quality::LEAST_ROWS) {
        let problem =
            format!("needs {} rows to predict, and there are {rows}; give more with --data", quality::LEAST_ROWS);
        return Err(Error::setting("target", problem).into());
    }
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
    let quality = quality_of(config, model, own.as_ref(), args.target.as_deref(), isa)?;
    let remark = measure::remark(config);
    let source = config.source(&real, config.seed)?;
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
            quality,
            remark,
        });
    }
    let remark = remark.map_or_else(String::new, |remark| format!("\n{remark}\n"));
    let words: Vec<_> =
        measures.iter().map(|measure| (measure.name, measure.words)).chain(comparison.meanings()).collect();
    let (table, compared, meanings) = (measure_table(&measures), comparison.table(), meanings(&words));
    let (columns, verdict) = (columns::table(&columns), judgement.sentence());
    let quality = quality.as_ref().map(TableQuality::table).unwrap_or_default();
    let of_step = step.map_or_else(String::new, |step| format!(", step {}", thousands(step)));
    let (run, preset) = (output::printable(&args.run), config.preset.name());
    output::print_text(&format!(
        "{run}: {preset}{of_step}\n\n{table}{columns}{quality}{compared}{remark}\nverdict  {verdict}\n\n{meanings}"
    ))
}

/// How good the rows of a run's table are; `trained` is its own data where others are measured against.
fn quality_of(
    config: &RunConfig,
    model: &Model,
    trained: Option<&OwnData>,
    target: Option<&str>,
    isa: Isa,
) -> anyhow::Result<Option<TableQuality>> {
    let Some(real) = config.own.as_ref().and_then(OwnData::table) else { return Ok(None) };
    let training = match trained.map(OwnData::read_table) {
        Some(Ok(training)) => training,
        // Its file may be gone: what needs it is not measured, unless it is asked for.
        Some(Err(error)) if target.is_some() => return Err(error.into()),
        _ => None,
    };
    Ok(quality::of(config, model, real, Others { training: training.as_ref(), target }, isa)?)
}
