//! The arguments of every command.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

use crate::gan::weights::{Network, Numbering};
use crate::gan::{EngineKind, Objective, Order};
use crate::simd::IsaKind;

/// Trains generative adversarial networks of dense layers on CPUs, as fast as the processor allows.
#[derive(Debug, Parser)]
#[command(
    name = "gannet",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "\
Systems:
  circle          2-D points on a circle
  mixture1d       a mixture of two Gaussians, with a discriminator that sees only its mean
  mixture1d-deep  the same mixture, with larger networks
  gaussian2d      a 2-D Gaussian, with a linear generator
  digits          handwritten digits of 8 x 8 pixels, embedded in the program
  mnist           handwritten digits of 28 x 28 pixels, from their four IDX files
  own             your samples: a file with a table (CSV, NPY) or images (IDX)

Examples:
  gannet train circle                   train, and leave pictures in runs/circle-001
  gannet train points.csv               train on your own samples, a row each
  gannet config circle > my.toml        every setting with its default, to be changed and trained from
  gannet evaluate runs/circle-001       measure what was learned
  gannet sample runs/circle-001 --count 1000 --out points.csv
  gannet report runs/circle-001 runs/circle-002    lay two runs side by side in report.html
  gannet bench --system circle --batch 256,1024 --threads 1,2"
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
    /// Draw samples from a trained generator into a file.
    Sample(SampleArgs),
    /// Measure what a trained generator has learned, beside what a right implementation reaches.
    Evaluate(EvaluateArgs),
    /// Print the settings of a system as a configuration file with comments, or the JSON Schema of such files.
    Config(ConfigArgs),
    /// Write the weights of a trained run as PyTorch names them.
    Export(ExportArgs),
    /// Measure the speed of whole training steps as a share of what the processor can do.
    Bench(BenchArgs),
    /// Write a page about a run, or about several side by side.
    Report(ReportArgs),
    /// Tell about the processor, its instruction sets and their measured peak.
    Info(InfoArgs),
}

/// Arguments of `gannet train`. What is not given comes from the system, or from the configuration file.
#[derive(Debug, Default, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "\
What is not given comes from the system, or from the configuration file; --plan shows it.

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
    /// A system (circle, mixture1d, mixture1d-deep, gaussian2d, mnist, digits), a file with samples of your own (CSV, NPY,
    /// IDX), or a configuration file or run to repeat.
    #[arg(
        value_name = "SYSTEM|DATA|CONFIG.TOML",
        required_unless_present = "resume",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) what: String,
    /// Go on with the run in this folder from its last checkpoint, to the same or to more steps.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["what", "out", "replicas", "plan", "weights"])]
    pub(crate) resume: Option<PathBuf>,
    /// Go on although settings that decide the result have changed.
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
    /// Worker threads; 0 = one for each processor. The result does not depend on it [default: 0].
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// What computes the matrix products; auto takes the faster one for each [default: auto].
    #[arg(long, value_parser = choice(ENGINES))]
    pub(crate) engine: Option<EngineKind>,
    /// Force an instruction set [default: $GANNET_ISA, or the best].
    #[arg(long, value_parser = choice(ISAS))]
    pub(crate) isa: Option<IsaKind>,
    /// Most memory that the run may take, in bytes or as 512MiB, 2GiB ...
    #[arg(long, value_name = "SIZE", value_parser = byte_count)]
    pub(crate) memory_limit: Option<u64>,
    /// Folder of the run; must not exist [default: the next free runs/SYSTEM-001, -002 ...].
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
    /// system's distance].
    #[arg(long, value_name = "MEASURE")]
    pub(crate) best: Option<String>,
    /// Write no event files for TensorBoard.
    #[arg(long)]
    pub(crate) no_tensorboard: bool,
    /// Save both networks alone every N epochs; 0 = only at the end [default: 1 for mnist, else 0].
    #[arg(long, value_name = "N", value_parser = whole)]
    pub(crate) save_epochs: Option<u64>,
    /// Print what would be trained, how it is laid out and the memory it takes, and do not train.
    #[arg(long, conflicts_with = "json")]
    pub(crate) plan: bool,
    /// Print nothing but errors.
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Print the result as one JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `gannet sample`.
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "\
Examples:
  gannet sample runs/circle-001 --count 1000 --out points.csv
  gannet sample runs/digits-001 --count 64 --seed 7 --out digits.png
  gannet sample runs/mnist-001/models/epoch-010.safetensors --count 10000 --out images.npy"
)]
pub(crate) struct SampleArgs {
    /// Folder of a run, or a model file in it.
    pub(crate) run: PathBuf,
    /// How many samples.
    #[arg(long, value_name = "N", default_value = "1000", value_parser = positive_count)]
    pub(crate) count: usize,
    /// Seed of the latents. The first samples of a larger count are the same.
    #[arg(long, value_name = "N", default_value = "0", value_parser = whole)]
    pub(crate) seed: u64,
    /// The file: .npy (one row a sample; f32, own tables f64), .csv or .png (a picture of the samples).
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Replace the file if it exists.
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `gannet evaluate`.
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "\
Examples:
  gannet evaluate runs/circle-001
  gannet evaluate runs/mnist-001 --data mnist/ --json"
)]
pub(crate) struct EvaluateArgs {
    /// Folder of a run, or a model file in it.
    pub(crate) run: PathBuf,
    /// Samples to draw from the generator [default: as many as the reference figures were measured with].
    #[arg(long, value_name = "N", value_parser = positive_count)]
    pub(crate) samples: Option<usize>,
    /// Folder with the IDX files of MNIST, or the file of own data [default: where the run had them].
    #[arg(long, value_name = "PATH")]
    pub(crate) data: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `gannet config`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gannet config circle > my.toml         every setting with its default; change it, then: gannet train my.toml
  gannet config points.csv > my.toml     the settings for own data
  gannet config --schema > schema.json   for editors; put `#:schema ./schema.json` at the top of my.toml")]
pub(crate) struct ConfigArgs {
    /// A system, a file with samples of your own, or a configuration file or run.
    #[arg(value_name = "SYSTEM|DATA|CONFIG.TOML", required_unless_present = "schema")]
    pub(crate) what: Option<String>,
    /// The file of own data.
    #[arg(long, value_name = "FILE", conflicts_with = "schema")]
    pub(crate) data: Option<PathBuf>,
    /// Print the JSON Schema of configuration files.
    #[arg(long, conflicts_with = "what")]
    pub(crate) schema: bool,
}

/// Arguments of `gannet export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Names and shapes are those of the state_dict of a torch.nn.Sequential, in which activations and dropout
are modules of their own: 0.weight, 0.bias, 2.weight ... The Sequential is printed. In Python:

