//! `gannet evaluate`: measures a trained generator, beside what a right implementation reaches.

use std::collections::BTreeMap;

use serde::Serialize;

use super::args::EvaluateArgs;
use super::measures::{self, Effort, meanings, measure_table};
use super::output;
use super::sample::too_many;
use super::saved_run::SavedRun;
use super::system::Samples;
use crate::simd::Isa;

/// What `--json` prints.
#[derive(Serialize)]
struct Evaluation {
    run: String,
    system: &'static str,
    seed: u64,
    metrics: BTreeMap<&'static str, f64>,
    /// What a right implementation reaches, in words.
    references: BTreeMap<&'static str, &'static str>,
    /// What the names mean.
    meanings: BTreeMap<&'static str, &'static str>,
    /// What has to be said about the figures.
    remark: Option<&'static str>,
}

/// Runs the command.
pub(crate) fn command(args: &EvaluateArgs) -> anyhow::Result<()> {
    let mut run = SavedRun::open(&args.run, args.checkpoint)?;
    if let Some(data) = &args.data {
        run.config.take_data(data)?;
    }
    let SavedRun { config, model, .. } = &run;
    let isa = Isa::resolve(None)?;
    let real = Samples::load(config)?;
    let measured = measures::measure(config, &real, model, Effort::Full { samples: args.samples }, isa);
    let measures = measured.map_err(|error| match args.samples {
        Some(samples) => too_many("samples", samples, error),
        None => error,
    })?;
    run.tell();
    let remark = measures::remark(config);
    if args.json {
        return output::print_json(&Evaluation {
            run: args.run.display().to_string(),
            system: config.system.name(),
            seed: config.seed,
            metrics: measures.iter().map(|measure| (measure.name, measure.value)).collect(),
            references: measures.iter().map(|measure| (measure.name, measure.reached)).collect(),
            meanings: measures.iter().map(|measure| (measure.name, measure.words)).collect(),
            remark,
        });
    }
    let remark = remark.map_or_else(String::new, |remark| format!("\n{remark}\n"));
    let (table, meanings) = (measure_table(&measures), meanings(&measures));
    output::print_text(&format!("{}: {}\n\n{table}{remark}\n{meanings}", args.run.display(), config.system.name()))
}
