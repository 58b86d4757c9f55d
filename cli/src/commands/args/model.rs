//! The arguments of the commands that use a trained model: `gannet sample`, `evaluate` and `export`.

use std::path::PathBuf;

use clap::Args;
use gannet::gan::Network;
use gannet::gan::weights::Numbering;

use super::values::{
    Format, NETWORK_FORMATS, NETWORKS, NUMBERINGS, NetworkFormat, SAMPLE_FORMATS, choice, positive_count, saved_state,
    whole,
};
use crate::folder::checkpoints::SavedState;

/// Arguments of `gannet sample`.
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "\
Examples:
  gannet sample runs/circle-001 --count 1000 --out points.csv
  gannet sample runs/digits-001 --count 64 --seed 7 --out digits.png
  gannet sample runs/circle-001 --checkpoint best --out points.npy
  gannet sample runs/digits-conditional-001 --label 7 --count 16 --out sevens.png
  gannet sample runs/own-001 --where city=Paris --where \"age>40\" --out parisians.csv
  gannet sample runs/own-001 --like visitors.csv --out filled.csv
  gannet sample runs/circle-001 --count 5 --out - --format csv
  gannet sample runs/circle-001 --latents latents.npy --out points.csv
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
    /// Make samples of these latents instead of drawn ones: a CSV or NPY file with a row for each sample.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["count", "seed"])]
    pub(crate) latents: Option<PathBuf>,
    /// Make samples of these classes alone, one after the other: of a run that was trained with classes [default: all of them, as
    /// often as in the data].
    #[arg(long, value_name = "CLASS[,CLASS...]", value_delimiter = ',')]
    pub(crate) label: Vec<String>,
    /// Make rows of a table that meet a condition alone: NAME=VALUE, NAME!=VALUE (an empty value is a missing one), or a name, <, >, <= or
    /// >= and a number or date, in quotes for the shell. May be given several times: rows meet all of them.
    #[arg(long = "where", value_name = "CONDITION", conflicts_with = "latents")]
    pub(crate) conditions: Vec<String>,
    /// Fill the rows of a table (- is standard input) that has some of the run's columns, under their names: a row for each, in their order, with its cells as
    /// they are. Empty cells and the other columns come from generated rows that are near in what is given.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["count", "latents", "label", "conditions"])]
    pub(crate) like: Option<PathBuf>,
    /// Which state of the run: best (by the measure that was chosen), last, or a step of which there is a checkpoint or model
    /// [default: best where the run was given --best or --patience, else last].
    #[arg(long, value_name = "best|last|STEP", value_parser = saved_state)]
    pub(crate) checkpoint: Option<SavedState>,
    /// The file: .npy (one row a sample; f32, own tables f64, own images bytes of samples x height x width), .csv (own tables as their file is written) or .png (a picture of the samples); - is standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The format, for standard output [default: csv; of a file what its name ends in].
    #[arg(long, value_parser = choice(SAMPLE_FORMATS))]
    pub(crate) format: Option<Format>,
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
  gannet evaluate runs/circle-001 --checkpoint best
  gannet evaluate runs/own-001 --data held-out.csv --target price
  gannet evaluate runs/mnist-001 --data mnist/ --json"
)]
pub(crate) struct EvaluateArgs {
    /// Folder of a run, or a model file in it.
    pub(crate) run: PathBuf,
    /// Which state of the run: best (by the measure that was chosen), last, or a step of which there is a checkpoint or model
    /// [default: best where the run was given --best or --patience, else last].
    #[arg(long, value_name = "best|last|STEP", value_parser = saved_state)]
    pub(crate) checkpoint: Option<SavedState>,
    /// Samples to draw from the generator [default: as many as the reference figures were measured with].
    #[arg(long, value_name = "N", value_parser = positive_count)]
    pub(crate) samples: Option<usize>,
    /// Folder with the IDX files of MNIST, or the file of own data (- is standard input), for instance of rows that were held out [default: where the run had
    /// them].
    #[arg(long, value_name = "PATH")]
    pub(crate) data: Option<PathBuf>,
    /// Of a table: train a model on generated rows to predict this column of the rows of --data, beside one that is trained on the run's.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) target: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `gannet export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Names and shapes are those of the state_dict of a torch.nn.Sequential, in which activations and dropout \
are modules of their own: 0.weight, 0.bias, 2.weight ... A layer with layer or batch normalization is a Linear \
without biases and a LayerNorm or BatchNorm1d whose weight is 1; with spectral normalization it is a Linear of the weights as \
they are divided. The Sequential is printed. In Python:

  from safetensors.torch import load_file
  generator = nn.Sequential(...)         # as printed
  generator.load_state_dict(load_file(\"generator.safetensors\"))

An ONNX file (opset 17) holds one network. Its inputs are latents (of a discriminator samples) and, where there are classes, \
conditions: 1 for the class and 0 for the others, in the order of its metadata. Samples of a table are the columns that the generator \
makes, as sample --latents FILE --out FILE.npy has them: numbers in their units, categories by their number, NaN where a value is missing; \
the probabilities of categories are a second output. A discriminator takes the scores of a table.

Examples:
  gannet export runs/circle-001 --network generator --out generator.safetensors
  gannet export runs/circle-001 --network generator --out generator.onnx
  gannet export runs/circle-001 --out both.safetensors     generator.0.weight, discriminator.0.weight ...")]
pub(crate) struct ExportArgs {
    /// Folder of a run, or a model file in it.
    pub(crate) run: PathBuf,
    /// Which state of the run: best (by the measure that was chosen), last, or a step of which there is a checkpoint or model
    /// [default: best where the run was given --best or --patience, else last].
    #[arg(long, value_name = "best|last|STEP", value_parser = saved_state)]
    pub(crate) checkpoint: Option<SavedState>,
    /// The file, which ends in .safetensors or .onnx; - is standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The format, for standard output [default: safetensors; of a file what its name ends in].
    #[arg(long, value_parser = choice(NETWORK_FORMATS))]
    pub(crate) format: Option<NetworkFormat>,
    /// One network alone, its names without a prefix [default: both, with `generator.` and `discriminator.` before].
    #[arg(long, value_parser = choice(NETWORKS))]
    pub(crate) network: Option<Network>,
    /// How layers are numbered in safetensors: by the modules of a Sequential, or one after another.
    #[arg(long, value_parser = choice(NUMBERINGS), default_value = "sequential")]
    pub(crate) numbers: Numbering,
    /// Replace the file if it exists.
    #[arg(long)]
    pub(crate) force: bool,
}
