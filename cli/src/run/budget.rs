//! The memory that a run takes, part by part, before it takes it: what `--plan` shows and `--memory-limit` bounds.
//!
//! What does not follow from sizes was measured as the peak of whole processes (see `cli/tests/memory_limit.rs`, which holds the sum
//! against them).

use std::thread::available_parallelism;

use gannet::Error;
use gannet::cpu::most_threads;
use gannet::gan::presets::Duration;
use gannet::internals::engine;
use gannet::metrics::parzen;
use gannet::metrics::table::{MOST_SAMPLES, MOST_VALUES};
use gannet::net::NetworkSpec;
use gannet_settings::own_data::Shape;

use crate::data::address_space::Allowed;
use crate::data::own::OwnData;
use crate::data::reading_limit::PROGRAM;
use crate::data::samples::Samples;
use crate::measures::measure;
use crate::numbers::{MIB, mib};
use crate::preset::Preset;
use crate::preset::table::Measuring;
use crate::report;
use crate::run::column_histograms;
use crate::run::pictures;
use crate::run::schedule;
use crate::settings::config::RunConfig;

/// Threads beside the first: their stacks as far as they are used.
const THREAD: u64 = MIB / 4;
/// Drawing: a canvas, what the encoder of PNG files takes, fonts, and the frames of an animation that are in work.
const CANVAS: u64 = 20 * MIB;
/// Dots that were drawn once and are pressed again, and the surface on which they are cut.
const STAMPS: u64 = 2 * MIB;
/// A picture of an evaluation as a file, of which an animation and the report hold many.
const PICTURE: u64 = 2 * MIB / 5;
/// Pictures of an animation, or of a report, at most.
const MOST_PICTURES: u64 = 100;
/// Rows of `metrics.csv` in memory: a thousand times 40 bytes, and more where they are asked for, thinned.
const ROWS: u64 = 4 * MIB;
/// Snapshots of a run that wait or are being recorded: of a small one, and of one of more bytes than [`LARGE`].
const SNAPSHOTS: usize = 2;
const SNAPSHOTS_OF_LARGE: usize = 1;
const LARGE: u64 = 4 * MIB;

/// A part of what a run takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    name: &'static str,
    bytes: u64,
    /// What makes it smaller.
    cure: &'static str,
}

/// What a run takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    parts: Vec<Part>,
    /// What reading the data takes beside the program, before all this.
    reading: u64,
    /// Snapshots that may wait or be recorded at once.
    waiting: usize,
    /// Threads that draw and measure.
    workers: u64,
}