  from safetensors.torch import load_file
  generator = nn.Sequential(...)         # as printed
  generator.load_state_dict(load_file(\"generator.safetensors\"))

Examples:
  gannet export runs/circle-001 --network generator --out generator.safetensors
  gannet export runs/circle-001 --out both.safetensors     generator.0.weight, discriminator.0.weight ...")]
pub(crate) struct ExportArgs {
    /// Folder of a run, or a model file in it.
    pub(crate) run: PathBuf,
    /// The safetensors file.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// One network alone, its names without a prefix [default: both, with `generator.` and `discriminator.` before].
    #[arg(long, value_parser = choice(NETWORKS))]
    pub(crate) network: Option<Network>,
    /// How layers are numbered: by the modules of a Sequential, or one after another.
    #[arg(long, value_parser = choice(NUMBERINGS), default_value = "sequential")]
    pub(crate) numbers: Numbering,
    /// Replace the file if it exists.
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `gannet bench`.
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "\
Lists are separated by commas; every combination is measured. The peak is that of independent fused
multiply-adds, measured between the timings; the share is of that peak times the threads.

Examples:
  gannet bench
  gannet bench --system circle,mnist --batch 32,256,1024 --threads 1,2
  gannet bench --system circle --replicas 1,8 --threads 2
  gannet bench --system gaussian2d --batch 32 --steps 10000 --json
  gannet bench --system circle --batch 256 --engine native,matrixmultiply --markdown"
)]
pub(crate) struct BenchArgs {
    /// Systems [default: all].
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) system: Vec<String>,
    /// Batch sizes [default: each system's own].
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

/// Arguments of `gannet report`.
#[derive(Debug, Args)]
#[command(after_help = "\
One run: its page is RUN/report.html, which is made again. A folder of replicas: all of its runs side by side in
DIR/report.html. Several runs: side by side in --out, which is not replaced without --force. Runs that still go on,
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

/// Arguments of `gannet info`.
#[derive(Debug, Args)]
pub(crate) struct InfoArgs {
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Largest number of a configuration file: TOML's integers have 64 bits and a sign.
pub(crate) const LARGEST: u64 = i64::MAX as u64;

/// Objectives by name, as in a configuration file.
pub(crate) const OBJECTIVES: &[(&str, Objective)] = &[
    ("minimax", Objective::Minimax),
    ("non_saturating", Objective::NonSaturating),
    ("non_saturating_half", Objective::NonSaturatingHalf),
    ("softmax", Objective::Softmax),
];

/// Orders of updates by name, as in a configuration file.
pub(crate) const ORDERS: &[(&str, Order)] = &[
    ("discriminator_first", Order::DiscriminatorFirst),
    ("discriminator_first_shared_fake", Order::DiscriminatorFirstSharedFake),
    ("generator_first_shared_fake", Order::GeneratorFirstSharedFake),
];

/// Networks by name.
pub(crate) const NETWORKS: &[(&str, Network)] =
    &[("generator", Network::Generator), ("discriminator", Network::Discriminator)];

/// Numberings of layers by name.
const NUMBERINGS: &[(&str, Numbering)] = &[("sequential", Numbering::Sequential), ("layers", Numbering::Layers)];

/// Engines by name.
pub(crate) const ENGINES: &[(&str, EngineKind)] =
    &[("auto", EngineKind::Auto), ("native", EngineKind::Native), ("matrixmultiply", EngineKind::Matrixmultiply)];

/// Instruction sets by name.
const ISAS: &[(&str, IsaKind)] =
    &[("avx512", IsaKind::Avx512), ("avx2", IsaKind::Avx2), ("portable", IsaKind::Portable)];

/// The name of `value` in one of the tables above.
pub(crate) fn name_of<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|(_, known)| known == value).map_or("", |&(name, _)| name)
}

/// Accepts the names of a table, hyphens being as good as underscores.
fn choice<T: Copy + Send + Sync + 'static>(table: &'static [(&'static str, T)]) -> impl TypedValueParser<Value = T> {
    let names = table.iter().map(|&(name, _)| PossibleValue::new(name).alias(name.replace('_', "-")));
    PossibleValuesParser::new(names).try_map(move |given: String| {
        let wanted = given.replace('-', "_");
        table.iter().find(|&&(name, _)| name == wanted).map(|&(_, value)| value).ok_or("unknown")
    })
}

/// A whole number from 1 up.
fn positive_count(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(count) if count > 0 && count as u64 <= LARGEST => Ok(count),
        _ => Err("needs a whole number from 1 up".to_string()),
    }
}

/// A whole number from 0 up that a configuration file can hold.
fn whole(text: &str) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(number) if number <= LARGEST => Ok(number),
        _ => Err(format!("needs a whole number from 0 up to {LARGEST}")),
    }
}

