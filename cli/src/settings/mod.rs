//! The settings of a run: what they are, where they come from, and the file that holds them.

pub(crate) mod config;
pub(crate) mod config_file;
pub(crate) mod config_source;
pub(crate) mod config_text;
pub(crate) mod flat;
pub(crate) mod loading;
pub(crate) mod schema;
pub(crate) mod table;
