//! The parsers of the program's own files, for the tests and fuzz targets that feed them with hostile bytes.

use std::path::Path;
use std::sync::Arc;

use gannet::Result;
use gannet_tables::Codec;

use crate::data::codec_file::{self, Fitted};
use crate::folder::line_file::{self, Columns};
use crate::folder::run_folder;
use crate::history::legs::Legs;
use crate::settings::config::RunConfig;
use crate::settings::{config_file, config_text};

/// The settings of a configuration file.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings(RunConfig);

impl Settings {
    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self> {
        config_file::parse(text, None, None, None).map(Self)
    }

    /// The text of a file with every setting.
    ///
    /// # Errors
    ///
    /// A value that TOML cannot hold.
    pub fn render(&self) -> Result<String> {
        config_text::render(&self.0, "a run")
    }
}

/// What a run that goes on after step `last` keeps of the table in `bytes`; `row` sees the cells of each line. The table may lack the
/// columns `more`, each with a comma before it, and has them then.
///
/// # Errors
///
/// A header that is neither `header` nor that with `more`.
pub fn kept_table(
    bytes: &[u8],
    [header, more]: [&str; 2],
    last: u64,
    row: &mut dyn FnMut(u64, &[&str]),
) -> Result<String> {
    let columns = Columns { always: header, more, wanted: !more.is_empty() };
    line_file::keep(bytes, Path::new("table"), columns, Some(last), row).map(|kept| kept.lines)
}

/// The history of a run in the bytes of its file, as it is written again.
///
/// # Errors
///
/// What is wrong with it.
pub fn history(bytes: &[u8], origin: &str) -> Result<Vec<u8>> {
    Legs::parse(bytes, origin).map(|legs| run_folder::json(&legs))
}

/// How the rows of a run's table become samples, in the bytes of `table.json`, and the file as it is written again.
///
/// # Errors
///
/// What is wrong with it.
pub fn table_codec(bytes: &[u8], origin: &str) -> Result<(Arc<Codec>, Vec<u8>)> {
    let fitted = codec_file::parse(bytes, origin)?;
    let written = codec_file::text(&fitted)?;
    Ok((fitted.codec, written))
}

/// The bytes of `table.json` for a codec, where the user has decided nothing of how the table is read.
///
/// # Errors
///
/// A codec that is too large.
pub fn codec_text(codec: Codec) -> Result<Vec<u8>> {
    codec_file::text(&Fitted { codec: Arc::new(codec), reading: None })
}
