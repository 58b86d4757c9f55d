//! What a command asks of a training run.

use std::path::Path;

use gannet::Result;
use gannet::gan::Changes;

use crate::settings::config::RunConfig;
use crate::terminal::progress::Part;

/// What a command asks of a training run, beside its settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    /// Whether a run may go on with other settings or data than it began with.
    pub(crate) changes: Changes,
    /// Print only what must be known.
    pub(crate) quiet: bool,
    /// Print the result as JSON.
    pub(crate) json: bool,
    /// Open the report in the browser.
    pub(crate) open: bool,
    /// Of what it is a part, where it is one.
    pub(crate) part: Option<Part>,
}

/// What a command gives in the place of the settings of a file.
pub(crate) struct Overrides<'a> {
    /// Where the samples come from.
    pub(crate) data: Option<&'a Path>,
    /// Most memory that the run may take.
    pub(crate) memory_limit: Option<u64>,
    /// Whether threads are given.
    pub(crate) has_threads: bool,
    /// Puts all of it into the settings.
    pub(crate) apply: &'a dyn Fn(&mut RunConfig) -> Result<()>,
}