impl Budget {
    /// What a run on `data`, or `replicas` of it side by side, takes beside the training.
    pub(crate) fn of(config: &RunConfig, data: &Samples, replicas: usize) -> Self {
        let threads = match config.threads {
            0 => available_parallelism().map_or(1, usize::from),
            threads => threads.min(most_threads()),
        };
        let (replicas, workers) = (replicas as u64, replicas.min(threads) as u64);
        let spec = &config.spec;
        let features = spec.features() as u64;
        let samples = data.len() as u64;
        let networks =
            [(&spec.generator, &spec.generator_optimizer), (&spec.discriminator, &spec.discriminator_optimizer)];
        let numbers = |network: &NetworkSpec| 4u64.saturating_mul(engine::parameters(network) as u64);
        let model: u64 = networks.iter().map(|(network, _)| numbers(network)).fold(0, u64::saturating_add);
        let checkpoint = networks
            .iter()
            .map(|(network, optimizer)| numbers(network).saturating_mul(1 + optimizer.states() as u64))
            .fold(0, u64::saturating_add);
        // With averages of G's parameters these are kept, and the networks in training copied for an evaluation.
        let averages = if spec.ema_decay > 0.0 { numbers(&spec.generator).saturating_add(model) } else { 0 };
        let checkpoint = checkpoint.saturating_add(averages);
        let layers = || spec.generator.layers.iter().chain(&spec.discriminator.layers);
        let tensor = layers().map(|layer| 4 * layer.inputs as u64 * layer.outputs as u64).max().unwrap_or(0);
        // Every replica has synthetic points of its own; what is read is shared.
        let is_shared = config.own.is_some() || matches!(data, Samples::Images(_));
        let data_bytes = data.bytes().saturating_mul(if is_shared { 1 } else { replicas });
        // The numbers of balanced samples, class after class: of each replica, and of each examination.
        let numbers_of_classes = if config.balance { 4 * samples * (replicas + workers) } else { 0 };
        let data_bytes = data_bytes.saturating_add(numbers_of_classes);
        let at_once = |bytes: u64| bytes.saturating_mul(workers);
        let drawn = pictures::shown(config.preset) as u64 * pictures::columns(config.preset) as u64 * 4;
        // Each by itself while it trains, all in the animation and the report at the end.
        let evaluations = evaluations(config, samples);
        let pictures = evaluations.min(MOST_PICTURES).saturating_mul(PICTURE);
        // Real rows, of which histograms are made.
        let counted = match config.preset {
            Preset::Own(Shape::Numbers(_) | Shape::Mixed { .. }) => features,
            _ => 0,
        };
        let counted = 4u64.saturating_mul(column_histograms::rows(spec.features()) as u64).saturating_mul(counted);
        // The page of each run that goes on, and the common one of replicas.
        let page = |runs: u64| report::memory(runs, evaluations, PICTURE);
        let pages = at_once(page(1)).saturating_add(if replicas > 1 { page(replicas) } else { 0 });
        // Moments of every optimizer, parameters and gradients of a snapshot.
        let snapshot = checkpoint.saturating_add(model);
        let waiting = if snapshot > LARGE { SNAPSHOTS_OF_LARGE } else { SNAPSHOTS };
        // And the one that is being made.
        let alive = if replicas > 1 { 1 } else { waiting as u64 + 1 };
        Self {
            reading: config.own.as_ref().map_or(0, OwnData::reading_bytes),
            waiting,
            workers,
            parts: vec![
                Part {
                    name: "program",
                    bytes: THREAD.saturating_mul(threads as u64).saturating_add(PROGRAM),
                    cure: "use fewer threads",
                },
                Part { name: "data", bytes: data_bytes, cure: "give fewer rows or columns" },
                Part {
                    name: "snapshots",
                    bytes: at_once(snapshot.saturating_mul(alive)),
                    cure: "take smaller networks",
                },
                Part {
                    name: "evaluation",
                    bytes: at_once(evaluation(config, samples, features, model, threads as u64)),
                    cure: "give fewer features",
                },
                Part {
                    name: "pictures",
                    bytes: at_once((CANVAS + STAMPS + ROWS + 2 * drawn + pictures).saturating_add(counted)),
                    cure: "evaluate less often",
                },
                Part {
                    name: "pages",
                    bytes: pages,
                    cure: if replicas > 1 { "train fewer replicas at a time" } else { "evaluate less often" },
                },
                Part {
                    name: "saving",
                    bytes: at_once(checkpoint.saturating_add(tensor)),
                    cure: "take smaller networks",
                },
            ],
        }
    }

    /// Adds what the trainers take.
    pub(crate) fn with_training(mut self, bytes: u64) -> Self {
        let training = Part { name: "training", bytes, cure: "lower the batch or the size of the networks" };
        self.parts.insert(2.min(self.parts.len()), training);
        self
    }

