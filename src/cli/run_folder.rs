//! The folder of a run: a new one for each run, its files whole or not there at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;

use crate::error::{Error, Result};

/// The settings of the run.
pub(crate) const CONFIG: &str = "config.toml";
/// Both networks after the last step.
pub(crate) const MODEL: &str = "model.safetensors";
/// Losses over the steps.
pub(crate) const METRICS: &str = "metrics.csv";
/// Measures of the generator over the steps.
pub(crate) const EVALUATION: &str = "evaluation.csv";
/// What the run came to, with its timing.
pub(crate) const RESULT: &str = "run.json";
/// The losses as a picture.
pub(crate) const LOSSES: &str = "losses.png";
/// The page about the run.
pub(crate) const REPORT: &str = "report.html";
/// What was learned as a picture.
pub(crate) const SAMPLES: &str = "samples.png";

/// A folder that this process made and that nobody else writes to.
#[derive(Clone, Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder `out`, which must not exist; without it the next free one of `runs/NAME-001`, `-002` ...
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] where `out` exists; [`Error::Io`] where the system refuses.
    pub(crate) fn create(out: Option<&Path>, name: &str) -> Result<Self> {
        match out {
            Some(path) => {
                check_free(path)?;
                if let Some(parent) = path.parent() {
                    make_folders(parent).map_err(refused("create", parent))?;
                }
                match fs::create_dir(path) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists(path)),
                    made => made.map_err(|error| refused("create", path)(elsewhere(&error))),
                }?;
                Ok(Self { path: path.to_path_buf() })
            }
            None => Self::next_free(Path::new("runs"), name),
        }
    }

    /// The next free number. Making the folder is what takes it: of two processes only one succeeds.
    fn next_free(runs: &Path, name: &str) -> Result<Self> {
        make_folders(runs).map_err(refused("create", runs))?;
        let taken = fs::read_dir(runs).map_err(refused("read", runs))?.filter_map(|entry| {
            let file_name = entry.ok()?.file_name();
            file_name.to_str()?.strip_prefix(name)?.strip_prefix('-')?.parse::<u64>().ok()
        });
        for number in taken.max().map_or(1, |last| last.saturating_add(1)).. {
            let path = runs.join(format!("{name}-{number:03}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(refused("create", &path)(elsewhere(&error))),
            }
        }
        Err(Error::setting("out", format!("the numbers of {} are used up; give --out DIR", runs.display())))
    }

    /// A new folder in this one, for a run that is part of this one.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses.
    pub(crate) fn part(&self, name: &str) -> Result<Self> {
        let path = self.path.join(name);
        fs::create_dir(&path).map_err(refused("create", &path))?;
        Ok(Self { path })
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the file `name` of the run lies; folders in `name` are made.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses a folder.
    pub(crate) fn file(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(refused("create", parent))?;
        }
        Ok(path)
    }

    /// Writes the file `name` atomically.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses; then nothing of the file is there.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        write_atomically(&self.file(name)?, |file| file.write_all(bytes))
    }
}

/// Makes the folder of runs and those above it.
fn make_folders(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            elsewhere(&io::Error::new(io::ErrorKind::NotADirectory, "a file is in its place"))
        }
        _ => elsewhere(&error),
    })
}

/// The system's reason why there can be no run here, and the way out.
fn elsewhere(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{error}; name another folder with --out DIR"))
}

/// Refuses a path for `--out` that exists, so that nothing is ever overwritten.
///
/// # Errors
///
/// [`Error::InvalidSetting`].
pub(crate) fn check_free(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() { Err(exists(path)) } else { Ok(()) }
}

/// Writes a file whole or not at all: `write` fills a temporary file beside it, which then takes its place.
///
/// # Errors
///
/// [`Error::Io`] where the system refuses.
pub(crate) fn write_atomically(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let written = AtomicWriteFile::open(path).and_then(|file| {
        let mut buffer = io::BufWriter::new(file);
        write(&mut buffer)?;
        buffer.into_inner().map_err(io::IntoInnerError::into_error)?.commit()
    });
    written.map_err(refused("write", path))
}

/// A file that grows by whole lines while the run goes on, so that a run that is cut short leaves what it had. It is open
/// only while lines are written: of many runs side by side each has two.
#[derive(Debug)]
pub(crate) struct LineFile {
    path: PathBuf,
    pending: String,
}

impl LineFile {
    /// A new file that opens with `header`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses.
    pub(crate) fn create(path: PathBuf, header: &str) -> Result<Self> {
        fs::File::create_new(&path).map_err(refused("create", &path))?;
        let mut lines = Self { path, pending: String::new() };
        lines.push(header);
        lines.flush()?;
        Ok(lines)
    }

