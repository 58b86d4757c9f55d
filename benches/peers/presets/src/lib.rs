//! The four presets, the data made for them, and the timing that the Rust peers share.
//!
//! The Python peers have the same in `python/presets.py`.

#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

/// Both peers allocate every intermediate tensor anew; this allocator serves that better than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What G minimizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objective {
    /// The negative of BCE(D(G(z)), 0).
    Minimax,
    /// BCE(D(G(z)), 1).
    NonSaturating,
    /// The cross-entropy of two classes, of which 1 is real.
    Softmax,
}

/// The updates of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// D, then G on new latents.
    DiscriminatorFirst,
    /// D, then G on the same latents.
    DiscriminatorFirstShared,
    /// G, then D on the fakes made before G's update.
    GeneratorFirstShared,
}

/// How parameters are updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optimizer {
    /// Adam with betas 0.9 and 0.999.
    Adam,
    /// Plain gradient descent.
    Sgd,
}

/// Networks, objective, order, optimizer and data of a preset.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Widths of G, from the latents to the features.
    pub generator: &'static [usize],
    /// Widths of D, from the features to the logits.
    pub discriminator: &'static [usize],
    /// The negative slope of the hidden layers' ReLU.
    pub slope: f64,
    /// After each hidden layer of D.
    pub dropout: f64,
    /// Whether G ends in a tanh.
    pub tanh_output: bool,
    /// What G minimizes.
    pub objective: Objective,
    /// D's loss is this factor times the sum of its means over real samples and fakes.
    pub discriminator_factor: f64,
    /// The updates of a step.
    pub order: Order,
    /// Of both networks.
    pub optimizer: Optimizer,
    /// Of both networks.
    pub learning_rate: f64,
    /// Samples of the data.
    pub samples: usize,
    /// Whether the samples are shuffled.
    pub shuffled: bool,
}

impl Preset {
    /// The preset of that name.
    pub fn named(name: &str) -> Option<Self> {
        let preset = match name {
            "circle" => Self {
                generator: &[2, 16, 32, 2],
                discriminator: &[2, 128, 64, 32, 1],
                slope: 0.0,
                dropout: 0.2,
                tanh_output: false,
                objective: Objective::Minimax,
                discriminator_factor: 1.0,
                order: Order::DiscriminatorFirst,
                optimizer: Optimizer::Adam,
                learning_rate: 0.001,
                samples: 1_024,
                shuffled: true,
            },
            "mixture1d" => Self {
                generator: &[1, 3, 1],
                discriminator: &[1, 1],
                slope: 0.0,
                dropout: 0.0,
                tanh_output: false,
                objective: Objective::NonSaturating,
                discriminator_factor: 0.5,
                order: Order::GeneratorFirstShared,
                optimizer: Optimizer::Sgd,
                learning_rate: 0.01,
                samples: 10_000,
                shuffled: true,
            },
            "gaussian2d" => Self {
                generator: &[2, 2],
                discriminator: &[2, 20, 10, 2],
                slope: 0.0,
                dropout: 0.0,
                tanh_output: false,
                objective: Objective::Softmax,
                discriminator_factor: 1.0,
                order: Order::DiscriminatorFirstShared,
                optimizer: Optimizer::Adam,
                learning_rate: 0.01,
                samples: 3_200,
                shuffled: false,
            },
            "mnist" => Self {
                generator: &[100, 256, 512, 1024, 784],
                discriminator: &[784, 1024, 512, 256, 1],
                slope: 0.2,
                dropout: 0.3,
                tanh_output: true,
                objective: Objective::NonSaturating,
                discriminator_factor: 1.0,
                order: Order::DiscriminatorFirst,
                optimizer: Optimizer::Adam,
                learning_rate: 0.0002,
                samples: 60_000,
                shuffled: true,
            },
            _ => return None,
        };
        Some(preset)
    }

    /// Numbers of a sample.
    pub fn features(&self) -> usize {
        self.discriminator[0]
    }

    /// Numbers of a latent.
    pub fn latents(&self) -> usize {
        self.generator[0]
    }
}

/// The arguments of a peer: `PRESET BATCH THREADS`.
#[derive(Debug)]
pub struct Arguments {
    /// What to train.
    pub preset: Preset,
    /// Samples of a mini-batch.
    pub batch: usize,
    /// Threads to use.
    pub threads: usize,
}

