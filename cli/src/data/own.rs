//! Own data: a table (text, NPY) or images (IDX, NPY, a folder of PNG pictures) of the user's, and the settings that suit them.

use std::sync::Arc;

use gannet::gan::GanSpec;
use gannet::gan::presets::Duration;
use gannet::{Error, Result};
use gannet_settings::own_data::{self, Shape};
use gannet_tables::{Codec, DEFAULT_CATEGORIES, Domain, SettingNames, Table};

use crate::data::changes;
use crate::data::classes::Classes;
use crate::data::codec_file::Fitted;
use crate::data::data_file::DataFile;
use crate::data::labels::{self, Labels, Wanted};
use crate::data::own_settings::Settings;
use crate::data::reading::Reading;
use crate::data::reading_limit;
use crate::data::samples::{ImageSet, Samples};
use crate::data::table::{self, ReadAs};
use crate::folder::contents::Contents;
use crate::preset::Preset;
use crate::terminal::output::note;

/// A file with samples and how they are read: all that is needed to give generated ones back without the file.
#[derive(Clone, Debug)]
pub(crate) struct OwnData {
    /// Where they come from.
    pub(crate) file: DataFile,
    /// What its samples are.
    pub(crate) form: Form,
    /// The classes of its samples, if both networks are given them.
    pub(crate) labels: Option<Labels>,
    /// What the user decides of how a table is read.
    pub(crate) reading: Reading,
    /// What the file holds, if it has been read.
    loaded: Option<Loaded>,
    /// Its table, as it was before it became samples, where that was asked for.
    table: Option<Arc<Table>>,
    /// Most bytes that the run may take.
    pub(crate) limit: Option<u64>,
    /// What was known of the table where settings have been changed since, so that it was read again.
    before: Option<Fitted>,
}

/// What a file holds.
#[derive(Clone, Debug)]
struct Loaded {
    samples: Samples,
    /// Bytes that reading it took at once, at most.
    reading: u64,
    /// What a user should know of it.
    notes: Vec<String>,
    /// Columns that were constant in training and are not here, and how many rows have another value.
    differing: Vec<(String, u64)>,
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
    /// Rows of a table, and how they become samples and back.
    Table(Arc<Codec>),
    /// Images with pixels from -1 to 1.
    Images {
        /// Rows of pixels.
        height: usize,
        /// Pixels of a row.
        width: usize,
    },
}

