//! Reading files: regular ones only, and never more than the caller has room for.
//!
//! A pipe, a socket or a device may have no end, or let its opener wait for ever. Every reader opens its files here.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, Result};
use crate::memory::room;

/// What a path that is no regular file is, in words.
fn kind(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a named pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_block_device() || kind.is_char_device() {
            return "a device";
        }
    }
    if kind.is_dir() { "a folder" } else { "neither a file nor a folder" }
}

/// Refuses what is no regular file.
fn check_kind(found: FileType) -> io::Result<()> {
    if found.is_file() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("is {}, not a regular file", kind(found))))
}

/// Opens `path` with `options` where it is a regular file, or where the options create it.
///
/// # Errors
///
/// [`io::ErrorKind::InvalidInput`] for a folder, a pipe, a socket or a device; what the system reports.
pub fn open_with(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    // To open a device may do something, so it is looked at first.
    match fs::metadata(path) {
        Ok(found) => check_kind(found.file_type())?,
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) => {}
    }
    // Whatever takes its place in between does not make us wait, and is seen on the opened file.
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    let file = options.open(path)?;
    check_kind(file.metadata()?.file_type())?;
    Ok(file)
}

/// Opens the regular file `path` to read it; gives its length in bytes, too.
///
/// # Errors
///
/// [`Error::Data`] for a folder, a pipe, a socket or a device; [`Error::Io`] where the system refuses.
pub fn open(path: &Path) -> Result<(File, u64)> {
    let opened = open_with(path, File::options().read(true)).and_then(|file| {
        let length = file.metadata()?.len();
        Ok((file, length))
    });
    opened.map_err(|source| refused("read", path, source))
}

/// The system's refusal, or what `path` is instead of a regular file.
pub fn refused(action: &'static str, path: &Path, source: io::Error) -> Error {
    // An error with a text of its own is about what the file is or holds.
    if source.raw_os_error().is_none() && source.get_ref().is_some() {
        return Error::data(path.display().to_string(), source.to_string());
    }
    Error::Io { action, path: path.to_owned(), source }
}

/// Whether the regular file `path` holds `bytes`, and nothing else.
///
/// # Errors
///
/// As [`open()`].
pub fn holds(path: &Path, bytes: &[u8]) -> Result<bool> {
    const BLOCK: usize = 1 << 16;
    let (mut file, length) = open(path)?;
    if length != bytes.len() as u64 {
        return Ok(false);
    }
    let mut block = [0; BLOCK];
    for expected in bytes.chunks(BLOCK) {
        let found = &mut block[..expected.len()];
        match file.read_exact(found) {
            Ok(()) if found == expected => {}
            Err(source) if source.kind() != io::ErrorKind::UnexpectedEof => return Err(refused("read", path, source)),
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// The bytes of the regular file `path`, of at most `most` bytes.
///
/// # Errors
///
/// As [`open()`]; [`Error::Data`] where it is larger; [`Error::OutOfMemory`].
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let (file, length) = open(path)?;
    if length > most {
        let problem = format!("{length} bytes are more than the {most} that it can have");
        return Err(Error::data(path.display().to_string(), problem));
    }
    let mut bytes = room(length as usize)?;
    // A file that grows while it is read is read no further than it was long.
    file.take(length).read_to_end(&mut bytes).map_err(|source| refused("read", path, source))?;
    Ok(bytes)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    #[test]
    fn only_regular_files_are_opened_and_nothing_waits() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::write(at("file"), b"text").unwrap();
        assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        let _socket = UnixListener::bind(at("socket")).unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        std::os::unix::fs::symlink(at("pipe"), at("link-to-pipe")).unwrap();
        for (path, told) in [
            (at("pipe"), "a named pipe"),
            (at("link-to-pipe"), "a named pipe"),
            (at("socket"), "a socket"),
            ("/dev/zero".into(), "a device"),
            (place.path().to_owned(), "a folder"),
        ] {
            let mut writing = File::options();
            for options in [File::options().read(true), writing.append(true).create(true)] {
                let error = open_with(&path, options).unwrap_err();
                assert!(error.to_string().contains(told), "{}: {error}", path.display());
            }
            let error = open(&path).unwrap_err();
            assert!(matches!(&error, Error::Data { problem, .. } if problem.contains(told)), "{error}");
            assert!(read(&path, 10).is_err());
        }
        let long = vec![7; 200_000];
        fs::write(at("long"), &long).unwrap();
        assert!(holds(&at("long"), &long).unwrap() && !holds(&at("long"), &long[1..]).unwrap());
        assert!(!holds(&at("long"), &[&long[1..], &[8]].concat()).unwrap() && holds(&at("pipe"), &long).is_err());
        for path in [at("file"), at("link")] {
            assert_eq!(read(&path, 4).unwrap(), b"text");
            let error = read(&path, 3).unwrap_err().to_string();
            assert!(error.contains("4 bytes are more than the 3"), "{error}");
        }
        assert!(matches!(open(&at("none")), Err(Error::Io { action: "read", .. })));
        drop(open_with(&at("new"), File::options().append(true).create(true)).unwrap());
        assert_eq!(fs::read(at("new")).unwrap(), b"");
    }
}
