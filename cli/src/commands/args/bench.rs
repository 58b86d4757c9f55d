//! The arguments of `gannet bench` and `info`.

use clap::Args;
use gannet::cpu::{EngineKind, IsaKind};
use gannet::gan::Objective;

use super::values::{choice, positive_count, positive_whole};
use crate::preset::OLD;
use gannet_settings::values::{ENGINES, ISAS, OBJECTIVES};

/// Arguments of `gannet bench`.
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "\
Lists are separated by commas; every combination is measured. The peak is that of independent fused \
multiply-adds, measured between the timings; the share is of that peak times the threads.

Examples:
  gannet bench
  gannet bench --preset circle,mnist --batch 32,256,1024 --threads 1,2
  gannet bench --preset circle --replicas 1,8 --threads 2
  gannet bench --preset gaussian2d --batch 32 --steps 10000 --json
  gannet bench --preset circle --batch 256 --engine native,matrixmultiply --markdown"
)]
pub(crate) struct BenchArgs {
    /// Presets [default: all].
    #[arg(long, alias = OLD, value_name = "LIST", value_delimiter = ',')]
    pub(crate) preset: Vec<String>,
    /// Batch sizes [default: each preset's own].
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = positive_count)]
    pub(crate) batch: Vec<usize>,
    /// GANs side by side, timed together: 8 of batch 32 are listed as 8x32.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1", value_parser = positive_count)]
    pub(crate) replicas: Vec<usize>,
    /// Worker threads; 0 = one for each processor.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1")]
    pub(crate) threads: Vec<usize>,
    /// Engines [default: native and matrixmultiply].
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = choice(ENGINES))]
    pub(crate) engine: Vec<EngineKind>,
    /// Instruction sets [default: $GANNET_ISA, or the best].
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = choice(ISAS))]
    pub(crate) isa: Vec<IsaKind>,
    /// What the two networks minimize [default: each preset's own].
    #[arg(long, value_name = "OBJECTIVE", value_parser = choice(OBJECTIVES))]
    pub(crate) objective: Option<Objective>,
    /// Weight of R1, which joins every step of the discriminator; 0 for none.
    #[arg(long, value_name = "WEIGHT", default_value = "0")]
    pub(crate) r1: f32,
    /// Weight of R2; 0 for none.
    #[arg(long, value_name = "WEIGHT", default_value = "0")]
    pub(crate) r2: f32,
    /// Weight of WGAN-GP's gradient penalty; 0 for none.
    #[arg(long, value_name = "WEIGHT", default_value = "0")]
    pub(crate) gradient_penalty: f32,
    /// Time exactly N steps instead of about a second.
    #[arg(long, value_name = "N", value_parser = positive_whole)]
    pub(crate) steps: Option<u64>,
    /// Print one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print a table in Markdown, with the machine, at the end.
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
}

/// Arguments of `gannet info`.
#[derive(Debug, Args)]
pub(crate) struct InfoArgs {
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
