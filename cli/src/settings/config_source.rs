//! Where the settings of a run come from: the defaults of a preset or a data file, a configuration file, the command line, in this order.

use std::path::Path;

use anyhow::Context;
use gannet::gan::presets;
use gannet::internals::file;
use gannet::{Error, Result};

use crate::data::codec_file;
use crate::data::data_file::DataFile;
use crate::data::own::OwnData;
use crate::data::own_settings::Settings;
use crate::data::reading::{Decided, Reading};
use crate::folder::contents::{Contents, is_standard_input};
use crate::folder::run_folder::CONFIG;
use crate::preset::{self, OWN};
use crate::settings::config::RunConfig;
use crate::settings::config_file::{self, LARGEST, Surroundings};
use crate::terminal::output::note;
use gannet_tables::SettingNames;

/// The settings that `what` names: a preset, a data file, a configuration file or a run. `data` takes the place of the
/// file of own data, and `limit` that of the most memory that the run may take; `asked` says how a data file is read, and where its classes are.
///
/// # Errors
///
/// An unknown preset, a file that cannot be read, settings that make no sense.
pub(crate) fn named(
    path: &Path,
    data: Option<&Path>,
    asked: (Option<&str>, &Reading),
    limit: Option<u64>,
) -> anyhow::Result<RunConfig> {
    let (labels, reading) = asked;
    let of_file = |file: &Path| {
        let (labels, reading) = (labels.map(str::to_string), reading.clone());
        let file = DataFile::named(file, limit)?;
        let settings = Settings { reading, labels, limit, names: SettingNames::Options, ..Settings::default() };
        Ok(RunConfig::of_own(OwnData::new(file, settings)?))
    };
    // What says how a data file is read, beside something else.
    let asked = labels.map(|_| Decided("labels")).or(reading.of_tables());
    let asked = asked.or(reading.array.as_ref().map(|_| Decided("array")));
    let refuse = |instead: &str| {
        asked.map_or(Ok(()), |asked| {
            let problem = format!("is for a data file; {}", instead.replace("SETTING", &asked.setting()));
            Err(asked.error(SettingNames::Options, problem))
        })
    };
    let refuse_beside_preset = || refuse("a preset has its own samples, so leave the option out");
    let refuse_beside_config = || refuse("for a configuration set SETTING in its file");
    // Only a name of text can be a preset's; a path may be of any bytes.
    let what = path.to_str();
    if let Some(preset) = what.and_then(presets::Preset::from_name) {
        let what = preset.name();
        if path.is_file() {
            note(&format!("{what} is the preset of this name; for the file write ./{what}"));
        }
        refuse_beside_preset()?;
        return Ok(RunConfig::of(preset));
    }
    if what == Some(OWN) {
        let missing = || Error::setting("data", "own needs the file with your samples; give it with --data FILE");
        return of_file(data.ok_or_else(missing)?);
    }
    if path.is_dir() && path.join(CONFIG).exists() {
        refuse_beside_config()?;
        return read_with(&path.join(CONFIG), data, limit);
    }
    let known = if is_standard_input(path) { Ok(Contents::Text) } else { Contents::of(path) };
    let known = known.map(|contents| contents.separated(reading.delimiter));
    match known {
        Ok(Contents::Config) => {
            refuse_beside_config()?;
            read_with(path, data, limit)
        }
        Ok(contents) if contents.are_samples() => match data {
            Some(_) => {
                Err(Error::setting("data", format!("{} is the data already; leave --data out", path.display())).into())
            }
            None => of_file(path),
        },
        Ok(contents) => Err(contents.instead(path, "data or a configuration").into()),
        // A word that names no file may be meant as a preset.
        Err(Error::Io { source, .. })
            if source.kind() == std::io::ErrorKind::NotFound
                && path.extension().is_none()
                && what.is_some_and(|what| !what.contains(std::path::MAIN_SEPARATOR)) =>
        {
            Err(preset::unknown("preset", what.unwrap_or_default()).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Reads a configuration file.
///
/// # Errors
///
/// A file that cannot be read, is no TOML, or has unknown or senseless settings.
pub(crate) fn read(path: &Path) -> anyhow::Result<RunConfig> {
    read_with(path, None, None)
}

/// The same with another file of own data, and with another limit of memory than the file has.
///
/// # Errors
///
/// As [`read`].
pub(crate) fn read_with(path: &Path, data: Option<&Path>, limit: Option<u64>) -> anyhow::Result<RunConfig> {
    let text = read_text(path)?;
    let folder = path.parent();
    // A file of another name is not that of the run beside which it lies.
    let is_of_run = path.file_name().is_some_and(|name| name == CONFIG);
    let fitted = folder.filter(|_| is_of_run).map(codec_file::read).transpose()?.flatten();
    let around = Surroundings { folder, data, limit, fitted: fitted.as_ref() };
    config_file::parse_beside(&text, around).with_context(|| path.display().to_string())
}

/// The text of a configuration file. What is far larger than any of them is not read to its end, which may never come.
fn read_text(path: &Path) -> Result<String> {
    let wrong = |problem: &str| {
        Err(Error::data(path.display().to_string(), format!("{problem}; give the config.toml of a run")))
    };
    if file::open(path)?.1 > LARGEST {
        return wrong("is no configuration file: it has more than 8 MiB");
    }
    String::from_utf8(file::read(path, LARGEST)?).or_else(|_| wrong("is no configuration file: it is not text (UTF-8)"))
}
