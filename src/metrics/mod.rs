//! Measures of what a generator has learned, and what the presets reach in them.
//!
//! Everything here is plain `f64` arithmetic (distances between images: `f32` differences summed in blocks) in one fixed order:
//! the result does not depend on the number of threads.
#![forbid(unsafe_code)]

pub mod circle;
pub mod classifier;
pub mod columns;
mod distance;
pub mod frechet;
pub mod gaussian2d;
pub mod images;
pub mod kolmogorov_smirnov;
pub mod manifold;
pub mod mixture1d;
pub mod mmd;
pub mod modes;
pub mod moments;
pub mod nearest;
pub mod parzen;
pub mod references;
pub mod table;
#[cfg(test)]
mod test_samples;
pub mod wasserstein;

use crate::error::Result;
use crate::rows;

/// The number of rows of the row-major `[rows, features]` matrix `values`, all of whose values must be finite.
fn check_rows(what: &str, values: &[f32], features: usize) -> Result<usize> {
    let count = rows::some(what, values.len(), features)?;
    rows::finite(what, values, features)?;
    Ok(count)
}
