//! The settings of a run: what they are, where they come from, and the file that holds them.

pub(crate) mod config;
pub(crate) mod config_file;
pub(crate) mod config_source;
pub(crate) mod config_text;
mod control;
pub(crate) mod flat;
pub(crate) mod gan_table;
pub(crate) mod kind;
pub(crate) mod kinded;
pub(crate) mod loading;
mod penalties;
pub(crate) mod schema;
pub(crate) mod setting;
pub(crate) mod table;
pub(crate) mod toml_error;
pub(crate) mod values;
