//! The arguments of `gannet sweep`.

use std::path::PathBuf;

use clap::Args;

use super::values::{Share, positive_count, share};

/// Arguments of `gannet sweep`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file, sweep.toml:
  base = \"circle\"                       # a preset, a file with samples, a configuration file or a run
  seeds = 5                             # runs of each trial
  [run]                                 # settings of all trials, by their names in config.toml
  steps = 2000
  [grid]                                # every combination; or [random] with trials = N and ranges
  run.batch = [32, 64]
  gan.r1 = [0.0, 0.1, 1.0]

Examples:
  gannet sweep sweep.toml --plan                  the trials and their number, without training
  gannet sweep sweep.toml                         train what is missing, rank the trials
  gannet sweep sweep.toml --part 3/16             the third of 16 parts, for a job array
  gannet sweep sweep.toml --merge                 one table after all parts; names those that are missing")]
pub(crate) struct SweepArgs {
    /// The file that describes the sweep.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Folder of the sweep; what is in it goes on [default: sweeps/ and the name of the file].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print the trials, how they stand and about how long they take, and do not train.
    #[arg(long, conflicts_with = "merge")]
    pub(crate) plan: bool,
    /// Train the I-th of N parts of the trials alone: parts can be trained at the same time, on several machines in one folder.
    #[arg(long, value_name = "I/N", value_parser = share)]
    pub(crate) part: Option<Share>,
    /// Do not train: make the table, the pictures and the page of the trials that have ended, and name those that have not.
    #[arg(long, conflicts_with = "part")]
    pub(crate) merge: bool,
    /// Worker threads, in the place of those of the file.
    #[arg(long, value_name = "N", value_parser = positive_count)]
    pub(crate) threads: Option<usize>,
    /// Print only what must be known, each in a line on standard error.
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Print the ranked trials, or the plan, as one JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}
