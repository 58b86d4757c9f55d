//! Gannet trains generative adversarial networks (GANs) made of dense layers, on CPUs, as fast as the processor allows.
//!
//! The interface:
//!
//! ```text
//! gan       specifications, presets, the trainer, the modular loss, models, checkpoints, health of a run
//! net       what a network looks like: layers, activations, initial weights
//! data      sources of samples: arrays, images as bytes, synthetic systems, CSV, NPY and IDX files
//! metrics   measures of what a generator has learned
//! cpu       instruction sets, engines, threads
//! ```
//!
//! The crate is built in layers, each of which uses only what stands below it. Those below `net` are private:
//!
//! ```text
//! data  metrics   sources of samples; measures of what the generator learned
//! gan             objectives, the step as a program, the trainer, presets, checkpoints
//! net             operations of a network, parameters, the tape, forward and backward passes
//! gemm            the two products that a dense layer is made of, and the engines that compute them
//! kernel          pure loops over slices: activations, losses, optimizers, noise, reductions
//! simd            the vector trait and its instruction sets; detection
//! parallel        the worker team
//! atomic_file     files that are written whole or not at all
//! file            opening and reading regular files
//! memory          aligned buffers and workspaces; vectors whose memory may be refused
//! network         the names of networks and tensors
//! error           the error type
//! ```
//!
//! The command-line program is a package of its own, `gannet-cli`. What it, the benches and some tests share with the library beyond
//! the interface stands in `internals`, above all layers.
//!
//! # Features
//!
//! None is on by default. `gzip`: the readers of data files take compressed ones, too. `serde`: settings and measures implement
//! its traits.

// What integration tests and unit tests share names the crate as the former do.
#[cfg(test)]
extern crate self as gannet;

#[cfg_attr(
    not(feature = "internals"),
    allow(dead_code, unreachable_pub, reason = "the library replaces files and ends no process")
)]
mod atomic_file;
pub mod cpu;
pub mod data;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, reason = "the program uses more of it"))]
mod error;
#[cfg_attr(not(feature = "internals"), allow(dead_code, unreachable_pub, reason = "the program uses more of it"))]
mod file;
pub mod gan;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, reason = "the benches see it"))]
mod gemm;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
#[cfg_attr(
    not(feature = "internals"),
    allow(dead_code, unreachable_pub, unused_imports, reason = "the benches see it")
)]
mod kernel;
#[cfg_attr(
    not(feature = "internals"),
    allow(dead_code, unreachable_pub, unused_imports, reason = "the benches see it")
)]
mod memory;
pub mod metrics;
pub mod net;
mod network;
#[cfg_attr(
    not(feature = "internals"),
    allow(dead_code, unreachable_pub, unused_imports, reason = "the benches see it")
)]
mod parallel;
#[cfg(test)]
#[path = "../tests/reference/mod.rs"]
mod reference;
#[cfg_attr(
    not(feature = "internals"),
    allow(dead_code, unreachable_pub, unused_imports, reason = "the benches see it")
)]
mod simd;

pub use error::{Error, Result};
