//! Pictures of samples: which kind suits which preset.

use std::sync::Arc;

use gannet::Result;
use gannet::data::synthetic::mixture1d_density;
use gannet::internals::memory::room;
use gannet_settings::own_data::Shape;
use gannet_tables::{Codec, Facet};

use crate::data::own::OwnData;
use crate::data::samples::Samples;

use crate::plot::{Heading, HistogramPanel, ScatterPanel, histogram, image_grid, scatter};
use crate::preset::Preset;
use crate::run::column_histograms::{self, ColumnHistograms};
use crate::settings::config::RunConfig;

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
        Shape::Numbers(2) => POINTS,
        Shape::Numbers(features) | Shape::Mixed { features, .. } => POINTS.min(column_histograms::rows(features)),
        Shape::Image { .. } => IMAGES,
    }
}

/// Values of a sample that a picture of `preset` shows, the first ones.
pub(crate) fn columns(preset: Preset) -> usize {
    preset.shape().features()
}

/// How the samples of a run are drawn.
#[derive(Clone, Debug)]
pub(crate) enum Look {
    /// As they are: points or numbers of a preset, and images.
    Plain,
    /// Rows of a table of one or two columns of numbers, in units of the standard deviations of the real ones.
    Points(Standardized),
    /// Rows of a table of more columns: each column by itself.
    Columns(ColumnHistograms),
}

/// One or two columns of numbers with mean and standard deviation.
#[derive(Clone, Debug)]
pub(crate) struct Standardized {
    codec: Arc<Codec>,
    /// The columns, with the offset and the scale of each.
    columns: Vec<(usize, f64, f64)>,
    /// Some real rows.
    real: Vec<f32>,
}

impl Look {
    /// That of a run on these samples.
    ///
    /// # Errors
    ///
    /// Memory that the system refuses.
    pub(crate) fn new(config: &RunConfig, real: &Samples) -> Result<Self> {
        let Some(codec) = config.own.as_ref().and_then(OwnData::codec) else { return Ok(Self::Plain) };
        match config.preset.shape() {
            Shape::Numbers(1 | 2) => Standardized::new(codec, real).map(Self::Points),
            _ => ColumnHistograms::new(codec, real).map(Self::Columns),
        }
    }

    /// A PNG file of samples under a heading, as [`samples`] draws them; `real` are those of a preset.
    ///
    /// # Errors
    ///
    /// What drawing reports.
    pub(crate) fn picture(
        &self,
        preset: Preset,
        heading: Heading<'_>,
        real: &[f32],
        panels: &[Panel<'_>],
    ) -> Result<Vec<u8>> {
        match self {
            Self::Plain => samples(preset, heading, real, panels),
            Self::Points(units) => {
                let drawn = panels.iter().map(|panel| units.standardized(panel.samples, panel.features));
                let drawn: Vec<Vec<f32>> = drawn.collect::<Result<_>>()?;
                let panels: Vec<Panel<'_>> = panels
                    .iter()
                    .zip(&drawn)
                    .map(|(panel, samples)| Panel { samples, features: units.columns.len(), ..*panel })
                    .collect();
                samples(preset, heading, &units.real, &panels)
            }
            Self::Columns(columns) => {
                columns.picture(heading, panels.last().map_or(&[], |panel| panel.samples))?.to_png()
            }
        }
    }
}

impl Standardized {
    fn new(codec: &Arc<Codec>, real: &Samples) -> Result<Self> {
        let numbers = codec.facets().into_iter().filter_map(|facet| match facet {
            Facet::Number { column, .. } => Some(column),
            _ => None,
        });
        let columns: Vec<(usize, f64, f64)> = numbers.map(|column| (column, 0.0, 1.0)).collect();
        let mut units = Self { codec: Arc::clone(codec), columns, real: Vec::new() };
        let features = codec.features();
        let rows = real.rows(column_histograms::rows(features))?;
        let count = (rows.len() / features).max(1) as f64;
        for (index, (column, offset, scale)) in units.columns.iter_mut().enumerate() {
            let values = || rows.iter().skip(index).step_by(features).filter_map(|score| codec.number(*column, *score));
            let mean = values().map(|value| value / count).sum::<f64>();
            let variance = values().map(|value| (value - mean).powi(2) / count).sum::<f64>();
            (*offset, *scale) = (mean, if variance > 0.0 && variance.is_finite() { variance.sqrt() } else { 1.0 });
        }
        units.real = units.standardized(&rows, features)?;
        Ok(units)
    }

    /// The columns of `samples`, rows of so many features.
    fn standardized(&self, samples: &[f32], features: usize) -> Result<Vec<f32>> {
        let mut drawn = room(samples.len() / features.max(1) * self.columns.len())?;
        for sample in samples.chunks_exact(features) {
            drawn.extend(self.columns.iter().zip(sample).map(|((column, offset, scale), score)| {
                let value = self.codec.number(*column, *score).unwrap_or(f64::NAN);
                ((value - offset) / scale) as f32
            }));
        }
        Ok(drawn)
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
        Shape::Numbers(features) | Shape::Mixed { features, .. } => {
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
