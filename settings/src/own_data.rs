//! The defaults for own data, by what a sample is and how many there are. docs/own-data.md and
//! docs/results.md have the figures that they were chosen by.

use std::fmt;

use gannet::gan::presets::{Duration, Preset};
use gannet::gan::{Adam, GanSpec, Penalties, RateSchedule};
use gannet::internals::numbers::counted;
use gannet::net::{Activation, NetworkSpec};

use crate::objective::plain;

/// What a sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// So many numbers: a point where it has two.
    Numbers(usize),
    /// A row of a table with categories, or with missing values.
    Mixed {
        /// What it says: its numbers, and groups of indicators.
        columns: usize,
        /// Its values.
        features: usize,
    },
    /// An image.
    Image {
        /// Rows of pixels.
        height: usize,
        /// Pixels of a row.
        width: usize,
    },
}

impl Shape {
    /// Values of a sample.
    pub fn features(self) -> usize {
        match self {
            Self::Numbers(count) => count,
            Self::Mixed { features, .. } => features,
            Self::Image { height, width } => height.saturating_mul(width),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbers(1) => formatter.write_str("numbers of one column that varies"),
            Self::Numbers(count) => write!(formatter, "numbers of {count} columns that vary"),
            Self::Mixed { columns, features } => {
                let (columns, features) = (counted(*columns as u64, "column"), counted(*features as u64, "value"));
                write!(formatter, "rows of {columns}, {features}")
            }
            Self::Image { height, width } => write!(formatter, "images of {height} x {width} pixels"),
        }
    }
}

/// Columns up to which a table has the networks of the presets in the plane; from the next on it has wider ones and a smaller weight of
/// the penalties.
const FEW_COLUMNS: usize = 16;

/// Rows below which more steps learn the rows rather than what they are drawn from.
const FEW_ROWS: u64 = 1_000;

/// Largest default batch: of a table of few columns, and of any other data.
const TABLE_BATCH: usize = 256;
const BATCH: usize = 128;

/// Steps that the default length comes to, where that is a pass over the data or more: of a table of few columns and many rows, and of
/// any other data.
const TABLE_STEPS: u64 = 20_000;
const STEPS: u64 = 10_000;

/// Samples of a part of a batch at least.
const LEAST_SHARD: usize = 32;

/// Steps for five rows of a table with categories, and how few and how many there are of any.
const MIXED_STEPS_OF_FIVE_ROWS: u64 = 3;
const LEAST_MIXED_STEPS: u64 = 5_000;
const MOST_MIXED_STEPS: u64 = 20_000;

/// Whether samples of `shape` are rows of a table of few columns.
fn has_few_columns(shape: Shape) -> bool {
    match shape {
        Shape::Numbers(columns) | Shape::Mixed { columns, .. } => columns <= FEW_COLUMNS,
        Shape::Image { .. } => false,
    }
}

/// Default batch for `rows` samples of `shape`: less than the data where they are few.
pub fn batch(shape: Shape, rows: usize) -> usize {
    let usual = match shape {
        Shape::Numbers(_) if has_few_columns(shape) => TABLE_BATCH,
        _ => BATCH,
    };
    usual.min(rows)
}

/// Default parts of a batch whose gradients are added in a tree: so that two threads have a part each where a batch is small.
pub fn shards(shape: Shape, batch: usize) -> usize {
    match shape {
        Shape::Mixed { .. } if batch >= 2 * LEAST_SHARD => 2,
        _ => 1,
    }
}

/// Default length of a training on `rows` samples of `shape` with this batch: at least one pass over the data.
pub fn duration(shape: Shape, rows: u64, batch: usize) -> Duration {
    let steps = match shape {
        Shape::Mixed { .. } => (rows * MIXED_STEPS_OF_FIVE_ROWS / 5).clamp(LEAST_MIXED_STEPS, MOST_MIXED_STEPS),
        _ if has_few_columns(shape) && rows >= FEW_ROWS => TABLE_STEPS,
        _ => STEPS,
    };
    Duration::Epochs(steps.saturating_mul(batch as u64).div_ceil(rows.max(1)).max(1))
}

