//! The arguments of every command.

mod bench;
mod model;
mod runs;
mod settings;
mod shell;
mod sweep;
mod table;
mod text;
mod train;
mod values;

use clap::{Parser, Subcommand};

pub(crate) use bench::{BenchArgs, InfoArgs};
pub(crate) use model::{EvaluateArgs, ExportArgs, SampleArgs};
pub(crate) use runs::{RunStatus, RunsArgs, SortBy};
pub(crate) use shell::{CompletionsArgs, ManArgs};
pub(crate) use sweep::SweepArgs;
pub(crate) use text::{ConfigArgs, ReportArgs};
pub(crate) use train::TrainArgs;
pub(crate) use values::{Format, NETWORK_FORMATS, NETWORKS, NetworkFormat, SAMPLE_FORMATS};

/// Trains generative adversarial networks of dense layers on CPUs, as fast as the processor allows.
#[derive(Debug, Parser)]
#[command(
    name = "gannet",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "\
Presets:
  circle          2-D points on a circle; circle-best: by R3GAN
  mixture1d       a mixture of two Gaussians, with a discriminator that sees only its mean
  mixture1d-deep  the same mixture, with larger networks
  gaussian2d      a 2-D Gaussian, with a linear generator; gaussian2d-best: by R3GAN
  ring8           2-D points of eight narrow normal distributions on a circle
  grid25          2-D points of 25 narrow normal distributions on a grid
  swiss-roll      2-D points on a spiral
  two-moons       2-D points on two half circles that reach into each other
  checkerboard    2-D points on the black squares of a board
  digits          handwritten digits of 8 x 8 pixels, embedded in the program; digits-conditional:
                  told the digit
  mnist           handwritten digits of 28 x 28 pixels, from their four IDX files;
                  mnist-best: by a recipe of its own; mnist-conditional: told the digit
  own             your samples: a table (CSV, NPY), images (IDX, NPY, a folder of PNG)

Examples:
  gannet train circle                   train, and leave pictures in runs/circle-001
  gannet train points.csv               train on your own samples, a row each
  gannet config circle > my.toml        every setting with its default, to be changed and trained from
  gannet evaluate runs/circle-001       measure what was learned
  gannet sample runs/circle-001 --count 1000 --out points.csv
  gannet report runs/circle-001 runs/circle-002    lay two runs side by side in report.html
  gannet runs --sort measure            all runs at a glance, the best first
  gannet sweep sweep.toml               train a grid or a random search over settings, and rank the trials
  gannet bench --preset circle --batch 256,1024 --threads 1,2"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a GAN and write a new run folder with its model, figures and pictures.
    Train(Box<TrainArgs>),
    /// Train every trial of a grid or of a random search over settings, with several seeds each, and rank them.
    Sweep(SweepArgs),
    /// Draw samples from a trained generator into a file.
    Sample(SampleArgs),
    /// Measure what a trained generator has learned, beside what a right implementation reaches.
    Evaluate(EvaluateArgs),
    /// Print the settings of a preset as a configuration file with comments, or the JSON Schema of such files.
    Config(ConfigArgs),
    /// Write the weights of a trained run as PyTorch names them.
    Export(ExportArgs),
    /// Measure the speed of whole training steps as a share of what the processor can do.
    Bench(BenchArgs),
    /// Write a page about a run, or about several side by side.
    Report(ReportArgs),
    /// List the runs below a folder: how they stand, what they reached, and which of their settings differ.
    Runs(RunsArgs),
    /// Tell about the processor, its instruction sets and their measured peak.
    Info(InfoArgs),
    /// Print the script that completes commands and options in a shell.
    Completions(CompletionsArgs),
    /// Print the manual page of the program or of a command, or write all of them into a folder.
    Man(ManArgs),
}

#[cfg(test)]
mod documents;

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn hyphens_are_as_good_as_underscores() {
        for name in ["discriminator_first_shared_fake", "discriminator-first-shared-fake"] {
            let cli = Cli::try_parse_from(["gannet", "train", "circle", "--order", name]).unwrap();
            let Command::Train(train) = cli.command else { panic!("not train") };
            let order = train.settings.get("order").and_then(toml::Value::as_str);
            assert_eq!(order, Some("discriminator_first_shared_fake"));
        }
    }
}