/// The same from 1 up.
fn positive_whole(text: &str) -> Result<u64, String> {
    match whole(text) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("needs a whole number from 1 up".to_string()),
    }
}

/// A finite number above 0.
fn positive_number(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        _ => Err("needs a number above 0, for instance 0.001".to_string()),
    }
}

/// Bytes: `1000000`, `512KiB`, `300M`, `2GiB`; every unit is a power of 1,024.
pub(crate) fn byte_count(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(0),
        "k" | "kb" | "kib" => Some(10),
        "m" | "mb" | "mib" => Some(20),
        "g" | "gb" | "gib" => Some(30),
        "t" | "tb" | "tib" => Some(40),
        _ => None,
    };
    let bytes = number.parse::<u64>().ok().zip(shift).and_then(|(number, shift)| number.checked_mul(1 << shift));
    match bytes {
        Some(bytes) if bytes > 0 && bytes <= LARGEST => Ok(bytes),
        _ => Err("needs a number of bytes, for instance 500000000, 512MiB or 2GiB".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn bytes_with_units() {
        let good =
            [("1", 1), ("512KiB", 512 << 10), ("3m", 3 << 20), ("2GiB", 2 << 30), ("2 GB", 2 << 30), ("1T", 1 << 40)];
        for (text, expected) in good {
            assert_eq!(byte_count(text), Ok(expected), "{text}");
        }
        for text in ["", "0", "-1", "1.5G", "GiB", "2 PiB", "99999999999T", "nan"] {
            assert!(byte_count(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_are_positive_and_finite() {
        assert_eq!(positive_number("2e-4"), Ok(2e-4));
        for text in ["nan", "inf", "0", "-1", "1e-60", "x"] {
            assert!(positive_number(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hyphens_are_as_good_as_underscores() {
        for name in ["discriminator_first_shared_fake", "discriminator-first-shared-fake"] {
            let cli = Cli::try_parse_from(["gannet", "train", "circle", "--order", name]).unwrap();
            let Command::Train(train) = cli.command else { panic!("not train") };
            assert_eq!(train.order, Some(Order::DiscriminatorFirstSharedFake));
        }
    }
}
