//! The folder of a run: a new one for each run, locked by the process that trains it, its files whole or not there at all.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
/// The pictures of a run as an animation.
pub(crate) const ANIMATION: &str = "learning.png";

/// Names of the folder's own files that are locked and that are being made.
const LOCK: &str = "run.lock";
const PARTIAL: &str = "partial";

/// The folder of a run, which this process alone writes to.
#[derive(Clone, Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    /// Held as long as anything of the run lives; the system gives it back when the process ends, however it ends.
    _lock: Arc<Vec<File>>,
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
        make_folders(parent).map_err(refused("create", parent))?;
        let made = Self::partial(parent, name)?;
        let placed = fill(&made).and_then(|()| match out {
            Some(path) => {
                made.take(path).and_then(|taken| if taken { Ok(path.to_path_buf()) } else { Err(exists(path)) })
            }
            None => made.take_next_free(parent, name),
        });
        if placed.is_err() {
            // Nothing of it is worth keeping, and the error that is told is the first one.
            fs::remove_dir_all(&made.path).ok();
        }
        let path = placed?;
        sync(parent)?;
        Ok(Self { path, ..made })
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
            locks.push(lock(&parent, File::try_lock_shared)?);
        }
        locks.push(lock(path, File::try_lock)?);
        let folder = Self { path: path.to_path_buf(), _lock: Arc::new(locks) };
        folder.remove_leftovers()?;
        Ok(folder)
    }

    /// A folder in `parent` under a name of its own.
    fn partial(parent: &Path, name: &str) -> Result<Self> {
        remove_abandoned(parent);
        for number in 0.. {
            let path = parent.join(format!(".{name}.{}-{number}.{PARTIAL}", std::process::id()));
            match fs::create_dir(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made.map_err(|error| refused("create", &path)(elsewhere(&error)))?,
            }
            let lock = lock(&path, File::try_lock)?;
            return Ok(Self { path, _lock: Arc::new(vec![lock]) });
        }
        Err(no_number(parent))
    }

    /// Takes the place `path`, unless it is taken.
    fn take(&self, path: &Path) -> Result<bool> {
        // An empty folder would give way.
        if path.symlink_metadata().is_ok() {
            return Ok(false);
        }
        match fs::rename(&self.path, path) {
            Ok(()) => Ok(true),
            Err(_) if path.symlink_metadata().is_ok() => Ok(false),
            Err(error) => Err(refused("create", path)(elsewhere(&error))),
        }
    }

    /// Takes the next free number. Of two processes only one gets it.
    fn take_next_free(&self, runs: &Path, name: &str) -> Result<PathBuf> {
        let taken = fs::read_dir(runs).map_err(refused("read", runs))?.filter_map(|entry| {
            let file_name = entry.ok()?.file_name();
            file_name.to_str()?.strip_prefix(name)?.strip_prefix('-')?.parse::<u64>().ok()
        });
        for number in taken.max().map_or(1, |last| last.saturating_add(1)).. {
            let path = runs.join(format!("{name}-{number:03}"));
            if self.take(&path)? {
                return Ok(path);
            }
        }
        Err(no_number(runs))
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
        for folder in ["", "samples", "checkpoints", "models"].map(|name| self.path.join(name)) {
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

/// Locks the folder `path` by `take`.
fn lock(path: &Path, take: fn(&File) -> std::result::Result<(), TryLockError>) -> Result<File> {
    let name = path.join(LOCK);
    let file = File::options().create(true).append(true).open(&name).map_err(refused("create", &name))?;
    match take(&file) {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let problem = "another process is training this run; wait for its end, or stop it";
            Err(Error::data(path.display().to_string(), problem))
        }
        // A file system without locks: the owner of such a folder has to look after it alone.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => Err(refused("lock", &name)(error)),
    }
}

/// Removes what processes left in `parent` that were killed before their folder took its place. One that lives has it locked.
fn remove_abandoned(parent: &Path) {
    for path in fs::read_dir(parent).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().and_then(|name| name.to_str());
        let is_partial = name.is_some_and(|name| name.starts_with('.') && name.ends_with(&format!(".{PARTIAL}")));
        // One without a lock has just been made.
        let lock = is_partial.then(|| File::options().append(true).open(path.join(LOCK)).ok()).flatten();
        if lock.is_some_and(|lock| lock.try_lock().is_ok()) {
            // Nothing is lost if it stays.
            fs::remove_dir_all(&path).ok();
        }
    }
}

/// Makes what was done to the names in `folder` outlast a loss of power.
fn sync(folder: &Path) -> Result<()> {
    // Folders cannot be opened everywhere.
    File::open(folder).map_or(Ok(()), |folder| folder.sync_all()).map_err(refused("write", folder))
}

/// Whether a file is one that [`write_atomically`] was filling: it puts a point before the name and six letters behind it.
fn is_temporary(name: &str) -> bool {
    let parts = name.strip_prefix('.').and_then(|name| name.rsplit_once('.'));
    parts.is_some_and(|(name, end)| {
        let ours = ["toml", "csv", "json", "png", "html", "safetensors"];
        let is_ours = name.rsplit_once('.').is_some_and(|(_, extension)| ours.contains(&extension));
        is_ours && end.len() == 6 && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
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

fn no_number(runs: &Path) -> Error {
    Error::setting("out", format!("the numbers of {} are used up; give --out DIR", runs.display()))
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
        let next = |name| {
            let made = RunFolder::partial(place.path(), name).unwrap();
            made.take_next_free(&runs, name).unwrap()
        };
        fs::create_dir(&runs).unwrap();
        assert_eq!(next("circle"), runs.join("circle-001"));
        assert_eq!(next("circle"), runs.join("circle-002"));
        assert_eq!(next("mixture1d"), runs.join("mixture1d-001"));
        fs::create_dir(runs.join("mixture1d-deep-007")).unwrap();
        fs::create_dir(runs.join("circle-1041")).unwrap();
        fs::create_dir(runs.join("circle-old")).unwrap();
        assert_eq!(next("mixture1d"), runs.join("mixture1d-002"));
        assert_eq!(next("circle"), runs.join("circle-1042"));
    }

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
    fn what_a_killed_process_left_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let alive = RunFolder::partial(place.path(), "circle").unwrap();
        let left = place.path().join(".circle.1-0.partial");
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        let mine = place.path().join(".mine.partial");
        fs::create_dir(&mine).unwrap();
        create(&place.path().join("run")).unwrap();
        assert!(!left.exists() && mine.exists() && alive.path().exists());
    }

    #[test]
    fn many_at_once_get_different_folders() {
        let place = tempfile::tempdir().unwrap();
        let mut paths: Vec<_> = std::thread::scope(|scope| {
            let one = || {
                let made = RunFolder::partial(place.path(), "circle").unwrap();
                made.write(CONFIG, b"").unwrap();
                made.take_next_free(place.path(), "circle").unwrap()
            };
            let all: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), 8);
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
