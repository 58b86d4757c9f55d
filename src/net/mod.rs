//! One network: its specification, its parameters, its operations, and their passes over values on a tape.
#![forbid(unsafe_code)]

pub(crate) mod op;
pub(crate) mod panels;
pub(crate) mod parameters;
pub(crate) mod pass;
pub mod spec;
pub(crate) mod tape;

pub use parameters::{LayerTensors, row_stride};
pub use spec::{Initialization, LayerSpec, NetworkSpec};
