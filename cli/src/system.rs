//! What a system's name stands for outside of the networks: what its samples are, and where they come from.
//!
//! How they are measured and drawn stands in [`measures`](super::measures) and [`pictures`](super::pictures).

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use gannet::data::idx::{self, Images};
use gannet::data::{ArraySource, ByteSource, digits, synthetic};
use gannet::gan::Source;
use gannet::gan::presets::Preset;
use gannet::{Error, Result};

use super::config::RunConfig;
use super::nearest::suggestion;
use super::reading_limit;

/// The name of a system whose samples come from a file of the user's.
pub(crate) const OWN: &str = "own";

/// What is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    /// A reference system of the library.
    Preset(Preset),
    /// A file of the user's, which [`RunConfig::own`] names.
    Own(Shape),
}

/// What a sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// So many numbers: a point where it has two.
    Numbers(usize),
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
    pub(crate) fn features(self) -> usize {
        match self {
            Self::Numbers(count) => count,
            Self::Image { height, width } => height.saturating_mul(width),
        }
    }
}

impl System {
    /// The names of all systems.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        Preset::ALL.into_iter().map(Preset::name).chain([OWN])
    }

    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Preset(preset) => preset.name(),
            Self::Own(_) => OWN,
        }
    }

    /// The reference system, if it is one.
    pub(crate) fn preset(self) -> Option<Preset> {
        match self {
            Self::Preset(preset) => Some(preset),
            Self::Own(_) => None,
        }
    }

    /// What a sample is.
    pub(crate) fn shape(self) -> Shape {
        match self {
            Self::Own(shape) => shape,
            Self::Preset(preset) => match (preset, preset.image()) {
                (_, Some((height, width))) => Shape::Image { height, width },
                (Preset::Mixture1d | Preset::Mixture1dDeep, None) => Shape::Numbers(1),
                (_, None) => Shape::Numbers(2),
            },
        }
    }

    /// `(height, width)` where samples are images.
    pub(crate) fn image(self) -> Option<(usize, usize)> {
        match self.shape() {
            Shape::Image { height, width } => Some((height, width)),
            Shape::Numbers(_) => None,
        }
    }

    /// Values of one sample.
    pub(crate) fn features(self) -> usize {
        self.shape().features()
    }
}

/// The error about a name that no system has.
pub(crate) fn unknown(setting: &str, name: &str) -> Error {
    Error::setting(setting, format!("`{name}` is unknown{} ({})", suggestion(name, System::names()), known()))
}

/// The names of all systems, for messages.
pub(crate) fn known() -> String {
    format!("known systems: {}", System::names().collect::<Vec<_>>().join(", "))
}

/// The samples of a system, in memory.
#[derive(Clone, Debug)]
pub(crate) enum Samples {
    /// Points or numbers.
    Values(Arc<ArraySource>),
    /// Images.
    Images(Arc<ImageSet>),
}

/// Images with their classes.
#[derive(Clone, Debug)]
pub(crate) struct ImageSet {
    /// What is trained on.
    pub(crate) train: Arc<ByteSource>,
    /// The class of each training image; empty where none is known.
    pub(crate) labels: Cow<'static, [u8]>,
    /// What is kept for testing, if anything.
    pub(crate) test: Option<ByteSource>,
}

impl Samples {
    /// Makes or reads the samples that `config` asks for.
    ///
    /// # Errors
    ///
    /// Files that are missing or wrong; a number of points that memory cannot hold.
    pub(crate) fn load(config: &RunConfig) -> Result<Self> {
        match config.system {
            System::Own(_) => config.own_data()?.samples(),
            System::Preset(Preset::Mnist) => {
                let Some(directory) = &config.directory else {
                    let problem = "mnist needs its four IDX files (docs/configuration.md says where they come from); give their folder with --data DIR";
                    return Err(Error::setting("data", problem));
                };
                let limit = config.memory_limit;
                let read = idx::mnist_within(directory, reading_limit::for_reading(limit));
                let files = read.map_err(|error| reading_limit::of_reading(error, limit, directory))?;
                check_size(config, &files.train_images, directory)?;
                Ok(Self::Images(Arc::new(ImageSet {
                    train: Arc::new(files.train_images.into_source()?),
                    labels: files.train_labels.into(),
                    test: Some(files.test_images.into_source()?),
                })))
            }
            System::Preset(Preset::Digits) => Ok(Self::Images(Arc::new(ImageSet {
                train: Arc::new(digits::source()?),
                labels: digits::labels().into(),
                test: None,
            }))),
            System::Preset(preset) => made(config, preset).map(|source| Self::Values(Arc::new(source))),
        }
    }

