//! The samples of a run in memory, and own data: files of the user's.

pub(crate) mod address_space;
mod changes;
pub(crate) mod classes;
pub(crate) mod codec_file;
pub(crate) mod data_file;
pub(crate) mod filter;
pub(crate) mod labels;
pub(crate) mod latents;
pub(crate) mod npz;
pub(crate) mod own;
pub(crate) mod own_settings;
pub(crate) mod pictures;
pub(crate) mod reading;
pub(crate) mod reading_limit;
pub(crate) mod samples;
pub(crate) mod table;