/// Default networks, objective and optimizers for samples of `shape`, each of which is one of so many `classes`; without labels that
/// is 0. The schedule of the learning rates has no length: that of the run takes its place.
pub fn spec(shape: Shape, classes: usize) -> GanSpec {
    spec_with(shape, &[], classes)
}

/// The same for samples whose last values are in groups of these sizes: the generator makes a softmax of each.
pub fn spec_with(shape: Shape, groups: &[usize], classes: usize) -> GanSpec {
    let mut spec = match shape {
        Shape::Image { .. } => of_images_with(shape.features(), Preset::MnistBest),
        Shape::Mixed { features, .. } => of_mixed_table(features),
        _ if has_few_columns(shape) => of_narrow_table(shape.features()),
        _ => of_wide_table(shape.features()),
    };
    if let Some(last) = spec.generator.layers.last_mut() {
        last.softmax = groups.to_vec();
    }
    with_classes(spec, classes)
}

/// What a file begins with that names an objective and no recipe, where `spec` has the defaults for samples of `shape`: what the defaults
/// were before they had today's recipes, so that runs of that time go on.
pub fn before_recipes(spec: GanSpec, shape: Shape) -> GanSpec {
    match shape {
        Shape::Image { .. } => with_classes(of_images_with(shape.features(), Preset::Mnist), spec.conditions),
        Shape::Numbers(_) | Shape::Mixed { .. } => plain(spec),
    }
}

/// The same GAN with so many classes as conditions of both networks.
fn with_classes(mut spec: GanSpec, classes: usize) -> GanSpec {
    for network in [&mut spec.generator, &mut spec.discriminator] {
        if let Some(first) = network.layers.first_mut() {
            first.inputs += classes;
        }
    }
    spec.with_conditions(classes)
}

/// The class of the generated sample of an index, of classes with so many samples each: every class comes as often as in the data, in any
/// range of indices to within a few. (The multiples of the golden ratio fill the unit interval evenly: the sequence of Weyl.)
pub fn class_of_sample(counts: &[u64], index: u64) -> usize {
    // The fractional part of index / golden ratio, in 64 bits.
    let place = index.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1 << 63);
    let total: u128 = counts.iter().map(|count| u128::from(*count)).sum();
    let reached = (u128::from(place) * total) >> 64;
    let mut sum = 0;
    let class = counts.iter().position(|count| {
        sum += u128::from(*count);
        reached < sum
    });
    class.unwrap_or(0)
}

/// Least latent features.
const LATENTS: usize = 8;

/// Latent features of a table with categories.
const MIXED_LATENTS: usize = 16;

/// Values of a row of a table with categories beyond which its networks are wider.
const MANY_FEATURES: usize = 100;

/// The activation of most default networks.
const LEAKY: Activation = Activation::LeakyRelu { slope: 0.2 };

/// The defaults for a table of so few columns: the networks of the presets in the plane.
fn of_narrow_table(columns: usize) -> GanSpec {
    by_todays_recipe(
        NetworkSpec::dense(&[LATENTS, 128, 128, 128, 128, columns], Activation::Relu, 0.0, Activation::Linear),
        NetworkSpec::dense(&[columns, 128, 128, 128, 1], LEAKY, 0.0, Activation::Linear),
        1.0,
    )
}

/// The defaults for a table of so many columns.
fn of_wide_table(columns: usize) -> GanSpec {
    let latents = columns.clamp(LATENTS, 64);
    by_todays_recipe(
        NetworkSpec::dense(&[latents, 256, 256, 256, columns], LEAKY, 0.0, Activation::Linear),
        NetworkSpec::dense(&[columns, 256, 256, 256, 1], LEAKY, 0.0, Activation::Linear),
        0.1,
    )
}

