//! The native half of the Python package `gannet`: trainers, samplers, losses and networks over NumPy arrays, and the program.
//!
//! The estimator `gannet.Gan` and what it does with frames and labels is Python, in `package/gannet`. An object here belongs to the process
//! that made it and has one user at a time ([`gannet_host::Guarded`]); the interpreter is left to others while it computes.
//!
//! ```text
//! trainer  sampler  modular_loss  network     what steps, samples and goes back
//! run                                         many steps, callbacks, signals
//! spec  options  table  codec  parameters  report   what these are made of and give
//! picture  program                            pictures; the program in this process
//! borrowed  arrays  file                      NumPy's memory, files
//! calls  problem                              calls without the interpreter, errors
//! ```

mod arrays;
mod borrowed;
mod calls;
mod codec;
mod file;
mod modular_loss;
mod network;
mod options;
mod parameters;
mod picture;
mod problem;
mod program;
mod report;
mod run;
mod sampler;
mod spec;
mod table;
mod trainer;

use pyo3::prelude::*;

/// The native half of the package `gannet`.
///
/// Free-threaded builds of Python take their lock back when they import it: it has not been tested without.
#[pymodule(gil_used = true)]
mod _gannet {
    #[pymodule_export]
    use super::codec::{Calibration, Codec};
    #[pymodule_export]
    use super::file::write_file;
    #[pymodule_export]
    use super::modular_loss::ModularLoss;
    #[pymodule_export]
    use super::network::Network;
    #[pymodule_export]
    use super::picture::picture;
    #[pymodule_export]
    use super::program::{info, run_program};
    #[pymodule_export]
    use super::report::Report;
    #[pymodule_export]
    use super::sampler::Sampler;
    #[pymodule_export]
    use super::spec::Spec;
    #[pymodule_export]
    use super::table::{Standardization, classes_of_samples};
    #[pymodule_export]
    use super::trainer::{Trainer, checkpoint_note, checkpoint_with_note};
}
