//! Own data: a file of the user's with a table of numbers (CSV, NPY) or images (IDX), and the settings that suit it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::run_folder::refused;
use super::system::{ImageSet, Samples, Shape, System};
use crate::data::table::Standardization;
use crate::data::{csv, idx, npy};
use crate::error::{Error, Result};
use crate::gan::presets::{Duration, Preset};
use crate::gan::{GanSpec, Objective, OptimizerSpec, Order};
use crate::kernel::activation::Activation;
use crate::net::NetworkSpec;

/// Largest default batch.
const BATCH: usize = 128;
/// Steps that the default length comes to, where that is a pass over the data or more: some seconds.
const STEPS: u64 = 10_000;

/// A file with samples and how they are read: all that is needed to give generated ones back without the file.
#[derive(Clone, Debug)]
pub(crate) struct OwnData {
    /// The file.
    pub(crate) file: PathBuf,
    /// What its samples are.
    pub(crate) form: Form,
    /// The samples, if they have been read.
    samples: Option<Samples>,
}

/// The samples are what the file and the form make them, and are not compared.
impl PartialEq for OwnData {
    fn eq(&self, other: &Self) -> bool {
        self.file == other.file && self.form == other.form
    }
}

/// What the samples of a file are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    /// Rows of a table.
    Table {
        /// The names of the columns.
        columns: Vec<String>,
        /// How columns become features and back.
        standardization: Standardization,
    },
    /// Images with pixels from -1 to 1.
    Images {
        /// Rows of pixels.
        height: usize,
        /// Pixels of a row.
        width: usize,
    },
}

/// What `[data]` tells about a file; what is left out is read from it.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) offset: Option<Vec<f64>>,
    pub(crate) scale: Option<Vec<f64>>,
    pub(crate) image: Option<[usize; 2]>,
}

impl OwnData {
    /// The data of `file` with `settings`. The file is read if they do not tell all.
    ///
    /// # Errors
    ///
    /// Settings that contradict each other or the file; a file that cannot be read.
    pub(crate) fn new(file: &Path, settings: Settings) -> Result<Self> {
        let file = std::path::absolute(file).map_err(refused("find", file))?;
        let named = |error| match error {
            Error::InvalidSetting { name, problem } => Error::setting(format!("data.{name}"), problem),
            other => other,
        };
        let standardization = match (settings.offset, settings.scale) {
            (Some(offset), Some(scale)) => Some(Standardization::new(offset, scale).map_err(named)?),
            (None, None) => None,
            (Some(_), None) => return Err(Error::setting("data.offset", "needs `scale` beside it")),
            (None, Some(_)) => return Err(Error::setting("data.scale", "needs `offset` beside it")),
        };
        let form = match (standardization, settings.columns, settings.image) {
            (Some(_), _, Some(_)) => {
                return Err(Error::setting(
                    "data.image",
                    "excludes `offset` and `scale`: pixels have a scale of their own",
                ));
            }
            (None, None, Some([height, width])) if height > 0 && width > 0 => Form::Images { height, width },
            (None, None, Some(_)) => return Err(Error::setting("data.image", "an image has at least one pixel")),
            (Some(standardization), Some(columns), None) => Form::Table { columns, standardization },
            (standardization, columns, image) => {
                let mut data = Self::read(file, standardization)?;
                match (&mut data.form, columns, image) {
                    (Form::Table { columns: names, .. }, Some(columns), None) => *names = columns,
                    (Form::Table { .. }, None, None) | (Form::Images { .. }, None, None) => {}
                    _ => return Err(Error::setting("data", "a table has `columns`, images have `image`")),
                }
                return data.checked();
            }
        };
        Self { file, form, samples: None }.checked()
    }

    /// What stands for a file that is not known yet.
    ///
    /// # Errors
    ///
    /// None: the numbers are those of a table that varies.
    pub(crate) fn example() -> Result<Self> {
        let standardization = Standardization::new(vec![0.0; 2], vec![1.0; 2])?;
        let form = Form::Table { columns: ["x", "y"].map(str::to_string).to_vec(), standardization };
        Ok(Self { file: PathBuf::from("data.csv"), form, samples: None })
    }

    /// Checks that there is a name for each column.
    fn checked(self) -> Result<Self> {
        if let Form::Table { columns, standardization } = &self.form
            && columns.len() != standardization.scale().len()
        {
            let problem = format!("{} names for {} columns", columns.len(), standardization.scale().len());
            return Err(Error::setting("data.columns", problem));
        }
        Ok(self)
    }

