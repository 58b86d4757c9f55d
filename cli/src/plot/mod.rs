//! Pictures of data, generated samples and training runs.
//!
//! Everything is drawn in memory with an embedded font: no system library, no installed font, no display. The functions take
//! plain data, accept any of it (nothing, NaN, infinite, millions of points) and draw the same picture for the same input.
//! Sizes suit a display of two pixels per point.

mod axis;
mod bars;
mod canvas;
mod curves;
mod font;
mod frame;
mod grid;
mod histogram;
mod picture;
mod sampled;
mod scatter;
mod stamp;
mod strips;
mod style;
#[cfg(test)]
mod tests;

pub(crate) use axis::Axis;
pub use bars::{BarPanel, Bins, MOST_PANELS, bars};
pub use curves::{Losses, Reference, losses};
pub use grid::image_grid;
pub use histogram::{HistogramPanel, histogram};
pub use picture::{Heading, Picture};
pub use scatter::{ScatterPanel, scatter};
pub use strips::{Strip, StripPanel, strips};
