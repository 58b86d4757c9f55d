//! The reference systems: networks, losses and settings of each, as its document gives them.

use super::spec::GanSpec;

/// A reference system by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Points on a circle.
    Circle,
    /// A 1-D mixture of two Gaussians, with a D that is Linear(1, 1).
    Mixture1d,
    /// The same data with a D and a G that can learn them.
    Mixture1dDeep,
    /// A 2-D Gaussian, with a linear G.
    Gaussian2d,
    /// MNIST, 28 x 28.
    Mnist,
    /// Handwritten digits, 8 x 8, embedded in the program.
    Digits,
}

/// How long a preset trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duration {
    /// Passes over the data.
    Epochs(u64),
    /// Steps of the generator.
    Steps(u64),
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Circle, Self::Mixture1d, Self::Mixture1dDeep, Self::Gaussian2d, Self::Mnist, Self::Digits];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Circle => "circle",
            Self::Mixture1d => "mixture1d",
            Self::Mixture1dDeep => "mixture1d-deep",
            Self::Gaussian2d => "gaussian2d",
            Self::Mnist => "mnist",
            Self::Digits => "digits",
        }
    }

    /// The preset called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// Networks, objective, order and optimizers.
    pub fn spec(self) -> GanSpec {
        todo!()
    }

    /// Default batch size.
    pub fn batch(self) -> usize {
        todo!()
    }

    /// Default length of the training.
    pub fn duration(self) -> Duration {
        todo!()
    }

    /// Default number of points of a synthetic system; `None` for `mnist` and `digits`.
    pub fn points(self) -> Option<usize> {
        todo!()
    }

    /// Whether the data are shuffled anew for each epoch.
    pub fn shuffle(self) -> bool {
        self != Self::Gaussian2d
    }

    /// `(height, width)` where samples are images.
    pub fn image(self) -> Option<(usize, usize)> {
        match self {
            Self::Mnist => Some((28, 28)),
            Self::Digits => Some((8, 8)),
            _ => None,
        }
    }
}
