//! The configuration file of a run, `config.toml`: reading it. (Writing: [`config_text`](crate::settings::config_text).)
//!
//! It has three tables: `[run]` (preset, length, seed, threads ...), `[data]` (where the samples come from) and `[gan]`
//! (objective, order, optimizers and the layers of both networks). What a file leaves out, the preset's defaults fill in; a name
//! that is not known is refused.

use std::collections::BTreeMap;
use std::mem;
use std::path::{Path, PathBuf};

use gannet::gan::presets;
use gannet::internals::memory::room;
use gannet::{Error, Result};
use serde::Deserialize;
use toml::Value;
use toml::de::{DeTable, DeValue, Deserializer, ValueDeserializer};

use super::config::RunConfig;
use super::schema::{Schema, given_twice, line_of, line_of_setting, today};
use super::table::{EXCLUSIVE, SETTINGS, Setting};
use crate::data::codec_file::Fitted;
use crate::data::data_file::DataFile;
use crate::data::own::OwnData;
use crate::data::own_settings::Settings;
use crate::data::reading::{self, Reading, SCALINGS};
use crate::folder::contents::is_standard_input;
use crate::folder::run_folder::refused;
use crate::preset::{self, OWN};
use gannet_settings::GanTable;
use gannet_settings::own_data::before_recipes;
use gannet_settings::toml_error::readable;
use gannet_settings::values::{names, of_name};
use gannet_tables::SettingNames;

/// Bytes of a configuration file at most: more than the names and scales of as many columns as a table may have.
pub(crate) const LARGEST: u64 = 1 << 23;

/// The settings in the text of a configuration file that lies in `folder`. `data` takes the place of the file of own
/// data, `limit` that of the most memory that the run may take.
///
/// # Errors
///
/// [`Error::InvalidSetting`] that names the line or the setting; what reading own data reports.
pub(crate) fn parse(text: &str, folder: Option<&Path>, data: Option<&Path>, limit: Option<u64>) -> Result<RunConfig> {
    parse_beside(text, Surroundings { folder, data, limit, fitted: None })
}

/// What a configuration file is read with.
#[derive(Clone, Copy, Default)]
pub(crate) struct Surroundings<'a> {
    /// The folder that it lies in.
    pub(crate) folder: Option<&'a Path>,
    /// What takes the place of the file of own data.
    pub(crate) data: Option<&'a Path>,
    /// What takes the place of the most memory that the run may take.
    pub(crate) limit: Option<u64>,
    /// How the rows of its table become samples, where that is known.
    pub(crate) fitted: Option<&'a Fitted>,
}

/// The settings in the text of a configuration file with these surroundings.
///
/// # Errors
///
/// As [`parse`].
pub(crate) fn parse_beside(text: &str, around: Surroundings<'_>) -> Result<RunConfig> {
    read(text, &[], |settings, structures| resolve(settings, structures, around))
}

/// The settings of `config` with those in the `text` of a file in `folder` in their place, as options of the command line take it. The
/// tables and values of the file called `other` are none of them.
///
/// # Errors
///
/// As [`parse`]; a setting that says what is learned, or from which data.
pub(crate) fn overlay(config: &RunConfig, text: &str, other: &[&str], folder: Option<&Path>) -> Result<RunConfig> {
    read(text, other, |settings, Structures { data, gan, .. }| {
        let of_base = |name: &str| Err(Error::setting(name, "is that of the base; leave it out, or name another base"));
        if settings.iter().any(|(setting, _)| setting.path() == "run.preset") {
            return of_base("run.preset");
        }
        if let Some(name) = data.given() {
            return of_base(&format!("data.{name}"));
        }
        check_length(&settings)?;
        let mut config = config.clone();
        set(&mut config, settings, folder)?;
        gan.fill(&mut config.spec)?;
        Ok(config)
    })
}

