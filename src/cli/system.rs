//! What a system's name stands for outside of the networks: where its samples come from.
//!
//! How they are measured and drawn stands in [`measures`](super::measures) and [`pictures`](super::pictures).

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use super::config::RunConfig;
use crate::data::idx::{self, Images};
use crate::data::{ArraySource, ByteSource, digits, synthetic};
use crate::error::{Error, Result};
use crate::gan::Source;
use crate::gan::presets::Preset;

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
    /// The class of each training image.
    pub(crate) labels: Cow<'static, [u8]>,
    /// What is kept for testing; none of `digits`.
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
            Preset::Mnist => {
                let Some(directory) = &config.directory else {
                    let problem = "mnist needs its four IDX files; give their folder with --data DIR";
                    return Err(Error::setting("data", problem));
                };
                let files = idx::mnist(directory)?;
                check_size(config, &files.train_images, directory)?;
                Ok(Self::Images(Arc::new(ImageSet {
                    train: Arc::new(files.train_images.into_source()?),
                    labels: files.train_labels.into(),
                    test: Some(files.test_images.into_source()?),
                })))
            }
            Preset::Digits => Ok(Self::Images(Arc::new(ImageSet {
                train: Arc::new(digits::source()?),
                labels: digits::labels().into(),
                test: None,
            }))),
            _ => made(config).map(|source| Self::Values(Arc::new(source))),
        }
    }

    /// The same for another seed. Images, which do not depend on it, are shared.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub(crate) fn of_seed(&self, config: &RunConfig, seed: u64) -> Result<Self> {
        match self {
            Self::Values(_) => Self::load(&RunConfig { seed, ..config.clone() }),
            Self::Images(_) => Ok(self.clone()),
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

    /// The real points or numbers, to be drawn; none of images.
    pub(crate) fn values(&self) -> &[f32] {
        match self {
            Self::Values(source) => source.values(),
            Self::Images(_) => &[],
        }
    }
}

/// The training points of a synthetic system.
fn made(config: &RunConfig) -> Result<ArraySource> {
    let points = config.points.unwrap_or(0);
    match config.system {
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
        "its images have {} x {} pixels, but {} has {} x {}",
        images.height,
        images.width,
        config.system.name(),
        expected.0,
        expected.1
    );
    Err(Error::data(directory.display().to_string(), problem))
}
