//! The presets: networks, losses and settings of each, as its document gives them.
//!
//! | preset | document |
//! |---|---|
//! | `circle` | "Introduction of Generative Adversarial Networks", with a PyTorch implementation on points of a circle |
//! | `mixture1d` | "Introduction to Generative Adversarial Network" (2023): a mixture of two Gaussians in one dimension |
//! | `gaussian2d` | lecture 14 of "Deep Learning Systems" (T. Chen, J. Z. Kolter): a 2-D Gaussian and a linear generator |
//! | `mnist` | "Generative Adversarial Networks", after D. Gadler's "GANs from Scratch 1" (2018): dense networks on MNIST |
//!
//! All others are gannet's own, on the data of these and on more: `docs/results.md` tells what their settings were chosen from, and
//! what each preset reaches. Those called `-best` reach what can be reached today, where the documents' own recipes do not; a
//! `-conditional` one makes samples of a class that is asked for. The sets of `data::plane` have one recipe, `in_the_plane`.

use super::objective::Objective;
use super::optimizer_spec::{Adam, Sgd};
use super::penalties::Penalties;
use super::rate_schedule::RateSchedule;
use super::spec::{GanSpec, Order};
use crate::kernel::activation::Activation;
use crate::net::{Initialization, NetworkSpec};

/// A preset by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preset {
    /// Points on a circle.
    Circle,
    /// The same by today's recipe.
    CircleBest,
    /// A 1-D mixture of two Gaussians, with a D that is Linear(1, 1) and so sees nothing but the mean.
    Mixture1d,
    /// The same data with a D and a G that can learn them.
    Mixture1dDeep,
    /// A 2-D Gaussian, with a linear G.
    Gaussian2d,
    /// The same by today's recipe.
    Gaussian2dBest,
    /// Eight normal distributions on a circle, as in "PacGAN" (2018).
    Ring8,
    /// 25 normal distributions on a grid, as in "PacGAN" (2018).
    Grid25,
    /// A spiral.
    SwissRoll,
    /// Two half circles that reach into each other.
    TwoMoons,
    /// The black squares of a board of 4 by 4.
    Checkerboard,
    /// MNIST, 28 x 28.
    Mnist,
    /// The same by a recipe that comes near to the likelihood of real images.
    MnistBest,
    /// The same, where both networks are told the digit.
    MnistConditional,
    /// Handwritten digits, 8 x 8, embedded in the program.
    Digits,
    /// The same, where both networks are told the digit.
    DigitsConditional,
}

/// How long a preset trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duration {
    /// Passes over the data.
    Epochs(u64),
    /// Steps of the generator.
    Steps(u64),
}

/// Leaky ReLU as the image presets and `mixture1d-deep` use it.
const LEAKY: Activation = Activation::LeakyRelu { slope: 0.2 };

/// The recipe of the presets whose data are those of `data::plane`, and its batch and length. G has ReLU, whose kinks
/// can end a mode sharply; with leaky ReLU, whatever the depth, up to a tenth of the samples lies between the modes.
fn in_the_plane() -> GanSpec {
    let generator = NetworkSpec::dense(&[2, 128, 128, 128, 128, 2], Activation::Relu, 0.0, Activation::Linear);
    let discriminator = NetworkSpec::dense(&[2, 128, 128, 128, 1], LEAKY, 0.0, Activation::Linear);
    of_today(generator, discriminator, 0.001, 1.0, IN_THE_PLANE_STEPS)
}
const IN_THE_PLANE_BATCH: usize = 256;
const IN_THE_PLANE_STEPS: u64 = 30_000;

/// Today's recipe: [R3GAN's](GanSpec::with_r3gan) with this weight of the penalties, and learning rates that fall along a cosine.
fn of_today(generator: NetworkSpec, discriminator: NetworkSpec, rate: f32, weight: f32, steps: u64) -> GanSpec {
    GanSpec::new(generator, discriminator)
        .with_optimizers(Adam::new(rate))
        .with_r3gan()
        .with_penalties(Penalties::default().with_r1(weight).with_r2(weight))
        .with_schedule(RateSchedule::cosine(steps))
}

/// Points of the sets of which more are better.
const MANY_POINTS: usize = 100_000;

/// Steps of the presets that train by today's recipe on data of the older ones.
const BEST_STEPS: u64 = 10_000;

/// Steps of `mnist-best` and `mnist-conditional`.
const MNIST_STEPS: u64 = 15_000;

