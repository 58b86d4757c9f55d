//! The operations that a network is made of, one file for each.
//!
//! An operation has four passes, all over panels of samples:
//!
//! ```text
//! forward              its output from its input
//! tangent              how its output moves when its input moves along a given direction, by the output of the forward pass
//! input gradient       the gradient with respect to its input from that with respect to what it computes before its activation
//! parameter gradient   that with respect to its parameters, with the update where it is the last to add to them
//! ```
//!
//! and says how many products each of them takes, so that whoever compiles passes can count them.

mod dense;

pub(crate) use dense::{Dense, Updated};
