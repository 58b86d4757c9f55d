//! What tests compare gannet's numbers with: activations, losses, optimizers, products and whole networks, written plainly in f64.
//! Matrices are row-major, and networks take one sample after the other. Speed does not matter here; that each line can be checked
//! against its source does.
//!
//! Unit tests of the library, integration tests and the bench of the kernels share this module.
#![allow(dead_code, reason = "each test uses its own part")]

pub(crate) mod activation;
pub(crate) mod difference;
pub(crate) mod elementary;
pub(crate) mod group;
pub(crate) mod isas;
pub(crate) mod loss;
pub(crate) mod network;
pub(crate) mod noise;
pub(crate) mod numbers;
pub(crate) mod optimizer;
pub(crate) mod product;
