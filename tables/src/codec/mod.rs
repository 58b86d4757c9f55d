//! Rows of a table as what networks learn, and back.
//!
//! A [`Codec`] makes of each row a sample: a number for each column of numbers, whole numbers or dates, and behind them a group of
//! indicators for each column of categories and for each column of numbers with missing values. Numbers become scores that are about
//! normally distributed (a quantile transform); the groups are what a generator makes by a softmax. `docs/tables.md` has the figures by
//! which this was chosen.

mod calibration;
mod coding;
mod columns;
mod encoded;
mod jitter;
#[cfg(feature = "onnx")]
mod onnx;
mod pool;
mod probit;
mod quantiles;
mod rows;
mod scores;
mod tail;
#[cfg(test)]
mod tests;

pub use calibration::Calibration;
pub use columns::{Codec, Facet};
pub use encoded::EncodedTable;
#[cfg(feature = "onnx")]
pub use onnx::OnnxColumn;
pub use pool::{Finder, Found, Pool, Wanted};
pub use probit::probit;
pub use scores::Scaling;
