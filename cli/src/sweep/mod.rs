//! A sweep: many trials of settings, each with several seeds, ranked by a measure.
//!
//! ```text
//! run_all       trains what is missing, trial after trial
//! page          the files beside the trials
//! picture       the pictures
//! table         the ranked trials: for people, as CSV, as JSON
//! folder        the folder of a sweep: which trials are whole, begun or missing
//! trial         what a trial is: settings and a name that follows from them
//! file          the file of a sweep
//! axis          what is varied: values of a grid, or draws from ranges
//! ```

pub(crate) mod axis;
pub(crate) mod file;
pub(crate) mod folder;
pub(crate) mod page;
pub(crate) mod picture;
pub(crate) mod run_all;
pub(crate) mod table;
pub(crate) mod trial;