impl OwnData {
    /// The data of `file` with `settings`. The file is read if they do not tell all.
    ///
    /// # Errors
    ///
    /// Settings that contradict each other or the file; a file that cannot be read.
    pub(crate) fn new(file: DataFile, mut settings: Settings) -> Result<Self> {
        settings.reading.check(settings.names)?;
        if settings.offset.is_some()
            && settings.scale.is_some()
            && settings.reading.columns.is_none()
            && settings.image.is_none()
        {
            settings.reading.columns = Some(Self::names(&file, &settings)?);
        }
        if let Some(codec) = settings.of_lines()? {
            settings.fitted = Some(Fitted { codec: Arc::new(codec), reading: None });
        }
        let Settings { reading, fitted, image, labels, classes, class_counts, limit, names, .. } = settings;
        let agrees = |fitted: &Fitted| changes::changed(fitted, &reading, labels.as_deref()).is_empty();
        if let Some(Fitted { codec, .. }) = fitted.as_ref().filter(|fitted| agrees(fitted)) {
            let (labels, form) = (Labels::of(codec), Form::Table(Arc::clone(codec)));
            return Ok(Self::known((file, form), labels, reading, limit));
        }
        let wanted = match (labels, classes, class_counts) {
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
        if let (Some(_), Some(decided)) = (image, reading.of_tables()) {
            return Err(decided.error(names, "is for a table, and `image` for images; leave one of them out"));
        }
        match image {
            Some([height, width]) if height == 0 || width == 0 => {
                Err(Error::setting("data.image", "an image has at least one pixel"))
            }
            Some([height, width]) if !matches!(wanted, Wanted::From(_)) => {
                let labels = if let Wanted::Known(labels) = wanted { Some(labels) } else { None };
                Ok(Self::known((file, Form::Images { height, width }), labels, reading, limit))
            }
            _ => {
                let mut data = Self::read(file, (reading, names), wanted, limit)?;
                data.before = fitted;
                match (&data.form, image) {
                    (Form::Table(_), Some(_)) => {
                        Err(Error::setting("data.image", "is for images, and the file holds a table"))
                    }
                    _ => Ok(data),
                }
            }
        }
    }

    /// The names of the columns of a table, without that of labels.
    fn names(file: &DataFile, settings: &Settings) -> Result<Vec<String>> {
        let contents = file.contents(settings.reading.array.as_deref())?.separated(settings.reading.delimiter);
        let read_as = ReadAs::Decided { reading: &settings.reading, labels: None, names: settings.names };
        let read = table::read(file, &contents, &read_as, settings.limit)?;
        let names = read.form().columns.iter().map(|column| column.name.clone());
        Ok(names.filter(|name| settings.labels.as_ref() != Some(name)).collect())
    }

    /// What stands for a file that is not known yet.
    ///
    /// # Errors
    ///
    /// None: the numbers are those of a table that varies.
    pub(crate) fn example() -> Result<Self> {
        Self::of_columns(&["x", "y"].map(str::to_string))
    }

    /// What stands for a file with samples of `shape`.
    ///
    /// # Errors
    ///
    /// None: the numbers are those of a table that varies.
    pub(crate) fn of_shape(shape: Shape) -> Result<Self> {
        match shape {
            Shape::Image { height, width } => Ok(Self::of_form(Form::Images { height, width })),
            other => {
                let names: Vec<String> = (1..=other.features()).map(|column| format!("column_{column}")).collect();
                Self::of_columns(&names)
            }
        }
    }

    /// What stands for a table of numbers in columns of these names.
    fn of_columns(names: &[String]) -> Result<Self> {
        let codec = Codec::of_lines(names, &vec![0.0; names.len()], &vec![1.0; names.len()], None)?;
        Ok(Self::of_form(Form::Table(Arc::new(codec))))
    }

    fn of_form(form: Form) -> Self {
        Self::known((DataFile::example(), form), None, Reading::default(), None)
    }

    /// Data of which all but the samples is known.
    fn known((file, form): (DataFile, Form), labels: Option<Labels>, reading: Reading, limit: Option<u64>) -> Self {
        Self { file, form, labels, reading, loaded: None, table: None, limit, before: None }
    }

    /// Reads `file`: a table as `reading` has it, or images. At most `limit` bytes are taken by the run.
    fn read(
        mut file: DataFile,
        (reading, names): (Reading, SettingNames),
        wanted: Wanted,
        limit: Option<u64>,
    ) -> Result<Self> {
        let origin = file.origin().display().to_string();
        let contents = file.contents(reading.array.as_deref())?.separated(reading.delimiter);
        if let Some(decided) = reading.of_tables().filter(|_| contents.are_images()) {
            let problem = format!("is for a table, and {origin} holds images, which have no columns; leave it out");
            return Err(decided.error(names, problem));
        }
        if contents.are_images() {
            return Self::of_images(file, &contents, (reading, wanted), limit);
        }
        let is_array = contents == Contents::Npy;
        let labels = wanted.from().map(str::to_string);
        let read_as = ReadAs::Decided { reading: &reading, labels: labels.as_deref(), names };
        let read = table::read(&file, &contents, &read_as, limit)?;
        enough(read.rows(), &origin)?;
        if let Some(labels) = &labels {
            let most = reading.categories.unwrap_or(DEFAULT_CATEGORIES).min(Classes::MOST);
            labels::check_column(&read, labels, most, (&origin, names))?;
        }
        let codec = table::fit(&read, labels.as_deref(), &reading, (&origin, names))?;
        let notes = table::notes(&read, names);
        notes.iter().for_each(|told| note(&format!("{origin}: {told}")));
        let codec = Arc::new(codec);
        let samples = encoded(&codec, &read, limit, &file)?;
        let taken = reading_bytes(&read, is_array, &samples).saturating_add(file.held());
        file.let_go();
        let labels = Labels::of(&codec);
        let loaded = Some(Loaded { samples, reading: taken, notes, differing: Vec::new() });
        Ok(Self { loaded, ..Self::known((file, Form::Table(codec)), labels, reading, limit) })
    }

    /// Reads images.
    fn of_images(
        mut file: DataFile,
        contents: &Contents,
        (reading, wanted): (Reading, Wanted),
        limit: Option<u64>,
    ) -> Result<Self> {
        let origin = file.origin().display().to_string();
        let held = file.held();
        let most = reading_limit::for_reading(limit).saturating_sub(held);
        let read = file.images(contents, reading.array.as_deref(), most);
        let (images, taken) = read.map_err(|error| reading_limit::of_reading(error, limit, file.origin()))?;
        file.let_go();
        enough(images.len(), &origin)?;
        let form = Form::Images { height: images.height(), width: images.width() };
        let wanted = wanted.absolute()?;
        let values = wanted.of_images(file.origin(), images.len())?;
        let of_labels = wanted.from().unwrap_or_default().to_string();
        let (labels, of_each) = wanted.classes(values, &of_labels)?.unzip();
        let train = Arc::new(images);
        let set = ImageSet { train, labels: of_each.unwrap_or_default().into(), test: None };
        let samples = Samples::Images(Arc::new(set));
        let loaded = Some(Loaded {
            reading: held.saturating_add(taken.max(samples.bytes())),
            samples,
            notes: Vec::new(),
            differing: Vec::new(),
        });
        Ok(Self { loaded, ..Self::known((file, form), labels, reading, limit) })
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

    /// The table of the file, as the columns of the run; `None` of images.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or that has other columns.
    pub(crate) fn read_table(&self) -> Result<Option<Table>> {
        let Form::Table(codec) = &self.form else { return Ok(None) };
        let contents = self.contents()?;
        table::read(&self.file, &contents, &ReadAs::Known(codec, &self.reading_of_cells()), self.limit).map(Some)
    }

    /// Reads the file, as [`load`](Self::load) does, and keeps its table, too: values that the run has not seen are what they are there,
    /// and no samples.
    ///
    /// # Errors
    ///
    /// As [`samples`](Self::samples).
    pub(crate) fn load_table(&mut self) -> Result<()> {
        let table = self.read_table()?.map(Arc::new);
        self.load()?;
        self.table = table;
        Ok(())
    }

    /// The table that was kept.
    pub(crate) fn table(&self) -> Option<&Table> {
        self.table.as_deref()
    }

    /// What of the user's decisions is about the file's text. Which columns there are is known.
    fn reading_of_cells(&self) -> Reading {
        let Reading { array, delimiter, encoding, header, missing, decimal, .. } = self.reading.clone();
        Reading { array, delimiter, encoding, header, missing, decimal, ..Reading::default() }
    }

    /// What the file holds.
    fn contents(&self) -> Result<Contents> {
        Ok(self.file.contents(self.reading.array.as_deref())?.separated(self.reading.delimiter))
    }

    /// What the file holds, which is what the settings say.
    fn read_again(&self) -> Result<Loaded> {
        let origin = self.file.origin().display().to_string();
        match &self.form {
            Form::Images { .. } => {
                let wanted = self.labels.clone().map_or(Wanted::None, Wanted::Known);
                let contents = self.contents()?;
                if !contents.are_images() {
                    return Err(self.file.instead(&contents, &self.shape().to_string()));
                }
                let asked = (self.reading.clone(), wanted);
                let read = Self::of_images(self.file.clone(), &contents, asked, self.limit)?;
                if read.shape() != self.shape() {
                    let problem = format!("holds {}, but the settings are for {}", read.shape(), self.shape());
                    return Err(Error::data(origin, problem));
                }
                read.loaded.ok_or_else(|| Error::data(origin, "holds no samples"))
            }
            Form::Table(codec) => {
                let contents = self.contents()?;
                if contents.are_images() {
                    return Err(self.file.instead(&contents, "a table as the settings say"));
                }
                let is_array = contents == Contents::Npy;
                let cells = self.reading_of_cells();
                let read = table::read(&self.file, &contents, &ReadAs::Known(codec, &cells), self.limit)?;
                enough(read.rows(), &origin)?;
                if let Some(labels) = &self.labels {
                    table::check_known(&read, &labels.from, labels.classes.names(), &origin)?;
                }
                let notes = table::notes(&read, SettingNames::None);
                notes.iter().for_each(|told| note(&format!("{origin}: {told}")));
                let (samples, differing) = (encoded(codec, &read, self.limit, &self.file)?, table::differing(&read));
                let reading = reading_bytes(&read, is_array, &samples).saturating_add(self.file.held());
                Ok(Loaded { reading, samples, notes, differing })
            }
        }
    }

    /// Most bytes that reading the file took at once; 0 before it is read.
    pub(crate) fn reading_bytes(&self) -> u64 {
        self.loaded.as_ref().map_or(0, |loaded| loaded.reading)
    }

    /// What a user should know of the file; nothing before it is read.
    pub(crate) fn notes(&self) -> &[String] {
        self.loaded.as_ref().map_or(&[], |loaded| &loaded.notes)
    }

    /// The rows of the file in which a column that was constant in training has another value; none before it is read.
    pub(crate) fn differing(&self, column: &str) -> u64 {
        let all = self.loaded.iter().flat_map(|loaded| &loaded.differing);
        all.filter(|(name, _)| name == column).map(|(_, cells)| cells).sum()
    }

    /// Reads the file, if it has not been read, and keeps what it holds.
    ///
    /// # Errors
    ///
    /// As [`samples`](Self::samples).
    pub(crate) fn load(&mut self) -> Result<()> {
        if self.loaded.is_none() {
            self.loaded = Some(self.read_again()?);
            self.file.let_go();
        }
        Ok(())
    }

    /// Another file with samples of the same form.
    ///
    /// # Errors
    ///
    /// Images with labels, which are those of one file.
    pub(crate) fn with_file(&self, file: DataFile) -> Result<Self> {
        if let (Form::Images { .. }, Some(labels)) = (&self.form, &self.labels) {
            let problem = format!(
                "the run's images have their labels in {}, and others would have others; leave --data out",
                labels.from
            );
            return Err(Error::setting("data", problem));
        }
        let array = file.array_in_place_of(self.reading.array.clone());
        let reading = Reading { array, ..self.reading.clone() };
        Ok(Self { file, reading, loaded: None, table: None, ..self.clone() })
    }

    /// How the rows of a table become samples; `None` of images.
    pub(crate) fn codec(&self) -> Option<&Arc<Codec>> {
        match &self.form {
            Form::Table(codec) => Some(codec),
            Form::Images { .. } => None,
        }
    }

    /// How the rows of a table become samples, with what was decided of how it is read; `None` of images.
    pub(crate) fn fitted(&self) -> Option<Fitted> {
        self.codec().map(|codec| Fitted { codec: Arc::clone(codec), reading: Some(self.reading.clone()) })
    }

    /// What a sample is, to the networks.
    pub(crate) fn shape(&self) -> Shape {
        match &self.form {
            Form::Table(codec) if codec.groups().is_empty() => Shape::Numbers(codec.numbers()),
            Form::Table(codec) => {
                Shape::Mixed { columns: codec.numbers() + codec.groups().len(), features: codec.features() }
            }
            &Form::Images { height, width } => Shape::Image { height, width },
        }
    }

    /// The setting that decides how many values a row has, and the columns that it gave others, where that is known; what decides it
    /// otherwise.
    pub(crate) fn why_so_many_values(&self) -> String {
        match (&self.form, &self.before) {
            (Form::Table(codec), Some(before)) => {
                let labels = self.labels.as_ref().map(|labels| labels.from.as_str());
                changes::told(before, codec, &self.reading, labels)
            }
            (Form::Table(_), None) => "by its columns and `columns`, `kinds` and `labels` of [data]".to_string(),
            (Form::Images { .. }, _) => "by its size and `labels` of [data]".to_string(),
        }
    }

    /// Classes of its samples before settings were changed; as many as now where none were.
    pub(crate) fn classes_before(&self) -> usize {
        let now = self.labels.as_ref().map_or(0, |labels| labels.classes.len());
        self.before.as_ref().map_or(now, |before| before.codec.classes().len())
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
        let groups = self.codec().map_or(&[][..], |codec| codec.groups());
        own_data::spec_with(self.shape(), groups, self.labels.as_ref().map_or(0, |labels| labels.classes.len()))
    }

    /// What stands in a picture's title: the file, and where a picture shows two columns these.
    pub(crate) fn title(&self) -> String {
        let name = self.file.title();
        let Some(codec) = self.codec().filter(|codec| codec.numbers() == 2 && codec.groups().is_empty()) else {
            return name;
        };
        let is_number =
            |domain: &Domain| matches!(domain, Domain::Numbers { .. } | Domain::Integers { .. } | Domain::Dates { .. });
        let columns = codec.form().columns.iter().filter(|column| is_number(&column.domain));
        let shown: Vec<&str> = columns.map(|column| column.name.as_str()).collect();
        format!("{name}: {}", shown.join(" and "))
    }
}

/// Refuses too few samples.
fn enough(samples: usize, origin: &str) -> Result<()> {
    match samples {
        0 | 1 => {
            Err(Error::data(origin, "holds one sample; give two or more, which are the least that can be learned from"))
        }
        _ => Ok(()),
    }
}

/// Most bytes that reading took at once: the table beside its samples, or the array that it `is` beside the table.
fn reading_bytes(table: &Table, is_array: bool, samples: &Samples) -> u64 {
    let array = if is_array { table.bytes() } else { 0 };
    table.bytes().saturating_add(array.max(samples.bytes()))
}

/// A table as samples.
fn encoded(codec: &Codec, table: &Table, limit: Option<u64>, file: &DataFile) -> Result<Samples> {
    let most = reading_limit::for_reading(limit).saturating_sub(file.held());
    let encoded = codec.encode(table, most);
    let encoded = encoded.map_err(|error| reading_limit::of_reading(error, limit, file.origin()))?;
    Ok(Samples::Table(Arc::new(encoded)))
}

#[cfg(test)]
mod tests {
    use gannet_tables::{Kind, Scaling};

    use super::*;

    #[test]
    fn batch_and_length_follow_the_rows() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("data.csv");
        for (rows, batch, epochs) in [(3, 3, 10_000), (256, 256, 10_000), (1_000, 256, 5_120)] {
            let text: String = (0..rows).map(|row| format!("{}.5\n", row * row % 1009)).collect();
            std::fs::write(&file, text).unwrap();
            let own = OwnData::new(DataFile::of_settings(&file).unwrap(), Settings::default()).unwrap();
            assert_eq!((own.batch(), own.duration(batch)), (batch, Duration::Epochs(epochs)), "{rows}");
        }
    }

    #[test]
    fn titles_name_two_columns() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("data.csv");
        let title = |text: &str| {
            std::fs::write(&file, text).unwrap();
            OwnData::new(DataFile::of_settings(&file).unwrap(), Settings::default()).unwrap().title()
        };
        assert_eq!(title("a,b,c\n1.5,1,2\n2.5,1,4\n"), "data.csv: a and c");
        assert_eq!(title("a,b,c\n1.5,1,2\n2.5,7,4\n"), "data.csv");
    }