/// What `fill` makes of the settings in `text`, beside which it may have what is called `other`.
fn read(text: &str, other: &[&str], fill: impl FnOnce(Given, Structures) -> Result<RunConfig>) -> Result<RunConfig> {
    /// What the parser takes for a byte of text, at most; a file of many columns is long.
    const PARSED_BYTES: usize = 32;
    // The parser would end the process where it gets no memory: it is asked for here, and given back.
    drop(room::<u8>(text.len().saturating_mul(PARSED_BYTES))?);
    let parsed = || {
        let mut table = DeTable::parse(text).map_err(|error| toml_error(&error, text))?;
        let all = mem::take(table.get_mut());
        table.get_mut().extend(all.into_iter().filter(|(name, _)| !other.contains(&name.get_ref().as_ref())));
        Ok::<_, Error>(table)
    };
    let table = parsed()?.into_inner();
    Schema::new()?.check_names(&table, text)?;
    let with_line = |error| match error {
        Error::InvalidSetting { name, problem } => match line_of_setting(&table, text, &name) {
            Some(line) => Error::setting(format!("line {line}, {name}"), problem),
            None => Error::setting(name, problem),
        },
        other => other,
    };
    let mut rest = parsed()?;
    let settings = take_settings(rest.get_mut()).map_err(with_line)?;
    let structures = Structures::deserialize(Deserializer::from(rest)).map_err(|error| toml_error(&error, text))?;
    let config = fill(settings, structures);
    config.and_then(|config| config.validate().map(|()| config)).map_err(with_line)
}

/// Settings of a file with their values.
type Given = Vec<(&'static Setting, Value)>;

/// Takes the settings with one value out of `table`.
fn take_settings(table: &mut DeTable<'_>) -> Result<Given> {
    let mut given = Given::new();
    for (key, value) in table.iter_mut() {
        let DeValue::Table(settings) = value.get_mut() else { continue };
        let name_of_table = key.get_ref();
        for (key, value) in mem::take(settings) {
            let name = today(name_of_table, key.get_ref());
            let known = SETTINGS.iter().find(|setting| setting.table == name_of_table && setting.name == name);
            let Some(setting) = known else {
                settings.insert(key, value);
                continue;
            };
            let wrong = |problem| Error::setting(setting.path(), problem);
            // TOML itself refuses a name that stands twice.
            if given.iter().any(|(before, _)| before.path() == setting.path()) {
                return Err(wrong(given_twice()));
            }
            let value = Value::deserialize(ValueDeserializer::from(value)).map_err(|error| wrong(readable(&error)))?;
            given.push((setting, setting.kind.check(value).map_err(wrong)?));
        }
    }
    Ok(given)
}

/// Refuses the `text` of a run's settings where it would be no configuration file that is read again.
///
/// # Errors
///
/// [`Error::InvalidSetting`].
pub(crate) fn check_readable(text: &str, fitted: Option<&Fitted>) -> Result<()> {
    let refuse = |problem: String| Err(Error::setting("config.toml", problem));
    if text.len() as u64 > LARGEST {
        return refuse(format!(
            "would have {} bytes, more than the {LARGEST} that are read back; shorten the names of the columns",
            text.len()
        ));
    }
    // The folder of the data does not matter: paths are absolute.
    match parse_beside(text, Surroundings { fitted, ..Surroundings::default() }) {
        Ok(_) => Ok(()),
        Err(error) => refuse(format!("could not be read back: {error}")),
    }
}

/// Fills what the file leaves out.
fn resolve(settings: Given, structures: Structures, around: Surroundings<'_>) -> Result<RunConfig> {
    let Surroundings { folder, data, limit, fitted } = around;
    let Structures { data: mut table, gan, .. } = structures;
    let given = |name: &str| settings.iter().find(|(setting, _)| setting.name == name).map(|(_, value)| value);
    let name = given("preset").and_then(Value::as_str).or(table.file.as_ref().map(|_| OWN));
    let name = name.ok_or_else(|| Error::setting("run.preset", format!("is missing; {}", preset::known())))?;
    let memory_limit = given("memory_limit").and_then(Value::as_integer).map(i64::cast_unsigned);
    check_length(&settings)?;
    let has_length = EXCLUSIVE.into_iter().any(|name| given(name).is_some());
    let mut config = if name == OWN {
        if table.labels.is_some() && table.are_images(folder) {
            table.take_labels_of_images(folder, data)?;
        }
        table.file = table.file.map(|file| from_file(folder, file));
        let chosen = given("batch").is_none() || !has_length;
        let mut config = own(&mut table, (limit.or(memory_limit), fitted), (data, chosen))?;
        if given("objective").is_some() && given("recipe").is_none() {
            config.spec = before_recipes(config.spec, config.preset.shape());
        }
        config
    } else {
        let preset = presets::Preset::from_name(name).ok_or_else(|| preset::unknown("run.preset", name))?;
        table.refuse_own(name)?;
        RunConfig::of(preset)
    };
    set(&mut config, settings, folder)?;
    if let Some(own) = config.own.as_ref().filter(|_| !has_length) {
        config.duration = own.duration(config.batch);
    }
    gan.fill(&mut config.spec)?;
    Ok(config)
}

/// Refuses both of the settings of which only one can be given.
fn check_length(settings: &[(&Setting, Value)]) -> Result<()> {
    let given = |name: &str| settings.iter().any(|(setting, _)| setting.name == name);
    if EXCLUSIVE.into_iter().all(given) {
        let [one, other] = EXCLUSIVE;
        return Err(Error::setting(format!("run.{one}"), format!("excludes `run.{other}`; give one of them")));
    }
    Ok(())
}

/// Puts the `settings` of a file in `folder` into `config`.
fn set(config: &mut RunConfig, mut settings: Given, folder: Option<&Path>) -> Result<()> {
    // A recipe comes before the settings that override it.
    settings.sort_by_key(|(setting, _)| SETTINGS.iter().position(|known| known.path() == setting.path()));
    for (setting, value) in &settings {
        let value = setting.kind.with_paths(value.clone(), |path| from_file(folder, path));
        (setting.set)(config, &value).map_err(|problem| Error::setting(setting.path(), problem))?;
    }
    Ok(())
}

/// A path is meant from where the file lies, not from where the program was started.
fn from_file(folder: Option<&Path>, path: PathBuf) -> PathBuf {
    if is_standard_input(&path) {
        return path;
    }
    folder.map_or(path.clone(), |folder| folder.join(&path))
}

/// The defaults for the own data of `table`. They are read where the file leaves something to be `chosen` by them.
fn own(
    table: &mut DataTable,
    (limit, fitted): (Option<u64>, Option<&Fitted>),
    (data, chosen): (Option<&Path>, bool),
) -> Result<RunConfig> {
    let missing = || Error::setting("data.file", "is missing; own data need a file (or give it with --data FILE)");
    let file = match (data, table.file.take()) {
        (Some(data), _) => DataFile::named(data, limit)?,
        (None, file) => DataFile::of_settings(&file.ok_or_else(missing)?)?,
    };
    if data.is_some() {
        table.array = file.array_in_place_of(table.array.take());
    }
    let settings = Settings {
        reading: table.reading()?,
        fitted: fitted.cloned(),
        offset: table.offset.take(),
        scale: table.scale.take(),
        image: table.image,
        labels: table.labels.take(),
        classes: table.classes.take(),
        class_counts: table.class_counts.take(),
        limit,
        names: SettingNames::Settings,
    };
    let mut own = OwnData::new(file, settings)?;
    // What standard input gave takes memory until the samples are made.
    if chosen || data.is_some_and(is_standard_input) {
        own.load()?;
    }
    Ok(RunConfig::of_own(own))
}

/// An error of the TOML reader: the line, what is wrong, and the nearest known name of an unknown one.
pub(crate) fn toml_error(error: &toml::de::Error, text: &str) -> Error {
    let line = error.span().map(|span| format!("line {}", line_of(text, span.start)));
    Error::setting(line.unwrap_or_else(|| "config".to_string()), readable(error))
}

/// What has settings of its own in a file: everything may be left out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Structures {
    /// All of its settings have one value.
    #[serde(default, rename = "run")]
    _run: NoMore,
    #[serde(default)]
    data: DataTable,
    #[serde(default)]
    gan: GanTable,
}

