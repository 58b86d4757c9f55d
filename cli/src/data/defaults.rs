//! The defaults for own data, by what a sample is and how many there are. docs/own-data.md has the figures that they were chosen by.

use gannet::gan::{Adam, GanSpec, Penalties, RateSchedule, presets};
use gannet::net::{Activation, NetworkSpec};

use crate::preset::Shape;

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

/// Whether samples of `shape` are rows of a table of few columns.
fn has_few_columns(shape: Shape) -> bool {
    matches!(shape, Shape::Numbers(columns) if columns <= FEW_COLUMNS)
}

/// Default batch for samples of `shape`, where there are as many.
pub(super) fn batch(shape: Shape) -> usize {
    if has_few_columns(shape) { TABLE_BATCH } else { BATCH }
}

/// Default steps for so many samples of `shape`, where that is a pass over them or more.
pub(super) fn steps(shape: Shape, rows: u64) -> u64 {
    if has_few_columns(shape) && rows >= FEW_ROWS { TABLE_STEPS } else { STEPS }
}

/// Default networks, objective and optimizers for samples of `shape`.
pub(super) fn spec(shape: Shape) -> GanSpec {
    match shape {
        Shape::Numbers(columns) if has_few_columns(shape) => of_narrow_table(columns),
        Shape::Numbers(columns) => of_wide_table(columns),
        Shape::Image { .. } => of_images_with(shape.features()),
    }
}

/// Least latent features.
const LATENTS: usize = 8;

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

/// R3GAN's recipe with this weight of the penalties, and rates that fall along a cosine.
fn by_todays_recipe(generator: NetworkSpec, discriminator: NetworkSpec, weight: f32) -> GanSpec {
    GanSpec::new(generator, discriminator)
        .with_optimizers(Adam::new(0.001))
        .with_r3gan()
        .with_penalties(Penalties::default().with_r1(weight).with_r2(weight))
        // The length of the run takes the place of 0.
        .with_schedule(RateSchedule::cosine(0))
}

/// The defaults for images of so many pixels: those of the presets of about the size, which are known to learn images.
fn of_images_with(pixels: usize) -> GanSpec {
    /// Pixels from which on the larger networks are taken: 16 x 16.
    const LARGE: usize = 256;
    let mut spec = if pixels < LARGE { presets::Preset::Digits.spec() } else { presets::Preset::Mnist.spec() };
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
            (Shape::Image { height: 28, width: 28 }, 100, 256),
            (Shape::Image { height: 300, width: 200 }, 100, 256),
        ] {
            let mut spec = spec(shape);
            if spec.schedule != RateSchedule::constant() {
                // The length of the run.
                spec.schedule.steps = 1;
            }
            spec.validate().unwrap();
            assert_eq!((spec.latents(), spec.features()), (latents, shape.features()), "{shape}");
            assert_eq!(spec.generator.layers[0].outputs, width, "{shape}");
        }
    }
}