impl Arguments {
    /// Those of this process.
    pub fn parse() -> Result<Self, String> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [preset, batch, threads] = arguments.as_slice() else {
            return Err("arguments: PRESET BATCH THREADS".to_string());
        };
        let number = |text: &str| text.parse().map_err(|error| format!("{text}: {error}"));
        let parsed = Self {
            preset: Preset::named(preset).ok_or_else(|| format!("no preset is called {preset}"))?,
            batch: number(batch)?,
            threads: number(threads)?,
        };
        // The environment of a running process cannot be changed safely, so the caller sets it.
        match std::env::var("RAYON_NUM_THREADS") {
            Ok(set) if set == *threads => Ok(parsed),
            _ => Err(format!("RAYON_NUM_THREADS must be {threads} too")),
        }
    }
}

/// Splitmix64 (Steele, Lea and Flood 2014): what the made data are does not change the time.
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next number of 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// `count` numbers in [-bound, bound).
    pub fn uniform(&mut self, count: usize, bound: f64) -> Vec<f32> {
        let scale = bound / (1_u64 << 63) as f64;
        (0..count).map(|_| (self.bits() as f64 * scale - bound) as f32).collect()
    }
}

/// Made samples, row by row, in [-1, 1), and the order in which they are gathered.
#[derive(Debug)]
pub struct Data {
    /// Rows of the preset's features; never fewer than a batch.
    pub samples: Vec<f32>,
    /// Shuffled once, where the preset shuffles: a peer does not pay for doing it again each epoch.
    pub order: Vec<u32>,
}

impl Data {
    /// The data of a preset.
    pub fn new(preset: &Preset, batch: usize) -> Self {
        let mut random = Random(1);
        let count = preset.samples.max(batch);
        let samples = random.uniform(count * preset.features(), 1.0);
        let mut order: Vec<u32> = (0..count as u32).collect();
        if preset.shuffled {
            for last in (1..count).rev() {
                order.swap(last, (random.bits() % (last as u64 + 1)) as usize);
            }
        }
        Self { samples, order }
    }

    /// The weights [outputs, inputs] of one layer and its biases: U(-1/sqrt(inputs), 1/sqrt(inputs)), as PyTorch draws them.
    pub fn layer(random: &mut Random, inputs: usize, outputs: usize) -> (Vec<f32>, Vec<f32>) {
        let bound = 1.0 / (inputs as f64).sqrt();
        (random.uniform(inputs * outputs, bound), random.uniform(outputs, bound))
    }
}

/// A row is timed this long, ...
const ROW: Duration = Duration::from_secs(1);
/// ... in so many parts, of which the median counts: as `gannet bench` does it.
const PARTS: u32 = 9;

/// Times `run(steps)`, which returns the losses of D and G after the last step, and prints the result.
pub fn measure<E: ToString>(
    arguments: &Arguments,
    setting: &str,
    version: &str,
    mut run: impl FnMut(u64) -> Result<[f32; 2], E>,
) -> Result<(), String> {
    let mut losses = [0.0; 2];
    let mut seconds = |steps: u64| -> Result<f64, String> {
        let start = Instant::now();
        losses = run(steps).map_err(|error| error.to_string())?;
        Ok(start.elapsed().as_secs_f64())
    };
    let start = Instant::now();
    let part = (ROW / PARTS).as_secs_f64();
    // As many steps as fill a part: doubled until they can be timed, which also warms everything up.
    seconds(1)?;
    let mut steps = 1;
    let mut taken = seconds(steps)?;
    while taken < part / 4.0 {
        steps *= 2;
        taken = seconds(steps)?;
    }
    let steps = ((steps as f64 * part / taken).round() as u64).max(1);
    let mut rates = Vec::new();
    for _ in 0..PARTS {
        rates.push(steps as f64 / seconds(steps)?);
        // A step may take seconds: then fewer parts have to do.
        if start.elapsed() > 4 * ROW {
            break;
        }
    }
    rates.sort_by(f64::total_cmp);
    let rate = rates[rates.len() / 2] * arguments.batch as f64;
    if !losses.iter().all(|loss| loss.is_finite()) {
        return Err(format!("the losses are not finite: {losses:?}"));
    }
    println!(
        r#"{{"samples_per_second": {rate}, "losses": {losses:?}, "setting": "{setting}", "version": "{version}"}}"#
    );
    Ok(())
}
