//! The folder of a run: a new one for each run, locked by the process that trains it, its files whole or not there at all.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::folder::files::is_temporary;
pub(crate) use crate::folder::files::{refused, write_atomically};
use crate::terminal::command_lines::quoted;
use gannet::internals::atomic_file::{Making, sync_folder};
use gannet::internals::file;
use gannet::{Error, Result};

use crate::folder::folder_lock::{LOCK, lock};
use crate::folder::new_folder::NewFolder;

/// The settings of the run.
pub(crate) const CONFIG: &str = "config.toml";
/// The form of a table, and how its rows become samples and back.
pub(crate) const TABLE: &str = "table.json";
/// Both networks after the last step.
pub(crate) const MODEL: &str = "model.safetensors";
/// Losses over the steps.
pub(crate) const METRICS: &str = "metrics.csv";
/// Measures of the generator over the steps.
pub(crate) const EVALUATION: &str = "evaluation.csv";
/// What the run came to, with its timing.
pub(crate) const RESULT: &str = "run.json";
/// The history of the settings and the times of a run.
pub(crate) const LEGS: &str = "legs.json";
/// The losses as a picture.
pub(crate) const LOSSES: &str = "losses.png";
/// The page about the run.
pub(crate) const REPORT: &str = "report.html";
/// What was learned as a picture.
pub(crate) const SAMPLES: &str = "samples.png";
/// The measures of replicas as a picture.
pub(crate) const REPLICAS: &str = "replicas.png";
/// The pictures of a run as an animation.
pub(crate) const ANIMATION: &str = "learning.png";

/// How the values of each column of a table are distributed.
pub(crate) const COLUMNS: &str = "columns.json";
/// The folders of checkpoints, of pictures, and of the models that are saved every few epochs.
pub(crate) const CHECKPOINTS: &str = "checkpoints";
pub(crate) const PICTURES: &str = "samples";
pub(crate) const MODELS: &str = "models";
/// Real images, to compare the generated ones with.
pub(crate) const REAL: &str = "samples/real.png";

/// The folder of a run, which this process alone writes to.
#[derive(Clone, Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    /// Held as long as anything of the run lives; the system gives it back when the process ends, however it ends.
    _locks: Vec<Arc<File>>,
}

impl RunFolder {
    /// Makes the folder `out`, which must not exist; without it the next free one of `runs/NAME-001`, `-002` ... What `fill`
    /// writes is in it from the start: it is made beside its place and then takes it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] where `out` exists; [`Error::Io`] where the system refuses; what `fill` reports.
    pub(crate) fn create(out: Option<&Path>, name: &str, fill: impl FnOnce(&Self) -> Result<()>) -> Result<Self> {
        let parent = match out {
            Some(path) => path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")),
            None => Path::new("runs"),
        };
        if let Some(path) = out {
            check_free(path)?;
        }
        let (making, made) = Making::begin(|| NewFolder::make(parent, name).map(|made| (made.path.clone(), made)))?;
        let folder = Self { path: made.path.clone(), _locks: vec![Arc::clone(&made.lock)] };
        let filled = fill(&folder);
        let path = making.end(|| {
            let placed = filled.and_then(|()| match out {
                Some(path) => {
                    made.take(path).and_then(|taken| if taken { Ok(path.to_path_buf()) } else { Err(exists(path)) })
                }
                None => made.take_next_free(parent, name),
            });
            if placed.is_err() {
                // Nothing of it is worth keeping, and the error that is told is the first one.
                fs::remove_dir_all(&made.path).ok();
            }
            placed
        })?;
        sync_folder(parent).map_err(refused("write", parent))?;
        Ok(Self { path, ..folder })
    }

    /// Opens the folder of a run to go on with it.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] where another process trains it; [`Error::Io`] where the system refuses.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut locks = Vec::new();
        // Of several runs in one folder each may be gone on with alone, but not while all of them are.
        let parent = path.join("..");
        if parent.join(LOCK).is_file() {
            locks.push(Arc::new(lock(&parent, File::try_lock_shared)?));
        }
        locks.push(Arc::new(lock(path, File::try_lock)?));
        let folder = Self { path: path.to_path_buf(), _locks: locks };
        folder.remove_leftovers()?;
        Ok(folder)
    }

    /// Removes the file `name`, if it is there.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        let path = self.path.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(refused("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    /// Removes the temporary files of a process that was killed while it wrote: `.NAME.XXXXXX`.
    fn remove_leftovers(&self) -> Result<()> {
        for folder in ["", PICTURES, CHECKPOINTS, MODELS].map(|name| self.path.join(name)) {
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
                if path.file_name().and_then(|name| name.to_str()).is_some_and(is_temporary) {
                    fs::remove_file(&path).map_err(refused("remove", &path))?;
                }
            }
        }
        Ok(())
    }

    /// A new folder in this one, for a run that is part of this one.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses.
    pub(crate) fn part(&self, name: &str) -> Result<Self> {
        let path = self.path.join(name);
        fs::create_dir(&path).map_err(refused("create", &path))?;
        Ok(Self { path, ..self.clone() })
    }

    /// The folder `name` in this one, which is locked with it.
    pub(crate) fn existing_part(&self, name: &str) -> Result<Self> {
        let part = Self { path: self.path.join(name), ..self.clone() };
        part.remove_leftovers()?;
        Ok(part)
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the file `name` of the run lies; the folder in `name`, if there is one, is made.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses a folder.
    pub(crate) fn file(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        // The run's own folder is never made again: if it is gone, somebody took it away.
        match path.parent().filter(|parent| *parent != self.path) {
            Some(parent) => match fs::create_dir(parent) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(path),
                made => made.map(|()| path.clone()).map_err(refused("create", parent)),
            },
            None => Ok(path),
        }
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

/// Refuses a path for `--out` that exists, so that nothing is ever overwritten.
///
/// # Errors
///
/// [`Error::InvalidSetting`].
pub(crate) fn check_free(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() { Err(exists(path)) } else { Ok(()) }
}

/// The name of the folder of a replica.
pub(crate) fn replica(index: usize) -> String {
    format!("replica-{index:03}")
}

/// The numbers of the replicas in the folder `path`, ascending.
pub(crate) fn replicas(path: &Path) -> Vec<usize> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let number = |name: &str| {
        let number = name.strip_prefix("replica-")?.parse().ok()?;
        (name == replica(number) && path.join(name).is_dir()).then_some(number)
    };
    let mut numbers: Vec<usize> = entries.filter_map(|entry| number(entry.file_name().to_str()?)).collect();
    numbers.sort_unstable();
    numbers
}

