//! The presets that the program knows, one entry each: where their samples come from, and how what is learned of them is measured.
//!
//! Networks, objective and length of each stand in the library.

use gannet::Result;
use gannet::data::{ArraySource, digits, plane, synthetic};
use gannet::gan::presets::Preset;

use crate::data::classes::Classes;

/// Makes samples, of which there shall be so many, from a seed.
pub(crate) type Make = fn(usize, u64) -> Result<ArraySource>;

/// Where the samples of a preset come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Data {
    /// So many numbers each, made by a function of their count and the seed.
    Made {
        /// Values of a sample.
        features: usize,
        /// What makes those to train on.
        make: Make,
        /// What makes others of the same distribution, to measure against.
        fresh: Make,
    },
    /// Images embedded in the program.
    Embedded {
        /// How many.
        samples: usize,
    },
    /// Images in a folder with the four files of MNIST.
    Folder {
        /// How many are trained on.
        samples: usize,
    },
}

impl Data {
    /// How many samples there are; `None` where that is a setting.
    pub(crate) fn samples(self) -> Option<usize> {
        match self {
            Self::Made { .. } => None,
            Self::Embedded { samples } | Self::Folder { samples } => Some(samples),
        }
    }
}

/// The sliced distance between two sets of 5,000 real points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RealDistance {
    pub(crate) value: f64,
    pub(crate) words: &'static str,
}

/// How what is learned is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Measuring {
    /// By radius and angle, against fresh points.
    Circle,
    /// As a distribution of numbers, against fresh ones.
    Mixture,
    /// By mean and covariance.
    Gaussian,
    /// As points, against fresh ones.
    Points {
        /// The distance of two sets of real points.
        real: RealDistance,
    },
    /// The same, and by known modes around these centers with this s.d.
    Modes {
        /// Their centers.
        centers: &'static [[f64; 2]],
        /// The standard deviation of each.
        sd: f64,
        /// How many there are, in words.
        all: &'static str,
        /// As of [`Self::Points`].
        real: RealDistance,
    },
    /// By the classes of the nearest real images, and by likelihood where there are test images.
    Classes,
    /// Against two halves of the data.
    Halves,
}

/// What the program knows of a preset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) preset: Preset,
    pub(crate) data: Data,
    pub(crate) measuring: Measuring,
    /// The measures that are taken while a run goes on. A run is judged by the first distance, or else the first that can be better
    /// or worse.
    pub(crate) measures: &'static [&'static str],
    /// The classes that both networks are given, if they are.
    pub(crate) classes: Option<fn() -> Classes>,
    /// Epochs between model files; 0 = only the last.
    pub(crate) save_epochs: u64,
}

/// The measures of numbers from a mixture, of points from one with known modes, and of images of digits.
const OF_MIXTURE: &[&str] = &["mean", "sd", "wasserstein1"];
const OF_MODES: &[&str] = &["modes_captured", "high_quality_share", "reverse_kl", "sliced_wasserstein"];
const OF_CLASSES: &[&str] = &["classes_covered", "pixel_sd", "real_pixel_sd"];

/// Those whose data several presets have.
const CIRCLE: Entry = Entry {
    preset: Preset::Circle,
    data: Data::Made { features: 2, make: synthetic::circle, fresh: synthetic::fresh_circle },
    measuring: Measuring::Circle,
    measures: &["sliced_wasserstein", "mean_radius", "radius_sd", "sector_coverage"],
    classes: None,
    save_epochs: 0,
};

const GAUSSIAN: Entry = Entry {
    preset: Preset::Gaussian2d,
    data: Data::Made { features: 2, make: synthetic::gaussian2d, fresh: synthetic::fresh_gaussian2d },
    measuring: Measuring::Gaussian,
    measures: &[
        "covariance_error",
        "mean_distance",
        "covariance_xx",
        "covariance_xy",
        "covariance_yy",
        "bias_x",
        "bias_y",
    ],
    classes: None,
    save_epochs: 0,
};

const MNIST: Entry = Entry {
    preset: Preset::Mnist,
    data: Data::Folder { samples: 60_000 },
    measuring: Measuring::Classes,
    measures: OF_CLASSES,
    classes: None,
    // Its document saves both networks at each epoch: of 200, that would be 2.4 GB.
    save_epochs: 100,
};

const DIGITS: Entry = Entry {
    preset: Preset::Digits,
    data: Data::Embedded { samples: digits::COUNT },
    measuring: Measuring::Classes,
    measures: OF_CLASSES,
    classes: None,
    save_epochs: 0,
};

