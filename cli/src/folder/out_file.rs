//! Where a command writes what `--out` names: a file with the right suffix, which is not replaced unasked, or standard output.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use gannet::internals::atomic_file::{self, Placing};
use gannet::{Error, Result};

use crate::folder::files::{buffered, refused};
use crate::terminal::output::Closed;

/// Standard output, as `--out` names it.
const STDOUT_PATH: &str = "-";

/// The suffixes of the files that a command writes.
pub(crate) struct Suffixes<T: 'static> {
    /// Each with what it stands for.
    pub(crate) written: &'static [(&'static str, T)],
    /// Others that people ask for, and how to get there.
    pub(crate) elsewhere: &'static [(&'static [&'static str], &'static str)],
}

impl<T: Copy> Suffixes<T> {
    /// What the suffix of `path` stands for.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] that says which suffixes there are, and how to get to another format.
    pub(crate) fn of(&self, path: &Path) -> Result<T> {
        let suffix = path.extension().map(|suffix| suffix.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        if let Some(&(_, kind)) = self.written.iter().find(|(known, _)| *known == suffix) {
            return Ok(kind);
        }
        let known: Vec<String> = self.written.iter().map(|(known, _)| format!(".{known}")).collect();
        let known = match known.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        };
        let cure = self.elsewhere.iter().find(|(suffixes, _)| suffixes.contains(&suffix.as_str()));
        let cure = cure.map(|(_, cure)| format!("; {cure}")).unwrap_or_default();
        Err(Error::setting("out", format!("{} should end in {known}{cure}", path.display())))
    }
}

/// Where a command writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutFile<'a> {
    /// Standard output.
    Standard,
    /// A file, which is there whole or not at all.
    File(&'a Path, Placing),
}

impl<'a> OutFile<'a> {
    /// The file at `path`, which must be free unless `force` replaces what is there.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] where it is taken.
    pub(crate) fn file(path: &'a Path, force: bool) -> Result<Self> {
        if !force && path.symlink_metadata().is_ok() {
            return Err(taken(path));
        }
        Ok(Self::File(path, if force { Placing::Replace } else { Placing::New }))
    }

    /// Standard output where `path` is `-`, else as [`Self::file`].
    ///
    /// # Errors
    ///
    /// As [`Self::file`].
    pub(crate) fn named(path: &'a Path, force: bool) -> Result<Self> {
        if is_standard_output(path) { Ok(Self::Standard) } else { Self::file(path, force) }
    }

    /// Whether what is written appears on a terminal.
    pub(crate) fn is_terminal(self) -> bool {
        self == Self::Standard && io::stdout().is_terminal()
    }

    /// Refuses a terminal for `kind`, which is no text.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`].
    pub(crate) fn refuse_terminal(self, kind: &str) -> Result<()> {
        if !self.is_terminal() {
            return Ok(());
        }
        let problem = format!("{kind} is no text, and standard output is a terminal; append `> FILE` or `| PROGRAM`");
        Err(Error::setting("out", problem))
    }

    /// Writes by `fill`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] where a file that must not be replaced appeared meanwhile; [`Error::Io`] where the system refuses;
    /// [`Closed`] where nobody reads standard output any more.
    pub(crate) fn write(self, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
        match self {
            Self::Standard => {
                let mut standard = Standard { stdout: io::stdout().lock(), closed: false };
                let written = buffered(&mut standard, fill);
                if standard.closed {
                    return Err(Closed.into());
                }
                written.map_err(refused("write", Path::new("standard output")))?;
            }
            Self::File(path, placing) => {
                let written = atomic_file::write(path, placing, |file| buffered(file, fill));
                written.map_err(|error| match error.kind() {
                    io::ErrorKind::AlreadyExists => taken(path),
                    _ => refused("write", path)(error),
                })?;
            }
        }
        Ok(())
    }
}

/// Whether `path` means standard output.
pub(crate) fn is_standard_output(path: &Path) -> bool {
    path.as_os_str() == STDOUT_PATH
}

fn taken(path: &Path) -> Error {
    Error::setting("out", format!("{} exists already; --force replaces it, or give another name", path.display()))
}

/// Standard output, which remembers that its reader went away: who writes to it may wrap that error.
struct Standard<'a> {
    stdout: io::StdoutLock<'a>,
    closed: bool,
}

impl Standard<'_> {
    fn noted<T>(&mut self, outcome: io::Result<T>) -> io::Result<T> {
        self.closed |= outcome.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        outcome
    }
}

impl Write for Standard<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.stdout.write(bytes);
        self.noted(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.stdout.flush();
        self.noted(flushed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUFFIXES: Suffixes<u8> =
        Suffixes { written: &[("csv", 1), ("npy", 2)], elsewhere: &[(&["npz", "mat"], "numpy.savez writes it")] };

    #[test]
    fn the_suffix_decides_and_another_one_is_refused() {
        for (name, kind) in [("a.b/points.CSV", 1), ("x.npy", 2), (".hidden.csv", 1)] {
            assert_eq!(SUFFIXES.of(Path::new(name)).unwrap(), kind, "{name}");
        }
        for (name, part) in [
            ("points", "should end in .csv or .npy"),
            (".csv", "should end in .csv or .npy"),
            ("x.npz", ".npy; numpy.savez writes it"),
            ("x.csv.MAT", "numpy.savez"),
            ("-", "should end"),
        ] {
            let error = SUFFIXES.of(Path::new(name)).unwrap_err().to_string();
            assert!(error.starts_with(&format!("out: {name} ")) && error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_file_is_replaced_only_by_force() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("x.csv");
        let out = OutFile::file(&path, false).unwrap();
        std::fs::write(&path, "theirs").unwrap();
        let error = out.write(|file| file.write_all(b"ours")).unwrap_err().to_string();
        assert!(error.contains("exists already; --force"), "{error}");
        assert_eq!(OutFile::file(&path, false).unwrap_err().to_string(), error);
        assert_eq!(std::fs::read(&path).unwrap(), b"theirs");
        OutFile::file(&path, true).unwrap().write(|file| file.write_all(b"ours")).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"ours");
        assert_eq!(OutFile::named(Path::new("-"), false).unwrap(), OutFile::Standard);
    }
}
