//! Own data: a file of the user's with a table of numbers (CSV, NPY) or images (IDX), and the settings that suit it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gannet::data::columns::{self, Matched};
use gannet::data::kept::{Kept, kept};
use gannet::data::table::{Standardization, Table};
use gannet::data::{csv, idx, npy, precision};
use gannet::gan::GanSpec;
use gannet::gan::presets::Duration;
use gannet::{Error, Result};
use gannet_settings::nearest::suggestion;
use gannet_settings::own_data::{self, Shape};

use crate::data::classes::Classes;
use crate::data::reading_limit;
use crate::data::samples::{ImageSet, Samples};
use crate::folder::contents::{self, Contents};
use crate::folder::run_folder::refused;
use crate::preset::Preset;
use crate::terminal::output::{alert, note};

/// A file with samples and how they are read: all that is needed to give generated ones back without the file.
#[derive(Clone, Debug)]
pub(crate) struct OwnData {
    /// The file.
    pub(crate) file: PathBuf,
    /// What its samples are.
    pub(crate) form: Form,
    /// The classes of its samples, if both networks are given them.
    pub(crate) labels: Option<Labels>,
    /// What the file holds, if it has been read.
    loaded: Option<Loaded>,
    /// Most bytes that the run may take.
    pub(crate) limit: Option<u64>,
}

/// Where the class of each sample comes from, and what classes there are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Labels {
    /// The column of a table, or the IDX file with the labels of images.
    pub(crate) from: String,
    pub(crate) classes: Classes,
}

/// What a file holds.
#[derive(Clone, Debug)]
struct Loaded {
    samples: Samples,
    /// What it has in columns that are kept constant.
    kept: Vec<Kept>,
    /// What training cannot see of it as it is.
    warnings: Vec<String>,
}

/// The samples are what the file and the form make them, and are not compared.
impl PartialEq for OwnData {
    fn eq(&self, other: &Self) -> bool {
        self.file == other.file && self.form == other.form && self.labels == other.labels
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
    /// The column with the classes, or the file with those of images.
    pub(crate) labels: Option<String>,
    pub(crate) classes: Option<Vec<String>>,
    pub(crate) class_counts: Option<Vec<u64>>,
    /// Most bytes that the run may take.
    pub(crate) limit: Option<u64>,
}

impl OwnData {
    /// The data of `file` with `settings`. The file is read if they do not tell all.
    ///
    /// # Errors
    ///
    /// Settings that contradict each other or the file; a file that cannot be read.
    pub(crate) fn new(file: &Path, settings: Settings) -> Result<Self> {
        contents::check_stdin(file)?;
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
        let labels = match (settings.labels, settings.classes, settings.class_counts) {
            (Some(from), Some(names), Some(counts)) => {
                Wanted::Known(Labels { from, classes: Classes::of_settings(names, counts)? })
            }
            (Some(from), None, None) => Wanted::From(from),
            (None, None, None) => Wanted::None,
            _ => {
                return Err(Error::setting(
                    "data.classes",
                    "stands beside `labels` and `class_counts`, or neither does",
                ));
            }
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
                let has_columns = columns.is_some();
                let data = Self::read(file, columns, standardization, labels, settings.limit)?;
                match (&data.form, image) {
                    (Form::Table { .. }, None) => {}
                    (Form::Images { .. }, None) if !has_columns => {}
                    _ => return Err(Error::setting("data", "a table has `columns`, images have `image`")),
                }
                return data.checked();
            }
        };
        let labels = match labels {
            Wanted::None => None,
            Wanted::Known(labels) => Some(labels),
            Wanted::From(from) => {
                let (columns, given) = form.given();
                return Self::read(file, columns, given, Wanted::From(from), settings.limit)?.checked();
            }
        };
        Self { file, form, labels, loaded: None, limit: settings.limit }.checked()
    }

    /// What stands for a file that is not known yet.
    ///
    /// # Errors
    ///
    /// None: the numbers are those of a table that varies.
    pub(crate) fn example() -> Result<Self> {
        let mut example = Self::of_shape(Shape::Numbers(2))?;
        if let Form::Table { columns, .. } = &mut example.form {
            *columns = ["x", "y"].map(str::to_string).to_vec();
        }
        Ok(example)
    }