/// The defaults for a table with categories, or with missing values, whose samples have so many values.
fn of_mixed_table(features: usize) -> GanSpec {
    // Wider than what is narrow in a table of many categories, and no wider than is quick.
    let width = if features > MANY_FEATURES { 256 } else { 128 };
    let network = |inputs: usize, outputs: usize, activation| {
        NetworkSpec::dense(&[inputs, width, width, width, outputs], activation, 0.0, Activation::Linear)
    };
    by_todays_recipe(network(MIXED_LATENTS, features, Activation::Relu), network(features, 1, LEAKY), 0.3)
        .with_optimizers(Adam::new(0.002).with_beta1(0.0).with_beta2(0.99))
}

/// R3GAN's recipe with this weight of the penalties, and rates that fall along a cosine.
fn by_todays_recipe(generator: NetworkSpec, discriminator: NetworkSpec, weight: f32) -> GanSpec {
    GanSpec::new(generator, discriminator)
        .with_optimizers(Adam::new(0.001))
        .with_r3gan()
        .with_penalties(Penalties::default().with_r1(weight).with_r2(weight))
        // The length of the run takes the place of 0.
        .with_schedule(RateSchedule::cosine(0))
}

/// Pixels from which on images have the larger networks: 16 x 16.
const LARGE: usize = 256;

/// The defaults for images of so many pixels: those of `digits`, or of the preset `large` where there are many.
fn of_images_with(pixels: usize, large: Preset) -> GanSpec {
    let mut spec = if pixels < LARGE { Preset::Digits.spec() } else { large.spec() };
    // The length of the run takes the place of 0.
    spec.schedule.steps = 0;
    if let Some(last) = spec.generator.layers.last_mut() {
        last.outputs = pixels;
    }
    if let Some(first) = spec.discriminator.layers.first_mut() {
        first.inputs = pixels;
    }
    spec
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_suit_the_size() {
        for (shape, latents, width) in [
            (Shape::Numbers(1), 8, 128),
            (Shape::Numbers(2), 8, 128),
            (Shape::Numbers(16), 8, 128),
            (Shape::Numbers(17), 17, 256),
            (Shape::Numbers(16_384), 64, 256),
            (Shape::Image { height: 5, width: 7 }, 32, 192),
            (Shape::Image { height: 28, width: 28 }, 32, 256),
            (Shape::Image { height: 300, width: 200 }, 32, 256),
        ] {
            let mut spec = spec(shape, 0);
            if spec.schedule != RateSchedule::constant() {
                // The length of the run.
                spec.schedule.steps = 1;
            }
            spec.validate().unwrap();
            assert_eq!((spec.latents(), spec.features()), (latents, shape.features()), "{shape}");
            assert_eq!(spec.generator.layers[0].outputs, width, "{shape}");
        }
    }

    #[test]
    fn files_of_before_have_the_defaults_of_before() {
        let shape = Shape::Image { height: 28, width: 28 };
        let before = before_recipes(spec(shape, 10), shape);
        before.validate().unwrap();
        assert_eq!((before.latents(), before.conditions, before.ema_decay), (100, 10, 0.0));
        let mut of_preset = Preset::Mnist.spec().with_conditions(10);
        of_preset.generator.layers[0].inputs += 10;
        of_preset.discriminator.layers[0].inputs += 10;
        assert_eq!(before, of_preset);
        let table = spec(Shape::Numbers(2), 0);
        assert_eq!(before_recipes(table.clone(), Shape::Numbers(2)), plain(table));
    }

    #[test]
    fn classes_are_conditions_of_both_networks() {
        let mut spec = spec(Shape::Numbers(2), 3);
        spec.schedule.steps = 1;
        spec.validate().unwrap();
        assert_eq!((spec.conditions, spec.latents(), spec.features()), (3, 8, 2));
        assert_eq!((spec.generator.inputs(), spec.discriminator.inputs()), (11, 5));
    }
}
