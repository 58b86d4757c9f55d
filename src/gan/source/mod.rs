//! Where real samples come from.
//!
//! A [`Source`] gives the trainer rows of `f32`, one row a sample. There are four ways to have one:
//!
//! | data | source |
//! |---|---|
//! | rows in memory that somebody else owns | [`from_rows`], [`from_bytes`] |
//! | rows in memory that the source owns | [`ArraySource`](crate::data::ArraySource), [`ByteSource`](crate::data::ByteSource) |
//! | samples that a function makes from their number | [`from_fn`], [`try_from_fn`] |
//! | samples that come in their own order, such as those of a simulation | [`stream`] |
//!
//! Everything else implements the trait.
//!
//! # Which samples a step takes
//!
//! Samples have numbers. A finite source of `n` samples is asked for the numbers 0 to `n - 1`, once an epoch, shuffled or in order. An
//! endless one is asked for 0, 1, 2 ... without end, and so is one that [chooses](Extent::Chosen) itself which of its samples come. Seed, options and step alone decide which numbers a step takes, so a run that goes
//! on from a checkpoint asks for the same ones as a run that never stopped. If a number always means the same sample, both runs have the
//! same bits, at any number of threads.
//!
//! # When a source is read
//!
//! Samples in memory are read in place while a step computes. All others are asked for before a step changes anything, all that the
//! step needs at once. So an error of a source ends a step that has not begun: the trainer stands where it stood, and may be asked for
//! the same step again.

mod contract;
mod in_memory;
mod made;
mod shape;
mod writer;

pub use contract::Source;
pub use in_memory::{InMemory, from_bytes, from_rows};
pub use made::{from_fn, stream, try_from_fn};
pub use shape::{Extent, Shape};
pub use writer::{BatchWriter, BoxError};
pub(crate) use writer::{Numbers, write_batch};

#[cfg(test)]
mod tests;