/// A table with nothing left in it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoMore {}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DataTable {
    file: Option<PathBuf>,
    array: Option<String>,
    columns: Option<Vec<String>>,
    drop: Option<Vec<String>>,
    kinds: Option<BTreeMap<String, String>>,
    delimiter: Option<String>,
    encoding: Option<String>,
    header: Option<bool>,
    missing: Option<Vec<String>>,
    decimal: Option<String>,
    categories: Option<usize>,
    numbers: Option<String>,
    beyond: Option<f64>,
    offset: Option<Vec<f64>>,
    scale: Option<Vec<f64>>,
    image: Option<[usize; 2]>,
    labels: Option<String>,
    classes: Option<Vec<String>>,
    class_counts: Option<Vec<u64>>,
}

impl DataTable {
    /// The first setting of own data that is given.
    fn given(&self) -> Option<&'static str> {
        let own = [
            ("file", self.file.is_some()),
            ("array", self.array.is_some()),
            ("columns", self.columns.is_some()),
            ("drop", self.drop.is_some()),
            ("kinds", self.kinds.is_some()),
            ("delimiter", self.delimiter.is_some()),
            ("encoding", self.encoding.is_some()),
            ("header", self.header.is_some()),
            ("missing", self.missing.is_some()),
            ("decimal", self.decimal.is_some()),
            ("categories", self.categories.is_some()),
            ("numbers", self.numbers.is_some()),
            ("beyond", self.beyond.is_some()),
            ("offset", self.offset.is_some()),
            ("scale", self.scale.is_some()),
            ("image", self.image.is_some()),
            ("labels", self.labels.is_some()),
            ("classes", self.classes.is_some()),
            ("class_counts", self.class_counts.is_some()),
        ];
        own.into_iter().find(|&(_, given)| given).map(|(setting, _)| setting)
    }

    /// How a table is read.
    fn reading(&mut self) -> Result<Reading> {
        let named = |name: &'static str| move |problem: String| Error::setting(format!("data.{name}"), problem);
        let kinds = self.kinds.take().unwrap_or_default().into_iter().map(|(column, kind)| {
            let kind = reading::kind(&kind)
                .map_err(|problem| Error::setting("data.kinds", format!("of column `{column}`: {problem}")))?;
            Ok((column, kind))
        });
        let numbers = self.numbers.take().map(|name| {
            of_name(SCALINGS, &name)
                .ok_or_else(|| Error::setting("data.numbers", format!("is one of {}", names(SCALINGS).join(", "))))
        });
        Ok(Reading {
            array: self.array.take(),
            columns: self.columns.take(),
            drop: self.drop.take().unwrap_or_default(),
            kinds: kinds.collect::<Result<_>>()?,
            delimiter: self
                .delimiter
                .take()
                .map(|text| reading::delimiter(&text))
                .transpose()
                .map_err(named("delimiter"))?,
            encoding: self
                .encoding
                .take()
                .map(|text| reading::encoding(&text))
                .transpose()
                .map_err(named("encoding"))?,
            header: self.header,
            missing: self.missing.take(),
            decimal: self.decimal.take().map(|text| reading::decimal(&text)).transpose().map_err(named("decimal"))?,
            categories: self.categories.map(reading::check_categories).transpose().map_err(named("categories"))?,
            numbers: numbers.transpose()?.unwrap_or_default(),
            beyond: self.beyond.map(reading::check_beyond).transpose().map_err(named("beyond"))?.unwrap_or_default(),
        })
    }

    /// Whether they are of images; the file is meant from `folder`.
    fn are_images(&self, folder: Option<&Path>) -> bool {
        let holds_images = |file: &PathBuf| {
            let file = DataFile::of_settings(&from_file(folder, file.clone()));
            let contents = file.and_then(|file| file.contents(self.array.as_deref()));
            contents.is_ok_and(|contents| contents.are_images())
        };
        self.image.is_some() || self.file.as_ref().is_some_and(holds_images)
    }

    /// Makes the path of the labels absolute, meant from `folder`; other `data` have others.
    fn take_labels_of_images(&mut self, folder: Option<&Path>, data: Option<&Path>) -> Result<()> {
        let Some(labels) = self.labels.take() else { return Ok(()) };
        if data.is_some() {
            let problem =
                format!("the images have their labels in {labels}, and others would have others; leave --data out");
            return Err(Error::setting("data", problem));
        }
        let path = from_file(folder, PathBuf::from(&labels));
        let path = std::path::absolute(&path).map_err(refused("find", &path))?;
        self.labels = Some(path.to_str().map_or(labels, str::to_string));
        Ok(())
    }

    /// Refuses the settings of own data beside the preset `name`.
    fn refuse_own(&self, name: &str) -> Result<()> {
        match self.given() {
            Some(setting) => {
                let problem = format!("is for `preset = \"{OWN}\"`; {name} has its own samples");
                Err(Error::setting(format!("data.{setting}"), problem))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gannet::cpu::IsaKind;
    use gannet::data::synthetic;
    use gannet::gan::presets::Duration;
    use gannet::gan::{Trainer, TrainerOptions};

    use super::*;
    use crate::settings::config_text::render;
    use gannet_settings::toml_error::unknown_name;
    use gannet_settings::values::MOST_SHARDS;

    fn problem(text: &str) -> String {
        parse(text, None, None, None).unwrap_err().to_string()
    }

    /// The schema's text and serde's derives know the same names, at every level.
    #[test]
    fn the_schema_has_the_names_that_are_read() {
        let schema: serde_json::Value = serde_json::from_str(&crate::settings::schema::text()).unwrap();
        let optimizer = |kind| format!("[gan]\ngenerator_optimizer = {{ kind = '{kind}', zz = 1 }}");
        let activation = |kind: &str| {
            format!(
                "[gan.generator]\nlayers = [{{ inputs = 1, outputs = 1, activation = {{ kind = '{kind}', zz = 1 }} }}]"
            )
        };
        for (text, pointer) in [
            ("zz = 1".to_string(), "/properties"),
            ("[data]\nzz = 1".to_string(), "/properties/data/properties"),
            ("[gan]\nzz = 1".to_string(), "/properties/gan/properties"),
            ("[gan.generator]\nzz = 1".to_string(), "/$defs/network/properties"),
            ("[gan.generator]\nlayers = [{ zz = 1 }]".to_string(), "/$defs/layer/properties"),
            (optimizer("adam"), "/$defs/optimizer/oneOf/0/properties"),
            (optimizer("sgd"), "/$defs/optimizer/oneOf/1/properties"),
            (optimizer("adamw"), "/$defs/optimizer/oneOf/2/properties"),
            (optimizer("rmsprop"), "/$defs/optimizer/oneOf/3/properties"),
            (
                "[gan.generator]\ninitialization = { kind = 'normal', zz = 1 }".to_string(),
                "/$defs/initialization/oneOf/1/properties",
            ),
            (activation("leaky_relu"), "/$defs/activation/oneOf/1/properties"),
            (activation("zz"), "/$defs/activation/kinds"),
            ("[gan.generator]\ninitialization = { kind = 'zz' }".to_string(), "/$defs/initialization/kinds"),
            (optimizer("zz"), "/$defs/optimizer/kinds"),
        ] {
            let message = match toml::from_str::<Structures>(&text) {
                Err(error) => error.message().to_string(),
                Ok(file) => match file.gan.fill(&mut presets::Preset::Circle.spec()) {
                    Err(Error::InvalidSetting { problem, .. }) => problem,
                    other => panic!("{text}: {other:?}"),
                },
            };
            let (wrong, mut read) = unknown_name(&message).unwrap();
            assert_eq!(wrong, "zz", "{text}");
            let mut known: Vec<&str> = match pointer.strip_suffix("/kinds") {
                Some(pointer) => {
                    let variants = schema.pointer(pointer).unwrap()["oneOf"].as_array().unwrap();
                    let kinds = variants.iter().map(|variant| &variant["properties"]["kind"]);
                    // One name, or several.
                    kinds
                        .flat_map(|kind| {
                            [
                                vec![&kind["const"]],
                                kind["enum"].as_array().map_or(vec![], |names| names.iter().collect()),
                            ]
                            .concat()
                        })
                        .filter_map(|name| name.as_str())
                        .collect()
                }
                None => match schema.pointer(pointer).unwrap() {
                    serde_json::Value::Array(names) => names.iter().filter_map(|name| name.as_str()).collect(),
                    properties => properties.as_object().unwrap().keys().map(String::as_str).collect(),
                },
            };
            // Neither the tag nor settings of the table are among serde's fields.
            let table = pointer.trim_start_matches("/properties/").trim_end_matches("/properties");
            let is_setting = |name: &str| SETTINGS.iter().any(|one| one.table == table && one.name == name);
            known.retain(|name| *name != "kind" && !is_setting(name));
            known.sort_unstable();
            read.sort_unstable();
            assert_eq!(known, read, "{text}");
        }
    }

    #[test]
    fn every_setting_survives_writing_and_reading() {
        for &preset in presets::Preset::ALL {
            let mut config = RunConfig::of(preset);
            config.seed = 17;
            config.threads = 3;
            config.isa = Some(IsaKind::Portable);
            config.memory_limit = Some(1 << 30);
            config.evaluate_every = Some(320);
            config.report_every = Some(4);
            config.directory = (preset == presets::Preset::Mnist).then(|| PathBuf::from("/data/of mnist"));
            let text = render(&config, "a run").unwrap();
            assert_eq!(parse(&text, None, None, None).unwrap(), config, "{text}");
            config.duration = Duration::Steps(123);
            assert_eq!(parse(&render(&config, "a run").unwrap(), None, None, None).unwrap(), config);
        }
    }

    #[test]
    fn what_could_not_be_read_back_is_not_written() {
        let text = render(&RunConfig::of(presets::Preset::Circle), "a run").unwrap();
        check_readable(&text, None).unwrap();
        let long = format!("{text}# {}\n", "x".repeat(LARGEST as usize));
        assert!(check_readable(&long, None).unwrap_err().to_string().contains("shorten the names"));
        for damaged in [text.replace("batch = ", "batch = -"), text.replace("[gan]", "[gan"), text + "[other]\n"] {
            let problem = check_readable(&damaged, None).unwrap_err().to_string();
            assert!(problem.contains("config.toml: could not be read back"), "{problem}");
        }
    }

    #[test]
    fn what_is_left_out_comes_from_the_preset() {
        assert_eq!(
            parse("[run]\npreset = 'circle'", None, None, None).unwrap(),
            RunConfig::of(presets::Preset::Circle)
        );
    }

    #[test]
    fn a_relative_folder_is_meant_from_the_file() {
        let text = "[run]\npreset = 'mnist'\n[data]\ndirectory = 'idx'";
        let config = parse(text, Some(Path::new("/somewhere")), None, None).unwrap();
        assert_eq!(config.directory.as_deref(), Some(Path::new("/somewhere/idx")));
    }

    /// The bound that the schema tells is the library's.
    #[test]
    fn as_many_shards_are_taken_as_the_library_takes() {
        let with = |shards: u64| {
            let points = Arc::new(synthetic::circle(4096, 1).unwrap());
            let options = TrainerOptions::default().with_batch(4096).with_shards(shards as usize);
            Trainer::new(presets::Preset::Circle.spec(), points, options).map(drop)
        };
        with(MOST_SHARDS).unwrap();
        assert!(with(2 * MOST_SHARDS).unwrap_err().to_string().contains("shards"));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, parts) in [
            ("", vec!["run.preset: is missing", "mnist"]),
            ("[run]\nbatch = 3", vec!["run.preset", "circle, circle-best"]),
            (
                "[run]\nsystem = 'mnist'\npreset = 'circle'",
                vec!["run.preset: is given twice", "`system` is the old name of `preset`"],
            ),
            ("[run]\npreset = 'circel'", vec!["did you mean `circle`?"]),
            ("[run]\npreset = 'circle'\nbacth = 3", vec!["line 3", "unknown field `bacth`", "did you mean `batch`?"]),
            ("[run]\npreset = 'circle'\n[gan]\nobjective = 'minmax'", vec!["line 4", "did you mean `minimax`?"]),
            ("[run]\npreset = 'circle'\nbatch = -3", vec!["line 3", "run.batch", "a whole number from 1 up"]),
            ("[run]\npreset = 'circle'\nbatch = 'x'", vec!["line 3", "run.batch", "a whole number from 1 up"]),
            ("[run]\npreset = 'circle'\nshards = 3", vec!["line 3", "run.shards", "a power of two"]),
            ("[run]\npreset = 'circle'\nshards = 2048", vec!["line 3", "run.shards", "from 1 to 1024"]),
            ("[run]\npreset = 'circle'\n[data]\ndirectory = 'idx'", vec!["data.directory", "leave it out"]),
            ("[run]\npreset = 'circle'\nbatch = 0", vec!["run.batch", "from 1 up"]),
            ("[run]\npreset = 'circle'\nbatch = ", vec!["line 3"]),
            ("[run]\npreset = 'circle'\nmemory_limit = '2 apples'", vec!["run.memory_limit", "2GiB"]),
            ("[run]\npreset = 'circle'\nepochs = 3\nsteps = 4", vec!["run.epochs", "run.steps"]),
            ("[run]\npreset = 'digits'\n[data]\npoints = 4", vec!["data.points"]),
            (
                "[run]\npreset = 'circle'\n[gan]\ngenerator_optimizer = { kind = 'sgd', learning_rate = nan, momentum = 0 }",
                vec!["learning_rate"],
            ),
            (
                "[run]\npreset = 'circle'\n[gan.generator]\nlayers = [{ inputs = 2, outputs = 3, activation = { kind = 'relu' } }]",
                vec!["discriminator.layers[0].inputs"],
            ),
        ] {
            let problem = problem(text);
            for part in parts {
                assert!(problem.contains(part), "`{part}` is not in `{problem}`");
            }
        }
    }
}