    /// What stands for a file with samples of `shape`.
    ///
    /// # Errors
    ///
    /// None: the numbers are those of a table that varies.
    pub(crate) fn of_shape(shape: Shape) -> Result<Self> {
        let form = match shape {
            Shape::Numbers(columns) => Form::Table {
                columns: (1..=columns).map(|column| format!("column_{column}")).collect(),
                standardization: Standardization::new(vec![0.0; columns], vec![1.0; columns])?,
            },
            Shape::Image { height, width } => Form::Images { height, width },
        };
        Ok(Self { file: PathBuf::from("data.csv"), form, labels: None, loaded: None, limit: None })
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

    /// Reads `file`; a table with these columns, or those that it has, and with the given standardization, or its own.
    /// At most `limit` bytes are taken by the run.
    fn read(
        file: PathBuf,
        columns: Option<Vec<String>>,
        given: Option<Standardization>,
        wanted: Wanted,
        limit: Option<u64>,
    ) -> Result<Self> {
        let origin = file.display().to_string();
        let enough = |samples: usize| match samples {
            0 | 1 => Err(Error::data(
                &origin,
                "holds one sample; give two or more, which are the least that can be learned from",
            )),
            _ => Ok(()),
        };
        let most = reading_limit::for_reading(limit);
        let too_much = |error| reading_limit::of_reading(error, limit, &file);
        let (form, labels, loaded) = match Contents::of(&file)? {
            Contents::Images => {
                let images = idx::read_images_within(&file, most).map_err(too_much)?;
                enough(images.count)?;
                let form = Form::Images { height: images.height, width: images.width };
                let wanted = wanted.absolute()?;
                let values = wanted.of_images(&file, images.count)?;
                let of_labels = wanted.from().unwrap_or_default().to_string();
                let (labels, of_each) = wanted.classes(values, &of_labels)?.unzip();
                let samples = of_images(images, of_each.unwrap_or_default())?;
                (form, labels, Loaded { samples, kept: Vec::new(), warnings: Vec::new() })
            }
            kind => {
                let mut table = match kind {
                    Contents::Npy => npy::read_within(&file, most).map_err(too_much)?,
                    Contents::Text => csv::read_within(&file, most).map_err(too_much)?,
                    other => return Err(other.instead(&file, "a file of samples")),
                };
                enough(table.rows())?;
                let values = wanted.of_table(&mut table, &origin)?;
                let (labels, of_each) = wanted.classes(values, &origin)?.unzip();
                if let Some(columns) = columns {
                    arrange(&mut table, &columns, &origin)?;
                }
                let columns = table.column_names();
                let is_new = given.is_none();
                let standardization = given.map_or_else(|| Standardization::of(&table, &origin), Ok)?;
                let unclear = precision::unclear(&table, &standardization)?;
                let warnings: Vec<String> = unclear.iter().map(|unclear| unclear.text(&columns)).collect();
                // Settings that tell how the table is scaled come from a run that was told.
                if is_new {
                    warnings.iter().for_each(|warning| alert(&format!("warning: {origin}: {warning}")));
                }
                let kept = kept(&table, &standardization);
                let of_each = of_each.unwrap_or_default();
                let samples = Samples::Values(Arc::new(standardization.apply(&table, &origin)?), of_each.into());
                (Form::Table { columns, standardization }, labels, Loaded { samples, kept, warnings })
            }
        };
        Ok(Self { file, form, labels, loaded: Some(loaded), limit })
    }

    /// The samples; they are read if they have not been.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or whose samples are others than the settings say.
    pub(crate) fn samples(&self) -> Result<Samples> {
        match &self.loaded {
            Some(loaded) => Ok(loaded.samples.clone()),
            None => Ok(self.read_again()?.samples),
        }
    }

    /// What the file holds, which is what the settings say.
    fn read_again(&self) -> Result<Loaded> {
        let (columns, given) = self.form.given();
        let labels = self.labels.clone().map_or(Wanted::None, Wanted::Known);
        let read = Self::read(self.file.clone(), columns, given, labels, self.limit)?;
        if read.shape() != self.shape() {
            let problem = format!("holds {}, but the settings are for {}", read.shape(), self.shape());
            return Err(Error::data(self.file.display().to_string(), problem));
        }
        read.loaded.ok_or_else(|| Error::data(self.file.display().to_string(), "holds no samples"))
    }

    /// What the file has in columns that are kept constant; nothing before it is read.
    pub(crate) fn kept(&self) -> &[Kept] {
        self.loaded.as_ref().map_or(&[], |loaded| &loaded.kept)
    }

    /// What training cannot see of the file as it is; nothing before it is read.
    pub(crate) fn warnings(&self) -> &[String] {
        self.loaded.as_ref().map_or(&[], |loaded| &loaded.warnings)
    }

    /// Reads the file, if it has not been read, and keeps what it holds.
    ///
    /// # Errors
    ///
    /// As [`samples`](Self::samples).
    pub(crate) fn load(&mut self) -> Result<()> {
        if self.loaded.is_none() {
            self.loaded = Some(self.read_again()?);
        }
        Ok(())
    }

    /// Another file with samples of the same form.
    ///
    /// # Errors
    ///
    /// A path that the system cannot make absolute; images with labels, which are those of one file.
    pub(crate) fn with_file(&self, file: &Path) -> Result<Self> {
        contents::check_stdin(file)?;
        if let (Form::Images { .. }, Some(labels)) = (&self.form, &self.labels) {
            let problem = format!(
                "the run's images have their labels in {}, and others would have others; leave --data out",
                labels.from
            );
            return Err(Error::setting("data", problem));
        }
        let file = std::path::absolute(file).map_err(refused("find", file))?;
        Ok(Self { file, form: self.form.clone(), labels: self.labels.clone(), loaded: None, limit: self.limit })
    }

    /// What a sample is, to the networks.
    pub(crate) fn shape(&self) -> Shape {
        match &self.form {
            Form::Table { standardization, .. } => Shape::Numbers(standardization.features()),
            &Form::Images { height, width } => Shape::Image { height, width },
        }
    }

    /// The preset that these data are.
    pub(crate) fn preset(&self) -> Preset {
        Preset::Own(self.shape())
    }

    /// Default batch: less than the data where they are few.
    pub(crate) fn batch(&self) -> usize {
        own_data::batch(self.shape(), self.loaded.as_ref().map_or(usize::MAX, |loaded| loaded.samples.len()))
    }

    /// Default length of a training with this batch: at least one pass over the data.
    pub(crate) fn duration(&self, batch: usize) -> Duration {
        let rows = self.loaded.as_ref().map_or(1, |loaded| loaded.samples.len()) as u64;
        own_data::duration(self.shape(), rows, batch)
    }

    /// Default networks, objective and optimizers.
    pub(crate) fn spec(&self) -> GanSpec {
        own_data::spec(self.shape(), self.labels.as_ref().map_or(0, |labels| labels.classes.len()))
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

/// Puts the columns of a table into the order of `wanted`; where that goes by their places, it is told.
fn arrange(table: &mut Table, wanted: &[String], origin: &str) -> Result<()> {
    let has_names = table.names.is_some();
    if columns::arrange(table, wanted, origin)? == Matched::ByPosition {
        let why = if has_names { "the run's columns have no names" } else { "it has no header" };
        note(&format!("{origin}: {why}, so columns are matched by position"));
    }
    Ok(())
}

/// Images and their classes, where these are known.
fn of_images(images: idx::Images, labels: Vec<u8>) -> Result<Samples> {
    let train = Arc::new(images.into_source()?);
    Ok(Samples::Images(Arc::new(ImageSet { train, labels: labels.into(), test: None })))
}

impl Form {
    /// What it says of the columns of a table, and of their scales.
    fn given(&self) -> (Option<Vec<String>>, Option<Standardization>) {
        match self {
            Self::Table { columns, standardization } => (Some(columns.clone()), Some(standardization.clone())),
            Self::Images { .. } => (None, None),
        }
    }
}

/// The labels that a file is read with.
enum Wanted {
    None,
    /// Those that it has.
    From(String),
    /// Of these classes.
    Known(Labels),
}

impl Wanted {
    /// Where the labels are.
    fn from(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::From(from) | Self::Known(Labels { from, .. }) => Some(from),
        }
    }

    /// The same with the path of a file of labels made absolute: a run may be gone on with from anywhere.
    fn absolute(self) -> Result<Self> {
        let Self::From(from) = self else { return Ok(self) };
        let path = std::path::absolute(&from).map_err(refused("find", Path::new(&from)))?;
        // It was text, and what comes before it is in the settings of the run, which are text.
        Ok(Self::From(path.to_str().map_or(from, str::to_string)))
    }

    /// The labels of the `count` images in `file`.
    fn of_images(&self, file: &Path, count: usize) -> Result<Option<Vec<f64>>> {
        let Some(from) = self.from() else { return Ok(None) };
        let labels = idx::read_labels(Path::new(from))?;
        if labels.len() != count {
            let problem = format!("holds {} labels for the {count} images of {}", labels.len(), file.display());
            return Err(Error::data(from, problem));
        }
        Ok(Some(labels.into_iter().map(f64::from).collect()))
    }

    /// The labels of the rows of `table`, which come out of it.
    fn of_table(&self, table: &mut Table, origin: &str) -> Result<Option<Vec<f64>>> {
        let Some(from) = self.from() else { return Ok(None) };
        let names = table.column_names();
        let taken = table.take_column(from).ok_or_else(|| {
            let problem = match names.len() {
                1 => "is the only column, and labels need something to label".to_string(),
                _ => format!("the table has no column `{from}`{}", suggestion(from, names.iter().map(String::as_str))),
            };
            Error::data(origin, format!("labels: {problem}"))
        });
        taken.map(Some)
    }

    /// The classes of these labels, and the class of each.
    fn classes(self, values: Option<Vec<f64>>, origin: &str) -> Result<Option<(Labels, Vec<u8>)>> {
        let Some(values) = values else { return Ok(None) };
        match self {
            Self::None => Ok(None),
            Self::From(from) => {
                let (classes, of_each) = Classes::found(&values, origin)?;
                Ok(Some((Labels { from, classes }, of_each)))
            }
            Self::Known(labels) => {
                let of_each = labels.classes.labels(&values, origin)?;
                Ok(Some((labels, of_each)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batch_and_length_follow_the_rows() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("data.csv");
        for (rows, batch, epochs) in [(3, 3, 10_000), (256, 256, 10_000), (1_000, 256, 5_120), (6_000_000, 256, 1)] {
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
    fn titles_name_the_columns_that_are_shown() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("data.csv");
        std::fs::write(&file, "a,b,c,d\n1,1,1,2\n2,1,3,4\n").unwrap();
        assert_eq!(OwnData::new(&file, Settings::default()).unwrap().title(), "data.csv: a and c (standardized)");
    }
}
