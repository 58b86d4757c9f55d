//! The figures of an examination, and their place in a table.

/// What an examination found.
///
/// Distances are in units of the data's spread: the root of the mean variance of a feature.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
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
    /// The share of the real samples in neighborhoods that the generated ones miss: 16 of 32 samples each, or fewer where the data
    /// are few; one is missed where it holds less than a fifth of its share. 0.5 where half of the modes are lost.
    pub lost_share: f64,
    /// The sliced 1-Wasserstein distance of the generated samples to the real ones.
    pub data_distance: f64,
    /// The same between two halves of the real samples.
    pub halves_distance: f64,
    /// The distance of the mean of the generated samples from that of the real ones, over the root of the number of features.
    pub mean_shift: f64,
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
    pub const NAMES: [&'static str; 12] = [
        "real_accuracy",
        "fake_accuracy",
        "spread",
        "coverage",
        "lost_share",
        "data_distance",
        "halves_distance",
        "mean_shift",
        "generator_gradient_norm",
        "discriminator_gradient_norm",
        "generator_dead_units",
        "discriminator_dead_units",
    ];

    /// The figures; `None` where one is not known.
    pub fn values(&self) -> [Option<f64>; Self::NAMES.len()] {
        [
            Some(self.real_accuracy),
            Some(self.fake_accuracy),
            Some(self.spread),
            Some(self.coverage),
            Some(self.lost_share),
            Some(self.data_distance),
            Some(self.halves_distance),
            Some(self.mean_shift),
            self.generator_gradient_norm,
            self.discriminator_gradient_norm,
            Some(self.generator_dead_units),
            Some(self.discriminator_dead_units),
        ]
    }

    /// The figures again from what [`Self::values`] gave; `None` where one is missing that is always known.
    pub fn from_values(values: [Option<f64>; Self::NAMES.len()]) -> Option<Self> {
        let [real, fake, spread, coverage, lost, data, halves, shift, norms @ .., generator_dead, discriminator_dead] =
            values;
        let [generator_norm, discriminator_norm] = norms;
        Some(Self {
            real_accuracy: real?,
            fake_accuracy: fake?,
            spread: spread?,
            coverage: coverage?,
            lost_share: lost?,
            data_distance: data?,
            halves_distance: halves?,
            mean_shift: shift?,
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
            lost_share: 0.5,
            data_distance: 1.5,
            halves_distance: 0.25,
            mean_shift: 0.75,
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
