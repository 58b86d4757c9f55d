//! The commands of the program, one file each. Only they know of the command line.

pub(crate) mod args;
pub(crate) mod bench;
pub(crate) mod bench_table;
pub(crate) mod evaluate;
pub(crate) mod export;
pub(crate) mod info;
pub(crate) mod overrides;
pub(crate) mod report;
pub(crate) mod runs;
pub(crate) mod sample;
mod sample_array;
mod sample_like;
pub(crate) mod shell;
pub(crate) mod sweep;
pub(crate) mod template;
pub(crate) mod train;
