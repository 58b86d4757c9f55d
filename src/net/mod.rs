//! One network of dense layers: its specification, its parameters, its forward and backward passes.

pub mod spec;

pub use spec::{Initialization, LayerSpec, NetworkSpec};