/// The networks of `mnist` by the recipe that learns it best, with so many conditions: few latents, initial weights that keep the size of
/// what passes through them, a G that learns twice as fast as D, rates that fall along a cosine, and an average of G. It has no penalties
/// of D's slope, since they cost likelihood here (docs/results.md).
fn of_mnist(conditions: usize) -> GanSpec {
    let adam = |rate| Adam::new(rate).with_beta1(0.0).with_beta2(0.999);
    let generator =
        NetworkSpec::dense(&[32 + conditions, 256, 512, 1024, 784], Activation::Relu, 0.0, Activation::Tanh);
    let discriminator = NetworkSpec::dense(&[784 + conditions, 1024, 512, 256, 1], LEAKY, 0.05, Activation::Linear);
    GanSpec::new(
        generator.with_initialization(Initialization::He),
        discriminator.with_initialization(Initialization::He),
    )
    .with_objective(Objective::NonSaturating)
    .with_generator_optimizer(adam(0.001))
    .with_discriminator_optimizer(adam(0.0005))
    .with_ema_decay(0.999)
    .with_schedule(RateSchedule::cosine(MNIST_STEPS))
    .with_conditions(conditions)
}

/// The classes of digits.
const DIGITS: usize = 10;

impl Preset {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Circle,
        Self::CircleBest,
        Self::Mixture1d,
        Self::Mixture1dDeep,
        Self::Gaussian2d,
        Self::Gaussian2dBest,
        Self::Ring8,
        Self::Grid25,
        Self::SwissRoll,
        Self::TwoMoons,
        Self::Checkerboard,
        Self::Mnist,
        Self::MnistBest,
        Self::MnistConditional,
        Self::Digits,
        Self::DigitsConditional,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Circle => "circle",
            Self::CircleBest => "circle-best",
            Self::Mixture1d => "mixture1d",
            Self::Mixture1dDeep => "mixture1d-deep",
            Self::Gaussian2d => "gaussian2d",
            Self::Gaussian2dBest => "gaussian2d-best",
            Self::Ring8 => "ring8",
            Self::Grid25 => "grid25",
            Self::SwissRoll => "swiss-roll",
            Self::TwoMoons => "two-moons",
            Self::Checkerboard => "checkerboard",
            Self::Mnist => "mnist",
            Self::MnistBest => "mnist-best",
            Self::MnistConditional => "mnist-conditional",
            Self::Digits => "digits",
            Self::DigitsConditional => "digits-conditional",
        }
    }

    /// The preset called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|preset| preset.name() == name)
    }

    /// Networks, objective, order and optimizers.
    pub fn spec(self) -> GanSpec {
        use Activation::{Linear, Relu, Tanh};
        let dense = NetworkSpec::dense;
        let without_momentum = |learning_rate, beta2| Adam::new(learning_rate).with_beta1(0.0).with_beta2(beta2);
        match self {
            Self::Circle => {
                GanSpec::new(dense(&[2, 16, 32, 2], Relu, 0.0, Linear), dense(&[2, 128, 64, 32, 1], Relu, 0.2, Linear))
                    .with_objective(Objective::Minimax)
                    .with_order(Order::DiscriminatorFirst)
                    .with_optimizers(Adam::new(0.001))
            }
            Self::CircleBest => of_today(
                dense(&[2, 64, 64, 64, 2], Relu, 0.0, Linear),
                dense(&[2, 64, 64, 64, 1], LEAKY, 0.0, Linear),
                0.002,
                0.1,
                BEST_STEPS,
            ),
            Self::Mixture1d => GanSpec::new(dense(&[1, 3, 1], Relu, 0.0, Linear), dense(&[1, 1], Relu, 0.0, Linear))
                .with_objective(Objective::NonSaturatingHalf)
                .with_order(Order::GeneratorFirstSharedFake)
                .with_optimizers(Sgd::new(0.01)),
            // Objective and order of `mixture1d`; a quick D without the momentum that makes the pair swing, and a slower G.
            Self::Mixture1dDeep => {
                GanSpec::new(dense(&[1, 32, 32, 1], LEAKY, 0.0, Linear), dense(&[1, 32, 32, 1], LEAKY, 0.0, Linear))
                    .with_objective(Objective::NonSaturatingHalf)
                    .with_order(Order::GeneratorFirstSharedFake)
                    .with_generator_optimizer(without_momentum(0.0007, 0.9999))
                    .with_discriminator_optimizer(without_momentum(0.005, 0.9999))
            }
            Self::Gaussian2d => {
                GanSpec::new(dense(&[2, 2], Relu, 0.0, Linear), dense(&[2, 20, 10, 2], Relu, 0.0, Linear))
                    .with_objective(Objective::Softmax)
                    .with_order(Order::DiscriminatorFirstSharedFake)
                    .with_optimizers(Adam::new(0.01))
            }
            Self::Gaussian2dBest => of_today(
                dense(&[2, 2], Relu, 0.0, Linear),
                dense(&[2, 32, 32, 1], LEAKY, 0.0, Linear),
                0.003,
                1.0,
                BEST_STEPS,
            ),
            Self::Ring8 | Self::Grid25 | Self::SwissRoll | Self::TwoMoons | Self::Checkerboard => in_the_plane(),
            Self::Mnist => GanSpec::new(
                dense(&[100, 256, 512, 1024, 784], LEAKY, 0.0, Tanh),
                dense(&[784, 1024, 512, 256, 1], LEAKY, 0.3, Linear),
            )
            .with_objective(Objective::NonSaturating)
            .with_order(Order::DiscriminatorFirst)
            .with_optimizers(Adam::new(0.0002)),
            Self::MnistBest => of_mnist(0),
            Self::MnistConditional => of_mnist(DIGITS),
            Self::DigitsConditional => of_today(
                dense(&[32 + DIGITS, 192, 192, 64], LEAKY, 0.0, Tanh),
                dense(&[64 + DIGITS, 256, 128, 1], LEAKY, 0.0, Linear),
                0.001,
                1.0,
                BEST_STEPS,
            )
            .with_conditions(DIGITS),
            Self::Digits => GanSpec::new(
                dense(&[32, 192, 192, 64], LEAKY, 0.0, Tanh),
                dense(&[64, 256, 128, 1], LEAKY, 0.3, Linear),
            )
            .with_objective(Objective::NonSaturating)
            .with_order(Order::DiscriminatorFirst)
            .with_generator_optimizer(without_momentum(0.0005, 0.999))
            .with_discriminator_optimizer(without_momentum(0.001, 0.999)),
        }
    }

    /// Default batch size.
    pub fn batch(self) -> usize {
        match self {
            Self::Mnist => 100,
            Self::MnistBest | Self::MnistConditional => 128,
            Self::CircleBest => 1_024,
            Self::Mixture1dDeep | Self::Gaussian2dBest => 256,
            Self::Digits | Self::DigitsConditional => 64,
            Self::Circle | Self::Mixture1d | Self::Gaussian2d => 32,
            Self::Ring8 | Self::Grid25 | Self::SwissRoll | Self::TwoMoons | Self::Checkerboard => IN_THE_PLANE_BATCH,
        }
    }

    /// Default length of the training.
    pub fn duration(self) -> Duration {
        match self {
            Self::Circle => Duration::Epochs(100),
            Self::Mixture1d | Self::Mixture1dDeep => Duration::Epochs(50),
            Self::Gaussian2d => Duration::Steps(2_000),
            Self::Ring8 | Self::Grid25 | Self::SwissRoll | Self::TwoMoons | Self::Checkerboard => {
                Duration::Steps(IN_THE_PLANE_STEPS)
            }
            Self::CircleBest | Self::Gaussian2dBest | Self::DigitsConditional => Duration::Steps(BEST_STEPS),
            Self::MnistBest | Self::MnistConditional => Duration::Steps(MNIST_STEPS),
            Self::Mnist => Duration::Epochs(200),
            Self::Digits => Duration::Epochs(600),
        }
    }

    /// Default number of points of a synthetic preset; `None` where samples are images.
    pub fn points(self) -> Option<usize> {
        match self {
            Self::Circle => Some(1_024),
            Self::Mixture1d | Self::Mixture1dDeep => Some(10_000),
            Self::Gaussian2d => Some(3_200),
            Self::CircleBest
            | Self::Gaussian2dBest
            | Self::Ring8
            | Self::Grid25
            | Self::SwissRoll
            | Self::TwoMoons
            | Self::Checkerboard => Some(MANY_POINTS),
            Self::Mnist | Self::MnistBest | Self::MnistConditional | Self::Digits | Self::DigitsConditional => None,
        }
    }

    /// Whether the data are shuffled anew for each epoch.
    pub fn shuffle(self) -> bool {
        self != Self::Gaussian2d
    }

    /// `(height, width)` where samples are images.
    pub fn image(self) -> Option<(usize, usize)> {
        match self {
            Self::Mnist | Self::MnistBest | Self::MnistConditional => Some((28, 28)),
            Self::Digits | Self::DigitsConditional => Some((8, 8)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_valid_and_found_by_its_name() {
        for &preset in Preset::ALL {
            preset.spec().validate().unwrap();
            assert_eq!(Preset::from_name(preset.name()), Some(preset));
        }
        assert_eq!(Preset::from_name("mnits"), None);
    }

    #[test]
    fn work_of_a_step_is_that_of_the_formula() {
        // 12 M_D + 4 M_D' + 6 M_G + 2 M_G' of the documents' networks, by hand.
        let work = |preset: Preset| preset.spec().flop_per_sample();
        assert_eq!(work(Preset::Circle), 12 * 10_528 + 4 * 10_272 + 6 * 608 + 2 * 576);
        assert_eq!(work(Preset::Mixture1d), 12 + 6 * 6 + 2 * 3);
        assert_eq!(work(Preset::Gaussian2d), 12 * 260 + 4 * 220 + 6 * 4);
        assert_eq!(work(Preset::Mnist), 12 * 1_458_432 + 4 * 655_616 + 6 * 1_483_776 + 2 * 1_458_176);
    }
}
