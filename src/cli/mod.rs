//! The command-line program.

pub mod plot;
