//! One network of dense layers: its specification, its parameters, its forward and backward passes.
#![forbid(unsafe_code)]

pub(crate) mod backward;
pub(crate) mod parameters;
pub(crate) mod pass;
pub mod spec;

pub use parameters::{LayerTensors, row_stride};
pub use spec::{Initialization, LayerSpec, NetworkSpec};
