//! The arguments of `gannet runs`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `gannet runs`.
#[derive(Debug, Args)]
#[command(after_help = "\
A folder of replicas takes one line, with the median and the range of its measure. A folder that is no whole run has a \
line that says what is wrong with it, and so has one whose replicas are not all there.

Examples:
  gannet runs
  gannet runs experiments --preset circle --sort measure
  gannet runs --status running --json")]
pub(crate) struct RunsArgs {
    /// The folder that holds the runs, at any depth.
    #[arg(value_name = "DIR", default_value = "runs")]
    pub(crate) folder: PathBuf,
    /// What the list is sorted by: measure puts the best of each preset first, age the latest.
    #[arg(long, value_enum, default_value = "name")]
    pub(crate) sort: SortBy,
    /// The other way round.
    #[arg(long)]
    pub(crate) reverse: bool,
    /// Only runs of this preset; may be given several times.
    #[arg(long, value_name = "PRESET")]
    pub(crate) preset: Vec<String>,
    /// Only runs of this status; may be given several times.
    #[arg(long, value_enum)]
    pub(crate) status: Vec<RunStatus>,
    /// Only runs whose verdict contains this text.
    #[arg(long, value_name = "TEXT")]
    pub(crate) verdict: Option<String>,
    /// A line for each replica, too.
    #[arg(long)]
    pub(crate) each: bool,
    /// Print one JSON array.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What runs are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SortBy {
    Name,
    Age,
    Steps,
    Measure,
    Status,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RunStatus {
    /// A process trains it.
    Running,
    /// It has all its steps.
    Finished,
    /// A signal stopped it.
    Stopped,
    /// It ended with an error.
    Failed,
    /// Nobody trains it, and it has no end.
    Interrupted,
    /// It is no whole run.
    Broken,
}
