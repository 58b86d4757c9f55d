//! The C interface of gannet. `include/gannet.h` is made of this crate and documents every function; `docs/embedding.md` shows the whole.
//!
//! Every function follows the same rules:
//!
//! - It returns a [`GannetStatus`](status::GannetStatus); after one that is not `GANNET_OK`,
//!   [`gannet_last_error`](last_error::gannet_last_error) has the message of this thread.
//! - Nothing unwinds into the caller (`border.rs`). A handle that a panic came out of refuses everything but to be freed.
//! - A handle is no address: it is checked before anything is read through it (`handles.rs`).
//! - Structs begin with their size, so that later versions may add fields at the end (`versioned.rs`).
//!
//! ```text
//! trainer  turns  loss  sampler  function  network  checkpoint  parameters  pool  query     one file for each group of functions
//! data  options  report  settings                                                  structs that these take and fill
//! versioned  arguments  handles  border                                            checks of what comes from outside
//! last_error  status
//! ```

mod arguments;
mod border;
mod handles;
mod versioned;

pub mod checkpoint;
pub mod data;
mod flat;
pub mod function;
pub mod last_error;
pub mod loss;
pub mod network;
pub mod options;
pub mod parameters;
pub mod pool;
pub mod query;
pub mod report;
pub mod sampler;
mod settings;
pub mod status;
pub mod trainer;
pub mod turns;

/// The document of this interface, whose program in Rust is compiled as a test.
#[cfg(doctest)]
#[doc = include_str!("../../docs/embedding.md")]
struct Document;
