//! One network: its specification, its parameters, its operations, and their passes over values on a tape: forward, backward, and the
//! tangent of the forward pass.
#![forbid(unsafe_code)]

pub(crate) mod double_backward;
pub(crate) mod folded;
mod kind;
pub(crate) mod op;
pub(crate) mod panels;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, reason = "the benches see more of it"))]
pub(crate) mod parameters;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, reason = "the benches see more of it"))]
pub(crate) mod pass;
mod spec;
pub(crate) mod spectral;
pub(crate) mod statistics;
mod tangent;
pub(crate) mod tape;

pub use crate::kernel::activation::Activation;
pub use parameters::LayerTensors;
pub use spec::{Initialization, LayerSpec, NetworkSpec, Normalization, SOFTMAX_TEMPERATURE};
