//! Files that are written whole or not at all.
//!
//! A file is filled under a temporary name beside its place (`.NAME.XXXXXX`), synced, and then takes its place in one step of the
//! file system. What is being made is on a list, so that a program that has to end at once can remove it first.

use std::fs::{self, File};
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::{Builder, TempPath};

/// Letters at the end of a temporary name.
pub const TEMPORARY_NAME_LETTERS: usize = 6;
/// Most bytes of a file's name in its temporary name: file systems take 255.
const MOST_OF_NAME: usize = 240;

/// What happens where the place of a new file is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placing {
    /// The write fails with [`io::ErrorKind::AlreadyExists`], also where the other file appeared while this one was filled.
    New,
    /// The file that stood there is replaced; its permissions stay.
    Replace,
}

/// Files and folders that are being made.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file or folder that is being made under a temporary name. Without [`end`](Self::end), as after a panic, it is removed.
#[derive(Debug)]
pub struct Making(PathBuf);

impl Making {
    /// Has `create` make the file or folder, and puts it on the list in the same moment.
    pub fn begin<T, E>(create: impl FnOnce() -> Result<(PathBuf, T), E>) -> Result<(Self, T), E> {
        let mut list = unfinished();
        let (path, made) = create()?;
        list.push(path.clone());
        Ok((Self(path), made))
    }

    /// Has `place` put it in its place, or remove it; either way it is off the list in the same moment.
    pub fn end<T>(mut self, place: impl FnOnce() -> T) -> T {
        let mut list = unfinished();
        let placed = place();
        let ended = mem::take(&mut self.0);
        list.retain(|path| *path != ended);
        placed
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        let mut list = unfinished();
        if let Some(index) = list.iter().position(|path| *path == self.0) {
            remove(&list.swap_remove(index));
        }
    }
}

/// Nothing is made and nothing takes its place while this lives.
pub struct Abandoned {
    _list: MutexGuard<'static, Vec<PathBuf>>,
}

/// Removes whatever is being made, for a program that ends at once. What has its place keeps it.
pub fn abandon() -> Abandoned {
    let mut list = unfinished();
    list.drain(..).for_each(|path| remove(&path));
    Abandoned { _list: list }
}

/// Removes a file or folder. What cannot be removed must not keep the program from ending.
fn remove(path: &Path) {
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.ok();
}

/// Writes the file `path` by `fill`.
///
/// # Errors
///
/// What `fill` and the system report; then nothing of the file is there, and what stood at `path` still is. Only where the
/// device fails to sync the folder, the whole new file is there, but a loss of power may bring back what stood there.
pub fn write(path: &Path, placing: Placing, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it names no file"))?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (making, (mut file, temporary)) = Making::begin(|| create(folder, &name.to_string_lossy()))?;
    // Nobody may read the contents who may not read them afterwards.
    let permitted = if placing == Placing::Replace { keep_permissions(path, &file) } else { Ok(()) };
    let filled = permitted.and_then(|()| fill(&mut file)).and_then(|()| file.sync_all());
    making.end(|| match (filled, placing) {
        (Err(error), _) => Err(error),
        (Ok(()), Placing::Replace) => temporary.persist(path).map_err(|error| error.error),
        (Ok(()), Placing::New) => place_new(temporary, path),
    })?;
    sync_folder(folder)
}

/// A temporary file for `name` in `folder`, with its path.
fn create(folder: &Path, name: &str) -> io::Result<(PathBuf, (File, TempPath))> {
    let mut end = name.len().min(MOST_OF_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let prefix = format!(".{}.", &name[..end]);
    // The system's own reason: that of the builder tells the temporary name, which means nothing to the reader.
    let mut reason = None;
    let made = Builder::new().prefix(&prefix).suffix("").rand_bytes(TEMPORARY_NAME_LETTERS).make_in(folder, |path| {
        let file = File::options().write(true).create_new(true).open(path);
        reason = file.as_ref().err().and_then(io::Error::raw_os_error);
        file
    });
    let made = made.map_err(|error| reason.map_or(error, io::Error::from_raw_os_error))?;
    let (file, temporary) = made.into_parts();
    Ok((temporary.to_path_buf(), (file, temporary)))
}

/// Gives `file` the permissions of the file at `path`, if there is one.
fn keep_permissions(path: &Path, file: &File) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(before) if before.is_file() => file.set_permissions(before.permissions()),
        _ => Ok(()),
    }
}

/// Moves a finished file to `path`, which must be free in that very moment.
fn place_new(temporary: TempPath, path: &Path) -> io::Result<()> {
    match temporary.persist_noclobber(path) {
        Err(refused) if refused.error.kind() != io::ErrorKind::AlreadyExists => reserve_and_place(refused.path, path),
        placed => placed.map_err(|refused| refused.error),
    }
}

/// The same where the file system knows neither links nor a move that never replaces: an empty file takes the place first.
fn reserve_and_place(temporary: TempPath, path: &Path) -> io::Result<()> {
    File::create_new(path)?;
    temporary.persist(path).map_err(|refused| {
        fs::remove_file(path).ok();
        refused.error
    })
}

