//! Sources of real samples: arrays in memory, images that stay bytes, the synthetic presets and points in the plane, embedded
//! digits; IDX, CSV and NPY files.
#![forbid(unsafe_code)]

mod array;
mod balanced;
mod bytes;
pub mod csv;
pub mod digits;
pub mod idx;
mod labelled;
pub mod npy;
pub(crate) mod packed;
pub mod plane;
pub mod precision;
pub(crate) mod random;
pub mod synthetic;
pub mod table;
mod turn;

pub use array::ArraySource;
pub use balanced::Balanced;
pub use bytes::ByteSource;
pub use labelled::{Labelled, one_hot};

use crate::error::{Error, Result};

/// The trainer takes at most `u32::MAX` samples; refuses sources beyond that.
fn check_count(what: &str, samples: usize) -> Result<()> {
    if u32::try_from(samples).is_err() {
        return Err(Error::shape(what, format!("at most {} samples", u32::MAX), format!("{samples}")));
    }
    Ok(())
}