    /// Adds a line, in memory.
    pub(crate) fn push(&mut self, line: &str) {
        self.pending.push_str(line);
        self.pending.push('\n');
    }

    /// Writes the lines added since the last time.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses.
    pub(crate) fn flush(&mut self) -> Result<()> {
        let file = fs::File::options().append(true).open(&self.path);
        let written = file.and_then(|mut file| file.write_all(self.pending.as_bytes()));
        written.map_err(refused("write", &self.path))?;
        self.pending.clear();
        Ok(())
    }
}

/// A trained run on disk: its settings and its model.
#[derive(Debug)]
pub(crate) struct SavedRun {
    /// The settings.
    pub(crate) config: super::config::RunConfig,
    /// Both networks.
    pub(crate) model: crate::gan::model::Model,
}

impl SavedRun {
    /// Opens a run: its folder, or a model file in it or in a folder in it.
    ///
    /// # Errors
    ///
    /// A path that does not exist or is no run; a configuration or model that cannot be read.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let origin = || path.display().to_string();
        let metadata = fs::metadata(path).map_err(refused("read", path))?;
        let (model_path, config_path) = if metadata.is_dir() {
            (path.join(MODEL), Some(path.join(CONFIG)).filter(|config| config.is_file()))
        } else {
            let absolute = std::path::absolute(path).map_err(refused("read", path))?;
            let folders = absolute.ancestors().skip(1).take(2).map(|folder| folder.join(CONFIG));
            (path.to_path_buf(), folders.into_iter().find(|config| config.is_file()))
        };
        let Some(config_path) = config_path else {
            return Err(no_run(path).into());
        };
        if !model_path.is_file() {
            let problem = format!("has no {MODEL}: the run has not ended; give one of its checkpoints, or train again");
            return Err(Error::data(origin(), problem).into());
        }
        let config = super::config::RunConfig::read(&config_path)?;
        let model = crate::gan::model::Model::load(&config.spec, &model_path)?;
        Ok(Self { config, model })
    }
}

/// `path` is a folder, or a file beside no [`CONFIG`].
pub(crate) fn no_run(path: &Path) -> Error {
    let replica = path.join(super::replicas::folder(0));
    let problem = if replica.is_dir() {
        format!("holds several runs; name one of them, for instance {}", replica.display())
    } else {
        format!("is no run of `gannet train`: there is no {CONFIG}")
    };
    Error::data(path.display().to_string(), problem)
}

/// What a run came to, as the text of a file.
pub(crate) fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(value)
        .map(|mut bytes| {
            bytes.push(b'\n');
            bytes
        })
        .unwrap_or_default()
}

fn exists(path: &Path) -> Error {
    Error::setting("out", format!("{} exists already; give another name or remove it", path.display()))
}

/// The system's refusal as an error.
pub(crate) fn refused(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Error + use<> {
    let path = path.to_path_buf();
    move |source| Error::Io { action, path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_highest() {
        let place = tempfile::tempdir().unwrap();
        let runs = place.path().join("runs");
        let next = |name| RunFolder::next_free(&runs, name).unwrap().path;
        assert_eq!(next("circle"), runs.join("circle-001"));
        assert_eq!(next("circle"), runs.join("circle-002"));
        assert_eq!(next("mixture1d"), runs.join("mixture1d-001"));
        fs::create_dir(runs.join("mixture1d-deep-007")).unwrap();
        fs::create_dir(runs.join("circle-1041")).unwrap();
        fs::create_dir(runs.join("circle-old")).unwrap();
        assert_eq!(next("mixture1d"), runs.join("mixture1d-002"));
        assert_eq!(next("circle"), runs.join("circle-1042"));
    }

    #[test]
    fn an_existing_folder_is_never_taken() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/b");
        RunFolder::create(Some(&path), "circle").unwrap();
        let error = RunFolder::create(Some(&path), "circle").unwrap_err();
        assert!(matches!(error, Error::InvalidSetting { .. }), "{error}");
    }

    #[test]
    fn many_at_once_get_different_folders() {
        let place = tempfile::tempdir().unwrap();
        let mut paths: Vec<_> = std::thread::scope(|scope| {
            let one = || RunFolder::next_free(place.path(), "circle").unwrap().path;
            let all: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), 8);
    }

    #[test]
    fn lines_arrive_whole_when_flushed() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("metrics.csv");
        let mut lines = LineFile::create(path.clone(), "step").unwrap();
        lines.push("1");
        assert_eq!(fs::read_to_string(&path).unwrap(), "step\n");
        lines.flush().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "step\n1\n");
        assert!(LineFile::create(path, "step").is_err());
    }
}