    /// Reads `file`; a table with the given standardization, or its own.
    fn read(file: PathBuf, given: Option<Standardization>) -> Result<Self> {
        let origin = file.display().to_string();
        let enough = |samples: usize| match samples {
            0 | 1 => Err(Error::data(&origin, "holds one sample; two are the least that can be learned from")),
            _ => Ok(()),
        };
        let (form, samples) = match contents(&file)? {
            Contents::Images => {
                let images = idx::read_images(&file)?;
                enough(images.count)?;
                let form = Form::Images { height: images.height, width: images.width };
                (form, of_images(images)?)
            }
            kind => {
                let table = if kind == Contents::Npy { npy::read(&file) } else { csv::read(&file) }?;
                enough(table.rows())?;
                let standardization = given.map_or_else(|| Standardization::of(&table, &origin), Ok)?;
                let source = standardization.apply(&table, &origin)?;
                (Form::Table { columns: table.column_names(), standardization }, Samples::Values(Arc::new(source)))
            }
        };
        Ok(Self { file, form, samples: Some(samples) })
    }

    /// The samples; they are read if they have not been.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or whose samples are others than the settings say.
    pub(crate) fn samples(&self) -> Result<Samples> {
        if let Some(samples) = &self.samples {
            return Ok(samples.clone());
        }
        let given = match &self.form {
            Form::Table { standardization, .. } => Some(standardization.clone()),
            Form::Images { .. } => None,
        };
        let read = Self::read(self.file.clone(), given)?;
        if read.shape() != self.shape() {
            let problem = format!("holds {}, but the settings are for {}", read.shape(), self.shape());
            return Err(Error::data(self.file.display().to_string(), problem));
        }
        read.samples()
    }

    /// Reads the samples, if they have not been read, and keeps them.
    ///
    /// # Errors
    ///
    /// As [`samples`](Self::samples).
    pub(crate) fn load(&mut self) -> Result<()> {
        self.samples = Some(self.samples()?);
        Ok(())
    }

    /// Another file with samples of the same form.
    ///
    /// # Errors
    ///
    /// A path that the system cannot make absolute.
    pub(crate) fn with_file(&self, file: &Path) -> Result<Self> {
        let file = std::path::absolute(file).map_err(refused("find", file))?;
        Ok(Self { file, form: self.form.clone(), samples: None })
    }

    /// What a sample is, to the networks.
    pub(crate) fn shape(&self) -> Shape {
        match &self.form {
            Form::Table { standardization, .. } => Shape::Numbers(standardization.features()),
            &Form::Images { height, width } => Shape::Image { height, width },
        }
    }

    /// The system that these data are.
    pub(crate) fn system(&self) -> System {
        System::Own(self.shape())
    }

    /// Default batch: less than the data where they are few.
    pub(crate) fn batch(&self) -> usize {
        let rows = self.samples.as_ref().map_or(usize::MAX, |samples| samples.source().len());
        BATCH.min(rows)
    }

    /// Default length of a training with this batch: at least one pass over the data.
    pub(crate) fn duration(&self, batch: usize) -> Duration {
        let rows = self.samples.as_ref().map_or(1, |samples| samples.source().len()) as u64;
        Duration::Epochs(STEPS.saturating_mul(batch as u64).div_ceil(rows.max(1)).max(1))
    }

    /// Default networks, objective and optimizers.
    pub(crate) fn spec(&self) -> GanSpec {
        spec(self.shape())
    }

    /// What stands in a picture's title: the file, and the columns that it shows.
    pub(crate) fn title(&self) -> String {
        let name = self.file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        match &self.form {
            Form::Images { .. } => name,
            Form::Table { columns, standardization } => {
                let varying = columns.iter().zip(standardization.scale()).filter(|&(_, &scale)| scale > 0.0);
                let shown: Vec<&str> = varying.map(|(name, _)| name.as_str()).take(2).collect();
                format!("{name}: {} (standardized)", shown.join(" and "))
            }
        }
    }
}

/// Default networks, objective and optimizers for samples of `shape`.
fn spec(shape: Shape) -> GanSpec {
    let features = shape.features();
    let leaky = Activation::LeakyRelu { slope: 0.2 };
    match shape {
        // Chosen on a circle, a ring of eight normal distributions, a mixture of two and a correlated table of ten columns: without
        // momentum and with equal rates no seed tried lost a mode; a faster D or a beta1 of 0.5 lost some of the ring's.
        Shape::Numbers(_) => {
            let adam = OptimizerSpec::Adam { learning_rate: 0.0002, beta1: 0.0, beta2: 0.99, epsilon: 1e-8 };
            let width = features.saturating_mul(8).next_power_of_two().clamp(64, 256);
            let latents = features.clamp(8, 64);
            GanSpec {
                objective: Objective::NonSaturating,
                order: Order::DiscriminatorFirst,
                discriminator_steps: 1,
                generator_optimizer: adam,
                discriminator_optimizer: adam,
                generator: NetworkSpec::dense(&[latents, width, width, features], leaky, 0.0, Activation::Linear),
                discriminator: NetworkSpec::dense(&[features, width, width, 1], leaky, 0.0, Activation::Linear),
            }
        }
        // The networks of the reference systems of about the size, which are known to learn images.
        Shape::Image { .. } => {
            /// Pixels from which on the larger networks are taken: 16 x 16.
            const LARGE: usize = 256;
            let mut spec = if features < LARGE { Preset::Digits.spec() } else { Preset::Mnist.spec() };
            if let Some(last) = spec.generator.layers.last_mut() {
                last.outputs = features;
            }
            if let Some(first) = spec.discriminator.layers.first_mut() {
                first.inputs = features;
            }
            spec
        }
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Numbers(1) => formatter.write_str("numbers of one column that varies"),
            Self::Numbers(count) => write!(formatter, "numbers of {count} columns that vary"),
            Self::Image { height, width } => write!(formatter, "images of {height} x {width} pixels"),
        }
    }
}

