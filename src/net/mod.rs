//! One network: its specification, its parameters, its operations, and their passes over values on a tape.
#![forbid(unsafe_code)]

pub(crate) mod op;
pub(crate) mod panels;
pub(crate) mod parameters;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, reason = "the benches see more of it"))]
pub(crate) mod pass;
pub mod spec;
pub(crate) mod tape;

pub use parameters::{LayerTensors, row_stride};
#[cfg(feature = "internals")]
#[doc(hidden)]
pub use pass::InputMode;
pub use spec::{Initialization, LayerSpec, NetworkSpec};
