//! Where own data come from: a file, a folder of pictures, or standard input, which is kept in memory until the samples are made.

use std::io::{BufReader, Cursor, IsTerminal, stdin};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gannet::data::npy::{self, Array};
use gannet::data::{ByteSource, idx};
use gannet::internals::file;
use gannet::internals::packed::MAX_UNPACKED;
use gannet::{Error, Result};
use gannet_tables::Input;

use crate::data::npz::Archive;
use crate::data::pictures;
use crate::data::reading_limit;
use crate::folder::contents::{Contents, STANDARD_INPUT, STDIN_PATH, is_standard_input};
use crate::folder::run_folder::refused;

/// Where own data come from.
#[derive(Clone, Debug)]
pub(crate) struct DataFile {
    /// Absolute; `-` is standard input.
    path: PathBuf,
    /// What standard input gave, as long as it is needed.
    given: Option<Arc<Input>>,
}

/// What standard input gave is not compared.
impl PartialEq for DataFile {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl DataFile {
    /// The file that somebody names on the command line. Standard input is read to its end, in no more memory than a run may take by `limit`.
    ///
    /// # Errors
    ///
    /// A path that the system cannot make absolute; standard input that is a terminal, cannot be read, or gives too much.
    pub(crate) fn named(path: &Path, limit: Option<u64>) -> Result<Self> {
        if !is_standard_input(path) {
            return Self::of_settings(path);
        }
        if stdin().is_terminal() {
            let problem = "is a terminal, which has no data; pipe a table into gannet, or give a file";
            return Err(Error::data(STANDARD_INPUT, problem));
        }
        let most = reading_limit::for_reading(limit);
        // Where memory has no limit, it may give as much as a compressed file.
        let input = Input::stream(STANDARD_INPUT, stdin().lock(), most.min(MAX_UNPACKED)).map_err(|error| match error {
            Error::MemoryLimit { .. } if most > MAX_UNPACKED => {
                Error::data(STANDARD_INPUT, format!("gives more than {MAX_UNPACKED} bytes; save it to a file, and give that"))
            }
            Error::OutOfMemory { bytes } => Error::data(
                STANDARD_INPUT,
                format!("gives more than memory holds (the system refused {bytes} bytes); give fewer rows, or save it to a file, and give that"),
            ),
            other => reading_limit::of_reading(other, limit, Path::new(STANDARD_INPUT)),
        })?;
        Ok(Self { path: STDIN_PATH.into(), given: Some(Arc::new(input)) })
    }

    /// The file that settings name. Standard input cannot be read again.
    ///
    /// # Errors
    ///
    /// A path that the system cannot make absolute.
    pub(crate) fn of_settings(path: &Path) -> Result<Self> {
        if is_standard_input(path) {
            return Ok(Self { path: STDIN_PATH.into(), given: None });
        }
        Ok(Self { path: std::path::absolute(path).map_err(refused("find", path))?, given: None })
    }

    /// What stands for a file that is not known yet.
    pub(crate) fn example() -> Self {
        Self { path: PathBuf::from("data.csv"), given: None }
    }

    /// Its path, as settings have it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What messages call it.
    pub(crate) fn origin(&self) -> &Path {
        if is_standard_input(&self.path) { Path::new(STANDARD_INPUT) } else { &self.path }
    }