    #[test]
    fn a_codec_is_taken_where_it_is_one_of_the_settings() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("data.csv");
        let text: String = (0..40).map(|row| format!("{}.5,{},{}\n", row * row % 37, row % 3, row * 11 % 31)).collect();
        std::fs::write(&file, "x,k,n\n".to_string() + &text).unwrap();
        let own = OwnData::new(DataFile::of_settings(&file).unwrap(), Settings::default()).unwrap();
        let with = |reading: Reading, labels: Option<&str>| {
            let (fitted, labels) = (own.fitted(), labels.map(str::to_string));
            let settings = Settings { reading, fitted, labels, ..Settings::default() };
            let other = OwnData::new(DataFile::of_settings(&file).unwrap(), settings).unwrap();
            (Arc::ptr_eq(other.codec().unwrap(), codec_of(&own)), other)
        };
        fn codec_of(own: &OwnData) -> &Arc<Codec> {
            own.codec().unwrap()
        }
        let names = |names: &[&str]| Some(names.iter().map(|name| name.to_string()).collect());
        assert!(with(Reading::default(), None).0);
        assert!(with(Reading { columns: names(&["x", "k", "n"]), ..Reading::default() }, None).0);
        let (is_same, other) = with(Reading { columns: names(&["x", "n"]), ..Reading::default() }, None);
        assert_eq!((is_same, other.shape().features()), (false, 2));
        let kinds = [("n".to_string(), Kind::Categorical)].into();
        assert!(!with(Reading { kinds, ..Reading::default() }, None).0);
        assert!(!with(Reading { numbers: Scaling::Standard, ..Reading::default() }, None).0);
        assert!(!with(Reading { missing: Some(vec!["7".to_string()]), ..Reading::default() }, None).0);
        let (is_same, other) = with(Reading::default(), Some("k"));
        assert_eq!((is_same, other.labels.map(|labels| labels.classes.len())), (false, Some(3)));
    }
}