    /// As many images as MNIST has, all of them black: enough for a plan.
    ///
    /// # Errors
    ///
    /// None but of memory.
    pub(crate) fn stand_in() -> Result<Self> {
        /// Images of MNIST's training set, and the side of one.
        const IMAGES: usize = 60_000;
        const SIDE: usize = 28;
        let train = ByteSource::new(vec![0; IMAGES * SIDE * SIDE], SIDE, SIDE, u8::MAX)?;
        Ok(Self::Images(Arc::new(ImageSet { train: Arc::new(train), labels: Cow::Borrowed(&[]), test: None })))
    }

    /// The same for another seed. Images and files, which do not depend on it, are shared.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub(crate) fn of_seed(&self, config: &RunConfig, seed: u64) -> Result<Self> {
        match self {
            Self::Values(_) if config.own.is_none() => Self::load(&RunConfig { seed, ..config.clone() }),
            _ => Ok(self.clone()),
        }
    }

    /// Where the trainer draws from.
    pub(crate) fn source(&self) -> Arc<dyn Source> {
        match self {
            Self::Values(source) => Arc::clone(source) as Arc<dyn Source>,
            Self::Images(set) => Arc::clone(&set.train) as Arc<dyn Source>,
        }
    }

    /// What the samples are known again by: how many there are, and a checksum of them.
    pub(crate) fn fingerprint(&self) -> String {
        let (count, sum) = match self {
            Self::Values(source) => {
                let add = |sum, value: &f32| crc32c::crc32c_append(sum, &value.to_le_bytes());
                (source.len(), source.values().iter().fold(0, add))
            }
            Self::Images(set) => (set.train.len(), crc32c::crc32c(set.train.bytes())),
        };
        format!("{count} samples, crc32c:{sum:08x}")
    }

    /// Bytes that they take in memory.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Values(source) => size_of_val(source.values()) as u64,
            Self::Images(set) => {
                let test = set.test.as_ref().map_or(0, |test| test.bytes().len());
                (set.train.bytes().len() + set.labels.len() + test) as u64
            }
        }
    }

    /// The real points or numbers, to be drawn; none of images.
    pub(crate) fn values(&self) -> &[f32] {
        match self {
            Self::Values(source) => source.values(),
            Self::Images(_) => &[],
        }
    }

    /// At most `count` images, evenly chosen, one after another; none of points or numbers.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(crate) fn images(&self, count: usize) -> Result<Vec<f32>> {
        let Self::Images(set) = self else { return Ok(Vec::new()) };
        let (all, count) = (set.train.len(), count.min(set.train.len()));
        let mut images = Vec::new();
        for row in (0..count).map(|index| index * all / count) {
            images.extend(set.train.rows(row..row + 1)?);
        }
        Ok(images)
    }
}

/// The training points of a synthetic system.
fn made(config: &RunConfig, preset: Preset) -> Result<ArraySource> {
    let points = config.points.unwrap_or(0);
    let needed = (points as u64).saturating_mul(4 * config.system.features() as u64);
    if needed > reading_limit::for_reading(config.memory_limit) {
        let error = Error::MemoryLimit { needed, limit: 0 };
        return Err(reading_limit::of_reading(error, config.memory_limit, Path::new("points")));
    }
    match preset {
        Preset::Circle => synthetic::circle(points, config.seed),
        Preset::Gaussian2d => synthetic::gaussian2d(points, config.seed),
        _ => synthetic::mixture1d(points, config.seed),
    }
}

/// A data set in MNIST's format may have images of another size than MNIST.
fn check_size(config: &RunConfig, images: &Images, directory: &Path) -> Result<()> {
    let expected = config.system.image().unwrap_or((0, 0));
    if (images.height, images.width) == expected {
        return Ok(());
    }
    let problem = format!(
        "its images have {} x {} pixels, but {} has {} x {}; train one of the files as your own data: gannet train FILE",
        images.height,
        images.width,
        config.system.name(),
        expected.0,
        expected.1
    );
    Err(Error::data(directory.display().to_string(), problem))
}
