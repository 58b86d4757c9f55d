//! The arguments of `gannet train`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::settings::SettingArgs;
use super::table::TableArgs;
use super::values::{decay, positive_count, positive_number};

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
  gannet train points.csv                         own samples: a table, NPY, images
  gannet train my.toml                            own settings; gannet config prints a file to begin with
  gannet train circle --replicas 8 --seed 1        eight runs side by side, with the seeds 1 to 8
  gannet train runs/circle-001/config.toml        repeat a run, bit for bit
  gannet train --resume runs/circle-001           go on where it stopped
  gannet train --resume runs/circle-001 --epochs 900
  gannet train circle --quiet --json              for programs"
)]
pub(crate) struct TrainArgs {
    /// A preset (circle, mixture1d, mixture1d-deep, gaussian2d, ring8, grid25, swiss-roll, two-moons, checkerboard, mnist, digits, and
    /// others that gannet --help lists), a file with samples of your own (CSV, NPY, IDX, whatever it is called), a folder of PNG pictures, - for standard input, or a configuration file
    /// or run to repeat.
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
    /// Settings in the place of those of the preset or the file.
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
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
    /// Folder with the four IDX files of MNIST, plain or gzipped; or the file of own data, - for standard input.
    #[arg(long, value_name = "PATH")]
    pub(crate) data: Option<PathBuf>,
    /// Give both networks the class of each sample, so that samples of a class can be asked for: the column of a table that holds it, or
    /// the IDX file with the labels of images.
    #[arg(long, value_name = "COLUMN|FILE", conflicts_with = "resume")]
    pub(crate) labels: Option<String>,
    /// How the table of a data file is read.
    #[command(flatten)]
    pub(crate) table: TableArgs,
    /// Train N GANs side by side, each a run of its own with the next seed, in one folder. If one fails, the others go on.
    #[arg(long, value_name = "N", value_parser = positive_count)]
    pub(crate) replicas: Option<usize>,
    /// Folder of the run; must not exist [default: the next free runs/PRESET-001, -002 ...].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
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