/// Makes what was done to the names in `folder` outlast a loss of power, where the file system can.
///
/// # Errors
///
/// What the system reports of the device.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // Folders cannot be opened everywhere.
    let synced = File::open(folder).map_or(Ok(()), |folder| folder.sync_all());
    synced.or_else(|error| if cannot_sync_folders(&error) { Ok(()) } else { Err(error) })
}

/// Whether a file system reports by `error` that it cannot sync folders, as some of networks and of user space do.
fn cannot_sync_folders(error: &io::Error) -> bool {
    #[cfg(unix)]
    if let Some(code) = error.raw_os_error() {
        return [libc::EINVAL, libc::ENOSYS, libc::ENOTSUP, libc::EOPNOTSUPP].contains(&code);
    }
    error.kind() == io::ErrorKind::Unsupported
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Barrier;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_not_replaced() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("points.csv");
        let late = |file: &mut File| {
            fs::write(&path, "theirs").unwrap();
            file.write_all(b"ours")
        };
        let error = write(&path, Placing::New, late).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(names(place.path()), ["points.csv"]);
        write(&path, Placing::Replace, late).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"ours");
    }

    #[test]
    fn of_writers_at_once_one_succeeds() {
        let place = tempfile::tempdir().unwrap();
        for round in 0..20 {
            let path = place.path().join(format!("{round}.csv"));
            let barrier = Barrier::new(4);
            let one = |number: u8| {
                write(&path, Placing::New, |file| {
                    barrier.wait();
                    file.write_all(&[number; 1_000])
                })
            };
            let outcomes: Vec<_> = std::thread::scope(|scope| {
                let all: Vec<_> = (0..4).map(|number| scope.spawn(move || one(number))).collect();
                all.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let winners: Vec<usize> = (0..4).filter(|&number| outcomes[number].is_ok()).collect();
            assert_eq!(winners.len(), 1, "{outcomes:?}");
            assert_eq!(fs::read(&path).unwrap(), [winners[0] as u8; 1_000]);
        }
        assert_eq!(names(place.path()).len(), 20);
    }

    #[test]
    fn the_way_without_links_replaces_nothing_either() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("points.csv");
        let temporary = || create(place.path(), "points.csv").unwrap().1.1;
        reserve_and_place(temporary(), &path).unwrap();
        fs::write(&path, "theirs").unwrap();
        assert_eq!(reserve_and_place(temporary(), &path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(names(place.path()), ["points.csv"]);
    }

    #[test]
    fn what_fails_leaves_nothing() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("points.csv");
        fs::write(&path, "before").unwrap();
        let error = write(&path, Placing::Replace, |file| {
            file.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(
            (names(place.path()), fs::read(&path).unwrap()),
            (vec!["points.csv".to_string()], b"before".to_vec())
        );
        let nowhere = write(&place.path().join("none/points.csv"), Placing::New, |_| Ok(())).unwrap_err();
        assert!(nowhere.raw_os_error().is_some() && !nowhere.to_string().contains("points"), "{nowhere}");
        for wrong in ["", "/", ".."] {
            assert!(write(Path::new(wrong), Placing::New, |_| Ok(())).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_panic_leaves_nothing_to_remove() {
        let place = tempfile::tempdir().unwrap();
        let of_here = || unfinished().iter().filter(|path| path.starts_with(place.path())).count();
        let panicked = std::panic::catch_unwind(|| {
            write(&place.path().join("points.csv"), Placing::New, |_| {
                assert_eq!(of_here(), 1);
                std::panic::resume_unwind(Box::new("a reader's"))
            })
        });
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"a reader's"));
        assert_eq!((of_here(), names(place.path()).len()), (0, 0));
        // A folder with what is in it, too, but not one that has its place.
        for (ended, left) in [(false, 0), (true, 1)] {
            let path = place.path().join("run");
            let make =
                || fs::create_dir(&path).and_then(|()| fs::write(path.join("file"), "")).map(|()| (path.clone(), ()));
            let (making, ()) = Making::begin(make).unwrap();
            if ended {
                making.end(|| assert_eq!(names(&path), ["file"]));
            } else {
                drop(making);
            }
            assert_eq!((of_here(), names(place.path()).len()), (0, left), "{ended}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_system_without_folders_to_sync_is_no_failure() {
        // That of processes refuses with EINVAL.
        let folder = Path::new("/proc");
        assert_eq!(File::open(folder).unwrap().sync_all().unwrap_err().raw_os_error(), Some(libc::EINVAL));
        sync_folder(folder).unwrap();
        for (code, cannot) in [(libc::ENOTSUP, true), (libc::ENOSYS, true), (libc::EIO, false), (libc::ENOSPC, false)] {
            assert_eq!(cannot_sync_folders(&io::Error::from_raw_os_error(code)), cannot, "{code}");
        }
    }

    #[test]
    fn long_names_and_other_permissions() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("\u{e9}".repeat(127));
        write(&path, Placing::New, |file| file.write_all(b"1")).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_ne!(mode() & 0o044, 0, "others may read what others may read by default: {:o}", mode());
            fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
            let fill = |file: &mut File| {
                // Before a byte of the contents is there.
                assert_eq!(file.metadata()?.permissions().mode() & 0o777, 0o640);
                file.write_all(b"2")
            };
            write(&path, Placing::Replace, fill).unwrap();
            assert_eq!(mode(), 0o640);
        }
        assert_eq!(names(place.path()).len(), 1);
    }
}
