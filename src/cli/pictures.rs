//! Pictures of samples: which kind suits which system.

use super::plot::{Heading, HistogramPanel, ScatterPanel, histogram, image_grid, scatter};
use crate::data::synthetic::mixture1d_density;
use crate::error::Result;
use crate::gan::presets::Preset;

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
pub(crate) fn shown(system: Preset) -> usize {
    match system {
        Preset::Circle | Preset::Gaussian2d => POINTS,
        Preset::Mixture1d | Preset::Mixture1dDeep => NUMBERS,
        Preset::Mnist | Preset::Digits => IMAGES,
    }
}

/// A PNG file: points over the `real` ones, histograms over theirs and the true density, or the last panel's images in a
/// square grid.
///
/// # Errors
///
/// What drawing reports: for instance more images than a picture can hold.
pub(crate) fn samples(system: Preset, heading: Heading<'_>, real: &[f32], panels: &[Panel<'_>]) -> Result<Vec<u8>> {
    let picture = match system {
        Preset::Circle | Preset::Gaussian2d => {
            let real = &real[..real.len().min(2 * POINTS)];
            let panels: Vec<_> = panels
                .iter()
                .map(|panel| ScatterPanel {
                    title: panel.title,
                    real: real.as_chunks().0,
                    generated: panel.samples.as_chunks().0,
                })
                .collect();
            scatter(heading, &panels)?
        }
        Preset::Mixture1d | Preset::Mixture1dDeep => {
            let panels: Vec<_> = panels
                .iter()
                .map(|panel| HistogramPanel { title: panel.title, real, generated: panel.samples })
                .collect();
            histogram(heading, &panels, Some(&mixture1d_density))?
        }
        Preset::Mnist | Preset::Digits => {
            let (height, width) = system.image().unwrap_or((1, 1));
            image_grid(heading, panels.last().map_or(&[], |panel| panel.samples), height, width, 0)?
        }
    };
    picture.to_png()
}

/// A PNG file of images side by side; `None` where samples are no images.
///
/// # Errors
///
/// What drawing reports.
pub(crate) fn row(system: Preset, samples: &[f32]) -> Result<Option<Vec<u8>>> {
    let Some((height, width)) = system.image() else { return Ok(None) };
    Ok(Some(image_grid(Heading::default(), samples, height, width, usize::MAX)?.to_png()?))
}