    /// The sum of the parts.
    pub(crate) fn bytes(&self) -> u64 {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.bytes))
    }

    /// What is left of `limit` for the training: at least 1 byte, which is too little for any.
    pub(crate) fn left(&self, limit: u64) -> u64 {
        limit.saturating_sub(self.bytes()).max(1)
    }

    /// Threads that draw and measure.
    pub(crate) fn workers(&self) -> u64 {
        self.workers
    }

    /// Snapshots that may wait or be recorded at once.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// The error about a run that takes more than is `allowed`: all parts, the largest first, and what makes that one smaller.
    pub(crate) fn refusal(&self, allowed: Option<Allowed>) -> Error {
        let mut parts = self.parts.clone();
        parts.sort_by_key(|part| std::cmp::Reverse(part.bytes));
        let cure = parts.iter().find(|part| part.name != "program").map_or("", |part| part.cure);
        let listed: Vec<String> = parts.iter().map(|part| format!("{} {}", part.name, mib(part.bytes))).collect();
        let problem = format!(
            "the run takes {}, more than {}: {}; {cure}, or {}",
            mib(self.bytes()),
            allowed.map(Allowed::text).unwrap_or_default(),
            listed.join(", "),
            allowed.map(Allowed::cure).unwrap_or_default()
        );
        Error::data("memory", problem)
    }
}

impl std::fmt::Display for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<String> = self.parts.iter().map(|part| format!("{} {}", part.name, mib(part.bytes))).collect();
        write!(f, "{} at most: {}", mib(self.bytes()), parts.join(" + "))?;
        match self.reading.saturating_add(PROGRAM) {
            before if before > self.bytes() => write!(f, "; reading the data takes {} before", mib(before)),
            _ => Ok(()),
        }
    }
}

/// Evaluations of a run on so many `samples`, about.
fn evaluations(config: &RunConfig, samples: u64) -> u64 {
    let steps = match config.duration {
        Duration::Steps(steps) => steps,
        Duration::Epochs(epochs) => epochs.saturating_mul(samples) / (config.batch as u64).max(1),
    };
    schedule::evaluations(config.evaluate_every, steps)
}

/// What measuring takes: generated samples, real ones, and what compares them.
fn evaluation(config: &RunConfig, samples: u64, features: u64, model: u64, threads: u64) -> u64 {
    let rows = |count: u64| count.saturating_mul(features).saturating_mul(4);
    let widths = |network: &NetworkSpec| engine::widths(network).map(|width| width as u64).sum::<u64>();
    // G's own copy of its parameters, and a panel that passes it.
    let drawing = model.saturating_add(4 * 128 * widths(&config.spec.generator));
    let compared = |queries: u64, references: u64| {
        // Both sides, the references once more in panels, and for each thread a block of queries and its distances.
        rows(queries)
            .saturating_add(rows(references).saturating_mul(2))
            .saturating_add(threads.saturating_mul(rows(32).saturating_add(4 * 32 * references)))
    };
    let measures = match config.preset.measuring() {
        Measuring::Classes if config.preset.reads_folder() => {
            let (count, validation) = (parzen::SAMPLES as u64, parzen::VALIDATION as u64);
            compared(measure::CLASSIFIED as u64, measure::CLASSIFIED_AGAINST as u64)
                .max(compared(count + validation, count))
        }
        Measuring::Classes => compared(measure::CLASSIFIED as u64, (measure::CLASSIFIED_AGAINST as u64).min(samples)),
        Measuring::Circle
        | Measuring::Mixture
        | Measuring::Gaussian
        | Measuring::Points { .. }
        | Measuring::Modes { .. } => 2 * MIB,
        Measuring::Halves => {
            let half = (samples / 2).min(MOST_SAMPLES as u64).min((MOST_VALUES as u64 / features.max(1)).max(1));
            // Two halves and as many generated samples; projections of 8 bytes and places of the choice.
            rows(half).saturating_mul(3).saturating_add(half * 120)
        }
    };
    // Health: up to 512 real samples twice and as many fakes, through both networks.
    let examined = 512.min(samples);
    let panels = 4 * 128 * (widths(&config.spec.generator) + widths(&config.spec.discriminator));
    let health =
        rows(examined + 127).saturating_mul(3).saturating_add(model).saturating_add(panels).saturating_add(MIB);
    // Samples that a table's columns are put right by, and a column of them in order.
    let codec = config.own.as_ref().and_then(OwnData::codec);
    let calibrated = codec.map_or(0, |codec| rows(codec.calibration_samples() as u64).saturating_mul(2));
    drawing.saturating_add(measures).max(health).saturating_add(calibrated)
}
