//! `gannet train`: one run, or several replicas of it side by side.

use std::time::Instant;

use serde::Serialize;

use super::args::{ENGINES, TrainArgs, name_of};
use super::config::RunConfig;
use super::measures;
use super::output;
use super::plot::thousands;
use super::progress::Progress;
use super::replicas::{self, Replicated};
use super::run::Run;
use super::run_folder::{self, RunFolder};
use super::system::Samples;
use super::weights;
use crate::error::Result;
use crate::gan::presets::Duration;
use crate::gan::{Replicas, Trainer};
use crate::net::NetworkSpec;

/// Evaluations of a run, if nothing else is asked for.
const EVALUATIONS: u64 = 10;
/// Rows of `metrics.csv`, if nothing else is asked for: enough for a curve.
const ROWS: u64 = 1_000;
/// Most steps between two of them: the progress moves with them.
const BETWEEN_ROWS: u64 = 100;

/// Runs the command.
pub(crate) fn command(args: &TrainArgs) -> anyhow::Result<()> {
    let mut config = RunConfig::from_args(args)?;
    if let Some(out) = &args.out {
        run_folder::check_free(out)?;
    }
    let count = args.replicas.unwrap_or(1);
    replicas::check_seeds(config.seed, count)?;
    let mut data: Vec<Samples> = Vec::new();
    let mut gans = Replicas::new(&config.spec, count, config.trainer_options(), |seed| {
        let real = match data.first() {
            Some(first) => first.of_seed(&config, seed)?,
            None => Samples::load(&config)?,
        };
        let source = real.source();
        data.push(real);
        Ok(source)
    })?;
    weights::begin_with(&config, &mut gans)?;
    let steps = resolve(&mut config, &gans.trainers()[0])?;
    if args.plan {
        let replicas = args.replicas.map(|_| replicas::plan(&gans)).unwrap_or_default();
        return output::print(&(plan(&config, &data[0], &gans.trainers()[0], steps) + &replicas));
    }
    let folder = RunFolder::create(args.out.as_deref(), config.system.name())?;
    let mut runs = Vec::with_capacity(count);
    for (index, (real, trainer)) in data.into_iter().zip(gans.trainers()).enumerate() {
        let own = if args.replicas.is_some() { folder.part(&replicas::folder(index))? } else { folder.clone() };
        let config = RunConfig { seed: trainer.options().seed, ..config.clone() };
        runs.push(Run::new(index, config, steps, real, trainer, own)?);
    }
    let progress = Progress::new(steps, config.batch, [count, gans.workers()], args.quiet);
    let of = if args.replicas.is_some() { format!("{count} replicas of ") } else { String::new() };
    progress.message(&format!("training {of}{} into {}", config.system.name(), folder.path().display()));
    let start = Instant::now();
    gans.take_turns(&mut runs, |_, trainer, run| run.turn(trainer, &progress));
    progress.finish();
    let remark = measures::remark(&config);
    if args.replicas.is_none() {
        for outcome in runs.into_iter().filter_map(Run::into_outcome) {
            let summary = outcome?;
            print(args, &summary, || summary.text(remark))?;
        }
        return Ok(());
    }
    let result = Replicated::new(&folder, &config, &gans, runs, start.elapsed());
    folder.write(run_folder::RESULT, &run_folder::json(&result))?;
    print(args, &result, || result.text(remark))?;
    result.failure().map_or(Ok(()), Err)
}

/// Prints the result as it was asked for.
fn print(args: &TrainArgs, result: &impl Serialize, text: impl FnOnce() -> String) -> anyhow::Result<()> {
    if args.json {
        output::print_json(result)
    } else if args.quiet {
        Ok(())
    } else {
        output::print(&text())
    }
}

/// Puts into `config` what only the trainer knows or what was left to be chosen; returns the steps of the run.
fn resolve(config: &mut RunConfig, trainer: &Trainer) -> Result<u64> {
    let steps = match config.duration {
        Duration::Epochs(epochs) => trainer.steps_for_epochs(epochs),
        Duration::Steps(steps) => steps,
    };
    config.threads = trainer.options().threads;
    config.isa = Some(trainer.isa().kind());
    config.evaluate_every.get_or_insert(steps.div_ceil(EVALUATIONS).max(1));
    config.report_every.get_or_insert(steps.div_ceil(ROWS).clamp(1, BETWEEN_ROWS));
    if let Some(directory) = &mut config.directory {
        *directory = std::path::absolute(&*directory).map_err(run_folder::refused("find", directory))?;
    }
    Ok(steps)
}

/// What `--plan` prints.
fn plan(config: &RunConfig, real: &Samples, trainer: &Trainer, steps: u64) -> String {
    let spec = &config.spec;
    let (generator, discriminator) = (widths(&spec.generator), widths(&spec.discriminator));
    let weights = spec.generator.weights() + spec.discriminator.weights();
    let models = match config.save_epochs {
        0 => String::new(),
        every => {
            let count = steps / trainer.steps_for_epochs(every).max(1);
            let mib = (4 * weights) as f64 * count as f64 / (1024.0 * 1024.0);
            format!("checkpoints  {count}, {mib:.0} MiB\n")
        }
    };
    format!(
        "system       {}, {} samples\nnetworks     G {generator}, D {discriminator}\nsteps        {} of {} samples\nlayout       {}\nengine       {} on {}\nwork         {} FLOP a sample\n{models}",
        config.system.name(),
        thousands(real.source().len() as u64),
        thousands(steps),
        config.batch,
        trainer.plan(),
        name_of(ENGINES, &config.engine),
        trainer.isa().kind(),
        thousands(spec.flop_per_sample()),
    )
}

/// The widths of a network, from its inputs to its outputs: `2-16-32-2`.
fn widths(network: &NetworkSpec) -> String {
    let first = network.layers.first().map(|layer| layer.inputs);
    let widths = first.into_iter().chain(network.layers.iter().map(|layer| layer.outputs));
    widths.map(|width| width.to_string()).collect::<Vec<_>>().join("-")
}