/// Whether the folder `path` is that of a run: every run has one of these files. Settings and a model alone may lie anywhere. The folder
/// of replicas, which has a lock and a result too, holds runs and is none.
pub(crate) fn is_run(path: &Path) -> bool {
    let has_one = |folder: &Path| [LOCK, LEGS, METRICS, RESULT].iter().any(|name| folder.join(name).is_file());
    has_one(path) && !has_one(&path.join(replica(0)))
}

/// `path` is a folder, or a file beside no [`CONFIG`].
pub(crate) fn no_run(path: &Path) -> Error {
    let first = path.join(replica(0));
    let config = path.join(CONFIG);
    let problem = if config.is_file() {
        format!("has settings, but no run is in it; train one with: gannet train {}", quoted(&config))
    } else if config.symlink_metadata().is_ok() {
        // Something that is no file stands in its place, or it cannot be reached.
        return file::open(&config)
            .err()
            .unwrap_or_else(|| Error::data(config.display().to_string(), "cannot be read"));
    } else if first.is_dir() {
        format!("holds several runs; name one of them, for instance {}", first.display())
    } else {
        format!("is no run of `gannet train`: there is no {CONFIG}")
    };
    Error::data(path.display().to_string(), problem)
}

fn exists(path: &Path) -> Error {
    Error::setting("out", format!("{} exists already; give another name or remove it", path.display()))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn create(out: &Path) -> Result<RunFolder> {
        RunFolder::create(Some(out), "circle", |folder| folder.write(CONFIG, b"[run]"))
    }

    #[test]
    fn an_existing_folder_is_never_taken() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/b");
        assert_eq!(fs::read(create(&path).unwrap().path().join(CONFIG)).unwrap(), b"[run]");
        for existing in [path, place.path().join("empty"), place.path().join("file")] {
            if existing.ends_with("empty") {
                fs::create_dir(&existing).unwrap();
            } else if existing.ends_with("file") {
                fs::write(&existing, "").unwrap();
            }
            let error = create(&existing).unwrap_err();
            assert!(matches!(error, Error::InvalidSetting { .. }), "{error}");
        }
        assert!(fs::read_dir(place.path().join("empty")).unwrap().next().is_none());
    }

    #[test]
    fn a_folder_that_cannot_be_filled_is_not_there() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("run");
        assert!(RunFolder::create(Some(&out), "circle", |_| Err(Error::data("it", "fails"))).is_err());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_run_has_one_writer() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("runs");
        let all = RunFolder::create(Some(&path), "circle", |folder| folder.part("replica-000").map(drop)).unwrap();
        let part = path.join("replica-000");
        for path in [&path, &part] {
            let problem = RunFolder::open(path).unwrap_err().to_string();
            assert!(problem.contains("another process"), "{problem}");
        }
        drop(all);
        let one = RunFolder::open(&part).unwrap();
        assert!(RunFolder::open(&path).is_err() && RunFolder::open(&part).is_err());
        drop(one);
        RunFolder::open(&path).unwrap();
    }

    #[test]
    fn only_temporary_files_are_left_over() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("run");
        create(&path).unwrap();
        for name in [".model.safetensors.aB3xY9", ".metrics.csv.abcdef", "..csv.abcdef"] {
            assert!(is_temporary(name), "{name}");
            fs::write(path.join(name), "").unwrap();
        }
        for name in ["model.safetensors.aB3xY9", ".bashrc.abcdef", ".model.safetensors.aB3x", ".csv", "notes.abcdef"] {
            assert!(!is_temporary(name), "{name}");
        }
        fs::write(path.join(".mine"), "").unwrap();
        RunFolder::open(&path).unwrap();
        let mut names: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".mine", CONFIG, LOCK]);
    }
}
