//! Pictures of samples: which kind suits which preset.

use gannet::Result;
use gannet::data::synthetic::mixture1d_density;
use gannet_settings::own_data::Shape;

use crate::plot::{Heading, HistogramPanel, ScatterPanel, histogram, image_grid, scatter};
use crate::preset::Preset;

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
    /// Values of a sample: all, or those that [`columns`] says are drawn.
    pub(crate) features: usize,
}

/// Samples that a picture of `preset` shows.
pub(crate) fn shown(preset: Preset) -> usize {
    match preset.shape() {
        Shape::Numbers(1) => NUMBERS,
        Shape::Numbers(_) => POINTS,
        Shape::Image { .. } => IMAGES,
    }
}

/// Values of a sample that a picture of `preset` shows, the first ones.
pub(crate) fn columns(preset: Preset) -> usize {
    match preset.shape() {
        Shape::Numbers(features) => features.min(2),
        image @ Shape::Image { .. } => image.features(),
    }
}

/// A PNG file: points over the `real` ones (the first two of more features), histograms over theirs and the true density where
/// it is known, or the last panel's images in a square grid.
///
/// Size and axes depend on the real samples, the number of panels and the rows of the heading, not on the samples in the
/// panels: all pictures of a run can be compared, and follow each other in an animation. What lies outside is left out, and
/// counted above the panel.
///
/// # Errors
///
/// What drawing reports: for instance more images than a picture can hold.
pub(crate) fn samples(preset: Preset, heading: Heading<'_>, real: &[f32], panels: &[Panel<'_>]) -> Result<Vec<u8>> {
    let picture = match preset.shape() {
        Shape::Numbers(1) => {
            let panels: Vec<_> = panels
                .iter()
                .map(|panel| HistogramPanel { title: panel.title, real, generated: panel.samples })
                .collect();
            let density = preset.known().map(|_| &mixture1d_density as &dyn Fn(f64) -> f64);
            histogram(heading, &panels, density)?
        }
        Shape::Numbers(features) => {
            let real = points(real, features);
            let generated: Vec<_> = panels.iter().map(|panel| points(panel.samples, panel.features)).collect();
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
pub(crate) fn row(preset: Preset, samples: &[f32]) -> Result<Option<Vec<u8>>> {
    let Some((height, width)) = preset.image() else { return Ok(None) };
    Ok(Some(image_grid(Heading::default(), samples, height, width, usize::MAX)?.to_png()?))
}

#[cfg(test)]
mod tests {
    use gannet::gan::presets;

    use super::*;

    /// The picture without heading and plot: its size, the labels of the vertical axis, and those of the horizontal one.
    fn frame(png_file: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png_file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let (width, height) = (info.width as usize, info.height as usize);
        let left = pixels.chunks_exact(3 * width).skip(230).flat_map(|row| &row[..3 * 84]);
        let labels = left.chain(&pixels[3 * width * (height - 70)..]).copied().collect();
        (info.width, info.height, labels)
    }

    #[test]
    fn pictures_of_one_run_have_the_same_frame() {
        for preset in
            [presets::Preset::Circle, presets::Preset::Gaussian2d, presets::Preset::Mixture1d, presets::Preset::Digits]
                .map(Preset::Known)
        {
            let count = shown(preset) * preset.image().map_or(2, |(height, width)| height * width);
            let real: Vec<f32> = (0..count).map(|i| (i as f32 * 0.7).sin()).collect();
            let draw = |text: &str, samples: &[f32]| {
                let heading = Heading { title: "a run", subtitle: &format!("batch 32\nmeasure {text}") };
                samples_of(preset, heading, &real, &[Panel { title: "step 1", samples, features: columns(preset) }])
            };
            let usual = frame(&draw("0.1", &real));
            let narrow: Vec<f32> = real.iter().map(|value| 0.01 * value).collect();
            let wide: Vec<f32> = real.iter().map(|value| 1e6 * value).collect();
            for (text, samples) in [("1", &narrow), (&"9".repeat(300), &wide), ("NaN", &vec![f32::NAN; count])] {
                let found = frame(&draw(text, samples));
                assert_eq!((found.0, found.1), (usual.0, usual.1), "{preset:?}");
                // Images have no axes.
                assert!(preset.image().is_some() || found.2 == usual.2, "{preset:?}: the labels moved");
            }
        }
    }

    fn samples_of(preset: Preset, heading: Heading<'_>, real: &[f32], panels: &[Panel<'_>]) -> Vec<u8> {
        samples(preset, heading, real, panels).unwrap()
    }
}
