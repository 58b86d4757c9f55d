//! The figures of an examination, and their place in a table.

/// What an examination found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Health {
    /// The share, 0 to 1, of real samples that D, without dropout, puts on the right side. 0.5 for both shares together is what
    /// a D that cannot tell them apart reaches.
    pub real_accuracy: f64,
    /// The same of generated samples.
    pub fake_accuracy: f64,
    /// The spread of the generated samples over the data's: the square root of the ratio of their total variances (summed over
    /// the features). 1 where they agree, 0 where all samples are the same one.
    pub spread: f64,
    /// The share of the examined real samples that are the nearest one of some generated sample, of which there are as many. It
    /// sees few modes whatever the spread, and does not ask for samples that lie on the data. About 0.6 where both come from the
    /// same distribution: 5/9 in one dimension, where the cell of a sample has a gamma distribution of shape 2, up to `1 - 1/e`
    /// where all cells are alike. Near 0 where the samples are copies of a few.
    ///
    /// A relative of recall and coverage (Naeem et al. 2020, "Reliable Fidelity and Diversity Metrics for Generative Models"),
    /// which count the real samples that have a generated one within the distance of their k-th real neighbor. On images that
    /// distance is so large that one blurred image counts as covering a third of the data: a collapsed run on MNIST reached 0.33
    /// in Naeem's coverage (k = 5) and 0.004 here.
    pub coverage: f64,
    /// The Euclidean norm of G's gradient in the last step; `None` where it is not known.
    pub generator_gradient_norm: Option<f64>,
    /// The same of D.
    pub discriminator_gradient_norm: Option<f64>,
    /// The share of G's hidden units through which no gradient passes at any examined sample: ReLU units that are always 0, tanh
    /// and sigmoid units that are always saturated. Linear and leaky units never die. 0 without hidden units.
    pub generator_dead_units: f64,
    /// The same of D's hidden units, over real and generated samples.
    pub discriminator_dead_units: f64,
}

impl Health {
    /// The names of the figures, in the order of [`Self::values`].
    pub const NAMES: [&'static str; 8] = [
        "real_accuracy",
        "fake_accuracy",
        "spread",
        "coverage",
        "generator_gradient_norm",
        "discriminator_gradient_norm",
        "generator_dead_units",
        "discriminator_dead_units",
    ];

    /// The figures; `None` where one is not known.
    pub fn values(&self) -> [Option<f64>; 8] {
        [
            Some(self.real_accuracy),
            Some(self.fake_accuracy),
            Some(self.spread),
            Some(self.coverage),
            self.generator_gradient_norm,
            self.discriminator_gradient_norm,
            Some(self.generator_dead_units),
            Some(self.discriminator_dead_units),
        ]
    }

    /// The figures again from what [`Self::values`] gave; `None` where one is missing that is always known.
    pub fn from_values(values: [Option<f64>; 8]) -> Option<Self> {
        let [real, fake, spread, coverage, generator_norm, discriminator_norm, generator_dead, discriminator_dead] =
            values;
        Some(Self {
            real_accuracy: real?,
            fake_accuracy: fake?,
            spread: spread?,
            coverage: coverage?,
            generator_gradient_norm: generator_norm,
            discriminator_gradient_norm: discriminator_norm,
            generator_dead_units: generator_dead?,
            discriminator_dead_units: discriminator_dead?,
        })
    }

    /// D's accuracy over real and generated samples together.
    pub fn accuracy(&self) -> f64 {
        f64::midpoint(self.real_accuracy, self.fake_accuracy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_come_back_from_their_values() {
        let health = Health {
            real_accuracy: 0.1,
            fake_accuracy: 0.2,
            spread: f64::INFINITY,
            coverage: 0.4,
            generator_gradient_norm: Some(0.5),
            discriminator_gradient_norm: Some(0.6),
            generator_dead_units: 0.7,
            discriminator_dead_units: 0.8,
        };
        assert_eq!(Health::from_values(health.values()), Some(health));
        let unknown = Health { generator_gradient_norm: None, discriminator_gradient_norm: None, ..health };
        assert_eq!(Health::from_values(unknown.values()), Some(unknown));
        for (index, name) in Health::NAMES.into_iter().enumerate() {
            let mut values = health.values();
            values[index] = None;
            assert_eq!(Health::from_values(values).is_some(), name.ends_with("gradient_norm"), "{name}");
        }
        assert!((health.accuracy() - 0.15).abs() < 1e-12);
    }
}
