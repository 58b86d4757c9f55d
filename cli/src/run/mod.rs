//! Training: from settings to the end of a run, its record, and going on with it.

pub(crate) mod begin;
pub(crate) mod beside;
pub(crate) mod board;
pub(crate) mod budget;
pub(crate) mod column_histograms;
pub(crate) mod draw;
pub(crate) mod expectation;
pub(crate) mod failure_advice;
pub(crate) mod in_parts;
pub(crate) mod learning;
pub(crate) mod pictures;
pub(crate) mod prepared;
pub(crate) mod record;
pub(crate) mod replica_picture;
pub(crate) mod replicas;
pub(crate) mod request;
pub(crate) mod resume;
pub(crate) mod saved_run;
pub(crate) mod schedule;
pub(crate) mod start;
pub(crate) mod stop;
pub(crate) mod summary;
pub(crate) mod threads;
pub(crate) mod train;
pub(crate) mod trained;
pub(crate) mod weights;
