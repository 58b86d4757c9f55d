//! A measure of generated samples, beside that of real ones.

use serde::Serialize;

/// A measure of both kinds of samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Compared {
    #[serde(skip)]
    pub(crate) name: &'static str,
    /// Of generated samples against real ones.
    pub(crate) samples: f64,
    /// Of real samples against other real ones.
    pub(crate) real: f64,
}