/// All of them.
const TABLE: &[Entry] = &[
    CIRCLE,
    Entry { preset: Preset::CircleBest, ..CIRCLE },
    Entry {
        preset: Preset::Mixture1d,
        data: Data::Made { features: 1, make: synthetic::mixture1d, fresh: synthetic::fresh_mixture1d },
        measuring: Measuring::Mixture,
        measures: OF_MIXTURE,
        classes: None,
        save_epochs: 0,
    },
    Entry {
        preset: Preset::Mixture1dDeep,
        data: Data::Made { features: 1, make: synthetic::mixture1d, fresh: synthetic::fresh_mixture1d },
        measuring: Measuring::Mixture,
        measures: OF_MIXTURE,
        classes: None,
        save_epochs: 0,
    },
    GAUSSIAN,
    Entry { preset: Preset::Gaussian2dBest, ..GAUSSIAN },
    Entry {
        preset: Preset::Ring8,
        data: Data::Made { features: 2, make: plane::ring8, fresh: plane::fresh_ring8 },
        measuring: Measuring::Modes {
            centers: &plane::RING_CENTERS,
            sd: plane::RING_SD,
            all: "of 8",
            real: RealDistance { value: 0.015, words: "two sets of real points: 0.015" },
        },
        measures: OF_MODES,
        classes: None,
        save_epochs: 0,
    },
    Entry {
        preset: Preset::Grid25,
        data: Data::Made { features: 2, make: plane::grid25, fresh: plane::fresh_grid25 },
        measuring: Measuring::Modes {
            centers: &plane::GRID_CENTERS,
            sd: plane::GRID_SD,
            all: "of 25",
            real: RealDistance { value: 0.064, words: "two sets of real points: 0.064" },
        },
        measures: OF_MODES,
        classes: None,
        save_epochs: 0,
    },
    Entry {
        preset: Preset::SwissRoll,
        data: Data::Made { features: 2, make: plane::swiss_roll, fresh: plane::fresh_swiss_roll },
        measuring: Measuring::Points { real: RealDistance { value: 0.021, words: "two sets of real points: 0.021" } },
        measures: &["sliced_wasserstein"],
        classes: None,
        save_epochs: 0,
    },
    Entry {
        preset: Preset::TwoMoons,
        data: Data::Made { features: 2, make: plane::two_moons, fresh: plane::fresh_two_moons },
        measuring: Measuring::Points { real: RealDistance { value: 0.016, words: "two sets of real points: 0.016" } },
        measures: &["sliced_wasserstein"],
        classes: None,
        save_epochs: 0,
    },
    Entry {
        preset: Preset::Checkerboard,
        data: Data::Made { features: 2, make: plane::checkerboard, fresh: plane::fresh_checkerboard },
        measuring: Measuring::Points { real: RealDistance { value: 0.023, words: "two sets of real points: 0.023" } },
        measures: &["sliced_wasserstein"],
        classes: None,
        save_epochs: 0,
    },
    MNIST,
    Entry { preset: Preset::MnistBest, save_epochs: 0, ..MNIST },
    Entry { preset: Preset::MnistConditional, classes: Some(Classes::of_mnist), save_epochs: 0, ..MNIST },
    DIGITS,
    Entry { preset: Preset::DigitsConditional, classes: Some(Classes::of_digits), ..DIGITS },
];

/// The entry of a preset.
pub(crate) fn entry(preset: Preset) -> &'static Entry {
    TABLE.iter().find(|entry| entry.preset == preset).unwrap_or(&TABLE[0])
}

#[cfg(test)]
mod tests {
    use gannet::metrics::wasserstein::{DIRECTIONS, sliced_wasserstein};

    use super::*;
    use crate::preset::measure_names::main_measure;

    #[test]
    fn every_preset_has_an_entry_that_fits_its_networks() {
        for &preset in Preset::ALL {
            let found = entry(preset);
            assert_eq!(found.preset, preset);
            let features = match (found.data, preset.image()) {
                (Data::Made { features, .. }, None) => features,
                (_, image) => image.map_or(0, |(height, width)| height * width),
            };
            assert_eq!(features, preset.spec().features(), "{}", preset.name());
            assert_eq!(found.data.samples().is_none(), preset.points().is_some(), "{}", preset.name());
        }
    }

    #[test]
    fn real_points_are_as_near_as_the_table_says() {
        for &preset in Preset::ALL {
            let Entry { data, measuring, .. } = *entry(preset);
            let (Data::Made { features, make, fresh }, Measuring::Points { real } | Measuring::Modes { real, .. }) =
                (data, measuring)
            else {
                continue;
            };
            let told: f64 = real.words.strip_prefix("two sets of real points: ").unwrap().parse().unwrap();
            assert_eq!(told, real.value, "{}", preset.name());
            let distance = |seed| {
                let [a, b] = [make, fresh].map(|draw| draw(5_000, seed).unwrap());
                sliced_wasserstein(a.values(), b.values(), features, DIRECTIONS, 0).unwrap()
            };
            let found = (0..8).map(distance).sum::<f64>() / 8.0;
            assert!((found / told - 1.0).abs() < 0.05, "{}: {found}, told {told}", preset.name());
        }
    }

    #[test]
    fn modes_come_first_with_their_quality_and_the_distance_judges() {
        for &preset in Preset::ALL {
            let Entry { measures, measuring, .. } = entry(preset);
            let has_modes = matches!(measuring, Measuring::Modes { .. });
            assert_eq!(has_modes, measures.starts_with(&["modes_captured", "high_quality_share", "reverse_kl"]));
            assert!(has_modes || !measures.contains(&"modes_captured"), "{}", preset.name());
            if has_modes {
                assert_eq!(main_measure(super::super::Preset::Known(preset)), Some("sliced_wasserstein"));
            }
        }
    }
}
