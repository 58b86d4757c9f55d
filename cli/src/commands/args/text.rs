//! The arguments of the commands that write text about settings and runs: `gannet config` and `report`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `gannet config`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gannet config circle > my.toml         every setting with its default; change it, then: gannet train my.toml
  gannet config points.csv > my.toml     the settings for own data
  gannet config --schema > schema.json   for editors; put `#:schema ./schema.json` at the top of my.toml")]
pub(crate) struct ConfigArgs {
    /// A preset, a file with samples of your own, or a configuration file or run.
    #[arg(value_name = "PRESET|DATA|CONFIG.TOML", required_unless_present = "schema")]
    pub(crate) what: Option<PathBuf>,
    /// The file of own data.
    #[arg(long, value_name = "FILE", conflicts_with = "schema")]
    pub(crate) data: Option<PathBuf>,
    /// Print the JSON Schema of configuration files.
    #[arg(long, conflicts_with = "what")]
    pub(crate) schema: bool,
}

/// Arguments of `gannet report`.
#[derive(Debug, Args)]
#[command(after_help = "\
One run: its page is RUN/report.html, which is made again. A folder of replicas: all of its runs side by side in \
DIR/report.html. Several runs: side by side in --out, which is not replaced without --force. Runs that still go on, \
were stopped or killed have a page too.

Examples:
  gannet report runs/circle-001
  gannet report runs/circle-001 runs/circle-002 --out compare.html")]
pub(crate) struct ReportArgs {
    /// Folders of runs, or of replicas.
    #[arg(value_name = "RUN", required = true)]
    pub(crate) runs: Vec<PathBuf>,
    /// The page [default: RUN/report.html; of several runs report.html].
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Replace FILE if it exists.
    #[arg(long)]
    pub(crate) force: bool,
}
