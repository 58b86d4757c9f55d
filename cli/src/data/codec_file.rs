//! `table.json` in the folder of a run on a table: the form of the table, and how its rows become samples and back.

use std::path::Path;
use std::sync::Arc;

use gannet::internals::file;
use gannet::{Error, Result};
use gannet_tables::Codec;
use serde::{Deserialize, Serialize};

use crate::data::reading::Reading;
use crate::folder::run_folder::{RunFolder, TABLE};

/// Version of the format.
const VERSION: u64 = 1;

/// Bytes of the file at most.
const LARGEST: u64 = 1 << 28;

/// How the rows of a table become samples, and what the user had decided of how the table is read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fitted {
    pub(crate) codec: Arc<Codec>,
    /// `None` where the file does not tell: those of the first days had the codec alone.
    pub(crate) reading: Option<Reading>,
}

/// What the file holds.
#[derive(Serialize, Deserialize)]
struct Stored<C, R> {
    version: u64,
    codec: C,
    #[serde(default)]
    reading: R,
}

/// Writes the file into `folder`, where there is a table.
///
/// # Errors
///
/// More than would be read back; [`Error::Io`].
pub(crate) fn write(folder: &RunFolder, fitted: Option<&Fitted>) -> Result<()> {
    fitted.map_or(Ok(()), |fitted| folder.write(TABLE, &text(fitted)?))
}

/// The text of the file.
///
/// # Errors
///
/// More than would be read back.
pub(crate) fn text(Fitted { codec, reading }: &Fitted) -> Result<Vec<u8>> {
    let wrong = |problem: String| Error::data(TABLE, problem);
    let stored = Stored { version: VERSION, codec: codec.as_ref(), reading };
    let bytes = serde_json::to_vec(&stored).map_err(|error| wrong(error.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        let problem = format!(
            "would have {} bytes, more than the {LARGEST} that are read back; give fewer columns, or lower the number of categories",
            bytes.len()
        );
        return Err(wrong(problem));
    }
    Ok(bytes)
}

/// What the file in `folder` holds; `None` where there is none.
///
/// # Errors
///
/// A file that cannot be read.
pub(crate) fn read(folder: &Path) -> Result<Option<Fitted>> {
    let path = folder.join(TABLE);
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    parse(&file::read(&path, LARGEST)?, &path.display().to_string()).map(Some)
}

/// What the bytes of the file tell.
///
/// # Errors
///
/// What is wrong with them.
pub(crate) fn parse(bytes: &[u8], origin: &str) -> Result<Fitted> {
    let wrong = |problem: String| Error::data(origin, problem);
    let version = serde_json::from_slice::<serde_json::Value>(bytes).ok().and_then(|value| value["version"].as_u64());
    match version {
        Some(VERSION) => {}
        Some(other) => {
            return Err(wrong(format!("has version {other}, and this gannet reads {VERSION}; take a newer one")));
        }
        None => return Err(wrong("is no table.json of gannet: it has no version; put back the run's own".to_string())),
    }
    let stored: Stored<Codec, Option<Reading>> = serde_json::from_slice(bytes).map_err(|error| {
        wrong(format!("is damaged: {error}; put back the run's own, or remove it and keep the run's data"))
    })?;
    Ok(Fitted { codec: Arc::new(stored.codec), reading: stored.reading })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_damaged_is_told() {
        let place = tempfile::tempdir().unwrap();
        assert!(read(place.path()).unwrap().is_none());
        let codec = Codec::of_lines(&["a".to_string()], &[1.0], &[2.0], None).unwrap();
        let reading = Reading { missing: Some(vec!["-99".to_string()]), decimal: Some(','), ..Reading::default() };
        let expected = Fitted { codec: Arc::new(codec), reading: Some(reading) };
        let bytes = text(&expected).unwrap();
        std::fs::write(place.path().join(TABLE), &bytes).unwrap();
        assert_eq!(read(place.path()).unwrap().unwrap(), expected);
        let whole = String::from_utf8(bytes).unwrap();
        let (codec_alone, _) = whole.split_once(",\"reading\":").unwrap();
        std::fs::write(place.path().join(TABLE), format!("{codec_alone}}}")).unwrap();
        assert_eq!(read(place.path()).unwrap().unwrap(), Fitted { reading: None, ..expected });
        for (damaged, part) in [
            ("", "no version"),
            ("{\"version\":7}", "has version 7"),
            (&whole.replace("[1.0,2.0]", "[1.0,0.0]"), "is damaged"),
            (&whole[..whole.len() - 1], "no version"),
        ] {
            std::fs::write(place.path().join(TABLE), damaged).unwrap();
            let problem = read(place.path()).unwrap_err().to_string();
            assert!(problem.contains(part) && problem.contains("table.json"), "{damaged}: {problem}");
        }
    }
}
