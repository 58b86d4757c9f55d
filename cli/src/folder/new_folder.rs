//! A new folder of a run: it is made and filled under a hidden name, and then takes its place in one step.
//!
//! A process that is killed on the way leaves the hidden folder. Every later start removes such folders, and must not remove that
//! of a process that lives, which cannot lock its folder in the moment in which it makes it. So:
//!
//! - a hidden name is never used twice;
//! - who removes a folder locks it first, and moves it to another hidden name while it holds the lock;
//! - who makes a folder locks it, and then looks whether it is still there. If it is not, somebody took it for an abandoned one,
//!   and the next name is tried.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gannet::internals::file;
use gannet::{Error, Result};

use crate::folder::files::refused;
use crate::folder::folder_lock::{LOCK, lock};

/// The end of a hidden name.
const PARTIAL: &str = "partial";

/// A folder that has not taken its place yet, locked by this process.
#[derive(Debug)]
pub(crate) struct NewFolder {
    pub(crate) path: PathBuf,
    pub(crate) lock: Arc<File>,
}

impl NewFolder {
    /// A folder in `parent`, which is made too, for a run called `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses.
    pub(crate) fn make(parent: &Path, name: &str) -> Result<Self> {
        make_folders(parent).map_err(refused("create", parent))?;
        remove_abandoned(parent);
        loop {
            let path = hidden(parent, name);
            match fs::create_dir(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made.map_err(|error| refused("create", &path)(elsewhere(&error)))?,
            }
            if let Some(made) = Self::lock(path)? {
                return Ok(made);
            }
        }
    }

    /// Locks a folder that has just been made; `None` where somebody took it away as an abandoned one.
    fn lock(path: PathBuf) -> Result<Option<Self>> {
        match lock(&path, File::try_lock) {
            // What was taken away has another name now, and this one is not used again.
            Ok(lock) if path.join(LOCK).is_file() => Ok(Some(Self { path, lock: Arc::new(lock) })),
            Err(error @ Error::Io { .. }) if path.is_dir() => {
                fs::remove_dir(&path).ok();
                Err(error)
            }
            _ => Ok(None),
        }
    }

    /// Takes the place `path`, unless it is taken.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses.
    pub(crate) fn take(&self, path: &Path) -> Result<bool> {
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

    /// Takes the next free one of `NAME-001`, `NAME-002` ... in `runs`. Of two processes only one gets it.
    ///
    /// # Errors
    ///
    /// As [`Self::take`].
    pub(crate) fn take_next_free(&self, runs: &Path, name: &str) -> Result<PathBuf> {
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
        Err(Error::setting("out", format!("the numbers of {} are used up; give --out DIR", runs.display())))
    }
}

/// A hidden name in `parent` that nobody has used: the process tells people whose it is, the rest is random.
fn hidden(parent: &Path, name: &str) -> PathBuf {
    let random = RandomState::new().hash_one(std::process::id());
    parent.join(format!(".{name}.{}-{random:016x}.{PARTIAL}", std::process::id()))
}

/// Removes what processes left in `parent` that were killed before their folder took its place. One that lives has it locked.
fn remove_abandoned(parent: &Path) {
    for path in fs::read_dir(parent).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().and_then(|name| name.to_str());
        let is_hidden = name.is_some_and(|name| name.starts_with('.') && name.ends_with(&format!(".{PARTIAL}")));
        // One without a lock is not ours.
        if is_hidden && path.join(LOCK).is_file() {
            // Nothing is lost if it stays.
            remove(parent, &path).ok();
        }
    }
}

/// Removes the hidden folder `path` in `parent`, unless it is locked.
fn remove(parent: &Path, path: &Path) -> io::Result<()> {
    let lock = file::open_with(&path.join(LOCK), File::options().append(true))?;
    lock.try_lock()?;
    let away = hidden(parent, "abandoned");
    fs::rename(path, &away)?;
    // The lock comes last: a clean-up that is cut short is done again.
    for entry in fs::read_dir(&away)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(entry.path())?,
            false if entry.file_name() != LOCK => fs::remove_file(entry.path())?,
            false => {}
        }
    }
    fs::remove_dir_all(&away)
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

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn numbers_follow_the_highest() {
        let place = tempfile::tempdir().unwrap();
        let runs = place.path().join("runs");
        let next = |name| NewFolder::make(place.path(), name).unwrap().take_next_free(&runs, name).unwrap();
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

    #[test]
    fn what_a_killed_process_left_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let alive = NewFolder::make(place.path(), "circle").unwrap();
        for left in [".circle.1-0.partial", ".abandoned.7-00.partial"].map(|name| place.path().join(name)) {
            fs::create_dir_all(left.join("checkpoints")).unwrap();
            fs::write(left.join(LOCK), "").unwrap();
            fs::write(left.join("checkpoints/a"), "").unwrap();
        }
        let mine = place.path().join(".mine.partial");
        fs::create_dir(&mine).unwrap();
        let next = NewFolder::make(place.path(), "circle").unwrap();
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 3);
        assert!(mine.exists() && alive.path.exists() && next.path.exists());
    }

    /// Every start cleans up, and none takes away what another one has just made.
    #[test]
    fn many_at_once_get_different_folders() {
        const THREADS: usize = 16;
        const TIMES: usize = 40;
        let place = tempfile::tempdir().unwrap();
        let together = Barrier::new(THREADS);
        let mut paths: Vec<PathBuf> = std::thread::scope(|scope| {
            let many = || {
                let one = |_| {
                    together.wait();
                    let made = NewFolder::make(place.path(), "circle").unwrap();
                    fs::write(made.path.join("config.toml"), b"mine").unwrap();
                    (made.take_next_free(place.path(), "circle").unwrap(), made)
                };
                (0..TIMES).map(one).collect::<Vec<_>>()
            };
            let all: Vec<_> = (0..THREADS).map(|_| scope.spawn(many)).collect();
            let made = all.into_iter().flat_map(|thread| thread.join().unwrap());
            made.map(|(path, _)| path).collect()
        });
        assert!(paths.iter().all(|path| path.join("config.toml").is_file()));
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), THREADS * TIMES);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), THREADS * TIMES, "nothing else is left");
    }
}