/// Images whose classes are not known.
fn of_images(images: idx::Images) -> Result<Samples> {
    let train = Arc::new(images.into_source()?);
    Ok(Samples::Images(Arc::new(ImageSet { train, labels: (&[]).into(), test: None })))
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contents {
    /// IDX, plain or gzip.
    Images,
    Npy,
    /// CSV, or nothing that is known.
    Text,
}

/// What `file` holds, from its first bytes: its name does not matter.
fn contents(file: &Path) -> Result<Contents> {
    let mut start = Vec::new();
    // A folder or a pipe is refused by the reader of tables.
    if file.is_file() {
        let read = File::open(file).and_then(|file| file.take(8).read_to_end(&mut start));
        read.map_err(refused("read", file))?;
    }
    Ok(match &start[..] {
        // gzip (RFC 1952), and what every IDX file begins with.
        [0x1f, 0x8b, ..] | [0, 0, ..] => Contents::Images,
        start if start.starts_with(npy::MAGIC) => Contents::Npy,
        _ => Contents::Text,
    })
}

/// Whether `path` is meant as a data file and not as a configuration file.
pub(crate) fn is_data_file(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    ends(&[".csv", ".tsv", ".npy", ".gz", "-ubyte", ".idx"])
        || !ends(&[".toml"]) && contents(path).is_ok_and(|contents| contents != Contents::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_suit_the_size() {
        for (shape, latents, width) in [
            (Shape::Numbers(1), 8, 64),
            (Shape::Numbers(2), 8, 64),
            (Shape::Numbers(10), 10, 128),
            (Shape::Numbers(17), 17, 256),
            (Shape::Numbers(16_384), 64, 256),
            (Shape::Image { height: 5, width: 7 }, 32, 192),
            (Shape::Image { height: 28, width: 28 }, 100, 256),
            (Shape::Image { height: 300, width: 200 }, 100, 256),
        ] {
            let spec = spec(shape);
            spec.validate().unwrap();
            assert_eq!((spec.latents(), spec.features()), (latents, shape.features()), "{shape}");
            assert_eq!(spec.generator.layers[0].outputs, width, "{shape}");
        }
    }

    #[test]
    fn batch_and_length_follow_the_rows() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("data.csv");
        for (rows, batch, epochs) in [(3, 3, 10_000), (128, 128, 10_000), (1_000, 128, 1_280), (5_000_000, 128, 1)] {
            // Zeros are quick to write; the last number varies.
            let text = if rows > 1_000_000 { "0\n".repeat(100_000) } else { "0\n".repeat(rows - 1) } + "1\n";
            std::fs::write(&file, text).unwrap();
            let own = OwnData::new(&file, Settings::default()).unwrap();
            if rows > 1_000_000 {
                assert_eq!((own.batch(), own.duration(1)), (batch, Duration::Epochs(epochs)));
            } else {
                assert_eq!((own.batch(), own.duration(batch)), (batch, Duration::Epochs(epochs)), "{rows}");
            }
        }
    }

    #[test]
    fn files_are_known_by_their_first_bytes_and_names() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str, bytes: &[u8]| {
            let path = place.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        for (name, bytes, data) in [
            ("a.csv", &b"1,2"[..], true),
            ("A.CSV", b"", true),
            ("train-images-idx3-ubyte", b"", true),
            ("b", b"\x93NUMPY\x01\x00", true),
            ("c", b"\x1f\x8b\x08", true),
            ("d", b"\0\0\x08\x03", true),
            ("e", b"[run]", false),
            ("f.toml", b"\0\0\x08\x03", false),
            ("g.toml", b"[run]", false),
        ] {
            assert_eq!(is_data_file(&at(name, bytes)), data, "{name}");
        }
        assert!(!is_data_file(Path::new("circel")) && is_data_file(Path::new("none.csv")));
    }

    #[test]
    fn titles_name_the_columns_that_are_shown() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("data.csv");
        std::fs::write(&file, "a,b,c,d\n1,1,1,2\n2,1,3,4\n").unwrap();
        assert_eq!(OwnData::new(&file, Settings::default()).unwrap().title(), "data.csv: a and c (standardized)");
    }
}
