//! The folder of a run and the files in it: written whole or not at all, by one process.

pub(crate) mod checkpoints;
pub(crate) mod contents;
pub(crate) mod course;
pub(crate) mod files;
pub(crate) mod folder_lock;
pub(crate) mod line_file;
pub(crate) mod new_folder;
pub(crate) mod npy;
pub(crate) mod out_file;
pub(crate) mod run_folder;
