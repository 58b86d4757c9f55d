//! Where the samples of a run come from: made, embedded in the program, or read from files.

use std::path::Path;
use std::sync::Arc;

use gannet::data::idx::{self, Images};
use gannet::data::{ArraySource, digits};
use gannet::{Error, Result};

use crate::data::reading_limit;
use crate::data::samples::{ImageSet, Samples, TestImages};
use crate::preset::table::{Data, Make};
use crate::settings::config::RunConfig;

/// Makes or reads the samples that `config` asks for.
///
/// # Errors
///
/// Files that are missing or wrong; a number of points that memory cannot hold.
pub(crate) fn load(config: &RunConfig) -> Result<Samples> {
    match config.preset.data() {
        None => config.own_data()?.samples(),
        Some(Data::Folder { .. }) => {
            let Some(directory) = &config.directory else {
                let problem = "mnist needs its four IDX files (docs/configuration.md says where they come from); give their folder with --data DIR, or in a file as data.directory";
                return Err(Error::setting("data", problem));
            };
            let limit = config.memory_limit;
            let read = idx::mnist_within(directory, reading_limit::for_reading(limit));
            let files = read.map_err(|error| reading_limit::of_reading(error, limit, directory))?;
            check_size(config, &files.train_images, directory)?;
            Ok(Samples::Images(Arc::new(ImageSet {
                train: Arc::new(files.train_images.into_source()?),
                labels: files.train_labels.into(),
                test: Some(TestImages { images: files.test_images.into_source()?, labels: files.test_labels }),
            })))
        }
        Some(Data::Embedded { .. }) => Ok(Samples::Images(Arc::new(ImageSet {
            train: Arc::new(digits::source()?),
            labels: digits::labels().into(),
            test: None,
        }))),
        Some(Data::Made { make, .. }) => {
            made(config, make).map(|source| Samples::Values(Arc::new(source), Arc::from([])))
        }
    }
}

/// The same for another seed. Images and files, which do not depend on it, are shared.
///
/// # Errors
///
/// As [`load`].
pub(crate) fn of_seed(samples: &Samples, config: &RunConfig, seed: u64) -> Result<Samples> {
    match samples {
        Samples::Values(..) if config.own.is_none() => load(&RunConfig { seed, ..config.clone() }),
        _ => Ok(samples.clone()),
    }
}

/// The training points of a preset that makes its data.
fn made(config: &RunConfig, make: Make) -> Result<ArraySource> {
    let points = config.points.unwrap_or(0);
    let needed = (points as u64).saturating_mul(4 * config.preset.features() as u64);
    if needed > reading_limit::for_reading(config.memory_limit) {
        let error = Error::MemoryLimit { needed, limit: 0 };
        return Err(reading_limit::of_reading(error, config.memory_limit, Path::new("points")));
    }
    make(points, config.seed)
}

/// A data set in MNIST's format may have images of another size than MNIST.
fn check_size(config: &RunConfig, images: &Images, directory: &Path) -> Result<()> {
    let expected = config.preset.image().unwrap_or((0, 0));
    if (images.height, images.width) == expected {
        return Ok(());
    }
    let problem = format!(
        "its images have {} x {} pixels, but {} has {} x {}; train one of the files as your own data: gannet train FILE",
        images.height,
        images.width,
        config.preset.name(),
        expected.0,
        expected.1
    );
    Err(Error::data(directory.display().to_string(), problem))
}
