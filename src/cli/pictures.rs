//! Pictures of samples: which kind suits which system.

use super::plot::{Heading, HistogramPanel, ScatterPanel, histogram, image_grid, scatter};
use super::system::{Shape, System};
use crate::data::synthetic::mixture1d_density;
use crate::error::Result;

/// Images of the pictures that are drawn while a run goes on, in the square grid and in the row.
const IMAGES: usize = 16;
/// Points in the plane, and numbers on the line, that a picture shows.
const POINTS: usize = 2_000;
const NUMBERS: usize = 10_000;

/// Generated samples under a title.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panel<'a> {
    pub(crate) title: &'a str,
    pub(crate) samples: &'a [f32],
}

/// Samples that a picture of `system` shows.
pub(crate) fn shown(system: System) -> usize {
    match system.shape() {
        Shape::Numbers(1) => NUMBERS,
        Shape::Numbers(_) => POINTS,
        Shape::Image { .. } => IMAGES,
    }
}

/// A PNG file: points over the `real` ones (the first two of more features), histograms over theirs and the true density where
/// it is known, or the last panel's images in a square grid.
///
/// # Errors
///
/// What drawing reports: for instance more images than a picture can hold.
pub(crate) fn samples(system: System, heading: Heading<'_>, real: &[f32], panels: &[Panel<'_>]) -> Result<Vec<u8>> {
    let picture = match system.shape() {
        Shape::Numbers(1) => {
            let panels: Vec<_> = panels
                .iter()
                .map(|panel| HistogramPanel { title: panel.title, real, generated: panel.samples })
                .collect();
            let density = system.preset().map(|_| &mixture1d_density as &dyn Fn(f64) -> f64);
            histogram(heading, &panels, density)?
        }
        Shape::Numbers(features) => {
            let real = points(real, features);
            let generated: Vec<_> = panels.iter().map(|panel| points(panel.samples, features)).collect();
            let panels: Vec<_> = panels
                .iter()
                .zip(&generated)
                .map(|(panel, generated)| ScatterPanel { title: panel.title, real: &real, generated })
                .collect();
            scatter(heading, &panels)?
        }
        Shape::Image { height, width } => {
            image_grid(heading, panels.last().map_or(&[], |panel| panel.samples), height, width, 0)?
        }
    };
    picture.to_png()
}

/// The first two features of [`POINTS`] samples or more, but not twice as many, evenly chosen: files may be sorted.
fn points(samples: &[f32], features: usize) -> Vec<[f32; 2]> {
    let rows = samples.chunks_exact(features.max(2));
    let step = (rows.len() / POINTS).max(1);
    rows.step_by(step).map(|row| [row[0], row[1]]).collect()
}

/// A PNG file of images side by side; `None` where samples are no images.
///
/// # Errors
///
/// What drawing reports.
pub(crate) fn row(system: System, samples: &[f32]) -> Result<Option<Vec<u8>>> {
    let Some((height, width)) = system.image() else { return Ok(None) };
    Ok(Some(image_grid(Heading::default(), samples, height, width, usize::MAX)?.to_png()?))
}
