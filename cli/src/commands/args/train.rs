//! The arguments of `gannet train`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use gannet::cpu::{EngineKind, IsaKind};
use gannet::gan::{Objective, Order};

use super::values::{choice, decay, positive_count, positive_number, positive_whole, whole};
use crate::settings::values::{ENGINES, ISAS, OBJECTIVES, ORDERS, byte_count};

/// Arguments of `gannet train`. What is not given comes from the preset, or from the configuration file.
#[derive(Debug, Default, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "\
What is not given comes from the preset, or from the configuration file; --plan shows it.

Examples:
  gannet train circle
  gannet train mixture1d-deep --seed 3 --epochs 100 --out runs/mixture
  gannet train mnist --data mnist/ --epochs 10
  gannet train points.csv                         own samples: CSV, NPY, or IDX images
  gannet train my.toml                            own settings; gannet config prints a file to begin with
  gannet train circle --replicas 8 --seed 1        eight runs side by side, with the seeds 1 to 8
  gannet train runs/circle-001/config.toml        repeat a run, bit for bit
  gannet train --resume runs/circle-001           go on where it stopped
  gannet train --resume runs/circle-001 --epochs 900
  gannet train circle --quiet --json              for programs"
)]
pub(crate) struct TrainArgs {
    /// A preset (circle, mixture1d, mixture1d-deep, gaussian2d, mnist, digits), a file with samples of your own (CSV, NPY,
    /// IDX, whatever it is called), or a configuration file or run to repeat.
    #[arg(
        value_name = "PRESET|DATA|CONFIG.TOML",
        required_unless_present = "resume",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) what: OsString,
    /// Go on with the run in this folder from its last checkpoint, to the same or to more steps.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["what", "out", "replicas", "plan", "weights"])]
    pub(crate) resume: Option<PathBuf>,
    /// Go on although settings or data that decide the result have changed. Whatever is later than the checkpoint is removed.
    #[arg(long = "override")]
    pub(crate) changes_allowed: bool,
    /// Train for N passes over the data.
    #[arg(long, value_name = "N", conflicts_with = "steps", value_parser = positive_whole)]
    pub(crate) epochs: Option<u64>,
    /// Train for N steps of the generator, instead of epochs.
    #[arg(long, value_name = "N", value_parser = positive_whole)]
    pub(crate) steps: Option<u64>,
    /// Real samples, and as many generated ones, in a step.
    #[arg(long, value_name = "N", value_parser = positive_count)]
    pub(crate) batch: Option<usize>,
    /// Learning rate of both networks.
    #[arg(long, value_name = "RATE", value_parser = positive_number)]
    pub(crate) learning_rate: Option<f32>,
    /// Learning rate of the generator alone.
    #[arg(long, value_name = "RATE", value_parser = positive_number)]
    pub(crate) generator_learning_rate: Option<f32>,
    /// Learning rate of the discriminator alone.
    #[arg(long, value_name = "RATE", value_parser = positive_number)]
    pub(crate) discriminator_learning_rate: Option<f32>,
    /// Adam's beta1 in both networks, the decay of its mean of gradients: 0.5 steadies many GANs.
    #[arg(long, value_name = "BETA1", value_parser = decay)]
    pub(crate) beta1: Option<f32>,
    /// Adam's beta1 in the generator alone.
    #[arg(long, value_name = "BETA1", value_parser = decay)]
    pub(crate) generator_beta1: Option<f32>,
    /// Adam's beta1 in the discriminator alone.
    #[arg(long, value_name = "BETA1", value_parser = decay)]
    pub(crate) discriminator_beta1: Option<f32>,
    /// What the two networks minimize.
    #[arg(long, value_parser = choice(OBJECTIVES))]
    pub(crate) objective: Option<Objective>,
    /// The order of updates within a step.
    #[arg(long, value_parser = choice(ORDERS))]
    pub(crate) order: Option<Order>,
    /// Steps of the discriminator per step of the generator.
    #[arg(long, value_name = "K", value_parser = positive_count)]
    pub(crate) discriminator_steps: Option<usize>,
    /// Number of points that are made to train on: circle, mixture1d, mixture1d-deep, gaussian2d.
    #[arg(long, value_name = "N", value_parser = positive_count)]
    pub(crate) points: Option<usize>,
    /// Folder with the four IDX files of MNIST, plain or gzipped; or the file of own data.
    #[arg(long, value_name = "PATH")]
    pub(crate) data: Option<PathBuf>,
    /// Begin with the weights of a safetensors file: a model of gannet's, or a PyTorch state_dict of dense layers. Give it
    /// twice for a file of each network.
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: Vec<PathBuf>,
    /// Seed of everything that is drawn: data, initial weights, order, latents, dropout.
    #[arg(long, value_name = "N", value_parser = whole)]
    pub(crate) seed: Option<u64>,
    /// Train N GANs side by side, each a run of its own with the next seed, in one folder. If one fails, the others go on.
    #[arg(long, value_name = "N", value_parser = positive_count)]
    pub(crate) replicas: Option<usize>,
    /// Worker threads; 0 = one for each processor, and at most 4 for each (or 16). The result does not depend on it [default: 0].
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// What computes the matrix products; auto takes the faster one for each [default: auto].
    #[arg(long, value_parser = choice(ENGINES))]
    pub(crate) engine: Option<EngineKind>,
    /// Force an instruction set [default: $GANNET_ISA, or the best].
    #[arg(long, value_parser = choice(ISAS))]
    pub(crate) isa: Option<IsaKind>,
    /// Most memory that the run may take, data, measuring and saving included, in bytes or as 512MiB, 2GiB ...; --plan
    /// shows the parts.
    #[arg(long, value_name = "SIZE", value_parser = byte_count)]
    pub(crate) memory_limit: Option<u64>,
    /// Folder of the run; must not exist [default: the next free runs/PRESET-001, -002 ...].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Measure and draw every N steps [default: ten times a run].
    #[arg(long, value_name = "N", value_parser = positive_whole)]
    pub(crate) evaluate_every: Option<u64>,
    /// Write the losses to metrics.csv every N steps [default: a thousand times a run or more].
    #[arg(long, value_name = "N", value_parser = positive_whole)]
    pub(crate) report_every: Option<u64>,
    /// Write a checkpoint every N steps; 0 = by time alone [default: 0].
    #[arg(long, value_name = "N", value_parser = whole)]
    pub(crate) checkpoint_steps: Option<u64>,
    /// Write a checkpoint every N seconds; 0 = by steps alone [default: 60].
    #[arg(long, value_name = "N", value_parser = whole)]
    pub(crate) checkpoint_seconds: Option<u64>,
    /// Keep the last N checkpoints [default: 2].
    #[arg(long, value_name = "N", value_parser = positive_count)]
    pub(crate) keep: Option<usize>,
    /// Keep the checkpoint of the evaluation with the best value of this measure, too; none = do not [default: the
    /// preset's distance].
    #[arg(long, value_name = "MEASURE")]
    pub(crate) best: Option<String>,
    /// Write no event files for TensorBoard.
    #[arg(long)]
    pub(crate) no_tensorboard: bool,
    /// Save both networks alone every N epochs; 0 = only at the end [default: 100 for mnist, else 0].
    #[arg(long, value_name = "N", value_parser = whole)]
    pub(crate) save_epochs: Option<u64>,
    /// Open the run's report in the browser; it follows the run. $BROWSER names another program than the system's.
    #[arg(long, conflicts_with = "plan")]
    pub(crate) open: bool,
    /// Print what would be trained, how it is laid out and the memory it takes, and do not train.
    #[arg(long, conflicts_with = "json")]
    pub(crate) plan: bool,
    /// Print only what must be known, each in a line on standard error: errors, warnings, a stop, a bad verdict.
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Print the result as one JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}