    /// Its name without the folder, for titles.
    pub(crate) fn title(&self) -> String {
        self.origin().file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Gives the memory back that holds what standard input gave.
    pub(crate) fn let_go(&mut self) {
        self.given = None;
    }

    /// The name of the array to read where it takes the place of a file whose array was `named`: arrays have names in archives alone.
    pub(crate) fn array_in_place_of(&self, named: Option<String>) -> Option<String> {
        named.filter(|_| self.is_archive())
    }

    /// Whether it is an archive of NumPy.
    fn is_archive(&self) -> bool {
        match self.bytes() {
            Ok(Some(bytes)) => Contents::of_bytes(bytes) == Contents::Npz,
            Ok(None) => Contents::of(&self.path).is_ok_and(|contents| contents == Contents::Npz),
            Err(_) => false,
        }
    }

    /// What it holds; of an archive the array that is `named`, or the only one.
    ///
    /// # Errors
    ///
    /// What cannot be read; an archive of several arrays without a name; a name where there is no archive.
    pub(crate) fn contents(&self, named: Option<&str>) -> Result<Contents> {
        let contents = match self.bytes()? {
            Some(bytes) => Contents::of_bytes(bytes),
            None => Contents::of(&self.path)?,
        };
        if contents != Contents::Npz {
            return match named {
                Some(name) => Err(Error::data(
                    self.origin().display().to_string(),
                    format!(
                        "is no archive of NumPy, so it has no array `{name}`; leave --array out, or `array` of [data]"
                    ),
                )),
                None => Ok(contents),
            };
        }
        let head = match self.bytes()? {
            Some(bytes) => Archive::open(Cursor::new(bytes), bytes.len() as u64, self.origin())?.head(named),
            None => {
                let (file, length) = file::open(&self.path)?;
                Archive::open(BufReader::new(file), length, &self.path)?.head(named)
            }
        };
        Ok(if npy::are_images(&head?) { Contents::NpyImages } else { Contents::Npy })
    }

    /// The error about it where something else than its `contents` was needed.
    pub(crate) fn instead(&self, contents: &Contents, needed: &str) -> Error {
        contents.instead(&self.path, needed)
    }

    /// Its text.
    ///
    /// # Errors
    ///
    /// Standard input that is gone.
    pub(crate) fn input(&self) -> Result<Arc<Input>> {
        match (&self.given, self.bytes()?) {
            (Some(input), Some(_)) => Ok(Arc::clone(input)),
            _ => Ok(Arc::new(Input::file(&self.path))),
        }
    }

    /// Bytes of memory that it takes itself: those that standard input gave.
    pub(crate) fn held(&self) -> u64 {
        self.given.as_ref().map_or(0, |input| input.held())
    }

    /// Its array of NumPy, plain, compressed, or that of an archive that is `named`, in at most `most` bytes beside what it
    /// [holds](Self::held).
    ///
    /// # Errors
    ///
    /// As [`npy::read_array_within`] and [`contents`](Self::contents).
    pub(crate) fn array(&self, named: Option<&str>, most: u64) -> Result<Array> {
        let Some(bytes) = self.bytes()? else {
            if Contents::of(&self.path)? != Contents::Npz {
                return npy::read_array_within(&self.path, most);
            }
            let (file, length) = file::open(&self.path)?;
            return Archive::open(BufReader::new(file), length, &self.path)?.read(named, most);
        };
        let length = bytes.len() as u64;
        if Contents::of_bytes(bytes) == Contents::Npz {
            return Archive::open(Cursor::new(bytes), length, self.origin())?.read(named, most);
        }
        npy::unpack_array(bytes, length, self.origin(), most)
    }

    /// Its images, of which `contents` are known, in at most `most` bytes beside what it [holds](Self::held), and the most bytes that
    /// reading them took at once.
    ///
    /// # Errors
    ///
    /// As [`array`](Self::array), [`idx::read_images_within`] and [`pictures::read`]; `contents` that are no images.
    pub(crate) fn images(&self, contents: &Contents, named: Option<&str>, most: u64) -> Result<(ByteSource, u64)> {
        let images = match (contents, self.bytes()?) {
            (Contents::Pictures, _) => return pictures::read(&self.path, most),
            (Contents::Images, None) => idx::read_images_within(&self.path, most)?,
            (Contents::Images, Some(bytes)) => {
                idx::parse_images_within(bytes, bytes.len() as u64, self.origin(), most)?
            }
            _ => match self.array(named, most)? {
                Array::Images(images) => images,
                _ => return Err(self.instead(contents, "a file of images")),
            },
        };
        let images = images.into_source()?;
        // An array may have come in the order of columns, which takes another copy.
        let copies = if *contents == Contents::NpyImages { 2 } else { 1 };
        let taken = copies * images.bytes().len() as u64;
        Ok((images, taken))
    }

    /// What standard input gave; `None` of a file.
    fn bytes(&self) -> Result<Option<&[u8]>> {
        match &self.given {
            Some(input) => Ok(input.in_memory()),
            None if is_standard_input(&self.path) => {
                let problem = "the run's data came from there, and cannot be read again; save them to a file, and give it with --data FILE";
                Err(Error::data(STANDARD_INPUT, problem))
            }
            None => Ok(None),
        }
    }
}
